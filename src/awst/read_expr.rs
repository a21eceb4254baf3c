//! JSON expression objects -> expressions: constants, operators, calls, control. What concerns arrays,
//! tuples, structs, state and inner transactions is in `read_data.rs`. Spec 10 §12.

use super::expr::{
    AbiCall, AddressConstant, Arc4Decode, Arc4Encode, Arc4FromBytes, Arc4Router, AssertExpression,
    AssignmentExpression, BigUIntBinaryOperation, BigUIntPostfixUnaryOperation, BoolConstant,
    BooleanBinaryOperation, BytesBinaryOperation, BytesComparisonExpression, BytesConstant,
    BytesUnaryOperation, CallArg, CheckedMaybe, CommaExpression, CompiledContract,
    CompiledLogicSig, ConditionalExpression, Copy, DecimalConstant, Emit, EmitFields, Enumeration,
    Expr, ExprRef, Immediate, Int, IntegerConstant, IntrinsicCall, MethodConstant, MethodRef,
    MethodSignature, MethodSignatureString, NamedExprs, Not, NumericComparisonExpression,
    PuyaLibCall, Range, ReinterpretCast, Reversed, SingleEvaluation, SizeOf, StringConstant,
    SubroutineCallExpression, SubroutineTarget, TemplateVar, TxnFields, UInt64BinaryOperation,
    UInt64PostfixUnaryOperation, UInt64UnaryOperation, VarExpression, VoidConstant,
};
use super::mentions::Mentions;
use super::operators::{BytesBinaryOperator, Choice, PuyaLibFunction};
use super::read::{J, Outcome, Reader, broken, fails, mistake, refuses};
use super::read_scalar::{class_of, hashable, repr_of};
use super::read_words::{Key, Object, Tag};
use super::read_wtype::Class;
use super::wtypes::{ScalarType, WTypeId, WTypeKind};
use crate::avm::fields::TxnField;
use crate::base::source::Loc;
use crate::diagnostics::Failure;
use crate::json::{Kind, is_integer};
use crate::metadata::ResourceEncoding;

impl<'s> Reader<'_, 's> {
    /// An expression of any class.
    pub(super) fn expr(&mut self, json: J<'s>) -> Outcome<ExprRef<'s>> {
        let object = self.object(json);
        let tag = self.tag(object)?;
        self.tagged_expr(tag, object)
    }
    #[inline]
    fn tagged_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        if !self.has_references() {
            return self.new_expr(tag, object);
        }
        match tag {
            // the builder does not tell equal ones apart by their identity
            Tag::SingleEvaluation | Tag::VarExpression | Tag::BytesConstant => {
                let expr = self.remembered(
                    |memory| &mut memory.exprs,
                    object.json(),
                    |reader| reader.new_expr(tag, object),
                )?;
                self.mentions.add(Mentions::at_expr(self.wtypes, expr));
                Ok(expr)
            }
            _ => self.new_expr(tag, object),
        }
    }
    fn new_expr(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        self.nested(|reader| match tag {
            Tag::IntegerConstant
            | Tag::DecimalConstant
            | Tag::BoolConstant
            | Tag::BytesConstant
            | Tag::StringConstant
            | Tag::VoidConstant
            | Tag::TemplateVar
            | Tag::MethodConstant
            | Tag::AddressConstant
            | Tag::SizeOf
            | Tag::VarExpression
            | Tag::ARC4Router => reader.leaf(tag, object),
            Tag::UInt64UnaryOperation
            | Tag::UInt64PostfixUnaryOperation
            | Tag::BigUIntPostfixUnaryOperation
            | Tag::BytesUnaryOperation
            | Tag::Not => reader.unary_operation(tag, object),
            Tag::UInt64BinaryOperation
            | Tag::BigUIntBinaryOperation
            | Tag::BooleanBinaryOperation
            | Tag::NumericComparisonExpression
            | Tag::BytesComparisonExpression => reader.binary_operation(tag, object),
            Tag::BytesBinaryOperation => reader.bytes_binary_operation(object),
            Tag::ARC4Encode
            | Tag::ARC4Decode
            | Tag::ARC4FromBytes
            | Tag::ReinterpretCast
            | Tag::Copy => reader.conversion(tag, object),
            Tag::IntrinsicCall
            | Tag::SubroutineCallExpression
            | Tag::PuyaLibCall
            | Tag::ABICall => reader.call(tag, object),
            Tag::CompiledContract | Tag::CompiledLogicSig => reader.compiled_reference(tag, object),
            Tag::Range | Tag::Enumeration | Tag::Reversed => reader.sequence(tag, object),
            Tag::AssertExpression
            | Tag::ConditionalExpression
            | Tag::AssignmentExpression
            | Tag::CommaExpression
            | Tag::SingleEvaluation
            | Tag::CheckedMaybe
            | Tag::Emit
            | Tag::EmitFields => reader.control(tag, object),
            Tag::Expression => Err(reader.abstract_node(tag, object)),
            _ => reader.data_expr(tag, object),
        })
    }
    /// An expression that can be assigned to.
    pub(super) fn lvalue(&mut self, json: J<'s>) -> Outcome<ExprRef<'s>> {
        let object = self.object(json);
        match self.tag(object)? {
            tag @ (Tag::VarExpression
            | Tag::FieldExpression
            | Tag::IndexExpression
            | Tag::TupleExpression
            | Tag::AppStateExpression
            | Tag::AppAccountStateExpression
            | Tag::BoxValueExpression) => self.tagged_expr(tag, object),
            _ => Err(self.unknown_tag(object)),
        }
    }
    /// A state or box expression.
    pub(super) fn storage_expr(&mut self, json: J<'s>) -> Outcome<ExprRef<'s>> {
        let object = self.object(json);
        match self.tag(object)? {
            tag @ (Tag::AppStateExpression
            | Tag::AppAccountStateExpression
            | Tag::BoxValueExpression) => self.tagged_expr(tag, object),
            _ => Err(self.unknown_tag(object)),
        }
    }
    /// An expression or null.
    pub(super) fn nullable_expr(&mut self, json: J<'s>) -> Outcome<Option<ExprRef<'s>>> {
        self.nullable(json, Self::expr)
    }
    /// A list of expressions.
    pub(super) fn exprs(&mut self, json: J<'s>) -> Outcome<&'s [ExprRef<'s>]> {
        self.slice(json, Self::expr)
    }
    /// Expressions by name.
    pub(super) fn named_exprs(&mut self, json: J<'s>) -> Outcome<NamedExprs<'s>> {
        self.map(json, |_, key| Ok(key), Self::expr)
    }
    /// Expressions by transaction field.
    pub(super) fn txn_fields(&mut self, json: J<'s>) -> Outcome<TxnFields<'s>> {
        self.map(json, Self::txn_field, Self::expr)
    }
    /// Moves a node into the arena.
    #[inline]
    pub(super) fn keep(&mut self, node: impl Into<Expr<'s>>) -> Outcome<ExprRef<'s>> {
        let expr = node.into();
        self.mentions.add(Mentions::at_expr(self.wtypes, &expr));
        Ok(self.session.arena.alloc(expr))
    }
    fn message(&mut self, object: Object<'s>, key: Key) -> Outcome<Option<&'s str>> {
        Ok(self.optional_field(object, key, Self::nullable_text)?.flatten())
    }

    // ---- leaves ----

    fn leaf(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::IntegerConstant => {
                let teal_alias = self.message(object, Key::TealAlias)?;
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let value = self.field(object, Key::Value, Self::int)?;
                let types = &[WTypeId::UINT64, WTypeId::BIGUINT];
                self.expect_set("IntegerConstant.wtype", wtype, types, &[Class::Arc4UIntN])?;
                self.keep(IntegerConstant { loc, wtype, value, teal_alias })
            }
            Tag::DecimalConstant => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::ufixed_type)?;
                let value = self.field(object, Key::Value, Self::decimal)?;
                self.keep(DecimalConstant { loc, wtype, value })
            }
            Tag::BoolConstant => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::BOOL);
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::truth)?;
                let types = &[WTypeId::BOOL, WTypeId::ARC4_BOOL];
                self.expect_set("BoolConstant.wtype", wtype, types, &[])?;
                self.keep(BoolConstant { loc, wtype, value })
            }
            Tag::BytesConstant => self.bytes_constant(object),
            Tag::StringConstant => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::STRING);
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::text)?;
                let types = &[WTypeId::STRING, WTypeId::ARC4_STRING];
                self.expect_set("StringConstant.wtype", wtype, types, &[])?;
                self.keep(StringConstant { loc, wtype, value })
            }
            Tag::VoidConstant => {
                let loc = self.loc_field(object)?;
                self.keep(VoidConstant { loc, wtype: WTypeId::VOID })
            }
            Tag::TemplateVar => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let name = self.field(object, Key::Name, Self::symbol)?;
                self.keep(TemplateVar { loc, wtype, name })
            }
            Tag::VarExpression => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let name = self.field(object, Key::Name, Self::symbol)?;
                self.keep(VarExpression { loc, wtype, name })
            }
            Tag::MethodConstant => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::BYTES);
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::method_ref)?;
                if ![WTypeId::BYTES, WTypeId::BYTES4].contains(&wtype) {
                    // the reference goes on with the repr of its own type objects
                    return Err(refuses("(\"'wtype' must be in [BytesWType("));
                }
                self.keep(MethodConstant { loc, wtype, value })
            }
            Tag::AddressConstant => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let wtype = wtype.unwrap_or(WTypeId::ACCOUNT);
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::text)?;
                let types = &[WTypeId::ACCOUNT, WTypeId::ARC4_ADDRESS];
                self.expect_set("AddressConstant.wtype", wtype, types, &[])?;
                self.keep(AddressConstant { loc, wtype, value })
            }
            Tag::SizeOf => {
                let loc = self.loc_field(object)?;
                let size_wtype = self.field(object, Key::SizeWtype, Self::wtype)?;
                self.keep(SizeOf { loc, wtype: WTypeId::UINT64, size_wtype })
            }
            _ => {
                let loc = self.loc_field(object)?;
                self.keep(Arc4Router { loc, wtype: WTypeId::BOOL })
            }
        }
    }
    /// A bytes constant, where the document does not say what class it is of.
    pub(super) fn bytes_constant_ref(&mut self, json: J<'s>) -> Outcome<ExprRef<'s>> {
        let object = self.object(json);
        self.bytes_constant(object)
    }
    fn bytes_constant(&mut self, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?.unwrap_or(WTypeId::BYTES);
        let loc = self.loc_field(object)?;
        let value = self.field(object, Key::Value, Self::bytes)?;
        let encoding = self.field(object, Key::Encoding, Self::choice)?;
        let facts = self.wtypes.get(wtype);
        if facts.scalar_type != Some(ScalarType::Bytes) {
            let backed_by = match facts.scalar_type {
                Some(scalar) => format!("AVMType.{}", scalar.name()),
                None => "None".to_owned(),
            };
            return Err(broken(
                format!(
                    "BytesConstant.wtype: set to {}, which is backed by {backed_by}, not bytes",
                    facts.name
                ),
                Loc::NONE,
            ));
        }
        if let WTypeKind::Bytes { length: Some(length) } = facts.kind
            && length != value.len() as u64
        {
            return Err(broken("invalid size for type of bytes constant", loc));
        }
        self.keep(BytesConstant { loc, wtype, value, encoding })
    }
    fn method_ref(&mut self, json: J<'s>) -> Outcome<MethodRef<'s>> {
        let object = self.object(json);
        if self.has_key(object, Key::Name)? {
            let resource_encoding =
                self.optional_field(object, Key::ResourceEncoding, Self::resource_encoding)?;
            let loc = self.loc_field(object)?;
            let name = self.field(object, Key::Name, Self::text)?;
            let arg_types = self.field(object, Key::ArgTypes, |r, j| r.slice(j, Self::wtype))?;
            let return_type = self.field(object, Key::ReturnType, Self::wtype)?;
            let resource_encoding = resource_encoding.unwrap_or(ResourceEncoding::Value);
            let signature =
                MethodSignature { loc, name, arg_types, return_type, resource_encoding };
            Ok(MethodRef::Signature(self.session.arena.alloc(signature)))
        } else if self.has_key(object, Key::Value)? {
            let loc = self.loc_field(object)?;
            let value = self.field(object, Key::Value, Self::text)?;
            Ok(MethodRef::Text(MethodSignatureString { loc, value }))
        } else {
            Err(refuses("Couldn't disambiguate"))
        }
    }

    // ---- operators ----

    fn unary_operation(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let loc = self.loc_field(object)?;
        match tag {
            Tag::UInt64UnaryOperation => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let expr = self.field(object, Key::Expr, Self::expr)?;
                self.expect("UInt64UnaryOperation.expr", expr, &[WTypeId::UINT64], &[])?;
                self.keep(UInt64UnaryOperation { loc, wtype: WTypeId::UINT64, op, expr })
            }
            Tag::UInt64PostfixUnaryOperation => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let target = self.field(object, Key::Target, Self::lvalue)?;
                let wtype = WTypeId::UINT64;
                self.expect("UInt64PostfixUnaryOperation.target", target, &[wtype], &[])?;
                self.keep(UInt64PostfixUnaryOperation { loc, wtype, op, target })
            }
            Tag::BigUIntPostfixUnaryOperation => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let target = self.field(object, Key::Target, Self::lvalue)?;
                let wtype = WTypeId::BIGUINT;
                self.expect("BigUIntPostfixUnaryOperation.target", target, &[wtype], &[])?;
                self.keep(BigUIntPostfixUnaryOperation { loc, wtype, op, target })
            }
            Tag::BytesUnaryOperation => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let expr = self.field(object, Key::Expr, Self::expr)?;
                self.expect("BytesUnaryOperation.expr", expr, &[], &[Class::Bytes])?;
                self.keep(BytesUnaryOperation { loc, wtype: expr.wtype(), op, expr })
            }
            _ => {
                let expr = self.field(object, Key::Expr, Self::expr)?;
                self.expect("Not.expr", expr, &[WTypeId::BOOL], &[])?;
                self.keep(Not { loc, wtype: WTypeId::BOOL, expr })
            }
        }
    }
    /// The three parts of a binary operation, under their keys.
    fn operands<C: Choice>(
        &mut self,
        object: Object<'s>,
        keys: [Key; 3],
    ) -> Outcome<(ExprRef<'s>, C, ExprRef<'s>)> {
        let left = self.field(object, keys[0], Self::expr)?;
        let op = self.field(object, keys[1], Self::choice)?;
        let right = self.field(object, keys[2], Self::expr)?;
        Ok((left, op, right))
    }
    fn binary_operation(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        const OPERATION: [Key; 3] = [Key::Left, Key::Op, Key::Right];
        const COMPARISON: [Key; 3] = [Key::Lhs, Key::Operator, Key::Rhs];
        let loc = self.loc_field(object)?;
        match tag {
            Tag::UInt64BinaryOperation => {
                let wtype = WTypeId::UINT64;
                let (left, op, right) = self.operands(object, OPERATION)?;
                self.expect("UInt64BinaryOperation.left", left, &[wtype], &[])?;
                self.expect("UInt64BinaryOperation.right", right, &[wtype], &[])?;
                self.keep(UInt64BinaryOperation { loc, wtype, left, op, right })
            }
            Tag::BigUIntBinaryOperation => {
                let wtype = WTypeId::BIGUINT;
                let (left, op, right) = self.operands(object, OPERATION)?;
                self.expect("BigUIntBinaryOperation.left", left, &[wtype], &[])?;
                self.expect("BigUIntBinaryOperation.right", right, &[wtype], &[])?;
                self.keep(BigUIntBinaryOperation { loc, wtype, left, op, right })
            }
            Tag::BooleanBinaryOperation => {
                let wtype = WTypeId::BOOL;
                let (left, op, right) = self.operands(object, OPERATION)?;
                self.expect("BooleanBinaryOperation.left", left, &[wtype], &[])?;
                self.expect("BooleanBinaryOperation.right", right, &[wtype], &[])?;
                self.keep(BooleanBinaryOperation { loc, wtype, left, op, right })
            }
            Tag::NumericComparisonExpression => {
                let (lhs, operator, rhs) = self.operands(object, COMPARISON)?;
                let numbers = &[
                    WTypeId::UINT64,
                    WTypeId::BIGUINT,
                    WTypeId::BOOL,
                    WTypeId::ASSET,
                    WTypeId::APPLICATION,
                ];
                self.expect("NumericComparisonExpression.lhs", lhs, numbers, &[])?;
                self.expect("NumericComparisonExpression.rhs", rhs, numbers, &[])?;
                if lhs.wtype() != rhs.wtype() {
                    return Err(self.different_wtypes("numeric", lhs, rhs, loc));
                }
                let wtype = WTypeId::BOOL;
                self.keep(NumericComparisonExpression { loc, wtype, lhs, operator, rhs })
            }
            _ => {
                let (lhs, operator, rhs) = self.operands(object, COMPARISON)?;
                let types = &[WTypeId::ACCOUNT, WTypeId::STRING];
                let classes = &[Class::Bytes, Class::Arc4Type];
                self.expect("BytesComparisonExpression.lhs", lhs, types, classes)?;
                self.expect("BytesComparisonExpression.rhs", rhs, types, classes)?;
                if !self.are_equal_or_bytes(lhs, rhs) {
                    return Err(self.different_wtypes("bytes", lhs, rhs, loc));
                }
                let wtype = WTypeId::BOOL;
                self.keep(BytesComparisonExpression { loc, wtype, lhs, operator, rhs })
            }
        }
    }
    fn different_wtypes(
        &self,
        kind: &str,
        lhs: ExprRef<'s>,
        rhs: ExprRef<'s>,
        loc: Loc,
    ) -> Box<Failure> {
        let (lhs, rhs) = (self.name(lhs.wtype()), self.name(rhs.wtype()));
        broken(format!("{kind} comparison between different wtypes: {lhs} and {rhs}"), loc)
    }
    fn are_equal_or_bytes(&self, a: ExprRef<'s>, b: ExprRef<'s>) -> bool {
        let is_bytes = |expr: ExprRef<'s>| self.is_one_of(expr.wtype(), &[Class::Bytes]);
        self.wtypes.equal(a.wtype(), b.wtype()) || (is_bytes(a) && is_bytes(b))
    }
    fn bytes_binary_operation(&mut self, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
        let loc = self.loc_field(object)?;
        let (left, op, right) = self.operands(object, [Key::Left, Key::Op, Key::Right])?;
        let wtype = wtype.unwrap_or_else(|| {
            let is_bytes = self.is_one_of(left.wtype(), &[Class::Bytes]);
            if is_bytes { WTypeId::BYTES } else { left.wtype() }
        });
        let (string, bytes) = (&[WTypeId::STRING], &[Class::Bytes]);
        self.expect("BytesBinaryOperation.left", left, string, bytes)?;
        self.expect("BytesBinaryOperation.right", right, string, bytes)?;
        if !self.are_equal_or_bytes(left, right) {
            return Err(mistake("incompatible operand types", loc));
        }
        self.expect_set("BytesBinaryOperation.wtype", wtype, string, bytes)?;
        let kinds = [left.wtype(), right.wtype(), wtype].map(|wtype| self.wtypes.kind(wtype));
        let problem = match kinds {
            [
                WTypeKind::Bytes { length: left },
                WTypeKind::Bytes { length: right },
                WTypeKind::Bytes { length: result },
            ] => match (left, right, result) {
                (_, _, None) => None,
                (Some(left), Some(right), Some(result)) => {
                    let expected = match op {
                        BytesBinaryOperator::Add => u128::from(left) + u128::from(right),
                        BytesBinaryOperator::BitAnd
                        | BytesBinaryOperator::BitOr
                        | BytesBinaryOperator::BitXor => u128::from(left.max(right)),
                    };
                    (u128::from(result) != expected).then(|| {
                        format!(
                            "wrong length for sized bytes result, expected {expected}, got {result}"
                        )
                    })
                }
                _ => Some(
                    "sized bytes result type is invalid when either operand is unsized".to_owned(),
                ),
            },
            [WTypeKind::Basic(left), WTypeKind::Basic(right), WTypeKind::Basic(result)]
                if left == right && right == result =>
            {
                None
            }
            _ => Some("invalid result type of binary operation".to_owned()),
        };
        match problem {
            Some(message) => Err(broken(message, loc)),
            None => self.keep(BytesBinaryOperation { loc, wtype, left, op, right }),
        }
    }

    // ---- conversions ----

    fn conversion(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::ARC4Encode => {
                let wtype = self.optional_field(object, Key::Wtype, |reader, json| {
                    let object = reader.object(json);
                    if reader.has_key(object, Key::Length)? {
                        reader.bytes_type(json)
                    } else {
                        reader.arc4_type(json)
                    }
                })?;
                let error_message = self.message(object, Key::ErrorMessage)?;
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let wtype = wtype.unwrap_or(WTypeId::BYTES);
                if wtype != WTypeId::BYTES && !self.is_one_of(wtype, &[Class::Arc4Type]) {
                    let name = self.name(wtype);
                    return Err(broken(
                        format!("ARC4Encode.wtype: expected bytes_wtype or ARC4Type, got {name}"),
                        loc,
                    ));
                }
                self.keep(Arc4Encode { loc, wtype, value, error_message })
            }
            Tag::ARC4Decode => {
                let error_message = self.message(object, Key::ErrorMessage)?;
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                self.expect("ARC4Decode.value", value, &[], &[Class::Arc4Type])?;
                self.keep(Arc4Decode { loc, wtype, value, error_message })
            }
            Tag::ARC4FromBytes => {
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let validate = self.field(object, Key::Validate, Self::truth)?;
                self.keep(Arc4FromBytes { loc, wtype, value, validate })
            }
            Tag::ReinterpretCast => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let expr = self.field(object, Key::Expr, Self::expr)?;
                let (from, to) = (self.wtypes.get(expr.wtype()), self.wtypes.get(wtype));
                let is_legal = from.scalar_type == to.scalar_type
                    && from.scalar_type.is_some()
                    && !(from.is_aggregate && to.is_aggregate);
                if !is_legal {
                    let (from, to) = (from.name, to.name);
                    // PARITY: the reference never closes the parenthesis, pinned by its message text
                    let message = format!("unsupported type cast (from: {from}, to: {to} ");
                    self.session.sink.error(message, loc);
                }
                self.keep(ReinterpretCast { loc, wtype, expr })
            }
            _ => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let wtype = wtype.unwrap_or(value.wtype());
                let class = |wtype| self.wtypes.kind(wtype).class_name();
                if class(wtype) != class(value.wtype()) {
                    let message = "copy node cannot change the structure of a value";
                    return Err(broken(message, loc));
                }
                self.keep(Copy { loc, wtype, value })
            }
        }
    }

    // ---- calls ----

    fn call(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::IntrinsicCall => {
                let immediates = self
                    .optional_field(object, Key::Immediates, |r, j| r.slice(j, Self::immediate))?;
                let stack_args = self.optional_field(object, Key::StackArgs, Self::exprs)?;
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let op_code = self.field(object, Key::OpCode, Self::text)?;
                self.keep(IntrinsicCall {
                    loc,
                    wtype,
                    op_code,
                    immediates: immediates.unwrap_or_default(),
                    stack_args: stack_args.unwrap_or_default(),
                })
            }
            Tag::SubroutineCallExpression => {
                let loc = self.loc_field(object)?;
                let wtype = self.field(object, Key::Wtype, Self::wtype)?;
                let target = self.field(object, Key::Target, Self::subroutine_target)?;
                let args = self.field(object, Key::Args, |r, j| r.slice(j, Self::call_arg))?;
                self.keep(SubroutineCallExpression { loc, wtype, target, args })
            }
            Tag::PuyaLibCall => {
                let args =
                    self.optional_field(object, Key::Args, |r, j| r.slice(j, Self::call_arg))?;
                let args = args.unwrap_or_default();
                let loc = self.loc_field(object)?;
                let func: PuyaLibFunction = self.field(object, Key::Func, |_, json| {
                    hashable(json)?;
                    json.as_str().and_then(PuyaLibFunction::of).ok_or_else(|| fails(repr_of(json)))
                })?;
                if func.params().len() != args.len() {
                    return Err(mistake(
                        format!("provided args does not match arity for {}", func.text()),
                        loc,
                    ));
                }
                let wtype = match func {
                    PuyaLibFunction::EnsureBudget => WTypeId::VOID,
                    PuyaLibFunction::IsSubstring => WTypeId::BOOL,
                };
                self.keep(PuyaLibCall { loc, wtype, func, args })
            }
            _ => {
                let loc = self.loc_field(object)?;
                let target =
                    self.field(object, Key::Target, |r, j| r.nullable(j, Self::method_ref))?;
                let args = self.field(object, Key::Args, Self::exprs)?;
                let fields = self.field(object, Key::Fields, Self::txn_fields)?;
                let wtype = self.field(object, Key::Wtype, Self::abi_call_fields_type)?;
                self.keep(AbiCall { loc, wtype, target, args, fields })
            }
        }
    }
    fn immediate(&mut self, json: J<'s>) -> Outcome<Immediate<'s>> {
        match json.kind() {
            Kind::String(text) => Ok(Immediate::Text(text)),
            Kind::Bool(_) => Ok(Immediate::Int(self.int(json)?)),
            Kind::Int(_) => Ok(Immediate::Int(self.int(json)?)),
            Kind::Number(text) if is_integer(text) => Ok(Immediate::Int(self.int(json)?)),
            _ => Err(refuses(format!(
                "{} (<class '{}'>) not part of str | int",
                repr_of(json),
                class_of(json)
            ))),
        }
    }
    fn subroutine_target(&mut self, json: J<'s>) -> Outcome<SubroutineTarget> {
        let object = self.object(json);
        match self.tag(object)? {
            Tag::SubroutineID => Ok(SubroutineTarget::SubroutineId {
                target: self.field(object, Key::Target, Self::symbol)?,
            }),
            Tag::InstanceMethodTarget => Ok(SubroutineTarget::InstanceMethod {
                member_name: self.field(object, Key::MemberName, Self::symbol)?,
            }),
            Tag::InstanceSuperMethodTarget => Ok(SubroutineTarget::InstanceSuperMethod {
                member_name: self.field(object, Key::MemberName, Self::symbol)?,
            }),
            Tag::ContractMethodTarget => Ok(SubroutineTarget::ContractMethod {
                cref: self.field(object, Key::Cref, Self::symbol)?,
                member_name: self.field(object, Key::MemberName, Self::symbol)?,
            }),
            _ => Err(self.unknown_tag(object)),
        }
    }
    fn call_arg(&mut self, json: J<'s>) -> Outcome<CallArg<'s>> {
        let object = self.object(json);
        let name = self.field(object, Key::Name, |r, j| r.nullable(j, Self::symbol))?;
        let value = self.field(object, Key::Value, Self::expr)?;
        Ok(CallArg { name, value })
    }
    fn compiled_reference(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let overrides = match tag {
            Tag::CompiledContract => {
                self.optional_field(object, Key::AllocationOverrides, Self::txn_fields)?
            }
            _ => None,
        };
        let prefix = self.message(object, Key::Prefix)?;
        let template_variables =
            self.optional_field(object, Key::TemplateVariables, Self::named_exprs)?;
        let template_variables = template_variables.unwrap_or_default();
        let loc = self.loc_field(object)?;
        let wtype = self.field(object, Key::Wtype, Self::wtype)?;
        if tag == Tag::CompiledLogicSig {
            let logic_sig = self.field(object, Key::LogicSig, Self::symbol)?;
            return self.keep(CompiledLogicSig {
                loc,
                wtype,
                logic_sig,
                prefix,
                template_variables,
            });
        }
        let contract = self.field(object, Key::Contract, Self::symbol)?;
        let allocation_overrides = overrides.unwrap_or_default();
        let is_allocation = |(field, _): &(TxnField, ExprRef<'s>)| {
            matches!(
                field,
                TxnField::ExtraProgramPages
                    | TxnField::GlobalNumUint
                    | TxnField::GlobalNumByteSlice
                    | TxnField::LocalNumUint
                    | TxnField::LocalNumByteSlice
            )
        };
        if !allocation_overrides.iter().all(is_allocation) {
            return Err(broken("only allocation fields can be overridden", loc));
        }
        self.keep(CompiledContract {
            loc,
            wtype,
            contract,
            allocation_overrides,
            prefix,
            template_variables,
        })
    }

    // ---- sequences and control ----

    fn sequence(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        let loc = self.loc_field(object)?;
        if tag == Tag::Range {
            let start = self.field(object, Key::Start, Self::expr)?;
            let stop = self.field(object, Key::Stop, Self::expr)?;
            let step = self.field(object, Key::Step, Self::expr)?;
            for (place, bound) in
                [("Range.start", start), ("Range.stop", stop), ("Range.step", step)]
            {
                self.expect(place, bound, &[WTypeId::UINT64], &[])?;
            }
            return self.keep(Range { loc, wtype: WTypeId::UINT64_RANGE, start, stop, step });
        }
        let expr = self.field(object, Key::Expr, Self::expr)?;
        if tag == Tag::Enumeration {
            let wtype = self.wtypes.enumeration(expr.wtype());
            self.keep(Enumeration { loc, wtype, expr })
        } else {
            self.keep(Reversed { loc, wtype: expr.wtype(), expr })
        }
    }
    fn control(&mut self, tag: Tag, object: Object<'s>) -> Outcome<ExprRef<'s>> {
        match tag {
            Tag::AssertExpression => {
                let explicit = self.optional_field(object, Key::Explicit, Self::truth)?;
                let log_error = self.optional_field(object, Key::LogError, Self::truth)?;
                let desc = self.message(object, Key::Desc)?;
                let loc = self.loc_field(object)?;
                let condition = self.field(object, Key::Condition, Self::nullable_expr)?;
                let error_message = self.field(object, Key::ErrorMessage, Self::nullable_text)?;
                self.keep(AssertExpression {
                    loc,
                    wtype: WTypeId::VOID,
                    condition,
                    error_message,
                    explicit: explicit.unwrap_or(true),
                    log_error: log_error.unwrap_or(false),
                    desc,
                })
            }
            Tag::ConditionalExpression => {
                let wtype = self.optional_field(object, Key::Wtype, Self::wtype)?;
                let loc = self.loc_field(object)?;
                let condition = self.field(object, Key::Condition, Self::expr)?;
                let true_expr = self.field(object, Key::TrueExpr, Self::expr)?;
                let false_expr = self.field(object, Key::FalseExpr, Self::expr)?;
                let (yes, no) = (true_expr.wtype(), false_expr.wtype());
                if wtype.is_none() && !self.wtypes.equal(yes, no) {
                    let (yes, no) = (self.name(yes), self.name(no));
                    return Err(mistake(
                        format!(
                            "true and false expressions of conditional have differing types: \
                             {yes} and {no}"
                        ),
                        loc,
                    ));
                }
                self.expect("ConditionalExpression.condition", condition, &[WTypeId::BOOL], &[])?;
                let wtype = wtype.unwrap_or(yes);
                self.keep(ConditionalExpression { loc, wtype, condition, true_expr, false_expr })
            }
            Tag::AssignmentExpression => {
                let loc = self.loc_field(object)?;
                let target = self.field(object, Key::Target, Self::lvalue)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                self.check_assignment(target, value, loc)?;
                self.keep(AssignmentExpression { loc, wtype: target.wtype(), target, value })
            }
            Tag::CommaExpression => {
                let loc = self.loc_field(object)?;
                let expressions = self.field(object, Key::Expressions, Self::exprs)?;
                let Some(last) = expressions.last() else {
                    return Err(fails("tuple index out of range"));
                };
                self.keep(CommaExpression { loc, wtype: last.wtype(), expressions })
            }
            Tag::SingleEvaluation => {
                let id = self.optional_field(object, Key::EvaluationId, Self::int)?;
                let loc = self.optional_field(object, Key::SourceLocation, Self::loc)?;
                let (source, mentions) =
                    self.gathering(|reader| reader.field(object, Key::Source, Self::expr))?;
                let id = id.unwrap_or_else(|| {
                    self.nameless_evaluations += 1;
                    let fresh = format!("-{}", self.nameless_evaluations);
                    Int::canonical(self.session.arena.str(&fresh))
                });
                let loc = loc.unwrap_or(source.loc());
                self.keep(SingleEvaluation { loc, wtype: source.wtype(), source, id, mentions })
            }
            Tag::CheckedMaybe => {
                let expr = self.field(object, Key::Expr, Self::expr)?;
                let comment = self.field(object, Key::Comment, Self::text)?;
                let wtype = match self.wtypes.kind(expr.wtype()) {
                    WTypeKind::Tuple { types: [wtype, check], .. } if *check == WTypeId::BOOL => {
                        *wtype
                    }
                    _ => {
                        let name = self.name(expr.wtype());
                        return Err(broken(
                            format!(
                                "CheckedMaybe.expr: expression of WType {name} received, \
                                 expected tuple[_T, bool]"
                            ),
                            Loc::NONE,
                        ));
                    }
                };
                self.keep(CheckedMaybe { loc: expr.loc(), wtype, expr, comment })
            }
            Tag::Emit => {
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                self.expect("Emit.value", value, &[], &[Class::Arc4Struct])?;
                self.keep(Emit { loc, wtype: WTypeId::VOID, value })
            }
            _ => {
                let loc = self.loc_field(object)?;
                let signature = self.field(object, Key::Signature, Self::text)?;
                let values = self.field(object, Key::Values, Self::exprs)?;
                self.keep(EmitFields { loc, wtype: WTypeId::VOID, signature, values })
            }
        }
    }
}
