//! Encoding and decoding of values. Spec 21 §11 (conversions); validation is in `encoding_size.rs`.

use crate::awst::expr::{Arc4Decode, Arc4Encode, Arc4FromBytes};
use crate::awst::wtypes::WTypeId;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Source, SourceKind, Value};
use crate::ir::types::{AvmType, EncodingId, IrType, Shape};

use super::function::{Evaluated, FunctionBuilder};

impl<'s> FunctionBuilder<'_, 's> {
    /// Values in an encoding; the value itself when it is in that encoding already. `message` replaces
    /// the one for values that do not fit the encoding.
    pub fn encode(
        &self,
        encoding: EncodingId,
        values: Vec<Value>,
        values_ty: Shape,
        message: Option<&str>,
        loc: Loc,
    ) -> Outcome<Source> {
        if values_ty == Shape::One(IrType::Encoded(encoding))
            && let [value] = values[..]
        {
            return Ok(Source::value(value));
        }
        if values_ty.arity(self.ir().pool) != values.len() {
            let message = "expected values_type arity to match values arity";
            return Err(Failure::internal(message, loc));
        }
        let error_message_override = message.map(|message| self.sym(message));
        let kind = SourceKind::BytesEncode { encoding, values, values_ty, error_message_override };
        Ok(Source { kind, loc })
    }
    /// The values of an encoded value; the value itself when it shall stay encoded.
    pub fn decode(
        &self,
        encoding: EncodingId,
        value: Value,
        ty: Shape,
        message: Option<&str>,
        loc: Loc,
    ) -> Source {
        if ty == Shape::One(IrType::Encoded(encoding)) {
            return Source::value(value);
        }
        let error_message_override = message.map(|message| self.sym(message));
        let kind = SourceKind::DecodeBytes { encoding, value, ty, error_message_override };
        Source { kind, loc }
    }
    pub(super) fn visit_arc4_decode(&mut self, node: &'s Arc4Decode<'s>) -> Evaluated {
        let ty = self.shape(node.wtype, node.loc)?;
        let encoding = self.encoding(node.value.wtype(), node.loc)?;
        let value = self.visit_value(node.value)?;
        Ok(Some(self.decode(encoding, value, ty, node.error_message, node.loc)))
    }
    pub(super) fn visit_arc4_encode(&mut self, node: &'s Arc4Encode<'s>) -> Evaluated {
        let values_ty = self.shape(node.value.wtype(), node.loc)?;
        let encoded = if node.wtype == WTypeId::BYTES { node.value.wtype() } else { node.wtype };
        let encoding = self.encoding(encoded, node.loc)?;
        let values = self.visit_values(node.value)?;
        self.encode(encoding, values, values_ty, node.error_message, node.loc).map(Some)
    }
    pub(super) fn visit_arc4_from_bytes(&mut self, node: &'s Arc4FromBytes<'s>) -> Evaluated {
        let encoding = self.encoding(node.wtype, node.loc)?;
        let value = self.visit_value(node.value)?;
        let pool = self.ir().pool;
        if value.ty(pool).maybe_avm_type(pool) != Some(AvmType::Bytes) {
            return Err(Failure::code("expected bytes backed value", node.value.loc()));
        }
        if node.validate {
            let name = self.build.wtypes.name(node.wtype);
            let message = format!("invalid number of bytes for {name}");
            self.validate_encoding(value, encoding, &message, node.loc)?;
        }
        let encoded = IrType::Encoded(encoding);
        let value = self.make(node.loc).as_ir_type(Source::value(value), encoded)?;
        let ty = self.shape(node.wtype, node.loc)?;
        Ok(Some(self.decode(encoding, value, ty, None, node.loc)))
    }
}
