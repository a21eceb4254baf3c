//! One op -> opcode and immediates. Branch targets are left to [`super::branches`].

use super::range_error;
use super::templates::{Templates, push_big_varuint};
use crate::avm::ops::{Encoding, Immediate, OpSpec, SpecId};
use crate::base::encode::push_varuint;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::model::{BlockConstant, Op, OpKind};
use crate::teal::text;

/// Appends the bytes of an op but for its targets.
pub(super) fn encode(
    session: &Session,
    templates: &Templates,
    op: &Op,
    bytes: &mut Vec<u8>,
) -> Outcome<SpecId> {
    let fail = |message: String| Failure::internal(message, op.loc);
    let id = spec_id(&op.kind).ok_or_else(|| {
        let code = op.op_code();
        fail(format!("KeyError: {code:?} is no AVM op"))
    })?;
    let spec = id.spec();
    bytes.push(spec.code);
    bytes.extend(spec.sub_code);
    match &op.kind {
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
            push_varuint(bytes, constants.len() as u64);
            for constant in constants {
                match constant {
                    BlockConstant::Value(value) => push_varuint(bytes, *value),
                    BlockConstant::Template(name, first_use) => {
                        let value = templates.int(*name, *first_use);
                        push_big_varuint(bytes, &value).ok_or_else(|| {
                            let name = session.text(*name);
                            fail(format!("value of template variable {name} is below zero"))
                        })?;
                    }
                }
            }
        }
        OpKind::BytesBlock(constants) => {
            push_varuint(bytes, constants.len() as u64);
            for constant in constants {
                match constant {
                    BlockConstant::Value((value, _)) => push_bytes(bytes, value),
                    BlockConstant::Template(name, first_use) => {
                        push_bytes(bytes, &templates.bytes(*name, *first_use));
                    }
                }
            }
        }
        OpKind::PushInt { value, .. } => push_varuint(bytes, *value),
        OpKind::PushBytes { value, .. } => push_bytes(bytes, value),
        OpKind::PushInts(values) => {
            push_varuint(bytes, values.len() as u64);
            values.iter().for_each(|(value, _)| push_varuint(bytes, *value));
        }
        OpKind::PushBytess(values) => {
            push_varuint(bytes, values.len() as u64);
            values.iter().for_each(|(value, ..)| push_bytes(bytes, value));
        }
        OpKind::Proto { parameters, returns } => {
            for count in [parameters, returns] {
                let byte = u8::try_from(*count)
                    .map_err(|_| fail(range_error('B', "0 <= number <= 255").into_owned()))?;
                bytes.push(byte);
            }
        }
        OpKind::Intrinsic(intrinsic) => {
            push_immediates(session, op, spec, &intrinsic.immediates, bytes)?;
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
        | OpKind::Int { .. }
        | OpKind::Byte { .. }
        | OpKind::TemplateInt(_)
        | OpKind::TemplateByte(_)
        | OpKind::Dup
        | OpKind::Dup2
        | OpKind::Pop
        | OpKind::Swap
        | OpKind::Assert { .. }
        | OpKind::Err { .. }
        | OpKind::RetSub { .. }
        | OpKind::Return => {}
    }
    Ok(id)
}

/// The instruction of an op; none for the pseudo-ops that constants are before they are gathered.
fn spec_id(kind: &OpKind) -> Option<SpecId> {
    const INTC: [SpecId; 5] = [
        SpecId::named("intc_0"),
        SpecId::named("intc_1"),
        SpecId::named("intc_2"),
        SpecId::named("intc_3"),
        SpecId::named("intc"),
    ];
    const BYTEC: [SpecId; 5] = [
        SpecId::named("bytec_0"),
        SpecId::named("bytec_1"),
        SpecId::named("bytec_2"),
        SpecId::named("bytec_3"),
        SpecId::named("bytec"),
    ];
    Some(match kind {
        OpKind::Dup => const { SpecId::named("dup") },
        OpKind::Dup2 => const { SpecId::named("dup2") },
        OpKind::Pop => const { SpecId::named("pop") },
        OpKind::Swap => const { SpecId::named("swap") },
        OpKind::Cover(_) => const { SpecId::named("cover") },
        OpKind::Uncover(_) => const { SpecId::named("uncover") },
        OpKind::Dig(_) => const { SpecId::named("dig") },
        OpKind::Bury(_) => const { SpecId::named("bury") },
        OpKind::PopN(_) => const { SpecId::named("popn") },
        OpKind::DupN(_) => const { SpecId::named("dupn") },
        OpKind::FrameDig(_) => const { SpecId::named("frame_dig") },
        OpKind::FrameBury(_) => const { SpecId::named("frame_bury") },
        OpKind::Store(_) => const { SpecId::named("store") },
        OpKind::Int { .. }
        | OpKind::Byte { .. }
        | OpKind::TemplateInt(_)
        | OpKind::TemplateByte(_) => return None,
        OpKind::IntBlock(_) => const { SpecId::named("intcblock") },
        OpKind::BytesBlock(_) => const { SpecId::named("bytecblock") },
        OpKind::IntC { index, .. } => INTC[usize::from((*index).min(4))],
        OpKind::BytesC { index, .. } => BYTEC[usize::from((*index).min(4))],
        OpKind::PushInt { .. } => const { SpecId::named("pushint") },
        OpKind::PushBytes { .. } => const { SpecId::named("pushbytes") },
        OpKind::PushInts(_) => const { SpecId::named("pushints") },
        OpKind::PushBytess(_) => const { SpecId::named("pushbytess") },
        OpKind::Proto { .. } => const { SpecId::named("proto") },
        OpKind::Intrinsic(intrinsic) => intrinsic.op.spec(),
        OpKind::Assert { .. } => const { SpecId::named("assert") },
        OpKind::Err { .. } => const { SpecId::named("err") },
        OpKind::RetSub { .. } => const { SpecId::named("retsub") },
        OpKind::Return => const { SpecId::named("return") },
        OpKind::Branch(_) => const { SpecId::named("b") },
        OpKind::BranchZero(_) => const { SpecId::named("bz") },
        OpKind::BranchNonZero(_) => const { SpecId::named("bnz") },
        OpKind::Switch(_) => const { SpecId::named("switch") },
        OpKind::Match(_) => const { SpecId::named("match") },
        OpKind::CallSub { .. } => const { SpecId::named("callsub") },
    })
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
