//! The functions of one compilation root and their subroutines: AWST functions in, declared and built
//! subroutines out, in the order in which they are emitted. Spec 21 §3 and §5.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use crate::awst::decl::{ContractMethod, Function, RootNode, Search, Subroutine as AwstSubroutine};
use crate::awst::expr::SubroutineTarget;
use crate::awst::library;
use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet};
use crate::base::few::Few;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::base::text;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::Subroutine;
use crate::ir::op::{Register, RegisterId, RegisterRole};
use crate::ir::optimise::remove_unused_subroutines::Search as CallSearch;
use crate::ir::pool::SubId;
use crate::ir::types::IrType;

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
    /// Equality that looks at identity first.
    pub fn is(self, other: Self) -> bool {
        match (self, other) {
            (FunctionRef::Subroutine(a), FunctionRef::Subroutine(b)) => {
                std::ptr::eq(a, b) || a == b
            }
            (FunctionRef::Method(a), FunctionRef::Method(b)) => std::ptr::eq(a, b) || a == b,
            _ => false,
        }
    }
}

/// A function with its subroutine.
#[derive(Clone)]
pub struct FunctionEntry<'s> {
    /// The function.
    pub function: FunctionRef<'s>,
    declaration: Subroutine,
    built: OnceCell<Subroutine>,
    /// Another function of the same name in the same table.
    namesake: Option<usize>,
}

impl<'s> FunctionEntry<'s> {
    fn new(function: FunctionRef<'s>, declaration: Subroutine) -> Self {
        Self { function, declaration, built: OnceCell::new(), namesake: None }
    }
    /// The subroutine, with its body as soon as that is built.
    pub fn sub(&self) -> &Subroutine {
        self.built.get().unwrap_or(&self.declaration)
    }
    fn into_sub(self) -> Subroutine {
        self.built.into_inner().unwrap_or(self.declaration)
    }
    /// Builds the body unless it is built. A body with a mistake stays empty after its report.
    fn build(&self, ctx: &BuildCtx<'_, 's>) -> Outcome<()> {
        if self.built.get().is_none()
            && let Some(built) = super::build_body(ctx, self.function, self.declaration.clone())?
        {
            // A second build of the same body would give the same subroutine.
            let _ = self.built.set(built);
        }
        Ok(())
    }
}

/// Functions in order of declaration, found by function.
#[derive(Clone, Default)]
struct Table<'s> {
    entries: Vec<FunctionEntry<'s>>,
    /// The last function of each name.
    by_name: LookupMap<Symbol, usize>,
    by_sub: LookupMap<SubId, usize>,
}

impl<'s> Table<'s> {
    fn add(&mut self, function: FunctionRef<'s>, declaration: Subroutine) {
        let place = self.entries.len();
        self.by_sub.insert(declaration.id, place);
        let mut entry = FunctionEntry::new(function, declaration);
        entry.namesake = self.by_name.insert(function.function().full_name, place);
        self.entries.push(entry);
    }
    /// Gives the function at a place another subroutine.
    fn replace(&mut self, place: usize, function: FunctionRef<'s>, declaration: Subroutine) {
        self.by_sub.insert(declaration.id, place);
        let namesake = self.entries[place].namesake;
        self.entries[place] = FunctionEntry::new(function, declaration);
        self.entries[place].namesake = namesake;
    }
    fn named(&self, name: Symbol) -> impl Iterator<Item = usize> + '_ {
        let last = self.by_name.get(&name).copied();
        std::iter::successors(last, |place| self.entries[*place].namesake)
    }
    fn position(&self, function: FunctionRef<'s>) -> Option<usize> {
        self.named(function.function().full_name)
            .find(|place| self.entries[*place].function.is(function))
    }
}

/// What all roots of a compilation share.
#[derive(Clone)]
struct Shared<'s> {
    /// By place; made when something first refers to them.
    library: [OnceCell<Box<FunctionEntry<'s>>>; library::COUNT],
    document: Table<'s>,
}

impl Default for Shared<'_> {
    fn default() -> Self {
        Self { library: std::array::from_fn(|_| OnceCell::new()), document: Table::default() }
    }
}

/// The functions of one root: library routines, then those of the document, then its own. They are
/// found by function, and subroutines are emitted in this order.
#[derive(Clone, Default)]
pub struct FunctionMap<'s> {
    shared: Rc<Shared<'s>>,
    own: Table<'s>,
}

impl<'s> FunctionMap<'s> {
    /// Adds a function or, when it is there, gives it another subroutine in its old place.
    pub fn declare(&mut self, function: FunctionRef<'s>, declaration: Subroutine) {
        if let Some(place) = self.own.position(function) {
            self.own.replace(place, function, declaration);
        } else if let Some(place) = self.shared.document.position(function) {
            Rc::make_mut(&mut self.shared).document.replace(place, function, declaration);
        } else {
            self.own.add(function, declaration);
        }
    }
    /// From now on the functions so far are shared by all clones.
    pub fn share(&mut self) {
        let document = std::mem::take(&mut self.own);
        self.shared = Rc::new(Shared { document, ..Shared::default() });
    }
    /// The entry of a function that is no library routine.
    fn get(&self, function: FunctionRef<'s>) -> Option<&FunctionEntry<'s>> {
        let mut tables = [&self.own, &self.shared.document].into_iter();
        tables.find_map(|table| table.position(function).map(|place| &table.entries[place]))
    }
    /// All entries made so far, in order.
    pub fn entries(&self) -> impl Iterator<Item = &FunctionEntry<'s>> {
        let library = self.shared.library.iter().filter_map(OnceCell::get).map(Box::as_ref);
        library.chain(&self.shared.document.entries).chain(&self.own.entries)
    }
    /// Hands out the subroutines that programs use, in order. A program owns its subroutines, so one
    /// that more than one program uses is copied.
    pub fn share_out<const N: usize>(self, used: [EntitySet<SubId>; N]) -> [Vec<Subroutine>; N] {
        let mut subs = std::array::from_fn(|_| Vec::new());
        let mut give = |entry: Cow<'_, FunctionEntry<'s>>| {
            let id = entry.declaration.id;
            let mut users = (0..N).filter(|user| used[*user].contains(id));
            let Some(mut user) = users.next() else { return };
            for next in users {
                subs[user].push(entry.sub().clone());
                user = next;
            }
            subs[user].push(match entry {
                Cow::Borrowed(entry) => entry.sub().clone(),
                Cow::Owned(entry) => entry.into_sub(),
            });
        };
        match Rc::try_unwrap(self.shared) {
            Ok(Shared { library, document }) => {
                let library = library.into_iter().filter_map(OnceCell::into_inner);
                let library = library.map(|entry| *entry);
                library.chain(document.entries).for_each(|entry| give(Cow::Owned(entry)));
            }
            Err(shared) => {
                let library = shared.library.iter().filter_map(OnceCell::get).map(Box::as_ref);
                let entries = library.chain(&shared.document.entries);
                entries.for_each(|entry| give(Cow::Borrowed(entry)));
            }
        }
        self.own.entries.into_iter().for_each(|entry| give(Cow::Owned(entry)));
        subs
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
    // nothing keeps two parameters from having one name
    let mut ids: LookupMap<Register, RegisterId> = LookupMap::new();
    for arg in function.args {
        let name = ctx.ir.text(arg.name);
        types::for_each_leaf(ctx.types(), arg.wtype, name, &mut |name, wtype| {
            let facts = ctx.wtypes.get(wtype);
            let returned =
                implicits == Implicits::Returned && !facts.immutable && !facts.is_reference();
            let ty = types::ir_type(ctx.types(), wtype, arg.loc)?;
            let id = RegisterId::new(parameters.len());
            let mut parameter = Register::local(id, ctx.ir.sym(name), 0, ty, arg.loc);
            parameter.role =
                if returned { RegisterRole::ParameterWithReturn } else { RegisterRole::Parameter };
            if function.args.len() > 1 {
                parameter.id = *ids.get_or_insert_with(parameter, || id);
            }
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
    returns: Few<IrType>,
) -> Subroutine {
    let implicit = parameters
        .iter()
        .filter(|parameter| parameter.role == RegisterRole::ParameterWithReturn)
        .map(|parameter| parameter.ty);
    let all: Few<IrType> = returns.iter().copied().chain(implicit).collect();
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
    let mut sub = new_subroutine(ctx.ir, signature, function.loc, Vec::new(), Few::One([ty]));
    sub.inline = Some(false);
    Ok(sub)
}

/// Builds every body of the map that is not built, in order, library routines apart. Spec 21 §3 and
/// §5, step 6.
pub fn build_missing_bodies(ctx: &BuildCtx<'_, '_>) -> Outcome<()> {
    let FunctionMap { shared, own } = &ctx.functions;
    shared.document.entries.iter().chain(&own.entries).try_for_each(|entry| entry.build(ctx))
}

impl<'s> BuildCtx<'_, 's> {
    /// The entry of a function.
    pub fn function(&self, function: FunctionRef<'s>) -> Outcome<Option<&FunctionEntry<'s>>> {
        if let Some(entry) = self.functions.get(function) {
            return Ok(Some(entry));
        }
        match library::place(self.ir.text(function.function().full_name)) {
            Some(place) => {
                let entry = self.routine(place)?;
                Ok(entry.function.is(function).then_some(entry))
            }
            None => Ok(None),
        }
    }
    /// A subroutine of the embedded library.
    pub fn library_routine(&self, id: &str) -> Outcome<Option<&FunctionEntry<'s>>> {
        library::place(id).map(|place| self.routine(place)).transpose()
    }
    fn routine(&self, place: usize) -> Outcome<&FunctionEntry<'s>> {
        let cell = &self.functions.shared.library[place];
        if let Some(entry) = cell.get() {
            return Ok(entry);
        }
        let routine = self.library.read(self.ir.session, self.wtypes, place)?;
        let function = FunctionRef::Subroutine(routine);
        let declaration = make_subroutine(self, function, Implicits::None)?;
        Ok(cell.get_or_init(|| Box::new(FunctionEntry::new(function, declaration))))
    }
    /// The subroutine of an id, if it is one of the map. The body of a library routine is built when
    /// it is first asked for here.
    fn subroutine(&self, id: SubId) -> Outcome<Option<&Subroutine>> {
        let FunctionMap { shared, own } = &self.functions;
        for table in [own, &shared.document] {
            if let Some(place) = table.by_sub.get(&id) {
                return Ok(Some(table.entries[*place].sub()));
            }
        }
        let mut library = shared.library.iter().filter_map(OnceCell::get);
        let Some(entry) = library.find(|entry| entry.declaration.id == id) else {
            return Ok(None);
        };
        entry.build(self)?;
        Ok(Some(entry.sub()))
    }
    /// The subroutines that a main subroutine leads to, bodies of library routines built.
    pub fn used_by(&self, main: &Subroutine) -> Outcome<EntitySet<SubId>> {
        let mut search = CallSearch::default();
        search.scan(main);
        self.follow(&mut search)?;
        for routine in search.lowering_routines() {
            if let Some(entry) = self.library_routine(routine.id())? {
                search.call(entry.declaration.id);
            }
            let name = self.ir.sym(routine.id());
            for table in [&self.functions.own, &self.functions.shared.document] {
                for place in table.named(name) {
                    search.call(table.entries[place].declaration.id);
                }
            }
        }
        self.follow(&mut search)?;
        Ok(search.into_used())
    }
    fn follow(&self, search: &mut CallSearch) -> Outcome<()> {
        while let Some(target) = search.next() {
            if let Some(sub) = self.subroutine(target)? {
                search.scan(sub);
            }
        }
        Ok(())
    }
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
                return match self.root_node(id)? {
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
