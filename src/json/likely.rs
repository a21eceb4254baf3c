//! What is likely to come next in a document -> whether it does. Keys and strings are compared with those
//! that stood in the same place lately, and blanks with as many as there were before, so that what is
//! usual is read without looking at single bytes. Nothing here is a mistake: whatever is not as expected
//! is left to whoever reads it byte by byte.

use super::build::Builder;
use super::chunk::{CHUNK, is_same, spaces};
use super::open::{BLANKS_MAX, Stack};
use super::read::{DEPTH_MAX, ReadError};
use super::rows::EMPTY_SHAPE;
use super::tree::{Tag, Word};
use super::vocabulary::{LONG, NO_TEXT};

/// So many bytes hold a byte, blanks, and a short key with what is around it.
const LINE: usize = 1 + BLANKS_MAX as usize + 1 + LONG + 2;

/// What comes next in a document.
pub(super) enum Next {
    /// A value, or blanks in front of it.
    Value,
    /// A key, behind one byte and blanks. This member is likely.
    Key(u32),
    /// What is behind a value that was read.
    Behind(Word),
}

impl Builder<'_> {
    /// Reads on from a place, in front of a key if a member is given that is likely, or else of a value, for
    /// as long as all is as expected: values, which are no strings with escapes, without blanks in front
    /// of them; keys that go on with a known row, with as many blanks as before in front of them and at
    /// most one space behind their colon; and ends of containers. Gives what comes next then, and where.
    #[inline(never)]
    pub(super) fn likely(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        mut key: Option<u32>,
        stack: &mut Stack,
    ) -> Result<(Next, usize), ReadError> {
        let stop = 'next: loop {
            if let Some(expected) = key {
                let stop = (Next::Key(expected), at);
                let Some(line) = window::<LINE>(bytes, at) else { break stop };
                let blanks = usize::from(stack.top.blanks);
                if stack.top.blanks > BLANKS_MAX
                    || line[1 + blanks] != b'"'
                    || !are_blanks(line, 1, blanks)
                {
                    break stop;
                }
                let text = part(line, 2 + blanks);
                let likely = self.starts.at(self.rows.key(expected));
                if likely.is_at(text) {
                    let colon = 1 + blanks + likely.short_length() + 2;
                    match value_behind(part(line, colon), at + colon) {
                        Some(value) => at = value,
                        None => break stop,
                    }
                    stack.top.place.member = expected;
                } else {
                    match self.other_key(bytes, at + 1 + blanks, expected, stack)? {
                        Some(value) => at = value,
                        None => break stop,
                    }
                }
            }
            let Some(value) = window::<5>(bytes, at) else { break (Next::Value, at) };
            let likely = match value[0] {
                b'0'..=b'9' => likely_number(value)
                    .map(|(number, length)| (Word::new(Tag::Int, number), at + length)),
                b'"' => {
                    let member = stack.top.place.member;
                    let string = match self.likely_string(member, bytes, at) {
                        None => self.other_string(member, bytes, at)?,
                        likely => likely,
                    };
                    string.map(|(id, end)| (Word::new(Tag::String, id), end))
                }
                b'{' if value[1] == b'}' => Some((self.object(EMPTY_SHAPE, &[])?, at + 2)),
                b'[' if value[1] == b']' => Some((Self::NO_ITEMS, at + 2)),
                b'{' if (1..DEPTH_MAX).contains(&stack.open.len()) => {
                    stack.start(b'}')?;
                    key = Some(self.first_member(stack.top.place.member));
                    continue;
                }
                b'[' if (1..DEPTH_MAX).contains(&stack.open.len())
                    && is_item_behind(bytes, at, stack.top.blanks_inside()) =>
                {
                    stack.start(b']')?;
                    at += 1 + usize::from(stack.top.blanks);
                    key = None;
                    continue;
                }
                _ => likely_word(value).map(|(word, length)| (word, at + length)),
            };
            let Some((mut word, mut end)) = likely else { break (Next::Value, at) };
            // hand the value to the innermost container, and close what ends here
            loop {
                let close = stack.top.close;
                if bytes.get(end) == Some(&b',') {
                    if close == b'}' {
                        stack.push(word);
                        at = end;
                        key = Some(stack.top.place.member + 1);
                        continue 'next;
                    }
                    if close == b']' && is_item_behind(bytes, end, stack.top.blanks) {
                        stack.push(word);
                        at = end + 1 + usize::from(stack.top.blanks);
                        key = None;
                        continue 'next;
                    }
                }
                if !is_last(bytes, end, stack.top.blanks_outside, close) {
                    break 'next (Next::Behind(word), end);
                }
                let shape = match close {
                    b'}' => match self.likely_shape(stack.top.place) {
                        None => break 'next (Next::Behind(word), end),
                        shape => shape,
                    },
                    _ => None,
                };
                stack.push(word);
                end += usize::from(stack.top.blanks_outside) + 1;
                let start = stack.end().start;
                word = match shape {
                    Some(shape) => self.object(shape, stack.values(start))?,
                    None => self.array(stack.values(start))?,
                };
                stack.truncate(start);
            }
        };
        Ok(stop)
    }
    /// Goes on to any key that is plain and at hand where another was expected, and its colon. The place of
    /// its value.
    #[inline(never)]
    fn other_key(
        &mut self,
        bytes: &[u8],
        quote: usize,
        expected: u32,
        stack: &mut Stack,
    ) -> Result<Option<usize>, ReadError> {
        if let Some(text) = window(bytes, quote + 1)
            && let Some((member, length)) = self.other_member(expected, text)
        {
            let colon = quote + length + 2;
            let value = window(bytes, colon).and_then(|behind| value_behind(behind, colon));
            if value.is_some() {
                self.place_member(stack, member);
            }
            return Ok(value);
        }
        let Some((key, end)) = self.plain_string(bytes, quote)? else { return Ok(None) };
        let value = window(bytes, end).and_then(|behind| value_behind(behind, end));
        if value.is_some() {
            self.place_key(stack, expected, key);
        }
        Ok(value)
    }
    /// The member of a row known beforehand whose short key starts with these bytes, and the length of the
    /// key.
    #[inline(always)]
    fn other_member(&self, expected: u32, text: &[u8; LONG]) -> Option<(u32, usize)> {
        self.rows.choices(expected, *part(text, 0)).find_map(|(member, key)| {
            let start = self.starts.at(key);
            start.is_at(text).then_some((member, start.short_length()))
        })
    }
    /// The string that starts at a place, if it stood lately in the value of a member, and the place
    /// behind it.
    #[inline(always)]
    fn likely_string(&mut self, member: u32, bytes: &[u8], at: usize) -> Option<(u32, usize)> {
        let [first, second] = *self.rows.strings(member);
        if let Some(end) = self.end_of(first, bytes, at) {
            return Some((first, end));
        }
        let end = self.end_of(second, bytes, at)?;
        *self.rows.strings(member) = [second, first];
        Some((second, end))
    }
    /// The same of any string that is plain and at hand. From now on it is likely there.
    #[inline(never)]
    fn other_string(
        &mut self,
        member: u32,
        bytes: &[u8],
        at: usize,
    ) -> Result<Option<(u32, usize)>, ReadError> {
        let mut names = self.rows.names(member).into_iter().filter(|name| *name != NO_TEXT);
        let name = names.find_map(|name| Some((name, self.end_of(name, bytes, at)?)));
        let string = match name {
            None => self.plain_string(bytes, at)?,
            known => known,
        };
        if let Some((id, _)) = string {
            self.expect_string(member, id);
        }
        Ok(string)
    }
    /// From now on a string is likely in the value of a member.
    pub(super) fn expect_string(&mut self, member: u32, id: u32) {
        let strings = self.rows.strings(member);
        *strings = [id, strings[0]];
    }
    /// The place behind a text and the quotes around it, if these stand at a place.
    #[inline(always)]
    fn end_of(&self, text: u32, bytes: &[u8], at: usize) -> Option<usize> {
        let start = self.starts.at(text);
        match window(bytes, at + 1) {
            Some(found) if start.is_at(found) => Some(at + start.short_length() + 2),
            _ if start.is_long() => self.end_of_long(text, bytes, at + 1),
            _ => None,
        }
    }
    #[inline(never)]
    fn end_of_long(&self, text: u32, bytes: &[u8], from: usize) -> Option<usize> {
        let text = self.known_text(text).as_bytes();
        let end = from + text.len();
        let is_it = bytes.get(end) == Some(&b'"') && is_same(&bytes[from..end], text);
        is_it.then_some(end + 1)
    }
}

/// So many bytes from a place on.
#[inline(always)]
pub(super) fn window<const N: usize>(bytes: &[u8], from: usize) -> Option<&[u8; N]> {
    bytes.get(from..)?.first_chunk()
}

/// A part of bytes that are at hand. Where the start is known to be within bounds, this is not checked.
#[inline(always)]
fn part<const N: usize>(bytes: &[u8], from: usize) -> &[u8; N] {
    bytes[from..].first_chunk().expect("it is within bounds")
}

/// The place of a value, if it is behind a colon, which may have a space behind it.
#[inline(always)]
fn value_behind(behind: &[u8; 2], colon: usize) -> Option<usize> {
    match behind {
        [b':', b' '] => Some(colon + 2),
        [b':', _] => Some(colon + 1),
        _ => None,
    }
}

/// Whether an item of a container ends at a place: as many blanks as given are there, and the byte that
/// ends the container.
#[inline(always)]
fn is_last(bytes: &[u8], at: usize, blanks: u8, close: u8) -> bool {
    let count = usize::from(blanks);
    match window::<LINE>(bytes, at) {
        Some(line) => blanks <= BLANKS_MAX && line[count] == close && are_blanks(line, 0, count),
        None => false,
    }
}

/// Whether as many blanks as given, and no more, are behind the byte at a place.
#[inline(always)]
fn is_item_behind(bytes: &[u8], at: usize, blanks: u8) -> bool {
    let count = usize::from(blanks);
    match window::<LINE>(bytes, at) {
        Some(line) => blanks <= BLANKS_MAX && line[1 + count] > b' ' && are_blanks(line, 1, count),
        None => false,
    }
}

/// Whether so many bytes from a place on are a line end and spaces, or one space, or none.
#[inline(always)]
fn are_blanks(line: &[u8; LINE], from: usize, blanks: usize) -> bool {
    match blanks {
        0 => true,
        1 => line[from] == b' ',
        _ => line[from] == b'\n' && are_spaces(line, from + 1, blanks - 1),
    }
}

/// Whether so many bytes from a place on are spaces.
#[inline(always)]
fn are_spaces(line: &[u8; LINE], from: usize, count: usize) -> bool {
    let first = spaces(part(line, from));
    if count < CHUNK {
        return !first & ((1 << count) - 1) == 0;
    }
    // the last ones may be among the others, too
    let mut all = first & spaces(part(line, from + count - CHUNK));
    let mut at = CHUNK;
    while at + CHUNK < count {
        all &= spaces(part(line, from + at));
        at += CHUNK;
    }
    all == (1 << CHUNK) - 1
}

/// The value of an integer of up to three digits, and how many these are, if one starts here that has no
/// zeros in front, and nothing behind its digits is a part of it.
#[inline(always)]
fn likely_number(bytes: &[u8; 5]) -> Option<(u32, usize)> {
    let digit = |at: usize| u32::from(bytes[at].wrapping_sub(b'0'));
    let first = digit(0);
    let (value, count) = if digit(1) > 9 {
        (first, 1)
    } else if first == 0 {
        return None;
    } else if digit(2) > 9 {
        (first * 10 + digit(1), 2)
    } else {
        (first * 100 + digit(1) * 10 + digit(2), 3)
    };
    let ends = match bytes[count] {
        b',' | b'\n' => true,
        byte => !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-'),
    };
    ends.then_some((value, count))
}

/// A value that is a word, and the length of the word, if these bytes start with one.
#[inline(always)]
fn likely_word(bytes: &[u8; 5]) -> Option<(Word, usize)> {
    match bytes {
        b"false" => Some((Word::FALSE, 5)),
        [b'n', b'u', b'l', b'l', _] => Some((Word::NULL, 4)),
        [b't', b'r', b'u', b'e', _] => Some((Word::TRUE, 4)),
        _ => None,
    }
}
