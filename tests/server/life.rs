//! Life of a daemon: start, work, stop.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use puya::server::ServerConfig;

use crate::rig::*;

#[test]
fn a_daemon_records_its_pid_and_replaces_a_stale_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("start");
    std::fs::write(folder.pid_file(), "4194001\n").unwrap();
    let daemon = Daemon::start(&folder, &[]);
    let text = std::fs::read_to_string(folder.pid_file()).unwrap();
    assert_eq!(text, format!("{}\n", daemon.pid()));
    let made = folder.0.join("made/daemon.pid");
    let arguments = ["--daemon", "--port=0", "--pid-file", made.to_str().unwrap()];
    let _other = Daemon::launch(puya().args(arguments));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&made), 0o600);
    assert_eq!(mode(made.parent().unwrap()), 0o700);
}

#[test]
fn the_usual_pid_file_is_in_the_home_folder() {
    let home = Folder::new("home");
    let mut command = puya();
    command.env("HOME", &home.0).args(["--daemon", "--port=0"]);
    let daemon = Daemon::launch(&mut command);
    let text = std::fs::read_to_string(home.0.join(".puya/daemon.pid")).unwrap();
    assert_eq!(text, format!("{}\n", daemon.pid()));
}

#[test]
fn of_two_daemons_started_at_once_exactly_one_runs() {
    let folder = Folder::new("two");
    for round in 0..6 {
        // on one port with pid files of their own, or with one pid file on ports of their own
        let port = free_port();
        let start = |index: usize| {
            let (port, file) = if round % 2 == 0 { (port, index) } else { (0, 0) };
            let pid_file = folder.0.join(format!("{round}-{file}.pid"));
            let mut command = puya();
            command.args(["--daemon", "--port", &port.to_string(), "--pid-file"]).arg(pid_file);
            command.spawn().unwrap()
        };
        let mut both = [start(0), start(1)];
        let mut loser = None;
        until("one of them ends", || {
            loser = (0..2).find(|index| both[*index].try_wait().unwrap().is_some());
            loser.is_some()
        });
        let [mut one, mut other] = both;
        if loser == Some(0) {
            std::mem::swap(&mut one, &mut other);
        }
        let ended = other.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(3), "{ended:?}");
        let mut line = String::new();
        let mut log = BufReader::new(one.stderr.take().unwrap());
        log.read_line(&mut line).unwrap();
        let (_, address) = line.trim().split_once("listening on ws://").expect(&line);
        let mut daemon =
            Daemon { child: one, address: address.parse().unwrap(), log: mpsc::channel().1 };
        assert!(daemon.client().call("ping", "{}").contains(&daemon.pid().to_string()));
        daemon.signal("-TERM");
        assert_eq!(daemon.wait().code(), Some(0));
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn after_a_kill_another_one_starts_on_the_same_port_and_pid_file() {
    let folder = Folder::new("kill");
    let mut daemon = Daemon::start_fake(&folder, &[]);
    let mut client = daemon.client();
    for id in 0..5 {
        client.send(&compile(id, "wait"));
    }
    client.wait_until_received();
    daemon.signal("-KILL");
    assert_eq!(daemon.wait().code(), None);
    assert!(folder.pid_file().exists());
    let port = format!("--port={}", daemon.address.port());
    let next =
        Daemon::launch(puya().args(["--daemon", &port, "--pid-file"]).arg(folder.pid_file()));
    assert!(next.client().call("ping", "{}").contains(&next.pid().to_string()));
    let text = std::fs::read_to_string(folder.pid_file()).unwrap();
    assert_eq!(text, format!("{}\n", next.pid()));
}

#[test]
fn one_thread_serves_everybody() {
    let folder = Folder::new("threads");
    let daemon = Daemon::start(&folder, &[]);
    let clients: Vec<Client> = (0..10).map(|_| daemon.client()).collect();
    let tasks = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
    // the first thread of the process only waits for the one with the large stack
    assert_eq!(tasks.count(), 2);
    drop(clients);
}

#[test]
fn a_second_daemon_says_who_runs_and_touches_nothing() {
    let folder = Folder::new("second");
    let daemon = Daemon::start(&folder, &[]);
    let port = daemon.address.port().to_string();
    let other = folder.0.join("other.pid");
    let by_port = puya()
        .args(["--daemon", "--port", &port, "--pid-file"])
        .arg(&other)
        .arg("--token-file")
        .arg(folder.0.join("token"))
        .output()
        .unwrap();
    let by_file = puya()
        .args(["--daemon", "--port=0", "--pid-file"])
        .arg(folder.pid_file())
        .output()
        .unwrap();
    for output in [by_port, by_file] {
        assert_eq!(output.status.code(), Some(3));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(&format!("pid {}", daemon.pid())), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    assert!(!other.exists() && !folder.0.join("token").exists());
    let text = std::fs::read_to_string(folder.pid_file()).unwrap();
    assert_eq!(text, format!("{}\n", daemon.pid()));
    assert!(daemon.client().call("ping", "{}").contains(&daemon.pid().to_string()));
}

#[test]
fn stop_answers_closes_and_cleans_up() {
    let folder = Folder::new("stop");
    let mut daemon = Daemon::start(&folder, &[]);
    let mut idle = daemon.client();
    let mut client = daemon.client();
    let answer = client.call("stop", "{}");
    let result = r#""result":{"success":true,"message":"Server stopping"}"#;
    assert!(answer.contains(result), "{answer}");
    assert_eq!(client.close_code(), 1001);
    assert_eq!(idle.close_code(), 1001);
    drop((client, idle));
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(!folder.pid_file().exists());
}

#[test]
fn signals_stop_gracefully() {
    for name in ["-TERM", "-INT"] {
        let folder = Folder::new(&format!("signal{name}"));
        let mut daemon = Daemon::start(&folder, &[]);
        let mut client = daemon.client();
        assert!(client.call("ping", "{}").contains("ok"));
        daemon.signal(name);
        assert_eq!(client.close_code(), 1001);
        drop(client);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(!folder.pid_file().exists());
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new("signal-twice");
    let mut daemon = Daemon::start_fake(&folder, &["--compile-timeout=600"]);
    let mut client = daemon.client();
    client.send(&compile(1, "loop"));
    daemon.logged("going round");
    // two different ones: a signal that waits already cannot come again
    daemon.signal("-TERM");
    daemon.signal("-INT");
    let code = daemon.wait().code();
    assert!(code == Some(128 + 15) || code == Some(128 + 2), "{code:?}");
}

#[test]
fn a_signal_leaves_no_request_unanswered() {
    let folder = Folder::new("signal-work");
    let mut daemon = Daemon::start_fake(&folder, &[]);
    let mut clients = [daemon.client(), daemon.client()];
    let mut answers = clients.each_mut().map(|client| {
        for id in 0..4 {
            client.send(&compile(id, "wait"));
        }
        client.wait_until_received()
    });
    daemon.signal("-TERM");
    for (client, answers) in clients.iter_mut().zip(&mut answers) {
        while answers.len() < 4 {
            answers.push(client.receive());
        }
        for (id, answer) in answers.iter().enumerate() {
            assert!(
                answer.contains(&format!(r#""id":{id},"result":{{"success":true"#)),
                "{answer}"
            );
        }
        assert_eq!(client.close_code(), 1001);
    }
    drop(clients);
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(!folder.pid_file().exists());
}

#[test]
fn an_idle_daemon_stops_by_itself() {
    let folder = Folder::new("idle");
    let started = Instant::now();
    let mut daemon = Daemon::start(&folder, &["--idle-timeout", "0.3"]);
    assert_eq!(daemon.wait().code(), Some(0));
    // with nobody to tell, there is nothing to wait for
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(!folder.pid_file().exists());
}

#[test]
fn a_request_starts_the_idle_time_anew_and_a_connection_does_not() {
    let folder = Folder::new("idle-request");
    let mut daemon = Daemon::start(&folder, &["--idle-timeout=2"]);
    let mut client = daemon.client();
    thread::sleep(Duration::from_secs(1));
    let asked = Instant::now();
    assert!(client.call("ping", "{}").contains("ok"));
    assert_eq!(client.close_code(), 1001);
    assert!(asked.elapsed() >= Duration::from_secs(2));
    drop(client);
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn what_was_received_before_the_stop_is_done_and_what_comes_later_refused() {
    let address = serve(ServerConfig::default());
    let mut busy = Client::connect(address);
    let mut late = Client::connect(address);
    let mut stopper = Client::connect(address);
    for client in [&mut busy, &mut late, &mut stopper] {
        assert!(client.call("ping", "{}").contains("ok"));
    }
    for id in 1..=6 {
        busy.send(&compile(id, "wait"));
    }
    assert!(busy.receive().contains(r#""id":1,"#));
    assert!(stopper.call("stop", "{}").contains("stopping"));
    let refused = late.call("ping", "{}");
    assert!(refused.contains("-32000"), "{refused}");
    for id in 2..=6 {
        let answer = busy.receive();
        assert!(answer.contains(&format!(r#""id":{id},"result":{{"success":true"#)), "{answer}");
    }
    assert_eq!(busy.close_code(), 1001);
    assert_eq!(late.close_code(), 1001);
    assert_eq!(stopper.close_code(), 1001);
}

#[test]
fn a_request_behind_a_stop_is_refused_also_in_one_batch() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    let batch = format!("[{},{}]", request(1, "stop", "{}"), request(2, "ping", "{}"));
    let answer = client.ask(&batch);
    assert!(answer.contains("Server stopping") && answer.contains("-32000"), "{answer}");
    assert_eq!(client.close_code(), 1001);
}

#[test]
fn a_panic_is_one_requests_error() {
    let address = serve(ServerConfig::default());
    let (mut client, mut other) = (Client::connect(address), Client::connect(address));
    let answer = client.ask(&compile(1, "panic"));
    assert!(answer.contains("-32603") && answer.contains("log"), "{answer}");
    assert!(client.ask(&compile(2, "fine")).contains(r#""success":true"#));
    assert!(other.call("status", "{}").contains(r#""compilations":{"total":2,"failed":1}"#));
}

#[test]
fn a_panic_leaves_a_line_with_a_backtrace_under_the_id_of_its_answer() {
    let folder = Folder::new("panic");
    let daemon = Daemon::start_fake(&folder, &[]);
    let mut client = daemon.client();
    let answer = client.ask(&compile(1, "panic"));
    let (_, id) = answer.split_once("log under ").expect(&answer);
    daemon.logged(&format!("internal error {} in compile", &id[..8]));
    daemon.logged("as told");
    daemon.logged(": fake");
    assert!(client.ask(&compile(2, "fine")).contains(r#""success":true"#));
}

#[test]
fn a_compilation_past_its_time_fails_and_the_daemon_lives() {
    let compile_timeout = Duration::from_millis(100);
    let address = serve(ServerConfig { compile_timeout, ..ServerConfig::default() });
    let mut client = Client::connect(address);
    let answer = client.ask(&compile(1, "loop"));
    assert!(answer.contains(r#""success":false"#) && answer.contains("0.1 seconds"), "{answer}");
    assert!(client.call("ping", "{}").contains("ok"));
}

#[test]
fn connections_take_turns() {
    let address = serve(ServerConfig::default());
    let (mut greedy, mut other) = (Client::connect(address), Client::connect(address));
    assert!(other.call("ping", "{}").contains("ok"));
    let batch: Vec<String> = (0..20).map(|id| compile(id, "wait")).collect();
    greedy.send(&format!("[{}]", batch.join(",")));
    for id in 20..40 {
        greedy.send(&compile(id, "wait"));
    }
    let started = Instant::now();
    assert!(other.call("ping", "{}").contains("ok"));
    // all of the other's work takes 4 s; a turn takes a tenth
    assert!(started.elapsed() < Duration::from_secs(3));
}
