//! Global, local and box state. Spec 21 §13.4.

use crate::awst::expr::{
    AppAccountStateExpression, AppStateExpression, BoxValueExpression, ExprRef,
    MapPrefixedKeyExpression, StateDelete, StateExists, StateGet, StateGetEx,
};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::Value;

use super::function::{Evaluated, FunctionBuilder};

fn missing<T>(loc: Loc) -> Outcome<T> {
    Err(Failure::internal("state is not lowered yet", loc))
}

impl<'s> FunctionBuilder<'_, 's> {
    /// Stores already evaluated values in a state or box expression.
    pub fn assign_storage(
        &mut self,
        target: ExprRef<'s>,
        values: &[Value],
        loc: Loc,
    ) -> Outcome<()> {
        let _ = (target, values);
        missing(loc)
    }
    /// Reads global state.
    pub fn visit_app_state(&mut self, node: &'s AppStateExpression<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Reads local state.
    pub fn visit_app_account_state(
        &mut self,
        node: &'s AppAccountStateExpression<'s>,
    ) -> Evaluated {
        missing(node.loc)
    }
    /// Reads a box.
    pub fn visit_box_value(&mut self, node: &'s BoxValueExpression<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Reads state with a default.
    pub fn visit_state_get(&mut self, node: &'s StateGet<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Reads state and whether it is set.
    pub fn visit_state_get_ex(&mut self, node: &'s StateGetEx<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Whether state is set.
    pub fn visit_state_exists(&mut self, node: &'s StateExists<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// Unsets state.
    pub fn visit_state_delete(&mut self, node: &'s StateDelete<'s>) -> Evaluated {
        missing(node.loc)
    }
    /// The key of a map's entry.
    pub fn visit_map_prefixed_key(&mut self, node: &'s MapPrefixedKeyExpression<'s>) -> Evaluated {
        missing(node.loc)
    }
}
