//! Drops settings of an inner transaction's field that a later setting replaces before the transaction
//! is submitted, and settings to the value a new transaction has anyway. Works within a block; fields
//! with several values are left alone.

use crate::avm::fields::TxnField;
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::entity::EntitySet;
use crate::base::ordered::OrderedMap;
use crate::diagnostics::Outcome;
use crate::ir::model::{BlockId, OpId, Subroutine};
use crate::ir::op::{Intrinsic, OpKind};

use super::PassCtx;

/// Fields every new transaction has as zero.
const ZERO_DEFAULTS: [&str; 5] = [
    "ExtraProgramPages",
    "GlobalNumUint",
    "GlobalNumByteSlice",
    "LocalNumUint",
    "LocalNumByteSlice",
];

/// Settings of one transaction.
#[derive(Default)]
struct Group {
    /// Whether the block also starts the transaction.
    has_start: bool,
    settings: OrderedMap<&'static str, Vec<OpId>>,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, _ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut changed = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let removed = superfluous(sub, block);
        if !removed.is_empty() {
            sub.blocks[block].ops.retain(|op| !removed.contains(*op));
            changed = true;
        }
    }
    Ok(changed)
}

fn superfluous(sub: &Subroutine, block: BlockId) -> EntitySet<OpId> {
    let sets_field = |op: &OpId| match &sub.ops[*op].kind {
        OpKind::Intrinsic(intrinsic) => intrinsic.op == AvmOp::ItxnField,
        _ => false,
    };
    if !sub.blocks[block].ops.iter().any(sets_field) {
        return EntitySet::new();
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut open = false;
    for op in &sub.blocks[block].ops {
        let OpKind::Intrinsic(intrinsic) = &sub.ops[*op].kind else { continue };
        match intrinsic.op {
            AvmOp::ItxnBegin | AvmOp::ItxnNext => {
                groups.push(Group { has_start: true, ..Group::default() });
                open = true;
            }
            AvmOp::ItxnSubmit => open = false,
            AvmOp::ItxnField => {
                let [Immediate::Name(field)] = intrinsic.immediates[..] else { continue };
                if is_array_field(field) {
                    continue;
                }
                if !open {
                    groups.push(Group::default());
                    open = true;
                }
                let group = groups.last_mut().expect("a group is open");
                group.settings.entry(field).or_default().push(*op);
            }
            _ => {}
        }
    }
    let mut removed = EntitySet::new();
    for group in &groups {
        for (field, settings) in &group.settings {
            let Some((last, earlier)) = settings.split_last() else { continue };
            earlier.iter().for_each(|op| {
                removed.insert(*op);
            });
            if group.has_start && ZERO_DEFAULTS.contains(field) && sets_zero(sub, *last) {
                removed.insert(*last);
            }
        }
    }
    removed
}

fn is_array_field(field: &str) -> bool {
    TxnField::from_name(field).is_some_and(|field| field.is_array() && field.is_inner_param())
}

fn sets_zero(sub: &Subroutine, op: OpId) -> bool {
    match &sub.ops[op].kind {
        OpKind::Intrinsic(Intrinsic { args, .. }) => {
            matches!(args[..], [value] if value.uint64_constant() == Some(0))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn only_the_last_setting_counts_and_zero_is_the_default() {
        check(
            "elide_itxn_field_calls",
            r#"
            main m:
                block@0: // L1
                    itxn_begin
                    ((itxn_field Fee) 1u)
                    ((itxn_field Fee) 2u)
                    ((itxn_field Applications) 1u)
                    ((itxn_field Applications) 2u)
                    ((itxn_field ExtraProgramPages) 0u)
                    itxn_submit
                    ((itxn_field GlobalNumUint) 0u)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    itxn_begin
                    ((itxn_field Fee) 2u)
                    ((itxn_field Applications) 1u)
                    ((itxn_field Applications) 2u)
                    itxn_submit
                    ((itxn_field GlobalNumUint) 0u)
                    exit 1u
            "#,
        );
    }
}
