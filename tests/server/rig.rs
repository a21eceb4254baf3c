//! What the tests have in common: daemons that end with their test, a client, and a compiler that
//! does as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use puya::base::arena::Arena;
use puya::cli::args;
use puya::compile::{CompileReport, Document, Request};
use puya::diagnostics::Severity;
use puya::diagnostics::render::Report;
use puya::json::Json;
use puya::json::read::read;
use puya::json::write::write_string;
use puya::server::connection::Limits;
use puya::server::{Server, ServerConfig};
use tungstenite::client::{ClientRequestBuilder, IntoClientRequest, client_with_config};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

/// Longer than anything takes on a slow machine; only a fault waits that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of one test's own.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("puya-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub fn pid_file(&self) -> PathBuf {
        self.0.join("daemon.pid")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn puya() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_puya"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The executable, serving on a free port.
pub struct Daemon {
    pub child: Child,
    pub address: SocketAddr,
    pub log: mpsc::Receiver<String>,
}

impl Daemon {
    pub fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let pid_file = folder.pid_file();
        let defaults = ["--daemon", "--port=0", "--pid-file", pid_file.to_str().unwrap()];
        Self::launch(puya().args(defaults).args(arguments))
    }
    /// The same around [`fake`] instead of the compiler: this test program, as another process.
    pub fn start_fake(folder: &Folder, arguments: &[&str]) -> Self {
        let pid_file = folder.pid_file();
        let defaults = ["--daemon", "--port=0", "--pid-file", pid_file.to_str().unwrap()];
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.args(["--exact", "rig::a_daemon_around_the_fake_compiler", "--nocapture"]);
        Self::launch(command.env(FAKE_VARIABLE, [&defaults, arguments].concat().join("\n")))
    }
    pub fn launch(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
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
    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }
    pub fn wait(&mut self) -> ExitStatus {
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
    pub fn logged(&self, text: &str) -> String {
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return line;
            }
        }
        panic!("never logged: {text}");
    }
    /// The rest of the log of a daemon that has ended.
    pub fn rest_of_log(&self) -> String {
        self.log.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn stream(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A WebSocket client that waits for one answer at a time.
pub struct Client(pub WebSocket<TcpStream>);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[]).unwrap()
    }
    /// The status code where the handshake is refused.
    pub fn connect_with(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, u16> {
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
    pub fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }
    pub fn receive(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }
    pub fn ask(&mut self, text: &str) -> String {
        self.send(text);
        self.receive()
    }
    pub fn call(&mut self, method: &str, params: &str) -> String {
        self.ask(&request(1, method, params))
    }
    /// Sends a ping and reads up to its answer, before which all that was sent has been received.
    /// The texts that come before it.
    pub fn wait_until_received(&mut self) -> Vec<String> {
        self.0.send(Message::Ping("all of it".into())).unwrap();
        let mut texts = Vec::new();
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => texts.push(text.to_string()),
                Message::Pong(_) => return texts,
                other => panic!("{other:?}"),
            }
        }
    }
    /// The code the server closes with; what it says before that is skipped.
    pub fn close_code(&mut self) -> u16 {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
                Ok(_) => {}
                Err(error) => panic!("no close frame: {error}"),
            }
        }
    }
    pub fn raw(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }
}

pub fn request(id: u32, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// The status line's code of what a server answers to raw bytes; none if it just closes.
pub fn http_status(address: SocketAddr, bytes: &str) -> (Option<u16>, String) {
    let mut stream = stream(address);
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    (answer.split(' ').nth(1).and_then(|code| code.parse().ok()), answer)
}

/// A compiler that does what the AWST says: `panic`, `wait` (100 ms), `loop` until it is stopped, a
/// number: as many bytes of log; anything else: success.
pub fn fake(request: Request<'_>) -> CompileReport {
    let mut done = CompileReport::default();
    let Document::Text(what) = request.awst else { panic!("not a text") };
    match what {
        "panic" => panic!("as told"),
        "wait" => thread::sleep(Duration::from_millis(100)),
        "loop" => {
            log::info!(target: "puya", "going round");
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

/// Where the arguments of the daemon below are, one a line.
const FAKE_VARIABLE: &str = "PUYA_TEST_FAKE_DAEMON";

/// No test of its own: what [`Daemon::start_fake`] starts.
#[test]
fn a_daemon_around_the_fake_compiler() {
    let Ok(arguments) = std::env::var(FAKE_VARIABLE) else { return };
    let arguments = arguments.lines().map(Into::into).collect();
    let Ok(args::Command::Daemon(arguments)) = args::parse(arguments) else { panic!("no daemon") };
    std::process::exit(puya::cli::daemon::serve(&arguments.into(), fake).into());
}

pub fn compile(id: u32, what: &str) -> String {
    request(id, "compile", &format!(r#"{{"options_json":"{{}}","awst_json":"{what}"}}"#))
}

/// A server with the compiler above, in a thread; it ends with the test.
pub fn serve(config: ServerConfig) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let server = Server::bind(ServerConfig { port: 0, ..config }, fake).unwrap();
        sender.send(server.address()).unwrap();
        server.run().unwrap();
    });
    receiver.recv_timeout(PATIENCE).unwrap()
}

pub fn quick(limits: Limits) -> ServerConfig {
    ServerConfig { limits, ..ServerConfig::default() }
}

/// A port that was free a moment ago. It is below those that the system gives to whoever does not
/// care, and each is given once, so that no other test happens to get it meanwhile;
/// `scripts/test_puya_daemon.py` has those above.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // other tests on this machine start elsewhere
    let start = (std::process::id() % 16) as u16 * 500;
    let port = || 16_000 + (start + TAKEN.fetch_add(1, Ordering::Relaxed)) % 8_000;
    let is_free = |port: &u16| std::net::TcpListener::bind(local(*port)).is_ok();
    std::iter::repeat_with(port).find(is_free).unwrap()
}

pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Waits for something that has to come.
pub fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < end, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A logic signature that approves, and options that ask for its TEAL and bytecode.
pub const APPROVE: &str = include_str!("../../fuzz/corpus/compile/py_00_approve_lsig");
pub const APPROVE_OPTIONS: &str = r#"{"output_teal": true, "output_bytecode": true,
    "output_source_map": true, "compilation_set": {"contract.approve": "out"}}"#;

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

/// A case of `tests/parity`: syntax tree, options of level 1, sources.
pub fn case(name: &str) -> [String; 3] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/parity/{name}.json.gz"));
    let mut text = String::new();
    let packed = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let arena = Arena::new();
    let case = read(&text, &arena).unwrap();
    let text = |json: Json<'_>, name: &str| json.get(name).unwrap().as_str().unwrap().to_owned();
    let level = case.get("levels").unwrap().get("1").unwrap();
    [text(case, "awst"), text(level, "options"), text(case, "sources")]
}
