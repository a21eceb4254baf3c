//! A socket in memory: what the state machine of a connection runs on in its unit tests and in the
//! fuzz targets. Both include this file.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use super::Transport;

/// Both directions.
#[derive(Default)]
pub struct Pipe {
    /// What the peer has sent and nobody has read yet.
    pub input: VecDeque<u8>,
    /// Whether the peer sends nothing more.
    pub is_ended: bool,
    /// What the peer has taken.
    pub output: Vec<u8>,
    /// How many more bytes the peer takes.
    pub window: usize,
    /// Whether our side sends nothing more.
    pub is_finished: bool,
}

/// Our end; a clone of it plays the peer.
#[derive(Clone)]
pub struct Memory(pub Rc<RefCell<Pipe>>);

impl Memory {
    /// A socket whose peer takes so many bytes.
    pub fn new(window: usize) -> Self {
        Self(Rc::new(RefCell::new(Pipe { window, ..Pipe::default() })))
    }
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        if pipe.input.is_empty() && !pipe.is_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(pipe.input.len());
        for (slot, byte) in buffer.iter_mut().zip(pipe.input.drain(..count)) {
            *slot = byte;
        }
        Ok(count)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        let count = bytes.len().min(pipe.window);
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipe.window -= count;
        pipe.output.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Memory {
    fn finish(&mut self) -> io::Result<()> {
        self.0.borrow_mut().is_finished = true;
        Ok(())
    }
}
