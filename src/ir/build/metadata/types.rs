//! Types as ARC-56 names them.

use crate::awst::arc4;
use crate::awst::operators::BytesEncoding;
use crate::awst::wtypes::{ScalarType, WTypeId, WTypeKind, WTypes};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

/// Whether the AVM stores an integer as such, or the storage only takes bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Integers {
    Native,
    Encoded,
}

/// The ARC-56 type of a key that the source wrote this way.
pub fn key_type(encoding: BytesEncoding) -> &'static str {
    if encoding == BytesEncoding::Utf8 { "AVMString" } else { "AVMBytes" }
}

/// The ARC-56 type of values of a type. One that has none is refused, at `loc`.
pub fn arc56_type(
    wtypes: &WTypes<'_>,
    wtype: WTypeId,
    loc: Loc,
    integers: Integers,
) -> Outcome<String> {
    let wtype = match wtypes.kind(wtype) {
        WTypeKind::Tuple { .. } => arc4::arc4_equivalent_or_fail(wtypes, wtype, loc)?,
        _ if wtype == WTypeId::ACCOUNT => WTypeId::ARC4_ADDRESS,
        _ => wtype,
    };
    let facts = wtypes.get(wtype);
    let name = match facts.kind {
        WTypeKind::Arc4Struct { .. } => facts.name,
        kind if kind.is_arc4() => return arc4::arc4_name(wtypes, wtype),
        _ if wtype == WTypeId::STRING => "AVMString",
        _ => match (facts.scalar_type, integers) {
            (Some(ScalarType::UInt64), Integers::Native) => "AVMUint64",
            (Some(ScalarType::UInt64), Integers::Encoded) => "uint64",
            (Some(ScalarType::Bytes) | None, _) => "AVMBytes",
        },
    };
    Ok(name.to_owned())
}
