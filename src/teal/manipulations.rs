//! Stack manipulations: playing them on a simulated stack, and keeping them when ops are replaced.

use std::ops::Range;

use super::model::{Op, Shape, StackManipulation};
use crate::base::arena::Symbol;
use crate::base::ordered::LookupSet;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

/// The names that hold a value by now.
pub trait Defined {
    /// Adds a name.
    fn insert(&mut self, name: Symbol);
    /// Adds every character of a name.
    fn insert_characters(&mut self, session: &Session, name: Symbol) {
        each_character(session, name, |character| self.insert(character));
    }
}

impl Defined for LookupSet<Symbol> {
    fn insert(&mut self, name: Symbol) {
        LookupSet::insert(self, name);
    }
}

/// Names on the stack and the names defined so far.
#[derive(Clone, PartialEq, Default)]
pub struct SimulatedStack<D> {
    /// Bottom first.
    pub stack: Vec<Symbol>,
    /// Names that hold a value by now.
    pub defined: D,
}

/// A manipulation reached outside the simulated stack; the text says which and where.
pub struct OutOfBounds(String);

impl OutOfBounds {
    /// The failure to report where the simulation must not fail.
    pub fn failure(self) -> Failure {
        Failure::internal(self.0, Loc::NONE)
    }
}

impl<D: Defined> SimulatedStack<D> {
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
                // PARITY: a name given as plain text counts as one name per character.
                StackManipulation::Extend(names) => match names.shape {
                    Shape::Text => names.ids.iter().for_each(|id| {
                        each_character(session, *id, |character| self.stack.push(character));
                    }),
                    Shape::Tuple | Shape::List => self.stack.extend_from_slice(&names.ids),
                },
                StackManipulation::Define(names) => {
                    names.ids.iter().for_each(|id| match names.shape {
                        Shape::Text => self.defined.insert_characters(session, *id),
                        Shape::Tuple | Shape::List => self.defined.insert(*id),
                    })
                }
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

/// Passes on every character of a name as a name.
pub fn each_character(session: &Session, name: Symbol, mut take: impl FnMut(Symbol)) {
    let mut buffer = [0; 4];
    for character in session.text(name).chars() {
        take(session.sym(character.encode_utf8(&mut buffer)));
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
        let mut state = SimulatedStack::<LookupSet<Symbol>>::default();
        state.apply(session, manipulations).ok().map(|()| state)
    };
    match (play(a), play(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
