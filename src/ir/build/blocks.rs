//! Builds the blocks of one body: operations and control flow in the order of the source in, basic
//! blocks in order of activation out. Spec 21 §7.
//!
//! A block gets its number and its place in the body when it is activated; the active block is the last
//! of the body. A block is sealed as soon as no further predecessor can come.

use crate::awst::stmt;
use crate::base::arena::Symbol;
use crate::base::entity::PrimaryMap;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{BasicBlock, BlockId, OpId, Subroutine};
use crate::ir::op::{Op, OpKind, Register, Terminator, TerminatorKind};
use crate::ir::ssa::Ssa;
use crate::ir::types::IrType;
use crate::ir::verify::Reads;

/// Tables that each body fills anew, in the memory of the body before.
#[derive(Default)]
pub struct Tables {
    ssa: Ssa,
    blocks: PrimaryMap<BlockId, BasicBlock>,
    ops: PrimaryMap<OpId, Op>,
}

#[derive(Clone, Copy)]
struct LoopTargets {
    on_continue: BlockId,
    on_break: BlockId,
}

/// Whether the terminator of a block was set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminated {
    Now,
    Before,
}

/// The blocks of a body under construction.
pub struct Blocks<'a, 's> {
    ctx: Ctx<'a, 's>,
    /// The subroutine; its body lists the activated blocks.
    pub sub: Subroutine,
    ssa: Ssa,
    loops: Vec<LoopTargets>,
    /// Whether an operation in unreachable code was dropped.
    dropped_operations: bool,
    /// Targets of gotos that stand before their label.
    pending: OrderedMap<Symbol, BlockId>,
    labelled: OrderedMap<Symbol, BlockId>,
}

impl<'a, 's> Blocks<'a, 's> {
    /// Starts the body of a subroutine that has none.
    pub fn new(ctx: Ctx<'a, 's>, mut sub: Subroutine, tables: Tables) -> Outcome<Self> {
        let Tables { mut ssa, blocks, ops } = tables;
        debug_assert!(sub.blocks.is_empty() && sub.ops.is_empty(), "there is no body yet");
        (sub.blocks, sub.ops) = (blocks, ops);
        let mut entry = BasicBlock::new(sub.loc, None, None);
        entry.number = Some(0);
        let entry = sub.blocks.push(entry);
        sub.body.push(entry);
        ssa.start(&sub.parameters, entry);
        ssa.seal(ctx, &mut sub, entry)?;
        Ok(Self {
            ctx,
            sub,
            ssa,
            loops: Vec::new(),
            dropped_operations: false,
            pending: OrderedMap::default(),
            labelled: OrderedMap::default(),
        })
    }
    /// The block that operations go to.
    pub fn active(&self) -> BlockId {
        *self.sub.body.last().expect("the entry block is there from the start")
    }
    /// Whether the active block has its terminator.
    pub fn is_terminated(&self) -> bool {
        self.sub.blocks[self.active()].terminator.is_some()
    }
    /// The label of the active block.
    pub fn active_label(&self) -> Option<Symbol> {
        self.sub.blocks[self.active()].label
    }

    /// The value of a variable here.
    pub fn read(&mut self, variable: Symbol, ty: IrType) -> Outcome<Register> {
        let active = self.active();
        self.ssa.read(self.ctx, &mut self.sub, active, variable, ty)
    }
    /// Makes a register the value of its variable from here on.
    pub fn write(&mut self, register: Register) {
        let active = self.active();
        self.ssa.write(active, register);
    }
    /// A new version of a variable.
    pub fn new_register(&mut self, name: Symbol, ty: IrType, loc: Loc) -> Register {
        self.ssa.new_register(&mut self.sub, name, ty, loc)
    }
    /// Whether a variable was ever mentioned.
    pub fn has_version(&self, variable: Symbol) -> bool {
        self.ssa.has_version(variable)
    }

    /// Appends an operation. In unreachable code it is dropped with an error.
    pub fn add(&mut self, kind: OpKind, loc: Loc) {
        if self.is_terminated() {
            self.dropped_operations = true;
            self.report_unreachable(loc);
            return;
        }
        let active = self.active();
        let op = self.sub.ops.push(Op { kind, loc });
        self.sub.blocks[active].ops.push(op);
        self.ssa.note_op(self.ctx, &self.sub, op);
    }
    /// Ends the active block. In unreachable code this is an error.
    pub fn terminate(&mut self, kind: TerminatorKind, loc: Loc) -> Outcome<()> {
        if self.try_terminate(kind, loc)? == Terminated::Before {
            self.report_unreachable(loc);
        }
        Ok(())
    }
    /// Ends the active block by going to another, unless it has ended.
    pub fn goto(&mut self, target: BlockId, loc: Loc) -> Outcome<()> {
        self.try_terminate(TerminatorKind::Goto(target), loc).map(|_| ())
    }
    /// Goes to the block of a label, which may come later.
    pub fn goto_label(&mut self, label: Symbol, loc: Loc) -> Outcome<()> {
        let target = match self.labelled.get(&label) {
            Some(block) => *block,
            None => {
                let blocks = &mut self.sub.blocks;
                let make = || blocks.push(BasicBlock::new(loc, Some(label), None));
                *self.pending.entry(label).or_insert_with(make)
            }
        };
        self.goto(target, loc)
    }
    fn try_terminate(&mut self, kind: TerminatorKind, loc: Loc) -> Outcome<Terminated> {
        if self.is_terminated() {
            return Ok(Terminated::Before);
        }
        let active = self.active();
        let terminator = Terminator { kind, loc };
        for target in terminator.targets() {
            if self.ssa.is_sealed(target) {
                let message = "Cannot add predecessor to block, as it is already sealed";
                return Err(Failure::internal(message, Loc::NONE));
            }
            self.sub.blocks[target].add_predecessor(active);
        }
        self.sub.blocks[active].terminator = Some(terminator);
        self.ssa.note_terminator(self.ctx, &self.sub, active);
        Ok(Terminated::Now)
    }
    fn report_unreachable(&self, loc: Loc) {
        if loc.is_some() {
            return self.ctx.sink().error("unreachable code", loc);
        }
        let active = &self.sub.blocks[self.active()];
        let end = active.terminator.as_ref().map_or(Loc::NONE, |terminator| terminator.loc);
        self.ctx.sink().error("unreachable code follows", end.or(active.loc));
    }

    /// A block without a label.
    pub fn make(&mut self, description: &str, loc: Loc) -> BlockId {
        let comment = Some(self.ctx.sym(description));
        self.sub.blocks.push(BasicBlock::new(loc, None, comment))
    }
    /// Several blocks without labels at one location.
    pub fn make_all<const N: usize>(&mut self, descriptions: [&str; N], loc: Loc) -> [BlockId; N] {
        descriptions.map(|description| self.make(description, loc))
    }
    /// The block of a block of the source; its own comment precedes the description.
    pub fn make_for(
        &mut self,
        block: &stmt::Block<'_>,
        description: Option<&str>,
    ) -> Outcome<BlockId> {
        let comment = block.comment.filter(|comment| !comment.is_empty()).or(description);
        let comment = comment.map(|comment| self.ctx.sym(comment));
        let Some(label) = block.label else {
            return Ok(self.sub.blocks.push(BasicBlock::new(block.loc, None, comment)));
        };
        if self.labelled.contains_key(&label) {
            let label = self.ctx.text(label);
            let message = format!("block for label {label} has already been created");
            return Err(Failure::internal(message, Loc::NONE));
        }
        let id = match self.pending.shift_remove(&label) {
            Some(id) => {
                self.sub.blocks[id].loc = block.loc;
                self.sub.blocks[id].comment = comment;
                id
            }
            None => self.sub.blocks.push(BasicBlock::new(block.loc, Some(label), comment)),
        };
        self.labelled.insert(label, id);
        Ok(id)
    }

    /// Makes a block the active one and seals it, unless a later goto may come by its label.
    pub fn activate(&mut self, block: BlockId) -> Outcome<()> {
        self.activate_open(block)?;
        self.close(block)
    }
    /// Makes a block the active one that more predecessors come to; [`Blocks::close`] it later.
    pub fn activate_open(&mut self, block: BlockId) -> Outcome<()> {
        if !self.is_terminated() {
            let message =
                "Attempted to activate a new block when current block has not been terminated";
            return Err(Failure::internal(message, Loc::NONE));
        }
        if self.sub.blocks[block].predecessors.is_empty() {
            let message = "Attempted to add a (non-entry) block with no predecessors";
            return Err(Failure::internal(message, Loc::NONE));
        }
        let number = u32::try_from(self.sub.body.len()).expect("fewer than 2^32 blocks");
        self.sub.blocks[block].number = Some(number);
        self.sub.body.push(block);
        Ok(())
    }
    /// No unlabelled predecessor comes to a block any more.
    pub fn close(&mut self, block: BlockId) -> Outcome<()> {
        if self.sub.blocks[block].label.is_some() {
            return Ok(());
        }
        self.ssa.seal(self.ctx, &mut self.sub, block)
    }
    /// Makes a block the active one if anything goes to it; true when something does.
    pub fn try_activate(&mut self, block: BlockId) -> Outcome<bool> {
        if self.sub.blocks[block].predecessors.is_empty() {
            return Ok(false);
        }
        self.activate(block)?;
        Ok(true)
    }

    /// From now on `break` and `continue` mean this loop.
    pub fn enter_loop(&mut self, on_continue: BlockId, on_break: BlockId) {
        self.loops.push(LoopTargets { on_continue, on_break });
    }
    /// The innermost loop ends here.
    pub fn leave_loop(&mut self) {
        self.loops.pop();
    }
    /// Leaves the innermost loop.
    pub fn loop_break(&mut self, loc: Loc) -> Outcome<()> {
        match self.loops.last() {
            Some(targets) => self.goto(targets.on_break, loc),
            None => Err(Failure::internal("break outside of loop", loc)),
        }
    }
    /// Goes to the next round of the innermost loop.
    pub fn loop_continue(&mut self, loc: Loc) -> Outcome<()> {
        match self.loops.last() {
            Some(targets) => self.goto(targets.on_continue, loc),
            None => Err(Failure::internal("continue outside of loop", loc)),
        }
    }

    /// Seals what is still open and returns the subroutine with its body, what its operations read, and
    /// the tables for the next.
    pub fn finalise(mut self) -> Outcome<(Subroutine, Reads, Tables)> {
        for (label, block) in &self.pending {
            let message = format!("block with label {} not found", self.ctx.text(*label));
            self.ctx.sink().error(message, self.sub.blocks[*block].loc);
        }
        for block in self.labelled.values() {
            self.ssa.seal(self.ctx, &mut self.sub, *block)?;
        }
        self.ssa.verify_complete(&self.sub)?;
        // a register somebody knew stays without definition only where one of these took it away
        let reads = match self.dropped_operations || self.ssa.removed_phis() {
            true => Reads::Open,
            false => Reads::Defined,
        };
        let Self { mut sub, ssa, .. } = self;
        let (mut blocks, mut ops) = (std::mem::take(&mut sub.blocks), std::mem::take(&mut sub.ops));
        (sub.blocks, sub.ops) = (blocks.drain_to_fit(), ops.drain_to_fit());
        Ok((sub, reads, Tables { ssa, blocks, ops }))
    }
}
