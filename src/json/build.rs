//! Values as they are read, innermost first -> the distinct values of a document. What is equal to a
//! value already kept becomes that value.

use std::ops::Range;

use bumpalo::collections::Vec as BumpVec;

use super::extended::Growing;
use super::likely::window;
use super::open::{Open, Stack};
use super::read::{ReadError, too_large};
use super::rows::{NO_KEYS, Rows, UNKNOWN};
use super::scan::hashed_plain_run;
use super::tree::{Json, OBJECT_HEAD, PAYLOADS, Shape, Tag, Values, Word};
use super::vocabulary::{LONG, NO_TEXT, Start, Vocabulary};
use crate::base::arena::Arena;
use crate::base::id_table::{IdTable, find_in, hash_bytes, hash_words};
use crate::base::ordered::LookupMap;

/// Told apart from objects with the same words.
const ARRAY_SEED: u32 = 0;

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
    texts: Growing<'a, &'a str>,
    /// The places of those known beforehand, and of the others.
    known_texts: &'static [(u32, u32)],
    text_ids: IdTable,
    /// Of each text.
    pub(super) starts: Growing<'static, Start>,
    pub(super) rows: Rows,
    /// By key, the first member of the last objects that were, or were in, its value.
    firsts: Vec<u32>,
    shapes: Growing<'a, Shape<'a>>,
    /// Which of those known beforehand objects have.
    is_used: Vec<bool>,
    words: Vec<u32>,
    /// Arrays and objects, each by its whole word.
    containers: IdTable,
    object_count: u32,
    vocabulary: Option<&'static Vocabulary>,
    /// The keys of the objects that are like no known row, innermost last.
    way: Vec<u32>,
    /// By key, the last search for repeated keys that had this one among them.
    seen_in: Vec<u32>,
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
        let known = vocabulary.unwrap_or(Vocabulary::NONE);
        let texts = 16 + (length / 512).min(240);
        let mut builder = Self {
            arena,
            texts: Growing::with_room(known.texts, texts),
            known_texts: known.places,
            text_ids: IdTable::with_capacity(texts),
            starts: Growing::with_room(known.starts, texts),
            rows: Rows::new(known.rows, length / 256),
            firsts: vec![NO_KEYS; known.texts.len()],
            shapes: Growing::with_room(known.shapes, 0),
            is_used: vec![false; known.shapes.len()],
            words: Vec::with_capacity(64 + length / 32),
            containers: IdTable::with_capacity(16 + (length / 256).min(1000)),
            object_count: 0,
            vocabulary,
            way: Vec::new(),
            seen_in: Vec::new(),
            searches: 0,
        };
        // the array without items
        builder.words.push(0);
        builder
    }
    /// The document, once its outermost value was read.
    pub(super) fn finish(self, root: Word) -> Json<'a> {
        let values = Values {
            words: self.arena.slice(&self.words),
            texts: self.texts.finish(|texts| self.arena.slice(texts)),
            shapes: self.shapes.finish(|shapes| self.arena.slice(shapes)),
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
        self.texts.at(id)
    }

    /// The place of a plain text, if it is among those known. `hash` is that of its bytes.
    #[inline(always)]
    fn find_text(&self, bytes: &[u8], hash: u32) -> Option<u32> {
        let is_it = |id| self.texts.at(id).as_bytes() == bytes;
        find_in(self.known_texts, hash, is_it).or_else(|| self.text_ids.find(hash, is_it))
    }
    /// The same of a short text that these bytes start with, which a quote is behind.
    #[inline(always)]
    fn find_short_text(&self, bytes: &[u8; LONG], hash: u32) -> Option<u32> {
        let is_it = |id| self.starts.at(id).is_at(bytes);
        find_in(self.known_texts, hash, is_it).or_else(|| self.text_ids.find(hash, is_it))
    }
    fn keep_text(&mut self, text: &'a str, start: Start, hash: u32) -> Result<u32, ReadError> {
        let id = fitting(self.texts.len())?;
        self.texts.push(text);
        self.starts.push(start);
        self.text_ids.insert(hash, id);
        Ok(id)
    }
    /// The place of the string whose opening quote is at a place, and the place behind it. None where it is
    /// not plain or not all at hand.
    #[inline(never)]
    pub(super) fn plain_string(
        &mut self,
        bytes: &[u8],
        at: usize,
    ) -> Result<Option<(u32, usize)>, ReadError> {
        let start = at + 1;
        let (end, hash) = hashed_plain_run(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return Ok(None);
        }
        let known = match window(bytes, start) {
            Some(bytes) if end - start < LONG => self.find_short_text(bytes, hash),
            _ => self.find_text(&bytes[start..end], hash),
        };
        let id = match known {
            Some(id) => id,
            None => match std::str::from_utf8(&bytes[start..end]) {
                Ok(text) => self.keep_text(self.arena.str(text), Start::new(text), hash)?,
                Err(_) => return Ok(None),
            },
        };
        Ok(Some((id, end + 1)))
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
    /// The place of the text of a number.
    pub(super) fn number_text(&mut self, text: &[u8]) -> Result<Option<u32>, ReadError> {
        let mut buffer = self.buffer(text.len());
        buffer.extend_from_slice_copy(text);
        self.text_in(buffer)
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
        self.words.reserve(OBJECT_HEAD + values.len());
        self.words.push(shape);
        self.words.push(self.object_count);
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
        let key = self.rows.key(around) as usize;
        if self.firsts.len() <= key {
            self.firsts.resize(key + 1, NO_KEYS);
        }
        self.firsts[key] = member - before as u32;
    }
    /// The member that is likely as the first of an object in the value of a member.
    #[inline(always)]
    pub(super) fn first_member(&self, around: u32) -> u32 {
        self.firsts.get(self.rows.key(around) as usize).copied().unwrap_or(NO_KEYS)
    }
    /// Goes on to a member of the innermost object, whose row is likely from now on.
    pub(super) fn place_member(&mut self, stack: &mut Stack, member: u32) {
        let before = stack.len() - stack.top.start as usize;
        stack.top.place.member = member;
        self.expect_row(member, before, stack.around());
    }
    /// Goes on to a key of the innermost object where a member was expected.
    pub(super) fn place_key(&mut self, stack: &mut Stack, expected: u32, key: u32) {
        let member = if self.rows.key(expected) == key {
            Some(expected)
        } else {
            self.rows.other(expected, key)
        };
        if let Some(member) = member {
            return self.place_member(stack, member);
        }
        let before = stack.len() - stack.top.start as usize;
        let place = &mut stack.top.place;
        if place.way == NO_WAY {
            *place = Place { member: UNKNOWN, way: self.way.len() as u32 };
            self.way.extend(self.rows.keys_before(expected, before));
        }
        self.way.push(key);
    }
    /// The shape of an object that ends, if it has a row whose end was expected.
    #[inline(always)]
    pub(super) fn likely_shape(&self, place: Place) -> Option<u32> {
        self.rows.shape(place.member + 1)
    }
    /// The shape of an object that ended. Where keys repeat, the shape has each of them once, and the values
    /// are moved to their places; and so are the extents of the values, if any.
    #[cold]
    pub(super) fn shape(
        &mut self,
        object: Open,
        stack: &mut Stack,
        extents: Option<&mut Vec<Range<usize>>>,
    ) -> Result<u32, ReadError> {
        let before = stack.len() - object.start as usize;
        if object.place.way == NO_WAY {
            let expected = object.place.member + 1;
            if let Some(end) = self.rows.other(expected, NO_TEXT)
                && let Some(shape) = self.rows.shape(end)
            {
                self.expect_row(end, before, stack.top.place.member);
                return Ok(shape);
            }
            let keys = self.rows.keys_before(expected, before).collect();
            return self.new_shape(keys);
        }
        let mut keys = self.way.split_off(object.place.way as usize);
        if let Some(places) = self.places_of_repeated(&keys) {
            let kept = move_to_places(&mut keys, &places);
            keys.truncate(kept);
            move_to_places(stack.values_mut(object.start), &places);
            stack.truncate(object.start + kept as u32);
            if let Some(extents) = extents {
                move_to_places(extents, &places);
                extents.truncate(kept);
            }
        }
        self.new_shape(keys)
    }
    /// The shape of keys, none of which repeats.
    fn new_shape(&mut self, keys: Vec<u32>) -> Result<u32, ReadError> {
        if let Some(shape) = self.rows.shape_of(&keys) {
            return Ok(shape);
        }
        let shape = fitting(self.shapes.len())?;
        self.shapes.push(Shape(self.arena.slice(&keys)));
        self.rows.learn(&keys, shape);
        Ok(shape)
    }
    /// Where keys repeat: for each the place of the first like it, counted without the repeated ones.
    fn places_of_repeated(&mut self, keys: &[u32]) -> Option<Vec<usize>> {
        self.searches += 1;
        self.seen_in.resize(self.texts.len(), 0);
        let (seen_in, search) = (&mut self.seen_in, self.searches);
        let is_repeated =
            |key: &u32| std::mem::replace(&mut seen_in[*key as usize], search) == search;
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

/// Moves each item to its place, where a later one replaces an earlier one. How many there are then.
fn move_to_places<T: Clone>(items: &mut [T], places: &[usize]) -> usize {
    for (at, place) in places.iter().enumerate() {
        items[*place] = items[at].clone();
    }
    places.iter().max().map_or(0, |last| last + 1)
}
