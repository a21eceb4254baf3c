//! The daemon's one loop: `Poll` tells what is ready, connections read and write, and then one
//! request is worked on. It owns every connection, the queue between them and all timers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tungstenite::protocol::frame::Utf8Bytes;
use tungstenite::protocol::frame::coding::CloseCode;

use super::connection::{Connection, Limits, Turn};
use super::handshake::Admission;
use super::methods::{Compile, Service, ServiceConfig, Surface};
use super::policy::OutputRoot;
use super::queue::FairQueue;
use super::signals::Signals;
use crate::base::arena::Arena;
use crate::base::heap;
use crate::rpc::envelope::{
    ErrorCode, Invalid, Message, Request, RpcError, read_member, read_message, write_answer,
};
use crate::rpc::pid_file::{PidFile, PidFileError};
use crate::rpc::token;

const LISTENER: Token = Token(0);
const SIGNALS: Token = Token(1);
const FIRST_CONNECTION: usize = 2;

/// Surplus connections that get their 503; beyond that they are dropped without a word.
const SURPLUS_MAX: usize = 64;

/// How long to wait before accepting again after the system refused (out of descriptors).
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a stopping daemon waits for its clients to take their answers.
const CLOSE_WITHIN: Duration = Duration::from_secs(30);

/// How often a port is asked for that is in use, and at most how long between two tries: when two
/// sockets start to listen on one port at the same moment, Linux may refuse both.
const LISTEN_TRIES: u32 = 5;
const LISTEN_AGAIN: Duration = Duration::from_millis(4);

/// A message beyond this size makes it worth giving freed memory back to the system.
const LARGE_WORK: usize = 16 << 10;

/// How long after such a message, unless another one comes: memory that was given back has to be
/// fetched page by page in the next compilation.
const RELEASE_AFTER: Duration = Duration::from_secs(1);

/// A message up to this size holds no program worth speaking of: it is answered at once.
const LIGHT_WORK: usize = 512;

/// What a daemon is told.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Where the pid goes.
    pub pid_file: Option<PathBuf>,
    /// Who may connect.
    pub admission: Admission,
    /// Where the token is that clients have to know, or will be.
    pub token_file: Option<PathBuf>,
    /// What a connection may take.
    pub limits: Limits,
    /// When to stop by itself.
    pub idle_timeout: Option<Duration>,
    /// How long one compilation may take.
    pub compile_timeout: Duration,
    /// The only folder in which files may be written.
    pub output_root: Option<OutputRoot>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8765,
            pid_file: None,
            admission: Admission::default(),
            token_file: None,
            limits: Limits::default(),
            idle_timeout: None,
            compile_timeout: Duration::from_secs(30),
            output_root: None,
        }
    }
}

/// Why a daemon does not start, or ends before its time.
#[derive(Debug)]
pub enum ServerError {
    /// Something listens there already.
    InUse(SocketAddr),
    /// The address cannot be listened on.
    Bind(SocketAddr, io::Error),
    /// The pid file cannot be had.
    PidFile(PidFileError),
    /// There is no token to be had from the token file.
    TokenFile(PathBuf, io::Error),
    /// The system refuses something the loop needs.
    Io(&'static str, io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::InUse(address) => write!(f, "{address} is already in use"),
            ServerError::Bind(address, error) => write!(f, "cannot listen on {address}: {error}"),
            ServerError::PidFile(error) => error.fmt(f),
            ServerError::TokenFile(path, error) => {
                write!(f, "cannot use {}: {error}", path.display())
            }
            ServerError::Io(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for ServerError {}

/// A message of one connection.
struct Work {
    text: Utf8Bytes,
    /// It arrived after the stop.
    is_late: bool,
    /// What is left of a batch that was started.
    batch: Option<Batch>,
}

struct Batch {
    members: VecDeque<Range<usize>>,
    answers: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// No new connections; what was received is worked off.
    Draining,
    /// Everything is answered; one last look at what the clients sent meanwhile.
    LastLook,
    /// Connections are told; at the latest then it is over.
    Closing(Instant),
}

/// A daemon that listens.
pub struct Server {
    poll: Poll,
    listener: Option<TcpListener>,
    address: SocketAddr,
    signals: Option<Signals>,
    _pid_file: Option<PidFile>,
    admission: Admission,
    limits: Limits,
    idle_timeout: Option<Duration>,
    connections: BTreeMap<Token, Connection<TcpStream>>,
    next_token: usize,
    queue: FairQueue<Token, Work>,
    /// Connections that need a turn although no event will say so.
    due: BTreeSet<Token>,
    accept_at: Option<Instant>,
    service: Service,
    phase: Phase,
    last_request: Instant,
    /// When to give freed memory back, if there is any.
    release_at: Option<Instant>,
    /// Traffic of connections that are gone.
    past_traffic: (u64, u64),
}

/// What `bind` makes of `wanted`. Of several processes that listen at the same moment one succeeds:
/// where all were refused, each tries again after a time of its own.
fn listen<L>(
    wanted: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<L>,
) -> Result<L, ServerError> {
    let mut tries = 1..LISTEN_TRIES;
    loop {
        match bind(wanted) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                tries.next().ok_or(ServerError::InUse(wanted))?;
                std::thread::sleep(LISTEN_AGAIN.mul_f64(0.5 + 0.5 * fastrand::f64()));
            }
            Err(error) => return Err(ServerError::Bind(wanted, error)),
        }
    }
}

impl Server {
    /// Binds, takes the pid file, and says where it listens.
    pub fn bind(config: ServerConfig, compile: Compile) -> Result<Self, ServerError> {
        let wanted = SocketAddr::new(config.host, config.port);
        let mut listener = listen(wanted, TcpListener::bind)?;
        let io = |what| move |error| ServerError::Io(what, error);
        let address = listener.local_addr().map_err(io("cannot tell the address"))?;
        let pid_file = config.pid_file.as_deref().map(PidFile::take).transpose();
        let pid_file = pid_file.map_err(ServerError::PidFile)?;
        let mut admission = config.admission;
        // not before: a daemon that does not run must not leave a token behind
        if let Some(path) = config.token_file {
            let token = token::read_or_create(&path);
            admission.token = Some(token.map_err(|error| ServerError::TokenFile(path, error))?);
        }
        let poll = Poll::new().map_err(io("cannot poll"))?;
        let readable = Interest::READABLE;
        poll.registry()
            .register(&mut listener, LISTENER, readable)
            .map_err(io("cannot poll the listener"))?;
        let service = Service::new(
            Surface::Socket,
            ServiceConfig {
                address: format!("ws://{address}"),
                compile_timeout: config.compile_timeout,
                output_root: config.output_root,
                working_folder: std::env::current_dir().unwrap_or_default(),
                console_level: None,
            },
            compile,
        );
        log::info!("listening on ws://{address}");
        if !address.ip().is_loopback() && admission.token.is_none() {
            log::warn!(
                "{address} can be reached from other machines and there is no --token-file: anyone \
                 who can connect can write files as this user"
            );
        }
        Ok(Self {
            poll,
            listener: Some(listener),
            address,
            signals: None,
            _pid_file: pid_file,
            admission,
            limits: config.limits,
            idle_timeout: config.idle_timeout,
            connections: BTreeMap::new(),
            next_token: FIRST_CONNECTION,
            queue: FairQueue::new(),
            due: BTreeSet::new(),
            accept_at: None,
            service,
            phase: Phase::Running,
            last_request: Instant::now(),
            release_at: None,
            past_traffic: (0, 0),
        })
    }
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Lets termination signals stop this server.
    pub fn watch(&mut self, mut signals: Signals) -> Result<(), ServerError> {
        self.poll
            .registry()
            .register(&mut signals.receiver, SIGNALS, Interest::READABLE)
            .map_err(|error| ServerError::Io("cannot poll signals", error))?;
        self.signals = Some(signals);
        Ok(())
    }

    /// Serves until it is stopped.
    pub fn run(mut self) -> Result<(), ServerError> {
        keep_memory();
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ServerError::Io("cannot poll", error)),
                Ok(()) => {}
            }
            let mut turns = std::mem::take(&mut self.due);
            let mut should_accept = self.accept_at.is_some_and(|at| at <= Instant::now());
            for event in &events {
                match event.token() {
                    LISTENER => should_accept = true,
                    SIGNALS => self.take_signal(),
                    token => {
                        turns.insert(token);
                    }
                }
            }
            if should_accept {
                self.accept(&mut turns);
            }
            for token in turns {
                self.give_turn(token);
            }
            self.keep_time();
            self.work();
            if self.advance_phase() {
                return Ok(());
            }
        }
    }

    /// How long nothing has to be done.
    fn timeout(&self) -> Option<Duration> {
        if !self.due.is_empty() || !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let connections = self.connections.iter().filter_map(|(token, connection)| {
            connection.deadline(&self.limits, self.queue.count(*token) > 0)
        });
        let idle = self.idle_timeout.map(|timeout| self.last_request + timeout);
        let end = match self.phase {
            Phase::Running => idle,
            Phase::Draining | Phase::LastLook => return Some(Duration::ZERO),
            Phase::Closing(end) => Some(end),
        };
        let next = connections.chain(self.accept_at).chain(self.release_at).chain(end).min()?;
        // rounded up, so that it is really due when the poll returns
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }

    fn take_signal(&mut self) {
        while let Some(signal) = self.signals.as_mut().and_then(Signals::take) {
            log::info!("{signal} received");
            self.start_stopping();
        }
    }

    fn accept(&mut self, turns: &mut BTreeSet<Token>) {
        self.accept_at = None;
        let Some(listener) = &self.listener else { return };
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // a peer that gave up before we came to it
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    // no event will come for connections that wait already
                    log::warn!("cannot accept a connection: {error}");
                    self.accept_at = Some(Instant::now() + ACCEPT_RETRY);
                    return;
                }
            };
            let surplus = self.connections.values().filter(|one| one.is_surplus()).count();
            let is_full = self.connections.len() - surplus >= self.limits.connections_max;
            if is_full && surplus >= SURPLUS_MAX {
                continue;
            }
            // answers are whole messages, so there is nothing to collect
            let _ = stream.set_nodelay(true);
            let token = Token(self.next_token);
            let both = Interest::READABLE | Interest::WRITABLE;
            if let Err(error) = self.poll.registry().register(&mut stream, token, both) {
                log::warn!("cannot watch a connection: {error}");
                continue;
            }
            self.next_token += 1;
            let connection = Connection::new(stream, Instant::now(), &self.limits, is_full);
            self.connections.insert(token, connection);
            turns.insert(token);
        }
    }

    fn give_turn(&mut self, token: Token) {
        let room = self.room(token);
        let Some(connection) = self.connections.get_mut(&token) else { return };
        let mut received = Vec::new();
        let turn =
            connection.turn(Instant::now(), &self.limits, &self.admission, room, &mut received);
        let is_late = self.phase != Phase::Running;
        for text in received {
            let is_light = text.len() <= LIGHT_WORK;
            self.queue.push(token, Work { text, is_late, batch: None }, is_light);
        }
        self.after(token, turn);
    }

    /// How many more messages of a connection may wait: few, and not much more than one large one.
    fn room(&self, token: Token) -> usize {
        let bytes: usize = self.queue.iter(token).map(|work| work.text.len()).sum();
        if bytes >= self.limits.message_max {
            return 0;
        }
        self.limits.waiting_max.saturating_sub(self.queue.count(token))
    }

    fn after(&mut self, token: Token, turn: Turn) {
        match turn {
            Turn::Wait => {}
            Turn::Again => {
                self.due.insert(token);
            }
            Turn::Gone(why) => {
                log::debug!("connection {} ends: {why}", token.0);
                if let Some(connection) = self.connections.remove(&token) {
                    let (bytes_in, bytes_out) = connection.traffic();
                    self.past_traffic.0 += bytes_in;
                    self.past_traffic.1 += bytes_out;
                    // a client that said goodbye still wants done what it asked for; one that
                    // vanished does not
                    if why != "closed" {
                        self.queue.forget(token);
                    }
                }
            }
        }
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        let late: Vec<Token> = self
            .connections
            .iter()
            .filter(|(token, connection)| {
                let is_busy = self.queue.count(**token) > 0;
                connection.deadline(&self.limits, is_busy).is_some_and(|at| at <= now)
            })
            .map(|(token, _)| *token)
            .collect();
        for token in late {
            let is_busy = self.queue.count(token) > 0;
            if let Some(connection) = self.connections.get_mut(&token) {
                let turn = connection.on_time(now, &self.limits, is_busy);
                self.after(token, turn);
            }
        }
        if self.release_at.is_some_and(|at| at <= now) && self.queue.is_empty() {
            self.release_at = None;
            release_memory();
        }
        let idle = self.idle_timeout.is_some_and(|timeout| self.last_request + timeout <= now);
        if idle && self.phase == Phase::Running && self.queue.is_empty() {
            log::info!("no request for a while");
            self.start_stopping();
        }
    }

    /// Works on one request of the connection whose turn it is.
    fn work(&mut self) {
        let Some((token, mut work)) = self.queue.pop() else { return };
        self.gauge();
        let size = work.text.len();
        let answer = match &mut work.batch {
            None => {
                let arena = Arena::new();
                match read_message(&work.text, &arena) {
                    Message::Single(request) => self.answer(request, work.is_late),
                    Message::Batch(members) => {
                        let batch = Batch { members: members.into(), answers: Vec::new() };
                        work.batch = Some(batch);
                        self.queue.resume(token, work);
                        return;
                    }
                }
            }
            Some(batch) => {
                let place =
                    batch.members.pop_front().expect("a batch in the queue has members left");
                let text = &work.text[place];
                let arena = Arena::new();
                let answer = self.answer(read_member(text, &arena), work.is_late);
                batch.answers.extend(answer);
                if !batch.members.is_empty() {
                    work.is_late |= self.service.stop_requested;
                    self.queue.resume(token, work);
                    None
                } else if batch.answers.is_empty() {
                    None
                } else {
                    Some(format!("[{}]", batch.answers.join(",")))
                }
            }
        };
        self.last_request = Instant::now();
        if let Some(connection) = self.connections.get_mut(&token) {
            if let Some(answer) = answer {
                connection.answer(answer);
            }
            connection.set_waiting(self.queue.count(token));
            let turn = connection.write(Instant::now(), &self.limits);
            self.after(token, turn);
            // there may be input that had no room
            self.due.insert(token);
        }
        if size > LARGE_WORK {
            self.release_at = Some(self.last_request + RELEASE_AFTER);
        }
        if self.service.stop_requested && self.phase == Phase::Running {
            // what the same client sent behind its `stop` came after it
            self.queue.iter_mut(token).for_each(|work| work.is_late = true);
            self.start_stopping();
        }
    }

    /// The text of the answer to one request; none for a notification.
    fn answer(
        &mut self,
        request: Result<Request<'_>, Invalid<'_>>,
        is_late: bool,
    ) -> Option<String> {
        match request {
            Err(invalid) => Some(write_answer(invalid.id, &Err(invalid.error))),
            Ok(request) => {
                let answer = if is_late {
                    Err(RpcError::new(ErrorCode::Stopping, "The daemon is stopping"))
                } else {
                    self.service.call(&request)
                };
                request.id.map(|id| write_answer(Some(id), &answer))
            }
        }
    }

    fn gauge(&mut self) {
        let (mut bytes_in, mut bytes_out) = self.past_traffic;
        for connection in self.connections.values() {
            let traffic = connection.traffic();
            bytes_in += traffic.0;
            bytes_out += traffic.1;
        }
        let gauges = &mut self.service.gauges;
        gauges.connections = self.connections.values().filter(|one| one.is_open()).count();
        gauges.queued = self.queue.len();
        (gauges.bytes_in, gauges.bytes_out) = (bytes_in, bytes_out);
    }

    fn start_stopping(&mut self) {
        if self.phase == Phase::Running {
            log::info!("stopping");
            self.phase = Phase::Draining;
            self.accept_at = None;
            if let Some(mut listener) = self.listener.take() {
                // it is closed right here; that it cannot be deregistered changes nothing
                let _ = self.poll.registry().deregister(&mut listener);
            }
        }
    }

    /// Goes on with stopping. True when it is over.
    fn advance_phase(&mut self) -> bool {
        match self.phase {
            Phase::Draining if self.queue.is_empty() => {
                self.due.extend(self.connections.keys());
                self.phase = Phase::LastLook;
            }
            Phase::LastLook if self.queue.is_empty() => {
                self.phase = Phase::Closing(Instant::now() + CLOSE_WITHIN);
                let tokens: Vec<Token> = self.connections.keys().copied().collect();
                for token in tokens {
                    let Some(connection) = self.connections.get_mut(&token) else { continue };
                    connection.close(CloseCode::Away, "the daemon is stopping");
                    let turn = connection.write(Instant::now(), &self.limits);
                    self.after(token, turn);
                }
            }
            Phase::Running | Phase::Draining | Phase::LastLook | Phase::Closing(_) => {}
        }
        match self.phase {
            Phase::Closing(end) if self.connections.is_empty() || end <= Instant::now() => {
                log::info!("stopped");
                true
            }
            _ => false,
        }
    }
}

/// Lets the allocator keep what is freed for the next compilation, until [`release_memory`].
fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the calls take no pointers and may be made at any time.
    unsafe {
        // the largest values it takes for pieces of their own and would come to by itself
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 20);
    }
}

/// Gives freed memory back to the system, so that an idle daemon is a small one.
fn release_memory() {
    heap::release_memory();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the calls may be made at any time; the only pointer is that of a block nobody else knows.
    unsafe {
        libc::malloc_trim(0);
        // that leaves alone what is free at the end of a thread's arena, which shrinks only when a
        // large block is freed and more is free than the threshold
        libc::mallopt(libc::M_TRIM_THRESHOLD, 0);
        libc::free(std::hint::black_box(libc::malloc(128 << 10)));
    }
    keep_memory();
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What comes of listening where the first tries end as told, and how many tries it took.
    fn after(refusals: &[ErrorKind]) -> (Result<(), ServerError>, usize) {
        let tries = Cell::new(0);
        let outcome = listen(SocketAddr::from(([127, 0, 0, 1], 8765)), |_| {
            let refusal = refusals.get(tries.get());
            tries.set(tries.get() + 1);
            refusal.map_or(Ok(()), |kind| Err((*kind).into()))
        });
        (outcome, tries.get())
    }

    #[test]
    fn a_port_that_is_in_use_for_a_moment_is_taken() {
        let (outcome, tries) = after(&[ErrorKind::AddrInUse; 2]);
        assert!(outcome.is_ok() && tries == 3);
    }

    #[test]
    fn a_port_that_stays_in_use_is_given_up() {
        let (outcome, tries) = after(&[ErrorKind::AddrInUse; 9]);
        assert!(matches!(outcome, Err(ServerError::InUse(_))) && tries == 5);
        let (outcome, tries) = after(&[ErrorKind::AddrNotAvailable]);
        assert!(matches!(outcome, Err(ServerError::Bind(..))) && tries == 1);
    }
}
