//! JSON text -> [`Json`] tree in an arena. Strings without escapes and all numbers borrow from the
//! text, so an integer of any size stays exact and every value knows where it stood.
//!
//! The dialect is that of Python's `json` module, error texts included: `NaN`, `Infinity` and
//! `-Infinity` are numbers, and a key given twice keeps its first place and its last value. One
//! thing is refused that Python takes: an escaped lone surrogate, which UTF-8 cannot express.
//! Reading uses no recursion; nesting beyond [`DEPTH_MAX`] is an error, so whoever walks the tree
//! afterwards may recurse.

use std::fmt;

use crate::base::arena::Arena;
use crate::base::ordered::LookupMap;

/// How deep arrays and objects may nest. The reference gives up at about 1,500 levels.
pub const DEPTH_MAX: usize = 4_000;

/// Longest integer Python converts from text.
const INTEGER_DIGITS_MAX: usize = 4_300;

/// Objects up to this many fields are searched for duplicate keys by comparing all pairs.
const PAIRWISE_FIELDS_MAX: usize = 24;

/// A value and where it starts in the text.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    /// The value.
    pub kind: Kind<'a>,
    /// Byte offset of its first character.
    pub offset: u32,
}

/// The kinds of value.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The exact text of a number; see [`is_integer`].
    Number(&'a str),
    /// A string with its escapes resolved.
    String(&'a str),
    /// The items in order.
    Array(&'a [Json<'a>]),
    /// The members in order; keys are unique.
    Object(&'a [(&'a str, Json<'a>)]),
}

impl<'a> Json<'a> {
    /// The member of an object with this name. The last member is looked at first, because that is
    /// where the front ends put `_type`.
    pub fn get(&self, key: &str) -> Option<&'a Json<'a>> {
        let Kind::Object(fields) = self.kind else { return None };
        let (last, rest) = fields.split_last()?;
        if last.0 == key {
            return Some(&last.1);
        }
        rest.iter().find(|field| field.0 == key).map(|field| &field.1)
    }
    /// The text of a string.
    pub fn as_str(&self) -> Option<&'a str> {
        match self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }
    /// The items of an array.
    pub fn as_array(&self) -> Option<&'a [Json<'a>]> {
        match self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }
    /// The members of an object.
    pub fn as_object(&self) -> Option<&'a [(&'a str, Json<'a>)]> {
        match self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }
    /// The exact text of a number.
    pub fn as_number(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Number(text) => Some(text),
            _ => None,
        }
    }
    /// The value of `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }
    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }
}

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

/// Reads one document.
pub fn read<'a>(text: &'a str, arena: &'a Arena) -> Result<Json<'a>, ReadError> {
    if text.starts_with('\u{feff}') {
        return Err(syntax(text, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    if u32::try_from(text.len()).is_err() {
        let message = "the document is larger than 4 GiB".to_owned();
        return Err(ReadError { class: "MemoryError", message });
    }
    Reader { text, bytes: text.as_bytes(), at: 0, arena }.document()
}

/// A syntax error with its place, as Python words it.
fn syntax(text: &str, message: &str, offset: usize) -> ReadError {
    let (line, column, index) = position(text, offset);
    let message = format!("{message}: line {line} column {column} (char {index})");
    ReadError { class: "JSONDecodeError", message }
}

/// An array or object that is being read.
struct Open<'a> {
    is_object: bool,
    /// Where its items start in the shared vector of items or fields.
    start: usize,
    offset: u32,
    /// The key this container will be stored under in its parent.
    key: &'a str,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    arena: &'a Arena,
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Json<'a>, ReadError> {
        let mut open: Vec<Open<'a>> = Vec::new();
        // items and fields of all open containers, innermost last
        let mut items: Vec<Json<'a>> = Vec::new();
        let mut fields: Vec<(&'a str, Json<'a>)> = Vec::new();
        let mut key = "";
        'value: loop {
            let first = self.skip_blanks();
            let offset = self.at as u32;
            let kind = match first {
                b'"' => Kind::String(self.string()?),
                b'-' | b'0'..=b'9' => self.number()?,
                b'[' | b'{' => {
                    let is_object = first == b'{';
                    if open.len() >= DEPTH_MAX {
                        return Err(self.too_deep(is_object));
                    }
                    self.at += 1;
                    let next = self.skip_blanks();
                    if next == if is_object { b'}' } else { b']' } {
                        self.at += 1;
                        if is_object { Kind::Object(&[]) } else { Kind::Array(&[]) }
                    } else {
                        let start = if is_object { fields.len() } else { items.len() };
                        open.push(Open { is_object, start, offset, key });
                        if is_object {
                            key = self.key(next)?;
                        }
                        continue 'value;
                    }
                }
                b't' => self.word("true", Kind::Bool(true))?,
                b'f' => self.word("false", Kind::Bool(false))?,
                b'n' => self.word("null", Kind::Null)?,
                b'N' => self.word("NaN", Kind::Number("NaN"))?,
                b'I' => self.word("Infinity", Kind::Number("Infinity"))?,
                _ => return Err(self.error("Expecting value")),
            };
            let mut value = Json { kind, offset };
            // hand the value to the innermost container, and close what ends here
            loop {
                let Some(container) = open.last() else {
                    self.skip_blanks();
                    if self.at < self.bytes.len() {
                        return Err(self.error("Extra data"));
                    }
                    return Ok(value);
                };
                let is_object = container.is_object;
                if is_object {
                    fields.push((key, value));
                } else {
                    items.push(value);
                }
                match (self.skip_blanks(), is_object) {
                    (b',', true) => {
                        self.at += 1;
                        let next = self.skip_blanks();
                        key = self.key(next)?;
                        continue 'value;
                    }
                    (b',', false) => {
                        self.at += 1;
                        continue 'value;
                    }
                    (b'}', true) | (b']', false) => self.at += 1,
                    _ => return Err(self.error("Expecting ',' delimiter")),
                }
                let start = container.start;
                let kind = if is_object {
                    drop_duplicates(&mut fields, start);
                    let all = self.arena.slice(&fields[start..]);
                    fields.truncate(start);
                    Kind::Object(all)
                } else {
                    let all = self.arena.slice(&items[start..]);
                    items.truncate(start);
                    Kind::Array(all)
                };
                value = Json { kind, offset: container.offset };
                key = container.key;
                open.pop();
            }
        }
    }

    /// Moves past blanks; the byte found there, or 0 at the end.
    fn skip_blanks(&mut self) -> u8 {
        const EIGHT: [u8; 8] = *b"        ";
        let mut at = self.at;
        loop {
            match self.bytes.get(at) {
                Some(b'\n') => {
                    at += 1;
                    // an indented document is mostly runs of spaces
                    while self.bytes.get(at..at + 8).is_some_and(|run| run == EIGHT) {
                        at += 8;
                    }
                }
                Some(b' ' | b'\t' | b'\r') => at += 1,
                Some(byte) => {
                    self.at = at;
                    return *byte;
                }
                None => {
                    self.at = at;
                    return 0;
                }
            }
        }
    }

    /// A key and its colon; `next` is the byte the key should start with.
    fn key(&mut self, next: u8) -> Result<&'a str, ReadError> {
        if next != b'"' {
            return Err(self.error("Expecting property name enclosed in double quotes"));
        }
        let key = self.string()?;
        if self.skip_blanks() != b':' {
            return Err(self.error("Expecting ':' delimiter"));
        }
        self.at += 1;
        Ok(key)
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Result<&'a str, ReadError> {
        let quote = self.at;
        let start = quote + 1;
        let end = self.plain_run(start);
        self.at = end;
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(&self.text[start..end]);
        }
        self.escaped_string(quote)
    }

    /// The first offset from `start` on that holds a quote, a backslash or a control character, or
    /// the end.
    fn plain_run(&self, start: usize) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let mut at = start;
        while let Some(chunk) = self.bytes.get(at..at + 8) {
            let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes were taken"));
            let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
            let quote = zero_bytes(word ^ (ONES * u64::from(b'"')));
            let backslash = zero_bytes(word ^ (ONES * u64::from(b'\\')));
            let found = control | quote | backslash;
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        while self.bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            at += 1;
        }
        at
    }

    /// The rest of a string that is not plain, into the arena.
    #[cold]
    fn escaped_string(&mut self, quote: usize) -> Result<&'a str, ReadError> {
        let bump = self.arena.bump();
        let mut out =
            bumpalo::collections::String::from_str_in(&self.text[quote + 1..self.at], bump);
        loop {
            match self.bytes.get(self.at) {
                None => return Err(self.unterminated(quote)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into_bump_str());
                }
                Some(b'\\') => out.push(self.escape(quote)?),
                Some(0..0x20) => return Err(self.error("Invalid control character at")),
                Some(_) => {
                    let start = self.at;
                    self.at = self.plain_run(start);
                    out.push_str(&self.text[start..self.at]);
                }
            }
        }
    }

    /// One escape, from its backslash on.
    fn escape(&mut self, quote: usize) -> Result<char, ReadError> {
        let Some(letter) = self.bytes.get(self.at + 1) else {
            return Err(self.unterminated(quote));
        };
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(*letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("Invalid \\escape")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// A `\uXXXX` escape, or two that make a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, ReadError> {
        let start = self.at;
        let mut code = self.hex_digits(start + 1)?;
        self.at += 6;
        if (0xd800..0xdc00).contains(&code) && self.bytes.get(start + 6..start + 8) == Some(b"\\u")
        {
            let low = self.hex_digits(start + 7)?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                self.at += 6;
            }
        }
        char::from_u32(code).ok_or_else(|| syntax(self.text, "Lone surrogate in string", start))
    }

    /// The four hexadecimal digits behind the `u` at `letter`.
    fn hex_digits(&self, letter: usize) -> Result<u32, ReadError> {
        let digits = self.bytes.get(letter + 1..letter + 5).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(value) => code = code * 16 + value,
                None => return Err(syntax(self.text, "Invalid \\uXXXX escape", letter)),
            }
        }
        if digits.len() < 4 {
            return Err(syntax(self.text, "Invalid \\uXXXX escape", letter));
        }
        Ok(code)
    }

    /// A number, or `-Infinity`. Like Python's, the reader takes the longest prefix that is one.
    fn number(&mut self) -> Result<Kind<'a>, ReadError> {
        let start = self.at;
        let negative = self.bytes[start] == b'-';
        let mut at = start + usize::from(negative);
        match self.bytes.get(at) {
            Some(b'0') => at += 1,
            Some(b'1'..=b'9') => at = self.digits_end(at),
            Some(b'I') if negative => return self.word("-Infinity", Kind::Number("-Infinity")),
            _ => return Err(self.error("Expecting value")),
        }
        let digits = at - start - usize::from(negative);
        let mut is_integer = true;
        if self.bytes.get(at) == Some(&b'.') {
            let end = self.digits_end(at + 1);
            if end > at + 1 {
                (at, is_integer) = (end, false);
            }
        }
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            let sign = matches!(self.bytes.get(at + 1), Some(b'+' | b'-'));
            let first = at + 1 + usize::from(sign);
            let end = self.digits_end(first);
            if end > first {
                (at, is_integer) = (end, false);
            }
        }
        if is_integer && digits > INTEGER_DIGITS_MAX {
            return Err(ReadError { class: "ValueError", message: too_many_digits(digits) });
        }
        self.at = at;
        Ok(Kind::Number(&self.text[start..at]))
    }

    fn digits_end(&self, start: usize) -> usize {
        let digits = self.bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit());
        start + digits.count()
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Result<Kind<'a>, ReadError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("Expecting value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn error(&self, message: &str) -> ReadError {
        syntax(self.text, message, self.at)
    }

    fn unterminated(&self, quote: usize) -> ReadError {
        syntax(self.text, "Unterminated string starting at", quote)
    }

    fn too_deep(&self, is_object: bool) -> ReadError {
        let (line, column, index) = position(self.text, self.at);
        let what = if is_object { "object" } else { "array" };
        let message = format!(
            "maximum recursion depth exceeded while decoding a JSON {what} from a unicode string: \
             more than {DEPTH_MAX} levels at line {line} column {column} (char {index})"
        );
        ReadError { class: "RecursionError", message }
    }
}

/// What Python says about an integer whose text is too long to convert.
pub fn too_many_digits(digits: usize) -> String {
    format!(
        "Exceeds the limit ({INTEGER_DIGITS_MAX} digits) for integer string conversion: value has \
         {digits} digits; use sys.set_int_max_str_digits() to increase the limit"
    )
}

/// Among the fields from `start` on, gives the last value of a repeated key to its first place.
fn drop_duplicates<'a>(fields: &mut Vec<(&'a str, Json<'a>)>, start: usize) {
    let object = &fields[start..];
    if object.len() <= PAIRWISE_FIELDS_MAX {
        let repeated = |at: usize| object[..at].iter().any(|field| field.0 == object[at].0);
        if !(1..object.len()).any(repeated) {
            return;
        }
    }
    let mut places: LookupMap<&'a str, usize> = LookupMap::new();
    let mut kept = start;
    for at in start..fields.len() {
        let (key, value) = fields[at];
        let place = *places.get_or_insert_with(key, || kept);
        if place == kept {
            fields[kept] = (key, value);
            kept += 1;
        } else {
            fields[place].1 = value;
        }
    }
    fields.truncate(kept);
}

const _: () = assert!(size_of::<Json>() == 32);

#[cfg(test)]
mod tests;
