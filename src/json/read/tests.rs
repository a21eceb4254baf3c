//! What the reader accepts, and the exact words of what it does not.

use super::*;
use crate::json::tree::Shape;
use crate::json::value::Value;
use crate::json::write::{Layout, write};
use crate::json::{Kind, Member, Row, Start};

/// The document rendered on one line, or the error.
fn check(text: &str) -> String {
    let arena = Arena::new();
    match read(text, &arena) {
        Ok(json) => write(&Value::from(json), Layout::Line),
        Err(error) => error.to_string(),
    }
}

#[test]
fn values_come_back_as_they_were() {
    for text in [
        "null",
        "[true, false, null]",
        "{\"a\": [1, -0, 1.50, 1e5], \"b\": {}}",
        "[NaN, Infinity, -Infinity]",
        "[340282366920938463463374607431768211457]",
        "\"\\ud83d\\ude00 \\u00e9 \\\" \\\\ \\n\"",
        "\"\\u007f\"",
    ] {
        assert_eq!(check(text), text);
    }
    assert_eq!(check(" [ 1 ,\r\n\t 2 ] "), "[1, 2]");
    assert_eq!(check("\"\\/é\\u00E9\""), "\"/\\u00e9\\u00e9\"");
}

#[test]
fn a_repeated_key_keeps_its_first_place_and_last_value() {
    assert_eq!(check(r#"{"a": 1, "b": 2, "a": 3, "c": 4, "b": 5}"#), r#"{"a": 3, "b": 5, "c": 4}"#);
    let many: Vec<String> = (0..60).map(|n| format!("\"k{}\": {n}", n % 30)).collect();
    let kept: Vec<String> = (0..30).map(|n| format!("\"k{n}\": {}", n + 30)).collect();
    assert_eq!(check(&format!("{{{}}}", many.join(", "))), format!("{{{}}}", kept.join(", ")));
}

#[test]
fn errors_are_worded_as_python_words_them() {
    for (text, message) in [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("  ", "Expecting value: line 1 column 3 (char 2)"),
        ("[", "Expecting value: line 1 column 2 (char 1)"),
        ("[1", "Expecting ',' delimiter: line 1 column 3 (char 2)"),
        ("[\n1,\n]", "Expecting value: line 3 column 1 (char 5)"),
        ("[1\n,2\n x]", "Expecting ',' delimiter: line 3 column 2 (char 7)"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (
            "{\"a\":1,\n  }",
            "Expecting property name enclosed in double quotes: line 2 column 3 (char 10)",
        ),
        ("{\"a\"  ", "Expecting ':' delimiter: line 1 column 7 (char 6)"),
        ("{\"a\":}", "Expecting value: line 1 column 6 (char 5)"),
        ("{\"a\":1}x", "Extra data: line 1 column 8 (char 7)"),
        ("01", "Extra data: line 1 column 2 (char 1)"),
        ("1.e3", "Extra data: line 1 column 2 (char 1)"),
        ("1E+", "Extra data: line 1 column 2 (char 1)"),
        ("-Inf", "Expecting value: line 1 column 1 (char 0)"),
        ("-", "Expecting value: line 1 column 1 (char 0)"),
        ("[tru]", "Expecting value: line 1 column 2 (char 1)"),
        ("[\"abc", "Unterminated string starting at: line 1 column 2 (char 1)"),
        ("\"\\", "Unterminated string starting at: line 1 column 1 (char 0)"),
        ("\"\\u12", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"),
        ("\"\\u+123\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"),
        ("\"\\ud800\\uzzzz\"", "Invalid \\uXXXX escape: line 1 column 9 (char 8)"),
        ("[\"\", \"\"\"]", "Expecting ',' delimiter: line 1 column 8 (char 7)"),
        ("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"),
        ("\"é\n", "Invalid control character at: line 1 column 3 (char 2)"),
        ("é", "Expecting value: line 1 column 1 (char 0)"),
        ("\u{feff}1", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"),
        ("\"\\ud800\"", "Lone surrogate in string: line 1 column 2 (char 1)"),
    ] {
        assert_eq!(check(text), format!("JSONDecodeError: {message}"), "{text:?}");
    }
    assert!(check(&"9".repeat(4301)).starts_with("ValueError: Exceeds the limit (4300 digits)"));
}

/// Keys, strings and blanks that came before are tried first where they are likely again.
#[test]
fn what_is_likely_is_not_taken_for_what_stands_there() {
    let long = "a_key_of_more_than_sixteen_bytes";
    let keys = ["", "a", "ab", "abcdefg", "abcdefgh", "abcdefghijklmno", "abcdefghijklmnop", long];
    let objects = (0..200).map(|n: usize| {
        let members = (0..n % 4).map(|at| {
            let (key, string) = (keys[(n * 7 + at * 3) % 8], keys[(n / 3 + at) % 8]);
            format!("\"{key}{at}\": \"{string}\"")
        });
        let escaped = ["\\u0061", "\\\"", "a", "\\\\"][n % 4];
        format!("{{{}{escaped}\": {n}}}", members.map(|m| m + ", ").collect::<String>() + "\"")
    });
    let text = format!("[{}]", objects.collect::<Vec<_>>().join(", "));
    let plain = text.replace("\\u0061", "a");
    assert_eq!(check(&text), plain);
    for (comma, colon) in [(",", ":"), (",\n  ", ": "), (",\n \t  ", " :\n "), (" ,\n", ":  ")] {
        let spaced = text.replace(", ", comma).replace(": ", colon);
        assert_eq!(check(&spaced), plain);
        // blanks that are no blanks, where as many were before
        let end = spaced.rfind(", ").or(spaced.rfind(",\n")).unwrap_or(spaced.len() - 1);
        let mistake = format!("{}\u{b}{}", &spaced[..end], &spaced[end..]);
        assert!(check(&mistake).starts_with("JSONDecodeError: Expecting ',' delimiter"));
    }
    for spaces in [0, 1, 7, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 95, 100, 200] {
        let line = format!("\n{}", " ".repeat(spaces));
        let text = format!("[{line}1,{line}2,{line}3]");
        assert_eq!(check(&text), "[1, 2, 3]");
        for at in 0..spaces {
            let mut bad = text.clone().into_bytes();
            bad[line.len() + 4 + at] = b'x';
            let bad = check(&String::from_utf8(bad).unwrap());
            let offset = line.len() + 4 + at;
            let place = format!("line 3 column {} (char {offset})", at + 1);
            assert_eq!(bad, format!("JSONDecodeError: Expecting value: {place}"));
        }
    }
}

#[test]
fn deep_nesting_is_one_clear_error() {
    let message = check(&"[".repeat(100_000));
    assert!(message.starts_with("RecursionError: maximum recursion depth exceeded"), "{message}");
    let fits = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert!(read(&fits, &Arena::new()).is_ok());
}

#[test]
fn equal_values_are_one() {
    let arena = Arena::new();
    let text = r#"[{"a": 1, "b": ["x"]}, {"a": 1, "b": ["x"]}, {"a": 2, "b": ["x"]}, ["x"]]"#;
    let json = read(text, &arena).unwrap();
    let ids: Vec<_> = json.as_array().unwrap().iter().map(Json::object_id).collect();
    assert_eq!(ids, [Some(0), Some(0), Some(1), None]);
    assert_eq!(json.values().shape_count(), Vocabulary::NONE.shape_count() + 1);
    assert!(json.values().has_one_of(0, ["b"]) && !json.values().has_one_of(0, ["x"]));
}

/// Some words, and rows that begin alike, that end early, or that are in the other order.
static WORDS: Vocabulary = {
    const TEXTS: [&str; 3] = ["a", "a rather long word", "b"];
    const ROWS: &[Row] = &[
        Row { keys: &[0, 1, 2], names: &[] },
        Row { keys: &[0, 2], names: &[1, 2] },
        Row { keys: &[0], names: &[1] },
        Row { keys: &[1, 0], names: &[] },
    ];
    static PLACES: [(u32, u32); 8] = Vocabulary::places(&TEXTS);
    static MEMBERS: [Member; Vocabulary::member_count(ROWS)] = Vocabulary::members(ROWS, 0);
    static CHOICES: [u16; 16] = Vocabulary::choices(&TEXTS, &MEMBERS);
    static KEYS: [u32; Vocabulary::key_count(ROWS)] = Vocabulary::keys(ROWS);
    static SHAPES: [Shape<'static>; ROWS.len() + 1] = Vocabulary::shapes(ROWS, &KEYS);
    static STARTS: [Start; 3] = Vocabulary::starts(&TEXTS);
    static WORDS: [&str; 3] = TEXTS;
    Vocabulary::new(&WORDS, &STARTS, &PLACES, &MEMBERS, &CHOICES, &SHAPES)
};

#[test]
fn words_of_a_vocabulary_come_first() {
    let arena = Arena::new();
    let text = r#"{"new": "a", "a rather long word": {"a": "\u0061"}}"#;
    let json = read_knowing(&WORDS, text, &arena).unwrap();
    assert_eq!(write(&Value::from(json), Layout::Line), check(text));
    assert_eq!(json.get("new").and_then(Json::text_id), Some(WORDS.first()));
    let inner = json.get("a rather long word").unwrap();
    assert_eq!(inner.get("a").and_then(Json::text_id), Some(WORDS.first()));
    assert_eq!(json.values().text_count(), WORDS.first() + 4);
    assert!(json.values().has_one_of(0, ["a"]) && !json.values().has_one_of(0, ["b"]));
}

#[test]
fn members_are_found_by_name() {
    let arena = Arena::new();
    let json = read(r#"{"a": 1, "b": 12345678901, "_type": "X"}"#, &arena).unwrap();
    assert_eq!(json.get("_type").and_then(Json::as_str), Some("X"));
    assert!(matches!(json.get("a").unwrap().kind(), Kind::Int(1)));
    assert!(matches!(json.get("b").unwrap().kind(), Kind::Number("12345678901")));
    assert!(json.get("c").is_none());
}

#[test]
fn extents_follow_the_values_that_are_kept() {
    let arena = Arena::new();
    let text = r#" {"a": [1, {}], "b" : "\u0041" , "a":null }"#;
    let (json, extents) = read_with_extents(text, &arena).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 2);
    let shown: Vec<&str> = extents.into_iter().map(|extent| &text[extent]).collect();
    assert_eq!(shown, ["null", r#""\u0041""#]);
    let (_, extents) = read_with_extents("[1, [2]]", &arena).unwrap();
    assert_eq!(extents, [1..2, 4..7]);
}

/// A text of which only so many bytes come at a time.
struct Pieces<'t> {
    rest: &'t [u8],
    window: Vec<u8>,
    step: usize,
}

impl Input for Pieces<'_> {
    fn bytes(&self) -> &[u8] {
        &self.window
    }
    fn more(&mut self, used: usize) -> bool {
        let (next, rest) = self.rest.split_at(self.step.min(self.rest.len()));
        if next.is_empty() {
            return false;
        }
        self.rest = rest;
        self.window.drain(..used);
        self.window.extend_from_slice(next);
        true
    }
    fn syntax_error(&self, message: &str, at: usize) -> ReadError {
        ReadError { class: "", message: format!("{message} {at}") }
    }
    fn too_deep(&self, _is_object: bool, at: usize) -> ReadError {
        self.syntax_error("", at)
    }
}

#[test]
fn pieces_read_as_the_whole() {
    for text in [
        r#" {"key": [true, false, null, NaN, -Infinity, Infinity], "": {"a\n\ud83d\ude00": "x"}} "#,
        "[0, -0, 12345678, 123456789, 1.5e+10, 1e5, -7, \"é€😀\", []]",
        "\"a rather long string without escapes but with ü\"",
        "1234567890123",
        "-1.25",
        "[1, \"\\ud800\"]",
        "[1 2]",
        "{\"a\": nul}",
        "\"abc",
        "[1",
        "",
    ] {
        let expected = check(text);
        for step in 1..text.len().max(2) {
            let arena = Arena::new();
            let pieces = Pieces { rest: text.as_bytes(), window: Vec::new(), step };
            match read_from(None, pieces, &arena) {
                Ok(json) => assert_eq!(write(&Value::from(json), Layout::Line), expected),
                Err(_) => assert!(expected.starts_with("JSONDecodeError"), "{text} {step}"),
            }
        }
    }
    let bad = Pieces { rest: b"\"\xff\"", window: Vec::new(), step: 9 };
    assert!(read_from(None, bad, &Arena::new()).is_err());
}

/// A document inside of a string, as requests have it, with escapes at every place of a chunk.
#[test]
fn long_strings_with_escapes_read_as_what_was_written() {
    let text: String = (0..600_usize)
        .map(|n| {
            let characters = ["\n", "\"", "\\", "\u{1}", "é", "\u{1f600}", "/", "\t"];
            format!("{}{}", " ".repeat(n % 37), characters[n % characters.len()])
        })
        .collect();
    let written = write(&Value::from(text.as_str()), Layout::Dense);
    for step in [1, 2, 15, 16, 17, 511, 512, 513, written.len()] {
        let arena = Arena::new();
        let pieces = Pieces { rest: written.as_bytes(), window: Vec::new(), step };
        assert_eq!(
            read_from(None, pieces, &arena).unwrap().as_str(),
            Some(text.as_str()),
            "{step}"
        );
    }
    assert_eq!(read(&written, &Arena::new()).unwrap().as_str(), Some(text.as_str()));
}

/// Only with more than a byte at hand anything is likely.
#[test]
fn what_is_likely_is_read_as_what_is_not() {
    let inner =
        r#"{"loc": {"file": "x", "line": 1}, "nodes": [{"loc": {"line": 20, "end": null}}]}"#;
    let text = format!(r#"{{"a": {inner}, "b": [{inner}], "c": {{"loc": {inner}, "d": 1}}}}"#);
    let arena = Arena::new();
    let value = Value::from(read(&text, &arena).unwrap());
    for layout in [Layout::Line, Layout::Indent(2)] {
        let text = write(&value, layout);
        for at in 0..text.len() {
            for other in [" ", "", "{", "}", "]", ",", "\"", "\n", "0"] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                let pieces = Pieces { rest: changed.as_bytes(), window: Vec::new(), step: 1 };
                let slow = read_from(None, pieces, &arena).map(Value::from);
                match (read(&changed, &arena).map(Value::from), slow) {
                    (Ok(fast), Ok(slow)) => {
                        assert_eq!(write(&fast, Layout::Dense), write(&slow, Layout::Dense));
                    }
                    (fast, slow) => assert!(fast.is_err() && slow.is_err(), "{changed}"),
                }
            }
        }
    }
}

#[test]
fn objects_are_compared_but_for_one_member() {
    let arena = Arena::new();
    let text = r#"[{"id": 1, "a": [2], "b": 3}, {"id": 9, "a": [2], "b": 3}, {"id": 1, "a": [2],
        "b": 4}, {"a": [2], "id": 1, "b": 3}, {"id": 1, "a": [2]}]"#;
    let json = read(text, &arena).unwrap();
    let objects: Vec<Json> = json.as_array().unwrap().iter().collect();
    for (index, other) in objects.iter().enumerate() {
        assert_eq!(objects[0].is_equal_but(*other, 0), index < 2);
        assert_eq!(objects[0].is_equal_but(*other, 2), index == 0 || index == 2);
    }
    assert_eq!(objects[0].hash_but(0), objects[1].hash_but(0));
    assert_ne!(objects[0].hash_but(0), objects[2].hash_but(0));
    assert_eq!(objects[0].hash_but(2), objects[2].hash_but(2));
}

/// Values that repeat each other in part, with keys of all lengths in all orders.
fn value(random: &mut u32, depth: usize) -> Value<'static> {
    let mut below = |bound: u32| {
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*random >> 16) % bound
    };
    let texts =
        ["a", "a rather long word", "b", "", "abcdefghijklmno", "abcdefghijklmnop", "\u{e9}\n"];
    let count = below(5);
    match below(if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => Value::Bool(below(2) == 0),
        2 => Value::Number(["0", "7", "10", "123", "1234", "-1.5e3"][below(6) as usize].into()),
        3 | 4 => Value::from(texts[below(7) as usize]),
        5 => Value::Array((0..count).map(|_| value(random, depth - 1)).collect()),
        _ => {
            let first = below(7) as usize;
            let step = 1 + below(2) as usize;
            let key = |at: u32| texts[(first + at as usize * step) % texts.len()].into();
            Value::Object((0..count).map(|at| (key(at), value(random, depth - 1))).collect())
        }
    }
}

/// What is known beforehand, what was learned on the way, and how a document is laid out make no
/// difference.
#[test]
fn documents_read_the_same_in_every_layout() {
    let mut random = 1;
    for _ in 0..300 {
        let items: Vec<Value> = (0..12).map(|_| value(&mut random, 5)).collect();
        let expected = write(&Value::Array(items), Layout::Dense);
        let arena = Arena::new();
        let tree = Value::from(read(&expected, &arena).unwrap());
        for layout in [Layout::Dense, Layout::Line, Layout::Indent(2), Layout::Indent(40)] {
            let text = write(&tree, layout);
            let shown =
                |json: Result<Json, ReadError>| write(&Value::from(json.unwrap()), Layout::Dense);
            assert_eq!(shown(read(&text, &arena)), expected);
            assert_eq!(shown(read_knowing(&WORDS, &text, &arena)), expected);
            let pieces = Pieces { rest: text.as_bytes(), window: Vec::new(), step: 7 };
            assert_eq!(shown(read_from(None, pieces, &arena)), expected);
            let pieces = Pieces { rest: text.as_bytes(), window: Vec::new(), step: 1000 };
            assert_eq!(shown(read_from(Some(&WORDS), pieces, &arena)), expected);
        }
    }
}

/// Objects with the same keys have one shape, however they came to it.
#[test]
fn equal_objects_are_one_in_every_form() {
    let arena = Arena::new();
    for text in [
        r#"[{"a": 1, "b": 2}, {"a":1,"b":2}, {"a": 0, "b": 2, "a": 1}, {"\u0061": 1, "b" : 2}]"#,
        r#"[{"x": 1, "b": 2}, {"x": 0, "b": 2, "x": 1}, {"x" :1, "b":2}, {"\u0078": 1,"b": 2}]"#,
        r#"[{"x": 0, "x": 1}, {"x":1}, {"x": 1}, {"\u0078" : 1}]"#,
        "[{}, { }, {\n}, {  }]",
    ] {
        for json in [read(text, &arena), read_knowing(&WORDS, text, &arena)] {
            let json = json.unwrap();
            assert_eq!(json.values().object_count(), 1, "{text}");
        }
    }
}

#[test]
fn many_objects_with_different_keys_are_read() {
    let objects = (0..500).map(|n| format!(r#"{{"k{n}": {n}, "same": [], "s{n}": {{}}}}"#));
    let text = format!("[{}]", objects.collect::<Vec<_>>().join(", "));
    let text = format!("[{text}, {text}]");
    assert_eq!(check(&text), text);
}
