//! Golden tests: one contract with a bit of everything against specifications in
//! `tests/golden/artifacts`, which the reference wrote from the same facts.

use super::arc56::{Form, ProgramOutput};
use super::{arc32, arc56};
use crate::assemble::Assembled;
use crate::base::arena::Arena;
use crate::base::encode::base64;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::diagnostics::Severity;
use crate::json::write::Layout;
use crate::metadata::*;
use crate::options::TemplateValue;
use crate::session::Session;

fn field(
    name: &str,
    arc4_type: &str,
    struct_name: Option<&str>,
    desc: Option<&str>,
) -> StructField {
    StructField {
        name: name.to_owned(),
        arc4_type: arc4_type.to_owned(),
        struct_name: struct_name.map(str::to_owned),
        desc: desc.map(str::to_owned),
    }
}

fn structure(full_name: &str, desc: Option<&str>, fields: Vec<StructField>) -> Struct {
    Struct { full_name: full_name.to_owned(), desc: desc.map(str::to_owned), fields }
}

fn arg(name: &str, arc4_type: &str, default: Option<DefaultArg>) -> MethodArg {
    let arc4_type = arc4_type.to_owned();
    MethodArg { name: name.to_owned(), arc4_type, struct_name: None, desc: None, default }
}

fn constant(data: &[u8], arc4_type: &str) -> Option<DefaultArg> {
    Some(DefaultArg::Constant { data: data.to_vec(), arc4_type: arc4_type.to_owned() })
}

fn from_state(kind: StorageKind, key: &[u8]) -> Option<DefaultArg> {
    Some(DefaultArg::State { kind, key: key.to_vec(), key_type: "AVMString".to_owned() })
}

fn bare(actions: &[OnCompletion], create: CreateOption) -> Method {
    Method::Bare(BareMethod {
        id: String::new(),
        desc: None,
        allowed_completion_types: actions.to_vec(),
        create,
        config_loc: Loc::NONE,
    })
}

fn abi(name: &str, args: Vec<MethodArg>, returns: MethodReturn, event: Struct) -> AbiMethod {
    AbiMethod {
        id: String::new(),
        desc: None,
        name: name.to_owned(),
        args,
        returns,
        events: vec![event],
        allowed_completion_types: vec![OnCompletion::NoOp],
        create: CreateOption::Disallow,
        readonly: false,
        resource_encoding: ResourceEncoding::Value,
        validate_encoding: None,
        config_loc: Loc::NONE,
    }
}

fn state(
    name: &str,
    key: &[u8],
    [key_type, value_type]: [&str; 2],
    storage_type: StorageType,
    desc: Option<&str>,
) -> (String, ContractState) {
    let state = ContractState {
        name: name.to_owned(),
        loc: Loc::NONE,
        key_or_prefix: key.to_vec(),
        arc56_key_type: key_type.to_owned(),
        arc56_value_type: value_type.to_owned(),
        storage_type,
        desc: desc.map(str::to_owned),
        is_map: false,
    };
    (name.to_owned(), state)
}

fn contract() -> ContractMetadata {
    let structs = [
        structure(
            "m.Point",
            Some("A point."),
            vec![field("x", "uint64", None, None), field("y", "uint64", None, Some("up"))],
        ),
        structure(
            "other.Point",
            None,
            vec![field("inner", "(uint64,uint64)", Some("m.Point"), None)],
        ),
        structure("z.AVMBytes", None, Vec::new()),
    ];
    let event = structure(
        "m.Moved",
        Some("It moved."),
        vec![
            field("to", "(uint64,uint64)", Some("m.Point"), Some("where")),
            field("by", "address", None, None),
        ],
    );
    let mut to = arg("to", "(uint64,uint64)", None);
    to.struct_name = Some("m.Point".to_owned());
    to.desc = Some("where".to_owned());
    let from_method = DefaultArg::Method {
        name: "get".to_owned(),
        return_type: "uint64".to_owned(),
        readonly: true,
    };
    let mut from_get = arg("f", "uint64", Some(from_method));
    from_get.desc = Some(String::new());
    let args = vec![
        to,
        arg("s", "string", constant(b"\0\x02hi", "string")),
        arg("u", "uint64", constant(b"\x01\0", "uint64")),
        arg("t", "bool", constant(b"\x80", "bool")),
        arg("g", "uint64", from_state(StorageKind::Global, b"bee")),
        arg("l", "uint64", from_state(StorageKind::Local, b"l")),
        from_get,
    ];
    let place = MethodReturn {
        arc4_type: "(uint64,uint64)".to_owned(),
        struct_name: Some("m.Point".to_owned()),
        desc: Some("new place".to_owned()),
    };
    let mut mover = abi("move", args, place, event.clone());
    mover.desc = Some("Moves.".to_owned());
    mover.allowed_completion_types.push(OnCompletion::UpdateApplication);
    let number = MethodReturn { arc4_type: "uint64".to_owned(), struct_name: None, desc: None };
    let mut getter = abi("get", Vec::new(), number, event);
    getter.allowed_completion_types.push(OnCompletion::OptIn);
    getter.create = CreateOption::Allow;
    getter.readonly = true;
    let mut map = state("mp", b"p", ["m.Point", "uint64"], StorageType::Bytes, None);
    map.1.is_map = true;
    use OnCompletion::{CloseOut, DeleteApplication, NoOp, OptIn};
    ContractMetadata {
        id: "m.All".to_owned(),
        name: "All".to_owned(),
        desc: Some("Ünicode \"doc\"".to_owned()),
        global_state: OrderedMap::from_iter([
            state("b", b"bee", ["AVMString", "AVMUint64"], StorageType::Uint64, Some("counts")),
            state("a", "ä".as_bytes(), ["AVMBytes", "m.Point"], StorageType::Bytes, None),
        ]),
        local_state: OrderedMap::from_iter([state(
            "l",
            b"l",
            ["AVMString", "other.Point"],
            StorageType::Bytes,
            None,
        )]),
        boxes: OrderedMap::from_iter([
            state("bx", b"\xff", ["AVMBytes", "string"], StorageType::Bytes, Some("a box")),
            map,
        ]),
        state_totals: StateTotals {
            global_uints: 1,
            local_uints: 2,
            global_bytes: 3,
            local_bytes: 4,
        },
        methods: vec![
            bare(&[NoOp, OptIn], CreateOption::Require),
            bare(&[CloseOut, DeleteApplication, NoOp], CreateOption::Allow),
            Method::Abi(mover),
            Method::Abi(getter),
        ],
        structs: structs.into_iter().map(|it| (it.full_name.clone(), it)).collect(),
        template_variable_types: [
            ("TMPL_A", "AVMUint64"),
            ("TMPL_B", "other.Point"),
            ("C", "AVMBytes"),
        ]
        .map(|(name, of_type)| (name.to_owned(), of_type.to_owned()))
        .into_iter()
        .collect(),
    }
}

fn assembled(
    session: &Session,
    bytecode: &[u8],
    templates: [(&str, Option<TemplateValue>); 2],
    op_pc_offset: usize,
    errors: &[(u32, &str)],
) -> Assembled {
    let errors = errors.iter().map(|(pc, error)| (*pc, session.sym(error)));
    Assembled {
        bytecode: bytecode.to_vec(),
        op_pc_offset,
        errors: errors.collect(),
        template_variables: templates
            .into_iter()
            .map(|(name, value)| (session.sym(name), value))
            .collect(),
        stats: Default::default(),
        pcs: Vec::new(),
        salt_len: 0,
    }
}

#[test]
fn specifications_equal_those_of_the_reference() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let contract = contract();
    let bytes = |value: &[u8]| Some(TemplateValue::Bytes(value.to_vec()));
    let approval = assembled(
        &session,
        b"\x0b\x43",
        [("TMPL_A", Some(TemplateValue::Int(7.into()))), ("C", None)],
        2,
        &[(1, "b"), (5, "a"), (9, "b")],
    );
    let clear =
        assembled(&session, b"\x0b", [("C", bytes(b"\x01")), ("TMPL_B", bytes(b"zz"))], 0, &[]);
    let sources = ["#pragma version 11\n", "clear é"].map(|text| base64(text.as_bytes()));
    let [source, clear_source] = &sources;
    let approval = ProgramOutput { source, assembled: &approval };
    let clear = ProgramOutput { source: clear_source, assembled: &clear };

    let text = arc32::render(&session, &contract, source, clear_source).expect("renders");
    assert_eq!(text + "\n", include_str!("../../tests/golden/artifacts/everything.arc32.json"));
    let warnings = session.sink.since(0);
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].severity, Severity::Warning);
    assert_eq!(
        warnings[0].message,
        "parameter 't' has unsupported default constant type for ARC-32"
    );

    let render = |form| {
        let programs = [approval, clear];
        let text = arc56::render(&session, &contract, programs, "TMPL_", form, Layout::Indent(4));
        text.expect("renders")
    };
    assert_eq!(
        render(Form::Compact) + "\n",
        include_str!("../../tests/golden/artifacts/everything.arc56.json")
    );
    assert_eq!(
        render(Form::Full) + "\n",
        include_str!("../../tests/golden/artifacts/everything.full.arc56.json")
    );
}
