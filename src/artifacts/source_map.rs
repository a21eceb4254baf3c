//! Debug map -> `.puya.map`: a source map of version 3 with what happens at each position.

use crate::assemble::debug_map::{DebugMap, Event, Trace};
use crate::base::arena::Symbol;
use crate::base::entity::SecondaryMap;
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
        stack.clear();
        defined.clear();
        let mut out = out.finish();
        out.push('{');
        let mut events = Events { session, out, is_empty: true, items, stack, defined };
        map.for_each_event(session, trace, &mut |pc, event| events.write(pc, event))?;
        events.out.push_str(if events.is_empty { "}\n}" } else { "\n  }\n}" });
        Ok(events.out)
    }
}

/// What stands between an event and the next one.
const NEXT_EVENT: &str = ",\n    \"";

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

impl Events<'_, '_> {
    fn write(&mut self, pc: u32, event: &Event<'_>) {
        let Self { session, out, items, stack, defined, .. } = self;
        out.push_str(&NEXT_EVENT[usize::from(self.is_empty)..]);
        self.is_empty = false;
        push_decimal(out, u64::from(pc));
        out.push_str("\": {");
        let mut is_first = true;
        let mut key = |out: &mut String, comma_and_key: &str| {
            out.push_str(&comma_and_key[usize::from(is_first)..]);
            is_first = false;
        };
        if let Some(error) = event.error {
            key(out, ",\n      \"error\": ");
            items.push_string(session, out, error);
        }
        if let Some(subroutine) = event.subroutine {
            key(out, ",\n      \"subroutine\": ");
            items.push_string(session, out, subroutine);
        }
        if let Some(params) = event.params {
            key(out, ",\n      \"params\": {");
            let mut comma = "";
            for param in params {
                out.extend([comma, "\n        "]);
                items.push_string(session, out, param.local_id);
                out.extend([": \"", param.atype.name(), "\""]);
                comma = ",";
            }
            out.push_str(if params.is_empty() { "}" } else { "\n      }" });
        }
        if let Some(block) = event.block {
            key(out, ",\n      \"block\": ");
            items.push_string(session, out, block);
        }
        if let Some(names) = event.stack_in {
            key(out, ",\n      \"stack_in\": ");
            stack.write(session, out, items, names);
        }
        if let Some(callee) = event.callsub {
            key(out, ",\n      \"callsub\": ");
            items.push_string(session, out, callee);
        }
        if event.is_retsub {
            key(out, ",\n      \"retsub\": true");
        }
        if let Some(op) = event.op {
            key(out, ",\n      \"op\": ");
            write_string(out, op);
        }
        if let Some(names) = event.defined_out {
            key(out, ",\n      \"defined_out\": ");
            defined.write(session, out, items, names);
        }
        if let Some(names) = event.stack_out {
            key(out, ",\n      \"stack_out\": ");
            stack.write(session, out, items, names);
        }
        out.push_str(if is_first { "}" } else { "\n    }" });
    }
}

/// Names as items of an array, with comma and line end in front; nothing for those not asked for so far.
#[derive(Default)]
struct Items<'s>(SecondaryMap<Symbol, &'s str>);

impl<'s> Items<'s> {
    const BEFORE: &'static str = ",\n        ";

    fn item(&mut self, session: &Session<'s>, name: Symbol) -> &'s str {
        let item = &mut self.0[name];
        if item.is_empty() {
            let text = session.text(name);
            let mut out = String::with_capacity(Self::BEFORE.len() + text.len() + 2);
            out.push_str(Self::BEFORE);
            write_string(&mut out, text);
            *item = session.arena.str(&out);
        }
        item
    }
    /// Appends a name as a string.
    fn push_string(&mut self, session: &Session<'s>, out: &mut String, name: Symbol) {
        out.push_str(&self.item(session, name)[Self::BEFORE.len()..]);
    }
}

/// The list of names written last, with where it stands in the output.
#[derive(Default)]
struct List {
    names: Vec<Symbol>,
    /// Where the first item starts.
    start: usize,
    /// Where each item ends, from there.
    ends: Vec<usize>,
}

impl List {
    /// Forgets the list, as nothing of the output it stands in can be copied any more.
    fn clear(&mut self) {
        self.names.clear();
        self.ends.clear();
    }
    fn write<'s>(
        &mut self,
        session: &Session<'s>,
        out: &mut String,
        items: &mut Items<'s>,
        names: &[Symbol],
    ) {
        let Some(first) = names.first() else {
            out.push_str("[]");
            return;
        };
        out.push('[');
        let shared = self.names.iter().zip(names).take_while(|(a, b)| a == b).count();
        self.names.truncate(shared);
        self.ends.truncate(shared);
        let start = out.len();
        match self.ends.last() {
            Some(end) => out.extend_from_within(self.start..self.start + end),
            None => {
                out.push_str(&items.item(session, *first)[1..]);
                self.names.push(*first);
                self.ends.push(out.len() - start);
            }
        }
        self.start = start;
        for name in &names[self.names.len()..] {
            out.push_str(items.item(session, *name));
            self.names.push(*name);
            self.ends.push(out.len() - start);
        }
        out.push_str("\n      ]");
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
