//! `--output-root`: whether a path, once every link and `..` in it is followed, is inside a folder.

use std::io;
use std::path::{Component, Path, PathBuf};

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
