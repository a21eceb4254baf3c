//! Names on the stack, followed from op to op: what each op changes of them, and of those among them
//! that are defined.

use crate::base::arena::Symbol;
use crate::base::entity::SecondaryMap;
use crate::diagnostics::Outcome;
use crate::session::Session;
use crate::teal::manipulations::{Defined, SimulatedStack, each_character};
use crate::teal::model::{Manipulations, Op};

/// A list of names. One after the other is shown, and most of a list stood in the one before.
#[derive(Clone, Copy, Default, Debug)]
pub struct NameList<'e> {
    /// All of its names.
    pub names: &'e [Symbol],
    /// How many at the start are those at the start of the list shown before.
    pub shared: usize,
}

/// Which lists an op changed.
#[derive(Clone, Copy, Default)]
pub(super) struct Changed {
    /// The names on the stack that are defined: an op defined another name.
    pub(super) defined: bool,
    /// The names on the stack.
    pub(super) stack: bool,
}

/// The names on the stack before and after an op.
#[derive(Default)]
pub(super) struct Names {
    /// After the op.
    state: SimulatedStack<Definitions>,
    before: Vec<Symbol>,
    /// How many at the bottom are the same before and after.
    same: usize,
    /// How many at the bottom stood in the stack that was shown last.
    stack_shared: usize,
    /// The names on the stack that are defined, by text, as of the last op that defined one.
    defined: Vec<Symbol>,
    /// How many of them at the start were shown last.
    defined_shared: usize,
}

impl Names {
    /// Nothing was shown so far.
    pub(super) fn start_program(&mut self) {
        self.stack_shared = 0;
        self.defined_shared = 0;
    }
    /// The stack of a subroutine is its own.
    pub(super) fn start_subroutine(&mut self) {
        self.start_block(0, &[]);
    }
    /// Goes on with so many names of the stack and some more, none of them defined.
    pub(super) fn start_block(&mut self, height: usize, names: &[Symbol]) {
        let SimulatedStack { stack, kept, .. } = &mut self.state;
        stack.truncate(height);
        *kept = stack.len();
        stack.extend_from_slice(names);
        self.compare();
        self.stack_shared = self.stack_shared.min(self.same);
        self.take_over();
        let definitions = &mut self.state.defined;
        definitions.block += 1;
        definitions.unsettled.clear();
        self.defined.drain(..).for_each(|name| definitions.facts[name].is_listed = false);
        self.defined_shared = 0;
    }
    /// Plays what an op does to the names.
    pub(super) fn play(
        &mut self,
        session: &Session,
        table: &Manipulations,
        op: &Op,
    ) -> Outcome<Changed> {
        self.same = self.before.len();
        if op.stack.is_empty() {
            return Ok(Changed::default());
        }
        let state = &mut self.state;
        state.kept = state.stack.len();
        state.defined.is_any_new = false;
        state.apply(session, table, table.of(op.stack)).map_err(|error| error.failure())?;
        self.compare();
        let defined = self.state.defined.is_any_new;
        if defined {
            self.update_defined(session);
        }
        let stack = self.same < self.before.len() || self.same < self.state.stack.len();
        Ok(Changed { defined, stack })
    }
    /// The stack before the op, to be shown.
    pub(super) fn before(&self) -> NameList<'_> {
        NameList { names: &self.before, shared: self.stack_shared }
    }
    /// The stack after the op, to be shown; perhaps the one before it is shown, too.
    pub(super) fn after(&self, is_before_shown: bool) -> NameList<'_> {
        let shared = if is_before_shown { self.same } else { self.stack_shared.min(self.same) };
        NameList { names: &self.state.stack, shared }
    }
    /// The defined names on the stack, to be shown.
    pub(super) fn defined(&self) -> NameList<'_> {
        NameList { names: &self.defined, shared: self.defined_shared }
    }
    /// Goes on from the stack after the op. `is_shown` tells whether what it changed was shown, and
    /// `is_first` whether then the stack before it was, too.
    pub(super) fn settle(&mut self, changed: Changed, is_first: bool, is_shown: bool) {
        if is_shown && changed.defined {
            self.defined_shared = self.defined.len();
        }
        self.stack_shared = if is_shown && (changed.stack || is_first) {
            self.state.stack.len()
        } else {
            self.stack_shared.min(self.same)
        };
        if changed.stack {
            self.take_over();
        }
    }
    /// Finds what is the same before and after, and counts what is not.
    fn compare(&mut self) {
        let Self { state, before, same, .. } = self;
        let SimulatedStack { stack, kept, defined } = state;
        let common = stack.len().min(before.len());
        *same = *kept;
        while *same < common && stack[*same] == before[*same] {
            *same += 1;
        }
        stack[*same..].iter().for_each(|name| defined.add(*name));
        before[*same..].iter().for_each(|name| defined.drop(*name));
    }
    /// Makes what is after the op what is before the next one.
    fn take_over(&mut self) {
        self.before.truncate(self.same);
        self.before.extend_from_slice(&self.state.stack[self.same..]);
    }
    /// Takes out what is not on the stack any more and puts in what came; the rest is in order already.
    fn update_defined(&mut self, session: &Session) {
        let Definitions { facts, block, unsettled, .. } = &mut self.state.defined;
        let defined = &mut self.defined;
        for name in unsettled.iter().copied() {
            let fact = &mut facts[name];
            let is_wanted = fact.count > 0 && fact.defined_in == *block;
            if is_wanted == fact.is_listed {
                continue;
            }
            fact.is_listed = is_wanted;
            let place = if is_wanted {
                let text = session.text(name);
                let place = defined.partition_point(|other| session.text(*other) < text);
                defined.insert(place, name);
                place
            } else {
                let place = defined.iter().position(|other| *other == name);
                let place = place.expect("a name that is listed stands in the list");
                defined.remove(place);
                place
            };
            self.defined_shared = self.defined_shared.min(place);
        }
        unsettled.clear();
    }
}

/// The names that were defined in a block so far, and those on the stack.
#[derive(Default)]
struct Definitions {
    facts: SecondaryMap<Symbol, Fact>,
    /// Number of the block, from 1.
    block: u32,
    /// Whether a name was defined that was not before.
    is_any_new: bool,
    /// Names that came to the stack, went from it, or were defined while they stood there since the list
    /// of defined names was brought up to date.
    unsettled: Vec<Symbol>,
}

/// What is known of a name.
#[derive(Clone, Copy, Default)]
struct Fact {
    /// The number of the block in which it was defined last.
    defined_in: u32,
    /// The number of the block in which its characters were defined last.
    spelled_in: u32,
    /// How often it stands on the stack.
    count: u32,
    /// Whether it is in the list of defined names.
    is_listed: bool,
}

impl Definitions {
    /// A name came to the stack.
    fn add(&mut self, name: Symbol) {
        let count = &mut self.facts[name].count;
        *count += 1;
        if *count == 1 {
            self.unsettled.push(name);
        }
    }
    /// A name went from the stack.
    fn drop(&mut self, name: Symbol) {
        let count = &mut self.facts[name].count;
        *count -= 1;
        if *count == 0 {
            self.unsettled.push(name);
        }
    }
}

impl Defined for Definitions {
    fn insert(&mut self, name: Symbol) {
        let fact = &mut self.facts[name];
        if fact.defined_in != self.block {
            fact.defined_in = self.block;
            self.is_any_new = true;
            if fact.count > 0 {
                self.unsettled.push(name);
            }
        }
    }
    fn insert_characters(&mut self, session: &Session, name: Symbol) {
        let fact = &mut self.facts[name];
        if fact.spelled_in != self.block {
            fact.spelled_in = self.block;
            each_character(session, name, |character| self.insert(character));
        }
    }
}
