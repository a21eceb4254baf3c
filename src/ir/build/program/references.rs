//! The artifacts that an artifact refers to, which are compiled before it. Spec 21 §4.

use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::ir::Ctx;
use crate::ir::model::{Artifact, Subroutine};
use crate::ir::op::Value;

/// The artifacts that an artifact's subroutines refer to, each with the first place that has one, in
/// order. References made in a main subroutine do not count, as in the reference.
pub fn references(ctx: Ctx<'_, '_>, artifact: &Artifact) -> OrderedMap<Symbol, Loc> {
    of(ctx, artifact.programs().into_iter().flat_map(|program| &program.subroutines))
}

/// The artifacts that the main subroutines of an artifact refer to, in the same way.
pub fn main_references(ctx: Ctx<'_, '_>, artifact: &Artifact) -> OrderedMap<Symbol, Loc> {
    of(ctx, artifact.programs().into_iter().map(|program| &program.main))
}

fn of<'p>(ctx: Ctx<'_, '_>, subs: impl Iterator<Item = &'p Subroutine>) -> OrderedMap<Symbol, Loc> {
    let mut found: OrderedMap<Symbol, Loc> = OrderedMap::default();
    let mut refer = |value: &Value| {
        let Value::Compiled(id, loc) = value else { return };
        let first = found.entry(ctx.pool.compiled_ref(*id).artifact).or_insert(*loc);
        *first = first.or(*loc);
    };
    for sub in subs {
        for block in sub.body.iter().map(|block| &sub.blocks[*block]) {
            block.ops.iter().for_each(|op| sub.ops[*op].visit_reads(ctx.pool, &mut refer));
            block.terminator().visit_reads(ctx.pool, &mut refer);
        }
    }
    found
}
