//! Generated files agree with what they were generated from, so that a change of the facts without
//! a run of the generator is found.

use std::path::Path;

use puya::avm::ops::{AvmOp, Encoding, OpSpec, Purity, RunMode, StackType, Variant};

/// `scripts/avm.txt` by its lines: the ops, and the groups with their fields.
#[derive(Default)]
struct Facts {
    ops: Vec<Vec<String>>,
    groups: Vec<(String, Vec<Vec<String>>)>,
}

fn facts() -> Facts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/avm.txt");
    let text = std::fs::read_to_string(path).expect("the facts are there");
    let mut facts = Facts::default();
    for line in text.lines() {
        let mut columns = line.split(' ').map(str::to_owned);
        match columns.next().as_deref() {
            Some("op") => facts.ops.push(columns.collect()),
            Some("group") => {
                facts.groups.push((columns.next().expect("a name"), Vec::new()));
            }
            Some("field") => {
                facts.groups.last_mut().expect("a group before").1.push(columns.collect());
            }
            _ => {}
        }
    }
    facts
}

fn stack_type(name: &str) -> StackType {
    match name {
        "u" | "asset" | "app" => StackType::UInt64,
        "bool" | "bool1" => StackType::Bool,
        "b" => StackType::Bytes,
        "big" => StackType::BigUInt,
        "acct" => StackType::Account,
        "acct/u" => StackType::AccountOrIndex,
        "boxkey" => StackType::BoxKey,
        "statekey" => StackType::StateKey,
        "any" => StackType::Any,
        sized => StackType::SizedBytes(sized[1..].parse().expect("a size")),
    }
}

fn check_variant(what: &str, variant: &Variant, args: &[&str], returns: &[&str], rest: &[&str]) {
    let types = |names: &[&str]| names.iter().map(|name| stack_type(name)).collect::<Vec<_>>();
    assert_eq!(variant.args, types(args), "{what}");
    assert_eq!(variant.returns, types(returns), "{what}");
    let mode = match rest[1] {
        "app" => RunMode::App,
        "sig" => RunMode::LogicSig,
        _ => RunMode::Any,
    };
    assert_eq!(variant.min_version.to_string(), rest[0], "{what}");
    assert_eq!(variant.mode, mode, "{what}");
    assert_eq!(variant.cost.map_or("var".to_owned(), |cost| cost.to_string()), rest[2], "{what}");
}

fn listed(column: &str, separator: char) -> Vec<&str> {
    if column == "-" { Vec::new() } else { column.split(separator).collect() }
}

#[test]
fn the_op_tables_agree_with_the_facts() {
    let facts = facts();
    let group = |name: &str| {
        let found = facts.groups.iter().find(|(other, _)| other == name);
        &found.unwrap_or_else(|| panic!("no group {name}")).1
    };
    let mut in_ir = 0;
    for columns in &facts.ops {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let [code, name, identifier, purity, immediates, args, returns, rest @ ..] =
            columns.as_slice()
        else {
            panic!("an op has ten columns: {columns:?}");
        };
        let immediates = listed(immediates, ';');
        check_spec(name, code, &immediates, &group);
        if *identifier == "-" {
            assert_eq!(AvmOp::from_code(name), None, "{name}");
            continue;
        }
        in_ir += 1;
        let op = AvmOp::from_code(name).unwrap_or_else(|| panic!("no op {name}"));
        assert_eq!(op.identifier(), *identifier);
        let class = match op.purity() {
            Purity::Pure => "P",
            Purity::SideEffectFree => "S",
            Purity::None => "-",
        };
        let folds = if op.is_compile_time_constant() { "c" } else { "" };
        assert_eq!(format!("{class}{folds}"), *purity, "{name}");
        let (args, returns) = (listed(args, ','), listed(returns, ','));
        let deciding = immediates.iter().find(|immediate| immediate.ends_with(['<', '>']));
        let Some(deciding) = deciding else {
            let (_, variant) = op.variants().next().expect("one variant");
            check_variant(name, variant, &args, &returns, rest);
            continue;
        };
        let fields = group(deciding.trim_end_matches(['<', '>']));
        assert_eq!(op.variants().count(), fields.len(), "{name}");
        for ((field, variant), row) in op.variants().zip(fields) {
            assert_eq!(field, Some(row[1].as_str()), "{name}");
            let (mut args, mut returns) = (args.clone(), returns.clone());
            if deciding.ends_with('>') {
                returns[0] = &row[2];
            } else {
                args[0] = &row[2];
            }
            let rest = [row[3].as_str(), row[4].as_str(), rest[2]];
            check_variant(&format!("{name} {}", row[1]), variant, &args, &returns, &rest);
        }
    }
    assert_eq!(AvmOp::ALL.len(), in_ir);
    assert_eq!(OpSpec::all().len(), facts.ops.len());
}

fn check_spec<'f>(
    name: &str,
    code: &str,
    immediates: &[&str],
    group: &impl Fn(&str) -> &'f Vec<Vec<String>>,
) {
    let spec = OpSpec::find(name).unwrap_or_else(|| panic!("no instruction {name}"));
    let shown = match spec.sub_code {
        Some(sub_code) => format!("{:02x}.{sub_code:02x}", spec.code),
        None => format!("{:02x}", spec.code),
    };
    assert_eq!(shown, code, "{name}");
    assert_eq!(spec.immediates.len(), immediates.len(), "{name}");
    for (encoding, immediate) in spec.immediates.iter().zip(immediates) {
        let expected = match encoding {
            Encoding::UInt8 => "u8",
            Encoding::Int8 => "i8",
            Encoding::Label => "label",
            Encoding::Labels => "labels",
            Encoding::VarUInt => "varuint",
            Encoding::VarUInts => "varuints",
            Encoding::Bytes => "bytes",
            Encoding::ByteStrings => "byteses",
            Encoding::Enum(fields) => {
                let rows = group(immediate.trim_end_matches(['<', '>']));
                assert_eq!(fields.fields.len(), rows.len(), "{name}");
                for row in rows {
                    let code = fields.code(&row[1]).map(|code| code.to_string());
                    assert_eq!(code.as_ref(), Some(&row[0]), "{name} {}", row[1]);
                }
                continue;
            }
        };
        assert_eq!(expected, *immediate, "{name}");
    }
}
