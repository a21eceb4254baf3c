//! Which kinds of operations a body has, as far as passes look for one kind only: without it such a pass
//! need not look at the body.

use crate::avm::ops::AvmOp;

use super::model::Subroutine;
use super::op::{Intrinsic, Op, OpKind, Source, SourceKind};

/// A set of kinds of operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind at all.
    pub const NONE: Kinds = Kinds(0);
    /// Settings of a field of an inner transaction.
    pub const ITXN_FIELD: Kinds = Kinds(1);
    /// Reads of a field of a submitted inner transaction.
    pub const INNER_TRANSACTION_FIELD: Kinds = Kinds(1 << 1);
    /// Values encoded, and values decoded.
    pub const ENCODE_AND_DECODE: Kinds = Kinds(1 << 2 | 1 << 3);
    /// Reads of an element of an aggregate.
    pub const EXTRACT_VALUE: Kinds = Kinds(1 << 4);
    /// Reads of the content of a box that must exist.
    pub const BOX_READ: Kinds = Kinds(1 << 5);
    /// Instructions that tell whether a box exists.
    pub const BOX_EXISTS: Kinds = Kinds(1 << 6);
    /// Reads or writes of boxes, application state or slots.
    pub const STATE: Kinds = Kinds(1 << 7);

    const ENCODE: Kinds = Kinds(1 << 2);
    const DECODE: Kinds = Kinds(1 << 3);

    /// The kinds of the operations of a body.
    pub fn of_body(sub: &Subroutine) -> Self {
        let kinds = sub.ops_in_order().map(|op| Self::of_op(&sub.ops[op]));
        kinds.fold(Self::NONE, Self::union)
    }
    fn of_op(op: &Op) -> Self {
        match &op.kind {
            OpKind::Assign { source: Source { kind, .. }, .. } => match kind {
                SourceKind::InnerTransactionField { .. } => Self::INNER_TRANSACTION_FIELD,
                SourceKind::ExtractValue { .. } => Self::EXTRACT_VALUE,
                SourceKind::BoxRead { .. } => Self::BOX_READ,
                SourceKind::BytesEncode { .. } => Self::ENCODE,
                SourceKind::DecodeBytes { .. } => Self::DECODE,
                SourceKind::ReadSlot(_) => Self::STATE,
                SourceKind::Intrinsic(intrinsic) => Self::of_instruction(intrinsic),
                _ => Self::NONE,
            },
            OpKind::WriteSlot { .. } => Self::STATE,
            OpKind::Intrinsic(intrinsic) => Self::of_instruction(intrinsic),
            OpKind::Assert { .. } | OpKind::BoxWrite { .. } | OpKind::Invoke(_) => Self::NONE,
        }
    }
    fn of_instruction(intrinsic: &Intrinsic) -> Self {
        match intrinsic.op {
            AvmOp::ItxnField => Self::ITXN_FIELD,
            AvmOp::BoxGet | AvmOp::BoxLen => Self::BOX_EXISTS.union(Self::STATE),
            AvmOp::BoxCreate
            | AvmOp::BoxExtract
            | AvmOp::BoxPut
            | AvmOp::AppGlobalGet
            | AvmOp::AppGlobalGetEx
            | AvmOp::AppGlobalPut
            | AvmOp::AppLocalGet
            | AvmOp::AppLocalGetEx
            | AvmOp::AppLocalPut => Self::STATE,
            _ => Self::NONE,
        }
    }
    /// The kinds of both sets.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether all kinds of `other` are in this set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
