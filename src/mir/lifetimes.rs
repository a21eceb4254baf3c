//! Lifetimes of the variables whose place is not decided yet: live variables at the borders of
//! blocks, and stores nobody reads. Spec 30 §7.
//!
//! A snapshot: a pass computes it once and then changes operations.

use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet, PrimaryMap, SecondaryMap};
use crate::base::ordered::LookupMap;
use crate::define_id;
use crate::session::Session;

use super::model::{Block, BlockId, OpId, Subroutine};

define_id!(
    /// A variable of a subroutine. Ids order as the names do.
    pub struct VarId, "var"
);

/// A set of variables.
pub type VarSet = EntitySet<VarId>;

/// The variables of a subroutine and where they are live.
pub struct Lifetimes {
    ids: LookupMap<Symbol, VarId>,
    names: PrimaryMap<VarId, Symbol>,
    live_in: SecondaryMap<BlockId, VarSet>,
    live_out: SecondaryMap<BlockId, VarSet>,
}

impl Lifetimes {
    /// Solves the data flow of a subroutine.
    pub fn of(session: &Session<'_>, sub: &Subroutine) -> Self {
        let (ids, names) = variables(session, sub);
        let mut lifetimes =
            Self { ids, names, live_in: SecondaryMap::new(), live_out: SecondaryMap::new() };
        if !lifetimes.names.is_empty() {
            lifetimes.solve(sub);
        }
        lifetimes
    }
    fn solve(&mut self, sub: &Subroutine) {
        let effects: Vec<(VarSet, VarSet)> =
            sub.body.values().map(|block| self.loads_and_stores(block)).collect();
        let mut waiting: Vec<BlockId> = sub.body.ids().collect();
        let mut is_waiting: EntitySet<BlockId> = sub.body.ids().collect();
        while let Some(block) = waiting.pop() {
            is_waiting.remove(block);
            let mut live = VarSet::new();
            for target in sub.body[block].terminator.targets() {
                live.union_with(&self.live_in[target]);
            }
            let (loads, stores) = &effects[block.index()];
            let live_out = live.clone();
            live.difference_with(stores);
            live.union_with(loads);
            self.live_out[block] = live_out;
            if live != self.live_in[block] {
                self.live_in[block] = live;
                for predecessor in &sub.body[block].predecessors {
                    if is_waiting.insert(*predecessor) {
                        waiting.push(*predecessor);
                    }
                }
            }
        }
    }
    /// What a block loads before any store to it, and everything it stores.
    fn loads_and_stores(&self, block: &Block) -> (VarSet, VarSet) {
        let (mut loads, mut stores) = (VarSet::new(), VarSet::new());
        for op in &block.ops {
            if let Some(local) = op.abstract_store() {
                stores.insert(self.var(local.id));
            } else if let Some(local) = op.abstract_load() {
                let var = self.var(local.id);
                if !stores.contains(var) {
                    loads.insert(var);
                }
            }
        }
        (loads, stores)
    }
    /// The variable with this name. Panics when no abstract store or load names it.
    pub fn var(&self, name: Symbol) -> VarId {
        *self.ids.get(&name).expect("a variable of the subroutine")
    }
    /// The name of a variable.
    pub fn name(&self, var: VarId) -> Symbol {
        self.names[var]
    }
    /// All variables, by name.
    pub fn vars(&self) -> impl DoubleEndedIterator<Item = VarId> + use<> {
        self.names.ids()
    }
    /// What is live where control enters a block.
    pub fn live_in(&self, block: BlockId) -> &VarSet {
        &self.live_in[block]
    }
    /// What is live where control leaves a block.
    pub fn live_out(&self, block: BlockId) -> &VarSet {
        &self.live_out[block]
    }
    /// The stores of variables that are not read afterwards.
    pub fn dead_stores(&self, sub: &Subroutine) -> EntitySet<OpId> {
        let mut dead = EntitySet::new();
        for (id, block) in sub.body.iter() {
            let mut live = self.live_out[id].clone();
            for op in block.ops.iter().rev() {
                if let Some(local) = op.abstract_store() {
                    if !live.remove(self.var(local.id)) {
                        dead.insert(op.id);
                    }
                } else if let Some(local) = op.abstract_load() {
                    live.insert(self.var(local.id));
                }
            }
        }
        dead
    }
}

/// Numbers the variables of abstract stores and loads in the order of their names.
fn variables(
    session: &Session<'_>,
    sub: &Subroutine,
) -> (LookupMap<Symbol, VarId>, PrimaryMap<VarId, Symbol>) {
    let mut found: Vec<Symbol> = sub
        .body
        .values()
        .flat_map(|block| &block.ops)
        .filter_map(|op| op.abstract_store().or(op.abstract_load()))
        .map(|local| local.id)
        .collect();
    found.sort_unstable();
    found.dedup();
    found.sort_unstable_by_key(|name| session.text(*name));
    let mut names = PrimaryMap::new();
    let ids = found.into_iter().map(|name| (name, names.push(name))).collect();
    (ids, names)
}
