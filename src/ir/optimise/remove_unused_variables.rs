//! Removes phis whose register nothing reads, and assignments none of whose registers is read when
//! computing the source has no effect. What becomes unused that way goes too. Phis that only read each
//! other stay.

use crate::avm::ops::Purity;
use crate::base::entity::EntitySet;
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, Node, OpId, PhiId, RegisterTable, Subroutine};
use crate::ir::op::{OpKind, Register, Source, SourceKind};
use crate::ir::pool::Pool;

use super::PassCtx;

/// What is known of a register.
#[derive(Clone, Copy, Default)]
struct Usage {
    /// Where the body defines it, if it does.
    definition: Option<(Node, BlockId)>,
    /// How often it is read.
    reads: u32,
}

type Usages = RegisterTable<Usage>;

/// What is to be taken off the order lists.
#[derive(Default)]
struct Dead {
    ops: EntitySet<OpId>,
    phis: EntitySet<PhiId>,
    blocks: EntitySet<BlockId>,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let had_left_out = std::mem::take(&mut sub.left_out) > 0;
    let pool = ctx.ir.pool;
    let mut usages = collect(sub, pool);
    let mut pending: Vec<Register> = Vec::new();
    sub.visit_definitions(&mut |register| {
        if usages[register].reads == 0 {
            pending.push(register);
        }
    });
    let mut dead = Dead::default();
    while let Some(register) = pending.pop() {
        bury(sub, pool, register, &mut usages, &mut dead, &mut pending);
    }
    for block in dead.blocks.iter() {
        let data = &mut sub.blocks[block];
        data.phis.retain(|phi| !dead.phis.contains(*phi));
        data.ops.retain(|op| !dead.ops.contains(*op));
    }
    Ok(had_left_out || !dead.blocks.is_empty())
}

fn collect(sub: &Subroutine, pool: &Pool<'_>) -> Usages {
    let mut usages: Usages = sub.register_table(Usage::default());
    for block in &sub.body {
        let data = &sub.blocks[*block];
        for phi in &data.phis {
            usages[sub.phis[*phi].register].definition = Some((Node::Phi(*phi), *block));
        }
        for op in &data.ops {
            for target in sub.ops[*op].targets() {
                usages[*target].definition = Some((Node::Op(*op), *block));
            }
        }
    }
    sub.visit_reads_in_order(pool, &mut |_, register| usages[register].reads += 1);
    usages
}

/// Marks the definition of an unread register when nothing needs it; registers it alone read become
/// pending.
fn bury(
    sub: &Subroutine,
    pool: &Pool<'_>,
    register: Register,
    usages: &mut Usages,
    dead: &mut Dead,
    pending: &mut Vec<Register>,
) {
    let Some((node, block)) = usages[register].definition else { return };
    let newly_dead = match node {
        Node::Phi(phi) => dead.phis.insert(phi),
        Node::Op(op) => match &sub.ops[op].kind {
            OpKind::Assign { targets, source } => {
                targets.iter().all(|target| usages[*target].reads == 0)
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
        let usage = &mut usages[register];
        usage.reads -= 1;
        if usage.reads == 0 {
            pending.push(register);
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
