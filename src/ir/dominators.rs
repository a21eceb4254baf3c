//! Dominators of the blocks of a subroutine: body in, [`DominatorTree`] out. Blocks that the entry
//! does not reach are not in the tree.

use crate::base::entity::SecondaryMap;

use super::model::{BlockId, Subroutine};

/// Which block every path from the entry to a block goes through last.
#[derive(Clone, Debug)]
pub struct DominatorTree {
    entry: BlockId,
    immediate: SecondaryMap<BlockId, Option<BlockId>>,
    children: SecondaryMap<BlockId, Vec<BlockId>>,
}

impl DominatorTree {
    /// The tree of a subroutine with a body. Children are ordered by block number.
    pub fn compute(sub: &Subroutine) -> Self {
        let order = reverse_post_order(sub);
        let mut rank: SecondaryMap<BlockId, Option<u32>> = SecondaryMap::new();
        for (index, block) in (0u32..).zip(&order) {
            rank[*block] = Some(index);
        }
        // Cooper, Harvey and Kennedy: dominators as ranks in reverse post-order, to a fixed point.
        let mut dominators: Vec<Option<u32>> = vec![None; order.len()];
        dominators[0] = Some(0);
        let mut changed = true;
        while changed {
            changed = false;
            for (index, block) in order.iter().enumerate().skip(1) {
                let mut best: Option<u32> = None;
                for predecessor in &sub.blocks[*block].predecessors {
                    let Some(candidate) = rank[*predecessor] else { continue };
                    if dominators[candidate as usize].is_some() {
                        best = Some(best.map_or(candidate, |b| meet(&dominators, b, candidate)));
                    }
                }
                if dominators[index] != best {
                    dominators[index] = best;
                    changed = true;
                }
            }
        }
        let mut tree =
            Self { entry: order[0], immediate: SecondaryMap::new(), children: SecondaryMap::new() };
        for (index, block) in order.iter().enumerate().skip(1) {
            let parent = dominators[index].expect("a reachable block has a dominator") as usize;
            tree.immediate[*block] = Some(order[parent]);
            tree.children[order[parent]].push(*block);
        }
        for block in &order {
            tree.children[*block].sort_by_key(|child| sub.number(*child));
        }
        tree
    }
    /// The root.
    pub fn entry(&self) -> BlockId {
        self.entry
    }
    /// The immediate dominator; none for the entry and for blocks that are not reachable.
    pub fn immediate(&self, block: BlockId) -> Option<BlockId> {
        self.immediate[block]
    }
    /// The blocks a block dominates immediately, by number.
    pub fn children(&self, block: BlockId) -> &[BlockId] {
        &self.children[block]
    }
}

fn meet(dominators: &[Option<u32>], mut a: u32, mut b: u32) -> u32 {
    let up = |rank: u32| dominators[rank as usize].expect("processed blocks have a dominator");
    while a != b {
        if a > b {
            a = up(a);
        } else {
            b = up(b);
        }
    }
    a
}

fn reverse_post_order(sub: &Subroutine) -> Vec<BlockId> {
    let mut seen = crate::base::entity::EntitySet::new();
    let mut order = Vec::with_capacity(sub.body.len());
    let entry = sub.entry();
    seen.insert(entry);
    let mut stack = vec![(entry, sub.blocks[entry].successors())];
    while let Some((block, rest)) = stack.last_mut() {
        match rest.pop() {
            Some(next) if seen.insert(next) => stack.push((next, sub.blocks[next].successors())),
            Some(_) => {}
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}
