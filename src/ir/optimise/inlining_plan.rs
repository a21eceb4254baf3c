//! Decides which calls a round inlines: program in, [`InliningPlan`] out. Functions that cannot be
//! inlined are marked so for good. Spec 22 §4.1.
//!
//! Candidates come in three steps, and a later step is taken only when the earlier ones found nothing:
//! functions that must be inlined, with trivial ones and those with one call; then small ones.

use std::cell::RefCell;

use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet, SecondaryMap};
use crate::base::ordered::LookupMap;
use crate::define_id;
use crate::ir::Ctx;
use crate::ir::model::{Program, Subroutine};
use crate::ir::op::OpKind;
use crate::ir::pool::{Pool, SubId};

define_id!(
    /// A name in the call graph.
    struct NameId, "name"
);

/// The calls to inline, by the names of caller and callee.
#[derive(Default)]
pub(super) struct InliningPlan {
    /// Caller and callee, in ascending order.
    calls: Vec<(Symbol, Symbol)>,
    /// Whether a function only computes a value of its arguments; asked for and filled by the pass.
    pub(super) constant_functions: RefCell<LookupMap<Symbol, bool>>,
}

impl InliningPlan {
    /// Whether a caller has any call to inline.
    pub(super) fn has_calls(&self, caller: Symbol) -> bool {
        self.calls.binary_search_by_key(&caller, |(caller, _)| *caller).is_ok()
    }
    /// Whether calls from one function to another are to be inlined.
    pub(super) fn contains(&self, caller: Symbol, callee: Symbol) -> bool {
        self.calls.binary_search(&(caller, callee)).is_ok()
    }

    /// Plans a round. Warns about functions that were to be inlined but cannot be.
    pub(super) fn analyse(program: &mut Program, ctx: Ctx<'_, '_>) -> Self {
        let mut plan = Self::default();
        if program.subroutines.is_empty() {
            return plan;
        }
        let graph = CallGraph::new(program, ctx.pool);
        for sub in &mut program.subroutines {
            plan.forced(sub, &graph, ctx);
        }
        let level = ctx.options.optimization_level;
        if level > 0 {
            let skipped = |sub: &Subroutine| level < 2 && sub.is_routing_wrapper;
            plan.trivial_and_called_once(program, &graph, skipped);
            if plan.calls.is_empty() {
                plan.small(program, &graph, skipped);
            }
        }
        plan.calls.sort_unstable();
        plan
    }

    fn add(&mut self, graph: &CallGraph, caller: NameId, callee: &Subroutine) {
        self.calls.push((graph.name(caller), graph.name(graph.id(callee))));
    }

    fn forced(&mut self, sub: &mut Subroutine, graph: &CallGraph, ctx: Ctx<'_, '_>) {
        if sub.inline == Some(false) {
            return;
        }
        let entry = &sub.blocks[sub.entry()];
        if entry.phis.iter().any(|phi| !sub.phis[*phi].args.is_empty()) {
            if sub.inline == Some(true) {
                let message = "function not suitable for inlining due to complex control flow";
                ctx.sink().warning(message, sub.loc);
            }
            sub.inline = Some(false);
        } else if graph.is_directly_recursive(sub) {
            if sub.inline == Some(true) {
                ctx.sink().warning("unable to inline recursive function", sub.loc);
            }
            sub.inline = Some(false);
        } else if sub.inline == Some(true) {
            let reachable = graph.reachable_from(sub);
            for (caller, _) in graph.callers(sub) {
                if reachable.contains(*caller) {
                    let message = format!(
                        "not inlining call from {} to {} because call may be re-entrant",
                        ctx.text(graph.name(*caller)),
                        ctx.text(sub.header(ctx.pool).id)
                    );
                    ctx.sink().warning(message, sub.loc);
                } else {
                    self.add(graph, *caller, sub);
                }
            }
        }
    }

    fn trivial_and_called_once(
        &mut self,
        program: &Program,
        graph: &CallGraph,
        skipped: impl Fn(&Subroutine) -> bool,
    ) {
        for sub in program.subroutines.iter().filter(|sub| sub.inline.is_none()) {
            let callers = graph.callers(sub);
            if is_trivial(sub) {
                callers.iter().for_each(|(caller, _)| self.add(graph, *caller, sub));
            } else if let [(caller, 1)] = callers
                && !skipped(sub)
            {
                self.add(graph, *caller, sub);
            }
        }
    }

    fn small(
        &mut self,
        program: &Program,
        graph: &CallGraph,
        skipped: impl Fn(&Subroutine) -> bool,
    ) {
        for sub in program.subroutines.iter().filter(|sub| sub.inline.is_none()) {
            if skipped(sub) || !is_small(sub) {
                continue;
            }
            let reachable = graph.reachable_from(sub);
            for (caller, _) in graph.callers(sub) {
                if !reachable.contains(*caller) {
                    self.add(graph, *caller, sub);
                }
            }
        }
    }
}

/// One block without phis and with at most one operation, an instruction or an assertion.
fn is_trivial(sub: &Subroutine) -> bool {
    let [block] = sub.body[..] else { return false };
    let block = &sub.blocks[block];
    sub.left_out == 0
        && block.phis.is_empty()
        && match block.ops[..] {
            [] => true,
            [op] => {
                matches!(sub.ops[op].kind, OpKind::Intrinsic(_) | OpKind::Assert { .. })
            }
            _ => false,
        }
}

fn is_small(sub: &Subroutine) -> bool {
    let threshold = (1 + sub.returns.len() + sub.parameters.len()).max(3);
    let mut complexity = sub.left_out;
    for block in &sub.body {
        let block = &sub.blocks[*block];
        complexity += block.phis.len() + block.ops.len();
        complexity += block.terminator().targets().len();
        if complexity > threshold {
            return false;
        }
    }
    !sub.has_high_level_nodes()
}

/// Who calls whom, by name: the main subroutine may share its name with another.
struct CallGraph {
    /// Where the names of subroutines are.
    ids: SecondaryMap<SubId, Option<NameId>>,
    names: Vec<Symbol>,
    /// Callers of each name with their number of calls, in order of the first call.
    callers: Vec<Vec<(NameId, u32)>>,
    /// What each name calls, repeats included.
    callees: Vec<Vec<NameId>>,
}

impl CallGraph {
    fn new(program: &Program, pool: &Pool<'_>) -> Self {
        let count = program.subroutines.len() + 1;
        let mut graph = Self {
            ids: SecondaryMap::with_len(pool.sub_count()),
            names: Vec::with_capacity(count),
            callers: Vec::with_capacity(count),
            callees: Vec::with_capacity(count),
        };
        for sub in program.all_subroutines() {
            let caller = graph.place(sub.id, pool);
            for target in &sub.needs().calls {
                let callee = graph.place(*target, pool);
                graph.add_call(caller, callee);
            }
        }
        graph
    }
    fn place(&mut self, sub: SubId, pool: &Pool<'_>) -> NameId {
        if let Some(id) = self.ids[sub] {
            return id;
        }
        let name = pool.header(sub).id;
        // main comes first
        let id = if self.names.first() == Some(&name) {
            NameId::new(0)
        } else {
            debug_assert!(!self.names.contains(&name), "only main shares its name");
            self.names.push(name);
            self.callers.push(Vec::new());
            self.callees.push(Vec::new());
            NameId::new(self.names.len() - 1)
        };
        self.ids[sub] = Some(id);
        id
    }
    fn add_call(&mut self, caller: NameId, callee: NameId) {
        self.callees[caller.index()].push(callee);
        let callers = &mut self.callers[callee.index()];
        // Calls of one caller come in a row, except those of the namesake of main, which comes first.
        match callers.as_mut_slice() {
            [.., (last, calls)] if *last == caller => *calls += 1,
            [(first, calls), ..] if *first == caller => *calls += 1,
            _ => callers.push((caller, 1)),
        }
    }
    fn id(&self, sub: &Subroutine) -> NameId {
        self.ids[sub.id].expect("every subroutine of the program is in the graph")
    }
    fn name(&self, id: NameId) -> Symbol {
        self.names[id.index()]
    }
    /// The callers of a subroutine with their number of calls.
    fn callers(&self, sub: &Subroutine) -> &[(NameId, u32)] {
        &self.callers[self.id(sub).index()]
    }
    fn is_directly_recursive(&self, sub: &Subroutine) -> bool {
        let id = self.id(sub);
        self.callees[id.index()].contains(&id)
    }
    /// The names that calls lead to from a subroutine, its own included.
    fn reachable_from(&self, sub: &Subroutine) -> EntitySet<NameId> {
        let mut pending = vec![self.id(sub)];
        let mut seen: EntitySet<NameId> = pending.iter().copied().collect();
        while let Some(name) = pending.pop() {
            let callees = &self.callees[name.index()];
            pending.extend(callees.iter().filter(|callee| seen.insert(**callee)));
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_rounds;

    #[test]
    fn forced_functions_go_in_on_level_zero_and_recursive_ones_are_told() {
        check_rounds(
            0,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f(1u)
                    let b#0: uint64 = g(a#0)
                    exit b#0

            subroutine f(x: uint64) -> uint64: // inline
                block@0: // L2
                    return x#0

            subroutine g(x: uint64) -> uint64: // inline
                block@0: // L3
                    let y#0: uint64 = g(x#0)
                    return y#0
            "#,
            r#"
            main m:
                block@0: // L1
                    goto block@1
                block@1: // L2
                    goto block@2
                block@2: // after_inlined_f_L1
                    let b#0: uint64 = g(1u)
                    exit b#0

            subroutine g(x: uint64) -> uint64:
                block@0: // L3
                    let y#0: uint64 = g(x#0)
                    return y#0
            "#,
            1,
            &["unable to inline recursive function"],
        );
    }

    #[test]
    fn a_call_that_may_come_back_stays_a_call() {
        let text = r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = f(1u)
                    exit a#0

            subroutine f(x: uint64) -> uint64: // inline
                block@0: // L2
                    let y#0: uint64 = g(x#0)
                    return y#0

            subroutine g(x: uint64) -> uint64: // noinline
                block@0: // L3
                    let y#0: uint64 = f(x#0)
                    return y#0
            "#;
        let after = r#"
            main m:
                block@0: // L1
                    goto block@1
                block@1: // L2
                    let y#0: uint64 = g(1u)
                    let a#0: uint64 = y#0
                    goto block@2
                block@2: // after_inlined_f_L1
                    exit a#0

            subroutine f(x: uint64) -> uint64:
                block@0: // L2
                    let y#0: uint64 = g(x#0)
                    return y#0

            subroutine g(x: uint64) -> uint64:
                block@0: // L3
                    let y#0: uint64 = f(x#0)
                    return y#0
            "#;
        let told = "not inlining call from g to f because call may be re-entrant";
        check_rounds(0, text, after, 1, &[told, told]);
    }
}
