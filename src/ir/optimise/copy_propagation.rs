//! Lets every register that is only a copy of another go by one name. `let b = a` disappears, and all
//! registers joined by copies become one of them: a parameter of the subroutine first, then one that
//! is not a temporary, then the first. A phi all of whose arguments are then the same register joins
//! that register.

use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{OpId, PhiId, RegisterTable, Subroutine};
use crate::ir::op::{OpKind, Register, Source, SourceKind, Value};

use super::PassCtx;

/// Marks the name of a temporary.
const TEMPORARY_MARK: char = '%';

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let copies = take_copies(sub);
    if copies.is_empty()
        && !sub.phis_in_order().any(|phi| single_argument(sub, phi, |register| register).is_some())
    {
        return Ok(false);
    }
    let copied = Copied::join(sub, &copies);
    let mut replacements = Replacements::new(sub, copied.members.len());
    for set in &copied.sets {
        let replacement = representative(sub, ctx.ir, &copied, *set)?;
        for register in copied.members(*set).filter(|register| *register != replacement) {
            replacements.insert(register, replacement);
        }
    }
    let mut removed_phis = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        if sub.blocks[block].phis.is_empty() {
            continue;
        }
        let mut phis = std::mem::take(&mut sub.blocks[block].phis);
        phis.retain(|phi| {
            let register = sub.phis[*phi].register;
            if copied.set_of[register].is_some() {
                return true;
            }
            let after = |register| replacements.get(register).unwrap_or(register);
            let Some(single) = single_argument(sub, *phi, after) else { return true };
            replacements.insert(register, single);
            removed_phis = true;
            false
        });
        sub.blocks[block].phis = phis;
    }
    if removed_phis {
        // phis looked at before may be of one register now
        sub.touch_with_known_kinds();
    }
    if !replacements.registers.is_empty() {
        replace(sub, ctx.ir, &replacements)?;
    }
    Ok(removed_phis || !copied.sets.is_empty())
}

/// Takes the copies out of the body: target and source of each, in body order.
fn take_copies(sub: &mut Subroutine) -> Vec<(Register, Register)> {
    let mut copies = Vec::new();
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let Some(first) = sub.blocks[block].ops.iter().position(|op| copy(sub, *op).is_some())
        else {
            continue;
        };
        let mut ops = std::mem::take(&mut sub.blocks[block].ops);
        let mut kept = first;
        for place in first..ops.len() {
            match copy(sub, ops[place]) {
                Some(copy) => copies.push(copy),
                None => {
                    ops[kept] = ops[place];
                    kept += 1;
                }
            }
        }
        ops.truncate(kept);
        sub.blocks[block].ops = ops;
    }
    copies
}

/// Registers joined by copies. The lists of all sets share one table.
struct Copied {
    /// The set each belongs to.
    set_of: RegisterTable<Option<u32>>,
    sets: Vec<Set>,
    /// A register and the place of the next one of its set.
    members: Vec<(Register, Option<usize>)>,
}

/// Places of the first and the last member.
#[derive(Clone, Copy)]
struct Set {
    first: usize,
    last: usize,
}

impl Copied {
    fn join(sub: &Subroutine, copies: &[(Register, Register)]) -> Self {
        let mut copied = Self {
            set_of: sub.register_table(None),
            sets: Vec::new(),
            members: Vec::with_capacity(2 * copies.len()),
        };
        for (target, source) in copies {
            let set = copied.set_of[*source].unwrap_or_else(|| {
                let set = u32::try_from(copied.sets.len()).expect("fewer than 2^32 registers");
                let place = copied.members.len();
                copied.sets.push(Set { first: place, last: place });
                copied.members.push((*source, None));
                copied.set_of[*source] = Some(set);
                set
            });
            let place = copied.members.len();
            copied.members.push((*target, None));
            let last = std::mem::replace(&mut copied.sets[set as usize].last, place);
            copied.members[last].1 = Some(place);
            copied.set_of[*target] = Some(set);
        }
        copied
    }
    fn members(&self, set: Set) -> impl Iterator<Item = Register> + '_ {
        let members = std::iter::successors(Some(set.first), |place| self.members[*place].1);
        members.map(|place| self.members[place].0)
    }
}

/// What stands for the registers that go.
struct Replacements {
    registers: Vec<Register>,
    /// Place of a register's replacement plus one; 0 for none.
    places: RegisterTable<u32>,
}

impl Replacements {
    fn new(sub: &Subroutine, expected: usize) -> Self {
        Self { registers: Vec::with_capacity(expected), places: sub.register_table(0) }
    }
    fn insert(&mut self, register: Register, replacement: Register) {
        self.registers.push(replacement);
        let place = u32::try_from(self.registers.len()).expect("fewer than 2^32 registers");
        self.places[register] = place;
    }
    fn get(&self, register: Register) -> Option<Register> {
        self.registers.get((self.places[register] as usize).wrapping_sub(1)).copied()
    }
}

/// Target and source, when an operation copies one register to another.
fn copy(sub: &Subroutine, op: OpId) -> Option<(Register, Register)> {
    match sub.single_assignment(op)? {
        (target, Source { kind: SourceKind::Value(Value::Register(source)), .. }) => {
            Some((target, *source))
        }
        _ => None,
    }
}

fn representative(
    sub: &Subroutine,
    ctx: Ctx<'_, '_>,
    copied: &Copied,
    set: Set,
) -> Outcome<Register> {
    let is_parameter =
        |register: &Register| register.is_parameter() && sub.parameters.contains(register);
    let mut parameters = copied.members(set).filter(is_parameter);
    match (parameters.next(), parameters.next()) {
        (Some(parameter), None) => return Ok(parameter),
        (Some(_), Some(_)) => {
            let message = "multiple parameters in the same equivalence set";
            return Err(Failure::internal(message, Loc::NONE));
        }
        (None, _) => {}
    }
    let is_named = |register: &Register| !ctx.text(register.name).contains(TEMPORARY_MARK);
    let named = copied.members(set).find(is_named);
    Ok(named.unwrap_or(copied.members[set.first].0))
}

/// The register all arguments of a phi are, after replacement.
fn single_argument(
    sub: &Subroutine,
    phi: PhiId,
    after: impl Fn(Register) -> Register,
) -> Option<Register> {
    let (first, rest) = sub.phis[phi].args.split_first()?;
    let single = after(first.value);
    rest.iter().all(|arg| after(arg.value) == single).then_some(single)
}

fn replace(sub: &mut Subroutine, ctx: Ctx<'_, '_>, replacements: &Replacements) -> Outcome<()> {
    let mut chained = false;
    let mut swap = |register: &mut Register| {
        if let Some(replacement) = replacements.get(*register) {
            chained |= replacements.get(replacement).is_some();
            *register = replacement;
        }
    };
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        for phi in &sub.blocks[block].phis {
            let phi = &mut sub.phis[*phi];
            swap(&mut phi.register);
            phi.args.iter_mut().for_each(|arg| swap(&mut arg.value));
        }
        for op in &sub.blocks[block].ops {
            let op = &mut sub.ops[*op];
            if let OpKind::Assign { targets, .. } = &mut op.kind {
                targets.iter_mut().for_each(&mut swap);
            }
            op.for_each_operand_mut(&mut |value| match value {
                Value::Register(register) => swap(register),
                Value::Compiled(..) => value.map(ctx.pool, &mut |mut value| {
                    if let Value::Register(register) = &mut value {
                        swap(register);
                    }
                    value
                }),
                _ => {}
            });
        }
        sub.map_terminator_reads(ctx, block, &mut |mut value| {
            if let Value::Register(register) = &mut value {
                swap(register);
            }
            value
        });
    }
    if chained {
        return Err(Failure::internal("Replacement chains are not supported", Loc::NONE));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn the_named_register_stands_for_all_copies() {
        check(
            "copy_propagation",
            r#"
            main m:
                block@0: // L1
                    let tmp%0#0: uint64 = (txn Fee)
                    let a#0: uint64 = tmp%0#0
                    let b#0: uint64 = a#0
                    let c#0: uint64 = (+ b#0 tmp%0#0)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let c#0: uint64 = (+ a#0 a#0)
                    exit c#0
            "#,
        );
    }

    #[test]
    fn a_parameter_goes_first_and_a_phi_of_one_register_disappears() {
        check(
            "copy_propagation",
            r#"
            main m:
                block@0: // L1
                    let r#0: uint64 = f(1u)
                    exit r#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    let y#0: uint64 = x#0
                    goto y#0 ? block@1 : block@2
                block@1: // L3
                    goto block@2
                block@2: // L4
                    let z#0: uint64 = φ(x#0 <- block@0, y#0 <- block@1)
                    return z#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let r#0: uint64 = f(1u)
                    exit r#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    goto x#0 ? block@1 : block@2
                block@1: // L3
                    goto block@2
                block@2: // L4
                    return x#0
            "#,
        );
    }
}
