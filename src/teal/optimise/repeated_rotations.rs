//! Replaces a run of one rotation by fewer rotations the other way, as `n + 1` of them change
//! nothing; and names the shortest rotations `swap`.
//!
//! ```text
//! cover 2; cover 2           ->    uncover 2
//! uncover 1; uncover 1       ->
//! ```

use super::Ctx;
use super::replace::Sweep;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Op, OpKind, Stretch};

/// Rewrites every maximal run of equal rotations that has a shorter inverse.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let mut sweep = Sweep::new(&mut block.ops);
    let mut changed = false;
    // Manipulations of the block's first op before those of a deleted run were added to it.
    let mut own_of_first: Option<Stretch> = None;
    while let [first, behind @ ..] = sweep.rest() {
        let Some(depth) = first.rotation() else {
            sweep.keep(1);
            continue;
        };
        let is_at_start = sweep.done().is_empty();
        let count = 1 + behind.iter().take_while(|op| op.same(first)).count();
        let period = usize::from(depth) + 1;
        let inverse_count = (period - count % period) % period;
        if inverse_count < count {
            let inverse = match first.kind {
                OpKind::Cover(n) => OpKind::Uncover(n),
                _ => OpKind::Cover(depth),
            };
            if is_at_start && inverse_count == 0 && own_of_first.is_none() {
                own_of_first = sweep.rest().get(count).map(|next| next.stack);
            }
            let new = vec![Op::new(inverse, first.loc); inverse_count];
            sweep.replace(ctx, count, new)?;
            changed = true;
            sweep.keep(inverse_count);
        } else {
            if let Some(own) = own_of_first.take().filter(|_| is_at_start) {
                // PARITY: the reference puts back the ops as they were before the deletion, which
                // moves all manipulations of this run to its last op.
                let mut run = sweep.rest()[..count].to_vec();
                run[0].stack = own;
                sweep.replace(ctx, count, run)?;
            }
            sweep.keep(count);
        }
    }
    sweep.finish();
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
