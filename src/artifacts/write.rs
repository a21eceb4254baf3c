//! The only file that writes outputs to disk: names of files, folders, and a writer that puts every
//! file in place whole. Spec 60 §2.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
/// is there, so nobody ever sees half a file. One that says already what it is to say only gets the
/// time of the compilation, which costs less and is what happens to most files when a project is
/// compiled again. What is left over after a failure is deleted.
pub struct Disk {
    base: PathBuf,
    waiting: Vec<Waiting>,
    /// Files in place, in the order they were taken.
    written: Vec<PathBuf>,
    /// Folders that were made for files that still wait.
    made: Vec<PathBuf>,
    /// The folder that was asked for last: artifacts mostly share one.
    latest: PathBuf,
    process: u32,
}

/// A file that waits for the end of the compilation.
struct Waiting {
    target: PathBuf,
    content: Content,
}

enum Content {
    /// Under another name in the same folder.
    Temporary(PathBuf),
    /// In place since an earlier compilation.
    Unchanged(File),
}

/// How many unchanged files are kept open: descriptors are few where there are many connections.
const OPEN_FILES: usize = 128;

impl Disk {
    /// A writer for which relative paths start at `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            waiting: Vec::new(),
            written: Vec::new(),
            made: Vec::new(),
            latest: PathBuf::new(),
            process: std::process::id(),
        }
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
    /// Whether a file that waits will replace what stands at `target` now.
    fn will_replace(&self, target: &Path) -> bool {
        self.waiting.iter().any(|file| {
            matches!(file.content, Content::Temporary(_)) && file.target.as_os_str() == target
        })
    }
    /// A name nothing else uses: the process and the place in the list make it so.
    fn temporary(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        target.with_file_name(format!(".{name}.{}-{}", self.process, self.waiting.len()))
    }
}

/// The file at `path` if it has exactly this content.
///
/// # Errors
/// When a folder is there. Whatever else is in the way gives way when the file is renamed.
fn unchanged(path: &Path, content: &[u8]) -> io::Result<Option<File>> {
    // a link is replaced, not followed, and a pipe is not waited for
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if path.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Err(_) => return Ok(None),
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() || metadata.len() != content.len() as u64 {
        return Ok(None);
    }
    let mut rest = content;
    let mut buffer = [0; 16 << 10];
    while !rest.is_empty() {
        match file.read(&mut buffer) {
            Ok(length) if length > 0 && rest.starts_with(&buffer[..length]) => {
                rest = &rest[length..];
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(file))
}

impl Waiting {
    fn put_in_place(&self) -> io::Result<()> {
        match &self.content {
            Content::Temporary(path) => fs::rename(path, &self.target),
            // somebody else's file that may be written to, but not dated, stays as it was
            Content::Unchanged(file) => file.set_modified(SystemTime::now()).or_else(|error| {
                (error.kind() == io::ErrorKind::PermissionDenied).then_some(()).ok_or(error)
            }),
        }
    }
    fn discard(&self) {
        if let Content::Temporary(path) = &self.content {
            let _ = fs::remove_file(path);
        }
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
        let folder = self.base.join(path);
        if folder != self.latest {
            self.make(&folder)?;
            self.latest = folder;
        }
        Ok(())
    }
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let target = self.base.join(path);
        let content = match unchanged(&target, content)? {
            Some(file) if self.waiting.len() < OPEN_FILES && !self.will_replace(&target) => {
                Content::Unchanged(file)
            }
            _ => {
                let temporary = self.temporary(&target);
                fs::write(&temporary, content)
                    .inspect_err(|_| drop(fs::remove_file(&temporary)))?;
                Content::Temporary(temporary)
            }
        };
        self.waiting.push(Waiting { target, content });
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.made.clear();
        self.latest.clear();
        let mut outcome = Ok(());
        for file in waiting {
            if outcome.is_ok() {
                outcome = file.put_in_place();
            }
            match outcome {
                Ok(()) => self.written.push(file.target),
                Err(_) => file.discard(),
            }
        }
        outcome
    }
}

impl Drop for Disk {
    /// A compilation that ended early leaves nothing behind.
    fn drop(&mut self) {
        for file in &self.waiting {
            file.discard();
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
    use std::os::unix::fs::MetadataExt as _;

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

    /// An empty folder of a test's own, and a writer there.
    fn folder(name: &str) -> (PathBuf, Disk) {
        let folder = std::env::temp_dir().join(format!("puya-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        (folder.clone(), Disk::new(folder))
    }

    #[test]
    fn files_appear_when_everything_is_there() {
        let (folder, mut disk) = folder("write");
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

    #[test]
    fn files_that_stay_the_same_only_get_a_new_date() {
        let (folder, mut disk) = folder("same");
        let long = vec![7; 100_000];
        let before = SystemTime::now() - std::time::Duration::from_secs(3600);
        for (name, content) in [("a", &b"1"[..]), ("b", b"1"), ("c", b""), ("d", &long)] {
            fs::write(folder.join(name), content).unwrap();
            File::open(folder.join(name)).unwrap().set_modified(before).unwrap();
        }
        let state = |name: &str| {
            let metadata = fs::metadata(folder.join(name)).unwrap();
            (metadata.ino(), metadata.modified().unwrap() > before)
        };
        let inodes = ["a", "b", "c", "d"].map(|name| state(name).0);
        let mut changed = long.clone();
        changed[99_999] = 8;
        for (name, content) in [("a", &b"1"[..]), ("b", b"2"), ("c", b""), ("d", &changed)] {
            disk.write(Path::new(name), content).unwrap();
        }
        // nothing is touched before the end
        assert_eq!(["a", "b", "c", "d"].map(state), inodes.map(|inode| (inode, false)));
        disk.finish().unwrap();
        assert_eq!(disk.written().len(), 4);
        let after = ["a", "b", "c", "d"].map(state);
        assert!(after.iter().all(|(_, is_new)| *is_new));
        let is_replaced: Vec<bool> = inodes.iter().zip(&after).map(|(a, (b, _))| a != b).collect();
        assert_eq!(is_replaced, [false, true, false, true]);
        assert_eq!(fs::read(folder.join("d")).unwrap(), changed);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn of_two_files_with_one_name_the_later_stays() {
        let (folder, mut disk) = folder("twice");
        for contents in [["1", "2"], ["1", "2"], ["2", "1"], ["1", "1"]] {
            for content in contents {
                disk.write(Path::new("a"), content.as_bytes()).unwrap();
            }
            disk.finish().unwrap();
            assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), contents[1]);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_file_gives_way_unless_it_is_a_folder() {
        let (folder, mut disk) = folder("other");
        fs::write(folder.join("elsewhere"), "1").unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.join("link")).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
        assert!(pipe.success());
        fs::create_dir(folder.join("folder")).unwrap();
        disk.write(Path::new("pipe"), b"1").unwrap();
        disk.write(Path::new("link"), b"1").unwrap();
        disk.write(Path::new("socket"), b"1").unwrap();
        let error = disk.write(Path::new("folder"), b"1").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        disk.finish().unwrap();
        for name in ["link", "pipe", "socket"] {
            assert!(fs::symlink_metadata(folder.join(name)).unwrap().is_file(), "{name}");
        }
        drop(socket);
        fs::remove_dir_all(folder).unwrap();
    }
}
