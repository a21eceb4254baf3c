//! Removes phis whose register nothing reads, and assignments none of whose registers is read when
//! computing the source has no effect. What becomes unused that way goes too. Phis that only read each
//! other stay.

use crate::avm::ops::Purity;
use crate::base::entity::{EntityId, EntitySet};
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, Node, OpId, PhiId, Subroutine};
use crate::ir::numbering::{Numbering, RegisterId};
use crate::ir::op::{OpKind, Register, Source, SourceKind};
use crate::ir::pool::Pool;

use super::PassCtx;

/// The registers the body defines, how often each is read, and where it is defined.
struct Usages {
    numbering: Numbering,
    definitions: Vec<(Node, BlockId)>,
    reads: Vec<u32>,
}

/// What is to be taken off the order lists.
#[derive(Default)]
struct Dead {
    ops: EntitySet<OpId>,
    phis: EntitySet<PhiId>,
    blocks: EntitySet<BlockId>,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let pool = ctx.ir.pool;
    let mut usages = Usages::collect(sub, pool);
    let unread = |id: &RegisterId| usages.reads[id.index()] == 0;
    let mut pending: Vec<RegisterId> =
        (0..usages.reads.len()).map(RegisterId::new).filter(unread).collect();
    let mut dead = Dead::default();
    while let Some(register) = pending.pop() {
        bury(sub, pool, register, &mut usages, &mut dead, &mut pending);
    }
    for block in dead.blocks.iter() {
        let data = &mut sub.blocks[block];
        data.phis.retain(|phi| !dead.phis.contains(*phi));
        data.ops.retain(|op| !dead.ops.contains(*op));
    }
    Ok(!dead.blocks.is_empty())
}

impl Usages {
    fn collect(sub: &Subroutine, pool: &Pool<'_>) -> Self {
        let count = sub.op_count();
        let mut usages = Self {
            numbering: Numbering::with_capacity(count),
            definitions: Vec::with_capacity(count),
            reads: Vec::new(),
        };
        for block in &sub.body {
            let data = &sub.blocks[*block];
            for phi in &data.phis {
                usages.define(sub.phis[*phi].register, Node::Phi(*phi), *block);
            }
            for op in &data.ops {
                for target in sub.ops[*op].targets() {
                    usages.define(*target, Node::Op(*op), *block);
                }
            }
        }
        usages.reads.resize(usages.definitions.len(), 0);
        sub.visit_reads_in_order(pool, &mut |_, register| {
            if let Some(id) = usages.numbering.known(register) {
                usages.reads[id.index()] += 1;
            }
        });
        usages
    }
    fn define(&mut self, register: Register, node: Node, block: BlockId) {
        let id = self.numbering.id(register);
        if id.index() == self.definitions.len() {
            self.definitions.push((node, block));
        }
    }
    fn is_unread(&self, register: Register) -> bool {
        self.numbering.known(register).is_none_or(|id| self.reads[id.index()] == 0)
    }
}

/// Marks the definition of an unread register when nothing needs it; registers it alone read become
/// pending.
fn bury(
    sub: &Subroutine,
    pool: &Pool<'_>,
    register: RegisterId,
    usages: &mut Usages,
    dead: &mut Dead,
    pending: &mut Vec<RegisterId>,
) {
    let (node, block) = usages.definitions[register.index()];
    let newly_dead = match node {
        Node::Phi(phi) => dead.phis.insert(phi),
        Node::Op(op) => match &sub.ops[op].kind {
            OpKind::Assign { targets, source } => {
                targets.iter().all(|target| usages.is_unread(*target))
                    && is_removable(pool, source)
                    && dead.ops.insert(op)
            }
            _ => false,
        },
        Node::Terminator(_) => false,
    };
    if !newly_dead {
        return;
    }
    dead.blocks.insert(block);
    sub.visit_registers_read(pool, node, &mut |register| {
        if let Some(id) = usages.numbering.known(register) {
            usages.reads[id.index()] -= 1;
            if usages.reads[id.index()] == 0 {
                pending.push(id);
            }
        }
    });
}

fn is_removable(pool: &Pool<'_>, source: &Source) -> bool {
    match &source.kind {
        SourceKind::Value(_)
        | SourceKind::InnerTransactionField { .. }
        | SourceKind::ArrayLength { .. }
        | SourceKind::ArrayPop { .. }
        | SourceKind::ArrayConcat { .. }
        | SourceKind::ExtractValue { .. }
        | SourceKind::ReplaceValue { .. }
        | SourceKind::BoxRead { .. }
        | SourceKind::BytesEncode { .. }
        | SourceKind::DecodeBytes { .. } => true,
        SourceKind::Intrinsic(intrinsic) => intrinsic.op.purity() != Purity::None,
        SourceKind::Invoke(invoke) => pool.header(invoke.target).pure,
        SourceKind::ValueTuple { .. } | SourceKind::NewSlot(_) | SourceKind::ReadSlot(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn what_only_unused_results_read_goes_too() {
        check(
            "remove_unused_variables",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (+ a#0 1u)
                    let c#0: uint64 = (+ b#0 1u)
                    let (d#0: uint64, e#0: bool) = ((acct_params_get AcctBalance) 0u)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    exit 1u
            "#,
        );
    }

    #[test]
    fn effects_used_results_and_phis_that_read_each_other_stay() {
        check(
            "remove_unused_variables",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f()
                    let b#0: bool = (box_create "b" 1u)
                    let (c#0: uint64, d#0: bool) = ((acct_params_get AcctBalance) 0u)
                    (assert d#0)
                    goto block@1
                block@1: // L2
                    let p#0: uint64 = φ(a#0 <- block@0, q#0 <- block@1)
                    let q#0: uint64 = φ(a#0 <- block@0, p#0 <- block@1)
                    let r#0: uint64 = φ(a#0 <- block@0, a#0 <- block@1)
                    goto block@1

            subroutine f() -> uint64:
                block@0: // L3
                    return 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f()
                    let b#0: bool = (box_create "b" 1u)
                    let (c#0: uint64, d#0: bool) = ((acct_params_get AcctBalance) 0u)
                    (assert d#0)
                    goto block@1
                block@1: // L2
                    let p#0: uint64 = φ(a#0 <- block@0, q#0 <- block@1)
                    let q#0: uint64 = φ(a#0 <- block@0, p#0 <- block@1)
                    goto block@1

            subroutine f() -> uint64:
                block@0: // L3
                    return 1u
            "#,
        );
    }
}
