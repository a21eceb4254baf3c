//! A hash table of the words of a fixed list, made at compile time: word in, its place in the list out.

use super::id_table::hash_bytes;

/// Marks a free place; no list is that long.
const FREE: u8 = u8::MAX;

/// The words of a list by their hashes, in a power of two of places.
#[derive(PartialEq, Eq, Debug)]
pub struct WordTable<const PLACES: usize>([u8; PLACES]);

impl<const PLACES: usize> WordTable<PLACES> {
    /// A table without words.
    pub const fn new() -> Self {
        assert!(PLACES.is_power_of_two());
        Self([FREE; PLACES])
    }
    /// Adds the word at a place of the list.
    pub const fn add(&mut self, word: &str, index: usize) {
        assert!(index < FREE as usize && 3 * index < 2 * PLACES, "the list is too long");
        let mut at = hash_bytes(word.as_bytes()) as usize & (PLACES - 1);
        while self.0[at] != FREE {
            at = (at + 1) & (PLACES - 1);
        }
        self.0[at] = index as u8;
    }
    /// Where in the list a word stands, whose words `word_at` has by their places.
    #[inline]
    pub fn find(&self, word: &str, word_at: impl Fn(usize) -> &'static str) -> Option<usize> {
        let mut at = hash_bytes(word.as_bytes()) as usize & (PLACES - 1);
        loop {
            let index = self.0[at];
            if index == FREE {
                return None;
            }
            if word_at(usize::from(index)) == word {
                return Some(usize::from(index));
            }
            at = (at + 1) & (PLACES - 1);
        }
    }
}

impl<const PLACES: usize> Default for WordTable<PLACES> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_texts() {
        const WORDS: [&str; 5] = ["", "a", "b", "a longer word", "a longer worm"];
        const TABLE: WordTable<8> = {
            let mut table = WordTable::new();
            let mut index = 0;
            while index < WORDS.len() {
                table.add(WORDS[index], index);
                index += 1;
            }
            table
        };
        for (index, word) in WORDS.iter().enumerate() {
            assert_eq!(TABLE.find(word, |index| WORDS[index]), Some(index));
        }
        assert_eq!(TABLE.find("c", |index| WORDS[index]), None);
    }
}
