//! IR out of SSA in, stack code over abstract variables out. Spec 30 §5.
//!
//! Operands go on the stack from left to right, then the operation; results are stored from the top.

use std::rc::Rc;

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, PrimaryMap, SecondaryMap};
use crate::base::ordered::{LookupMap, LookupSet};
use crate::base::source::Loc;
use crate::base::text::with_decimal;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model as ir;
use crate::ir::op as ir_op;
use crate::ir::op::{Constant, SourceKind, Value};
use crate::ir::pool::{BytesId, CompiledField, SubId};
use crate::ir::types::IrType;

use super::model::*;

/// Highest number of a scratch slot.
const MAX_SLOT: u32 = crate::avm::fields::MAX_SCRATCH_SLOT_NUMBER as u32;
/// Label of the subroutine that finds a free scratch slot.
const NEW_SLOT_SUB: &str = "_puya_lib.mem.new_slot";

/// Lowers a program; no place of any variable is decided yet.
pub fn program(ctx: Ctx<'_, '_>, program: &ir::Program) -> Outcome<Program> {
    let labels = labels(ctx, program)?;
    let mut shared = Shared::default();
    let main = Builder::new(ctx, &labels, &mut shared, &program.main, true)?.subroutine()?;
    let mut subroutines = program
        .subroutines
        .iter()
        .map(|sub| Builder::new(ctx, &labels, &mut shared, sub, false)?.subroutine())
        .collect::<Outcome<Vec<_>>>()?;
    let slot_allocation = match program.slot_strategy {
        ir::SlotStrategy::None => None,
        ir::SlotStrategy::Dynamic => {
            let allocation = slot_allocation(ctx, program)?;
            subroutines.push(new_slot_subroutine(ctx, allocation.slot));
            Some(allocation)
        }
    };
    Ok(Program {
        kind: program.kind,
        main,
        subroutines,
        avm_version: program.avm_version,
        slot_allocation,
        autosalt: program.autosalt,
    })
}

/// The shortest free name of every subroutine.
fn labels(ctx: Ctx<'_, '_>, program: &ir::Program) -> Outcome<LookupMap<SubId, Symbol>> {
    let main = ctx.sym("main");
    let mut labels = LookupMap::new();
    let mut taken = LookupSet::new();
    taken.insert(main);
    labels.insert(program.main.id, main);
    for sub in &program.subroutines {
        let header = sub.header(ctx.pool);
        let is_short = !ctx.text(header.short_name).is_empty() && taken.insert(header.short_name);
        if !is_short && !taken.insert(header.id) {
            let message = format!("subroutine name is not unique: {}", ctx.text(header.id));
            return Err(Failure::internal(message, sub.loc));
        }
        labels.insert(sub.id, if is_short { header.short_name } else { header.id });
    }
    Ok(labels)
}

/// A byte string and the name it has on the stack.
type NamedBytes = (Rc<[u8]>, Symbol);

/// What the subroutines of a program share.
#[derive(Default)]
struct Shared {
    /// Byte strings as operations hold them, with the names they have on the stack.
    bytes: LookupMap<(BytesId, BytesEncoding), NamedBytes>,
    /// No variables.
    no_locals: Locals,
    /// The variables of the subroutine that is being lowered, by name and version of their registers.
    known: LookupMap<(Symbol, u32), VarId>,
    /// Memory for the operations of a block.
    ops: Vec<Op>,
    /// Memory for what a statement assigns.
    targets: Vec<Symbol>,
}

/// Lowers one subroutine.
struct Builder<'a, 's> {
    ctx: Ctx<'a, 's>,
    labels: &'a LookupMap<SubId, Symbol>,
    shared: &'a mut Shared,
    sub: &'a ir::Subroutine,
    is_main: bool,
    blocks: SecondaryMap<ir::BlockId, Option<BlockId>>,
    variables: Variables,
    /// The variables of registers seen so far.
    var_of: SecondaryMap<ir_op::RegisterId, Option<VarId>>,
    /// The parameters that variables are, and their places on the frame.
    parameters: SecondaryMap<VarId, Option<(ir_op::Register, i32)>>,
    /// The variables that slots became; no register has such a name.
    slots: LookupMap<Symbol, VarId>,
    op_count: u32,
    /// Operations of the block so far.
    ops: Vec<Op>,
    /// Location of the statement being lowered, which loads take.
    statement: Loc,
    /// What the statement being lowered assigns.
    targets: Vec<Symbol>,
}

impl<'a, 's> Builder<'a, 's> {
    fn new(
        ctx: Ctx<'a, 's>,
        labels: &'a LookupMap<SubId, Symbol>,
        shared: &'a mut Shared,
        sub: &'a ir::Subroutine,
        is_main: bool,
    ) -> Outcome<Self> {
        let count = i32::try_from(sub.parameters.len())
            .map_err(|_| Failure::internal("too many parameters", sub.loc))?;
        let mut blocks = SecondaryMap::with_len(sub.blocks.len());
        for (n, id) in sub.body.iter().enumerate() {
            blocks[*id] = Some(BlockId::new(n));
        }
        let mut builder = Self {
            ctx,
            labels,
            sub,
            is_main,
            blocks,
            variables: Variables::new(),
            var_of: SecondaryMap::with_len(sub.registers as usize),
            parameters: SecondaryMap::new(),
            slots: LookupMap::new(),
            op_count: 0,
            ops: std::mem::take(&mut shared.ops),
            statement: Loc::NONE,
            targets: std::mem::take(&mut shared.targets),
            shared,
        };
        builder.shared.known.clear();
        for (index, parameter) in (-count..).zip(&sub.parameters) {
            let var = builder.variable(*parameter);
            builder.parameters[var] = Some((*parameter, index));
        }
        Ok(builder)
    }

    fn subroutine(mut self) -> Outcome<Subroutine> {
        let (ctx, sub) = (self.ctx, self.sub);
        let label = self.label(sub.id)?;
        let mut body = PrimaryMap::new();
        body.reserve(sub.body.len());
        for block in &sub.body {
            body.push(self.block(label, *block)?);
        }
        self.shared.ops = std::mem::take(&mut self.ops);
        self.shared.targets = std::mem::take(&mut self.targets);
        let header = sub.header(ctx.pool);
        let parameters = sub.parameters.iter().map(|parameter| {
            let var = self.variable(*parameter);
            Ok(Parameter {
                name: parameter.name,
                local_id: self.variables[var].name,
                atype: self.avm_type(parameter.ty)?,
            })
        });
        let signature = Signature {
            name: header.id,
            parameters: parameters.collect::<Outcome<Vec<_>>>()?,
            returns: header
                .returns
                .iter()
                .map(|ty| self.avm_type(*ty))
                .collect::<Outcome<Vec<_>>>()?,
        };
        let mut subroutine = Subroutine {
            id: label,
            is_main: self.is_main,
            signature,
            body,
            pre_alloc: PreAllocation::default(),
            loc: sub.loc,
            op_count: self.op_count,
            variables: self.variables,
            types: None,
            lifetimes: None,
        };
        subroutine.sort_variables(ctx.session);
        Ok(subroutine)
    }

    fn block(&mut self, label: Symbol, id: ir::BlockId) -> Outcome<Block> {
        let block = &self.sub.blocks[id];
        if !block.phis.is_empty() {
            return self.unexpected("Phi", Loc::NONE);
        }
        for op in &block.ops {
            self.op(&self.sub.ops[*op])?;
        }
        let terminator = self.terminator(block.terminator())?;
        let number = self.sub.number(id);
        let comment = block.comment.map_or("", |comment| self.ctx.text(comment));
        let comment = if comment.is_empty() { "block" } else { comment };
        let joined: String;
        let comment = if comment.contains(' ') {
            joined = comment.replace(' ', "_");
            &joined
        } else {
            comment
        };
        let session = self.ctx.session;
        let name = with_decimal(u64::from(number), |number| {
            session.sym_joined(&[session.text(label), "_", comment, "@", number])
        });
        Ok(Block {
            number,
            name,
            // exactly as large as it has to be
            ops: self.ops.drain(..).collect(),
            terminator,
            predecessors: block
                .predecessors
                .iter()
                .map(|block| self.target(*block))
                .collect::<Outcome<Vec<_>>>()?,
            loc: block.loc,
            x_stack_in: Rc::clone(&self.shared.no_locals),
            x_stack_out: Rc::clone(&self.shared.no_locals),
            f_stack_in: Rc::clone(&self.shared.no_locals),
            f_stack_out: Rc::clone(&self.shared.no_locals),
        })
    }

    fn op(&mut self, op: &ir_op::Op) -> Outcome<()> {
        self.statement = op.loc;
        self.targets.clear();
        match &op.kind {
            ir_op::OpKind::Assign { targets, source } => {
                for target in targets {
                    let var = self.variable(*target);
                    self.targets.push(self.variables[var].name);
                }
                self.source(source)?;
                for target in targets.iter().rev() {
                    self.store(*target, op.loc)?;
                }
            }
            ir_op::OpKind::Assert { condition, message, explicit } => {
                self.value(*condition)?;
                let kind = OpKind::Assert { error_message: *message, explicit: *explicit };
                self.push(kind, Names::None, op.loc);
            }
            ir_op::OpKind::WriteSlot { slot, value } => self.write_slot(*slot, *value, op.loc)?,
            ir_op::OpKind::BoxWrite { .. } => return self.unexpected("BoxWrite", op.loc),
            ir_op::OpKind::Intrinsic(intrinsic) => {
                self.intrinsic(intrinsic, op.loc)?;
                self.drop_results(intrinsic.types.len());
            }
            ir_op::OpKind::Invoke(invoke) => {
                self.invoke(invoke, op.loc)?;
                self.drop_results(self.ctx.pool.header(invoke.target).returns.len());
            }
        }
        Ok(())
    }

    fn terminator(&mut self, terminator: &ir_op::Terminator) -> Outcome<Terminator> {
        self.statement = terminator.loc;
        self.targets.clear();
        let kind = match &terminator.kind {
            ir_op::TerminatorKind::Goto(target) => TerminatorKind::Goto(self.target(*target)?),
            ir_op::TerminatorKind::Branch { condition, non_zero, zero } => {
                self.value(*condition)?;
                TerminatorKind::ConditionalBranch {
                    zero: self.target(*zero)?,
                    nonzero: self.target(*non_zero)?,
                }
            }
            ir_op::TerminatorKind::GotoNth { value, blocks, default } => {
                self.value(*value)?;
                let targets = blocks.iter().map(|block| self.target(*block));
                let targets = targets.collect::<Outcome<Vec<_>>>()?;
                TerminatorKind::Switch { targets, default: self.target(*default)? }
            }
            ir_op::TerminatorKind::Switch { value, cases, default } => {
                let mut targets = Vec::with_capacity(cases.len());
                for (case, block) in cases {
                    self.value(*case)?;
                    targets.push(self.target(*block)?);
                }
                self.value(*value)?;
                TerminatorKind::Match { targets, default: self.target(*default)? }
            }
            ir_op::TerminatorKind::Return(results) => {
                for result in results {
                    self.value(*result)?;
                }
                if !self.is_main {
                    let returns = count(results.len());
                    TerminatorKind::RetSub { returns, fx_height: 0 }
                } else if results.len() == 1 {
                    TerminatorKind::ProgramExit
                } else {
                    let message = "main subroutine must return exactly one value";
                    return Err(Failure::internal(message, terminator.loc));
                }
            }
            ir_op::TerminatorKind::Exit(result) => {
                self.value(*result)?;
                TerminatorKind::ProgramExit
            }
            ir_op::TerminatorKind::Fail { message, explicit } => {
                TerminatorKind::Err { error_message: *message, explicit: *explicit }
            }
        };
        Ok(Terminator { id: next_op_id(&mut self.op_count), kind, loc: terminator.loc })
    }

    fn source(&mut self, source: &ir_op::Source) -> Outcome<()> {
        let loc = source.loc;
        let unexpected = match &source.kind {
            SourceKind::Value(value) => return self.value(*value),
            SourceKind::Intrinsic(intrinsic) => return self.intrinsic(intrinsic, loc),
            SourceKind::Invoke(invoke) => return self.invoke(invoke, loc),
            SourceKind::NewSlot(_) => {
                let target = self.ctx.sym(NEW_SLOT_SUB);
                let produces = self.results(NEW_SLOT_SUB, 1);
                self.push(OpKind::CallSub { target, parameters: 0, returns: 1 }, produces, loc);
                return Ok(());
            }
            SourceKind::ReadSlot(slot) => return self.read_slot(*slot, loc),
            SourceKind::ValueTuple { .. } => "ValueTuple",
            SourceKind::InnerTransactionField { .. } => "InnerTransactionField",
            SourceKind::ArrayLength { .. } => "ArrayLength",
            SourceKind::ArrayPop { .. } => "ArrayPop",
            SourceKind::ArrayConcat { .. } => "ArrayConcat",
            SourceKind::ExtractValue { .. } => "ExtractValue",
            SourceKind::ReplaceValue { .. } => "ReplaceValue",
            SourceKind::BoxRead { .. } => "BoxRead",
            SourceKind::BytesEncode { .. } => "BytesEncode",
            SourceKind::DecodeBytes { .. } => "DecodeBytes",
        };
        self.unexpected(unexpected, loc)
    }

    fn value(&mut self, value: Value) -> Outcome<()> {
        let session = self.ctx.session;
        let (kind, produces) = match value {
            Value::Register(register) => return self.load(register),
            Value::Undefined(ty, _) => {
                (OpKind::Undefined(self.avm_type(ty)?), session.sym("undefined"))
            }
            Value::TemplateVar { name, ty, loc } => {
                let atype = self.avm_type(ty)?;
                if atype == AvmType::Any {
                    let message = "Unsupported atype for TemplateVar: AVMType.any";
                    return Err(Failure::internal(message, loc));
                }
                (OpKind::TemplateVar { name, atype }, name)
            }
            Value::Compiled(id, loc) => {
                return match self.ctx.pool.compiled_ref(id).field {
                    CompiledField::Contract { .. } => {
                        self.unexpected("CompiledContractReference", loc)
                    }
                    CompiledField::LogicSigAddress => {
                        self.unexpected("CompiledLogicSigReference", loc)
                    }
                };
            }
            Value::Constant(constant, loc) => match constant {
                Constant::UInt64 { value, alias, .. } => {
                    // PARITY: an empty alias counts as none
                    match alias.filter(|alias| !session.text(*alias).is_empty()) {
                        Some(alias) => (OpKind::Int(IntValue::Alias(alias)), alias),
                        None => {
                            let name = with_decimal(value, |text| session.sym(text));
                            (OpKind::Int(IntValue::Number(value)), name)
                        }
                    }
                }
                Constant::BigUInt(data) => self.byte(data, BytesEncoding::Base16),
                Constant::Bytes { data, encoding, .. } => self.byte(data, encoding),
                Constant::Address { text, .. } => {
                    let name = format!("Address({})", session.text(text));
                    (OpKind::Address(text), session.sym(&name))
                }
                Constant::Method(signature) => {
                    let name = format!("Method({})", session.text(signature));
                    (OpKind::Method(signature), session.sym(&name))
                }
                Constant::Itxn { .. } => return self.unexpected("ITxnConstant", loc),
                Constant::Slot { .. } => return self.unexpected("SlotConstant", loc),
            },
        };
        self.push(kind, Names::One(produces), value.loc());
        Ok(())
    }

    fn byte(&mut self, data: BytesId, encoding: BytesEncoding) -> (OpKind, Symbol) {
        let ctx = self.ctx;
        let (value, name) = self.shared.bytes.get_or_insert_with((data, encoding), || {
            let bytes = ctx.pool.bytes(data);
            (bytes.into(), ctx.sym(&encoding.text(bytes)))
        });
        (OpKind::Byte { value: Rc::clone(value), encoding }, *name)
    }

    fn load(&mut self, register: ir_op::Register) -> Outcome<()> {
        let local = self.local(register)?;
        let (load, name) = match self.parameters[local.var] {
            Some((parameter, index)) if parameter == register => {
                (Load::Param { index }, self.variables[local.var].copy_name(self.ctx.session))
            }
            _ => (Load::Abstract, local.id),
        };
        let produces = Names::One(name);
        let loc = self.statement;
        self.push_access(OpKind::Load(local, load), produces, loc)
    }

    fn store(&mut self, register: ir_op::Register, loc: Loc) -> Outcome<()> {
        let local = self.local(register)?;
        let store = match self.parameters[local.var] {
            Some((parameter, index)) if parameter == register => Store::Param { index },
            _ => Store::Abstract,
        };
        self.push_access(OpKind::Store(local, store), Names::None, loc)
    }

    /// The variable a slot became whose number is known, when it is local to the subroutine.
    fn slot_local(&mut self, slot: Value) -> Outcome<Option<Local>> {
        let Value::Constant(Constant::Slot { value, ty }, _) = slot else { return Ok(None) };
        let contents = match ty {
            IrType::Slot(encoding) => IrType::Encoded(encoding),
            other => other,
        };
        let id = self.ctx.sym(&format!("slot%{value}"));
        let variables = &mut self.variables;
        let var = *self.slots.get_or_insert_with(id, || variables.push(Variable::new(id)));
        Ok(Some(Local { id, var, atype: self.avm_type(contents)? }))
    }

    fn read_slot(&mut self, slot: Value, loc: Loc) -> Outcome<()> {
        if let Some(local) = self.slot_local(slot)? {
            let kind = OpKind::Load(local, Load::Abstract);
            return self.push_access(kind, Names::One(local.id), Loc::NONE);
        }
        let (op, immediates) = match slot.uint64_constant() {
            Some(number) => (AvmOp::Load, vec![slot_number(number, loc)?]),
            None => {
                self.value(slot)?;
                (AvmOp::Loads, Vec::new())
            }
        };
        let produces = self.results(op.code(), 1);
        let consumes = usize::from(op == AvmOp::Loads);
        self.push_intrinsic(op, immediates, consumes, None, produces, loc);
        Ok(())
    }

    fn write_slot(&mut self, slot: Value, value: Value, loc: Loc) -> Outcome<()> {
        if let Some(local) = self.slot_local(slot)? {
            self.value(value)?;
            return self.push_access(OpKind::Store(local, Store::Abstract), Names::None, Loc::NONE);
        }
        let (op, immediates, consumes) = match slot.uint64_constant() {
            Some(number) => (AvmOp::Store, vec![slot_number(number, loc)?], 1),
            None => {
                self.value(slot)?;
                (AvmOp::Stores, Vec::new(), 2)
            }
        };
        self.value(value)?;
        self.push_intrinsic(op, immediates, consumes, None, Names::None, loc);
        Ok(())
    }

    fn intrinsic(&mut self, intrinsic: &ir_op::Intrinsic, loc: Loc) -> Outcome<()> {
        for arg in &intrinsic.args {
            self.value(*arg)?;
        }
        let variant = intrinsic.op.variant(&intrinsic.immediates);
        let variant =
            variant.map_err(|unknown| Failure::internal(unknown.to_string(), Loc::NONE))?;
        let produces = self.results(intrinsic.op.code(), variant.returns.len());
        let (op, immediates) = (intrinsic.op, intrinsic.immediates.to_vec());
        let (consumes, message) = (variant.args.len(), intrinsic.error_message);
        self.push_intrinsic(op, immediates, consumes, message, produces, loc);
        Ok(())
    }

    fn invoke(&mut self, invoke: &ir_op::Invoke, loc: Loc) -> Outcome<()> {
        let target = self.label(invoke.target)?;
        let returns = self.ctx.pool.header(invoke.target).returns.len();
        for arg in &invoke.args {
            self.value(*arg)?;
        }
        let produces = self.results(self.ctx.text(target), returns);
        let (parameters, returns) = (count(invoke.args.len()), count(returns));
        self.push(OpKind::CallSub { target, parameters, returns }, produces, loc);
        Ok(())
    }

    /// Names of what the statement's source computes: the variables assigned, where there are any.
    fn results(&self, description: &str, size: usize) -> Names {
        if self.targets.is_empty() {
            Names::described(self.ctx.session, description, size)
        } else {
            self.targets.as_slice().into()
        }
    }
    fn drop_results(&mut self, size: usize) {
        if size > 0 {
            self.push(OpKind::Pop(count(size)), Names::None, Loc::NONE);
        }
    }
    fn push(&mut self, kind: OpKind, produces: Names, loc: Loc) {
        let id = next_op_id(&mut self.op_count);
        self.ops.push(Op { id, kind, produces, loc });
    }
    fn push_intrinsic(
        &mut self,
        op: AvmOp,
        immediates: Vec<Immediate>,
        consumes: usize,
        error_message: Option<Symbol>,
        names: Names,
        loc: Loc,
    ) {
        let produces = names.len();
        let intrinsic =
            Intrinsic { op, immediates, error_message, consumes, produces, is_short_arg: false };
        self.push(OpKind::Intrinsic(Rc::new(intrinsic)), names, loc);
    }
    /// Adds a store or load, whose variable must be a number or a byte string.
    fn push_access(&mut self, kind: OpKind, produces: Names, loc: Loc) -> Outcome<()> {
        let id = next_op_id(&mut self.op_count);
        let op = Op { id, kind, produces, loc };
        super::check_access(self.ctx.session, &op)?;
        self.ops.push(op);
        Ok(())
    }
    /// The variable of a register.
    fn variable(&mut self, register: ir_op::Register) -> VarId {
        if let Some(var) = self.var_of[register.id] {
            return var;
        }
        // registers that differ in their types only are one variable
        let (ctx, variables) = (self.ctx, &mut self.variables);
        let key = (register.name, register.version);
        let var = *self.shared.known.get_or_insert_with(key, || {
            let (name, version) = (ctx.text(register.name), u64::from(register.version));
            let join = |version: &str| ctx.session.sym_joined(&[name, "#", version]);
            variables.push(Variable::new(with_decimal(version, join)))
        });
        self.var_of[register.id] = Some(var);
        var
    }
    fn local(&mut self, register: ir_op::Register) -> Outcome<Local> {
        let var = self.variable(register);
        Ok(Local { id: self.variables[var].name, var, atype: self.avm_type(register.ty)? })
    }
    fn avm_type(&self, ty: IrType) -> Outcome<AvmType> {
        ty.maybe_avm_type(self.ctx.pool).ok_or_else(|| {
            let name = ty.name(self.ctx.pool);
            Failure::internal(format!("{name} cannot be mapped to AVM stack type"), Loc::NONE)
        })
    }
    fn target(&self, block: ir::BlockId) -> Outcome<BlockId> {
        let found = self.blocks[block];
        found.ok_or_else(|| Failure::internal("block is not part of the body", self.sub.loc))
    }
    fn label(&self, sub: SubId) -> Outcome<Symbol> {
        let found = self.labels.get(&sub).copied();
        found.ok_or_else(|| {
            let name = self.ctx.text(self.ctx.pool.header(sub).id);
            Failure::internal(
                format!("subroutine is not part of the program: {name}"),
                self.sub.loc,
            )
        })
    }
    fn unexpected<T>(&self, class: &str, loc: Loc) -> Outcome<T> {
        let message = format!(
            "Encountered node of type '{class}' during codegen - should have been eliminated in \
             prior stages"
        );
        Err(Failure::internal(message, loc))
    }
}

fn count(size: usize) -> u32 {
    u32::try_from(size).expect("operands are far fewer than 2^32")
}

fn slot_number(number: u64, loc: Loc) -> Outcome<Immediate> {
    let number = i64::try_from(number);
    number.map(Immediate::Int).map_err(|_| Failure::internal("invalid scratch slot", loc))
}

/// Chooses the slot that keeps the map of free slots, and the map. Spec 30 §13.
fn slot_allocation(ctx: Ctx<'_, '_>, program: &ir::Program) -> Outcome<SlotAllocation> {
    let mut available: Vec<u32> =
        (0..=MAX_SLOT).filter(|slot| !program.reserved_slots.contains(slot)).collect();
    let slot = if available.len() <= 1 {
        let message =
            "not enough available slots for dynamic slot usage, consider reserving less slots";
        ctx.sink().error(message, program.loc);
        0
    } else {
        available.remove(0)
    };
    let mut map = [0u8; 32];
    for slot in available {
        // a set bit n means that slot n + 1 is free; slot 0 has no bit
        let Some(bit) = slot.checked_sub(1) else {
            return Err(Failure::internal("negative shift count", Loc::NONE));
        };
        map[31 - bit as usize / 8] |= 1 << (bit % 8);
    }
    let slot = u8::try_from(slot).expect("a scratch slot is below 256");
    Ok(SlotAllocation { slot, map })
}

/// The subroutine that takes the first free slot off the map. The map's highest bit is bit 0 for
/// `setbit` but 256 for `bitlen`, hence the subtraction.
fn new_slot_subroutine(ctx: Ctx<'_, '_>, slot: u8) -> Subroutine {
    let session = ctx.session;
    let mut op_count = 0;
    let mut ops = Vec::new();
    let mut push = |kind: OpKind, produces: Names| {
        ops.push(Op { id: next_op_id(&mut op_count), kind, produces, loc: Loc::NONE });
    };
    let intrinsic = |op: AvmOp, slot: Option<u8>, error_message: Option<&str>| {
        let variant = op.variant(&[]).expect("an op with one signature");
        OpKind::Intrinsic(Rc::new(Intrinsic {
            op,
            immediates: slot.iter().map(|slot| Immediate::Int(i64::from(*slot))).collect(),
            error_message: error_message.map(|message| session.sym(message)),
            consumes: variant.args.len(),
            produces: variant.returns.len(),
            is_short_arg: false,
        }))
    };
    let named = |name: &str| Names::One(session.sym(name));
    let mut variables = Variables::new();
    let free = session.sym("free_slot#0");
    let var = variables.push(Variable::new(free));
    let free = Local { id: free, var, atype: AvmType::UInt64 };
    let slot = Some(slot);
    push(intrinsic(AvmOp::Load, slot, None), named("slot_allocations"));
    push(intrinsic(AvmOp::Bitlen, None, None), Names::described(session, "bitlen", 1));
    push(OpKind::Store(free, Store::Abstract), Names::None);
    push(intrinsic(AvmOp::Load, slot, None), named("slot_allocations"));
    push(OpKind::Int(IntValue::Number(256)), named("256"));
    push(OpKind::Load(free, Load::Abstract), Names::One(free.id));
    push(intrinsic(AvmOp::Sub, None, None), named("free_slot_idx"));
    push(OpKind::Int(IntValue::Number(0)), named("0"));
    push(intrinsic(AvmOp::Setbit, None, Some("no available slots")), named("new_slot_allocations"));
    push(intrinsic(AvmOp::Store, slot, None), Names::None);
    push(OpKind::Load(free, Load::Abstract), Names::One(free.id));
    let name = session.sym(NEW_SLOT_SUB);
    let mut body = PrimaryMap::new();
    body.push(Block {
        number: 0,
        name: session.sym(&format!("{NEW_SLOT_SUB}@entry")),
        ops,
        terminator: Terminator {
            id: next_op_id(&mut op_count),
            kind: TerminatorKind::RetSub { returns: 1, fx_height: 0 },
            loc: Loc::NONE,
        },
        predecessors: Vec::new(),
        loc: Loc::NONE,
        x_stack_in: Rc::default(),
        x_stack_out: Rc::default(),
        f_stack_in: Rc::default(),
        f_stack_out: Rc::default(),
    });
    let signature = Signature { name, parameters: Vec::new(), returns: vec![AvmType::UInt64] };
    Subroutine {
        id: name,
        is_main: false,
        signature,
        body,
        pre_alloc: PreAllocation::default(),
        loc: Loc::NONE,
        op_count,
        variables,
        types: None,
        lifetimes: None,
    }
}
