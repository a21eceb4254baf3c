//! JSON in Python's dialect: [`read`] makes a [`tree`] of distinct values out of a text, [`value`] is
//! the owned tree we build ourselves, [`coerce`] converts scalars as Python does, [`write`] renders a
//! tree with the reference's layouts.

mod build;
mod chunk;
pub mod coerce;
mod likely;
mod open;
pub mod read;
mod rows;
pub mod tree;
pub mod value;
mod vocabulary;
pub mod write;

pub use read::{DEPTH_MAX, ReadError, is_integer, read, read_knowing};
pub use rows::Member;
pub use tree::{Items, Json, Kind, Members};
pub use value::Value;
pub use vocabulary::{Row, Start, Vocabulary};
pub use write::Layout;
