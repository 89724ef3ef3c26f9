//! Telling that this host reaches farther than before, or less far.

use super::{ConnectivityLevel, of_host};
use crate::error::Result;
use crate::host::Host;
use crate::notification::{Classes, Notification, Registration, WatchOptions};
use crate::worker::Worker;
use std::sync::Arc;
use std::time::Duration;

/// Policy rules are announced to nobody here, so the way is looked at again now and then, too.
const PERIOD: Duration = Duration::from_secs(10);

/// A callback that is called when this host reaches farther or less far, until this is cancelled or dropped.
///
/// A callback that panics ends its registration and nothing else. A forked child's copy is inert.
#[must_use = "the registration ends when this is dropped"]
#[derive(Debug)]
pub struct ConnectivityRegistration {
    // Dropped in this order: what wakes the worker, then the worker.
    _changes: Registration,
    _worker: Worker,
}

impl ConnectivityRegistration {
    /// Ends the registration. Waits until a running callback has returned; none runs afterwards. Called by the callback
    /// itself, it does not wait.
    pub fn cancel(self) {
        drop(self);
    }
}

impl Host {
    /// Calls `callback` with how far this host reaches, whenever that has changed; with `initial` also at once.
    ///
    /// Calls do not overlap; they come from a thread of the registration's own. What changes back within a twentieth of a
    /// second is not told.
    ///
    /// - Windows: `NotifyNetworkConnectivityHintChange`
    /// - Linux: [`connectivity_hint`](Self::connectivity_hint) is asked again after each change of interfaces, addresses,
    ///   routes and neighbours, and every ten seconds, for the sake of policy rules
    /// - Errors: those of [`watch`](Self::watch) and of [`connectivity_hint`](Self::connectivity_hint)
    /// - Privilege: none
    #[doc(alias = "NotifyNetworkConnectivityHintChange")]
    pub fn notify_connectivity_change(
        &self,
        initial: bool,
        mut callback: impl FnMut(ConnectivityLevel) + Send + 'static,
    ) -> Result<ConnectivityRegistration> {
        let backend = Arc::clone(self.backend());
        let classes = Classes::INTERFACES | Classes::UNICAST_ADDRESSES | Classes::ROUTES | Classes::NEIGHBORS;
        let options = WatchOptions::new(classes).requesters(false);
        let mut told = if initial { None } else { Some(of_host(&*backend)?) };
        let worker = Worker::start("iphelper-reach", PERIOD, move || {
            // What cannot be read now is looked at again.
            if let Ok(level) = of_host(&*backend)
                && told != Some(level)
            {
                told = Some(level);
                callback(level);
            }
        })?;
        let waker = worker.waker();
        // The first notification wakes the worker, too: for the initial call, and for what changed since the first look.
        let changes = self.notify(options, true, move |_: Notification| waker.wake())?;
        Ok(ConnectivityRegistration { _changes: changes, _worker: worker })
    }
}
