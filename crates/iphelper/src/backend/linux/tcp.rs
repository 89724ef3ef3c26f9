//! TCP connections over `sock_diag`.

mod delete;
mod endpoints;
mod filter;
mod owner;
mod row;
mod table;
mod terminal;

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::tcp::{DeleteOptions, OwnerModule, TcpConnection, TcpConnections, TcpDeletion, TcpQuery};
pub(super) use endpoints::unmapped;
use std::net::SocketAddr;
use terminal::OwnTerminal;

impl backend::Tcp for LinuxHost {
    fn tcp_connections(&self, query: &TcpQuery) -> Result<Vec<TcpConnection>> {
        table::connections(self, query)
    }

    fn tcp_connections_iter(&self, query: &TcpQuery) -> Result<TcpConnections> {
        Ok(TcpConnections { rows: Box::new(table::stream(self, query)?) })
    }

    fn tcp_owner_module(&self, inode: Option<u64>, process: Option<u32>) -> Result<OwnerModule> {
        owner::module(inode, process)
    }

    fn delete_tcp_connections(
        &self,
        connections: &[TcpConnection],
        options: DeleteOptions,
    ) -> Result<Vec<Result<()>>> {
        delete::delete(self, connections, options)
    }

    fn delete_tcp_endpoints(&self, local: SocketAddr, remote: SocketAddr) -> Result<()> {
        endpoints::delete_endpoints(self, local, remote)
    }

    fn delete_tcp_matching(&self, query: &TcpQuery, options: DeleteOptions) -> Result<Vec<TcpDeletion>> {
        delete::delete_matching(self, query, options)
    }

    fn own_terminal_connections(&self) -> Result<Vec<TcpConnection>> {
        let own = OwnTerminal::find()?;
        let mut rows = table::connections(self, &TcpQuery::default())?;
        rows.retain(|row| own.is_on(row));
        Ok(rows)
    }
}
