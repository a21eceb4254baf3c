//! Optimisation of a program: passes over its subroutines, round by round, until a round changes
//! nothing. Spec 22 §2 to §14.
//!
//! The [`PASSES`] table is the whole story of order. What a pass may see beyond its subroutine is in
//! [`PassCtx`].

mod constant_bytes;
mod constant_reads_and_unobserved_writes_elimination;
mod constant_replacer;
mod copy_propagation;
mod elide_itxn_field_calls;
mod encode_decode_pair_elimination;
mod inlining_plan;
mod inner_txn_field_replacer;
mod intrinsic_simplifier;
mod merge_blocks;
mod merge_chained_aggregate_reads;
mod minimize_box_exist_asserts;
mod perform_subroutine_inlining;
mod readers;
mod remaining_calls;
mod remove_linear_jumps;
mod remove_unreachable_blocks;
pub(in crate::ir) mod remove_unused_subroutines;
mod remove_unused_variables;
mod repeated_expression_elimination;
mod replace_aggregate_box_ops;
mod replace_compiled_references;
mod simplify_control_ops;
mod split_parallel_copies;
#[cfg(test)]
mod testing;

use std::cell::RefCell;
use std::rc::Rc;

use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::StateTotals;
use crate::options::{CompileOptions, TemplateValue};

use super::kinds::Kinds;
use super::model::{OpId, Program, ProgramKind, Subroutine};
use super::op::{OpKind, Source};
use super::pool::SubId;
use super::rewrite::{Library, library_of};
use super::{Ctx, text, verify};
use inlining_plan::InliningPlan;
use perform_subroutine_inlining::{LastCalled, Versions};
use remaining_calls::RemainingCalls;

/// A pass that is run on one subroutine at a time. True stands for the reference's "modified", which
/// decides whether there is another round.
type Run = fn(&mut Subroutine, &PassCtx<'_, '_>) -> Outcome<bool>;

/// One row of [`PASSES`].
struct Pass {
    /// Name in the option `optimizations_override`.
    name: &'static str,
    /// Least optimisation level that runs it.
    level: i64,
    /// What a second run would do.
    repeat: Repeat,
    /// What it looks at.
    scope: Scope,
    /// It does nothing to a body that lacks one of these kinds of operations.
    looks_for: Kinds,
    /// Whether it may make operations of kinds that the body has not.
    adds_kinds: bool,
    /// What it changes.
    changes: Changes,
    /// The changes of others that may give it something to do.
    minds: Changes,
    run: Run,
}

/// What a second run right after one that changed something would do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Perhaps find something again; that is left to the next round.
    NextRound,
    /// The same, but it comes at once, until the pass reports no change.
    UntilStable,
    /// Nothing.
    Needless,
}

/// What decides what a pass does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The body, and facts that stay the same. Once such a pass left a body as it is, it need not be
    /// run again until something else changes that body.
    Body,
    /// The plan of the round and other bodies too.
    Program,
}

/// A set of kinds of changes to a body.
type Changes = u8;
/// Operations and phis were taken out, and nothing else.
const REMOVALS: Changes = 1;
/// Blocks were merged or jumps led on; operations and phis are the same and dominate the same.
const BLOCKS: Changes = 2;
/// Copies were taken out, the registers they joined became one, and no phi was taken out with them.
const COPIES: Changes = 4;
/// Single results are computed in another way, or are known; no constant became known to a copy or phi.
const FOLDS: Changes = 8;
/// Results are those of earlier operations, assertions were taken out, and copies of single values with
/// them.
const REPEATS: Changes = 16;
/// Anything else.
const OTHERS: Changes = 32;
/// Whatever changes more than the places of operations.
const CONTENT: Changes = COPIES | FOLDS | REPEATS | OTHERS;
const ALL: Changes = REMOVALS | BLOCKS | CONTENT;

const fn pass(name: &'static str, level: i64, run: Run) -> Pass {
    Pass {
        name,
        level,
        repeat: Repeat::NextRound,
        scope: Scope::Body,
        looks_for: Kinds::NONE,
        adds_kinds: false,
        changes: OTHERS,
        minds: ALL,
        run,
    }
}

impl Pass {
    const fn looking_for(self, kinds: Kinds) -> Self {
        Self { looks_for: kinds, ..self }
    }
    const fn adding_kinds(self) -> Self {
        Self { adds_kinds: true, ..self }
    }
    const fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }
    const fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }
    const fn changes(self, changes: Changes) -> Self {
        Self { changes, ..self }
    }
    const fn minds(self, minds: Changes) -> Self {
        Self { minds, ..self }
    }
}

/// The passes in order. Names and levels are the reference's.
static PASSES: &[Pass] = &[
    pass("perform_subroutine_inlining", 0, perform_subroutine_inlining::run)
        .scope(Scope::Program)
        .adding_kinds(),
    // the passes below then see copies of single values only
    pass("_split_parallel_copies", 0, split_parallel_copies::run)
        .minds(REPEATS | OTHERS)
        .repeat(Repeat::Needless),
    // what it replaced once it need not look at again: others read no register that holds a constant
    pass("constant_replacer", 0, constant_replacer::run).minds(OTHERS).repeat(Repeat::Needless),
    pass("copy_propagation", 1, copy_propagation::run)
        .changes(COPIES)
        .minds(FOLDS | OTHERS)
        .repeat(Repeat::Needless),
    pass("elide_itxn_field_calls", 1, elide_itxn_field_calls::run).looking_for(Kinds::ITXN_FIELD),
    // the reference repeats this row; ours reaches the same end in one go
    pass("remove_unused_variables", 0, remove_unused_variables::run)
        .changes(REMOVALS)
        .minds(REMOVALS | CONTENT)
        .repeat(Repeat::Needless),
    pass("intrinsic_simplifier", 1, intrinsic_simplifier::run)
        .changes(FOLDS)
        .minds(REMOVALS | CONTENT),
    pass("inner_txn_field_replacer", 0, inner_txn_field_replacer::run)
        .looking_for(Kinds::INNER_TRANSACTION_FIELD)
        .minds(CONTENT)
        .repeat(Repeat::Needless),
    pass("replace_compiled_references", 0, replace_compiled_references::run).minds(CONTENT),
    pass("simplify_control_ops", 1, simplify_control_ops::run).repeat(Repeat::UntilStable),
    pass("merge_blocks", 1, merge_blocks::run).changes(BLOCKS),
    pass("remove_linear_jumps", 1, remove_linear_jumps::run).changes(BLOCKS),
    // phis of the blocks it leaves may become copies
    pass("remove_unreachable_blocks", 1, remove_unreachable_blocks::run)
        .minds(CONTENT)
        .repeat(Repeat::Needless),
    pass("repeated_expression_elimination", 1, repeated_expression_elimination::run)
        .changes(REPEATS)
        .minds(CONTENT)
        .repeat(Repeat::Needless),
    pass("encode_decode_pair_elimination", 1, encode_decode_pair_elimination::run)
        .looking_for(Kinds::ENCODE_AND_DECODE)
        .minds(CONTENT),
    pass("merge_chained_aggregate_reads", 0, merge_chained_aggregate_reads::run)
        .looking_for(Kinds::EXTRACT_VALUE)
        .minds(CONTENT),
    pass("replace_aggregate_box_ops", 0, replace_aggregate_box_ops::run)
        .looking_for(Kinds::BOX_READ)
        .minds(CONTENT)
        .adding_kinds(),
    pass("minimize_box_exist_asserts", 1, minimize_box_exist_asserts::run)
        .looking_for(Kinds::BOX_EXISTS),
    pass(
        "constant_reads_and_unobserved_writes_elimination",
        1,
        constant_reads_and_unobserved_writes_elimination::run,
    )
    .looking_for(Kinds::STATE),
];

/// For each set of changes the rows that they do not give anything to do, as bits.
static UNCONCERNED: [u32; ALL as usize + 1] = {
    let mut rows = [0; ALL as usize + 1];
    let mut changes = 0;
    while changes <= ALL {
        rows[changes as usize] = rows_that_do_not_mind(changes);
        changes += 1;
    }
    rows
};

const fn rows_that_do_not_mind(changes: Changes) -> u32 {
    let mut rows = 0;
    let mut row = 0;
    while row < PASSES.len() {
        if PASSES[row].minds & changes == 0 {
            rows |= 1 << row;
        }
        row += 1;
    }
    rows
}

const ROUNDS_MAX: usize = 100;

const _: () = assert!(PASSES.len() <= u32::BITS as usize, "Memo::settled has a bit for each pass");

impl Pass {
    fn enabled(&self, options: &CompileOptions) -> bool {
        let chosen = options.optimizations_override.get(self.name).copied();
        chosen.unwrap_or(options.optimization_level >= self.level)
    }
}

/// Whether the options ask for a pass.
pub(in crate::ir) fn is_enabled(name: &str, options: &CompileOptions) -> bool {
    PASSES.iter().any(|pass| pass.name == name && pass.enabled(options))
}

/// What other compilation targets became; asked for once their code is needed.
pub trait CompiledPrograms {
    /// The bytecode of a program of an artifact with these template values. Fails for an artifact
    /// that is not compiled yet.
    fn bytecode(
        &self,
        artifact: Symbol,
        kind: ProgramKind,
        template_values: &[TemplateConstant],
    ) -> Outcome<Rc<[u8]>>;
    /// The state a contract asks for.
    fn state_totals(&self, artifact: Symbol) -> Outcome<StateTotals>;
}

/// The value given to a template variable of a referenced artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateConstant {
    /// Full name of the variable.
    pub name: Symbol,
    /// Its value.
    pub value: TemplateValue,
    /// Where the value stands.
    pub loc: Loc,
}

/// The subroutines of a program except the one a pass works on.
#[derive(Clone, Copy)]
struct Others<'a> {
    before: &'a [Subroutine],
    after: &'a [Subroutine],
    places: &'a LookupMap<SubId, usize>,
}

impl<'a> Others<'a> {
    /// A subroutine other than main and the one worked on.
    fn get(self, sub: SubId) -> Option<&'a Subroutine> {
        let place = *self.places.get(&sub)?;
        match place.checked_sub(self.before.len()) {
            None => self.before.get(place),
            Some(0) => None,
            Some(rest) => self.after.get(rest - 1),
        }
    }
}

/// What a pass may look at besides its subroutine.
#[derive(Clone, Copy)]
struct PassCtx<'a, 's> {
    /// Names, types, options, messages.
    ir: Ctx<'a, 's>,
    /// The rest of the program.
    others: Others<'a>,
    /// Which calls are to be inlined in this round.
    plan: &'a InliningPlan,
    /// Functions that lose their last calls when those of this subroutine are inlined.
    last_called: &'a RefCell<Vec<LastCalled>>,
    /// Scratch of the inlining pass.
    versions: &'a RefCell<Versions>,
    /// Routines of the embedded library, as of the start of the stage.
    library: &'a Library,
    /// Other compilation targets.
    compiled: &'a dyn CompiledPrograms,
}

/// The passes that the options ask for, with their rows.
pub struct EnabledPasses(Vec<(u32, &'static Pass)>);

impl EnabledPasses {
    /// Those of these options.
    pub fn of(options: &CompileOptions) -> Self {
        Self((0..).zip(PASSES).filter(|(_, pass)| pass.enabled(options)).collect())
    }
}

/// Optimises a program. `on_round` is called after each round that changed something.
pub fn optimise(
    program: &mut Program,
    ctx: Ctx<'_, '_>,
    compiled: &dyn CompiledPrograms,
    passes: &EnabledPasses,
    on_round: &mut dyn FnMut(&Program) -> Outcome<()>,
) -> Outcome<()> {
    let EnabledPasses(passes) = passes;
    let inlines = passes.iter().any(|(_, pass)| pass.scope == Scope::Program);
    let library = library_of(program, ctx);
    let mut places = program.index_by_id();
    let versions = RefCell::new(Versions::default());
    for _ in 0..ROUNDS_MAX {
        let plan = InliningPlan::analyse(program, ctx);
        let mut changed = false;
        let mut calls = RemainingCalls::count(program, &places);
        for index in 0..=program.subroutines.len() {
            ctx.session.check_stop()?;
            if index > 0 && calls.is_gone(index - 1, &program.subroutines[index - 1], ctx) {
                let sub = &program.subroutines[index - 1];
                calls.remove(sub.id, &sub.needs().calls);
                continue;
            }
            let last_called = RefCell::default();
            if inlines {
                *last_called.borrow_mut() = perform_subroutine_inlining::take_last_called(
                    program, index, &plan, &calls, ctx,
                );
            }
            let (sub, others) = focus(program, index, &places);
            let calls_before = sub.needs().calls.clone();
            let ctx = PassCtx {
                ir: ctx,
                others,
                plan: &plan,
                last_called: &last_called,
                versions: &versions,
                library: &library,
                compiled,
            };
            changed |= optimise_subroutine(sub, &ctx, passes)?;
            if sub.needs().calls != calls_before {
                calls.remove(sub.id, &calls_before);
                calls.add(sub.id, &sub.needs().calls);
            }
        }
        if remove_unused_subroutines::run(program, ctx, &places) {
            changed = true;
            places = program.index_by_id();
        }
        if !changed {
            break;
        }
        on_round(program)?;
    }
    Ok(())
}

/// Subroutine `index` in output order (0 is main) apart from the rest of the program.
fn focus<'a>(
    program: &'a mut Program,
    index: usize,
    places: &'a LookupMap<SubId, usize>,
) -> (&'a mut Subroutine, Others<'a>) {
    let Some(place) = index.checked_sub(1) else {
        // main is no callee: an entry that nothing is found under stands for it
        let before: &[Subroutine] = &program.subroutines;
        return (&mut program.main, Others { before, after: &[], places });
    };
    let (before, rest) = program.subroutines.split_at_mut(place);
    let (sub, after) = rest.split_first_mut().expect("a subroutine at its index");
    (sub, Others { before, after, places })
}

fn optimise_subroutine(
    sub: &mut Subroutine,
    ctx: &PassCtx<'_, '_>,
    passes: &[(u32, &Pass)],
) -> Outcome<bool> {
    let mut changed = false;
    for (row, pass) in passes {
        let bit = 1 << row;
        if sub.memo.settled & bit != 0 || !sub.kinds().contains(pass.looks_for) {
            if cfg!(debug_assertions) {
                check_settled(pass, sub, ctx)?;
            }
            continue;
        }
        while run_pass(pass, bit, sub, ctx)? {
            changed = true;
            if pass.repeat != Repeat::UntilStable {
                break;
            }
        }
    }
    if cfg!(debug_assertions) {
        verify::verify_ssa(sub, ctx.ir)?;
    }
    Ok(changed)
}

/// Runs a pass once. Its answer and its row say which rows are settled after it. A pass that changes a
/// body and answers false, as the reference does, or changes more than its row says, has to tell the
/// body.
fn run_pass(pass: &Pass, bit: u32, sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let before = cfg!(debug_assertions).then(|| text::subroutine(ctx.ir, sub));
    sub.memo.settled |= bit;
    let changed = (pass.run)(sub, ctx)?;
    if let Some(before) = before
        && !changed
        && sub.memo.settled & bit != 0
    {
        let name = pass.name;
        debug_assert_eq!(text::subroutine(ctx.ir, sub), before, "{name} hides a change");
    }
    if changed {
        let needless = if pass.repeat == Repeat::Needless { sub.memo.settled & bit } else { 0 };
        let settled = sub.memo.settled & UNCONCERNED[usize::from(pass.changes)];
        if pass.adds_kinds {
            sub.touch();
        } else {
            sub.touch_with_known_kinds();
            debug_assert!(sub.kinds().contains(Kinds::of_body(sub)), "{} adds kinds", pass.name);
        }
        sub.memo.settled = settled | needless;
    }
    if pass.scope == Scope::Program {
        sub.memo.settled &= !bit;
    }
    Ok(changed)
}

/// Debug builds run what is skipped, too.
fn check_settled(pass: &Pass, sub: &Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<()> {
    let mut copy = sub.clone();
    let changed = (pass.run)(&mut copy, ctx)?;
    let same = text::subroutine(ctx.ir, &copy) == text::subroutine(ctx.ir, sub);
    debug_assert!(same && !changed, "{} has something to do after all", pass.name);
    Ok(())
}

/// Gives an assignment another source. Fails when the types do not fit, as the reference does
/// whenever it replaces a source.
fn set_source(sub: &mut Subroutine, ctx: Ctx<'_, '_>, op: OpId, source: Source) -> Outcome<()> {
    let loc = sub.ops[op].loc;
    let OpKind::Assign { targets, source: place } = &mut sub.ops[op].kind else {
        return Err(Failure::internal("only an assignment has a source", loc));
    };
    verify::check_assignment(ctx, targets, &source, loc)?;
    *place = source;
    Ok(())
}
