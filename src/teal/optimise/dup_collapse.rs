//! Replaces repeated loads of one value by `dup` or `dupn`, and a repeated pair of loads by `dup2`.
//!
//! ```text
//! int 7; int 7; int 7        ->    int 7; dupn 2
//! int 1; int 2; int 1; int 2 ->    int 1; int 2; dup2
//! ```

use super::Ctx;
use super::op_sets::is_constant_load;
use super::replace::Sweep;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Op, OpKind};

/// Collapses single loads first, then pairs. The answer is not asked for.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    collapse_singles(ctx, &mut block.ops)?;
    collapse_pairs(ctx, &mut block.ops)?;
    Ok(false)
}

fn collapse_singles(ctx: &Ctx, ops: &mut Vec<Op>) -> Outcome<()> {
    let is_repeated = |pair: &[Op]| pair[0].same(&pair[1]) && is_constant_load(&pair[0].kind);
    let Some(first) = ops.windows(2).position(is_repeated) else { return Ok(()) };
    let mut sweep = Sweep::new(ops);
    sweep.keep(first);
    while let [first, others @ ..] = sweep.rest() {
        if !is_constant_load(&first.kind) {
            sweep.keep(1);
            continue;
        }
        let duplicates = others.iter().take_while(|next| next.same(first)).count();
        if duplicates == 0 {
            sweep.keep(1);
            continue;
        }
        let kind = if duplicates == 1 { OpKind::Dup } else { OpKind::dup_n(duplicates)? };
        let locs = others[..duplicates].iter().map(|op| op.loc);
        let dup = Op::new(kind, ctx.session.locs.sequential_merge(locs));
        sweep.keep(1);
        sweep.replace(ctx, duplicates, vec![dup])?;
        sweep.keep(1);
    }
    sweep.finish();
    Ok(())
}

fn collapse_pairs(ctx: &Ctx, ops: &mut Vec<Op>) -> Outcome<()> {
    let may_be_repeated = |ops: &[Op]| ops[0].same(&ops[2]) && ops[1].same(&ops[3]);
    let Some(first) = ops.windows(4).position(may_be_repeated) else { return Ok(()) };
    let mut sweep = Sweep::new(ops);
    sweep.keep(first);
    while let [a, b, c, d, ..] = sweep.rest() {
        if is_constant_load(&a.kind) && is_constant_load(&b.kind) && a.same(c) && b.same(d) {
            let loc = ctx.session.locs.sequential_merge([c.loc, d.loc]);
            let dup2 = Op::new(OpKind::Dup2, loc);
            sweep.keep(2);
            sweep.replace(ctx, 2, vec![dup2])?;
        }
        sweep.keep(1);
    }
    let rest = sweep.rest().len();
    sweep.keep(rest);
    sweep.finish();
    Ok(())
}
