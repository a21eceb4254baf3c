//! Debug map -> `.puya.map`: a source map of version 3 with what happens at each position.

use crate::assemble::debug_map::{DebugMap, Event, Trace};
use crate::assemble::names::NameList;
use crate::base::arena::Symbol;
use crate::base::entity::SecondaryMap;
use crate::base::ordered::OrderedMap;
use crate::base::text::{normalise_path, push_decimal};
use crate::diagnostics::Outcome;
use crate::json::write::{Layout, Writer, write_string};
use crate::session::Session;

/// Renders the maps of programs. Names that several of them have are put into JSON once.
pub struct Maps<'t, 's> {
    session: &'t Session<'s>,
    trace: Trace,
    items: Items<'s>,
    stack: List,
    defined: List,
}

impl<'t, 's> Maps<'t, 's> {
    /// Nothing is rendered yet.
    pub fn new(session: &'t Session<'s>) -> Self {
        Self {
            session,
            trace: Trace::default(),
            items: Items::default(),
            stack: List::default(),
            defined: List::default(),
        }
    }

    /// Renders a map. Source paths are relative to the folder it is written to, wherever possible.
    pub fn render(&mut self, map: &DebugMap<'_>, output_dir: &str) -> Outcome<String> {
        let session = self.session;
        let output_dir = normalise_path(output_dir);
        let files = map.sources(session);
        let mappings = map.mappings(session, &files);
        // what an event takes as a rule
        let capacity = mappings.len() + 288 * map.assembled.pcs.len() + 512;
        let mut out = Writer::new(Layout::Indent(2), String::with_capacity(capacity));
        out.open('{');
        out.name("version");
        out.number(3);
        out.name("sources");
        out.open('[');
        for file in &files {
            let path = session.text(*file);
            out.item();
            match relative_path(path, &output_dir) {
                Some(relative) => out.string(&relative),
                None => out.string(path),
            }
        }
        out.close(']');
        out.name("mappings");
        out.string(&mappings);
        out.name("op_pc_offset");
        out.number(map.assembled.op_pc_offset as u64);
        out.name("pc_events");
        let Self { trace, items, stack, defined, .. } = self;
        let mut out = out.finish();
        out.push('{');
        let mut events = Events { session, out, is_empty: true, items, stack, defined };
        map.for_each_event(session, trace, &mut |pc, event| events.write(pc, event))?;
        events.out.push_str(if events.is_empty { "}\n}" } else { "\n  }\n}" });
        Ok(events.out)
    }
}

/// Writes events. Most of the text are names on the stack, so each name is put into JSON once, and what
/// a list shares with the one before it is copied as a whole.
struct Events<'s, 't> {
    session: &'t Session<'s>,
    out: String,
    is_empty: bool,
    items: &'t mut Items<'s>,
    stack: &'t mut List,
    defined: &'t mut List,
}

/// Starts a part of the text that has a comma in front unless it is the first one.
#[inline(always)]
fn start(out: &mut String, is_first: &mut bool, comma_and_rest: &'static str) {
    // each with a length that is known here, so that no loop has to copy it
    if *is_first {
        out.push_str(&comma_and_rest[1..]);
        *is_first = false;
    } else {
        out.push_str(comma_and_rest);
    }
}

impl Events<'_, '_> {
    fn write(&mut self, pc: u32, event: &Event<'_>) {
        let Self { session, out, is_empty, items, stack, defined } = self;
        start(out, is_empty, ",\n    \"");
        push_decimal(out, u64::from(pc));
        out.push_str("\": {");
        let mut is_first = true;
        if let Some(error) = event.error {
            start(out, &mut is_first, ",\n      \"error\": ");
            items.push_string(session, out, error);
        }
        if let Some(subroutine) = event.subroutine {
            start(out, &mut is_first, ",\n      \"subroutine\": ");
            items.push_string(session, out, subroutine);
        }
        if let Some(params) = event.params {
            start(out, &mut is_first, ",\n      \"params\": {");
            // of two that have one name (no front end writes them) the first has the place, the last the type
            let params: OrderedMap<_, _> =
                params.iter().map(|param| (param.local_id, param.atype)).collect();
            let mut is_first = true;
            for (name, atype) in &params {
                start(out, &mut is_first, ",\n        ");
                items.push_string(session, out, *name);
                out.extend([": \"", atype.name(), "\""]);
            }
            out.push_str(if is_first { "}" } else { "\n      }" });
        }
        if let Some(block) = event.block {
            start(out, &mut is_first, ",\n      \"block\": ");
            items.push_string(session, out, block);
        }
        if let Some(list) = event.stack_in {
            start(out, &mut is_first, ",\n      \"stack_in\": ");
            stack.write(session, out, items, list);
        }
        if let Some(callee) = event.callsub {
            start(out, &mut is_first, ",\n      \"callsub\": ");
            items.push_string(session, out, callee);
        }
        if event.is_retsub {
            start(out, &mut is_first, ",\n      \"retsub\": true");
        }
        if let Some(op) = event.op {
            start(out, &mut is_first, ",\n      \"op\": ");
            write_string(out, op);
        }
        if let Some(list) = event.defined_out {
            start(out, &mut is_first, ",\n      \"defined_out\": ");
            defined.write(session, out, items, list);
        }
        if let Some(list) = event.stack_out {
            start(out, &mut is_first, ",\n      \"stack_out\": ");
            stack.write(session, out, items, list);
        }
        out.push_str(if is_first { "}" } else { "\n    }" });
    }
}

/// Names as items of an array, with comma and line end in front; nothing for those not asked for so far.
#[derive(Default)]
struct Items<'s> {
    texts: SecondaryMap<Symbol, &'s str>,
    /// Where an item is put together.
    buffer: String,
}

impl<'s> Items<'s> {
    const BEFORE: &'static str = ",\n        ";

    #[inline]
    fn item(&mut self, session: &Session<'s>, name: Symbol) -> &'s str {
        let item = self.texts[name];
        if item.is_empty() { self.make(session, name) } else { item }
    }
    fn make(&mut self, session: &Session<'s>, name: Symbol) -> &'s str {
        self.buffer.clear();
        self.buffer.push_str(Self::BEFORE);
        write_string(&mut self.buffer, session.text(name));
        let item = session.arena.str(&self.buffer);
        self.texts[name] = item;
        item
    }
    /// Appends a name as a string.
    fn push_string(&mut self, session: &Session<'s>, out: &mut String, name: Symbol) {
        out.push_str(&self.item(session, name)[Self::BEFORE.len()..]);
    }
}

/// Where the list written last stands in the output.
#[derive(Default)]
struct List {
    /// Where the first item starts.
    start: usize,
    /// Where each item ends, from there.
    ends: Vec<usize>,
}

impl List {
    fn write<'s>(
        &mut self,
        session: &Session<'s>,
        out: &mut String,
        items: &mut Items<'s>,
        list: NameList<'_>,
    ) {
        let (shared, new) = list.names.split_at(list.shared);
        let Self { start, ends } = self;
        ends.truncate(shared.len());
        out.push('[');
        let from = out.len();
        if let Some(end) = ends.last() {
            out.extend_from_within(*start..*start + end);
        }
        *start = from;
        for name in new {
            let item = items.item(session, *name);
            out.push_str(if ends.is_empty() { &item[1..] } else { item });
            ends.push(out.len() - from);
        }
        out.push_str(if ends.is_empty() { "]" } else { "\n      ]" });
    }
}

/// `path` as seen from `base`, going up with `..` where needed; none where that is impossible: only
/// one of them is absolute, or the way up would leave a `..`. Both are normalised.
fn relative_path(path: &str, base: &str) -> Option<String> {
    let slashes = |path: &str| path.len() - path.trim_start_matches('/').len();
    if slashes(path) != slashes(base) {
        return None;
    }
    fn parts(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').filter(|part| !matches!(*part, "" | "."))
    }
    let (mut path_parts, mut base_parts) = (parts(path), parts(base));
    let (mut below, mut above) = (path_parts.next(), base_parts.next());
    while below.is_some() && below == above {
        (below, above) = (path_parts.next(), base_parts.next());
    }
    let mut out = String::with_capacity(path.len());
    let mut push = |part: &str| {
        out.push_str(if out.is_empty() { "" } else { "/" });
        out.push_str(part);
    };
    for part in above.into_iter().chain(base_parts) {
        if part == ".." {
            return None;
        }
        push("..");
    }
    below.into_iter().chain(path_parts).for_each(push);
    Some(if out.is_empty() { ".".to_owned() } else { out })
}

#[cfg(test)]
mod tests {
    use super::relative_path;

    #[test]
    fn paths_go_up_as_far_as_needed() {
        let check = |path, base, expected: Option<&str>| {
            assert_eq!(relative_path(path, base).as_deref(), expected, "{path} from {base}");
        };
        check("/a/src/x.py", "/a/out", Some("../src/x.py"));
        check("/a/x.py", "/a", Some("x.py"));
        check("/x.py", "/a/b", Some("../../x.py"));
        check("/a", "/a", Some("."));
        check("/a/x.py", "out", None);
        check("/b/x.py", "/a/../c", None);
        check("/a/../x.py", "/a/../c", Some("../x.py"));
    }
}
