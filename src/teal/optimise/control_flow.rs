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
        .collect::<OrderedMap<_, _>>();
    let mut pending = vec![0];
    while let Some(index) = pending.pop() {
        for op in &sub.blocks[index].ops {
            let targets = op.kind.targets().iter();
            pending.extend(targets.filter_map(|target| unreached.shift_remove(target)));
        }
    }
    if !unreached.is_empty() {
        ctx.session.sink.debug_with(|| {
            let labels = unreached.keys().map(|label| repr(ctx.session.text(*label)));
            let labels = labels.collect::<Vec<_>>().join(", ");
            format!("removing unreachable blocks: [{labels}]")
        });
        sub.blocks.retain(|block| !unreached.contains_key(&block.label));
    }
}

/// Appends a block to the only block that goes to it, when that is by a jump at its end.
fn merge_single_references(ctx: &Ctx, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let mut references: LookupMap<Symbol, usize> = LookupMap::new();
    references.insert(sub.blocks[0].label, 1);
    for op in sub.blocks.iter().flat_map(|block| &block.ops) {
        for target in op.kind.targets() {
            *references.get_or_insert_with(*target, || 0) += 1;
        }
    }
    // label of a block -> the block to append to it
    let mut follower: LookupMap<Symbol, Symbol> = LookupMap::new();
    let mut appended: LookupSet<Symbol> = LookupSet::new();
    for block in &sub.blocks {
        if let Some(Op { kind: OpKind::Branch(target), .. }) = block.ops.last()
            && references.get(target) == Some(&1)
        {
            follower.insert(block.label, *target);
            appended.insert(*target);
        }
    }
    let (heads, tails): (Vec<_>, Vec<_>) = std::mem::take(&mut sub.blocks)
        .into_iter()
        .partition(|block| !appended.contains(&block.label));
    let mut tails: LookupMap<Symbol, Block> =
        tails.into_iter().map(|block| (block.label, block)).collect();
    for mut block in heads {
        let mut end = block.label;
        let mut changed = false;
        while let Some(next_label) = follower.get(&end) {
            changed = true;
            session.sink.debug_with(|| {
                let (next, block) = (session.text(*next_label), session.text(block.label));
                format!("inlining single reference block {next} into {block}")
            });
            let mut next = tails.remove(next_label).expect("a block has one reference only");
            let jump = block.ops.pop().expect("the block ends in a jump");
            let first = next.ops.first_mut().expect("a block that is jumped to has ops");
            first.stack = ctx.manipulations.borrow_mut().concat(jump.stack, first.stack);
            block.ops.append(&mut next.ops);
            block.exit_stack_height = next.exit_stack_height;
            end = *next_label;
        }
        if changed {
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
    let labels = sub.blocks.iter().skip(1).map(|block| block.label).collect::<Vec<_>>();
    for (block, next) in sub.blocks.iter_mut().zip(labels) {
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
