//! Nodes that no source wrote: [`Make`] puts them into the arena, all at one location.

use super::decl::{Function, MethodDocumentation};
use super::expr::{
    AssertExpression, BoolConstant, BytesConstant, CallArg, Expr, ExprRef,
    GroupTransactionReference, Immediate, Int, IntegerConstant, IntrinsicCall,
    NumericComparisonExpression, SubroutineCallExpression, SubroutineTarget, UInt64BinaryOperation,
};
use super::mentions::Mentions;
use super::operators::{BytesEncoding, NumericComparison, UInt64BinaryOperator};
use super::stmt::{Block, ExpressionStatement, IfElse, ReturnStatement, Stmt, Switch};
use super::wtypes::{WTypeId, WTypes};
use crate::base::arena::{Arena, Symbol};
use crate::base::source::Loc;

/// Makes nodes.
#[derive(Clone, Copy)]
pub struct Make<'s> {
    /// Where the nodes lie.
    pub arena: &'s Arena,
    /// Where they stand.
    pub loc: Loc,
}

#[expect(missing_docs, reason = "the names are those of the nodes")]
impl<'s> Make<'s> {
    /// The same for nodes at another location.
    pub fn at(self, loc: Loc) -> Self {
        Self { loc, ..self }
    }
    pub fn expr(self, node: impl Into<Expr<'s>>) -> ExprRef<'s> {
        self.arena.alloc(node.into())
    }
    pub fn number(self, value: u64) -> Int<'s> {
        Int::new(self.arena, &value.into())
    }
    pub fn uint64(self, value: u64) -> ExprRef<'s> {
        self.constant(value, None)
    }
    /// A number that TEAL shows under a name.
    pub fn named_uint64(self, value: u64, name: &'s str) -> ExprRef<'s> {
        self.constant(value, Some(name))
    }
    fn constant(self, value: u64, teal_alias: Option<&'s str>) -> ExprRef<'s> {
        let value = self.number(value);
        self.expr(IntegerConstant { loc: self.loc, wtype: WTypeId::UINT64, value, teal_alias })
    }
    pub fn bool(self, value: bool) -> ExprRef<'s> {
        self.expr(BoolConstant { loc: self.loc, wtype: WTypeId::BOOL, value })
    }
    pub fn bytes(self, value: &'s [u8], encoding: BytesEncoding) -> ExprRef<'s> {
        self.expr(BytesConstant { loc: self.loc, wtype: WTypeId::BYTES, value, encoding })
    }
    pub fn intrinsic(
        self,
        op_code: &'static str,
        immediates: &[Immediate<'s>],
        stack_args: &[ExprRef<'s>],
        wtype: WTypeId,
    ) -> ExprRef<'s> {
        let immediates = self.arena.slice(immediates);
        let stack_args = self.arena.slice(stack_args);
        self.expr(IntrinsicCall { loc: self.loc, wtype, op_code, immediates, stack_args })
    }
    /// A number that the transaction has in a field.
    pub fn txn(self, field: &'static str) -> ExprRef<'s> {
        self.intrinsic("txn", &[Immediate::Text(field)], &[], WTypeId::UINT64)
    }
    /// The transaction `before` places before the current one in its group.
    pub fn group_transaction(self, wtype: WTypeId, before: usize) -> ExprRef<'s> {
        let before = self.uint64(before as u64);
        let index = self.binary(self.txn("GroupIndex"), UInt64BinaryOperator::Sub, before);
        self.expr(GroupTransactionReference { loc: self.loc, wtype, index })
    }
    pub fn binary(
        self,
        left: ExprRef<'s>,
        op: UInt64BinaryOperator,
        right: ExprRef<'s>,
    ) -> ExprRef<'s> {
        let wtype = WTypeId::UINT64;
        self.expr(UInt64BinaryOperation { loc: self.loc, wtype, left, op, right })
    }
    pub fn compare(
        self,
        lhs: ExprRef<'s>,
        operator: NumericComparison,
        rhs: ExprRef<'s>,
    ) -> ExprRef<'s> {
        let wtype = WTypeId::BOOL;
        self.expr(NumericComparisonExpression { loc: self.loc, wtype, lhs, operator, rhs })
    }
    /// A call with arguments by position, of something that returns a `wtype`.
    pub fn call(
        self,
        target: SubroutineTarget,
        wtype: WTypeId,
        args: &[ExprRef<'s>],
    ) -> ExprRef<'s> {
        let args: Vec<CallArg<'s>> =
            args.iter().map(|value| CallArg { name: None, value }).collect();
        let args = self.arena.slice(&args);
        self.expr(SubroutineCallExpression { loc: self.loc, wtype, target, args })
    }
    /// A statement that stands where its expression does.
    pub fn statement(self, expr: ExprRef<'s>) -> Stmt<'s> {
        Stmt::ExpressionStatement(ExpressionStatement { loc: expr.loc(), expr })
    }
    /// An assertion without a message.
    pub fn assert(self, condition: ExprRef<'s>) -> Stmt<'s> {
        self.statement(self.expr(AssertExpression {
            loc: self.loc,
            wtype: WTypeId::VOID,
            condition: Some(condition),
            error_message: None,
            explicit: false,
            log_error: false,
            desc: None,
        }))
    }
    pub fn return_value(self, value: ExprRef<'s>) -> Stmt<'s> {
        Stmt::ReturnStatement(ReturnStatement { loc: self.loc, value: Some(value) })
    }
    pub fn if_else(
        self,
        condition: ExprRef<'s>,
        if_branch: &'s Block<'s>,
        else_branch: &'s Block<'s>,
    ) -> Stmt<'s> {
        Stmt::IfElse(IfElse { loc: self.loc, condition, if_branch, else_branch: Some(else_branch) })
    }
    pub fn switch(self, value: ExprRef<'s>, cases: &[(ExprRef<'s>, &'s Block<'s>)]) -> Stmt<'s> {
        let cases = self.arena.slice(cases);
        Stmt::Switch(Switch { loc: self.loc, value, cases, default_case: None })
    }
    pub fn block(self, comment: Option<&'s str>, body: &[Stmt<'s>]) -> &'s Block<'s> {
        let body = self.arena.slice(body);
        self.arena.alloc(Block { loc: self.loc, body, label: None, comment })
    }
    /// A function without parameters and documentation that may be inlined.
    pub fn function(
        self,
        wtypes: &WTypes<'s>,
        names: Names,
        return_type: WTypeId,
        body: &[Stmt<'s>],
    ) -> Function<'s> {
        let body = self.block(None, body);
        Function {
            loc: self.loc,
            args: &[],
            return_type,
            body,
            documentation: MethodDocumentation::default(),
            inline: None,
            pure: false,
            short_name: names.short,
            full_name: names.full,
            mentions: Mentions::of(wtypes, body),
        }
    }
}

/// What a function is called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Where it is a member.
    pub short: Symbol,
    /// Everywhere.
    pub full: Symbol,
}
