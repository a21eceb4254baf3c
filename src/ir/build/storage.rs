//! Global, local and box state. Spec 21 §13.4.
//!
//! What is stored may differ from what the source calls the value: a box holds bytes, so integers are
//! encoded; native tuples are encoded everywhere. [`Codec`] says how.

use crate::avm::ops::AvmOp;
use crate::awst::arc4;
use crate::awst::expr::{
    AppAccountStateExpression, AppStateExpression, BoxValueExpression, Expr, ExprRef,
    MapPrefixedKeyExpression, StateDelete, StateExists, StateGet, StateGetEx,
};
use crate::awst::wtypes::{ScalarType, WTypeId, WTypeKind};
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{OpKind, Source, SourceKind, TerminatorKind, Value};
use crate::ir::types::{EncodingId, IrType, Shape, TupleTypeId};

use super::function::{Evaluated, FunctionBuilder, Placed};

/// How values of a type are stored.
#[derive(Clone, Copy)]
enum Codec {
    /// An integer as 8 bytes.
    UInt64AsBytes,
    /// The value itself.
    Plain(IrType),
    /// Several values in an encoding.
    Encoded { values: Shape, encoding: EncodingId },
}

/// Where bytes are all there is: boxes and keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Medium {
    Any,
    BytesOnly,
}

impl Codec {
    fn stored_type(self) -> IrType {
        match self {
            Codec::UInt64AsBytes => IrType::SizedBytes(8),
            Codec::Plain(ty) => ty,
            Codec::Encoded { encoding, .. } => IrType::Encoded(encoding),
        }
    }
}

/// The parts of a state or box expression.
#[derive(Clone, Copy)]
struct Place<'s> {
    key: ExprRef<'s>,
    account: Option<ExprRef<'s>>,
    is_box: bool,
    message: Option<&'s str>,
    wtype: WTypeId,
    loc: Loc,
}

impl<'s> Place<'s> {
    fn of(expr: ExprRef<'s>) -> Outcome<Self> {
        let (key, message, account) = match expr {
            Expr::AppStateExpression(e) => (e.key, e.exists_assertion_message, None),
            Expr::AppAccountStateExpression(e) => {
                (e.key, e.exists_assertion_message, Some(e.account))
            }
            Expr::BoxValueExpression(e) => (e.key, e.exists_assertion_message, None),
            _ => return Err(Failure::internal("expected a storage expression", expr.loc())),
        };
        let is_box = matches!(expr, Expr::BoxValueExpression(_));
        let (wtype, loc) = (expr.wtype(), expr.loc());
        Ok(Self { key, account, is_box, message, wtype, loc })
    }
}

impl<'s> FunctionBuilder<'_, 's> {
    fn codec(&self, wtype: WTypeId, medium: Medium, loc: Loc) -> Outcome<Codec> {
        let facts = self.build.wtypes.get(wtype);
        if !facts.persistable {
            let message = format!("non-persistable storage type: {}", facts.name);
            return Err(Failure::internal(message, loc));
        }
        if facts.scalar_type == Some(ScalarType::UInt64) && medium == Medium::BytesOnly {
            return Ok(Codec::UInt64AsBytes);
        }
        if let WTypeKind::Tuple { .. } = facts.kind {
            let Some(arc4) = arc4::arc4_equivalent(self.build.wtypes, wtype)? else {
                let message = "expected persistable tuple type to be ARC-4 encodable";
                return Err(Failure::internal(message, loc));
            };
            let values = self.shape(wtype, loc)?;
            return Ok(Codec::Encoded { values, encoding: self.encoding(arc4, loc)? });
        }
        if facts.scalar_type.is_none() {
            let message = format!("unable to construct storage codec for type: {}", facts.name);
            return Err(Failure::internal(message, loc));
        }
        Ok(Codec::Plain(self.ir_type(wtype, loc)?))
    }
    fn place_codec(&self, place: Place<'s>) -> Outcome<Codec> {
        let medium = if place.is_box { Medium::BytesOnly } else { Medium::Any };
        self.codec(place.wtype, medium, place.loc)
    }
    fn encode_for_storage(&mut self, codec: Codec, values: &[Value], loc: Loc) -> Outcome<Value> {
        match (codec, values) {
            (Codec::UInt64AsBytes, [value]) => {
                Ok(self.make(loc).named("encoded_value").itob(*value).into())
            }
            (Codec::Plain(_), [value]) => Ok(*value),
            (Codec::Encoded { values: shape, encoding }, _) => {
                let encoded = self.encode(encoding, values.to_vec(), shape, None, loc)?;
                self.materialise_value(encoded, "encoded_for_storage")
            }
            _ => Err(Failure::internal("storage encoding expects a single value", loc)),
        }
    }
    fn decode_from_storage(&mut self, codec: Codec, value: Value, loc: Loc) -> Source {
        match codec {
            Codec::UInt64AsBytes => {
                let number = self.make(loc).named("maybe_value_converted").btoi(value);
                Source::value(number.into())
            }
            Codec::Plain(_) => Source::value(value),
            Codec::Encoded { values, encoding } => self.decode(encoding, value, values, None, loc),
        }
    }
    /// Stores already evaluated values in a state or box expression.
    pub fn assign_storage(
        &mut self,
        target: ExprRef<'s>,
        values: &[Value],
        loc: Loc,
    ) -> Outcome<()> {
        let place = Place::of(target)?;
        let codec = self.place_codec(place)?;
        let key = self.visit_value(place.key)?;
        if place.is_box {
            let value = self.encode_for_storage(codec, values, place.loc)?;
            // A box keeps its size, so a value that may have another needs another box.
            let delete_first = codec.stored_type().num_bytes(self.ir().pool).is_none();
            self.add(OpKind::BoxWrite { key, value, delete_first }, loc);
            return Ok(());
        }
        let account = match place.account {
            Some(account) => Some(self.visit_value(account)?),
            None => None,
        };
        let value = self.encode_for_storage(codec, values, place.loc)?;
        let (op, args) = match account {
            Some(account) => (AvmOp::AppLocalPut, vec![account, key, value]),
            None => (AvmOp::AppGlobalPut, vec![key, value]),
        };
        self.add_instruction(op, args, loc)
    }
    /// Appends an instruction whose results, if any, are dropped.
    pub(super) fn add_instruction(&mut self, op: AvmOp, args: Vec<Value>, loc: Loc) -> Outcome<()> {
        let source = self.instruction(op, args, loc)?;
        if let SourceKind::Intrinsic(intrinsic) = source.kind {
            self.add(OpKind::Intrinsic(intrinsic), loc);
        }
        Ok(())
    }

    /// Reads global state.
    pub fn visit_app_state(&mut self, node: &'s AppStateExpression<'s>) -> Evaluated {
        let place = Place {
            key: node.key,
            account: None,
            is_box: false,
            message: node.exists_assertion_message,
            wtype: node.wtype,
            loc: node.loc,
        };
        self.read_state(place, "state exists")
    }
    /// Reads local state.
    pub fn visit_app_account_state(
        &mut self,
        node: &'s AppAccountStateExpression<'s>,
    ) -> Evaluated {
        let place = Place {
            key: node.key,
            account: Some(node.account),
            is_box: false,
            message: node.exists_assertion_message,
            wtype: node.wtype,
            loc: node.loc,
        };
        self.read_state(place, "state exists for account")
    }
    fn read_state(&mut self, place: Place<'s>, default_message: &str) -> Evaluated {
        let key = self.visit_value(place.key)?;
        let codec = self.place_codec(place)?;
        let get = self.maybe_get(place, codec, key)?;
        let [value, exists] = self.materialise_pair(get)?;
        let message = place.message.filter(|message| !message.is_empty());
        self.make(place.loc).assert_value(exists, message.unwrap_or(default_message));
        Ok(Some(self.decode_from_storage(codec, value, place.loc)))
    }
    /// Reads a box.
    pub fn visit_box_value(&mut self, node: &'s BoxValueExpression<'s>) -> Evaluated {
        let loc = node.loc;
        let key = self.visit_value(node.key)?;
        let codec = self.codec(node.wtype, Medium::BytesOnly, loc)?;
        let message = node.exists_assertion_message.filter(|message| !message.is_empty());
        let message = self.sym(message.unwrap_or("box exists"));
        let kind = SourceKind::BoxRead {
            key,
            value_ty: IrType::Bytes,
            exists_assertion_message: Some(message),
        };
        let value = self.materialise_value(Source { kind, loc }, "storage_value")?;
        Ok(Some(self.decode_from_storage(codec, value, loc)))
    }
    /// The stored value, if there is one, and whether there is. The type of what is found is not taken
    /// for granted, so it is plain bytes or an integer. Evaluates the account.
    fn maybe_get(&mut self, place: Place<'s>, codec: Codec, key: Value) -> Outcome<Source> {
        let is_uint64 = codec.stored_type().is_uint64(self.ir().pool);
        let ty = if is_uint64 { IrType::UInt64 } else { IrType::Bytes };
        let zero = Value::uint64(0, place.loc);
        let (op, args) = match place.account {
            _ if place.is_box => (AvmOp::BoxGet, vec![key]),
            None => (AvmOp::AppGlobalGetEx, vec![zero, key]),
            Some(account) => (AvmOp::AppLocalGetEx, vec![self.visit_value(account)?, zero, key]),
        };
        self.instruction_with(op, Vec::new(), args, Some(Few::Two([ty, IrType::Bool])), place.loc)
    }
    fn materialise_pair(&mut self, source: Source) -> Outcome<[Value; 2]> {
        let loc = source.loc;
        let values = self.materialise_values(source, &["maybe_value", "maybe_exists"])?;
        values.try_into().map_err(|_| Failure::internal("two results were expected", loc))
    }
    /// Reads state with a default.
    pub fn visit_state_get(&mut self, node: &'s StateGet<'s>) -> Evaluated {
        let loc = node.loc;
        let place = Place::of(node.field)?;
        let key = self.visit_value(place.key)?;
        let codec = self.place_codec(place)?;
        let get = self.maybe_get(place, codec, key)?;
        // The default is evaluated after the account and before the state is read.
        let default = self.visit_values(node.default)?;
        let [value, exists] = self.materialise_pair(get)?;
        let shape = self.shape(place.wtype, place.loc)?;
        if let Shape::Tuple(tuple) = shape {
            let default = self.group(shape, default, node.default.loc())?;
            return self.tuple_if_exists(tuple, exists, (codec, value), default, loc).map(Some);
        }
        let [default] = default[..] else {
            return Err(Failure::internal("a single value was expected", loc));
        };
        let decoded = self.decode_from_storage(codec, value, loc);
        let decoded = self.materialise_value(decoded, "decoded_value")?;
        let ty = decoded.ty(self.ir().pool);
        let selected = self.make(loc).named("state_get").select(default, decoded, exists, ty);
        Ok(Some(Source::value(selected.into())))
    }
    /// Reads state and whether it is set.
    pub fn visit_state_get_ex(&mut self, node: &'s StateGetEx<'s>) -> Evaluated {
        let loc = node.loc;
        let place = Place::of(node.field)?;
        let key = self.visit_value(place.key)?;
        let codec = self.place_codec(place)?;
        let get = self.maybe_get(place, codec, key)?;
        let [value, exists] = self.materialise_pair(get)?;
        let shape = self.shape(place.wtype, place.loc)?;
        let decoded = match shape {
            Shape::One(_) => self.decode_from_storage(codec, value, loc),
            Shape::Tuple(tuple) => {
                let default = self.undefined(shape, loc);
                self.tuple_if_exists(tuple, exists, (codec, value), default, loc)?
            }
        };
        let mut values = self.materialise_values(decoded, &["maybe_value"])?;
        values.push(exists);
        let pair = self.ir().pool.tuple_type(&[shape, Shape::One(IrType::Bool)], None);
        self.group(Shape::Tuple(pair), values, loc).map(Some)
    }
    /// The decoded state if it exists, else the default; for values that `select` cannot choose from.
    fn tuple_if_exists(
        &mut self,
        tuple: TupleTypeId,
        exists: Value,
        stored: (Codec, Value),
        default: Source,
        loc: Loc,
    ) -> Outcome<Source> {
        let shape = Shape::Tuple(tuple);
        let [if_true, if_false, merge] =
            self.blocks.make_all(["ternary_true", "ternary_false", "ternary_merge"], loc);
        let kind = TerminatorKind::Branch { condition: exists, non_zero: if_true, zero: if_false };
        self.terminate(kind, loc)?;
        let name = self.next_temp_name("ternary_result");
        let names = self.leaf_symbols(shape, name);
        let types = shape.flatten(self.ir().pool);
        self.blocks.activate(if_true)?;
        let decoded = self.decode_from_storage(stored.0, stored.1, loc);
        let placed = Placed { assignment: decoded.loc, register: loc };
        self.assign_group(&names, &types, decoded, placed)?;
        self.blocks.goto(merge, Loc::NONE)?;
        self.blocks.activate(if_false)?;
        let placed = Placed { assignment: default.loc, register: loc };
        self.assign_group(&names, &types, default, placed)?;
        self.blocks.goto(merge, Loc::NONE)?;
        self.blocks.activate(merge)?;
        let mut values = Vec::with_capacity(names.len());
        for (name, ty) in names.into_iter().zip(types) {
            values.push(self.read_variable(name, ty)?.into());
        }
        self.group(shape, values, loc)
    }
    /// Whether state is set.
    pub fn visit_state_exists(&mut self, node: &'s StateExists<'s>) -> Evaluated {
        let loc = node.loc;
        let place = Place::of(node.field)?;
        let key = self.visit_value(place.key)?;
        let mut ty = self.place_codec(place)?.stored_type();
        let zero = Value::uint64(0, loc);
        let (op, args) = match place.account {
            _ if place.is_box => {
                // the content may be longer than a value can be
                ty = IrType::UInt64;
                (AvmOp::BoxLen, vec![key])
            }
            None => (AvmOp::AppGlobalGetEx, vec![zero, key]),
            Some(account) => (AvmOp::AppLocalGetEx, vec![self.visit_value(account)?, zero, key]),
        };
        let types = Some(Few::Two([ty, IrType::Bool]));
        let source = self.instruction_with(op, Vec::new(), args, types, loc)?;
        match self.materialise_values(source, &["_", "maybe_exists"])?[..] {
            [_, exists] => Ok(Some(Source::value(exists))),
            _ => Err(Failure::internal("two results were expected", loc)),
        }
    }
    /// Unsets state.
    pub fn visit_state_delete(&mut self, node: &'s StateDelete<'s>) -> Evaluated {
        let place = Place::of(node.field)?;
        let is_bool = node.wtype == WTypeId::BOOL;
        if !(node.wtype == WTypeId::VOID || (is_bool && place.is_box)) {
            let name = self.build.wtypes.name(node.wtype);
            let message = format!("ValueError: Unexpected StateDelete field type, wtype: {name}");
            return Err(Failure::internal(message, Loc::NONE));
        }
        let mut args = Vec::with_capacity(2);
        if let Some(account) = place.account {
            args.push(self.visit_value(account)?);
        }
        args.push(self.visit_value(place.key)?);
        let op = match place.account {
            _ if place.is_box => AvmOp::BoxDel,
            None => AvmOp::AppGlobalDel,
            Some(_) => AvmOp::AppLocalDel,
        };
        if is_bool {
            return self.instruction(op, args, node.loc).map(Some);
        }
        self.add_instruction(op, args, node.loc)?;
        Ok(None)
    }
    /// The key of a map's entry.
    pub fn visit_map_prefixed_key(&mut self, node: &'s MapPrefixedKeyExpression<'s>) -> Evaluated {
        let prefix = self.visit_value_as(node.prefix, "map_key_prefix")?;
        let key = self.visit_values_as(node.key, &["materialized_values"])?;
        let codec = self.codec(node.key.wtype(), Medium::BytesOnly, node.key.loc())?;
        let key = self.encode_for_storage(codec, &key, node.key.loc())?;
        let prefixed = self.make(node.loc).named("map_prefixed_key").concat(prefix, key);
        Ok(Some(Source::value(prefixed.into())))
    }
}
