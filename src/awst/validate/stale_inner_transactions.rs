//! Array fields of a submitted inner transaction are read before another submission or a call can
//! replace it. Spec 11 §3.3.

use super::Context;
use super::inner_transaction_loops::variable_of;
use crate::awst::decl::RootNode;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::Stmt;
use crate::awst::visit::{Descend, Visitor, walk_root};
use crate::awst::wtypes::WTypeKind;
use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        if !root.mentions().overlaps(Mentions::INNER_TRANSACTIONS) {
            continue;
        }
        let mut staleness = Staleness {
            context,
            reads_arrays: root.mentions().overlaps(Mentions::ARRAY_FIELDS),
            active: Vec::new(),
            maybe_stale: LookupMap::new(),
            failure: None,
        };
        walk_root(&mut staleness, root);
        staleness.failure.map_or(Ok(()), Err)?;
    }
    Ok(())
}

struct Staleness<'c, 'r, 's> {
    context: &'c Context<'r, 's>,
    /// Whether anything could be stale; assignments are checked in any case.
    reads_arrays: bool,
    /// Variables that hold the transactions submitted last.
    active: Vec<Symbol>,
    /// Where a variable's transaction may have been replaced.
    maybe_stale: LookupMap<Symbol, Loc>,
    failure: Option<Failure>,
}

impl Staleness<'_, '_, '_> {
    fn replace_all(&mut self, loc: Loc) {
        for name in std::mem::take(&mut self.active) {
            self.maybe_stale.insert(name, loc);
        }
    }
    /// The variables assigned by a target; fails where an item of a tuple names none.
    fn names(target: ExprRef<'_>) -> Outcome<Vec<Symbol>> {
        match target {
            Expr::VarExpression(variable) => Ok(vec![variable.name]),
            Expr::TupleExpression(tuple) => {
                let first = |item: &ExprRef<'_>| match Self::names(item)?.first() {
                    Some(name) => Ok(*name),
                    None => {
                        Err(Failure::internal("IndexError: list index out of range", Loc::NONE))
                    }
                };
                tuple.items.iter().map(first).collect()
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl<'s> Visitor<'s> for Staleness<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> =
        Some(Mentions::INNER_TRANSACTIONS.or(Mentions::SUBMISSIONS).or(Mentions::CALLS));
    fn enter_expr(&mut self, _expr: ExprRef<'s>) -> Descend {
        if self.reads_arrays { Descend::Into } else { Descend::Skip }
    }
    fn leave_stmt(&mut self, stmt: &'s Stmt<'s>) {
        let Stmt::AssignmentStatement(assignment) = stmt else { return };
        let is_transaction = |item: &ExprRef<'s>| {
            let kind = self.context.wtypes.kind(item.wtype());
            matches!(kind, WTypeKind::InnerTransaction { .. })
        };
        let submits = match assignment.value {
            Expr::SubmitInnerTransaction(_) => true,
            Expr::TupleExpression(tuple) => tuple.items.iter().any(is_transaction),
            _ => false,
        };
        if !submits || self.failure.is_some() {
            return;
        }
        match Self::names(assignment.target) {
            Ok(names) => {
                for name in &names {
                    self.maybe_stale.remove(name);
                }
                self.active = names;
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        if self.failure.is_some() {
            return;
        }
        match expr {
            Expr::IntrinsicCall(call) if call.op_code == "itxn_submit" => {
                self.replace_all(call.loc);
            }
            Expr::SubmitInnerTransaction(submit) => self.replace_all(submit.loc),
            Expr::SubroutineCallExpression(call) => self.replace_all(call.loc),
            Expr::InnerTransactionField(access) if access.field.is_array() => {
                let Some(name) = variable_of(access.itxn) else { return };
                let Some(replaced) = self.maybe_stale.get(&name) else { return };
                let shown = repr(self.context.session.text(name));
                let sink = self.context.sink();
                sink.error(
                    format!(
                        "inner transaction array field can not be reliably accessed due to other \
                         inner transaction  submissions or subroutine calls, move array field \
                         access closer to {shown} definition"
                    ),
                    access.itxn.loc(),
                );
                let message = format!("inner transaction {shown} potentially becomes stale here");
                sink.warning(message, *replaced);
            }
            _ => {}
        }
    }
}
