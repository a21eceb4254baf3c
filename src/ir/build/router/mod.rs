//! The method router: routable methods of a contract in, an AWST method that leads calls to them and a
//! wrapper for each method with a signature out. Spec 21 §14.
//!
//! [`plan`] decides what is tested and in which order, [`dispatch`] writes that as statements;
//! [`arguments`] and [`wrapper`] are about what surrounds a method; [`ending`] about what comes after.

pub mod arguments;
mod dispatch;
mod ending;
mod plan;
mod wrapper;

use crate::awst::decl::{Arc4MethodConfig, Contract, ContractMethod, Function, Subroutine};
use crate::awst::make::Names;
use crate::awst::wtypes::WTypeId;
use crate::base::ordered::LookupSet;
use crate::diagnostics::{Failure, Outcome};

use super::BuildCtx;
use dispatch::{Callee, Dispatch, Target};
use plan::{Accepted, Plan};

pub use ending::Ending;

/// A method that calls are routed to.
pub struct Routable<'s> {
    /// The method.
    pub method: &'s ContractMethod<'s>,
    /// How it is called.
    pub config: Arc4MethodConfig<'s>,
    /// What selects it; none of a bare method.
    pub signature: Option<&'s str>,
}

/// The router and the subroutines it calls.
pub struct Router<'s> {
    /// The dispatching method.
    pub method: &'s ContractMethod<'s>,
    /// Argument decoding and result logging, one per method with a signature, in order.
    pub wrappers: Vec<&'s Subroutine<'s>>,
}

/// Makes the router of a contract for its routable methods.
pub fn create<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    methods: &[Routable<'s>],
    ending: Ending,
) -> Outcome<Router<'s>> {
    refuse_duplicates(methods)?;
    let mut targets = Vec::with_capacity(methods.len());
    let mut accepted = Vec::with_capacity(methods.len());
    for Routable { method, config, signature } in methods {
        let callee = match (*config, *signature) {
            (Arc4MethodConfig::Abi(abi), Some(signature)) => {
                Callee::Wrapper(wrapper::create(ctx, method, abi, ending)?, abi.name, signature)
            }
            _ => Callee::Method(method),
        };
        targets.push(Target { callee, loc: config.loc() });
        let is_bare = matches!(callee, Callee::Method(_));
        let (actions, create) = (config.allowed_completion_types(), config.create());
        accepted.push(Accepted { is_bare, actions, create });
    }
    let plan = Plan::of(&accepted);
    for (method, action) in plan.clashes {
        let action = action.avm_name();
        let message = format!(
            "cannot have multiple bare methods handling the same OnCompletionAction: {action}"
        );
        ctx.ir.sink().error(message, targets[method].loc);
    }
    let make = ctx.make(contract.loc);
    let mut body = Dispatch { ctx: ctx.ir, make, targets: &targets, ending }.steps(&plan.steps);
    body.push(ending.reject(make));
    let short = "__puya_arc4_router__";
    let full = format!("{}.{short}", ctx.ir.text(contract.id));
    let names = Names { short: ctx.ir.sym(short), full: ctx.ir.sym(&full) };
    let function = make.function(ctx.wtypes, names, WTypeId::BOOL, &body);
    let function = Function { inline: Some(true), ..function };
    let method = ContractMethod { function, cref: contract.id, arc4_method_config: None };
    let wrapper = |target: &Target<'s>| match target.callee {
        Callee::Wrapper(wrapper, ..) => Some(wrapper),
        Callee::Method(_) => None,
    };
    let wrappers = targets.iter().filter_map(wrapper).collect();
    Ok(Router { method: make.arena.alloc(method), wrappers })
}

/// Nothing could tell methods of one signature apart.
fn refuse_duplicates(methods: &[Routable<'_>]) -> Outcome<()> {
    let mut seen = LookupSet::new();
    let mut duplicates = Vec::new();
    for Routable { config, signature, .. } in methods {
        if let Some(signature) = signature.filter(|signature| !seen.insert(*signature)) {
            let message = format!("Cannot have duplicate ARC-4 method signatures: {signature}");
            duplicates.push(Failure::code(message, config.loc()));
        }
    }
    if duplicates.is_empty() { Ok(()) } else { Err(Failure::Group(duplicates)) }
}
