//! [`Value`] -> JSON text, byte for byte as Python's `json.dumps` lays it out (ASCII only).

use std::fmt::Write;

use super::value::Value;

/// Where blanks and line ends go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// On one line, `", "` and `": "` between the parts: Python's default.
    Line,
    /// On one line without any blank.
    Dense,
    /// One item a line, each level this many spaces further in; no newline at the end.
    Indent(usize),
}

/// Renders a value.
pub fn write(value: &Value, layout: Layout) -> String {
    let mut out = String::new();
    write_value(&mut out, value, layout, 0);
    out
}

fn write_value(out: &mut String, value: &Value, layout: Layout, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => write_string(out, text),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, layout, depth + 1, index == 0);
                write_value(out, item, layout, depth + 1);
            }
            finish(out, layout, depth);
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (key, item)) in fields.iter().enumerate() {
                separate(out, layout, depth + 1, index == 0);
                write_string(out, key);
                out.push_str(if layout == Layout::Dense { ":" } else { ": " });
                write_value(out, item, layout, depth + 1);
            }
            finish(out, layout, depth);
            out.push('}');
        }
    }
}

/// What stands before an item.
fn separate(out: &mut String, layout: Layout, depth: usize, is_first: bool) {
    if !is_first {
        out.push(',');
    }
    match layout {
        Layout::Line if !is_first => out.push(' '),
        Layout::Line | Layout::Dense => {}
        Layout::Indent(width) => new_line(out, width * depth),
    }
}

/// What stands before a closing bracket.
fn finish(out: &mut String, layout: Layout, depth: usize) {
    if let Layout::Indent(width) = layout {
        new_line(out, width * depth);
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Appends a quoted string; everything outside printable ASCII is escaped.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        if matches!(character, ' '..='~') && character != '"' && character != '\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + character.len_utf8();
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a string takes every text");
                }
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_equal_pythons() {
        let value = Value::object([
            ("a", Value::array([1u32, 2])),
            ("b", Value::object([("c", Value::Null)])),
            ("d", Value::Array(vec![])),
            ("e", Value::Object(vec![])),
        ]);
        assert_eq!(
            write(&value, Layout::Line),
            r#"{"a": [1, 2], "b": {"c": null}, "d": [], "e": {}}"#
        );
        assert_eq!(write(&value, Layout::Dense), r#"{"a":[1,2],"b":{"c":null},"d":[],"e":{}}"#);
        assert_eq!(
            write(&value, Layout::Indent(2)),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {\n    \"c\": null\n  },\n  \"d\": [],\n  \"e\": {}\n}"
        );
    }

    #[test]
    fn everything_but_printable_ascii_is_escaped() {
        let text = "a\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}é😀";
        assert_eq!(
            write(&Value::from(text), Layout::Line),
            r#""a\"\\/\n\r\t\b\f\u0001\u007f\u00e9\ud83d\ude00""#
        );
    }
}
