//! The Algorand virtual machine: operations, named immediates, protocol constants. Data only.

pub mod fields;
pub mod ops;
mod tables;
