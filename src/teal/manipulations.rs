//! Stack manipulations played on a simulated stack.

use super::model::{Manipulations, Shape, StackManipulation};
use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::Failure;
use crate::session::Session;

/// The names that hold a value by now.
pub trait Defined {
    /// Adds a name.
    fn insert(&mut self, name: Symbol);
    /// Adds every character of a name.
    fn insert_characters(&mut self, session: &Session, name: Symbol);
}

/// Names on the stack and the names defined so far.
#[derive(Clone, PartialEq, Default)]
pub struct SimulatedStack<D> {
    /// Bottom first.
    pub stack: Vec<Symbol>,
    /// How many names at the bottom stayed in place. It is only ever lowered here, for whoever wants to
    /// know what changed since it was set.
    pub kept: usize,
    /// Names that hold a value by now.
    pub defined: D,
}

/// A manipulation reached outside the simulated stack: which one, and the index where it has one.
pub enum OutOfBounds {
    /// Too few entries to drop.
    Consume,
    /// No place to insert at.
    Insert(i64),
    /// No entry to remove.
    Pop(i64),
}

impl OutOfBounds {
    /// The failure to report where the simulation must not fail.
    pub fn failure(self) -> Failure {
        let message = match self {
            OutOfBounds::Consume => "stack is empty".to_owned(),
            OutOfBounds::Insert(index) => {
                format!("stack insert at index {index} is out of bounds")
            }
            OutOfBounds::Pop(index) => format!("stack pop at index {index} is out of bounds"),
        };
        Failure::internal(message, Loc::NONE)
    }
}

impl<D: Defined> SimulatedStack<D> {
    /// Plays manipulations in order.
    pub fn apply<'m>(
        &mut self,
        session: &Session,
        table: &Manipulations,
        manipulations: impl IntoIterator<Item = &'m StackManipulation>,
    ) -> Result<(), OutOfBounds> {
        for manipulation in manipulations {
            match manipulation {
                StackManipulation::Consume(n) => {
                    let Some(height) = self.stack.len().checked_sub(*n as usize) else {
                        self.stack.clear();
                        return Err(OutOfBounds::Consume);
                    };
                    self.stack.truncate(height);
                    self.kept = self.kept.min(height);
                }
                // PARITY: a name given as plain text counts as one name per character.
                StackManipulation::Extend(names) => match names.shape {
                    Shape::Text => table.ids(names).iter().for_each(|id| {
                        each_character(session, *id, |character| self.stack.push(character));
                    }),
                    Shape::Tuple | Shape::List => match table.ids(names) {
                        [id] => self.stack.push(*id),
                        ids => self.stack.extend_from_slice(ids),
                    },
                },
                StackManipulation::Define(names) => {
                    table.ids(names).iter().for_each(|id| match names.shape {
                        Shape::Text => self.defined.insert_characters(session, *id),
                        Shape::Tuple | Shape::List => self.defined.insert(*id),
                    })
                }
                StackManipulation::Insert(depth, name) => {
                    let Some(index) = self.stack.len().checked_sub(*depth as usize) else {
                        let index = distance(self.stack.len(), *depth);
                        return Err(OutOfBounds::Insert(index));
                    };
                    self.stack.insert(index, *name);
                    self.kept = self.kept.min(index);
                }
                StackManipulation::Pop(depth) => {
                    // PARITY: an index below zero counts from the top again, as list indices of the
                    // reference do; only beyond that it is out of bounds.
                    let index = distance(self.stack.len(), *depth) - 1;
                    let wrapped = if index < 0 { index + self.stack.len() as i64 } else { index };
                    match usize::try_from(wrapped) {
                        Ok(at) if at < self.stack.len() => {
                            self.stack.remove(at);
                            self.kept = self.kept.min(at);
                        }
                        _ => {
                            return Err(OutOfBounds::Pop(index));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn distance(height: usize, depth: u32) -> i64 {
    height as i64 - i64::from(depth)
}

/// Passes on every character of a name as a name.
pub fn each_character(session: &Session, name: Symbol, mut take: impl FnMut(Symbol)) {
    session.text(name).chars().for_each(|character| take(session.symbols.character(character)));
}
