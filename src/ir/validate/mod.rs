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

use crate::avm::ops::AvmOp;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

use super::Ctx;
use super::model::{Artifact, Node, Program, Subroutine};
use super::op::{Constant, Intrinsic, Op, OpKind, SourceKind, Value};

/// One check of a program, and whether it may have something to report.
type Check = (fn(&Program, Ctx<'_, '_>), fn(&Suspicions) -> bool);

static CHECKS: &[Check] = &[
    (availability::check_run_mode, |found| found.other_mode),
    (availability::check_avm_version, |found| found.later_version),
    (inner_transactions::check, |found| found.inner_transactions),
    (compiled_references::check, |found| found.compiled_references),
    (scratch_slots::check, |found| found.scratch_slots),
    (infinite_loops::check, |found| found.loops),
    (static_failures::check, |found| found.failures),
];

/// Runs all checks on an artifact.
pub fn run(artifact: &Artifact, ctx: Ctx<'_, '_>) -> Outcome<()> {
    check_programs(&artifact.programs(), ctx)
}

fn check_programs(programs: &[&Program], ctx: Ctx<'_, '_>) -> Outcome<()> {
    let suspicions: Vec<Suspicions> =
        programs.iter().map(|program| Suspicions::of(program, ctx)).collect();
    for (check, is_due) in CHECKS {
        ctx.session.check_stop()?;
        for (program, suspicions) in programs.iter().zip(&suspicions) {
            let told = ctx.sink().len();
            let is_due = is_due(suspicions);
            if is_due || cfg!(debug_assertions) {
                check(program, ctx);
            }
            debug_assert!(is_due || ctx.sink().len() == told, "reports came without suspicion");
        }
    }
    Ok(())
}

/// What one look at a program finds worth a check.
#[derive(Default)]
struct Suspicions {
    /// An instruction for another kind of program.
    other_mode: bool,
    /// An instruction of a later AVM version.
    later_version: bool,
    /// A field or the number of an inner transaction.
    inner_transactions: bool,
    /// A reference to a compiled artifact.
    compiled_references: bool,
    /// Access to scratch space.
    scratch_slots: bool,
    /// A block that goes to itself.
    loops: bool,
    /// An instruction that fails.
    failures: bool,
}

impl Suspicions {
    fn of(program: &Program, ctx: Ctx<'_, '_>) -> Self {
        let mut found = Self::default();
        for sub in program.all_subroutines() {
            for block in &sub.body {
                let data = &sub.blocks[*block];
                for op in &data.ops {
                    found.op(program, &sub.ops[*op], ctx);
                }
                let terminator = data.terminator();
                terminator.visit_reads(ctx.pool, &mut |value| found.value(value));
                found.loops |= terminator.target(0) == Some(*block);
            }
        }
        found
    }
    fn op(&mut self, program: &Program, op: &Op, ctx: Ctx<'_, '_>) {
        op.visit_reads(ctx.pool, &mut |value| self.value(value));
        let Some(intrinsic) = op.intrinsic() else {
            if let OpKind::Assign { source, .. } = &op.kind {
                self.inner_transactions |=
                    matches!(source.kind, SourceKind::InnerTransactionField { .. });
            }
            return;
        };
        if let Ok(variant) = intrinsic.op.variant(&intrinsic.immediates) {
            self.other_mode |= availability::place_of_mode(program, variant).is_some();
            self.later_version |= availability::is_later(program, variant);
        }
        self.scratch_slots |=
            matches!(intrinsic.op, AvmOp::Load | AvmOp::Store | AvmOp::Loads | AvmOp::Stores);
        self.failures |= static_failures::problem(ctx.pool, intrinsic).is_some();
    }
    fn value(&mut self, value: &Value) {
        match value {
            Value::Compiled(..) => self.compiled_references = true,
            Value::Constant(Constant::Itxn { .. }, _) => self.inner_transactions = true,
            _ => {}
        }
    }
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
