//! The daemon: JSON-RPC over WebSocket on one thread, and the same methods over stdin and stdout.

pub mod connection;
pub mod event_loop;
pub mod handshake;
pub mod logging;
pub mod methods;
pub mod policy;
pub mod queue;
pub mod signals;
pub mod stdio;
pub mod wire;

pub use event_loop::{Server, ServerConfig, ServerError};
