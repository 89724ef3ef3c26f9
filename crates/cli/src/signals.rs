//! Ctrl-C and the request to end, as a descriptor to wait for.

use crate::exit::{Exit, Failure};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// Readable when the program was asked to end.
#[derive(Debug)]
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// Blocks the signals in this thread, and in those that it starts later.
    pub(crate) fn block() -> Result<Self, Failure> {
        let ends: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        let descriptor = ends
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK));
        descriptor
            .map(Self)
            .map_err(|errno| Failure::new(Exit::Failure, format!("waiting for Ctrl-C: {}", errno.desc())))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
