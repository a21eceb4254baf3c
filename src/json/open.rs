//! What is known of the arrays and objects that are being read, and the values that they have so far.

use super::build::Place;
use super::read::{ReadError, too_large};
use super::tree::Word;

/// As many arrays and objects are usually open at once, and have as many values so far.
const OPEN_EXPECTED: usize = 32;
const VALUES_EXPECTED: usize = 128;

/// An array or object that is being read, or the outside of all.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// Where its values start among those of all open containers.
    pub start: u32,
    /// The member whose value is read; that of an array is the one of what is around it.
    pub place: Place,
    /// How many blanks were before its last item, and before the last item of what is around it. In an
    /// indented document as many are likely before its other items, and before its end.
    pub blanks: u8,
    pub blanks_outside: u8,
    /// The byte that ends it; 0 outside.
    pub close: u8,
}

/// More blanks than that are never likely.
pub(super) const BLANKS_MAX: u8 = 127;

/// So many blanks are nowhere.
pub(super) const NO_BLANKS: u8 = u8::MAX;

/// What is added to the byte that ends a container where the extents of its items are asked for, so that
/// none of its ends is expected.
pub(super) const WATCHED: u8 = 0x80;

impl Open {
    const OUTSIDE: Open = Open {
        start: 0,
        place: Place::OUTSIDE,
        blanks: NO_BLANKS,
        blanks_outside: NO_BLANKS,
        close: 0,
    };

    /// How many blanks are likely before the first item of a container in this one.
    #[inline(always)]
    pub fn blanks_inside(&self) -> u8 {
        match self.blanks {
            // no line ends, so there are none but behind commas
            0 | 1 | NO_BLANKS => 0,
            blanks => blanks.saturating_add(blanks.saturating_sub(self.blanks_outside)),
        }
    }
    /// How many blanks are likely before the end of a container in this one.
    #[inline(always)]
    fn blanks_behind(&self) -> u8 {
        if self.blanks == 1 { 0 } else { self.blanks }
    }
    /// A container that starts as the value of the member that is read in this one, or in it. Its values
    /// start at a place.
    #[inline(always)]
    fn inner(&self, start: usize, close: u8) -> Result<Open, ReadError> {
        let Ok(start) = u32::try_from(start) else { return Err(too_large()) };
        let place = Place::at(self.place.member);
        let (blanks, blanks_outside) = (self.blanks_inside(), self.blanks_behind());
        Ok(Open { start, place, blanks, blanks_outside, close })
    }
}

/// The containers that are being read, and their values.
pub(super) struct Stack {
    /// The innermost container.
    pub top: Open,
    /// What is around it, innermost last.
    pub open: Vec<Open>,
    /// The first of these are values of all open containers, innermost last.
    words: Vec<u32>,
    len: usize,
}

impl Stack {
    /// The outside of all containers.
    pub fn new() -> Self {
        Self {
            top: Open::OUTSIDE,
            open: Vec::with_capacity(OPEN_EXPECTED),
            words: vec![0; VALUES_EXPECTED],
            len: 0,
        }
    }
    /// Starts a container in the innermost one.
    #[inline(always)]
    pub fn start(&mut self, close: u8) -> Result<(), ReadError> {
        let inner = self.top.inner(self.len, close)?;
        self.open.push(std::mem::replace(&mut self.top, inner));
        Ok(())
    }
    /// Ends the innermost container, whose values stay.
    #[inline(always)]
    pub fn end(&mut self) -> Open {
        let outside = self.open.pop().expect("it is in something");
        std::mem::replace(&mut self.top, outside)
    }
    /// The member that the innermost container is in the value of.
    pub fn around(&self) -> u32 {
        self.open.last().map_or(Place::OUTSIDE.member, |around| around.place.member)
    }
    /// How many values there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Adds a value.
    #[inline(always)]
    pub fn push(&mut self, word: Word) {
        match self.words.get_mut(self.len) {
            Some(free) => *free = word.0,
            None => self.push_last(word),
        }
        self.len += 1;
    }
    #[cold]
    fn push_last(&mut self, word: Word) {
        self.words.push(word.0);
        // all that there is room for can be used from now on
        self.words.resize(self.words.capacity(), 0);
    }
    /// The values from a place on.
    #[inline(always)]
    pub fn values(&self, start: u32) -> &[u32] {
        &self.words[start as usize..self.len]
    }
    /// The same, to change them.
    pub fn values_mut(&mut self, start: u32) -> &mut [u32] {
        &mut self.words[start as usize..self.len]
    }
    /// Lets go of the values from a place on.
    #[inline(always)]
    pub fn truncate(&mut self, start: u32) {
        self.len = start as usize;
    }
}
