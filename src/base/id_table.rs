//! An open-addressing hash table of ids whose keys live elsewhere: finding a key and adding it where it
//! is missing take one hash. Also the hash functions for what is kept that way. Nothing iterates it.

/// Marks a free place; no id has this value.
const FREE: u32 = u32::MAX;

/// Places of a table that has its first entry.
const FIRST_PLACES: usize = 64;

/// Ids by the hash of their keys.
#[derive(Clone, Debug, Default)]
pub struct IdTable {
    /// Hash and id; a power of two of them, or none.
    places: Vec<(u32, u32)>,
    len: usize,
}

impl IdTable {
    /// A table with room for so many ids.
    pub fn with_capacity(ids: usize) -> Self {
        let places = (ids * 3 / 2 + 1).next_power_of_two().max(FIRST_PLACES);
        Self { places: vec![(0, FREE); places], len: 0 }
    }
    /// A table of what [`places_of`] made.
    pub fn stored(places: &[(u32, u32)], len: usize) -> Self {
        debug_assert!(places.len().is_power_of_two() && len * 3 < places.len() * 2);
        Self { places: places.to_vec(), len }
    }
    /// The id stored under `hash` that `is_it` takes for the one looked for.
    #[inline]
    pub fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.places.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            let (found, id) = *self.places.get(at)?;
            if id == FREE {
                return None;
            }
            if found == hash && is_it(id) {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
    }
    /// The same; or the place where an id that is missing goes, which [`IdTable::fill`] takes before
    /// anything else is done to the table.
    #[inline]
    pub fn find_or_place(
        &mut self,
        hash: u32,
        mut is_it: impl FnMut(u32) -> bool,
    ) -> Result<u32, usize> {
        if self.len * 3 >= self.places.len() * 2 {
            self.grow();
        }
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (found, id) = self.places[at];
            if id == FREE {
                return Err(at);
            }
            if found == hash && is_it(id) {
                return Ok(id);
            }
            at = (at + 1) & mask;
        }
    }
    /// Stores an id at the place that was found for it under `hash`.
    #[inline]
    pub fn fill(&mut self, place: usize, hash: u32, id: u32) {
        debug_assert!(id != FREE && self.places[place].1 == FREE);
        self.len += 1;
        self.places[place] = (hash, id);
    }
    /// Stores an id that was not found under `hash`.
    pub fn insert(&mut self, hash: u32, id: u32) {
        debug_assert_ne!(id, FREE);
        if self.len * 3 >= self.places.len() * 2 {
            self.grow();
        }
        self.len += 1;
        self.put(hash, id);
    }
    fn put(&mut self, hash: u32, id: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at].1 != FREE {
            at = (at + 1) & mask;
        }
        self.places[at] = (hash, id);
    }
    #[cold]
    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(FIRST_PLACES);
        let old = std::mem::replace(&mut self.places, vec![(0, FREE); size]);
        for (hash, id) in old.into_iter().filter(|place| place.1 != FREE) {
            self.put(hash, id);
        }
    }
}

/// The places of a table with the ids from `first` on, stored under these hashes. There must be room for
/// them.
pub const fn places_of<const PLACES: usize>(hashes: &[u32], first: u32) -> [(u32, u32); PLACES] {
    let mut places = [(0, FREE); PLACES];
    let mut index = 0;
    while index < hashes.len() {
        let mut at = hashes[index] as usize & (PLACES - 1);
        while places[at].1 != FREE {
            at = (at + 1) & (PLACES - 1);
        }
        places[at] = (hashes[index], first + index as u32);
        index += 1;
    }
    places
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Every bit of the arguments reaches every bit of the result's lower half.
#[inline]
const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word) as u128 * FACTOR as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The hash of bytes, taken eight at a time by whoever reads them anyway.
#[derive(Clone, Copy, Default)]
pub struct ByteHash(u64);

impl ByteHash {
    /// Eight bytes, the first in the lowest place.
    #[inline]
    pub const fn add(&mut self, word: u64) {
        self.0 = mix(self.0, word);
    }
    /// The hash of so many bytes, of which these are the last, fewer than eight, filled up with zeros.
    #[inline]
    pub const fn finish(self, rest: u64, len: usize) -> u32 {
        mix(self.0 ^ len as u64, rest) as u32
    }
}

/// The hash of a text or of other bytes.
#[inline]
pub const fn hash_bytes(bytes: &[u8]) -> u32 {
    let mut hash = ByteHash(0);
    let mut left = bytes;
    while let Some((word, behind)) = left.split_first_chunk() {
        hash.add(u64::from_le_bytes(*word));
        left = behind;
    }
    hash.finish(last_word(bytes), bytes.len())
}

/// The bytes behind the last whole word of eight, filled up with zeros; the first in the lowest place.
#[inline]
pub const fn last_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let rest = len % 8;
    if rest == 0 {
        0
    } else if let Some(last) = bytes.last_chunk() {
        u64::from_le_bytes(*last) >> (64 - 8 * rest)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [u32::from_le_bytes(*first), u32::from_le_bytes(*last)];
        first as u64 | (last as u64) << (8 * (len - 4))
    } else {
        let middle = len / 2;
        bytes[0] as u64
            | (bytes[middle] as u64) << (8 * middle)
            | (bytes[len - 1] as u64) << (8 * (len - 1))
    }
}

/// The hash of a row of words, begun with `seed`.
#[inline]
pub fn hash_words(seed: u32, words: &[u32]) -> u32 {
    let start = (u64::from(seed) << 32 ^ words.len() as u64).wrapping_mul(FACTOR);
    let add = |hash: u64, word: &u32| (hash ^ u64::from(*word)).wrapping_mul(FACTOR);
    // every bit of a word reaches the upper half
    (words.iter().fold(start, add) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_also_after_growing() {
        let keys: Vec<String> = (0..1000).map(|n| format!("{n:0width$}", width = n % 21)).collect();
        let mut table = IdTable::default();
        for (id, key) in (0..).zip(&keys) {
            let hash = hash_bytes(key.as_bytes());
            let known = table.find(hash, |id| keys[id as usize] == *key);
            assert_eq!(
                known,
                keys[..id as usize].iter().position(|k| k == key).map(|at| at as u32)
            );
            if known.is_none() {
                table.insert(hash, id);
            }
        }
        assert!(keys.iter().all(|key| {
            table.find(hash_bytes(key.as_bytes()), |id| keys[id as usize] == *key).is_some()
        }));
        assert_eq!(table.find(hash_bytes(b"none"), |_| true), None);
    }

    #[test]
    fn the_last_word_is_filled_up_with_zeros() {
        let bytes: Vec<u8> = (1..=20).collect();
        for len in 0..=bytes.len() {
            let rest = bytes[..len].as_chunks::<8>().1;
            let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            assert_eq!(last_word(&bytes[..len]), word, "{len}");
        }
    }

    #[test]
    fn rows_that_differ_hash_differently() {
        let rows: [&[u32]; 6] = [&[], &[0], &[0, 0], &[1, 0], &[0, 1], &[0, 1, 0]];
        for (index, row) in rows.iter().enumerate().skip(1) {
            assert!(rows[1..index].iter().all(|other| hash_words(1, other) != hash_words(1, row)));
        }
        assert_ne!(hash_words(1, &[7]), hash_words(2, &[7]));
    }
}
