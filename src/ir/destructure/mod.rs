//! Out of SSA: IR with phis -> IR in which a register may be assigned several times. Spec 22 §16.
//!
//! Per subroutine: critical edges are split (from level 1 on), phis become copies at the ends of
//! their predecessors, registers that do not interfere are merged, parallel copies become sequences,
//! and what the copies left behind is tidied up.

mod coalesce;
mod critical_edges;
mod names;
mod parallel_copy;
mod phi_removal;
mod post_ssa;

use crate::diagnostics::Outcome;

use super::Ctx;
use super::model::{Program, Subroutine};
use super::verify::{verify, verify_ssa};
use coalesce::SharedNames;
use names::NameTable;

/// Takes a program out of SSA.
pub fn run(program: &mut Program, ctx: Ctx<'_, '_>) -> Outcome<()> {
    let mut scratch = Scratch::default();
    for sub in program.all_subroutines_mut() {
        ctx.session.check_stop()?;
        destructure(sub, ctx, &mut scratch)?;
    }
    Ok(())
}

/// Tables that one subroutine after the other uses.
#[derive(Default)]
struct Scratch {
    versions: NameTable<u32>,
    shared: SharedNames,
}

fn destructure(sub: &mut Subroutine, ctx: Ctx<'_, '_>, scratch: &mut Scratch) -> Outcome<()> {
    // What follows depends on what holds here, and keeps it: the rest is checked in debug builds.
    verify_ssa(sub, ctx)?;
    if ctx.options.optimization_level > 0 {
        critical_edges::split(sub, ctx);
    }
    phi_removal::isolate(sub, ctx, &mut scratch.versions);
    if cfg!(debug_assertions) {
        verify_ssa(sub, ctx)?;
    }
    phi_removal::remove(sub, ctx);
    coalesce::run(sub, ctx, &mut scratch.shared)?;
    parallel_copy::run(sub, ctx);
    post_ssa::run(sub, ctx)?;
    if cfg!(debug_assertions) {
        verify(sub, ctx)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
