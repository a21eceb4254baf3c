//! The Algorand compiler back end: reads AWST (a typed syntax tree in JSON) and produces TEAL, AVM
//! bytecode, ARC-32 and ARC-56 specifications, source maps and reports.
//!
//! Modules stand in pipeline order; dependencies point down only (`tests/architecture.rs` checks it):
//!
//! ```text
//! AWST JSON --json--> tree --awst--> typed tree --ir--> SSA --mir--> stack code --teal--> TEAL
//!      --assemble--> bytecode + debug map --artifacts--> files
//! ```

pub mod artifacts;
pub mod assemble;
pub mod avm;
pub mod awst;
pub mod base;
pub mod cli;
pub mod client;
pub mod compile;
pub mod diagnostics;
pub mod ir;
pub mod json;
pub mod metadata;
pub mod mir;
pub mod options;
pub mod rpc;
pub mod server;
pub mod session;
pub mod teal;
