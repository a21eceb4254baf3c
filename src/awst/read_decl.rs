//! JSON root objects -> root nodes and what they declare: subroutines, contracts and their members, logic
//! signatures. Spec 10 §13.

use super::decl::{
    AbiMethodArgDefault, AppStorageDefinition, Arc4AbiMethodConfig, Arc4BareMethodConfig,
    Arc4MethodConfig, Contract, ContractMethod, Function, LogicSignature, MethodDocumentation,
    RootNode, StateTotals, Subroutine, SubroutineArgument,
};
use super::read::{J, Outcome, Reader, mistake, refuses};
use super::read_words::{Key, Object, Tag};
use super::wtypes::WTypeId;
use crate::avm::fields::SUPPORTED_AVM_VERSIONS;
use crate::base::source::Loc;
use crate::metadata::{CreateOption, OnCompletion, ResourceEncoding};

impl<'s> Reader<'_, 's> {
    /// The root nodes of a document.
    pub(super) fn roots(&mut self, document: J<'s>) -> Outcome<&'s [RootNode<'s>]> {
        self.slice(document, |reader, json| {
            let object = reader.object(json);
            let tag = reader.tag(object)?;
            let arena = reader.session.arena;
            Ok(match tag {
                Tag::Subroutine => RootNode::Subroutine(arena.alloc(reader.subroutine(object)?)),
                Tag::LogicSignature => {
                    RootNode::LogicSignature(arena.alloc(reader.logic_signature(object)?))
                }
                Tag::Contract => RootNode::Contract(arena.alloc(reader.contract(object)?)),
                Tag::RootNode => return Err(reader.abstract_node(tag, object)),
                _ => return Err(reader.unknown_tag(object)),
            })
        })
    }
    fn program(&mut self, json: J<'s>) -> Outcome<Subroutine<'s>> {
        let object = self.object(json);
        self.subroutine(object)
    }
    fn subroutine(&mut self, object: Object<'s>) -> Outcome<Subroutine<'s>> {
        let mut function = self.function(object)?;
        function.full_name = self.field(object, Key::Id, Self::symbol)?;
        function.short_name = self.field(object, Key::Name, Self::symbol)?;
        Ok(Subroutine { function })
    }
    /// The fields that all functions share; the names are the caller's business.
    fn function(&mut self, object: Object<'s>) -> Outcome<Function<'s>> {
        let inline = self.optional_field(object, Key::Inline, |r, j| r.nullable(j, Self::truth))?;
        let pure = self.optional_field(object, Key::Pure, Self::truth)?;
        let loc = self.loc_field(object)?;
        let args = self.field(object, Key::Args, |r, j| r.slice(j, Self::argument))?;
        let return_type = self.field(object, Key::ReturnType, Self::wtype)?;
        let (body, mentions) =
            self.gathering(|reader| reader.field(object, Key::Body, Self::block))?;
        let documentation = self.field(object, Key::Documentation, Self::documentation)?;
        let unnamed = self.session.sym("");
        Ok(Function {
            loc,
            args,
            return_type,
            body,
            documentation,
            inline: inline.flatten(),
            pure: pure.unwrap_or(false),
            short_name: unnamed,
            full_name: unnamed,
            mentions,
        })
    }
    fn argument(&mut self, json: J<'s>) -> Outcome<SubroutineArgument> {
        let object = self.object(json);
        let name = self.field(object, Key::Name, Self::symbol)?;
        let loc = self.loc_field(object)?;
        let wtype = self.field(object, Key::Wtype, Self::wtype)?;
        if wtype == WTypeId::VOID {
            return Err(mistake("void type arguments are not supported", loc));
        }
        Ok(SubroutineArgument { name, loc, wtype })
    }
    fn documentation(&mut self, json: J<'s>) -> Outcome<MethodDocumentation<'s>> {
        let object = self.object(json);
        let description = self.optional_field(object, Key::Description, Self::nullable_text)?;
        let args =
            self.optional_field(object, Key::Args, |r, j| r.map(j, |_, key| Ok(key), Self::text))?;
        let returns = self.optional_field(object, Key::Returns, Self::nullable_text)?;
        Ok(MethodDocumentation {
            description: description.flatten(),
            args: args.unwrap_or_default(),
            returns: returns.flatten(),
        })
    }
    fn contract_method(&mut self, json: J<'s>) -> Outcome<&'s ContractMethod<'s>> {
        if self.has_references() {
            self.remembered(|memory| &mut memory.methods, json, |reader| reader.new_method(json))
        } else {
            self.new_method(json)
        }
    }
    fn new_method(&mut self, json: J<'s>) -> Outcome<&'s ContractMethod<'s>> {
        let object = self.object(json);
        let mut function = self.function(object)?;
        let cref = self.field(object, Key::Cref, Self::symbol)?;
        function.short_name = self.field(object, Key::MemberName, Self::symbol)?;
        let arc4_method_config = self.field(object, Key::Arc4MethodConfig, |reader, json| {
            reader.nullable(json, Self::method_config)
        })?;
        let (class, member) = (self.session.text(cref), self.session.text(function.short_name));
        function.full_name = self.session.sym_joined(&[class, ".", member]);
        Ok(self.session.arena.alloc(ContractMethod { function, cref, arc4_method_config }))
    }
    fn method_config(&mut self, json: J<'s>) -> Outcome<Arc4MethodConfig<'s>> {
        let object = self.object(json);
        let arena = self.session.arena;
        let is_abi = self.has_key(object, Key::Name)?;
        if !is_abi && !self.has_key(object, Key::SourceLocation)? {
            return Err(refuses("Couldn't disambiguate"));
        }
        let allowed = self.optional_field(object, Key::AllowedCompletionTypes, |r, j| {
            r.slice(j, Self::on_completion)
        })?;
        let create = self.optional_field(object, Key::Create, Self::create_option)?;
        let allowed = allowed.unwrap_or(&[OnCompletion::NoOp]);
        let create = create.unwrap_or(CreateOption::Disallow);
        let some_allowed = || match allowed.len() {
            0 => Err(refuses("Length of 'allowed_completion_types' must be >= 1: 0")),
            _ => Ok(()),
        };
        if !is_abi {
            let loc = self.loc_field(object)?;
            some_allowed()?;
            let config = Arc4BareMethodConfig { loc, allowed_completion_types: allowed, create };
            return Ok(Arc4MethodConfig::Bare(arena.alloc(config)));
        }
        let resource_encoding =
            self.optional_field(object, Key::ResourceEncoding, Self::resource_encoding)?;
        let readonly = self.optional_field(object, Key::Readonly, Self::truth)?;
        let default_args = self.optional_field(object, Key::DefaultArgs, |r, j| {
            r.map(j, |_, key| Ok(key), Self::argument_default)
        })?;
        let validate_encoding =
            self.optional_field(object, Key::ValidateEncoding, |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(object)?;
        let name = self.field(object, Key::Name, Self::text)?;
        some_allowed()?;
        Ok(Arc4MethodConfig::Abi(arena.alloc(Arc4AbiMethodConfig {
            loc,
            allowed_completion_types: allowed,
            create,
            name,
            resource_encoding: resource_encoding.unwrap_or(ResourceEncoding::Value),
            readonly: readonly.unwrap_or(false),
            default_args: default_args.unwrap_or_default(),
            validate_encoding: validate_encoding.flatten(),
        })))
    }
    fn argument_default(&mut self, json: J<'s>) -> Outcome<AbiMethodArgDefault<'s>> {
        let object = self.object(json);
        if self.has_key(object, Key::Name)? {
            let name = self.field(object, Key::Name, Self::symbol)?;
            Ok(AbiMethodArgDefault::Member { name })
        } else if self.has_key(object, Key::Value)? {
            let value = self.field(object, Key::Value, Self::expr)?;
            Ok(AbiMethodArgDefault::Constant { value })
        } else {
            Err(refuses("Couldn't disambiguate"))
        }
    }
    fn logic_signature(&mut self, object: Object<'s>) -> Outcome<LogicSignature<'s>> {
        let autosalt =
            self.optional_field(object, Key::Autosalt, |r, j| r.nullable(j, Self::truth))?;
        let validate_encoding =
            self.optional_field(object, Key::ValidateEncoding, |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(object)?;
        let id = self.field(object, Key::Id, Self::symbol)?;
        let short_name = self.field(object, Key::ShortName, Self::symbol)?;
        let program = self.field(object, Key::Program, Self::program)?;
        let docstring = self.field(object, Key::Docstring, Self::nullable_text)?;
        let reserved_scratch_space =
            self.field(object, Key::ReservedScratchSpace, Self::int_set)?;
        let avm_version =
            self.field(object, Key::AvmVersion, |r, j| r.nullable(j, Self::small_int))?;
        if !returns_a_verdict(&program.function) {
            return Err(mistake(
                "Invalid return type for logicsig method, should be either bool or UInt64.",
                program.function.loc,
            ));
        }
        check_avm_version(avm_version, loc)?;
        Ok(LogicSignature {
            loc,
            id,
            short_name,
            program: self.session.arena.alloc(program),
            docstring,
            reserved_scratch_space,
            avm_version,
            autosalt: autosalt.flatten(),
            validate_encoding: validate_encoding.flatten(),
        })
    }
    fn contract(&mut self, object: Object<'s>) -> Outcome<Contract<'s>> {
        let autosalt =
            self.optional_field(object, Key::Autosalt, |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(object)?;
        let id = self.field(object, Key::Id, Self::symbol)?;
        let name = self.field(object, Key::Name, Self::symbol)?;
        let description = self.field(object, Key::Description, Self::nullable_text)?;
        let method_resolution_order =
            self.field(object, Key::MethodResolutionOrder, |r, j| r.slice(j, Self::symbol))?;
        let approval_program = self.field(object, Key::ApprovalProgram, Self::contract_method)?;
        let clear_program = self.field(object, Key::ClearProgram, Self::contract_method)?;
        let methods = self.field(object, Key::Methods, |r, j| r.slice(j, Self::contract_method))?;
        let app_state = self.field(object, Key::AppState, |r, j| r.slice(j, Self::storage))?;
        let state_totals =
            self.field(object, Key::StateTotals, |r, j| r.nullable(j, Self::state_totals))?;
        let reserved_scratch_space =
            self.field(object, Key::ReservedScratchSpace, Self::int_set)?;
        let avm_version =
            self.field(object, Key::AvmVersion, |r, j| r.nullable(j, Self::small_int))?;
        check_program("approval", approval_program)?;
        check_program("clear-state", clear_program)?;
        check_avm_version(avm_version, loc)?;
        let mut all_methods: Vec<&ContractMethod<'s>> = Vec::with_capacity(methods.len() + 2);
        for method in [approval_program, clear_program].iter().chain(methods) {
            if !all_methods.contains(method) {
                all_methods.push(method);
            }
        }
        Ok(Contract {
            loc,
            id,
            name,
            description,
            method_resolution_order,
            approval_program,
            clear_program,
            methods,
            app_state,
            state_totals,
            reserved_scratch_space,
            avm_version,
            autosalt: autosalt.flatten(),
            all_methods: self.session.arena.slice_of(all_methods),
        })
    }
    fn storage(&mut self, json: J<'s>) -> Outcome<AppStorageDefinition<'s>> {
        let object = self.object(json);
        Ok(AppStorageDefinition {
            loc: self.loc_field(object)?,
            member_name: self.field(object, Key::MemberName, Self::symbol)?,
            kind: self.field(object, Key::Kind, Self::storage_kind)?,
            storage_wtype: self.field(object, Key::StorageWtype, Self::wtype)?,
            key_wtype: self.field(object, Key::KeyWtype, |r, j| r.nullable(j, Self::wtype))?,
            key: self.field(object, Key::Key, Self::bytes_constant_ref)?,
            description: self.field(object, Key::Description, Self::nullable_text)?,
        })
    }
    fn state_totals(&mut self, json: J<'s>) -> Outcome<StateTotals> {
        let object = self.object(json);
        let mut total = |key| {
            let total = self.optional_field(object, key, |r, j| r.nullable(j, Self::small_int));
            total.map(Option::flatten)
        };
        Ok(StateTotals {
            global_uints: total(Key::GlobalUints)?,
            local_uints: total(Key::LocalUints)?,
            global_bytes: total(Key::GlobalBytes)?,
            local_bytes: total(Key::LocalBytes)?,
        })
    }
    fn int_set(&mut self, json: J<'s>) -> Outcome<&'s [i64]> {
        let mut items = self.slice(json, Self::small_int)?.to_vec();
        items.sort_unstable();
        items.dedup();
        Ok(self.session.arena.slice_of(items))
    }
}

fn returns_a_verdict(function: &Function<'_>) -> bool {
    [WTypeId::UINT64, WTypeId::BOOL].contains(&function.return_type)
}

fn check_avm_version(version: Option<i64>, loc: Loc) -> Outcome<()> {
    match version {
        Some(version)
            if !SUPPORTED_AVM_VERSIONS.iter().any(|known| i64::from(*known) == version) =>
        {
            Err(mistake("unsupported AVM version", loc))
        }
        _ => Ok(()),
    }
}

fn check_program(kind: &str, method: &ContractMethod<'_>) -> Outcome<()> {
    let refuse = |message: String| Err(mistake(message, method.function.loc));
    if !method.function.args.is_empty() {
        return refuse(format!("{kind} method should not take any args (other than self)"));
    }
    if !returns_a_verdict(&method.function) {
        return refuse(format!(
            "Invalid return type for {kind} method, should be either bool or UInt64."
        ));
    }
    if method.arc4_method_config.is_some() {
        return refuse(format!("{kind} method should not be marked as an ABI method"));
    }
    Ok(())
}
