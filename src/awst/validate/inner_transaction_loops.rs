//! Fields of an inner transaction do not change after they were submitted in the same loop.
//! Spec 11 §3.2.

use super::Context;
use crate::awst::decl::RootNode;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::Stmt;
use crate::awst::visit::{Descend, Visitor, walk_root};
use crate::base::arena::Symbol;
use crate::diagnostics::{Outcome, Sink};

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots.iter().filter(|root| root.mentions().overlaps(Mentions::LOOPS)) {
        walk_root(&mut Loops { sink: context.sink(), submitted: Vec::new() }, root);
    }
    Ok(())
}

struct Loops<'r> {
    sink: &'r Sink,
    /// For each active loop, innermost last, the variables submitted in it so far.
    submitted: Vec<Vec<Symbol>>,
}

impl Loops<'_> {
    fn check(&self, expr: ExprRef<'_>) {
        let Some(submitted) = self.submitted.last() else { return };
        if let Expr::VarExpression(variable) = expr
            && submitted.contains(&variable.name)
        {
            self.sink.error(
                "inner transaction fields cannot be modified after submission while in a loop",
                variable.loc,
            );
        }
    }
}

impl<'s> Visitor<'s> for Loops<'_> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::SUBMISSIONS);
    fn enter_stmt(&mut self, stmt: &'s Stmt<'s>) -> Descend {
        match stmt {
            Stmt::ForInLoop(_) | Stmt::WhileLoop(_) => {
                self.submitted.push(self.submitted.last().cloned().unwrap_or_default());
            }
            Stmt::AssignmentStatement(s) => match s.value {
                Expr::CreateInnerTransaction(_) | Expr::AbiCall(_) | Expr::Copy(_) => {
                    self.check(s.target);
                }
                _ => {}
            },
            _ => {}
        }
        Descend::Into
    }
    fn leave_stmt(&mut self, stmt: &'s Stmt<'s>) {
        if matches!(stmt, Stmt::ForInLoop(_) | Stmt::WhileLoop(_)) {
            self.submitted.pop();
        }
    }
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        if let (Expr::SubmitInnerTransaction(submit), Some(submitted)) =
            (expr, self.submitted.last_mut())
        {
            submitted.extend(submit.itxns.iter().filter_map(|itxn| variable_of(itxn)));
        }
        Descend::Into
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        if let Expr::UpdateInnerTransaction(update) = expr {
            self.check(update.itxn);
        }
    }
}

/// The variable an expression is, or is an item of.
pub(super) fn variable_of(expr: ExprRef<'_>) -> Option<Symbol> {
    match expr {
        Expr::VarExpression(variable) => Some(variable.name),
        Expr::TupleItemExpression(item) => match item.base {
            Expr::VarExpression(variable) => Some(variable.name),
            _ => None,
        },
        _ => None,
    }
}
