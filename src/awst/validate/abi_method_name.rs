//! Names of ABI methods are identifiers. Spec 11 §3.8.

use super::Context;
use crate::awst::decl::{Arc4MethodConfig, RootNode};
use crate::awst::expr::{Expr, ExprRef, MethodRef};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Visitor, walk_app_state, walk_function, walk_root};
use crate::base::source::Loc;
use crate::diagnostics::{Outcome, Sink};

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    let mut names = Names { sink: context.sink() };
    for root in roots {
        let RootNode::Contract(contract) = root else {
            walk_root(&mut names, root);
            continue;
        };
        walk_app_state(&mut names, contract);
        for method in contract.all_methods {
            if let Some(Arc4MethodConfig::Abi(config)) = method.arc4_method_config {
                names.check(config.name, method.function.loc);
            }
            walk_function(&mut names, &method.function);
        }
    }
    Ok(())
}

struct Names<'r> {
    sink: &'r Sink,
}

impl Names<'_> {
    fn check(&self, name: &str, loc: Loc) {
        // PARITY: the end anchor of Python's patterns also stands before a last line feed
        let plain = name.strip_suffix('\n').unwrap_or(name);
        let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        let conforms = plain.bytes().next().is_some_and(|first| !first.is_ascii_digit())
            && plain.bytes().all(is_word);
        if !conforms {
            let message = format!("method name '{name}' does not conform to ARC-4 spec");
            self.sink.warning(message, loc);
        }
    }
}

impl<'s> Visitor<'s> for Names<'_> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::SIGNATURES);
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        if let Expr::MethodConstant(constant) = expr
            && let MethodRef::Signature(signature) = constant.value
        {
            self.check(signature.name, signature.loc);
        }
    }
}
