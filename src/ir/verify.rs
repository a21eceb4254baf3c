//! Structural invariants of a subroutine, checked between passes. Spec 20 §16.
//!
//! 1. A body's blocks end with a terminator.
//! 2. A block is a predecessor of each of its successors; both are part of the body.
//! 3. A phi has one argument per predecessor, and the argument's AVM type.
//! 4. What is read is a parameter or is assigned somewhere.
//! 5. Assignments agree in AVM types; instructions agree with their signature (reported, not raised).
//! 6. In SSA form nothing is assigned twice (parameters are not counted).
//!
//! A violation is a mistake of this compiler, except for types, which input can get wrong, and for
//! registers that are read and never defined. Debug builds check all of it; others leave out edges and
//! phis, what was checked when it was made, and of a new body what follows from how it was built.

use crate::avm::ops::{AvmOp, Immediate, ImmediateKind};
use crate::base::ordered::{LookupMap, OrderedSet};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};

use super::Ctx;
use super::model::{Phi, RegisterTable, Subroutine};
use super::op::{Intrinsic, Op, OpKind, Register, RegisterId, Source, SourceKind, TerminatorKind};
use super::text;
use super::types::{AvmType, IrType};

/// Checks everything that holds before and after destructuring.
pub fn verify(sub: &Subroutine, ctx: Ctx<'_, '_>) -> Outcome<()> {
    let (defined, _) = definitions(sub, ctx);
    verify_body(sub, ctx, Assignments::Open)?;
    verify_reads(sub, ctx, &defined)
}

/// Checks single assignment too, unless that was done since the body last changed.
pub fn verify_ssa(sub: &mut Subroutine, ctx: Ctx<'_, '_>) -> Outcome<()> {
    if sub.memo.verified && !cfg!(debug_assertions) {
        return Ok(());
    }
    let (defined, repeated) = definitions(sub, ctx);
    assigned_once(ctx, repeated)?;
    let told = ctx.sink().len();
    verify_body(sub, ctx, Assignments::Open)?;
    verify_reads(sub, ctx, &defined)?;
    // what is reported is reported each time
    sub.memo.verified = ctx.sink().len() == told;
    Ok(())
}

/// Whether the types of assignments are known to agree.
#[derive(Clone, Copy, PartialEq)]
enum Assignments {
    /// They were checked when they were made.
    Checked,
    /// Some may have been made from parts that were not compared, as by inlining.
    Open,
}

/// Whether what a body reads is known to be defined.
#[derive(Clone, Copy, PartialEq)]
pub enum Reads {
    /// It follows from how the body was built.
    Defined,
    /// It has to be checked.
    Open,
}

/// Checks a body that was just built, and assigns nothing twice.
pub fn verify_new(sub: &mut Subroutine, ctx: Ctx<'_, '_>, reads: Reads) -> Outcome<()> {
    let told = ctx.sink().len();
    verify_body(sub, ctx, Assignments::Checked)?;
    if reads == Reads::Open || cfg!(debug_assertions) {
        let (defined, repeated) = definitions(sub, ctx);
        verify_reads(sub, ctx, &defined)?;
        assigned_once(ctx, repeated)?;
    }
    // PARITY: the reference checks twice, when it sets a body and when it has set it; both report
    // instructions that do not fit their signature.
    if ctx.sink().len() == told {
        sub.memo.verified = reads == Reads::Open;
        return Ok(());
    }
    verify_body(sub, ctx, Assignments::Checked)
}

/// The registers a body defines, and the first that it assigns a second time. That a parameter is
/// assigned is no repetition.
fn definitions(sub: &Subroutine, ctx: Ctx<'_, '_>) -> (RegisterTable<bool>, Option<Register>) {
    debug_assert!(ids_fit(sub, ctx), "registers and their ids belong together");
    let mut defined = sub.register_table(false);
    let mut repeated = None;
    for block in &sub.body {
        let block = &sub.blocks[*block];
        let mut define = |register: Register| {
            if std::mem::replace(&mut defined[register], true) {
                repeated = repeated.or(Some(register));
            }
        };
        for phi in &block.phis {
            define(sub.phis[*phi].register);
        }
        for op in &block.ops {
            sub.ops[*op].targets().iter().for_each(|target| define(*target));
        }
    }
    for parameter in &sub.parameters {
        defined[*parameter] = true;
    }
    (defined, repeated)
}

/// Whether each id stands for one register, and no other id for the same.
fn ids_fit(sub: &Subroutine, ctx: Ctx<'_, '_>) -> bool {
    let mut ids: LookupMap<Register, RegisterId> = LookupMap::new();
    let mut registers = sub.register_table(None);
    let mut fits = true;
    let mut check = |register: Register| {
        fits &= *ids.get_or_insert_with(register, || register.id) == register.id;
        fits &= *registers[register].get_or_insert(register) == register;
    };
    sub.visit_definitions(&mut check);
    sub.visit_reads_in_order(ctx.pool, &mut |_, register| check(register));
    fits
}

fn assigned_once(ctx: Ctx<'_, '_>, repeated: Option<Register>) -> Outcome<()> {
    repeated.map_or(Ok(()), |register| Err(assigned_again(ctx, register)))
}

/// The error of a register that more than one operation assigns.
pub fn assigned_again(ctx: Ctx<'_, '_>, register: Register) -> Failure {
    let name = text::register(ctx, register);
    let message = format!("SSA constraint violated: {name} is assigned multiple times");
    Failure::internal(message, Loc::NONE)
}

fn verify_body(sub: &Subroutine, ctx: Ctx<'_, '_>, assignments: Assignments) -> Outcome<()> {
    for block in &sub.body {
        let data = &sub.blocks[*block];
        for op in &data.ops {
            verify_op(ctx, &sub.ops[*op], assignments)?;
        }
        let Some(terminator) = &data.terminator else {
            let name = text::block(sub, *block);
            let sub_id = ctx.text(sub.header(ctx.pool).id);
            let message = format!("Unterminated block {name} assigned to subroutine {sub_id}");
            return Err(Failure::internal(message, data.loc));
        };
        verify_terminator(ctx, &terminator.kind, terminator.loc)?;
    }
    if cfg!(debug_assertions) {
        assert_structure(sub, ctx);
    }
    Ok(())
}

/// Fails for registers that are read and never defined.
fn verify_reads(sub: &Subroutine, ctx: Ctx<'_, '_>, defined: &RegisterTable<bool>) -> Outcome<()> {
    let mut undefined: OrderedSet<Register> = OrderedSet::default();
    sub.visit_reads_in_order(ctx.pool, &mut |_, register| {
        if !defined[register] {
            undefined.insert(register);
        }
    });
    if undefined.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> =
        undefined.iter().map(|register| text::register(ctx, *register)).collect();
    // PARITY: the reference lists them in the order of their hashes, which only a fixed hash seed
    // repeats, pinned by py_e43_unreachable_in_loop.
    names.sort();
    let message =
        format!("The following variables are used but never defined: {}", names.join(", "));
    Err(Failure::internal(message, sub.loc))
}

/// Edges and phis fit together.
fn assert_structure(sub: &Subroutine, ctx: Ctx<'_, '_>) {
    let body = sub.body_set();
    for id in sub.body.iter().copied() {
        let (block, name) = (&sub.blocks[id], text::block(sub, id));
        for successor in block.terminator().targets() {
            let fits = sub.blocks[successor].predecessors.contains(&id);
            assert!(fits, "{name} is no predecessor of {}", text::block(sub, successor));
            assert!(body.contains(successor), "{name} goes outside of the body");
        }
        let from_inside = block.predecessors.iter().all(|block| body.contains(*block));
        assert!(from_inside, "{name} is entered from outside");
        for phi in &block.phis {
            let Phi { register, args } = &sub.phis[*phi];
            let ty = register.ty.maybe_avm_type(ctx.pool);
            let fits = args.len() == block.predecessors.len()
                && args.iter().all(|arg| {
                    block.predecessors.contains(&arg.through)
                        && arg.value.ty.maybe_avm_type(ctx.pool) == ty
                });
            assert!(fits, "{} does not fit {name}", text::phi(sub, ctx, *phi));
        }
    }
}

fn verify_op(ctx: Ctx<'_, '_>, op: &Op, assignments: Assignments) -> Outcome<()> {
    match &op.kind {
        OpKind::Assign { targets, source } if assignments == Assignments::Checked => {
            let agree = || check_assignment(ctx, targets, source, op.loc).is_ok();
            debug_assert!(agree(), "assignments are checked when they are made");
        }
        // PARITY: the source of an assignment is checked when it is made, and then no more.
        OpKind::Assign { targets, source } => check_assignment(ctx, targets, source, op.loc)?,
        OpKind::Intrinsic(intrinsic) => check_intrinsic(ctx, intrinsic, op.loc),
        OpKind::Assert { .. }
        | OpKind::WriteSlot { .. }
        | OpKind::BoxWrite { .. }
        | OpKind::Invoke(_) => {}
    }
    Ok(())
}

/// Checks that what a terminator looks at has the type it needs.
pub fn verify_terminator(ctx: Ctx<'_, '_>, kind: &TerminatorKind, loc: Loc) -> Outcome<()> {
    let avm = |ty: IrType| ty.maybe_avm_type(ctx.pool);
    match kind {
        TerminatorKind::Branch { condition, .. }
            if avm(condition.ty(ctx.pool)) != Some(AvmType::UInt64) =>
        {
            Err(Failure::code("Branch condition can only be uint64 backed value", loc))
        }
        TerminatorKind::Exit(value) if avm(value.ty(ctx.pool)) != Some(AvmType::UInt64) => {
            Err(Failure::code("Can only exit with uint64 backed value", loc))
        }
        TerminatorKind::Switch { value, cases, .. } => {
            let ty = avm(value.ty(ctx.pool));
            if cases.iter().any(|(key, _)| avm(key.ty(ctx.pool)) != ty) {
                return Err(Failure::code("Switch cases types mismatch with value to match", loc));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn type_names(ctx: Ctx<'_, '_>, types: &[IrType]) -> String {
    let names: Vec<String> = types.iter().map(|ty| ty.name(ctx.pool)).collect();
    names.join(", ")
}

/// Checks that targets and source agree in their types, or at least in their AVM types.
pub fn check_assignment(
    ctx: Ctx<'_, '_>,
    targets: &[Register],
    source: &Source,
    loc: Loc,
) -> Outcome<()> {
    // The common source is one value; it should cost no allocation.
    if let (SourceKind::Value(value), [target]) = (&source.kind, targets)
        && value.ty(ctx.pool) == target.ty
    {
        return Ok(());
    }
    let agree = match &source.kind {
        SourceKind::Intrinsic(intrinsic) => types_agree(ctx, targets, &intrinsic.types),
        SourceKind::Invoke(invoke) => {
            types_agree(ctx, targets, ctx.pool.header(invoke.target).returns)
        }
        kind => types_agree(ctx, targets, &kind.types(ctx.pool)),
    };
    if agree {
        return Ok(());
    }
    let sources = source.types(ctx.pool);
    let target_types: Vec<IrType> = targets.iter().map(|target| target.ty).collect();
    let message = format!(
        "incompatible types on assignment: source = ({}), target = ({})",
        type_names(ctx, &sources),
        type_names(ctx, &target_types)
    );
    Err(Failure::code(message, loc))
}

fn types_agree(ctx: Ctx<'_, '_>, targets: &[Register], sources: &[IrType]) -> bool {
    // Inner transaction types have no AVM type and agree only with themselves.
    let agree = |target: IrType, source: IrType| {
        target == source || {
            let avm = target.maybe_avm_type(ctx.pool);
            avm.is_some() && avm == source.maybe_avm_type(ctx.pool)
        }
    };
    sources.len() == targets.len()
        && targets.iter().zip(sources).all(|(target, source)| agree(target.ty, *source))
}

/// Reports an instruction whose immediates, operands or results do not fit its signature.
pub fn check_intrinsic(ctx: Ctx<'_, '_>, intrinsic: &Intrinsic, loc: Loc) {
    let Ok(variant) = intrinsic.op.variant(&intrinsic.immediates) else {
        check_immediates(ctx, intrinsic.op, &intrinsic.immediates, loc);
        return;
    };
    let avm = |ty: IrType| ty.maybe_avm_type(ctx.pool);
    let fits = |expected: AvmType, ty: IrType| avm(ty).is_some_and(|ty| expected.compatible(ty));
    let expected = |types: &[crate::avm::ops::StackType]| -> Vec<AvmType> {
        types.iter().map(|ty| IrType::from(*ty).avm_type(ctx.pool)).collect()
    };
    check_immediates(ctx, intrinsic.op, &intrinsic.immediates, loc);
    let args_fit = variant.args.len() == intrinsic.args.len()
        && variant
            .args
            .iter()
            .zip(&intrinsic.args)
            .all(|(ty, arg)| fits(IrType::from(*ty).avm_type(ctx.pool), arg.ty(ctx.pool)));
    if !args_fit {
        let types: Vec<IrType> = intrinsic.args.iter().map(|arg| arg.ty(ctx.pool)).collect();
        report_types(ctx, intrinsic, "argument", &types, &expected(variant.args), loc);
    }
    let returns_fit = variant.returns.len() == intrinsic.types.len()
        && variant
            .returns
            .iter()
            .zip(&intrinsic.types)
            .all(|(expected, ty)| fits(IrType::from(*expected).avm_type(ctx.pool), *ty));
    if !returns_fit {
        report_types(ctx, intrinsic, "return", &intrinsic.types, &expected(variant.returns), loc);
    }
}

/// Reports immediates of `op` that are too many, too few or of a wrong kind.
pub fn check_immediates(ctx: Ctx<'_, '_>, op: AvmOp, immediates: &[Immediate], loc: Loc) {
    let kinds = op.immediate_kinds();
    if kinds.len() != immediates.len() {
        ctx.sink().error("Incorrect number of immediates", loc);
        return;
    }
    for (kind, immediate) in kinds.iter().zip(immediates) {
        match (kind, immediate) {
            (ImmediateKind::UInt8, Immediate::Int(0..=255))
            | (ImmediateKind::Enum, Immediate::Name(_)) => {}
            (ImmediateKind::UInt8, _) => {
                let message = "invalid immediate, expected value between 0 and 255";
                ctx.sink().critical(message, loc);
            }
            (ImmediateKind::Enum, Immediate::Int(_)) => {
                ctx.sink().critical("invalid immediate, expected enum value", loc);
            }
        }
    }
}

fn report_types(
    ctx: Ctx<'_, '_>,
    intrinsic: &Intrinsic,
    what: &str,
    received: &[IrType],
    expected: &[AvmType],
    loc: Loc,
) {
    let immediates: Vec<String> = intrinsic.immediates.iter().map(ToString::to_string).collect();
    let expected: Vec<String> =
        expected.iter().map(|ty| format!("AVMType.{}", ty.name())).collect();
    let message = format!(
        "incompatible {what} types on Intrinsic({} {}):  received = ({}), expected = ({})",
        intrinsic.op,
        immediates.join(" "),
        type_names(ctx, received),
        expected.join(", ")
    );
    ctx.sink().error(message, loc);
}
