//! Expressions: the dispatch over all node classes, and those without a file of their own. Spec 21 §11.

use crate::avm::fields;
use crate::avm::ops::{AvmOp, Immediate};
use crate::awst::expr::{
    BooleanBinaryOperation, CheckedMaybe, CommaExpression, Copy, Expr, ExprRef, FieldExpression,
    GroupTransactionReference, Immediate as Given, IndexExpression, IntersectionSliceExpression,
    IntrinsicCall, NamedExprs, NamedTupleExpression, NewStruct, ReinterpretCast, SizeOf,
    SliceBound, SliceExpression, TemplateVar, TupleExpression, TupleItemExpression, VarExpression,
};
use crate::awst::operators::BinaryBooleanOperator;
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{
    Constant, Index, Intrinsic, Invoke, Source, SourceKind, TerminatorKind, Value,
};
use crate::ir::types::{IrType, Shape};
use crate::ir::verify;

use super::Root;
use super::aggregate::Bounds;
use super::function::{Evaluated, FunctionBuilder, into_values, single_value_expected};

impl<'s> FunctionBuilder<'_, 's> {
    /// Evaluates a node, whether or not it was evaluated before.
    pub(super) fn lower_expr(&mut self, expr: ExprRef<'s>) -> Evaluated {
        match expr {
            Expr::IntegerConstant(node) => self.visit_integer_constant(node),
            Expr::DecimalConstant(node) => self.visit_decimal_constant(node),
            Expr::BoolConstant(node) => self.visit_bool_constant(node),
            Expr::BytesConstant(node) => self.visit_bytes_constant(node),
            Expr::StringConstant(node) => self.visit_string_constant(node),
            Expr::AddressConstant(node) => self.visit_address_constant(node),
            Expr::MethodConstant(node) => self.visit_method_constant(node),
            Expr::VoidConstant(_) => Ok(None),
            Expr::TemplateVar(node) => self.visit_template_var(node),
            Expr::AssertExpression(node) => self.visit_assert(node),
            Expr::Arc4Encode(node) => self.visit_arc4_encode(node),
            Expr::Arc4Decode(node) => self.visit_arc4_decode(node),
            Expr::Arc4FromBytes(node) => self.visit_arc4_from_bytes(node),
            Expr::ConvertArray(node) => self.visit_convert_array(node),
            Expr::Copy(node) => self.visit_copy(node),
            Expr::ArrayConcat(node) => self.visit_array_concat(node),
            Expr::ArrayExtend(node) => self.visit_array_extend(node),
            Expr::ArrayPop(node) => self.visit_array_pop(node),
            Expr::ArrayReplace(node) => self.visit_array_replace(node),
            Expr::SizeOf(node) => self.visit_size_of(node),
            Expr::IntrinsicCall(node) => self.visit_intrinsic_call(node),
            Expr::CreateInnerTransaction(node) => {
                self.error("statement has no effect, did you forget to submit?", node.loc);
                Ok(None)
            }
            Expr::AbiCall(node) => {
                let message = "statement has no effect, did you forget to stage or submit?";
                self.error(message, node.loc);
                Ok(None)
            }
            Expr::UpdateInnerTransaction(node) => self.visit_update_inner_transaction(node),
            Expr::StageInnerTransactions(node) => self.visit_stage_inner_transactions(node),
            Expr::SubmitInnerTransaction(node) => self.visit_submit_inner_transaction(node),
            Expr::InnerTransactionField(node) => self.visit_inner_transaction_field(node),
            Expr::GroupTransactionReference(node) => self.visit_group_transaction(node),
            Expr::CheckedMaybe(node) => self.visit_checked_maybe(node),
            Expr::TupleExpression(node) => self.visit_tuple(node),
            Expr::TupleItemExpression(node) => self.visit_tuple_item(node),
            Expr::NamedTupleExpression(node) => self.visit_named_tuple(node),
            Expr::NewStruct(node) => self.visit_new_struct(node),
            Expr::VarExpression(node) => self.visit_variable(node),
            Expr::FieldExpression(node) => self.visit_field(node),
            Expr::IndexExpression(node) => self.visit_index(node),
            Expr::SliceExpression(node) => self.visit_slice(node),
            Expr::IntersectionSliceExpression(node) => self.visit_intersection_slice(node),
            Expr::AppStateExpression(node) => self.visit_app_state(node),
            Expr::AppAccountStateExpression(node) => self.visit_app_account_state(node),
            Expr::BoxValueExpression(node) => self.visit_box_value(node),
            Expr::MapPrefixedKeyExpression(node) => self.visit_map_prefixed_key(node),
            Expr::StateGet(node) => self.visit_state_get(node),
            Expr::StateGetEx(node) => self.visit_state_get_ex(node),
            Expr::StateExists(node) => self.visit_state_exists(node),
            Expr::StateDelete(node) => self.visit_state_delete(node),
            Expr::SingleEvaluation(node) => self.visit_single_evaluation(node),
            Expr::ReinterpretCast(node) => self.visit_reinterpret_cast(node),
            Expr::NewArray(node) => self.visit_new_array(node),
            Expr::ArrayLength(node) => self.visit_array_length(node),
            Expr::ConditionalExpression(node) => self.visit_conditional_expression(node),
            Expr::AssignmentExpression(node) => self.visit_assignment_expression(node),
            Expr::CommaExpression(node) => self.visit_comma(node),
            Expr::NumericComparisonExpression(node) => self.visit_numeric_comparison(node),
            Expr::BytesComparisonExpression(node) => self.visit_bytes_comparison(node),
            Expr::SubroutineCallExpression(node) => self.visit_subroutine_call(node),
            Expr::PuyaLibCall(node) => self.visit_library_call(node),
            Expr::UInt64UnaryOperation(node) => self.visit_uint64_unary(node),
            Expr::UInt64PostfixUnaryOperation(node) => self.visit_uint64_postfix(node),
            Expr::BigUIntPostfixUnaryOperation(node) => self.visit_biguint_postfix(node),
            Expr::BytesUnaryOperation(node) => self.visit_bytes_unary(node),
            Expr::UInt64BinaryOperation(node) => self.visit_uint64_binary(node),
            Expr::BigUIntBinaryOperation(node) => self.visit_biguint_binary(node),
            Expr::BytesBinaryOperation(node) => self.visit_bytes_binary(node),
            Expr::BooleanBinaryOperation(node) => self.visit_boolean_binary(expr, node),
            Expr::Not(node) => {
                let negated = self.visit_value(node.expr)?;
                self.instruction(AvmOp::Not, vec![negated], node.loc).map(Some)
            }
            Expr::EmitFields(node) => self.visit_emit_fields(node),
            Expr::Emit(node) => self.visit_emit(node),
            Expr::Range(node) => Err(Failure::code("unexpected range location", node.loc)),
            Expr::Enumeration(node) => {
                let message = "Nested enumeration is not currently supported";
                Err(Failure::code(message, node.loc))
            }
            Expr::Reversed(node) => {
                Err(Failure::code("Reversed is not valid outside of an enumeration", node.loc))
            }
            Expr::CompiledContract(node) => self.visit_compiled_contract(node),
            Expr::CompiledLogicSig(node) => self.visit_compiled_logicsig(node),
            Expr::Arc4Router(node) => self.visit_router(node.loc),
        }
    }

    /// An instruction without immediates whose results are those of its signature.
    pub(super) fn instruction(&self, op: AvmOp, args: Vec<Value>, loc: Loc) -> Outcome<Source> {
        self.instruction_with(op, Vec::new(), args, None, loc)
    }
    /// An instruction; `types` replaces the results of its signature.
    pub(super) fn instruction_with(
        &self,
        op: AvmOp,
        immediates: Vec<Immediate>,
        args: Vec<Value>,
        types: Option<Few<IrType>>,
        loc: Loc,
    ) -> Outcome<Source> {
        let variant = op
            .variant(&immediates)
            .map_err(|unknown| Failure::internal(unknown.to_string(), Loc::NONE))?;
        let types =
            types.unwrap_or_else(|| variant.returns.iter().map(|ty| IrType::from(*ty)).collect());
        let pool = self.ir().pool;
        let unmapped = |ty: &IrType| ty.maybe_avm_type(pool).is_none();
        if let Some(ty) = args.iter().map(|arg| arg.ty(pool)).find(unmapped) {
            verify::check_immediates(self.ir(), op, &immediates, loc);
            let message = format!("{} cannot be mapped to AVM stack type", ty.name(pool));
            return Err(Failure::internal(message, Loc::NONE));
        }
        let intrinsic = Intrinsic { op, immediates, args, types, error_message: None };
        verify::check_intrinsic(self.ir(), &intrinsic, loc);
        Ok(Source { kind: SourceKind::Intrinsic(intrinsic), loc })
    }

    fn visit_variable(&mut self, node: &'s VarExpression) -> Evaluated {
        let shape = self.shape(node.wtype, node.loc)?;
        let pool = self.ir().pool;
        match shape {
            Shape::One(ty) => {
                let value = self.read_variable(node.name, ty)?.at(node.loc);
                Ok(Some(Source::value(value.into())))
            }
            Shape::Tuple(_) => {
                let names = self.leaf_symbols(shape, node.name);
                let mut values = Vec::with_capacity(names.len());
                for (name, ty) in names.into_iter().zip(shape.flatten(pool)) {
                    values.push(self.read_variable(name, ty)?.into());
                }
                self.group(shape, values, node.loc).map(Some)
            }
        }
    }
    fn visit_template_var(&mut self, node: &'s TemplateVar) -> Evaluated {
        let shape = self.shape(node.wtype, node.loc)?;
        let value = |ty| Value::TemplateVar { name: node.name, ty, loc: node.loc };
        Ok(Some(match shape {
            Shape::One(ty) => Source::value(value(ty)),
            Shape::Tuple(_) => {
                let encoding = self.encoding(node.wtype, node.loc)?;
                self.decode(encoding, value(IrType::Encoded(encoding)), shape, None, node.loc)
            }
        }))
    }
    fn visit_copy(&mut self, node: &'s Copy<'s>) -> Evaluated {
        let result = self.shape(node.wtype, node.loc)?;
        let shape = self.shape(node.value.wtype(), node.value.loc())?;
        if result != shape {
            let message = "copy node cannot change the structure of a value";
            return Err(Failure::internal(message, node.loc));
        }
        // A value is copied by reading it; only what is behind a reference needs a copy of its own.
        let Shape::One(IrType::Slot(_)) = shape else {
            return self.visit_group(node.value).map(Some);
        };
        let original = self.visit_value(node.value)?;
        let slot_ty = original.ty(self.ir().pool);
        let slot = self.new_slot(slot_ty, node.loc)?;
        let contents = self.read_slot(original, node.loc)?;
        self.write_slot(slot, contents, node.loc);
        Ok(Some(Source::value(slot)))
    }
    fn visit_size_of(&mut self, node: &'s SizeOf) -> Evaluated {
        let loc = node.loc;
        let pool = self.ir().pool;
        let num_bytes = if self.build.wtypes.get(node.size_wtype).is_aggregate {
            pool.encoding(self.encoding(node.size_wtype, loc)?).num_bytes()
        } else {
            self.ir_type(node.size_wtype, loc)?.num_bytes(pool)
        };
        Ok(Some(Source::value(match num_bytes {
            Some(num_bytes) => Value::uint64(num_bytes, loc),
            None => {
                self.error("type is dynamically sized", loc);
                Value::Undefined(IrType::UInt64, loc)
            }
        })))
    }
    fn visit_intrinsic_call(&mut self, node: &'s IntrinsicCall<'s>) -> Evaluated {
        if node.op_code == "return" {
            return self.visit_program_exit(node);
        }
        let Some(op) = AvmOp::from_code(node.op_code) else {
            let message = format!("unknown or unsupported intrinsic: {}", node.op_code);
            return Err(Failure::code(message, node.loc));
        };
        let mut args = Vec::with_capacity(node.stack_args.len());
        for arg in node.stack_args {
            args.push(self.visit_value(arg)?);
        }
        let immediates = self.immediates(node);
        let types = super::types::ir_types(self.build.types(), node.wtype, node.loc)?;
        if let Err(unknown) = op.variant(&immediates) {
            verify::check_immediates(self.ir(), op, &immediates, node.loc);
            let given = match node.immediates.get(unknown.index) {
                Some(Given::Int(value)) => value.text(),
                Some(Given::Text(text)) => text,
                None => "none",
            };
            return Err(Failure::internal(format!("{unknown}: {given}"), Loc::NONE));
        }
        self.instruction_with(op, immediates, args, Some(types), node.loc).map(Some)
    }
    /// Names that no operation knows become the empty one, which no operation knows either.
    fn immediates(&self, node: &'s IntrinsicCall<'s>) -> Vec<Immediate> {
        let convert = |given: &Given<'s>| match given {
            // Beyond 64 bits it is as illegal as the largest integer.
            Given::Int(value) => {
                let limit = if value.is_negative() { i64::MIN } else { i64::MAX };
                Immediate::Int(value.text().parse().unwrap_or(limit))
            }
            Given::Text(text) => Immediate::Name(fields::name(text).unwrap_or_default()),
        };
        node.immediates.iter().map(convert).collect()
    }
    fn visit_program_exit(&mut self, node: &'s IntrinsicCall<'s>) -> Evaluated {
        if !node.immediates.is_empty() {
            return Err(Failure::code("return op code does not take immediates", node.loc));
        }
        let [arg] = node.stack_args else {
            let message = "return op code takes exactly one stack argument";
            return Err(Failure::code(message, node.loc));
        };
        let value = self.visit_value(arg)?;
        self.terminate(TerminatorKind::Exit(value), node.loc)?;
        Ok(None)
    }
    /// Ends the active block after checking the types the terminator looks at.
    pub(super) fn terminate(&mut self, kind: TerminatorKind, loc: Loc) -> Outcome<()> {
        verify::verify_terminator(self.ir(), &kind, loc)?;
        self.blocks.terminate(kind, loc)
    }
    fn visit_checked_maybe(&mut self, node: &'s CheckedMaybe<'s>) -> Evaluated {
        let values = self.visit_values_as(node.expr, &["value", "check"])?;
        let [value, check] = values[..] else {
            return Err(Failure::internal(
                "ValueError: a checked expression has two values",
                Loc::NONE,
            ));
        };
        self.make(node.loc).assert_value(check, node.comment);
        Ok(Some(Source::value(value)))
    }
    fn visit_group_transaction(&mut self, node: &'s GroupTransactionReference<'s>) -> Evaluated {
        let loc = node.loc;
        let index = self.visit_value_as(node.index, "gtxn_idx")?;
        let WTypeKind::GroupTransaction { transaction_type } = self.kind(node.wtype) else {
            return Err(Failure::internal("a group transaction was expected", loc));
        };
        if let Some(kind) = transaction_type {
            let immediates = vec![Immediate::Name("TypeEnum")];
            let source = self.instruction_with(AvmOp::Gtxns, immediates, vec![index], None, loc)?;
            let actual = self.assign_temp(source, "gtxn_type", loc)?;
            let alias = Some(self.sym(kind.name()));
            let constant = Constant::UInt64 { value: kind.value(), ty: IrType::UInt64, alias };
            let mut make = self.make(loc);
            let matches =
                make.named("gtxn_type_matches").eq(actual, Value::Constant(constant, loc));
            make.assert_value(matches, &format!("transaction type is {}", kind.name()));
        }
        Ok(Some(Source::value(index)))
    }
    fn visit_tuple(&mut self, node: &'s TupleExpression<'s>) -> Evaluated {
        let mut values = Vec::new();
        for item in node.items {
            values.extend(self.visit_values(item)?);
        }
        let shape = self.shape(node.wtype, node.loc)?;
        self.group(shape, values, node.loc).map(Some)
    }
    fn visit_tuple_item(&mut self, node: &'s TupleItemExpression<'s>) -> Evaluated {
        let base = self.visit_values(node.base)?;
        let index = self.tuple_position(node.base.wtype(), node.index)?;
        self.read_index(node.base.wtype(), &base, &[Index::Fixed(index)], Bounds::Checked, node.loc)
            .map(Some)
    }
    /// The position of an item of a tuple; a negative index counts from the end.
    pub(super) fn tuple_position(&self, tuple: WTypeId, index: i64) -> Outcome<u64> {
        let items = self.build.wtypes.item_types(tuple).unwrap_or_default();
        let length = i64::try_from(items.len()).expect("tuples are short");
        let position = if index < 0 { index + length } else { index };
        if !(0..length).contains(&position) {
            return Err(Failure::internal("IndexError: tuple index out of range", Loc::NONE));
        }
        Ok(position.unsigned_abs())
    }
    fn visit_field(&mut self, node: &'s FieldExpression<'s>) -> Evaluated {
        let base = self.visit_values(node.base)?;
        let Some((index, _)) = self.build.wtypes.field(node.base.wtype(), node.name) else {
            let message = format!("ValueError: no field {}", node.name);
            return Err(Failure::internal(message, Loc::NONE));
        };
        let index = u64::try_from(index).expect("tuples are short");
        self.read_index(node.base.wtype(), &base, &[Index::Fixed(index)], Bounds::Checked, node.loc)
            .map(Some)
    }
    /// Values by field: evaluated in the order they are given, returned in the order of the fields.
    fn visit_fields(&mut self, wtype: WTypeId, given: NamedExprs<'s>) -> Outcome<Vec<Value>> {
        let mut by_name: OrderedMap<&str, Vec<Value>> = OrderedMap::default();
        for (name, value) in given {
            let values = self.visit_values(value)?;
            by_name.insert(name, values);
        }
        let mut ordered = Vec::new();
        for name in self.build.wtypes.item_names(wtype) {
            match by_name.get(name) {
                Some(values) => ordered.extend_from_slice(values),
                None => return Err(Failure::internal(format!("KeyError: {name}"), Loc::NONE)),
            }
        }
        Ok(ordered)
    }
    fn visit_named_tuple(&mut self, node: &'s NamedTupleExpression<'s>) -> Evaluated {
        let shape = self.shape(node.wtype, node.loc)?;
        let values = self.visit_fields(node.wtype, node.values)?;
        self.group(shape, values, node.loc).map(Some)
    }
    fn visit_new_struct(&mut self, node: &'s NewStruct<'s>) -> Evaluated {
        let items = self.build.wtypes.item_types(node.wtype).unwrap_or_default();
        let tuple = self.build.wtypes.tuple(&items, Loc::NONE)?;
        let shape = self.shape(tuple, node.loc)?;
        let encoding = self.encoding(tuple, node.loc)?;
        let values = self.visit_fields(node.wtype, node.values)?;
        self.encode(encoding, values, shape, None, node.loc).map(Some)
    }
    fn visit_index(&mut self, node: &'s IndexExpression<'s>) -> Evaluated {
        let base = self.visit_value(node.base)?;
        let index = self.visit_value(node.index)?;
        if let WTypeKind::Bytes { .. } = self.kind(node.base.wtype()) {
            let byte = self.make(node.loc).extract3(base, index, 1u64);
            return Ok(Some(Source::value(byte.into())));
        }
        self.read_index(
            node.base.wtype(),
            &[base],
            &[Index::Value(index)],
            Bounds::Checked,
            node.loc,
        )
        .map(Some)
    }
    fn visit_slice(&mut self, node: &'s SliceExpression<'s>) -> Evaluated {
        match self.kind(node.base.wtype()) {
            WTypeKind::Tuple { .. } => {
                let bound = |bound: Option<ExprRef<'s>>| bound.map(SliceBound::Expr);
                let (begin, end) = (bound(node.begin_index), bound(node.end_index));
                self.visit_tuple_slice(node.base, begin, end, node.loc)
            }
            WTypeKind::Bytes { .. } => self.visit_bytes_slice(node),
            _ => {
                let name = self.build.wtypes.name(node.wtype);
                let message = format!("Slice operation IR lowering not implemented for {name}");
                Err(Failure::internal(message, node.loc))
            }
        }
    }
    fn visit_intersection_slice(&mut self, node: &'s IntersectionSliceExpression<'s>) -> Evaluated {
        let name = self.build.wtypes.name(node.wtype);
        match self.kind(node.base.wtype()) {
            WTypeKind::Tuple { .. } => {
                self.visit_tuple_slice(node.base, node.begin_index, node.end_index, node.loc)
            }
            WTypeKind::Bytes { length } => self.visit_bytes_intersection_slice(node, length),
            WTypeKind::Arc4DynamicArray { .. } => {
                let is_minus_one = match node.end_index {
                    Some(SliceBound::Int(end)) => end.text() == "-1",
                    _ => false,
                };
                if node.begin_index.is_some() || !is_minus_one {
                    let message =
                        format!("IntersectionSlice for {name} currently only supports [:-1]");
                    return Err(Failure::internal(message, node.loc));
                }
                let array = self.visit_value(node.base)?;
                let (shorter, _) = self.pop_item(node.base.wtype(), array, node.loc)?;
                Ok(Some(Source::value(shorter)))
            }
            _ => {
                let message =
                    format!("IntersectionSlice operation IR lowering not implemented for {name}");
                Err(Failure::internal(message, node.loc))
            }
        }
    }
    fn visit_tuple_slice(
        &mut self,
        base: ExprRef<'s>,
        begin: Option<SliceBound<'s>>,
        end: Option<SliceBound<'s>>,
        loc: Loc,
    ) -> Evaluated {
        let values = self.visit_values(base)?;
        let Shape::Tuple(tuple) = self.shape(base.wtype(), loc)? else {
            return Err(Failure::internal("a tuple was expected", loc));
        };
        let pool = self.ir().pool;
        let tuple = pool.tuple(tuple);
        let length = i64::try_from(tuple.elements.len()).expect("tuples are short");
        let begin = constant_bound(begin)?.unwrap_or(0);
        let end = constant_bound(end)?.unwrap_or(length);
        let mut sliced = Vec::new();
        for index in begin..end {
            let index = self.tuple_position(base.wtype(), index)?;
            let index = usize::try_from(index).expect("tuples are short");
            sliced.extend(into_values(self.read_tuple_index(base.wtype(), &values, index, loc)?));
        }
        // As Python slices: a negative bound counts from the end.
        let clip = |bound: i64| {
            let bound = if bound < 0 { (bound + length).max(0) } else { bound.min(length) };
            usize::try_from(bound).expect("a clipped bound is in range")
        };
        let range = clip(begin)..clip(end).max(clip(begin));
        let fields: Option<&[Symbol]> = tuple.fields.map(|fields| &fields[range.clone()]);
        let ty = pool.tuple_type(&tuple.elements[range], fields);
        self.group(Shape::Tuple(ty), sliced, loc).map(Some)
    }
    fn visit_boolean_binary(
        &mut self,
        expr: ExprRef<'s>,
        node: &'s BooleanBinaryOperation<'s>,
    ) -> Evaluated {
        if !matches!(node.right, Expr::VarExpression(_) | Expr::BoolConstant(_)) {
            return self.visit_short_circuit(expr, node);
        }
        let left = self.visit_value(node.left)?;
        let right = self.visit_value(node.right)?;
        let op = match node.op {
            BinaryBooleanOperator::And => AvmOp::And,
            BinaryBooleanOperator::Or => AvmOp::Or,
        };
        self.instruction(op, vec![left, right], node.loc).map(Some)
    }
    fn visit_reinterpret_cast(&mut self, node: &'s ReinterpretCast<'s>) -> Evaluated {
        let source = self.visit_expr(node.expr)?;
        let pool = self.ir().pool;
        let [inner] = source.types(pool)[..] else {
            return Err(single_value_expected());
        };
        let outer = self.ir_type(node.wtype, node.loc)?;
        if outer == inner || is_super_type(outer, inner, pool) {
            return Ok(Some(source));
        }
        let avm_type = |ty: IrType| {
            ty.maybe_avm_type(pool).ok_or_else(|| {
                let message = format!("{} cannot be mapped to AVM stack type", ty.name(pool));
                Failure::internal(message, Loc::NONE)
            })
        };
        let (inner, outer) = (avm_type(inner)?, avm_type(outer)?);
        if inner != outer {
            let name = |wtype| self.build.wtypes.name(wtype);
            let message = format!(
                "Tried to reinterpret {} as {}, but resulting AVM types are incompatible: {} and \
                 {}, respectively",
                name(node.expr.wtype()),
                name(node.wtype),
                inner.name(),
                outer.name()
            );
            return Err(Failure::internal(message, node.loc));
        }
        Ok(Some(source))
    }
    fn visit_comma(&mut self, node: &'s CommaExpression<'s>) -> Evaluated {
        let mut last = None;
        for expr in node.expressions {
            last = self.lower_expr(expr)?;
        }
        Ok(last)
    }
    fn visit_router(&mut self, loc: Loc) -> Evaluated {
        let Some(Root::Contract(contract)) = self.build.root else {
            let message = "cannot create ARC-4 router outside of a contract";
            return Err(Failure::code(message, loc));
        };
        let Some(target) = self.build.router else {
            let id = crate::base::text::repr(self.ir().text(contract.id));
            return Err(Failure::internal(format!("KeyError: {id}"), Loc::NONE));
        };
        let kind = SourceKind::Invoke(Invoke { target, args: Vec::new() });
        Ok(Some(Source { kind, loc }))
    }
}

fn is_super_type(outer: IrType, inner: IrType, pool: &crate::ir::pool::Pool<'_>) -> bool {
    match outer {
        IrType::Any => true,
        IrType::Bytes => inner.is_bytes(pool),
        IrType::UInt64 => inner.is_uint64(pool),
        _ => false,
    }
}

/// The number of a bound that must be constant.
fn constant_bound(bound: Option<SliceBound<'_>>) -> Outcome<Option<i64>> {
    let value = match bound {
        None => return Ok(None),
        Some(SliceBound::Int(value)) => value,
        Some(SliceBound::Expr(Expr::IntegerConstant(constant))) => constant.value,
        Some(SliceBound::Expr(expr)) => {
            let message =
                format!("Expected either constant or None for index, got {}", expr.class_name());
            return Err(Failure::internal(message, expr.loc()));
        }
    };
    let limit = if value.is_negative() { i64::MIN / 2 } else { i64::MAX / 2 };
    Ok(Some(value.text().parse().unwrap_or(limit)))
}
