//! Lifetimes of the variables whose place is not decided yet: live variables at the borders of
//! blocks, and stores nobody reads. Spec 30 §7.
//!
//! The reference solves the data flow anew in every pass. Its answer about a variable depends on the
//! abstract stores and loads of that variable alone, and no pass changes what they say: it replaces
//! all of them, or drops stores that are dead, or loads of what the block stored or loaded before.

use crate::base::entity::{EntityId, EntitySet, PrimaryMap, SecondaryMap};

use super::model::{Block, BlockId, OpId, VarId};

/// A set of variables.
pub type VarSet = EntitySet<VarId>;

/// Where the variables of a subroutine are live.
#[derive(Debug)]
pub struct Lifetimes {
    live_in: SecondaryMap<BlockId, VarSet>,
    live_out: SecondaryMap<BlockId, VarSet>,
    dead_stores: EntitySet<OpId>,
    /// Whether some variable is live where control goes from block to block.
    any_crosses: bool,
}

impl Lifetimes {
    /// Solves the data flow of a subroutine with so many variables.
    pub fn of(body: &PrimaryMap<BlockId, Block>, variable_count: usize) -> Self {
        let blocks = if variable_count > 0 { body.len() } else { 0 };
        let mut lifetimes = Self {
            live_in: SecondaryMap::with_len(blocks),
            live_out: SecondaryMap::with_len(blocks),
            dead_stores: EntitySet::new(),
            any_crosses: false,
        };
        if variable_count > 0 {
            lifetimes.solve(body);
            lifetimes.find_dead_stores(body);
        }
        lifetimes
    }
    fn solve(&mut self, body: &PrimaryMap<BlockId, Block>) {
        let effects: Vec<(VarSet, VarSet)> = body.values().map(loads_and_stores).collect();
        let mut waiting: Vec<BlockId> = body.ids().collect();
        let mut is_waiting: EntitySet<BlockId> = body.ids().collect();
        let mut live = VarSet::new();
        while let Some(block) = waiting.pop() {
            is_waiting.remove(block);
            let live_out = &mut self.live_out[block];
            for target in body[block].terminator.targets() {
                live_out.union_with(&self.live_in[target]);
            }
            let (loads, stores) = &effects[block.index()];
            live.clear();
            live.union_with(live_out);
            live.difference_with(stores);
            live.union_with(loads);
            if self.live_in[block].union_with(&live) {
                self.any_crosses |= !body[block].predecessors.is_empty();
                for predecessor in &body[block].predecessors {
                    if is_waiting.insert(*predecessor) {
                        waiting.push(*predecessor);
                    }
                }
            }
        }
    }
    fn find_dead_stores(&mut self, body: &PrimaryMap<BlockId, Block>) {
        let mut live = VarSet::new();
        for (id, block) in body.iter() {
            live.clear();
            live.union_with(&self.live_out[id]);
            for op in block.ops.iter().rev() {
                if let Some(local) = op.abstract_store() {
                    if !live.remove(local.var) {
                        self.dead_stores.insert(op.id);
                    }
                } else if let Some(local) = op.abstract_load() {
                    live.insert(local.var);
                }
            }
        }
    }
    /// What is live where control enters a block.
    pub fn live_in(&self, block: BlockId) -> &VarSet {
        &self.live_in[block]
    }
    /// What is live where control leaves a block.
    pub fn live_out(&self, block: BlockId) -> &VarSet {
        &self.live_out[block]
    }
    /// Whether some variable is live where control goes from block to block.
    pub fn any_crosses(&self) -> bool {
        self.any_crosses
    }
    /// The abstract stores of variables that are not read afterwards.
    pub fn dead_stores(&self) -> &EntitySet<OpId> {
        &self.dead_stores
    }
}

/// What a block loads before any store to it, and everything it stores.
fn loads_and_stores(block: &Block) -> (VarSet, VarSet) {
    let (mut loads, mut stores) = (VarSet::new(), VarSet::new());
    for op in &block.ops {
        if let Some(local) = op.abstract_store() {
            stores.insert(local.var);
        } else if let Some(local) = op.abstract_load()
            && !stores.contains(local.var)
        {
            loads.insert(local.var);
        }
    }
    (loads, stores)
}
