//! Rules for instructions on byte strings and big integers. What would fail at run time is left alone.

use num_bigint::BigUint;
use sha2::{Digest, Sha256};
use sha3::{Keccak256, Sha3_256};

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::encode::sha512_256;
use crate::base::source::Loc;
use crate::ir::model::Subroutine;
use crate::ir::op::{BytesEncoding, Intrinsic, Value};

use super::constants::{TextIs, choose_encoding};
use super::fold::{evolved, number};
use super::{Folded, Simplifier};

impl Simplifier<'_, '_> {
    pub(super) fn fold_bytes_unary(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        arg: Value,
    ) -> Option<Folded> {
        let op = intrinsic.op;
        if op == AvmOp::Len
            && let Some(length) = self.certain_length(sub, arg)
        {
            return number(length, loc);
        }
        let Some(known) = self.known_bytes(sub, arg) else {
            return if op == AvmOp::Btoi { self.fold_btoi(sub, intrinsic, loc, arg) } else { None };
        };
        let data = known.data;
        let hash = |digest: &[u8]| {
            Some(Folded::Value(self.bytes(digest, BytesEncoding::Base16, loc).value()))
        };
        match op {
            AvmOp::Bsqrt => {
                let root = self.known_biguint(sub, arg)?.sqrt();
                Some(Folded::Value(self.biguint(&root, loc)))
            }
            AvmOp::BitwiseNotBytes => {
                let inverted: Vec<u8> = data.iter().map(|byte| !byte).collect();
                Some(Folded::Value(self.bytes(&inverted, known.binary_encoding(), loc).value()))
            }
            AvmOp::Btoi if data.len() <= 8 => {
                number(data.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), loc)
            }
            AvmOp::Sha256 => hash(&Sha256::digest(data)),
            AvmOp::Sha3_256 => hash(&Sha3_256::digest(data)),
            AvmOp::Sha512_256 => hash(&sha512_256(data)),
            AvmOp::Keccak256 => hash(&Keccak256::digest(data)),
            AvmOp::Len => number(data.len() as u64, loc),
            AvmOp::Bitlen => number(BigUint::from_bytes_be(data).bits(), loc),
            _ => None,
        }
    }

    /// Reads a number where it lies instead of taking its bytes out first.
    fn fold_btoi(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        arg: Value,
    ) -> Option<Folded> {
        let inner = self.defining_intrinsic(sub, arg)?;
        let (bytes, start, length) =
            match (inner.op, inner.args.as_slice(), inner.immediates.as_slice()) {
                (AvmOp::Extract, [bytes], [Immediate::Int(start), Immediate::Int(length)]) => {
                    let start = Value::uint64(u64::try_from(*start).ok()?, Loc::NONE);
                    (*bytes, start, u64::try_from(*length).ok()?)
                }
                (AvmOp::Extract3, [bytes, start, length], _) => {
                    (*bytes, *start, length.uint64_constant()?)
                }
                (AvmOp::Itob, [value], _) => return Some(Folded::Value(*value)),
                _ => return None,
            };
        let op = match length {
            1 => AvmOp::Getbyte,
            2 => AvmOp::ExtractUint16,
            4 => AvmOp::ExtractUint32,
            8 => AvmOp::ExtractUint64,
            _ => return None,
        };
        Some(evolved(intrinsic, op, vec![bytes, start], loc))
    }

    pub(super) fn fold_bytes_binary(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        a: Value,
        b: Value,
    ) -> Option<Value> {
        let op = intrinsic.op;
        let truth = |value: bool| Some(Value::uint64(u64::from(value), loc));
        if a == b {
            match op {
                AvmOp::SubBytes => return Some(self.biguint(&BigUint::ZERO, loc)),
                AvmOp::EqBytes | AvmOp::Eq | AvmOp::LteBytes | AvmOp::GteBytes => {
                    return truth(true);
                }
                AvmOp::NeqBytes | AvmOp::Neq | AvmOp::LtBytes | AvmOp::GtBytes => {
                    return truth(false);
                }
                AvmOp::BitwiseAndBytes | AvmOp::BitwiseOrBytes => return Some(a),
                _ => {}
            }
        }
        match op {
            AvmOp::Eq | AvmOp::Neq => {
                let equal = match (self.known_bytes(sub, a), self.known_bytes(sub, b)) {
                    (Some(a), Some(b)) => a.data == b.data,
                    _ => {
                        let lengths = (self.certain_length(sub, a)?, self.certain_length(sub, b)?);
                        if lengths.0 == lengths.1 {
                            return None;
                        }
                        false
                    }
                };
                truth(equal == (op == AvmOp::Eq))
            }
            AvmOp::BitwiseOrBytes | AvmOp::BitwiseAndBytes | AvmOp::BitwiseXorBytes => {
                let (a, b) = (self.known_bytes(sub, a)?, self.known_bytes(sub, b)?);
                let combine = match op {
                    AvmOp::BitwiseOrBytes => |a: u8, b: u8| a | b,
                    AvmOp::BitwiseAndBytes => |a: u8, b: u8| a & b,
                    _ => |a: u8, b: u8| a ^ b,
                };
                let data = right_aligned(a.data, b.data, combine);
                let encoding = choose_encoding(a.encoding, b.encoding, TextIs::Destroyed);
                Some(self.bytes(&data, encoding, loc).value())
            }
            AvmOp::AddBytes
            | AvmOp::SubBytes
            | AvmOp::MulBytes
            | AvmOp::DivFloorBytes
            | AvmOp::ModBytes
            | AvmOp::LtBytes
            | AvmOp::LteBytes
            | AvmOp::GtBytes
            | AvmOp::GteBytes
            | AvmOp::EqBytes
            | AvmOp::NeqBytes => self.fold_biguints(sub, op, loc, a, b),
            _ => None,
        }
    }

    fn fold_biguints(
        &self,
        sub: &Subroutine,
        op: AvmOp,
        loc: Loc,
        a: Value,
        b: Value,
    ) -> Option<Value> {
        let (known_a, known_b) = (self.known_biguint(sub, a), self.known_biguint(sub, b));
        let is = |known: &Option<BigUint>, number: u32| {
            known.as_ref().is_some_and(|known| *known == BigUint::from(number))
        };
        match op {
            AvmOp::MulBytes if is(&known_a, 1) => return Some(b),
            AvmOp::MulBytes | AvmOp::DivFloorBytes if is(&known_b, 1) => return Some(a),
            AvmOp::AddBytes if is(&known_a, 0) => return Some(b),
            AvmOp::AddBytes | AvmOp::SubBytes if is(&known_b, 0) => return Some(a),
            AvmOp::MulBytes if is(&known_a, 0) || is(&known_b, 0) => {
                return Some(self.biguint(&BigUint::ZERO, loc));
            }
            _ => {}
        }
        let (a, b) = (known_a?, known_b?);
        let truth = |value: bool| Some(Value::uint64(u64::from(value), loc));
        let result = match op {
            AvmOp::AddBytes => a + b,
            AvmOp::SubBytes if a >= b => a - b,
            AvmOp::MulBytes => a * b,
            AvmOp::DivFloorBytes if b != BigUint::ZERO => a / b,
            AvmOp::ModBytes if b != BigUint::ZERO => a % b,
            AvmOp::LtBytes => return truth(a < b),
            AvmOp::LteBytes => return truth(a <= b),
            AvmOp::GtBytes => return truth(a > b),
            AvmOp::GteBytes => return truth(a >= b),
            AvmOp::EqBytes => return truth(a == b),
            AvmOp::NeqBytes => return truth(a != b),
            _ => return None,
        };
        Some(self.biguint(&result, loc))
    }
}

/// Combines the bytes of two strings, the shorter one filled up with zeros in front.
fn right_aligned(a: &[u8], b: &[u8], combine: impl Fn(u8, u8) -> u8) -> Vec<u8> {
    let length = a.len().max(b.len());
    let at = |data: &[u8], place: usize| {
        place.checked_sub(length - data.len()).map_or(0, |place| data[place])
    };
    (0..length).map(|place| combine(at(a, place), at(b, place))).collect()
}
