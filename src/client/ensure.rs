//! Making sure that a daemon runs: connect first, start one only where nobody listens, wait for it
//! while watching that it does not fail; and ending one, gracefully where it can be done.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::direct::{ClientError, PuyaDaemonClient, pid_of};
use crate::rpc::pid_file::{self, PidFileState};

/// Set for a daemon that is to say on its stdout, in one line, where it listens or why it does not.
pub const ANNOUNCE_VARIABLE: &str = "PUYA_DAEMON_ANNOUNCE";

/// What that line starts with when the daemon serves; otherwise the line says what is wrong.
pub const ANNOUNCE_READY: &str = "ready ";

/// The first wait between two looks; each further one is up to twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// How long whoever won the race to start a daemon may take from having the port to listening on it.
const RACE_GRACE: Duration = Duration::from_secs(1);

/// How to start a daemon.
#[derive(Clone, Debug)]
pub struct StartOptions {
    /// The `puya` executable.
    pub executable: PathBuf,
    /// Its arguments after `--daemon`.
    pub arguments: Vec<OsString>,
    /// How long it may take to answer.
    pub timeout: Duration,
}

/// A daemon in the background.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// Its pid.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why no daemon was started.
#[derive(Debug)]
pub enum StartError {
    /// The executable cannot be run.
    Spawn(PathBuf, io::Error),
    /// It ended at once: its exit code and what it said.
    Failed(Option<i32>, String),
    /// It did not answer in time.
    TimedOut,
    /// Somebody listens there who is no daemon or does not let us in.
    Occupied(ClientError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Spawn(path, error) => write!(f, "cannot run {}: {error}", path.display()),
            StartError::Failed(_, message) if !message.is_empty() => f.write_str(message),
            StartError::Failed(code, _) => match code {
                Some(code) => write!(f, "the daemon ended at once with exit code {code}"),
                None => write!(f, "the daemon was killed while it started"),
            },
            StartError::TimedOut => write!(f, "the daemon did not start in time"),
            StartError::Occupied(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Waits that grow, with some chance in them so that many who wait do not all look at once.
pub struct BackOff {
    wait: Duration,
    deadline: Instant,
}

impl BackOff {
    /// Waits until a deadline at most.
    pub fn until(deadline: Instant) -> Self {
        Self { wait: FIRST_WAIT, deadline }
    }
    /// Waits a little. False when time is up.
    pub fn wait(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let jittered = self.wait.mul_f64(0.5 + 0.5 * fastrand::f64());
        std::thread::sleep(jittered.min(left));
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        true
    }
}

/// Starts a daemon in a session of its own and returns when it listens.
pub fn start_daemon_process(start: &StartOptions) -> Result<Started, StartError> {
    let mut command = Command::new(&start.executable);
    command
        .arg("--daemon")
        .args(&start.arguments)
        .env(ANNOUNCE_VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec only `setsid` runs, which is async-signal-safe. It cannot fail
    // in a process that was just forked.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        });
    }
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| StartError::Spawn(start.executable.clone(), error))?;
    let line = match read_line(&mut child, start.timeout) {
        Some(line) => line,
        None => {
            // it is our own child and has not served anybody yet
            let _ = child.kill();
            let _ = child.wait();
            return Err(StartError::TimedOut);
        }
    };
    let address = line.strip_prefix(ANNOUNCE_READY).and_then(|address| address.parse().ok());
    match address {
        Some(address) => Ok(Started { pid: child.id(), address }),
        None => {
            let code = child.wait().ok().and_then(|status| status.code());
            Err(StartError::Failed(code, line))
        }
    }
}

/// The first line a child prints; empty when it ends without one, none when it takes too long.
fn read_line(child: &mut Child, timeout: Duration) -> Option<String> {
    let output = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(output).read_line(&mut line);
        // nobody listens any more when it took too long
        let _ = sender.send(line.trim_end().to_owned());
    });
    receiver.recv_timeout(timeout).ok()
}

/// Returns once a daemon answers at the client's address, starting one if nobody listens there.
/// True when it was started for this. Losing the race to start it is success.
pub fn ensure_daemon_running(
    client: &PuyaDaemonClient,
    start: &StartOptions,
) -> Result<bool, StartError> {
    let deadline = Instant::now() + start.timeout;
    let probe = PuyaDaemonClient { timeout: start.timeout, ..client.clone() };
    match probe.ping_sync() {
        Ok(_) => return Ok(false),
        Err(ClientError::Unreachable(..)) => {}
        Err(error) => return Err(StartError::Occupied(error)),
    }
    match start_daemon_process(start) {
        Ok(_) => Ok(true),
        Err(StartError::Failed(Some(crate::rpc::EXIT_ALREADY_RUNNING), why)) => {
            // somebody else was faster and listens by now; if nobody does, it is the pid file that a
            // daemon on another port holds
            let mut back_off = BackOff::until(deadline.min(Instant::now() + RACE_GRACE));
            loop {
                match probe.ping_sync() {
                    Ok(_) => return Ok(false),
                    Err(ClientError::Unreachable(..)) if back_off.wait() => {}
                    Err(ClientError::Unreachable(..)) => {
                        let code = Some(crate::rpc::EXIT_ALREADY_RUNNING);
                        return Err(StartError::Failed(code, why));
                    }
                    Err(error) => return Err(StartError::Occupied(error)),
                }
            }
        }
        Err(error) => Err(error),
    }
}

/// Ends a daemon: asks it to stop; if it does not answer, sends SIGTERM and at last SIGKILL to the
/// process that holds the pid file. True when it is gone.
pub fn terminate_daemon(
    client: &PuyaDaemonClient,
    pid_file: Option<&Path>,
    timeout: Duration,
) -> bool {
    let pid = client.ping_sync().ok().as_ref().and_then(pid_of);
    if client.stop_server_sync().is_ok() {
        let is_gone = || pid.is_none_or(|pid| !is_running(pid));
        if wait_for(is_gone, timeout) {
            return true;
        }
    }
    let Some(pid_file) = pid_file else { return false };
    for signal in [libc::SIGTERM, libc::SIGKILL] {
        let PidFileState::Held(Some(holder)) = pid_file::look(pid_file) else { return true };
        send_signal(holder, signal);
        let is_free = || pid_file::look(pid_file) != PidFileState::Held(Some(holder));
        if wait_for(is_free, timeout) {
            return true;
        }
    }
    false
}

/// Waits for something to become true.
pub fn wait_for(is_true: impl Fn() -> bool, timeout: Duration) -> bool {
    let mut back_off = BackOff::until(Instant::now() + timeout);
    while !is_true() {
        if !back_off.wait() {
            return is_true();
        }
    }
    true
}

/// Whether there is a process with this pid.
pub fn is_running(pid: u32) -> bool {
    // a daemon that we started ourselves stays visible after its end until we ask for its status
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: a null status pointer is allowed; for a pid that is not our child nothing happens.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
    }
    if !send_signal(pid, 0) {
        return io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    }
    // one that has ended and waits for its parent to notice does not run any more
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

/// True when the signal was sent.
fn send_signal(pid: u32, signal: libc::c_int) -> bool {
    // zero and negative numbers stand for whole groups of processes
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // SAFETY: the call takes no pointers.
    pid > 0 && unsafe { libc::kill(pid, signal) } == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_some_chance_in_them_and_end_in_time() {
        let mut back_off = BackOff::until(Instant::now() + Duration::from_secs(600));
        let mut waits = Vec::new();
        for _ in 0..3 {
            waits.push(back_off.wait);
            let before = Instant::now();
            assert!(back_off.wait());
            assert!(before.elapsed() >= waits[waits.len() - 1] / 2);
        }
        assert_eq!(waits, [5, 10, 20].map(Duration::from_millis));
        back_off.wait = Duration::from_millis(200);
        back_off.wait();
        assert_eq!(back_off.wait, LONGEST_WAIT);
        assert!(!BackOff::until(Instant::now()).wait());
    }

    #[test]
    fn a_process_without_the_lock_of_the_pid_file_is_never_touched() {
        let path = std::env::temp_dir().join(format!("puya-nobody-{}", std::process::id()));
        let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
        std::fs::write(&path, format!("{}\n", bystander.id())).unwrap();
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = PuyaDaemonClient::new(nobody, Duration::from_secs(5));
        assert!(terminate_daemon(&client, Some(&path), Duration::from_millis(100)));
        assert!(is_running(bystander.id()));
        bystander.kill().unwrap();
        bystander.wait().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
