//! The iterator over events, whatever they are about.

#[cfg(feature = "tokio")]
use super::WatchStream;
use super::{Canceller, ChangeSource, Event, Registration, WatchOptions};
use crate::Host;
use crate::error::Result;
use std::fmt;
use std::sync::Arc;

/// Events as they happen: an iterator that blocks until the next.
///
/// Its descriptor ([`AsFd`](std::os::fd::AsFd)) is readable exactly while [`try_next`](Self::try_next) has something
/// to give, or the iterator has ended; wait for it with `poll`, `epoll` or an event loop, and do not read it.
///
/// An item is an error where a table could not be read (out of memory or descriptors). The iterator goes on: reading is
/// tried again every second, and what changed meanwhile is reported then.
///
/// Dropping it ends the listening; the last consumer of a namespace waits for the reader thread to end, a matter of
/// milliseconds.
#[must_use = "the listening ends when this is dropped"]
pub struct Watch {
    source: Arc<dyn ChangeSource>,
}

impl Watch {
    /// The next event if one is there, without waiting.
    ///
    /// `Ok(None)` where nothing has changed, and after the end ([`has_ended`](Self::has_ended)).
    pub fn try_next(&mut self) -> Result<Option<Event>> {
        self.source.try_next()
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

    /// The same events for asynchronous code.
    ///
    /// The reader thread wakes the task, so any executor will do, tokio's among them.
    #[cfg(feature = "tokio")]
    pub fn into_stream(self) -> WatchStream {
        WatchStream::new(self.source)
    }
}

impl Iterator for Watch {
    type Item = Result<Event>;

    /// Waits for the next event; `None` after a [`Canceller`] ended the iterator.
    fn next(&mut self) -> Option<Self::Item> {
        self.source.next()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Watch {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("has_ended", &self.has_ended()).finish_non_exhaustive()
    }
}

/// What a registration for events delivers.
#[derive(Clone, Debug, PartialEq)]
pub enum Notification {
    /// The registration works (`MibInitialNotification`); reports no change.
    Initial,
    /// A change.
    Event(Event),
}

impl Host {
    /// Everything that happens to some kinds of things from now on, in one stream and in order.
    ///
    /// Rows come with each event, so that applying all events to a table that was read after this call ends at the
    /// kernel's table: [`Add`](super::ChangeKind::Add) and [`Parameter`](super::ChangeKind::Parameter) put the row in its
    /// place, [`Delete`](super::ChangeKind::Delete) takes it away. What happened between this call and the reading may be
    /// told although the table has it.
    ///
    /// ```no_run
    /// use iphelper::Host;
    /// use iphelper::notification::{Classes, Subject, WatchOptions};
    ///
    /// # fn main() -> iphelper::Result<()> {
    /// let host = Host::open()?;
    /// for event in host.watch(WatchOptions::new(Classes::ROUTES | Classes::UNICAST_ADDRESSES))? {
    ///     let event = event?;
    ///     match event.subject {
    ///         Subject::Route(route) => println!("{:?} {}", event.kind, route.destination),
    ///         Subject::UnicastAddress(row) => println!("{:?} {} on {}", event.kind, row.address, row.name),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `NotifyRouteChange2`, `NotifyUnicastIpAddressChange`, `NotifyIpInterfaceChange`
    /// - Linux: multicast groups of rtnetlink for each class, the monitor group of ethtool for IP interfaces, the group of
    ///   destroyed sockets of `sock_diag` for connections. The tables that are watched are kept: about 150 octets for
    ///   a route
    /// - Errors: [`ResourceLimit`](crate::ErrorKind::ResourceLimit) out of descriptors or threads;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) where the calling thread has left the host's network namespace
    ///   and may not enter it
    /// - Privilege: none. Whose requests made the changes can be told of processes that this one may look into
    ///   (`CAP_SYS_PTRACE` for those of other users)
    #[doc(alias = "NotifyRouteChange2")]
    #[doc(alias = "NotifyUnicastIpAddressChange")]
    #[doc(alias = "NotifyRouteChange")]
    #[doc(alias = "NotifyAddrChange")]
    pub fn watch(&self, options: WatchOptions) -> Result<Watch> {
        Ok(Watch { source: Arc::clone(self.backend()).watch(options)? })
    }

    /// Calls `callback` for each event from now on, until the [`Registration`] is cancelled or dropped: the rules of
    /// [`notify_ip_interface_change`](Self::notify_ip_interface_change), for whatever [`watch`](Self::watch) tells.
    ///
    /// - Windows: `NotifyRouteChange2`, `NotifyUnicastIpAddressChange`
    /// - Linux, errors and privilege: as [`watch`](Self::watch)
    pub fn notify(
        &self,
        options: WatchOptions,
        initial: bool,
        mut callback: impl FnMut(Notification) + Send + 'static,
    ) -> Result<Registration> {
        Registration::start(Arc::clone(self.backend()).watch(options)?, initial, move |event| {
            callback(event.map_or(Notification::Initial, Notification::Event));
        })
    }
}
