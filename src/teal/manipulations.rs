//! Stack manipulations: playing them on a simulated stack, and keeping them when ops are replaced.

use std::ops::Range;

use super::model::{Names, Op, Shape, StackManipulation};
use crate::base::arena::Symbol;
use crate::base::ordered::LookupSet;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

/// Names on the stack and the names defined so far.
#[derive(Clone, PartialEq, Default)]
pub struct SimulatedStack {
    /// Bottom first.
    pub stack: Vec<Symbol>,
    /// Names that hold a value by now.
    pub defined: LookupSet<Symbol>,
}

/// A manipulation reached outside the simulated stack; the text says which and where.
pub struct OutOfBounds(String);

impl OutOfBounds {
    /// The failure to report where the simulation must not fail.
    pub fn failure(self) -> Failure {
        Failure::internal(self.0, Loc::NONE)
    }
}

impl SimulatedStack {
    /// Plays manipulations in order.
    pub fn apply(
        &mut self,
        session: &Session,
        manipulations: &[StackManipulation],
    ) -> Result<(), OutOfBounds> {
        for manipulation in manipulations {
            match manipulation {
                StackManipulation::Consume(n) => {
                    let Some(height) = self.stack.len().checked_sub(*n) else {
                        self.stack.clear();
                        return Err(OutOfBounds("stack is empty".to_owned()));
                    };
                    self.stack.truncate(height);
                }
                StackManipulation::Extend(names) => each_name(session, names, |name| {
                    self.stack.push(name);
                }),
                StackManipulation::Define(names) => each_name(session, names, |name| {
                    self.defined.insert(name);
                }),
                StackManipulation::Insert(depth, name) => {
                    let Some(index) = self.stack.len().checked_sub(*depth) else {
                        let index = distance(self.stack.len(), *depth);
                        return Err(OutOfBounds(format!(
                            "stack insert at index {index} is out of bounds"
                        )));
                    };
                    self.stack.insert(index, *name);
                }
                StackManipulation::Pop(depth) => {
                    // PARITY: an index below zero counts from the top again, as list indices of the
                    // reference do; only beyond that it is out of bounds.
                    let index = distance(self.stack.len(), *depth) - 1;
                    let wrapped = if index < 0 { index + self.stack.len() as i64 } else { index };
                    match usize::try_from(wrapped) {
                        Ok(at) if at < self.stack.len() => {
                            self.stack.remove(at);
                        }
                        _ => {
                            return Err(OutOfBounds(format!(
                                "stack pop at index {index} is out of bounds"
                            )));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn distance(height: usize, depth: usize) -> i64 {
    height as i64 - depth as i64
}

/// PARITY: a name given as plain text counts as one name per character.
fn each_name(session: &Session, names: &Names, mut take: impl FnMut(Symbol)) {
    if names.shape == Shape::Text {
        let mut buffer = [0; 4];
        for id in names.ids.iter() {
            for character in session.text(*id).chars() {
                take(session.sym(character.encode_utf8(&mut buffer)));
            }
        }
    } else {
        names.ids.iter().copied().for_each(take);
    }
}

/// Replaces the ops of a window, which may end beyond the ops. Unless the new ops do the same to the
/// names on the stack, the manipulations of the window go to the last new op; when nothing
/// replaces the window they go to the op before it, or after it at the start of a block.
pub fn replace(
    session: &Session,
    ops: &mut Vec<Op>,
    window: Range<usize>,
    mut new: Vec<Op>,
) -> Outcome<()> {
    let (mut start, mut end) = (window.start, window.end.min(ops.len()));
    let deletion = new.is_empty();
    if deletion {
        if start > 0 {
            start -= 1;
            new.push(ops[start].clone());
        } else if end < ops.len() {
            new.push(ops[end].clone());
            end += 1;
        } else {
            return Err(Failure::internal(
                "could not preserve stack manipulations due to entire block deletion",
                Loc::NONE,
            ));
        }
    }
    let old = flatten(&ops[start..end]);
    if deletion || !equivalent(session, &old, &flatten(&new)) {
        for op in &mut new {
            op.stack.clear();
        }
        new.last_mut().expect("new ops are not empty here").stack = old;
    }
    ops.splice(start..end, new);
    Ok(())
}

fn flatten(ops: &[Op]) -> Vec<StackManipulation> {
    ops.iter().flat_map(|op| op.stack.iter().cloned()).collect()
}

fn equivalent(session: &Session, a: &[StackManipulation], b: &[StackManipulation]) -> bool {
    if a == b {
        return true;
    }
    let play = |manipulations| {
        let mut state = SimulatedStack::default();
        state.apply(session, manipulations).ok().map(|()| state)
    };
    match (play(a), play(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
