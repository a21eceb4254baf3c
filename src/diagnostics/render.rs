//! Messages -> log lines, in the reference's two formats. Spec 60 §11.

use super::Severity;
use crate::base::text::{char_len, expand_tabs, take_chars};
use crate::json::value::Value;
use crate::json::write::{Layout, write};

/// A message that stands alone: it needs no session to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How serious it is.
    pub severity: Severity,
    /// The text, without level and place.
    pub message: String,
    /// Where, if it is anywhere.
    pub location: Option<ReportLocation>,
    /// The lines of source it is about, marked; empty where they are not known or not wanted.
    pub excerpt: Vec<String>,
}

impl Report {
    /// A message about no place.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), location: None, excerpt: Vec::new() }
    }
}

/// A source location with its path spelled out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportLocation {
    /// Absolute path; none for code that no user wrote.
    pub file: Option<String>,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Lines of comment directly above.
    pub comment_lines: u32,
    /// First column in code points, from 0.
    pub column: Option<u32>,
    /// Column after the last.
    pub end_column: Option<u32>,
}

/// The two layouts of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Default,
    /// One JSON object a line.
    Json,
}

/// How log lines are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Style {
    /// The layout.
    pub format: LogFormat,
    /// Whether the layout for people is coloured.
    pub colours: bool,
    /// Folder that is cut off paths in it.
    pub cwd: String,
}

/// A message without the line end.
pub fn render(report: &Report, style: &Style) -> String {
    match style.format {
        LogFormat::Default => render_default(report, style),
        LogFormat::Json => render_json(report, style),
    }
}

/// The path without the folder, by text alone.
fn shorten<'p>(path: &'p str, folder: &str) -> &'p str {
    path.strip_prefix(folder).unwrap_or(path)
}

fn render_json(report: &Report, style: &Style) -> String {
    // PARITY: below `/` the folder would be `//`, which no path starts with
    let folder = format!("{}/", style.cwd);
    let location = report.location.as_ref().and_then(|location| {
        let file = location.file.as_deref()?;
        Some(Value::object([
            ("file", shorten(file, &folder).into()),
            ("line", location.line.into()),
            ("end_line", location.end_line.into()),
            ("column", location.column.into()),
            ("end_column", location.end_column.into()),
        ]))
    });
    let line = Value::object([
        ("level", report.severity.name().into()),
        ("location", location.into()),
        ("message", report.message.as_str().into()),
        ("important", false.into()),
    ]);
    write(&line, Layout::Line)
}

fn render_default(report: &Report, style: &Style) -> String {
    let paint = |code| if style.colours { code } else { "" };
    let folder = format!("{}/", style.cwd.trim_end_matches('/'));
    let link = report.location.as_ref().and_then(|location| {
        let file = shorten(location.file.as_deref()?, &folder);
        let column = location.column.filter(|column| *column != 0);
        let column = column.map(|column| format!(":{}", column + 1)).unwrap_or_default();
        Some(format!("{file}:{}{column}", location.line))
    });
    let level = report.severity.name();
    let level_colour = match report.severity {
        Severity::Critical | Severity::Error => "\x1b[31m",
        Severity::Warning => "\x1b[33m",
        Severity::Info | Severity::Debug => "\x1b[32m",
    };
    let (blue, reset) = (paint("\x1b[34m"), paint("\x1b[0m"));
    let mut out = String::new();
    if let Some(link) = &link {
        out.extend([blue, link, " ", reset]);
    }
    out.extend([paint(level_colour), level, ": ", reset, &report.message]);
    let indent = link.as_deref().map_or(0, char_len) + 1 + level.len() + 1;
    for line in &report.excerpt {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(line);
    }
    out.push_str(reset);
    out
}

/// The excerpt of a location that covers exactly these lines: several lines as they are, one with
/// its columns underlined.
pub fn excerpt(
    lines: &[impl AsRef<str>],
    column: Option<u32>,
    end_column: Option<u32>,
) -> Vec<String> {
    let [line] = lines else {
        return lines.iter().map(|line| line.as_ref().to_owned()).collect();
    };
    let line = line.as_ref();
    let cells_before = |column: Option<u32>| {
        let before = column.map_or(line, |column| take_chars(line, column as usize));
        char_len(&expand_tabs(before))
    };
    let (start, end) = (cells_before(column), cells_before(end_column));
    let underline = "~".repeat(end.saturating_sub(start + 1));
    vec![expand_tabs(line).into_owned(), format!("{}^{underline}", " ".repeat(start))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(column: Option<u32>) -> Report {
        let lines = ["\tx = ünknown"];
        Report {
            severity: Severity::Error,
            message: "no \"ünknown\"".to_owned(),
            location: Some(ReportLocation {
                file: Some("/src/a/b.py".to_owned()),
                line: 3,
                end_line: 3,
                comment_lines: 0,
                column,
                end_column: Some(12),
            }),
            excerpt: excerpt(&lines, column, Some(12)),
        }
    }

    fn check(report: &Report, format: LogFormat, colours: bool) -> String {
        render(report, &Style { format, colours, cwd: "/src".to_owned() })
    }

    #[test]
    fn lines_for_people() {
        assert_eq!(
            check(&report(Some(5)), LogFormat::Default, false),
            "a/b.py:3:6 error: no \"ünknown\"\n\
             \x20                        x = ünknown\n\
             \x20                            ^~~~~~~"
        );
        let first_column = check(&report(Some(0)), LogFormat::Default, false);
        assert!(first_column.starts_with("a/b.py:3 error: "));
        let plain = Report::new(Severity::Info, "done");
        assert_eq!(check(&plain, LogFormat::Default, false), "info: done");
        assert_eq!(check(&plain, LogFormat::Default, true), "\x1b[32minfo: \x1b[0mdone\x1b[0m");
    }

    #[test]
    fn lines_for_programs() {
        assert_eq!(
            check(&report(Some(0)), LogFormat::Json, true),
            "{\"level\": \"error\", \"location\": {\"file\": \"a/b.py\", \"line\": 3, \
             \"end_line\": 3, \"column\": 0, \"end_column\": 12}, \
             \"message\": \"no \\\"\\u00fcnknown\\\"\", \"important\": false}"
        );
        assert_eq!(
            check(&Report::new(Severity::Warning, "w"), LogFormat::Json, false),
            "{\"level\": \"warning\", \"location\": null, \"message\": \"w\", \"important\": false}"
        );
    }

    #[test]
    fn an_unknown_column_is_marked_behind_the_line() {
        assert_eq!(excerpt(&["ab".to_owned()], None, None), ["ab", "  ^"]);
        let two = ["a".to_owned(), "b".to_owned()];
        assert_eq!(excerpt(&two, Some(1), None), ["a", "b"]);
    }
}
