//! A contract: its methods, router and metadata, and the approval and clear-state programs. Spec 21 §5.

use crate::awst::decl::{Contract, RootNode};
use crate::base::entity::EntitySet;
use crate::diagnostics::Outcome;
use crate::ir::model::{Artifact, ProgramKind};

use super::super::call_graph::{CallGraph, Reached};
use super::super::router::{self, Ending, Routable};
use super::super::{
    BuildCtx, FunctionRef, Implicits, build_missing_bodies, make_subroutine, metadata,
};
use super::{Plan, build_program};

/// The functions of a contract that a call comes to: its programs, then what these route to.
pub fn entries<'m, 's: 'm>(
    contract: &Contract<'s>,
    methods: &'m [Routable<'s>],
) -> impl Iterator<Item = FunctionRef<'s>> + use<'m, 's> {
    let programs = [contract.approval_program, contract.clear_program];
    let methods = methods.iter().map(|routable| routable.method);
    programs.into_iter().chain(methods).map(FunctionRef::Method)
}

/// Builds the programs of a contract and collects its metadata.
pub fn build<'s>(mut of_root: BuildCtx<'_, 's>, contract: &'s Contract<'s>) -> Outcome<Artifact> {
    let ctx = &mut of_root;
    let mut graph = CallGraph::default();
    let (metadata, methods) = metadata::collect(ctx, &mut graph, contract)?;
    if !methods.is_empty() {
        declare_router(ctx, contract, &methods)?;
    }
    declare_methods(ctx, &mut graph, contract, &methods)?;
    build_missing_bodies(ctx)?;
    let plan = |kind, method| Plan {
        kind,
        main: FunctionRef::Method(method),
        avm_version: contract.avm_version,
        autosalt: contract.autosalt,
        reserved_slots: contract.reserved_scratch_space,
    };
    let mut approval = build_program(ctx, plan(ProgramKind::Approval, contract.approval_program))?;
    let mut clear = build_program(ctx, plan(ProgramKind::Clear, contract.clear_program))?;
    let used = [ctx.used_by(&approval.main)?, ctx.used_by(&clear.main)?];
    [approval.subroutines, clear.subroutines] = of_root.functions.share_out(used);
    Ok(Artifact::Contract { approval, clear, metadata, loc: contract.loc })
}

fn declare_router<'s>(
    ctx: &mut BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    methods: &[Routable<'s>],
) -> Outcome<()> {
    let ending = Ending::of(ctx.ir, contract);
    let router = router::create(ctx, contract, methods, ending)?;
    for wrapper in &router.wrappers {
        ctx.add_node(RootNode::Subroutine(wrapper));
    }
    let function = FunctionRef::Method(router.method);
    let sub = make_subroutine(ctx, function, Implicits::None)?;
    ctx.router = Some(sub.id);
    ctx.functions.declare(function, sub);
    for wrapper in router.wrappers {
        let function = FunctionRef::Subroutine(wrapper);
        let mut sub = make_subroutine(ctx, function, Implicits::None)?;
        sub.is_routing_wrapper = true;
        ctx.functions.declare(function, sub);
    }
    Ok(())
}

/// Declares the methods of a contract. Those that something calls return what they change in place; the
/// router takes nothing but the result, so its calls do not count.
fn declare_methods<'s>(
    ctx: &mut BuildCtx<'_, 's>,
    graph: &mut CallGraph<'s>,
    contract: &'s Contract<'s>,
    methods: &[Routable<'s>],
) -> Outcome<()> {
    let mut called = EntitySet::new();
    graph.reach(ctx, entries(contract, methods), &mut |reached| {
        if let Reached::Callee(callee) = reached {
            called.insert(callee);
        }
    })?;
    for method in contract.methods {
        let function = FunctionRef::Method(method);
        let is_called = graph.find(function).is_some_and(|id| called.contains(id));
        let implicits = if is_called { Implicits::Returned } else { Implicits::None };
        let sub = make_subroutine(ctx, function, implicits)?;
        ctx.functions.declare(function, sub);
    }
    Ok(())
}
