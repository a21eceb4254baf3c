//! Gives every edge from a block with several successors to one with several predecessors a block of
//! its own, so that copies for that edge have a place.

use crate::base::source::Loc;
use crate::ir::Ctx;
use crate::ir::model::{BasicBlock, BlockId, Subroutine};
use crate::ir::op::{Terminator, TerminatorKind};

/// Splits all critical edges except those from a block to itself.
pub(super) fn split(sub: &mut Subroutine, ctx: Ctx<'_, '_>) {
    if sub.body.len() < 2 {
        return;
    }
    let mut next_number = sub.next_block_number();
    let mut body = Vec::with_capacity(sub.body.len());
    for predecessor in std::mem::take(&mut sub.body) {
        body.push(predecessor);
        let successors = sub.blocks[predecessor].successors();
        if successors.len() < 2 {
            continue;
        }
        for successor in successors {
            if successor != predecessor && sub.blocks[successor].predecessors.len() > 1 {
                body.push(split_edge(sub, ctx, predecessor, successor, next_number));
                next_number += 1;
            }
        }
    }
    sub.body = body;
}

fn split_edge(
    sub: &mut Subroutine,
    ctx: Ctx<'_, '_>,
    predecessor: BlockId,
    successor: BlockId,
    number: u32,
) -> BlockId {
    let (from, to) = (sub.number(predecessor), sub.number(successor));
    let label = ctx.sym(&format!("split_critical_edge_from_{from}_to_{to}"));
    let mut block = BasicBlock::new(sub.blocks[predecessor].loc, Some(label), None);
    let loc: Loc = sub.blocks[predecessor].terminator().loc;
    block.number = Some(number);
    block.terminator = Some(Terminator { kind: TerminatorKind::Goto(successor), loc });
    block.predecessors.push(predecessor);
    let block = sub.blocks.push(block);
    sub.blocks[predecessor].terminator_mut().replace_target(successor, block);
    sub.replace_predecessor(successor, predecessor, block);
    block
}
