//! Compiled artifacts -> files, in the reference's order, each with a message. Spec 60 §2.

use std::io;
use std::path::Path;

use super::backend::{Compiled, CompiledProgram};
use super::{Keep, Targets};
use crate::artifacts::write::{Outputs, output_path};
use crate::artifacts::{arc32, arc56, source_map};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Diagnostic, Failure, Outcome};
use crate::ir::model::ProgramKind;
use crate::metadata::{ContractMetadata, Metadata};
use crate::options::CompileOptions;
use crate::session::Session;

/// The specification files of an artifact, where the options and the request ask for them.
#[derive(Default)]
pub struct Specifications {
    /// ARC-32.
    pub arc32: Option<String>,
    /// ARC-56.
    pub arc56: Option<String>,
}

/// Makes the files of artifacts as soon as each is compiled, so that little of it has to be kept. Files
/// are told about when all are compiled: until then, messages and failures are held back.
pub struct Files<'f, 's> {
    session: &'f Session<'s>,
    options: &'f CompileOptions,
    targets: &'f Targets,
    keep: Keep,
    /// Messages about files.
    messages: Vec<Diagnostic>,
    /// The first failure; after it no files are made.
    failure: Option<Failure>,
}

impl<'f, 's> Files<'f, 's> {
    /// Files that go to the folders of targets, as far as the options ask for them.
    pub fn new(
        session: &'f Session<'s>,
        options: &'f CompileOptions,
        targets: &'f Targets,
        keep: Keep,
    ) -> Self {
        Self { session, options, targets, keep, messages: Vec::new(), failure: None }
    }

    /// Makes the files of an artifact and returns its specifications, if artifacts are kept; there are
    /// none for an artifact that is only referred to, nor after errors, as nothing will be put in place
    /// then.
    pub fn make(&mut self, artifact: &Compiled, outputs: &mut dyn Outputs) -> Specifications {
        let Some(folder) = self.targets.get(&artifact.id) else { return Specifications::default() };
        if self.failure.is_some() || self.session.sink.exit_code() != 0 {
            return Specifications::default();
        }
        let said = self.session.sink.len();
        let specifications = self.make_artifact(artifact, folder, outputs);
        self.messages.append(&mut self.session.sink.take_since(said));
        specifications.unwrap_or_else(|failure| {
            self.failure = Some(failure);
            Specifications::default()
        })
    }

    /// Tells what there was to tell about the files, and fails if making them failed.
    pub fn tell(self) -> Outcome<()> {
        self.session.sink.put_back(self.messages);
        self.failure.map_or(Ok(()), Err)
    }

    /// The text of a file, if somebody asks for it. Texts of large contracts would be most of what is in
    /// memory while the files after them are made.
    fn kept(&self, text: String) -> Option<String> {
        (self.keep == Keep::Artifacts).then_some(text)
    }

    fn make_artifact(
        &self,
        artifact: &Compiled,
        folder: &str,
        outputs: &mut dyn Outputs,
    ) -> Outcome<Specifications> {
        outputs.make_folder(Path::new(folder)).map_err(|error| io_failure(&error, folder))?;
        let mut specifications = Specifications::default();
        let (session, options) = (self.session, self.options);
        let name = artifact.metadata.name();
        let base = Base { folder, name };
        let mut write =
            |suffix: &str, content: &[u8]| write_file(session, outputs, &base, suffix, content);
        if let (Metadata::Contract(contract), [approval, clear]) =
            (&artifact.metadata, artifact.programs.as_slice())
            && contract.is_arc4()
        {
            if options.output_arc32 {
                let text = arc32::render(session, contract, &approval.text, &clear.text)?;
                write(".arc32.json", text.as_bytes())?;
                specifications.arc32 = self.kept(text);
            }
            if options.output_arc56 {
                let text = arc56_file(session, options, contract, approval, clear)?;
                write(".arc56.json", text.as_bytes())?;
                specifications.arc56 = self.kept(text);
            }
        }
        let programs = &artifact.programs;
        if options.output_teal {
            for program in programs {
                write(&suffix(program, "teal"), program.text.as_bytes())?;
            }
        }
        if options.output_bytecode {
            for program in programs {
                write(&suffix(program, "bin"), &program.assembled.bytecode)?;
            }
        }
        if options.output_op_statistics {
            for program in programs {
                let text = program.assembled.stats.render();
                write(&suffix(program, "stats.txt"), text.as_bytes())?;
            }
        }
        for program in programs {
            if let Some(report) = &program.report {
                write(&suffix(program, "assembly-report"), report.as_bytes())?;
            }
        }
        if options.output_source_map {
            for program in programs {
                let text =
                    source_map::render(session, &program.debug_map(options.debug_level), folder)?;
                write(&suffix(program, "puya.map"), text.as_bytes())?;
            }
        }
        Ok(specifications)
    }
}

fn write_file(
    session: &Session<'_>,
    outputs: &mut dyn Outputs,
    base: &Base<'_>,
    suffix: &str,
    content: &[u8],
) -> Outcome<()> {
    let Some(path) = output_path(base.folder, base.name, suffix) else {
        let message = format!("ValueError: {:?} has an empty name", base.name);
        return Err(Failure::internal(message, Loc::NONE));
    };
    let shown = session.sources.shown(&path);
    session.sink.info(format!("Writing {shown}"), Loc::NONE);
    outputs.write(Path::new(&path), content).map_err(|error| io_failure(&error, &path))
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
