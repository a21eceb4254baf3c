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

/// How often each register is read.
type Reads = RegisterTable<u32>;

/// A node that defines registers, with its block.
type Definition = (Node, BlockId);

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
    let mut reads: Reads = sub.register_table(0);
    sub.visit_reads_in_order(pool, &mut |_, register| reads[register] += 1);
    let mut pending: Vec<Definition> = Vec::new();
    visit_definitions(sub, &mut |definition, _| {
        if is_unneeded(sub, pool, definition.0, &reads) {
            pending.push(definition);
        }
    });
    if pending.is_empty() {
        // so it is mostly, and where registers are defined need not be known
        return Ok(had_left_out);
    }
    let dead = bury(sub, pool, pending, &mut reads);
    for block in dead.blocks.iter() {
        let data = &mut sub.blocks[block];
        data.phis.retain(|phi| !dead.phis.contains(*phi));
        data.ops.retain(|op| !dead.ops.contains(*op));
    }
    Ok(true)
}

/// Visits everything in the body that defines registers, with these.
fn visit_definitions(sub: &Subroutine, visit: &mut impl FnMut(Definition, &[Register])) {
    for block in &sub.body {
        let data = &sub.blocks[*block];
        for phi in &data.phis {
            visit((Node::Phi(*phi), *block), &[sub.phis[*phi].register]);
        }
        for op in &data.ops {
            if let OpKind::Assign { targets, .. } = &sub.ops[*op].kind {
                visit((Node::Op(*op), *block), targets);
            }
        }
    }
}

/// Whether nothing reads what a node defines, and nothing else comes of it.
fn is_unneeded(sub: &Subroutine, pool: &Pool<'_>, node: Node, reads: &Reads) -> bool {
    match node {
        Node::Phi(phi) => reads[sub.phis[phi].register] == 0,
        Node::Op(op) => match &sub.ops[op].kind {
            OpKind::Assign { targets, source } => {
                targets.iter().all(|target| reads[*target] == 0) && is_removable(pool, source)
            }
            _ => false,
        },
        Node::Terminator(_) => false,
    }
}

/// Collects what is pending and what only that needs, directly or through others.
fn bury(
    sub: &Subroutine,
    pool: &Pool<'_>,
    mut pending: Vec<Definition>,
    reads: &mut Reads,
) -> Dead {
    let mut definitions: RegisterTable<Option<Definition>> = sub.register_table(None);
    visit_definitions(sub, &mut |definition, registers| {
        registers.iter().for_each(|register| definitions[*register] = Some(definition));
    });
    let mut dead = Dead::default();
    while let Some((node, block)) = pending.pop() {
        let newly_dead = match node {
            Node::Phi(phi) => dead.phis.insert(phi),
            Node::Op(op) => dead.ops.insert(op),
            Node::Terminator(_) => false,
        };
        if !newly_dead {
            continue;
        }
        dead.blocks.insert(block);
        sub.visit_registers_read(pool, node, &mut |register| {
            reads[register] -= 1;
            if reads[register] == 0
                && let Some(definition) = definitions[register]
                && is_unneeded(sub, pool, definition.0, reads)
            {
                pending.push(definition);
            }
        });
    }
    dead
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
