//! A table over all names, for what is known of the variables of one subroutine after the other.

use crate::base::arena::Symbol;
use crate::base::entity::SecondaryMap;

/// One fact for each name; the default where none is known.
#[derive(Default)]
pub(super) struct NameTable<T: Clone> {
    facts: SecondaryMap<Symbol, T>,
    /// The names that have an entry.
    names: Vec<Symbol>,
}

impl<T: Copy + Default + PartialEq> NameTable<T> {
    /// Forgets everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        for name in self.names.drain(..) {
            self.facts[name] = T::default();
        }
    }
    /// What is known of a name.
    pub(super) fn get(&self, name: Symbol) -> T {
        self.facts[name]
    }
    /// What is known of a name, to be changed.
    pub(super) fn get_mut(&mut self, name: Symbol) -> &mut T {
        let fact = &mut self.facts[name];
        if *fact == T::default() {
            self.names.push(name);
        }
        fact
    }
}
