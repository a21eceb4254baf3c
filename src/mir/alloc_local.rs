//! L-stack allocation: a variable used again in its block is kept there on the stack. Spec 30 §8.
//!
//! Koopman's algorithm. A use and the next load of the same variable make a pair; pairs are served
//! from the closest to the farthest: the value is copied to the bottom of the L-stack at the first
//! and fetched from there by the second.
//!
//! ```text
//! v-store x#0              l-store-copy x#0 0          l-store x#0 0      (the store was dead)
//! ...               ->     v-store x#0             ->  ...
//! v-load x#0               ...                         l-load x#0 1
//!                          l-load x#0
//! ```

use crate::base::arena::Symbol;
use crate::base::entity::EntitySet;
use crate::base::ordered::LookupMap;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::session::Session;

use super::lifetimes::Lifetimes;
use super::model::{
    Block, Load, Local, Names, Op, OpId, OpKind, Store, Subroutine, copy_name, next_op_id,
};
use super::stack::{Stack, depth};
use super::text::op_text;

/// Runs the pass on one subroutine.
pub fn run(ctx: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let mut op_count = sub.op_count;
    for block in sub.body.values_mut() {
        copy_pairs(session, block, &mut op_count)?;
    }
    sub.op_count = op_count;
    let dead = Lifetimes::of(session, sub).dead_stores(sub);
    for block in sub.body.values_mut() {
        remove_dead_stores(session, block, &dead);
        if ctx.options.optimization_level > 0 {
            remove_implicit_stores(block);
        }
    }
    set_load_depths(sub)
}

/// A use of a variable and the next load of it, as positions in the block.
type Pair = (usize, usize);

/// The pairs of a block, the closest first.
fn find_pairs(block: &Block) -> Vec<Pair> {
    let mut last_use: LookupMap<Symbol, usize> = LookupMap::new();
    let mut pairs = Vec::new();
    for (index, op) in block.ops.iter().enumerate() {
        if let Some(local) = op.abstract_load() {
            if let Some(earlier) = last_use.insert(local.id, index) {
                pairs.push((earlier, index));
            }
        } else if let Some(local) = op.abstract_store() {
            last_use.insert(local.id, index);
        }
    }
    pairs.sort_unstable_by_key(|(a, b)| (b - a, *a, *b));
    pairs
}

/// Copies the value of each pair at its first operation and fetches it at its second. Every
/// operation gets at most one copy: before a store, behind a load.
fn copy_pairs(session: &Session<'_>, block: &mut Block, op_count: &mut u32) -> Outcome<()> {
    let pairs = find_pairs(block);
    if pairs.is_empty() {
        return Ok(());
    }
    // two places per operation: the operation's own and its copy's
    let mut heights = PrefixSums::new(block.ops.len() * 2);
    let mut positions = PrefixSums::new(block.ops.len() * 2);
    for (index, op) in block.ops.iter().enumerate() {
        heights.add(own_place(op, index), op.produces.len() as i64 - op.consumes() as i64);
        positions.add(own_place(op, index), 1);
    }
    let mut copies: Vec<Option<u32>> = vec![None; block.ops.len()];
    let mut fetched = vec![false; block.ops.len()];
    for (a, b) in pairs {
        let place = copy_place(&block.ops[a], a);
        let height = heights.before(place);
        let Some(depth) = height.checked_sub(1).and_then(|depth| u32::try_from(depth).ok()) else {
            return Err(Failure::internal("l-stack too small to copy from", block.ops[a].loc));
        };
        copies[a] = Some(depth);
        heights.add(place, 1);
        session.sink.debug_with(|| {
            let local = block.ops[a].local().expect("pairs are of stores and loads");
            format!(
                "Inserted {}.ops[{}]: 'l-store-copy {} {depth}'",
                session.text(block.name),
                positions.before(place),
                session.text(local.id),
            )
        });
        positions.add(place, 1);
        fetched[b] = true;
        heights.add(own_place(&block.ops[b], b), -1);
        session.sink.debug_with(|| {
            let old = op_text(session, &block.ops[b]);
            format!(
                "Replaced {}.ops[{}]: '{old}' with '{}'",
                session.text(block.name),
                positions.before(own_place(&block.ops[b], b)),
                old.replacen("v-load", "l-load", 1),
            )
        });
    }
    let old = std::mem::take(&mut block.ops);
    for ((mut op, copy), fetched) in old.into_iter().zip(copies).zip(fetched) {
        let is_store = op.abstract_store().is_some();
        let copy = copy.and_then(|depth| {
            let local = op.local()?;
            let kind = OpKind::Store(local, Store::L { depth, copy: true });
            let produces = Names::One(copy_name(session, local.id));
            Some(Op { id: next_op_id(op_count), kind, produces, loc: op.loc })
        });
        if let (true, Some(local)) = (fetched, op.local()) {
            op.kind = OpKind::Load(local, Load::L { depth: None, copy: false });
            op.produces = Names::One(local.id);
        }
        if is_store {
            block.ops.extend(copy);
            block.ops.push(op);
        } else {
            block.ops.push(op);
            block.ops.extend(copy);
        }
    }
    Ok(())
}

fn own_place(op: &Op, index: usize) -> usize {
    index * 2 + usize::from(op.abstract_store().is_some())
}

fn copy_place(op: &Op, index: usize) -> usize {
    index * 2 + usize::from(op.abstract_store().is_none())
}

/// Sums of the numbers before a place, where single numbers change (a Fenwick tree).
struct PrefixSums(Vec<i64>);

impl PrefixSums {
    fn new(places: usize) -> Self {
        Self(vec![0; places + 1])
    }
    fn add(&mut self, place: usize, number: i64) {
        let mut node = place + 1;
        while node < self.0.len() {
            self.0[node] += number;
            node += node & node.wrapping_neg();
        }
    }
    fn before(&self, place: usize) -> i64 {
        let (mut node, mut sum) = (place, 0);
        while node > 0 {
            sum += self.0[node];
            node &= node - 1;
        }
        sum
    }
}

/// Merges a copy with the dead store it was made for, and a fetch with a copy of what it fetched. An
/// operation that is the result of a merge is not merged again.
fn remove_dead_stores(session: &Session<'_>, block: &mut Block, dead: &EntitySet<OpId>) {
    let old = std::mem::take(&mut block.ops);
    let mut rest = old.into_iter().peekable();
    while let Some(mut op) = rest.next() {
        match (&op.kind, rest.peek()) {
            (OpKind::Store(local, Store::L { depth, copy: true }), Some(next))
                if dead.contains(next.id) =>
            {
                op.kind = OpKind::Store(*local, Store::L { depth: *depth, copy: false });
                op.produces = Names::None;
                rest.next();
            }
            (OpKind::Load(local, Load::L { depth, copy: false }), Some(next))
                if copied_to_l_stack(next).is_some_and(|copied| copied.id == local.id) =>
            {
                op.produces = Names::One(copy_name(session, local.id));
                op.kind = OpKind::Load(*local, Load::L { depth: *depth, copy: true });
                rest.next();
            }
            _ => {}
        }
        block.ops.push(op);
    }
}

fn copied_to_l_stack(op: &Op) -> Option<Local> {
    match op.kind {
        OpKind::Store(local, Store::L { copy: true, .. }) => Some(local),
        _ => None,
    }
}

/// Deletes stores that put exactly what the operation before produced where it lies already. Depths
/// need no look: those of the loads are not known yet.
fn remove_implicit_stores(block: &mut Block) {
    let mut kept = 0;
    let mut index = 0;
    while index < block.ops.len() {
        let produced = &block.ops[index].produces;
        let stores = block.ops.get(index + 1..index + 1 + produced.len()).unwrap_or_default();
        let stored_ids = stores.iter().rev().map(|op| match op.kind {
            OpKind::Store(local, Store::L { copy: false, .. }) => Some(local.id),
            _ => None,
        });
        let skip =
            if stored_ids.eq(produced.iter().map(|id| Some(*id))) { stores.len() } else { 0 };
        block.ops.swap(kept, index);
        kept += 1;
        index += 1 + skip;
    }
    block.ops.truncate(kept);
}

/// Finds every variable on the L-stack.
fn set_load_depths(sub: &mut Subroutine) -> Outcome<()> {
    for id in sub.body.ids() {
        let mut stack = Stack::at_entry(sub, &sub.body[id]);
        for op in &mut sub.body[id].ops {
            if let OpKind::Load(local, Load::L { copy, .. }) = op.kind {
                let Some(index) = stack.l.iter().position(|name| *name == local.id) else {
                    return Err(Failure::internal("local not found in l-stack", op.loc));
                };
                let depth = Some(depth(stack.l.len() - index - 1));
                op.kind = OpKind::Load(local, Load::L { depth, copy });
            }
            stack.apply(op)?;
        }
    }
    Ok(())
}
