//! Scratch slots the program uses without having reserved them.

use crate::avm::ops::{AvmOp, Immediate};
use crate::ir::Ctx;
use crate::ir::model::Program;

use super::for_each_intrinsic;

/// Reports slots that are not reserved.
pub(super) fn check(program: &Program, ctx: Ctx<'_, '_>) {
    let reserved = &program.reserved_slots;
    for_each_intrinsic(program, |intrinsic, loc| match intrinsic.op {
        AvmOp::Load | AvmOp::Store => {
            let slot = match intrinsic.immediates.first() {
                Some(Immediate::Int(slot)) => u32::try_from(*slot).ok(),
                Some(Immediate::Name(_)) | None => None,
            };
            if !slot.is_some_and(|slot| reserved.contains(&slot)) {
                ctx.sink().critical("unreserved constant slot", loc);
            }
        }
        AvmOp::Loads | AvmOp::Stores if reserved.is_empty() => {
            let message = "dynamic slot usage detected, but no slots reserved on class, please \
                           reserve slots or use constant values for slots";
            ctx.sink().error(message, loc);
        }
        _ => {}
    });
}
