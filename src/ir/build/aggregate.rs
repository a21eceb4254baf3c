//! Tuples, structs and arrays: reading and writing by index, array operations. Spec 21 §13.1 to §13.3.
//! What appending needs of its operands is in `items.rs`.

use crate::awst::expr::{
    ArrayConcat, ArrayExtend, ArrayLength, ArrayPop, ArrayReplace, ConvertArray, ExprRef, NewArray,
};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Index, Source, SourceKind, Value};
use crate::ir::types::{Encoding, EncodingId, IrType, Shape};

use super::assign::Update;
use super::function::{Evaluated, FunctionBuilder};

/// Whether reading checks that an index is in bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// It does.
    Checked,
    /// The caller knows it is.
    Known,
}

/// The bytes behind a value of an aggregate type, and the element a path leads to.
struct Element {
    aggregate: EncodingId,
    encoding: EncodingId,
    shape: Shape,
}

impl<'s> FunctionBuilder<'_, 's> {
    /// An item of a native tuple.
    pub fn read_tuple_index(
        &self,
        tuple: WTypeId,
        values: &[Value],
        index: usize,
        loc: Loc,
    ) -> Outcome<Source> {
        let (item, range) = self.tuple_item_range(tuple, index, loc)?;
        let Some(values) = values.get(range) else {
            return Err(Failure::internal("a tuple has fewer values than its type", loc));
        };
        self.group(item, values.to_vec(), loc)
    }
    /// The shape of an item of a native tuple, and which of the tuple's values it is.
    fn tuple_item_range(
        &self,
        tuple: WTypeId,
        index: usize,
        loc: Loc,
    ) -> Outcome<(Shape, std::ops::Range<usize>)> {
        let pool = self.ir().pool;
        let Shape::Tuple(ty) = self.shape(tuple, loc)? else {
            return Err(Failure::internal("a tuple was expected", loc));
        };
        let elements = pool.tuple(ty).elements;
        let Some(item) = elements.get(index) else {
            return Err(Failure::internal("IndexError: tuple index out of range", loc));
        };
        let skipped = elements[..index].iter().map(|element| element.arity(pool)).sum();
        Ok((*item, skipped..skipped + item.arity(pool)))
    }
    /// An item of an aggregate, decoded: a value or a group of values.
    pub fn read_index(
        &mut self,
        aggregate: WTypeId,
        values: &[Value],
        indexes: &[Index],
        bounds: Bounds,
        loc: Loc,
    ) -> Outcome<Source> {
        if let Some(index) = self.native_index(aggregate, indexes, loc)? {
            return self.read_tuple_index(aggregate, values, index, loc);
        }
        let [base] = *values else {
            return Err(Failure::internal("an encoded aggregate is a single value", loc));
        };
        let base = self.read_if_slot(base, loc)?;
        let element = self.element_at(aggregate, indexes, loc)?;
        let source = self.extract(base, element.aggregate, indexes, bounds, loc);
        let item = self.materialise_value(source, self.item_name(element.aggregate))?;
        let decoded = self.decode(element.encoding, item, element.shape, None, loc);
        self.materialise_group(decoded, &["tmp"])
    }
    /// An aggregate with an item replaced by the encoding of `values`; the slot itself for one in a
    /// slot.
    pub fn write_index(
        &mut self,
        aggregate: WTypeId,
        base: Source,
        indexes: &[Index],
        values: &[Value],
        loc: Loc,
    ) -> Outcome<Source> {
        if let Some(index) = self.native_index(aggregate, indexes, loc)? {
            let (_, range) = self.tuple_item_range(aggregate, index, loc)?;
            let mut updated = self.materialise_values(base, &["new_values"])?;
            if range.end > updated.len() {
                return Err(Failure::internal("a tuple has fewer values than its type", loc));
            }
            updated.splice(range, values.iter().copied());
            return self.group(self.shape(aggregate, loc)?, updated, loc);
        }
        let base = self.materialise_value(base, "base")?;
        let element = self.element_at(aggregate, indexes, loc)?;
        let encoded = self.encode(element.encoding, values.to_vec(), element.shape, None, loc)?;
        let value = self.materialise_value(encoded, "encoded_value")?;
        let contents = self.read_if_slot(base, loc)?;
        let kind = SourceKind::ReplaceValue {
            base: contents,
            base_ty: IrType::Encoded(element.aggregate),
            indexes: indexes.to_vec(),
            value: value.into(),
        };
        let description =
            if self.is_tuple(element.aggregate) { "updated_tuple" } else { "updated_array" };
        let updated = self.materialise_value(Source { kind, loc }, description)?;
        if self.is_slot(base) {
            self.write_slot(base, updated, loc);
            return Ok(Source::value(base));
        }
        Ok(Source::value(updated))
    }
    /// The index into a native tuple; none for aggregates that are one encoded value.
    fn native_index(
        &self,
        aggregate: WTypeId,
        indexes: &[Index],
        loc: Loc,
    ) -> Outcome<Option<usize>> {
        match (self.kind(aggregate), indexes) {
            (WTypeKind::Tuple { .. }, [Index::Fixed(index)]) => {
                Ok(Some(usize::try_from(*index).expect("tuples are short")))
            }
            (WTypeKind::Tuple { .. }, _) => Err(Failure::internal("expected integer", loc)),
            _ => Ok(None),
        }
    }
    fn element_at(&self, aggregate: WTypeId, indexes: &[Index], loc: Loc) -> Outcome<Element> {
        let pool = self.ir().pool;
        let outer = self.encoding(aggregate, loc)?;
        let invalid = || {
            let name = self.build.wtypes.name(aggregate);
            Failure::internal(format!("invalid index sequence: aggregate={name}"), loc)
        };
        let (mut encoding, mut wtype) = (outer, aggregate);
        for index in indexes {
            let facts = pool.encoding(encoding);
            encoding = match (facts.tuple_elements(pool), facts.array(), index) {
                (Some(elements), _, Index::Fixed(index)) => {
                    let index = usize::try_from(*index).expect("tuples are short");
                    *elements.get(index).ok_or_else(invalid)?
                }
                (None, Some((element, ..)), _) => element,
                _ => return Err(invalid()),
            };
            let kind = self.kind(wtype);
            wtype = match (self.build.wtypes.item_types(wtype), kind.element_type(), index) {
                (Some(items), _, Index::Fixed(index)) => {
                    let index = usize::try_from(*index).expect("tuples are short");
                    *items.get(index).ok_or_else(invalid)?
                }
                (None, Some(element), _) => element,
                _ => return Err(invalid()),
            };
        }
        Ok(Element { aggregate: outer, encoding, shape: self.shape(wtype, loc)? })
    }
    fn is_tuple(&self, encoding: EncodingId) -> bool {
        let pool = self.ir().pool;
        pool.encoding(encoding).tuple_elements(pool).is_some()
    }
    fn item_name(&self, aggregate: EncodingId) -> &'static str {
        if self.is_tuple(aggregate) { "tuple_item" } else { "array_item" }
    }
    /// An element of an encoded aggregate, still encoded; a bit is a bool.
    fn extract(
        &self,
        base: Value,
        aggregate: EncodingId,
        indexes: &[Index],
        bounds: Bounds,
        loc: Loc,
    ) -> Source {
        let pool = self.ir().pool;
        let mut element = aggregate;
        for index in indexes {
            let facts = pool.encoding(element);
            element = match (facts.tuple_elements(pool), facts.array(), index) {
                (Some(elements), _, Index::Fixed(index)) => {
                    elements[usize::try_from(*index).expect("tuples are short")]
                }
                (_, Some((item, ..)), _) => item,
                _ => unreachable!("the path was followed before"),
            };
        }
        let is_bit = pool.encoding(element).is_bit();
        let kind = SourceKind::ExtractValue {
            base,
            base_ty: IrType::Encoded(aggregate),
            indexes: indexes.to_vec(),
            check_bounds: bounds == Bounds::Checked,
            ty: if is_bit { IrType::Bool } else { IrType::Encoded(element) },
        };
        Source { kind, loc }
    }

    /// Number of items of an array, not materialised.
    pub fn array_length(&mut self, array: WTypeId, value: Value, loc: Loc) -> Outcome<Source> {
        let encoding = self.encoding(array, loc)?;
        Ok(self.length_of(encoding, value, loc))
    }
    /// Number of items of an array of an encoding, not materialised.
    pub(super) fn length_of(&self, array_encoding: EncodingId, base: Value, loc: Loc) -> Source {
        let base_ty = base.ty(self.ir().pool);
        Source { kind: SourceKind::ArrayLength { base, base_ty, array_encoding }, loc }
    }
    /// The encoding of an array that can grow.
    pub(super) fn growable_encoding(&self, array: WTypeId, loc: Loc) -> Outcome<EncodingId> {
        match self.kind(array) {
            WTypeKind::ReferenceArray { .. } | WTypeKind::Arc4DynamicArray { .. } => {
                self.encoding(array, loc)
            }
            _ => {
                let name = self.build.wtypes.name(array);
                Err(Failure::internal(format!("unsupported array type: {name}"), loc))
            }
        }
    }
    /// An array without its last item, and that item, decoded.
    pub fn pop_item(&mut self, array: WTypeId, value: Value, loc: Loc) -> Outcome<(Value, Source)> {
        let pool = self.ir().pool;
        let encoding = self.growable_encoding(array, loc)?;
        let (Some((element, ..)), Some(element_wtype)) =
            (pool.encoding(encoding).array(), self.kind(array).element_type())
        else {
            return Err(Failure::internal("an array was expected", loc));
        };
        if pool.encoding(element).encoding == Encoding::Utf8 {
            return Err(Failure::code("unsupported pop operation", loc));
        }
        let shape = self.shape(element_wtype, loc)?;
        let length = self.length_of(encoding, value, loc);
        let length = self.materialise_value(length, "tmp")?;
        let last = self.make(loc).on_error("cannot pop from empty array").sub(length, 1u64);
        let indexes = [Index::Value(last.into())];
        let item = self.extract(value, encoding, &indexes, Bounds::Known, loc);
        let item = self.materialise_value(item, "tmp")?;
        let item = self.decode(element, item, shape, None, loc);
        let item = self.materialise_group(item, &["tmp"])?;
        let kind = SourceKind::ArrayPop { base: value, base_ty: IrType::Encoded(encoding) };
        let shorter = self.materialise_value(Source { kind, loc }, "tmp")?;
        Ok((shorter, item))
    }

    /// A new array.
    pub fn visit_new_array(&mut self, node: &'s NewArray<'s>) -> Evaluated {
        let loc = node.loc;
        let encoding = self.encoding(node.wtype, loc)?;
        let types: Vec<WTypeId> = node.values.iter().map(|value| value.wtype()).collect();
        let tuple = self.build.wtypes.tuple(&types, loc)?;
        let shape = self.shape(tuple, loc)?;
        let mut values = Vec::new();
        for value in node.values {
            values.extend(self.visit_values(value)?);
        }
        let encoded = self.encode(encoding, values, shape, None, loc)?;
        let array = self.materialise_value(encoded, "encoded_array")?;
        let ty = self.ir_type(node.wtype, loc)?;
        let IrType::Slot(_) = ty else { return Ok(Some(Source::value(array))) };
        let slot = self.new_slot(ty, loc)?;
        self.write_slot(slot, array, loc);
        Ok(Some(Source::value(slot)))
    }
    /// The number of items.
    pub fn visit_array_length(&mut self, node: &'s ArrayLength<'s>) -> Evaluated {
        let array = self.visit_value(node.array)?;
        self.array_length(node.array.wtype(), array, node.loc).map(Some)
    }
    /// Removes the last item and returns it.
    pub fn visit_array_pop(&mut self, node: &'s ArrayPop<'s>) -> Evaluated {
        let base = self.visit_value(node.base)?;
        let array = self.read_if_slot(base, node.loc)?;
        let (shorter, item) = self.pop_item(node.base.wtype(), array, node.loc)?;
        self.store_array(node.base, base, shorter, node.loc)?;
        Ok(Some(item))
    }
    /// A new array of both operands' items.
    pub fn visit_array_concat(&mut self, node: &'s ArrayConcat<'s>) -> Evaluated {
        let (_, result) = self.concat_operands(node.left, node.right, node.loc)?;
        Ok(Some(Source::value(result)))
    }
    /// Appends items in place.
    pub fn visit_array_extend(&mut self, node: &'s ArrayExtend<'s>) -> Evaluated {
        let (base, result) = self.concat_operands(node.base, node.other, node.loc)?;
        self.store_array(node.base, base, result, node.loc)?;
        Ok(None)
    }
    /// Puts a changed array where the array was: into its slot, or back into what it was read from.
    fn store_array(
        &mut self,
        target: ExprRef<'s>,
        base: Value,
        array: Value,
        loc: Loc,
    ) -> Outcome<()> {
        if self.is_slot(base) {
            self.write_slot(base, array, loc);
        } else {
            self.assign_to(target, Source::value(array), Update::InPlace, loc)?;
        }
        Ok(())
    }
    /// The array operand as it was evaluated, and the array with the other's items appended.
    fn concat_operands(
        &mut self,
        array: ExprRef<'s>,
        other: ExprRef<'s>,
        loc: Loc,
    ) -> Outcome<(Value, Value)> {
        let base = self.visit_value(array)?;
        let mut items = self.visit_group(other)?;
        let mut shape = self.shape(other.wtype(), loc)?;
        // Reading the slots last makes an array that is appended to itself whole.
        if let SourceKind::Value(slot) = items.kind
            && let IrType::Slot(contents) = slot.ty(self.ir().pool)
        {
            shape = Shape::One(IrType::Encoded(contents));
            items = Source::value(self.read_slot(slot, loc)?);
        }
        let contents = self.read_if_slot(base, loc)?;
        let result = self.concat_items(array.wtype(), contents, items, shape, loc)?;
        Ok((base, result))
    }
    /// The array with one item replaced.
    pub fn visit_array_replace(&mut self, node: &'s ArrayReplace<'s>) -> Evaluated {
        let array = self.visit_value(node.base)?;
        let index = self.visit_value(node.index)?;
        let values = self.visit_values(node.value)?;
        let base = Source::value(array);
        let indexes = [Index::Value(index)];
        self.write_index(node.base.wtype(), base, &indexes, &values, node.loc).map(Some)
    }
    /// One kind of array to another.
    pub fn visit_convert_array(&mut self, node: &'s ConvertArray<'s>) -> Evaluated {
        let loc = node.loc;
        let source = self.visit_value(node.expr)?;
        let ty = self.ir_type(node.wtype, loc)?;
        let target = self.encoding(node.wtype, loc)?;
        let source_encoding = self.encoding(node.expr.wtype(), loc)?;
        let source = self.read_if_slot(source, loc)?;
        let Some(array) = self.convert(source, source_encoding, target, loc)? else {
            return Ok(Some(Source::value(Value::Undefined(ty, loc))));
        };
        let IrType::Slot(_) = ty else { return Ok(Some(Source::value(array))) };
        let slot = self.new_slot(ty, loc)?;
        self.write_slot(slot, array, loc);
        Ok(Some(Source::value(slot)))
    }
    /// An encoded array in another encoding of the same items; none after a reported mistake.
    fn convert(
        &mut self,
        source: Value,
        source_encoding: EncodingId,
        target_encoding: EncodingId,
        loc: Loc,
    ) -> Outcome<Option<Value>> {
        let pool = self.ir().pool;
        let array = |encoding| {
            let array = pool.encoding(encoding).array();
            array.ok_or_else(|| Failure::internal("an array was expected", loc))
        };
        let (target_element, target_size, target_header) = array(target_encoding)?;
        let (mut element, mut size, mut header) = array(source_encoding)?;
        let mut source = source;
        let length = self.length_of(source_encoding, source, loc);
        let length = self.materialise_value(length, "tmp")?;
        match (pool.encoding(element).encoding, pool.encoding(target_element).encoding) {
            (Encoding::Bool, Encoding::Bool8) => {
                self.error(
                    "converting from a bitpacked bool array to an non-bitpacked bool array is \
                     currently unsupported",
                    loc,
                );
                return Ok(None);
            }
            (Encoding::Bool8, Encoding::Bool) => {
                let packed = pool.dynamic_array_encoding(target_element, true);
                let kind = SourceKind::ArrayConcat {
                    base: self.make(loc).constant_bytes(&[0, 0]),
                    base_ty: IrType::Encoded(packed),
                    items: source.into(),
                    item_encoding: element,
                    num_items: length,
                };
                source = self.materialise_value(Source { kind, loc }, "bit_packed_source")?;
                (element, size, header) = (target_element, None, true);
            }
            _ => {}
        }
        if element != target_element {
            let message = "array elements must have equivalent encoding to be convertible";
            self.error(message, loc);
            return Ok(None);
        }
        match (size, target_size) {
            (None, Some(target_size)) => {
                let mut make = self.make(loc);
                let is_equal = make.eq(length, target_size);
                make.assert_value(is_equal, "invalid input length");
            }
            (Some(size), Some(target_size)) if size != target_size => {
                self.error("static size conversion cannot add or remove elements", loc);
                return Ok(None);
            }
            _ => {}
        }
        let mut make = self.make(loc);
        Ok(Some(match (header, target_header) {
            (true, false) => make.named("converted_array").extract_to_end(source, 2u64).into(),
            (false, true) => {
                let length = make.as_u16_bytes(length);
                make.typed(IrType::Encoded(target_encoding));
                make.named("converted_array").concat(length, source).into()
            }
            _ => source,
        }))
    }
}
