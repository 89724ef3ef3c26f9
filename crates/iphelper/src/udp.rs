//! UDP endpoints: the table, their owners, their deletion.
//!
//! - Read: [`Host::udp_endpoints`], [`Host::udp_owner_module`]; [`Host::udp_endpoints_iter`] for large tables
//! - Delete: [`Host::delete_udp_endpoint`]
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::udp::UdpQuery;
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! for row in host.udp_endpoints(&UdpQuery { owners: true, ..UdpQuery::default() })? {
//!     println!("{} of {}", row.local, row.owner.as_ref().map_or("?", |owner| &owner.name));
//! }
//! # Ok(())
//! # }
//! ```

pub use crate::socket::{
    Owner, OwnerModule, SocketCondition as UdpCondition, SocketCookie, SocketFilter as UdpFilter,
    SocketQuery as UdpQuery,
};

use crate::Host;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use std::fmt;
use std::net::SocketAddr;
use std::time::SystemTime;

/// A row of the UDP table: a socket that is bound to a port, by its program or, at its first packet, by the kernel.
#[doc(alias = "MIB_UDPROW_OWNER_MODULE")]
#[doc(alias = "MIB_UDP6ROW_OWNER_MODULE")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UdpEndpoint {
    /// The table that the row belongs to. A dual-stack `::` socket has a row in both.
    pub family: Family,
    /// The local end; an IPv6 link-local address carries its scope id, and so does a group of a link.
    pub local: SocketAddr,
    /// The remote end, of a socket that is connected to one. Windows' rows do not tell it.
    pub remote: Option<SocketAddr>,
    /// The interface that the socket is bound to, or that its link-local peer is on.
    pub interface_index: Option<InterfaceIndex>,
    /// The socket's identity.
    pub cookie: SocketCookie,
    /// The family of the socket itself: [`Family::V6`] also in the IPv4 rows of dual-stack and IPv4-mapped sockets.
    pub socket_family: Family,
    /// The user id that made the socket, as seen from the caller's user namespace.
    pub user_id: Option<u32>,
    /// Inode of the socket's file; `None` where no program has it open.
    pub inode: Option<u64>,
    /// The process that holds the socket, if it was asked for and can be told.
    pub owner: Option<Owner>,
    /// When the endpoint was made. Linux does not keep it: always `None` there.
    pub created: Option<SystemTime>,
    /// Whether the program asked for this port, where the kernel did not choose it; `None` if the query left
    /// [`specific_port_binds`](UdpQuery::specific_port_binds) out. Linux: `INET_DIAG_BC_AUTO`.
    #[doc(alias = "SpecificPortBind")]
    pub specific_port_bind: Option<bool>,
}

/// Rows of the UDP table, one at a time: holds one receive buffer, whatever the table's size.
pub struct UdpEndpoints {
    pub(crate) rows: Box<dyn Iterator<Item = Result<UdpEndpoint>> + Send>,
}

impl Iterator for UdpEndpoints {
    type Item = Result<UdpEndpoint>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

impl fmt::Debug for UdpEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpEndpoints").finish_non_exhaustive()
    }
}

impl Host {
    /// The UDP table.
    ///
    /// IPv4-mapped sockets are in the IPv4 table only, dual-stack `::` sockets in both. A socket that has no port yet is in
    /// none. One that comes or goes while the kernel lists its table may be missing.
    ///
    /// - Windows: `GetUdpTable`, `GetUdp6Table`, `GetExtendedUdpTable`; ordered by local address, scope id and port
    /// - Errors: [`Interrupted`](crate::ErrorKind::Interrupted) if the kernel called each of ten dumps inconsistent;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for IPv6 on a kernel without it, and for a kernel without
    ///   `CONFIG_INET_UDP_DIAG`; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter on states;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) for a filter that needs a privilege
    /// - Linux: `SOCK_DIAG_BY_FAMILY` dumps; with `specific_port_binds` one of the ports that the kernel chose and one of the
    ///   others
    /// - Privilege: none; owners of other users' sockets need `CAP_SYS_PTRACE` and are `None` otherwise
    #[doc(alias = "GetUdpTable")]
    #[doc(alias = "GetUdp6Table")]
    #[doc(alias = "GetExtendedUdpTable")]
    pub fn udp_endpoints(&self, query: &UdpQuery) -> Result<Vec<UdpEndpoint>> {
        self.backend().udp_endpoints(query)
    }

    /// The UDP table, row by row, in the memory of one buffer.
    ///
    /// As [`udp_endpoints`](Self::udp_endpoints), in no order. With `owners` the owners of all sockets are looked up first, and
    /// kept.
    ///
    /// - Errors: as there, and [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a query that is `ordered`. An
    ///   error ends the rows: [`Interrupted`](crate::ErrorKind::Interrupted) if the kernel called the dump inconsistent
    pub fn udp_endpoints_iter(&self, query: &UdpQuery) -> Result<UdpEndpoints> {
        self.backend().udp_endpoints_iter(query)
    }

    /// The program behind an endpoint: of the process in `owner` if that still holds the socket, else of the one that
    /// does.
    ///
    /// - Windows: `GetOwnerModuleFromUdpEntry`, `GetOwnerModuleFromUdp6Entry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where no process holds the socket, or none that this caller
    ///   may look into
    /// - Linux: `/proc/PID/fd`, `/proc/PID/exe`, `/proc/PID/comm`
    /// - Privilege: none for one's own processes, `CAP_SYS_PTRACE` for others'
    #[doc(alias = "GetOwnerModuleFromUdpEntry")]
    #[doc(alias = "GetOwnerModuleFromUdp6Entry")]
    pub fn udp_owner_module(&self, endpoint: &UdpEndpoint) -> Result<OwnerModule> {
        self.socket_owner_module(endpoint.inode, endpoint.owner.as_ref().map(|owner| owner.pid))
    }

    /// Closes the UDP endpoint bound to `local` and, if `remote` is given, connected to it: its program gets
    /// `ECONNABORTED`.
    ///
    /// With `remote` the connection to it is gone when this returns; the socket may go on without one. Without, the
    /// endpoint itself is gone. That Linux can do only to a socket whose port the kernel chose: from a program that asked
    /// for its port it is never taken.
    ///
    /// Windows has no such function.
    ///
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound); [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
    ///   where several sockets share the endpoint, or the two ends are of different families;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) or
    ///   [`ElevationRequired`](crate::ErrorKind::ElevationRequired);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for a kernel without `CONFIG_INET_DIAG_DESTROY`, and without
    ///   `remote` for a port that the program asked for: nothing is done then
    /// - Linux: `SOCK_DESTROY`
    /// - Privilege: `CAP_NET_ADMIN` over the network namespace
    pub fn delete_udp_endpoint(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<()> {
        self.backend().delete_udp_endpoint(local, remote)
    }
}
