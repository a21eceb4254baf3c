//! Named immediates with their bytes, the transaction fields an inner transaction can set, and the
//! constants of the protocol.

use super::tables;
use crate::base::word_table::WordTable;

/// One name an instruction takes as immediate.
#[derive(PartialEq, Eq, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The byte that stands for it.
    pub code: u8,
}

/// The names an immediate can choose from.
#[derive(PartialEq, Eq, Debug)]
pub struct FieldGroup {
    /// In order of the bytes.
    pub fields: &'static [Field],
    by_name: WordTable<128>,
}

/// The group of these fields.
pub(super) const fn group(fields: &'static [Field]) -> FieldGroup {
    let mut by_name = WordTable::new();
    let mut index = 0;
    while index < fields.len() {
        by_name.add(fields[index].name, index);
        index += 1;
    }
    FieldGroup { fields, by_name }
}

impl FieldGroup {
    /// Where in `fields` a name stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.find(name, |index| self.fields[index].name)
    }
    /// The byte of a name.
    pub fn code(&self, name: &str) -> Option<u8> {
        self.position(name).map(|position| self.fields[position].code)
    }
}

/// The one static copy of the name of any field, curve, encoding and so on.
pub fn name(text: &str) -> Option<&'static str> {
    static PLACES: WordTable<512> = {
        let mut places = WordTable::new();
        let mut index = 0;
        while index < tables::FIELD_NAMES.len() {
            places.add(tables::FIELD_NAMES[index], index);
            index += 1;
        }
        places
    };
    let found = PLACES.find(text, |index| tables::FIELD_NAMES[index]);
    found.map(|index| tables::FIELD_NAMES[index])
}

/// The type a transaction field has in the source language.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum FieldType {
    /// An address.
    Account,
    /// A number.
    UInt64,
    /// A truth value.
    Bool,
    /// An asset's id.
    Asset,
    /// An application's id.
    Application,
    /// A byte string.
    Bytes,
    /// A byte string of 32 bytes.
    Bytes32,
}

impl FieldType {
    /// Whether the AVM keeps it as a number; otherwise it is a byte string.
    pub fn is_uint64(self) -> bool {
        match self {
            FieldType::UInt64 | FieldType::Bool | FieldType::Asset | FieldType::Application => true,
            FieldType::Account | FieldType::Bytes | FieldType::Bytes32 => false,
        }
    }
}

macro_rules! txn_fields {
    ($($name:ident: $wtype:ident $([$count:expr])? $($read_only:literal)?;)+) => {
        /// A field of a transaction. The order of declaration is the order in which the fields of an
        /// inner transaction are set.
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[expect(missing_docs, reason = "each variant is a transaction field of the AVM")]
        pub enum TxnField { $($name,)+ }

        impl TxnField {
            /// Every field in order of declaration.
            pub const ALL: &'static [TxnField] = &[$(TxnField::$name,)+];

            const ROWS: &'static [TxnFieldData] = &[$(TxnFieldData {
                name: stringify!($name),
                field_type: FieldType::$wtype,
                num_values: [$($count,)? 1][0],
                is_inner_param: [$($read_only,)? ""][0].is_empty(),
            },)+];
        }
    };
}

struct TxnFieldData {
    name: &'static str,
    field_type: FieldType,
    num_values: u32,
    is_inner_param: bool,
}

txn_fields! {
    Sender: Account;
    Fee: UInt64;
    FirstValid: UInt64 "read-only";
    FirstValidTime: UInt64 "read-only";
    LastValid: UInt64 "read-only";
    Note: Bytes;
    Lease: Bytes32 "read-only";
    Receiver: Account;
    Amount: UInt64;
    CloseRemainderTo: Account;
    VotePK: Bytes32;
    SelectionPK: Bytes32;
    VoteFirst: UInt64;
    VoteLast: UInt64;
    VoteKeyDilution: UInt64;
    Type: Bytes;
    TypeEnum: UInt64;
    XferAsset: Asset;
    AssetAmount: UInt64;
    AssetSender: Account;
    AssetReceiver: Account;
    AssetCloseTo: Account;
    GroupIndex: UInt64 "read-only";
    TxID: Bytes32 "read-only";
    ApplicationID: Application;
    OnCompletion: UInt64;
    NumAppArgs: UInt64 "read-only";
    NumAccounts: UInt64 "read-only";
    ApprovalProgram: Bytes;
    ClearStateProgram: Bytes;
    RekeyTo: Account;
    ConfigAsset: Asset;
    ConfigAssetTotal: UInt64;
    ConfigAssetDecimals: UInt64;
    ConfigAssetDefaultFrozen: Bool;
    ConfigAssetUnitName: Bytes;
    ConfigAssetName: Bytes;
    ConfigAssetURL: Bytes;
    ConfigAssetMetadataHash: Bytes32;
    ConfigAssetManager: Account;
    ConfigAssetReserve: Account;
    ConfigAssetFreeze: Account;
    ConfigAssetClawback: Account;
    FreezeAsset: Asset;
    FreezeAssetAccount: Account;
    FreezeAssetFrozen: Bool;
    NumAssets: UInt64 "read-only";
    NumApplications: UInt64 "read-only";
    GlobalNumUint: UInt64;
    GlobalNumByteSlice: UInt64;
    LocalNumUint: UInt64;
    LocalNumByteSlice: UInt64;
    ExtraProgramPages: UInt64;
    Nonparticipation: Bool;
    NumLogs: UInt64 "read-only";
    CreatedAssetID: Asset "read-only";
    CreatedApplicationID: Application "read-only";
    LastLog: Bytes "read-only";
    StateProofPK: Bytes;
    NumApprovalProgramPages: UInt64 "read-only";
    NumClearStateProgramPages: UInt64 "read-only";
    ApplicationArgs: Bytes [16];
    Accounts: Account [4];
    Assets: Asset [8];
    Applications: Application [8];
    Logs: Bytes [32] "read-only";
    ApprovalProgramPages: Bytes [MAX_PROGRAM_PAGE_VALUES as u32];
    ClearStateProgramPages: Bytes [MAX_PROGRAM_PAGE_VALUES as u32];
    RejectVersion: UInt64;
}

impl TxnField {
    fn data(self) -> &'static TxnFieldData {
        &Self::ROWS[self as usize]
    }
    /// The name in TEAL and in the input.
    pub fn name(self) -> &'static str {
        self.data().name
    }
    /// The field with this name.
    pub fn from_name(name: &str) -> Option<TxnField> {
        static PLACES: WordTable<128> = {
            let mut places = WordTable::new();
            let mut index = 0;
            while index < TxnField::ROWS.len() {
                places.add(TxnField::ROWS[index].name, index);
                index += 1;
            }
            places
        };
        let found = PLACES.find(name, |index| Self::ROWS[index].name);
        found.map(|index| Self::ALL[index])
    }
    /// The type of the value, or of each value of an array field.
    pub fn field_type(self) -> FieldType {
        self.data().field_type
    }
    /// How many values the field has at most.
    pub fn num_values(self) -> u32 {
        self.data().num_values
    }
    /// Whether the field has several values.
    pub fn is_array(self) -> bool {
        self.num_values() > 1
    }
    /// Whether an inner transaction can set the field.
    pub fn is_inner_param(self) -> bool {
        self.data().is_inner_param
    }
}

/// The kinds of transaction.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub enum TransactionType {
    Pay,
    Keyreg,
    Acfg,
    Axfer,
    Afrz,
    Appl,
}

impl TransactionType {
    /// Every kind in order of its number.
    pub const ALL: [TransactionType; 6] = [
        TransactionType::Pay,
        TransactionType::Keyreg,
        TransactionType::Acfg,
        TransactionType::Axfer,
        TransactionType::Afrz,
        TransactionType::Appl,
    ];
    /// The protocol's name.
    pub fn name(self) -> &'static str {
        match self {
            TransactionType::Pay => "pay",
            TransactionType::Keyreg => "keyreg",
            TransactionType::Acfg => "acfg",
            TransactionType::Axfer => "axfer",
            TransactionType::Afrz => "afrz",
            TransactionType::Appl => "appl",
        }
    }
    /// The protocol's number.
    pub fn value(self) -> u64 {
        self as u64 + 1
    }
    /// The kind with this number.
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.value() == value)
    }
    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// AVM versions that can be compiled for.
pub const SUPPORTED_AVM_VERSIONS: [u8; 4] = [10, 11, 12, 13];
/// The version that runs on the main network.
pub const MAINNET_AVM_VERSION: u8 = 11;
/// The address of 32 zero bytes.
pub const ZERO_ADDRESS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAY5HFKQ";
/// Characters of an address as text.
pub const ENCODED_ADDRESS_LENGTH: usize = 58;
/// Bytes of a public key, which is an address without its checksum.
pub const PUBLIC_KEY_HASH_LENGTH: usize = 32;
/// Bytes of the checksum in an address as text.
pub const ADDRESS_CHECKSUM_LENGTH: usize = 4;
/// Bits of the largest big integer.
pub const MAX_BIGUINT_BITS: u32 = 512;
/// Bytes of the largest big integer.
pub const MAX_BIGUINT_BYTES: usize = 64;
/// Bytes of the longest byte string.
pub const MAX_BYTES_LENGTH: usize = 4096;
/// The last scratch slot.
pub const MAX_SCRATCH_SLOT_NUMBER: u64 = 255;
/// Values in an application's global state.
pub const MAX_GLOBAL_STATE_KEYS: u64 = 64;
/// Values in an account's local state of one application.
pub const MAX_LOCAL_STATE_KEYS: u64 = 16;
/// Bytes of the longest key of a global or local state value.
pub const MAX_STATE_KEY_LENGTH: usize = 64;
/// Bytes of the shortest box name.
pub const MIN_BOX_KEY_LENGTH: usize = 1;
/// Bytes of the longest box name.
pub const MAX_BOX_KEY_LENGTH: usize = 64;
/// Bytes of the largest box.
pub const MAX_BOX_BYTES_LENGTH: usize = 32_768;
/// Transactions in a group.
pub const MAX_TRANSACTION_GROUP_SIZE: u64 = 16;
/// Bytes of one program page.
pub const MAX_APP_PAGE_SIZE: usize = 2048;
/// Pages an application may have beyond the first.
pub const MAX_EXTRA_APP_PAGES: usize = 7;
/// Bytes that both programs of an application have together at most.
pub const MAX_APP_TOTAL_PROGRAM_SIZE: usize = (1 + MAX_EXTRA_APP_PAGES) * MAX_APP_PAGE_SIZE;
/// How many AVM values the largest program takes.
pub const MAX_PROGRAM_PAGE_VALUES: usize = MAX_APP_TOTAL_PROGRAM_SIZE.div_ceil(MAX_BYTES_LENGTH);
/// Goes before a program when the address of a logic signature is computed.
pub const HASH_PREFIX_PROGRAM: &[u8] = b"Program";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avm::ops::AvmOp;

    #[test]
    fn names_are_found_in_every_group_and_alone() {
        for name in tables::FIELD_NAMES {
            assert_eq!(super::name(name), Some(name));
        }
        for (field, _) in AvmOp::ALL.into_iter().flat_map(AvmOp::variants) {
            assert!(field.is_none_or(|field| super::name(field).is_some()));
        }
        assert_eq!(super::name("NoSuchField"), None);
    }

    #[test]
    fn transaction_fields_agree_with_the_instruction() {
        for &field in TxnField::ALL {
            assert_eq!(TxnField::from_name(field.name()), Some(field));
            let settable = AvmOp::ItxnField.variants().any(|(name, _)| name == Some(field.name()));
            assert_eq!(field.is_inner_param(), settable, "{}", field.name());
            let listed = AvmOp::Txna.variants().any(|(name, _)| name == Some(field.name()));
            assert_eq!(field.is_array(), listed, "{}", field.name());
        }
        assert_eq!(TxnField::ALL.len(), 69);
        assert_eq!(TxnField::ApprovalProgramPages.num_values(), 4);
    }
}
