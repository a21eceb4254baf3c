//! Replaces a run of one rotation by fewer rotations the other way, as `n + 1` of them change
//! nothing; and names the shortest rotations `swap`.
//!
//! ```text
//! cover 2; cover 2           ->    uncover 2
//! uncover 1; uncover 1       ->
//! ```

use super::Ctx;
use super::replace::replace;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Op, OpKind, Stretch};

/// Rewrites every maximal run of equal rotations that has a shorter inverse.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let ops = &mut block.ops;
    let mut changed = false;
    let mut at = 0;
    // Manipulations of the block's first op before those of a deleted run were added to it.
    let mut own_of_first: Option<Stretch> = None;
    while at < ops.len() {
        let Some(depth) = ops[at].rotation() else {
            at += 1;
            continue;
        };
        let count = ops[at..].iter().take_while(|op| op.same(&ops[at])).count();
        let period = usize::from(depth) + 1;
        let inverse_count = (period - count % period) % period;
        if inverse_count < count {
            let inverse = match ops[at].kind {
                OpKind::Cover(n) => OpKind::Uncover(n),
                _ => OpKind::Cover(depth),
            };
            if at == 0 && inverse_count == 0 && own_of_first.is_none() {
                own_of_first = ops.get(count).map(|next| next.stack);
            }
            let new = vec![Op::new(inverse, ops[at].loc); inverse_count];
            replace(ctx, ops, at..at + count, new)?;
            changed = true;
            at += inverse_count;
        } else {
            if let Some(own) = own_of_first.take().filter(|_| at == 0) {
                // PARITY: the reference puts back the ops as they were before the deletion, which
                // moves all manipulations of this run to its last op.
                let mut run = ops[..count].to_vec();
                run[0].stack = own;
                replace(ctx, ops, 0..count, run)?;
            }
            at += count;
        }
    }
    Ok(changed)
}

/// Turns `cover 1` and `uncover 1` into `swap`. The answer is not asked for.
pub(super) fn name_swaps(_: &Ctx, block: &mut Block) -> Outcome<bool> {
    for op in &mut block.ops {
        if op.rotation() == Some(1) {
            op.kind = OpKind::Swap;
        }
    }
    Ok(false)
}
