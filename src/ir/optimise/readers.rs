//! Which nodes read the registers that a pass is interested in.

use crate::base::entity::EntityId;
use crate::ir::model::{Node, Subroutine};
use crate::ir::numbering::{Numbering, RegisterId};
use crate::ir::pool::Pool;

/// The nodes that read each numbered register, each node once, in body order; what is added later
/// comes last. Lists share one table: most registers have one reader or none.
pub(super) struct Readers {
    lists: Vec<List>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Default)]
struct List {
    first: Link,
    last: Link,
}

/// Place of an entry plus one; 0 for none.
type Link = u32;

struct Entry {
    node: Node,
    next: Link,
}

impl Readers {
    /// Collects the readers of all registers of a numbering.
    pub(super) fn collect(sub: &Subroutine, pool: &Pool<'_>, numbering: &Numbering) -> Self {
        let lists = vec![List::default(); numbering.len()];
        let mut readers = Self { lists, entries: Vec::with_capacity(numbering.len()) };
        sub.visit_reads_in_order(pool, &mut |node, register| {
            let Some(id) = numbering.known(register) else { return };
            // all reads of a node come in a row
            let last = readers.lists[id.index()].last;
            if readers.entry(last).is_none_or(|entry| entry.node != node) {
                readers.add(id, node);
            }
        });
        readers
    }
    /// The readers of a register; none of one without a number.
    pub(super) fn get(&self, register: Option<RegisterId>) -> impl Iterator<Item = Node> + '_ {
        let mut next = register.map_or(0, |register| self.lists[register.index()].first);
        std::iter::from_fn(move || {
            let entry = self.entry(next)?;
            next = entry.next;
            Some(entry.node)
        })
    }
    /// Adds a reader at the end.
    pub(super) fn add(&mut self, register: RegisterId, node: Node) {
        self.entries.push(Entry { node, next: 0 });
        let link = Link::try_from(self.entries.len()).expect("fewer than 2^32 reads");
        let list = &mut self.lists[register.index()];
        match std::mem::replace(&mut list.last, link) {
            0 => list.first = link,
            last => self.entries[last as usize - 1].next = link,
        }
    }
    /// Takes a reader out.
    pub(super) fn remove(&mut self, register: RegisterId, node: Node) {
        let (mut before, mut link) = (0, self.lists[register.index()].first);
        while let Some(entry) = self.entry(link) {
            let (next, found) = (entry.next, entry.node == node);
            if !found {
                (before, link) = (link, next);
                continue;
            }
            let list = &mut self.lists[register.index()];
            if list.last == link {
                list.last = before;
            }
            match before {
                0 => list.first = next,
                before => self.entries[before as usize - 1].next = next,
            }
            return;
        }
    }
    fn entry(&self, link: Link) -> Option<&Entry> {
        self.entries.get((link as usize).wrapping_sub(1))
    }
}
