//! The control flow graph: orders of its blocks, and edits that several passes share.

use crate::base::entity::EntitySet;
use crate::base::ordered::OrderedMap;
use crate::diagnostics::{Failure, Outcome};

use super::model::{BlockId, Subroutine};
use super::op::TerminatorKind;

/// The blocks that can be reached from the entry, each after all its successors save where a loop
/// closes.
pub fn post_order(sub: &Subroutine) -> Vec<BlockId> {
    let mut order = Vec::with_capacity(sub.body.len());
    let Some(entry) = sub.body.first().copied() else { return order };
    let mut seen = EntitySet::new();
    seen.insert(entry);
    // blocks on the way from the entry, and how many of their targets were looked at
    let mut stack = vec![(entry, 0)];
    while let Some((block, looked_at)) = stack.last_mut() {
        let target = sub.blocks[*block].terminator.as_ref().and_then(|t| t.target(*looked_at));
        *looked_at += 1;
        match target {
            Some(target) if seen.insert(target) => stack.push((target, 0)),
            Some(_) => {}
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order
}

/// The blocks that can be reached from the entry, each before all its successors save where a loop
/// closes.
pub fn reverse_post_order(sub: &Subroutine) -> Vec<BlockId> {
    let mut order = post_order(sub);
    order.reverse();
    order
}

/// The blocks that can be reached from the entry.
pub fn reachable_blocks(sub: &Subroutine) -> EntitySet<BlockId> {
    let mut reached: EntitySet<BlockId> = sub.body.first().copied().into_iter().collect();
    let mut pending: Vec<BlockId> = sub.body.first().copied().into_iter().collect();
    while let Some(block) = pending.pop() {
        let Some(terminator) = &sub.blocks[block].terminator else { continue };
        let targets = (0..).map_while(|place| terminator.target(place));
        pending.extend(targets.filter(|target| reached.insert(*target)));
    }
    reached
}

/// Makes a terminator that can go to one block only a plain jump.
pub fn simplify_single_target(sub: &mut Subroutine, block: BlockId) {
    let terminator = sub.blocks[block].terminator_mut();
    if let Some(target) = terminator.single_target()
        && !matches!(terminator.kind, TerminatorKind::Goto(_))
    {
        terminator.kind = TerminatorKind::Goto(target);
        // what it read may be unused now, which is more than a jump led on
        sub.touch_with_known_kinds();
    }
}

/// Lets all who go to `old` go to `new` instead. Terminators that are left with one target become
/// plain jumps. The predecessors of `old` stay listed there.
pub fn retarget(sub: &mut Subroutine, old: BlockId, new: BlockId) {
    for predecessor in sub.blocks[old].predecessors.clone() {
        sub.blocks[predecessor].terminator_mut().replace_target(old, new);
        simplify_single_target(sub, predecessor);
        sub.blocks[new].add_predecessor(predecessor);
    }
}

/// Removes blocks that do nothing but jump, unless a phi depends on the edge:
/// `{p} -> {jump} -> {target}` becomes `{p} -> {target}`. True when there were any.
pub fn remove_linear_jumps(sub: &mut Subroutine) -> Outcome<bool> {
    let mut jumps: OrderedMap<BlockId, BlockId> = OrderedMap::default();
    for block in &sub.body {
        let data = &sub.blocks[*block];
        if let TerminatorKind::Goto(target) = data.terminator().kind
            && data.phis.is_empty()
            && data.ops.is_empty()
            && target != *block
            && sub.blocks[target].phis.is_empty()
        {
            jumps.insert(*block, target);
        }
    }
    if jumps.is_empty() {
        return Ok(false);
    }
    for (&jump, &first) in &jumps {
        let mut target = first;
        let mut followed = 0;
        loop {
            sub.blocks[target].discard_predecessor(jump);
            let Some(next) = jumps.get(&target) else { break };
            target = *next;
            followed += 1;
            if followed > jumps.len() {
                // The reference follows such a chain for ever.
                let loc = sub.blocks[jump].loc;
                return Err(Failure::internal("empty blocks jump in a circle", loc));
            }
        }
        retarget(sub, jump, target);
    }
    sub.body.retain(|block| !jumps.contains_key(block));
    Ok(true)
}
