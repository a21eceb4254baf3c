//! Immutable values are neither assigned into nor changed in place. Spec 11 §3.7.

use super::Context;
use crate::awst::decl::RootNode;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::Stmt;
use crate::awst::visit::{Visitor, walk_root};
use crate::awst::wtypes::WTypeKind;
use crate::diagnostics::Outcome;

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    roots.iter().for_each(|root| walk_root(&mut Changes { context }, root));
    Ok(())
}

struct Changes<'c, 'r, 's> {
    context: &'c Context<'r, 's>,
}

impl Changes<'_, '_, '_> {
    fn check_target(&self, target: ExprRef<'_>) {
        let (base, loc) = match target {
            Expr::FieldExpression(e) => (e.base, e.loc),
            Expr::IndexExpression(e) => (e.base, e.loc),
            Expr::TupleExpression(e) => {
                return e.items.iter().for_each(|item| self.check_target(item));
            }
            _ => return,
        };
        let base = self.context.wtypes.get(base.wtype());
        let state = match base.kind {
            _ if base.immutable => "immutable",
            WTypeKind::Arc4Struct { frozen: true, .. } => "frozen",
            _ => return,
        };
        let message =
            format!("expression is not valid as an assignment target - object is {state}");
        self.context.sink().error(message, loc);
    }
}

impl<'s> Visitor<'s> for Changes<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::CHANGES);
    fn leave_stmt(&mut self, stmt: &'s Stmt<'s>) {
        if let Stmt::AssignmentStatement(assignment) = stmt {
            self.check_target(assignment.target);
        }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        let (base, loc) = match expr {
            Expr::AssignmentExpression(e) => return self.check_target(e.target),
            Expr::ArrayPop(e) => (e.base, e.loc),
            Expr::ArrayExtend(e) => (e.base, e.loc),
            _ => return,
        };
        if self.context.wtypes.get(base.wtype()).immutable {
            self.context.sink().error("cannot modify - object is immutable", loc);
        }
    }
}
