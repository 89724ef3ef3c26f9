//! Telling that this host reaches farther than before, or less far, or at another cost.

use super::{ConnectivityHint, of_host};
use crate::backend::{Backend, NetworkManager};
use crate::error::Result;
use crate::host::Host;
use crate::notification::{Classes, Notification, Registration, WatchOptions};
use crate::worker::Worker;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Policy rules are announced to nobody here, so the way is looked at again now and then, too.
const PERIOD: Duration = Duration::from_secs(10);

/// A callback that is called when this host reaches farther or less far, or at another cost, until this is cancelled or
/// dropped.
///
/// A callback that panics ends its registration and nothing else. A forked child's copy is inert.
#[must_use = "the registration ends when this is dropped"]
pub struct ConnectivityRegistration {
    // Dropped in this order: what wakes the worker, then the worker.
    _changes: Registration,
    _manager: Box<dyn Send + Sync>,
    worker: Worker,
}

impl fmt::Debug for ConnectivityRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectivityRegistration").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl ConnectivityRegistration {
    /// Ends the registration. Waits until a running callback has returned; none runs afterwards. Called by the callback
    /// itself, it does not wait.
    pub fn cancel(self) {
        drop(self);
    }
}

impl Host {
    /// Calls `callback` with how far this host reaches and what that costs, whenever that has changed; with `initial` also
    /// at once.
    ///
    /// Calls do not overlap; they come from a thread of the registration's own. What changes back within a twentieth of a
    /// second is not told.
    ///
    /// - Windows: `NotifyNetworkConnectivityHintChange`
    /// - Linux: [`connectivity_hint`](Self::connectivity_hint) is asked again after each change of interfaces, addresses,
    ///   routes and neighbours, after each signal of NetworkManager that its findings have changed or that it has come or
    ///   gone, and every ten seconds, for the sake of policy rules
    /// - Errors: those of [`watch`](Self::watch) and of [`connectivity_hint`](Self::connectivity_hint)
    /// - Privilege: none
    #[doc(alias = "NotifyNetworkConnectivityHintChange")]
    pub fn notify_connectivity_change(
        &self,
        initial: bool,
        mut callback: impl FnMut(ConnectivityHint) + Send + 'static,
    ) -> Result<ConnectivityRegistration> {
        let backend = Arc::clone(self.backend());
        let classes = Classes::INTERFACES | Classes::UNICAST_ADDRESSES | Classes::ROUTES | Classes::NEIGHBORS;
        let options = WatchOptions::new(classes).requesters(false);
        let outdated = Arc::new(AtomicBool::new(true));
        let mut manager = Manager { outdated: Arc::clone(&outdated), known: None, asked: None };
        let mut told = if initial { None } else { Some(manager.hint(&*backend)?) };
        let host = Arc::clone(&backend);
        let worker = Worker::start("iphelper-reach", PERIOD, move || {
            // What cannot be read now is looked at again.
            if let Ok(hint) = manager.hint(&*host)
                && told != Some(hint)
            {
                told = Some(hint);
                callback(hint);
            }
        })?;
        let waker = worker.waker();
        let of_manager = backend.watch_network_manager(Box::new(move || {
            outdated.store(true, Ordering::Release);
            waker.wake();
        }))?;
        let waker = worker.waker();
        // The first notification wakes the worker, too: for the initial call, and for what changed since the first look.
        let changes = self.notify(options, true, move |_: Notification| waker.wake())?;
        Ok(ConnectivityRegistration { _changes: changes, _manager: of_manager, worker })
    }
}

/// The network manager's answers, asked for again when it has said that they are others.
struct Manager {
    outdated: Arc<AtomicBool>,
    known: Option<Box<dyn NetworkManager>>,
    asked: Option<Instant>,
}

impl Manager {
    fn hint(&mut self, backend: &dyn Backend) -> Result<ConnectivityHint> {
        // That there is none may be an error of the moment, of which no signal tells.
        let is_old = self.known.is_none() && self.asked.is_none_or(|asked| asked.elapsed() >= PERIOD);
        if self.outdated.swap(false, Ordering::AcqRel) || is_old {
            // The conversation that gave the answers ends first.
            drop(self.known.take());
            self.known = backend.network_manager();
            self.asked = Some(Instant::now());
        }
        of_host(backend, self.known.as_deref())
    }
}
