//! Typed ids and the tables indexed by them: `define_id!`, [`PrimaryMap`] (owns entities),
//! [`SecondaryMap`] (facts about entities), [`EntitySet`].
//!
//! Ids are 4 bytes, `Option<Id>` is 4 bytes too (the all-ones index is never given out), and an id
//! stays valid for the life of its table: removing an entity only takes it out of an order list.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index into a [`PrimaryMap`].
pub trait EntityId: Copy + Eq + Ord + std::hash::Hash {
    /// The id with this index. Panics when `index` does not fit 32 bits.
    fn new(index: usize) -> Self;
    /// The index this id stands for.
    fn index(self) -> usize;
}

/// Defines one id type: `define_id!(/// doc pub struct BlockId, "block")`; it displays as the prefix
/// followed by the index.
#[macro_export]
macro_rules! define_id {
    ($(#[$attr:meta])* $vis:vis struct $name:ident, $prefix:literal) => {
        $(#[$attr])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(std::num::NonZeroU32);

        impl $crate::base::entity::EntityId for $name {
            #[inline]
            fn new(index: usize) -> Self {
                let raw = u32::try_from(index + 1).expect("entity index fits 32 bits");
                Self(std::num::NonZeroU32::new(raw).expect("index + 1 is not zero"))
            }
            #[inline]
            fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), $crate::base::entity::EntityId::index(*self))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

/// Owns entities of one kind; ids are given out in insertion order.
#[derive(Clone, Debug)]
pub struct PrimaryMap<K, V> {
    items: Vec<V>,
    keys: PhantomData<K>,
}

impl<K: EntityId, V> PrimaryMap<K, V> {
    /// An empty table.
    pub fn new() -> Self {
        Self { items: Vec::new(), keys: PhantomData }
    }
    /// Stores a value and returns its id.
    pub fn push(&mut self, value: V) -> K {
        let id = K::new(self.items.len());
        self.items.push(value);
        id
    }
    /// Makes room for so many more entities.
    pub fn reserve(&mut self, additional: usize) {
        self.items.reserve(additional);
    }
    /// Moves all entities to a table without room for more; this one keeps its memory.
    pub fn drain_to_fit(&mut self) -> Self {
        let mut items = Vec::with_capacity(self.items.len());
        items.append(&mut self.items);
        Self { items, keys: PhantomData }
    }
    /// The id the next `push` will return.
    pub fn next_id(&self) -> K {
        K::new(self.items.len())
    }
    /// Number of entities ever stored.
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// True when nothing was ever stored.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// The entity with this id, if the id is of this table.
    pub fn get(&self, id: K) -> Option<&V> {
        self.items.get(id.index())
    }
    /// All ids in insertion order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = K> + use<K, V> {
        (0..self.items.len()).map(K::new)
    }
    /// All entities with their ids in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.items.iter().enumerate().map(|(index, value)| (K::new(index), value))
    }
    /// All entities with their ids in insertion order, mutable.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (K, &mut V)> {
        self.items.iter_mut().enumerate().map(|(index, value)| (K::new(index), value))
    }
    /// All entities in insertion order.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }
    /// All entities in insertion order, mutable.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }
}

impl<K: EntityId, V> Default for PrimaryMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: EntityId, V> Index<K> for PrimaryMap<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, id: K) -> &V {
        &self.items[id.index()]
    }
}

impl<K: EntityId, V> IndexMut<K> for PrimaryMap<K, V> {
    #[inline]
    fn index_mut(&mut self, id: K) -> &mut V {
        &mut self.items[id.index()]
    }
}

/// One fact per entity of somebody else's table; absent entries read as the default.
#[derive(Clone, Debug)]
pub struct SecondaryMap<K, V> {
    items: Vec<V>,
    default: V,
    keys: PhantomData<K>,
}

impl<K: EntityId, V: Clone + Default> SecondaryMap<K, V> {
    /// A map in which every entity has `V::default()`.
    pub fn new() -> Self {
        Self { items: Vec::new(), default: V::default(), keys: PhantomData }
    }
    /// The same, with room for the facts of so many entities.
    pub fn with_len(entities: usize) -> Self {
        Self { items: vec![V::default(); entities], ..Self::new() }
    }
    /// Forgets every fact and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
    }
}

impl<K: EntityId, V: Clone + Default> Default for SecondaryMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: EntityId, V: Clone> Index<K> for SecondaryMap<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, id: K) -> &V {
        self.items.get(id.index()).unwrap_or(&self.default)
    }
}

impl<K: EntityId, V: Clone> IndexMut<K> for SecondaryMap<K, V> {
    #[inline]
    fn index_mut(&mut self, id: K) -> &mut V {
        if id.index() >= self.items.len() {
            self.items.resize(id.index() + 1, self.default.clone());
        }
        &mut self.items[id.index()]
    }
}

/// How many words of a set need no memory of their own.
const HEAD: usize = 2;

/// A set of entities as a bit vector; iterates in id order. Most sets are of few entities: the first
/// words lie in the set itself.
#[derive(Debug)]
pub struct EntitySet<K> {
    head: [u64; HEAD],
    tail: Vec<u64>,
    keys: PhantomData<K>,
}

impl<K> Clone for EntitySet<K> {
    #[inline]
    fn clone(&self) -> Self {
        // mostly there is nothing to copy
        let tail = if self.tail.is_empty() { Vec::new() } else { self.tail.clone() };
        Self { head: self.head, tail, keys: PhantomData }
    }
}

impl<K> PartialEq for EntitySet<K> {
    fn eq(&self, other: &Self) -> bool {
        let common = self.tail.len().min(other.tail.len());
        self.head == other.head
            && self.tail[..common] == other.tail[..common]
            && self.tail[common..].iter().chain(&other.tail[common..]).all(|word| *word == 0)
    }
}

impl<K> Eq for EntitySet<K> {}

impl<K: EntityId> EntitySet<K> {
    /// The empty set.
    pub fn new() -> Self {
        Self { head: [0; HEAD], tail: Vec::new(), keys: PhantomData }
    }
    fn words(&self) -> impl Iterator<Item = &u64> {
        self.head.iter().chain(&self.tail)
    }
    fn word(&self, index: usize) -> u64 {
        match index.checked_sub(HEAD) {
            None => self.head[index],
            Some(index) => self.tail.get(index).copied().unwrap_or(0),
        }
    }
    /// Adds an entity; true when it was not in the set.
    #[inline]
    pub fn insert(&mut self, id: K) -> bool {
        let (word, bit) = (id.index() / 64, 1u64 << (id.index() % 64));
        let slot = match word.checked_sub(HEAD) {
            None => &mut self.head[word],
            Some(word) => {
                if word >= self.tail.len() {
                    self.tail.resize(word + 1, 0);
                }
                &mut self.tail[word]
            }
        };
        let added = *slot & bit == 0;
        *slot |= bit;
        added
    }
    /// Takes an entity out; true when it was in the set.
    #[inline]
    pub fn remove(&mut self, id: K) -> bool {
        let (word, bit) = (id.index() / 64, 1u64 << (id.index() % 64));
        let slot = match word.checked_sub(HEAD) {
            None => Some(&mut self.head[word]),
            Some(word) => self.tail.get_mut(word),
        };
        let Some(slot) = slot else { return false };
        let present = *slot & bit != 0;
        *slot &= !bit;
        present
    }
    /// Whether the entity is in the set.
    #[inline]
    pub fn contains(&self, id: K) -> bool {
        self.word(id.index() / 64) & (1u64 << (id.index() % 64)) != 0
    }
    /// Adds every entity of `other`; true when the set grew.
    #[inline]
    pub fn union_with(&mut self, other: &Self) -> bool {
        let mut grew = 0;
        for index in 0..HEAD {
            grew |= other.head[index] & !self.head[index];
            self.head[index] |= other.head[index];
        }
        if !other.tail.is_empty() {
            if other.tail.len() > self.tail.len() {
                self.tail.resize(other.tail.len(), 0);
            }
            for (mine, theirs) in self.tail.iter_mut().zip(&other.tail) {
                grew |= *theirs & !*mine;
                *mine |= *theirs;
            }
        }
        grew != 0
    }
    /// Takes out every entity of `other`.
    #[inline]
    pub fn difference_with(&mut self, other: &Self) {
        for index in 0..HEAD {
            self.head[index] &= !other.head[index];
        }
        if !self.tail.is_empty() {
            for (mine, theirs) in self.tail.iter_mut().zip(&other.tail) {
                *mine &= !theirs;
            }
        }
    }
    /// Takes out every entity that is not in `other`.
    #[inline]
    pub fn intersect_with(&mut self, other: &Self) {
        for index in 0..HEAD {
            self.head[index] &= other.head[index];
        }
        if !self.tail.is_empty() {
            self.tail.truncate(other.tail.len());
            for (mine, theirs) in self.tail.iter_mut().zip(&other.tail) {
                *mine &= theirs;
            }
        }
    }
    /// Whether the two sets share an entity.
    #[inline]
    pub fn intersects(&self, other: &Self) -> bool {
        (0..HEAD).any(|index| self.head[index] & other.head[index] != 0)
            || self.tail.iter().zip(&other.tail).any(|(mine, theirs)| mine & theirs != 0)
    }
    /// Number of entities in the set.
    pub fn len(&self) -> usize {
        self.words().map(|word| word.count_ones() as usize).sum()
    }
    /// True when no entity is in the set.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head == [0; HEAD] && self.tail.iter().all(|word| *word == 0)
    }
    /// Empties the set and keeps the memory.
    pub fn clear(&mut self) {
        self.head = [0; HEAD];
        self.tail.clear();
    }
    /// The entities in id order.
    pub fn iter(&self) -> impl Iterator<Item = K> + '_ {
        self.words().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(K::new(index * 64 + bit))
            })
        })
    }
}

impl<K: EntityId> Default for EntitySet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: EntityId> FromIterator<K> for EntitySet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(items: I) -> Self {
        let mut set = Self::new();
        for item in items {
            set.insert(item);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    define_id!(
        /// An id for these tests.
        struct TestId, "t"
    );

    #[test]
    fn an_optional_id_takes_no_more_room_than_an_id() {
        assert_eq!(size_of::<Option<TestId>>(), 4);
    }

    #[test]
    fn ids_are_given_in_order_and_show_their_prefix() {
        let mut map: PrimaryMap<TestId, &str> = PrimaryMap::new();
        let (a, b) = (map.push("a"), map.push("b"));
        assert_eq!((map[a], map[b]), ("a", "b"));
        assert_eq!(format!("{a} {b}"), "t0 t1");
    }

    #[test]
    fn a_set_iterates_in_id_order_and_ignores_trailing_room() {
        let ids: Vec<TestId> = [130, 2, 64].into_iter().map(TestId::new).collect();
        let mut set: EntitySet<TestId> = ids.iter().copied().collect();
        assert_eq!(set.iter().map(|id| id.index()).collect::<Vec<_>>(), [2, 64, 130]);
        assert!(set.remove(TestId::new(130)) && !set.remove(TestId::new(700)));
        assert_eq!(set, [64, 2].into_iter().map(TestId::new).collect());
    }

    #[test]
    fn operations_agree_with_their_definitions_over_all_words() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let mut draw = || -> Vec<usize> {
                let largest = random.usize(1..400);
                let mut ids: Vec<usize> =
                    (0..random.usize(..20)).map(|_| random.usize(..largest)).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            };
            let (a, b) = (draw(), draw());
            let set = |ids: &[usize]| -> EntitySet<TestId> {
                ids.iter().map(|id| TestId::new(*id)).collect()
            };
            let check = |change: fn(&mut EntitySet<TestId>, &EntitySet<TestId>),
                         keep: &dyn Fn(usize) -> bool| {
                let mut result = set(&a);
                change(&mut result, &set(&b));
                let expected: Vec<usize> = (0..400).filter(|id| keep(*id)).collect();
                assert_eq!(result.iter().map(|id| id.index()).collect::<Vec<_>>(), expected);
                assert_eq!(
                    (result.len(), result.is_empty()),
                    (expected.len(), expected.is_empty())
                );
                assert_eq!(result, set(&expected));
                assert!(expected.iter().all(|id| result.contains(TestId::new(*id))));
            };
            check(|a, b| _ = a.union_with(b), &|id| a.contains(&id) || b.contains(&id));
            check(EntitySet::difference_with, &|id| a.contains(&id) && !b.contains(&id));
            check(EntitySet::intersect_with, &|id| a.contains(&id) && b.contains(&id));
            let shared = a.iter().any(|id| b.contains(id));
            assert_eq!(set(&a).intersects(&set(&b)), shared);
            let grows = b.iter().any(|id| !a.contains(id));
            assert_eq!(set(&a).union_with(&set(&b)), grows);
        }
    }
}
