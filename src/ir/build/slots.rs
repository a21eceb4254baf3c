//! Scratch slots that hold reference arrays. Spec 21 §13, spec 20 §18.

use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::ir::op::{OpKind, Source, SourceKind, Value};
use crate::ir::types::IrType;

use super::function::FunctionBuilder;

impl FunctionBuilder<'_, '_> {
    /// A fresh slot.
    pub fn new_slot(&mut self, slot_ty: IrType, loc: Loc) -> Outcome<Value> {
        let source = Source { kind: SourceKind::NewSlot(slot_ty), loc };
        self.assign_temp(source, "slot", loc).map(Value::Register)
    }
    /// Stores into a slot.
    pub fn write_slot(&mut self, slot: Value, value: Value, loc: Loc) {
        self.add(OpKind::WriteSlot { slot, value }, loc);
    }
    /// What a slot holds.
    pub fn read_slot(&mut self, slot: Value, loc: Loc) -> Outcome<Value> {
        let source = Source { kind: SourceKind::ReadSlot(slot), loc };
        self.assign_temp(source, "slot_contents", loc).map(Value::Register)
    }
    /// Whether a value is the number of a slot.
    pub fn is_slot(&self, value: Value) -> bool {
        matches!(value.ty(self.ir().pool), IrType::Slot(_))
    }
    /// What a value holds, when it is a slot; the value itself otherwise.
    pub fn read_if_slot(&mut self, value: Value, loc: Loc) -> Outcome<Value> {
        if self.is_slot(value) { self.read_slot(value, loc) } else { Ok(value) }
    }
}
