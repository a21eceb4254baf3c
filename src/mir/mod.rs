//! Stack code: IR out of SSA in, operations over the AVM's stack out. Spec 30.
//!
//! [`lower`] builds operations over abstract variables and then gives every variable a place: on the
//! L-stack inside a block, on the X-stack across edges, and what is left on the F-stack.

pub mod alloc_cross;
pub mod alloc_frame;
pub mod alloc_local;
pub mod build;
pub mod lifetimes;
pub mod model;
pub mod peephole;
pub mod stack;
pub mod text;

use crate::diagnostics::{Failure, Outcome};
use crate::ir;
use crate::ir::Ctx;
use crate::session::Session;

use model::{AvmType, Op, OpId, OpKind, Program, Subroutine, TerminatorKind};

/// One step of allocation, over one subroutine after the other.
struct Pass {
    /// Qualifier of the dump that follows.
    name: &'static str,
    /// Lowest optimisation level that has it.
    level: i64,
    run: fn(Ctx<'_, '_>, &mut Subroutine) -> Outcome<()>,
}

static PASSES: &[Pass] = &[
    Pass { name: "lstack", level: 0, run: alloc_local::run },
    Pass { name: "lstack.opt", level: 1, run: peephole::run },
    Pass { name: "xstack", level: 1, run: alloc_cross::run },
    Pass { name: "xstack.opt", level: 1, run: peephole::run },
    Pass { name: "fstack", level: 0, run: alloc_frame::run },
    Pass { name: "fstack.opt", level: 1, run: peephole::run },
];

/// Called with the qualifier of a dump (`build`, the names of the passes, and empty for the last
/// one) and the program as it stands.
pub type Observer<'a> = &'a mut dyn FnMut(&'static str, &Program) -> Outcome<()>;

/// Lowers a program out of SSA to stack code with every variable in its place.
pub fn lower(
    ctx: Ctx<'_, '_>,
    program: &ir::model::Program,
    observer: Observer<'_>,
) -> Outcome<Program> {
    let mut program = build::program(ctx, program)?;
    observer("build", &program)?;
    let checks = explicit_checks(&program);
    for pass in PASSES.iter().filter(|pass| pass.level <= ctx.options.optimization_level) {
        for sub in program.all_subroutines_mut() {
            ctx.session.check_stop()?;
            (pass.run)(ctx, sub)?;
        }
        observer(pass.name, &program)?;
    }
    observer("", &program)?;
    if checks != explicit_checks(&program) {
        let message = "explicit condition check(s) removed during global stack allocation";
        return Err(Failure::internal(message, crate::base::source::Loc::NONE));
    }
    Ok(program)
}

/// The checks the program's author wrote, in order. None of them may get lost.
fn explicit_checks(program: &Program) -> Vec<OpId> {
    let mut checks = Vec::new();
    for block in program.all_subroutines().flat_map(|sub| sub.body.values()) {
        let ops = block.ops.iter();
        let asserts = ops.filter(|op| matches!(op.kind, OpKind::Assert { explicit: true, .. }));
        checks.extend(asserts.map(|op| op.id));
        if matches!(block.terminator.kind, TerminatorKind::Err { explicit: true, .. }) {
            checks.push(block.terminator.id);
        }
    }
    checks
}

/// Fails for a store or load of a variable that is sometimes a number and sometimes a byte string.
fn check_access(session: &Session<'_>, op: &Op) -> Outcome<()> {
    match op.local() {
        Some(local) if local.atype == AvmType::Any => {
            let text = text::op_text(session, op);
            Err(Failure::internal(format!("Register has type any: {text}"), op.loc))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
