//! Gathers constants into `intcblock` and `bytecblock` at the program's start and turns the pseudo-ops
//! `int` and `byte` into loads from these blocks or pushes. Runs at every level.

use std::hash::Hash;

use super::Ctx;
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::base::text::with_decimal;
use crate::diagnostics::{Failure, Outcome};
use crate::teal::model::{
    BYTES_MAX, BlockConstant, Bytes, BytesEncoding, CONSTANTS_MAX, Op, OpKind, Program,
};
use crate::teal::text;

/// A constant, or the name of a template variable that stands for one.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Constant<T> {
    Value(T),
    Template(Symbol),
}

/// What the program uses, in order of first use.
#[derive(Default)]
struct Gathered {
    ints: OrderedMap<Constant<u64>, usize>,
    bytes: OrderedMap<Constant<Bytes>, usize>,
    encodings: LookupMap<Bytes, BytesEncoding>,
    templates: LookupMap<Symbol, Loc>,
}

/// Adds the blocks to main's entry and replaces every pseudo-op in place.
pub(super) fn run(ctx: &Ctx, program: &mut Program) -> Outcome<()> {
    let gathered = gather(program);
    let ints = select(gathered.ints, |value| encoded_int_size(*value))?;
    let bytes = select(gathered.bytes, |value| encoded_int_size(value.len() as u64) + value.len())?;
    let first_use = |name: &Symbol| gathered.templates.get(name).copied().unwrap_or_default();
    let mut blocks = Vec::new();
    if !ints.is_empty() {
        let constants = ints.iter().map(|constant| match constant {
            Constant::Value(value) => BlockConstant::Value(*value),
            Constant::Template(name) => BlockConstant::Template(*name, first_use(name)),
        });
        blocks.push(Op::new(OpKind::IntBlock(constants.collect()), Loc::NONE));
    }
    if !bytes.is_empty() {
        let constants = bytes.iter().map(|constant| match constant {
            Constant::Value(value) => {
                let encoding = gathered.encodings.get(value).expect("every value was gathered");
                BlockConstant::Value((value.clone(), *encoding))
            }
            Constant::Template(name) => BlockConstant::Template(*name, first_use(name)),
        });
        blocks.push(Op::new(OpKind::BytesBlock(constants.collect()), Loc::NONE));
    }
    program.subroutines[0].blocks[0].ops.splice(0..0, blocks);

    let ints = positions(ints, |value| with_decimal(*value, |digits| ctx.session.sym(digits)));
    let bytes = positions(bytes, |value| {
        let encoding = *gathered.encodings.get(value).expect("every value was gathered");
        (encoding, ctx.session.sym(&text::byte_literal(value, encoding)))
    });
    for op in program.blocks_mut().flat_map(|block| &mut block.ops) {
        if let Some(kind) = loaded(ctx, op, &ints, &bytes)? {
            op.kind = kind;
        }
    }
    Ok(())
}

fn gather(program: &Program) -> Gathered {
    let mut gathered = Gathered::default();
    for op in program.blocks().flat_map(|block| &block.ops) {
        match &op.kind {
            OpKind::Int { value, .. } => {
                *gathered.ints.entry(Constant::Value(*value)).or_default() += 1;
            }
            OpKind::Byte { value, encoding, .. } => {
                *gathered.bytes.entry(Constant::Value(value.clone())).or_default() += 1;
                let known = gathered.encodings.get_or_insert_with(value.clone(), || *encoding);
                if known != encoding {
                    *known = BytesEncoding::Base16;
                }
            }
            OpKind::TemplateInt(name) => {
                *gathered.ints.entry(Constant::Template(*name)).or_default() += 1;
                note_template(&mut gathered.templates, *name, op.loc);
            }
            OpKind::TemplateByte(name) => {
                *gathered.bytes.entry(Constant::Template(*name)).or_default() += 1;
                note_template(&mut gathered.templates, *name, op.loc);
            }
            _ => {}
        }
    }
    gathered
}

/// Keeps the first location that is one; uses as number and as bytes share it.
fn note_template(templates: &mut LookupMap<Symbol, Loc>, name: Symbol, loc: Loc) {
    let known = templates.get_or_insert_with(name, || loc);
    *known = known.or(loc);
}

/// The constants worth a place in a block, most used first. Template variables always have one.
fn select<T: Eq + Hash + Clone>(
    used: OrderedMap<Constant<T>, usize>,
    encoded_size: impl Fn(&T) -> usize,
) -> Outcome<Vec<Constant<T>>> {
    let mut ordered = used.into_iter().collect::<Vec<_>>();
    ordered.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ordered.retain(|(constant, count)| *count > 1 || matches!(constant, Constant::Template(_)));
    let mut index = 0;
    while index < ordered.len() {
        if let (Constant::Value(value), count) = &ordered[index] {
            let size = encoded_size(value);
            let load = if index < 4 { 1 } else { 2 };
            // The size of the block itself counts only while it has a single entry.
            let block = if ordered.len() == 1 { 2 } else { 0 };
            if (1 + size) * count <= load * count + size + block {
                ordered.remove(index);
                continue;
            }
        }
        index += 1;
    }
    let mut constants = ordered.into_iter().map(|(constant, _)| constant).collect::<Vec<_>>();
    if constants.len() > CONSTANTS_MAX {
        let mut overflow = constants.split_off(CONSTANTS_MAX);
        overflow.retain(|constant| matches!(constant, Constant::Template(_)));
        let kept = CONSTANTS_MAX.checked_sub(overflow.len()).ok_or_else(|| {
            Failure::code(format!("cannot exceed {CONSTANTS_MAX} template values"), Loc::NONE)
        })?;
        constants.truncate(kept);
        constants.append(&mut overflow);
    }
    Ok(constants)
}

/// Number of 7-bit groups, at least one.
fn encoded_int_size(value: u64) -> usize {
    (64 - value.leading_zeros() as usize).div_ceil(7).max(1)
}

/// Where in its block a constant stands, and what a load of it is told to be unless it says so itself;
/// the latter for values only.
type Positions<T, C> = LookupMap<Constant<T>, (u8, Option<C>)>;

fn positions<T: Eq + Hash, C>(
    constants: Vec<Constant<T>>,
    comment: impl Fn(&T) -> C,
) -> Positions<T, C> {
    let position = |index| u8::try_from(index).expect("a block has at most 256 entries");
    let entries = constants.into_iter().enumerate().map(|(index, constant)| {
        let comment = match &constant {
            Constant::Value(value) => Some(comment(value)),
            Constant::Template(_) => None,
        };
        (constant, (position(index), comment))
    });
    entries.collect()
}

/// What replaces a pseudo-op.
fn loaded(
    ctx: &Ctx,
    op: &Op,
    ints: &Positions<u64, Symbol>,
    bytes: &Positions<Bytes, (BytesEncoding, Symbol)>,
) -> Outcome<Option<OpKind>> {
    // More templates than entries, but fewer than twice as many, pass the check in `select`.
    let not_in_block = || {
        let what = "expected all template variables to be in constant block";
        Failure::internal(format!("AssertionError: {what}"), Loc::NONE)
    };
    Ok(Some(match &op.kind {
        OpKind::Int { value, comment } => match ints.get(&Constant::Value(*value)) {
            Some((index, usual)) => OpKind::IntC { index: *index, comment: comment.or(*usual) },
            None => OpKind::PushInt { value: *value, comment: *comment },
        },
        OpKind::Byte { value, encoding, comment } => {
            match bytes.get(&Constant::Value(value.clone())) {
                Some((index, usual)) => {
                    let usual = usual.filter(|(known, _)| known == encoding);
                    let comment = comment.or(usual.map(|(_, comment)| comment));
                    let comment = comment
                        .unwrap_or_else(|| ctx.session.sym(&text::byte_literal(value, *encoding)));
                    OpKind::BytesC { index: *index, comment: Some(comment) }
                }
                None if value.len() > BYTES_MAX => {
                    return Err(Failure::internal("Invalid Bytes value", op.loc));
                }
                None => OpKind::PushBytes {
                    value: value.clone(),
                    encoding: *encoding,
                    comment: *comment,
                },
            }
        }
        OpKind::TemplateInt(name) => OpKind::IntC {
            index: ints.get(&Constant::Template(*name)).ok_or_else(not_in_block)?.0,
            comment: Some(*name),
        },
        OpKind::TemplateByte(name) => OpKind::BytesC {
            index: bytes.get(&Constant::Template(*name)).ok_or_else(not_in_block)?.0,
            comment: Some(*name),
        },
        _ => return Ok(None),
    }))
}
