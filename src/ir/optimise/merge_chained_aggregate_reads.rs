//! Reads an element of an element in one step: `let a = extract_value(x, 1)` and
//! `let b = extract_value(a, 2)` make `let b = extract_value(x, 1, 2)`.
//!
//! Each read follows its chain to the end, so a chain costs the square of its length, which is that of
//! the path it makes.

use crate::base::entity::SecondaryMap;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;
use crate::ir::model::{OpId, Subroutine};
use crate::ir::op::{RegisterId, Source, SourceKind, Value};

use super::{PassCtx, set_source};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let edits = find(sub, ctx.ir);
    let changed = !edits.is_empty();
    for (op, source) in edits {
        set_source(sub, ctx.ir, op, source)?;
    }
    Ok(changed)
}

fn find(sub: &Subroutine, ctx: Ctx<'_, '_>) -> Vec<(OpId, Source)> {
    let mut place_of: SecondaryMap<RegisterId, Option<usize>> = SecondaryMap::new();
    let mut reads: Vec<(OpId, &Source)> = Vec::new();
    for op in sub.ops_in_order() {
        if let Some((target, source)) = sub.single_assignment(op)
            && matches!(source.kind, SourceKind::ExtractValue { .. })
        {
            place_of[target.id] = Some(reads.len());
            reads.push((op, source));
        }
    }
    let inner = |base: &Value| match base {
        Value::Register(register) => place_of[register.id].map(|place| reads[place].1),
        _ => None,
    };
    let mut edits = Vec::new();
    for (op, source) in &reads {
        let SourceKind::ExtractValue { base, base_ty, indexes, check_bounds, ty } = &source.kind
        else {
            continue;
        };
        if inner(base).is_none() {
            continue;
        }
        let (mut base, mut base_ty, mut check_bounds) = (base, base_ty, *check_bounds);
        let (mut path, mut loc) = (vec![indexes], source.loc);
        while let Some(Source {
            kind: SourceKind::ExtractValue { base: b, base_ty: t, indexes, check_bounds: c, .. },
            loc: inner_loc,
        }) = inner(base)
        {
            (base, base_ty) = (b, t);
            check_bounds |= *c;
            path.push(indexes);
            loc = ctx.merge_locs([loc, *inner_loc]);
        }
        let kind = SourceKind::ExtractValue {
            base: *base,
            base_ty: *base_ty,
            indexes: path.into_iter().rev().flatten().copied().collect(),
            check_bounds,
            ty: *ty,
        };
        edits.push((*op, Source { kind, loc }));
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_chain_of_reads_is_one_path() {
        check(
            "merge_chained_aggregate_reads",
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded((uint8,uint64),uint64) = (txn Note)
                    let b#0: Encoded(uint8,uint64) = extract_value(a#0, 0)
                    let i#0: uint64 = (txn Fee)
                    let c#0: Encoded(uint64) = extract_value(b#0, 1)
                    exit i#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded((uint8,uint64),uint64) = (txn Note)
                    let b#0: Encoded(uint8,uint64) = extract_value(a#0, 0)
                    let i#0: uint64 = (txn Fee)
                    let c#0: Encoded(uint64) = extract_value(a#0, 0, 1)
                    exit i#0
            "#,
        );
    }
}
