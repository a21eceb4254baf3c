//! Splits a copy of several values into copies of one value each, so that later passes meet only
//! those. `let (a, b) = (x, y)` becomes `let a = x` and `let b = y`. No target may be among the
//! values.

use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::Subroutine;
use crate::ir::op::{OpKind, Source, SourceKind, Value};
use crate::ir::targets::Targets;

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, _ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut changed = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        if !sub.blocks[block].ops.iter().any(|op| sub.is_parallel_copy(*op)) {
            continue;
        }
        changed = true;
        let old = std::mem::take(&mut sub.blocks[block].ops);
        let mut ops = Vec::with_capacity(old.len() + 4);
        for op in old {
            if !sub.is_parallel_copy(op) {
                ops.push(op);
                continue;
            }
            let loc = sub.ops[op].loc;
            let (targets, values) = parts(&mut sub.ops[op].kind);
            if targets.iter().any(|target| values.contains(&Value::Register(*target))) {
                return Err(Failure::internal("tuple copy requires sequentialization", loc));
            }
            for (target, value) in targets.iter().zip(values) {
                ops.push(sub.make_assign((*target).into(), Source::value(value), loc));
            }
        }
        sub.blocks[block].ops = ops;
    }
    Ok(changed)
}

/// Takes the parts out of a parallel copy that is being replaced.
fn parts(kind: &mut OpKind) -> (Targets, Vec<Value>) {
    match kind {
        OpKind::Assign {
            targets,
            source: Source { kind: SourceKind::ValueTuple { values, .. }, .. },
        } => (std::mem::replace(targets, Targets::NONE), std::mem::take(values)),
        _ => unreachable!("asked only for parallel copies"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_tuple_copy_becomes_single_copies() {
        check(
            "_split_parallel_copies",
            r#"
            main m:
                block@0: // L1
                    let (a#0: uint64, b#0: bytes) = (1u, 0x01)
                    let c#0: uint64 = (+ a#0 1u)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 1u
                    let b#0: bytes = 0x01
                    let c#0: uint64 = (+ a#0 1u)
                    exit c#0
            "#,
        );
    }
}
