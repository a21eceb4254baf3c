//! Joins neighbouring pushes of one type into one op: `pushint 1; pushint 2` -> `pushints 1 2`.

use super::Ctx;
use crate::diagnostics::Outcome;
use crate::teal::model::{Op, OpKind, Program};

/// Joins pushes in every block.
pub(super) fn run(ctx: &Ctx, program: &mut Program) -> Outcome<()> {
    for block in program.blocks_mut() {
        let mut joined = Vec::with_capacity(block.ops.len());
        let mut ops = std::mem::take(&mut block.ops).into_iter().peekable();
        while let Some(first) = ops.next() {
            let push = push_type(&first.kind);
            let mut group = vec![first];
            if push.is_some() {
                while let Some(next) = ops.next_if(|next| push_type(&next.kind) == push) {
                    group.push(next);
                }
            }
            if group.len() < 2 {
                joined.append(&mut group);
            } else {
                joined.push(join(ctx, group));
            }
        }
        block.ops = joined;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum PushType {
    Int,
    Bytes,
}

fn push_type(kind: &OpKind) -> Option<PushType> {
    match kind {
        OpKind::PushInt { .. } => Some(PushType::Int),
        OpKind::PushBytes { .. } => Some(PushType::Bytes),
        _ => None,
    }
}

fn join(ctx: &Ctx, group: Vec<Op>) -> Op {
    let loc = ctx.session.locs.sequential_merge(group.iter().map(|op| op.loc));
    let (mut ints, mut bytes, mut stack) = (Vec::new(), Vec::new(), Vec::new());
    for mut op in group {
        stack.append(&mut op.stack);
        match op.kind {
            OpKind::PushInt { value, comment } => ints.push((value, comment)),
            OpKind::PushBytes { value, encoding, comment } => {
                bytes.push((value, encoding, comment));
            }
            _ => unreachable!("only pushes of one type are grouped"),
        }
    }
    let kind = if bytes.is_empty() { OpKind::PushInts(ints) } else { OpKind::PushBytess(bytes) };
    Op { kind, loc, stack }
}
