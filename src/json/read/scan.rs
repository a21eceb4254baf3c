//! Bytes of a JSON text -> where runs of spaces and of plain characters end. These look at whole words of
//! bytes at a time.

use crate::base::id_table::{ByteHash, hash_bytes};

/// The first place from `start` on without a space. An indented document is mostly runs of spaces.
#[inline(always)]
pub(super) fn spaces_end(bytes: &[u8], start: usize) -> usize {
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
pub(super) fn plain_run(bytes: &[u8], start: usize) -> usize {
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
pub(super) fn hashed_plain_run(bytes: &[u8], start: usize) -> (usize, u32) {
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
