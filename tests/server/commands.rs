//! The command line around the daemon.

use std::io::{Read, Write};

use crate::rig::*;

#[test]
fn the_command_line_starts_asks_and_stops() {
    let folder = Folder::new("commands");
    let run = |arguments: &[&str]| {
        let output =
            puya().args(arguments).arg("--pid-file").arg(folder.pid_file()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = run(&["--daemon", "--detach", "--port", "0"]);
    assert_eq!(code, Some(0));
    let pid = std::fs::read_to_string(folder.pid_file()).unwrap();
    let pid = pid.trim();
    assert!(said.contains(&format!("pid {pid},")), "{said}");
    let (_, port) = said.trim().rsplit_once(':').unwrap();
    let (code, health) = run(&["--daemon-status", "--port", port]);
    assert_eq!(code, Some(0));
    let expected = format!(
        "{{\"pid_file_exists\":true,\"pid_running\":true,\"port_open\":true,\"responsive\":true,\
         \"pid\":{pid}}}\n"
    );
    assert_eq!(health, expected);
    // a session of its own, so that a closing terminal does not take it along
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert_eq!(stat.rsplit(')').next().unwrap().split_whitespace().nth(3), Some(pid));
    assert_eq!(run(&["--daemon-stop", "--port", port]).0, Some(0));
    assert!(!folder.pid_file().exists());
    let (code, health) = run(&["--daemon-status", "--port", port]);
    assert_eq!(code, Some(1));
    assert!(health.contains("\"responsive\":false"), "{health}");
    assert_eq!(run(&["--daemon-stop", "--port", port]).0, Some(1));
}

#[test]
fn the_command_line_compiles_through_a_daemon_it_starts() {
    let folder = Folder::new("use-daemon");
    std::fs::write(folder.0.join("awst.json"), APPROVE).unwrap();
    std::fs::write(folder.0.join("options.json"), APPROVE_OPTIONS).unwrap();
    let port = free_port().to_string();
    let run = |more: &[&str]| {
        let _ = std::fs::remove_dir_all(folder.0.join("out"));
        let output = puya()
            .args(["--awst", "awst.json", "--options", "options.json"])
            .args(more)
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(folder.0.join("out/approve.teal").exists());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let by_daemon = ["--use-daemon", "--port", &port, "--pid-file", "daemon.pid"];
    let (alone, _) = run(&[]);
    let (said, why) = run(&[&by_daemon[..], &["--no-auto-start"]].concat());
    assert_eq!(said, alone);
    assert!(why.contains("no daemon can be reached"), "{why}");
    for _ in 0..2 {
        assert_eq!(run(&by_daemon), (alone.clone(), String::new()));
    }
    let mut client = Client::connect(local(port.parse().unwrap()));
    assert!(client.call("status", "{}").contains(r#""compilations":{"total":2,"failed":0}"#));
    client.call("stop", "{}");
    assert_eq!(client.close_code(), 1001);
}

#[test]
fn a_detached_daemon_appends_to_its_log_file_in_the_layout_it_is_told() {
    let folder = Folder::new("log");
    let log_file = folder.0.join("there.log");
    std::fs::write(&log_file, "before\n").unwrap();
    let (pid_file, log) = (folder.pid_file(), log_file.to_str().unwrap());
    let run = |more: &[&str]| {
        let output = puya().args(more).arg("--pid-file").arg(&pid_file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().rsplit(':').next().unwrap().to_owned()
    };
    let start = ["--daemon", "--detach", "--port=0", "--log-file", log];
    // IPv4 and IPv6, by address and by the one name that is known
    let hosts = ["127.0.0.1", "localhost", "::1"];
    for (host, more) in hosts.iter().zip(["default", "json", "json"]) {
        if *host == "::1" && std::net::TcpListener::bind("[::1]:0").is_err() {
            continue;
        }
        let port = run(&[&start[..], &["--log-format", more, "--host", host]].concat());
        run(&["--daemon-status", "--port", &port, "--host", host]);
        run(&["--daemon-stop", "--port", &port, "--host", host]);
    }
    let text = std::fs::read_to_string(&log_file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "before");
    assert!(lines[1].contains("[INFO] listening on ws://127.0.0.1:"), "{text}");
    let json = r#""level": "info", "message": "listening on ws://127.0.0.1:"#;
    assert!(lines.iter().any(|line| line.starts_with('{') && line.contains(json)), "{text}");
    // where nothing is said, the log of a daemon that nobody sees is beside its pid file
    let port = run(&["--daemon", "--detach", "--port=0"]);
    run(&["--daemon-stop", "--port", &port]);
    let text = std::fs::read_to_string(folder.0.join("daemon.log")).unwrap();
    assert!(text.contains("listening") && text.contains("stopped"), "{text}");
}

#[test]
fn the_log_holds_what_its_level_lets_through() {
    for (level, listening, refusal) in
        [("debug", true, true), ("warning", false, true), ("error", false, false)]
    {
        let folder = Folder::new(&format!("level-{level}"));
        let port = free_port();
        let pid_file = folder.pid_file();
        let arguments = ["--daemon", "--log-level", level, "--port", &port.to_string()];
        let mut child = puya().args(arguments).arg("--pid-file").arg(&pid_file).spawn().unwrap();
        until("it listens", || std::net::TcpStream::connect(local(port)).is_ok());
        assert_eq!(
            http_status(local(port), "GET / HTTP/1.1\r\nHost: x.example\r\n\r\n").0,
            Some(403)
        );
        Client::connect(local(port)).call("stop", "{}");
        let mut log = String::new();
        child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(log.contains("listening on"), listening, "{log}");
        assert_eq!(log.contains("refused a connection: Host"), refusal, "{log}");
        assert_eq!(log.contains("connection 2 ends"), level == "debug", "{log}");
    }
}

#[test]
fn a_compile_timeout_can_be_given() {
    let folder = Folder::new("timeout");
    let daemon = Daemon::start(&folder, &["--compile-timeout=0.000001"]);
    let params = format!(r#"{{"options":{APPROVE_OPTIONS},"awst":{APPROVE},"write":false}}"#);
    let answer = daemon.client().call("compile", &params);
    assert!(answer.contains("longer than 0.000001 seconds"), "{answer}");
    assert!(answer.contains("--compile-timeout"), "{answer}");
}

#[test]
fn messages_and_exit_codes_are_the_same_with_and_without_a_daemon() {
    let folder = Folder::new("same");
    let port = free_port().to_string();
    let by_daemon = ["--use-daemon", "--port", &port, "--pid-file", "daemon.pid"];
    for name in ["py_e40_call_signatures", "py_e22_nested_enumeration", "py_e14_infinite_loop"] {
        let [awst, options, sources] = case(name);
        std::fs::write(folder.0.join("awst.json"), awst).unwrap();
        std::fs::write(folder.0.join("options.json"), options).unwrap();
        std::fs::write(folder.0.join("sources.json"), sources).unwrap();
        let files = "--awst=awst.json --options=options.json --source-annotations=sources.json";
        let run = |more: &[&str]| {
            let mut command = puya();
            command.args(files.split(' ')).args(more).current_dir(&folder.0).env("NO_COLOR", "1");
            let output = command.output().unwrap();
            let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
            (output.status.code(), texts)
        };
        let alone = run(&[]);
        assert_eq!(alone.0, Some(1), "{alone:?}");
        // with the lines of source it is about
        assert!(alone.1[0].contains("\n          "), "{}", alone.1[0]);
        assert_eq!(run(&by_daemon), alone, "{name}");
        let json = [&by_daemon[..], &["--log-format=json"]].concat();
        assert_eq!(run(&json), run(&["--log-format=json"]), "{name}");
    }
    let mut client = Client::connect(local(port.parse().unwrap()));
    assert!(client.call("status", "{}").contains(r#""compilations":{"total":6,"failed":6}"#));
    client.call("stop", "{}");
}

#[test]
fn where_no_daemon_helps_the_reason_says_what_to_do() {
    let folder = Folder::new("advice");
    std::fs::write(folder.0.join("awst.json"), APPROVE).unwrap();
    std::fs::write(folder.0.join("options.json"), APPROVE_OPTIONS).unwrap();
    let run = |port: u16, more: &[&str]| {
        let mut command = puya();
        command.args(["--awst=awst.json", "--options=options.json", "--use-daemon", "--port"]);
        command.arg(port.to_string()).args(more).current_dir(&folder.0);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let why = String::from_utf8(output.stderr).unwrap();
        assert!(why.starts_with("puya: compiling without a daemon: "), "{why}");
        assert_eq!(why.lines().count(), 1, "{why}");
        why
    };
    let port = free_port();
    let why = run(port, &["--no-auto-start"]);
    assert!(
        why.contains(&format!("127.0.0.1:{port}")) && why.contains("--daemon --detach"),
        "{why}"
    );
    let token_file = folder.0.join("token");
    let daemon = Daemon::start(&folder, &["--token-file", token_file.to_str().unwrap()]);
    let port = daemon.address.port();
    assert!(run(port, &[]).contains("--token-file"));
    assert!(run(port, &["--token-file", "nowhere/token"]).contains("nowhere/token"));
    // what the daemon does not take is compiled here
    let other = Folder::new("advice-small");
    let small = Daemon::start(&other, &["--max-message-size=1000"]);
    let why = run(small.address.port(), &[]);
    assert!(why.contains("1009") && why.contains("--max-message-size"), "{why}");
    // the pid file is taken by the daemon on another port
    let why = run(free_port(), &["--pid-file", folder.pid_file().to_str().unwrap()]);
    assert!(why.contains(&format!("pid {}", daemon.pid())) && why.contains("--pid-file"), "{why}");
    // somebody else's server
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        }
    });
    let why = run(port, &[]);
    assert!(why.contains("200 OK") && why.contains("choose another --port"), "{why}");
    let mut command = puya();
    command.args(["--daemon", "--port", &port.to_string(), "--pid-file=other.pid"]);
    let output = command.current_dir(&folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(why.contains("already in use") && why.contains("--port"), "{why}");
    server.join().unwrap();
}

#[test]
fn wrong_arguments_end_with_one_clear_line_the_usage_and_two() {
    let cases: [&[&str]; 8] = [
        &["--daemon", "--frobnicate"],
        &["--daemon", "--port"],
        &["--daemon", "--port=eighty"],
        &["--daemon", "--host=example.com"],
        &["--daemon", "--daemon-stop"],
        &["--daemon", "--idle-timeout=-1"],
        &["--no-auto-start"],
        &["compile"],
    ];
    for arguments in cases {
        let output = puya().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let (line, usage) = said.split_once("\n\n").expect(&said);
        assert!(line.starts_with("puya: ") && !line.contains('\n'), "{said}");
        assert!(usage.starts_with("Usage: puya "), "{said}");
    }
}

#[test]
fn the_version_is_one_line_that_tools_can_read() {
    let output = puya().arg("--version").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    let number = said.strip_prefix("puya 5.10.1-rs.").expect(&said).strip_suffix('\n').unwrap();
    assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{said}");
    assert!(output.stderr.is_empty());
}
