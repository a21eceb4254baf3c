//! For-in loops over ranges, bytes, arrays and native tuples, in every combination of enumeration and
//! reversal. Spec 21 §12.2.

use crate::avm::ops::AvmOp;
use crate::awst::expr::{Expr, ExprRef, Range};
use crate::awst::stmt::{Block, ForInLoop};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::BlockId;
use crate::ir::op::{Index, Register, Source, TerminatorKind, Value};
use crate::ir::types::IrType;

use super::aggregate::Bounds;
use super::function::{FunctionBuilder, Placed, single_value_expected};

/// What the forms of the loop have in common.
#[derive(Clone, Copy)]
struct Loop<'s> {
    body: &'s Block<'s>,
    /// What the items are assigned to; with the index first when they are enumerated.
    items: ExprRef<'s>,
    is_enumerated: bool,
    reverse_items: bool,
    reverse_index: bool,
    loc: Loc,
}

impl Loop<'_> {
    fn is_reversed(&self) -> bool {
        self.reverse_items || self.reverse_index
    }
}

/// The user's variables of one round.
struct LoopVariables {
    items: Vec<Register>,
    index: Option<Register>,
}

/// Where the items of an indexable sequence come from.
#[derive(Clone, Copy)]
enum Indexable {
    Bytes(Value),
    Array(WTypeId, Value),
}

fn copy(register: Register) -> Source {
    Source::value(register.into())
}

fn zero() -> Source {
    Source::value(Value::uint64(0, Loc::NONE))
}

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_for_in(&mut self, stmt: &'s ForInLoop<'s>) -> Outcome<()> {
        let mut form = Loop {
            body: stmt.loop_body,
            items: stmt.items,
            is_enumerated: false,
            reverse_items: false,
            reverse_index: false,
            loc: stmt.loc,
        };
        let mut sequence = stmt.sequence;
        loop {
            match sequence {
                Expr::Enumeration(node) if form.is_enumerated => {
                    let message = "Nested enumeration is not currently supported";
                    return Err(Failure::code(message, node.loc));
                }
                Expr::Enumeration(node) => {
                    sequence = node.expr;
                    form.is_enumerated = true;
                }
                Expr::Reversed(node) => {
                    sequence = node.expr;
                    form.reverse_items = !form.reverse_items;
                    if !form.is_enumerated {
                        form.reverse_index = !form.reverse_index;
                    }
                }
                _ => break,
            }
        }
        let wtype = sequence.wtype();
        match (self.kind(wtype), sequence) {
            (_, Expr::Range(range)) if wtype == WTypeId::UINT64_RANGE => {
                self.iterate_range_expression(form, range)
            }
            (WTypeKind::Tuple { types: [], .. }, _) => Ok(()),
            (WTypeKind::Tuple { types, .. }, _) => self.iterate_tuple(form, sequence, types.len()),
            (WTypeKind::Bytes { length }, _) => {
                let value = self.visit_value(sequence)?;
                let size = match length {
                    Some(length) => Source::value(Value::uint64(length, form.loc)),
                    None => self.instruction(AvmOp::Len, vec![value], form.loc)?,
                };
                let size = self.assign_temp(size, "bytes_length", form.loc)?;
                self.iterate_indexable(form, size.into(), Indexable::Bytes(value))
            }
            (
                WTypeKind::Arc4DynamicArray { .. }
                | WTypeKind::Arc4StaticArray { .. }
                | WTypeKind::ReferenceArray { .. },
                _,
            ) => {
                let value = self.visit_value(sequence)?;
                let size = self.array_length(wtype, value, form.loc)?;
                let size = self.materialise_value(size, "array_length")?;
                self.iterate_indexable(form, size, Indexable::Array(wtype, value))
            }
            _ => Err(Failure::internal("Unsupported ForInLoop sequence", form.loc)),
        }
    }

    /// Assigns item and index of a round to the user's variables.
    fn assign_loop_variables(
        &mut self,
        form: Loop<'s>,
        item: Source,
        index: Value,
    ) -> Outcome<LoopVariables> {
        let mut items = Vec::new();
        self.loop_registers(form, form.items, &mut items)?;
        let index_register = (form.is_enumerated && !items.is_empty()).then(|| items.remove(0));
        let loc = form.items.loc();
        self.assign_targets(items.clone().into(), item, loc)?;
        if let Some(register) = index_register {
            self.assign_targets(register.into(), Source::value(index), loc)?;
        }
        Ok(LoopVariables { items, index: index_register })
    }
    fn loop_registers(
        &mut self,
        form: Loop<'s>,
        target: ExprRef<'s>,
        registers: &mut Vec<Register>,
    ) -> Outcome<()> {
        match target {
            Expr::VarExpression(node) => {
                let shape = self.shape(node.wtype, node.loc)?;
                let names = self.leaf_symbols(shape, node.name);
                for (name, ty) in names.into_iter().zip(shape.flatten(self.ir().pool)) {
                    registers.push(self.blocks.new_register(name, ty, node.loc));
                }
                Ok(())
            }
            Expr::TupleExpression(node) => {
                if !node.items.iter().all(|item| item.is_lvalue()) {
                    return Err(Failure::internal("AssertionError: ", Loc::NONE));
                }
                node.items.iter().try_for_each(|item| self.loop_registers(form, item, registers))
            }
            _ => {
                let message = "unsupported assignment target in loop";
                Err(Failure::code(message, form.items.loc()))
            }
        }
    }
    /// Assigns the result of an instruction to the variable of a register.
    fn reassign(
        &mut self,
        target: Register,
        op: AvmOp,
        args: [Value; 2],
        loc: Loc,
    ) -> Outcome<Register> {
        let source = self.instruction(op, args.to_vec(), loc)?;
        let placed = Placed { assignment: loc, register: target.loc };
        self.assign_typed(target.name, target.ty, source, placed)
    }
    fn branch_to(
        &mut self,
        condition: Register,
        non_zero: BlockId,
        zero: BlockId,
        loc: Loc,
    ) -> Outcome<()> {
        let condition = condition.into();
        self.terminate(TerminatorKind::Branch { condition, non_zero, zero }, loc)
    }

    fn iterate_range_expression(&mut self, form: Loop<'s>, range: &'s Range<'s>) -> Outcome<()> {
        let step = self.visit_value(range.step)?;
        let stop = self.visit_value(range.stop)?;
        let start = self.visit_value(range.start)?;
        self.make(form.loc).assert_value(step, "Step cannot be zero");
        let bounds = RangeBounds { start, stop, step, loc: range.loc };
        if form.is_reversed() {
            self.iterate_range_reversed(form, bounds)
        } else {
            self.iterate_range_forwards(form, bounds)
        }
    }
    fn iterate_range_forwards(&mut self, form: Loop<'s>, range: RangeBounds) -> Outcome<()> {
        let body = self.blocks.make_for(form.body, Some("for_body"))?;
        let [header, footer, next] =
            self.blocks.make_all(["for_header", "for_footer", "after_for"], form.loc);
        // The user may assign to the loop variables, so counting has variables of its own.
        let mut value =
            self.assign_temp(Source::value(range.start), "value_internal", range.loc)?;
        let mut index = None;
        if form.is_enumerated {
            index = Some(self.assign_temp(zero(), "item_index_internal", range.loc)?);
        }
        self.blocks.goto(header, Loc::NONE)?;
        self.in_open_block(header, |this| {
            value = this.refresh(value)?;
            if let Some(register) = index {
                index = Some(this.refresh(register)?);
            }
            let condition = this.make(form.loc).named("continue_looping").lt(value, range.stop);
            this.branch_to(condition, body, next, form.loc)?;
            this.blocks.activate(body)?;
            let index_value =
                index.map_or(Value::Undefined(IrType::UInt64, Loc::NONE), Value::Register);
            this.assign_loop_variables(form, copy(value), index_value)?;
            this.visit_loop_body(form.body, footer, next)?;
            this.blocks.goto(footer, Loc::NONE)?;
            if this.blocks.try_activate(footer)? {
                this.reassign(value, AvmOp::Add, [value.into(), range.step], range.loc)?;
                if let Some(index) = index {
                    let one = Value::uint64(1, range.loc);
                    this.reassign(index, AvmOp::Add, [index.into(), one], range.loc)?;
                }
                this.blocks.goto(header, Loc::NONE)?;
            }
            Ok(())
        })?;
        self.blocks.activate(next)
    }
    fn iterate_range_reversed(&mut self, form: Loop<'s>, range: RangeBounds) -> Outcome<()> {
        let body = self.blocks.make_for(form.body, Some("for_body"))?;
        let [header, footer, increment, next] = self
            .blocks
            .make_all(["for_header", "for_footer", "for_increment", "after_for"], form.loc);
        // An empty range would let the number of rounds underflow.
        let condition = self.make(form.loc).named("should_loop").lt(range.start, range.stop);
        self.branch_to(condition, header, next, form.loc)?;
        self.blocks.activate(header)?;
        let mut make = self.make(range.loc);
        let length = make.named("range_length").sub(range.stop, range.start);
        let length_minus_one = make.named("range_length_minus_one").sub(length, 1u64);
        let last_index =
            make.named("iteration_count_minus_one").div_floor(length_minus_one, range.step);
        let delta = make.named("range_delta").mul(range.step, last_index);
        let last_item = make.named("max_range_item").add(range.start, delta);
        let item = if form.reverse_items { last_item.into() } else { range.start };
        let index =
            if form.reverse_index { last_index.into() } else { Value::uint64(0, Loc::NONE) };
        let variables = self.assign_loop_variables(form, Source::value(item), index)?;
        self.blocks.goto(body, Loc::NONE)?;

        self.in_open_block(body, |this| {
            let [item] = variables.items[..] else {
                return Err(single_value_expected());
            };
            let item = this.refresh(item)?;
            let index = match variables.index {
                Some(index) => Some(this.refresh(index)?),
                None => None,
            };
            this.visit_loop_body(form.body, footer, next)?;
            this.blocks.goto(footer, Loc::NONE)?;
            if this.blocks.try_activate(footer)? {
                let mut make = this.make(range.loc);
                make.named("continue_looping");
                let condition = if form.reverse_items {
                    make.lt(range.start, item)
                } else {
                    make.lt(item, last_item)
                };
                this.branch_to(condition, increment, next, form.loc)?;
                this.blocks.activate(increment)?;
                let step_op = |reverse: bool| if reverse { AvmOp::Sub } else { AvmOp::Add };
                let args = [item.into(), range.step];
                this.reassign(item, step_op(form.reverse_items), args, range.loc)?;
                if let Some(index) = index {
                    let args = [index.into(), Value::uint64(1, range.loc)];
                    this.reassign(index, step_op(form.reverse_index), args, range.loc)?;
                }
                this.blocks.goto(body, Loc::NONE)?;
            }
            Ok(())
        })?;
        self.blocks.activate(next)
    }

    fn iterate_indexable(
        &mut self,
        form: Loop<'s>,
        size: Value,
        sequence: Indexable,
    ) -> Outcome<()> {
        let body = self.blocks.make_for(form.body, Some("for_body"))?;
        let [header, footer, next] =
            self.blocks.make_all(["for_header", "for_footer", "after_for"], form.loc);
        let index_variable = self.assign_temp(zero(), "item_index_internal", Loc::NONE)?;
        let mut reverse =
            self.assign_temp(Source::value(size), "reverse_index_internal", Loc::NONE)?;
        self.blocks.goto(header, Loc::NONE)?;
        self.in_open_block(header, |this| {
            let index = this.refresh(index_variable)?;
            let (op, args) = if form.is_reversed() {
                let left = this.refresh(reverse)?;
                (AvmOp::Gt, vec![left.into(), Value::uint64(0, form.loc)])
            } else {
                (AvmOp::Lt, vec![index.into(), size])
            };
            let condition = this.instruction(op, args, form.loc)?;
            let condition = this.assign_temp(condition, "continue_looping", form.loc)?;
            this.branch_to(condition, body, next, form.loc)?;
            this.blocks.activate(body)?;
            if form.is_reversed() {
                let left = this.refresh(reverse)?;
                let args = [left.into(), Value::uint64(1, Loc::NONE)];
                reverse = this.reassign(reverse, AvmOp::Sub, args, Loc::NONE)?;
            }
            let item_index = if form.reverse_items { reverse } else { index };
            let item = this.item_at(sequence, item_index.into(), form)?;
            let user_index = if form.reverse_index { reverse } else { index };
            this.assign_loop_variables(form, item, user_index.into())?;
            this.visit_loop_body(form.body, footer, next)?;
            this.blocks.goto(footer, Loc::NONE)?;
            if this.blocks.try_activate(footer)? {
                if !(form.reverse_items && form.reverse_index) {
                    let args = [index.into(), Value::uint64(1, Loc::NONE)];
                    this.reassign(index_variable, AvmOp::Add, args, Loc::NONE)?;
                }
                this.blocks.goto(header, Loc::NONE)?;
            }
            Ok(())
        })?;
        self.blocks.activate(next)
    }
    fn item_at(&mut self, sequence: Indexable, index: Value, form: Loop<'s>) -> Outcome<Source> {
        match sequence {
            Indexable::Bytes(value) => {
                let args = vec![value, index, Value::uint64(1, Loc::NONE)];
                self.instruction(AvmOp::Extract3, args, form.items.loc())
            }
            Indexable::Array(wtype, value) => {
                let indexes = [Index::Value(index)];
                self.read_index(wtype, &[value], &indexes, Bounds::Known, form.loc)
            }
        }
    }

    fn iterate_tuple(
        &mut self,
        form: Loop<'s>,
        sequence: ExprRef<'s>,
        length: usize,
    ) -> Outcome<()> {
        let values = self.visit_values(sequence)?;
        let counter_name = self.next_temp_name("loop_counter");
        let body = self.blocks.make_for(form.body, Some("for_body"))?;
        let [footer, next] = self.blocks.make_all(["for_footer", "after_for"], form.loc);
        let headers: Vec<BlockId> = (1..length)
            .map(|round| self.blocks.make(&format!("for_header_{round}"), form.loc))
            .collect();
        let start_round = |this: &mut Self, round: usize| -> Outcome<Register> {
            let number = |number: usize| {
                Value::uint64(u64::try_from(number).expect("tuples are short"), Loc::NONE)
            };
            let last = length - 1;
            let counter =
                this.assign_variable(counter_name, Source::value(number(round)), Loc::NONE)?;
            let item = if form.reverse_items { last - round } else { round };
            let item = this.read_tuple_index(sequence.wtype(), &values, item, form.loc)?;
            let index = number(if form.reverse_index { last - round } else { round });
            let variables = this.assign_loop_variables(form, item, index)?;
            Ok(match variables.index {
                Some(index) if !form.reverse_index => index,
                _ => counter,
            })
        };
        let counter = start_round(self, 0)?;
        self.blocks.goto(body, Loc::NONE)?;
        self.in_open_block(body, |this| {
            let counter = this.refresh(counter)?;
            this.visit_loop_body(form.body, footer, next)?;
            this.blocks.goto(footer, Loc::NONE)?;
            if this.blocks.try_activate(footer)? {
                let kind = TerminatorKind::GotoNth {
                    value: counter.into(),
                    blocks: headers.clone(),
                    default: next,
                };
                this.terminate(kind, form.loc)?;
                for (round, header) in headers.into_iter().enumerate() {
                    this.blocks.activate(header)?;
                    start_round(this, round + 1)?;
                    this.blocks.goto(body, Loc::NONE)?;
                }
            }
            Ok(())
        })?;
        self.blocks.activate(next)
    }

    /// Emits a loop with an index from 0 to before `end`, whose body is what `emit_body` emits.
    pub fn iterate_range(
        &mut self,
        end: Value,
        loc: Loc,
        emit_body: &mut dyn FnMut(&mut Self, Register) -> Outcome<()>,
    ) -> Outcome<()> {
        let [body, header, footer, next] =
            self.blocks.make_all(["for_body", "for_header", "for_footer", "after_for"], loc);
        let index = self.assign_temp(zero(), "index", Loc::NONE)?;
        self.blocks.goto(header, Loc::NONE)?;
        self.in_open_block(header, |this| {
            let index = this.refresh(index)?;
            let condition = this.make(loc).named("continue_looping").lt(index, end);
            this.branch_to(condition, body, next, loc)?;
            this.blocks.activate(body)?;
            this.blocks.enter_loop(footer, next);
            emit_body(this, index)?;
            this.blocks.leave_loop();
            this.blocks.goto(footer, Loc::NONE)?;
            if this.blocks.try_activate(footer)? {
                let args = [index.into(), Value::uint64(1, Loc::NONE)];
                this.reassign(index, AvmOp::Add, args, Loc::NONE)?;
                this.blocks.goto(header, Loc::NONE)?;
            }
            Ok(())
        })?;
        self.blocks.activate(next)
    }
}

/// The evaluated parts of a range.
#[derive(Clone, Copy)]
struct RangeBounds {
    start: Value,
    stop: Value,
    step: Value,
    loc: Loc,
}
