//! The dump: a program in, two columns of text out, operations and the stack after each. Spec 30 §14.

use crate::base::source::{Loc, SourceLocation};
use crate::base::text;
use crate::diagnostics::Outcome;
use crate::session::Session;

use super::model::{
    Block, BlockId, IntValue, Load, Op, OpKind, Program, Store, Subroutine, Terminator,
    TerminatorKind,
};
use super::stack::{Stack, push_names};

const INDENT: usize = 4;
/// An operation with more code points stands outside the columns.
const OP_WIDTH_MAX: usize = 80;
const HEADERS: [(&str, usize); 2] = [("// Op", 1), ("Stack (out)", 4)];

/// The text of an operation.
pub fn op_text(session: &Session<'_>, op: &Op) -> String {
    let with_message = |text: &str,
                        separator: &str,
                        message: Option<crate::base::arena::Symbol>| {
        let message = message.map_or("", |message| session.text(message));
        if message.is_empty() { text.to_owned() } else { format!("{text} {separator}{message}") }
    };
    match &op.kind {
        OpKind::Int(IntValue::Number(value)) => format!("int {value}"),
        OpKind::Int(IntValue::Alias(alias)) => format!("int {}", session.text(*alias)),
        OpKind::Byte { value, encoding } => format!("byte {}", encoding.text(value)),
        OpKind::Undefined(_) => "undefined".to_owned(),
        OpKind::TemplateVar { name, atype } => {
            let code = if *atype == super::model::AvmType::Bytes { "byte" } else { "int" };
            format!("{code} {}", session.text(*name))
        }
        OpKind::Address(address) => format!("addr \"{}\"", session.text(*address)),
        OpKind::Method(signature) => format!("method {}", session.text(*signature)),
        OpKind::Store(local, store) => {
            let id = session.text(local.id);
            match store {
                Store::Abstract => format!("v-store {id}"),
                Store::L { depth, copy: false } => format!("l-store {id} {depth}"),
                Store::L { depth, copy: true } => format!("l-store-copy {id} {depth}"),
                Store::X { .. } => format!("x-store {id}"),
                Store::F { .. } => format!("f-store {id}"),
                Store::Param { .. } => format!("p-store {id}"),
            }
        }
        OpKind::Load(local, load) => {
            let id = session.text(local.id);
            match load {
                Load::Abstract => format!("v-load {id}"),
                Load::L { depth, copy } => {
                    let code = if *copy { "l-load-copy" } else { "l-load" };
                    match depth {
                        Some(depth) => format!("{code} {id} {depth}"),
                        None => format!("{code} {id}"),
                    }
                }
                Load::X { copy: false, .. } => format!("x-load {id}"),
                Load::X { copy: true, .. } => format!("x-load-copy {id}"),
                Load::F { .. } => format!("f-load {id}"),
                Load::Param { .. } => format!("p-load {id}"),
            }
        }
        OpKind::Pop(n) => format!("pop {n}"),
        OpKind::CallSub { target, .. } => format!("callsub {}", session.text(*target)),
        OpKind::Intrinsic(intrinsic) => {
            let mut text = intrinsic.op.code().to_owned();
            for immediate in &intrinsic.immediates {
                text.push(' ');
                text.push_str(&immediate.to_string());
            }
            with_message(&text, "// on error: ", intrinsic.error_message)
        }
        OpKind::Assert { error_message, .. } => with_message("assert", "// ", *error_message),
    }
}

/// The text of a terminator.
pub fn terminator_text(session: &Session<'_>, sub: &Subroutine, terminator: &Terminator) -> String {
    let name = |block: &BlockId| session.text(sub.body[*block].name);
    let listed = |code: &str, targets: &[BlockId], default: &BlockId| {
        let mut text = code.to_owned();
        for target in targets {
            text.push(' ');
            text.push_str(name(target));
        }
        format!("{text} ; b {}", name(default))
    };
    match &terminator.kind {
        TerminatorKind::RetSub { .. } => "retsub".to_owned(),
        TerminatorKind::ProgramExit => "return".to_owned(),
        TerminatorKind::Err { error_message, .. } => {
            match error_message.map_or("", |message| session.text(message)) {
                "" => "err".to_owned(),
                message => format!("err // {message}"),
            }
        }
        TerminatorKind::Goto(target) => format!("b {}", name(target)),
        TerminatorKind::ConditionalBranch { zero, nonzero } => {
            format!("bz {} ; b {}", name(zero), name(nonzero))
        }
        TerminatorKind::Switch { targets, default } => listed("switch", targets, default),
        TerminatorKind::Match { targets, default } => listed("match", targets, default),
    }
}

/// A whole program.
pub fn dump(session: &Session<'_>, program: &Program) -> Outcome<String> {
    let mut rows = Rows::default();
    for sub in program.all_subroutines() {
        rows.raw(format!("// {}", sub.signature.text(session)));
        rows.raw(format!("subroutine {}:", session.text(sub.id)));
        for (atype, vars) in
            [("bytes", &sub.pre_alloc.bytes_vars), ("uint64", &sub.pre_alloc.uint64_vars)]
        {
            if !vars.is_empty() {
                let mut text = format!("declare {atype} ");
                push_names(session, vars, ", ", &mut text);
                rows.part(1, &text);
            }
        }
        for block in sub.body.values() {
            dump_block(session, sub, block, &mut rows)?;
            rows.empty();
        }
        rows.empty();
    }
    rows.empty();
    Ok(rows.finish())
}

fn dump_block(
    session: &Session<'_>,
    sub: &Subroutine,
    block: &Block,
    rows: &mut Rows,
) -> Outcome<()> {
    let mut stack = Stack::at_entry(sub, block);
    let mut description = String::new();
    stack.describe(session, &mut description);
    rows.parts(1, &format!("{}:", session.text(block.name)), &description);
    let mut last_location = None;
    for op in &block.ops {
        source_comment(session, op.loc, &mut last_location, rows);
        stack.apply(op)?;
        rows.op(session, &op_text(session, op), &stack);
    }
    source_comment(session, block.terminator.loc, &mut last_location, rows);
    stack.end(&block.terminator)?;
    rows.op(session, &terminator_text(session, sub, &block.terminator), &stack);
    Ok(())
}

/// Quotes the source lines of a location, unless the operation before has the same lines.
fn source_comment(
    session: &Session<'_>,
    loc: Loc,
    last_location: &mut Option<SourceLocation>,
    rows: &mut Rows,
) {
    let Some(location) = session.locs.get(loc) else { return };
    let location = SourceLocation { column: None, end_column: None, ..location };
    if *last_location == Some(location) {
        return;
    }
    *last_location = Some(location);
    let Some(lines) = session.source_lines(&location) else { return };
    rows.part(2, &format!("// {}", session.location_text(&location)));
    for line in text::split_lines(&text::dedent(&lines.join("\n"))) {
        rows.part(2, &format!("// {}", text::strip_end(line)));
    }
}

/// Rows of the dump, laid out when all are known.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    widths: [usize; 2],
    /// How many columns any row has.
    columns: usize,
}

enum Row {
    /// Outside the columns.
    Raw(String),
    /// One or two columns, the first one indented already.
    Parts(String, Option<String>),
    Empty,
}

impl Rows {
    fn raw(&mut self, line: String) {
        self.rows.push(Row::Raw(line));
    }
    fn empty(&mut self) {
        self.rows.push(Row::Empty);
    }
    fn part(&mut self, level: usize, text: &str) {
        self.push(level, text, None);
    }
    fn parts(&mut self, level: usize, text: &str, second: &str) {
        self.push(level, text, Some(second));
    }
    fn push(&mut self, level: usize, text: &str, second: Option<&str>) {
        let first = format!("{}{text}", " ".repeat(level * INDENT));
        self.widths[0] = self.widths[0].max(text::char_len(&first));
        self.columns = self.columns.max(1);
        if let Some(second) = second {
            self.widths[1] = self.widths[1].max(text::char_len(second));
            self.columns = 2;
        }
        self.rows.push(Row::Parts(first, second.map(str::to_owned)));
    }
    fn op(&mut self, session: &Session<'_>, op: &str, stack: &Stack) {
        let mut description = String::new();
        stack.describe(session, &mut description);
        if text::char_len(op) > OP_WIDTH_MAX {
            self.raw(format!("{}{op} {description}", " ".repeat(2 * INDENT)));
        } else {
            self.parts(2, op, &description);
        }
    }
    /// All lines. A column without any text is left out, its header too.
    fn finish(self) -> String {
        let mut widths = [0; 2];
        for (column, (header, padding)) in HEADERS.into_iter().enumerate().take(self.columns) {
            if self.widths[column] > 0 {
                widths[column] = self.widths[column].max(text::char_len(header)) + padding;
            }
        }
        let mut out = String::new();
        let mut line = String::new();
        let mut push_row = |out: &mut String, parts: &[&str]| {
            line.clear();
            for (part, width) in parts.iter().zip(widths) {
                if width > 0 {
                    text::push_padded(&mut line, part, width);
                }
            }
            out.push_str(text::strip_end(&line));
        };
        push_row(&mut out, &HEADERS.map(|(header, _)| header));
        for row in &self.rows {
            out.push('\n');
            match row {
                Row::Raw(line) => out.push_str(line),
                Row::Parts(first, None) => push_row(&mut out, &[first]),
                Row::Parts(first, Some(second)) => push_row(&mut out, &[first, second]),
                Row::Empty => {}
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;

    #[test]
    fn source_lines_stand_once_before_what_they_became() {
        let arena = Arena::new();
        let mut session = Session::new(&arena, None);
        session.sources.cwd = "/home/me".to_owned();
        let file = session.sym("/home/me/code.py");
        let lines = ["def f():", "    x = (", "        1  ", "    )"];
        session.sources.insert(file, Some(&lines));
        let at = |line, end_line, column| {
            session.locs.intern(SourceLocation {
                file: Some(file),
                line,
                end_line,
                comment_lines: 0,
                column,
                end_column: None,
            })
        };
        let mut rows = Rows::default();
        let mut last = None;
        for loc in [at(2, 4, None), at(2, 4, Some(3)), Loc::NONE, at(2, 4, None), at(1, 1, None)] {
            source_comment(&session, loc, &mut last, &mut rows);
            rows.part(2, "op");
        }
        let expected = "\
// Op
        // code.py:2-4
        // x = (
        //     1
        // )
        op
        op
        op
        op
        // code.py:1
        // def f():
        op";
        assert_eq!(rows.finish(), expected);
    }

    #[test]
    fn long_operations_stand_outside_the_columns() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let stack = Stack {
            parameters: vec![session.sym("a#0")],
            f: Vec::new(),
            x: vec![session.sym("b#0"), session.sym("c#1")],
            l: Vec::new(),
        };
        let mut rows = Rows::default();
        rows.op(&session, "pop 1", &stack);
        let long = "x".repeat(81);
        rows.op(&session, &long, &stack);
        let expected = format!(
            "// Op         Stack (out)\n        pop 1 (\u{1d561}) a#0 | (\u{1d54f}) b#0,c#1 |\n        \
             {long} (\u{1d561}) a#0 | (\u{1d54f}) b#0,c#1 | "
        );
        assert_eq!(rows.finish(), expected);
    }
}
