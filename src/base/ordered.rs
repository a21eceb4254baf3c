//! The only home of hash containers. [`OrderedMap`] and [`OrderedSet`] iterate in insertion order (a
//! key inserted again keeps its place, as in the reference's containers); [`LookupMap`] and
//! [`LookupSet`] cannot be iterated, so hash order never reaches an output.

use std::borrow::Borrow;
use std::hash::Hash;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

/// Insertion-ordered map. Remove with `shift_remove` to keep the order of the rest.
pub type OrderedMap<K, V> = indexmap::IndexMap<K, V, FxBuildHasher>;
/// Insertion-ordered set. Remove with `shift_remove` to keep the order of the rest.
pub type OrderedSet<T> = indexmap::IndexSet<T, FxBuildHasher>;

/// A hash map for look-ups only.
#[derive(Clone, Debug)]
pub struct LookupMap<K, V>(FxHashMap<K, V>);

impl<K: Eq + Hash, V> LookupMap<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self(FxHashMap::default())
    }
    /// An empty map with room for this many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self(FxHashMap::with_capacity_and_hasher(entries, FxBuildHasher))
    }
    /// The value stored under `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }
    /// The value stored under `key`, mutable.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }
    /// Whether `key` has a value.
    pub fn contains_key<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }
    /// Stores a value; the one it replaces is returned.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }
    /// Takes a value out.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }
    /// The value under `key`, made by `make` when there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// True when nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Forgets every entry and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K: Eq + Hash, V> Default for LookupMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for LookupMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

/// A hash set for membership tests only.
#[derive(Clone, Debug)]
pub struct LookupSet<T>(FxHashSet<T>);

impl<T: Eq + Hash> LookupSet<T> {
    /// The empty set.
    pub fn new() -> Self {
        Self(FxHashSet::default())
    }
    /// The empty set, with room for so many items.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(FxHashSet::with_capacity_and_hasher(capacity, FxBuildHasher))
    }
    /// Adds an item; true when it was not in the set.
    pub fn insert(&mut self, item: T) -> bool {
        self.0.insert(item)
    }
    /// Whether the item is in the set.
    pub fn contains<Q: Eq + Hash + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains(item)
    }
    /// Takes an item out; true when it was in the set.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.remove(item)
    }
    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// True when the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether every item of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
    /// Empties the set and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Eq + Hash> PartialEq for LookupSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq + Hash> Default for LookupSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Eq + Hash> FromIterator<T> for LookupSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}
