//! Values a client passes for arguments that are not given. Spec 21 §16, last part.

use std::rc::Rc;

use crate::awst::arc4::{self, Role};
use crate::awst::decl::{
    AbiMethodArgDefault, Arc4AbiMethodConfig, Arc4MethodConfig, Contract, ContractMethod, Function,
    Subroutine as AwstSubroutine, SubroutineArgument,
};
use crate::awst::expr::{Arc4Encode, ExprRef};
use crate::awst::make::Names;
use crate::awst::wtypes::WTypeId;
use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{Artifact, Program, ProgramKind, SlotStrategy, Subroutine};
use crate::ir::op::{Constant, TerminatorKind, Value};
use crate::ir::optimise::{CompiledPrograms, TemplateConstant};
use crate::ir::transform::{Unobserved, transform};
use crate::metadata::{
    CreateOption, DefaultArg, LogicSigMetadata, OnCompletion, ResourceEncoding, StateTotals,
};
use crate::options::CompileOptions;

use super::metadata::key_type;
use super::{BuildCtx, FunctionRef, Implicits, build_body, make_subroutine};

/// Least level a default that is no plain constant is folded at.
const FOLDING_LEVEL: i64 = 2;

/// The defaults of a method's parameters, in their order. Mistakes are reported and give no default.
pub fn convert<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    method: &'s ContractMethod<'s>,
    config: &'s Arc4AbiMethodConfig<'s>,
) -> Outcome<Vec<Option<DefaultArg>>> {
    let default_of = |parameter: &SubroutineArgument| {
        let name = ctx.ir.text(parameter.name);
        let default = config.default_args.iter().find(|(of, _)| *of == name);
        match default.map(|(_, default)| *default) {
            None => Ok(None),
            Some(AbiMethodArgDefault::Member { name }) => {
                match member(ctx, contract, parameter, name)? {
                    Ok(default) => Ok(Some(default)),
                    Err(message) => {
                        ctx.ir.sink().error(message, parameter.loc);
                        Ok(None)
                    }
                }
            }
            Some(AbiMethodArgDefault::Constant { value }) => {
                constant(ctx, method, parameter, value)
            }
        }
    };
    method.function.args.iter().map(default_of).collect()
}

/// A default from a member of the contract, or why it cannot be one.
fn member<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    parameter: &SubroutineArgument,
    name: Symbol,
) -> Outcome<Result<DefaultArg, String>> {
    // A later declaration of a name takes the place of an earlier one.
    let state = contract.app_state.iter().rev().find(|state| state.member_name == name);
    if let Some(state) = state {
        let key = state.key_constant();
        return Ok(match state.key_wtype {
            Some(_) => Err("state member is a map".to_owned()),
            None => Ok(DefaultArg::State {
                kind: state.kind,
                key: key.value.to_vec(),
                key_type: key_type(key.encoding).to_owned(),
            }),
        });
    }
    let text = repr(ctx.ir.text(name));
    let refuse = |why: &str| Ok(Err(format!("{text} {why}")));
    let Some(source) = contract.resolve_method(name) else {
        return refuse("is not a known state or method attribute");
    };
    let Some(Arc4MethodConfig::Abi(config)) = source.arc4_method_config else {
        return Ok(Err("only ARC-4 ABI methods can be used as default values".to_owned()));
    };
    if !config.allowed_completion_types.contains(&OnCompletion::NoOp) {
        return refuse("does not allow no_op on completion calls");
    }
    if config.create == CreateOption::Require {
        return refuse("can only be used for create calls");
    }
    if !config.readonly {
        return refuse("is not readonly");
    }
    if !source.function.args.is_empty() {
        return refuse("does not take zero arguments");
    }
    let return_type = source.function.return_type;
    if return_type == WTypeId::VOID {
        return refuse("does not provide a value");
    }
    let by_value = Role::Argument(ResourceEncoding::Value);
    let wanted = arc4::method_type_name(ctx.wtypes, parameter.wtype, by_value, parameter.loc)?;
    let given = arc4::method_type_name(ctx.wtypes, return_type, Role::Return, source.function.loc)?;
    if given != wanted {
        return refuse(&format!("does not provide {} type", repr(&wanted)));
    }
    Ok(Ok(DefaultArg::Method {
        name: config.name.to_owned(),
        return_type: given,
        readonly: config.readonly,
    }))
}

/// A default given by an expression: a function that returns it is built and, unless its body is a
/// constant already, compiled down to one.
fn constant<'s>(
    ctx: &BuildCtx<'_, 's>,
    method: &'s ContractMethod<'s>,
    parameter: &SubroutineArgument,
    value: ExprRef<'s>,
) -> Outcome<Option<DefaultArg>> {
    let loc = value.loc();
    let sink = ctx.ir.sink();
    sink.debug("Building IR for ARC-4 method argument default constant", loc);
    if !ctx.wtypes.equal(parameter.wtype, value.wtype()) {
        sink.error("mismatch between parameter type and default value type", loc);
        return Ok(None);
    }
    let make = ctx.make(loc);
    let (value, wtype) = if ctx.wtypes.kind(value.wtype()).is_arc4() {
        (value, value.wtype())
    } else {
        let Some(wtype) = arc4::arc4_equivalent(ctx.wtypes, value.wtype())? else {
            sink.error("unsupported type for argument default", loc);
            return Ok(None);
        };
        (make.expr(Arc4Encode { loc, wtype, value, error_message: None }), wtype)
    };
    let arc4_type = arc4::arc4_name(ctx.wtypes, wtype)?;
    let short = format!("#default:{}", ctx.ir.text(parameter.name));
    let full = format!("{}{short}", ctx.ir.text(method.function.full_name));
    let names = Names { short: ctx.ir.sym(&short), full: ctx.ir.sym(&full) };
    let function = make.function(ctx.wtypes, names, value.wtype(), &[make.return_value(value)]);
    let function = Function { inline: Some(false), ..function };
    let function = FunctionRef::Subroutine(make.arena.alloc(AwstSubroutine { function }));
    let declaration = make_subroutine(ctx, function, Implicits::None)?;
    let Some(mut sub) = build_body(ctx, function, declaration.clone())? else {
        return unknown(ctx, loc);
    };
    if returned_bytes(ctx.ir, &sub).is_none() {
        sub = fold(ctx.ir, sub, loc)?;
    }
    match returned_bytes(ctx.ir, &sub) {
        Some(data) => Ok(Some(DefaultArg::Constant { data, arc4_type })),
        None => unknown(ctx, loc),
    }
}

fn unknown(ctx: &BuildCtx<'_, '_>, loc: Loc) -> Outcome<Option<DefaultArg>> {
    ctx.ir.sink().error("could not determine constant value", loc);
    Ok(None)
}

/// The bytes a body returns that does nothing else.
fn returned_bytes(ctx: Ctx<'_, '_>, sub: &Subroutine) -> Option<Vec<u8>> {
    let [block] = sub.body.as_slice() else { return None };
    let block = &sub.blocks[*block];
    if !block.phis.is_empty() || !block.ops.is_empty() {
        return None;
    }
    match &block.terminator().kind {
        TerminatorKind::Return(values) => match values.as_slice() {
            [Value::Constant(Constant::Bytes { data, .. }, _)] => {
                Some(ctx.pool.bytes(*data).to_vec())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Compiles a subroutine as the program of a logic signature, up to where it leaves SSA.
fn fold(ctx: Ctx<'_, '_>, sub: Subroutine, loc: Loc) -> Outcome<Subroutine> {
    let level = ctx.options.optimization_level.max(FOLDING_LEVEL);
    let message =
        format!("Running optimizer at level {level} to encode compile time constant to bytes");
    ctx.sink().debug(message, loc);
    let options = CompileOptions {
        optimization_level: level,
        target_avm_version: ctx.options.target_avm_version,
        expand_all_bytes: true,
        ..CompileOptions::default()
    };
    let header = sub.header(ctx.pool);
    let metadata = LogicSigMetadata {
        id: ctx.text(header.id).to_owned(),
        name: ctx.text(header.short_name).to_owned(),
        desc: None,
    };
    let program = Program {
        kind: ProgramKind::LogicSignature,
        main: sub,
        subroutines: Vec::new(),
        avm_version: options.target_avm_version,
        reserved_slots: Default::default(),
        slot_strategy: SlotStrategy::None,
        autosalt: None,
        loc: Loc::NONE,
    };
    let mut artifact = Artifact::LogicSignature { program, metadata, loc };
    let ctx = Ctx { options: &options, ..ctx };
    transform(&mut artifact, ctx, &NoPrograms { loc }, &mut Unobserved)?;
    match artifact {
        Artifact::LogicSignature { program, .. } => Ok(program.main),
        Artifact::Contract { .. } => unreachable!("the artifact was made a logic signature"),
    }
}

/// Stands in for the other compilation targets, which are not built yet.
struct NoPrograms {
    loc: Loc,
}

impl NoPrograms {
    fn refuse<T>(&self) -> Outcome<T> {
        let message = "compilation references are not supported as method default constants";
        Err(Failure::code(message, self.loc))
    }
}

impl CompiledPrograms for NoPrograms {
    fn bytecode(
        &self,
        _artifact: Symbol,
        _kind: ProgramKind,
        _template_values: &[TemplateConstant],
    ) -> Outcome<Rc<[u8]>> {
        self.refuse()
    }
    fn state_totals(&self, _artifact: Symbol) -> Outcome<StateTotals> {
        self.refuse()
    }
}
