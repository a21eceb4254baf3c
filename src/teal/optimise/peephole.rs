//! Replaces windows of up to four neighbouring ops by shorter or simpler ones. At level 0 only pairs
//! and single ops are looked at: they remove what the stack allocation leaves behind.

use std::rc::Rc;

use super::op_sets::{is_commutative, is_load, is_load_or_dig, is_store, mirrored_ordering};
use super::replace::Sweep;
use super::{Ctx, is_swap};
use crate::avm::ops::AvmOp;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Immediate, Intrinsic, Op, OpKind};

/// Sweeps the block once. After a hit the same position is looked at again; nothing steps back.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let mut sweep = Sweep::new(&mut block.ops);
    let mut height = Height { value: block.entry_stack_height as i64, counted: 0 };
    let mut changed = false;
    loop {
        let rewritten = match sweep.rest() {
            [] => break,
            ops if is_inert(ops) => None,
            ops => rewrite(ctx, ops, || height.behind(sweep.done()))?,
        };
        match rewritten {
            Some((width, new)) => {
                changed = true;
                sweep.replace(ctx, width, new)?;
            }
            None => sweep.keep(1),
        }
    }
    sweep.finish();
    Ok(changed)
}

/// The height of the stack behind some of the block's first ops. Few rewrites ask for it.
struct Height {
    value: i64,
    /// How many ops it is behind.
    counted: usize,
}

impl Height {
    /// The height behind these ops, more than before.
    fn behind(&mut self, ops: &[Op]) -> i64 {
        for op in &ops[self.counted..] {
            let (consumes, produces) = op.kind.stack_effect();
            self.value += produces as i64 - consumes as i64;
        }
        self.counted = ops.len();
        self.value
    }
}

/// Whether no rewrite starts with the first op.
fn is_inert(ops: &[Op]) -> bool {
    let second = ops.get(1).map(|op| &op.kind);
    let alone = match &ops[0].kind {
        OpKind::Cover(_)
        | OpKind::Uncover(_)
        | OpKind::Swap
        | OpKind::Dup
        | OpKind::DupN(_)
        | OpKind::Dig(_)
        | OpKind::PopN(_)
        | OpKind::Assert { message: None, explicit: false } => false,
        OpKind::FrameDig(_) => !matches!(second, Some(OpKind::FrameBury(_))),
        OpKind::FrameBury(_) => !matches!(second, Some(OpKind::FrameDig(_))),
        OpKind::Pop => !matches!(second, Some(OpKind::Pop | OpKind::PopN(_))),
        OpKind::Int { value: 0, .. } => !matches!(second, Some(OpKind::Return)),
        OpKind::Intrinsic(intrinsic) => intrinsic.op != AvmOp::Arg,
        _ => true,
    };
    // two loads are exchanged by the swap behind them
    alone && !matches!(ops, [_, _, third, ..] if is_swap(&third.kind))
}

/// The first rewrite that applies at the front of `ops`, widest windows first: how many ops it
/// replaces, and by what. `height` gives the height of the stack before them.
fn rewrite(
    ctx: &Ctx,
    ops: &[Op],
    height: impl FnOnce() -> i64,
) -> Outcome<Option<(usize, Vec<Op>)>> {
    if ctx.level > 0 {
        if let [a, b, c, d, ..] = ops
            && let Some(new) = quadruple(a, b, c, d)
        {
            return Ok(Some((4, new)));
        }
        if let [a, b, c, ..] = ops
            && may_be_triple(a, c)
        {
            let height = height();
            if !frame_dig_reaches(height, &ops[..3])
                && let Some(new) = triple(a, b, c, height)?
            {
                return Ok(Some((3, new)));
            }
        }
    }
    if let [a, b, ..] = ops
        && let Some(new) = pair(a, b)?
    {
        return Ok(Some((2, new)));
    }
    Ok(single(&ops[0]).map(|new| (1, new)))
}

/// `swap; <load>; swap; uncover 2` -> `<load>; cover 2`
fn quadruple(a: &Op, b: &Op, c: &Op, d: &Op) -> Option<Vec<Op>> {
    let movable = || match b.kind {
        OpKind::Dig(n) | OpKind::Uncover(n) => n >= 2,
        OpKind::FrameDig(n) => n < 0,
        _ => is_load(&b.kind),
    };
    let hit =
        is_swap(&a.kind) && is_swap(&c.kind) && matches!(d.kind, OpKind::Uncover(2)) && movable();
    hit.then(|| vec![b.clone(), Op::new(OpKind::Cover(2), d.loc)])
}

/// Whether some `frame_dig` of the window reads an entry that the window itself moves.
fn frame_dig_reaches(height: i64, window: &[Op]) -> bool {
    let (mut now, mut lowest) = (height, height);
    for op in window {
        if matches!(op.kind, OpKind::FrameDig(n) if i64::from(n) >= lowest) {
            return true;
        }
        let (consumes, produces) = op.kind.stack_effect();
        now -= consumes as i64;
        lowest = lowest.min(now);
        now += produces as i64;
    }
    false
}

/// A quick look whether [`triple`] could have an answer.
fn may_be_triple(a: &Op, c: &Op) -> bool {
    is_swap(&a.kind)
        || is_swap(&c.kind)
        || matches!(a.kind, OpKind::Uncover(_) | OpKind::Dup | OpKind::Assert { .. })
}

fn triple(a: &Op, b: &Op, c: &Op, height: i64) -> Outcome<Option<Vec<Op>>> {
    // `cover 3; cover 3; swap` -> `uncover 2; uncover 3`
    if is_swap(&c.kind) && matches!((&a.kind, &b.kind), (OpKind::Cover(3), OpKind::Cover(3))) {
        return Ok(Some(vec![
            Op::new(OpKind::Uncover(2), a.loc),
            Op::new(OpKind::Uncover(3), b.loc),
        ]));
    }
    // `swap; <load>; uncover 2` -> `<load>; swap`
    if is_swap(&a.kind)
        && matches!(c.kind, OpKind::Uncover(2))
        && is_load_or_dig(&b.kind)
        && !matches!(b.kind, OpKind::Dig(n) if n < 2)
    {
        return Ok(Some(vec![b.clone(), a.clone()]));
    }
    // `<load A>; <load B>; swap` -> `<load B>; <load A>`, digs reaching one less or one further
    if is_swap(&c.kind)
        && is_load_or_dig(&a.kind)
        && is_load_or_dig(&b.kind)
        && !matches!(b.kind, OpKind::Dig(0))
    {
        let mut second = a.clone();
        if let OpKind::Dig(n) = a.kind {
            second.kind = OpKind::dig(usize::from(n) + 1)?;
        }
        let first = match b.kind {
            OpKind::Dig(1) => Op::new(OpKind::Dup, b.loc),
            OpKind::Dig(n) => Op { kind: OpKind::Dig(n - 1), ..b.clone() },
            _ => b.clone(),
        };
        return Ok(Some(vec![first, second]));
    }
    // `swap; <store A>; <store B>` -> `<store B>; <store A>`
    if is_swap(&a.kind)
        && is_store(&b.kind)
        && is_store(&c.kind)
        && !buries_swapped(&b.kind, height)
        && !buries_swapped(&c.kind, height)
        && !same_destination(&b.kind, &c.kind)
    {
        return Ok(Some(vec![c.clone(), b.clone()]));
    }
    Ok(match (&a.kind, &b.kind, &c.kind) {
        (OpKind::Uncover(2), swap, OpKind::Uncover(2)) if is_swap(swap) => Some(vec![b.clone()]),
        (OpKind::Dup, OpKind::Cover(2), swap) if is_swap(swap) => {
            Some(vec![a.clone(), Op::new(OpKind::Uncover(2), b.loc.or(c.loc))])
        }
        // a failing `return` and a failing `assert` end alike
        (
            OpKind::Assert { message: None, explicit: false },
            OpKind::Int { value: 1.., .. },
            OpKind::Return,
        ) => Some(vec![Op::new(OpKind::Return, c.loc.or(b.loc).or(a.loc))]),
        // `uncover n; dup; cover n+1` -> `dig n`: an entry handed over between blocks is used
        (OpKind::Uncover(n), OpKind::Dup, OpKind::Cover(m))
            if usize::from(*n) + 1 == usize::from(*m) =>
        {
            Some(vec![Op::new(OpKind::Dig(*n), a.loc.or(b.loc).or(c.loc))])
        }
        _ => None,
    })
}

/// Whether a store goes to one of the two entries that a swap at `height` exchanges.
fn buries_swapped(kind: &OpKind, height: i64) -> bool {
    matches!(kind, OpKind::FrameBury(n) if i64::from(*n) >= height - 2)
}

/// Whether the order of two stores matters.
fn same_destination(a: &OpKind, b: &OpKind) -> bool {
    match (a, b) {
        (OpKind::FrameBury(n), OpKind::FrameBury(m)) => n == m,
        (OpKind::Intrinsic(a), OpKind::Intrinsic(b)) => {
            a.op == AvmOp::ItxnField && a.op == b.op && a.immediates == b.immediates
        }
        _ => false,
    }
}

fn pair(a: &Op, b: &Op) -> Outcome<Option<Vec<Op>>> {
    let undone = match (&a.kind, &b.kind) {
        (OpKind::Cover(n), OpKind::Uncover(m)) | (OpKind::Uncover(n), OpKind::Cover(m)) => n == m,
        _ => false,
    };
    if undone || (is_swap(&a.kind) && is_swap(&b.kind)) {
        return Ok(Some(Vec::new()));
    }
    if is_swap(&a.kind) {
        match &b.kind {
            OpKind::Pop => return Ok(Some(vec![Op::new(OpKind::Bury(1), b.loc)])),
            OpKind::Intrinsic(intrinsic) => {
                if is_commutative(intrinsic.op) {
                    return Ok(Some(vec![b.clone()]));
                }
                if let Some(op) = mirrored_ordering(intrinsic.op) {
                    let kind = Rc::new(Intrinsic { op, ..(**intrinsic).clone() });
                    return Ok(Some(vec![Op { kind: OpKind::Intrinsic(kind), ..b.clone() }]));
                }
            }
            _ => {}
        }
    }
    let dups = |kind: &OpKind| match kind {
        OpKind::Dup => Some(1),
        OpKind::DupN(n) => Some(usize::from(*n)),
        _ => None,
    };
    let pops = |kind: &OpKind| match kind {
        OpKind::Pop => Some(1),
        OpKind::PopN(n) => Some(usize::from(*n)),
        _ => None,
    };
    Ok(match (&a.kind, &b.kind) {
        (OpKind::FrameDig(n), OpKind::FrameBury(m)) if n == m => Some(Vec::new()),
        (OpKind::FrameBury(n), OpKind::FrameDig(m)) if n == m => {
            Some(vec![Op::new(OpKind::Dup, Loc::NONE), a.clone()])
        }
        (OpKind::Dup | OpKind::DupN(_), swap) if is_swap(swap) => Some(vec![a.clone()]),
        (OpKind::Dup, OpKind::Pop) => Some(Vec::new()),
        (OpKind::Dig(1), OpKind::Dig(1)) => Some(vec![Op::new(OpKind::Dup2, a.loc.or(b.loc))]),
        (OpKind::Int { value: 0, .. }, OpKind::Return) => {
            Some(vec![Op::new(OpKind::Err { message: None, explicit: false }, b.loc)])
        }
        (OpKind::Dup, OpKind::Return) => Some(vec![Op { loc: b.loc.or(a.loc), ..b.clone() }]),
        (first, second) => {
            if let (Some(n), Some(m)) = (dups(first), dups(second)) {
                Some(vec![Op::new(OpKind::dup_n(n + m)?, a.loc)])
            } else if let (Some(n), Some(m)) = (pops(first), pops(second)) {
                Some(vec![Op::new(OpKind::pop_n(n + m)?, a.loc)])
            } else {
                None
            }
        }
    })
}

fn single(a: &Op) -> Option<Vec<Op>> {
    let kind = match &a.kind {
        OpKind::Cover(0) | OpKind::Uncover(0) => return Some(Vec::new()),
        OpKind::Dig(0) => OpKind::Dup,
        OpKind::PopN(1) => OpKind::Pop,
        OpKind::Intrinsic(intrinsic) if intrinsic.op == AvmOp::Arg => {
            let op = match intrinsic.immediates.first() {
                Some(Immediate::Int(0)) => AvmOp::Arg0,
                Some(Immediate::Int(1)) => AvmOp::Arg1,
                Some(Immediate::Int(2)) => AvmOp::Arg2,
                Some(Immediate::Int(3)) => AvmOp::Arg3,
                _ => return None,
            };
            OpKind::Intrinsic(Rc::new(Intrinsic {
                op,
                immediates: Vec::new(),
                error_message: None,
                consumes: 0,
                produces: 1,
                is_short_arg: true,
            }))
        }
        _ => return None,
    };
    Some(vec![Op { kind, ..a.clone() }])
}
