//! The methods as an editor or front end calls them over stdin. It cannot deal with an error answer
//! (it would wait for ever), so everything that goes wrong becomes a message in a normal result.

use std::path::Path;

use super::{Comments, Params, Service, level_from_name, log_values, run_analysis};
use crate::artifacts::write::Disk;
use crate::base::text::repr;
use crate::compile::{Caller, CompileReport, Document, Keep, Request, Task};
use crate::diagnostics::Severity;
use crate::diagnostics::render::{LogFormat, Report, Style, render};
use crate::json::Json;
use crate::json::coerce::class_name;
use crate::json::value::Value;
use crate::json::write::{Layout, Writer, write};
use crate::rpc::envelope::Answer;
use crate::server::logging::tell;

/// A parameter that has to be there; the mistake in the reference's words.
fn required<'a>(params: &Params<'a>, name: &str) -> Result<Json<'a>, String> {
    let value = params.0.and_then(|params| params.get(name));
    value.ok_or_else(|| format!("deserialization failed: {}", repr(name)))
}

/// The result that stands for parameters that cannot be used.
fn unusable(message: String) -> CompileReport {
    CompileReport {
        reports: vec![Report::new(Severity::Critical, message)],
        exit_code: 2,
        ..CompileReport::default()
    }
}

/// Shows messages on stderr too, whatever level the request asks for: it is the only trace they
/// leave when a client drops the result.
fn show(service: &Service, report: &CompileReport) {
    let cwd = service.config.working_folder.to_string_lossy().into_owned();
    let style = Style { format: LogFormat::Default, colours: false, cwd };
    let level = service.config.console_level;
    for report in &report.reports {
        if level.is_none_or(|level| report.severity >= level) {
            tell(format_args!("{}", render(report, &style)));
        }
    }
}

pub(super) fn compile(service: &mut Service, params: Params<'_>) -> Answer {
    let mut level = Some(Severity::Info);
    let report = run(service, params, &mut level).unwrap_or_else(unusable);
    show(service, &report);
    let logs = log_values(&report.reports, level, Comments::Include);
    let mut out = Writer::new(Layout::Line, String::new());
    out.open('{');
    out.key("logs");
    out.value(&logs);
    out.key("arc56");
    out.open('{');
    for (id, specification) in &report.specifications {
        out.key(id);
        out.json(specification);
    }
    out.close('}');
    out.close('}');
    Ok(out.finish())
}

/// Reads the parameters in the reference's order and compiles.
fn run(
    service: &mut Service,
    params: Params<'_>,
    level: &mut Option<Severity>,
) -> Result<CompileReport, String> {
    let member = |name| params.0.and_then(|params| params.get(name));
    if let Some(value) = member("log_level") {
        let name = value.as_str().unwrap_or_default();
        *level = level_from_name(name)
            .ok_or_else(|| format!("deserialization failed: {}", repr(name)))?;
    }
    let awst = required(&params, "awst")?;
    let options = required(&params, "options")?;
    let base_path = required(&params, "base_path")?;
    let Some(base_path) = base_path.as_str() else {
        return Err(format!(
            "invalid value encountered during deserialization: argument should be a str or an \
             os.PathLike object where __fspath__ returns a str, not {}",
            repr(class_name(base_path))
        ));
    };
    let base_path = service.config.working_folder.join(Path::new(base_path));
    Ok((service.compile)(Request {
        awst: Document::Tree(awst),
        task: Task::Compile {
            options: Document::Tree(options),
            annotations: member("source_annotations").map(Document::Tree),
        },
        caller: Caller::Service,
        cwd: base_path.to_string_lossy().into_owned(),
        outputs: &mut Disk::new(&base_path),
        may_write: None,
        debug: level.is_none_or(|level| level <= Severity::Debug),
        keep: Keep::Specifications,
        stop: None,
    }))
}

pub(super) fn analyse(service: &mut Service, params: Params<'_>) -> Answer {
    let report = match required(&params, "awst") {
        Ok(awst) => run_analysis(service, Document::Tree(awst), Caller::Service, None),
        Err(message) => unusable(message),
    };
    show(service, &report);
    let logs = log_values(&report.reports, Some(Severity::Info), Comments::Include);
    Ok(write(&Value::object([("logs", logs)]), Layout::Line))
}

/// The result that stands for a panic.
pub(super) fn fault(method: &str) -> Answer {
    let report = unusable(format!("internal error in {method}, described on stderr"));
    let mut result = vec![("logs", log_values(&report.reports, None, Comments::Include))];
    if method == "compile" {
        result.push(("arc56", Value::Object(Vec::new())));
    }
    Ok(write(&Value::object(result), Layout::Line))
}

pub(super) fn shutdown(service: &mut Service, _params: Params<'_>) -> Answer {
    service.stop_requested = true;
    Ok("null".to_owned())
}
