//! SSA intermediate representation: AWST in, straight-line code out of SSA for `mir`.
//!
//! Stages: `build` (AWST -> SSA), `optimise` (passes to a fixed point), aggregate lowering, `optimise`
//! again, slot elimination, `destructure` (out of SSA). Spec 20, 21 and 22.

pub mod build;
pub mod cfg;
pub mod destructure;
pub mod dominators;
pub mod factory;
pub mod freeze;
pub mod kinds;
pub mod liveness;
pub mod lower;
pub mod model;
pub mod op;
pub mod optimise;
pub mod pool;
pub mod rewrite;
pub mod slots;
pub mod ssa;
pub mod targets;
pub mod text;
#[doc(hidden)]
pub mod text_read;
pub mod transform;
pub mod types;
pub mod validate;
pub mod verify;

use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::Sink;
use crate::options::CompileOptions;
use crate::session::Session;

/// What every IR pass may look at. Copy it freely; all growth is behind the references.
#[derive(Clone, Copy)]
pub struct Ctx<'a, 's> {
    /// Names, locations, messages.
    pub session: &'a Session<'s>,
    /// Interned types, encodings, byte strings and subroutine headers.
    pub pool: &'a pool::Pool<'s>,
    /// Options of this compilation (a nested compilation of a default argument has its own).
    pub options: &'a CompileOptions,
}

impl<'s> Ctx<'_, 's> {
    /// The symbol of a string.
    pub fn sym(&self, text: &str) -> Symbol {
        self.session.sym(text)
    }
    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &'s str {
        self.session.text(symbol)
    }
    /// Where messages go.
    pub fn sink(&self) -> &Sink {
        &self.session.sink
    }
    /// See [`crate::base::source::LocTable::sequential_merge`].
    pub fn merge_locs(&self, locs: impl IntoIterator<Item = Loc>) -> Loc {
        self.session.locs.sequential_merge(locs)
    }
}

#[cfg(test)]
mod tests;
