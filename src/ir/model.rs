//! Programs, subroutines and basic blocks. Spec 20 §10 to §12.
//!
//! A [`Subroutine`] owns its blocks, phis and operations in tables; block order, operation order and
//! phi order are lists of ids beside them, so removing something only takes it off its list, and a
//! clone keeps every id valid.

use std::cell::OnceCell;
use std::ops::{Index, IndexMut};

use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet, PrimaryMap};
use crate::base::few::Few;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::define_id;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::{ContractMetadata, LogicSigMetadata};

use super::Ctx;
use super::kinds::Kinds;
use super::op::{
    Op, OpKind, Register, RegisterId, Source, SourceKind, Terminator, TerminatorKind, Value,
};
use super::pool::{Header, Pool, SubId};
use super::targets::Targets;
use super::types::IrType;

define_id!(
    /// A block of a subroutine. Dumps print [`BasicBlock::number`], not this id.
    pub struct BlockId, "b"
);
define_id!(
    /// An operation of a subroutine; its identity for as long as the subroutine lives.
    pub struct OpId, "op"
);
define_id!(
    /// A phi of a subroutine.
    pub struct PhiId, "phi"
);

/// One argument of a phi: the register that holds the value when control comes from a block.
#[derive(Clone, Copy, Debug)]
pub struct PhiArg {
    /// The register.
    pub value: Register,
    /// The predecessor.
    pub through: BlockId,
}

/// Defines a register by where control came from.
#[derive(Clone, Debug)]
pub struct Phi {
    /// The register defined.
    pub register: Register,
    /// One argument per predecessor; none at all for a variable that is undefined here.
    pub args: Vec<PhiArg>,
}

/// Straight-line code with one terminator.
#[derive(Clone, Debug)]
pub struct BasicBlock {
    /// Where its source stands.
    pub loc: Loc,
    /// The number dumps and block names show; none until the block becomes part of a body.
    pub number: Option<u32>,
    /// Name of a jump target in the source.
    pub label: Option<Symbol>,
    /// What the block is for.
    pub comment: Option<Symbol>,
    /// Phis in order.
    pub phis: Vec<PhiId>,
    /// Operations in order.
    pub ops: Vec<OpId>,
    /// None only while the block is being built.
    pub terminator: Option<Terminator>,
    /// The blocks that may come before, each once. The order is significant: it decides the order of
    /// phi arguments and of retargeting.
    pub predecessors: Vec<BlockId>,
}

impl BasicBlock {
    /// An empty block without a number.
    pub fn new(loc: Loc, label: Option<Symbol>, comment: Option<Symbol>) -> Self {
        Self {
            loc,
            number: None,
            label,
            comment,
            phis: Vec::new(),
            ops: Vec::new(),
            terminator: None,
            predecessors: Vec::new(),
        }
    }
    /// Adds a predecessor at the end; one that is there keeps its place.
    pub fn add_predecessor(&mut self, block: BlockId) {
        if !self.predecessors.contains(&block) {
            self.predecessors.push(block);
        }
    }
    /// Takes a predecessor off the list and leaves the phis alone; true when it was there.
    pub fn discard_predecessor(&mut self, block: BlockId) -> bool {
        let place = self.predecessors.iter().position(|predecessor| *predecessor == block);
        place.is_some_and(|place| {
            self.predecessors.remove(place);
            true
        })
    }
    /// The terminator of a finished block.
    pub fn terminator(&self) -> &Terminator {
        self.terminator.as_ref().expect("a finished block has a terminator")
    }
    /// The terminator of a finished block, mutable.
    pub fn terminator_mut(&mut self) -> &mut Terminator {
        self.terminator.as_mut().expect("a finished block has a terminator")
    }
    /// The blocks that may come next, each once, in first-mention order.
    pub fn successors(&self) -> Few<BlockId> {
        self.terminator.as_ref().map_or(Few::None, Terminator::unique_targets)
    }
}

/// Something that reads or defines registers, by identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// A phi.
    Phi(PhiId),
    /// An operation.
    Op(OpId),
    /// The terminator of a block.
    Terminator(BlockId),
}

/// What of the rest of its program a body needs.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Targets of its calls, in body order, repeats included.
    pub calls: Vec<SubId>,
    /// Whether it reads elements of aggregates.
    pub extracts: bool,
    /// Whether it replaces elements.
    pub replaces: bool,
    /// Whether it takes elements off arrays.
    pub pops: bool,
    /// Whether it appends elements.
    pub concats: bool,
}

impl Needs {
    fn add(&mut self, op: &OpKind) {
        match op {
            OpKind::Invoke(invoke) => self.calls.push(invoke.target),
            OpKind::Assign { source, .. } => match &source.kind {
                SourceKind::Invoke(invoke) => self.calls.push(invoke.target),
                SourceKind::ExtractValue { .. } => self.extracts = true,
                SourceKind::ReplaceValue { .. } => self.replaces = true,
                SourceKind::ArrayPop { .. } => self.pops = true,
                SourceKind::ArrayConcat { .. } => self.concats = true,
                _ => {}
            },
            _ => {}
        }
    }
}

/// What is known of a body until it changes; [`Subroutine::touch`] forgets it.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// Rows of the optimiser's table that would leave the body as it is, as a bit set.
    pub settled: u32,
    /// Whether the invariants of SSA form hold and there was nothing to report.
    pub verified: bool,
    needs: OnceCell<Needs>,
    kinds: Option<Kinds>,
}

/// One fact for each register that a subroutine had when the table was made.
#[derive(Clone, Debug)]
pub struct RegisterTable<T> {
    entries: Vec<T>,
}

impl<T> Index<Register> for RegisterTable<T> {
    type Output = T;
    #[inline]
    fn index(&self, register: Register) -> &T {
        &self[register.id]
    }
}

impl<T> IndexMut<Register> for RegisterTable<T> {
    #[inline]
    fn index_mut(&mut self, register: Register) -> &mut T {
        &mut self[register.id]
    }
}

impl<T> Index<RegisterId> for RegisterTable<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: RegisterId) -> &T {
        &self.entries[id.index()]
    }
}

impl<T> IndexMut<RegisterId> for RegisterTable<T> {
    #[inline]
    fn index_mut(&mut self, id: RegisterId) -> &mut T {
        &mut self.entries[id.index()]
    }
}

/// A function in SSA form (until it is destructured).
#[derive(Clone, Debug)]
pub struct Subroutine {
    /// What callers know of it; [`Pool::header`].
    pub id: SubId,
    /// Where its source stands.
    pub loc: Loc,
    /// Parameters, version 0 each.
    pub parameters: Vec<Register>,
    /// Explicit results; implicit ones follow from the parameters.
    pub returns: Few<IrType>,
    /// Whether calls must be, must not be, or may be inlined.
    pub inline: Option<bool>,
    /// Whether it only decodes arguments for a method and encodes its result.
    pub is_routing_wrapper: bool,
    /// Blocks in order, the entry first; empty when the body could not be built.
    pub body: Vec<BlockId>,
    /// All blocks ever made.
    pub blocks: PrimaryMap<BlockId, BasicBlock>,
    /// All phis ever made.
    pub phis: PrimaryMap<PhiId, Phi>,
    /// All operations ever made.
    pub ops: PrimaryMap<OpId, Op>,
    /// How many registers were ever made.
    pub registers: u32,
    /// How many operations nothing needs were left out when the body was built. They count as long as
    /// it would have them: until unused variables are removed for the first time.
    pub left_out: usize,
    /// What the optimiser found out about the body.
    pub memo: Memo,
}

impl Subroutine {
    /// A subroutine without a body. The parameters have the first ids: each that of its place, or of the
    /// first one it equals.
    pub fn new(id: SubId, loc: Loc, parameters: Vec<Register>, returns: Few<IrType>) -> Self {
        let registers = u32::try_from(parameters.len()).expect("fewer than 2^32 parameters");
        Self {
            id,
            loc,
            parameters,
            returns,
            inline: None,
            is_routing_wrapper: false,
            body: Vec::new(),
            blocks: PrimaryMap::new(),
            phis: PrimaryMap::new(),
            ops: PrimaryMap::new(),
            registers,
            left_out: 0,
            memo: Memo::default(),
        }
    }
    /// Says that the body changed. From the end of its building to the end of the last optimisation
    /// whoever changes a body has to say so: a pass by its answer, everybody else here.
    pub fn touch(&mut self) {
        self.memo = Memo::default();
    }
    /// Says that the body changed and that no operation is of a kind it had not.
    pub fn touch_with_known_kinds(&mut self) {
        self.memo = Memo { kinds: self.memo.kinds, ..Memo::default() };
    }
    /// The kinds of operations the body may have; found once and kept while no kind is added.
    pub fn kinds(&mut self) -> Kinds {
        if let Some(kinds) = self.memo.kinds {
            return kinds;
        }
        let kinds = Kinds::of_body(self);
        self.memo.kinds = Some(kinds);
        kinds
    }
    /// What the body needs; found once and kept until the body changes.
    pub fn needs(&self) -> &Needs {
        self.memo.needs.get_or_init(|| {
            let mut needs = Needs::default();
            for block in &self.body {
                for op in &self.blocks[*block].ops {
                    needs.add(&self.ops[*op].kind);
                }
            }
            needs
        })
    }
    /// What callers know of it.
    pub fn header<'s>(&self, pool: &Pool<'s>) -> Header<'s> {
        pool.header(self.id)
    }
    /// The first block.
    pub fn entry(&self) -> BlockId {
        self.body[0]
    }
    /// The number of a block that is part of the body.
    pub fn number(&self, block: BlockId) -> u32 {
        self.blocks[block].number.expect("blocks of a body are numbered")
    }
    /// One more than the largest block number of the body.
    pub fn next_block_number(&self) -> u32 {
        self.body.iter().map(|block| self.number(*block) + 1).max().unwrap_or(0)
    }
    /// Phis, operations and terminator of a block, in order.
    pub fn nodes(&self, block: BlockId) -> impl Iterator<Item = Node> + '_ {
        let data = &self.blocks[block];
        let phis = data.phis.iter().map(|phi| Node::Phi(*phi));
        let ops = data.ops.iter().map(|op| Node::Op(*op));
        phis.chain(ops).chain(data.terminator.iter().map(move |_| Node::Terminator(block)))
    }
    /// All operations in body order.
    pub fn ops_in_order(&self) -> impl Iterator<Item = OpId> + '_ {
        self.body.iter().flat_map(|block| self.blocks[*block].ops.iter().copied())
    }
    /// How many operations the body has.
    pub fn op_count(&self) -> usize {
        self.body.iter().map(|block| self.blocks[*block].ops.len()).sum()
    }
    /// All phis in body order.
    pub fn phis_in_order(&self) -> impl Iterator<Item = PhiId> + '_ {
        self.body.iter().flat_map(|block| self.blocks[*block].phis.iter().copied())
    }
    /// The id of a new register.
    pub fn new_register_id(&mut self) -> RegisterId {
        self.registers += 1;
        RegisterId::new(self.registers as usize - 1)
    }
    /// A table with an entry for each register.
    pub fn register_table<T: Clone>(&self, entry: T) -> RegisterTable<T> {
        RegisterTable { entries: vec![entry; self.registers as usize] }
    }
    /// Makes an operation without placing it.
    pub fn make_op(&mut self, kind: OpKind, loc: Loc) -> OpId {
        self.ops.push(Op { kind, loc })
    }
    /// Makes an assignment without placing it.
    pub fn make_assign(&mut self, targets: Targets, source: Source, loc: Loc) -> OpId {
        self.make_op(OpKind::Assign { targets, source }, loc)
    }
    /// Visits every register a node reads, in order, repeats included.
    pub fn visit_registers_read(
        &self,
        pool: &Pool<'_>,
        node: Node,
        visit: &mut impl FnMut(Register),
    ) {
        match node {
            Node::Phi(phi) => self.phis[phi].args.iter().for_each(|arg| visit(arg.value)),
            Node::Op(op) => self.ops[op].visit_registers_read(pool, visit),
            Node::Terminator(block) => {
                self.blocks[block].terminator().visit_registers_read(pool, visit);
            }
        }
    }
    /// Visits every register the body reads together with its reader, in body order, repeats included.
    pub fn visit_reads_in_order(&self, pool: &Pool<'_>, visit: &mut impl FnMut(Node, Register)) {
        for block in &self.body {
            let data = &self.blocks[*block];
            for phi in &data.phis {
                self.phis[*phi].args.iter().for_each(|arg| visit(Node::Phi(*phi), arg.value));
            }
            for op in &data.ops {
                self.ops[*op].visit_registers_read(pool, &mut |register| {
                    visit(Node::Op(*op), register);
                });
            }
            if let Some(terminator) = &data.terminator {
                terminator.visit_registers_read(pool, &mut |register| {
                    visit(Node::Terminator(*block), register);
                });
            }
        }
    }
    /// Visits every register defined: parameters, then per block its phis and assignment targets.
    pub fn visit_definitions(&self, visit: &mut impl FnMut(Register)) {
        self.parameters.iter().for_each(|parameter| visit(*parameter));
        for block in &self.body {
            let block = &self.blocks[*block];
            block.phis.iter().for_each(|phi| visit(self.phis[*phi].register));
            let ops = block.ops.iter();
            ops.for_each(|op| self.ops[*op].targets().iter().for_each(|target| visit(*target)));
        }
    }
    /// Replaces every value the terminator of a block reads. Keys of a switch that become equal to an
    /// earlier key are dropped with an error, as spec 20 §15 says.
    pub fn map_terminator_reads(
        &mut self,
        ctx: Ctx<'_, '_>,
        block: BlockId,
        map: &mut impl FnMut(Value) -> Value,
    ) {
        let Some(terminator) = &mut self.blocks[block].terminator else { return };
        terminator.map_reads_but_keys(ctx.pool, map);
        let TerminatorKind::Switch { cases, .. } = &mut terminator.kind else { return };
        let mut changed = false;
        for (key, _) in cases.iter_mut() {
            let old = *key;
            key.map(ctx.pool, map);
            changed |= old != *key;
        }
        if !changed {
            return;
        }
        let mut dropped = Vec::new();
        let mut seen = crate::base::ordered::LookupSet::new();
        cases.retain(|(key, target)| {
            let first = seen.insert(*key);
            if !first {
                dropped.push(*target);
            }
            first
        });
        for target in dropped {
            let loc = self.blocks[target].loc;
            ctx.sink().error("match case became unreachable after key replacement", loc);
        }
    }
    /// Replaces registers everywhere, definitions included: phis (register, then arguments),
    /// assignments (targets, then source), all other operands, in body order. Values that are not
    /// registers stay. What `map` returns is taken with its location.
    pub fn map_registers(&mut self, ctx: Ctx<'_, '_>, map: &mut impl FnMut(Register) -> Register) {
        let map_value = &mut |value: Value| match value {
            Value::Register(register) => Value::Register(map(register)),
            other => other,
        };
        for index in 0..self.body.len() {
            let block = self.body[index];
            for phi in &self.blocks[block].phis {
                let phi = &mut self.phis[*phi];
                let mut swap = |register: &mut Register| {
                    if let Value::Register(new) = map_value(Value::Register(*register)) {
                        *register = new;
                    }
                };
                swap(&mut phi.register);
                phi.args.iter_mut().for_each(|arg| swap(&mut arg.value));
            }
            for op in &self.blocks[block].ops {
                let op = &mut self.ops[*op];
                if let OpKind::Assign { targets, .. } = &mut op.kind {
                    for target in targets {
                        if let Value::Register(new) = map_value(Value::Register(*target)) {
                            *target = new;
                        }
                    }
                }
                op.map_reads(ctx.pool, map_value);
            }
            self.map_terminator_reads(ctx, block, map_value);
        }
    }
    /// Takes `gone` out of the predecessors of `block` and its phis' arguments. When one predecessor
    /// is left the phis become one assignment at the top of the block (spec 20 §11).
    pub fn remove_predecessor(
        &mut self,
        pool: &Pool<'_>,
        block: BlockId,
        gone: BlockId,
    ) -> Outcome<()> {
        if !self.blocks[block].discard_predecessor(gone) || self.blocks[block].phis.is_empty() {
            return Ok(());
        }
        for phi in &self.blocks[block].phis {
            let args = &mut self.phis[*phi].args;
            let Some(place) = args.iter().position(|arg| arg.through == gone) else {
                return Err(Failure::internal("phi has no argument for predecessor", Loc::NONE));
            };
            args.remove(place);
        }
        if self.blocks[block].predecessors.len() != 1 {
            return Ok(());
        }
        let phis = std::mem::take(&mut self.blocks[block].phis);
        let targets: Targets = phis.iter().map(|phi| self.phis[*phi].register).collect();
        let values: Vec<Value> =
            phis.iter().map(|phi| Value::Register(self.phis[*phi].args[0].value)).collect();
        if values
            .iter()
            .any(|value| targets.iter().any(|target| Value::Register(*target) == *value))
        {
            return Err(Failure::internal("phi reads a register of its own block", Loc::NONE));
        }
        let source = match values.as_slice() {
            [value] => Source::value(*value),
            _ => Source::tuple(pool, values, Loc::NONE),
        };
        let op = self.make_assign(targets, source, Loc::NONE);
        self.blocks[block].ops.insert(0, op);
        Ok(())
    }
    /// Lets `new` take the part of predecessor `old`: phi arguments follow, and `new` goes to the end
    /// of the list unless it is there already.
    pub fn replace_predecessor(&mut self, block: BlockId, old: BlockId, new: BlockId) {
        let data = &mut self.blocks[block];
        data.discard_predecessor(old);
        for phi in &data.phis {
            for arg in &mut self.phis[*phi].args {
                if arg.through == old {
                    arg.through = new;
                }
            }
        }
        data.add_predecessor(new);
    }
    /// Whether a value is computed by one of the nodes that aggregate lowering replaces.
    pub fn has_high_level_nodes(&self) -> bool {
        self.ops_in_order().any(|op| match &self.ops[op].kind {
            OpKind::BoxWrite { .. } => true,
            OpKind::Assign { source, .. } => source.kind.is_high_level(),
            _ => false,
        })
    }
    /// The blocks of the body as a set.
    pub fn body_set(&self) -> EntitySet<BlockId> {
        self.body.iter().copied().collect()
    }
    /// The assignment source of an operation, when it is one with a single target.
    pub fn single_assignment(&self, op: OpId) -> Option<(Register, &Source)> {
        match &self.ops[op].kind {
            OpKind::Assign { targets, source } if targets.len() == 1 => Some((targets[0], source)),
            _ => None,
        }
    }
    /// Whether an operation copies one value or several.
    pub fn copies_values(&self, op: OpId) -> bool {
        match &self.ops[op].kind {
            OpKind::Assign { source, .. } => {
                matches!(source.kind, SourceKind::Value(_) | SourceKind::ValueTuple { .. })
            }
            _ => false,
        }
    }
    /// Whether an operation copies several values at once.
    pub fn is_parallel_copy(&self, op: OpId) -> bool {
        matches!(
            &self.ops[op].kind,
            OpKind::Assign { source: Source { kind: SourceKind::ValueTuple { .. }, .. }, .. }
        )
    }
}

/// What a program is run for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProgramKind {
    /// Approves or rejects application calls.
    Approval,
    /// Runs when an account clears its state.
    Clear,
    /// Approves or rejects a transaction of its account.
    LogicSignature,
}

impl ProgramKind {
    /// The kind's part of file names; none for a logic signature.
    pub fn file_part(self) -> Option<&'static str> {
        match self {
            ProgramKind::Approval => Some("approval"),
            ProgramKind::Clear => Some("clear"),
            ProgramKind::LogicSignature => None,
        }
    }
}

/// How scratch slots of reference arrays are given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SlotStrategy {
    /// No slot outlives its subroutine.
    #[default]
    None,
    /// At run time.
    Dynamic,
}

/// One AVM program. It owns its subroutines: no two programs share one.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is run for.
    pub kind: ProgramKind,
    /// Where it starts.
    pub main: Subroutine,
    /// All others, in output order.
    pub subroutines: Vec<Subroutine>,
    /// AVM version it is compiled for.
    pub avm_version: i64,
    /// Scratch slots the program uses for itself, ascending.
    pub reserved_slots: std::collections::BTreeSet<u32>,
    /// How other slots are given out.
    pub slot_strategy: SlotStrategy,
    /// Whether to salt the program off the curve; none for the default of its kind.
    pub autosalt: Option<bool>,
    /// Where its source stands.
    pub loc: Loc,
}

impl Program {
    /// Main, then the others in order.
    pub fn all_subroutines(&self) -> impl Iterator<Item = &Subroutine> {
        std::iter::once(&self.main).chain(&self.subroutines)
    }
    /// Main, then the others in order, mutable.
    pub fn all_subroutines_mut(&mut self) -> impl Iterator<Item = &mut Subroutine> {
        std::iter::once(&mut self.main).chain(&mut self.subroutines)
    }
    /// Places of the subroutines (main excluded) by id.
    pub fn index_by_id(&self) -> LookupMap<SubId, usize> {
        self.subroutines.iter().enumerate().map(|(index, sub)| (sub.id, index)).collect()
    }
}

/// What one compilation target becomes.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per compilation target")]
pub enum Artifact {
    /// A smart contract.
    Contract {
        /// Its approval program.
        approval: Program,
        /// Its clear-state program.
        clear: Program,
        /// What its specifications say.
        metadata: ContractMetadata,
        /// Where its source stands.
        loc: Loc,
    },
    /// A logic signature.
    LogicSignature {
        /// Its program.
        program: Program,
        /// What its specifications say.
        metadata: LogicSigMetadata,
        /// Where its source stands.
        loc: Loc,
    },
}

impl Artifact {
    /// The programs, approval first.
    pub fn programs(&self) -> Vec<&Program> {
        match self {
            Artifact::Contract { approval, clear, .. } => vec![approval, clear],
            Artifact::LogicSignature { program, .. } => vec![program],
        }
    }
    /// The programs, approval first, mutable.
    pub fn programs_mut(&mut self) -> Vec<&mut Program> {
        match self {
            Artifact::Contract { approval, clear, .. } => vec![approval, clear],
            Artifact::LogicSignature { program, .. } => vec![program],
        }
    }
    /// Where its source stands.
    pub fn loc(&self) -> Loc {
        match self {
            Artifact::Contract { loc, .. } | Artifact::LogicSignature { loc, .. } => *loc,
        }
    }
}
