//! What is known of the values of a document while it is read, so that what is equal is read once.

use super::decl::ContractMethod;
use super::expr::ExprRef;
use super::read_words::{Object, Words};
use super::wtypes::WTypeId;
use crate::base::arena::Symbol;
use crate::base::id_table::IdTable;
use crate::base::source::Loc;
use crate::json::Json;
use crate::json::tree::Values;

/// What is known of the values of one document.
#[derive(Default)]
pub(super) struct Memory<'s> {
    pub(super) words: Words<'s>,
    /// The locations that objects were read as, by object; none where it was not.
    pub(super) locs: Vec<Loc>,
    /// The types that objects were read as without a message.
    pub(super) wtypes: Memo<WTypeId>,
    /// The types that objects with an id were read from.
    pub(super) type_twins: Twins<'s>,
    /// The same of expressions that may be one node in several places, where references put them.
    pub(super) exprs: Memo<ExprRef<'s>>,
    pub(super) methods: Memo<&'s ContractMethod<'s>>,
    /// Interned texts of the document, by text, as far as somebody asked.
    pub(super) symbols: Vec<Option<Symbol>>,
    /// The first location.
    pub(super) location: Option<Object<'s>>,
    /// Texts of the document that are absolute paths in normal form, by text, as far as somebody asked.
    pub(super) paths: Vec<Option<Symbol>>,
}

impl Memory<'_> {
    /// Nothing is known yet.
    pub(super) fn new(document: &Values<'_>) -> Self {
        Self {
            words: Words::new(document),
            locs: vec![Loc::NONE; document.object_count()],
            ..Self::default()
        }
    }
}

/// What an object was read as.
#[derive(Clone, Copy)]
pub(super) struct Known<T> {
    pub(super) made: T,
    /// How many levels of the document are below the object, references followed.
    pub(super) height: u32,
}

/// What objects of one kind were read as.
pub(super) struct Memo<T> {
    /// By object, one more than the place of what is known; 0 where nothing is.
    places: Vec<u32>,
    known: Vec<Known<T>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { places: Vec::new(), known: Vec::new() }
    }
}

impl<T: Copy> Memo<T> {
    /// What an object was read as.
    #[inline]
    pub(super) fn get(&self, object: usize) -> Option<Known<T>> {
        let place = *self.places.get(object)? as usize;
        self.known.get(place.wrapping_sub(1)).copied()
    }
    /// Puts down what one of so many objects was read as.
    pub(super) fn insert(&mut self, object: usize, objects: usize, known: Known<T>) {
        if self.places.is_empty() {
            self.places = vec![0; objects];
        }
        self.known.push(known);
        self.places[object] = u32::try_from(self.known.len()).expect("fewer than 2^32 objects");
    }
}

/// Objects that have an id of their own, by the rest of their members.
#[derive(Default)]
pub(super) struct Twins<'s> {
    objects: Vec<Json<'s>>,
    by_rest: IdTable,
}

impl<'s> Twins<'s> {
    /// The first object that has the same members as this one but for the one at a place. From now on this
    /// one is it, if there was none.
    pub(super) fn find_or_insert(&mut self, object: Json<'s>, but_at: usize) -> Option<usize> {
        let hash = object.hash_but(but_at);
        let known = self
            .by_rest
            .find(hash, |place| self.objects[place as usize].is_equal_but(object, but_at));
        match known {
            Some(place) => self.objects[place as usize].object_id(),
            None => {
                let place = u32::try_from(self.objects.len()).expect("fewer than 2^32 objects");
                self.by_rest.insert(hash, place);
                self.objects.push(object);
                None
            }
        }
    }
}

/// Puts down what a text of the document stands for.
pub(super) fn remember(table: &mut Vec<Option<Symbol>>, text: usize, symbol: Symbol) {
    if table.len() <= text {
        table.resize(text + 1, None);
    }
    table[text] = Some(symbol);
}
