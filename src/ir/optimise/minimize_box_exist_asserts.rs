//! Drops assertions that a box exists when the block has shown it before: by such an assertion or by an
//! operation that would have failed otherwise. A deletion, or a call that may delete, makes all boxes
//! unknown again.

use crate::avm::ops::AvmOp;
use crate::base::entity::EntitySet;
use crate::base::ordered::{LookupMap, LookupSet};
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, OpId, Subroutine};
use crate::ir::op::{OpKind, Register, Value};
use crate::ir::pool::Pool;

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut changed = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let removed = superfluous(sub, ctx.ir.pool, block);
        if !removed.is_empty() {
            sub.blocks[block].ops.retain(|op| !removed.contains(*op));
            changed = true;
        }
    }
    Ok(changed)
}

fn superfluous(sub: &Subroutine, pool: &Pool<'_>, block: BlockId) -> EntitySet<OpId> {
    // the flags that may be asserted come from these
    let reads_box = |op: &OpId| {
        let intrinsic = sub.ops[*op].intrinsic();
        intrinsic.is_some_and(|read| matches!(read.op, AvmOp::BoxGet | AvmOp::BoxLen))
    };
    if !sub.blocks[block].ops.iter().any(reads_box) {
        return EntitySet::new();
    }
    let mut removed = EntitySet::new();
    let mut known: LookupSet<Value> = LookupSet::new();
    let mut key_of_flag: LookupMap<Register, Value> = LookupMap::new();
    for op in &sub.blocks[block].ops {
        let data = &sub.ops[*op];
        if let OpKind::Assert { condition, .. } = &data.kind {
            if let Value::Register(flag) = condition
                && let Some(key) = key_of_flag.get(flag)
                && !known.insert(*key)
            {
                removed.insert(*op);
            }
        } else if let Some(invoke) = data.invoke() {
            if !pool.header(invoke.target).pure {
                known.clear();
            }
        } else if let Some(intrinsic) = data.intrinsic() {
            match (intrinsic.op, intrinsic.args.first(), data.targets()) {
                (
                    AvmOp::BoxCreate
                    | AvmOp::BoxExtract
                    | AvmOp::BoxPut
                    | AvmOp::BoxReplace
                    | AvmOp::BoxResize
                    | AvmOp::BoxSplice,
                    Some(key),
                    _,
                ) => {
                    known.insert(*key);
                }
                (AvmOp::BoxDel, ..) => known.clear(),
                (AvmOp::BoxGet | AvmOp::BoxLen, Some(key), [_, flag]) => {
                    key_of_flag.insert(*flag, *key);
                }
                _ => {}
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn existence_shown_before_is_not_asserted_again() {
        check(
            "minimize_box_exist_asserts",
            r#"
            main m:
                block@0: // L1
                    let (a#0: bytes, b#0: bool) = (box_get "k")
                    (assert b#0)
                    let (c#0: uint64, d#0: bool) = (box_len "k")
                    (assert d#0)
                    (box_put "j" 0x)
                    let (e#0: uint64, f#0: bool) = (box_len "j")
                    (assert f#0)
                    let g#0: bool = (box_del "x")
                    (assert d#0)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let (a#0: bytes, b#0: bool) = (box_get "k")
                    (assert b#0)
                    let (c#0: uint64, d#0: bool) = (box_len "k")
                    (box_put "j" 0x)
                    let (e#0: uint64, f#0: bool) = (box_len "j")
                    let g#0: bool = (box_del "x")
                    (assert d#0)
                    exit 1u
            "#,
        );
    }
}
