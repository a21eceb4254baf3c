//! Dense numbers for registers, so that an analysis keeps its facts in tables: registers in, ids out,
//! given in the order of first mention.

use crate::base::entity::EntityId;
use crate::define_id;

use super::op::Register;

define_id!(
    /// A register of one subroutine, numbered densely for an analysis.
    pub struct RegisterId, "v"
);

/// Fewest slots a table has.
const SLOTS_MIN: usize = 16;
/// Spreads neighbouring names and versions over the slots (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Dense numbers for the registers of a subroutine.
///
/// A hash table of ids with linear probing: it is asked for every operand of a subroutine by most
/// passes, and an id is all there is to store.
#[derive(Clone, Debug, Default)]
pub struct Numbering {
    registers: Vec<Register>,
    /// A power of two, and more than twice the number of registers; empty at first.
    slots: Vec<Option<RegisterId>>,
}

impl Numbering {
    /// An empty numbering with room for this many registers.
    pub fn with_capacity(registers: usize) -> Self {
        let mut numbering = Self::default();
        if registers > 0 {
            let slots = (2 * registers + 1).next_power_of_two().max(SLOTS_MIN);
            numbering.registers.reserve(registers);
            numbering.slots.resize(slots, None);
        }
        numbering
    }
    /// The number of a register, given out at its first mention.
    pub fn id(&mut self, register: Register) -> RegisterId {
        if self.slots.len() <= 2 * self.registers.len() {
            self.grow();
        }
        let mut place = self.first_place(register);
        while let Some(id) = self.slots[place] {
            if self.registers[id.index()] == register {
                return id;
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
        let id = RegisterId::new(self.registers.len());
        self.slots[place] = Some(id);
        self.registers.push(register);
        id
    }
    /// The number of a register that was mentioned.
    #[inline]
    pub fn known(&self, register: Register) -> Option<RegisterId> {
        let mut place = self.first_place(register);
        while let Some(id) = *self.slots.get(place)? {
            if self.registers[id.index()] == register {
                return Some(id);
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
        None
    }
    /// The register with this number.
    pub fn register(&self, id: RegisterId) -> Register {
        self.registers[id.index()]
    }
    /// How many registers have a number.
    pub fn len(&self) -> usize {
        self.registers.len()
    }
    /// True when no register was mentioned.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// Where to look for a register first. Registers that differ only in type or role collide, which
    /// few do.
    #[inline]
    fn first_place(&self, register: Register) -> usize {
        let key = (register.name.index() as u64) << 32 | u64::from(register.version);
        // the upper bits of the product depend on all of the key
        (key.wrapping_mul(SPREAD) >> 32) as usize & self.slots.len().wrapping_sub(1)
    }
    fn grow(&mut self) {
        let count = (4 * self.registers.len()).next_power_of_two().max(SLOTS_MIN);
        self.slots.clear();
        self.slots.resize(count, None);
        for index in 0..self.registers.len() {
            let mut place = self.first_place(self.registers[index]);
            while self.slots[place].is_some() {
                place = (place + 1) & (count - 1);
            }
            self.slots[place] = Some(RegisterId::new(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Symbol;
    use crate::base::source::Loc;
    use crate::ir::op::RegisterRole;
    use crate::ir::types::IrType;

    #[test]
    fn numbers_are_dense_and_tell_registers_of_every_kind_apart() {
        let mut numbering = Numbering::default();
        let mut registers = Vec::new();
        for name in 0..20 {
            for version in 0..20 {
                let local = Register::local(Symbol::new(name), version, IrType::UInt64, Loc::NONE);
                let parameter = Register { role: RegisterRole::Parameter, ..local };
                registers.extend([local, parameter, Register { ty: IrType::Bytes, ..local }]);
            }
        }
        assert_eq!(numbering.known(registers[0]), None);
        for (index, register) in registers.iter().enumerate() {
            assert_eq!(numbering.known(*register), None);
            assert_eq!(numbering.id(*register).index(), index);
        }
        for (index, register) in registers.iter().enumerate() {
            assert_eq!(numbering.id(*register).index(), index);
            assert_eq!(numbering.known(*register), Some(RegisterId::new(index)));
            assert_eq!(numbering.register(RegisterId::new(index)), *register);
        }
        assert_eq!(numbering.len(), registers.len());
    }
}
