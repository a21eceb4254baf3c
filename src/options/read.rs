//! The options document -> [`CompileOptions`], with the conversions and the error texts of the
//! reference. Every field is tried, so all mistakes come back at once, in the order of the fields.

use num_bigint::BigInt;

use super::{CompileOptions, LocalsCoalescing, TemplateValue};
use crate::base::encode::base85_decode;
use crate::base::ordered::OrderedMap;
use crate::base::text::normalise_path;
use crate::json::coerce::{class_name, to_bool, to_int, to_repr, to_text};
use crate::json::{Json, Kind, ReadError, is_integer};

/// What is wrong with one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The name of the field; empty for the document as a whole.
    pub field: &'static str,
    /// The exception the reference raises for the field.
    pub raised: ReadError,
    /// For a map, the exceptions of its values, by key; `raised` only counts them.
    pub inner: Vec<(String, ReadError)>,
}

type Field<T> = Result<T, Problem>;

/// Reads the options; `json` is the whole document.
pub fn read(json: Json<'_>) -> Result<CompileOptions, Vec<Problem>> {
    let Some(members) = json.as_object() else { return Err(vec![not_an_object(json)]) };
    let mut problems = Vec::new();
    let mut options = CompileOptions::default();

    // the order of these rows is the order in which mistakes are told
    macro_rules! take {
        ($($field:ident: $convert:expr;)*) => {
            const FIELDS: &[&str] = &[$(stringify!($field),)*];
            let mut values = [None; FIELDS.len()];
            for (key, value) in members.iter() {
                if let Some(place) = FIELDS.iter().position(|field| *field == key) {
                    values[place] = Some(value);
                }
            }
            let mut values = values.into_iter();
            $(if let Some(value) = values.next().flatten() {
                match $convert(value) {
                    Ok(value) => options.$field = value,
                    Err(problem) => {
                        problems.push(Problem { field: stringify!($field), ..problem });
                    }
                }
            })*
        };
    }
    take! {
        output_teal: flag;
        output_source_map: flag;
        output_assembly_report: flag;
        output_arc32: flag;
        output_arc56: flag;
        output_ssa_ir: flag;
        output_optimization_ir: flag;
        output_destructured_ir: flag;
        output_memory_ir: flag;
        output_bytecode: flag;
        output_teal_intermediates: flag;
        output_op_statistics: flag;
        debug_level: number;
        optimization_level: number;
        treat_warnings_as_errors: flag;
        target_avm_version: number;
        cli_template_definitions: |value| {
            map(value, "collections.abc.Mapping[str, int | bytes]", template_value)
        };
        template_vars_prefix: text;
        locals_coalescing_strategy: strategy;
        optimizations_override: |value| {
            map(value, "collections.abc.Mapping[str, bool]", |value| Ok(to_bool(value)))
        };
        expand_all_bytes: flag;
        validate_abi_args: flag;
        validate_abi_return: flag;
    }
    let field = "compilation_set";
    let targets = match json.get(field) {
        None => Err(problem("KeyError", format!("'{field}'"))),
        Some(value) => map(value, "dict[str, pathlib.Path]", path),
    };
    match targets {
        Ok(value) => options.compilation_set = value,
        Err(problem) => problems.push(Problem { field, ..problem }),
    }
    if problems.is_empty() { Ok(options) } else { Err(problems) }
}

fn problem(class: &'static str, message: String) -> Problem {
    Problem { field: "", raised: ReadError { class, message }, inner: Vec::new() }
}

fn not_an_object(json: Json<'_>) -> Problem {
    let message = match json.kind() {
        Kind::Array(_) => "list indices must be integers or slices, not str".to_owned(),
        Kind::String(_) => "string indices must be integers, not 'str'".to_owned(),
        _ => format!("argument of type '{}' is not iterable", class_name(json)),
    };
    problem("TypeError", message)
}

fn flag(json: Json<'_>) -> Field<bool> {
    Ok(to_bool(json))
}

/// An integer; one beyond 64 bits acts as the nearest that fits, because these fields are only
/// compared with small numbers.
fn number(json: Json<'_>) -> Field<i64> {
    if let Some(small) = json.as_u32() {
        return Ok(small.into());
    }
    let value = to_int(json).map_err(|raised| problem(raised.class, raised.message))?;
    let nearest = if value < BigInt::ZERO { i64::MIN } else { i64::MAX };
    Ok(i64::try_from(value).unwrap_or(nearest))
}

fn text(json: Json<'_>) -> Field<String> {
    Ok(to_text(json))
}

fn strategy(json: Json<'_>) -> Field<LocalsCoalescing> {
    match json.as_str() {
        Some("root_operand") => Ok(LocalsCoalescing::RootOperand),
        Some("root_operand_excluding_args") => Ok(LocalsCoalescing::RootOperandExcludingArgs),
        Some("aggressive") => Ok(LocalsCoalescing::Aggressive),
        _ => Err(problem(
            "ValueError",
            format!("{} is not a valid LocalsCoalescingStrategy", to_repr(json)),
        )),
    }
}

fn map<T>(
    json: Json<'_>,
    type_name: &str,
    convert: impl Fn(Json<'_>) -> Result<T, ReadError>,
) -> Field<OrderedMap<String, T>> {
    let Kind::Object(fields) = json.kind() else {
        let message = format!("'{}' object has no attribute 'items'", class_name(json));
        return Err(problem("AttributeError", message));
    };
    let mut inner = Vec::new();
    let mut values = OrderedMap::default();
    for (key, value) in fields.iter() {
        match convert(value) {
            Ok(value) => {
                values.insert(key.to_owned(), value);
            }
            Err(raised) => inner.push((key.to_owned(), raised)),
        }
    }
    if inner.is_empty() {
        return Ok(values);
    }
    let plural = if inner.len() == 1 { "" } else { "s" };
    let message = format!("While structuring {type_name} ({} sub-exception{plural})", inner.len());
    Err(Problem { inner, ..problem("IterableValidationError", message) })
}

fn template_value(json: Json<'_>) -> Result<TemplateValue, ReadError> {
    match json.kind() {
        Kind::Bool(value) => Ok(TemplateValue::Int(BigInt::from(u8::from(value)))),
        Kind::Int(_) => to_int(json).map(TemplateValue::Int),
        Kind::Number(text) if is_integer(text) => to_int(json).map(TemplateValue::Int),
        Kind::String(text) => match base85_decode(text) {
            Ok(bytes) => Ok(TemplateValue::Bytes(bytes)),
            Err(message) => Err(ReadError { class: "ValueError", message }),
        },
        Kind::Null | Kind::Number(_) | Kind::Array(_) | Kind::Object(_) => {
            let message = format!(
                "{} (<class '{}'>) not part of int | bytes",
                to_repr(json),
                class_name(json)
            );
            Err(ReadError { class: "TypeError", message })
        }
    }
}

fn path(json: Json<'_>) -> Result<std::path::PathBuf, ReadError> {
    match json.as_str() {
        Some(text) => Ok(normalise_path(text).into()),
        None => {
            let message = format!(
                "argument should be a str or an os.PathLike object where __fspath__ returns a str, \
                 not '{}'",
                class_name(json)
            );
            Err(ReadError { class: "TypeError", message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;

    /// The options read, or the lines the reference logs.
    fn check(text: &str) -> Result<CompileOptions, Vec<String>> {
        let arena = Arena::new();
        let json = crate::json::read(text, &arena).unwrap();
        read(json).map_err(|all| all.iter().map(|one| one.raised.to_string()).collect())
    }

    #[test]
    fn values_are_converted_as_python_does() {
        let options = check(
            r#"{"compilation_set": {"b": "./x//y/", "a": ""}, "output_teal": "false",
                "output_arc32": [], "debug_level": "1_0", "optimization_level": 1e30,
                "template_vars_prefix": null, "locals_coalescing_strategy": "aggressive",
                "cli_template_definitions": {"A": "Xk~0{Zv", "B": true, "C": -5},
                "optimizations_override": {"x": "", "y": 2}, "unknown": 1}"#,
        )
        .unwrap();
        let set: Vec<_> = options.compilation_set.iter().collect();
        assert_eq!(set, [(&"b".into(), &"x/y".into()), (&"a".into(), &".".into())]);
        assert!(options.output_teal && !options.output_arc32);
        assert_eq!((options.debug_level, options.optimization_level), (10, i64::MAX));
        assert_eq!(options.template_vars_prefix, "None");
        let values = &options.cli_template_definitions;
        assert_eq!(values["A"], TemplateValue::Bytes(b"hello".to_vec()));
        assert_eq!(values["B"], TemplateValue::Int(1.into()));
        assert_eq!(values["C"], TemplateValue::Int((-5).into()));
        assert_eq!(
            options.optimizations_override.values().copied().collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn all_mistakes_are_told_in_the_order_of_the_fields() {
        assert_eq!(
            check(
                r#"{"locals_coalescing_strategy": null, "target_avm_version": null,
                    "debug_level": "x", "cli_template_definitions": {"a": null, "b": 1.5}}"#
            ),
            Err(vec![
                "ValueError: invalid literal for int() with base 10: 'x'".to_owned(),
                "TypeError: int() argument must be a string, a bytes-like object or a real \
                 number, not 'NoneType'"
                    .to_owned(),
                "IterableValidationError: While structuring \
                 collections.abc.Mapping[str, int | bytes] (2 sub-exceptions)"
                    .to_owned(),
                "ValueError: None is not a valid LocalsCoalescingStrategy".to_owned(),
                "KeyError: 'compilation_set'".to_owned(),
            ])
        );
        assert_eq!(
            check(r#"{"compilation_set": {"a": 1}}"#),
            Err(vec![
                "IterableValidationError: While structuring dict[str, pathlib.Path] \
                 (1 sub-exception)"
                    .to_owned()
            ])
        );
        assert_eq!(
            check("null"),
            Err(vec!["TypeError: argument of type 'NoneType' is not iterable".to_owned()])
        );
    }
}
