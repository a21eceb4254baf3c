//! Skips the way through the encoded form and back: decoding what was encoded from values gives those
//! values, and encoding what was decoded gives the bytes it was decoded from. Only where the way does
//! not check or change anything, see [`is_round_trip_safe`].

use crate::base::entity::EntitySet;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::diagnostics::Outcome;
use crate::ir::model::{OpId, Subroutine};
use crate::ir::op::{OpKind, Register, RegisterId, Source, SourceKind, Value};
use crate::ir::pool::Pool;
use crate::ir::types::{Encoding, EncodingId, IrType, Shape};

use super::{PassCtx, set_source};

/// An encoding operation of the subroutine.
#[derive(Clone, Copy)]
struct Encode<'a> {
    encoding: EncodingId,
    values: &'a [Value],
    values_ty: Shape,
}

/// A decoding operation of the subroutine.
#[derive(Clone, Copy)]
struct Decode {
    encoding: EncodingId,
    value: Value,
    ty: Shape,
}

/// Which form the value takes on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    Encoded,
    Native,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let edits = find(sub, ctx.ir.pool);
    let changed = !edits.is_empty();
    for (op, source) in edits {
        set_source(sub, ctx.ir, op, source)?;
    }
    Ok(changed)
}

/// Whether something is encoded that was decoded, or decoded that was encoded.
fn has_candidates(sub: &Subroutine) -> bool {
    let (mut encoded, mut decoded) = (EntitySet::new(), EntitySet::new());
    for op in sub.ops_in_order() {
        let OpKind::Assign { targets, source } = &sub.ops[op].kind else { continue };
        let set = match source.kind {
            SourceKind::BytesEncode { .. } => &mut encoded,
            SourceKind::DecodeBytes { .. } => &mut decoded,
            _ => continue,
        };
        set.insert(targets[0].id);
    }
    let is_one_of = |set: &EntitySet<RegisterId>, value: Option<&Value>| {
        let register = value.and_then(|value| value.register());
        register.is_some_and(|register| set.contains(register.id))
    };
    sub.ops_in_order().any(|op| match &sub.ops[op].kind {
        OpKind::Assign { source, .. } => match &source.kind {
            SourceKind::BytesEncode { values, .. } => is_one_of(&decoded, values.first()),
            SourceKind::DecodeBytes { value, .. } => is_one_of(&encoded, Some(value)),
            _ => false,
        },
        _ => false,
    })
}

fn find(sub: &Subroutine, pool: &Pool<'_>) -> Vec<(OpId, Source)> {
    if !has_candidates(sub) {
        return Vec::new();
    }
    let mut encodes_by_values: LookupMap<&[Value], Vec<(OpId, Encode<'_>)>> = LookupMap::new();
    let mut encodes_by_target: OrderedMap<Register, Encode<'_>> = OrderedMap::default();
    let mut decodes_by_value: LookupMap<Value, Vec<(OpId, Decode)>> = LookupMap::new();
    let mut decodes_by_targets: OrderedMap<Vec<Value>, Decode> = OrderedMap::default();
    for op in sub.ops_in_order() {
        let OpKind::Assign { targets, source } = &sub.ops[op].kind else { continue };
        match &source.kind {
            SourceKind::BytesEncode { encoding, values, values_ty, .. } => {
                let encode = Encode { encoding: *encoding, values, values_ty: *values_ty };
                encodes_by_values.get_or_insert_with(values, Vec::new).push((op, encode));
                encodes_by_target.insert(targets[0], encode);
            }
            SourceKind::DecodeBytes { encoding, value, ty, .. } => {
                let decode = Decode { encoding: *encoding, value: *value, ty: *ty };
                decodes_by_value.get_or_insert_with(*value, Vec::new).push((op, decode));
                let targets = targets.iter().map(|target| Value::Register(*target)).collect();
                decodes_by_targets.insert(targets, decode);
            }
            _ => {}
        }
    }
    let mut edits = Vec::new();
    for (target, encode) in &encodes_by_target {
        for (op, decode) in decodes_by_value.get(&Value::Register(*target)).into_iter().flatten() {
            if decode.ty != encode.values_ty
                || decode.encoding != encode.encoding
                || !is_round_trip_safe(pool, decode.encoding, decode.ty, Via::Encoded)
            {
                continue;
            }
            let source = match (decode.ty, encode.values) {
                (Shape::One(_), [value]) => Source::value(*value),
                (Shape::One(_), _) => continue,
                (Shape::Tuple(ty), values) => Source {
                    kind: SourceKind::ValueTuple { values: values.to_vec(), ty },
                    loc: sub.ops[*op].loc,
                },
            };
            edits.push((*op, source));
        }
    }
    for (targets, decode) in &decodes_by_targets {
        for (op, encode) in encodes_by_values.get(targets.as_slice()).into_iter().flatten() {
            if decode.encoding == encode.encoding
                && decode.ty == encode.values_ty
                && is_round_trip_safe(pool, decode.encoding, decode.ty, Via::Native)
            {
                edits.push((*op, Source::value(decode.value)));
            }
        }
    }
    edits
}

/// Whether no check and no change of representation is lost by leaving out the way through the other
/// form. A `biguint` has several representations, so encoding one may be meant to choose one.
fn is_round_trip_safe(pool: &Pool<'_>, encoding: EncodingId, ty: Shape, via: Via) -> bool {
    let facts = pool.encoding(encoding);
    let ty = match ty {
        Shape::One(ty) => ty,
        Shape::Tuple(tuple) => {
            let types = pool.tuple(tuple).elements;
            return facts.tuple_elements(pool).is_some_and(|elements| {
                elements.len() == types.len()
                    && elements
                        .iter()
                        .zip(types)
                        .all(|(encoding, ty)| is_round_trip_safe(pool, *encoding, *ty, via))
            });
        }
    };
    let is_array_of = |size: Option<u64>, element: Encoding<'_>| {
        facts.array().is_some_and(|(e, s, _)| s == size && pool.encoding(e).encoding == element)
    };
    match ty {
        IrType::Encoded(other) => other == encoding,
        IrType::Bool => true,
        IrType::String => is_array_of(None, Encoding::Utf8),
        IrType::Bytes => is_array_of(None, Encoding::UInt(8)),
        IrType::Account => is_array_of(Some(32), Encoding::UInt(8)),
        IrType::UInt64 => match facts.encoding {
            Encoding::UInt(bits) if via == Via::Native => bits <= 64,
            Encoding::UInt(bits) => bits >= 64,
            _ => false,
        },
        IrType::BigUInt => via == Via::Native && matches!(facts.encoding, Encoding::UInt(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn the_way_through_the_encoded_form_is_skipped_where_nothing_is_lost() {
        check(
            "encode_decode_pair_elimination",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: Encoded(uint64) = bytes_encode<uint64>(a#0)
                    let c#0: uint64 = decode_bytes<uint64>(b#0)
                    let d#0: Encoded(uint8) = bytes_encode<uint8>(a#0)
                    let e#0: uint64 = decode_bytes<uint64>(d#0)
                    let f#0: Encoded(uint8) = bytes_encode<uint8>(e#0)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: Encoded(uint64) = bytes_encode<uint64>(a#0)
                    let c#0: uint64 = a#0
                    let d#0: Encoded(uint8) = bytes_encode<uint8>(a#0)
                    let e#0: uint64 = decode_bytes<uint64>(d#0)
                    let f#0: Encoded(uint8) = d#0
                    exit c#0
            "#,
        );
    }
}
