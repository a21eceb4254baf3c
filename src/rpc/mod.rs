//! What server and clients have in common: the JSON-RPC envelope and the pid file.

pub mod envelope;
pub mod pid_file;
pub mod token;

/// Exit code of a daemon that finds another one on its port or pid file.
pub const EXIT_ALREADY_RUNNING: i32 = 3;
