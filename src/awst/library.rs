//! The library of routines that code is lowered to: embedded data in, declared subroutines out. The data
//! is made of `scripts/library` by `scripts/build-library`. Spec 21 §18.

use super::decl::RootNode;
use super::read;
use super::wtypes::WTypes;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

static DATA: &str = include_str!("library.json");

/// Reads the routines, in the order in which they are emitted.
pub fn read<'s>(session: &Session<'s>, wtypes: &WTypes<'s>) -> Outcome<&'s [RootNode<'s>]> {
    let document = crate::json::read(DATA, session.arena)
        .map_err(|error| Failure::internal(format!("embedded library: {error}"), Loc::NONE))?;
    Ok(read::read(session, wtypes, document)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;

    #[test]
    fn the_embedded_routines_read_without_a_message() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let routines = read(&session, &WTypes::new(&arena)).unwrap();
        assert_eq!(routines.len(), 28);
        assert_eq!(session.text(routines[0].id()), "_puya_lib.util.ensure_budget");
        assert!(session.sink.is_empty());
    }
}
