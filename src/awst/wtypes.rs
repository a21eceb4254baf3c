//! Source-level types. JSON type objects and the builder's needs -> [`WTypeId`]s of one [`WTypes`]
//! table. Spec 10 §10 and §16.
//!
//! The reference leaves some facts of a type out of its equality (`arc4_alias`, a source location, the
//! name of a tuple, a field's description), yet reads them where the type occurs. So an id carries two
//! numbers: the *class* of all types equal to it, which is what `==` and hashing look at, and the
//! *occurrence*, under which the full facts are found. Two ids that compare equal may therefore show
//! different facts; copy the id of the occurrence you mean.
//!
//! Tuples compare by a rule that is not transitive (absent field names equal any names). `==` tells
//! apart tuples with different names; [`WTypes::equal`] is the reference's comparison. Use `==` where
//! no tuple can be involved and for lookups, `equal` for checks.

mod predefined;
mod table;

pub use table::WTypes;

use crate::avm::fields::{FieldType, TransactionType, TxnField};
use crate::base::arena::Arena;
use crate::base::source::Loc;

/// A type as it occurs somewhere. Equality and hash are those of its class; see the file's comment.
#[derive(Clone, Copy, Debug)]
pub struct WTypeId {
    class: u32,
    occurrence: u32,
}

impl PartialEq for WTypeId {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class
    }
}

impl Eq for WTypeId {}

impl std::hash::Hash for WTypeId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.class.hash(state);
    }
}

impl WTypeId {
    const fn predefined(index: u32) -> Self {
        Self { class: index, occurrence: index }
    }
    /// A small number for the occurrence, to keep facts about types in tables.
    pub fn index(self) -> usize {
        self.occurrence as usize
    }
    /// `void`
    pub const VOID: WTypeId = WTypeId::predefined(0);
    /// `bool`
    pub const BOOL: WTypeId = WTypeId::predefined(1);
    /// `uint64`
    pub const UINT64: WTypeId = WTypeId::predefined(2);
    /// `biguint`
    pub const BIGUINT: WTypeId = WTypeId::predefined(3);
    /// `string`
    pub const STRING: WTypeId = WTypeId::predefined(4);
    /// `asset`
    pub const ASSET: WTypeId = WTypeId::predefined(5);
    /// `account`
    pub const ACCOUNT: WTypeId = WTypeId::predefined(6);
    /// `application`
    pub const APPLICATION: WTypeId = WTypeId::predefined(7);
    /// `state_key`
    pub const STATE_KEY: WTypeId = WTypeId::predefined(8);
    /// `box_key`
    pub const BOX_KEY: WTypeId = WTypeId::predefined(9);
    /// `uint64_range`
    pub const UINT64_RANGE: WTypeId = WTypeId::predefined(10);
    /// `bytes` of any length
    pub const BYTES: WTypeId = WTypeId::predefined(11);
    /// `bytes[1]`
    pub const BYTES1: WTypeId = WTypeId::predefined(12);
    /// `bytes[4]`
    pub const BYTES4: WTypeId = WTypeId::predefined(13);
    /// `bytes[32]`
    pub const BYTES32: WTypeId = WTypeId::predefined(14);
    /// `arc4.bool`
    pub const ARC4_BOOL: WTypeId = WTypeId::predefined(15);
    /// `arc4.uint8`, known as `byte`
    pub const ARC4_BYTE: WTypeId = WTypeId::predefined(16);
    /// the ARC-4 `string`: an immutable dynamic array of bytes
    pub const ARC4_STRING: WTypeId = WTypeId::predefined(17);
    /// the ARC-4 `address`: an immutable static array of 32 bytes
    pub const ARC4_ADDRESS: WTypeId = WTypeId::predefined(18);

    /// The type of a transaction field's value, or of each value of an array field.
    pub fn of_field(field: TxnField) -> Self {
        match field.field_type() {
            FieldType::Account => WTypeId::ACCOUNT,
            FieldType::UInt64 => WTypeId::UINT64,
            FieldType::Bool => WTypeId::BOOL,
            FieldType::Asset => WTypeId::ASSET,
            FieldType::Application => WTypeId::APPLICATION,
            FieldType::Bytes => WTypeId::BYTES,
            FieldType::Bytes32 => WTypeId::BYTES32,
        }
    }
}

/// The stack type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScalarType {
    /// An AVM integer.
    UInt64,
    /// An AVM byte string.
    Bytes,
}

impl ScalarType {
    /// Its name: `uint64` or `bytes`.
    pub fn name(self) -> &'static str {
        match self {
            ScalarType::UInt64 => "uint64",
            ScalarType::Bytes => "bytes",
        }
    }
}

/// The types that are told apart by name alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "members are named after the types' names")]
pub enum BasicType {
    Void,
    Bool,
    UInt64,
    BigUInt,
    String,
    Asset,
    Account,
    Application,
    StateKey,
    BoxKey,
    UInt64Range,
}

impl BasicType {
    const ALL: [(BasicType, &'static str); 11] = [
        (BasicType::Void, "void"),
        (BasicType::Bool, "bool"),
        (BasicType::UInt64, "uint64"),
        (BasicType::BigUInt, "biguint"),
        (BasicType::String, "string"),
        (BasicType::Asset, "asset"),
        (BasicType::Account, "account"),
        (BasicType::Application, "application"),
        (BasicType::StateKey, "state_key"),
        (BasicType::BoxKey, "box_key"),
        (BasicType::UInt64Range, "uint64_range"),
    ];
    /// The type's name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    /// The type of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(basic, _)| *basic)
    }
    /// Its id.
    pub const fn id(self) -> WTypeId {
        WTypeId::predefined(self as u32)
    }
    const fn scalar_type(self) -> Option<ScalarType> {
        match self {
            BasicType::Bool | BasicType::UInt64 | BasicType::Asset | BasicType::Application => {
                Some(ScalarType::UInt64)
            }
            BasicType::BigUInt
            | BasicType::String
            | BasicType::Account
            | BasicType::StateKey
            | BasicType::BoxKey => Some(ScalarType::Bytes),
            BasicType::Void | BasicType::UInt64Range => None,
        }
    }
}

/// One field of an ARC-4 struct.
#[derive(Clone, Copy, Debug)]
pub struct WTypeField<'s> {
    /// Its name, unique in the struct.
    pub name: &'s str,
    /// Its type.
    pub wtype: WTypeId,
    /// What the source says about it; no part of equality.
    pub description: Option<&'s str>,
}

impl PartialEq for WTypeField<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.wtype == other.wtype
    }
}

impl Eq for WTypeField<'_> {}

impl std::hash::Hash for WTypeField<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.name, self.wtype).hash(state);
    }
}

/// What a type is made of; one variant per class of the reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §10")]
pub enum WTypeKind<'s> {
    /// `WType`
    Basic(BasicType),
    /// `BytesWType`
    Bytes { length: Option<u64> },
    /// `WEnumeration`
    Enumeration { sequence_type: WTypeId },
    /// `WGroupTransaction`
    GroupTransaction { transaction_type: Option<TransactionType> },
    /// `WInnerTransactionFields`
    InnerTransactionFields { transaction_type: Option<TransactionType> },
    /// `WABICallInnerTransactionFields`, a subclass of `WInnerTransactionFields` of type `appl`
    AbiCallInnerTransactionFields { result_type: WTypeId },
    /// `WInnerTransaction`
    InnerTransaction { transaction_type: Option<TransactionType> },
    /// `ReferenceArray`
    ReferenceArray { element_type: WTypeId },
    /// `WTuple`
    Tuple { types: &'s [WTypeId], names: Option<&'s [&'s str]>, desc: Option<&'s str> },
    /// `ARC4Type` itself; only `arc4.bool` means anything
    Arc4Basic,
    /// `ARC4UIntN`
    Arc4UIntN { n: u32 },
    /// `ARC4UFixedNxM`
    Arc4UFixedNxM { n: u32, m: u32 },
    /// `ARC4Tuple`
    Arc4Tuple { types: &'s [WTypeId] },
    /// `ARC4DynamicArray`
    Arc4DynamicArray { element_type: WTypeId },
    /// `ARC4StaticArray`
    Arc4StaticArray { element_type: WTypeId, array_size: u64 },
    /// `ARC4Struct`
    Arc4Struct { fields: &'s [WTypeField<'s>], frozen: bool, desc: Option<&'s str> },
}

impl<'s> WTypeKind<'s> {
    /// The reference's class name.
    pub fn class_name(&self) -> &'static str {
        match self {
            WTypeKind::Basic(_) => "WType",
            WTypeKind::Bytes { .. } => "BytesWType",
            WTypeKind::Enumeration { .. } => "WEnumeration",
            WTypeKind::GroupTransaction { .. } => "WGroupTransaction",
            WTypeKind::InnerTransactionFields { .. } => "WInnerTransactionFields",
            WTypeKind::AbiCallInnerTransactionFields { .. } => "WABICallInnerTransactionFields",
            WTypeKind::InnerTransaction { .. } => "WInnerTransaction",
            WTypeKind::ReferenceArray { .. } => "ReferenceArray",
            WTypeKind::Tuple { .. } => "WTuple",
            WTypeKind::Arc4Basic => "ARC4Type",
            WTypeKind::Arc4UIntN { .. } => "ARC4UIntN",
            WTypeKind::Arc4UFixedNxM { .. } => "ARC4UFixedNxM",
            WTypeKind::Arc4Tuple { .. } => "ARC4Tuple",
            WTypeKind::Arc4DynamicArray { .. } => "ARC4DynamicArray",
            WTypeKind::Arc4StaticArray { .. } => "ARC4StaticArray",
            WTypeKind::Arc4Struct { .. } => "ARC4Struct",
        }
    }
    /// Whether it is an `ARC4Type` or a subclass.
    pub fn is_arc4(&self) -> bool {
        matches!(
            self,
            WTypeKind::Arc4Basic
                | WTypeKind::Arc4UIntN { .. }
                | WTypeKind::Arc4UFixedNxM { .. }
                | WTypeKind::Arc4Tuple { .. }
                | WTypeKind::Arc4DynamicArray { .. }
                | WTypeKind::Arc4StaticArray { .. }
                | WTypeKind::Arc4Struct { .. }
        )
    }
    /// Whether it is an `ARC4Array` (dynamic or static).
    pub fn is_arc4_array(&self) -> bool {
        matches!(self, WTypeKind::Arc4DynamicArray { .. } | WTypeKind::Arc4StaticArray { .. })
    }
    /// Whether it is a `WInnerTransactionFields` or its subclass for ABI calls.
    pub fn is_inner_transaction_fields(&self) -> bool {
        matches!(
            self,
            WTypeKind::InnerTransactionFields { .. }
                | WTypeKind::AbiCallInnerTransactionFields { .. }
        )
    }
    /// The element type of an ARC-4 or reference array.
    pub fn element_type(&self) -> Option<WTypeId> {
        match *self {
            WTypeKind::ReferenceArray { element_type }
            | WTypeKind::Arc4DynamicArray { element_type }
            | WTypeKind::Arc4StaticArray { element_type, .. } => Some(element_type),
            _ => None,
        }
    }
    /// The types it is directly made of, in order.
    fn children(&self) -> impl Iterator<Item = WTypeId> {
        (0..).map_while(|index| self.child(index))
    }
    fn child(&self, index: usize) -> Option<WTypeId> {
        match *self {
            WTypeKind::Enumeration { sequence_type: child }
            | WTypeKind::AbiCallInnerTransactionFields { result_type: child }
            | WTypeKind::ReferenceArray { element_type: child }
            | WTypeKind::Arc4DynamicArray { element_type: child }
            | WTypeKind::Arc4StaticArray { element_type: child, .. } => {
                (index == 0).then_some(child)
            }
            WTypeKind::Tuple { types, .. } | WTypeKind::Arc4Tuple { types } => {
                types.get(index).copied()
            }
            WTypeKind::Arc4Struct { fields, .. } => fields.get(index).map(|field| field.wtype),
            WTypeKind::Basic(_)
            | WTypeKind::Bytes { .. }
            | WTypeKind::GroupTransaction { .. }
            | WTypeKind::InnerTransactionFields { .. }
            | WTypeKind::InnerTransaction { .. }
            | WTypeKind::Arc4Basic
            | WTypeKind::Arc4UIntN { .. }
            | WTypeKind::Arc4UFixedNxM { .. } => None,
        }
    }
    fn kept_in<'k>(self, arena: &'k Arena) -> WTypeKind<'k> {
        let text = |text: Option<&str>| text.map(|text| arena.str(text));
        match self {
            WTypeKind::Tuple { types, names, desc } => WTypeKind::Tuple {
                types: arena.slice(types),
                names: names.map(|names| {
                    arena.slice_of(names.iter().map(|name| arena.str(name)).collect())
                }),
                desc: text(desc),
            },
            WTypeKind::Arc4Struct { fields, frozen, desc } => WTypeKind::Arc4Struct {
                fields: arena.slice_of(
                    fields
                        .iter()
                        .map(|field| WTypeField {
                            name: arena.str(field.name),
                            wtype: field.wtype,
                            description: text(field.description),
                        })
                        .collect(),
                ),
                frozen,
                desc: text(desc),
            },
            WTypeKind::Arc4Tuple { types } => WTypeKind::Arc4Tuple { types: arena.slice(types) },
            WTypeKind::Basic(basic) => WTypeKind::Basic(basic),
            WTypeKind::Bytes { length } => WTypeKind::Bytes { length },
            WTypeKind::Enumeration { sequence_type } => WTypeKind::Enumeration { sequence_type },
            WTypeKind::GroupTransaction { transaction_type } => {
                WTypeKind::GroupTransaction { transaction_type }
            }
            WTypeKind::InnerTransactionFields { transaction_type } => {
                WTypeKind::InnerTransactionFields { transaction_type }
            }
            WTypeKind::AbiCallInnerTransactionFields { result_type } => {
                WTypeKind::AbiCallInnerTransactionFields { result_type }
            }
            WTypeKind::InnerTransaction { transaction_type } => {
                WTypeKind::InnerTransaction { transaction_type }
            }
            WTypeKind::ReferenceArray { element_type } => {
                WTypeKind::ReferenceArray { element_type }
            }
            WTypeKind::Arc4Basic => WTypeKind::Arc4Basic,
            WTypeKind::Arc4UIntN { n } => WTypeKind::Arc4UIntN { n },
            WTypeKind::Arc4UFixedNxM { n, m } => WTypeKind::Arc4UFixedNxM { n, m },
            WTypeKind::Arc4DynamicArray { element_type } => {
                WTypeKind::Arc4DynamicArray { element_type }
            }
            WTypeKind::Arc4StaticArray { element_type, array_size } => {
                WTypeKind::Arc4StaticArray { element_type, array_size }
            }
        }
    }
}

/// All facts of one occurrence of a type.
#[derive(Clone, Copy, Debug)]
pub struct WType<'s> {
    /// What it is made of.
    pub kind: WTypeKind<'s>,
    /// How messages call it.
    pub name: &'s str,
    /// Whether a value can change in place.
    pub immutable: bool,
    /// Whether it is an array, struct or tuple (an aliased ARC-4 array is not).
    pub is_aggregate: bool,
    /// Its stack type; none for types of several values, references and types without values.
    pub scalar_type: Option<ScalarType>,
    /// Whether a value can be put into storage.
    pub persistable: bool,
    /// The name ABI signatures use instead of the type's structure.
    pub arc4_alias: Option<&'s str>,
    /// Where the source wrote it.
    pub loc: Loc,
    /// Whether a tuple is part of it, so that equality must look closer.
    has_tuple: bool,
    /// Whether it is or has a submitted inner transaction or the fields of one.
    pub has_inner_transaction: bool,
}

impl WType<'_> {
    /// Whether a value is a handle to data elsewhere.
    pub fn is_reference(&self) -> bool {
        matches!(self.kind, WTypeKind::ReferenceArray { .. })
    }
}

/// The part of the facts that equality looks at.
#[derive(PartialEq, Eq, Hash)]
struct ClassKey<'s> {
    kind: WTypeKind<'s>,
    name: &'s str,
    immutable: bool,
    is_aggregate: bool,
}

impl<'s> WType<'s> {
    const fn draft(kind: WTypeKind<'s>, name: &'s str) -> Self {
        WType {
            kind,
            name,
            immutable: true,
            is_aggregate: false,
            scalar_type: None,
            persistable: false,
            arc4_alias: None,
            loc: Loc::NONE,
            has_tuple: false,
            has_inner_transaction: false,
        }
    }
    /// A type whose values are bytes that can be put into storage.
    const fn encoded(kind: WTypeKind<'s>, name: &'s str) -> Self {
        WType {
            scalar_type: Some(ScalarType::Bytes),
            persistable: true,
            ..WType::draft(kind, name)
        }
    }
    fn class_key(&self) -> ClassKey<'s> {
        let counts = matches!(
            self.kind,
            WTypeKind::GroupTransaction { .. }
                | WTypeKind::InnerTransactionFields { .. }
                | WTypeKind::InnerTransaction { .. }
                | WTypeKind::Arc4Basic
                | WTypeKind::Arc4Struct { .. }
        );
        let kind = match self.kind {
            WTypeKind::Tuple { types, names, .. } => WTypeKind::Tuple { types, names, desc: None },
            other => other,
        };
        ClassKey {
            kind,
            name: if counts { self.name } else { "" },
            immutable: self.immutable,
            is_aggregate: self.is_aggregate,
        }
    }
}

impl WType<'_> {
    /// Whether two types of one class agree in the facts that equality leaves out.
    fn is_same_occurrence(&self, other: &WType<'_>) -> bool {
        let occurrence = |child: WTypeId| child.occurrence;
        let children = self.kind.children().map(occurrence);
        if self.name != other.name
            || self.arc4_alias != other.arc4_alias
            || self.loc != other.loc
            || !children.eq(other.kind.children().map(occurrence))
        {
            return false;
        }
        match (self.kind, other.kind) {
            (WTypeKind::Tuple { desc: x, .. }, WTypeKind::Tuple { desc: y, .. }) => x == y,
            (WTypeKind::Arc4Struct { fields: x, .. }, WTypeKind::Arc4Struct { fields: y, .. }) => {
                x.iter().zip(y).all(|(x, y)| x.description == y.description)
            }
            _ => true,
        }
    }
}
