//! Phis to copies. First every phi argument gets a register of its own, copied at the end of its
//! predecessor ("conventional SSA"): then a phi and its arguments can all share one name.

use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::ir::Ctx;
use crate::ir::model::{BlockId, RegisterTable, Subroutine};
use crate::ir::op::{OpKind, Register, Source, SourceKind, Value};

use super::names::NameTable;

/// Gives every phi argument a register that nothing else reads. A phi without arguments becomes a
/// copy of nothing. `versions` is scratch for the highest version of each variable.
pub(super) fn isolate(sub: &mut Subroutine, ctx: Ctx<'_, '_>, versions: &mut NameTable<u32>) {
    if sub.phis_in_order().next().is_none() {
        return;
    }
    versions.clear();
    sub.visit_definitions(&mut |register| {
        let version = versions.get_mut(register.name);
        *version = (*version).max(register.version);
    });
    let mut copies: OrderedMap<BlockId, Vec<(Register, Register)>> = OrderedMap::default();
    for block in sub.body.clone() {
        let mut kept = Vec::new();
        for phi in std::mem::take(&mut sub.blocks[block].phis) {
            if sub.phis[phi].args.is_empty() {
                let target = sub.phis[phi].register;
                let source = Source::value(Value::Undefined(target.ty, Loc::NONE));
                let op = sub.make_assign(target.into(), source, Loc::NONE);
                sub.blocks[block].ops.insert(0, op);
                continue;
            }
            for index in 0..sub.phis[phi].args.len() {
                let id = sub.new_register_id();
                let arg = &mut sub.phis[phi].args[index];
                let Register { name, ty, loc, .. } = arg.value;
                let version = versions.get_mut(name);
                *version += 1;
                let own = Register::local(id, name, *version, ty, loc);
                copies.entry(arg.through).or_default().push((own, arg.value));
                arg.value = own;
            }
            kept.push(phi);
        }
        sub.blocks[block].phis = kept;
    }
    for (block, copies) in copies {
        let (targets, sources): (Vec<Register>, Vec<Register>) = copies.into_iter().unzip();
        let source = match sources.as_slice() {
            [source] => Source::value(Value::Register(*source)),
            _ => {
                let ty = ctx.pool.tuple_of(sources.iter().map(|source| source.ty));
                let values = sources.into_iter().map(Value::Register).collect();
                Source { kind: SourceKind::ValueTuple { values, ty }, loc: Loc::NONE }
            }
        };
        let op = sub.make_op(OpKind::Assign { targets: targets.into(), source }, Loc::NONE);
        sub.blocks[block].ops.push(op);
    }
}

/// Gives the arguments of every phi the phi's own register and drops the phi.
pub(super) fn remove(sub: &mut Subroutine, ctx: Ctx<'_, '_>) {
    if sub.phis_in_order().next().is_none() {
        return;
    }
    let mut renamed: RegisterTable<Option<Register>> = sub.register_table(None);
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        for phi in std::mem::take(&mut sub.blocks[block].phis) {
            let phi = &sub.phis[phi];
            for arg in &phi.args {
                renamed[arg.value] = Some(phi.register);
            }
        }
    }
    sub.map_registers(ctx, &mut |register| renamed[register].unwrap_or(register));
}
