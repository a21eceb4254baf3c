//! A logic signature: its program, whose parameters are variables that it sets first. Spec 21 §6.

use crate::awst::decl::{Function, LogicSignature, Subroutine};
use crate::awst::expr::{Arc4FromBytes, Immediate, VarExpression};
use crate::awst::mentions::Mentions;
use crate::awst::stmt::{AssignmentStatement, Block, Stmt};
use crate::awst::wtypes::WTypeId;
use crate::diagnostics::Outcome;
use crate::ir::model::{Artifact, ProgramKind};
use crate::metadata::LogicSigMetadata;

use super::super::router::arguments;
use super::super::{BuildCtx, FunctionRef};
use super::{Plan, build_program};

/// Builds the program of a logic signature.
pub fn build<'s>(
    of_root: BuildCtx<'_, 's>,
    signature: &'s LogicSignature<'s>,
) -> Outcome<Artifact> {
    let ctx = &of_root;
    let metadata = LogicSigMetadata {
        id: ctx.ir.text(signature.id).to_owned(),
        name: ctx.ir.text(signature.short_name).to_owned(),
        desc: signature.docstring.map(str::to_owned),
    };
    let plan = Plan {
        kind: ProgramKind::LogicSignature,
        main: FunctionRef::Subroutine(without_parameters(ctx, signature)),
        avm_version: signature.avm_version,
        autosalt: signature.autosalt,
        reserved_slots: signature.reserved_scratch_space,
    };
    let mut program = build_program(ctx, plan)?;
    let used = ctx.used_by(&program.main)?;
    [program.subroutines] = of_root.functions.share_out([used]);
    Ok(Artifact::LogicSignature { program, metadata, loc: signature.loc })
}

/// The program with its parameters as variables: transactions of the group stand before the signed one,
/// everything else is an argument of the signature.
fn without_parameters<'s>(
    ctx: &BuildCtx<'_, 's>,
    signature: &'s LogicSignature<'s>,
) -> &'s Subroutine<'s> {
    let function = &signature.program.function;
    if function.args.is_empty() {
        return signature.program;
    }
    let validate = signature.validate_encoding.unwrap_or(ctx.ir.options.validate_abi_args);
    let types: Vec<WTypeId> = function.args.iter().map(|arg| arg.wtype).collect();
    let mut numbers = 0..;
    let mut body = Vec::with_capacity(function.args.len() + function.body.body.len());
    for (arg, transaction) in function.args.iter().zip(arguments::transactions(ctx.wtypes, &types))
    {
        let (loc, wtype) = (arg.loc, arg.wtype);
        let make = ctx.make(loc);
        let value = match transaction {
            Some(before) => make.group_transaction(wtype, before),
            None => {
                let number = Immediate::Int(make.number(numbers.next().expect("numbers go on")));
                let value = make.intrinsic("arg", &[number], &[], WTypeId::BYTES);
                make.expr(Arc4FromBytes { loc, wtype, value, validate })
            }
        };
        let target = make.expr(VarExpression { loc, wtype, name: arg.name });
        body.push(Stmt::AssignmentStatement(AssignmentStatement { loc, target, value }));
    }
    body.extend_from_slice(function.body.body);
    let arena = ctx.ir.session.arena;
    let body = arena.alloc(Block { body: arena.slice(&body), ..*function.body });
    let mentions = Mentions::of(ctx.wtypes, body);
    arena.alloc(Subroutine { function: Function { args: &[], body, mentions, ..*function } })
}
