//! The client libraries: the one of this crate, and the one in Python by its own tests.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use puya::client::direct::CompileParams;
use puya::client::{
    ClientError, CompileWithDaemon, PuyaDaemonClient, StartError, StartOptions,
    check_daemon_health, compile_with_daemon_if_available, ensure_daemon_running,
    start_daemon_process, terminate_daemon,
};
use puya::diagnostics::Severity;
use puya::json::value::Value;
use puya::server::ServerConfig;
use puya::server::handshake::Admission;

use crate::rig::*;

#[test]
fn a_client_sends_its_token_and_tells_refused_from_unreachable() {
    let admission = Admission { origins: Vec::new(), token: Some("secret".to_owned()) };
    let address = serve(ServerConfig { admission, ..ServerConfig::default() });
    assert_eq!(Client::connect_with(address, &[]).err(), Some(401));
    let mut client = PuyaDaemonClient::new(address, PATIENCE);
    assert!(matches!(client.ping_sync(), Err(ClientError::Refused(_))));
    client.token = Some("secret".to_owned());
    assert!(client.ping_sync().is_ok());
    assert!(client.stop_server_sync().is_ok());
    // the port itself may be another test's by now, but only on the usual address
    client.address.set_ip([127, 0, 0, 7].into());
    let after = client.ping_sync();
    assert!(matches!(after, Err(ClientError::Unreachable(..))), "{after:?}");
}

#[test]
fn many_who_need_a_daemon_start_one() {
    let folder = Folder::new("race");
    let port = free_port();
    let client = PuyaDaemonClient::new(local(port), PATIENCE);
    let start = StartOptions {
        executable: env!("CARGO_BIN_EXE_puya").into(),
        arguments: vec![
            format!("--port={port}").into(),
            "--pid-file".into(),
            folder.pid_file().into(),
        ],
        timeout: PATIENCE,
    };
    let starters: Vec<_> = (0..4)
        .map(|_| {
            let (client, start) = (client.clone(), start.clone());
            thread::spawn(move || ensure_daemon_running(&client, &start).unwrap())
        })
        .collect();
    let started: Vec<bool> = starters.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(started.iter().filter(|started| **started).count(), 1, "{started:?}");
    assert!(terminate_daemon(&client, Some(&folder.pid_file()), PATIENCE));
    assert!(!folder.pid_file().exists());
}

#[test]
fn a_daemon_that_hangs_is_ended_by_force() {
    let folder = Folder::new("hang");
    let mut daemon = Daemon::start(&folder, &[]);
    daemon.signal("-STOP");
    let stat = format!("/proc/{}/stat", daemon.pid());
    until("it has stopped", || std::fs::read_to_string(&stat).unwrap().contains(") T "));
    let client = PuyaDaemonClient::new(daemon.address, Duration::from_millis(300));
    let health = check_daemon_health(&client, Some(&folder.pid_file()));
    assert!(health.pid_file_exists && health.pid_running && health.port_open, "{health:?}");
    assert!(!health.responsive && health.pid == Some(daemon.pid()), "{health:?}");
    // neither the request nor SIGTERM reaches it
    assert!(terminate_daemon(&client, Some(&folder.pid_file()), Duration::from_millis(300)));
    assert_eq!(daemon.wait().signal(), Some(9));
    let health = check_daemon_health(&client, Some(&folder.pid_file()));
    assert!(health.pid_file_exists && !health.pid_running, "{health:?}");
}

#[test]
fn the_five_operations_work_together() {
    let folder = Folder::new("operations");
    let client = PuyaDaemonClient::new(local(free_port()), PATIENCE);
    let start = StartOptions {
        executable: env!("CARGO_BIN_EXE_puya").into(),
        arguments: vec![
            format!("--port={}", client.address.port()).into(),
            "--pid-file".into(),
            folder.pid_file().into(),
        ],
        timeout: PATIENCE,
    };
    let request = CompileWithDaemon {
        options_json: APPROVE_OPTIONS,
        awst_json: APPROVE,
        source_annotations_json: None,
        base_path: &folder.0,
        log_level: Some(Severity::Info),
        daemon: Some(&client),
        auto_start: Some(&start),
    };
    let outcome = compile_with_daemon_if_available(&request);
    assert!(outcome.success && outcome.used_daemon, "{outcome:?}");
    assert_eq!((outcome.exit_code, outcome.error, outcome.daemon_error), (0, None, None));
    assert!(folder.0.join("out/approve.teal").exists());
    assert!(!ensure_daemon_running(&client, &start).unwrap());
    let started = start_daemon_process(&start);
    assert!(matches!(started, Err(StartError::Failed(Some(3), _))), "{started:?}");
    let params = CompileParams {
        options_json: APPROVE_OPTIONS,
        awst_json: APPROVE,
        base_path: Some(&folder.0),
        ..CompileParams::default()
    };
    let result = client.compile_sync(&params).unwrap();
    assert_eq!(result.get("success"), Some(&Value::Bool(true)));
    assert!(check_daemon_health(&client, Some(&folder.pid_file())).responsive);
    assert!(terminate_daemon(&client, Some(&folder.pid_file()), PATIENCE));
    assert!(!folder.pid_file().exists());
}

#[test]
fn the_python_client_passes_its_tests() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/test_puya_daemon.py");
    let run = Command::new("python3")
        .arg(script)
        .env("PUYA_BIN", env!("CARGO_BIN_EXE_puya"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        // a machine without Python has no use for its client
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
    }
}
