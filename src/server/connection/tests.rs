use super::*;

#[path = "../../../fuzz/memory.rs"]
mod memory;
use memory::Memory;

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A connection under test, with its peer and a clock.
struct Rig {
    pipe: Memory,
    connection: Connection<Memory>,
    limits: Limits,
    now: Instant,
    received: Vec<Utf8Bytes>,
}

impl Rig {
    fn new() -> Self {
        let pipe = Memory::new(usize::MAX);
        let limits = Limits { message_max: 100_000, ..Limits::default() };
        let now = Instant::now();
        let connection = Connection::new(pipe.clone(), now, &limits, false);
        Self { pipe, connection, limits, now, received: Vec::new() }
    }
    fn open() -> Self {
        let mut rig = Self::new();
        assert_eq!(rig.send(HEAD.as_bytes()), Turn::Wait);
        assert!(rig.output().starts_with(b"HTTP/1.1 101 "));
        rig
    }
    fn send(&mut self, bytes: &[u8]) -> Turn {
        self.pipe.0.borrow_mut().input.extend(bytes);
        self.turn()
    }
    fn turn(&mut self) -> Turn {
        loop {
            let admission = Admission::default();
            let turn =
                self.connection.turn(self.now, &self.limits, &admission, 64, &mut self.received);
            if turn != Turn::Again {
                return turn;
            }
        }
    }
    fn wait(&mut self, seconds: u64) -> Turn {
        self.now += Duration::from_secs(seconds);
        self.connection.on_time(self.now, &self.limits, false)
    }
    fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pipe.0.borrow_mut().output)
    }
}

/// A client's frame; its mask is zero, so that the payload stays readable.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            bytes.push(0xfe);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0xff);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// The close code in a server's output.
fn close_code(output: &[u8]) -> Option<u16> {
    let at = output.len().checked_sub(4).map(|_| output)?;
    (at[0] == 0x88).then(|| u16::from_be_bytes([at[2], at[3]]))
}

#[test]
fn bytes_right_behind_the_head_are_kept() {
    let mut rig = Rig::new();
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend(frame(0x81, b"early"));
    assert_eq!(rig.send(&bytes), Turn::Wait);
    assert_eq!(rig.received, ["early"]);
}

#[test]
fn everything_may_come_byte_by_byte() {
    let mut rig = Rig::new();
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend(frame(0x01, b"hal"));
    bytes.extend(frame(0x89, b"p"));
    bytes.extend(frame(0x80, b"ves"));
    for byte in bytes {
        assert_eq!(rig.send(&[byte]), Turn::Wait);
    }
    assert_eq!(rig.received, ["halves"]);
    assert!(rig.output().ends_with(&[0x8a, 1, b'p']));
}

#[test]
fn faults_of_the_peer_close_with_their_code() {
    let cases: [(Vec<u8>, u16); 5] = [
        (frame(0x82, b"binary"), 1003),
        (frame(0x81, b"\xff\xfe"), 1007),
        (frame(0x81, &[b'x'; 100_001]), 1009),
        (frame(0xf1, b"reserved bits"), 1002),
        (vec![0x81, 0x01, b'x'], 1002),
    ];
    for (bytes, code) in cases {
        let mut rig = Rig::open();
        assert_eq!(rig.send(&bytes), Turn::Wait, "{code}");
        assert_eq!(close_code(&rig.output()), Some(code));
        assert!(rig.pipe.0.borrow().is_finished && rig.received.is_empty());
        // what the peer goes on to send is swallowed until it closes, but not for ever
        assert_eq!(rig.send(&[0; 1000]), Turn::Wait);
        assert_eq!(rig.wait(2), Turn::Gone("closed"));
    }
}

#[test]
fn what_came_before_a_fault_is_answered_first() {
    let mut rig = Rig::open();
    let mut bytes = frame(0x81, b"request");
    bytes.extend(frame(0x81, b"\xff"));
    bytes.extend(frame(0x81, b"never read"));
    assert_eq!(rig.send(&bytes), Turn::Wait);
    assert_eq!(rig.received, ["request"]);
    assert!(rig.output().is_empty());
    assert_eq!(rig.turn(), Turn::Wait);
    assert_eq!(rig.received, ["request"]);
    rig.connection.answer("answer".to_owned());
    rig.connection.set_waiting(0);
    rig.turn();
    let output = rig.output();
    assert!(output.starts_with(b"\x81\x06answer"));
    assert_eq!(close_code(&output[8..]), Some(1007));
}

#[test]
fn a_close_is_answered_and_a_vanished_peer_noticed() {
    let mut rig = Rig::open();
    rig.send(&frame(0x88, &[0x03, 0xe8]));
    assert_eq!(close_code(&rig.output()), Some(1000));
    rig.pipe.0.borrow_mut().is_ended = true;
    assert_eq!(rig.turn(), Turn::Gone("closed"));
    let mut rig = Rig::open();
    rig.pipe.0.borrow_mut().is_ended = true;
    assert_eq!(rig.turn(), Turn::Gone("the peer is gone"));
}

#[test]
fn a_handshake_has_to_end_in_time() {
    let mut rig = Rig::new();
    rig.send(&HEAD.as_bytes()[..HEAD.len() - 1]);
    assert_eq!(rig.wait(4), Turn::Wait);
    assert_eq!(rig.wait(1), Turn::Gone("the handshake took too long"));
}

#[test]
fn silent_peers_are_pinged_and_dropped() {
    let mut rig = Rig::open();
    assert_eq!(rig.wait(30), Turn::Wait);
    assert_eq!(rig.output(), [0x89, 0]);
    rig.now += Duration::from_secs(29);
    rig.send(&frame(0x8a, b""));
    assert_eq!(rig.wait(29), Turn::Wait);
    assert_eq!(rig.output(), []);
    assert_eq!(rig.wait(1), Turn::Wait);
    assert_eq!(rig.output(), [0x89, 0]);
    assert_eq!(rig.wait(30), Turn::Gone("the peer gives no sign of life"));
}

#[test]
fn a_peer_that_does_not_read_is_dropped() {
    let mut rig = Rig::open();
    rig.pipe.0.borrow_mut().window = 10;
    rig.connection.answer("x".repeat(100));
    assert_eq!(rig.connection.write(rig.now, &rig.limits), Turn::Wait);
    // as long as it takes something it may be slow
    rig.now += Duration::from_secs(29);
    rig.pipe.0.borrow_mut().window = 1;
    assert_eq!(rig.turn(), Turn::Wait);
    rig.now += Duration::from_secs(29);
    assert_eq!(rig.connection.on_time(rig.now, &rig.limits, true), Turn::Wait);
    rig.now += Duration::from_secs(1);
    let gone = Turn::Gone("the peer does not read its answers");
    assert_eq!(rig.connection.on_time(rig.now, &rig.limits, true), gone);

    let mut rig = Rig::open();
    rig.limits.unsent_max = 1000;
    rig.pipe.0.borrow_mut().window = 0;
    rig.connection.answer("x".repeat(2000));
    assert_eq!(rig.connection.write(rig.now, &rig.limits), Turn::Wait);
    rig.connection.answer(String::new());
    assert_eq!(rig.connection.write(rig.now, &rig.limits), gone);
}

#[test]
fn a_flood_of_pings_that_nobody_reads_ends() {
    let mut rig = Rig::open();
    rig.pipe.0.borrow_mut().window = 0;
    let turns = (0..2000).map(|_| rig.send(&frame(0x89, &[b'p'; 100])));
    assert!(turns.into_iter().any(|turn| turn == Turn::Gone("the peer is gone")));
}

#[test]
fn a_large_buffer_is_given_back_and_the_connection_goes_on() {
    let mut rig = Rig::new();
    rig.limits.message_max = 1 << 20;
    rig.send(HEAD.as_bytes());
    let large = vec![b'x'; LARGE_MESSAGE + 1];
    for size in [0, 1, 2, 3] {
        let mut bytes = frame(0x81, &large);
        bytes.extend(&frame(0x81, b"tail")[..size]);
        rig.send(&bytes);
        // only a buffer that holds no part of the next message may go
        let State::Open { has_large_buffer, .. } = rig.connection.state else { panic!("closed") };
        assert_eq!(has_large_buffer, size > 0);
        rig.send(&frame(0x81, b"tail")[size..]);
    }
    let lengths: Vec<usize> = rig.received.iter().map(|text| text.len()).collect();
    assert_eq!(lengths, [large.len(), 4].repeat(4));
}

#[test]
fn answers_stop_at_a_close() {
    let mut rig = Rig::open();
    rig.connection.close(CloseCode::Away, "the daemon stops");
    rig.connection.answer("too late".to_owned());
    rig.connection.write(rig.now, &rig.limits);
    let output = rig.output();
    assert_eq!(close_code(&output), Some(1001));
    assert!(!output.windows(4).any(|part| part == b"late"));
}

#[test]
fn the_limits_are_those_of_the_contract() {
    let Limits { message_max, connections_max, unsent_max, .. } = Limits::default();
    assert_eq!((message_max, connections_max, unsent_max), (64 << 20, 256, 64 << 20));
    let Limits { handshake, stall, ping_after, pong_within, .. } = Limits::default();
    assert_eq!(handshake, Duration::from_secs(5));
    assert_eq!([stall, ping_after, pong_within], [Duration::from_secs(30); 3]);
}

#[test]
fn a_byte_now_and_then_is_no_sign_of_life_for_ever() {
    // slower than the pings, faster than the pings' end: a byte keeps the peer alive
    let mut rig = Rig::open();
    let bytes = frame(0x81, b"slow");
    for byte in &bytes {
        assert_eq!(rig.wait(31), Turn::Wait);
        assert_eq!(rig.send(&[*byte]), Turn::Wait);
    }
    assert_eq!(rig.received, ["slow"]);
    // a byte a minute: the pong would have had to come before it
    assert_eq!(rig.send(&bytes[..1]), Turn::Wait);
    assert_eq!(rig.wait(30), Turn::Wait);
    assert_eq!(rig.wait(30), Turn::Gone("the peer gives no sign of life"));
}
