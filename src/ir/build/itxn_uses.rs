//! What a body does with inner transactions, as far as it decides which of their variables are read.
//!
//! A transaction being put together has a variable for the number of values of each field, a submitted
//! one a variable for each field. Few of them are read, and the first removal of unused variables takes
//! out the others. Where nobody sees what is before it they are left out from the start, and
//! [`crate::ir::model::Subroutine::left_out`] has how many they would be.

use crate::avm::fields::TxnField;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::stmt::{Block, Stmt};
use crate::awst::visit::{Descend, Visitor, walk_block};
use crate::awst::wtypes::WTypes;
use crate::base::arena::Symbol;
use crate::ir::optimise;
use crate::options::CompileOptions;

/// Which variables of inner transactions a body may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Uses {
    /// Whether it may read the number of values of a field.
    pub counts: bool,
    /// The fields of submitted transactions that it reads, as bits.
    fields: u128,
}

const _: () = assert!(TxnField::ALL.len() <= u128::BITS as usize, "each field has a bit");

impl Uses {
    const ALL: Self = Self { counts: true, fields: u128::MAX };

    /// What a body reads; everything where what nothing reads is seen, or is not removed.
    pub fn of<'s>(options: &CompileOptions, wtypes: &WTypes<'s>, body: &'s Block<'s>) -> Self {
        if options.output_ssa_ir || !optimise::is_enabled("remove_unused_variables", options) {
            return Self::ALL;
        }
        let uses = Self { counts: false, fields: 0 };
        let mut search = Search { wtypes, uses, assigned: Vec::new() };
        walk_block(&mut search, body);
        search.uses
    }
    /// Whether the body may read a field of a submitted transaction.
    pub fn reads(self, field: TxnField) -> bool {
        self.fields & bit(field) != 0
    }
}

fn bit(field: TxnField) -> u128 {
    1 << field as u32
}

struct Search<'t, 's> {
    wtypes: &'t WTypes<'s>,
    uses: Uses,
    /// The variables that transactions being put together were assigned to.
    assigned: Vec<Symbol>,
}

impl Search<'_, '_> {
    /// Whether all transactions of a value are submitted in it, and none is a copy of another.
    fn is_submitted(&self, value: ExprRef<'_>) -> bool {
        match value {
            _ if !self.wtypes.has_inner_transaction(value.wtype()) => true,
            Expr::SubmitInnerTransaction(_) => true,
            Expr::SingleEvaluation(node) => self.is_submitted(node.source),
            Expr::TupleExpression(node) => node.items.iter().all(|item| self.is_submitted(item)),
            _ => false,
        }
    }
    /// A variable gets a transaction to be put together: if it is the second, their fields may have
    /// different numbers of values.
    fn assign(&mut self, target: ExprRef<'_>) {
        match target {
            Expr::VarExpression(node) if !self.assigned.contains(&node.name) => {
                self.assigned.push(node.name);
            }
            _ => self.uses.counts = true,
        }
    }
}

impl<'s> Visitor<'s> for Search<'_, 's> {
    fn enter_stmt(&mut self, stmt: &'s Stmt<'s>) -> Descend {
        if let Stmt::AssignmentStatement(node) = stmt {
            match node.value {
                Expr::CreateInnerTransaction(_) | Expr::AbiCall(_) => self.assign(node.target),
                value if self.is_submitted(value) => {}
                _ => self.uses = Uses::ALL,
            }
        }
        Descend::Into
    }
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        match expr {
            Expr::InnerTransactionField(node) => self.uses.fields |= bit(node.field),
            Expr::UpdateInnerTransaction(_) => self.uses.counts = true,
            Expr::Copy(node) if self.wtypes.has_inner_transaction(node.value.wtype()) => {
                self.uses.counts = true;
            }
            _ => {}
        }
        Descend::Into
    }
}
