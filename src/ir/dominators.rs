//! Dominators of the blocks of a subroutine: body in, [`DominatorTree`] out. Blocks that the entry
//! does not reach are not in the tree.

use crate::base::entity::SecondaryMap;

use super::cfg;
use super::model::{BlockId, Subroutine};

/// Which block every path from the entry to a block goes through last.
#[derive(Clone, Debug)]
pub struct DominatorTree {
    entry: BlockId,
    nodes: SecondaryMap<BlockId, TreeNode>,
}

/// Parent of a block, its child with the largest number, and its parent's child with the next smaller
/// number.
#[derive(Clone, Copy, Debug, Default)]
struct TreeNode {
    immediate: Option<BlockId>,
    last_child: Option<BlockId>,
    previous_sibling: Option<BlockId>,
}

impl DominatorTree {
    /// The tree of a subroutine with a body.
    pub fn compute(sub: &Subroutine) -> Self {
        let mut order = cfg::reverse_post_order(sub);
        let mut nodes: SecondaryMap<BlockId, TreeNode> = SecondaryMap::new();
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
        let entry = order[0];
        for (index, block) in order.iter().enumerate().skip(1) {
            let parent = dominators[index].expect("a reachable block has a dominator") as usize;
            nodes[*block].immediate = Some(order[parent]);
        }
        order.sort_by_key(|block| sub.number(*block));
        for block in order {
            let Some(parent) = nodes[block].immediate else { continue };
            let previous = nodes[parent].last_child.replace(block);
            nodes[block].previous_sibling = previous;
        }
        Self { entry, nodes }
    }
    /// The root.
    pub fn entry(&self) -> BlockId {
        self.entry
    }
    /// The immediate dominator; none for the entry and for blocks that are not reachable.
    pub fn immediate(&self, block: BlockId) -> Option<BlockId> {
        self.nodes[block].immediate
    }
    /// The blocks a block dominates immediately, from the largest number to the smallest.
    pub fn children_from_last(&self, block: BlockId) -> impl Iterator<Item = BlockId> + '_ {
        let last = self.nodes[block].last_child;
        std::iter::successors(last, |child| self.nodes[*child].previous_sibling)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::base::entity::EntityId;
    use crate::ir::model::ProgramKind;
    use crate::ir::pool::Pool;
    use crate::ir::{Ctx, text_read};
    use crate::options::CompileOptions;
    use crate::session::Session;

    #[test]
    fn a_join_is_dominated_by_the_fork_and_a_loop_by_its_head() {
        let text = "\
main m:
    block@0: // L1
        let a#0: uint64 = (txn Fee)
        goto a#0 ? block@1 : block@2
    block@1: // L2
        goto block@3
    block@2: // L3
        goto block@3
    block@3: // L4
        goto a#0 ? block@4 : block@5
    block@4: // L5
        goto block@3
    block@5: // L6
        exit 1u
    block@6: // L7
        goto block@5";
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let pool = Pool::new(&arena);
        let options = CompileOptions::default();
        let ctx = Ctx { session: &session, pool: &pool, options: &options };
        let program = text_read::program(ctx, text, ProgramKind::Approval).unwrap();
        let tree = DominatorTree::compute(&program.main);
        let block = BlockId::new;
        let immediate: Vec<_> = (0..7).map(|index| tree.immediate(block(index))).collect();
        let expected = [None, Some(0), Some(0), Some(0), Some(3), Some(3), None];
        assert_eq!(immediate, expected.map(|index| index.map(block)));
        let children: Vec<_> = tree.children_from_last(block(0)).collect();
        assert_eq!(children, [3, 2, 1].map(block));
    }
}
