//! JSON text, byte for byte as Python's `json.dumps` lays it out (ASCII only): written part by part with
//! a [`Writer`], or from a [`Value`].

use std::fmt::Write;

use super::value::Value;
use crate::base::encode::push_base64;
use crate::base::text::push_decimal;

/// Where blanks and line ends go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// On one line, `", "` and `": "` between the parts: Python's default.
    Line,
    /// On one line without any blank.
    Dense,
    /// One item a line, each level this many spaces further in; no newline at the end.
    Indent(usize),
}

/// Renders a value.
pub fn write(value: &Value<'_>, layout: Layout) -> String {
    let mut writer = Writer::new(layout, String::new());
    writer.value(value);
    writer.finish()
}

/// Writes one value part by part; the caller keeps brackets, keys and values in their order.
pub struct Writer {
    out: String,
    layout: Layout,
    depth: usize,
    /// Nothing stands in the innermost brackets yet.
    is_empty: bool,
}

impl Writer {
    /// A writer that appends to `out`.
    pub fn new(layout: Layout, out: String) -> Self {
        Self { out, layout, depth: 0, is_empty: true }
    }
    /// The text written.
    pub fn finish(self) -> String {
        self.out
    }
    /// Opens an object or an array.
    pub fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.is_empty = true;
    }
    /// Closes the innermost object or array.
    pub fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if !self.is_empty
            && let Layout::Indent(width) = self.layout
        {
            new_line(&mut self.out, width * self.depth);
        }
        self.out.push(bracket);
        self.is_empty = false;
    }
    /// Starts the next item of an array, or whatever stands before the key of a member.
    pub fn item(&mut self) {
        if !self.is_empty {
            self.out.push(',');
        }
        match self.layout {
            Layout::Indent(width) => new_line(&mut self.out, width * self.depth),
            Layout::Line if !self.is_empty => self.out.push(' '),
            Layout::Line | Layout::Dense => {}
        }
        self.is_empty = false;
    }
    /// Starts the next member of an object.
    pub fn key(&mut self, key: &str) {
        self.item();
        write_string(&mut self.out, key);
        self.colon();
    }
    /// Starts the next member of an object, whose key has nothing to escape.
    pub fn name(&mut self, name: &'static str) {
        self.item();
        self.plain(name);
        self.colon();
    }
    /// Starts the next member of an object that has a number for key.
    pub fn number_key(&mut self, key: u64) {
        self.item();
        self.out.push('"');
        push_decimal(&mut self.out, key);
        self.out.push('"');
        self.colon();
    }
    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        push_decimal(&mut self.out, number);
    }
    /// Writes a truth value.
    pub fn bool(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }
    /// Writes `null`.
    pub fn null(&mut self) {
        self.out.push_str("null");
    }
    /// Writes an object without members.
    pub fn empty_object(&mut self) {
        self.out.push_str("{}");
        self.is_empty = false;
    }
    /// Writes a string without anything to escape.
    pub fn plain(&mut self, text: &str) {
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
    }
    /// Writes bytes in base64.
    pub fn base64(&mut self, bytes: &[u8]) {
        self.out.push('"');
        push_base64(&mut self.out, bytes);
        self.out.push('"');
    }
    /// Writes a value that is JSON in this layout already.
    pub fn json(&mut self, text: &str) {
        self.out.push_str(text);
    }
    /// Writes a string.
    pub fn string(&mut self, text: &str) {
        write_string(&mut self.out, text);
    }
    /// Writes an array of strings.
    pub fn strings<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.open('[');
        for text in texts {
            self.item();
            self.string(text);
        }
        self.close(']');
    }
    /// Writes a whole value.
    pub fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Number(text) => self.out.push_str(text),
            Value::String(text) => self.string(text),
            Value::Base64(bytes) => self.base64(bytes),
            Value::Array(items) => {
                self.open('[');
                for item in items {
                    self.item();
                    self.value(item);
                }
                self.close(']');
            }
            Value::Object(fields) => {
                self.open('{');
                for (key, item) in fields {
                    self.key(key);
                    self.value(item);
                }
                self.close('}');
            }
        }
    }
    fn colon(&mut self) {
        self.out.push_str(if self.layout == Layout::Dense { ":" } else { ": " });
    }
}

/// Starts a line this many spaces further in.
fn new_line(out: &mut String, indent: usize) {
    const BLANKS: &str = "\n                              ";
    // mostly the line end is a piece of this text
    match BLANKS.get(..1 + indent) {
        Some(whole) => out.push_str(whole),
        None => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        }
    }
}

/// The highest bit of the first byte of a word that does not stand for itself in a string, and perhaps
/// of bytes behind it; nothing where all do.
#[inline]
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // below zero only where the bytes are equal
    const fn equal(word: u64, byte: u8) -> u64 {
        (word ^ (ONES * byte as u64)).wrapping_sub(ONES)
    }
    let below = !word.wrapping_add(ONES * (0x80 - b' ' as u64));
    let above = word | word.wrapping_add(ONES * (0x7f - b'~' as u64));
    (below | above | equal(word, b'"') | equal(word, b'\\')) & (ONES * 0x80)
}

/// How many bytes of `bytes` stand for themselves, from its start on. Few strings have anything to
/// escape: so many bytes are looked at at once, without a branch for each.
fn plain_prefix(bytes: &[u8]) -> usize {
    const WIDTH: usize = size_of::<u64>();
    let (words, rest) = bytes.as_chunks::<WIDTH>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return WIDTH * index + special.trailing_zeros() as usize / 8;
        }
    }
    let start = bytes.len() - rest.len();
    let word = match bytes.last_chunk::<WIDTH>() {
        // without those that were looked at
        Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (8 * (WIDTH - rest.len())),
        Some(_) => return start,
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    // bytes that are not there are special
    start + special_bytes(word).trailing_zeros() as usize / 8
}

/// Appends a quoted string; everything outside printable ASCII is escaped.
pub fn write_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let plain = plain_prefix(text.as_bytes());
    if plain == text.len() {
        out.push_str(text);
    } else {
        write_escaped(out, text, plain);
    }
    out.push('"');
}

/// Appends what stands between quotes, of which so many bytes at the start stand for themselves.
fn write_escaped(out: &mut String, text: &str, mut plain: usize) {
    let mut rest = text;
    loop {
        let (start, special) = rest.split_at(plain);
        out.push_str(start);
        let mut characters = special.chars();
        let Some(character) = characters.next() else { break };
        rest = characters.as_str();
        plain = plain_prefix(rest.as_bytes());
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a string takes every text");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_equal_pythons() {
        let value = Value::object([
            ("a", Value::array([1u32, 2])),
            ("b", Value::object([("c", Value::Null)])),
            ("d", Value::Array(vec![])),
            ("e", Value::Object(vec![])),
        ]);
        assert_eq!(
            write(&value, Layout::Line),
            r#"{"a": [1, 2], "b": {"c": null}, "d": [], "e": {}}"#
        );
        assert_eq!(write(&value, Layout::Dense), r#"{"a":[1,2],"b":{"c":null},"d":[],"e":{}}"#);
        assert_eq!(
            write(&value, Layout::Indent(2)),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {\n    \"c\": null\n  },\n  \"d\": [],\n  \"e\": {}\n}"
        );
    }

    #[test]
    fn a_byte_to_escape_is_found_wherever_it_stands() {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        for length in 0..40 {
            let plain = "a".repeat(length).into_bytes();
            assert_eq!(plain_prefix(&plain), length);
            for (place, byte) in (0..length).flat_map(|place| (0..=255).map(move |b| (place, b))) {
                let mut text = plain.clone();
                text[place] = byte;
                let expected = if is_plain(byte) { length } else { place };
                assert_eq!(plain_prefix(&text), expected, "{byte} at {place}");
                // also where more of them follow
                text[place..].fill(byte);
                assert_eq!(plain_prefix(&text), expected, "{byte} from {place} on");
            }
        }
    }

    #[test]
    fn everything_but_printable_ascii_is_escaped() {
        let text = "a\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}é😀";
        assert_eq!(
            write(&Value::from(text), Layout::Line),
            r#""a\"\\/\n\r\t\b\f\u0001\u007f\u00e9\ud83d\ude00""#
        );
    }
}
