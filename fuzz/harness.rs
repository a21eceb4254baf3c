//! What the fuzz targets do with one input. `tests/fuzz_corpus.rs` does the same with every file of
//! the corpus, so that what was once found stays found.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use puya::artifacts::write::Discard;
use puya::base::arena::Arena;
use puya::compile::{Caller, CompileReport, Document, Keep, Request, Task};
use puya::json::read::read;
use puya::rpc::envelope::{Message, read_member, read_message, write_answer};
use puya::server::connection::{Connection, Limits, Turn};
use puya::server::handshake::Admission;
use puya::server::methods::{Service, ServiceConfig, Surface};
use puya::server::wire::Transport;

mod memory;
use memory::Memory;

/// How often a compilation may ask whether to stop before it is told to: a bound on its work.
const STOP_CHECKS_MAX: usize = 20_000;

/// The compiler's recursion is bounded by the reader's depth limit, for a stack of this size.
const STACK: usize = 1 << 30;

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The state machine of a connection. The first byte says where to start (0: before the handshake;
/// otherwise behind it); then every record is a length, what the clock and the peer do, and bytes.
pub fn connection(input: &[u8]) {
    let Some((start, mut input)) = input.split_first() else { return };
    let pipe = Memory::new(4096);
    let limits = Limits { message_max: 4096, unsent_max: 8192, ..Limits::default() };
    let admission = Admission::default();
    let mut now = Instant::now();
    let mut connection = Connection::new(pipe.clone(), now, &limits, *start == 2);
    if *start != 0 {
        pipe.0.borrow_mut().input.extend(HEAD);
    }
    while let [length, action, rest @ ..] = input {
        let (bytes, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        input = rest;
        {
            let mut pipe = pipe.0.borrow_mut();
            pipe.input.extend(bytes);
            pipe.window += usize::from(action >> 4) * 256;
            pipe.is_ended |= action & 0x0f == 0x0f;
        }
        let mut received = Vec::new();
        let room = usize::from(action & 3);
        let mut turn = connection.turn(now, &limits, &admission, room, &mut received);
        assert!(received.len() <= room);
        for text in &received {
            assert!(text.len() <= limits.message_max);
            connection.answer(text.to_string());
        }
        if turn != Turn::Wait && turn != Turn::Again {
            return;
        }
        if action & 4 != 0 {
            now += Duration::from_secs(u64::from(*length));
            turn = connection.on_time(now, &limits, action & 8 != 0);
        }
        if matches!(turn, Turn::Gone(_)) {
            return;
        }
        if connection.deadline(&limits, false).is_some_and(|deadline| deadline <= now) {
            // what is due is done by the next look at the clock, or it ends the connection
            connection.on_time(now, &limits, false);
        }
    }
}

/// JSON-RPC: whatever text comes in, what goes out is JSON.
pub fn request(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let done: fn(Request<'_>) -> CompileReport = |_| CompileReport::default();
    for surface in [Surface::Socket, Surface::Stdio] {
        let config = ServiceConfig {
            address: String::new(),
            compile_timeout: Duration::from_secs(1),
            output_root: None,
            working_folder: PathBuf::from("/"),
            console_level: Some(puya::diagnostics::Severity::Critical),
        };
        let mut service = Service::new(surface, config, done);
        let mut answer = |text: &str, is_member: bool| {
            let arena = Arena::new();
            let request = match read_message(text, &arena) {
                _ if is_member => read_member(text, &arena),
                Message::Single(request) => request,
                Message::Batch(places) => return places,
            };
            let answer = match &request {
                Ok(request) => write_answer(request.id, &service.call(request)),
                Err(invalid) => write_answer(invalid.id, &Err(invalid.error.clone())),
            };
            let arena = Arena::new();
            let json = read(&answer, &arena).unwrap_or_else(|error| panic!("{error}: {answer}"));
            assert!(json.get("result").is_some() != json.get("error").is_some(), "{answer}");
            Vec::new()
        };
        for place in answer(text, false) {
            assert!(read(&text[place.clone()], &Arena::new()).is_ok(), "{}", &text[place]);
            answer(&text[place], true);
        }
    }
}

/// Compiles and fails if the compiler panicked.
fn run(awst: &str, task: Task<'_>) {
    let checks = Cell::new(0);
    let stop = || {
        checks.set(checks.get() + 1);
        checks.get() > STOP_CHECKS_MAX
    };
    let report = puya::compile::compile(Request {
        awst: Document::Text(awst),
        task,
        caller: Caller::Daemon,
        cwd: "/".to_owned(),
        outputs: &mut Discard,
        may_write: None,
        debug: false,
        keep: Keep::Artifacts,
        stop: Some(&stop),
    });
    assert!(!report.panicked, "{:?}", report.reports.last());
}

/// The reader of options.
pub fn options(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let annotations = Some(Document::Text(text));
    run("[]", Task::Compile { options: Document::Text(text), annotations });
}

/// The reader of syntax trees and all that comes after it, without and with optimisations.
pub fn compile(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let options = {
        let arena = Arena::new();
        let ids: Vec<String> = read(text, &arena)
            .ok()
            .and_then(|json| json.as_array())
            .into_iter()
            .flat_map(|roots| roots.iter())
            .filter_map(|root| root.get("id")?.as_str())
            .map(|id| {
                let mut out = String::new();
                puya::json::write::write_string(&mut out, id);
                format!("{out}:\"out\"")
            })
            .collect();
        format!("{{\"compilation_set\":{{{}}}}}", ids.join(","))
    };
    std::thread::scope(|scope| {
        let work = || {
            run(text, Task::Analyse);
            let options = Document::Text(&options);
            run(text, Task::Compile { options, annotations: None });
        };
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, work).expect("a thread can be started");
        thread.join().expect("the compiler does not panic");
    });
}
