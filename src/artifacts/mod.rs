//! Compiled artifacts -> specifications and source maps, and the files that hold them.

pub mod arc32;
pub mod arc56;
pub mod source_map;
pub mod write;

use crate::metadata::ContractMetadata;

/// Room for a specification: its programs in base64, and something of each method.
fn room_for(contract: &ContractMetadata, approval: &str, clear: &str) -> String {
    const METHOD: usize = 2 << 10;
    const REST: usize = 16 << 10;
    let rest = METHOD * contract.methods.len() + REST;
    String::with_capacity(approval.len() + clear.len() + rest)
}

#[cfg(test)]
mod tests;
