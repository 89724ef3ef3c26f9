//! UDP endpoints: their deletion. The table comes with the chapter on UDP.

use crate::Host;
use crate::error::Result;
use std::net::SocketAddr;

impl Host {
    /// Closes the UDP endpoint bound to `local` and, if `remote` is given, connected to it: its program gets
    /// `ECONNABORTED`.
    ///
    /// Windows has no such function.
    ///
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound); [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
    ///   where several sockets share the endpoint; [`AccessDenied`](crate::ErrorKind::AccessDenied);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for a kernel without `CONFIG_INET_DIAG_DESTROY`
    /// - Linux: `SOCK_DESTROY`
    /// - Privilege: `CAP_NET_ADMIN`
    pub fn delete_udp_endpoint(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<()> {
        self.backend().delete_udp_endpoint(local, remote)
    }
}
