//! What functions call, emit and take from templates: bodies in, a graph of what matters in them out,
//! so that each is searched once and facts about all that a function leads to are found by following
//! its [`Item`]s.

use crate::awst::expr::{
    Emit, EmitFields, Expr, ExprRef, SingleEvaluation, SubroutineCallExpression, TemplateVar,
};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Descend, Visitor, walk_function};
use crate::base::arena::{Arena, Symbol};
use crate::base::entity::{EntitySet, PrimaryMap};
use crate::base::ordered::{LookupMap, LookupSet};
use crate::define_id;
use crate::diagnostics::Outcome;

use super::{BuildCtx, FunctionRef};

define_id!(
    /// A function of the graph.
    pub struct NodeId, "function@"
);

/// Something in a body, with what is in its operands, which are evaluated before it.
#[derive(Clone, Copy)]
pub enum Item<'s> {
    /// A call, and what is in its arguments.
    Call(&'s SubroutineCallExpression<'s>, Items<'s>),
    /// An emitted event, and what is in its value.
    Emit(&'s Emit<'s>, Items<'s>),
    /// An event emitted by its fields, and what is in their values.
    EmitFields(&'s EmitFields<'s>, Items<'s>),
    /// A template variable.
    TemplateVar(&'s TemplateVar),
    /// What is in an expression that is evaluated once; it stands here as often as it is used.
    Once(&'s SingleEvaluation<'s>, Items<'s>),
}

/// What is in a body or an operand, in order of evaluation.
pub type Items<'s> = &'s [Item<'s>];

struct Node<'s> {
    function: FunctionRef<'s>,
    items: Items<'s>,
    /// Another function of the same name.
    namesake: Option<NodeId>,
}

/// Functions by equality of their nodes, and what is in them.
#[derive(Default)]
pub struct CallGraph<'s> {
    nodes: PrimaryMap<NodeId, Node<'s>>,
    by_name: LookupMap<Symbol, NodeId>,
}

/// What [`CallGraph::reach`] comes across.
pub enum Reached<'s> {
    /// The callee of a call.
    Callee(NodeId),
    /// A template variable, at each place where it is used.
    TemplateVar(&'s TemplateVar),
}

impl<'s> CallGraph<'s> {
    /// The node of a function, if it has been asked for.
    pub fn find(&self, function: FunctionRef<'s>) -> Option<NodeId> {
        let last = self.by_name.get(&function.function().full_name).copied();
        let mut named = std::iter::successors(last, |id| self.nodes[*id].namesake);
        named.find(|id| self.nodes[*id].function.is(function))
    }
    /// The node of a function; a new one has its body searched.
    pub fn node(&mut self, arena: &'s Arena, function: FunctionRef<'s>) -> NodeId {
        if let Some(id) = self.find(function) {
            return id;
        }
        let mut search =
            Search { arena, items: Vec::new(), open: Vec::new(), once: LookupMap::new() };
        walk_function(&mut search, function.function());
        let items = arena.slice(&search.items);
        let id = self.nodes.next_id();
        let namesake = self.by_name.insert(function.function().full_name, id);
        self.nodes.push(Node { function, items, namesake })
    }
    /// What is in the body of a function.
    pub fn items(&self, id: NodeId) -> Items<'s> {
        self.nodes[id].items
    }
    /// What a call in a function calls.
    pub fn callee(
        &mut self,
        ctx: &BuildCtx<'_, 's>,
        caller: NodeId,
        call: &SubroutineCallExpression<'s>,
    ) -> Outcome<NodeId> {
        let callee = ctx.resolve_target(call.target, call.loc, self.nodes[caller].function)?;
        Ok(self.node(ctx.ir.session.arena, callee))
    }
    /// Follows calls depth first from each of the functions, into each function once, and shows what it
    /// comes across.
    pub fn reach(
        &mut self,
        ctx: &BuildCtx<'_, 's>,
        from: impl Iterator<Item = FunctionRef<'s>>,
        visit: &mut impl FnMut(Reached<'s>),
    ) -> Outcome<()> {
        let mut reach = Reach { ctx, graph: self, entered: EntitySet::new(), visit };
        for function in from {
            let id = reach.graph.node(ctx.ir.session.arena, function);
            reach.function(id)?;
        }
        Ok(())
    }
}

struct Reach<'r, 'a, 's, V> {
    ctx: &'r BuildCtx<'a, 's>,
    graph: &'r mut CallGraph<'s>,
    entered: EntitySet<NodeId>,
    visit: &'r mut V,
}

impl<'s, V: FnMut(Reached<'s>)> Reach<'_, '_, 's, V> {
    fn function(&mut self, id: NodeId) -> Outcome<()> {
        if !self.entered.insert(id) {
            return Ok(());
        }
        self.items(id, self.graph.items(id), &mut Entered::default())
    }
    fn items(
        &mut self,
        caller: NodeId,
        items: Items<'s>,
        entered: &mut Entered<'s>,
    ) -> Outcome<()> {
        for item in items {
            match item {
                Item::Call(call, args) => {
                    self.items(caller, args, entered)?;
                    let callee = self.graph.callee(self.ctx, caller, call)?;
                    (self.visit)(Reached::Callee(callee));
                    self.function(callee)?;
                }
                Item::Emit(_, values) | Item::EmitFields(_, values) => {
                    self.items(caller, values, entered)?;
                }
                Item::TemplateVar(variable) => (self.visit)(Reached::TemplateVar(variable)),
                // A variable is shown wherever it stands; calls are the same each time.
                Item::Once(node, items) => {
                    if !entered.again(node, Mentions::TEMPLATE_VARIABLES) {
                        self.items(caller, items, entered)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Single evaluations of a function that a search came to before, where a second visit adds nothing.
#[derive(Default)]
pub struct Entered<'s>(LookupSet<*const SingleEvaluation<'s>>);

impl<'s> Entered<'s> {
    /// Whether an expression was asked for before and mentions nothing of `else_again`.
    pub fn again(&mut self, node: &SingleEvaluation<'s>, else_again: Mentions) -> bool {
        !node.mentions.overlaps(else_again) && !self.0.insert(node)
    }
}

/// What becomes an item.
const ITEMS: Mentions = Mentions::CALLS.or(Mentions::EVENTS).or(Mentions::TEMPLATE_VARIABLES);

/// Finds the items of a body.
struct Search<'s> {
    arena: &'s Arena,
    items: Vec<Item<'s>>,
    /// For each expression being walked that becomes an item: how many stood before it.
    open: Vec<usize>,
    once: LookupMap<*const SingleEvaluation<'s>, Items<'s>>,
}

impl<'s> Visitor<'s> for Search<'s> {
    const LOOKS_FOR: Option<Mentions> = Some(ITEMS);
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        match expr {
            Expr::SingleEvaluation(node) if !node.mentions.overlaps(ITEMS) => return Descend::Skip,
            Expr::SingleEvaluation(node) => {
                if let Some(items) = self.once.get(&std::ptr::from_ref(node)) {
                    self.items.push(Item::Once(node, items));
                    return Descend::Skip;
                }
                self.open.push(self.items.len());
            }
            Expr::SubroutineCallExpression(_) | Expr::Emit(_) | Expr::EmitFields(_) => {
                self.open.push(self.items.len());
            }
            _ => {}
        }
        Descend::Into
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        match expr {
            Expr::SubroutineCallExpression(call) => {
                let args = self.close();
                self.items.push(Item::Call(call, args));
            }
            Expr::Emit(event) => {
                let values = self.close();
                self.items.push(Item::Emit(event, values));
            }
            Expr::EmitFields(event) => {
                let values = self.close();
                self.items.push(Item::EmitFields(event, values));
            }
            Expr::TemplateVar(variable) => self.items.push(Item::TemplateVar(variable)),
            Expr::SingleEvaluation(node) => {
                let items = self.close();
                self.once.insert(node, items);
                self.items.push(Item::Once(node, items));
            }
            _ => {}
        }
    }
}

impl<'s> Search<'s> {
    /// Takes off what stands in the expression that ends here.
    fn close(&mut self) -> Items<'s> {
        let start = self.open.pop().expect("an expression that ends has begun");
        let items = self.arena.slice(&self.items[start..]);
        self.items.truncate(start);
        items
    }
}

#[cfg(test)]
mod tests;
