//! Instructions whose constant operands make them fail whenever they are reached.

use num_bigint::BigUint;

use crate::avm::fields::{
    MAX_BIGUINT_BITS, MAX_BIGUINT_BYTES, MAX_BOX_BYTES_LENGTH, MAX_BOX_KEY_LENGTH,
    MAX_BYTES_LENGTH, MAX_SCRATCH_SLOT_NUMBER, MAX_STATE_KEY_LENGTH, MAX_TRANSACTION_GROUP_SIZE,
    MIN_BOX_KEY_LENGTH,
};
use crate::avm::ops::{AvmOp, Immediate, StackType};
use crate::diagnostics::Severity;
use crate::ir::Ctx;
use crate::ir::model::Program;
use crate::ir::op::{Constant, Intrinsic, Value};
use crate::ir::pool::Pool;

use super::for_each_intrinsic;

const MAX_BYTES: u64 = MAX_BYTES_LENGTH as u64;
const MAX_BOX_BYTES: u64 = MAX_BOX_BYTES_LENGTH as u64;

/// What will go wrong.
pub(super) struct Problem {
    severity: Severity,
    message: String,
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        Problem { severity: Severity::Warning, message: message.to_owned() }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Problem { severity: Severity::Warning, message }
    }
}

/// Reports the first problem of each instruction that has one.
pub(super) fn check(program: &Program, ctx: Ctx<'_, '_>) {
    for_each_intrinsic(program, |intrinsic, loc| {
        if let Some(Problem { severity, message }) = problem(ctx.pool, intrinsic) {
            let message = format!("{message}; will fail at runtime if reached");
            ctx.sink().report(severity, message, loc);
        }
    });
}

/// The first problem of an instruction.
pub(super) fn problem(pool: &Pool<'_>, intrinsic: &Intrinsic) -> Option<Problem> {
    let is_constant = |arg: &Value| matches!(arg, Value::Constant(..));
    if intrinsic.immediates.is_empty() && !intrinsic.args.iter().any(is_constant) {
        return None;
    }
    let operands = Operands { pool, intrinsic };
    check_signature(&operands).or_else(|| check_op(&operands))
}

/// The constant operands of an instruction.
struct Operands<'i, 's> {
    pool: &'i Pool<'s>,
    intrinsic: &'i Intrinsic,
}

impl<'s> Operands<'_, 's> {
    fn value(&self, index: usize) -> Option<Value> {
        self.intrinsic.args.get(index).copied()
    }
    /// An integer of 64 bits, if constant.
    fn int(&self, index: usize) -> Option<u64> {
        self.value(index)?.uint64_constant()
    }
    /// A byte string, if constant.
    fn bytes(&self, index: usize) -> Option<&'s [u8]> {
        match self.value(index)?.constant()? {
            Constant::Bytes { data, .. } => Some(self.pool.bytes(data)),
            _ => None,
        }
    }
    /// A wide integer, if constant; bytes count as one.
    fn wide(&self, index: usize) -> Option<BigUint> {
        match self.value(index)?.constant()? {
            Constant::BigUInt(data) | Constant::Bytes { data, .. } => {
                Some(BigUint::from_bytes_be(self.pool.bytes(data)))
            }
            _ => None,
        }
    }
    /// Length of a byte string, or the greatest possible one.
    fn length_or_max(&self, index: usize) -> u64 {
        self.bytes(index).map_or(MAX_BYTES, |bytes| bytes.len() as u64)
    }
    fn immediate(&self, index: usize) -> u64 {
        match self.intrinsic.immediates.get(index) {
            Some(Immediate::Int(value)) => u64::try_from(*value).unwrap_or(0),
            Some(Immediate::Name(_)) | None => 0,
        }
    }
    /// Whether a constant integer operand is one of those the predicate names.
    fn int_is(&self, index: usize, predicate: impl Fn(u64) -> bool) -> bool {
        self.int(index).is_some_and(predicate)
    }
    /// Whether two constant integers add up to more than a limit.
    fn sum_exceeds(&self, a: Option<u64>, b: Option<u64>, limit: u64) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a.checked_add(b).is_none_or(|sum| sum > limit))
    }
}

fn when(fails: bool, message: &str) -> Option<Problem> {
    fails.then(|| message.into())
}

/// What the types of the operands imply.
fn check_signature(operands: &Operands<'_, '_>) -> Option<Problem> {
    let intrinsic = operands.intrinsic;
    let variant = intrinsic.op.variant(&intrinsic.immediates).ok()?;
    let error = |message: &str| Some(Problem { severity: Severity::Error, ..message.into() });
    let count = variant.args.len().min(intrinsic.args.len());
    (0..count).find_map(|index| {
        let length = operands.bytes(index).map(<[u8]>::len);
        match variant.args[index] {
            StackType::StateKey if length.is_some_and(|n| n > MAX_STATE_KEY_LENGTH) => {
                error("state key constant exceeds 64 bytes")
            }
            StackType::BoxKey
                if length
                    .is_some_and(|n| !(MIN_BOX_KEY_LENGTH..=MAX_BOX_KEY_LENGTH).contains(&n)) =>
            {
                error("box key constant has invalid length (must be 1-64 bytes)")
            }
            StackType::BigUInt => {
                let wide = operands.wide(index)?;
                let fails = length.is_some_and(|n| n > MAX_BIGUINT_BYTES)
                    || wide.bits() > u64::from(MAX_BIGUINT_BITS);
                when(fails, "biguint constant operand exceeds 512 bits")
            }
            _ => None,
        }
    })
}

/// What the instruction itself implies.
fn check_op(operands: &Operands<'_, '_>) -> Option<Problem> {
    let op = operands.intrinsic.op;
    let int = |index| operands.int(index);
    match op {
        AvmOp::Add | AvmOp::Mul | AvmOp::Exp | AvmOp::Sub => {
            check_uint64_result(op, int(0)?, int(1)?)
        }
        AvmOp::DivFloor => when(operands.int_is(1, |x| x == 0), "uint64 division by constant zero"),
        AvmOp::Mod => when(operands.int_is(1, |x| x == 0), "uint64 modulo by constant zero"),
        AvmOp::Shl | AvmOp::Shr => {
            when(operands.int_is(1, |x| x >= 64), "uint64 shift by invalid constant amount")
        }
        AvmOp::Btoi => {
            let fails = operands.bytes(0).is_some_and(|bytes| bytes.len() > 8);
            when(fails, "btoi of constant bytes exceeds 8 bytes")
        }
        AvmOp::Bzero => when(
            operands.int_is(0, |x| x > MAX_BYTES),
            "bzero of constant length exceeds AVM stack byte limit",
        ),
        AvmOp::ExtractUint16 => check_extract_uint(operands, 2),
        AvmOp::ExtractUint32 => check_extract_uint(operands, 4),
        AvmOp::ExtractUint64 => check_extract_uint(operands, 8),
        AvmOp::Extract => {
            let (start, length) = (operands.immediate(0), operands.immediate(1));
            let available = operands.length_or_max(0);
            when(start > available, "start index for extract is out of bounds").or_else(|| {
                let fails = length != 0 && start + length > available;
                when(fails, "end index for extract is out of bounds")
            })
        }
        AvmOp::Extract3 => when(
            operands.sum_exceeds(int(1), int(2), operands.length_or_max(0)),
            "extract3 buffer overflow",
        ),
        AvmOp::Substring => {
            when(operands.immediate(1) > operands.length_or_max(0), "substring buffer overflow")
        }
        AvmOp::Substring3 => {
            let available = operands.length_or_max(0);
            let beyond = |index| operands.int_is(index, |x| x > available);
            when(beyond(1) || beyond(2), "substring3 buffer over-read").or_else(|| {
                let fails = matches!((int(1), int(2)), (Some(start), Some(end)) if end < start);
                when(fails, "substring3 has end preceding start")
            })
        }
        AvmOp::Replace2 => {
            let length = operands.bytes(1)?.len() as u64;
            let fails = operands.immediate(0) + length > operands.length_or_max(0);
            when(fails, "replace2 buffer overflow")
        }
        AvmOp::Replace3 => {
            let length = operands.bytes(2).map(|bytes| bytes.len() as u64);
            let fails = operands.sum_exceeds(int(1), length, operands.length_or_max(0));
            when(fails, "replace3 buffer overflow")
        }
        AvmOp::Getbit | AvmOp::Setbit => {
            let index = int(1)?;
            if operands.value(0)?.ty(operands.pool).is_uint64(operands.pool) {
                return when(index >= 64, "bit index of uint64 is out of bounds");
            }
            when(index >= 8 * operands.length_or_max(0), "bit index of bytes is out of bounds")
        }
        AvmOp::Getbyte | AvmOp::Setbyte => {
            let available = operands.length_or_max(0);
            when(operands.int_is(1, |x| x >= available), "byte index of bytes is out of bounds")
        }
        AvmOp::Concat => {
            let length = operands.bytes(0)?.len() + operands.bytes(1)?.len();
            when(length > MAX_BYTES_LENGTH, "concat buffer overflow")
        }
        AvmOp::SubBytes => {
            when(operands.wide(0)? < operands.wide(1)?, "biguint constant underflow")
        }
        AvmOp::DivFloorBytes => {
            when(operands.wide(1)?.bits() == 0, "biguint division by constant zero")
        }
        AvmOp::ModBytes => when(operands.wide(1)?.bits() == 0, "biguint modulo by constant zero"),
        AvmOp::BoxCreate
        | AvmOp::BoxResize
        | AvmOp::BoxExtract
        | AvmOp::BoxReplace
        | AvmOp::BoxSplice => check_box(operands),
        _ => check_group_and_slots(operands),
    }
}

fn check_uint64_result(op: AvmOp, a: u64, b: u64) -> Option<Problem> {
    let fits = match op {
        AvmOp::Add => a.checked_add(b).is_some(),
        AvmOp::Mul => a.checked_mul(b).is_some(),
        AvmOp::Sub => return when(a < b, "uint64 constant underflow"),
        // The smallest number with a power beyond 64 bits is 2, at exponent 64.
        _ => a < 2 || u32::try_from(b).is_ok_and(|b| a.checked_pow(b).is_some()),
    };
    let undefined = op == AvmOp::Exp && a == 0 && b == 0;
    when(!fits, "uint64 constant overflow")
        .or_else(|| when(undefined, "uint64 exp result is undefined"))
}

fn check_extract_uint(operands: &Operands<'_, '_>, size: u64) -> Option<Problem> {
    let fails = operands.sum_exceeds(operands.int(1), Some(size), operands.length_or_max(0));
    fails.then(|| format!("{} buffer over-read", operands.intrinsic.op).into())
}

fn check_box(operands: &Operands<'_, '_>) -> Option<Problem> {
    let op = operands.intrinsic.op;
    let too_large = |index, what: &str| {
        let fails = operands.int_is(index, |x| x > MAX_BOX_BYTES);
        fails.then(|| format!("{op} {what} exceeds maximum box size ({MAX_BOX_BYTES})").into())
    };
    let end_too_large = |length| {
        let fails = operands.sum_exceeds(operands.int(1), length, MAX_BOX_BYTES);
        fails.then(|| format!("{op} end exceeds maximum box size").into())
    };
    match op {
        AvmOp::BoxExtract => {
            let fails = operands.int_is(2, |x| x > MAX_BYTES);
            when(fails, "box_extract length exceeds AVM stack byte limit")
                .or_else(|| too_large(1, "start"))
                .or_else(|| end_too_large(operands.int(2)))
        }
        AvmOp::BoxReplace => too_large(1, "start")
            .or_else(|| end_too_large(operands.bytes(2).map(|bytes| bytes.len() as u64))),
        AvmOp::BoxSplice => too_large(1, "start")
            .or_else(|| too_large(2, "length"))
            .or_else(|| end_too_large(operands.int(2))),
        _ => too_large(1, "length"),
    }
}

/// Indexes into transaction groups, arrays of transaction fields and scratch space.
fn check_group_and_slots(operands: &Operands<'_, '_>) -> Option<Problem> {
    let group_immediate = || {
        let fails = operands.immediate(0) >= MAX_TRANSACTION_GROUP_SIZE;
        when(fails, "txn group index immediate exceeds maximum group size")
    };
    let group_operand = || {
        let fails = operands.int_is(0, |x| x >= MAX_TRANSACTION_GROUP_SIZE);
        when(fails, "txn group index constant exceeds maximum group size")
    };
    let slot = |index| {
        let fails = operands.int_is(index, |x| x > MAX_SCRATCH_SLOT_NUMBER);
        when(fails, "scratch slot id constant exceeds 255")
    };
    let array_index = |index, what: &str| {
        let fails = operands.int_is(index, |x| x > 255);
        fails.then(|| format!("{what} array field index constant exceeds uint8 range (255)").into())
    };
    match operands.intrinsic.op {
        AvmOp::Gaid | AvmOp::Gload | AvmOp::Gtxn | AvmOp::Gtxna | AvmOp::Gitxn | AvmOp::Gitxna => {
            group_immediate()
        }
        AvmOp::Gaids | AvmOp::Gloads | AvmOp::Gtxns | AvmOp::Gtxnsa => group_operand(),
        AvmOp::Gloadss => group_operand().or_else(|| slot(1)),
        AvmOp::Gtxnas => group_immediate().or_else(|| array_index(0, "txn")),
        AvmOp::Gtxnsas => group_operand().or_else(|| array_index(1, "txn")),
        AvmOp::Gitxnas => group_immediate().or_else(|| array_index(0, "inner txn")),
        AvmOp::Loads | AvmOp::Stores => slot(0),
        AvmOp::Txnas => array_index(0, "txn"),
        AvmOp::Itxnas => array_index(0, "inner txn"),
        _ => None,
    }
}
