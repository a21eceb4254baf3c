//! Program and positions -> what a debugger needs: source lines and the names on the stack.

use crate::base::arena::Symbol;
use crate::base::encode::push_vlq;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::session::Session;
use crate::teal::manipulations::SimulatedStack;
use crate::teal::model::{AvmType, Op, OpKind, Program};
use crate::teal::text;

/// What happens at one position. Fields stand in output order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Event {
    /// Message if the op fails.
    pub error: Option<Symbol>,
    /// The subroutine that starts here.
    pub subroutine: Option<Symbol>,
    /// Its parameters.
    pub params: Option<Vec<(Symbol, AvmType)>>,
    /// The block that starts here.
    pub block: Option<Symbol>,
    /// Names on the stack at its start.
    pub stack_in: Option<Vec<Symbol>>,
    /// The subroutine called.
    pub callsub: Option<Symbol>,
    /// Whether the op returns from the subroutine.
    pub is_retsub: bool,
    /// The op as text.
    pub op: Option<String>,
    /// Names on the stack that are defined after the op, where their number changed.
    pub defined_out: Option<Vec<Symbol>>,
    /// Names on the stack after the op, where it changed.
    pub stack_out: Option<Vec<Symbol>>,
}

/// The debug map of one program.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DebugInfo {
    /// Paths of source files, sorted.
    pub sources: Vec<Symbol>,
    /// Positions to lines, as in source maps of version 3.
    pub mappings: String,
    /// How many constant blocks positions do not count.
    pub op_pc_offset: usize,
    /// Events that say something, by position.
    pub pc_events: Vec<(u32, Event)>,
}

/// Builds the debug map. With `skip_constants` positions count from behind the constant blocks, as
/// their size is open.
pub(super) fn build(
    session: &Session,
    debug_level: i64,
    program: &Program,
    pcs: &[u32],
    skip_constants: bool,
) -> Outcome<DebugInfo> {
    let ops = program.blocks().flat_map(|block| &block.ops).collect::<Vec<_>>();
    let is_block = |op: &&Op| matches!(op.kind, OpKind::IntBlock(_) | OpKind::BytesBlock(_));
    let constant_blocks = ops.iter().take_while(|op| is_block(op)).count();
    // a program of nothing but constant blocks is not shifted
    let skipped = if skip_constants && constant_blocks < ops.len() { constant_blocks } else { 0 };
    let pc_offset = if skipped > 0 { pcs[skipped] } else { 0 };

    // one event per op, and one behind the last
    let mut events = vec![Event::default(); ops.len() + 1];
    for (event, op) in events.iter_mut().zip(&ops) {
        event.error = error_message(session, op);
    }
    if debug_level != 0 {
        trace(session, program, &mut events)?;
    }
    let pc_events = pcs
        .iter()
        .copied()
        .zip(events)
        .skip(skipped)
        .filter(|(_, event)| *event != Event::default())
        .map(|(pc, event)| (pc - pc_offset, event))
        .collect();

    let mut sources =
        ops[skipped..].iter().filter_map(|op| session.locs.get(op.loc)?.file).collect::<Vec<_>>();
    sources.sort_unstable_by_key(|file| session.text(*file));
    sources.dedup();
    let positions = pcs.iter().map(|pc| pc - pc_offset.min(*pc)).zip(&ops).skip(skipped);
    let mappings = mappings(session, positions, &sources);
    Ok(DebugInfo { sources, mappings, op_pc_offset: skipped, pc_events })
}

fn error_message(session: &Session, op: &Op) -> Option<Symbol> {
    let message = match &op.kind {
        OpKind::Intrinsic(intrinsic) => intrinsic.error_message,
        OpKind::Assert { message, .. } | OpKind::Err { message, .. } => *message,
        _ => None,
    };
    message.filter(|message| !session.text(*message).is_empty())
}

/// Follows the names on the stack through the program.
fn trace(session: &Session, program: &Program, events: &mut [Event]) -> Outcome<()> {
    let callees = program
        .subroutines
        .iter()
        .map(|sub| (sub.blocks[0].label, sub.signature.name))
        .collect::<LookupMap<_, _>>();
    let mut at = 0;
    for sub in &program.subroutines {
        let event = &mut events[at];
        event.subroutine = Some(sub.signature.name);
        let parameters = sub.signature.parameters.iter();
        event.params = Some(parameters.map(|param| (param.local_id, param.atype)).collect());
        let mut state = SimulatedStack::default();
        for block in &sub.blocks {
            let frame_height = block
                .entry_stack_height
                .checked_sub(block.x_stack_in.len())
                .ok_or_else(|| Failure::internal("x-stack higher than the stack", Loc::NONE))?;
            state.stack.truncate(frame_height);
            state.stack.extend_from_slice(&block.x_stack_in);
            state.defined.clear();
            events[at].block = Some(block.label);
            events[at].stack_in = Some(state.stack.clone());
            for op in &block.ops {
                trace_op(session, &callees, op, &mut state, &mut events[at])?;
                at += 1;
            }
        }
    }
    Ok(())
}

fn trace_op(
    session: &Session,
    callees: &LookupMap<Symbol, Symbol>,
    op: &Op,
    state: &mut SimulatedStack,
    event: &mut Event,
) -> Outcome<()> {
    match &op.kind {
        OpKind::CallSub { target, .. } => {
            event.callsub = Some(*callees.get(target).expect("calls go to subroutines"));
        }
        OpKind::RetSub { .. } => event.is_retsub = true,
        _ => {}
    }
    event.op = Some(text::op_with_comment(session, &op.kind));
    if op.stack.is_empty() {
        return Ok(());
    }
    let stack_in = state.stack.clone();
    let defined_in = state.defined.len();
    state.apply(session, &op.stack).map_err(|error| error.failure())?;
    if state.defined.len() != defined_in {
        let mut defined = state.stack.clone();
        defined.retain(|name| state.defined.contains(name));
        defined.sort_unstable_by_key(|name| session.text(*name));
        defined.dedup();
        event.defined_out = Some(defined);
    }
    if state.stack != stack_in {
        event.stack_out = Some(state.stack.clone());
    }
    Ok(())
}

/// One group per position up to the last op; empty where no op with a source line starts.
fn mappings<'o>(
    session: &Session,
    positions: impl Iterator<Item = (u32, &'o &'o Op)>,
    sources: &[Symbol],
) -> String {
    let index_of = sources.iter().zip(0_i64..).map(|(file, index)| (*file, index));
    let index_of = index_of.collect::<LookupMap<_, _>>();
    let mut out = String::new();
    let mut reached = 0;
    let mut previous = [0, 0, 0];
    for (pc, op) in positions {
        while reached < pc {
            out.push(';');
            reached += 1;
        }
        let Some(location) = session.locs.get(op.loc) else { continue };
        let Some(file) = location.file else { continue };
        let source = *index_of.get(&file).expect("files of all ops were gathered");
        let column = location.column.unwrap_or(0);
        let current = [source, i64::from(location.line) - 1, i64::from(column)];
        // there is one column in bytecode
        push_vlq(&mut out, 0);
        for (now, before) in current.iter().zip(previous) {
            push_vlq(&mut out, now - before);
        }
        previous = current;
    }
    out
}
