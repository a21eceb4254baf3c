//! Builds SSA from the typed syntax tree: the functions of one compilation root in, subroutines out.
//! Spec 21.
//!
//! [`BuildCtx`] is what all bodies of a root share; [`FunctionBuilder`] builds one body. The expressions
//! and statements it understands are spread over this folder, one family per file.

mod abi_call;
pub mod aggregate;
mod assertion;
pub mod assign;
pub mod blocks;
mod bytes;
mod call;
mod call_graph;
pub mod codec;
mod compiled;
mod condition;
pub mod constant;
mod default_args;
pub mod emit;
mod encoding_size;
mod expr;
pub mod function;
pub mod functions;
mod items;
mod iteration;
pub mod itxn;
mod itxn_results;
mod itxn_uses;
mod metadata;
mod operators;
pub mod program;
mod router;
mod slots;
mod stmt;
mod storage;
pub mod types;

pub use function::FunctionBuilder;
pub use functions::{
    FunctionEntry, FunctionMap, FunctionRef, Implicits, build_missing_bodies, make_main,
    make_subroutine,
};

use std::cell::RefCell;
use std::rc::Rc;

use crate::awst::decl::{Contract, LogicSignature, RootNode};
use crate::awst::library::Library;
use crate::awst::make::Make;
use crate::awst::wtypes::{WTypeId, WTypes};
use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::Subroutine;
use crate::ir::pool::SubId;
use crate::ir::types::Shape;

/// What a compilation builds programs for.
#[derive(Clone, Copy, Debug)]
pub enum Root<'s> {
    /// A contract.
    Contract(&'s Contract<'s>),
    /// A logic signature.
    LogicSignature(&'s LogicSignature<'s>),
}

impl<'s> Root<'s> {
    /// What a node of the document is compiled to, if it is by itself.
    fn of(node: RootNode<'s>) -> Option<Self> {
        match node {
            RootNode::Subroutine(_) => None,
            RootNode::Contract(contract) => Some(Root::Contract(contract)),
            RootNode::LogicSignature(signature) => Some(Root::LogicSignature(signature)),
        }
    }
    /// What messages call it.
    fn what(self) -> &'static str {
        match self {
            Root::Contract(_) => "contract",
            Root::LogicSignature(_) => "logic signature",
        }
    }
    /// Where the source wrote it.
    pub fn loc(self) -> Loc {
        match self {
            Root::Contract(contract) => contract.loc,
            Root::LogicSignature(signature) => signature.loc,
        }
    }
}

/// What the bodies of one compilation root share: types, functions, the root itself.
#[derive(Clone)]
pub struct BuildCtx<'a, 's> {
    /// Names, locations, messages, options.
    pub ir: Ctx<'a, 's>,
    /// Types of the document and of the library.
    pub wtypes: &'a WTypes<'s>,
    /// Library, free subroutines, router, wrappers, methods, in this order.
    pub functions: FunctionMap<'s>,
    /// What is being built; none while free subroutines are.
    pub root: Option<Root<'s>>,
    /// The subroutine that routes calls of the contract, if it has routable methods.
    pub router: Option<SubId>,
    library: Rc<Library<'s>>,
    tables: Rc<RefCell<function::Tables<'s>>>,
    field_names: Rc<itxn::FieldNames>,
    /// By index of source-level types.
    shapes: Rc<RefCell<Vec<Option<Shape>>>>,
    nodes: Rc<LookupMap<Symbol, RootNode<'s>>>,
    own_nodes: LookupMap<Symbol, RootNode<'s>>,
}

impl<'a, 's> BuildCtx<'a, 's> {
    /// Declares the subroutines of the document. Their bodies are to be built next, with
    /// [`build_missing_bodies`]. Spec 21 §3.
    pub fn new(
        ir: Ctx<'a, 's>,
        wtypes: &'a WTypes<'s>,
        document: &[RootNode<'s>],
    ) -> Outcome<Self> {
        let mut ctx = Self {
            ir,
            wtypes,
            functions: FunctionMap::default(),
            root: None,
            router: None,
            library: Rc::default(),
            tables: Rc::default(),
            field_names: Rc::default(),
            shapes: Rc::default(),
            nodes: Rc::new(document.iter().map(|node| (node.id(), *node)).collect()),
            own_nodes: LookupMap::new(),
        };
        for node in document {
            let RootNode::Subroutine(subroutine) = node else { continue };
            let function = FunctionRef::Subroutine(subroutine);
            let sub = make_subroutine(&ctx, function, Implicits::Returned)?;
            ctx.functions.declare(function, sub);
        }
        ctx.functions.share();
        Ok(ctx)
    }
    /// A context of its own for one root: functions declared in it are unknown to other roots.
    pub fn into_root(self, root: Root<'s>) -> Self {
        Self { root: Some(root), ..self }
    }
    /// Makes a node of the document's level known to calls by id; the last of an id counts.
    pub fn add_node(&mut self, node: RootNode<'s>) {
        self.own_nodes.insert(node.id(), node);
    }
    /// The root node of an id.
    pub fn root_node(&self, id: Symbol) -> Outcome<Option<RootNode<'s>>> {
        if let Some(node) = self.own_nodes.get(&id).or_else(|| self.nodes.get(&id)) {
            return Ok(Some(*node));
        }
        Ok(self.library_routine(self.ir.text(id))?.map(|entry| match entry.function {
            FunctionRef::Subroutine(routine) => RootNode::Subroutine(routine),
            FunctionRef::Method(_) => unreachable!("routines are no methods"),
        }))
    }
    /// Makes nodes that no source wrote.
    fn make(&self, loc: Loc) -> Make<'s> {
        Make { arena: self.ir.session.arena, loc }
    }
    /// What the mapping of types needs.
    pub fn types(&self) -> types::TypeCtx<'a, 's> {
        types::TypeCtx { ir: self.ir, wtypes: self.wtypes }
    }
    /// The type of the values that a value of a source-level type is.
    pub fn shape(&self, wtype: WTypeId, loc: Loc) -> Outcome<Shape> {
        if let Some(Some(shape)) = self.shapes.borrow().get(wtype.index()) {
            return Ok(*shape);
        }
        let shape = types::shape(self.types(), wtype, loc)?;
        let mut shapes = self.shapes.borrow_mut();
        if shapes.len() <= wtype.index() {
            shapes.resize(wtype.index() + 1, None);
        }
        shapes[wtype.index()] = Some(shape);
        Ok(shape)
    }
    /// Where failures without a place of their own are reported.
    pub fn fallback_loc(&self) -> Loc {
        self.root.map_or(Loc::NONE, Root::loc)
    }
}

/// Builds the body of a declared subroutine. A mistake of the input is reported and leaves none; every
/// other failure is returned.
pub fn build_body<'a, 's>(
    ctx: &'a BuildCtx<'a, 's>,
    function: FunctionRef<'s>,
    declaration: Subroutine,
) -> Outcome<Option<Subroutine>> {
    ctx.ir.session.check_stop()?;
    let fallback = function.function().loc;
    match function::build(ctx, function, declaration) {
        Ok(sub) => Ok(Some(sub)),
        Err(Failure::Internal(message, loc)) => Err(Failure::Internal(message, loc.or(fallback))),
        Err(Failure::Stopped) => Err(Failure::Stopped),
        Err(failure) => {
            ctx.ir.sink().failure(&failure, fallback);
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests;
