//! Arithmetic, bitwise and comparison operators, and statements that apply one to a target. Spec 21 §11.

use crate::avm::ops::AvmOp;
use crate::awst::expr::{
    BigUIntBinaryOperation, BigUIntPostfixUnaryOperation, BytesBinaryOperation,
    BytesComparisonExpression, BytesUnaryOperation, ExprRef, NumericComparisonExpression,
    UInt64BinaryOperation, UInt64PostfixUnaryOperation, UInt64UnaryOperation,
};
use crate::awst::operators::{
    BigUIntBinaryOperator, BigUIntPostfixUnaryOperator, BytesBinaryOperator, BytesUnaryOperator,
    EqualityComparison, NumericComparison, UInt64BinaryOperator, UInt64PostfixUnaryOperator,
    UInt64UnaryOperator,
};
use crate::awst::stmt::{
    BigUIntAugmentedAssignment, BytesAugmentedAssignment, UInt64AugmentedAssignment,
};
use crate::awst::wtypes::WTypeId;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Constant, Source, Value};
use crate::ir::types::{AvmType, IrType, Shape};

use super::assign::Update;
use super::function::{Evaluated, FunctionBuilder};

fn uint64_op(op: UInt64BinaryOperator) -> AvmOp {
    match op {
        UInt64BinaryOperator::Add => AvmOp::Add,
        UInt64BinaryOperator::Sub => AvmOp::Sub,
        UInt64BinaryOperator::Mult => AvmOp::Mul,
        UInt64BinaryOperator::FloorDiv => AvmOp::DivFloor,
        UInt64BinaryOperator::Mod => AvmOp::Mod,
        UInt64BinaryOperator::Pow => AvmOp::Exp,
        UInt64BinaryOperator::Lshift => AvmOp::Shl,
        UInt64BinaryOperator::Rshift => AvmOp::Shr,
        UInt64BinaryOperator::BitOr => AvmOp::BitwiseOr,
        UInt64BinaryOperator::BitXor => AvmOp::BitwiseXor,
        UInt64BinaryOperator::BitAnd => AvmOp::BitwiseAnd,
    }
}

fn biguint_op(op: BigUIntBinaryOperator) -> AvmOp {
    match op {
        BigUIntBinaryOperator::Add => AvmOp::AddBytes,
        BigUIntBinaryOperator::Sub => AvmOp::SubBytes,
        BigUIntBinaryOperator::Mult => AvmOp::MulBytes,
        BigUIntBinaryOperator::FloorDiv => AvmOp::DivFloorBytes,
        BigUIntBinaryOperator::Mod => AvmOp::ModBytes,
        BigUIntBinaryOperator::BitOr => AvmOp::BitwiseOrBytes,
        BigUIntBinaryOperator::BitXor => AvmOp::BitwiseXorBytes,
        BigUIntBinaryOperator::BitAnd => AvmOp::BitwiseAndBytes,
    }
}

fn bytes_op(op: BytesBinaryOperator) -> AvmOp {
    match op {
        BytesBinaryOperator::Add => AvmOp::Concat,
        BytesBinaryOperator::BitOr => AvmOp::BitwiseOrBytes,
        BytesBinaryOperator::BitXor => AvmOp::BitwiseXorBytes,
        BytesBinaryOperator::BitAnd => AvmOp::BitwiseAndBytes,
    }
}

fn comparison_op(op: NumericComparison, operands: AvmType) -> AvmOp {
    match (op, operands) {
        (NumericComparison::Eq, AvmType::Bytes) => AvmOp::EqBytes,
        (NumericComparison::Ne, AvmType::Bytes) => AvmOp::NeqBytes,
        (NumericComparison::Lt, AvmType::Bytes) => AvmOp::LtBytes,
        (NumericComparison::Lte, AvmType::Bytes) => AvmOp::LteBytes,
        (NumericComparison::Gt, AvmType::Bytes) => AvmOp::GtBytes,
        (NumericComparison::Gte, AvmType::Bytes) => AvmOp::GteBytes,
        (NumericComparison::Eq, AvmType::UInt64 | AvmType::Any) => AvmOp::Eq,
        (NumericComparison::Ne, AvmType::UInt64 | AvmType::Any) => AvmOp::Neq,
        (NumericComparison::Lt, AvmType::UInt64 | AvmType::Any) => AvmOp::Lt,
        (NumericComparison::Lte, AvmType::UInt64 | AvmType::Any) => AvmOp::Lte,
        (NumericComparison::Gt, AvmType::UInt64 | AvmType::Any) => AvmOp::Gt,
        (NumericComparison::Gte, AvmType::UInt64 | AvmType::Any) => AvmOp::Gte,
    }
}

impl<'s> FunctionBuilder<'_, 's> {
    fn biguint_binary(
        &self,
        op: BigUIntBinaryOperator,
        left: Value,
        right: Value,
        loc: Loc,
    ) -> Outcome<Source> {
        let types = Some(Few::One([IrType::BigUInt]));
        self.instruction_with(biguint_op(op), Vec::new(), vec![left, right], types, loc)
    }
    pub(super) fn visit_uint64_binary(&mut self, node: &'s UInt64BinaryOperation<'s>) -> Evaluated {
        let left = self.visit_value(node.left)?;
        let right = self.visit_value(node.right)?;
        self.instruction(uint64_op(node.op), vec![left, right], node.loc).map(Some)
    }
    pub(super) fn visit_biguint_binary(
        &mut self,
        node: &'s BigUIntBinaryOperation<'s>,
    ) -> Evaluated {
        let left = self.visit_value(node.left)?;
        let right = self.visit_value(node.right)?;
        self.biguint_binary(node.op, left, right, node.loc).map(Some)
    }
    pub(super) fn visit_bytes_binary(&mut self, node: &'s BytesBinaryOperation<'s>) -> Evaluated {
        let left = self.visit_value(node.left)?;
        let right = self.visit_value(node.right)?;
        self.instruction(bytes_op(node.op), vec![left, right], node.loc).map(Some)
    }
    pub(super) fn visit_uint64_unary(&mut self, node: &'s UInt64UnaryOperation<'s>) -> Evaluated {
        let value = self.visit_value(node.expr)?;
        let op = match node.op {
            UInt64UnaryOperator::BitInvert => AvmOp::BitwiseNot,
        };
        self.instruction(op, vec![value], node.loc).map(Some)
    }
    pub(super) fn visit_bytes_unary(&mut self, node: &'s BytesUnaryOperation<'s>) -> Evaluated {
        let value = self.visit_value(node.expr)?;
        let op = match node.op {
            BytesUnaryOperator::BitInvert => AvmOp::BitwiseNotBytes,
        };
        self.instruction(op, vec![value], node.loc).map(Some)
    }
    pub(super) fn visit_numeric_comparison(
        &mut self,
        node: &'s NumericComparisonExpression<'s>,
    ) -> Evaluated {
        let left = self.visit_value(node.lhs)?;
        let right = self.visit_value(node.rhs)?;
        let pool = self.ir().pool;
        let avm_type = |value: Value| value.ty(pool).maybe_avm_type(pool);
        match (avm_type(left), avm_type(right)) {
            (Some(operands), Some(other)) if operands == other => {
                let op = comparison_op(node.operator, operands);
                self.instruction(op, vec![left, right], node.loc).map(Some)
            }
            _ => {
                let message = "Numeric comparison between different numeric types";
                Err(Failure::internal(message, node.loc))
            }
        }
    }
    pub(super) fn visit_bytes_comparison(
        &mut self,
        node: &'s BytesComparisonExpression<'s>,
    ) -> Evaluated {
        let left = self.visit_value(node.lhs)?;
        let right = self.visit_value(node.rhs)?;
        let op = match node.operator {
            EqualityComparison::Eq => AvmOp::Eq,
            EqualityComparison::Ne => AvmOp::Neq,
        };
        self.instruction(op, vec![left, right], node.loc).map(Some)
    }

    /// Puts the result of an operator on it into a target.
    fn update(&mut self, target: ExprRef<'s>, result: Source, loc: Loc) -> Outcome<()> {
        let result = self.materialise_group(result, &["tmp"])?;
        self.assign_to(target, result, Update::Whole, loc).map(|_| ())
    }
    pub(super) fn visit_uint64_postfix(
        &mut self,
        node: &'s UInt64PostfixUnaryOperation<'s>,
    ) -> Evaluated {
        let before = self.visit_value(node.target)?;
        let op = match node.op {
            UInt64PostfixUnaryOperator::Increment => AvmOp::Add,
            UInt64PostfixUnaryOperator::Decrement => AvmOp::Sub,
        };
        let one = Value::uint64(1, node.loc);
        let result = self.instruction(op, vec![before, one], node.loc)?;
        self.update(node.target, result, node.loc)?;
        Ok(Some(Source::value(before)))
    }
    pub(super) fn visit_biguint_postfix(
        &mut self,
        node: &'s BigUIntPostfixUnaryOperation<'s>,
    ) -> Evaluated {
        let before = self.visit_value(node.target)?;
        let op = match node.op {
            BigUIntPostfixUnaryOperator::Increment => BigUIntBinaryOperator::Add,
            BigUIntPostfixUnaryOperator::Decrement => BigUIntBinaryOperator::Sub,
        };
        let one = Constant::BigUInt(self.ir().pool.bytes_id(&[1]));
        let one = Value::Constant(one, node.loc);
        let result = self.biguint_binary(op, before, one, node.loc)?;
        self.update(node.target, result, node.loc)?;
        Ok(Some(Source::value(before)))
    }
    pub(super) fn visit_uint64_augmented(
        &mut self,
        stmt: &'s UInt64AugmentedAssignment<'s>,
    ) -> Outcome<()> {
        let before = self.visit_value(stmt.target)?;
        let operand = self.visit_value(stmt.value)?;
        let result = self.instruction(uint64_op(stmt.op), vec![before, operand], stmt.loc)?;
        self.update(stmt.target, result, stmt.loc)
    }
    pub(super) fn visit_biguint_augmented(
        &mut self,
        stmt: &'s BigUIntAugmentedAssignment<'s>,
    ) -> Outcome<()> {
        let before = self.visit_value(stmt.target)?;
        let operand = self.visit_value(stmt.value)?;
        let result = self.biguint_binary(stmt.op, before, operand, stmt.loc)?;
        self.update(stmt.target, result, stmt.loc)
    }
    pub(super) fn visit_bytes_augmented(
        &mut self,
        stmt: &'s BytesAugmentedAssignment<'s>,
    ) -> Outcome<()> {
        let before = self.visit_value(stmt.target)?;
        let operand = self.visit_value(stmt.value)?;
        let wtype = stmt.target.wtype();
        let result = if wtype == WTypeId::ARC4_STRING {
            let shape = Shape::One(operand.ty(self.ir().pool));
            let items = Source::value(operand);
            Source::value(self.concat_items(wtype, before, items, shape, stmt.loc)?)
        } else {
            self.instruction(bytes_op(stmt.op), vec![before, operand], stmt.loc)?
        };
        self.update(stmt.target, result, stmt.loc)
    }
}
