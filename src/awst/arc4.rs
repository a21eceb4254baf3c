//! Source-level types as ARC-4 and ABI signatures name them, and back. Spec 20 §5.3 to §5.5.

use crate::avm::fields::TransactionType;
use crate::awst::wtypes::{BasicType, WTypeField, WTypeId, WTypeKind, WTypes};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome, Sink};
use crate::metadata::ResourceEncoding;

/// The name a type has in the signature of a method or event. `encoding` says how accounts, assets and
/// applications are passed.
pub fn abi_name(
    wtypes: &WTypes<'_>,
    id: WTypeId,
    encoding: ResourceEncoding,
    loc: Loc,
) -> Outcome<String> {
    let name = |item: WTypeId| abi_name(wtypes, item, encoding, loc);
    let list = |items: &mut dyn Iterator<Item = WTypeId>| -> Outcome<String> {
        let names: Vec<String> = items.map(name).collect::<Outcome<_>>()?;
        Ok(format!("({})", names.join(",")))
    };
    let facts = wtypes.get(id);
    if let (true, Some(alias)) = (facts.kind.is_arc4(), facts.arc4_alias) {
        return Ok(alias.to_owned());
    }
    let by_value = encoding == ResourceEncoding::Value;
    let text = match facts.kind {
        WTypeKind::Basic(basic) => match basic {
            BasicType::Account if by_value => "address",
            BasicType::Asset | BasicType::Application if by_value => "uint64",
            BasicType::BigUInt => "uint512",
            BasicType::UInt64
            | BasicType::Bool
            | BasicType::String
            | BasicType::Account
            | BasicType::Application
            | BasicType::Asset
            | BasicType::Void => basic.name(),
            BasicType::StateKey | BasicType::BoxKey | BasicType::UInt64Range => {
                return Err(unencodable(facts.name, loc));
            }
        }
        .to_owned(),
        WTypeKind::Bytes { length: None } => "byte[]".to_owned(),
        WTypeKind::Bytes { length: Some(length) } => format!("byte[{length}]"),
        WTypeKind::GroupTransaction { transaction_type } => transaction_name(transaction_type),
        WTypeKind::Arc4Basic if id == WTypeId::ARC4_BOOL => "bool".to_owned(),
        WTypeKind::Arc4UIntN { n } => format!("uint{n}"),
        WTypeKind::Arc4UFixedNxM { n, m } => format!("ufixed{n}x{m}"),
        WTypeKind::ReferenceArray { element_type }
        | WTypeKind::Arc4DynamicArray { element_type } => format!("{}[]", name(element_type)?),
        WTypeKind::Arc4StaticArray { element_type, array_size } => {
            format!("{}[{array_size}]", name(element_type)?)
        }
        WTypeKind::Tuple { types, .. } | WTypeKind::Arc4Tuple { types } => {
            list(&mut types.iter().copied())?
        }
        WTypeKind::Arc4Struct { fields, .. } => list(&mut fields.iter().map(|f| f.wtype))?,
        WTypeKind::Arc4Basic
        | WTypeKind::Enumeration { .. }
        | WTypeKind::InnerTransaction { .. }
        | WTypeKind::InnerTransactionFields { .. }
        | WTypeKind::AbiCallInnerTransactionFields { .. } => {
            return Err(unencodable(facts.name, loc));
        }
    };
    Ok(text)
}

fn unencodable(name: &str, loc: Loc) -> Failure {
    Failure::code(format!("unencodable type: {name}"), loc)
}

fn transaction_name(transaction_type: Option<TransactionType>) -> String {
    transaction_type.map_or("txn", TransactionType::name).to_owned()
}

/// The type an ABI name stands for; its location is `loc`.
pub fn wtype_of_abi_name(wtypes: &WTypes<'_>, text: &str, loc: Loc) -> Outcome<WTypeId> {
    let known = match text {
        "void" => Some(WTypeId::VOID),
        "account" => Some(WTypeId::ACCOUNT),
        "application" => Some(WTypeId::APPLICATION),
        "asset" => Some(WTypeId::ASSET),
        "bool" => Some(WTypeId::ARC4_BOOL),
        "address" => Some(WTypeId::ARC4_ADDRESS),
        "byte" => Some(WTypeId::ARC4_BYTE),
        "string" => Some(WTypeId::ARC4_STRING),
        "txn" => Some(wtypes.group_transaction(None, None)),
        _ => TransactionType::from_name(text).map(|ty| wtypes.group_transaction(Some(ty), None)),
    };
    if let Some(known) = known {
        return Ok(known);
    }
    if let Some(bits) = text.strip_prefix("uint").and_then(number) {
        return wtypes.arc4_uint_n(bits, None, loc);
    }
    if let Some((bits, decimals)) = text.strip_prefix("ufixed").and_then(|t| t.split_once('x'))
        && let (Some(bits), Some(decimals)) = (number(bits), number(decimals))
    {
        return wtypes.arc4_ufixed_nxm(bits, decimals, None, loc);
    }
    if let Some((element, size)) = text.strip_suffix(']').and_then(|t| t.rsplit_once('['))
        && !element.is_empty()
    {
        if size.is_empty() {
            let element = wtype_of_abi_name(wtypes, element, loc)?;
            return wtypes.arc4_dynamic_array(element, false, None, loc);
        }
        if let Some(size) = number(size).and_then(|size| u64::try_from(size).ok()) {
            let element = wtype_of_abi_name(wtypes, element, loc)?;
            return wtypes.arc4_static_array(element, size, false, None, loc);
        }
    }
    if let Some(items) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'))
        && !items.is_empty()
    {
        let types: Vec<WTypeId> = split_tuple_types(items)
            .into_iter()
            .map(|item| wtype_of_abi_name(wtypes, item, loc))
            .collect::<Outcome<_>>()?;
        return wtypes.arc4_tuple(&types, loc);
    }
    Err(Failure::code(format!("unknown ABI type '{text}'"), loc))
}

/// A decimal number without sign; numbers beyond any size in use saturate and fail their range check.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(i64::MAX))
}

/// Splits a list of types at its commas, but not inside parentheses. No text is one empty type.
pub fn split_tuple_types(text: &str) -> Vec<&str> {
    let mut depth = 0i32;
    let mut split = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(&mut split).collect()
}

/// The parts of a signature's text. Parameters and result are none when the text does not give them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignatureParts<'t> {
    /// Name of the method or event.
    pub name: &'t str,
    /// What stands in the first parentheses.
    pub args: Option<&'t str>,
    /// What follows them.
    pub returns: Option<&'t str>,
}

/// Takes a signature apart. A name that is no identifier is reported and kept.
pub fn split_signature<'t>(sink: &Sink, text: &'t str, loc: Loc) -> Outcome<SignatureParts<'t>> {
    let closing = |from: usize| {
        let mut depth = 0i32;
        text[from..].char_indices().find_map(|(index, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (c == ')' && depth == 0).then_some(from + index)
        })
    };
    let parts = match text.find('(') {
        None => SignatureParts { name: text, args: None, returns: None },
        Some(open) => {
            let name = &text[..open];
            let Some(close) = closing(open) else {
                let message = format!(
                    "invalid signature, args not well defined: name='{name}', remaining='{}'",
                    &text[open + 1..]
                );
                return Err(Failure::code(message, loc));
            };
            let rest = &text[close + 1..];
            if rest.starts_with('(')
                && let Some(end) = closing(close + 1)
                && !is_array_suffix(&text[end + 1..])
            {
                let message = format!(
                    "invalid signature, text after returns: name='{name}', args='{}', \
                     returns='{}', remaining='{}'",
                    &text[open + 1..close],
                    &text[close + 1..=end],
                    &text[end + 1..]
                );
                return Err(Failure::code(message, loc));
            }
            let returns = (!rest.is_empty()).then_some(rest);
            SignatureParts { name, args: Some(&text[open + 1..close]), returns }
        }
    };
    let identifier = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if !parts.name.chars().all(identifier)
        || !parts.name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
    {
        sink.error(format!("invalid signature: name='{}'", parts.name), loc);
    }
    Ok(parts)
}

/// Whether a text is `[]` or `[n]`, or nothing at all.
fn is_array_suffix(text: &str) -> bool {
    let size = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    text.is_empty() || size.is_some_and(|size| size.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The ARC-4 type that holds the values of a type; none where no ARC-4 type does. Accounts, assets and
/// applications become what is passed for them by value.
pub fn arc4_equivalent(wtypes: &WTypes<'_>, id: WTypeId) -> Outcome<Option<WTypeId>> {
    let facts = wtypes.get(id);
    let all = |items: &mut dyn Iterator<Item = WTypeId>| -> Outcome<Option<Vec<WTypeId>>> {
        items.map(|item| arc4_equivalent(wtypes, item)).collect()
    };
    Ok(Some(match facts.kind {
        WTypeKind::Basic(basic) => match basic {
            BasicType::Account => WTypeId::ARC4_ADDRESS,
            BasicType::Bool => WTypeId::ARC4_BOOL,
            BasicType::UInt64 | BasicType::Asset | BasicType::Application => {
                wtypes.arc4_uint_n(64, None, Loc::NONE)?
            }
            BasicType::BigUInt => wtypes.arc4_uint_n(512, None, Loc::NONE)?,
            BasicType::String => WTypeId::ARC4_STRING,
            BasicType::Void | BasicType::StateKey | BasicType::BoxKey | BasicType::UInt64Range => {
                return Ok(None);
            }
        },
        WTypeKind::Bytes { length: Some(length) } => {
            wtypes.arc4_static_array(WTypeId::ARC4_BYTE, length, true, None, Loc::NONE)?
        }
        WTypeKind::Bytes { length: None } => {
            wtypes.arc4_dynamic_array(WTypeId::ARC4_BYTE, true, None, Loc::NONE)?
        }
        WTypeKind::Tuple { types, names, desc } => {
            let Some(types) = all(&mut types.iter().copied())? else { return Ok(None) };
            match names {
                Some(names) if !names.is_empty() => {
                    let fields: Vec<WTypeField<'_>> = names
                        .iter()
                        .zip(&types)
                        .map(|(name, wtype)| WTypeField { name, wtype: *wtype, description: None })
                        .collect();
                    wtypes.arc4_struct(facts.name, &fields, true, desc, Loc::NONE)?
                }
                _ => wtypes.arc4_tuple(&types, Loc::NONE)?,
            }
        }
        WTypeKind::Arc4Basic | WTypeKind::Arc4UIntN { .. } | WTypeKind::Arc4UFixedNxM { .. } => id,
        WTypeKind::Arc4Tuple { types } => {
            let Some(types) = all(&mut types.iter().copied())? else { return Ok(None) };
            wtypes.arc4_tuple(&types, facts.loc)?
        }
        WTypeKind::Arc4DynamicArray { element_type } => {
            let Some(element) = arc4_equivalent(wtypes, element_type)? else { return Ok(None) };
            wtypes.arc4_dynamic_array(element, facts.immutable, facts.arc4_alias, facts.loc)?
        }
        WTypeKind::Arc4StaticArray { element_type, array_size } => {
            let Some(element) = arc4_equivalent(wtypes, element_type)? else { return Ok(None) };
            let alias = facts.arc4_alias;
            wtypes.arc4_static_array(element, array_size, facts.immutable, alias, facts.loc)?
        }
        WTypeKind::Arc4Struct { fields, frozen, desc } => {
            let Some(types) = all(&mut fields.iter().map(|field| field.wtype))? else {
                return Ok(None);
            };
            let fields: Vec<WTypeField<'_>> =
                fields.iter().zip(types).map(|(f, wtype)| WTypeField { wtype, ..*f }).collect();
            wtypes.arc4_struct(facts.name, &fields, frozen, desc, facts.loc)?
        }
        WTypeKind::Enumeration { .. }
        | WTypeKind::GroupTransaction { .. }
        | WTypeKind::InnerTransaction { .. }
        | WTypeKind::InnerTransactionFields { .. }
        | WTypeKind::AbiCallInnerTransactionFields { .. }
        | WTypeKind::ReferenceArray { .. } => return Ok(None),
    }))
}

/// [`arc4_equivalent`], or the error that there is none.
pub fn arc4_equivalent_or_fail(wtypes: &WTypes<'_>, id: WTypeId, loc: Loc) -> Outcome<WTypeId> {
    arc4_equivalent(wtypes, id)?.ok_or_else(|| {
        let message = format!("unsupported type for ARC-4 encoding {}", wtypes.name(id));
        Failure::code(message, loc)
    })
}

/// The ARC-4 name of an ARC-4 type, native members converted; `byte`, `string` and `address` where the
/// type carries the alias.
pub fn arc4_name(wtypes: &WTypes<'_>, id: WTypeId) -> Outcome<String> {
    let facts = wtypes.get(id);
    if let Some(alias) = facts.arc4_alias {
        return Ok(alias.to_owned());
    }
    let member = |item: WTypeId| -> Outcome<String> {
        let Some(arc4) = arc4_equivalent(wtypes, item)? else {
            let name = wtypes.name(item);
            let message = format!("unencodable ARC-4 type member on {name}");
            return Err(Failure::code(message, Loc::NONE));
        };
        arc4_name(wtypes, arc4)
    };
    let list = |items: &mut dyn Iterator<Item = WTypeId>| -> Outcome<String> {
        let names: Vec<String> = items.map(member).collect::<Outcome<_>>()?;
        Ok(format!("({})", names.join(",")))
    };
    Ok(match facts.kind {
        WTypeKind::Arc4Basic if id == WTypeId::ARC4_BOOL => "bool".to_owned(),
        WTypeKind::Arc4UIntN { n } => format!("uint{n}"),
        WTypeKind::Arc4UFixedNxM { n, m } => format!("ufixed{n}x{m}"),
        WTypeKind::Arc4Tuple { types } => list(&mut types.iter().copied())?,
        WTypeKind::Arc4Struct { fields, .. } => list(&mut fields.iter().map(|f| f.wtype))?,
        WTypeKind::Arc4DynamicArray { element_type } => format!("{}[]", member(element_type)?),
        WTypeKind::Arc4StaticArray { element_type, array_size } => {
            format!("{}[{array_size}]", member(element_type)?)
        }
        _ => {
            let message = format!("unexpected ARC-4 basic type: {}", facts.name);
            return Err(Failure::internal(message, Loc::NONE));
        }
    })
}

/// What a type is a type of, in a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A parameter, resources passed this way.
    Argument(ResourceEncoding),
    /// The result.
    Return,
}

/// The name a parameter's or result's type has in a method's signature.
pub fn method_type_name(wtypes: &WTypes<'_>, id: WTypeId, role: Role, loc: Loc) -> Outcome<String> {
    match wtypes.kind(id) {
        WTypeKind::Basic(
            basic @ (BasicType::Asset | BasicType::Account | BasicType::Application),
        ) if role == Role::Argument(ResourceEncoding::Index) => return Ok(basic.name().to_owned()),
        WTypeKind::GroupTransaction { transaction_type } => {
            return match role {
                Role::Argument(_) => Ok(transaction_name(transaction_type)),
                Role::Return => {
                    Err(Failure::code("transactions are not supported as a return type", loc))
                }
            };
        }
        WTypeKind::Basic(BasicType::Void) => {
            return match role {
                Role::Return => Ok("void".to_owned()),
                Role::Argument(_) => {
                    Err(Failure::code("void type is not supported at this location", loc))
                }
            };
        }
        _ => {}
    }
    match arc4_equivalent(wtypes, id)? {
        Some(arc4) => arc4_name(wtypes, arc4),
        None => {
            let message = match role {
                Role::Return => "unsupported return type for an ARC-4 method",
                Role::Argument(_) => "unsupported type for an ARC-4 method",
            };
            Err(Failure::code(message, loc))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;

    #[test]
    fn abi_names_and_types_convert_both_ways() {
        let arena = Arena::new();
        let wtypes = WTypes::new(&arena);
        for text in
            ["uint8", "bool[3]", "(string,(byte[],address)[2])[]", "ufixed64x2", "pay", "asset"]
        {
            let id = wtype_of_abi_name(&wtypes, text, Loc::NONE).unwrap();
            assert_eq!(abi_name(&wtypes, id, ResourceEncoding::Index, Loc::NONE).unwrap(), text);
        }
        for text in ["", "uint", "()", "uint65", "[3]", "uint8[x]"] {
            assert!(wtype_of_abi_name(&wtypes, text, Loc::NONE).is_err(), "{text}");
        }
        assert_eq!(split_tuple_types(""), [""]);
        assert_eq!(split_tuple_types("a,(b,c),d"), ["a", "(b,c)", "d"]);
    }

    #[test]
    fn a_signature_splits_into_name_parameters_and_result() {
        let sink = Sink::new();
        let split = |text| {
            let parts = split_signature(&sink, text, Loc::NONE).unwrap();
            (parts.name, parts.args, parts.returns)
        };
        assert_eq!(
            split("add(uint64,(byte,bool))(bool)[]"),
            ("add", Some("uint64,(byte,bool)"), Some("(bool)[]"))
        );
        assert_eq!(split("f()"), ("f", Some(""), None));
        assert_eq!(split("Event"), ("Event", None, None));
        assert!(sink.is_empty());
        assert!(split_signature(&sink, "f()(a)b", Loc::NONE).is_err());
        split("1f()void");
        assert_eq!(sink.count(crate::diagnostics::Severity::Error), 1);
    }
}
