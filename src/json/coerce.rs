//! [`Json`] -> booleans, integers, strings and texts, by the rules and with the error texts of
//! Python's constructors: the reference converts every scalar it reads with `bool`, `int` or `str`.

use num_bigint::BigInt;

use super::read::{ReadError, is_integer, too_many_digits};
use super::tree::{Json, Kind};
use crate::base::text::{is_space, repr};

/// The truth of a value: empty, zero and `null` are false.
pub fn to_bool(json: Json<'_>) -> bool {
    match json.kind() {
        Kind::Null => false,
        Kind::Bool(value) => value,
        Kind::Int(value) => value != 0,
        Kind::Number(text) => to_float(text) != 0.0,
        Kind::String(text) => !text.is_empty(),
        Kind::Array(items) => !items.is_empty(),
        Kind::Object(fields) => !fields.is_empty(),
    }
}

/// The integer a value stands for: numbers are cut towards zero, strings are parsed.
pub fn to_int(json: Json<'_>) -> Result<BigInt, ReadError> {
    let raise = |class, message: String| Err(ReadError { class, message });
    match json.kind() {
        Kind::Bool(value) => Ok(BigInt::from(u8::from(value))),
        Kind::Int(value) => Ok(BigInt::from(value)),
        Kind::Number(text) if is_integer(text) => {
            Ok(text.parse().expect("the reader checked the digits"))
        }
        Kind::Number(text) => match to_float(text) {
            value if value.is_nan() => {
                raise("ValueError", "cannot convert float NaN to integer".to_owned())
            }
            value if value.is_infinite() => {
                raise("OverflowError", "cannot convert float infinity to integer".to_owned())
            }
            value => Ok(truncate(value)),
        },
        Kind::String(text) => int_of_text(text),
        Kind::Null | Kind::Array(_) | Kind::Object(_) => raise(
            "TypeError",
            format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                class_name(json)
            ),
        ),
    }
}

/// Python's `int(text)`: blanks around, a sign, digits with single underscores between.
fn int_of_text(text: &str) -> Result<BigInt, ReadError> {
    let raise = |message| ReadError { class: "ValueError", message };
    let stripped = text.trim_matches(is_space);
    let digits = stripped.strip_prefix(['+', '-']).unwrap_or(stripped);
    let well_formed = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return Err(raise(format!("invalid literal for int() with base 10: {}", repr(text))));
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.len() > 4_300 {
        return Err(raise(too_many_digits(digits.len())));
    }
    let value: BigInt = digits.parse().expect("only digits are left");
    Ok(if stripped.starts_with('-') { -value } else { value })
}

/// The exact whole part of a finite number.
fn truncate(value: f64) -> BigInt {
    let bits = value.abs().to_bits();
    let exponent = (bits >> 52) as i64 - 1075;
    let fraction = (bits & ((1 << 52) - 1)) | (1 << 52);
    let whole = match exponent {
        ..=-53 => BigInt::ZERO,
        -52..0 => BigInt::from(fraction >> -exponent),
        _ => BigInt::from(fraction) << exponent,
    };
    if value < 0.0 { -whole } else { whole }
}

/// The value of a number's text as a float; what does not fit is infinite.
pub fn to_float(text: &str) -> f64 {
    match text {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => text.parse().expect("the reader checked the number"),
    }
}

/// Python's `str(value)`.
pub fn to_text(json: Json<'_>) -> String {
    match json.kind() {
        Kind::String(text) => text.to_owned(),
        _ => to_repr(json),
    }
}

/// Python's `repr(value)`.
pub fn to_repr(json: Json<'_>) -> String {
    match json.kind() {
        Kind::Null => "None".to_owned(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Int(value) => value.to_string(),
        Kind::Number("-0") => "0".to_owned(),
        Kind::Number(text) if is_integer(text) => text.to_owned(),
        Kind::Number(text) => float_repr(to_float(text)),
        Kind::String(text) => repr(text),
        Kind::Array(items) => {
            let items: Vec<String> = items.iter().map(to_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", repr(key), to_repr(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Python's `repr` of a float: shortest digits, an exponent outside 1e-4..1e16.
pub fn float_repr(value: f64) -> String {
    if !value.is_finite() {
        return format!("{value}").to_lowercase();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if (-4..16).contains(&exponent) || value == 0.0 {
        let plain = format!("{value}");
        if plain.contains('.') { plain } else { plain + ".0" }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
    }
}

/// The name of the Python class the value is read as.
pub fn class_name(json: Json<'_>) -> &'static str {
    match json.kind() {
        Kind::Null => "NoneType",
        Kind::Bool(_) => "bool",
        Kind::Int(_) => "int",
        Kind::Number(text) if is_integer(text) => "int",
        Kind::Number(_) => "float",
        Kind::String(_) => "str",
        Kind::Array(_) => "list",
        Kind::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::json::read::read;

    fn with<T>(text: &str, then: impl Fn(Json<'_>) -> T) -> T {
        let arena = Arena::new();
        then(read(text, &arena).unwrap())
    }

    #[test]
    fn truth() {
        for text in ["\"false\"", "NaN", "-1", "1e400", "[0]"] {
            assert!(with(text, to_bool), "{text}");
        }
        for text in ["null", "0", "-0.0", "\"\"", "[]", "{}"] {
            assert!(!with(text, to_bool), "{text}");
        }
    }

    #[test]
    fn integers() {
        for (text, value) in [
            ("\" +1_0 \"", "10"),
            ("\"\\u2003007\"", "7"),
            ("-1.9", "-1"),
            ("0.5", "0"),
            ("true", "1"),
            ("1e30", "1000000000000000019884624838656"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(with(text, to_int).unwrap().to_string(), value);
        }
        for (text, message) in [
            ("\"1__0\"", "ValueError: invalid literal for int() with base 10: '1__0'"),
            ("\"a'b\"", "ValueError: invalid literal for int() with base 10: \"a'b\""),
            ("\"- 5\"", "ValueError: invalid literal for int() with base 10: '- 5'"),
            ("NaN", "ValueError: cannot convert float NaN to integer"),
            ("1e400", "OverflowError: cannot convert float infinity to integer"),
            (
                "null",
                "TypeError: int() argument must be a string, a bytes-like object or a real \
                 number, not 'NoneType'",
            ),
        ] {
            assert_eq!(with(text, to_int).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn texts() {
        for (text, shown) in [
            ("null", "None"),
            ("\"x\"", "x"),
            ("[1, \"a\", -0]", "[1, 'a', 0]"),
            ("{\"a\": true}", "{'a': True}"),
            ("1.50", "1.5"),
            ("1e5", "100000.0"),
            ("1e16", "1e+16"),
            ("1.5e-5", "1.5e-05"),
            ("1e400", "inf"),
            ("NaN", "nan"),
        ] {
            assert_eq!(with(text, to_text), shown);
        }
    }
}
