//! What a watcher is told.

use super::ChangeKind;
use crate::address::UnicastAddress;
use crate::interface::Interface;
use crate::ip_interface::IpInterface;
use crate::neighbor::Neighbor;
use crate::route::Route;
use crate::tcp::{Owner, TcpConnection};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use std::fmt;
use std::ops::BitOr;

/// Kinds of things that can be watched, as a set.
///
/// ```
/// use iphelper::notification::Classes;
/// let classes = Classes::ROUTES | Classes::NEIGHBORS;
/// assert!(classes.contains(Classes::ROUTES) && !classes.contains(Classes::NETWORK));
/// assert_eq!(format!("{classes:?}"), "ROUTES | NEIGHBORS");
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Classes(u8);

impl Classes {
    /// Nothing, to begin with.
    pub const NONE: Self = Self(0);
    /// Interfaces: [`Subject::Interface`].
    pub const INTERFACES: Self = Self(1);
    /// The IPv4 and IPv6 settings of interfaces: [`Subject::IpInterface`].
    pub const IP_INTERFACES: Self = Self(2);
    /// Unicast addresses: [`Subject::UnicastAddress`].
    pub const UNICAST_ADDRESSES: Self = Self(4);
    /// Routes: [`Subject::Route`].
    pub const ROUTES: Self = Self(8);
    /// Neighbours: [`Subject::Neighbor`].
    pub const NEIGHBORS: Self = Self(16);
    /// TCP connections: [`Subject::TcpConnection`].
    pub const TCP_CONNECTIONS: Self = Self(32);
    /// What the network is made of: all but TCP connections, which come and go all the time.
    pub const NETWORK: Self = Self(31);

    /// These and others.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of `others` are among these.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

impl fmt::Debug for Classes {
    /// Their names: `INTERFACES | ROUTES`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Classes, &str); 6] = [
            (Classes::INTERFACES, "INTERFACES"),
            (Classes::IP_INTERFACES, "IP_INTERFACES"),
            (Classes::UNICAST_ADDRESSES, "UNICAST_ADDRESSES"),
            (Classes::ROUTES, "ROUTES"),
            (Classes::NEIGHBORS, "NEIGHBORS"),
            (Classes::TCP_CONNECTIONS, "TCP_CONNECTIONS"),
        ];
        let mut names = NAMES.iter().filter(|(class, _)| self.contains(*class)).map(|(_, name)| *name);
        f.write_str(names.next().unwrap_or("NONE"))?;
        names.try_for_each(|name| write!(f, " | {name}"))
    }
}

impl BitOr for Classes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

/// What to watch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WatchOptions {
    /// The kinds of things.
    pub classes: Classes,
    /// Those of one family, or of both; of both if not said. Interfaces have none and are always told.
    pub family: Option<Family>,
    /// Whether to look for the process that asked for each change, see [`Event::requester`]; done if not said.
    pub requesters: bool,
    /// Whether rows are told apart as Windows tells them apart; not done if not said.
    ///
    /// A route is known by destination, next hop and interface. Where Linux has several of one such key (two metrics),
    /// they are one row here, the one that Linux uses first, and a change of it is
    /// [`Parameter`](ChangeKind::Parameter). Only routes of the main and the local table are told, and
    /// only those that lead over an interface.
    pub by_windows_key: bool,
}

impl WatchOptions {
    /// All that happens to `classes`.
    #[must_use]
    pub const fn new(classes: Classes) -> Self {
        Self { classes, family: None, requesters: true, by_windows_key: false }
    }

    /// The same, of one family only.
    #[must_use]
    pub const fn family(self, family: Option<Family>) -> Self {
        Self { family, ..self }
    }

    /// The same, with or without a look for the process that asked for each change.
    #[must_use]
    pub const fn requesters(self, requesters: bool) -> Self {
        Self { requesters, ..self }
    }

    /// The same, with rows told apart [as on Windows](Self::by_windows_key).
    #[must_use]
    pub const fn by_windows_key(self, by_windows_key: bool) -> Self {
        Self { by_windows_key, ..self }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: ChangeKind,
    /// What it happened to: the row as it is now, or was last where it is gone.
    pub subject: Subject,
    /// The row as it was, where it has [changed](ChangeKind::Parameter); of several changes that were folded, before the
    /// first. `None` where that is not known.
    pub before: Option<Subject>,
    /// Who asked for it. `None` where nobody did (a lifetime ended, a cable was pulled), where the kernel does not say
    /// (IPv6 addresses, settings, what went with an interface), or where it was not asked for.
    pub requester: Option<Requester>,
    /// Whether this is a difference between two looks at the table and not one announcement of the kernel: its queue
    /// had overrun, or so many changes waited for this consumer that they were folded.
    pub resynchronised: bool,
}

/// A row of one of the tables that are watched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Subject {
    /// An interface. Its counters are left out, since they are never the same.
    Interface(Box<Interface>),
    /// The settings of an interface for one family.
    IpInterface(Box<IpInterface>),
    /// A unicast address; one that the kernel has with two prefixes is one row. One that is looked for on an IPv4 link is
    /// told as tentative, and again when it is taken or found to be a duplicate. That its lifetimes run down is no change.
    UnicastAddress(Box<UnicastAddress>),
    /// A route. That its lifetime runs down is no change.
    Route(Box<Route>),
    /// A neighbour. Linux does not announce those for which nothing is asked (groups), nor that one begins to be sought or
    /// is used while in doubt: what of that lasts is found within 5 seconds by looking.
    Neighbor(Box<Neighbor>),
    /// A TCP connection. Linux announces its end alone, and by then no longer says whose ends they were: so that it is
    /// new, or in another state, is found by looking once a second (more rarely where looking takes long), and one that
    /// lives shorter is not told.
    TcpConnection(Box<TcpConnection>),
}

impl Subject {
    /// The kind of thing that it is.
    #[must_use]
    pub const fn class(&self) -> Classes {
        match self {
            Self::Interface(_) => Classes::INTERFACES,
            Self::IpInterface(_) => Classes::IP_INTERFACES,
            Self::UnicastAddress(_) => Classes::UNICAST_ADDRESSES,
            Self::Route(_) => Classes::ROUTES,
            Self::Neighbor(_) => Classes::NEIGHBORS,
            Self::TcpConnection(_) => Classes::TCP_CONNECTIONS,
        }
    }

    /// The family that it belongs to; `None` for an interface.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Interface(_) => None,
            Self::IpInterface(row) => Some(row.family),
            Self::UnicastAddress(row) => Some(Family::of(&row.address)),
            Self::Route(row) => Some(row.family()),
            Self::Neighbor(row) => Some(Family::of(&row.address)),
            Self::TcpConnection(row) => Some(row.family),
        }
    }

    /// The interface that it belongs to; `None` for a route over none, and for a connection.
    #[must_use]
    pub fn interface(&self) -> Option<(InterfaceIndex, InterfaceLuid)> {
        match self {
            Self::Interface(row) => Some((row.index, row.luid)),
            Self::IpInterface(row) => Some((row.index, row.luid)),
            Self::UnicastAddress(row) => Some((row.index, row.luid)),
            Self::Route(row) => row.index.zip(row.luid),
            Self::Neighbor(row) => Some((row.index, row.luid)),
            Self::TcpConnection(_) => None,
        }
    }
}

/// Who asked for a change.
///
/// - Linux: the port of the netlink socket that sent the request (`nlmsg_pid`), and who has that socket open
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Requester {
    /// The port of the netlink socket. Often the number of the process, but that is no more than a habit.
    pub port: u32,
    /// The process that has this socket open; `None` where there is none any more (a program that ended at once) or this
    /// process may not look into it. Of several the one with the lowest number.
    pub process: Option<Owner>,
}
