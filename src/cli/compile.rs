//! `puya --awst …`: compiles once in this process. Files in, files and log lines out.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::args::CompileArgs;
use super::daemon::{DaemonOptions, start_options};
use super::inputs::{self, read_inputs};
use crate::artifacts::write::Disk;
use crate::base::arena::Arena;
use crate::client::{CompileWithDaemon, compile_with_daemon_if_available};
use crate::compile::{Caller, Document, Keep, Request, Task, compile};
use crate::diagnostics::Severity;
use crate::diagnostics::render::{Report, Style, render};
use crate::rpc::token;
use crate::server::logging::tell;

/// The inputs could not be read.
const EXIT_UNREADABLE: u8 = 1;

/// How long to wait for a daemon, which may have others to serve first.
const DAEMON_TIMEOUT: Duration = Duration::from_secs(120);

/// Compiles and returns the exit code.
pub fn run(args: &CompileArgs) -> u8 {
    let outcome = if args.use_daemon { by_daemon(args) } else { in_process(args) };
    let (reports, exit_code, cwd) = match outcome {
        Ok(outcome) => outcome,
        Err(message) => {
            tell(format_args!("puya: {message}"));
            return EXIT_UNREADABLE;
        }
    };
    let style =
        Style { format: args.log.format, colours: std::env::var_os("NO_COLOR").is_none(), cwd };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for message in &reports {
        if args.log.level.is_none_or(|level| message.severity >= level) {
            // nobody reads on: there is nobody left to tell
            let _ = writeln!(out, "{}", render(message, &style));
        }
    }
    let _ = out.flush();
    exit_code
}

/// Messages, exit code, and the folder that paths are shown relative to; or why the inputs could not be
/// read.
type Outcome = Result<(Vec<Report>, u8, String), String>;

fn working_folder() -> Result<String, String> {
    let folder = std::env::current_dir();
    let folder = folder.map_err(|error| format!("there is no working folder: {error}"))?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Has the allocator give large pieces of memory back to the system when they are freed: there is one
/// compilation to make, and its stages need large pieces of different sizes.
fn return_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes no pointers and may be made at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 64 << 10);
    }
}

/// Compiles here.
fn in_process(args: &CompileArgs) -> Outcome {
    return_memory();
    let arena = Arena::new();
    let inputs = read_inputs(args, |path| inputs::read_document(path, &arena))?;
    let cwd = working_folder()?;
    let mut disk = Disk::new("");
    let report = compile(Request {
        awst: match &inputs.awst {
            inputs::Read::Tree(json) => Document::Tree(*json),
            inputs::Read::Text(text) => Document::Text(text),
        },
        task: Task::Compile {
            options: Document::Text(&inputs.options),
            annotations: inputs.annotations.as_deref().map(Document::Text),
        },
        caller: Caller::CommandLine,
        cwd: cwd.clone(),
        outputs: &mut disk,
        may_write: None,
        debug: args.log.level.is_none_or(|level| level <= Severity::Debug),
        keep: Keep::Nothing,
        stop: None,
    });
    Ok((report.reports, report.exit_code, cwd))
}

/// Lets a daemon compile, or does it here and says on stderr why.
fn by_daemon(args: &CompileArgs) -> Outcome {
    let inputs = read_inputs(args, inputs::read_maybe_compressed)?;
    let cwd = working_folder()?;
    let options = DaemonOptions::from(args.endpoint.clone());
    let start = if args.no_auto_start { None } else { start_options(&options).ok() };
    // a daemon that is to be started makes its token file itself
    if let (Some(path), Some(_)) = (&options.token_file, &start) {
        let _ = token::read_or_create(path);
    }
    let client = options.client(DAEMON_TIMEOUT);
    let outcome = compile_with_daemon_if_available(&CompileWithDaemon {
        options_json: &inputs.options,
        awst_json: &inputs.awst,
        source_annotations_json: inputs.annotations.as_deref(),
        base_path: Path::new(&cwd),
        log_level: args.log.level,
        daemon: client.as_ref().ok(),
        auto_start: start.as_ref(),
    });
    if let Some(why) = outcome.daemon_error.or(client.err()) {
        tell(format_args!("puya: compiling without a daemon: {why}"));
    }
    Ok((outcome.logs, outcome.exit_code, cwd))
}
