//! Bytes of a JSON text -> where runs of spaces and of plain characters end, a chunk at a time.

use super::chunk::{CHUNK, plain_start, spaces};
use crate::base::id_table::{ByteHash, hash_bytes};

/// The first place from `start` on without a space, or one so close to the end that whoever goes on byte by
/// byte is soon there. An indented document is mostly runs of spaces.
#[inline(always)]
pub(super) fn spaces_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let count = spaces(chunk).trailing_ones() as usize;
        at += count;
        if count < CHUNK {
            break;
        }
    }
    at
}

/// The first place from `start` on that holds a quote, a backslash or a control character, or the end.
#[inline]
pub(super) fn plain_run(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let count = plain_start(chunk);
        at += count;
        if count < CHUNK {
            return at;
        }
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
        let both = u128::from_le_bytes(*chunk);
        let (first, second) = (both as u64, (both >> 64) as u64);
        let count = plain_start(chunk);
        at += count;
        let mut rest = first;
        if count >= CHUNK / 2 {
            hash.add(first);
            rest = second;
        }
        if count < CHUNK {
            return (at, hash.finish(rest & ((1 << (8 * (count % 8))) - 1), at - start));
        }
        hash.add(second);
    }
    let end = plain_run(bytes, at);
    (end, hash_bytes(&bytes[start..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_single_bytes_tell() {
        for length in 0..50 {
            let mut text = vec![b' '; length];
            for end in [b'"', b'\\', b'\n', b'a'] {
                text.push(end);
                text.extend(b"behind it, and some more");
                for start in 0..=length {
                    assert_eq!(spaces_end(&text, start), length);
                    let plain = if end == b'a' { text.len() } else { length };
                    assert_eq!(plain_run(&text, start), plain);
                    let hash = hash_bytes(&text[start..plain]);
                    assert_eq!(hashed_plain_run(&text, start), (plain, hash));
                }
                text.truncate(length);
            }
        }
    }
}
