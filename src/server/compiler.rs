//! The compiler as the methods see it: a job in, messages and artifacts out.

use super::methods::{Compiled, Compiler, Job, LogEntry};
use crate::diagnostics::Severity;

/// The compiler of this crate.
pub struct Puya;

impl Compiler for Puya {
    fn compile(&self, _job: &Job<'_>) -> Compiled {
        let message = "this build cannot compile".to_owned();
        let logs = vec![LogEntry { level: Severity::Critical, message, place: None }];
        Compiled { logs, exit_code: 2, ..Compiled::default() }
    }
    fn analyse(&self, _awst: &str, _stop: &dyn Fn() -> bool) -> Vec<LogEntry> {
        let message = "this build cannot compile".to_owned();
        vec![LogEntry { level: Severity::Critical, message, place: None }]
    }
}
