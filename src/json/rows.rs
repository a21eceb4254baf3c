//! The rows of keys that objects of a document have -> which key is likely next, and which strings are
//! as its value. Every row that was read stands here once more for each different row, its members one
//! behind the other, so that whoever reads an object goes from member to member for as long as the keys
//! are those expected, and looks for another row only where they are not.

use super::vocabulary::NO_TEXT;

/// The member of objects whose keys make no known row, and what follows on it.
pub(super) const UNKNOWN: u32 = 0;

/// The end of the row of no keys. All first members of rows are other choices than this.
pub(super) const NO_KEYS: u32 = 2;

/// How many members come before those of rows with keys.
pub(super) const FIRST_ROW: usize = 3;

/// The shape of no keys.
pub(super) const EMPTY_SHAPE: u32 = 0;

/// In the place of a shape that is not known.
const NO_SHAPE: u32 = u32::MAX;

/// How many other choices are tried at a place.
const CHOICES_TRIED: usize = 64;

/// A key in a row, or the end of a row.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The key; [`NO_TEXT`] at the end.
    key: u32,
    /// Rows that begin alike have choices after that. Those that differ make a ring, of which this is
    /// the next; of members with the same key only the first is in the ring, and this is the first.
    next: u32,
    /// The strings that stood last as the value of the key, or in it. At the end the first is the shape.
    pub(super) strings: [u32; 2],
}

impl Member {
    /// An end without a place in any ring.
    pub(super) const END: Member = Member::end(NO_SHAPE);

    /// What comes before the rows: see [`UNKNOWN`] and [`NO_KEYS`].
    pub(super) const FIRST: [Member; FIRST_ROW] = [
        Member::new(NO_TEXT),
        Member { next: UNKNOWN + 1, ..Member::END },
        Member { next: NO_KEYS, ..Member::end(EMPTY_SHAPE) },
    ];

    pub(super) const fn new(key: u32) -> Self {
        Self { key, next: UNKNOWN, strings: [NO_TEXT; 2] }
    }
    pub(super) const fn end(shape: u32) -> Self {
        Self { strings: [shape, NO_TEXT], ..Self::new(NO_TEXT) }
    }
}

/// Puts the members of a row, from its start to its end, among the choices at their places.
pub(super) const fn link(members: &mut [Member], start: usize, end: usize) {
    let mut choice = NO_KEYS;
    let mut at = start;
    while at <= end {
        match find(members, choice, members[at].key) {
            Ok(known) => (members[at].next, choice) = (known, known + 1),
            Err(last) => {
                // the first choice stays the first
                members[at].next = members[last as usize].next;
                members[last as usize].next = at as u32;
                // there are no rows yet that begin alike
                at += 1;
                while at <= end {
                    members[at].next = at as u32;
                    at += 1;
                }
            }
        }
        at += 1;
    }
}

/// The member with a key in a ring; or behind which member one may come in.
const fn find(members: &[Member], first: u32, key: u32) -> Result<u32, u32> {
    let mut at = first;
    let mut tried = 0;
    while tried < CHOICES_TRIED {
        let member = &members[at as usize];
        if member.key == key {
            return Ok(at);
        }
        if member.next == first {
            return Err(at);
        }
        (at, tried) = (member.next, tried + 1);
    }
    Err(first)
}

/// The first member with the same key behind the same keys.
const fn first_like(members: &[Member], at: u32) -> u32 {
    let Member { key, next, .. } = members[at as usize];
    if members[next as usize].key == key { next } else { at }
}

/// Where the search for members starts that come behind a member, the first of those like it, or start
/// rows, behind [`NO_KEYS`]. Their keys start with two bytes, the second of which may be a quote.
const fn place_of(last: u32, start: [u8; 2], places: usize) -> usize {
    let start = u16::from_le_bytes(start) as u32;
    let hash = (last.wrapping_mul(0x9e37_79b1) ^ start).wrapping_mul(0x85eb_ca6b);
    (hash >> 16) as usize & (places - 1)
}

/// Puts the first members among those like them where [`Rows::other`] looks for them.
pub(super) const fn choices<const PLACES: usize>(
    members: &[Member],
    starts: &[[u8; 2]],
) -> [u16; PLACES] {
    assert!(PLACES.is_power_of_two() && members.len() < PLACES && members.len() <= 1 << 16);
    let mut choices = [0; PLACES];
    let mut at = FIRST_ROW;
    while at < members.len() {
        let key = members[at].key;
        if key != NO_TEXT && first_like(members, at as u32) == at as u32 {
            let is_start = members[at - 1].key == NO_TEXT;
            let last = if is_start { NO_KEYS } else { first_like(members, at as u32 - 1) };
            let mut place = place_of(last, starts[key as usize], PLACES);
            while choices[place] != 0 {
                place = (place + 1) & (PLACES - 1);
            }
            choices[place] = at as u16;
        }
        at += 1;
    }
    choices
}

/// The rows of a document so far.
pub(super) struct Rows {
    members: Vec<Member>,
    /// How many of these were known beforehand, and what [`choices`] made of them.
    known: usize,
    known_choices: &'static [u16],
}

impl Rows {
    /// Those that are known beforehand.
    pub(super) fn new(known: &[Member], known_choices: &'static [u16], expected: usize) -> Self {
        let mut members = Vec::with_capacity(known.len() + expected);
        members.extend_from_slice(known);
        Self { members, known: known.len(), known_choices }
    }
    /// The key of a member.
    #[inline(always)]
    pub(super) fn key(&self, member: u32) -> u32 {
        self.members[member as usize].key
    }
    /// The shape of an object that ends here, if it is at the end of a row.
    #[inline(always)]
    pub(super) fn shape(&self, end: u32) -> Option<u32> {
        let Member { key, strings: [shape, _], .. } = self.members[end as usize];
        (key == NO_TEXT && shape != NO_SHAPE).then_some(shape)
    }
    /// The strings that are likely as the value of a member.
    #[inline(always)]
    pub(super) fn strings(&mut self, member: u32) -> &mut [u32; 2] {
        &mut self.members[member as usize].strings
    }
    /// The member that stands where another was expected, and what `is_it` tells of it. So many members of
    /// the row are before, and its key starts with these bytes.
    #[inline(always)]
    pub(super) fn other<T>(
        &self,
        expected: u32,
        before: usize,
        start: [u8; 2],
        is_it: impl Fn(u32) -> Option<T>,
    ) -> Option<(u32, T)> {
        let members = self.members.as_slice();
        let last = if before == 0 { NO_KEYS } else { first_like(members, expected - 1) };
        let places = self.known_choices.len();
        let mut place = if places == 0 { 0 } else { place_of(last, start, places) };
        while let Some(member @ 1..) = self.known_choices.get(place).map(|at| u32::from(*at)) {
            let is_behind = match before {
                0 => self.key(member - 1) == NO_TEXT,
                _ => first_like(members, member - 1) == last,
            };
            if is_behind && let Some(found) = is_it(member) {
                return Some((member, found));
            }
            place = (place + 1) & (places - 1);
        }
        if members.len() == self.known {
            return None;
        }
        self.choices(expected, before).find_map(|member| Some((member, is_it(member)?)))
    }
    /// The members that can stand where one was expected, the first read ones first, or their row ends
    /// there. So many members of the row are before.
    pub(super) fn choices(&self, expected: u32, before: usize) -> impl Iterator<Item = u32> {
        let first = if before == 0 { NO_KEYS } else { 1 + first_like(&self.members, expected - 1) };
        let behind = move |at: &u32| {
            let next = self.members[*at as usize].next;
            (next != first).then_some(next)
        };
        std::iter::successors(Some(first), behind).take(CHOICES_TRIED)
    }
    /// The last keys in front of a member.
    pub(super) fn keys_before(&self, member: u32, count: usize) -> impl Iterator<Item = u32> {
        let member = member as usize;
        self.members[member - count..member].iter().map(|member| member.key)
    }
    /// Adds a row for a shape, unless there are too many members.
    pub(super) fn learn(&mut self, keys: &[u32], shape: u32) {
        let start = self.members.len();
        let end = start + keys.len();
        if u32::try_from(end).is_err() {
            return;
        }
        self.members.extend(keys.iter().map(|key| Member::new(*key)));
        self.members.push(Member::end(shape));
        link(&mut self.members, start, end);
    }
}
