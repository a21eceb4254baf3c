//! Several copies at once -> copies one after the other, with temporaries only where copies go in a
//! circle. After Boissinot et al., "Revisiting Out-of-SSA Translation", with fan-out.

use crate::base::entity::EntityId;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::ir::Ctx;
use crate::ir::model::Subroutine;
use crate::ir::op::{OpKind, Register, RegisterId, Source, SourceKind, Value};

const PREFIX: &str = "parcopy%";

/// Replaces every assignment from a group of values by single assignments.
pub(super) fn run(sub: &mut Subroutine, ctx: Ctx<'_, '_>) {
    if !sub.ops_in_order().any(|op| sub.is_parallel_copy(op)) {
        return;
    }
    let mut next_temp = 0u64;
    sub.visit_definitions(&mut |register| {
        let rest = ctx.text(register.name).strip_prefix(PREFIX);
        let number = rest.and_then(|rest| rest.split('%').next()?.parse::<u64>().ok());
        next_temp = next_temp.max(number.map_or(0, |number| number + 1));
    });
    let mut registers = sub.registers;
    let mut new_temp = |like: Register| {
        let name = ctx.sym(&format!("{PREFIX}{next_temp}"));
        next_temp += 1;
        registers += 1;
        Register::local(RegisterId::new(registers as usize - 1), name, 0, like.ty, like.loc)
    };
    for block in sub.body.clone() {
        if !sub.blocks[block].ops.iter().any(|op| sub.is_parallel_copy(*op)) {
            continue;
        }
        let mut ops = Vec::new();
        for op in std::mem::take(&mut sub.blocks[block].ops) {
            if !sub.is_parallel_copy(op) {
                ops.push(op);
                continue;
            }
            let loc = sub.ops[op].loc;
            let OpKind::Assign { targets, source } = &sub.ops[op].kind else { continue };
            let SourceKind::ValueTuple { values, .. } = &source.kind else { continue };
            let copies = targets.iter().copied().zip(values.iter().copied());
            for (target, value) in sequentialise(copies, &mut new_temp) {
                ops.push(sub.make_assign(target.into(), Source::value(value), loc));
            }
        }
        sub.blocks[block].ops = ops;
    }
    sub.registers = registers;
}

fn sequentialise(
    copies: impl Iterator<Item = (Register, Value)>,
    new_temp: &mut impl FnMut(Register) -> Register,
) -> Vec<(Register, Value)> {
    // Of several copies to one register the last counts.
    let copies: OrderedMap<Register, Value> = copies.collect();
    // Where the value that a register or other source had at first is to be found now.
    let mut place: LookupMap<Value, Option<Value>> = LookupMap::new();
    let mut source_of: LookupMap<Value, Value> = LookupMap::new();
    let mut to_do: Vec<Register> = Vec::new();
    for target in copies.keys() {
        place.insert(Value::Register(*target), None);
    }
    for (target, source) in &copies {
        place.insert(*source, Some(*source));
        source_of.insert(Value::Register(*target), *source);
        to_do.push(*target);
    }
    let is_free = |target: &&Register| place.get(&Value::Register(**target)) == Some(&None);
    let mut ready: Vec<Value> =
        copies.keys().filter(is_free).map(|target| Value::Register(*target)).collect();
    let mut sequence = Vec::new();
    loop {
        while let Some(target) = ready.pop() {
            let Some(source) = source_of.get(&target).copied() else { continue };
            let current = place.get(&source).copied().flatten().expect("a source is somewhere");
            let Value::Register(register) = target else { continue };
            sequence.push((register, current));
            if let Value::Register(current) = current
                && let Some(index) = to_do.iter().position(|register| *register == current)
            {
                to_do.remove(index);
            }
            place.insert(source, Some(target));
            if source == current {
                ready.push(source);
            }
        }
        let Some(target) = to_do.pop() else { return sequence };
        let source = source_of.get(&Value::Register(target)).expect("a target has a source");
        if place.get(source).copied().flatten() != Some(Value::Register(target)) {
            let temp = new_temp(target);
            sequence.push((temp, Value::Register(target)));
            place.insert(Value::Register(target), Some(Value::Register(temp)));
            ready.push(Value::Register(target));
        }
    }
}
