//! The model: subroutines of basic blocks of stack operations. Spec 30 §2 and §3.
//!
//! The AVM's one stack is split, from the bottom, into parameters, frame stack (F: variables of the
//! whole subroutine), transfer stack (X: variables handed from block to block) and local stack
//! (L: operands, and variables of one block). Variables are names (`x#0`), kept as symbols.

use std::ops::Deref;
use std::rc::Rc;

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, PrimaryMap, SecondaryMap};
use crate::base::source::Loc;
use crate::define_id;
use crate::session::Session;

use super::lifetimes::Lifetimes;

pub use crate::ir::model::ProgramKind;
pub use crate::ir::op::BytesEncoding;
pub use crate::ir::types::AvmType;

define_id!(
    /// A block of a subroutine. Ids follow the order of the body.
    pub struct BlockId, "block"
);
define_id!(
    /// An operation or terminator of a subroutine: its identity, kept when a pass renames what it
    /// produces.
    pub struct OpId, "op"
);

define_id!(
    /// A variable of a subroutine. Ids order as the names do, see [`Subroutine::sort_variables`].
    pub struct VarId, "var"
);

/// Gives out the next id of a subroutine's operations.
pub fn next_op_id(op_count: &mut u32) -> OpId {
    let id = OpId::new(*op_count as usize);
    *op_count += 1;
    id
}

/// Names of the values an operation leaves on the L-stack, deepest first. Most leave at most one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Names {
    /// No value.
    #[default]
    None,
    /// One value.
    One(Symbol),
    /// Any number of values.
    Many(Box<[Symbol]>),
}

impl Deref for Names {
    type Target = [Symbol];
    #[inline]
    fn deref(&self) -> &[Symbol] {
        match self {
            Names::None => &[],
            Names::One(name) => std::slice::from_ref(name),
            Names::Many(names) => names,
        }
    }
}

impl From<&[Symbol]> for Names {
    fn from(names: &[Symbol]) -> Self {
        match names {
            [] => Names::None,
            [name] => Names::One(*name),
            _ => Names::Many(names.into()),
        }
    }
}

impl Names {
    /// The names with the last one replaced. Panics when there is none.
    pub fn with_last(&self, name: Symbol) -> Self {
        match self {
            Names::Many(names) if names.len() > 1 => {
                let mut names = names.clone();
                *names.last_mut().expect("more than one") = name;
                Names::Many(names)
            }
            _ => {
                assert_eq!(self.len(), 1, "only a produced name can be replaced");
                Names::One(name)
            }
        }
    }
    /// Names for results nobody assigns: `{op}`, or `{op}.0`, `{op}.1` and so on, in literal braces.
    pub fn described(session: &Session<'_>, description: &str, size: usize) -> Self {
        match size {
            0 => Names::None,
            1 => Names::One(session.sym_joined(&["{", description, "}"])),
            _ => Names::Many(
                (0..size).map(|n| session.sym(&format!("{{{description}}}.{n}"))).collect(),
            ),
        }
    }
}

/// A variable of a subroutine.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Name and version: `x#0`.
    pub name: Symbol,
    /// See [`Variable::copy_name`].
    copy_name: Option<Symbol>,
}

impl Variable {
    /// A variable with this name.
    pub fn new(name: Symbol) -> Self {
        Self { name, copy_name: None }
    }
    /// The name a copy of the variable has on the L-stack.
    pub fn copy_name(&mut self, session: &Session<'_>) -> Symbol {
        let name = self.name;
        *self.copy_name.get_or_insert_with(|| session.sym_joined(&[session.text(name), " (copy)"]))
    }
}

/// The variables of a subroutine.
pub type Variables = PrimaryMap<VarId, Variable>;

/// A variable with what the AVM knows of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    /// Name and version: `x#0`.
    pub id: Symbol,
    /// Which variable of the subroutine it is.
    pub var: VarId,
    /// Number or byte string.
    pub atype: AvmType,
}

/// An instruction of the AVM with its immediates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intrinsic {
    /// Which op.
    pub op: AvmOp,
    /// Immediates in order.
    pub immediates: Vec<Immediate>,
    /// What to tell when it fails at run time.
    pub error_message: Option<Symbol>,
    /// How many values it takes.
    pub consumes: usize,
    /// How many values it leaves.
    pub produces: usize,
    /// Made by shortening `arg i`. Such an op equals no op of another origin.
    pub is_short_arg: bool,
}

/// An integer as it is printed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntValue {
    /// The number.
    Number(u64),
    /// A name TEAL has for a number: `NoOp`, `pay`.
    Alias(Symbol),
}

/// Where a variable is stored to. Depths count from the top of the stack, before the operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Store {
    /// Not decided yet (`v-store`).
    Abstract,
    /// To the L-stack: the top value is moved down, or copied and the copy moved down.
    L {
        /// How many values stand above the new place.
        depth: u32,
        /// Whether the value also stays on top.
        copy: bool,
    },
    /// To the X-stack.
    X {
        /// How many values of X- and L-stack stand above the new place.
        depth: u32,
    },
    /// To the F-stack.
    F {
        /// How many values of F-, X- and L-stack stand above the place.
        depth: u32,
        /// The place counted from the bottom of the frame.
        frame_index: u32,
        /// Whether this store makes the place, on top of the F-stack.
        insert: bool,
    },
    /// To a parameter.
    Param {
        /// The place counted from the frame: negative.
        index: i32,
    },
}

/// Where a variable is loaded from. Depths count from the top of the stack, before the operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Load {
    /// Not decided yet (`v-load`).
    Abstract,
    /// From the L-stack.
    L {
        /// How many values stand above it; known once all L-stack operations are.
        depth: Option<u32>,
        /// Whether the value also stays where it is.
        copy: bool,
    },
    /// From the X-stack.
    X {
        /// How many values of X- and L-stack stand above it.
        depth: u32,
        /// Whether the value also stays where it is.
        copy: bool,
    },
    /// From the F-stack, where the value stays.
    F {
        /// How many values of F-, X- and L-stack stand above it.
        depth: u32,
        /// The place counted from the bottom of the frame.
        frame_index: u32,
    },
    /// From a parameter, where the value stays.
    Param {
        /// The place counted from the frame: negative.
        index: i32,
    },
}

/// What an operation does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpKind {
    /// An integer.
    Int(IntValue),
    /// A byte string.
    Byte {
        /// Its content.
        value: Rc<[u8]>,
        /// How it is printed.
        encoding: BytesEncoding,
    },
    /// Any value of this type.
    Undefined(AvmType),
    /// A value given when the program is deployed.
    TemplateVar {
        /// Full name, prefix included.
        name: Symbol,
        /// Number or byte string.
        atype: AvmType,
    },
    /// An address in its 58-character form.
    Address(Symbol),
    /// A method selector by its signature.
    Method(Symbol),
    /// Takes the value on top into a variable.
    Store(Local, Store),
    /// Puts the value of a variable on top.
    Load(Local, Load),
    /// Drops values.
    Pop(u32),
    /// Calls a subroutine of the program.
    CallSub {
        /// The label of the subroutine: [`Subroutine::id`].
        target: Symbol,
        /// How many values it takes.
        parameters: u32,
        /// How many values it leaves.
        returns: u32,
    },
    /// An instruction of the AVM; shared because ops are copied by the optimiser of TEAL.
    Intrinsic(Rc<Intrinsic>),
    /// Fails unless the value on top is non-zero.
    Assert {
        /// What to tell.
        error_message: Option<Symbol>,
        /// Whether the program's author wrote it.
        explicit: bool,
    },
}

/// An operation of a block.
#[derive(Clone, Debug)]
pub struct Op {
    /// Identity within the subroutine.
    pub id: OpId,
    /// What it does.
    pub kind: OpKind,
    /// What it leaves on top of the L-stack. Shown in dumps and debug maps.
    pub produces: Names,
    /// Where the source says so.
    pub loc: Loc,
}

impl Op {
    /// How many values it takes off the top of the L-stack.
    pub fn consumes(&self) -> usize {
        let count = match &self.kind {
            OpKind::Intrinsic(intrinsic) => return intrinsic.consumes,
            OpKind::Store(_, Store::L { .. }) => 0,
            OpKind::Store(..) | OpKind::Assert { .. } => 1,
            OpKind::Pop(n) => *n,
            OpKind::CallSub { parameters, .. } => *parameters,
            OpKind::Int(_)
            | OpKind::Byte { .. }
            | OpKind::Undefined(_)
            | OpKind::TemplateVar { .. }
            | OpKind::Address(_)
            | OpKind::Method(_)
            | OpKind::Load(..) => 0,
        };
        count as usize
    }
    /// The variable it stores or loads.
    pub fn local(&self) -> Option<Local> {
        match self.kind {
            OpKind::Store(local, _) | OpKind::Load(local, _) => Some(local),
            _ => None,
        }
    }
    /// The variable of a store whose place is not decided yet.
    pub fn abstract_store(&self) -> Option<Local> {
        match self.kind {
            OpKind::Store(local, Store::Abstract) => Some(local),
            _ => None,
        }
    }
    /// The variable of a load whose place is not decided yet.
    pub fn abstract_load(&self) -> Option<Local> {
        match self.kind {
            OpKind::Load(local, Load::Abstract) => Some(local),
            _ => None,
        }
    }
}

/// How a block ends.
#[derive(Clone, Debug)]
pub struct Terminator {
    /// Identity within the subroutine.
    pub id: OpId,
    /// Where control goes.
    pub kind: TerminatorKind,
    /// Where the source says so.
    pub loc: Loc,
}

/// Where control goes at the end of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TerminatorKind {
    /// Back to the caller.
    RetSub {
        /// How many values are handed back.
        returns: u32,
        /// Height of F- and X-stack there; known after F-stack allocation.
        fx_height: u32,
    },
    /// End of the program.
    ProgramExit,
    /// End of the program by failing.
    Err {
        /// What to tell.
        error_message: Option<Symbol>,
        /// Whether the program's author wrote it.
        explicit: bool,
    },
    /// To one block.
    Goto(BlockId),
    /// To one of two.
    ConditionalBranch {
        /// Where to for zero.
        zero: BlockId,
        /// Where to for anything else.
        nonzero: BlockId,
    },
    /// To the block with the number on top.
    Switch {
        /// The blocks from 0.
        targets: Vec<BlockId>,
        /// Where to for larger numbers.
        default: BlockId,
    },
    /// To the block of the case that equals the value on top; the cases lie below it.
    Match {
        /// The block of each case.
        targets: Vec<BlockId>,
        /// Where to when no case equals.
        default: BlockId,
    },
}

impl Terminator {
    /// How many values it takes off the top of the L-stack.
    pub fn consumes(&self) -> usize {
        match &self.kind {
            TerminatorKind::RetSub { .. }
            | TerminatorKind::Err { .. }
            | TerminatorKind::Goto(_) => 0,
            TerminatorKind::ProgramExit
            | TerminatorKind::ConditionalBranch { .. }
            | TerminatorKind::Switch { .. } => 1,
            TerminatorKind::Match { targets, .. } => targets.len() + 1,
        }
    }
    /// Whether whatever is left on the stack vanishes with it.
    pub fn consumes_stack(&self) -> bool {
        match &self.kind {
            TerminatorKind::RetSub { .. }
            | TerminatorKind::ProgramExit
            | TerminatorKind::Err { .. } => true,
            TerminatorKind::Goto(_)
            | TerminatorKind::ConditionalBranch { .. }
            | TerminatorKind::Switch { .. }
            | TerminatorKind::Match { .. } => false,
        }
    }
    /// Where control can go: zero before non-zero, cases before default. May repeat a block.
    pub fn targets(&self) -> impl Iterator<Item = BlockId> + '_ {
        let (targets, last): (&[BlockId], [Option<BlockId>; 2]) = match &self.kind {
            TerminatorKind::RetSub { .. }
            | TerminatorKind::ProgramExit
            | TerminatorKind::Err { .. } => (&[], [None, None]),
            TerminatorKind::Goto(target) => (&[], [Some(*target), None]),
            TerminatorKind::ConditionalBranch { zero, nonzero } => {
                (&[], [Some(*zero), Some(*nonzero)])
            }
            TerminatorKind::Switch { targets, default }
            | TerminatorKind::Match { targets, default } => (targets, [Some(*default), None]),
        };
        targets.iter().copied().chain(last.into_iter().flatten())
    }
}

/// Variables on one part of the stack, bottom first.
pub type Locals = Rc<[Symbol]>;

/// Straight-line code with one terminator.
#[derive(Clone, Debug)]
pub struct Block {
    /// The number the block had in the IR.
    pub number: u32,
    /// Unique label: `sub_comment@number`.
    pub name: Symbol,
    /// The operations in order.
    pub ops: Vec<Op>,
    /// How it ends.
    pub terminator: Terminator,
    /// The blocks control can come from, each once, in the order of the IR.
    pub predecessors: Vec<BlockId>,
    /// Where its source stands.
    pub loc: Loc,
    /// X-stack on entry.
    pub x_stack_in: Locals,
    /// X-stack on exit.
    pub x_stack_out: Locals,
    /// F-stack on entry.
    pub f_stack_in: Locals,
    /// F-stack on exit.
    pub f_stack_out: Locals,
}

impl Block {
    /// Height of F- and X-stack on entry.
    pub fn entry_stack_height(&self) -> usize {
        self.f_stack_in.len() + self.x_stack_in.len()
    }
    /// Height of F- and X-stack on exit.
    pub fn exit_stack_height(&self) -> usize {
        self.f_stack_out.len() + self.x_stack_out.len()
    }
}

/// A parameter of a subroutine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Name without version.
    pub name: Symbol,
    /// The variable's name.
    pub local_id: Symbol,
    /// Number or byte string.
    pub atype: AvmType,
}

/// What a caller sees of a subroutine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Full name, as opposed to the label.
    pub name: Symbol,
    /// Parameters, the last one on top.
    pub parameters: Vec<Parameter>,
    /// Results, the last one on top.
    pub returns: Vec<AvmType>,
}

impl Signature {
    /// As it stands in dumps and in TEAL: `name(a: bytes) -> uint64, bytes:`, the colon included.
    pub fn text(&self, session: &Session<'_>) -> String {
        let mut text = String::new();
        self.push_text(session, &mut text);
        text
    }
    /// Appends the same.
    pub fn push_text(&self, session: &Session<'_>, text: &mut String) {
        text.push_str(session.text(self.name));
        text.push('(');
        for (index, parameter) in self.parameters.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { ", " });
            text.push_str(session.text(parameter.name));
            text.push_str(": ");
            text.push_str(parameter.atype.name());
        }
        text.push_str(") -> ");
        for (index, atype) in self.returns.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { ", " });
            text.push_str(atype.name());
        }
        text.push_str(if self.returns.is_empty() { "void:" } else { ":" });
    }
}

/// Variables of the F-stack that exist from the start of the subroutine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PreAllocation {
    /// Byte strings; they lie below.
    pub bytes_vars: Vec<Symbol>,
    /// Numbers.
    pub uint64_vars: Vec<Symbol>,
}

impl PreAllocation {
    /// All of them, bottom first.
    pub fn on_entry(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.bytes_vars.iter().chain(&self.uint64_vars).copied()
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes_vars.len() + self.uint64_vars.len()
    }
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes_vars.is_empty() && self.uint64_vars.is_empty()
    }
}

/// A function of the program.
#[derive(Clone, Debug)]
pub struct Subroutine {
    /// Unique label.
    pub id: Symbol,
    /// Whether the program starts with it.
    pub is_main: bool,
    /// What a caller sees.
    pub signature: Signature,
    /// The blocks in order, the entry first.
    pub body: PrimaryMap<BlockId, Block>,
    /// Filled by F-stack allocation.
    pub pre_alloc: PreAllocation,
    /// Where its source stands.
    pub loc: Loc,
    /// How many ids of operations are in use.
    pub op_count: u32,
    /// The variables that operations name, by name.
    pub variables: Variables,
    /// See [`Subroutine::collect_types`].
    pub types: Option<SecondaryMap<VarId, Option<AvmType>>>,
    /// See [`Subroutine::lifetimes`].
    pub lifetimes: Option<Rc<Lifetimes>>,
}

impl Subroutine {
    /// The block control enters by.
    pub fn entry(&self) -> BlockId {
        self.body.ids().next().expect("a subroutine has an entry block")
    }
    /// Names of the parameters as variables.
    pub fn parameter_ids(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.signature.parameters.iter().map(|parameter| parameter.local_id)
    }
    /// Whether the subroutine starts with `proto`: it has parameters, or leaves something below the
    /// values it hands back. Spec 30 §12; holds after F-stack allocation.
    pub fn needs_proto(&self) -> bool {
        let leaves_values = |block: &Block| matches!(block.terminator.kind, TerminatorKind::RetSub { fx_height, .. } if fx_height > 0);
        !self.is_main
            && (!self.signature.parameters.is_empty() || self.body.values().any(leaves_values))
    }
    /// Orders the variables by name, so that sequences of ids compare as sequences of names. Where no edge
    /// leads anywhere nobody compares them.
    pub fn sort_variables(&mut self, session: &Session<'_>) {
        if self.body.values().all(|block| block.predecessors.is_empty()) {
            return;
        }
        let named = self.variables.iter().map(|(var, it)| (session.text(it.name), var));
        let mut order: Vec<(&str, VarId)> = named.collect();
        if order.is_sorted() {
            return;
        }
        order.sort_unstable();
        let mut new_ids: Vec<VarId> = self.variables.ids().collect();
        let mut sorted = Variables::new();
        for (_, old) in order {
            new_ids[old.index()] = sorted.push(self.variables[old]);
        }
        self.variables = sorted;
        for op in self.body.values_mut().flat_map(|block| &mut block.ops) {
            if let OpKind::Store(local, _) | OpKind::Load(local, _) = &mut op.kind {
                local.var = new_ids[local.var.index()];
            }
        }
    }
    /// Collects the AVM type of every variable an operation names; types that differ make
    /// [`AvmType::Any`]. Done at first use and kept.
    pub fn collect_types(&mut self) {
        self.types.get_or_insert_with(|| {
            let mut types: SecondaryMap<VarId, Option<AvmType>> =
                SecondaryMap::with_len(self.variables.len());
            for local in self.body.values().flat_map(|block| &block.ops).filter_map(Op::local) {
                let known = types[local.var].get_or_insert(local.atype);
                if *known != local.atype {
                    *known = AvmType::Any;
                }
            }
            types
        });
    }
    /// The AVM type of a variable, once they were collected.
    pub fn type_of(&self, var: VarId) -> Option<AvmType> {
        self.types.as_ref().and_then(|types| types[var])
    }
    /// Where variables are live. No allocator changes that for a variable that still has no place:
    /// solved at first use and kept until the peephole sweep drops a load with its store.
    pub fn lifetimes(&mut self) -> Rc<Lifetimes> {
        Rc::clone(
            self.lifetimes
                .get_or_insert_with(|| Rc::new(Lifetimes::of(&self.body, self.variables.len()))),
        )
    }
}

/// How a program finds free scratch slots at run time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotAllocation {
    /// The slot that keeps the map.
    pub slot: u8,
    /// The map at the start: a bit is set for every free slot.
    pub map: [u8; 32],
}

/// One AVM program.
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
    /// Present when the program asks for scratch slots at run time.
    pub slot_allocation: Option<SlotAllocation>,
    /// Whether to salt the program off the curve; none for the default of its kind.
    pub autosalt: Option<bool>,
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
}

const _: () = assert!(size_of::<Op>() <= 88);
