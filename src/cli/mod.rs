//! The command line: one function per command.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command the arguments name and returns the process's exit code.
pub fn run(_arguments: Vec<OsString>) -> ExitCode {
    eprintln!("puya: no command is implemented yet");
    ExitCode::from(2)
}
