//! The state a contract declares: entries by kind, and how many slots they take. Spec 60 §7, steps 1
//! and 2.

use crate::awst::decl::{AppStorageDefinition, StateTotals as DeclaredTotals};
use crate::awst::wtypes::ScalarType;
use crate::base::ordered::OrderedMap;
use crate::diagnostics::Outcome;
use crate::metadata::{ContractState, StateTotals, StorageKind, StorageType};

use super::super::BuildCtx;
use super::types::{Integers, arc56_type, key_type};

/// Entries by member name.
type Entries = OrderedMap<String, ContractState>;

/// A kind of slot that is counted: its name, in which entries, what is stored, how many are declared.
type Slot = (&'static str, StorageKind, StorageType, fn(DeclaredTotals) -> Option<i64>);
const SLOTS: [Slot; 4] = [
    ("global_uints", StorageKind::Global, StorageType::Uint64, |declared| declared.global_uints),
    ("local_uints", StorageKind::Local, StorageType::Uint64, |declared| declared.local_uints),
    ("global_bytes", StorageKind::Global, StorageType::Bytes, |declared| declared.global_bytes),
    ("local_bytes", StorageKind::Local, StorageType::Bytes, |declared| declared.local_bytes),
];

/// Global state, local state and boxes.
pub fn by_kind(
    ctx: &BuildCtx<'_, '_>,
    definitions: &[AppStorageDefinition<'_>],
) -> Outcome<[Entries; 3]> {
    let mut kinds: [Entries; 3] = Default::default();
    for definition in definitions {
        let name = ctx.ir.text(definition.member_name).to_owned();
        kinds[definition.kind as usize].insert(name, entry(ctx, definition)?);
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
/// entries take. And what it has to be warned of: that these are too few or too many.
pub fn totals(
    declared: Option<DeclaredTotals>,
    entries: &[Entries; 3],
) -> (StateTotals, Vec<String>) {
    let mut too_few = Vec::new();
    let slots = SLOTS.map(|(name, kind, stored, declared_of)| {
        let counts = |entry: &&ContractState| !entry.is_map && entry.storage_type == stored;
        let calculated = entries[kind as usize].values().filter(counts).count() as u64;
        let Some(declared) = declared.and_then(declared_of) else { return calculated };
        if declared < i64::try_from(calculated).unwrap_or(i64::MAX) {
            too_few.push(format!("{name}: declared={declared}, calculated={calculated}"));
        }
        u64::try_from(declared).unwrap_or(0)
    });
    let mut warnings = Vec::new();
    if !too_few.is_empty() {
        too_few.sort();
        warnings.push(format!(
            "State totals declared on the class are less than totals calculated from \
             explicitly declared properties: {}.",
            too_few.join(", ")
        ));
    }
    let [global_uints, local_uints, global_bytes, local_bytes] = slots;
    let totals = StateTotals { global_uints, local_uints, global_bytes, local_bytes };
    let keys =
        [("global", global_uints, global_bytes, 64), ("local", local_uints, local_bytes, 16)];
    for (kind, uints, bytes, max) in keys {
        let keys = uints.saturating_add(bytes);
        if keys > max {
            warnings.push(format!(
                "Total {kind} state key count of {keys} exceeds consensus parameter value {max}"
            ));
        }
    }
    (totals, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::source::Loc;

    /// The totals for entries of global and of local state, given by a letter each (`u` an integer, `b`
    /// bytes, `m` a map), and the warnings.
    fn check(entries: [&str; 2], declared: Option<DeclaredTotals>, expected: &str) {
        let entry = |(number, letter): (usize, char)| {
            let entry = ContractState {
                name: format!("{letter}{number}"),
                loc: Loc::NONE,
                key_or_prefix: Vec::new(),
                arc56_key_type: String::new(),
                arc56_value_type: String::new(),
                storage_type: if letter == 'u' { StorageType::Uint64 } else { StorageType::Bytes },
                desc: None,
                is_map: letter == 'm',
            };
            (entry.name.clone(), entry)
        };
        let [global, local] =
            entries.map(|letters| letters.chars().enumerate().map(entry).collect());
        let (totals, warnings) = totals(declared, &[global, local, Entries::default()]);
        let StateTotals { global_uints, global_bytes, local_uints, local_bytes } = totals;
        let mut lines = vec![format!("{global_uints}+{global_bytes} {local_uints}+{local_bytes}")];
        lines.extend(warnings);
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn declared_totals_take_the_place_of_counted_ones() {
        check(["uubm", "ubbb"], None, "2+1 1+3");
        let declared = DeclaredTotals {
            global_uints: Some(1),
            local_uints: None,
            global_bytes: Some(0),
            local_bytes: Some(4),
        };
        let expected = "1+0 1+4\n\
            State totals declared on the class are less than totals calculated from explicitly \
            declared properties: global_bytes: declared=0, calculated=1, \
            global_uints: declared=1, calculated=2.";
        check(["uubm", "ubbb"], Some(declared), expected);
    }

    #[test]
    fn more_keys_than_an_application_may_have_are_told() {
        let expected = "0+0 9+8\n\
            Total local state key count of 17 exceeds consensus parameter value 16";
        check(["m", "ububububububububu"], None, expected);
        let expected = "65+0 0+0\n\
            Total global state key count of 65 exceeds consensus parameter value 64";
        check([&"u".repeat(65), "m"], None, expected);
    }
}
