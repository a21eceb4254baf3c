//! One pre-order walk over functions, statements and expressions. Spec 11 §2.
//!
//! A [`Visitor`] sees each node before ([`Visitor::enter_expr`]) and after its children; an `enter`
//! hook that answers [`Descend::Skip`] keeps the walk out of the node. Callees are not followed.

use super::decl::{AppStorageDefinition, Contract, Function, RootNode};
use super::expr::{Expr, ExprRef, SliceBound};
use super::mentions::Mentions;
use super::stmt::{Block, Stmt};

/// Whether the walk goes into a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Descend {
    /// Visit the children, then call the `leave` hook.
    Into,
    /// Neither.
    Skip,
}

/// What to do at each node; every hook does nothing unless given.
pub trait Visitor<'a> {
    /// What the visitor looks for, if that is known: bodies and single evaluations that mention nothing
    /// of it are not walked.
    const LOOKS_FOR: Option<Mentions> = None;
    /// Before an expression's children.
    fn enter_expr(&mut self, _expr: ExprRef<'a>) -> Descend {
        Descend::Into
    }
    /// After an expression's children.
    fn leave_expr(&mut self, _expr: ExprRef<'a>) {}
    /// Before a statement's children.
    fn enter_stmt(&mut self, _stmt: &'a Stmt<'a>) -> Descend {
        Descend::Into
    }
    /// After a statement's children.
    fn leave_stmt(&mut self, _stmt: &'a Stmt<'a>) {}
    /// Before the body of a function.
    fn enter_function(&mut self, _function: &'a Function<'a>) {}
    /// Before the statements of a block: bodies and branches as well as blocks among statements.
    fn enter_block(&mut self, _block: &'a Block<'a>) {}
    /// After the key of a state declaration.
    fn leave_storage_definition(&mut self, _definition: &'a AppStorageDefinition<'a>) {}
}

/// Walks a root node: bodies of functions, of a contract first the keys of its state.
pub fn walk_root<'a, V: Visitor<'a>>(visitor: &mut V, root: &RootNode<'a>) {
    match root {
        RootNode::Subroutine(subroutine) => walk_function(visitor, &subroutine.function),
        RootNode::LogicSignature(signature) => walk_function(visitor, &signature.program.function),
        RootNode::Contract(contract) => {
            walk_app_state(visitor, contract);
            for method in contract.all_methods {
                walk_function(visitor, &method.function);
            }
        }
    }
}

/// Walks the body of a function, unless it has nothing that the visitor looks for.
pub fn walk_function<'a, V: Visitor<'a>>(visitor: &mut V, function: &'a Function<'a>) {
    visitor.enter_function(function);
    if V::LOOKS_FOR.is_none_or(|wanted| function.mentions.overlaps(wanted)) {
        walk_block(visitor, function.body);
    }
}

/// Walks the state declarations of a contract.
pub fn walk_app_state<'a, V: Visitor<'a>>(visitor: &mut V, contract: &Contract<'a>) {
    for definition in contract.app_state {
        walk_expr(visitor, definition.key);
        visitor.leave_storage_definition(definition);
    }
}

/// Walks the statements of a block.
pub fn walk_block<'a, V: Visitor<'a>>(visitor: &mut V, block: &'a Block<'a>) {
    visitor.enter_block(block);
    for stmt in block.body {
        walk_stmt(visitor, stmt);
    }
}

/// Walks a statement.
pub fn walk_stmt<'a, V: Visitor<'a>>(visitor: &mut V, stmt: &'a Stmt<'a>) {
    if visitor.enter_stmt(stmt) == Descend::Skip {
        return;
    }
    match stmt {
        Stmt::Block(block) => walk_block(visitor, block),
        Stmt::ExpressionStatement(s) => walk_expr(visitor, s.expr),
        Stmt::Goto(_) | Stmt::LoopExit(_) | Stmt::LoopContinue(_) => {}
        Stmt::IfElse(s) => {
            walk_expr(visitor, s.condition);
            walk_block(visitor, s.if_branch);
            s.else_branch.into_iter().for_each(|block| walk_block(visitor, block));
        }
        Stmt::Switch(s) => {
            walk_expr(visitor, s.value);
            for (key, block) in s.cases {
                walk_expr(visitor, key);
                walk_block(visitor, block);
            }
            s.default_case.into_iter().for_each(|block| walk_block(visitor, block));
        }
        Stmt::WhileLoop(s) => {
            walk_expr(visitor, s.condition);
            walk_block(visitor, s.loop_body);
        }
        Stmt::ReturnStatement(s) => {
            s.value.into_iter().for_each(|value| walk_expr(visitor, value));
        }
        Stmt::AssignmentStatement(s) => {
            walk_expr(visitor, s.target);
            walk_expr(visitor, s.value);
        }
        Stmt::UInt64AugmentedAssignment(s) => {
            walk_expr(visitor, s.target);
            walk_expr(visitor, s.value);
        }
        Stmt::BigUIntAugmentedAssignment(s) => {
            walk_expr(visitor, s.target);
            walk_expr(visitor, s.value);
        }
        Stmt::BytesAugmentedAssignment(s) => {
            walk_expr(visitor, s.target);
            walk_expr(visitor, s.value);
        }
        Stmt::ForInLoop(s) => {
            walk_expr(visitor, s.sequence);
            walk_expr(visitor, s.items);
            walk_block(visitor, s.loop_body);
        }
    }
    visitor.leave_stmt(stmt);
}

/// Walks an expression.
pub fn walk_expr<'a, V: Visitor<'a>>(visitor: &mut V, expr: ExprRef<'a>) {
    if visitor.enter_expr(expr) == Descend::Skip {
        return;
    }
    match expr {
        Expr::SingleEvaluation(node)
            if V::LOOKS_FOR.is_some_and(|wanted| !node.mentions.overlaps(wanted)) => {}
        _ => for_each_child(expr, &mut |child| walk_expr(visitor, child)),
    }
    visitor.leave_expr(expr);
}

/// Calls `visit` with each child of an expression, in the order of the walk.
#[inline]
pub fn for_each_child<'a>(expr: ExprRef<'a>, visit: &mut impl FnMut(ExprRef<'a>)) {
    match expr {
        Expr::IntegerConstant(_)
        | Expr::DecimalConstant(_)
        | Expr::BoolConstant(_)
        | Expr::BytesConstant(_)
        | Expr::StringConstant(_)
        | Expr::VoidConstant(_)
        | Expr::TemplateVar(_)
        | Expr::MethodConstant(_)
        | Expr::AddressConstant(_)
        | Expr::SizeOf(_)
        | Expr::VarExpression(_)
        | Expr::Arc4Router(_) => {}
        Expr::AssertExpression(e) => e.condition.into_iter().for_each(visit),
        Expr::Arc4Encode(e) => visit(e.value),
        Expr::Arc4Decode(e) => visit(e.value),
        Expr::Arc4FromBytes(e) => visit(e.value),
        Expr::ConvertArray(e) => visit(e.expr),
        Expr::Copy(e) => visit(e.value),
        Expr::ArrayConcat(e) => [e.left, e.right].into_iter().for_each(visit),
        Expr::ArrayExtend(e) => [e.base, e.other].into_iter().for_each(visit),
        Expr::ArrayPop(e) => visit(e.base),
        Expr::ArrayReplace(e) => [e.base, e.index, e.value].into_iter().for_each(visit),
        Expr::IntrinsicCall(e) => e.stack_args.iter().copied().for_each(visit),
        Expr::CreateInnerTransaction(e) => e.fields.iter().for_each(|(_, value)| visit(value)),
        Expr::UpdateInnerTransaction(e) => {
            visit(e.itxn);
            e.fields.iter().for_each(|(_, value)| visit(value));
        }
        Expr::StageInnerTransactions(e) => {
            visit(e.start_new_group);
            e.itxns.iter().copied().for_each(visit);
        }
        Expr::GroupTransactionReference(e) => visit(e.index),
        Expr::CheckedMaybe(e) => visit(e.expr),
        Expr::TupleExpression(e) => e.items.iter().copied().for_each(visit),
        Expr::TupleItemExpression(e) => visit(e.base),
        Expr::NamedTupleExpression(e) => e.values.iter().for_each(|(_, value)| visit(value)),
        Expr::InnerTransactionField(e) => {
            visit(e.itxn);
            e.array_index.into_iter().for_each(visit);
        }
        Expr::SubmitInnerTransaction(e) => e.itxns.iter().copied().for_each(visit),
        Expr::FieldExpression(e) => visit(e.base),
        Expr::IndexExpression(e) => [e.base, e.index].into_iter().for_each(visit),
        Expr::SliceExpression(e) => {
            visit(e.base);
            e.begin_index.into_iter().chain(e.end_index).for_each(visit);
        }
        Expr::IntersectionSliceExpression(e) => {
            visit(e.base);
            for bound in e.begin_index.into_iter().chain(e.end_index) {
                match bound {
                    SliceBound::Expr(bound) => visit(bound),
                    SliceBound::Int(_) => {}
                }
            }
        }
        Expr::AppStateExpression(e) => visit(e.key),
        Expr::AppAccountStateExpression(e) => [e.key, e.account].into_iter().for_each(visit),
        Expr::BoxValueExpression(e) => visit(e.key),
        Expr::MapPrefixedKeyExpression(e) => [e.prefix, e.key].into_iter().for_each(visit),
        Expr::SingleEvaluation(e) => visit(e.source),
        Expr::ReinterpretCast(e) => visit(e.expr),
        Expr::NewArray(e) => e.values.iter().copied().for_each(visit),
        Expr::ArrayLength(e) => visit(e.array),
        Expr::ConditionalExpression(e) => {
            [e.condition, e.true_expr, e.false_expr].into_iter().for_each(visit);
        }
        Expr::AssignmentExpression(e) => [e.target, e.value].into_iter().for_each(visit),
        Expr::CommaExpression(e) => e.expressions.iter().copied().for_each(visit),
        Expr::NumericComparisonExpression(e) => [e.lhs, e.rhs].into_iter().for_each(visit),
        Expr::BytesComparisonExpression(e) => [e.lhs, e.rhs].into_iter().for_each(visit),
        Expr::SubroutineCallExpression(e) => e.args.iter().for_each(|arg| visit(arg.value)),
        Expr::PuyaLibCall(e) => e.args.iter().for_each(|arg| visit(arg.value)),
        Expr::AbiCall(e) => {
            e.args.iter().for_each(|arg| visit(arg));
            e.fields.iter().for_each(|(_, value)| visit(value));
        }
        Expr::UInt64UnaryOperation(e) => visit(e.expr),
        Expr::UInt64PostfixUnaryOperation(e) => visit(e.target),
        Expr::BigUIntPostfixUnaryOperation(e) => visit(e.target),
        Expr::BytesUnaryOperation(e) => visit(e.expr),
        Expr::UInt64BinaryOperation(e) => [e.left, e.right].into_iter().for_each(visit),
        Expr::BigUIntBinaryOperation(e) => [e.left, e.right].into_iter().for_each(visit),
        Expr::BytesBinaryOperation(e) => [e.left, e.right].into_iter().for_each(visit),
        Expr::BooleanBinaryOperation(e) => [e.left, e.right].into_iter().for_each(visit),
        Expr::Not(e) => visit(e.expr),
        Expr::EmitFields(e) => e.values.iter().copied().for_each(visit),
        Expr::Emit(e) => visit(e.value),
        Expr::Range(e) => [e.start, e.stop, e.step].into_iter().for_each(visit),
        Expr::Enumeration(e) => visit(e.expr),
        Expr::Reversed(e) => visit(e.expr),
        Expr::StateGet(e) => [e.field, e.default].into_iter().for_each(visit),
        Expr::StateGetEx(e) => visit(e.field),
        Expr::StateExists(e) => visit(e.field),
        Expr::StateDelete(e) => visit(e.field),
        Expr::NewStruct(e) => e.values.iter().for_each(|(_, value)| visit(value)),
        Expr::CompiledContract(e) => {
            e.template_variables.iter().for_each(|(_, value)| visit(value));
        }
        Expr::CompiledLogicSig(e) => {
            e.template_variables.iter().for_each(|(_, value)| visit(value));
        }
    }
}
