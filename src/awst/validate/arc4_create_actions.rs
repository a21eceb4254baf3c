//! Completion actions of creating methods make sense and can be expressed in ARC-56. Spec 11 §3.9.

use super::Context;
use crate::awst::decl::{Arc4MethodConfig, RootNode};
use crate::diagnostics::{Outcome, Sink};
use crate::metadata::{CreateOption, OnCompletion};

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        let RootNode::Contract(contract) = root else { continue };
        for method in contract.all_methods {
            if let Some(config) = method.arc4_method_config {
                check(context.sink(), config);
            }
        }
    }
    Ok(())
}

/// Actions that a creating call of an ARC-56 client cannot have.
fn is_dropped(action: &OnCompletion) -> bool {
    matches!(action, OnCompletion::UpdateApplication | OnCompletion::CloseOut)
}

fn check(sink: &Sink, config: Arc4MethodConfig<'_>) {
    let (allowed, loc) = (config.allowed_completion_types(), config.loc());
    let dropped: Vec<&str> = allowed
        .iter()
        .filter(|action| is_dropped(action))
        .map(|action| action.avm_name())
        .collect();
    if dropped.is_empty() {
        return;
    }
    let close_out_only = allowed == [OnCompletion::CloseOut];
    let drops = format!(
        "arc56 clients will drop {} on completion actions for creation method",
        dropped.join(", ")
    );
    match config.create() {
        CreateOption::Disallow => {}
        CreateOption::Require if close_out_only => sink.error(
            "required creation method with \"CloseOut\" as only allowed OCA will always fail, \
             rendering the contract undeployable through this method",
            loc,
        ),
        CreateOption::Require => {
            sink.warning(drops, loc);
            if allowed.contains(&OnCompletion::CloseOut) {
                sink.warning(
                    "CloseOut on creation will always fail; consider removing it from \
                     allow_actions",
                    loc,
                );
            }
        }
        CreateOption::Allow if !allowed.iter().all(is_dropped) => {}
        CreateOption::Allow if close_out_only => sink.error(
            "create=\"allow\" with \"CloseOut\" as only OCA is a dead create path, consider \
             switching to create=\"disallow\"",
            loc,
        ),
        CreateOption::Allow => sink.warning(drops, loc),
    }
}
