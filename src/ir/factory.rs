//! Emits operations into fresh temporaries: what IR building, the box pass and aggregate lowering all
//! need, over an [`Emitter`] that says where operations go and how temporaries are named. Spec 21
//! §10.1.
//!
//! ```text
//! let mut make = Factory::new(emitter, loc);
//! let end = make.named("end").add(start, 2u64);
//! ```

use std::borrow::Cow;

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

use super::Ctx;
use super::op::{
    BytesEncoding, Constant, Intrinsic, Invoke, OpKind, Register, Source, SourceKind, Value,
};
use super::pool::SubId;
use super::targets::Targets;
use super::types::IrType;
use super::verify;

macro_rules! library_routines {
    ($($variant:ident = $id:literal;)+) => {
        /// A routine of the embedded library that the compiler itself calls.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[expect(missing_docs, reason = "each is documented where it is written, in the library")]
        pub enum LibraryRoutine { $($variant,)+ }

        impl LibraryRoutine {
            /// Every routine.
            pub const ALL: &'static [LibraryRoutine] = &[$(LibraryRoutine::$variant,)+];
            /// Full name of the routine.
            pub fn id(self) -> &'static str {
                match self { $(LibraryRoutine::$variant => $id,)+ }
            }
            /// The routine with this full name.
            pub fn from_id(id: &str) -> Option<LibraryRoutine> {
                match id { $($id => Some(LibraryRoutine::$variant),)+ _ => None }
            }
        }
    };
}

library_routines! {
    EnsureBudget = "_puya_lib.util.ensure_budget";
    IsSubstring = "_puya_lib.bytes_.is_substring";
    BoxDynamicArrayPopFixedSize = "_puya_lib.box_arc4.box_dynamic_array_pop_fixed_size";
    BoxDynamicArrayConcatFixed = "_puya_lib.box_arc4.box_dynamic_array_concat_fixed";
    BoxUpdateOffsetDec = "_puya_lib.box_arc4.box_update_offset_dec";
    BoxUpdateOffsetInc = "_puya_lib.box_arc4.box_update_offset_inc";
    DynamicArrayPopBit = "_puya_lib.arc4.dynamic_array_pop_bit";
    RTrim = "_puya_lib.arc4.r_trim";
    DynamicArrayPopFixedSize = "_puya_lib.arc4.dynamic_array_pop_fixed_size";
    DynamicArrayPopByteLengthHead = "_puya_lib.arc4.dynamic_array_pop_byte_length_head";
    DynamicArrayPopDynamicElement = "_puya_lib.arc4.dynamic_array_pop_dynamic_element";
    DynamicArrayReadDynamicElement = "_puya_lib.arc4.dynamic_array_read_dynamic_element";
    StaticArrayReadDynamicElement = "_puya_lib.arc4.static_array_read_dynamic_element";
    DynamicArrayReadByteLengthElement = "_puya_lib.arc4.dynamic_array_read_byte_length_element";
    StaticArrayReadByteLengthElement = "_puya_lib.arc4.static_array_read_byte_length_element";
    DynamicArrayConcatFixed = "_puya_lib.arc4.dynamic_array_concat_fixed";
    DynamicArrayConcatBits = "_puya_lib.arc4.dynamic_array_concat_bits";
    DynamicArrayConcatByteLengthHead = "_puya_lib.arc4.dynamic_array_concat_byte_length_head";
    DynamicArrayConcatDynamicElement = "_puya_lib.arc4.dynamic_array_concat_dynamic_element";
    DynamicArrayReplaceByteLengthHead = "_puya_lib.arc4.dynamic_array_replace_byte_length_head";
    DynamicArrayReplaceDynamicElement = "_puya_lib.arc4.dynamic_array_replace_dynamic_element";
    StaticArrayReplaceDynamicElement = "_puya_lib.arc4.static_array_replace_dynamic_element";
    StaticArrayReplaceByteLengthHead = "_puya_lib.arc4.static_array_replace_byte_length_head";
    DynamicAssertIndex = "_puya_lib.arc4.dynamic_assert_index";
}

/// Where operations go and how temporaries are named.
pub trait Emitter<'a, 's: 'a> {
    /// The compilation.
    fn ctx(&self) -> Ctx<'a, 's>;
    /// Appends an operation that defines nothing.
    fn emit(&mut self, kind: OpKind, loc: Loc);
    /// Appends an assignment.
    fn assign(&mut self, targets: Targets, source: Source, loc: Loc);
    /// A register that did not exist before, of a temporary named after what it holds.
    fn new_temp(&mut self, description: &str, ty: IrType, loc: Loc) -> Register;
    /// A routine of the embedded library.
    fn library(&mut self, routine: LibraryRoutine) -> Outcome<SubId>;

    /// Puts results into temporaries, one description for each or one for all. Plain values and
    /// groups of them stay as they are.
    fn materialise(&mut self, source: Source, descriptions: &[&str]) -> Vec<Value> {
        match source.kind {
            SourceKind::Value(value) => return vec![value],
            SourceKind::ValueTuple { values, .. } => return values,
            _ => {}
        }
        let types = source.types(self.ctx().pool);
        let last = descriptions.len().saturating_sub(1);
        let targets: Targets = types
            .into_iter()
            .enumerate()
            .map(|(index, ty)| self.new_temp(descriptions[index.min(last)], ty, source.loc))
            .collect();
        let loc = source.loc;
        let values = targets.iter().copied().map(Value::Register).collect();
        if !targets.is_empty() {
            self.assign(targets, source, loc);
        }
        values
    }
}

/// An operand of a helper: a value, or a constant the helper makes one of.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'b> {
    /// An integer of type `uint64`.
    Int(u64),
    /// A byte string without a known notation.
    Bytes(&'b [u8]),
    /// A value.
    Value(Value),
}

impl From<u64> for Operand<'_> {
    fn from(value: u64) -> Self {
        Operand::Int(value)
    }
}
impl<'b> From<&'b [u8]> for Operand<'b> {
    fn from(value: &'b [u8]) -> Self {
        Operand::Bytes(value)
    }
}
impl From<Value> for Operand<'_> {
    fn from(value: Value) -> Self {
        Operand::Value(value)
    }
}
impl From<Register> for Operand<'_> {
    fn from(value: Register) -> Self {
        Operand::Value(Value::Register(value))
    }
}

/// Emits instructions at one location. [`Factory::named`], [`Factory::on_error`] and
/// [`Factory::typed`] change the result of the next helper only.
pub struct Factory<'e, E: ?Sized> {
    /// Where operations go.
    pub emitter: &'e mut E,
    /// Location of all of them.
    pub loc: Loc,
    name: Option<Cow<'static, str>>,
    error_message: Option<Symbol>,
    ty: Option<IrType>,
}

macro_rules! plain_helpers {
    ($($(#[$attr:meta])* $name:ident($($arg:ident),+) = $op:ident;)+) => {
        $(
            $(#[$attr])*
            pub fn $name<'b>(&mut self, $($arg: impl Into<Operand<'b>>),+) -> Register {
                self.apply(AvmOp::$op, stringify!($name), &[$($arg.into()),+])
            }
        )+
    };
}

impl<'e, 'a, 's: 'a, E: Emitter<'a, 's> + ?Sized> Factory<'e, E> {
    /// A factory for operations at one location.
    pub fn new(emitter: &'e mut E, loc: Loc) -> Self {
        Factory { emitter, loc, name: None, error_message: None, ty: None }
    }
    /// Describes the result of the next helper; otherwise a helper describes its result itself.
    pub fn named(&mut self, description: impl Into<Cow<'static, str>>) -> &mut Self {
        self.name = Some(description.into());
        self
    }
    /// What the next helper's instruction tells when it fails at run time.
    pub fn on_error(&mut self, message: &str) -> &mut Self {
        self.error_message = Some(self.emitter.ctx().sym(message));
        self
    }
    /// Type of the result of the next helper; otherwise the instruction's own.
    pub fn typed(&mut self, ty: IrType) -> &mut Self {
        self.ty = Some(ty);
        self
    }
    /// The value of an operand.
    pub fn value<'b>(&self, operand: impl Into<Operand<'b>>) -> Value {
        match operand.into() {
            Operand::Int(value) => Value::uint64(value, self.loc),
            Operand::Bytes(data) => {
                Value::bytes(self.emitter.ctx().pool, data, BytesEncoding::Unknown, self.loc)
            }
            Operand::Value(value) => value,
        }
    }
    fn apply(&mut self, op: AvmOp, name: &'static str, args: &[Operand<'_>]) -> Register {
        self.apply_with(op, name, Vec::new(), args)
    }
    fn apply_with(
        &mut self,
        op: AvmOp,
        name: &'static str,
        immediates: Vec<Immediate>,
        args: &[Operand<'_>],
    ) -> Register {
        let name = self.name.take().unwrap_or(Cow::Borrowed(name));
        let args = args.iter().map(|arg| self.value(*arg)).collect();
        let ty = self.ty.take().unwrap_or_else(|| {
            let variant = op.variant(&immediates).expect("helpers use known fields");
            IrType::from(variant.returns[0])
        });
        let error_message = self.error_message.take();
        let intrinsic = Intrinsic { op, immediates, args, types: Few::One([ty]), error_message };
        verify::check_intrinsic(self.emitter.ctx(), &intrinsic, self.loc);
        let target = self.emitter.new_temp(&name, ty, self.loc);
        let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc: self.loc };
        self.emitter.assign(target.into(), source, self.loc);
        target
    }

    plain_helpers! {
        /// `a + b`.
        add(a, b) = Add;
        /// `a - b`.
        sub(a, b) = Sub;
        /// `a * b`.
        mul(a, b) = Mul;
        /// `a / b`, rounded down.
        div_floor(a, b) = DivFloor;
        /// The remainder of `a / b`.
        mod_(a, b) = Mod;
        /// Length in bytes.
        len(bytes) = Len;
        /// Number of significant bits.
        bitlen(value) = Bitlen;
        /// Bytes as an integer.
        btoi(bytes) = Btoi;
        /// An integer as 8 bytes.
        itob(value) = Itob;
        /// `a == b`.
        eq(a, b) = Eq;
        /// `a != b`.
        neq(a, b) = Neq;
        /// `a < b`.
        lt(a, b) = Lt;
        /// `a <= b`.
        lte(a, b) = Lte;
        /// `a != b` for wide integers.
        neq_bytes(a, b) = NeqBytes;
        /// Two bytes at an offset as an integer.
        extract_uint16(bytes, offset) = ExtractUint16;
        /// Eight bytes at an offset as an integer.
        extract_uint64(bytes, offset) = ExtractUint64;
        /// `a` followed by `b`.
        concat(a, b) = Concat;
        /// From `start` to before `end`.
        substring3(bytes, start, end) = Substring3;
        /// One bit, as a bool unless typed.
        get_bit(value, index) = Getbit;
    }

    /// `if_true` where the condition holds, else `if_false`.
    pub fn select<'b>(
        &mut self,
        if_false: impl Into<Operand<'b>>,
        if_true: impl Into<Operand<'b>>,
        condition: Value,
        ty: IrType,
    ) -> Register {
        let args = [if_false.into(), if_true.into(), condition.into()];
        self.typed(ty).apply(AvmOp::Select, "select", &args)
    }
    /// `length` bytes from an offset on.
    pub fn extract3<'b>(
        &mut self,
        bytes: impl Into<Operand<'b>>,
        offset: impl Into<Operand<'b>>,
        length: impl Into<Operand<'b>>,
    ) -> Register {
        let args = [bytes.into(), offset.into(), length.into()];
        self.apply(AvmOp::Extract3, "extract", &args)
    }
    /// The bytes with other bytes written over them from an offset on.
    pub fn replace<'b>(
        &mut self,
        bytes: impl Into<Operand<'b>>,
        offset: impl Into<Operand<'b>>,
        replacement: impl Into<Operand<'b>>,
    ) -> Register {
        let args = [bytes.into(), offset.into(), replacement.into()];
        self.apply(AvmOp::Replace3, "replace", &args)
    }
    /// The value with one bit changed; typed as the value was.
    pub fn set_bit<'b>(
        &mut self,
        value: impl Into<Operand<'b>>,
        index: impl Into<Operand<'b>>,
        bit: impl Into<Operand<'b>>,
    ) -> Register {
        let value = value.into();
        let ty = match value {
            Operand::Value(value) => value.ty(self.emitter.ctx().pool),
            Operand::Int(_) | Operand::Bytes(_) => IrType::Bytes,
        };
        self.typed(ty).apply(AvmOp::Setbit, "set_bit", &[value, index.into(), bit.into()])
    }
    /// Everything from an offset on.
    pub fn extract_to_end<'b>(&mut self, bytes: Value, start: impl Into<Operand<'b>>) -> Register {
        let name = self.name.take();
        let end = self.named("total_length").len(bytes);
        self.named(name.unwrap_or(Cow::Borrowed("extract_to_end"))).substring3(bytes, start, end)
    }
    /// The last two bytes of an integer.
    pub fn as_u16_bytes<'b>(&mut self, value: impl Into<Operand<'b>>) -> Register {
        let name = self.name.take();
        let bytes = self.named("as_bytes").itob(value);
        self.name = name;
        let immediates = vec![Immediate::Int(6), Immediate::Int(2)];
        self.apply_with(AvmOp::Extract, "as_u16_bytes", immediates, &[bytes.into()])
    }
    /// A bool as the first bit of a byte.
    pub fn make_arc4_bool<'b>(&mut self, value: impl Into<Operand<'b>>) -> Register {
        let name = self.name.take().unwrap_or(Cow::Borrowed("encoded_bool"));
        let arc4_false = self.constant_bytes(&[0]);
        self.named(name).set_bit(arc4_false, 0u64, value)
    }
    /// A wide integer, left-padded to a number of bytes; fails at run time when it is longer.
    pub fn to_fixed_size(&mut self, value: Value, num_bytes: u64) -> Register {
        let name = self.name.take().unwrap_or(Cow::Borrowed("to_fixed_size"));
        let message = self.error_message.take();
        let length = self.named("value_len").len(value);
        let fits = self.named("len_ok").lte(length, num_bytes);
        let message = message.unwrap_or_else(|| {
            self.emitter.ctx().sym(&format!("value is bigger than {num_bytes} bytes"))
        });
        self.assert_symbol(fits, message);
        self.named(name).pad_bytes(value, num_bytes)
    }
    /// Bytes left-padded to a number of bytes they do not exceed.
    pub fn pad_bytes(&mut self, value: Value, num_bytes: u64) -> Register {
        let name = self.name.take();
        let zero = self.apply(AvmOp::Bzero, "bzero", &[num_bytes.into()]);
        self.name = name;
        let length = u32::try_from(num_bytes).expect("integers have at most 64 bytes");
        self.typed(IrType::SizedBytes(length));
        self.apply(AvmOp::BitwiseOrBytes, "pad_bytes", &[value.into(), zero.into()])
    }
    /// Part of a box.
    pub fn box_extract<'b>(
        &mut self,
        key: Value,
        offset: impl Into<Operand<'b>>,
        length: impl Into<Operand<'b>>,
        ty: IrType,
    ) -> Register {
        let args = [key.into(), offset.into(), length.into()];
        self.typed(ty).apply(AvmOp::BoxExtract, "box_extract", &args)
    }
    /// Two bytes of a box as an integer.
    pub fn box_extract_u16<'b>(&mut self, key: Value, offset: impl Into<Operand<'b>>) -> Register {
        let bytes = self.box_extract(key, offset, 2u64, IrType::Bytes);
        self.btoi(bytes)
    }
    /// An instruction that writes over part of a box; not emitted.
    pub fn box_replace<'b>(
        &mut self,
        key: Value,
        offset: impl Into<Operand<'b>>,
        value: impl Into<Operand<'b>>,
    ) -> Intrinsic {
        Intrinsic {
            op: AvmOp::BoxReplace,
            immediates: Vec::new(),
            args: vec![key, self.value(offset), self.value(value)],
            types: Few::None,
            error_message: self.error_message.take(),
        }
    }
    /// Length of a box and whether it exists.
    pub fn box_len(&mut self, key: Value) -> (Value, Value) {
        let intrinsic = Intrinsic {
            op: AvmOp::BoxLen,
            immediates: Vec::new(),
            args: vec![key],
            types: Few::Two([IrType::UInt64, IrType::Bool]),
            error_message: None,
        };
        let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc: self.loc };
        let results = self.emitter.materialise(source, &["box_len"]);
        (results[0], results[1])
    }
    /// An integer constant.
    pub fn constant(&self, value: u64) -> Value {
        Value::uint64(value, self.loc)
    }
    /// An integer constant of another type.
    pub fn constant_typed(&self, value: u64, ty: IrType) -> Value {
        Value::Constant(Constant::UInt64 { value, ty, alias: None }, self.loc)
    }
    /// A byte string constant in hexadecimal notation, typed by its length.
    pub fn constant_bytes(&self, data: &[u8]) -> Value {
        Value::bytes(self.emitter.ctx().pool, data, BytesEncoding::Base16, self.loc)
    }
    /// A byte string constant in hexadecimal notation, of another type.
    pub fn constant_bytes_typed(&self, data: &[u8], ty: IrType) -> Value {
        let data = self.emitter.ctx().pool.bytes_id(data);
        let encoding = BytesEncoding::Base16;
        Value::Constant(Constant::Bytes { data, encoding, ty }, self.loc)
    }
    /// Fails at run time unless the condition holds; not an assertion of the program's author.
    pub fn assert_value(&mut self, condition: impl Into<Value>, message: &str) {
        let message = self.emitter.ctx().sym(message);
        self.assert_symbol(condition, message);
    }
    fn assert_symbol(&mut self, condition: impl Into<Value>, message: Symbol) {
        let kind =
            OpKind::Assert { condition: condition.into(), message: Some(message), explicit: false };
        self.emitter.emit(kind, self.loc);
    }
    /// A call of a library routine; not emitted.
    pub fn invoke(&mut self, routine: LibraryRoutine, args: &[Operand<'_>]) -> Outcome<Invoke> {
        let target = self.emitter.library(routine)?;
        Ok(Invoke { target, args: args.iter().map(|arg| self.value(*arg)).collect() })
    }
    /// A call of a library routine as the source of an assignment.
    pub fn invoke_source(
        &mut self,
        routine: LibraryRoutine,
        args: &[Operand<'_>],
    ) -> Outcome<Source> {
        let invoke = self.invoke(routine, args)?;
        Ok(Source { kind: SourceKind::Invoke(invoke), loc: self.loc })
    }
    /// The results as values, in temporaries where they are not values yet.
    pub fn materialise(&mut self, source: Source, description: &str) -> Vec<Value> {
        self.emitter.materialise(source, &[description])
    }
    /// The only result as a value, in a temporary where it is not one yet.
    pub fn materialise_single(&mut self, source: Source, description: &str) -> Value {
        let values = self.emitter.materialise(source, &[description]);
        assert_eq!(values.len(), 1, "the source has one result");
        values[0]
    }
    /// All results as one value, or as a group when there are several.
    pub fn materialise_group(&mut self, source: Source) -> Source {
        if matches!(source.kind, SourceKind::Value(_) | SourceKind::ValueTuple { .. }) {
            return source;
        }
        match self.materialise(source, "tmp").as_slice() {
            [value] => Source::value(*value),
            values => Source::tuple(self.emitter.ctx().pool, values.to_vec(), self.loc),
        }
    }
    /// The only result in a register of this type; a value that has the type already stays.
    pub fn as_ir_type(&mut self, source: Source, ty: IrType) -> Outcome<Value> {
        let ctx = self.emitter.ctx();
        if source.types(ctx.pool) == [ty] {
            return Ok(self.materialise_single(source, "tmp"));
        }
        let target = self.emitter.new_temp(&format!("as_{}", ty.name(ctx.pool)), ty, self.loc);
        verify::check_assignment(ctx, &[target], &source, self.loc)?;
        self.emitter.assign(target.into(), source, self.loc);
        Ok(Value::Register(target))
    }
}
