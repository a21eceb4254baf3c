//! F-stack allocation: every variable left gets a place on the frame. Spec 30 §11.
//!
//! A variable first stored in an entry block that control enters once is put on the frame by that
//! store; all others get a placeholder before the entry block.

use crate::base::arena::Symbol;
use crate::base::entity::EntitySet;
use crate::base::text;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::session::Session;

use super::lifetimes::VarSet;
use super::model::{
    AvmType, Block, Load, Locals, OpId, OpKind, PreAllocation, Store, Subroutine, TerminatorKind,
    VarId,
};
use super::stack::{Stack, depth};

/// Runs the pass on one subroutine.
pub fn run(ctx: Ctx<'_, '_>, sub: &mut Subroutine) -> Outcome<()> {
    let session = ctx.session;
    let entry = sub.entry();
    let first_stores = first_stores(&sub.body[entry]);
    let mut early = variables(sub);
    for (var, _) in &first_stores {
        early.remove(*var);
    }
    sub.pre_alloc = pre_allocation(session, sub, &early)?;

    let on_entry: Vec<Symbol> = sub.pre_alloc.on_entry().collect();
    let names = first_stores.iter().map(|(var, _)| sub.variables[*var].name);
    let f_stack: Locals = on_entry.iter().copied().chain(names).collect();
    session.sink.debug_with(|| {
        let (name, list) = (session.text(sub.signature.name), list_text(session, &on_entry));
        format!("{name} f-stack entry: {list}")
    });
    session.sink.debug_with(|| {
        let list = list_text(session, &f_stack[on_entry.len()..]);
        format!("{} f-stack on first store: {list}", session.text(sub.signature.name))
    });
    let has_no_x_stack =
        |block: &Block| block.x_stack_in.is_empty() && block.x_stack_out.is_empty();
    if f_stack.is_empty() && sub.body.values().all(has_no_x_stack) {
        // nothing lies below the L-stack, and what lies there was followed before
        return Ok(());
    }
    for (id, block) in sub.body.iter_mut() {
        block.f_stack_in = if id == entry { on_entry.as_slice().into() } else { f_stack.clone() };
        block.f_stack_out = f_stack.clone();
    }

    let inserting: EntitySet<OpId> = first_stores.iter().map(|(_, op)| *op).collect();
    let mut stack = Stack::default();
    for id in sub.body.ids() {
        stack.enter(sub, &sub.body[id]);
        allocate(&mut sub.body[id], &mut stack, &f_stack, &inserting)?;
    }
    Ok(())
}

/// The first store of each variable, where the entry block is not entered again.
fn first_stores(entry: &Block) -> Vec<(VarId, OpId)> {
    let mut stores = Vec::new();
    if entry.predecessors.is_empty() {
        let mut seen = VarSet::new();
        for op in &entry.ops {
            if let Some(local) = op.abstract_store()
                && seen.insert(local.var)
            {
                stores.push((local.var, op.id));
            }
        }
    }
    stores
}

/// Variables without a place.
fn variables(sub: &Subroutine) -> VarSet {
    let ops = sub.body.values().flat_map(|block| &block.ops);
    let locals = ops.filter_map(|op| op.abstract_store().or(op.abstract_load()));
    locals.map(|local| local.var).collect()
}

fn pre_allocation(
    session: &Session<'_>,
    sub: &mut Subroutine,
    variables: &VarSet,
) -> Outcome<PreAllocation> {
    let mut result = PreAllocation::default();
    if variables.is_empty() {
        return Ok(result);
    }
    sub.collect_types();
    for var in variables.iter() {
        let name = sub.variables[var].name;
        match sub.type_of(var) {
            Some(AvmType::Bytes) => result.bytes_vars.push(name),
            Some(AvmType::UInt64) => result.uint64_vars.push(name),
            Some(AvmType::Any) => {
                let message = "Encountered AVM type any on preamble construction";
                return Err(Failure::internal(message, sub.loc));
            }
            None => {
                let message = format!("Undefined register: {}", session.text(name));
                return Err(Failure::internal(message, sub.loc));
            }
        }
    }
    Ok(result)
}

/// Decides the stores and loads of one block.
fn allocate(
    block: &mut Block,
    stack: &mut Stack,
    f_stack: &Locals,
    inserting: &EntitySet<OpId>,
) -> Outcome<()> {
    for op in &mut block.ops {
        let place = |local: Symbol| {
            let place = f_stack.iter().position(|name| *name == local);
            let place = place.filter(|place| *place < stack.f.len());
            place.ok_or_else(|| Failure::internal("local not found in f-stack", op.loc))
        };
        match op.kind {
            OpKind::Store(local, Store::Abstract) => {
                let insert = inserting.contains(op.id);
                let height = stack.fxl_height();
                let depth = if insert {
                    let depth = stack.xl_height().checked_sub(1);
                    depth.ok_or_else(|| Failure::internal("l-stack is empty", op.loc))?
                } else {
                    height - place(local.id)? - 1
                };
                let frame_index = self::depth(height - depth - 1);
                let depth = self::depth(depth);
                op.kind = OpKind::Store(local, Store::F { depth, frame_index, insert });
            }
            OpKind::Load(local, Load::Abstract) => {
                let place = place(local.id)?;
                let (depth, frame_index) = (depth(stack.fxl_height() - place - 1), depth(place));
                op.kind = OpKind::Load(local, Load::F { depth, frame_index });
            }
            _ => {}
        }
        stack.apply(op)?;
    }
    if let TerminatorKind::RetSub { fx_height, .. } = &mut block.terminator.kind {
        *fx_height = depth(stack.f.len() + stack.x.len());
    }
    Ok(())
}

/// Names as Python prints a list of them.
fn list_text(session: &Session<'_>, names: &[Symbol]) -> String {
    let names: Vec<String> = names.iter().map(|name| text::repr(session.text(*name))).collect();
    format!("[{}]", names.join(", "))
}
