//! From the document to artifacts: what is compiled, the subroutines of each target, its programs, and
//! what these refer to. Spec 21 §1 to §6.

use crate::awst::decl::{
    Contract, ContractMethod, Function, LogicSignature, RootNode, Subroutine as AwstSubroutine,
};
use crate::awst::expr::{Arc4FromBytes, Expr, ExprRef, Immediate, Int, VarExpression};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::{AssignmentStatement, Block, Stmt};
use crate::awst::visit::{Descend, Entered, Visitor, walk_app_state, walk_function};
use crate::awst::wtypes::{WTypeId, WTypeKind, WTypes};
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{Artifact, Program, ProgramKind, SlotStrategy, Subroutine};
use crate::ir::op::Value;
use crate::metadata::LogicSigMetadata;

use super::router::{self, Ending, Make};
use super::{
    BuildCtx, FunctionRef, Implicits, Root, build_body, build_missing_bodies, make_main,
    make_subroutine, metadata,
};

/// Builds the IR of every artifact of the compilation set, references included, in compilation-set
/// order. An artifact with a mistake is reported and left out.
pub fn build<'s>(
    ctx: Ctx<'_, 's>,
    wtypes: &WTypes<'s>,
    document: &[RootNode<'s>],
) -> Outcome<Vec<Artifact>> {
    let roots = compilation_set(ctx, document);
    let shared = BuildCtx::new(ctx, wtypes, document)?;
    build_missing_bodies(&shared)?;
    let mut artifacts = Vec::with_capacity(roots.len());
    // The last root owns what it shares with none any more, so that it need not copy it.
    let contexts = std::iter::repeat_n(shared, roots.len());
    for (root, shared) in roots.into_iter().zip(contexts) {
        ctx.session.check_stop()?;
        let of_root = shared.into_root(root);
        let built = match root {
            Root::Contract(contract) => build_contract(of_root, contract),
            Root::LogicSignature(signature) => build_logic_signature(of_root, signature),
        };
        match built {
            Ok(artifact) => artifacts.push(artifact),
            Err(Failure::Internal(message, loc)) => {
                return Err(Failure::Internal(message, loc.or(root.loc())));
            }
            Err(Failure::Stopped) => return Err(Failure::Stopped),
            Err(failure) => ctx.sink().failure(&failure, root.loc()),
        }
    }
    Ok(artifacts)
}

/// The contracts and logic signatures to compile: those asked for and those they refer to, in order of
/// discovery. Spec 21 §2.
fn compilation_set<'s>(ctx: Ctx<'_, 's>, document: &[RootNode<'s>]) -> Vec<Root<'s>> {
    let asked = ctx.options.compilation_set.keys().map(|id| ctx.sym(id));
    let mut search = References {
        ctx,
        nodes: document.iter().map(|node| (node.id(), *node)).collect(),
        asked: asked.map(|id| (id, false)).collect(),
        found: OrderedMap::default(),
    };
    for node in document {
        match node {
            RootNode::Subroutine(subroutine) => walk_function(&mut search, &subroutine.function),
            RootNode::Contract(contract) => search.include(Root::Contract(contract), None),
            RootNode::LogicSignature(node) => search.include(Root::LogicSignature(node), None),
        }
    }
    for (id, found) in &search.asked {
        if !found {
            let id = ctx.text(*id);
            let message = format!("unable to resolve compilation artifact '{id}'");
            ctx.sink().error(message, Loc::NONE);
        }
    }
    search.found.into_values().collect()
}

struct References<'a, 's> {
    ctx: Ctx<'a, 's>,
    nodes: LookupMap<Symbol, RootNode<'s>>,
    asked: OrderedMap<Symbol, bool>,
    found: OrderedMap<Symbol, Root<'s>>,
}

/// Marks a target that another one refers to.
struct Referenced;

impl<'s> References<'_, 's> {
    fn include(&mut self, root: Root<'s>, referenced: Option<Referenced>) {
        let id = match root {
            Root::Contract(contract) => contract.id,
            Root::LogicSignature(signature) => signature.id,
        };
        if self.found.contains_key(&id) {
            return;
        }
        let asked = self.asked.get_mut(&id).is_some_and(|found| !std::mem::replace(found, true));
        if !asked && referenced.is_none() {
            return;
        }
        self.found.insert(id, root);
        match root {
            Root::Contract(contract) => {
                walk_app_state(self, contract);
                for method in contract.all_methods {
                    walk_function(self, &method.function);
                }
            }
            Root::LogicSignature(signature) => walk_function(self, &signature.program.function),
        }
    }
    fn refer(
        &mut self,
        id: Symbol,
        wanted: fn(RootNode<'s>) -> Option<Root<'s>>,
        what: &str,
        loc: Loc,
    ) {
        match self.nodes.get(&id).copied() {
            None => {
                self.ctx.sink().error(format!("unable to resolve {what} reference"), loc);
            }
            Some(node) => match wanted(node) {
                Some(root) => self.include(root, Some(Referenced)),
                None => self.ctx.sink().error(format!("reference is not a {what}"), loc),
            },
        }
    }
}

impl<'s> Visitor<'s> for References<'_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::COMPILED);
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        match expr {
            Expr::CompiledContract(node) => {
                let contract = |node| match node {
                    RootNode::Contract(contract) => Some(Root::Contract(contract)),
                    _ => None,
                };
                self.refer(node.contract, contract, "contract", node.loc);
            }
            Expr::CompiledLogicSig(node) => {
                let signature = |node| match node {
                    RootNode::LogicSignature(node) => Some(Root::LogicSignature(node)),
                    _ => None,
                };
                self.refer(node.logic_sig, signature, "logic signature", node.loc);
            }
            _ => {}
        }
    }
}

/// Spec 21 §5.
fn build_contract<'s>(
    mut of_root: BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
) -> Outcome<Artifact> {
    let ctx = &mut of_root;
    let (metadata, methods) = metadata::collect(ctx, contract)?;
    if !methods.is_empty() {
        let ending = ending(ctx, contract);
        let router = router::create(ctx, contract, &methods, ending)?;
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
    }
    let entries = [contract.approval_program, contract.clear_program]
        .into_iter()
        .chain(methods.iter().map(|(method, _)| *method));
    let called = called_functions(ctx, entries)?;
    for method in contract.methods {
        let function = FunctionRef::Method(method);
        // The router takes nothing but the result, so only other callers count.
        let implicits =
            if called.contains(function) { Implicits::Returned } else { Implicits::None };
        let sub = make_subroutine(ctx, function, implicits)?;
        ctx.functions.declare(function, sub);
    }
    build_missing_bodies(ctx)?;
    let plan = |kind, method| ProgramPlan {
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

/// Whether the program can end as soon as a method was dispatched: it can unless the approval program
/// does more with the router than to return its answer.
fn ending(ctx: &BuildCtx<'_, '_>, contract: &Contract<'_>) -> Ending {
    let mut approval_returns_router = false;
    for method in contract.all_methods {
        let mut search = RouterUses { elsewhere: false, returned: false };
        walk_function(&mut search, &method.function);
        if search.elsewhere {
            return Ending::Return;
        }
        if search.returned {
            if !std::ptr::eq(*method, contract.approval_program)
                && **method != *contract.approval_program
            {
                return Ending::Return;
            }
            approval_returns_router = true;
        }
    }
    if !approval_returns_router {
        let id = ctx.ir.text(contract.id);
        let message = format!("contract {id} has routable methods but does not have a router");
        ctx.ir.sink().warning(message, contract.approval_program.function.loc);
    }
    Ending::Exit
}

struct RouterUses {
    elsewhere: bool,
    returned: bool,
}

impl<'a> Visitor<'a> for RouterUses {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::ROUTER);
    fn enter_stmt(&mut self, stmt: &'a Stmt<'a>) -> Descend {
        match stmt {
            Stmt::ReturnStatement(node) if matches!(node.value, Some(Expr::Arc4Router(_))) => {
                self.returned = true;
                Descend::Skip
            }
            _ => Descend::Into,
        }
    }
    fn enter_expr(&mut self, expr: ExprRef<'a>) -> Descend {
        self.elsewhere |= matches!(expr, Expr::Arc4Router(_));
        Descend::Into
    }
}

/// Functions by equality of their nodes.
#[derive(Default)]
struct FunctionSet<'s> {
    by_name: LookupMap<Symbol, Vec<FunctionRef<'s>>>,
}

impl<'s> FunctionSet<'s> {
    fn contains(&self, function: FunctionRef<'s>) -> bool {
        let same = |other: &FunctionRef<'s>| {
            std::ptr::eq(other.function(), function.function()) || *other == function
        };
        self.by_name.get(&function.function().full_name).is_some_and(|all| all.iter().any(same))
    }
    fn insert(&mut self, function: FunctionRef<'s>) -> bool {
        let added = !self.contains(function);
        if added {
            let name = function.function().full_name;
            self.by_name.get_or_insert_with(name, Vec::new).push(function);
        }
        added
    }
}

/// All functions called from the given ones, directly or not.
fn called_functions<'s>(
    ctx: &BuildCtx<'_, 's>,
    entries: impl Iterator<Item = &'s ContractMethod<'s>>,
) -> Outcome<FunctionSet<'s>> {
    let mut calls = Calls {
        ctx,
        called: FunctionSet::default(),
        entered: Entered::default(),
        stack: Vec::new(),
        failure: None,
    };
    entries.for_each(|entry| calls.search(FunctionRef::Method(entry)));
    match calls.failure {
        Some(failure) => Err(failure),
        None => Ok(calls.called),
    }
}

struct Calls<'b, 'a, 's> {
    ctx: &'b BuildCtx<'a, 's>,
    called: FunctionSet<'s>,
    entered: Entered<'s>,
    stack: Vec<FunctionRef<'s>>,
    failure: Option<Failure>,
}

impl<'s> Calls<'_, '_, 's> {
    fn search(&mut self, caller: FunctionRef<'s>) {
        self.stack.push(caller);
        let entered = std::mem::take(&mut self.entered);
        walk_function(self, caller.function());
        self.entered = entered;
        self.stack.pop();
    }
}

impl<'s> Visitor<'s> for Calls<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::CALLS);
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        match self.entered.again(expr, Mentions::default()) {
            true => Descend::Skip,
            false => Descend::Into,
        }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        let Expr::SubroutineCallExpression(call) = expr else { return };
        if self.failure.is_some() {
            return;
        }
        let caller = *self.stack.last().expect("a function is being walked");
        match self.ctx.resolve_target(call.target, call.loc, caller) {
            Ok(callee) => {
                if self.called.insert(callee) {
                    self.search(callee);
                }
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
}

/// Spec 21 §6.
fn build_logic_signature<'s>(
    of_root: BuildCtx<'_, 's>,
    signature: &'s LogicSignature<'s>,
) -> Outcome<Artifact> {
    let ctx = &of_root;
    let text = |symbol: Symbol| ctx.ir.text(symbol).to_owned();
    let metadata = LogicSigMetadata {
        id: text(signature.id),
        name: text(signature.short_name),
        desc: signature.docstring.map(str::to_owned),
    };
    let mut program = build_program(
        ctx,
        ProgramPlan {
            kind: ProgramKind::LogicSignature,
            main: FunctionRef::Subroutine(without_args(ctx, signature)),
            avm_version: signature.avm_version,
            autosalt: signature.autosalt,
            reserved_slots: signature.reserved_scratch_space,
        },
    )?;
    let used = ctx.used_by(&program.main)?;
    [program.subroutines] = of_root.functions.share_out([used]);
    Ok(Artifact::LogicSignature { program, metadata, loc: signature.loc })
}

/// The program of a logic signature with its parameters as variables: transactions of the group stand
/// before the signed one, everything else is an argument of the signature.
fn without_args<'s>(
    ctx: &BuildCtx<'_, 's>,
    signature: &'s LogicSignature<'s>,
) -> &'s AwstSubroutine<'s> {
    let function = &signature.program.function;
    if function.args.is_empty() {
        return signature.program;
    }
    let arena = ctx.ir.session.arena;
    let validate = signature.validate_encoding.unwrap_or(ctx.ir.options.validate_abi_args);
    let is_transaction =
        |wtype: WTypeId| matches!(ctx.wtypes.kind(wtype), WTypeKind::GroupTransaction { .. });
    let mut transactions_left =
        function.args.iter().filter(|arg| is_transaction(arg.wtype)).count();
    let mut arg_index = 0u64;
    let mut body = Vec::new();
    for arg in function.args {
        let make = Make { ctx, loc: arg.loc };
        let value = if is_transaction(arg.wtype) {
            transactions_left -= 1;
            make.group_transaction(arg.wtype, transactions_left + 1)
        } else {
            let index = Immediate::Int(Int::new(arena, &arg_index.into()));
            arg_index += 1;
            let value = make.intrinsic("arg", &[index], &[], WTypeId::BYTES);
            make.expr(Arc4FromBytes { loc: arg.loc, wtype: arg.wtype, value, validate })
        };
        let target = make.expr(VarExpression { loc: arg.loc, wtype: arg.wtype, name: arg.name });
        body.push(Stmt::AssignmentStatement(AssignmentStatement { loc: arg.loc, target, value }));
    }
    body.extend_from_slice(function.body.body);
    let body = arena.alloc(Block { body: arena.slice(&body), ..*function.body });
    let mentions = Mentions::of(ctx.wtypes, body);
    arena.alloc(AwstSubroutine { function: Function { args: &[], body, mentions, ..*function } })
}

struct ProgramPlan<'s> {
    kind: ProgramKind,
    main: FunctionRef<'s>,
    avm_version: Option<i64>,
    autosalt: Option<bool>,
    reserved_slots: &'s [i64],
}

/// Spec 21 §5, step 7. The program gets the subroutines it uses later.
fn build_program<'s>(ctx: &BuildCtx<'_, 's>, plan: ProgramPlan<'s>) -> Outcome<Program> {
    let declaration = make_main(ctx, plan.main)?;
    // A body with a mistake stays empty: it is reported, and nothing is compiled.
    let main = build_body(ctx, plan.main, declaration.clone())?.unwrap_or(declaration);
    Ok(Program {
        kind: plan.kind,
        main,
        subroutines: Vec::new(),
        avm_version: plan.avm_version.unwrap_or(ctx.ir.options.target_avm_version),
        reserved_slots: plan
            .reserved_slots
            .iter()
            .filter_map(|slot| u32::try_from(*slot).ok())
            .collect(),
        slot_strategy: SlotStrategy::None,
        autosalt: plan.autosalt,
        loc: ctx.root.map_or(Loc::NONE, Root::loc),
    })
}

/// The artifacts that an artifact's subroutines refer to, each with the first place that has one, in
/// order. References made in a main subroutine do not count, as in the reference. Spec 21 §4.
pub fn references(ctx: Ctx<'_, '_>, artifact: &Artifact) -> OrderedMap<Symbol, Loc> {
    references_of(ctx, artifact.programs().into_iter().flat_map(|program| &program.subroutines))
}

/// The artifacts that the main subroutines of an artifact refer to, in the same way.
pub fn main_references(ctx: Ctx<'_, '_>, artifact: &Artifact) -> OrderedMap<Symbol, Loc> {
    references_of(ctx, artifact.programs().into_iter().map(|program| &program.main))
}

fn references_of<'p>(
    ctx: Ctx<'_, '_>,
    subs: impl Iterator<Item = &'p Subroutine>,
) -> OrderedMap<Symbol, Loc> {
    let mut found: OrderedMap<Symbol, Loc> = OrderedMap::default();
    let mut refer = |value: &Value| {
        let Value::Compiled(id, loc) = value else { return };
        let first = found.entry(ctx.pool.compiled_ref(*id).artifact).or_insert(*loc);
        *first = first.or(*loc);
    };
    for sub in subs {
        for block in &sub.body {
            let block = &sub.blocks[*block];
            for op in &block.ops {
                sub.ops[*op].visit_reads(ctx.pool, &mut refer);
            }
            block.terminator().visit_reads(ctx.pool, &mut refer);
        }
    }
    found
}
