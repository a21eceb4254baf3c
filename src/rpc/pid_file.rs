//! The pid file of a daemon: taken under an exclusive lock that lives as long as the process, so a
//! lock proves that the pid in the file is a running daemon and a file without one is stale.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often taking the file is tried: another daemon may remove it meanwhile, and whoever looks at
/// it holds its lock for a moment.
const ATTEMPTS_MAX: usize = 10;

/// How long to wait before looking again whether a lock is still held.
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// Why a pid file could not be taken.
#[derive(Debug)]
pub enum PidFileError {
    /// Another daemon holds it; its pid, where it is already written.
    Held(PathBuf, Option<u32>),
    /// The file holds something that is not a pid, so it is not ours to replace.
    Foreign(PathBuf),
    /// The file or its folder cannot be made or written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for PidFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PidFileError::Held(path, Some(pid)) => {
                let path = path.display();
                write!(
                    f,
                    "a daemon already runs with pid {pid} (pid file {path}); a second one needs a \
                     --pid-file of its own"
                )
            }
            PidFileError::Held(path, None) => {
                write!(f, "a daemon already holds the pid file {}", path.display())
            }
            PidFileError::Foreign(path) => {
                write!(f, "{} is not a pid file, refusing to replace it", path.display())
            }
            PidFileError::Io(path, error) => {
                write!(f, "cannot write the pid file {}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for PidFileError {}

/// What a look at a pid file tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PidFileState {
    /// There is no such file, or it cannot be read.
    Absent,
    /// Nobody holds its lock.
    Stale,
    /// A daemon holds its lock; its pid, where it is already written.
    Held(Option<u32>),
}

/// A pid file that is ours while this value lives.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Takes the file: makes its folder, locks it, and writes our pid and a newline.
    pub fn take(path: &Path) -> Result<Self, PidFileError> {
        let failed = |error| PidFileError::Io(path.to_owned(), error);
        make_folder(path).map_err(failed)?;
        let mut held = None;
        for _ in 0..ATTEMPTS_MAX {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    held = Some(PidFileError::Held(path.to_owned(), read_pid(&mut file)));
                    std::thread::sleep(LOCK_WAIT);
                    continue;
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // between opening and locking, the daemon that had it may have removed it
            if !is_same_file(&file, path) {
                continue;
            }
            let length = file.metadata().map_err(failed)?.len();
            if length > 0 && read_pid(&mut file).is_none() {
                return Err(PidFileError::Foreign(path.to_owned()));
            }
            file.set_len(0).map_err(failed)?;
            file.rewind().map_err(failed)?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(failed)?;
            return Ok(Self { path: path.to_owned(), file });
        }
        Err(held.unwrap_or_else(|| failed(io::Error::other("another process keeps removing it"))))
    }
}

impl Drop for PidFile {
    /// Removes the file, unless somebody has put another one in its place.
    fn drop(&mut self) {
        if is_same_file(&self.file, &self.path) {
            // nothing is lost when it stays: without its lock it is stale
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the folder of a file, for this user only; one that exists stays as it is.
pub fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Looks at a pid file without changing it.
pub fn look(path: &Path) -> PidFileState {
    let options =
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let Ok(mut file) = options else { return PidFileState::Absent };
    // a shared lock, so that two who look at the same time do not take each other for a daemon
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => PidFileState::Held(read_pid(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => PidFileState::Stale,
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// The pid a file holds, when it holds nothing else.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim_end().parse().ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder of this test's own, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("puya-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_pid_file_is_held_once_and_removed_by_its_owner() {
        let folder = Folder::new("held");
        let path = folder.0.join("made").join("daemon.pid");
        let taken = PidFile::take(&path).unwrap();
        let pid = std::process::id();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{pid}\n"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(look(&path), PidFileState::Held(Some(pid)));
        assert!(matches!(PidFile::take(&path), Err(PidFileError::Held(_, Some(p))) if p == pid));
        drop(taken);
        assert_eq!(look(&path), PidFileState::Absent);
    }

    #[test]
    fn a_stale_file_is_replaced_and_a_foreign_one_is_kept() {
        let folder = Folder::new("stale");
        let path = folder.0.join("daemon.pid");
        fs::write(&path, "4194000\n").unwrap();
        assert_eq!(look(&path), PidFileState::Stale);
        drop(PidFile::take(&path).unwrap());
        fs::write(&path, "my notes\n").unwrap();
        assert!(matches!(PidFile::take(&path), Err(PidFileError::Foreign(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "my notes\n");
    }

    #[test]
    fn a_file_that_took_our_place_is_left_alone() {
        let folder = Folder::new("replaced");
        let path = folder.0.join("daemon.pid");
        let taken = PidFile::take(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        drop(taken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }
}
