//! `puya serve`: JSON-RPC over stdin and stdout for one editor or front end, framed as in the Language
//! Server Protocol (`Content-Length` and a blank line before each message). One request at a time,
//! in order. Nothing but answers goes to stdout.

use std::io::{self, BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use super::logging::tell;
use super::methods::{Compile, Service, ServiceConfig, Surface};
use crate::base::arena::Arena;
use crate::diagnostics::Severity;
use crate::json::write::write_string;
use crate::rpc::envelope::{Answer, read_member};

/// Longest header line that is looked at; a longer one is no header.
const HEADER_LINE_MAX: u64 = 8 << 10;

/// Serves until the client says `shutdown` or closes its end.
pub fn serve(console_level: Option<Severity>, compile: Compile) -> u8 {
    if console_level.is_none_or(|level| level <= Severity::Info) {
        tell(format_args!("info: Starting puya server, Ctrl+C and Enter to exit..."));
    }
    let config = ServiceConfig {
        address: String::new(),
        compile_timeout: Duration::MAX,
        output_root: None,
        working_folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        console_level,
    };
    let service = Service::new(Surface::Stdio, config, compile);
    match run(service, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => 0,
        Err(error) => {
            tell(format_args!("error: {error}"));
            1
        }
    }
}

/// Answers what comes in until it ends.
fn run(mut service: Service, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    while !service.stop_requested {
        let Some(text) = read_frame(input)? else { return Ok(()) };
        // a fault of ours is answered by the methods; this one is the last resort
        let answer = catch_unwind(AssertUnwindSafe(|| answer(&mut service, &text)));
        if let Ok(Some(answer)) = answer {
            write!(
                output,
                "Content-Length: {}\r\nContent-Type: application/vscode-jsonrpc; \
                 charset=utf-8\r\n\r\n{answer}",
                answer.len()
            )?;
            output.flush()?;
        }
    }
    Ok(())
}

/// The body of the next message; none at the end of the input.
fn read_frame(input: &mut dyn BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.take(HEADER_LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_ascii();
        if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            let (name, value) = line.split_at(colon);
            if name.trim_ascii().eq_ignore_ascii_case(b"content-length") {
                let value = std::str::from_utf8(value[1..].trim_ascii()).ok();
                length = value.and_then(|value| value.parse::<u64>().ok());
            }
        }
        if !line.is_empty() {
            continue;
        }
        // a blank line that ends no header is only a blank line
        if let Some(length) = length.take() {
            let mut body = Vec::new();
            let count = input.take(length).read_to_end(&mut body)?;
            return Ok((count as u64 == length).then_some(body));
        }
    }
}

/// The text of the answer to one message; none where the reference gives none.
fn answer(service: &mut Service, body: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(body) else {
        tell(format_args!("error: a message is not UTF-8"));
        return None;
    };
    let arena = Arena::new();
    match read_member(text, &arena) {
        Ok(request) => {
            let Some(id) = request.id else {
                if request.method == "shutdown" {
                    service.stop_requested = true;
                } else {
                    tell(format_args!("warning: ignoring notification {}", request.method));
                }
                return None;
            };
            Some(write_answer(id, &service.call(&request)))
        }
        Err(invalid) => {
            tell(format_args!("error: {}", invalid.error.message));
            let id = invalid.id?;
            Some(write_answer(id, &Err(invalid.error)))
        }
    }
}

/// The text of an answer, laid out as the reference lays it out.
fn write_answer(id: &str, answer: &Answer) -> String {
    match answer {
        Ok(result) => format!("{{\"id\": {id}, \"jsonrpc\": \"2.0\", \"result\": {result}}}"),
        Err(error) => {
            let mut message = String::new();
            write_string(&mut message, &error.message);
            format!(
                "{{\"id\": {id}, \"error\": {{\"code\": {}, \"message\": {message}, \
                 \"data\": null}}, \"jsonrpc\": \"2.0\"}}",
                error.code.number()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{CompileReport, Request, Task};
    use crate::diagnostics::render::Report;

    /// Says what it was asked.
    fn fake(request: Request<'_>) -> CompileReport {
        if request.cwd == "/panic" {
            panic!("as told");
        }
        let task = match request.task {
            Task::Compile { .. } => format!("compile in {}", request.cwd),
            Task::Analyse => "analyse".to_owned(),
        };
        let reports = vec![Report::new(Severity::Debug, "dé"), Report::new(Severity::Info, task)];
        CompileReport { reports, ..CompileReport::default() }
    }

    fn talk(input: &str) -> Vec<String> {
        let config = ServiceConfig {
            address: String::new(),
            compile_timeout: Duration::MAX,
            output_root: None,
            working_folder: PathBuf::from("/here"),
            console_level: Some(Severity::Critical),
        };
        let service = Service::new(Surface::Stdio, config, fake);
        let mut output = Vec::new();
        run(service, &mut input.as_bytes(), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let head = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n";
        let bodies = output.split("Content-Length: ").skip(1);
        bodies
            .map(|part| {
                let (length, rest) = part.split_once("\r\n").unwrap();
                let body = rest.strip_prefix(head).unwrap();
                assert_eq!(body.len().to_string(), length);
                body.to_owned()
            })
            .collect()
    }

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn request(id: &str, method: &str, params: &str) -> String {
        frame(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#))
    }

    #[test]
    fn requests_are_answered_in_the_references_layout() {
        let compile = r#"{"awst":[],"options":{},"base_path":"/base","log_level":"debug"}"#;
        let input = [
            request("0", "compile", compile),
            request("\"é\"", "analyse", r#"{"awst":[],"base_path":""}"#),
            request("2", "nope", "{}"),
            request("3", "ping", "{}"),
        ]
        .concat();
        assert_eq!(
            talk(&input),
            [
                r#"{"id": 0, "jsonrpc": "2.0", "result": {"logs": [{"level": "debug", "message": "d\u00e9", "location": null}, {"level": "info", "message": "compile in /base", "location": null}], "arc56": {}}}"#,
                r#"{"id": "é", "jsonrpc": "2.0", "result": {"logs": [{"level": "info", "message": "analyse", "location": null}]}}"#,
                r#"{"id": 2, "error": {"code": -32601, "message": "Method Not Found: nope", "data": null}, "jsonrpc": "2.0"}"#,
                r#"{"id": 3, "error": {"code": -32601, "message": "Method Not Found: ping", "data": null}, "jsonrpc": "2.0"}"#,
            ]
        );
    }

    #[test]
    fn parameters_that_cannot_be_used_are_a_result_too() {
        let cases = [
            (r#"{"awst":[],"options":{},"log_level":"loud"}"#, "deserialization failed: 'loud'"),
            (r#"{"options":{}}"#, "deserialization failed: 'awst'"),
            (r#"{"awst":[],"options":{}}"#, "deserialization failed: 'base_path'"),
            (r#"{"awst":[],"options":{},"base_path":5}"#, "not 'int'"),
        ];
        for (params, message) in cases {
            let answers = talk(&request("1", "compile", params));
            assert!(answers[0].contains(r#""level": "critical""#), "{answers:?}");
            assert!(answers[0].contains(message), "{answers:?}");
            assert!(answers[0].ends_with(r#""arc56": {}}}"#), "{answers:?}");
        }
    }

    #[test]
    fn a_panic_is_a_result_and_the_next_request_is_answered() {
        let panics = request("0", "compile", r#"{"awst":[],"options":{},"base_path":"/panic"}"#);
        let answers = talk(&[panics, request("1", "analyse", r#"{"awst":[]}"#)].concat());
        assert_eq!(
            answers[0],
            r#"{"id": 0, "jsonrpc": "2.0", "result": {"logs": [{"level": "critical", "message": "internal error in compile, described on stderr", "location": null}], "arc56": {}}}"#
        );
        assert!(answers[1].starts_with(r#"{"id": 1, "jsonrpc": "2.0", "result": "#));
    }

    #[test]
    fn shutdown_ends_it_and_so_does_the_end_of_input() {
        let after = request("9", "analyse", r#"{"awst":[]}"#);
        let notification = frame(r#"{"jsonrpc":"2.0","method":"shutdown","params":{"0":null}}"#);
        assert_eq!(talk(&format!("{notification}{after}")), [""; 0]);
        let answers = talk(&format!("{}{after}", request("1", "shutdown", "null")));
        assert_eq!(answers, [r#"{"id": 1, "jsonrpc": "2.0", "result": null}"#]);
        assert_eq!(talk(&after[..after.len() - 1]), [""; 0]);
    }

    #[test]
    fn garbage_is_passed_over() {
        let good = request("1", "analyse", r#"{"awst":[]}"#);
        let typed = good.replacen("Content-Length", "Content-Type: x\r\ncontent-length", 1);
        let cancel = frame(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"#);
        let input = format!("\r\nnonsense\r\n\r\n{}{cancel}{typed}{good}", frame("not json"));
        assert_eq!(talk(&input).len(), 2);
    }
}
