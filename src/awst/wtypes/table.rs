//! The table of types: the parts of a type in, its id out, with the checks a type makes when it is made.
//! Spec 10 §10.

use std::cell::{Cell, RefCell};

use super::predefined::{self, PREDEFINED};
use super::{ClassKey, ScalarType, WType, WTypeField, WTypeId, WTypeKind};
use crate::avm::fields::{TransactionType, TxnField};
use crate::base::arena::Arena;
use crate::base::ordered::{LookupMap, LookupSet, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome, Sink};

/// The name of the type of transactions of a kind, or of any kind.
macro_rules! transaction_name {
    ($prefix:literal, $kind:expr) => {
        match $kind {
            None => $prefix,
            Some(TransactionType::Pay) => concat!($prefix, "_pay"),
            Some(TransactionType::Keyreg) => concat!($prefix, "_keyreg"),
            Some(TransactionType::Acfg) => concat!($prefix, "_acfg"),
            Some(TransactionType::Axfer) => concat!($prefix, "_axfer"),
            Some(TransactionType::Afrz) => concat!($prefix, "_afrz"),
            Some(TransactionType::Appl) => concat!($prefix, "_appl"),
        }
    };
}

/// Room for the types of small documents.
const TYPES_EXPECTED: usize = 48;

/// The types of one compilation.
pub struct WTypes<'s> {
    arena: &'s Arena,
    entries: RefCell<Vec<&'s WType<'s>>>,
    /// The classes that are not predefined.
    classes: RefCell<LookupMap<ClassKey<'s>, u32>>,
    /// The last occurrence of each class.
    last: RefCell<Vec<u32>>,
    /// Of each occurrence, the one of its class before it.
    before: RefCell<Vec<Option<u32>>>,
    /// The types of submitted inner transactions of any kind and of each kind, as far as somebody asked.
    submitted: [Cell<Option<WTypeId>>; TransactionType::ALL.len() + 1],
    /// Whether some type has an inner transaction.
    some_inner_transaction: Cell<bool>,
}

impl<'s> WTypes<'s> {
    /// A table with the predefined types.
    pub fn new(arena: &'s Arena) -> Self {
        let count = PREDEFINED.len();
        let mut entries = Vec::with_capacity(TYPES_EXPECTED);
        entries.extend(PREDEFINED.iter());
        let mut last = Vec::with_capacity(TYPES_EXPECTED);
        last.extend(0..count as u32);
        let mut before = Vec::with_capacity(TYPES_EXPECTED);
        before.resize(count, None);
        Self {
            arena,
            entries: RefCell::new(entries),
            classes: RefCell::new(LookupMap::new()),
            last: RefCell::new(last),
            before: RefCell::new(before),
            submitted: Default::default(),
            some_inner_transaction: Cell::new(false),
        }
    }

    /// The facts of a type.
    pub fn get(&self, id: WTypeId) -> &'s WType<'s> {
        self.entries.borrow()[id.occurrence as usize]
    }
    /// Whether a type is or has a submitted inner transaction or the fields of one.
    #[inline]
    pub fn has_inner_transaction(&self, id: WTypeId) -> bool {
        self.some_inner_transaction.get() && self.get(id).has_inner_transaction
    }
    /// What a type is made of.
    pub fn kind(&self, id: WTypeId) -> WTypeKind<'s> {
        self.get(id).kind
    }
    /// How messages call a type.
    pub fn name(&self, id: WTypeId) -> &'s str {
        self.get(id).name
    }
    /// The types of the items, if this is a native or ARC-4 tuple, or an ARC-4 struct.
    pub fn item_types(&self, id: WTypeId) -> Option<Vec<WTypeId>> {
        match self.kind(id) {
            WTypeKind::Tuple { types, .. } | WTypeKind::Arc4Tuple { types } => Some(types.to_vec()),
            WTypeKind::Arc4Struct { fields, .. } => {
                Some(fields.iter().map(|field| field.wtype).collect())
            }
            _ => None,
        }
    }
    /// The names of the items of a named tuple or struct; empty for every other type.
    pub fn item_names(&self, id: WTypeId) -> Vec<&'s str> {
        match self.kind(id) {
            WTypeKind::Tuple { names: Some(names), .. } => names.to_vec(),
            WTypeKind::Arc4Struct { fields, .. } => fields.iter().map(|field| field.name).collect(),
            _ => Vec::new(),
        }
    }
    /// Position and type of the field `name` of a named tuple or struct.
    pub fn field(&self, id: WTypeId, name: &str) -> Option<(usize, WTypeId)> {
        match self.kind(id) {
            WTypeKind::Tuple { types, names: Some(names), .. } => {
                let index = names.iter().position(|item| *item == name)?;
                Some((index, types[index]))
            }
            WTypeKind::Arc4Struct { fields, .. } => {
                let index = fields.iter().position(|field| field.name == name)?;
                Some((index, fields[index].wtype))
            }
            _ => None,
        }
    }
    /// Whether an expression of this type may give a transaction field's value. Spec 10 §15.
    pub fn is_valid_field_argument(&self, field: TxnField, id: WTypeId) -> bool {
        let expected = self.get(WTypeId::of_field(field)).scalar_type;
        match self.kind(id) {
            WTypeKind::Tuple { types, .. } if field.is_array() => {
                types.iter().all(|item| self.get(*item).scalar_type == expected)
            }
            _ => !field.is_array() && self.get(id).scalar_type == expected,
        }
    }
    /// Whether the reference takes two types for equal.
    pub fn equal(&self, a: WTypeId, b: WTypeId) -> bool {
        if a == b {
            return true;
        }
        let (x, y) = (self.get(a), self.get(b));
        if !(x.has_tuple && y.has_tuple) {
            return false;
        }
        let all_equal = |xs: &[WTypeId], ys: &[WTypeId]| {
            xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| self.equal(*x, *y))
        };
        match (x.kind, y.kind) {
            (
                WTypeKind::Tuple { types: xs, names: x_names, .. },
                WTypeKind::Tuple { types: ys, names: y_names, .. },
            ) => {
                all_equal(xs, ys) && (x_names.is_none() || y_names.is_none() || x_names == y_names)
            }
            (
                WTypeKind::Enumeration { sequence_type: x },
                WTypeKind::Enumeration { sequence_type: y },
            )
            | (
                WTypeKind::AbiCallInnerTransactionFields { result_type: x },
                WTypeKind::AbiCallInnerTransactionFields { result_type: y },
            )
            | (
                WTypeKind::ReferenceArray { element_type: x },
                WTypeKind::ReferenceArray { element_type: y },
            ) => self.equal(x, y),
            (WTypeKind::Arc4Tuple { types: xs }, WTypeKind::Arc4Tuple { types: ys }) => {
                all_equal(xs, ys)
            }
            (
                WTypeKind::Arc4DynamicArray { element_type: ex },
                WTypeKind::Arc4DynamicArray { element_type: ey },
            ) => {
                x.immutable == y.immutable && x.is_aggregate == y.is_aggregate && self.equal(ex, ey)
            }
            (
                WTypeKind::Arc4StaticArray { element_type: ex, array_size: nx },
                WTypeKind::Arc4StaticArray { element_type: ey, array_size: ny },
            ) => {
                nx == ny
                    && x.immutable == y.immutable
                    && x.is_aggregate == y.is_aggregate
                    && self.equal(ex, ey)
            }
            (
                WTypeKind::Arc4Struct { fields: xs, frozen: fx, desc: dx },
                WTypeKind::Arc4Struct { fields: ys, frozen: fy, desc: dy },
            ) => {
                x.name == y.name
                    && fx == fy
                    && dx == dy
                    && xs.len() == ys.len()
                    && xs
                        .iter()
                        .zip(ys)
                        .all(|(x, y)| x.name == y.name && self.equal(x.wtype, y.wtype))
            }
            _ => false,
        }
    }

    fn intern(&self, mut draft: WType<'_>) -> WTypeId {
        for child in draft.kind.children() {
            let child = self.get(child);
            draft.has_tuple |= child.has_tuple;
            draft.has_inner_transaction |= child.has_inner_transaction;
        }
        draft.has_tuple |= matches!(draft.kind, WTypeKind::Tuple { .. });
        draft.has_inner_transaction |= draft.kind.is_inner_transaction_fields()
            || matches!(draft.kind, WTypeKind::InnerTransaction { .. });
        let found = predefined::class_of(&draft).or_else(|| {
            let classes = self.classes.borrow();
            let classes: &LookupMap<ClassKey<'_>, u32> = &classes;
            classes.get(&draft.class_key()).copied()
        });
        if let Some(class) = found {
            let (entries, before) = (self.entries.borrow(), self.before.borrow());
            let mut candidate = Some(self.last.borrow()[class as usize]);
            while let Some(occurrence) = candidate {
                if draft.is_same_occurrence(entries[occurrence as usize]) {
                    return WTypeId { class, occurrence };
                }
                candidate = before[occurrence as usize];
            }
        }
        let kept: &'s WType<'s> = self.arena.alloc(WType {
            kind: draft.kind.kept_in(self.arena),
            name: self.arena.str(draft.name),
            arc4_alias: draft.arc4_alias.map(|alias| self.arena.str(alias)),
            ..draft
        });
        if kept.has_inner_transaction {
            self.some_inner_transaction.set(true);
        }
        let mut entries = self.entries.borrow_mut();
        let occurrence = u32::try_from(entries.len()).expect("fewer than 2^32 types");
        entries.push(kept);
        let mut last = self.last.borrow_mut();
        let class = found.unwrap_or_else(|| {
            let class = u32::try_from(last.len()).expect("fewer than 2^32 types");
            self.classes.borrow_mut().insert(kept.class_key(), class);
            class
        });
        let before = match last.get_mut(class as usize) {
            Some(last) => Some(std::mem::replace(last, occurrence)),
            None => {
                last.push(occurrence);
                None
            }
        };
        self.before.borrow_mut().push(before);
        WTypeId { class, occurrence }
    }

    /// `bytes` or `bytes[n]`
    pub fn bytes(&self, length: Option<u64>) -> WTypeId {
        if let Some(known) = predefined::bytes(length) {
            return known;
        }
        let name = length.map_or_else(|| "bytes".to_owned(), |length| format!("bytes[{length}]"));
        self.intern(WType::encoded(WTypeKind::Bytes { length }, &name))
    }
    /// The sequence of pairs that an enumeration yields.
    pub fn enumeration(&self, sequence_type: WTypeId) -> WTypeId {
        let name = format!("enumerate_{}", self.name(sequence_type));
        self.intern(WType::draft(WTypeKind::Enumeration { sequence_type }, &name))
    }
    /// A transaction of the group; `name` only where the document gives one.
    pub fn group_transaction(
        &self,
        transaction_type: Option<TransactionType>,
        name: Option<&str>,
    ) -> WTypeId {
        let name = name.unwrap_or(transaction_name!("group_transaction", transaction_type));
        self.intern(WType {
            scalar_type: Some(ScalarType::UInt64),
            ..WType::draft(WTypeKind::GroupTransaction { transaction_type }, name)
        })
    }
    /// The fields of an inner transaction being put together.
    pub fn inner_transaction_fields(
        &self,
        transaction_type: Option<TransactionType>,
        name: Option<&str>,
    ) -> WTypeId {
        let name = name.unwrap_or(transaction_name!("inner_transaction_fields", transaction_type));
        self.intern(WType::draft(WTypeKind::InnerTransactionFields { transaction_type }, name))
    }
    /// The fields of an inner transaction that calls an ABI method.
    pub fn abi_call_inner_transaction_fields(&self, result_type: WTypeId) -> WTypeId {
        self.intern(WType::draft(
            WTypeKind::AbiCallInnerTransactionFields { result_type },
            "abi_call_inner_transaction_fields",
        ))
    }
    /// A submitted inner transaction.
    pub fn inner_transaction(
        &self,
        transaction_type: Option<TransactionType>,
        name: Option<&str>,
    ) -> WTypeId {
        let kind = WTypeKind::InnerTransaction { transaction_type };
        match name {
            Some(name) => self.intern(WType::draft(kind, name)),
            None => {
                let known = &self.submitted[transaction_type.map_or(0, |kind| kind as usize + 1)];
                known.get().unwrap_or_else(|| {
                    let name = transaction_name!("inner_transaction", transaction_type);
                    let made = self.intern(WType::draft(kind, name));
                    known.set(Some(made));
                    made
                })
            }
        }
    }
    /// An array reached through a reference; illegal elements are reported and kept.
    pub fn reference_array(&self, element_type: WTypeId, loc: Loc, sink: &Sink) -> WTypeId {
        let element = self.get(element_type);
        if element_type == WTypeId::VOID {
            sink.error("array element type cannot be void", loc);
        } else if !element.immutable {
            sink.error("reference arrays must have immutable elements", loc);
        }
        let name = format!("ref_array<{}>", element.name);
        self.intern(WType {
            immutable: false,
            is_aggregate: true,
            loc,
            ..WType::draft(WTypeKind::ReferenceArray { element_type }, &name)
        })
    }
    /// A native tuple without field names.
    pub fn tuple(&self, types: &[WTypeId], loc: Loc) -> Outcome<WTypeId> {
        self.tuple_with(types, None, None, None, loc)
    }
    /// A native tuple; `name` only where the document gives one.
    pub fn tuple_with(
        &self,
        types: &[WTypeId],
        names: Option<&[&str]>,
        name: Option<&str>,
        desc: Option<&str>,
        loc: Loc,
    ) -> Outcome<WTypeId> {
        if types.contains(&WTypeId::VOID) {
            return Err(Failure::code("tuple should not contain void types", loc));
        }
        if let Some(names) = names {
            if names.len() != types.len() {
                let message = "mismatch between tuple item names length and types";
                return Err(Failure::internal(message, Loc::NONE));
            }
            if !repeated(names.iter().copied()).is_empty() {
                return Err(Failure::code("tuple item names are not unique", loc));
            }
        }
        let derived;
        let name = match name {
            Some(name) => name,
            None => {
                derived = format!("tuple<{}>", self.names_of(types));
                &derived
            }
        };
        Ok(self.intern(WType {
            immutable: types.iter().all(|item| self.get(*item).immutable),
            persistable: types.iter().all(|item| self.get(*item).persistable),
            is_aggregate: true,
            loc,
            ..WType::draft(WTypeKind::Tuple { types, names, desc }, name)
        }))
    }
    /// `ARC4Type` itself, by name.
    pub fn arc4_basic(&self, name: &str, arc4_alias: Option<&str>) -> WTypeId {
        self.intern(WType { arc4_alias, ..WType::encoded(WTypeKind::Arc4Basic, name) })
    }
    /// An ARC-4 integer of `n` bits.
    pub fn arc4_uint_n(&self, n: i64, arc4_alias: Option<&str>, loc: Loc) -> Outcome<WTypeId> {
        let n = bit_size(n, loc)?;
        let name = format!("arc4.uint{n}");
        Ok(self.intern(WType {
            arc4_alias,
            loc,
            ..WType::encoded(WTypeKind::Arc4UIntN { n }, &name)
        }))
    }
    /// An ARC-4 fixed point number of `n` bits and `m` decimals.
    pub fn arc4_ufixed_nxm(
        &self,
        n: i64,
        m: i64,
        arc4_alias: Option<&str>,
        loc: Loc,
    ) -> Outcome<WTypeId> {
        let n = bit_size(n, loc)?;
        let m = match u32::try_from(m) {
            Ok(m @ 1..=160) => m,
            _ => {
                let message = "Precision must be between 1 and 160 inclusive";
                return Err(Failure::code(message, loc));
            }
        };
        let name = format!("arc4.ufixed{n}x{m}");
        Ok(self.intern(WType {
            arc4_alias,
            loc,
            ..WType::encoded(WTypeKind::Arc4UFixedNxM { n, m }, &name)
        }))
    }
    /// An ARC-4 tuple.
    pub fn arc4_tuple(&self, types: &[WTypeId], loc: Loc) -> Outcome<WTypeId> {
        if types.iter().any(|item| !self.get(*item).persistable) {
            let message = "ARC-4 tuples can only contain persistable elements";
            return Err(Failure::code(message, loc));
        }
        let name = format!("arc4.tuple<{}>", self.names_of(types));
        Ok(self.intern(WType {
            immutable: types.iter().all(|item| self.get(*item).immutable),
            is_aggregate: true,
            loc,
            ..WType::encoded(WTypeKind::Arc4Tuple { types }, &name)
        }))
    }
    /// An ARC-4 array of any length.
    pub fn arc4_dynamic_array(
        &self,
        element_type: WTypeId,
        immutable: bool,
        arc4_alias: Option<&str>,
        loc: Loc,
    ) -> Outcome<WTypeId> {
        self.check_element(element_type, immutable, loc)?;
        let name = format!("arc4.dynamic_array<{}>", self.name(element_type));
        Ok(self.intern(WType {
            immutable,
            is_aggregate: arc4_alias.is_none(),
            arc4_alias,
            loc,
            ..WType::encoded(WTypeKind::Arc4DynamicArray { element_type }, &name)
        }))
    }
    /// An ARC-4 array of a fixed length.
    pub fn arc4_static_array(
        &self,
        element_type: WTypeId,
        array_size: u64,
        immutable: bool,
        arc4_alias: Option<&str>,
        loc: Loc,
    ) -> Outcome<WTypeId> {
        self.check_element(element_type, immutable, loc)?;
        let name = format!("arc4.static_array<{}, {array_size}>", self.name(element_type));
        Ok(self.intern(WType {
            immutable,
            is_aggregate: arc4_alias.is_none(),
            arc4_alias,
            loc,
            ..WType::encoded(WTypeKind::Arc4StaticArray { element_type, array_size }, &name)
        }))
    }
    /// The checks an ARC-4 array makes of its element type.
    pub(in crate::awst) fn check_element(
        &self,
        element_type: WTypeId,
        immutable: bool,
        loc: Loc,
    ) -> Outcome<()> {
        let element = self.get(element_type);
        if !element.persistable {
            return Err(Failure::code("arrays can only contain persistable elements", loc));
        }
        if immutable && !element.immutable {
            return Err(Failure::code("immutable arrays must have immutable elements", loc));
        }
        Ok(())
    }
    /// An ARC-4 struct.
    pub fn arc4_struct(
        &self,
        name: &str,
        fields: &[WTypeField<'_>],
        frozen: bool,
        desc: Option<&str>,
        loc: Loc,
    ) -> Outcome<WTypeId> {
        let refuse = |problem: &str, names: Vec<&str>| {
            Err(Failure::code(
                format!(
                    "invalid ARC-4 Struct declaration, the following fields are not {problem}: {}",
                    names.join(", ")
                ),
                loc,
            ))
        };
        let is_passing = |field: &&WTypeField<'_>| !self.get(field.wtype).persistable;
        let passing: Vec<&str> = fields.iter().filter(is_passing).map(|field| field.name).collect();
        if !passing.is_empty() {
            return refuse("persistable", passing);
        }
        let repeated = repeated(fields.iter().map(|field| field.name));
        if !repeated.is_empty() {
            return refuse("unique", repeated);
        }
        Ok(self.intern(WType {
            immutable: frozen && fields.iter().all(|field| self.get(field.wtype).immutable),
            is_aggregate: true,
            loc,
            ..WType::encoded(WTypeKind::Arc4Struct { fields, frozen, desc }, name)
        }))
    }
    fn names_of(&self, types: &[WTypeId]) -> String {
        types.iter().map(|item| self.name(*item)).collect::<Vec<_>>().join(",")
    }
}

fn bit_size(n: i64, loc: Loc) -> Outcome<u32> {
    if n % 8 != 0 {
        return Err(Failure::code("Bit size must be multiple of 8", loc));
    }
    match u32::try_from(n) {
        Ok(n @ 8..=512) => Ok(n),
        _ => Err(Failure::code("Bit size must be between 8 and 512 inclusive", loc)),
    }
}

/// The names that occur more than once, each once, in order of first appearance.
fn repeated<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Vec<&'n str> {
    let mut seen = LookupSet::new();
    if names.clone().all(|name| seen.insert(name)) {
        return Vec::new();
    }
    let mut counts: OrderedMap<&str, usize> = OrderedMap::default();
    names.for_each(|name| *counts.entry(name).or_insert(0) += 1);
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_and_names_stay_with_their_occurrence() {
        let arena = Arena::new();
        let types = WTypes::new(&arena);
        let plain = types.arc4_uint_n(8, None, Loc::NONE).unwrap();
        assert_eq!(plain, WTypeId::ARC4_BYTE);
        assert_eq!(types.get(plain).arc4_alias, None);
        assert_eq!(types.get(WTypeId::ARC4_BYTE).arc4_alias, Some("byte"));
        let string = types.arc4_dynamic_array(plain, true, None, Loc::NONE).unwrap();
        assert_ne!(string, WTypeId::ARC4_STRING, "an alias makes an array no aggregate");
        assert_eq!(types.name(string), "arc4.dynamic_array<arc4.uint8>");
        let again = types.arc4_dynamic_array(plain, true, None, Loc::NONE).unwrap();
        assert_eq!((again.class, again.occurrence), (string.class, string.occurrence));
    }

    #[test]
    fn field_names_count_only_when_both_tuples_have_them() {
        let arena = Arena::new();
        let types = WTypes::new(&arena);
        let items = [WTypeId::UINT64, WTypeId::BOOL];
        let bare = types.tuple(&items, Loc::NONE).unwrap();
        let named = |names: &[&str]| {
            types.tuple_with(&items, Some(names), Some("N"), None, Loc::NONE).unwrap()
        };
        let (ab, cd) = (named(&["a", "b"]), named(&["c", "d"]));
        assert!(types.equal(bare, ab) && types.equal(bare, cd) && !types.equal(ab, cd));
        let nest = |item| types.arc4_tuple(&[item], Loc::NONE).unwrap();
        assert!(types.equal(nest(bare), nest(ab)) && !types.equal(nest(ab), nest(cd)));
        assert_eq!(types.field(ab, "b"), Some((1, WTypeId::BOOL)));
    }

    #[test]
    fn illegal_types_are_refused_with_the_reference_texts() {
        let arena = Arena::new();
        let types = WTypes::new(&arena);
        let text = |outcome: Outcome<WTypeId>| match outcome {
            Err(Failure::Code(message, _) | Failure::Internal(message, _)) => message,
            other => format!("{other:?}"),
        };
        assert_eq!(text(types.arc4_uint_n(12, None, Loc::NONE)), "Bit size must be multiple of 8");
        assert_eq!(
            text(types.tuple(&[WTypeId::VOID], Loc::NONE)),
            "tuple should not contain void types"
        );
        let field = |name| WTypeField { name, wtype: WTypeId::UINT64, description: None };
        assert_eq!(
            text(types.arc4_struct(
                "S",
                &[field("b"), field("a"), field("b")],
                true,
                None,
                Loc::NONE
            )),
            "invalid ARC-4 Struct declaration, the following fields are not unique: b"
        );
    }
}
