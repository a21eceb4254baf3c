//! What every stage of one compilation shares: names, locations, messages and options.

use crate::base::arena::{Arena, Interner, Symbol};
use crate::base::source::{Loc, LocTable, SourceLocation};
use crate::base::source_text::SourceTexts;
use crate::base::text::push_decimal;
use crate::diagnostics::render::{Report, ReportLocation, excerpt};
use crate::diagnostics::{Failure, Outcome, Severity, Sink};

/// Asked between steps whether the compilation must end (time limit, stopping daemon).
pub type StopCheck<'s> = &'s dyn Fn() -> bool;

/// Whether errors are shown with the source they are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Excerpts {
    /// Where the source is known.
    Show,
    /// Never.
    Omit,
}

/// The shared, read-only context of one compilation. Interner, locations and sink grow behind
/// shared references; nothing else changes.
pub struct Session<'s> {
    /// Memory that lives as long as the compilation.
    pub arena: &'s Arena,
    /// Interned names.
    pub symbols: Interner<'s>,
    /// Interned source locations.
    pub locs: LocTable,
    /// Messages to the user.
    pub sink: Sink,
    /// Text of source files, where the front end gave it. The driver fills it before anything runs.
    pub sources: SourceTexts<'s>,
    stop: Option<StopCheck<'s>>,
}

impl<'s> Session<'s> {
    /// A session that keeps its names in `arena`.
    pub fn new(arena: &'s Arena, stop: Option<StopCheck<'s>>) -> Self {
        Self {
            arena,
            symbols: Interner::new(arena),
            locs: LocTable::new(),
            sink: Sink::new(),
            sources: SourceTexts::default(),
            stop,
        }
    }
    /// The symbol of a string.
    pub fn sym(&self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }
    /// The symbol of a string given in parts.
    pub fn sym_joined(&self, parts: &[&str]) -> Symbol {
        self.symbols.intern_joined(parts)
    }
    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &'s str {
        self.symbols.text(symbol)
    }
    /// A location as `path:line` or `path:line-end`; `INTERNAL` stands for code without a file.
    pub fn location_text(&self, location: &SourceLocation) -> String {
        let mut text = String::new();
        self.push_location(&mut text, location);
        text
    }
    /// Appends the same.
    pub fn push_location(&self, out: &mut String, location: &SourceLocation) {
        out.push_str(location.file.map_or("INTERNAL", |file| self.sources.shown(self.text(file))));
        out.push(':');
        push_decimal(out, u64::from(location.line));
        if location.end_line != location.line {
            out.push('-');
            push_decimal(out, u64::from(location.end_line));
        }
    }
    /// The same followed by `:column` and `-end` where they are known.
    pub fn location_repr(&self, location: &SourceLocation) -> String {
        let mut text = self.location_text(location);
        if let Some(column) = location.column {
            text.push_str(&format!(":{column}"));
            if let Some(end) = location.end_column {
                text.push_str(&format!("-{end}"));
            }
        }
        text
    }
    /// The whole source lines of a location, where the source is known. A location outside of the
    /// file gives no lines and a warning.
    pub fn source_lines(&self, location: &SourceLocation) -> Option<&'s [&'s str]> {
        let lines = self.sources.lines(location)?;
        if lines.is_empty() {
            let shown = self.location_text(location);
            self.sink.warning(format!("could not locate source: {shown}"), Loc::NONE);
        }
        Some(lines)
    }
    /// The messages so far with their locations spelled out.
    pub fn reports(&self, excerpts: Excerpts) -> Vec<Report> {
        let mut reports = Vec::new();
        for diagnostic in self.sink.since(0) {
            let location = self.locs.get(diagnostic.loc);
            let mut report = Report::new(diagnostic.severity, diagnostic.message);
            if let (Some(location), Excerpts::Show) = (&location, excerpts)
                && diagnostic.severity >= Severity::Error
                && self.sources.is_known(location)
            {
                let lines = self.sources.lines(location).unwrap_or_default();
                if lines.len() == location.line_count() as usize {
                    report.excerpt = excerpt(lines, location.column, location.end_column);
                } else {
                    let shown = self.location_text(location);
                    let message = format!("source length mismatch for {shown}");
                    reports.push(Report::new(self.sink.promoted(Severity::Warning), message));
                }
            }
            report.location = location.map(|location| ReportLocation {
                file: location.file.map(|file| self.text(file).to_owned()),
                line: location.line,
                end_line: location.end_line,
                comment_lines: location.comment_lines,
                column: location.column,
                end_column: location.end_column,
            });
            reports.push(report);
        }
        reports
    }
    /// Fails with [`Failure::Stopped`] when the compilation was asked to end.
    pub fn check_stop(&self) -> Outcome<()> {
        match self.stop {
            Some(stop) if stop() => Err(Failure::Stopped),
            _ => Ok(()),
        }
    }
}
