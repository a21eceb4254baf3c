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
    let mut branches = Vec::new();
    let mut sizes = Vec::with_capacity(code.ops.len());
    for (index, item) in code.ops.iter().enumerate() {
        let targets = match &item.op.kind {
            OpKind::Switch(targets) | OpKind::Match(targets) => targets.len() * DISTANCE_LEN,
            kind => match single_target(kind) {
                Some(target) if varint => {
                    branches.push((index, target));
                    VARINT_DISTANCE_MAX
                }
                Some(_) => DISTANCE_LEN,
                None => 0,
            },
        };
        sizes.push(code.bytes_of(index).len() + targets);
    }
    loop {
        let pcs = running_sums(&sizes, start);
        // Sizes change for the next round only: within one all branches see the same positions.
        let mut changed = false;
        for &(index, target) in &branches {
            let item = &code.ops[index];
            let size = code.bytes_of(index).len();
            let fail = |message| Err(Failure::internal(message, item.op.loc));
            let destination = pcs[destination(labels, target)];
            if destination == pcs[index] {
                let code = item.spec.spec().name;
                return fail(format!(
                    "jump '{code}' to start of same instruction cannot be encoded"
                ));
            }
            let needed = varint_bytes(varint_distance(&pcs, index, destination)).len();
            if needed > VARINT_DISTANCE_MAX {
                return fail(format!(
                    "branch target for {} is too far away",
                    item.spec.spec().name
                ));
            }
            if size + needed < sizes[index] {
                sizes[index] = size + needed;
                changed = true;
            }
        }
        if !changed {
            return Ok(Layout { pcs, varint });
        }
    }
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

fn running_sums(sizes: &[usize], start: usize) -> Vec<u32> {
    let position = |at: usize| u32::try_from(at).expect("programs are smaller than 4 GiB");
    let mut pcs = Vec::with_capacity(sizes.len() + 1);
    pcs.push(position(start));
    let mut at = start;
    for size in sizes {
        at += size;
        pcs.push(position(at));
    }
    pcs
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
