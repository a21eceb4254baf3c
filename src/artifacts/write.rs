//! The only file that writes outputs to disk: names of files, folders, and a writer that puts every
//! file in place whole. Spec 60 §2.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::text::normalise_path;

/// Where a compilation puts what it makes. Paths are as the options give them; relative ones start
/// where the receiver says.
pub trait Outputs {
    /// Deletes a folder of dumps left by an earlier compilation. Failing to is no error.
    fn remove_folder(&mut self, path: &Path);
    /// Writes a dump at once, and its folder if needed.
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Makes a folder and those above it.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Takes a file. Nobody sees it before [`Outputs::finish`], nor ever if that is not called: files
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

/// Writes to disk. A file is written under another name in its folder and renamed when everything
/// is there, so nobody ever sees half a file. What is left over after a failure is deleted.
pub struct Disk {
    base: PathBuf,
    /// Files that wait for their final name: where they are, where they belong.
    waiting: Vec<(PathBuf, PathBuf)>,
    /// Files in place, in the order they were taken.
    written: Vec<PathBuf>,
    /// Folders that were made for files that still wait.
    made: Vec<PathBuf>,
}

impl Disk {
    /// A writer for which relative paths start at `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into(), waiting: Vec::new(), written: Vec::new(), made: Vec::new() }
    }
    /// The files put in place so far, with absolute paths where `base` is absolute.
    pub fn written(&self) -> &[PathBuf] {
        &self.written
    }
    /// Makes a folder and those above it, and remembers those that were missing.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let mut made = fs::create_dir(folder);
        if let (Err(error), Some(above)) = (&made, folder.parent())
            && error.kind() == io::ErrorKind::NotFound
        {
            self.make(above)?;
            made = fs::create_dir(folder);
        }
        match made {
            Ok(()) => self.made.push(folder.to_owned()),
            Err(_) if folder.is_dir() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
    /// A name nothing else uses: the process and the place in the list make it so.
    fn temporary(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        target.with_file_name(format!(".{name}.{}-{}", std::process::id(), self.waiting.len()))
    }
}

impl Outputs for Disk {
    fn remove_folder(&mut self, path: &Path) {
        let _ = fs::remove_dir_all(self.base.join(path));
    }
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let path = self.base.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.make(&self.base.join(path))
    }
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let target = self.base.join(path);
        if target.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let temporary = self.temporary(&target);
        fs::write(&temporary, content).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        self.waiting.push((temporary, target));
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.made.clear();
        let mut outcome = Ok(());
        for (temporary, target) in waiting {
            match outcome {
                Ok(()) => match fs::rename(&temporary, &target) {
                    Ok(()) => self.written.push(target),
                    Err(error) => {
                        let _ = fs::remove_file(&temporary);
                        outcome = Err(error);
                    }
                },
                Err(_) => drop(fs::remove_file(&temporary)),
            }
        }
        outcome
    }
}

impl Drop for Disk {
    /// A compilation that ended early leaves nothing behind.
    fn drop(&mut self) {
        for (temporary, _) in &self.waiting {
            let _ = fs::remove_file(temporary);
        }
        // one that somebody else put something into stays
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
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

/// The path of an artifact's file: the last suffix of its name, if it has one, gives way to
/// `suffix`. None for a name that is empty.
pub fn output_path(folder: &str, name: &str, suffix: &str) -> Option<String> {
    let base = join(folder, name);
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
    Some(format!("{}{suffix}", &base[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_suffix_of_a_name_gives_way() {
        for (name, path) in [
            ("A", "out/A.approval.teal"),
            ("A.B", "out/A.approval.teal"),
            ("A.", "out/A..approval.teal"),
            (".A", "out/.A.approval.teal"),
            ("A.B.C", "out/A.B.approval.teal"),
        ] {
            assert_eq!(output_path("out", name, ".approval.teal").as_deref(), Some(path));
        }
        assert_eq!(output_path(".", "A", ".bin").as_deref(), Some("A.bin"));
        assert_eq!(output_path("/", "A", ".bin").as_deref(), Some("/A.bin"));
        assert_eq!(output_path("/", "", ".bin"), None);
    }

    #[test]
    fn files_appear_when_everything_is_there() {
        let folder = std::env::temp_dir().join(format!("puya-write-{}", std::process::id()));
        let mut disk = Disk::new(&folder);
        disk.make_folder(Path::new("out")).unwrap();
        disk.write(Path::new("out/a"), b"1").unwrap();
        assert!(!folder.join("out/a").exists());
        disk.finish().unwrap();
        assert_eq!(fs::read(folder.join("out/a")).unwrap(), b"1");
        assert_eq!(disk.written(), [folder.join("out/a")]);
        disk.make_folder(Path::new("out/new/deep")).unwrap();
        disk.write(Path::new("out/new/deep/b"), b"2").unwrap();
        disk.write(Path::new("out/b"), b"2").unwrap();
        drop(disk);
        assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
