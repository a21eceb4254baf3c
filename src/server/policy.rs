//! `--output-root`: whether a path, once every link and `..` in it is followed, is inside a folder.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::artifacts::write::{Disk, Outputs};

/// The only folder in which files may be written.
#[derive(Clone, Debug)]
pub struct OutputRoot(PathBuf);

impl OutputRoot {
    /// The folder has to exist: a name that means nothing yet could come to mean anything.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self(folder.canonicalize()?))
    }
    /// Whether a path, existing or not, is inside.
    pub fn contains(&self, path: &Path) -> bool {
        resolve(path).is_some_and(|path| path.starts_with(&self.0))
    }
}

/// The path with its existing part resolved. None if that cannot be told, which is no reason to
/// allow anything.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut existing = std::path::absolute(path).ok()?;
    let mut missing = Vec::new();
    loop {
        // a link to nowhere exists too: writing through it would create its target
        match existing.symlink_metadata() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return None,
        }
        match existing.components().next_back()? {
            Component::Normal(name) => missing.push(name.to_owned()),
            // what is above a folder that does not exist cannot be told
            _ => return None,
        }
        existing.pop();
    }
    let mut resolved = existing.canonicalize().ok()?;
    resolved.extend(missing.iter().rev());
    Some(resolved)
}

/// Writes to disk, but only inside the root. Folders are checked before anything is compiled; this
/// looks at every single path, because names of contracts become parts of paths too.
pub struct Guarded<'r> {
    disk: Disk,
    base: &'r Path,
    root: Option<&'r OutputRoot>,
    refused: Option<PathBuf>,
}

impl<'r> Guarded<'r> {
    /// A writer for which relative paths start at `base`.
    pub fn new(base: &'r Path, root: Option<&'r OutputRoot>) -> Self {
        Self { disk: Disk::new(base), base, root, refused: None }
    }
    /// The first path that was refused.
    pub fn refused(&self) -> Option<&Path> {
        self.refused.as_deref()
    }
    /// The files put in place.
    pub fn written(&self) -> &[PathBuf] {
        self.disk.written()
    }
    fn check(&mut self, path: &Path) -> io::Result<()> {
        let Some(root) = self.root else { return Ok(()) };
        let path = self.base.join(path);
        if root.contains(&path) {
            return Ok(());
        }
        self.refused.get_or_insert(path);
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "outside of the output root"))
    }
}

impl Outputs for Guarded<'_> {
    fn remove_folder(&mut self, path: &Path) {
        if self.check(path).is_ok() {
            self.disk.remove_folder(path);
        }
    }
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.check(path)?;
        self.disk.write_dump(path, content)
    }
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.check(path)?;
        self.disk.make_folder(path)
    }
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        if self.root.is_some() {
            self.disk.show_folders()?;
        }
        self.check(path)?;
        self.disk.write(path, content)
    }
    fn finish(&mut self) -> io::Result<()> {
        if self.refused.is_some() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a path was refused"));
        }
        self.disk.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn one_refused_path_keeps_all_files_back() {
        let base = std::env::temp_dir().join(format!("puya-guard-{}", std::process::id()));
        let root = base.join("root");
        fs::create_dir_all(&root).unwrap();
        let checked = OutputRoot::new(&root).unwrap();
        let mut outputs = Guarded::new(&root, Some(&checked));
        outputs.write(Path::new("fine.teal"), b"x").unwrap();
        assert!(outputs.write(Path::new("../escaped.teal"), b"x").is_err());
        assert!(outputs.finish().is_err());
        assert_eq!(outputs.refused(), Some(root.join("../escaped.teal").as_path()));
        assert!(outputs.written().is_empty());
        drop(outputs);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn names_may_lead_out_of_their_folder_but_not_of_the_root() {
        let base = std::env::temp_dir().join(format!("puya-names-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let checked = OutputRoot::new(&base).unwrap();
        let mut outputs = Guarded::new(&base, Some(&checked));
        outputs.make_folder(Path::new("out")).unwrap();
        for path in ["out/a.teal", "out/../b.teal"] {
            outputs.write(Path::new(path), b"x").unwrap();
        }
        outputs.finish().unwrap();
        assert_eq!(outputs.written(), [base.join("out/a.teal"), base.join("out/../b.teal")]);
        assert!(outputs.written().iter().all(|path| path.is_file()));
        assert!(outputs.write(Path::new("out/../../c.teal"), b"x").is_err());
        drop(outputs);
        assert_eq!(fs::read_dir(&base).unwrap().count(), 2);
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn only_what_really_is_inside_is_inside() {
        let base = std::env::temp_dir().join(format!("puya-root-{}", std::process::id()));
        let (root, outside) = (base.join("root"), base.join("outside"));
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        };
        link(&outside, "way_out");
        link(&base.join("nowhere"), "dangling");
        link(&root.join("sub"), "inner");
        let checked = OutputRoot::new(&root).unwrap();
        for inside in ["", "sub", "sub/a.teal", "new/deep/er", "inner/x", "sub/../b", "./c"] {
            assert!(checked.contains(&root.join(inside)), "{inside}");
        }
        for other in ["..", "../outside", "way_out", "way_out/x", "dangling", "dangling/x"] {
            assert!(!checked.contains(&root.join(other)), "{other}");
        }
        assert!(!checked.contains(&root.join("new/../../outside")));
        assert!(!checked.contains(&base.join("root_of_another")));
        fs::remove_dir_all(&base).unwrap();
    }
}
