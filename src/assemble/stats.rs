//! Numbers of ops and bytes by kind of op.

use crate::avm::ops::{Encoding, OpSpec, SpecId};
use crate::base::text::push_decimal;

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    ControlFlow,
    Stack,
    Other,
}

/// Names of the numbers in output order: of the whole program, then of each kind.
const NAMES: [&str; 10] = [
    "total_bytes",
    "total_ops",
    "constant_bytes",
    "constant_ops",
    "control_flow_bytes",
    "control_flow_ops",
    "stack_bytes",
    "stack_ops",
    "other_bytes",
    "other_ops",
];

/// Bytes and ops of each kind.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    counts: [(usize, usize); 4],
}

impl Stats {
    /// Adds an op of the program.
    pub(super) fn add_op(&mut self, spec: SpecId, bytes: usize) {
        self.add(KINDS[spec.index()], bytes);
    }
    /// Adds the salt, which is a constant block.
    pub(super) fn add_salt(&mut self, bytes: usize) {
        self.add(Kind::Constant, bytes);
    }
    fn add(&mut self, kind: Kind, bytes: usize) {
        let count = &mut self.counts[kind as usize];
        count.0 += bytes;
        count.1 += 1;
    }
    /// Names and numbers in output order.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, usize)> + use<> {
        // PARITY: the version counts as one byte whatever its size.
        let total = self.counts.iter().fold((1, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let [constant, control_flow, stack, other] = self.counts;
        let pairs = [total, constant, control_flow, stack, other];
        NAMES.into_iter().zip(pairs.into_iter().flat_map(|(bytes, ops)| [bytes, ops]))
    }
    /// One line per number, without a line end after the last.
    pub fn render(&self) -> String {
        // a name and a short number each
        let mut out = String::with_capacity(24 * NAMES.len());
        for (name, value) in self.entries() {
            out.push_str(if out.is_empty() { "" } else { "\n" });
            out.push_str(name);
            out.push_str(" = ");
            push_decimal(&mut out, value as u64);
        }
        out
    }
}

/// The kind of each instruction.
static KINDS: [Kind; OpSpec::COUNT] = {
    let mut kinds = [Kind::Other; OpSpec::COUNT];
    let mut index = 0;
    while index < kinds.len() {
        kinds[index] = kind(&OpSpec::all()[index]);
        index += 1;
    }
    kinds
};

const fn kind(spec: &OpSpec) -> Kind {
    if let [.., Encoding::Label | Encoding::Labels] = spec.immediates {
        return Kind::ControlFlow;
    }
    match spec.name.as_bytes() {
        [b'i', b'n', b't', b'c', ..]
        | [b'b', b'y', b't', b'e', b'c', ..]
        | [b'p', b'u', b's', b'h', ..] => Kind::Constant,
        b"popn" | b"dupn" | b"pop" | b"dup" | b"dup2" | b"dig" | b"bury" | b"swap" | b"cover"
        | b"uncover" | b"frame_dig" | b"frame_bury" => Kind::Stack,
        _ => Kind::Other,
    }
}
