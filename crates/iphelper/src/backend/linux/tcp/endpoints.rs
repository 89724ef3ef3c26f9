//! Deletion by endpoints, as C's `SetTcpEntry` names a connection: looked up first, then deleted by cookie.

use super::Tcp;
use super::delete::{OPERATION, delete};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket_table;
use crate::error::{Error, ErrorKind, Result};
use crate::tcp::{DeleteOptions, TcpCondition, TcpConnection, TcpFilter, TcpQuery, TcpState};
use crate::types::{Family, Prefix};
use std::net::SocketAddr;

/// How often two ends are looked up before they are called ambiguous.
const LOOKS: usize = 3;

/// Deletes the one connection or listener with exactly these ends.
pub(super) fn delete_endpoints(host: &LinuxHost, local: SocketAddr, remote: SocketAddr) -> Result<()> {
    let (local, remote) = (unmapped(local), unmapped(remote));
    if local.is_ipv4() != remote.is_ipv4() {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because("the two ends are of different address families"));
    }
    host.require_elevation(OPERATION)?;
    let query = exactly(local, remote);
    // A connection whose ends were taken over by a new one while they were looked up is listed twice: look again.
    for _ in 0..LOOKS {
        let (dual_stack, found): (Vec<_>, Vec<_>) = socket_table::whole::<Tcp>(host, &query)?
            .into_iter()
            .filter(|row| same_end(row.local, local) && same_end(row.remote, remote))
            .partition(is_ipv4_side_of_dual_stack);
        return match found.as_slice() {
            [row] => {
                delete(host, std::slice::from_ref(row), DeleteOptions::default())?.pop().unwrap_or(Ok(()))
            }
            [] if dual_stack.is_empty() => Err(Error::new(ErrorKind::NotFound, OPERATION)
                .because(format!("no connection from {local} to {remote}"))),
            [] => Err(Error::new(ErrorKind::NotFound, OPERATION).because(format!(
                "[::]:{} listens for IPv4 too, and is deleted by that name only",
                local.port()
            ))),
            _ => continue,
        };
    }
    Err(Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
        "several sockets have the ends {local} and {remote} (SO_REUSEPORT): delete a row of the table"
    )))
}

/// What finds the rows with these ends, and few others.
fn exactly(local: SocketAddr, remote: SocketAddr) -> TcpQuery {
    let mut conditions = vec![
        TcpCondition::LocalPort(local.port()..=local.port()),
        TcpCondition::RemotePort(remote.port()..=remote.port()),
        TcpCondition::LocalAddress(Prefix::host(local.ip())),
        TcpCondition::RemoteAddress(Prefix::host(remote.ip())),
    ];
    if remote.port() == 0 {
        // Only listeners have no remote port, and their table is short.
        conditions.push(TcpCondition::State(vec![TcpState::Listen]));
    }
    let family = if local.is_ipv4() { Family::V4 } else { Family::V6 };
    TcpQuery { family: Some(family), filter: TcpFilter { conditions }, ..TcpQuery::default() }
}

/// An IPv4-mapped end as the IPv4 end that the table shows for it.
pub(in crate::backend::linux) fn unmapped(end: SocketAddr) -> SocketAddr {
    match end {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(end.ip().to_canonical(), end.port())
        }
        end => end,
    }
}

/// Whether a row's end is the wanted one. Without a scope id a link-local address stands for itself on any interface.
fn same_end(end: SocketAddr, wanted: SocketAddr) -> bool {
    let same_scope = match (end, wanted) {
        (SocketAddr::V6(end), SocketAddr::V6(wanted)) => {
            wanted.scope_id() == 0 || wanted.scope_id() == end.scope_id()
        }
        _ => true,
    };
    end.ip() == wanted.ip() && end.port() == wanted.port() && same_scope
}

fn is_ipv4_side_of_dual_stack(row: &TcpConnection) -> bool {
    row.family == Family::V4 && row.socket_family == Family::V6 && row.local.ip().is_unspecified()
}
