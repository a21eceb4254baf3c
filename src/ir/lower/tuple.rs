//! Reads and writes elements of encoded tuples. Spec 22 §15.2.

use crate::base::source::Loc;
use crate::ir::factory::{Emitter, Factory};
use crate::ir::op::Value;
use crate::ir::pool::Pool;
use crate::ir::types::{EncodingId, head_bit_offset};

fn elements<'s>(pool: &Pool<'s>, tuple: EncodingId) -> &'s [EncodingId] {
    pool.encoding(tuple).tuple_elements(pool).expect("callers look at tuples")
}

/// Byte offsets of the heads of all dynamic elements behind one.
fn later_dynamic_heads(pool: &Pool<'_>, elements: &[EncodingId], index: usize) -> Vec<u64> {
    (index + 1..elements.len())
        .filter(|later| pool.encoding(elements[*later]).is_dynamic())
        .map(|later| head_bit_offset(pool, elements, Some(later)).div_ceil(8))
        .collect()
}

/// The encoded element of a tuple.
pub(super) fn read<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    tuple: EncodingId,
    base: Value,
    index: usize,
    loc: Loc,
) -> Value {
    let pool = emitter.ctx().pool;
    let elements = elements(pool, tuple);
    let element = pool.encoding(elements[index]);
    let head_bits = head_bit_offset(pool, elements, Some(index));
    let head = head_bits.div_ceil(8);
    let mut make = Factory::new(emitter, loc);
    let result = if element.is_bit() {
        make.get_bit(base, head_bits)
    } else if let Some(size) = element.num_bytes() {
        make.extract3(base, head, size)
    } else {
        let start = make.extract_uint16(base, head);
        let end = match later_dynamic_heads(pool, elements, index).first() {
            Some(next) => make.extract_uint16(base, *next),
            None => make.len(base),
        };
        make.substring3(base, start, end)
    };
    Value::Register(result)
}

/// The tuple with an element replaced.
pub(super) fn write<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    tuple: EncodingId,
    base: Value,
    index: usize,
    value: Value,
    loc: Loc,
) -> Value {
    let pool = emitter.ctx().pool;
    let elements = elements(pool, tuple);
    let element = pool.encoding(elements[index]);
    let head_bits = head_bit_offset(pool, elements, Some(index));
    let head = head_bits.div_ceil(8);
    let mut make = Factory::new(emitter, loc);
    if element.is_bit() {
        return Value::Register(make.named("updated_data").set_bit(base, head_bits, value));
    }
    if element.is_fixed() {
        return Value::Register(make.named("updated_data").replace(base, head, value));
    }
    let item_offset = make.named("item_offset").extract_uint16(base, head);
    let before = make.named("data_up_to_item").extract3(base, 0u64, item_offset);
    let mut result = make.named("updated_data").concat(before, value);
    let later_heads = later_dynamic_heads(pool, elements, index);
    let Some(next) = later_heads.first() else { return Value::Register(result) };
    // What stands behind the element moves with its length, and so do the offsets in the heads.
    let next_offset = make.named("next_item_offset").extract_uint16(base, *next);
    let behind = make.named("data_beyond_item").extract_to_end(base, next_offset);
    result = make.named("updated_data").concat(result, behind);
    let old_length = make.named("old_value_length").sub(next_offset, item_offset);
    let new_length = make.named("new_value_length").len(value);
    for head in later_heads {
        let offset = make.named("tail_offset").extract_uint16(base, head);
        // Adding first keeps the difference from going below zero.
        let offset = make.named("tail_offset").add(offset, new_length);
        let offset = make.named("tail_offset").sub(offset, old_length);
        let offset = make.named("tail_offset_bytes").as_u16_bytes(offset);
        result = make.named("updated_data").replace(result, head, offset);
    }
    Value::Register(result)
}
