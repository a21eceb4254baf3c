//! What server and clients have in common: the JSON-RPC envelope and the pid file.

pub mod envelope;
pub mod pid_file;
