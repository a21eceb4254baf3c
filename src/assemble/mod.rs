//! TEAL -> bytecode, debug map, statistics and report. [`assemble`] is the stage's entry point; the
//! bytecode that other artifacts embed comes from it too.

mod branches;
pub mod debug_map;
mod encode;
pub mod names;
pub mod report;
mod salt;
pub mod stats;
mod table;
mod templates;

use std::borrow::Cow;

use crate::avm::ops::SpecId;
use crate::base::arena::Symbol;
use crate::base::encode::push_varuint;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::options::{CompileOptions, TemplateValue};
use crate::session::Session;
use crate::teal::model::{Op, OpKind, Program};

use stats::Stats;

/// Values of template variables by full name, and where they are given.
pub type TemplateConstants = OrderedMap<String, (TemplateValue, Loc)>;

/// What the bytecode is for.
#[derive(Clone, Copy)]
pub enum Purpose<'p> {
    /// The artifact's own output. `id` is the artifact's; a missing template value is a mistake only
    /// when bytecode is written for it.
    Output {
        /// Full id of the artifact.
        id: &'p str,
    },
    /// To be embedded in another program, with these values on top of those of the options.
    Reference(&'p TemplateConstants),
}

/// An assembled program.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The bytecode, salt included.
    pub bytecode: Vec<u8>,
    /// Every template variable of the program with its value, if there is one.
    pub template_variables: OrderedMap<Symbol, Option<TemplateValue>>,
    /// Numbers of ops and bytes.
    pub stats: Stats,
    /// Where each op starts, and where the last one ends.
    pub pcs: Vec<u32>,
    /// How many constant blocks positions in debug maps do not count, as their size is open.
    pub op_pc_offset: usize,
    /// Messages of ops that may fail, by position as debug maps count.
    pub errors: Vec<(u32, Symbol)>,
    /// How many bytes at the end are salt.
    pub salt_len: usize,
}

impl Assembled {
    /// Where the first op starts that debug maps show.
    fn pc_offset(&self) -> u32 {
        if self.op_pc_offset > 0 { self.pcs[self.op_pc_offset] } else { 0 }
    }
}

/// The ops of a program in order, encoded but for branch targets.
struct Encoded<'p> {
    ops: Vec<Lowered<'p>>,
    bytes: Vec<u8>,
    /// Which ops have targets.
    branches: Vec<usize>,
}

/// An op with its place in the op table.
struct Lowered<'p> {
    op: &'p Op,
    spec: SpecId,
    /// Where its opcode and immediates end among the bytes.
    end: usize,
}

/// Assembles a program. Mistakes in template values are reported and assembling goes on with dummies.
pub fn assemble(
    session: &Session,
    options: &CompileOptions,
    program: &Program,
    purpose: Purpose,
) -> Outcome<Assembled> {
    let templates = templates::Templates::new(session, options, program, purpose);
    let mut version = Vec::new();
    push_varuint(&mut version, program.avm_version as u64);

    let (block_count, op_count) =
        program.blocks().fold((0, 0), |(blocks, ops), block| (blocks + 1, ops + block.ops.len()));
    let mut labels = LookupMap::with_capacity(block_count);
    // most ops take a byte or two, and some the bytes of a constant
    let mut code = Encoded {
        ops: Vec::with_capacity(op_count),
        bytes: Vec::with_capacity(4 * op_count),
        branches: Vec::with_capacity(block_count),
    };
    for block in program.blocks() {
        if labels.insert(block.label, code.ops.len()).is_some() {
            let message = "AssertionError: expected unique block labels";
            return Err(Failure::internal(message, Loc::NONE));
        }
        for op in &block.ops {
            let spec = encode::encode(session, &templates, op, &mut code.bytes)?;
            if branches::has_targets(&op.kind) {
                code.branches.push(code.ops.len());
            }
            code.ops.push(Lowered { op, spec, end: code.bytes.len() });
        }
    }
    let layout = branches::lay_out(&code, &labels, version.len(), program.avm_version)?;

    let mut bytecode = version;
    bytecode.reserve(layout.pcs.last().map_or(0, |end| *end as usize));
    let mut done = 0;
    for &index in &code.branches {
        let item = &code.ops[index];
        bytecode.extend_from_slice(&code.bytes[done..item.end]);
        layout.push_targets(&mut bytecode, index, item, &labels)?;
        done = item.end;
    }
    bytecode.extend_from_slice(&code.bytes[done..]);
    let mut stats = Stats::default();
    for (item, span) in code.ops.iter().zip(layout.pcs.array_windows()) {
        let [start, end] = span;
        stats.add_op(item.spec, (end - start) as usize);
    }
    let salt_len = if program.autosalt { salt::push_salt(&mut bytecode)? } else { 0 };
    if salt_len > 0 {
        stats.add_salt(salt_len);
    }
    let op_pc_offset = if templates.is_any_missing() { constant_blocks(&code) } else { 0 };
    let mut assembled = Assembled {
        bytecode,
        template_variables: templates.into_values(),
        stats,
        pcs: layout.pcs,
        op_pc_offset,
        errors: Vec::new(),
        salt_len,
    };
    let offset = assembled.pc_offset();
    let ops = code.ops.iter().zip(&assembled.pcs).skip(op_pc_offset);
    assembled.errors = ops
        .filter_map(|(item, pc)| Some((pc - offset, debug_map::error_message(session, item.op)?)))
        .collect();
    Ok(assembled)
}

/// How many constant blocks the program starts with; a program of nothing else counts as none.
fn constant_blocks(code: &Encoded) -> usize {
    let is_block = |kind: &OpKind| matches!(kind, OpKind::IntBlock(_) | OpKind::BytesBlock(_));
    let count = code.ops.iter().take_while(|item| is_block(&item.op.kind)).count();
    if count < code.ops.len() { count } else { 0 }
}

/// The message of a failed conversion into a fixed number of bytes, as the reference raises it.
fn range_error(format: char, range: &str) -> Cow<'static, str> {
    format!("error: '{format}' format requires {range}").into()
}

#[cfg(test)]
mod tests;
