//! References to compiled artifacts that stayed because a template value is not known.

use crate::ir::Ctx;
use crate::ir::model::Program;
use crate::ir::op::Value;

use super::{for_each_node, visit_values};

/// Reports the template values that are not constant.
pub(super) fn check(program: &Program, ctx: Ctx<'_, '_>) {
    for_each_node(program, |sub, node| {
        // Values inside a reference are visited right after it; they are judged with it.
        let mut inside = 0usize;
        visit_values(sub, ctx, node, &mut |value| {
            if inside > 0 {
                inside -= 1;
                return;
            }
            let Value::Compiled(id, _) = value else { return };
            value.visit(ctx.pool, &mut |_| inside += 1);
            inside -= 1;
            for (_, value) in ctx.pool.compiled_ref(*id).template_variables {
                let message = match value {
                    Value::Constant(..) => continue,
                    Value::TemplateVar { .. } => "nested template variables are not supported",
                    Value::Register(_) | Value::Undefined(..) | Value::Compiled(..) => {
                        "non-constant template value"
                    }
                };
                ctx.sink().error(message, value.loc());
            }
        });
    });
}
