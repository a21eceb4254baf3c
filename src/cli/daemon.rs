//! The commands around the daemon: `--daemon`, `--daemon-stop`, `--daemon-status`. Options in, exit
//! code out.

use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{DaemonArgs, Endpoint};
use crate::client::direct::{PING_TIMEOUT, pid_of};
use crate::client::ensure::{ANNOUNCE_READY, ANNOUNCE_VARIABLE, is_running, wait_for};
use crate::client::{
    ClientError, PuyaDaemonClient, StartError, StartOptions, check_daemon_health,
    start_daemon_process,
};
use crate::diagnostics::Severity;
use crate::diagnostics::render::LogFormat;
use crate::json::value::Value;
use crate::rpc::pid_file::{PidFileError, PidFileState, look, make_folder};
use crate::rpc::{EXIT_ALREADY_RUNNING, token};
use crate::server::connection::Limits;
use crate::server::handshake::Admission;
use crate::server::logging::{self, tell};
use crate::server::methods::{Compile, keep_panics, last_panic};
use crate::server::policy::OutputRoot;
use crate::server::signals::Signals;
use crate::server::{Server, ServerConfig, ServerError};

/// How long a daemon in the background may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long `--daemon-stop` waits for compilations that still run.
const STOP_TIMEOUT: Duration = Duration::from_secs(120);

/// The exit code of a Rust program that panics.
const EXIT_PANIC: u8 = 101;

/// What the daemon's commands are told.
#[derive(Clone, Debug)]
pub struct DaemonOptions {
    /// `--host`
    pub host: IpAddr,
    /// `--port`
    pub port: u16,
    /// `--pid-file`; none for the one in the home folder.
    pub pid_file: Option<PathBuf>,
    /// `--log-level`; none for `notset`.
    pub log_level: Option<Severity>,
    /// `--log-format`
    pub log_format: LogFormat,
    /// `--log-file`
    pub log_file: Option<PathBuf>,
    /// `--idle-timeout`
    pub idle_timeout: Option<Duration>,
    /// `--max-message-size`
    pub max_message_size: usize,
    /// `--max-connections`
    pub max_connections: usize,
    /// `--compile-timeout`
    pub compile_timeout: Duration,
    /// `--output-root`
    pub output_root: Option<PathBuf>,
    /// `--allow-origin`
    pub allowed_origins: Vec<String>,
    /// `--token-file`
    pub token_file: Option<PathBuf>,
}

impl Default for DaemonOptions {
    fn default() -> Self {
        let limits = Limits::default();
        let config = ServerConfig::default();
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: config.port,
            pid_file: None,
            log_level: Some(Severity::Info),
            log_format: LogFormat::Default,
            log_file: None,
            idle_timeout: None,
            max_message_size: limits.message_max,
            max_connections: limits.connections_max,
            compile_timeout: config.compile_timeout,
            output_root: None,
            allowed_origins: Vec::new(),
            token_file: None,
        }
    }
}

impl From<Endpoint> for DaemonOptions {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            host: endpoint.host,
            port: endpoint.port,
            pid_file: endpoint.pid_file,
            token_file: endpoint.token_file,
            ..Self::default()
        }
    }
}

impl From<DaemonArgs> for DaemonOptions {
    fn from(args: DaemonArgs) -> Self {
        Self {
            log_level: args.log.level,
            log_format: args.log.format,
            log_file: args.log_file,
            idle_timeout: args.idle_timeout,
            max_message_size: args.max_message_size,
            max_connections: args.max_connections,
            compile_timeout: args.compile_timeout,
            output_root: args.output_root,
            allowed_origins: args.allow_origins,
            ..Self::from(args.endpoint)
        }
    }
}

impl DaemonOptions {
    /// The pid file to use; none when there is no home folder to put it in.
    pub fn pid_file(&self) -> Option<PathBuf> {
        self.pid_file.clone().or_else(default_pid_file)
    }
    /// A client of the daemon these options name.
    pub fn client(&self, timeout: Duration) -> Result<PuyaDaemonClient, String> {
        let mut client = PuyaDaemonClient::new(SocketAddr::new(self.host, self.port), timeout);
        if let Some(path) = &self.token_file {
            let read = token::read(path);
            client.token =
                Some(read.map_err(|error| format!("cannot read {}: {error}", path.display()))?);
        }
        Ok(client)
    }
}

/// `~/.puya/daemon.pid`
pub fn default_pid_file() -> Option<PathBuf> {
    home::home_dir().map(|home| home.join(".puya").join("daemon.pid"))
}

/// `--daemon`: serves in the foreground until it is stopped.
pub fn serve(options: &DaemonOptions, compile: Compile) -> u8 {
    let announce = std::env::var_os(ANNOUNCE_VARIABLE).is_some();
    let (line, code) = match listen(options, compile) {
        Ok(server) => {
            let address = server.address();
            announce_line(announce, &format!("{ANNOUNCE_READY}{address}"));
            // a panic outside of any request was kept, too: nobody else would tell it
            match catch_unwind(AssertUnwindSafe(|| server.run())) {
                Ok(Ok(())) => return 0,
                Ok(Err(error)) => (error.to_string(), 1),
                Err(_) => (format!("internal error: {}", last_panic()), EXIT_PANIC),
            }
        }
        Err(refusal) => refusal,
    };
    announce_line(announce, &line);
    tell(format_args!("puya: {line}"));
    code
}

/// Tells whoever started us in the background. It may have given up waiting.
fn announce_line(announce: bool, line: &str) {
    if announce {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// A server that listens, or what is wrong and the exit code for it.
fn listen(options: &DaemonOptions, compile: Compile) -> Result<Server, (String, u8)> {
    let failed = |message: String| (message, 1);
    let about = |what: &str, path: &Path, error: std::io::Error| {
        failed(format!("cannot {what} {}: {error}", path.display()))
    };
    logging::start(options.log_level, options.log_format, options.log_file.as_deref()).map_err(
        |error| about("write", options.log_file.as_deref().unwrap_or(Path::new("stderr")), error),
    )?;
    let check_root =
        |path: &PathBuf| OutputRoot::new(path).map_err(|error| about("use", path, error));
    let pid_file = options.pid_file();
    if pid_file.is_none() {
        return Err(failed("there is no home folder: a --pid-file has to be given".to_owned()));
    }
    let config = ServerConfig {
        host: options.host,
        port: options.port,
        pid_file: pid_file.clone(),
        admission: Admission { origins: options.allowed_origins.clone(), token: None },
        token_file: options.token_file.clone(),
        limits: Limits {
            message_max: options.max_message_size,
            connections_max: options.max_connections,
            ..Limits::default()
        },
        idle_timeout: options.idle_timeout,
        compile_timeout: options.compile_timeout,
        output_root: options.output_root.as_ref().map(check_root).transpose()?,
    };
    // before anybody can know of this process: the first signal must not end it on the spot
    let signals = Signals::install().map_err(|error| failed(format!("no signals: {error}")))?;
    let already_running = |message| (message, EXIT_ALREADY_RUNNING as u8);
    let mut server = Server::bind(config, compile).map_err(|error| match error {
        ServerError::InUse(address) => {
            already_running(in_use(address, options, pid_file.as_deref()))
        }
        ServerError::PidFile(PidFileError::Held(..)) => already_running(error.to_string()),
        error => failed(error.to_string()),
    })?;
    keep_panics();
    server.watch(signals).map_err(|error| failed(error.to_string()))?;
    Ok(server)
}

/// Who it is that listens on our port.
fn in_use(address: SocketAddr, options: &DaemonOptions, pid_file: Option<&Path>) -> String {
    let mut client = PuyaDaemonClient::new(address, PING_TIMEOUT);
    client.token = options.token_file.as_deref().and_then(|path| token::read(path).ok());
    let ping = client.ping_sync().map_err(|error| error.to_string()).and_then(|ping| {
        pid_of(&ping).ok_or_else(|| "it answers, but not as a daemon does".to_owned())
    });
    match (ping, pid_file.map(look)) {
        (Ok(pid), _) => format!("a daemon with pid {pid} already runs on {address}"),
        (Err(why), Some(PidFileState::Held(Some(pid)))) => {
            format!("{address} is already in use, and a daemon runs with pid {pid} ({why})")
        }
        (Err(why), _) => {
            format!("{address} is already in use ({why}): --port chooses another one")
        }
    }
}

/// `--daemon --detach`: starts one in the background. `arguments` are those of this process.
pub fn detach(options: &DaemonOptions, arguments: &[OsString]) -> u8 {
    let mut arguments: Vec<OsString> = arguments
        .iter()
        .filter(|argument| *argument != "--detach" && *argument != "--daemon")
        .cloned()
        .collect();
    arguments.extend(background_log(options));
    let executable = match std::env::current_exe() {
        Ok(path) => path,
        Err(error) => {
            tell(format_args!("puya: cannot tell the path of this program: {error}"));
            return 1;
        }
    };
    match start_daemon_process(&StartOptions { executable, arguments, timeout: START_TIMEOUT }) {
        Ok(started) => {
            println!("puya daemon started: pid {}, ws://{}", started.pid, started.address);
            0
        }
        Err(error) => {
            tell(format_args!("puya: {error}"));
            match error {
                StartError::Failed(Some(code), _) => u8::try_from(code).unwrap_or(1),
                _ => 1,
            }
        }
    }
}

/// Where a daemon that nobody sees logs to, as arguments: beside the pid file.
fn background_log(options: &DaemonOptions) -> Vec<OsString> {
    match options.pid_file() {
        Some(pid_file) if options.log_file.is_none() => {
            let log_file = pid_file.with_extension("log");
            // if it cannot be made, the daemon says so
            let _ = make_folder(&log_file);
            vec!["--log-file".into(), log_file.into()]
        }
        _ => Vec::new(),
    }
}

/// How to start the daemon that these options name in the background.
pub fn start_options(options: &DaemonOptions) -> std::io::Result<StartOptions> {
    let mut arguments: Vec<OsString> = vec![
        "--host".into(),
        options.host.to_string().into(),
        "--port".into(),
        options.port.to_string().into(),
    ];
    let files = [("--pid-file", &options.pid_file), ("--token-file", &options.token_file)];
    for (flag, path) in files {
        if let Some(path) = path {
            arguments.extend([flag.into(), path.into()]);
        }
    }
    arguments.extend(background_log(options));
    let executable = std::env::current_exe()?;
    Ok(StartOptions { executable, arguments, timeout: START_TIMEOUT })
}

/// `--daemon-stop`: returns when the daemon is gone.
pub fn stop(options: &DaemonOptions) -> u8 {
    let outcome = options.client(STOP_TIMEOUT).and_then(|client| {
        let ping = client.ping_sync().map_err(|error| error.to_string())?;
        let stopped = match client.stop_server_sync() {
            // it may be stopping already, on somebody else's request
            Err(ClientError::Rpc(_, message)) => Value::object([("message", Value::from(message))]),
            other => other.map_err(|error| error.to_string())?,
        };
        let is_local = client.address.ip().is_loopback();
        let pid = pid_of(&ping).filter(|_| is_local);
        if pid.is_some_and(|pid| !wait_for(|| !is_running(pid), STOP_TIMEOUT)) {
            return Err("the daemon still finishes its work".to_owned());
        }
        Ok(stopped)
    });
    match outcome {
        Ok(result) => {
            if let Some(Value::String(message)) = result.get("message") {
                println!("{message}");
            }
            0
        }
        Err(message) => {
            tell(format_args!("puya: {message}"));
            1
        }
    }
}

/// `--daemon-status`: the health report; success if it is responsive.
pub fn status(options: &DaemonOptions) -> u8 {
    match options.client(PING_TIMEOUT) {
        Ok(client) => {
            let health = check_daemon_health(&client, options.pid_file().as_ref());
            println!("{}", miniserde::json::to_string(&health));
            u8::from(!health.responsive)
        }
        Err(message) => {
            tell(format_args!("puya: {message}"));
            1
        }
    }
}
