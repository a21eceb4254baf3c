//! Source-level types -> types of IR values and encodings. Spec 20 §5.1 and §5.2.

use crate::awst::wtypes::{BasicType, ScalarType, WTypeId, WTypeKind, WTypes};
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::types::{Encoding, EncodingId, IrType, Shape};

/// What the mapping needs: where both sides' types are kept.
#[derive(Clone, Copy)]
pub struct TypeCtx<'a, 's> {
    /// Home of IR types.
    pub ir: Ctx<'a, 's>,
    /// Home of source-level types.
    pub wtypes: &'a WTypes<'s>,
}

/// The type of the single value that a value of this type is. A native tuple has none.
pub fn ir_type(ctx: TypeCtx<'_, '_>, wtype: WTypeId, loc: Loc) -> Outcome<IrType> {
    let facts = ctx.wtypes.get(wtype);
    match facts.kind {
        WTypeKind::Basic(BasicType::Bool) => return Ok(IrType::Bool),
        WTypeKind::Basic(BasicType::BigUInt) => return Ok(IrType::BigUInt),
        WTypeKind::Basic(BasicType::String) => return Ok(IrType::String),
        WTypeKind::Basic(BasicType::Account) => return Ok(IrType::Account),
        WTypeKind::Basic(BasicType::BoxKey) => return Ok(IrType::BoxKey),
        WTypeKind::Basic(BasicType::StateKey) => return Ok(IrType::StateKey),
        WTypeKind::Basic(BasicType::Void) => {
            return Err(Failure::internal("can't translate void wtype to irtype", loc));
        }
        WTypeKind::Bytes { length: None } => return Ok(IrType::Bytes),
        WTypeKind::Bytes { length: Some(length) } => {
            return match u32::try_from(length) {
                Ok(length) => Ok(IrType::SizedBytes(length)),
                Err(_) => Err(Failure::internal("bytes of more than 2^32 bytes", loc)),
            };
        }
        WTypeKind::InnerTransaction { .. } => return Ok(IrType::ItxnGroupIdx),
        WTypeKind::InnerTransactionFields { .. }
        | WTypeKind::AbiCallInnerTransactionFields { .. } => return Ok(IrType::ItxnFieldSet),
        WTypeKind::ReferenceArray { .. } => return Ok(IrType::Slot(encoding(ctx, wtype, loc)?)),
        kind if kind.is_arc4() => return Ok(IrType::Encoded(encoding(ctx, wtype, loc)?)),
        _ => {}
    }
    match facts.scalar_type {
        Some(ScalarType::UInt64) => Ok(IrType::UInt64),
        Some(ScalarType::Bytes) => Ok(IrType::Bytes),
        None => {
            let name = facts.name;
            let message = format!("unsupported nested/compound type encountered: {name}");
            Err(Failure::code(message, loc))
        }
    }
}

/// The type of the values that a value of this type is.
pub fn shape(ctx: TypeCtx<'_, '_>, wtype: WTypeId, loc: Loc) -> Outcome<Shape> {
    let WTypeKind::Tuple { types, names, .. } = ctx.wtypes.kind(wtype) else {
        return ir_type(ctx, wtype, loc).map(Shape::One);
    };
    let elements =
        types.iter().map(|item| shape(ctx, *item, loc)).collect::<Outcome<Vec<Shape>>>()?;
    let fields: Option<Vec<Symbol>> =
        names.map(|names| names.iter().map(|name| ctx.ir.sym(name)).collect());
    Ok(Shape::Tuple(ctx.ir.pool.tuple_type(&elements, fields.as_deref())))
}

/// The types a result of this type flattens to; none for `void`.
pub fn ir_types(ctx: TypeCtx<'_, '_>, wtype: WTypeId, loc: Loc) -> Outcome<Few<IrType>> {
    if wtype == WTypeId::VOID {
        return Ok(Few::None);
    }
    Ok(shape(ctx, wtype, loc)?.flatten(ctx.ir.pool))
}

/// How many values a value of this type is.
pub fn arity(ctx: TypeCtx<'_, '_>, wtype: WTypeId) -> usize {
    match ctx.wtypes.kind(wtype) {
        WTypeKind::Tuple { types, .. } => types.iter().map(|item| arity(ctx, *item)).sum(),
        _ => 1,
    }
}

/// The name of an item of the native tuple `base`. An index into a named tuple counts as the name.
pub fn tuple_item_name(
    ctx: TypeCtx<'_, '_>,
    tuple: WTypeId,
    base: &str,
    item: TupleItem<'_>,
) -> String {
    match (item, ctx.wtypes.kind(tuple)) {
        (TupleItem::Index(index), WTypeKind::Tuple { names: Some(names), .. })
            if index < names.len() =>
        {
            format!("{base}.{}", names[index])
        }
        (TupleItem::Index(index), _) => format!("{base}.{index}"),
        (TupleItem::Name(name), _) => format!("{base}.{name}"),
    }
}

/// How an item of a tuple is named in the source.
#[derive(Clone, Copy, Debug)]
pub enum TupleItem<'n> {
    /// By position.
    Index(usize),
    /// By field.
    Name(&'n str),
}

/// Calls `visit` with name and type of each single value that a variable called `name` is.
pub fn for_each_leaf(
    ctx: TypeCtx<'_, '_>,
    wtype: WTypeId,
    name: &str,
    visit: &mut dyn FnMut(&str, WTypeId) -> Outcome<()>,
) -> Outcome<()> {
    let WTypeKind::Tuple { types, .. } = ctx.wtypes.kind(wtype) else {
        return visit(name, wtype);
    };
    for (index, item) in types.iter().enumerate() {
        let item_name = tuple_item_name(ctx, wtype, name, TupleItem::Index(index));
        for_each_leaf(ctx, *item, &item_name, visit)?;
    }
    Ok(())
}

/// How a value of this type is laid out in bytes.
pub fn encoding(ctx: TypeCtx<'_, '_>, wtype: WTypeId, loc: Loc) -> Outcome<EncodingId> {
    let pool = ctx.ir.pool;
    let facts = ctx.wtypes.get(wtype);
    let unencodable = || Failure::code("unencodable type", loc);
    let all = |items: &mut dyn Iterator<Item = WTypeId>| -> Outcome<EncodingId> {
        let items = items
            .map(|item| encoding_in_aggregate(ctx, item, loc))
            .collect::<Outcome<Vec<EncodingId>>>()?;
        Ok(pool.tuple_encoding(&items))
    };
    Ok(match facts.kind {
        WTypeKind::Basic(BasicType::BigUInt) => pool.uint_encoding(512),
        WTypeKind::Basic(BasicType::Bool) => pool.bool8_encoding(),
        WTypeKind::Basic(BasicType::Account) => {
            pool.fixed_array_encoding(pool.uint_encoding(8), 32)
        }
        WTypeKind::Basic(BasicType::String) => {
            pool.dynamic_array_encoding(pool.utf8_encoding(), true)
        }
        WTypeKind::Basic(_) => match facts.scalar_type {
            Some(ScalarType::Bytes) if facts.persistable => {
                pool.dynamic_array_encoding(pool.uint_encoding(8), true)
            }
            Some(ScalarType::UInt64) if facts.persistable => pool.uint_encoding(64),
            _ => return Err(unencodable()),
        },
        WTypeKind::Arc4Basic if wtype == WTypeId::ARC4_BOOL => pool.bool8_encoding(),
        WTypeKind::Arc4UIntN { n } | WTypeKind::Arc4UFixedNxM { n, .. } => pool.uint_encoding(n),
        WTypeKind::Bytes { length: None } => {
            pool.dynamic_array_encoding(pool.uint_encoding(8), true)
        }
        WTypeKind::Bytes { length: Some(length) } => {
            pool.fixed_array_encoding(pool.uint_encoding(8), length)
        }
        WTypeKind::ReferenceArray { element_type } => {
            let element = encoding(ctx, element_type, loc)?;
            if pool.encoding(element).is_dynamic() {
                let message = "reference arrays can't have dynamic elements";
                return Err(Failure::code(message, facts.loc));
            }
            pool.dynamic_array_encoding(element, false)
        }
        WTypeKind::Arc4DynamicArray { .. } if facts.arc4_alias == Some("string") => {
            pool.dynamic_array_encoding(pool.utf8_encoding(), true)
        }
        WTypeKind::Arc4DynamicArray { element_type } => {
            pool.dynamic_array_encoding(encoding_in_aggregate(ctx, element_type, loc)?, true)
        }
        WTypeKind::Arc4StaticArray { element_type, array_size } => {
            let element = encoding_in_aggregate(ctx, element_type, loc)?;
            pool.fixed_array_encoding(element, array_size)
        }
        WTypeKind::Tuple { types, .. } | WTypeKind::Arc4Tuple { types } => {
            all(&mut types.iter().copied())?
        }
        WTypeKind::Arc4Struct { fields, .. } => all(&mut fields.iter().map(|f| f.wtype))?,
        WTypeKind::Arc4Basic
        | WTypeKind::Enumeration { .. }
        | WTypeKind::GroupTransaction { .. }
        | WTypeKind::InnerTransaction { .. }
        | WTypeKind::InnerTransactionFields { .. }
        | WTypeKind::AbiCallInnerTransactionFields { .. } => return Err(unencodable()),
    })
}

/// Neighbouring bools of an aggregate share bytes, so a bool is a bit there.
fn encoding_in_aggregate(ctx: TypeCtx<'_, '_>, wtype: WTypeId, loc: Loc) -> Outcome<EncodingId> {
    if wtype == WTypeId::BOOL || wtype == WTypeId::ARC4_BOOL {
        return Ok(ctx.ir.pool.bool_encoding());
    }
    encoding(ctx, wtype, loc)
}

/// Types as the reference's messages list them.
pub fn type_list(ctx: Ctx<'_, '_>, types: impl Iterator<Item = IrType>) -> String {
    let types: Vec<String> = types.map(|ty| type_repr(ctx, ty)).collect();
    format!("[{}]", types.join(", "))
}

fn type_repr(ctx: Ctx<'_, '_>, ty: IrType) -> String {
    match ty {
        IrType::SizedBytes(length) => format!("SizedBytesType(num_bytes={length})"),
        IrType::Encoded(encoding) => {
            format!("EncodedType(encoding={})", encoding_repr(ctx, encoding))
        }
        IrType::Slot(encoding) => {
            format!("SlotType(contents={})", type_repr(ctx, IrType::Encoded(encoding)))
        }
        other => format!("PrimitiveIRType.{}", other.name(ctx.pool)),
    }
}

fn encoding_repr(ctx: Ctx<'_, '_>, encoding: EncodingId) -> String {
    let elements = |elements: &[EncodingId]| -> String {
        let elements: Vec<String> =
            elements.iter().map(|element| encoding_repr(ctx, *element)).collect();
        match &elements[..] {
            [element] => format!("({element},)"),
            _ => format!("({})", elements.join(", ")),
        }
    };
    match ctx.pool.encoding(encoding).encoding {
        Encoding::Bool => "BoolEncoding()".to_owned(),
        Encoding::UInt(bits) => format!("UIntEncoding(n={bits})"),
        Encoding::Utf8 => "UTF8Encoding()".to_owned(),
        Encoding::Tuple(items) => {
            format!("TupleEncoding(elements={}, names=None)", elements(items))
        }
        Encoding::Bool8 => "Bool8Encoding(elements=(BoolEncoding(),), names=None)".to_owned(),
        Encoding::Array { element, size, length_header } => {
            let size = size.map_or("None".to_owned(), |size| size.to_string());
            let header = if length_header { "True" } else { "False" };
            let element = encoding_repr(ctx, element);
            format!("ArrayEncoding(element={element}, size={size}, length_header={header})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::ir::pool::Pool;
    use crate::options::CompileOptions;
    use crate::session::Session;

    #[test]
    fn bools_share_bytes_in_aggregates_only() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let pool = Pool::new(&arena);
        let options = CompileOptions::default();
        let ir = Ctx { session: &session, pool: &pool, options: &options };
        let wtypes = WTypes::new(&arena);
        let ctx = TypeCtx { ir, wtypes: &wtypes };
        let name = |wtype| {
            let encoding = encoding(ctx, wtype, Loc::NONE).unwrap();
            pool.encoding(encoding).name
        };
        let items = [WTypeId::BOOL, WTypeId::STRING, WTypeId::ACCOUNT];
        let tuple = wtypes.tuple(&items, Loc::NONE).unwrap();
        assert_eq!(name(tuple), "(bool1,(len+utf8[]),uint8[32])");
        assert_eq!(name(WTypeId::BOOL), "bool8");
        assert_eq!(arity(ctx, tuple), 3);
        let shape = shape(ctx, tuple, Loc::NONE).unwrap();
        assert_eq!(shape.name(&pool), "(bool,string,account,)");
        let leaves = shape.leaf_names(ir, ir.sym("x"));
        assert_eq!(leaves, ["x.0", "x.1", "x.2"].map(|name| ir.sym(name)));
    }
}
