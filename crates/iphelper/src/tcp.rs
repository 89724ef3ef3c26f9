//! TCP connections: the table, their owners, their deletion.
//!
//! - Read: [`Host::tcp_connections`], [`Host::tcp_connection`], [`Host::tcp_owner_module`];
//!   [`Host::tcp_connections_iter`] for large tables
//! - Delete: [`Host::delete_tcp_connection`] and [`Host::delete_tcp_connections`] rows that were read,
//!   [`Host::delete_tcp_endpoints`] two ends, [`Host::delete_tcp_matching`] what a query finds;
//!   [`Host::own_terminal_connections`] says which the caller's terminal needs
//! - Extended statistics ([`estats`]): [`Host::tcp_estats`], [`Host::tcp_estats_collection`],
//!   [`Host::set_tcp_estats_collection`], [`Host::plan_set_tcp_estats_collection`]
//!
//! ```no_run
//! use iphelper::tcp::{DeleteOptions, TcpCondition, TcpQuery, TcpState};
//! use iphelper::Host;
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let query = TcpQuery::matching([
//!     TcpCondition::State(vec![TcpState::Established]),
//!     TcpCondition::RemoteAddress("10.0.0.0/8".parse()?),
//! ]);
//! let found = host.tcp_connections(&query.with_owners())?;
//! for row in &found {
//!     let owner = row.owner.as_ref().map_or("?", |owner| &owner.name);
//!     println!("{} -> {} of {owner}", row.local, row.remote);
//! }
//! // These and no others, even if connections on the same ends have come since.
//! for (row, outcome) in found.iter().zip(host.delete_tcp_connections(&found, DeleteOptions::default())?) {
//!     if let Err(error) = outcome {
//!         println!("{} -> {}: {error}", row.local, row.remote);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod estats;

pub use crate::socket::{
    Owner, OwnerModule, SocketCondition as TcpCondition, SocketCookie, SocketFilter as TcpFilter,
    SocketQuery as TcpQuery,
};

use crate::Host;
use crate::error::{Error, Result};
use crate::types::{Family, InterfaceIndex};
use std::fmt;
use std::net::SocketAddr;
use std::time::SystemTime;

/// State of a TCP connection (RFC 9293), numbered as Windows does.
#[doc(alias = "MIB_TCP_STATE")]
#[allow(missing_docs, reason = "the names are RFC 9293's")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum TcpState {
    Closed = 1,
    Listen = 2,
    SynSent = 3,
    SynReceived = 4,
    Established = 5,
    FinWait1 = 6,
    FinWait2 = 7,
    CloseWait = 8,
    Closing = 9,
    LastAck = 10,
    TimeWait = 11,
}

/// A row of the TCP table.
#[doc(alias = "MIB_TCPROW_OWNER_MODULE")]
#[doc(alias = "MIB_TCP6ROW_OWNER_MODULE")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TcpConnection {
    /// The table that the row belongs to. A dual-stack `::` listener has a row in both.
    pub family: Family,
    /// The local end; an IPv6 link-local address carries its scope id.
    pub local: SocketAddr,
    /// The remote end; unspecified with port 0 while listening.
    pub remote: SocketAddr,
    /// The state.
    pub state: TcpState,
    /// The interface that the socket is bound to, or that its link-local peer is on.
    pub interface_index: Option<InterfaceIndex>,
    /// The socket's identity, by which alone it is deleted.
    pub cookie: SocketCookie,
    /// The family of the socket itself: [`Family::V6`] also in the IPv4 rows of IPv4-mapped connections and of
    /// dual-stack listeners.
    pub socket_family: Family,
    /// The user id that made the socket, as seen from the caller's user namespace; `None` where the kernel has
    /// forgotten it (`TIME_WAIT`) or does not know it yet (a request that waits for its last acknowledgement).
    pub user_id: Option<u32>,
    /// Inode of the socket's file; `None` where no program has it open: not yet (a connection that was not accepted
    /// yet) or no more (`TIME_WAIT`, closed while data is under way).
    pub inode: Option<u64>,
    /// The process that holds the socket, if it was asked for and can be told.
    pub owner: Option<Owner>,
    /// When the connection was made. Linux does not keep it: always `None` there.
    pub created: Option<SystemTime>,
}

/// Rows of the TCP table, one at a time: holds one receive buffer, whatever the table's size.
pub struct TcpConnections {
    pub(crate) rows: Box<dyn Iterator<Item = Result<TcpConnection>> + Send>,
}

impl Iterator for TcpConnections {
    type Item = Result<TcpConnection>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

impl fmt::Debug for TcpConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpConnections").finish_non_exhaustive()
    }
}

/// How a call deletes connections.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeleteOptions {
    /// Also delete the TCP subflows of Multipath TCP connections. The connection itself goes on until the kernel's
    /// close time-out (about a minute), and neither program hears of it before.
    pub mptcp_subflows: bool,
    /// Let [`Host::delete_tcp_matching`] also delete the connections that carry the caller's own terminal, see
    /// [`Host::own_terminal_connections`].
    pub own_terminal: bool,
}

/// What became of one connection that a deletion by filter found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TcpDeletion {
    /// The connection, as it was before.
    pub connection: TcpConnection,
    /// What became of it.
    pub outcome: TcpDeletionOutcome,
}

/// See [`TcpDeletion`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TcpDeletionOutcome {
    /// Gone, by this call.
    Deleted,
    /// Gone before its turn came: ended by itself, or by the deletion of its other end, which was on this computer too.
    AlreadyGone,
    /// Left alone, since it carries the caller's own terminal.
    OwnTerminal,
    /// Not deleted, and why.
    Failed(Error),
}

impl Host {
    /// The TCP table.
    ///
    /// IPv4-mapped connections are in the IPv4 table only, dual-stack `::` listeners in both, as on Windows. Each socket
    /// is there once; one that comes, goes or changes its state while the kernel lists its table may be missing or be
    /// shown in its earlier state, since the kernel locks one bucket of it at a time.
    ///
    /// - Windows: `GetTcpTable`, `GetTcpTable2`, `GetTcp6Table`, `GetTcp6Table2`, `GetExtendedTcpTable`
    /// - Errors: [`Interrupted`](crate::ErrorKind::Interrupted) if the kernel called each of ten dumps inconsistent;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for IPv6 on a kernel without it, and for a kernel without
    ///   `CONFIG_INET_TCP_DIAG`; [`AccessDenied`](crate::ErrorKind::AccessDenied) for a filter that needs a privilege
    /// - Linux: `SOCK_DIAG_BY_FAMILY` dumps
    /// - Privilege: none; owners of other users' sockets need `CAP_SYS_PTRACE` and are `None` otherwise
    #[doc(alias = "GetTcpTable")]
    #[doc(alias = "GetTcpTable2")]
    #[doc(alias = "GetTcp6Table")]
    #[doc(alias = "GetTcp6Table2")]
    #[doc(alias = "GetExtendedTcpTable")]
    pub fn tcp_connections(&self, query: &TcpQuery) -> Result<Vec<TcpConnection>> {
        self.backend().tcp_connections(query)
    }

    /// The TCP table one row at a time, in memory of one receive buffer and the rows in it.
    ///
    /// - Errors: as [`tcp_connections`](Self::tcp_connections), the last row being the error if the dump was inconsistent
    ///   or failed; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a query that is `ordered`
    /// - Memory: with `owners`, also an entry for each open socket of every process, since a row is given out before the
    ///   next one is known
    pub fn tcp_connections_iter(&self, query: &TcpQuery) -> Result<TcpConnections> {
        self.backend().tcp_connections_iter(query)
    }

    /// The program behind a connection: of the process in `owner` if that still holds the socket, else of the one that
    /// does.
    ///
    /// - Windows: `GetOwnerModuleFromTcpEntry`, `GetOwnerModuleFromTcp6Entry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where no process holds the socket, or none that this caller
    ///   may look into
    /// - Linux: `/proc/PID/fd`, `/proc/PID/exe`, `/proc/PID/comm`
    /// - Privilege: none for one's own processes, `CAP_SYS_PTRACE` for others'
    #[doc(alias = "GetOwnerModuleFromTcpEntry")]
    #[doc(alias = "GetOwnerModuleFromTcp6Entry")]
    pub fn tcp_owner_module(&self, connection: &TcpConnection) -> Result<OwnerModule> {
        self.socket_owner_module(connection.inode, connection.owner.as_ref().map(|owner| owner.pid))
    }

    /// Deletes one connection: gone when this returns, the peer told by a reset where TCP has one to send.
    ///
    /// Only the very connection that the row was read from, told by its cookie: a later one on the same four values
    /// lives. Deleting a listener leaves the connections that it accepted alone. Deleting a row of a dual-stack listener
    /// ends it for both families, since it is one socket.
    ///
    /// - Windows: `SetTcpEntry` with `MIB_TCP_STATE_DELETE_TCB`, which is for IPv4 alone
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) if it is gone; [`AccessDenied`](crate::ErrorKind::AccessDenied),
    ///   or [`ElevationRequired`](crate::ErrorKind::ElevationRequired) where the caller is root without the capability or
    ///   belongs to a group of administrators (sudo, wheel, admin); [`NotSupported`](crate::ErrorKind::NotSupported) for
    ///   a kernel without `CONFIG_INET_DIAG_DESTROY`, for Multipath TCP, for sockets that are
    ///   [`Closed`](TcpState::Closed), and on kernels before 6.11 for connections that no program holds any more;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a row that was changed to name no socket
    /// - Linux: `SOCK_DESTROY` of the cookie
    /// - Privilege: `CAP_NET_ADMIN` over the network namespace
    #[doc(alias = "SetTcpEntry")]
    pub fn delete_tcp_connection(&self, connection: &TcpConnection) -> Result<()> {
        self.delete_tcp_connections(std::slice::from_ref(connection), DeleteOptions::default())?
            .pop()
            .unwrap_or(Ok(()))
    }

    /// Deletes many connections in few system calls; one outcome for each, in order, as
    /// [`delete_tcp_connection`](Self::delete_tcp_connection) would have it.
    ///
    /// The call itself fails only if nothing was done, for lack of privilege for example. Of a connection between two
    /// programs of this computer the first deletion ends both rows, and the second is
    /// [`NotFound`](crate::ErrorKind::NotFound).
    pub fn delete_tcp_connections(
        &self,
        connections: &[TcpConnection],
        options: DeleteOptions,
    ) -> Result<Vec<Result<()>>> {
        self.backend().delete_tcp_connections(connections, options)
    }

    /// The connection or listener with exactly these two ends, as C's functions name one; a listener's `remote` is
    /// unspecified with port 0. Its owner is not looked up.
    ///
    /// An IPv6 link-local end without scope id stands for itself on any interface.
    ///
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound); [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for ends
    ///   of different families, or where several sockets have these ends (listeners with `SO_REUSEPORT`, twins on two
    ///   interfaces)
    /// - Linux: `SOCK_DIAG_BY_FAMILY` of the ends, or a dump where that finds another
    /// - Privilege: none
    pub fn tcp_connection(&self, local: SocketAddr, remote: SocketAddr) -> Result<TcpConnection> {
        self.backend().tcp_connection(local, remote)
    }

    /// Deletes the connection with exactly these two ends, as C's `SetTcpEntry` names it; a listener's `remote` is
    /// unspecified with port 0.
    ///
    /// Looked up first and deleted by cookie, so that nothing else can be hit. `0.0.0.0` never names a `[::]` listener. An
    /// IPv6 link-local end without scope id stands for itself on any interface.
    ///
    /// - Errors: as [`delete_tcp_connection`](Self::delete_tcp_connection), and
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for ends of different families, or where several sockets
    ///   have these ends (listeners with `SO_REUSEPORT`, twins on two interfaces): delete a row of the table then
    pub fn delete_tcp_endpoints(&self, local: SocketAddr, remote: SocketAddr) -> Result<()> {
        self.backend().delete_tcp_endpoints(local, remote)
    }

    /// Deletes every connection that `query` finds; what it found, with an outcome for each.
    ///
    /// A query without a condition would be everything that this computer is connected to, and is refused with
    /// [`InvalidParameter`](crate::ErrorKind::InvalidParameter). The connections that carry the caller's own terminal
    /// are left alone unless `options` says otherwise.
    pub fn delete_tcp_matching(&self, query: &TcpQuery, options: DeleteOptions) -> Result<Vec<TcpDeletion>> {
        self.backend().delete_tcp_matching(query, options)
    }

    /// The connections without which the caller's terminal is gone: the one that `SSH_CONNECTION` names, and those
    /// that a process holds which the caller descends from, and which is not at the terminal itself (in another
    /// session).
    ///
    /// Perhaps a few more than that, where such a process has other connections too. Not found is the connection behind
    /// a terminal multiplexer that was left and entered again from elsewhere.
    ///
    /// - Linux: the environment (not of a set-uid program), `/proc/PID/stat`, `/proc/PID/fd`
    /// - Privilege: none; of other users' processes only `SSH_CONNECTION` tells
    pub fn own_terminal_connections(&self) -> Result<Vec<TcpConnection>> {
        self.backend().own_terminal_connections()
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Listen => "listen",
            Self::SynSent => "syn_sent",
            Self::SynReceived => "syn_received",
            Self::Established => "established",
            Self::FinWait1 => "fin_wait_1",
            Self::FinWait2 => "fin_wait_2",
            Self::CloseWait => "close_wait",
            Self::Closing => "closing",
            Self::LastAck => "last_ack",
            Self::TimeWait => "time_wait",
        })
    }
}
