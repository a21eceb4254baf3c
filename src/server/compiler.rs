//! The compiler as the methods see it: a job in, messages and artifacts out.

use std::path::Path;

use super::methods::{Compiled, Compiler, Job, LogEntry, LogPlace};
use crate::artifacts::write::{Discard, Disk, Outputs};
use crate::compile::{Caller, CompileReport, Document, Keep, Request, Task, compile};
use crate::diagnostics::render::Report;

/// The compiler of this crate.
pub struct Puya;

impl Compiler for Puya {
    fn compile(&self, job: &Job<'_>) -> Compiled {
        let may_write = |folder: &Path| (job.may_write)(&job.base_path.join(folder));
        let (mut disk, mut discard) = (Disk::new(job.base_path), Discard);
        let outputs: &mut dyn Outputs = if job.write { &mut disk } else { &mut discard };
        let report = compile(Request {
            awst: Document::Text(job.awst),
            task: Task::Compile {
                options: Document::Text(job.options),
                annotations: job.source_annotations.map(Document::Text),
            },
            caller: Caller::Daemon,
            cwd: job.base_path.to_string_lossy().into_owned(),
            outputs,
            may_write: if job.write { Some(&may_write) } else { None },
            debug: true,
            keep: if job.return_artifacts { Keep::Artifacts } else { Keep::Nothing },
            stop: Some(job.stop),
        });
        pass_on_panic(&report);
        Compiled {
            logs: report.reports.into_iter().map(log_entry).collect(),
            exit_code: report.exit_code,
            files: disk.written().to_vec(),
            artifacts: Vec::new(),
            arc56: Vec::new(),
            refused: report.refused.map(|folder| job.base_path.join(folder)),
        }
    }
    fn analyse(&self, awst: &str, stop: &dyn Fn() -> bool) -> Vec<LogEntry> {
        let report = compile(Request {
            awst: Document::Text(awst),
            task: Task::Analyse,
            caller: Caller::Daemon,
            cwd: "/".to_owned(),
            outputs: &mut Discard,
            may_write: None,
            debug: false,
            keep: Keep::Nothing,
            stop: Some(stop),
        });
        pass_on_panic(&report);
        report.reports.into_iter().map(log_entry).collect()
    }
}

/// A panic is an error of the request, told by whoever serves it; the panic hook has its text.
fn pass_on_panic(report: &CompileReport) {
    if report.panicked {
        std::panic::resume_unwind(Box::new("the compiler panicked"));
    }
}

/// A message as the methods pass it on.
fn log_entry(report: Report) -> LogEntry {
    let place = report.location.map(|location| LogPlace {
        file: location.file,
        line: location.line,
        end_line: location.end_line,
        comment_lines: location.comment_lines,
        column: location.column,
        end_column: location.end_column,
    });
    LogEntry { level: report.severity, message: report.message, place }
}
