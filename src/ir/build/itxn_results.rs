//! Which variables of an assignment get submitted inner transactions, and their fields with them. Spec
//! 21 §17.4.

use crate::avm::fields::TxnField;
use crate::awst::expr::{Expr, ExprRef, SubmitInnerTransaction};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Register, Source, SourceKind, Value};
use crate::ir::types::IrType;

use super::function::FunctionBuilder;
use super::types;

/// Where a value of an assignment's source comes from.
#[derive(Clone, Copy)]
enum Origin {
    /// From a variable that holds a submitted transaction.
    Copied(Symbol),
    /// From the submission itself.
    Submitted {
        /// Whether the transaction is the last of its group.
        is_last: bool,
    },
    /// From anywhere else; the value is no transaction.
    Other,
}

fn scalar_fields() -> impl Iterator<Item = TxnField> {
    TxnField::ALL.iter().copied().filter(|field| !field.is_array())
}

impl<'s> FunctionBuilder<'_, 's> {
    /// Keeps the fields of just submitted transactions that were assigned to `targets`.
    pub fn assign_submit_results(
        &mut self,
        targets: &[Value],
        value: ExprRef<'s>,
        loc: Loc,
    ) -> Outcome<()> {
        let mut submissions = Vec::new();
        let origins = self.origins(value, &mut submissions)?;
        if submissions.len() > 1 {
            self.error(
                "multiple inner transactions cannot be individually submitted in the same \
                 statement. Try using a group",
                value.loc(),
            );
        }
        if origins.len() != targets.len() {
            let message = "ValueError: zip() arguments have different lengths";
            return Err(Failure::internal(message, loc));
        }
        for (target, origin) in targets.iter().zip(origins) {
            let is_transaction = target.ty(self.ir().pool) == IrType::ItxnGroupIdx;
            match (target, origin) {
                (Value::Register(target), Origin::Copied(from)) if is_transaction => {
                    self.copy_results(target.name, from)?;
                }
                (Value::Register(target), Origin::Submitted { is_last }) if is_transaction => {
                    self.keep_results(*target, is_last)?;
                }
                (_, Origin::Other) if !is_transaction => {}
                _ => {
                    let name = target.register().map_or("", |target| self.ir().text(target.name));
                    let message = format!("unsupported inner transaction assignment: {name}");
                    return Err(Failure::code(message, loc));
                }
            }
        }
        Ok(())
    }
    fn keep_results(&mut self, target: Register, is_last: bool) -> Outcome<()> {
        let name = self.result_name(target.name, "_is_last");
        let is_last = Source::value(Value::bool(is_last, Loc::NONE));
        let is_last = self.assign_variable(name, is_last, Loc::NONE)?;
        let uses = self.itxn_uses();
        for field in scalar_fields() {
            if !uses.reads(field) && self.leave_out(1) {
                continue;
            }
            let kind = SourceKind::InnerTransactionField {
                field,
                group_index: target.into(),
                is_last_in_group: is_last.into(),
                array_index: None,
                ty: self.field_type(field, Loc::NONE)?,
            };
            let name = self.result_name(target.name, field.name());
            self.assign_variable(name, Source { kind, loc: Loc::NONE }, Loc::NONE)?;
        }
        Ok(())
    }
    fn copy_results(&mut self, to: Symbol, from: Symbol) -> Outcome<()> {
        for field in scalar_fields() {
            let ty = self.field_type(field, Loc::NONE)?;
            let name = self.result_name(from, field.name());
            let value = self.read_variable(name, ty)?;
            let name = self.result_name(to, field.name());
            self.assign_variable(name, Source::value(value.into()), Loc::NONE)?;
        }
        Ok(())
    }

    /// Where each single value of an expression comes from.
    fn origins(
        &self,
        expr: ExprRef<'s>,
        submissions: &mut Vec<&'s SubmitInnerTransaction<'s>>,
    ) -> Outcome<Vec<Origin>> {
        match expr {
            Expr::SubmitInnerTransaction(node) => {
                if !submissions.contains(&node) {
                    submissions.push(node);
                }
                let last = node.itxns.len().saturating_sub(1);
                let origin = |index| Origin::Submitted { is_last: index == last };
                Ok((0..node.itxns.len()).map(origin).collect())
            }
            Expr::VarExpression(node) => {
                let shape = self.shape(node.wtype, node.loc)?;
                let names = self.leaf_symbols(shape, node.name);
                let types = shape.flatten(self.ir().pool);
                let origin = |(name, ty)| match ty {
                    IrType::ItxnGroupIdx => Origin::Copied(name),
                    _ => Origin::Other,
                };
                Ok(names.into_iter().zip(types).map(origin).collect())
            }
            Expr::SingleEvaluation(node) => self.origins(node.source, submissions),
            Expr::AssignmentExpression(node) => self.origins(node.value, submissions),
            Expr::ReinterpretCast(node) => self.origins(node.expr, submissions),
            Expr::CommaExpression(node) => match node.expressions.last() {
                Some(last) => self.origins(last, submissions),
                None => self.no_origins(expr),
            },
            Expr::CheckedMaybe(node) => {
                let mut origins = self.origins(node.expr, submissions)?;
                origins.truncate(1);
                Ok(origins)
            }
            Expr::TupleExpression(node) => {
                self.all_origins(node.items.iter().copied(), submissions)
            }
            Expr::NamedTupleExpression(node) => {
                self.all_origins(node.values.iter().map(|(_, value)| *value), submissions)
            }
            Expr::TupleItemExpression(node) if self.is_native_tuple(node.base) => {
                let origins = self.origins(node.base, submissions)?;
                let index = self.tuple_position(node.base.wtype(), node.index)?;
                let index = usize::try_from(index).expect("tuples are short");
                Ok(self.items_of(node.base.wtype(), &origins, index..index + 1))
            }
            Expr::FieldExpression(node) if self.is_native_tuple(node.base) => {
                let Some((index, _)) = self.build.wtypes.field(node.base.wtype(), node.name) else {
                    return self.no_origins(expr);
                };
                let origins = self.origins(node.base, submissions)?;
                Ok(self.items_of(node.base.wtype(), &origins, index..index + 1))
            }
            Expr::SliceExpression(node) if self.is_native_tuple(node.base) => {
                let origins = self.origins(node.base, submissions)?;
                let length = origins.len();
                let bound = |bound: Option<ExprRef<'s>>, default: usize| match bound {
                    None => Ok(default),
                    Some(Expr::IntegerConstant(constant)) if constant.wtype == WTypeId::UINT64 => {
                        let clipped = constant.value.to_u64().unwrap_or(u64::MAX);
                        Ok(usize::try_from(clipped).unwrap_or(usize::MAX))
                    }
                    Some(_) => {
                        let message = "a slice of a tuple needs constant bounds";
                        Err(Failure::internal(message, node.loc))
                    }
                };
                let (begin, end) = (bound(node.begin_index, 0)?, bound(node.end_index, length)?);
                Ok(self.items_of(node.base.wtype(), &origins, begin..end))
            }
            _ => self.no_origins(expr),
        }
    }
    fn all_origins(
        &self,
        exprs: impl Iterator<Item = ExprRef<'s>>,
        submissions: &mut Vec<&'s SubmitInnerTransaction<'s>>,
    ) -> Outcome<Vec<Origin>> {
        let mut origins = Vec::new();
        for expr in exprs {
            origins.extend(self.origins(expr, submissions)?);
        }
        Ok(origins)
    }
    fn is_native_tuple(&self, expr: ExprRef<'s>) -> bool {
        matches!(self.kind(expr.wtype()), WTypeKind::Tuple { .. })
    }
    /// The origins of some items of a native tuple, out of those of all its values.
    fn items_of(
        &self,
        tuple: WTypeId,
        origins: &[Origin],
        items: std::ops::Range<usize>,
    ) -> Vec<Origin> {
        let types = self.build.wtypes.item_types(tuple).unwrap_or_default();
        let arity = |item: &WTypeId| types::arity(self.build.types(), *item);
        let begin = items.start.min(types.len());
        let end = items.end.clamp(begin, types.len());
        let skipped: usize = types[..begin].iter().map(arity).sum();
        let wanted: usize = types[begin..end].iter().map(arity).sum();
        origins.iter().skip(skipped).take(wanted).copied().collect()
    }
    /// Of an expression that cannot yield submitted transactions.
    fn no_origins(&self, expr: ExprRef<'s>) -> Outcome<Vec<Origin>> {
        let types = types::ir_types(self.build.types(), expr.wtype(), expr.loc())?;
        if types.contains(&IrType::ItxnGroupIdx) {
            self.error("unsupported inner transaction expression", expr.loc());
        }
        Ok(vec![Origin::Other; types.len()])
    }
}
