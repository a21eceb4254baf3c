//! Clients of the daemon: blocking calls, and making sure that a daemon runs.

pub mod compile;
pub mod direct;
pub mod ensure;

pub use compile::{CompileOutcome, CompileWithDaemon, compile_with_daemon_if_available};
pub use direct::{ClientError, DaemonHealth, PuyaDaemonClient, check_daemon_health};
pub use ensure::{
    StartError, StartOptions, Started, ensure_daemon_running, start_daemon_process,
    terminate_daemon,
};
