//! Contract metadata, TEAL and bytecode -> ARC-56 application specification, as a file or, with every
//! member written out, as part of an answer.

use std::borrow::Cow;

use crate::assemble::Assembled;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::json::value::Value;
use crate::json::write::{Layout, write_into};
use crate::metadata::{
    AbiMethod, ContractMetadata, ContractState, CreateOption, DefaultArg, Method, OnCompletion,
    StorageKind, Struct,
};
use crate::options::TemplateValue;
use crate::session::Session;

use num_bigint::Sign;

/// Names that mean types of the AVM and so cannot be those of structs.
const AVM_TYPES: [&str; 3] = ["AVMBytes", "AVMString", "AVMUint64"];
/// The ARCs a contract follows: this one and its events.
const ARCS: [u8; 2] = [22, 28];
/// Version of the compiler whose output this is, by part.
const COMPILER_VERSION: [u8; 3] = [5, 10, 1];

/// Which members stand in the specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Those that say something, required ones first.
    Compact,
    /// All of them.
    Full,
}

/// A program as the specification shows it.
#[derive(Clone, Copy)]
pub struct ProgramOutput<'p> {
    /// Its text.
    pub teal: &'p str,
    /// Its bytes.
    pub assembled: &'p Assembled,
}

/// Renders the specification file of a contract.
pub fn render(
    session: &Session,
    contract: &ContractMetadata,
    approval: ProgramOutput,
    clear: ProgramOutput,
    template_prefix: &str,
) -> Outcome<String> {
    let value = describe(session, contract, approval, clear, template_prefix, Form::Compact)?;
    Ok(write_into(room_for(approval.teal, clear.teal), &value, Layout::Indent(4)))
}

/// Room for a specification: for its programs in base64, mostly.
pub(super) fn room_for(approval_teal: &str, clear_teal: &str) -> String {
    const REST: usize = 16 << 10;
    String::with_capacity((approval_teal.len() + clear_teal.len()) / 3 * 4 + REST)
}

/// The specification of a contract as a value.
pub fn describe<'p, 's: 'p>(
    session: &Session<'s>,
    contract: &'p ContractMetadata,
    approval: ProgramOutput<'p>,
    clear: ProgramOutput<'p>,
    template_prefix: &str,
    form: Form,
) -> Outcome<Value<'p>> {
    let writer = Writer { form, aliases: aliases(contract) };
    let abi_methods = contract
        .methods
        .iter()
        .filter_map(|method| match method {
            Method::Abi(method) => Some(method),
            Method::Bare(_) => None,
        })
        .collect::<Vec<_>>();
    let mut events: Vec<&Struct> = Vec::new();
    for event in abi_methods.iter().flat_map(|method| &method.events) {
        if !events.contains(&event) {
            events.push(event);
        }
    }
    let both = |of: &dyn Fn(ProgramOutput<'p>) -> Value<'p>| {
        Value::object([("approval", of(approval)), ("clear", of(clear))])
    };
    let compiler = Value::object([
        ("compiler", Value::from("puya")),
        ("compilerVersion", writer.compiler_version()),
    ]);
    let templates = writer.template_variables(
        session,
        contract,
        [approval.assembled, clear.assembled],
        template_prefix,
    )?;
    Ok(writer.object([
        optional("arcs", Some(Value::array(ARCS))),
        required("name", contract.name.as_str()),
        optional("desc", text(&contract.desc)),
        optional("networks", Some(Value::Object(Vec::new()))),
        required("structs", writer.structs(contract)),
        required("methods", Value::array(abi_methods.iter().map(|method| writer.method(method)))),
        optional("state", Some(writer.state(contract))),
        optional("bareActions", Some(bare_actions(contract))),
        optional("sourceInfo", Some(both(&|program| source_info(session, program.assembled)))),
        optional("source", Some(both(&|program| Value::base64(program.teal.as_bytes())))),
        optional("byteCode", Some(both(&|program| Value::base64(&program.assembled.bytecode)))),
        optional("compilerInfo", Some(compiler)),
        optional("events", Some(Value::array(events.iter().map(|event| writer.event(event))))),
        optional("templateVariables", Some(templates)),
        optional("scratchVariables", None),
    ]))
}

/// One member of an object; those with a default may be left out.
struct Member<'p> {
    name: &'static str,
    value: Option<Value<'p>>,
    is_required: bool,
}

fn required<'p>(name: &'static str, value: impl Into<Value<'p>>) -> Member<'p> {
    Member { name, value: Some(value.into()), is_required: true }
}

fn optional<'p>(name: &'static str, value: Option<Value<'p>>) -> Member<'p> {
    Member { name, value, is_required: false }
}

fn text(text: &Option<String>) -> Option<Value<'_>> {
    text.as_deref().map(Value::from)
}

/// Full name of a struct -> the name it has in the specification: the short one, unless another struct
/// took it or it means something else.
fn aliases(contract: &ContractMetadata) -> LookupMap<&str, &str> {
    let mut taken: OrderedMap<&str, &str> = OrderedMap::default();
    for definition in contract.structs.values() {
        let (full, short) = (definition.full_name.as_str(), definition.name());
        let is_free = !taken.contains_key(short) && !AVM_TYPES.contains(&short);
        taken.insert(if is_free { short } else { full }, full);
    }
    taken.into_iter().map(|(alias, full)| (full, alias)).collect()
}

fn source_info<'s>(session: &Session<'s>, assembled: &Assembled) -> Value<'s> {
    let mut errors: OrderedMap<&str, Vec<u32>> = OrderedMap::default();
    for (pc, error) in &assembled.errors {
        errors.entry(session.text(*error)).or_default().push(*pc);
    }
    errors.sort_unstable_keys();
    let errors = errors.into_iter().map(|(message, pcs)| {
        Value::object([("pc", Value::array(pcs)), ("errorMessage", Value::from(message))])
    });
    let offset = if assembled.op_pc_offset > 0 { "cblocks" } else { "none" };
    Value::object([("sourceInfo", Value::array(errors)), ("pcOffsetMethod", Value::from(offset))])
}

/// Names of the actions that create, and that call.
fn actions(allowed: &[OnCompletion], create: CreateOption) -> [Vec<&'static str>; 2] {
    let names = |possible: &dyn Fn(OnCompletion) -> bool| {
        let actions = allowed.iter().filter(|action| possible(**action));
        actions.map(|action| action.avm_name()).collect::<Vec<_>>()
    };
    let can_create = |action| {
        create != CreateOption::Disallow
            && matches!(
                action,
                OnCompletion::NoOp | OnCompletion::OptIn | OnCompletion::DeleteApplication
            )
    };
    let can_call = |action| create != CreateOption::Require && action != OnCompletion::ClearState;
    [names(&can_create), names(&can_call)]
}

fn write_actions([create, call]: [Vec<&'static str>; 2]) -> Value<'static> {
    Value::object([("create", Value::array(create)), ("call", Value::array(call))])
}

fn bare_actions(contract: &ContractMetadata) -> Value<'static> {
    let mut all = [Vec::new(), Vec::new()];
    for method in &contract.methods {
        if let Method::Bare(bare) = method {
            let [create, call] = actions(&bare.allowed_completion_types, bare.create);
            all[0].extend(create);
            all[1].extend(call);
        }
    }
    for names in &mut all {
        names.sort_unstable();
        names.dedup();
    }
    write_actions(all)
}

/// Writes the parts of a specification.
struct Writer<'p> {
    form: Form,
    aliases: LookupMap<&'p str, &'p str>,
}

impl<'p> Writer<'p> {
    fn object<const N: usize>(&self, members: [Member<'p>; N]) -> Value<'p> {
        if self.form == Form::Full {
            let all = members.into_iter();
            return Value::object(
                all.map(|member| (member.name, member.value.unwrap_or(Value::Null))),
            );
        }
        let (first, second): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.is_required);
        let present = first.into_iter().chain(second);
        Value::object(present.filter_map(|member| Some((member.name, member.value?))))
    }

    /// The name a struct has here; other names are left as they are.
    fn resolve(&self, name: &'p str) -> &'p str {
        self.aliases.get(name).copied().unwrap_or(name)
    }

    fn resolve_option(&self, name: &'p Option<String>) -> Option<Value<'p>> {
        name.as_deref().map(|name| Value::from(self.resolve(name)))
    }

    fn compiler_version(&self) -> Value<'p> {
        let [major, minor, patch] = COMPILER_VERSION;
        self.object([
            required("major", major),
            required("minor", minor),
            required("patch", patch),
            optional("commitHash", None),
        ])
    }

    fn structs(&self, contract: &'p ContractMetadata) -> Value<'p> {
        let mut structs = OrderedMap::default();
        for (full_name, definition) in &contract.structs {
            let fields = definition.fields.iter().map(|field| {
                let nested = field.struct_name.as_deref().map(|name| self.resolve(name));
                let of_type = nested.filter(|name| !name.is_empty()).unwrap_or(&field.arc4_type);
                Value::object([("name", field.name.as_str().into()), ("type", of_type.into())])
            });
            structs.insert(self.resolve(full_name), Value::array(fields));
        }
        Value::object(structs)
    }

    fn method(&self, method: &'p AbiMethod) -> Value<'p> {
        let args = method.args.iter().map(|arg| {
            self.object([
                required("type", arg.arc4_type.as_str()),
                optional("struct", self.resolve_option(&arg.struct_name)),
                optional("name", Some(Value::from(arg.name.as_str()))),
                optional("desc", text(&arg.desc)),
                optional("defaultValue", arg.default.as_ref().map(|it| self.default_arg(it))),
            ])
        });
        let returns = self.object([
            required("type", method.returns.arc4_type.as_str()),
            optional("struct", self.resolve_option(&method.returns.struct_name)),
            optional("desc", text(&method.returns.desc)),
        ]);
        // left to the contract's authors
        let recommendations = self.object(
            ["innerTransactionCount", "boxes", "accounts", "apps", "assets"]
                .map(|name| optional(name, None)),
        );
        let events = method.events.iter().map(|event| self.event(event));
        let actions = actions(&method.allowed_completion_types, method.create);
        self.object([
            required("name", method.name.as_str()),
            optional("desc", text(&method.desc)),
            required("args", Value::array(args)),
            required("returns", returns),
            required("actions", write_actions(actions)),
            required("readonly", Value::Bool(method.readonly)),
            optional("events", Some(Value::array(events))),
            optional("recommendations", Some(recommendations)),
        ])
    }

    fn default_arg(&self, default: &'p DefaultArg) -> Value<'p> {
        let (source, of_type, data) = match default {
            DefaultArg::Constant { data, arc4_type } => {
                ("literal", Some(arc4_type), Value::base64(data))
            }
            DefaultArg::State { kind, key, key_type } => {
                let source = match kind {
                    StorageKind::Global => "global",
                    StorageKind::Local => "local",
                    StorageKind::Box => "box",
                };
                (source, Some(key_type), Value::base64(key))
            }
            DefaultArg::Method { name, return_type, .. } => {
                ("method", None, Value::from(format!("{name}(){return_type}")))
            }
        };
        self.object([
            required("source", source),
            optional("type", of_type.map(|name| Value::from(name.as_str()))),
            required("data", data),
        ])
    }

    fn event(&self, event: &'p Struct) -> Value<'p> {
        let args = event.fields.iter().map(|field| {
            self.object([
                required("type", field.arc4_type.as_str()),
                optional("name", Some(Value::from(field.name.as_str()))),
                optional("desc", text(&field.desc)),
                optional("struct", self.resolve_option(&field.struct_name)),
            ])
        });
        self.object([
            // PARITY: the short name is looked up among full names.
            required("name", self.resolve(event.name())),
            optional("desc", text(&event.desc)),
            required("args", Value::array(args)),
        ])
    }

    fn state(&self, contract: &'p ContractMetadata) -> Value<'p> {
        let totals = contract.state_totals;
        let slots = |ints: u64, bytes: u64| {
            Value::object([("ints", Value::from(ints)), ("bytes", Value::from(bytes))])
        };
        let schema = Value::object([
            ("global", slots(totals.global_uints, totals.global_bytes)),
            ("local", slots(totals.local_uints, totals.local_bytes)),
        ]);
        let by_kind = |is_map: bool| {
            Value::object([
                ("global", self.storage(&contract.global_state, is_map)),
                ("local", self.storage(&contract.local_state, is_map)),
                ("box", self.storage(&contract.boxes, is_map)),
            ])
        };
        Value::object([("schema", schema), ("keys", by_kind(false)), ("maps", by_kind(true))])
    }

    fn storage(&self, state: &'p OrderedMap<String, ContractState>, is_map: bool) -> Value<'p> {
        let members = state.iter().filter(|(_, member)| member.is_map == is_map);
        Value::object(members.map(|(name, member)| {
            let key = Value::base64(&member.key_or_prefix);
            let described = self.object([
                optional("desc", text(&member.desc)),
                required("keyType", self.resolve(&member.arc56_key_type)),
                required("valueType", self.resolve(&member.arc56_value_type)),
                if is_map { optional("prefix", Some(key)) } else { required("key", key) },
            ]);
            (name.as_str(), described)
        }))
    }

    fn template_variables<'s: 'p>(
        &self,
        session: &Session<'s>,
        contract: &'p ContractMetadata,
        programs: [&'p Assembled; 2],
        prefix: &str,
    ) -> Outcome<Value<'p>> {
        let mut variables = OrderedMap::default();
        for (name, value) in programs.iter().flat_map(|program| &program.template_variables) {
            let name: &'p str = session.text(*name);
            let of_type = contract
                .template_variable_types
                .get(name)
                .ok_or_else(|| Failure::internal(format!("KeyError: {}", repr(name)), Loc::NONE))?;
            let value = value.as_ref().map(template_bytes).transpose()?;
            let described = self.object([
                required("type", self.resolve(of_type)),
                optional("value", value.map(Value::base64)),
            ]);
            let short = name.strip_prefix(prefix).unwrap_or(name);
            variables.insert(short, described);
        }
        Ok(Value::object(variables))
    }
}

fn template_bytes(value: &TemplateValue) -> Outcome<Cow<'_, [u8]>> {
    match value {
        TemplateValue::Bytes(bytes) => Ok(bytes.into()),
        TemplateValue::Int(number) => {
            let fail = |message| Err(Failure::internal(message, Loc::NONE));
            if number.sign() == Sign::Minus {
                return fail("OverflowError: can't convert negative int to unsigned");
            }
            match u64::try_from(number) {
                Ok(number) => Ok(number.to_be_bytes().to_vec().into()),
                Err(_) => fail("OverflowError: int too big to convert"),
            }
        }
    }
}
