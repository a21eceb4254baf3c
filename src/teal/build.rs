//! MIR -> TEAL: stack operations become instructions, blocks are laid out so that a branch is
//! followed by its last target.

use std::ops::{Deref, Range};

use super::model::{
    Block, BytesEncoding, Immediate, Manipulations, Names, Op, OpKind, Program, ProgramKind, Shape,
    StackManipulation, Subroutine,
};
use crate::avm::fields::TransactionType;
use crate::avm::ops::AvmOp;
use crate::base::arena::Symbol;
use crate::base::encode::{method_selector, public_key_of};
use crate::base::entity::{EntityId, EntitySet};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::OnCompletion;
use crate::mir::model as mir;
use crate::session::Session;

/// Builds the TEAL of a program whose variables all have their places.
pub(super) fn build(session: &Session, program: &mir::Program) -> Outcome<Program> {
    let blocks = program.all_subroutines().flat_map(|sub| sub.body.values());
    let mut manipulations = Manipulations::expecting(blocks.map(|block| block.ops.len() + 1).sum());
    let subroutines = program
        .all_subroutines()
        .map(|sub| {
            let slots = program.slot_allocation.as_ref().filter(|_| sub.is_main);
            build_subroutine(session, &mut manipulations, sub, slots)
        })
        .collect::<Outcome<_>>()?;
    Ok(Program {
        kind: program.kind,
        avm_version: program.avm_version,
        subroutines,
        autosalt: program.autosalt.unwrap_or(program.kind == ProgramKind::LogicSignature),
        manipulations,
    })
}

fn build_subroutine(
    session: &Session,
    manipulations: &mut Manipulations,
    sub: &mir::Subroutine,
    slots: Option<&mir::SlotAllocation>,
) -> Outcome<Subroutine> {
    let use_frame = sub.needs_proto();
    let mut blocks = Vec::with_capacity(1 + sub.body.len());
    blocks.push(preamble(manipulations, sub, slots, use_frame));
    let mut built = EntitySet::new();
    let mut pending = vec![sub.entry()];
    while let Some(id) = pending.pop() {
        if !built.insert(id) {
            continue;
        }
        let block = &sub.body[id];
        // The order of the MIR body decides which branch is taken, though layout may differ.
        let next = id.index() + 1;
        let mut builder = Builder {
            session,
            manipulations: &mut *manipulations,
            sub,
            use_frame,
            next: (next < sub.body.len()).then(|| mir::BlockId::new(next)),
            // an op each, two for the end, and some for copies
            ops: Vec::with_capacity(block.ops.len() + 4),
        };
        for op in &block.ops {
            builder.op(op)?;
        }
        builder.terminator(&block.terminator, &mut pending)?;
        let block = Block {
            label: block.name,
            ops: builder.ops,
            x_stack_in: block.x_stack_in.to_vec(),
            entry_stack_height: block.entry_stack_height(),
            exit_stack_height: block.exit_stack_height(),
        };
        block.check_stack_height(session.text(block.label))?;
        blocks.push(block);
    }
    Ok(Subroutine { is_main: sub.is_main, signature: sub.signature.clone(), blocks, loc: sub.loc })
}

/// The block a caller enters by: it sets up the frame and goes on to the first block.
fn preamble(
    manipulations: &mut Manipulations,
    sub: &mir::Subroutine,
    slots: Option<&mir::SlotAllocation>,
    use_frame: bool,
) -> Block {
    let mut pre_allocated = |kind: OpKind, id: Symbol| {
        let stack = manipulations.add(&[&[StackManipulation::Extend(Names::list(id))]]);
        Op { kind, loc: Loc::NONE, stack }
    };
    let mut ops = Vec::new();
    if use_frame {
        let kind = OpKind::Proto {
            parameters: sub.signature.parameters.len(),
            returns: sub.signature.returns.len(),
        };
        ops.push(Op::new(kind, sub.loc));
    }
    if let Some(slots) = slots {
        ops.push(Op::new(bytes_constant(&slots.map, BytesEncoding::Base16), Loc::NONE));
        ops.push(Op::new(OpKind::Store(slots.slot), Loc::NONE));
    }
    // A value of the wrong type makes a read before the first write fail.
    for id in &sub.pre_alloc.bytes_vars {
        ops.push(pre_allocated(OpKind::Int { value: 0, comment: None }, *id));
    }
    for id in &sub.pre_alloc.uint64_vars {
        ops.push(pre_allocated(bytes_constant(&[], BytesEncoding::Utf8), *id));
    }
    ops.push(Op::new(OpKind::Branch(sub.body[sub.entry()].name), Loc::NONE));
    Block {
        label: sub.id,
        ops,
        x_stack_in: Vec::new(),
        // parameters lie below the frame
        entry_stack_height: 0,
        exit_stack_height: sub.pre_alloc.len(),
    }
}

fn bytes_constant(value: &[u8], encoding: BytesEncoding) -> OpKind {
    OpKind::Byte { value: value.into(), encoding, comment: None }
}

/// Manipulations of an op that takes and leaves values.
struct Effect {
    items: [StackManipulation; 3],
    /// Which of them there are.
    place: Range<usize>,
}

impl Deref for Effect {
    type Target = [StackManipulation];
    fn deref(&self) -> &[StackManipulation] {
        &self.items[self.place.clone()]
    }
}

/// Builds the ops of one block.
struct Builder<'b, 's> {
    session: &'b Session<'s>,
    manipulations: &'b mut Manipulations,
    sub: &'b mir::Subroutine,
    use_frame: bool,
    /// The next block of the MIR body.
    next: Option<mir::BlockId>,
    ops: Vec<Op>,
}

impl Builder<'_, '_> {
    /// Adds an op; what it does to the names comes in parts.
    fn push(&mut self, kind: OpKind, loc: Loc, stack: &[&[StackManipulation]]) {
        let stack = self.manipulations.add(stack);
        self.ops.push(Op { kind, loc, stack });
    }
    /// What an op does to the names on the stack, unless it stores or loads.
    fn effect(&mut self, consumes: usize, produces: &[Symbol]) -> Effect {
        let consume = StackManipulation::Consume(consumes as u32);
        let first = usize::from(consumes == 0);
        if produces.is_empty() {
            return Effect { items: [consume; 3], place: first..1 };
        }
        let names = self.manipulations.names(Shape::Tuple, produces);
        let (extend, define) = (StackManipulation::Extend(names), StackManipulation::Define(names));
        Effect { items: [consume, extend, define], place: first..3 }
    }

    fn op(&mut self, op: &mir::Op) -> Outcome<()> {
        let session = self.session;
        let kind = match &op.kind {
            mir::OpKind::Int(mir::IntValue::Number(value)) => {
                OpKind::Int { value: *value, comment: None }
            }
            mir::OpKind::Int(mir::IntValue::Alias(name)) => {
                let text = session.text(*name);
                let value = alias_value(text).ok_or_else(|| {
                    Failure::internal(format!("unknown TEAL alias: {text}"), op.loc)
                })?;
                OpKind::Int { value, comment: Some(*name) }
            }
            mir::OpKind::Byte { value, encoding } => {
                OpKind::Byte { value: value.clone(), encoding: *encoding, comment: None }
            }
            // the other type, so that a use fails
            mir::OpKind::Undefined(mir::AvmType::UInt64) => {
                bytes_constant(&[], BytesEncoding::Utf8)
            }
            mir::OpKind::Undefined(mir::AvmType::Bytes) => OpKind::Int { value: 0, comment: None },
            mir::OpKind::Undefined(mir::AvmType::Any) => {
                return Err(Failure::internal("undefined value of type any", op.loc));
            }
            mir::OpKind::TemplateVar { name, atype: mir::AvmType::UInt64 } => {
                OpKind::TemplateInt(*name)
            }
            mir::OpKind::TemplateVar { name, .. } => OpKind::TemplateByte(*name),
            mir::OpKind::Address(address) => {
                let text = session.text(*address);
                let key = public_key_of(text).ok_or_else(|| {
                    Failure::internal(format!("Invalid address literal: {text}"), op.loc)
                })?;
                OpKind::Byte {
                    value: key.as_slice().into(),
                    encoding: BytesEncoding::Base32,
                    comment: Some(session.sym_joined(&["addr ", text])),
                }
            }
            mir::OpKind::Method(signature) => {
                let text = session.text(*signature);
                OpKind::Byte {
                    value: method_selector(text).as_slice().into(),
                    encoding: BytesEncoding::Base16,
                    comment: Some(session.sym_joined(&["method \"", text, "\""])),
                }
            }
            mir::OpKind::Store(local, store) => {
                return self.store(op, *local, *store);
            }
            mir::OpKind::Load(_, load) => return self.load(op, *load),
            mir::OpKind::Pop(n) => OpKind::pop_n(*n as usize)?,
            mir::OpKind::CallSub { target, parameters, returns } => OpKind::CallSub {
                target: *target,
                parameters: *parameters as usize,
                returns: *returns as usize,
            },
            mir::OpKind::Intrinsic(intrinsic) => {
                if let (AvmOp::Substring, [Immediate::Int(start), Immediate::Int(end)]) =
                    (intrinsic.op, &intrinsic.immediates[..])
                    && start > end
                {
                    return Err(Failure::code("substring end is before start", op.loc));
                }
                OpKind::Intrinsic(intrinsic.clone())
            }
            mir::OpKind::Assert { error_message, explicit } => {
                OpKind::Assert { message: *error_message, explicit: *explicit }
            }
        };
        let stack = self.effect(op.consumes(), &op.produces);
        self.push(kind, op.loc, &[&stack]);
        Ok(())
    }

    fn store(&mut self, op: &mir::Op, local: mir::Local, store: mir::Store) -> Outcome<()> {
        let id = local.id;
        let effect = self.effect(op.consumes(), &op.produces);
        // PARITY: the name is given as text here, which defines its characters.
        let define = StackManipulation::Define(Names::text(id));
        match store {
            mir::Store::Abstract => {
                let message = "AbstractStore op encountered during TEAL generation";
                return Err(Failure::internal(message, op.loc));
            }
            mir::Store::F { depth, insert: true, .. } | mir::Store::X { depth } => {
                let insert = StackManipulation::Insert(depth, id);
                let kind = OpKind::cover(depth as usize)?;
                self.push(kind, op.loc, &[&effect, &[insert, define]]);
            }
            mir::Store::F { depth, frame_index, insert: false } => {
                let kind = if self.use_frame {
                    OpKind::frame_bury(i64::from(frame_index))?
                } else {
                    OpKind::bury(depth as usize)?
                };
                self.push(kind, op.loc, &[&effect, &[define]]);
            }
            mir::Store::Param { index } => {
                self.push(OpKind::frame_bury(i64::from(index))?, op.loc, &[&effect]);
            }
            mir::Store::L { mut depth, copy } => {
                let consume = StackManipulation::Consume(1);
                if copy {
                    // the value gets its new name, then its copy goes on top
                    let mut variable = self.sub.variables[local.var];
                    let copy = Names::list(variable.copy_name(self.session));
                    let copied = [StackManipulation::Extend(copy)];
                    self.push(OpKind::Dup, op.loc, &[&[consume], &effect, &copied]);
                    depth += 1;
                }
                let insert = StackManipulation::Insert(depth, id);
                let define = StackManipulation::Define(Names::list(id));
                self.push(OpKind::cover(depth as usize)?, op.loc, &[&[consume, insert, define]]);
            }
        }
        Ok(())
    }

    fn load(&mut self, op: &mir::Op, load: mir::Load) -> Outcome<()> {
        let mut taken_from = None;
        let mut take_from = |depth: u32| {
            taken_from = Some(StackManipulation::Pop(depth));
            OpKind::uncover(depth as usize)
        };
        let kind = match load {
            mir::Load::Abstract => {
                let message = "AbstractLoad op encountered during TEAL generation";
                return Err(Failure::internal(message, op.loc));
            }
            mir::Load::L { depth, copy } => {
                let depth = depth.expect("depths are known after allocation");
                if copy { OpKind::dig(depth as usize) } else { take_from(depth) }
            }
            mir::Load::X { depth, copy: true } => OpKind::dig(depth as usize),
            mir::Load::X { depth, copy: false } => take_from(depth),
            mir::Load::F { frame_index, .. } if self.use_frame => {
                OpKind::frame_dig(i64::from(frame_index))
            }
            mir::Load::F { depth, .. } => OpKind::dig(depth as usize),
            mir::Load::Param { index } => OpKind::frame_dig(i64::from(index)),
        }?;
        let effect = self.effect(op.consumes(), &op.produces);
        self.push(kind, op.loc, &[taken_from.as_slice(), &effect]);
        Ok(())
    }

    /// Builds the end of the block. Targets are pushed so that the one taken last is built next.
    fn terminator(
        &mut self,
        terminator: &mir::Terminator,
        pending: &mut Vec<mir::BlockId>,
    ) -> Outcome<()> {
        let loc = terminator.loc;
        let stack = self.effect(terminator.consumes(), &[]);
        let name = |id: mir::BlockId| self.sub.body[id].name;
        let names = |ids: &[mir::BlockId]| ids.iter().map(|id| name(*id)).collect();
        let (kind, other) = match &terminator.kind {
            mir::TerminatorKind::RetSub { returns, fx_height } => {
                let (returns, height) = (*returns as usize, *fx_height as usize);
                self.return_values(returns, height, loc)?;
                self.push(OpKind::RetSub { returns }, loc, &[]);
                return Ok(());
            }
            mir::TerminatorKind::ProgramExit => (OpKind::Return, None),
            mir::TerminatorKind::Err { error_message, explicit } => {
                (OpKind::Err { message: *error_message, explicit: *explicit }, None)
            }
            mir::TerminatorKind::Goto(target) => {
                pending.push(*target);
                (OpKind::Branch(name(*target)), None)
            }
            mir::TerminatorKind::ConditionalBranch { zero, nonzero } => {
                if self.next == Some(*nonzero) {
                    pending.push(*zero);
                    (OpKind::BranchZero(name(*zero)), Some(*nonzero))
                } else {
                    pending.push(*nonzero);
                    (OpKind::BranchNonZero(name(*nonzero)), Some(*zero))
                }
            }
            mir::TerminatorKind::Switch { targets, default } => {
                pending.extend(targets);
                (OpKind::Switch(names(targets)), Some(*default))
            }
            mir::TerminatorKind::Match { targets, default } => {
                pending.extend(targets);
                (OpKind::Match(names(targets)), Some(*default))
            }
        };
        let other = other.map(|target| (target, OpKind::Branch(name(target))));
        self.push(kind, loc, &[&stack]);
        if let Some((target, branch)) = other {
            pending.push(target);
            self.push(branch, loc, &[]);
        }
        Ok(())
    }

    /// Moves the values to return down to the base of the frame.
    fn return_values(&mut self, returns: usize, height: usize, loc: Loc) -> Outcome<()> {
        if returns < height {
            for index in (0..returns).rev() {
                self.push(OpKind::frame_bury(index as i64)?, loc, &[]);
            }
        } else {
            for _ in 0..height {
                self.push(OpKind::uncover(returns + height - 1)?, loc, &[]);
            }
        }
        Ok(())
    }
}

/// The number a name stands for in `int NAME`.
fn alias_value(name: &str) -> Option<u64> {
    let completion = OnCompletion::ALL.into_iter().find(|action| action.avm_name() == name);
    completion
        .map(|action| action as u64)
        .or_else(|| TransactionType::from_name(name).map(TransactionType::value))
}
