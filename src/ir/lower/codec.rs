//! Encodes and decodes values by their type. Spec 22 §15.4.

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::factory::{Emitter, Factory};
use crate::ir::op::{Constant, Intrinsic, Register, Source, SourceKind, Value};
use crate::ir::pool::Pool;
use crate::ir::types::{Encoding, EncodingFacts, EncodingId, IrType, Shape, TupleTypeId};

use super::tuple;

/// Bytes the AVM can hold of a `uint64`.
const UINT64_BYTES: u64 = 8;

/// Values in their encoded form.
pub(super) fn encode<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    values: &[Value],
    values_ty: Shape,
    encoding: EncodingId,
    message: Option<Symbol>,
    loc: Loc,
) -> Outcome<Source> {
    if let Some(encoded) = try_encode(emitter, values, values_ty, encoding, loc)? {
        return Ok(Source::value(encoded));
    }
    let ctx = emitter.ctx();
    let message = match message {
        Some(message) => ctx.text(message).to_owned(),
        None => {
            let name = ctx.pool.encoding(encoding).name;
            format!("cannot encode {} to {name}", encoding_or_type_name(ctx.pool, values_ty))
        }
    };
    ctx.sink().error(message, loc);
    Ok(Source::value(Value::Undefined(IrType::Bytes, loc)))
}

/// Values from their encoded form.
pub(super) fn decode<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    value: Value,
    encoding: EncodingId,
    ty: Shape,
    message: Option<Symbol>,
    loc: Loc,
) -> Outcome<Source> {
    if let Some(decoded) = try_decode(emitter, value, encoding, ty, loc)? {
        return Ok(decoded);
    }
    let ctx = emitter.ctx();
    let message = match message {
        Some(message) => ctx.text(message).to_owned(),
        None => {
            let name = ctx.pool.encoding(encoding).name;
            format!("cannot decode from {name} to {}", encoding_or_type_name(ctx.pool, ty))
        }
    };
    ctx.sink().error(message, loc);
    Ok(match ty {
        Shape::One(ty) => Source::value(Value::Undefined(ty, loc)),
        Shape::Tuple(ty) => {
            let leaves = Shape::Tuple(ty).flatten(ctx.pool);
            let values = leaves.into_iter().map(|leaf| Value::Undefined(leaf, loc)).collect();
            Source { kind: SourceKind::ValueTuple { values, ty }, loc }
        }
    })
}

fn encoding_or_type_name(pool: &Pool<'_>, ty: Shape) -> String {
    match ty {
        Shape::One(IrType::Encoded(encoding)) => pool.encoding(encoding).name.to_owned(),
        _ => ty.name(pool),
    }
}

/// None when there is no way from the type to the encoding.
fn try_encode<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    values: &[Value],
    values_ty: Shape,
    encoding: EncodingId,
    loc: Loc,
) -> Outcome<Option<Value>> {
    let ty = match values_ty {
        Shape::Tuple(ty) => return encode_tuple(emitter, values, ty, encoding, loc),
        Shape::One(ty) => ty,
    };
    let [value] = *values else {
        return Err(Failure::internal("a type that is no tuple has one value", loc));
    };
    if ty == IrType::Encoded(encoding) {
        return Ok(Some(value));
    }
    match encode_scalar(emitter, value, ty, encoding, loc) {
        Some(encoded) => {
            let mut make = Factory::new(emitter, loc);
            make.as_ir_type(Source::value(encoded), IrType::Encoded(encoding)).map(Some)
        }
        None => Ok(None),
    }
}

/// None when there is no way from the encoding to the type.
fn try_decode<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    value: Value,
    encoding: EncodingId,
    ty: Shape,
    loc: Loc,
) -> Outcome<Option<Source>> {
    match ty {
        Shape::Tuple(ty) => decode_tuple(emitter, value, encoding, ty, loc),
        Shape::One(ty) if ty == IrType::Encoded(encoding) => Ok(Some(Source::value(value))),
        Shape::One(ty) => Ok(decode_scalar(emitter, value, encoding, ty, loc)),
    }
}

/// Whether an encoding is that of 32 plain bytes.
fn is_address(pool: &Pool<'_>, encoding: EncodingId) -> bool {
    pool.fixed_array_encoding(pool.uint_encoding(8), 32) == encoding
}

fn bit_length(bytes: &[u8]) -> u64 {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let significant = &bytes[start..];
    match significant.first() {
        Some(first) => 8 * significant.len() as u64 - u64::from(first.leading_zeros()),
        None => 0,
    }
}

fn encode_scalar<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    value: Value,
    ty: IrType,
    encoding: EncodingId,
    loc: Loc,
) -> Option<Value> {
    let ctx = emitter.ctx();
    let pool = ctx.pool;
    let facts = pool.encoding(encoding);
    let mut make = Factory::new(emitter, loc);
    match (ty, facts.encoding) {
        (IrType::BigUInt, Encoding::UInt(bits)) => {
            if let Some(Constant::BigUInt(data)) = value.constant()
                && bit_length(pool.bytes(data)) > u64::from(bits)
            {
                return None;
            }
            make.named("arc4_encoded").on_error("overflow");
            Some(Value::Register(make.to_fixed_size(value, facts.num_bytes()?)))
        }
        (IrType::Bool, Encoding::Bool) => Some(value),
        (IrType::Bool, Encoding::Bool8) => Some(Value::Register(make.make_arc4_bool(value))),
        (IrType::Bool, Encoding::UInt(bits)) => Some(encode_uint64(&mut make, value, bits)),
        (IrType::Encoded(own), _) if own == pool.bool8_encoding() => {
            if facts.is_bit() {
                Some(Value::Register(make.get_bit(value, 0u64)))
            } else {
                (own == encoding).then_some(value)
            }
        }
        (IrType::String, _) => encode_bytes(&mut make, value, &facts, pool.utf8_encoding()),
        (IrType::Bytes, _) => encode_bytes(&mut make, value, &facts, pool.uint_encoding(8)),
        (IrType::Account, _) => is_address(pool, encoding).then_some(value),
        (IrType::SizedBytes(length), Encoding::Array { element, size, length_header })
            if element == pool.uint_encoding(8) =>
        {
            if length_header {
                let length = make.constant(u64::from(length));
                let header = make.named("length_uint16").as_u16_bytes(length);
                return Some(Value::Register(make.named("encoded_value").concat(header, value)));
            }
            if size.is_some_and(|size| size != u64::from(length)) {
                ctx.sink().error("invalid size", loc);
            }
            Some(value)
        }
        (IrType::BigUInt | IrType::Bool | IrType::SizedBytes(_), _) => None,
        (_, Encoding::UInt(bits)) if ty.is_uint64(pool) => {
            let limit = 1u64.checked_shl(bits);
            if let (Some(number), Some(limit)) = (value.uint64_constant(), limit)
                && number >= limit
            {
                return None;
            }
            Some(encode_uint64(&mut make, value, bits))
        }
        _ => None,
    }
}

fn encode_uint64<'a, 's: 'a, E: Emitter<'a, 's>>(
    make: &mut Factory<'_, E>,
    value: Value,
    bits: u32,
) -> Value {
    let num_bytes = u64::from(bits / 8);
    let bytes = Value::Register(make.named("val_as_bytes").itob(value));
    if num_bytes == UINT64_BYTES {
        return bytes;
    }
    if num_bytes > UINT64_BYTES {
        return Value::Register(make.named("arc4_encoded").pad_bytes(bytes, num_bytes));
    }
    let length = make.named("bitlen").bitlen(bytes);
    let fits = make.named("no_overflow").lte(length, num_bytes * 8);
    make.assert_value(fits, "overflow");
    make.named(format!("uint{}", num_bytes * 8));
    Value::Register(make.extract3(bytes, UINT64_BYTES - num_bytes, num_bytes))
}

/// Strings and byte strings of any length.
fn encode_bytes<'a, 's: 'a, E: Emitter<'a, 's>>(
    make: &mut Factory<'_, E>,
    value: Value,
    facts: &EncodingFacts<'s>,
    own_element: EncodingId,
) -> Option<Value> {
    let (element, size, length_header) = facts.array()?;
    if element != own_element {
        return None;
    }
    if length_header {
        let length = make.named("length").len(value);
        let header = make.named("length_uint16").as_u16_bytes(length);
        return Some(Value::Register(make.named("encoded_value").concat(header, value)));
    }
    if let Some(size) = size {
        let length = make.named("length").len(value);
        let equal = make.named("lengths_equal").eq(length, size);
        make.assert_value(equal, "invalid size");
    }
    Some(value)
}

fn decode_scalar<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    value: Value,
    encoding: EncodingId,
    ty: IrType,
    loc: Loc,
) -> Option<Source> {
    let ctx = emitter.ctx();
    let pool = ctx.pool;
    let facts = pool.encoding(encoding);
    let mut make = Factory::new(emitter, loc);
    let register = |register: Register| Some(Source::value(Value::Register(register)));
    let instruction = |op, immediates, result| {
        let (args, types) = (vec![value], Few::One([result]));
        let intrinsic = Intrinsic { op, immediates, args, types, error_message: None };
        Some(Source { kind: SourceKind::Intrinsic(intrinsic), loc })
    };
    let same = Source::value(value);
    match (ty, facts.encoding) {
        (IrType::BigUInt, Encoding::UInt(_)) => Some(same),
        (IrType::Bool, Encoding::Bool) => Some(same),
        (IrType::Bool, Encoding::Bool8) => register(make.typed(IrType::Bool).get_bit(value, 0u64)),
        (IrType::Bool, Encoding::UInt(_)) => register(make.neq_bytes(value, b"".as_slice())),
        (IrType::Encoded(own), _) if own == pool.bool8_encoding() => {
            if facts.is_bit() {
                register(make.make_arc4_bool(value))
            } else {
                (own == encoding).then_some(same)
            }
        }
        (IrType::String | IrType::Bytes, Encoding::Array { element, length_header, .. }) => {
            let own = match ty {
                IrType::String => pool.utf8_encoding(),
                _ => pool.uint_encoding(8),
            };
            if element != own {
                return None;
            }
            if length_header {
                let immediates = vec![Immediate::Int(2), Immediate::Int(0)];
                return instruction(AvmOp::Extract, immediates, IrType::Bytes);
            }
            Some(same)
        }
        (IrType::Account, _) => is_address(pool, encoding).then_some(same),
        (IrType::SizedBytes(length), Encoding::Array { element, size: Some(size), .. })
            if element == pool.uint_encoding(8) =>
        {
            if size != u64::from(length) {
                ctx.sink().error("invalid size", loc);
            }
            Some(same)
        }
        (IrType::BigUInt | IrType::Bool | IrType::String | IrType::Bytes, _) => None,
        (_, Encoding::UInt(bits)) if ty.is_uint64(pool) => {
            if bits <= 64 {
                return instruction(AvmOp::Btoi, Vec::new(), IrType::UInt64);
            }
            let length = make.bitlen(value);
            let fits = make.lte(length, 64u64);
            make.assert_value(fits, "overflow");
            let length = make.len(value);
            let start = make.sub(length, UINT64_BYTES);
            register(make.extract_uint64(value, start))
        }
        _ => None,
    }
}

/// The elements of a tuple encoding, or of an array seen as a tuple of `count` elements.
fn element_encodings<'s>(
    facts: &EncodingFacts<'s>,
    pool: &Pool<'s>,
    count: usize,
    accepts: impl Fn(Option<u64>, bool) -> bool,
) -> Option<Vec<EncodingId>> {
    if let Some(elements) = facts.tuple_elements(pool) {
        return (elements.len() == count).then(|| elements.to_vec());
    }
    let (element, size, length_header) = facts.array()?;
    accepts(size, length_header).then(|| vec![element; count])
}

fn encode_tuple<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    values: &[Value],
    ty: TupleTypeId,
    encoding: EncodingId,
    loc: Loc,
) -> Outcome<Option<Value>> {
    let pool = emitter.ctx().pool;
    let facts = pool.encoding(encoding);
    let types = pool.tuple(ty).elements;
    let accepts = |size: Option<u64>, _| size.is_none_or(|size| size == types.len() as u64);
    let Some(elements) = element_encodings(&facts, pool, types.len(), accepts) else {
        return Ok(None);
    };
    let mut rest = values;
    let mut parts: Vec<(EncodingId, Shape, &[Value])> = Vec::with_capacity(elements.len());
    for (element, ty) in elements.iter().zip(types) {
        let arity = ty.arity(pool);
        if arity > rest.len() {
            return Err(Failure::internal("too few values for tuple encoding", loc));
        }
        let (own, others) = rest.split_at(arity);
        parts.push((*element, *ty, own));
        rest = others;
    }
    if !rest.is_empty() {
        return Err(Failure::internal("unexpected remaining values for tuple encoding", loc));
    }
    let header_size = crate::ir::types::head_bit_offset(pool, &elements, None).div_ceil(8);
    let mut make = Factory::new(emitter, loc);
    let has_length = facts.array().is_some_and(|(.., length_header)| length_header);
    let mut head = match has_length {
        true => Value::Register(make.named("len_u16").as_u16_bytes(types.len() as u64)),
        false => make.constant_bytes(b""),
    };
    let mut tail_offset = make.constant(header_size);
    let mut tails = Vec::new();
    for group in parts.chunk_by(|a, b| a.0 == b.0) {
        if pool.encoding(group[0].0).is_bit() {
            let bits: Vec<Value> =
                group.iter().flat_map(|(.., values)| values.iter().copied()).collect();
            for byte in bits.chunks(8) {
                let packed = pack_bits(&mut make, byte);
                head = Value::Register(make.named("head").concat(head, packed));
            }
            continue;
        }
        for (element, ty, values) in group {
            let Some(encoded) = try_encode(make.emitter, values, *ty, *element, loc)? else {
                return Ok(None);
            };
            if pool.encoding(*element).is_fixed() {
                head = Value::Register(make.named("head").concat(head, encoded));
                continue;
            }
            let offset = make.named("offset_as_uint16").as_u16_bytes(tail_offset);
            head = Value::Register(make.named("head").concat(head, offset));
            tails.push(encoded);
            let length = make.named("data_length").len(encoded);
            let next = make.named("current_tail_offset").add(tail_offset, length);
            tail_offset = Value::Register(next);
        }
    }
    let mut encoded = head;
    for tail in tails {
        encoded = Value::Register(make.concat(encoded, tail));
    }
    make.as_ir_type(Source::value(encoded), IrType::Encoded(encoding)).map(Some)
}

/// Up to eight bits in one byte, the first one highest. Bits may come as bytes whose first bit counts.
fn pack_bits<'a, 's: 'a, E: Emitter<'a, 's>>(make: &mut Factory<'_, E>, bits: &[Value]) -> Value {
    let pool = make.emitter.ctx().pool;
    let mut byte = match bits[0].ty(pool).is_bytes(pool) {
        true => bits[0],
        false => Value::Register(make.make_arc4_bool(bits[0])),
    };
    for (index, bit) in (1u64..).zip(&bits[1..]) {
        let bit = match bit.ty(pool).is_bytes(pool) {
            true => Value::Register(make.get_bit(*bit, 0u64)),
            false => *bit,
        };
        byte = Value::Register(make.set_bit(byte, index, bit));
    }
    byte
}

fn decode_tuple<'a, 's: 'a, E: Emitter<'a, 's>>(
    emitter: &mut E,
    value: Value,
    encoding: EncodingId,
    ty: TupleTypeId,
    loc: Loc,
) -> Outcome<Option<Source>> {
    let pool = emitter.ctx().pool;
    let facts = pool.encoding(encoding);
    let types = pool.tuple(ty).elements;
    // A length header, or a size only known at run time, is not supported here.
    let accepts = |size, length_header: bool| !length_header && size == Some(types.len() as u64);
    let Some(elements) = element_encodings(&facts, pool, types.len(), accepts) else {
        return Ok(None);
    };
    let as_tuple = match facts.tuple_elements(pool) {
        Some(_) => encoding,
        None => pool.tuple_encoding(&elements),
    };
    let mut values = Vec::new();
    for (index, (element, ty)) in elements.iter().zip(types).enumerate() {
        let encoded = tuple::read(emitter, as_tuple, value, index, loc);
        let Some(item) = try_decode(emitter, encoded, *element, *ty, loc)? else {
            return Ok(None);
        };
        values.extend(emitter.materialise(item, &[&format!("item{index}")]));
    }
    Ok(Some(Source { kind: SourceKind::ValueTuple { values, ty }, loc }))
}
