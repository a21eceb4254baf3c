//! The TEAL model: assembly ops over one stack, in labelled blocks. Every op carries the stack
//! manipulations of the stack code it came from; they never change the code's meaning, but decide
//! the debug map and, in two places, which rewrites are possible.

use std::rc::Rc;

use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};

/// Most entries an `intcblock` or a `bytecblock` can have.
pub const CONSTANTS_MAX: usize = 256;
/// Longest byte string the AVM holds.
pub const BYTES_MAX: usize = 4096;

/// A constant byte string; shared because ops are copied by the optimiser.
pub type Bytes = Rc<[u8]>;

pub use super::stack_effect::{Manipulations, Names, Shape, StackManipulation, Stretch};

/// How a byte constant was written in the source.
pub use crate::mir::model::BytesEncoding;

/// A type the AVM tells apart.
pub use crate::mir::model::AvmType;

/// Kind of a program.
pub use crate::mir::model::ProgramKind;

/// The signature of a subroutine, and what it says of a parameter.
pub use crate::mir::model::{Parameter, Signature};

/// An immediate of an op that is neither a label nor a constant.
pub use crate::avm::ops::Immediate;

/// An op from the op table that has no class of its own.
pub use crate::mir::model::Intrinsic;

/// What one op does.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the variants are the instructions of the AVM")]
pub enum OpKind {
    Dup,
    Dup2,
    Pop,
    Swap,
    Cover(u8),
    Uncover(u8),
    Dig(u8),
    Bury(u8),
    PopN(u8),
    DupN(u8),
    FrameDig(i8),
    FrameBury(i8),
    /// `store` of the slot allocation.
    Store(u8),
    /// Pseudo-op, until constants are gathered.
    Int {
        value: u64,
        comment: Option<Symbol>,
    },
    /// Pseudo-op, until constants are gathered.
    Byte {
        value: Bytes,
        encoding: BytesEncoding,
        comment: Option<Symbol>,
    },
    /// Pseudo-op `int NAME`, until constants are gathered.
    TemplateInt(Symbol),
    /// Pseudo-op `byte NAME`, until constants are gathered.
    TemplateByte(Symbol),
    IntBlock(Vec<BlockConstant<u64>>),
    BytesBlock(Vec<BlockConstant<(Bytes, BytesEncoding)>>),
    IntC {
        index: u8,
        comment: Option<Symbol>,
    },
    BytesC {
        index: u8,
        comment: Option<Symbol>,
    },
    PushInt {
        value: u64,
        comment: Option<Symbol>,
    },
    PushBytes {
        value: Bytes,
        encoding: BytesEncoding,
        comment: Option<Symbol>,
    },
    PushInts(Vec<(u64, Option<Symbol>)>),
    PushBytess(Vec<(Bytes, BytesEncoding, Option<Symbol>)>),
    Proto {
        parameters: usize,
        returns: usize,
    },
    Intrinsic(Rc<Intrinsic>),
    Assert {
        message: Option<Symbol>,
        explicit: bool,
    },
    Err {
        message: Option<Symbol>,
        explicit: bool,
    },
    RetSub {
        returns: usize,
    },
    Return,
    Branch(Symbol),
    BranchZero(Symbol),
    BranchNonZero(Symbol),
    Switch(Rc<[Symbol]>),
    Match(Rc<[Symbol]>),
    CallSub {
        target: Symbol,
        parameters: usize,
        returns: usize,
    },
}

/// An entry of a constant block.
#[derive(Clone, Debug)]
pub enum BlockConstant<T> {
    /// A known value.
    Value(T),
    /// A template variable and where it was first used.
    Template(Symbol, Loc),
}

/// An op, where it came from, and what it does to the names on the stack.
#[derive(Clone, Debug)]
pub struct Op {
    /// What the op does.
    pub kind: OpKind,
    /// Source location, or none.
    pub loc: Loc,
    /// Effect on the simulated stack.
    pub stack: Stretch,
}

const _: () = assert!(size_of::<Op>() <= 48);

impl Op {
    /// An op without stack manipulations.
    pub fn new(kind: OpKind, loc: Loc) -> Self {
        Self { kind, loc, stack: Stretch::default() }
    }
    /// Name of the instruction.
    pub fn op_code(&self) -> &'static str {
        self.kind.op_code()
    }
    /// Number of stack entries taken.
    pub fn consumes(&self) -> usize {
        self.kind.stack_effect().0
    }
    /// Number of stack entries left.
    pub fn produces(&self) -> usize {
        self.kind.stack_effect().1
    }
    /// Equality as the optimiser means it: location, manipulations and the encodings of byte
    /// constants do not count, comments do.
    pub fn same(&self, other: &Op) -> bool {
        self.kind == other.kind
    }
    /// The depth of a `cover` or an `uncover`.
    pub fn rotation(&self) -> Option<u8> {
        match self.kind {
            OpKind::Cover(n) | OpKind::Uncover(n) => Some(n),
            _ => None,
        }
    }
}

impl PartialEq for OpKind {
    fn eq(&self, other: &Self) -> bool {
        use OpKind::*;
        match (self, other) {
            (Dup, Dup) | (Dup2, Dup2) | (Pop, Pop) | (Swap, Swap) | (Return, Return) => true,
            (Cover(a), Cover(b))
            | (Uncover(a), Uncover(b))
            | (Dig(a), Dig(b))
            | (Bury(a), Bury(b))
            | (PopN(a), PopN(b))
            | (DupN(a), DupN(b))
            | (Store(a), Store(b)) => a == b,
            (FrameDig(a), FrameDig(b)) | (FrameBury(a), FrameBury(b)) => a == b,
            (Int { value: a, comment: p }, Int { value: b, comment: q })
            | (PushInt { value: a, comment: p }, PushInt { value: b, comment: q }) => {
                a == b && p == q
            }
            (Byte { value: a, comment: p, .. }, Byte { value: b, comment: q, .. })
            | (PushBytes { value: a, comment: p, .. }, PushBytes { value: b, comment: q, .. }) => {
                a == b && p == q
            }
            (TemplateInt(a), TemplateInt(b)) | (TemplateByte(a), TemplateByte(b)) => a == b,
            (IntC { index: a, comment: p }, IntC { index: b, comment: q })
            | (BytesC { index: a, comment: p }, BytesC { index: b, comment: q }) => {
                a == b && p == q
            }
            (Intrinsic(a), Intrinsic(b)) => a == b,
            (Assert { message: a, explicit: p }, Assert { message: b, explicit: q })
            | (Err { message: a, explicit: p }, Err { message: b, explicit: q }) => {
                a == b && p == q
            }
            (RetSub { returns: a }, RetSub { returns: b }) => a == b,
            (Branch(a), Branch(b))
            | (BranchZero(a), BranchZero(b))
            | (BranchNonZero(a), BranchNonZero(b)) => a == b,
            (Switch(a), Switch(b)) | (Match(a), Match(b)) => a == b,
            (
                CallSub { target: a, parameters: p, returns: r },
                CallSub { target: b, parameters: q, returns: s },
            ) => a == b && p == q && r == s,
            (Proto { parameters: a, returns: p }, Proto { parameters: b, returns: q }) => {
                a == b && p == q
            }
            // The optimiser compares nothing after constants were gathered.
            _ => false,
        }
    }
}

impl OpKind {
    /// `cover depth`.
    pub fn cover(depth: usize) -> Outcome<Self> {
        Ok(OpKind::Cover(unsigned(depth)?))
    }
    /// `uncover depth`.
    pub fn uncover(depth: usize) -> Outcome<Self> {
        Ok(OpKind::Uncover(unsigned(depth)?))
    }
    /// `dig depth`.
    pub fn dig(depth: usize) -> Outcome<Self> {
        Ok(OpKind::Dig(unsigned(depth)?))
    }
    /// `bury depth`.
    pub fn bury(depth: usize) -> Outcome<Self> {
        Ok(OpKind::Bury(unsigned(depth)?))
    }
    /// `popn count`.
    pub fn pop_n(count: usize) -> Outcome<Self> {
        Ok(OpKind::PopN(unsigned(count)?))
    }
    /// `dupn count`.
    pub fn dup_n(count: usize) -> Outcome<Self> {
        Ok(OpKind::DupN(unsigned(count)?))
    }
    /// `frame_dig index`.
    pub fn frame_dig(index: i64) -> Outcome<Self> {
        Ok(OpKind::FrameDig(signed(index)?))
    }
    /// `frame_bury index`.
    pub fn frame_bury(index: i64) -> Outcome<Self> {
        Ok(OpKind::FrameBury(signed(index)?))
    }

    /// Name of the instruction.
    pub fn op_code(&self) -> &'static str {
        match self {
            OpKind::Dup => "dup",
            OpKind::Dup2 => "dup2",
            OpKind::Pop => "pop",
            OpKind::Swap => "swap",
            OpKind::Cover(_) => "cover",
            OpKind::Uncover(_) => "uncover",
            OpKind::Dig(_) => "dig",
            OpKind::Bury(_) => "bury",
            OpKind::PopN(_) => "popn",
            OpKind::DupN(_) => "dupn",
            OpKind::FrameDig(_) => "frame_dig",
            OpKind::FrameBury(_) => "frame_bury",
            OpKind::Store(_) => "store",
            OpKind::Int { .. } | OpKind::TemplateInt(_) => "int",
            OpKind::Byte { .. } | OpKind::TemplateByte(_) => "byte",
            OpKind::IntBlock(_) => "intcblock",
            OpKind::BytesBlock(_) => "bytecblock",
            OpKind::IntC { index, .. } => match index {
                0 => "intc_0",
                1 => "intc_1",
                2 => "intc_2",
                3 => "intc_3",
                _ => "intc",
            },
            OpKind::BytesC { index, .. } => match index {
                0 => "bytec_0",
                1 => "bytec_1",
                2 => "bytec_2",
                3 => "bytec_3",
                _ => "bytec",
            },
            OpKind::PushInt { .. } => "pushint",
            OpKind::PushBytes { .. } => "pushbytes",
            OpKind::PushInts(_) => "pushints",
            OpKind::PushBytess(_) => "pushbytess",
            OpKind::Proto { .. } => "proto",
            OpKind::Intrinsic(intrinsic) => intrinsic.op.code(),
            OpKind::Assert { .. } => "assert",
            OpKind::Err { .. } => "err",
            OpKind::RetSub { .. } => "retsub",
            OpKind::Return => "return",
            OpKind::Branch(_) => "b",
            OpKind::BranchZero(_) => "bz",
            OpKind::BranchNonZero(_) => "bnz",
            OpKind::Switch(_) => "switch",
            OpKind::Match(_) => "match",
            OpKind::CallSub { .. } => "callsub",
        }
    }

    /// Number of stack entries taken, and left.
    pub fn stack_effect(&self) -> (usize, usize) {
        match self {
            OpKind::Dup => (1, 2),
            OpKind::Dup2 => (2, 4),
            OpKind::Pop | OpKind::FrameBury(_) | OpKind::Store(_) => (1, 0),
            OpKind::Swap => (2, 2),
            OpKind::Cover(n) | OpKind::Uncover(n) => (usize::from(*n) + 1, usize::from(*n) + 1),
            OpKind::Dig(n) => (usize::from(*n) + 1, usize::from(*n) + 2),
            OpKind::Bury(n) => (usize::from(*n) + 1, usize::from(*n)),
            OpKind::PopN(n) => (usize::from(*n), 0),
            OpKind::DupN(n) => (1, usize::from(*n) + 1),
            OpKind::FrameDig(_)
            | OpKind::Int { .. }
            | OpKind::Byte { .. }
            | OpKind::TemplateInt(_)
            | OpKind::TemplateByte(_)
            | OpKind::IntC { .. }
            | OpKind::BytesC { .. }
            | OpKind::PushInt { .. }
            | OpKind::PushBytes { .. } => (0, 1),
            OpKind::IntBlock(_) | OpKind::BytesBlock(_) | OpKind::Proto { .. } => (0, 0),
            OpKind::PushInts(values) => (0, values.len()),
            OpKind::PushBytess(values) => (0, values.len()),
            OpKind::Intrinsic(intrinsic) => (intrinsic.consumes, intrinsic.produces),
            OpKind::Assert { .. } | OpKind::Return => (1, 0),
            OpKind::BranchZero(_) | OpKind::BranchNonZero(_) | OpKind::Switch(_) => (1, 0),
            OpKind::Err { .. } | OpKind::Branch(_) => (0, 0),
            OpKind::RetSub { returns } => (*returns, 0),
            OpKind::Match(targets) => (targets.len() + 1, 0),
            OpKind::CallSub { parameters, returns, .. } => (*parameters, *returns),
        }
    }

    /// Whether the op can leave a block (`assert` and `callsub` do not count).
    pub fn is_control(&self) -> bool {
        matches!(
            self,
            OpKind::RetSub { .. }
                | OpKind::Return
                | OpKind::Err { .. }
                | OpKind::Branch(_)
                | OpKind::BranchZero(_)
                | OpKind::BranchNonZero(_)
                | OpKind::Switch(_)
                | OpKind::Match(_)
        )
    }

    /// Labels a control op may go to.
    pub fn targets(&self) -> &[Symbol] {
        match self {
            OpKind::Branch(target) | OpKind::BranchZero(target) | OpKind::BranchNonZero(target) => {
                std::slice::from_ref(target)
            }
            OpKind::Switch(targets) | OpKind::Match(targets) => targets,
            _ => &[],
        }
    }
}

fn unsigned(n: usize) -> Outcome<u8> {
    u8::try_from(n)
        .map_err(|_| Failure::internal(format!("ValueError: 'n' must be <= 255: {n}"), Loc::NONE))
}

fn signed(n: i64) -> Outcome<i8> {
    i8::try_from(n).map_err(|_| {
        let bound = if n < 0 { ">= -128" } else { "<= 127" };
        Failure::internal(format!("ValueError: 'n' must be {bound}: {n}"), Loc::NONE)
    })
}

/// A labelled run of ops. Control enters at its start only.
#[derive(Clone, Debug)]
pub struct Block {
    /// Unique in the program.
    pub label: Symbol,
    /// The ops in order; empty when the block only falls through.
    pub ops: Vec<Op>,
    /// Names handed over by the blocks before, bottom first.
    pub x_stack_in: Vec<Symbol>,
    /// Entries above the frame on entry.
    pub entry_stack_height: usize,
    /// Entries above the frame on exit.
    pub exit_stack_height: usize,
}

/// A subroutine.
#[derive(Clone, Debug)]
pub struct Subroutine {
    /// The program's entry, not called by anything.
    pub is_main: bool,
    /// Name, parameters and results.
    pub signature: Signature,
    /// The blocks in layout order, entry first.
    pub blocks: Vec<Block>,
    /// Where the subroutine was declared.
    pub loc: Loc,
}

/// A program in TEAL.
#[derive(Clone, Debug)]
pub struct Program {
    /// Approval, clear state or logic signature.
    pub kind: ProgramKind,
    /// Version of the AVM it is for.
    pub avm_version: i64,
    /// The main subroutine first.
    pub subroutines: Vec<Subroutine>,
    /// Whether bytecode is salted until no signature key can have its hash.
    pub autosalt: bool,
    /// What its ops do to the names on the stack.
    pub manipulations: Manipulations,
}

impl Program {
    /// All blocks, subroutine by subroutine.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.subroutines.iter().flat_map(|sub| &sub.blocks)
    }
    /// All blocks, subroutine by subroutine.
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        self.subroutines.iter_mut().flat_map(|sub| &mut sub.blocks)
    }
}

impl Block {
    /// Fails where an op reaches below the block's stack or the height at the end is not the
    /// declared one. `label` is the block's label as text.
    pub fn check_stack_height(&self, label: &str) -> Outcome<()> {
        let mut height = self.entry_stack_height;
        for op in &self.ops {
            let (consumes, produces) = op.kind.stack_effect();
            height = height
                .checked_sub(consumes)
                .ok_or_else(|| Failure::internal("Access below stack height", op.loc))?;
            height += produces;
        }
        let last = self.ops.last();
        let leaves = last.is_some_and(|op| {
            matches!(op.kind, OpKind::Return | OpKind::RetSub { .. } | OpKind::Err { .. })
        });
        if height != self.exit_stack_height && !leaves {
            return Err(Failure::internal(
                format!(
                    "Stack size at block {label} exit is {height}, expected {}",
                    self.exit_stack_height
                ),
                last.map_or(Loc::NONE, |op| op.loc),
            ));
        }
        Ok(())
    }
}
