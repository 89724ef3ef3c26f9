//! Callbacks: one worker thread for each registration.

use super::{ChangeSource, Event};
use crate::backend;
use crate::error::Result;
use std::fmt;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// A callback that is called for changes, until this is cancelled or dropped.
///
/// Dropping it cancels, and waits as [`cancel`](Self::cancel) does: do neither while holding a lock that the callback
/// takes. [`std::mem::forget`] leaves the callback registered until the process ends.
///
/// A callback that panics ends its registration and nothing else; the panic's message is printed as that of any thread.
/// (Not so in a program that is built to abort on panic.)
#[doc(alias = "CancelMibChangeNotify2")]
#[must_use = "the registration ends when this is dropped"]
pub struct Registration {
    /// The worker owns it, so that a callback which panics takes it along.
    source: Weak<dyn ChangeSource>,
    /// Present until dropped.
    worker: Option<JoinHandle<()>>,
    process: u32,
}

impl Registration {
    /// Calls `callback` for each event, and with `initial` first for none.
    pub(super) fn start(
        source: Arc<dyn ChangeSource>,
        initial: bool,
        mut callback: impl FnMut(Option<Event>) + Send + 'static,
    ) -> Result<Self> {
        let weak = Arc::downgrade(&source);
        let worker = backend::start_thread("iphelper-notify", move || {
            if initial && !source.has_ended() {
                callback(None);
            }
            // An error says that the table cannot be read for now. A callback has no place for it; the reader tries
            // again, and the difference comes then.
            for event in std::iter::from_fn(|| source.next()).flatten() {
                callback(Some(event));
            }
        })?;
        Ok(Self { source: weak, worker: Some(worker), process: std::process::id() })
    }

    /// Ends the registration. Waits until a running callback has returned; none runs afterwards.
    ///
    /// Called by the callback itself, it does not wait, which could never end: the registration ends when the callback
    /// returns. Two callbacks that cancel each other's registration at the same time wait for ever, as on Windows.
    #[doc(alias = "CancelMibChangeNotify2")]
    pub fn cancel(self) {
        drop(self);
    }

    /// Whether no call will come any more: the callback has panicked, or this is the inert copy of a forked process.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.process != std::process::id() || self.worker.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        if self.process != std::process::id() {
            // A forked child has no such thread, and its C library gave the thread's stack, where the handle points,
            // to others.
            std::mem::forget(worker);
            return;
        }
        if let Some(source) = self.source.upgrade() {
            source.cancel();
        }
        if worker.thread().id() != std::thread::current().id() {
            // An error is the callback's panic, which was printed.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("has_ended", &self.has_ended()).finish_non_exhaustive()
    }
}
