use super::*;
use crate::rpc::envelope::{Message, read_message, write_answer};

/// Does what the AWST says: `"panic"`, `"slow"`, `"fail"`, or anything else: success.
struct Fake;

impl Compiler for Fake {
    fn compile(&self, job: &Job<'_>) -> Compiled {
        let entry = |level, message: String| LogEntry { level, message, place: None };
        let mut done = Compiled::default();
        match job.awst {
            "\"panic\"" => panic!("as told"),
            "\"slow\"" => while !(job.stop)() {},
            "\"fail\"" => {
                done.exit_code = 1;
                done.logs.push(entry(Severity::Warning, "odd".to_owned()));
                done.logs.push(LogEntry {
                    level: Severity::Error,
                    message: "bad".to_owned(),
                    place: Some(LogPlace {
                        file: Some("a.py".to_owned()),
                        line: 1,
                        end_line: 2,
                        comment_lines: 3,
                        column: Some(4),
                        end_column: None,
                    }),
                });
            }
            text => {
                let seen = (text, job.options, job.source_annotations, job.base_path, job.write);
                done.logs.push(entry(Severity::Info, format!("{seen:?}")));
                done.logs.push(entry(Severity::Debug, "detail".to_owned()));
                done.files.push(job.base_path.join("x.teal"));
            }
        }
        done
    }
    fn analyse(&self, awst: &str, _stop: &dyn Fn() -> bool) -> Vec<LogEntry> {
        vec![LogEntry { level: Severity::Info, message: awst.to_owned(), place: None }]
    }
}

fn service(root: Option<&Path>) -> Service<'static> {
    let config = ServiceConfig {
        address: "ws://here".to_owned(),
        compile_timeout: Duration::from_millis(20),
        output_root: root.map(|root| OutputRoot::new(root).unwrap()),
        working_folder: PathBuf::from("/work"),
    };
    Service::new(config, &Fake)
}

fn call(service: &mut Service<'_>, method: &str, params: &str) -> String {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let arena = Arena::new();
    let Message::Single(Ok(request)) = read_message(&text, &arena) else { panic!("{text}") };
    let answer = write_answer(request.id, &service.call(&request, &text));
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
    assert!(as_text.contains(r#"(\"[ 1 ]\", \"{\\\"a\\\":1}\", None, \"/work/out\", false)"#));
    assert!(!as_text.contains("files") && !as_text.contains("detail"), "{as_text}");
    let as_values = call(
        &mut service,
        "compile",
        r#"{"options": {"b": 2} ,"awst": [ 1 ],"source_annotations":{},"log_level":"notset"}"#,
    );
    assert!(
        as_values.contains(r#"(\"[ 1 ]\", \"{\\\"b\\\": 2}\", Some(\"{}\"), \"/work/\", true)"#)
    );
    assert!(as_values.contains(r#""files":["/work/x.teal"]"#) && as_values.contains("detail"));
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
    let mut refused = |set: &str, more: &str| {
        let params = format!(r#"{{"options":{{"compilation_set":{set}}},"awst":[]{more}}}"#);
        call(&mut service, "compile", &params).contains("-32001")
    };
    assert!(refused(r#"{"a":"/"}"#, ""));
    assert!(refused(r#"{"a":"out"}"#, ""));
    assert!(!refused(r#"{"a":"/"}"#, r#","write":false"#));
    let inside = format!(r#"{{"a":"{}"}}"#, root.join("new").display());
    assert!(!refused(&inside, ""));
}

#[test]
fn stop_asks_the_loop() {
    let mut service = service(None);
    let answer = call(&mut service, "stop", "{}");
    assert_eq!(answer, r#""result":{"success":true,"message":"Server stopping"}"#);
    assert!(service.stop_requested);
    assert!(call(&mut service, "ping", "[]").contains(r#""status":"ok","version":"5.10.1"#));
    let logs = r#""result":{"logs":[{"level":"info","message":"[1]","location":null}]}"#;
    assert_eq!(call(&mut service, "analyse", r#"{"awst":[1]}"#), logs);
}
