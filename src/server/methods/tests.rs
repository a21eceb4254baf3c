use super::*;
use crate::base::arena::Arena;
use crate::diagnostics::render::ReportLocation;
use crate::rpc::envelope::{Message, read_message, write_answer};

fn show(document: Document<'_>) -> String {
    match document {
        Document::Text(text) => format!("text {text}"),
        Document::Tree(json) => format!("tree {}", write(&Value::from(json), Layout::Dense)),
    }
}

/// Does what the AWST says: `panic`, `slow`, `fail`, or anything else: success.
fn fake(request: CompileRequest<'_>) -> CompileReport {
    let mut done = CompileReport::default();
    match show(request.awst).as_str() {
        "tree \"panic\"" => panic!("as told"),
        "tree \"slow\"" => {
            while !request.stop.unwrap()() {}
            done.stopped = true;
        }
        "tree \"fail\"" => {
            done.exit_code = 1;
            done.reports.push(Report::new(Severity::Warning, "odd"));
            done.reports.push(Report {
                location: Some(ReportLocation {
                    file: Some("a.py".to_owned()),
                    line: 1,
                    end_line: 2,
                    comment_lines: 3,
                    column: Some(4),
                    end_column: None,
                }),
                ..Report::new(Severity::Error, "bad")
            });
        }
        awst => {
            if let Task::Compile { options, annotations } = request.task {
                let seen = format!(
                    "{awst}, {}, {}, {}",
                    show(options),
                    annotations.map_or("none".to_owned(), show),
                    request.cwd
                );
                done.reports.push(Report::new(Severity::Info, seen));
                if let Some(folder) = awst.strip_prefix("text ") {
                    let is_refused =
                        request.may_write.is_some_and(|may_write| !may_write(Path::new(folder)));
                    done.refused = is_refused.then(|| PathBuf::from(folder));
                }
            } else {
                done.reports.push(Report::new(Severity::Info, awst));
            }
            done.reports.push(Report::new(Severity::Debug, "detail"));
        }
    }
    done
}

fn service(root: Option<&Path>) -> Service {
    let config = ServiceConfig {
        address: "ws://here".to_owned(),
        compile_timeout: Duration::from_millis(20),
        output_root: root.map(|root| OutputRoot::new(root).unwrap()),
        working_folder: PathBuf::from("/base"),
        console_level: None,
    };
    Service::new(Surface::Socket, config, fake)
}

fn call(service: &mut Service, method: &str, params: &str) -> String {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let arena = Arena::new();
    let Message::Single(Ok(request)) = read_message(&text, &arena) else { panic!("{text}") };
    let answer = write_answer(request.id, &service.call(&request));
    answer
        .strip_prefix(r#"{"jsonrpc":"2.0","id":1,"#)
        .unwrap()
        .strip_suffix('}')
        .unwrap()
        .to_owned()
}

#[test]
fn wrong_parameters_are_named() {
    let mut service = service(None);
    let cases = [
        ("compile", "{}", "options_json"),
        ("compile", r#"{"options":{}}"#, "awst_json"),
        ("compile", r#"{"options":{},"awst_json":5}"#, "'awst_json' must be a string"),
        ("compile", r#"{"options":{},"options_json":"{}","awst":[]}"#, "exclude each other"),
        ("compile", r#"{"options":{},"awst":[],"write":1}"#, "'write'"),
        ("compile", r#"{"options":{},"awst":[],"log_level":"loud"}"#, "loud"),
        ("compile", r#"{"options":{},"awst":[],"base_path":[]}"#, "'base_path'"),
        ("compile", r#"{"options":{},"awst":[],"wirte":false}"#, "wirte"),
        ("compile", "[1]", "by name"),
        ("ping", r#"{"a":1}"#, "'a'"),
        ("analyse", "{}", "awst"),
    ];
    for (method, params, word) in cases {
        let answer = call(&mut service, method, params);
        assert!(answer.contains("-32602"), "{params}: {answer}");
        assert!(answer.contains(word), "{params}: {answer}");
    }
    assert!(call(&mut service, "rpc.nothing", "{}").contains("-32601"));
}

#[test]
fn documents_come_as_text_or_as_values() {
    let mut service = service(None);
    let as_text = call(
        &mut service,
        "compile",
        r#"{"options_json":"{\"a\":1}","awst_json":"[ 1 ]","source_annotations_json":null,
            "base_path":"out","write":false}"#,
    );
    assert!(as_text.contains(r#""text [ 1 ], text {\"a\":1}, none, /base/out""#), "{as_text}");
    assert!(!as_text.contains("files") && !as_text.contains("detail"), "{as_text}");
    let as_values = call(
        &mut service,
        "compile",
        r#"{"options": {"b": 2} ,"awst": [ 1 ],"source_annotations":{},"log_level":"notset"}"#,
    );
    assert!(as_values.contains(r#"tree [1], tree {\"b\":2}, tree {}, /base/"#), "{as_values}");
    assert!(as_values.contains(r#""files":[]"#) && as_values.contains("detail"));
    assert!(as_values.starts_with(r#""result":{"success":true,"elapsed_time":"#));
}

#[test]
fn a_failure_is_a_result_and_a_panic_an_error() {
    let mut service = service(None);
    let failed = call(&mut service, "compile", r#"{"options":{},"awst":"fail"}"#);
    assert!(failed.contains(r#""success":false"#) && failed.contains(r#""error":"bad""#));
    assert!(failed.contains(
        r#""location":{"file":"a.py","line":1,"end_line":2,"column":4,"end_column":null}"#
    ));
    assert!(failed.contains(r#"{"level":"warning","message":"odd","location":null}"#));
    let late = call(&mut service, "compile", r#"{"options":{},"awst":"slow"}"#);
    assert!(late.contains(r#""success":false"#) && late.contains("longer than 0.02 seconds"));
    let panicked = call(&mut service, "compile", r#"{"options":{},"awst":"panic"}"#);
    assert!(panicked.contains("-32603"), "{panicked}");
    let status = call(&mut service, "status", "{}");
    assert!(status.contains(r#""compilations":{"total":3,"failed":3}"#), "{status}");
}

#[test]
fn output_folders_outside_of_the_root_are_refused() {
    let root = std::env::temp_dir();
    let mut service = service(Some(&root));
    let mut is_refused = |folder: &str, more: &str| {
        let params = format!(r#"{{"options":{{}},"awst_json":"{folder}"{more}}}"#);
        call(&mut service, "compile", &params).contains("-32001")
    };
    assert!(is_refused("/", ""));
    assert!(is_refused("out", ""));
    assert!(!is_refused("/", r#","write":false"#));
    assert!(!is_refused(root.join("new").to_str().unwrap(), ""));
}

#[test]
fn stop_asks_the_loop() {
    let mut service = service(None);
    let answer = call(&mut service, "stop", "{}");
    assert_eq!(answer, r#""result":{"success":true,"message":"Server stopping"}"#);
    assert!(service.stop_requested);
    assert!(call(&mut service, "ping", "[]").contains(r#""status":"ok","version":"5.10.1"#));
    let logs = r#""result":{"logs":[{"level":"info","message":"tree [1]","location":null}]}"#;
    assert_eq!(call(&mut service, "analyse", r#"{"awst":[1]}"#), logs);
}
