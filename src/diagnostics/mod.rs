//! Messages to the user: what a stage reports through the [`Sink`], and the counts that gate the
//! pipeline. Rendering (both log formats) is in [`render`].

pub mod render;

use std::cell::RefCell;

use crate::base::source::Loc;

/// How serious a message is; the reference's log levels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Detail for developers of the compiler.
    Debug,
    /// Progress.
    Info,
    /// Legal, but probably not what was meant.
    Warning,
    /// A mistake in the input; no output is written.
    Error,
    /// The compiler cannot go on.
    Critical,
}

impl Severity {
    /// The level's name as it stands in log lines.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }
}

/// One message, at a place in the source where there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// The text, without level and place.
    pub message: String,
    /// Where, or [`Loc::NONE`].
    pub loc: Loc,
}

/// Raised by a step that cannot produce its result. The two reasons end differently: see spec 10 §2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// A mistake in the input: reported as an `error`, other artifacts go on.
    Code(String, Loc),
    /// A broken promise of the front end or of this compiler: reported as `critical`, exit code 2.
    Internal(String, Loc),
    /// Several failures of one step, reported one by one in order.
    Group(Vec<Failure>),
    /// Already reported through the sink; only unwinds.
    Reported,
    /// The stop check asked the compilation to end (time limit or a stopping daemon).
    Stopped,
}

impl Failure {
    /// A mistake in the input.
    pub fn code(message: impl Into<String>, loc: Loc) -> Self {
        Failure::Code(message.into(), loc)
    }
    /// A broken promise.
    pub fn internal(message: impl Into<String>, loc: Loc) -> Self {
        Failure::Internal(message.into(), loc)
    }
}

/// The result of a step that can fail.
pub type Outcome<T> = Result<T, Failure>;

/// Collects messages in the order they are reported.
#[derive(Default)]
pub struct Sink {
    items: RefCell<Vec<Diagnostic>>,
    warnings_are_errors: std::cell::Cell<bool>,
    ignores_debug: std::cell::Cell<bool>,
}

impl Sink {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }
    /// From now on a warning is reported as an error (`treat_warnings_as_errors`).
    pub fn promote_warnings(&self) {
        self.warnings_are_errors.set(true);
    }
    /// The severity a message is reported with.
    pub fn promoted(&self, severity: Severity) -> Severity {
        match severity {
            Severity::Warning if self.warnings_are_errors.get() => Severity::Error,
            other => other,
        }
    }
    /// Adds a message.
    pub fn report(&self, severity: Severity, message: impl Into<String>, loc: Loc) {
        let severity = self.promoted(severity);
        self.items.borrow_mut().push(Diagnostic { severity, message: message.into(), loc });
    }
    /// Reports a debug message.
    pub fn debug(&self, message: impl Into<String>, loc: Loc) {
        self.report(Severity::Debug, message, loc);
    }
    /// From now on debug messages that are made on demand are not made: nobody will see them.
    pub fn ignore_debug(&self) {
        self.ignores_debug.set(true);
    }
    /// Whether somebody will see debug messages.
    pub fn wants_debug(&self) -> bool {
        !self.ignores_debug.get()
    }
    /// Reports a debug message about a place that is made only if somebody wants it.
    pub fn debug_at(&self, loc: Loc, message: impl FnOnce() -> String) {
        if !self.ignores_debug.get() {
            self.report(Severity::Debug, message(), loc);
        }
    }
    /// Reports a debug message that is made only if somebody wants it.
    pub fn debug_with(&self, message: impl FnOnce() -> String) {
        if !self.ignores_debug.get() {
            self.report(Severity::Debug, message(), Loc::NONE);
        }
    }
    /// Reports several debug messages that are made only if somebody wants them.
    pub fn debug_with_each(&self, messages: impl FnOnce(&mut dyn FnMut(String))) {
        if !self.ignores_debug.get() {
            messages(&mut |message| self.report(Severity::Debug, message, Loc::NONE));
        }
    }
    /// Reports progress.
    pub fn info(&self, message: impl Into<String>, loc: Loc) {
        self.report(Severity::Info, message, loc);
    }
    /// Reports a warning.
    pub fn warning(&self, message: impl Into<String>, loc: Loc) {
        self.report(Severity::Warning, message, loc);
    }
    /// Reports an error.
    pub fn error(&self, message: impl Into<String>, loc: Loc) {
        self.report(Severity::Error, message, loc);
    }
    /// Reports a critical message.
    pub fn critical(&self, message: impl Into<String>, loc: Loc) {
        self.report(Severity::Critical, message, loc);
    }
    /// Reports what a failure says, at `fallback` where it names no place. The caller decides what
    /// goes on: after [`Failure::Internal`] and [`Failure::Stopped`] nothing does.
    pub fn failure(&self, failure: &Failure, fallback: Loc) {
        match failure {
            Failure::Code(message, loc) => self.error(message.clone(), loc.or(fallback)),
            Failure::Internal(message, loc) => self.critical(message.clone(), loc.or(fallback)),
            Failure::Group(items) => items.iter().for_each(|item| self.failure(item, fallback)),
            Failure::Reported | Failure::Stopped => {}
        }
    }
    /// How many messages of exactly this severity were reported.
    pub fn count(&self, severity: Severity) -> usize {
        self.items.borrow().iter().filter(|item| item.severity == severity).count()
    }
    /// How many messages were reported.
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }
    /// True when nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }
    /// The messages from the `start`-th on.
    pub fn since(&self, start: usize) -> Vec<Diagnostic> {
        self.items.borrow()[start..].to_vec()
    }
    /// Takes the messages from the `start`-th on out, as if they had not been reported.
    pub fn take_since(&self, start: usize) -> Vec<Diagnostic> {
        self.items.borrow_mut().split_off(start)
    }
    /// Adds messages that were taken out.
    pub fn put_back(&self, messages: Vec<Diagnostic>) {
        self.items.borrow_mut().extend(messages);
    }
    /// Exit code so far: 2 after a critical message, 1 after an error, otherwise 0 (spec 10 §2).
    pub fn exit_code(&self) -> u8 {
        let items = self.items.borrow();
        match items.iter().map(|item| item.severity).max() {
            Some(Severity::Critical) => 2,
            Some(Severity::Error) => 1,
            _ => 0,
        }
    }
}
