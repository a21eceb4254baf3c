//! The library of routines that code is lowered to: embedded data in, declared subroutines out. The data
//! is made of `scripts/library` by `scripts/build-library`, a document for each routine, so that a
//! compilation reads only the routines it uses. Spec 21 §18.

use super::decl::{RootNode, Subroutine};
use super::read;
use super::wtypes::WTypes;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

macro_rules! routines {
    ($($name:literal,)+) => {
        /// Full names and documents, in the order in which routines are emitted.
        static ROUTINES: &[(&str, &str)] = &[$((
            concat!("_puya_lib.", $name),
            include_str!(concat!("library/", $name, ".json")),
        ),)+];
    };
}

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
    ROUTINES.iter().position(|(name, _)| *name == id)
}

/// Reads the routine at a place.
pub fn read<'s>(
    session: &Session<'s>,
    wtypes: &WTypes<'s>,
    place: usize,
) -> Outcome<&'s Subroutine<'s>> {
    let document = crate::json::read(ROUTINES[place].1, session.arena)
        .map_err(|error| Failure::internal(format!("embedded library: {error}"), Loc::NONE))?;
    match read::read(session, wtypes, document)? {
        [RootNode::Subroutine(routine)] => Ok(routine),
        _ => Err(Failure::internal("embedded library: not one routine", Loc::NONE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;

    #[test]
    fn the_embedded_routines_read_without_a_message() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let wtypes = WTypes::new(&arena);
        assert_eq!(COUNT, 28);
        for (index, (name, _)) in ROUTINES.iter().enumerate() {
            let routine = read(&session, &wtypes, index).unwrap();
            assert_eq!(session.text(routine.function.full_name), *name);
            assert_eq!(place(name), Some(index));
        }
        assert!(session.sink.is_empty());
    }
}
