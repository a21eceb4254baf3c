//! Contract metadata, TEAL and bytecode -> ARC-56 application specification, as a file or, with every
//! member written out, as part of an answer.

use std::borrow::Cow;

use super::room_for;
use crate::assemble::Assembled;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::json::write::{Layout, Writer};
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
const ARCS: [u64; 2] = [22, 28];
/// Version of the compiler whose output this is, by part.
const COMPILER_VERSION: [u64; 3] = [5, 10, 1];

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
    /// Its text in base64.
    pub source: &'p str,
    /// Its bytes.
    pub assembled: &'p Assembled,
}

/// Renders the specification of a contract.
pub fn render(
    session: &Session,
    contract: &ContractMetadata,
    [approval, clear]: [ProgramOutput; 2],
    template_prefix: &str,
    form: Form,
    layout: Layout,
) -> Outcome<String> {
    let writer = Specification { form, aliases: aliases(contract) };
    let templates = template_variables(
        session,
        contract,
        [approval.assembled, clear.assembled],
        template_prefix,
    )?;
    let mut out = Writer::new(layout, room_for(contract, approval.source, clear.source));
    writer.contract(&mut out, session, contract, [approval, clear], &templates);
    Ok(out.finish())
}

/// One member of an object; those with a default may be left out.
struct Member<'m> {
    name: &'static str,
    content: Option<Content<'m>>,
    is_required: bool,
}

impl Member<'_> {
    fn write(&self, out: &mut Writer) {
        out.name(self.name);
        match self.content {
            Some(Content::Text(text)) => out.string(text),
            Some(Content::Base64(bytes)) => out.base64(bytes),
            Some(Content::Number(number)) => out.number(number),
            Some(Content::Bool(value)) => out.bool(value),
            Some(Content::Parts(parts)) => parts(out),
            None => out.null(),
        }
    }
}

/// What a member holds.
#[derive(Clone, Copy)]
enum Content<'m> {
    Text(&'m str),
    Base64(&'m [u8]),
    Number(u64),
    Bool(bool),
    /// Whatever this writes.
    Parts(&'m dyn Fn(&mut Writer)),
}

fn required<'m>(name: &'static str, content: Content<'m>) -> Member<'m> {
    Member { name, content: Some(content), is_required: true }
}

fn optional<'m>(name: &'static str, content: Option<Content<'m>>) -> Member<'m> {
    Member { name, content, is_required: false }
}

fn text(text: &Option<String>) -> Option<Content<'_>> {
    text.as_deref().map(Content::Text)
}

/// Writes an array with a function for its items.
fn write_array<T>(
    out: &mut Writer,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Writer, T),
) {
    out.open('[');
    for item in items {
        out.item();
        write(out, item);
    }
    out.close(']');
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

fn write_source_info(out: &mut Writer, session: &Session, assembled: &Assembled) {
    let errors = assembled.errors.iter().map(|(pc, error)| (session.text(*error), *pc));
    let mut errors: Vec<(&str, u32)> = errors.collect();
    // positions stay in their order
    errors.sort_by_key(|(message, _)| *message);
    out.open('{');
    out.name("sourceInfo");
    write_array(out, errors.chunk_by(|a, b| a.0 == b.0), |out, same| {
        out.open('{');
        out.name("pc");
        write_array(out, same, |out, (_, pc)| out.number(u64::from(*pc)));
        out.name("errorMessage");
        out.string(same[0].0);
        out.close('}');
    });
    out.name("pcOffsetMethod");
    out.plain(if assembled.op_pc_offset > 0 { "cblocks" } else { "none" });
    out.close('}');
}

/// Whether a method accepts an action when it creates the application.
fn can_create(action: OnCompletion, create: CreateOption) -> bool {
    create != CreateOption::Disallow
        && matches!(
            action,
            OnCompletion::NoOp | OnCompletion::OptIn | OnCompletion::DeleteApplication
        )
}

/// Whether a method accepts an action when the application is there.
fn can_call(action: OnCompletion, create: CreateOption) -> bool {
    create != CreateOption::Require && action != OnCompletion::ClearState
}

fn write_actions<'n>(
    out: &mut Writer,
    create: impl IntoIterator<Item = &'n str>,
    call: impl IntoIterator<Item = &'n str>,
) {
    out.open('{');
    out.name("create");
    out.strings(create);
    out.name("call");
    out.strings(call);
    out.close('}');
}

fn write_bare_actions(out: &mut Writer, contract: &ContractMetadata) {
    let (mut create, mut call) = (Vec::new(), Vec::new());
    for method in &contract.methods {
        if let Method::Bare(bare) = method {
            for action in &bare.allowed_completion_types {
                let name = action.avm_name();
                create.extend(can_create(*action, bare.create).then_some(name));
                call.extend(can_call(*action, bare.create).then_some(name));
            }
        }
    }
    for names in [&mut create, &mut call] {
        names.sort_unstable();
        names.dedup();
    }
    write_actions(out, create, call);
}

/// Writes the parts of a specification.
struct Specification<'p> {
    form: Form,
    aliases: LookupMap<&'p str, &'p str>,
}

impl<'p> Specification<'p> {
    fn object(&self, out: &mut Writer, members: &[Member<'_>]) {
        out.open('{');
        match self.form {
            Form::Full => members.iter().for_each(|member| member.write(out)),
            Form::Compact => {
                for member in members.iter().filter(|member| member.is_required) {
                    member.write(out);
                }
                let says_something =
                    |member: &&Member<'_>| !member.is_required && member.content.is_some();
                for member in members.iter().filter(says_something) {
                    member.write(out);
                }
            }
        }
        out.close('}');
    }

    /// The name a struct has here; other names are left as they are.
    fn resolve<'n>(&self, name: &'n str) -> &'n str
    where
        'p: 'n,
    {
        self.aliases.get(name).copied().unwrap_or(name)
    }

    fn resolve_option<'n>(&self, name: &'n Option<String>) -> Option<Content<'n>>
    where
        'p: 'n,
    {
        name.as_deref().map(|name| Content::Text(self.resolve(name)))
    }

    fn contract(
        &self,
        out: &mut Writer,
        session: &Session,
        contract: &ContractMetadata,
        [approval, clear]: [ProgramOutput; 2],
        templates: &TemplateVariables<'_>,
    ) {
        let abi_methods = contract.methods.iter().filter_map(|method| match method {
            Method::Abi(method) => Some(method),
            Method::Bare(_) => None,
        });
        let mut events: Vec<&Struct> = Vec::new();
        for event in abi_methods.clone().flat_map(|method| &method.events) {
            if !events.contains(&event) {
                events.push(event);
            }
        }
        let both = |out: &mut Writer, write: &dyn Fn(&mut Writer, ProgramOutput)| {
            out.open('{');
            out.name("approval");
            write(out, approval);
            out.name("clear");
            write(out, clear);
            out.close('}');
        };
        use Content::{Parts, Text};
        self.object(
            out,
            &[
                optional("arcs", Some(Parts(&|out| write_array(out, ARCS, Writer::number)))),
                required("name", Text(&contract.name)),
                optional("desc", text(&contract.desc)),
                optional("networks", Some(Parts(&Writer::empty_object))),
                required("structs", Parts(&|out| self.structs(out, contract))),
                required(
                    "methods",
                    Parts(&|out| {
                        write_array(out, abi_methods.clone(), |out, method| {
                            self.method(out, method)
                        });
                    }),
                ),
                optional("state", Some(Parts(&|out| self.state(out, contract)))),
                optional("bareActions", Some(Parts(&|out| write_bare_actions(out, contract)))),
                optional(
                    "sourceInfo",
                    Some(Parts(&|out| {
                        both(out, &|out, program| {
                            write_source_info(out, session, program.assembled)
                        });
                    })),
                ),
                optional(
                    "source",
                    Some(Parts(&|out| both(out, &|out, program| out.plain(program.source)))),
                ),
                optional(
                    "byteCode",
                    Some(Parts(&|out| {
                        both(out, &|out, program| out.base64(&program.assembled.bytecode));
                    })),
                ),
                optional("compilerInfo", Some(Parts(&|out| self.compiler(out)))),
                optional(
                    "events",
                    Some(Parts(&|out| {
                        write_array(out, &events, |out, event| self.event(out, event));
                    })),
                ),
                optional("templateVariables", Some(Parts(&|out| self.templates(out, templates)))),
                optional("scratchVariables", None),
            ],
        );
    }

    fn compiler(&self, out: &mut Writer) {
        let [major, minor, patch] = COMPILER_VERSION;
        out.open('{');
        out.name("compiler");
        out.plain("puya");
        out.name("compilerVersion");
        let members = [
            required("major", Content::Number(major)),
            required("minor", Content::Number(minor)),
            required("patch", Content::Number(patch)),
            optional("commitHash", None),
        ];
        self.object(out, &members);
        out.close('}');
    }

    fn structs(&self, out: &mut Writer, contract: &ContractMetadata) {
        out.open('{');
        for (full_name, definition) in &contract.structs {
            out.key(self.resolve(full_name));
            write_array(out, &definition.fields, |out, field| {
                let nested = field.struct_name.as_deref().map(|name| self.resolve(name));
                let of_type = nested.filter(|name| !name.is_empty()).unwrap_or(&field.arc4_type);
                out.open('{');
                out.name("name");
                out.string(&field.name);
                out.name("type");
                out.string(of_type);
                out.close('}');
            });
        }
        out.close('}');
    }

    fn method(&self, out: &mut Writer, method: &AbiMethod) {
        use Content::{Bool, Parts, Text};
        let args = |out: &mut Writer| {
            write_array(out, &method.args, |out, arg| {
                let default = arg.default.as_ref();
                let write_default =
                    default.map(|it| move |out: &mut Writer| self.default_arg(out, it));
                let members = [
                    required("type", Text(&arg.arc4_type)),
                    optional("struct", self.resolve_option(&arg.struct_name)),
                    optional("name", Some(Text(&arg.name))),
                    optional("desc", text(&arg.desc)),
                    optional("defaultValue", write_default.as_ref().map(|it| Parts(it))),
                ];
                self.object(out, &members);
            });
        };
        let returns = |out: &mut Writer| {
            let members = [
                required("type", Text(&method.returns.arc4_type)),
                optional("struct", self.resolve_option(&method.returns.struct_name)),
                optional("desc", text(&method.returns.desc)),
            ];
            self.object(out, &members);
        };
        let actions = |out: &mut Writer| {
            let those = |possible: fn(OnCompletion, CreateOption) -> bool| {
                let allowed = method.allowed_completion_types.iter();
                let possible = allowed.filter(move |action| possible(**action, method.create));
                possible.map(|action| action.avm_name())
            };
            write_actions(out, those(can_create), those(can_call));
        };
        // left to the contract's authors
        let recommendations = |out: &mut Writer| {
            let names = ["innerTransactionCount", "boxes", "accounts", "apps", "assets"];
            self.object(out, &names.map(|name| optional(name, None)));
        };
        let events = |out: &mut Writer| {
            write_array(out, &method.events, |out, event| self.event(out, event));
        };
        let members = [
            required("name", Text(&method.name)),
            optional("desc", text(&method.desc)),
            required("args", Parts(&args)),
            required("returns", Parts(&returns)),
            required("actions", Parts(&actions)),
            required("readonly", Bool(method.readonly)),
            optional("events", Some(Parts(&events))),
            optional("recommendations", Some(Parts(&recommendations))),
        ];
        self.object(out, &members);
    }

    fn default_arg(&self, out: &mut Writer, default: &DefaultArg) {
        use Content::{Base64, Text};
        let from_method;
        let (source, of_type, data) = match default {
            DefaultArg::Constant { data, arc4_type } => {
                ("literal", Some(Text(arc4_type)), Base64(data))
            }
            DefaultArg::State { kind, key, key_type } => {
                let source = match kind {
                    StorageKind::Global => "global",
                    StorageKind::Local => "local",
                    StorageKind::Box => "box",
                };
                (source, Some(Text(key_type)), Base64(key))
            }
            DefaultArg::Method { name, return_type, .. } => {
                from_method = format!("{name}(){return_type}");
                ("method", None, Text(&from_method))
            }
        };
        let members =
            [required("source", Text(source)), optional("type", of_type), required("data", data)];
        self.object(out, &members);
    }

    fn event(&self, out: &mut Writer, event: &Struct) {
        use Content::{Parts, Text};
        let args = |out: &mut Writer| {
            write_array(out, &event.fields, |out, field| {
                let members = [
                    required("type", Text(&field.arc4_type)),
                    optional("name", Some(Text(&field.name))),
                    optional("desc", text(&field.desc)),
                    optional("struct", self.resolve_option(&field.struct_name)),
                ];
                self.object(out, &members);
            });
        };
        let members = [
            // PARITY: the short name is looked up among full names.
            required("name", Text(self.resolve(event.name()))),
            optional("desc", text(&event.desc)),
            required("args", Parts(&args)),
        ];
        self.object(out, &members);
    }

    fn state(&self, out: &mut Writer, contract: &ContractMetadata) {
        let totals = contract.state_totals;
        out.open('{');
        out.name("schema");
        out.open('{');
        for (name, ints, bytes) in [
            ("global", totals.global_uints, totals.global_bytes),
            ("local", totals.local_uints, totals.local_bytes),
        ] {
            out.key(name);
            out.open('{');
            out.name("ints");
            out.number(ints);
            out.name("bytes");
            out.number(bytes);
            out.close('}');
        }
        out.close('}');
        for (name, is_map) in [("keys", false), ("maps", true)] {
            out.key(name);
            out.open('{');
            for (name, state) in [
                ("global", &contract.global_state),
                ("local", &contract.local_state),
                ("box", &contract.boxes),
            ] {
                out.key(name);
                self.storage(out, state, is_map);
            }
            out.close('}');
        }
        out.close('}');
    }

    fn storage(&self, out: &mut Writer, state: &OrderedMap<String, ContractState>, is_map: bool) {
        use Content::{Base64, Text};
        out.open('{');
        for (name, member) in state.iter().filter(|(_, member)| member.is_map == is_map) {
            out.key(name);
            let key = Base64(&member.key_or_prefix);
            let members = [
                optional("desc", text(&member.desc)),
                required("keyType", Text(self.resolve(&member.arc56_key_type))),
                required("valueType", Text(self.resolve(&member.arc56_value_type))),
                if is_map { optional("prefix", Some(key)) } else { required("key", key) },
            ];
            self.object(out, &members);
        }
        out.close('}');
    }

    fn templates(&self, out: &mut Writer, templates: &TemplateVariables<'_>) {
        out.open('{');
        for (name, variable) in templates {
            out.key(name);
            let members = [
                required("type", Content::Text(self.resolve(variable.of_type))),
                optional("value", variable.value.as_deref().map(Content::Base64)),
            ];
            self.object(out, &members);
        }
        out.close('}');
    }
}

/// A template variable of a contract.
struct TemplateVariable<'p> {
    of_type: &'p str,
    value: Option<Cow<'p, [u8]>>,
}

/// Template variables by name without prefix.
type TemplateVariables<'p> = OrderedMap<&'p str, TemplateVariable<'p>>;

fn template_variables<'p, 's: 'p>(
    session: &Session<'s>,
    contract: &'p ContractMetadata,
    programs: [&'p Assembled; 2],
    prefix: &str,
) -> Outcome<TemplateVariables<'p>> {
    let mut variables = OrderedMap::default();
    for (name, value) in programs.iter().flat_map(|program| &program.template_variables) {
        let name: &'p str = session.text(*name);
        let of_type = contract
            .template_variable_types
            .get(name)
            .ok_or_else(|| Failure::internal(format!("KeyError: {}", repr(name)), Loc::NONE))?;
        let value = value.as_ref().map(template_bytes).transpose()?;
        let short = name.strip_prefix(prefix).unwrap_or(name);
        variables.insert(short, TemplateVariable { of_type, value });
    }
    Ok(variables)
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
