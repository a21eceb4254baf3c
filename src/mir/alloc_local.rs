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

use crate::base::entity::{EntitySet, SecondaryMap};
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::session::Session;

use super::model::{
    Block, BlockId, Load, Local, Names, Op, OpId, OpKind, Store, Subroutine, VarId, Variables,
    next_op_id,
};
use super::stack::{Stack, depth};
use super::text::op_text;

/// Runs the pass on one subroutine.
pub fn run(ctx: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let mut op_count = sub.op_count;
    let mut work = Work::new(sub.variables.len());
    // all others have nothing on the L-stack but operands
    let mut changed = Vec::new();
    for (id, block) in sub.body.iter_mut() {
        work.find_pairs(id, block);
        if !work.pairs.is_empty() {
            work.copy_pairs(session, block, &mut op_count)?;
            changed.push(id);
        }
    }
    sub.op_count = op_count;
    if changed.is_empty() {
        return Ok(());
    }
    let lifetimes = sub.lifetimes();
    for id in &changed {
        let block = &mut sub.body[*id];
        remove_superfluous(ctx, block, &mut sub.variables, lifetimes.dead_stores());
    }
    set_load_depths(sub, &changed)
}

/// A use of a variable and the next load of it, as positions in the block.
type Pair = (usize, usize);

/// What is known while pairs are served, of one block after the other.
struct Work {
    /// Block and position of the operation that used a variable last.
    last_uses: SecondaryMap<VarId, Option<(BlockId, usize)>>,
    /// The pairs of the block, the closest first.
    pairs: Vec<Pair>,
    /// What the operations and copies add to the height of the L-stack.
    heights: PrefixSums,
    /// By operation: how deep its copy goes, if it has one; and whether it fetches.
    served: Vec<(Option<u32>, bool)>,
}

impl Work {
    fn new(variables: usize) -> Self {
        Self {
            last_uses: SecondaryMap::with_len(variables),
            pairs: Vec::new(),
            heights: PrefixSums::default(),
            served: Vec::new(),
        }
    }
    fn find_pairs(&mut self, id: BlockId, block: &Block) {
        self.pairs.clear();
        for (index, op) in block.ops.iter().enumerate() {
            if let Some(local) = op.abstract_load() {
                if let Some((block, earlier)) = self.last_uses[local.var].replace((id, index))
                    && block == id
                {
                    self.pairs.push((earlier, index));
                }
            } else if let Some(local) = op.abstract_store() {
                self.last_uses[local.var] = Some((id, index));
            }
        }
        self.pairs.sort_unstable_by_key(|(a, b)| (b - a, *a, *b));
    }

    /// Copies the value of each pair at its first operation and fetches it at its second. Every
    /// operation gets at most one copy: before a store, behind a load.
    fn copy_pairs(
        &mut self,
        session: &Session<'_>,
        block: &mut Block,
        op_count: &mut u32,
    ) -> Outcome<()> {
        let Work { pairs, heights, served, .. } = self;
        heights.fill(&block.ops, |op| op.produces.len() as i32 - op.consumes() as i32);
        // where operations stand is only told to developers
        let mut positions = session.sink.wants_debug().then(|| {
            let mut positions = PrefixSums::default();
            positions.fill(&block.ops, |_| 1);
            positions
        });
        served.clear();
        served.resize(block.ops.len(), (None, false));
        for &(a, b) in pairs.iter() {
            let place = copy_place(&block.ops[a], a);
            let height = heights.before(place);
            let Some(depth) = height.checked_sub(1).and_then(|depth| u32::try_from(depth).ok())
            else {
                return Err(Failure::internal("l-stack too small to copy from", block.ops[a].loc));
            };
            served[a].0 = Some(depth);
            served[b].1 = true;
            // from the copy until it is fetched
            heights.add(place, own_place(&block.ops[b], b));
            if let Some(positions) = &mut positions {
                report_pair(session, block, positions, (a, b), depth);
            }
        }
        let with_copies = Vec::with_capacity(block.ops.len() + pairs.len());
        let old = std::mem::replace(&mut block.ops, with_copies);
        for (mut op, (copy, fetched)) in old.into_iter().zip(served.iter()) {
            let is_store = op.abstract_store().is_some();
            let copy = copy.and_then(|depth| {
                let local = op.local()?;
                let kind = OpKind::Store(local, Store::L { depth, copy: true });
                // most are merged with what they copy and leave nothing
                let produces = Names::One(local.id);
                Some(Op { id: next_op_id(op_count), kind, produces, loc: op.loc })
            });
            if let (true, Some(local)) = (*fetched, op.local()) {
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
}

fn report_pair(
    session: &Session<'_>,
    block: &Block,
    positions: &mut PrefixSums,
    (a, b): Pair,
    depth: u32,
) {
    let name = session.text(block.name);
    let place = copy_place(&block.ops[a], a);
    session.sink.debug_with(|| {
        let local = block.ops[a].local().expect("pairs are of stores and loads");
        let (position, local) = (positions.before(place), session.text(local.id));
        format!("Inserted {name}.ops[{position}]: 'l-store-copy {local} {depth}'")
    });
    positions.add(place, usize::MAX);
    session.sink.debug_with(|| {
        let position = positions.before(own_place(&block.ops[b], b));
        let old = op_text(session, &block.ops[b]);
        let new = old.replacen("v-load", "l-load", 1);
        format!("Replaced {name}.ops[{position}]: '{old}' with '{new}'")
    });
}

fn own_place(op: &Op, index: usize) -> usize {
    index * 2 + usize::from(op.abstract_store().is_some())
}

fn copy_place(op: &Op, index: usize) -> usize {
    index * 2 + usize::from(op.abstract_store().is_none())
}

/// Sums of the numbers before each place. There are two places per operation: the operation's own and
/// its copy's.
#[derive(Default)]
struct PrefixSums(Vec<i32>);

impl PrefixSums {
    /// Starts anew with a number for each operation.
    fn fill(&mut self, ops: &[Op], number: impl Fn(&Op) -> i32) {
        self.0.clear();
        self.0.reserve(ops.len() * 2);
        let mut sum = 0;
        for op in ops {
            let number = number(op);
            self.0.push(sum);
            self.0.push(if op.abstract_store().is_some() { sum } else { sum + number });
            sum += number;
        }
    }
    /// Counts one more behind a place, up to another one.
    fn add(&mut self, place: usize, end: usize) {
        let end = end.min(self.0.len() - 1);
        self.0[place + 1..=end].iter_mut().for_each(|sum| *sum += 1);
    }
    fn before(&self, place: usize) -> i32 {
        self.0[place]
    }
}

/// Drops what L-stack operations made superfluous, in one go over the block. Depths need no look: those
/// of the loads are not known yet.
fn remove_superfluous(
    ctx: Ctx<'_, '_>,
    block: &mut Block,
    variables: &mut Variables,
    dead: &EntitySet<OpId>,
) {
    let ops = &mut block.ops;
    let (mut kept, mut index) = (0, 0);
    // the operation whose results those behind it may store
    let mut producer = 0;
    while let Some((op, rest)) = ops[index..].split_first_mut() {
        let merged = merge(ctx.session, op, rest.first(), variables, dead);
        if kept < index {
            ops.swap(kept, index);
        }
        kept += 1;
        index += 1 + usize::from(merged);
        if ctx.options.optimization_level > 0 {
            (kept, producer) = without_implicit_stores(&ops[..kept], producer);
        }
    }
    ops.truncate(kept);
}

/// Merges a copy with the dead store it was made for, or a fetch with a copy of what it fetched; true
/// when the operation behind it is to be dropped. Copies that stay get their name.
fn merge(
    session: &Session<'_>,
    op: &mut Op,
    next: Option<&Op>,
    variables: &mut Variables,
    dead: &EntitySet<OpId>,
) -> bool {
    match op.kind {
        OpKind::Store(local, Store::L { depth, copy: true }) => {
            let is_merged = next.is_some_and(|next| dead.contains(next.id));
            if is_merged {
                op.kind = OpKind::Store(local, Store::L { depth, copy: false });
                op.produces = Names::None;
            } else {
                op.produces = Names::One(variables[local.var].copy_name(session));
            }
            is_merged
        }
        OpKind::Load(local, Load::L { depth, copy: false })
            if next.and_then(copied_to_l_stack).is_some_and(|copied| copied.id == local.id) =>
        {
            op.produces = Names::One(variables[local.var].copy_name(session));
            op.kind = OpKind::Load(local, Load::L { depth, copy: true });
            true
        }
        _ => false,
    }
}

/// Looks whether the last of these operations completes the stores that put exactly what `producer`
/// produced where it lies already: they are not kept then. Returns how many operations are, and which
/// is the next whose results may be stored.
fn without_implicit_stores(ops: &[Op], producer: usize) -> (usize, usize) {
    let [op, stores @ ..] = &ops[producer..] else { return (ops.len(), producer) };
    let Some((last, earlier)) = stores.split_last() else { return (ops.len(), producer) };
    let missing = op.produces.len().checked_sub(earlier.len() + 1);
    match (missing, &last.kind) {
        (Some(missing), OpKind::Store(local, Store::L { copy: false, .. }))
            if local.id == op.produces[missing] =>
        {
            if missing == 0 {
                (producer + 1, producer + 1)
            } else {
                (ops.len(), producer)
            }
        }
        _ => (ops.len(), ops.len() - 1),
    }
}

fn copied_to_l_stack(op: &Op) -> Option<Local> {
    match op.kind {
        OpKind::Store(local, Store::L { copy: true, .. }) => Some(local),
        _ => None,
    }
}

/// Finds every variable on the L-stack of these blocks.
fn set_load_depths(sub: &mut Subroutine, blocks: &[BlockId]) -> Outcome<()> {
    let mut stack = Stack::default();
    for &id in blocks {
        stack.enter(sub, &sub.body[id]);
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
