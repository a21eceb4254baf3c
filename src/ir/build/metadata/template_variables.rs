//! Template variables of a contract and their ARC-56 types. Spec 60 §7, step 5.

use crate::awst::expr::TemplateVar;
use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::diagnostics::Outcome;

use super::super::call_graph::{CallGraph, Reached};
use super::super::{BuildCtx, FunctionRef};
use super::types::{Integers, arc56_type};

/// The type of each variable that is used in what these functions lead to, by name. The first use tells
/// the type; others that disagree are reported.
pub fn types<'s>(
    ctx: &BuildCtx<'_, 's>,
    graph: &mut CallGraph<'s>,
    entries: impl Iterator<Item = FunctionRef<'s>>,
) -> Outcome<OrderedMap<String, String>> {
    let mut found: OrderedMap<Symbol, &TemplateVar> = OrderedMap::default();
    graph.reach(ctx, entries, &mut |reached| {
        let Reached::TemplateVar(variable) = reached else { return };
        let first = *found.entry(variable.name).or_insert(variable);
        if !ctx.wtypes.equal(first.wtype, variable.wtype) {
            let sink = ctx.ir.sink();
            sink.error("inconsistent types specified for template var", variable.loc);
            sink.info("other template var", first.loc);
        }
    })?;
    let name_and_type = |(name, variable): (Symbol, &TemplateVar)| {
        let ty = arc56_type(ctx.wtypes, variable.wtype, variable.loc, Integers::Native)?;
        Ok((ctx.ir.text(name).to_owned(), ty))
    };
    found.into_iter().map(name_and_type).collect()
}
