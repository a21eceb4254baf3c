//! The rules for single instructions: instruction in, its value or a cheaper instruction out. The
//! family of the instruction decides which rules are tried; this file has those of `select`, of single
//! bits, of parts of byte strings and of concatenation.

use crate::avm::fields::MAX_BYTES_LENGTH;
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::ir::model::Subroutine;
use crate::ir::op::{Constant, Intrinsic, Value};
use crate::ir::types::{AvmType, IrType};

use super::constants::{KnownBytes, TextIs, choose_encoding};
use super::{Folded, Simplifier};

/// The instruction with another operation and other operands; types and message stay.
pub(super) fn evolved(intrinsic: &Intrinsic, op: AvmOp, args: Vec<Value>, loc: Loc) -> Folded {
    let intrinsic = Intrinsic {
        op,
        immediates: intrinsic.immediates.clone(),
        args,
        types: intrinsic.types.clone(),
        error_message: intrinsic.error_message,
    };
    Folded::Intrinsic(intrinsic, loc)
}

/// A computed integer.
pub(super) fn number(value: u64, loc: Loc) -> Option<Folded> {
    Some(Folded::Value(Value::uint64(value, loc)))
}

impl Simplifier<'_, '_> {
    /// What an instruction can be replaced by, by the rules for its family.
    pub(super) fn fold(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
    ) -> Outcome<Option<Folded>> {
        let args = intrinsic.args.as_slice();
        Ok(match (intrinsic.op, args) {
            (AvmOp::Select, [zero, non_zero, selector]) => {
                self.fold_select(sub, intrinsic, loc, (*zero, *non_zero, *selector))
            }
            (AvmOp::Replace2, [whole, part]) => {
                self.fold_replace(sub, intrinsic, loc, *whole, *part)
            }
            (AvmOp::Getbit, [value, index]) => self.fold_getbit(sub, loc, *value, *index),
            (AvmOp::Setbit, [value, index, bit]) => {
                self.fold_setbit(sub, loc, *value, *index, *bit)
            }
            (AvmOp::ExtractUint16, [bytes, start]) => self.fold_read(sub, loc, *bytes, *start, 2),
            (AvmOp::ExtractUint32, [bytes, start]) => self.fold_read(sub, loc, *bytes, *start, 4),
            (AvmOp::ExtractUint64, [bytes, start]) => self.fold_read(sub, loc, *bytes, *start, 8),
            (AvmOp::Concat, [left, right]) => self.fold_concat(sub, loc, *left, *right),
            (AvmOp::Extract | AvmOp::Extract3, _) => self.fold_extract(sub, intrinsic, loc)?,
            (AvmOp::Substring | AvmOp::Substring3, _) => {
                self.fold_substring(sub, intrinsic, loc)?
            }
            _ if !intrinsic.immediates.is_empty() => None,
            (_, [a]) => match self.avm_type(*a) {
                Some(AvmType::UInt64) => self.fold_uint64_unary(sub, intrinsic, loc, *a),
                Some(AvmType::Bytes) => self.fold_bytes_unary(sub, intrinsic, loc, *a),
                _ => None,
            },
            (_, [a, b]) => match (self.avm_type(*a), self.avm_type(*b)) {
                (Some(AvmType::UInt64), Some(AvmType::UInt64)) => {
                    self.fold_uint64_binary(sub, intrinsic, loc, *a, *b)
                }
                (Some(AvmType::Bytes), Some(AvmType::Bytes)) => {
                    self.fold_bytes_binary(sub, intrinsic, loc, *a, *b).map(Folded::Value)
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn avm_type(&self, value: Value) -> Option<AvmType> {
        value.ty(self.ctx.pool).maybe_avm_type(self.ctx.pool)
    }

    fn fold_select(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        (zero, non_zero, selector): (Value, Value, Value),
    ) -> Option<Folded> {
        if let Some(selector) = selector.uint64_constant() {
            return Some(Folded::Value(if selector == 0 { zero } else { non_zero }));
        }
        if let Some(selector) = self.as_truth_value(sub, selector) {
            return Some(evolved(intrinsic, intrinsic.op, vec![zero, non_zero, selector], loc));
        }
        if zero == non_zero {
            return Some(Folded::Value(non_zero));
        }
        if let (Some(a), Some(b)) = (self.known_bytes(sub, zero), self.known_bytes(sub, non_zero))
            && a.data == b.data
        {
            return Some(Folded::Value(b.value()));
        }
        match (zero.uint64_constant()?, non_zero.uint64_constant()?) {
            (1, 0) => Some(evolved(intrinsic, AvmOp::Not, vec![selector], loc)),
            (0, value) if selector.ty(self.ctx.pool) == IrType::Bool => Some(match value {
                1 => Folded::Value(selector),
                _ => evolved(intrinsic, AvmOp::Mul, vec![selector, non_zero], loc),
            }),
            (0, 1) => {
                let args = vec![selector, Value::uint64(0, loc)];
                Some(evolved(intrinsic, AvmOp::Neq, args, loc))
            }
            _ => None,
        }
    }

    fn fold_replace(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        whole: Value,
        part: Value,
    ) -> Option<Folded> {
        let [Immediate::Int(start)] = intrinsic.immediates[..] else { return None };
        let start = usize::try_from(start).ok()?;
        let whole = self.known_bytes(sub, whole)?;
        let part = self.known_bytes(sub, part)?;
        let mut data = whole.data.to_vec();
        data.get_mut(start..start + part.data.len())?.copy_from_slice(part.data);
        let encoding = choose_encoding(whole.encoding, part.encoding, TextIs::Destroyed);
        Some(Folded::Value(self.bytes(&data, encoding, loc).value()))
    }

    fn fold_getbit(
        &self,
        sub: &Subroutine,
        loc: Loc,
        value: Value,
        index: Value,
    ) -> Option<Folded> {
        let index = index.uint64_constant()?;
        if let Some(value) = plain_uint64(value) {
            return (index < 64).then(|| number(value >> index & 1, loc)).flatten();
        }
        if self.avm_type(value) != Some(AvmType::Bytes) {
            return None;
        }
        let bytes = self.known_bytes(sub, value)?.data;
        let byte = bytes.get(usize::try_from(index / 8).ok()?)?;
        number(u64::from(byte >> (7 - index % 8) & 1), loc)
    }

    fn fold_setbit(
        &self,
        sub: &Subroutine,
        loc: Loc,
        value: Value,
        index: Value,
        bit: Value,
    ) -> Option<Folded> {
        let (index, bit) = (index.uint64_constant()?, bit.uint64_constant()? != 0);
        if let Some(value) = plain_uint64(value) {
            if index >= 64 {
                return None;
            }
            let mask = 1 << index;
            return number(if bit { value | mask } else { value & !mask }, loc);
        }
        if self.avm_type(value) != Some(AvmType::Bytes) {
            return None;
        }
        let known = self.known_bytes(sub, value)?;
        let mut data = known.data.to_vec();
        let byte = data.get_mut(usize::try_from(index / 8).ok()?)?;
        let mask = 0x80 >> (index % 8);
        *byte = if bit { *byte | mask } else { *byte & !mask };
        Some(Folded::Value(self.bytes(&data, known.binary_encoding(), loc).value()))
    }

    /// `extract_uint16` and its relatives.
    fn fold_read(
        &self,
        sub: &Subroutine,
        loc: Loc,
        bytes: Value,
        start: Value,
        size: u64,
    ) -> Option<Folded> {
        let start = start.uint64_constant()?;
        let part = slice(self.known_bytes(sub, bytes)?, start, start.checked_add(size)?)?;
        number(part.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), loc)
    }

    fn fold_concat(&self, sub: &Subroutine, loc: Loc, left: Value, right: Value) -> Option<Folded> {
        let (a, b) = (self.known_bytes(sub, left), self.known_bytes(sub, right));
        match (a, b) {
            (Some(a), _) if a.data.is_empty() => Some(Folded::Value(right)),
            (Some(a), Some(b)) => self.joined(a, b, loc).map(Folded::Value),
            (None, Some(b)) if b.data.is_empty() => Some(Folded::Value(left)),
            _ => None,
        }
    }

    /// Two byte strings in a row, unless that is too long for the AVM.
    pub(super) fn joined(&self, a: KnownBytes<'_>, b: KnownBytes<'_>, loc: Loc) -> Option<Value> {
        let data = [a.data, b.data].concat();
        let encoding = choose_encoding(a.encoding, b.encoding, TextIs::Kept);
        (data.len() <= MAX_BYTES_LENGTH).then(|| self.bytes(&data, encoding, loc).value())
    }

    fn fold_extract(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
    ) -> Outcome<Option<Folded>> {
        let Some((bytes, start, length)) = range(intrinsic) else { return Ok(None) };
        // as immediate, a length of zero means "to the end"
        let to_end = length == 0 && !intrinsic.immediates.is_empty();
        if let Some(known) = self.known_bytes(sub, bytes) {
            let end =
                if to_end { Some(known.data.len() as u64) } else { start.checked_add(length) };
            let part = end.and_then(|end| slice(known, start, end));
            return Ok(part.map(|part| {
                Folded::Value(self.bytes(part, known.binary_encoding(), loc).value())
            }));
        }
        if length == 0 && !to_end {
            return Ok(None);
        }
        let Some(inner) = self.defining_intrinsic(sub, bytes) else { return Ok(None) };
        let (AvmOp::Extract, [Immediate::Int(inner_start), Immediate::Int(0)], [whole]) =
            (inner.op, inner.immediates.as_slice(), inner.args.as_slice())
        else {
            return Ok(None);
        };
        let Some(start) = u64::try_from(*inner_start).ok().and_then(|s| s.checked_add(start))
        else {
            return Ok(None);
        };
        let chained = if let (Ok(start), Ok(length)) = (u8::try_from(start), u8::try_from(length)) {
            let immediates = vec![Immediate::Int(start.into()), Immediate::Int(length.into())];
            Intrinsic::with_signature_types(AvmOp::Extract, immediates, vec![*whole], loc)?
        } else if !to_end {
            let constant = |value| Value::uint64(value, Loc::NONE);
            let args = vec![*whole, constant(start), constant(length)];
            Intrinsic::with_signature_types(AvmOp::Extract3, Vec::new(), args, loc)?
        } else {
            return Ok(None);
        };
        Ok(Some(Folded::Intrinsic(chained, loc)))
    }

    fn fold_substring(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
    ) -> Outcome<Option<Folded>> {
        if let Some((bytes, start, end)) = range(intrinsic)
            && let Some(known) = self.known_bytes(sub, bytes)
        {
            return Ok(slice(known, start, end).map(|part| {
                Folded::Value(self.bytes(part, known.binary_encoding(), loc).value())
            }));
        }
        let [bytes, start, end] = intrinsic.args[..] else { return Ok(None) };
        let Some(start) = start.uint64_constant().and_then(|start| u8::try_from(start).ok()) else {
            return Ok(None);
        };
        match self.defining_intrinsic(sub, end) {
            Some(length) if length.op == AvmOp::Len && length.args == [bytes] => {
                let immediates = vec![Immediate::Int(start.into()), Immediate::Int(0)];
                Intrinsic::with_signature_types(AvmOp::Extract, immediates, vec![bytes], loc)
                    .map(|extract| Some(Folded::Intrinsic(extract, loc)))
            }
            _ => Ok(None),
        }
    }
}

/// The number, when a value is a constant of exactly the type `uint64`.
fn plain_uint64(value: Value) -> Option<u64> {
    match value.constant()? {
        Constant::UInt64 { value, ty: IrType::UInt64, .. } => Some(value),
        _ => None,
    }
}

/// Operand and the two numbers that say which part of it to take, from immediates or the stack.
fn range(intrinsic: &Intrinsic) -> Option<(Value, u64, u64)> {
    match (intrinsic.immediates.as_slice(), intrinsic.args.as_slice()) {
        ([Immediate::Int(a), Immediate::Int(b)], [bytes]) => {
            Some((*bytes, u64::try_from(*a).ok()?, u64::try_from(*b).ok()?))
        }
        ([], [bytes, a, b]) => Some((*bytes, a.uint64_constant()?, b.uint64_constant()?)),
        _ => None,
    }
}

fn slice(known: KnownBytes<'_>, start: u64, end: u64) -> Option<&[u8]> {
    known.data.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}
