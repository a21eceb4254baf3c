//! Statements. Spec 21 §12.

use crate::awst::expr::ExprRef;
use crate::awst::stmt::{Block, IfElse, ReturnStatement, Stmt, Switch, WhileLoop};
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::BlockId;
use crate::ir::op::{OpKind, SourceKind, TerminatorKind, Value};

use super::function::FunctionBuilder;
use super::types;

impl<'s> FunctionBuilder<'_, 's> {
    /// Statements of a block. Only a label of its own makes it a block of the body; whatever needs
    /// one anyway has activated it before.
    pub fn visit_block(&mut self, block: &'s Block<'s>) -> Outcome<()> {
        if block.label != self.blocks.active_label() {
            let id = self.blocks.make_for(block, None)?;
            self.blocks.goto(id, Loc::NONE)?;
            self.blocks.activate(id)?;
        }
        block.body.iter().try_for_each(|stmt| self.visit_stmt(stmt))
    }
    fn visit_stmt(&mut self, stmt: &'s Stmt<'s>) -> Outcome<()> {
        match stmt {
            Stmt::Block(block) => self.visit_block(block),
            Stmt::ExpressionStatement(stmt) => self.visit_expression_statement(stmt.expr, stmt.loc),
            Stmt::Goto(stmt) => self.blocks.goto_label(stmt.target, stmt.loc),
            Stmt::IfElse(stmt) => self.visit_if_else(stmt),
            Stmt::Switch(stmt) => self.visit_switch(stmt),
            Stmt::WhileLoop(stmt) => self.visit_while(stmt),
            Stmt::LoopExit(stmt) => self.blocks.loop_break(stmt.loc),
            Stmt::LoopContinue(stmt) => self.blocks.loop_continue(stmt.loc),
            Stmt::ReturnStatement(stmt) => self.visit_return(stmt),
            Stmt::AssignmentStatement(stmt) => self.visit_assignment(stmt),
            Stmt::UInt64AugmentedAssignment(stmt) => self.visit_uint64_augmented(stmt),
            Stmt::BigUIntAugmentedAssignment(stmt) => self.visit_biguint_augmented(stmt),
            Stmt::BytesAugmentedAssignment(stmt) => self.visit_bytes_augmented(stmt),
            Stmt::ForInLoop(stmt) => self.visit_for_in(stmt),
        }
    }
    fn visit_expression_statement(&mut self, expr: ExprRef<'s>, loc: Loc) -> Outcome<()> {
        let Some(source) = self.visit_any(expr)? else {
            let wtype = expr.wtype();
            let kind = self.kind(wtype);
            let has_no_value = wtype == WTypeId::VOID
                || kind.is_inner_transaction_fields()
                || matches!(kind, WTypeKind::InnerTransaction { .. });
            if has_no_value {
                return Ok(());
            }
            let name = self.build.wtypes.name(wtype);
            let message = format!("Expression statement with type {name} generated no result");
            return Err(Failure::internal(message, loc));
        };
        match source.kind {
            SourceKind::Intrinsic(intrinsic) => self.add(OpKind::Intrinsic(intrinsic), source.loc),
            SourceKind::Invoke(invoke) => self.add(OpKind::Invoke(invoke), source.loc),
            _ => {
                self.materialise_group(source, &["tmp"])?;
            }
        }
        Ok(())
    }
    fn visit_if_else(&mut self, stmt: &'s IfElse<'s>) -> Outcome<()> {
        let if_body = self.blocks.make_for(stmt.if_branch, Some("if_body"))?;
        let else_body = match stmt.else_branch {
            Some(branch) => Some((self.blocks.make_for(branch, Some("else_body"))?, branch)),
            None => None,
        };
        let next = self.blocks.make("after_if_else", stmt.loc);
        let if_false = else_body.map_or(next, |(block, _)| block);
        self.branch_on(stmt.condition, if_body, if_false, stmt.loc)?;
        self.visit_branch(if_body, stmt.if_branch, next)?;
        if let Some((block, branch)) = else_body {
            self.visit_branch(block, branch, next)?;
        }
        self.blocks.try_activate(next)?;
        Ok(())
    }
    fn visit_branch(
        &mut self,
        block: BlockId,
        branch: &'s Block<'s>,
        next: BlockId,
    ) -> Outcome<()> {
        self.blocks.activate(block)?;
        self.visit_block(branch)?;
        self.blocks.goto(next, Loc::NONE)
    }
    fn visit_while(&mut self, stmt: &'s WhileLoop<'s>) -> Outcome<()> {
        let [top, next] = self.blocks.make_all(["while_top", "after_while"], stmt.loc);
        let body = self.blocks.make_for(stmt.loop_body, Some("while_body"))?;
        self.blocks.goto(top, Loc::NONE)?;
        self.in_open_block(top, |this| {
            this.branch_on(stmt.condition, body, next, stmt.loc)?;
            this.blocks.activate(body)?;
            this.visit_loop_body(stmt.loop_body, top, next)?;
            this.blocks.goto(top, Loc::NONE)
        })?;
        self.blocks.activate(next)
    }
    /// The body of a loop, in a block that is active already.
    pub(super) fn visit_loop_body(
        &mut self,
        body: &'s Block<'s>,
        on_continue: BlockId,
        on_break: BlockId,
    ) -> Outcome<()> {
        self.blocks.enter_loop(on_continue, on_break);
        self.visit_block(body)?;
        self.blocks.leave_loop();
        Ok(())
    }
    fn visit_switch(&mut self, stmt: &'s Switch<'s>) -> Outcome<()> {
        let value = self.visit_matched(stmt.value)?;
        let mut cases: Vec<(Value, BlockId)> = Vec::new();
        // Equal blocks of the source are one block of the body.
        let mut blocks: Vec<(&'s Block<'s>, BlockId)> = Vec::new();
        let find = |blocks: &[(&'s Block<'s>, BlockId)], block: &'s Block<'s>| {
            let is_it = |(seen, _): &&(&'s Block<'s>, BlockId)| {
                std::ptr::eq(*seen, block) || (seen.loc == block.loc && *seen == block)
            };
            blocks.iter().find(is_it).map(|(_, id)| *id)
        };
        for (key, block) in stmt.cases {
            let key = self.visit_matched(key)?;
            if cases.iter().any(|(seen, _)| *seen == key) {
                self.error("code block is unreachable", block.loc);
                continue;
            }
            let id = match find(&blocks, block) {
                Some(id) => id,
                None => {
                    let description = format!("switch_case_{}", blocks.len());
                    let id = self.blocks.make_for(block, Some(&description))?;
                    blocks.push((block, id));
                    id
                }
            };
            cases.push((key, id));
        }
        let next = self.blocks.make("switch_case_next", stmt.loc);
        let default = match stmt.default_case {
            None => next,
            Some(block) => match find(&blocks, block) {
                Some(id) => id,
                None => {
                    let id = self.blocks.make_for(block, Some("switch_case_default"))?;
                    blocks.push((block, id));
                    id
                }
            },
        };
        self.terminate(TerminatorKind::Switch { value, cases, default }, stmt.loc)?;
        for (block, id) in blocks {
            self.visit_branch(id, block, next)?;
        }
        self.blocks.try_activate(next)?;
        Ok(())
    }
    fn visit_matched(&mut self, expr: ExprRef<'s>) -> Outcome<Value> {
        let values = self.visit_values(expr)?;
        match values[..] {
            [value] => Ok(value),
            [] => Err(Failure::internal(
                "ValueError: not enough values to unpack (expected at least 1, got 0)",
                Loc::NONE,
            )),
            _ => {
                let message = "matching against tuple values is not supported";
                Err(Failure::code(message, expr.loc()))
            }
        }
    }
    fn visit_return(&mut self, stmt: &'s ReturnStatement<'s>) -> Outcome<()> {
        let mut results = match stmt.value {
            Some(value) => self.visit_values(value)?,
            None => Vec::new(),
        };
        for parameter in self.implicit_parameters() {
            results.push(self.read_variable(parameter.name, parameter.ty)?.into());
        }
        let pool = self.ir().pool;
        let expected = self.blocks.sub.header(pool).returns;
        let mut avm_types = Vec::with_capacity(results.len());
        for ty in results.iter().map(|value| value.ty(pool)).chain(expected.iter().copied()) {
            avm_types.push(ty.maybe_avm_type(pool).ok_or_else(|| {
                let message = format!("{} cannot be mapped to AVM stack type", ty.name(pool));
                Failure::internal(message, Loc::NONE)
            })?);
        }
        let (actual, wanted) = avm_types.split_at(results.len());
        if actual != wanted {
            let message = format!(
                "invalid return type {}, expected {}",
                types::type_list(self.ir(), results.iter().map(|value| value.ty(pool))),
                types::type_list(self.ir(), expected.iter().copied())
            );
            self.error(message, stmt.loc);
            results = expected.iter().map(|ty| Value::Undefined(*ty, stmt.loc)).collect();
        }
        self.blocks.terminate(TerminatorKind::Return(results), stmt.loc)
    }
}
