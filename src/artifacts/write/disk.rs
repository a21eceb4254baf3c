//! The only file that writes outputs to disk: a writer that puts every file in place whole, when all of
//! them are there. Spec 60 §2.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Outputs;
use crate::base::text::normalise_path;

/// Writes to disk. A file is written under another name in its folder and renamed when everything
/// is there, so nobody ever sees half a file. One that says already what it is to say only gets the
/// time of the compilation, which costs less and is what happens to most files when a project is
/// compiled again. A folder that is missing waits under another name as a whole. What is left over
/// after a failure is deleted.
pub struct Disk {
    base: PathBuf,
    waiting: Vec<Waiting>,
    /// Files in place, in the order they were taken.
    written: Vec<PathBuf>,
    /// Folders that were made for files that still wait.
    made: Vec<PathBuf>,
    /// The folder that was asked for last: artifacts mostly share one.
    latest: PathBuf,
    new: Option<NewFolder>,
    /// What files are compared in.
    buffer: Vec<u8>,
}

/// The first folder that was missing. Its files and folders have their own names in its stand-in, so
/// that renaming this puts all of them in place.
struct NewFolder {
    folder: PathBuf,
    stand_in: PathBuf,
    /// How many of the folders made so far are shown, if they are to be.
    shown: usize,
}

/// A file that waits for the end of the compilation.
struct Waiting {
    target: PathBuf,
    content: Content,
}

enum Content {
    /// Under another name in the same folder.
    Temporary(PathBuf),
    /// In the stand-in of the new folder.
    InStandIn(PathBuf),
    /// In place since an earlier compilation.
    Unchanged(File),
}

/// How many unchanged files are kept open: descriptors are few where there are many connections.
const OPEN_FILES: usize = 128;
/// How much of a file is compared at once: both pieces are to stay near the processor.
const BUFFER_LEN: usize = 16 << 10;

impl Disk {
    /// A writer for which relative paths start at `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            waiting: Vec::new(),
            written: Vec::new(),
            made: Vec::new(),
            latest: PathBuf::new(),
            new: None,
            buffer: Vec::new(),
        }
    }
    /// The files put in place so far, with absolute paths where `base` is absolute.
    pub fn written(&self) -> &[PathBuf] {
        &self.written
    }
    /// Makes the folder that waits, and those in it, under their own names, too, for paths that are
    /// to be followed through them before the end. They stay empty until then.
    pub fn show_folders(&mut self) -> io::Result<()> {
        let Some(new) = &mut self.new else { return Ok(()) };
        while let Some(made) = self.made.get(new.shown) {
            if let Some(rest) = rest_below(made, &new.stand_in) {
                let mut folder = new.folder.clone().into_os_string();
                folder.push(rest);
                let folder = PathBuf::from(folder);
                match fs::create_dir(&folder) {
                    Ok(()) => self.made.push(folder),
                    Err(_) if folder.is_dir() => {}
                    Err(error) => return Err(error),
                }
            }
            new.shown += 1;
        }
        Ok(())
    }
    /// Where a path into the new folder leads until that is in place.
    fn in_stand_in(&self, path: &Path) -> Option<PathBuf> {
        let new = self.new.as_ref()?;
        let rest = rest_below(path, &new.folder)?;
        if !goes_down(rest) {
            return None;
        }
        let (start, end) = (new.stand_in.as_os_str(), rest.as_os_str());
        let mut place = OsString::with_capacity(start.len() + end.len());
        place.push(start);
        place.push(end);
        Some(place.into())
    }
    /// Where a folder is until the end.
    fn place(&self, folder: &Path) -> PathBuf {
        self.in_stand_in(folder).unwrap_or_else(|| folder.to_owned())
    }
    /// Makes a folder and those above it.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let place = self.place(folder);
        let found = place.symlink_metadata();
        let is_there =
            found.as_ref().is_ok_and(|it| it.is_dir() || it.is_symlink() && place.is_dir());
        if is_there {
            return Ok(());
        }
        let is_missing = found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let mut made = match self.new {
            None if is_missing => self.make_stand_in(folder),
            _ => self.make_one(folder),
        };
        if let (Err(error), Some(above)) = (&made, folder.parent())
            && error.kind() == io::ErrorKind::NotFound
        {
            self.make(above)?;
            made = self.make_one(folder);
        }
        match made {
            // somebody else was faster
            Err(_) if self.place(folder).is_dir() => Ok(()),
            made => made,
        }
    }
    /// Makes a folder whose parent is there.
    fn make_one(&mut self, folder: &Path) -> io::Result<()> {
        let place = self.place(folder);
        fs::create_dir(&place)?;
        self.made.push(place);
        Ok(())
    }
    /// Makes a stand-in for a folder that is missing, or the folder itself where that has to tell what is
    /// wrong, or where the path does not end in its name.
    fn make_stand_in(&mut self, folder: &Path) -> io::Result<()> {
        let Some(name) = folder.file_name().filter(|name| {
            goes_down(folder) && folder.as_os_str().as_bytes().ends_with(name.as_bytes())
        }) else {
            return self.make_one(folder);
        };
        let name = format!(".{}.{}", name.to_string_lossy(), std::process::id());
        let stand_in = folder.with_file_name(name);
        match fs::create_dir(&stand_in) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => return self.make_one(folder),
        }
        let shown = self.made.len();
        self.made.push(stand_in.clone());
        self.new = Some(NewFolder { folder: folder.to_owned(), stand_in, shown });
        Ok(())
    }
    /// Deletes the stand-in when its files are elsewhere.
    fn remove_stand_in(&mut self, new: &NewFolder) {
        let folders = self.made.iter().filter(|folder| folder.starts_with(&new.stand_in));
        folders.rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
    /// Takes a file that is to stand beside others that are there now.
    fn write_beside(&mut self, target: PathBuf, content: &[u8]) -> io::Result<()> {
        let content = match unchanged(&target, content, &mut self.buffer)? {
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
    /// Whether a file that waits will replace what stands at `target` now.
    fn will_replace(&self, target: &Path) -> bool {
        self.waiting.iter().any(|file| {
            !matches!(file.content, Content::Unchanged(_)) && file.target.as_os_str() == target
        })
    }
    /// A name nothing else uses: the process and the place in the list make it so.
    fn temporary(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let (process, number) = (std::process::id(), self.waiting.len());
        target.with_file_name(format!(".{name}.{process}-{number}"))
    }
}

/// What follows a folder in a path below it, from the slash on. Both are normalised.
fn rest_below<'p>(path: &'p Path, folder: &Path) -> Option<&'p Path> {
    let rest = path.as_os_str().as_bytes().strip_prefix(folder.as_os_str().as_bytes())?;
    matches!(rest, [] | [b'/', ..]).then(|| Path::new(OsStr::from_bytes(rest)))
}

/// Whether each part of a path leads into the folder before it.
fn goes_down(path: &Path) -> bool {
    !path.as_os_str().as_bytes().split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(content).inspect_err(|_| drop(fs::remove_file(path)))
}

/// The file at `path` if it has exactly this content. What is in the buffer does not matter.
///
/// # Errors
/// When a folder is there. Whatever else is in the way gives way when the file is renamed.
fn unchanged(path: &Path, content: &[u8], buffer: &mut Vec<u8>) -> io::Result<Option<File>> {
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
    let needed = content.len().min(BUFFER_LEN);
    if buffer.len() < needed {
        buffer.resize(needed, 0);
    }
    while !rest.is_empty() {
        match file.read(buffer) {
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
            Content::Temporary(path) | Content::InStandIn(path) => fs::rename(path, &self.target),
            // somebody else's file that may be written to, but not dated, stays as it was
            Content::Unchanged(file) => file.set_modified(SystemTime::now()).or_else(|error| {
                (error.kind() == io::ErrorKind::PermissionDenied).then_some(()).ok_or(error)
            }),
        }
    }
    fn discard(&self) {
        if let Content::Temporary(path) | Content::InStandIn(path) = &self.content {
            let _ = fs::remove_file(path);
        }
    }
}

impl Outputs for Disk {
    fn remove_folder(&mut self, path: &Path) {
        let folder = self.base.join(path);
        // in a folder that is missing there are none
        if self.in_stand_in(&folder).is_none() {
            let _ = fs::remove_dir_all(folder);
        }
    }
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let path = self.base.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }
    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        // as the paths of files in it start
        let folder = self.base.join(normalise_path(&path.to_string_lossy()));
        if folder.as_os_str() != self.latest.as_os_str() {
            if !goes_down(&folder) {
                self.show_folders()?;
            }
            self.make(&folder)?;
            self.latest = folder;
        }
        Ok(())
    }
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let target = self.base.join(path);
        if let Some(place) = self.in_stand_in(&target) {
            match write_new(&place, content) {
                // the later of two files with one name replaces the other when both are in place
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => {
                    outcome?;
                    self.waiting.push(Waiting { target, content: Content::InStandIn(place) });
                    return Ok(());
                }
            }
            self.show_folders()?;
        } else if !goes_down(&target) {
            self.show_folders()?;
        }
        self.write_beside(target, content)
    }
    fn finish(&mut self) -> io::Result<()> {
        let new = self.new.as_ref();
        let is_renamed = new.is_some_and(|new| fs::rename(&new.stand_in, &new.folder).is_ok());
        // somebody put something there meanwhile: file by file, then
        let mut outcome = if is_renamed { Ok(()) } else { self.show_folders() };
        for file in std::mem::take(&mut self.waiting) {
            let is_in_place = is_renamed && matches!(file.content, Content::InStandIn(_));
            if outcome.is_ok() && !is_in_place {
                outcome = file.put_in_place();
            }
            match outcome {
                Err(_) if !is_in_place => file.discard(),
                _ => self.written.push(file.target),
            }
        }
        if let Some(new) = self.new.take()
            && !is_renamed
        {
            self.remove_stand_in(&new);
        }
        self.made.clear();
        self.latest.clear();
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

#[cfg(test)]
mod tests;
