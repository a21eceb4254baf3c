//! Source locations: [`Loc`] is an interned [`SourceLocation`], so two locations are equal exactly
//! when their ids are.

use std::cell::RefCell;

use super::arena::Symbol;
use super::entity::EntityId;
use super::id_table::{IdTable, hash_words};

/// A range of lines, and of columns where known, in one source file. Spec 10 §9.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SourceLocation {
    /// Normalised path; none for code that no user wrote.
    pub file: Option<Symbol>,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// How many lines of comment stand directly above `line`.
    pub comment_lines: u32,
    /// First column in code points, from 0.
    pub column: Option<u32>,
    /// Column after the last, in code points.
    pub end_column: Option<u32>,
}

impl SourceLocation {
    /// The location including its comment lines, from the start of the first one. None when more
    /// comment lines are claimed than stand above it.
    pub fn with_comments(self) -> Option<Self> {
        if self.comment_lines == 0 {
            return Some(self);
        }
        let line = self.line.checked_sub(self.comment_lines).filter(|line| *line >= 1)?;
        Some(Self { line, column: None, comment_lines: 0, ..self })
    }
    /// The location without columns.
    pub fn whole_lines(self) -> Self {
        Self { column: None, end_column: None, ..self }
    }
    fn hash(&self) -> u32 {
        let file = self.file.map_or(0, |file| file.index() as u32 + 1);
        let [column, end_column] = [self.column, self.end_column].map(|at| at.unwrap_or(u32::MAX));
        let Self { line, end_line, comment_lines, .. } = *self;
        hash_words(file, &[line, end_line, comment_lines, column, end_column])
    }
    /// Number of lines covered.
    pub fn line_count(self) -> u32 {
        self.end_line - self.line + 1
    }
}

/// An interned source location, or none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Loc(u32);

impl Loc {
    /// No location.
    pub const NONE: Loc = Loc(0);

    /// True for every location but [`Loc::NONE`].
    pub fn is_some(self) -> bool {
        self.0 != 0
    }
    /// True for [`Loc::NONE`].
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
    /// This location, or `other` where there is none.
    pub fn or(self, other: Loc) -> Loc {
        if self.is_some() { self } else { other }
    }
}

impl std::fmt::Debug for Loc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "loc{}", self.0)
    }
}

/// Gives each distinct location one [`Loc`].
#[derive(Default)]
pub struct LocTable(RefCell<Locations>);

#[derive(Default)]
struct Locations {
    all: Vec<SourceLocation>,
    /// Ids by hash, from the first look-up on.
    ids: Option<IdTable>,
}

impl LocTable {
    /// A table without locations.
    pub fn new() -> Self {
        Self::default()
    }
    /// Makes room for so many locations.
    pub fn expect(&self, count: usize) {
        self.0.borrow_mut().all.reserve(count);
    }
    /// The id of a location.
    pub fn intern(&self, location: SourceLocation) -> Loc {
        self.0.borrow_mut().intern(location)
    }
    /// The id of a location that is not in the table if everything in it was added by this method.
    pub fn add(&self, location: SourceLocation) -> Loc {
        let mut table = self.0.borrow_mut();
        if table.ids.is_some() {
            return table.intern(location);
        }
        table.all.push(location);
        Loc(id_of_last(&table.all))
    }
    /// The location of an id; none for [`Loc::NONE`].
    pub fn get(&self, loc: Loc) -> Option<SourceLocation> {
        let index = (loc.0 as usize).checked_sub(1)?;
        Some(self.0.borrow().all[index])
    }
    /// First line of a location; 0 for [`Loc::NONE`].
    pub fn line(&self, loc: Loc) -> u32 {
        self.get(loc).map_or(0, |location| location.line)
    }
    /// The smallest location covering both when they are in one file and touch; otherwise `a`
    /// (spec 10 §9, `try_merge`). [`Loc::NONE`] as `a` stays none.
    pub fn try_merge(&self, a: Loc, b: Loc) -> Loc {
        let (Some(x), Some(y)) = (self.get(a), self.get(b)) else { return a };
        if x.file != y.file {
            return a;
        }
        let zip = |p: Option<u32>, q: Option<u32>, pick: fn(u32, u32) -> u32| Some(pick(p?, q?));
        let mut merged = x;
        merged.end_line = x.end_line.max(y.end_line);
        if x.line == y.line {
            merged.comment_lines = x.comment_lines.max(y.comment_lines);
            merged.column = zip(x.column, y.column, u32::min);
        } else {
            let (first, second) = if x.line < y.line { (x, y) } else { (y, x) };
            if first.end_line + 1 < second.line {
                return a;
            }
            merged.line = first.line;
            merged.comment_lines = first.comment_lines;
            merged.column = first.column;
        }
        merged.end_column = match x.end_line.cmp(&y.end_line) {
            std::cmp::Ordering::Equal => zip(x.end_column, y.end_column, u32::max),
            std::cmp::Ordering::Less => y.end_column,
            std::cmp::Ordering::Greater => x.end_column,
        };
        self.intern(merged)
    }
    /// Left fold of [`LocTable::try_merge`]; nothing merged with a location is that location.
    pub fn sequential_merge(&self, locs: impl IntoIterator<Item = Loc>) -> Loc {
        locs.into_iter().fold(Loc::NONE, |merged, loc| {
            if merged.is_none() { loc } else { self.try_merge(merged, loc) }
        })
    }
    /// Number of distinct locations.
    pub fn len(&self) -> usize {
        self.0.borrow().all.len()
    }
    /// True when no location was interned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Locations {
    fn intern(&mut self, location: SourceLocation) -> Loc {
        let hash = location.hash();
        let ids = match &mut self.ids {
            Some(ids) => ids,
            None => self.ids.insert(index_of(&self.all)),
        };
        let found = ids.find(hash, |id| self.all[id as usize - 1] == location);
        Loc(found.unwrap_or_else(|| {
            self.all.push(location);
            let id = id_of_last(&self.all);
            ids.insert(hash, id);
            id
        }))
    }
}

fn id_of_last(locations: &[SourceLocation]) -> u32 {
    u32::try_from(locations.len()).expect("fewer than 2^32 locations")
}

/// The ids of distinct locations by hash, with room for more.
fn index_of(locations: &[SourceLocation]) -> IdTable {
    let mut ids = IdTable::with_capacity(locations.len() * 5 / 4);
    for (id, location) in (1..).zip(locations) {
        ids.insert(location.hash(), id);
    }
    ids
}

const _: () = assert!(size_of::<Loc>() == 4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entity::EntityId;

    fn at(line: u32, end_line: u32, columns: Option<(u32, u32)>) -> SourceLocation {
        SourceLocation {
            file: Some(Symbol::new(0)),
            line,
            end_line,
            comment_lines: 0,
            column: columns.map(|c| c.0),
            end_column: columns.map(|c| c.1),
        }
    }

    #[test]
    fn what_was_added_is_found_by_later_look_ups() {
        let table = LocTable::new();
        let added: Vec<Loc> = (1..100).map(|line| table.add(at(line, line, None))).collect();
        for (line, loc) in (1..).zip(&added) {
            assert_eq!(table.get(*loc), Some(at(line, line, None)));
            assert_eq!(table.intern(at(line, line, None)), *loc);
            assert_eq!(table.add(at(line, line, None)), *loc);
        }
        let other = table.add(at(1, 2, None));
        assert!(!added.contains(&other));
        assert_eq!(table.intern(at(1, 2, None)), other);
    }

    #[test]
    fn merging_covers_both_when_they_touch() {
        let table = LocTable::new();
        let a = table.intern(at(3, 3, Some((4, 9))));
        let b = table.intern(at(3, 3, Some((2, 6))));
        let c = table.intern(at(4, 5, Some((0, 1))));
        let far = table.intern(at(9, 9, None));
        assert_eq!(table.get(table.try_merge(a, b)), Some(at(3, 3, Some((2, 9)))));
        assert_eq!(table.get(table.try_merge(c, a)), Some(at(3, 5, Some((4, 1)))));
        assert_eq!(table.try_merge(a, far), a);
        assert_eq!(table.try_merge(a, Loc::NONE), a);
        assert_eq!(table.sequential_merge([Loc::NONE, b, a]), table.try_merge(b, a));
    }
}
