//! Root nodes and what they declare: subroutines, contracts and their members, logic signatures.
//! Spec 10 §13.

use super::expr::{BytesConstant, ExprRef};
use super::mentions::Mentions;
use super::stmt::Block;
use super::wtypes::WTypeId;
use crate::base::arena::Symbol;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::{CreateOption, OnCompletion, ResourceEncoding, StorageKind};

/// A parameter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SubroutineArgument {
    /// Its name.
    pub name: Symbol,
    /// Where it is declared.
    pub loc: Loc,
    /// Its type.
    pub wtype: WTypeId,
}

/// What the source says about a function.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct MethodDocumentation<'a> {
    pub description: Option<&'a str>,
    pub args: &'a [(&'a str, &'a str)],
    pub returns: Option<&'a str>,
}

/// What subroutines and contract methods have in common.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct Function<'a> {
    pub loc: Loc,
    pub args: &'a [SubroutineArgument],
    pub return_type: WTypeId,
    pub body: &'a Block<'a>,
    pub documentation: MethodDocumentation<'a>,
    pub inline: Option<bool>,
    pub pure: bool,
    /// `name` of a subroutine, `member_name` of a method.
    pub short_name: Symbol,
    /// `id` of a subroutine, `{cref}.{member_name}` of a method. Identifies the function.
    pub full_name: Symbol,
    /// What the body mentions.
    pub mentions: Mentions,
}

/// A free subroutine, or the program of a logic signature.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Subroutine<'a> {
    /// Its code; `full_name` is its id.
    pub function: Function<'a>,
}

/// A method of a contract class.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ContractMethod<'a> {
    /// Its code; `short_name` is its member name.
    pub function: Function<'a>,
    /// The class that declares it.
    pub cref: Symbol,
    /// How it is called from outside, if it can be.
    pub arc4_method_config: Option<Arc4MethodConfig<'a>>,
}

/// How a method is called from outside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Arc4MethodConfig<'a> {
    /// Without application arguments.
    Bare(&'a Arc4BareMethodConfig<'a>),
    /// By its ABI selector.
    Abi(&'a Arc4AbiMethodConfig<'a>),
}

impl<'a> Arc4MethodConfig<'a> {
    /// Where it is declared.
    pub fn loc(self) -> Loc {
        match self {
            Arc4MethodConfig::Bare(config) => config.loc,
            Arc4MethodConfig::Abi(config) => config.loc,
        }
    }
    /// The completions a call may have; never empty.
    pub fn allowed_completion_types(self) -> &'a [OnCompletion] {
        match self {
            Arc4MethodConfig::Bare(config) => config.allowed_completion_types,
            Arc4MethodConfig::Abi(config) => config.allowed_completion_types,
        }
    }
    /// Whether a call may create the application.
    pub fn create(self) -> CreateOption {
        match self {
            Arc4MethodConfig::Bare(config) => config.create,
            Arc4MethodConfig::Abi(config) => config.create,
        }
    }
}

/// A method called without application arguments.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct Arc4BareMethodConfig<'a> {
    pub loc: Loc,
    pub allowed_completion_types: &'a [OnCompletion],
    pub create: CreateOption,
}

/// A method called by its ABI selector.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct Arc4AbiMethodConfig<'a> {
    pub loc: Loc,
    pub allowed_completion_types: &'a [OnCompletion],
    pub create: CreateOption,
    pub name: &'a str,
    pub resource_encoding: ResourceEncoding,
    pub readonly: bool,
    /// Parameter name to the source of its default, in the order of the document.
    pub default_args: &'a [(&'a str, AbiMethodArgDefault<'a>)],
    pub validate_encoding: Option<bool>,
}

/// Where the default of a parameter comes from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum AbiMethodArgDefault<'a> {
    /// A method or state value of the contract.
    Member {
        /// The member's name.
        name: Symbol,
    },
    /// A constant.
    Constant {
        /// Its expression.
        value: ExprRef<'a>,
    },
}

/// A declared state value or map.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct AppStorageDefinition<'a> {
    pub loc: Loc,
    pub member_name: Symbol,
    pub kind: StorageKind,
    pub storage_wtype: WTypeId,
    /// The type of a map's keys; none for a single value.
    pub key_wtype: Option<WTypeId>,
    /// The key, or the prefix of a map's keys; always an [`super::expr::Expr::BytesConstant`].
    pub key: ExprRef<'a>,
    pub description: Option<&'a str>,
}

impl<'a> AppStorageDefinition<'a> {
    /// The key, or the prefix of a map's keys.
    pub fn key_constant(&self) -> &'a BytesConstant<'a> {
        match self.key {
            super::expr::Expr::BytesConstant(key) => key,
            _ => unreachable!("the reader makes storage keys bytes constants"),
        }
    }
}

/// Declared amounts of state, where they override the derived ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct StateTotals {
    pub global_uints: Option<i64>,
    pub local_uints: Option<i64>,
    pub global_bytes: Option<i64>,
    pub local_bytes: Option<i64>,
}

/// A logic signature.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct LogicSignature<'a> {
    pub loc: Loc,
    pub id: Symbol,
    pub short_name: Symbol,
    pub program: &'a Subroutine<'a>,
    pub docstring: Option<&'a str>,
    /// Distinct slots, ascending.
    pub reserved_scratch_space: &'a [i64],
    pub avm_version: Option<i64>,
    pub autosalt: Option<bool>,
    pub validate_encoding: Option<bool>,
}

/// A contract.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §13")]
pub struct Contract<'a> {
    pub loc: Loc,
    pub id: Symbol,
    pub name: Symbol,
    pub description: Option<&'a str>,
    /// Bases in lookup order, without the contract itself.
    pub method_resolution_order: &'a [Symbol],
    pub approval_program: &'a ContractMethod<'a>,
    pub clear_program: &'a ContractMethod<'a>,
    /// All methods of the contract and its bases.
    pub methods: &'a [&'a ContractMethod<'a>],
    pub app_state: &'a [AppStorageDefinition<'a>],
    pub state_totals: Option<StateTotals>,
    /// Distinct slots, ascending.
    pub reserved_scratch_space: &'a [i64],
    pub avm_version: Option<i64>,
    pub autosalt: Option<bool>,
    /// Approval, clear and `methods`, each distinct one once, in this order.
    pub all_methods: &'a [&'a ContractMethod<'a>],
}

impl<'a> Contract<'a> {
    /// The first method of this name along the hierarchy.
    pub fn resolve_method(&self, name: Symbol) -> Option<&'a ContractMethod<'a>> {
        std::iter::once(self.id)
            .chain(self.method_resolution_order.iter().copied())
            .find_map(|cref| self.method_of(cref, name))
    }
    /// The first method of this name from class `start` on (after it, with [`Search::Above`]).
    pub fn resolve_method_from(
        &self,
        name: Symbol,
        start: Symbol,
        search: Search,
        loc: Loc,
    ) -> Outcome<Option<&'a ContractMethod<'a>>> {
        let order: Vec<Symbol> =
            std::iter::once(self.id).chain(self.method_resolution_order.iter().copied()).collect();
        let Some(first) = order.iter().position(|cref| *cref == start) else {
            return Err(Failure::code("call to base method outside current hierarchy", loc));
        };
        let first = first + usize::from(search == Search::Above);
        Ok(order[first..].iter().find_map(|cref| self.method_of(*cref, name)))
    }
    fn method_of(&self, cref: Symbol, name: Symbol) -> Option<&'a ContractMethod<'a>> {
        let is_it = |method: &&&ContractMethod<'_>| {
            method.cref == cref && method.function.short_name == name
        };
        self.methods.iter().find(is_it).copied()
    }
}

/// Where the search for a method begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Search {
    /// At the class itself.
    At,
    /// At the class after it.
    Above,
}

/// A root of the document.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "variants are named after their node classes")]
pub enum RootNode<'a> {
    Subroutine(&'a Subroutine<'a>),
    LogicSignature(&'a LogicSignature<'a>),
    Contract(&'a Contract<'a>),
}

impl RootNode<'_> {
    /// Its id.
    pub fn id(&self) -> Symbol {
        match self {
            RootNode::Subroutine(node) => node.function.full_name,
            RootNode::LogicSignature(node) => node.id,
            RootNode::Contract(node) => node.id,
        }
    }
    /// What its bodies mention.
    pub fn mentions(&self) -> Mentions {
        match self {
            RootNode::Subroutine(node) => node.function.mentions,
            RootNode::LogicSignature(node) => node.program.function.mentions,
            RootNode::Contract(node) => node
                .all_methods
                .iter()
                .fold(Mentions::default(), |all, method| all.or(method.function.mentions)),
        }
    }
    /// Where the source wrote it.
    pub fn loc(&self) -> Loc {
        match self {
            RootNode::Subroutine(node) => node.function.loc,
            RootNode::LogicSignature(node) => node.loc,
            RootNode::Contract(node) => node.loc,
        }
    }
}
