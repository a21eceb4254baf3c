//! Instructions that take an operand from the stack, with the operand as an immediate instead: operand
//! constant in, shorter instruction out. Types and message stay.

use crate::avm::ops::{AvmOp, Immediate};
use crate::ir::op::{Intrinsic, Value};
use crate::ir::pool::Pool;

/// The form with immediates, where there is one for these operands.
pub(super) fn with_immediates(pool: &Pool<'_>, intrinsic: &Intrinsic) -> Option<Intrinsic> {
    let (op, immediates, args) = shorter(pool, intrinsic)?;
    Some(Intrinsic {
        op,
        immediates,
        args,
        types: intrinsic.types.clone(),
        error_message: intrinsic.error_message,
    })
}

type Parts = (AvmOp, Vec<Immediate>, Vec<Value>);

fn shorter(pool: &Pool<'_>, intrinsic: &Intrinsic) -> Option<Parts> {
    let immediates = intrinsic.immediates.as_slice();
    let is_bytes = |value: &Value| value.ty(pool).is_bytes(pool);
    let parts = match (intrinsic.op, intrinsic.args.as_slice(), immediates) {
        (AvmOp::Gitxnas, [index], [group, field]) => {
            (AvmOp::Gitxna, vec![*group, *field, byte(index)?], vec![])
        }
        (AvmOp::Itxnas, [index], [field]) => (AvmOp::Itxna, vec![*field, byte(index)?], vec![]),
        (AvmOp::Loads, [slot, rest @ ..], _) => (AvmOp::Load, vec![byte(slot)?], rest.to_vec()),
        (AvmOp::Stores, [slot, rest @ ..], _) => (AvmOp::Store, vec![byte(slot)?], rest.to_vec()),
        (AvmOp::Extract3, [value, start, length], _) if is_bytes(value) => {
            let length = byte(length)?;
            if length == Immediate::Int(0) {
                // as an immediate this would mean "to the end"
                return None;
            }
            (AvmOp::Extract, vec![byte(start)?, length], vec![*value])
        }
        (AvmOp::Substring3, [value, start, end], _) if is_bytes(value) => {
            (AvmOp::Substring, vec![byte(start)?, byte(end)?], vec![*value])
        }
        (AvmOp::Replace3, [value, start, part], _) => {
            (AvmOp::Replace2, vec![byte(start)?], vec![*value, *part])
        }
        (AvmOp::Args, [index], _) => (AvmOp::Arg, vec![byte(index)?], vec![]),
        (AvmOp::Gaids, [group], _) => (AvmOp::Gaid, vec![byte(group)?], vec![]),
        (AvmOp::Gloads, [group], [slot]) => (AvmOp::Gload, vec![byte(group)?, *slot], vec![]),
        (AvmOp::Gloadss, [group, slot], _) => match (byte(group), byte(slot)) {
            (Some(group), Some(slot)) => (AvmOp::Gload, vec![group, slot], vec![]),
            (None, Some(slot)) => (AvmOp::Gloads, vec![slot], vec![*group]),
            (_, None) => return None,
        },
        (AvmOp::Txnas, [index], [field]) => (AvmOp::Txna, vec![*field, byte(index)?], vec![]),
        (AvmOp::Gtxns, [group], [field]) => (AvmOp::Gtxn, vec![byte(group)?, *field], vec![]),
        (AvmOp::Gtxnas, [index], [group, field]) => {
            (AvmOp::Gtxna, vec![*group, *field, byte(index)?], vec![])
        }
        (AvmOp::Gtxnsa, [group], [field, index]) => {
            (AvmOp::Gtxna, vec![byte(group)?, *field, *index], vec![])
        }
        (AvmOp::Gtxnsas, [group, index], [field]) => match (byte(group), byte(index)) {
            (Some(group), Some(index)) => (AvmOp::Gtxna, vec![group, *field, index], vec![]),
            (Some(group), None) => (AvmOp::Gtxnas, vec![group, *field], vec![*index]),
            (None, Some(index)) => (AvmOp::Gtxnsa, vec![*field, index], vec![*group]),
            (None, None) => return None,
        },
        _ => return None,
    };
    Some(parts)
}

/// A constant operand that fits an immediate.
fn byte(value: &Value) -> Option<Immediate> {
    let value = u8::try_from(value.uint64_constant()?).ok()?;
    Some(Immediate::Int(i64::from(value)))
}
