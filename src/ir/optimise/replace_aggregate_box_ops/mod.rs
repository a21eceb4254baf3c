//! Lets operations on a part of a box's content work in the box instead of on a copy of the whole
//! content, which may be too long for the AVM's stack. Spec 22 §11.
//!
//! Reads: an element of the content, its length, or the length of an array in it become `box_extract`
//! or `box_len`. Writes: a content that is written back with one element replaced, or with elements
//! added to or taken off an array, becomes `box_replace` or a call of a library routine. The reads of
//! the whole content stay; when nothing needs them any more they are removed as unused.

mod offsets;

use crate::avm::fields::MAX_BYTES_LENGTH;
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::few::Few;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::factory::{Emitter, Factory, LibraryRoutine, Operand};
use crate::ir::model::Subroutine;
use crate::ir::op::{Index, Intrinsic, Op, OpKind, Register, Source, SourceKind, Value};
use crate::ir::pool::Pool;
use crate::ir::rewrite::Rewriter;
use crate::ir::types::{EncodingId, IrType};

use super::{PassCtx, verify};
use offsets::{StopAt, tuple_path, walk};

const INDEX_OUT_OF_BOUNDS: &str = "index out of bounds";

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let Some(aggregates) = Aggregates::collect(sub, ctx.ir.pool) else { return Ok(false) };
    let mut rewriter = Rewriter::new(sub, ctx.ir, "box", ctx.library);
    let mut changed = false;
    let mut found_length = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        rewriter.rewrite_block(sub, block, |rewriter, op| {
            match rewrite(rewriter, &aggregates, op)? {
                Rewritten::No => {}
                Rewritten::Length => found_length = true,
                Rewritten::Other => changed = true,
            }
            Ok(())
        })?;
    }
    if found_length {
        sub.touch();
    }
    // PARITY: the length of an array does not count as a change
    Ok(changed)
}

/// A read of the whole content of a box.
struct BoxRead {
    key: Value,
    message: Option<crate::base::arena::Symbol>,
    loc: Loc,
}

/// The operations of a subroutine that take part, as they were before the pass, by the register they
/// define.
#[derive(Default)]
struct Aggregates {
    box_reads: LookupMap<Register, BoxRead>,
    extracts: LookupMap<Register, Source>,
    mutations: LookupMap<Register, Source>,
}

impl Aggregates {
    /// None when there is nothing to do.
    fn collect(sub: &Subroutine, pool: &Pool<'_>) -> Option<Self> {
        let mut aggregates = Self::default();
        for op in sub.ops_in_order() {
            let Some((target, source)) = sub.single_assignment(op) else { continue };
            match &source.kind {
                SourceKind::BoxRead { key, exists_assertion_message, .. } => {
                    let message = *exists_assertion_message;
                    let read = BoxRead { key: *key, message, loc: source.loc };
                    aggregates.box_reads.insert(target, read);
                }
                SourceKind::ExtractValue { .. } => {
                    aggregates.extracts.insert(target, source.clone());
                }
                SourceKind::ReplaceValue { .. }
                | SourceKind::ArrayPop { .. }
                | SourceKind::ArrayConcat { .. } => {
                    aggregates.mutations.insert(target, source.clone());
                }
                _ => {}
            }
        }
        let found_use = sub.ops_in_order().any(|op| aggregates.concern(pool, &sub.ops[op]));
        found_use.then_some(aggregates)
    }
    /// Whether an operation may be one to rewrite: it works on the content of a box or, where that is
    /// looked at too, on an element.
    fn concern(&self, pool: &Pool<'_>, op: &Op) -> bool {
        match &op.kind {
            OpKind::BoxWrite { value, .. } => self.mutation(*value).is_some(),
            OpKind::Assign { source, .. } => match &source.kind {
                SourceKind::ArrayLength { base, .. } => {
                    self.box_read(*base).is_some() || self.extract(*base).is_some()
                }
                SourceKind::ExtractValue { base, base_ty, .. } => {
                    self.box_read(*base).is_some() && !fits_stack(pool, *base_ty)
                }
                SourceKind::Intrinsic(intrinsic) => {
                    is_candidate(intrinsic)
                        && intrinsic.args.first().is_some_and(|arg| self.box_read(*arg).is_some())
                }
                _ => false,
            },
            _ => false,
        }
    }
    fn extract(&self, value: Value) -> Option<&Source> {
        self.extracts.get(&value.register()?)
    }
    fn box_read(&self, value: Value) -> Option<&BoxRead> {
        self.box_reads.get(&value.register()?)
    }
    fn mutation(&self, value: Value) -> Option<&Source> {
        self.mutations.get(&value.register()?)
    }
}

/// Whether an aggregate of this type can be read as a whole.
fn fits_stack(pool: &Pool<'_>, ty: IrType) -> bool {
    let IrType::Encoded(encoding) = ty else { return false };
    pool.encoding(encoding).num_bytes().is_some_and(|size| size <= MAX_BYTES_LENGTH as u64)
}

fn is_candidate(intrinsic: &Intrinsic) -> bool {
    intrinsic.op == AvmOp::Len || reads_part(intrinsic)
}

fn reads_part(intrinsic: &Intrinsic) -> bool {
    match (intrinsic.op, &intrinsic.immediates[..]) {
        (AvmOp::Extract3 | AvmOp::Substring3, []) => true,
        (AvmOp::Extract, [Immediate::Int(_), Immediate::Int(length)]) => *length > 0,
        _ => false,
    }
}

/// What was done to an operation.
enum Rewritten {
    No,
    /// It computed the length of an array.
    Length,
    Other,
}

/// Rewrites one operation.
fn rewrite(
    rewriter: &mut Rewriter<'_, '_>,
    aggregates: &Aggregates,
    op: &mut Op,
) -> Outcome<Rewritten> {
    let ctx = rewriter.ctx();
    match &mut op.kind {
        OpKind::BoxWrite { key, value, .. } => {
            let (key, value) = (*key, *value);
            let Some(new) = rewrite_write(rewriter, aggregates, (key, value, op.loc))? else {
                return Ok(Rewritten::No);
            };
            *op = new;
            Ok(Rewritten::Other)
        }
        OpKind::Assign { targets, source } => {
            let new = match &source.kind {
                SourceKind::ArrayLength { base, array_encoding, .. } => {
                    length_of_array(rewriter, aggregates, *base, *array_encoding, source.loc)?
                }
                SourceKind::ExtractValue { .. } => read_element(rewriter, aggregates, source)?,
                SourceKind::Intrinsic(intrinsic) => {
                    read_by_instruction(rewriter, aggregates, intrinsic, source.loc)?
                }
                _ => None,
            };
            let Some(new) = new else { return Ok(Rewritten::No) };
            verify::check_assignment(ctx, targets, &new, op.loc)?;
            let old = std::mem::replace(source, new);
            Ok(match old.kind {
                SourceKind::ArrayLength { .. } => Rewritten::Length,
                _ => Rewritten::Other,
            })
        }
        _ => Ok(Rewritten::No),
    }
}

fn length_of_array(
    rewriter: &mut Rewriter<'_, '_>,
    aggregates: &Aggregates,
    base: Value,
    array_encoding: EncodingId,
    loc: Loc,
) -> Outcome<Option<Source>> {
    let ctx = rewriter.ctx();
    if !matches!(ctx.pool.encoding(array_encoding).array(), Some((.., true))) {
        return Ok(None);
    }
    let (content, path) = match aggregates.extract(base) {
        Some(Source {
            kind: SourceKind::ExtractValue { base, base_ty, indexes, .. },
            loc: extract_loc,
        }) => (*base, Some((encoding_of(*base_ty, loc)?, indexes, *extract_loc))),
        _ => (base, None),
    };
    let Some(read) = aggregates.box_read(content) else { return Ok(None) };
    let extract_loc = path.as_ref().map_or(Loc::NONE, |(.., loc)| *loc);
    let loc = ctx.merge_locs([loc, extract_loc, read.loc]);
    let mut make = Factory::new(rewriter, loc);
    let length = match path {
        None => make.box_extract_u16(read.key, 0u64),
        Some((encoding, indexes, _)) => {
            let place = walk(&mut make, read.key, encoding, indexes, StopAt::LastElement)?;
            make.box_extract_u16(read.key, place.offset)
        }
    };
    Ok(Some(Source::value(length.into())))
}

fn read_element(
    rewriter: &mut Rewriter<'_, '_>,
    aggregates: &Aggregates,
    source: &Source,
) -> Outcome<Option<Source>> {
    let ctx = rewriter.ctx();
    let pool = ctx.pool;
    let SourceKind::ExtractValue { base, base_ty, indexes, check_bounds, ty } = &source.kind else {
        return Ok(None);
    };
    let Some(read) = aggregates.box_read(*base) else { return Ok(None) };
    let encoding = encoding_of(*base_ty, source.loc)?;
    if fits_stack(pool, *base_ty) {
        return Ok(None);
    }
    let element = element_encoding(pool, encoding, indexes, source.loc)?;
    let loc = ctx.merge_locs([source.loc, read.loc]);
    let mut make = Factory::new(rewriter, loc);
    if pool.encoding(element).is_fixed() {
        let place = walk(&mut make, read.key, encoding, indexes, StopAt::StackValue)?;
        let size = size_of(pool, place.encoding, loc)?;
        let part_ty = IrType::Encoded(place.encoding);
        make.on_error(INDEX_OUT_OF_BOUNDS);
        let part = Value::from(make.box_extract(read.key, place.offset, size, part_ty));
        if place.remaining.is_empty() {
            return Ok(Some(Source::value(part)));
        }
        let kind = SourceKind::ExtractValue {
            base: part,
            base_ty: part_ty,
            indexes: place.remaining,
            check_bounds: *check_bounds,
            ty: *ty,
        };
        return Ok(Some(Source { kind, loc }));
    }
    let Some(element_size) = fixed_element_of_dynamic_array(pool, element) else {
        return Ok(None);
    };
    let place = walk(&mut make, read.key, encoding, indexes, StopAt::LastElement)?;
    let length = make.box_extract_u16(read.key, place.offset);
    let data_bytes = make.named("data_bytes").mul(length, element_size);
    let total_bytes = make.named("total_bytes").add(data_bytes, 2u64);
    let array = make.box_extract(read.key, place.offset, total_bytes, *ty);
    Ok(Some(Source::value(array.into())))
}

/// Parts and lengths of the content taken by instructions.
fn read_by_instruction(
    rewriter: &mut Rewriter<'_, '_>,
    aggregates: &Aggregates,
    intrinsic: &Intrinsic,
    loc: Loc,
) -> Outcome<Option<Source>> {
    if !is_candidate(intrinsic) {
        return Ok(None);
    }
    let content = intrinsic.args.first().copied();
    let Some(read) = content.and_then(|content| aggregates.box_read(content)) else {
        return Ok(None);
    };
    let loc = rewriter.ctx().merge_locs([loc, read.loc]);
    if intrinsic.op == AvmOp::Len {
        return Ok(Some(Source::value(length_of_box(rewriter, read, loc))));
    }
    let mut make = Factory::new(rewriter, loc);
    let (offset, length) = match (intrinsic.op, &intrinsic.args[..], &intrinsic.immediates[..]) {
        (AvmOp::Extract3, [_, offset, length], _) => (*offset, *length),
        (AvmOp::Substring3, [_, start, end], _) => {
            (*start, make.named("substring3_length").sub(*end, *start).into())
        }
        (AvmOp::Extract, _, [Immediate::Int(offset), Immediate::Int(length)]) => {
            (make.constant(offset.unsigned_abs()), make.constant(length.unsigned_abs()))
        }
        _ => return Err(Failure::internal("unexpected intrinsic op", loc)),
    };
    let Some(ty) = intrinsic.types.first() else {
        return Err(Failure::internal("unexpected intrinsic op", loc));
    };
    let part = make.box_extract(read.key, offset, length, *ty);
    Ok(Some(Source::value(part.into())))
}

/// Length of a box; asserts that it exists, as the read did.
fn length_of_box(rewriter: &mut Rewriter<'_, '_>, read: &BoxRead, loc: Loc) -> Value {
    let intrinsic = Intrinsic {
        op: AvmOp::BoxLen,
        immediates: Vec::new(),
        args: vec![read.key],
        types: Few::Two([IrType::UInt64, IrType::Bool]),
        error_message: None,
    };
    let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc };
    let results = rewriter.materialise(source, &["box_len", "exists"]);
    let kind = OpKind::Assert { condition: results[1], message: read.message, explicit: false };
    rewriter.emit(kind, loc);
    results[0]
}

/// The operation in place of a write of the whole content.
fn rewrite_write(
    rewriter: &mut Rewriter<'_, '_>,
    aggregates: &Aggregates,
    (key, value, loc): (Value, Value, Loc),
) -> Outcome<Option<Op>> {
    let pool = rewriter.ctx().pool;
    let Some(mutation) = aggregates.mutation(value) else { return Ok(None) };
    let (SourceKind::ReplaceValue { base, .. }
    | SourceKind::ArrayPop { base, .. }
    | SourceKind::ArrayConcat { base, .. }) = &mutation.kind
    else {
        return Ok(None);
    };
    let is_same_box = aggregates.box_read(*base).is_some_and(|read| read.key == key);
    if !is_same_box {
        return Ok(None);
    }
    match &mutation.kind {
        SourceKind::ReplaceValue { base_ty, indexes, value, .. } => {
            let encoding = encoding_of(*base_ty, mutation.loc)?;
            let element = element_encoding(pool, encoding, indexes, mutation.loc)?;
            if pool.encoding(element).is_fixed() {
                let loc = rewriter.ctx().merge_locs([mutation.loc, loc]);
                return replace_element(rewriter, (key, loc), encoding, indexes, **value).map(Some);
            }
            let Some(array) = aggregates.mutation(**value) else { return Ok(None) };
            change_nested_array(rewriter, key, (encoding, indexes), array)
        }
        _ => {
            let place = Value::uint64(0, mutation.loc);
            match array_change(pool, mutation)? {
                Some(change) => change.call(rewriter, key, place, mutation.loc).map(Some),
                None => Ok(None),
            }
        }
    }
}

fn replace_element(
    rewriter: &mut Rewriter<'_, '_>,
    (key, loc): (Value, Loc),
    encoding: EncodingId,
    indexes: &[Index],
    value: Value,
) -> Outcome<Op> {
    let pool = rewriter.ctx().pool;
    let mut make = Factory::new(rewriter, loc);
    let place = walk(&mut make, key, encoding, indexes, StopAt::LastElement)?;
    let value = if place.remaining.is_empty() {
        value
    } else {
        // a bit: its byte is taken out and written back
        let base_ty = IrType::Encoded(place.encoding);
        let size = size_of(pool, place.encoding, loc)?;
        let base = make.box_extract(key, place.offset, size, base_ty).into();
        let kind = SourceKind::ReplaceValue {
            base,
            base_ty,
            indexes: place.remaining,
            value: value.into(),
        };
        make.materialise_single(Source { kind, loc }, "tmp")
    };
    make.on_error(INDEX_OUT_OF_BOUNDS);
    let replace = make.box_replace(key, place.offset, value);
    Ok(Op { kind: OpKind::Intrinsic(replace), loc })
}

/// Elements taken off or added to an array of elements of a fixed size.
struct ArrayChange {
    element_size: u64,
    /// Encoded elements and their number; none for taking off the last one.
    added: Option<(Value, Value)>,
}

fn array_change(pool: &Pool<'_>, mutation: &Source) -> Outcome<Option<ArrayChange>> {
    let (base_ty, added) = match &mutation.kind {
        SourceKind::ArrayPop { base_ty, .. } => (base_ty, None),
        SourceKind::ArrayConcat { base_ty, items, num_items, .. } => {
            (base_ty, Some((**items, *num_items)))
        }
        _ => return Ok(None),
    };
    let element_size = fixed_element_of_dynamic_array(pool, encoding_of(*base_ty, mutation.loc)?);
    Ok(element_size.map(|element_size| ArrayChange { element_size, added }))
}

impl ArrayChange {
    /// Changes the array that lies at an offset of a box.
    fn call(
        &self,
        rewriter: &mut Rewriter<'_, '_>,
        key: Value,
        offset: Value,
        loc: Loc,
    ) -> Outcome<Op> {
        let mut make = Factory::new(rewriter, loc);
        let size = Operand::Int(self.element_size);
        let invoke = match self.added {
            None => make.invoke(
                LibraryRoutine::BoxDynamicArrayPopFixedSize,
                &[key.into(), offset.into(), size],
            ),
            Some((items, num_items)) => make.invoke(
                LibraryRoutine::BoxDynamicArrayConcatFixed,
                &[key.into(), offset.into(), items.into(), num_items.into(), size],
            ),
        };
        Ok(Op { kind: OpKind::Invoke(invoke?), loc })
    }
}

/// Changes an array inside tuples, and the offsets that point behind it.
fn change_nested_array(
    rewriter: &mut Rewriter<'_, '_>,
    key: Value,
    (encoding, indexes): (EncodingId, &[Index]),
    mutation: &Source,
) -> Outcome<Option<Op>> {
    let loc = mutation.loc;
    let pool = rewriter.ctx().pool;
    let Some(change) = array_change(pool, mutation)? else { return Ok(None) };
    let Some(path) = tuple_path(pool, encoding, indexes) else { return Ok(None) };
    let mut make = Factory::new(rewriter, loc);
    let (routine, delta) = match change.added {
        None => (LibraryRoutine::BoxUpdateOffsetDec, make.constant(change.element_size)),
        Some((_, num_items)) => {
            (LibraryRoutine::BoxUpdateOffsetInc, make.mul(num_items, change.element_size).into())
        }
    };
    let mut later_offsets: Vec<Value> = Vec::new();
    let mut tuple_offset = make.constant(0);
    for step in path {
        for head in step.later_heads {
            later_offsets.push(make.add(tuple_offset, head).into());
        }
        let position = make.add(tuple_offset, step.position);
        tuple_offset = if step.is_pointer {
            let element_offset = make.box_extract_u16(key, position);
            make.add(tuple_offset, element_offset).into()
        } else {
            position.into()
        };
    }
    let place = walk(&mut make, key, encoding, indexes, StopAt::LastElement)?;
    for offset in later_offsets {
        let invoke = make.invoke(routine, &[key.into(), offset.into(), delta.into()])?;
        make.emitter.emit(OpKind::Invoke(invoke), loc);
    }
    change.call(rewriter, key, place.offset, loc).map(Some)
}

/// The encoding of an aggregate by its type.
fn encoding_of(ty: IrType, loc: Loc) -> Outcome<EncodingId> {
    match ty {
        IrType::Encoded(encoding) => Ok(encoding),
        _ => Err(Failure::internal("expected aggregate encoding", loc)),
    }
}

/// The encoding of the element a path leads to.
fn element_encoding(
    pool: &Pool<'_>,
    encoding: EncodingId,
    indexes: &[Index],
    loc: Loc,
) -> Outcome<EncodingId> {
    indexes.iter().try_fold(encoding, |encoding, index| {
        let facts = pool.encoding(encoding);
        let element = match (facts.tuple_elements(pool), index) {
            (Some(elements), Index::Fixed(index)) => {
                usize::try_from(*index).ok().and_then(|index| elements.get(index)).copied()
            }
            _ => facts.array().map(|(element, ..)| element),
        };
        element.ok_or_else(|| Failure::internal("invalid index sequence", loc))
    })
}

fn size_of(pool: &Pool<'_>, encoding: EncodingId, loc: Loc) -> Outcome<u64> {
    let size = pool.encoding(encoding).num_bytes();
    size.ok_or_else(|| Failure::internal("expected statically sized encoding", loc))
}

/// Size of the elements of an array with a length header and elements of a fixed size.
fn fixed_element_of_dynamic_array(pool: &Pool<'_>, encoding: EncodingId) -> Option<u64> {
    match pool.encoding(encoding).array() {
        Some((element, _, true)) => pool.encoding(element).num_bytes(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn an_element_of_a_large_box_is_read_in_place() {
        check(
            "replace_aggregate_box_ops",
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded(uint64[600],uint64) = box_read("k")
                    let i#0: uint64 = (txn Fee)
                    let b#0: Encoded(uint64) = extract_value(a#0, 0, i#0)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded(uint64[600],uint64) = box_read("k")
                    let i#0: uint64 = (txn Fee)
                    let box%offset%0#0: uint64 = (+ 0u 0u)
                    let box%index_ok%0#0: bool = (< i#0 600u)
                    (assert box%index_ok%0#0) // index out of bounds
                    let box%element_offset%0#0: uint64 = (* i#0 8u)
                    let box%offset%1#0: uint64 = (+ box%offset%0#0 box%element_offset%0#0)
                    let box%box_extract%0#0: Encoded(uint64) = (box_extract "k" box%offset%1#0 8u) // on error: index out of bounds
                    let b#0: Encoded(uint64) = box%box_extract%0#0
                    exit 1u
            "#,
        );
    }

    #[test]
    fn a_replaced_element_is_written_in_place() {
        check(
            "replace_aggregate_box_ops",
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded(bool1,uint64) = box_read("k")
                    let v#0: Encoded(uint64) = (txn Note)
                    let b#0: Encoded(bool1,uint64) = replace_value(a#0, 1, v#0)
                    box_write("k", b#0)
                    let c#0: Encoded(bool1,uint64) = replace_value(a#0, 0, 1u)
                    box_write("k", c#0)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: Encoded(bool1,uint64) = box_read("k")
                    let v#0: Encoded(uint64) = (txn Note)
                    let b#0: Encoded(bool1,uint64) = replace_value(a#0, 1, v#0)
                    let box%offset%0#0: uint64 = (+ 0u 1u)
                    (box_replace "k" box%offset%0#0 v#0) // on error: index out of bounds
                    let c#0: Encoded(bool1,uint64) = replace_value(a#0, 0, 1u)
                    let box%element_byte_offset%0#0: uint64 = (/ 0u 8u)
                    let box%byte_containing_bit_offset%0#0: uint64 = (+ 0u box%element_byte_offset%0#0)
                    let box%element_bit_offset%0#0: uint64 = (% 0u 8u)
                    let box%box_extract%0#0: Encoded(bool1[8]) = (box_extract "k" box%byte_containing_bit_offset%0#0 1u)
                    let box%tmp%0#0: Encoded(bool1[8]) = replace_value(box%box_extract%0#0, box%element_bit_offset%0#0, 1u)
                    (box_replace "k" box%byte_containing_bit_offset%0#0 box%tmp%0#0) // on error: index out of bounds
                    exit 1u
            "#,
        );
    }
}
