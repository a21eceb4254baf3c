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

#[cfg(test)]
mod tests {
    use super::{CHUNK, plain_start, spaces};

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
