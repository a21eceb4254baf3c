//! The rows of keys that objects of a document have -> which key is likely next, and which strings are
//! as its value. Every row that was read stands here once, its members one behind the other, so that
//! whoever reads an object goes from member to member for as long as the keys are those expected, and
//! looks for another row only where they are not.

use super::extended::Growing;
use super::vocabulary::{KnownRows, NO_TEXT};
use crate::base::id_table::{IdTable, hash_words};

/// The member of objects whose keys make no known row. No row goes on behind it.
pub(super) const UNKNOWN: u32 = 0;

/// The end of the row of no keys. What starts rows comes behind this.
pub(super) const NO_KEYS: u32 = 2;

/// How many members come before those of rows with keys.
pub(super) const FIRST_ROW: usize = 3;

/// The shape of no keys.
pub(super) const EMPTY_SHAPE: u32 = 0;

/// In the place of a shape that is not known.
const NO_SHAPE: u32 = u32::MAX;

/// A key in a row, or the end of a row.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The key; [`NO_TEXT`] at the end.
    pub(super) key: u32,
    /// The first member with the key in front of it and the same keys before that.
    last: u32,
    /// Strings that are likely as the value of the key. At the end the first is the shape.
    strings: [u32; 2],
}

impl Member {
    /// What comes before the rows: see [`UNKNOWN`] and [`NO_KEYS`].
    pub(super) const FIRST: [Member; FIRST_ROW] = [
        Member::new(NO_TEXT, UNKNOWN, [NO_TEXT; 2]),
        Member::end(UNKNOWN, NO_SHAPE),
        Member::end(NO_KEYS, EMPTY_SHAPE),
    ];

    pub(super) const fn new(key: u32, last: u32, strings: [u32; 2]) -> Self {
        Self { key, last, strings }
    }
    pub(super) const fn end(last: u32, shape: u32) -> Self {
        Self::new(NO_TEXT, last, [shape, NO_TEXT])
    }
    const fn is(&self, last: u32, key: u32) -> bool {
        self.last == last && self.key == key
    }
}

/// The first member with a key behind a member, if it is known beforehand; or else where it goes among
/// the places. 0 is in the free ones.
pub(super) const fn find(
    members: &[Member],
    places: &[u16],
    last: u32,
    key: u32,
) -> Result<u32, usize> {
    let mask = places.len() - 1;
    let mut place = place_of(last, key, places.len());
    while places[place] != 0 {
        let member = places[place] as u32;
        if members[member as usize].is(last, key) {
            return Ok(member);
        }
        place = (place + 1) & mask;
    }
    Err(place)
}

/// Puts a member that is the first like it where [`Rows::choices`] finds it. Its key starts with two bytes, the
/// second of which may be the quote behind it.
pub(super) const fn put(places: &mut [u16], members: &[Member], member: usize, start: [u8; 2]) {
    let mut place = place_of(members[member].last, u16::from_le_bytes(start) as u32, places.len());
    while places[place] != 0 {
        place = (place + 1) & (places.len() - 1);
    }
    places[place] = member as u16;
}

/// Where the search starts for what is behind a member.
const fn place_of(last: u32, what: u32, places: usize) -> usize {
    let hash = (last.wrapping_mul(0x9e37_79b1) ^ what).wrapping_mul(0x85eb_ca6b);
    (hash >> 16) as usize & (places - 1)
}

/// The rows of a document so far.
pub(super) struct Rows {
    members: Growing<'static, Member>,
    known: KnownRows,
    /// The first members among those like them that were not known beforehand.
    others: IdTable,
    /// The strings that stood last as the value of a member, or in it. Members share these where there
    /// are more of them.
    strings: Vec<[u32; 2]>,
}

impl Rows {
    /// Those that are known beforehand, for a document that has about so many members.
    pub(super) fn new(known: KnownRows, expected: usize) -> Self {
        let strings = expected.next_power_of_two().clamp(64, 1024);
        Self {
            members: Growing::with_room(known.members, 0),
            known,
            others: IdTable::default(),
            strings: vec![[NO_TEXT; 2]; strings],
        }
    }
    /// The key of a member.
    #[inline(always)]
    pub(super) fn key(&self, member: u32) -> u32 {
        self.members.at(member).key
    }
    /// The shape of an object that ends here, if it is at the end of a row.
    #[inline(always)]
    pub(super) fn shape(&self, end: u32) -> Option<u32> {
        let Member { key, strings: [shape, _], .. } = *self.members.at(end);
        (key == NO_TEXT && shape != NO_SHAPE).then_some(shape)
    }
    /// The strings that stood last in the value of a member.
    #[inline(always)]
    pub(super) fn strings(&mut self, member: u32) -> &mut [u32; 2] {
        let place = member as usize & (self.strings.len() - 1);
        &mut self.strings[place]
    }
    /// The strings that are likely from the start.
    pub(super) fn names(&self, member: u32) -> [u32; 2] {
        self.members.at(member).strings
    }
    /// The members known beforehand that can stand where another was expected, and their keys, among others
    /// if these start with two bytes.
    #[inline(always)]
    pub(super) fn choices(
        &self,
        expected: u32,
        start: [u8; 2],
    ) -> impl Iterator<Item = (u32, u32)> {
        let KnownRows { members, starts, .. } = self.known;
        let last = self.members.at(expected).last;
        let first = place_of(last, u16::from_le_bytes(start).into(), starts.len());
        let places = (first..).map(move |place| starts[place & (starts.len() - 1)]);
        places.take_while(|member| *member != 0).filter_map(move |member| {
            let choice = members[usize::from(member)];
            (choice.last == last).then_some((u32::from(member), choice.key))
        })
    }
    /// The member with a key, or the end of a row, that stands where another was expected.
    pub(super) fn other(&self, expected: u32, key: u32) -> Option<u32> {
        self.first(self.members.at(expected).last, key)
    }
    /// The first member with a key behind a member.
    fn first(&self, last: u32, key: u32) -> Option<u32> {
        if let Ok(member) = find(self.known.members, self.known.places, last, key) {
            return Some(member);
        }
        let is_it = |member| self.members.at(member).is(last, key);
        self.others.find(hash_words(last, &[key]), is_it)
    }
    /// The last keys in front of a member.
    pub(super) fn keys_before(&self, member: u32, count: usize) -> impl Iterator<Item = u32> {
        (member - count as u32..member).map(|member| self.key(member))
    }
    /// The shape of a row.
    pub(super) fn shape_of(&self, keys: &[u32]) -> Option<u32> {
        let next = |last, key: &u32| self.first(last, *key);
        self.shape(self.first(keys.iter().try_fold(NO_KEYS, next)?, NO_TEXT)?)
    }
    /// Adds a row for a shape, unless there are too many members.
    pub(super) fn learn(&mut self, keys: &[u32], shape: u32) {
        if u32::try_from(self.members.len() + keys.len()).is_err() {
            return;
        }
        let mut last = NO_KEYS;
        for key in keys {
            last = self.add(Member::new(*key, last, [NO_TEXT; 2]));
        }
        self.add(Member::end(last, shape));
    }
    /// Adds a member; the first one like it.
    fn add(&mut self, member: Member) -> u32 {
        let id = self.members.len() as u32;
        self.members.push(member);
        self.first(member.last, member.key).unwrap_or_else(|| {
            self.others.insert(hash_words(member.last, &[member.key]), id);
            id
        })
    }
}
