//! Computes an expression once: when an equal one is computed on every path to an assignment, the
//! assignment becomes a copy of the earlier result. Drops assertions of a value already asserted on
//! every path. Copies are propagated and the search repeated until it finds nothing.
//!
//! Considered are pure instructions with operands, and the aggregate operations that compute a value.
//! Messages, locations and result types do not make a difference.

use std::hash::{Hash, Hasher};

use crate::avm::ops::Purity;
use crate::base::entity::EntitySet;
use crate::base::ordered::{LookupMap, LookupSet};
use crate::diagnostics::Outcome;
use crate::ir::dominators::DominatorTree;
use crate::ir::model::{BlockId, OpId, Subroutine};
use crate::ir::op::{OpKind, Source, SourceKind, Value};

use super::{PassCtx, copy_propagation, set_source};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let tree = DominatorTree::compute(sub);
    let mut changed = false;
    loop {
        let found = search(sub, &tree);
        if found.repeats.is_empty() && found.asserts.is_empty() {
            return Ok(changed);
        }
        changed = true;
        apply(sub, ctx, found)?;
        // PARITY: a second use of another pass; the table cannot express the repetition of both
        copy_propagation::run(sub, ctx)?;
    }
}

/// What a search found.
#[derive(Default)]
struct Found {
    /// Repeated assignments: block, assignment, the one it repeats.
    repeats: Vec<(BlockId, OpId, OpId)>,
    /// Repeated assertions and their blocks.
    asserts: EntitySet<OpId>,
    assert_blocks: Vec<BlockId>,
}

/// The parts of a source that make two of them compute the same.
#[derive(Clone, Copy)]
struct Key<'a>(&'a SourceKind);

impl<'a> Key<'a> {
    fn of(source: &'a Source) -> Option<Self> {
        let considered = match &source.kind {
            SourceKind::Intrinsic(intrinsic) => {
                !intrinsic.args.is_empty() && intrinsic.op.purity() == Purity::Pure
            }
            SourceKind::ExtractValue { .. }
            | SourceKind::ReplaceValue { .. }
            | SourceKind::BytesEncode { .. }
            | SourceKind::DecodeBytes { .. } => true,
            _ => false,
        };
        considered.then_some(Self(&source.kind))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        use SourceKind::{BytesEncode, DecodeBytes, ExtractValue, Intrinsic, ReplaceValue};
        match (self.0, other.0) {
            (Intrinsic(a), Intrinsic(b)) => {
                a.op == b.op && a.immediates == b.immediates && a.args == b.args
            }
            (
                ExtractValue { base, base_ty, indexes, check_bounds, ty: _ },
                ExtractValue { base: b, base_ty: bt, indexes: i, check_bounds: c, ty: _ },
            ) => base == b && base_ty == bt && indexes == i && check_bounds == c,
            (
                ReplaceValue { base, base_ty, indexes, value },
                ReplaceValue { base: b, base_ty: bt, indexes: i, value: v },
            ) => base == b && base_ty == bt && indexes == i && value == v,
            (
                BytesEncode { encoding, values, values_ty, error_message_override: _ },
                BytesEncode { encoding: e, values: v, values_ty: vt, error_message_override: _ },
            ) => encoding == e && values == v && values_ty == vt,
            (
                DecodeBytes { encoding, value, ty, error_message_override: _ },
                DecodeBytes { encoding: e, value: v, ty: t, error_message_override: _ },
            ) => encoding == e && value == v && ty == t,
            _ => false,
        }
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self.0).hash(state);
        match self.0 {
            SourceKind::Intrinsic(intrinsic) => {
                (intrinsic.op, &intrinsic.immediates, &intrinsic.args).hash(state);
            }
            SourceKind::ExtractValue { base, indexes, .. } => (base, indexes).hash(state),
            SourceKind::ReplaceValue { base, indexes, value, .. } => {
                (base, indexes, value).hash(state);
            }
            SourceKind::BytesEncode { encoding, values, .. } => (encoding, values).hash(state),
            SourceKind::DecodeBytes { value, .. } => value.hash(state),
            _ => {}
        }
    }
}

/// What is known on the path from the entry to a block; leaving a block forgets what it added.
#[derive(Default)]
struct Known<'a> {
    computed: LookupMap<Key<'a>, OpId>,
    asserted: LookupSet<Value>,
    added_keys: Vec<Key<'a>>,
    added_asserts: Vec<Value>,
}

enum Step {
    Enter(BlockId),
    /// Back to this many keys and assertions.
    Leave(usize, usize),
}

fn search(sub: &Subroutine, tree: &DominatorTree) -> Found {
    let mut found = Found::default();
    let mut known = Known::default();
    let mut steps = vec![Step::Enter(tree.entry())];
    while let Some(step) = steps.pop() {
        match step {
            Step::Leave(keys, asserts) => {
                for key in known.added_keys.drain(keys..) {
                    known.computed.remove(&key);
                }
                for value in known.added_asserts.drain(asserts..) {
                    known.asserted.remove(&value);
                }
            }
            Step::Enter(block) => {
                steps.push(Step::Leave(known.added_keys.len(), known.added_asserts.len()));
                search_block(sub, block, &mut known, &mut found);
                steps.extend(tree.children(block).iter().rev().map(|child| Step::Enter(*child)));
            }
        }
    }
    found
}

fn search_block<'a>(sub: &'a Subroutine, block: BlockId, known: &mut Known<'a>, found: &mut Found) {
    for op in &sub.blocks[block].ops {
        match &sub.ops[*op].kind {
            OpKind::Assign { source, .. } => {
                let Some(key) = Key::of(source) else { continue };
                match known.computed.get(&key) {
                    Some(first) => found.repeats.push((block, *op, *first)),
                    None => {
                        known.computed.insert(key, *op);
                        known.added_keys.push(key);
                    }
                }
            }
            OpKind::Assert { condition, .. } => {
                if known.asserted.insert(*condition) {
                    known.added_asserts.push(*condition);
                } else {
                    found.asserts.insert(*op);
                    if found.assert_blocks.last() != Some(&block) {
                        found.assert_blocks.push(block);
                    }
                }
            }
            _ => {}
        }
    }
}

fn apply(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>, found: Found) -> Outcome<()> {
    for (block, op, first) in found.repeats {
        let sources = sub.ops[first].targets().to_vec();
        if let [source] = sources[..] {
            set_source(sub, ctx.ir, op, Source::value(Value::Register(source)))?;
            continue;
        }
        let targets = sub.ops[op].targets().to_vec();
        let loc = sub.ops[op].loc;
        let mut copies = Vec::with_capacity(targets.len());
        for (target, source) in targets.into_iter().zip(sources) {
            let copy = Source::value(Value::Register(source));
            copies.push(sub.make_assign(vec![target], copy, loc));
        }
        let ops = &mut sub.blocks[block].ops;
        let place = ops.iter().position(|other| *other == op);
        let place = place.expect("a repeated assignment is in its block");
        ops.splice(place..=place, copies);
    }
    for block in found.assert_blocks {
        sub.blocks[block].ops.retain(|op| !found.asserts.contains(*op));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn an_expression_is_computed_once_per_path() {
        check(
            "repeated_expression_elimination",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (+ a#0 1u)
                    (assert b#0)
                    goto a#0 ? block@1 : block@2
                block@1: // L2
                    let c#0: uint64 = (+ a#0 1u)
                    let d#0: uint64 = (+ c#0 2u)
                    (assert c#0)
                    exit d#0
                block@2: // L3
                    let e#0: uint64 = (+ b#0 2u)
                    let f#0: uint64 = (txn Fee)
                    let (h#0: uint64, l#0: uint64) = (addw a#0 e#0)
                    let (i#0: uint64, j#0: uint64) = (addw a#0 e#0) // on error: other
                    let k#0: uint64 = (+ i#0 f#0)
                    exit k#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (+ a#0 1u)
                    (assert b#0)
                    goto a#0 ? block@1 : block@2
                block@1: // L2
                    let d#0: uint64 = (+ b#0 2u)
                    exit d#0
                block@2: // L3
                    let e#0: uint64 = (+ b#0 2u)
                    let f#0: uint64 = (txn Fee)
                    let (h#0: uint64, l#0: uint64) = (addw a#0 e#0)
                    let k#0: uint64 = (+ h#0 f#0)
                    exit k#0
            "#,
        );
    }
}
