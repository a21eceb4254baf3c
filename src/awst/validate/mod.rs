//! Checks of the whole document, whether or not a node will be compiled: root nodes in, messages out.
//! Each check walks every root in document order before the next one starts. Spec 11.

mod abi_method_name;
mod arc4_create_actions;
mod autosalt;
mod base_invoker;
mod immutable;
mod inner_transaction_loops;
mod inner_transactions;
mod labels;
mod logged_errors;
mod stale_inner_transactions;
mod storage;

use super::decl::RootNode;
use super::wtypes::WTypes;
use crate::diagnostics::{Outcome, Sink};
use crate::session::Session;

/// What a check may look at.
struct Context<'r, 's> {
    session: &'r Session<'s>,
    wtypes: &'r WTypes<'s>,
}

impl<'r> Context<'r, '_> {
    fn sink(&self) -> &'r Sink {
        &self.session.sink
    }
}

/// A check: every root node in, messages out.
struct Check {
    name: &'static str,
    run: for<'s> fn(&Context<'_, 's>, &'s [RootNode<'s>]) -> Outcome<()>,
}

/// All checks in the order they run.
static CHECKS: &[Check] = &[
    Check { name: "inner_transactions", run: inner_transactions::run },
    Check { name: "inner_transaction_loops", run: inner_transaction_loops::run },
    Check { name: "stale_inner_transactions", run: stale_inner_transactions::run },
    Check { name: "base_invoker", run: base_invoker::run },
    Check { name: "storage", run: storage::run },
    Check { name: "labels", run: labels::run },
    Check { name: "immutable", run: immutable::run },
    Check { name: "abi_method_name", run: abi_method_name::run },
    Check { name: "arc4_create_actions", run: arc4_create_actions::run },
    Check { name: "logged_errors", run: logged_errors::run },
    Check { name: "autosalt", run: autosalt::run },
];

/// Runs all checks. They report through the sink; a failure ends them early.
pub fn validate<'s>(
    session: &Session<'s>,
    wtypes: &WTypes<'s>,
    roots: &'s [RootNode<'s>],
) -> Outcome<()> {
    let context = Context { session, wtypes };
    for check in CHECKS {
        session.check_stop()?;
        log::trace!("check {}", check.name);
        (check.run)(&context, roots)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
