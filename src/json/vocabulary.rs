//! What is known of documents of a kind before one is read, made when the compiler is built: words, and
//! rows of keys that objects have -> the texts, shapes and members that a reader starts with.

use super::rows::{FIRST_ROW, Member, choices, link};
use super::tree::Shape;
use crate::base::id_table::{hash_bytes, last_word, places_of};

/// The place of a text that there is none of.
pub(super) const NO_TEXT: u32 = 0;

/// Texts of so many bytes are too long to be told by how they start.
pub(super) const LONG: usize = 16;

/// Texts that most documents of a kind have, and rows of keys. They come first among a document's texts
/// and shapes, in their order, whether it has them or not.
#[derive(Debug)]
pub struct Vocabulary {
    pub(super) texts: &'static [&'static str],
    pub(super) starts: &'static [Start],
    /// The texts by their hashes.
    pub(super) places: &'static [(u32, u32)],
    pub(super) members: &'static [Member],
    /// Where members are that come behind others.
    pub(super) choices: &'static [u16],
    pub(super) shapes: &'static [Shape<'static>],
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
        texts: &[],
        starts: &[],
        places: &[],
        members: &Member::FIRST,
        choices: &[],
        shapes: &[Shape::of(&[])],
    };

    /// The vocabulary of words and rows that all of these were made for.
    pub const fn new(
        texts: &'static [&'static str],
        starts: &'static [Start],
        places: &'static [(u32, u32)],
        members: &'static [Member],
        choices: &'static [u16],
        shapes: &'static [Shape<'static>],
    ) -> Self {
        assert!(texts.len() == starts.len());
        Self { texts, starts, places, members, choices, shapes }
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
    /// The members of rows, where the place of the word that names classes is given.
    pub const fn members<const N: usize>(rows: &[Row], names_class: u16) -> [Member; N] {
        let mut members = [Member::END; N];
        let [unknown, after_unknown, no_keys] = Member::FIRST;
        (members[0], members[1], members[2]) = (unknown, after_unknown, no_keys);
        let (mut at, mut index) = (FIRST_ROW, 0);
        while index < rows.len() {
            let Row { keys, names } = rows[index];
            let start = at;
            let mut slot = 0;
            while slot < keys.len() {
                members[at] = Member::new(text_of(keys[slot]));
                if keys[slot] == names_class {
                    let mut place = 0;
                    while place < names.len() {
                        members[at].strings[place] = text_of(names[place]);
                        place += 1;
                    }
                }
                (at, slot) = (at + 1, slot + 1);
            }
            members[at] = Member::end(index as u32 + 1);
            link(&mut members, start, at);
            (at, index) = (at + 1, index + 1);
        }
        assert!(at == N);
        members
    }
    /// What finds members by how the words start that are their keys, in a power of two of places, more
    /// than there are members.
    pub const fn choices<const N: usize, const PLACES: usize>(
        texts: &[&'static str; N],
        members: &[Member],
    ) -> [u16; PLACES] {
        let mut starts = [[b'"'; 2]; 512];
        let mut index = 0;
        while index < N {
            let text = texts[index].as_bytes();
            let start = &mut starts[text_of(index as u16) as usize];
            if let Some([first, ..]) = text.first_chunk::<1>() {
                start[0] = *first;
            }
            if let Some([_, second]) = text.first_chunk::<2>() {
                start[1] = *second;
            }
            index += 1;
        }
        choices(members, &starts)
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

/// The place of a word among the texts of a document.
const fn text_of(word: u16) -> u32 {
    NO_TEXT + 1 + word as u32
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

impl Start {
    /// That of a text without quotes, backslashes and control characters.
    pub(super) const fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let length = text.len();
        if length >= LONG {
            return Self { length: length as u32, ..Self::never() };
        }
        let [mut bytes, mut mask] = [[0; 2]; 2];
        let (word, shift) = (length / 8, length % 8 * 8);
        let rest = last_word(text);
        if let Some(first) = text.first_chunk() {
            (bytes[0], mask[0]) = (u64::from_le_bytes(*first), u64::MAX);
        }
        bytes[word] = rest | (b'"' as u64) << shift;
        mask[word] = u64::MAX >> (56 - shift);
        Self { bytes, mask, length: length as u32 }
    }
    /// What stands in the place of a text that is never told by its start: nothing in a document starts
    /// like it.
    pub(super) const fn never() -> Self {
        Self { bytes: [1, 0], mask: [0; 2], length: 0 }
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
        let [first, second] = halves(*bytes);
        let different =
            (first & self.mask[0] ^ self.bytes[0]) | (second & self.mask[1] ^ self.bytes[1]);
        different == 0
    }
}

#[inline(always)]
const fn halves(bytes: [u8; LONG]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}
