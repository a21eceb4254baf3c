//! What is likely to come next in a document -> whether it does. Keys and strings are compared with those
//! that stood in the same place lately, and blanks with as many as there were before, so that what is
//! usual is read without looking at single bytes. Nothing here is a mistake: whatever is not as expected
//! is left to whoever reads it byte by byte.

use super::build::{Builder, Place};
use super::chunk::{CHUNK, spaces};
use super::open::Open;
use super::read::{DEPTH_MAX, ReadError};
use super::rows::UNKNOWN;
use super::tree::{Tag, Word};
use super::vocabulary::LONG;

/// More blanks than that are never likely.
const BLANKS_MAX: usize = 127;

/// So many bytes hold a byte, blanks, a short key with what is around it, and a short value.
const LINE: usize = 1 + BLANKS_MAX + LONG + 12;

/// Where reading of members in one go ended.
pub(super) enum Stop {
    /// At the byte in front of a key and its blanks.
    Key,
    /// In front of the value of a key.
    Value,
    /// Behind a value, which was not added.
    Item(Word),
}

impl Builder<'_> {
    /// The member that is likely as the first of an object in the value of a member.
    #[inline(always)]
    pub(super) fn first_member(&self, around: u32) -> u32 {
        self.first_under(self.rows.key(around))
    }
    /// The shape of an object that ends at a place, if it has a row whose end was expected.
    #[inline(always)]
    pub(super) fn likely_shape(&self, place: Place) -> Option<u32> {
        self.rows.shape(place.member + 1)
    }
    /// Reads members of the innermost object, and starts and ends objects in others, for as long as all is
    /// as expected: behind one byte, which the caller knows, as many blanks as before, the key of a known
    /// row with at most one space behind its colon, a value that is no array with items, and a comma or
    /// the end. Adds the values, and remembers the row for the next object in the value of the member
    /// around an object. Gives where it stopped, and in front of a key the member that is likely.
    #[inline(never)]
    pub(super) fn likely_members(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        mut expected: u32,
        open: &mut Vec<Open>,
        top: &mut Open,
        values: &mut Vec<u32>,
    ) -> Result<(Stop, usize, u32), ReadError> {
        while top.blanks as usize <= BLANKS_MAX
            && let Some(line) = window::<LINE>(bytes, at)
        {
            let blanks = top.blanks as usize;
            let key = &self.starts[self.rows.key(expected) as usize];
            if line[1 + blanks] != b'"' || !are_blanks(line, 1, blanks) {
                break;
            }
            let mut end = at + 1 + blanks;
            if key.is_at(part(line, 2 + blanks)) {
                end += key.short_length() + 2;
            } else {
                let before = values.len() - top.start;
                let Some(other) = self.other_member(expected, before, bytes, end) else { break };
                (expected, end) = other;
                self.expect_row(expected, before, around(open));
            }
            let Some(line) = window::<8>(bytes, end) else { break };
            let offset = match line {
                [b':', b' ', ..] => 2,
                [b':', ..] => 1,
                _ => break,
            };
            let value = end + offset;
            let likely = match line[offset] {
                b'0'..=b'9' => likely_number(part(line, offset))
                    .map(|(number, length)| (Word::new(Tag::Int, number), value + length)),
                b'"' => self
                    .likely_string(expected, bytes, value)
                    .map(|(id, end)| (Word::new(Tag::String, id), end)),
                b'{' if line[offset + 1] != b'}' && open.len() < DEPTH_MAX => {
                    top.place.member = expected;
                    let inner = top.inner(values.len(), b'}');
                    open.push(std::mem::replace(top, inner));
                    (at, expected) = (value, self.first_member(expected));
                    continue;
                }
                b'[' if line[offset + 1] == b']' => Some((Self::NO_ITEMS, value + 2)),
                ..=b' ' => break,
                _ => likely_word(part(line, offset)).map(|(word, length)| (word, value + length)),
            };
            let Some((mut word, mut end)) = likely else {
                top.place.member = expected;
                return Ok((Stop::Value, value, expected));
            };
            while bytes.get(end) != Some(&b',') {
                let outside = open.last().map_or(0, |outside| outside.close);
                match self.rows.shape(expected + 1) {
                    Some(shape)
                        if outside == b'}' && is_last(bytes, end, top.blanks_outside, b'}') =>
                    {
                        values.push(word.0);
                        word = self.object(shape, &values[top.start..])?;
                        values.truncate(top.start);
                        end += top.blanks_outside as usize + 1;
                        *top = open.pop().expect("it is in an object");
                        expected = top.place.member;
                    }
                    _ => {
                        top.place.member = expected;
                        return Ok((Stop::Item(word), end, expected));
                    }
                }
            }
            values.push(word.0);
            (at, expected) = (end, expected + 1);
        }
        Ok((Stop::Key, at, expected))
    }
    /// The member whose key stands at a place where another was expected, and the place behind the key and
    /// the quotes around it. So many members of the row are before.
    #[inline(never)]
    pub(super) fn other_member(
        &self,
        expected: u32,
        before: usize,
        bytes: &[u8],
        at: usize,
    ) -> Option<(u32, usize)> {
        let key = self.rows.key(expected);
        if self.starts[key as usize].is_long()
            && let Some(end) = self.end_of_long(key, bytes, at + 1)
        {
            return Some((expected, end));
        }
        let is_it = |member| self.end_of(self.rows.key(member), bytes, at);
        self.rows.other(expected, before, *window(bytes, at + 1)?, is_it)
    }
    /// The string that starts at a place, if it stood lately in the value of a member, and the place
    /// behind it.
    #[inline(always)]
    pub(super) fn likely_string(
        &mut self,
        member: u32,
        bytes: &[u8],
        at: usize,
    ) -> Option<(u32, usize)> {
        let [first, second] = *self.rows.strings(member);
        if let Some(end) = self.end_of(first, bytes, at) {
            return Some((first, end));
        }
        let end = self.end_of(second, bytes, at)?;
        *self.rows.strings(member) = [second, first];
        Some((second, end))
    }
    /// From now on a string is likely in the value of a member.
    pub(super) fn expect_string(&mut self, member: u32, id: u32) {
        let strings = self.rows.strings(member);
        *strings = [id, strings[0]];
    }
    /// The place behind a text and the quotes around it, if these stand at a place.
    #[inline(always)]
    fn end_of(&self, text: u32, bytes: &[u8], at: usize) -> Option<usize> {
        let start = &self.starts[text as usize];
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
        let is_it = bytes.get(end) == Some(&b'"') && bytes[from..end] == *text;
        is_it.then_some(end + 1)
    }
}

/// The member that the innermost container is in the value of.
fn around(open: &[Open]) -> u32 {
    open.last().map_or(UNKNOWN, |around| around.place.member)
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

/// Whether an item of a container ends at a place: as many blanks as given are there, and the byte that
/// ends the container.
#[inline(always)]
pub(super) fn is_last(bytes: &[u8], at: usize, blanks: u32, close: u8) -> bool {
    let blanks = blanks as usize;
    match window::<LINE>(bytes, at) {
        Some(line) => blanks <= BLANKS_MAX && line[blanks] == close && are_blanks(line, 0, blanks),
        None => false,
    }
}

/// Whether as many blanks as given, and no more, are behind the byte at a place.
#[inline(always)]
pub(super) fn is_item_behind(bytes: &[u8], at: usize, blanks: u32) -> bool {
    let blanks = blanks as usize;
    match window::<LINE>(bytes, at) {
        Some(line) => {
            blanks <= BLANKS_MAX && line[1 + blanks] > b' ' && are_blanks(line, 1, blanks)
        }
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
pub(super) fn likely_number(bytes: &[u8; 5]) -> Option<(u32, usize)> {
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
pub(super) fn likely_word(bytes: &[u8; 5]) -> Option<(Word, usize)> {
    match bytes {
        b"false" => Some((Word::FALSE, 5)),
        [b'n', b'u', b'l', b'l', _] => Some((Word::NULL, 4)),
        [b't', b'r', b'u', b'e', _] => Some((Word::TRUE, 4)),
        _ => None,
    }
}
