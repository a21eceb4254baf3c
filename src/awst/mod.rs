//! The typed syntax tree: AWST JSON -> declarations, statements, expressions and types; then the
//! checks that need the whole document.
//!
//! Nodes are read-only, live in one arena and refer to each other by `&'a`; types are ids of a
//! [`wtypes::WTypes`] table that the document, the embedded library and the IR builder share.

pub mod arc4;
pub mod decl;
pub mod expr;
pub mod library;
pub mod make;
pub mod mentions;
pub mod operators;
pub mod read;
mod read_data;
mod read_decl;
mod read_expr;
mod read_memory;
mod read_references;
mod read_rows;
mod read_scalar;
mod read_stmt;
mod read_words;
mod read_wtype;
pub mod stmt;
pub mod validate;
pub mod visit;
pub mod wtypes;

pub use read_words::VOCABULARY;
