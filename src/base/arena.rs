//! The bump arena a compilation lives in, and the interner of its names.
//!
//! One [`Arena`] is made per request and dropped with it, so an id, a symbol or a borrowed string
//! never outlives its request.

use std::cell::{Cell, RefCell};

use super::entity::EntityId;
use super::id_table::{IdTable, hash_bytes};
use super::ordered::LookupMap;
use super::text::with_decimal;

/// What an arena has room for at first, in bytes, with what the allocator needs for itself. It gets more in
/// pieces of twice the size.
const FIRST_PIECE: usize = 16 << 10;

/// A bump arena that refuses types owning heap memory, because it never runs `Drop`.
pub struct Arena {
    bump: bumpalo::Bump,
}

impl Default for Arena {
    fn default() -> Self {
        Self { bump: bumpalo::Bump::with_capacity(FIRST_PIECE - 256) }
    }
}

impl Arena {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }
    /// Moves a value into the arena.
    pub fn alloc<T>(&self, value: T) -> &mut T {
        const { assert!(!std::mem::needs_drop::<T>(), "an arena never runs Drop") };
        self.bump.alloc(value)
    }
    /// Copies a string into the arena.
    pub fn str(&self, text: &str) -> &str {
        self.bump.alloc_str(text)
    }
    /// Copies bytes, ids and other plain values into the arena.
    pub fn slice<T: Copy>(&self, items: &[T]) -> &[T] {
        self.bump.alloc_slice_copy(items)
    }
    /// Moves the items of a vector into the arena.
    pub fn slice_of<T>(&self, items: Vec<T>) -> &[T] {
        const { assert!(!std::mem::needs_drop::<T>(), "an arena never runs Drop") };
        self.bump.alloc_slice_fill_iter(items)
    }
    /// Fills a slice in the arena item by item, by index, until one fails.
    pub fn try_slice<T, E>(
        &self,
        len: usize,
        make: impl FnMut(usize) -> Result<T, E>,
    ) -> Result<&[T], E> {
        const { assert!(!std::mem::needs_drop::<T>(), "an arena never runs Drop") };
        Ok(self.bump.alloc_slice_try_fill_with(len, make)?)
    }
    /// An empty list in the arena, with room for what it will hold.
    pub fn list<T>(&self, capacity: usize) -> bumpalo::collections::Vec<'_, T> {
        const { assert!(!std::mem::needs_drop::<T>(), "an arena never runs Drop") };
        bumpalo::collections::Vec::with_capacity_in(capacity, &self.bump)
    }
    /// Bytes taken from the system so far.
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }
    /// The arena underneath, for readers that build their own growing vectors in it.
    pub fn bump(&self) -> &bumpalo::Bump {
        &self.bump
    }
}

crate::define_id!(
    /// An interned string: equal strings have equal symbols within one compilation. Symbols order
    /// by first appearance, not by text.
    pub struct Symbol, "sym"
);

/// Room for the strings of small compilations.
const STRINGS_EXPECTED: usize = 256;

/// Gives each distinct string one [`Symbol`].
pub struct Interner<'s> {
    arena: &'s Arena,
    symbols: RefCell<IdTable>,
    texts: RefCell<Vec<&'s str>>,
    /// By base, then by number.
    numbered: RefCell<LookupMap<Symbol, Vec<Symbol>>>,
    /// The symbols of single ASCII characters.
    ascii: [Cell<Option<Symbol>>; 128],
    /// Where parts of a string are put together.
    joined: RefCell<String>,
}

impl<'s> Interner<'s> {
    /// An interner that keeps its strings in `arena`.
    pub fn new(arena: &'s Arena) -> Self {
        Self {
            arena,
            symbols: RefCell::new(IdTable::with_capacity(STRINGS_EXPECTED)),
            texts: RefCell::new(Vec::with_capacity(STRINGS_EXPECTED)),
            numbered: RefCell::default(),
            ascii: [const { Cell::new(None) }; 128],
            joined: RefCell::default(),
        }
    }
    /// The symbol of a string; the string is copied on first sight.
    pub fn intern(&self, text: &str) -> Symbol {
        let hash = hash_bytes(text.as_bytes());
        if let Some(symbol) = self.find(text, hash) {
            return symbol;
        }
        let mut texts = self.texts.borrow_mut();
        let symbol = Symbol::new(texts.len());
        texts.push(self.arena.str(text));
        self.symbols.borrow_mut().insert(hash, symbol.index() as u32);
        symbol
    }
    /// The symbol of a string given in parts.
    pub fn intern_joined(&self, parts: &[&str]) -> Symbol {
        let mut joined = self.joined.borrow_mut();
        joined.clear();
        parts.iter().for_each(|part| joined.push_str(part));
        self.intern(&joined)
    }
    /// The symbol of a single character.
    pub fn character(&self, character: char) -> Symbol {
        let known = self.ascii.get(character as usize);
        known.and_then(Cell::get).unwrap_or_else(|| {
            let symbol = self.intern(character.encode_utf8(&mut [0; 4]));
            if let Some(known) = known {
                known.set(Some(symbol));
            }
            symbol
        })
    }
    /// The symbol of `{base}%{number}`. The same names of temporaries come in every function, numbered
    /// from 0.
    pub fn numbered(&self, base: Symbol, number: u32) -> Symbol {
        let mut numbered = self.numbered.borrow_mut();
        let known = numbered.get_or_insert_with(base, Vec::new);
        if let Some(symbol) = known.get(number as usize) {
            return *symbol;
        }
        let join = |digits: &str| self.intern_joined(&[self.text(base), "%", digits]);
        let symbol = with_decimal(u64::from(number), join);
        if known.len() == number as usize {
            known.push(symbol);
        }
        symbol
    }
    #[inline]
    fn find(&self, text: &str, hash: u32) -> Option<Symbol> {
        let texts = self.texts.borrow();
        let found = self.symbols.borrow().find(hash, |index| texts[index as usize] == text);
        found.map(|index| Symbol::new(index as usize))
    }
    /// The symbol of a string, if it was interned before.
    pub fn lookup(&self, text: &str) -> Option<Symbol> {
        self.find(text, hash_bytes(text.as_bytes()))
    }
    /// The text of a symbol.
    #[inline]
    pub fn text(&self, symbol: Symbol) -> &'s str {
        self.texts.borrow()[symbol.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_a_symbol_and_keep_their_text() {
        let arena = Arena::new();
        let interner = Interner::new(&arena);
        let (a, b, c) = (interner.intern("x"), interner.intern("y"), interner.intern("x"));
        assert_eq!(a, c);
        assert_ne!(a, b);
        assert_eq!(interner.text(b), "y");
        assert_eq!(interner.lookup("z"), None);
        let numbered = interner.numbered(a, 3);
        assert_eq!(interner.text(numbered), "x%3");
        assert_eq!(interner.numbered(a, 3), numbered);
        assert_eq!(interner.intern("x%3"), numbered);
        assert_eq!(interner.intern_joined(&["x", "%", "3"]), numbered);
        assert_eq!([interner.character('x'), interner.character('x')], [a, a]);
        assert_eq!(interner.text(interner.character('é')), "é");
    }
}
