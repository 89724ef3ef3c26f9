//! One namespace as it was last seen, and what has changed since.

mod check;
mod detections;
mod links;
mod news;
mod reading;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use news::{IpInterfaceChange, News, View};

use super::super::LinuxHost;
use super::super::policy::OUR_PROTOCOL;
use super::super::socket::{Protocol, Socket};
use super::monitor::Monitor;
use super::requester::Requesters;
use super::table::Table;
use super::tcp::Connections;
use crate::error::{Error, ErrorKind, Result};
use crate::notification::{Classes, Requester};
use check::Checks;
use detections::Detections;
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::Message;
use iphelper_netlink::rtnetlink::addr::DELETE_ADDRESS;
use iphelper_netlink::rtnetlink::link::{DELETE_LINK, NEW_LINK};
use iphelper_netlink::rtnetlink::nexthop::NEW_NEXT_HOP;
use iphelper_netlink::rtnetlink::notification::{self as groups, Announcement, DELETE_NEXT_HOP};
use iphelper_netlink::rtnetlink::table::{RowMessage, Subject};
use links::Links;
use reading::{Backlog, Reason};
use rows::{Cause, Rows};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

const OPERATION: &str = "listening for changes";
/// So many octets of announcements are taken at a time, so that those who listen hear of them while more arrive.
const MOST_BYTES: usize = 1 << 20;
/// The shortest pause after everything was read again. It is at least as long as the reading took, so that no more than
/// half a processor goes into reading while announcements are lost again and again.
const PAUSE: Duration = Duration::from_millis(50);
/// No more than this part of the time is spent on looking for neighbours that the kernel does not announce.
const SHARE: u32 = 10;

/// Listens to the kernel, and keeps the tables that somebody watches, to compare with.
#[derive(Debug)]
pub(super) struct Watcher {
    socket: Socket,
    state: State,
    /// The groups that the socket is in.
    groups: u32,
    /// Whether the descriptors are others than when they were given out.
    moved: bool,
}

/// All but the socket, so that its messages can be taken in where they were received.
#[derive(Debug)]
struct State {
    host: Arc<LinuxHost>,
    wanted: Classes,
    links: Links,
    ip_interfaces: Option<Monitor>,
    addresses: Option<Table>,
    routes: Option<Table>,
    neighbors: Option<Table>,
    detections: Detections,
    /// When neighbours may be looked at again.
    next_neighbors: Instant,
    connections: Option<Connections>,
    rows: Rows,
    requesters: Option<Requesters>,
    checks: Checks,
    /// Whether announcements were lost, or not understood.
    lost: bool,
    /// When everything may be read again.
    not_before: Instant,
}

impl Watcher {
    /// Subscribes, then reads the links: what happens in between is announced.
    pub(super) fn open(host: Arc<LinuxHost>) -> Result<Self> {
        let socket = host.namespace.run(|| Socket::open(Protocol::Route, groups::LINK))??;
        let links = Links::read(&host)?;
        let state = State {
            host,
            wanted: Classes::NONE,
            links,
            ip_interfaces: None,
            addresses: None,
            routes: None,
            neighbors: None,
            detections: Detections::default(),
            next_neighbors: Instant::now(),
            connections: None,
            rows: Rows::default(),
            requesters: None,
            checks: Checks::default(),
            lost: false,
            not_before: Instant::now(),
        };
        Ok(Self { socket, state, groups: groups::LINK, moved: true })
    }

    /// Watches these classes from now on and no others. What is not watched costs nothing.
    pub(super) fn want(&mut self, classes: Classes, requesters: bool, news: &mut News) -> Result<()> {
        let wanted = groups_of(classes);
        let all_routes = classes.contains(Classes::ROUTES);
        if all_routes && !self.state.wanted.contains(Classes::ROUTES) {
            self.socket.leave_out_routes_but(None);
        }
        for group in (1..=32).filter(|group| (wanted & !self.groups) >> (group - 1) & 1 != 0) {
            let joined = self.socket.join_group(group);
            joined.map_err(|refusal| refusal.error("subscribing to changes"))?;
        }
        // Subscribed to the old and the new: on a failure below nothing is missed by those who listen already.
        let before = self.groups;
        self.groups |= wanted;
        let state = &mut self.state;
        if requesters && state.requesters.is_none() {
            state.requesters = Some(Requesters::open(&state.host)?);
        }
        if classes.contains(Classes::INTERFACES) && !state.wanted.contains(Classes::INTERFACES) {
            state.links.make_rows(&state.host)?;
        }
        if classes.contains(Classes::IP_INTERFACES) && state.ip_interfaces.is_none() {
            state.ip_interfaces = Some(Monitor::open(Arc::clone(&state.host))?);
            self.moved = true;
        }
        if classes.contains(Classes::TCP_CONNECTIONS) && state.connections.is_none() {
            state.connections = Some(Connections::open(&state.host)?);
            self.moved = true;
        }
        for (class, subject) in [
            (Classes::UNICAST_ADDRESSES, Subject::Address),
            (Classes::ROUTES, Subject::Route),
            (Classes::NEIGHBORS, Subject::Neighbor),
        ] {
            if classes.contains(class) && state.table(subject).is_none() {
                // What the table holds now is no news.
                *state.table(subject) = Some(Table::new(subject));
                let read = reading::read(&mut self.socket, state, subject, Reason::First, news);
                if let Err(error) = read {
                    *state.table(subject) = None;
                    return Err(error);
                }
            } else if !classes.contains(class) {
                *state.table(subject) = None;
            }
        }
        if !classes.contains(Classes::IP_INTERFACES) {
            self.moved |= state.ip_interfaces.take().is_some();
        }
        if !classes.contains(Classes::TCP_CONNECTIONS) {
            self.moved |= state.connections.take().is_some();
        }
        drop(state.requesters.take_if(|_| !requesters));
        state.wanted = classes;
        for group in (1..=32).filter(|group| (before & !wanted) >> (group - 1) & 1 != 0) {
            // Staying costs time and no more.
            let _ = self.socket.leave_group(group);
        }
        self.groups = wanted;
        if !all_routes && groups::IPV4_ROUTE & wanted != 0 {
            // Whoever watches addresses alone must not pay for millions of routes.
            self.socket.leave_out_routes_but(Some(OUR_PROTOCOL));
        }
        Ok(())
    }

    /// Duplicates of the descriptors on which the kernel announces, if they are others than the last time.
    pub(super) fn moved_descriptors(&mut self) -> Result<Option<Vec<OwnedFd>>> {
        if !self.moved {
            return Ok(None);
        }
        let duplicate = |socket: &Socket| {
            socket.as_fd().try_clone_to_owned().map_err(|error| {
                Error::new(ErrorKind::ResourceLimit, "duplicating a descriptor")
                    .with_errno(error.raw_os_error().unwrap_or_default())
            })
        };
        let ethtool = self.state.ip_interfaces.as_ref().and_then(Monitor::socket);
        let connections = self.state.connections.as_ref().map(Connections::socket);
        let sockets = std::iter::once(&self.socket).chain(ethtool).chain(connections);
        let descriptors = sockets.map(duplicate).collect::<Result<_>>()?;
        self.moved = false;
        Ok(Some(descriptors))
    }

    /// Lets the descriptors be given out anew.
    pub(super) fn move_descriptors(&mut self) {
        self.moved = true;
    }

    /// Appends to `news` what the kernel announced, and with `look` what changed without that.
    ///
    /// Gives the time at which it must be called again at the latest. After an error `news` is right as far as it goes,
    /// and the next call finds the rest.
    pub(super) fn update(&mut self, look: bool, news: &mut News) -> Result<Option<Instant>> {
        let Self { socket, state, .. } = self;
        let ends = |state: &State| state.addresses.as_ref().and_then(|_| state.detections.next_end());
        // What ends before the call has looked is looked at again.
        let ended = ends(state);
        let result = update(socket, state, look, news);
        if result.is_err() {
            state.lost = true;
        }
        state.links.forget_gone();
        let later = state.lost.then_some(state.not_before);
        let look = state.connections.as_ref().map(Connections::next_look);
        let ends = [ended, ends(state)].into_iter().flatten();
        result.map(|()| later.into_iter().chain(look).chain(ends).min())
    }

    /// The socket on which the kernel announces, to make its queue short.
    #[cfg(test)]
    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    #[cfg(test)]
    pub(super) fn ip_interfaces(&self) -> Option<&Monitor> {
        self.state.ip_interfaces.as_ref()
    }
}

fn update(socket: &mut Socket, state: &mut State, look: bool, news: &mut News) -> Result<()> {
    if let Some(requesters) = &mut state.requesters {
        requesters.begin();
    }
    drain(socket, state, news)?;
    if state.lost && Instant::now() >= state.not_before {
        let started = Instant::now();
        state.lost = false;
        let read = reading::read_everything(socket, state, news);
        let now = Instant::now();
        state.not_before = now + PAUSE.max(now - started);
        read?;
    }
    check::settle(socket, state, news)?;
    // Links may have come and gone, and time has passed.
    state.settle_detections(Some(&Cause { requester: None, resynchronised: false }), news);
    if look && state.neighbors.is_some() && Instant::now() >= state.next_neighbors {
        let started = Instant::now();
        reading::read(socket, state, Subject::Neighbor, Reason::Suspicion, news)?;
        let now = Instant::now();
        state.next_neighbors = now + (now - started) * SHARE;
    }
    if let Some(connections) = &mut state.connections {
        connections.update(&state.host, look, news)?;
    }
    if let Some(monitor) = &mut state.ip_interfaces {
        let mut changes = Vec::new();
        let result = monitor.settle(look, &mut changes);
        news.insert_ip_interfaces(changes);
        result?;
    }
    Ok(())
}

/// Takes in the announcements that are there.
fn drain(socket: &mut Socket, state: &mut State, news: &mut News) -> Result<()> {
    // All of them before the first is worked through: what rows take from elsewhere is read after that, and so knows
    // them all.
    let mut arrived = Backlog::new(MOST_BYTES);
    arrived.fill(socket)?;
    arrived.tell(state, false, news)
}

impl State {
    /// Takes in a message. With `replay` it may be older than the tables.
    fn take_in(
        &mut self,
        message: Result<Message<'_>, DecodeError>,
        replay: bool,
        news: &mut News,
    ) -> Result<()> {
        let understood = message.map(|message| (message, Announcement::parse(&message)));
        let (message, announcement) = match understood {
            Ok((message, Ok(announcement))) => (message, announcement),
            // What cannot be read may have been about anything.
            Err(_) | Ok((_, Err(_))) => {
                self.lost = true;
                return Ok(());
            }
        };
        // The settings of an interface come after it, and go before it.
        let is_gone = matches!(announcement, Some(Announcement::LinkGone(_)));
        let note = |monitor: &mut Option<Monitor>, news: &News| {
            if let Some((monitor, announcement)) = monitor.as_mut().zip(announcement) {
                monitor.note(announcement, news.len());
            }
        };
        if is_gone {
            note(&mut self.ip_interfaces, news);
        }
        let mut failed = None;
        let taken = match message.header.kind {
            NEW_LINK | DELETE_LINK => self.take_in_link(&message, news)?,
            NEW_NEXT_HOP | DELETE_NEXT_HOP => {
                self.checks.objects = true;
                self.rows.doubt();
                Ok(())
            }
            _ => RowMessage::parse(&message).map(|row| {
                if let Some(row) = row {
                    failed = self.take_in_row(&row, &message, replay, news).err();
                }
            }),
        };
        if let Some(failure) = failed {
            return Err(failure);
        }
        self.lost |= taken.is_err();
        // Settings are announced before the interface is; its own announcement lets all of them be read.
        let index = announcement.and_then(|announcement| announcement.index());
        if !is_gone && index.is_none_or(|index| self.links.is_present(index)) {
            note(&mut self.ip_interfaces, news);
        }
        Ok(())
    }

    fn take_in_row(
        &mut self,
        row: &RowMessage<'_>,
        message: &Message<'_>,
        replay: bool,
        news: &mut News,
    ) -> Result<()> {
        let subject = row.subject;
        if self.routes.is_some() && message.header.kind == DELETE_ADDRESS {
            self.checks.address_gone(row);
        }
        if subject == Subject::Route && self.addresses.is_some() && self.detections.take_in(row) {
            let requester = self.requester(message.header.port);
            self.settle_detections(Some(&Cause { requester, resynchronised: false }), news);
        }
        if self.table(subject).is_none() {
            return Ok(());
        }
        if subject == Subject::Route {
            self.rows.note_route(row.payload);
        }
        // First, since a row that cannot be told must not be taken for told.
        self.rows.prepare(&self.host, &self.links, subject)?;
        let Some(table) = self.table(subject) else { return Ok(()) };
        let (step, doubtful) = table.apply(row, replay);
        self.lost |= doubtful;
        if let Some(step) = step {
            let cause = Cause { requester: self.requester(message.header.port), resynchronised: false };
            let since = news.len();
            self.rows.tell(&self.host, &mut self.links, subject, &step, &cause, news);
            self.detections.join(&self.host, &mut self.links, since, news);
        }
        Ok(())
    }

    /// Tells what has become of IPv4 addresses that the kernel does not have.
    fn settle_detections(&mut self, cause: Option<&Cause>, news: &mut News) {
        if let Some(addresses) = &self.addresses {
            self.detections.settle((&self.host, &mut self.links), addresses, cause, news);
        }
    }

    fn requester(&mut self, port: u32) -> Option<Requester> {
        self.requesters.as_mut()?.find(port)
    }

    fn table(&mut self, subject: Subject) -> &mut Option<Table> {
        match subject {
            Subject::Address => &mut self.addresses,
            Subject::Route => &mut self.routes,
            Subject::Neighbor => &mut self.neighbors,
        }
    }
}

/// The groups in which the kernel announces what happens to `classes`.
fn groups_of(classes: Classes) -> u32 {
    let mut wanted = groups::LINK;
    for (class, groups) in [
        (
            Classes::IP_INTERFACES,
            groups::IPV6_LINK | groups::IPV6_ADDRESS | groups::IPV4_NETCONF | groups::IPV6_NETCONF,
        ),
        // The notes of IPv4 addresses that are not taken yet are routes.
        (Classes::UNICAST_ADDRESSES, groups::IPV4_ADDRESS | groups::IPV6_ADDRESS | groups::IPV4_ROUTE),
        // Some IPv4 routes go unannounced with a next hop object or with the address that they prefer.
        (Classes::ROUTES, groups::IPV4_ROUTE | groups::IPV6_ROUTE | groups::NEXTHOP | groups::IPV4_ADDRESS),
        (Classes::NEIGHBORS, groups::NEIGHBOR),
    ] {
        if classes.contains(class) {
            wanted |= groups;
        }
    }
    wanted
}
