//! One connection: `Handshaking -> Open -> Closing`. Readiness and time in; messages, answers on
//! the wire and finally `Gone` out. Nothing here waits or knows of other connections, so a test can
//! drive it with bytes from memory and a clock of its own.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::Utf8Bytes;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Bytes, Error, Message};

use super::handshake::{Admission, HEAD_MAX, Refusal, Verdict, judge};
use super::wire::{Transport, Wire};

/// A message beyond this length makes the codec's buffer worth giving back.
const LARGE_MESSAGE: usize = 128 << 10;

/// The codec's read buffer: small, because every idle connection has one.
const READ_BUFFER: usize = 16 << 10;

/// What a connection may take, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest message, in bytes.
    pub message_max: usize,
    /// Most connections served at the same time.
    pub connections_max: usize,
    /// Most messages of one connection that wait to be worked on.
    pub waiting_max: usize,
    /// Most bytes of answers that a peer may leave unread.
    pub unsent_max: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How long output may wait without any of it being taken.
    pub stall: Duration,
    /// After how long a silent peer is asked for a sign of life.
    pub ping_after: Duration,
    /// How long it has to give one.
    pub pong_within: Duration,
    /// How long to wait, after everything was sent, for the peer to close.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_max: 64 << 20,
            connections_max: 256,
            waiting_max: 64,
            unsent_max: 64 << 20,
            handshake: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            ping_after: Duration::from_secs(30),
            pong_within: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Nothing to do until the socket or the clock says so.
    Wait,
    /// There may be more to read: give it another turn.
    Again,
    /// The connection is over, and why.
    Gone(&'static str),
}

enum State {
    Handshaking {
        head: Vec<u8>,
        deadline: Instant,
        is_full: bool,
    },
    Open {
        codec: Box<WebSocketContext>,
        /// When the peer was last heard of.
        heard: Instant,
        /// When it was asked for a sign of life, if it still owes one.
        pinged: Option<Instant>,
        /// Whether the codec's buffer has grown.
        has_large_buffer: bool,
        /// How to close once what was received before is answered: the peer sent something after
        /// which nothing more can be read.
        ending: Option<(CloseCode, &'static str)>,
    },
    Closing {
        /// Set once everything is written.
        deadline: Option<Instant>,
    },
}

/// One connection and its state.
pub struct Connection<T> {
    wire: Wire<T>,
    state: State,
    /// How many of its messages wait to be worked on.
    waiting: usize,
    /// Since when output waits without being taken.
    stalled: Option<Instant>,
}

impl<T: Transport> Connection<T> {
    /// A connection that was just accepted; one too many (`is_full`) will be told so.
    pub fn new(transport: T, now: Instant, limits: &Limits, is_full: bool) -> Self {
        let deadline = now + limits.handshake;
        let state = State::Handshaking { head: Vec::new(), deadline, is_full };
        Self { wire: Wire::new(transport), state, waiting: 0, stalled: None }
    }
    /// Whether messages can come and answers can go.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }
    /// Whether it is one that will be refused because there are too many.
    pub fn is_surplus(&self) -> bool {
        matches!(self.state, State::Handshaking { is_full: true, .. })
    }
    /// Bytes read and bytes written so far.
    pub fn traffic(&self) -> (u64, u64) {
        (self.wire.bytes_in, self.wire.bytes_out)
    }

    /// Reads and writes as far as it goes. At most `room` messages are added to `received`; whoever
    /// gave no room for more gives the next turn too, since readiness is told only once.
    pub fn turn(
        &mut self,
        now: Instant,
        limits: &Limits,
        admission: &Admission,
        room: usize,
        received: &mut Vec<Utf8Bytes>,
    ) -> Turn {
        self.wire.start_turn();
        if let State::Handshaking { .. } = self.state
            && let Some(why) = self.read_head(now, limits, admission)
        {
            return Turn::Gone(why);
        }
        if let State::Open { ending: None, .. } = self.state
            && let Some(why) = self.read_messages(now, limits, room, received)
        {
            return Turn::Gone(why);
        }
        self.write(now, limits)
    }

    /// Queues an answer. One that nobody can take any more is dropped.
    pub fn answer(&mut self, text: String) {
        if self.is_open() {
            self.wire.push_text(Bytes::from(text));
        }
    }

    /// Takes note of how many of its messages still wait to be worked on.
    pub fn set_waiting(&mut self, waiting: usize) {
        self.waiting = waiting;
    }

    /// Writes what waits, and ends the connection where that is due.
    pub fn write(&mut self, now: Instant, limits: &Limits) -> Turn {
        if let State::Open { ending: Some((code, reason)), .. } = self.state
            && self.waiting == 0
        {
            self.close(code, reason);
        }
        let is_sent = match self.wire.pump() {
            Ok(is_sent) => is_sent,
            Err(_) => return Turn::Gone("the peer is gone"),
        };
        let progressed = self.wire.take_progress();
        if is_sent {
            self.stalled = None;
        } else if progressed || self.stalled.is_none() {
            self.stalled = Some(now);
        }
        if self.wire.backlog() > limits.unsent_max {
            return Turn::Gone("the peer does not read its answers");
        }
        match &mut self.state {
            State::Closing { deadline } if is_sent => {
                if deadline.is_none() {
                    *deadline = Some(now + limits.linger);
                    if self.wire.finish().is_err() {
                        return Turn::Gone("closed");
                    }
                }
                self.discard_input()
            }
            _ if self.wire.is_starved() => Turn::Again,
            _ => Turn::Wait,
        }
    }

    /// Starts to close an open connection, telling the peer why; drops one that is not open yet.
    pub fn close(&mut self, code: CloseCode, reason: &'static str) {
        if let State::Open { codec, .. } = &mut self.state {
            let reason = Utf8Bytes::from_static(reason);
            // it can only fail for a peer that does not read, which the next write notices
            let _ = codec.close(&mut self.wire, Some(CloseFrame { code, reason }));
        }
        if !matches!(self.state, State::Closing { .. }) {
            self.state = State::Closing { deadline: None };
        }
    }

    /// When the clock has something to say. A peer we owe an answer (`is_busy`) is not asked for
    /// signs of life, as we may not be reading them.
    pub fn deadline(&self, limits: &Limits, is_busy: bool) -> Option<Instant> {
        let stall = self.stalled.map(|since| since + limits.stall);
        let own = match &self.state {
            State::Handshaking { deadline, .. } => Some(*deadline),
            State::Open { .. } if is_busy => None,
            State::Open { heard, pinged, .. } => Some(match pinged {
                Some(asked) => *asked + limits.pong_within,
                None => *heard + limits.ping_after,
            }),
            State::Closing { deadline } => *deadline,
        };
        stall.into_iter().chain(own).min()
    }

    /// Does what is due. To be called after the input that has arrived was read.
    pub fn on_time(&mut self, now: Instant, limits: &Limits, is_busy: bool) -> Turn {
        if self.stalled.is_some_and(|since| since + limits.stall <= now) {
            return Turn::Gone("the peer does not read its answers");
        }
        match &mut self.state {
            State::Handshaking { deadline, .. } if *deadline <= now => {
                Turn::Gone("the handshake took too long")
            }
            State::Closing { deadline: Some(deadline) } if *deadline <= now => Turn::Gone("closed"),
            State::Open { codec, heard, pinged, .. } if !is_busy => match pinged {
                Some(asked) if *asked + limits.pong_within <= now => {
                    Turn::Gone("the peer gives no sign of life")
                }
                None if *heard + limits.ping_after <= now => {
                    *pinged = Some(now);
                    match codec.write(&mut self.wire, Message::Ping(Bytes::new())) {
                        Ok(()) => self.write(now, limits),
                        Err(_) => Turn::Gone("the peer does not read its pings"),
                    }
                }
                _ => Turn::Wait,
            },
            _ => Turn::Wait,
        }
    }

    /// Reads the request head and answers it. Some: the connection is over.
    fn read_head(
        &mut self,
        now: Instant,
        limits: &Limits,
        admission: &Admission,
    ) -> Option<&'static str> {
        let State::Handshaking { head, is_full, .. } = &mut self.state else { return None };
        let mut buffer = [0; 4096];
        loop {
            let count = match self.wire.read_raw(&mut buffer) {
                Ok(0) => return Some("the peer is gone"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => return Some("the peer is gone"),
            };
            head.extend_from_slice(&buffer[..count]);
            // only the end of a head, or too much of it, changes the verdict
            let from = head.len().saturating_sub(count + 3);
            let is_complete = head[from..].windows(2).any(|pair| matches!(pair, b"\n\r" | b"\n\n"));
            let is_text = head.first().is_some_and(u8::is_ascii_alphabetic);
            if !is_complete && is_text && head.len() < HEAD_MAX {
                continue;
            }
            let verdict = match judge(head, admission) {
                Verdict::Upgrade(..) if *is_full => {
                    Verdict::Refuse(Refusal::Full, Refusal::Full.response())
                }
                verdict => verdict,
            };
            match verdict {
                Verdict::Incomplete => {}
                Verdict::Refuse(refusal, response) => {
                    log::warn!("refused a connection: {refusal:?}");
                    self.wire.push_raw(response);
                    self.state = State::Closing { deadline: None };
                    return None;
                }
                Verdict::Upgrade(response, end) => {
                    let rest = head.split_off(end);
                    self.wire.push_raw(response);
                    self.wire.frames.feed(&rest);
                    self.state = State::Open {
                        codec: Box::new(new_codec(rest, limits)),
                        heard: now,
                        pinged: None,
                        has_large_buffer: false,
                        ending: None,
                    };
                    return None;
                }
            }
        }
    }

    /// Reads messages. Some: the connection is over.
    fn read_messages(
        &mut self,
        now: Instant,
        limits: &Limits,
        room: usize,
        received: &mut Vec<Utf8Bytes>,
    ) -> Option<&'static str> {
        let before = self.wire.bytes_in;
        let start = received.len();
        let fault = loop {
            let State::Open { codec, has_large_buffer, .. } = &mut self.state else { return None };
            if received.len() - start >= room {
                break None;
            }
            match codec.read(&mut self.wire) {
                Ok(Message::Text(text)) => {
                    *has_large_buffer |= text.len() > LARGE_MESSAGE;
                    received.push(text);
                }
                Ok(Message::Binary(_)) => break Some((CloseCode::Unsupported, "text only")),
                // pings and closes are answered by the codec
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    self.release_buffer(limits);
                    break None;
                }
                Err(Error::ConnectionClosed) => {
                    self.state = State::Closing { deadline: None };
                    return None;
                }
                Err(Error::Capacity(_)) => {
                    break Some((CloseCode::Size, "message too large (--max-message-size)"));
                }
                Err(Error::Utf8(_)) => break Some((CloseCode::Invalid, "invalid UTF-8")),
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    return Some("the peer is gone");
                }
                Err(Error::Protocol(_)) => break Some((CloseCode::Protocol, "protocol error")),
                Err(_) => return Some("the peer is gone"),
            }
        };
        self.waiting += received.len() - start;
        if let State::Open { heard, pinged, ending, .. } = &mut self.state {
            if self.wire.bytes_in > before {
                (*heard, *pinged) = (now, None);
            }
            if let Some((_, reason)) = fault {
                log::debug!("closing a connection: {reason}");
                *ending = fault;
            }
        }
        None
    }

    /// Gives the codec's grown buffer back, when nothing is in it.
    fn release_buffer(&mut self, limits: &Limits) {
        let State::Open { codec, has_large_buffer, .. } = &mut self.state else { return };
        let is_empty = self.wire.frames.is_between_messages();
        if *has_large_buffer && is_empty && codec.flush(&mut self.wire).is_ok() {
            **codec = new_codec(Vec::new(), limits);
            *has_large_buffer = false;
        }
    }

    /// Reads and forgets. Closing a socket with unread input resets it, and the reset can destroy
    /// what the peer has not read yet.
    fn discard_input(&mut self) -> Turn {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.wire.read_raw(&mut buffer) {
                Ok(0) => return Turn::Gone("closed"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return if self.wire.is_starved() { Turn::Again } else { Turn::Wait };
                }
                Err(_) => return Turn::Gone("closed"),
            }
        }
    }
}

/// A codec that starts with bytes already read. Its frame limit is the message limit, because
/// clients send a message as one frame; its output is never held back, because the wire queues.
fn new_codec(input: Vec<u8>, limits: &Limits) -> WebSocketContext {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(limits.message_max))
        .max_frame_size(Some(limits.message_max));
    WebSocketContext::from_partially_read(input, Role::Server, Some(config))
}

#[cfg(test)]
mod tests;
