//! The registers an assignment defines: nearly always one, which lies in place. Room for two, as in
//! [`Few`](crate::base::few::Few), would make every operation larger; and passes change them where they
//! are.

use std::ops::{Deref, DerefMut};

use super::op::Register;

/// The registers an assignment defines, in order. Reads as a slice.
#[derive(Clone, Debug)]
pub enum Targets {
    /// One register.
    One([Register; 1]),
    /// Any number of registers.
    Many(Vec<Register>),
}

impl Targets {
    /// No register.
    pub const NONE: Self = Targets::Many(Vec::new());
}

impl Deref for Targets {
    type Target = [Register];
    #[inline]
    fn deref(&self) -> &[Register] {
        match self {
            Targets::One(register) => register,
            Targets::Many(registers) => registers,
        }
    }
}

impl DerefMut for Targets {
    #[inline]
    fn deref_mut(&mut self) -> &mut [Register] {
        match self {
            Targets::One(register) => register,
            Targets::Many(registers) => registers,
        }
    }
}

impl From<Register> for Targets {
    fn from(register: Register) -> Self {
        Targets::One([register])
    }
}

impl From<Vec<Register>> for Targets {
    fn from(registers: Vec<Register>) -> Self {
        match registers[..] {
            [register] => Targets::One([register]),
            _ => Targets::Many(registers),
        }
    }
}

impl FromIterator<Register> for Targets {
    fn from_iter<I: IntoIterator<Item = Register>>(registers: I) -> Self {
        let mut registers = registers.into_iter();
        let (Some(first), second) = (registers.next(), registers.next()) else {
            return Targets::NONE;
        };
        match second {
            None => Targets::One([first]),
            Some(second) => Targets::Many([first, second].into_iter().chain(registers).collect()),
        }
    }
}

impl<'a> IntoIterator for &'a Targets {
    type Item = &'a Register;
    type IntoIter = std::slice::Iter<'a, Register>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Targets {
    type Item = &'a mut Register;
    type IntoIter = std::slice::IterMut<'a, Register>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Symbol;
    use crate::base::entity::EntityId;
    use crate::base::source::Loc;
    use crate::ir::op::RegisterId;
    use crate::ir::types::IrType;

    #[test]
    fn targets_of_any_number_are_those_they_were_made_of() {
        for count in 0..4 {
            let register = |index| {
                Register::local(
                    RegisterId::new(index),
                    Symbol::new(index),
                    0,
                    IrType::Any,
                    Loc::NONE,
                )
            };
            let registers: Vec<Register> = (0..count).map(register).collect();
            let collected: Targets = registers.iter().copied().collect();
            assert_eq!(*collected, *registers);
            assert_eq!(matches!(collected, Targets::One(_)), count == 1);
            assert_eq!(*Targets::from(registers.clone()), *registers);
        }
    }
}
