//! What waits for one consumer: in order, bounded, and with a descriptor that tells whether something is there.

mod core;
mod fold;
mod sync;
#[cfg(test)]
mod tests;

pub(super) use core::{Taken, Wake};

use self::core::{Bell, Core, Item};
use super::super::namespace::system;
use super::watcher::{News, View};
use crate::error::{Error, Result};
use crate::notification::{ChangeKind, Event, Subject, WatchOptions};
use crate::route::RouteTables;
use crate::types::{Family, InterfaceIndex, InterfaceLuid, Prefix};
use rustix::event::EventfdFlags;
use rustix::io::retry_on_intr;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The queue of one consumer, filled by the reader.
#[derive(Debug)]
pub(super) struct Queue {
    options: WatchOptions,
    core: Core<Event, Error, Descriptor>,
}

/// An eventfd, readable while something is there.
#[derive(Debug)]
struct Descriptor(OwnedFd);

impl Bell for Descriptor {
    fn ring(&self) {
        // From 0 to 1 on a counter of 64 bits: cannot fail or block.
        let _ = retry_on_intr(|| rustix::io::write(&self.0, &1_u64.to_ne_bytes()));
    }

    fn still(&self) {
        let _ = retry_on_intr(|| rustix::io::read(&self.0, &mut [0; 8]));
    }
}

impl Queue {
    pub(super) fn new(options: WatchOptions) -> Result<Self> {
        let descriptor = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| system("making an event descriptor", errno))?;
        Ok(Self { options, core: Core::new(Descriptor(descriptor)) })
    }

    /// What the consumer asked for.
    pub(super) fn options(&self) -> WatchOptions {
        self.options
    }

    /// Appends what the consumer asked for.
    pub(super) fn push(&self, news: &News) -> Wake {
        self.core.push(news.iter().filter(|(view, event)| self.wants(*view, event)).map(|(_, event)| {
            let requester = event.requester.clone().filter(|_| self.options.requesters);
            Event { requester, ..event.clone() }
        }))
    }

    fn wants(&self, view: View, event: &Event) -> bool {
        let WatchOptions { classes, family, by_windows_key, .. } = self.options;
        let subject = &event.subject;
        let is_shown = match (view, subject) {
            (View::Kernel, _) if by_windows_key => false,
            (View::Windows, _) if !by_windows_key => false,
            (_, Subject::Route(route)) if by_windows_key => {
                route.luid.is_some() && RouteTables::MainAndLocal.contains(route.table)
            }
            _ => true,
        };
        is_shown
            && classes.contains(subject.class())
            && family.is_none_or(|only| subject.family().is_none_or(|family| family == only))
    }

    /// Says that the tables could not be read.
    pub(super) fn fail(&self, failure: &Error) -> Wake {
        self.core.fail(failure.clone())
    }

    /// Drops what waits and lets every wait end.
    pub(super) fn end(&self) -> Wake {
        self.core.end()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.core.has_ended()
    }

    /// What comes next, without waiting.
    pub(super) fn take(&self) -> Taken<Event, Error> {
        self.core.take()
    }

    /// What comes next; waits for it. `None` at the end.
    pub(super) fn wait(&self) -> Option<Result<Event>> {
        self.core.wait()
    }

    /// What comes next, or a promise to wake the task.
    #[cfg(feature = "tokio")]
    pub(super) fn poll(
        &self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Event>>> {
        self.core.poll(context)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.core.bell().0.as_fd()
    }
}

impl Item for Event {
    fn fold(items: &mut VecDeque<Self>) {
        fold::fold(items);
    }
}

/// What names the thing that an event is about, for its life.
#[derive(Debug, Eq, Hash, PartialEq)]
enum Key {
    Interface(InterfaceIndex, InterfaceLuid),
    IpInterface(InterfaceIndex, InterfaceLuid, Family),
    UnicastAddress(InterfaceIndex, InterfaceLuid, IpAddr),
    Route(Box<RouteKey>),
    Neighbor(InterfaceIndex, InterfaceLuid, IpAddr),
    TcpConnection(u64, Family),
}

/// What tells a row of the forwarding table from all others.
#[derive(Debug, Eq, Hash, PartialEq)]
struct RouteKey {
    table: u32,
    destination: Prefix,
    source: Option<Prefix>,
    type_of_service: u8,
    metric: u32,
    next_hop: IpAddr,
    interface: Option<(InterfaceIndex, InterfaceLuid)>,
}

impl fold::Change for Event {
    type Key = Key;

    fn key(&self) -> Key {
        match &self.subject {
            Subject::Interface(row) => Key::Interface(row.index, row.luid),
            Subject::IpInterface(row) => Key::IpInterface(row.index, row.luid, row.family),
            Subject::UnicastAddress(row) => Key::UnicastAddress(row.index, row.luid, row.address),
            Subject::Route(row) => Key::Route(Box::new(RouteKey {
                table: row.table,
                destination: row.destination,
                source: row.source,
                type_of_service: row.type_of_service,
                metric: row.system_metric,
                next_hop: row.next_hop,
                interface: row.index.zip(row.luid),
            })),
            Subject::Neighbor(row) => Key::Neighbor(row.index, row.luid, row.address),
            Subject::TcpConnection(row) => Key::TcpConnection(row.cookie.0, row.family),
        }
    }

    fn kind(&self) -> ChangeKind {
        self.kind
    }

    fn folded(self, kind: ChangeKind, first: &Self) -> Self {
        let before = first.before.clone().filter(|_| kind == ChangeKind::Parameter);
        // Several requests have made the difference.
        Self { kind, before, resynchronised: true, requester: None, ..self }
    }
}
