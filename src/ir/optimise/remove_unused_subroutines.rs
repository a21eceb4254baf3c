//! Drops the subroutines of a program that nothing can call: not called from main, directly or through
//! others, and not a library routine that the lowering of an aggregate operation may call yet.

use crate::base::arena::Symbol;
use crate::base::entity::EntitySet;
use crate::base::ordered::{LookupMap, LookupSet};
use crate::ir::Ctx;
use crate::ir::factory::LibraryRoutine::{self, *};
use crate::ir::model::{Program, Subroutine};
use crate::ir::pool::SubId;

/// What reading an element of an aggregate may call.
const READ: &[LibraryRoutine] = &[
    StaticArrayReadDynamicElement,
    StaticArrayReadByteLengthElement,
    DynamicArrayReadDynamicElement,
    DynamicArrayReadByteLengthElement,
    DynamicAssertIndex,
];
/// What replacing an element may call besides.
const REPLACE: &[LibraryRoutine] = &[
    DynamicArrayReplaceByteLengthHead,
    DynamicArrayReplaceDynamicElement,
    StaticArrayReplaceByteLengthHead,
    StaticArrayReplaceDynamicElement,
];
/// What taking off the last element may call.
const POP: &[LibraryRoutine] = &[
    DynamicArrayPopBit,
    RTrim,
    DynamicArrayPopFixedSize,
    DynamicArrayPopByteLengthHead,
    DynamicArrayPopDynamicElement,
    BoxDynamicArrayPopFixedSize,
    BoxUpdateOffsetDec,
];
/// What appending elements may call.
const CONCAT: &[LibraryRoutine] = &[
    DynamicArrayConcatFixed,
    DynamicArrayConcatDynamicElement,
    DynamicArrayConcatBits,
    DynamicArrayConcatByteLengthHead,
    BoxDynamicArrayConcatFixed,
    BoxUpdateOffsetInc,
];

/// See the module; true when something was dropped. `places` are those of [`Program::index_by_id`].
pub(super) fn run(
    program: &mut Program,
    ctx: Ctx<'_, '_>,
    places: &LookupMap<SubId, usize>,
) -> bool {
    if program.subroutines.is_empty() {
        return false;
    }
    let follow = |search: &mut Search| {
        while let Some(target) = search.next() {
            if let Some(place) = places.get(&target) {
                search.scan(&program.subroutines[*place]);
            }
        }
    };
    let mut search = Search::default();
    search.scan(&program.main);
    follow(&mut search);
    let library: LookupSet<Symbol> =
        search.lowering_routines().map(|routine| ctx.sym(routine.id())).collect();
    if !library.is_empty() {
        for sub in &program.subroutines {
            if library.contains(&sub.header(ctx.pool).id) {
                search.call(sub.id);
            }
        }
        follow(&mut search);
    }
    let before = program.subroutines.len();
    let used = search.into_used();
    program.subroutines.retain(|sub| used.contains(sub.id));
    program.subroutines.len() != before
}

/// The search for what can be called. [`Search::scan`] the main subroutine, then what is
/// [`Search::next`] until nothing is, then do the same for the [`Search::lowering_routines`].
#[derive(Default)]
pub(in crate::ir) struct Search {
    used: EntitySet<SubId>,
    pending: Vec<SubId>,
    extracts: bool,
    replaces: bool,
    pops: bool,
    concats: bool,
}

impl Search {
    /// Notes what a subroutine calls and which aggregate operations it has.
    pub(in crate::ir) fn scan(&mut self, sub: &Subroutine) {
        let needs = sub.needs();
        self.extracts |= needs.extracts;
        self.replaces |= needs.replaces;
        self.pops |= needs.pops;
        self.concats |= needs.concats;
        needs.calls.iter().for_each(|target| self.call(*target));
    }
    /// Notes that a subroutine is called.
    pub(in crate::ir) fn call(&mut self, target: SubId) {
        if self.used.insert(target) {
            self.pending.push(target);
        }
    }
    /// A called subroutine that is to be scanned.
    pub(in crate::ir) fn next(&mut self) -> Option<SubId> {
        self.pending.pop()
    }
    /// The library routines that the lowering of aggregate operations found so far may call.
    // PARITY: routines that a library routine may call in turn are not looked for
    pub(in crate::ir) fn lowering_routines(&self) -> impl Iterator<Item = LibraryRoutine> + use<> {
        let referenced = [
            (self.extracts || self.replaces, READ),
            (self.replaces, REPLACE),
            (self.pops, POP),
            (self.concats, CONCAT),
        ];
        let routines = referenced.into_iter().filter(|(referenced, _)| *referenced);
        routines.flat_map(|(_, routines)| routines.iter().copied())
    }
    /// All that are called.
    pub(in crate::ir) fn into_used(self) -> EntitySet<SubId> {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_rounds;

    #[test]
    fn what_main_does_not_lead_to_is_dropped_and_counts_as_a_change() {
        check_rounds(
            0,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f()
                    exit a#0

            subroutine f() -> uint64:
                block@0: // L2
                    return 1u

            subroutine g() -> uint64:
                block@0: // L3
                    let a#0: uint64 = g()
                    return a#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f()
                    exit a#0

            subroutine f() -> uint64:
                block@0: // L2
                    return 1u
            "#,
            1,
            &[],
        );
    }

    #[test]
    fn routines_that_lowering_may_call_stay() {
        let text = r#"
            main m:
                block@0: // L1
                    let a#0: Encoded(uint64) = (txn Note)
                    let b#0: Encoded(len+uint64[]) = array_pop(a#0)
                    (log b#0)
                    exit 1u

            subroutine _puya_lib.arc4.r_trim(a: bytes, n: uint64) -> bytes:
                block@0: // L2
                    return a#0
            "#;
        check_rounds(0, text, text, 0, &[]);
    }
}
