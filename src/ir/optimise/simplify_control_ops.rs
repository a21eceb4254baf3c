//! Puts simpler terminators in the place of branches whose outcome is known or whose condition says the
//! same in a shorter way. One rule per block and run; the row is repeated until no rule applies.
//!
//! | terminator | becomes |
//! |---|---|
//! | `exit 0u` | `fail` |
//! | branch on a constant | goto |
//! | branch to a block that only fails | an assertion and a goto |
//! | branch on `(! x)` | branch on `x` with swapped targets |
//! | switch on numbers that lie close together | goto_nth |
//! | goto_nth on a constant, or with one block | goto, or a branch |
//! | anything with one target | goto |

use crate::avm::ops::AvmOp;
use crate::base::entity::SecondaryMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::cfg;
use crate::ir::model::{BlockId, Node, Subroutine};
use crate::ir::op::{
    Constant, Intrinsic, OpKind, Register, RegisterId, Source, SourceKind, Terminator,
    TerminatorKind, Value,
};
use crate::ir::types::IrType;

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut definitions = Definitions::default();
    let mut changed = false;
    for index in 0..sub.body.len() {
        changed |= simplify(sub, ctx, sub.body[index], &mut definitions)?;
    }
    Ok(changed)
}

/// Where registers are defined; filled when first asked for one of another block.
#[derive(Default)]
struct Definitions(Option<SecondaryMap<RegisterId, Option<Node>>>);

impl Definitions {
    /// The definition of a register, which often is one of the last operations of the block that
    /// tests it.
    fn find_from(&mut self, sub: &Subroutine, block: BlockId, register: Register) -> Option<Node> {
        let ops = &sub.blocks[block].ops;
        match ops.iter().rev().find(|op| sub.ops[**op].targets().contains(&register)) {
            Some(op) => Some(Node::Op(*op)),
            None => self.find(sub, register),
        }
    }
    fn find(&mut self, sub: &Subroutine, register: Register) -> Option<Node> {
        let nodes = self.0.get_or_insert_with(|| {
            let mut nodes = SecondaryMap::with_len(sub.registers as usize);
            for block in &sub.body {
                let block = &sub.blocks[*block];
                for phi in &block.phis {
                    nodes[sub.phis[*phi].register.id] = Some(Node::Phi(*phi));
                }
                for op in &block.ops {
                    for target in sub.ops[*op].targets() {
                        nodes[target.id] = Some(Node::Op(*op));
                    }
                }
            }
            nodes
        });
        nodes[register.id]
    }
    fn add(&mut self, register: Register, node: Node) {
        if let Some(nodes) = &mut self.0 {
            nodes[register.id] = Some(node);
        }
    }
}

fn simplify(
    sub: &mut Subroutine,
    ctx: &PassCtx<'_, '_>,
    block: BlockId,
    definitions: &mut Definitions,
) -> Outcome<bool> {
    let pool = ctx.ir.pool;
    let terminator = sub.blocks[block].terminator();
    let loc = terminator.loc;
    let new = match &terminator.kind {
        TerminatorKind::Exit(value) if value.uint64_constant() == Some(0) => {
            TerminatorKind::Fail { message: None, explicit: true }
        }
        TerminatorKind::Branch { condition, non_zero, zero } => {
            let (condition, non_zero, zero) = (*condition, *non_zero, *zero);
            if let Some(value) = condition.uint64_constant() {
                let (target, other) = if value == 0 { (zero, non_zero) } else { (non_zero, zero) };
                if other != target {
                    sub.remove_predecessor(pool, other, block)?;
                }
                TerminatorKind::Goto(target)
            } else if let Some((message, explicit)) = bare_failure(sub, zero) {
                let op = OpKind::Assert { condition, message, explicit };
                let op = sub.make_op(op, loc);
                sub.blocks[block].ops.push(op);
                if zero != non_zero {
                    sub.remove_predecessor(pool, zero, block)?;
                }
                TerminatorKind::Goto(non_zero)
            } else {
                let Value::Register(register) = condition else {
                    return single_target(sub, block);
                };
                if let Some((message, explicit)) = bare_failure(sub, non_zero) {
                    let condition = negation(sub, ctx, block, (register, loc), definitions)?;
                    let op = OpKind::Assert { condition, message, explicit };
                    let op = sub.make_op(op, loc);
                    sub.blocks[block].ops.push(op);
                    // the zero target is another block, or the rule before had applied
                    sub.remove_predecessor(pool, non_zero, block)?;
                    TerminatorKind::Goto(zero)
                } else if let Some(condition) = negated(sub, block, register, definitions)? {
                    TerminatorKind::Branch { condition, non_zero: zero, zero: non_zero }
                } else {
                    return single_target(sub, block);
                }
            }
        }
        TerminatorKind::Switch { value, cases, default } if value.ty(pool).is_uint64(pool) => {
            match numbered(cases, *default) {
                Some(blocks) => {
                    TerminatorKind::GotoNth { value: *value, blocks, default: *default }
                }
                None => return single_target(sub, block),
            }
        }
        TerminatorKind::GotoNth { value, blocks, default } => {
            if let Some(value) = value.uint64_constant() {
                let place = usize::try_from(value).ok();
                let target = place.and_then(|place| blocks.get(place)).copied().unwrap_or(*default);
                for other in terminator.unique_targets() {
                    if other != target {
                        sub.remove_predecessor(pool, other, block)?;
                    }
                }
                TerminatorKind::Goto(target)
            } else if let [zero] = blocks[..] {
                TerminatorKind::Branch { condition: *value, non_zero: *default, zero }
            } else {
                return single_target(sub, block);
            }
        }
        _ => return single_target(sub, block),
    };
    sub.blocks[block].terminator = Some(Terminator { kind: new, loc });
    Ok(true)
}

/// The last rule: everything that goes to one block only is a goto.
fn single_target(sub: &mut Subroutine, block: BlockId) -> Outcome<bool> {
    if matches!(sub.blocks[block].terminator().kind, TerminatorKind::Goto(_)) {
        return Ok(false);
    }
    cfg::simplify_single_target(sub, block);
    Ok(matches!(sub.blocks[block].terminator().kind, TerminatorKind::Goto(_)))
}

/// Message and origin of the failure, when a block does nothing but fail.
fn bare_failure(
    sub: &Subroutine,
    block: BlockId,
) -> Option<(Option<crate::base::arena::Symbol>, bool)> {
    let block = &sub.blocks[block];
    match block.terminator().kind {
        TerminatorKind::Fail { message, explicit }
            if block.phis.is_empty() && block.ops.is_empty() =>
        {
            Some((message, explicit))
        }
        _ => None,
    }
}

/// A register that holds the negation of another, computed at the end of the block unless it exists.
fn negation(
    sub: &mut Subroutine,
    ctx: &PassCtx<'_, '_>,
    block: BlockId,
    (register, loc): (Register, Loc),
    definitions: &mut Definitions,
) -> Outcome<Value> {
    let name = ctx.ir.sym(&format!("not%{}", ctx.ir.text(register.name)));
    let mut known = None;
    sub.visit_definitions(&mut |other| {
        let same = (other.name, other.version, other.ty) == (name, register.version, IrType::Bool);
        if same && !other.is_parameter() {
            known = Some(other.id);
        }
    });
    let id = known.unwrap_or_else(|| sub.new_register_id());
    let not = Register::local(id, name, register.version, IrType::Bool, loc);
    if known.is_none() {
        let args = vec![Value::Register(register)];
        let intrinsic = Intrinsic::with_signature_types(AvmOp::Not, Vec::new(), args, loc)?;
        let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc };
        let op = sub.make_assign(not.into(), source, loc);
        sub.blocks[block].ops.push(op);
        definitions.add(not, Node::Op(op));
    }
    Ok(Value::Register(not))
}

/// What a register is the negation of.
fn negated(
    sub: &Subroutine,
    block: BlockId,
    register: Register,
    definitions: &mut Definitions,
) -> Outcome<Option<Value>> {
    if register.is_parameter() && sub.parameters.contains(&register) {
        return Ok(None);
    }
    match definitions.find_from(sub, block, register) {
        Some(Node::Op(op)) => Ok(sub.ops[op].intrinsic().and_then(|intrinsic| {
            (intrinsic.op == AvmOp::Not).then(|| intrinsic.args.first().copied()).flatten()
        })),
        Some(_) => Ok(None),
        None => Err(Failure::internal("Register is not defined", sub.loc)),
    }
}

/// The blocks by number, when all keys are numbers and less than half of the range has no key.
fn numbered(cases: &[(Value, BlockId)], default: BlockId) -> Option<Vec<BlockId>> {
    let mut largest = 0;
    for (key, _) in cases {
        let Value::Constant(Constant::UInt64 { value, .. }, _) = key else { return None };
        largest = largest.max(*value);
    }
    let largest = usize::try_from(largest).ok()?;
    if largest >= cases.len().checked_mul(2)? {
        return None;
    }
    let mut blocks = vec![default; largest + 1];
    for (key, block) in cases {
        if let Some(place) = key.uint64_constant().and_then(|key| usize::try_from(key).ok()) {
            blocks[place] = *block;
        }
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_branch_to_a_bare_failure_becomes_an_assertion() {
        check(
            "simplify_control_ops",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    goto a#0 ? block@1 : block@3
                block@1: // L2
                    goto a#0 ? block@3 : block@2
                block@2: // L3
                    exit 0u
                block@3: // L4
                    fail // no
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    (assert a#0) // no
                    goto block@1
                block@1: // L2
                    let not%a#0: bool = (! a#0)
                    (assert not%a#0) // no
                    goto block@2
                block@2: // L3
                    fail
                block@3: // L4
                    fail // no
            "#,
        );
    }

    #[test]
    fn a_dense_switch_is_a_table_and_a_sparse_one_stays() {
        check(
            "simplify_control_ops",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    switch a#0 {0u => block@1, 2u => block@2, 3u => block@1, * => block@3}
                block@1: // L2
                    switch a#0 {0u => block@2, 9u => block@3, * => block@3}
                block@2: // L3
                    let b#0: bool = (! a#0)
                    goto b#0 ? block@3 : block@4
                block@3: // L4
                    goto 0u ? block@2 : block@4
                block@4: // L5
                    goto_nth [block@5][a#0] else goto block@6
                block@5: // L6
                    goto a#0 ? block@6 : block@6
                block@6: // L7
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    goto_nth [block@1, block@3, block@2, block@1][a#0] else goto block@3
                block@1: // L2
                    switch a#0 {0u => block@2, 9u => block@3, * => block@3}
                block@2: // L3
                    let b#0: bool = (! a#0)
                    goto a#0 ? block@4 : block@3
                block@3: // L4
                    goto block@4
                block@4: // L5
                    goto a#0 ? block@6 : block@5
                block@5: // L6
                    goto block@6
                block@6: // L7
                    exit 1u
            "#,
        );
    }
}
