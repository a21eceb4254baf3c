//! Program -> TEAL, as a file for the assembler or as a dump that also shows stack manipulations.

use std::fmt::Write;

use super::model::{
    BlockConstant, BytesEncoding, Names, Op, OpKind, Program, Shape, StackManipulation,
};
use crate::base::arena::Symbol;
use crate::base::source::{Loc, SourceLocation};
use crate::base::text::{dedent, repr, split_lines, strip_end};
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

/// Renders a program. Source comments need a debug level above 0.
pub fn render(
    session: &Session,
    debug_level: i64,
    program: &Program,
    detail: Detail,
) -> Outcome<String> {
    let mut out = String::new();
    let _ = writeln!(out, "#pragma version {}", program.avm_version);
    out.push_str("#pragma typetrack false\n");
    if program.autosalt {
        out.push_str("#pragma autosalt true\n");
    } else if program.avm_version >= AUTOSALT_VERSION {
        out.push_str("#pragma autosalt false\n");
    }
    for (index, sub) in program.subroutines.iter().enumerate() {
        out.push('\n');
        if index > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "// {}", sub.signature.text(session));
        for (index, block) in sub.blocks.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            let _ = writeln!(out, "{}:", session.text(block.label));
            let mut last = None;
            for op in &block.ops {
                if debug_level != 0 {
                    push_source(session, &mut out, op, &mut last)?;
                }
                if detail == Detail::StackManipulations {
                    push_manipulations(session, &mut out, op);
                }
                let _ = writeln!(out, "    {}", op_with_comment(session, &op.kind));
            }
        }
    }
    Ok(out)
}

/// The source of an op, statement by statement: with the comment above it, in whole lines.
fn push_source(
    session: &Session,
    out: &mut String,
    op: &Op,
    last: &mut Option<SourceLocation>,
) -> Outcome<()> {
    let Some(location) = session.locs.get(op.loc) else { return Ok(()) };
    let line = i64::from(location.line) - i64::from(location.comment_lines);
    let line = u32::try_from(line).ok().filter(|line| *line > 0).ok_or_else(|| {
        Failure::internal(format!("ValueError: 'line' must be >= 1: {line}"), Loc::NONE)
    })?;
    let whole =
        SourceLocation { line, comment_lines: 0, column: None, end_column: None, ..location };
    if *last == Some(whole) {
        return Ok(());
    }
    *last = Some(whole);
    let Some(lines) = session.source_lines(&whole) else { return Ok(()) };
    let _ = writeln!(out, "    // {}", session.location_text(&whole));
    for line in split_lines(&dedent(&lines.join("\n"))) {
        let _ = writeln!(out, "    // {}", strip_end(line));
    }
    Ok(())
}

fn push_manipulations(session: &Session, out: &mut String, op: &Op) {
    if op.stack.is_empty() {
        return;
    }
    out.push_str("    // stack manipulations = [\n");
    for manipulation in &op.stack {
        let text = match manipulation {
            StackManipulation::Consume(n) => format!("StackConsume(n={n})"),
            StackManipulation::Extend(ids) => {
                format!("StackExtend(local_ids={})", names(session, ids))
            }
            StackManipulation::Define(ids) => {
                format!("StackDefine(local_ids={})", names(session, ids))
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

fn names(session: &Session, names: &Names) -> String {
    let ids = names.ids.iter().map(|id| repr(session.text(*id))).collect::<Vec<_>>().join(", ");
    match (names.shape, names.ids.len()) {
        (Shape::Text, _) => ids,
        (Shape::List, _) => format!("[{ids}]"),
        (Shape::Tuple, 1) => format!("({ids},)"),
        (Shape::Tuple, _) => format!("({ids})"),
    }
}

/// An op without its comment.
pub fn op(session: &Session, kind: &OpKind) -> String {
    let mut out = kind.op_code().to_owned();
    let text = |id: &Symbol| session.text(*id);
    let mut push = |immediate: &dyn std::fmt::Display| {
        let _ = write!(out, " {immediate}");
    };
    match kind {
        OpKind::Cover(n)
        | OpKind::Uncover(n)
        | OpKind::Dig(n)
        | OpKind::Bury(n)
        | OpKind::PopN(n)
        | OpKind::DupN(n)
        | OpKind::Store(n) => push(n),
        OpKind::FrameDig(n) | OpKind::FrameBury(n) => push(n),
        OpKind::Int { value, .. } | OpKind::PushInt { value, .. } => push(value),
        OpKind::Byte { value, encoding, .. } | OpKind::PushBytes { value, encoding, .. } => {
            push(&byte_literal(value, *encoding));
        }
        OpKind::TemplateInt(name) | OpKind::TemplateByte(name) => push(&text(name)),
        OpKind::IntBlock(constants) => {
            for constant in constants {
                match constant {
                    BlockConstant::Value(value) => push(value),
                    BlockConstant::Template(name, _) => push(&text(name)),
                }
            }
        }
        OpKind::BytesBlock(constants) => {
            for constant in constants {
                match constant {
                    BlockConstant::Value((value, encoding)) => {
                        push(&byte_literal(value, *encoding));
                    }
                    BlockConstant::Template(name, _) => push(&text(name)),
                }
            }
        }
        OpKind::IntC { index, .. } | OpKind::BytesC { index, .. } if *index > 3 => push(index),
        OpKind::PushInts(values) => values.iter().for_each(|(value, _)| push(value)),
        OpKind::PushBytess(values) => {
            values.iter().for_each(|(value, encoding, _)| push(&byte_literal(value, *encoding)));
        }
        OpKind::Proto { parameters, returns } => {
            push(parameters);
            push(returns);
        }
        OpKind::Intrinsic(intrinsic) => {
            intrinsic.immediates.iter().for_each(|immediate| push(immediate));
        }
        OpKind::Branch(target)
        | OpKind::BranchZero(target)
        | OpKind::BranchNonZero(target)
        | OpKind::CallSub { target, .. } => push(&text(target)),
        OpKind::Switch(targets) | OpKind::Match(targets) => {
            targets.iter().for_each(|target| push(&text(target)));
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
    out
}

/// An op with its comment, which can go on over several lines.
pub fn op_with_comment(session: &Session, kind: &OpKind) -> String {
    let mut out = op(session, kind);
    let comment = comment(session, kind).unwrap_or_default();
    for (index, line) in split_lines(&comment).enumerate() {
        out.push_str(if index == 0 { " // " } else { "\n//" });
        out.push_str(line);
    }
    out
}

fn comment(session: &Session, kind: &OpKind) -> Option<String> {
    let text = |id: &Symbol| session.text(*id).to_owned();
    match kind {
        OpKind::IntC { comment, .. }
        | OpKind::BytesC { comment, .. }
        | OpKind::PushInt { comment, .. }
        | OpKind::PushBytes { comment, .. } => comment.as_ref().map(text),
        OpKind::PushInts(values) => {
            let known = values.iter().map(|(value, comment)| (comment, value.to_string()));
            joined_comments(session, known)
        }
        OpKind::PushBytess(values) => {
            let known = values
                .iter()
                .map(|(value, encoding, comment)| (comment, byte_literal(value, *encoding)));
            joined_comments(session, known)
        }
        OpKind::Intrinsic(intrinsic) => {
            let message = session.text(intrinsic.error_message?);
            (!message.is_empty()).then(|| format!("on error: {message}"))
        }
        OpKind::Assert { message, .. } | OpKind::Err { message, .. } => message.as_ref().map(text),
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
    match encoding {
        BytesEncoding::Base32 if !value.is_empty() => format!("base32({})", encoding.text(value)),
        BytesEncoding::Base64 if !value.is_empty() => format!("base64({})", encoding.text(value)),
        BytesEncoding::Base32 | BytesEncoding::Base64 => BytesEncoding::Base16.text(value),
        _ => encoding.text(value),
    }
}
