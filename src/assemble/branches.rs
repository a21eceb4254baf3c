//! Sizes of ops -> positions and branch distances. From version 13 on a branch takes as few bytes as its
//! distance needs, which depends on the sizes of other branches.

use super::{Encoded, Lowered, range_error};
use crate::base::arena::Symbol;
use crate::base::encode::push_varuint;
use crate::base::ordered::LookupMap;
use crate::diagnostics::{Failure, Outcome};
use crate::teal::model::OpKind;

/// First version that encodes the distances of single branches as signed varints.
const VARINT_BRANCH_VERSION: i64 = 13;
/// Bytes a varint distance takes at most; every branch starts with it and only shrinks.
const VARINT_DISTANCE_MAX: usize = 3;
/// Bytes of a distance that is not a varint.
const DISTANCE_LEN: usize = 2;

/// Label -> index of the op it stands before.
pub(super) type Labels = LookupMap<Symbol, usize>;

/// An op with targets.
struct Branch {
    /// Its place among the ops.
    index: usize,
    /// How many bytes its targets take.
    len: usize,
}

/// Positions of all ops.
pub(super) struct Layout {
    /// Where each op starts, and where the last one ends.
    pub(super) pcs: Vec<u32>,
    varint: bool,
}

/// Finds the positions of ops that start at `start`.
pub(super) fn lay_out(
    code: &Encoded,
    labels: &Labels,
    start: usize,
    avm_version: i64,
) -> Outcome<Layout> {
    let varint = avm_version >= VARINT_BRANCH_VERSION;
    let mut branches: Vec<Branch> = Vec::with_capacity(code.branches.len());
    branches.extend(code.branches.iter().map(|&index| {
        let len = match &code.ops[index].op.kind {
            OpKind::Switch(targets) | OpKind::Match(targets) => targets.len() * DISTANCE_LEN,
            _ if varint => VARINT_DISTANCE_MAX,
            _ => DISTANCE_LEN,
        };
        Branch { index, len }
    }));
    loop {
        let pcs = positions(code, &branches, start);
        // Sizes change for the next round only: within one all branches see the same positions.
        let mut changed = false;
        for branch in branches.iter_mut().filter(|_| varint) {
            let item = &code.ops[branch.index];
            let Some(target) = single_target(&item.op.kind) else { continue };
            let fail = |message| Err(Failure::internal(message, item.op.loc));
            let destination = pcs[destination(labels, target)];
            if destination == pcs[branch.index] {
                let code = item.spec.spec().name;
                return fail(format!(
                    "jump '{code}' to start of same instruction cannot be encoded"
                ));
            }
            let needed = varint_bytes(varint_distance(&pcs, branch.index, destination)).len();
            if needed > VARINT_DISTANCE_MAX {
                return fail(format!(
                    "branch target for {} is too far away",
                    item.spec.spec().name
                ));
            }
            if needed < branch.len {
                branch.len = needed;
                changed = true;
            }
        }
        if !changed {
            return Ok(Layout { pcs, varint });
        }
    }
}

/// Where each op starts, and where the last one ends.
fn positions(code: &Encoded, branches: &[Branch], start: usize) -> Vec<u32> {
    let total = start + code.bytes.len() + branches.iter().map(|branch| branch.len).sum::<usize>();
    assert!(u32::try_from(total).is_ok(), "programs are smaller than 4 GiB");
    let mut pcs = Vec::with_capacity(code.ops.len() + 1);
    pcs.push(start as u32);
    let (mut done, mut before) = (0, start);
    for branch in branches {
        // up to the branch, whose targets come behind its other bytes
        let ops = &code.ops[done..branch.index];
        pcs.extend(ops.iter().map(|item| (before + item.end) as u32));
        before += branch.len;
        pcs.push((before + code.ops[branch.index].end) as u32);
        done = branch.index + 1;
    }
    pcs.extend(code.ops[done..].iter().map(|item| (before + item.end) as u32));
    pcs
}

impl Layout {
    /// Appends the distances to the targets of an op.
    pub(super) fn push_targets(
        &self,
        out: &mut Vec<u8>,
        index: usize,
        item: &Lowered,
        labels: &Labels,
    ) -> Outcome<()> {
        let end = i64::from(self.pcs[index + 1]);
        let mut push_distance = |target: Symbol| {
            let distance = i64::from(self.pcs[destination(labels, target)]) - end;
            let bytes = i16::try_from(distance).map_err(|_| {
                let message = range_error('h', "-32768 <= number <= 32767");
                Failure::internal(message, item.op.loc)
            })?;
            out.extend(bytes.to_be_bytes());
            Ok(())
        };
        match &item.op.kind {
            OpKind::Switch(targets) | OpKind::Match(targets) => {
                targets.iter().try_for_each(|target| push_distance(*target))
            }
            kind => match single_target(kind) {
                Some(target) if self.varint => {
                    let destination = self.pcs[destination(labels, target)];
                    out.extend(varint_bytes(varint_distance(&self.pcs, index, destination)));
                    Ok(())
                }
                Some(target) => push_distance(target),
                None => Ok(()),
            },
        }
    }
}

/// Whether targets follow the immediates of an op.
pub(super) fn has_targets(kind: &OpKind) -> bool {
    matches!(kind, OpKind::Switch(_) | OpKind::Match(_)) || single_target(kind).is_some()
}

fn single_target(kind: &OpKind) -> Option<Symbol> {
    match kind {
        OpKind::Branch(target)
        | OpKind::BranchZero(target)
        | OpKind::BranchNonZero(target)
        | OpKind::CallSub { target, .. } => Some(*target),
        _ => None,
    }
}

fn destination(labels: &Labels, target: Symbol) -> usize {
    *labels.get(&target).expect("every target is a block of the program")
}

/// Backward from the start of the op, forward from its end.
fn varint_distance(pcs: &[u32], index: usize, destination: u32) -> i64 {
    let (start, end) = (pcs[index], pcs[index + 1]);
    let from = if destination < start { start } else { end };
    i64::from(destination) - i64::from(from)
}

fn varint_bytes(distance: i64) -> Vec<u8> {
    let mut out = Vec::new();
    push_varuint(&mut out, (distance << 1 ^ distance >> 63).cast_unsigned());
    out
}
