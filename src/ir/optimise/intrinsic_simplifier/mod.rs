//! Computes instructions whose operands are known, and puts cheaper ones in the place of others.
//! Spec 22 §6.
//!
//! First a worklist over single results of instructions that depend on their operands alone: a result
//! that became a value is put in the place of its register, which may make its readers foldable
//! ([`fold`], [`repeated`]). Then, once for each operation: stack operands become immediates
//! ([`immediates`]), unused reads of boxes become reads of their length, conditions are simplified as
//! truth values, and instructions and assertions without effect are dropped. Assignments that became
//! copies stay for other passes.
//!
//! Whoever is taken off the readers of a register is looked for from the first on. Those that go are the
//! first as a rule; a register with many readers that lose it in another order would cost more.

mod bytes;
mod constants;
mod fold;
mod immediates;
mod repeated;
mod uint64;

use std::cell::OnceCell;
use std::collections::VecDeque;

use crate::avm::ops::{AvmOp, Immediate, Purity};
use crate::base::entity::EntitySet;
use crate::base::few::Few;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;
use crate::ir::model::{BlockId, Node, OpId, RegisterTable, Subroutine};
use crate::ir::op::{
    Constant, Intrinsic, Op, OpKind, Register, RegisterId, Source, SourceKind, TerminatorKind,
    Value,
};
use crate::ir::types::IrType;

use super::readers::Readers;
use super::{PassCtx, set_source};

/// What an instruction can be replaced by.
enum Folded {
    /// Its result.
    Value(Value),
    /// Another instruction.
    Intrinsic(Intrinsic, Loc),
}

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    let mut simplifier = Simplifier::new(sub, ctx.ir);
    let mut changed = false;
    while let Some(op) = simplifier.queue.pop_front() {
        simplifier.queued.remove(op);
        changed |= simplifier.simplify(sub, op)?;
    }
    if simplifier.reads_boxes {
        // what is dropped below still counts as a reader
        simplifier.collected_readers(sub);
    }
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        changed |= simplifier.rewrite_operations(sub, block)?;
        changed |= simplifier.simplify_branch(sub, block);
    }
    if simplifier.spreads_constants {
        sub.touch_with_known_kinds();
    }
    Ok(changed)
}

/// What defines a register.
#[derive(Clone, Copy, PartialEq)]
enum Definition {
    /// An assignment of an instruction or a field of an inner transaction to it alone.
    Alone(OpId),
    /// A read of a box, whose content it holds.
    BoxContent,
    /// Something that no rule asks for.
    Other,
}

/// State of one run.
struct Simplifier<'a, 's> {
    ctx: Ctx<'a, 's>,
    /// What defines the registers of interest.
    definitions: RegisterTable<Definition>,
    /// Filled when first asked. The definitions are complete by then.
    ///
    /// PARITY: the reference keeps unordered sets; body order is assumed to lead to the same end.
    readers: OnceCell<Readers>,
    /// Whether there is a read of a box whose content may turn out to be unused.
    reads_boxes: bool,
    /// Whether a constant became known to a copy or a phi.
    spreads_constants: bool,
    queue: VecDeque<OpId>,
    queued: EntitySet<OpId>,
}

impl<'a, 's> Simplifier<'a, 's> {
    fn new(sub: &Subroutine, ctx: Ctx<'a, 's>) -> Self {
        let count = sub.op_count();
        let mut simplifier = Self {
            ctx,
            definitions: sub.register_table(Definition::Other),
            readers: OnceCell::new(),
            reads_boxes: false,
            spreads_constants: false,
            queue: VecDeque::with_capacity(count),
            queued: EntitySet::new(),
        };
        for block in &sub.body {
            for op in &sub.blocks[*block].ops {
                simplifier.look_at(sub, *op);
            }
        }
        simplifier
    }

    /// Notes what an operation defines, and adds it to the worklist when it is a candidate.
    fn look_at(&mut self, sub: &Subroutine, op: OpId) {
        let OpKind::Assign { targets, source } = &sub.ops[op].kind else { return };
        match (&source.kind, &targets[..]) {
            (SourceKind::Intrinsic(intrinsic), [target]) => {
                self.definitions[*target] = Definition::Alone(op);
                if intrinsic.op.is_compile_time_constant() {
                    self.queued.insert(op);
                    self.queue.push_back(op);
                }
            }
            (SourceKind::InnerTransactionField { .. }, [target]) => {
                self.definitions[*target] = Definition::Alone(op);
            }
            (SourceKind::Intrinsic(intrinsic), [content, _]) if intrinsic.op == AvmOp::BoxGet => {
                self.definitions[*content] = Definition::BoxContent;
                self.reads_boxes = true;
            }
            _ => {}
        }
    }

    /// Adds an assignment to the worklist when it is a candidate.
    fn enqueue(&mut self, sub: &Subroutine, op: OpId) {
        if let Some((_, Source { kind: SourceKind::Intrinsic(intrinsic), .. })) =
            sub.single_assignment(op)
            && intrinsic.op.is_compile_time_constant()
            && self.queued.insert(op)
        {
            self.queue.push_back(op);
        }
    }

    /// What defines a register, where it is of interest.
    fn definition<'f>(&self, sub: &'f Subroutine, value: Value) -> Option<&'f Op> {
        match self.definitions[value.register()?] {
            Definition::Alone(op) => Some(&sub.ops[op]),
            Definition::BoxContent | Definition::Other => None,
        }
    }

    /// The instruction that defines a register on its own.
    fn defining_intrinsic<'f>(&self, sub: &'f Subroutine, value: Value) -> Option<&'f Intrinsic> {
        self.definition(sub, value)?.intrinsic()
    }

    /// The nodes that read a register of interest; none for any other.
    fn readers(&self, sub: &Subroutine, register: Register) -> impl Iterator<Item = Node> + '_ {
        self.collected_readers(sub).get(register.id)
    }

    fn collected_readers(&self, sub: &Subroutine) -> &Readers {
        self.readers.get_or_init(|| {
            Readers::collect(sub, self.ctx.pool, |register| self.is_of_interest(register))
        })
    }

    fn is_of_interest(&self, register: RegisterId) -> bool {
        self.definitions[register] != Definition::Other
    }

    /// Applies one rule to an assignment, if any fits.
    fn simplify(&mut self, sub: &mut Subroutine, op: OpId) -> Outcome<bool> {
        let Some((target, Source { kind: SourceKind::Intrinsic(intrinsic), loc })) =
            sub.single_assignment(op)
        else {
            return Ok(false);
        };
        let loc = *loc;
        let folded = match self.fold(sub, intrinsic, loc)? {
            None => self.fold_repeated(sub, op, intrinsic, loc),
            folded => folded,
        };
        let Some(folded) = folded else { return Ok(false) };
        self.collected_readers(sub);
        match folded {
            Folded::Value(value) => {
                self.update(sub, Node::Op(op), |sub, ctx| {
                    set_source(sub, ctx, op, Source::value(value))
                })?;
                self.propagate(sub, target, value)?;
            }
            Folded::Intrinsic(intrinsic, loc) => {
                let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc };
                self.update(sub, Node::Op(op), |sub, ctx| set_source(sub, ctx, op, source))?;
                self.enqueue(sub, op);
                for node in self.readers(sub, target).collect::<Vec<Node>>() {
                    if let Node::Op(reader) = node {
                        self.enqueue(sub, reader);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Puts a value in the place of a register, except in phis.
    fn propagate(&mut self, sub: &mut Subroutine, register: Register, value: Value) -> Outcome<()> {
        let expand_all_bytes = self.ctx.options.expand_all_bytes;
        for node in self.readers(sub, register).collect::<Vec<Node>>() {
            self.spreads_constants |= match node {
                Node::Phi(_) => true,
                Node::Op(reader) => sub.copies_values(reader),
                Node::Terminator(_) => false,
            };
            if let Node::Op(reader) = node {
                self.enqueue(sub, reader);
                // constants that stay behind these instructions are known to their readers
                if !expand_all_bytes
                    && let Some((target, source)) = sub.single_assignment(reader)
                    && let SourceKind::Intrinsic(intrinsic) = &source.kind
                    && matches!(intrinsic.op, AvmOp::Bzero | AvmOp::Itob)
                {
                    for indirect in self.readers(sub, target).collect::<Vec<Node>>() {
                        if let Node::Op(indirect) = indirect {
                            self.enqueue(sub, indirect);
                        }
                    }
                }
            }
            self.update(sub, node, |sub, ctx| {
                let mut swap =
                    |old: Value| if old == Value::Register(register) { value } else { old };
                match node {
                    Node::Phi(_) => {}
                    Node::Op(op) => {
                        sub.ops[op].map_reads(ctx.pool, &mut swap);
                        if let OpKind::Assign {
                            source: Source { kind: SourceKind::Value(copied), loc },
                            ..
                        } = &mut sub.ops[op].kind
                        {
                            *loc = copied.loc();
                        }
                    }
                    Node::Terminator(block) => sub.map_terminator_reads(ctx, block, &mut swap),
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Changes a node and keeps the readers up to date.
    fn update(
        &mut self,
        sub: &mut Subroutine,
        node: Node,
        change: impl FnOnce(&mut Subroutine, Ctx<'_, '_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let reads = |sub: &Subroutine| {
            let mut reads: Vec<RegisterId> = Vec::new();
            sub.visit_registers_read(self.ctx.pool, node, &mut |Register { id, .. }| {
                if self.is_of_interest(id) && !reads.contains(&id) {
                    reads.push(id);
                }
            });
            reads
        };
        let before = reads(sub);
        change(sub, self.ctx)?;
        let after = reads(sub);
        let Some(readers) = self.readers.get_mut() else { return Ok(()) };
        for register in before.iter().filter(|register| !after.contains(register)) {
            readers.remove(*register, node);
        }
        for register in after.iter().filter(|register| !before.contains(register)) {
            readers.add(*register, node);
        }
        Ok(())
    }

    /// Turns operands into immediates, and reads of unused box contents into reads of the length. Drops
    /// statements without effect, and simplifies the others.
    fn rewrite_operations(&self, sub: &mut Subroutine, block: BlockId) -> Outcome<bool> {
        let mut changed = false;
        let mut dropped: Vec<OpId> = Vec::new();
        for place in 0..sub.blocks[block].ops.len() {
            let op = sub.blocks[block].ops[place];
            match self.statement(sub, op) {
                Statement::Keep => {}
                Statement::Assignment => changed |= self.rewrite_operation(sub, op)?,
                Statement::Drop => dropped.push(op),
                Statement::Replace(kind) => {
                    sub.ops[op].kind = kind;
                    changed = true;
                }
            }
        }
        if dropped.is_empty() {
            return Ok(changed);
        }
        // they come in the order of the block
        let mut rest = dropped.iter().peekable();
        sub.blocks[block].ops.retain(|op| rest.next_if_eq(&op).is_none());
        Ok(true)
    }

    fn rewrite_operation(&self, sub: &mut Subroutine, op: OpId) -> Outcome<bool> {
        let OpKind::Assign { targets, source } = &sub.ops[op].kind else { return Ok(false) };
        let SourceKind::Intrinsic(intrinsic) = &source.kind else { return Ok(false) };
        let loc = source.loc;
        if let Some(intrinsic) = immediates::with_immediates(self.ctx.pool, intrinsic) {
            let source = Source { kind: SourceKind::Intrinsic(intrinsic), loc };
            set_source(sub, self.ctx, op, source)?;
            return Ok(true);
        }
        let (AvmOp::BoxGet, [content, _]) = (intrinsic.op, &targets[..]) else {
            return Ok(false);
        };
        let content = *content;
        if self.readers(sub, content).next().is_some() {
            return Ok(false);
        }
        if let OpKind::Assign { targets, source: Source { kind, .. } } = &mut sub.ops[op].kind
            && let SourceKind::Intrinsic(intrinsic) = kind
        {
            targets[0].ty = IrType::UInt64;
            intrinsic.op = AvmOp::BoxLen;
            intrinsic.types = Few::Two([IrType::UInt64, IrType::Bool]);
        }
        Ok(true)
    }

    /// Simplifies the condition of a branch as a truth value.
    fn simplify_branch(&self, sub: &mut Subroutine, block: BlockId) -> bool {
        let TerminatorKind::Branch { condition, .. } = sub.blocks[block].terminator().kind else {
            return false;
        };
        let Some(value) = self.as_truth_value(sub, condition) else { return false };
        if let TerminatorKind::Branch { condition, .. } =
            &mut sub.blocks[block].terminator_mut().kind
        {
            *condition = value;
        }
        true
    }

    fn statement(&self, sub: &Subroutine, op: OpId) -> Statement {
        match &sub.ops[op].kind {
            OpKind::Intrinsic(intrinsic) if intrinsic.op == AvmOp::ItxnField => {
                if sets_empty_page(intrinsic, self.ctx) { Statement::Drop } else { Statement::Keep }
            }
            OpKind::Intrinsic(intrinsic) if intrinsic.op.purity() != Purity::None => {
                Statement::Drop
            }
            OpKind::Intrinsic(intrinsic) => {
                match immediates::with_immediates(self.ctx.pool, intrinsic) {
                    Some(intrinsic) => Statement::Replace(OpKind::Intrinsic(intrinsic)),
                    None => Statement::Keep,
                }
            }
            OpKind::Assert { condition, message, explicit } => match condition.uint64_constant() {
                Some(0) => Statement::Keep,
                Some(_) => Statement::Drop,
                None => match self.as_truth_value(sub, *condition) {
                    Some(condition) => Statement::Replace(OpKind::Assert {
                        condition,
                        message: *message,
                        explicit: *explicit,
                    }),
                    None => Statement::Keep,
                },
            },
            OpKind::Assign { source: Source { kind: SourceKind::Intrinsic(_), .. }, .. } => {
                Statement::Assignment
            }
            _ => Statement::Keep,
        }
    }
}

/// What becomes of a statement.
enum Statement {
    /// It is the assignment of the results of an instruction, which has rules of its own.
    Assignment,
    Keep,
    Drop,
    Replace(OpKind),
}

/// Whether an instruction adds an empty page to a program of an inner transaction.
fn sets_empty_page(intrinsic: &Intrinsic, ctx: Ctx<'_, '_>) -> bool {
    let is_page_field = matches!(
        intrinsic.immediates[..],
        [Immediate::Name("ApprovalProgramPages" | "ClearStateProgramPages")]
    );
    is_page_field
        && match intrinsic.args[..] {
            [Value::Constant(Constant::Bytes { data, .. }, _)] => ctx.pool.bytes(data).is_empty(),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn folded_values_reach_their_readers() {
        check(
            "intrinsic_simplifier",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (+ 1u 2u)
                    let b#0: uint64 = (* a#0 4u)
                    let c#0: bytes = (concat "a" "b")
                    let d#0: uint64 = (len c#0)
                    let e#0: bytes[8] = (itob b#0)
                    let f#0: uint64 = (btoi e#0)
                    let g#0: bytes[32] = (sha256 0x)
                    let h#0: biguint = (b* 5b 7b)
                    let i#0: uint64 = (- 1u 2u)
                    exit f#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = 3u
                    let b#0: uint64 = 12u
                    let c#0: bytes = "ab"
                    let d#0: uint64 = 2u
                    let e#0: bytes[8] = (itob 12u)
                    let f#0: uint64 = 12u
                    let g#0: bytes[32] = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
                    let h#0: biguint = 35b
                    let i#0: uint64 = (- 1u 2u)
                    exit 12u
            "#,
        );
    }

    #[test]
    fn operations_on_operations_and_with_neutral_operands() {
        check(
            "intrinsic_simplifier",
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let n#0: bytes = (txn Note)
                    let a#0: uint64 = (+ x#0 1u)
                    let b#0: uint64 = (+ a#0 2u)
                    let c#0: uint64 = (* x#0 1u)
                    let d#0: bytes = (concat n#0 0x01)
                    let e#0: bytes = (concat d#0 0x02)
                    let f#0: bytes = ((extract 2 0) n#0)
                    let g#0: bytes = ((extract 1 4) f#0)
                    let h#0: uint64 = (btoi g#0)
                    let i#0: bool = (== x#0 0u)
                    let j#0: bytes = (extract3 n#0 1u 2u)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let n#0: bytes = (txn Note)
                    let a#0: uint64 = (+ x#0 1u)
                    let b#0: uint64 = (+ x#0 3u)
                    let c#0: uint64 = x#0
                    let d#0: bytes = (concat n#0 0x01)
                    let e#0: bytes = (concat n#0 0x0102)
                    let f#0: bytes = ((extract 2 0) n#0)
                    let g#0: bytes = ((extract 3 4) n#0)
                    let h#0: uint64 = (extract_uint32 n#0 3u)
                    let i#0: bool = (! x#0)
                    let j#0: bytes = ((extract 1 2) n#0)
                    exit x#0
            "#,
        );
    }

    #[test]
    fn conditions_count_only_as_truth_values() {
        check(
            "intrinsic_simplifier",
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let a#0: bool = (!= x#0 0u)
                    (assert a#0) // a
                    (assert 1u)
                    (assert 0u)
                    let (v#0: bytes, e#0: bool) = (box_get "k")
                    (assert e#0)
                    (sha256 0x)
                    goto a#0 ? block@1 : block@2
                block@1: // L2
                    exit 1u
                block@2: // L3
                    exit 0u
            "#,
            r#"
            main m:
                block@0: // L1
                    let x#0: uint64 = (txn Fee)
                    let a#0: bool = (!= x#0 0u)
                    (assert x#0) // a
                    (assert 0u)
                    let (v#0: uint64, e#0: bool) = (box_len "k")
                    (assert e#0)
                    goto x#0 ? block@1 : block@2
                block@1: // L2
                    exit 1u
                block@2: // L3
                    exit 0u
            "#,
        );
    }
}
