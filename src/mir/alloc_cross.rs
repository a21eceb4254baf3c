//! X-stack allocation: variables that live from block to block stay on the stack across the edges.
//! Spec 30 §10.
//!
//! Bailey's algorithm. Blocks whose edges meet form an *edge set* and must agree on one X-stack;
//! edge sets that share a block form a *group*. [`schedule`] chooses and orders the variables,
//! [`rewrite`] makes the stores and loads of each block follow that choice.

mod edges;
mod rewrite;
mod schedule;

use crate::base::entity::{EntityId, EntitySet, PrimaryMap};
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::session::Session;

use super::lifetimes::{Lifetimes, VarSet};
use super::model::{Block, BlockId, Subroutine};
use super::stack::names_text;
use edges::EdgeSet;

/// Runs the pass on one subroutine.
pub fn run(ctx: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let lifetimes = sub.lifetimes();
    if !lifetimes.any_crosses() && !session.sink.wants_debug() {
        // nothing can be handed over; the edge sets are only told to developers
        return Ok(());
    }
    let mut records = Records::new();
    for (id, block) in sub.body.iter() {
        records.push(Record::of(session, &lifetimes, id, block)?);
    }
    let edge_sets = edges::edge_sets(sub, &mut records);
    if edge_sets.is_empty() {
        return Ok(());
    }
    session.sink.debug_with(|| {
        format!("Found {} edge set/s for {}", edge_sets.len(), session.text(sub.signature.name))
    });
    if edge_sets.iter().all(|set| set.candidates.is_empty()) {
        // nothing can be handed over
        return Ok(());
    }
    let groups = edges::groups(sub, &edge_sets);
    let x_stacks = schedule::run(session, sub, &records, &edge_sets, &groups);
    session.sink.debug_with_each(|report| report_shared(session, sub, &edge_sets, report));

    let mut blocks: Vec<BlockId> = edge_sets.iter().flat_map(EdgeSet::blocks).collect();
    blocks.sort_unstable_by_key(|block| sub.body[*block].number);
    blocks.dedup();
    rewrite::run(session, sub, &records, &x_stacks, &blocks)
}

fn report_shared(
    session: &Session<'_>,
    sub: &Subroutine,
    edge_sets: &[EdgeSet],
    report: &mut dyn FnMut(String),
) {
    let name = |block: &BlockId| session.text(sub.body[*block].name);
    for set in edge_sets {
        let x_stack = &sub.body[set.out_blocks[0]].x_stack_out;
        if x_stack.is_empty() {
            continue;
        }
        let x_stack = names_text(session, x_stack);
        for out in &set.out_blocks {
            for into in &set.in_blocks {
                report(format!("shared x-stack for {} -> {}: {x_stack}", name(out), name(into)));
            }
        }
    }
}

/// What a block does with variables that have no place yet, before this pass changes anything.
struct Record<'l> {
    stores: VarSet,
    loads: VarSet,
    live_in: &'l VarSet,
    live_out: &'l VarSet,
    /// The edge set control comes by, as an index.
    set_in: Option<usize>,
    /// The edge set control leaves by, as an index.
    set_out: Option<usize>,
}

impl<'l> Record<'l> {
    fn of(
        session: &Session<'_>,
        lifetimes: &'l Lifetimes,
        id: BlockId,
        block: &Block,
    ) -> Outcome<Self> {
        let repeated = |what: &str| {
            let message = format!(">1 {what} in {}", session.text(block.name));
            Err(Failure::internal(message, block.loc))
        };
        let mut record = Record {
            stores: VarSet::new(),
            loads: VarSet::new(),
            live_in: lifetimes.live_in(id),
            live_out: lifetimes.live_out(id),
            set_in: None,
            set_out: None,
        };
        for op in &block.ops {
            if let Some(local) = op.abstract_store() {
                if !record.stores.insert(local.var) {
                    return repeated("AbstractStore");
                }
            } else if let Some(local) = op.abstract_load()
                && !record.loads.insert(local.var)
            {
                return repeated("AbstractLoad");
            }
        }
        Ok(record)
    }
}

/// Facts of the pass about blocks.
type Records<'l> = PrimaryMap<BlockId, Record<'l>>;

/// `a` without `b`.
fn minus<K: EntityId>(a: &EntitySet<K>, b: &EntitySet<K>) -> EntitySet<K> {
    let mut result = a.clone();
    result.difference_with(b);
    result
}

/// What `a` and `b` share.
fn both<K: EntityId>(a: &EntitySet<K>, b: &EntitySet<K>) -> EntitySet<K> {
    let mut result = a.clone();
    result.intersect_with(b);
    result
}
