//! Appends a block to its only predecessor when that one does nothing but go there. Blocks with phis
//! stay.

use crate::diagnostics::Outcome;
use crate::ir::model::Subroutine;
use crate::ir::op::TerminatorKind;

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, _ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let old = std::mem::take(&mut sub.body);
    let count = old.len();
    let mut body = Vec::with_capacity(count);
    for (index, block) in old.into_iter().enumerate() {
        let predecessor = match sub.blocks[block].predecessors[..] {
            [predecessor] if index > 0 && sub.blocks[block].phis.is_empty() => predecessor,
            _ => {
                body.push(block);
                continue;
            }
        };
        if !matches!(sub.blocks[predecessor].terminator().kind, TerminatorKind::Goto(_)) {
            body.push(block);
            continue;
        }
        if predecessor == block {
            // only itself goes there: nothing does
            sub.touch();
            continue;
        }
        let ops = std::mem::take(&mut sub.blocks[block].ops);
        let terminator = sub.blocks[block].terminator.take();
        let data = &mut sub.blocks[predecessor];
        data.ops.extend(ops);
        data.terminator = terminator;
        for successor in sub.blocks[predecessor].successors() {
            sub.replace_predecessor(successor, block, predecessor);
        }
    }
    let changed = body.len() != count;
    sub.body = body;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_chain_collapses_into_its_first_block() {
        check(
            "merge_blocks",
            r#"
            main m:
                block@0: // L1
                    (log 0x01)
                    goto block@1
                block@1: // L2
                    (log 0x02)
                    goto block@2
                block@2: // L3
                    let a#0: uint64 = (txn Fee)
                    goto a#0 ? block@3 : block@4
                block@3: // L4
                    exit 1u
                block@4: // L5
                    exit 0u
            "#,
            r#"
            main m:
                block@0: // L1
                    (log 0x01)
                    (log 0x02)
                    let a#0: uint64 = (txn Fee)
                    goto a#0 ? block@3 : block@4
                block@3: // L4
                    exit 1u
                block@4: // L5
                    exit 0u
            "#,
        );
    }
}
