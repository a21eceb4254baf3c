//! One sweep over pairs of neighbouring operations, after each allocator. Spec 30 §9.
//!
//! Names the value an operation leaves after the variable it is stored to, drops moves that move
//! nothing, turns stores nobody reads into pops and deletes a load that is stored right back.

use crate::base::arena::Symbol;
use crate::base::entity::EntitySet;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;

use super::model::{Block, Load, Names, Op, OpId, OpKind, Store, Subroutine, next_op_id};

/// Runs the pass on one subroutine.
pub fn run(_: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let lifetimes = sub.lifetimes();
    let mut sweep = Sweep {
        dead: lifetimes.dead_stores(),
        op_count: sub.op_count,
        dropped_abstract_access: false,
    };
    for block in sub.body.values_mut() {
        sweep.block(block);
    }
    sub.op_count = sweep.op_count;
    if sweep.dropped_abstract_access {
        sub.lifetimes = None;
    }
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

struct Sweep<'d> {
    dead: &'d EntitySet<OpId>,
    op_count: u32,
    /// Whether a load went with the store behind it, without which the variable may be dead.
    dropped_abstract_access: bool,
}

impl Sweep<'_> {
    /// A changed pair is looked at again with whatever follows; an unchanged one gives its first
    /// away.
    fn block(&mut self, block: &mut Block) {
        let ops = &mut block.ops;
        // ops before `first` are done, those between the two are dropped
        let (mut first, mut second) = (0, 1);
        while second < ops.len() {
            match change(&ops[first], &ops[second], self.dead) {
                Some(Change::Rename(name)) => {
                    ops[first].produces = ops[first].produces.with_last(name);
                }
                Some(Change::DropSecond) => second += 1,
                Some(Change::PopSecond) => {
                    let op = &mut ops[second];
                    op.id = next_op_id(&mut self.op_count);
                    op.kind = OpKind::Pop(1);
                    op.produces = Names::None;
                }
                Some(Change::DropBoth) => {
                    self.dropped_abstract_access |= ops[first].abstract_load().is_some();
                    if second + 1 == ops.len() {
                        ops.truncate(first);
                        return;
                    }
                    ops.swap(first, second + 1);
                    second += 2;
                }
                None => {
                    first += 1;
                    if first < second {
                        ops.swap(first, second);
                    }
                    second += 1;
                }
            }
        }
        ops.truncate(first + 1);
    }
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
    if dead.contains(b.id) && b.abstract_store().is_some() {
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
