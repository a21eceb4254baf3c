//! The files that a compilation reads. The syntax trees are read in pieces, so that their text, by far
//! the largest of all inputs, is never in memory as a whole.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::args::CompileArgs;
use crate::base::arena::Arena;
use crate::compile::Document;
use crate::json::read::Input;
use crate::json::{Json, ReadError};

/// How much of a file is in memory at a time.
const PIECE: usize = 64 * 1024;

/// The documents of a compilation.
pub struct Inputs<T> {
    /// The syntax trees.
    pub awst: T,
    /// The options.
    pub options: String,
    /// The lines of source files.
    pub annotations: Option<String>,
}

/// Reads the documents that the arguments name; the error is one line.
pub fn read_inputs<T>(
    args: &CompileArgs,
    read_awst: impl FnOnce(&Path) -> io::Result<T>,
) -> Result<Inputs<T>, String> {
    let annotations = args.source_annotations.as_deref();
    Ok(Inputs {
        awst: named(&args.awst, read_awst)?,
        options: named(&args.options, read_text)?,
        annotations: annotations.map(|path| named(path, read_text)).transpose()?,
    })
}

fn named<T>(path: &Path, read: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, String> {
    read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// A document, read or as text.
pub enum Read<'a> {
    /// Its values.
    Tree(Json<'a>),
    /// The text of one that is small, or that holds a mistake, whose place only the text can tell.
    Text(String),
}

/// Reads syntax trees; what the suffix of their file says is compressed is unpacked.
pub fn read_document<'a>(path: &Path, arena: &'a Arena) -> io::Result<Read<'a>> {
    let file = File::open(path)?;
    let facts = file.metadata()?;
    // what is no plain file can be read only once
    if facts.is_file() && facts.len() > PIECE as u64 {
        let tree = if is_compressed(path) {
            read_pieces(flate2::read::MultiGzDecoder::new(file), arena)
        } else {
            read_pieces(file, arena)
        };
        if let Some(json) = tree {
            return Ok(Read::Tree(json));
        }
    }
    read_maybe_compressed(path).map(Read::Text)
}

fn read_pieces(from: impl io::Read, arena: &Arena) -> Option<Json<'_>> {
    let mut pieces = Pieces { from, window: vec![0; PIECE], filled: 0, failed: false };
    let json = Document::read_awst(&mut pieces, arena).ok()?;
    (!pieces.failed).then_some(json)
}

/// A file of which one piece is at hand.
struct Pieces<R> {
    from: R,
    window: Vec<u8>,
    filled: usize,
    failed: bool,
}

impl<R: io::Read> Input for Pieces<R> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.window[..self.filled]
    }
    fn more(&mut self, used: usize) -> bool {
        let kept = self.filled - used;
        // a value longer than half of the window needs a larger one
        if kept > self.window.len() / 2 {
            self.window.resize(self.window.len() * 2, 0);
        }
        self.window.copy_within(used..self.filled, 0);
        let mut filled = kept;
        while filled < self.window.len() && !self.failed {
            match self.from.read(&mut self.window[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.failed = true,
            }
        }
        let has_grown = filled > kept;
        if !has_grown {
            // what was let go is still behind what was kept
            self.window.copy_within(..kept, used);
        }
        self.filled = if has_grown { filled } else { self.filled };
        has_grown
    }
    /// The text tells what is wrong; see [`Read::Text`].
    fn syntax_error(&self, message: &str, _at: usize) -> ReadError {
        ReadError { class: "JSONDecodeError", message: message.to_owned() }
    }
    fn too_deep(&self, _is_object: bool, at: usize) -> ReadError {
        self.syntax_error("too deep", at)
    }
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == "gz" || suffix == "gzip")
}

/// The text of a file; what its suffix says is compressed is unpacked.
pub fn read_maybe_compressed(path: &Path) -> io::Result<String> {
    if !is_compressed(path) {
        return read_text(path);
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(File::open(path)?), &mut bytes)?;
    text_of(bytes)
}

fn read_text(path: &Path) -> io::Result<String> {
    text_of(std::fs::read(path)?)
}

/// UTF-8 with every kind of line end read as `\n`.
fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))?;
    if !text.contains('\r') {
        return Ok(text);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_unified_and_bad_bytes_refused() {
        assert_eq!(text_of(b"a\r\nb\rc\n".to_vec()).unwrap(), "a\nb\nc\n");
        let error = text_of(b"ab\xff".to_vec()).unwrap_err().to_string();
        assert_eq!(error, "invalid utf-8 sequence of 1 bytes from index 2");
    }

    #[test]
    fn a_large_file_is_read_as_its_text_would_be() {
        let folder = std::env::temp_dir().join(format!("puya-inputs-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("document.json");
        let items: Vec<String> = (0..9_000).map(|n| format!("{{\"é{n}\":\r\n {n}}}")).collect();
        let long = "x".repeat(3 * PIECE);
        let good = format!("[\"{long}\", {}]", items.join(",\n"));
        let arena = Arena::new();
        std::fs::write(&path, &good).unwrap();
        let Ok(Read::Tree(json)) = read_document(&path, &arena) else { panic!("not read") };
        let expected = crate::json::read(&good, &arena).unwrap();
        let shown = |json| crate::json::coerce::to_repr(json);
        assert!(shown(json) == shown(expected));
        let mistakes = [&good[..good.len() - 1], &format!("{good}]"), &good.replace("9}", "9\r}]")];
        for text in mistakes {
            std::fs::write(&path, text).unwrap();
            let Ok(Read::Text(read)) = read_document(&path, &arena) else { panic!("not text") };
            assert!(read == text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        std::fs::write(&path, [good.as_bytes(), b"\xff"].concat()).unwrap();
        assert!(read_document(&path, &arena).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
