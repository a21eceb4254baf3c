//! [`Json`], a value of a document that was read. Equal values of one document are stored once, so a
//! document takes the memory of its distinct values, and whoever reads it can remember by
//! [`Json::object_id`] or [`Json::text_id`] what it made of a value that occurs a thousand times.

use super::vocabulary::Vocabulary;
use crate::base::arena::Arena;
use crate::base::id_table::hash_words;

/// The distinct values of one document.
#[derive(Debug)]
pub struct Values<'a> {
    /// Of each array its length and its items. Of each object its shape, its number among the
    /// objects, and its values.
    pub(super) words: &'a [u32],
    /// Strings, keys, and the texts of numbers.
    pub(super) texts: &'a [&'a str],
    pub(super) shapes: &'a [Shape<'a>],
    /// Of the first shapes, whether objects have them; objects have all others.
    pub(super) is_used: &'a [bool],
    pub(super) object_count: u32,
    pub(super) vocabulary: Option<&'static Vocabulary>,
}

/// The keys of an object, in order, by their places among the texts. Objects with the same keys share
/// it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape<'a>(pub(super) &'a [u32]);

impl Shape<'static> {
    /// The shape of these keys.
    pub const fn of(keys: &'static [u32]) -> Self {
        Shape(keys)
    }
}

/// What a [`Word`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    Null,
    Bool,
    Int,
    Number,
    String,
    Array,
    Object,
}

impl Tag {
    const ALL: [Tag; 8] = [
        Tag::Null,
        Tag::Bool,
        Tag::Int,
        Tag::Number,
        Tag::String,
        Tag::Array,
        Tag::Object,
        Tag::Null,
    ];
}

/// A tag, and a number: the value itself, the place of a text, or the place of an array's or object's
/// first word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Word(pub(super) u32);

/// Numbers from here on do not fit beside a tag.
pub(super) const PAYLOADS: u32 = 1 << 29;

impl Word {
    pub(super) const NULL: Word = Word::new(Tag::Null, 0);
    pub(super) const FALSE: Word = Word::new(Tag::Bool, 0);
    pub(super) const TRUE: Word = Word::new(Tag::Bool, 1);

    #[inline]
    pub(super) const fn new(tag: Tag, payload: u32) -> Self {
        debug_assert!(payload < PAYLOADS);
        Word(payload << 3 | tag as u32)
    }
    #[inline]
    pub(super) fn is(self, tag: Tag) -> bool {
        self.tag() == tag
    }
    #[inline]
    fn tag(self) -> Tag {
        Tag::ALL[self.0 as usize & 7]
    }
    #[inline]
    pub(super) fn payload(self) -> u32 {
        self.0 >> 3
    }
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    pub(super) values: &'a Values<'a>,
    pub(super) word: Word,
}

/// The kinds of value.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A small integer from 0. Its decimal digits are its text.
    Int(u32),
    /// The exact text of any other number; see [`super::is_integer`].
    Number(&'a str),
    /// A string with its escapes resolved.
    String(&'a str),
    /// The items in order.
    Array(Items<'a>),
    /// The members in order; keys are unique.
    Object(Members<'a>),
}

impl<'a> Json<'a> {
    /// The value of a word of a document that was read before.
    pub const fn of_word(values: &'a Values<'a>, word: u32) -> Self {
        Json { values, word: Word(word) }
    }
    /// A string that stands in no document.
    pub fn string(text: &'a str, arena: &'a Arena) -> Self {
        let texts = arena.slice(&[text]);
        let values = Values { words: &[], texts, ..Values::stored(&[], &[], &[], 0) };
        Json { values: arena.alloc(values), word: Word::new(Tag::String, 0) }
    }
    /// The value, by its kind.
    #[inline]
    pub fn kind(self) -> Kind<'a> {
        let payload = self.word.payload();
        match self.word.tag() {
            Tag::Null => Kind::Null,
            Tag::Bool => Kind::Bool(payload != 0),
            Tag::Int => Kind::Int(payload),
            Tag::Number => Kind::Number(self.values.text(payload)),
            Tag::String => Kind::String(self.values.text(payload)),
            Tag::Array => {
                let (length, items) =
                    self.values.words[payload as usize..].split_first().expect("a length");
                Kind::Array(Items { values: self.values, words: &items[..*length as usize] })
            }
            Tag::Object => Kind::Object(self.members(payload as usize)),
        }
    }
    #[inline]
    fn members(self, start: usize) -> Members<'a> {
        let shape = self.values.words[start];
        let keys = self.values.shapes[shape as usize].0;
        let first = start + OBJECT_HEAD;
        let words = &self.values.words[first..first + keys.len()];
        Members { values: self.values, keys, words }
    }
    /// The member of an object with this name.
    pub fn get(self, key: &str) -> Option<Json<'a>> {
        let members = self.as_object()?;
        let is_it = |id: &u32| self.values.text(*id) == key;
        members.at(members.keys.iter().position(is_it)?)
    }
    /// The text of a string.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        match self.word.tag() {
            Tag::String => Some(self.values.text(self.word.payload())),
            _ => None,
        }
    }
    /// The items of an array.
    #[inline]
    pub fn as_array(self) -> Option<Items<'a>> {
        match self.kind() {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }
    /// The members of an object.
    #[inline]
    pub fn as_object(self) -> Option<Members<'a>> {
        match self.word.tag() {
            Tag::Object => Some(self.members(self.word.payload() as usize)),
            _ => None,
        }
    }
    /// The value of `true` or `false`.
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }
    /// The exact text of a number.
    pub fn as_number(self) -> Option<String> {
        match self.kind() {
            Kind::Int(value) => Some(value.to_string()),
            Kind::Number(text) => Some(text.to_owned()),
            _ => None,
        }
    }
    /// The value of a small integer; see [`Kind::Int`].
    #[inline]
    pub fn as_u32(self) -> Option<u32> {
        (self.word.tag() == Tag::Int).then(|| self.word.payload())
    }
    /// True for `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.word == Word::NULL
    }
    /// True for what has no values inside of it.
    #[inline]
    pub fn is_scalar(self) -> bool {
        !matches!(self.word.tag(), Tag::Array | Tag::Object)
    }
    /// True for objects.
    #[inline]
    pub fn is_object(self) -> bool {
        self.word.tag() == Tag::Object
    }
    /// The document it stands in.
    #[inline]
    pub fn values(self) -> &'a Values<'a> {
        self.values
    }
    /// The shape of an object: a number that objects with the same keys in the same order share, from
    /// 0, below [`Values::shape_count`].
    #[inline]
    pub fn shape_id(self) -> Option<usize> {
        self.is_object().then(|| self.values.words[self.word.payload() as usize] as usize)
    }
    /// The value of the member of an object at a place that its shape has.
    #[inline]
    pub fn member_at(self, slot: usize) -> Json<'a> {
        debug_assert!(self.as_object().is_some_and(|members| slot < members.len()));
        let word = self.values.words[self.word.payload() as usize + OBJECT_HEAD + slot];
        Json { values: self.values, word: Word(word) }
    }
    /// The hash of an object without the value of the member at a place.
    pub fn hash_but(self, slot: usize) -> u32 {
        let members = self.as_object().expect("an object");
        let (before, behind) = members.words.split_at(slot);
        let shape = self.values.words[self.word.payload() as usize];
        hash_words(hash_words(shape, before), behind.get(1..).unwrap_or_default())
    }
    /// Whether two objects of a document are equal but for the value of the member at a place.
    pub fn is_equal_but(self, other: Json<'a>, slot: usize) -> bool {
        let (Some(a), Some(b)) = (self.as_object(), other.as_object()) else { return false };
        let mut pairs = a.words.iter().zip(b.words).enumerate();
        self.shape_id() == other.shape_id() && pairs.all(|(place, (a, b))| a == b || place == slot)
    }
    /// A number that equal objects of a document share: from 0, below [`Values::object_count`].
    #[inline]
    pub fn object_id(self) -> Option<usize> {
        let start = self.word.payload() as usize;
        self.is_object().then(|| self.values.words[start + 1] as usize)
    }
    /// A number that equal strings of a document share: from 0, below [`Values::text_count`].
    #[inline]
    pub fn text_id(self) -> Option<usize> {
        (self.word.tag() == Tag::String).then(|| self.word.payload() as usize)
    }
}

/// Words of an object before its values.
pub(super) const OBJECT_HEAD: usize = 2;

impl Values<'static> {
    /// A document that was read before the compiler was built.
    pub const fn stored(
        words: &'static [u32],
        texts: &'static [&'static str],
        shapes: &'static [Shape<'static>],
        object_count: u32,
    ) -> Self {
        Self { words, texts, shapes, is_used: &[], object_count, vocabulary: None }
    }
}

impl<'a> Values<'a> {
    #[inline]
    fn text(&self, id: u32) -> &'a str {
        self.texts[id as usize]
    }
    /// How many different objects there are.
    #[inline]
    pub fn object_count(&self) -> usize {
        self.object_count as usize
    }
    /// Above the numbers of all texts.
    #[inline]
    pub fn text_count(&self) -> usize {
        self.texts.len()
    }
    /// How many different rows of keys objects have.
    #[inline]
    pub fn shape_count(&self) -> usize {
        self.shapes.len()
    }
    /// Whether an object of a shape from the given one on has a member with one of these names.
    pub fn has_one_of<const N: usize>(&self, from: usize, names: [&str; N]) -> bool {
        let place = |name| self.texts.iter().position(|text| *text == name);
        // no key has the number that stands for a name that is no text
        let ids = names.map(|name| place(name).map_or(u32::MAX, |id| id as u32));
        let has_one = |shape: &Shape<'_>| shape.0.iter().any(|key| ids.contains(key));
        let mut shapes = self.shapes.iter().enumerate().skip(from);
        shapes.any(|(shape, keys)| self.is_used(shape) && has_one(keys))
    }
    /// Whether objects have a shape.
    #[inline]
    pub fn is_used(&self, shape: usize) -> bool {
        self.is_used.get(shape).copied().unwrap_or(true)
    }
    /// The words that come first among the texts.
    #[inline]
    pub fn vocabulary(&self) -> Option<&'static Vocabulary> {
        self.vocabulary
    }
}

/// The items of an array.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    values: &'a Values<'a>,
    words: &'a [u32],
}

impl<'a> Items<'a> {
    /// How many there are.
    #[inline]
    pub fn len(self) -> usize {
        self.words.len()
    }
    /// True when there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.words.is_empty()
    }
    /// The item at a place.
    #[inline]
    pub fn get(self, index: usize) -> Option<Json<'a>> {
        self.words.get(index).map(|word| Json { values: self.values, word: Word(*word) })
    }
    /// All of them in order.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = Json<'a>> + Clone {
        let values = self.values;
        self.words.iter().map(move |word| Json { values, word: Word(*word) })
    }
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    values: &'a Values<'a>,
    keys: &'a [u32],
    words: &'a [u32],
}

impl<'a> Members<'a> {
    /// How many there are.
    #[inline]
    pub fn len(self) -> usize {
        self.words.len()
    }
    /// True when there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.words.is_empty()
    }
    /// The value of the member at a place.
    #[inline]
    pub fn at(self, slot: usize) -> Option<Json<'a>> {
        self.words.get(slot).map(|word| Json { values: self.values, word: Word(*word) })
    }
    /// The keys in order.
    #[inline]
    pub fn keys(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        let values = self.values;
        self.keys.iter().map(move |key| values.text(*key))
    }
    /// The numbers of the keys' texts in order: from 0, below [`Values::text_count`].
    #[inline]
    pub fn key_ids(self) -> impl ExactSizeIterator<Item = usize> {
        self.keys.iter().map(|key| *key as usize)
    }
    /// The values in order.
    #[inline]
    pub fn values(self) -> impl ExactSizeIterator<Item = Json<'a>> + Clone {
        let values = self.values;
        self.words.iter().map(move |word| Json { values, word: Word(*word) })
    }
    /// Keys and values in order.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, Json<'a>)> + Clone {
        self.keys().zip(self.values())
    }
}
