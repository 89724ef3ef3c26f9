//! What TCP connections and UDP endpoints have in common: a socket's identity, its owner, and what a query asks for.
//!
//! The chapters name these types as their own: [`tcp::TcpQuery`](crate::tcp::TcpQuery) and
//! [`udp::UdpQuery`](crate::udp::UdpQuery) are [`SocketQuery`].
//!
//! - [`Host::socket_owner_module`]

use crate::Host;
use crate::error::Result;
use crate::tcp::TcpState;
use crate::types::{Family, InterfaceIndex, Prefix};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

/// A socket's identity for its life: a number that the kernel never gives out twice while it runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SocketCookie(pub u64);

/// A process that holds a socket.
#[doc(alias = "TCPIP_OWNER_MODULE_BASIC_INFO")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Owner {
    /// The process id in the caller's PID namespace; the lowest one where several processes share the socket, or the
    /// lowest of those that a filter names.
    pub pid: u32,
    /// The process's short name, at most 15 bytes; what is not UTF-8 in it is replaced. Linux: `/proc/PID/comm`.
    pub name: Arc<str>,
}

/// The program behind a socket.
#[doc(alias = "TCPIP_OWNER_MODULE_BASIC_INFO")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct OwnerModule {
    /// The process id.
    pub pid: u32,
    /// The module's name: the last part of its path, else the process's short name.
    pub name: String,
    /// The path of the program; `None` where this caller may not read it.
    pub path: Option<PathBuf>,
}

/// What to read of a table of sockets.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketQuery {
    /// One family, or both.
    pub family: Option<Family>,
    /// Only what matches all of these; the kernel filters where it can.
    pub filter: SocketFilter,
    /// Whether owners are looked up: one pass over all processes' descriptors. A filter that names processes looks into
    /// those, and tells their rows' owners in any case.
    pub owners: bool,
    /// Whether rows are ordered by local address, scope id, port, remote address, scope id, port.
    pub ordered: bool,
    /// Whether rows of UDP tell who chose their port, as they do by default. The kernel tells that only by having its
    /// table dumped once for each answer: without, reading a large table takes about a quarter less. TCP has no such
    /// member.
    pub specific_port_binds: bool,
}

/// Every row, in no order, without owners.
impl Default for SocketQuery {
    fn default() -> Self {
        Self {
            family: None,
            filter: SocketFilter::default(),
            owners: false,
            ordered: false,
            specific_port_binds: true,
        }
    }
}

impl SocketQuery {
    /// What matches all of these conditions.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::Host;
    /// use iphelper::tcp::{TcpCondition, TcpQuery};
    ///
    /// let query = TcpQuery::matching([TcpCondition::Port(443..=443)]).with_owners().sorted();
    /// for row in Host::open()?.tcp_connections(&query)? {
    ///     println!("{} -> {} {:?}", row.local, row.remote, row.owner);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn matching(conditions: impl IntoIterator<Item = SocketCondition>) -> Self {
        Self { filter: conditions.into_iter().collect::<Vec<_>>().into(), ..Self::default() }
    }

    /// The same, of one family.
    #[must_use]
    pub fn of_family(self, family: Family) -> Self {
        Self { family: Some(family), ..self }
    }

    /// The same, with [`owners`](Self::owners).
    #[must_use]
    pub fn with_owners(self) -> Self {
        Self { owners: true, ..self }
    }

    /// The same, [`ordered`](Self::ordered).
    #[must_use]
    pub fn sorted(self) -> Self {
        Self { ordered: true, ..self }
    }
}

/// Conditions that a socket must all meet. None: every socket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SocketFilter {
    /// The conditions.
    pub conditions: Vec<SocketCondition>,
}

impl From<Vec<SocketCondition>> for SocketFilter {
    fn from(conditions: Vec<SocketCondition>) -> Self {
        Self { conditions }
    }
}

/// One condition of a [`SocketFilter`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SocketCondition {
    /// In one of these states, for TCP alone: a query for UDP endpoints with it is refused with
    /// [`InvalidParameter`](crate::ErrorKind::InvalidParameter). Sockets that are [`Closed`](TcpState::Closed) (bound, and neither listening nor
    /// connected) are found only if they are asked for, on Linux from 6.8.
    State(Vec<TcpState>),
    /// Either port in the range.
    Port(RangeInclusive<u16>),
    /// The local port in the range.
    LocalPort(RangeInclusive<u16>),
    /// The remote port in the range; 0 for a socket that is not connected.
    RemotePort(RangeInclusive<u16>),
    /// The local address in the prefix.
    LocalAddress(Prefix),
    /// The remote address in the prefix.
    RemoteAddress(Prefix),
    /// Bound to this interface, or with a link-local peer on it.
    Interface(InterfaceIndex),
    /// In the control group with this id (the inode of its directory in cgroup v2).
    Cgroup(u64),
    /// Marked with `value` under `mask` (`SO_MARK`). The kernel compares marks for callers with `CAP_NET_ADMIN` only, others
    /// are refused with [`AccessDenied`](crate::ErrorKind::AccessDenied).
    Mark {
        /// The mark's bits that count must equal this.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// Opened by this user id.
    UserId(u32),
    /// Held by the process with this id. One that the caller may not look into is refused with
    /// [`AccessDenied`](crate::ErrorKind::AccessDenied).
    Pid(u32),
    /// Held by a process with this short name; Linux keeps 15 bytes of it, so a longer one stands for all that begin
    /// so. One that the caller may not look into is refused with [`AccessDenied`](crate::ErrorKind::AccessDenied).
    Process(String),
}

impl Host {
    /// The program behind the socket with this inode, which `process` was seen to hold.
    ///
    /// [`tcp_owner_module`](Self::tcp_owner_module) and [`udp_owner_module`](Self::udp_owner_module) for callers that have kept no more of the row, as C's rows do. The
    /// process is a hint: another that holds the socket by now is found, too.
    ///
    /// - Errors: as there, and for no inode
    pub fn socket_owner_module(&self, inode: Option<u64>, process: Option<u32>) -> Result<OwnerModule> {
        self.backend().socket_owner_module(inode, process)
    }
}
