//! Contract metadata and TEAL -> ARC-32 application specification.

use num_bigint::BigUint;

use super::arc56::room_for;
use crate::base::encode::utf8_decode;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{Failure, Outcome};
use crate::json::value::Value;
use crate::json::write::{Layout, write_into};
use crate::metadata::{
    AbiMethod, ContractMetadata, ContractState, CreateOption, DefaultArg, Method, OnCompletion,
    StorageKind, StorageType,
};
use crate::session::Session;

/// Renders the specification of a contract. What ARC-32 cannot say is reported and left out.
pub fn render(
    session: &Session,
    contract: &ContractMetadata,
    approval_teal: &str,
    clear_teal: &str,
) -> Outcome<String> {
    let abi_methods = contract.methods.iter().filter_map(|method| match method {
        Method::Abi(method) => Some(method),
        Method::Bare(_) => None,
    });
    let mut hints = OrderedMap::default();
    for method in abi_methods.clone() {
        hints.insert(method.signature(), hint(session, contract, method)?);
    }
    let mut bare_calls = OrderedMap::default();
    for method in &contract.methods {
        if let Method::Bare(bare) = method {
            bare_calls.extend(call_config(&bare.allowed_completion_types, bare.create));
        }
    }
    let totals = contract.state_totals;
    let slots = |bytes: u64, uints: u64| {
        Value::object([("num_byte_slices", Value::from(bytes)), ("num_uints", Value::from(uints))])
    };
    let specification = Value::object([
        ("hints", Value::object(hints)),
        (
            "source",
            Value::object([
                ("approval", Value::base64(approval_teal.as_bytes())),
                ("clear", Value::base64(clear_teal.as_bytes())),
            ]),
        ),
        (
            "state",
            Value::object([
                ("global", slots(totals.global_bytes, totals.global_uints)),
                ("local", slots(totals.local_bytes, totals.local_uints)),
            ]),
        ),
        (
            "schema",
            Value::object([
                ("global", schema(&contract.global_state)?),
                ("local", schema(&contract.local_state)?),
            ]),
        ),
        (
            "contract",
            without_nulls([
                ("name", Some(Value::from(contract.name.as_str()))),
                ("desc", text(&contract.desc)),
                ("methods", Some(Value::array(abi_methods.map(abi_method)))),
                ("networks", Some(empty_object())),
            ]),
        ),
        ("bare_call_config", Value::object(bare_calls)),
    ]);
    Ok(write_into(room_for(approval_teal, clear_teal), &specification, Layout::Indent(4)))
}

fn empty_object() -> Value<'static> {
    Value::Object(Vec::new())
}

fn text(text: &Option<String>) -> Option<Value<'_>> {
    text.as_deref().map(Value::from)
}

/// An object of the members that have a value.
fn without_nulls<'v, const N: usize>(fields: [(&'static str, Option<Value<'v>>); N]) -> Value<'v> {
    Value::object(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn call_config(
    actions: &[OnCompletion],
    create: CreateOption,
) -> impl Iterator<Item = (&'static str, Value<'static>)> {
    let config = match create {
        CreateOption::Require => "CREATE",
        CreateOption::Allow => "ALL",
        CreateOption::Disallow => "CALL",
    };
    actions.iter().map(move |action| (action.snake_name(), Value::from(config)))
}

fn hint<'c>(
    session: &Session,
    contract: &'c ContractMetadata,
    method: &'c AbiMethod,
) -> Outcome<Value<'c>> {
    let mut structs = OrderedMap::default();
    let results = std::iter::once(("output", &method.returns.struct_name));
    let args = method.args.iter().map(|arg| (arg.name.as_str(), &arg.struct_name));
    for (purpose, struct_name) in args.chain(results) {
        let Some(full_name) = struct_name else { continue };
        let definition = contract.structs.get(full_name).ok_or_else(|| {
            Failure::internal(format!("KeyError: {}", repr(full_name)), Loc::NONE)
        })?;
        let elements = definition
            .fields
            .iter()
            .map(|field| Value::array([field.name.as_str(), field.arc4_type.as_str()]));
        let described = Value::object([
            ("name", Value::from(definition.name())),
            ("elements", Value::array(elements)),
        ]);
        structs.insert(purpose, described);
    }
    let mut defaults = OrderedMap::default();
    for arg in &method.args {
        if let Some(default) = &arg.default
            && let Some(value) = default_arg(session, &arg.name, default, method.config_loc)?
        {
            defaults.insert(arg.name.as_str(), value);
        }
    }
    let calls = call_config(&method.allowed_completion_types, method.create);
    Ok(without_nulls([
        ("read_only", method.readonly.then_some(Value::Bool(true))),
        ("default_arguments", (!defaults.is_empty()).then(|| Value::object(defaults))),
        ("call_config", Some(Value::object(calls.collect::<OrderedMap<_, _>>()))),
        ("structs", (!structs.is_empty()).then(|| Value::object(structs))),
    ]))
}

fn decoded(bytes: &[u8]) -> Outcome<Value<'_>> {
    let text = utf8_decode(bytes).map_err(|message| Failure::internal(message, Loc::NONE))?;
    Ok(Value::from(text))
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
            entry("constant", decoded(data.get(2..).unwrap_or_default())?)
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
            entry("global-state", decoded(key)?)
        }
        DefaultArg::State { kind: StorageKind::Local, key, .. } => {
            entry("local-state", decoded(key)?)
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

fn schema(state: &OrderedMap<String, ContractState>) -> Outcome<Value<'_>> {
    let mut members = state.values().collect::<Vec<_>>();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let mut declared = Vec::new();
    for member in members {
        let storage_type = match member.storage_type {
            StorageType::Uint64 => "uint64",
            StorageType::Bytes => "bytes",
        };
        let described = without_nulls([
            ("type", Some(Value::from(storage_type))),
            ("key", Some(decoded(&member.key_or_prefix)?)),
            ("descr", text(&member.desc)),
        ]);
        declared.push((member.name.as_str(), described));
    }
    Ok(Value::object([("declared", Value::object(declared)), ("reserved", empty_object())]))
}

fn abi_method(method: &AbiMethod) -> Value<'_> {
    let args = method.args.iter().map(|arg| {
        without_nulls([
            ("type", Some(Value::from(arg.arc4_type.as_str()))),
            ("name", Some(Value::from(arg.name.as_str()))),
            ("desc", text(&arg.desc)),
        ])
    });
    let returns = without_nulls([
        ("type", Some(Value::from(method.returns.arc4_type.as_str()))),
        ("desc", text(&method.returns.desc)),
    ]);
    without_nulls([
        ("name", Some(Value::from(method.name.as_str()))),
        ("args", Some(Value::array(args))),
        ("readonly", Some(Value::Bool(method.readonly))),
        ("returns", Some(returns)),
        ("desc", text(&method.desc)),
    ])
}
