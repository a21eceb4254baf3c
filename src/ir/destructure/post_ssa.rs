//! Tidies up what destructuring left: blocks that only jump, and blocks that do the same as another.

use crate::base::ordered::LookupMap;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;
use crate::ir::cfg;
use crate::ir::freeze::{self, FreezeKey};
use crate::ir::model::{BlockId, Subroutine};

/// Removes jumps from level 1 on; merges equal blocks from level 2 on, as that costs debuggability.
pub(super) fn run(sub: &mut Subroutine, ctx: Ctx<'_, '_>) -> Outcome<()> {
    if ctx.options.optimization_level >= 1 {
        cfg::remove_linear_jumps(sub)?;
    }
    if ctx.options.optimization_level >= 2 {
        merge_equal_blocks(sub, ctx);
    }
    Ok(())
}

/// Lets the first of several equal blocks stand for all of them. One sweep: blocks that become equal
/// by it stay.
fn merge_equal_blocks(sub: &mut Subroutine, ctx: Ctx<'_, '_>) {
    let mut seen: LookupMap<FreezeKey, BlockId> = LookupMap::new();
    let mut body = Vec::with_capacity(sub.body.len());
    let blocks = std::mem::take(&mut sub.body);
    for block in blocks {
        let first = *seen.get_or_insert_with(freeze::block_key(ctx, sub, block), || block);
        if first == block {
            body.push(block);
            continue;
        }
        for successor in sub.blocks[block].successors() {
            sub.replace_predecessor(successor, block, first);
        }
        cfg::retarget(sub, block, first);
    }
    sub.body = body;
}
