//! Slices of byte strings. Spec 21 §11 and §11.1.

use crate::avm::ops::{AvmOp, Immediate};
use crate::awst::expr::{Expr, Int, IntersectionSliceExpression, SliceBound, SliceExpression};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Source, Value};
use crate::ir::types::IrType;

use super::function::{Evaluated, FunctionBuilder};

/// A bound whose number is known, as far as ordering needs it.
fn known(bound: SliceBound<'_>) -> Option<Int<'_>> {
    match bound {
        SliceBound::Int(value) => Some(value),
        SliceBound::Expr(Expr::IntegerConstant(constant)) => Some(constant.value),
        SliceBound::Expr(_) => None,
    }
}

/// Whether an end that is clipped to the length may lie before the start that is.
fn may_cross(begin: Option<SliceBound<'_>>, end: Option<SliceBound<'_>>) -> bool {
    let (Some(begin), Some(end)) = (begin, end) else { return false };
    let Some(begin) = known(begin) else { return true };
    let begin = begin.value();
    let zero = num_bigint::BigInt::ZERO;
    let Some(end) = known(end) else { return begin > zero };
    let end = end.value();
    if begin < zero {
        // Both count from the end, or the length decides.
        return end < begin || end > zero;
    }
    end < zero || begin > end
}

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_bytes_slice(&mut self, node: &'s SliceExpression<'s>) -> Evaluated {
        let loc = node.loc;
        let base = self.visit_value(node.base)?;
        if node.begin_index.is_none() && node.end_index.is_none() {
            return Ok(Some(Source::value(base)));
        }
        let start = match node.begin_index {
            Some(begin) => self.visit_value(begin)?,
            None => Value::uint64(0, loc),
        };
        if let Some(end) = node.end_index {
            let end = self.visit_value(end)?;
            return self.instruction(AvmOp::Substring3, vec![base, start, end], loc).map(Some);
        }
        // To the end: only a start that is not known needs the length.
        if let Some(start) = start.uint64_constant() {
            let start = i64::try_from(start).unwrap_or(i64::MAX);
            let immediates = vec![Immediate::Int(start), Immediate::Int(0)];
            return self
                .instruction_with(AvmOp::Extract, immediates, vec![base], None, loc)
                .map(Some);
        }
        let length = self.make(loc).named("base_length").len(base);
        self.instruction(AvmOp::Substring3, vec![base, start, length.into()], loc).map(Some)
    }
    pub(super) fn visit_bytes_intersection_slice(
        &mut self,
        node: &'s IntersectionSliceExpression<'s>,
        length: Option<u64>,
    ) -> Evaluated {
        let loc = node.loc;
        let base = self.visit_value(node.base)?;
        let length = match length {
            Some(length) => Value::uint64(length, Loc::NONE),
            None => self.make(loc).named("length").len(base).into(),
        };
        let start = match node.begin_index {
            Some(begin) => self.clip(begin, length, loc)?,
            None => Value::uint64(0, loc),
        };
        let mut end = match node.end_index {
            Some(end) => self.clip(end, length, loc)?,
            None => length,
        };
        if may_cross(node.begin_index, node.end_index) {
            let mut make = self.make(loc);
            let crossed = make.named("end_before_start").lt(end, start);
            end = make.named("end").select(end, start, crossed.into(), IrType::UInt64).into();
        }
        self.instruction(AvmOp::Substring3, vec![base, start, end], loc).map(Some)
    }
    /// A bound clipped to the length; a negative one counts from the end.
    fn clip(&mut self, bound: SliceBound<'s>, length: Value, loc: Loc) -> Outcome<Value> {
        let too_large = || Failure::internal("ValueError: slice bound exceeds 64 bits", Loc::NONE);
        let (value, is_from_end) = match bound {
            SliceBound::Expr(expr) => (self.visit_value(expr)?, false),
            SliceBound::Int(value) => {
                let digits = value.text().trim_start_matches('-');
                let magnitude = digits.parse().map_err(|_| too_large())?;
                (Value::uint64(magnitude, loc), value.is_negative())
            }
        };
        let exceeds = self.instruction(AvmOp::Gte, vec![value, length], loc)?;
        let exceeds = self.assign_temp(exceeds, "is_out_of_bounds", loc)?.into();
        let mut make = self.make(loc);
        if is_from_end {
            let offset =
                make.named("bounded_offset").select(value, length, exceeds, IrType::UInt64);
            return Ok(make.named("bounded_index").sub(length, offset).into());
        }
        Ok(make.named("bounded_index").select(value, length, exceeds, IrType::UInt64).into())
    }
}
