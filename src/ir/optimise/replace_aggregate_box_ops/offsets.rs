//! Where in a box an element lies: key, encoding and path in, emitted arithmetic and an offset out.
//! Spec 22 §11.1.

use crate::avm::fields::MAX_BYTES_LENGTH;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::factory::{Emitter, Factory, Operand};
use crate::ir::op::{Index, Register, Value};
use crate::ir::pool::Pool;
use crate::ir::rewrite::Rewriter;
use crate::ir::types::{EncodingId, head_bit_offset};

use super::INDEX_OUT_OF_BOUNDS;

type Make<'e, 'a, 's> = Factory<'e, Rewriter<'a, 's>>;

/// How far to follow a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StopAt {
    /// To its end.
    LastElement,
    /// To the first element of a fixed size that fits the stack: the sooner a value is read, the more
    /// can be optimised.
    StackValue,
}

/// Where a path leads.
pub(super) struct Place {
    /// First byte.
    pub(super) offset: Value,
    /// What lies there.
    pub(super) encoding: EncodingId,
    /// The rest of the path, inside of it.
    pub(super) remaining: Vec<Index>,
}

/// Follows a path from the start of a box.
pub(super) fn walk(
    make: &mut Make<'_, '_, '_>,
    key: Value,
    encoding: EncodingId,
    indexes: &[Index],
    stop: StopAt,
) -> Outcome<Place> {
    let pool = make.emitter.ctx().pool;
    let mut offset = make.constant(0);
    let mut encoding = encoding;
    let mut check_bounds = false;
    let mut rest = indexes;
    loop {
        let Some((index, remaining)) = rest.split_first() else {
            return Err(Failure::internal("invalid aggregate encoding and index", make.loc));
        };
        let facts = pool.encoding(encoding);
        let (element, element_offset) = match (facts.tuple_elements(pool), index, facts.array()) {
            (Some(elements), Index::Fixed(index), _) => {
                let index = usize::try_from(*index).ok().filter(|index| *index < elements.len());
                let Some(index) = index else {
                    let message = "invalid aggregate encoding and index";
                    return Err(Failure::internal(message, make.loc));
                };
                if pool.encoding(elements[index]).is_bit() {
                    let bit = Operand::Int(head_bit_offset(pool, elements, Some(index)));
                    return Ok(byte_of_bit(make, offset, bit));
                }
                let element_offset = tuple_element(make, key, offset, elements, index);
                check_bounds = check_bounds || has_trailing_data(pool, encoding, elements, index);
                (elements[index], element_offset)
            }
            (_, _, Some((element, size, length_header))) => {
                let index = operand(index);
                if check_bounds {
                    assert_in_bounds(make, key, offset, (size, length_header), index)?;
                }
                if length_header {
                    offset = make.add(offset, 2u64).into();
                }
                if pool.encoding(element).is_bit() {
                    return Ok(byte_of_bit(make, offset, index));
                }
                // the first array is bounded by the box itself
                check_bounds = true;
                (element, array_element(make, key, offset, element, index).into())
            }
            _ => {
                let message = "invalid aggregate encoding and index";
                return Err(Failure::internal(message, make.loc));
            }
        };
        offset = make.named("offset").add(offset, element_offset).into();
        encoding = element;
        rest = remaining;
        let fits_stack =
            pool.encoding(encoding).num_bytes().is_some_and(|size| size <= MAX_BYTES_LENGTH as u64);
        if rest.is_empty() || (stop == StopAt::StackValue && fits_stack) {
            return Ok(Place { offset, encoding, remaining: rest.to_vec() });
        }
    }
}

fn operand(index: &Index) -> Operand<'static> {
    match index {
        Index::Fixed(index) => Operand::Int(*index),
        Index::Value(value) => Operand::Value(*value),
    }
}

/// Whether an array read after this step could run into data of something else: then its bounds need
/// a check of their own.
fn has_trailing_data(
    pool: &Pool<'_>,
    tuple: EncodingId,
    elements: &[EncodingId],
    index: usize,
) -> bool {
    if pool.encoding(tuple).is_fixed() {
        return index + 1 < elements.len();
    }
    match pool.encoding(elements[index]).array() {
        Some((element, None, _)) => {
            pool.encoding(element).is_dynamic()
                || elements[index + 1..].iter().any(|later| pool.encoding(*later).is_dynamic())
        }
        _ => true,
    }
}

fn tuple_element(
    make: &mut Make<'_, '_, '_>,
    key: Value,
    tuple_offset: Value,
    elements: &[EncodingId],
    index: usize,
) -> Operand<'static> {
    let pool = make.emitter.ctx().pool;
    let head = head_bit_offset(pool, elements, Some(index)).div_ceil(8);
    if pool.encoding(elements[index]).is_fixed() {
        Operand::Int(head)
    } else if elements[..index].iter().all(|earlier| pool.encoding(*earlier).is_fixed()) {
        // the first dynamic element stands right behind the heads
        Operand::Int(head_bit_offset(pool, elements, None).div_ceil(8))
    } else {
        let pointer = make.add(tuple_offset, head);
        make.box_extract_u16(key, pointer).into()
    }
}

fn array_element(
    make: &mut Make<'_, '_, '_>,
    key: Value,
    items_offset: Value,
    element: EncodingId,
    index: Operand<'static>,
) -> Register {
    match make.emitter.ctx().pool.encoding(element).num_bytes() {
        Some(size) => make.named("element_offset").mul(index, size),
        None => {
            let head = make.mul(2u64, index);
            let pointer = make.add(items_offset, head);
            make.box_extract_u16(key, pointer)
        }
    }
}

/// The byte that holds a bit, as an array of eight bits with the index of the one meant.
fn byte_of_bit(make: &mut Make<'_, '_, '_>, offset: Value, bit: Operand<'static>) -> Place {
    let pool = make.emitter.ctx().pool;
    let byte = make.named("element_byte_offset").div_floor(bit, 8u64);
    let offset = make.named("byte_containing_bit_offset").add(offset, byte);
    let index = make.named("element_bit_offset").mod_(bit, 8u64);
    Place {
        offset: offset.into(),
        encoding: pool.fixed_array_encoding(pool.bool_encoding(), 8),
        remaining: vec![Index::Value(index.into())],
    }
}

fn assert_in_bounds(
    make: &mut Make<'_, '_, '_>,
    key: Value,
    array_offset: Value,
    (size, length_header): (Option<u64>, bool),
    index: Operand<'static>,
) -> Outcome<()> {
    let size: Operand<'static> = match size {
        _ if length_header => make.box_extract_u16(key, array_offset).into(),
        Some(size) => Operand::Int(size),
        None => return Err(Failure::internal("expected fixed size array", make.loc)),
    };
    let index_ok = make.named("index_ok").lt(index, size);
    make.assert_value(index_ok, INDEX_OUT_OF_BOUNDS);
    Ok(())
}

/// One step of a path through the dynamic elements of tuples.
pub(super) struct TupleStep {
    /// Heads of the dynamic elements behind the one stepped into, relative to the tuple: offsets that
    /// must follow when that one changes its size.
    pub(super) later_heads: Vec<u64>,
    /// Where the element stands, or the pointer to it, relative to the tuple.
    pub(super) position: u64,
    /// Which of the two.
    pub(super) is_pointer: bool,
}

/// The steps of a path, when all of them are tuple elements of dynamic size.
pub(super) fn tuple_path(
    pool: &Pool<'_>,
    encoding: EncodingId,
    indexes: &[Index],
) -> Option<Vec<TupleStep>> {
    let mut encoding = encoding;
    let mut steps = Vec::with_capacity(indexes.len());
    for index in indexes {
        let elements = pool.encoding(encoding).tuple_elements(pool)?;
        let Index::Fixed(index) = index else { return None };
        let index = usize::try_from(*index).ok()?;
        encoding = *elements.get(index)?;
        let is_dynamic = |place: &usize| pool.encoding(elements[*place]).is_dynamic();
        if !is_dynamic(&index) {
            return None;
        }
        let head = |place: usize| head_bit_offset(pool, elements, Some(place)).div_ceil(8);
        let is_pointer = (0..index).any(|place| is_dynamic(&place));
        steps.push(TupleStep {
            later_heads: (index + 1..elements.len()).filter(is_dynamic).map(head).collect(),
            position: if is_pointer {
                head(index)
            } else {
                head_bit_offset(pool, elements, None).div_ceil(8)
            },
            is_pointer,
        });
    }
    Some(steps)
}
