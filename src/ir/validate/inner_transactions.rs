//! Results of inner transactions whose place in the group could not be told at compile time.

use crate::ir::Ctx;
use crate::ir::model::{Node, Program};
use crate::ir::op::{Constant, OpKind, SourceKind, Value};

use super::{for_each_node, visit_values};

/// Reports fields of submitted inner transactions that are still symbolic, and what may be why.
pub(super) fn check(program: &Program, ctx: Ctx<'_, '_>) {
    for_each_node(program, |sub, node| {
        if let Node::Op(op) = node
            && let OpKind::Assign { source, .. } = &sub.ops[op].kind
            && let SourceKind::InnerTransactionField { .. } = &source.kind
        {
            let message = "Inner transaction field access with non constant group index, to \
                           resolve move field access to same code path where the inner \
                           transaction is submitted";
            ctx.sink().error(message, source.loc);
            return;
        }
        visit_values(sub, ctx, node, &mut |value| {
            if let Value::Constant(Constant::Itxn { .. }, loc) = value {
                let message = "Potential cause of field access with non-constant group index";
                ctx.sink().info(message, *loc);
            }
        });
    });
}
