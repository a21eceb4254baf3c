//! What the document's scalar values become: Python's coercions (`str()`, `int()`, `bool()`), byte
//! strings, decimals, enumerations, paths, and the texts of the exceptions they raise. Spec 10 §3, §6.

use num_bigint::BigInt;

use super::expr::{Decimal, Int};
use super::operators::Choice;
use super::read::{ID_KEY, J, Outcome, Reader, fails, refuses};
use super::read_memory::remember;
use super::read_words::{Key, Object};
use crate::avm::fields::{TransactionType, TxnField};
use crate::base::arena::Symbol;
use crate::base::encode::base85_decode;
use crate::base::source::{Loc, SourceLocation};
use crate::base::text::{is_normal_path, normalise_path, repr, strip, with_decimal};
use crate::diagnostics::Failure;
use crate::json::{Json, Kind, is_integer};
use crate::metadata::{CreateOption, OnCompletion, ResourceEncoding, StorageKind};

/// Python's name of a value's class.
pub(super) fn class_of(json: J<'_>) -> &'static str {
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

/// Python's `repr()` of a value.
pub(super) fn repr_of(json: J<'_>) -> String {
    match json.kind() {
        Kind::Null => "None".to_owned(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Int(value) => value.to_string(),
        Kind::Number(text) if is_integer(text) => canonical_integer(text).to_owned(),
        Kind::Number(text) => float_text(float_of(text)),
        Kind::String(text) => repr(text),
        Kind::Array(items) => {
            format!("[{}]", items.iter().map(repr_of).collect::<Vec<_>>().join(", "))
        }
        Kind::Object(fields) => {
            let is_shown = |(key, value): &(&str, Json<'_>)| *key != ID_KEY || value.is_null();
            let pairs = fields.iter().filter(is_shown);
            let pairs = pairs.map(|(key, value)| format!("{}: {}", repr(key), repr_of(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The text of an integer as JSON allows it, without the minus sign of zero.
fn canonical_integer(text: &str) -> &str {
    if text == "-0" { "0" } else { text }
}

fn float_of(text: &str) -> f64 {
    match text {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        number => number.parse().unwrap_or(f64::NAN),
    }
}

/// Python's text of a float: shortest digits that read back, with an exponent outside of 1e-4..1e16.
fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}

/// The canonical digits of a text that Python's `int()` accepts.
fn int_literal(text: &str) -> Option<String> {
    let text = strip(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let well_formed = !digits.is_empty()
        && digits
            .split('_')
            .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    let digits = digits.replace('_', "");
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") })
}

impl<'s> Reader<'_, 's> {
    /// `str()`
    pub(super) fn text(&mut self, json: J<'s>) -> Outcome<&'s str> {
        Ok(match json.kind() {
            Kind::String(text) => text,
            _ => self.session.arena.str(&repr_of(json)),
        })
    }
    /// `str()`, interned.
    pub(super) fn symbol(&mut self, json: J<'s>) -> Outcome<Symbol> {
        let known = self.text_id(json);
        if let Some(symbol) = known.and_then(|id| *self.memory.symbols.get(id)?) {
            return Ok(symbol);
        }
        let text = self.text(json)?;
        let symbol = self.session.sym(text);
        if let Some(id) = known {
            remember(&mut self.memory.symbols, id, symbol);
        }
        Ok(symbol)
    }
    /// `bool()`
    pub(super) fn truth(&mut self, json: J<'s>) -> Outcome<bool> {
        Ok(match json.kind() {
            Kind::Null => false,
            Kind::Bool(value) => value,
            Kind::Int(value) => value != 0,
            Kind::Number(text) => float_of(text) != 0.0,
            Kind::String(text) => !text.is_empty(),
            Kind::Array(items) => !items.is_empty(),
            Kind::Object(fields) => !fields.is_empty(),
        })
    }
    /// `int()`
    pub(super) fn int(&mut self, json: J<'s>) -> Outcome<Int<'s>> {
        let arena = self.session.arena;
        Ok(Int::canonical(match json.kind() {
            Kind::Int(value) => with_decimal(u64::from(value), |digits| arena.str(digits)),
            Kind::Number(text) if is_integer(text) => canonical_integer(text),
            Kind::Number(text) => {
                let value = float_of(text);
                if value.is_nan() {
                    return Err(refuses("cannot convert float NaN to integer"));
                }
                if value.is_infinite() {
                    return Err(fails("cannot convert float infinity to integer"));
                }
                let text = format!("{:.0}", value.trunc());
                if text == "-0" { "0" } else { arena.str(&text) }
            }
            Kind::Bool(value) => {
                if value {
                    "1"
                } else {
                    "0"
                }
            }
            Kind::String(text) => match int_literal(text) {
                Some(digits) => arena.str(&digits),
                None => {
                    let shown = repr(text);
                    return Err(refuses(format!(
                        "invalid literal for int() with base 10: {shown}"
                    )));
                }
            },
            Kind::Null | Kind::Array(_) | Kind::Object(_) => {
                return Err(refuses(format!(
                    "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                    class_of(json)
                )));
            }
        }))
    }
    /// `int()` where only small values mean anything.
    #[inline]
    pub(super) fn small_int(&mut self, json: J<'s>) -> Outcome<i64> {
        if let Kind::Int(value) = json.kind() {
            return Ok(i64::from(value));
        }
        let value = self.int(json)?;
        value.text().parse().map_err(|_| refuses(format!("integer out of range: {}", value.text())))
    }
    /// A number of bits or digits. Far too many become another number that is, with the same remainder
    /// modulo 8, so that what is said of them is the same.
    pub(super) fn bit_count(&mut self, json: J<'s>) -> Outcome<i64> {
        const FAR: i64 = 1 << 40;
        if let Kind::Int(value) = json.kind() {
            return Ok(i64::from(value));
        }
        let text = self.int(json)?.text();
        let last_digits = text.len().saturating_sub(3);
        Ok(text
            .parse()
            .unwrap_or_else(|_| FAR + text[last_digits..].parse::<i64>().unwrap_or(0) % 8))
    }
    /// A length: an integer from zero.
    pub(super) fn length(&mut self, name: &str, value: i64) -> Outcome<u64> {
        u64::try_from(value).map_err(|_| refuses(format!("'{name}' must be >= 0: {value}")))
    }
    /// A byte string in base85.
    pub(super) fn bytes(&mut self, json: J<'s>) -> Outcome<&'s [u8]> {
        match json.kind() {
            Kind::String(text) => match base85_decode(text) {
                Ok(bytes) => Ok(self.session.arena.slice(&bytes)),
                Err(message) => Err(refuses(message)),
            },
            _ => Err(refuses(format!(
                "argument should be a bytes-like object or ASCII string, not '{}'",
                class_of(json)
            ))),
        }
    }
    /// A decimal number: a text, or a number taken exactly.
    pub(super) fn decimal(&mut self, json: J<'s>) -> Outcome<Decimal<'s>> {
        let arena = self.session.arena;
        let parsed = match json.kind() {
            Kind::String(text) => decimal_of_text(text),
            Kind::Int(value) => decimal_of_text(&value.to_string()),
            Kind::Number(text) if is_integer(text) => decimal_of_text(canonical_integer(text)),
            Kind::Number(text) => decimal_of_float(float_of(text)),
            Kind::Bool(value) => decimal_of_text(if value { "1" } else { "0" }),
            Kind::Null | Kind::Array(_) | Kind::Object(_) => {
                let class = class_of(json);
                return Err(refuses(format!(
                    "conversion from {class} to Decimal is not supported"
                )));
            }
        };
        let Some((negative, digits, exponent, special)) = parsed else {
            return Err(fails("[<class 'decimal.ConversionSyntax'>]"));
        };
        Ok(Decimal { negative, digits: arena.str(&digits), exponent, special })
    }
    /// A member of a set of words.
    pub(super) fn choice<C: Choice>(&mut self, json: J<'s>) -> Outcome<C> {
        json.as_str().and_then(C::of).ok_or_else(|| is_not_a(json, C::CLASS))
    }
    /// A transaction type, by number.
    pub(super) fn transaction_type(&mut self, json: J<'s>) -> Outcome<TransactionType> {
        let member = number_of(json).and_then(TransactionType::from_value);
        member.ok_or_else(|| is_not_a(json, "TransactionType"))
    }
    /// A completion action, by number.
    pub(super) fn on_completion(&mut self, json: J<'s>) -> Outcome<OnCompletion> {
        let member = number_of(json).and_then(OnCompletion::from_value);
        member.ok_or_else(|| is_not_a(json, "OnCompletionAction"))
    }
    /// A creation option, by number.
    pub(super) fn create_option(&mut self, json: J<'s>) -> Outcome<CreateOption> {
        match number_of(json) {
            Some(1) => Ok(CreateOption::Allow),
            Some(2) => Ok(CreateOption::Require),
            Some(3) => Ok(CreateOption::Disallow),
            _ => Err(is_not_a(json, "ARC4CreateOption")),
        }
    }
    /// A kind of storage, by number.
    pub(super) fn storage_kind(&mut self, json: J<'s>) -> Outcome<StorageKind> {
        match number_of(json) {
            Some(1) => Ok(StorageKind::Global),
            Some(2) => Ok(StorageKind::Local),
            Some(3) => Ok(StorageKind::Box),
            _ => Err(is_not_a(json, "AppStorageKind")),
        }
    }
    /// A resource encoding, by literal.
    pub(super) fn resource_encoding(&mut self, json: J<'s>) -> Outcome<ResourceEncoding> {
        match json.as_str() {
            Some("index") => Ok(ResourceEncoding::Index),
            Some("value") => Ok(ResourceEncoding::Value),
            _ => Err(fails(format!(
                "{} not in literal typing.Literal['index', 'value']",
                shown(json)
            ))),
        }
    }
    /// A transaction field, by name.
    pub(super) fn txn_field(&mut self, name: &str) -> Outcome<TxnField> {
        TxnField::from_name(name).ok_or_else(|| fails(repr(name)))
    }
    /// A source location.
    #[inline]
    pub(super) fn loc(&mut self, json: J<'s>) -> Outcome<Loc> {
        let Some(id) = json.object_id() else { return self.new_loc(json) };
        let known = self.memory.locs[id];
        if known.is_some() { Ok(known) } else { self.first_loc(json, id) }
    }
    fn first_loc(&mut self, json: J<'s>, id: usize) -> Outcome<Loc> {
        let object = self.object(json);
        let loc = match self.usual_location(object) {
            Some(location) if self.differs_from_others(object) => self.session.locs.add(location),
            Some(location) => self.session.locs.intern(location),
            None => self.new_loc(json)?,
        };
        self.memory.locs[id] = loc;
        Ok(loc)
    }
    /// A location without mistakes, in a file whose path is absolute and in normal form, as nearly all are.
    #[inline]
    fn usual_location(&mut self, object: Object<'s>) -> Option<SourceLocation> {
        let member = object.location()?;
        let number_or = |key, default| member(key).map_or(Some(default), Json::as_u32);
        let nullable = |key| match member(key) {
            Some(json) if !json.is_null() => json.as_u32().map(Some),
            _ => Some(None),
        };
        let line = member(Key::Line)?.as_u32()?;
        let end_line = number_or(Key::EndLine, line)?;
        let comment_lines = number_or(Key::CommentLines, 0)?;
        let (column, end_column) = (nullable(Key::Column)?, nullable(Key::EndColumn)?);
        let file = match member(Key::File)? {
            file if file.is_null() => None,
            file => Some(self.usual_path(file)?),
        };
        if line == 0 || end_line < line {
            return None;
        }
        if let Some(end) = end_column
            && (end == 0 || (line == end_line && end < column.unwrap_or(0)))
        {
            return None;
        }
        Some(SourceLocation { file, line, end_line, comment_lines, column, end_column })
    }
    /// Whether a usual location differs from all others that are added without a look. Objects with the
    /// same keys differ in a value, and every value of a usual location counts.
    fn differs_from_others(&mut self, object: Object<'s>) -> bool {
        self.adds_locs && object.has_shape_of(*self.memory.location.get_or_insert(object))
    }
    fn new_loc(&mut self, json: J<'s>) -> Outcome<Loc> {
        let object = self.object(json);
        let end_line = self.optional_field(object, Key::EndLine, Self::small_int)?;
        let comment_lines = self.optional_field(object, Key::CommentLines, Self::small_int)?;
        let column =
            self.optional_field(object, Key::Column, |r, j| r.nullable(j, Self::small_int))?;
        let end_column =
            self.optional_field(object, Key::EndColumn, |r, j| r.nullable(j, Self::small_int))?;
        let file = self.field(object, Key::File, |r, j| r.nullable(j, Self::path))?;
        let line = self.field(object, Key::Line, Self::small_int)?;
        let end_line = end_line.unwrap_or(line);
        let comment_lines = comment_lines.unwrap_or(0);
        let (column, end_column) = (column.flatten(), end_column.flatten());

        if let Some(file) = file
            && !self.session.text(file).starts_with('/')
        {
            let path = self.session.text(file);
            return Err(refuses(format!("source file locations cannot be relative, got {path}")));
        }
        let at_least = |name: &str, bound: i64, value: i64| {
            if value < bound {
                return Err(refuses(format!("'{name}' must be >= {bound}: {value}")));
            }
            let too_large = || refuses(format!("'{name}' is too large: {value}"));
            u32::try_from(value).map_err(|_| too_large())
        };
        let line = at_least("line", 1, line)?;
        if end_line < i64::from(line) {
            return Err(refuses(format!("end_line = {end_line} is before start line = {line}")));
        }
        let end_line = at_least("end_line", 1, end_line)?;
        let comment_lines = at_least("comment_lines", 0, comment_lines)?;
        let column = column.map(|column| at_least("column", 0, column)).transpose()?;
        let end_column = end_column.map(|column| at_least("end_column", 1, column)).transpose()?;
        if let (true, Some(start), Some(end)) = (line == end_line, column, end_column)
            && end < start
        {
            return Err(refuses(format!(
                "source location end column = {end} is before start column = {start}"
            )));
        }
        Ok(self.session.locs.intern(SourceLocation {
            file,
            line,
            end_line,
            comment_lines,
            column,
            end_column,
        }))
    }
    fn path(&mut self, json: J<'s>) -> Outcome<Symbol> {
        let Kind::String(text) = json.kind() else {
            hashable(json)?;
            return Err(refuses(format!(
                "argument should be a str or an os.PathLike object where __fspath__ returns a str, \
                 not '{}'",
                class_of(json)
            )));
        };
        Ok(self.session.sym(&normalise_path(text)))
    }
    /// A path that is absolute and in normal form.
    #[inline(always)]
    fn usual_path(&mut self, json: J<'s>) -> Option<Symbol> {
        let text = self.text_id(json)?;
        match self.memory.paths.get(text) {
            Some(Some(path)) => Some(*path),
            _ => self.first_usual_path(json, text),
        }
    }
    #[cold]
    fn first_usual_path(&mut self, json: J<'s>, text: usize) -> Option<Symbol> {
        let path = json.as_str().filter(|path| path.starts_with('/') && is_normal_path(path))?;
        let path = self.session.sym(path);
        remember(&mut self.memory.paths, text, path);
        Some(path)
    }
}

/// What a value is looked up by: values that Python takes for equal have equal keys.
pub(super) fn lookup_key(json: J<'_>) -> String {
    match number_of(json) {
        Some(number) => number.to_string(),
        None => repr_of(json),
    }
}

/// Fails for a value that Python cannot look up.
#[inline]
pub(super) fn hashable(json: J<'_>) -> Outcome<()> {
    if json.is_scalar() { Ok(()) } else { Err(unhashable(json)) }
}

#[cold]
fn unhashable(json: J<'_>) -> Box<Failure> {
    refuses(format!("unhashable type: '{}'", class_of(json)))
}

/// Python's `str()` of a value.
fn shown(json: J<'_>) -> String {
    match json.kind() {
        Kind::String(text) => text.to_owned(),
        _ => repr_of(json),
    }
}

fn is_not_a(json: J<'_>, class: &str) -> Box<Failure> {
    refuses(format!("{} is not a valid {class}", repr_of(json)))
}

/// The number that an enumeration's value compares equal to.
pub(super) fn number_of(json: J<'_>) -> Option<u64> {
    match json.kind() {
        Kind::Bool(value) => Some(u64::from(value)),
        Kind::Int(value) => Some(u64::from(value)),
        Kind::Number(text) if is_integer(text) => canonical_integer(text).parse().ok(),
        Kind::Number(text) => {
            let value = float_of(text);
            let is_small = value.fract() == 0.0 && (0.0..1e9).contains(&value);
            is_small.then_some(value as u64)
        }
        _ => None,
    }
}

type DecimalParts = (bool, String, i64, Option<&'static str>);

/// What Python's `Decimal()` makes of a text.
fn decimal_of_text(text: &str) -> Option<DecimalParts> {
    let text = strip(text).replace('_', "");
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let lower = rest.to_ascii_lowercase();
    if matches!(lower.as_str(), "inf" | "infinity") {
        return Some((negative, "0".to_owned(), 0, Some("Infinity")));
    }
    for (prefix, special) in [("snan", "sNaN"), ("nan", "NaN")] {
        if let Some(payload) = lower.strip_prefix(prefix) {
            let is_number = payload.bytes().all(|byte| byte.is_ascii_digit());
            return is_number.then(|| (negative, payload.to_owned(), 0, Some(special)));
        }
    }
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            (mantissa, exponent.parse::<i64>().ok()?)
        }
        None => (lower.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let trimmed = digits.trim_start_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed };
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some((negative, digits.to_owned(), exponent, None))
}

/// The exact value of a float, as Python's `Decimal()` takes it.
fn decimal_of_float(value: f64) -> Option<DecimalParts> {
    if value.is_nan() {
        return Some((false, String::new(), 0, Some("NaN")));
    }
    if value.is_infinite() {
        return Some((value < 0.0, "0".to_owned(), 0, Some("Infinity")));
    }
    let bits = value.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mut mantissa, mut exponent) =
        if biased == 0 { (fraction, -1074) } else { (fraction | (1 << 52), biased - 1075) };
    while mantissa != 0 && mantissa % 2 == 0 && exponent < 0 {
        (mantissa, exponent) = (mantissa / 2, exponent + 1);
    }
    if mantissa == 0 {
        exponent = 0;
    }
    let power = u32::try_from(exponent.unsigned_abs()).ok()?;
    let base = if exponent < 0 { 5 } else { 2 };
    let digits = BigInt::from(mantissa) * BigInt::from(base).pow(power);
    Some((value.is_sign_negative(), digits.to_string(), exponent.min(0), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_pythons_texts() {
        for (value, text) in
            [(1.5, "1.5"), (1e16, "1e+16"), (1e-5, "1e-05"), (123.0, "123.0"), (0.0, "0.0")]
        {
            assert_eq!(float_text(value), text);
        }
        assert_eq!(int_literal(" -1_000 ").as_deref(), Some("-1000"));
        assert_eq!(int_literal("1__0"), None);
    }

    #[test]
    fn decimals_keep_their_exponent() {
        assert_eq!(decimal_of_text("1.50"), Some((false, "150".into(), -2, None)));
        assert_eq!(decimal_of_text("-0.5e3"), Some((true, "5".into(), 2, None)));
        assert_eq!(decimal_of_text("1.5.0"), None);
        assert_eq!(decimal_of_float(0.1).map(|parts| parts.2), Some(-55));
        assert_eq!(decimal_of_float(6.0), Some((false, "6".into(), 0, None)));
    }
}
