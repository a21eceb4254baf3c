//! Bodies built from hand-made trees, as text.

use super::{BuildCtx, build_missing_bodies};
use crate::avm::fields::{TransactionType, TxnField};
use crate::awst::decl::{Function, RootNode, Subroutine, SubroutineArgument};
use crate::awst::expr::{
    AssignmentExpression, CreateInnerTransaction, ExprRef, IndexExpression, InnerTransactionField,
    NumericComparisonExpression, Range, Reversed, SubmitInnerTransaction, UInt64BinaryOperation,
    VarExpression,
};
use crate::awst::make::{Make, Names};
use crate::awst::operators::{NumericComparison, UInt64BinaryOperator};
use crate::awst::stmt::{
    AssignmentStatement, ForInLoop, IfElse, LoopContinue, ReturnStatement, Stmt,
    UInt64AugmentedAssignment,
};
use crate::awst::wtypes::{WTypeId, WTypes};
use crate::base::arena::Arena;
use crate::base::source::Loc;
use crate::ir::pool::Pool;
use crate::ir::{Ctx, text};
use crate::options::CompileOptions;
use crate::session::Session;

const LOC: Loc = Loc::NONE;

/// Makes functions.
pub struct Tree<'t, 's> {
    pub make: Make<'s>,
    pub session: &'t Session<'s>,
    wtypes: &'t WTypes<'s>,
}

impl<'s> Tree<'_, 's> {
    fn variable(&self, name: &str, wtype: WTypeId) -> ExprRef<'s> {
        self.make.expr(VarExpression { loc: LOC, wtype, name: self.session.sym(name) })
    }
    /// A function of a document.
    pub fn function(
        &self,
        name: &str,
        args: &[SubroutineArgument],
        returns: WTypeId,
        body: &[Stmt<'s>],
    ) -> RootNode<'s> {
        let name = self.session.sym(name);
        let names = Names { short: name, full: name };
        let function = self.make.function(self.wtypes, names, returns, body);
        let function = Function { args: self.make.arena.slice(args), ..function };
        RootNode::Subroutine(self.make.arena.alloc(Subroutine { function }))
    }
    /// What a test finds out about a document.
    pub fn of_document<T>(
        &self,
        document: &[RootNode<'s>],
        test: impl FnOnce(&BuildCtx<'_, 's>) -> T,
    ) -> T {
        let pool = Pool::new(self.make.arena);
        let options = CompileOptions::default();
        let ir = Ctx { session: self.session, pool: &pool, options: &options };
        let found = test(&BuildCtx::new(ir, self.wtypes, document).unwrap());
        assert!(self.session.sink.is_empty());
        found
    }
    /// The text of a function of one parameter.
    fn build(&self, parameter: (&str, WTypeId), returns: WTypeId, body: &[Stmt<'s>]) -> String {
        let (name, wtype) = (self.session.sym(parameter.0), parameter.1);
        let arg = SubroutineArgument { name, loc: LOC, wtype };
        self.of_document(&[self.function("f", &[arg], returns, body)], |ctx| {
            build_missing_bodies(ctx).unwrap();
            text::subroutine(ctx.ir, ctx.functions.entries().next().unwrap().sub())
        })
    }
}

/// Checks a text that is made with a tree.
pub fn check(expected: &str, build: impl FnOnce(&Tree<'_, '_>) -> String) {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let wtypes = WTypes::new(&arena);
    let make = Make { arena: &arena, loc: LOC };
    let actual = build(&Tree { make, session: &session, wtypes: &wtypes });
    assert_eq!(actual.trim(), expected.trim());
}

#[test]
fn a_reversed_range_counts_down_and_continues_at_its_footer() {
    let expected = "
subroutine f(n: uint64) -> uint64:
    block@0: // L0
        let total#0: uint64 = 0u
        (assert 2u) // Step cannot be zero
        let should_loop%0#0: bool = (< 0u n#0)
        goto should_loop%0#0 ? block@1 : block@7
    block@1: // for_header_L0
        let range_length%0#0: uint64 = (- n#0 0u)
        let range_length_minus_one%0#0: uint64 = (- range_length%0#0 1u)
        let iteration_count_minus_one%0#0: uint64 = (/ range_length_minus_one%0#0 2u)
        let range_delta%0#0: uint64 = (* 2u iteration_count_minus_one%0#0)
        let max_range_item%0#0: uint64 = (+ 0u range_delta%0#0)
        let i#0: uint64 = max_range_item%0#0
        goto block@2
    block@2: // for_body_L0
        let i#1: uint64 = φ(i#0 <- block@1, i#2 <- block@6)
        let total#1: uint64 = φ(total#0 <- block@1, total#3 <- block@6)
        let tmp%0#0: bool = (== i#1 4u)
        goto tmp%0#0 ? block@3 : block@4
    block@3: // if_body_L0
        goto block@5
    block@4: // after_if_else_L0
        let tmp%1#0: uint64 = (+ total#1 i#1)
        let total#2: uint64 = tmp%1#0
        goto block@5
    block@5: // for_footer_L0
        let total#3: uint64 = φ(total#1 <- block@3, total#2 <- block@4)
        let continue_looping%0#0: bool = (< 0u i#1)
        goto continue_looping%0#0 ? block@6 : block@7
    block@6: // for_increment_L0
        let i#2: uint64 = (- i#1 2u)
        goto block@2
    block@7: // after_for_L0
        let total#4: uint64 = φ(total#0 <- block@0, total#3 <- block@5)
        return total#4";
    check(expected, |tree| {
        let uint64 = WTypeId::UINT64;
        let (n, i) = (tree.variable("n", uint64), tree.variable("i", uint64));
        let total = tree.variable("total", uint64);
        let assign = AssignmentStatement { loc: LOC, target: total, value: tree.make.uint64(0) };
        let range = tree.make.expr(Range {
            loc: LOC,
            wtype: WTypeId::UINT64_RANGE,
            start: tree.make.uint64(0),
            stop: n,
            step: tree.make.uint64(2),
        });
        let sequence =
            tree.make.expr(Reversed { loc: LOC, wtype: WTypeId::UINT64_RANGE, expr: range });
        let condition = tree.make.expr(NumericComparisonExpression {
            loc: LOC,
            wtype: WTypeId::BOOL,
            lhs: i,
            operator: NumericComparison::Eq,
            rhs: tree.make.uint64(4),
        });
        let skip = tree.make.block(None, &[LoopContinue { loc: LOC }.into()]);
        let skip = IfElse { loc: LOC, condition, if_branch: skip, else_branch: None };
        let op = UInt64BinaryOperator::Add;
        let add = UInt64AugmentedAssignment { loc: LOC, target: total, op, value: i };
        let loop_body = tree.make.block(None, &[skip.into(), add.into()]);
        let each = ForInLoop { loc: LOC, sequence, items: i, loop_body };
        let end = ReturnStatement { loc: LOC, value: Some(total) };
        tree.build(("n", uint64), uint64, &[assign.into(), each.into(), end.into()])
    });
}

#[test]
fn a_parameter_changed_in_place_goes_back_to_the_caller() {
    let expected = "
subroutine f(items: Encoded(len+uint8[])) -> Encoded(len+uint8[]):
    block@0: // L0
        let items%is_original#0: bool = 1u
        let items%out#0: Encoded(len+uint8[]) = items#0
        let array_item%0#0: Encoded(uint8) = extract_value(items#0, 0u)
        let updated_array%0#0: Encoded(len+uint8[]) = replace_value(items#0, 1u, array_item%0#0)
        let items#1: Encoded(len+uint8[]) = updated_array%0#0
        goto items%is_original#0 ? block@1 : block@2
    block@1: // if_body_L1
        let items%out#1: Encoded(len+uint8[]) = items#1
        goto block@2
    block@2: // after_if_else_L1
        let items%out#2: Encoded(len+uint8[]) = φ(items%out#0 <- block@0, items%out#1 <- block@1)
        return items%out#2";
    check(expected, |tree| {
        let uint8 = tree.wtypes.arc4_uint_n(8, None, LOC).unwrap();
        let array = tree.wtypes.arc4_dynamic_array(uint8, false, None, LOC).unwrap();
        let items = tree.variable("items", array);
        let index = tree.make.uint64(1);
        let item =
            |index| tree.make.expr(IndexExpression { loc: LOC, wtype: uint8, base: items, index });
        let value = item(tree.make.uint64(0));
        let assign = AssignmentStatement { loc: LOC, target: item(index), value };
        tree.build(("items", array), WTypeId::VOID, &[assign.into()])
    });
}

#[test]
fn a_node_reached_twice_takes_effect_once() {
    let expected = "
subroutine f(n: uint64) -> uint64:
    block@0: // L0
        let tmp%0#0: uint64 = (+ n#0 1u)
        let m#0: uint64 = tmp%0#0
        let tmp%1#0: uint64 = (* m#0 m#0)
        return tmp%1#0";
    check(expected, |tree| {
        let uint64 = WTypeId::UINT64;
        let n = tree.variable("n", uint64);
        let add = tree.make.expr(UInt64BinaryOperation {
            loc: LOC,
            wtype: uint64,
            left: n,
            op: UInt64BinaryOperator::Add,
            right: tree.make.uint64(1),
        });
        let target = tree.variable("m", uint64);
        let once =
            tree.make.expr(AssignmentExpression { loc: LOC, wtype: uint64, target, value: add });
        let twice = tree.make.expr(UInt64BinaryOperation {
            loc: LOC,
            wtype: uint64,
            left: once,
            op: UInt64BinaryOperator::Mult,
            right: once,
        });
        let end = ReturnStatement { loc: LOC, value: Some(twice) };
        tree.build(("n", uint64), uint64, &[end.into()])
    });
}

#[test]
fn what_nothing_reads_of_inner_transactions_is_left_out() {
    let expected = "
subroutine f(n: uint64) -> uint64:
    block@0: // L0
        let p#0: itxn_field_set = itxn_field_set(0)
        let p%%param_Fee_idx_0#0: uint64 = n#0
        itxn_begin
        ((itxn_field Fee) p%%param_Fee_idx_0#0)
        goto block@1
    block@1: // next_txn_L0
        itxn_submit
        let r#0: itxn_group_idx = itxn_group_idx(0)
        let r._is_last#0: bool = 1u
        let r.Amount#0: uint64 = itxn[r#0].Amount
        return r.Amount#0";
    check(expected, |tree| {
        let kind = Some(TransactionType::Pay);
        let fields = tree.wtypes.inner_transaction_fields(kind, None);
        let submitted = tree.wtypes.inner_transaction(kind, None);
        let parameters = tree.variable("p", fields);
        let result = tree.variable("r", submitted);
        let values = tree.make.arena.slice(&[(TxnField::Fee, tree.variable("n", WTypeId::UINT64))]);
        let create =
            tree.make.expr(CreateInnerTransaction { loc: LOC, wtype: fields, fields: values });
        let itxns = tree.make.arena.slice(&[parameters]);
        let submit = tree.make.expr(SubmitInnerTransaction { loc: LOC, wtype: submitted, itxns });
        let read = tree.make.expr(InnerTransactionField {
            loc: LOC,
            wtype: WTypeId::UINT64,
            itxn: result,
            field: TxnField::Amount,
            array_index: None,
        });
        let body = [
            AssignmentStatement { loc: LOC, target: parameters, value: create }.into(),
            AssignmentStatement { loc: LOC, target: result, value: submit }.into(),
            ReturnStatement { loc: LOC, value: Some(read) }.into(),
        ];
        tree.build(("n", WTypeId::UINT64), WTypeId::UINT64, &body)
    });
}
