//! TCP connections as JSON.

use super::family;
use iphelper::tcp::TcpConnection;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// A connection.
#[derive(Debug, Serialize)]
pub(crate) struct Connection<'a> {
    family: &'static str,
    local_address: IpAddr,
    local_port: u16,
    remote_address: IpAddr,
    remote_port: u16,
    state: String,
    pid: Option<u32>,
    process: Option<&'a str>,
    scope_id: Option<u32>,
    interface_index: Option<u32>,
    cookie: String,
}

/// A connection and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome<'a> {
    #[serde(flatten)]
    pub(crate) connection: Connection<'a>,
    pub(crate) outcome: &'static str,
    pub(crate) error: Option<String>,
}

impl<'a> From<&'a TcpConnection> for Connection<'a> {
    fn from(row: &'a TcpConnection) -> Self {
        Self {
            family: family(row.family),
            local_address: row.local.ip(),
            local_port: row.local.port(),
            remote_address: row.remote.ip(),
            remote_port: row.remote.port(),
            state: row.state.to_string(),
            pid: row.owner.as_ref().map(|owner| owner.pid),
            process: row.owner.as_ref().map(|owner| &*owner.name),
            // The zone stands in whichever end has one; both ends of a connection are in the same.
            scope_id: scope(row.local).max(scope(row.remote)),
            interface_index: row.interface_index.map(|index| index.0),
            cookie: row.cookie.0.to_string(),
        }
    }
}

/// The scope id of an IPv6 end; IPv4 has none.
pub(super) fn scope(end: SocketAddr) -> Option<u32> {
    match end {
        SocketAddr::V4(_) => None,
        SocketAddr::V6(end) => Some(end.scope_id()),
    }
}
