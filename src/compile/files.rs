//! Compiled artifacts -> files, in the reference's order, each with a message. Spec 60 §2.

use std::io;
use std::path::Path;

use super::Targets;
use super::backend::{Compiled, CompiledProgram};
use crate::artifacts::write::{Outputs, output_path};
use crate::artifacts::{arc32, arc56, source_map};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::ProgramKind;
use crate::metadata::{ContractMetadata, Metadata};
use crate::options::CompileOptions;
use crate::session::Session;

/// The specification files of an artifact, where the options ask for them.
#[derive(Default)]
pub struct Specifications {
    /// ARC-32.
    pub arc32: Option<String>,
    /// ARC-56.
    pub arc56: Option<String>,
}

/// What files are made with.
pub struct Files<'f, 's> {
    /// Names, paths, messages.
    pub session: &'f Session<'s>,
    /// Which files are wanted.
    pub options: &'f CompileOptions,
    /// Where they go.
    pub targets: &'f Targets,
    /// Who takes them.
    pub outputs: &'f mut dyn Outputs,
}

impl Files<'_, '_> {
    /// Makes the files of all targets. Returns the specifications, artifact by artifact; those of
    /// artifacts that are only referred to are left out.
    pub fn make(&mut self, compiled: &[Compiled]) -> Outcome<Vec<Specifications>> {
        if compiled.is_empty() {
            let message = "No contracts or logic signatures discovered in any source files";
            self.session.sink.warning(message, Loc::NONE);
        }
        let mut specifications = Vec::new();
        for artifact in compiled {
            specifications.push(match self.targets.get(&artifact.id) {
                Some(folder) => self.make_artifact(artifact, folder)?,
                None => Specifications::default(),
            });
        }
        Ok(specifications)
    }

    fn make_artifact(&mut self, artifact: &Compiled, folder: &str) -> Outcome<Specifications> {
        self.outputs.make_folder(Path::new(folder)).map_err(|error| io_failure(&error, folder))?;
        let mut specifications = Specifications::default();
        let (session, options) = (self.session, self.options);
        let name = artifact.metadata.name();
        let base = Base { folder, name };
        if let (Metadata::Contract(contract), [approval, clear]) =
            (&artifact.metadata, artifact.programs.as_slice())
            && contract.is_arc4()
        {
            if options.output_arc32 {
                let text = arc32::render(session, contract, &approval.text, &clear.text)?;
                self.write(&base, ".arc32.json", text.as_bytes())?;
                specifications.arc32 = Some(text);
            }
            if options.output_arc56 {
                let text = arc56_file(session, options, contract, approval, clear)?;
                self.write(&base, ".arc56.json", text.as_bytes())?;
                specifications.arc56 = Some(text);
            }
        }
        let programs = &artifact.programs;
        if options.output_teal {
            for program in programs {
                self.write(&base, &suffix(program, "teal"), program.text.as_bytes())?;
            }
        }
        if options.output_bytecode {
            for program in programs {
                self.write(&base, &suffix(program, "bin"), &program.assembled.bytecode)?;
            }
        }
        if options.output_op_statistics {
            for program in programs {
                let text = program.assembled.stats.render();
                self.write(&base, &suffix(program, "stats.txt"), text.as_bytes())?;
            }
        }
        for program in programs {
            if let Some(report) = &program.report {
                self.write(&base, &suffix(program, "assembly-report"), report.as_bytes())?;
            }
        }
        if options.output_source_map {
            for program in programs {
                let text =
                    source_map::render(session, &program.debug_map(options.debug_level), folder)?;
                self.write(&base, &suffix(program, "puya.map"), text.as_bytes())?;
            }
        }
        Ok(specifications)
    }

    fn write(&mut self, base: &Base<'_>, suffix: &str, content: &[u8]) -> Outcome<()> {
        let Some(path) = output_path(base.folder, base.name, suffix) else {
            let message = format!("ValueError: {:?} has an empty name", base.name);
            return Err(Failure::internal(message, Loc::NONE));
        };
        let shown = self.session.sources.shown(&path);
        self.session.sink.info(format!("Writing {shown}"), Loc::NONE);
        self.outputs.write(Path::new(&path), content).map_err(|error| io_failure(&error, &path))
    }
}

/// What the names of an artifact's files are made of.
struct Base<'b> {
    folder: &'b str,
    name: &'b str,
}

fn suffix(program: &CompiledProgram, kind_of_file: &str) -> String {
    match program.kind {
        ProgramKind::Approval => format!(".approval.{kind_of_file}"),
        ProgramKind::Clear => format!(".clear.{kind_of_file}"),
        ProgramKind::LogicSignature => format!(".{kind_of_file}"),
    }
}

fn arc56_file(
    session: &Session<'_>,
    options: &CompileOptions,
    contract: &ContractMetadata,
    approval: &CompiledProgram,
    clear: &CompiledProgram,
) -> Outcome<String> {
    let [approval, clear] = [approval, clear].map(CompiledProgram::for_specification);
    arc56::render(session, contract, approval, clear, &options.template_vars_prefix)
}

impl CompiledProgram {
    /// The program as specifications show it.
    pub fn for_specification(&self) -> arc56::ProgramOutput<'_> {
        arc56::ProgramOutput { teal: &self.text, assembled: &self.assembled }
    }
}

/// A failed write, worded as the exception Python raises for it.
pub fn io_failure(error: &io::Error, path: &str) -> Failure {
    let class = match error.kind() {
        io::ErrorKind::NotFound => "FileNotFoundError",
        io::ErrorKind::PermissionDenied => "PermissionError",
        io::ErrorKind::NotADirectory => "NotADirectoryError",
        io::ErrorKind::IsADirectory => "IsADirectoryError",
        io::ErrorKind::AlreadyExists => "FileExistsError",
        _ => "OSError",
    };
    let text = error.to_string();
    let message = match (error.raw_os_error(), text.split_once(" (os error")) {
        (Some(code), Some((words, _))) => {
            format!("{class}: [Errno {code}] {words}: {}", repr(path))
        }
        _ => format!("{class}: {text}: {}", repr(path)),
    };
    Failure::internal(message, Loc::NONE)
}
