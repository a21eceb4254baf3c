//! Assembled program -> table of positions, bytes, TEAL and the source each op came from.

use super::Assembled;
use super::table::{Align, Column, render as render_table};
use crate::base::encode::utf8_decode;
use crate::base::source::{Loc, SourceLocation};
use crate::base::text::{char_len, strip, strip_start};
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::model::{Op, Program};
use crate::teal::text;

const COLUMNS: [Column; 5] = [
    Column { name: "PC", align: Align::Right, width_max: None },
    Column { name: "TEAL Bytes", align: Align::Left, width_max: Some(48) },
    Column { name: "TEAL", align: Align::Left, width_max: Some(64) },
    Column { name: "Source", align: Align::Left, width_max: None },
    Column { name: "Location", align: Align::Left, width_max: None },
];

type Row = [String; COLUMNS.len()];

/// Renders the report of a program.
pub fn render(session: &Session, program: &Program, assembled: &Assembled) -> Outcome<String> {
    let bytecode = assembled.bytecode.as_slice();
    let text = |text: &str| text.to_owned();
    let empty = String::new;
    let mut source = Source { session, last: None, line: None };
    let mut rows: Vec<Row> = vec![[
        text("0"),
        spaced_hex(&bytecode[..assembled.pcs[0] as usize]),
        format!("#pragma version {}", program.avm_version),
        empty(),
        empty(),
    ]];
    let mut spans = assembled.pcs.windows(2);
    for sub in &program.subroutines {
        for (index, block) in sub.blocks.iter().enumerate() {
            let label = session.text(block.label);
            let signature = if index == 0 { sub.signature.text(session) } else { empty() };
            rows.push([empty(), format!("# {label}"), format!("{label}:"), empty(), signature]);
            for op in &block.ops {
                let span = spans.next().expect("every op has a position");
                let (highlight, location) = source.of_op(op, &mut rows)?;
                rows.push([
                    span[0].to_string(),
                    spaced_hex(&bytecode[span[0] as usize..span[1] as usize]),
                    format!("    {}", text::op_with_comment(session, &op.kind)),
                    highlight,
                    location,
                ]);
            }
        }
    }
    if assembled.salt_len > 0 {
        let start = bytecode.len() - assembled.salt_len;
        let salt = &bytecode[start..];
        let last = salt.last().copied().unwrap_or_default();
        rows.push([
            start.to_string(),
            spaced_hex(salt),
            format!("    intcblock {last} // off-curve salt"),
            empty(),
            empty(),
        ]);
    }
    Ok(render_table(&COLUMNS, &rows))
}

fn spaced_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The source line shown last; it stays over blocks and subroutines.
struct Source<'r, 's> {
    session: &'r Session<'s>,
    last: Option<SourceLocation>,
    line: Option<&'r str>,
}

impl Source<'_, '_> {
    /// What an op shows of the source: marks under the line shown last, and the location. Adds a row
    /// with the line where it is another one.
    fn of_op(&mut self, op: &Op, rows: &mut Vec<Row>) -> Outcome<(String, String)> {
        let session = self.session;
        let Some(location) = session.locs.get(op.loc) else {
            return Ok((String::new(), String::new()));
        };
        let mut place = session.location_text(&location);
        if let Some(column) = location.column {
            place.push_str(&format!(":{column}"));
            if let Some(end) = location.end_column {
                place.push_str(&format!("-{end}"));
            }
        }
        if location.line != location.end_line {
            return Ok((String::new(), place));
        }
        let whole = SourceLocation { column: None, end_column: None, ..location };
        if self.last != Some(whole) {
            self.last = Some(whole);
            if let Some(lines) = session.source_lines(&whole) {
                let line = lines.first().ok_or_else(|| {
                    Failure::internal("IndexError: list index out of range", Loc::NONE)
                })?;
                self.line = Some(line);
                rows.push([
                    String::new(),
                    String::new(),
                    String::new(),
                    strip(line).to_owned(),
                    session.location_text(&whole),
                ]);
            }
        }
        let (Some(column), Some(end), Some(line)) =
            (location.column, location.end_column, self.line)
        else {
            return Ok((String::new(), place));
        };
        // PARITY: columns are applied to bytes here; elsewhere they count code points.
        let bytes = line.as_bytes();
        let start = bytes.len().min(column as usize);
        let end = bytes.len().min(end as usize).max(start);
        let decode =
            |bytes| utf8_decode(bytes).map_err(|message| Failure::internal(message, Loc::NONE));
        let before = char_len(strip_start(decode(&bytes[..start])?));
        let marked = char_len(decode(&bytes[start..end])?);
        Ok((format!("{}{}", " ".repeat(before), "-".repeat(marked)), place))
    }
}
