//! IR as text: what dumps show and messages quote. The format is fixed by the reference. Spec 20 §6 to
//! §10 and §17. [`super::text_read`] reads it back.

use std::fmt::Write;

use crate::base::ordered::OrderedMap;
use crate::base::text::repr;

use super::Ctx;
use super::model::{BlockId, Node, OpId, PhiId, Program, SlotStrategy, Subroutine};
use super::op::{
    Constant, Index, Intrinsic, Invoke, OpKind, Register, SourceKind, TerminatorKind, Value,
};
use super::pool::CompiledField;

/// A whole program, without a newline at the end.
pub fn program(ctx: Ctx<'_, '_>, program: &Program) -> String {
    let mut out = String::new();
    if program.slot_strategy == SlotStrategy::Dynamic {
        let slots: Vec<String> = program.reserved_slots.iter().map(u32::to_string).collect();
        out += &format!("slot_allocation(dynamic, reserved=[{}])\n", slots.join(", "));
    }
    push(&mut out, format_args!("main {}:", ctx.text(program.main.header(ctx.pool).id)));
    push_body(&mut out, ctx, &program.main);
    for sub in &program.subroutines {
        out.push_str("\n\n");
        push_signature(&mut out, ctx, sub);
        push_body(&mut out, ctx, sub);
    }
    out
}

/// One subroutine as it stands in a program's dump.
pub fn subroutine(ctx: Ctx<'_, '_>, sub: &Subroutine) -> String {
    let mut out = String::new();
    push_signature(&mut out, ctx, sub);
    push_body(&mut out, ctx, sub);
    out
}

/// A register by name and version, as it is called from here to TEAL ("local id").
pub fn register(ctx: Ctx<'_, '_>, register: Register) -> String {
    format!("{}#{}", ctx.text(register.name), register.version)
}

/// A value.
pub fn value(ctx: Ctx<'_, '_>, value: Value) -> String {
    let mut out = String::new();
    push_value(&mut out, ctx, value);
    out
}

/// An instruction with its operands.
pub fn intrinsic(ctx: Ctx<'_, '_>, intrinsic: &Intrinsic) -> String {
    let mut out = String::new();
    push_intrinsic(&mut out, ctx, intrinsic);
    out
}

/// A phi.
pub fn phi(sub: &Subroutine, ctx: Ctx<'_, '_>, phi: PhiId) -> String {
    let mut out = String::new();
    push_phi(&mut out, ctx, sub, phi);
    out
}

/// An operation.
pub fn op(sub: &Subroutine, ctx: Ctx<'_, '_>, op: OpId) -> String {
    let mut out = String::new();
    push_op(&mut out, ctx, sub, op);
    out
}

/// A block by its number.
pub fn block(sub: &Subroutine, block: BlockId) -> String {
    match sub.blocks[block].number {
        Some(number) => format!("block@{number}"),
        None => "block@None".to_owned(),
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("a string takes every text");
}

fn push_list<T>(
    out: &mut String,
    separator: &str,
    items: impl IntoIterator<Item = T>,
    mut push_item: impl FnMut(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        push_item(out, item);
    }
}

fn push_signature(out: &mut String, ctx: Ctx<'_, '_>, sub: &Subroutine) {
    let header = sub.header(ctx.pool);
    push(out, format_args!("subroutine {}(", ctx.text(header.id)));
    push_list(out, ", ", &sub.parameters, |out, parameter| {
        push(out, format_args!("{}: {}", ctx.text(parameter.name), parameter.ty.name(ctx.pool)));
    });
    out.push_str(") -> ");
    match header.returns {
        [] => out.push_str("void"),
        [ty] => out.push_str(&ty.name(ctx.pool)),
        types => {
            out.push('<');
            push_list(out, ", ", types, |out, ty| out.push_str(&ty.name(ctx.pool)));
            out.push('>');
        }
    }
    out.push(':');
}

fn push_body(out: &mut String, ctx: Ctx<'_, '_>, sub: &Subroutine) {
    for id in &sub.body {
        let data = &sub.blocks[*id];
        push(out, format_args!("\n    {}: // ", block(sub, *id)));
        if let Some(comment) = data.comment.map(|comment| ctx.text(comment))
            && !comment.is_empty()
        {
            push(out, format_args!("{comment}_"));
        }
        push(out, format_args!("L{}", ctx.session.locs.line(data.loc)));
        for node in sub.nodes(*id) {
            out.push_str("\n        ");
            match node {
                Node::Phi(phi) => push_phi(out, ctx, sub, phi),
                Node::Op(op) => push_op(out, ctx, sub, op),
                Node::Terminator(_) => push_terminator(out, ctx, sub, *id),
            }
        }
    }
}

fn push_target(out: &mut String, ctx: Ctx<'_, '_>, target: Register) {
    push(out, format_args!("{}: {}", register(ctx, target), target.ty.name(ctx.pool)));
}

fn push_values<'v>(
    out: &mut String,
    ctx: Ctx<'_, '_>,
    separator: &str,
    values: impl IntoIterator<Item = &'v Value>,
) {
    push_list(out, separator, values, |out, value| push_value(out, ctx, *value));
}

fn push_phi(out: &mut String, ctx: Ctx<'_, '_>, sub: &Subroutine, phi: PhiId) {
    let phi = &sub.phis[phi];
    out.push_str("let ");
    push_target(out, ctx, phi.register);
    out.push_str(" = ");
    if phi.args.is_empty() {
        out.push_str("undefined");
        return;
    }
    out.push_str("φ(");
    push_list(out, ", ", &phi.args, |out, arg| {
        push(out, format_args!("{} <- {}", register(ctx, arg.value), block(sub, arg.through)));
    });
    out.push(')');
}

fn push_op(out: &mut String, ctx: Ctx<'_, '_>, sub: &Subroutine, op: OpId) {
    match &sub.ops[op].kind {
        OpKind::Assign { targets, source } => {
            out.push_str("let ");
            match targets[..] {
                [target] => push_target(out, ctx, target),
                _ => {
                    out.push('(');
                    push_list(out, ", ", targets, |out, target| push_target(out, ctx, *target));
                    out.push(')');
                }
            }
            out.push_str(" = ");
            push_source(out, ctx, &source.kind);
        }
        OpKind::Assert { condition, message, .. } => {
            out.push_str("(assert ");
            push_value(out, ctx, *condition);
            out.push(')');
            push_message(out, " // ", message.map(|message| ctx.text(message)));
        }
        OpKind::WriteSlot { slot, value } => {
            out.push_str("store(");
            push_values(out, ctx, ", ", [slot, value]);
            out.push(')');
        }
        OpKind::BoxWrite { key, value, .. } => {
            out.push_str("box_write(");
            push_values(out, ctx, ", ", [key, value]);
            out.push(')');
        }
        OpKind::Intrinsic(intrinsic) => push_intrinsic(out, ctx, intrinsic),
        OpKind::Invoke(invoke) => push_invoke(out, ctx, invoke),
    }
}

fn push_message(out: &mut String, introduction: &str, message: Option<&str>) {
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        out.push_str(introduction);
        out.push_str(message);
    }
}

fn push_indexes(out: &mut String, ctx: Ctx<'_, '_>, indexes: &[Index]) {
    for index in indexes {
        out.push_str(", ");
        match index {
            Index::Fixed(index) => push(out, format_args!("{index}")),
            Index::Value(value) => push_value(out, ctx, *value),
        }
    }
}

fn push_source(out: &mut String, ctx: Ctx<'_, '_>, source: &SourceKind) {
    let pool = ctx.pool;
    match source {
        SourceKind::Value(value) => return push_value(out, ctx, *value),
        SourceKind::Intrinsic(intrinsic) => return push_intrinsic(out, ctx, intrinsic),
        SourceKind::Invoke(invoke) => return push_invoke(out, ctx, invoke),
        SourceKind::InnerTransactionField { field, group_index, array_index, .. } => {
            out.push_str("itxn[");
            push_value(out, ctx, *group_index);
            push(out, format_args!("].{}", field.name()));
            if let Some(index) = array_index {
                out.push('[');
                push_value(out, ctx, **index);
                out.push(']');
            }
            return;
        }
        SourceKind::ValueTuple { values, .. } => {
            out.push('(');
            push_values(out, ctx, ", ", values);
        }
        SourceKind::ArrayLength { base, .. } => {
            out.push_str("array_len(");
            push_value(out, ctx, *base);
        }
        SourceKind::ArrayPop { base, .. } => {
            out.push_str("array_pop(");
            push_value(out, ctx, *base);
        }
        SourceKind::ArrayConcat { base, items, num_items, .. } => {
            out.push_str("array_concat(");
            push_values(out, ctx, ", ", [base, items, num_items]);
        }
        SourceKind::ExtractValue { base, indexes, .. } => {
            out.push_str("extract_value(");
            push_value(out, ctx, *base);
            push_indexes(out, ctx, indexes);
        }
        SourceKind::ReplaceValue { base, indexes, value, .. } => {
            out.push_str("replace_value(");
            push_value(out, ctx, *base);
            push_indexes(out, ctx, indexes);
            out.push_str(", ");
            push_value(out, ctx, **value);
        }
        SourceKind::BoxRead { key, .. } => {
            out.push_str("box_read(");
            push_value(out, ctx, *key);
        }
        SourceKind::BytesEncode { encoding, values, .. } => {
            push(out, format_args!("bytes_encode<{}>(", pool.encoding(*encoding).name));
            push_values(out, ctx, ", ", values);
        }
        SourceKind::DecodeBytes { value, ty, .. } => {
            push(out, format_args!("decode_bytes<{}>(", ty.name(pool)));
            push_value(out, ctx, *value);
        }
        SourceKind::NewSlot(_) => out.push_str("new("),
        SourceKind::ReadSlot(slot) => {
            out.push_str("load(");
            push_value(out, ctx, *slot);
        }
    }
    out.push(')');
}

fn push_intrinsic(out: &mut String, ctx: Ctx<'_, '_>, intrinsic: &Intrinsic) {
    let code = intrinsic.op.code();
    let mut args = String::new();
    push_values(&mut args, ctx, " ", &intrinsic.args);
    // PARITY: an operand without text (no bytes, in base64) is no reason for parentheses, pinned by
    // py_52_compile_references.
    if !args.is_empty() {
        out.push('(');
    }
    if intrinsic.immediates.is_empty() {
        out.push_str(code);
    } else {
        push(out, format_args!("({code}"));
        for immediate in &intrinsic.immediates {
            push(out, format_args!(" {immediate}"));
        }
        out.push(')');
    }
    if !args.is_empty() {
        push(out, format_args!(" {args})"));
    }
    push_message(out, " // on error: ", intrinsic.error_message.map(|message| ctx.text(message)));
}

fn push_invoke(out: &mut String, ctx: Ctx<'_, '_>, invoke: &Invoke) {
    push(out, format_args!("{}(", ctx.text(ctx.pool.header(invoke.target).id)));
    push_values(out, ctx, ", ", &invoke.args);
    out.push(')');
}

fn push_terminator(out: &mut String, ctx: Ctx<'_, '_>, sub: &Subroutine, id: BlockId) {
    match &sub.blocks[id].terminator().kind {
        TerminatorKind::Goto(target) => push(out, format_args!("goto {}", block(sub, *target))),
        TerminatorKind::Branch { condition, non_zero, zero } => {
            out.push_str("goto ");
            push_value(out, ctx, *condition);
            push(out, format_args!(" ? {} : {}", block(sub, *non_zero), block(sub, *zero)));
        }
        TerminatorKind::GotoNth { value, blocks, default } => {
            out.push_str("goto_nth [");
            push_list(out, ", ", blocks, |out, target| out.push_str(&block(sub, *target)));
            out.push_str("][");
            push_value(out, ctx, *value);
            push(out, format_args!("] else goto {}", block(sub, *default)));
        }
        TerminatorKind::Switch { value: switched, cases, default } => {
            // Keys that look alike fall together: the last wins, at the place of the first.
            let mut shown: OrderedMap<String, String> = OrderedMap::default();
            for (key, target) in cases {
                shown.insert(value(ctx, *key), block(sub, *target));
            }
            shown.insert("*".to_owned(), block(sub, *default));
            out.push_str("switch ");
            push_value(out, ctx, *switched);
            out.push_str(" {");
            push_list(out, ", ", &shown, |out, (key, target)| {
                push(out, format_args!("{key} => {target}"));
            });
            out.push('}');
        }
        TerminatorKind::Return(values) => {
            out.push_str("return ");
            push_values(out, ctx, " ", values);
        }
        TerminatorKind::Exit(value) => {
            out.push_str("exit ");
            push_value(out, ctx, *value);
        }
        TerminatorKind::Fail { message, .. } => {
            out.push_str("fail");
            push_message(out, " // ", message.map(|message| ctx.text(message)));
        }
    }
}

fn push_value(out: &mut String, ctx: Ctx<'_, '_>, value: Value) {
    match value {
        Value::Register(shown) => {
            push(out, format_args!("{}#{}", ctx.text(shown.name), shown.version));
        }
        Value::Constant(constant, _) => push_constant(out, ctx, constant),
        Value::Undefined(..) => out.push_str("undefined"),
        Value::TemplateVar { name, ty, .. } => {
            push(out, format_args!("TemplateVar[{}]({})", ty.name(ctx.pool), ctx.text(name)));
        }
        Value::Compiled(id, _) => {
            let reference = ctx.pool.compiled_ref(id);
            let artifact = repr(ctx.text(reference.artifact));
            match reference.field {
                CompiledField::Contract { field, program_page } => {
                    let page = program_page.map_or("None".to_owned(), |page| page.to_string());
                    let field = field.name();
                    push(
                        out,
                        format_args!(
                            "compiled_contract({artifact}, field={field}, program_page={page}"
                        ),
                    );
                }
                CompiledField::LogicSigAddress => {
                    push(out, format_args!("compiled_logicsig({artifact}"));
                }
            }
            for (name, value) in reference.template_variables {
                push(out, format_args!(", {}=", ctx.text(*name)));
                push_value(out, ctx, *value);
            }
            out.push(')');
        }
    }
}

fn push_constant(out: &mut String, ctx: Ctx<'_, '_>, constant: Constant) {
    match constant {
        Constant::UInt64 { value, alias, .. } => match alias {
            Some(alias) if !ctx.text(alias).is_empty() => out.push_str(ctx.text(alias)),
            _ => push(out, format_args!("{value}u")),
        },
        Constant::BigUInt(data) => {
            let number = num_bigint::BigUint::from_bytes_be(ctx.pool.bytes(data));
            push(out, format_args!("{number}b"));
        }
        Constant::Bytes { data, encoding, .. } => {
            out.push_str(&encoding.text(ctx.pool.bytes(data)));
        }
        Constant::Address { text, .. } => push(out, format_args!("addr {}", ctx.text(text))),
        Constant::Method(signature) => {
            push(out, format_args!("method \"{}\"", ctx.text(signature)));
        }
        Constant::Itxn { value, ty } => {
            push(out, format_args!("{}({value})", ty.name(ctx.pool)));
        }
        Constant::Slot { value, .. } => push(out, format_args!("local.{value}")),
    }
}
