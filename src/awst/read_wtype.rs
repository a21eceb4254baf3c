//! JSON type objects -> types, and the checks nodes make of their operands' types. Spec 10 §10.

use super::expr::ExprRef;
use super::read::{J, Outcome, Reader, broken, fails, refuses};
use super::read_words::{Key, Object, Tag};
use super::wtypes::{BasicType, WTypeField, WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::Failure;

/// Classes of types that a node may accept.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Bytes,
    Tuple,
    ReferenceArray,
    InnerTransactionFields,
    InnerTransaction,
    Arc4Type,
    Arc4UIntN,
    Arc4Tuple,
    Arc4Array,
    Arc4DynamicArray,
    Arc4StaticArray,
    Arc4Struct,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Bytes => "BytesWType",
            Class::Tuple => "WTuple",
            Class::ReferenceArray => "ReferenceArray",
            Class::InnerTransactionFields => "WInnerTransactionFields",
            Class::InnerTransaction => "WInnerTransaction",
            Class::Arc4Type => "ARC4Type",
            Class::Arc4UIntN => "ARC4UIntN",
            Class::Arc4Tuple => "ARC4Tuple",
            Class::Arc4Array => "ARC4Array",
            Class::Arc4DynamicArray => "ARC4DynamicArray",
            Class::Arc4StaticArray => "ARC4StaticArray",
            Class::Arc4Struct => "ARC4Struct",
        }
    }
    fn covers(self, kind: &WTypeKind<'_>) -> bool {
        match self {
            Class::Bytes => matches!(kind, WTypeKind::Bytes { .. }),
            Class::Tuple => matches!(kind, WTypeKind::Tuple { .. }),
            Class::ReferenceArray => matches!(kind, WTypeKind::ReferenceArray { .. }),
            Class::InnerTransactionFields => kind.is_inner_transaction_fields(),
            Class::InnerTransaction => matches!(kind, WTypeKind::InnerTransaction { .. }),
            Class::Arc4Type => kind.is_arc4(),
            Class::Arc4UIntN => matches!(kind, WTypeKind::Arc4UIntN { .. }),
            Class::Arc4Tuple => matches!(kind, WTypeKind::Arc4Tuple { .. }),
            Class::Arc4Array => kind.is_arc4_array(),
            Class::Arc4DynamicArray => matches!(kind, WTypeKind::Arc4DynamicArray { .. }),
            Class::Arc4StaticArray => matches!(kind, WTypeKind::Arc4StaticArray { .. }),
            Class::Arc4Struct => matches!(kind, WTypeKind::Arc4Struct { .. }),
        }
    }
}

impl<'s> Reader<'_, 's> {
    // ---- checks ----

    /// Whether a type is of one of the classes.
    pub(super) fn is_one_of(&self, wtype: WTypeId, classes: &[Class]) -> bool {
        let kind = self.wtypes.kind(wtype);
        classes.iter().any(|class| class.covers(&kind))
    }
    /// Checks the type of an operand; `place` is `Class.field`.
    pub(super) fn expect(
        &self,
        place: &str,
        expr: ExprRef<'s>,
        types: &[WTypeId],
        classes: &[Class],
    ) -> Outcome<()> {
        self.check_type(place, expr.wtype(), types, classes, |name| {
            format!("expression of WType {name} received")
        })
    }
    /// Checks the type a node was given; `place` is `Class.field`.
    pub(super) fn expect_set(
        &self,
        place: &str,
        wtype: WTypeId,
        types: &[WTypeId],
        classes: &[Class],
    ) -> Outcome<()> {
        self.check_type(place, wtype, types, classes, |name| format!("set to {name}"))
    }
    fn check_type(
        &self,
        place: &str,
        wtype: WTypeId,
        types: &[WTypeId],
        classes: &[Class],
        found: impl Fn(&str) -> String,
    ) -> Outcome<()> {
        if types.contains(&wtype) || self.is_one_of(wtype, classes) {
            return Ok(());
        }
        let names = types.iter().map(|wtype| self.name(*wtype));
        let names: Vec<&str> = names.chain(classes.iter().map(|class| class.name())).collect();
        Err(broken(
            format!("{place}: {}, expected {}", found(self.name(wtype)), names.join(" or ")),
            Loc::NONE,
        ))
    }

    // ---- types ----

    /// The name of a type.
    pub(super) fn name(&self, wtype: WTypeId) -> &'s str {
        self.wtypes.name(wtype)
    }
    /// A type of any class.
    pub(super) fn wtype(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.remembered_type(json, |reader| reader.new_wtype(json))
    }
    fn new_wtype(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        let object = self.object(json);
        let tag = self.tag(object)?;
        self.nested(|reader| match tag {
            Tag::WType => reader.basic_type(object),
            Tag::BytesWType => reader.sized_bytes(object),
            Tag::WEnumeration => {
                reader.immutable_flag(object)?;
                let sequence_type = reader.field(object, Key::SequenceType, Self::wtype)?;
                Ok(reader.wtypes.enumeration(sequence_type))
            }
            Tag::WGroupTransaction => reader.group_transaction(object),
            Tag::WInnerTransactionFields | Tag::WABICallInnerTransactionFields => {
                reader.inner_transaction_fields(object)
            }
            Tag::WInnerTransaction => {
                reader.immutable_flag(object)?;
                let name = reader.optional_field(object, Key::Name, Self::text)?;
                let kind = reader.field(object, Key::TransactionType, |r, j| {
                    r.nullable(j, Self::transaction_type)
                })?;
                Ok(reader.wtypes.inner_transaction(kind, name))
            }
            Tag::ReferenceArray => reader.array(object),
            Tag::WTuple => reader.tuple(object),
            _ => reader.arc4_type_tagged(tag, object),
        })
    }
    /// A type where the document need not say of which class it is: what `read` makes of it. What a type
    /// that is tagged as one of the classes was read as is remembered.
    fn type_as(
        &mut self,
        classes: &[Tag],
        json: J<'s>,
        read: fn(&mut Self, Object<'s>) -> Outcome<WTypeId>,
    ) -> Outcome<WTypeId> {
        let object = self.object(json);
        match self.memory.words.known_tag(object) {
            Some(tag) if classes.contains(&tag) => {
                self.remembered_type(json, |reader| read(reader, object))
            }
            _ => read(self, object),
        }
    }
    /// An ARC-4 type of any class.
    pub(super) fn arc4_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        const CLASSES: &[Tag] = &[
            Tag::ARC4Type,
            Tag::ARC4UIntN,
            Tag::ARC4UFixedNxM,
            Tag::ARC4Tuple,
            Tag::ARC4DynamicArray,
            Tag::ARC4StaticArray,
            Tag::ARC4Struct,
        ];
        self.type_as(CLASSES, json, Self::arc4)
    }
    fn arc4(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let tag = self.tag(object)?;
        self.nested(|reader| reader.arc4_type_tagged(tag, object))
    }
    fn arc4_type_tagged(&mut self, tag: Tag, object: Object<'s>) -> Outcome<WTypeId> {
        match tag {
            Tag::ARC4Type => {
                self.immutable_flag(object)?;
                let alias = self.alias(object)?;
                let name = self.field(object, Key::Name, Self::text)?;
                Ok(self.wtypes.arc4_basic(name, alias))
            }
            Tag::ARC4UIntN => {
                let alias = self.alias(object)?;
                let loc = self.type_loc(object)?;
                let n = self.field(object, Key::N, Self::bit_count)?;
                Ok(self.wtypes.arc4_uint_n(n, alias, loc)?)
            }
            Tag::ARC4UFixedNxM => self.ufixed(object),
            Tag::ARC4Tuple => {
                let loc = self.type_loc(object)?;
                let types = self.field(object, Key::Types, |r, j| r.slice(j, Self::wtype))?;
                Ok(self.wtypes.arc4_tuple(types, loc)?)
            }
            Tag::ARC4DynamicArray | Tag::ARC4StaticArray => self.array(object),
            Tag::ARC4Struct => self.structure(object),
            Tag::ARC4Array | Tag::WTypeInstance | Tag::ARC4WTypeInstance => Err(refuses(format!(
                "Can't instantiate abstract class {} without an implementation for abstract \
                 method 'accept'",
                tag.text()
            ))),
            _ => Err(self.unknown_tag(object)),
        }
    }
    fn immutable_flag(&mut self, object: Object<'s>) -> Outcome<()> {
        match self.optional_field(object, Key::Immutable, Self::truth)? {
            Some(false) => Err(not_immutable("True")),
            _ => Ok(()),
        }
    }
    fn alias(&mut self, object: Object<'s>) -> Outcome<Option<&'s str>> {
        Ok(self.optional_field(object, Key::Arc4Alias, Self::nullable_text)?.flatten())
    }
    fn type_loc(&mut self, object: Object<'s>) -> Outcome<Loc> {
        let loc =
            self.optional_field(object, Key::SourceLocation, |r, j| r.nullable(j, Self::loc))?;
        Ok(loc.flatten().unwrap_or(Loc::NONE))
    }
    fn basic_type(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let immutable = self.optional_field(object, Key::Immutable, Self::truth)?;
        let name = self.field(object, Key::Name, Self::text)?;
        let Some(basic) = BasicType::of(name) else { return Err(fails(repr(name))) };
        if immutable == Some(false) {
            return Err(not_immutable("False"));
        }
        Ok(basic.id())
    }
    /// `BytesWType`
    pub(super) fn bytes_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::BytesWType], json, Self::sized_bytes)
    }
    fn sized_bytes(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let length = self.field(object, Key::Length, |r, j| r.nullable(j, Self::small_int))?;
        let length = length.map(|length| self.length("length", length)).transpose()?;
        Ok(self.wtypes.bytes(length))
    }
    /// `WGroupTransaction`
    pub(super) fn group_transaction_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::WGroupTransaction], json, Self::group_transaction)
    }
    fn group_transaction(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        self.immutable_flag(object)?;
        let name = self.optional_field(object, Key::Name, Self::text)?;
        let kind =
            self.field(object, Key::TransactionType, |r, j| r.nullable(j, Self::transaction_type))?;
        Ok(self.wtypes.group_transaction(kind, name))
    }
    /// `WInnerTransactionFields` or its subclass, by tag.
    pub(super) fn inner_transaction_fields_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(
            &[Tag::WInnerTransactionFields, Tag::WABICallInnerTransactionFields],
            json,
            Self::inner_transaction_fields,
        )
    }
    fn inner_transaction_fields(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        match self.tag(object)? {
            Tag::WABICallInnerTransactionFields => self.abi_call_fields(object),
            Tag::WInnerTransactionFields => {
                self.immutable_flag(object)?;
                let name = self.optional_field(object, Key::Name, Self::text)?;
                let kind = self.field(object, Key::TransactionType, |r, j| {
                    r.nullable(j, Self::transaction_type)
                })?;
                Ok(self.wtypes.inner_transaction_fields(kind, name))
            }
            _ => Err(self.unknown_tag(object)),
        }
    }
    /// `WABICallInnerTransactionFields`
    pub(super) fn abi_call_fields_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::WABICallInnerTransactionFields], json, Self::abi_call_fields)
    }
    fn abi_call_fields(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        self.immutable_flag(object)?;
        let result_type = self.optional_field(object, Key::ResultType, Self::wtype)?;
        let result_type = result_type.unwrap_or(WTypeId::VOID);
        Ok(self.wtypes.abi_call_inner_transaction_fields(result_type))
    }
    /// `WTuple`
    pub(super) fn tuple_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::WTuple], json, Self::tuple)
    }
    fn tuple(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let loc = self.type_loc(object)?;
        let name = self.optional_field(object, Key::Name, Self::text)?;
        let names = self.optional_field(object, Key::Names, |reader, json| {
            reader.nullable(json, |r, j| r.slice(j, Self::text))
        })?;
        let desc = self.optional_field(object, Key::Desc, Self::nullable_text)?;
        let types = self.field(object, Key::Types, |r, j| r.slice(j, Self::wtype))?;
        Ok(self.wtypes.tuple_with(types, names.flatten(), name, desc.flatten(), loc)?)
    }
    /// One of the array types, by tag.
    pub(super) fn array_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(
            &[Tag::ReferenceArray, Tag::ARC4DynamicArray, Tag::ARC4StaticArray],
            json,
            Self::array,
        )
    }
    fn array(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        match self.tag(object)? {
            Tag::ReferenceArray => {
                let element_type = self.field(object, Key::ElementType, Self::wtype)?;
                let loc =
                    self.field(object, Key::SourceLocation, |r, j| r.nullable(j, Self::loc))?;
                let loc = loc.unwrap_or(Loc::NONE);
                Ok(self.wtypes.reference_array(element_type, loc, &self.session.sink))
            }
            tag @ (Tag::ARC4DynamicArray | Tag::ARC4StaticArray) => {
                let alias = self.alias(object)?;
                let loc = self.type_loc(object)?;
                let immutable = self.optional_field(object, Key::Immutable, Self::truth)?;
                let immutable = immutable.unwrap_or(false);
                let element_type = self.field(object, Key::ElementType, Self::wtype)?;
                let wtypes = self.wtypes;
                if tag == Tag::ARC4DynamicArray {
                    return Ok(wtypes.arc4_dynamic_array(element_type, immutable, alias, loc)?);
                }
                let array_size = self.field(object, Key::ArraySize, Self::small_int)?;
                wtypes.check_element(element_type, immutable, loc)?;
                let size = self.length("array_size", array_size)?;
                Ok(wtypes.arc4_static_array(element_type, size, immutable, alias, loc)?)
            }
            _ => Err(self.unknown_tag(object)),
        }
    }
    /// `ARC4UFixedNxM`
    pub(super) fn ufixed_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::ARC4UFixedNxM], json, Self::ufixed)
    }
    fn ufixed(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let alias = self.alias(object)?;
        let loc = self.type_loc(object)?;
        let n = self.field(object, Key::N, Self::bit_count)?;
        let m = self.field(object, Key::M, Self::bit_count)?;
        Ok(self.wtypes.arc4_ufixed_nxm(n, m, alias, loc)?)
    }
    /// `ARC4Struct`
    pub(super) fn struct_type(&mut self, json: J<'s>) -> Outcome<WTypeId> {
        self.type_as(&[Tag::ARC4Struct], json, Self::structure)
    }
    fn structure(&mut self, object: Object<'s>) -> Outcome<WTypeId> {
        let loc = self.type_loc(object)?;
        let desc = self.optional_field(object, Key::Desc, Self::nullable_text)?;
        let name = self.field(object, Key::Name, Self::text)?;
        let fields = self.field(object, Key::Fields, |reader, json| {
            reader.slice(json, |reader, json| {
                let object = reader.object(json);
                let description =
                    reader.optional_field(object, Key::Description, Self::nullable_text)?;
                let name = reader.field(object, Key::Name, Self::text)?;
                let wtype = reader.field(object, Key::Wtype, Self::wtype)?;
                Ok(WTypeField { name, wtype, description: description.flatten() })
            })
        })?;
        let frozen = self.field(object, Key::Frozen, Self::truth)?;
        Ok(self.wtypes.arc4_struct(name, fields, frozen, desc.flatten(), loc)?)
    }
}

/// The exception of the reference's validation library shows the validated field.
fn not_immutable(inherited: &str) -> Box<Failure> {
    refuses(format!(
        "(\"'immutable' must be in [True] (got False)\", Attribute(name='immutable', default=True, \
         validator=<in_ validator with options [True]>, repr=True, eq=True, eq_key=None, \
         order=True, order_key=None, hash=None, init=True, metadata=mappingproxy({{}}), \
         type=<class 'bool'>, converter=None, kw_only=True, inherited={inherited}, \
         on_setattr=None, alias='immutable'), [True], False)"
    ))
}
