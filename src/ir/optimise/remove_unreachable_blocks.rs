//! Removes the blocks that the entry does not reach. Where one predecessor is left, phis become copies.

use crate::diagnostics::Outcome;
use crate::ir::cfg;
use crate::ir::model::{BlockId, Subroutine};

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    if sub.body.len() == 1 {
        return Ok(false);
    }
    let reachable = cfg::reachable_blocks(sub);
    if reachable.len() == sub.body.len() {
        return Ok(false);
    }
    let (kept, dropped): (Vec<BlockId>, Vec<BlockId>) =
        sub.body.iter().partition(|block| reachable.contains(**block));
    for block in dropped {
        for successor in sub.blocks[block].successors() {
            if reachable.contains(successor) {
                sub.remove_predecessor(ctx.ir.pool, successor, block)?;
            }
        }
    }
    sub.body = kept;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_phi_with_one_argument_left_becomes_a_copy() {
        check(
            "remove_unreachable_blocks",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (txn Amount)
                    goto block@2
                block@1: // L2
                    goto block@2
                block@2: // L3
                    let c#0: uint64 = φ(a#0 <- block@0, b#0 <- block@1)
                    let d#0: uint64 = φ(b#0 <- block@0, a#0 <- block@1)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (txn Amount)
                    goto block@2
                block@2: // L3
                    let (c#0: uint64, d#0: uint64) = (a#0, b#0)
                    exit c#0
            "#,
        );
    }
}
