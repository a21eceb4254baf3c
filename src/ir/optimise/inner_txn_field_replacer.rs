//! Reads fields of a submitted inner transaction by instruction, once it is known which transaction of
//! the group is meant: `itxn` for the last of the group, `gitxn` for any other.

use crate::avm::fields;
use crate::avm::ops::{AvmOp, Immediate};
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::Subroutine;
use crate::ir::op::{Constant, Intrinsic, Source, SourceKind, Value};

use super::{PassCtx, set_source};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut changed = false;
    for index in 0..sub.body.len() {
        for place in 0..sub.blocks[sub.body[index]].ops.len() {
            let op = sub.blocks[sub.body[index]].ops[place];
            let Some((_, source)) = sub.single_assignment(op) else { continue };
            if let Some(source) = instruction(source)? {
                set_source(sub, ctx.ir, op, source)?;
                changed = true;
            }
        }
    }
    Ok(changed)
}

fn instruction(source: &Source) -> Outcome<Option<Source>> {
    let SourceKind::InnerTransactionField {
        field,
        group_index: Value::Constant(Constant::Itxn { value: group_index, .. }, _),
        is_last_in_group,
        array_index,
        ..
    } = &source.kind
    else {
        return Ok(None);
    };
    let name = fields::name(field.name())
        .ok_or_else(|| Failure::internal("transaction field without a name", source.loc))?;
    let mut immediates = vec![Immediate::Name(name)];
    let is_last = is_last_in_group.uint64_constant().is_some_and(|flag| flag != 0);
    let op = match (is_last, array_index) {
        (true, None) => AvmOp::Itxn,
        (true, Some(_)) => AvmOp::Itxnas,
        (false, None) => AvmOp::Gitxn,
        (false, Some(_)) => AvmOp::Gitxnas,
    };
    if !is_last {
        let group_index = i64::try_from(*group_index)
            .map_err(|_| Failure::internal("group index out of range", source.loc))?;
        immediates.insert(0, Immediate::Int(group_index));
    }
    let args = array_index.iter().map(|index| **index).collect();
    let intrinsic = Intrinsic::with_signature_types(op, immediates, args, source.loc)?;
    Ok(Some(Source { kind: SourceKind::Intrinsic(intrinsic), loc: source.loc }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_known_transaction_is_read_by_instruction() {
        check(
            "inner_txn_field_replacer",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = itxn[itxn_group_idx(0)].Fee
                    let g#0: itxn_group_idx = undefined
                    let b#0: uint64 = itxn[g#0].Fee
                    let c#0: bytes = itxn[itxn_group_idx(0)].Logs[a#0]
                    exit a#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (itxn Fee)
                    let g#0: itxn_group_idx = undefined
                    let b#0: uint64 = itxn[g#0].Fee
                    let c#0: bytes = ((itxnas Logs) a#0)
                    exit a#0
            "#,
        );
    }
}
