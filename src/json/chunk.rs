//! Sixteen bytes at a time.

/// How many bytes make a chunk.
pub(super) const CHUNK: usize = 16;

/// How many bytes there are in front of the first quote, backslash or control character.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn plain_start(chunk: &[u8; CHUNK]) -> usize {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_max_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    let both = u128::from_le_bytes(*chunk);
    // SAFETY: every processor of this architecture has SSE2, which is all that these need.
    let found = unsafe {
        let bytes = _mm_set_epi64x((both >> 64) as i64, both as i64);
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let last_control = _mm_set1_epi8(0x1f);
        let control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control))
    };
    (found | 1 << CHUNK).trailing_zeros() as usize
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn plain_start(chunk: &[u8; CHUNK]) -> usize {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    chunk.iter().position(is_special).unwrap_or(CHUNK)
}

/// Which bytes are spaces, the first in the lowest bit.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn spaces(chunk: &[u8; CHUNK]) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let both = u128::from_le_bytes(*chunk);
    // SAFETY: every processor of this architecture has SSE2, which is all that these need.
    let found = unsafe {
        let bytes = _mm_set_epi64x((both >> 64) as i64, both as i64);
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b' ' as i8)))
    };
    found as u32
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn spaces(chunk: &[u8; CHUNK]) -> u32 {
    (0..).zip(chunk).fold(0, |found, (place, byte)| found | u32::from(*byte == b' ') << place)
}

/// Which bytes are equal to those in the same places, the first in the lowest bit.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn equal_bytes(chunk: &[u8; CHUNK], other: &[u8; CHUNK]) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x};
    let (a, b) = (u128::from_le_bytes(*chunk), u128::from_le_bytes(*other));
    // SAFETY: every processor of this architecture has SSE2, which is all that these need.
    let found = unsafe {
        let a = _mm_set_epi64x((a >> 64) as i64, a as i64);
        let b = _mm_set_epi64x((b >> 64) as i64, b as i64);
        _mm_movemask_epi8(_mm_cmpeq_epi8(a, b))
    };
    found as u32
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn equal_bytes(chunk: &[u8; CHUNK], other: &[u8; CHUNK]) -> u32 {
    let pairs = (0..).zip(chunk.iter().zip(other));
    pairs.fold(0, |found, (place, (a, b))| found | u32::from(a == b) << place)
}

/// Whether two texts of one length are the same. Unlike the comparison of some systems, it does not look at
/// single bytes unless both are short.
#[inline]
pub(super) fn is_same(text: &[u8], other: &[u8]) -> bool {
    let (Some(last), Some(last_of_other)) = (text.last_chunk(), other.last_chunk()) else {
        return text == other;
    };
    let is_equal = |chunk, other| equal_bytes(chunk, other) == (1 << CHUNK) - 1;
    let (mut text, mut other) = (text, other);
    while let (Some((chunk, behind)), Some((chunk_of_other, behind_other))) =
        (text.split_first_chunk(), other.split_first_chunk())
    {
        if !is_equal(chunk, chunk_of_other) {
            return false;
        }
        (text, other) = (behind, behind_other);
    }
    is_equal(last, last_of_other)
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, equal_bytes, is_same, plain_start, spaces};

    #[test]
    fn texts_are_compared_to_their_ends() {
        for length in 0..50 {
            let text = vec![b'a'; length];
            assert!(is_same(&text, &text));
            for place in 0..length {
                let mut other = text.clone();
                other[place] = b'b';
                assert!(!is_same(&text, &other), "{place} of {length}");
            }
        }
    }

    #[test]
    fn bytes_that_differ_are_found() {
        let text = *b"bytes in a chunk";
        assert_eq!(equal_bytes(&text, &text), 0xffff);
        for place in 0..CHUNK {
            let mut other = text;
            other[place] ^= 1 << (place % 8);
            assert_eq!(equal_bytes(&text, &other), 0xffff & !(1 << place));
        }
    }

    #[test]
    fn spaces_of_a_chunk_are_found() {
        for byte in 0..=u8::MAX {
            for place in 0..CHUNK {
                let mut chunk = [b' '; CHUNK];
                chunk[place] = byte;
                let others = u32::from(byte != b' ') << place;
                assert_eq!(spaces(&chunk), 0xffff & !others, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn the_first_special_byte_of_a_chunk_is_found() {
        for byte in 0..=u8::MAX {
            let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
            for place in 0..CHUNK {
                let mut chunk = [b'\xff'; CHUNK];
                chunk[place] = byte;
                let expected = if is_special { place } else { CHUNK };
                assert_eq!(plain_start(&chunk), expected, "{byte} at {place}");
                chunk[CHUNK - 1] = b'"';
                assert_eq!(plain_start(&chunk), expected.min(CHUNK - 1), "{byte} at {place}");
            }
        }
    }
}
