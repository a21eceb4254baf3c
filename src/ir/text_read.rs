//! Reads IR dumps back, so that a pass can be tested on text: the exact inverse of [`super::text`].
//!
//! What a dump does not show is inferred: types of constants and of results from what they are
//! assigned to, types of aggregates from the registers that hold them. Locations of blocks are their
//! lines, other locations are none, predecessors stand in the order of the blocks they come from. What
//! a pass needs to know of a subroutine may stand behind its header: `// inline pure routing`.

mod encoded;
mod types;
mod values;

use crate::avm::ops::{AvmOp, Immediate};
use crate::base::arena::Symbol;
use crate::base::entity::EntityId;
use crate::base::few::Few;
use crate::base::ordered::LookupMap;
use crate::base::source::{Loc, SourceLocation};

use super::Ctx;
use super::model::{
    BasicBlock, BlockId, Phi, PhiArg, PhiId, Program, ProgramKind, SlotStrategy, Subroutine,
};
use super::op::{
    Index, Intrinsic, Invoke, OpKind, Register, RegisterId, RegisterRole, Source, SourceKind,
    Terminator, TerminatorKind, Value,
};
use super::pool::SubId;
use super::types::{EncodingId, IrType};
use values::Cursor;

/// What is wrong with a text, and in which line (from 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// The line.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

type Read<T> = Result<T, String>;

/// Reads the dump of a program.
pub fn program(ctx: Ctx<'_, '_>, text: &str, kind: ProgramKind) -> Result<Program, ReadError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut program_facts = (SlotStrategy::None, Default::default());
    let mut start = 0;
    if let Some(rest) = lines[0].strip_prefix("slot_allocation(dynamic, reserved=[") {
        let numbers = rest.trim_end_matches("])").split(", ").filter(|number| !number.is_empty());
        let reserved = numbers.filter_map(|number| number.parse().ok()).collect();
        program_facts = (SlotStrategy::Dynamic, reserved);
        start = 1;
    }
    let is_header = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let mut sections: Vec<(usize, usize)> = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(start) {
        if is_header(line) && (line.starts_with("main ") || line.starts_with("subroutine ")) {
            sections.push((index, index + 1));
        } else if let Some(section) = sections.last_mut() {
            section.1 = index + 1;
        }
    }
    let mut calls = Calls { subs: LookupMap::new() };
    let mut signatures = Vec::new();
    for (index, _) in &sections {
        let signature = signature(ctx, lines[*index], &mut calls)
            .map_err(|message| ReadError { line: index + 1, message })?;
        signatures.push(signature);
    }
    let mut subs = Vec::new();
    for ((start, end), sub) in sections.iter().zip(signatures) {
        subs.push(body(ctx, sub, &lines, *start + 1, *end, &mut calls)?);
    }
    if subs.is_empty() {
        return Err(ReadError { line: 1, message: "there is no main".to_owned() });
    }
    let main = subs.remove(0);
    Ok(Program {
        kind,
        loc: main.loc,
        main,
        subroutines: subs,
        avm_version: ctx.options.target_avm_version,
        reserved_slots: program_facts.1,
        slot_strategy: program_facts.0,
        autosalt: None,
    })
}

/// Subroutines by name; one that is called but not part of the text is made up.
struct Calls {
    subs: LookupMap<String, SubId>,
}

fn signature(ctx: Ctx<'_, '_>, line: &str, calls: &mut Calls) -> Read<Subroutine> {
    let short = |id: &str| {
        let name = id.rsplit(['.', ':']).next().unwrap_or(id);
        ctx.sym(name.strip_suffix("[routing]").unwrap_or(name))
    };
    let (line, attributes) = match line.split_once(": // ") {
        Some((line, attributes)) => (line, attributes),
        None => (line.strip_suffix(':').ok_or("a header ends with a colon")?, ""),
    };
    let has = |attribute| attributes.split(' ').any(|word| word == attribute);
    if let Some(id) = line.strip_prefix("main ") {
        let sub = ctx.pool.new_sub(ctx.sym(id), short(id), &[], false);
        return Ok(Subroutine::new(sub, Loc::NONE, Vec::new(), Few::None));
    }
    let line = line.strip_prefix("subroutine ").ok_or("a header names main or a subroutine")?;
    let (left, returns) = line.rsplit_once(") -> ").ok_or("a subroutine has results")?;
    let (id, parameters) = left.split_once('(').ok_or("a subroutine has parameters")?;
    let mut registers = Vec::new();
    for parameter in parameters.split(", ").filter(|parameter| !parameter.is_empty()) {
        let (name, ty) = parameter.split_once(": ").ok_or("a parameter has a type")?;
        let ty = types::ir_type(ctx, ty)?;
        let id = RegisterId::new(registers.len());
        let register = Register::local(id, ctx.sym(name), 0, ty, Loc::NONE);
        registers.push(Register { role: RegisterRole::Parameter, ..register });
    }
    let list = match returns.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        Some(list) => list.split(", ").collect(),
        None if returns == "void" => Vec::new(),
        None => vec![returns],
    };
    let returns: Few<IrType> =
        list.into_iter().map(|ty| types::ir_type(ctx, ty)).collect::<Read<_>>()?;
    let sub = ctx.pool.new_sub(ctx.sym(id), short(id), &returns, has("pure"));
    calls.subs.insert(id.to_owned(), sub);
    let mut sub = Subroutine::new(sub, Loc::NONE, registers, returns);
    sub.is_routing_wrapper = has("routing");
    sub.inline = match (has("inline"), has("noinline")) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    Ok(sub)
}

fn body(
    ctx: Ctx<'_, '_>,
    sub: Subroutine,
    lines: &[&str],
    start: usize,
    end: usize,
    calls: &mut Calls,
) -> Result<Subroutine, ReadError> {
    let mut reader =
        BodyReader { ctx, sub, calls, blocks: LookupMap::new(), registers: LookupMap::new() };
    for parameter in reader.sub.parameters.clone() {
        reader.registers.insert((parameter.name, 0), parameter);
    }
    let error = |index: usize| move |message| ReadError { line: index + 1, message };
    // Blocks and definitions first: code may refer to what stands further down.
    for (index, line) in lines.iter().enumerate().take(end).skip(start) {
        if let Some(op) = line.strip_prefix("        ") {
            if op.starts_with("let ") {
                let (targets, _) = reader.targets(op).map_err(error(index))?;
                for target in targets {
                    let sub = &mut reader.sub;
                    reader.registers.get_or_insert_with((target.name, target.version), || {
                        Register { id: sub.new_register_id(), ..target }
                    });
                }
            }
        } else if line.starts_with("    block@") {
            reader.open_block(line).map_err(error(index))?;
        }
    }
    let mut current: Option<BlockId> = None;
    let mut index = start;
    while index < end {
        let line = lines[index];
        if let Some(op) = line.strip_prefix("        ") {
            let block = current.ok_or_else(|| error(index)("no block yet".to_owned()))?;
            // A message may run over several lines; only what starts with an indent is a new one.
            let mut op = op.to_owned();
            let first = index;
            while index + 1 < end && !lines[index + 1].starts_with("    ") && index + 1 < end - 1 {
                index += 1;
                op.push('\n');
                op.push_str(lines[index]);
            }
            reader.line(block, &op).map_err(error(first))?;
        } else if line.starts_with("    block@") {
            current = Some(reader.block_of(line).map_err(error(index))?);
        } else if !line.is_empty() {
            return Err(error(index)("neither block nor operation".to_owned()));
        }
        index += 1;
    }
    let mut sub = reader.sub;
    sub.loc = sub.body.first().map_or(Loc::NONE, |block| sub.blocks[*block].loc);
    for block in sub.body.clone() {
        if sub.blocks[block].terminator.is_none() {
            return Err(error(end - 1)("a block has no terminator".to_owned()));
        }
        for successor in sub.blocks[block].successors() {
            sub.blocks[successor].add_predecessor(block);
        }
    }
    Ok(sub)
}

/// Reads the lines of one body.
struct BodyReader<'r, 'a, 's> {
    ctx: Ctx<'a, 's>,
    sub: Subroutine,
    calls: &'r mut Calls,
    blocks: LookupMap<u32, BlockId>,
    registers: LookupMap<(Symbol, u32), Register>,
}

impl BodyReader<'_, '_, '_> {
    fn open_block(&mut self, line: &str) -> Read<()> {
        let (name, comment) = line.trim_start().split_once(": // ").ok_or("a block has a line")?;
        let number = name.strip_prefix("block@").and_then(|number| number.parse().ok());
        let number: u32 = number.ok_or("a block has a number")?;
        let (comment, line) = match comment.rsplit_once("_L") {
            Some((comment, line)) => (Some(self.ctx.sym(comment)), line),
            None => (None, comment.strip_prefix('L').ok_or("a block has a line")?),
        };
        let line = line.parse().map_err(|_| "a block has a line")?;
        let loc = self.ctx.session.locs.intern(SourceLocation {
            file: None,
            line,
            end_line: line,
            comment_lines: 0,
            column: None,
            end_column: None,
        });
        let mut block = BasicBlock::new(loc, None, comment);
        block.number = Some(number);
        let id = self.sub.blocks.push(block);
        self.sub.body.push(id);
        self.blocks.insert(number, id);
        Ok(())
    }
    fn block_of(&self, line: &str) -> Read<BlockId> {
        let name = line.trim_start();
        self.block(name.split_once(':').map_or(name, |(name, _)| name))
    }
    fn block(&self, name: &str) -> Read<BlockId> {
        let number = name.strip_prefix("block@").and_then(|number| number.parse::<u32>().ok());
        let block = number.and_then(|number| self.blocks.get(&number).copied());
        block.ok_or_else(|| format!("no such block: {name}"))
    }
    /// The targets of `let … = ` and what follows.
    fn targets<'t>(&self, op: &'t str) -> Read<(Vec<Register>, &'t str)> {
        let rest = op.strip_prefix("let ").ok_or("an assignment starts with let")?;
        let (left, source) = rest.split_once(" = ").ok_or("an assignment has a source")?;
        let left = match left.strip_prefix('(').and_then(|left| left.strip_suffix(')')) {
            Some(several) => several,
            None => left,
        };
        let mut targets = Vec::new();
        for target in left.split(", ") {
            let (name, ty) = target.split_once(": ").ok_or("a target has a type")?;
            let (name, version) = name.rsplit_once('#').ok_or("a target has a version")?;
            let version = version.parse().map_err(|_| "a version is a number")?;
            let ty = types::ir_type(self.ctx, ty)?;
            let name = self.ctx.sym(name);
            // those that are not known yet get their own id when all are collected
            let known = self.registers.get(&(name, version));
            let id = known.map_or(RegisterId::new(0), |known| known.id);
            let mut register = Register::local(id, name, version, ty, Loc::NONE);
            if self
                .sub
                .parameters
                .iter()
                .any(|p| (p.name, p.version, p.ty) == (register.name, version, ty))
            {
                register.role = RegisterRole::Parameter;
            }
            targets.push(register);
        }
        Ok((targets, source))
    }
    fn line(&mut self, block: BlockId, line: &str) -> Read<()> {
        if line.starts_with("let ") {
            let (targets, source) = self.targets(line)?;
            if source.starts_with("φ(") {
                return self.phi(block, targets[0], source);
            }
            let kind = self.source(&targets, source)?;
            let source = Source { kind, loc: Loc::NONE };
            let op = self.sub.make_assign(targets.into(), source, Loc::NONE);
            self.sub.blocks[block].ops.push(op);
            return Ok(());
        }
        if let Some(kind) = self.terminator(line)? {
            self.sub.blocks[block].terminator = Some(Terminator { kind, loc: Loc::NONE });
            return Ok(());
        }
        let kind = self.statement(line)?;
        let op = self.sub.make_op(kind, Loc::NONE);
        self.sub.blocks[block].ops.push(op);
        Ok(())
    }
    fn phi(&mut self, block: BlockId, register: Register, source: &str) -> Read<()> {
        let inner = source.strip_prefix("φ(").and_then(|rest| rest.strip_suffix(')'));
        let mut args = Vec::new();
        for arg in inner.ok_or("a phi has arguments")?.split(", ") {
            let (value, through) = arg.split_once(" <- ").ok_or("an argument has a block")?;
            let through = self.block(through)?;
            args.push(PhiArg { value: self.register(value)?, through });
        }
        // What looks like a copy of nothing above a phi was a phi without arguments.
        for op in std::mem::take(&mut self.sub.blocks[block].ops) {
            let Some((register, _)) = self.sub.single_assignment(op) else {
                return Err("a phi stands before all operations".to_owned());
            };
            self.push_phi(block, Phi { register, args: Vec::new() });
        }
        self.push_phi(block, Phi { register, args });
        Ok(())
    }
    fn push_phi(&mut self, block: BlockId, phi: Phi) -> PhiId {
        let id = self.sub.phis.push(phi);
        self.sub.blocks[block].phis.push(id);
        id
    }
    fn register(&self, text: &str) -> Read<Register> {
        let (name, version) =
            text.rsplit_once('#').ok_or_else(|| format!("no register: {text}"))?;
        let version: u32 = version.parse().map_err(|_| format!("no version: {text}"))?;
        let register = self.registers.get(&(self.ctx.sym(name), version)).copied();
        register.ok_or_else(|| format!("never defined: {text}"))
    }
    fn terminator(&self, line: &str) -> Read<Option<TerminatorKind>> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut cursor = Cursor::new(rest);
        Ok(Some(match word {
            "goto" if rest.starts_with("block@") => TerminatorKind::Goto(self.block(rest)?),
            "goto" => {
                let condition = self.value(&mut cursor, IrType::Bool)?;
                cursor.expect(" ? ")?;
                let (non_zero, zero) = cursor.rest().split_once(" : ").ok_or("two targets")?;
                let (non_zero, zero) = (self.block(non_zero)?, self.block(zero)?);
                TerminatorKind::Branch { condition, non_zero, zero }
            }
            "goto_nth" => {
                cursor.expect("[")?;
                let list = cursor.until("][")?;
                let blocks = list.split(", ").filter(|name| !name.is_empty());
                let blocks = blocks.map(|name| self.block(name)).collect::<Read<_>>()?;
                let value = self.value(&mut cursor, IrType::UInt64)?;
                cursor.expect("] else goto ")?;
                TerminatorKind::GotoNth { value, blocks, default: self.block(cursor.rest())? }
            }
            "switch" => {
                let value = self.value(&mut cursor, IrType::UInt64)?;
                cursor.expect(" {")?;
                let mut cases = Vec::new();
                while !cursor.rest().starts_with("* => ") {
                    let key = self.value(&mut cursor, value.ty(self.ctx.pool))?;
                    cursor.expect(" => ")?;
                    cases.push((key, self.block(cursor.until(", ")?)?));
                }
                cursor.expect("* => ")?;
                let default = self.block(cursor.until("}")?)?;
                TerminatorKind::Switch { value, cases, default }
            }
            "return" => {
                let mut values = Vec::new();
                let returns = self.sub.header(self.ctx.pool).returns;
                while !cursor.rest().is_empty() {
                    if !values.is_empty() {
                        cursor.expect(" ")?;
                    }
                    let ty = returns.get(values.len()).copied().unwrap_or(IrType::Bytes);
                    values.push(self.value(&mut cursor, ty)?);
                }
                TerminatorKind::Return(values)
            }
            "exit" => TerminatorKind::Exit(self.value(&mut cursor, IrType::UInt64)?),
            "fail" => {
                let message = rest.strip_prefix("// ").map(|message| self.ctx.sym(message));
                TerminatorKind::Fail { message, explicit: true }
            }
            _ => return Ok(None),
        }))
    }
    fn statement(&mut self, line: &str) -> Read<OpKind> {
        let mut cursor = Cursor::new(line);
        if cursor.accept("(assert ") {
            let condition = self.value(&mut cursor, IrType::Bool)?;
            cursor.expect(")")?;
            let message = cursor.accept(" // ").then(|| self.ctx.sym(cursor.rest()));
            return Ok(OpKind::Assert { condition, message, explicit: true });
        }
        if cursor.accept("store(") {
            // The content tells the type of a slot that became a local.
            let slot = cursor.clone();
            let mut skipped = cursor.clone();
            let _ = self.value(&mut skipped, IrType::UInt64)?;
            skipped.expect(", ")?;
            let value = self.value(&mut skipped, IrType::Bytes)?;
            let ty = self.slot_of(value.ty(self.ctx.pool));
            return Ok(OpKind::WriteSlot { slot: self.value(&mut slot.clone(), ty)?, value });
        }
        if cursor.accept("box_write(") {
            let key = self.value(&mut cursor, IrType::BoxKey)?;
            cursor.expect(", ")?;
            let value = self.value(&mut cursor, IrType::Bytes)?;
            let encoded = self.encoding_of(value.ty(self.ctx.pool));
            let delete_first = encoded.is_none_or(|e| self.ctx.pool.encoding(e).is_dynamic());
            return Ok(OpKind::BoxWrite { key, value, delete_first });
        }
        if let Some(intrinsic) = self.intrinsic(line, &[])? {
            return Ok(OpKind::Intrinsic(intrinsic));
        }
        Ok(OpKind::Invoke(self.invoke(line)?))
    }
    fn slot_of(&self, ty: IrType) -> IrType {
        IrType::Slot(self.encoding_of(ty).unwrap_or_else(|| self.byte_array()))
    }
    fn byte_array(&self) -> EncodingId {
        let byte = self.ctx.pool.uint_encoding(8);
        self.ctx.pool.dynamic_array_encoding(byte, true)
    }
    fn encoding_of(&self, ty: IrType) -> Option<EncodingId> {
        match ty {
            IrType::Encoded(encoding) | IrType::Slot(encoding) => Some(encoding),
            _ => None,
        }
    }
    fn source(&mut self, targets: &[Register], text: &str) -> Read<SourceKind> {
        let ctx = self.ctx;
        let ty = targets[0].ty;
        if let Some(intrinsic) = self.intrinsic(text, targets)? {
            return Ok(SourceKind::Intrinsic(intrinsic));
        }
        let mut cursor = Cursor::new(text);
        if cursor.accept("(") {
            let mut values = Vec::new();
            for (index, target) in targets.iter().enumerate() {
                if index > 0 {
                    cursor.expect(", ")?;
                }
                values.push(self.value(&mut cursor, target.ty)?);
            }
            return Ok(Source::tuple(ctx.pool, values, Loc::NONE).kind);
        }
        if cursor.accept("itxn[") {
            return self.inner_transaction_field(cursor, ty);
        }
        if cursor.accept("new()") {
            return Ok(SourceKind::NewSlot(ty));
        }
        if cursor.accept("load(") {
            return Ok(SourceKind::ReadSlot(self.value(&mut cursor, self.slot_of(ty))?));
        }
        if cursor.accept("bytes_encode<") {
            let encoding = types::encoding(ctx, cursor.until(">(")?)?;
            let mut values = self.arguments(&mut cursor)?;
            let values_ty = encoded::shape(ctx, encoding, &mut values);
            return Ok(SourceKind::BytesEncode {
                encoding,
                values,
                values_ty,
                error_message_override: None,
            });
        }
        if cursor.accept("decode_bytes<") {
            let ty = types::shape(ctx, cursor.until(">(")?)?;
            let value = self.value(&mut cursor, IrType::Bytes)?;
            let encoding = self.encoding_of(value.ty(ctx.pool));
            let encoding = encoding.unwrap_or_else(|| encoded::usual_encoding(ctx, ty));
            return Ok(SourceKind::DecodeBytes {
                encoding,
                value,
                ty,
                error_message_override: None,
            });
        }
        if cursor.accept("box_read(") {
            let key = self.value(&mut cursor, IrType::BoxKey)?;
            return Ok(SourceKind::BoxRead { key, value_ty: ty, exists_assertion_message: None });
        }
        let Some(name) =
            ["array_len(", "array_pop(", "array_concat(", "extract_value(", "replace_value("]
                .into_iter()
                .find(|name| text.starts_with(name))
        else {
            if is_invoke(text) {
                return Ok(SourceKind::Invoke(self.invoke(text)?));
            }
            let value = self.value(&mut cursor, ty)?;
            cursor.end()?;
            return Ok(SourceKind::Value(value));
        };
        cursor.expect(name)?;
        let base = self.value(&mut cursor, IrType::Bytes)?;
        let base_ty = base.ty(ctx.pool);
        let array_encoding = self.encoding_of(base_ty).unwrap_or_else(|| self.byte_array());
        // A base typed as plain bytes hides its encoding; the result of these has the same.
        let aggregate = match base_ty {
            IrType::Encoded(_) => base_ty,
            _ if name != "extract_value(" => ty,
            _ => IrType::Encoded(array_encoding),
        };
        Ok(match name {
            "array_len(" => SourceKind::ArrayLength { base, base_ty, array_encoding },
            "array_pop(" => SourceKind::ArrayPop { base, base_ty: aggregate },
            "array_concat(" => {
                cursor.expect(", ")?;
                let items = self.value(&mut cursor, IrType::Bytes)?;
                cursor.expect(", ")?;
                let num_items = self.value(&mut cursor, IrType::UInt64)?;
                let element = self.element_of(aggregate);
                let item_encoding = match self.encoding_of(items.ty(ctx.pool)) {
                    Some(items) => self.element_of(IrType::Encoded(items)),
                    None => element,
                };
                SourceKind::ArrayConcat {
                    base,
                    base_ty: aggregate,
                    items: items.into(),
                    item_encoding,
                    num_items,
                }
            }
            _ => {
                let mut steps = Vec::new();
                while cursor.accept(", ") {
                    steps.push(self.index(&mut cursor)?);
                }
                if name == "extract_value(" {
                    let check_bounds = true;
                    SourceKind::ExtractValue {
                        base,
                        base_ty: aggregate,
                        indexes: steps,
                        check_bounds,
                        ty,
                    }
                } else {
                    let value = match steps.pop() {
                        Some(Index::Value(value)) => value,
                        _ => return Err("a replaced element has a value".to_owned()),
                    };
                    SourceKind::ReplaceValue {
                        base,
                        base_ty: aggregate,
                        indexes: steps,
                        value: value.into(),
                    }
                }
            }
        })
    }
    fn element_of(&self, ty: IrType) -> EncodingId {
        let array = self.encoding_of(ty).and_then(|e| self.ctx.pool.encoding(e).array());
        array.map_or_else(|| self.ctx.pool.uint_encoding(8), |(element, ..)| element)
    }
    fn index(&self, cursor: &mut Cursor<'_>) -> Read<Index> {
        let token = cursor.clone().token();
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            let index = cursor.token().parse().map_err(|_| "an index fits 64 bits")?;
            return Ok(Index::Fixed(index));
        }
        Ok(Index::Value(self.value(cursor, IrType::UInt64)?))
    }
    fn inner_transaction_field(&self, mut cursor: Cursor<'_>, ty: IrType) -> Read<SourceKind> {
        let group_index = self.value(&mut cursor, IrType::ItxnGroupIdx)?;
        cursor.expect("].")?;
        let name = cursor.rest().split('[').next().unwrap_or_default();
        let field = crate::avm::fields::TxnField::from_name(name).ok_or("no such field")?;
        cursor.expect(name)?;
        let array_index = if cursor.accept("[") {
            Some(self.value(&mut cursor, IrType::UInt64)?.into())
        } else {
            None
        };
        let is_last_in_group = Value::bool(true, Loc::NONE);
        Ok(SourceKind::InnerTransactionField {
            field,
            group_index,
            is_last_in_group,
            array_index,
            ty,
        })
    }
    /// Arguments up to the closing parenthesis.
    fn arguments(&self, cursor: &mut Cursor<'_>) -> Read<Vec<Value>> {
        let mut values = Vec::new();
        if cursor.accept(")") {
            return Ok(values);
        }
        loop {
            values.push(self.value(cursor, IrType::UInt64)?);
            if cursor.accept(")") {
                return Ok(values);
            }
            cursor.expect(", ")?;
        }
    }
    fn invoke(&mut self, text: &str) -> Read<Invoke> {
        let mut cursor = Cursor::new(text);
        let id = cursor.until("(")?;
        let args = self.arguments(&mut cursor)?;
        cursor.end()?;
        let target = match self.calls.subs.get(id) {
            Some(sub) => *sub,
            None => {
                let short = id.rsplit('.').next().unwrap_or(id);
                let ctx = self.ctx;
                let sub = ctx.pool.new_sub(ctx.sym(id), ctx.sym(short), &[], false);
                self.calls.subs.insert(id.to_owned(), sub);
                sub
            }
        };
        Ok(Invoke { target, args })
    }
    /// An instruction, if the text is one.
    fn intrinsic(&self, text: &str, targets: &[Register]) -> Read<Option<Intrinsic>> {
        let (call, message) = match text.split_once(" // on error: ") {
            Some((call, message)) => (call, Some(self.ctx.sym(message))),
            None => (text, None),
        };
        let opens = call.len() - call.trim_start_matches('(').len();
        let word_end = |c: char| c == ' ' || c == ')';
        let code = &call[opens.min(2)..];
        let code = &code[..code.find(word_end).unwrap_or(code.len())];
        let Some(op) = AvmOp::from_code(code).filter(|_| opens <= 2) else { return Ok(None) };
        let mut cursor = Cursor::new(call);
        let mut immediates = Vec::new();
        let mut args = Vec::new();
        let takes_immediates = !op.immediate_kinds().is_empty();
        let arguments_follow = match (opens, takes_immediates) {
            (0, false) => false,
            (1, true) => false,
            (2, true) | (1, false) => {
                cursor.expect("(")?;
                true
            }
            _ => return Err(format!("{code} does not look like this")),
        };
        if takes_immediates {
            cursor.expect("(")?;
            cursor.expect(code)?;
            while !cursor.accept(")") {
                cursor.expect(" ")?;
                let word = cursor.token();
                immediates.push(match word.parse::<i64>() {
                    Ok(number) => Immediate::Int(number),
                    Err(_) => Immediate::Name(
                        crate::avm::fields::name(word).ok_or_else(|| format!("no field {word}"))?,
                    ),
                });
            }
        } else {
            cursor.expect(code)?;
        }
        let variant = op.variant(&immediates).map_err(|error| error.to_string())?;
        if arguments_follow {
            for ty in variant.args {
                cursor.expect(" ")?;
                args.push(self.value(&mut cursor, IrType::from(*ty))?);
            }
            cursor.expect(")")?;
        }
        if !arguments_follow && let [ty] = variant.args {
            // Without any text the operand was no bytes, in base64.
            args.push(self.value(&mut Cursor::new(""), IrType::from(*ty))?);
        }
        cursor.end()?;
        let types = match targets {
            [] => variant.returns.iter().map(|ty| IrType::from(*ty)).collect(),
            targets => targets.iter().map(|target| target.ty).collect(),
        };
        Ok(Some(Intrinsic { op, immediates, args, types, error_message: message }))
    }
}

/// Whether a text that starts like a value or a call is a call.
fn is_invoke(text: &str) -> bool {
    let values =
        ["compiled_", "TemplateVar[", "itxn_group_idx(", "itxn_field_set(", "\"", "method \""];
    text.ends_with(')') && !values.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests;
