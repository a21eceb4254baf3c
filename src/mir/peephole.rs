//! One sweep over pairs of neighbouring operations, after each allocator. Spec 30 §9.
//!
//! Names the value an operation leaves after the variable it is stored to, drops moves that move
//! nothing, turns stores nobody reads into pops and deletes a load that is stored right back.

use crate::base::arena::Symbol;
use crate::base::entity::EntitySet;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;

use super::lifetimes::Lifetimes;
use super::model::{Block, Load, Names, Op, OpId, OpKind, Store, Subroutine, next_op_id};

/// Runs the pass on one subroutine.
pub fn run(ctx: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let dead = Lifetimes::of(ctx.session, sub).dead_stores(sub);
    let mut op_count = sub.op_count;
    for block in sub.body.values_mut() {
        sweep(block, &dead, &mut op_count);
    }
    sub.op_count = op_count;
    Ok(())
}

/// What becomes of a pair.
enum Change {
    /// The first leaves its last value under this name.
    Rename(Symbol),
    /// The second goes.
    DropSecond,
    /// The second becomes a pop.
    PopSecond,
    /// Both go.
    DropBoth,
}

/// A changed pair is looked at again with whatever follows; an unchanged one gives its first away.
fn sweep(block: &mut Block, dead: &EntitySet<OpId>, op_count: &mut u32) {
    let mut rest = std::mem::take(&mut block.ops).into_iter();
    let (mut first, mut second) = (rest.next(), rest.next());
    while let (Some(a), Some(b)) = (&mut first, &mut second) {
        match change(a, b, dead) {
            Some(Change::Rename(name)) => a.produces = a.produces.with_last(name),
            Some(Change::DropSecond) => second = rest.next(),
            Some(Change::PopSecond) => {
                b.id = next_op_id(op_count);
                b.kind = OpKind::Pop(1);
                b.produces = Names::None;
            }
            Some(Change::DropBoth) => {
                first = rest.next();
                second = rest.next();
            }
            None => {
                block.ops.extend(first.take());
                first = second.take();
                second = rest.next();
            }
        }
    }
    block.ops.extend(first);
}

fn change(a: &Op, b: &Op, dead: &EntitySet<OpId>) -> Option<Change> {
    let produced = a.produces.last().copied();
    if let (Some(produced), OpKind::Store(local, store)) = (produced, &b.kind) {
        let is_placed = matches!(store, Store::L { .. } | Store::X { .. } | Store::F { .. });
        if is_placed && produced != local.id {
            return Some(Change::Rename(local.id));
        }
    }
    if produced.is_some() && produced == alias(b) {
        return Some(Change::DropSecond);
    }
    if dead.contains(b.id) {
        return Some(Change::PopSecond);
    }
    match (&a.kind, &b.kind) {
        (OpKind::Load(loaded, load), OpKind::Store(stored, store)) if loaded.id == stored.id => {
            let is_undone = match (load, store) {
                (Load::X { depth: from, copy: false }, Store::X { depth: to }) => from == to,
                (Load::F { .. }, Store::F { .. }) | (Load::Abstract, Store::Abstract) => true,
                _ => false,
            };
            is_undone.then_some(Change::DropBoth)
        }
        _ => None,
    }
}

/// The name an operation gives the value on top, when it does nothing else.
fn alias(op: &Op) -> Option<Symbol> {
    match op.kind {
        OpKind::Store(local, Store::L { depth: 0, copy: false })
        | OpKind::Load(local, Load::L { depth: Some(0), copy: false }) => Some(local.id),
        _ => None,
    }
}
