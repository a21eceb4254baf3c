//! Conditions that branch, and expressions that are values by branching. Spec 21 §11 and §12.1.

use crate::awst::expr::{BooleanBinaryOperation, ConditionalExpression, Expr, ExprRef};
use crate::awst::operators::BinaryBooleanOperator;
use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::BlockId;
use crate::ir::op::{Source, TerminatorKind, Value};
use crate::ir::types::{IrType, Shape};

use super::function::{Evaluated, FunctionBuilder, Placed};

/// Whether evaluating an expression is nothing but naming a value.
fn is_plain(expr: ExprRef<'_>) -> bool {
    matches!(
        expr,
        Expr::VarExpression(_)
            | Expr::IntegerConstant(_)
            | Expr::DecimalConstant(_)
            | Expr::BoolConstant(_)
            | Expr::BytesConstant(_)
            | Expr::AddressConstant(_)
            | Expr::MethodConstant(_)
    )
}

impl<'s> FunctionBuilder<'_, 's> {
    /// Ends the active block by going where a condition says. Operators of the condition branch
    /// themselves, so that the right operand is evaluated only when it counts.
    pub fn branch_on(
        &mut self,
        condition: ExprRef<'s>,
        if_true: BlockId,
        if_false: BlockId,
        loc: Loc,
    ) -> Outcome<()> {
        if condition.wtype() != WTypeId::BOOL {
            let message = "_process_conditional should only be used for boolean conditionals";
            return Err(Failure::internal(message, loc));
        }
        match condition {
            Expr::BooleanBinaryOperation(node) => {
                let description = format!("{}_contd", node.op.text());
                let contd = self.blocks.make(&description, node.loc);
                match node.op {
                    BinaryBooleanOperator::And => {
                        self.branch_on(node.left, contd, if_false, node.loc)?;
                    }
                    BinaryBooleanOperator::Or => {
                        self.branch_on(node.left, if_true, contd, node.loc)?;
                    }
                }
                self.blocks.activate(contd)?;
                self.branch_on(node.right, if_true, if_false, node.loc)
            }
            Expr::Not(node) => self.branch_on(node.expr, if_false, if_true, node.loc),
            _ => {
                let condition = self.visit_value(condition)?;
                let kind = TerminatorKind::Branch { condition, non_zero: if_true, zero: if_false };
                self.terminate(kind, loc)
            }
        }
    }
    /// A boolean operator whose right operand must not be evaluated in vain.
    pub(super) fn visit_short_circuit(
        &mut self,
        expr: ExprRef<'s>,
        node: &'s BooleanBinaryOperation<'s>,
    ) -> Evaluated {
        let [if_true, if_false, merge] =
            self.blocks.make_all(["bool_true", "bool_false", "bool_merge"], node.loc);
        let name = self.next_temp_name(&format!("{}_result", node.op.text()));
        self.branch_on(expr, if_true, if_false, node.loc)?;
        for (block, value) in [(if_true, true), (if_false, false)] {
            self.blocks.activate(block)?;
            let value = Source::value(Value::bool(value, Loc::NONE));
            self.assign_variable(name, value, Loc::NONE)?;
            self.blocks.goto(merge, Loc::NONE)?;
        }
        self.blocks.activate(merge)?;
        let result = self.read_variable(name, IrType::Bool)?;
        Ok(Some(Source::value(result.into())))
    }
    pub(super) fn visit_conditional_expression(
        &mut self,
        node: &'s ConditionalExpression<'s>,
    ) -> Evaluated {
        let loc = node.loc;
        let shape = self.shape(node.wtype, loc)?;
        if let Shape::One(ty) = shape
            && is_plain(node.true_expr)
            && is_plain(node.false_expr)
        {
            let if_false = self.visit_value(node.false_expr)?;
            let if_true = self.visit_value(node.true_expr)?;
            let condition = self.visit_value(node.condition)?;
            let selected = self.make(loc).select(if_false, if_true, condition, ty);
            return Ok(Some(Source::value(selected.into())));
        }
        let [if_true, if_false, merge] =
            self.blocks.make_all(["ternary_true", "ternary_false", "ternary_merge"], loc);
        let name = self.next_temp_name("ternary_result");
        let names = self.leaf_symbols(shape, name);
        let types = shape.flatten(self.ir().pool);
        self.branch_on(node.condition, if_true, if_false, loc)?;
        for (block, arm) in [(if_true, node.true_expr), (if_false, node.false_expr)] {
            self.blocks.activate(block)?;
            let source = self.visit_expr(arm)?;
            let placed = Placed { assignment: arm.loc(), register: loc };
            self.assign_group(&names, &types, source, placed)?;
            self.blocks.goto(merge, Loc::NONE)?;
        }
        self.blocks.activate(merge)?;
        let mut values = Vec::with_capacity(names.len());
        for (name, ty) in names.into_iter().zip(types) {
            values.push(self.read_variable(name, ty)?.into());
        }
        self.group(shape, values, loc).map(Some)
    }
}
