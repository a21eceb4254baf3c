//! The state a contract declares: entries by kind, and how many slots they take. Spec 60 §7, steps 1
//! and 2.

use crate::awst::decl::{AppStorageDefinition, Contract, StateTotals as DeclaredTotals};
use crate::awst::wtypes::ScalarType;
use crate::base::ordered::OrderedMap;
use crate::diagnostics::{Outcome, Sink};
use crate::metadata::{ContractState, StateTotals, StorageKind, StorageType};

use super::super::BuildCtx;
use super::types::{Integers, arc56_type, key_type};

/// Entries by member name.
type Entries = OrderedMap<String, ContractState>;

/// Entries that each kind may have.
const KEYS_MAX: [(&str, u64); 2] = [("global", 64), ("local", 16)];

/// Slots that are counted: name, place of the entries, what is stored, how many are declared.
type Count = (&'static str, usize, StorageType, fn(&DeclaredTotals) -> Option<i64>);
const COUNTS: [Count; 4] = [
    ("global_uints", 0, StorageType::Uint64, |declared| declared.global_uints),
    ("local_uints", 1, StorageType::Uint64, |declared| declared.local_uints),
    ("global_bytes", 0, StorageType::Bytes, |declared| declared.global_bytes),
    ("local_bytes", 1, StorageType::Bytes, |declared| declared.local_bytes),
];

/// Global state, local state and boxes.
pub fn by_kind(
    ctx: &BuildCtx<'_, '_>,
    definitions: &[AppStorageDefinition<'_>],
) -> Outcome<[Entries; 3]> {
    let mut kinds: [Entries; 3] = Default::default();
    for definition in definitions {
        let name = ctx.ir.text(definition.member_name).to_owned();
        let kind = match definition.kind {
            StorageKind::Global => 0,
            StorageKind::Local => 1,
            StorageKind::Box => 2,
        };
        kinds[kind].insert(name, entry(ctx, definition)?);
    }
    Ok(kinds)
}

fn entry(ctx: &BuildCtx<'_, '_>, definition: &AppStorageDefinition<'_>) -> Outcome<ContractState> {
    let wtypes = ctx.wtypes;
    let AppStorageDefinition { loc, key_wtype, storage_wtype, .. } = *definition;
    let key = definition.key_constant();
    let integers = match definition.kind {
        StorageKind::Global | StorageKind::Local => Integers::Native,
        StorageKind::Box => Integers::Encoded,
    };
    let storage_type = match (wtypes.get(storage_wtype).scalar_type, integers) {
        (Some(ScalarType::UInt64), Integers::Native) => StorageType::Uint64,
        _ => StorageType::Bytes,
    };
    Ok(ContractState {
        name: ctx.ir.text(definition.member_name).to_owned(),
        loc,
        key_or_prefix: key.value.to_vec(),
        arc56_key_type: match key_wtype {
            Some(wtype) => arc56_type(wtypes, wtype, loc, Integers::Encoded)?,
            None => key_type(key.encoding).to_owned(),
        },
        arc56_value_type: arc56_type(wtypes, storage_wtype, loc, integers)?,
        storage_type,
        desc: definition.description.map(str::to_owned),
        is_map: key_wtype.is_some(),
    })
}

/// How many slots of global and local state a contract asks for: as many as it declares, or else as its
/// entries take. Too few and too many are worth a warning.
pub fn totals(sink: &Sink, contract: &Contract<'_>, entries: [&Entries; 2]) -> StateTotals {
    let mut too_few = Vec::new();
    let [global_uints, local_uints, global_bytes, local_bytes] =
        COUNTS.map(|(name, kind, stored, declared)| {
            let counts = |entry: &&ContractState| !entry.is_map && entry.storage_type == stored;
            let calculated = entries[kind].values().filter(counts).count() as u64;
            let Some(declared) = contract.state_totals.as_ref().and_then(declared) else {
                return calculated;
            };
            if declared < i64::try_from(calculated).unwrap_or(i64::MAX) {
                too_few.push(format!("{name}: declared={declared}, calculated={calculated}"));
            }
            u64::try_from(declared).unwrap_or(0)
        });
    if !too_few.is_empty() {
        too_few.sort();
        let too_few = too_few.join(", ");
        let message = format!(
            "State totals declared on the class are less than totals calculated from \
             explicitly declared properties: {too_few}."
        );
        sink.warning(message, contract.loc);
    }
    let keys = [(global_uints, global_bytes), (local_uints, local_bytes)];
    for ((kind, max), (uints, bytes)) in KEYS_MAX.into_iter().zip(keys) {
        let total = uints.saturating_add(bytes);
        if total > max {
            let message = format!(
                "Total {kind} state key count of {total} exceeds consensus parameter value {max}"
            );
            sink.warning(message, contract.loc);
        }
    }
    StateTotals { global_uints, local_uints, global_bytes, local_bytes }
}
