//! Plays rotations and duplications of values that were loaded just before: the loads are put in
//! the order the rotation would give them.
//!
//! ```text
//! int 1; int 2; cover 1; dup    ->    int 2; int 1; int 1
//! ```

use super::Ctx;
use super::op_sets::is_constant_load;
use crate::diagnostics::Outcome;
use crate::teal::manipulations::replace;
use crate::teal::model::{Block, Op, OpKind};

/// Rewrites every run of loads and shuffles among them. Answers true for every shuffle played, even
/// one that leaves the order as it was.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let ops = &mut block.ops;
    let mut loads: Vec<Op> = Vec::new();
    let mut start = 0;
    let (mut run_changed, mut changed) = (false, false);
    let mut at = 0;
    while at < ops.len() {
        let op = &ops[at];
        if is_constant_load(&op.kind) {
            if loads.is_empty() {
                start = at;
                run_changed = false;
            }
            loads.push(op.clone());
        } else if !loads.is_empty() {
            if shuffle(&mut loads, op) {
                run_changed = true;
                changed = true;
            } else {
                let new = std::mem::take(&mut loads);
                if run_changed {
                    let width = new.len();
                    replace(ctx.session, ops, start..at, new)?;
                    at = start + width;
                }
            }
        }
        at += 1;
    }
    if run_changed && !loads.is_empty() {
        let end = ops.len();
        replace(ctx.session, ops, start..end, loads)?;
    }
    Ok(changed)
}

/// Does to the loads what `op` does to the stack, if it touches nothing below them.
fn shuffle(loads: &mut Vec<Op>, op: &Op) -> bool {
    match op.kind {
        OpKind::Dup => duplicate(loads, 1, op),
        OpKind::DupN(n) => duplicate(loads, usize::from(n), op),
        OpKind::Uncover(n) if usize::from(n) < loads.len() => {
            let moved = loads.remove(loads.len() - 1 - usize::from(n));
            loads.push(moved);
        }
        OpKind::Cover(n) if usize::from(n) < loads.len() => {
            let moved = loads.pop().expect("there are more loads than the depth");
            loads.insert(loads.len() - usize::from(n), moved);
        }
        _ => return false,
    }
    true
}

fn duplicate(loads: &mut Vec<Op>, count: usize, op: &Op) {
    let last = loads.last().expect("duplicates follow a load").kind.clone();
    for _ in 0..count {
        loads.push(Op::new(last.clone(), op.loc));
    }
    loads.last_mut().expect("duplicates follow a load").stack.clone_from(&op.stack);
}
