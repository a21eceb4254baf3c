//! Assembled program -> what a debugger needs: source lines and the names on the stack.

use super::Assembled;
use super::names::{NameList, Names};
use crate::base::arena::Symbol;
use crate::base::encode::push_vlq;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::model::{Op, OpKind, Parameter, Program};
use crate::teal::text::Place;

/// What happens at one position. Fields stand in output order.
#[derive(Clone, Copy, Default, Debug)]
pub struct Event<'e> {
    /// Message if the op fails.
    pub error: Option<Symbol>,
    /// The subroutine that starts here.
    pub subroutine: Option<Symbol>,
    /// Its parameters.
    pub params: Option<&'e [Parameter]>,
    /// The block that starts here.
    pub block: Option<Symbol>,
    /// Names on the stack at its start. With `stack_out` it makes one sequence of lists.
    pub stack_in: Option<NameList<'e>>,
    /// The subroutine called.
    pub callsub: Option<Symbol>,
    /// Whether the op returns from the subroutine.
    pub is_retsub: bool,
    /// The op as text.
    pub op: Option<&'e str>,
    /// Names on the stack that are defined after the op, where their number changed.
    pub defined_out: Option<NameList<'e>>,
    /// Names on the stack after the op, where it changed.
    pub stack_out: Option<NameList<'e>>,
}

/// The debug map of one program. Nothing is computed before it is asked for.
#[derive(Clone, Copy)]
pub struct DebugMap<'p> {
    /// Names of stack entries and ops are left out at level 0.
    pub debug_level: i64,
    /// The program.
    pub program: &'p Program,
    /// Its positions.
    pub assembled: &'p Assembled,
    /// Its assembly file.
    pub text: &'p str,
    /// Where in the file each op stands.
    pub places: &'p [Place],
}

impl<'p> DebugMap<'p> {
    /// Visits the ops that are shown, with their positions.
    fn for_each_op(&self, mut visit: impl FnMut(u32, &Op)) {
        let assembled = self.assembled;
        let offset = assembled.pc_offset();
        let mut at = 0;
        for block in self.program.blocks() {
            for op in &block.ops {
                if at >= assembled.op_pc_offset {
                    visit(assembled.pcs[at] - offset, op);
                }
                at += 1;
            }
        }
    }

    /// Paths of source files, sorted.
    pub fn sources(&self, session: &Session) -> Vec<Symbol> {
        let mut sources = Vec::new();
        let (mut last_loc, mut last_file) = (Loc::NONE, None);
        self.for_each_op(|_, op| {
            if op.loc == last_loc || op.loc.is_none() {
                return;
            }
            last_loc = op.loc;
            let file = session.locs.get(op.loc).and_then(|location| location.file);
            if file.is_some() && file != last_file {
                sources.extend(file);
                last_file = file;
            }
        });
        sources.sort_unstable();
        sources.dedup();
        sources.sort_unstable_by_key(|file| session.text(*file));
        sources
    }

    /// Positions to lines, as in source maps of version 3: one group per position up to the last op,
    /// empty where no op with a source line starts.
    pub fn mappings(&self, session: &Session, sources: &[Symbol]) -> String {
        // mostly a group of one digit for each number
        let mut out = String::with_capacity(self.assembled.pcs.len() * 8);
        let mut reached = 0;
        let mut previous = [0, 0, 0];
        let (mut last_loc, mut last_file) = (Loc::NONE, (None, 0));
        self.for_each_op(|pc, op| {
            while reached < pc {
                out.push(';');
                reached += 1;
            }
            if op.loc == last_loc && op.loc.is_some() {
                // nothing moves
                out.push_str("AAAA");
                return;
            }
            let Some(location) = session.locs.get(op.loc) else { return };
            let Some(file) = location.file else { return };
            if last_file.0 != Some(file) {
                let index = sources.iter().zip(0_i64..).find(|(source, _)| **source == file);
                last_file = (Some(file), index.expect("files of all ops were gathered").1);
            }
            last_loc = op.loc;
            let source = last_file.1;
            let column = location.column.unwrap_or(0);
            let current = [source, i64::from(location.line) - 1, i64::from(column)];
            // there is one column in bytecode
            push_vlq(&mut out, 0);
            for (now, before) in current.iter().zip(previous) {
                push_vlq(&mut out, now - before);
            }
            previous = current;
        });
        out
    }

    /// Visits what happens, by position; positions where nothing does are left out.
    pub fn for_each_event(
        &self,
        session: &Session,
        trace: &mut Trace,
        visit: &mut dyn FnMut(u32, &Event<'_>),
    ) -> Outcome<()> {
        if self.debug_level != 0 {
            return self.trace(session, trace, visit);
        }
        for (pc, error) in &self.assembled.errors {
            visit(*pc, &Event { error: Some(*error), ..Event::default() });
        }
        Ok(())
    }

    /// Follows the names on the stack through the program.
    fn trace(
        &self,
        session: &Session,
        trace: &mut Trace,
        visit: &mut dyn FnMut(u32, &Event<'_>),
    ) -> Outcome<()> {
        let assembled = self.assembled;
        let offset = assembled.pc_offset();
        let subroutines = &self.program.subroutines;
        let Trace { names, callees } = trace;
        callees.clear();
        for sub in subroutines {
            callees.insert(sub.blocks[0].label, sub.signature.name);
        }
        names.start_program();
        let mut at = 0;
        // what starts at the next op; the last block that is empty stands for those before
        let mut start = Event::default();
        for sub in subroutines {
            start.subroutine = Some(sub.signature.name);
            start.params = Some(&sub.signature.parameters);
            names.start_subroutine();
            for block in &sub.blocks {
                let frame_height = block
                    .entry_stack_height
                    .checked_sub(block.x_stack_in.len())
                    .ok_or_else(|| Failure::internal("x-stack higher than the stack", Loc::NONE))?;
                names.start_block(frame_height, &block.x_stack_in);
                start.block = Some(block.label);
                for op in &block.ops {
                    let is_first = start.block.is_some();
                    let changed = names.play(session, &self.program.manipulations, op)?;
                    let is_shown = at >= assembled.op_pc_offset;
                    if is_shown {
                        let mut event = start;
                        event.error = error_message(session, op);
                        match &op.kind {
                            OpKind::CallSub { target, .. } => {
                                let callee = callees.get(target);
                                event.callsub = Some(*callee.expect("calls go to subroutines"));
                            }
                            OpKind::RetSub { .. } => event.is_retsub = true,
                            _ => {}
                        }
                        event.op = Some(self.places[at].of(self.text));
                        event.stack_in = is_first.then(|| names.before());
                        event.defined_out = changed.defined.then(|| names.defined());
                        event.stack_out = changed.stack.then(|| names.after(is_first));
                        visit(assembled.pcs[at] - offset, &event);
                    }
                    names.settle(changed, is_first, is_shown);
                    if is_first {
                        start = Event::default();
                    }
                    at += 1;
                }
            }
        }
        if start.block.is_some() {
            start.stack_in = Some(names.before());
            visit(assembled.pcs[at] - offset, &start);
        }
        Ok(())
    }
}

/// What is followed through one program after the other: its memory serves all of them.
#[derive(Default)]
pub struct Trace {
    names: Names,
    /// Names of the subroutines by label.
    callees: LookupMap<Symbol, Symbol>,
}

/// The message of an op that may fail.
pub(super) fn error_message(session: &Session, op: &Op) -> Option<Symbol> {
    let message = match &op.kind {
        OpKind::Intrinsic(intrinsic) => intrinsic.error_message,
        OpKind::Assert { message, .. } | OpKind::Err { message, .. } => *message,
        _ => None,
    };
    message.filter(|message| !session.text(*message).is_empty())
}
