//! Storage, text and arithmetic that every stage stands on; knows nothing of the compiler.

pub mod arena;
pub mod encode;
pub mod entity;
pub mod few;
pub mod heap;
pub mod id_table;
pub mod ordered;
pub mod source;
pub mod source_text;
pub mod text;
pub mod word_table;
