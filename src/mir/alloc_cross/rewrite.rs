//! Makes every block take its variables from the X-stack it gets and leave the X-stack it owes.
//! Spec 30 §10.7.

use crate::base::arena::Symbol;
use crate::base::entity::SecondaryMap;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

use super::super::lifetimes::VarSet;
use super::super::model::{
    AvmType, BlockId, Load, Local, Locals, Names, Op, OpKind, Store, Subroutine, VarId, Variables,
    next_op_id,
};
use super::super::stack::Stack;
use super::{Record, Records, both, minus};

/// Rewrites these blocks.
pub fn run(
    session: &Session<'_>,
    sub: &mut Subroutine,
    records: &Records<'_>,
    x_stacks: &[Vec<VarId>],
    blocks: &[BlockId],
) -> Outcome<()> {
    sub.collect_types();
    let mut stack = Stack::default();
    for &id in blocks {
        let record = &records[id];
        let vars = |set: Option<usize>| set.map_or(&[][..], |set| x_stacks[set].as_slice());
        let (x_in, x_out) = (vars(record.set_in), vars(record.set_out));
        if x_in.is_empty() && x_out.is_empty() {
            // nothing is placed here
            continue;
        }
        stack.enter(sub, &sub.body[id]);
        let block = &mut sub.body[id];
        let rewrite = Rewrite {
            session,
            types: sub.types.as_ref().expect("collected above"),
            variables: &mut sub.variables,
            stack: &mut stack,
            places: None,
            ops: Vec::with_capacity(block.ops.len()),
            op_count: &mut sub.op_count,
        };
        let old = Unplaced {
            consumes_stack: block.terminator.consumes_stack(),
            x_in,
            x_out,
            x_stack_out: &block.x_stack_out,
            loc: block.loc,
        };
        let ops = std::mem::take(&mut block.ops);
        block.ops = rewrite.run(record, &old, ops)?;
    }
    Ok(())
}

/// What is known of a block before.
struct Unplaced<'a> {
    consumes_stack: bool,
    /// The X-stack it gets.
    x_in: &'a [VarId],
    /// The X-stack it owes.
    x_out: &'a [VarId],
    /// The same as names.
    x_stack_out: &'a Locals,
    loc: Loc,
}

/// A block while its operations are made anew.
struct Rewrite<'a, 's> {
    session: &'a Session<'s>,
    types: &'a SecondaryMap<VarId, Option<AvmType>>,
    variables: &'a mut Variables,
    stack: &'a mut Stack,
    /// Where variables lie on the X-stack it owes; known from the first look-up on.
    places: Option<LookupMap<Symbol, usize>>,
    ops: Vec<Op>,
    op_count: &'a mut u32,
}

impl Rewrite<'_, '_> {
    fn run(mut self, record: &Record<'_>, block: &Unplaced<'_>, ops: Vec<Op>) -> Outcome<Vec<Op>> {
        let x_in: VarSet = block.x_in.iter().copied().collect();
        let x_out: VarSet = block.x_out.iter().copied().collect();
        let (transit, drops) = if block.consumes_stack {
            let drops = drops_above_loads(record, block.x_in);
            (minus(&minus(&x_in, &record.loads), &drops), drops)
        } else {
            (both(&x_in, &x_out), minus(&minus(&x_in, &x_out), record.live_in))
        };
        let copied = minus(&transit, &record.stores);

        for var in block.x_in.iter().rev().filter(|var| drops.contains(**var)) {
            self.load(*var)?;
            self.push(OpKind::Pop(1), Names::None)?;
        }
        for mut op in ops {
            match op.kind {
                OpKind::Store(local, Store::Abstract) if x_out.contains(local.var) => {
                    let index = self.insertion_index(block.x_stack_out, local.id);
                    let depth = self.stack.x_depth(index);
                    op.kind = OpKind::Store(local, Store::X { depth });
                }
                OpKind::Load(local, Load::Abstract) if x_in.contains(local.var) => {
                    let copy = copied.contains(local.var);
                    let depth = self.depth_of(local.id)?;
                    op.kind = OpKind::Load(local, Load::X { depth, copy });
                    op.produces = Names::One(if copy {
                        self.variables[local.var].copy_name(self.session)
                    } else {
                        local.id
                    });
                }
                _ => {}
            }
            self.stack.apply(&op)?;
            self.ops.push(op);
        }

        let not_copied = minus(&minus(&x_out, &record.stores), &transit);
        self.expect_none(&not_copied, "copy", "to", block.loc)?;
        let kept = minus(&minus(&x_in, &copied), &record.loads);
        let not_moved = minus(&minus(&kept, &transit), &drops);
        self.expect_none(&not_moved, "move", "from", block.loc)?;
        if !block.consumes_stack && self.stack.x != **block.x_stack_out {
            self.reorder(block)?;
        }
        Ok(self.ops)
    }

    /// Before the first variable that belongs at the same place or higher.
    fn insertion_index(&mut self, x_stack_out: &Locals, local: Symbol) -> usize {
        if self.stack.x.is_empty() {
            return 0;
        }
        let owed = || (0..).zip(x_stack_out.iter()).map(|(place, name)| (*name, place)).collect();
        let places = self.places.get_or_insert_with(owed);
        let lower = places.get(&local).copied().unwrap_or(0);
        let is_as_high = |other: &Symbol| places.get(other).is_some_and(|place| *place >= lower);
        self.stack.x.iter().position(is_as_high).unwrap_or(self.stack.x.len())
    }

    /// Moves every variable to its place, from the bottom on.
    fn reorder(&mut self, block: &Unplaced<'_>) -> Outcome<()> {
        let x_stack_out = block.x_stack_out;
        for (place, var) in block.x_out.iter().enumerate() {
            if self.stack.x.get(place) == x_stack_out.get(place) {
                continue;
            }
            self.load(*var)?;
            let depth = self.stack.x_depth(place);
            let local = self.local(*var)?;
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
        Err(Failure::internal(format!("x-stack reorder failed: {have} != {want}"), block.loc))
    }

    /// Takes a variable off the X-stack.
    fn load(&mut self, var: VarId) -> Outcome<()> {
        let depth = self.depth_of(self.variables[var].name)?;
        let local = self.local(var)?;
        self.push(OpKind::Load(local, Load::X { depth, copy: false }), Names::One(local.id))
    }
    fn push(&mut self, kind: OpKind, produces: Names) -> Outcome<()> {
        let op = Op { id: next_op_id(self.op_count), kind, produces, loc: Loc::NONE };
        super::super::check_access(self.session, &op)?;
        self.stack.apply(&op)?;
        self.ops.push(op);
        Ok(())
    }
    fn local(&self, var: VarId) -> Outcome<Local> {
        let id = self.variables[var].name;
        let atype = self.types[var].ok_or_else(|| self.missing(id))?;
        Ok(Local { id, var, atype })
    }
    fn depth_of(&self, id: Symbol) -> Outcome<u32> {
        let index = self.stack.x_index(id).ok_or_else(|| self.missing(id))?;
        Ok(self.stack.x_depth(index))
    }
    fn missing(&self, id: Symbol) -> Failure {
        let message = format!("{} not found in x-stack", self.session.text(id));
        Failure::internal(message, Loc::NONE)
    }
    fn expect_none(&self, vars: &VarSet, verb: &str, direction: &str, loc: Loc) -> Outcome<()> {
        if vars.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> =
            vars.iter().map(|var| self.session.text(self.variables[var].name)).collect();
        let message = format!("Failed to {verb} {} {direction} the x-stack", names.join(", "));
        Err(Failure::internal(message, loc))
    }
}

/// Where the terminator clears the stack anyway, only dead variables above the deepest one loaded are
/// worth dropping: they would make that load deeper.
fn drops_above_loads(record: &Record<'_>, x_in: &[VarId]) -> VarSet {
    let mut vars = x_in.iter().copied();
    let deepest = vars.by_ref().find(|var| record.loads.contains(*var));
    match deepest {
        Some(_) => vars.filter(|var| !record.live_in.contains(*var)).collect(),
        None => VarSet::new(),
    }
}
