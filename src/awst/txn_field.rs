//! Transaction fields as AWST names them: value type, number of values, use in inner transactions.
//! Spec 10 §15.

use super::wtypes::{ScalarType, WTypeId, WTypeKind, WTypes};

macro_rules! txn_fields {
    ($($name:ident $text:literal $wtype:ident $count:literal $inner:ident,)*) => {
        /// A field of a transaction. The declaration order is the reference's.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "members are the AVM's field names")]
        pub enum TxnField { $($name,)* }

        impl TxnField {
            /// Every field in declaration order.
            pub const ALL: &'static [TxnField] = &[$(TxnField::$name,)*];

            /// The AVM's name of the field; also its JSON spelling.
            pub fn name(self) -> &'static str {
                match self { $(TxnField::$name => $text,)* }
            }
            /// The type of one value.
            pub fn wtype(self) -> WTypeId {
                match self { $(TxnField::$name => WTypeId::$wtype,)* }
            }
            /// How many values the field holds at most; 1 for a scalar field.
            pub fn num_values(self) -> u32 {
                match self { $(TxnField::$name => $count,)* }
            }
            /// Whether an inner transaction may set it.
            pub fn is_inner_param(self) -> bool {
                match self { $(TxnField::$name => txn_fields!(@ $inner),)* }
            }
        }
    };
    (@ inner) => { true };
    (@ read) => { false };
}

txn_fields! {
    Sender "Sender" ACCOUNT 1 inner,
    Fee "Fee" UINT64 1 inner,
    FirstValid "FirstValid" UINT64 1 read,
    FirstValidTime "FirstValidTime" UINT64 1 read,
    LastValid "LastValid" UINT64 1 read,
    Note "Note" BYTES 1 inner,
    Lease "Lease" BYTES32 1 read,
    Receiver "Receiver" ACCOUNT 1 inner,
    Amount "Amount" UINT64 1 inner,
    CloseRemainderTo "CloseRemainderTo" ACCOUNT 1 inner,
    VotePk "VotePK" BYTES32 1 inner,
    SelectionPk "SelectionPK" BYTES32 1 inner,
    VoteFirst "VoteFirst" UINT64 1 inner,
    VoteLast "VoteLast" UINT64 1 inner,
    VoteKeyDilution "VoteKeyDilution" UINT64 1 inner,
    Type "Type" BYTES 1 inner,
    TypeEnum "TypeEnum" UINT64 1 inner,
    XferAsset "XferAsset" ASSET 1 inner,
    AssetAmount "AssetAmount" UINT64 1 inner,
    AssetSender "AssetSender" ACCOUNT 1 inner,
    AssetReceiver "AssetReceiver" ACCOUNT 1 inner,
    AssetCloseTo "AssetCloseTo" ACCOUNT 1 inner,
    GroupIndex "GroupIndex" UINT64 1 read,
    TxId "TxID" BYTES32 1 read,
    ApplicationId "ApplicationID" APPLICATION 1 inner,
    OnCompletion "OnCompletion" UINT64 1 inner,
    NumAppArgs "NumAppArgs" UINT64 1 read,
    NumAccounts "NumAccounts" UINT64 1 read,
    ApprovalProgram "ApprovalProgram" BYTES 1 inner,
    ClearStateProgram "ClearStateProgram" BYTES 1 inner,
    RekeyTo "RekeyTo" ACCOUNT 1 inner,
    ConfigAsset "ConfigAsset" ASSET 1 inner,
    ConfigAssetTotal "ConfigAssetTotal" UINT64 1 inner,
    ConfigAssetDecimals "ConfigAssetDecimals" UINT64 1 inner,
    ConfigAssetDefaultFrozen "ConfigAssetDefaultFrozen" BOOL 1 inner,
    ConfigAssetUnitName "ConfigAssetUnitName" BYTES 1 inner,
    ConfigAssetName "ConfigAssetName" BYTES 1 inner,
    ConfigAssetUrl "ConfigAssetURL" BYTES 1 inner,
    ConfigAssetMetadataHash "ConfigAssetMetadataHash" BYTES32 1 inner,
    ConfigAssetManager "ConfigAssetManager" ACCOUNT 1 inner,
    ConfigAssetReserve "ConfigAssetReserve" ACCOUNT 1 inner,
    ConfigAssetFreeze "ConfigAssetFreeze" ACCOUNT 1 inner,
    ConfigAssetClawback "ConfigAssetClawback" ACCOUNT 1 inner,
    FreezeAsset "FreezeAsset" ASSET 1 inner,
    FreezeAssetAccount "FreezeAssetAccount" ACCOUNT 1 inner,
    FreezeAssetFrozen "FreezeAssetFrozen" BOOL 1 inner,
    NumAssets "NumAssets" UINT64 1 read,
    NumApplications "NumApplications" UINT64 1 read,
    GlobalNumUint "GlobalNumUint" UINT64 1 inner,
    GlobalNumByteSlice "GlobalNumByteSlice" UINT64 1 inner,
    LocalNumUint "LocalNumUint" UINT64 1 inner,
    LocalNumByteSlice "LocalNumByteSlice" UINT64 1 inner,
    ExtraProgramPages "ExtraProgramPages" UINT64 1 inner,
    Nonparticipation "Nonparticipation" BOOL 1 inner,
    NumLogs "NumLogs" UINT64 1 read,
    CreatedAssetId "CreatedAssetID" ASSET 1 read,
    CreatedApplicationId "CreatedApplicationID" APPLICATION 1 read,
    LastLog "LastLog" BYTES 1 read,
    StateProofPk "StateProofPK" BYTES 1 inner,
    NumApprovalProgramPages "NumApprovalProgramPages" UINT64 1 read,
    NumClearStateProgramPages "NumClearStateProgramPages" UINT64 1 read,
    ApplicationArgs "ApplicationArgs" BYTES 16 inner,
    Accounts "Accounts" ACCOUNT 4 inner,
    Assets "Assets" ASSET 8 inner,
    Applications "Applications" APPLICATION 8 inner,
    Logs "Logs" BYTES 32 read,
    ApprovalProgramPages "ApprovalProgramPages" BYTES 4 inner,
    ClearStateProgramPages "ClearStateProgramPages" BYTES 4 inner,
    RejectVersion "RejectVersion" UINT64 1 inner,
}

impl TxnField {
    /// The field of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
    /// Whether it holds several values.
    pub fn is_array(self) -> bool {
        self.num_values() > 1
    }
    /// The stack type of one value.
    pub fn scalar_type(self) -> ScalarType {
        let numbers = [WTypeId::UINT64, WTypeId::BOOL, WTypeId::ASSET, WTypeId::APPLICATION];
        if numbers.contains(&self.wtype()) { ScalarType::UInt64 } else { ScalarType::Bytes }
    }
    /// Whether an expression of this type may give the field's value.
    pub fn valid_argument_type(self, wtypes: &WTypes<'_>, wtype: WTypeId) -> bool {
        let expected = Some(self.scalar_type());
        if !self.is_array() {
            return wtypes.get(wtype).scalar_type == expected;
        }
        match wtypes.get(wtype).kind {
            WTypeKind::Tuple { types, .. } => {
                types.iter().all(|item| wtypes.get(*item).scalar_type == expected)
            }
            _ => false,
        }
    }
}
