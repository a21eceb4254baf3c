//! Puts constants in the place of registers that hold them. `let x = 3u` and `f(x)` become
//! `let x = 3u` and `f(3u)`; the definition is left to the removal of unused variables.
//!
//! A phi whose arguments all hold one equal constant holds it too. The phi stays, since its arguments
//! must be registers, and does not count as a change.

use crate::base::entity::EntityId;
use crate::diagnostics::Outcome;
use crate::ir::model::{Node, PhiId, Subroutine};
use crate::ir::numbering::{Numbering, RegisterId};
use crate::ir::op::{OpKind, Register, Source, SourceKind, Value};

use super::PassCtx;
use super::readers::Readers;

/// The registers that hold a constant or may come to hold one.
#[derive(Default)]
struct Candidates {
    numbering: Numbering,
    /// The constant of each, once it is known to hold one.
    constants: Vec<Option<Value>>,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut candidates = Candidates::default();
    let mut pending: Vec<RegisterId> = Vec::new();
    for block in &sub.body {
        for op in &sub.blocks[*block].ops {
            if let Some((target, Source { kind: SourceKind::Value(value), .. })) =
                sub.single_assignment(*op)
                && matches!(value, Value::Constant(..))
            {
                let id = candidates.add(target);
                candidates.constants[id.index()] = Some(*value);
                pending.push(id);
            }
        }
    }
    if pending.is_empty() {
        return Ok(false);
    }
    for phi in sub.phis_in_order() {
        candidates.add(sub.phis[phi].register);
    }
    for op in sub.ops_in_order() {
        if let Some((target, Source { kind: SourceKind::Value(Value::Register(_)), .. })) =
            sub.single_assignment(op)
        {
            candidates.add(target);
        }
    }
    let readers = Readers::collect(sub, ctx.ir.pool, &candidates.numbering);
    let mut changed = false;
    // PARITY: the register found last goes first
    while let Some(id) = pending.pop() {
        let constant = candidates.constants[id.index()].expect("pending registers hold a constant");
        let register = candidates.numbering.register(id);
        for node in readers.get(Some(id)) {
            if let Node::Phi(phi) = node {
                let target = candidates.add(sub.phis[phi].register);
                if candidates.constants[target.index()].is_none()
                    && let Some(value) = constant_of_phi(sub, phi, &candidates)
                {
                    candidates.constants[target.index()] = Some(value);
                    pending.push(target);
                }
                continue;
            }
            changed = true;
            if let Some(target) = copy_of(sub, node, register) {
                let target = candidates.add(target);
                candidates.constants[target.index()] = Some(constant);
                pending.push(target);
            }
            let mut swap = |value: Value| {
                if value == Value::Register(register) { constant } else { value }
            };
            match node {
                Node::Op(op) => {
                    sub.ops[op].map_reads(ctx.ir.pool, &mut swap);
                    align_copy_loc(&mut sub.ops[op].kind);
                }
                Node::Terminator(block) => sub.map_terminator_reads(ctx.ir, block, &mut swap),
                Node::Phi(_) => unreachable!("dealt with above"),
            }
        }
    }
    Ok(changed)
}

impl Candidates {
    fn add(&mut self, register: Register) -> RegisterId {
        let id = self.numbering.id(register);
        if id.index() == self.constants.len() {
            self.constants.push(None);
        }
        id
    }
    fn constant(&self, register: Register) -> Option<Value> {
        self.constants[self.numbering.known(register)?.index()]
    }
}

fn constant_of_phi(sub: &Subroutine, phi: PhiId, candidates: &Candidates) -> Option<Value> {
    let (first, rest) = sub.phis[phi].args.split_first()?;
    let value = candidates.constant(first.value)?;
    rest.iter().all(|arg| candidates.constant(arg.value) == Some(value)).then_some(value)
}

/// The target of an assignment that copies the register and nothing else.
fn copy_of(sub: &Subroutine, node: Node, register: Register) -> Option<Register> {
    let Node::Op(op) = node else { return None };
    match sub.single_assignment(op)? {
        (target, Source { kind: SourceKind::Value(Value::Register(source)), .. })
            if *source == register =>
        {
            Some(target)
        }
        _ => None,
    }
}

/// A copied value brings its own location along.
fn align_copy_loc(kind: &mut OpKind) {
    if let OpKind::Assign { source: Source { kind: SourceKind::Value(value), loc }, .. } = kind {
        *loc = value.loc();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_answer};

    #[test]
    fn a_constant_takes_the_place_of_copies_and_reads() {
        check(
            "constant_replacer",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    let b#0: uint64 = a#0
                    let c#0: uint64 = (+ a#0 b#0)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    let b#0: uint64 = 3u
                    let c#0: uint64 = (+ 3u 3u)
                    exit c#0
            "#,
        );
    }

    #[test]
    fn a_phi_of_equal_constants_is_one_and_stays() {
        check(
            "constant_replacer",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    let b#0: uint64 = 3u
                    let p#0: bool = (txn NumAppArgs)
                    goto p#0 ? block@1 : block@2
                block@1: // L2
                    goto block@2
                block@2: // L3
                    let c#0: uint64 = φ(a#0 <- block@0, b#0 <- block@1)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    let b#0: uint64 = 3u
                    let p#0: bool = (txn NumAppArgs)
                    goto p#0 ? block@1 : block@2
                block@1: // L2
                    goto block@2
                block@2: // L3
                    let c#0: uint64 = φ(a#0 <- block@0, b#0 <- block@1)
                    exit 3u
            "#,
        );
    }

    #[test]
    fn a_phi_that_becomes_constant_is_no_change() {
        check_answer(
            "constant_replacer",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    goto block@1
                block@1: // L2
                    let c#0: uint64 = φ(a#0 <- block@0)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    goto block@1
                block@1: // L2
                    let c#0: uint64 = φ(a#0 <- block@0)
                    exit 1u
            "#,
            false,
        );
    }
}
