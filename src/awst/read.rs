//! AWST JSON -> root nodes: the entry point, references between objects, declarations.
//! Statements are read in `read_stmt.rs`, expressions in `read_expr.rs`, types in `read_wtype.rs`,
//! scalars in `read_scalar.rs`.
//!
//! Fields are read in the reference's order, because it decides which mistake is reported first: of one
//! object first the fields with defaults that are present, then the required ones, each group in
//! declaration order; then the checks of the object itself. Reading stops at the first failure;
//! checks that only report go on. Spec 10 §5 to §13.

use super::decl::{
    AbiMethodArgDefault, AppStorageDefinition, Arc4AbiMethodConfig, Arc4BareMethodConfig,
    Arc4MethodConfig, Contract, ContractMethod, Function, LogicSignature, MethodDocumentation,
    RootNode, StateTotals, Subroutine, SubroutineArgument,
};
use super::read_scalar::{class_of, hashable, lookup_key, repr_of};
use super::wtypes::{WTypeId, WTypes};
use crate::avm::fields::SUPPORTED_AVM_VERSIONS;
use crate::base::arena::Symbol;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::json::{DEPTH_MAX, Json, Kind};
use crate::metadata::{CreateOption, OnCompletion, ResourceEncoding};
use crate::session::Session;

pub(super) const ID_KEY: &str = "_$%!#ID";
const REF_KEY: &str = "_$%!#REF";

/// After how many nodes the stop check is asked.
const NODES_PER_STOP_CHECK: u32 = 4096;

/// How much of the way to a mistake is told.
const PLACE_STEPS_MAX: usize = 200;

/// Why a document could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadFailure {
    /// What the reference says.
    pub failure: Failure,
    place: String,
    explanation: Option<String>,
}

impl ReadFailure {
    /// Where in the document reading stopped: `awst[3].body.body[0].value.wtype`.
    pub fn place(&self) -> &str {
        &self.place
    }
    /// What is wrong there in words of the document, where the reference's message is no more than a
    /// name: `unknown type "Foo"`.
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }
}

impl From<ReadFailure> for Failure {
    fn from(read_failure: ReadFailure) -> Self {
        read_failure.failure
    }
}

/// Reads the root nodes of a document.
pub fn read<'s>(
    session: &Session<'s>,
    wtypes: &WTypes<'s>,
    document: Json<'s>,
) -> Result<&'s [RootNode<'s>], ReadFailure> {
    let document: J<'s> = session.arena.alloc(document);
    let mut reader = Reader {
        session,
        wtypes,
        definitions: LookupMap::new(),
        path: Vec::new(),
        depth: 0,
        nodes: 0,
        nameless_evaluations: 0,
        last_path: None,
    };
    let roots = reader.gather_definitions(document).and_then(|()| reader.roots(document));
    roots.map_err(|failure| {
        let explanation = reader.explain(document, &failure);
        ReadFailure { failure, place: reader.place(), explanation }
    })
}

/// A value of the document.
pub(super) type J<'s> = &'s Json<'s>;

/// The failure of a value that its Python class refuses (`ValueError`, `TypeError`).
pub(super) fn refuses(message: impl std::fmt::Display) -> Failure {
    let message = format!("invalid value encountered during deserialization: {message}");
    Failure::internal(message, Loc::NONE)
}

/// The failure of everything else (missing keys, assertions).
pub(super) fn fails(message: impl std::fmt::Display) -> Failure {
    Failure::internal(format!("deserialization failed: {message}"), Loc::NONE)
}

/// A step from the root of the document to the value being read.
#[derive(Clone, Copy)]
pub(super) enum Step<'s> {
    Key(&'s str),
    Index(usize),
}

/// The state of reading one document.
pub(super) struct Reader<'r, 's> {
    pub(super) session: &'r Session<'s>,
    pub(super) wtypes: &'r WTypes<'s>,
    /// Objects by the text of their reference id; strings in quotes.
    definitions: LookupMap<String, J<'s>>,
    /// The way to the value being read; stays as it is when reading fails.
    path: Vec<Step<'s>>,
    depth: usize,
    nodes: u32,
    /// How many single evaluations came without an id.
    pub(super) nameless_evaluations: u64,
    /// The path read last, which is nearly always the next one too.
    pub(super) last_path: Option<(&'s str, Symbol)>,
}

impl<'s> Reader<'_, 's> {
    fn place(&self) -> String {
        let mut place = "awst".to_owned();
        for (index, step) in self.path.iter().enumerate() {
            if index == PLACE_STEPS_MAX {
                place.push_str("...");
                break;
            }
            match step {
                Step::Key(key) => {
                    place.push('.');
                    place.push_str(key);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        place
    }

    /// A failed look-up names what was looked up: the tag of the object being read, or a member that
    /// it does not have.
    fn explain(&self, document: J<'s>, failure: &Failure) -> Option<String> {
        let Failure::Internal(message, _) = failure else { return None };
        let name = message.strip_prefix("deserialization failed: '")?.strip_suffix('\'')?;
        let value = self.path.iter().try_fold(document, |json, step| match step {
            Step::Key(key) => json.get(key),
            Step::Index(index) => json.as_array()?.get(*index),
        })?;
        let tag = value.get("_type").and_then(Json::as_str);
        value.as_object()?;
        if tag == Some(name) {
            Some(format!("unknown type \"{name}\""))
        } else {
            value.get(name).is_none().then(|| format!("no member \"{name}\""))
        }
    }

    // ---- references ----

    fn gather_definitions(&mut self, document: J<'s>) -> Outcome<()> {
        self.define_objects(document)?;
        self.check_references(document)
    }
    fn define_objects(&mut self, json: J<'s>) -> Outcome<()> {
        match json.kind {
            Kind::Object(fields) => {
                if let Some(id) = json.get(ID_KEY).filter(|id| !id.is_null()) {
                    hashable(id)?;
                    if self.definitions.insert(lookup_key(id), json).is_some() {
                        let id = id.as_str().map_or_else(|| repr_of(id), str::to_owned);
                        return Err(fails(format!("{id} was defined multiple times")));
                    }
                }
                fields.iter().try_for_each(|(_, value)| self.define_objects(value))
            }
            Kind::Array(items) => items.iter().try_for_each(|item| self.define_objects(item)),
            _ => Ok(()),
        }
    }
    fn check_references(&self, json: J<'s>) -> Outcome<()> {
        match json.kind {
            Kind::Object(fields) => match json.get(REF_KEY).filter(|id| !id.is_null()) {
                Some(id) if !self.definitions.contains_key(&lookup_key(id)) => {
                    hashable(id)?;
                    let id = id.as_str().map_or_else(|| repr_of(id), str::to_owned);
                    Err(fails(format!("{id} was not defined")))
                }
                Some(_) => Ok(()),
                None => fields.iter().try_for_each(|(_, value)| self.check_references(value)),
            },
            Kind::Array(items) => items.iter().try_for_each(|item| self.check_references(item)),
            _ => Ok(()),
        }
    }
    /// The object a reference stands for; any other value itself.
    fn resolve(&self, json: J<'s>) -> J<'s> {
        if self.definitions.is_empty() {
            return json;
        }
        let referred = json.get(REF_KEY).filter(|id| !id.is_null());
        referred.and_then(|id| self.definitions.get(&lookup_key(id))).copied().unwrap_or(json)
    }

    // ---- walking the document ----

    /// Reads something below the current value, unless it is nested too deeply to be finite.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH_MAX {
            return Err(fails("maximum recursion depth exceeded"));
        }
        self.nodes += 1;
        if self.nodes.is_multiple_of(NODES_PER_STOP_CHECK) {
            self.session.check_stop()?;
        }
        self.depth += 1;
        let out = read(self)?;
        self.depth -= 1;
        Ok(out)
    }
    pub(super) fn at<T>(
        &mut self,
        step: Step<'s>,
        json: J<'s>,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<T> {
        self.path.push(step);
        let out = read(self, self.resolve(json))?;
        self.path.pop();
        Ok(out)
    }
    /// Reads a field that must be present.
    pub(super) fn field<T>(
        &mut self,
        object: J<'s>,
        key: &'static str,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<T> {
        let Kind::Object(_) = object.kind else {
            return Err(refuses(match object.kind {
                Kind::String(_) => "string indices must be integers, not 'str'".to_owned(),
                Kind::Array(_) => "list indices must be integers or slices, not str".to_owned(),
                _ => format!("'{}' object is not subscriptable", class_of(object)),
            }));
        };
        match object.get(key) {
            Some(value) => self.at(Step::Key(key), value, read),
            None => Err(fails(repr(key))),
        }
    }
    /// Reads a field that may be absent.
    pub(super) fn optional_field<T>(
        &mut self,
        object: J<'s>,
        key: &'static str,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        match object.kind {
            Kind::Object(_) => match object.get(key) {
                Some(value) => self.at(Step::Key(key), value, read).map(Some),
                None => Ok(None),
            },
            Kind::String(_) | Kind::Array(_) => Ok(None),
            _ => Err(refuses(format!("argument of type '{}' is not iterable", class_of(object)))),
        }
    }
    /// Reads a value that may be null.
    pub(super) fn nullable<T>(
        &mut self,
        json: J<'s>,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        if json.is_null() { Ok(None) } else { read(self, json).map(Some) }
    }
    /// Reads each item of a list. Like Python, takes the characters of a string and the keys of an
    /// object for items.
    pub(super) fn list<T>(
        &mut self,
        json: J<'s>,
        mut read: impl FnMut(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let arena = self.session.arena;
        let text = |text| Json { kind: Kind::String(text), offset: json.offset };
        let items: &'s [Json<'s>] = match json.kind {
            Kind::Array(items) => items,
            Kind::Object(fields) => {
                arena.slice_of(fields.iter().map(|(key, _)| text(key)).collect())
            }
            Kind::String(characters) => {
                let each = characters.char_indices();
                let each = each.map(|(at, c)| text(&characters[at..at + c.len_utf8()]));
                arena.slice_of(each.collect())
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {
                return Err(refuses(format!("'{}' object is not iterable", class_of(json))));
            }
        };
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            out.push(self.at(Step::Index(index), item, &mut read)?);
        }
        Ok(out)
    }
    /// Reads each item of a list into the arena.
    pub(super) fn slice<T>(
        &mut self,
        json: J<'s>,
        read: impl FnMut(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<&'s [T]> {
        let items = self.list(json, read)?;
        Ok(self.session.arena.slice_of(items))
    }
    /// Reads each member of a map into the arena.
    pub(super) fn map<K, V>(
        &mut self,
        json: J<'s>,
        mut read_key: impl FnMut(&mut Self, &'s str) -> Outcome<K>,
        mut read: impl FnMut(&mut Self, J<'s>) -> Outcome<V>,
    ) -> Outcome<&'s [(K, V)]> {
        let Kind::Object(fields) = json.kind else {
            return Err(fails(format!("'{}' object has no attribute 'items'", class_of(json))));
        };
        let mut out = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            if *key == ID_KEY && !self.definitions.is_empty() {
                continue;
            }
            self.path.push(Step::Key(key));
            let key = read_key(self, key)?;
            let value = read(self, self.resolve(value))?;
            self.path.pop();
            out.push((key, value));
        }
        Ok(self.session.arena.slice_of(out))
    }
    /// The class a tagged object names.
    pub(super) fn tag(&mut self, json: J<'s>) -> Outcome<&'s str> {
        self.field(json, "_type", |_, tag| {
            hashable(tag)?;
            tag.as_str().ok_or_else(|| fails(repr_of(tag)))
        })
    }
    /// A text or null.
    pub(super) fn nullable_text(&mut self, json: J<'s>) -> Outcome<Option<&'s str>> {
        self.nullable(json, Self::text)
    }
    /// The location every node has.
    pub(super) fn loc_field(&mut self, object: J<'s>) -> Outcome<Loc> {
        self.field(object, "source_location", Self::loc)
    }

    // ---- root nodes ----

    fn roots(&mut self, document: J<'s>) -> Outcome<&'s [RootNode<'s>]> {
        self.slice(document, |reader, json| {
            let tag = reader.tag(json)?;
            let arena = reader.session.arena;
            Ok(match tag {
                "Subroutine" => RootNode::Subroutine(arena.alloc(reader.subroutine(json)?)),
                "LogicSignature" => {
                    RootNode::LogicSignature(arena.alloc(reader.logic_signature(json)?))
                }
                "Contract" => RootNode::Contract(arena.alloc(reader.contract(json)?)),
                "RootNode" => return Err(reader.abstract_node(tag, json)),
                other => return Err(fails(repr(other))),
            })
        })
    }
    /// The failure of an object tagged with a class that has no objects.
    pub(super) fn abstract_node(&mut self, tag: &str, json: J<'s>) -> Failure {
        let mut fields = self.loc_field(json).map(drop);
        if tag == "Expression" {
            fields = fields.and_then(|()| self.field(json, "wtype", Self::wtype).map(drop));
        }
        let methods = if tag == "RootNode" { "methods 'accept', 'id'" } else { "method 'accept'" };
        fields.err().unwrap_or_else(|| {
            refuses(format!(
                "Can't instantiate abstract class {tag} without an implementation for abstract \
                 {methods}"
            ))
        })
    }
    fn subroutine(&mut self, json: J<'s>) -> Outcome<Subroutine<'s>> {
        let mut function = self.function(json)?;
        function.full_name = self.field(json, "id", Self::symbol)?;
        function.short_name = self.field(json, "name", Self::symbol)?;
        Ok(Subroutine { function })
    }
    /// The fields that all functions share; the names are the caller's business.
    fn function(&mut self, json: J<'s>) -> Outcome<Function<'s>> {
        let inline = self.optional_field(json, "inline", |r, j| r.nullable(j, Self::truth))?;
        let pure = self.optional_field(json, "pure", Self::truth)?;
        let loc = self.loc_field(json)?;
        let args = self.field(json, "args", |r, j| r.slice(j, Self::argument))?;
        let return_type = self.field(json, "return_type", Self::wtype)?;
        let body = self.field(json, "body", Self::block)?;
        let documentation = self.field(json, "documentation", Self::documentation)?;
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
        })
    }
    fn argument(&mut self, json: J<'s>) -> Outcome<SubroutineArgument> {
        let name = self.field(json, "name", Self::symbol)?;
        let loc = self.loc_field(json)?;
        let wtype = self.field(json, "wtype", Self::wtype)?;
        if wtype == WTypeId::VOID {
            return Err(Failure::code("void type arguments are not supported", loc));
        }
        Ok(SubroutineArgument { name, loc, wtype })
    }
    fn documentation(&mut self, json: J<'s>) -> Outcome<MethodDocumentation<'s>> {
        let description = self.optional_field(json, "description", Self::nullable_text)?;
        let args =
            self.optional_field(json, "args", |r, j| r.map(j, |_, key| Ok(key), Self::text))?;
        let returns = self.optional_field(json, "returns", Self::nullable_text)?;
        Ok(MethodDocumentation {
            description: description.flatten(),
            args: args.unwrap_or_default(),
            returns: returns.flatten(),
        })
    }
    fn contract_method(&mut self, json: J<'s>) -> Outcome<&'s ContractMethod<'s>> {
        let mut function = self.function(json)?;
        let cref = self.field(json, "cref", Self::symbol)?;
        function.short_name = self.field(json, "member_name", Self::symbol)?;
        let arc4_method_config = self.field(json, "arc4_method_config", |reader, json| {
            reader.nullable(json, Self::method_config)
        })?;
        let (class, member) = (self.session.text(cref), self.session.text(function.short_name));
        function.full_name = self.session.sym(&format!("{class}.{member}"));
        Ok(self.session.arena.alloc(ContractMethod { function, cref, arc4_method_config }))
    }
    fn method_config(&mut self, json: J<'s>) -> Outcome<Arc4MethodConfig<'s>> {
        let arena = self.session.arena;
        let is_abi = self.has_key(json, "name")?;
        if !is_abi && !self.has_key(json, "source_location")? {
            return Err(refuses("Couldn't disambiguate"));
        }
        let allowed = self.optional_field(json, "allowed_completion_types", |r, j| {
            r.slice(j, Self::on_completion)
        })?;
        let create = self.optional_field(json, "create", Self::create_option)?;
        let allowed = allowed.unwrap_or(&[OnCompletion::NoOp]);
        let create = create.unwrap_or(CreateOption::Disallow);
        let some_allowed = || match allowed.len() {
            0 => Err(refuses("Length of 'allowed_completion_types' must be >= 1: 0")),
            _ => Ok(()),
        };
        if !is_abi {
            let loc = self.loc_field(json)?;
            some_allowed()?;
            let config = Arc4BareMethodConfig { loc, allowed_completion_types: allowed, create };
            return Ok(Arc4MethodConfig::Bare(arena.alloc(config)));
        }
        let resource_encoding =
            self.optional_field(json, "resource_encoding", Self::resource_encoding)?;
        let readonly = self.optional_field(json, "readonly", Self::truth)?;
        let default_args = self.optional_field(json, "default_args", |r, j| {
            r.map(j, |_, key| Ok(key), Self::argument_default)
        })?;
        let validate_encoding =
            self.optional_field(json, "validate_encoding", |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(json)?;
        let name = self.field(json, "name", Self::text)?;
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
        if self.has_key(json, "name")? {
            let name = self.field(json, "name", Self::symbol)?;
            Ok(AbiMethodArgDefault::Member { name })
        } else if self.has_key(json, "value")? {
            let value = self.field(json, "value", Self::expr)?;
            Ok(AbiMethodArgDefault::Constant { value })
        } else {
            Err(refuses("Couldn't disambiguate"))
        }
    }
    /// Whether an untagged object has the key that tells its class.
    pub(super) fn has_key(&self, json: J<'s>, key: &str) -> Outcome<bool> {
        match json.kind {
            Kind::Object(_) => Ok(json.get(key).is_some()),
            _ => Err(refuses("Only input mappings are supported")),
        }
    }
    fn logic_signature(&mut self, json: J<'s>) -> Outcome<LogicSignature<'s>> {
        let autosalt = self.optional_field(json, "autosalt", |r, j| r.nullable(j, Self::truth))?;
        let validate_encoding =
            self.optional_field(json, "validate_encoding", |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(json)?;
        let id = self.field(json, "id", Self::symbol)?;
        let short_name = self.field(json, "short_name", Self::symbol)?;
        let program = self.field(json, "program", Self::subroutine)?;
        let docstring = self.field(json, "docstring", Self::nullable_text)?;
        let reserved_scratch_space = self.field(json, "reserved_scratch_space", Self::int_set)?;
        let avm_version = self.field(json, "avm_version", |r, j| r.nullable(j, Self::small_int))?;
        if !returns_a_verdict(&program.function) {
            return Err(Failure::code(
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
    fn contract(&mut self, json: J<'s>) -> Outcome<Contract<'s>> {
        let autosalt = self.optional_field(json, "autosalt", |r, j| r.nullable(j, Self::truth))?;
        let loc = self.loc_field(json)?;
        let id = self.field(json, "id", Self::symbol)?;
        let name = self.field(json, "name", Self::symbol)?;
        let description = self.field(json, "description", Self::nullable_text)?;
        let method_resolution_order =
            self.field(json, "method_resolution_order", |r, j| r.slice(j, Self::symbol))?;
        let approval_program = self.field(json, "approval_program", Self::contract_method)?;
        let clear_program = self.field(json, "clear_program", Self::contract_method)?;
        let methods = self.field(json, "methods", |r, j| r.slice(j, Self::contract_method))?;
        let app_state = self.field(json, "app_state", |r, j| r.slice(j, Self::storage))?;
        let state_totals =
            self.field(json, "state_totals", |r, j| r.nullable(j, Self::state_totals))?;
        let reserved_scratch_space = self.field(json, "reserved_scratch_space", Self::int_set)?;
        let avm_version = self.field(json, "avm_version", |r, j| r.nullable(j, Self::small_int))?;
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
        Ok(AppStorageDefinition {
            loc: self.loc_field(json)?,
            member_name: self.field(json, "member_name", Self::symbol)?,
            kind: self.field(json, "kind", Self::storage_kind)?,
            storage_wtype: self.field(json, "storage_wtype", Self::wtype)?,
            key_wtype: self.field(json, "key_wtype", |r, j| r.nullable(j, Self::wtype))?,
            key: self.field(json, "key", Self::bytes_constant_ref)?,
            description: self.field(json, "description", Self::nullable_text)?,
        })
    }
    fn state_totals(&mut self, json: J<'s>) -> Outcome<StateTotals> {
        let mut total = |key| {
            let total = self.optional_field(json, key, |r, j| r.nullable(j, Self::small_int));
            total.map(Option::flatten)
        };
        Ok(StateTotals {
            global_uints: total("global_uints")?,
            local_uints: total("local_uints")?,
            global_bytes: total("global_bytes")?,
            local_bytes: total("local_bytes")?,
        })
    }
    fn int_set(&mut self, json: J<'s>) -> Outcome<&'s [i64]> {
        let mut items = self.list(json, Self::small_int)?;
        items.sort_unstable();
        items.dedup();
        Ok(self.session.arena.slice_of(items))
    }
    /// The name of a type.
    pub(super) fn name(&self, wtype: WTypeId) -> &'s str {
        self.wtypes.name(wtype)
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
            Err(Failure::code("unsupported AVM version", loc))
        }
        _ => Ok(()),
    }
}

fn check_program(kind: &str, method: &ContractMethod<'_>) -> Outcome<()> {
    let refuse = |message: String| Err(Failure::code(message, method.function.loc));
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

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod write_back;
