//! TEAL -> bytecode, debug map, statistics and report. [`assemble`] is the stage's entry point; the
//! bytecode that other artifacts embed comes from it too.

mod branches;
pub mod debug_map;
mod encode;
pub mod report;
mod salt;
pub mod stats;
mod table;
mod templates;

use std::borrow::Cow;

use crate::avm::ops::OpSpec;
use crate::base::arena::Symbol;
use crate::base::encode::push_varuint;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::options::{CompileOptions, TemplateValue};
use crate::session::Session;
use crate::teal::model::{Op, Program};

use debug_map::DebugInfo;
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
    /// Where ops come from and what they do to the stack.
    pub debug_info: DebugInfo,
    /// Every template variable of the program with its value, if there is one.
    pub template_variables: OrderedMap<Symbol, Option<TemplateValue>>,
    /// Numbers of ops and bytes.
    pub stats: Stats,
    /// Where each op starts, and where the last one ends.
    pub pcs: Vec<u32>,
    /// How many bytes at the end are salt.
    pub salt_len: usize,
}

/// An op with its place in the op table.
struct Lowered<'p> {
    op: &'p Op,
    spec: &'static OpSpec,
    /// Opcode and immediates, but for branch targets.
    bytes: Vec<u8>,
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

    let mut labels = OrderedMap::default();
    let mut lowered = Vec::new();
    for block in program.blocks() {
        if labels.insert(block.label, lowered.len()).is_some() {
            let message = "AssertionError: expected unique block labels";
            return Err(Failure::internal(message, Loc::NONE));
        }
        for op in &block.ops {
            lowered.push(encode::lower(session, &templates, op)?);
        }
    }
    let layout = branches::lay_out(&lowered, &labels, version.len(), program.avm_version)?;

    let mut bytecode = version;
    let mut stats = Stats::default();
    for (index, item) in lowered.iter().enumerate() {
        let start = bytecode.len();
        bytecode.extend_from_slice(&item.bytes);
        layout.push_targets(&mut bytecode, index, item, &labels)?;
        stats.count(item.spec, bytecode.len() - start);
    }
    let salt_len = if program.autosalt { salt::push_salt(&mut bytecode)? } else { 0 };
    if salt_len > 0 {
        stats.count_salt(salt_len);
    }
    let debug_info = debug_map::build(
        session,
        options.debug_level,
        program,
        &layout.pcs,
        templates.is_any_missing(),
    )?;
    Ok(Assembled {
        bytecode,
        debug_info,
        template_variables: templates.into_values(),
        stats,
        pcs: layout.pcs,
        salt_len,
    })
}

/// The message of a failed conversion into a fixed number of bytes, as the reference raises it.
fn range_error(format: char, range: &str) -> Cow<'static, str> {
    format!("error: '{format}' format requires {range}").into()
}

#[cfg(test)]
mod tests;
