//! Tuples, structs and arrays: reading and writing by index, array operations. Spec 21 §13.1 to §13.3.

use crate::awst::expr::{
    ArrayConcat, ArrayExtend, ArrayLength, ArrayPop, ArrayReplace, ConvertArray, NewArray,
};
use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Index, Source, Value};
use crate::ir::types::Shape;

use super::function::{Evaluated, FunctionBuilder};

/// Whether reading checks that an index is in bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// It does.
    Checked,
    /// The caller knows it is.
    Known,
}

fn missing<T>(loc: Loc) -> Outcome<T> {
    Err(Failure::internal("aggregates are not lowered yet", loc))
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
        let _ = (tuple, values, index);
        missing(loc)
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
        let _ = (aggregate, values, indexes, bounds);
        missing(loc)
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
        let _ = (aggregate, base, indexes, values);
        missing(loc)
    }
    /// Number of items of an array, not materialised.
    pub fn array_length(&mut self, array: WTypeId, value: Value, loc: Loc) -> Outcome<Source> {
        let _ = (array, value);
        missing(loc)
    }
    /// An array without its last item, and that item, decoded.
    pub fn pop_item(&mut self, array: WTypeId, value: Value, loc: Loc) -> Outcome<(Value, Source)> {
        let _ = (array, value);
        missing(loc)
    }
    /// An array with the items of a value or group of values appended.
    pub fn concat_items(
        &mut self,
        array: WTypeId,
        value: Value,
        items: Source,
        items_shape: Shape,
        loc: Loc,
    ) -> Outcome<Value> {
        let _ = (array, value, items, items_shape);
        missing(loc)
    }
    /// A new array.
    pub fn visit_new_array(&mut self, node: &'s NewArray<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// The number of items.
    pub fn visit_array_length(&mut self, node: &'s ArrayLength<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Removes the last item and returns it.
    pub fn visit_array_pop(&mut self, node: &'s ArrayPop<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// A new array of both operands' items.
    pub fn visit_array_concat(&mut self, node: &'s ArrayConcat<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Appends items in place.
    pub fn visit_array_extend(&mut self, node: &'s ArrayExtend<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// The array with one item replaced.
    pub fn visit_array_replace(&mut self, node: &'s ArrayReplace<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// One kind of array to another.
    pub fn visit_convert_array(&mut self, node: &'s ConvertArray<'s>) -> Evaluated {
        missing(node.loc)
    }
}
