//! Counts the calls that are left of each subroutine while a round goes on. One that lost its last call
//! before its turn is not optimised any more: the end of the round drops it.

use crate::base::ordered::LookupMap;
use crate::ir::Ctx;
use crate::ir::factory::LibraryRoutine;
use crate::ir::model::{Program, Subroutine};
use crate::ir::op::TerminatorKind;
use crate::ir::pool::SubId;

/// Calls of each subroutine but main from others, by place in the program.
pub(super) struct RemainingCalls<'a> {
    counts: Vec<u32>,
    places: &'a LookupMap<SubId, usize>,
}

impl<'a> RemainingCalls<'a> {
    /// The calls at the start of a round.
    pub(super) fn count(program: &Program, places: &'a LookupMap<SubId, usize>) -> Self {
        let mut remaining = Self { counts: vec![0; program.subroutines.len()], places };
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
    /// Whether a subroutine can be left alone, since the end of the round drops it. A library routine
    /// may be called later in the round, and a switch may have an error to report.
    pub(super) fn is_gone(&self, place: usize, sub: &Subroutine, ctx: Ctx<'_, '_>) -> bool {
        let is_switch =
            |block| matches!(sub.blocks[block].terminator().kind, TerminatorKind::Switch { .. });
        self.counts[place] == 0
            && LibraryRoutine::from_id(ctx.text(sub.header(ctx.pool).id)).is_none()
            && !sub.body.iter().any(|block| is_switch(*block))
    }
}
