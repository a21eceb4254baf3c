//! One op -> opcode and immediates. Branch targets are left to [`super::branches`].

use super::templates::{Templates, push_big_varuint};
use super::{Lowered, range_error};
use crate::avm::ops::{Encoding, Immediate, OpSpec};
use crate::base::encode::push_varuint;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::model::{BlockConstant, Op, OpKind};
use crate::teal::text;

/// Encodes an op but for its targets.
pub(super) fn lower<'p>(
    session: &Session,
    templates: &Templates,
    op: &'p Op,
) -> Outcome<Lowered<'p>> {
    let fail = |message: String| Failure::internal(message, op.loc);
    let code = op.op_code();
    let spec =
        OpSpec::find(code).ok_or_else(|| fail(format!("KeyError: {code:?} is no AVM op")))?;
    let mut bytes = vec![spec.code];
    bytes.extend(spec.sub_code);
    match &op.kind {
        OpKind::Int { .. }
        | OpKind::Byte { .. }
        | OpKind::TemplateInt(_)
        | OpKind::TemplateByte(_) => {
            let text = text::op(session, &op.kind);
            return Err(fail(format!("{text} should have been eliminated during TEAL phase")));
        }
        OpKind::Cover(n)
        | OpKind::Uncover(n)
        | OpKind::Dig(n)
        | OpKind::Bury(n)
        | OpKind::PopN(n)
        | OpKind::DupN(n)
        | OpKind::Store(n) => bytes.push(*n),
        OpKind::FrameDig(n) | OpKind::FrameBury(n) => bytes.push(n.cast_unsigned()),
        OpKind::IntC { index, .. } | OpKind::BytesC { index, .. } => {
            if !spec.immediates.is_empty() {
                bytes.push(*index);
            }
        }
        OpKind::IntBlock(constants) => {
            push_varuint(&mut bytes, constants.len() as u64);
            for constant in constants {
                match constant {
                    BlockConstant::Value(value) => push_varuint(&mut bytes, *value),
                    BlockConstant::Template(name, first_use) => {
                        let value = templates.int(*name, *first_use);
                        push_big_varuint(&mut bytes, &value).ok_or_else(|| {
                            let name = session.text(*name);
                            fail(format!("value of template variable {name} is below zero"))
                        })?;
                    }
                }
            }
        }
        OpKind::BytesBlock(constants) => {
            push_varuint(&mut bytes, constants.len() as u64);
            for constant in constants {
                match constant {
                    BlockConstant::Value((value, _)) => push_bytes(&mut bytes, value),
                    BlockConstant::Template(name, first_use) => {
                        push_bytes(&mut bytes, &templates.bytes(*name, *first_use));
                    }
                }
            }
        }
        OpKind::PushInt { value, .. } => push_varuint(&mut bytes, *value),
        OpKind::PushBytes { value, .. } => push_bytes(&mut bytes, value),
        OpKind::PushInts(values) => {
            push_varuint(&mut bytes, values.len() as u64);
            values.iter().for_each(|(value, _)| push_varuint(&mut bytes, *value));
        }
        OpKind::PushBytess(values) => {
            push_varuint(&mut bytes, values.len() as u64);
            values.iter().for_each(|(value, ..)| push_bytes(&mut bytes, value));
        }
        OpKind::Proto { parameters, returns } => {
            for count in [parameters, returns] {
                let byte = u8::try_from(*count)
                    .map_err(|_| fail(range_error('B', "0 <= number <= 255").into_owned()))?;
                bytes.push(byte);
            }
        }
        OpKind::Intrinsic(intrinsic) => {
            push_immediates(session, op, spec, &intrinsic.immediates, &mut bytes)?;
        }
        OpKind::Switch(targets) | OpKind::Match(targets) => {
            let count = u8::try_from(targets.len())
                .map_err(|_| fail(range_error('B', "0 <= number <= 255").into_owned()))?;
            bytes.push(count);
        }
        OpKind::Branch(_)
        | OpKind::BranchZero(_)
        | OpKind::BranchNonZero(_)
        | OpKind::CallSub { .. }
        | OpKind::Dup
        | OpKind::Dup2
        | OpKind::Pop
        | OpKind::Swap
        | OpKind::Assert { .. }
        | OpKind::Err { .. }
        | OpKind::RetSub { .. }
        | OpKind::Return => {}
    }
    Ok(Lowered { op, spec, bytes })
}

fn push_bytes(out: &mut Vec<u8>, value: &[u8]) {
    push_varuint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn push_immediates(
    session: &Session,
    op: &Op,
    spec: &OpSpec,
    immediates: &[Immediate],
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let fail = |message: String| Failure::internal(message, op.loc);
    if spec.immediates.len() != immediates.len() {
        return Err(fail(format!("Invalid op: {}", text::op(session, &op.kind))));
    }
    for (encoding, immediate) in spec.immediates.iter().zip(immediates) {
        match (encoding, immediate) {
            (Encoding::UInt8, Immediate::Int(value)) => {
                let byte = u8::try_from(*value)
                    .map_err(|_| fail(range_error('B', "0 <= number <= 255").into_owned()))?;
                out.push(byte);
            }
            (Encoding::Int8, Immediate::Int(value)) => {
                let byte = i8::try_from(*value)
                    .map_err(|_| fail(range_error('b', "-128 <= number <= 127").into_owned()))?;
                out.push(byte.cast_unsigned());
            }
            (Encoding::Enum(group), Immediate::Name(name)) => {
                let code = group.code(name).ok_or_else(|| fail(format!("KeyError: '{name}'")))?;
                out.push(code);
            }
            _ => return Err(fail(format!("Invalid op: {}", text::op(session, &op.kind)))),
        }
    }
    Ok(())
}
