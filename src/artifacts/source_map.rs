//! Debug map -> `.puya.map`: a source map of version 3 with what happens at each position.

use crate::assemble::debug_map::{DebugMap, Event};
use crate::base::arena::Symbol;
use crate::base::text::normalise_path;
use crate::diagnostics::Outcome;
use crate::json::value::Value;
use crate::json::write::{Layout, write};
use crate::session::Session;

/// Renders the map. Source paths are relative to the folder it is written to, wherever possible.
pub fn render(session: &Session, map: &DebugMap<'_>, output_dir: &str) -> Outcome<String> {
    let output_dir = normalise_path(output_dir);
    let files = map.sources(session);
    let sources = files.iter().map(|file| {
        let path = session.text(*file);
        relative_path(path, &output_dir).unwrap_or_else(|| path.to_owned())
    });
    let mut events = Vec::new();
    map.for_each_event(session, &mut |pc, event| {
        events.push((pc.to_string(), render_event(session, event)));
    })?;
    let map = Value::object([
        ("version", Value::from(3)),
        ("sources", Value::array(sources)),
        ("mappings", Value::from(map.mappings(session, &files).as_str())),
        ("op_pc_offset", Value::from(map.assembled.op_pc_offset)),
        ("pc_events", Value::object(events)),
    ]);
    Ok(write(&map, Layout::Indent(2)))
}

fn render_event(session: &Session, event: &Event) -> Value {
    let text = |id: Symbol| Value::from(session.text(id));
    let texts = |ids: &[Symbol]| Value::array(ids.iter().map(|id| session.text(*id)));
    let params = event.params.map(|params| {
        let params = params.iter();
        Value::object(params.map(|it| (session.text(it.local_id), it.atype.name().into())))
    });
    let fields = [
        ("error", event.error.map(text)),
        ("subroutine", event.subroutine.map(text)),
        ("params", params),
        ("block", event.block.map(text)),
        ("stack_in", event.stack_in.map(texts)),
        ("callsub", event.callsub.map(text)),
        ("retsub", event.is_retsub.then_some(Value::Bool(true))),
        ("op", event.op.map(Value::from)),
        ("defined_out", event.defined_out.map(texts)),
        ("stack_out", event.stack_out.map(texts)),
    ];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Value::object(present)
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
