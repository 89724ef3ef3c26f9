//! TCP connections over `sock_diag`.

mod delete;
mod endpoints;
mod estats;
mod state;
mod terminal;

use super::LinuxHost;
use super::socket_table::{self, Dump, Ends, Row, SocketTable, dumps};
use crate::backend;
use crate::error::Result;
use crate::socket::{Owner, SocketCookie};
use crate::tcp::{DeleteOptions, TcpConnection, TcpConnections, TcpDeletion, TcpQuery, TcpState};
use crate::types::Family;
pub(super) use endpoints::unmapped;
use iphelper_netlink::sock_diag::inet::{Protocol, State};
use std::net::SocketAddr;
use terminal::OwnTerminal;

/// The TCP table.
pub(super) enum Tcp {}

impl SocketTable for Tcp {
    type Row = TcpConnection;
    const OPERATION: &'static str = "reading the TCP table";
    const UNMONITORED: &'static str =
        "this kernel has no TCP socket monitoring (CONFIG_INET_DIAG, CONFIG_INET_TCP_DIAG)";

    fn dumps(family: Option<Family>, query: &TcpQuery) -> Result<Vec<Dump>> {
        dumps(Protocol::Tcp, state::states(&query.filter), family, &query.filter, false)
    }

    #[inline]
    fn state(state: State) -> Option<Option<TcpState>> {
        state::state(state).map(Some)
    }

    #[inline]
    fn row(ends: Ends, state: Option<TcpState>, _automatic: Option<bool>) -> TcpConnection {
        let Ends { family, local, remote, interface_index, cookie, socket_family, user_id, inode } = ends;
        TcpConnection {
            family,
            local,
            remote,
            // Every state of the kernel's is one of these.
            state: state.unwrap_or(TcpState::Closed),
            interface_index,
            cookie,
            socket_family,
            user_id,
            inode,
            owner: None,
            created: None,
        }
    }
}

impl Row for TcpConnection {
    fn owner(&mut self) -> &mut Option<Owner> {
        &mut self.owner
    }

    fn place(&self) -> (Family, SocketAddr, Option<SocketAddr>, SocketCookie, Option<u64>) {
        (self.family, self.local, Some(self.remote), self.cookie, self.inode)
    }
}

impl backend::Tcp for LinuxHost {
    fn tcp_connections(&self, query: &TcpQuery) -> Result<Vec<TcpConnection>> {
        socket_table::whole::<Tcp>(self, query)
    }

    fn tcp_connections_iter(&self, query: &TcpQuery) -> Result<TcpConnections> {
        Ok(TcpConnections { rows: Box::new(socket_table::stream::<Tcp>(self, query)?) })
    }

    fn tcp_connection(&self, local: SocketAddr, remote: SocketAddr) -> Result<TcpConnection> {
        endpoints::connection(self, local, remote)
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
        let mut rows = socket_table::whole::<Tcp>(self, &TcpQuery::default())?;
        rows.retain(|row| own.is_on(row));
        Ok(rows)
    }
}
