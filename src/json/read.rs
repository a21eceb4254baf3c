//! JSON text -> the values of a [`Json`] document. Every value is looked up among those already read,
//! so equal values are stored once, and numbers keep their exact text.
//!
//! The dialect is that of Python's `json` module, error texts included: `NaN`, `Infinity` and
//! `-Infinity` are numbers, and a key given twice keeps its first place and its last value. One
//! thing is refused that Python takes: an escaped lone surrogate, which UTF-8 cannot express.
//! Reading uses no recursion; nesting beyond [`DEPTH_MAX`] is an error, so whoever walks the tree
//! afterwards may recurse.

use std::fmt;
use std::ops::Range;

use super::build::Builder;
use super::likely::Next;
use super::open::{NO_BLANKS, Open, Stack, WATCHED};
use super::rows::EMPTY_SHAPE;
use super::scan::spaces_end;
use super::tree::{Json, Tag, Word};
use super::vocabulary::Vocabulary;
use crate::base::arena::Arena;

mod numbers;
mod strings;

pub use numbers::{is_integer, too_many_digits};

/// How deep arrays and objects may nest. The reference gives up at about 1,500 levels.
pub const DEPTH_MAX: usize = 4_000;

/// Why a text is not JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// The exception class the reference raises.
    pub class: &'static str,
    /// What is wrong and where, in Python's words.
    pub message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl std::error::Error for ReadError {}

/// Line (from 1), column (from 1) and character index (from 0) of a byte offset.
pub fn position(text: &str, offset: usize) -> (usize, usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1, before.chars().count())
}

/// Where the reader gets its bytes from: a window on the text, which moves on.
pub trait Input {
    /// The bytes at hand.
    fn bytes(&self) -> &[u8];
    /// Lets go of the first `used` bytes and gets more behind the others. False, and nothing
    /// changes, where the text ends with the bytes at hand.
    fn more(&mut self, used: usize) -> bool;
    /// A syntax error at a place among the bytes at hand.
    fn syntax_error(&self, message: &str, at: usize) -> ReadError;
    /// The error of nesting too deeply.
    fn too_deep(&self, is_object: bool, at: usize) -> ReadError;
}

impl<I: Input> Input for &mut I {
    #[inline]
    fn bytes(&self) -> &[u8] {
        (**self).bytes()
    }
    fn more(&mut self, used: usize) -> bool {
        (**self).more(used)
    }
    fn syntax_error(&self, message: &str, at: usize) -> ReadError {
        (**self).syntax_error(message, at)
    }
    fn too_deep(&self, is_object: bool, at: usize) -> ReadError {
        (**self).too_deep(is_object, at)
    }
}

/// A text that is in memory.
struct Text<'t>(&'t str);

impl Input for Text<'_> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
    #[inline]
    fn more(&mut self, _used: usize) -> bool {
        false
    }
    fn syntax_error(&self, message: &str, at: usize) -> ReadError {
        syntax(self.0, message, at)
    }
    fn too_deep(&self, is_object: bool, at: usize) -> ReadError {
        let (line, column, index) = position(self.0, at);
        let what = if is_object { "object" } else { "array" };
        let message = format!(
            "maximum recursion depth exceeded while decoding a JSON {what} from a unicode string: \
             more than {DEPTH_MAX} levels at line {line} column {column} (char {index})"
        );
        ReadError { class: "RecursionError", message }
    }
}

/// Reads one document.
pub fn read<'a>(text: &str, arena: &'a Arena) -> Result<Json<'a>, ReadError> {
    read_text(text, arena, None, None)
}

/// Reads one document that is likely to have these words.
pub fn read_knowing<'a>(
    vocabulary: &'static Vocabulary,
    text: &str,
    arena: &'a Arena,
) -> Result<Json<'a>, ReadError> {
    read_text(text, arena, Some(vocabulary), None)
}

/// Reads one document, and where the values directly inside of it start and end.
pub fn read_with_extents<'a>(
    text: &str,
    arena: &'a Arena,
) -> Result<(Json<'a>, Vec<Range<usize>>), ReadError> {
    let mut extents = Vec::new();
    let json = read_text(text, arena, None, Some(&mut extents))?;
    Ok((json, extents))
}

fn read_text<'a>(
    text: &str,
    arena: &'a Arena,
    vocabulary: Option<&'static Vocabulary>,
    extents: Option<&mut Vec<Range<usize>>>,
) -> Result<Json<'a>, ReadError> {
    if text.starts_with('\u{feff}') {
        return Err(syntax(text, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    if u32::try_from(text.len()).is_err() {
        return Err(too_large());
    }
    let builder = Builder::new(arena, text.len(), vocabulary);
    Reader { input: Text(text), at: 0, builder, extents, item: 0 }.document()
}

/// Reads one document, which may be likely to have the words of a vocabulary, piece by piece. Its mistakes
/// are told as the input tells them.
pub fn read_from<'a>(
    vocabulary: Option<&'static Vocabulary>,
    input: impl Input,
    arena: &'a Arena,
) -> Result<Json<'a>, ReadError> {
    let builder = Builder::new(arena, input.bytes().len(), vocabulary);
    Reader { input, at: 0, builder, extents: None, item: 0 }.document()
}

/// A syntax error with its place, as Python words it.
fn syntax(text: &str, message: &str, offset: usize) -> ReadError {
    let (line, column, index) = position(text, offset);
    let message = format!("{message}: line {line} column {column} (char {index})");
    ReadError { class: "JSONDecodeError", message }
}

/// The error of a document that has more values than we can number.
pub(super) fn too_large() -> ReadError {
    let message = "the document is larger than 4 GiB".to_owned();
    ReadError { class: "MemoryError", message }
}

struct Reader<'x, 'a, I> {
    input: I,
    at: usize,
    builder: Builder<'a>,
    extents: Option<&'x mut Vec<Range<usize>>>,
    /// Where the last item of the watched container started.
    item: usize,
}

impl<'a, I: Input> Reader<'_, 'a, I> {
    fn document(mut self) -> Result<Json<'a>, ReadError> {
        let mut stack = Stack::new();
        let mut next = Next::Value;
        loop {
            let key = match next {
                Next::Value => None,
                Next::Key(expected) => Some(expected),
                Next::Behind(word) if stack.open.is_empty() => return self.finish(word),
                Next::Behind(word) => {
                    next = self.behind_item(word, &mut stack)?;
                    continue;
                }
            };
            let bytes = self.input.bytes();
            (next, self.at) = self.builder.likely(bytes, self.at, key, &mut stack)?;
            // what comes now is not as expected
            next = match next {
                Next::Value => self.value(&mut stack)?,
                Next::Key(expected) => self.key(expected, &mut stack)?,
                behind => behind,
            };
        }
    }

    /// The document, if nothing but blanks is behind its outermost value.
    fn finish(mut self, value: Word) -> Result<Json<'a>, ReadError> {
        self.skip_blanks();
        if self.at < self.input.bytes().len() {
            return Err(self.error("Extra data"));
        }
        Ok(self.builder.finish(value))
    }

    /// Moves past blanks in front of a value, and past the value, or into it if it is a container.
    #[inline(never)]
    fn value(&mut self, stack: &mut Stack) -> Result<Next, ReadError> {
        let value = match self.skip_blanks() {
            first @ (b'{' | b'[') => return self.container(first + 2, stack),
            b'"' => {
                let id = self.string()?;
                self.builder.expect_string(stack.top.place.member, id);
                Word::new(Tag::String, id)
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", Word::TRUE)?,
            b'f' => self.word("false", Word::FALSE)?,
            b'n' => self.word("null", Word::NULL)?,
            b'N' => self.word_number("NaN")?,
            b'I' => self.word_number("Infinity")?,
            _ => return Err(self.error("Expecting value")),
        };
        Ok(Next::Behind(value))
    }

    /// Starts a container. An object's key is in front of which it stops at the start.
    fn container(&mut self, close: u8, stack: &mut Stack) -> Result<Next, ReadError> {
        if stack.open.len() >= DEPTH_MAX {
            return Err(self.input.too_deep(close == b'}', self.at));
        }
        stack.start(close)?;
        if stack.open.len() == 1 && self.extents.is_some() {
            (stack.top.close, stack.top.blanks) = (close | WATCHED, NO_BLANKS);
        }
        if close == b'}' {
            return Ok(Next::Key(self.builder.first_member(stack.top.place.member)));
        }
        if self.item(&mut stack.top) != b']' {
            return Ok(Next::Value);
        }
        self.at += 1;
        stack.end();
        Ok(Next::Behind(Builder::NO_ITEMS))
    }

    /// Moves past what starts a container or ends an item, and the blanks behind it. The byte found there,
    /// or 0 at the end.
    #[inline(never)]
    fn item(&mut self, container: &mut Open) -> u8 {
        self.at += 1;
        let start = self.at;
        let next = self.skip_blanks();
        if container.close & WATCHED == 0 {
            // they were not all at hand if the place is in front of the start
            container.blanks = self.at.saturating_sub(start).try_into().unwrap_or(NO_BLANKS);
        }
        self.item_starts(container);
        next
    }

    fn item_starts(&mut self, container: &Open) {
        if container.close & WATCHED != 0 {
            self.item = self.at;
        }
    }

    /// Adds an item, and moves past the blanks behind it and what ends it. An object's key is in front of
    /// which it stops at the comma.
    #[inline(never)]
    fn behind_item(&mut self, item: Word, stack: &mut Stack) -> Result<Next, ReadError> {
        stack.push(item);
        let close = stack.top.close & !WATCHED;
        if close != stack.top.close
            && let Some(extents) = &mut self.extents
        {
            extents.push(self.item..self.at);
        }
        match self.skip_blanks() {
            b',' if close == b'}' => Ok(Next::Key(stack.top.place.member + 1)),
            b',' => {
                self.item(&mut stack.top);
                Ok(Next::Value)
            }
            end if end == close => {
                self.at += 1;
                self.end(stack).map(Next::Behind)
            }
            _ => Err(self.error("Expecting ',' delimiter")),
        }
    }

    /// Ends the innermost container, which has items.
    fn end(&mut self, stack: &mut Stack) -> Result<Word, ReadError> {
        let container = stack.end();
        let word = if container.close & !WATCHED == b'}' {
            let shape = match self.builder.likely_shape(container.place) {
                Some(shape) => shape,
                None => {
                    let extents = match &mut self.extents {
                        Some(extents) if stack.open.is_empty() => Some(&mut **extents),
                        _ => None,
                    };
                    self.builder.shape(container, stack, extents)?
                }
            };
            self.builder.object(shape, stack.values(container.start))?
        } else {
            self.builder.array(stack.values(container.start))?
        };
        stack.truncate(container.start);
        Ok(word)
    }

    /// Moves past the start of an object or a comma, a key where a member was expected, its colon, and the
    /// blanks around these, and goes on to that key; or past the end of an object without members.
    #[inline(never)]
    fn key(&mut self, expected: u32, stack: &mut Stack) -> Result<Next, ReadError> {
        match self.item(&mut stack.top) {
            b'"' => {}
            b'}' if stack.len() == stack.top.start as usize => {
                self.at += 1;
                stack.end();
                return Ok(Next::Behind(self.builder.object(EMPTY_SHAPE, &[])?));
            }
            _ => return Err(self.error("Expecting property name enclosed in double quotes")),
        }
        let key = self.string()?;
        self.builder.place_key(stack, expected, key);
        if self.skip_blanks() != b':' {
            return Err(self.error("Expecting ':' delimiter"));
        }
        self.at += 1;
        self.skip_blanks();
        self.item_starts(&stack.top);
        Ok(Next::Value)
    }

    /// Moves past blanks; the byte found there, or 0 at the end.
    #[inline(always)]
    fn skip_blanks(&mut self) -> u8 {
        let bytes = self.input.bytes();
        match bytes.get(self.at) {
            Some(byte) if *byte > b' ' => *byte,
            Some(b' ') if bytes.get(self.at + 1).is_some_and(|byte| *byte > b' ') => {
                self.at += 1;
                bytes[self.at]
            }
            _ => self.skip_some_blanks(),
        }
    }
    #[inline(never)]
    fn skip_some_blanks(&mut self) -> u8 {
        loop {
            let bytes = self.input.bytes();
            let mut at = self.at;
            loop {
                match bytes.get(at) {
                    Some(b'\n') => at = spaces_end(bytes, at + 1),
                    Some(b' ' | b'\t' | b'\r') => at += 1,
                    Some(byte) => {
                        self.at = at;
                        return *byte;
                    }
                    None => break,
                }
            }
            self.at = at;
            if !self.input.more(at) {
                return 0;
            }
            self.at = 0;
        }
    }

    #[cold]
    fn error(&self, message: &str) -> ReadError {
        self.input.syntax_error(message, self.at)
    }
}

#[cfg(test)]
mod tests;
