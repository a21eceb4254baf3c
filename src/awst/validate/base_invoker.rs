//! Methods are called only from contracts, and base methods only within the hierarchy. Spec 11 §3.4.

use super::Context;
use crate::awst::decl::{Contract, RootNode};
use crate::awst::expr::{Expr, ExprRef, SubroutineTarget};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Visitor, walk_root};
use crate::diagnostics::{Outcome, Sink};

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        let contract = match root {
            RootNode::Contract(contract) => Some(*contract),
            RootNode::Subroutine(_) | RootNode::LogicSignature(_) => None,
        };
        walk_root(&mut Invocations { sink: context.sink(), contract }, root);
    }
    Ok(())
}

struct Invocations<'r, 's> {
    sink: &'r Sink,
    contract: Option<&'s Contract<'s>>,
}

impl<'s> Visitor<'s> for Invocations<'_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::METHOD_CALLS);
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        let Expr::SubroutineCallExpression(call) = expr else { return };
        let problem = match (call.target, self.contract) {
            (SubroutineTarget::SubroutineId { .. }, _) => return,
            (
                SubroutineTarget::InstanceMethod { .. }
                | SubroutineTarget::InstanceSuperMethod { .. },
                None,
            ) => "invocation of instance method outside of a contract method",
            (
                SubroutineTarget::InstanceMethod { .. }
                | SubroutineTarget::InstanceSuperMethod { .. },
                Some(_),
            ) => return,
            (SubroutineTarget::ContractMethod { .. }, None) => {
                "invocation of contract method outside of a contract method"
            }
            (SubroutineTarget::ContractMethod { cref, .. }, Some(contract)) => {
                if contract.id == cref || contract.method_resolution_order.contains(&cref) {
                    return;
                }
                "invocation of a contract method outside of current hierarchy"
            }
        };
        self.sink.error(problem, call.loc);
    }
}
