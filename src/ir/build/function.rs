//! Builds one body: [`FunctionBuilder`] holds the blocks, the names of temporaries and what was evaluated
//! before. Spec 21 §9 and §10.
//!
//! An expression evaluates to a [`Source`], or to nothing. "Materialised" means: values, in temporaries
//! where they were not values yet.

use crate::awst::expr::{Expr, ExprRef, SingleEvaluation};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::{Loc, SourceLocation};
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::factory::{Emitter, Factory, LibraryRoutine};
use crate::ir::model::{BlockId, Subroutine};
use crate::ir::op::{
    Constant, OpKind, Register, RegisterRole, Source, SourceKind, TerminatorKind, Value,
};
use crate::ir::pool::SubId;
use crate::ir::targets::Targets;
use crate::ir::types::{EncodingId, IrType, Shape};
use crate::ir::verify;

use super::blocks::{self, Blocks};
use super::functions::FunctionRef;
use super::itxn::InnerTransactions;
use super::{BuildCtx, types};

/// What an expression evaluates to; nothing for `void`.
pub type Evaluated = Outcome<Option<Source>>;

/// What is kept of the first evaluation of a node.
#[derive(Clone)]
enum Memo {
    Nothing,
    /// A value or a group of values.
    Values(Source),
    /// Something that must not be evaluated again.
    NotMaterialised,
}

/// Builds one body.
pub struct FunctionBuilder<'a, 's> {
    /// What all bodies of the compilation root share.
    pub build: &'a BuildCtx<'a, 's>,
    /// The function whose body this is.
    pub function: FunctionRef<'s>,
    /// The blocks so far.
    pub blocks: Blocks<'a, 's>,
    /// What is known of inner transactions held in variables.
    pub itxn: InnerTransactions<'s>,
    known: Known<'s>,
    /// Whether the final values of some parameters go back to the caller.
    has_implicit_parameters: bool,
    /// A mistake found where none could be returned.
    deferred: Option<Failure>,
}

/// What is known of the names and nodes of one body.
#[derive(Default)]
struct Known<'s> {
    temp_counters: LookupMap<Symbol, u32>,
    /// By address of the node: the same node may be reached twice, and must take effect once.
    evaluated: LookupMap<*const Expr<'s>, Memo>,
    single_evaluations: LookupMap<&'s str, Vec<(&'s SingleEvaluation<'s>, Option<Source>)>>,
}

/// Tables that each body fills anew, in the memory of the body before.
#[derive(Default)]
pub(super) struct Tables<'s> {
    known: Known<'s>,
    blocks: blocks::Tables,
}

/// Builds a body into the declaration of its subroutine.
pub(super) fn build<'a, 's>(
    build: &'a BuildCtx<'a, 's>,
    function: FunctionRef<'s>,
    declaration: Subroutine,
) -> Outcome<Subroutine> {
    let Tables { mut known, blocks } = build.tables.take();
    known.temp_counters.clear();
    known.evaluated.clear();
    known.single_evaluations.clear();
    let mut builder = FunctionBuilder {
        build,
        function,
        blocks: Blocks::new(build.ir, declaration, blocks)?,
        itxn: InnerTransactions::default(),
        known,
        has_implicit_parameters: false,
        deferred: None,
    };
    builder.build_body()?;
    let (mut sub, reads, blocks) = builder.blocks.finalise()?;
    build.tables.replace(Tables { known: builder.known, blocks });
    verify::verify_new(&mut sub, build.ir, reads)?;
    Ok(sub)
}

impl<'a, 's> FunctionBuilder<'a, 's> {
    fn build_body(&mut self) -> Outcome<()> {
        let implicit: Vec<Register> = self.implicit_parameters().collect();
        self.has_implicit_parameters = !implicit.is_empty();
        for parameter in &implicit {
            let is_original = self.is_original_name(parameter.name);
            let source = Source::value(Value::bool(true, Loc::NONE));
            self.assign_variable(is_original, source, Loc::NONE)?;
            let out = self.out_name(parameter.name);
            self.assign_variable(out, Source::value((*parameter).into()), Loc::NONE)?;
        }
        let function = self.function.function();
        self.visit_block(function.body)?;
        self.check_deferred()?;
        if self.blocks.is_terminated() {
            return Ok(());
        }
        if function.return_type != WTypeId::VOID {
            return Err(Failure::code("not all paths return a value", function.body.loc));
        }
        let mut results = Vec::new();
        for parameter in &implicit {
            let out = self.out_name(parameter.name);
            results.push(self.blocks.read(out, parameter.ty)?.into());
        }
        self.blocks.terminate(TerminatorKind::Return(results), Loc::NONE)
    }

    /// Names, locations, messages, options.
    pub fn ir(&self) -> Ctx<'a, 's> {
        self.build.ir
    }
    /// The symbol of a string.
    pub fn sym(&self, text: &str) -> Symbol {
        self.build.ir.sym(text)
    }
    /// Reports a mistake after which the body goes on.
    pub fn error(&self, message: impl Into<String>, loc: Loc) {
        self.build.ir.sink().error(message, loc);
    }
    /// What a source-level type is made of.
    pub fn kind(&self, wtype: WTypeId) -> WTypeKind<'s> {
        self.build.wtypes.kind(wtype)
    }
    /// The type of the single value that a value of a type is.
    pub fn ir_type(&self, wtype: WTypeId, loc: Loc) -> Outcome<IrType> {
        match self.build.shape(wtype, loc) {
            Ok(Shape::One(ty)) => Ok(ty),
            // A native tuple has none, and the failure is told in other words.
            _ => types::ir_type(self.build.types(), wtype, loc),
        }
    }
    /// The type of the values that a value of a type is.
    pub fn shape(&self, wtype: WTypeId, loc: Loc) -> Outcome<Shape> {
        self.build.shape(wtype, loc)
    }
    /// How a value of a type is laid out in bytes.
    pub fn encoding(&self, wtype: WTypeId, loc: Loc) -> Outcome<EncodingId> {
        types::encoding(self.build.types(), wtype, loc)
    }
    /// Emits instructions at a location.
    pub fn make(&mut self, loc: Loc) -> Factory<'_, Self> {
        Factory::new(self, loc)
    }

    /// Parameters whose final values go back to the caller.
    pub fn implicit_parameters(&self) -> impl Iterator<Item = Register> + use<'a, 's> {
        let is_implicit =
            |parameter: &Register| parameter.role == RegisterRole::ParameterWithReturn;
        let parameters: Vec<Register> =
            self.blocks.sub.parameters.iter().copied().filter(is_implicit).collect();
        parameters.into_iter()
    }
    /// Whether a variable is a parameter whose final value goes back to the caller.
    pub fn is_implicit_parameter(&self, name: Symbol) -> bool {
        self.blocks.sub.parameters.iter().any(|parameter| {
            parameter.name == name && parameter.role == RegisterRole::ParameterWithReturn
        })
    }
    /// The variable that tells whether a parameter still is the caller's value.
    pub fn is_original_name(&self, parameter: Symbol) -> Symbol {
        self.sym(&format!("{}%is_original", self.ir().text(parameter)))
    }
    fn out_name(&self, parameter: Symbol) -> Symbol {
        self.sym(&format!("{}%out", self.ir().text(parameter)))
    }

    /// The name of the next temporary of a description.
    pub fn next_temp_name(&mut self, description: &str) -> Symbol {
        let description = self.sym(description);
        let counter = self.known.temp_counters.get_or_insert_with(description, || 0);
        let number = *counter;
        *counter += 1;
        self.build.ir.session.symbols.numbered(description, number)
    }
    /// The value of a variable here.
    pub fn read_variable(&mut self, name: Symbol, ty: IrType) -> Outcome<Register> {
        self.blocks.read(name, ty)
    }
    /// The current value of the variable of a register that may have been assigned since.
    pub fn refresh(&mut self, register: Register) -> Outcome<Register> {
        self.blocks.read(register.name, register.ty)
    }
    /// Emits a scope whose first block more predecessors come to until its end.
    pub(super) fn in_open_block(
        &mut self,
        block: BlockId,
        emit: impl FnOnce(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        self.blocks.activate_open(block)?;
        let emitted = emit(self);
        // Also after a mistake: completing the block's phis may have something to tell.
        self.blocks.close(block)?;
        emitted
    }
    /// Appends an operation that defines nothing.
    pub fn add(&mut self, kind: OpKind, loc: Loc) {
        self.blocks.add(kind, loc);
    }
    /// Appends an assignment. An assigned parameter whose final value goes back to the caller takes
    /// its outgoing copy along, as long as it is the caller's value. Spec 21 §9.
    pub fn assign_targets(&mut self, targets: Targets, source: Source, loc: Loc) -> Outcome<()> {
        if targets.is_empty() && source.types(self.ir().pool).is_empty() {
            return Ok(());
        }
        targets.iter().for_each(|target| self.blocks.write(*target));
        verify::check_assignment(self.ir(), &targets, &source, loc)?;
        if !self.has_implicit_parameters {
            self.blocks.add(OpKind::Assign { targets, source }, loc);
            return Ok(());
        }
        let implicit: Vec<Register> =
            targets.iter().copied().filter(|t| self.is_implicit_parameter(t.name)).collect();
        self.blocks.add(OpKind::Assign { targets, source }, loc);
        implicit.into_iter().try_for_each(|target| self.update_out_variable(target))
    }
    fn update_out_variable(&mut self, target: Register) -> Outcome<()> {
        let loc = self.ir().session.locs.intern(SourceLocation {
            file: None,
            line: 1,
            end_line: 1,
            comment_lines: 0,
            column: None,
            end_column: None,
        });
        let [if_body, next] = self.blocks.make_all(["if_body", "after_if_else"], loc);
        let is_original = self.is_original_name(target.name);
        let condition = self.blocks.read(is_original, IrType::Bool)?.into();
        let branch = TerminatorKind::Branch { condition, non_zero: if_body, zero: next };
        self.blocks.terminate(branch, loc)?;
        self.blocks.activate(if_body)?;
        let value = self.blocks.read(target.name, target.ty)?;
        let out = self.out_name(target.name);
        self.assign_variable(out, Source::value(value.into()), loc)?;
        self.blocks.goto(next, Loc::NONE)?;
        self.blocks.try_activate(next)?;
        Ok(())
    }
    /// Assigns a single result to a variable of the result's type.
    pub fn assign_variable(&mut self, name: Symbol, source: Source, loc: Loc) -> Outcome<Register> {
        let [ty] = source.types(self.ir().pool)[..] else {
            return Err(single_value_expected());
        };
        self.assign_typed(name, ty, source, Placed { assignment: loc, register: loc })
    }
    /// Assigns a single result to a variable of a given type.
    pub fn assign_typed(
        &mut self,
        name: Symbol,
        ty: IrType,
        source: Source,
        loc: Placed,
    ) -> Outcome<Register> {
        let target = self.blocks.new_register(name, ty, loc.register.or(loc.assignment));
        self.assign_targets(target.into(), source, loc.assignment)?;
        Ok(target)
    }
    /// Assigns results to variables of given names and types, in one assignment.
    pub fn assign_group(
        &mut self,
        names: &[Symbol],
        types: &[IrType],
        source: Source,
        loc: Placed,
    ) -> Outcome<Targets> {
        let place = loc.register.or(loc.assignment);
        if names.len() != types.len() {
            return Err(Failure::internal(
                "ValueError: names and types differ in number",
                Loc::NONE,
            ));
        }
        let targets: Targets = names
            .iter()
            .zip(types)
            .map(|(name, ty)| self.blocks.new_register(*name, *ty, place))
            .collect();
        self.assign_targets(targets.clone(), source, loc.assignment)?;
        Ok(targets)
    }
    /// Assigns a single result to a new temporary; a plain value too.
    pub fn assign_temp(
        &mut self,
        source: Source,
        description: &str,
        loc: Loc,
    ) -> Outcome<Register> {
        let [ty] = source.types(self.ir().pool)[..] else {
            return Err(single_value_expected());
        };
        let target = self.new_temp(description, ty, loc);
        self.assign_targets(target.into(), source, loc)?;
        Ok(target)
    }
    /// Symbols of the leaves of a variable.
    pub fn leaf_symbols(&self, shape: Shape, variable: Symbol) -> Vec<Symbol> {
        shape.leaf_names(self.ir(), variable)
    }
    /// Several values of a shape as one source; a single value for a single type.
    pub fn group(&self, shape: Shape, values: Vec<Value>, loc: Loc) -> Outcome<Source> {
        match shape {
            Shape::One(_) => match values[..] {
                [value] => Ok(Source::value(value)),
                _ => Err(single_value_expected()),
            },
            Shape::Tuple(ty) => {
                let arity = shape.arity(self.ir().pool);
                if arity != values.len() {
                    let message = format!(
                        "invalid type arity: self.ir_type={}, len(self.values)={}",
                        shape.name(self.ir().pool),
                        values.len()
                    );
                    return Err(Failure::internal(message, loc));
                }
                Ok(Source { kind: SourceKind::ValueTuple { values, ty }, loc })
            }
        }
    }
    /// Undefined values of a shape, after a mistake.
    pub fn undefined(&self, shape: Shape, loc: Loc) -> Source {
        let values: Vec<Value> =
            shape.flatten(self.ir().pool).into_iter().map(|ty| Value::Undefined(ty, loc)).collect();
        match shape {
            Shape::One(_) => Source::value(values[0]),
            Shape::Tuple(ty) => Source { kind: SourceKind::ValueTuple { values, ty }, loc },
        }
    }

    /// Evaluates an expression that has a value, without materialising it.
    pub fn visit_expr(&mut self, expr: ExprRef<'s>) -> Outcome<Source> {
        self.evaluate(expr, None)?.ok_or_else(|| no_value(expr))
    }
    /// Evaluates an expression, without materialising; also one without a value.
    pub fn visit_any(&mut self, expr: ExprRef<'s>) -> Evaluated {
        self.evaluate(expr, None)
    }
    /// Evaluates and materialises an expression.
    pub fn visit_values(&mut self, expr: ExprRef<'s>) -> Outcome<Vec<Value>> {
        self.visit_values_as(expr, &["tmp"])
    }
    /// Evaluates an expression and materialises it under one description for all values, or one each.
    pub fn visit_values_as(
        &mut self,
        expr: ExprRef<'s>,
        descriptions: &[&str],
    ) -> Outcome<Vec<Value>> {
        let source = self.evaluate(expr, Some(descriptions))?.ok_or_else(|| no_value(expr))?;
        self.materialise_values(source, descriptions)
    }
    /// Evaluates and materialises an expression of a single value.
    pub fn visit_value(&mut self, expr: ExprRef<'s>) -> Outcome<Value> {
        self.visit_value_as(expr, "tmp")
    }
    /// Evaluates an expression of a single value and materialises it under a description.
    pub fn visit_value_as(&mut self, expr: ExprRef<'s>, description: &str) -> Outcome<Value> {
        let source = self.evaluate(expr, Some(&[description]))?.ok_or_else(|| no_value(expr))?;
        let source = self.materialise_group(source, &[description])?;
        if let Some(value) = single_value(&source) {
            return Ok(value);
        }
        let message = format!(
            "visit_and_materialise_single should not be used when an expression could be \
             multi-valued, expression was: {}",
            expr.class_name()
        );
        Err(Failure::internal(message, expr.loc()))
    }
    /// Evaluates and materialises an expression: a value or a group of values.
    pub fn visit_group(&mut self, expr: ExprRef<'s>) -> Outcome<Source> {
        self.visit_group_as(expr, "tmp")
    }
    /// Evaluates an expression and materialises it under a description: a value or a group of values.
    pub fn visit_group_as(&mut self, expr: ExprRef<'s>, description: &str) -> Outcome<Source> {
        let source = self.evaluate(expr, Some(&[description]))?.ok_or_else(|| no_value(expr))?;
        if !is_values(&source) {
            // The call of a subroutine without results is evaluated to the call itself.
            return Err(Failure::internal("AssertionError: ", Loc::NONE));
        }
        Ok(source)
    }
    /// A value or a group of values: the source itself, or temporaries that hold its results.
    pub fn materialise_group(&mut self, source: Source, descriptions: &[&str]) -> Outcome<Source> {
        if is_values(&source) {
            return Ok(source);
        }
        let types = source.types(self.ir().pool);
        let loc = source.loc;
        if types.is_empty() {
            let message = "Attempted to assign from expression that has no result";
            return Err(Failure::internal(message, loc));
        }
        let description = |index| match *descriptions {
            [description] => description,
            _ => descriptions.get(index).copied().unwrap_or("tmp"),
        };
        if let [ty] = types[..] {
            let target = self.new_temp(description(0), ty, loc);
            self.assign_targets(target.into(), source, loc)?;
            return Ok(Source::value(target.into()));
        }
        let of_type = |(index, ty): (usize, &IrType)| self.new_temp(description(index), *ty, loc);
        let targets: Targets = types.iter().enumerate().map(of_type).collect();
        let values = targets.iter().copied().map(Value::Register).collect();
        self.assign_targets(targets, source, loc)?;
        Ok(Source::tuple(self.ir().pool, values, loc))
    }
    /// The values of a source, in temporaries where they are not values yet.
    pub fn materialise_values(
        &mut self,
        source: Source,
        descriptions: &[&str],
    ) -> Outcome<Vec<Value>> {
        self.materialise_group(source, descriptions).map(into_values)
    }
    /// The value of a source of a single result.
    pub fn materialise_value(&mut self, source: Source, description: &str) -> Outcome<Value> {
        let source = self.materialise_group(source, &[description])?;
        single_value(&source).ok_or_else(single_value_expected)
    }

    /// Evaluates a node, or finds what it evaluated to before.
    fn evaluate(&mut self, expr: ExprRef<'s>, materialise: Option<&[&str]>) -> Evaluated {
        // Constants and variables cannot take effect; single evaluations have a memory of their own.
        let is_remembered = !matches!(
            expr,
            Expr::SingleEvaluation(_)
                | Expr::IntegerConstant(_)
                | Expr::DecimalConstant(_)
                | Expr::BoolConstant(_)
                | Expr::BytesConstant(_)
                | Expr::AddressConstant(_)
                | Expr::MethodConstant(_)
                | Expr::VarExpression(_)
        );
        if !is_remembered {
            return self.evaluate_now(expr, materialise);
        }
        let address: *const Expr<'s> = expr;
        match self.known.evaluated.get(&address) {
            Some(Memo::Nothing) => return Ok(None),
            Some(Memo::Values(source)) => return Ok(Some(source.clone())),
            Some(Memo::NotMaterialised) => {
                let message = "double evaluation of expression without materialization";
                return Err(Failure::internal(message, expr.loc()));
            }
            None => {}
        }
        let result = self.evaluate_now(expr, materialise)?;
        let memo = match &result {
            None => Memo::Nothing,
            Some(source) if is_values(source) => Memo::Values(source.clone()),
            Some(_) => Memo::NotMaterialised,
        };
        self.known.evaluated.insert(address, memo);
        Ok(result)
    }
    fn evaluate_now(&mut self, expr: ExprRef<'s>, materialise: Option<&[&str]>) -> Evaluated {
        let source = self.lower_expr(expr)?;
        self.check_deferred()?;
        match (source, materialise) {
            (Some(source), Some(descriptions))
                if is_values(&source) || !source.types(self.ir().pool).is_empty() =>
            {
                self.materialise_group(source, descriptions).map(Some)
            }
            (source, _) => Ok(source),
        }
    }
    pub(super) fn visit_single_evaluation(&mut self, node: &'s SingleEvaluation<'s>) -> Evaluated {
        let same = |(seen, _): &&(&SingleEvaluation<'s>, Option<Source>)| {
            std::ptr::eq(*seen, node) || *seen == node
        };
        let seen = self.known.single_evaluations.get(node.id.text());
        if let Some((_, result)) = seen.and_then(|seen| seen.iter().find(same)) {
            return Ok(result.clone());
        }
        let result = match self.lower_expr(node.source)? {
            Some(source) if !source.types(self.ir().pool).is_empty() => {
                let values = self.materialise_values(source, &["awst_tmp"])?;
                let shape = self.shape(node.wtype, node.loc)?;
                Some(self.group(shape, values, node.loc)?)
            }
            _ => None,
        };
        let seen = self.known.single_evaluations.get_or_insert_with(node.id.text(), Vec::new);
        seen.push((node, result.clone()));
        Ok(result)
    }
    fn check_deferred(&mut self) -> Outcome<()> {
        self.deferred.take().map_or(Ok(()), Err)
    }
}

/// Where an assignment and the register it defines are mentioned; without a place of its own, the
/// register takes that of the assignment.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// Location of the assignment.
    pub assignment: Loc,
    /// Location of the register.
    pub register: Loc,
}

/// The reference's answer where it takes one value apart and finds another number of them.
pub(super) fn single_value_expected() -> Failure {
    Failure::internal("ValueError: expected exactly one value", Loc::NONE)
}

fn no_value(expr: ExprRef<'_>) -> Failure {
    Failure::internal("No value produced by expression IR conversion", expr.loc())
}

/// Whether a source is a value or a group of values.
pub fn is_values(source: &Source) -> bool {
    matches!(source.kind, SourceKind::Value(_) | SourceKind::ValueTuple { .. })
}

/// The only value of a source that is a value or a group of values, if it is one.
fn single_value(source: &Source) -> Option<Value> {
    match &source.kind {
        SourceKind::Value(value) => Some(*value),
        SourceKind::ValueTuple { values, .. } => match values[..] {
            [value] => Some(value),
            _ => None,
        },
        _ => unreachable!("only values are taken apart"),
    }
}

/// The values of a source that is a value or a group of values.
pub fn into_values(source: Source) -> Vec<Value> {
    match source.kind {
        SourceKind::Value(value) => vec![value],
        SourceKind::ValueTuple { values, .. } => values,
        _ => unreachable!("only values are taken apart"),
    }
}

/// The shape of a source that is a value or a group of values.
pub fn shape_of(ctx: Ctx<'_, '_>, source: &Source) -> Shape {
    match source.kind {
        SourceKind::Value(value) => Shape::One(value.ty(ctx.pool)),
        SourceKind::ValueTuple { ty, .. } => Shape::Tuple(ty),
        _ => unreachable!("only values have a shape"),
    }
}

/// A constant of another type than its default.
pub fn uint64_of_type(value: u64, ty: IrType, loc: Loc) -> Value {
    Value::Constant(Constant::UInt64 { value, ty, alias: None }, loc)
}

impl<'a, 's> Emitter<'a, 's> for FunctionBuilder<'a, 's> {
    fn ctx(&self) -> Ctx<'a, 's> {
        self.build.ir
    }
    fn emit(&mut self, kind: OpKind, loc: Loc) {
        self.blocks.add(kind, loc);
    }
    fn assign(&mut self, targets: Targets, source: Source, loc: Loc) {
        if let Err(failure) = self.assign_targets(targets, source, loc) {
            self.deferred.get_or_insert(failure);
        }
    }
    fn new_temp(&mut self, description: &str, ty: IrType, loc: Loc) -> Register {
        let name = self.next_temp_name(description);
        self.blocks.new_register(name, ty, loc)
    }
    fn library(&mut self, routine: LibraryRoutine) -> Outcome<SubId> {
        let Some(entry) = self.build.library_routine(routine.id())? else {
            let message = format!("library routine {} is missing", routine.id());
            return Err(Failure::internal(message, Loc::NONE));
        };
        Ok(entry.sub().id)
    }
}
