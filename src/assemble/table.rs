//! Rows of text -> a Markdown table with columns padded in terminal cells and long lines wrapped, laid
//! out as the reference's table library does.

use crate::base::text::{expand_tabs, strip_end, terminal_width};

/// Which way cells of a column are padded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column of the table.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) align: Align,
    /// Lines of cells beyond this width are wrapped.
    pub(super) width_max: Option<usize>,
}

/// Renders the table without a line end after the last row.
pub(super) fn render<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> String {
    let rows = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| expand_tabs(cell).into_owned()))
        .collect::<Vec<_>>();
    let mut widths = columns.each_ref().map(|column| terminal_width(column.name).max(1));
    for row in &rows {
        for ((cell, width), column) in row.iter().zip(&mut widths).zip(columns) {
            let needed = cell.split('\n').map(terminal_width).max().unwrap_or(0);
            *width = (*width).max(needed.min(column.width_max.unwrap_or(usize::MAX)));
        }
    }
    let mut lines = Vec::with_capacity(rows.len() + 2);
    lines.push(line(columns, &widths, columns.each_ref().map(|column| column.name)));
    lines.push(rule(columns, &widths));
    for row in &rows {
        let mut cells = row.iter().zip(widths);
        let wrapped: [Vec<String>; N] = std::array::from_fn(|_| {
            let (cell, width) = cells.next().expect("a row has a cell per column");
            wrap_cell(cell, width)
        });
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(1);
        for index in 0..height {
            let parts = wrapped.each_ref().map(|cell| cell.get(index).map_or("", String::as_str));
            lines.push(line(columns, &widths, parts));
        }
    }
    lines.join("\n")
}

fn line<const N: usize>(columns: &[Column; N], widths: &[usize; N], cells: [&str; N]) -> String {
    let mut out = String::from("|");
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        let padding = " ".repeat(width.saturating_sub(terminal_width(cell)));
        out.push(' ');
        match column.align {
            Align::Left => out.extend([cell, &padding]),
            Align::Right => out.extend([padding.as_str(), cell]),
        }
        out.push_str(" |");
    }
    out
}

fn rule<const N: usize>(columns: &[Column; N], widths: &[usize; N]) -> String {
    let mut out = String::from("|");
    for (column, width) in columns.iter().zip(widths) {
        let dashes = "-".repeat(*width);
        match column.align {
            Align::Left => out.extend([" :", &dashes]),
            Align::Right => out.extend([dashes.as_str(), ": "]),
        }
        out.push('|');
    }
    out
}

fn wrap_cell(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in cell.split('\n') {
        if terminal_width(line) <= width {
            lines.push(line.to_owned());
            continue;
        }
        let wrapped = wrap(line, width);
        if wrapped.is_empty() {
            lines.push(String::new());
        }
        lines.extend(wrapped);
    }
    lines
}

/// Breaks a line at blanks and hyphens, and within words that are too long.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let characters = text
        .chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r') { ' ' } else { c })
        .collect::<Vec<_>>();
    let mut chunks = split_chunks(&characters);
    chunks.reverse();
    let is_blank = |chunk: &String| chunk.trim().is_empty();
    let mut lines: Vec<String> = Vec::new();
    while let Some(next) = chunks.last() {
        if !lines.is_empty() && is_blank(next) {
            chunks.pop();
        }
        let mut parts: Vec<String> = Vec::new();
        let mut used = 0;
        while let Some(chunk) = chunks.pop() {
            let chunk_width = terminal_width(&chunk);
            if used + chunk_width <= width {
                used += chunk_width;
                parts.push(chunk);
                continue;
            }
            if chunk_width > width {
                let (head, tail) = break_word(&chunk, width - used, parts.is_empty());
                parts.push(head);
                if !tail.is_empty() {
                    chunks.push(tail);
                }
            } else {
                chunks.push(chunk);
            }
            break;
        }
        if parts.last().is_some_and(|last| !last.is_empty() && is_blank(last)) {
            parts.pop();
        }
        let line = parts.concat();
        let line = strip_end(&line);
        if !line.is_empty() {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Splits a word that is longer than a line: after the last hyphen that fits, else where the room
/// ends. At least one character goes on an empty line.
fn break_word(word: &str, room: usize, is_line_empty: bool) -> (String, String) {
    let mut end = 0;
    for (at, character) in word.char_indices() {
        let next = at + character.len_utf8();
        if terminal_width(&word[..next]) > room {
            break;
        }
        end = next;
    }
    if let Some(hyphen) = word[..end].rfind('-')
        && word[..hyphen].chars().any(|c| c != '-')
    {
        end = hyphen + 1;
    } else if end == 0 && is_line_empty {
        end = word.chars().next().map_or(0, char::len_utf8);
    }
    (word[..end].to_owned(), word[end..].to_owned())
}

fn split_chunks(text: &[char]) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = chunk_end(text, start);
        chunks.push(text[start..end].iter().collect());
        start = end;
    }
    chunks
}

fn chunk_end(text: &[char], start: usize) -> usize {
    if text[start] == ' ' {
        return start + text[start..].iter().take_while(|c| **c == ' ').count();
    }
    if start > 0
        && is_word_or_punctuation(text[start - 1])
        && let Some(len) = dash_len(text, start)
    {
        return start + len;
    }
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|c| is_letter(*c));
    let hyphen = |at: Option<usize>| at.and_then(|at| text.get(at)) == Some(&'-');
    let mut end = start + 1;
    loop {
        let before = |distance: usize| end.checked_sub(distance);
        if hyphen(Some(end)) {
            let two_letters = letter(before(1)) && letter(before(2));
            let initials = letter(before(1)) && hyphen(before(2)) && letter(before(3));
            let follows = letter(Some(end + 1))
                && (letter(Some(end + 2)) || (hyphen(Some(end + 2)) && letter(Some(end + 3))));
            if (two_letters || initials) && follows {
                return end + 1;
            }
        }
        if end >= text.len() || text[end] == ' ' {
            return end;
        }
        if is_word_or_punctuation(text[end - 1]) && dash_len(text, end).is_some() {
            return end;
        }
        end += 1;
    }
}

/// Length of a run of two or more hyphens that a word follows.
fn dash_len(text: &[char], at: usize) -> Option<usize> {
    let len = text[at..].iter().take_while(|c| **c == '-').count();
    let word_follows = text.get(at + len).is_some_and(|c| is_word(*c));
    (len >= 2 && word_follows).then_some(len)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_letter(c: char) -> bool {
    is_word(c) && !c.is_numeric()
}

fn is_word_or_punctuation(c: char) -> bool {
    is_word(c) || matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_pythons_textwrap_breaks_them() {
        let check = |text: &str, width, expected: &[&str]| assert_eq!(wrap(text, width), expected);
        check("    the quick brown fox", 12, &["    the", "quick brown", "fox"]);
        check("well-known e-mail a-b-cd", 8, &["well-", "known", "e-mail", "a-b-cd"]);
        check("abcdefghij klm", 4, &["abcd", "efgh", "ij", "klm"]);
        check("x 0123-456789ab", 8, &["x 0123-", "456789ab"]);
        check("one--two three", 6, &["one--", "two", "three"]);
        check("     ", 3, &[]);
    }

    #[test]
    fn a_table_pads_wraps_and_rules() {
        let column = |name, align| Column { name, align, width_max: Some(5) };
        let columns = [column("PC", Align::Right), column("Text", Align::Left)];
        let rows = [["1".to_owned(), "aa bb cc".to_owned()], ["10".to_owned(), "é".to_owned()]];
        assert_eq!(
            render(&columns, &rows),
            "| PC | Text  |\n|--: | :-----|\n|  1 | aa bb |\n|    | cc    |\n| 10 | é     |"
        );
    }
}
