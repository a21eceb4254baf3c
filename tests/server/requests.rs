//! Requests and their answers.

use std::io::Write;
use std::process::Stdio;

use puya::base::arena::Arena;
use puya::json::read::read;

use crate::rig::*;

#[test]
fn answers_keep_order_and_ids() {
    let folder = Folder::new("rpc");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let ids = ["1", "\"a\\u0062\"", "1.50", "-0", "123456789012345678901234567890", "null"];
    for id in ids {
        client.send(&format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#));
    }
    for id in ids {
        let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"status":"ok","#);
        let answer = client.receive();
        assert!(answer.starts_with(&head), "{answer}");
    }
    // notifications, also wrong ones, get no answer
    client.send(r#"{"jsonrpc":"2.0","method":"ping"}"#);
    client.send(r#"{"jsonrpc":"2.0","method":"nothing"}"#);
    client.send(r#"[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"ping"}]"#);
    let batch = r#"[{"jsonrpc":"2.0","method":"ping","id":1},7,
        {"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"nothing","id":"x"}]"#;
    let answer = client.ask(batch);
    assert!(answer.starts_with(r#"[{"jsonrpc":"2.0","id":1,"result":"#), "{answer}");
    assert_eq!(answer.matches("jsonrpc").count(), 3, "{answer}");
    assert!(answer.contains("-32600") && answer.contains(r#""id":"x","error":{"code":-32601"#));
    let error = client.ask("{\n  \"id\": 1,\n  oops }");
    assert!(error.contains(r#""id":null,"error":{"code":-32700"#), "{error}");
    assert!(error.contains("line 3 column 3"), "{error}");
    assert!(client.ask("[]").contains("-32600"));
    assert!(client.call("compile", "{}").contains("'options_json'"));
}

#[test]
fn writing_outside_of_the_output_root_is_refused() {
    let folder = Folder::new("root");
    let root = folder.0.join("root");
    std::fs::create_dir(&root).unwrap();
    let daemon = Daemon::start(&folder, &["--output-root", root.to_str().unwrap()]);
    let params = format!(
        r#"{{"options":{{"compilation_set":{{"a":"{}"}}}},"awst":[]}}"#,
        folder.0.join("elsewhere").display()
    );
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains("-32001"), "{answer}");
}

#[test]
fn a_malformed_document_is_a_failed_compilation_that_names_the_place() {
    let folder = Folder::new("malformed");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let wrong_type = APPROVE.replacen(r#""_type":"WType""#, r#""_type":"Foo""#, 1);
    assert_ne!(wrong_type, APPROVE);
    let right = APPROVE_OPTIONS;
    for (awst, options, place) in [
        ("\"\"", right, "awst: JSONDecodeError: Expecting value: line 1 column 1"),
        ("\"[\"", right, "awst: JSONDecodeError: Expecting value: line 1 column 2"),
        ("[3]", right, "awst[0]: "),
        ("[{}]", right, "awst[0]: no member "),
        ("\"null\"", right, "awst: "),
        (wrong_type.as_str(), right, "awst[0].program.return_type: unknown type "),
        ("[]", "[]", "options: "),
        ("[]", "{}", "options: no member "),
        ("[]", r#"{"compilation_set": 5}"#, "options.compilation_set: "),
        ("[]", r#"{"compilation_set": {"a": 1}}"#, "options.compilation_set['a']: "),
        ("[]", r#"{"compilation_set": {}, "debug_level": "x"}"#, "options.debug_level: "),
    ] {
        let name = if awst.starts_with('"') { "awst_json" } else { "awst" };
        let params = format!(r#"{{"options":{options},"{name}":{awst},"write":false}}"#);
        let answer = client.call("compile", &params);
        assert!(answer.contains(r#""success":false,"elapsed_time":"#), "{awst:.80}: {answer}");
        let (_, error) = answer.split_once(r#""error":""#).expect(&answer);
        let (error, _) = error.split_once(r#"","logs":["#).expect(&answer);
        assert!(error.starts_with(place), "{awst:.80}: {error}");
    }
}

#[test]
fn wrong_annotations_and_options_in_a_string_are_named_too() {
    let folder = Folder::new("malformed-text");
    let daemon = Daemon::start(&folder, &[]);
    for (params, place) in [
        (r#""options_json":"{","awst":[]"#, "options: JSONDecodeError: "),
        (r#""options":{},"awst":[],"source_annotations_json":"x""#, "source_annotations: "),
        (r#""options":{},"awst":[],"source_annotations":[]"#, "source_annotations: "),
    ] {
        let answer = daemon.client().call("compile", &format!("{{{params}}}"));
        assert!(answer.contains(&format!(r#""error":"{place}"#)), "{answer}");
    }
}

#[test]
fn nothing_is_written_unless_every_target_compiled() {
    let folder = Folder::new("all-or-nothing");
    let daemon = Daemon::start(&folder, &[]);
    let options = APPROVE_OPTIONS.replace("\"out\"}", "\"out\", \"nothing\": \"other\"}");
    let base = folder.0.join("base");
    std::fs::create_dir(&base).unwrap();
    let params =
        format!(r#"{{"options":{options},"awst":{APPROVE},"base_path":"{}"}}"#, base.display());
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains(r#""success":false"#) && answer.contains(r#""files":[]"#), "{answer}");
    assert_eq!(std::fs::read_dir(&base).unwrap().count(), 0);
}

#[test]
fn a_notification_is_done_and_not_answered() {
    let folder = Folder::new("notification");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    client.send(&format!(
        r#"{{"jsonrpc":"2.0","method":"compile","params":{{"options":{APPROVE_OPTIONS},
            "awst":{APPROVE},"base_path":"{}"}}}}"#,
        folder.0.display()
    ));
    assert!(client.call("ping", "{}").contains(r#""status":"ok""#));
    assert!(folder.0.join("out/approve.teal").exists());
}

#[test]
fn the_status_tells_all_of_it() {
    let folder = Folder::new("status");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let params = format!(r#"{{"options":{APPROVE_OPTIONS},"awst":{APPROVE},"write":false}}"#);
    assert!(client.call("compile", &params).contains(r#""success":true"#));
    assert!(client.call("compile", r#"{"options":{},"awst":[]}"#).contains(r#""success":false"#));
    let answer = client.call("status", "{}");
    let arena = Arena::new();
    let answer = read(&answer, &arena).unwrap();
    let status = answer.get("result").unwrap();
    let text = |path: &[&str]| {
        let value = path.iter().fold(status, |json, name| json.get(name).expect(name));
        value.as_str().map(str::to_owned).or(value.as_number()).unwrap()
    };
    let number = |path: &[&str]| text(path).parse::<f64>().unwrap();
    assert_eq!(text(&["version"]), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&["pid"]), daemon.pid().to_string());
    assert_eq!(text(&["address"]), format!("ws://{}", daemon.address));
    assert_eq!([number(&["connections"]), number(&["queued"])], [1.0, 0.0]);
    assert_eq!(number(&["compilations", "total"]), 2.0);
    assert_eq!(number(&["compilations", "failed"]), 1.0);
    assert!(number(&["uptime"]) > 0.0 && number(&["last_compilation"]) > 0.0);
    assert!(number(&["bytes_in"]) > APPROVE.len() as f64 && number(&["bytes_out"]) > 0.0);
    assert!(number(&["memory", "peak"]) >= number(&["memory", "current"]));
    assert!(number(&["memory", "current"]) > 0.0);
}

#[test]
fn a_compilation_writes_its_files_where_the_request_says() {
    let folder = Folder::new("compile");
    let daemon = Daemon::start(&folder, &[]);
    let base = folder.0.canonicalize().unwrap();
    let params = format!(
        r#"{{"options": {APPROVE_OPTIONS}, "awst": {APPROVE}, "base_path": "{}"}}"#,
        base.display()
    );
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains(r#""success":true,"#), "{answer}");
    let files = ["approve.teal", "approve.bin", "approve.puya.map"]
        .map(|name| base.join("out").join(name).to_str().unwrap().to_owned());
    assert!(answer.contains(&format!(r#""files":["{}"]"#, files.join("\",\""))), "{answer}");
    assert!(!answer.contains("artifacts"));
    let written: Vec<String> = std::fs::read_dir(base.join("out"))
        .unwrap()
        .map(|file| file.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(written.len(), 3, "{written:?}");
    assert!(files.iter().all(|file| written.contains(file)));
}

#[test]
fn a_compilation_can_return_its_artifacts_and_write_nothing() {
    let folder = Folder::new("artifacts");
    let daemon = Daemon::start(&folder, &[]);
    let base = folder.0.join("nowhere");
    let params = format!(
        r#"{{"options": {APPROVE_OPTIONS}, "awst": {APPROVE}, "base_path": "{}",
            "write": false, "return_artifacts": true}}"#,
        base.display()
    );
    let answer = daemon.client().call("compile", &params);
    let expected = r#""artifacts":[{"id":"contract.approve","name":"approve","kind":"logic_signature","program":{"teal":"#;
    assert!(answer.contains(expected), "{answer}");
    assert!(answer.contains(r#""source_map":{"version":3,"#), "{answer}");
    assert!(answer.contains(r#""success":true"#) && !answer.contains("\"files\""), "{answer}");
    assert!(!base.exists());
    // a contract has two programs and two specifications
    let [awst, options, sources] = case("py_09_first_router").map(|text| quoted(&text));
    let params = format!(
        r#"{{"options_json": {options}, "awst_json": {awst}, "source_annotations_json": {sources},
            "write": false, "return_artifacts": true}}"#
    );
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains(r#""kind":"contract","approval":{"teal":"#), "{answer:.2000}");
    for part in [r#""clear":{"teal":"#, r#""arc56":{""#, r#""arc32":{""#] {
        assert!(answer.contains(part), "{part}");
    }
}

#[test]
fn analysing_gives_messages_and_writes_nothing() {
    let folder = Folder::new("analyse");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let answer = client.call("analyse", &format!(r#"{{"awst":{APPROVE}}}"#));
    assert_eq!(answer, r#"{"jsonrpc":"2.0","id":1,"result":{"logs":[]}}"#);
    let [awst, ..] = case("py_e40_call_signatures");
    let answer = client.call("analyse", &format!(r#"{{"awst":{awst}}}"#));
    assert!(answer.contains(r#""level":"error","message":"method selector "#), "{answer}");
}

#[test]
fn an_editor_that_closed_stderr_gets_its_results() {
    let mut child = puya().arg("serve").stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let mut input = child.stdin.take().unwrap();
    // its messages are shown on stderr, too
    let text = request(0, "analyse", r#"{"awst":[{}]}"#);
    for _ in 0..2 {
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches(r#""result": {"logs": [{"level": "critical""#).count(), 2, "{said}");
}

#[test]
fn editors_are_served_over_stdin() {
    let folder = Folder::new("stdio");
    let mut child = puya().arg("serve").stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let base = folder.0.canonicalize().unwrap();
    let params = format!(
        r#"{{"awst": {APPROVE}, "options": {APPROVE_OPTIONS}, "base_path": "{}",
            "log_level": "info", "source_annotations": {{}}}}"#,
        base.display()
    );
    for text in [
        request(0, "compile", &params),
        request(1, "analyse", &format!(r#"{{"awst": {APPROVE}}}"#)),
        r#"{"jsonrpc":"2.0","method":"shutdown","params":{"0":null}}"#.to_owned(),
    ] {
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
    }
    // it leaves because it was told to, not because the input ends
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("Content-Length: ").count(), 2, "{said}");
    let head = "\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n";
    assert!(said.contains(&format!("{head}{{\"id\": 0, \"jsonrpc\": \"2.0\", \"result\": ")));
    assert!(
        said.contains(
            r#"{"level": "info", "message": "Writing out/approve.teal", "location": null}"#
        )
    );
    assert!(said.contains(r#""arc56": {}}}"#), "{said}");
    assert!(said.ends_with(r#"{"id": 1, "jsonrpc": "2.0", "result": {"logs": []}}"#), "{said}");
    assert!(base.join("out/approve.teal").exists());
}
