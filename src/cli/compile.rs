//! `puya --awst …`: compiles once in this process. Files in, files and log lines out.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::args::CompileArgs;
use super::daemon::{DaemonOptions, start_options};
use crate::artifacts::write::Disk;
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

/// The documents of a compilation, as texts.
pub struct Inputs {
    /// The syntax trees.
    pub awst: String,
    /// The options.
    pub options: String,
    /// The lines of source files.
    pub annotations: Option<String>,
}

/// Reads the documents that the arguments name; the error is one line.
pub fn read_inputs(args: &CompileArgs) -> Result<Inputs, String> {
    let named = |path: &Path, read: fn(&Path) -> io::Result<String>| {
        read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    Ok(Inputs {
        awst: named(&args.awst, read_maybe_compressed)?,
        options: named(&args.options, read_text)?,
        annotations: args
            .source_annotations
            .as_deref()
            .map(|path| named(path, read_text))
            .transpose()?,
    })
}

/// Compiles and returns the exit code.
pub fn run(args: &CompileArgs) -> u8 {
    let inputs = match read_inputs(args) {
        Ok(inputs) => inputs,
        Err(message) => {
            tell(format_args!("puya: {message}"));
            return EXIT_UNREADABLE;
        }
    };
    let cwd = match std::env::current_dir() {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(error) => {
            tell(format_args!("puya: there is no working folder: {error}"));
            return EXIT_UNREADABLE;
        }
    };
    let (reports, exit_code) = if args.use_daemon {
        by_daemon(args, &inputs, &cwd)
    } else {
        in_process(args, &inputs, &cwd)
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

/// Compiles here: messages and exit code.
fn in_process(args: &CompileArgs, inputs: &Inputs, cwd: &str) -> (Vec<Report>, u8) {
    let mut disk = Disk::new("");
    let report = compile(Request {
        awst: Document::Text(&inputs.awst),
        task: Task::Compile {
            options: Document::Text(&inputs.options),
            annotations: inputs.annotations.as_deref().map(Document::Text),
        },
        caller: Caller::CommandLine,
        cwd: cwd.to_owned(),
        outputs: &mut disk,
        may_write: None,
        debug: args.log.level.is_none_or(|level| level <= Severity::Debug),
        keep: Keep::Nothing,
        stop: None,
    });
    (report.reports, report.exit_code)
}

/// Lets a daemon compile, or does it here and says on stderr why.
fn by_daemon(args: &CompileArgs, inputs: &Inputs, cwd: &str) -> (Vec<Report>, u8) {
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
        base_path: Path::new(cwd),
        log_level: args.log.level,
        daemon: client.as_ref().ok(),
        auto_start: start.as_ref(),
    });
    if let Some(why) = outcome.daemon_error.or(client.err()) {
        tell(format_args!("puya: compiling without a daemon: {why}"));
    }
    (outcome.logs, outcome.exit_code)
}

/// The text of a file; what its suffix says is compressed is unpacked.
fn read_maybe_compressed(path: &Path) -> io::Result<String> {
    if !path.extension().is_some_and(|suffix| suffix == "gz" || suffix == "gzip") {
        return read_text(path);
    }
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    text_of(bytes)
}

fn read_text(path: &Path) -> io::Result<String> {
    text_of(std::fs::read(path)?)
}

/// UTF-8 with every kind of line end read as `\n`.
fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))?;
    if !text.contains('\r') {
        return Ok(text);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_unified_and_bad_bytes_refused() {
        assert_eq!(text_of(b"a\r\nb\rc\n".to_vec()).unwrap(), "a\nb\nc\n");
        let error = text_of(b"ab\xff".to_vec()).unwrap_err().to_string();
        assert_eq!(error, "invalid utf-8 sequence of 1 bytes from index 2");
    }
}
