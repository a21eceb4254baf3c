//! Lets every register that is only a copy of another go by one name. `let b = a` disappears, and all
//! registers joined by copies become one of them: a parameter of the subroutine first, then one that
//! is not a temporary, then the first. A phi all of whose arguments are then the same register joins
//! that register.

use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{PhiId, Subroutine};
use crate::ir::op::{Register, Source, SourceKind, Value};

use super::PassCtx;

/// Marks the name of a temporary.
const TEMPORARY_MARK: char = '%';

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut set_of: LookupMap<Register, usize> = LookupMap::new();
    let mut sets: Vec<Vec<Register>> = Vec::new();
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let Some(first) = sub.blocks[block].ops.iter().position(|op| copy(sub, *op).is_some())
        else {
            continue;
        };
        let mut ops = std::mem::take(&mut sub.blocks[block].ops);
        let mut kept = first;
        for place in first..ops.len() {
            let Some((target, source)) = copy(sub, ops[place]) else {
                ops[kept] = ops[place];
                kept += 1;
                continue;
            };
            let set = *set_of.get_or_insert_with(source, || {
                sets.push(vec![source]);
                sets.len() - 1
            });
            sets[set].push(target);
            set_of.insert(target, set);
        }
        ops.truncate(kept);
        sub.blocks[block].ops = ops;
    }
    let mut replacements: LookupMap<Register, Register> = LookupMap::new();
    for set in &sets {
        let replacement = representative(sub, ctx.ir, set)?;
        for register in set.iter().filter(|register| **register != replacement) {
            replacements.insert(*register, replacement);
        }
    }
    let mut changed = !sets.is_empty();
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        if sub.blocks[block].phis.is_empty() {
            continue;
        }
        let mut phis = std::mem::take(&mut sub.blocks[block].phis);
        phis.retain(|phi| {
            let register = sub.phis[*phi].register;
            if set_of.contains_key(&register) {
                return true;
            }
            let Some(single) = single_argument(sub, *phi, &replacements) else { return true };
            replacements.insert(register, single);
            changed = true;
            false
        });
        sub.blocks[block].phis = phis;
    }
    if replacements.is_empty() {
        return Ok(changed);
    }
    replace(sub, ctx.ir, &replacements)?;
    Ok(changed)
}

/// Target and source, when an operation copies one register to another.
fn copy(sub: &Subroutine, op: crate::ir::model::OpId) -> Option<(Register, Register)> {
    match sub.single_assignment(op)? {
        (target, Source { kind: SourceKind::Value(Value::Register(source)), .. }) => {
            Some((target, *source))
        }
        _ => None,
    }
}

fn representative(sub: &Subroutine, ctx: Ctx<'_, '_>, set: &[Register]) -> Outcome<Register> {
    let mut parameters =
        set.iter().filter(|register| register.is_parameter() && sub.parameters.contains(register));
    match (parameters.next(), parameters.next()) {
        (Some(parameter), None) => return Ok(*parameter),
        (Some(_), Some(_)) => {
            let message = "multiple parameters in the same equivalence set";
            return Err(Failure::internal(message, Loc::NONE));
        }
        (None, _) => {}
    }
    let named = set.iter().find(|register| !ctx.text(register.name).contains(TEMPORARY_MARK));
    Ok(*named.unwrap_or(&set[0]))
}

/// The register all arguments of a phi are, after replacement.
fn single_argument(
    sub: &Subroutine,
    phi: PhiId,
    replacements: &LookupMap<Register, Register>,
) -> Option<Register> {
    let after = |register: Register| replacements.get(&register).copied().unwrap_or(register);
    let (first, rest) = sub.phis[phi].args.split_first()?;
    let single = after(first.value);
    rest.iter().all(|arg| after(arg.value) == single).then_some(single)
}

fn replace(
    sub: &mut Subroutine,
    ctx: Ctx<'_, '_>,
    replacements: &LookupMap<Register, Register>,
) -> Outcome<()> {
    let mut chained = false;
    sub.map_registers(ctx, &mut |register| match replacements.get(&register) {
        Some(replacement) => {
            chained |= replacements.contains_key(replacement);
            *replacement
        }
        None => register,
    });
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
