//! What a dump does not tell about encoding: types of the values, encodings of plain bytes.

use crate::ir::Ctx;
use crate::ir::op::{Constant, Value};
use crate::ir::types::{Encoding, EncodingId, IrType, Shape};

/// Types of encoded values; groups are recovered from the encoding. Constants get the type that is
/// usual for their encoding.
pub(super) fn shape(ctx: Ctx<'_, '_>, encoding: EncodingId, values: &mut [Value]) -> Shape {
    let mut rest = &mut *values;
    if let Some(shape) = part(ctx, encoding, &mut rest)
        && rest.is_empty()
    {
        return shape;
    }
    let mut rest = &mut *values;
    if let Some(shape) = group(ctx, encoding, &mut rest)
        && rest.is_empty()
    {
        return shape;
    }
    Shape::Tuple(ctx.pool.tuple_of(values.iter().map(|value| value.ty(ctx.pool))))
}

/// One element: a group if its encoding is one of several and the value is not encoded already.
fn part(ctx: Ctx<'_, '_>, encoding: EncodingId, rest: &mut &mut [Value]) -> Option<Shape> {
    let pool = ctx.pool;
    let ty = rest.first()?.ty(pool);
    let facts = pool.encoding(encoding);
    let is_text = facts.array().is_some_and(|(element, ..)| {
        element == pool.utf8_encoding() || element == pool.uint_encoding(8)
    });
    let is_group = match facts.encoding {
        Encoding::Tuple(_) => true,
        Encoding::Array { .. } => !is_text || ty.is_uint64(pool),
        _ => false,
    };
    if is_group && ty != IrType::Encoded(encoding) {
        return group(ctx, encoding, rest);
    }
    let (first, others) = std::mem::take(rest).split_first_mut()?;
    *rest = others;
    let usual = usual_type(ctx, encoding);
    if let Value::Constant(constant, _) = first {
        match constant {
            Constant::UInt64 { ty, .. } if usual == IrType::Bool => *ty = usual,
            Constant::Bytes { ty, .. } if usual.is_bytes(pool) => *ty = usual,
            _ => {}
        }
    }
    Some(Shape::One(first.ty(pool)))
}

fn group(ctx: Ctx<'_, '_>, encoding: EncodingId, rest: &mut &mut [Value]) -> Option<Shape> {
    let pool = ctx.pool;
    let mut shapes = Vec::new();
    match pool.encoding(encoding).encoding {
        Encoding::Tuple(elements) => {
            for element in elements {
                shapes.push(part(ctx, *element, rest)?);
            }
        }
        Encoding::Array { element, size, .. } => {
            while !rest.is_empty() && size.is_none_or(|size| size != shapes.len() as u64) {
                shapes.push(part(ctx, element, rest)?);
            }
        }
        _ => return None,
    }
    Some(Shape::Tuple(pool.tuple_type(&shapes, None)))
}

fn usual_type(ctx: Ctx<'_, '_>, encoding: EncodingId) -> IrType {
    let pool = ctx.pool;
    match pool.encoding(encoding).encoding {
        Encoding::Bool | Encoding::Bool8 => IrType::Bool,
        Encoding::UInt(0..=64) => IrType::UInt64,
        Encoding::UInt(_) => IrType::BigUInt,
        Encoding::Array { element, size: None, .. } if element == pool.utf8_encoding() => {
            IrType::String
        }
        Encoding::Array { element, size: None, .. } if element == pool.uint_encoding(8) => {
            IrType::Bytes
        }
        Encoding::Array { element, size: Some(size), .. } if element == pool.uint_encoding(8) => {
            IrType::SizedBytes(u32::try_from(size).unwrap_or(u32::MAX))
        }
        _ => IrType::Encoded(encoding),
    }
}

/// The encoding that a value of this type usually has where it comes from outside.
pub(super) fn usual_encoding(ctx: Ctx<'_, '_>, ty: Shape) -> EncodingId {
    let pool = ctx.pool;
    let byte = pool.uint_encoding(8);
    match ty {
        Shape::One(ty) => match ty {
            IrType::Bool => pool.bool8_encoding(),
            IrType::BigUInt => pool.uint_encoding(512),
            IrType::String => pool.dynamic_array_encoding(pool.utf8_encoding(), true),
            IrType::Account => pool.fixed_array_encoding(byte, 32),
            IrType::SizedBytes(length) => pool.fixed_array_encoding(byte, u64::from(length)),
            IrType::Encoded(encoding) => encoding,
            ty if ty.is_uint64(pool) => pool.uint_encoding(64),
            _ => pool.dynamic_array_encoding(byte, true),
        },
        Shape::Tuple(id) => {
            let elements: Vec<EncodingId> = pool
                .tuple(id)
                .elements
                .iter()
                .map(|element| match element {
                    Shape::One(IrType::Bool) => pool.bool_encoding(),
                    element => usual_encoding(ctx, *element),
                })
                .collect();
            pool.tuple_encoding(&elements)
        }
    }
}
