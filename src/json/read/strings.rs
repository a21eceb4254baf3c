//! Strings that are not those expected: their ends, their escapes, and what is wrong with them.

use std::ops::Range;

use bumpalo::collections::Vec as BumpVec;

use super::super::chunk::{CHUNK, plain_start};
use super::super::vocabulary::LONG;
use super::scan::{hashed_plain_run, plain_run};
use super::{Input, ReadError, Reader};

/// So many bytes of a string with escapes are put together before they are kept.
const STEPS: usize = 512;

/// Bytes of the longest character.
const UTF8_MAX: usize = 4;

/// Bytes of the longest escape, a surrogate pair.
const ESCAPE_MAX: usize = 12;

impl<I: Input> Reader<'_, '_, I> {
    /// The place among the texts of a string, from its opening quote on.
    #[inline(never)]
    pub(super) fn string(&mut self) -> Result<u32, ReadError> {
        let start = self.at + 1;
        let bytes = self.input.bytes();
        let (end, hash) = hashed_plain_run(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return self.special_string();
        }
        let is_short = end - start < LONG;
        let known = match bytes.get(start..).and_then(|bytes| bytes.first_chunk()) {
            Some(bytes) if is_short => self.builder.find_short_text(bytes, hash),
            _ => self.builder.find_text(&bytes[start..end], hash),
        };
        let id = match known {
            Some(id) => id,
            None => self.new_text(start..end, hash)?,
        };
        self.at = end + 1;
        Ok(id)
    }

    /// The place among the texts of plain bytes that are none of those known.
    #[inline(never)]
    pub(super) fn new_text(&mut self, bytes: Range<usize>, hash: u32) -> Result<u32, ReadError> {
        match self.input.text(bytes) {
            Some(text) => self.builder.new_text(text, hash),
            None => Err(self.error("invalid UTF-8")),
        }
    }

    /// A string with escapes or mistakes, or not all at hand.
    #[inline(never)]
    fn special_string(&mut self) -> Result<u32, ReadError> {
        let mut out = self.builder.buffer(0);
        // what is to follow in `out`; it always has room for one more step
        let (mut step, mut filled) = ([0; STEPS], 0);
        let mut at = self.at + 1;
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
        Ok(id)
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
