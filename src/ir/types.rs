//! Types of IR values and encodings of their bytes, as small copyable ids into the [`Pool`]. Spec 20
//! §3 and §4.

use crate::avm::ops::StackType;
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::text::push_decimal;
use crate::define_id;

use super::Ctx;
use super::pool::Pool;

define_id!(
    /// An interned [`Encoding`]: equal encodings have equal ids.
    pub struct EncodingId, "encoding"
);
define_id!(
    /// An interned [`TupleType`]: equal tuple types (field names included) have equal ids.
    pub struct TupleTypeId, "tuple"
);

/// What the AVM knows of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AvmType {
    /// A byte string of up to 4096 bytes.
    Bytes,
    /// An unsigned 64-bit integer.
    UInt64,
    /// Either.
    Any,
}

impl AvmType {
    /// Whether a value of one type can stand where the other is expected.
    pub fn compatible(self, other: AvmType) -> bool {
        self == other || self == AvmType::Any || other == AvmType::Any
    }
    /// The type's name in dumps.
    pub fn name(self) -> &'static str {
        match self {
            AvmType::Bytes => "bytes",
            AvmType::UInt64 => "uint64",
            AvmType::Any => "any",
        }
    }
}

/// The type of one IR value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "variants are named as in dumps")]
pub enum IrType {
    Bytes,
    UInt64,
    String,
    Bool,
    Account,
    BigUInt,
    StateKey,
    BoxKey,
    /// Either AVM type; only where an op does not say more.
    Any,
    /// Index of a transaction in an inner group; exists only until inner transactions are lowered.
    ItxnGroupIdx,
    /// Fields of an inner transaction to be; exists only until inner transactions are lowered.
    ItxnFieldSet,
    /// Bytes of a known length.
    SizedBytes(u32),
    /// Bytes (or a bit, as uint64) that hold an encoded value.
    Encoded(EncodingId),
    /// The number of a scratch slot that holds an encoded array.
    Slot(EncodingId),
    /// The number of a scratch slot that holds bytes of several types; exists only where aggressive
    /// merging of locals made one register of several.
    MergedSlot,
    /// `account|uint64`: operand type of ops that take an address or an index; never of a value.
    AccountOrUInt64,
}

impl IrType {
    /// The AVM type; none for the two inner transaction types, which no AVM value has.
    pub fn maybe_avm_type(self, pool: &Pool<'_>) -> Option<AvmType> {
        Some(match self {
            IrType::Bytes
            | IrType::String
            | IrType::Account
            | IrType::BigUInt
            | IrType::StateKey
            | IrType::BoxKey
            | IrType::SizedBytes(_) => AvmType::Bytes,
            IrType::UInt64 | IrType::Bool | IrType::Slot(_) | IrType::MergedSlot => AvmType::UInt64,
            IrType::Encoded(encoding) if pool.encoding(encoding).is_bit() => AvmType::UInt64,
            IrType::Encoded(_) => AvmType::Bytes,
            IrType::Any | IrType::AccountOrUInt64 => AvmType::Any,
            IrType::ItxnGroupIdx | IrType::ItxnFieldSet => return None,
        })
    }
    /// The AVM type of a value that has one. Panics for inner transaction types: callers have
    /// lowered those before.
    pub fn avm_type(self, pool: &Pool<'_>) -> AvmType {
        self.maybe_avm_type(pool).expect("inner transaction values have no AVM type")
    }
    /// Whether the AVM sees a value of this type as uint64.
    pub fn is_uint64(self, pool: &Pool<'_>) -> bool {
        self.maybe_avm_type(pool) == Some(AvmType::UInt64)
    }
    /// Whether the AVM sees a value of this type as bytes.
    pub fn is_bytes(self, pool: &Pool<'_>) -> bool {
        self.maybe_avm_type(pool) == Some(AvmType::Bytes)
    }
    /// Size in bytes where the type fixes it.
    pub fn num_bytes(self, pool: &Pool<'_>) -> Option<u64> {
        match self {
            IrType::UInt64 | IrType::Bool => Some(8),
            IrType::Account => Some(32),
            IrType::SizedBytes(n) => Some(u64::from(n)),
            IrType::Encoded(encoding) => pool.encoding(encoding).num_bytes(),
            _ => None,
        }
    }
    /// The type's name as dumps print it.
    pub fn name(self, pool: &Pool<'_>) -> String {
        match self {
            IrType::Bytes => "bytes".to_owned(),
            IrType::UInt64 => "uint64".to_owned(),
            IrType::String => "string".to_owned(),
            IrType::Bool => "bool".to_owned(),
            IrType::Account => "account".to_owned(),
            IrType::BigUInt => "biguint".to_owned(),
            IrType::StateKey => "state_key".to_owned(),
            IrType::BoxKey => "box_key".to_owned(),
            IrType::Any => "any".to_owned(),
            IrType::ItxnGroupIdx => "itxn_group_idx".to_owned(),
            IrType::ItxnFieldSet => "itxn_field_set".to_owned(),
            IrType::AccountOrUInt64 => "account|uint64".to_owned(),
            IrType::SizedBytes(n) => format!("bytes[{n}]"),
            IrType::Encoded(encoding) => {
                let name = pool.encoding(encoding).name;
                let inner = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                format!("Encoded({})", inner.unwrap_or(name))
            }
            IrType::Slot(encoding) => format!("{}*", IrType::Encoded(encoding).name(pool)),
            IrType::MergedSlot => "bytes*".to_owned(),
        }
    }
}

impl From<StackType> for IrType {
    fn from(ty: StackType) -> Self {
        match ty {
            StackType::UInt64 => IrType::UInt64,
            StackType::Bytes => IrType::Bytes,
            StackType::SizedBytes(n) => IrType::SizedBytes(u32::from(n)),
            StackType::Bool => IrType::Bool,
            StackType::Account => IrType::Account,
            StackType::BigUInt => IrType::BigUInt,
            StackType::StateKey => IrType::StateKey,
            StackType::BoxKey => IrType::BoxKey,
            StackType::Any => IrType::Any,
            StackType::AccountOrIndex => IrType::AccountOrUInt64,
        }
    }
}

/// The type of a value or of a group of values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Shape {
    /// One value.
    One(IrType),
    /// Values that belong together in the source.
    Tuple(TupleTypeId),
}

impl Shape {
    /// How many values the type flattens to.
    pub fn arity(self, pool: &Pool<'_>) -> usize {
        match self {
            Shape::One(_) => 1,
            Shape::Tuple(id) => {
                pool.tuple(id).elements.iter().map(|element| element.arity(pool)).sum()
            }
        }
    }
    /// Appends the leaf types, left to right.
    pub fn flatten_into(self, pool: &Pool<'_>, leaves: &mut Vec<IrType>) {
        match self {
            Shape::One(ty) => leaves.push(ty),
            Shape::Tuple(id) => {
                pool.tuple(id).elements.iter().for_each(|e| e.flatten_into(pool, leaves));
            }
        }
    }
    /// The leaf types, left to right.
    pub fn flatten(self, pool: &Pool<'_>) -> Few<IrType> {
        if let Shape::One(ty) = self {
            return Few::One([ty]);
        }
        let mut leaves = Vec::with_capacity(self.arity(pool));
        self.flatten_into(pool, &mut leaves);
        Few::Many(leaves)
    }
    /// The type's name as dumps print it: `(a,b,)` for a tuple.
    pub fn name(self, pool: &Pool<'_>) -> String {
        match self {
            Shape::One(ty) => ty.name(pool),
            Shape::Tuple(id) => {
                let elements = pool.tuple(id).elements.iter();
                let names: String = elements.map(|e| e.name(pool) + ",").collect();
                format!("({names})")
            }
        }
    }
    /// Names of the leaves of a variable: `variable.field` or `variable.index`, recursively. A single
    /// value keeps the name.
    pub fn leaf_names(self, ctx: Ctx<'_, '_>, variable: Symbol) -> Vec<Symbol> {
        let Shape::Tuple(_) = self else { return vec![variable] };
        let mut leaves = Vec::with_capacity(self.arity(ctx.pool));
        self.add_leaf_names(ctx, &mut ctx.text(variable).to_owned(), &mut leaves);
        leaves
    }
    /// The same, for a part of a variable; the name comes back as it was.
    fn add_leaf_names(self, ctx: Ctx<'_, '_>, name: &mut String, leaves: &mut Vec<Symbol>) {
        let Shape::Tuple(id) = self else { return leaves.push(ctx.sym(name)) };
        let tuple = ctx.pool.tuple(id);
        let length = name.len();
        for (index, element) in tuple.elements.iter().enumerate() {
            name.push('.');
            match tuple.fields {
                Some(fields) => name.push_str(ctx.text(fields[index])),
                None => push_decimal(name, index as u64),
            }
            element.add_leaf_names(ctx, name, leaves);
            name.truncate(length);
        }
    }
}

impl From<IrType> for Shape {
    fn from(ty: IrType) -> Self {
        Shape::One(ty)
    }
}

/// A group of types, with names where the source gives them. Equality includes the names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TupleType<'s> {
    /// Types of the elements.
    pub elements: &'s [Shape],
    /// Names of the elements.
    pub fields: Option<&'s [Symbol]>,
}

/// How a value is laid out in bytes. Equality follows spec 20 §4: names of tuple elements are not
/// part of an encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding<'s> {
    /// One bit; eight consecutive ones share a byte.
    Bool,
    /// A big-endian unsigned integer of this many bits.
    UInt(u32),
    /// One byte of a UTF-8 string.
    Utf8,
    /// Elements one after the other, dynamic ones behind an offset.
    Tuple(&'s [EncodingId]),
    /// A bool that fills a byte of its own: a tuple of one [`Encoding::Bool`], yet not equal to one.
    Bool8,
    /// Equal elements one after the other.
    Array {
        /// The element's encoding.
        element: EncodingId,
        /// Number of elements, where fixed.
        size: Option<u64>,
        /// Whether a 16-bit element count comes first; never with a fixed size.
        length_header: bool,
    },
}

/// An encoding with the facts that follow from it.
#[derive(Clone, Copy, Debug)]
pub struct EncodingFacts<'s> {
    /// The encoding itself.
    pub encoding: Encoding<'s>,
    /// Size in bits, where fixed.
    pub num_bits: Option<u64>,
    /// The name in dumps.
    pub name: &'s str,
}

impl<'s> EncodingFacts<'s> {
    /// Size in whole bytes, where fixed.
    pub fn num_bytes(&self) -> Option<u64> {
        self.num_bits.map(|bits| bits.div_ceil(8))
    }
    /// Whether the size depends on the value.
    pub fn is_dynamic(&self) -> bool {
        self.num_bits.is_none()
    }
    /// Whether every value has the same size.
    pub fn is_fixed(&self) -> bool {
        self.num_bits.is_some()
    }
    /// Whether a value is a single bit.
    pub fn is_bit(&self) -> bool {
        self.num_bits == Some(1)
    }
    /// The elements, when this is a tuple. [`Encoding::Bool8`] counts as a tuple of one bit.
    pub fn tuple_elements(&self, pool: &Pool<'s>) -> Option<&'s [EncodingId]> {
        match self.encoding {
            Encoding::Tuple(elements) => Some(elements),
            Encoding::Bool8 => Some(pool.bool8_elements),
            _ => None,
        }
    }
    /// Element, size and header flag, when this is an array.
    pub fn array(&self) -> Option<(EncodingId, Option<u64>, bool)> {
        match self.encoding {
            Encoding::Array { element, size, length_header } => {
                Some((element, size, length_header))
            }
            _ => None,
        }
    }
    /// An array with a length header whose elements have a fixed size of whole bytes.
    pub fn is_dynamic_array_of_fixed_size_byte_elements(&self, pool: &Pool<'s>) -> bool {
        match self.encoding {
            Encoding::Array { element, size: None, length_header: true } => {
                let element = pool.encoding(element);
                element.is_fixed() && !element.is_bit()
            }
            _ => false,
        }
    }
    /// An array with a length header whose elements are one byte: `string`, `byte[]`, `uint8[]`.
    pub fn is_byte_length_dynamic_array(&self, pool: &Pool<'s>) -> bool {
        self.is_dynamic_array_of_fixed_size_byte_elements(pool)
            && self.array().and_then(|(element, ..)| pool.encoding(element).num_bytes()) == Some(1)
    }
}

/// Bit offset of the head of element `index` in a tuple of these elements, or the size of all heads
/// rounded up to a byte when `index` is none. Spec 20 §4, `get_head_bit_offset`.
pub fn head_bit_offset(pool: &Pool<'_>, elements: &[EncodingId], index: Option<usize>) -> u64 {
    // Sizes saturate: a program with such data fails elsewhere.
    let whole_bytes = |bits: u64| bits.div_ceil(8).saturating_mul(8);
    let mut bits = 0u64;
    for element in &elements[..index.unwrap_or(elements.len())] {
        let element = pool.encoding(*element);
        if !element.is_bit() {
            bits = whole_bytes(bits);
        }
        bits = bits.saturating_add(element.num_bits.unwrap_or(16));
    }
    if index.is_none() { whole_bytes(bits) } else { bits }
}

const _: () = assert!(size_of::<IrType>() == 8);
const _: () = assert!(size_of::<Shape>() <= 12);
