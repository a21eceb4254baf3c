//! What a compilation may be told: plain data, filled from the options document (spec 10 §3).

pub mod read;

use std::path::PathBuf;

use crate::base::ordered::OrderedMap;

/// How destructuring merges locals (spec 22 §16.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LocalsCoalescing {
    /// Merge versions of one variable, parameters included.
    #[default]
    RootOperand,
    /// Merge versions of one variable, parameters excluded.
    RootOperandExcludingArgs,
    /// Merge whatever has the same AVM type and does not interfere.
    Aggressive,
}

/// The value of a template variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateValue {
    /// An integer of any size; its range is checked where it is used.
    Int(num_bigint::BigInt),
    /// A byte string.
    Bytes(Vec<u8>),
}

/// Options of one compilation. Field names are the keys of the options document.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each field is described in the README's option table")]
pub struct CompileOptions {
    pub output_teal: bool,
    pub output_source_map: bool,
    pub output_assembly_report: bool,
    pub output_arc32: bool,
    pub output_arc56: bool,
    pub output_ssa_ir: bool,
    pub output_optimization_ir: bool,
    pub output_destructured_ir: bool,
    pub output_memory_ir: bool,
    pub output_bytecode: bool,
    pub output_teal_intermediates: bool,
    pub output_op_statistics: bool,
    pub debug_level: i64,
    pub optimization_level: i64,
    pub treat_warnings_as_errors: bool,
    pub target_avm_version: i64,
    pub cli_template_definitions: OrderedMap<String, TemplateValue>,
    pub template_vars_prefix: String,
    pub locals_coalescing_strategy: LocalsCoalescing,
    pub optimizations_override: OrderedMap<String, bool>,
    pub expand_all_bytes: bool,
    pub validate_abi_args: bool,
    pub validate_abi_return: bool,
    /// Artifact id to output directory, in the order of the document.
    pub compilation_set: OrderedMap<String, PathBuf>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            output_teal: false,
            output_source_map: false,
            output_assembly_report: false,
            output_arc32: false,
            output_arc56: false,
            output_ssa_ir: false,
            output_optimization_ir: false,
            output_destructured_ir: false,
            output_memory_ir: false,
            output_bytecode: false,
            output_teal_intermediates: false,
            output_op_statistics: false,
            debug_level: 1,
            optimization_level: 1,
            treat_warnings_as_errors: false,
            target_avm_version: 11,
            cli_template_definitions: OrderedMap::default(),
            template_vars_prefix: "TMPL_".to_owned(),
            locals_coalescing_strategy: LocalsCoalescing::RootOperand,
            optimizations_override: OrderedMap::default(),
            expand_all_bytes: false,
            validate_abi_args: true,
            validate_abi_return: true,
            compilation_set: OrderedMap::default(),
        }
    }
}
