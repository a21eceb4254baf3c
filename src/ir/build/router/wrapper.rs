//! What surrounds a method with a signature: a subroutine that reads its arguments, calls it and logs
//! its result.

use crate::awst::arc4;
use crate::awst::decl::{Arc4AbiMethodConfig, ContractMethod, Subroutine};
use crate::awst::expr::{Arc4Encode, BytesBinaryOperation, ExprRef, ReinterpretCast};
use crate::awst::make::{Make, Names};
use crate::awst::operators::{BytesBinaryOperator, BytesEncoding};
use crate::awst::stmt::Stmt;
use crate::awst::wtypes::WTypeId;
use crate::diagnostics::Outcome;

use super::super::BuildCtx;
use super::{Ending, arguments, dispatch};

/// What the result is logged behind.
const RETURN_PREFIX: &[u8] = &[0x15, 0x1f, 0x7c, 0x75];

/// Makes the wrapper of a method. It ends the program where routing does.
pub fn create<'s>(
    ctx: &BuildCtx<'_, 's>,
    method: &'s ContractMethod<'s>,
    config: &Arc4AbiMethodConfig<'s>,
    ending: Ending,
) -> Outcome<&'s Subroutine<'s>> {
    let make = ctx.make(config.loc);
    let validate = config.validate_encoding.unwrap_or(ctx.ir.options.validate_abi_args);
    let parameters: Vec<WTypeId> = method.function.args.iter().map(|arg| arg.wtype).collect();
    let places = arguments::places(ctx.wtypes, &parameters, config.resource_encoding, make.loc)?;
    let value = |(wtype, passed): (&WTypeId, _)| arguments::value(make, *wtype, passed, validate);
    let args: Vec<ExprRef<'s>> = parameters.iter().zip(places).map(value).collect();
    let result = dispatch::call(make, method, &args);
    let mut body = Vec::with_capacity(2);
    body.push(match method.function.return_type {
        wtype if wtype == WTypeId::VOID => make.statement(result),
        wtype if ctx.wtypes.kind(wtype).is_arc4() => log(make, result),
        wtype => {
            let wtype = arc4::arc4_equivalent_or_fail(ctx.wtypes, wtype, make.loc)?;
            let encode = Arc4Encode { loc: make.loc, wtype, value: result, error_message: None };
            log(make, make.expr(encode))
        }
    });
    if ending == Ending::Exit {
        body.push(ending.accept(make));
    }
    let short = method.function.short_name;
    let full = format!("{}.{}[routing]", ctx.ir.text(method.cref), ctx.ir.text(short));
    let names = Names { short, full: ctx.ir.sym(&full) };
    let function = make.function(ctx.wtypes, names, WTypeId::VOID, &body);
    Ok(make.arena.alloc(Subroutine { function }))
}

fn log<'s>(make: Make<'s>, result: ExprRef<'s>) -> Stmt<'s> {
    let (loc, wtype) = (make.loc, WTypeId::BYTES);
    let value = make.expr(BytesBinaryOperation {
        loc,
        wtype,
        left: make.bytes(RETURN_PREFIX, BytesEncoding::Base16),
        op: BytesBinaryOperator::Add,
        right: make.expr(ReinterpretCast { loc, wtype, expr: result }),
    });
    make.statement(make.intrinsic("log", &[], &[value], WTypeId::VOID))
}
