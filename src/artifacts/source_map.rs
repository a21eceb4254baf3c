//! Debug map -> `.puya.map`: a source map of version 3 with what happens at each position.

use crate::assemble::debug_map::{DebugMap, Event};
use crate::base::arena::Symbol;
use crate::base::text::normalise_path;
use crate::diagnostics::Outcome;
use crate::json::value::Value;
use crate::json::write::{Layout, Writer};
use crate::session::Session;

/// Renders the map. Source paths are relative to the folder it is written to, wherever possible.
pub fn render(session: &Session, map: &DebugMap<'_>, output_dir: &str) -> Outcome<String> {
    let output_dir = normalise_path(output_dir);
    let files = map.sources(session);
    let sources = files.iter().map(|file| {
        let path = session.text(*file);
        Value::from(relative_path(path, &output_dir).unwrap_or_else(|| path.to_owned()))
    });
    let mappings = map.mappings(session, &files);
    // what an event takes as a rule
    let capacity = mappings.len() + 192 * map.assembled.pcs.len() + 512;
    let mut out = Writer::new(Layout::Indent(2), String::with_capacity(capacity));
    out.open('{');
    out.key("version");
    out.value(&Value::from(3u8));
    out.key("sources");
    out.value(&Value::array(sources));
    out.key("mappings");
    out.string(&mappings);
    out.key("op_pc_offset");
    out.value(&Value::from(map.assembled.op_pc_offset));
    out.key("pc_events");
    out.open('{');
    map.for_each_event(session, &mut |pc, event| {
        out.number_key(u64::from(pc));
        write_event(&mut out, session, event);
    })?;
    out.close('}');
    out.close('}');
    Ok(out.finish())
}

fn write_event(out: &mut Writer, session: &Session, event: &Event) {
    let name = |out: &mut Writer, key: &str, name: Option<Symbol>| {
        if let Some(name) = name {
            out.key(key);
            out.string(session.text(name));
        }
    };
    let names = |out: &mut Writer, key: &str, names: Option<&[Symbol]>| {
        if let Some(names) = names {
            out.key(key);
            out.strings(names.iter().map(|name| session.text(*name)));
        }
    };
    out.open('{');
    name(out, "error", event.error);
    name(out, "subroutine", event.subroutine);
    if let Some(params) = event.params {
        out.key("params");
        out.open('{');
        for param in params {
            out.key(session.text(param.local_id));
            out.string(param.atype.name());
        }
        out.close('}');
    }
    name(out, "block", event.block);
    names(out, "stack_in", event.stack_in);
    name(out, "callsub", event.callsub);
    if event.is_retsub {
        out.key("retsub");
        out.value(&Value::Bool(true));
    }
    if let Some(op) = event.op {
        out.key("op");
        out.string(op);
    }
    names(out, "defined_out", event.defined_out);
    names(out, "stack_out", event.stack_out);
    out.close('}');
}

/// `path` as seen from `base`, going up with `..` where needed; none where that is impossible: only
/// one of them is absolute, or the way up would leave a `..`. Both are normalised.
fn relative_path(path: &str, base: &str) -> Option<String> {
    let split = |path: &str| {
        let slashes = path.len() - path.trim_start_matches('/').len();
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        (slashes, parts.map(str::to_owned).collect::<Vec<_>>())
    };
    let ((path_root, path), (base_root, base)) = (split(path), split(base));
    if path_root != base_root {
        return None;
    }
    let shared = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    if base[shared..].iter().any(|part| part == "..") {
        return None;
    }
    let up = base[shared..].iter().map(|_| "..");
    let parts = up.chain(path[shared..].iter().map(String::as_str)).collect::<Vec<_>>();
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
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
