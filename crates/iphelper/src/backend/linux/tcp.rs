//! TCP connections over `sock_diag`.

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::tcp::{DeleteOptions, OwnerModule, TcpConnection, TcpConnections, TcpQuery};
use std::net::SocketAddr;

impl backend::Tcp for LinuxHost {
    fn tcp_connections(&self, _query: &TcpQuery) -> Result<Vec<TcpConnection>> {
        todo!()
    }
    fn tcp_connections_iter(&self, _query: &TcpQuery) -> Result<TcpConnections> {
        todo!()
    }
    fn tcp_owner_module(&self, _connection: &TcpConnection) -> Result<OwnerModule> {
        todo!()
    }
    fn delete_tcp_connections(
        &self,
        _connections: &[TcpConnection],
        _options: DeleteOptions,
    ) -> Result<Vec<Result<()>>> {
        todo!()
    }
    fn delete_tcp_endpoints(&self, _local: SocketAddr, _remote: SocketAddr) -> Result<()> {
        todo!()
    }
}
