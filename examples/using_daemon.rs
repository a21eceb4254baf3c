//! How to compile through the puya daemon from Rust.
//!
//! ```text
//! cargo run --example using_daemon AWST.json OPTIONS.json
//! ```
//!
//! The first run starts the daemon with the executable in `PUYA_BIN` (or `puya` on the path); later
//! ones find it running. `puya --daemon-stop` ends it.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use puya::client::{
    CompileWithDaemon, PuyaDaemonClient, StartOptions, check_daemon_health,
    compile_with_daemon_if_available,
};
use puya::diagnostics::Severity;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [awst, options] = paths.as_slice() else {
        eprintln!("usage: using_daemon AWST.json OPTIONS.json");
        return ExitCode::from(2);
    };
    let read = |path: &String| std::fs::read_to_string(path).expect("the file can be read");
    let address = SocketAddr::from(([127, 0, 0, 1], 8765));
    let daemon = PuyaDaemonClient::new(address, Duration::from_secs(120));
    let start = StartOptions {
        executable: std::env::var_os("PUYA_BIN").unwrap_or("puya".into()).into(),
        arguments: Vec::new(),
        timeout: Duration::from_secs(10),
    };
    let outcome = compile_with_daemon_if_available(&CompileWithDaemon {
        options_json: &read(options),
        awst_json: &read(awst),
        source_annotations_json: None,
        base_path: &std::env::current_dir().expect("there is a working folder"),
        log_level: Some(Severity::Info),
        daemon: Some(&daemon),
        auto_start: Some(&start),
    });
    for log in &outcome.logs {
        println!("{}: {}", log.severity.name(), log.message);
    }
    if let Some(why) = &outcome.daemon_error {
        println!("compiled in this process: {why}");
    }
    println!("success: {}, {:?}", outcome.success, outcome.elapsed_time);
    println!("{:?}", check_daemon_health(&daemon, None));
    ExitCode::from(outcome.exit_code)
}
