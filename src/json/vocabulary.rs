//! What is known of documents of a kind before one is read, made when the compiler is built: words, and
//! rows of keys that objects have -> the texts, shapes and members that a reader starts with.

use super::chunk::{CHUNK, equal_bytes};
use super::rows::{FIRST_ROW, Member, NO_KEYS, find, put};
use super::tree::Shape;
use crate::base::id_table::{hash_bytes, last_word, places_of};

/// The place of a text that there is none of.
pub(super) const NO_TEXT: u32 = 0;

/// Texts of so many bytes are too long to be told by how they start.
pub(super) const LONG: usize = CHUNK;

/// Texts that most documents of a kind have, and rows of keys. They come first among a document's texts
/// and shapes, in their order, whether it has them or not.
#[derive(Debug)]
pub struct Vocabulary {
    /// The empty text in the place of [`NO_TEXT`], then the words.
    pub(super) texts: &'static [&'static str],
    pub(super) starts: &'static [Start],
    /// The texts by their hashes.
    pub(super) places: &'static [(u32, u32)],
    pub(super) rows: KnownRows,
    pub(super) shapes: &'static [Shape<'static>],
}

/// The members of rows, and what finds them.
#[derive(Clone, Copy, Debug)]
pub struct KnownRows {
    pub(super) members: &'static [Member],
    /// The first members among those like them, where [`find`] finds them.
    pub(super) places: &'static [u16],
    /// The same by how their keys start.
    pub(super) starts: &'static [u16],
}

/// A row of keys as objects have them, likely ones before others.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The places of the keys among the words.
    pub keys: &'static [u16],
    /// The places of up to two strings that are likely as the value of the key that names classes.
    pub names: &'static [u16],
}

impl Vocabulary {
    /// That of documents nothing is known of.
    pub(super) const NONE: &Vocabulary = &Vocabulary {
        texts: &[""],
        starts: &[Start::never()],
        places: &[],
        rows: KnownRows { members: &Member::FIRST, places: &[0], starts: &[0] },
        shapes: &[Shape::of(&[])],
    };

    /// The vocabulary of words, behind an empty one, and rows that all of these were made for.
    pub const fn new(
        texts: &'static [&'static str],
        starts: &'static [Start],
        places: &'static [(u32, u32)],
        rows: KnownRows,
        shapes: &'static [Shape<'static>],
    ) -> Self {
        assert!(texts.len() == starts.len() && texts[NO_TEXT as usize].is_empty());
        Self { texts, starts, places, rows, shapes }
    }
    /// What is known of the words to read them.
    pub const fn starts<const N: usize>(texts: &[&'static str; N]) -> [Start; N] {
        let mut starts = [const { Start::never() }; N];
        let mut index = text_of(0) as usize;
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
        let (_, words) = hashes.split_at(text_of(0) as usize);
        places_of(words, text_of(0))
    }
    /// How many keys rows have altogether.
    pub const fn key_count(rows: &[Row]) -> usize {
        let mut count = 0;
        let mut index = 0;
        while index < rows.len() {
            count += rows[index].keys.len();
            index += 1;
        }
        count
    }
    /// How many members there are for rows.
    pub const fn member_count(rows: &[Row]) -> usize {
        FIRST_ROW + Self::key_count(rows) + rows.len()
    }
    /// The keys of rows, one row behind the other.
    pub const fn keys<const N: usize>(rows: &[Row]) -> [u32; N] {
        let mut keys = [NO_TEXT; N];
        let (mut at, mut index) = (0, 0);
        while index < rows.len() {
            let mut slot = 0;
            while slot < rows[index].keys.len() {
                keys[at] = text_of(rows[index].keys[slot]);
                (at, slot) = (at + 1, slot + 1);
            }
            index += 1;
        }
        keys
    }
    /// The shapes of rows, behind that of no keys.
    pub const fn shapes<const N: usize>(rows: &[Row], keys: &'static [u32]) -> [Shape<'static>; N] {
        assert!(N == rows.len() + 1);
        let mut shapes = [const { Shape::of(&[]) }; N];
        let (mut rest, mut index) = (keys, 0);
        while index < rows.len() {
            let (row, behind) = rest.split_at(rows[index].keys.len());
            shapes[index + 1] = Shape::of(row);
            (rest, index) = (behind, index + 1);
        }
        shapes
    }
    /// The members of rows, where the place of the word that names classes is given, and what finds them
    /// by their keys and by how these start, in a power of two of places, more than there are members.
    pub const fn members<const T: usize, const N: usize, const PLACES: usize>(
        texts: &[&'static str; T],
        rows: &[Row],
        names_class: u16,
    ) -> ([Member; N], [u16; PLACES], [u16; PLACES]) {
        assert!(PLACES.is_power_of_two() && N < PLACES && N <= 1 << 16);
        let [unknown, after_unknown, no_keys] = Member::FIRST;
        let (mut members, mut places, mut starts) = ([no_keys; N], [0; PLACES], [0; PLACES]);
        (members[0], members[1]) = (unknown, after_unknown);
        let (mut at, mut index) = (FIRST_ROW, 0);
        while index < rows.len() {
            let Row { keys, names } = rows[index];
            let (mut last, mut slot) = (NO_KEYS, 0);
            while slot <= keys.len() {
                members[at] = if slot == keys.len() {
                    Member::end(last, index as u32 + 1)
                } else {
                    let mut strings = [NO_TEXT; 2];
                    let mut place = 0;
                    while keys[slot] == names_class && place < names.len() {
                        strings[place] = text_of(names[place]);
                        place += 1;
                    }
                    Member::new(text_of(keys[slot]), last, strings)
                };
                last = match find(&members, &places, last, members[at].key) {
                    Ok(first) => first,
                    Err(place) => {
                        places[place] = at as u16;
                        if slot < keys.len() {
                            let start = start_of(texts[members[at].key as usize]);
                            put(&mut starts, &members, at, start);
                        }
                        at as u32
                    }
                };
                (at, slot) = (at + 1, slot + 1);
            }
            index += 1;
        }
        assert!(at == N);
        (members, places, starts)
    }
    /// The number of the first word's text; those of the others follow.
    pub const fn first(&self) -> usize {
        text_of(0) as usize
    }
    /// The number of shapes that are known beforehand. The first is that of no keys, then come those
    /// of the rows.
    pub const fn shape_count(&self) -> usize {
        self.shapes.len()
    }
}

impl KnownRows {
    /// What [`Vocabulary::members`] made.
    pub const fn new(
        members: &'static [Member],
        places: &'static [u16],
        starts: &'static [u16],
    ) -> Self {
        assert!(places.len().is_power_of_two() && starts.len().is_power_of_two());
        Self { members, places, starts }
    }
}

/// The first two bytes of a key and the quote behind it.
const fn start_of(key: &str) -> [u8; 2] {
    match key.as_bytes() {
        [] => [b'"', 0],
        [first] => [*first, b'"'],
        [first, second, ..] => [*first, *second],
    }
}

/// The place of a word among the texts of a document.
const fn text_of(word: u16) -> u32 {
    NO_TEXT + 1 + word as u32
}

/// A text as it starts in the document. Most texts are short, and are told by this alone.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// A short text and the quote behind it, filled up with zeros.
    bytes: [u8; LONG],
    /// The bits of the bytes that count; one that no byte has if the text is not told by them.
    counting: u32,
    length: u32,
}

/// The bit of a byte that is not there.
const NO_BYTE: u32 = 1 << LONG;

impl Start {
    /// That of a text without quotes, backslashes and control characters.
    pub(super) const fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let length = text.len() as u32;
        if text.len() >= LONG {
            return Self { length, ..Self::never() };
        }
        let quote = (b'"' as u128) << (8 * length);
        let rest = last_word(text) as u128;
        let bytes = match text.first_chunk() {
            Some(first) => u64::from_le_bytes(*first) as u128 | rest << 64,
            None => rest,
        };
        Self { bytes: (bytes | quote).to_le_bytes(), counting: (2 << length) - 1, length }
    }
    /// What stands in the place of a text that is never told by its start.
    pub(super) const fn never() -> Self {
        Self { bytes: [0; LONG], counting: NO_BYTE, length: 0 }
    }
    /// Whether the text is to be compared as a whole.
    #[inline(always)]
    pub(super) fn is_long(&self) -> bool {
        self.length as usize >= LONG
    }
    /// How long a text is that is not long.
    #[inline(always)]
    pub(super) fn short_length(&self) -> usize {
        self.length as usize % LONG
    }
    /// Whether these bytes start with this text, if it is not long, and a quote.
    #[inline(always)]
    pub(super) fn is_at(&self, bytes: &[u8; LONG]) -> bool {
        !equal_bytes(bytes, &self.bytes) & self.counting == 0
    }
}
