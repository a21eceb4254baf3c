//! Rules for an operation on the result of the same operation: `(x + 1) + 2` becomes `x + 3`, and
//! `("a" ++ x)` after `"b"` becomes `"ba" ++ x`. The inner result must have no other reader.

use num_bigint::BigUint;

use crate::avm::ops::AvmOp;
use crate::base::source::Loc;
use crate::ir::model::{Node, OpId, Subroutine};
use crate::ir::op::{Intrinsic, OpKind, Value};

use super::fold::number;
use super::{Folded, Simplifier};

impl Simplifier<'_, '_> {
    pub(super) fn fold_repeated(
        &self,
        sub: &Subroutine,
        op: OpId,
        intrinsic: &Intrinsic,
        loc: Loc,
    ) -> Option<Folded> {
        let is_candidate = matches!(
            intrinsic.op,
            AvmOp::Concat
                | AvmOp::Add
                | AvmOp::Mul
                | AvmOp::BitwiseAnd
                | AvmOp::BitwiseOr
                | AvmOp::BitwiseXor
                | AvmOp::AddBytes
                | AvmOp::MulBytes
        );
        let [left, right] = intrinsic.args[..] else { return None };
        if !is_candidate {
            return None;
        }
        if let Some(([a, b], inner_loc)) = self.inner_operands(sub, intrinsic.op, left)
            && may_fold(intrinsic.op, [a, b, right])
            && self.is_only_reader(sub, left, op)
        {
            let folded = self.fold_three(sub, intrinsic, [loc, inner_loc], [a, b, right]);
            if folded.is_some() {
                return folded;
            }
        }
        let ([a, b], inner_loc) = self.inner_operands(sub, intrinsic.op, right)?;
        if !may_fold(intrinsic.op, [left, a, b]) || !self.is_only_reader(sub, right, op) {
            return None;
        }
        self.fold_three(sub, intrinsic, [loc, inner_loc], [left, a, b])
    }

    /// The operands behind an operand, when the same operation made it.
    fn inner_operands(
        &self,
        sub: &Subroutine,
        op: AvmOp,
        operand: Value,
    ) -> Option<([Value; 2], Loc)> {
        let definition = self.definition(sub, operand)?;
        let OpKind::Assign { source, .. } = &definition.kind else { return None };
        let inner = definition.intrinsic()?;
        let [a, b] = inner.args[..] else { return None };
        (inner.op == op).then_some(([a, b], source.loc))
    }

    fn is_only_reader(&self, sub: &Subroutine, operand: Value, op: OpId) -> bool {
        let Value::Register(register) = operand else { return false };
        let mut readers = self.readers(sub, register);
        readers.next() == Some(Node::Op(op)) && readers.next().is_none()
    }

    fn fold_three(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        locs: [Loc; 2],
        operands: [Value; 3],
    ) -> Option<Folded> {
        let loc = self.ctx.merge_locs(locs);
        match intrinsic.op {
            AvmOp::Concat => self.fold_three_concat(intrinsic, loc, operands),
            AvmOp::AddBytes | AvmOp::MulBytes => {
                self.fold_three_biguints(sub, intrinsic, loc, operands)
            }
            _ => fold_three_uint64(intrinsic, loc, operands),
        }
    }

    fn fold_three_concat(
        &self,
        intrinsic: &Intrinsic,
        loc: Loc,
        operands: [Value; 3],
    ) -> Option<Folded> {
        let known = operands.map(|operand| match operand {
            Value::Constant(constant, loc) => self.bytes_of_constant(constant, loc),
            _ => None,
        });
        let plain = |place: usize| known[place].map_or(operands[place], |known| known.value());
        let args = match known {
            [_, Some(a), Some(b)] => vec![plain(0), self.joined(a, b, loc)?],
            [Some(a), Some(b), _] => vec![self.joined(a, b, loc)?, plain(2)],
            _ => return None,
        };
        Some(with_operands(intrinsic, args, loc))
    }

    fn fold_three_biguints(
        &self,
        sub: &Subroutine,
        intrinsic: &Intrinsic,
        loc: Loc,
        operands: [Value; 3],
    ) -> Option<Folded> {
        let mut others = Vec::new();
        let mut result: Option<BigUint> = None;
        for operand in operands {
            match (self.known_biguint(sub, operand), result.take()) {
                (None, before) => {
                    others.push(operand);
                    result = before;
                }
                (Some(number), None) => result = Some(number),
                (Some(number), Some(before)) if intrinsic.op == AvmOp::AddBytes => {
                    result = Some(before + number);
                }
                (Some(number), Some(before)) => result = Some(before * number),
            }
        }
        let constant = self.biguint(&result?, loc);
        match others[..] {
            [] => Some(Folded::Value(constant)),
            [other] => Some(with_operands(intrinsic, vec![other, constant], loc)),
            _ => None,
        }
    }
}

/// Whether enough of three operands is known; looked at first, as it costs less than to find readers.
fn may_fold(op: AvmOp, operands: [Value; 3]) -> bool {
    // Only bytes of big integers are known of registers too.
    let is_constant = |operand: &&Value| matches!(operand, Value::Constant(..));
    matches!(op, AvmOp::AddBytes | AvmOp::MulBytes)
        || operands.iter().filter(is_constant).count() >= 2
}

fn fold_three_uint64(intrinsic: &Intrinsic, loc: Loc, operands: [Value; 3]) -> Option<Folded> {
    let combine = |a: u64, b: u64| match intrinsic.op {
        AvmOp::Add => a.checked_add(b),
        AvmOp::Mul => a.checked_mul(b),
        AvmOp::BitwiseAnd => Some(a & b),
        AvmOp::BitwiseOr => Some(a | b),
        _ => Some(a ^ b),
    };
    let mut others = Vec::new();
    let mut constants = Vec::new();
    for operand in operands {
        match operand.uint64_constant() {
            Some(number) => constants.push(number),
            None => others.push(operand),
        }
    }
    let (first, rest) = constants.split_first()?;
    if others.len() > 1 {
        return None;
    }
    let result = rest.iter().try_fold(*first, |a, b| combine(a, *b))?;
    match others[..] {
        [] => number(result, loc),
        [other] => Some(with_operands(intrinsic, vec![other, Value::uint64(result, loc)], loc)),
        _ => None,
    }
}

/// The operation on other operands, without its message.
fn with_operands(intrinsic: &Intrinsic, args: Vec<Value>, loc: Loc) -> Folded {
    let intrinsic = Intrinsic {
        op: intrinsic.op,
        immediates: Vec::new(),
        args,
        types: intrinsic.types.clone(),
        error_message: None,
    };
    Folded::Intrinsic(intrinsic, loc)
}
