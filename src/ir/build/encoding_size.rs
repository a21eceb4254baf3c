//! Checks that bytes from outside have the length of a value of an encoding, and that offsets in them
//! point where they should. Spec 21 §15.

use crate::avm::ops::AvmOp;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::op::{Register, Source, SourceKind, Value};
use crate::ir::types::{Encoding, EncodingId, IrType, head_bit_offset};

use super::function::{FunctionBuilder, Placed};

impl FunctionBuilder<'_, '_> {
    /// Asserts that bytes have the length of a value of an encoding.
    pub fn validate_encoding(
        &mut self,
        value: Value,
        encoding: EncodingId,
        message: &str,
        loc: Loc,
    ) -> Outcome<()> {
        let expected = self.expected_size(value, encoding, loc)?;
        let mut make = self.make(loc);
        let length = make.len(value);
        let is_correct = make.eq(length, expected);
        make.assert_value(is_correct, message);
        Ok(())
    }
    /// The length that bytes which begin with a value of an encoding should have.
    fn expected_size(&mut self, value: Value, encoding: EncodingId, loc: Loc) -> Outcome<Value> {
        let pool = self.ir().pool;
        let facts = pool.encoding(encoding);
        if let Some(num_bytes) = facts.num_bytes() {
            return Ok(Value::uint64(num_bytes, loc));
        }
        match facts.encoding {
            Encoding::Array { element, length_header, .. } => {
                // The bytes come from outside, so they are typed as what they should be.
                let kind = SourceKind::ArrayLength {
                    base: value,
                    base_ty: IrType::Encoded(encoding),
                    array_encoding: encoding,
                };
                let length = self.materialise_value(Source { kind, loc }, "length")?;
                let element_facts = pool.encoding(element);
                let Some(bits) = element_facts.num_bits else {
                    return self.size_of_dynamic_items(value, length, encoding, loc);
                };
                let mut make = self.make(loc);
                let mut size = if element_facts.is_bit() {
                    let bits = make.mul(length, bits);
                    let rounded = make.add(bits, 7u64);
                    make.div_floor(rounded, 8u64)
                } else {
                    make.mul(length, bits.div_ceil(8))
                };
                if length_header {
                    size = make.add(size, 2u64);
                }
                Ok(size.into())
            }
            Encoding::Tuple(elements) => self.size_of_tuple(value, elements, facts.name, loc),
            Encoding::Bool | Encoding::UInt(_) | Encoding::Utf8 | Encoding::Bool8 => {
                Err(Failure::internal(format!("unexpected encoding: {}", facts.name), loc))
            }
        }
    }
    fn size_of_dynamic_items(
        &mut self,
        value: Value,
        length: Value,
        array: EncodingId,
        loc: Loc,
    ) -> Outcome<Value> {
        let array = self.ir().pool.encoding(array);
        let Some((element, _, length_header)) = array.array() else {
            return Err(Failure::internal("an array was expected", loc));
        };
        let mut make = self.make(loc);
        let size = make.named("num_bytes").mul(length, 2u64);
        let data = if length_header {
            make.named("array_data").extract_to_end(value, 2u64).into()
        } else {
            value
        };
        let message = format!("invalid tail pointer for {}", array.name);
        self.iterate_range(length, loc, &mut |this, index| {
            let so_far = this.refresh(size)?;
            let mut make = this.make(loc);
            let head = make.named("head_offset_bytes").mul(index, 2u64);
            make.named("item_offset").on_error("invalid array encoding");
            let offset = make.extract_uint16(data, head);
            let is_correct = make.named("offset_is_correct").eq(offset, so_far);
            make.assert_value(is_correct, &message);
            let item = make.extract_to_end(data, offset);
            let item_size = this.expected_size(item.into(), element, loc)?;
            this.increase(so_far, item_size, loc)
        })?;
        let mut total = self.refresh(size)?;
        if length_header {
            total = self.make(loc).named("num_bytes").add(total, 2u64);
        }
        Ok(total.into())
    }
    /// Adds to the variable of a register.
    fn increase(&mut self, register: Register, by: Value, loc: Loc) -> Outcome<()> {
        let now = self.refresh(register)?;
        let sum = self.instruction(AvmOp::Add, vec![now.into(), by], loc)?;
        let placed = Placed { assignment: loc, register: register.loc };
        self.assign_typed(register.name, register.ty, sum, placed)?;
        Ok(())
    }
    fn size_of_tuple(
        &mut self,
        value: Value,
        elements: &[EncodingId],
        name: &str,
        loc: Loc,
    ) -> Outcome<Value> {
        let pool = self.ir().pool;
        let head_bytes = head_bit_offset(pool, elements, None).div_ceil(8);
        let mut size = Value::uint64(head_bytes, loc);
        let length = self.make(loc).named("tuple_len").len(value);
        for (index, element) in elements.iter().enumerate() {
            if pool.encoding(*element).is_fixed() {
                continue;
            }
            let head = head_bit_offset(pool, elements, Some(index)).div_ceil(8);
            let mut make = self.make(loc);
            let offset = make.on_error("invalid tuple encoding").extract_uint16(value, head);
            let is_correct = make.eq(offset, size);
            make.assert_value(
                is_correct,
                &format!("invalid tail pointer at index {index} of {name}"),
            );
            let item = make.substring3(value, offset, length);
            let item_size = self.expected_size(item.into(), *element, loc)?;
            size = self.make(loc).add(size, item_size).into();
        }
        Ok(size)
    }
}
