//! Kinds of nodes that a body has, gathered while it is read, so that a search for some kind passes over
//! the bodies without any.

use super::expr::{Expr, ExprRef, MethodRef, SubroutineTarget};
use super::stmt::{Block, Stmt};
use super::visit::{Descend, Visitor, walk_block};
use super::wtypes::WTypes;

/// A set of kinds of nodes. What is gathered while reading may have some that fell away later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mentions(u16);

impl Mentions {
    /// Submitted inner transactions and fields of inner transactions, by type, and submissions.
    pub const INNER_TRANSACTIONS: Self = Self(1);
    /// Submissions of inner transactions, and updates of their fields.
    pub const SUBMISSIONS: Self = Self(1 << 1);
    /// Calls of subroutines and methods.
    pub const CALLS: Self = Self(1 << 2);
    /// State, boxes and keys of maps.
    pub const STORAGE: Self = Self(1 << 3);
    /// Blocks with a label, and gotos.
    pub const LABELS: Self = Self(1 << 4);
    /// What changes a value in place or assigns to more than a variable.
    pub const CHANGES: Self = Self(1 << 5);
    /// Signatures of methods.
    pub const SIGNATURES: Self = Self(1 << 6);
    /// Errors that are logged.
    pub const LOGGED_ERRORS: Self = Self(1 << 7);
    /// Template variables.
    pub const TEMPLATE_VARIABLES: Self = Self(1 << 8);
    /// Emitted events.
    pub const EVENTS: Self = Self(1 << 9);
    /// References to compiled artifacts.
    pub const COMPILED: Self = Self(1 << 10);
    /// Uses of the router.
    pub const ROUTER: Self = Self(1 << 11);
    /// Calls of methods of a contract.
    pub const METHOD_CALLS: Self = Self(1 << 12);
    /// Reads of array fields of inner transactions.
    pub const ARRAY_FIELDS: Self = Self(1 << 13);
    /// Loops.
    pub const LOOPS: Self = Self(1 << 14);

    /// What the statements of a body mention.
    pub fn of(wtypes: &WTypes<'_>, body: &Block<'_>) -> Self {
        let mut search = Search { wtypes, found: Self::default() };
        walk_block(&mut search, body);
        search.found
    }
    /// What an expression mentions by itself, without those below it; of a single evaluation all that
    /// its source mentions.
    #[inline(always)]
    pub(super) fn at_expr(wtypes: &WTypes<'_>, expr: &Expr<'_>) -> Self {
        let by_class = match expr {
            Expr::SubmitInnerTransaction(_) => {
                Mentions::SUBMISSIONS.or(Mentions::INNER_TRANSACTIONS)
            }
            Expr::InnerTransactionField(access) if access.field.is_array() => {
                Mentions::ARRAY_FIELDS.or(Mentions::INNER_TRANSACTIONS)
            }
            Expr::InnerTransactionField(_) => Mentions::INNER_TRANSACTIONS,
            Expr::UpdateInnerTransaction(_) => Mentions::SUBMISSIONS,
            Expr::IntrinsicCall(call) if call.op_code == "itxn_submit" => Mentions::SUBMISSIONS,
            Expr::SubroutineCallExpression(call) => match call.target {
                SubroutineTarget::SubroutineId { .. } => Mentions::CALLS,
                _ => Mentions::CALLS.or(Mentions::METHOD_CALLS),
            },
            Expr::AppStateExpression(_)
            | Expr::AppAccountStateExpression(_)
            | Expr::BoxValueExpression(_)
            | Expr::MapPrefixedKeyExpression(_) => Mentions::STORAGE,
            Expr::AssignmentExpression(_) | Expr::ArrayPop(_) | Expr::ArrayExtend(_) => {
                Mentions::CHANGES
            }
            Expr::MethodConstant(node) if matches!(node.value, MethodRef::Signature(_)) => {
                Mentions::SIGNATURES
            }
            Expr::AssertExpression(node) if node.log_error => Mentions::LOGGED_ERRORS,
            Expr::TemplateVar(_) => Mentions::TEMPLATE_VARIABLES,
            Expr::Emit(_) | Expr::EmitFields(_) => Mentions::EVENTS,
            Expr::CompiledContract(_) | Expr::CompiledLogicSig(_) => Mentions::COMPILED,
            Expr::Arc4Router(_) => Mentions::ROUTER,
            Expr::SingleEvaluation(node) => node.mentions,
            _ => Mentions::default(),
        };
        let by_type = wtypes.has_inner_transaction(expr.wtype());
        if by_type { by_class.or(Mentions::INNER_TRANSACTIONS) } else { by_class }
    }
    /// What a statement mentions by itself.
    #[inline]
    pub(super) fn at_stmt(stmt: &Stmt<'_>) -> Self {
        match stmt {
            Stmt::Goto(_) => Mentions::LABELS,
            Stmt::ForInLoop(_) | Stmt::WhileLoop(_) => Mentions::LOOPS,
            Stmt::AssignmentStatement(node) if !matches!(node.target, Expr::VarExpression(_)) => {
                Mentions::CHANGES
            }
            _ => Mentions::default(),
        }
    }
    /// What a block mentions by itself.
    #[inline]
    pub(super) fn at_block(block: &Block<'_>) -> Self {
        if block.label.is_some() { Mentions::LABELS } else { Mentions::default() }
    }
    /// Both sets together.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether the sets have something in common.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    /// Puts what `other` has into this set.
    pub(super) fn add(&mut self, other: Self) {
        *self = self.or(other);
    }
}

struct Search<'r, 't> {
    wtypes: &'r WTypes<'t>,
    found: Mentions,
}

impl<'a> Visitor<'a> for Search<'_, '_> {
    fn enter_block(&mut self, block: &'a Block<'a>) {
        self.found.add(Mentions::at_block(block));
    }
    fn enter_stmt(&mut self, stmt: &'a Stmt<'a>) -> Descend {
        self.found.add(Mentions::at_stmt(stmt));
        Descend::Into
    }
    fn enter_expr(&mut self, expr: ExprRef<'a>) -> Descend {
        self.found.add(Mentions::at_expr(self.wtypes, expr));
        match expr {
            Expr::SingleEvaluation(_) => Descend::Skip,
            _ => Descend::Into,
        }
    }
}
