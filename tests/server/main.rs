//! The daemon over real sockets: each rule of its contract, seen from a client's side. What can be
//! seen from outside runs the executable; what needs a slow or faulty compiler, or short time
//! limits, runs the server with a compiler of the test's own, in a thread or in a process.

mod clients;
mod commands;
mod connections;
mod life;
mod requests;
mod rig;
