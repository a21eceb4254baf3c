//! Values as they are read, innermost first -> the distinct values of a document. What is equal to a
//! value already kept becomes that value.

use std::ops::Range;

use bumpalo::collections::Vec as BumpVec;

use super::read::{ReadError, too_large};
use super::rows::{NO_KEYS, Rows, UNKNOWN};
use super::tree::{Json, OBJECT_HEAD, PAYLOADS, Shape, Tag, Values, Word};
use super::vocabulary::{LONG, Start, Vocabulary};
use crate::base::arena::Arena;
use crate::base::id_table::{IdTable, hash_bytes, hash_words};
use crate::base::ordered::LookupMap;

/// Told apart from objects with the same words.
const ARRAY_SEED: u32 = 0;

/// What is known of a text as a key.
#[derive(Clone, Copy)]
struct Key {
    /// The first member of the last objects that were, or were in, its value.
    first: u32,
    /// The last search for repeated keys that had this one among them.
    seen_in: u32,
}

impl Key {
    const NEW: Key = Key { first: NO_KEYS, seen_in: 0 };
}

/// An object that is being read, as far as its keys are concerned.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The member whose value is read, or the one that an array is the value of.
    pub member: u32,
    /// Where the keys of an object that is like no known row start among all such keys.
    way: u32,
}

/// An object that is like a row so far.
const NO_WAY: u32 = u32::MAX;

impl Place {
    /// Outside of all objects.
    pub const OUTSIDE: Place = Place::at(UNKNOWN);

    /// In the value of a member, before all keys.
    #[inline(always)]
    pub const fn at(member: u32) -> Self {
        Place { member, way: NO_WAY }
    }
}

/// The values read so far.
pub(super) struct Builder<'a> {
    arena: &'a Arena,
    texts: Vec<&'a str>,
    text_ids: IdTable,
    /// Of each text.
    pub(super) starts: Vec<Start>,
    keys: Vec<Key>,
    pub(super) rows: Rows,
    shapes: Vec<Shape<'a>>,
    /// The shapes that were not known beforehand.
    shape_ids: IdTable,
    /// Which of those known beforehand objects have.
    is_used: Vec<bool>,
    words: Vec<u32>,
    /// Arrays and objects, each by its whole word.
    containers: IdTable,
    object_count: u32,
    vocabulary: Option<&'static Vocabulary>,
    /// The keys of the objects that are like no known row, innermost last.
    way: Vec<u32>,
    /// How often repeated keys were searched for.
    searches: u32,
}

impl<'a> Builder<'a> {
    /// No values yet, and room for what a document of so many bytes is likely to have.
    pub(super) fn new(
        arena: &'a Arena,
        length: usize,
        vocabulary: Option<&'static Vocabulary>,
    ) -> Self {
        let expected = 16 + (length / 64).min(240);
        let known = vocabulary.unwrap_or(Vocabulary::NONE);
        let texts = expected + known.texts.len();
        let mut builder = Self {
            arena,
            texts: Vec::with_capacity(texts),
            text_ids: match vocabulary {
                Some(known) => IdTable::stored(known.places, known.texts.len()),
                None => IdTable::with_capacity(expected),
            },
            starts: Vec::with_capacity(texts),
            keys: Vec::with_capacity(texts),
            rows: Rows::new(known.members, known.choices, expected),
            shapes: Vec::with_capacity(known.shapes.len() + expected / 4),
            shape_ids: IdTable::default(),
            is_used: vec![false; known.shapes.len()],
            words: Vec::with_capacity(64 + length / 32),
            containers: IdTable::with_capacity(16 + (length / 256).min(1000)),
            object_count: 0,
            vocabulary,
            way: Vec::new(),
            searches: 0,
        };
        // in the place of `NO_TEXT`; it is never found
        builder.texts.push("");
        builder.starts.push(Start::never());
        builder.texts.extend_from_slice(known.texts);
        builder.starts.extend_from_slice(known.starts);
        builder.keys.resize(builder.texts.len(), Key::NEW);
        builder.shapes.extend_from_slice(known.shapes);
        // the array without items
        builder.words.push(0);
        builder
    }
    /// The document, once its outermost value was read.
    pub(super) fn finish(self, root: Word) -> Json<'a> {
        let values = Values {
            words: self.arena.slice(&self.words),
            texts: self.arena.slice(&self.texts),
            shapes: self.arena.slice(&self.shapes),
            is_used: self.arena.slice(&self.is_used),
            object_count: self.object_count,
            vocabulary: self.vocabulary,
        };
        Json { values: self.arena.alloc(values), word: root }
    }

    // ---- texts ----

    /// The text at a place.
    #[inline(always)]
    pub(super) fn known_text(&self, id: u32) -> &'a str {
        self.texts[id as usize]
    }

    /// The place of a plain text, if it is among those known. `hash` is that of its bytes.
    #[inline(always)]
    pub(super) fn find_text(&self, bytes: &[u8], hash: u32) -> Option<u32> {
        let texts = &self.texts;
        self.text_ids.find(hash, |id| texts[id as usize].as_bytes() == bytes)
    }
    /// The same of a short text that these bytes start with, which a quote is behind.
    #[inline(always)]
    pub(super) fn find_short_text(&self, bytes: &[u8; LONG], hash: u32) -> Option<u32> {
        let starts = &self.starts;
        self.text_ids.find(hash, |id| starts[id as usize].is_at(bytes))
    }
    /// The place of a plain text that was not found.
    #[inline(never)]
    pub(super) fn new_text(&mut self, text: &str, hash: u32) -> Result<u32, ReadError> {
        self.keep_text(self.arena.str(text), Start::new(text), hash)
    }
    fn keep_text(&mut self, text: &'a str, start: Start, hash: u32) -> Result<u32, ReadError> {
        let id = fitting(self.texts.len())?;
        self.texts.push(text);
        self.starts.push(start);
        self.keys.push(Key::NEW);
        self.text_ids.insert(hash, id);
        Ok(id)
    }
    /// Room for a text that has to be put together.
    pub(super) fn buffer(&self, capacity: usize) -> BumpVec<'a, u8> {
        self.arena.list(capacity)
    }
    /// The place of a text that a buffer holds, which need not be plain; none where it is not UTF-8.
    pub(super) fn text_in(&mut self, buffer: BumpVec<'a, u8>) -> Result<Option<u32>, ReadError> {
        let hash = hash_bytes(&buffer);
        if let Some(id) = self.find_text(&buffer, hash) {
            return Ok(Some(id));
        }
        let Ok(text) = std::str::from_utf8(buffer.into_bump_slice()) else { return Ok(None) };
        let is_plain = !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        let start = if is_plain { Start::new(text) } else { Start::never() };
        self.keep_text(text, start, hash).map(Some)
    }

    // ---- arrays and objects ----

    /// The array without items.
    pub(super) const NO_ITEMS: Word = Word::new(Tag::Array, 0);

    /// The array of these items, of which there are some.
    pub(super) fn array(&mut self, items: &[u32]) -> Result<Word, ReadError> {
        let hash = hash_words(ARRAY_SEED, items);
        let words = &self.words;
        let found = self.containers.find_or_place(hash, |id| {
            let word = Word(id);
            let start = word.payload() as usize;
            word.is(Tag::Array)
                && words[start] as usize == items.len()
                && words[start + 1..][..items.len()] == *items
        });
        let place = match found {
            Ok(id) => return Ok(Word(id)),
            Err(place) => place,
        };
        let word = Word::new(Tag::Array, fitting(self.words.len())?);
        self.words.push(fitting(items.len())?);
        self.words.extend_from_slice(items);
        self.containers.fill(place, hash, word.0);
        Ok(word)
    }
    /// The object of a shape and these values.
    #[inline]
    pub(super) fn object(&mut self, shape: u32, values: &[u32]) -> Result<Word, ReadError> {
        let hash = hash_words(shape + 1, values);
        let words = &self.words;
        let found = self.containers.find_or_place(hash, |id| {
            let word = Word(id);
            let start = word.payload() as usize;
            word.is(Tag::Object)
                && words[start] == shape
                && words[start + OBJECT_HEAD..][..values.len()] == *values
        });
        let place = match found {
            Ok(id) => return Ok(Word(id)),
            Err(place) => place,
        };
        let word = Word::new(Tag::Object, fitting(self.words.len())?);
        self.words.extend_from_slice(&[shape, self.object_count]);
        self.words.extend_from_slice(values);
        self.object_count += 1;
        self.containers.fill(place, hash, word.0);
        if let Some(is_used) = self.is_used.get_mut(shape as usize) {
            *is_used = true;
        }
        Ok(word)
    }

    // ---- keys ----

    /// From now on a row is likely for objects in the value of a member around them: that of a member
    /// which so many others are before.
    #[inline(always)]
    pub(super) fn expect_row(&mut self, member: u32, before: usize, around: u32) {
        self.keys[self.rows.key(around) as usize].first = member - before as u32;
    }
    /// Goes on to a key that makes the object one that is like no known row.
    pub(super) fn leave_rows(&mut self, place: &mut Place, expected: u32, before: usize, key: u32) {
        if place.way == NO_WAY {
            *place = Place { member: UNKNOWN, way: self.way.len() as u32 };
            self.way.extend(self.rows.keys_before(expected, before));
        }
        self.way.push(key);
    }
    /// The first member of the last objects that were, or were in, the value of a key.
    #[inline(always)]
    pub(super) fn first_under(&self, key: u32) -> u32 {
        self.keys[key as usize].first
    }
    /// The shape of an object that ends at a place, with the values from the given one on. Where keys
    /// repeat, the shape has each of them once, and the values are moved to their places; and so are the
    /// extents of the values, if any.
    #[cold]
    pub(super) fn shape(
        &mut self,
        place: Place,
        around: u32,
        values: &mut Vec<u32>,
        start: usize,
        extents: Option<&mut Vec<Range<usize>>>,
    ) -> Result<u32, ReadError> {
        let (end, before) = (place.member + 1, values.len() - start);
        if place.way == NO_WAY {
            let known =
                self.rows.choices(end, before).find_map(|end| Some((end, self.rows.shape(end)?)));
            if let Some((end, shape)) = known {
                self.expect_row(end, before, around);
                return Ok(shape);
            }
            let keys = self.rows.keys_before(end, before).collect();
            return self.new_shape(keys);
        }
        let mut keys = self.way.split_off(place.way as usize);
        if let Some(places) = self.places_of_repeated(&keys) {
            move_to_places(&mut keys, 0, &places);
            move_to_places(values, start, &places);
            if let Some(extents) = extents {
                move_to_places(extents, 0, &places);
            }
        }
        self.new_shape(keys)
    }
    /// The shape of keys, none of which repeats.
    fn new_shape(&mut self, keys: Vec<u32>) -> Result<u32, ReadError> {
        let is_it = |shape: &Shape<'_>| *shape.0 == *keys;
        if let Some(shape) = self.shapes[..self.is_used.len()].iter().position(is_it) {
            return Ok(shape as u32);
        }
        let hash = hash_words(0, &keys);
        let shapes = &self.shapes;
        if let Some(shape) = self.shape_ids.find(hash, |id| is_it(&shapes[id as usize])) {
            return Ok(shape);
        }
        let shape = fitting(self.shapes.len())?;
        self.shapes.push(Shape(self.arena.slice(&keys)));
        self.shape_ids.insert(hash, shape);
        self.rows.learn(&keys, shape);
        Ok(shape)
    }
    /// Where keys repeat: for each the place of the first like it, counted without the repeated ones.
    fn places_of_repeated(&mut self, keys: &[u32]) -> Option<Vec<usize>> {
        self.searches += 1;
        let (known, search) = (&mut self.keys, self.searches);
        let is_repeated =
            |key: &u32| std::mem::replace(&mut known[*key as usize].seen_in, search) == search;
        if !keys.iter().any(is_repeated) {
            return None;
        }
        let mut first: LookupMap<u32, usize> = LookupMap::new();
        let place_of = |key: &u32| {
            let next = first.len();
            *first.get_or_insert_with(*key, || next)
        };
        Some(keys.iter().map(place_of).collect())
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

/// Moves each item to its place, where a later one replaces an earlier one.
fn move_to_places<T: Clone>(items: &mut Vec<T>, start: usize, places: &[usize]) {
    for (at, place) in places.iter().enumerate() {
        items[start + place] = items[start + at].clone();
    }
    let kept = places.iter().max().map_or(0, |last| last + 1);
    items.truncate(start + kept);
}
