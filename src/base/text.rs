//! Text exactly as the reference prints it: quoting and escaping, splitting and aligning lines,
//! lengths in code points and in terminal cells.

use std::borrow::Cow;
use std::fmt::Write;

mod unicode;

/// Spaces per tab stop.
const TAB_SIZE: usize = 8;

/// A string as Python's `repr` shows it.
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => push_escaped(&mut out, c),
        }
    }
    out.push(quote);
    out
}

/// A byte string as Python's `repr` shows it.
pub fn repr_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut out = String::from("b");
    out.push(quote);
    for byte in bytes {
        let character = char::from(*byte);
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            ' '..='~' => out.push(character),
            c => push_escaped(&mut out, c),
        }
    }
    out.push(quote);
    out
}

/// `\xNN`, `\uNNNN` or `\UNNNNNNNN`, the shortest that holds the character.
fn push_escaped(out: &mut String, character: char) {
    let code = u32::from(character);
    let written = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("a string takes every text");
}

/// Appends bytes in double quotes as they stand in assembly: each byte seen as one character and escaped
/// as by Python's `unicode_escape`, then double quotes.
pub fn push_quoted_bytes(out: &mut String, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push('"');
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let plain = bytes.iter().position(|byte| !is_plain(byte)).unwrap_or(bytes.len());
    let (plain, rest) = bytes.split_at(plain);
    out.push_str(std::str::from_utf8(plain).expect("plain bytes are ASCII"));
    for byte in rest {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' => out.push_str("\\\""),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => push_escaped(out, char::from(*byte)),
        }
    }
    out.push('"');
}

/// Whether Python's `repr` shows the character as it is.
pub fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~')
        || (!character.is_ascii() && !in_ranges(unicode::NOT_PRINTABLE, character))
}

fn in_ranges(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    let after = ranges.partition_point(|range| range.0 <= code);
    after > 0 && code <= ranges[after - 1].1
}

/// Whether Python takes the character for white space (`str.isspace`).
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Without white space at both ends.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Without white space at the end.
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Without white space at the start.
pub fn strip_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Whether Python ends a line after the character (`str.splitlines`).
fn is_line_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Passes on a number in decimal, without memory of its own.
pub fn with_decimal<T>(mut value: u64, take: impl FnOnce(&str) -> T) -> T {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    take(std::str::from_utf8(&digits[start..]).expect("digits are ASCII"))
}

/// The lines without their ends. A line end at the end of the text adds no empty line, and empty
/// text has no line.
pub fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((at, found)) = rest.char_indices().find(|(_, c)| is_line_break(*c)) else {
            return Some(std::mem::take(&mut rest));
        };
        let line = &rest[..at];
        let end = if rest[at..].starts_with("\r\n") { 2 } else { found.len_utf8() };
        rest = &rest[at + end..];
        Some(line)
    })
}

/// Removes the longest run of blanks that all lines start with; lines of nothing but blanks become
/// empty. As Python's `textwrap.dedent`: only `\n` separates lines here.
pub fn dedent(text: &str) -> String {
    dedent_lines(text.split('\n')).collect::<Vec<_>>().join("\n")
}

/// The same for a text whose lines stand apart.
pub fn dedent_lines<'t>(
    lines: impl Iterator<Item = &'t str> + Clone,
) -> impl Iterator<Item = &'t str> {
    let is_blank = |c: char| c == ' ' || c == '\t';
    let lines = lines.map(move |line| if line.chars().all(is_blank) { "" } else { line });
    let margins = lines.clone().filter(|line| !line.is_empty()).map(|line| {
        let content = line.trim_start_matches(is_blank);
        &line[..line.len() - content.len()]
    });
    let margin = margins.reduce(common_prefix).unwrap_or("");
    lines.map(move |line| line.strip_prefix(margin).unwrap_or(line))
}

/// What two runs of blanks start with alike.
fn common_prefix<'t>(a: &'t str, b: &'t str) -> &'t str {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    &a[..same]
}

/// Tabs become spaces up to the next stop; stops count anew after each `\n` and `\r`.
pub fn expand_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + TAB_SIZE);
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' => {
                let spaces = TAB_SIZE - column % TAB_SIZE;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                out.push(character);
                column = 0;
            }
            _ => {
                out.push(character);
                column += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// Number of code points.
pub fn char_len(text: &str) -> usize {
    text.chars().count()
}

/// The first `count` code points, or all where there are fewer.
pub fn take_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// What follows the first `count` code points.
pub fn skip_chars(text: &str, count: usize) -> &str {
    &text[take_chars(text, count).len()..]
}

/// Appends a number in decimal digits.
pub fn push_decimal(out: &mut String, mut number: u64) {
    const PAIRS: &str = "00010203040506070809101112131415161718192021222324252627282930313233343536373839\
                         40414243444546474849505152535455565758596061626364656667686970717273747576777879\
                         8081828384858687888990919293949596979899";
    if number >= 100 {
        push_decimal(out, number / 100);
        number %= 100;
    } else if number < 10 {
        return out.push(char::from(b'0' + number as u8));
    }
    let at = 2 * number as usize;
    out.push_str(&PAIRS[at..at + 2]);
}

/// Appends `text` and spaces up to a width in code points.
pub fn push_padded(out: &mut String, text: &str, width: usize) {
    out.push_str(text);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(char_len(text))));
}

/// Number of terminal cells: wide characters take two, combining ones and control characters none,
/// joined emoji count once.
pub fn terminal_width(text: &str) -> usize {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.len();
    }
    const JOINER: char = '\u{200d}';
    const EMOJI_STYLE: char = '\u{fe0f}';
    let (mut width, mut flags) = (0, 0);
    // the last character that took cells, and how many
    let mut base: Option<(char, usize)> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let is_flag = matches!(character, '\u{1f1e6}'..='\u{1f1ff}');
        flags = if is_flag { flags + 1 } else { 0 };
        match character {
            JOINER => {
                characters.next();
            }
            EMOJI_STYLE => {
                if let Some((before, 1)) = base.take()
                    && in_ranges(unicode::WIDE_AS_EMOJI, before)
                {
                    width += 1;
                }
            }
            // skin tones colour the emoji before them; two regional letters make one flag
            '\u{1f3fb}'..='\u{1f3ff}' if matches!(base, Some((_, 2))) => {}
            _ if is_flag && flags % 2 == 0 => {}
            _ => {
                let cells = char_width(character);
                if cells > 0 {
                    base = Some((character, cells));
                }
                width += cells;
            }
        }
    }
    width
}

fn char_width(character: char) -> usize {
    if matches!(character, ' '..='~') {
        1
    } else if character.is_control() || in_ranges(unicode::ZERO_WIDTH, character) {
        0
    } else if in_ranges(unicode::WIDE, character) {
        2
    } else {
        1
    }
}

/// A path as POSIX `pathlib` writes it: single slashes, no `.` components, no slash at the end; `..`
/// stays. Exactly two leading slashes stay, more become one; nothing becomes `.`.
pub fn normalise_path(path: &str) -> String {
    if is_normal_path(path) {
        return path.to_owned();
    }
    let slashes = path.bytes().take_while(|byte| *byte == b'/').count();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let rest = parts.join("/");
    if root.is_empty() && rest.is_empty() { ".".to_owned() } else { format!("{root}{rest}") }
}

/// Whether a path has no empty part and no dot; then [`normalise_path`] leaves it as it is.
pub fn is_normal_path(path: &str) -> bool {
    let below_root = path.strip_prefix('/').unwrap_or(path);
    let (mut length, mut is_dot) = (0, false);
    for byte in below_root.bytes() {
        if byte != b'/' {
            is_dot = length == 0 && byte == b'.';
            length += 1;
        } else if length == 0 || is_dot {
            return false;
        } else {
            (length, is_dot) = (0, false);
        }
    }
    (length > 0 && !is_dot) || path == "/"
}

/// `path` seen from `base` when it lies in it, else `path` itself. Both must be normalised; only
/// whole components are compared and the base itself becomes `.`.
pub fn path_relative_to<'p>(path: &'p str, base: &str) -> &'p str {
    if base == "." {
        return path;
    }
    match path.strip_prefix(base) {
        Some("") => ".",
        // `//a` has another root than `/`
        Some(rest) if base.ends_with('/') && !rest.starts_with('/') => rest,
        Some(rest) => rest.strip_prefix('/').unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_equals_pythons() {
        assert_eq!(repr("a'b"), r#""a'b""#);
        assert_eq!(repr("a'\"\\\n"), r#"'a\'"\\\n'"#);
        assert_eq!(repr("é\u{7f}\u{a0}\u{200b}\u{1f600}\u{e000}\u{10ffff}"), {
            r"'é\x7f\xa0\u200b😀\ue000\U0010ffff'"
        });
        assert_eq!(repr_bytes(b"a\x00'\xff"), r#"b"a\x00'\xff""#);
        let mut out = String::new();
        push_quoted_bytes(&mut out, "a\"'\\\n\0é".as_bytes());
        push_quoted_bytes(&mut out, b"a~ ");
        assert_eq!(out, r#""a\"'\\\n\x00\xc3\xa9""a~ ""#);
    }

    #[test]
    fn lines_end_where_python_ends_them() {
        let lines = |text| split_lines(text).collect::<Vec<_>>();
        assert_eq!(lines("a\r\nb\rc\u{2028}\n"), ["a", "b", "c", ""]);
        assert_eq!(lines("\n"), [""]);
        assert!(lines("").is_empty());
        assert_eq!(strip_end("a \u{1f}\u{3000}"), "a");
    }

    #[test]
    fn dedent_takes_the_common_blanks() {
        assert_eq!(dedent("    a\n      b\n  \n    c"), "a\n  b\n\nc");
        assert_eq!(dedent("\ta\n    b"), "\ta\n    b");
        assert_eq!(dedent("  \ta\n  b"), "\ta\nb");
        assert_eq!(dedent("  a\n\u{b}"), "  a\n\u{b}");
    }

    #[test]
    fn numbers_equal_those_of_the_standard_library() {
        for number in [0, 9, 10, 99, 100, 105, 12345, 100_000, u64::MAX] {
            let mut out = String::new();
            push_decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn tabs_and_widths() {
        assert_eq!(expand_tabs("a\tb\n\tc"), "a       b\n        c");
        assert_eq!(
            (take_chars("aéb", 2), skip_chars("aéb", 2), skip_chars("a", 5)),
            ("aé", "b", "")
        );
        for (text, width) in [
            ("abc", 3),
            ("コン", 4),
            ("e\u{301}", 1),
            ("👩\u{200d}🚀", 2),
            ("🇦🇺", 2),
            ("❤\u{fe0f}", 2),
        ] {
            assert_eq!(terminal_width(text), width, "{text}");
        }
    }

    #[test]
    fn paths_are_written_as_pathlib_writes_them() {
        for (path, normal) in [
            ("", "."),
            ("./a//b/./c/", "a/b/c"),
            ("//a", "//a"),
            ("///a/../b", "/a/../b"),
            ("/", "/"),
            ("/a/b.c/..", "/a/b.c/.."),
            ("/.", "/"),
            ("a/", "a"),
        ] {
            assert_eq!(normalise_path(path), normal);
            assert!(!is_normal_path(path) || path == normal, "{path}");
        }
        assert_eq!(path_relative_to("/a/b/c", "/a/b"), "c");
        assert_eq!(path_relative_to("/a/bc", "/a/b"), "/a/bc");
        assert_eq!(path_relative_to("/a", "/a"), ".");
        assert_eq!(path_relative_to("/a", "/"), "a");
    }
}
