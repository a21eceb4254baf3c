//! Messages that wait for their turn: first come first served within a connection, round robin
//! between connections, so that nobody who sends much makes the others wait.

use std::collections::{BTreeMap, VecDeque};

/// What waits, by connection.
pub struct FairQueue<K, W> {
    waiting: BTreeMap<K, VecDeque<W>>,
    /// The connections that wait for something, next one first.
    turns: VecDeque<K>,
    length: usize,
}

impl<K: Copy + Ord, W> FairQueue<K, W> {
    /// A queue in which nothing waits.
    pub fn new() -> Self {
        Self { waiting: BTreeMap::new(), turns: VecDeque::new(), length: 0 }
    }
    /// Adds work at the end of what its connection waits for.
    pub fn push(&mut self, key: K, work: W) {
        let queue = self.waiting.entry(key).or_default();
        if queue.is_empty() {
            self.turns.push_back(key);
        }
        queue.push_back(work);
        self.length += 1;
    }
    /// Takes the oldest work of the connection whose turn it is.
    pub fn pop(&mut self) -> Option<(K, W)> {
        let key = self.turns.pop_front()?;
        let queue =
            self.waiting.get_mut(&key).expect("a connection with a turn waits for something");
        let work = queue.pop_front().expect("a connection with a turn waits for something");
        if queue.is_empty() {
            self.waiting.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.length -= 1;
        Some((key, work))
    }
    /// Puts work back in front of what its connection waits for, to go on with at its next turn.
    pub fn resume(&mut self, key: K, work: W) {
        let queue = self.waiting.entry(key).or_default();
        if queue.is_empty() {
            self.turns.push_back(key);
        }
        queue.push_front(work);
        self.length += 1;
    }
    /// Forgets what a connection waits for.
    pub fn forget(&mut self, key: K) {
        if let Some(queue) = self.waiting.remove(&key) {
            self.length -= queue.len();
            self.turns.retain(|other| *other != key);
        }
    }
    /// How much waits for one connection.
    pub fn count(&self, key: K) -> usize {
        self.waiting.get(&key).map_or(0, VecDeque::len)
    }
    /// What waits for one connection, oldest first.
    pub fn iter(&self, key: K) -> impl Iterator<Item = &W> {
        self.waiting.get(&key).into_iter().flatten()
    }
    /// What waits for one connection, oldest first, to be changed.
    pub fn iter_mut(&mut self, key: K) -> impl Iterator<Item = &mut W> {
        self.waiting.get_mut(&key).into_iter().flatten()
    }
    /// How much waits altogether.
    pub fn len(&self) -> usize {
        self.length
    }
    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<K: Copy + Ord, W> Default for FairQueue<K, W> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round_and_order_holds_within_a_connection() {
        let mut queue = FairQueue::new();
        for (key, work) in [(1, "a"), (1, "b"), (1, "c"), (2, "x"), (3, "y"), (3, "z")] {
            queue.push(key, work);
        }
        queue.forget(3);
        let (key, work) = queue.pop().unwrap();
        queue.resume(key, work);
        let mut order = Vec::new();
        while let Some((_, work)) = queue.pop() {
            order.push(work);
        }
        assert_eq!(order, ["x", "a", "b", "c"]);
        assert!(queue.is_empty() && queue.count(1) == 0);
    }
}
