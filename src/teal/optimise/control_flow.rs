//! Removes jumps: chains of them, jumps to a single op, to blocks nothing else goes to, and to the
//! block that follows anyway; calls that never come back become jumps.

use super::{Ctx, optimise_block};
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, LookupSet, OrderedMap};
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::teal::model::{Block, Op, OpKind, Subroutine};
use crate::teal::text;

/// Whether calls of the subroutine can be jumps: it has no frame and never returns.
pub(super) fn is_branchable(sub: &Subroutine) -> bool {
    let has_frame =
        matches!(sub.blocks[0].ops.first(), Some(Op { kind: OpKind::Proto { .. }, .. }));
    let returns =
        |block: &Block| matches!(block.ops.last(), Some(Op { kind: OpKind::RetSub { .. }, .. }));
    !has_frame && !sub.blocks.iter().any(returns)
}

/// Rewrites one subroutine; `branchable` holds the entry labels of subroutines that never return.
pub(super) fn run(ctx: &Ctx, sub: &mut Subroutine, branchable: &LookupSet<Symbol>) -> Outcome<()> {
    inline_jump_chains(ctx, sub)?;
    inline_single_ops(ctx, sub)?;
    merge_single_references(ctx, sub)?;
    if !branchable.is_empty() {
        calls_to_branches(sub, branchable);
    }
    inline_jump_chains(ctx, sub)?;
    remove_fall_through_jumps(ctx, sub);
    Ok(())
}

/// Drops blocks that only jump on, and sends every jump to the end of its chain.
fn inline_jump_chains(ctx: &Ctx, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let mut jumps: OrderedMap<Symbol, Symbol> = OrderedMap::default();
    let mut index = sub.blocks.len();
    while index > 1 {
        index -= 1;
        let block = &sub.blocks[index];
        if let [Op { kind: OpKind::Branch(target), loc, stack }] = block.ops.as_slice() {
            if stack.is_empty() {
                session.sink.debug_with(|| {
                    format!("removing jump-chain block {}", session.text(block.label))
                });
                jumps.insert(block.label, *target);
                sub.blocks.remove(index);
            } else {
                session.sink.debug_at(*loc, || {
                    "not inlining jump-block due to stack manipulations".to_owned()
                });
            }
        }
    }
    if jumps.is_empty() {
        return Ok(());
    }
    let mut ends: LookupMap<Symbol, Symbol> = LookupMap::new();
    for (label, first) in &jumps {
        let mut target = *first;
        let mut steps = 0;
        while let Some(next) = jumps.get(&target) {
            target = *next;
            steps += 1;
            if steps > jumps.len() {
                // The reference never ends here; no source program leads to it.
                return Err(Failure::internal(
                    format!("jump chain at {} never ends", session.text(*label)),
                    sub.loc,
                ));
            }
        }
        session.sink.debug_with(|| {
            let (label, target) = (session.text(*label), session.text(target));
            format!("branching to {label} will be replaced with {target}")
        });
        ends.insert(*label, target);
    }
    let end = |label: &Symbol| ends.get(label).copied().unwrap_or(*label);
    for op in sub.blocks.iter_mut().flat_map(|block| &mut block.ops) {
        match &mut op.kind {
            OpKind::Branch(target) | OpKind::BranchZero(target) | OpKind::BranchNonZero(target) => {
                *target = end(target)
            }
            OpKind::Switch(targets) | OpKind::Match(targets) => {
                *targets = targets.iter().map(end).collect();
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts the op of a single-op block in the place of jumps to it, and drops what nothing reaches then.
fn inline_single_ops(ctx: &Ctx, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let mut singles: LookupMap<Symbol, Op> = LookupMap::new();
    for block in &sub.blocks[1..] {
        if let [op] = block.ops.as_slice() {
            assert!(op.kind.is_control(), "a block ends in a control op");
            singles.insert(block.label, op.clone());
        }
    }
    if singles.is_empty() {
        return Ok(());
    }
    let mut changed = false;
    for index in 0..sub.blocks.len() {
        let next = sub.blocks.get(index + 1).map(|block| block.label);
        let Some(last) = sub.blocks[index].ops.last_mut() else { continue };
        let OpKind::Branch(target) = last.kind else { continue };
        if next == Some(target) {
            continue;
        }
        let Some(op) = singles.get(&target) else { continue };
        session.sink.debug_at(last.loc, || {
            let (old, new) = (text::op(session, &last.kind), text::op(session, &op.kind));
            format!("replacing `{old}` with `{new}`")
        });
        let mut replacement = op.clone();
        let mut manipulations = ctx.manipulations.borrow_mut();
        replacement.stack = manipulations.concat(last.stack, replacement.stack);
        *last = replacement;
        changed = true;
    }
    if changed {
        remove_unreachable(ctx, sub);
    }
    Ok(())
}

fn remove_unreachable(ctx: &Ctx, sub: &mut Subroutine) {
    let mut unreached = (1..sub.blocks.len())
        .map(|index| (sub.blocks[index].label, index))
        .collect::<LookupMap<_, _>>();
    let mut pending = vec![0];
    while let Some(index) = pending.pop() {
        for op in &sub.blocks[index].ops {
            let targets = op.kind.targets().iter();
            pending.extend(targets.filter_map(|target| unreached.remove(target)));
        }
    }
    if !unreached.is_empty() {
        ctx.session.sink.debug_with(|| {
            let labels = sub.blocks.iter().map(|block| block.label);
            let labels = labels.filter(|label| unreached.contains_key(label));
            let labels = labels.map(|label| repr(ctx.session.text(label))).collect::<Vec<_>>();
            format!("removing unreachable blocks: [{}]", labels.join(", "))
        });
        sub.blocks.retain(|block| !unreached.contains_key(&block.label));
    }
}

/// Appends a block to the only block that goes to it, when that is by a jump at its end.
fn merge_single_references(ctx: &Ctx, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let count = sub.blocks.len();
    let mut index_of = LookupMap::with_capacity(count);
    for (index, block) in sub.blocks.iter().enumerate() {
        index_of.insert(block.label, index);
    }
    // the entry is entered from outside
    let mut references = vec![0_u32; count];
    references[0] = 1;
    for target in sub.blocks.iter().flat_map(|block| &block.ops).flat_map(|op| op.kind.targets()) {
        if let Some(index) = index_of.get(target) {
            references[*index] += 1;
        }
    }
    // the block to append to each
    let mut followers: Vec<Option<usize>> = vec![None; count];
    let mut is_appended = vec![false; count];
    for (index, block) in sub.blocks.iter().enumerate() {
        if let Some(Op { kind: OpKind::Branch(target), .. }) = block.ops.last()
            && let Some(next) = index_of.get(target).copied().filter(|next| references[*next] == 1)
        {
            followers[index] = Some(next);
            is_appended[next] = true;
        }
    }
    let mut blocks: Vec<Option<Block>> =
        std::mem::take(&mut sub.blocks).into_iter().map(Some).collect();
    for index in (0..count).filter(|index| !is_appended[*index]) {
        let mut block = blocks[index].take().expect("a block that is not appended is left");
        let mut end = index;
        while let Some(next_index) = followers[end] {
            let mut next = blocks[next_index].take().expect("a block has one reference only");
            session.sink.debug_with(|| {
                let (next, block) = (session.text(next.label), session.text(block.label));
                format!("inlining single reference block {next} into {block}")
            });
            let jump = block.ops.pop().expect("the block ends in a jump");
            let first = next.ops.first_mut().expect("a block that is jumped to has ops");
            first.stack = ctx.manipulations.borrow_mut().concat(jump.stack, first.stack);
            block.ops.append(&mut next.ops);
            block.exit_stack_height = next.exit_stack_height;
            end = next_index;
        }
        if end != index {
            optimise_block(ctx, &mut block)?;
        }
        sub.blocks.push(block);
    }
    Ok(())
}

/// Turns a call that never comes back into a jump, and drops what stands behind it in the block.
fn calls_to_branches(sub: &mut Subroutine, branchable: &LookupSet<Symbol>) {
    for block in &mut sub.blocks {
        let call = block.ops.iter().position(
            |op| matches!(&op.kind, OpKind::CallSub { target, .. } if branchable.contains(target)),
        );
        if let Some(index) = call
            && let OpKind::CallSub { target, .. } = block.ops[index].kind
        {
            let loc = block.ops[index].loc;
            block.ops.truncate(index);
            block.ops.push(Op::new(OpKind::Branch(target), loc));
        }
    }
}

/// Drops a jump to the next block, if its manipulations can stay in the block.
fn remove_fall_through_jumps(ctx: &Ctx, sub: &mut Subroutine) {
    for index in 1..sub.blocks.len() {
        let next = sub.blocks[index].label;
        let block = &mut sub.blocks[index - 1];
        let count = block.ops.len();
        let falls_through = block.ops.last().is_some_and(|op| {
            matches!(op.kind, OpKind::Branch(target) if target == next)
                && (count > 1 || op.stack.is_empty())
        });
        if falls_through {
            ctx.session.sink.debug_with(|| {
                format!("removing explicit jump to fall-through block {}", ctx.session.text(next))
            });
            let jump = block.ops.pop().expect("the block ends in a jump");
            if let Some(last) = block.ops.last_mut() {
                last.stack = ctx.manipulations.borrow_mut().concat(last.stack, jump.stack);
            }
        }
    }
}
