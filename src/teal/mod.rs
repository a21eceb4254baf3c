//! Assembly: MIR -> [`model::Program`] -> TEAL text. [`build_program`] is the stage's entry point.

mod build;
pub mod manipulations;
pub mod model;
mod optimise;
pub mod stack_effect;
pub mod text;
pub mod text_read;

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
    let before = explicit_checks(session, program);
    optimise::run(session, level, program, observer)?;
    let after = explicit_checks(session, program);
    // Ops can be copied while blocks are merged, so there may be more than before.
    if before.iter().any(|(check, count)| after.get(check).copied().unwrap_or(0) < *count) {
        let message = "explicit condition check(s) removed during TEAL optimization";
        return Err(Failure::internal(message, Loc::NONE));
    }
    Ok(())
}

/// How often each check that the source asks for stands in each subroutine.
fn explicit_checks(session: &Session, program: &Program) -> OrderedMap<(String, String), usize> {
    let mut checks = OrderedMap::default();
    for sub in &program.subroutines {
        let mut signature = None;
        for op in sub.blocks.iter().flat_map(|block| &block.ops) {
            let (OpKind::Assert { message, explicit: true }
            | OpKind::Err { message, explicit: true }) = op.kind
            else {
                continue;
            };
            let what = match message {
                Some(message) => format!("{} // {}", op.op_code(), session.text(message)),
                None => op.op_code().to_owned(),
            };
            let signature = signature.get_or_insert_with(|| sub.signature.text(session));
            *checks.entry((signature.clone(), what)).or_default() += 1;
        }
    }
    checks
}

#[cfg(test)]
mod tests;
