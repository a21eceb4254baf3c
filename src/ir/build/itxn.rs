//! Inner transactions: their fields in variables, staging, submitting, reading results. Spec 21 §17.

use crate::awst::expr::{
    ExprRef, InnerTransactionField, StageInnerTransactions, SubmitInnerTransaction,
    UpdateInnerTransaction,
};
use crate::awst::stmt::AssignmentStatement;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::Value;

use super::function::{Evaluated, FunctionBuilder};

/// What is known of inner transactions held in variables of one body.
#[derive(Default)]
pub struct InnerTransactions {}

impl<'s> FunctionBuilder<'_, 's> {
    /// Assigns fields of inner transactions; false when the statement assigns none.
    pub fn assign_inner_transaction_fields(
        &mut self,
        stmt: &'s AssignmentStatement<'s>,
    ) -> Outcome<bool> {
        let _ = stmt;
        Ok(false)
    }
    /// Keeps the fields of just submitted transactions that were assigned to `targets`.
    pub fn assign_submit_results(
        &mut self,
        targets: &[Value],
        value: ExprRef<'s>,
        loc: Loc,
    ) -> Outcome<()> {
        let _ = (targets, value, loc);
        Ok(())
    }
    /// Begins or continues a group, without submitting.
    pub fn visit_stage_inner_transactions(
        &mut self,
        node: &'s StageInnerTransactions<'s>,
    ) -> Evaluated {
        Err(Failure::internal("staging inner transactions is not lowered yet", node.loc))
    }
    /// Submits a group.
    pub fn visit_submit_inner_transaction(
        &mut self,
        node: &'s SubmitInnerTransaction<'s>,
    ) -> Evaluated {
        Err(Failure::internal("submitting inner transactions is not lowered yet", node.loc))
    }
    /// Changes fields of a transaction not yet submitted.
    pub fn visit_update_inner_transaction(
        &mut self,
        node: &'s UpdateInnerTransaction<'s>,
    ) -> Evaluated {
        Err(Failure::internal("updating inner transactions is not lowered yet", node.loc))
    }
    /// Reads a field of a submitted transaction.
    pub fn visit_inner_transaction_field(
        &mut self,
        node: &'s InnerTransactionField<'s>,
    ) -> Evaluated {
        Err(Failure::internal("inner transaction fields are not lowered yet", node.loc))
    }
}
