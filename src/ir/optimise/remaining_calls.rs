//! Counts the calls that are left of each subroutine while a round goes on. One that lost its last call
//! before its turn is not optimised any more: the end of the round drops it.

use crate::base::ordered::LookupMap;
use crate::ir::Ctx;
use crate::ir::factory::LibraryRoutine;
use crate::ir::kinds::Kinds;
use crate::ir::model::{Program, Subroutine};
use crate::ir::op::TerminatorKind;
use crate::ir::pool::SubId;

/// Calls of each subroutine but main from others, by place in the program.
pub(super) struct RemainingCalls<'a> {
    counts: Vec<u32>,
    places: &'a LookupMap<SubId, usize>,
    /// Whether a pass, or the lowering of aggregate operations, may call library routines yet.
    may_call_library: bool,
}

impl<'a> RemainingCalls<'a> {
    /// The calls at the start of a round.
    pub(super) fn count(program: &mut Program, places: &'a LookupMap<SubId, usize>) -> Self {
        let may_call_library = program.all_subroutines_mut().any(|sub| {
            let needs = sub.needs();
            let lowering = needs.extracts || needs.replaces || needs.pops || needs.concats;
            lowering || sub.kinds().contains(Kinds::BOX_READ)
        });
        let counts = vec![0; program.subroutines.len()];
        let mut remaining = Self { counts, places, may_call_library };
        for sub in program.all_subroutines() {
            remaining.add(sub.id, &sub.needs().calls);
        }
        remaining
    }
    /// Counts the calls of a body.
    pub(super) fn add(&mut self, caller: SubId, calls: &[SubId]) {
        self.for_each(caller, calls, |count| *count += 1);
    }
    /// Forgets the calls of a body that changed or goes away.
    pub(super) fn remove(&mut self, caller: SubId, calls: &[SubId]) {
        self.for_each(caller, calls, |count| *count -= 1);
    }
    fn for_each(&mut self, caller: SubId, calls: &[SubId], change: impl Fn(&mut u32)) {
        for target in calls.iter().filter(|target| **target != caller) {
            if let Some(place) = self.places.get(target) {
                change(&mut self.counts[*place]);
            }
        }
    }
    /// Whether a subroutine can be left alone, since the end of the round drops it.
    pub(super) fn is_gone(&self, place: usize, sub: &Subroutine, ctx: Ctx<'_, '_>) -> bool {
        self.counts[place] == 0 && self.may_go(sub, ctx)
    }
    /// The place of a subroutine that can be left alone once so many calls of it are gone.
    pub(super) fn goes_with(
        &self,
        calls: u32,
        sub: SubId,
        program: &Program,
        ctx: Ctx<'_, '_>,
    ) -> Option<usize> {
        let place = *self.places.get(&sub)?;
        let goes = self.counts[place] == calls && self.may_go(&program.subroutines[place], ctx);
        goes.then_some(place)
    }
    /// Whether it makes no difference if a subroutine without calls is optimised. A library routine may
    /// be called later in the round, and a switch may have an error to report.
    fn may_go(&self, sub: &Subroutine, ctx: Ctx<'_, '_>) -> bool {
        let is_switch =
            |block| matches!(sub.blocks[block].terminator().kind, TerminatorKind::Switch { .. });
        let is_library = || LibraryRoutine::from_id(ctx.text(sub.header(ctx.pool).id)).is_some();
        let may_be_called = self.may_call_library && is_library();
        !may_be_called && !sub.body.iter().any(|block| is_switch(*block))
    }
}
