//! Names of dump files: numbered by stage, counted by program. Spec 20 §1.1.

use std::path::Path;

use super::files::io_failure;
use crate::artifacts::write::{Outputs, join};
use crate::diagnostics::Outcome;
use crate::ir::model::ProgramKind;

/// The dumps of one artifact.
pub struct Dumps<'o> {
    outputs: &'o mut dyn Outputs,
    /// Where they go; none for an artifact that dumps nothing.
    folder: Option<String>,
    name: String,
    group: u32,
    /// Dumps made in this group, by kind of program.
    counts: [u32; 3],
}

impl<'o> Dumps<'o> {
    /// Dumps into `folder`. Nothing is made before there is something to dump.
    pub fn new(outputs: &'o mut dyn Outputs, folder: Option<String>, name: &str) -> Self {
        Self { outputs, folder, name: name.to_owned(), group: 0, counts: [0; 3] }
    }
    /// A stage is over: numbers go on at the next hundred.
    pub fn next_group(&mut self) {
        self.group += 1;
        self.counts = [0; 3];
    }
    /// Whether dumps are kept at all; rendering one that is not would be wasted.
    pub fn are_kept(&self) -> bool {
        self.folder.is_some()
    }
    /// Writes a dump of a program.
    pub fn write(
        &mut self,
        kind: ProgramKind,
        qualifier: &str,
        suffix: &str,
        text: &str,
    ) -> Outcome<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let count = &mut self.counts[kind as usize];
        let number = self.group * 100 + *count;
        *count += 1;
        let mut file = self.name.clone();
        let number = format!("{number:03}");
        let parts = [kind.file_part().unwrap_or(""), &number, qualifier, suffix];
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            file.push('.');
            file.push_str(part);
        }
        let path = join(folder, &file);
        self.outputs
            .write_dump(Path::new(&path), text.as_bytes())
            .map_err(|error| io_failure(&error, &path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the names of dumps.
    struct Names(Vec<String>);

    impl Outputs for Names {
        fn remove_folder(&mut self, _path: &Path) {}
        fn write_dump(&mut self, path: &Path, _content: &[u8]) -> std::io::Result<()> {
            self.0.push(path.display().to_string());
            Ok(())
        }
        fn make_folder(&mut self, _path: &Path) -> std::io::Result<()> {
            Ok(())
        }
        fn write(&mut self, _path: &Path, _content: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
        fn finish(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn numbers_go_by_stage_and_program() {
        let mut names = Names(Vec::new());
        let mut dumps = Dumps::new(&mut names, Some("out/C.D.ir".to_owned()), "C.D");
        dumps.write(ProgramKind::Approval, "ssa", "ir", "").unwrap();
        dumps.write(ProgramKind::Clear, "ssa", "ir", "").unwrap();
        dumps.write(ProgramKind::Approval, "ssa.opt", "ir", "").unwrap();
        dumps.next_group();
        dumps.write(ProgramKind::LogicSignature, "", "mir", "").unwrap();
        assert_eq!(
            names.0,
            [
                "out/C.D.ir/C.D.approval.000.ssa.ir",
                "out/C.D.ir/C.D.clear.000.ssa.ir",
                "out/C.D.ir/C.D.approval.001.ssa.opt.ir",
                "out/C.D.ir/C.D.100.mir",
            ]
        );
    }
}
