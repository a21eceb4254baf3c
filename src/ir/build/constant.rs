//! Constants of the source -> constants of the IR, encoded where their type is. Spec 21 §11.

use num_bigint::{BigInt, BigUint, Sign};

use crate::avm::fields::{MAX_BIGUINT_BITS, MAX_BYTES_LENGTH};
use crate::awst::arc4;
use crate::awst::expr::{
    AddressConstant, BoolConstant, BytesConstant, DecimalConstant, IntegerConstant, MethodConstant,
    MethodRef, MethodSignature, StringConstant,
};
use crate::awst::operators;
use crate::awst::wtypes::{BasicType, WTypeId, WTypeKind};
use crate::base::encode;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{BytesEncoding, Constant, Source, Value};
use crate::ir::types::{IrType, Shape};
use crate::metadata::ResourceEncoding;

use super::function::{Evaluated, FunctionBuilder};
use super::types::TypeCtx;

/// The text an ABI method is selected by.
pub fn method_signature_text(
    ctx: TypeCtx<'_, '_>,
    signature: &MethodSignature<'_>,
) -> Outcome<String> {
    let name = |wtype, resources| arc4::abi_name(ctx.wtypes, wtype, resources, signature.loc);
    let args = signature
        .arg_types
        .iter()
        .map(|arg| name(*arg, signature.resource_encoding))
        .collect::<Outcome<Vec<String>>>()?;
    let returns = name(signature.return_type, ResourceEncoding::Value)?;
    Ok(format!("{}({}){returns}", signature.name, args.join(",")))
}

impl<'s> FunctionBuilder<'_, 's> {
    fn invalid(&self, wtype: WTypeId, loc: Loc) -> Failure {
        Failure::code(format!("invalid {} value", self.build.wtypes.name(wtype)), loc)
    }
    /// A constant number of `bits` bits at most.
    fn unsigned(&self, value: &BigInt, bits: u64, wtype: WTypeId, loc: Loc) -> Outcome<BigUint> {
        match value.sign() {
            Sign::Minus => Err(self.invalid(wtype, loc)),
            Sign::NoSign | Sign::Plus if value.bits() > bits => Err(self.invalid(wtype, loc)),
            Sign::NoSign | Sign::Plus => Ok(value.magnitude().clone()),
        }
    }
    fn biguint(&self, value: &BigUint, loc: Loc) -> Value {
        let bytes = if value.bits() == 0 { Vec::new() } else { value.to_bytes_be() };
        Value::Constant(Constant::BigUInt(self.ir().pool.bytes_id(&bytes)), loc)
    }
    fn encoded_constant(&self, value: Value, wtype: WTypeId, loc: Loc) -> Evaluated {
        let encoding = self.encoding(wtype, loc)?;
        let shape = Shape::One(value.ty(self.ir().pool));
        self.encode(encoding, vec![value], shape, None, loc).map(Some)
    }
    pub(super) fn visit_integer_constant(&mut self, node: &'s IntegerConstant<'s>) -> Evaluated {
        let loc = node.loc;
        let small = |alias| -> Outcome<Value> {
            let value = node.value.to_u64().ok_or_else(|| self.invalid(node.wtype, loc))?;
            Ok(Value::Constant(Constant::UInt64 { value, ty: IrType::UInt64, alias }, loc))
        };
        match self.kind(node.wtype) {
            WTypeKind::Basic(BasicType::UInt64) => {
                let alias = node.teal_alias.map(|alias| self.sym(alias));
                Ok(Some(Source::value(small(alias)?)))
            }
            WTypeKind::Basic(BasicType::BigUInt) => {
                let bits = u64::from(MAX_BIGUINT_BITS);
                let value = self.unsigned(&node.value.value(), bits, node.wtype, loc)?;
                Ok(Some(Source::value(self.biguint(&value, loc))))
            }
            WTypeKind::Arc4UIntN { n } => {
                let value = self.unsigned(&node.value.value(), u64::from(n), node.wtype, loc)?;
                let value = if n <= 64 { small(None)? } else { self.biguint(&value, loc) };
                self.encoded_constant(value, node.wtype, loc)
            }
            _ => {
                let name = self.build.wtypes.name(node.wtype);
                let value = node.value.text();
                let message = format!("Unhandled wtype {name} for integer constant {value}");
                Err(Failure::internal(message, loc))
            }
        }
    }
    pub(super) fn visit_decimal_constant(&mut self, node: &'s DecimalConstant<'s>) -> Evaluated {
        let WTypeKind::Arc4UFixedNxM { n, m } = self.kind(node.wtype) else {
            let name = self.build.wtypes.name(node.wtype);
            let message = format!("Unhandled wtype {name} for decimal constant");
            return Err(Failure::internal(message, node.loc));
        };
        let value = node.value;
        let invalid = || self.invalid(node.wtype, node.loc);
        if value.negative
            || value.special.is_some()
            || value.exponent.saturating_neg() > i64::from(m)
        {
            return Err(invalid());
        }
        // The digits count as they stand, whatever the exponent.
        let number: BigUint = value.digits.parse().map_err(|_| invalid())?;
        if number.bits() > u64::from(n) {
            return Err(invalid());
        }
        let digits = number.to_bytes_be();
        let mut bytes = vec![0; (n / 8) as usize];
        if number.bits() > 0 {
            let start = bytes.len() - digits.len();
            bytes[start..].copy_from_slice(&digits);
        }
        let constant = Value::bytes(self.ir().pool, &bytes, BytesEncoding::Base16, node.loc);
        Ok(Some(Source::value(constant)))
    }
    pub(super) fn visit_bool_constant(&mut self, node: &'s BoolConstant) -> Evaluated {
        let value = Value::bool(node.value, node.loc);
        if node.wtype == WTypeId::BOOL {
            return Ok(Some(Source::value(value)));
        }
        if node.wtype == WTypeId::ARC4_BOOL {
            return self.encoded_constant(value, node.wtype, node.loc);
        }
        let name = self.build.wtypes.name(node.wtype);
        Err(Failure::internal(format!("Unexpected wtype {name} for BoolConstant"), node.loc))
    }
    pub(super) fn visit_bytes_constant(&mut self, node: &'s BytesConstant<'s>) -> Evaluated {
        if node.value.len() > MAX_BYTES_LENGTH {
            let message = "bytes constant exceeds stack size limits";
            return Err(Failure::code(message, node.loc));
        }
        let pool = self.ir().pool;
        let encoding = match node.encoding {
            operators::BytesEncoding::Unknown => BytesEncoding::Unknown,
            operators::BytesEncoding::Base16 => BytesEncoding::Base16,
            operators::BytesEncoding::Base32 => BytesEncoding::Base32,
            operators::BytesEncoding::Base64 => BytesEncoding::Base64,
            operators::BytesEncoding::Utf8 => BytesEncoding::Utf8,
        };
        let sized = Value::bytes(pool, node.value, encoding, node.loc);
        let ty = self.ir_type(node.wtype, node.loc)?;
        if ty == IrType::Bytes {
            return Ok(Some(Source::value(sized)));
        }
        if matches!(ty, IrType::SizedBytes(_)) && ty != sized.ty(pool) {
            let message = "bytes constant length does not match its type";
            return Err(Failure::internal(message, node.loc));
        }
        let data = pool.bytes_id(node.value);
        let constant = Constant::Bytes { data, encoding, ty };
        Ok(Some(Source::value(Value::Constant(constant, node.loc))))
    }
    pub(super) fn visit_string_constant(&mut self, node: &'s StringConstant<'s>) -> Evaluated {
        let ty = self.ir_type(node.wtype, node.loc)?;
        if node.value.len() > MAX_BYTES_LENGTH {
            let message = "bytes constant exceeds stack size limits";
            return Err(Failure::code(message, node.loc));
        }
        let constant = Constant::Bytes {
            data: self.ir().pool.bytes_id(node.value.as_bytes()),
            encoding: BytesEncoding::Utf8,
            ty: IrType::String,
        };
        let value = Value::Constant(constant, node.loc);
        match ty {
            IrType::String => Ok(Some(Source::value(value))),
            IrType::Encoded(encoding) => {
                let shape = Shape::One(IrType::String);
                self.encode(encoding, vec![value], shape, None, node.loc).map(Some)
            }
            other => {
                let name = other.name(self.ir().pool);
                let message = format!("Unexpected ir_type={name} for StringConstant");
                Err(Failure::internal(message, node.loc))
            }
        }
    }
    pub(super) fn visit_address_constant(&mut self, node: &'s AddressConstant<'s>) -> Evaluated {
        if encode::public_key_of(node.value).is_none() {
            return Err(Failure::code("invalid Algorand address", node.loc));
        }
        let constant = Constant::Address { text: self.sym(node.value), ty: IrType::Account };
        Ok(Some(Source::value(Value::Constant(constant, node.loc))))
    }
    pub(super) fn visit_method_constant(&mut self, node: &'s MethodConstant<'s>) -> Evaluated {
        let signature = match node.value {
            MethodRef::Text(text) => self.sym(text.value),
            MethodRef::Signature(signature) => {
                self.sym(&method_signature_text(self.build.types(), signature)?)
            }
        };
        Ok(Some(Source::value(Value::Constant(Constant::Method(signature), node.loc))))
    }
}
