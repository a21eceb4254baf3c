//! Assignment: evaluated values into variables, storage and parts of aggregates. Spec 21 §13.

use crate::awst::expr::{AssignmentExpression, Expr, ExprRef, VarExpression};
use crate::awst::stmt::AssignmentStatement;
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Index, Source, SourceKind, Value};
use crate::ir::types::Shape;

use super::function::{Evaluated, FunctionBuilder, Placed, into_values};
use super::types::{TupleItem, tuple_item_name};

/// Whether a variable gets another value or its value changes in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// Another value: a parameter no longer is the caller's value.
    Whole,
    /// A part of the value changes: the caller's value changes too.
    InPlace,
}

/// The base of a write and the steps from it to what is written, in order of application.
struct WritePath<'s> {
    base: ExprRef<'s>,
    steps: Vec<ExprRef<'s>>,
}

fn base_of<'s>(expr: ExprRef<'s>) -> Option<ExprRef<'s>> {
    match expr {
        Expr::IndexExpression(node) => Some(node.base),
        Expr::FieldExpression(node) => Some(node.base),
        Expr::TupleItemExpression(node) => Some(node.base),
        _ => None,
    }
}

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_assignment(&mut self, stmt: &'s AssignmentStatement<'s>) -> Outcome<()> {
        if self.assign_inner_transaction_fields(stmt)? {
            return Ok(());
        }
        let values = self.visit_group(stmt.value)?;
        let targets = self.assign_to(stmt.target, values, Update::Whole, stmt.loc)?;
        self.assign_submit_results(&targets, stmt.value, stmt.loc)
    }
    pub(super) fn visit_assignment_expression(
        &mut self,
        node: &'s AssignmentExpression<'s>,
    ) -> Evaluated {
        let values = self.visit_group(node.value)?;
        let assigned = self.assign_to(node.target, values, Update::Whole, node.loc)?;
        let shape = self.shape(node.wtype, node.loc)?;
        self.group(shape, assigned, node.loc).map(Some)
    }

    /// Assigns a value or a group of values. Returns what the target holds now.
    pub fn assign_to(
        &mut self,
        target: ExprRef<'s>,
        value: Source,
        update: Update,
        loc: Loc,
    ) -> Outcome<Vec<Value>> {
        match target {
            Expr::TupleExpression(node) => {
                self.assign_tuple(node.items, node.wtype, node.loc, value, loc)
            }
            Expr::VarExpression(node) => self.assign_whole_variable(node, value, update, loc),
            Expr::AppStateExpression(_)
            | Expr::AppAccountStateExpression(_)
            | Expr::BoxValueExpression(_) => {
                let values = into_values(value);
                self.assign_storage(target, &values, loc)?;
                Ok(values)
            }
            Expr::IndexExpression(_) | Expr::FieldExpression(_) | Expr::TupleItemExpression(_) => {
                self.assign_part(target, value, loc)
            }
            _ => {
                let message = "expression is not valid as an assignment target";
                Err(Failure::code(message, target.loc()))
            }
        }
    }
    fn assign_tuple(
        &mut self,
        items: &'s [ExprRef<'s>],
        wtype: WTypeId,
        target_loc: Loc,
        value: Source,
        loc: Loc,
    ) -> Outcome<Vec<Value>> {
        let Shape::Tuple(tuple) = self.shape(wtype, target_loc)? else {
            return Err(Failure::internal("a tuple was expected", target_loc));
        };
        let pool = self.ir().pool;
        let value_loc = value.loc;
        let values = into_values(value);
        let mut rest = &values[..];
        let mut results = Vec::with_capacity(values.len());
        for (item, shape) in items.iter().zip(pool.tuple(tuple).elements) {
            let Some((own, others)) = rest.split_at_checked(shape.arity(pool)) else {
                return Err(Failure::code("not enough values to unpack", loc));
            };
            rest = others;
            let own = self.group(*shape, own.to_vec(), value_loc)?;
            results.extend(self.assign_to(item, own, Update::Whole, loc)?);
        }
        if !rest.is_empty() {
            return Err(Failure::code("too many values to unpack", loc));
        }
        Ok(results)
    }
    fn assign_whole_variable(
        &mut self,
        node: &VarExpression,
        value: Source,
        update: Update,
        loc: Loc,
    ) -> Outcome<Vec<Value>> {
        let shape = self.shape(node.wtype, node.loc)?;
        let names = self.leaf_symbols(shape, node.name);
        if update == Update::Whole {
            for name in &names {
                if self.is_implicit_parameter(*name) {
                    let is_original = self.is_original_name(*name);
                    let no = Source::value(Value::bool(false, Loc::NONE));
                    self.assign_variable(is_original, no, Loc::NONE)?;
                }
            }
        }
        let types = shape.flatten(self.ir().pool);
        let placed = Placed { assignment: loc, register: node.loc };
        let targets = self.assign_group(&names, &types, value, placed)?;
        Ok(targets.iter().copied().map(Value::Register).collect())
    }
    fn assign_part(&mut self, target: ExprRef<'s>, value: Source, loc: Loc) -> Outcome<Vec<Value>> {
        let values = into_values(value.clone());
        let WritePath { base, steps } = self.write_path(target)?;
        let current = self.visit_group_as(base, "update_assignment_current_base_value")?;
        let updated = if steps.is_empty() {
            value
        } else {
            let indexes = self.visit_steps(&steps)?;
            self.write_index(base.wtype(), current.clone(), &indexes, &values, loc)?
        };
        match (base, current.kind) {
            (
                Expr::VarExpression(_)
                | Expr::AppStateExpression(_)
                | Expr::AppAccountStateExpression(_)
                | Expr::BoxValueExpression(_),
                _,
            ) => {
                self.assign_to(base, updated, Update::InPlace, loc)?;
            }
            (_, SourceKind::Value(slot)) if self.is_slot(slot) => {}
            _ => self.error("unsupported assignment target", loc),
        }
        Ok(values)
    }
    fn write_path(&self, target: ExprRef<'s>) -> Outcome<WritePath<'s>> {
        let mut steps = Vec::new();
        let mut base = target;
        while let Some(inner) = base_of(base) {
            steps.push(base);
            base = inner;
        }
        // A native tuple in a variable is a variable per item, so items of it are no steps.
        if let Expr::VarExpression(variable) = base {
            let mut variable = *variable;
            let mut is_item = false;
            while matches!(self.kind(variable.wtype), WTypeKind::Tuple { .. })
                && let Some(step) = steps.pop()
            {
                let item = match step {
                    Expr::TupleItemExpression(node) => {
                        let position = self.tuple_position(variable.wtype, node.index)?;
                        TupleItem::Index(usize::try_from(position).expect("tuples are short"))
                    }
                    Expr::FieldExpression(node) => TupleItem::Name(node.name),
                    _ => {
                        let message = "unexpected tuple indexing expression";
                        return Err(Failure::internal(message, step.loc()));
                    }
                };
                let name = self.ir().text(variable.name);
                let types = self.build.types();
                let name = tuple_item_name(types, variable.wtype, name, item);
                variable = VarExpression {
                    loc: self.ir().session.locs.try_merge(variable.loc, step.loc()),
                    wtype: step.wtype(),
                    name: self.sym(&name),
                };
                is_item = true;
            }
            if is_item {
                base = self.ir().session.arena.alloc(Expr::VarExpression(variable));
            }
        }
        steps.reverse();
        Ok(WritePath { base, steps })
    }
    fn visit_steps(&mut self, steps: &[ExprRef<'s>]) -> Outcome<Vec<Index>> {
        let mut indexes = Vec::with_capacity(steps.len());
        for step in steps {
            let unexpected = |wtype: &str| {
                let message = format!(
                    "unimplemented index write operation {} for wtype: {wtype}",
                    step.class_name()
                );
                Failure::internal(message, step.loc())
            };
            let wtype = base_of(step).map_or(WTypeId::VOID, |base| base.wtype());
            let name = self.build.wtypes.name(wtype);
            indexes.push(match (step, self.kind(wtype)) {
                (
                    Expr::IndexExpression(node),
                    WTypeKind::Arc4DynamicArray { .. }
                    | WTypeKind::Arc4StaticArray { .. }
                    | WTypeKind::ReferenceArray { .. },
                ) => Index::Value(self.visit_value_as(node.index, "index")?),
                (
                    Expr::TupleItemExpression(node),
                    WTypeKind::Arc4Tuple { .. } | WTypeKind::Tuple { .. },
                ) => Index::Fixed(self.tuple_position(wtype, node.index)?),
                (
                    Expr::FieldExpression(node),
                    WTypeKind::Arc4Struct { .. } | WTypeKind::Tuple { names: Some(_), .. },
                ) => match self.build.wtypes.field(wtype, node.name) {
                    Some((index, _)) => {
                        Index::Fixed(u64::try_from(index).expect("tuples are short"))
                    }
                    None => return Err(unexpected(name)),
                },
                _ => return Err(unexpected(name)),
            });
        }
        Ok(indexes)
    }
}
