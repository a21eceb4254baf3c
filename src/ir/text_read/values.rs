//! Values in dumps, and the cursor that walks over a line.

use crate::avm::fields::{TransactionType, TxnField};
use crate::base::encode;
use crate::base::source::Loc;
use crate::ir::op::{BytesEncoding, Constant, Value};
use crate::ir::pool::CompiledField;
use crate::ir::types::{AvmType, IrType};
use crate::metadata::OnCompletion;

use super::{BodyReader, Read};

/// A place in a line.
#[derive(Clone)]
pub(super) struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Cursor { rest: text }
    }
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }
    /// Goes past `text` if it is next.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
    pub(super) fn expect(&mut self, text: &str) -> Read<()> {
        match self.accept(text) {
            true => Ok(()),
            false => Err(format!("expected {text:?} before {:?}", self.rest)),
        }
    }
    pub(super) fn end(&self) -> Read<()> {
        match self.rest {
            "" => Ok(()),
            rest => Err(format!("unexpected {rest:?}")),
        }
    }
    /// What stands before `text`; the cursor goes past `text`.
    pub(super) fn until(&mut self, text: &str) -> Read<&'t str> {
        let (found, rest) =
            self.rest.split_once(text).ok_or_else(|| format!("{text:?} is missing"))?;
        self.rest = rest;
        Ok(found)
    }
    /// The longest text without a space, in which brackets match. Names of temporaries contain
    /// names of types, thus brackets and commas.
    pub(super) fn token(&mut self) -> &'t str {
        let mut depth = 0usize;
        let mut end = self.rest.len();
        for (index, character) in self.rest.char_indices() {
            match character {
                '(' | '[' => depth += 1,
                ')' | ']' if depth > 0 => depth -= 1,
                ' ' | ')' | ']' => end = index,
                ',' if depth == 0 => end = index,
                _ => {}
            }
            if end <= index {
                break;
            }
        }
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }
    /// A text in quotes, its escapes resolved; each character stands for one byte if `as_bytes`.
    fn quoted(&mut self) -> Read<Vec<u8>> {
        let mut out = Vec::new();
        let text = self.rest;
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let quote = quote.ok_or("a text starts with a quote")?;
        let mut characters = text.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            if character == quote {
                self.rest = &text[index + 1..];
                return Ok(out);
            }
            if character != '\\' {
                out.extend(character.to_string().bytes());
                continue;
            }
            let (_, escaped) = characters.next().ok_or("an escape has a character")?;
            match escaped {
                'n' => out.push(b'\n'),
                'r' => out.push(b'\r'),
                't' => out.push(b'\t'),
                'x' => {
                    let digits: String = characters.by_ref().take(2).map(|(_, c)| c).collect();
                    out.push(u8::from_str_radix(&digits, 16).map_err(|_| "no hex digits")?);
                }
                other => out.extend(other.to_string().bytes()),
            }
        }
        Err("a text ends with a quote".to_owned())
    }
}

impl BodyReader<'_, '_, '_> {
    /// A value; `ty` is the type of a constant where the text does not tell it.
    pub(super) fn value(&self, cursor: &mut Cursor<'_>, ty: IrType) -> Read<Value> {
        let ctx = self.ctx;
        let rest = cursor.rest();
        if rest.starts_with('"') {
            let data = cursor.quoted()?;
            return Ok(self.bytes(&data, BytesEncoding::Utf8, ty));
        }
        if cursor.accept("addr ") {
            let text = ctx.sym(cursor.token());
            let constant = Constant::Address { text, ty: IrType::Account };
            return Ok(Value::Constant(constant, Loc::NONE));
        }
        if cursor.accept("method \"") {
            let signature = ctx.sym(cursor.until("\"")?);
            return Ok(Value::Constant(Constant::Method(signature), Loc::NONE));
        }
        if cursor.accept("TemplateVar[") {
            let ty = super::types::ir_type(ctx, cursor.until("](")?)?;
            let name = ctx.sym(cursor.until(")")?);
            return Ok(Value::TemplateVar { name, ty, loc: Loc::NONE });
        }
        for (start, ty) in
            [("itxn_group_idx(", IrType::ItxnGroupIdx), ("itxn_field_set(", IrType::ItxnFieldSet)]
        {
            if cursor.accept(start) {
                let value = cursor.until(")")?.parse().map_err(|_| "a number")?;
                return Ok(Value::Constant(Constant::Itxn { value, ty }, Loc::NONE));
            }
        }
        if cursor.accept("compiled_contract(") {
            return self.compiled(cursor, ty, true);
        }
        if cursor.accept("compiled_logicsig(") {
            return self.compiled(cursor, ty, false);
        }
        let token = cursor.token();
        if token == "undefined" {
            return Ok(Value::Undefined(ty, Loc::NONE));
        }
        if token.contains('#') {
            return Ok(Value::Register(self.register(token)?));
        }
        if let Some(value) = token.strip_prefix("local.").and_then(|value| value.parse().ok()) {
            let ty = match ty {
                IrType::Slot(_) => ty,
                _ => self.slot_of(ty),
            };
            return Ok(Value::Constant(Constant::Slot { value, ty }, Loc::NONE));
        }
        self.constant(token, ty)
    }
    fn constant(&self, token: &str, ty: IrType) -> Read<Value> {
        let ctx = self.ctx;
        let uint64_type = match ty.maybe_avm_type(ctx.pool) {
            Some(AvmType::UInt64) => ty,
            _ => IrType::UInt64,
        };
        let uint64 = |value, alias| {
            Value::Constant(Constant::UInt64 { value, ty: uint64_type, alias }, Loc::NONE)
        };
        if let Some(value) = token.strip_suffix('u').and_then(|value| value.parse().ok()) {
            return Ok(uint64(value, None));
        }
        let on_completion = (0..).zip(OnCompletion::ALL).find(|(_, o)| o.avm_name() == token);
        let named = on_completion
            .map(|(value, _)| value)
            .or_else(|| TransactionType::from_name(token).map(TransactionType::value));
        if let Some(value) = named {
            return Ok(uint64(value, Some(ctx.sym(token))));
        }
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(number) = token.strip_suffix('b').filter(|text| is_number(text)) {
            let number: num_bigint::BigUint = number.parse().map_err(|_| "a wide integer")?;
            let bytes = if number.bits() == 0 { Vec::new() } else { number.to_bytes_be() };
            let constant = Constant::BigUInt(ctx.pool.bytes_id(&bytes));
            return Ok(Value::Constant(constant, Loc::NONE));
        }
        if let Some(data) = token.strip_prefix("0x").and_then(from_hex) {
            return Ok(self.bytes(&data, BytesEncoding::Base16, ty));
        }
        if token.is_empty() {
            return Ok(self.bytes(b"", BytesEncoding::Base64, ty));
        }
        let padding = "=".repeat(token.len().wrapping_neg() % 8);
        if let Some(data) = encode::base32_decode(&(token.to_owned() + &padding)) {
            return Ok(self.bytes(&data, BytesEncoding::Base32, ty));
        }
        if let Some(data) = encode::base64_decode(token) {
            return Ok(self.bytes(&data, BytesEncoding::Base64, ty));
        }
        Err(format!("no value: {token:?}"))
    }
    fn bytes(&self, data: &[u8], encoding: BytesEncoding, ty: IrType) -> Value {
        let pool = self.ctx.pool;
        let sized = Value::bytes(pool, data, encoding, Loc::NONE);
        match ty {
            IrType::SizedBytes(_) | IrType::Any | IrType::AccountOrUInt64 => sized,
            _ if ty.is_bytes(pool) => {
                let constant = Constant::Bytes { data: pool.bytes_id(data), encoding, ty };
                Value::Constant(constant, Loc::NONE)
            }
            _ => sized,
        }
    }
    fn compiled(&self, cursor: &mut Cursor<'_>, ty: IrType, is_contract: bool) -> Read<Value> {
        let ctx = self.ctx;
        let artifact = String::from_utf8(cursor.quoted()?).map_err(|_| "a name is text")?;
        let mut field = CompiledField::LogicSigAddress;
        if is_contract {
            cursor.expect(", field=")?;
            let name = cursor.until(", ")?;
            cursor.expect("program_page=")?;
            let program_page = cursor.token().parse().ok();
            let name = TxnField::from_name(name).ok_or("no such field")?;
            field = CompiledField::Contract { field: name, program_page };
        }
        let mut variables = Vec::new();
        while cursor.accept(", ") {
            let name = ctx.sym(cursor.until("=")?);
            variables.push((name, self.value(cursor, IrType::UInt64)?));
        }
        cursor.expect(")")?;
        let ty = match ty {
            IrType::Any | IrType::AccountOrUInt64 if is_contract => IrType::Bytes,
            IrType::Any | IrType::AccountOrUInt64 => IrType::Account,
            _ => ty,
        };
        let id = ctx.pool.compiled_ref_id(ty, ctx.sym(&artifact), field, &variables);
        Ok(Value::Compiled(id, Loc::NONE))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|start| u8::from_str_radix(&text[start..start + 2], 16).ok()).collect()
}
