//! Program -> TEAL, as a file for the assembler or as a dump that also shows stack manipulations.

use std::borrow::Cow;
use std::fmt::Write;

use super::model::{
    BlockConstant, BytesEncoding, Manipulations, Names, Op, OpKind, Program, Shape,
    StackManipulation,
};
use crate::avm::ops;
use crate::base::arena::Symbol;
use crate::base::source::{Loc, SourceLocation};
use crate::base::text::{dedent, dedent_lines, push_decimal, repr, split_lines, strip_end};
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;

/// First version whose assembler salts on its own, so that `false` has to be said.
const AUTOSALT_VERSION: i64 = 13;

/// What is shown besides the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Nothing.
    Plain,
    /// What each op does to the names on the stack.
    StackManipulations,
}

/// Where an op stands in the text of its program: from its code to the end of its comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// The op as the text has it.
    pub fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

/// Renders a program. Source comments need a debug level above 0.
pub fn render(
    session: &Session,
    debug_level: i64,
    program: &Program,
    detail: Detail,
) -> Outcome<String> {
    render_with_places(session, debug_level, program, detail).map(|(text, _)| text)
}

/// Renders a program and says where each of its ops stands in the text.
pub fn render_with_places(
    session: &Session,
    debug_level: i64,
    program: &Program,
    detail: Detail,
) -> Outcome<(String, Vec<Place>)> {
    let op_count = program.blocks().map(|block| block.ops.len()).sum();
    let mut places = Vec::with_capacity(op_count);
    // a line of code, and now and then one of the source
    let mut out = String::with_capacity(56 * op_count + 256);
    let _ = writeln!(out, "#pragma version {}", program.avm_version);
    out.push_str("#pragma typetrack false\n");
    if program.autosalt {
        out.push_str("#pragma autosalt true\n");
    } else if program.avm_version >= AUTOSALT_VERSION {
        out.push_str("#pragma autosalt false\n");
    }
    let position =
        |out: &String| u32::try_from(out.len()).expect("a program is smaller than 4 GiB");
    for (index, sub) in program.subroutines.iter().enumerate() {
        out.push_str(if index > 0 { "\n\n// " } else { "\n// " });
        sub.signature.push_text(session, &mut out);
        out.push('\n');
        for (index, block) in sub.blocks.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            out.push_str(session.text(block.label));
            out.push_str(":\n");
            let mut last = None;
            for op in &block.ops {
                if debug_level != 0 {
                    push_source(session, &mut out, op, &mut last)?;
                }
                if detail == Detail::StackManipulations {
                    push_manipulations(session, &mut out, &program.manipulations, op);
                }
                out.push_str("    ");
                let start = position(&out);
                push_op_with_comment(session, &mut out, &op.kind);
                places.push(Place { start, end: position(&out) });
                out.push('\n');
            }
        }
    }
    Ok((out, places))
}

/// The source of an op, statement by statement: with the comment above it, in whole lines.
fn push_source(
    session: &Session,
    out: &mut String,
    op: &Op,
    last: &mut Option<(Loc, SourceLocation)>,
) -> Outcome<()> {
    if last.is_some_and(|(loc, _)| loc == op.loc) {
        return Ok(());
    }
    let Some(location) = session.locs.get(op.loc) else { return Ok(()) };
    let line = i64::from(location.line) - i64::from(location.comment_lines);
    let line = u32::try_from(line).ok().filter(|line| *line > 0).ok_or_else(|| {
        Failure::internal(format!("ValueError: 'line' must be >= 1: {line}"), Loc::NONE)
    })?;
    let whole =
        SourceLocation { line, comment_lines: 0, column: None, end_column: None, ..location };
    let is_shown = last.is_some_and(|(_, shown)| shown == whole);
    *last = Some((op.loc, whole));
    if is_shown {
        return Ok(());
    }
    let Some(lines) = session.source_lines(&whole) else { return Ok(()) };
    out.push_str("    // ");
    session.push_location(out, &whole);
    out.push('\n');
    if lines.iter().all(|line| is_one_line(line)) {
        let mut lines = dedent_lines(lines.iter().copied()).peekable();
        while let Some(line) = lines.next() {
            // an empty line at the end is only the end of the one before
            if !line.is_empty() || lines.peek().is_some() {
                push_comment_line(out, strip_end(line));
            }
        }
    } else {
        for line in split_lines(&dedent(&lines.join("\n"))) {
            push_comment_line(out, strip_end(line));
        }
    }
    Ok(())
}

fn push_comment_line(out: &mut String, line: &str) {
    out.push_str("    // ");
    out.push_str(line);
    out.push('\n');
}

/// Whether nothing in a text ends a line: true for printable ASCII characters, false where a closer
/// look is needed.
fn is_one_line(text: &str) -> bool {
    // without an end before the end, so that many bytes are looked at at once
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | b'\t'))
}

fn push_manipulations(session: &Session, out: &mut String, table: &Manipulations, op: &Op) {
    if op.stack.is_empty() {
        return;
    }
    out.push_str("    // stack manipulations = [\n");
    for manipulation in table.of(op.stack) {
        let text = match manipulation {
            StackManipulation::Consume(n) => format!("StackConsume(n={n})"),
            StackManipulation::Extend(ids) => {
                format!("StackExtend(local_ids={})", names(session, table, ids))
            }
            StackManipulation::Define(ids) => {
                format!("StackDefine(local_ids={})", names(session, table, ids))
            }
            StackManipulation::Insert(depth, id) => {
                format!("StackInsert(depth={depth}, local_id={})", repr(session.text(*id)))
            }
            StackManipulation::Pop(depth) => format!("StackPop(depth={depth})"),
        };
        let _ = writeln!(out, "    //   {text}");
    }
    out.push_str("    // ]\n");
}

fn names(session: &Session, table: &Manipulations, names: &Names) -> String {
    let ids = table.ids(names);
    let count = ids.len();
    let ids = ids.iter().map(|id| repr(session.text(*id))).collect::<Vec<_>>().join(", ");
    match (names.shape, count) {
        (Shape::Text, _) => ids,
        (Shape::List, _) => format!("[{ids}]"),
        (Shape::Tuple, 1) => format!("({ids},)"),
        (Shape::Tuple, _) => format!("({ids})"),
    }
}

/// An op without its comment.
pub fn op(session: &Session, kind: &OpKind) -> String {
    let mut out = String::new();
    push_op(session, &mut out, kind);
    out
}

/// Appends an op without its comment.
fn push_op(session: &Session, out: &mut String, kind: &OpKind) {
    out.push_str(kind.op_code());
    let mut push = |immediate: Immediate<'_>| {
        out.push(' ');
        match immediate {
            Immediate::Text(text) => out.push_str(text),
            Immediate::Unsigned(value) => push_decimal(out, value),
            Immediate::Signed(value) => {
                if value < 0 {
                    out.push('-');
                }
                push_decimal(out, value.unsigned_abs());
            }
            Immediate::Bytes(value, encoding) => push_byte_literal(out, value, encoding),
        }
    };
    let name = |id: Symbol| Immediate::Text(session.text(id));
    match kind {
        OpKind::Cover(n)
        | OpKind::Uncover(n)
        | OpKind::Dig(n)
        | OpKind::Bury(n)
        | OpKind::PopN(n)
        | OpKind::DupN(n)
        | OpKind::Store(n) => push(Immediate::Unsigned(u64::from(*n))),
        OpKind::FrameDig(n) | OpKind::FrameBury(n) => push(Immediate::Signed(i64::from(*n))),
        OpKind::Int { value, .. } | OpKind::PushInt { value, .. } => {
            push(Immediate::Unsigned(*value));
        }
        OpKind::Byte { value, encoding, .. } | OpKind::PushBytes { value, encoding, .. } => {
            push(Immediate::Bytes(value, *encoding));
        }
        OpKind::TemplateInt(id) | OpKind::TemplateByte(id) => push(name(*id)),
        OpKind::IntBlock(constants) => {
            for constant in constants {
                match constant {
                    BlockConstant::Value(value) => push(Immediate::Unsigned(*value)),
                    BlockConstant::Template(id, _) => push(name(*id)),
                }
            }
        }
        OpKind::BytesBlock(constants) => {
            for constant in constants {
                match constant {
                    BlockConstant::Value((value, encoding)) => {
                        push(Immediate::Bytes(value, *encoding));
                    }
                    BlockConstant::Template(id, _) => push(name(*id)),
                }
            }
        }
        OpKind::IntC { index, .. } | OpKind::BytesC { index, .. } if *index > 3 => {
            push(Immediate::Unsigned(u64::from(*index)));
        }
        OpKind::PushInts(values) => {
            values.iter().for_each(|(value, _)| push(Immediate::Unsigned(*value)));
        }
        OpKind::PushBytess(values) => {
            values.iter().for_each(|(value, encoding, _)| push(Immediate::Bytes(value, *encoding)));
        }
        OpKind::Proto { parameters, returns } => {
            push(Immediate::Unsigned(*parameters as u64));
            push(Immediate::Unsigned(*returns as u64));
        }
        OpKind::Intrinsic(intrinsic) => {
            for immediate in &intrinsic.immediates {
                push(match immediate {
                    ops::Immediate::Int(value) => Immediate::Signed(*value),
                    ops::Immediate::Name(name) => Immediate::Text(name),
                });
            }
        }
        OpKind::Branch(target)
        | OpKind::BranchZero(target)
        | OpKind::BranchNonZero(target)
        | OpKind::CallSub { target, .. } => push(name(*target)),
        OpKind::Switch(targets) | OpKind::Match(targets) => {
            targets.iter().for_each(|target| push(name(*target)));
        }
        OpKind::Dup
        | OpKind::Dup2
        | OpKind::Pop
        | OpKind::Swap
        | OpKind::IntC { .. }
        | OpKind::BytesC { .. }
        | OpKind::Assert { .. }
        | OpKind::Err { .. }
        | OpKind::RetSub { .. }
        | OpKind::Return => {}
    }
}

/// What follows the name of an instruction.
enum Immediate<'i> {
    Text(&'i str),
    Unsigned(u64),
    Signed(i64),
    Bytes(&'i [u8], BytesEncoding),
}

/// An op with its comment, which can go on over several lines.
pub fn op_with_comment(session: &Session, kind: &OpKind) -> String {
    let mut out = String::new();
    push_op_with_comment(session, &mut out, kind);
    out
}

/// Appends an op with its comment.
fn push_op_with_comment(session: &Session, out: &mut String, kind: &OpKind) {
    push_op(session, out, kind);
    let Some(Comment { prefix, text }) = comment(session, kind) else { return };
    if is_one_line(&text) {
        if !prefix.is_empty() || !text.is_empty() {
            out.extend([" // ", prefix, &text]);
        }
        return;
    }
    for (index, line) in split_lines(&text).enumerate() {
        out.push_str(if index == 0 { " // " } else { "\n//" });
        if index == 0 {
            out.push_str(prefix);
        }
        out.push_str(line);
    }
}

/// What stands behind an op. The prefix has no line ends and is empty where the text is.
struct Comment<'c> {
    prefix: &'static str,
    text: Cow<'c, str>,
}

fn comment<'s>(session: &Session<'s>, kind: &OpKind) -> Option<Comment<'s>> {
    let known = |id: Symbol| Comment { prefix: "", text: session.text(id).into() };
    let joined = |text: String| Comment { prefix: "", text: text.into() };
    match kind {
        OpKind::IntC { comment, .. }
        | OpKind::BytesC { comment, .. }
        | OpKind::PushInt { comment, .. }
        | OpKind::PushBytes { comment, .. } => comment.map(known),
        OpKind::PushInts(values) => {
            let known = values.iter().map(|(value, comment)| (comment, value.to_string()));
            joined_comments(session, known).map(joined)
        }
        OpKind::PushBytess(values) => {
            let known = values
                .iter()
                .map(|(value, encoding, comment)| (comment, byte_literal(value, *encoding)));
            joined_comments(session, known).map(joined)
        }
        OpKind::Intrinsic(intrinsic) => {
            let message = session.text(intrinsic.error_message?);
            let prefix = "on error: ";
            (!message.is_empty()).then(|| Comment { prefix, text: message.into() })
        }
        OpKind::Assert { message, .. } | OpKind::Err { message, .. } => message.map(known),
        _ => None,
    }
}

/// Comments of combined pushes, with the value where there is none; none when no push has one.
fn joined_comments<'c>(
    session: &Session,
    pushes: impl Iterator<Item = (&'c Option<Symbol>, String)>,
) -> Option<String> {
    let mut any = false;
    let parts = pushes
        .map(|(comment, value)| {
            let comment = comment.map(|id| session.text(id)).filter(|text| !text.is_empty());
            any |= comment.is_some();
            comment.map_or(value, str::to_owned)
        })
        .collect::<Vec<_>>();
    any.then(|| parts.join(", "))
}

/// A byte constant as TEAL spells it.
pub fn byte_literal(value: &[u8], encoding: BytesEncoding) -> String {
    let mut out = String::new();
    push_byte_literal(&mut out, value, encoding);
    out
}

fn push_byte_literal(out: &mut String, value: &[u8], encoding: BytesEncoding) {
    match encoding {
        BytesEncoding::Base32 if !value.is_empty() => {
            out.push_str("base32(");
            encoding.push_text(out, value);
            out.push(')');
        }
        BytesEncoding::Base64 if !value.is_empty() => {
            out.push_str("base64(");
            encoding.push_text(out, value);
            out.push(')');
        }
        BytesEncoding::Base32 | BytesEncoding::Base64 => {
            BytesEncoding::Base16.push_text(out, value);
        }
        _ => encoding.push_text(out, value),
    }
}
