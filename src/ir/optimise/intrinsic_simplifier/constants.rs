//! What is known of operands at compile time: bytes, big integers, lengths.

use num_bigint::BigUint;

use crate::avm::fields::{MAX_BIGUINT_BYTES, ZERO_ADDRESS};
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::encode::public_key_of;
use crate::base::source::Loc;
use crate::ir::model::Subroutine;
use crate::ir::op::{BytesEncoding, Constant, OpKind, Source, SourceKind, Value};
use crate::ir::optimise::constant_bytes::constant_bytes;
use crate::ir::pool::BytesId;
use crate::ir::types::IrType;

use super::Simplifier;

/// Zero bytes longer than this are left to `bzero`.
pub(super) const EXPANDED_ZEROS_MAX: u64 = 64;

/// A byte string known at compile time.
#[derive(Clone, Copy)]
pub(super) struct KnownBytes<'s> {
    pub(super) id: BytesId,
    pub(super) data: &'s [u8],
    pub(super) encoding: BytesEncoding,
    ty: IrType,
    loc: Loc,
}

impl KnownBytes<'_> {
    /// The constant.
    pub(super) fn value(self) -> Value {
        let constant = Constant::Bytes { data: self.id, encoding: self.encoding, ty: self.ty };
        Value::Constant(constant, self.loc)
    }
    /// How to print what was computed from this: never as text.
    pub(super) fn binary_encoding(self) -> BytesEncoding {
        match self.encoding {
            BytesEncoding::Utf8 => BytesEncoding::Unknown,
            other => other,
        }
    }
}

/// Whether an operation keeps text readable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextIs {
    Kept,
    Destroyed,
}

/// How to print what was computed from two byte strings.
pub(super) fn choose_encoding(a: BytesEncoding, b: BytesEncoding, text: TextIs) -> BytesEncoding {
    use BytesEncoding::{Base16, Base32, Base64, Unknown, Utf8};
    if a == b {
        return if a == Utf8 && text == TextIs::Destroyed { Unknown } else { a };
    }
    // the most compact of the binary ones
    [Base64, Base32, Base16].into_iter().find(|e| a == *e || b == *e).unwrap_or(Unknown)
}

impl<'s> Simplifier<'_, 's> {
    pub(super) fn known_bytes(&self, sub: &Subroutine, value: Value) -> Option<KnownBytes<'s>> {
        match value {
            Value::Register(_) => {
                let definition = self.definition(sub, value)?;
                let intrinsic = definition.intrinsic()?;
                match (intrinsic.op, intrinsic.args.as_slice()) {
                    (AvmOp::Itob, [arg]) => {
                        Some(self.itob_bytes(arg.uint64_constant()?, definition.loc))
                    }
                    (AvmOp::Bzero, [arg]) => {
                        self.zero_bytes(arg.uint64_constant()?, definition.loc)
                    }
                    (AvmOp::Global, [])
                        if intrinsic.immediates == [Immediate::Name("ZeroAddress")] =>
                    {
                        let key = public_key_of(ZERO_ADDRESS)?;
                        Some(self.bytes(&key, BytesEncoding::Base32, value.loc()))
                    }
                    _ => None,
                }
            }
            Value::Constant(constant, loc) => self.bytes_of_constant(constant, loc),
            Value::Undefined(..) | Value::TemplateVar { .. } | Value::Compiled(..) => None,
        }
    }

    pub(super) fn bytes_of_constant(&self, constant: Constant, loc: Loc) -> Option<KnownBytes<'s>> {
        if let Constant::Bytes { data: id, encoding, ty } = constant {
            return Some(KnownBytes { id, data: self.ctx.pool.bytes(id), encoding, ty, loc });
        }
        let id = constant_bytes(self.ctx, constant)?;
        let encoding = match constant.ty() {
            IrType::Account => BytesEncoding::Base32,
            _ => BytesEncoding::Base16,
        };
        Some(self.bytes(self.ctx.pool.bytes(id), encoding, loc))
    }

    /// Bytes typed by their length.
    pub(super) fn bytes(&self, data: &[u8], encoding: BytesEncoding, loc: Loc) -> KnownBytes<'s> {
        let id = self.ctx.pool.bytes_id(data);
        let length = u32::try_from(data.len()).expect("byte constants are far shorter than 4 GiB");
        KnownBytes {
            id,
            data: self.ctx.pool.bytes(id),
            encoding,
            ty: IrType::SizedBytes(length),
            loc,
        }
    }

    pub(super) fn itob_bytes(&self, value: u64, loc: Loc) -> KnownBytes<'s> {
        self.bytes(&value.to_be_bytes(), BytesEncoding::Base16, loc)
    }

    pub(super) fn zero_bytes(&self, length: u64, loc: Loc) -> Option<KnownBytes<'s>> {
        let zeros = [0; EXPANDED_ZEROS_MAX as usize];
        let zeros = zeros.get(..usize::try_from(length).ok()?)?;
        Some(self.bytes(zeros, BytesEncoding::Base16, loc))
    }

    /// The number an operand is, when it is short enough for arithmetic.
    pub(super) fn known_biguint(&self, sub: &Subroutine, value: Value) -> Option<BigUint> {
        let known = self.known_bytes(sub, value)?;
        (known.data.len() <= MAX_BIGUINT_BYTES).then(|| BigUint::from_bytes_be(known.data))
    }

    /// The constant of a computed number.
    pub(super) fn biguint(&self, value: &BigUint, loc: Loc) -> Value {
        let bytes = if *value == BigUint::ZERO { Vec::new() } else { value.to_bytes_be() };
        Value::Constant(Constant::BigUInt(self.ctx.pool.bytes_id(&bytes)), loc)
    }

    /// The length of a byte string, where it is certain: declared types are promises that the values
    /// of a caller need not keep, so only instructions and constants count.
    pub(super) fn certain_length(&self, sub: &Subroutine, value: Value) -> Option<u64> {
        let pool = self.ctx.pool;
        // ends and lengths of the parts to be taken out of the value found last
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let mut value = value;
        let whole = loop {
            match value {
                Value::Register(_) => {}
                Value::Constant(Constant::BigUInt(data), _) => {
                    break pool.bytes(data).len() as u64;
                }
                Value::Constant(constant, _) => break constant.ty().num_bytes(pool)?,
                Value::Undefined(..) | Value::TemplateVar { .. } | Value::Compiled(..) => {
                    return None;
                }
            }
            let OpKind::Assign { source: Source { kind, .. }, .. } =
                &self.definition(sub, value)?.kind
            else {
                return None;
            };
            match kind {
                SourceKind::Intrinsic(intrinsic) if intrinsic.op == AvmOp::Extract => {
                    match (intrinsic.immediates.as_slice(), intrinsic.args.as_slice()) {
                        ([Immediate::Int(start), Immediate::Int(length)], [whole])
                            if *length != 0 =>
                        {
                            let length = u64::try_from(*length).ok()?;
                            parts.push((u64::try_from(*start).ok()? + length, length));
                            value = *whole;
                        }
                        _ => return None,
                    }
                }
                SourceKind::Intrinsic(intrinsic) => {
                    let variant = intrinsic.op.variant(&intrinsic.immediates).ok()?;
                    let [result] = variant.returns else { return None };
                    break IrType::from(*result).num_bytes(pool)?;
                }
                SourceKind::InnerTransactionField { ty, .. } => break ty.num_bytes(pool)?,
                _ => return None,
            }
        };
        parts
            .iter()
            .rev()
            .try_fold(whole, |whole, (end, length)| (*end <= whole).then_some(*length))
    }
}
