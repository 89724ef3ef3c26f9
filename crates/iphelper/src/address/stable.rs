//! Telling once when every address is stable.

use super::UnicastAddress;
use crate::Host;
use crate::backend;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use rustix::event::{EventfdFlags, eventfd};
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The answer of [`Host::notify_stable_unicast_addresses`].
#[derive(Debug)]
#[must_use = "the waiting ends when this is dropped"]
pub enum StableAddresses {
    /// They are stable now; the function will not be called.
    Now(Vec<UnicastAddress>),
    /// The function will be called once.
    Later(StableRegistration),
}

/// A function that is to be called once. Dropping this, or [`cancel`](Self::cancel), ends the waiting: when it returns, the
/// function has returned or will not be called. From inside the function it returns at once.
pub struct StableRegistration {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl StableRegistration {
    /// Ends the waiting.
    pub fn cancel(self) {
        drop(self);
    }
}

impl Drop for StableRegistration {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // A forked child has no such thread, and must leave the parent's alone.
        if self.process != std::process::id() {
            std::mem::forget(thread);
            return;
        }
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for StableRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StableRegistration").field("process", &self.process).finish_non_exhaustive()
    }
}

impl Host {
    /// Tells when every unicast address of one family or of both is stable: at once, or by calling `callback` once with the
    /// table, on a thread of its own.
    ///
    /// An address is stable when it has been found out whether another computer has it. One of an interface that is not
    /// connected counts as stable, since nothing is found out there.
    ///
    /// - Windows: `NotifyStableUnicastIpAddressTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent;
    ///   [`ResourceLimit`](crate::ErrorKind::ResourceLimit) where no thread or descriptor is to be had
    /// - Linux: the rtnetlink groups of links and addresses, and of IPv4 routes for the notes of addresses that somebody
    ///   probes for
    /// - Privilege: none
    #[doc(alias = "NotifyStableUnicastIpAddressTable")]
    pub fn notify_stable_unicast_addresses(
        &self,
        family: Option<Family>,
        callback: impl FnOnce(Vec<UnicastAddress>) + Send + 'static,
    ) -> Result<StableAddresses> {
        let mut waiter = Arc::clone(self.backend()).stable_waiter(family)?;
        if let Some(rows) = waiter.stable()? {
            return Ok(StableAddresses::Now(rows));
        }
        let stop = eventfd(0, EventfdFlags::CLOEXEC).map_err(|errno| {
            Error::new(ErrorKind::ResourceLimit, "waiting for stable addresses")
                .with_errno(errno.raw_os_error())
        })?;
        let stop = Arc::new(stop);
        let stopped = Arc::clone(&stop);
        let thread = backend::start_thread("iphelper-stable", move || {
            if let Ok(Some(rows)) = waiter.wait(stopped.as_fd()) {
                callback(rows);
            }
        })?;
        Ok(StableAddresses::Later(StableRegistration {
            stop,
            thread: Some(thread),
            process: std::process::id(),
        }))
    }
}
