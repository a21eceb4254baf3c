//! Constants as the bytes the AVM sees.

use crate::base::encode::{method_selector, public_key_of};
use crate::ir::Ctx;
use crate::ir::op::Constant;
use crate::ir::pool::BytesId;

/// The bytes of a constant that is bytes to the AVM.
pub(super) fn constant_bytes(ctx: Ctx<'_, '_>, constant: Constant) -> Option<BytesId> {
    match constant {
        Constant::Bytes { data, .. } | Constant::BigUInt(data) => Some(data),
        Constant::Address { text, .. } => {
            public_key_of(ctx.text(text)).map(|key| ctx.pool.bytes_id(&key))
        }
        Constant::Method(signature) => {
            Some(ctx.pool.bytes_id(&method_selector(ctx.text(signature))))
        }
        Constant::UInt64 { .. } | Constant::Itxn { .. } | Constant::Slot { .. } => None,
    }
}
