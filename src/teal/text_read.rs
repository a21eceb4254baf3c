//! TEAL as rendered with stack manipulations -> program, for tests: dumps of one stage become the input
//! of the next. Of what the text does not say, the heights of blocks are taken from lines
//! `// stack 2, 3: a#0,b#0` behind a label (entry, exit and names handed over), and numbers of
//! results from the manipulations or the op table.

use std::fmt;
use std::rc::Rc;

use super::model::{
    AvmType, Block, BlockConstant, BytesEncoding, Immediate, Intrinsic, Manipulations, Op, OpKind,
    Program, ProgramKind, Shape, Signature, StackManipulation, Subroutine,
};
use crate::avm::fields;
use crate::avm::ops::AvmOp;
use crate::base::arena::Symbol;
use crate::base::encode::{base32_decode, base64_decode};
use crate::base::source::Loc;
use crate::mir::model::Parameter;
use crate::session::Session;

/// A line that is not TEAL as we render it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotTeal(String);

impl fmt::Display for NotTeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not TEAL as it is rendered: {}", self.0)
    }
}

type Read<T> = Result<T, NotTeal>;

/// Reads a program. `explicit` says whether checks count as asked for by the source.
pub fn read(session: &Session, text: &str) -> Read<Program> {
    let mut program = Program {
        kind: ProgramKind::Approval,
        avm_version: 0,
        subroutines: Vec::new(),
        autosalt: false,
        manipulations: Manipulations::default(),
    };
    let mut pending_stack = Vec::new();
    let mut signature = None;
    for line in text.split('\n') {
        let fail = || NotTeal(line.to_owned());
        if let Some(pragma) = line.strip_prefix("#pragma ") {
            if let Some(version) = pragma.strip_prefix("version ") {
                program.avm_version = version.parse().map_err(|_| fail())?;
            }
            program.autosalt |= pragma == "autosalt true";
        } else if let Some(heights) = line.strip_prefix("// stack ") {
            let block = last_block(&mut program).ok_or_else(fail)?;
            read_heights(session, block, heights).ok_or_else(fail)?;
        } else if line.starts_with("// ") && line.ends_with(':') {
            signature = Some(read_signature(session, &line[3..]).ok_or_else(fail)?);
        } else if let Some(entry) = line.trim().strip_prefix("//   Stack") {
            let table = &mut program.manipulations;
            pending_stack.push(read_manipulation(session, table, entry).ok_or_else(fail)?);
        } else if line.trim().is_empty() || line.trim().starts_with("// ") || line.trim() == "//" {
            // a source comment, or what a comment goes on with
        } else if let Some(op) = line.strip_prefix("    ") {
            let stack = std::mem::take(&mut pending_stack);
            let kind = read_op(session, op, &stack).ok_or_else(fail)?;
            let stack = program.manipulations.add(&[&stack]);
            let block = last_block(&mut program).ok_or_else(fail)?;
            block.ops.push(Op { kind, loc: Loc::NONE, stack });
        } else if let Some(comment) = line.strip_prefix("//") {
            continue_comment(session, &mut program, comment).ok_or_else(fail)?;
        } else if let Some(label) = line.strip_suffix(':') {
            if let Some(signature) = signature.take() {
                program.subroutines.push(Subroutine {
                    is_main: program.subroutines.is_empty(),
                    signature,
                    blocks: Vec::new(),
                    loc: Loc::NONE,
                });
            }
            program.subroutines.last_mut().ok_or_else(fail)?.blocks.push(Block {
                label: session.sym(label),
                ops: Vec::new(),
                x_stack_in: Vec::new(),
                entry_stack_height: 0,
                exit_stack_height: 0,
            });
        } else {
            return Err(fail());
        }
    }
    resolve_calls(&mut program);
    Ok(program)
}

fn last_block(program: &mut Program) -> Option<&mut Block> {
    program.subroutines.last_mut()?.blocks.last_mut()
}

fn read_heights(session: &Session, block: &mut Block, text: &str) -> Option<()> {
    let (heights, names) = text.split_once(':')?;
    let (entry, exit) = heights.split_once(", ")?;
    block.entry_stack_height = entry.parse().ok()?;
    block.exit_stack_height = exit.parse().ok()?;
    let names = names.trim();
    if !names.is_empty() {
        block.x_stack_in = names.split(',').map(|name| session.sym(name)).collect();
    }
    Some(())
}

/// `name(a: bytes) -> uint64:`
fn read_signature(session: &Session, text: &str) -> Option<Signature> {
    let (head, returns) = text.strip_suffix(':')?.rsplit_once(" -> ")?;
    let (name, parameters) = head.strip_suffix(')')?.split_once('(')?;
    let atype = |text: &str| match text {
        "bytes" => Some(AvmType::Bytes),
        "uint64" => Some(AvmType::UInt64),
        _ => None,
    };
    let list = |text: &'_ str| match text {
        "" | "void" => Vec::new(),
        text => text.split(", ").map(str::to_owned).collect(),
    };
    let parameters = list(parameters)
        .iter()
        .map(|parameter| {
            let (name, of) = parameter.split_once(": ")?;
            let local_id = session.sym(&format!("{name}#0"));
            Some(Parameter { name: session.sym(name), local_id, atype: atype(of)? })
        })
        .collect::<Option<_>>()?;
    let returns = list(returns).iter().map(|text| atype(text)).collect::<Option<_>>()?;
    Some(Signature { name: session.sym(name), parameters, returns })
}

/// `Consume(n=1)` and so on.
fn read_manipulation(
    session: &Session,
    table: &mut Manipulations,
    text: &str,
) -> Option<StackManipulation> {
    let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let number = |text: &str| text.split_once('=')?.1.parse().ok();
    let mut names = || {
        let list = arguments.strip_prefix("local_ids=")?;
        let (shape, inner) = if let Some(inner) = list.strip_prefix('[') {
            (Shape::List, inner.strip_suffix(']')?)
        } else if let Some(inner) = list.strip_prefix('(') {
            (Shape::Tuple, inner.strip_suffix(')')?)
        } else {
            (Shape::Text, list)
        };
        Some(table.names(shape, &read_reprs(session, inner)?))
    };
    Some(match name {
        "Consume" => StackManipulation::Consume(number(arguments)?),
        "Pop" => StackManipulation::Pop(number(arguments)?),
        "Extend" => StackManipulation::Extend(names()?),
        "Define" => StackManipulation::Define(names()?),
        "Insert" => {
            let (depth, id) = arguments.split_once(", local_id=")?;
            let id = *read_reprs(session, id)?.first()?;
            StackManipulation::Insert(number(depth)?, id)
        }
        _ => return None,
    })
}

/// Strings as Python's `repr` shows them, separated by commas.
fn read_reprs(session: &Session, text: &str) -> Option<Vec<Symbol>> {
    let mut ids = Vec::new();
    let mut rest = text;
    while let Some(quote) = rest.chars().next() {
        let mut value = String::new();
        let mut characters = rest[1..].char_indices();
        let end = loop {
            let (at, character) = characters.next()?;
            if character == quote {
                break at + 2;
            }
            value.push(if character != '\\' {
                character
            } else {
                match characters.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                }
            });
        };
        ids.push(session.sym(&value));
        rest = rest[end..].trim_start_matches([',', ' ']);
    }
    Some(ids)
}

/// The part of the line that is code, and the comment.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let bytes = line.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b' ' if !quoted && line[at..].starts_with(" // ") => {
                return (&line[..at], Some(&line[at + 4..]));
            }
            _ => {}
        }
        at += 1;
    }
    (line, None)
}

/// Immediates separated by blanks, which a quoted string may contain.
fn split_words(code: &str) -> Vec<&str> {
    let bytes = code.as_bytes();
    let (mut words, mut start, mut at, mut quoted) = (Vec::new(), 0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b' ' if !quoted => {
                words.push(&code[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    words.push(&code[start..]);
    words
}

fn continue_comment(session: &Session, program: &mut Program, text: &str) -> Option<()> {
    let op = last_block(program)?.ops.last_mut()?;
    let comment = match &mut op.kind {
        OpKind::Int { comment, .. } | OpKind::Byte { comment, .. } => comment,
        OpKind::IntC { comment, .. } | OpKind::BytesC { comment, .. } => comment,
        OpKind::PushInt { comment, .. } | OpKind::PushBytes { comment, .. } => comment,
        OpKind::Assert { message, .. } | OpKind::Err { message, .. } => message,
        OpKind::Intrinsic(intrinsic) => &mut Rc::make_mut(intrinsic).error_message,
        _ => return Some(()),
    };
    let first = comment.map_or("", |id| session.text(id));
    *comment = Some(session.sym(&format!("{first}\n{text}")));
    Some(())
}

fn read_bytes(text: &str) -> Option<(Vec<u8>, BytesEncoding)> {
    let inner = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(')');
    if let Some(digits) = text.strip_prefix("0x") {
        let digit = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let value = (0..digits.len()).step_by(2).map(digit).collect::<Option<_>>()?;
        return Some((value, BytesEncoding::Base16));
    }
    if let Some(encoded) = inner("base32(") {
        let padded = format!("{encoded}{}", "=".repeat((8 - encoded.len() % 8) % 8));
        return Some((base32_decode(&padded)?, BytesEncoding::Base32));
    }
    if let Some(encoded) = inner("base64(") {
        return Some((base64_decode(encoded)?, BytesEncoding::Base64));
    }
    let mut value = Vec::new();
    let mut bytes = text.strip_prefix('"')?.strip_suffix('"')?.bytes();
    while let Some(byte) = bytes.next() {
        value.push(if byte != b'\\' {
            byte
        } else {
            match bytes.next()? {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other => other,
            }
        });
    }
    Some((value, BytesEncoding::Utf8))
}

/// Reads one op; the manipulations in front of it tell how much a call or an op of the table moves.
fn read_op(session: &Session, line: &str, stack: &[StackManipulation]) -> Option<OpKind> {
    let (code, comment) = split_comment(line);
    let words = split_words(code);
    let (name, immediates) = words.split_first()?;
    let first = immediates.first().copied();
    let comment = comment.map(|text| session.sym(text));
    let label = || first.map(|text| session.sym(text));
    let labels = || immediates.iter().map(|text| session.sym(text)).collect();
    let depth = || first?.parse::<u8>().ok();
    let index = || first?.parse::<i8>().ok();
    let bytes = |text: &str| read_bytes(text).map(|(value, encoding)| (value.into(), encoding));
    Some(match *name {
        "dup" => OpKind::Dup,
        "dup2" => OpKind::Dup2,
        "pop" => OpKind::Pop,
        "swap" => OpKind::Swap,
        "cover" => OpKind::Cover(depth()?),
        "uncover" => OpKind::Uncover(depth()?),
        "dig" => OpKind::Dig(depth()?),
        "bury" => OpKind::Bury(depth()?),
        "popn" => OpKind::PopN(depth()?),
        "dupn" => OpKind::DupN(depth()?),
        "frame_dig" => OpKind::FrameDig(index()?),
        "frame_bury" => OpKind::FrameBury(index()?),
        "store" if stack.is_empty() => OpKind::Store(depth()?),
        "int" => match first?.parse() {
            Ok(value) => OpKind::Int { value, comment },
            Err(_) => OpKind::TemplateInt(label()?),
        },
        "byte" => match bytes(first?) {
            Some((value, encoding)) => OpKind::Byte { value, encoding, comment },
            None => OpKind::TemplateByte(label()?),
        },
        "intcblock" => OpKind::IntBlock(
            immediates
                .iter()
                .map(|text| match text.parse() {
                    Ok(value) => BlockConstant::Value(value),
                    Err(_) => BlockConstant::Template(session.sym(text), Loc::NONE),
                })
                .collect(),
        ),
        "bytecblock" => OpKind::BytesBlock(
            immediates
                .iter()
                .map(|text| match bytes(text) {
                    Some(value) => BlockConstant::Value(value),
                    None => BlockConstant::Template(session.sym(text), Loc::NONE),
                })
                .collect(),
        ),
        "intc" => OpKind::IntC { index: depth()?, comment },
        "bytec" => OpKind::BytesC { index: depth()?, comment },
        "intc_0" | "intc_1" | "intc_2" | "intc_3" => {
            OpKind::IntC { index: name[5..].parse().ok()?, comment }
        }
        "bytec_0" | "bytec_1" | "bytec_2" | "bytec_3" => {
            OpKind::BytesC { index: name[6..].parse().ok()?, comment }
        }
        "pushint" => OpKind::PushInt { value: first?.parse().ok()?, comment },
        "pushbytes" => {
            let (value, encoding) = bytes(first?)?;
            OpKind::PushBytes { value, encoding, comment }
        }
        "pushints" => OpKind::PushInts(
            immediates
                .iter()
                .map(|text| Some((text.parse().ok()?, None)))
                .collect::<Option<_>>()?,
        ),
        "pushbytess" => OpKind::PushBytess(
            immediates
                .iter()
                .map(|text| bytes(text).map(|(value, encoding)| (value, encoding, None)))
                .collect::<Option<_>>()?,
        ),
        "proto" => OpKind::Proto {
            parameters: first?.parse().ok()?,
            returns: immediates.get(1)?.parse().ok()?,
        },
        "assert" => OpKind::Assert { message: comment, explicit: comment.is_some() },
        "err" => OpKind::Err { message: comment, explicit: comment.is_some() },
        "retsub" => OpKind::RetSub { returns: 0 },
        "return" => OpKind::Return,
        "b" => OpKind::Branch(label()?),
        "bz" => OpKind::BranchZero(label()?),
        "bnz" => OpKind::BranchNonZero(label()?),
        "switch" => OpKind::Switch(labels()),
        "match" => OpKind::Match(labels()),
        "callsub" => OpKind::CallSub { target: label()?, parameters: 0, returns: 0 },
        _ => {
            let op = AvmOp::from_code(name)?;
            let immediates = immediates
                .iter()
                .map(|text| match text.parse() {
                    Ok(value) => Some(Immediate::Int(value)),
                    Err(_) => fields::name(text).map(Immediate::Name),
                })
                .collect::<Option<Vec<_>>>()?;
            let variant = op.variant(&immediates).ok()?;
            let error_message = comment.map(|id| {
                let text = session.text(id);
                session.sym(text.strip_prefix("on error: ").unwrap_or(text))
            });
            OpKind::Intrinsic(Rc::new(Intrinsic {
                op,
                immediates,
                error_message,
                consumes: variant.args.len(),
                produces: variant.returns.len(),
                is_short_arg: false,
            }))
        }
    })
}

/// Calls and returns move as many values as the signatures say.
fn resolve_calls(program: &mut Program) {
    let signatures = program
        .subroutines
        .iter()
        .filter_map(|sub| {
            let signature = &sub.signature;
            Some((sub.blocks.first()?.label, signature.parameters.len(), signature.returns.len()))
        })
        .collect::<Vec<_>>();
    for sub in &mut program.subroutines {
        let count = sub.signature.returns.len();
        for op in sub.blocks.iter_mut().flat_map(|block| &mut block.ops) {
            match &mut op.kind {
                OpKind::RetSub { returns } => *returns = count,
                OpKind::CallSub { target, parameters, returns } => {
                    let called = signatures.iter().find(|(label, ..)| label == target);
                    if let Some((_, taken, left)) = called {
                        (*parameters, *returns) = (*taken, *left);
                    }
                }
                _ => {}
            }
        }
    }
}
