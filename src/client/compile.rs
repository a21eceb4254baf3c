//! Compiling through a daemon where there is one, and in this process where there is none.

use std::path::Path;
use std::time::{Duration, Instant};

use super::direct::{ClientError, CompileParams, PuyaDaemonClient};
use super::ensure::{StartOptions, ensure_daemon_running};
use crate::artifacts::write::Disk;
use crate::base::arena::Arena;
use crate::compile::{Caller, Document, Keep, Request, Task, compile};
use crate::diagnostics::Severity;
use crate::diagnostics::render::{Report, ReportLocation, excerpt};
use crate::json::read::read;
use crate::json::value::Value;

/// What to compile, and whose help to take.
#[derive(Clone, Copy, Debug)]
pub struct CompileWithDaemon<'a> {
    /// The options document.
    pub options_json: &'a str,
    /// The AWST document.
    pub awst_json: &'a str,
    /// The source annotations document.
    pub source_annotations_json: Option<&'a str>,
    /// The folder relative paths start from: an absolute path.
    pub base_path: &'a Path,
    /// The lowest level of messages wanted; none for all.
    pub log_level: Option<Severity>,
    /// The daemon to ask; none to compile in this process without asking.
    pub daemon: Option<&'a PuyaDaemonClient>,
    /// How to start it if it does not run; none to leave it at that.
    pub auto_start: Option<&'a StartOptions>,
}

/// What came of it, wherever it was done.
#[derive(Clone, PartialEq, Debug)]
pub struct CompileOutcome {
    /// Whether there was no error.
    pub success: bool,
    /// Whether a daemon did it.
    pub used_daemon: bool,
    /// How long it took altogether.
    pub elapsed_time: Duration,
    /// The first error, if there was one.
    pub error: Option<String>,
    /// Why no daemon did it, if one should have.
    pub daemon_error: Option<String>,
    /// The messages.
    pub logs: Vec<Report>,
    /// The exit code of a compiler with these messages: 2 after a critical one, 1 after an error.
    pub exit_code: u8,
}

/// Compiles through the daemon; in this process when it cannot be reached, cannot be started or
/// breaks off.
pub fn compile_with_daemon_if_available(request: &CompileWithDaemon<'_>) -> CompileOutcome {
    let started = Instant::now();
    let by_daemon = request.daemon.map(|daemon| ask_daemon(daemon, request));
    let mut outcome = match by_daemon {
        Some(Ok(outcome)) => outcome,
        // asking differently, or asking ourselves, would only go round what the daemon is told
        Some(Err(ClientError::Rpc(code, message))) if code == REFUSED || code == INVALID_PARAMS => {
            let logs = vec![Report::new(Severity::Critical, message)];
            CompileOutcome { used_daemon: true, ..outcome(logs, 2) }
        }
        Some(Err(error)) => {
            CompileOutcome { daemon_error: Some(error.to_string()), ..in_process(request) }
        }
        None => in_process(request),
    };
    outcome.elapsed_time = started.elapsed();
    outcome
}

const REFUSED: i64 = -32001;
const INVALID_PARAMS: i64 = -32602;

fn outcome(mut logs: Vec<Report>, exit_code: u8) -> CompileOutcome {
    let error = logs.iter().find(|report| report.severity >= Severity::Error);
    let error = error.map(|report| report.message.clone());
    let is_success = exit_code == 0;
    logs.shrink_to_fit();
    CompileOutcome {
        success: is_success,
        used_daemon: false,
        elapsed_time: Duration::ZERO,
        error: if is_success {
            None
        } else {
            error.or_else(|| Some("the compilation failed".to_owned()))
        },
        daemon_error: None,
        logs,
        exit_code,
    }
}

fn ask_daemon(
    daemon: &PuyaDaemonClient,
    request: &CompileWithDaemon<'_>,
) -> Result<CompileOutcome, ClientError> {
    let params = CompileParams {
        options_json: request.options_json,
        awst_json: request.awst_json,
        source_annotations_json: request.source_annotations_json,
        base_path: Some(request.base_path),
        log_level: Some(request.log_level.map_or("notset", Severity::name)),
    };
    // connect first: asking whether it runs before every compilation would cost a round trip
    let result = match (daemon.compile_sync(&params), request.auto_start) {
        (Err(ClientError::Unreachable(..)), Some(start)) => {
            ensure_daemon_running(daemon, start)
                .map_err(|error| ClientError::Broken(error.to_string()))?;
            daemon.compile_sync(&params)?
        }
        (result, _) => result?,
    };
    let broken = || ClientError::Broken("the result is not that of a compilation".to_owned());
    let Some(Value::Bool(is_success)) = result.get("success") else { return Err(broken()) };
    let Some(Value::Array(logs)) = result.get("logs") else { return Err(broken()) };
    let mut logs: Vec<Report> =
        logs.iter().map(report_of).collect::<Option<_>>().ok_or_else(broken)?;
    let is_critical = logs.iter().any(|report| report.severity == Severity::Critical);
    let exit_code = match (is_success, is_critical) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    };
    if let Some(annotations) = request.source_annotations_json {
        add_excerpts(&mut logs, annotations);
    }
    let mut done = CompileOutcome { used_daemon: true, ..outcome(logs, exit_code) };
    if let Some(Value::String(error)) = result.get("error") {
        done.error = Some(error.clone().into_owned());
    }
    Ok(done)
}

/// Adds the lines of source that errors are about: the daemon sends places only, and the sources are
/// here.
fn add_excerpts(logs: &mut [Report], annotations_json: &str) {
    let arena = Arena::new();
    let Ok(annotations) = read(annotations_json, &arena) else { return };
    for report in logs.iter_mut().filter(|report| report.severity >= Severity::Error) {
        let Some(location) = &report.location else { continue };
        let lines = location.file.as_deref().and_then(|file| annotations.get(file)?.as_array());
        // lines that do not exist are not shown; that is the daemon's to complain about
        let place = (location.line as usize).saturating_sub(1)..location.end_line as usize;
        let Some(lines) = lines.filter(|lines| place.end <= lines.len()) else { continue };
        let lines = place.filter_map(|line| lines.get(line)?.as_str().map(str::to_owned));
        let lines: Vec<String> = lines.collect();
        report.excerpt = excerpt(&lines, location.column, location.end_column);
    }
}

/// A message as the daemon sends it.
fn report_of(log: &Value) -> Option<Report> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone().into_owned()),
        _ => None,
    };
    let level = text(log.get("level")?)?;
    let severity =
        [Severity::Debug, Severity::Info, Severity::Warning, Severity::Error, Severity::Critical]
            .into_iter()
            .find(|severity| severity.name() == level)?;
    let location = match log.get("location")? {
        Value::Null => None,
        location => {
            let number = |name: &str| match location.get(name) {
                Some(Value::Number(text)) => text.parse().ok(),
                _ => None,
            };
            Some(ReportLocation {
                file: location.get("file").and_then(text),
                line: number("line")?,
                end_line: number("end_line")?,
                comment_lines: number("comment_lines").unwrap_or(0),
                column: number("column"),
                end_column: number("end_column"),
            })
        }
    };
    Some(Report { location, ..Report::new(severity, text(log.get("message")?)?) })
}

fn in_process(request: &CompileWithDaemon<'_>) -> CompileOutcome {
    let report = compile(Request {
        awst: Document::Text(request.awst_json),
        task: Task::Compile {
            options: Document::Text(request.options_json),
            annotations: request.source_annotations_json.map(Document::Text),
        },
        caller: Caller::CommandLine,
        cwd: request.base_path.to_string_lossy().into_owned(),
        outputs: &mut Disk::new(request.base_path),
        may_write: None,
        debug: request.log_level.is_none_or(|level| level <= Severity::Debug),
        keep: Keep::Nothing,
        stop: None,
    });
    let mut logs = report.reports;
    logs.retain(|report| request.log_level.is_none_or(|level| report.severity >= level));
    outcome(logs, report.exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_daemon_the_work_is_done_here_and_the_reason_told() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let daemon = PuyaDaemonClient::new(nobody, Duration::from_secs(5));
        let request = CompileWithDaemon {
            options_json: r#"{"compilation_set": {"nothing": "out"}}"#,
            awst_json: "[]",
            source_annotations_json: None,
            base_path: &std::env::temp_dir(),
            log_level: Some(Severity::Info),
            daemon: Some(&daemon),
            auto_start: None,
        };
        let outcome = compile_with_daemon_if_available(&request);
        assert!(!outcome.success && !outcome.used_daemon);
        assert_eq!(outcome.exit_code, 1);
        assert!(outcome.error.unwrap().contains("'nothing' not found"));
        assert!(outcome.daemon_error.unwrap().contains("no daemon can be reached"));
        let alone = CompileWithDaemon { daemon: None, ..request };
        assert_eq!(compile_with_daemon_if_available(&alone).daemon_error, None);
    }
}
