//! Makes every block take its variables from the X-stack it gets and leave the X-stack it owes.
//! Spec 30 §10.7.

use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

use super::super::lifetimes::{Lifetimes, VarSet};
use super::super::model::{
    AvmType, Block, BlockId, Load, Local, Locals, Names, Op, OpKind, Store, Subroutine, next_op_id,
};
use super::super::stack::Stack;
use super::{Record, Records, both, minus};

/// Rewrites these blocks.
pub fn run(
    session: &Session<'_>,
    sub: &mut Subroutine,
    lifetimes: &Lifetimes,
    records: &Records,
    blocks: &[BlockId],
) -> Outcome<()> {
    sub.local_types();
    for &id in blocks {
        let stack = Stack::at_entry(sub, &sub.body[id]);
        let types = sub.local_types.as_ref().expect("collected above");
        let mut block = Rewrite { session, types, stack, ops: Vec::new(), op_count: sub.op_count };
        block.rewrite(lifetimes, &records[id], &mut sub.body[id])?;
        sub.op_count = block.op_count;
        sub.body[id].ops = block.ops;
    }
    Ok(())
}

/// A block while its operations are made anew.
struct Rewrite<'a, 's> {
    session: &'a Session<'s>,
    types: &'a OrderedMap<Symbol, AvmType>,
    stack: Stack,
    ops: Vec<Op>,
    op_count: u32,
}

impl Rewrite<'_, '_> {
    fn rewrite(
        &mut self,
        lifetimes: &Lifetimes,
        record: &Record,
        block: &mut Block,
    ) -> Outcome<()> {
        let vars = |locals: &Locals| locals.iter().map(|local| lifetimes.var(*local)).collect();
        let (x_in, x_out): (VarSet, VarSet) = (vars(&block.x_stack_in), vars(&block.x_stack_out));
        let consumes_stack = block.terminator.consumes_stack();
        let (transit, drops) = if consumes_stack {
            let drops = drops_above_loads(lifetimes, record, &block.x_stack_in);
            (minus(&minus(&x_in, &record.loads), &drops), drops)
        } else {
            (both(&x_in, &x_out), minus(&minus(&x_in, &x_out), &record.live_in))
        };
        let copied = minus(&transit, &record.stores);

        for local in block.x_stack_in.iter().rev() {
            if drops.contains(lifetimes.var(*local)) {
                self.load(*local)?;
                self.push(OpKind::Pop(1), Names::None)?;
            }
        }
        let place_out: LookupMap<Symbol, usize> =
            block.x_stack_out.iter().enumerate().map(|(place, local)| (*local, place)).collect();
        for mut op in std::mem::take(&mut block.ops) {
            match op.kind {
                OpKind::Store(local, Store::Abstract) => {
                    if let Some(place) = place_out.get(&local.id) {
                        let index = self.insertion_index(&place_out, *place);
                        let depth = self.stack.x_depth(index);
                        op.kind = OpKind::Store(local, Store::X { depth });
                    }
                }
                OpKind::Load(local, Load::Abstract) => {
                    let var = lifetimes.var(local.id);
                    if x_in.contains(var) {
                        let copy = copied.contains(var);
                        let depth = self.depth_of(local.id)?;
                        op.kind = OpKind::Load(local, Load::X { depth, copy });
                        op.produces = Names::of_local(self.session, local.id, copy);
                    }
                }
                _ => {}
            }
            self.stack.apply(&op)?;
            self.ops.push(op);
        }

        let not_copied = minus(&minus(&x_out, &record.stores), &transit);
        self.expect_none(lifetimes, &not_copied, "copy", "to", block.loc)?;
        let kept = minus(&minus(&x_in, &copied), &record.loads);
        let not_moved = minus(&minus(&kept, &transit), &drops);
        self.expect_none(lifetimes, &not_moved, "move", "from", block.loc)?;
        if !consumes_stack && self.stack.x != *block.x_stack_out {
            self.reorder(&block.x_stack_out, block.loc)?;
        }
        Ok(())
    }

    /// Before the first variable that belongs at the same place or higher.
    fn insertion_index(&self, place_out: &LookupMap<Symbol, usize>, place: usize) -> usize {
        let is_higher = |local: &Symbol| place_out.get(local).is_some_and(|other| *other >= place);
        self.stack.x.iter().position(is_higher).unwrap_or(self.stack.x.len())
    }

    /// Moves every variable to its place, from the bottom on.
    fn reorder(&mut self, x_stack_out: &Locals, loc: Loc) -> Outcome<()> {
        for (place, local) in x_stack_out.iter().enumerate() {
            if self.stack.x.get(place) == Some(local) {
                continue;
            }
            self.load(*local)?;
            let depth = self.stack.x_depth(place);
            let local = self.local(*local)?;
            self.push(OpKind::Store(local, Store::X { depth }), Names::None)?;
        }
        if self.stack.x == **x_stack_out {
            return Ok(());
        }
        let tuple = |names: &[Symbol]| {
            let names = names.iter().map(|name| crate::base::text::repr(self.session.text(*name)));
            let names: Vec<String> = names.collect();
            let comma = if names.len() == 1 { "," } else { "" };
            format!("({}{comma})", names.join(", "))
        };
        let (have, want) = (tuple(&self.stack.x), tuple(x_stack_out));
        Err(Failure::internal(format!("x-stack reorder failed: {have} != {want}"), loc))
    }

    /// Takes a variable off the X-stack.
    fn load(&mut self, id: Symbol) -> Outcome<()> {
        let depth = self.depth_of(id)?;
        let local = self.local(id)?;
        self.push(OpKind::Load(local, Load::X { depth, copy: false }), Names::One(id))
    }
    fn push(&mut self, kind: OpKind, produces: Names) -> Outcome<()> {
        let op = Op { id: next_op_id(&mut self.op_count), kind, produces, loc: Loc::NONE };
        super::super::check_access(self.session, &op)?;
        self.stack.apply(&op)?;
        self.ops.push(op);
        Ok(())
    }
    fn local(&self, id: Symbol) -> Outcome<Local> {
        let atype = self.types.get(&id).copied();
        let atype = atype.ok_or_else(|| self.missing(id))?;
        Ok(Local { id, atype })
    }
    fn depth_of(&self, id: Symbol) -> Outcome<u32> {
        let index = self.stack.x_index(id).ok_or_else(|| self.missing(id))?;
        Ok(self.stack.x_depth(index))
    }
    fn missing(&self, id: Symbol) -> Failure {
        let message = format!("{} not found in x-stack", self.session.text(id));
        Failure::internal(message, Loc::NONE)
    }
    fn expect_none(
        &self,
        lifetimes: &Lifetimes,
        vars: &VarSet,
        verb: &str,
        direction: &str,
        loc: Loc,
    ) -> Outcome<()> {
        if vars.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> =
            vars.iter().map(|var| self.session.text(lifetimes.name(var))).collect();
        let message = format!("Failed to {verb} {} {direction} the x-stack", names.join(", "));
        Err(Failure::internal(message, loc))
    }
}

/// Where the terminator clears the stack anyway, only dead variables above the deepest one loaded are
/// worth dropping: they would make that load deeper.
fn drops_above_loads(lifetimes: &Lifetimes, record: &Record, x_stack_in: &Locals) -> VarSet {
    let mut vars = x_stack_in.iter().map(|local| lifetimes.var(*local));
    let deepest = vars.by_ref().find(|var| record.loads.contains(*var));
    match deepest {
        Some(_) => vars.filter(|var| !record.live_in.contains(*var)).collect(),
        None => VarSet::new(),
    }
}
