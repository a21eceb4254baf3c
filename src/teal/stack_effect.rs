//! What ops do to the names on the stack. The manipulations of all ops of a program lie in one table,
//! and each op has a stretch of it: so ops are small, and moving manipulations from op to op is cheap.

use crate::base::arena::Symbol;
use crate::base::ordered::OrderedSet;

/// How the reference happens to hold a list of names. The shape shows in dumps, takes part in the
/// comparison of manipulations, and a name held as plain text stands for its characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Names that an op of the stack code produces.
    Tuple,
    /// Names given one by one.
    List,
    /// A single name given as text.
    Text,
}

/// Names of stack entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names {
    /// How the names are held.
    pub shape: Shape,
    ids: Ids,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ids {
    /// A single one.
    One(Symbol),
    /// Any number of them: a place among the lists of the table.
    List(u32),
}

impl Names {
    /// One name in a list.
    pub fn list(id: Symbol) -> Self {
        Self { shape: Shape::List, ids: Ids::One(id) }
    }
    /// One name as plain text.
    pub fn text(id: Symbol) -> Self {
        Self { shape: Shape::Text, ids: Ids::One(id) }
    }
}

/// What an op does to the names on the simulated stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StackManipulation {
    /// Drops this many names from the top.
    Consume(u32),
    /// Pushes names.
    Extend(Names),
    /// Records names as defined.
    Define(Names),
    /// Inserts a name so many entries below the top.
    Insert(u32, Symbol),
    /// Removes the name so many entries below the top.
    Pop(u32),
}

const _: () = assert!(size_of::<StackManipulation>() <= 16);

/// The manipulations of one op.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stretch {
    start: u32,
    len: u32,
}

impl Stretch {
    /// Whether the op does nothing to the names.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
    fn end(self) -> usize {
        self.start as usize + self.len as usize
    }
}

/// The manipulations of all ops of a program. What a stretch covers never changes.
#[derive(Clone, Default, Debug)]
pub struct Manipulations {
    items: Vec<StackManipulation>,
    lists: OrderedSet<Box<[Symbol]>>,
}

impl Manipulations {
    /// No manipulations, with room for those of so many ops.
    pub fn expecting(ops: usize) -> Self {
        Self { items: Vec::with_capacity(ops * 2), lists: OrderedSet::default() }
    }
    /// Names as they are held. Equal lists are equal names.
    pub fn names(&mut self, shape: Shape, ids: &[Symbol]) -> Names {
        let ids = match ids {
            [id] => Ids::One(*id),
            _ => {
                let known = self.lists.get_index_of(ids);
                let index = known.unwrap_or_else(|| self.lists.insert_full(ids.into()).0);
                Ids::List(position(index))
            }
        };
        Names { shape, ids }
    }
    /// The names one by one, bottom first.
    pub fn ids<'n>(&'n self, names: &'n Names) -> &'n [Symbol] {
        match &names.ids {
            Ids::One(id) => std::slice::from_ref(id),
            Ids::List(index) => &self.lists[*index as usize],
        }
    }
    /// The manipulations of an op, in order.
    pub fn of(&self, stretch: Stretch) -> &[StackManipulation] {
        &self.items[stretch.start as usize..stretch.end()]
    }
    /// Adds manipulations of one op, given in parts.
    pub fn add(&mut self, parts: &[&[StackManipulation]]) -> Stretch {
        let start = self.items.len();
        parts.iter().for_each(|part| self.items.extend_from_slice(part));
        Stretch { start: position(start), len: position(self.items.len() - start) }
    }
    /// The manipulations of one op followed by those of another.
    pub fn concat(&mut self, a: Stretch, b: Stretch) -> Stretch {
        if a.is_empty() {
            return b;
        }
        if b.is_empty() {
            return a;
        }
        let len = a.len + b.len;
        if a.end() == b.start as usize {
            return Stretch { start: a.start, len };
        }
        let mut start = a.start;
        if a.end() != self.items.len() {
            start = position(self.items.len());
            self.items.extend_from_within(a.start as usize..a.end());
        }
        self.items.extend_from_within(b.start as usize..b.end());
        Stretch { start, len }
    }
}

fn position(index: usize) -> u32 {
    u32::try_from(index).expect("manipulations are far fewer than 2^32")
}
