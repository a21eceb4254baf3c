//! Replaces calls by the body of the function called: those the round's [`InliningPlan`] names, and on
//! level 2 calls with constant arguments of functions that only compute a value. Spec 22 §4.2.
//!
//! The host block is split after the call. It keeps what comes before, assigns the parameters and goes
//! to a copy of the callee's blocks, whose returns go to the rest. Registers of the copy get versions
//! the host does not use. Copied blocks are not searched for further calls in the same round. The last
//! call of a function gets its body, and not a copy.
//!
//! [`InliningPlan`]: super::inlining_plan::InliningPlan

use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, SecondaryMap};
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::{BasicBlock, BlockId, OpId, Phi, PhiArg, PhiId, Program, Subroutine};
use crate::ir::op::{
    Constant, Op, OpKind, Register, RegisterId, RegisterRole, Source, SourceKind, Terminator,
    TerminatorKind, Value,
};
use crate::ir::pool::SubId;
use crate::ir::targets::Targets;
use crate::ir::{Ctx, verify};

use super::PassCtx;
use super::inlining_plan::InliningPlan;
use super::remaining_calls::RemainingCalls;

/// More blocks than any program that fits the chain has. Functions that call each other and are all to
/// be inlined can double a function in every round; the reference then does not end either.
const BLOCKS_MAX: usize = 1 << 14;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let host = sub.header(ctx.ir.pool).id;
    if !(ctx.plan.has_calls(host) || ctx.ir.options.optimization_level >= 2) {
        return Ok(false);
    }
    let versions = &mut *ctx.versions.borrow_mut();
    versions.clear();
    let mut inliner =
        Inliner { ctx, next_number: sub.next_block_number(), versions, knows_versions: false };
    let mut changed = false;
    // PARITY: the last block first; the rest of a split block right after it
    let mut pending: Vec<(usize, BlockId)> = sub.body.iter().copied().enumerate().collect();
    while let Some((index, block)) = pending.pop() {
        let call = sub.blocks[block].ops.iter().position(|op| {
            let invoke = sub.ops[*op].invoke();
            invoke.is_some_and(|invoke| is_wanted(host, invoke.target, &invoke.args, ctx))
        });
        let Some(place) = call else { continue };
        let blocks = inliner.inline(sub, block, place)?;
        let rest = *blocks.last().expect("the rest of the host block is among the new blocks");
        pending.push((index + blocks.len(), rest));
        sub.body.splice(index + 1..index + 1, blocks);
        changed = true;
        if sub.body.len() > BLOCKS_MAX {
            let name = ctx.ir.session.text(host);
            return Err(Failure::code(
                format!(
                    "inlining into {name} does not end: functions to be inlined call each other"
                ),
                sub.loc,
            ));
        }
    }
    Ok(changed)
}

fn is_wanted(host: Symbol, target: SubId, args: &[Value], ctx: &PassCtx<'_, '_>) -> bool {
    let callee = ctx.ir.pool.header(target).id;
    if ctx.plan.contains(host, callee) {
        return true;
    }
    ctx.ir.options.optimization_level >= 2
        && args.iter().all(|arg| matches!(arg, Value::Constant(..)))
        && ctx.others.get(target).is_some_and(|sub| {
            sub.inline.is_none() && {
                let mut known = ctx.plan.constant_functions.borrow_mut();
                *known.get_or_insert_with(callee, || computes_only(sub, ctx))
            }
        })
}

/// Whether a function's results depend on its arguments alone, and are found without a loop.
fn computes_only(sub: &Subroutine, ctx: &PassCtx<'_, '_>) -> bool {
    let mut constant = true;
    let mut check = |value: &Value| {
        constant &= !matches!(
            value,
            Value::TemplateVar { .. }
                | Value::Compiled(..)
                | Value::Constant(Constant::Itxn { .. }, _)
        );
    };
    for block in &sub.body {
        for op in &sub.blocks[*block].ops {
            let op = &sub.ops[*op];
            let forbidden = op.invoke().is_some()
                || op.intrinsic().is_some_and(|op| !op.op.is_compile_time_constant())
                || matches!(
                    &op.kind,
                    OpKind::Assign {
                        source: Source { kind: SourceKind::InnerTransactionField { .. }, .. },
                        ..
                    }
                );
            if forbidden {
                return false;
            }
            op.visit_reads(ctx.ir.pool, &mut check);
        }
        sub.blocks[*block].terminator().visit_reads(ctx.ir.pool, &mut check);
    }
    constant && !has_cycle(sub)
}

/// Whether the entry leads to a cycle of blocks.
fn has_cycle(sub: &Subroutine) -> bool {
    #[derive(Clone, Copy, Default, PartialEq)]
    enum State {
        #[default]
        New,
        Open,
        Done,
    }
    let mut states: SecondaryMap<BlockId, State> = SecondaryMap::new();
    let mut stack = vec![(sub.entry(), sub.blocks[sub.entry()].successors())];
    states[sub.entry()] = State::Open;
    while let Some((block, rest)) = stack.last_mut() {
        match rest.pop() {
            Some(next) => match states[next] {
                State::Open => return true,
                State::Done => {}
                State::New => {
                    states[next] = State::Open;
                    stack.push((next, sub.blocks[next].successors()));
                }
            },
            None => {
                states[*block] = State::Done;
                stack.pop();
            }
        }
    }
    false
}

/// A function of which one host has all calls that are left, all of them to be inlined.
pub(super) struct LastCalled {
    function: Subroutine,
    /// How many calls are not inlined yet.
    calls: u32,
}

/// Takes the bodies of functions that the inlining of this round into one host leaves without a call.
pub(super) fn take_last_called(
    program: &mut Program,
    host: usize,
    plan: &InliningPlan,
    remaining: &RemainingCalls<'_>,
    ctx: Ctx<'_, '_>,
) -> Vec<LastCalled> {
    let mut taken = Vec::new();
    let sub = match host.checked_sub(1) {
        None => &program.main,
        Some(place) => &program.subroutines[place],
    };
    let name = sub.header(ctx.pool).id;
    if !plan.has_calls(name) {
        return taken;
    }
    let targets = &sub.needs().calls;
    let mut places: Vec<(usize, u32)> = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if targets[..index].contains(target)
            || !plan.contains(name, ctx.pool.header(*target).id)
            || *target == sub.id
        {
            continue;
        }
        let calls = targets[index..].iter().map(|other| u32::from(other == target)).sum();
        places
            .extend(remaining.goes_with(calls, *target, program, ctx).map(|place| (place, calls)));
    }
    for (place, calls) in places {
        let function = &mut program.subroutines[place];
        // what is left of it still says what it called
        let mut rest = Subroutine::new(function.id, function.loc, Vec::new(), Few::None);
        rest.memo = function.memo.clone();
        taken.push(LastCalled { function: std::mem::replace(function, rest), calls });
    }
    taken
}

/// Where the body of a callee comes from.
enum Callee<'a> {
    /// It has other calls.
    Kept(&'a Subroutine),
    /// This is its last call.
    Taken(Subroutine),
}

impl Callee<'_> {
    fn sub(&self) -> &Subroutine {
        match self {
            Callee::Kept(sub) => sub,
            Callee::Taken(sub) => sub,
        }
    }
    /// An operation, once.
    fn op(&mut self, op: OpId) -> Op {
        match self {
            Callee::Kept(sub) => sub.ops[op].clone(),
            Callee::Taken(sub) => take(&mut sub.ops[op]),
        }
    }
    /// The arguments of a phi, once.
    fn phi_args(&mut self, phi: PhiId) -> Vec<PhiArg> {
        match self {
            Callee::Kept(sub) => sub.phis[phi].args.clone(),
            Callee::Taken(sub) => std::mem::take(&mut sub.phis[phi].args),
        }
    }
    /// How a block ends, once.
    fn terminator(&mut self, block: BlockId) -> Terminator {
        match self {
            Callee::Kept(sub) => sub.blocks[block].terminator().clone(),
            Callee::Taken(sub) => {
                let terminator = sub.blocks[block].terminator.take();
                terminator.expect("a finished block has a terminator")
            }
        }
    }
}

/// An operation of which only the place is left.
fn take(op: &mut Op) -> Op {
    let slot = Value::uint64(0, Loc::NONE);
    let kind = OpKind::WriteSlot { slot, value: slot };
    std::mem::replace(op, Op { kind, loc: Loc::NONE })
}

/// First version of each name that a host does not use: a table over all names.
#[derive(Default)]
pub(super) struct Versions {
    /// The id in the host of the callee's first register.
    first_id: usize,
    unused: SecondaryMap<Symbol, u32>,
    /// The names that have an entry.
    names: Vec<Symbol>,
}

impl Versions {
    fn clear(&mut self) {
        for name in self.names.drain(..) {
            self.unused[name] = 0;
        }
    }
    fn first_unused(&self, name: Symbol) -> u32 {
        self.unused[name]
    }
    fn use_up(&mut self, register: Register) {
        let unused = &mut self.unused[register.name];
        if *unused == 0 {
            self.names.push(register.name);
        }
        *unused = (*unused).max(register.version + 1);
    }
    /// A register of the callee as it stands in the host.
    fn shifted(&self, register: Register) -> Register {
        let id = RegisterId::new(self.first_id + register.id.index());
        let version = register.version + self.first_unused(register.name);
        Register { id, version, role: RegisterRole::Local, ..register }
    }
}

/// What is kept between the calls inlined into one host.
struct Inliner<'c, 'a, 's> {
    ctx: &'c PassCtx<'a, 's>,
    /// Number of the next new block.
    next_number: u32,
    versions: &'c mut Versions,
    /// Whether the versions of the host were looked up.
    knows_versions: bool,
}

impl Inliner<'_, '_, '_> {
    /// Inlines the call at a place of a block. Returns the new blocks in order, the rest of the host
    /// block last.
    fn inline(
        &mut self,
        sub: &mut Subroutine,
        block: BlockId,
        place: usize,
    ) -> Outcome<Vec<BlockId>> {
        // the targets of the call count as in use, so before the call is taken out
        if !std::mem::replace(&mut self.knows_versions, true) {
            sub.visit_definitions(&mut |register| self.versions.use_up(register));
        }
        let mut rest_ops = sub.blocks[block].ops.split_off(place);
        let call_op = rest_ops.remove(0);
        let Op { kind, loc: op_loc } = take(&mut sub.ops[call_op]);
        let (targets, invoke, call_loc) = match kind {
            OpKind::Assign {
                targets,
                source: Source { kind: SourceKind::Invoke(invoke), loc },
            } => (targets, invoke, loc),
            OpKind::Invoke(invoke) => (Targets::NONE, invoke, op_loc),
            _ => unreachable!("asked only for calls"),
        };
        let last_called = &mut *self.ctx.last_called.borrow_mut();
        let taken = last_called.iter().position(|taken| taken.function.id == invoke.target);
        let callee = match taken {
            Some(place) if last_called[place].calls == 1 => {
                Callee::Taken(last_called.swap_remove(place).function)
            }
            Some(place) => {
                last_called[place].calls -= 1;
                Callee::Kept(&last_called[place].function)
            }
            None => Callee::Kept(self.ctx.others.get(invoke.target).ok_or_else(|| {
                Failure::internal("auto recursive blocks should already be filtered out", call_loc)
            })?),
        };
        let callee_id = callee.sub().header(self.ctx.ir.pool).id;
        self.versions.first_id = sub.registers as usize;
        sub.registers += callee.sub().registers;
        let mut defined: Vec<Register> = Vec::new();
        if invoke.args.len() != callee.sub().parameters.len() {
            return Err(Failure::internal("call with a wrong number of arguments", call_loc));
        }
        for (place, parameter) in callee.sub().parameters.iter().enumerate() {
            let register = self.versions.shifted(*parameter);
            // parameters of one name have one id, that of the first
            if parameter.id.index() != place {
                return Err(verify::assigned_again(self.ctx.ir, register));
            }
            defined.push(register);
        }
        let mut blocks = self.copy_body(sub, callee, &mut defined);

        let terminator = sub.blocks[block].terminator.take();
        let terminator = terminator.expect("a finished block has a terminator");
        let successors = terminator.unique_targets();
        for successor in &successors {
            sub.blocks[*successor].discard_predecessor(block);
        }
        let goto = |target| Terminator { kind: TerminatorKind::Goto(target), loc: call_loc };
        let entry = blocks[0];
        sub.blocks[block].terminator = Some(goto(entry));
        sub.blocks[entry].add_predecessor(block);
        for phi in std::mem::take(&mut sub.blocks[entry].phis) {
            let register = sub.phis[phi].register;
            let source = Source::value(Value::Undefined(register.ty, Loc::NONE));
            let op = sub.make_assign(register.into(), source, Loc::NONE);
            sub.blocks[entry].ops.insert(0, op);
        }
        for (arg, parameter) in invoke.args.iter().zip(&defined) {
            let op = sub.make_assign((*parameter).into(), Source::value(*arg), arg.loc());
            sub.blocks[block].ops.push(op);
        }

        let rest = sub.blocks.push(BasicBlock {
            number: Some(self.take_number()),
            ops: rest_ops,
            terminator: Some(terminator),
            ..BasicBlock::new(
                sub.blocks[block].loc,
                None,
                Some(
                    self.ctx
                        .ir
                        .session
                        .sym_joined(&["after_inlined_", self.ctx.ir.text(callee_id)]),
                ),
            )
        });
        for successor in successors {
            for phi in &sub.blocks[successor].phis {
                for arg in &mut sub.phis[*phi].args {
                    if arg.through == block {
                        arg.through = rest;
                    }
                }
            }
            sub.blocks[successor].add_predecessor(rest);
        }
        let mut returns: Vec<(BlockId, Vec<Value>)> = Vec::new();
        for copied in &blocks {
            let terminator = sub.blocks[*copied].terminator_mut();
            if let TerminatorKind::Return(values) = &mut terminator.kind {
                returns.push((*copied, std::mem::take(values)));
                *terminator = goto(rest);
                sub.blocks[rest].add_predecessor(*copied);
            }
        }
        self.assign_results(sub, rest, returns, (callee_id, targets), &mut defined)?;
        defined.iter().for_each(|register| self.versions.use_up(*register));
        blocks.push(rest);
        Ok(blocks)
    }

    /// Hands the values of the copied returns to the targets of the call.
    fn assign_results(
        &self,
        sub: &mut Subroutine,
        rest: BlockId,
        returns: Vec<(BlockId, Vec<Value>)>,
        (callee_id, targets): (Symbol, Targets),
        defined: &mut Vec<Register>,
    ) -> Outcome<()> {
        if targets.is_empty() {
            return Ok(());
        }
        if returns.iter().any(|(_, values)| values.len() != targets.len()) {
            return Err(Failure::internal("return with a wrong number of values", Loc::NONE));
        }
        let pool = self.ctx.ir.pool;
        match returns.len() {
            0 => {
                let values = targets.iter().map(|target| Value::Undefined(target.ty, Loc::NONE));
                let source = Source::tuple(pool, values.collect(), Loc::NONE);
                let op = sub.make_assign(targets, source, Loc::NONE);
                sub.blocks[rest].ops.insert(0, op);
            }
            1 => {
                for (block, values) in returns {
                    let source = Source::tuple(pool, values, Loc::NONE);
                    let op = sub.make_assign(targets.clone(), source, Loc::NONE);
                    sub.blocks[block].ops.push(op);
                }
            }
            _ => {
                let mut phis: Vec<Phi> = targets
                    .iter()
                    .map(|target| Phi { register: *target, args: Vec::new() })
                    .collect();
                let symbols = &self.ctx.ir.session.symbols;
                let names = || (0..).map(|index| symbols.numbered(callee_id, index));
                for (version, (block, values)) in (0u32..).zip(returns) {
                    for ((value, phi), name) in values.into_iter().zip(&mut phis).zip(names()) {
                        let register = match value {
                            Value::Register(register) => register,
                            value => {
                                let offset = self.versions.first_unused(name);
                                let register = Register::local(
                                    sub.new_register_id(),
                                    name,
                                    version + offset,
                                    value.ty(pool),
                                    value.loc(),
                                );
                                defined.push(register);
                                let source = Source::value(value);
                                let op = sub.make_assign(register.into(), source, value.loc());
                                sub.blocks[block].ops.push(op);
                                register
                            }
                        };
                        phi.args.push(PhiArg { value: register, through: block });
                    }
                }
                let phis: Vec<_> = phis.into_iter().map(|phi| sub.phis.push(phi)).collect();
                sub.blocks[rest].phis = phis;
            }
        }
        Ok(())
    }

    /// Puts the blocks of a function into the host, with registers of their own.
    fn copy_body(
        &mut self,
        sub: &mut Subroutine,
        mut callee: Callee<'_>,
        defined: &mut Vec<Register>,
    ) -> Vec<BlockId> {
        let mut copies: SecondaryMap<BlockId, Option<BlockId>> = SecondaryMap::new();
        let mut blocks = Vec::with_capacity(callee.sub().body.len() + 1);
        // the rest of the host block, arguments and results come too
        sub.blocks.reserve(callee.sub().body.len() + 1);
        sub.ops.reserve(callee.sub().op_count() + callee.sub().parameters.len() + 1);
        for block in &callee.sub().body {
            let original = &callee.sub().blocks[*block];
            let copy = sub.blocks.push(BasicBlock {
                number: Some(self.take_number()),
                ..BasicBlock::new(original.loc, original.label, original.comment)
            });
            copies[*block] = Some(copy);
            blocks.push(copy);
        }
        let copy_of = |block: BlockId| copies[block].expect("edges stay inside the body");
        let pool = self.ctx.ir.pool;
        let versions = &*self.versions;
        let mut shift = |value: Value| match value {
            Value::Register(register) => Value::Register(versions.shifted(register)),
            other => other,
        };
        for (index, copy) in blocks.iter().enumerate() {
            let block = callee.sub().body[index];
            let mut phis = callee.sub().blocks[block].phis.clone();
            for phi in &mut phis {
                let register = versions.shifted(callee.sub().phis[*phi].register);
                defined.push(register);
                let mut args = callee.phi_args(*phi);
                for arg in &mut args {
                    arg.value = versions.shifted(arg.value);
                    arg.through = copy_of(arg.through);
                }
                *phi = sub.phis.push(Phi { register, args });
            }
            let mut ops = callee.sub().blocks[block].ops.clone();
            for op in &mut ops {
                let mut copied = callee.op(*op);
                if let OpKind::Assign { targets, .. } = &mut copied.kind {
                    for target in targets {
                        *target = versions.shifted(*target);
                        defined.push(*target);
                    }
                }
                copied.map_reads(pool, &mut shift);
                *op = sub.ops.push(copied);
            }
            let mut terminator = callee.terminator(block);
            terminator.for_each_target_mut(&mut |target| *target = copy_of(*target));
            let predecessors = &callee.sub().blocks[block].predecessors;
            let predecessors = predecessors.iter().map(|block| copy_of(*block)).collect();
            let copied = &mut sub.blocks[*copy];
            (copied.phis, copied.ops) = (phis, ops);
            (copied.terminator, copied.predecessors) = (Some(terminator), predecessors);
            sub.map_terminator_reads(self.ctx.ir, *copy, &mut shift);
        }
        blocks
    }

    fn take_number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number - 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_at};

    #[test]
    fn the_host_is_split_and_registers_are_renamed() {
        check_at(
            1,
            "perform_subroutine_inlining",
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let y#0: uint64 = f(x#0)
                    exit y#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    goto x#0 ? block@1 : block@2
                block@1: // L3
                    let y#0: uint64 = (+ x#0 1u)
                    return y#0
                block@2: // L4
                    return 7u
            "#,
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let x#1: uint64 = x#0
                    goto block@1
                block@1: // L2
                    goto x#1 ? block@2 : block@3
                block@2: // L3
                    let y#1: uint64 = (+ x#1 1u)
                    goto block@4
                block@3: // L4
                    let f%0#1: uint64 = 7u
                    goto block@4
                block@4: // after_inlined_f_L1
                    let y#0: uint64 = φ(y#1 <- block@2, f%0#1 <- block@3)
                    exit y#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    goto x#0 ? block@1 : block@2
                block@1: // L3
                    let y#0: uint64 = (+ x#0 1u)
                    return y#0
                block@2: // L4
                    return 7u
            "#,
        );
    }

    #[test]
    fn a_call_of_a_constant_function_is_inlined_on_level_two() {
        check(
            "perform_subroutine_inlining",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f(1u)
                    let b#0: uint64 = (txn Fee)
                    let c#0: uint64 = f(b#0)
                    let d#0: uint64 = g(1u)
                    let e#0: uint64 = g(1u)
                    exit a#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    let y#0: uint64 = (* x#0 2u)
                    let z#0: uint64 = (* y#0 2u)
                    let w#0: uint64 = (* z#0 2u)
                    (assert w#0)
                    return w#0

            subroutine g(x: uint64) -> uint64:
                block@0: // L3
                    let y#0: uint64 = (txn Fee)
                    let z#0: uint64 = (* y#0 2u)
                    let w#0: uint64 = (* z#0 2u)
                    (assert w#0)
                    return w#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = 1u
                    goto block@1
                block@1: // L2
                    let y#0: uint64 = (* x#0 2u)
                    let z#0: uint64 = (* y#0 2u)
                    let w#0: uint64 = (* z#0 2u)
                    (assert w#0)
                    let a#0: uint64 = (w#0)
                    goto block@2
                block@2: // after_inlined_f_L1
                    let b#0: uint64 = (txn Fee)
                    let c#0: uint64 = f(b#0)
                    let d#0: uint64 = g(1u)
                    let e#0: uint64 = g(1u)
                    exit a#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    let y#0: uint64 = (* x#0 2u)
                    let z#0: uint64 = (* y#0 2u)
                    let w#0: uint64 = (* z#0 2u)
                    (assert w#0)
                    return w#0

            subroutine g(x: uint64) -> uint64:
                block@0: // L3
                    let y#0: uint64 = (txn Fee)
                    let z#0: uint64 = (* y#0 2u)
                    let w#0: uint64 = (* z#0 2u)
                    (assert w#0)
                    return w#0
            "#,
        );
    }
}
