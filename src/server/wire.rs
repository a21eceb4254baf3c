//! One socket with its output queue: what goes out waits here, never in the WebSocket codec, so that
//! the backlog and its progress are known exactly and large answers are not copied.
//!
//! Towards the codec this is a stream whose writes always succeed and whose reads end in an early
//! `WouldBlock` once the turn's share is used up.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};

use tungstenite::Bytes;

/// Bytes taken from one connection before the others get their turn.
const READ_SHARE: usize = 1 << 20;

/// Most bytes of control frames that wait for a peer; a flood of pings ends here.
const CONTROL_MAX: usize = 64 << 10;

/// Buffers handed to one system call.
const GATHER_MAX: usize = 16;

/// What a connection runs on: a socket, or memory in tests.
pub trait Transport: Read + Write {
    /// Tells the peer that nothing more will come.
    fn finish(&mut self) -> io::Result<()>;
}

impl Transport for mio::net::TcpStream {
    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(std::net::Shutdown::Write)
    }
}

/// A piece of output.
struct Piece {
    bytes: Bytes,
    is_control: bool,
}

/// A transport, what waits to be written to it, and counters.
pub struct Wire<T> {
    transport: T,
    pieces: VecDeque<Piece>,
    /// How much of the first piece is written already.
    written_of_first: usize,
    unsent: usize,
    unsent_control: usize,
    /// How much of `unsent` the newest answer is.
    newest: usize,
    share: usize,
    starved: bool,
    /// Whether the peer took any output since this was last asked.
    progressed: bool,
    /// Bytes read from the peer.
    pub bytes_in: u64,
    /// Bytes the peer took.
    pub bytes_out: u64,
    /// Where in the stream of frames the input stands.
    pub frames: FrameTracker,
}

impl<T: Transport> Wire<T> {
    /// A wire with nothing on it.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            pieces: VecDeque::new(),
            written_of_first: 0,
            unsent: 0,
            unsent_control: 0,
            newest: 0,
            share: 0,
            starved: false,
            progressed: false,
            bytes_in: 0,
            bytes_out: 0,
            frames: FrameTracker::default(),
        }
    }
    /// Starts a turn: a fresh share of input.
    pub fn start_turn(&mut self) {
        self.share = READ_SHARE;
        self.starved = false;
    }
    /// Whether input may be left because the share ran out.
    pub fn is_starved(&self) -> bool {
        self.starved
    }
    /// Bytes that wait for the peer.
    pub fn unsent(&self) -> usize {
        self.unsent
    }
    /// Bytes that wait for the peer, without the answer that was added last. A long answer alone
    /// says nothing about its reader.
    pub fn backlog(&self) -> usize {
        self.unsent.saturating_sub(self.newest)
    }
    /// Whether the peer took any output since this was last asked.
    pub fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }
    /// Queues raw bytes.
    pub fn push_raw(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.unsent += bytes.len();
            self.pieces.push_back(Piece { bytes, is_control: false });
        }
    }
    /// Queues one text message: a server's frames are not masked, so header and payload go out as
    /// they are.
    pub fn push_text(&mut self, payload: Bytes) {
        let length = payload.len() as u64;
        let mut header = vec![0x81];
        match length {
            0..126 => header.push(length as u8),
            126..0x1_0000 => {
                header.push(126);
                header.extend((length as u16).to_be_bytes());
            }
            _ => {
                header.push(127);
                header.extend(length.to_be_bytes());
            }
        }
        self.newest = header.len() + payload.len();
        self.push_raw(header.into());
        self.push_raw(payload);
    }
    /// Writes as much as the peer takes. True when nothing waits any more.
    pub fn pump(&mut self) -> io::Result<bool> {
        while !self.pieces.is_empty() {
            let mut slices = [IoSlice::new(&[]); GATHER_MAX];
            let mut count = 0;
            for (slot, piece) in slices.iter_mut().zip(&self.pieces) {
                let skip = if count == 0 { self.written_of_first } else { 0 };
                *slot = IoSlice::new(&piece.bytes[skip..]);
                count += 1;
            }
            match self.transport.write_vectored(&slices[..count]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
    /// Drops what was written from the queue.
    fn advance(&mut self, mut written: usize) {
        self.progressed = true;
        self.bytes_out += written as u64;
        self.unsent -= written;
        while let Some(first) = self.pieces.front() {
            let left = first.bytes.len() - self.written_of_first;
            if written < left {
                self.written_of_first += written;
                return;
            }
            written -= left;
            self.written_of_first = 0;
            if first.is_control {
                self.unsent_control -= first.bytes.len();
            }
            self.pieces.pop_front();
        }
    }
    /// Tells the peer that nothing more will come.
    pub fn finish(&mut self) -> io::Result<()> {
        self.transport.finish()
    }
    /// Reads without regard to frames: the request head, or what is thrown away at the end.
    pub fn read_raw(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.share == 0 {
            self.starved = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = buffer.len().min(self.share);
        loop {
            match self.transport.read(&mut buffer[..length]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.share -= count;
                    self.bytes_in += count as u64;
                    return Ok(count);
                }
            }
        }
    }
}

impl<T: Transport> Read for Wire<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_raw(buffer)?;
        self.frames.feed(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Transport> Write for Wire<T> {
    /// What the codec writes itself: control frames.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unsent_control + bytes.len() > CONTROL_MAX {
            return Err(io::Error::other("the peer does not read its control frames"));
        }
        self.unsent_control += bytes.len();
        self.unsent += bytes.len();
        self.pieces.push_back(Piece { bytes: Bytes::copy_from_slice(bytes), is_control: true });
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Follows the frames in a stream of bytes, only to tell whether it stands between two messages.
/// The codec keeps a buffer as large as the largest message and does not say when it is empty.
#[derive(Default)]
pub struct FrameTracker {
    header: [u8; 14],
    header_length: usize,
    payload_left: u64,
    is_fragmented: bool,
}

impl FrameTracker {
    /// Whether the next byte starts a message (or a control frame outside of one).
    pub fn is_between_messages(&self) -> bool {
        self.header_length == 0 && self.payload_left == 0 && !self.is_fragmented
    }
    /// Takes note of bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(byte) = bytes.first() {
            if self.payload_left > 0 {
                let step =
                    bytes.len().min(usize::try_from(self.payload_left).unwrap_or(usize::MAX));
                self.payload_left -= step as u64;
                bytes = &bytes[step..];
                continue;
            }
            self.header[self.header_length] = *byte;
            self.header_length += 1;
            bytes = &bytes[1..];
            self.finish_header();
        }
    }
    fn finish_header(&mut self) {
        let header = &self.header;
        if self.header_length < 2 {
            return;
        }
        let extended = match header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if header[1] & 0x80 != 0 { 4 } else { 0 };
        if self.header_length < 2 + extended + mask {
            return;
        }
        self.payload_left = match extended {
            0 => u64::from(header[1] & 0x7f),
            _ => header[2..2 + extended].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let is_control = header[0] & 0x08 != 0;
        if !is_control {
            self.is_fragmented = header[0] & 0x80 == 0;
        }
        self.header_length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracker_knows_where_messages_end() {
        let mut long = vec![0x81, 0xfe, 0x01, 0x00, 1, 2, 3, 4];
        long.extend([0; 256]);
        let mut very_long = vec![0x81, 0x7f];
        very_long.extend(70_000u64.to_be_bytes());
        very_long.extend(vec![0; 70_000]);
        let fragments = vec![0x01, 0x01, b'a', 0x89, 0x00, 0x00, 0x00, 0x80, 0x01, b'b'];
        for frame in [vec![0x81, 0x00], long, very_long, fragments] {
            let mut tracker = FrameTracker::default();
            assert!(tracker.is_between_messages());
            for (at, byte) in frame.iter().enumerate() {
                tracker.feed(&[*byte]);
                assert_eq!(tracker.is_between_messages(), at + 1 == frame.len(), "byte {at}");
            }
            let mut tracker = FrameTracker::default();
            tracker.feed(&frame);
            assert!(tracker.is_between_messages());
        }
    }
}
