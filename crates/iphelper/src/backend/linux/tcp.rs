//! TCP connections over `sock_diag`.

mod filter;
mod row;
mod table;

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::tcp::{DeleteOptions, OwnerModule, TcpConnection, TcpConnections, TcpDeletion, TcpQuery};
use std::net::SocketAddr;

impl backend::Tcp for LinuxHost {
    fn tcp_connections(&self, query: &TcpQuery) -> Result<Vec<TcpConnection>> {
        table::connections(self, query)
    }

    fn tcp_connections_iter(&self, query: &TcpQuery) -> Result<TcpConnections> {
        Ok(TcpConnections { rows: Box::new(table::stream(self, query)?) })
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
    fn delete_tcp_matching(&self, _query: &TcpQuery, _options: DeleteOptions) -> Result<Vec<TcpDeletion>> {
        todo!()
    }
    fn own_terminal_connections(&self) -> Result<Vec<TcpConnection>> {
        todo!()
    }
}
