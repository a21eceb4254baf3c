//! Assertions: checks that fail with a message for source maps, or after logging an error. Spec 21
//! §11.2.

use crate::avm::ops::AvmOp;
use crate::awst::expr::AssertExpression;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{BytesEncoding, OpKind, SourceKind, TerminatorKind, Value};

use super::function::{Evaluated, FunctionBuilder};

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_assert(&mut self, node: &'s AssertExpression<'s>) -> Evaluated {
        let mut condition = match node.condition {
            Some(condition) => Some(self.visit_value(condition)?),
            None => None,
        };
        match condition.and_then(Value::uint64_constant) {
            Some(0) => condition = None,
            Some(_) => {
                let message = "assertion is always true, ignoring";
                self.ir().sink().warning(message, node.loc);
                return Ok(None);
            }
            None => {}
        }
        if node.log_error {
            let Some(text) = node.error_message.filter(|text| !text.is_empty()) else {
                let message = "a logged error should have some kind of string to log";
                return Err(Failure::internal(message, Loc::NONE));
            };
            self.log_and_fail(condition, text, node.desc, node.loc)?;
            return Ok(None);
        }
        let message = node.desc.or(node.error_message).map(|message| self.sym(message));
        let explicit = node.explicit;
        match condition {
            None => self.terminate(TerminatorKind::Fail { message, explicit }, node.loc)?,
            Some(condition) => {
                self.add(OpKind::Assert { condition, message, explicit }, node.loc);
            }
        }
        Ok(None)
    }
    fn log_and_fail(
        &mut self,
        condition: Option<Value>,
        text: &str,
        description: Option<&str>,
        loc: Loc,
    ) -> Outcome<()> {
        let mut after = None;
        if let Some(condition) = condition {
            let [fail, next] = self.blocks.make_all(["logged_error_handling", "after_assert"], loc);
            let kind = TerminatorKind::Branch { condition, non_zero: next, zero: fail };
            self.terminate(kind, loc)?;
            self.blocks.activate(fail)?;
            after = Some(next);
        }
        let logged = Value::bytes(self.ir().pool, text.as_bytes(), BytesEncoding::Utf8, loc);
        if let SourceKind::Intrinsic(log) = self.instruction(AvmOp::Log, vec![logged], loc)?.kind {
            self.add(OpKind::Intrinsic(log), loc);
        }
        let message = Some(self.sym(description.unwrap_or(text)));
        self.terminate(TerminatorKind::Fail { message, explicit: true }, loc)?;
        if let Some(after) = after {
            self.blocks.try_activate(after)?;
        }
        Ok(())
    }
}
