//! Bytes as text and back: base85, base32, base64, hexadecimal, source-map digits, variable-length
//! integers, addresses; and the hash that addresses and selectors are made with.

use data_encoding::{BASE32, BASE32_NOPAD, BASE64};
use sha2::{Digest, Sha512_256};

/// Bytes of a public key.
pub const PUBLIC_KEY_LEN: usize = 32;
/// Bytes of the checksum in an address.
pub const CHECKSUM_LEN: usize = 4;
/// Characters of an address.
pub const ADDRESS_LEN: usize = 58;

const BASE85_ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
/// Digits of base64 and of source maps.
const BASE64_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Decodes Python's base85; the error is the message of the exception it raises.
pub fn base85_decode(text: &str) -> Result<Vec<u8>, String> {
    const DIGITS: [u8; 256] = {
        let mut digits = [u8::MAX; 256];
        let mut value = 0;
        while value < BASE85_ALPHABET.len() {
            digits[BASE85_ALPHABET[value] as usize] = value as u8;
            value += 1;
        }
        digits
    };
    if !text.is_ascii() {
        return Err("string argument should contain only ASCII characters".to_owned());
    }
    let mut out = Vec::with_capacity(text.len() / 5 * 4 + 4);
    for (index, chunk) in text.as_bytes().chunks(5).enumerate() {
        let mut value: u64 = 0;
        for place in 0..5 {
            // a short last group is filled up with the highest digit
            let character = chunk.get(place).copied().unwrap_or(b'~');
            let digit = DIGITS[usize::from(character)];
            if digit == u8::MAX {
                return Err(format!("bad base85 character at position {}", index * 5 + place));
            }
            value = value * 85 + u64::from(digit);
        }
        let Ok(value) = u32::try_from(value) else {
            return Err(format!("base85 overflow in hunk starting at byte {}", index * 5));
        };
        out.extend_from_slice(&value.to_be_bytes()[..chunk.len() - 1]);
    }
    Ok(out)
}

/// Encodes as Python's base85.
pub fn base85_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() / 4 * 5 + 5);
    for chunk in bytes.chunks(4) {
        let mut padded = [0; 4];
        padded[..chunk.len()].copy_from_slice(chunk);
        let mut value = u32::from_be_bytes(padded);
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = BASE85_ALPHABET[(value % 85) as usize];
            value /= 85;
        }
        out.extend(digits[..chunk.len() + 1].iter().map(|digit| char::from(*digit)));
    }
    out
}

/// Base32 without padding.
pub fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes)
}

/// Decodes base32 with padding, as strictly as Python does.
pub fn base32_decode(text: &str) -> Option<Vec<u8>> {
    // Python does not look at the bits beyond the last byte
    let mut spec = BASE32.specification();
    spec.check_trailing_bits = false;
    spec.encoding().ok()?.decode(text.as_bytes()).ok()
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    push_base64(&mut out, bytes);
    out
}

/// Appends base64 with padding.
pub fn push_base64(out: &mut String, bytes: &[u8]) {
    const BLOCK: usize = 192;
    /// Two digits for every twelve bits.
    static PAIRS: [[u8; 2]; 1 << 12] = {
        let mut pairs = [[0; 2]; 1 << 12];
        let mut bits = 0;
        while bits < pairs.len() {
            pairs[bits] = [BASE64_ALPHABET[bits >> 6], BASE64_ALPHABET[bits & 0x3f]];
            bits += 1;
        }
        pairs
    };
    let digits_of = |bits: u64| PAIRS[(bits & 0xfff) as usize];
    out.reserve(bytes.len().div_ceil(3) * 4);
    for block in bytes.chunks(BLOCK) {
        let mut digits = [b'='; BLOCK / 3 * 4];
        let (groups, rest) = block.as_chunks::<6>();
        let (places, _) = digits.as_chunks_mut::<8>();
        for (place, [a, b, c, d, e, f]) in places.iter_mut().zip(groups) {
            let bits = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
            let pair = |shift: u32| digits_of(bits >> shift);
            let ([a, b], [c, d], [e, f], [g, h]) = (pair(36), pair(24), pair(12), pair(0));
            *place = [a, b, c, d, e, f, g, h];
        }
        let mut place = groups.len() * 8;
        for group in rest.chunks(3) {
            let mut bytes = [0; 3];
            bytes[..group.len()].copy_from_slice(group);
            let [a, b, c] = bytes.map(u64::from);
            let bits = a << 16 | b << 8 | c;
            let all = [digits_of(bits >> 12), digits_of(bits)];
            // a group of one byte has two digits, one of two bytes three
            digits[place..=place + group.len()]
                .copy_from_slice(&all.as_flattened()[..=group.len()]);
            place += 4;
        }
        let digits = &digits[..block.len().div_ceil(3) * 4];
        out.push_str(std::str::from_utf8(digits).expect("the digits are ASCII"));
    }
}

/// Decodes base64 with padding, as strictly as Python's validating decoder.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut spec = BASE64.specification();
    spec.check_trailing_bits = false;
    spec.encoding().ok()?.decode(text.as_bytes()).ok()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    push_hex(&mut out, bytes);
    out
}

/// Appends lower-case hexadecimal.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
}

/// Text out of UTF-8; the error is the message of the exception that Python raises.
pub fn utf8_decode(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let rest = &bytes[start..];
        let (len, reason) = match error.error_len() {
            None => (rest.len(), "unexpected end of data"),
            Some(1) if !matches!(rest[0], 0xc2..=0xf4) => (1, "invalid start byte"),
            Some(len) => (len, "invalid continuation byte"),
        };
        let what = match len {
            1 => format!("byte 0x{:02x} in position {start}", rest[0]),
            _ => format!("bytes in position {start}-{}", start + len - 1),
        };
        format!("UnicodeDecodeError: 'utf-8' codec can't decode {what}: {reason}")
    })
}

/// Appends an unsigned integer in groups of seven bits, lowest first.
pub fn push_varuint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer in the digits of source maps: sign in the lowest bit, groups of five
/// bits, lowest first.
pub fn push_vlq(out: &mut String, value: i64) {
    let mut rest = value.unsigned_abs() << 1 | u64::from(value < 0);
    // most are small
    while rest > 0x1f {
        out.push(char::from(BASE64_ALPHABET[(rest & 0x1f) as usize | 0x20]));
        rest >>= 5;
    }
    out.push(char::from(BASE64_ALPHABET[rest as usize]));
}

/// SHA-512/256.
pub fn sha512_256(bytes: &[u8]) -> [u8; 32] {
    Sha512_256::digest(bytes).into()
}

/// The first four bytes of the hash of a method's signature.
pub fn method_selector(signature: &str) -> [u8; 4] {
    let hash = sha512_256(signature.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The address of a public key.
pub fn address_of(public_key: &[u8; PUBLIC_KEY_LEN]) -> String {
    let hash = sha512_256(public_key);
    let mut bytes = public_key.to_vec();
    bytes.extend_from_slice(&hash[hash.len() - CHECKSUM_LEN..]);
    base32(&bytes)
}

/// The public key of an address whose length and checksum are right.
pub fn public_key_of(address: &str) -> Option<[u8; PUBLIC_KEY_LEN]> {
    if address.chars().count() != ADDRESS_LEN {
        return None;
    }
    let bytes = base32_decode(&format!("{address}======"))?;
    let (key, checksum) = bytes.split_at_checked(PUBLIC_KEY_LEN)?;
    let key: [u8; PUBLIC_KEY_LEN] = key.try_into().ok()?;
    let hash = sha512_256(&key);
    (checksum == &hash[hash.len() - CHECKSUM_LEN..]).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undecodable_text_is_told_in_pythons_words() {
        let message = |bytes: &'static [u8]| {
            let message = utf8_decode(bytes).unwrap_err();
            message.split_once("decode ").unwrap().1.to_owned()
        };
        assert_eq!(message(b"ab\xc3"), "byte 0xc3 in position 2: unexpected end of data");
        assert_eq!(message(b"\xe2\x82"), "bytes in position 0-1: unexpected end of data");
        assert_eq!(message(b"\xa9x"), "byte 0xa9 in position 0: invalid start byte");
        assert_eq!(message(b"\xe2x"), "byte 0xe2 in position 0: invalid continuation byte");
        assert_eq!(message(b"\xf0\x9f\x98x"), "bytes in position 0-2: invalid continuation byte");
        assert_eq!(utf8_decode("é".as_bytes()), Ok("é"));
    }

    #[test]
    fn base85_reads_what_it_writes_and_words_errors_as_python() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 2, 3, 4, 5, 255, 256] {
            let text = base85_encode(&bytes[..length]);
            assert_eq!(base85_decode(&text).unwrap(), &bytes[..length]);
        }
        assert_eq!(base85_encode(b"hello"), "Xk~0{Zv");
        assert_eq!(base85_decode("0").unwrap(), b"");
        for (text, message) in [
            ("é", "string argument should contain only ASCII characters"),
            ("00000 0", "bad base85 character at position 5"),
            ("00000~~~~~", "base85 overflow in hunk starting at byte 5"),
        ] {
            assert_eq!(base85_decode(text).unwrap_err(), message);
        }
    }

    #[test]
    fn base64_of_every_length_reads_back() {
        let bytes: Vec<u8> = (0..=255).cycle().take(600).collect();
        for length in 0..=bytes.len() {
            let text = base64(&bytes[..length]);
            assert_eq!(text, BASE64.encode(&bytes[..length]));
            assert_eq!(base64_decode(&text).unwrap(), &bytes[..length]);
        }
    }

    #[test]
    fn an_address_holds_its_key() {
        let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAY5HFKQ";
        assert_eq!(address_of(&[0; 32]), zero);
        assert_eq!(public_key_of(zero), Some([0; 32]));
        assert_eq!(public_key_of(&zero.replace('Q', "A")), None);
        assert_eq!(public_key_of("short"), None);
    }

    #[test]
    fn integers_of_variable_length() {
        let mut out = Vec::new();
        [0, 127, 128, u64::MAX].into_iter().for_each(|value| push_varuint(&mut out, value));
        assert_eq!(hex(&out), "007f8001ffffffffffffffffff01");
        let mut digits = String::new();
        [0, 1, -1, 16, -1000].into_iter().for_each(|value| push_vlq(&mut digits, value));
        assert_eq!(digits, "ACDgBx+B");
    }

    #[test]
    fn hashes_and_selectors() {
        assert_eq!(hex(&method_selector("add(uint64,uint64)uint64")), "fe6bdf69");
    }
}
