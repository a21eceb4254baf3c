//! Blocking calls to a daemon, one connection each, and its health.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tungstenite::client::{ClientRequestBuilder, IntoClientRequest, client_with_config};
use tungstenite::handshake::HandshakeError;
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

use crate::base::arena::Arena;
use crate::json::read;
use crate::json::value::Value;
use crate::rpc::envelope::write_request;
use crate::rpc::pid_file::{self, PidFileState};

/// How long to wait for a daemon to show that it is alive.
pub const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// What is to be done where somebody else listens.
const NO_DAEMON: &str = "; it is no puya daemon, so choose another --port";

/// Why a call has no result.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody listens there.
    Unreachable(SocketAddr, io::Error),
    /// Who listens there does not let us in, or is no daemon.
    Refused(String),
    /// The connection broke, or what came is no answer.
    Broken(String),
    /// There was no answer in time.
    TimedOut,
    /// The daemon's error answer: code and message.
    Rpc(i64, String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable(address, error) => write!(
                f,
                "no daemon can be reached on {address}: {error}; `puya --daemon --detach` starts one"
            ),
            ClientError::Refused(why) => {
                write!(f, "who listens there refused the connection: {why}")
            }
            ClientError::Broken(why) => write!(f, "the connection to the daemon broke: {why}"),
            ClientError::TimedOut => write!(
                f,
                "the daemon did not answer in time; `puya --daemon-status` tells whether it is alive"
            ),
            ClientError::Rpc(code, message) => {
                write!(f, "the daemon answered: {message} ({code})")
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// The address a host name stands for: an address, or `localhost`. Names are never looked up.
pub fn host_address(host: &str) -> Option<IpAddr> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The parameters of `compile`.
#[derive(Clone, Debug, Default)]
pub struct CompileParams<'a> {
    /// The options document.
    pub options_json: &'a str,
    /// The AWST document.
    pub awst_json: &'a str,
    /// The source annotations document.
    pub source_annotations_json: Option<&'a str>,
    /// Where relative output paths start.
    pub base_path: Option<&'a Path>,
    /// The lowest level of messages to return.
    pub log_level: Option<&'a str>,
}

/// A daemon's address, and how to talk to it.
#[derive(Clone, Debug)]
pub struct PuyaDaemonClient {
    /// Where it listens.
    pub address: SocketAddr,
    /// How long a call may take.
    pub timeout: Duration,
    /// The token it wants, if it wants one.
    pub token: Option<String>,
}

impl PuyaDaemonClient {
    /// A client of the daemon at an address.
    pub fn new(address: SocketAddr, timeout: Duration) -> Self {
        Self { address, timeout, token: None }
    }
    /// Compiles; the result as the daemon gives it.
    pub fn compile_sync(&self, params: &CompileParams<'_>) -> Result<Value<'static>, ClientError> {
        let mut fields = vec![
            ("options_json", Value::from(params.options_json)),
            ("awst_json", Value::from(params.awst_json)),
        ];
        if let Some(text) = params.source_annotations_json {
            fields.push(("source_annotations_json", Value::from(text)));
        }
        if let Some(path) = params.base_path {
            fields.push(("base_path", Value::from(path.to_string_lossy().into_owned())));
        }
        if let Some(level) = params.log_level {
            fields.push(("log_level", Value::from(level)));
        }
        self.call("compile", Value::object(fields))
    }
    /// Asks for a sign of life.
    pub fn ping_sync(&self) -> Result<Value<'static>, ClientError> {
        self.call("ping", Value::Object(Vec::new()))
    }
    /// Stops the daemon, and waits until it has finished its work and closed the connection.
    pub fn stop_server_sync(&self) -> Result<Value<'static>, ClientError> {
        let deadline = Instant::now() + self.timeout;
        let mut socket = self.connect(deadline)?;
        let result = exchange(&mut socket, deadline, "stop", Value::Object(Vec::new()))?;
        loop {
            match receive(&mut socket, deadline) {
                Ok(_) => {}
                Err(ClientError::TimedOut) => return Err(ClientError::TimedOut),
                Err(_) => return Ok(result),
            }
        }
    }
    /// Calls a method.
    pub fn call(&self, method: &str, params: Value<'_>) -> Result<Value<'static>, ClientError> {
        let deadline = Instant::now() + self.timeout;
        let mut socket = self.connect(deadline)?;
        let result = exchange(&mut socket, deadline, method, params)?;
        // the answer is here: how the connection ends does not matter any more
        let _ = socket.close(None);
        let _ = socket.flush();
        Ok(result)
    }
    fn connect(&self, deadline: Instant) -> Result<WebSocket<TcpStream>, ClientError> {
        let left = time_left(deadline)?;
        let stream = TcpStream::connect_timeout(&self.address, left.min(PING_TIMEOUT))
            .map_err(|error| ClientError::Unreachable(self.address, error))?;
        let setup = || -> io::Result<()> {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(left))?;
            stream.set_write_timeout(Some(left))
        };
        setup().map_err(|error| ClientError::Broken(error.to_string()))?;
        let broken = |error: &dyn fmt::Display| ClientError::Broken(error.to_string());
        let uri: Uri = format!("ws://{}/", self.address).parse().map_err(|error| broken(&error))?;
        let mut request = ClientRequestBuilder::new(uri);
        if let Some(token) = &self.token {
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        let request = request.into_client_request().map_err(|error| broken(&error))?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(socket),
            Err(HandshakeError::Interrupted(_)) => Err(ClientError::TimedOut),
            Err(HandshakeError::Failure(Error::Http(response))) => {
                let text = response.body().as_deref().unwrap_or_default();
                let text = String::from_utf8_lossy(text);
                let why = format!("{} {}", response.status(), text.trim_end());
                // these a daemon says; its text tells what is missing
                let is_ours = matches!(response.status().as_u16(), 401 | 403 | 503);
                Err(ClientError::Refused(if is_ours { why } else { why + NO_DAEMON }))
            }
            Err(HandshakeError::Failure(error)) => {
                Err(ClientError::Refused(format!("{error}{NO_DAEMON}")))
            }
        }
    }
}

fn time_left(deadline: Instant) -> Result<Duration, ClientError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ClientError::TimedOut) } else { Ok(left) }
}

/// Sends a request and waits for its answer.
fn exchange(
    socket: &mut WebSocket<TcpStream>,
    deadline: Instant,
    method: &str,
    params: Value<'_>,
) -> Result<Value<'static>, ClientError> {
    let sent = socket.send(Message::text(write_request(1, method, params)));
    let text = match sent {
        // a daemon that refuses a message closes while we still send: its reason is worth reading
        Ok(()) | Err(Error::Io(_)) => receive(socket, deadline)?,
        Err(error) => return Err(ClientError::Broken(error.to_string())),
    };
    let arena = Arena::new();
    let answer = read::read(&text, &arena)
        .map_err(|error| ClientError::Broken(format!("the answer is not JSON: {error}")))?;
    if let Some(result) = answer.get("result") {
        return Ok(Value::from(result).into_owned());
    }
    let error = answer.get("error");
    let code = error.and_then(|error| error.get("code")?.as_number()?.parse().ok());
    let message = error.and_then(|error| error.get("message")?.as_str());
    match (code, message) {
        (Some(code), Some(message)) => Err(ClientError::Rpc(code, message.to_owned())),
        _ => Err(ClientError::Broken("the answer has neither result nor error".to_owned())),
    }
}

/// Waits for the next text message.
fn receive(socket: &mut WebSocket<TcpStream>, deadline: Instant) -> Result<String, ClientError> {
    loop {
        let left = time_left(deadline)?;
        socket
            .get_ref()
            .set_read_timeout(Some(left))
            .map_err(|error| ClientError::Broken(error.to_string()))?;
        match socket.read() {
            Ok(Message::Text(text)) => return Ok(text.to_string()),
            Ok(Message::Close(frame)) => {
                let why = frame.map_or("closed without a reason".to_owned(), |frame| {
                    format!("closed with {} {}", u16::from(frame.code), frame.reason)
                });
                return Err(ClientError::Broken(why));
            }
            Ok(_) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(ClientError::Broken(error.to_string())),
        }
    }
}

/// What can be seen of a daemon from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, miniserde::Serialize)]
pub struct DaemonHealth {
    /// There is a pid file.
    pub pid_file_exists: bool,
    /// A process holds its lock.
    pub pid_running: bool,
    /// Somebody listens on the port.
    pub port_open: bool,
    /// And answers `ping`.
    pub responsive: bool,
    /// The pid of whoever answers, or of whoever holds the pid file.
    pub pid: Option<u32>,
}

/// Looks at pid file and port.
pub fn check_daemon_health(client: &PuyaDaemonClient, pid_file: Option<&PathBuf>) -> DaemonHealth {
    let state = pid_file.map_or(PidFileState::Absent, |path| pid_file::look(path));
    let holder = match state {
        PidFileState::Held(pid) => pid,
        PidFileState::Absent | PidFileState::Stale => None,
    };
    let ping = client.ping_sync();
    let pid = match &ping {
        Ok(Value::Object(_)) => ping.as_ref().ok().and_then(pid_of),
        _ => None,
    };
    DaemonHealth {
        pid_file_exists: state != PidFileState::Absent,
        pid_running: matches!(state, PidFileState::Held(_)),
        port_open: !matches!(ping, Err(ClientError::Unreachable(..))),
        responsive: pid.is_some(),
        pid: pid.or(holder),
    }
}

/// The pid in the result of `ping`.
pub fn pid_of(ping: &Value) -> Option<u32> {
    match ping.get("pid")? {
        Value::Number(text) => text.parse().ok(),
        _ => None,
    }
}
