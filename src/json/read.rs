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

use bumpalo::collections::Vec as BumpVec;

use super::build::{Builder, OUTSIDE, Vocabulary, move_to_places, places_of_repeated};
use super::chunk::{CHUNK, plain_start};
use super::tree::{Json, Tag, Word};
use crate::base::arena::Arena;
use crate::base::id_table::{ByteHash, hash_bytes};

/// How deep arrays and objects may nest. The reference gives up at about 1,500 levels.
pub const DEPTH_MAX: usize = 4_000;

/// Longest integer Python converts from text.
const INTEGER_DIGITS_MAX: usize = 4_300;

/// Integers of up to so many digits are kept by value.
const SMALL_DIGITS_MAX: usize = 8;

/// As many arrays and objects are usually open at once, and have as many values so far.
const OPEN_EXPECTED: usize = 64;
const VALUES_EXPECTED: usize = 256;

/// So many bytes of a string with escapes are put together before they are kept.
const STEPS: usize = 512;

/// Bytes of the longest character.
const UTF8_MAX: usize = 4;

/// Bytes of the longest escape, a surrogate pair.
const ESCAPE_MAX: usize = 12;

/// Values of the outermost container, whose extents may be asked for, and of those in it are closed one
/// by one.
const OUTER_LEVELS: usize = 2;

/// Whether the text of a number is an integer (no fraction, no exponent, not `NaN` or `Infinity`).
pub fn is_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

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
    Reader { input: Text(text), at: 0, builder, extents }.document()
}

/// Reads one document piece by piece. Its mistakes are told as the input tells them.
pub fn read_from<'a>(input: impl Input, arena: &'a Arena) -> Result<Json<'a>, ReadError> {
    let builder = Builder::new(arena, input.bytes().len(), None);
    Reader { input, at: 0, builder, extents: None }.document()
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

/// An array or object that is being read.
struct Open {
    /// The byte that ends it.
    close: u8,
    /// How many blanks there were before its first item, and before itself. In an indented document
    /// as many stand before its other items, and before its end.
    blanks: usize,
    blanks_outside: usize,
    /// Where its values start among those of all open containers.
    start: usize,
    /// The point where the containers around it are.
    point: u32,
    /// Where its text starts.
    offset: usize,
}

struct Reader<'x, 'a, I> {
    input: I,
    at: usize,
    builder: Builder<'a>,
    extents: Option<&'x mut Vec<Range<usize>>>,
}

impl<'a, I: Input> Reader<'_, 'a, I> {
    fn document(mut self) -> Result<Json<'a>, ReadError> {
        let mut open: Vec<Open> = Vec::with_capacity(OPEN_EXPECTED);
        // values of all open containers, innermost last
        let mut values: Vec<u32> = Vec::with_capacity(VALUES_EXPECTED);
        let mut point = OUTSIDE;
        let mut first = self.skip_blanks();
        'value: loop {
            let mut offset = self.at;
            let mut value = match first {
                b'"' => Word::new(Tag::String, self.string(point)?),
                b'-' | b'0'..=b'9' => self.number()?,
                b'[' | b'{' => {
                    let close = first + 2;
                    if open.len() >= DEPTH_MAX {
                        return Err(self.input.too_deep(close == b'}', self.at));
                    }
                    self.at += 1;
                    let around = open.last().map_or((0, 0), |o| (o.blanks, o.blanks_outside));
                    let likely = around.0 + around.0.saturating_sub(around.1);
                    let (next, blanks) = self.count_blanks(likely);
                    if next == close {
                        self.at += 1;
                        if close == b'}' {
                            let start = values.len();
                            self.builder.object(OUTSIDE, &mut values, start)?
                        } else {
                            self.builder.array(&[])?
                        }
                    } else {
                        let start = values.len();
                        let blanks_outside = around.0;
                        open.push(Open { close, blanks, blanks_outside, start, point, offset });
                        first = next;
                        if close == b'}' {
                            let start = self.builder.start(point)?;
                            (point, first) = self.key(next, start)?;
                        }
                        continue 'value;
                    }
                }
                b't' => self.word("true", Word::TRUE)?,
                b'f' => self.word("false", Word::FALSE)?,
                b'n' => self.word("null", Word::NULL)?,
                b'N' => self.word_number("NaN")?,
                b'I' => self.word_number("Infinity")?,
                _ => return Err(self.error("Expecting value")),
            };
            // hand the value to the innermost container, and close what ends here
            loop {
                let Some(container) = open.last() else {
                    self.skip_blanks();
                    if self.at < self.input.bytes().len() {
                        return Err(self.error("Extra data"));
                    }
                    return Ok(self.builder.finish(value));
                };
                values.push(value.0);
                if open.len() == 1
                    && let Some(extents) = &mut self.extents
                {
                    extents.push(offset..self.at);
                } else if container.close == b'}'
                    && let Some(next) = self.likely_members(&mut open, &mut point, &mut values)?
                {
                    first = next;
                    continue 'value;
                }
                let container = open.last().expect("the outermost value is read here");
                let next = self.skip_likely_blanks(container.blanks_outside);
                if next == b',' {
                    self.at += 1;
                    first = self.skip_likely_blanks(container.blanks);
                    if container.close == b'}' {
                        (point, first) = self.key(first, point)?;
                    }
                    continue 'value;
                }
                if next != container.close {
                    return Err(self.error("Expecting ',' delimiter"));
                }
                self.at += 1;
                let start = container.start;
                offset = container.offset;
                value = if container.close == b'}' {
                    if open.len() == 1
                        && let Some(extents) = &mut self.extents
                        && let Some(places) = places_of_repeated(&self.builder.keys(point))
                    {
                        move_to_places(extents, 0, &places);
                    }
                    self.builder.object(point, &mut values, start)?
                } else {
                    self.builder.array(&values[start..])?
                };
                values.truncate(start);
                point = container.point;
                open.pop();
            }
        }
    }

    /// Reads on behind a member of an object for as long as all is at hand and comes as expected:
    /// commas, as many blanks as before, keys that came next before, values, starts and ends of objects
    /// inside of others. Gives the first byte of an unexpected value, whose key was read.
    fn likely_members(
        &mut self,
        open: &mut Vec<Open>,
        point: &mut u32,
        values: &mut Vec<u32>,
    ) -> Result<Option<u8>, ReadError> {
        let bytes = self.input.bytes();
        let builder = &mut self.builder;
        let (mut at, mut here) = (self.at, *point);
        let Some(&Open { mut blanks, mut blanks_outside, .. }) = open.last() else {
            return Ok(None);
        };
        let first = loop {
            if bytes.get(at) != Some(&b',') {
                let Some(end) = likely_next(bytes, at, blanks_outside, b'}') else { break None };
                if open.len() <= OUTER_LEVELS {
                    break None;
                }
                let Some(Open { start, point: around, .. }) = open.pop() else { break None };
                let object = builder.object(here, values, start)?;
                values.truncate(start);
                values.push(object.0);
                (at, here) = (end + 1, around);
                match open.last() {
                    Some(outer) if outer.close == b'}' => {
                        (blanks, blanks_outside) = (outer.blanks, outer.blanks_outside);
                        continue;
                    }
                    _ => break None,
                }
            }
            let Some(quote) = likely_next(bytes, at + 1, blanks, b'"') else { break None };
            let Some(member) = builder.likely_member(here, bytes, quote) else { break None };
            let mut start;
            (here, start) = member;
            while bytes[start] == b'{' {
                let inside = blanks + blanks.saturating_sub(blanks_outside);
                if let Some(outset) = builder.known_start(here)
                    && let Some(quote) = likely_next(bytes, start + 1, inside, b'"')
                    && let Some((next, value)) = builder.likely_member(outset, bytes, quote)
                    && open.len() < DEPTH_MAX
                {
                    (blanks_outside, blanks) = (blanks, inside);
                    open.push(Open {
                        close: b'}',
                        blanks,
                        blanks_outside,
                        start: values.len(),
                        point: here,
                        offset: start,
                    });
                    (here, start) = (next, value);
                } else {
                    break;
                }
            }
            let known = match bytes[start] {
                b'"' => builder
                    .likely_string(here, bytes, start + 1)
                    .map(|(id, end)| (Word::new(Tag::String, id), end + 1)),
                b'0'..=b'9' => small_number(bytes, start),
                b'n' => likely_word(bytes, start, b"null", Word::NULL),
                b't' => likely_word(bytes, start, b"true", Word::TRUE),
                b'f' => likely_word(bytes, start, b"false", Word::FALSE),
                _ => None,
            };
            let Some((value, end)) = known else {
                at = start;
                break Some(bytes[start]);
            };
            values.push(value.0);
            at = end;
        };
        (self.at, *point) = (at, here);
        Ok(first)
    }

    /// Moves past blanks; the byte found there, or 0 at the end. That there are `likely` of them, a
    /// line end and spaces, is found out faster than anything else.
    #[inline(always)]
    fn skip_likely_blanks(&mut self, likely: usize) -> u8 {
        let bytes = self.input.bytes();
        match bytes.get(self.at) {
            Some(byte) if *byte > b' ' => *byte,
            Some(b'\n') => {
                if let Some([b'\n', spaces @ .., next]) = bytes.get(self.at..=self.at + likely)
                    && *next > b' '
                    && are_spaces(spaces)
                {
                    self.at += likely;
                    return *next;
                }
                self.skip_some_blanks()
            }
            _ => self.skip_blanks(),
        }
    }

    /// The same, and how many there were; 0 where they were not all at hand.
    #[inline]
    fn count_blanks(&mut self, likely: usize) -> (u8, usize) {
        let start = self.at;
        let next = self.skip_likely_blanks(likely);
        (next, self.at.saturating_sub(start))
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

    /// A key that follows on a point, its colon and the blanks behind it. `next` is the byte the key
    /// should start with. The point after it, and the first byte of its value.
    #[inline(always)]
    fn key(&mut self, next: u8, point: u32) -> Result<(u32, u8), ReadError> {
        if next != b'"' {
            return Err(self.error("Expecting property name enclosed in double quotes"));
        }
        let bytes = self.input.bytes();
        let point = match self.builder.likely_key(point, bytes, self.at + 1) {
            Some((point, end)) => {
                match bytes.get(end + 1..) {
                    Some([b':', b' ', first, ..]) if *first > b' ' => {
                        self.at = end + 3;
                        return Ok((point, *first));
                    }
                    Some([b':', first, ..]) if *first > b' ' => {
                        self.at = end + 2;
                        return Ok((point, *first));
                    }
                    _ => self.at = end + 1,
                }
                point
            }
            None => {
                let (key, is_plain) = self.unlikely_string()?;
                self.builder.after_key(point, key, is_plain)?
            }
        };
        if self.skip_blanks() != b':' {
            return Err(self.error("Expecting ':' delimiter"));
        }
        self.at += 1;
        Ok((point, self.skip_blanks()))
    }

    /// The place among the texts of a string at a point, from its opening quote on.
    #[inline]
    fn string(&mut self, point: u32) -> Result<u32, ReadError> {
        let bytes = self.input.bytes();
        if let Some((id, end)) = self.builder.likely_string(point, bytes, self.at + 1) {
            self.at = end + 1;
            return Ok(id);
        }
        let (id, is_plain) = self.unlikely_string()?;
        if is_plain {
            self.builder.expect_string(point, id);
        }
        Ok(id)
    }

    /// The place among the texts of any string, and whether it stands there without escapes.
    #[inline(never)]
    fn unlikely_string(&mut self) -> Result<(u32, bool), ReadError> {
        let start = self.at + 1;
        let bytes = self.input.bytes();
        let (end, hash) = hashed_plain_run(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return self.special_string();
        }
        let Some(id) = self.builder.text(&bytes[start..end], hash)? else {
            return Err(self.error("invalid UTF-8"));
        };
        self.at = end + 1;
        Ok((id, true))
    }

    /// A string with escapes or mistakes, or not all at hand.
    #[inline(never)]
    fn special_string(&mut self) -> Result<(u32, bool), ReadError> {
        let mut out = self.builder.buffer(0);
        // what is to follow in `out`; it always has room for one more step
        let (mut step, mut filled) = ([0; STEPS], 0);
        let mut at = self.at + 1;
        let mut is_plain = true;
        loop {
            if filled > STEPS - CHUNK - UTF8_MAX {
                keep(&mut out, &step[..filled]);
                filled = 0;
            }
            let bytes = self.input.bytes();
            let plain = match bytes[at..].first_chunk::<CHUNK>() {
                Some(chunk) => {
                    *step[filled..].first_chunk_mut().expect("room") = *chunk;
                    plain_start(chunk)
                }
                None => {
                    let plain = plain_run(bytes, at) - at;
                    step[filled..filled + plain].copy_from_slice(&bytes[at..at + plain]);
                    plain
                }
            };
            filled += plain;
            at += plain;
            if plain == CHUNK {
                continue;
            }
            let escape = match bytes[at..] {
                [b'"', ..] => break,
                [b'\\', letter @ (b'"' | b'\\'), ..] => Some(letter),
                [b'\\', letter, ..] => plain_escape(letter),
                [b'\\'] | [] => None,
                [..] => return Err(self.input.syntax_error("Invalid control character at", at)),
            };
            let at_hand = bytes.len() - at;
            is_plain &= at_hand == 0;
            if let Some(byte) = escape {
                step[filled] = byte;
                filled += 1;
                at += 2;
            } else if at_hand < ESCAPE_MAX && self.input.more(self.at) {
                (at, self.at) = (at - self.at, 0);
            } else if at_hand == 0 {
                let message = "Unterminated string starting at";
                return Err(self.input.syntax_error(message, self.at));
            } else {
                let (character, length) = self.escape(at)?;
                filled += character.encode_utf8(&mut step[filled..]).len();
                at += length;
            }
        }
        keep(&mut out, &step[..filled]);
        let Some(id) = self.builder.text_in(out)? else {
            return Err(self.error("invalid UTF-8"));
        };
        self.at = at + 1;
        Ok((id, is_plain))
    }

    /// The character an escape stands for, and how long it is.
    fn escape(&self, at: usize) -> Result<(char, usize), ReadError> {
        let Some(letter) = self.input.bytes().get(at + 1) else {
            return Err(self.input.syntax_error("Unterminated string starting at", self.at));
        };
        match plain_escape(*letter) {
            Some(byte) => Ok((char::from(byte), 2)),
            None if *letter == b'u' => self.unicode_escape(at),
            None => Err(self.input.syntax_error("Invalid \\escape", at)),
        }
    }

    /// A `\uXXXX` escape, or two that make a surrogate pair.
    fn unicode_escape(&self, start: usize) -> Result<(char, usize), ReadError> {
        let mut code = self.hex_digits(start + 1)?;
        let mut length = 6;
        let second = self.input.bytes().get(start + 6..start + 8);
        if (0xd800..0xdc00).contains(&code) && second == Some(b"\\u") {
            let low = self.hex_digits(start + 7)?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                length = 12;
            }
        }
        let lone = || self.input.syntax_error("Lone surrogate in string", start);
        Ok((char::from_u32(code).ok_or_else(lone)?, length))
    }

    /// The four hexadecimal digits behind the `u` at `letter`.
    fn hex_digits(&self, letter: usize) -> Result<u32, ReadError> {
        let digits = self.input.bytes().get(letter + 1..letter + 5).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(value) => code = code * 16 + value,
                None => return Err(self.input.syntax_error("Invalid \\uXXXX escape", letter)),
            }
        }
        if digits.len() < 4 {
            return Err(self.input.syntax_error("Invalid \\uXXXX escape", letter));
        }
        Ok(code)
    }

    /// A number, or `-Infinity`.
    #[inline]
    fn number(&mut self) -> Result<Word, ReadError> {
        if let Some((value, end)) = small_number(self.input.bytes(), self.at) {
            self.at = end;
            return Ok(value);
        }
        self.long_number()
    }

    /// A number of any form. Like Python's, the reader takes the longest prefix that is one.
    #[cold]
    fn long_number(&mut self) -> Result<Word, ReadError> {
        // what follows the number must be at hand
        while self.input.bytes()[self.at..].iter().all(is_part_of_number)
            && self.input.more(self.at)
        {
            self.at = 0;
        }
        let bytes = self.input.bytes();
        let start = self.at;
        let digits_end =
            |start| start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let negative = bytes[start] == b'-';
        let first = start + usize::from(negative);
        let mut at = match bytes.get(first) {
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => digits_end(first),
            Some(b'I') if negative => return self.word_number("-Infinity"),
            _ => return Err(self.error("Expecting value")),
        };
        let digits = at - first;
        let mut is_integer = true;
        if bytes.get(at) == Some(&b'.') {
            let end = digits_end(at + 1);
            if end > at + 1 {
                (at, is_integer) = (end, false);
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
            let first = at + 1 + usize::from(sign);
            let end = digits_end(first.min(bytes.len()));
            if end > first {
                (at, is_integer) = (end, false);
            }
        }
        if is_integer && digits > INTEGER_DIGITS_MAX {
            return Err(ReadError { class: "ValueError", message: too_many_digits(digits) });
        }
        let text = &bytes[start..at];
        self.at = at;
        if is_integer && !negative && digits <= SMALL_DIGITS_MAX {
            let add = |value, digit: &u8| value * 10 + u32::from(digit - b'0');
            return Ok(Word::new(Tag::Int, text.iter().fold(0, add)));
        }
        let id = self.builder.text(text, hash_bytes(text))?.expect("a number is ASCII");
        Ok(Word::new(Tag::Number, id))
    }

    fn word(&mut self, word: &str, value: Word) -> Result<Word, ReadError> {
        while self.input.bytes().len() - self.at < word.len() && self.input.more(self.at) {
            self.at = 0;
        }
        if !self.input.bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("Expecting value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn word_number(&mut self, word: &str) -> Result<Word, ReadError> {
        self.word(word, Word::NULL)?;
        let word = word.as_bytes();
        let id = self.builder.text(word, hash_bytes(word))?.expect("a word is ASCII");
        Ok(Word::new(Tag::Number, id))
    }

    #[cold]
    fn error(&self, message: &str) -> ReadError {
        self.input.syntax_error(message, self.at)
    }
}

/// The place behind so many blanks, a line end and spaces or at most one space, if this byte is there.
#[inline(always)]
fn likely_next(bytes: &[u8], start: usize, blanks: usize, next: u8) -> Option<usize> {
    let end = start + blanks;
    if bytes.get(end) != Some(&next) {
        return None;
    }
    match &bytes[start..end] {
        [] | [b' '] => Some(end),
        [b'\n', spaces @ ..] if are_spaces(spaces) => Some(end),
        _ => None,
    }
}

/// A word, if it starts at a place, and its end.
#[inline(always)]
fn likely_word<const N: usize>(
    bytes: &[u8],
    start: usize,
    word: &[u8; N],
    value: Word,
) -> Option<(Word, usize)> {
    (bytes.get(start..)?.first_chunk() == Some(word)).then_some((value, start + N))
}

/// An integer of few digits, if one starts at a place and its end is at hand, and where it ends.
#[inline(always)]
fn small_number(bytes: &[u8], start: usize) -> Option<(Word, usize)> {
    let mut at = start;
    let mut value = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(at)
        && at - start < SMALL_DIGITS_MAX
    {
        value = value * 10 + u32::from(digit - b'0');
        at += 1;
    }
    let is_small = match bytes.get(at)? {
        b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' => false,
        _ => bytes[start] != b'0' || at == start + 1,
    };
    is_small.then(|| (Word::new(Tag::Int, value), at))
}

/// Whether all bytes are spaces.
#[inline(always)]
fn are_spaces(bytes: &[u8]) -> bool {
    const SPACES: [u8; 16] = [b' '; 16];
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        *first == SPACES
            && *last == SPACES
            && (bytes.len() <= 32 || bytes[16..].as_chunks().0.iter().all(|part| *part == SPACES))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        [*first, *last] == [[b' '; 8]; 2]
    } else {
        bytes.iter().all(|byte| *byte == b' ')
    }
}

/// The first place from `start` on without a space. An indented document is mostly runs of spaces.
#[inline(always)]
fn spaces_end(bytes: &[u8], start: usize) -> usize {
    const SPACES: u128 = u128::from_le_bytes([b' '; 16]);
    let mut at = start;
    while bytes.get(at..).and_then(|rest| rest.first_chunk()) == Some(&[b' '; 32]) {
        at += 32;
    }
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let others = u128::from_le_bytes(*chunk) ^ SPACES;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 16;
    }
    at
}

/// Marks the lowest byte of a word that is a quote, a backslash or a control character. Bytes above it
/// may be marked, too.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (below(word, 0x20) | quote | backslash) & HIGH
}

/// The first place from `start` on that holds a quote, a backslash or a control character, or the end.
#[inline]
fn plain_run(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// The same, with the hash of what is in front of it.
#[inline(always)]
fn hashed_plain_run(bytes: &[u8], start: usize) -> (usize, u32) {
    let mut hash = ByteHash::default();
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        let found = special_bytes(word);
        if found != 0 {
            // the lowest mark is the highest bit of its byte
            let before = (found & found.wrapping_neg()) >> 7;
            let end = at + (found.trailing_zeros() / 8) as usize;
            return (end, hash.finish(word & (before - 1), end - start));
        }
        hash.add(word);
        at += 8;
    }
    let end = plain_run(bytes, at);
    (end, hash_bytes(&bytes[start..end]))
}

/// The byte that a backslash and this letter stand for, if they are a whole escape.
#[inline(always)]
fn plain_escape(letter: u8) -> Option<u8> {
    match letter {
        b'"' | b'\\' | b'/' => Some(letter),
        b'b' => Some(0x8),
        b'f' => Some(0xc),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        _ => None,
    }
}

/// Puts bytes behind others. What becomes long is rarely moved, as it gets room for much more.
fn keep(out: &mut BumpVec<'_, u8>, bytes: &[u8]) {
    if out.capacity() - out.len() < bytes.len() {
        out.reserve(bytes.len().max(3 * out.len()));
    }
    out.extend_from_slice_copy(bytes);
}

fn is_part_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || b"+-.eEIinfty".contains(byte)
}

/// What Python says about an integer whose text is too long to convert.
pub fn too_many_digits(digits: usize) -> String {
    format!(
        "Exceeds the limit ({INTEGER_DIGITS_MAX} digits) for integer string conversion: value has \
         {digits} digits; use sys.set_int_max_str_digits() to increase the limit"
    )
}

#[cfg(test)]
mod tests;
