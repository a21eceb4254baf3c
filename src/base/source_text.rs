//! The text of source files, as the front end hands it over for comments, excerpts and reports, and
//! the folder that paths are shown relative to.

use super::arena::Symbol;
use super::ordered::LookupMap;
use super::source::SourceLocation;
use super::text::path_relative_to;

/// Lines of source files by normalised path.
#[derive(Default)]
pub struct SourceTexts<'s> {
    /// Normalised path of the folder that shown paths are relative to; empty shows them as they are.
    pub cwd: String,
    files: LookupMap<Symbol, Option<&'s [&'s str]>>,
}

impl<'s> SourceTexts<'s> {
    /// Keeps the lines of a file; none for a file known to have no text.
    pub fn insert(&mut self, file: Symbol, lines: Option<&'s [&'s str]>) {
        self.files.insert(file, lines);
    }
    /// The whole lines a location covers, as far as the file has them; none where the file's text
    /// is not known.
    pub fn lines(&self, location: &SourceLocation) -> Option<&'s [&'s str]> {
        let lines = (*self.files.get(&location.file?)?)?;
        let end = lines.len().min(location.end_line as usize);
        let start = end.min((location.line as usize).saturating_sub(1));
        Some(&lines[start..end])
    }
    /// Whether the text of a location's file is known.
    pub fn is_known(&self, location: &SourceLocation) -> bool {
        location.file.and_then(|file| self.files.get(&file)).is_some_and(Option::is_some)
    }
    /// A path as it is shown.
    pub fn shown<'p>(&self, path: &'p str) -> &'p str {
        if self.cwd.is_empty() { path } else { path_relative_to(path, &self.cwd) }
    }
}
