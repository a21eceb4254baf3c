//! The methods a client can call: one table, name -> handler. A handler gets the parameters of one
//! request and gives the text of its result, or an error. Over a WebSocket and over stdin the same
//! names mean the same work; parameters and results differ where their users differ.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miniserde::Serialize;

use super::policy::{Guarded, OutputRoot};
use crate::artifacts::write::{Discard, Outputs};
use crate::base::arena::Arena;
use crate::compile::{Caller, CompileReport, Document, Keep, Request as CompileRequest, Task};
use crate::diagnostics::Severity;
use crate::diagnostics::render::Report;
use crate::json::value::Value;
use crate::json::write::{Layout, write};
use crate::json::{self, Json, Kind};
use crate::rpc::envelope::{Answer, ErrorCode, Request, RpcError};

/// Where requests come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// Clients of the daemon.
    Socket,
    /// One editor or front end, over stdin and stdout.
    Stdio,
}

type Handler = fn(&mut Service, Params<'_>) -> Answer;

/// One row of the table: what a method does on either surface, if it is known there.
struct Method {
    name: &'static str,
    socket: Option<Handler>,
    stdio: Option<Handler>,
}

static METHODS: &[Method] = &[
    Method { name: "compile", socket: Some(compile), stdio: Some(stdio::compile) },
    Method { name: "analyse", socket: Some(analyse), stdio: Some(stdio::analyse) },
    Method { name: "ping", socket: Some(ping), stdio: None },
    Method { name: "status", socket: Some(status), stdio: None },
    Method { name: "stop", socket: Some(stop), stdio: None },
    Method { name: "shutdown", socket: None, stdio: Some(stdio::shutdown) },
];

/// The compiler behind the methods. Given as a function, so that a test of the daemon can have one
/// that is slow, fails or panics.
pub type Compile = fn(CompileRequest<'_>) -> CompileReport;

/// What the service is told once.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Where it listens, for `status`.
    pub address: String,
    /// How long one compilation may take.
    pub compile_timeout: Duration,
    /// Outside of it nothing is written.
    pub output_root: Option<OutputRoot>,
    /// Where relative paths start when a request does not say.
    pub working_folder: PathBuf,
    /// The lowest level of messages shown on stderr too (over stdin and stdout only).
    pub console_level: Option<Severity>,
}

/// What the event loop knows and `status` tells.
#[derive(Clone, Copy, Default, Debug)]
pub struct Gauges {
    /// Open connections.
    pub connections: usize,
    /// Messages that wait.
    pub queued: usize,
    /// Bytes read from all clients so far.
    pub bytes_in: u64,
    /// Bytes written to all clients so far.
    pub bytes_out: u64,
}

/// The methods' state.
pub struct Service {
    surface: Surface,
    config: ServiceConfig,
    compile: Compile,
    started: Instant,
    compilations: u64,
    failed: u64,
    last_seconds: Option<f64>,
    /// Kept up to date by the event loop.
    pub gauges: Gauges,
    /// Set by `stop` and by `shutdown`.
    pub stop_requested: bool,
}

/// The parameters of a request.
#[derive(Clone, Copy)]
struct Params<'a>(Option<Json<'a>>);

impl<'a> Params<'a> {
    /// A parameter; `null` is none.
    fn get(&self, name: &str) -> Option<Json<'a>> {
        self.0?.get(name).filter(|value| !value.is_null())
    }
    /// Fails for parameters that go by position or are not known.
    fn check_names(&self, known: &[&str]) -> Result<(), RpcError> {
        let Some(json) = self.0 else { return Ok(()) };
        match json.kind() {
            Kind::Object(members) => match members.keys().find(|key| !known.contains(key)) {
                Some(key) => Err(RpcError::params(format!("unknown parameter '{key}'"))),
                None => Ok(()),
            },
            Kind::Array(items) if items.is_empty() => Ok(()),
            _ => Err(RpcError::params("parameters are passed by name: 'params' must be an object")),
        }
    }
    fn string(&self, name: &str) -> Result<Option<&'a str>, RpcError> {
        self.get(name)
            .map(|value| {
                let error = || RpcError::params(format!("'{name}' must be a string"));
                value.as_str().ok_or_else(error)
            })
            .transpose()
    }
    fn boolean(&self, name: &str, default: bool) -> Result<bool, RpcError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| RpcError::params(format!("'{name}' must be true or false")))
    }
    /// A document: the string `NAME_json` that holds JSON, or the value `NAME` itself.
    fn document(&self, name: &str) -> Result<Option<Document<'a>>, RpcError> {
        let in_string = format!("{name}_json");
        match (self.get(&in_string), self.get(name)) {
            (Some(_), Some(_)) => {
                Err(RpcError::params(format!("'{in_string}' and '{name}' exclude each other")))
            }
            (Some(value), None) => match value.as_str() {
                Some(text) => Ok(Some(Document::Text(text))),
                None => {
                    Err(RpcError::params(format!("'{in_string}' must be a string holding JSON")))
                }
            },
            (None, Some(value)) => Ok(Some(Document::Tree(value))),
            (None, None) => Ok(None),
        }
    }
    fn required_document(&self, name: &str) -> Result<Document<'a>, RpcError> {
        self.document(name)?
            .ok_or_else(|| RpcError::params(format!("'{name}_json' is missing (or '{name}')")))
    }
}

thread_local! {
    /// The text of the last panic of this thread, taken by the hook below.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic is kept, with its backtrace, for whoever catches it, instead of being
/// printed. Only the thread that serves requests catches any.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::force_capture();
        let text = format!("{panic}\n{backtrace}");
        LAST_PANIC.with(|last| *last.borrow_mut() = Some(text));
    }));
}

/// The text of the panic that was just caught.
pub fn last_panic() -> String {
    LAST_PANIC.with(|last| last.borrow_mut().take()).unwrap_or_else(|| "panic".to_owned())
}

impl Service {
    /// A service that has done nothing yet.
    pub fn new(surface: Surface, config: ServiceConfig, compile: Compile) -> Self {
        Self {
            surface,
            config,
            compile,
            started: Instant::now(),
            compilations: 0,
            failed: 0,
            last_seconds: None,
            gauges: Gauges::default(),
            stop_requested: false,
        }
    }
    /// Answers one request. A panic is the answer to this one request.
    pub fn call(&mut self, request: &Request<'_>) -> Answer {
        let handler = METHODS.iter().find(|method| method.name == request.method).and_then(
            |method| match self.surface {
                Surface::Socket => method.socket,
                Surface::Stdio => method.stdio,
            },
        );
        let Some(handler) = handler else {
            let message = format!("Method Not Found: {}", request.method);
            return Err(RpcError::new(ErrorCode::MethodNotFound, message));
        };
        let params = Params(request.params);
        catch_unwind(AssertUnwindSafe(|| handler(self, params))).unwrap_or_else(|_| {
            match self.surface {
                Surface::Socket => Err(internal_error(request.method)),
                Surface::Stdio => stdio::fault(request.method),
            }
        })
    }
    fn count(&mut self, started: Instant, is_success: bool) -> f64 {
        let seconds = started.elapsed().as_secs_f64();
        self.compilations += 1;
        self.failed += u64::from(!is_success);
        self.last_seconds = Some(seconds);
        seconds
    }
}

/// The error that stands for a panic; what is known about it goes into the log.
fn internal_error(method: &str) -> RpcError {
    let id = format!("{:08x}", fastrand::u32(..));
    log::error!("internal error {id} in {method}: {}", last_panic());
    let message = format!("Internal error, described in the daemon's log under {id}");
    RpcError::new(ErrorCode::Internal, message)
}

/// A stop check for the time limit of one compilation.
fn time_limit(limit: Duration) -> impl Fn() -> bool {
    let deadline = Instant::now() + limit;
    let is_over = Cell::new(false);
    move || {
        // once late, always late: the clock need not be asked again
        is_over.set(is_over.get() || Instant::now() >= deadline);
        is_over.get()
    }
}

/// What a compilation past its time is told.
fn too_late(limit: Duration) -> Report {
    let seconds = limit.as_secs_f64();
    let message = format!(
        "the compilation took longer than {seconds} seconds and was stopped (--compile-timeout)"
    );
    Report::new(Severity::Error, message)
}

fn compile(service: &mut Service, params: Params<'_>) -> Answer {
    params.check_names(&[
        "options",
        "options_json",
        "awst",
        "awst_json",
        "source_annotations",
        "source_annotations_json",
        "base_path",
        "log_level",
        "write",
        "return_artifacts",
    ])?;
    let options = params.required_document("options")?;
    let awst = params.required_document("awst")?;
    let annotations = params.document("source_annotations")?;
    let base_path = params.string("base_path")?.map(Path::new).unwrap_or(Path::new(""));
    let base_path = service.config.working_folder.join(base_path);
    let level = match params.string("log_level")? {
        None => Some(Severity::Info),
        Some(name) => level_from_name(name).ok_or_else(|| {
            RpcError::params(format!(
                "'log_level' must be notset, debug, info, warning, error or critical, not '{name}'"
            ))
        })?,
    };
    let should_write = params.boolean("write", true)?;
    let return_artifacts = params.boolean("return_artifacts", false)?;

    let limit = service.config.compile_timeout;
    let started = Instant::now();
    let stop = time_limit(limit);
    let root = service.config.output_root.as_ref();
    let may_write = |folder: &Path| root.is_none_or(|root| root.contains(&base_path.join(folder)));
    let mut guarded = Guarded::new(&base_path, root);
    let outputs: &mut dyn Outputs = if should_write { &mut guarded } else { &mut Discard };
    if should_write
        && root.is_some()
        && let Some(folder) = first_forbidden_folder(options, &may_write)
    {
        return Err(refusal(&base_path.join(folder)));
    }
    let request = CompileRequest {
        awst,
        task: Task::Compile { options, annotations },
        caller: Caller::Daemon,
        cwd: base_path.to_string_lossy().into_owned(),
        outputs,
        may_write: if should_write && root.is_some() { Some(&may_write) } else { None },
        debug: level.is_none_or(|level| level <= Severity::Debug),
        keep: if return_artifacts { Keep::Artifacts } else { Keep::Nothing },
        stop: Some(&stop),
    };
    let mut report = catch_unwind(AssertUnwindSafe(|| (service.compile)(request)))
        .unwrap_or_else(|_| CompileReport { panicked: true, ..CompileReport::default() });
    let refused = report.refused.take().map(|folder| base_path.join(folder));
    let refused = refused.or_else(|| guarded.refused().map(Path::to_owned));
    let files: Vec<PathBuf> = guarded.written().to_vec();
    if report.stopped {
        report.exit_code = report.exit_code.max(1);
        report.reports.push(too_late(limit));
    }
    let is_success = report.exit_code == 0 && refused.is_none() && !report.panicked;
    let seconds = service.count(started, is_success);
    if report.panicked {
        return Err(internal_error("compile"));
    }
    if let Some(path) = refused {
        return Err(refusal(&path));
    }
    let outcome = if is_success { "succeeded" } else { "failed" };
    log::info!("compilation {outcome} in {seconds:.3} s");

    let mut result =
        vec![("success", Value::from(is_success)), ("elapsed_time", Value::from(seconds))];
    if !is_success {
        result.push(("error", Value::from(first_error(&report.reports))));
    }
    result.push(("logs", log_values(&report.reports, level, Comments::Omit)));
    if should_write {
        let files = files.iter().map(|path| Value::String(path.to_string_lossy()));
        result.push(("files", Value::array(files)));
    }
    if return_artifacts {
        let artifacts = report.artifacts.iter().map(artifacts::artifact_value);
        result.push(("artifacts", Value::array(artifacts)));
    }
    Ok(write(&Value::object(result), Layout::Dense))
}

fn refusal(path: &Path) -> RpcError {
    let message = format!("Refused: '{}' is outside of the output root", path.display());
    RpcError::new(ErrorCode::Refused, message)
}

/// A folder of the options that may not be written to. The compiler asks too, but only for what it
/// is about to write; this spares it the work. Options that cannot be read are left to it.
fn first_forbidden_folder(
    options: Document<'_>,
    may_write: &dyn Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let arena = Arena::new();
    let options = match options {
        Document::Tree(json) => json,
        Document::Text(text) => json::read(text, &arena).ok()?,
    };
    let folders = options.get("compilation_set")?.as_object()?.iter();
    let mut folders = folders.filter_map(|(_, folder)| folder.as_str().map(Path::new));
    folders.find(|folder| !may_write(folder)).map(Path::to_owned)
}

/// The first error, or a summary where a compilation failed without one.
fn first_error(reports: &[Report]) -> &str {
    reports
        .iter()
        .find(|report| report.severity >= Severity::Error)
        .map_or("the compilation failed", |report| report.message.as_str())
}

/// The severity a level name stands for; none inside for `notset`, which lets everything through.
pub fn level_from_name(name: &str) -> Option<Option<Severity>> {
    Some(match name {
        "notset" => None,
        "debug" => Some(Severity::Debug),
        "info" => Some(Severity::Info),
        "warning" => Some(Severity::Warning),
        "error" => Some(Severity::Error),
        "critical" => Some(Severity::Critical),
        _ => return None,
    })
}

/// Whether a location tells how many lines of comment stand above it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Comments {
    /// As editors get it.
    Include,
    /// As clients of the daemon get it.
    Omit,
}

/// The messages at a level and above, as clients get them; at every level for none.
fn log_values(reports: &[Report], level: Option<Severity>, comments: Comments) -> Value<'_> {
    let wanted = reports.iter().filter(|report| level.is_none_or(|level| report.severity >= level));
    Value::array(wanted.map(|report| log_value(report, comments)))
}

fn log_value(report: &Report, comments: Comments) -> Value<'_> {
    let location = report.location.as_ref().map(|location| {
        let mut fields = vec![
            ("file", Value::from(location.file.as_deref())),
            ("line", Value::from(location.line)),
            ("end_line", Value::from(location.end_line)),
        ];
        if comments == Comments::Include {
            fields.push(("comment_lines", Value::from(location.comment_lines)));
        }
        fields.push(("column", Value::from(location.column)));
        fields.push(("end_column", Value::from(location.end_column)));
        Value::object(fields)
    });
    Value::object([
        ("level", Value::from(report.severity.name())),
        ("message", Value::from(report.message.as_str())),
        ("location", location.unwrap_or(Value::Null)),
    ])
}

/// What analysing gives, with the messages editors show.
fn run_analysis(
    service: &Service,
    awst: Document<'_>,
    caller: Caller,
    stop: Option<&dyn Fn() -> bool>,
) -> CompileReport {
    (service.compile)(CompileRequest {
        awst,
        task: Task::Analyse,
        caller,
        cwd: service.config.working_folder.to_string_lossy().into_owned(),
        outputs: &mut Discard,
        may_write: None,
        debug: false,
        keep: Keep::Nothing,
        stop,
    })
}

fn analyse(service: &mut Service, params: Params<'_>) -> Answer {
    params.check_names(&["awst", "awst_json", "base_path"])?;
    let awst = params.required_document("awst")?;
    let limit = service.config.compile_timeout;
    let mut report = run_analysis(service, awst, Caller::Daemon, Some(&time_limit(limit)));
    if report.panicked {
        return Err(internal_error("analyse"));
    }
    if report.stopped {
        report.reports.push(too_late(limit));
    }
    let logs = log_values(&report.reports, Some(Severity::Info), Comments::Include);
    Ok(write(&Value::object([("logs", logs)]), Layout::Dense))
}

#[derive(Serialize)]
struct Pong {
    status: &'static str,
    version: &'static str,
    pid: u32,
}

fn ping(_service: &mut Service, params: Params<'_>) -> Answer {
    params.check_names(&[])?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(miniserde::json::to_string(&Pong { status: "ok", version, pid: std::process::id() }))
}

#[derive(Serialize)]
struct Stopping {
    success: bool,
    message: &'static str,
}

fn stop(service: &mut Service, params: Params<'_>) -> Answer {
    params.check_names(&[])?;
    service.stop_requested = true;
    Ok(miniserde::json::to_string(&Stopping { success: true, message: "Server stopping" }))
}

#[derive(Serialize)]
struct Status<'a> {
    version: &'static str,
    pid: u32,
    address: &'a str,
    uptime: f64,
    connections: usize,
    queued: usize,
    compilations: CompilationCounts,
    bytes_in: u64,
    bytes_out: u64,
    memory: Memory,
    last_compilation: Option<f64>,
}

#[derive(Serialize)]
struct CompilationCounts {
    total: u64,
    failed: u64,
}

/// Resident memory in bytes.
#[derive(Serialize)]
struct Memory {
    current: Option<u64>,
    peak: Option<u64>,
}

fn status(service: &mut Service, params: Params<'_>) -> Answer {
    params.check_names(&[])?;
    let gauges = service.gauges;
    Ok(miniserde::json::to_string(&Status {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        address: &service.config.address,
        uptime: service.started.elapsed().as_secs_f64(),
        connections: gauges.connections,
        queued: gauges.queued,
        compilations: CompilationCounts { total: service.compilations, failed: service.failed },
        bytes_in: gauges.bytes_in,
        bytes_out: gauges.bytes_out,
        memory: resident_memory(),
        last_compilation: service.last_seconds,
    }))
}

/// What the kernel says about us; unknown on systems without `/proc`.
fn resident_memory() -> Memory {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    };
    Memory { current: bytes("VmRSS:"), peak: bytes("VmHWM:") }
}

mod artifacts;
mod stdio;

#[cfg(test)]
mod tests;
