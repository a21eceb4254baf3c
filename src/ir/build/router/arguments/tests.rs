//! Places of parameters as text.

use super::*;
use crate::base::arena::Arena;

/// The places of parameters of these types, one a line.
fn check(parameters: &[&str], resources: ResourceEncoding, expected: &str) {
    let arena = Arena::new();
    let wtypes = WTypes::new(&arena);
    let wtype = |name: &&str| match *name {
        "asset" => WTypeId::ASSET,
        "account" => WTypeId::ACCOUNT,
        "application" => WTypeId::APPLICATION,
        "uint64" => WTypeId::UINT64,
        "address" => WTypeId::ARC4_ADDRESS,
        "byte" => WTypeId::ARC4_BYTE,
        "txn" => wtypes.group_transaction(None, None),
        "key" => WTypeId::STATE_KEY,
        _ => unreachable!("no type of the tests"),
    };
    let parameters: Vec<WTypeId> = parameters.iter().map(wtype).collect();
    let name = |wtype| arc4::arc4_name(&wtypes, wtype).unwrap();
    let text = match places(&wtypes, &parameters, resources, Loc::NONE) {
        Err(failure) => format!("{failure:?}"),
        Ok(places) => {
            let line = |(place, conversion)| {
                let place = match place {
                    Place::Transaction(before) => format!("{before} before"),
                    Place::Argument(number, wtype) => format!("argument {number}: {}", name(wtype)),
                    Place::Item(tuple, item, wtype) => {
                        format!("item {item} of {}: {}", name(tuple), name(wtype))
                    }
                };
                match conversion {
                    Conversion::None => place,
                    Conversion::ResourceOf(array) => format!("{place}, in {array}"),
                    Conversion::Decode => format!("{place}, decoded"),
                }
            };
            places.into_iter().map(line).collect::<Vec<_>>().join("\n")
        }
    };
    assert_eq!(text, expected.trim().replace("\n        ", "\n"));
}

#[test]
fn transactions_stand_before_the_call_and_all_else_in_arguments() {
    let expected = "
        2 before
        argument 1: uint64, decoded
        1 before
        argument 2: address";
    check(&["txn", "uint64", "txn", "address"], ResourceEncoding::Value, expected);
}

#[test]
fn resources_are_passed_as_indices_or_values() {
    let resources = ["asset", "account", "application", "address"];
    let by_index = "
        argument 1: byte, in Assets
        argument 2: byte, in Accounts
        argument 3: byte, in Applications
        argument 4: address";
    check(&resources, ResourceEncoding::Index, by_index);
    let by_value = "
        argument 1: uint64, decoded
        argument 2: address, decoded
        argument 3: uint64, decoded
        argument 4: address";
    check(&resources, ResourceEncoding::Value, by_value);
}

#[test]
fn of_sixteen_arguments_the_last_two_are_a_tuple() {
    let mut parameters = vec!["byte"; 14];
    parameters.extend(["txn", "uint64"]);
    let alone = |count| -> String {
        (1..=count).map(|number| format!("argument {number}: byte\n")).collect()
    };
    let expected = alone(14) + "1 before\nargument 15: uint64, decoded";
    check(&parameters, ResourceEncoding::Index, &expected);
    parameters.push("asset");
    let items = "1 before\nitem 0 of (uint64,byte): uint64, decoded\n\
                 item 1 of (uint64,byte): byte, in Assets";
    check(&parameters, ResourceEncoding::Index, &(alone(14) + items));
}

#[test]
fn a_type_without_an_encoding_is_refused() {
    let expected = "Code(\"unsupported type for ARC-4 encoding state_key\", loc0)";
    check(&["txn", "key"], ResourceEncoding::Value, expected);
}
