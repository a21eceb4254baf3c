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

use self::scan::spaces_end;
use super::build::{Builder, Place};
use super::likely::{Stop, is_item_behind, is_last, likely_number, likely_word, window};
use super::open::{NO_BLANKS, Open, WATCHED};
use super::rows::EMPTY_SHAPE;
use super::tree::{Json, Tag, Word};
use super::vocabulary::Vocabulary;
use crate::base::arena::Arena;

mod numbers;
mod scan;
mod strings;

pub use numbers::{is_integer, too_many_digits};

/// How deep arrays and objects may nest. The reference gives up at about 1,500 levels.
pub const DEPTH_MAX: usize = 4_000;

/// As many arrays and objects are usually open at once, and have as many values so far.
const OPEN_EXPECTED: usize = 64;
const VALUES_EXPECTED: usize = 256;

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
    /// Some of them as a text; none where they are not UTF-8.
    fn text(&self, part: Range<usize>) -> Option<&str> {
        std::str::from_utf8(&self.bytes()[part]).ok()
    }
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
    fn text(&self, part: Range<usize>) -> Option<&str> {
        (**self).text(part)
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
    fn text(&self, part: Range<usize>) -> Option<&str> {
        self.0.get(part)
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
    Reader { input: Text(text), at: 0, builder, extents, item: 0, is_empty: false }.document()
}

/// Reads one document, which may be likely to have the words of a vocabulary, piece by piece. Its mistakes
/// are told as the input tells them.
pub fn read_from<'a>(
    vocabulary: Option<&'static Vocabulary>,
    input: impl Input,
    arena: &'a Arena,
) -> Result<Json<'a>, ReadError> {
    let builder = Builder::new(arena, input.bytes().len(), vocabulary);
    Reader { input, at: 0, builder, extents: None, item: 0, is_empty: false }.document()
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
    /// An object turned out to be empty, and its end is next.
    is_empty: bool,
}

/// What is behind an item.
enum Behind {
    /// A key.
    Key,
    /// Another item.
    Item,
    /// The end of the container, which was moved past.
    End,
}

/// Lets a method of the reader do what is not likely, from the place that was come to, and goes on where
/// it ended, with the bytes that are at hand then.
macro_rules! slowly {
    ($reader:ident, $bytes:ident, $at:ident, $call:expr) => {{
        $reader.at = $at;
        let result = $call;
        $at = $reader.at;
        $bytes = $reader.input.bytes();
        result
    }};
}

impl<'a, I: Input> Reader<'_, 'a, I> {
    fn document(mut self) -> Result<Json<'a>, ReadError> {
        // what is around the innermost container
        let mut open: Vec<Open> = Vec::with_capacity(OPEN_EXPECTED);
        let mut top = Open::OUTSIDE;
        // values of all open containers, innermost last
        let mut values: Vec<u32> = Vec::with_capacity(VALUES_EXPECTED);
        let (mut at, mut bytes) = (self.at, self.input.bytes());
        // a value that was read and not yet added
        let mut item = None;
        'item: loop {
            // an item is next; read it, and what ends behind it, up to what is in front of the next item
            // or key, and then which member is likely
            let expected = 'key: {
                let likely = match bytes.get(at) {
                    _ if let Some(item) = item.take() => Some((item, at)),
                    Some(b'0'..=b'9') => window(bytes, at)
                        .and_then(likely_number)
                        .map(|(number, length)| (Word::new(Tag::Int, number), at + length)),
                    Some(b'"') => self
                        .builder
                        .likely_string(top.place.member, bytes, at)
                        .map(|(id, end)| (Word::new(Tag::String, id), end)),
                    Some(first @ (b'{' | b'[')) => {
                        let close = first + 2;
                        if open.len() >= DEPTH_MAX {
                            return Err(self.input.too_deep(close == b'}', at));
                        }
                        if bytes.get(at + 1) == Some(&close) {
                            let empty = match close {
                                b']' => Builder::NO_ITEMS,
                                _ => self.builder.object(EMPTY_SHAPE, &[])?,
                            };
                            Some((empty, at + 2))
                        } else {
                            let inner = top.inner(values.len(), close);
                            open.push(std::mem::replace(&mut top, inner));
                            if open.len() == 1 && self.extents.is_some() {
                                (top.close, top.blanks) = (close | WATCHED, NO_BLANKS);
                            }
                            if close == b'}' {
                                break 'key self.builder.first_member(top.place.member);
                            }
                            if top.close == b']' && is_item_behind(bytes, at, top.blanks) {
                                at += 1 + top.blanks as usize;
                            } else if slowly!(self, bytes, at, self.item(&mut top)) == b']' {
                                self.is_empty = true;
                                top = open.pop().expect("the array is in something");
                            }
                            continue 'item;
                        }
                    }
                    Some(_) => window(bytes, at)
                        .and_then(likely_word)
                        .map(|(word, length)| (word, at + length)),
                    None => None,
                };
                let mut word;
                match likely {
                    Some(likely) => (word, at) = likely,
                    None => match slowly!(self, bytes, at, self.value(top.place)?) {
                        Some(value) => word = value,
                        None => continue 'item,
                    },
                }
                // hand the value to the innermost container, and close what ends here
                loop {
                    values.push(word.0);
                    match bytes.get(at) {
                        Some(b',') if top.close == b'}' => break 'key top.place.member + 1,
                        Some(b',') if top.close == b']' => {
                            if is_item_behind(bytes, at, top.blanks) {
                                at += 1 + top.blanks as usize;
                            } else {
                                slowly!(self, bytes, at, self.item(&mut top));
                            }
                            continue 'item;
                        }
                        _ if is_last(bytes, at, top.blanks_outside, top.close) => {
                            at += top.blanks_outside as usize + 1;
                        }
                        _ if open.is_empty() => {
                            self.at = at;
                            return self.finish(word);
                        }
                        _ => match slowly!(self, bytes, at, self.behind_item(&mut top)?) {
                            Behind::Key => break 'key top.place.member + 1,
                            Behind::Item => continue 'item,
                            Behind::End => {}
                        },
                    }
                    let Open { start, place, close, .. } = top;
                    top = open.pop().expect("it is in something");
                    word = if close & !WATCHED == b'}' {
                        let shape = match self.builder.likely_shape(place) {
                            Some(shape) => shape,
                            None => {
                                let around = top.place.member;
                                let extents = match &mut self.extents {
                                    Some(extents) if open.is_empty() => Some(&mut **extents),
                                    _ => None,
                                };
                                self.builder.shape(place, around, &mut values, start, extents)?
                            }
                        };
                        self.builder.object(shape, &values[start..])?
                    } else {
                        self.builder.array(&values[start..])?
                    };
                    values.truncate(start);
                }
            };
            // a key is next, behind one byte and blanks
            let builder = &mut self.builder;
            let (stop, place, member) =
                builder.likely_members(bytes, at, expected, &mut open, &mut top, &mut values)?;
            at = place;
            match stop {
                Stop::Value => {}
                Stop::Item(word) => item = Some(word),
                Stop::Key => {
                    let before = values.len() - top.start;
                    let around = open.last().expect("the object is in something").place.member;
                    if !slowly!(self, bytes, at, self.key(member, &mut top, before, around)?) {
                        self.is_empty = true;
                        top = open.pop().expect("the object is in something");
                    }
                }
            }
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

    /// Moves past blanks in front of an item, and past the item if it is no container with items: then its
    /// value.
    #[inline(never)]
    fn value(&mut self, place: Place) -> Result<Option<Word>, ReadError> {
        let value = match self.skip_blanks() {
            b'{' | b'[' => return Ok(None),
            end @ (b'}' | b']') if std::mem::take(&mut self.is_empty) => {
                self.at += 1;
                match end {
                    b'}' => self.builder.object(EMPTY_SHAPE, &[])?,
                    _ => Builder::NO_ITEMS,
                }
            }
            b'"' => {
                let id = self.string()?;
                self.builder.expect_string(place.member, id);
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
        Ok(Some(value))
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

    /// Moves past the blanks behind an item, and past what ends it. An object's key is in front of which it
    /// stops at the comma.
    #[inline(never)]
    fn behind_item(&mut self, container: &mut Open) -> Result<Behind, ReadError> {
        let close = container.close & !WATCHED;
        if close != container.close
            && let Some(extents) = &mut self.extents
        {
            extents.push(self.item..self.at);
        }
        match self.skip_blanks() {
            b',' if close == b'}' => Ok(Behind::Key),
            b',' => {
                self.item(container);
                Ok(Behind::Item)
            }
            end if end == close => {
                self.at += 1;
                Ok(Behind::End)
            }
            _ => Err(self.error("Expecting ',' delimiter")),
        }
    }

    /// Moves past the start of an object or a comma, a key where a member was expected, its colon, and the
    /// blanks around these, and goes on to that key. So many members were before, and the object is in the
    /// value of the member around it. False where the object ends instead and has no members.
    #[inline(never)]
    fn key(
        &mut self,
        expected: u32,
        object: &mut Open,
        before: usize,
        around: u32,
    ) -> Result<bool, ReadError> {
        match self.item(object) {
            b'"' => {}
            b'}' if before == 0 => return Ok(false),
            _ => return Err(self.error("Expecting property name enclosed in double quotes")),
        }
        let place = &mut object.place;
        match self.builder.other_member(expected, before, self.input.bytes(), self.at) {
            Some((member, end)) => {
                (self.at, place.member) = (end, member);
                self.builder.expect_row(member, before, around);
            }
            None => {
                let key = self.string()?;
                self.builder.leave_rows(place, expected, before, key);
            }
        }
        if self.skip_blanks() != b':' {
            return Err(self.error("Expecting ':' delimiter"));
        }
        self.at += 1;
        self.skip_blanks();
        self.item_starts(object);
        Ok(true)
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
