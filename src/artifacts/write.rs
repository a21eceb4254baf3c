//! Where outputs go: what takes files, and their paths. Spec 60 §2.

mod disk;

use std::io;
use std::path::Path;

use crate::base::text::normalise_path;

pub use disk::Disk;

/// Where a compilation puts what it makes. Paths are as the options give them; relative ones start
/// where the receiver says.
pub trait Outputs {
    /// Deletes a folder of dumps left by an earlier compilation. Failing to is no error.
    fn remove_folder(&mut self, path: &Path);
    /// Writes a dump at once, and its folder if needed.
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Makes a folder and those above it.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Takes a file, whose path is normalised. Nobody sees it before [`Outputs::finish`], nor ever if that is not called: files
    /// of an artifact come while others may still turn out to have mistakes.
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Puts every file taken in place. Called once, after everything else.
    fn finish(&mut self) -> io::Result<()>;
}

/// Takes everything and keeps nothing.
pub struct Discard;

impl Outputs for Discard {
    fn remove_folder(&mut self, _path: &Path) {}
    fn write_dump(&mut self, _path: &Path, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn make_folder(&mut self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn write(&mut self, _path: &Path, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A path below a folder, as `pathlib` joins them.
pub fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') || folder == "." {
        normalise_path(name)
    } else if folder.ends_with('/') {
        normalise_path(&format!("{folder}{name}"))
    } else {
        normalise_path(&format!("{folder}/{name}"))
    }
}

/// The path of an artifact's files up to their suffixes: these take the place of the last suffix of its
/// name, if it has one. None for a name that is empty.
pub fn output_base(folder: &str, name: &str) -> Option<String> {
    let mut base = join(folder, name);
    let name_start = base.rfind('/').map_or(0, |at| at + 1);
    let last = &base[name_start..];
    if matches!(last, "" | ".") {
        return None;
    }
    // a dot at either end of the name starts no suffix
    let end = match last.rfind('.') {
        Some(at) if at > 0 && at + 1 < last.len() => name_start + at,
        _ => base.len(),
    };
    base.truncate(end);
    Some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_suffix_of_a_name_gives_way() {
        for (name, path) in [
            ("A", "out/A"),
            ("A.B", "out/A"),
            ("A.", "out/A."),
            (".A", "out/.A"),
            ("A.B.C", "out/A.B"),
        ] {
            assert_eq!(output_base("out", name).as_deref(), Some(path));
        }
        assert_eq!(output_base(".", "A").as_deref(), Some("A"));
        assert_eq!(output_base("/", "A").as_deref(), Some("/A"));
        assert_eq!(output_base("/", ""), None);
    }
}
