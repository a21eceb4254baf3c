//! Messages that wait for their turn: first come first served within a connection, round robin
//! between connections, so that nobody who sends much makes the others wait. A connection that waits
//! for something light only, a sign of life, need not wait for a whole round of heavy work: light and
//! heavy turns alternate, so neither can hold up the other.

use std::collections::{BTreeMap, VecDeque};

/// What waits, by connection.
pub struct FairQueue<K, W> {
    waiting: BTreeMap<K, VecDeque<W>>,
    /// The connections that wait for something, next one first.
    turns: VecDeque<K>,
    /// Those of them that waited for nothing before something light came.
    light_turns: VecDeque<K>,
    was_light: bool,
    length: usize,
}

impl<K: Copy + Ord, W> FairQueue<K, W> {
    /// A queue in which nothing waits.
    pub fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            turns: VecDeque::new(),
            light_turns: VecDeque::new(),
            was_light: false,
            length: 0,
        }
    }
    /// Adds work at the end of what its connection waits for.
    pub fn push(&mut self, key: K, work: W, is_light: bool) {
        let queue = self.waiting.entry(key).or_default();
        if queue.is_empty() {
            let turns = if is_light { &mut self.light_turns } else { &mut self.turns };
            turns.push_back(key);
        }
        queue.push_back(work);
        self.length += 1;
    }
    /// Takes the oldest work of the connection whose turn it is.
    pub fn pop(&mut self) -> Option<(K, W)> {
        let prefer_light = !self.was_light || self.turns.is_empty();
        let light = if prefer_light { self.light_turns.pop_front() } else { None };
        self.was_light = light.is_some();
        let key = light.or_else(|| self.turns.pop_front())?;
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
            self.light_turns.retain(|other| *other != key);
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
            queue.push(key, work, false);
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

    #[test]
    fn light_and_heavy_turns_alternate() {
        let mut queue = FairQueue::new();
        for (key, work) in [(1, "A"), (2, "B"), (3, "C")] {
            queue.push(key, work, false);
        }
        // behind heavy work of the same connection light work is not early
        for (key, work) in [(4, "d"), (5, "e"), (1, "a"), (6, "f")] {
            queue.push(key, work, true);
        }
        queue.push(4, "D", false);
        queue.forget(6);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, work)| work).collect();
        assert_eq!(order, ["d", "A", "e", "B", "C", "D", "a"]);
        assert!(queue.is_empty());
    }
}
