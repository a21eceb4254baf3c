//! JSON in Python's dialect: [`read`] makes a borrowed tree out of a text, [`value`] is the owned
//! tree we build ourselves, [`coerce`] converts scalars as Python does, [`write`] renders a tree with the reference's layouts.

pub mod coerce;
pub mod read;
pub mod value;
pub mod write;

pub use read::{DEPTH_MAX, Json, Kind, ReadError, read};
pub use value::Value;
pub use write::Layout;
