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
    let others: Vec<&Subroutine> = program.subroutines.iter().collect();
    let used = used_by(&program.main, &others, ctx, places);
    let before = program.subroutines.len();
    program.subroutines.retain(|sub| used.contains(sub.id));
    program.subroutines.len() != before
}

/// The subroutines among `others` that a program with this main subroutine needs; `places` are theirs.
pub(in crate::ir) fn used_by(
    main: &Subroutine,
    others: &[&Subroutine],
    ctx: Ctx<'_, '_>,
    places: &LookupMap<SubId, usize>,
) -> EntitySet<SubId> {
    let mut search = Search::new(others, places);
    search.visit(main);
    // PARITY: routines that a library routine may call in turn are not looked for
    let library: LookupSet<Symbol> = [
        (search.extracts || search.replaces, READ),
        (search.replaces, REPLACE),
        (search.pops, POP),
        (search.concats, CONCAT),
    ]
    .iter()
    .filter(|(referenced, _)| *referenced)
    .flat_map(|(_, routines)| routines.iter().map(|routine| ctx.sym(routine.id())))
    .collect();
    if !library.is_empty() {
        for sub in others {
            if library.contains(&sub.header(ctx.pool).id) && search.used.insert(sub.id) {
                search.visit(sub);
            }
        }
    }
    search.used
}

struct Search<'a> {
    others: &'a [&'a Subroutine],
    places: &'a LookupMap<SubId, usize>,
    used: EntitySet<SubId>,
    extracts: bool,
    replaces: bool,
    pops: bool,
    concats: bool,
}

impl<'a> Search<'a> {
    fn new(others: &'a [&'a Subroutine], places: &'a LookupMap<SubId, usize>) -> Self {
        let used = EntitySet::new();
        Self { others, places, used, extracts: false, replaces: false, pops: false, concats: false }
    }
    fn visit(&mut self, start: &Subroutine) {
        let mut pending = vec![start];
        while let Some(sub) = pending.pop() {
            let needs = sub.needs();
            self.extracts |= needs.extracts;
            self.replaces |= needs.replaces;
            self.pops |= needs.pops;
            self.concats |= needs.concats;
            for target in &needs.calls {
                if self.used.insert(*target)
                    && let Some(place) = self.places.get(target)
                {
                    pending.push(self.others[*place]);
                }
            }
        }
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
