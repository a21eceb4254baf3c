//! Structs as a specification describes them: types with named fields in, names and fields out. Spec 60
//! §7, step 4.

use crate::awst::arc4;
use crate::awst::wtypes::{WTypeField, WTypeId, WTypeKind, WTypes};
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::{Struct, StructField};

/// The structs among some types and in the fields of those, sorted by name. The last is looked at first,
/// with its fields, and the first definition of a name counts.
pub fn mentioned(
    wtypes: &WTypes<'_>,
    types: impl Iterator<Item = WTypeId>,
) -> Outcome<OrderedMap<String, Struct>> {
    let is_struct = |wtype: &WTypeId| fields(wtypes, *wtype).is_some();
    let mut pending: Vec<WTypeId> = types.filter(is_struct).collect();
    let mut found: OrderedMap<String, Struct> = OrderedMap::default();
    while let Some(wtype) = pending.pop() {
        let name = wtypes.name(wtype);
        if found.contains_key(name) {
            continue;
        }
        let members = fields(wtypes, wtype).unwrap_or_default().into_iter();
        pending.extend(members.map(|field| field.wtype).filter(is_struct));
        found.insert(name.to_owned(), describe(wtypes, wtype)?);
    }
    found.sort_keys();
    Ok(found)
}

/// The fields of a struct or named tuple; none for every other type.
fn fields<'s>(wtypes: &WTypes<'s>, wtype: WTypeId) -> Option<Vec<WTypeField<'s>>> {
    let fields = match wtypes.kind(wtype) {
        WTypeKind::Arc4Struct { fields, .. } => fields.to_vec(),
        WTypeKind::Tuple { types, names: Some(names), .. } => names
            .iter()
            .zip(types)
            .map(|(name, wtype)| WTypeField { name, wtype: *wtype, description: None })
            .collect(),
        _ => return None,
    };
    (!fields.is_empty()).then_some(fields)
}

/// The full name of a type with named fields.
pub fn name(wtypes: &WTypes<'_>, wtype: WTypeId) -> Option<String> {
    fields(wtypes, wtype).map(|_| wtypes.name(wtype).to_owned())
}

/// Describes a type with named fields.
pub fn describe(wtypes: &WTypes<'_>, wtype: WTypeId) -> Outcome<Struct> {
    let desc = match wtypes.kind(wtype) {
        WTypeKind::Arc4Struct { desc, .. } | WTypeKind::Tuple { desc, .. } => desc,
        _ => None,
    };
    let Some(fields) = fields(wtypes, wtype) else {
        // PARITY: the reference asserts that there are fields, pinned by py_e35_empty_event.
        return Err(Failure::internal("AssertionError: ", Loc::NONE));
    };
    let field = |field: WTypeField<'_>| {
        let encoded = if wtypes.kind(field.wtype).is_arc4() {
            field.wtype
        } else {
            arc4::arc4_equivalent_or_fail(wtypes, field.wtype, Loc::NONE)?
        };
        Ok(StructField {
            name: field.name.to_owned(),
            arc4_type: arc4::arc4_name(wtypes, encoded)?,
            struct_name: name(wtypes, encoded),
            desc: field.description.map(str::to_owned),
        })
    };
    Ok(Struct {
        full_name: wtypes.name(wtype).to_owned(),
        desc: desc.map(str::to_owned),
        fields: fields.into_iter().map(field).collect::<Outcome<_>>()?,
    })
}
