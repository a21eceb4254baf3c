//! Rules for instructions on numbers of 64 bits. What would fail at run time is left alone.

use crate::avm::ops::AvmOp;
use crate::base::source::Loc;
use crate::ir::model::Subroutine;
use crate::ir::op::{Intrinsic, Value};
use crate::ir::types::IrType;

use super::fold::{evolved, number};
use super::{Folded, Simplifier};

/// What of a result is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Number,
    /// Only whether it is zero.
    Truth,
}

/// What the rules say of an instruction.
enum Result {
    Number(u64),
    Value(Value),
    /// Replaced by the negation of a value.
    Not(Value),
    /// Fails at run time, or is no number of 64 bits.
    Invalid,
    Unknown,
}

impl Simplifier<'_, '_> {
    pub(super) fn fold_uint64_unary(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        arg: Value,
    ) -> Option<Folded> {
        if intrinsic.op == AvmOp::Itob
            && let Some(inner) = self.defining_intrinsic(sub, arg)
            && inner.op == AvmOp::ExtractUint64
            && let ([bytes, start], Value::Register(register)) = (&inner.args[..], arg)
            && self.readers(sub, register).count() == 1
        {
            let args = vec![*bytes, *start, Value::uint64(8, Loc::NONE)];
            return Some(evolved(intrinsic, AvmOp::Extract3, args, loc));
        }
        let x = arg.uint64_constant()?;
        match intrinsic.op {
            AvmOp::Not => number(u64::from(x == 0), loc),
            AvmOp::BitwiseNot => number(!x, loc),
            AvmOp::Sqrt => number(x.isqrt(), loc),
            AvmOp::Bitlen => number(u64::from(u64::BITS - x.leading_zeros()), loc),
            AvmOp::Itob if self.ctx.options.expand_all_bytes => {
                Some(Folded::Value(self.itob_bytes(x, loc).value()))
            }
            AvmOp::Bzero if self.ctx.options.expand_all_bytes => {
                self.zero_bytes(x, loc).map(|zeros| Folded::Value(zeros.value()))
            }
            _ => None,
        }
    }

    pub(super) fn fold_uint64_binary(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        a: Value,
        b: Value,
    ) -> Option<Folded> {
        match binary(intrinsic.op, a, b, Wanted::Number) {
            Result::Number(value) => number(value, loc),
            Result::Value(value) => Some(Folded::Value(value)),
            Result::Not(value) => Some(evolved(intrinsic, AvmOp::Not, vec![value], loc)),
            Result::Invalid => None,
            Result::Unknown => {
                if !matches!(intrinsic.op, AvmOp::And | AvmOp::Or) {
                    return None;
                }
                let (new_a, new_b) = (self.as_truth_value(sub, a), self.as_truth_value(sub, b));
                if new_a.is_none() && new_b.is_none() {
                    return None;
                }
                let args = vec![new_a.unwrap_or(a), new_b.unwrap_or(b)];
                Some(evolved(intrinsic, intrinsic.op, args, loc))
            }
        }
    }

    /// A simpler value with the same truth as a register, from the instruction that defines it.
    pub(super) fn as_truth_value(&self, sub: &Subroutine, value: Value) -> Option<Value> {
        let op = self.definition(sub, value)?;
        let intrinsic = op.intrinsic()?;
        let [a, b] = intrinsic.args[..] else { return None };
        let pool = self.ctx.pool;
        if !(a.ty(pool).is_uint64(pool) && b.ty(pool).is_uint64(pool)) {
            return None;
        }
        let crate::ir::op::OpKind::Assign { source, .. } = &op.kind else { return None };
        match binary(intrinsic.op, a, b, Wanted::Truth) {
            Result::Number(number) => Some(Value::uint64(number, source.loc)),
            Result::Value(value) => Some(value),
            Result::Not(_) | Result::Invalid | Result::Unknown => None,
        }
    }
}

/// The rules for two operands. The first that applies decides.
fn binary(op: AvmOp, a: Value, b: Value, wanted: Wanted) -> Result {
    if a == b {
        match op {
            AvmOp::Sub | AvmOp::Neq | AvmOp::Lt | AvmOp::Gt | AvmOp::BitwiseXor => {
                return Result::Number(0);
            }
            AvmOp::Eq | AvmOp::Lte | AvmOp::Gte => return Result::Number(1),
            AvmOp::BitwiseAnd | AvmOp::BitwiseOr => return Result::Value(a),
            _ => {}
        }
    }
    let as_truth =
        |value: Value| wanted == Wanted::Truth || matches!(type_of(value), Some(IrType::Bool));
    match (a.uint64_constant(), op, b.uint64_constant()) {
        (_, AvmOp::Gte, Some(0)) | (Some(0), AvmOp::Lte, _) => Result::Number(1),
        (Some(1), AvmOp::Mul, _) => Result::Value(b),
        (_, AvmOp::Mul | AvmOp::DivFloor, Some(1)) => Result::Value(a),
        (Some(0), AvmOp::Add, _) => Result::Value(b),
        (_, AvmOp::Add | AvmOp::Sub, Some(0)) => Result::Value(a),
        (Some(0), AvmOp::Mul | AvmOp::And, _) | (_, AvmOp::Mul | AvmOp::And, Some(0)) => {
            Result::Number(0)
        }
        (Some(0), AvmOp::Or, _) if wanted == Wanted::Truth => Result::Value(b),
        (_, AvmOp::Or, Some(0)) if wanted == Wanted::Truth => Result::Value(a),
        (Some(0), AvmOp::Neq | AvmOp::Lt, _) | (Some(1), AvmOp::Lte, _) if as_truth(b) => {
            Result::Value(b)
        }
        (_, AvmOp::Neq | AvmOp::Gt, Some(0)) | (_, AvmOp::Gte, Some(1)) if as_truth(a) => {
            Result::Value(a)
        }
        (Some(a), _, Some(b)) => compute(op, a, b),
        (Some(0), AvmOp::Eq, _) => Result::Not(b),
        (_, AvmOp::Eq, Some(0)) => Result::Not(a),
        _ => Result::Unknown,
    }
}

/// The type of a value that carries one itself.
fn type_of(value: Value) -> Option<IrType> {
    match value {
        Value::Register(register) => Some(register.ty),
        Value::Constant(crate::ir::op::Constant::UInt64 { ty, .. }, _)
        | Value::Undefined(ty, _)
        | Value::TemplateVar { ty, .. } => Some(ty),
        Value::Constant(..) | Value::Compiled(..) => None,
    }
}

fn compute(op: AvmOp, a: u64, b: u64) -> Result {
    let result = match op {
        AvmOp::Add => a.checked_add(b),
        AvmOp::Sub => a.checked_sub(b),
        AvmOp::Mul => a.checked_mul(b),
        AvmOp::DivFloor => a.checked_div(b),
        AvmOp::Mod => a.checked_rem(b),
        AvmOp::Lt => Some(u64::from(a < b)),
        AvmOp::Lte => Some(u64::from(a <= b)),
        AvmOp::Gt => Some(u64::from(a > b)),
        AvmOp::Gte => Some(u64::from(a >= b)),
        AvmOp::Eq => Some(u64::from(a == b)),
        AvmOp::Neq => Some(u64::from(a != b)),
        AvmOp::And => Some(u64::from(a != 0 && b != 0)),
        AvmOp::Or => Some(u64::from(a != 0 || b != 0)),
        AvmOp::Shl => (b < 64).then(|| a << b),
        AvmOp::Shr => (b < 64).then(|| a >> b),
        AvmOp::Exp => power(a, b),
        AvmOp::BitwiseOr => Some(a | b),
        AvmOp::BitwiseAnd => Some(a & b),
        AvmOp::BitwiseXor => Some(a ^ b),
        _ => return Result::Unknown,
    };
    result.map_or(Result::Invalid, Result::Number)
}

/// Zero to the power of zero fails.
fn power(a: u64, b: u64) -> Option<u64> {
    match (a, b) {
        (0, 0) => None,
        (0 | 1, _) => Some(a.pow(u32::from(b != 0))),
        _ => a.checked_pow(u32::try_from(b).ok()?),
    }
}
