use super::write_back::{Write, Writer};
use super::*;
use crate::base::arena::Arena;
use crate::base::ordered::LookupMap;
use crate::json::Value;

/// Reads a document; what it reports follows the outcome, one message a line.
fn read_text(text: &str) -> String {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let wtypes = WTypes::new(&arena);
    let document = crate::json::read(arena.str(text), &arena).unwrap();
    let mut out = match read(&session, &wtypes, document) {
        Ok(roots) => format!("{} roots", roots.len()),
        Err(error) => format!("{:?} at {}", error.failure, error.place()),
    };
    for item in session.sink.since(0) {
        out.push_str(&format!("\n{}: {}", item.severity.name(), item.message));
    }
    out
}

/// What is missing or different where all of `expected` should be in `written`.
fn difference(
    expected: Json<'_>,
    written: &Value,
    definitions: &Definitions<'_>,
) -> Option<String> {
    let expected = match expected.get(REF_KEY).filter(|id| !id.is_null()) {
        Some(id) => definitions.get(&repr_of(id)).copied().unwrap(),
        None => expected,
    };
    match (expected.kind(), written) {
        (Kind::Object(members), Value::Object(_)) => members.iter().find_map(|(key, value)| {
            if key == ID_KEY {
                return None;
            }
            match written.get(key) {
                // absent values need no key, helpers no tag, and some locations are not read
                None if value.is_null() || matches!(key, "_type" | "source_location") => None,
                // a set, which Python writes in an order of its own
                Some(_) if key == "reserved_scratch_space" => None,
                Some(found) => {
                    difference(value, found, definitions).map(|rest| format!(".{key}{rest}"))
                }
                None => Some(format!(".{key} is missing")),
            }
        }),
        (Kind::Array(items), Value::Array(found)) if items.len() == found.len() => {
            items.iter().zip(found).enumerate().find_map(|(index, (item, found))| {
                difference(item, found, definitions).map(|rest| format!("[{index}]{rest}"))
            })
        }
        (Kind::Null, Value::Null) => None,
        (Kind::Bool(a), Value::Bool(b)) if a == *b => None,
        (Kind::Int(a), Value::Number(b)) if a.to_string() == *b => None,
        (Kind::Number(a) | Kind::String(a), Value::Number(b)) if a == b => None,
        (Kind::String(a), Value::String(b)) if a == b => None,
        _ => Some(format!(": {} became {written:?}", repr_of(expected))),
    }
}

const REF_KEY: &str = Key::Reference.text();

type Definitions<'a> = LookupMap<String, Json<'a>>;

fn define<'a>(json: Json<'a>, definitions: &mut Definitions<'a>) {
    match json.kind() {
        Kind::Object(members) => {
            if let Some(id) = json.get(ID_KEY).filter(|id| !id.is_null()) {
                definitions.insert(repr_of(id), json);
            }
            members.iter().for_each(|(_, value)| define(value, definitions));
        }
        Kind::Array(items) => items.iter().for_each(|item| define(item, definitions)),
        _ => {}
    }
}

fn round_trip(text: &str) -> Result<(), String> {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let wtypes = WTypes::new(&arena);
    let document = crate::json::read(arena.str(text), &arena).map_err(|error| error.to_string())?;
    let roots = read(&session, &wtypes, document)
        .map_err(|error| format!("{:?} at {}", error.failure, error.place()))?;
    let written = roots.json(&Writer { session: &session, wtypes: &wtypes });
    let mut definitions = Definitions::new();
    define(document, &mut definitions);
    match difference(document, &written, &definitions) {
        Some(difference) => Err(difference),
        None => Ok(()),
    }
}

const LOC: &str = r#"{"file": "/a/b.py", "line": 1, "column": 2, "end_column": 5}"#;

/// A subroutine with the given statements; `LOC` stands for a location, `U64`, `VOID` and `BYTES` for
/// types.
pub fn document(statements: &str) -> String {
    let text = format!(
        r#"[{{"_type": "Subroutine", "source_location": LOC, "args": [], "return_type": VOID,
        "body": {{"source_location": LOC, "body": [{statements}]}}, "documentation": {{}},
        "id": "m.f", "name": "f"}}]"#
    );
    text.replace("LOC", LOC)
        .replace("VOID", r#"{"_type": "WType", "name": "void"}"#)
        .replace("U64", r#"{"_type": "WType", "name": "uint64"}"#)
        .replace("BYTES", r#"{"_type": "BytesWType", "length": null}"#)
}

/// A document whose one statement evaluates `expr`.
fn evaluating(expr: &str) -> String {
    document(&format!(r#"{{"_type": "ExpressionStatement", "expr": {expr}}}"#))
}

const ONE: &str =
    r#"{"_type": "IntegerConstant", "source_location": LOC, "wtype": U64, "value": 1}"#;

#[test]
fn what_is_read_is_written_back() {
    let expr = r#"{"_type": "CommaExpression", "source_location": LOC, "expressions": [
        {"_$%!#ID": "one", "_type": "IntegerConstant", "source_location": LOC,
         "wtype": {"_type": "ARC4UIntN", "n": 512, "arc4_alias": "x"},
         "value": 123456789012345678901234567890},
        {"_$%!#REF": "one"},
        {"_type": "DecimalConstant", "source_location": LOC, "value": "1.50",
         "wtype": {"n": 64, "m": 2}},
        {"_type": "BytesConstant", "source_location": LOC, "value": "VPaz%", "encoding": "utf8"},
        {"_type": "NewStruct", "source_location": LOC, "values": {"a": {"_$%!#REF": "two"}},
         "wtype": {"name": "S", "frozen": true, "fields": [
             {"name": "a", "wtype": U64, "description": "first"}]}},
        {"_type": "CreateInnerTransaction", "source_location": LOC,
         "wtype": {"_type": "WInnerTransactionFields", "transaction_type": 1},
         "fields": {"Amount": {"_$%!#ID": "two", "_type": "VarExpression", "source_location": LOC,
                               "wtype": U64, "name": "v"}}},
        {"_type": "SingleEvaluation", "_id": 140000000000000000000, "source":
         {"_type": "IntersectionSliceExpression", "source_location": LOC, "begin_index": -1,
          "end_index": null, "wtype": BYTES,
          "base": {"_type": "TemplateVar", "source_location": LOC, "wtype": BYTES, "name": "T"}}}
    ]}"#;
    assert_eq!(round_trip(&evaluating(expr)), Ok(()));
}

#[test]
fn mistakes_are_told_in_the_references_words_and_with_their_place() {
    let place = "awst[0].body.body[0].expr";
    let cases = [
        (r#"{"_type": "Foo"}"#, "deserialization failed: 'Foo'", ""),
        (r#"{}"#, "deserialization failed: '_type'", ""),
        (
            "null",
            "invalid value encountered during deserialization: 'NoneType' object is not \
             subscriptable",
            "",
        ),
        (
            r#"{"_type": "VarExpression", "source_location": LOC, "wtype": {"_type": "WType",
                "name": "int"}, "name": "x"}"#,
            "deserialization failed: 'int'",
            ".wtype",
        ),
        (
            r#"{"_type": "VoidConstant", "source_location": {"file": "a.py", "line": 1}}"#,
            "invalid value encountered during deserialization: source file locations cannot be \
             relative, got a.py",
            ".source_location",
        ),
        (
            r#"{"_type": "BytesConstant", "source_location": LOC, "value": "abcd\"",
                "encoding": "utf8"}"#,
            "invalid value encountered during deserialization: bad base85 character at position 4",
            ".value",
        ),
        (
            r#"{"_type": "VarExpression", "source_location": LOC, "wtype": {"_$%!#REF": 7}}"#,
            "deserialization failed: 7 was not defined",
            "-",
        ),
        (
            r#"{"_type": "Not", "source_location": LOC, "expr": ONE}"#,
            "Not.expr: expression of WType uint64 received, expected bool",
            "",
        ),
        (
            r#"{"_type": "BytesUnaryOperation", "source_location": LOC, "op": "!", "expr": ONE}"#,
            "invalid value encountered during deserialization: '!' is not a valid \
             BytesUnaryOperator",
            ".op",
        ),
    ];
    for (expr, message, below) in cases {
        let place = if below == "-" { "awst".to_owned() } else { format!("{place}{below}") };
        let expected = format!("{:?} at {place}", Failure::Internal(message.to_owned(), Loc::NONE));
        assert_eq!(read_text(&evaluating(&expr.replace("ONE", ONE))), expected);
    }
}

#[test]
fn checks_that_only_report_let_reading_go_on() {
    let expr = r#"{"_type": "ReinterpretCast", "source_location": LOC, "wtype": BYTES, "expr":
        {"_type": "NewArray", "source_location": LOC, "values": [ONE], "wtype":
         {"_type": "ReferenceArray", "element_type": VOID, "source_location": null}}}"#;
    // the values of an array are read before its type
    assert_eq!(
        read_text(&evaluating(&expr.replace("ONE", ONE))),
        "1 roots\n\
         error: array element type cannot be void\n\
         error: element type does not match array type\n\
         error: unsupported type cast (from: ref_array<void>, to: bytes "
    );
}

#[test]
fn a_reference_to_itself_ends() {
    let expr = r#"{"_$%!#ID": 1, "_type": "Not", "source_location": LOC, "expr": {"_$%!#REF": 1}}"#;
    let text = evaluating(expr);
    let read = std::thread::Builder::new().stack_size(256 << 20).spawn(move || read_text(&text));
    let outcome = read.unwrap().join().unwrap();
    assert!(outcome.contains("maximum recursion depth exceeded"), "{outcome}");
}

#[test]
fn what_a_body_mentions_is_gathered_while_it_is_read() {
    let single = r#"{"_$%!#ID": 1, "_type": "SingleEvaluation", "source_location": LOC, "_id": 1,
        "source": {"_type": "TemplateVar", "source_location": LOC, "wtype": U64, "name": "T"}}"#;
    let evaluate = |expr: &str| format!(r#"{{"_type": "ExpressionStatement", "expr": {expr}}}"#);
    let router = r#"{"_type": "ARC4Router", "source_location": LOC}"#;
    let goto = r#"{"_type": "Goto", "source_location": LOC, "target": "end"}"#;
    let cases = [
        (evaluate(ONE), Mentions::default()),
        (evaluate(router), Mentions::ROUTER),
        (evaluate(single), Mentions::TEMPLATE_VARIABLES),
        (
            [evaluate(single), evaluate(r#"{"_$%!#REF": 1}"#), goto.to_owned()].join(","),
            Mentions::TEMPLATE_VARIABLES.or(Mentions::LABELS),
        ),
    ];
    for (statements, expected) in cases {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let wtypes = WTypes::new(&arena);
        let text = document(&statements.replace("LOC", LOC));
        let document = crate::json::read(&text, &arena).unwrap();
        let Ok([RootNode::Subroutine(root)]) = read(&session, &wtypes, document) else {
            panic!("{statements}");
        };
        assert_eq!(root.function.mentions, expected);
        assert_eq!(Mentions::of(&wtypes, root.function.body), expected);
    }
}

#[test]
fn members_are_found_behind_any_number_of_others() {
    let many: String = (0..300).map(|n| format!(r#""x{n}": null, "#)).collect();
    for others in ["", &many] {
        let expr = ONE.replacen('{', &format!("{{{others}"), 1);
        assert_eq!(read_text(&evaluating(&expr)), "1 roots");
    }
    let without_value = ONE.replace(r#", "value": 1"#, &format!(", {many}\"value_\": 1"));
    let outcome = read_text(&evaluating(&without_value));
    assert!(outcome.contains("deserialization failed: 'value'"), "{outcome}");
}

#[test]
fn equal_locations_are_one_however_they_are_written() {
    let usual = r#"{"file": "/a/b.py", "line": 7, "end_line": 7, "comment_lines": 0,
        "column": 1, "end_column": 9}"#;
    let others = [
        r#"{"file": "/a//b.py", "line": 7, "end_line": 7, "comment_lines": 0,
            "column": 1, "end_column": 9}"#,
        r#"{"file": "/a/./b.py", "line": 7, "end_line": 7, "comment_lines": 0, "column": 1,
            "end_column": 9}"#,
        r#"{"line": 7, "file": "/a/b.py", "column": 1, "end_column": 9}"#,
        r#"{"file": "/a/b.py", "line": "7", "end_line": 7.0, "comment_lines": false,
            "column": true, "end_column": 9}"#,
        r#"{"file": "/a/b.py", "line": 7, "end_line": 7, "comment_lines": 0, "column": 1,
            "end_column": 9, "more": 1}"#,
        r#"{"file": "/a/b.py", "line": 7, "end_line": 7, "comment_lines": 0, "column": 1,
            "end_column": 9, "more": 2}"#,
    ];
    let router = |loc: &str| {
        let expr = format!(r#"{{"_type": "ARC4Router", "source_location": {loc}}}"#);
        format!(r#"{{"_type": "ExpressionStatement", "expr": {expr}}}"#)
    };
    for other in others {
        for [first, second] in [[usual, other], [other, usual], [other, other]] {
            // another location first, so that its file is known
            let third = usual.replace('7', "8");
            let statements = [&third, first, second, &third].map(router).join(",");
            let arena = Arena::new();
            let session = Session::new(&arena, None);
            let wtypes = WTypes::new(&arena);
            let text = document(&statements);
            let document = crate::json::read(&text, &arena).unwrap();
            let Ok([RootNode::Subroutine(root)]) = read(&session, &wtypes, document) else {
                panic!("{statements}");
            };
            let [a, b, c, d] = root.function.body.body else { panic!("four statements") };
            assert_eq!((a.loc(), b.loc()), (d.loc(), c.loc()), "{first} {second}");
            assert_ne!(a.loc(), b.loc());
        }
    }
}

#[test]
fn ids_and_references_are_found_wherever_they_stand() {
    let struct_type = |id: u32, field: &str| {
        format!(
            r#"{{"_$%!#ID": {id}, "_type": "ARC4Struct", "name": "S", "frozen": true,
                "fields": [{{"name": "a", "wtype": {field}}}]}}"#
        )
    };
    let var = |wtype: &str| {
        let expr = format!(
            r#"{{"_type": "VarExpression", "source_location": LOC, "wtype": {wtype}, "name": "v"}}"#
        );
        format!(r#"{{"_type": "ExpressionStatement", "expr": {expr}}}"#)
    };
    let numbers = r#"{"_$%!#ID": 5, "_type": "ARC4UIntN", "n": 16}"#;
    let refers = r#"{"_$%!#REF": 5}"#;
    let read_all = |wtypes: &[&str]| {
        read_text(&document(&wtypes.iter().map(|wtype| var(wtype)).collect::<Vec<_>>().join(",")))
    };
    let (first, second) = (struct_type(1, numbers), struct_type(2, refers));
    assert_eq!(read_all(&[&first, &second, refers, &struct_type(3, refers)]), "1 roots");
    let outcome = read_all(&[&first, refers, &first]);
    assert!(outcome.contains("1 was defined multiple times"), "{outcome}");
    let outcome = read_all(&[numbers, refers, r#"{"_$%!#REF": 6}"#]);
    assert!(outcome.contains("6 was not defined"), "{outcome}");
    // what is inside of a reference can be referred to, but what it refers to is not asked for
    let inside = format!(r#"{{"_$%!#REF": 5, "x": [{first}, {{"_$%!#REF": 7}}]}}"#);
    let outcome = read_all(&[&inside, r#"{"_$%!#REF": 1}"#]);
    assert_eq!(outcome, "1 roots");
}
