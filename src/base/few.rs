//! A list that is nearly always short: up to two items lie in place, more are allocated.

use std::ops::Deref;

/// A short list. Reads as a slice.
#[derive(Clone, Debug, Default)]
pub enum Few<T> {
    /// No item.
    #[default]
    None,
    /// One item.
    One([T; 1]),
    /// Two items.
    Two([T; 2]),
    /// Any number of items.
    Many(Vec<T>),
}

impl<T> Deref for Few<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(items) => items,
            Few::Two(items) => items,
            Few::Many(items) => items,
        }
    }
}

impl<T: Copy> Few<T> {
    /// A copy of a slice.
    pub fn copied(items: &[T]) -> Self {
        match *items {
            [] => Few::None,
            [a] => Few::One([a]),
            [a, b] => Few::Two([a, b]),
            _ => Few::Many(items.to_vec()),
        }
    }
    /// Takes the last item off.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.last().copied()?;
        match self {
            Few::Many(items) => {
                items.pop();
            }
            Few::Two([first, _]) => *self = Few::One([*first]),
            Few::None | Few::One(_) => *self = Few::None,
        }
        Some(last)
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items = items.into_iter();
        match (items.next(), items.next(), items.next()) {
            (None, ..) => Few::None,
            (Some(a), None, _) => Few::One([a]),
            (Some(a), Some(b), None) => Few::Two([a, b]),
            (Some(a), Some(b), Some(c)) => Few::Many([a, b, c].into_iter().chain(items).collect()),
        }
    }
}

impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for Few<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        **self == *other
    }
}

/// The items of a [`Few`] in order.
#[derive(Clone, Debug)]
pub struct IntoIter<T> {
    items: Few<T>,
    next: usize,
}

impl<T: Copy> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        let item = self.items.get(self.next).copied()?;
        self.next += 1;
        Some(item)
    }
}

impl<T: Copy> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { items: self, next: 0 }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_read_and_pop_like_vectors() {
        for length in 0..5 {
            let items: Vec<u32> = (0..length).collect();
            let mut few = Few::copied(&items);
            assert_eq!(*few, *items);
            assert_eq!(*items.iter().copied().collect::<Few<u32>>(), *items);
            assert_eq!(few.clone().into_iter().collect::<Vec<_>>(), items);
            let mut rest = items;
            while let Some(item) = few.pop() {
                assert_eq!(rest.pop(), Some(item));
                assert_eq!(*few, *rest);
            }
            assert!(rest.is_empty());
        }
    }
}
