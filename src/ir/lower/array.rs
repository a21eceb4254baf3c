//! Length, items and growth of encoded arrays. Spec 22 §15.1 and §15.3.

use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::factory::{Emitter, Factory, LibraryRoutine, Operand};
use crate::ir::op::{OpKind, Source, SourceKind, Value};
use crate::ir::pool::Pool;
use crate::ir::types::{EncodingFacts, EncodingId, IrType};

use super::{call, encoding_of};

const OUT_OF_BOUNDS: &str = "index access is out of bounds";

/// Whether an item access asserts that the index is in bounds, where the way of access does not
/// imply it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bounds {
    /// Always.
    Check,
    /// Never.
    Trust,
    /// Where a wrong index could hit other data: for dynamic items and bits.
    ByElement,
}

/// Items to append: their encoded bytes, the encoding of one, how many.
#[derive(Clone, Copy)]
pub(super) struct Items {
    pub(super) data: Value,
    pub(super) encoding: EncodingId,
    pub(super) count: Value,
}

/// How items of an array are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Bits, eight in a byte.
    Bit,
    /// Items of a fixed number of bytes.
    Fixed { size: u64 },
    /// Dynamic items whose length header counts bytes.
    ByteLength,
    /// Dynamic items whose length header counts elements of a fixed number of bytes.
    MultiByteLength { element_size: u64 },
    /// Other dynamic items.
    Dynamic,
}

/// An array encoding, taken apart.
#[derive(Clone, Copy)]
struct Array<'s> {
    encoding: EncodingId,
    element: EncodingFacts<'s>,
    size: Option<u64>,
    length_header: bool,
    access: Access,
}

impl<'s> Array<'s> {
    fn new(pool: &Pool<'s>, encoding: EncodingId, loc: Loc) -> Outcome<Self> {
        let Some((element, size, length_header)) = pool.encoding(encoding).array() else {
            return Err(Failure::internal("expected an array encoding", loc));
        };
        let element = pool.encoding(element);
        let access = if element.is_bit() {
            if size.is_none() && !length_header {
                let message = "unsupported scenario: bit packed bools in reference array";
                return Err(Failure::internal(message, loc));
            }
            Access::Bit
        } else if let Some(size) = element.num_bytes() {
            Access::Fixed { size }
        } else if element.is_byte_length_dynamic_array(pool) {
            Access::ByteLength
        } else if element.is_dynamic_array_of_fixed_size_byte_elements(pool) {
            let inner = element.array().and_then(|(inner, ..)| pool.encoding(inner).num_bytes());
            Access::MultiByteLength { element_size: inner.expect("its elements have a size") }
        } else {
            Access::Dynamic
        };
        Ok(Array { encoding, element, size, length_header, access })
    }
}

/// Number of items of an array, or of the array in a slot.
pub(super) fn length<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    array: EncodingId,
    base: Value,
    loc: Loc,
) -> Outcome<Value> {
    let pool = emitter.ctx().pool;
    let base = match base.ty(pool) {
        IrType::Slot(_) => {
            let source = Source { kind: SourceKind::ReadSlot(base), loc };
            emitter.materialise(source, &["slot_contents"])[0]
        }
        _ => base,
    };
    let Some((element, size, length_header)) = pool.encoding(array).array() else {
        return Err(Failure::internal("expected an array encoding", loc));
    };
    let mut make = Factory::new(emitter, loc);
    if let Some(size) = size {
        return Ok(make.constant(size));
    }
    if length_header {
        make.named("array_length").on_error("invalid array length header");
        return Ok(Value::Register(make.extract_uint16(base, 0u64)));
    }
    let Some(element_size) = pool.encoding(element).num_bytes() else {
        return Err(Failure::internal("expected statically sized type", loc));
    };
    let bytes = make.named("bytes_len").len(base);
    Ok(Value::Register(make.named("array_len").div_floor(bytes, element_size)))
}

/// The encoded item of an array.
pub(super) fn read<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    encoding: EncodingId,
    base: Value,
    index: Value,
    bounds: Bounds,
    loc: Loc,
) -> Outcome<Value> {
    let array = Array::new(emitter.ctx().pool, encoding, loc)?;
    if !matches!(array.access, Access::Fixed { .. } | Access::Dynamic) {
        check_bounds(emitter, array, base, index, bounds, loc)?;
    }
    let length = match (array.access, array.length_header) {
        (Access::Dynamic, false) => Some(length(emitter, encoding, base, loc)?),
        _ => None,
    };
    let mut make = Factory::new(emitter, loc);
    Ok(match array.access {
        Access::Bit => {
            let index = match array.length_header {
                true => Value::Register(make.add(index, 16u64)),
                false => index,
            };
            Value::Register(make.get_bit(base, index))
        }
        Access::Fixed { size } => {
            let base = match array.length_header {
                true => Value::Register(make.named("array_trimmed").extract_to_end(base, 2u64)),
                false => base,
            };
            let offset = make.named("bytes_offset").mul(index, size);
            make.named("encoded_element").on_error(OUT_OF_BOUNDS);
            Value::Register(make.extract3(base, offset, size))
        }
        Access::ByteLength => {
            let routine = match array.length_header {
                true => LibraryRoutine::DynamicArrayReadByteLengthElement,
                false => LibraryRoutine::StaticArrayReadByteLengthElement,
            };
            call(&mut make, routine, &[base, index], "item")?
        }
        Access::MultiByteLength { element_size } => {
            let base = match array.length_header {
                true => {
                    Value::Register(make.named("array_head_and_tail").extract_to_end(base, 2u64))
                }
                false => base,
            };
            let offset_offset = make.named("item_offset_offset").mul(index, 2u64);
            let offset = make.named("item_offset").extract_uint16(base, offset_offset);
            let length = make.named("item_length").extract_uint16(base, offset);
            let size = make.named("item_length_in_bytes").mul(length, element_size);
            let size = make.named("item_head_tail_length").add(size, 2u64);
            Value::Register(make.named("item").extract3(base, offset, size))
        }
        Access::Dynamic => match length {
            None => {
                let routine = LibraryRoutine::DynamicArrayReadDynamicElement;
                call(&mut make, routine, &[base, index], "item")?
            }
            Some(length) => {
                let routine = LibraryRoutine::StaticArrayReadDynamicElement;
                call(&mut make, routine, &[base, index, length], "item")?
            }
        },
    })
}

/// The array with an item replaced.
pub(super) fn write<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    encoding: EncodingId,
    base: Value,
    index: Value,
    value: Value,
    loc: Loc,
) -> Outcome<Value> {
    let array = Array::new(emitter.ctx().pool, encoding, loc)?;
    if matches!(array.access, Access::Bit | Access::ByteLength) {
        check_bounds(emitter, array, base, index, Bounds::ByElement, loc)?;
    }
    let mut make = Factory::new(emitter, loc);
    Ok(match array.access {
        Access::Bit => {
            let offset = match array.length_header {
                true => {
                    make.named("write_offset_with_length_header");
                    Value::Register(make.add(index, 16u64))
                }
                false => index,
            };
            Value::Register(make.named("updated_target").set_bit(base, offset, value))
        }
        Access::Fixed { size } => {
            let mut offset = make.named("write_offset").mul(index, size);
            if array.length_header {
                offset = make.named("write_offset_with_length_header").add(offset, 2u64);
            }
            make.named("updated_array").on_error(OUT_OF_BOUNDS);
            Value::Register(make.replace(base, offset, value))
        }
        Access::ByteLength | Access::MultiByteLength { .. } | Access::Dynamic => {
            use LibraryRoutine as Routine;
            let is_byte_length = array.access == Access::ByteLength;
            let (routine, size) = match (array.size, is_byte_length) {
                (None, false) => (Routine::DynamicArrayReplaceDynamicElement, None),
                (None, true) => (Routine::DynamicArrayReplaceByteLengthHead, None),
                (size, false) => (Routine::StaticArrayReplaceDynamicElement, size),
                (size, true) => (Routine::StaticArrayReplaceByteLengthHead, size),
            };
            let mut args = vec![base, value, index];
            args.extend(size.map(|size| make.constant(size)));
            call(&mut make, routine, &args, "updated_array")?
        }
    })
}

fn check_bounds<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    array: Array<'s>,
    base: Value,
    index: Value,
    bounds: Bounds,
    loc: Loc,
) -> Outcome<()> {
    let wanted = match bounds {
        Bounds::Check => true,
        Bounds::Trust => false,
        Bounds::ByElement => array.element.is_dynamic() || array.element.is_bit(),
    };
    if !wanted {
        return Ok(());
    }
    if let (Some(index), Some(size)) = (index.uint64_constant(), array.size)
        && index >= size
    {
        emitter.ctx().sink().error(OUT_OF_BOUNDS, loc);
    }
    if array.length_header {
        let mut make = Factory::new(emitter, loc);
        let args = [base.into(), index.into()];
        let invoke = make.invoke(LibraryRoutine::DynamicAssertIndex, &args)?;
        emitter.emit(OpKind::Invoke(invoke), loc);
        return Ok(());
    }
    let length = length(emitter, array.encoding, base, loc)?;
    let mut make = Factory::new(emitter, loc);
    let in_bounds = make.lt(index, length);
    make.assert_value(in_bounds, OUT_OF_BOUNDS);
    Ok(())
}

fn unsupported<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &E,
    encoding: EncodingId,
    loc: Loc,
) -> Failure {
    let name = emitter.ctx().pool.encoding(encoding).name;
    Failure::code(format!("unsupported dynamic array type {name}"), loc)
}

/// The array without its last item.
pub(super) fn pop<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    base: Value,
    base_ty: IrType,
    loc: Loc,
) -> Outcome<Source> {
    use LibraryRoutine as Routine;
    let pool = emitter.ctx().pool;
    let encoding = encoding_of(base_ty, loc)?;
    let Some((element, None, length_header)) = pool.encoding(encoding).array() else {
        return Err(Failure::internal("expected a dynamic array encoding", loc));
    };
    let element = pool.encoding(element);
    let (routine, size) = match element.num_bytes() {
        Some(size) if !element.is_bit() => match length_header {
            true => (Routine::DynamicArrayPopFixedSize, Some(size)),
            false => (Routine::RTrim, Some(size)),
        },
        _ if !length_header => return Err(unsupported(emitter, encoding, loc)),
        Some(_) => (Routine::DynamicArrayPopBit, None),
        None if element.is_byte_length_dynamic_array(pool) => {
            (Routine::DynamicArrayPopByteLengthHead, None)
        }
        None => (Routine::DynamicArrayPopDynamicElement, None),
    };
    let mut make = Factory::new(emitter, loc);
    let mut args: Vec<Operand<'_>> = vec![base.into()];
    args.extend(size.map(Operand::Int));
    make.invoke_source(routine, &args)
}

/// The array with items appended.
pub(super) fn concat<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    base: Value,
    base_ty: IrType,
    items: Items,
    loc: Loc,
) -> Outcome<Source> {
    use LibraryRoutine as Routine;
    let pool = emitter.ctx().pool;
    let encoding = encoding_of(base_ty, loc)?;
    let Some((element, None, length_header)) = pool.encoding(encoding).array() else {
        return Err(Failure::internal("expected a dynamic array encoding", loc));
    };
    let element = pool.encoding(element);
    if !length_header {
        if element.is_dynamic() || element.is_bit() {
            return Err(unsupported(emitter, encoding, loc));
        }
        let mut make = Factory::new(emitter, loc);
        make.typed(base_ty).on_error("max array length exceeded");
        return Ok(Source::value(Value::Register(make.concat(base, items.data))));
    }
    let mut args = vec![base.into(), items.data.into(), items.count.into()];
    let routine = if element.is_bit() {
        let bits = pool.encoding(items.encoding).num_bits.unwrap_or(8);
        args.push(bits.into());
        Routine::DynamicArrayConcatBits
    } else if element.is_byte_length_dynamic_array(pool) {
        Routine::DynamicArrayConcatByteLengthHead
    } else if element.is_dynamic() {
        Routine::DynamicArrayConcatDynamicElement
    } else {
        Routine::DynamicArrayConcatFixed
    };
    Factory::new(emitter, loc).invoke_source(routine, &args)
}
