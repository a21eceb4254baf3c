//! Sets of ops that rewrites ask about.

use crate::avm::ops::AvmOp;
use crate::teal::model::OpKind;

/// Pushes one value without reading the stack, so it can be moved over ops that only shuffle.
pub(super) fn is_load(kind: &OpKind) -> bool {
    match kind {
        OpKind::Int { .. }
        | OpKind::Byte { .. }
        | OpKind::TemplateInt(_)
        | OpKind::TemplateByte(_)
        | OpKind::PushInt { .. }
        | OpKind::PushBytes { .. } => true,
        OpKind::IntC { index, .. } | OpKind::BytesC { index, .. } => *index < 4,
        OpKind::Intrinsic(intrinsic) => matches!(
            intrinsic.op,
            AvmOp::Arg
                | AvmOp::Arg0
                | AvmOp::Arg1
                | AvmOp::Arg2
                | AvmOp::Arg3
                | AvmOp::Gaid
                | AvmOp::Gload
                | AvmOp::Global
                | AvmOp::Gtxn
                | AvmOp::Gtxna
                | AvmOp::Load
                | AvmOp::Txn
                | AvmOp::Txna
                | AvmOp::Gitxn
                | AvmOp::Gitxna
                | AvmOp::Itxn
                | AvmOp::Itxna
        ),
        _ => false,
    }
}

/// A load, or a copy of an entry below.
pub(super) fn is_load_or_dig(kind: &OpKind) -> bool {
    is_load(kind) || matches!(kind, OpKind::Dig(_) | OpKind::FrameDig(_))
}

/// A load, or a copy of a parameter; both give the same value anywhere in a block.
pub(super) fn is_constant_load(kind: &OpKind) -> bool {
    is_load(kind) || matches!(kind, OpKind::FrameDig(n) if *n < 0)
}

/// Takes one value from the stack and leaves none.
pub(super) fn is_store(kind: &OpKind) -> bool {
    match kind {
        OpKind::FrameBury(_) | OpKind::Pop | OpKind::Store(_) => true,
        OpKind::Intrinsic(intrinsic) => {
            matches!(intrinsic.op, AvmOp::AppGlobalDel | AvmOp::ItxnField | AvmOp::Store)
        }
        _ => false,
    }
}

/// The order of the two operands does not matter.
pub(super) fn is_commutative(op: AvmOp) -> bool {
    matches!(
        op.code(),
        "+" | "*"
            | "&"
            | "&&"
            | "|"
            | "||"
            | "^"
            | "=="
            | "!="
            | "b*"
            | "b+"
            | "b&"
            | "b|"
            | "b^"
            | "b=="
            | "b!="
            | "addw"
            | "mulw"
    )
}

/// The comparison that holds when both operands are exchanged.
pub(super) fn mirrored_ordering(op: AvmOp) -> Option<AvmOp> {
    Some(match op {
        AvmOp::Lt => AvmOp::Gt,
        AvmOp::Lte => AvmOp::Gte,
        AvmOp::Gt => AvmOp::Lt,
        AvmOp::Gte => AvmOp::Lte,
        AvmOp::LtBytes => AvmOp::GtBytes,
        AvmOp::LteBytes => AvmOp::GteBytes,
        AvmOp::GtBytes => AvmOp::LtBytes,
        AvmOp::GteBytes => AvmOp::LteBytes,
        _ => return None,
    })
}
