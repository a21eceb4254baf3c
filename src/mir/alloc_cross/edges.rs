//! Edge sets and their groups: the connected parts of the graph of edges, and of edge sets that share
//! a block. Spec 30 §10.1 and §10.2.

use crate::base::entity::EntityId;

use super::super::lifetimes::VarSet;
use super::super::model::{BlockId, Subroutine};
use super::Records;

/// Blocks that must agree on one X-stack, because an edge leads from some of these to some of those.
pub struct EdgeSet {
    /// The blocks the edges leave, by number.
    pub out_blocks: Vec<BlockId>,
    /// The blocks the edges enter, by number. A block can be on both sides.
    pub in_blocks: Vec<BlockId>,
    /// Variables that may be handed over here: live at the end of every block left, and live in all
    /// blocks entered but at most one.
    pub candidates: VarSet,
}

impl EdgeSet {
    /// The blocks left, then the blocks entered.
    pub fn blocks(&self) -> impl Iterator<Item = BlockId> + '_ {
        self.out_blocks.iter().chain(&self.in_blocks).copied()
    }
}

/// The edge sets of a subroutine, by the smallest number of a block left. Notes in the records which
/// set each block belongs to.
pub fn edge_sets(sub: &Subroutine, records: &mut Records<'_>) -> Vec<EdgeSet> {
    let count = sub.body.len();
    // each block is two nodes: the one left and, `count` later, the one entered
    let mut parts = Parts::new(count * 2);
    let mut has_edge = vec![false; count * 2];
    for (id, block) in sub.body.iter() {
        for target in block.terminator.targets() {
            parts.join(id.index(), count + target.index());
            has_edge[id.index()] = true;
            has_edge[count + target.index()] = true;
        }
    }
    let mut by_number: Vec<BlockId> = sub.body.ids().collect();
    by_number.sort_by_key(|block| sub.body[*block].number);
    let mut sets: Vec<EdgeSet> = Vec::new();
    let mut set_of_part: Vec<Option<usize>> = vec![None; count * 2];
    for &block in by_number.iter().filter(|block| has_edge[block.index()]) {
        let part = parts.find(block.index());
        let index = *set_of_part[part].get_or_insert_with(|| {
            let (out_blocks, in_blocks) = (Vec::new(), Vec::new());
            sets.push(EdgeSet { out_blocks, in_blocks, candidates: VarSet::new() });
            sets.len() - 1
        });
        sets[index].out_blocks.push(block);
        records[block].set_out = Some(index);
    }
    for &block in by_number.iter().filter(|block| has_edge[count + block.index()]) {
        let part = parts.find(count + block.index());
        let index = set_of_part[part].expect("an edge enters what another block leaves");
        sets[index].in_blocks.push(block);
        records[block].set_in = Some(index);
    }
    for set in &mut sets {
        set.candidates = candidates(set, records);
    }
    sets
}

fn candidates(set: &EdgeSet, records: &Records<'_>) -> VarSet {
    let mut live = records[set.out_blocks[0]].live_out.clone();
    for block in &set.out_blocks[1..] {
        live.intersect_with(records[*block].live_out);
    }
    // variables that one block entered does not want, and those that several do not want
    let (mut missed_once, mut missed_often) = (VarSet::new(), VarSet::new());
    if live.is_empty() {
        return live;
    }
    for block in &set.in_blocks {
        for var in super::minus(&live, records[*block].live_in).iter() {
            if !missed_once.insert(var) {
                missed_often.insert(var);
            }
        }
    }
    live.difference_with(&missed_often);
    live
}

/// Edge sets that share a block, directly or through others; sets and groups in order.
pub fn groups(sub: &Subroutine, sets: &[EdgeSet]) -> Vec<Vec<usize>> {
    let count = sub.body.len();
    let mut parts = Parts::new(count + sets.len());
    for (index, set) in sets.iter().enumerate() {
        set.blocks().for_each(|block| parts.join(count + index, block.index()));
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of_part = vec![None; count + sets.len()];
    for index in 0..sets.len() {
        let part = parts.find(count + index);
        let group = *group_of_part[part].get_or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    groups
}

/// Connected parts of a graph (union-find).
struct Parts(Vec<usize>);

impl Parts {
    fn new(nodes: usize) -> Self {
        Self((0..nodes).collect())
    }
    fn find(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a] = b;
    }
}
