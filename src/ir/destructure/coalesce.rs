//! Merges registers that are never live at the same time. Spec 22 §16.4.
//!
//! Two registers may share a name when neither is live where the other is assigned. Registers come in
//! order of definition and join the first group of their kind that takes them (first fit).

use crate::base::arena::Symbol;
use crate::base::entity::{EntitySet, SecondaryMap};
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::liveness::{LiveId, Liveness};
use crate::ir::model::{OpId, Subroutine};
use crate::ir::op::{OpKind, Register, RegisterId, SourceKind, Value};
use crate::ir::text;
use crate::ir::types::{AvmType, IrType};
use crate::options::LocalsCoalescing;

use super::names::NameTable;

type RegisterSet = EntitySet<LiveId>;

/// Registers that will share a name, and what is live where any of them is assigned.
struct Group {
    members: RegisterSet,
    live: RegisterSet,
}

/// Groups merge only registers with the same key: of one variable and kind of type, or (aggressive)
/// of one AVM type.
type GroupKey = (Option<Symbol>, IrType);

/// Merges registers as the options say.
pub(super) fn run(sub: &mut Subroutine, ctx: Ctx<'_, '_>, names: &mut SharedNames) -> Outcome<()> {
    let strategy = ctx.options.locals_coalescing_strategy;
    // a variable with a single register has no other to share a name with
    let liveness = match strategy {
        LocalsCoalescing::Aggressive => Liveness::analyse(sub, ctx, &|_| true),
        LocalsCoalescing::RootOperand | LocalsCoalescing::RootOperandExcludingArgs => {
            if !collect(sub, names) {
                return Ok(());
            }
            Liveness::analyse(sub, ctx, &|register| names.get(register.name) == Registers::Several)
        }
    };
    let mut live_at_definition = live_at_definition(sub, ctx, &liveness, strategy);
    let mut groups: OrderedMap<GroupKey, Vec<Group>> = OrderedMap::default();
    for id in live_at_definition.order {
        let live = live_at_definition.sets[id].take().expect("every definition has an entry");
        let key = group_key(ctx, liveness.register(id), strategy);
        let candidates = groups.entry(key).or_default();
        let fitting = candidates
            .iter_mut()
            .find(|group| !group.live.contains(id) && !live.intersects(&group.members));
        match fitting {
            Some(group) => {
                group.members.insert(id);
                group.live.union_with(&live);
            }
            None => candidates.push(Group { members: [id].into_iter().collect(), live }),
        }
    }
    let mut renamed: SecondaryMap<RegisterId, Option<Register>> = SecondaryMap::new();
    let mut any_renamed = false;
    let mut next_name = 0u64;
    for (key, groups) in &groups {
        for group in groups.iter().filter(|group| group.members.len() > 1) {
            let members: Vec<Register> =
                group.members.iter().map(|id| liveness.register(id)).collect();
            let replacement = match key {
                (Some(name), ty) => replacement_of_one_variable(sub, ctx, *name, *ty, &members)?,
                (None, ty) => {
                    let name = ctx.sym(&format!("%{next_name}"));
                    next_name += 1;
                    Register::local(sub.new_register_id(), name, 0, *ty, Loc::NONE)
                }
            };
            for member in members.into_iter().filter(|member| *member != replacement) {
                renamed[member.id] = Some(replacement);
                any_renamed = true;
            }
        }
    }
    if any_renamed {
        sub.map_registers(ctx, &mut |register| renamed[register.id].unwrap_or(register));
        drop_self_copies(sub);
    }
    Ok(())
}

/// The variables of which several registers are defined.
pub(super) type SharedNames = NameTable<Registers>;

/// The registers of a variable that are defined.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Registers {
    #[default]
    None,
    One(RegisterId),
    Several,
}

/// Collects the variables of a subroutine; true when there are any of several registers.
fn collect(sub: &Subroutine, names: &mut SharedNames) -> bool {
    names.clear();
    let mut any = false;
    sub.visit_definitions(&mut |register| {
        let known = names.get_mut(register.name);
        if *known == Registers::None {
            *known = Registers::One(register.id);
        } else if *known != Registers::One(register.id) {
            *known = Registers::Several;
            any = true;
        }
    });
    any
}

/// What is live after any of the assignments of each register of interest that is defined.
#[derive(Default)]
struct LiveAtDefinition {
    /// The registers in order of definition.
    order: Vec<LiveId>,
    sets: SecondaryMap<LiveId, Option<RegisterSet>>,
}

impl LiveAtDefinition {
    fn define(&mut self, id: LiveId, live: RegisterSet) {
        let set = &mut self.sets[id];
        if set.is_none() {
            self.order.push(id);
            *set = Some(live);
        }
    }
}

fn live_at_definition(
    sub: &Subroutine,
    ctx: Ctx<'_, '_>,
    liveness: &Liveness,
    strategy: LocalsCoalescing,
) -> LiveAtDefinition {
    let known = |register: Register| liveness.known(register);
    let mut live = LiveAtDefinition::default();
    if strategy == LocalsCoalescing::RootOperand {
        let parameters: RegisterSet = sub.parameters.iter().filter_map(|p| known(*p)).collect();
        for parameter in sub.parameters.iter().filter_map(|p| known(*p)) {
            live.define(parameter, parameters.clone());
        }
    }
    for op in sub.ops_in_order() {
        for target in sub.ops[op].targets().iter().filter_map(|target| known(*target)) {
            live.define(target, RegisterSet::new());
        }
    }
    for block in &sub.body {
        liveness.for_each_op_backwards(sub, ctx, *block, |op: OpId, live_out| {
            for target in sub.ops[op].targets().iter().filter_map(|target| known(*target)) {
                let set = live.sets[target].as_mut().expect("every target has an entry");
                set.union_with(live_out);
            }
        });
    }
    live
}

fn group_key(ctx: Ctx<'_, '_>, register: Register, strategy: LocalsCoalescing) -> GroupKey {
    let by_avm_type = match register.ty.maybe_avm_type(ctx.pool) {
        Some(AvmType::UInt64) => IrType::UInt64,
        Some(AvmType::Bytes) => IrType::Bytes,
        Some(AvmType::Any) | None => register.ty,
    };
    match strategy {
        LocalsCoalescing::Aggressive => match register.ty {
            IrType::Slot(_) | IrType::MergedSlot => (None, IrType::MergedSlot),
            _ => (None, by_avm_type),
        },
        LocalsCoalescing::RootOperand | LocalsCoalescing::RootOperandExcludingArgs => {
            let ty = match register.ty {
                IrType::SizedBytes(_) | IrType::Encoded(_) => by_avm_type,
                own => own,
            };
            (Some(register.name), ty)
        }
    }
}

/// The parameter among the members, as callers set that one; otherwise the smallest version.
fn replacement_of_one_variable(
    sub: &mut Subroutine,
    ctx: Ctx<'_, '_>,
    name: Symbol,
    key_type: IrType,
    members: &[Register],
) -> Outcome<Register> {
    let mut parameters = members.iter().filter(|member| sub.parameters.contains(member));
    match (parameters.next(), parameters.next()) {
        (Some(parameter), None) => return Ok(*parameter),
        (Some(_), Some(_)) => {
            let names: Vec<String> =
                members.iter().map(|member| text::register(ctx, *member)).collect();
            let message = format!("coalesced register set {names:?} contained multiple parameters");
            return Err(Failure::internal(message, sub.loc));
        }
        (None, _) => {}
    }
    let version = members.iter().map(|member| member.version).min().unwrap_or(0);
    let ty = members[0].ty;
    let ty = if members.iter().all(|member| member.ty == ty) { ty } else { key_type };
    let same = members
        .iter()
        .find(|member| (member.version, member.ty, member.is_parameter()) == (version, ty, false));
    let id = same.map_or_else(|| sub.new_register_id(), |member| member.id);
    Ok(Register::local(id, name, version, ty, Loc::NONE))
}

/// Drops copies of registers to themselves.
fn drop_self_copies(sub: &mut Subroutine) {
    for block in sub.body.clone() {
        let ops = std::mem::take(&mut sub.blocks[block].ops);
        let kept = ops.into_iter().filter(|op| !is_self_copy(&mut sub.ops[*op].kind)).collect();
        sub.blocks[block].ops = kept;
    }
}

/// Takes registers that are copied to themselves out of an assignment; true when nothing is left.
fn is_self_copy(op: &mut OpKind) -> bool {
    let OpKind::Assign { targets, source } = op else { return false };
    match &mut source.kind {
        SourceKind::Value(value) => Value::Register(targets[0]) == *value,
        SourceKind::ValueTuple { values, .. } => {
            let copies = targets.iter().zip(values.iter());
            let same: Vec<bool> =
                copies.map(|(target, value)| Value::Register(*target) == *value).collect();
            let mut differs = same.iter().map(|same| !same);
            values.retain(|_| differs.next().unwrap_or(true));
            let kept = targets.iter().zip(&same).filter(|(_, same)| !**same);
            *targets = kept.map(|(target, _)| *target).collect();
            targets.is_empty()
        }
        _ => false,
    }
}
