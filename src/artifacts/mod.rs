//! Compiled artifacts -> specifications and source maps, and the files that hold them.

pub mod arc32;
pub mod arc56;
pub mod source_map;
pub mod write;

#[cfg(test)]
mod tests;
