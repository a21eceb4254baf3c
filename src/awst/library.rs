//! The library of routines that code is lowered to: embedded data in, declared subroutines out. The data
//! is made of `scripts/library` by `scripts/build-library`, a document for each routine, so that a
//! compilation reads only the routines it uses. Embedded is what the documents are read as, in tables
//! that all share. Spec 21 §18.

mod tables;

use std::cell::RefCell;

use super::decl::{RootNode, Subroutine};
use super::read;
use super::read_memory::Memory;
use super::wtypes::WTypes;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::json::Json;
use crate::json::tree::Values;
use crate::session::Session;

macro_rules! routines {
    ($($name:literal,)+) => {
        /// Full names, in the order in which routines are emitted.
        static ROUTINES: &[&str] = &[$(concat!("_puya_lib.", $name),)+];
    };
}

// A name a line: the tables have the routines in this order.
routines! {
    "util.ensure_budget",
    "bytes_.is_substring",
    "box_arc4.box_dynamic_array_pop_fixed_size",
    "box_arc4.box_dynamic_array_concat_fixed",
    "box_arc4.box_update_offset_dec",
    "box_arc4.box_update_offset_inc",
    "box_arc4._box_extract_u16",
    "box_arc4._as_uint16",
    "arc4._itob16",
    "arc4.dynamic_array_pop_bit",
    "arc4.r_trim",
    "arc4.dynamic_array_pop_fixed_size",
    "arc4.dynamic_array_pop_byte_length_head",
    "arc4.dynamic_array_pop_dynamic_element",
    "arc4.dynamic_array_read_dynamic_element",
    "arc4.static_array_read_dynamic_element",
    "arc4.dynamic_array_read_byte_length_element",
    "arc4.static_array_read_byte_length_element",
    "arc4.dynamic_array_concat_fixed",
    "arc4.dynamic_array_concat_bits",
    "arc4.dynamic_array_concat_byte_length_head",
    "arc4.dynamic_array_concat_dynamic_element",
    "arc4.dynamic_array_replace_byte_length_head",
    "arc4.dynamic_array_replace_dynamic_element",
    "arc4.static_array_replace_dynamic_element",
    "arc4.static_array_replace_byte_length_head",
    "arc4._recalculate_head_for_elements_with_byte_length_head",
    "arc4.dynamic_assert_index",
}

/// How many routines there are.
pub const COUNT: usize = ROUTINES.len();

/// The place of a routine in the order in which routines are emitted.
pub fn place(id: &str) -> Option<usize> {
    if !id.starts_with("_puya_lib.") {
        return None;
    }
    ROUTINES.iter().position(|name| *name == id)
}

static DOCUMENT: Values<'static> =
    Values::stored(tables::WORDS, tables::TEXTS, tables::SHAPES, tables::OBJECTS);

/// What the routines are read from, with what is known of it from the routines read before.
#[derive(Default)]
pub struct Library<'s> {
    memory: RefCell<Option<Memory<'s>>>,
}

impl<'s> Library<'s> {
    /// Reads the routine at a place.
    pub fn read(
        &self,
        session: &Session<'s>,
        wtypes: &WTypes<'s>,
        place: usize,
    ) -> Outcome<&'s Subroutine<'s>> {
        let mut memory = self.memory.borrow_mut();
        let memory = memory.get_or_insert_with(|| Memory::new(&DOCUMENT));
        let root = Json::of_word(&DOCUMENT, tables::ROOTS[place]);
        match read::read_part(session, wtypes, root, memory)? {
            [RootNode::Subroutine(routine)] => Ok(routine),
            _ => Err(Failure::internal("embedded library: not one routine", Loc::NONE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::json::Kind;

    #[test]
    fn the_embedded_routines_read_without_a_message() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let wtypes = WTypes::new(&arena);
        let library = Library::default();
        assert_eq!(COUNT, 28);
        for (index, name) in ROUTINES.iter().enumerate() {
            let routine = library.read(&session, &wtypes, index).unwrap();
            assert_eq!(session.text(routine.function.full_name), *name);
            assert_eq!(place(name), Some(index));
        }
        assert!(session.sink.is_empty());
    }

    #[test]
    fn the_tables_have_what_the_documents_are_read_as() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/awst/library");
        let arena = Arena::new();
        assert_eq!(tables::ROOTS.len(), COUNT);
        for (name, root) in ROUTINES.iter().zip(tables::ROOTS) {
            let name = name.strip_prefix("_puya_lib.").unwrap();
            let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
            let document = crate::json::read(&text, &arena).unwrap();
            let same = is_same(document, Json::of_word(&DOCUMENT, *root));
            assert!(same, "{name}: run scripts/build-library --tables");
        }
    }

    fn is_same(a: Json<'_>, b: Json<'_>) -> bool {
        match (a.kind(), b.kind()) {
            (Kind::Object(a), Kind::Object(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && is_same(a.1, b.1))
            }
            (Kind::Array(a), Kind::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a, b))
            }
            (Kind::String(a), Kind::String(b)) | (Kind::Number(a), Kind::Number(b)) => a == b,
            (Kind::Int(a), Kind::Int(b)) => a == b,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            (Kind::Null, Kind::Null) => true,
            _ => false,
        }
    }
}
