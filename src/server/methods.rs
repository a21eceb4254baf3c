//! The methods a client can call: one table, name -> handler. A handler gets the parameters of one
//! request and gives the text of its result, or an error.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miniserde::Serialize;

use crate::base::arena::Arena;
use crate::diagnostics::Severity;
use crate::json::read::{self, Json, Kind};
use crate::json::value::Value;
use crate::json::write::{Layout, write};
use crate::rpc::envelope::{Answer, ErrorCode, Request, RpcError, extent};

use super::policy::OutputRoot;

/// One row of the table.
struct Method {
    name: &'static str,
    run: fn(&mut Service<'_>, Params<'_>) -> Answer,
}

static METHODS: &[Method] = &[
    Method { name: "compile", run: compile },
    Method { name: "analyse", run: analyse },
    Method { name: "ping", run: ping },
    Method { name: "status", run: status },
    Method { name: "stop", run: stop },
];

/// What one compilation is given.
pub struct Job<'a> {
    /// The options document.
    pub options: &'a str,
    /// The AWST document.
    pub awst: &'a str,
    /// The source annotations document.
    pub source_annotations: Option<&'a str>,
    /// Where relative output paths start.
    pub base_path: &'a Path,
    /// Whether to write the files.
    pub write: bool,
    /// Whether to return what would be written.
    pub return_artifacts: bool,
    /// Whether a folder or file may be written.
    pub may_write: &'a dyn Fn(&Path) -> bool,
    /// Asked from time to time whether to give up.
    pub stop: &'a dyn Fn() -> bool,
}

/// A place in a source file, as clients get it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of a source location")]
pub struct LogPlace {
    pub file: Option<String>,
    pub line: u32,
    pub end_line: u32,
    pub comment_lines: u32,
    pub column: Option<u32>,
    pub end_column: Option<u32>,
}

/// A message of a compilation, as clients get it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// How serious it is.
    pub level: Severity,
    /// The text.
    pub message: String,
    /// Where, if it is anywhere.
    pub place: Option<LogPlace>,
}

/// What one compilation gives.
#[derive(Default)]
pub struct Compiled {
    /// Every message, in order.
    pub logs: Vec<LogEntry>,
    /// 0 is success.
    pub exit_code: u8,
    /// The files written.
    pub files: Vec<PathBuf>,
    /// What would be written, if it was asked for.
    pub artifacts: Vec<Value>,
    /// The application specification of every contract by id, in order.
    pub arc56: Vec<(String, Value)>,
    /// Set when a path was refused by `may_write`; nothing was written then.
    pub refused: Option<PathBuf>,
}

/// The compiler behind the methods. A trait, so that a test of the daemon can have one that is
/// slow, fails or panics.
pub trait Compiler {
    /// Compiles.
    fn compile(&self, job: &Job<'_>) -> Compiled;
    /// Compiles every contract and logic signature without writing anything.
    fn analyse(&self, awst: &str, stop: &dyn Fn() -> bool) -> Vec<LogEntry>;
}

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
pub struct Service<'c> {
    config: ServiceConfig,
    compiler: &'c dyn Compiler,
    started: Instant,
    compilations: u64,
    failed: u64,
    last_seconds: Option<f64>,
    /// Kept up to date by the event loop.
    pub gauges: Gauges,
    /// Set by `stop`.
    pub stop_requested: bool,
}

/// The parameters of a request, and the text they were read from.
#[derive(Clone, Copy)]
pub struct Params<'a> {
    text: &'a str,
    json: Option<Json<'a>>,
}

impl<'a> Params<'a> {
    /// The parameters of a request that was read from `text`.
    pub fn new(text: &'a str, json: Option<Json<'a>>) -> Self {
        Self { text, json }
    }
    /// A parameter; `null` is none.
    fn get(&self, name: &str) -> Option<&'a Json<'a>> {
        self.json.as_ref()?.get(name).filter(|value| !value.is_null())
    }
    /// Fails for parameters that go by position or are not known.
    fn check_names(&self, known: &[&str]) -> Result<(), RpcError> {
        let Some(json) = self.json else { return Ok(()) };
        match json.kind {
            Kind::Object(fields) => match fields.iter().find(|field| !known.contains(&field.0)) {
                Some(field) => Err(RpcError::params(format!("unknown parameter '{}'", field.0))),
                None => Ok(()),
            },
            Kind::Array([]) => Ok(()),
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
    fn document(&self, name: &str) -> Result<Option<&'a str>, RpcError> {
        let in_string = format!("{name}_json");
        match (self.get(&in_string), self.get(name)) {
            (Some(_), Some(_)) => {
                Err(RpcError::params(format!("'{in_string}' and '{name}' exclude each other")))
            }
            (Some(value), None) => value.as_str().map(Some).ok_or_else(|| {
                RpcError::params(format!("'{in_string}' must be a string holding JSON"))
            }),
            (None, Some(value)) => Ok(Some(&self.text[extent(self.text, *value)])),
            (None, None) => Ok(None),
        }
    }
    fn required_document(&self, name: &str) -> Result<&'a str, RpcError> {
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

impl<'c> Service<'c> {
    /// A service that has done nothing yet.
    pub fn new(config: ServiceConfig, compiler: &'c dyn Compiler) -> Self {
        Self {
            config,
            compiler,
            started: Instant::now(),
            compilations: 0,
            failed: 0,
            last_seconds: None,
            gauges: Gauges::default(),
            stop_requested: false,
        }
    }
    /// Answers one request that was read from `text`. A panic is the answer to this one request.
    pub fn call(&mut self, request: &Request<'_>, text: &str) -> Answer {
        let Some(method) = METHODS.iter().find(|method| method.name == request.method) else {
            let message = format!("Method not found: '{}'", request.method);
            return Err(RpcError::new(ErrorCode::MethodNotFound, message));
        };
        let params = Params { text, json: request.params };
        catch_unwind(AssertUnwindSafe(|| (method.run)(self, params))).unwrap_or_else(|_| {
            let id = format!("{:08x}", fastrand::u32(..));
            log::error!("internal error {id} in {}: {}", method.name, last_panic());
            let message = format!("Internal error, described in the daemon's log under {id}");
            Err(RpcError::new(ErrorCode::Internal, message))
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

fn compile(service: &mut Service<'_>, params: Params<'_>) -> Answer {
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
    let source_annotations = params.document("source_annotations")?;
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
    let root = service.config.output_root.clone();
    let may_write = |path: &Path| root.as_ref().is_none_or(|root| root.contains(path));
    if should_write && root.is_some() {
        check_output_folders(options, &base_path, &may_write)?;
    }

    let started = Instant::now();
    let deadline = started + service.config.compile_timeout;
    let timed_out = Cell::new(false);
    let stop = || {
        // once late, always late: the clock need not be asked again
        timed_out.set(timed_out.get() || Instant::now() >= deadline);
        timed_out.get()
    };
    let job = Job {
        options,
        awst,
        source_annotations,
        base_path: &base_path,
        write: should_write,
        return_artifacts,
        may_write: &may_write,
        stop: &stop,
    };
    let mut done = catch_unwind(AssertUnwindSafe(|| service.compiler.compile(&job)))
        .unwrap_or_else(|panic| {
            service.count(started, false);
            std::panic::resume_unwind(panic)
        });
    if let Some(path) = done.refused {
        service.count(started, false);
        return Err(refused(&path));
    }
    if timed_out.get() {
        let seconds = service.config.compile_timeout.as_secs_f64();
        done.exit_code = done.exit_code.max(1);
        done.logs.push(LogEntry {
            level: Severity::Error,
            message: format!("the compilation took longer than {seconds} seconds and was stopped"),
            place: None,
        });
    }
    let is_success = done.exit_code == 0;
    let seconds = service.count(started, is_success);
    log::info!("compilation {} in {seconds:.3} s", if is_success { "succeeded" } else { "failed" });
    let mut result =
        vec![("success", Value::from(is_success)), ("elapsed_time", Value::from(seconds))];
    if !is_success {
        result.push(("error", Value::from(first_error(&done.logs))));
    }
    let logs = done.logs.iter().filter(|entry| level.is_none_or(|level| entry.level >= level));
    result.push(("logs", Value::array(logs.map(|entry| log_value(entry, Comments::Omit)))));
    if should_write {
        let files = done.files.iter().map(|path| Value::from(path.to_string_lossy().into_owned()));
        result.push(("files", Value::array(files)));
    }
    if return_artifacts {
        result.push(("artifacts", Value::Array(done.artifacts)));
    }
    Ok(write(&Value::object(result), Layout::Dense))
}

/// Refuses output folders before anything is compiled. An options document that cannot be read is
/// left to the compiler, which says better what is wrong with it.
fn check_output_folders(
    options: &str,
    base_path: &Path,
    may_write: &dyn Fn(&Path) -> bool,
) -> Result<(), RpcError> {
    let arena = Arena::new();
    let Ok(json) = read::read(options, &arena) else { return Ok(()) };
    let folders = json.get("compilation_set").and_then(Json::as_object).unwrap_or_default();
    for folder in folders.iter().filter_map(|(_, folder)| folder.as_str()) {
        let folder = base_path.join(folder);
        if !may_write(&folder) {
            return Err(refused(&folder));
        }
    }
    Ok(())
}

fn refused(path: &Path) -> RpcError {
    let message = format!("Refused: '{}' is outside of the output root", path.display());
    RpcError::new(ErrorCode::Refused, message)
}

/// The first error, or a summary where a compilation failed without one.
fn first_error(logs: &[LogEntry]) -> &str {
    logs.iter()
        .find(|entry| entry.level >= Severity::Error)
        .map_or("the compilation failed", |entry| entry.message.as_str())
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
pub enum Comments {
    /// As editors get it.
    Include,
    /// As clients of the daemon get it.
    Omit,
}

/// A message as clients get it.
pub fn log_value(entry: &LogEntry, comments: Comments) -> Value {
    let place = entry.place.as_ref().map(|place| {
        let mut fields = vec![
            ("file", Value::from(place.file.clone())),
            ("line", Value::from(place.line)),
            ("end_line", Value::from(place.end_line)),
        ];
        if comments == Comments::Include {
            fields.push(("comment_lines", Value::from(place.comment_lines)));
        }
        fields.push(("column", Value::from(place.column)));
        fields.push(("end_column", Value::from(place.end_column)));
        Value::object(fields)
    });
    Value::object([
        ("level", Value::from(entry.level.name())),
        ("message", Value::from(entry.message.as_str())),
        ("location", place.unwrap_or(Value::Null)),
    ])
}

fn analyse(service: &mut Service<'_>, params: Params<'_>) -> Answer {
    params.check_names(&["awst", "awst_json", "base_path"])?;
    let awst = params.required_document("awst")?;
    let started = Instant::now();
    let deadline = started + service.config.compile_timeout;
    let mut logs = service.compiler.analyse(awst, &|| Instant::now() >= deadline);
    logs.retain(|entry| entry.level >= Severity::Info);
    let logs = logs.iter().map(|entry| log_value(entry, Comments::Include));
    Ok(write(&Value::object([("logs", Value::array(logs))]), Layout::Dense))
}

#[derive(Serialize)]
struct Pong {
    status: &'static str,
    version: &'static str,
    pid: u32,
}

fn ping(_service: &mut Service<'_>, params: Params<'_>) -> Answer {
    params.check_names(&[])?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(miniserde::json::to_string(&Pong { status: "ok", version, pid: std::process::id() }))
}

#[derive(Serialize)]
struct Stopping {
    success: bool,
    message: &'static str,
}

fn stop(service: &mut Service<'_>, params: Params<'_>) -> Answer {
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

fn status(service: &mut Service<'_>, params: Params<'_>) -> Answer {
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

#[cfg(test)]
mod tests;
