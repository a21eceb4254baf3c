//! What lies on the stack: a simulation of one block, name by name. Spec 30 §4.
//!
//! Every allocator runs its result through it, so a wrong depth is found where it is made.

use crate::base::arena::Symbol;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

use super::model::{
    Block, Load, Locals, Names, Op, OpKind, Store, Subroutine, Terminator, TerminatorKind,
};

/// Names on the four parts of the stack, bottom first.
#[derive(Clone, Default, Debug)]
pub struct Stack {
    /// Parameters.
    pub parameters: Vec<Symbol>,
    /// Variables of the whole subroutine.
    pub f: Vec<Symbol>,
    /// Variables between blocks.
    pub x: Vec<Symbol>,
    /// Operands and variables of the block.
    pub l: Vec<Symbol>,
}

impl Stack {
    /// The stack where control enters a block.
    pub fn at_entry(sub: &Subroutine, block: &Block) -> Self {
        let mut stack = Self::default();
        stack.enter(sub, block);
        stack
    }
    /// Makes it the stack where control enters a block.
    pub fn enter(&mut self, sub: &Subroutine, block: &Block) {
        self.parameters.clear();
        self.parameters.extend(sub.parameter_ids());
        self.f.clear();
        self.f.extend_from_slice(&block.f_stack_in);
        self.x.clear();
        self.x.extend_from_slice(&block.x_stack_in);
        self.l.clear();
    }
    /// Height of X- and L-stack.
    pub fn xl_height(&self) -> usize {
        self.x.len() + self.l.len()
    }
    /// Height of F-, X- and L-stack.
    pub fn fxl_height(&self) -> usize {
        self.f.len() + self.xl_height()
    }
    /// How many values stand above a place of the X-stack. Past the top there are none either:
    /// [`Stack::apply`] refuses what is made of that.
    pub fn x_depth(&self, index: usize) -> u32 {
        depth(self.xl_height().saturating_sub(index + 1))
    }
    /// Where on the X-stack a variable lies.
    pub fn x_index(&self, local: Symbol) -> Option<usize> {
        self.x.iter().position(|name| *name == local)
    }
    /// Goes past an operation. Fails where the operation does not fit the stack.
    pub fn apply(&mut self, op: &Op) -> Outcome<()> {
        match op.kind {
            OpKind::Store(local, store) => self.before_store(local.id, store)?,
            OpKind::Load(local, load) => self.before_load(local.id, load)?,
            _ => {}
        }
        self.pop(op.consumes())?;
        match &op.produces {
            Names::One(name) => self.l.push(*name),
            names => self.l.extend_from_slice(names),
        }
        Ok(())
    }
    /// Goes past a terminator.
    pub fn end(&mut self, terminator: &Terminator) -> Outcome<()> {
        if let TerminatorKind::RetSub { returns, .. } = terminator.kind {
            if self.l.len() != returns as usize {
                return mismatch("inconsistent l-stack height for retsub");
            }
            // what is handed back is all that is left of the frame
            self.parameters.clear();
            self.f.clear();
            self.x.clear();
            return Ok(());
        }
        self.pop(terminator.consumes())
    }
    fn pop(&mut self, count: usize) -> Outcome<()> {
        match self.l.len().checked_sub(count) {
            Some(rest) => {
                self.l.truncate(rest);
                Ok(())
            }
            None => mismatch("l-stack too small"),
        }
    }
    fn before_store(&mut self, local: Symbol, store: Store) -> Outcome<()> {
        match store {
            Store::Abstract => {}
            Store::L { depth, .. } => {
                let height = self.l.len();
                let Some(index) = height.checked_sub(depth as usize + 1) else {
                    return mismatch("l-stack too small to store");
                };
                self.l.pop();
                self.l.insert(index, local);
            }
            Store::X { depth } => {
                let lowest = self.l.len().checked_sub(1);
                let index = self.xl_height().checked_sub(depth as usize + 1);
                match (lowest, index) {
                    (Some(lowest), Some(index)) if depth as usize >= lowest => {
                        self.x.insert(index, local);
                    }
                    _ => return mismatch("depth is outside valid x-stack range"),
                }
            }
            Store::F { depth, insert: true, .. } => {
                if self.xl_height().checked_sub(1) != Some(depth as usize) {
                    return mismatch("wrong depth of f-stack insertion");
                }
                self.f.push(local);
            }
            Store::F { depth, insert: false, .. } => self.check_f(local, depth)?,
            Store::Param { .. } => self.check_parameter(local)?,
        }
        Ok(())
    }
    fn before_load(&mut self, local: Symbol, load: Load) -> Outcome<()> {
        match load {
            Load::Abstract => {}
            Load::L { depth, copy } => {
                let index = match depth {
                    Some(depth) => self.l.len().checked_sub(depth as usize + 1),
                    None => self.l.iter().position(|name| *name == local),
                };
                let Some(index) = index else { return mismatch("local not found in l-stack") };
                if !copy {
                    self.l.remove(index);
                }
            }
            Load::X { depth, copy } => {
                let index = self.xl_height().checked_sub(depth as usize + 1);
                match index {
                    Some(index) if self.x.get(index) == Some(&local) => {
                        if !copy {
                            self.x.remove(index);
                        }
                    }
                    _ => return mismatch("local not found in x-stack"),
                }
            }
            Load::F { depth, .. } => self.check_f(local, depth)?,
            Load::Param { .. } => self.check_parameter(local)?,
        }
        Ok(())
    }
    fn check_f(&self, local: Symbol, depth: u32) -> Outcome<()> {
        let index = self.fxl_height().checked_sub(depth as usize + 1);
        match index {
            Some(index) if self.f.get(index) == Some(&local) => Ok(()),
            _ => mismatch("local not found in f-stack"),
        }
    }
    fn check_parameter(&self, local: Symbol) -> Outcome<()> {
        if self.parameters.contains(&local) { Ok(()) } else { mismatch("not a parameter") }
    }
    /// Appends the whole stack as dumps show it.
    pub fn describe(&self, session: &Session<'_>, out: &mut String) {
        let mut part = |symbol: &str, names: &[Symbol]| {
            if !names.is_empty() {
                out.push_str(symbol);
                push_names(session, names, ",", out);
                out.push_str(" | ");
            }
        };
        part("(\u{1d561}) ", &self.parameters);
        part("(\u{1d557}) ", &self.f);
        part("(\u{1d54f}) ", &self.x);
        push_names(session, &self.l, ",", out);
    }
}

/// Appends names with a separator between them.
pub fn push_names(session: &Session<'_>, names: &[Symbol], separator: &str, out: &mut String) {
    for (index, name) in names.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { separator });
        out.push_str(session.text(*name));
    }
}

/// Names as a separated list.
pub fn names_text(session: &Session<'_>, names: &Locals) -> String {
    let mut out = String::new();
    push_names(session, names, ", ", &mut out);
    out
}

/// A height as depths are kept.
pub fn depth(height: usize) -> u32 {
    u32::try_from(height).expect("a stack is far lower than 2^32")
}

fn mismatch<T>(what: &str) -> Outcome<T> {
    Err(Failure::internal(what, crate::base::source::Loc::NONE))
}
