//! Explicit salting that weakens a logic signature or does nothing for a contract. Spec 11 §3.11.

use super::Context;
use crate::awst::decl::RootNode;
use crate::diagnostics::Outcome;

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        match root {
            RootNode::LogicSignature(signature) if signature.autosalt == Some(false) => {
                context.sink().warning(
                    "autosalt=False leaves this LogicSig's address on-curve, i.e. potentially \
                     decodable as a public key",
                    signature.loc,
                );
            }
            RootNode::Contract(contract) if contract.autosalt == Some(true) => {
                context.sink().warning(
                    "autosalt=True has no security benefit for a contract since its program hash \
                     is never used as a spendable address",
                    contract.loc,
                );
            }
            _ => {}
        }
    }
    Ok(())
}
