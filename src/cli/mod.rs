//! The command line: one function per command.

pub mod args;
pub mod compile;
pub mod daemon;
mod inputs;

use std::ffi::OsString;
use std::process::ExitCode;

use args::Command;

use crate::server::logging::tell;

/// The arguments were wrong.
const EXIT_USAGE: u8 = 2;

/// Runs the command the arguments name and returns the process's exit code.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let code = match args::parse(arguments.clone()) {
        Ok(command) => dispatch(command, &arguments),
        Err(error) => {
            tell(format_args!("puya: {}\n\n{}", error.0, args::USAGE));
            EXIT_USAGE
        }
    };
    ExitCode::from(code)
}

/// Every command has its arm here. `arguments` are those the command was read from.
fn dispatch(command: Command, arguments: &[OsString]) -> u8 {
    match command {
        Command::Help => {
            print!("{}", args::help());
            0
        }
        Command::Version => {
            println!("{}", args::VERSION);
            0
        }
        Command::Compile(args) => compile::run(&args),
        Command::Daemon(args) if args.detach => daemon::detach(&args.into(), arguments),
        Command::Daemon(args) => daemon::serve(&args.into(), crate::compile::compile),
        Command::DaemonStop(endpoint) => daemon::stop(&endpoint.into()),
        Command::DaemonStatus(endpoint) => daemon::status(&endpoint.into()),
        Command::Serve(log) => crate::server::stdio::serve(log.level, crate::compile::compile),
    }
}
