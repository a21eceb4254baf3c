//! Logged errors are not used in logic signatures and follow ARC-65. Spec 11 §3.10.

use super::Context;
use crate::awst::decl::RootNode;
use crate::awst::expr::{AssertExpression, Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Descend, Visitor, walk_root};
use crate::base::text::char_len;
use crate::diagnostics::{Failure, Outcome, Sink};

/// From this many characters on a message is called long.
const LONG_MESSAGE: usize = 64;

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        let in_logic_signature = matches!(root, RootNode::LogicSignature(_));
        let mut errors = LoggedErrors { sink: context.sink(), in_logic_signature, failure: None };
        walk_root(&mut errors, root);
        errors.failure.map_or(Ok(()), Err)?;
    }
    Ok(())
}

struct LoggedErrors<'r> {
    sink: &'r Sink,
    in_logic_signature: bool,
    failure: Option<Failure>,
}

impl LoggedErrors<'_> {
    fn check(&self, assert: &AssertExpression<'_>) -> Outcome<()> {
        let loc = assert.loc;
        if self.in_logic_signature {
            self.sink.error("logged errors are not supported in logic signatures", loc);
        }
        let Some(text) = assert.error_message.filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (prefix, code) = match parts[..] {
            [_] => {
                return Err(Failure::internal("a prefix only error message is invalid", loc));
            }
            [prefix, code] | [prefix, code, _] => (prefix, code),
            _ => return Err(Failure::internal("invalid logged error message", loc)),
        };
        if !code.chars().all(char::is_alphanumeric) {
            self.sink.warning("error code should be alphanumeric", loc);
        } else if !code.is_empty() && !is_camel_case(code) {
            self.sink.warning("error code should be in camelCase", loc);
        }
        if prefix == "AER" {
            self.sink
                .warning("AER prefixed error messages are reserved for specific ARC errors", loc);
        }
        let length = char_len(text);
        if length >= LONG_MESSAGE {
            let message =
                format!("error message is {length} bytes long, consider making it shorter");
            self.sink.warning(message, loc);
        } else if matches!(length, 8 | 32) {
            let message = format!(
                "your final error message is {length} bytes long. Error messages exactly 8 or 32 \
                 bytes long are discouraged"
            );
            self.sink.warning(message, loc);
        }
        Ok(())
    }
}

impl<'s> Visitor<'s> for LoggedErrors<'_> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::LOGGED_ERRORS);
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        if self.failure.is_some() {
            return Descend::Skip;
        }
        if let Expr::AssertExpression(assert) = expr
            && assert.log_error
            && let Err(failure) = self.check(assert)
        {
            self.failure = Some(failure);
            return Descend::Skip;
        }
        Descend::Into
    }
}

/// Whether a code of letters and digits is lower case, with each later word's first letter upper case
/// or a digit and followed by lower case: `^[a-z0-9]+(?:[A-Z0-9][a-z0-9]+)*$`.
fn is_camel_case(code: &str) -> bool {
    let bytes = code.as_bytes();
    let is_small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let starts_small = bytes.first().is_some_and(is_small);
    // a digit may begin a word or continue one, so only capitals decide
    let capital_is_followed = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_uppercase())
        .all(|(at, _)| bytes.get(at + 1).is_some_and(is_small));
    let known = bytes.iter().all(|byte| is_small(byte) || byte.is_ascii_uppercase());
    starts_small && capital_is_followed && known
}

#[cfg(test)]
mod tests {
    use super::is_camel_case;

    #[test]
    fn camel_case_needs_small_letters_after_capitals() {
        for (code, expected) in [
            ("aB", false),
            ("aBc", true),
            ("Abc", false),
            ("a1", true),
            ("a1B2", true),
            ("ß", false),
        ] {
            assert_eq!(is_camel_case(code), expected, "{code}");
        }
    }
}
