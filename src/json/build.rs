//! Values as they are read, innermost first -> the distinct values of a document. What is equal to a
//! value already kept becomes that value.

use bumpalo::collections::Vec as BumpVec;

use super::read::{ReadError, too_large};
use super::tree::{Json, OBJECT_HEAD, PAYLOADS, Shape, Tag, Values, Word};
use crate::base::arena::Arena;
use crate::base::id_table::{IdTable, hash_bytes, hash_words, places_of};
use crate::base::ordered::LookupMap;

/// Told apart from objects with the same words.
const ARRAY_SEED: u32 = 0;

/// The place of a text that there is none of.
pub(super) const NO_TEXT: u32 = 0;

/// A point between members that no key led to: the outside of all objects.
pub(super) const OUTSIDE: u32 = 0;

/// In the place of a shape that is not known.
const NO_SHAPE: u32 = u32::MAX;

/// Texts of so many bytes are too long to be told by how they start.
const LONG: usize = 16;

/// How many keys are tried before one is looked up by its hash.
const KEYS_TRIED: usize = 4;

/// A point between members of objects: what keys were read so far. Objects that stand under the same
/// key and begin with the same keys pass the same points, so what came there before is likely again.
#[derive(Clone, Copy)]
struct Point {
    /// The last key read; [`NO_TEXT`] where an object starts.
    key: u32,
    /// The point before that key.
    before: u32,
    /// The point that came last after this one, if any.
    next: u32,
    /// Another point after `before`; these make a ring.
    sibling: u32,
    /// The keys up to here, if an object ended here.
    shape: u32,
    /// The last key as it starts in the document.
    start: Start,
    /// The strings that stood last as the value of the key, or in it.
    strings: [u32; 2],
}

impl Point {
    fn new(key: u32, start: Start, before: u32, id: u32) -> Self {
        let strings = [NO_TEXT; 2];
        Self { key, before, next: OUTSIDE, sibling: id, shape: NO_SHAPE, start, strings }
    }
}

/// Texts that most documents of a kind have. They come first among a document's texts, in their order,
/// whether it has them or not.
#[derive(Debug)]
pub struct Vocabulary {
    texts: &'static [&'static str],
    starts: &'static [Start],
    /// The texts by their hashes.
    places: &'static [(u32, u32)],
}

impl Vocabulary {
    /// The vocabulary of these words, which [`Vocabulary::starts`] and [`Vocabulary::places`] were
    /// made for, too.
    pub const fn new(
        texts: &'static [&'static str],
        starts: &'static [Start],
        places: &'static [(u32, u32)],
    ) -> Self {
        assert!(texts.len() == starts.len());
        Self { texts, starts, places }
    }
    /// What is known of the words to read them.
    pub const fn starts<const N: usize>(texts: &[&'static str; N]) -> [Start; N] {
        let mut starts = [const { Start::never() }; N];
        let mut index = 0;
        while index < N {
            starts[index] = Start::new(texts[index]);
            index += 1;
        }
        starts
    }
    /// The words by their hashes, in a power of two of places that leaves a third of them free.
    pub const fn places<const N: usize, const PLACES: usize>(
        texts: &[&'static str; N],
    ) -> [(u32, u32); PLACES] {
        assert!(PLACES.is_power_of_two() && N * 3 < PLACES * 2);
        let mut hashes = [0; N];
        let mut index = 0;
        while index < N {
            hashes[index] = hash_bytes(texts[index].as_bytes());
            index += 1;
        }
        places_of(&hashes, NO_TEXT + 1)
    }
    /// The number of the first word's text; those of the others follow.
    pub const fn first(&self) -> usize {
        NO_TEXT as usize + 1
    }
}

/// A text as it starts in the document. Most texts are short, and are told by this alone.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The text and the quote behind it, filled up with zeros; nothing of a long text.
    bytes: [u64; 2],
    /// All bits of what is not filled up.
    mask: [u64; 2],
    length: u32,
}

/// What is known of a text as a key.
#[derive(Clone, Copy)]
struct Key {
    /// The point where objects start that are, or are in, its value.
    point: u32,
    /// The last point whose keys were searched for repeated ones and had this one among them.
    seen_at: u32,
}

impl Key {
    const NEW: Key = Key { point: OUTSIDE, seen_at: OUTSIDE };
}

impl Start {
    const fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let length = text.len();
        if length >= LONG {
            return Self { length: length as u32, ..Self::never() };
        }
        let (mut bytes, mut mask) = ([0; 16], [0; 16]);
        let mut at = 0;
        while at < length {
            (bytes[at], mask[at]) = (text[at], 0xff);
            at += 1;
        }
        (bytes[length], mask[length]) = (b'"', 0xff);
        Self { bytes: halves(bytes), mask: halves(mask), length: length as u32 }
    }
    /// What stands in the place of [`NO_TEXT`]: nothing in a document starts like it.
    const fn never() -> Self {
        Self { bytes: [1, 0], mask: [0; 2], length: 0 }
    }
    /// The place of the quote behind this text, if both stand among the bytes and are short.
    #[inline(always)]
    fn quote_after(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let [first, second] = halves(*bytes.get(from..)?.first_chunk()?);
        let is_it = first & self.mask[0] == self.bytes[0] && second & self.mask[1] == self.bytes[1];
        is_it.then_some(from + self.length as usize)
    }
}

#[inline(always)]
const fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}

/// The values read so far.
pub(super) struct Builder<'a> {
    arena: &'a Arena,
    texts: Vec<&'a str>,
    text_ids: IdTable,
    /// Of each text.
    starts: Vec<Start>,
    keys: Vec<Key>,
    points: Vec<Point>,
    /// Points by the point before them and their key.
    point_ids: IdTable,
    shapes: Vec<Shape<'a>>,
    shape_ids: IdTable,
    words: Vec<u32>,
    /// Arrays and objects, each by its whole word.
    containers: IdTable,
    object_count: u32,
    vocabulary: Option<&'static Vocabulary>,
    /// Where the keys that led to a point are put together.
    way: Vec<u32>,
}

impl<'a> Builder<'a> {
    /// No values yet, and room for what a document of so many bytes is likely to have.
    pub(super) fn new(
        arena: &'a Arena,
        length: usize,
        vocabulary: Option<&'static Vocabulary>,
    ) -> Self {
        let expected = 16 + (length / 64).min(240);
        let words: &[&'static str] = vocabulary.map_or(&[], |vocabulary| vocabulary.texts);
        let texts = expected + words.len();
        let mut builder = Self {
            arena,
            texts: Vec::with_capacity(texts),
            text_ids: match vocabulary {
                Some(vocabulary) => IdTable::stored(vocabulary.places, words.len()),
                None => IdTable::with_capacity(expected),
            },
            starts: Vec::with_capacity(texts),
            keys: Vec::with_capacity(texts),
            points: Vec::with_capacity(2 * expected),
            point_ids: IdTable::with_capacity(expected),
            shapes: Vec::with_capacity(expected / 4),
            shape_ids: IdTable::with_capacity(expected / 4),
            words: Vec::with_capacity(64 + length / 32),
            containers: IdTable::with_capacity(16 + (length / 256).min(1000)),
            object_count: 0,
            vocabulary,
            way: Vec::with_capacity(16),
        };
        // in the place of `NO_TEXT`; it is never found
        builder.texts.push("");
        builder.starts.push(Start::never());
        if let Some(vocabulary) = vocabulary {
            builder.texts.extend_from_slice(vocabulary.texts);
            builder.starts.extend_from_slice(vocabulary.starts);
        }
        builder.keys.resize(builder.texts.len(), Key::NEW);
        builder.points.push(Point::new(NO_TEXT, Start::never(), OUTSIDE, OUTSIDE));
        builder
    }
    /// The document, once its outermost value was read.
    pub(super) fn finish(self, root: Word) -> Json<'a> {
        let values = Values {
            words: self.arena.slice(&self.words),
            texts: self.arena.slice(&self.texts),
            shapes: self.arena.slice(&self.shapes),
            object_count: self.object_count,
            vocabulary: self.vocabulary,
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
        self.starts.push(Start::new(text));
        self.keys.push(Key::NEW);
        self.text_ids.insert(hash, id);
        Ok(id)
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
    /// The object of the last values, from the given place on, whose keys led to a point.
    #[inline]
    pub(super) fn object(
        &mut self,
        point: u32,
        values: &mut Vec<u32>,
        start: usize,
    ) -> Result<Word, ReadError> {
        let shape = match self.points[point as usize].shape {
            NO_SHAPE => self.new_shape(point, values, start)?,
            shape => shape,
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
    /// The shape of the keys that led to a point. Where keys repeat, it has each of them once, and
    /// the values are moved to their places.
    #[cold]
    fn new_shape(
        &mut self,
        point: u32,
        values: &mut Vec<u32>,
        start: usize,
    ) -> Result<u32, ReadError> {
        let mut keys = std::mem::take(&mut self.way);
        keys.clear();
        self.put_keys(point, &mut keys);
        let known = &mut self.keys;
        let is_repeated =
            |key: &u32| std::mem::replace(&mut known[*key as usize].seen_at, point) == point;
        let places = if keys.iter().any(is_repeated) { places_of_repeated(&keys) } else { None };
        if let Some(places) = &places {
            move_to_places(&mut keys, 0, places);
            move_to_places(values, start, places);
        }
        let hash = hash_words(0, &keys);
        let known = self.shape_ids.find(hash, |id| *self.shapes[id as usize].0 == keys);
        let shape = match known {
            Some(shape) => shape,
            None => {
                let id = fitting(self.shapes.len())?;
                self.shapes.push(Shape(self.arena.slice(&keys)));
                self.shape_ids.insert(hash, id);
                id
            }
        };
        self.way = keys;
        if places.is_none() {
            self.points[point as usize].shape = shape;
        }
        Ok(shape)
    }

    // ---- what is likely ----

    /// The point where an object starts that follows on a point, as the value of its key or in it.
    #[inline]
    pub(super) fn start(&mut self, point: u32) -> Result<u32, ReadError> {
        let key = self.points[point as usize].key;
        let start = self.keys[key as usize].point;
        if start == OUTSIDE && key != NO_TEXT { self.new_start(key) } else { Ok(start) }
    }
    /// The same, if objects started there before.
    #[inline(always)]
    pub(super) fn known_start(&self, point: u32) -> Option<u32> {
        let key = self.points[point as usize].key;
        let start = self.keys[key as usize].point;
        (start != OUTSIDE).then_some(start)
    }
    #[cold]
    fn new_start(&mut self, key: u32) -> Result<u32, ReadError> {
        let id = fitting(self.points.len())?;
        self.points.push(Point::new(NO_TEXT, Start::never(), OUTSIDE, id));
        self.keys[key as usize].point = id;
        Ok(id)
    }
    /// The point after the key that starts at a place, if it came after `point` lately, and the place
    /// of the quote behind the key.
    #[inline(always)]
    pub(super) fn likely_key(
        &mut self,
        point: u32,
        bytes: &[u8],
        from: usize,
    ) -> Option<(u32, usize)> {
        let next = self.points[point as usize].next;
        match self.points[next as usize].start.quote_after(bytes, from) {
            Some(end) => Some((next, end)),
            None if next == OUTSIDE => None,
            None => self.less_likely_key(point, bytes, from),
        }
    }
    /// The point after the member whose key starts with the quote at a place, and where its value starts,
    /// if the key came after `point` lately, and at most one space after its colon.
    #[inline(always)]
    pub(super) fn likely_member(
        &mut self,
        point: u32,
        bytes: &[u8],
        quote: usize,
    ) -> Option<(u32, usize)> {
        let (next, end) = self.likely_key(point, bytes, quote + 1)?;
        match bytes.get(end + 1..) {
            Some([b':', b' ', first, ..]) if *first > b' ' => Some((next, end + 3)),
            Some([b':', first, ..]) if *first > b' ' => Some((next, end + 2)),
            _ => None,
        }
    }
    #[inline(never)]
    fn less_likely_key(&mut self, point: u32, bytes: &[u8], from: usize) -> Option<(u32, usize)> {
        let last = self.points[point as usize].next;
        let mut next = self.points[last as usize].sibling;
        for _ in 1..KEYS_TRIED {
            if next == last {
                break;
            }
            let Point { key, sibling, start, .. } = &self.points[next as usize];
            let (key, sibling) = (*key, *sibling);
            if let Some(end) = self.quote_after_start(start, key, bytes, from) {
                self.points[point as usize].next = next;
                return Some((next, end));
            }
            next = sibling;
        }
        // the most likely one is tried again, as a long one
        let key = self.points[last as usize].key;
        self.quote_after(key, bytes, from).map(|end| (last, end))
    }
    /// The point after a key that follows on `point`. A key that is plain stood in the document without
    /// escapes.
    pub(super) fn after_key(
        &mut self,
        point: u32,
        key: u32,
        is_plain: bool,
    ) -> Result<u32, ReadError> {
        let hash = hash_words(point, &[key]);
        let points = &self.points;
        let known = self.point_ids.find(hash, |id| {
            let known = points[id as usize];
            known.before == point && known.key == key
        });
        let id = match known {
            Some(id) => id,
            None => {
                let id = fitting(self.points.len())?;
                self.points.push(Point::new(key, self.starts[key as usize], point, id));
                self.point_ids.insert(hash, id);
                let last = self.points[point as usize].next;
                if is_plain && last != OUTSIDE {
                    self.points[id as usize].sibling = self.points[last as usize].sibling;
                    self.points[last as usize].sibling = id;
                }
                id
            }
        };
        if is_plain {
            self.points[point as usize].next = id;
        }
        Ok(id)
    }
    /// The string that starts at a place, if it stood at a point lately, and the place of the quote
    /// behind it.
    #[inline(always)]
    pub(super) fn likely_string(
        &mut self,
        point: u32,
        bytes: &[u8],
        from: usize,
    ) -> Option<(u32, usize)> {
        let [first, second] = self.points[point as usize].strings;
        if let Some(end) = self.quote_after(first, bytes, from) {
            return Some((first, end));
        }
        let end = self.quote_after(second, bytes, from)?;
        self.points[point as usize].strings = [second, first];
        Some((second, end))
    }
    /// From now on a string is likely at a point. It must have stood in the document without escapes.
    pub(super) fn expect_string(&mut self, point: u32, id: u32) {
        let strings = &mut self.points[point as usize].strings;
        *strings = [id, strings[0]];
    }
    /// The place of the quote behind a text, if both stand among the bytes.
    #[inline(always)]
    fn quote_after(&self, text: u32, bytes: &[u8], from: usize) -> Option<usize> {
        self.quote_after_start(&self.starts[text as usize], text, bytes, from)
    }
    /// The same, with the start of the text.
    #[inline(always)]
    fn quote_after_start(
        &self,
        start: &Start,
        text: u32,
        bytes: &[u8],
        from: usize,
    ) -> Option<usize> {
        let end = start.quote_after(bytes, from);
        if end.is_some() || (start.length as usize) < LONG {
            end
        } else {
            self.quote_after_long(text, bytes, from)
        }
    }
    #[inline(never)]
    fn quote_after_long(&self, text: u32, bytes: &[u8], from: usize) -> Option<usize> {
        let text = self.texts[text as usize].as_bytes();
        let end = from + text.len();
        let is_it = bytes.get(end) == Some(&b'"') && bytes[from..end] == *text;
        is_it.then_some(end)
    }
    /// The keys that led to a point.
    pub(super) fn keys(&self, point: u32) -> Vec<u32> {
        let mut keys = Vec::new();
        self.put_keys(point, &mut keys);
        keys
    }
    fn put_keys(&self, mut point: u32, keys: &mut Vec<u32>) {
        while let Point { key, before, .. } = self.points[point as usize]
            && key != NO_TEXT
        {
            keys.push(key);
            point = before;
        }
        keys.reverse();
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
