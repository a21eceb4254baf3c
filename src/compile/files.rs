//! Compiled artifacts -> files, in the reference's order, each with a message. Spec 60 §2.

use std::io;
use std::path::Path;

use super::backend::{Compiled, CompiledProgram};
use super::{Keep, Targets};
use crate::artifacts::source_map::Maps;
use crate::artifacts::write::{Outputs, output_base};
use crate::artifacts::{arc32, arc56};
use crate::base::encode::base64;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Diagnostic, Failure, Outcome};
use crate::ir::model::ProgramKind;
use crate::json::write::Layout;
use crate::metadata::Metadata;
use crate::options::CompileOptions;
use crate::session::Session;

/// The texts of files of an artifact, where the options and the request ask for them.
#[derive(Default)]
pub struct Texts {
    /// ARC-32.
    pub arc32: Option<String>,
    /// ARC-56.
    pub arc56: Option<String>,
    /// The source maps of its programs.
    pub source_maps: Vec<String>,
}

/// Makes the files of artifacts as soon as each is compiled, so that little of it has to be kept. Files
/// are told about when all are compiled: until then, messages and failures are held back.
pub struct Files<'f, 's> {
    session: &'f Session<'s>,
    options: &'f CompileOptions,
    targets: &'f Targets,
    keep: Keep,
    maps: Maps<'f, 's>,
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
        let maps = Maps::new(session);
        Self { session, options, targets, keep, maps, messages: Vec::new(), failure: None }
    }

    /// Makes the files of an artifact and returns texts of them, if artifacts are kept; there are none
    /// for an artifact that is only referred to, nor after errors, as nothing will be put in place then.
    pub fn make(&mut self, artifact: &Compiled, outputs: &mut dyn Outputs) -> Texts {
        let Some(folder) = self.targets.get(&artifact.id) else { return Texts::default() };
        if self.failure.is_some() || self.session.sink.exit_code() != 0 {
            return Texts::default();
        }
        let said = self.session.sink.len();
        let texts = self.make_artifact(artifact, folder, outputs);
        self.messages.append(&mut self.session.sink.take_since(said));
        texts.unwrap_or_else(|failure| {
            self.failure = Some(failure);
            Texts::default()
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
        &mut self,
        artifact: &Compiled,
        folder: &str,
        outputs: &mut dyn Outputs,
    ) -> Outcome<Texts> {
        outputs.make_folder(Path::new(folder)).map_err(|error| io_failure(&error, folder))?;
        let mut texts = Texts::default();
        let (session, options) = (self.session, self.options);
        let name = artifact.metadata.name();
        let path = output_base(folder, name);
        let base_len = path.as_ref().map_or(0, String::len);
        let mut files = ArtifactFiles { session, outputs, name, path, base_len };
        if let (Metadata::Contract(contract), [approval, clear]) =
            (&artifact.metadata, artifact.programs.as_slice())
            && contract.is_arc4()
        {
            let [source, clear_source] = match options.output_arc32 || options.output_arc56 {
                true => [approval, clear].map(|program| base64(program.text.as_bytes())),
                false => Default::default(),
            };
            if options.output_arc32 {
                let text = arc32::render(session, contract, &source, &clear_source)?;
                files.write([".arc32.json", ""], text.as_bytes())?;
                texts.arc32 = self.kept(text);
            }
            if options.output_arc56 {
                let programs = [
                    arc56::ProgramOutput { source: &source, assembled: &approval.assembled },
                    arc56::ProgramOutput { source: &clear_source, assembled: &clear.assembled },
                ];
                let prefix = &options.template_vars_prefix;
                let (form, layout) = (arc56::Form::Compact, Layout::Indent(4));
                let text = arc56::render(session, contract, programs, prefix, form, layout)?;
                files.write([".arc56.json", ""], text.as_bytes())?;
                texts.arc56 = self.kept(text);
            }
        }
        let programs = &artifact.programs;
        if options.output_teal {
            for program in programs {
                files.write([program_part(program), ".teal"], program.text.as_bytes())?;
            }
        }
        if options.output_bytecode {
            for program in programs {
                files.write([program_part(program), ".bin"], &program.assembled.bytecode)?;
            }
        }
        if options.output_op_statistics {
            for program in programs {
                let text = program.assembled.stats.render();
                files.write([program_part(program), ".stats.txt"], text.as_bytes())?;
            }
        }
        for program in programs {
            if let Some(report) = &program.report {
                files.write([program_part(program), ".assembly-report"], report.as_bytes())?;
            }
        }
        if options.output_source_map {
            for program in programs {
                let text = self.maps.render(&program.debug_map(options.debug_level), folder)?;
                files.write([program_part(program), ".puya.map"], text.as_bytes())?;
                texts.source_maps.extend(self.kept(text));
            }
        }
        Ok(texts)
    }
}

/// Writes the files of an artifact.
struct ArtifactFiles<'w, 's> {
    session: &'w Session<'s>,
    outputs: &'w mut dyn Outputs,
    name: &'w str,
    /// The path of the last file, if the artifact has a name to make paths of.
    path: Option<String>,
    /// Where suffixes start in it.
    base_len: usize,
}

impl ArtifactFiles<'_, '_> {
    /// Writes a file whose name ends in these parts.
    fn write(&mut self, suffix: [&str; 2], content: &[u8]) -> Outcome<()> {
        let Some(path) = &mut self.path else {
            let message = format!("ValueError: {:?} has an empty name", self.name);
            return Err(Failure::internal(message, Loc::NONE));
        };
        path.truncate(self.base_len);
        path.extend(suffix);
        let shown = self.session.sources.shown(path);
        self.session.sink.info(["Writing ", shown].concat(), Loc::NONE);
        let written = self.outputs.write(Path::new(path), content);
        written.map_err(|error| io_failure(&error, path))
    }
}

/// What tells the files of a program from those of the others of its artifact.
fn program_part(program: &CompiledProgram) -> &'static str {
    match program.kind {
        ProgramKind::Approval => ".approval",
        ProgramKind::Clear => ".clear",
        ProgramKind::LogicSignature => "",
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
