//! The TEAL optimiser: program -> shorter program with constant blocks. [`BLOCK_PASSES`] and
//! [`PASSES`] are the whole story of order; level 0 runs what a valid program of bearable size needs.

mod combine_pushes;
mod constant_blocks;
mod control_flow;
mod dup_collapse;
mod op_sets;
mod peephole;
mod repeated_rotations;
mod replace;
mod rotation_search;
mod stack_shuffles;

use std::cell::RefCell;

use crate::base::arena::Symbol;
use crate::base::ordered::LookupSet;
use crate::diagnostics::Outcome;
use crate::session::Session;

use super::model::{Block, Manipulations, OpKind, Program, Subroutine};
use Shuffles::{Copies, Nothing, Rotations};

/// What a pass may look at besides the code it changes.
pub(super) struct Ctx<'a, 's> {
    /// Names, locations and the sink.
    pub session: &'a Session<'s>,
    /// Optimisation level.
    pub level: i64,
    /// Those of the program.
    pub manipulations: RefCell<Manipulations>,
}

impl<'a, 's> Ctx<'a, 's> {
    /// Takes the manipulations of a program, to be given back by [`Ctx::finish`].
    fn new(session: &'a Session<'s>, level: i64, program: &mut Program) -> Self {
        let manipulations = RefCell::new(std::mem::take(&mut program.manipulations));
        Self { session, level, manipulations }
    }
    fn finish(self, program: &mut Program) {
        program.manipulations = self.manipulations.into_inner();
    }
}

/// A rewrite inside one block. The answer steers the fixed point of the passes marked so.
struct BlockPass {
    level: i64,
    /// Repeated together with its neighbours until none of them changes anything.
    repeated: bool,
    /// What a block has to have at least; without it the pass changes nothing.
    needs: Shuffles,
    run: fn(&Ctx, &mut Block) -> Outcome<bool>,
}

/// Ops that only move or copy what lies on top of the stack, as far as passes are about them alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shuffles {
    /// None of those below.
    Nothing,
    /// `dup` or `dupn`.
    Copies,
    /// `cover` or `uncover`, and maybe copies.
    Rotations,
}

impl Shuffles {
    fn of(block: &Block) -> Self {
        let mut found = Nothing;
        for op in &block.ops {
            match op.kind {
                OpKind::Cover(_) | OpKind::Uncover(_) => return Rotations,
                OpKind::Dup | OpKind::DupN(_) => found = Copies,
                _ => {}
            }
        }
        found
    }
}

/// Duplicates are collapsed after the fixed point: stack shuffles are easier to see while every load
/// stands for itself. The search is slow in the reference, so it runs once and at level 2 only.
/// `cover 1` and `uncover 1` become `swap` last, when all rotations have been looked at.
static BLOCK_PASSES: &[BlockPass] = &[
    BlockPass { level: 1, repeated: true, needs: Copies, run: stack_shuffles::run },
    BlockPass { level: 1, repeated: true, needs: Rotations, run: repeated_rotations::run },
    BlockPass { level: 0, repeated: true, needs: Nothing, run: peephole::run },
    BlockPass { level: 1, repeated: false, needs: Nothing, run: dup_collapse::run },
    BlockPass { level: 2, repeated: false, needs: Rotations, run: rotation_search::run },
    BlockPass { level: 1, repeated: false, needs: Rotations, run: repeated_rotations::name_swaps },
];

/// A step over the whole program; every subroutine finishes it before the next step starts.
struct Pass {
    /// Qualifier of the dump written after the step.
    dump: Option<&'static str>,
    level: i64,
    run: fn(&Ctx, &mut Program) -> Outcome<()>,
}

static PASSES: &[Pass] = &[
    Pass { dump: Some("peephole"), level: 0, run: optimise_ops },
    Pass { dump: Some("block"), level: 1, run: optimise_control_flow },
    // Also at level 0: template variables must stand in constant blocks (ARC-56).
    Pass { dump: None, level: 0, run: constant_blocks::run },
    Pass { dump: None, level: 1, run: combine_pushes::run },
];

/// Sees the program after a step; the qualifier names the dump.
pub type Observer<'o> = &'o mut dyn FnMut(&Program, &'static str) -> Outcome<()>;

/// Runs all passes of the level.
pub(super) fn run(
    session: &Session,
    level: i64,
    program: &mut Program,
    observer: Observer,
) -> Outcome<()> {
    for pass in PASSES.iter().filter(|pass| level >= pass.level) {
        session.check_stop()?;
        let ctx = Ctx::new(session, level, program);
        (pass.run)(&ctx, program)?;
        ctx.finish(program);
        if let Some(qualifier) = pass.dump {
            observer(program, qualifier)?;
        }
    }
    Ok(())
}

fn optimise_ops(ctx: &Ctx, program: &mut Program) -> Outcome<()> {
    for sub in &mut program.subroutines {
        log_subroutine(ctx, "ops", sub);
        for block in &mut sub.blocks {
            optimise_block(ctx, block)?;
        }
    }
    Ok(())
}

fn optimise_control_flow(ctx: &Ctx, program: &mut Program) -> Outcome<()> {
    let branchable = program
        .subroutines
        .iter()
        .filter(|sub| control_flow::is_branchable(sub))
        .map(|sub| sub.blocks[0].label)
        .collect::<LookupSet<Symbol>>();
    for sub in &mut program.subroutines {
        log_subroutine(ctx, "blocks", sub);
        control_flow::run(ctx, sub, &branchable)?;
    }
    Ok(())
}

/// Runs the passes over ops in one block and checks its stack height.
fn optimise_block(ctx: &Ctx, block: &mut Block) -> Outcome<()> {
    let enabled = |repeated: bool| {
        BLOCK_PASSES.iter().filter(move |pass| ctx.level >= pass.level && pass.repeated == repeated)
    };
    let mut shuffles = Shuffles::of(block);
    loop {
        ctx.session.check_stop()?;
        let mut changed = false;
        for pass in enabled(true).filter(|pass| shuffles >= pass.needs) {
            changed |= (pass.run)(ctx, block)?;
        }
        if !changed {
            break;
        }
        shuffles = Shuffles::of(block);
    }
    for pass in enabled(false).filter(|pass| shuffles >= pass.needs) {
        (pass.run)(ctx, block)?;
    }
    block.check_stack_height(ctx.session.text(block.label))
}

fn log_subroutine(ctx: &Ctx, what: &str, sub: &Subroutine) {
    ctx.session.sink.debug_at(sub.loc, || {
        let signature = sub.signature.text(ctx.session);
        format!("optimizing TEAL subroutine {what} {signature}")
    });
}

/// True for `swap` and its longer spellings.
#[inline]
fn is_swap(kind: &OpKind) -> bool {
    matches!(kind, OpKind::Swap | OpKind::Cover(1) | OpKind::Uncover(1))
}

#[cfg(test)]
mod tests;
