//! Computes an expression once: when an equal one is computed on every path to an assignment, the
//! assignment becomes a copy of the earlier result. Drops assertions of a value already asserted on
//! every path. Copies are propagated and the search repeated until it finds nothing.
//!
//! Considered are pure instructions with operands, and the aggregate operations that compute a value.
//! Messages, locations and result types do not make a difference.
//!
//! A search sorts the expressions of the whole body into classes of equal ones first. Only where a class
//! has two members does it matter which blocks dominate which. There is one more search than there are
//! repetitions that only the propagation of copies brought to light.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::avm::ops::Purity;
use crate::base::entity::{EntitySet, SecondaryMap};
use crate::diagnostics::Outcome;
use crate::ir::dominators::DominatorTree;
use crate::ir::model::{BlockId, OpId, Subroutine};
use crate::ir::op::{OpKind, Source, SourceKind, Value};

use super::{PassCtx, copy_propagation, set_source};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut tree: Option<DominatorTree> = None;
    let mut changed = false;
    while let Some(classes) = Classes::sort(sub) {
        // nothing below changes an edge
        let tree = tree.get_or_insert_with(|| DominatorTree::compute(sub));
        let found = search(sub, tree, &classes);
        if found.repeats.is_empty() && found.asserts.is_empty() {
            break;
        }
        changed = true;
        apply(sub, ctx, found)?;
        // PARITY: a second use of another pass; the table cannot express the repetition of both
        copy_propagation::run(sub, ctx)?;
    }
    Ok(changed)
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

/// What makes two operations repeat each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key<'a> {
    Computed(Expression<'a>),
    Asserted(Value),
}

impl<'a> Key<'a> {
    fn of(kind: &'a OpKind) -> Option<Self> {
        match kind {
            OpKind::Assign { source, .. } => Expression::of(source).map(Key::Computed),
            OpKind::Assert { condition, .. } => Some(Key::Asserted(*condition)),
            _ => None,
        }
    }
    fn hash(self) -> u64 {
        let mut hasher = FxHasher::default();
        match self {
            Key::Computed(expression) => expression.hash(&mut hasher),
            Key::Asserted(value) => value.hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// Gives equal keys one number, dense and in the order of first mention: a hash table with linear
/// probing that has room for as many keys as the body has operations.
struct Numbers<'a> {
    keys: Vec<Key<'a>>,
    /// Number of a key plus one, 0 where there is none.
    slots: Vec<u32>,
}

impl<'a> Numbers<'a> {
    fn with_capacity(keys: usize) -> Self {
        let slots = vec![0; (2 * keys + 1).next_power_of_two()];
        Self { keys: Vec::with_capacity(keys), slots }
    }
    fn number(&mut self, key: Key<'a>) -> u32 {
        let mask = self.slots.len() - 1;
        let mut place = key.hash() as usize & mask;
        loop {
            match self.slots[place] {
                0 => break,
                known if self.keys[known as usize - 1] == key => return known - 1,
                _ => place = (place + 1) & mask,
            }
        }
        self.keys.push(key);
        let count = u32::try_from(self.keys.len()).expect("fewer than 2^32 operations");
        self.slots[place] = count;
        count - 1
    }
}

/// The parts of a source that make two of them compute the same.
#[derive(Clone, Copy)]
struct Expression<'a>(&'a SourceKind);

impl<'a> Expression<'a> {
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

impl PartialEq for Expression<'_> {
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

impl Eq for Expression<'_> {}

impl Hash for Expression<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            SourceKind::Intrinsic(intrinsic) => {
                // names of fields take long to hash and seldom differ alone
                state.write_usize(intrinsic.op as usize);
                intrinsic.args.iter().for_each(|arg| arg.hash(state));
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

/// The considered operations of a body, by what they compute or assert.
struct Classes {
    /// The class of each operation in body order; none for those that are not considered.
    of_ops: Vec<Option<u32>>,
    /// The places of a block's operations in that list start here.
    first_places: SecondaryMap<BlockId, u32>,
    /// How many classes there are.
    count: usize,
}

impl Classes {
    /// None when no two operations are equal.
    fn sort(sub: &Subroutine) -> Option<Self> {
        let ops = sub.op_count();
        if ops < 2 {
            return None;
        }
        let mut numbers = Numbers::with_capacity(ops);
        let mut of_ops = Vec::with_capacity(ops);
        let mut first_places = SecondaryMap::with_len(sub.blocks.len());
        let mut considered = 0;
        for block in &sub.body {
            first_places[*block] = u32::try_from(of_ops.len()).expect("fewer than 2^32 operations");
            for op in &sub.blocks[*block].ops {
                let key = Key::of(&sub.ops[*op].kind);
                considered += usize::from(key.is_some());
                of_ops.push(key.map(|key| numbers.number(key)));
            }
        }
        let count = numbers.keys.len();
        (count < considered).then_some(Self { of_ops, first_places, count })
    }
}

/// The operation that is known to stand for its class on the path from the entry to a block; leaving a
/// block forgets what it added.
struct Known {
    first: Vec<Option<OpId>>,
    added: Vec<u32>,
}

enum Step {
    Enter(BlockId),
    /// Back to this many classes.
    Leave(usize),
}

fn search(sub: &Subroutine, tree: &DominatorTree, classes: &Classes) -> Found {
    let mut found = Found::default();
    let mut known = Known { first: vec![None; classes.count], added: Vec::new() };
    let mut steps = vec![Step::Enter(tree.entry())];
    while let Some(step) = steps.pop() {
        match step {
            Step::Leave(added) => {
                for class in known.added.drain(added..) {
                    known.first[class as usize] = None;
                }
            }
            Step::Enter(block) => {
                steps.push(Step::Leave(known.added.len()));
                search_block(sub, block, classes, &mut known, &mut found);
                steps.extend(tree.children_from_last(block).map(Step::Enter));
            }
        }
    }
    found
}

fn search_block(
    sub: &Subroutine,
    block: BlockId,
    classes: &Classes,
    known: &mut Known,
    found: &mut Found,
) {
    let ops = &sub.blocks[block].ops;
    let of_ops = &classes.of_ops[classes.first_places[block] as usize..][..ops.len()];
    for (op, class) in ops.iter().zip(of_ops) {
        let Some(class) = *class else { continue };
        match known.first[class as usize] {
            None => {
                known.first[class as usize] = Some(*op);
                known.added.push(class);
            }
            Some(first) if matches!(sub.ops[*op].kind, OpKind::Assign { .. }) => {
                found.repeats.push((block, *op, first));
            }
            Some(_) => {
                found.asserts.insert(*op);
                if found.assert_blocks.last() != Some(&block) {
                    found.assert_blocks.push(block);
                }
            }
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
            copies.push(sub.make_assign(target.into(), copy, loc));
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
