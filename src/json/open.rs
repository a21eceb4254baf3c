//! What is known of an array or object while it is read.

use super::build::Place;

/// An array or object that is being read, or the outside of all.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// Where its values start among those of all open containers.
    pub start: usize,
    /// The member whose value is read; that of an array is the one of what is around it.
    pub place: Place,
    /// How many blanks were before its last item, and before the last item of what is around it. In an
    /// indented document as many are likely before its other items, and before its end.
    pub blanks: u32,
    pub blanks_outside: u32,
    /// The byte that ends it; 0 outside.
    pub close: u8,
}

/// So many blanks are nowhere.
pub(super) const NO_BLANKS: u32 = u32::MAX;

/// What is added to the byte that ends a container where the extents of its items are asked for, so that
/// none of its ends is expected.
pub(super) const WATCHED: u8 = 0x80;

impl Open {
    pub const OUTSIDE: Open = Open {
        start: 0,
        place: Place::OUTSIDE,
        blanks: NO_BLANKS,
        blanks_outside: NO_BLANKS,
        close: 0,
    };

    /// How many blanks are likely before the first item of a container in this one.
    #[inline(always)]
    fn blanks_inside(&self) -> u32 {
        match self.blanks {
            // no line ends, so there are none but behind commas
            0 | 1 | NO_BLANKS => 0,
            blanks => blanks.saturating_add(blanks.saturating_sub(self.blanks_outside)),
        }
    }
    /// How many blanks are likely before the end of a container in this one.
    #[inline(always)]
    fn blanks_behind(&self) -> u32 {
        if self.blanks == 1 { 0 } else { self.blanks }
    }
    /// A container that starts as the value of the member that is read in this one, or in it. Its values
    /// start at a place.
    #[inline(always)]
    pub fn inner(&self, start: usize, close: u8) -> Open {
        let place = Place::at(self.place.member);
        let (blanks, blanks_outside) = (self.blanks_inside(), self.blanks_behind());
        Open { start, place, blanks, blanks_outside, close }
    }
}
