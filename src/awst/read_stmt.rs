//! JSON statement objects -> statements. Spec 10 §11.

use super::expr::ExprRef;
use super::mentions::Mentions;
use super::read::{J, Outcome, Reader, Step, mistake, refuses};
use super::read_scalar::{class_of, repr_of};
use super::read_words::{Key, Object, Tag};
use super::read_wtype::Class;
use super::stmt::{
    AssignmentStatement, BigUIntAugmentedAssignment, Block, BytesAugmentedAssignment,
    ExpressionStatement, ForInLoop, Goto, IfElse, LoopContinue, LoopExit, ReturnStatement, Stmt,
    Switch, UInt64AugmentedAssignment, WhileLoop,
};
use super::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::json::Kind;

impl<'s> Reader<'_, 's> {
    /// A block, where the document does not say what class it is of.
    pub(super) fn block(&mut self, json: J<'s>) -> Outcome<&'s Block<'s>> {
        let object = self.object(json);
        self.nested(|reader| {
            let label =
                reader.optional_field(object, Key::Label, |r, j| r.nullable(j, Self::symbol))?;
            let comment = reader.optional_field(object, Key::Comment, Self::nullable_text)?;
            let loc = reader.loc_field(object)?;
            let body = reader.field(object, Key::Body, |r, j| r.slice(j, Self::stmt))?;
            let block = Block { loc, body, label: label.flatten(), comment: comment.flatten() };
            reader.mentions.add(Mentions::at_block(&block));
            Ok(&*reader.session.arena.alloc(block))
        })
    }
    fn nullable_block(&mut self, json: J<'s>) -> Outcome<Option<&'s Block<'s>>> {
        self.nullable(json, Self::block)
    }
    fn stmt(&mut self, json: J<'s>) -> Outcome<Stmt<'s>> {
        let object = self.object(json);
        match self.tag(object)? {
            Tag::Block => Ok(Stmt::Block(self.block(json)?)),
            Tag::ExpressionStatement => {
                let expr = self.field(object, Key::Expr, Self::expr)?;
                self.keep_stmt(ExpressionStatement { loc: expr.loc(), expr })
            }
            Tag::Goto => {
                let loc = self.loc_field(object)?;
                let target = self.field(object, Key::Target, Self::symbol)?;
                self.keep_stmt(Goto { loc, target })
            }
            Tag::LoopExit => {
                let loc = self.loc_field(object)?;
                self.keep_stmt(LoopExit { loc })
            }
            Tag::LoopContinue => {
                let loc = self.loc_field(object)?;
                self.keep_stmt(LoopContinue { loc })
            }
            Tag::ReturnStatement => {
                let loc = self.loc_field(object)?;
                let value = self.field(object, Key::Value, |r, j| r.nullable(j, Self::expr))?;
                self.keep_stmt(ReturnStatement { loc, value })
            }
            tag @ (Tag::IfElse | Tag::Switch | Tag::WhileLoop | Tag::ForInLoop) => {
                self.nested(|reader| reader.control_flow(tag, object))
            }
            Tag::AssignmentStatement => {
                let loc = self.loc_field(object)?;
                let target = self.field(object, Key::Target, Self::lvalue)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                self.check_assignment(target, value, loc)?;
                self.keep_stmt(AssignmentStatement { loc, target, value })
            }
            tag @ (Tag::UInt64AugmentedAssignment
            | Tag::BigUIntAugmentedAssignment
            | Tag::BytesAugmentedAssignment) => self.augmented_assignment(tag, object),
            tag @ Tag::Statement => Err(self.abstract_node(tag, object)),
            _ => Err(self.unknown_tag(object)),
        }
    }
    fn keep_stmt(&mut self, node: impl Into<Stmt<'s>>) -> Outcome<Stmt<'s>> {
        let stmt = node.into();
        self.mentions.add(Mentions::at_stmt(&stmt));
        Ok(stmt)
    }
    fn control_flow(&mut self, tag: Tag, object: Object<'s>) -> Outcome<Stmt<'s>> {
        let loc = self.loc_field(object)?;
        match tag {
            Tag::IfElse => {
                let condition = self.field(object, Key::Condition, Self::expr)?;
                let if_branch = self.field(object, Key::IfBranch, Self::block)?;
                let else_branch = self.field(object, Key::ElseBranch, Self::nullable_block)?;
                self.expect("IfElse.condition", condition, &[WTypeId::BOOL], &[])?;
                self.keep_stmt(IfElse { loc, condition, if_branch, else_branch })
            }
            Tag::Switch => {
                let value = self.field(object, Key::Value, Self::expr)?;
                let cases = self.field(object, Key::Cases, Self::switch_cases)?;
                let default_case = self.field(object, Key::DefaultCase, Self::nullable_block)?;
                self.keep_stmt(Switch { loc, value, cases, default_case })
            }
            Tag::WhileLoop => {
                let condition = self.field(object, Key::Condition, Self::expr)?;
                let loop_body = self.field(object, Key::LoopBody, Self::block)?;
                self.expect("WhileLoop.condition", condition, &[WTypeId::BOOL], &[])?;
                self.keep_stmt(WhileLoop { loc, condition, loop_body })
            }
            _ => {
                let sequence = self.field(object, Key::Sequence, Self::expr)?;
                let items = self.field(object, Key::Items, Self::lvalue)?;
                let loop_body = self.field(object, Key::LoopBody, Self::block)?;
                self.keep_stmt(ForInLoop { loc, sequence, items, loop_body })
            }
        }
    }
    /// The cases of a switch; a key that occurs again replaces the block and keeps its place.
    fn switch_cases(&mut self, json: J<'s>) -> Outcome<&'s [(ExprRef<'s>, &'s Block<'s>)]> {
        let pairs = self.slice(json, |reader, json| {
            let wrong = |problem: &str| {
                refuses(format!(
                    "{problem} values in {} to structure as \
                     tuple[puya.awst.nodes.Expression, puya.awst.nodes.Block]",
                    repr_of(json)
                ))
            };
            match json.kind() {
                Kind::Array(items) if items.len() > 2 => Err(wrong("Too many")),
                Kind::Array(items)
                    if let (Some(key), Some(block)) = (items.get(0), items.get(1)) =>
                {
                    let key = reader.at(Step::Index(0), key, Self::expr)?;
                    Ok((key, reader.at(Step::Index(1), block, Self::block)?))
                }
                Kind::Array(_) | Kind::String(_) | Kind::Object(_) => Err(wrong("Not enough")),
                _ => Err(refuses(format!("object of type '{}' has no len()", class_of(json)))),
            }
        })?;
        let mut cases: Vec<(ExprRef<'s>, &'s Block<'s>)> = Vec::with_capacity(pairs.len());
        for &(key, block) in pairs {
            match cases.iter_mut().find(|case| case.0 == key) {
                Some(case) => case.1 = block,
                None => cases.push((key, block)),
            }
        }
        Ok(self.session.arena.slice_of(cases))
    }
    fn augmented_assignment(&mut self, tag: Tag, object: Object<'s>) -> Outcome<Stmt<'s>> {
        let loc = self.loc_field(object)?;
        let target = self.field(object, Key::Target, Self::lvalue)?;
        match tag {
            Tag::UInt64AugmentedAssignment => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let number = &[WTypeId::UINT64];
                self.expect("UInt64AugmentedAssignment.target", target, number, &[])?;
                self.expect("UInt64AugmentedAssignment.value", value, number, &[])?;
                self.keep_stmt(UInt64AugmentedAssignment { loc, target, op, value })
            }
            Tag::BigUIntAugmentedAssignment => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let number = &[WTypeId::BIGUINT];
                self.expect("BigUIntAugmentedAssignment.target", target, number, &[])?;
                self.expect("BigUIntAugmentedAssignment.value", value, number, &[])?;
                self.keep_stmt(BigUIntAugmentedAssignment { loc, target, op, value })
            }
            _ => {
                let op = self.field(object, Key::Op, Self::choice)?;
                let value = self.field(object, Key::Value, Self::expr)?;
                let strings = &[WTypeId::STRING, WTypeId::ARC4_STRING];
                let bytes = &[Class::Bytes];
                self.expect("BytesAugmentedAssignment.target", target, strings, bytes)?;
                self.expect("BytesAugmentedAssignment.value", value, strings, bytes)?;
                if !self.wtypes.equal(value.wtype(), target.wtype()) {
                    let (expected, got) = (self.name(target.wtype()), self.name(value.wtype()));
                    return Err(mistake(
                        format!(
                            "Augmented assignment of differing types, expected {expected}, got {got}"
                        ),
                        value.loc(),
                    ));
                }
                self.keep_stmt(BytesAugmentedAssignment { loc, target, op, value })
            }
        }
    }
    /// What assignments ask of their operands.
    pub(super) fn check_assignment(
        &self,
        target: ExprRef<'s>,
        value: ExprRef<'s>,
        loc: Loc,
    ) -> Outcome<()> {
        if !self.wtypes.equal(value.wtype(), target.wtype()) {
            let message = "assignment target type differs from expression value type";
            return Err(mistake(message, loc));
        }
        if value.wtype() == WTypeId::VOID {
            return Err(mistake("void type cannot be assigned", loc));
        }
        Ok(())
    }
}
