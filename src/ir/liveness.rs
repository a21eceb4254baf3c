//! Which registers are live where: backward data flow over a subroutine without phis.

use crate::base::entity::{EntityId, EntitySet, SecondaryMap};
use crate::define_id;

use super::Ctx;
use super::cfg;
use super::model::{BlockId, Node, OpId, Subroutine};
use super::op::{Register, RegisterId};

define_id!(
    /// A register of interest, numbered densely: sets of few registers take little room.
    pub struct LiveId, "v"
);

/// Live registers at the end of every block. The subroutine must have no phis.
pub struct Liveness {
    numbering: Numbering,
    live_out: SecondaryMap<BlockId, EntitySet<LiveId>>,
}

/// Numbers of the registers of interest that are read or defined, in the order of first mention.
struct Numbering {
    ids: SecondaryMap<RegisterId, Option<LiveId>>,
    registers: Vec<Register>,
}

impl Numbering {
    fn id(&mut self, register: Register) -> LiveId {
        let id = &mut self.ids[register.id];
        *id.get_or_insert_with(|| {
            self.registers.push(register);
            LiveId::new(self.registers.len() - 1)
        })
    }
}

impl Liveness {
    /// The number of a register of interest that is read or defined.
    pub fn known(&self, register: Register) -> Option<LiveId> {
        self.numbering.ids[register.id]
    }
    /// The register with this number.
    pub fn register(&self, id: LiveId) -> Register {
        self.numbering.registers[id.index()]
    }
    /// Analyses a subroutine, for the registers of interest.
    pub fn analyse(
        sub: &Subroutine,
        ctx: Ctx<'_, '_>,
        is_of_interest: &dyn Fn(Register) -> bool,
    ) -> Self {
        let mut numbering = Numbering {
            ids: SecondaryMap::with_len(sub.registers as usize),
            registers: Vec::new(),
        };
        for parameter in sub.parameters.iter().filter(|parameter| is_of_interest(**parameter)) {
            numbering.id(*parameter);
        }
        // What a block reads before defining it, and what it defines.
        let mut used: SecondaryMap<BlockId, EntitySet<LiveId>> =
            SecondaryMap::with_len(sub.blocks.len());
        let mut defined: SecondaryMap<BlockId, EntitySet<LiveId>> =
            SecondaryMap::with_len(sub.blocks.len());
        for block in &sub.body {
            let (used, defined) = (&mut used[*block], &mut defined[*block]);
            for node in sub.nodes(*block) {
                debug_assert!(!matches!(node, Node::Phi(_)), "there are no phis");
                sub.visit_registers_read(ctx.pool, node, &mut |register| {
                    if !is_of_interest(register) {
                        return;
                    }
                    let id = numbering.id(register);
                    if !defined.contains(id) {
                        used.insert(id);
                    }
                });
                if let Node::Op(op) = node {
                    for target in sub.ops[op].targets() {
                        if is_of_interest(*target) {
                            defined.insert(numbering.id(*target));
                        }
                    }
                }
            }
        }
        let mut live_out: SecondaryMap<BlockId, EntitySet<LiveId>> =
            SecondaryMap::with_len(sub.blocks.len());
        if let [block] = sub.body[..]
            && sub.blocks[block].successors().is_empty()
        {
            return Liveness { numbering, live_out };
        }
        let mut live_in = used;
        // Unreachable blocks have no place in the order, and edges into reachable ones all the same.
        let mut order = cfg::post_order(sub);
        let reached: EntitySet<BlockId> = order.iter().copied().collect();
        order.extend(sub.body.iter().rev().filter(|block| !reached.contains(**block)));
        let mut pending: EntitySet<BlockId> = order.iter().copied().collect();
        while !pending.is_empty() {
            for block in &order {
                if !pending.remove(*block) {
                    continue;
                }
                let mut out = std::mem::take(&mut live_out[*block]);
                for successor in sub.blocks[*block].successors() {
                    out.union_with(&live_in[successor]);
                }
                let mut grew = false;
                for id in out.iter() {
                    if !defined[*block].contains(id) {
                        grew |= live_in[*block].insert(id);
                    }
                }
                live_out[*block] = out;
                if grew {
                    for predecessor in &sub.blocks[*block].predecessors {
                        pending.insert(*predecessor);
                    }
                }
            }
        }
        Liveness { numbering, live_out }
    }
    /// Visits the operations of a block from the last to the first, each with what is live after it.
    pub fn for_each_op_backwards(
        &self,
        sub: &Subroutine,
        ctx: Ctx<'_, '_>,
        block: BlockId,
        mut visit: impl FnMut(OpId, &EntitySet<LiveId>),
    ) {
        let mut live = self.live_out[block].clone();
        let read = |live: &mut EntitySet<LiveId>, node| {
            sub.visit_registers_read(ctx.pool, node, &mut |register| {
                if let Some(id) = self.known(register) {
                    live.insert(id);
                }
            });
        };
        read(&mut live, Node::Terminator(block));
        for op in sub.blocks[block].ops.iter().rev() {
            visit(*op, &live);
            for target in sub.ops[*op].targets() {
                if let Some(id) = self.known(*target) {
                    live.remove(id);
                }
            }
            read(&mut live, Node::Op(*op));
        }
    }
}
