//! The routable methods of a contract and what its specification says of them. Spec 60 §7, step 3.

use crate::awst::arc4::{self, Role};
use crate::awst::decl::{
    Arc4AbiMethodConfig, Arc4BareMethodConfig, Arc4MethodConfig, Contract, ContractMethod,
};
use crate::awst::wtypes::WTypeId;
use crate::base::arena::Symbol;
use crate::base::ordered::OrderedSet;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::{AbiMethod, BareMethod, Method, MethodArg, MethodReturn};

use super::super::call_graph::CallGraph;
use super::super::router::Routable;
use super::super::{BuildCtx, FunctionRef, default_args};
use super::events::Events;
use super::structs;

/// The routable methods, in order.
#[derive(Default)]
pub struct Methods<'s> {
    /// What calls are routed to.
    pub routable: Vec<Routable<'s>>,
    /// The specification of each.
    pub specs: Vec<Method>,
    /// Types that signatures mention, and those of the fields of events.
    pub types: Vec<WTypeId>,
}

/// Finds the routable methods of a contract and describes them. Types that no signature can have are
/// reported together, so that one run shows them all.
pub fn collect<'s>(
    ctx: &BuildCtx<'_, 's>,
    graph: &mut CallGraph<'s>,
    contract: &'s Contract<'s>,
) -> Outcome<Methods<'s>> {
    let mut methods = Methods::default();
    let mut describe =
        Describe { ctx, contract, events: Events::default(), unmappable: Vec::new() };
    let names: OrderedSet<Symbol> =
        contract.methods.iter().map(|method| method.function.short_name).collect();
    for name in names {
        // a front end may list methods of a contract that is not in the hierarchy
        let Some(method) = contract.resolve_method(name) else {
            return Err(Failure::internal("AssertionError: ", Loc::NONE));
        };
        let Some(config) = method.arc4_method_config else { continue };
        let (spec, signature) = match config {
            Arc4MethodConfig::Bare(config) => {
                (Method::Bare(bare_method(ctx, method, config)), None)
            }
            Arc4MethodConfig::Abi(config) => {
                let spec = match describe.method(graph, method, config, &mut methods.types) {
                    Ok(spec) => spec,
                    Err(failure) if describe.unmappable.is_empty() => return Err(failure),
                    Err(failure) => {
                        describe.unmappable.push(failure);
                        break;
                    }
                };
                let signature = ctx.ir.session.arena.str(&spec.signature());
                (Method::Abi(spec), Some(signature))
            }
        };
        methods.routable.push(Routable { method, config, signature });
        methods.specs.push(spec);
    }
    let unmappable = describe.unmappable;
    if unmappable.is_empty() { Ok(methods) } else { Err(Failure::Group(unmappable)) }
}

fn bare_method(
    ctx: &BuildCtx<'_, '_>,
    method: &ContractMethod<'_>,
    config: &Arc4BareMethodConfig<'_>,
) -> BareMethod {
    BareMethod {
        id: ctx.ir.text(method.function.full_name).to_owned(),
        desc: method.function.documentation.description.map(str::to_owned),
        allowed_completion_types: config.allowed_completion_types.to_vec(),
        create: config.create,
        config_loc: config.loc,
    }
}

/// Describes methods with a signature.
struct Describe<'d, 'a, 's> {
    ctx: &'d BuildCtx<'a, 's>,
    contract: &'s Contract<'s>,
    events: Events,
    /// For each type that no signature can have, what is said of it.
    unmappable: Vec<Failure>,
}

impl<'s> Describe<'_, '_, 's> {
    /// The specification of a method. The types it mentions are added to `types`.
    fn method(
        &mut self,
        graph: &mut CallGraph<'s>,
        method: &'s ContractMethod<'s>,
        config: &'s Arc4AbiMethodConfig<'s>,
        types: &mut Vec<WTypeId>,
    ) -> Outcome<AbiMethod> {
        let ctx = self.ctx;
        let wtypes = ctx.wtypes;
        let function = &method.function;
        let documentation = &function.documentation;
        types.push(function.return_type);
        types.extend(function.args.iter().map(|arg| arg.wtype));
        let mut events = Vec::new();
        for event in self.events.of(ctx, graph, FunctionRef::Method(method))? {
            events.push(structs::describe(wtypes, event)?);
            types.extend(wtypes.item_types(event).unwrap_or_default());
        }
        let defaults = default_args::convert(ctx, self.contract, method, config)?;
        let mut args = Vec::with_capacity(function.args.len());
        for (arg, default) in function.args.iter().zip(defaults) {
            let name = ctx.ir.text(arg.name);
            let desc = documentation.args.iter().find(|(of, _)| *of == name);
            let role = Role::Argument(config.resource_encoding);
            args.push(MethodArg {
                name: name.to_owned(),
                arc4_type: self.type_name(arg.wtype, role, arg.loc)?,
                struct_name: structs::name(wtypes, arg.wtype),
                desc: desc.map(|(_, desc)| (*desc).to_owned()),
                default,
            });
        }
        let returns = MethodReturn {
            arc4_type: self.type_name(function.return_type, Role::Return, function.loc)?,
            struct_name: structs::name(wtypes, function.return_type),
            desc: documentation.returns.map(str::to_owned),
        };
        Ok(AbiMethod {
            id: ctx.ir.text(function.full_name).to_owned(),
            desc: documentation.description.map(str::to_owned),
            name: config.name.to_owned(),
            args,
            returns,
            events,
            allowed_completion_types: config.allowed_completion_types.to_vec(),
            create: config.create,
            readonly: config.readonly,
            resource_encoding: config.resource_encoding,
            validate_encoding: config.validate_encoding,
            config_loc: config.loc,
        })
    }
    fn type_name(&mut self, wtype: WTypeId, role: Role, loc: Loc) -> Outcome<String> {
        match arc4::method_type_name(self.ctx.wtypes, wtype, role, loc) {
            Err(failure @ Failure::Code(..)) => {
                self.unmappable.push(failure);
                Ok(String::new())
            }
            other => other,
        }
    }
}
