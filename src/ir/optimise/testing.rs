//! Checks a pass on text: dump in, dump out.

use std::cell::RefCell;
use std::rc::Rc;

use crate::base::arena::{Arena, Symbol};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome, Severity};
use crate::ir::model::{Program, ProgramKind};
use crate::ir::pool::Pool;
use crate::ir::{Ctx, text, text_read, verify};
use crate::metadata::StateTotals;
use crate::options::CompileOptions;
use crate::session::Session;

use super::inlining_plan::InliningPlan;
use super::{
    CompiledPrograms, EnabledPasses, PASSES, PassCtx, TemplateConstant, focus, library_of, optimise,
};

/// Other artifacts as the tests need them: every program is the bytes of its artifact's name.
struct Named<'a, 's>(&'a Session<'s>);

impl CompiledPrograms for Named<'_, '_> {
    fn bytecode(
        &self,
        artifact: Symbol,
        _kind: ProgramKind,
        template_values: &[TemplateConstant],
    ) -> Outcome<Rc<[u8]>> {
        match self.0.text(artifact) {
            "unknown" => Err(Failure::code("invalid reference: unknown", Loc::NONE)),
            name => Ok(name.repeat(1 + template_values.len()).into_bytes().into()),
        }
    }
    fn state_totals(&self, _artifact: Symbol) -> Outcome<StateTotals> {
        Ok(StateTotals { global_uints: 1, global_bytes: 2, local_uints: 3, local_bytes: 4 })
    }
}

/// Runs something on the program of a text, and gives its answer with the program's new text.
fn with_program<T>(
    before: &str,
    options: &CompileOptions,
    run: impl FnOnce(&mut Program, Ctx<'_, '_>, &dyn CompiledPrograms) -> T,
) -> (T, String, Vec<String>) {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let ctx = Ctx { session: &session, pool: &pool, options };
    let before = unindent(before);
    let mut program =
        text_read::program(ctx, &before, ProgramKind::Approval).expect("the text before reads");
    let answer = run(&mut program, ctx, &Named(&session));
    let messages = session.sink.since(0).into_iter().filter(|m| m.severity > Severity::Debug);
    (answer, text::program(ctx, &program), messages.map(|m| m.message).collect())
}

/// Runs one pass once on every subroutine at an optimisation level; the answers are joined by "or".
fn run_pass(name: &str, before: &str, level: i64) -> (bool, String, Vec<String>) {
    let pass = PASSES.iter().find(|pass| pass.name == name).expect("a row of the table");
    let options = CompileOptions { optimization_level: level, ..CompileOptions::default() };
    with_program(before, &options, |program, ctx, compiled| {
        let plan = InliningPlan::analyse(program, ctx);
        let library = library_of(program, ctx);
        let places = program.index_by_id();
        let mut changed = false;
        for index in 0..=program.subroutines.len() {
            let (sub, others) = focus(program, index, &places);
            let ctx = PassCtx {
                ir: ctx,
                others,
                plan: &plan,
                last_called: &RefCell::default(),
                versions: &RefCell::default(),
                library: &library,
                compiled,
            };
            changed |= (pass.run)(sub, &ctx).expect("the pass works");
            verify::verify_ssa(sub, ctx.ir).expect("the pass leaves valid SSA");
        }
        changed
    })
}

/// Checks what a pass makes of a program, and that it reports a change exactly when there is one.
#[track_caller]
pub(super) fn check(pass: &str, before: &str, after: &str) {
    check_at(2, pass, before, after);
}

/// The same at an optimisation level.
#[track_caller]
pub(super) fn check_at(level: i64, pass: &str, before: &str, after: &str) {
    let (changed, text, _) = run_pass(pass, before, level);
    assert_eq!(text, unindent(after));
    assert_eq!(changed, text != without_attributes(&unindent(before)), "the answer of the pass");
}

/// Checks what a pass makes of a program and what it answers, where the answer is not the truth.
#[track_caller]
pub(super) fn check_answer(pass: &str, before: &str, after: &str, answer: bool) {
    let (changed, text, _) = run_pass(pass, before, 2);
    assert_eq!(text, unindent(after));
    assert_eq!(changed, answer, "the answer of the pass");
}

/// Checks the end of an optimisation, how many rounds changed something, and the messages.
#[track_caller]
pub(super) fn check_rounds(level: i64, before: &str, after: &str, rounds: usize, told: &[&str]) {
    let options = CompileOptions { optimization_level: level, ..CompileOptions::default() };
    let (seen, text, messages) = with_program(before, &options, |program, ctx, compiled| {
        let mut seen = 0;
        let counted =
            optimise(program, ctx, compiled, &EnabledPasses::of(ctx.options), &mut |_| {
                seen += 1;
                Ok(())
            });
        counted.expect("optimisation works");
        seen
    });
    assert_eq!(text, unindent(after));
    assert_eq!(seen, rounds, "rounds that changed something");
    assert_eq!(messages, told);
}

/// What stands behind headers is not in dumps.
fn without_attributes(text: &str) -> String {
    let plain = |line: &str| match line.split_once(": // ") {
        Some((header, _)) if line.starts_with("subroutine ") => format!("{header}:"),
        _ => line.to_owned(),
    };
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Takes off the indentation of the first line.
fn unindent(text: &str) -> String {
    let text = text.trim_matches('\n').trim_end();
    let indent = text.len() - text.trim_start().len();
    let lines: Vec<&str> =
        text.split('\n').map(|line| line.get(indent..).unwrap_or_default()).collect();
    lines.join("\n")
}
