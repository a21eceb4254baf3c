//! Facts about a contract or logic signature that travel beside its code: filled while its IR is
//! built, read by the method router and by the specification writers. Owned data, so it outlives
//! the source tree. Spec 60 §7.

use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;

/// What an application call does besides running the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names are those of the transaction field's values")]
pub enum OnCompletion {
    NoOp = 0,
    OptIn = 1,
    CloseOut = 2,
    ClearState = 3,
    UpdateApplication = 4,
    DeleteApplication = 5,
}

impl OnCompletion {
    /// All actions, in the order of their values.
    pub const ALL: [OnCompletion; 6] = [
        OnCompletion::NoOp,
        OnCompletion::OptIn,
        OnCompletion::CloseOut,
        OnCompletion::ClearState,
        OnCompletion::UpdateApplication,
        OnCompletion::DeleteApplication,
    ];
    /// The action of a transaction field's value.
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(value).ok()?).copied()
    }
    /// The name in AVM assembly and in ARC-56 (`NoOp`).
    pub fn avm_name(self) -> &'static str {
        match self {
            OnCompletion::NoOp => "NoOp",
            OnCompletion::OptIn => "OptIn",
            OnCompletion::CloseOut => "CloseOut",
            OnCompletion::ClearState => "ClearState",
            OnCompletion::UpdateApplication => "UpdateApplication",
            OnCompletion::DeleteApplication => "DeleteApplication",
        }
    }
    /// The name in ARC-32 and in messages (`no_op`).
    pub fn snake_name(self) -> &'static str {
        match self {
            OnCompletion::NoOp => "no_op",
            OnCompletion::OptIn => "opt_in",
            OnCompletion::CloseOut => "close_out",
            OnCompletion::ClearState => "clear_state",
            OnCompletion::UpdateApplication => "update_application",
            OnCompletion::DeleteApplication => "delete_application",
        }
    }
}

/// Whether a method may, must or must not create the application.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CreateOption {
    /// A creating call and any other.
    Allow,
    /// A creating call only.
    Require,
    /// Any but a creating call.
    Disallow,
}

/// Where a piece of state lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StorageKind {
    /// With the application.
    Global,
    /// With an account that opted in.
    Local,
    /// In a box of the application.
    Box,
}

/// How a state entry counts against the schema.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StorageType {
    /// An integer slot.
    Uint64,
    /// A byte string slot.
    Bytes,
}

/// How asset, application and account parameters are passed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ResourceEncoding {
    /// As an index into the transaction's foreign arrays.
    Index,
    /// As the id or address itself.
    Value,
}

/// One field of a [`Struct`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StructField {
    /// Name of the field.
    pub name: String,
    /// ARC-4 type name, with aliases.
    pub arc4_type: String,
    /// Full name of the struct, if the field is one.
    pub struct_name: Option<String>,
    /// Documentation.
    pub desc: Option<String>,
}

/// A named aggregate that a specification mentions, or an event. Equality is over everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Struct {
    /// Name with its module.
    pub full_name: String,
    /// Documentation.
    pub desc: Option<String>,
    /// The fields in order.
    pub fields: Vec<StructField>,
}

impl Struct {
    /// The last piece of the full name.
    pub fn name(&self) -> &str {
        short_name(&self.full_name)
    }
}

/// The last piece of a name split at everything that cannot stand in an identifier.
pub fn short_name(full_name: &str) -> &str {
    full_name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(full_name)
}

/// Where a client gets the value of an argument that is not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DefaultArg {
    /// From here.
    Constant {
        /// The ARC-4 encoded value.
        data: Vec<u8>,
        /// Its ARC-4 type name.
        arc4_type: String,
    },
    /// From the application's state.
    State {
        /// Where it is stored.
        kind: StorageKind,
        /// Under which key.
        key: Vec<u8>,
        /// `AVMString` or `AVMBytes`.
        key_type: String,
    },
    /// From the result of a call without arguments.
    Method {
        /// ABI name of the method.
        name: String,
        /// ARC-4 name of its return type.
        return_type: String,
        /// Whether it promises not to change state.
        readonly: bool,
    },
}

/// One parameter of an ABI method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodArg {
    /// Name of the parameter.
    pub name: String,
    /// ARC-4 type name with aliases, reference type or transaction type.
    pub arc4_type: String,
    /// Full name of the struct, if it is one.
    pub struct_name: Option<String>,
    /// Documentation.
    pub desc: Option<String>,
    /// What a client passes when the caller gives nothing.
    pub default: Option<DefaultArg>,
}

/// What an ABI method returns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodReturn {
    /// ARC-4 type name with aliases, or `void`.
    pub arc4_type: String,
    /// Full name of the struct, if it is one.
    pub struct_name: Option<String>,
    /// Documentation.
    pub desc: Option<String>,
}

/// A method that is selected by its signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AbiMethod {
    /// Full name of the method in the source.
    pub id: String,
    /// Documentation.
    pub desc: Option<String>,
    /// ABI name.
    pub name: String,
    /// The parameters in order.
    pub args: Vec<MethodArg>,
    /// The result.
    pub returns: MethodReturn,
    /// Events it may emit, each once.
    pub events: Vec<Struct>,
    /// The actions it accepts, in the order given.
    pub allowed_completion_types: Vec<OnCompletion>,
    /// Whether it may create the application.
    pub create: CreateOption,
    /// Whether it promises not to change state.
    pub readonly: bool,
    /// How resources are passed.
    pub resource_encoding: ResourceEncoding,
    /// Overrides the option that asks for checks of encoded arguments.
    pub validate_encoding: Option<bool>,
    /// Where it is configured.
    pub config_loc: Loc,
}

impl AbiMethod {
    /// Name, parameter types and return type as the selector is computed from.
    pub fn signature(&self) -> String {
        let types: Vec<&str> = self.args.iter().map(|arg| arg.arc4_type.as_str()).collect();
        format!("{}({}){}", self.name, types.join(","), self.returns.arc4_type)
    }
}

/// A method that is selected by the call having no arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BareMethod {
    /// Full name of the method in the source.
    pub id: String,
    /// Documentation.
    pub desc: Option<String>,
    /// The actions it accepts, in the order given.
    pub allowed_completion_types: Vec<OnCompletion>,
    /// Whether it may create the application.
    pub create: CreateOption,
    /// Where it is configured.
    pub config_loc: Loc,
}

/// A routable method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Method {
    /// Selected by having no arguments.
    Bare(BareMethod),
    /// Selected by signature.
    Abi(AbiMethod),
}

/// A piece of declared state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractState {
    /// Name of the member.
    pub name: String,
    /// Where it is declared.
    pub loc: Loc,
    /// The key, or the prefix of a map's keys.
    pub key_or_prefix: Vec<u8>,
    /// ARC-56 type of the key.
    pub arc56_key_type: String,
    /// ARC-56 type of the value.
    pub arc56_value_type: String,
    /// How it counts against the schema.
    pub storage_type: StorageType,
    /// Documentation.
    pub desc: Option<String>,
    /// Whether it is a map.
    pub is_map: bool,
}

/// Slots of state an application asks for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateTotals {
    pub global_uints: u64,
    pub local_uints: u64,
    pub global_bytes: u64,
    pub local_bytes: u64,
}

/// Facts about a contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractMetadata {
    /// Full id.
    pub id: String,
    /// Name; stands in file names.
    pub name: String,
    /// Documentation.
    pub desc: Option<String>,
    /// Global state by member name.
    pub global_state: OrderedMap<String, ContractState>,
    /// Local state by member name.
    pub local_state: OrderedMap<String, ContractState>,
    /// Boxes by member name.
    pub boxes: OrderedMap<String, ContractState>,
    /// Declared or counted slots.
    pub state_totals: StateTotals,
    /// Routable methods in order.
    pub methods: Vec<Method>,
    /// Structs by full name, sorted by it.
    pub structs: OrderedMap<String, Struct>,
    /// ARC-56 types of template variables by name.
    pub template_variable_types: OrderedMap<String, String>,
}

impl ContractMetadata {
    /// Whether calls are routed to methods, which is when there are specifications to write.
    pub fn is_arc4(&self) -> bool {
        !self.methods.is_empty()
    }
}

/// Facts about a logic signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogicSigMetadata {
    /// Full id.
    pub id: String,
    /// Short name; stands in file names.
    pub name: String,
    /// Documentation.
    pub desc: Option<String>,
}

/// Facts about what is compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per compilation target")]
pub enum Metadata {
    /// A contract's.
    Contract(ContractMetadata),
    /// A logic signature's.
    LogicSig(LogicSigMetadata),
}

impl Metadata {
    /// Full id.
    pub fn id(&self) -> &str {
        match self {
            Metadata::Contract(contract) => &contract.id,
            Metadata::LogicSig(logic_sig) => &logic_sig.id,
        }
    }
    /// The name that stands in file names.
    pub fn name(&self) -> &str {
        match self {
            Metadata::Contract(contract) => &contract.name,
            Metadata::LogicSig(logic_sig) => &logic_sig.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_short_name_is_the_last_identifier() {
        assert_eq!(short_name("a.b.Point_2"), "Point_2");
        assert_eq!(short_name("a.ts::Größe"), "Größe");
        assert_eq!(short_name("Pair<A>"), "");
    }
}
