//! Compiled artifacts -> specifications and source maps, and the files that hold them.

pub mod arc32;
pub mod arc56;
pub mod source_map;
pub mod write;

/// Room for a specification: for its programs in base64, mostly.
fn room_for(approval: &str, clear: &str) -> String {
    const REST: usize = 16 << 10;
    String::with_capacity(approval.len() + clear.len() + REST)
}

#[cfg(test)]
mod tests;
