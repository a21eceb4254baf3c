//! The command line: one function per command.

pub mod daemon;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command the arguments name and returns the process's exit code.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let all = arguments.clone();
    let mut left = pico_args::Arguments::from_vec(arguments);
    let commands = ["--daemon", "--daemon-stop", "--daemon-status"].map(|flag| left.contains(flag));
    let should_detach = left.contains("--detach");
    let parsed = daemon::parse(&mut left).and_then(|options| match left.finish().first() {
        Some(other) => Err(format!("unexpected argument '{}'", other.to_string_lossy())),
        None => Ok(options),
    });
    let code = match (parsed, commands) {
        (Ok(options), [true, false, false]) if should_detach => daemon::detach(&options, &all),
        (Ok(options), [true, false, false]) => {
            daemon::serve(&options, &crate::server::compiler::Puya)
        }
        (Ok(options), [false, true, false]) if !should_detach => daemon::stop(&options),
        (Ok(options), [false, false, true]) if !should_detach => daemon::status(&options),
        (Ok(_), _) => {
            eprintln!("puya: one of --daemon, --daemon-stop and --daemon-status has to be given");
            2
        }
        (Err(message), _) => {
            eprintln!("puya: {message}");
            2
        }
    };
    ExitCode::from(code)
}
