//! What is known before a document is read stays where it is, and what the document adds is numbered from
//! there on.

/// Items that are known beforehand, and behind them others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended<'a, T, O = &'a [T]> {
    known: &'a [T],
    others: O,
}

/// The same while there come more.
pub(super) type Growing<'a, T> = Extended<'a, T, Vec<T>>;

impl<'a, T> Extended<'a, T> {
    /// These items.
    pub const fn new(known: &'a [T], others: &'a [T]) -> Self {
        Self { known, others }
    }
}

impl<'a, T> Growing<'a, T> {
    /// What is known, and room for others.
    pub fn with_room(known: &'a [T], others: usize) -> Self {
        Self { known, others: Vec::with_capacity(others) }
    }
    /// Adds an item.
    pub fn push(&mut self, item: T) {
        self.others.push(item);
    }
    /// The items, where the others are in a place that `keep` copies them to.
    pub fn finish(self, keep: impl FnOnce(&[T]) -> &'a [T]) -> Extended<'a, T> {
        Extended::new(self.known, keep(&self.others))
    }
}

impl<T, O: AsRef<[T]>> Extended<'_, T, O> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len() + self.others.as_ref().len()
    }
    /// The item with a number.
    #[inline(always)]
    pub fn at(&self, number: u32) -> &T {
        let place = number as usize;
        match self.known.get(place) {
            Some(item) => item,
            None => &self.others.as_ref()[place - self.known.len()],
        }
    }
    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.known.iter().chain(self.others.as_ref())
    }
}
