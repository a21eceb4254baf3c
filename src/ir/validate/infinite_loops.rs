//! Blocks that can only go to themselves.

use crate::ir::Ctx;
use crate::ir::model::Program;

/// Reports loops without a way out.
pub(super) fn check(program: &Program, ctx: Ctx<'_, '_>) {
    for sub in program.all_subroutines() {
        for block in &sub.body {
            let data = &sub.blocks[*block];
            if data.successors() == [*block] {
                let loc = data.terminator().loc.or(data.loc);
                ctx.sink().error("infinite loop detected", loc);
            }
        }
    }
}
