//! Looks for the shortest sequence of rotations with the effect of a given one.
//!
//! ```text
//! cover 1; uncover 2; cover 1    ->    cover 2
//! ```
//!
//! The reference tries every sequence of different rotations, shorter ones first, and takes the
//! first that fits. The search here finds the same one but leaves out what cannot fit: a rotation
//! moves one entry, so entries that have to move bound the number of rotations still needed.

use super::Ctx;
use super::replace::replace;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::teal::model::{Block, Op, OpKind};
use crate::teal::text;

/// Longest sequence that is replaced at once.
const WINDOW_MAX: usize = 6;

/// Shortens one window in every run of rotations. The answer is not asked for.
pub(super) fn run(ctx: &Ctx, block: &mut Block) -> Outcome<bool> {
    let mut result = Vec::with_capacity(block.ops.len());
    let mut ops = std::mem::take(&mut block.ops).into_iter().peekable();
    while let Some(op) = ops.next() {
        if op.rotation().is_none() {
            result.push(op);
            continue;
        }
        let mut run = vec![op];
        while let Some(next) = ops.next_if(|next| next.rotation().is_some()) {
            run.push(next);
        }
        shorten(ctx, &mut run)?;
        result.append(&mut run);
    }
    block.ops = result;
    Ok(false)
}

/// Replaces the first window that has a shorter equivalent.
fn shorten(ctx: &Ctx, run: &mut Vec<Op>) -> Outcome<()> {
    for start in 0..run.len().saturating_sub(1) {
        let end = run.len().min(start + WINDOW_MAX);
        let window = run[start..end].iter().map(|op| Rotation::of(&op.kind)).collect::<Vec<_>>();
        if let Some(shorter) = search(&window, &|| ctx.session.check_stop())? {
            let new = shorter
                .iter()
                .map(|rotation| Op::new(rotation.kind(), Loc::NONE))
                .collect::<Vec<_>>();
            let list = |ops: &[Op]| {
                let texts = ops.iter().map(|op| text::op(ctx.session, &op.kind));
                texts.collect::<Vec<_>>().join("; ")
            };
            ctx.session.sink.debug_with(|| {
                let (old, new_text) = (list(run), list(&new));
                let reduction = run.len() - new.len();
                format!("Replaced '{old}' with '{new_text}', reducing by {reduction} ops by search")
            });
            // A window at the end of the run may be cut short; the reference counts on to its full
            // width, which only matters for a window that covers the whole run.
            return replace(ctx, run, start..end, new);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Rotation {
    Cover(u8),
    Uncover(u8),
}

impl Rotation {
    fn of(kind: &OpKind) -> Self {
        match kind {
            OpKind::Cover(n) => Rotation::Cover(*n),
            OpKind::Uncover(n) => Rotation::Uncover(*n),
            _ => unreachable!("runs hold rotations only"),
        }
    }
    fn kind(self) -> OpKind {
        match self {
            Rotation::Cover(n) => OpKind::Cover(n),
            Rotation::Uncover(n) => OpKind::Uncover(n),
        }
    }
    fn depth(self) -> u8 {
        match self {
            Rotation::Cover(n) | Rotation::Uncover(n) => n,
        }
    }
    /// Moves the top entry down, or an entry up to the top.
    fn apply(self, stack: &mut [u8]) {
        let from = stack.len() - 1 - usize::from(self.depth());
        match self {
            Rotation::Cover(_) => stack[from..].rotate_right(1),
            Rotation::Uncover(_) => stack[from..].rotate_left(1),
        }
    }
    fn undo(self, stack: &mut [u8]) {
        match self {
            Rotation::Cover(n) => Rotation::Uncover(n).apply(stack),
            Rotation::Uncover(n) => Rotation::Cover(n).apply(stack),
        }
    }
}

/// The first shorter sequence with the effect of `window`: fewest rotations, then first in the order
/// `cover 1, uncover 1, cover 2, ...`, none used twice. `check_stop` is asked on the way.
fn search(
    window: &[Rotation],
    check_stop: &dyn Fn() -> Outcome<()>,
) -> Outcome<Option<Vec<Rotation>>> {
    let Some(deepest) = window.iter().map(|rotation| rotation.depth()).max() else {
        return Ok(None);
    };
    let mut target = (0..=deepest).collect::<Vec<u8>>();
    for rotation in window {
        rotation.apply(&mut target);
    }
    // `stack` names each entry by its place in the target, so the goal is the sorted stack.
    let mut stack = vec![0; target.len()];
    for (place, entry) in (0..=deepest).zip(&target) {
        stack[usize::from(*entry)] = place;
    }
    let candidates =
        (1..=deepest).flat_map(|n| [Rotation::Cover(n), Rotation::Uncover(n)]).collect::<Vec<_>>();
    let mut found = Vec::new();
    for length in 0..window.len() {
        if extend(&candidates, &mut stack, length, &mut found, check_stop)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Depth-first search for `remaining` further rotations that sort `stack`.
fn extend(
    candidates: &[Rotation],
    stack: &mut [u8],
    remaining: usize,
    found: &mut Vec<Rotation>,
    check_stop: &dyn Fn() -> Outcome<()>,
) -> Outcome<bool> {
    let unsorted = entries_to_move(stack);
    if unsorted > remaining {
        return Ok(false);
    }
    if remaining == 0 {
        return Ok(true);
    }
    if remaining == 1 {
        let last = sorting_rotations(stack).into_iter().flatten().find(|it| !found.contains(it));
        found.extend(last);
        return Ok(last.is_some());
    }
    if remaining > 2 {
        check_stop()?;
    }
    for &rotation in candidates {
        if found.contains(&rotation) {
            continue;
        }
        rotation.apply(stack);
        found.push(rotation);
        if extend(candidates, stack, remaining - 1, found, check_stop)? {
            return Ok(true);
        }
        found.pop();
        rotation.undo(stack);
    }
    Ok(false)
}

/// The rotations that sort `stack` at once, in search order: the top goes where it belongs, or the
/// entry that belongs there comes to the top.
fn sorting_rotations(stack: &[u8]) -> [Option<Rotation>; 2] {
    let top = (stack.len() - 1) as u8;
    let sorts = |rotation: Rotation| {
        let mut after = stack.to_vec();
        rotation.apply(&mut after);
        rotation.depth() > 0 && entries_to_move(&after) == 0
    };
    let cover = stack.last().map(|entry| Rotation::Cover(top - entry));
    let place = stack.iter().zip(0..).find(|(entry, _)| **entry == top);
    let uncover = place.map(|(_, place)| Rotation::Uncover(top - place));
    let (cover, uncover) = (cover.filter(|it| sorts(*it)), uncover.filter(|it| sorts(*it)));
    match (cover, uncover) {
        (Some(a), Some(b)) if b.depth() < a.depth() => [uncover, cover],
        _ => [cover, uncover],
    }
}

/// How many entries have to move at least: all but the longest ascending selection.
fn entries_to_move(stack: &[u8]) -> usize {
    let mut tails = [0_u8; 256];
    let mut length = 0;
    for &entry in stack {
        let at = tails[..length].partition_point(|tail| *tail < entry);
        tails[at] = entry;
        length = length.max(at + 1);
    }
    stack.len() - length
}

#[cfg(test)]
mod tests {
    use super::Rotation::{Cover, Uncover};
    use super::*;

    /// The rule as the reference states it: every sequence, in order.
    fn exhaustive(window: &[Rotation]) -> Option<Vec<Rotation>> {
        let deepest = window.iter().map(|rotation| rotation.depth()).max()?;
        let start = (0..=deepest).collect::<Vec<u8>>();
        let effect = |rotations: &[Rotation]| {
            let mut stack = start.clone();
            rotations.iter().for_each(|rotation| rotation.apply(&mut stack));
            stack
        };
        let candidates = (1..=deepest).flat_map(|n| [Cover(n), Uncover(n)]).collect::<Vec<_>>();
        let mut level = vec![Vec::new()];
        for _ in 0..window.len() {
            if let Some(hit) = level.iter().find(|tried| effect(tried) == effect(window)) {
                return Some(hit.clone());
            }
            level = level
                .iter()
                .flat_map(|tried| {
                    let longer = candidates.iter().filter(|next| !tried.contains(next));
                    longer.map(|next| [tried.as_slice(), &[*next]].concat())
                })
                .collect();
        }
        None
    }

    #[test]
    fn finds_what_trying_every_sequence_finds() {
        let all = (1..=4).flat_map(|n| [Cover(n), Uncover(n)]).collect::<Vec<_>>();
        let mut state = 7_usize;
        for length in 2..=5 {
            for _ in 0..60 {
                let window = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        all[(state >> 33) % all.len()]
                    })
                    .collect::<Vec<_>>();
                let found = search(&window, &|| Ok(())).expect("nobody stops it");
                assert_eq!(found, exhaustive(&window), "{window:?}");
            }
        }
    }
}
