//! What is compiled: the contracts and logic signatures asked for and those they refer to. Spec 21 §2.

use crate::awst::decl::RootNode;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Visitor, walk_root};
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap, OrderedSet};
use crate::base::source::Loc;
use crate::ir::Ctx;

use super::Root;

/// Finds the targets of a compilation, in order of discovery: each before what it refers to. What is
/// asked for or referred to and cannot be compiled is reported.
pub fn find<'s>(ctx: Ctx<'_, 's>, document: &[RootNode<'s>]) -> Vec<Root<'s>> {
    let asked: OrderedSet<Symbol> =
        ctx.options.compilation_set.keys().map(|id| ctx.sym(id)).collect();
    let mut targets = Targets {
        ctx,
        nodes: document.iter().map(|node| (node.id(), *node)).collect(),
        found: OrderedMap::default(),
    };
    for node in document {
        match Root::of(*node) {
            None => targets.add_references(node),
            Some(root) if asked.contains(&node.id()) => targets.add(node, root),
            Some(_) => {}
        }
    }
    for id in asked.iter().filter(|id| !targets.found.contains_key(*id)) {
        let id = ctx.text(*id);
        let message = format!("unable to resolve compilation artifact '{id}'");
        ctx.sink().error(message, Loc::NONE);
    }
    targets.found.into_values().collect()
}

struct Targets<'a, 's> {
    ctx: Ctx<'a, 's>,
    nodes: LookupMap<Symbol, RootNode<'s>>,
    found: OrderedMap<Symbol, Root<'s>>,
}

impl<'s> Targets<'_, 's> {
    fn add(&mut self, node: &RootNode<'s>, root: Root<'s>) {
        if !self.found.contains_key(&node.id()) {
            self.found.insert(node.id(), root);
            self.add_references(node);
        }
    }
    fn add_references(&mut self, from: &RootNode<'s>) {
        let mut references = References::default();
        walk_root(&mut references, from);
        for Reference { id, what, loc } in references.0 {
            let Some(node) = self.nodes.get(&id).copied() else {
                self.ctx.sink().error(format!("unable to resolve {what} reference"), loc);
                continue;
            };
            match Root::of(node) {
                Some(root) if root.what() == what => self.add(&node, root),
                _ => self.ctx.sink().error(format!("reference is not a {what}"), loc),
            }
        }
    }
}

/// A place where the compiled form of another root is used.
struct Reference {
    id: Symbol,
    /// What the root has to be, as [`Root::what`] says it.
    what: &'static str,
    loc: Loc,
}

#[derive(Default)]
struct References(Vec<Reference>);

impl<'s> Visitor<'s> for References {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::COMPILED);
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        let (id, what, loc) = match expr {
            Expr::CompiledContract(node) => (node.contract, "contract", node.loc),
            Expr::CompiledLogicSig(node) => (node.logic_sig, "logic signature", node.loc),
            _ => return,
        };
        self.0.push(Reference { id, what, loc });
    }
}
