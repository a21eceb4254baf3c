//! The body of the router: a [`Plan`] in, statements out.

use crate::awst::decl::{ContractMethod, Subroutine};
use crate::awst::expr::{
    ExprRef, Immediate, MethodConstant, MethodRef, MethodSignatureString, SubroutineTarget,
};
use crate::awst::make::Make;
use crate::awst::operators::{NumericComparison, UInt64BinaryOperator};
use crate::awst::stmt::{Block, Stmt};
use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::ir::Ctx;
use crate::metadata::OnCompletion;

use super::Ending;
use super::plan::{Goal, Route, Step, Test};

/// A routable method.
#[derive(Clone, Copy)]
pub struct Target<'s> {
    pub callee: Callee<'s>,
    /// Where it is configured.
    pub loc: Loc,
}

/// What is called for a method.
#[derive(Clone, Copy)]
pub enum Callee<'s> {
    /// A bare method itself.
    Method(&'s ContractMethod<'s>),
    /// The wrapper of one with this name and signature.
    Wrapper(&'s Subroutine<'s>, &'s str, &'s str),
}

/// Writes the parts of a plan.
pub struct Dispatch<'d, 's> {
    pub ctx: Ctx<'d, 's>,
    /// At the contract.
    pub make: Make<'s>,
    pub targets: &'d [Target<'s>],
    pub ending: Ending,
}

impl<'s> Dispatch<'_, 's> {
    /// The statements of steps.
    pub fn steps(&self, steps: &[Step]) -> Vec<Stmt<'s>> {
        steps.iter().map(|step| self.step(step)).collect()
    }
    fn step(&self, step: &Step) -> Stmt<'s> {
        let make = self.make;
        match step {
            Step::Assert(test) => make.assert(condition(make, *test)),
            Step::Branch(test, then, otherwise) => {
                make.if_else(condition(make, *test), self.goal(then), self.goal(otherwise))
            }
            Step::Selector(routes) => {
                let case = |route| (self.selector(route), self.route(route));
                let cases: Vec<_> = routes.iter().map(case).collect();
                make.switch(argument(make, 0), &cases)
            }
            Step::Action(chosen, routes) => {
                // One block for all actions of a method, so that it is built once.
                let blocks: Vec<_> = routes.iter().map(|route| self.route(route)).collect();
                let case = |(action, route): &_| (constant(make, *action), blocks[*route]);
                let cases: Vec<_> = chosen.iter().map(case).collect();
                make.switch(make.txn("OnCompletion"), &cases)
            }
        }
    }
    fn goal(&self, goal: &Goal) -> &'s Block<'s> {
        match goal {
            Goal::Steps(name, steps) => self.make.block(Some(name), &self.steps(steps)),
            Goal::Route(route) => self.route(route),
        }
    }
    fn selector(&self, route: &Route) -> ExprRef<'s> {
        let loc = self.make.loc;
        let Callee::Wrapper(_, _, value) = self.targets[route.method].callee else {
            unreachable!("only methods with a signature are selected by one")
        };
        let value = MethodRef::Text(MethodSignatureString { loc, value });
        self.make.expr(MethodConstant { loc, wtype: WTypeId::BYTES, value })
    }
    fn route(&self, route: &Route) -> &'s Block<'s> {
        let Target { callee, loc } = self.targets[route.method];
        let make = self.make.at(loc);
        let mut body = Vec::with_capacity(3);
        let conditions = route.asserts.iter().map(|test| condition(make, *test));
        let both = |a, b| make.intrinsic("&&", &[], &[a, b], WTypeId::BOOL);
        body.extend(conditions.reduce(both).map(|all| make.assert(all)));
        let name = match callee {
            Callee::Method(method) => {
                body.push(make.statement(call(make, method, &[])));
                self.ctx.text(method.function.short_name)
            }
            Callee::Wrapper(wrapper, name, _) => {
                let target = SubroutineTarget::SubroutineId { target: wrapper.function.full_name };
                body.push(make.statement(make.call(target, WTypeId::VOID, &[])));
                make.arena.str(&format!("{name}_route"))
            }
        };
        let ends_itself = self.ending == Ending::Exit && matches!(callee, Callee::Wrapper(..));
        body.extend((!ends_itself).then(|| self.ending.accept(make)));
        make.block(Some(name), &body)
    }
}

/// A call of a method of the contract.
pub fn call<'s>(make: Make<'s>, method: &ContractMethod<'s>, args: &[ExprRef<'s>]) -> ExprRef<'s> {
    let member_name = method.function.short_name;
    let target = SubroutineTarget::ContractMethod { cref: method.cref, member_name };
    make.call(target, method.function.return_type, args)
}

/// An application argument as it is.
pub fn argument<'s>(make: Make<'s>, number: usize) -> ExprRef<'s> {
    let number = Immediate::Int(make.number(number as u64));
    make.intrinsic("txna", &[Immediate::Text("ApplicationArgs"), number], &[], WTypeId::BYTES)
}

fn constant<'s>(make: Make<'s>, action: OnCompletion) -> ExprRef<'s> {
    make.named_uint64(action as u64, action.avm_name())
}

fn condition<'s>(make: Make<'s>, test: Test) -> ExprRef<'s> {
    use NumericComparison::{Eq, Ne};
    let action = || make.txn("OnCompletion");
    let application = || make.txn("ApplicationID");
    let (value, operator, other) = match test {
        Test::HasArguments => (make.txn("NumAppArgs"), Ne, make.uint64(0)),
        Test::Action(wanted) => (action(), Eq, constant(make, wanted)),
        Test::OtherAction(unwanted) => (action(), Ne, constant(make, unwanted)),
        Test::ActionIn(bits) => {
            let bit = make.binary(make.uint64(1), UInt64BinaryOperator::Lshift, action());
            let common = make.binary(bit, UInt64BinaryOperator::BitAnd, make.uint64(bits));
            (common, Ne, make.uint64(0))
        }
        Test::ApplicationExists => (application(), Ne, make.uint64(0)),
        Test::CreatesApplication => (application(), Eq, make.uint64(0)),
    };
    make.compare(value, operator, other)
}
