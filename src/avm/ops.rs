//! The AVM's operations: for the intermediate representation [`AvmOp`] with its stack signatures, for
//! the assembler [`OpSpec`] with its bytes. The rows are in [`super::tables`].

use std::fmt;

use super::fields::FieldGroup;
use super::tables;
use crate::base::word_table::WordTable;

pub use super::tables::AvmOp;

/// What kind of value the intermediate representation gives as an immediate.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ImmediateKind {
    /// A number from 0 to 255.
    UInt8,
    /// The name of a field.
    Enum,
}

/// An immediate argument of an operation.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Immediate {
    /// A number, not yet checked against its range.
    Int(i64),
    /// The name of a field, curve, encoding and so on; see [`super::fields::name`].
    Name(&'static str),
}

impl fmt::Display for Immediate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Immediate::Int(value) => write!(f, "{value}"),
            Immediate::Name(name) => f.write_str(name),
        }
    }
}

/// What an operation expects of, or leaves as, one value on the stack.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum StackType {
    /// A 64-bit number.
    UInt64,
    /// A byte string of any length.
    Bytes,
    /// A byte string of this length.
    SizedBytes(u16),
    /// A number that is 0 or 1.
    Bool,
    /// A 32-byte address.
    Account,
    /// A big-endian number of up to 64 bytes.
    BigUInt,
    /// The key of a global or local state value.
    StateKey,
    /// The name of a box.
    BoxKey,
    /// Number or byte string.
    Any,
    /// An address, or a number that is an index into the account references.
    AccountOrIndex,
}

/// The kind of program an operation or field is available in.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum RunMode {
    /// Smart contracts only.
    App,
    /// Logic signatures only.
    LogicSig,
    /// Both.
    Any,
}

/// What an operation does besides computing its results.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Purity {
    /// Depends on nothing that changes while a program runs: removable and mergeable.
    Pure,
    /// Reads what may change, changes nothing: removable when its results are unused.
    SideEffectFree,
    /// Everything else; also some readers, as the reference keeps these sets by hand.
    None,
}

/// The signature of an operation for one choice of its deciding field.
#[derive(PartialEq, Eq, Debug)]
pub struct Variant {
    /// Types of the arguments, bottom of the stack first.
    pub args: &'static [StackType],
    /// Types of the results, bottom of the stack first.
    pub returns: &'static [StackType],
    /// Cost in the opcode budget, if it does not depend on the arguments.
    pub cost: Option<u32>,
    /// First AVM version that has it. That of the field where a field decides the signature.
    pub min_version: u8,
    /// Where it is available. That of the field where a field decides the signature.
    pub mode: RunMode,
}

/// An operation was given a field it does not know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownImmediate {
    /// The operation.
    pub op: AvmOp,
    /// Which of its immediates that is; there may be fewer.
    pub index: usize,
}

impl fmt::Display for UnknownImmediate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown immediate for {}", self.op.code())
    }
}

/// One row of the table behind [`AvmOp`].
pub(super) struct OpData {
    pub code: &'static str,
    pub identifier: &'static str,
    pub immediates: &'static [ImmediateKind],
    /// The immediate that chooses the variant; variants stand in the order of the group's fields.
    pub selector: Option<(u8, &'static FieldGroup)>,
    pub variants: &'static [Variant],
    pub purity: Purity,
    pub foldable: bool,
    pub min_version: u8,
    /// Where [`tables::OP_SPECS`] has it.
    pub spec: u8,
}

impl AvmOp {
    fn data(self) -> &'static OpData {
        &tables::OPS[self as usize]
    }
    /// The name in TEAL: `b+`, `txn`.
    pub fn code(self) -> &'static str {
        self.data().code
    }
    /// The reference's name of the operation: `add_bytes`, `global_`. Stands in some messages only.
    pub fn identifier(self) -> &'static str {
        self.data().identifier
    }
    /// The operation with this name in TEAL.
    pub fn from_code(code: &str) -> Option<AvmOp> {
        static PLACES: WordTable<512> = {
            let mut places = WordTable::new();
            let mut index = 0;
            while index < tables::OPS.len() {
                places.add(tables::OPS[index].code, index);
                index += 1;
            }
            places
        };
        PLACES.find(code, |index| tables::OPS[index].code).map(|index| AvmOp::ALL[index])
    }
    /// What the assembler knows about it.
    pub fn spec(self) -> SpecId {
        SpecId(self.data().spec)
    }
    /// What immediates it takes.
    pub fn immediate_kinds(self) -> &'static [ImmediateKind] {
        self.data().immediates
    }
    /// The signature that holds for these immediates.
    pub fn variant(self, immediates: &[Immediate]) -> Result<&'static Variant, UnknownImmediate> {
        let data = self.data();
        let Some((index, group)) = data.selector else { return Ok(&data.variants[0]) };
        let index = usize::from(index);
        let position = match immediates.get(index) {
            Some(Immediate::Name(name)) => group.position(name),
            Some(Immediate::Int(_)) | None => None,
        };
        match position {
            Some(position) => Ok(&data.variants[position]),
            None => Err(UnknownImmediate { op: self, index }),
        }
    }
    /// Every signature it may have, with the deciding field's name where there is one.
    pub fn variants(self) -> impl Iterator<Item = (Option<&'static str>, &'static Variant)> {
        let data = self.data();
        data.variants.iter().enumerate().map(|(index, variant)| {
            (data.selector.map(|(_, group)| group.fields[index].name), variant)
        })
    }
    /// Whether it has effects, and whether it depends on more than its arguments.
    pub fn purity(self) -> Purity {
        self.data().purity
    }
    /// Whether the results depend on the arguments alone.
    pub fn is_compile_time_constant(self) -> bool {
        self.data().foldable
    }
    /// First AVM version that has the operation; some fields came later, see [`AvmOp::variant`].
    pub fn min_version(self) -> u8 {
        self.data().min_version
    }
}

impl fmt::Display for AvmOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How an immediate is encoded behind the opcode.
#[derive(Copy, Clone, Debug)]
pub enum Encoding {
    /// One byte.
    UInt8,
    /// One byte, two's complement.
    Int8,
    /// A branch distance.
    Label,
    /// A count byte, then branch distances.
    Labels,
    /// A base-128 number.
    VarUInt,
    /// A base-128 count, then base-128 numbers.
    VarUInts,
    /// A base-128 length, then the bytes.
    Bytes,
    /// A base-128 count, then byte strings with their lengths.
    ByteStrings,
    /// One byte that stands for the name of a field.
    Enum(&'static FieldGroup),
}

/// What the assembler knows about an instruction.
#[derive(Debug)]
pub struct OpSpec {
    /// The name in TEAL.
    pub name: &'static str,
    /// The opcode, or its prefix byte.
    pub code: u8,
    /// The second byte of a two-byte opcode.
    pub sub_code: Option<u8>,
    /// How the immediates follow.
    pub immediates: &'static [Encoding],
}

/// An instruction, as its place in [`OpSpec::all`].
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SpecId(u8);

impl SpecId {
    /// The instruction with this name in TEAL, looked up while this compiler is compiled.
    pub const fn named(name: &str) -> Self {
        let mut index = 0;
        while !equal(tables::OP_SPECS[index].name.as_bytes(), name.as_bytes()) {
            index += 1;
        }
        SpecId(index as u8)
    }
    /// The place.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
    /// What the assembler knows about it.
    pub fn spec(self) -> &'static OpSpec {
        &tables::OP_SPECS[self.index()]
    }
}

/// `==`, which cannot be used in constants yet.
const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

impl OpSpec {
    /// The instruction with this name in TEAL.
    pub fn find(name: &str) -> Option<&'static OpSpec> {
        static PLACES: WordTable<512> = {
            let mut places = WordTable::new();
            let mut index = 0;
            while index < tables::OP_SPECS.len() {
                places.add(tables::OP_SPECS[index].name, index);
                index += 1;
            }
            places
        };
        let found = PLACES.find(name, |index| tables::OP_SPECS[index].name);
        found.map(|index| &tables::OP_SPECS[index])
    }
    /// How many instructions there are.
    pub const COUNT: usize = tables::OP_SPECS.len();
    /// Every instruction, by opcode.
    pub const fn all() -> &'static [OpSpec] {
        &tables::OP_SPECS
    }
    /// Bytes of the opcode itself.
    pub fn opcode_size(&self) -> usize {
        if self.sub_code.is_some() { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_operation() {
        for (index, op) in AvmOp::ALL.into_iter().enumerate() {
            assert_eq!(op as usize, index);
            assert_eq!(AvmOp::from_code(op.code()), Some(op), "{}", op.code());
            let spec = OpSpec::find(op.code()).expect("an operation can be assembled");
            assert!(std::ptr::eq(op.spec().spec(), spec), "{}", op.code());
            assert_eq!(spec.immediates.len(), op.immediate_kinds().len(), "{}", op.code());
        }
        assert_eq!(AvmOp::from_code("bnz"), None);
    }

    #[test]
    fn no_two_instructions_share_a_name_or_an_opcode() {
        for (index, spec) in OpSpec::all().iter().enumerate() {
            assert!(std::ptr::eq(OpSpec::find(spec.name).expect("listed"), spec), "{}", spec.name);
            let others = &OpSpec::all()[index + 1..];
            let same = |other: &OpSpec| (other.code, other.sub_code) == (spec.code, spec.sub_code);
            assert!(!others.iter().any(same), "{}", spec.name);
        }
        assert_eq!(OpSpec::all().len(), 198);
    }

    #[test]
    fn the_deciding_field_chooses_types_version_and_mode() {
        let last_log = [Immediate::Int(0), Immediate::Name("LastLog")];
        let variant = AvmOp::Gitxn.variant(&last_log).expect("a known field");
        assert_eq!(variant.returns, [StackType::Bytes]);
        assert_eq!((variant.min_version, variant.mode), (6, RunMode::App));
        let sender = AvmOp::Itxn.variant(&[Immediate::Name("Sender")]).expect("a known field");
        assert_eq!((sender.min_version, sender.mode), (1, RunMode::Any));
        let frozen = AvmOp::ItxnField.variant(&[Immediate::Name("FreezeAssetFrozen")]);
        assert_eq!(frozen.expect("a known field").args, [StackType::Bool]);
        let unknown =
            AvmOp::Global.variant(&[Immediate::Name("Sender")]).expect_err("no such field");
        assert_eq!(unknown.to_string(), "Unknown immediate for global");
    }

    #[test]
    fn signatures_and_classes_of_a_few_operations() {
        let plain = |op: AvmOp| op.variant(&[]).expect("a single variant");
        let add = plain(AvmOp::AddBytes);
        assert_eq!(
            (add.args.len(), add.returns, add.cost),
            (2, &[StackType::BigUInt][..], Some(10))
        );
        assert_eq!(plain(AvmOp::Sha512_256).returns, [StackType::SizedBytes(32)]);
        assert_eq!(plain(AvmOp::AppGlobalGetEx).args, [StackType::UInt64, StackType::StateKey]);
        assert_eq!(AvmOp::Mimc.purity(), Purity::None);
        assert_eq!(AvmOp::Load.purity(), Purity::SideEffectFree);
        assert_eq!(AvmOp::FalconVerify.purity(), Purity::Pure);
        assert!(!AvmOp::FalconVerify.is_compile_time_constant());
        assert_eq!((AvmOp::Not.code(), AvmOp::Not.identifier()), ("!", "not_"));
    }
}
