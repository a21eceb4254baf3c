//! Random subroutines behave the same before and after allocation: a machine with variables runs the
//! one, a machine with nothing but a stack runs the other, and both must log the same numbers.

use std::rc::Rc;

use crate::avm::ops::AvmOp;
use crate::base::arena::{Arena, Symbol};
use crate::base::entity::{EntityId, PrimaryMap};
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::ir::Ctx;
use crate::ir::pool::Pool;
use crate::mir::model::*;
use crate::mir::{PASSES, text};
use crate::options::CompileOptions;
use crate::session::Session;

const STEPS_MAX: usize = 60;

/// Makes a subroutine whose entry block stores every variable, so that nothing is read unset.
struct Maker<'a, 's> {
    session: &'a Session<'s>,
    random: fastrand::Rng,
    vars: Vec<Local>,
    op_count: u32,
    next_number: u64,
}

impl Maker<'_, '_> {
    fn op(&mut self, ops: &mut Vec<Op>, kind: OpKind, produces: Names) {
        ops.push(Op { id: next_op_id(&mut self.op_count), kind, produces, loc: Loc::NONE });
    }
    fn number(&mut self, ops: &mut Vec<Op>) {
        self.next_number += 1;
        let name = self.session.sym(&self.next_number.to_string());
        self.op(ops, OpKind::Int(IntValue::Number(self.next_number)), Names::One(name));
    }
    fn store(&mut self, ops: &mut Vec<Op>, local: Local) {
        self.op(ops, OpKind::Store(local, Store::Abstract), Names::None);
    }
    fn load(&mut self, ops: &mut Vec<Op>) {
        let local = self.vars[self.random.usize(..self.vars.len())];
        self.op(ops, OpKind::Load(local, Load::Abstract), Names::One(local.id));
    }
    fn log(&mut self, ops: &mut Vec<Op>) {
        let kind = OpKind::Intrinsic(Rc::new(Intrinsic {
            op: AvmOp::Log,
            immediates: Vec::new(),
            error_message: None,
            consumes: 1,
            produces: 0,
            is_short_arg: false,
        }));
        self.op(ops, kind, Names::None);
    }
    fn statement(&mut self, ops: &mut Vec<Op>) {
        match self.random.u8(..4) {
            0 => {
                self.load(ops);
                self.log(ops);
            }
            1 => {
                self.load(ops);
                let local = self.vars[self.random.usize(..self.vars.len())];
                self.store(ops, local);
            }
            2 => {
                self.number(ops);
                let local = self.vars[self.random.usize(..self.vars.len())];
                self.store(ops, local);
            }
            _ => {
                self.load(ops);
                self.load(ops);
                self.number(ops);
                for _ in 0..3 {
                    self.log(ops);
                }
            }
        }
    }
    fn subroutine(&mut self) -> Subroutine {
        let blocks = self.random.usize(2..9);
        let mut body = PrimaryMap::new();
        for index in 0..blocks {
            let mut ops = Vec::new();
            if index == 0 {
                for local in self.vars.clone() {
                    self.number(&mut ops);
                    self.store(&mut ops, local);
                }
            }
            for _ in 0..self.random.usize(0..6) {
                self.statement(&mut ops);
            }
            // control never comes back to the entry block
            let target = |random: &mut fastrand::Rng| BlockId::new(random.usize(1..blocks));
            let kind = match self.random.u8(..6) {
                0 => TerminatorKind::Err { error_message: None, explicit: false },
                1 => {
                    self.load(&mut ops);
                    TerminatorKind::RetSub { returns: 1, fx_height: 0 }
                }
                2 | 3 => TerminatorKind::Goto(target(&mut self.random)),
                _ => {
                    self.number(&mut ops);
                    let zero = target(&mut self.random);
                    let nonzero = target(&mut self.random);
                    TerminatorKind::ConditionalBranch { zero, nonzero }
                }
            };
            let id = next_op_id(&mut self.op_count);
            body.push(Block {
                number: u32::try_from(index).expect("few blocks"),
                name: self.session.sym(&format!("f_block@{index}")),
                ops,
                terminator: Terminator { id, kind, loc: Loc::NONE },
                predecessors: Vec::new(),
                loc: Loc::NONE,
                x_stack_in: Rc::default(),
                x_stack_out: Rc::default(),
                f_stack_in: Rc::default(),
                f_stack_out: Rc::default(),
            });
        }
        let edges: Vec<(BlockId, BlockId)> = body
            .iter()
            .flat_map(|(from, block): (BlockId, &Block)| {
                block.terminator.targets().map(move |to| (from, to)).collect::<Vec<_>>()
            })
            .collect();
        for (from, to) in edges {
            if !body[to].predecessors.contains(&from) {
                body[to].predecessors.push(from);
            }
        }
        let name = self.session.sym("f");
        let signature = Signature { name, parameters: Vec::new(), returns: vec![AvmType::UInt64] };
        let mut variables = Variables::new();
        for local in &self.vars {
            variables.push(Variable::new(local.id));
        }
        Subroutine {
            id: name,
            is_main: false,
            signature,
            body,
            pre_alloc: PreAllocation::default(),
            loc: Loc::NONE,
            op_count: self.op_count,
            variables,
            types: None,
            lifetimes: None,
        }
    }
}

/// Runs along a path chosen by `seed` and returns what is logged. With abstract operations variables
/// live in a map, otherwise on the one stack.
fn run(sub: &Subroutine, seed: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut logged = Vec::new();
    let mut stack: Vec<u64> = vec![0; sub.pre_alloc.len()];
    let mut variables: LookupMap<Symbol, u64> = LookupMap::new();
    let mut block = sub.entry();
    for _ in 0..STEPS_MAX {
        for op in &sub.body[block].ops {
            step(op, &mut stack, &mut variables, &mut logged);
        }
        // the same choices for both machines: each branch draws once
        let choice = random.bool();
        match &sub.body[block].terminator.kind {
            TerminatorKind::Goto(target) => block = *target,
            TerminatorKind::ConditionalBranch { zero, nonzero } => {
                logged.extend(stack.pop());
                block = if choice { *zero } else { *nonzero };
            }
            TerminatorKind::RetSub { .. } => {
                logged.extend(stack.pop());
                return logged;
            }
            _ => return logged,
        }
    }
    logged
}

fn step(
    op: &Op,
    stack: &mut Vec<u64>,
    variables: &mut LookupMap<Symbol, u64>,
    logged: &mut Vec<u64>,
) {
    let top = stack.len();
    let at = |depth: u32| top - 1 - depth as usize;
    let fetch = |stack: &mut Vec<u64>, depth: u32, copy: bool| {
        let value = if copy { stack[at(depth)] } else { stack.remove(at(depth)) };
        stack.push(value);
    };
    match op.kind {
        OpKind::Int(IntValue::Number(number)) => stack.push(number),
        OpKind::Intrinsic(_) => logged.extend(stack.pop()),
        OpKind::Pop(count) => stack.truncate(top - count as usize),
        OpKind::Store(local, store) => {
            let value = stack.pop().expect("a value to store");
            match store {
                Store::Abstract => drop(variables.insert(local.id, value)),
                Store::L { depth, copy } => {
                    stack.insert(at(depth), value);
                    if copy {
                        stack.push(value);
                    }
                }
                Store::X { depth } | Store::F { depth, insert: true, .. } => {
                    stack.insert(at(depth), value);
                }
                Store::F { depth, frame_index, insert: false } => {
                    assert_eq!(at(depth), frame_index as usize);
                    stack[at(depth)] = value;
                }
                Store::Param { .. } => unreachable!("there are no parameters"),
            }
        }
        OpKind::Load(local, load) => match load {
            Load::Abstract => stack.push(*variables.get(&local.id).expect("stored before")),
            Load::L { depth, copy } => fetch(stack, depth.expect("known by now"), copy),
            Load::X { depth, copy } => fetch(stack, depth, copy),
            Load::F { depth, frame_index } => {
                assert_eq!(at(depth), frame_index as usize);
                fetch(stack, depth, true);
            }
            Load::Param { .. } => unreachable!("there are no parameters"),
        },
        _ => unreachable!("not made here"),
    }
}

#[test]
fn allocation_keeps_the_meaning() {
    for seed in 0..400 {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let pool = Pool::new(&arena);
        let level = i64::try_from(seed % 2).expect("0 or 1");
        let options = CompileOptions { optimization_level: level, ..CompileOptions::default() };
        let ctx = Ctx { session: &session, pool: &pool, options: &options };
        let mut random = fastrand::Rng::with_seed(seed);
        let vars = (0..random.usize(1..6))
            .map(|n| Local {
                id: session.sym(&format!("v{n}#0")),
                var: VarId::new(n),
                atype: AvmType::UInt64,
            })
            .collect();
        let mut maker = Maker { session: &session, random, vars, op_count: 0, next_number: 0 };
        let mut sub = maker.subroutine();
        let before = run(&sub, seed);
        for pass in PASSES.iter().filter(|pass| pass.level <= level) {
            if let Err(failure) = (pass.run)(ctx, &mut sub) {
                panic!("seed {seed}, {}: {failure:?}", pass.name);
            }
        }
        assert_eq!(run(&sub, seed), before, "seed {seed}");
        let ops = sub.body.values().flat_map(|block| &block.ops);
        let left: Vec<String> = ops
            .filter(|op| op.abstract_store().is_some() || op.abstract_load().is_some())
            .map(|op| text::op_text(&session, op))
            .collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}
