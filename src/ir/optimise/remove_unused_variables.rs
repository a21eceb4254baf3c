//! Removes phis whose register nothing reads, and assignments none of whose registers is read when
//! computing the source has no effect. What becomes unused that way goes too. Phis that only read each
//! other stay.

use crate::avm::ops::Purity;
use crate::base::entity::EntitySet;
use crate::base::ordered::LookupMap;
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, Node, OpId, PhiId, Subroutine};
use crate::ir::op::{OpKind, Register, Source, SourceKind};
use crate::ir::pool::Pool;

use super::PassCtx;

/// Uses of a register and where it is defined.
#[derive(Clone, Copy, Default)]
struct Usage {
    reads: u32,
    definition: Option<Definition>,
}

#[derive(Clone, Copy)]
struct Definition {
    node: Node,
    block: BlockId,
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
    let mut usages: LookupMap<Register, Usage> = LookupMap::new();
    let mut definitions: Vec<Definition> = Vec::new();
    for block in &sub.body {
        for node in sub.nodes(*block) {
            let mut define = |register: Register| {
                let definition = Definition { node, block: *block };
                usages.get_or_insert_with(register, Usage::default).definition = Some(definition);
            };
            match node {
                Node::Phi(phi) => {
                    define(sub.phis[phi].register);
                    definitions.push(Definition { node, block: *block });
                }
                Node::Op(op) if !sub.ops[op].targets().is_empty() => {
                    sub.ops[op].targets().iter().for_each(|target| define(*target));
                    definitions.push(Definition { node, block: *block });
                }
                Node::Op(_) | Node::Terminator(_) => {}
            }
            sub.visit_registers_read(pool, node, &mut |register| {
                usages.get_or_insert_with(register, Usage::default).reads += 1;
            });
        }
    }
    let mut dead = Dead::default();
    let mut pending = Vec::new();
    for definition in definitions {
        bury(sub, pool, definition, &mut usages, &mut dead, &mut pending);
        while let Some(next) = pending.pop() {
            bury(sub, pool, next, &mut usages, &mut dead, &mut pending);
        }
    }
    for block in dead.blocks.iter() {
        let data = &mut sub.blocks[block];
        data.phis.retain(|phi| !dead.phis.contains(*phi));
        data.ops.retain(|op| !dead.ops.contains(*op));
    }
    Ok(!dead.blocks.is_empty())
}

/// Marks a definition that nothing needs; definitions it alone needed become pending.
fn bury(
    sub: &Subroutine,
    pool: &Pool<'_>,
    definition: Definition,
    usages: &mut LookupMap<Register, Usage>,
    dead: &mut Dead,
    pending: &mut Vec<Definition>,
) {
    let unused = |register: &Register| usages.get(register).is_none_or(|usage| usage.reads == 0);
    let newly_dead = match definition.node {
        Node::Phi(phi) => unused(&sub.phis[phi].register) && dead.phis.insert(phi),
        Node::Op(op) => match &sub.ops[op].kind {
            OpKind::Assign { targets, source } => {
                targets.iter().all(unused) && is_removable(pool, source) && dead.ops.insert(op)
            }
            _ => false,
        },
        Node::Terminator(_) => false,
    };
    if !newly_dead {
        return;
    }
    dead.blocks.insert(definition.block);
    sub.visit_registers_read(pool, definition.node, &mut |register| {
        let usage = usages.get_or_insert_with(register, Usage::default);
        usage.reads -= 1;
        if usage.reads == 0 {
            pending.extend(usage.definition);
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
