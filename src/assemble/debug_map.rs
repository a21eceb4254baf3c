//! Assembled program -> what a debugger needs: source lines and the names on the stack.

use super::Assembled;
use crate::base::arena::Symbol;
use crate::base::encode::push_vlq;
use crate::base::entity::SecondaryMap;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::manipulations::{Defined, SimulatedStack, each_character};
use crate::teal::model::{Manipulations, Op, OpKind, Parameter, Program};
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
    /// Names on the stack at its start.
    pub stack_in: Option<&'e [Symbol]>,
    /// The subroutine called.
    pub callsub: Option<Symbol>,
    /// Whether the op returns from the subroutine.
    pub is_retsub: bool,
    /// The op as text.
    pub op: Option<&'e str>,
    /// Names on the stack that are defined after the op, where their number changed.
    pub defined_out: Option<&'e [Symbol]>,
    /// Names on the stack after the op, where it changed.
    pub stack_out: Option<&'e [Symbol]>,
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
            push_groups(&mut out, pc.saturating_sub(reached) as usize);
            reached = reached.max(pc);
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
        let Trace { names, callees, stack_in } = trace;
        callees.clear();
        for sub in subroutines {
            callees.insert(sub.blocks[0].label, sub.signature.name);
        }
        let mut at = 0;
        // what starts at the next op; the last block that is empty stands for those before
        let mut start = Event::default();
        for sub in subroutines {
            start.subroutine = Some(sub.signature.name);
            start.params = Some(&sub.signature.parameters);
            names.state.stack.clear();
            for block in &sub.blocks {
                let frame_height = block
                    .entry_stack_height
                    .checked_sub(block.x_stack_in.len())
                    .ok_or_else(|| Failure::internal("x-stack higher than the stack", Loc::NONE))?;
                let state = &mut names.state;
                state.stack.truncate(frame_height);
                state.stack.extend_from_slice(&block.x_stack_in);
                state.defined.start_block();
                start.block = Some(block.label);
                stack_in.clone_from(&state.stack);
                for op in &block.ops {
                    let mut event = start;
                    event.stack_in = event.block.map(|_| stack_in.as_slice());
                    start = Event::default();
                    event.error = error_message(session, op);
                    match &op.kind {
                        OpKind::CallSub { target, .. } => {
                            event.callsub =
                                Some(*callees.get(target).expect("calls go to subroutines"));
                        }
                        OpKind::RetSub { .. } => event.is_retsub = true,
                        _ => {}
                    }
                    event.op = Some(self.places[at].of(self.text));
                    names.play(session, &self.program.manipulations, op, &mut event)?;
                    if at >= assembled.op_pc_offset {
                        visit(assembled.pcs[at] - offset, &event);
                    }
                    at += 1;
                }
            }
        }
        if start.block.is_some() {
            start.stack_in = Some(stack_in);
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
    /// The stack where the block starts.
    stack_in: Vec<Symbol>,
}

/// Ends as many groups of a source map.
fn push_groups(out: &mut String, mut count: usize) {
    const ENDS: &str = ";;;;;;;;;;;;;;;;";
    while count > 0 {
        let some = count.min(ENDS.len());
        out.push_str(&ENDS[..some]);
        count -= some;
    }
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

/// The names that were defined in a block so far.
#[derive(Default)]
struct Definitions {
    /// The number of the block in which a name was defined last.
    defined_in: SecondaryMap<Symbol, u32>,
    /// The number of the block in which the characters of a name were defined last.
    spelled_in: SecondaryMap<Symbol, u32>,
    /// Number of the block, from 1.
    block: u32,
    /// How many names there are.
    count: usize,
}

impl Definitions {
    fn start_block(&mut self) {
        self.block += 1;
        self.count = 0;
    }
    fn contains(&self, name: Symbol) -> bool {
        self.defined_in[name] == self.block
    }
}

impl Defined for Definitions {
    fn insert(&mut self, name: Symbol) {
        let defined_in = &mut self.defined_in[name];
        if *defined_in != self.block {
            *defined_in = self.block;
            self.count += 1;
        }
    }
    fn insert_characters(&mut self, session: &Session, name: Symbol) {
        if self.spelled_in[name] != self.block {
            self.spelled_in[name] = self.block;
            each_character(session, name, |character| self.insert(character));
        }
    }
}

/// Names on the stack, with what an op changed.
#[derive(Default)]
struct Names {
    state: SimulatedStack<Definitions>,
    /// The stack before the op.
    before: Vec<Symbol>,
    /// The names on the stack that are defined, by text, as of the last op that defined one.
    defined: Vec<Symbol>,
    /// Which names were met when `defined` was brought up to date: those with `mark` are missing there,
    /// those with the number behind it are in their place.
    marks: SecondaryMap<Symbol, u32>,
    mark: u32,
}

impl Names {
    /// Plays what an op does to the names, and says in the event what changed.
    fn play<'e>(
        &'e mut self,
        session: &Session,
        table: &Manipulations,
        op: &Op,
        event: &mut Event<'e>,
    ) -> Outcome<()> {
        if op.stack.is_empty() {
            return Ok(());
        }
        let state = &mut self.state;
        self.before.clone_from(&state.stack);
        let count = state.defined.count;
        state.apply(session, table, table.of(op.stack)).map_err(|error| error.failure())?;
        if state.defined.count != count {
            self.update_defined(session);
            event.defined_out = Some(&self.defined);
        }
        if self.state.stack != self.before {
            event.stack_out = Some(&self.state.stack);
        }
        Ok(())
    }

    /// Takes out what is not on the stack any more and puts in what came; the rest is in order already.
    fn update_defined(&mut self, session: &Session) {
        let Names { state, defined, marks, mark, .. } = self;
        *mark += 2;
        for name in state.stack.iter().filter(|name| state.defined.contains(**name)) {
            marks[*name] = *mark;
        }
        defined.retain(|name| {
            let stays = marks[*name] == *mark;
            if stays {
                marks[*name] += 1;
            }
            stays
        });
        for name in &state.stack {
            if marks[*name] == *mark {
                marks[*name] += 1;
                let text = session.text(*name);
                let place = defined.partition_point(|other| session.text(*other) < text);
                defined.insert(place, *name);
            }
        }
    }
}
