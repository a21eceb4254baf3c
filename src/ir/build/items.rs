//! Appending to arrays: the items of a tuple or array as the bytes that are appended. Spec 21 §13.3.

use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Source, SourceKind, Value};
use crate::ir::types::{Encoding, EncodingId, IrType, Shape, TupleTypeId};

use super::function::FunctionBuilder;

/// Encoded items without a length header. Of items that are byte strings, only the tails.
struct EncodedItems {
    items: Value,
    num_items: Value,
    item_encoding: EncodingId,
}

impl FunctionBuilder<'_, '_> {
    /// An array with the items of a value or group of values appended.
    pub fn concat_items(
        &mut self,
        array: WTypeId,
        value: Value,
        items: Source,
        items_shape: Shape,
        loc: Loc,
    ) -> Outcome<Value> {
        let pool = self.ir().pool;
        let encoding = self.growable_encoding_for(array, items_shape, loc)?;
        let Some((element, ..)) = pool.encoding(encoding).array() else {
            return Err(Failure::internal("can only concat arrays", loc));
        };
        let is_byte_string = pool.encoding(element).is_byte_length_dynamic_array(pool);
        let encoded = match items_shape {
            Shape::Tuple(tuple) if is_byte_string => {
                self.tails_of_tuple(element, items, tuple, loc)?
            }
            Shape::Tuple(tuple) => self.items_of_tuple(element, items, tuple, loc)?,
            Shape::One(IrType::Encoded(iterable)) => {
                let encoded = self.items_of_encoded(items, iterable, loc)?;
                if is_byte_string { self.tails_of(encoded, element, loc) } else { encoded }
            }
            Shape::One(_) => {
                let message = "expected encoded type or tuple type for concatenation";
                return Err(Failure::internal(message, loc));
            }
        };
        self.check_items(element, &encoded)?;
        let kind = SourceKind::ArrayConcat {
            base: value,
            base_ty: IrType::Encoded(encoding),
            items: encoded.items.into(),
            item_encoding: encoded.item_encoding,
            num_items: encoded.num_items,
        };
        self.materialise_value(Source { kind, loc }, "tmp")
    }
    fn growable_encoding_for(
        &self,
        array: WTypeId,
        items_shape: Shape,
        loc: Loc,
    ) -> Outcome<EncodingId> {
        if !matches!(items_shape, Shape::One(IrType::Encoded(_)) | Shape::Tuple(_)) {
            let message = "expected encoded type or tuple type for concatenation";
            return Err(Failure::internal(message, loc));
        }
        self.growable_encoding(array, loc)
    }
    fn check_items(&self, element: EncodingId, encoded: &EncodedItems) -> Outcome<()> {
        let pool = self.ir().pool;
        let item = pool.encoding(encoded.item_encoding).encoding;
        let problem = if pool.encoding(element).is_bit() {
            let is_bool = matches!(item, Encoding::Bool | Encoding::Bool8);
            (!is_bool).then_some("expected bool array")
        } else {
            (element != encoded.item_encoding)
                .then_some("expected item encoding to match array element encoding")
        };
        problem.map_or(Ok(()), |message| Err(Failure::code(message, encoded.items.loc())))
    }
    fn items_of_encoded(
        &mut self,
        iterable: Source,
        encoding: EncodingId,
        loc: Loc,
    ) -> Outcome<EncodedItems> {
        let pool = self.ir().pool;
        let iterable = self.materialise_value(iterable, "tmp")?;
        let facts = pool.encoding(encoding);
        if let Some((item_encoding, _, length_header)) = facts.array() {
            // The bytes are taken out before the length is read, although nothing depends on it.
            let length = self.length_of(encoding, iterable, loc);
            let items = if length_header {
                self.make(loc).extract_to_end(iterable, 2u64).into()
            } else {
                iterable
            };
            let num_items = self.materialise_value(length, "tmp")?;
            return Ok(EncodedItems { items, num_items, item_encoding });
        }
        let place = iterable.loc().or(loc);
        match facts.tuple_elements(pool) {
            Some([item_encoding, others @ ..]) => {
                if others.iter().any(|other| other != item_encoding) {
                    return Err(Failure::code("expected a homogenous tuple", place));
                }
                let num_items = count(others.len() + 1, loc);
                Ok(EncodedItems { items: iterable, num_items, item_encoding: *item_encoding })
            }
            Some([]) => {
                let message =
                    "ValueError: not enough values to unpack (expected at least 1, got 0)";
                Err(Failure::internal(message, place))
            }
            None => Err(Failure::code("expected an iterable type", place)),
        }
    }
    /// Of encoded byte strings only what follows their offsets: the array makes offsets of its own.
    fn tails_of(&mut self, encoded: EncodedItems, element: EncodingId, loc: Loc) -> EncodedItems {
        let mut make = self.make(loc);
        let start = make.named("start_of_tail").mul(encoded.num_items, 2u64);
        let items = make.named("data").extract_to_end(encoded.items, start).into();
        EncodedItems { items, num_items: encoded.num_items, item_encoding: element }
    }
    fn items_of_tuple(
        &mut self,
        element: EncodingId,
        iterable: Source,
        tuple: TupleTypeId,
        loc: Loc,
    ) -> Outcome<EncodedItems> {
        let pool = self.ir().pool;
        let elements = pool.tuple(tuple).elements;
        let is_homogenous =
            elements.first().is_some_and(|first| elements.iter().all(|item| item == first));
        if !is_homogenous {
            return Err(Failure::code("expected a homogenous tuple", iterable.loc.or(loc)));
        }
        let values = self.materialise_values(iterable, &["tmp"])?;
        let encoding = pool.dynamic_array_encoding(element, false);
        let encoded = self.encode(encoding, values, Shape::Tuple(tuple), None, loc)?;
        let items = self.materialise_value(encoded, "tmp")?;
        Ok(EncodedItems { items, num_items: count(elements.len(), loc), item_encoding: element })
    }
    fn tails_of_tuple(
        &mut self,
        element: EncodingId,
        iterable: Source,
        tuple: TupleTypeId,
        loc: Loc,
    ) -> Outcome<EncodedItems> {
        let pool = self.ir().pool;
        let elements = pool.tuple(tuple).elements;
        let mut items = self.make(loc).constant_bytes(&[]);
        let values = self.materialise_values(iterable, &["tmp"])?;
        let first = elements.first().filter(|first| elements.iter().all(|item| item == *first));
        let Some(item) = first else {
            let message = "ValueError: too many values to unpack (expected 1)";
            return Err(Failure::internal(message, loc));
        };
        for own in values.chunks(item.arity(pool).max(1)) {
            let encoded = self.encode(element, own.to_vec(), *item, None, loc)?;
            let encoded = self.materialise_value(encoded, "tmp")?;
            items = self.make(loc).concat(items, encoded).into();
        }
        Ok(EncodedItems { items, num_items: count(elements.len(), loc), item_encoding: element })
    }
}

fn count(items: usize, loc: Loc) -> Value {
    Value::uint64(u64::try_from(items).expect("tuples are short"), loc)
}
