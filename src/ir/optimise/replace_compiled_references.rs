//! Puts facts of other compilation targets in the place of references to them: program pages, state
//! totals, the address of a logic signature. Values of template variables must be constants by then.
//!
//! The reference never reports a change here, so whether the constants are folded further depends on
//! another pass asking for one more round.

use crate::avm::fields::{HASH_PREFIX_PROGRAM, MAX_APP_PAGE_SIZE, MAX_BYTES_LENGTH, TxnField};
use crate::base::arena::Symbol;
use crate::base::encode::{address_of, sha512_256};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::{Node, ProgramKind, Subroutine};
use crate::ir::op::{BytesEncoding, Constant, Value};
use crate::ir::pool::{CompiledField, CompiledRef, CompiledRefId};
use crate::ir::types::IrType;
use crate::options::TemplateValue;

use super::constant_bytes::constant_bytes;
use super::{PassCtx, TemplateConstant};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    if !ctx.ir.pool.has_compiled_refs() {
        return Ok(false);
    }
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let nodes: Vec<Node> =
            sub.nodes(block).filter(|node| has_reference(sub, ctx, *node)).collect();
        for node in nodes {
            replace(sub, ctx, node)?;
            sub.touch();
        }
    }
    // PARITY: never a change
    Ok(false)
}

fn has_reference(sub: &Subroutine, ctx: &PassCtx<'_, '_>, node: Node) -> bool {
    let mut found = false;
    let mut check = |value: &Value| found |= matches!(value, Value::Compiled(..));
    match node {
        Node::Phi(_) => {}
        Node::Op(op) => sub.ops[op].visit_reads(ctx.ir.pool, &mut check),
        Node::Terminator(block) => {
            sub.blocks[block].terminator().visit_reads(ctx.ir.pool, &mut check);
        }
    }
    found
}

fn replace(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>, node: Node) -> Outcome<()> {
    let mut failure = None;
    let mut swap = |value: Value| match value {
        Value::Compiled(id, loc) if failure.is_none() => match resolve(ctx, id, loc) {
            Ok(resolved) => resolved.unwrap_or(value),
            Err(error) => {
                failure = Some(error);
                value
            }
        },
        other => other,
    };
    match node {
        Node::Phi(_) => {}
        // not the references among the template values of another reference
        Node::Op(op) => sub.ops[op].for_each_operand_mut(&mut |value| *value = swap(*value)),
        Node::Terminator(block) => sub.map_terminator_reads(ctx.ir, block, &mut swap),
    }
    failure.map_or(Ok(()), Err)
}

/// The constant a reference stands for; none while template values are not constants.
fn resolve(ctx: &PassCtx<'_, '_>, id: CompiledRefId, loc: Loc) -> Outcome<Option<Value>> {
    let reference = ctx.ir.pool.compiled_ref(id);
    if let CompiledField::Contract { field, .. } = reference.field
        && let Some(total) = state_total(ctx, reference.artifact, field)?
    {
        return Ok(Some(Value::uint64(total, loc)));
    }
    let Some(template_values) = template_constants(ctx, &reference)? else { return Ok(None) };
    let bytecode = |kind| ctx.compiled.bytecode(reference.artifact, kind, &template_values);
    match reference.field {
        CompiledField::LogicSigAddress => {
            let mut signed = HASH_PREFIX_PROGRAM.to_vec();
            signed.extend_from_slice(&bytecode(ProgramKind::LogicSignature)?);
            let text = ctx.ir.sym(&address_of(&sha512_256(&signed)));
            Ok(Some(Value::Constant(Constant::Address { text, ty: IrType::Account }, loc)))
        }
        CompiledField::Contract {
            field: field @ (TxnField::ApprovalProgramPages | TxnField::ClearStateProgramPages),
            program_page,
        } => {
            let Some(page) = program_page else {
                return Err(Failure::internal("expected non-none value for page", loc));
            };
            let kind = if field == TxnField::ApprovalProgramPages {
                ProgramKind::Approval
            } else {
                ProgramKind::Clear
            };
            let bytecode = bytecode(kind)?;
            let page = bytecode.chunks(MAX_BYTES_LENGTH).nth(page as usize).unwrap_or_default();
            Ok(Some(Value::bytes(ctx.ir.pool, page, BytesEncoding::Base64, loc)))
        }
        CompiledField::Contract { field: TxnField::ExtraProgramPages, .. } => {
            let size = bytecode(ProgramKind::Approval)?.len() + bytecode(ProgramKind::Clear)?.len();
            let pages = size.saturating_sub(1) / MAX_APP_PAGE_SIZE;
            Ok(Some(Value::uint64(pages as u64, loc)))
        }
        CompiledField::Contract { field, .. } => {
            let message = format!("Unhandled compiled reference field: {}", field.name());
            Err(Failure::internal(message, loc))
        }
    }
}

fn state_total(ctx: &PassCtx<'_, '_>, artifact: Symbol, field: TxnField) -> Outcome<Option<u64>> {
    let totals = || ctx.compiled.state_totals(artifact);
    Ok(Some(match field {
        TxnField::GlobalNumUint => totals()?.global_uints,
        TxnField::GlobalNumByteSlice => totals()?.global_bytes,
        TxnField::LocalNumUint => totals()?.local_uints,
        TxnField::LocalNumByteSlice => totals()?.local_bytes,
        _ => return Ok(None),
    }))
}

/// The template values, when all are constants.
fn template_constants(
    ctx: &PassCtx<'_, '_>,
    reference: &CompiledRef<'_>,
) -> Outcome<Option<Vec<TemplateConstant>>> {
    let constants: Option<Vec<(Symbol, Constant, Loc)>> = reference
        .template_variables
        .iter()
        .map(|(name, value)| value.constant().map(|constant| (*name, constant, value.loc())))
        .collect();
    let Some(constants) = constants else { return Ok(None) };
    let values = constants.into_iter().map(|(name, constant, loc)| {
        let value = match constant {
            Constant::UInt64 { value, .. } => TemplateValue::Int(value.into()),
            Constant::Itxn { .. } => {
                let message = "inner transactions cannot be used as a template variable";
                return Err(Failure::code(message, loc));
            }
            other => match constant_bytes(ctx.ir, other) {
                Some(bytes) => TemplateValue::Bytes(ctx.ir.pool.bytes(bytes).to_vec()),
                None => return Err(Failure::internal("unhandled constant type", loc)),
            },
        };
        Ok(TemplateConstant { name, value, loc })
    });
    values.collect::<Outcome<_>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_answer;

    #[test]
    fn facts_of_other_artifacts_become_constants_without_a_change_reported() {
        check_answer(
            "replace_compiled_references",
            r#"
            main m:
                block@0: // L1
                    let a#0: bytes = compiled_contract('ab', field=ApprovalProgramPages, program_page=0)
                    let b#0: uint64 = compiled_contract('ab', field=LocalNumUint, program_page=None)
                    let c#0: uint64 = compiled_contract('ab', field=ExtraProgramPages, program_page=None, TMPL_X=1u)
                    let d#0: account = compiled_logicsig('ab', TMPL_X=b#0)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: bytes = YWI=
                    let b#0: uint64 = 3u
                    let c#0: uint64 = 0u
                    let d#0: account = compiled_logicsig('ab', TMPL_X=b#0)
                    exit 1u
            "#,
            false,
        );
    }
}
