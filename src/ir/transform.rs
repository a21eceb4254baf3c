//! The way of an artifact from built IR to IR out of SSA: optimise, lower aggregates, optimise again,
//! eliminate slots, destructure, validate. Spec 22 §1.

use crate::diagnostics::Outcome;

use super::model::{Artifact, Program};
use super::optimise::{CompiledPrograms, EnabledPasses};
use super::{Ctx, destructure, lower, optimise, slots, validate};

/// Which state of a program an [`Observer`] sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// As built.
    Ssa,
    /// After a round of the first optimisation that changed something.
    SsaOpt,
    /// After aggregate lowering.
    SsaArray,
    /// After a round of the second optimisation that changed something.
    SsaArrayOpt,
    /// After slot elimination.
    SsaSlot,
    /// Out of SSA.
    Destructured,
}

impl Stage {
    /// The stage's part of dump file names.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Ssa => "ssa",
            Stage::SsaOpt => "ssa.opt",
            Stage::SsaArray => "ssa.array",
            Stage::SsaArrayOpt => "ssa.array.opt",
            Stage::SsaSlot => "ssa.slot",
            Stage::Destructured => "destructured",
        }
    }
}

/// Sees the programs of an artifact on their way.
pub trait Observer {
    /// A program reached a stage.
    fn program(&mut self, program: &Program, stage: Stage) -> Outcome<()>;
    /// All programs of the artifact passed a step; numbers of dumps start anew.
    fn end_of_step(&mut self);
}

/// Sees nothing.
pub struct Unobserved;

impl Observer for Unobserved {
    fn program(&mut self, _program: &Program, _stage: Stage) -> Outcome<()> {
        Ok(())
    }
    fn end_of_step(&mut self) {}
}

/// Brings all programs of an artifact out of SSA, step by step, and validates the result. Mistakes of
/// the input are reported through the sink; the caller compares error counts.
pub fn transform(
    artifact: &mut Artifact,
    ctx: Ctx<'_, '_>,
    compiled: &dyn CompiledPrograms,
    observer: &mut dyn Observer,
) -> Outcome<()> {
    let passes = EnabledPasses::of(ctx.options);
    for program in artifact.programs_mut() {
        optimise::optimise(program, ctx, compiled, &passes, &mut |program| {
            observer.program(program, Stage::SsaOpt)
        })?;
    }
    observer.end_of_step();
    for program in artifact.programs_mut() {
        lower::run(program, ctx)?;
        observer.program(program, Stage::SsaArray)?;
    }
    observer.end_of_step();
    for program in artifact.programs_mut() {
        optimise::optimise(program, ctx, compiled, &passes, &mut |program| {
            observer.program(program, Stage::SsaArrayOpt)
        })?;
    }
    observer.end_of_step();
    for program in artifact.programs_mut() {
        slots::run(program, ctx)?;
        observer.program(program, Stage::SsaSlot)?;
    }
    observer.end_of_step();
    for program in artifact.programs_mut() {
        destructure::run(program, ctx)?;
        observer.program(program, Stage::Destructured)?;
    }
    observer.end_of_step();
    validate::run(artifact, ctx)
}
