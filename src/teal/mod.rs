//! Assembly: MIR -> [`model::Program`] -> TEAL text. [`build_program`] is the stage's entry point.

mod build;
pub mod manipulations;
pub mod model;
mod optimise;
pub mod stack_effect;
pub mod text;
pub mod text_read;

use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::mir::model as mir;
use crate::session::Session;

use model::{OpKind, Program};
pub use optimise::Observer;

/// Builds a program and optimises it. The observer sees it after the steps the reference can dump:
/// `lowered`, `peephole` and, from level 1 on, `block`; [`text::render`] gives the dump's text.
pub fn build_program(
    session: &Session,
    optimisation_level: i64,
    program: &mir::Program,
    observer: Observer,
) -> Outcome<Program> {
    let mut teal = build::build(session, program)?;
    observer(&teal, "lowered")?;
    optimise_program(session, optimisation_level, &mut teal, observer)?;
    Ok(teal)
}

/// Optimises a program as it was built. Fails when a check that the source asks for got lost.
pub fn optimise_program(
    session: &Session,
    level: i64,
    program: &mut Program,
    observer: Observer,
) -> Outcome<()> {
    let before = explicit_checks(program);
    optimise::run(session, level, program, observer)?;
    let after = explicit_checks(program);
    // Ops can be copied while blocks are merged, so there may be more than before.
    if before.iter().any(|(check, count)| after.get(check).copied().unwrap_or(0) < *count) {
        let message = "explicit condition check(s) removed during TEAL optimization";
        return Err(Failure::internal(message, Loc::NONE));
    }
    Ok(())
}

/// A check by the subroutine it stands in, whether it fails always, and its message.
type Check = (Symbol, bool, Option<Symbol>);

/// How often each check that the source asks for stands in each subroutine.
fn explicit_checks(program: &Program) -> OrderedMap<Check, usize> {
    let mut checks = OrderedMap::default();
    for sub in &program.subroutines {
        for op in sub.blocks.iter().flat_map(|block| &block.ops) {
            let (fails, message) = match op.kind {
                OpKind::Assert { message, explicit: true } => (false, message),
                OpKind::Err { message, explicit: true } => (true, message),
                _ => continue,
            };
            *checks.entry((sub.signature.name, fails, message)).or_default() += 1;
        }
    }
    checks
}

#[cfg(test)]
mod tests;
