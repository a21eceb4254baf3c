//! Contract metadata and TEAL -> ARC-32 application specification.

use num_bigint::BigUint;

use super::room_for;
use crate::base::encode::utf8_decode;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::json::value::Value;
use crate::json::write::{Layout, Writer};
use crate::metadata::{
    AbiMethod, ContractMetadata, ContractState, CreateOption, DefaultArg, Method, OnCompletion,
    StorageKind, StorageType, Struct,
};
use crate::session::Session;

/// Renders the specification of a contract, whose programs are given as base64 of their TEAL. What
/// ARC-32 cannot say is reported and left out.
pub fn render(
    session: &Session,
    contract: &ContractMetadata,
    approval: &str,
    clear: &str,
) -> Outcome<String> {
    let abi_methods = contract.methods.iter().filter_map(|method| match method {
        Method::Abi(method) => Some(method),
        Method::Bare(_) => None,
    });
    let mut hints = Vec::with_capacity(contract.methods.len());
    for method in abi_methods.clone() {
        put(&mut hints, method.signature(), Hint::of(session, contract, method)?);
    }
    let mut out = Writer::new(Layout::Indent(4), room_for(contract, approval, clear));
    out.open('{');
    out.name("hints");
    out.open('{');
    for (signature, hint) in &hints {
        out.key(signature);
        hint.write(&mut out);
    }
    out.close('}');
    out.name("source");
    out.open('{');
    out.name("approval");
    out.plain(approval);
    out.name("clear");
    out.plain(clear);
    out.close('}');
    let totals = contract.state_totals;
    out.name("state");
    out.open('{');
    for (name, bytes, uints) in [
        ("global", totals.global_bytes, totals.global_uints),
        ("local", totals.local_bytes, totals.local_uints),
    ] {
        out.key(name);
        out.open('{');
        out.name("num_byte_slices");
        out.number(bytes);
        out.name("num_uints");
        out.number(uints);
        out.close('}');
    }
    out.close('}');
    out.name("schema");
    out.open('{');
    for (name, state) in [("global", &contract.global_state), ("local", &contract.local_state)] {
        out.key(name);
        write_schema(&mut out, state)?;
    }
    out.close('}');
    out.name("contract");
    out.open('{');
    text_member(&mut out, "name", &contract.name);
    desc_member(&mut out, "desc", &contract.desc);
    out.name("methods");
    out.open('[');
    for method in abi_methods {
        out.item();
        write_method(&mut out, method);
    }
    out.close(']');
    out.name("networks");
    out.empty_object();
    out.close('}');
    let mut bare_calls = Vec::new();
    for method in &contract.methods {
        if let Method::Bare(bare) = method {
            add_calls(&mut bare_calls, &bare.allowed_completion_types, bare.create);
        }
    }
    out.name("bare_call_config");
    write_calls(&mut out, &bare_calls);
    out.close('}');
    Ok(out.finish())
}

/// Puts an entry into a list in which every name stands once: the last value counts, in the first place.
fn put<N: PartialEq, T>(list: &mut Vec<(N, T)>, name: N, value: T) {
    match list.iter_mut().find(|entry| entry.0 == name) {
        Some(entry) => entry.1 = value,
        None => list.push((name, value)),
    }
}

fn text_member(out: &mut Writer, name: &'static str, text: &str) {
    out.name(name);
    out.string(text);
}

fn desc_member(out: &mut Writer, name: &'static str, desc: &Option<String>) {
    if let Some(desc) = desc {
        text_member(out, name, desc);
    }
}

/// When calls are accepted, by action.
type Calls = Vec<(OnCompletion, &'static str)>;

fn add_calls(calls: &mut Calls, actions: &[OnCompletion], create: CreateOption) {
    let config = match create {
        CreateOption::Require => "CREATE",
        CreateOption::Allow => "ALL",
        CreateOption::Disallow => "CALL",
    };
    actions.iter().for_each(|action| put(calls, *action, config));
}

fn write_calls(out: &mut Writer, calls: &Calls) {
    out.open('{');
    for (action, config) in calls {
        text_member(out, action.snake_name(), config);
    }
    out.close('}');
}

/// What callers should know of a method.
struct Hint<'c> {
    method: &'c AbiMethod,
    /// By name of the argument, or `output`.
    structs: Vec<(&'c str, &'c Struct)>,
    /// By name of the argument.
    defaults: Vec<(&'c str, Value<'c>)>,
}

impl<'c> Hint<'c> {
    fn of(
        session: &Session,
        contract: &'c ContractMetadata,
        method: &'c AbiMethod,
    ) -> Outcome<Self> {
        let (mut structs, mut defaults) = (Vec::new(), Vec::new());
        let results = std::iter::once(("output", &method.returns.struct_name));
        let args = method.args.iter().map(|arg| (arg.name.as_str(), &arg.struct_name));
        for (purpose, struct_name) in args.chain(results) {
            let Some(full_name) = struct_name else { continue };
            let definition = contract.structs.get(full_name).ok_or_else(|| {
                Failure::internal(format!("KeyError: {}", repr(full_name)), Loc::NONE)
            })?;
            put(&mut structs, purpose, definition);
        }
        for arg in &method.args {
            if let Some(default) = &arg.default
                && let Some(value) = default_arg(session, &arg.name, default, method.config_loc)?
            {
                put(&mut defaults, arg.name.as_str(), value);
            }
        }
        Ok(Self { method, structs, defaults })
    }

    fn write(&self, out: &mut Writer) {
        let Self { method, structs, defaults } = self;
        out.open('{');
        if method.readonly {
            out.name("read_only");
            out.bool(true);
        }
        if !defaults.is_empty() {
            out.name("default_arguments");
            out.open('{');
            for (name, value) in defaults {
                out.key(name);
                out.value(value);
            }
            out.close('}');
        }
        let mut calls = Vec::new();
        add_calls(&mut calls, &method.allowed_completion_types, method.create);
        out.name("call_config");
        write_calls(out, &calls);
        if !structs.is_empty() {
            out.name("structs");
            out.open('{');
            for (purpose, definition) in structs {
                out.key(purpose);
                out.open('{');
                text_member(out, "name", definition.name());
                out.name("elements");
                out.open('[');
                for field in &definition.fields {
                    out.item();
                    out.strings([field.name.as_str(), field.arc4_type.as_str()]);
                }
                out.close(']');
                out.close('}');
            }
            out.close('}');
        }
        out.close('}');
    }
}

fn decoded(bytes: &[u8]) -> Outcome<&str> {
    utf8_decode(bytes).map_err(|message| Failure::internal(message, Loc::NONE))
}

fn default_arg<'c>(
    session: &Session,
    name: &str,
    default: &'c DefaultArg,
    loc: Loc,
) -> Outcome<Option<Value<'c>>> {
    let entry = |source: &'static str, data: Value<'c>| {
        Ok(Some(Value::object([("source", Value::from(source)), ("data", data)])))
    };
    match default {
        DefaultArg::Constant { data, arc4_type } if arc4_type == "string" => {
            // behind the two bytes of its length
            entry("constant", decoded(data.get(2..).unwrap_or_default())?.into())
        }
        // PARITY: an array of numbers is taken for one number too.
        DefaultArg::Constant { data, arc4_type } if arc4_type.starts_with("uint") => {
            entry("constant", Value::Number(BigUint::from_bytes_be(data).to_string().into()))
        }
        DefaultArg::Constant { .. } => {
            let message = format!(
                "parameter {} has unsupported default constant type for ARC-32",
                repr(name)
            );
            session.sink.warning(message, loc);
            Ok(None)
        }
        DefaultArg::Method { name, return_type, readonly } => {
            let method = Value::object([
                ("name", Value::from(name.as_str())),
                ("args", Value::Array(Vec::new())),
                ("readonly", Value::Bool(*readonly)),
                ("returns", Value::object([("type", Value::from(return_type.as_str()))])),
            ]);
            entry("abi-method", method)
        }
        DefaultArg::State { kind: StorageKind::Global, key, .. } => {
            entry("global-state", decoded(key)?.into())
        }
        DefaultArg::State { kind: StorageKind::Local, key, .. } => {
            entry("local-state", decoded(key)?.into())
        }
        DefaultArg::State { kind: StorageKind::Box, .. } => {
            let message = "default argument from box storage are not supported by ARC-32";
            session.sink.error(message, loc);
            // PARITY: after the message the reference fails on a name it never set.
            Err(Failure::internal(
                "UnboundLocalError: cannot access local variable 'source_name' where it is not \
                 associated with a value",
                Loc::NONE,
            ))
        }
    }
}

fn write_schema(out: &mut Writer, state: &OrderedMap<String, ContractState>) -> Outcome<()> {
    let mut members = state.values().collect::<Vec<_>>();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    out.open('{');
    out.name("declared");
    out.open('{');
    for member in members {
        out.key(&member.name);
        out.open('{');
        let storage_type = match member.storage_type {
            StorageType::Uint64 => "uint64",
            StorageType::Bytes => "bytes",
        };
        text_member(out, "type", storage_type);
        text_member(out, "key", decoded(&member.key_or_prefix)?);
        desc_member(out, "descr", &member.desc);
        out.close('}');
    }
    out.close('}');
    out.name("reserved");
    out.empty_object();
    out.close('}');
    Ok(())
}

fn write_method(out: &mut Writer, method: &AbiMethod) {
    out.open('{');
    text_member(out, "name", &method.name);
    out.name("args");
    out.open('[');
    for arg in &method.args {
        out.item();
        out.open('{');
        text_member(out, "type", &arg.arc4_type);
        text_member(out, "name", &arg.name);
        desc_member(out, "desc", &arg.desc);
        out.close('}');
    }
    out.close(']');
    out.name("readonly");
    out.bool(method.readonly);
    out.name("returns");
    out.open('{');
    text_member(out, "type", &method.returns.arc4_type);
    desc_member(out, "desc", &method.returns.desc);
    out.close('}');
    desc_member(out, "desc", &method.desc);
    out.close('}');
}
