//! Labels are unique in their function and gotos find theirs. Logic signatures are not checked, like
//! in the reference. Spec 11 §3.6.

use super::Context;
use crate::awst::decl::{Function, RootNode};
use crate::awst::expr::ExprRef;
use crate::awst::mentions::Mentions;
use crate::awst::stmt::{Block, Stmt};
use crate::awst::visit::{Descend, Visitor, walk_function};
use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        match root {
            RootNode::Subroutine(subroutine) => check(context, &subroutine.function),
            RootNode::LogicSignature(_) => {}
            RootNode::Contract(contract) => {
                contract.all_methods.iter().for_each(|method| check(context, &method.function));
            }
        }
    }
    Ok(())
}

fn check<'s>(context: &Context<'_, 's>, function: &'s Function<'s>) {
    let mut labels =
        Labels { context, blocks: OrderedMap::default(), gotos: OrderedMap::default() };
    walk_function(&mut labels, function);
    for (target, gotos) in &labels.gotos {
        if !labels.blocks.contains_key(target) {
            let target = context.session.text(*target);
            for loc in gotos {
                context.sink().error(format!("label target {target} does not exist"), *loc);
            }
        }
    }
}

struct Labels<'c, 'r, 's> {
    context: &'c Context<'r, 's>,
    /// Where the first block of each label is.
    blocks: OrderedMap<Symbol, Loc>,
    /// The gotos to each label, by first use.
    gotos: OrderedMap<Symbol, Vec<Loc>>,
}

impl<'s> Visitor<'s> for Labels<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::LABELS);
    fn enter_block(&mut self, block: &'s Block<'s>) {
        let Some(label) = block.label else { return };
        match self.blocks.get(&label) {
            None => {
                self.blocks.insert(label, block.loc);
            }
            Some(first) => {
                let sink = self.context.sink();
                let name = self.context.session.text(label);
                sink.error(format!("block has duplicate label {name}"), block.loc);
                sink.info("label first seen here", *first);
            }
        }
    }
    fn enter_expr(&mut self, _expr: ExprRef<'s>) -> Descend {
        Descend::Skip
    }
    fn enter_stmt(&mut self, stmt: &'s Stmt<'s>) -> Descend {
        if let Stmt::Goto(goto) = stmt {
            self.gotos.entry(goto.target).or_default().push(goto.loc);
        }
        Descend::Into
    }
}
