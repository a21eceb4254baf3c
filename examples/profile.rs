//! Compiles the same documents again and again in one process, for a profiler to look at.
//!
//! ```text
//! cargo run --release --example profile ROUNDS OPTIONS.json AWST.json [SOURCES.json]
//! ```
//!
//! Prints the median of the seconds a compilation took. Nothing is written.

use std::process::ExitCode;
use std::time::Instant;

use puya::artifacts::write::Discard;
use puya::base::heap::Heap;
use puya::compile::{Caller, Document, Keep, Request, Task, compile};

#[global_allocator]
static ALLOCATOR: Heap = Heap;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let rounds = args.next().and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0);
    let texts: Vec<String> = args
        .map(|path| {
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        })
        .collect();
    let (Some(rounds), [options, awst, sources @ ..]) = (rounds, texts.as_slice()) else {
        eprintln!("usage: profile ROUNDS OPTIONS.json AWST.json [SOURCES.json]");
        return ExitCode::from(2);
    };
    let mut seconds: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            compile(Request {
                awst: Document::Text(awst),
                task: Task::Compile {
                    options: Document::Text(options),
                    annotations: sources.first().map(|text| Document::Text(text)),
                },
                caller: Caller::Daemon,
                cwd: "/".to_owned(),
                outputs: &mut Discard,
                may_write: None,
                debug: false,
                keep: Keep::Nothing,
                stop: None,
            });
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!("{:.3} ms", seconds[rounds / 2] * 1e3);
    ExitCode::SUCCESS
}
