//! How the values of a method's parameters are passed with a call: their types in, places and
//! conversions out, and the expressions that read them.

use crate::awst::arc4;
use crate::awst::expr::{Arc4Decode, Arc4FromBytes, ExprRef, Immediate, TupleItemExpression};
use crate::awst::make::Make;
use crate::awst::wtypes::{WTypeId, WTypeKind, WTypes};
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::metadata::ResourceEncoding;

use super::dispatch::argument;

/// Arguments from this one on are passed as one tuple when there are more.
const ARGUMENTS_MAX: usize = 15;

/// Where the value of a parameter is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// So many transactions before the call.
    Transaction(usize),
    /// In the application argument of this number, of this type.
    Argument(usize, WTypeId),
    /// In an item, of the last type, of the tuple that the last argument is.
    Item(WTypeId, usize, WTypeId),
}

/// What makes a value of what was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    None,
    /// It is an index into this array of the transaction.
    ResourceOf(&'static str),
    Decode,
}

/// Where each parameter of these types is passed, and what has to be done with it. Only a type that has
/// no encoding is refused, at `loc`.
pub fn places(
    wtypes: &WTypes<'_>,
    parameters: &[WTypeId],
    resources: ResourceEncoding,
    loc: Loc,
) -> Outcome<Vec<(Place, Conversion)>> {
    let mut encoded = Vec::with_capacity(parameters.len());
    let mut conversions = Vec::with_capacity(parameters.len());
    for wtype in parameters {
        let resource = resource_array(*wtype).filter(|_| resources == ResourceEncoding::Index);
        conversions.push(match (wtypes.kind(*wtype), resource) {
            (WTypeKind::GroupTransaction { .. }, _) => Conversion::None,
            (kind, _) if kind.is_arc4() => {
                encoded.push(*wtype);
                Conversion::None
            }
            (_, Some(array)) => {
                encoded.push(WTypeId::ARC4_BYTE);
                Conversion::ResourceOf(array)
            }
            _ => {
                encoded.push(arc4::arc4_equivalent_or_fail(wtypes, *wtype, loc)?);
                Conversion::Decode
            }
        });
    }
    let alone = if encoded.len() > ARGUMENTS_MAX { ARGUMENTS_MAX - 1 } else { encoded.len() };
    let (alone, packed) = encoded.split_at(alone);
    let alone = alone.iter().zip(1..).map(|(wtype, number)| Place::Argument(number, *wtype));
    let tuple = match packed {
        [] => WTypeId::VOID,
        _ => wtypes.arc4_tuple(packed, loc)?,
    };
    let items = packed.iter().enumerate().map(|(item, wtype)| Place::Item(tuple, item, *wtype));
    let mut arguments = alone.chain(items);
    let transactions = transactions(wtypes, parameters);
    let places = transactions.map(|before| match before {
        Some(before) => Place::Transaction(before),
        None => arguments.next().expect("there is one for every parameter that is no transaction"),
    });
    Ok(places.zip(conversions).collect())
}

/// How far before the call each parameter is that is a transaction of its group: they come in order and
/// the last one directly before it. None for every other parameter.
pub fn transactions(
    wtypes: &WTypes<'_>,
    parameters: &[WTypeId],
) -> impl Iterator<Item = Option<usize>> {
    let is_transaction =
        |wtype: &WTypeId| matches!(wtypes.kind(*wtype), WTypeKind::GroupTransaction { .. });
    let mut left = parameters.iter().filter(|wtype| is_transaction(wtype)).count();
    parameters.iter().map(move |wtype| {
        is_transaction(wtype).then(|| {
            left -= 1;
            left + 1
        })
    })
}

/// The foreign array that an index into is passed for a resource.
fn resource_array(wtype: WTypeId) -> Option<&'static str> {
    let arrays = [
        (WTypeId::ASSET, "Assets"),
        (WTypeId::ACCOUNT, "Accounts"),
        (WTypeId::APPLICATION, "Applications"),
    ];
    arrays.iter().find(|(resource, _)| *resource == wtype).map(|(_, array)| *array)
}

/// The value of a parameter of this type. `validate` has the encoding of arguments checked.
pub fn value<'s>(
    make: Make<'s>,
    wtype: WTypeId,
    (place, conversion): (Place, Conversion),
    validate: bool,
) -> ExprRef<'s> {
    let loc = make.loc;
    let argument = |number, wtype| {
        let value = argument(make, number);
        make.expr(Arc4FromBytes { loc, wtype, value, validate })
    };
    let value = match place {
        Place::Transaction(before) => make.group_transaction(wtype, before),
        Place::Argument(number, wtype) => argument(number, wtype),
        // Each item has a conversion of its own: the reference checks and reads the tuple anew.
        Place::Item(tuple, item, wtype) => make.expr(TupleItemExpression {
            loc,
            wtype,
            base: argument(ARGUMENTS_MAX, tuple),
            index: i64::try_from(item).expect("a tuple has few items"),
        }),
    };
    match conversion {
        Conversion::None => value,
        Conversion::ResourceOf(array) => {
            let index = make.intrinsic("btoi", &[], &[value], WTypeId::UINT64);
            make.intrinsic("txnas", &[Immediate::Text(array)], &[index], wtype)
        }
        Conversion::Decode => make.expr(Arc4Decode { loc, wtype, value, error_message: None }),
    }
}

#[cfg(test)]
mod tests;
