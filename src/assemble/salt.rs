//! Salts a program until its address can be no public key: an ignored `intcblock` at the end changes the
//! hash that the address is made from.

use curve25519_dalek::edwards::CompressedEdwardsY;

use crate::base::encode::sha512_256;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};

/// `intcblock` with one constant.
const SALT_PREFIX: [u8; 2] = [0x20, 0x01];
/// Constants tried from 0 on.
const SALT_TRIES: u8 = 128;

/// Appends the salt if there has to be one; how many bytes it takes.
pub(super) fn push_salt(bytecode: &mut Vec<u8>) -> Outcome<usize> {
    if !is_hash_on_curve(bytecode) {
        return Ok(0);
    }
    let len = bytecode.len();
    bytecode.extend(SALT_PREFIX);
    bytecode.push(0);
    for salt in 0..SALT_TRIES {
        *bytecode.last_mut().expect("the salt was appended") = salt;
        if !is_hash_on_curve(bytecode) {
            return Ok(bytecode.len() - len);
        }
    }
    let message = "could not find a trailing intcblock salt that yields an off-curve program";
    Err(Failure::internal(message, Loc::NONE))
}

fn is_hash_on_curve(bytecode: &[u8]) -> bool {
    is_point(sha512_256(&[b"Program", bytecode].concat()))
}

/// Whether some implementation of ed25519 could take the bytes for a point: the sign bit does not
/// count, and numbers beyond the field's prime are reduced, as the decompression here does.
fn is_point(bytes: [u8; 32]) -> bool {
    CompressedEdwardsY(bytes).decompress().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_encoding_of_a_point() {
        let small = |y: u8| {
            let mut bytes = [0; 32];
            bytes[0] = y;
            bytes
        };
        let beyond_prime = |y: u8| {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xed + y;
            bytes[31] = 0x7f;
            bytes
        };
        // y -> whether x² = (y² - 1) / (dy² + 1) has a root
        for (y, point) in [(0, true), (1, true), (2, false), (3, true), (4, true), (7, false)] {
            assert_eq!(is_point(small(y)), point, "{y}");
            assert_eq!(is_point(beyond_prime(y)), point, "{y} beyond the prime");
            let mut signed = small(y);
            signed[31] |= 0x80;
            assert_eq!(is_point(signed), point, "{y} with sign");
        }
    }
}
