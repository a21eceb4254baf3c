//! Inner transactions and their fields are used only where the compiler can follow them: not as
//! arguments, results or in assignment expressions; fields are copied on assignment. Spec 11 §3.1.

use super::Context;
use crate::awst::decl::{Function, RootNode};
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::Stmt;
use crate::awst::visit::{Descend, Visitor, walk_root};
use crate::awst::wtypes::{WTypeId, WTypeKind, WTypes};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

const AS_ARGUMENT: &str =
    "inner transactions cannot be used as a subroutine argument or return value";
const NOT_LIKE_THIS: &str = "inner transactions can not be used like this";

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        walk_root(&mut Usage { context, checks_exprs: false }, root);
    }
    Ok(())
}

struct Usage<'c, 'r, 's> {
    context: &'c Context<'r, 's>,
    /// Whether the function being walked has expressions that could be wrong.
    checks_exprs: bool,
}

impl<'s> Usage<'_, '_, 's> {
    fn error(&self, message: &str, loc: Loc) {
        self.context.sink().error(message, loc);
    }
    fn is_transaction_or_fields(&self, wtype: WTypeId) -> bool {
        let wtypes = self.context.wtypes;
        is_transaction(wtypes, wtype) || is_fields(wtypes, wtype)
    }
    fn is_assignable(&self, expr: ExprRef<'s>) -> bool {
        let wtypes = self.context.wtypes;
        let is_tuple = |wtype| matches!(wtypes.kind(wtype), WTypeKind::Tuple { .. });
        if !is_transaction(wtypes, expr.wtype()) {
            return true;
        }
        match expr {
            Expr::VarExpression(_) | Expr::SubmitInnerTransaction(_) => true,
            Expr::TupleExpression(e) => e.items.iter().all(|item| self.is_assignable(item)),
            Expr::NamedTupleExpression(e) => {
                e.values.iter().all(|(_, value)| self.is_assignable(value))
            }
            Expr::TupleItemExpression(e) => self.is_assignable(e.base),
            Expr::FieldExpression(e) => is_tuple(e.base.wtype()) && self.is_assignable(e.base),
            Expr::SingleEvaluation(e) => self.is_assignable(e.source),
            Expr::SliceExpression(e) => is_tuple(e.wtype) && self.is_assignable(e.base),
            _ => false,
        }
    }
}

impl<'s> Visitor<'s> for Usage<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::INNER_TRANSACTIONS);
    fn enter_function(&mut self, function: &'s Function<'s>) {
        self.checks_exprs = function.mentions.overlaps(Mentions::CHANGES.or(Mentions::CALLS));
        for argument in function.args {
            if self.is_transaction_or_fields(argument.wtype) {
                self.error(AS_ARGUMENT, argument.loc);
            }
        }
        if self.is_transaction_or_fields(function.return_type) {
            self.error(AS_ARGUMENT, function.loc);
        }
    }
    fn enter_stmt(&mut self, stmt: &'s Stmt<'s>) -> Descend {
        let Stmt::AssignmentStatement(assignment) = stmt else { return Descend::Into };
        let value = assignment.value;
        if !self.is_assignable(value) {
            self.error(NOT_LIKE_THIS, value.loc());
        }
        let kind = self.context.wtypes.kind(value.wtype());
        match value {
            Expr::CreateInnerTransaction(_) | Expr::AbiCall(_) | Expr::Copy(_) => {}
            _ if !kind.is_inner_transaction_fields() => {}
            Expr::VarExpression(_) | Expr::TupleItemExpression(_) => self.error(
                "inner transaction fields must be copied using .copy() when assigning to a new \
                 local",
                value.loc(),
            ),
            _ => self.error(NOT_LIKE_THIS, value.loc()),
        }
        Descend::Into
    }
    fn enter_expr(&mut self, _expr: ExprRef<'s>) -> Descend {
        if self.checks_exprs { Descend::Into } else { Descend::Skip }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        match expr {
            Expr::AssignmentExpression(e) if self.is_transaction_or_fields(e.wtype) => {
                self.error("inner transactions cannot be used in assignment expressions", e.loc);
            }
            Expr::SubroutineCallExpression(e) => {
                for argument in e.args {
                    if self.is_transaction_or_fields(argument.value.wtype()) {
                        self.error(AS_ARGUMENT, e.loc);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a type is or contains a submitted inner transaction.
fn is_transaction(wtypes: &WTypes<'_>, wtype: WTypeId) -> bool {
    match wtypes.kind(wtype) {
        WTypeKind::InnerTransaction { .. } => true,
        WTypeKind::Tuple { types, .. } => types.iter().any(|item| is_transaction(wtypes, *item)),
        _ => false,
    }
}

/// Whether a type is or contains the fields of an inner transaction.
fn is_fields(wtypes: &WTypes<'_>, wtype: WTypeId) -> bool {
    match wtypes.kind(wtype) {
        WTypeKind::Tuple { types, .. } => types.iter().any(|item| is_fields(wtypes, *item)),
        kind => kind.is_inner_transaction_fields(),
    }
}
