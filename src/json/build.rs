//! Values as they are read, innermost first -> the distinct values of a document. What is equal to a
//! value already kept becomes that value.

use bumpalo::collections::Vec as BumpVec;

use super::read::{ReadError, too_large};
use super::tree::{Json, OBJECT_HEAD, PAYLOADS, Shape, Tag, Values, Word};
use crate::base::arena::Arena;
use crate::base::id_table::{IdTable, hash_bytes, hash_words};
use crate::base::ordered::LookupMap;

/// Objects up to this many members are searched for duplicate keys by comparing all pairs.
const PAIRWISE_MEMBERS_MAX: usize = 24;

/// Told apart from objects with the same words.
const ARRAY_SEED: u32 = 0;

/// The place of a text that there is none of.
pub(super) const NO_TEXT: u32 = 0;

/// Where a string stands, and next to which text. Strings that stood there before are likely again.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// The first key of an object that is, or is in, the value of this key.
    FirstKey(u32),
    /// The key that follows this key.
    NextKey(u32),
    /// A value whose key comes after this key.
    Value(u32),
}

/// The strings that stood last in each role next to a text.
#[derive(Clone, Copy, Default)]
struct Last {
    first_key: u32,
    next_key: u32,
    value: u32,
}

/// The values read so far.
pub(super) struct Builder<'a> {
    arena: &'a Arena,
    texts: Vec<&'a str>,
    text_ids: IdTable,
    last: Vec<Last>,
    shapes: Vec<Shape<'a>>,
    shape_ids: IdTable,
    words: Vec<u32>,
    /// Arrays and objects, each by its whole word.
    containers: IdTable,
    object_count: u32,
}

impl<'a> Builder<'a> {
    pub(super) fn new(arena: &'a Arena) -> Self {
        Self {
            arena,
            // in the place of `NO_TEXT`; it is never found
            texts: vec![""],
            text_ids: IdTable::default(),
            last: vec![Last::default()],
            shapes: Vec::new(),
            shape_ids: IdTable::default(),
            words: Vec::new(),
            containers: IdTable::default(),
            object_count: 0,
        }
    }
    /// The document, once its outermost value was read.
    pub(super) fn finish(self, root: Word) -> Json<'a> {
        let values = Values {
            words: self.arena.slice(&self.words),
            texts: self.arena.slice(&self.texts),
            shapes: self.arena.slice(&self.shapes),
            object_count: self.object_count,
        };
        Json { values: self.arena.alloc(values), word: root }
    }

    // ---- texts ----

    /// The place of a text among all; none where it is not UTF-8. `hash` is that of the bytes.
    #[inline]
    pub(super) fn text(&mut self, bytes: &[u8], hash: u32) -> Result<Option<u32>, ReadError> {
        match self.find_text(bytes, hash) {
            None => self.new_text(bytes, hash),
            found => Ok(found),
        }
    }
    #[inline]
    fn find_text(&self, bytes: &[u8], hash: u32) -> Option<u32> {
        let texts = &self.texts;
        self.text_ids.find(hash, |id| texts[id as usize].as_bytes() == bytes)
    }
    #[cold]
    fn new_text(&mut self, bytes: &[u8], hash: u32) -> Result<Option<u32>, ReadError> {
        let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
        self.keep_text(self.arena.str(text), hash).map(Some)
    }
    fn keep_text(&mut self, text: &'a str, hash: u32) -> Result<u32, ReadError> {
        let id = fitting(self.texts.len())?;
        self.texts.push(text);
        self.last.push(Last::default());
        self.text_ids.insert(hash, id);
        Ok(id)
    }
    /// The text that is likely in a role, and its place.
    #[inline]
    pub(super) fn expected(&self, role: Role) -> (u32, &'a str) {
        let id = match role {
            Role::FirstKey(text) => self.last[text as usize].first_key,
            Role::NextKey(text) => self.last[text as usize].next_key,
            Role::Value(text) => self.last[text as usize].value,
        };
        (id, self.texts[id as usize])
    }
    /// From now on a text is likely in a role. It must have stood in the document without escapes.
    #[inline]
    pub(super) fn expect(&mut self, role: Role, id: u32) {
        match role {
            Role::FirstKey(text) => self.last[text as usize].first_key = id,
            Role::NextKey(text) => self.last[text as usize].next_key = id,
            Role::Value(text) => self.last[text as usize].value = id,
        }
    }
    /// Room for a text that has to be put together.
    pub(super) fn buffer(&self, capacity: usize) -> BumpVec<'a, u8> {
        self.arena.list(capacity)
    }
    /// The same as [`Builder::text`] of what a buffer holds.
    pub(super) fn text_in(&mut self, buffer: BumpVec<'a, u8>) -> Result<Option<u32>, ReadError> {
        let hash = hash_bytes(&buffer);
        if let Some(id) = self.find_text(&buffer, hash) {
            return Ok(Some(id));
        }
        let Ok(text) = std::str::from_utf8(buffer.into_bump_slice()) else { return Ok(None) };
        self.keep_text(text, hash).map(Some)
    }

    // ---- arrays and objects ----

    /// The array of these items.
    pub(super) fn array(&mut self, items: &[u32]) -> Result<Word, ReadError> {
        let hash = hash_words(ARRAY_SEED, items);
        let words = &self.words;
        let found = self.containers.find(hash, |id| {
            let word = Word(id);
            let start = word.payload() as usize;
            word.is(Tag::Array)
                && words[start] as usize == items.len()
                && words[start + 1..][..items.len()] == *items
        });
        if let Some(id) = found {
            return Ok(Word(id));
        }
        let word = Word::new(Tag::Array, fitting(self.words.len())?);
        self.words.push(fitting(items.len())?);
        self.words.extend_from_slice(items);
        self.containers.insert(hash, word.0);
        Ok(word)
    }
    /// The object of the last keys and values, from the given places on.
    #[inline]
    pub(super) fn object(
        &mut self,
        keys: &mut Vec<u32>,
        values: &mut Vec<u32>,
        keys_start: usize,
        start: usize,
    ) -> Result<Word, ReadError> {
        let hash = hash_words(0, &keys[keys_start..]);
        let shape = match self.find_shape(hash, &keys[keys_start..]) {
            Some(shape) => shape,
            None => self.new_shape(keys, values, keys_start, start)?,
        };
        let values = &values[start..];
        let hash = hash_words(shape + 1, values);
        let words = &self.words;
        let found = self.containers.find(hash, |id| {
            let word = Word(id);
            let start = word.payload() as usize;
            word.is(Tag::Object)
                && words[start] == shape
                && words[start + OBJECT_HEAD..][..values.len()] == *values
        });
        if let Some(id) = found {
            return Ok(Word(id));
        }
        let word = Word::new(Tag::Object, fitting(self.words.len())?);
        self.words.extend([shape, self.object_count]);
        self.words.extend_from_slice(values);
        self.object_count += 1;
        self.containers.insert(hash, word.0);
        Ok(word)
    }
    #[inline]
    fn find_shape(&self, hash: u32, keys: &[u32]) -> Option<u32> {
        self.shape_ids.find(hash, |id| self.shapes[id as usize].0 == keys)
    }
    /// Makes a shape of keys that no object had before, unless they hold duplicates.
    #[cold]
    fn new_shape(
        &mut self,
        keys: &mut Vec<u32>,
        values: &mut Vec<u32>,
        keys_start: usize,
        start: usize,
    ) -> Result<u32, ReadError> {
        if let Some(places) = places_of_repeated(&keys[keys_start..]) {
            move_to_places(keys, keys_start, &places);
            move_to_places(values, start, &places);
        }
        let keys = &keys[keys_start..];
        let hash = hash_words(0, keys);
        if let Some(shape) = self.find_shape(hash, keys) {
            return Ok(shape);
        }
        let id = fitting(self.shapes.len())?;
        self.shapes.push(Shape(self.arena.slice(keys)));
        self.shape_ids.insert(hash, id);
        Ok(id)
    }
}

/// A place that fits beside a tag.
#[inline]
fn fitting(place: usize) -> Result<u32, ReadError> {
    match u32::try_from(place) {
        Ok(place) if place < PAYLOADS => Ok(place),
        _ => Err(too_large()),
    }
}

/// Where keys repeat: for each the place of the first like it, counted without the repeated ones.
pub(super) fn places_of_repeated(keys: &[u32]) -> Option<Vec<usize>> {
    if keys.len() <= PAIRWISE_MEMBERS_MAX
        && !(1..keys.len()).any(|at| keys[..at].contains(&keys[at]))
    {
        return None;
    }
    let mut first: LookupMap<u32, usize> = LookupMap::new();
    let place_of = |key: &u32| {
        let next = first.len();
        *first.get_or_insert_with(*key, || next)
    };
    let places: Vec<usize> = keys.iter().map(place_of).collect();
    (first.len() < keys.len()).then_some(places)
}

/// Moves each item to its place, where a later one replaces an earlier one.
pub(super) fn move_to_places<T: Clone>(items: &mut Vec<T>, start: usize, places: &[usize]) {
    for (at, place) in places.iter().enumerate() {
        items[start + place] = items[start + at].clone();
    }
    let kept = places.iter().max().map_or(0, |last| last + 1);
    items.truncate(start + kept);
}
