//! Follows the state of boxes, application state and slots through a block: a read of what is known
//! becomes a copy, and a write that is overwritten before anything reads it goes away.
//!
//! Nothing is known across blocks. A write makes everything else of its kind unknown, since two keys may
//! be equal at run time. Left alone while aggregate operations may still read or write boxes.
//!
//! A block is followed again after each change, so many changes to one block that depend on each other
//! would cost the square of their number.

use crate::avm::ops::AvmOp;
use crate::base::entity::EntitySet;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;
use crate::ir::Ctx;
use crate::ir::model::{BlockId, OpId, Subroutine};
use crate::ir::op::{Intrinsic, Op, OpKind, Source, SourceKind, Value};
use crate::ir::pool::BytesId;

use super::constant_bytes::constant_bytes;
use super::{PassCtx, set_source};

/// See the module.
pub(super) fn run(sub: &mut Subroutine, ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    if sub.has_high_level_nodes() {
        return Ok(false);
    }
    let mut changed = false;
    for index in 0..sub.body.len() {
        let block = sub.body[index];
        let touching = sub.blocks[block].ops.iter().filter(|op| touches_state(&sub.ops[**op]));
        // one alone has nothing to agree with
        if touching.take(2).count() < 2 {
            continue;
        }
        while follow(sub, ctx.ir, block)? {
            changed = true;
        }
    }
    Ok(changed)
}

/// Whether an operation reads or writes state that the pass follows.
fn touches_state(op: &Op) -> bool {
    match &op.kind {
        OpKind::WriteSlot { .. }
        | OpKind::Assign { source: Source { kind: SourceKind::ReadSlot(_), .. }, .. } => true,
        _ => op.intrinsic().is_some_and(|intrinsic| {
            matches!(
                intrinsic.op,
                AvmOp::BoxGet
                    | AvmOp::BoxLen
                    | AvmOp::BoxExtract
                    | AvmOp::BoxPut
                    | AvmOp::BoxCreate
                    | AvmOp::AppGlobalGet
                    | AvmOp::AppGlobalGetEx
                    | AvmOp::AppGlobalPut
                    | AvmOp::AppLocalGet
                    | AvmOp::AppLocalGetEx
                    | AvmOp::AppLocalPut
            )
        }),
    }
}

/// A kind of state. Keys of one kind say nothing about another.
#[derive(Clone, Copy)]
enum Kind {
    Box,
    AppGlobal,
    AppLocal,
    Slot,
}

/// What is read of a state entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Aspect {
    /// The whole content.
    Content,
    /// The length.
    Length,
    /// A part of the content.
    Part,
}

/// A part of a key. Constants of different classes with the same bytes are one key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum KeyPart {
    Bytes(BytesId),
    Other(Value),
}

type Key = (Aspect, KeyPart, Option<(KeyPart, Option<KeyPart>)>);

/// What is known of one kind of state.
#[derive(Default)]
struct Knowledge {
    results: LookupMap<Key, Vec<Value>>,
    /// The last write that nothing has read yet.
    last_write: Option<(Key, OpId)>,
}

impl Knowledge {
    fn forget(&mut self) {
        self.results.clear();
        self.last_write = None;
    }
}

/// Whether a read may get fewer results than are known: `app_global_get` after `app_global_get_ex`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Results {
    All,
    First,
}

struct Follower<'a, 's> {
    ctx: Ctx<'a, 's>,
    knowledge: [Knowledge; 4],
    removed: EntitySet<OpId>,
    changed: bool,
}

fn follow(sub: &mut Subroutine, ctx: Ctx<'_, '_>, block: BlockId) -> Outcome<bool> {
    let mut follower =
        Follower { ctx, knowledge: Default::default(), removed: EntitySet::new(), changed: false };
    for place in 0..sub.blocks[block].ops.len() {
        let op = sub.blocks[block].ops[place];
        follower.op(sub, op)?;
    }
    if !follower.removed.is_empty() {
        let removed = follower.removed;
        sub.blocks[block].ops.retain(|op| !removed.contains(*op));
    }
    Ok(follower.changed)
}

impl Follower<'_, '_> {
    fn op(&mut self, sub: &mut Subroutine, op: OpId) -> Outcome<()> {
        let Op { kind, loc } = &sub.ops[op];
        match kind {
            OpKind::Assign { source, .. } => {
                if let Some((kind, key, results)) = self.read_of(source) {
                    return self.read(sub, op, kind, key, results);
                }
                match &source.kind {
                    SourceKind::Intrinsic(intrinsic) => self.effect(op, intrinsic, source.loc),
                    SourceKind::Invoke(invoke) => self.call(invoke.target),
                    _ => {}
                }
            }
            OpKind::WriteSlot { slot, value } => {
                let key = self.key(Aspect::Content, &[*slot]);
                self.write(op, Kind::Slot, key, vec![*value]);
            }
            OpKind::Intrinsic(intrinsic) => self.effect(op, intrinsic, *loc),
            OpKind::Invoke(invoke) => self.call(invoke.target),
            OpKind::Assert { .. } | OpKind::BoxWrite { .. } => {}
        }
        Ok(())
    }

    fn read_of(&self, source: &Source) -> Option<(Kind, Key, Results)> {
        let intrinsic = match &source.kind {
            SourceKind::ReadSlot(slot) => {
                return Some((Kind::Slot, self.key(Aspect::Content, &[*slot]), Results::All));
            }
            SourceKind::Intrinsic(intrinsic) => intrinsic,
            _ => return None,
        };
        let is_current = |app: &Value| app.uint64_constant() == Some(0);
        let (kind, aspect, key, results) = match (intrinsic.op, intrinsic.args.as_slice()) {
            (AvmOp::AppGlobalGetEx, [app, key @ ..]) if is_current(app) => {
                (Kind::AppGlobal, Aspect::Content, key, Results::All)
            }
            (AvmOp::AppGlobalGet, key) => (Kind::AppGlobal, Aspect::Content, key, Results::First),
            (AvmOp::AppLocalGetEx, [account, app, key]) if is_current(app) => {
                let key = self.key(Aspect::Content, &[*account, *key]);
                return Some((Kind::AppLocal, key, Results::All));
            }
            (AvmOp::AppLocalGet, key) => (Kind::AppLocal, Aspect::Content, key, Results::First),
            (AvmOp::BoxGet, key) => (Kind::Box, Aspect::Content, key, Results::All),
            (AvmOp::BoxLen, key) => (Kind::Box, Aspect::Length, key, Results::All),
            (AvmOp::BoxExtract, key) => (Kind::Box, Aspect::Part, key, Results::All),
            _ => return None,
        };
        Some((kind, self.key(aspect, key), results))
    }

    fn read(
        &mut self,
        sub: &mut Subroutine,
        op: OpId,
        kind: Kind,
        key: Key,
        results: Results,
    ) -> Outcome<()> {
        let knowledge = &mut self.knowledge[kind as usize];
        knowledge.last_write = None;
        let targets = sub.ops[op].targets();
        let Some(known) = knowledge.results.get(&key) else {
            let values = targets.iter().map(|target| Value::Register(*target)).collect();
            knowledge.results.insert(key, values);
            return Ok(());
        };
        let count = targets.len();
        if known.len() == count || (results == Results::First && known.len() > count) {
            let source = match known[..] {
                [value] => Source::value(value),
                _ => Source::tuple(self.ctx.pool, known[..count].to_vec(), Loc::NONE),
            };
            self.changed = true;
            set_source(sub, self.ctx, op, source)?;
        }
        Ok(())
    }

    fn write(&mut self, op: OpId, kind: Kind, key: Key, values: Vec<Value>) {
        let knowledge = &mut self.knowledge[kind as usize];
        knowledge.results.clear();
        knowledge.results.insert(key, values);
        if let Some((last_key, last_op)) = knowledge.last_write
            && last_key == key
        {
            self.removed.insert(last_op);
            self.changed = true;
        }
        knowledge.last_write = Some((key, op));
    }

    /// What an instruction that reads nothing of interest does to the state.
    fn effect(&mut self, op: OpId, intrinsic: &Intrinsic, loc: Loc) {
        let exists = || Value::bool(true, Loc::NONE);
        match (intrinsic.op, intrinsic.args.as_slice()) {
            (AvmOp::AppGlobalPut, [key, value]) => {
                let key = self.key(Aspect::Content, &[*key]);
                self.write(op, Kind::AppGlobal, key, vec![*value, exists()]);
            }
            (AvmOp::AppGlobalDel, _) => self.knowledge[Kind::AppGlobal as usize].forget(),
            (AvmOp::AppLocalPut, [account, key, value]) => {
                let key = self.key(Aspect::Content, &[*account, *key]);
                self.write(op, Kind::AppLocal, key, vec![*value, exists()]);
            }
            (AvmOp::AppLocalDel, _) => self.knowledge[Kind::AppLocal as usize].forget(),
            (AvmOp::BoxPut, [name, value]) => {
                let key = self.key(Aspect::Content, &[*name]);
                self.write(op, Kind::Box, key, vec![*value, exists()]);
                let bytes = value.constant().and_then(|value| constant_bytes(self.ctx, value));
                if let Some(bytes) = bytes {
                    let length = self.ctx.pool.bytes(bytes).len() as u64;
                    self.know_box_length(*name, Value::uint64(length, loc));
                }
            }
            (AvmOp::BoxCreate, [name, length]) => {
                self.knowledge[Kind::Box as usize].forget();
                self.know_box_length(*name, *length);
            }
            (AvmOp::BoxDel | AvmOp::BoxSplice | AvmOp::BoxResize | AvmOp::BoxReplace, _) => {
                self.knowledge[Kind::Box as usize].forget();
            }
            _ => {}
        }
    }

    fn know_box_length(&mut self, name: Value, length: Value) {
        let key = self.key(Aspect::Length, &[name]);
        let values = vec![length, Value::bool(true, Loc::NONE)];
        self.knowledge[Kind::Box as usize].results.insert(key, values);
    }

    fn call(&mut self, target: crate::ir::pool::SubId) {
        if !self.ctx.pool.header(target).pure {
            self.knowledge.iter_mut().for_each(Knowledge::forget);
        }
    }

    fn key(&self, aspect: Aspect, values: &[Value]) -> Key {
        let part = |value: &Value| {
            let bytes = value.constant().and_then(|constant| constant_bytes(self.ctx, constant));
            bytes.map_or(KeyPart::Other(*value), KeyPart::Bytes)
        };
        let mut parts = values.iter().map(part);
        let first = parts.next().unwrap_or(KeyPart::Bytes(self.ctx.pool.bytes_id(&[])));
        (aspect, first, parts.next().map(|second| (second, parts.next())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn known_state_is_copied_and_overwritten_state_not_written() {
        check(
            "constant_reads_and_unobserved_writes_elimination",
            r#"
            main m:
                block@0: // L1
                    let v#0: uint64 = (txn Fee)
                    (app_global_put "a" 1u)
                    (app_global_put 0x61 v#0)
                    let (w#0: uint64, x#0: bool) = (app_global_get_ex 0u "a")
                    let y#0: uint64 = (app_global_get "b")
                    let z#0: uint64 = (app_global_get "b")
                    (box_put "k" 0x0102)
                    let (l#0: uint64, e#0: bool) = (box_len "k")
                    (box_replace "k" 0u 0x03)
                    let (m#0: uint64, f#0: bool) = (box_len "k")
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    let v#0: uint64 = (txn Fee)
                    (app_global_put 0x61 v#0)
                    let (w#0: uint64, x#0: bool) = (v#0, 1u)
                    let y#0: uint64 = (app_global_get "b")
                    let z#0: uint64 = y#0
                    (box_put "k" 0x0102)
                    let (l#0: uint64, e#0: bool) = (2u, 1u)
                    (box_replace "k" 0u 0x03)
                    let (m#0: uint64, f#0: bool) = (box_len "k")
                    exit 1u
            "#,
        );
    }

    #[test]
    fn a_call_makes_everything_unknown_unless_it_is_pure() {
        check(
            "constant_reads_and_unobserved_writes_elimination",
            r#"
            main m:
                block@0: // L1
                    (app_local_put 0u "a" 1u)
                    let p#0: uint64 = pure()
                    let a#0: uint64 = (app_local_get 0u "a")
                    let q#0: uint64 = other()
                    let b#0: uint64 = (app_local_get 0u "a")
                    exit 1u

            subroutine pure() -> uint64: // pure
                block@0: // L2
                    return 1u

            subroutine other() -> uint64:
                block@0: // L3
                    return 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    (app_local_put 0u "a" 1u)
                    let p#0: uint64 = pure()
                    let a#0: uint64 = (1u)
                    let q#0: uint64 = other()
                    let b#0: uint64 = (app_local_get 0u "a")
                    exit 1u

            subroutine pure() -> uint64:
                block@0: // L2
                    return 1u

            subroutine other() -> uint64:
                block@0: // L3
                    return 1u
            "#,
        );
    }
}
