//! What functions lead to, as text.

use super::super::tests::{Tree, check};
use super::*;
use crate::awst::decl::RootNode;
use crate::awst::expr::SubroutineTarget;
use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;

const TYPE: WTypeId = WTypeId::UINT64;

impl<'s> Tree<'_, 's> {
    fn template(&self, name: &str) -> ExprRef<'s> {
        self.make.expr(TemplateVar { loc: Loc::NONE, wtype: TYPE, name: self.session.sym(name) })
    }
    fn call(&self, name: &str, args: &[ExprRef<'s>]) -> ExprRef<'s> {
        let target = SubroutineTarget::SubroutineId { target: self.session.sym(name) };
        self.make.call(target, TYPE, args)
    }
    fn once(&self, source: ExprRef<'s>, mentions: Mentions) -> ExprRef<'s> {
        let id = self.make.number(0);
        self.make.expr(SingleEvaluation { loc: Loc::NONE, wtype: TYPE, source, id, mentions })
    }
    fn statements(&self, name: &str, body: &[ExprRef<'s>]) -> RootNode<'s> {
        let body: Vec<_> = body.iter().map(|expr| self.make.statement(expr)).collect();
        self.function(name, &[], WTypeId::VOID, &body)
    }
}

#[test]
fn operands_come_before_their_call_and_functions_are_entered_once() {
    check("A B g D g h E f C C", |tree| {
        let calls = tree.call("g", &[tree.template("A"), tree.call("g", &[tree.template("B")])]);
        let called = tree.once(tree.call("h", &[]), Mentions::CALLS);
        let read = tree.once(tree.template("C"), Mentions::TEMPLATE_VARIABLES);
        let document = [
            tree.statements("f", &[calls, called, called, read, read]),
            tree.statements("g", &[tree.template("D")]),
            tree.statements("h", &[tree.call("f", &[tree.template("E")])]),
        ];
        tree.of_document(&document, |ctx| {
            let mut graph = CallGraph::default();
            let mut found = Vec::new();
            let from = ctx.functions.entries().map(|entry| entry.function).take(1);
            graph.reach(ctx, from, &mut |reached| found.push(reached)).unwrap();
            let name = |reached: &Reached<'_>| match reached {
                Reached::Callee(id) => ctx.ir.text(graph.nodes[*id].function.function().full_name),
                Reached::TemplateVar(variable) => ctx.ir.text(variable.name),
            };
            found.iter().map(name).collect::<Vec<_>>().join(" ")
        })
    });
}
