//! Checks on IR out of SSA: what can only be told once everything that folds has folded. Reports
//! through the sink and changes nothing. Spec 22 §18.
//!
//! Each check runs over all programs of an artifact before the next one starts, as the order of the
//! messages is that of the reference.

mod availability;
mod compiled_references;
mod infinite_loops;
mod inner_transactions;
mod scratch_slots;
mod static_failures;

use crate::base::source::Loc;
use crate::diagnostics::Outcome;

use super::Ctx;
use super::model::{Artifact, Node, Program, Subroutine};
use super::op::{Intrinsic, OpKind, SourceKind, Value};

/// One check of a program.
type Check = fn(&Program, Ctx<'_, '_>);

static CHECKS: &[Check] = &[
    availability::check_run_mode,
    availability::check_avm_version,
    inner_transactions::check,
    compiled_references::check,
    scratch_slots::check,
    infinite_loops::check,
    static_failures::check,
];

/// Runs all checks on an artifact.
pub fn run(artifact: &Artifact, ctx: Ctx<'_, '_>) -> Outcome<()> {
    for check in CHECKS {
        ctx.session.check_stop()?;
        for program in artifact.programs() {
            check(program, ctx);
        }
    }
    Ok(())
}

/// Visits every instruction of a program in order, with its location.
fn for_each_intrinsic(program: &Program, mut visit: impl FnMut(&Intrinsic, Loc)) {
    for sub in program.all_subroutines() {
        for op in sub.ops_in_order() {
            match &sub.ops[op].kind {
                OpKind::Intrinsic(intrinsic) => visit(intrinsic, sub.ops[op].loc),
                OpKind::Assign { source, .. } => {
                    if let SourceKind::Intrinsic(intrinsic) = &source.kind {
                        visit(intrinsic, source.loc);
                    }
                }
                OpKind::Assert { .. }
                | OpKind::WriteSlot { .. }
                | OpKind::BoxWrite { .. }
                | OpKind::Invoke(_) => {}
            }
        }
    }
}

/// Visits every phi, operation and terminator of a program in order.
fn for_each_node(program: &Program, mut visit: impl FnMut(&Subroutine, Node)) {
    for sub in program.all_subroutines() {
        for block in &sub.body {
            sub.nodes(*block).for_each(|node| visit(sub, node));
        }
    }
}

/// Visits the values a node reads, those inside references to compiled artifacts included.
fn visit_values(sub: &Subroutine, ctx: Ctx<'_, '_>, node: Node, visit: &mut impl FnMut(&Value)) {
    match node {
        Node::Phi(phi) => {
            for arg in &sub.phis[phi].args {
                visit(&Value::Register(arg.value));
            }
        }
        Node::Op(op) => sub.ops[op].visit_reads(ctx.pool, visit),
        Node::Terminator(block) => sub.blocks[block].terminator().visit_reads(ctx.pool, visit),
    }
}

#[cfg(test)]
mod tests;
