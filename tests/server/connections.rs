//! Connection rules: who may connect, how a connection ends, what it may take.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use puya::server::ServerConfig;
use puya::server::connection::Limits;
use tungstenite::Message;

use crate::rig::*;

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn who_may_not_connect_is_refused_before_the_upgrade() {
    let folder = Folder::new("refuse");
    let token_file = folder.0.join("token");
    let arguments =
        ["--allow-origin=https://ok.example", "--token-file", token_file.to_str().unwrap()];
    let daemon = Daemon::start(&folder, &[&arguments[..], &["--allow-origin=null"]].concat());
    let token = std::fs::read_to_string(&token_file).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let status = |headers: &[(&str, &str)]| Client::connect_with(daemon.address, headers).err();
    assert_eq!(status(&[("Authorization", &bearer)]), None);
    assert_eq!(status(&[("Authorization", &bearer), ("Origin", "https://ok.example")]), None);
    assert_eq!(status(&[("Authorization", &bearer), ("Origin", "null")]), None);
    let evil = [("Authorization", bearer.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(status(&evil), Some(403));
    assert_eq!(status(&[]), Some(401));
    assert_eq!(status(&[("Authorization", "Bearer wrong")]), Some(401));
    let rebound = HEAD.replace("localhost", "evil.example");
    assert_eq!(http_status(daemon.address, &rebound).0, Some(403));
}

#[test]
fn what_is_not_a_websocket_is_told_what_this_is() {
    let folder = Folder::new("plain");
    let daemon = Daemon::start(&folder, &[]);
    let plain = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let (status, answer) = http_status(daemon.address, plain);
    assert_eq!(status, Some(426));
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("puya") && body.lines().count() == 1, "{answer}");
    assert_eq!(http_status(daemon.address, "\x16\x03\x01garbage").0, Some(400));
    // one connection's garbage is nobody else's business
    assert!(daemon.client().call("ping", "{}").contains("ok"));
}

#[test]
fn bytes_right_behind_the_request_head_are_kept() {
    let address = serve(ServerConfig::default());
    let mut stream = stream(address);
    let text = request(7, "ping", "{}");
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend([0x81, 0x80 | text.len() as u8, 0, 0, 0, 0]);
    bytes.extend(text.as_bytes());
    stream.write_all(&bytes).unwrap();
    let mut seen: Vec<u8> = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.windows(6).any(|part| part == b"\"id\":7") {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0);
        seen.extend(&buffer[..count]);
    }
}

#[test]
fn a_handshake_that_does_not_end_is_closed() {
    let handshake = Duration::from_millis(200);
    let address = serve(quick(Limits { handshake, ..Limits::default() }));
    let mut stream = stream(address);
    stream.write_all(b"GET / HT").unwrap();
    assert_eq!(stream.read(&mut [0; 10]).unwrap_or(0), 0);
}

#[test]
fn bad_messages_close_with_their_code() {
    let folder = Folder::new("codes");
    let daemon = Daemon::start(&folder, &["--max-message-size=100000"]);
    let mut client = daemon.client();
    // the limit itself is not too much
    let ping = request(1, "ping", "{}");
    let longest = " ".repeat(100_000 - ping.len()) + &ping;
    assert!(client.ask(&longest).contains("ok"));
    client.send(&" ".repeat(100_001));
    assert_eq!(client.close_code(), 1009);
    let mut client = daemon.client();
    client.0.send(Message::binary(vec![1])).unwrap();
    assert_eq!(client.close_code(), 1003);
    let mut client = daemon.client();
    client.raw().write_all(&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]).unwrap();
    assert_eq!(client.close_code(), 1007);
    let mut client = daemon.client();
    client.raw().write_all(&[0xc1, 0x80, 0, 0, 0, 0]).unwrap();
    assert_eq!(client.close_code(), 1002);
    // and far more than the limit, sent in full before the answer is read
    let mut client = daemon.client();
    let _ = client.0.send(Message::text(" ".repeat(8 << 20)));
    assert_eq!(client.close_code(), 1009);
}

#[test]
fn a_client_that_does_not_read_is_closed_and_others_are_served() {
    let stall = Duration::from_millis(300);
    let address = serve(quick(Limits { stall, ..Limits::default() }));
    let mut client = Client::connect(address);
    client.send(&compile(1, "30000000"));
    let mut other = Client::connect(address);
    let end = Instant::now() + PATIENCE;
    // the status counts open connections
    while !other.call("status", "{}").contains(r#""connections":1,"#) {
        assert!(Instant::now() < end, "it is never closed");
        thread::sleep(Duration::from_millis(20));
    }
    let unsent_max = 1 << 20;
    let address = serve(quick(Limits { unsent_max, ..Limits::default() }));
    let mut client = Client::connect(address);
    for id in 1..=4 {
        client.send(&compile(id, "10000000"));
    }
    let mut other = Client::connect(address);
    while !other.call("status", "{}").contains(r#""connections":1,"#) {
        assert!(Instant::now() < end, "it is never closed");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_slow_reader_gets_everything() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    client.send(&compile(1, "20000000"));
    thread::sleep(Duration::from_millis(200));
    assert!(client.receive().len() > 20_000_000);
}

#[test]
fn silent_peers_are_pinged_and_closed_when_they_give_no_sign() {
    let limits = Limits {
        ping_after: Duration::from_millis(100),
        pong_within: Duration::from_secs(2),
        ..Limits::default()
    };
    let address = serve(quick(limits));
    let mut deaf = stream(address);
    deaf.write_all(HEAD.as_bytes()).unwrap();
    let mut seen: Vec<u8> = Vec::new();
    // it ends by itself, and the last thing that came is a ping
    deaf.read_to_end(&mut seen).unwrap();
    assert!(seen.ends_with(&[0x89, 0x00]));
    let mut alive = Client::connect(address);
    let pinged = thread::spawn(move || {
        for _ in 0..5 {
            assert!(matches!(alive.0.read().unwrap(), Message::Ping(_)));
        }
    });
    pinged.join().unwrap();
}

#[test]
fn too_many_connections_get_503() {
    let folder = Folder::new("many");
    let daemon = Daemon::start(&folder, &["--max-connections=2"]);
    let (mut first, second) = (daemon.client(), daemon.client());
    assert_eq!(Client::connect_with(daemon.address, &[]).err(), Some(503));
    drop(second);
    let end = Instant::now() + PATIENCE;
    while Client::connect_with(daemon.address, &[]).is_err() {
        assert!(Instant::now() < end, "a place that is free again stays taken");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(first.call("ping", "{}").contains("ok"));
}

#[test]
fn vanishing_clients_leave_no_trace() {
    let address = serve(ServerConfig::default());
    let mut client = Client::connect(address);
    for round in 0..50 {
        let mut other = Client::connect(address);
        match round % 3 {
            0 => other.raw().write_all(&[0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, b'{']).unwrap(),
            1 => other.send(&compile(1, "1000000")),
            _ => {}
        }
    }
    let end = Instant::now() + PATIENCE;
    while !client.call("status", "{}").contains(r#""connections":1,"queued":0"#) {
        assert!(Instant::now() < end, "connections are left over");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_address_others_can_reach_needs_a_token_or_gets_a_warning() {
    let folder = Folder::new("public");
    let daemon = Daemon::start(&folder, &["--host=0.0.0.0"]);
    let warning = daemon.logged("--token-file");
    assert!(warning.contains("[WARN]") && warning.contains("other machines"), "{warning}");
    drop(daemon);
    let token_file = folder.0.join("token");
    let arguments = ["--host=0.0.0.0", "--token-file", token_file.to_str().unwrap()];
    let mut daemon = Daemon::start(&folder, &arguments);
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().code(), Some(0));
    let log = daemon.rest_of_log();
    assert!(!log.contains("WARN"), "{log}");
}

/// What the daemon says about its own memory.
fn resident(client: &mut Client) -> u64 {
    let status = client.call("status", "{}");
    let (_, rest) = status.split_once(r#""current":"#).unwrap();
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn memory_of_compilations_is_given_back() {
    let folder = Folder::new("memory-compile");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let [awst, options, sources] = case("py_65_auction").map(|text| quoted(&text));
    let params = format!(
        r#"{{"options_json": {options}, "awst_json": {awst}, "source_annotations_json": {sources},
            "write": false, "return_artifacts": true}}"#
    );
    // the first one also brings in the program's own pages
    assert!(client.call("compile", &params).contains(r#""success":true"#));
    let before = resident(&mut client);
    for _ in 0..10 {
        assert!(client.call("compile", &params).contains(r#""success":true"#));
    }
    let after = resident(&mut client);
    assert!(after < before + (2 << 20), "{before} -> {after}");
}

#[test]
fn memory_of_a_large_message_is_given_back() {
    let folder = Folder::new("memory");
    let daemon = Daemon::start(&folder, &[]);
    let mut client = daemon.client();
    let before = resident(&mut client);
    let params = format!(r#"{{"x":"{}"}}"#, "y".repeat(30 << 20));
    assert!(client.call("ping", &params).contains("-32602"));
    // not at once: the next message may need it
    thread::sleep(Duration::from_millis(1500));
    let after = resident(&mut client);
    assert!(after < before + (8 << 20), "{before} -> {after}");
}
