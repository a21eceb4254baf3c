//! The functions of one compilation root and their subroutines: AWST functions in, declared and built
//! subroutines out, in the order in which they are emitted. Spec 21 §3 and §5.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::awst::decl::{ContractMethod, Function, RootNode, Search, Subroutine as AwstSubroutine};
use crate::awst::expr::SubroutineTarget;
use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::base::text;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::Subroutine;
use crate::ir::op::{Register, RegisterRole};
use crate::ir::pool::SubId;

use super::{BuildCtx, Root, types};

/// A function of the source. Equality is that of the nodes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FunctionRef<'s> {
    /// A free subroutine, the program of a logic signature, or a routing wrapper.
    Subroutine(&'s AwstSubroutine<'s>),
    /// A method of a contract class.
    Method(&'s ContractMethod<'s>),
}

impl<'s> FunctionRef<'s> {
    /// What all kinds of functions have.
    pub fn function(self) -> &'s Function<'s> {
        match self {
            FunctionRef::Subroutine(subroutine) => &subroutine.function,
            FunctionRef::Method(method) => &method.function,
        }
    }
    fn is(self, other: Self) -> bool {
        match (self, other) {
            (FunctionRef::Subroutine(a), FunctionRef::Subroutine(b)) => {
                std::ptr::eq(a, b) || a == b
            }
            (FunctionRef::Method(a), FunctionRef::Method(b)) => std::ptr::eq(a, b) || a == b,
            _ => false,
        }
    }
}

/// A function with its subroutine. Copies of the entry see the body once it is built.
#[derive(Clone)]
pub struct FunctionEntry<'s> {
    /// The function.
    pub function: FunctionRef<'s>,
    declaration: Rc<Subroutine>,
    built: Rc<OnceCell<Subroutine>>,
}

impl FunctionEntry<'_> {
    /// The subroutine, with its body as soon as that is built.
    pub fn sub(&self) -> &Subroutine {
        self.built.get().unwrap_or(&self.declaration)
    }
    /// Whether the body is built.
    pub fn is_built(&self) -> bool {
        self.built.get().is_some()
    }
    fn set_built(&self, sub: Subroutine) {
        // A second build of the same body gives the same subroutine.
        let _ = self.built.set(sub);
    }
}

/// Functions in order of declaration, found by function.
#[derive(Clone, Default)]
pub struct FunctionMap<'s> {
    entries: Vec<FunctionEntry<'s>>,
    by_name: LookupMap<Symbol, Vec<usize>>,
    by_sub: LookupMap<SubId, usize>,
}

impl<'s> FunctionMap<'s> {
    /// Adds a function or, when it is there, gives it another subroutine in its old place.
    pub fn declare(&mut self, function: FunctionRef<'s>, declaration: Subroutine) {
        let sub = declaration.id;
        let entry = FunctionEntry {
            function,
            declaration: Rc::new(declaration),
            built: Rc::new(OnceCell::new()),
        };
        let index = match self.position(function) {
            Some(index) => {
                self.entries[index] = entry;
                index
            }
            None => {
                let name = function.function().full_name;
                self.by_name.get_or_insert_with(name, Vec::new).push(self.entries.len());
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.by_sub.insert(sub, index);
    }
    fn position(&self, function: FunctionRef<'s>) -> Option<usize> {
        let candidates = self.by_name.get(&function.function().full_name)?;
        candidates.iter().copied().find(|index| self.entries[*index].function.is(function))
    }
    /// The entry of a function.
    pub fn get(&self, function: FunctionRef<'s>) -> Option<&FunctionEntry<'s>> {
        self.position(function).map(|index| &self.entries[index])
    }
    /// The entry of a subroutine.
    pub fn by_sub(&self, sub: SubId) -> Option<&FunctionEntry<'s>> {
        self.by_sub.get(&sub).map(|index| &self.entries[*index])
    }
    /// All entries in order.
    pub fn entries(&self) -> &[FunctionEntry<'s>] {
        &self.entries
    }
}

/// Whether callers get the final values of parameters that can change in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Implicits {
    /// They do.
    Returned,
    /// They do not.
    None,
}

/// Declares the subroutine of a function, without a body. Spec 21 §3.
pub fn make_subroutine<'s>(
    ctx: &BuildCtx<'_, 's>,
    function: FunctionRef<'s>,
    implicits: Implicits,
) -> Outcome<Subroutine> {
    let function = function.function();
    let mut parameters = Vec::new();
    for arg in function.args {
        let name = ctx.ir.text(arg.name);
        types::for_each_leaf(ctx.types(), arg.wtype, name, &mut |name, wtype| {
            let facts = ctx.wtypes.get(wtype);
            let returned =
                implicits == Implicits::Returned && !facts.immutable && !facts.is_reference();
            let ty = types::ir_type(ctx.types(), wtype, arg.loc)?;
            let mut parameter = Register::local(ctx.ir.sym(name), 0, ty, arg.loc);
            parameter.role =
                if returned { RegisterRole::ParameterWithReturn } else { RegisterRole::Parameter };
            parameters.push(parameter);
            Ok(())
        })?;
    }
    let returns = types::ir_types(ctx.types(), function.return_type, function.loc)?;
    let signature = Signature {
        full_name: function.full_name,
        short_name: function.short_name,
        pure: function.pure,
    };
    let mut sub = new_subroutine(ctx.ir, signature, function.loc, parameters, returns);
    sub.inline = function.inline;
    Ok(sub)
}

struct Signature {
    full_name: Symbol,
    short_name: Symbol,
    pure: bool,
}

fn new_subroutine(
    ctx: Ctx<'_, '_>,
    signature: Signature,
    loc: Loc,
    parameters: Vec<Register>,
    returns: Vec<crate::ir::types::IrType>,
) -> Subroutine {
    let implicit = parameters
        .iter()
        .filter(|parameter| parameter.role == RegisterRole::ParameterWithReturn)
        .map(|parameter| parameter.ty);
    let all: Vec<_> = returns.iter().copied().chain(implicit).collect();
    let Signature { full_name, short_name, pure } = signature;
    let id = ctx.pool.new_sub(full_name, short_name, &all, pure);
    Subroutine::new(id, loc, parameters, returns)
}

/// Declares the subroutine a program starts with. Unlike other subroutines it is never inlined. Spec 21
/// §5, step 7.
pub fn make_main<'s>(ctx: &BuildCtx<'_, 's>, function: FunctionRef<'s>) -> Outcome<Subroutine> {
    let function = function.function();
    if !function.args.is_empty() {
        return Err(Failure::internal(
            "AssertionError: main method should not have args",
            Loc::NONE,
        ));
    }
    let ty = types::ir_type(ctx.types(), function.return_type, function.loc)?;
    if !ty.is_uint64(ctx.ir.pool) {
        let message = "AssertionError: main method should return uint64 backed type";
        return Err(Failure::internal(message, Loc::NONE));
    }
    let signature =
        Signature { full_name: function.full_name, short_name: function.short_name, pure: false };
    let mut sub = new_subroutine(ctx.ir, signature, function.loc, Vec::new(), vec![ty]);
    sub.inline = Some(false);
    Ok(sub)
}

/// Builds every body of the map that is not built, in order. A body with a mistake stays empty after
/// its report. Spec 21 §3 and §5, step 6.
pub fn build_missing_bodies(ctx: &BuildCtx<'_, '_>) -> Outcome<()> {
    for entry in ctx.functions.entries() {
        if !entry.is_built() {
            let declaration = (*entry.declaration).clone();
            if let Some(built) = super::build_body(ctx, entry.function, declaration)? {
                entry.set_built(built);
            }
        }
    }
    Ok(())
}

impl<'s> BuildCtx<'_, 's> {
    /// What a call from `caller` calls.
    pub fn resolve_target(
        &self,
        target: SubroutineTarget,
        loc: Loc,
        caller: FunctionRef<'s>,
    ) -> Outcome<FunctionRef<'s>> {
        let outside = || {
            let message = "call to contract method from outside of contract class";
            Failure::code(message, loc)
        };
        let contract = match self.root {
            Some(Root::Contract(contract)) => Some(contract),
            _ => None,
        };
        let method = match target {
            SubroutineTarget::SubroutineId { target: id } => {
                return match self.root_node(id) {
                    Some(RootNode::Subroutine(subroutine)) => {
                        Ok(FunctionRef::Subroutine(subroutine))
                    }
                    Some(other) => Err(Failure::code(
                        format!(
                            "function reference {} resolved to non-function {}",
                            self.target_text(target),
                            self.ir.text(other.id())
                        ),
                        loc,
                    )),
                    None => Err(self.unresolved(target, loc)),
                };
            }
            SubroutineTarget::InstanceMethod { member_name } => {
                contract.ok_or_else(outside)?.resolve_method(member_name)
            }
            SubroutineTarget::ContractMethod { cref, member_name } => {
                let contract = contract.ok_or_else(outside)?;
                contract.resolve_method_from(member_name, cref, Search::At, loc)?
            }
            SubroutineTarget::InstanceSuperMethod { member_name } => {
                let contract = contract.ok_or_else(outside)?;
                let FunctionRef::Method(caller) = caller else { return Err(outside()) };
                contract.resolve_method_from(member_name, caller.cref, Search::Above, loc)?
            }
        };
        method.map(FunctionRef::Method).ok_or_else(|| self.unresolved(target, loc))
    }
    fn unresolved(&self, target: SubroutineTarget, loc: Loc) -> Failure {
        let target = self.target_text(target);
        Failure::code(format!("unable to resolve function reference {target}"), loc)
    }
    fn target_text(&self, target: SubroutineTarget) -> String {
        let name = |symbol| text::repr(self.ir.text(symbol));
        match target {
            SubroutineTarget::SubroutineId { target } => {
                format!("SubroutineID(target={})", name(target))
            }
            SubroutineTarget::InstanceMethod { member_name } => {
                format!("InstanceMethodTarget(member_name={})", name(member_name))
            }
            SubroutineTarget::InstanceSuperMethod { member_name } => {
                format!("InstanceSuperMethodTarget(member_name={})", name(member_name))
            }
            SubroutineTarget::ContractMethod { cref, member_name } => format!(
                "ContractMethodTarget(cref={}, member_name={})",
                name(cref),
                name(member_name)
            ),
        }
    }
}
