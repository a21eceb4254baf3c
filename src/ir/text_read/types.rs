//! Names of types and encodings -> interned types.

use crate::ir::Ctx;
use crate::ir::types::{Encoding, EncodingId, IrType, Shape};

use super::Read;

/// The type with this name.
pub(super) fn ir_type(ctx: Ctx<'_, '_>, name: &str) -> Read<IrType> {
    Ok(match name {
        "bytes" => IrType::Bytes,
        "uint64" => IrType::UInt64,
        "string" => IrType::String,
        "bool" => IrType::Bool,
        "account" => IrType::Account,
        "biguint" => IrType::BigUInt,
        "state_key" => IrType::StateKey,
        "box_key" => IrType::BoxKey,
        "bytes*" => IrType::MergedSlot,
        "any" => IrType::Any,
        "itxn_group_idx" => IrType::ItxnGroupIdx,
        "itxn_field_set" => IrType::ItxnFieldSet,
        _ => {
            if let Some(length) = name.strip_prefix("bytes[") {
                let length = length.strip_suffix(']').and_then(|length| length.parse().ok());
                return Ok(IrType::SizedBytes(length.ok_or("a length is a number")?));
            }
            let (contents, is_slot) = match name.strip_suffix('*') {
                Some(contents) => (contents, true),
                None => (name, false),
            };
            let inner = contents.strip_prefix("Encoded(").and_then(|rest| rest.strip_suffix(')'));
            let inner = inner.ok_or_else(|| format!("no type is called {name}"))?;
            // The name lost one pair of parentheses where it had one around it.
            let is_whole = !(inner.starts_with('(') && inner.ends_with(')'));
            let encoding = match encoding(ctx, inner) {
                Ok(encoding) if is_whole => encoding,
                _ => encoding_in_parentheses(ctx, inner)?,
            };
            if is_slot { IrType::Slot(encoding) } else { IrType::Encoded(encoding) }
        }
    })
}

fn encoding_in_parentheses(ctx: Ctx<'_, '_>, inner: &str) -> Read<EncodingId> {
    encoding(ctx, &format!("({inner})"))
}

/// The type or group of types with this name.
pub(super) fn shape(ctx: Ctx<'_, '_>, name: &str) -> Read<Shape> {
    let Some(elements) = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return Ok(Shape::One(ir_type(ctx, name)?));
    };
    let mut shapes = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, character) in elements.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                shapes.push(shape(ctx, &elements[start..index])?);
                start = index + 1;
            }
            _ => {}
        }
    }
    Ok(Shape::Tuple(ctx.pool.tuple_type(&shapes, None)))
}

/// The encoding with this name.
pub(super) fn encoding(ctx: Ctx<'_, '_>, name: &str) -> Read<EncodingId> {
    let (encoding, rest) = parse(ctx, name)?;
    match rest {
        "" => Ok(encoding),
        _ => Err(format!("no encoding is called {name}")),
    }
}

fn parse<'t>(ctx: Ctx<'_, '_>, text: &'t str) -> Read<(EncodingId, &'t str)> {
    let pool = ctx.pool;
    let (mut encoding, mut rest) = if let Some(rest) = text.strip_prefix("bool1") {
        (pool.bool_encoding(), rest)
    } else if let Some(rest) = text.strip_prefix("bool8") {
        (pool.bool8_encoding(), rest)
    } else if let Some(rest) = text.strip_prefix("utf8") {
        (pool.utf8_encoding(), rest)
    } else if let Some(rest) = text.strip_prefix("uint") {
        let (bits, rest) = digits(rest);
        (pool.uint_encoding(bits.parse().map_err(|_| "an integer has a size")?), rest)
    } else if let Some(rest) = text.strip_prefix("(len+") {
        let (array, rest) = parse(ctx, rest)?;
        let Encoding::Array { element, size: None, .. } = pool.encoding(array).encoding else {
            return Err("only a dynamic array has a length".to_owned());
        };
        let rest = rest.strip_prefix(')').ok_or("an array ends with a parenthesis")?;
        (pool.dynamic_array_encoding(element, true), rest)
    } else if let Some(mut rest) = text.strip_prefix('(') {
        let mut elements = Vec::new();
        while !rest.starts_with(')') {
            let (element, after) = parse(ctx, rest)?;
            elements.push(element);
            rest = after.strip_prefix(',').unwrap_or(after);
            if rest.is_empty() {
                return Err("a tuple ends with a parenthesis".to_owned());
            }
        }
        (pool.tuple_encoding(&elements), &rest[1..])
    } else {
        return Err(format!("no encoding is called {text}"));
    };
    while let Some(after) = rest.strip_prefix('[') {
        let (size, after) = digits(after);
        rest = after.strip_prefix(']').ok_or("a size ends with a bracket")?;
        encoding = match size {
            "" => pool.dynamic_array_encoding(encoding, false),
            size => {
                let size = size.parse().map_err(|_| "a size fits 64 bits")?;
                pool.fixed_array_encoding(encoding, size)
            }
        };
    }
    Ok((encoding, rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
