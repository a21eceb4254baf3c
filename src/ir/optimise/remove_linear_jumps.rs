//! Removes blocks that do nothing but go on to another block: whoever went there goes to the target at
//! once. Blocks whose target has phis stay.

use crate::base::ordered::OrderedMap;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::{BlockId, Subroutine};
use crate::ir::op::{Terminator, TerminatorKind};

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, _ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    remove(sub)
}

/// See the module; also a step after SSA is left.
pub(in crate::ir) fn remove(sub: &mut Subroutine) -> Outcome<bool> {
    let jumps: OrderedMap<BlockId, BlockId> =
        sub.body.iter().filter_map(|block| Some((*block, jump_target(sub, *block)?))).collect();
    if jumps.is_empty() {
        return Ok(false);
    }
    for (jump, first) in &jumps {
        let mut target = *first;
        let mut steps = 0;
        loop {
            sub.blocks[target].discard_predecessor(*jump);
            match jumps.get(&target) {
                Some(next) => target = *next,
                None => break,
            }
            steps += 1;
            if steps > jumps.len() {
                let message = "empty blocks go to each other in a circle";
                return Err(Failure::internal(message, sub.blocks[*jump].loc));
            }
        }
        retarget(sub, *jump, target);
    }
    sub.body.retain(|block| !jumps.contains_key(block));
    Ok(true)
}

fn jump_target(sub: &Subroutine, block: BlockId) -> Option<BlockId> {
    let data = &sub.blocks[block];
    match data.terminator().kind {
        TerminatorKind::Goto(target)
            if data.phis.is_empty()
                && data.ops.is_empty()
                && target != block
                && sub.blocks[target].phis.is_empty() =>
        {
            Some(target)
        }
        _ => None,
    }
}

/// Lets everything that goes to `old` go to `new`. A terminator with one target left becomes a goto.
pub(in crate::ir) fn retarget(sub: &mut Subroutine, old: BlockId, new: BlockId) {
    for index in 0..sub.blocks[old].predecessors.len() {
        let predecessor = sub.blocks[old].predecessors[index];
        let terminator = sub.blocks[predecessor].terminator_mut();
        terminator.replace_target(old, new);
        simplify(terminator);
        sub.blocks[new].add_predecessor(predecessor);
    }
}

fn simplify(terminator: &mut Terminator) {
    if let [single] = terminator.unique_targets()[..] {
        terminator.kind = TerminatorKind::Goto(single);
    }
}
