//! Puts constants in the place of registers that hold them. `let x = 3u` and `f(x)` become
//! `let x = 3u` and `f(3u)`; the definition is left to the removal of unused variables.
//!
//! A phi whose arguments all hold one equal constant holds it too. The phi stays, since its arguments
//! must be registers, and does not count as a change.

use crate::diagnostics::Outcome;
use crate::ir::model::{Node, PhiId, RegisterTable, Subroutine};
use crate::ir::op::{OpKind, Register, Source, SourceKind, Value};

use super::PassCtx;
use super::readers::Readers;

/// What a register holds.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    /// Anything.
    Unknown,
    /// What another register holds, or one of several.
    Copy,
    /// The constant in this place.
    Constant(u32),
}

/// The registers that hold a constant or may come to hold one.
struct Candidates {
    contents: RegisterTable<Content>,
    constants: Vec<Value>,
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut found: Vec<(Register, Value)> = Vec::new();
    for block in &sub.body {
        for op in &sub.blocks[*block].ops {
            if let Some((target, Source { kind: SourceKind::Value(value), .. })) =
                sub.single_assignment(*op)
                && matches!(value, Value::Constant(..))
            {
                found.push((target, *value));
            }
        }
    }
    if found.is_empty() {
        return Ok(false);
    }
    let contents = sub.register_table(Content::Unknown);
    let mut candidates = Candidates { contents, constants: Vec::with_capacity(found.len()) };
    for block in &sub.body {
        let block = &sub.blocks[*block];
        for phi in &block.phis {
            candidates.contents[sub.phis[*phi].register] = Content::Copy;
        }
        for op in &block.ops {
            if let Some((target, Source { kind: SourceKind::Value(Value::Register(_)), .. })) =
                sub.single_assignment(*op)
            {
                candidates.contents[target] = Content::Copy;
            }
        }
    }
    let mut pending: Vec<Register> = Vec::with_capacity(found.len());
    for (register, value) in found {
        candidates.hold(register, value);
        pending.push(register);
    }
    let readers = Readers::collect(sub, ctx.ir.pool, |register| {
        candidates.contents[register] != Content::Unknown
    });
    let mut changed = false;
    // PARITY: the register found last goes first
    while let Some(register) = pending.pop() {
        let constant = candidates.constant(register).expect("pending registers hold a constant");
        for node in readers.get(register.id) {
            if let Node::Phi(phi) = node {
                let target = sub.phis[phi].register;
                if candidates.constant(target).is_none()
                    && let Some(value) = constant_of_phi(sub, phi, &candidates)
                {
                    candidates.hold(target, value);
                    pending.push(target);
                }
                continue;
            }
            changed = true;
            if let Some(target) = copy_of(sub, node, register) {
                candidates.hold(target, constant);
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
    fn hold(&mut self, register: Register, constant: Value) {
        let place = u32::try_from(self.constants.len()).expect("fewer than 2^32 registers");
        self.contents[register] = Content::Constant(place);
        self.constants.push(constant);
    }
    fn constant(&self, register: Register) -> Option<Value> {
        match self.contents[register] {
            Content::Constant(place) => Some(self.constants[place as usize]),
            Content::Unknown | Content::Copy => None,
        }
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
