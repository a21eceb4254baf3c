//! Slot elimination: scratch slots of reference arrays that never leave their subroutine become locals
//! of it. Spec 22 §17.
//!
//! Before: `let a#0: T* = new()`, `load(a#0)`, `store(a#0, v)`. After: `load(local.0)`,
//! `store(local.0, v)`. One slot that is passed on makes the whole program give out slots at run time.

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::ordered::{LookupMap, LookupSet, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

use super::Ctx;
use super::model::{BlockId, Node, OpId, Program, SlotStrategy, Subroutine};
use super::op::{Constant, OpKind, Register, SourceKind, Value};
use super::types::IrType;
use super::verify::verify_ssa;

/// Eliminates local slots, reserves the slots that the program names, and decides how the other ones
/// are given out.
pub fn run(program: &mut Program, ctx: Ctx<'_, '_>) -> Outcome<()> {
    let mut escapes = false;
    let mut named = Vec::new();
    for sub in program.all_subroutines_mut() {
        if !name_slots(sub, &mut named) {
            continue;
        }
        let found = Slots::find(sub, ctx);
        escapes |= found.new_slots.keys().any(|slot| found.passed_on.contains(slot));
        if found.eliminate(sub) {
            sub.touch();
            verify_ssa(sub, ctx)?;
        }
    }
    program.reserved_slots.extend(named);
    program.slot_strategy = if escapes { SlotStrategy::Dynamic } else { SlotStrategy::None };
    Ok(())
}

/// Notes the slots that a subroutine names; true when it makes new ones.
fn name_slots(sub: &Subroutine, named: &mut Vec<u32>) -> bool {
    let mut makes_slots = false;
    for op in sub.ops_in_order() {
        let op = &sub.ops[op];
        if let Some(intrinsic) = op.intrinsic() {
            if matches!(intrinsic.op, AvmOp::Load | AvmOp::Store)
                && let [Immediate::Int(slot)] = *intrinsic.immediates
                && let Ok(slot) = u32::try_from(slot)
            {
                named.push(slot);
            }
        } else if let OpKind::Assign { source, .. } = &op.kind {
            makes_slots |= matches!(source.kind, SourceKind::NewSlot(_));
        }
    }
    makes_slots
}

/// Where an operation stands.
type Place = (BlockId, OpId);

/// Uses of slots in one subroutine.
#[derive(Default)]
struct Slots {
    /// Registers that get a new slot, with the slot's type and location.
    new_slots: OrderedMap<Register, (Place, IrType, Loc)>,
    /// Registers read other than to load from or store to the slot.
    passed_on: LookupSet<Register>,
    reads: LookupMap<Register, Vec<OpId>>,
    writes: LookupMap<Register, Vec<Place>>,
}

impl Slots {
    fn find(sub: &Subroutine, ctx: Ctx<'_, '_>) -> Self {
        let mut found = Slots::default();
        for block in &sub.body {
            for node in sub.nodes(*block) {
                match node {
                    Node::Op(op) => found.op(sub, ctx, (*block, op)),
                    Node::Phi(_) | Node::Terminator(_) => found.pass_on(sub, ctx, node),
                }
            }
        }
        found
    }
    fn op(&mut self, sub: &Subroutine, ctx: Ctx<'_, '_>, place: Place) {
        match &sub.ops[place.1].kind {
            OpKind::Assign { targets, source } => match &source.kind {
                SourceKind::NewSlot(ty) => {
                    self.new_slots.insert(targets[0], (place, *ty, source.loc));
                }
                SourceKind::ReadSlot(slot) => {
                    if let Value::Register(slot) = slot {
                        self.reads.get_or_insert_with(*slot, Vec::new).push(place.1);
                    }
                }
                _ => self.pass_on(sub, ctx, Node::Op(place.1)),
            },
            OpKind::WriteSlot { slot, value } => {
                if let Value::Register(slot) = slot {
                    self.writes.get_or_insert_with(*slot, Vec::new).push(place);
                }
                if let Value::Register(value) = value {
                    self.passed_on.insert(*value);
                }
            }
            _ => self.pass_on(sub, ctx, Node::Op(place.1)),
        }
    }
    fn pass_on(&mut self, sub: &Subroutine, ctx: Ctx<'_, '_>, node: Node) {
        sub.visit_registers_read(ctx.pool, node, &mut |register| {
            self.passed_on.insert(register);
        });
    }
    /// Makes locals of the slots that are not passed on; one that is never read goes away with its
    /// stores. True when there was any.
    fn eliminate(&self, sub: &mut Subroutine) -> bool {
        let mut next_local = 0;
        let mut changed = false;
        let remove = |sub: &mut Subroutine, (block, op): Place| {
            sub.blocks[block].ops.retain(|other| *other != op);
        };
        for (slot, (place, ty, loc)) in &self.new_slots {
            if self.passed_on.contains(slot) {
                continue;
            }
            remove(sub, *place);
            changed = true;
            let writes = self.writes.get(slot).map_or(&[][..], Vec::as_slice);
            let Some(reads) = self.reads.get(slot) else {
                writes.iter().for_each(|place| remove(sub, *place));
                continue;
            };
            let local = Constant::Slot { value: next_local, ty: *ty };
            let local = Value::Constant(local, *loc);
            next_local += 1;
            for read in reads {
                if let OpKind::Assign { source, .. } = &mut sub.ops[*read].kind {
                    source.kind = SourceKind::ReadSlot(local);
                }
            }
            for (_, write) in writes {
                if let OpKind::WriteSlot { slot, .. } = &mut sub.ops[*write].kind {
                    *slot = local;
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::ir::model::ProgramKind;
    use crate::ir::pool::Pool;
    use crate::ir::{text, text_read};
    use crate::options::CompileOptions;
    use crate::session::Session;

    fn check(before: &str, after: &str) {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let pool = Pool::new(&arena);
        let options = CompileOptions::default();
        let ctx = Ctx { session: &session, pool: &pool, options: &options };
        let mut program =
            text_read::program(ctx, before.trim(), ProgramKind::Approval).expect("a dump");
        run(&mut program, ctx).expect("valid IR");
        assert_eq!(text::program(ctx, &program), after.trim());
    }

    #[test]
    fn a_slot_that_stays_at_home_becomes_a_local() {
        check(
            "
main m:
    block@0: // L1
        let a#0: Encoded(uint64[])* = new()
        let unread#0: Encoded(uint64[])* = new()
        store(a#0, 0x)
        store(unread#0, 0x)
        let b#0: Encoded(uint64[]) = load(a#0)
        (log b#0)
        exit 1u",
            "
main m:
    block@0: // L1
        store(local.0, 0x)
        let b#0: Encoded(uint64[]) = load(local.0)
        (log b#0)
        exit 1u",
        );
    }

    #[test]
    fn a_slot_that_is_passed_on_needs_slots_at_run_time() {
        check(
            "
main m:
    block@0: // L1
        let a#0: Encoded(uint64[])* = new()
        m.fill(a#0)
        ((store 3) 1u)
        exit 1u

subroutine m.fill(a: Encoded(uint64[])*) -> void:
    block@0: // L1
        store(a#0, 0x)
        exit 1u",
            "
slot_allocation(dynamic, reserved=[3])
main m:
    block@0: // L1
        let a#0: Encoded(uint64[])* = new()
        m.fill(a#0)
        ((store 3) 1u)
        exit 1u

subroutine m.fill(a: Encoded(uint64[])*) -> void:
    block@0: // L1
        store(a#0, 0x)
        exit 1u",
        );
    }
}
