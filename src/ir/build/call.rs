//! Calls of subroutines and of library routines. Spec 21 §13.5.

use crate::awst::expr::{CallArg, Expr, ExprRef, PuyaLibCall, SubroutineCallExpression};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::Subroutine;
use crate::ir::op::{Invoke, Register, RegisterRole, Source, SourceKind, Value};
use crate::ir::types::Shape;

use super::function::{Evaluated, FunctionBuilder};
use super::types;

/// How a parameter finds its argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum ArgKey {
    Name(Symbol),
    Position(usize),
}

/// An argument, and the variable it was if it was one.
#[derive(Clone, Copy)]
struct Arg {
    value: Value,
    variable: Option<Symbol>,
}

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_subroutine_call(
        &mut self,
        node: &'s SubroutineCallExpression<'s>,
    ) -> Evaluated {
        let function = self.build.resolve_target(node.target, node.loc, self.function)?;
        let build = self.build;
        let Some(entry) = build.function(function)? else {
            let name = self.ir().text(function.function().full_name);
            return Err(Failure::internal(format!("KeyError: {name}"), Loc::NONE));
        };
        self.call(entry.sub(), node.args, node.loc)
    }
    pub(super) fn visit_library_call(&mut self, node: &'s PuyaLibCall<'s>) -> Evaluated {
        let build = self.build;
        let Some(entry) = build.library_routine(node.func.id())? else {
            let message = format!("invalid puya_lib {}", node.func.id());
            return Err(Failure::code(message, node.loc));
        };
        self.call(entry.sub(), node.args, node.loc)
    }
    fn call(&mut self, target: &Subroutine, args: &'s [CallArg<'s>], loc: Loc) -> Evaluated {
        let mut args = self.visit_args(args)?;
        let mut values = Vec::with_capacity(target.parameters.len());
        let mut returned_to: Vec<Option<Symbol>> = Vec::new();
        let mut passed: OrderedMap<Symbol, Vec<&Register>> = OrderedMap::default();
        for (position, parameter) in target.parameters.iter().enumerate() {
            let arg = args
                .shift_remove(&ArgKey::Name(parameter.name))
                .or_else(|| args.shift_remove(&ArgKey::Position(position)));
            let Some(arg) = arg else { return Ok(self.mismatch(target, loc)) };
            values.push(arg.value);
            if let Some(variable) = arg.variable {
                passed.entry(variable).or_default().push(parameter);
            }
            if is_implicit(parameter) {
                returned_to.push(arg.variable);
            }
        }
        if !args.is_empty() {
            return Ok(self.mismatch(target, loc));
        }
        let is_aliased = |parameters: &Vec<&Register>| {
            parameters.len() > 1 && parameters.iter().any(|parameter| is_implicit(parameter))
        };
        if passed.values().any(is_aliased) {
            let message = "mutable values cannot be passed more than once to a subroutine";
            return Ok(self.refuse_call(message, target, loc));
        }
        let invoke = Invoke { target: target.id, args: values };
        let call = Source { kind: SourceKind::Invoke(invoke), loc };
        if returned_to.is_empty() {
            return Ok(Some(call));
        }
        let short_name = self.ir().text(target.header(self.ir().pool).short_name);
        let mut results = self.materialise_values(call, &[short_name])?;
        let implicit = results.split_off(target.returns.len());
        for (variable, value) in returned_to.into_iter().zip(implicit) {
            if let Some(variable) = variable {
                self.assign_variable(variable, Source::value(value), loc)?;
            }
        }
        Ok((!results.is_empty()).then(|| Source::tuple(self.ir().pool, results, loc)))
    }
    fn mismatch(&self, target: &Subroutine, loc: Loc) -> Option<Source> {
        self.refuse_call("function call arguments do not match signature", target, loc)
    }
    fn refuse_call(&self, message: &str, target: &Subroutine, loc: Loc) -> Option<Source> {
        self.error(message, loc);
        let undefined = |ty| Value::Undefined(ty, loc);
        match target.returns[..] {
            [] => None,
            [ty] => Some(Source::value(undefined(ty))),
            ref types => {
                let values = types.iter().map(|ty| undefined(*ty)).collect();
                Some(Source::tuple(self.ir().pool, values, loc))
            }
        }
    }
    /// Evaluates the arguments in order, a native tuple as its items.
    fn visit_args(&mut self, args: &'s [CallArg<'s>]) -> Outcome<OrderedMap<ArgKey, Arg>> {
        let mut found: Vec<(Option<Symbol>, Value)> = Vec::new();
        let mut variables = Vec::new();
        for arg in args {
            self.source_variables(arg.value, &mut variables)?;
            let shape = self.shape(arg.value.wtype(), arg.value.loc())?;
            match (shape, arg.name) {
                (Shape::One(_), name) => found.push((name, self.visit_value(arg.value)?)),
                (Shape::Tuple(_), None) => {
                    let values = self.visit_values(arg.value)?;
                    found.extend(values.into_iter().map(|value| (None, value)));
                }
                (Shape::Tuple(_), Some(name)) => {
                    let values = self.visit_values(arg.value)?;
                    let names = self.leaf_symbols(shape, name);
                    found.extend(names.into_iter().map(Some).zip(values));
                }
            }
        }
        let positioned = found.into_iter().zip(variables).enumerate();
        Ok(positioned
            .map(|(position, ((name, value), variable))| {
                let key = name.map_or(ArgKey::Position(position), ArgKey::Name);
                (key, Arg { value, variable })
            })
            .collect())
    }
    /// For each single value of an argument the variable it is read from, if it is just that.
    fn source_variables(
        &self,
        expr: ExprRef<'s>,
        variables: &mut Vec<Option<Symbol>>,
    ) -> Outcome<()> {
        if !matches!(self.kind(expr.wtype()), WTypeKind::Tuple { .. }) {
            variables.push(match expr {
                Expr::VarExpression(variable) => Some(variable.name),
                _ => None,
            });
            return Ok(());
        }
        match expr {
            Expr::TupleExpression(tuple) => {
                tuple.items.iter().try_for_each(|item| self.source_variables(item, variables))
            }
            Expr::VarExpression(variable) => {
                let name = self.ir().text(variable.name);
                let mut add = |name: &str, _: WTypeId| {
                    variables.push(Some(self.sym(name)));
                    Ok(())
                };
                types::for_each_leaf(self.build.types(), expr.wtype(), name, &mut add)
            }
            _ => {
                let arity = types::arity(self.build.types(), expr.wtype());
                variables.extend(std::iter::repeat_n(None, arity));
                Ok(())
            }
        }
    }
}

fn is_implicit(parameter: &Register) -> bool {
    parameter.role == RegisterRole::ParameterWithReturn
}
