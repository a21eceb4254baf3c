//! Structural keys: two operations with equal keys do the same. Spec 20 §14.
//!
//! Locations never count, blocks count by their number, subroutines by their name.

use crate::avm::fields::TxnField;
use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;

use super::Ctx;
use super::model::{BlockId, Node, Subroutine};
use super::op::{Index, Intrinsic, Invoke, OpKind, SourceKind, TerminatorKind, Value};
use super::types::{EncodingId, IrType, Shape};

/// One part of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Part {
    /// What follows is of this kind, and as many parts as it has.
    Class(Class, usize),
    Value(Value),
    Number(u64),
    Type(IrType),
    Shape(Shape),
    Encoding(EncodingId),
    Text(Option<Symbol>),
    Op(AvmOp),
    Immediate(Immediate),
    Field(TxnField),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Class {
    Phi,
    Assign,
    Assert,
    WriteSlot,
    BoxWrite,
    Intrinsic,
    Invoke,
    ValueTuple,
    InnerTransactionField,
    ArrayLength,
    ArrayPop,
    ArrayConcat,
    ExtractValue,
    ReplaceValue,
    BoxRead,
    BytesEncode,
    DecodeBytes,
    NewSlot,
    ReadSlot,
    Goto,
    Branch,
    GotoNth,
    Switch,
    Return,
    Exit,
    Fail,
}

/// A structural key. Compare only keys made by the same function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct FreezeKey(Vec<Part>);

impl FreezeKey {
    fn class(&mut self, class: Class, count: usize) {
        self.0.push(Part::Class(class, count));
    }
    fn value(&mut self, value: Value) {
        self.0.push(Part::Value(value));
    }
    fn values(&mut self, values: &[Value]) {
        self.0.extend(values.iter().map(|value| Part::Value(*value)));
    }
    fn number(&mut self, number: impl Into<u64>) {
        self.0.push(Part::Number(number.into()));
    }
    fn block(&mut self, sub: &Subroutine, block: BlockId) {
        self.number(sub.number(block));
    }
    fn indexes(&mut self, indexes: &[Index]) {
        for index in indexes {
            match index {
                Index::Fixed(index) => self.number(*index),
                Index::Value(value) => self.value(*value),
            }
        }
    }
    fn intrinsic(&mut self, intrinsic: &Intrinsic) {
        self.class(Class::Intrinsic, intrinsic.args.len());
        self.0.push(Part::Op(intrinsic.op));
        self.0.extend(intrinsic.immediates.iter().map(|immediate| Part::Immediate(*immediate)));
        self.values(&intrinsic.args);
        self.0.push(Part::Text(intrinsic.error_message));
    }
    fn invoke(&mut self, ctx: Ctx<'_, '_>, invoke: &Invoke) {
        self.class(Class::Invoke, invoke.args.len());
        self.0.push(Part::Text(Some(ctx.pool.header(invoke.target).id)));
        self.values(&invoke.args);
    }
    fn source(&mut self, ctx: Ctx<'_, '_>, source: &SourceKind) {
        match source {
            SourceKind::Value(value) => self.value(*value),
            SourceKind::ValueTuple { values, .. } => {
                self.class(Class::ValueTuple, values.len());
                self.values(values);
            }
            SourceKind::InnerTransactionField {
                field,
                group_index,
                is_last_in_group,
                array_index,
                ty,
            } => {
                self.class(Class::InnerTransactionField, usize::from(array_index.is_some()));
                self.0.push(Part::Field(*field));
                self.values(&[*group_index, *is_last_in_group]);
                array_index.iter().for_each(|index| self.value(**index));
                self.0.push(Part::Type(*ty));
            }
            SourceKind::ArrayLength { base, base_ty, array_encoding } => {
                self.class(Class::ArrayLength, 1);
                self.0.push(Part::Type(*base_ty));
                self.value(*base);
                self.0.push(Part::Encoding(*array_encoding));
            }
            SourceKind::ArrayPop { base, base_ty } => {
                self.class(Class::ArrayPop, 1);
                self.0.push(Part::Type(*base_ty));
                self.value(*base);
            }
            SourceKind::ArrayConcat { base, base_ty, items, num_items, .. } => {
                self.class(Class::ArrayConcat, 1);
                self.0.push(Part::Type(*base_ty));
                self.values(&[*base, **items, *num_items]);
            }
            SourceKind::ExtractValue { base, base_ty, indexes, check_bounds, .. } => {
                self.class(Class::ExtractValue, indexes.len());
                self.0.push(Part::Type(*base_ty));
                self.value(*base);
                self.indexes(indexes);
                self.number(*check_bounds);
            }
            SourceKind::ReplaceValue { base, base_ty, indexes, value } => {
                self.class(Class::ReplaceValue, indexes.len());
                self.0.push(Part::Type(*base_ty));
                self.value(*base);
                self.indexes(indexes);
                self.value(**value);
            }
            SourceKind::BoxRead { key, value_ty, .. } => {
                self.class(Class::BoxRead, 1);
                self.value(*key);
                self.0.push(Part::Type(*value_ty));
            }
            SourceKind::BytesEncode { encoding, values, values_ty, .. } => {
                self.class(Class::BytesEncode, values.len());
                self.values(values);
                self.0.push(Part::Shape(*values_ty));
                self.0.push(Part::Encoding(*encoding));
            }
            SourceKind::DecodeBytes { encoding, value, ty, .. } => {
                self.class(Class::DecodeBytes, 1);
                self.value(*value);
                self.0.push(Part::Encoding(*encoding));
                self.0.push(Part::Shape(*ty));
            }
            SourceKind::NewSlot(ty) => {
                self.class(Class::NewSlot, 0);
                self.0.push(Part::Type(*ty));
            }
            SourceKind::ReadSlot(slot) => {
                self.class(Class::ReadSlot, 1);
                self.value(*slot);
            }
            SourceKind::Intrinsic(intrinsic) => self.intrinsic(intrinsic),
            SourceKind::Invoke(invoke) => self.invoke(ctx, invoke),
        }
    }
    fn op(&mut self, ctx: Ctx<'_, '_>, op: &OpKind) {
        match op {
            OpKind::Assign { targets, source } => {
                self.class(Class::Assign, targets.len());
                targets.iter().for_each(|target| self.value(Value::Register(*target)));
                self.source(ctx, &source.kind);
            }
            OpKind::Assert { condition, message, explicit } => {
                self.class(Class::Assert, 1);
                self.value(*condition);
                self.0.push(Part::Text(*message));
                self.number(*explicit);
            }
            OpKind::WriteSlot { slot, value } => {
                self.class(Class::WriteSlot, 2);
                self.values(&[*slot, *value]);
            }
            OpKind::BoxWrite { key, value, delete_first } => {
                self.class(Class::BoxWrite, 2);
                self.values(&[*key, *value]);
                self.number(*delete_first);
            }
            OpKind::Intrinsic(intrinsic) => self.intrinsic(intrinsic),
            OpKind::Invoke(invoke) => self.invoke(ctx, invoke),
        }
    }
    fn terminator(&mut self, sub: &Subroutine, terminator: &TerminatorKind) {
        match terminator {
            TerminatorKind::Goto(target) => {
                self.class(Class::Goto, 0);
                self.block(sub, *target);
            }
            TerminatorKind::Branch { condition, non_zero, zero } => {
                self.class(Class::Branch, 1);
                self.value(*condition);
                self.block(sub, *non_zero);
                self.block(sub, *zero);
            }
            TerminatorKind::GotoNth { value, blocks, default } => {
                self.class(Class::GotoNth, blocks.len());
                self.value(*value);
                blocks.iter().for_each(|block| self.block(sub, *block));
                self.block(sub, *default);
            }
            TerminatorKind::Switch { value, cases, default } => {
                self.class(Class::Switch, cases.len());
                self.value(*value);
                for (key, block) in cases {
                    self.value(*key);
                    self.block(sub, *block);
                }
                self.block(sub, *default);
            }
            TerminatorKind::Return(values) => {
                self.class(Class::Return, values.len());
                self.values(values);
            }
            TerminatorKind::Exit(value) => {
                self.class(Class::Exit, 1);
                self.value(*value);
            }
            TerminatorKind::Fail { message, explicit } => {
                self.class(Class::Fail, 0);
                self.0.push(Part::Text(*message));
                self.number(*explicit);
            }
        }
    }
    fn node(&mut self, ctx: Ctx<'_, '_>, sub: &Subroutine, node: Node) {
        match node {
            Node::Phi(phi) => {
                let phi = &sub.phis[phi];
                self.class(Class::Phi, phi.args.len());
                self.value(Value::Register(phi.register));
                for arg in &phi.args {
                    self.block(sub, arg.through);
                    self.value(Value::Register(arg.value));
                }
            }
            Node::Op(op) => self.op(ctx, &sub.ops[op].kind),
            Node::Terminator(block) => self.terminator(sub, &sub.blocks[block].terminator().kind),
        }
    }
}

/// The key of what an assignment assigns.
pub fn source_key(ctx: Ctx<'_, '_>, source: &SourceKind) -> FreezeKey {
    let mut key = FreezeKey::default();
    key.source(ctx, source);
    key
}

/// The key of an operation.
pub fn op_key(ctx: Ctx<'_, '_>, op: &OpKind) -> FreezeKey {
    let mut key = FreezeKey::default();
    key.op(ctx, op);
    key
}

/// The key of everything a block does.
pub fn block_key(ctx: Ctx<'_, '_>, sub: &Subroutine, block: BlockId) -> FreezeKey {
    let mut key = FreezeKey::default();
    for node in sub.nodes(block) {
        key.node(ctx, sub, node);
    }
    key
}
