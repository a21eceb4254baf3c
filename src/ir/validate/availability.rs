//! Instructions that the program's kind or AVM version does not have.

use crate::avm::ops::{RunMode, Variant};
use crate::base::text::repr;
use crate::ir::Ctx;
use crate::ir::model::{Program, ProgramKind};
use crate::ir::text;

use super::for_each_intrinsic;

/// The programs an instruction is meant for, where it is not meant for this one.
pub(super) fn place_of_mode(program: &Program, variant: &Variant) -> Option<&'static str> {
    let is_signature = program.kind == ProgramKind::LogicSignature;
    match variant.mode {
        RunMode::App if is_signature => Some("smart contracts"),
        RunMode::LogicSig if !is_signature => Some("logic signatures"),
        RunMode::Any | RunMode::App | RunMode::LogicSig => None,
    }
}

/// Whether an instruction came with a later AVM version than the program's.
pub(super) fn is_later(program: &Program, variant: &Variant) -> bool {
    i64::from(variant.min_version) > program.avm_version
}

/// Reports instructions for smart contracts in logic signatures and the other way round.
pub(super) fn check_run_mode(program: &Program, ctx: Ctx<'_, '_>) {
    for_each_intrinsic(program, |intrinsic, loc| {
        let Ok(variant) = intrinsic.op.variant(&intrinsic.immediates) else { return };
        let Some(place) = place_of_mode(program, variant) else { return };
        let shown = text::intrinsic(ctx, intrinsic);
        ctx.sink().error(format!("The operation {shown} is only allowed in {place}"), loc);
    });
}

/// Reports instructions that came with a later AVM version than the program's.
pub(super) fn check_avm_version(program: &Program, ctx: Ctx<'_, '_>) {
    let target = program.avm_version;
    for_each_intrinsic(program, |intrinsic, loc| {
        let op = intrinsic.op;
        let Ok(variant) = op.variant(&intrinsic.immediates) else { return };
        if !is_later(program, variant) {
            return;
        }
        let required = variant.min_version;
        let mut name = op.code().to_owned();
        if required != op.min_version() {
            // The field came later than the instruction.
            let field = op.variants().find(|(_, other)| std::ptr::eq(*other, variant));
            let field = field.and_then(|(field, _)| field).unwrap_or("None");
            name = format!("{name} {field}");
        }
        let message = format!(
            "Opcode {} requires a min AVM version of {required} but the target AVM version is \
             {target}",
            repr(&name)
        );
        ctx.sink().error(message, loc);
    });
}
