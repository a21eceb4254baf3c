//! The daemon's log: lines for people, or one JSON object a line.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, LineWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{LevelFilter, Log, Metadata, Record};
use simplelog::{ConfigBuilder, WriteLogger};

use crate::diagnostics::Severity;
use crate::diagnostics::render::LogFormat;
use crate::json::value::Value;
use crate::json::write::{Layout, write};

/// A line on stderr. Whoever started us may have closed it, and that is no reason to fail.
pub fn tell(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Sends the log to a file, or to stderr. `level` none lets everything through.
pub fn start(level: Option<Severity>, format: LogFormat, file: Option<&Path>) -> io::Result<()> {
    let output: Box<dyn Write + Send> = match file {
        Some(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        None => Box::new(io::stderr()),
    };
    // a line is written in pieces; they should not be a system call each
    let output = Box::new(LineWriter::new(output));
    let level = match level {
        None => LevelFilter::Trace,
        Some(Severity::Debug) => LevelFilter::Debug,
        Some(Severity::Info) => LevelFilter::Info,
        Some(Severity::Warning) => LevelFilter::Warn,
        Some(Severity::Error | Severity::Critical) => LevelFilter::Error,
    };
    match format {
        LogFormat::Default => {
            // the libraries' own lines hold whole messages
            let config = ConfigBuilder::new()
                .set_time_format_rfc3339()
                .set_thread_level(LevelFilter::Off)
                .set_target_level(LevelFilter::Off)
                .set_location_level(LevelFilter::Off)
                .add_filter_allow_str(env!("CARGO_PKG_NAME"))
                .build();
            // it fails only when a logger is set already, and then that one is as good
            let _ = WriteLogger::init(level, config, output);
        }
        LogFormat::Json => {
            if log::set_boxed_logger(Box::new(JsonLogger { output: Mutex::new(output) })).is_ok() {
                log::set_max_level(level);
            }
        }
    }
    Ok(())
}

struct JsonLogger {
    output: Mutex<Box<dyn Write + Send>>,
}

impl Log for JsonLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_PKG_NAME"))
    }
    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            log::Level::Error => "error",
            log::Level::Warn => "warning",
            log::Level::Info => "info",
            log::Level::Debug | log::Level::Trace => "debug",
        };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = Value::object([
            ("time", Value::from(time.as_millis() as f64 / 1000.0)),
            ("level", Value::from(level)),
            ("message", Value::from(record.args().to_string())),
        ]);
        let mut line = write(&line, Layout::Line);
        line.push('\n');
        if let Ok(mut output) = self.output.lock() {
            // a log that cannot be written is no reason to stop serving
            let _ = output.write_all(line.as_bytes());
        }
    }
    fn flush(&self) {}
}
