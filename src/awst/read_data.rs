//! JSON expression objects -> expressions: arrays, tuples, structs, state and inner transactions.
//! Spec 10 §12.

use super::expr::{
    AppAccountStateExpression, AppStateExpression, ArrayConcat, ArrayExtend, ArrayLength, ArrayPop,
    ArrayReplace, BoxValueExpression, ConvertArray, CreateInnerTransaction, ExprRef,
    FieldExpression, GroupTransactionReference, IndexExpression, InnerTransactionField,
    IntersectionSliceExpression, MapPrefixedKeyExpression, NamedExprs, NamedTupleExpression,
    NewArray, NewStruct, SliceBound, SliceExpression, StageInnerTransactions, StateDelete,
    StateExists, StateGet, StateGetEx, SubmitInnerTransaction, TupleExpression,
    TupleItemExpression, TxnFields, UpdateInnerTransaction,
};
use super::read::{J, Outcome, Reader, broken, fails, mistake};
use super::read_scalar::{hashable, repr_of};
use super::read_words::{Key, Object, Tag};
use super::read_wtype::Class;
use super::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::Failure;
use crate::json::{Kind, is_integer};
use crate::metadata::StorageKind;

/// What an array operation can take its items from.
const ITEM_SOURCES: &[Class] =
    &[Class::ReferenceArray, Class::Arc4Array, Class::Tuple, Class::Arc4Tuple];

impl<'s> Reader<'_, 's> {
    /// An expression of the classes read here.
    pub(super) fn data_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::ConvertArray
            | Tag::ArrayConcat
            | Tag::ArrayExtend
            | Tag::ArrayPop
            | Tag::ArrayReplace
            | Tag::NewArray
            | Tag::ArrayLength => self.array_expr(tag, object),
            Tag::TupleExpression
            | Tag::TupleItemExpression
            | Tag::NamedTupleExpression
            | Tag::FieldExpression
            | Tag::NewStruct => self.tuple_expr(tag, object),
            Tag::IndexExpression | Tag::SliceExpression | Tag::IntersectionSliceExpression => {
                self.part_expr(tag, object)
            }
            Tag::AppStateExpression
            | Tag::AppAccountStateExpression
            | Tag::BoxValueExpression
            | Tag::MapPrefixedKeyExpression
            | Tag::StateGet
            | Tag::StateGetEx
            | Tag::StateExists
            | Tag::StateDelete => self.state_expr(tag, object),
            Tag::CreateInnerTransaction
            | Tag::UpdateInnerTransaction
            | Tag::StageInnerTransactions
            | Tag::SubmitInnerTransaction
            | Tag::InnerTransactionField
            | Tag::GroupTransactionReference => self.transaction_expr(tag, object),
            _ => Err(self.unknown_tag(object)),
        }
    }
    fn element_type(&self, array: ExprRef<'s>) -> Option<WTypeId> {
        self.wtypes.kind(array.wtype()).element_type()
    }

    // ---- arrays ----

    fn array_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let growable = &[Class::Arc4DynamicArray, Class::ReferenceArray];
        match tag {
            Tag::ConvertArray => {
                let loc = self.loc_field(object)?;
                let expr = self.field(object, Key::Expr, Self::expr)?;
                let wtype = self.field(object, Key::Wtype, Self::array_type)?;
                let arrays =
                    &[Class::Arc4DynamicArray, Class::Arc4StaticArray, Class::ReferenceArray];
                self.expect("ConvertArray.expr", expr, &[], arrays)?;
                self.keep(ConvertArray { loc, wtype, expr })
            }
            Tag::ArrayConcat => {
                let loc = self.loc_field(object)?;
                let left = self.field(object, Key::Left, Self::expr)?;
                let right = self.field(object, Key::Right, Self::expr)?;
                if !self.is_one_of(left.wtype(), &[Class::Arc4DynamicArray]) {
                    let message = "unsupported type for concatenation left operand";
                    return Err(mistake(message, loc));
                }
                self.expect("ArrayConcat.right", right, &[], ITEM_SOURCES)?;
                self.keep(ArrayConcat { loc, wtype: left.wtype(), left, right })
            }
            Tag::ArrayExtend => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::VOID);
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                let other = self.field(object, Key::Other, Self::expr)?;
                self.expect("ArrayExtend.base", base, &[], growable)?;
                self.expect("ArrayExtend.other", other, &[], ITEM_SOURCES)?;
                let bools = [WTypeId::BOOL, WTypeId::ARC4_BOOL];
                if self.is_one_of(base.wtype(), &[Class::ReferenceArray])
                    && self.element_type(base).is_some_and(|element| bools.contains(&element))
                    && !self.is_one_of(other.wtype(), &[Class::ReferenceArray, Class::Tuple])
                {
                    let message = "extending a reference array with an ARC-4 encoded bool type is \
                                   not supported";
                    return Err(mistake(message, loc));
                }
                if wtype != WTypeId::VOID && !self.wtypes.equal(wtype, base.wtype()) {
                    let message = "ArrayExtend should be constructed with either a void return \
                                   type, or the type of the array being extended";
                    return Err(broken(message, loc));
                }
                self.keep(ArrayExtend { loc, wtype, base, other })
            }
            Tag::ArrayPop => {
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                self.expect("ArrayPop.base", base, &[], growable)?;
                let wtype = self.element_type(base).unwrap_or(WTypeId::VOID);
                self.keep(ArrayPop { loc, wtype, base })
            }
            Tag::ArrayReplace => {
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                let index = self.field(object, Key::Index, Self::expr)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let element = match self.element_type(base) {
                    Some(element) if self.is_one_of(base.wtype(), &[Class::Arc4Array]) => element,
                    _ => {
                        let name = self.name(base.wtype());
                        let message = format!("Unsupported base for ArrayReplace: {name}");
                        return Err(broken(message, loc));
                    }
                };
                self.expect("ArrayReplace.index", index, &[WTypeId::UINT64], &[])?;
                if !self.wtypes.equal(value.wtype(), element) {
                    let message = "value type should match array element type";
                    return Err(mistake(message, value.loc()));
                }
                self.keep(ArrayReplace { loc, wtype: base.wtype(), base, index, value })
            }
            Tag::NewArray => {
                let values = self.optional_field(object, Key::Values, Self::exprs)?;
                let values = values.unwrap_or_default();
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::array_type)?;
                let element = self.wtypes.kind(wtype).element_type();
                for value in values {
                    if !element.is_some_and(|element| self.wtypes.equal(value.wtype(), element)) {
                        let message = "element type does not match array type";
                        self.session.sink.error(message, value.loc());
                    }
                }
                self.keep(NewArray { loc, wtype, values })
            }
            _ => {
                let loc = self.loc_field(object)?;
                let array = self.field(object, Key::Array, Self::expr)?;
                let arrays = &[Class::ReferenceArray, Class::Arc4Array];
                self.expect("ArrayLength.array", array, &[], arrays)?;
                self.keep(ArrayLength { loc, wtype: WTypeId::UINT64, array })
            }
        }
    }

    // ---- tuples and structs ----

    fn tuple_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let loc = self.loc_field(object)?;
        match tag {
            Tag::TupleExpression => {
                let items = self.field(object, Key::Items, Self::exprs)?;
                let wtype = self.field(object, Key::Wtype, Self::tuple_type)?;
                let matches = match self.wtypes.kind(wtype) {
                    WTypeKind::Tuple { types, .. } => {
                        types.len() == items.len()
                            && items
                                .iter()
                                .zip(types)
                                .all(|(item, wtype)| self.wtypes.equal(item.wtype(), *wtype))
                    }
                    _ => false,
                };
                if !matches {
                    return Err(mistake("Tuple type mismatch", loc));
                }
                self.keep(TupleExpression { loc, wtype, items })
            }
            Tag::TupleItemExpression => {
                let base = self.field(object, Key::Base, Self::expr)?;
                let index = self.field(object, Key::Index, Self::int)?;
                let types = match self.wtypes.kind(base.wtype()) {
                    WTypeKind::Tuple { types, .. } | WTypeKind::Arc4Tuple { types } => types,
                    _ => {
                        let name = self.name(base.wtype());
                        return Err(broken(
                            format!("Tuple item expression should be for a tuple type, got {name}"),
                            loc,
                        ));
                    }
                };
                let invalid = || mistake("invalid index into tuple expression", loc);
                let index: i64 = index.text().parse().map_err(|_| invalid())?;
                let length = i64::try_from(types.len()).map_err(|_| invalid())?;
                let from_start = if index < 0 { index.saturating_add(length) } else { index };
                let position = usize::try_from(from_start).map_err(|_| invalid())?;
                let wtype = *types.get(position).ok_or_else(invalid)?;
                self.keep(TupleItemExpression { loc, wtype, base, index })
            }
            Tag::NamedTupleExpression => {
                let wtype = self.field(object, Key::Wtype, Self::tuple_type)?;
                let values = self.field(object, Key::Values, Self::named_exprs)?;
                if let WTypeKind::Tuple { names: None, .. } = self.wtypes.kind(wtype) {
                    let message = "underlying tuple wtype has no field names";
                    return Err(broken(message, Loc::NONE));
                }
                self.check_fields(wtype, values, "invalid", loc)?;
                self.keep(NamedTupleExpression { loc, wtype, values })
            }
            Tag::NewStruct => {
                let wtype = self.field(object, Key::Wtype, Self::struct_type)?;
                let values = self.field(object, Key::Values, Self::named_exprs)?;
                self.check_fields(wtype, values, "Invalid", loc)?;
                self.keep(NewStruct { loc, wtype, values })
            }
            _ => {
                let base = self.field(object, Key::Base, Self::expr)?;
                let name = self.field(object, Key::Name, Self::text)?;
                if !self.is_one_of(base.wtype(), &[Class::Arc4Struct, Class::Tuple]) {
                    return Err(fails(""));
                }
                let Some((_, wtype)) = self.wtypes.field(base.wtype(), name) else {
                    let base = self.name(base.wtype());
                    return Err(mistake(format!("invalid field for {base}"), loc));
                };
                self.keep(FieldExpression { loc, wtype, base, name })
            }
        }
    }
    /// Whether every field of a type has a value of its type; `invalid` begins the message.
    fn check_fields(
        &self,
        wtype: WTypeId,
        values: NamedExprs<'s>,
        invalid: &str,
        loc: Loc,
    ) -> Outcome<()> {
        let names = self.wtypes.item_names(wtype);
        let is_field = |name: &str| names.contains(&name);
        if values.len() != names.len() || !values.iter().all(|(name, _)| is_field(name)) {
            return Err(mistake(format!("{invalid} argument(s)"), loc));
        }
        let fits = |(name, value): &(&str, ExprRef<'s>)| {
            let field = self.wtypes.field(wtype, name);
            field.is_some_and(|(_, wtype)| self.wtypes.equal(value.wtype(), wtype))
        };
        if !values.iter().all(fits) {
            return Err(mistake(format!("{invalid} argument type(s)"), loc));
        }
        Ok(())
    }

    // ---- parts of bytes, arrays and tuples ----

    fn part_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::IndexExpression => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                let index = self.field(object, Key::Index, Self::expr)?;
                let kind = self.wtypes.kind(base.wtype());
                let is_bytes = matches!(kind, WTypeKind::Bytes { .. });
                let wtype = match (wtype, kind.element_type()) {
                    (Some(wtype), _) => wtype,
                    (None, _) if is_bytes => WTypeId::BYTES1,
                    (None, Some(element)) => element,
                    (None, None) => {
                        let name = self.name(base.wtype());
                        let message = format!("unexpected wtype of indexable: {name}");
                        return Err(broken(message, loc));
                    }
                };
                let indexable = &[Class::Bytes, Class::Arc4Array, Class::ReferenceArray];
                self.expect("IndexExpression.base", base, &[], indexable)?;
                self.expect("IndexExpression.index", index, &[WTypeId::UINT64], &[])?;
                let is_valid = match kind.element_type() {
                    Some(element) => self.wtypes.equal(element, wtype),
                    None => is_bytes && [WTypeId::BYTES, WTypeId::BYTES1].contains(&wtype),
                };
                if !is_valid {
                    return Err(self.invalid_result(wtype, "indexing", base, loc));
                }
                self.keep(IndexExpression { loc, wtype, base, index })
            }
            Tag::SliceExpression => {
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                let begin_index = self.field(object, Key::BeginIndex, Self::nullable_expr)?;
                let end_index = self.field(object, Key::EndIndex, Self::nullable_expr)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                self.expect("SliceExpression.base", base, &[], &[Class::Bytes, Class::Tuple])?;
                let is_valid = matches!(
                    (self.wtypes.kind(base.wtype()), self.wtypes.kind(wtype)),
                    (WTypeKind::Bytes { .. }, WTypeKind::Bytes { length: None })
                        | (WTypeKind::Tuple { .. }, WTypeKind::Tuple { .. })
                );
                if !is_valid {
                    return Err(self.invalid_result(wtype, "slicing", base, loc));
                }
                self.keep(SliceExpression { loc, wtype, base, begin_index, end_index })
            }
            _ => {
                let loc = self.loc_field(object)?;
                let base = self.field(object, Key::Base, Self::expr)?;
                let begin_index = self.field(object, Key::BeginIndex, Self::slice_bound)?;
                let end_index = self.field(object, Key::EndIndex, Self::slice_bound)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let sliceable = &[Class::Bytes, Class::Tuple, Class::Arc4DynamicArray];
                self.expect("IntersectionSliceExpression.base", base, &[], sliceable)?;
                let is_valid = match (self.wtypes.kind(base.wtype()), self.wtypes.kind(wtype)) {
                    (WTypeKind::Bytes { .. }, WTypeKind::Bytes { length: None })
                    | (WTypeKind::Tuple { .. }, WTypeKind::Tuple { .. }) => true,
                    (
                        WTypeKind::Arc4DynamicArray { element_type: from },
                        WTypeKind::Arc4DynamicArray { element_type: to },
                    ) => self.wtypes.equal(from, to),
                    _ => false,
                };
                if !is_valid {
                    return Err(self.invalid_result(wtype, "slicing", base, loc));
                }
                self.keep(IntersectionSliceExpression { loc, wtype, base, begin_index, end_index })
            }
        }
    }
    fn invalid_result(
        &self,
        wtype: WTypeId,
        operation: &str,
        base: ExprRef<'s>,
        loc: Loc,
    ) -> Box<Failure> {
        let (result, base) = (self.name(wtype), self.name(base.wtype()));
        broken(format!("invalid result type {result} for {operation} of {base}"), loc)
    }
    fn slice_bound(&mut self, json: J<'s>) -> Outcome<Option<SliceBound<'s>>> {
        match json.kind() {
            Kind::Null => Ok(None),
            Kind::Bool(_) => Ok(Some(SliceBound::Int(self.int(json)?))),
            Kind::Int(_) => Ok(Some(SliceBound::Int(self.int(json)?))),
            Kind::Number(text) if is_integer(text) => Ok(Some(SliceBound::Int(self.int(json)?))),
            _ => Ok(Some(SliceBound::Expr(self.expr(json)?))),
        }
    }

    // ---- state ----

    fn state_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::AppStateExpression => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let key = self.field(object, Key::Key, Self::expr)?;
                let exists_assertion_message =
                    self.field(object, Key::ExistsAssertionMessage, Self::nullable_text)?;
                self.expect("AppStateExpression.key", key, &[WTypeId::STATE_KEY], &[])?;
                self.keep(AppStateExpression { loc, wtype, key, exists_assertion_message })
            }
            Tag::AppAccountStateExpression => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let key = self.field(object, Key::Key, Self::expr)?;
                let exists_assertion_message =
                    self.field(object, Key::ExistsAssertionMessage, Self::nullable_text)?;
                let account = self.field(object, Key::Account, Self::expr)?;
                self.expect("AppAccountStateExpression.key", key, &[WTypeId::STATE_KEY], &[])?;
                let accounts = &[WTypeId::ACCOUNT, WTypeId::UINT64];
                self.expect("AppAccountStateExpression.account", account, accounts, &[])?;
                self.keep(AppAccountStateExpression {
                    loc,
                    wtype,
                    key,
                    exists_assertion_message,
                    account,
                })
            }
            Tag::BoxValueExpression => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let key = self.field(object, Key::Key, Self::expr)?;
                let exists_assertion_message =
                    self.field(object, Key::ExistsAssertionMessage, Self::nullable_text)?;
                self.expect("BoxValueExpression.key", key, &[WTypeId::BOX_KEY], &[])?;
                self.keep(BoxValueExpression { loc, wtype, key, exists_assertion_message })
            }
            Tag::MapPrefixedKeyExpression => {
                let loc = self.loc_field(object)?;
                let prefix = self.field(object, Key::Prefix, Self::expr)?;
                let key = self.field(object, Key::Key, Self::expr)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let keys = &[WTypeId::BOX_KEY, WTypeId::STATE_KEY];
                self.expect_set("MapPrefixedKeyExpression.wtype", wtype, keys, &[])?;
                self.keep(MapPrefixedKeyExpression { loc, wtype, prefix, key })
            }
            Tag::StateGet => {
                let loc = self.loc_field(object)?;
                let field = self.field(object, Key::Field, Self::storage_expr)?;
                let default = self.field(object, Key::Default, Self::expr)?;
                if !self.wtypes.equal(field.wtype(), default.wtype()) {
                    let message = "Default state value should match storage type";
                    return Err(mistake(message, default.loc()));
                }
                self.keep(StateGet { loc, wtype: field.wtype(), field, default })
            }
            Tag::StateGetEx => {
                let loc = self.loc_field(object)?;
                let field = self.field(object, Key::Field, Self::storage_expr)?;
                let wtype = self.wtypes.tuple(&[field.wtype(), WTypeId::BOOL], loc)?;
                self.keep(StateGetEx { loc, wtype, field })
            }
            Tag::StateExists => {
                let loc = self.loc_field(object)?;
                let field = self.field(object, Key::Field, Self::storage_expr)?;
                self.keep(StateExists { loc, wtype: WTypeId::BOOL, field })
            }
            _ => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::VOID);
                let loc = self.loc_field(object)?;
                let field = self.field(object, Key::Field, Self::storage_expr)?;
                let (kind, is_box) = match field.storage_kind() {
                    Some(StorageKind::Local) => ("account_local", false),
                    Some(StorageKind::Box) => ("box", true),
                    Some(StorageKind::Global) | None => ("app_global", false),
                };
                if wtype != WTypeId::VOID && !(is_box && wtype == WTypeId::BOOL) {
                    let name = self.name(wtype);
                    self.session.sink.critical(
                        format!(
                            "invalid expression type for StateDelete of AppStorageKind.{kind}: \
                             {name}"
                        ),
                        loc,
                    );
                }
                self.keep(StateDelete { loc, wtype, field })
            }
        }
    }

    // ---- transactions ----

    fn check_txn_fields(&self, fields: TxnFields<'s>) -> Outcome<()> {
        fields.iter().try_for_each(|(field, value)| {
            if self.wtypes.is_valid_field_argument(*field, value.wtype()) {
                Ok(())
            } else {
                Err(mistake("invalid type for field", value.loc()))
            }
        })
    }
    fn transaction_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::CreateInnerTransaction => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::inner_transaction_fields_type)?;
                let fields = self.field(object, Key::Fields, Self::txn_fields)?;
                self.check_txn_fields(fields)?;
                self.keep(CreateInnerTransaction { loc, wtype, fields })
            }
            Tag::UpdateInnerTransaction => {
                let loc = self.loc_field(object)?;
                let itxn = self.field(object, Key::Itxn, Self::expr)?;
                let fields = self.field(object, Key::Fields, Self::txn_fields)?;
                let classes = &[Class::InnerTransactionFields];
                self.expect("UpdateInnerTransaction.itxn", itxn, &[], classes)?;
                self.check_txn_fields(fields)?;
                self.keep(UpdateInnerTransaction { loc, wtype: WTypeId::VOID, itxn, fields })
            }
            Tag::StageInnerTransactions => {
                let loc = self.loc_field(object)?;
                let itxns = self.field(object, Key::Itxns, Self::exprs)?;
                let start_new_group = self.field(object, Key::StartNewGroup, Self::expr)?;
                let is_fields = |expr: ExprRef<'s>| {
                    self.wtypes.kind(expr.wtype()).is_inner_transaction_fields()
                };
                if let Some(other) = itxns.iter().find(|expr| !is_fields(expr)) {
                    return Err(mistake("expected an inner transaction", other.loc()));
                }
                let place = "StageInnerTransactions.start_new_group";
                self.expect(place, start_new_group, &[WTypeId::BOOL], &[])?;
                let wtype = WTypeId::VOID;
                self.keep(StageInnerTransactions { loc, wtype, itxns, start_new_group })
            }
            Tag::SubmitInnerTransaction => {
                let loc = self.loc_field(object)?;
                let itxns = self.field(object, Key::Itxns, Self::exprs)?;
                let mut types = Vec::with_capacity(itxns.len());
                for itxn in itxns {
                    let kind = match self.wtypes.kind(itxn.wtype()) {
                        WTypeKind::InnerTransactionFields { transaction_type } => transaction_type,
                        WTypeKind::AbiCallInnerTransactionFields { .. } => {
                            Some(crate::avm::fields::TransactionType::Appl)
                        }
                        _ => {
                            let message = "invalid expression type for submit";
                            return Err(mistake(message, itxn.loc()));
                        }
                    };
                    types.push(self.wtypes.inner_transaction(kind, None));
                }
                let wtype = match types[..] {
                    [single] => single,
                    _ => self.wtypes.tuple(&types, loc)?,
                };
                self.keep(SubmitInnerTransaction { loc, wtype, itxns })
            }
            Tag::InnerTransactionField => {
                let array_index =
                    self.optional_field(object, Key::ArrayIndex, Self::nullable_expr)?;
                let array_index = array_index.flatten();
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let itxn = self.field(object, Key::Itxn, Self::expr)?;
                let field = self.field(object, Key::Field, |reader, json| {
                    hashable(json)?;
                    match json.as_str() {
                        Some(name) => reader.txn_field(name),
                        None => Err(fails(repr_of(json))),
                    }
                })?;
                self.expect("InnerTransactionField.itxn", itxn, &[], &[Class::InnerTransaction])?;
                if array_index.is_some() != field.is_array() {
                    let no = if array_index.is_some() { "" } else { "no " };
                    let message = format!(
                        "Inconsistent field and array_index combination: TxnField.{} and {no}array \
                         provided",
                        field.name()
                    );
                    return Err(broken(message, loc));
                }
                let of_field = WTypeId::of_field(field);
                if self.wtypes.get(wtype).scalar_type != self.wtypes.get(of_field).scalar_type {
                    let message = format!(
                        "wtype of field {} is {} which is not compatible with specified result \
                         type {}",
                        field.name(),
                        self.name(of_field),
                        self.name(wtype)
                    );
                    return Err(broken(message, loc));
                }
                self.keep(InnerTransactionField { loc, wtype, itxn, field, array_index })
            }
            _ => {
                let loc = self.loc_field(object)?;
                let index = self.field(object, Key::Index, Self::expr)?;
                let wtype = self.field(object, Key::Wtype, Self::group_transaction_type)?;
                let number = &[WTypeId::UINT64];
                self.expect("GroupTransactionReference.index", index, number, &[])?;
                self.keep(GroupTransactionReference { loc, wtype, index })
            }
        }
    }
}
