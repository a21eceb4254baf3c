//! Inner transactions: their fields in variables, staging, submitting, reading results. Spec 21 §17.
//!
//! The fields of a transaction being put together are variables named after the variable that holds it:
//! one per value and one for their number. Which numbers a field can have is collected while the body is
//! built, so that only what may differ at run time is decided there. What a submitted transaction says is
//! read into variables at once, because a later submission replaces it. ABI calls become fields in
//! `abi_call.rs`; which variables get the results is found out in `itxn_results.rs`.

use std::cell::RefCell;

use crate::avm::fields::TxnField;
use crate::avm::ops::{AvmOp, Immediate};
use crate::awst::expr::{
    AbiCall, Expr, ExprRef, InnerTransactionField, StageInnerTransactions, SubmitInnerTransaction,
    TupleItemExpression, UpdateInnerTransaction,
};
use crate::awst::stmt::AssignmentStatement;
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Symbol;
use crate::base::few::Few;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::BlockId;
use crate::ir::op::{Constant, OpKind, Register, Source, SourceKind, TerminatorKind, Value};
use crate::ir::types::IrType;

use super::function::{Evaluated, FunctionBuilder, Placed};
use super::itxn_uses::Uses;
use super::types::{TupleItem, tuple_item_name};

/// The fields of one transaction, in the order they were first given, each with the numbers of values
/// it was given, ascending.
type Fields = OrderedMap<TxnField, Few<usize>>;

/// Values by transaction field.
pub(super) type FieldValues<'s> = OrderedMap<TxnField, ExprRef<'s>>;

/// What is known of inner transactions held in variables of one body.
#[derive(Default)]
pub struct InnerTransactions<'s> {
    fields: LookupMap<Symbol, Fields>,
    /// For variables that hold an ABI call: the transactions that precede the call in its group.
    abi_groups: LookupMap<Symbol, Vec<ExprRef<'s>>>,
    /// ABI calls submitted where they stand, and the fields they became.
    abi_fields: Vec<(&'s AbiCall<'s>, FieldValues<'s>)>,
    next_constant: u64,
    /// Asked for and filled once the body does something with a transaction.
    uses: Option<Uses>,
}

/// A variable and a field of the transaction it holds; which value of the field, or none for the number
/// of values.
type FieldVariable = (Symbol, TxnField, Option<usize>);

/// Names of the variables that hold fields, each put together once.
#[derive(Default)]
pub struct FieldNames(RefCell<LookupMap<FieldVariable, Symbol>>);

impl FieldNames {
    fn get(&self, key: FieldVariable, make: impl FnOnce() -> Symbol) -> Symbol {
        *self.0.borrow_mut().get_or_insert_with(key, make)
    }
}

fn note_count(fields: &mut Fields, field: TxnField, count: usize) {
    let counts = fields.entry(field).or_default();
    if counts.is_empty() {
        *counts = Few::One([count]);
    } else if let Err(place) = counts.binary_search(&count) {
        let mut more = counts.to_vec();
        more.insert(place, count);
        *counts = Few::copied(&more);
    }
}

impl<'s> FunctionBuilder<'_, 's> {
    fn is_fields(&self, expr: ExprRef<'s>) -> bool {
        self.kind(expr.wtype()).is_inner_transaction_fields()
    }
    fn value_name(&self, variable: Symbol, field: TxnField, index: usize) -> Symbol {
        self.build.field_names.get((variable, field, Some(index)), || {
            let session = self.ir().session;
            let (variable, field) = (session.text(variable), field.name());
            match index {
                0 => session.sym_joined(&[variable, "%%param_", field, "_idx_0"]),
                _ => self.sym(&format!("{variable}%%param_{field}_idx_{index}")),
            }
        })
    }
    fn count_name(&self, variable: Symbol, field: TxnField) -> Symbol {
        self.build.field_names.get((variable, field, None), || {
            let session = self.ir().session;
            session.sym_joined(&[session.text(variable), "%%", field.name(), "_length"])
        })
    }
    /// Which variables of inner transactions the body reads.
    pub(super) fn itxn_uses(&mut self) -> Uses {
        *self.itxn.uses.get_or_insert_with(|| {
            let body = self.function.function().body;
            Uses::of(self.build.ir.options, self.build.wtypes, body)
        })
    }
    /// Whether operations for variables that are not read can be left out here; if so they count as
    /// left out. In unreachable code each operation is an error.
    pub(super) fn leave_out(&mut self, operations: usize) -> bool {
        let leaves_out = !self.blocks.is_terminated();
        if leaves_out {
            self.blocks.sub.left_out += operations;
        }
        leaves_out
    }
    /// The type of one value of a field.
    pub(super) fn field_type(&self, field: TxnField, loc: Loc) -> Outcome<IrType> {
        self.ir_type(WTypeId::of_field(field), loc)
    }
    /// Assigns a single result to a variable, with a location of its own for the register.
    fn assign_at(&mut self, name: Symbol, source: Source, placed: Placed) -> Outcome<Register> {
        let [ty] = source.types(self.ir().pool)[..] else {
            return Err(Failure::internal("expected a single value to assign", placed.assignment));
        };
        self.assign_typed(name, ty, source, placed)
    }

    // ---- assignment of fields ----

    /// Assigns fields of inner transactions; false when the statement assigns none.
    pub fn assign_inner_transaction_fields(
        &mut self,
        stmt: &'s AssignmentStatement<'s>,
    ) -> Outcome<bool> {
        let single = |this: &Self| -> Outcome<(Symbol, Loc)> {
            match this.local_names(stmt.target, 1)?[..] {
                [name] => Ok(name),
                _ => Err(not_local(stmt.target)),
            }
        };
        match stmt.value {
            Expr::CreateInnerTransaction(node) => {
                let (name, loc) = single(self)?;
                let values = node.fields.iter().copied().collect();
                self.set_fields(name, &values, loc, Missing::AreEmpty)?;
            }
            Expr::AbiCall(node) => {
                let (values, group) = self.abi_call_fields(node)?;
                let (name, loc) = single(self)?;
                self.itxn.abi_groups.insert(name, group);
                self.set_fields(name, &values, loc, Missing::AreEmpty)?;
            }
            Expr::Copy(node) if self.is_fields(node.value) => {
                let (name, loc) = single(self)?;
                let from = self.fields_variable(node.value)?;
                self.copy_fields(name, from, loc)?;
            }
            Expr::TupleExpression(node) if node.items.iter().any(|item| self.is_fields(item)) => {
                let names = self.local_names(stmt.target, node.items.len())?;
                for ((name, loc), item) in names.into_iter().zip(node.items) {
                    self.assign_tuple_item(name, loc, item, stmt.loc)?;
                }
            }
            other if self.is_fields(other) => {
                let message = "Inner Transaction params can only be reassigned using copy()";
                return Err(Failure::code(message, stmt.loc));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn assign_tuple_item(
        &mut self,
        name: Symbol,
        name_loc: Loc,
        item: ExprRef<'s>,
        loc: Loc,
    ) -> Outcome<()> {
        match item {
            Expr::CreateInnerTransaction(node) => {
                let values = node.fields.iter().copied().collect();
                self.set_fields(name, &values, name_loc, Missing::AreEmpty)
            }
            Expr::Copy(node) if self.is_fields(node.value) => {
                let from = self.fields_variable(node.value)?;
                self.copy_fields(name, from, name_loc)
            }
            _ if self.is_fields(item) => {
                let message = "Unexpected Inner Transaction encountered in tuple";
                Err(Failure::code(message, name_loc))
            }
            _ => {
                let source = self.visit_expr(item)?;
                self.assign_at(name, source, Placed { assignment: loc, register: name_loc })?;
                Ok(())
            }
        }
    }
    /// The local variables that are assigned when a target gets `count` items.
    fn local_names(&self, target: ExprRef<'s>, count: usize) -> Outcome<Vec<(Symbol, Loc)>> {
        match target {
            Expr::VarExpression(node) if count == 1 => Ok(vec![(node.name, node.loc)]),
            Expr::VarExpression(node) => match self.kind(node.wtype) {
                WTypeKind::Tuple { .. } => {
                    let name = |index| {
                        let base = self.ir().text(node.name);
                        let item = TupleItem::Index(index);
                        self.sym(&tuple_item_name(self.build.types(), node.wtype, base, item))
                    };
                    Ok((0..count).map(|index| (name(index), node.loc)).collect())
                }
                _ => Err(not_local(target)),
            },
            Expr::TupleExpression(node) if node.items.len() == count => {
                let name = |item: &ExprRef<'s>| match item {
                    Expr::VarExpression(variable) => Ok((variable.name, variable.loc)),
                    _ => Err(not_local(target)),
                };
                node.items.iter().map(name).collect()
            }
            Expr::TupleItemExpression(TupleItemExpression { base, index, .. }) => match base {
                Expr::TupleExpression(tuple) => {
                    let names = self.local_names(base, tuple.items.len())?;
                    let position = self.tuple_position(tuple.wtype, *index)?;
                    let position = usize::try_from(position).expect("tuples are short");
                    Ok(vec![names[position]])
                }
                _ => Err(not_local(target)),
            },
            Expr::FieldExpression(node) => match node.base {
                Expr::TupleExpression(tuple) => {
                    let names = self.local_names(node.base, tuple.items.len())?;
                    let field = self.build.wtypes.field(tuple.wtype, node.name);
                    let (position, _) = field.ok_or_else(|| not_local(target))?;
                    Ok(vec![names[position]])
                }
                _ => Err(not_local(target)),
            },
            _ => Err(not_local(target)),
        }
    }
    /// Assigns the variables of a transaction's fields.
    fn set_fields(
        &mut self,
        variable: Symbol,
        values: &FieldValues<'s>,
        loc: Loc,
        missing: Missing,
    ) -> Outcome<()> {
        self.itxn.fields.get_or_insert_with(variable, Fields::default);
        // Nothing reads it; without it the variable would count as never assigned.
        let number = self.itxn.next_constant;
        self.itxn.next_constant += 1;
        let constant = Constant::Itxn { value: number, ty: IrType::ItxnFieldSet };
        self.assign_variable(variable, Source::value(Value::Constant(constant, loc)), loc)?;
        for (field, value) in values {
            self.set_field(variable, *field, Some(value), loc)?;
        }
        if missing == Missing::StayAsTheyAre {
            return Ok(());
        }
        let is_missing = |field: &TxnField| field.is_inner_param() && !values.contains_key(field);
        let fields = TxnField::ALL.iter().copied().filter(is_missing);
        if !self.itxn_uses().counts && self.leave_out(fields.clone().count()) {
            return Ok(());
        }
        for field in fields {
            self.set_field(variable, field, None, loc)?;
        }
        Ok(())
    }
    fn set_field(
        &mut self,
        variable: Symbol,
        field: TxnField,
        value: Option<ExprRef<'s>>,
        loc: Loc,
    ) -> Outcome<()> {
        let fields = self.itxn.fields.get_or_insert_with(variable, Fields::default);
        fields.entry(field).or_default();
        let sources = match value {
            None => Vec::new(),
            Some(value) => {
                let source = self.visit_expr(value)?;
                match source.kind {
                    SourceKind::ValueTuple { values, .. } => {
                        values.into_iter().map(Source::value).collect()
                    }
                    _ => vec![source],
                }
            }
        };
        let count = sources.len();
        note_count(self.itxn.fields.get_or_insert_with(variable, Fields::default), field, count);
        for (index, source) in sources.into_iter().enumerate() {
            let name = self.value_name(variable, field, index);
            let placed = Placed { assignment: source.loc, register: loc };
            self.assign_at(name, source, placed)?;
        }
        if !self.itxn_uses().counts && self.leave_out(1) {
            return Ok(());
        }
        let count_loc = value.map_or(loc, |value| value.loc());
        let count = Value::uint64(u64::try_from(count).expect("tuples are short"), count_loc);
        let name = self.count_name(variable, field);
        let placed = Placed { assignment: count_loc, register: loc };
        self.assign_at(name, Source::value(count), placed)?;
        Ok(())
    }
    fn copy_fields(&mut self, to: Symbol, from: Symbol, loc: Loc) -> Outcome<()> {
        self.known_fields(from)?;
        self.itxn.fields.get_or_insert_with(to, Fields::default);
        for field in TxnField::ALL.iter().copied().filter(|field| field.is_inner_param()) {
            let source = self.itxn.fields.get_or_insert_with(from, Fields::default);
            let counts = source.entry(field).or_default().clone();
            let target = self.itxn.fields.get_or_insert_with(to, Fields::default);
            target.entry(field).or_default();
            counts.iter().for_each(|count| note_count(target, field, *count));
            let ty = self.field_type(field, loc)?;
            for index in 0..counts.last().copied().unwrap_or(0) {
                let name = self.value_name(from, field, index);
                let value = self.read_variable(name, ty)?;
                let name = self.value_name(to, field, index);
                self.assign_variable(name, Source::value(value.into()), loc)?;
            }
            let name = self.count_name(from, field);
            let count = self.read_variable(name, IrType::UInt64)?;
            let name = self.count_name(to, field);
            self.assign_variable(name, Source::value(count.into()), loc)?;
        }
        Ok(())
    }
    fn known_fields(&self, variable: Symbol) -> Outcome<&Fields> {
        self.itxn.fields.get(&variable).ok_or_else(|| {
            let name = repr(self.ir().text(variable));
            Failure::internal(format!("KeyError: {name}"), Loc::NONE)
        })
    }
    /// The variable that holds a transaction's fields. A transaction that is put together where it is
    /// used gets a variable now.
    fn fields_variable(&mut self, expr: ExprRef<'s>) -> Outcome<Symbol> {
        match expr {
            Expr::CreateInnerTransaction(node) => {
                let name = self.next_temp_name("inner_txn_params");
                let values = node.fields.iter().copied().collect();
                self.set_fields(name, &values, node.loc, Missing::AreEmpty)?;
                Ok(name)
            }
            Expr::AbiCall(node) => {
                let name = self.next_temp_name("abi_call_inner_txn_params");
                let known = self.itxn.abi_fields.iter().rev();
                let values = known.clone().find(|(call, _)| same_call(call, node));
                if let Some(values) = values.map(|(_, values)| values.clone()) {
                    self.set_fields(name, &values, node.loc, Missing::AreEmpty)?;
                }
                Ok(name)
            }
            Expr::VarExpression(node) => Ok(node.name),
            Expr::TupleItemExpression(TupleItemExpression {
                base: Expr::VarExpression(base),
                index,
                loc,
                ..
            }) if matches!(self.kind(base.wtype), WTypeKind::Tuple { .. }) => {
                let position = self.tuple_position(base.wtype, *index)?;
                let item = TupleItem::Index(usize::try_from(position).expect("tuples are short"));
                let name = self.ir().text(base.name);
                Ok(self.sym(&tuple_item_name(self.build.types(), base.wtype, name, item)))
            }
            Expr::Copy(node) => self.fields_variable(node.value),
            _ => {
                let message = "Could not resolve var_name for inner transaction params";
                Err(Failure::internal(message, expr.loc()))
            }
        }
    }
    /// Changes fields of a transaction not yet submitted.
    pub fn visit_update_inner_transaction(
        &mut self,
        node: &'s UpdateInnerTransaction<'s>,
    ) -> Evaluated {
        let variable = self.fields_variable(node.itxn)?;
        let values = node.fields.iter().copied().collect();
        self.set_fields(variable, &values, node.loc, Missing::StayAsTheyAre)?;
        Ok(None)
    }

    // ---- staging and submitting ----

    /// The transactions of a group, those that precede ABI calls included.
    fn expand_abi_calls(&mut self, itxns: &[ExprRef<'s>]) -> Outcome<Vec<ExprRef<'s>>> {
        let mut group = Vec::with_capacity(itxns.len());
        for itxn in itxns {
            if let WTypeKind::AbiCallInnerTransactionFields { .. } = self.kind(itxn.wtype()) {
                let variable = self.fields_variable(itxn)?;
                match (self.itxn.abi_groups.get(&variable), itxn) {
                    (Some(before), _) => group.extend(before.iter().copied()),
                    (None, Expr::AbiCall(call)) => {
                        let (values, before) = self.abi_call_fields(call)?;
                        self.itxn.abi_fields.push((call, values));
                        group.extend(before);
                    }
                    (None, _) => {}
                }
            }
            group.push(*itxn);
        }
        Ok(group)
    }
    /// Begins or continues a group, without submitting.
    pub fn visit_stage_inner_transactions(
        &mut self,
        node: &'s StageInnerTransactions<'s>,
    ) -> Evaluated {
        let group = self.expand_abi_calls(node.itxns)?;
        for (index, itxn) in group.into_iter().enumerate() {
            match node.start_new_group {
                _ if index > 0 => self.add_instruction(AvmOp::ItxnNext, Vec::new(), node.loc)?,
                Expr::BoolConstant(starts) => {
                    let op = if starts.value { AvmOp::ItxnBegin } else { AvmOp::ItxnNext };
                    self.add_instruction(op, Vec::new(), node.loc)?;
                }
                starts => self.begin_or_continue(starts, node.loc)?,
            }
            self.emit_fields(itxn, node.loc)?;
        }
        Ok(None)
    }
    fn begin_or_continue(&mut self, starts: ExprRef<'s>, loc: Loc) -> Outcome<()> {
        let [begins, continues, next] =
            self.blocks.make_all(["itxn_begins", "itxn_next", "after_itxn_begin_next"], loc);
        self.branch_on(starts, begins, continues, loc)?;
        for (block, op) in [(begins, AvmOp::ItxnBegin), (continues, AvmOp::ItxnNext)] {
            self.blocks.activate(block)?;
            self.add_instruction(op, Vec::new(), loc)?;
            self.blocks.goto(next, Loc::NONE)?;
        }
        self.blocks.activate(next)
    }
    /// Submits a group.
    pub fn visit_submit_inner_transaction(
        &mut self,
        node: &'s SubmitInnerTransaction<'s>,
    ) -> Evaluated {
        self.add_instruction(AvmOp::ItxnBegin, Vec::new(), node.loc)?;
        let group = self.expand_abi_calls(node.itxns)?;
        let mut results = Vec::with_capacity(group.len());
        for (index, itxn) in group.into_iter().enumerate() {
            let loc = itxn.loc();
            if index > 0 {
                self.add_instruction(AvmOp::ItxnNext, Vec::new(), loc)?;
            }
            let next = self.emit_fields(itxn, loc)?;
            let value = u64::try_from(index).expect("groups are short");
            let constant = Constant::Itxn { value, ty: IrType::ItxnGroupIdx };
            results.push(Value::Constant(constant, loc));
            self.blocks.goto(next, Loc::NONE)?;
            self.blocks.activate(next)?;
        }
        self.add_instruction(AvmOp::ItxnSubmit, Vec::new(), node.loc)?;
        if let WTypeKind::Tuple { .. } = self.kind(node.wtype) {
            let shape = self.shape(node.wtype, node.loc)?;
            return self.group(shape, results, node.loc).map(Some);
        }
        match results.last() {
            Some(last) => Ok(Some(Source::value(*last))),
            None => Err(Failure::internal("a group was expected to have a transaction", node.loc)),
        }
    }
    /// Emits the fields of a transaction. Returns the block that what follows may go to.
    fn emit_fields(&mut self, itxn: ExprRef<'s>, loc: Loc) -> Outcome<BlockId> {
        let variable = self.fields_variable(itxn)?;
        let next_txn = self.blocks.make("next_txn", loc);
        let fields = self.known_fields(variable)?.clone();
        // Values are computed in order of the fields, so the last one is on top of the stack.
        for (field, counts) in fields.into_iter().rev() {
            if matches!(counts[..], [] | [0]) {
                continue;
            }
            let next_field = self.blocks.make("next_field", loc);
            let mut done = counts[0];
            self.emit_field_values(variable, field, 0..done)?;
            for count in &counts[1..] {
                let description = format!("set_{}_{done}_to_{}", field.name(), count - 1);
                let block = self.blocks.make(&description, loc);
                let condition = self.has_at_least(variable, field, *count)?;
                let kind = TerminatorKind::Branch { condition, non_zero: block, zero: next_field };
                self.terminate(kind, loc)?;
                self.blocks.activate(block)?;
                self.emit_field_values(variable, field, done..*count)?;
                done = *count;
            }
            if counts.len() > 1 {
                self.blocks.goto(next_field, Loc::NONE)?;
                self.blocks.activate(next_field)?;
            }
        }
        Ok(next_txn)
    }
    fn emit_field_values(
        &mut self,
        variable: Symbol,
        field: TxnField,
        indexes: std::ops::Range<usize>,
    ) -> Outcome<()> {
        let ty = self.field_type(field, Loc::NONE)?;
        for index in indexes {
            let name = self.value_name(variable, field, index);
            let value = self.read_variable(name, ty)?;
            let immediates = vec![Immediate::Name(field.name())];
            let args = vec![value.into()];
            let source =
                self.instruction_with(AvmOp::ItxnField, immediates, args, None, Loc::NONE)?;
            if let SourceKind::Intrinsic(intrinsic) = source.kind {
                self.add(OpKind::Intrinsic(intrinsic), Loc::NONE);
            }
        }
        Ok(())
    }
    fn has_at_least(&mut self, variable: Symbol, field: TxnField, count: usize) -> Outcome<Value> {
        let name = self.count_name(variable, field);
        let number = self.read_variable(name, IrType::UInt64)?;
        let bound = Value::uint64(u64::try_from(count).expect("tuples are short"), Loc::NONE);
        let source = self.instruction(AvmOp::Gte, vec![number.into(), bound], Loc::NONE)?;
        let description = format!("is_{}_count_gte_{count}", field.name());
        self.assign_temp(source, &description, Loc::NONE).map(Value::Register)
    }

    // ---- results ----

    /// The variable that keeps a field of the transaction submitted into a variable.
    pub(super) fn result_name(&self, variable: Symbol, field: &str) -> Symbol {
        let session = self.ir().session;
        session.sym_joined(&[session.text(variable), ".", field])
    }
    /// Reads a field of a submitted transaction.
    pub fn visit_inner_transaction_field(
        &mut self,
        node: &'s InnerTransactionField<'s>,
    ) -> Evaluated {
        let loc = node.loc;
        let source = self.visit_expr(node.itxn)?;
        let ty = self.field_type(node.field, loc)?;
        let (group_index, variable) = match source.kind {
            SourceKind::Value(value @ Value::Register(register)) => (value, Some(register.name)),
            SourceKind::Value(value @ Value::Constant(Constant::Itxn { .. }, _)) => (value, None),
            _ => {
                let code = code_text(self, node.itxn);
                return Err(Failure::code(
                    format!("could not resolve inner transaction group index for {code}"),
                    loc,
                ));
            }
        };
        if let Some(variable) = variable {
            let name = self.result_name(variable, node.field.name());
            if self.blocks.has_version(name) {
                let value = self.read_variable(name, ty)?;
                return Ok(Some(Source::value(value.into())));
            }
        }
        let is_last = variable.map(|variable| self.result_name(variable, "_is_last"));
        let is_last_in_group = match is_last {
            Some(name) if self.blocks.has_version(name) => {
                self.read_variable(name, IrType::Bool)?.into()
            }
            _ => Value::bool(self.is_last_submitted(node.itxn), loc),
        };
        let array_index = match node.array_index {
            Some(index) => Some(self.visit_value(index)?.into()),
            None => None,
        };
        let kind = SourceKind::InnerTransactionField {
            field: node.field,
            group_index,
            is_last_in_group,
            array_index,
            ty,
        };
        Ok(Some(Source { kind, loc }))
    }
    /// Whether an expression evidently is the last transaction of the group it submits.
    fn is_last_submitted(&self, expr: ExprRef<'s>) -> bool {
        let (base, position) = match expr {
            Expr::TupleItemExpression(node) => (node.base, Some(node.index)),
            Expr::FieldExpression(node) => {
                let field = self.build.wtypes.field(node.base.wtype(), node.name);
                (node.base, field.and_then(|(index, _)| i64::try_from(index).ok()))
            }
            _ => return submits(expr, 1),
        };
        let WTypeKind::Tuple { types, .. } = self.kind(base.wtype()) else { return false };
        let length = i64::try_from(types.len()).expect("tuples are short");
        let is_last = position.is_some_and(|index| index == -1 || index + 1 == length);
        is_last && submits(base, types.len())
    }
}

/// What happens to fields that are not given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    AreEmpty,
    StayAsTheyAre,
}

fn same_call<'s>(known: &&'s AbiCall<'s>, call: &'s AbiCall<'s>) -> bool {
    std::ptr::eq(*known, call) || *known == call
}

fn not_local(target: ExprRef<'_>) -> Failure {
    let message = "Inner Transactions can only be assigned to local variables";
    Failure::code(message, target.loc())
}

/// Whether an expression submits a group of this size.
fn submits(expr: ExprRef<'_>, size: usize) -> bool {
    match expr {
        Expr::SubmitInnerTransaction(node) => node.itxns.len() == size,
        Expr::SingleEvaluation(node) => submits(node.source, size),
        _ => false,
    }
}

/// An expression as a message shows it.
fn code_text(builder: &FunctionBuilder<'_, '_>, expr: ExprRef<'_>) -> String {
    match expr {
        Expr::VarExpression(node) => builder.ir().text(node.name).to_owned(),
        Expr::TupleItemExpression(node) => {
            format!("{}[{}]", code_text(builder, node.base), node.index)
        }
        Expr::FieldExpression(node) => format!("{}.{}", code_text(builder, node.base), node.name),
        Expr::SingleEvaluation(node) => code_text(builder, node.source),
        other => other.class_name().to_owned(),
    }
}
