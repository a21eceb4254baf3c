//! Keeps the manipulations of names when ops are replaced.

use std::ops::Range;

use super::Ctx;
use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::manipulations::{Defined, SimulatedStack, each_character};
use crate::teal::model::{Manipulations, Op, StackManipulation, Stretch};

/// Replaces the ops of a window, which may end beyond the ops. Unless the new ops do the same to the
/// names on the stack, the manipulations of the window go to the last new op; when nothing
/// replaces the window they go to the op before it, or after it at the start of a block.
pub(super) fn replace(
    ctx: &Ctx,
    ops: &mut Vec<Op>,
    window: Range<usize>,
    mut new: Vec<Op>,
) -> Outcome<()> {
    let (start, end) = (window.start, window.end.min(ops.len()));
    hand_over(ctx, ops, (start, start..end), &mut new)?;
    ops.splice(start..end, new);
    Ok(())
}

/// Gives the manipulations of a window to what replaces it. Ops before the window count up to
/// `before`.
fn hand_over(
    ctx: &Ctx,
    ops: &mut [Op],
    (before, window): (usize, Range<usize>),
    new: &mut [Op],
) -> Outcome<()> {
    let mut manipulations = ctx.manipulations.borrow_mut();
    let old = flatten(&mut manipulations, &ops[window.clone()]);
    let Some(last) = new.last().map(|op| op.stack) else {
        if before > 0 {
            let op = &mut ops[before - 1];
            op.stack = manipulations.concat(op.stack, old);
        } else if let Some(op) = ops.get_mut(window.end) {
            op.stack = manipulations.concat(old, op.stack);
        } else {
            return Err(Failure::internal(
                "could not preserve stack manipulations due to entire block deletion",
                Loc::NONE,
            ));
        }
        return Ok(());
    };
    let is_same = match new {
        [_] => equivalent(ctx.session, &manipulations, old, &[last]),
        _ => {
            let parts: Vec<Stretch> = new.iter().map(|op| op.stack).collect();
            equivalent(ctx.session, &manipulations, old, &parts)
        }
    };
    if !is_same {
        for op in new.iter_mut() {
            op.stack = Stretch::default();
        }
        new.last_mut().expect("new ops are not empty here").stack = old;
    }
    Ok(())
}

/// The manipulations of ops, one after the other.
pub(super) fn flatten(manipulations: &mut Manipulations, ops: &[Op]) -> Stretch {
    let stretches = ops.iter().map(|op| op.stack);
    stretches.fold(Stretch::default(), |all, next| manipulations.concat(all, next))
}

/// What is defined by some manipulations: names, and names that stand for their characters.
#[derive(Default)]
struct Definitions(Vec<(Symbol, bool)>);

impl Defined for Definitions {
    fn insert(&mut self, name: Symbol) {
        self.0.push((name, false));
    }
    fn insert_characters(&mut self, _: &Session, name: Symbol) {
        self.0.push((name, true));
    }
}

impl Definitions {
    fn tidied(&mut self) -> &[(Symbol, bool)] {
        self.0.sort_unstable();
        self.0.dedup();
        &self.0
    }
    fn has_characters(&self) -> bool {
        self.0.iter().any(|(_, by_character)| *by_character)
    }
    fn spelled_out(&self, session: &Session) -> Vec<Symbol> {
        let mut names = Vec::new();
        for (name, by_character) in &self.0 {
            if *by_character {
                each_character(session, *name, |character| names.push(character));
            } else {
                names.push(*name);
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Whether manipulations do the same as others, given in parts.
fn equivalent(
    session: &Session,
    manipulations: &Manipulations,
    old: Stretch,
    new: &[Stretch],
) -> bool {
    let new = || new.iter().flat_map(|stretch| manipulations.of(*stretch));
    if manipulations.of(old).iter().eq(new()) {
        return true;
    }
    let play = |items: &mut dyn Iterator<Item = &StackManipulation>| {
        let mut state = SimulatedStack::<Definitions>::default();
        state.apply(session, manipulations, items).ok().map(|()| state)
    };
    let Some(mut a) = play(&mut manipulations.of(old).iter()) else { return false };
    let Some(mut b) = play(&mut new()) else { return false };
    a.stack == b.stack
        && (a.defined.tidied() == b.defined.tidied()
            || (a.defined.has_characters() || b.defined.has_characters())
                && a.defined.spelled_out(session) == b.defined.spelled_out(session))
}

/// A sweep over the ops of a block from the first to the last: those behind it are done, those before
/// it are to be looked at. Replacing ops takes no longer than the replacement is long.
pub(super) struct Sweep<'o> {
    ops: &'o mut Vec<Op>,
    /// How many ops are done.
    done: usize,
    /// Where those to be looked at start; what lies between is dropped.
    next: usize,
}

impl<'o> Sweep<'o> {
    /// Starts at the first op.
    pub(super) fn new(ops: &'o mut Vec<Op>) -> Self {
        Self { ops, done: 0, next: 0 }
    }
    /// The ops to be looked at.
    #[inline]
    pub(super) fn rest(&self) -> &[Op] {
        &self.ops[self.next..]
    }
    /// The ops that are done.
    pub(super) fn done(&self) -> &[Op] {
        &self.ops[..self.done]
    }
    /// Leaves the next ops as they are.
    #[inline]
    pub(super) fn keep(&mut self, count: usize) {
        for _ in 0..count {
            if self.done < self.next {
                self.ops.swap(self.done, self.next);
            }
            self.done += 1;
            self.next += 1;
        }
    }
    /// Replaces the next ops; the new ones are to be looked at. See [`replace`].
    pub(super) fn replace(&mut self, ctx: &Ctx, width: usize, mut new: Vec<Op>) -> Outcome<()> {
        let window = self.next..self.next + width;
        hand_over(ctx, self.ops, (self.done, window), &mut new)?;
        self.put(width, new);
        Ok(())
    }
    /// Replaces the next ops by fewer that have all manipulations they need.
    pub(super) fn put(&mut self, width: usize, new: Vec<Op>) {
        let end = self.next + width;
        self.next = end.checked_sub(new.len()).expect("rewrites only shorten");
        for (place, op) in (self.next..end).zip(new) {
            self.ops[place] = op;
        }
    }
    /// Drops what was replaced. All ops must be done.
    pub(super) fn finish(self) {
        self.ops.truncate(self.done);
    }
}
