//! Which nodes read the registers that a pass is interested in.

use crate::ir::model::{Node, RegisterTable, Subroutine};
use crate::ir::op::{Register, RegisterId};
use crate::ir::pool::Pool;

/// The nodes that read each register of interest, each node once, in body order; what is added later
/// comes last. Lists share one table: most registers have one reader or none.
pub(super) struct Readers {
    lists: RegisterTable<List>,
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
    /// Collects the readers of all registers of interest.
    pub(super) fn collect(
        sub: &Subroutine,
        pool: &Pool<'_>,
        is_of_interest: impl Fn(RegisterId) -> bool,
    ) -> Self {
        let lists = sub.register_table(List::default());
        let mut readers = Self { lists, entries: Vec::with_capacity(sub.op_count()) };
        sub.visit_reads_in_order(pool, &mut |node, Register { id, .. }| {
            if !is_of_interest(id) {
                return;
            }
            // all reads of a node come in a row
            let last = readers.lists[id].last;
            if readers.entry(last).is_none_or(|entry| entry.node != node) {
                readers.add(id, node);
            }
        });
        readers
    }
    /// The readers of a register; none of one that is not of interest.
    pub(super) fn get(&self, register: RegisterId) -> impl Iterator<Item = Node> + '_ {
        let mut next = self.lists[register].first;
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
        let list = &mut self.lists[register];
        match std::mem::replace(&mut list.last, link) {
            0 => list.first = link,
            last => self.entries[last as usize - 1].next = link,
        }
    }
    /// Takes a reader out.
    pub(super) fn remove(&mut self, register: RegisterId, node: Node) {
        let (mut before, mut link) = (0, self.lists[register].first);
        while let Some(entry) = self.entry(link) {
            let (next, found) = (entry.next, entry.node == node);
            if !found {
                (before, link) = (link, next);
                continue;
            }
            let list = &mut self.lists[register];
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
