//! Replaces repeated loads of one value by `dup` or `dupn`, and a repeated pair of loads by `dup2`.
//!
//! ```text
//! int 7; int 7; int 7        ->    int 7; dupn 2
//! int 1; int 2; int 1; int 2 ->    int 1; int 2; dup2
//! ```

use super::Ctx;
use super::op_sets::is_constant_load;
use crate::diagnostics::Outcome;
use crate::teal::manipulations::replace;
use crate::teal::model::{Block, Op, OpKind};

/// Collapses single loads first, then pairs. The answer is not asked for.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    collapse_singles(ctx, &mut block.ops)?;
    collapse_pairs(ctx, &mut block.ops)?;
    Ok(false)
}

fn collapse_singles(ctx: &Ctx, ops: &mut Vec<Op>) -> Outcome<()> {
    let mut result = Vec::with_capacity(ops.len());
    let mut rest = std::mem::take(ops).into_iter().peekable();
    while let Some(first) = rest.next() {
        if !is_constant_load(&first.kind) {
            result.push(first);
            continue;
        }
        let mut run = vec![first];
        while let Some(next) = rest.next_if(|next| next.same(&run[0])) {
            run.push(next);
        }
        let duplicates = run.len() - 1;
        if duplicates > 0 {
            let kind = if duplicates == 1 { OpKind::Dup } else { OpKind::dup_n(duplicates)? };
            let locs = &ctx.session.locs;
            let dup = Op::new(kind, locs.sequential_merge(run[1..].iter().map(|op| op.loc)));
            let end = run.len();
            replace(ctx.session, &mut run, 1..end, vec![dup])?;
        }
        result.append(&mut run);
    }
    *ops = result;
    Ok(())
}

fn collapse_pairs(ctx: &Ctx, ops: &mut Vec<Op>) -> Outcome<()> {
    let mut at = 0;
    while let Some([a, b, c, d]) = ops.get(at..at + 4) {
        if is_constant_load(&a.kind) && is_constant_load(&b.kind) && a.same(c) && b.same(d) {
            let loc = ctx.session.locs.sequential_merge([c.loc, d.loc]);
            let dup2 = Op::new(OpKind::Dup2, loc);
            replace(ctx.session, ops, at + 2..at + 4, vec![dup2])?;
            at += 3;
        } else {
            at += 1;
        }
    }
    Ok(())
}
