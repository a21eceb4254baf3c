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
