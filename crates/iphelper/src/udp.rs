//! UDP endpoints: their deletion. The table comes with the chapter on UDP.

use crate::Host;
use crate::error::Result;
use std::net::SocketAddr;

impl Host {
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
