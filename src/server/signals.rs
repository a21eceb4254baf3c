//! SIGTERM and SIGINT as one more event source of the loop: the first one becomes a byte in a pipe,
//! the second one ends the process on the spot, whatever it is doing.

use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use mio::unix::pipe;

/// Where the handler writes; -1 before it is installed.
static PIPE: AtomicI32 = AtomicI32::new(-1);
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

/// The reading end. The writing end stays open for the life of the process, as the handler does.
pub struct Signals {
    /// To be registered with the poll.
    pub receiver: pipe::Receiver,
    _sender: pipe::Sender,
}

extern "C" fn on_signal(signal: libc::c_int) {
    if RECEIVED.fetch_add(1, Ordering::SeqCst) > 0 {
        // SAFETY: `_exit` may be called in a signal handler.
        unsafe { libc::_exit(128 + signal) }
    }
    let byte = signal as u8;
    // SAFETY: `write` may be called in a signal handler, the byte outlives the call, and errno is
    // what the interrupted code left there when we return.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        libc::write(PIPE.load(Ordering::SeqCst), (&raw const byte).cast(), 1);
        *errno = saved;
    }
}

impl Signals {
    /// Installs the handlers.
    pub fn install() -> io::Result<Self> {
        let (sender, receiver) = pipe::new()?;
        PIPE.store(sender.as_raw_fd(), Ordering::SeqCst);
        for signal in [libc::SIGTERM, libc::SIGINT] {
            // SAFETY: all-zero is a valid `sigaction` (no flags, empty mask), and the handler only
            // makes calls that are allowed in one.
            let result = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(signal, &action, std::ptr::null_mut())
            };
            if result != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self { receiver, _sender: sender })
    }
    /// The signal that came, if one did.
    pub fn take(&mut self) -> Option<&'static str> {
        let mut byte = [0];
        match self.receiver.read(&mut byte) {
            Ok(1) if i32::from(byte[0]) == libc::SIGINT => Some("SIGINT"),
            Ok(1) => Some("SIGTERM"),
            _ => None,
        }
    }
}
