//! What every stage of one compilation shares: names, locations, messages and options.

use crate::base::arena::{Arena, Interner, Symbol};
use crate::base::source::LocTable;
use crate::diagnostics::{Failure, Outcome, Sink};
use crate::options::CompileOptions;

/// Asked between steps whether the compilation must end (time limit, stopping daemon).
pub type StopCheck<'s> = &'s dyn Fn() -> bool;

/// The shared, read-only context of one compilation. Interner, locations and sink grow behind
/// shared references; nothing else changes.
pub struct Session<'s> {
    /// Memory that lives as long as the compilation.
    pub arena: &'s Arena,
    /// Interned names.
    pub symbols: Interner<'s>,
    /// Interned source locations.
    pub locs: LocTable,
    /// Messages to the user.
    pub sink: Sink,
    stop: Option<StopCheck<'s>>,
}

impl<'s> Session<'s> {
    /// A session that keeps its names in `arena`.
    pub fn new(arena: &'s Arena, stop: Option<StopCheck<'s>>) -> Self {
        Self {
            arena,
            symbols: Interner::new(arena),
            locs: LocTable::new(),
            sink: Sink::new(),
            stop,
        }
    }
    /// The symbol of a string.
    pub fn sym(&self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }
    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &'s str {
        self.symbols.text(symbol)
    }
    /// Fails with [`Failure::Stopped`] when the compilation was asked to end.
    pub fn check_stop(&self) -> Outcome<()> {
        match self.stop {
            Some(stop) if stop() => Err(Failure::Stopped),
            _ => Ok(()),
        }
    }
}

/// The options of a compilation, threaded beside the session because a nested compilation (a default
/// argument, spec 21 §16) runs with options of its own.
pub type Options<'s> = &'s CompileOptions;
