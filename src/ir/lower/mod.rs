//! Lowers the operations on aggregates (encode, decode, index, append, box access) to instructions and
//! calls of library routines. Spec 22 §15.
//!
//! Before: assignments from high-level sources and box writes. After: none of them is left.

mod array;
mod codec;
mod tuple;

use crate::avm::ops::AvmOp;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};

use super::Ctx;
use super::factory::{Emitter, Factory, LibraryRoutine};
use super::model::{Program, Subroutine};
use super::op::{Index, Intrinsic, Op, OpKind, Source, SourceKind, Value};
use super::rewrite::{Library, Rewriter, library_of};
use super::types::{EncodingId, IrType};
use super::verify::{check_assignment, verify_ssa};

/// Lowers everything in a program.
pub fn run(program: &mut Program, ctx: Ctx<'_, '_>) -> Outcome<()> {
    let library = library_of(program, ctx);
    for sub in program.all_subroutines_mut() {
        ctx.session.check_stop()?;
        lower_subroutine(sub, ctx, &library)?;
    }
    Ok(())
}

fn lower_subroutine(sub: &mut Subroutine, ctx: Ctx<'_, '_>, library: &Library) -> Outcome<()> {
    if sub.has_high_level_nodes() {
        let mut rewriter = Rewriter::new(sub, ctx, "aggregate", library);
        for index in 0..sub.body.len() {
            let block = sub.body[index];
            rewriter.rewrite_block(sub, block, lower_op)?;
        }
        sub.touch();
    }
    verify_ssa(sub, ctx)
}

fn lower_op(rewriter: &mut Rewriter<'_, '_>, op: &mut Op) -> Outcome<()> {
    match &mut op.kind {
        OpKind::Assign { targets, source } if source.kind.is_high_level() => {
            let lowered = lower_source(rewriter, source)?;
            check_assignment(rewriter.ctx(), targets, &lowered, op.loc)?;
            *source = lowered;
        }
        OpKind::BoxWrite { key, value, delete_first } => {
            let (key, value) = (*key, *value);
            if *delete_first {
                rewriter.emit(instruction(AvmOp::BoxDel, vec![key]), op.loc);
            }
            op.kind = instruction(AvmOp::BoxPut, vec![key, value]);
        }
        _ => {}
    }
    Ok(())
}

/// An instruction without immediates as a statement.
fn instruction(op: AvmOp, args: Vec<Value>) -> OpKind {
    let variant = op.variant(&[]).expect("it has no immediates");
    let types = variant.returns.iter().map(|ty| IrType::from(*ty)).collect();
    OpKind::Intrinsic(Intrinsic { op, immediates: Vec::new(), args, types, error_message: None })
}

fn lower_source(rewriter: &mut Rewriter<'_, '_>, source: &Source) -> Outcome<Source> {
    let loc = source.loc;
    match &source.kind {
        SourceKind::BytesEncode { encoding, values, values_ty, error_message_override } => {
            let message = *error_message_override;
            codec::encode(rewriter, values, *values_ty, *encoding, message, loc)
        }
        SourceKind::DecodeBytes { encoding, value, ty, error_message_override } => {
            codec::decode(rewriter, *value, *encoding, *ty, *error_message_override, loc)
        }
        SourceKind::ArrayLength { base, array_encoding, .. } => {
            array::length(rewriter, *array_encoding, *base, loc).map(Source::value)
        }
        SourceKind::ArrayPop { base, base_ty } => array::pop(rewriter, *base, *base_ty, loc),
        SourceKind::ArrayConcat { base, base_ty, items, item_encoding, num_items } => {
            let items = array::Items { data: **items, encoding: *item_encoding, count: *num_items };
            array::concat(rewriter, *base, *base_ty, items, loc)
        }
        SourceKind::ExtractValue { base, base_ty, indexes, check_bounds, .. } => {
            let encoding = encoding_of(*base_ty, loc)?;
            extract_value(rewriter, *base, encoding, indexes, *check_bounds, loc).map(Source::value)
        }
        SourceKind::ReplaceValue { base, base_ty, indexes, value } => {
            let encoding = encoding_of(*base_ty, loc)?;
            replace_value(rewriter, *base, encoding, indexes, **value, loc).map(Source::value)
        }
        SourceKind::BoxRead { key, value_ty, exists_assertion_message } => {
            let instruction = Intrinsic {
                op: AvmOp::BoxGet,
                immediates: Vec::new(),
                args: vec![*key],
                types: Few::Two([*value_ty, IrType::Bool]),
                error_message: None,
            };
            let source = Source { kind: SourceKind::Intrinsic(instruction), loc };
            let results = rewriter.materialise(source, &["box_get"]);
            let message = *exists_assertion_message;
            let kind = OpKind::Assert { condition: results[1], message, explicit: false };
            rewriter.emit(kind, loc);
            Ok(Source::value(results[0]))
        }
        SourceKind::Value(_)
        | SourceKind::ValueTuple { .. }
        | SourceKind::InnerTransactionField { .. }
        | SourceKind::NewSlot(_)
        | SourceKind::ReadSlot(_)
        | SourceKind::Intrinsic(_)
        | SourceKind::Invoke(_) => Ok(source.clone()),
    }
}

/// The encoding of an encoded type.
fn encoding_of(ty: IrType, loc: Loc) -> Outcome<EncodingId> {
    match ty {
        IrType::Encoded(encoding) => Ok(encoding),
        _ => Err(Failure::internal("an aggregate has an encoded type", loc)),
    }
}

/// One step into an aggregate, its index resolved.
enum Step {
    Element(usize),
    Item(Value),
}

fn step(
    rewriter: &Rewriter<'_, '_>,
    aggregate: EncodingId,
    index: Index,
    loc: Loc,
) -> Outcome<(Step, EncodingId)> {
    let pool = rewriter.ctx().pool;
    let facts = pool.encoding(aggregate);
    let resolved = match (facts.tuple_elements(pool), facts.array(), index) {
        (Some(elements), _, Index::Fixed(index)) => usize::try_from(index)
            .ok()
            .and_then(|index| Some((Step::Element(index), *elements.get(index)?))),
        (None, Some((element, ..)), Index::Fixed(index)) => {
            Some((Step::Item(Value::uint64(index, loc)), element))
        }
        (None, Some((element, ..)), Index::Value(index)) => Some((Step::Item(index), element)),
        _ => None,
    };
    resolved.ok_or_else(|| Failure::internal("invalid aggregate encoding and index", loc))
}

fn extract_value(
    rewriter: &mut Rewriter<'_, '_>,
    mut base: Value,
    mut encoding: EncodingId,
    indexes: &[Index],
    check_bounds: bool,
    loc: Loc,
) -> Outcome<Value> {
    let bounds = if check_bounds { array::Bounds::Check } else { array::Bounds::Trust };
    for index in indexes {
        let (step, element) = step(rewriter, encoding, *index, loc)?;
        base = match step {
            Step::Element(index) => tuple::read(rewriter, encoding, base, index, loc),
            Step::Item(index) => array::read(rewriter, encoding, base, index, bounds, loc)?,
        };
        encoding = element;
    }
    Ok(base)
}

fn replace_value(
    rewriter: &mut Rewriter<'_, '_>,
    base: Value,
    encoding: EncodingId,
    indexes: &[Index],
    value: Value,
    loc: Loc,
) -> Outcome<Value> {
    // Read the aggregates on the way in, write them on the way out.
    let mut bases = vec![(base, encoding)];
    let (mut base, mut encoding) = (base, encoding);
    for index in indexes.iter().take(indexes.len().saturating_sub(1)) {
        let (step, element) = step(rewriter, encoding, *index, loc)?;
        base = match step {
            Step::Element(index) => tuple::read(rewriter, encoding, base, index, loc),
            Step::Item(index) => {
                array::read(rewriter, encoding, base, index, array::Bounds::ByElement, loc)?
            }
        };
        encoding = element;
        bases.push((base, encoding));
    }
    let mut value = value;
    for (index, (base, encoding)) in indexes.iter().zip(bases).rev() {
        value = match step(rewriter, encoding, *index, loc)?.0 {
            Step::Element(index) => tuple::write(rewriter, encoding, base, index, value, loc),
            Step::Item(index) => array::write(rewriter, encoding, base, index, value, loc)?,
        };
    }
    Ok(value)
}

/// A call of a library routine whose result is put into a temporary.
fn call<'a, 's: 'a, E: Emitter<'a, 's>>(
    make: &mut Factory<'_, E>,
    routine: LibraryRoutine,
    args: &[Value],
    description: &str,
) -> Outcome<Value> {
    let args: Vec<_> = args.iter().map(|arg| (*arg).into()).collect();
    let source = make.invoke_source(routine, &args)?;
    Ok(make.materialise_single(source, description))
}
