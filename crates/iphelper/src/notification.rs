//! Changes as they happen.
//!
//! [`Host::watch`] tells everything: interfaces, addresses, routes, neighbours and connections in one ordered stream of
//! [`Event`]s, each with its row. [`Host::ip_interface_changes`] tells of IP interfaces alone.
//!
//! There are two forms of each. An iterator blocks until the next change, can be asked without waiting, and has a
//! descriptor for an event loop (with the feature `tokio` it becomes a `Stream`). [`Host::notify`] and
//! [`Host::notify_ip_interface_change`] call a function on a thread of its own, as Windows does.
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::notification::{Classes, Notification, WatchOptions};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let what = WatchOptions::new(Classes::NETWORK | Classes::TCP_CONNECTIONS);
//! // On a thread of the registration's own, until it is dropped:
//! let _registration = host.notify(what, false, |notification| {
//!     if let Notification::Event(event) = notification {
//!         println!("{:?} {}", event.subject.class(), event.kind);
//!     }
//! })?;
//! // Here, until `watch.canceller()` ends it; `watch.into_stream()` is the same for asynchronous code:
//! let watch = host.watch(what)?;
//! for event in watch {
//!     let event = event?;
//!     let who = event.requester.and_then(|requester| requester.process);
//!     println!("{} {:?} by {who:?}", event.kind, event.subject);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What follows from several of these has a call of its own: [`Host::notify_stable_unicast_addresses`],
//! [`Host::notify_connectivity_change`], [`Host::notify_timestamp_change`].
//!
//! # What is reported, and when
//!
//! A change of an IP interface is reported when a member of the [`IpInterface`] row is another than
//! before, `reachable_time` left out, which the host draws at random; when a row is new; and when it is gone. So a write
//! of the value that is there reports nothing, two writes in quick succession may be reported once, and an interface
//! that came and went between two looks is not reported. A change names the row; [`Host::ip_interface`] reads it.
//! Interfaces, addresses, routes and neighbours are reported as the kernel announces them, each step by itself.
//!
//! Nothing is lost between reading a table and listening for its changes if the listening starts first. When the kernel
//! or the consumer cannot keep up, the difference between then and now is reported instead of each step, and carries
//! [`resynchronised`](IpInterfaceChanged::resynchronised).
//!
//! # Threads
//!
//! All iterators and registrations of a process share one reader thread for each network namespace; a registration has
//! one worker thread more, so that a callback which blocks stops nobody else. Both kinds block all signals but those
//! that a fault raises, so that a program's signal handlers never run on them. The reader ends with its last consumer.
//! What waits for a slow consumer is bounded: beyond 1,024 changes they are folded into the difference, which is at
//! most two changes for each row.
//!
//! A process made by `fork` inherits copies that do nothing: an iterator has ended, a registration calls nothing, and
//! dropping either leaves the parent's alone. It can have some of its own if no thread of its parent began or ended at the
//! moment of the `fork`: Rust's standard library has a lock of that, and without it no thread of the child's begins.

mod event;
mod registration;
#[cfg(feature = "tokio")]
mod stream;
mod watch;

pub use event::{Classes, Event, Requester, Subject, WatchOptions};
pub use registration::Registration;
#[cfg(feature = "tokio")]
pub use stream::{IpInterfaceChangeStream, WatchStream};
pub use watch::{Notification, Watch};

use crate::Host;
use crate::error::Result;
use crate::ip_interface::IpInterface;
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use std::fmt;
use std::sync::{Arc, Weak};

/// What happened to the thing that a notification names.
#[doc(alias = "MIB_NOTIFICATION_TYPE")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChangeKind {
    /// A property changed (`MibParameterNotification`).
    Parameter,
    /// It is new (`MibAddInstance`).
    Add,
    /// It is gone (`MibDeleteInstance`).
    Delete,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Parameter => "changed",
            Self::Add => "added",
            Self::Delete => "deleted",
        })
    }
}

/// A change of an IP interface: its key. The rest is read with [`Host::ip_interface`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct IpInterfaceChanged {
    /// What happened.
    pub kind: ChangeKind,
    /// The family of the IP interface.
    pub family: Family,
    /// Its LUID.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// Its name, the last one known where it is gone.
    pub name: String,
    /// Whether this is a difference between two looks at the table and not one announcement of the kernel: its queue
    /// had overrun, or so many changes waited for this consumer that they were folded.
    pub resynchronised: bool,
}

impl IpInterfaceChanged {
    /// The change that an event tells of; `None` for one of something else.
    fn of(event: Event) -> Option<Self> {
        let Subject::IpInterface(row) = event.subject else { return None };
        let (kind, resynchronised) = (event.kind, event.resynchronised);
        let IpInterface { family, luid, index, name, .. } = *row;
        Some(Self { kind, family, luid, index, name, resynchronised })
    }
}

/// What a registration for changes of IP interfaces delivers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum IpInterfaceNotification {
    /// The registration works (`MibInitialNotification`); reports no change.
    Initial,
    /// A change.
    Changed(IpInterfaceChanged),
}

/// Changes of IP interfaces: an iterator that blocks until the next.
///
/// Its descriptor ([`AsFd`](std::os::fd::AsFd)) is readable exactly while [`try_next`](Self::try_next) has something
/// to give, or the iterator has ended; wait for it with `poll`, `epoll` or an event loop, and do not read it.
///
/// An item is an error where the table could not be read (out of memory or descriptors). The iterator goes on: reading
/// is tried again every second, and what changed meanwhile is reported then.
///
/// Dropping it ends the listening; the last consumer of a namespace waits for the reader thread to end, a matter of
/// milliseconds.
#[must_use = "the listening ends when this is dropped"]
pub struct IpInterfaceChanges {
    source: Arc<dyn ChangeSource>,
}

/// Ends a [`Watch`] or [`IpInterfaceChanges`] from elsewhere, while another thread is blocked in it for example.
#[derive(Clone)]
pub struct Canceller {
    source: Weak<dyn ChangeSource>,
}

/// The back end's side of a consumer. Dropping it ends the listening.
pub(crate) trait ChangeSource: Send + Sync {
    /// Waits for the next event; `None` once cancelled.
    fn next(&self) -> Option<Result<Event>>;
    /// The next event if one is there.
    fn try_next(&self) -> Result<Option<Event>>;
    /// The next event, or a promise to wake the task when there is one.
    #[cfg(feature = "tokio")]
    fn poll_next(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<Event>>>;
    /// Forgets what is queued, and ends every wait now and later.
    fn cancel(&self);
    /// Whether nothing will ever come.
    fn has_ended(&self) -> bool;
    #[cfg(unix)]
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_>;
}

impl IpInterfaceChanges {
    /// The next change if one is there, without waiting.
    ///
    /// `Ok(None)` where nothing has changed, and after the end ([`has_ended`](Self::has_ended)).
    pub fn try_next(&mut self) -> Result<Option<IpInterfaceChanged>> {
        // Nothing else is listened to, so that nothing is passed over.
        Ok(self.source.try_next()?.and_then(IpInterfaceChanged::of))
    }

    /// A handle that ends this iterator from another thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::of(&self.source)
    }

    /// Whether the iterator was cancelled, or is the inert copy of a forked process: nothing will come any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.source.has_ended()
    }

    /// The same changes for asynchronous code.
    ///
    /// The reader thread wakes the task, so any executor will do, tokio's among them.
    #[cfg(feature = "tokio")]
    pub fn into_stream(self) -> IpInterfaceChangeStream {
        IpInterfaceChangeStream::new(self.source)
    }
}

impl Iterator for IpInterfaceChanges {
    type Item = Result<IpInterfaceChanged>;

    /// Waits for the next change; `None` after a [`Canceller`] ended the iterator.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.source.next()? {
                Ok(event) => {
                    if let Some(change) = IpInterfaceChanged::of(event) {
                        return Some(Ok(change));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for IpInterfaceChanges {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl fmt::Debug for IpInterfaceChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpInterfaceChanges").field("has_ended", &self.has_ended()).finish_non_exhaustive()
    }
}

impl Canceller {
    fn of(source: &Arc<dyn ChangeSource>) -> Self {
        Self { source: Arc::downgrade(source) }
    }

    /// Ends the iterator: a blocked `next` returns `None`, and so does every later one. What was queued is dropped.
    ///
    /// Once it has ended, or was dropped, this does nothing.
    pub fn cancel(&self) {
        if let Some(source) = self.source.upgrade() {
            source.cancel();
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}

impl Host {
    /// Changes of IP interfaces from now on, of one family or both.
    ///
    /// ```no_run
    /// use iphelper::Host;
    ///
    /// # fn main() -> iphelper::Result<()> {
    /// let host = Host::open()?;
    /// for change in host.ip_interface_changes(None)? {
    ///     let change = change?;
    ///     println!("{} {} {:?}", change.name, change.family, change.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `NotifyIpInterfaceChange`
    /// - Linux: link, address, family and configuration groups of rtnetlink, the monitor group of ethtool; what the
    ///   kernel does not announce is found by looking, within 5 s
    /// - Errors: [`ResourceLimit`](crate::ErrorKind::ResourceLimit) out of descriptors or threads;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) where the calling thread has left the host's network namespace
    ///   and may not enter it
    /// - Privilege: none
    #[doc(alias = "NotifyIpInterfaceChange")]
    pub fn ip_interface_changes(&self, family: Option<Family>) -> Result<IpInterfaceChanges> {
        Ok(IpInterfaceChanges { source: Arc::clone(self.backend()).watch(ip_interfaces(family))? })
    }

    /// Calls `callback` for each change of IP interfaces from now on, of one family or both, until the
    /// [`Registration`] is cancelled or dropped.
    ///
    /// The calls come one after the other on a thread of the registration's own, the first perhaps before this returns.
    /// With `initial` the very first is [`IpInterfaceNotification::Initial`], which shows that the registration works.
    /// A callback may call anything in this crate, and may cancel its own registration.
    ///
    /// Where the table cannot be read for a while (out of memory or descriptors), what changed meanwhile is reported
    /// later; the iterator form tells about it.
    ///
    /// ```no_run
    /// use iphelper::Host;
    ///
    /// # fn main() -> iphelper::Result<()> {
    /// let host = Host::open()?;
    /// let registration = host.notify_ip_interface_change(None, true, |notification| {
    ///     println!("{notification:?}");
    /// })?;
    /// std::thread::sleep(std::time::Duration::from_secs(60));
    /// registration.cancel();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `NotifyIpInterfaceChange`, `CancelMibChangeNotify2`
    /// - Linux, errors and privilege: as [`ip_interface_changes`](Self::ip_interface_changes)
    #[doc(alias = "NotifyIpInterfaceChange")]
    pub fn notify_ip_interface_change(
        &self,
        family: Option<Family>,
        initial: bool,
        mut callback: impl FnMut(IpInterfaceNotification) + Send + 'static,
    ) -> Result<Registration> {
        let source = Arc::clone(self.backend()).watch(ip_interfaces(family))?;
        Registration::start(source, initial, move |event| match event.map(IpInterfaceChanged::of) {
            None => callback(IpInterfaceNotification::Initial),
            Some(Some(change)) => callback(IpInterfaceNotification::Changed(change)),
            // Nothing else is listened to.
            Some(None) => {}
        })
    }
}

/// Changes of IP interfaces alone.
fn ip_interfaces(family: Option<Family>) -> WatchOptions {
    WatchOptions::new(Classes::IP_INTERFACES).family(family).requesters(false)
}
