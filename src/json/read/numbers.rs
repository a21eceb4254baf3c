//! Numbers that are not small integers, and the words that stand for values.

use std::ops::Range;

use super::super::tree::{Tag, Word};
use super::{Input, ReadError, Reader};
use crate::base::id_table::hash_bytes;

/// Integers of up to so many digits are kept by value.
const SMALL_DIGITS_MAX: usize = 8;

/// Longest integer Python converts from text.
const INTEGER_DIGITS_MAX: usize = 4_300;

/// Whether the text of a number is an integer (no fraction, no exponent, not `NaN` or `Infinity`).
pub fn is_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What Python says about an integer whose text is too long to convert.
pub fn too_many_digits(digits: usize) -> String {
    format!(
        "Exceeds the limit ({INTEGER_DIGITS_MAX} digits) for integer string conversion: value has \
         {digits} digits; use sys.set_int_max_str_digits() to increase the limit"
    )
}

impl<I: Input> Reader<'_, '_, I> {
    /// A number of any form, or `-Infinity`. Like Python's, the reader takes the longest prefix that is one.
    #[cold]
    pub(super) fn number(&mut self) -> Result<Word, ReadError> {
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
        self.number_text(start..at)
    }

    pub(super) fn word(&mut self, word: &str, value: Word) -> Result<Word, ReadError> {
        while self.input.bytes().len() - self.at < word.len() && self.input.more(self.at) {
            self.at = 0;
        }
        if !self.input.bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("Expecting value"));
        }
        self.at += word.len();
        Ok(value)
    }

    pub(super) fn word_number(&mut self, word: &str) -> Result<Word, ReadError> {
        self.word(word, Word::NULL)?;
        self.number_text(self.at - word.len()..self.at)
    }

    /// What stands among the bytes, as the text of a number.
    fn number_text(&mut self, bytes: Range<usize>) -> Result<Word, ReadError> {
        let text = &self.input.bytes()[bytes.clone()];
        let hash = hash_bytes(text);
        let id = match self.builder.find_text(text, hash) {
            Some(id) => id,
            None => self.new_text(bytes, hash)?,
        };
        Ok(Word::new(Tag::Number, id))
    }
}

fn is_part_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || b"+-.eEIinfty".contains(byte)
}
