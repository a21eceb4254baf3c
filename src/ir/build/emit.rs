//! ARC-28 events. Spec 21 §11.

use crate::avm::ops::AvmOp;
use crate::awst::arc4;
use crate::awst::expr::{Emit, EmitFields};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::ir::op::{Constant, OpKind, Source, SourceKind, Value};
use crate::ir::types::{IrType, Shape};
use crate::metadata::ResourceEncoding;

use super::function::{Evaluated, FunctionBuilder, into_values, shape_of};

/// The last part of a qualified name.
pub fn last_segment(name: &str) -> &str {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    name.rsplit(|character: char| !is_word(character)).next().unwrap_or(name)
}

impl<'s> FunctionBuilder<'_, 's> {
    pub(super) fn visit_emit(&mut self, node: &'s Emit<'s>) -> Evaluated {
        let wtype = node.value.wtype();
        let name = last_segment(self.build.wtypes.name(wtype));
        let types = self.build.wtypes;
        let fields = arc4::abi_name(types, wtype, ResourceEncoding::Value, node.loc)?;
        let signature = format!("{name}{fields}");
        let value = self.visit_expr(node.value)?;
        self.log_event(&signature, value, node.loc)?;
        Ok(None)
    }
    pub(super) fn visit_emit_fields(&mut self, node: &'s EmitFields<'s>) -> Evaluated {
        let loc = node.loc;
        let types = self.build.wtypes;
        let parts = arc4::split_signature(self.ir().sink(), node.signature, loc)?;
        if parts.returns.is_some() {
            self.error("event signatures cannot include return types", loc);
        }
        let mut encodings = Vec::with_capacity(node.values.len());
        let names: Vec<String>;
        let signature;
        match parts.args {
            None => {
                names = node
                    .values
                    .iter()
                    .map(|v| arc4::abi_name(types, v.wtype(), ResourceEncoding::Value, v.loc()))
                    .collect::<Outcome<_>>()?;
                signature = format!("{}({})", parts.name, names.join(","));
                for value in node.values {
                    encodings.push(self.encoding(value.wtype(), value.loc())?);
                }
            }
            Some(args) => {
                names = arc4::split_tuple_types(args).into_iter().map(str::to_owned).collect();
                if names.len() != node.values.len() {
                    let message = format!(
                        "expected {} ABI arguments, got {}",
                        names.len(),
                        node.values.len()
                    );
                    self.error(message, loc);
                    return Ok(None);
                }
                signature = node.signature.to_owned();
                let fields = names
                    .iter()
                    .map(|name| arc4::wtype_of_abi_name(types, name, Loc::NONE))
                    .collect::<Outcome<Vec<_>>>()?;
                for field in fields {
                    encodings.push(self.encoding(field, loc)?);
                }
            }
        }
        let mut values = Vec::with_capacity(encodings.len());
        for ((encoding, value), name) in encodings.iter().zip(node.values).zip(&names) {
            let group = self.visit_group(value)?;
            let shape = shape_of(self.ir(), &group);
            let message = format!("cannot encode to {name}");
            let encoded =
                self.encode(*encoding, into_values(group), shape, Some(&message), value.loc())?;
            values.push(self.materialise_value(encoded, "tmp")?);
        }
        let pool = self.ir().pool;
        let values_ty = pool.tuple_of(encodings.iter().map(|encoding| IrType::Encoded(*encoding)));
        let kind = SourceKind::BytesEncode {
            encoding: pool.tuple_encoding(&encodings),
            values,
            values_ty: Shape::Tuple(values_ty),
            error_message_override: None,
        };
        self.log_event(&signature, Source { kind, loc }, loc)?;
        Ok(None)
    }
    fn log_event(&mut self, signature: &str, value: Source, loc: Loc) -> Outcome<()> {
        let prefix = Value::Constant(Constant::Method(self.sym(signature)), loc);
        let value = self.materialise_value(value, "tmp")?;
        let event = self.make(loc).named("event").concat(prefix, value);
        let log = self.instruction(AvmOp::Log, vec![event.into()], loc)?;
        if let SourceKind::Intrinsic(log) = log.kind {
            self.add(OpKind::Intrinsic(log), loc);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_last_part_of_its_struct_name() {
        assert_eq!(last_segment("a.b:Swapped"), "Swapped");
        assert_eq!(last_segment("Swapped"), "Swapped");
    }
}
