//! The daemon over real sockets: each rule of its contract, seen from a client's side. What can be
//! seen from outside runs the executable; what needs a slow or faulty compiler, or short time
//! limits, runs the server in a thread.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use puya::compile::{CompileReport, Document, Request};
use puya::diagnostics::Severity;
use puya::diagnostics::render::Report;
use puya::server::connection::Limits;
use puya::server::handshake::Admission;
use puya::server::{Server, ServerConfig};
use tungstenite::client::{ClientRequestBuilder, IntoClientRequest, client_with_config};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

/// Longer than anything takes on a slow machine; only a fault waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of one test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("puya-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn pid_file(&self) -> PathBuf {
        self.0.join("daemon.pid")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn puya() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_puya"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The executable, serving on a free port.
struct Daemon {
    child: Child,
    address: SocketAddr,
    log: mpsc::Receiver<String>,
}

impl Daemon {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut child = puya()
            .args(["--daemon", "--port=0", "--pid-file"])
            .arg(folder.pid_file())
            .args(arguments)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let line = log.recv_timeout(PATIENCE).unwrap();
        let (_, address) =
            line.split_once("listening on ws://").unwrap_or_else(|| panic!("{line}"));
        let address = address.trim_end_matches(['"', '}']).parse().unwrap();
        Self { child, address, log }
    }
    fn client(&self) -> Client {
        Client::connect(self.address)
    }
    fn pid(&self) -> u32 {
        self.child.id()
    }
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }
    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the daemon does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
    /// Waits for a line of the log that holds a text.
    fn logged(&self, text: &str) {
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return;
            }
        }
        panic!("never logged: {text}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stream(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A WebSocket client that waits for one answer at a time.
struct Client(WebSocket<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[]).unwrap()
    }
    /// The status code where the handshake is refused.
    fn connect_with(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let uri = format!("ws://{address}/").parse().unwrap();
        let mut request = ClientRequestBuilder::new(uri);
        for (name, value) in headers {
            request = request.with_header(*name, *value);
        }
        let request = request.into_client_request().unwrap();
        let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
        match client_with_config(request, stream(address), Some(config)) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => {
                Err(response.status().as_u16())
            }
            Err(other) => panic!("{other}"),
        }
    }
    fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }
    fn receive(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }
    fn ask(&mut self, text: &str) -> String {
        self.send(text);
        self.receive()
    }
    fn call(&mut self, method: &str, params: &str) -> String {
        self.ask(&request(1, method, params))
    }
    /// The code the server closes with; what it says before that is skipped.
    fn close_code(&mut self) -> u16 {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
                Ok(_) => {}
                Err(error) => panic!("no close frame: {error}"),
            }
        }
    }
    fn raw(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }
}

fn request(id: u32, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// The status line's code of what a server answers to raw bytes; none if it just closes.
fn http_status(address: SocketAddr, bytes: &str) -> (Option<u16>, String) {
    let mut stream = stream(address);
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    (answer.split(' ').nth(1).and_then(|code| code.parse().ok()), answer)
}

/// A compiler that does what the AWST says: `panic`, `wait` (100 ms), `loop` until it is stopped, a
/// number: as many bytes of log; anything else: success.
fn fake(request: Request<'_>) -> CompileReport {
    let mut done = CompileReport::default();
    let Document::Text(what) = request.awst else { panic!("not a text") };
    match what {
        "panic" => panic!("as told"),
        "wait" => thread::sleep(Duration::from_millis(100)),
        "loop" => {
            while !request.stop.unwrap()() {}
            done.stopped = true;
        }
        text => {
            if let Ok(length) = text.parse() {
                done.reports.push(Report::new(Severity::Info, "x".repeat(length)));
            }
        }
    }
    done
}

fn compile(id: u32, what: &str) -> String {
    request(id, "compile", &format!(r#"{{"options_json":"{{}}","awst_json":"{what}"}}"#))
}

/// A server with the compiler above, in a thread; it ends with the test.
fn serve(config: ServerConfig) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let server = Server::bind(ServerConfig { port: 0, ..config }, fake).unwrap();
        sender.send(server.address()).unwrap();
        server.run().unwrap();
    });
    receiver.recv_timeout(PATIENCE).unwrap()
}

fn quick(limits: Limits) -> ServerConfig {
    ServerConfig { limits, ..ServerConfig::default() }
}

// ---- life of a daemon

#[test]
fn a_daemon_records_its_pid_and_replaces_a_stale_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("start");
    std::fs::write(folder.pid_file(), "4194001\n").unwrap();
    let daemon = Daemon::start(&folder, &[]);
    let text = std::fs::read_to_string(folder.pid_file()).unwrap();
    assert_eq!(text, format!("{}\n", daemon.pid()));
    let other = Folder::new("start-mode");
    let path = other.0.join("made/daemon.pid");
    let path = path.to_str().unwrap();
    let _second = Daemon::start(&other, &["--log-level=info"]);
    let third = puya().args(["--daemon", "--port=0", "--pid-file", path]).spawn().unwrap();
    let mut third = Daemon { child: third, address: daemon.address, log: mpsc::channel().1 };
    let end = Instant::now() + PATIENCE;
    while !Path::new(path).exists() && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(path)), 0o600);
    assert_eq!(mode(Path::new(path).parent().unwrap()), 0o700);
    third.child.kill().unwrap();
}

#[test]
fn a_second_daemon_says_who_runs_and_touches_nothing() {
    let folder = Folder::new("second");
    let daemon = Daemon::start(&folder, &[]);
    let port = daemon.address.port().to_string();
    let other = folder.0.join("other.pid");
    let by_port =
        puya().args(["--daemon", "--port", &port, "--pid-file"]).arg(&other).output().unwrap();
    let by_file = puya()
        .args(["--daemon", "--port=0", "--pid-file"])
        .arg(folder.pid_file())
        .output()
        .unwrap();
    for output in [by_port, by_file] {
        assert_eq!(output.status.code(), Some(3));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(&format!("pid {}", daemon.pid())), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(!other.exists());
    let text = std::fs::read_to_string(folder.pid_file()).unwrap();
    assert_eq!(text, format!("{}\n", daemon.pid()));
    assert!(daemon.client().call("ping", "{}").contains(&daemon.pid().to_string()));
}

#[test]
fn stop_answers_closes_and_cleans_up() {
    let folder = Folder::new("stop");
    let mut daemon = Daemon::start(&folder, &[]);
    let mut idle = daemon.client();
    let mut client = daemon.client();
    let answer = client.call("stop", "{}");
    let result = r#""result":{"success":true,"message":"Server stopping"}"#;
    assert!(answer.contains(result), "{answer}");
    assert_eq!(client.close_code(), 1001);
    assert_eq!(idle.close_code(), 1001);
    drop((client, idle));
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(!folder.pid_file().exists());
    assert!(TcpStream::connect(daemon.address).is_err());
}

#[test]
fn signals_stop_gracefully_and_the_second_at_once() {
    for name in ["-TERM", "-INT"] {
        let folder = Folder::new(&format!("signal{name}"));
        let mut daemon = Daemon::start(&folder, &[]);
        let mut client = daemon.client();
        assert!(client.call("ping", "{}").contains("ok"));
        daemon.signal(name);
        assert_eq!(client.close_code(), 1001);
        drop(client);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(!folder.pid_file().exists());
    }
    let folder = Folder::new("signal-twice");
    let mut daemon = Daemon::start(&folder, &[]);
    // a client that does not take its long answer keeps the daemon from ending
    let mut client = daemon.client();
    client.send(&request(1, "ping", &format!(r#"{{"{}":1}}"#, "x".repeat(20 << 20))));
    let mut other = daemon.client();
    let end = Instant::now() + PATIENCE;
    let answered = |status: &str| -> bool {
        let (_, rest) = status.split_once(r#""bytes_in":"#).unwrap();
        rest.split(',').next().unwrap().parse::<usize>().unwrap() > 20 << 20
    };
    while !answered(&other.call("status", "{}")) {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(5));
    }
    // the request was read completely, so it is answered before the next one of this client
    assert!(other.call("ping", "{}").contains("ok"));
    daemon.signal("-TERM");
    daemon.logged("stopping");
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().code(), Some(128 + 15));
}

#[test]
fn an_idle_daemon_stops_by_itself() {
    let folder = Folder::new("idle");
    let started = Instant::now();
    let mut daemon = Daemon::start(&folder, &["--idle-timeout", "0.3"]);
    assert_eq!(daemon.wait().code(), Some(0));
    // with nobody to tell, there is nothing to wait for
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(!folder.pid_file().exists());
}

#[test]
fn what_was_received_before_the_stop_is_done_and_what_comes_later_refused() {
    let address = serve(ServerConfig::default());
    let mut busy = Client::connect(address);
    let mut late = Client::connect(address);
    let mut stopper = Client::connect(address);
    for client in [&mut busy, &mut late, &mut stopper] {
        assert!(client.call("ping", "{}").contains("ok"));
    }
    for id in 1..=6 {
        busy.send(&compile(id, "wait"));
    }
    assert!(busy.receive().contains(r#""id":1,"#));
    assert!(stopper.call("stop", "{}").contains("stopping"));
    let refused = late.call("ping", "{}");
    assert!(refused.contains("-32000"), "{refused}");
    for id in 2..=6 {
        let answer = busy.receive();
        assert!(answer.contains(&format!(r#""id":{id},"result":{{"success":true"#)), "{answer}");
    }
    assert_eq!(busy.close_code(), 1001);
    assert_eq!(late.close_code(), 1001);
    assert_eq!(stopper.close_code(), 1001);
}

#[test]
fn a_request_behind_a_stop_is_refused_also_in_one_batch() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    let batch = format!("[{},{}]", request(1, "stop", "{}"), request(2, "ping", "{}"));
    let answer = client.ask(&batch);
    assert!(answer.contains("Server stopping") && answer.contains("-32000"), "{answer}");
    assert_eq!(client.close_code(), 1001);
}

#[test]
fn a_panic_is_one_requests_error() {
    let address = serve(ServerConfig::default());
    let (mut client, mut other) = (Client::connect(address), Client::connect(address));
    let answer = client.ask(&compile(1, "panic"));
    assert!(answer.contains("-32603") && answer.contains("log"), "{answer}");
    assert!(client.ask(&compile(2, "fine")).contains(r#""success":true"#));
    assert!(other.call("status", "{}").contains(r#""compilations":{"total":2,"failed":1}"#));
}

#[test]
fn a_compilation_past_its_time_fails_and_the_daemon_lives() {
    let compile_timeout = Duration::from_millis(100);
    let address = serve(ServerConfig { compile_timeout, ..ServerConfig::default() });
    let mut client = Client::connect(address);
    let answer = client.ask(&compile(1, "loop"));
    assert!(answer.contains(r#""success":false"#) && answer.contains("0.1 seconds"), "{answer}");
    assert!(client.call("ping", "{}").contains("ok"));
}

#[test]
fn connections_take_turns() {
    let address = serve(ServerConfig::default());
    let (mut greedy, mut other) = (Client::connect(address), Client::connect(address));
    assert!(other.call("ping", "{}").contains("ok"));
    let batch: Vec<String> = (0..20).map(|id| compile(id, "wait")).collect();
    greedy.send(&format!("[{}]", batch.join(",")));
    for id in 20..40 {
        greedy.send(&compile(id, "wait"));
    }
    let started = Instant::now();
    assert!(other.call("ping", "{}").contains("ok"));
    // all of the other's work takes 4 s; a turn takes a tenth
    assert!(started.elapsed() < Duration::from_secs(3));
}

// ---- connection rules

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn who_may_not_connect_is_refused_before_the_upgrade() {
    let folder = Folder::new("refuse");
    let token_file = folder.0.join("token");
    let arguments =
        ["--allow-origin=https://ok.example", "--token-file", token_file.to_str().unwrap()];
    let daemon = Daemon::start(&folder, &arguments);
    let token = std::fs::read_to_string(&token_file).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let status = |headers: &[(&str, &str)]| Client::connect_with(daemon.address, headers).err();
    assert_eq!(status(&[("Authorization", &bearer)]), None);
    assert_eq!(status(&[("Authorization", &bearer), ("Origin", "https://ok.example")]), None);
    let evil = [("Authorization", bearer.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(status(&evil), Some(403));
    assert_eq!(status(&[]), Some(401));
    assert_eq!(status(&[("Authorization", "Bearer wrong")]), Some(401));
    let rebound = HEAD.replace("localhost", "evil.example");
    assert_eq!(http_status(daemon.address, &rebound).0, Some(403));
}

#[test]
fn what_is_not_a_websocket_is_told_what_this_is() {
    let folder = Folder::new("plain");
    let daemon = Daemon::start(&folder, &[]);
    let plain = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let (status, answer) = http_status(daemon.address, plain);
    assert_eq!(status, Some(426));
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("puya") && body.lines().count() == 1, "{answer}");
    assert_eq!(http_status(daemon.address, "\x16\x03\x01garbage").0, Some(400));
    // one connection's garbage is nobody else's business
    assert!(daemon.client().call("ping", "{}").contains("ok"));
}

#[test]
fn bytes_right_behind_the_request_head_are_kept() {
    let address = serve(ServerConfig::default());
    let mut stream = stream(address);
    let text = request(7, "ping", "{}");
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend([0x81, 0x80 | text.len() as u8, 0, 0, 0, 0]);
    bytes.extend(text.as_bytes());
    stream.write_all(&bytes).unwrap();
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.windows(6).any(|part| part == b"\"id\":7") {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0);
        seen.extend(&buffer[..count]);
    }
}

#[test]
fn a_handshake_that_does_not_end_is_closed() {
    let handshake = Duration::from_millis(200);
    let address = serve(quick(Limits { handshake, ..Limits::default() }));
    let mut stream = stream(address);
    stream.write_all(b"GET / HT").unwrap();
    assert_eq!(stream.read(&mut [0; 10]).unwrap_or(0), 0);
}

#[test]
fn bad_messages_close_with_their_code() {
    let folder = Folder::new("codes");
    let daemon = Daemon::start(&folder, &["--max-message-size=100000"]);
    let mut client = daemon.client();
    client.send(&format!("{}{}", " ".repeat(100_000 - 41), request(1, "ping", "{}")));
    let mut client = daemon.client();
    client.send(&" ".repeat(100_001));
    assert_eq!(client.close_code(), 1009);
    let mut client = daemon.client();
    client.0.send(Message::binary(vec![1])).unwrap();
    assert_eq!(client.close_code(), 1003);
    let mut client = daemon.client();
    client.raw().write_all(&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]).unwrap();
    assert_eq!(client.close_code(), 1007);
    let mut client = daemon.client();
    client.raw().write_all(&[0xc1, 0x80, 0, 0, 0, 0]).unwrap();
    assert_eq!(client.close_code(), 1002);
    // and far more than the limit, sent in full before the answer is read
    let mut client = daemon.client();
    let _ = client.0.send(Message::text(" ".repeat(8 << 20)));
    assert_eq!(client.close_code(), 1009);
}

#[test]
fn a_client_that_does_not_read_is_closed_and_others_are_served() {
    let stall = Duration::from_millis(300);
    let address = serve(quick(Limits { stall, ..Limits::default() }));
    let mut client = Client::connect(address);
    client.send(&compile(1, "30000000"));
    let mut other = Client::connect(address);
    let end = Instant::now() + PATIENCE;
    // the status counts open connections
    while !other.call("status", "{}").contains(r#""connections":1,"#) {
        assert!(Instant::now() < end, "it is never closed");
        thread::sleep(Duration::from_millis(20));
    }
    let unsent_max = 1 << 20;
    let address = serve(quick(Limits { unsent_max, ..Limits::default() }));
    let mut client = Client::connect(address);
    for id in 1..=4 {
        client.send(&compile(id, "10000000"));
    }
    let mut other = Client::connect(address);
    while !other.call("status", "{}").contains(r#""connections":1,"#) {
        assert!(Instant::now() < end, "it is never closed");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_slow_reader_gets_everything() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    client.send(&compile(1, "20000000"));
    thread::sleep(Duration::from_millis(200));
    assert!(client.receive().len() > 20_000_000);
}

#[test]
fn silent_peers_are_pinged_and_closed_when_they_give_no_sign() {
    let limits = Limits {
        ping_after: Duration::from_millis(100),
        pong_within: Duration::from_secs(2),
        ..Limits::default()
    };
    let address = serve(quick(limits));
    let mut deaf = stream(address);
    deaf.write_all(HEAD.as_bytes()).unwrap();
    let mut seen: Vec<u8> = Vec::new();
    // it ends by itself, and the last thing that came is a ping
    deaf.read_to_end(&mut seen).unwrap();
    assert!(seen.ends_with(&[0x89, 0x00]));
    let mut alive = Client::connect(address);
    let pinged = thread::spawn(move || {
        for _ in 0..5 {
            assert!(matches!(alive.0.read().unwrap(), Message::Ping(_)));
        }
    });
    pinged.join().unwrap();
}

#[test]
fn too_many_connections_get_503() {
    let folder = Folder::new("many");
    let daemon = Daemon::start(&folder, &["--max-connections=2"]);
    let (mut first, second) = (daemon.client(), daemon.client());
    assert_eq!(Client::connect_with(daemon.address, &[]).err(), Some(503));
    drop(second);
    let end = Instant::now() + PATIENCE;
    while Client::connect_with(daemon.address, &[]).is_err() {
        assert!(Instant::now() < end, "a place that is free again stays taken");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(first.call("ping", "{}").contains("ok"));
}

#[test]
fn vanishing_clients_leave_no_trace() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    for round in 0..50 {
        let mut other = Client::connect(address);
        match round % 3 {
            0 => other.raw().write_all(&[0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, b'{']).unwrap(),
            1 => other.send(&compile(1, "1000000")),
            _ => {}
        }
    }
    let end = Instant::now() + PATIENCE;
    while !client.call("status", "{}").contains(r#""connections":1,"queued":0"#) {
        assert!(Instant::now() < end, "connections are left over");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_address_others_can_reach_needs_a_token_or_gets_a_warning() {
    let folder = Folder::new("public");
    let daemon = Daemon::start(&folder, &["--host=0.0.0.0"]);
    daemon.logged("--token-file");
}

#[test]
fn memory_of_a_large_message_is_given_back() {
    let folder = Folder::new("memory");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let resident = |client: &mut Client| -> u64 {
        let status = client.call("status", "{}");
        let (_, rest) = status.split_once(r#""current":"#).unwrap();
        rest.split(',').next().unwrap().parse().unwrap()
    };
    let before = resident(&mut client);
    let params = format!(r#"{{"x":"{}"}}"#, "y".repeat(30 << 20));
    assert!(client.call("ping", &params).contains("-32602"));
    let after = resident(&mut client);
    assert!(after < before + (8 << 20), "{before} -> {after}");
}

// ---- JSON-RPC

#[test]
fn answers_keep_order_and_ids() {
    let folder = Folder::new("rpc");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let ids = ["1", "\"a\\u0062\"", "1.50", "-0", "123456789012345678901234567890", "null"];
    for id in ids {
        client.send(&format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#));
    }
    for id in ids {
        let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"status":"ok","#);
        let answer = client.receive();
        assert!(answer.starts_with(&head), "{answer}");
    }
    // notifications, also wrong ones, get no answer
    client.send(r#"{"jsonrpc":"2.0","method":"ping"}"#);
    client.send(r#"{"jsonrpc":"2.0","method":"nothing"}"#);
    client.send(r#"[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"ping"}]"#);
    let batch = r#"[{"jsonrpc":"2.0","method":"ping","id":1},7,
        {"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"nothing","id":"x"}]"#;
    let answer = client.ask(batch);
    assert!(answer.starts_with(r#"[{"jsonrpc":"2.0","id":1,"result":"#), "{answer}");
    assert_eq!(answer.matches("jsonrpc").count(), 3, "{answer}");
    assert!(answer.contains("-32600") && answer.contains(r#""id":"x","error":{"code":-32601"#));
    let error = client.ask("{\n  \"id\": 1,\n  oops }");
    assert!(error.contains(r#""id":null,"error":{"code":-32700"#), "{error}");
    assert!(error.contains("line 3 column 3"), "{error}");
    assert!(client.ask("[]").contains("-32600"));
    assert!(client.call("compile", "{}").contains("'options_json'"));
}

#[test]
fn writing_outside_of_the_output_root_is_refused() {
    let folder = Folder::new("root");
    let root = folder.0.join("root");
    std::fs::create_dir(&root).unwrap();
    let daemon = Daemon::start(&folder, &["--output-root", root.to_str().unwrap()]);
    let params = format!(
        r#"{{"options":{{"compilation_set":{{"a":"{}"}}}},"awst":[]}}"#,
        folder.0.join("elsewhere").display()
    );
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains("-32001"), "{answer}");
}

#[test]
fn a_malformed_awst_is_a_failed_compilation() {
    let folder = Folder::new("malformed");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    for awst in ["", "[", "[3]", "[{}]", "null", "[{\\\"_type\\\":\\\"Contract\\\"}]"] {
        let params =
            format!(r#"{{"options_json":"{{\"compilation_set\":{{}}}}","awst_json":"{awst}"}}"#);
        let answer = client.call("compile", &params);
        assert!(answer.contains(r#""success":false,"elapsed_time":"#), "{awst}: {answer}");
        assert!(answer.contains(r#""error":""#), "{awst}: {answer}");
    }
}

/// A logic signature that approves, and options that ask for its TEAL and bytecode.
const APPROVE: &str = include_str!("../fuzz/corpus/compile/py_00_approve_lsig");
const APPROVE_OPTIONS: &str = r#"{"output_teal": true, "output_bytecode": true,
    "output_source_map": true, "compilation_set": {"contract.approve": "out"}}"#;

#[test]
fn a_compilation_writes_its_files_where_the_request_says() {
    let folder = Folder::new("compile");
    let daemon = Daemon::start(&folder, &[]);
    let base = folder.0.canonicalize().unwrap();
    let params = format!(
        r#"{{"options": {APPROVE_OPTIONS}, "awst": {APPROVE}, "base_path": "{}"}}"#,
        base.display()
    );
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains(r#""success":true,"#), "{answer}");
    let files = ["approve.teal", "approve.bin", "approve.puya.map"]
        .map(|name| base.join("out").join(name).to_str().unwrap().to_owned());
    assert!(answer.contains(&format!(r#""files":["{}"]"#, files.join("\",\""))), "{answer}");
    assert!(!answer.contains("artifacts"));
    let written: Vec<String> = std::fs::read_dir(base.join("out"))
        .unwrap()
        .map(|file| file.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(written.len(), 3, "{written:?}");
    assert!(files.iter().all(|file| written.contains(file)));
}

#[test]
fn a_compilation_can_return_its_artifacts_and_write_nothing() {
    let folder = Folder::new("artifacts");
    let daemon = Daemon::start(&folder, &[]);
    let base = folder.0.join("nowhere");
    let params = format!(
        r#"{{"options": {APPROVE_OPTIONS}, "awst": {APPROVE}, "base_path": "{}",
            "write": false, "return_artifacts": true}}"#,
        base.display()
    );
    let answer = daemon.client().call("compile", &params);
    let expected = r#""artifacts":[{"id":"contract.approve","name":"approve","kind":"logic_signature","program":{"teal":"#;
    assert!(answer.contains(expected), "{answer}");
    assert!(answer.contains(r#""source_map":{"version":3,"#), "{answer}");
    assert!(answer.contains(r#""success":true"#) && !answer.contains("\"files\""), "{answer}");
    assert!(!base.exists());
}

#[test]
fn editors_are_served_over_stdin() {
    let folder = Folder::new("stdio");
    let mut child = puya().arg("serve").stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let base = folder.0.canonicalize().unwrap();
    let params = format!(
        r#"{{"awst": {APPROVE}, "options": {APPROVE_OPTIONS}, "base_path": "{}",
            "log_level": "info", "source_annotations": {{}}}}"#,
        base.display()
    );
    for text in [
        request(0, "compile", &params),
        request(1, "analyse", &format!(r#"{{"awst": {APPROVE}}}"#)),
        r#"{"jsonrpc":"2.0","method":"shutdown","params":{"0":null}}"#.to_owned(),
    ] {
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
    }
    // it leaves because it was told to, not because the input ends
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("Content-Length: ").count(), 2, "{said}");
    let head = "\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n";
    assert!(said.contains(&format!("{head}{{\"id\": 0, \"jsonrpc\": \"2.0\", \"result\": ")));
    assert!(
        said.contains(
            r#"{"level": "info", "message": "Writing out/approve.teal", "location": null}"#
        )
    );
    assert!(said.contains(r#""arc56": {}}}"#), "{said}");
    assert!(said.ends_with(r#"{"id": 1, "jsonrpc": "2.0", "result": {"logs": []}}"#), "{said}");
    assert!(base.join("out/approve.teal").exists());
}

// ---- command line

#[test]
fn the_command_line_starts_asks_and_stops() {
    let folder = Folder::new("commands");
    let run = |arguments: &[&str]| {
        let output =
            puya().args(arguments).arg("--pid-file").arg(folder.pid_file()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = run(&["--daemon", "--detach", "--port", "0"]);
    assert_eq!(code, Some(0));
    let pid = std::fs::read_to_string(folder.pid_file()).unwrap();
    let pid = pid.trim();
    assert!(said.contains(&format!("pid {pid},")), "{said}");
    let (_, port) = said.trim().rsplit_once(':').unwrap();
    let (code, health) = run(&["--daemon-status", "--port", port]);
    assert_eq!(code, Some(0));
    let expected = format!(
        "{{\"pid_file_exists\":true,\"pid_running\":true,\"port_open\":true,\"responsive\":true,\
         \"pid\":{pid}}}\n"
    );
    assert_eq!(health, expected);
    // a session of its own, so that a closing terminal does not take it along
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert_eq!(stat.rsplit(')').next().unwrap().split_whitespace().nth(3), Some(pid));
    assert_eq!(run(&["--daemon-stop", "--port", port]).0, Some(0));
    assert!(!folder.pid_file().exists());
    let (code, health) = run(&["--daemon-status", "--port", port]);
    assert_eq!(code, Some(1));
    assert!(health.contains("\"responsive\":false"), "{health}");
    assert_eq!(run(&["--daemon-stop", "--port", port]).0, Some(1));
}

#[test]
fn the_command_line_compiles_through_a_daemon_it_starts() {
    let folder = Folder::new("use-daemon");
    std::fs::write(folder.0.join("awst.json"), APPROVE).unwrap();
    std::fs::write(folder.0.join("options.json"), APPROVE_OPTIONS).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let run = |more: &[&str]| {
        let _ = std::fs::remove_dir_all(folder.0.join("out"));
        let output = puya()
            .args(["--awst", "awst.json", "--options", "options.json"])
            .args(more)
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(folder.0.join("out/approve.teal").exists());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let by_daemon = ["--use-daemon", "--port", &port, "--pid-file", "daemon.pid"];
    let (alone, _) = run(&[]);
    let (said, why) = run(&[&by_daemon[..], &["--no-auto-start"]].concat());
    assert_eq!(said, alone);
    assert!(why.contains("no daemon can be reached"), "{why}");
    for _ in 0..2 {
        assert_eq!(run(&by_daemon), (alone.clone(), String::new()));
    }
    let mut client = Client::connect(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())));
    assert!(client.call("status", "{}").contains(r#""compilations":{"total":2,"failed":0}"#));
    client.call("stop", "{}");
    assert_eq!(client.close_code(), 1001);
}

#[test]
fn wrong_arguments_end_with_two() {
    let cases: [&[&str]; 6] = [
        &["--daemon", "--frobnicate"],
        &["--daemon", "--port"],
        &["--daemon", "--port=eighty"],
        &["--daemon", "--host=example.com"],
        &["--daemon", "--daemon-stop"],
        &["--daemon", "--idle-timeout=-1"],
    ];
    for arguments in cases {
        let output = puya().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn admission_is_open_by_default_only_to_local_programs() {
    let admission = Admission { origins: Vec::new(), token: Some("secret".to_owned()) };
    let address = serve(ServerConfig { admission, ..ServerConfig::default() });
    assert_eq!(Client::connect_with(address, &[]).err(), Some(401));
    let mut client = puya::client::PuyaDaemonClient::new(address, PATIENCE);
    assert!(matches!(client.ping_sync(), Err(puya::client::ClientError::Refused(_))));
    client.token = Some("secret".to_owned());
    assert!(client.ping_sync().is_ok());
    assert!(client.stop_server_sync().is_ok());
    assert!(matches!(client.ping_sync(), Err(puya::client::ClientError::Unreachable(_))));
}

#[test]
fn many_who_need_a_daemon_start_one() {
    use puya::client::{PuyaDaemonClient, StartOptions, ensure_daemon_running, terminate_daemon};
    let folder = Folder::new("race");
    // a port that was free a moment ago
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = PuyaDaemonClient::new(SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE);
    let start = StartOptions {
        executable: env!("CARGO_BIN_EXE_puya").into(),
        arguments: vec![
            format!("--port={port}").into(),
            "--pid-file".into(),
            folder.pid_file().into(),
        ],
        timeout: PATIENCE,
    };
    let starters: Vec<_> = (0..4)
        .map(|_| {
            let (client, start) = (client.clone(), start.clone());
            thread::spawn(move || ensure_daemon_running(&client, &start).unwrap())
        })
        .collect();
    let started: Vec<bool> = starters.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(started.iter().filter(|started| **started).count(), 1, "{started:?}");
    assert!(terminate_daemon(&client, Some(&folder.pid_file()), PATIENCE));
    assert!(!folder.pid_file().exists());
}

#[test]
fn the_python_client_passes_its_tests() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/test_puya_daemon.py");
    let run = Command::new("python3")
        .arg(script)
        .env("PUYA_BIN", env!("CARGO_BIN_EXE_puya"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        // a machine without Python has no use for its client
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}
