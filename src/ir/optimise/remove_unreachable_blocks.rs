//! Removes the blocks that the entry does not reach. Where one predecessor is left, phis become copies.

use crate::base::entity::EntitySet;
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, Subroutine};

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let reachable = reachable(sub);
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

fn reachable(sub: &Subroutine) -> EntitySet<BlockId> {
    let mut seen = EntitySet::new();
    let mut pending = vec![sub.entry()];
    seen.insert(sub.entry());
    while let Some(block) = pending.pop() {
        pending
            .extend(sub.blocks[block].successors().into_iter().filter(|next| seen.insert(*next)));
    }
    seen
}
