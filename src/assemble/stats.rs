//! Numbers of ops and bytes by kind of op.

use crate::avm::ops::{Encoding, OpSpec, SpecId};
use crate::base::text::with_decimal;

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    ControlFlow,
    Stack,
    Other,
}

const NAMES: [&str; 4] = ["constant", "control_flow", "stack", "other"];

/// Bytes and ops of each instruction.
pub(super) struct InstructionCounts([(u32, u32); OpSpec::COUNT]);

impl InstructionCounts {
    /// Nothing counted.
    pub(super) fn new() -> Self {
        Self([(0, 0); OpSpec::COUNT])
    }
    /// Adds an op.
    pub(super) fn add(&mut self, spec: SpecId, bytes: usize) {
        let count = &mut self.0[spec.index()];
        count.0 += bytes as u32;
        count.1 += 1;
    }
}

/// Bytes and ops of each kind.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    counts: [(usize, usize); NAMES.len()],
}

impl Stats {
    /// The numbers of a program from those of its instructions.
    pub(super) fn of(counts: &InstructionCounts) -> Self {
        let mut stats = Self::default();
        for (spec, (bytes, ops)) in OpSpec::all().iter().zip(counts.0) {
            if ops > 0 {
                stats.add(kind(spec), bytes as usize, ops as usize);
            }
        }
        stats
    }
    /// Adds the salt, which is a constant block.
    pub(super) fn count_salt(&mut self, bytes: usize) {
        self.add(Kind::Constant, bytes, 1);
    }
    fn add(&mut self, kind: Kind, bytes: usize, ops: usize) {
        let count = &mut self.counts[kind as usize];
        count.0 += bytes;
        count.1 += ops;
    }
    /// Names and numbers in output order.
    pub fn entries(&self) -> Vec<(String, usize)> {
        // PARITY: the version counts as one byte whatever its size.
        let total_bytes = 1 + self.counts.iter().map(|(bytes, _)| bytes).sum::<usize>();
        let total_ops = self.counts.iter().map(|(_, ops)| ops).sum();
        let mut entries =
            vec![("total_bytes".to_owned(), total_bytes), ("total_ops".to_owned(), total_ops)];
        for (name, (bytes, ops)) in NAMES.iter().zip(self.counts) {
            entries.push(([name, "_bytes"].concat(), bytes));
            entries.push(([name, "_ops"].concat(), ops));
        }
        entries
    }
    /// One line per number, without a line end after the last.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.entries() {
            out.push_str(if out.is_empty() { "" } else { "\n" });
            out.push_str(&name);
            out.push_str(" = ");
            with_decimal(value as u64, |digits| out.push_str(digits));
        }
        out
    }
}

fn kind(spec: &OpSpec) -> Kind {
    let branches = |encoding: &Encoding| matches!(encoding, Encoding::Label | Encoding::Labels);
    if spec.immediates.iter().any(branches) {
        return Kind::ControlFlow;
    }
    if ["intc", "bytec", "push"].iter().any(|prefix| spec.name.starts_with(prefix)) {
        return Kind::Constant;
    }
    match spec.name {
        "popn" | "dupn" | "pop" | "dup" | "dup2" | "dig" | "bury" | "swap" | "cover"
        | "uncover" | "frame_dig" | "frame_bury" => Kind::Stack,
        _ => Kind::Other,
    }
}
