//! Plays rotations and duplications of values that were loaded just before: the loads are put in
//! the order the rotation would give them.
//!
//! ```text
//! int 1; int 2; cover 1; dup    ->    int 2; int 1; int 1
//! ```

use super::Ctx;
use super::op_sets::is_constant_load;
use super::replace::replace;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Op, OpKind};

/// Rewrites every run of loads and shuffles among them. Answers true for every shuffle played, even
/// one that leaves the order as it was.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let ops = &mut block.ops;
    // where the run of loads starts, and the loads once a shuffle was played
    let mut start = None;
    let mut played: Option<Vec<Op>> = None;
    let mut changed = false;
    let mut at = 0;
    while at < ops.len() {
        let op = &ops[at];
        if is_constant_load(&op.kind) {
            start.get_or_insert(at);
            if let Some(loads) = &mut played {
                loads.push(op.clone());
            }
        } else if let Some(first) = start {
            let count = played.as_ref().map_or(at - first, Vec::len);
            if is_shuffle(&op.kind, count) {
                let loads = played.get_or_insert_with(|| ops[first..at].to_vec());
                shuffle(loads, op);
                changed = true;
            } else {
                start = None;
                if let Some(new) = played.take() {
                    let width = new.len();
                    replace(ctx, ops, first..at, new)?;
                    at = first + width;
                }
            }
        }
        at += 1;
    }
    if let (Some(first), Some(loads)) = (start, played) {
        let end = ops.len();
        replace(ctx, ops, first..end, loads)?;
    }
    Ok(changed)
}

/// Whether an op only shuffles so many values on top of the stack.
fn is_shuffle(kind: &OpKind, count: usize) -> bool {
    match kind {
        OpKind::Dup | OpKind::DupN(_) => true,
        OpKind::Uncover(n) | OpKind::Cover(n) => usize::from(*n) < count,
        _ => false,
    }
}

/// Does to the loads what `op`, a shuffle of them, does to the stack.
fn shuffle(loads: &mut Vec<Op>, op: &Op) {
    match op.kind {
        OpKind::Dup => duplicate(loads, 1, op),
        OpKind::DupN(n) => duplicate(loads, usize::from(n), op),
        OpKind::Uncover(n) => {
            let moved = loads.remove(loads.len() - 1 - usize::from(n));
            loads.push(moved);
        }
        OpKind::Cover(n) => {
            let moved = loads.pop().expect("there are more loads than the depth");
            loads.insert(loads.len() - usize::from(n), moved);
        }
        _ => {}
    }
}

fn duplicate(loads: &mut Vec<Op>, count: usize, op: &Op) {
    let last = loads.last().expect("duplicates follow a load").kind.clone();
    for _ in 0..count {
        loads.push(Op::new(last.clone(), op.loc));
    }
    loads.last_mut().expect("duplicates follow a load").stack = op.stack;
}
