//! Values, the sources of assignments, and operations. Spec 20 §6 to §10.
//!
//! A [`Value`] is structurally equal to another when class and listed fields agree; locations never
//! count. Operations have no equality of their own: their identity is their [`super::model::OpId`].

use std::hash::{Hash, Hasher};

use crate::avm::fields::TxnField;
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet};
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::define_id;
use crate::diagnostics::{Failure, Outcome};

use super::model::BlockId;
use super::pool::{BytesId, CompiledRefId, Pool, SubId};
use super::targets::Targets;
use super::types::{EncodingId, IrType, Shape, TupleTypeId};

/// How a register came to be. A parameter is never equal to a plain register (spec 20 §6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RegisterRole {
    /// Assigned in the body.
    Local,
    /// A parameter of the subroutine.
    Parameter,
    /// A parameter whose final value is returned to the caller besides the results.
    ParameterWithReturn,
}

define_id!(
    /// A register of a subroutine, so that tables find it.
    pub struct RegisterId, "v"
);

/// One version of a variable. Equality ignores the location.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Where tables of its subroutine have it. Equal registers of a subroutine have one id, and different
    /// ones have different ids.
    pub id: RegisterId,
    /// Name of the variable.
    pub name: Symbol,
    /// Which assignment to it, from 0.
    pub version: u32,
    /// Type; part of the register's identity.
    pub ty: IrType,
    /// Parameter or not; part of the register's identity.
    pub role: RegisterRole,
    /// Where it is mentioned.
    pub loc: Loc,
}

impl Register {
    /// A plain register.
    pub fn local(id: RegisterId, name: Symbol, version: u32, ty: IrType, loc: Loc) -> Self {
        Self { id, name, version, ty, role: RegisterRole::Local, loc }
    }
    /// The same register mentioned elsewhere.
    pub fn at(self, loc: Loc) -> Self {
        Self { loc, ..self }
    }
    /// Whether this is a parameter.
    pub fn is_parameter(self) -> bool {
        self.role != RegisterRole::Local
    }
}

impl PartialEq for Register {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
            && self.name == other.name
            && self.ty == other.ty
            && self.role == other.role
    }
}
impl Eq for Register {}
impl Hash for Register {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Name and version nearly always decide; one number costs one step.
        state.write_u64((self.name.index() as u64) << 32 | u64::from(self.version));
    }
}

/// How the source wrote a byte string; decides how TEAL prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BytesEncoding {
    Unknown,
    Base16,
    Base32,
    Base64,
    Utf8,
}

impl BytesEncoding {
    /// A byte string as dumps and TEAL print it.
    pub fn text(self, bytes: &[u8]) -> String {
        let mut out = String::new();
        self.push_text(&mut out, bytes);
        out
    }
    /// Appends the same.
    pub fn push_text(self, out: &mut String, bytes: &[u8]) {
        match self {
            BytesEncoding::Utf8 => crate::base::text::push_quoted_bytes(out, bytes),
            BytesEncoding::Base32 => out.push_str(&crate::base::encode::base32(bytes)),
            BytesEncoding::Base64 => crate::base::encode::push_base64(out, bytes),
            BytesEncoding::Base16 | BytesEncoding::Unknown => {
                out.push_str("0x");
                crate::base::encode::push_hex(out, bytes);
            }
        }
    }
}

/// A value known at compile time ("Constant" in spec 20 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Constant {
    /// An integer of 64 bits or a bool.
    UInt64 {
        /// The number.
        value: u64,
        /// `uint64`, `bool` or another type that is uint64 to the AVM.
        ty: IrType,
        /// A name TEAL has for the number.
        alias: Option<Symbol>,
    },
    /// A wide integer, as its shortest big-endian bytes (0 is the empty string).
    BigUInt(BytesId),
    /// A byte string.
    Bytes {
        /// Its content.
        data: BytesId,
        /// How to print it.
        encoding: BytesEncoding,
        /// A type that is bytes to the AVM.
        ty: IrType,
    },
    /// An address in its 58-character form.
    Address {
        /// The text.
        text: Symbol,
        /// Normally `account`.
        ty: IrType,
    },
    /// A method selector by its signature.
    Method(Symbol),
    /// An inner transaction by number.
    Itxn {
        /// The number.
        value: u64,
        /// `itxn_group_idx` or `itxn_field_set`.
        ty: IrType,
    },
    /// A slot that became a local of its subroutine.
    Slot {
        /// Its number in the subroutine.
        value: u64,
        /// A slot type.
        ty: IrType,
    },
}

impl Constant {
    /// The constant's type.
    pub fn ty(self) -> IrType {
        match self {
            Constant::UInt64 { ty, .. }
            | Constant::Bytes { ty, .. }
            | Constant::Address { ty, .. }
            | Constant::Itxn { ty, .. }
            | Constant::Slot { ty, .. } => ty,
            Constant::BigUInt(_) => IrType::BigUInt,
            Constant::Method(_) => IrType::SizedBytes(4),
        }
    }
}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Types make no difference: equal numbers of several types are rare.
        let (class, content) = match *self {
            Constant::UInt64 { value, .. } => (0, value),
            Constant::BigUInt(data) => (1, data.index() as u64),
            Constant::Bytes { data, .. } => (2, data.index() as u64),
            Constant::Address { text, .. } => (3, text.index() as u64),
            Constant::Method(signature) => (4, signature.index() as u64),
            Constant::Itxn { value, .. } => (5, value),
            Constant::Slot { value, .. } => (6, value),
        };
        state.write_u64(content ^ class << 60);
    }
}

/// Something an operation can take as operand. Equality ignores locations.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A version of a variable.
    Register(Register),
    /// A compile-time constant.
    Constant(Constant, Loc),
    /// No value: reading it is a mistake the verifier of the source language has reported.
    Undefined(IrType, Loc),
    /// A value given when the program is deployed.
    TemplateVar {
        /// Full name, prefix included.
        name: Symbol,
        /// Its type.
        ty: IrType,
        /// Where it is mentioned.
        loc: Loc,
    },
    /// A fact about another compiled artifact.
    Compiled(CompiledRefId, Loc),
}

impl Value {
    /// An integer constant of type `uint64`.
    pub fn uint64(value: u64, loc: Loc) -> Self {
        Value::Constant(Constant::UInt64 { value, ty: IrType::UInt64, alias: None }, loc)
    }
    /// A constant of type `bool`.
    pub fn bool(value: bool, loc: Loc) -> Self {
        let value = u64::from(value);
        Value::Constant(Constant::UInt64 { value, ty: IrType::Bool, alias: None }, loc)
    }
    /// A byte string constant typed by its length.
    pub fn bytes(pool: &Pool<'_>, data: &[u8], encoding: BytesEncoding, loc: Loc) -> Self {
        let length = u32::try_from(data.len()).expect("byte constants are far shorter than 4 GiB");
        let ty = IrType::SizedBytes(length);
        Value::Constant(Constant::Bytes { data: pool.bytes_id(data), encoding, ty }, loc)
    }
    /// The value's type.
    pub fn ty(self, pool: &Pool<'_>) -> IrType {
        match self {
            Value::Register(register) => register.ty,
            Value::Constant(constant, _) => constant.ty(),
            Value::Undefined(ty, _) | Value::TemplateVar { ty, .. } => ty,
            Value::Compiled(id, _) => pool.compiled_ref(id).ty,
        }
    }
    /// Where the value is mentioned.
    pub fn loc(self) -> Loc {
        match self {
            Value::Register(register) => register.loc,
            Value::Constant(_, loc)
            | Value::Undefined(_, loc)
            | Value::TemplateVar { loc, .. }
            | Value::Compiled(_, loc) => loc,
        }
    }
    /// The same value mentioned elsewhere.
    pub fn at(self, loc: Loc) -> Self {
        match self {
            Value::Register(register) => Value::Register(register.at(loc)),
            Value::Constant(constant, _) => Value::Constant(constant, loc),
            Value::Undefined(ty, _) => Value::Undefined(ty, loc),
            Value::TemplateVar { name, ty, .. } => Value::TemplateVar { name, ty, loc },
            Value::Compiled(id, _) => Value::Compiled(id, loc),
        }
    }
    /// The register, when the value is one.
    pub fn register(self) -> Option<Register> {
        match self {
            Value::Register(register) => Some(register),
            _ => None,
        }
    }
    /// The constant, when the value is one.
    pub fn constant(self) -> Option<Constant> {
        match self {
            Value::Constant(constant, _) => Some(constant),
            _ => None,
        }
    }
    /// The number, when the value is an integer constant of 64 bits (a bool included).
    pub fn uint64_constant(self) -> Option<u64> {
        match self {
            Value::Constant(Constant::UInt64 { value, .. }, _) => Some(value),
            _ => None,
        }
    }
    /// Visits the value itself and then, for a reference to a compiled artifact, the values of its
    /// template variables.
    #[inline]
    pub fn visit(&self, pool: &Pool<'_>, visit: &mut impl FnMut(&Value)) {
        visit(self);
        if let Value::Compiled(id, _) = *self {
            visit_template_variables(id, pool, visit);
        }
    }
    /// Replaces the value by what `map` makes of it. For a reference to a compiled artifact the
    /// values of its template variables are mapped first.
    #[inline]
    pub fn map(&mut self, pool: &Pool<'_>, map: &mut impl FnMut(Value) -> Value) {
        if let Value::Compiled(id, loc) = *self {
            *self = Value::Compiled(map_template_variables(id, pool, map), loc);
        }
        *self = map(*self);
    }
}

/// Apart from [`Value::visit`], so that this can be inlined for all other values.
#[cold]
fn visit_template_variables(id: CompiledRefId, pool: &Pool<'_>, visit: &mut impl FnMut(&Value)) {
    for (_, value) in pool.compiled_ref(id).template_variables {
        value.visit(pool, visit);
    }
}

/// Apart from [`Value::map`], so that this can be inlined for all other values.
#[cold]
fn map_template_variables(
    id: CompiledRefId,
    pool: &Pool<'_>,
    map: &mut impl FnMut(Value) -> Value,
) -> CompiledRefId {
    let old = pool.compiled_ref(id);
    if old.template_variables.is_empty() {
        return id;
    }
    let mut variables = old.template_variables.to_vec();
    variables.iter_mut().for_each(|(_, value)| value.map(pool, map));
    pool.compiled_ref_id(old.ty, old.artifact, old.field, &variables)
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Register(a), Value::Register(b)) => a == b,
            (Value::Constant(a, _), Value::Constant(b, _)) => a == b,
            (Value::Undefined(a, _), Value::Undefined(b, _)) => a == b,
            (
                Value::TemplateVar { name: a, ty: t, .. },
                Value::TemplateVar { name: b, ty: u, .. },
            ) => a == b && t == u,
            (Value::Compiled(a, _), Value::Compiled(b, _)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Value {}
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // No discriminant: what kinds of values have in common leaves their hashes apart enough.
        match self {
            Value::Register(register) => register.hash(state),
            Value::Constant(constant, _) => constant.hash(state),
            Value::Undefined(ty, _) => ty.hash(state),
            Value::TemplateVar { name, ty, .. } => (name, ty).hash(state),
            Value::Compiled(id, _) => id.hash(state),
        }
    }
}

impl From<Register> for Value {
    fn from(register: Register) -> Self {
        Value::Register(register)
    }
}

/// One step into an aggregate: a tuple element or constant array index, or a computed array index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Index {
    /// Known in the source.
    Fixed(u64),
    /// Computed.
    Value(Value),
}

/// An AVM instruction with its operands.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    /// Which instruction.
    pub op: AvmOp,
    /// Its immediates.
    pub immediates: Vec<Immediate>,
    /// Its stack operands, deepest first.
    pub args: Vec<Value>,
    /// Types of its results.
    pub types: Few<IrType>,
    /// What to tell when it fails at run time.
    pub error_message: Option<Symbol>,
}

impl Intrinsic {
    /// An instruction whose result types are those of its signature, without a message. Fails for an
    /// immediate the instruction does not know.
    pub fn with_signature_types(
        op: AvmOp,
        immediates: Vec<Immediate>,
        args: Vec<Value>,
        loc: Loc,
    ) -> Outcome<Self> {
        let variant = op
            .variant(&immediates)
            .map_err(|unknown| Failure::internal(unknown.to_string(), loc))?;
        let types = variant.returns.iter().map(|ty| IrType::from(*ty)).collect();
        Ok(Self { op, immediates, args, types, error_message: None })
    }
}

/// A call of a subroutine of the same program.
#[derive(Clone, Debug)]
pub struct Invoke {
    /// The callee.
    pub target: SubId,
    /// Arguments in parameter order.
    pub args: Vec<Value>,
}

/// What an assignment assigns ("value provider" in spec 20 §7).
#[derive(Clone, Debug)]
pub struct Source {
    /// What computes the values.
    pub kind: SourceKind,
    /// Where; for a plain value the value's own location.
    pub loc: Loc,
}

/// What computes the values of an assignment.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A copy.
    Value(Value),
    /// Several copies at once.
    ValueTuple {
        /// The values.
        values: Vec<Value>,
        /// How they belong together; flattens to one type per value.
        ty: TupleTypeId,
    },
    /// A field of a submitted inner transaction.
    InnerTransactionField {
        /// Which field.
        field: TxnField,
        /// Which transaction of the group.
        group_index: Value,
        /// Whether it is the last of its group.
        is_last_in_group: Value,
        /// Which element, for an array field. Rare; in a box, to keep operations small.
        array_index: Option<Box<Value>>,
        /// Type of the result.
        ty: IrType,
    },
    /// Number of elements.
    ArrayLength {
        /// The array, or the slot it lies in.
        base: Value,
        /// Type of the base.
        base_ty: IrType,
        /// Encoding of the array.
        array_encoding: EncodingId,
    },
    /// An array without its last element.
    ArrayPop {
        /// The array.
        base: Value,
        /// Encoded array type.
        base_ty: IrType,
    },
    /// An array with elements appended.
    ArrayConcat {
        /// The array.
        base: Value,
        /// Encoded array type.
        base_ty: IrType,
        /// The encoded elements, without a length header; in a box, to keep operations small.
        items: Box<Value>,
        /// Encoding of one element in `items`.
        item_encoding: EncodingId,
        /// How many elements.
        num_items: Value,
    },
    /// An element of an aggregate.
    ExtractValue {
        /// The aggregate.
        base: Value,
        /// Encoded type of the aggregate.
        base_ty: IrType,
        /// The way to the element, at least one step.
        indexes: Vec<Index>,
        /// Whether array indexes may be out of bounds.
        check_bounds: bool,
        /// Type of the result.
        ty: IrType,
    },
    /// An aggregate with an element replaced.
    ReplaceValue {
        /// The aggregate.
        base: Value,
        /// Encoded type of the aggregate.
        base_ty: IrType,
        /// The way to the element, at least one step.
        indexes: Vec<Index>,
        /// The encoded new element; in a box, to keep operations small.
        value: Box<Value>,
    },
    /// The content of a box that must exist.
    BoxRead {
        /// Name of the box.
        key: Value,
        /// Type of the content.
        value_ty: IrType,
        /// What to tell when it does not exist.
        exists_assertion_message: Option<Symbol>,
    },
    /// Values in their encoded form.
    BytesEncode {
        /// The encoding.
        encoding: EncodingId,
        /// The values.
        values: Vec<Value>,
        /// Their types.
        values_ty: Shape,
        /// Replaces the message for a combination that cannot be encoded.
        error_message_override: Option<Symbol>,
    },
    /// Values from their encoded form.
    DecodeBytes {
        /// The encoding.
        encoding: EncodingId,
        /// The encoded value.
        value: Value,
        /// Types of the results.
        ty: Shape,
        /// Replaces the message for a combination that cannot be decoded.
        error_message_override: Option<Symbol>,
    },
    /// A fresh scratch slot of this slot type.
    NewSlot(IrType),
    /// The content of a slot.
    ReadSlot(Value),
    /// Results of an instruction.
    Intrinsic(Intrinsic),
    /// Results of a call.
    Invoke(Invoke),
}

/// An operation of a block.
#[derive(Clone, Debug)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// Where the source says so.
    pub loc: Loc,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum OpKind {
    /// Defines registers.
    Assign {
        /// At least one register; as many as the source has results.
        targets: Targets,
        /// What they get.
        source: Source,
    },
    /// Fails unless the condition is non-zero.
    Assert {
        /// A value that is uint64 to the AVM.
        condition: Value,
        /// What to tell.
        message: Option<Symbol>,
        /// Whether the program's author wrote it.
        explicit: bool,
    },
    /// Stores into a scratch slot.
    WriteSlot {
        /// The slot.
        slot: Value,
        /// The new content.
        value: Value,
    },
    /// Stores into a box.
    BoxWrite {
        /// Name of the box.
        key: Value,
        /// The new content.
        value: Value,
        /// Whether the box may have another size and must be deleted first.
        delete_first: bool,
    },
    /// An instruction without results, or whose results are dropped.
    Intrinsic(Intrinsic),
    /// A call without results, or whose results are dropped.
    Invoke(Invoke),
}

/// How a block ends ("control op" in spec 20 §9).
#[derive(Clone, Debug)]
pub struct Terminator {
    /// Where control goes.
    pub kind: TerminatorKind,
    /// Where the source says so.
    pub loc: Loc,
}

/// Where control goes at the end of a block.
#[derive(Clone, Debug)]
pub enum TerminatorKind {
    /// To one block.
    Goto(BlockId),
    /// To one of two.
    Branch {
        /// A value that is uint64 to the AVM.
        condition: Value,
        /// Where to when it is not zero.
        non_zero: BlockId,
        /// Where to when it is zero.
        zero: BlockId,
    },
    /// To the block with this number.
    GotoNth {
        /// The number.
        value: Value,
        /// The blocks from 0.
        blocks: Vec<BlockId>,
        /// Where to for larger numbers.
        default: BlockId,
    },
    /// To the block of the equal case. Case keys are distinct.
    Switch {
        /// What is compared.
        value: Value,
        /// Keys and their blocks, in order.
        cases: Vec<(Value, BlockId)>,
        /// Where to when no key equals.
        default: BlockId,
    },
    /// Back to the caller.
    Return(Vec<Value>),
    /// End of the program.
    Exit(Value),
    /// End of the program by failing.
    Fail {
        /// What to tell.
        message: Option<Symbol>,
        /// Whether the program's author wrote it.
        explicit: bool,
    },
}

impl Source {
    /// A copy of a value.
    pub fn value(value: Value) -> Self {
        Source { kind: SourceKind::Value(value), loc: value.loc() }
    }
    /// Several values at once, as an unnamed tuple.
    pub fn tuple(pool: &Pool<'_>, values: Vec<Value>, loc: Loc) -> Self {
        let ty = pool.tuple_of(values.iter().map(|value| value.ty(pool)));
        Source { kind: SourceKind::ValueTuple { values, ty }, loc }
    }
    /// Types of the results, in order.
    pub fn types(&self, pool: &Pool<'_>) -> Few<IrType> {
        self.kind.types(pool)
    }
}

impl SourceKind {
    /// Types of the results, in order.
    pub fn types(&self, pool: &Pool<'_>) -> Few<IrType> {
        match self {
            SourceKind::Value(value) => Few::One([value.ty(pool)]),
            SourceKind::ValueTuple { ty, .. } => Shape::Tuple(*ty).flatten(pool),
            SourceKind::InnerTransactionField { ty, .. } | SourceKind::ExtractValue { ty, .. } => {
                Few::One([*ty])
            }
            SourceKind::ArrayLength { .. } => Few::One([IrType::UInt64]),
            SourceKind::ArrayPop { base_ty, .. }
            | SourceKind::ArrayConcat { base_ty, .. }
            | SourceKind::ReplaceValue { base_ty, .. } => Few::One([*base_ty]),
            SourceKind::BoxRead { value_ty, .. } => Few::One([*value_ty]),
            SourceKind::BytesEncode { encoding, .. } => Few::One([IrType::Encoded(*encoding)]),
            SourceKind::DecodeBytes { ty, .. } => ty.flatten(pool),
            SourceKind::NewSlot(ty) => Few::One([*ty]),
            SourceKind::ReadSlot(slot) => match slot.ty(pool) {
                IrType::Slot(encoding) => Few::One([IrType::Encoded(encoding)]),
                IrType::MergedSlot => Few::One([IrType::Bytes]),
                other => Few::One([other]),
            },
            SourceKind::Intrinsic(intrinsic) => intrinsic.types.clone(),
            SourceKind::Invoke(invoke) => Few::copied(pool.header(invoke.target).returns),
        }
    }
    /// The operands themselves, in the order of spec 20 §15. Template variables inside a compiled
    /// reference are not listed; see [`Value::visit`].
    fn for_each_operand<'a>(&'a self, visit: &mut impl FnMut(&'a Value)) {
        match self {
            SourceKind::Value(value) | SourceKind::ReadSlot(value) => visit(value),
            SourceKind::ValueTuple { values, .. } | SourceKind::BytesEncode { values, .. } => {
                values.iter().for_each(visit);
            }
            SourceKind::InnerTransactionField {
                group_index,
                is_last_in_group,
                array_index,
                ..
            } => {
                visit(group_index);
                visit(is_last_in_group);
                array_index.as_deref().into_iter().for_each(visit);
            }
            SourceKind::ArrayLength { base, .. } | SourceKind::ArrayPop { base, .. } => visit(base),
            SourceKind::ArrayConcat { base, items, num_items, .. } => {
                visit(base);
                visit(items);
                visit(num_items);
            }
            SourceKind::ExtractValue { base, indexes, .. } => {
                visit(base);
                for_each_index(indexes, visit);
            }
            SourceKind::ReplaceValue { base, indexes, value, .. } => {
                visit(base);
                for_each_index(indexes, visit);
                visit(value);
            }
            SourceKind::BoxRead { key, .. } => visit(key),
            SourceKind::DecodeBytes { value, .. } => visit(value),
            SourceKind::NewSlot(_) => {}
            SourceKind::Intrinsic(Intrinsic { args, .. })
            | SourceKind::Invoke(Invoke { args, .. }) => args.iter().for_each(visit),
        }
    }
    fn for_each_operand_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        match self {
            SourceKind::Value(value) | SourceKind::ReadSlot(value) => visit(value),
            SourceKind::ValueTuple { values, .. } | SourceKind::BytesEncode { values, .. } => {
                values.iter_mut().for_each(visit);
            }
            SourceKind::InnerTransactionField {
                group_index,
                is_last_in_group,
                array_index,
                ..
            } => {
                visit(group_index);
                visit(is_last_in_group);
                array_index.as_deref_mut().into_iter().for_each(visit);
            }
            SourceKind::ArrayLength { base, .. } | SourceKind::ArrayPop { base, .. } => visit(base),
            SourceKind::ArrayConcat { base, items, num_items, .. } => {
                visit(base);
                visit(items);
                visit(num_items);
            }
            SourceKind::ExtractValue { base, indexes, .. } => {
                visit(base);
                for_each_index_mut(indexes, visit);
            }
            SourceKind::ReplaceValue { base, indexes, value, .. } => {
                visit(base);
                for_each_index_mut(indexes, visit);
                visit(value);
            }
            SourceKind::BoxRead { key, .. } => visit(key),
            SourceKind::DecodeBytes { value, .. } => visit(value),
            SourceKind::NewSlot(_) => {}
            SourceKind::Intrinsic(Intrinsic { args, .. })
            | SourceKind::Invoke(Invoke { args, .. }) => args.iter_mut().for_each(visit),
        }
    }
    /// Visits every value read, in the order of spec 20 §15, values inside compiled references
    /// included.
    pub fn visit_reads(&self, pool: &Pool<'_>, visit: &mut impl FnMut(&Value)) {
        self.for_each_operand(&mut |value| value.visit(pool, visit));
    }
    /// Replaces every value read, in the same order.
    pub fn map_reads(&mut self, pool: &Pool<'_>, map: &mut impl FnMut(Value) -> Value) {
        self.for_each_operand_mut(&mut |value| value.map(pool, map));
    }
    /// Whether this is one of the nodes that aggregate lowering replaces.
    pub fn is_high_level(&self) -> bool {
        matches!(
            self,
            SourceKind::ArrayLength { .. }
                | SourceKind::ArrayPop { .. }
                | SourceKind::ArrayConcat { .. }
                | SourceKind::ExtractValue { .. }
                | SourceKind::ReplaceValue { .. }
                | SourceKind::BoxRead { .. }
                | SourceKind::BytesEncode { .. }
                | SourceKind::DecodeBytes { .. }
        )
    }
}

fn for_each_index<'a>(indexes: &'a [Index], visit: &mut impl FnMut(&'a Value)) {
    for index in indexes {
        if let Index::Value(value) = index {
            visit(value);
        }
    }
}

fn for_each_index_mut(indexes: &mut [Index], visit: &mut impl FnMut(&mut Value)) {
    for index in indexes {
        if let Index::Value(value) = index {
            visit(value);
        }
    }
}

impl Op {
    /// The registers this operation defines.
    pub fn targets(&self) -> &[Register] {
        match &self.kind {
            OpKind::Assign { targets, .. } => targets,
            _ => &[],
        }
    }
    /// The instruction this operation executes, as a statement or as the source of an assignment.
    pub fn intrinsic(&self) -> Option<&Intrinsic> {
        match &self.kind {
            OpKind::Intrinsic(intrinsic)
            | OpKind::Assign {
                source: Source { kind: SourceKind::Intrinsic(intrinsic), .. },
                ..
            } => Some(intrinsic),
            _ => None,
        }
    }
    /// The call this operation executes, as a statement or as the source of an assignment.
    pub fn invoke(&self) -> Option<&Invoke> {
        match &self.kind {
            OpKind::Invoke(invoke)
            | OpKind::Assign { source: Source { kind: SourceKind::Invoke(invoke), .. }, .. } => {
                Some(invoke)
            }
            _ => None,
        }
    }
    fn for_each_operand<'a>(&'a self, visit: &mut impl FnMut(&'a Value)) {
        match &self.kind {
            OpKind::Assign { source, .. } => source.kind.for_each_operand(visit),
            OpKind::Assert { condition, .. } => visit(condition),
            OpKind::WriteSlot { slot: first, value }
            | OpKind::BoxWrite { key: first, value, .. } => {
                visit(first);
                visit(value);
            }
            OpKind::Intrinsic(Intrinsic { args, .. }) | OpKind::Invoke(Invoke { args, .. }) => {
                args.iter().for_each(visit);
            }
        }
    }
    /// Visits the operands themselves, mutable; unlike [`Op::map_reads`] it does not look into
    /// references to compiled artifacts.
    pub(super) fn for_each_operand_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        match &mut self.kind {
            OpKind::Assign { source, .. } => source.kind.for_each_operand_mut(visit),
            OpKind::Assert { condition, .. } => visit(condition),
            OpKind::WriteSlot { slot: first, value }
            | OpKind::BoxWrite { key: first, value, .. } => {
                visit(first);
                visit(value);
            }
            OpKind::Intrinsic(Intrinsic { args, .. }) | OpKind::Invoke(Invoke { args, .. }) => {
                args.iter_mut().for_each(visit);
            }
        }
    }
    /// Visits every value read, in the order of spec 20 §15, values inside compiled references
    /// included.
    pub fn visit_reads(&self, pool: &Pool<'_>, visit: &mut impl FnMut(&Value)) {
        self.for_each_operand(&mut |value| value.visit(pool, visit));
    }
    /// Visits every register read, in order, repeats included.
    pub fn visit_registers_read(&self, pool: &Pool<'_>, visit: &mut impl FnMut(Register)) {
        self.visit_reads(pool, &mut |value| {
            if let Value::Register(register) = value {
                visit(*register);
            }
        });
    }
    /// Replaces every value read, in the same order. Targets stay.
    pub fn map_reads(&mut self, pool: &Pool<'_>, map: &mut impl FnMut(Value) -> Value) {
        self.for_each_operand_mut(&mut |value| value.map(pool, map));
    }
}

impl Terminator {
    /// The blocks control may go to, repeats included, in the order of spec 20 §9 (a branch lists
    /// its zero target first).
    pub fn targets(&self) -> Few<BlockId> {
        match &self.kind {
            TerminatorKind::Goto(target) => Few::One([*target]),
            TerminatorKind::Branch { non_zero, zero, .. } => Few::Two([*zero, *non_zero]),
            TerminatorKind::GotoNth { blocks, default, .. } => {
                Few::Many(blocks.iter().chain([default]).copied().collect())
            }
            TerminatorKind::Switch { cases, default, .. } => {
                Few::Many(cases.iter().map(|(_, block)| block).chain([default]).copied().collect())
            }
            TerminatorKind::Return(_) | TerminatorKind::Exit(_) | TerminatorKind::Fail { .. } => {
                Few::None
            }
        }
    }
    /// The block in this place of [`Terminator::targets`].
    pub fn target(&self, place: usize) -> Option<BlockId> {
        match &self.kind {
            TerminatorKind::Goto(target) => (place == 0).then_some(*target),
            TerminatorKind::Branch { non_zero, zero, .. } => [*zero, *non_zero].get(place).copied(),
            TerminatorKind::GotoNth { blocks, default, .. } => {
                if place == blocks.len() {
                    Some(*default)
                } else {
                    blocks.get(place).copied()
                }
            }
            TerminatorKind::Switch { cases, default, .. } => match cases.get(place) {
                Some((_, block)) => Some(*block),
                None => (place == cases.len()).then_some(*default),
            },
            TerminatorKind::Return(_) | TerminatorKind::Exit(_) | TerminatorKind::Fail { .. } => {
                None
            }
        }
    }
    /// The block control goes to, when there is only one.
    pub fn single_target(&self) -> Option<BlockId> {
        let first = self.target(0)?;
        let mut rest = (1..).map_while(|place| self.target(place));
        rest.all(|target| target == first).then_some(first)
    }
    /// The blocks control may go to, each once, in first-mention order.
    pub fn unique_targets(&self) -> Few<BlockId> {
        match self.targets() {
            Few::Two([a, b]) if a == b => Few::One([a]),
            Few::Many(mut targets) => {
                let mut kept = EntitySet::new();
                targets.retain(|target| kept.insert(*target));
                Few::Many(targets)
            }
            targets => targets,
        }
    }
    /// Lets every edge to `find` go to `replace`.
    pub fn replace_target(&mut self, find: BlockId, replace: BlockId) {
        self.for_each_target_mut(&mut |block| {
            if *block == find {
                *block = replace;
            }
        });
    }
    /// Visits the blocks control may go to, mutable.
    pub fn for_each_target_mut(&mut self, visit: &mut impl FnMut(&mut BlockId)) {
        match &mut self.kind {
            TerminatorKind::Goto(target) => visit(target),
            TerminatorKind::Branch { non_zero, zero, .. } => {
                visit(non_zero);
                visit(zero);
            }
            TerminatorKind::GotoNth { blocks, default, .. } => {
                blocks.iter_mut().for_each(&mut *visit);
                visit(default);
            }
            TerminatorKind::Switch { cases, default, .. } => {
                cases.iter_mut().for_each(|(_, block)| visit(block));
                visit(default);
            }
            TerminatorKind::Return(_) | TerminatorKind::Exit(_) | TerminatorKind::Fail { .. } => {}
        }
    }
    /// Visits every value read: the switched value before the case keys.
    pub fn visit_reads(&self, pool: &Pool<'_>, visit: &mut impl FnMut(&Value)) {
        match &self.kind {
            TerminatorKind::Goto(_) | TerminatorKind::Fail { .. } => {}
            TerminatorKind::Branch { condition: value, .. }
            | TerminatorKind::GotoNth { value, .. }
            | TerminatorKind::Exit(value) => value.visit(pool, visit),
            TerminatorKind::Switch { value, cases, .. } => {
                value.visit(pool, visit);
                cases.iter().for_each(|(key, _)| key.visit(pool, visit));
            }
            TerminatorKind::Return(values) => {
                values.iter().for_each(|value| value.visit(pool, visit));
            }
        }
    }
    /// Visits every register read, in order, repeats included.
    pub fn visit_registers_read(&self, pool: &Pool<'_>, visit: &mut impl FnMut(Register)) {
        self.visit_reads(pool, &mut |value| {
            if let Value::Register(register) = value {
                visit(*register);
            }
        });
    }
    /// Visits the operands themselves except the keys of a switch, mutable.
    pub(super) fn for_each_operand_but_keys_mut(&mut self, visit: &mut impl FnMut(&mut Value)) {
        match &mut self.kind {
            TerminatorKind::Goto(_) | TerminatorKind::Fail { .. } => {}
            TerminatorKind::Branch { condition: value, .. }
            | TerminatorKind::GotoNth { value, .. }
            | TerminatorKind::Switch { value, .. }
            | TerminatorKind::Exit(value) => visit(value),
            TerminatorKind::Return(values) => values.iter_mut().for_each(visit),
        }
    }
    /// Replaces every value read except the keys of a switch, whose collisions need reporting: see
    /// [`super::model::Subroutine::map_terminator_reads`].
    pub(super) fn map_reads_but_keys(
        &mut self,
        pool: &Pool<'_>,
        map: &mut impl FnMut(Value) -> Value,
    ) {
        self.for_each_operand_but_keys_mut(&mut |value| value.map(pool, map));
    }
}

const _: () = assert!(size_of::<Value>() <= 32);
const _: () = assert!(size_of::<Source>() <= 96);
const _: () = assert!(size_of::<Op>() <= 136);
