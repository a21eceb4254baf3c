//! The types that every compilation has, as constants: their ids are those of [`WTypeId`].

use super::{BasicType, WType, WTypeId, WTypeKind};

/// How many there are.
const COUNT: usize = WTypeId::ARC4_ADDRESS.occurrence as usize + 1;

/// The lengths of predefined types of bytes.
const BYTES_LENGTHS: [Option<u64>; 4] = [None, Some(1), Some(4), Some(32)];

/// The types by class and occurrence, which are the same number.
pub(super) static PREDEFINED: [WType<'static>; COUNT] = {
    let mut types = [WType::draft(WTypeKind::Basic(BasicType::Void), ""); COUNT];
    let mut index = 0;
    while index < BasicType::ALL.len() {
        let (basic, name) = BasicType::ALL[index];
        let scalar_type = basic.scalar_type();
        types[index] = WType {
            scalar_type,
            persistable: scalar_type.is_some(),
            ..WType::draft(WTypeKind::Basic(basic), name)
        };
        index += 1;
    }
    const NAMES: [&str; BYTES_LENGTHS.len()] = ["bytes", "bytes[1]", "bytes[4]", "bytes[32]"];
    let mut index = 0;
    while index < BYTES_LENGTHS.len() {
        let kind = WTypeKind::Bytes { length: BYTES_LENGTHS[index] };
        types[place(WTypeId::BYTES) + index] = WType::encoded(kind, NAMES[index]);
        index += 1;
    }
    types[place(WTypeId::ARC4_BOOL)] = WType::encoded(WTypeKind::Arc4Basic, "arc4.bool");
    types[place(WTypeId::ARC4_BYTE)] = WType {
        arc4_alias: Some("byte"),
        ..WType::encoded(WTypeKind::Arc4UIntN { n: 8 }, "arc4.uint8")
    };
    let element_type = WTypeId::ARC4_BYTE;
    types[place(WTypeId::ARC4_STRING)] = WType {
        arc4_alias: Some("string"),
        ..WType::encoded(
            WTypeKind::Arc4DynamicArray { element_type },
            "arc4.dynamic_array<arc4.uint8>",
        )
    };
    types[place(WTypeId::ARC4_ADDRESS)] = WType {
        arc4_alias: Some("address"),
        ..WType::encoded(
            WTypeKind::Arc4StaticArray { element_type, array_size: 32 },
            "arc4.static_array<arc4.uint8, 32>",
        )
    };
    types
};

const fn place(id: WTypeId) -> usize {
    id.occurrence as usize
}

/// The predefined type of bytes of a length, if there is one.
pub(super) fn bytes(length: Option<u64>) -> Option<WTypeId> {
    let place = BYTES_LENGTHS.iter().position(|known| *known == length)?;
    Some(WTypeId::predefined(WTypeId::BYTES.class + place as u32))
}

/// The predefined class of a type, if it is of one.
pub(super) fn class_of(wtype: &WType<'_>) -> Option<u32> {
    let candidate = match wtype.kind {
        WTypeKind::Basic(basic) => basic.id(),
        WTypeKind::Bytes { length } => bytes(length)?,
        WTypeKind::Arc4Basic => WTypeId::ARC4_BOOL,
        WTypeKind::Arc4UIntN { n: 8 } => WTypeId::ARC4_BYTE,
        WTypeKind::Arc4DynamicArray { .. } => WTypeId::ARC4_STRING,
        WTypeKind::Arc4StaticArray { .. } => WTypeId::ARC4_ADDRESS,
        _ => return None,
    };
    let known = &PREDEFINED[candidate.class as usize];
    (known.class_key() == wtype.class_key()).then_some(candidate.class)
}

#[cfg(test)]
mod tests {
    use super::super::WTypes;
    use super::*;
    use crate::base::arena::Arena;
    use crate::base::source::Loc;

    #[test]
    fn what_is_made_again_is_found() {
        let arena = Arena::new();
        let types = WTypes::new(&arena);
        let byte = types.arc4_uint_n(8, Some("byte"), Loc::NONE).unwrap();
        let made = [
            types.bytes(None),
            types.bytes(Some(1)),
            types.bytes(Some(4)),
            types.bytes(Some(32)),
            types.arc4_basic("arc4.bool", None),
            byte,
            types.arc4_dynamic_array(byte, true, Some("string"), Loc::NONE).unwrap(),
            types.arc4_static_array(byte, 32, true, Some("address"), Loc::NONE).unwrap(),
        ];
        for (index, id) in (WTypeId::BYTES.class..).zip(made) {
            assert_eq!((id.class, id.occurrence), (index, index), "{}", types.name(id));
        }
        for (index, (basic, name)) in BasicType::ALL.iter().enumerate() {
            assert_eq!((basic.id().index(), types.name(basic.id())), (index, *name));
        }
        assert_eq!(made.len() + BasicType::ALL.len(), COUNT);
    }
}
