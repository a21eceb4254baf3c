//! The method router: routable methods of a contract -> an AWST method that dispatches to them, and a
//! wrapper subroutine per ABI method that decodes arguments and logs the result. Spec 21 §14.

use crate::awst::arc4;
use crate::awst::decl::{Contract, ContractMethod, Function, MethodDocumentation, Subroutine};
use crate::awst::expr::{
    Arc4Decode, Arc4Encode, Arc4FromBytes, AssertExpression, BoolConstant, BytesBinaryOperation,
    BytesConstant, CallArg, Expr, ExprRef, GroupTransactionReference, Immediate, Int,
    IntegerConstant, IntrinsicCall, MethodConstant, MethodRef, MethodSignatureString,
    NumericComparisonExpression, ReinterpretCast, SubroutineCallExpression, SubroutineTarget,
    TupleItemExpression, UInt64BinaryOperation,
};
use crate::awst::mentions::Mentions;
use crate::awst::operators::{
    BytesBinaryOperator, BytesEncoding, NumericComparison, UInt64BinaryOperator,
};
use crate::awst::stmt::{Block, ExpressionStatement, IfElse, ReturnStatement, Stmt, Switch};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Arena;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::{
    AbiMethod, BareMethod, CreateOption, Method, OnCompletion, ResourceEncoding,
};

use super::BuildCtx;

/// What an ABI method's result is logged behind.
const RETURN_PREFIX: [u8; 4] = [0x15, 0x1f, 0x7c, 0x75];
/// Arguments from this one on are passed as one tuple when there are more.
const APP_ARGS_MAX: usize = 15;

/// What happens once a method was dispatched, or none was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The program ends.
    Exit,
    /// The router returns to the approval program, which decides.
    Return,
}

/// The router and the subroutines it calls.
pub struct Router<'s> {
    /// The dispatching method.
    pub method: &'s ContractMethod<'s>,
    /// Argument decoding and result logging, one per ABI method in order.
    pub wrappers: Vec<&'s Subroutine<'s>>,
}

/// Builds the router of a contract. `methods` are the routable methods with their metadata, in
/// metadata order.
pub fn create<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    methods: &[(&'s ContractMethod<'s>, Method)],
    ending: Ending,
) -> Outcome<Router<'s>> {
    let make = Make { ctx, loc: contract.loc };
    let mut abi = Vec::new();
    let mut bare = Vec::new();
    for (method, facts) in methods {
        match facts {
            Method::Abi(facts) => abi.push((*method, facts)),
            Method::Bare(facts) => bare.push((*method, facts)),
        }
    }
    let (abi_routing, wrappers) = route_abi_methods(make, &abi, ending)?;
    let mut body = Vec::new();
    if bare.is_empty() {
        body.extend_from_slice(abi_routing);
    } else {
        let has_args = make.compare(make.txn("NumAppArgs"), NumericComparison::Ne, make.uint64(0));
        body.push(Stmt::IfElse(IfElse {
            loc: make.loc,
            condition: has_args,
            if_branch: make.block(Some("abi_routing"), abi_routing),
            else_branch: Some(route_bare_methods(make, &bare, ending)),
        }));
    }
    body.push(match ending {
        Ending::Exit => make.exit(false),
        Ending::Return => make.return_bool(false),
    });
    let member_name = ctx.ir.sym("__puya_arc4_router__");
    let full_name = format!("{}.__puya_arc4_router__", ctx.ir.text(contract.id));
    let body = make.block(None, &body);
    let function = Function {
        loc: make.loc,
        args: &[],
        return_type: WTypeId::BOOL,
        body,
        documentation: MethodDocumentation::default(),
        inline: Some(true),
        pure: false,
        short_name: member_name,
        full_name: ctx.ir.sym(&full_name),
        mentions: Mentions::of(ctx.wtypes, body),
    };
    let method = ContractMethod { function, cref: contract.id, arc4_method_config: None };
    Ok(Router { method: make.arena().alloc(method), wrappers })
}

type AbiEntry<'m, 's> = (&'s ContractMethod<'s>, &'m AbiMethod);
type BareEntry<'m, 's> = (&'s ContractMethod<'s>, &'m BareMethod);
type Wrapped<'m, 's> = (&'m AbiMethod, &'s Subroutine<'s>);

fn route_bare_methods<'s>(
    make: Make<'_, '_, 's>,
    methods: &[BareEntry<'_, 's>],
    ending: Ending,
) -> &'s Block<'s> {
    let block = |method: &'s ContractMethod<'s>, facts: &BareMethod, check: Option<Stmt<'s>>| {
        let make = make.at(facts.config_loc);
        let mut body: Vec<Stmt<'s>> = check.into_iter().collect();
        body.push(make.statement(make.call(method, Vec::new())));
        body.push(make.on_match(ending));
        make.block(Some(make.ctx.ir.text(method.function.short_name)), &body)
    };
    if let [(method, facts)] = methods {
        let make = make.at(facts.config_loc);
        let check = make.check_call(&facts.allowed_completion_types, facts.create);
        return block(method, facts, check);
    }
    let mut handlers: [Option<&'s Block<'s>>; OnCompletion::ALL.len()] = Default::default();
    for (method, facts) in methods {
        let create = make.at(facts.config_loc).create_condition(facts.create);
        let check = create.map(|condition| make.at(facts.config_loc).assert(condition));
        let handler = block(method, facts, check);
        for action in &facts.allowed_completion_types {
            match &mut handlers[*action as usize] {
                Some(other) if !std::ptr::eq(*other, handler) => make.ctx.ir.sink().error(
                    format!(
                        "cannot have multiple bare methods handling the same OnCompletionAction: {}",
                        action.avm_name()
                    ),
                    facts.config_loc,
                ),
                Some(_) => {}
                none => *none = Some(handler),
            }
        }
    }
    let cases: Vec<(ExprRef<'s>, &'s Block<'s>)> = OnCompletion::ALL
        .into_iter()
        .filter_map(|action| Some((make.action(action), handlers[action as usize]?)))
        .collect();
    let switch = make.switch(make.txn("OnCompletion"), &cases);
    make.block(Some("bare_routing"), &[switch])
}

fn route_abi_methods<'s>(
    make: Make<'_, '_, 's>,
    methods: &[AbiEntry<'_, 's>],
    ending: Ending,
) -> Outcome<(&'s [Stmt<'s>], Vec<&'s Subroutine<'s>>)> {
    let mut signatures = crate::base::ordered::LookupSet::new();
    let duplicates: Vec<Failure> = methods
        .iter()
        .filter(|(_, facts)| !signatures.insert(facts.signature()))
        .map(|(_, facts)| {
            let signature = facts.signature();
            let message = format!("Cannot have duplicate ARC-4 method signatures: {signature}");
            Failure::code(message, facts.config_loc)
        })
        .collect();
    if !duplicates.is_empty() {
        return Err(Failure::Group(duplicates));
    }
    let mut wrappers = Vec::new();
    let mut no_op_only: Vec<Wrapped<'_, 's>> = Vec::new();
    let mut others: Vec<Wrapped<'_, 's>> = Vec::new();
    for (method, facts) in methods {
        let wrapper = wrapper(make.at(facts.config_loc), method, facts, ending)?;
        wrappers.push(wrapper);
        match facts.allowed_completion_types.as_slice() {
            [OnCompletion::NoOp] => no_op_only.push((facts, wrapper)),
            _ => others.push((facts, wrapper)),
        }
    }
    if no_op_only.len() == 1 {
        others.append(&mut no_op_only);
    }
    let mut body: Vec<Stmt<'s>> = abi_switch(make, &others, Check::Call, ending);
    if !no_op_only.is_empty() {
        let of = |create: CreateOption| -> Vec<Wrapped<'_, 's>> {
            no_op_only.iter().filter(|(facts, _)| facts.create == create).copied().collect()
        };
        let switch = |create| abi_switch(make, &of(create), Check::Nothing, ending);
        let is_no_op = make.compare(
            make.txn("OnCompletion"),
            NumericComparison::Eq,
            make.action(OnCompletion::NoOp),
        );
        body.push(make.assert(is_no_op));
        body.append(&mut switch(CreateOption::Allow));
        let exists = make.compare(make.txn("ApplicationID"), NumericComparison::Ne, make.uint64(0));
        body.push(Stmt::IfElse(IfElse {
            loc: make.loc,
            condition: exists,
            if_branch: make.block(Some("call_NoOp"), &switch(CreateOption::Disallow)),
            else_branch: Some(make.block(Some("create_NoOp"), &switch(CreateOption::Require))),
        }));
    }
    Ok((make.arena().slice(&body), wrappers))
}

/// What a case checks before it calls its wrapper.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Call,
    Nothing,
}

fn abi_switch<'s>(
    make: Make<'_, '_, 's>,
    methods: &[Wrapped<'_, 's>],
    check: Check,
    ending: Ending,
) -> Vec<Stmt<'s>> {
    if methods.is_empty() {
        return Vec::new();
    }
    let case = |(facts, wrapper): &Wrapped<'_, 's>| {
        let here = make.at(facts.config_loc);
        let value = make.arena().str(&facts.signature());
        let key = make.expr(MethodConstant {
            loc: make.loc,
            wtype: WTypeId::BYTES,
            value: MethodRef::Text(MethodSignatureString { loc: make.loc, value }),
        });
        let mut body = Vec::new();
        if check == Check::Call {
            body.extend(here.check_call(&facts.allowed_completion_types, facts.create));
        }
        let target = SubroutineTarget::SubroutineId { target: wrapper.function.full_name };
        body.push(here.statement(here.invoke(target, WTypeId::VOID, Vec::new())));
        if ending == Ending::Return {
            body.push(here.on_match(ending));
        }
        (key, here.block(Some(&format!("{}_route", facts.name)), &body))
    };
    let cases: Vec<(ExprRef<'s>, &'s Block<'s>)> = methods.iter().map(case).collect();
    vec![make.switch(make.app_arg_bytes(0), &cases)]
}

/// The subroutine that decodes the arguments of an ABI method, calls it and logs its result.
fn wrapper<'s>(
    make: Make<'_, '_, 's>,
    method: &'s ContractMethod<'s>,
    facts: &AbiMethod,
    ending: Ending,
) -> Outcome<&'s Subroutine<'s>> {
    let wtypes = make.ctx.wtypes;
    let args = arguments(make, method, facts)?;
    let result = make.call(method, args);
    let return_type = method.function.return_type;
    let mut body = vec![if return_type == WTypeId::VOID {
        make.statement(result)
    } else if wtypes.kind(return_type).is_arc4() {
        make.log_result(result)
    } else {
        let wtype = arc4::arc4_equivalent_or_fail(wtypes, return_type, make.loc)?;
        make.log_result(make.expr(Arc4Encode {
            loc: result.loc(),
            wtype,
            value: result,
            error_message: None,
        }))
    }];
    if ending == Ending::Exit {
        body.push(make.exit(true));
    }
    let ir = make.ctx.ir;
    let member = ir.text(method.function.short_name);
    let full_name = format!("{}.{member}[routing]", ir.text(method.cref));
    let body = make.block(None, &body);
    Ok(make.arena().alloc(Subroutine {
        function: Function {
            loc: make.loc,
            args: &[],
            return_type: WTypeId::VOID,
            body,
            documentation: MethodDocumentation::default(),
            inline: None,
            pure: false,
            short_name: method.function.short_name,
            full_name: ir.sym(&full_name),
            mentions: Mentions::of(make.ctx.wtypes, body),
        },
    }))
}

/// The values of a method's parameters, taken from the call's group and application arguments.
fn arguments<'s>(
    make: Make<'_, '_, 's>,
    method: &'s ContractMethod<'s>,
    facts: &AbiMethod,
) -> Outcome<Vec<ExprRef<'s>>> {
    let wtypes = make.ctx.wtypes;
    let validate = facts.validate_encoding.unwrap_or(make.ctx.ir.options.validate_abi_args);
    let by_index = facts.resource_encoding == ResourceEncoding::Index;
    let resource = |wtype: WTypeId| resource_array(wtype).filter(|_| by_index);
    let is_transaction =
        |wtype: WTypeId| matches!(wtypes.kind(wtype), WTypeKind::GroupTransaction { .. });
    let parameters: Vec<WTypeId> = method.function.args.iter().map(|arg| arg.wtype).collect();
    let mut incoming = Vec::new();
    for wtype in parameters.iter().copied().filter(|wtype| !is_transaction(*wtype)) {
        incoming.push(if wtypes.kind(wtype).is_arc4() {
            wtype
        } else if resource(wtype).is_some() {
            WTypeId::ARC4_BYTE
        } else {
            arc4::arc4_equivalent_or_fail(wtypes, wtype, make.loc)?
        });
    }
    let single = if incoming.len() > APP_ARGS_MAX { APP_ARGS_MAX - 1 } else { incoming.len() };
    let (single, packed) = incoming.split_at(single);
    let mut passed: Vec<ExprRef<'s>> = single
        .iter()
        .enumerate()
        .map(|(index, wtype)| make.app_arg(index + 1, *wtype, validate))
        .collect();
    if !packed.is_empty() {
        let tuple = wtypes.arc4_tuple(packed, make.loc)?;
        for (index, wtype) in packed.iter().enumerate() {
            // A conversion of its own for each item: the reference checks and reads anew each time.
            let base = make.app_arg(APP_ARGS_MAX, tuple, validate);
            let index = i64::try_from(index).expect("a tuple has few items");
            passed.push(make.expr(TupleItemExpression {
                loc: make.loc,
                wtype: *wtype,
                base,
                index,
            }));
        }
    }
    let mut passed = passed.into_iter();
    let mut transactions_left = parameters.iter().filter(|wtype| is_transaction(**wtype)).count();
    let mut values = Vec::new();
    for wtype in parameters {
        if is_transaction(wtype) {
            values.push(make.group_transaction(wtype, transactions_left));
            transactions_left -= 1;
            continue;
        }
        let value = passed.next().expect("one value per parameter that is no transaction");
        values.push(if let Some(array) = resource(wtype) {
            let index = make.intrinsic("btoi", &[], &[value], WTypeId::UINT64);
            make.intrinsic("txnas", &[Immediate::Text(array)], &[index], wtype)
        } else if wtypes.equal(value.wtype(), wtype) {
            value
        } else {
            make.expr(Arc4Decode { loc: value.loc(), wtype, value, error_message: None })
        });
    }
    Ok(values)
}

/// The foreign array that an index into is passed for a resource.
fn resource_array(wtype: WTypeId) -> Option<&'static str> {
    let arrays = [
        (WTypeId::ASSET, "Assets"),
        (WTypeId::ACCOUNT, "Accounts"),
        (WTypeId::APPLICATION, "Applications"),
    ];
    arrays.iter().find(|(resource, _)| *resource == wtype).map(|(_, array)| *array)
}

/// Makes AWST nodes, all at one location.
#[derive(Clone, Copy)]
pub(super) struct Make<'b, 'a, 's> {
    /// Types, names and memory.
    pub ctx: &'b BuildCtx<'a, 's>,
    /// Where the nodes stand.
    pub loc: Loc,
}

impl<'s> Make<'_, '_, 's> {
    fn at(self, loc: Loc) -> Self {
        Self { loc, ..self }
    }
    fn arena(self) -> &'s Arena {
        self.ctx.ir.session.arena
    }
    pub(super) fn expr(self, node: impl Into<Expr<'s>>) -> ExprRef<'s> {
        self.arena().alloc(node.into())
    }
    pub(super) fn block(self, comment: Option<&str>, body: &[Stmt<'s>]) -> &'s Block<'s> {
        let arena = self.arena();
        let comment = comment.map(|comment| arena.str(comment));
        arena.alloc(Block { loc: self.loc, body: arena.slice(body), label: None, comment })
    }
    fn statement(self, expr: ExprRef<'s>) -> Stmt<'s> {
        Stmt::ExpressionStatement(ExpressionStatement { loc: expr.loc(), expr })
    }
    pub(super) fn intrinsic(
        self,
        op_code: &'static str,
        immediates: &[Immediate<'s>],
        stack_args: &[ExprRef<'s>],
        wtype: WTypeId,
    ) -> ExprRef<'s> {
        let arena = self.arena();
        self.expr(IntrinsicCall {
            loc: self.loc,
            wtype,
            op_code,
            immediates: arena.slice(immediates),
            stack_args: arena.slice(stack_args),
        })
    }
    fn number(self, value: u64) -> Int<'s> {
        Int::new(self.arena(), &value.into())
    }
    fn uint64(self, value: u64) -> ExprRef<'s> {
        let value = self.number(value);
        self.expr(IntegerConstant {
            loc: self.loc,
            wtype: WTypeId::UINT64,
            value,
            teal_alias: None,
        })
    }
    fn bool(self, value: bool) -> ExprRef<'s> {
        self.expr(BoolConstant { loc: self.loc, wtype: WTypeId::BOOL, value })
    }
    fn action(self, action: OnCompletion) -> ExprRef<'s> {
        self.expr(IntegerConstant {
            loc: self.loc,
            wtype: WTypeId::UINT64,
            value: self.number(action as u64),
            teal_alias: Some(action.avm_name()),
        })
    }
    fn txn(self, field: &'static str) -> ExprRef<'s> {
        self.intrinsic("txn", &[Immediate::Text(field)], &[], WTypeId::UINT64)
    }
    fn app_arg_bytes(self, index: usize) -> ExprRef<'s> {
        let immediates =
            [Immediate::Text("ApplicationArgs"), Immediate::Int(self.number(index as u64))];
        self.intrinsic("txna", &immediates, &[], WTypeId::BYTES)
    }
    fn app_arg(self, index: usize, wtype: WTypeId, validate: bool) -> ExprRef<'s> {
        let value = self.app_arg_bytes(index);
        self.expr(Arc4FromBytes { loc: self.loc, wtype, value, validate })
    }
    /// The transaction `before` places before the current one in its group.
    pub(super) fn group_transaction(self, wtype: WTypeId, before: usize) -> ExprRef<'s> {
        let index = self.binary(
            self.txn("GroupIndex"),
            UInt64BinaryOperator::Sub,
            self.uint64(before as u64),
        );
        self.expr(GroupTransactionReference { loc: self.loc, wtype, index })
    }
    fn binary(
        self,
        left: ExprRef<'s>,
        op: UInt64BinaryOperator,
        right: ExprRef<'s>,
    ) -> ExprRef<'s> {
        let wtype = WTypeId::UINT64;
        self.expr(UInt64BinaryOperation { loc: self.loc, wtype, left, op, right })
    }
    fn compare(
        self,
        lhs: ExprRef<'s>,
        operator: NumericComparison,
        rhs: ExprRef<'s>,
    ) -> ExprRef<'s> {
        let wtype = WTypeId::BOOL;
        self.expr(NumericComparisonExpression { loc: self.loc, wtype, lhs, operator, rhs })
    }
    fn call(self, method: &'s ContractMethod<'s>, args: Vec<ExprRef<'s>>) -> ExprRef<'s> {
        let member_name = method.function.short_name;
        let target = SubroutineTarget::ContractMethod { cref: method.cref, member_name };
        self.invoke(target, method.function.return_type, args)
    }
    fn invoke(
        self,
        target: SubroutineTarget,
        wtype: WTypeId,
        args: Vec<ExprRef<'s>>,
    ) -> ExprRef<'s> {
        let args: Vec<CallArg<'s>> =
            args.into_iter().map(|value| CallArg { name: None, value }).collect();
        let args = self.arena().slice(&args);
        self.expr(SubroutineCallExpression { loc: self.loc, wtype, target, args })
    }
    fn switch(self, value: ExprRef<'s>, cases: &[(ExprRef<'s>, &'s Block<'s>)]) -> Stmt<'s> {
        let cases = self.arena().slice(cases);
        Stmt::Switch(Switch { loc: self.loc, value, cases, default_case: None })
    }
    fn assert(self, condition: ExprRef<'s>) -> Stmt<'s> {
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
    fn exit(self, value: bool) -> Stmt<'s> {
        self.statement(self.intrinsic("return", &[], &[self.bool(value)], WTypeId::VOID))
    }
    fn return_bool(self, value: bool) -> Stmt<'s> {
        Stmt::ReturnStatement(ReturnStatement { loc: self.loc, value: Some(self.bool(value)) })
    }
    fn on_match(self, ending: Ending) -> Stmt<'s> {
        match ending {
            Ending::Exit => self.exit(true),
            Ending::Return => self.return_bool(true),
        }
    }
    fn log_result(self, result: ExprRef<'s>) -> Stmt<'s> {
        let arena = self.arena();
        let left = self.expr(BytesConstant {
            loc: self.loc,
            wtype: WTypeId::BYTES,
            value: arena.slice(&RETURN_PREFIX),
            encoding: BytesEncoding::Base16,
        });
        let right =
            self.expr(ReinterpretCast { loc: result.loc(), wtype: WTypeId::BYTES, expr: result });
        let value = self.expr(BytesBinaryOperation {
            loc: self.loc,
            wtype: WTypeId::BYTES,
            left,
            op: BytesBinaryOperator::Add,
            right,
        });
        self.statement(self.intrinsic("log", &[], &[value], WTypeId::VOID))
    }
    fn create_condition(self, create: CreateOption) -> Option<ExprRef<'s>> {
        let operator = match create {
            CreateOption::Allow => return None,
            CreateOption::Disallow => NumericComparison::Ne,
            CreateOption::Require => NumericComparison::Eq,
        };
        Some(self.compare(self.txn("ApplicationID"), operator, self.uint64(0)))
    }
    /// The assertion that a call has one of the actions `allowed` and creates as it must; none when
    /// every call does.
    fn check_call(self, allowed: &[OnCompletion], create: CreateOption) -> Option<Stmt<'s>> {
        // A clear-state call never reaches the approval program.
        let refused: Vec<OnCompletion> = OnCompletion::ALL
            .into_iter()
            .filter(|action| *action != OnCompletion::ClearState && !allowed.contains(action))
            .collect();
        let action = || self.txn("OnCompletion");
        let by_action = match (allowed, refused.as_slice()) {
            (_, []) => None,
            ([only], _) => Some(self.compare(action(), NumericComparison::Eq, self.action(*only))),
            (_, [only]) => Some(self.compare(action(), NumericComparison::Ne, self.action(*only))),
            _ => {
                let bits = allowed.iter().fold(0, |bits, action| bits | 1 << *action as u64);
                let bit = self.binary(self.uint64(1), UInt64BinaryOperator::Lshift, action());
                let both = self.binary(bit, UInt64BinaryOperator::BitAnd, self.uint64(bits));
                Some(self.compare(both, NumericComparison::Ne, self.uint64(0)))
            }
        };
        let condition = match (by_action, self.create_condition(create)) {
            (None, None) => return None,
            (Some(condition), None) | (None, Some(condition)) => condition,
            (Some(first), Some(second)) => {
                self.intrinsic("&&", &[], &[first, second], WTypeId::BOOL)
            }
        };
        Some(self.assert(condition))
    }
}
