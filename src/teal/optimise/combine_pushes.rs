//! Joins neighbouring pushes of one type into one op: `pushint 1; pushint 2` -> `pushints 1 2`.

use super::Ctx;
use super::replace::{Sweep, flatten};
use crate::diagnostics::Outcome;
use crate::teal::model::{Op, OpKind, Program};

/// Joins pushes in every block.
pub(super) fn run(ctx: &Ctx, program: &mut Program) -> Outcome<()> {
    for block in program.blocks_mut() {
        let mut sweep = Sweep::new(&mut block.ops);
        while let [first, ..] = sweep.rest() {
            let push = push_type(&first.kind);
            let is_alike = |op: &&Op| push.is_some() && push_type(&op.kind) == push;
            let count = sweep.rest().iter().take_while(is_alike).count();
            if count > 1 {
                let joined = join(ctx, &sweep.rest()[..count]);
                sweep.put(count, vec![joined]);
            }
            sweep.keep(1);
        }
        sweep.finish();
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

fn join(ctx: &Ctx, group: &[Op]) -> Op {
    let loc = ctx.session.locs.sequential_merge(group.iter().map(|op| op.loc));
    let (mut ints, mut bytes) = (Vec::new(), Vec::new());
    for op in group {
        match &op.kind {
            OpKind::PushInt { value, comment } => ints.push((*value, *comment)),
            OpKind::PushBytes { value, encoding, comment } => {
                bytes.push((value.clone(), *encoding, *comment));
            }
            _ => unreachable!("only pushes of one type are grouped"),
        }
    }
    let stack = flatten(&mut ctx.manipulations.borrow_mut(), group);
    let kind = if bytes.is_empty() { OpKind::PushInts(ints) } else { OpKind::PushBytess(bytes) };
    Op { kind, loc, stack }
}
