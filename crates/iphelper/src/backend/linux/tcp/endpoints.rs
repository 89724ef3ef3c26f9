//! Connections by their ends, as C's functions name them: looked up first, then known by their cookies.

use super::Tcp;
use super::delete::{OPERATION, delete};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket_table;
use crate::error::{Error, ErrorKind, Result};
use crate::tcp::{DeleteOptions, TcpCondition, TcpConnection, TcpFilter, TcpQuery, TcpState};
use crate::types::{Family, Prefix};
use iphelper_netlink::sock_diag::inet::{NO_COOKIE, Protocol, SocketId, SocketRow};
use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
use std::net::SocketAddr;

/// How often two ends are looked up before they are called ambiguous.
const LOOKS: usize = 3;

/// What looking for a connection is called in errors.
const LOOKING: &str = "looking for a TCP connection";

/// Deletes the one connection or listener with exactly these ends.
pub(super) fn delete_endpoints(host: &LinuxHost, local: SocketAddr, remote: SocketAddr) -> Result<()> {
    let (local, remote) = same_family(local, remote, OPERATION)?;
    host.require_elevation(OPERATION)?;
    let row = listed(host, local, remote, OPERATION)?;
    delete(host, std::slice::from_ref(&row), DeleteOptions::default())?.pop().unwrap_or(Ok(()))
}

/// The one connection or listener with exactly these ends.
pub(super) fn connection(host: &LinuxHost, local: SocketAddr, remote: SocketAddr) -> Result<TcpConnection> {
    let (local, remote) = same_family(local, remote, LOOKING)?;
    // A listener has twins, and a look-up by ends takes one of them for whatever has no connection.
    if remote.port() != 0
        && let Some(row) = looked_up(host, local, remote)?
    {
        return Ok(row);
    }
    listed(host, local, remote, LOOKING)
}

fn same_family(
    local: SocketAddr,
    remote: SocketAddr,
    operation: &'static str,
) -> Result<(SocketAddr, SocketAddr)> {
    let (local, remote) = (unmapped(local), unmapped(remote));
    if local.is_ipv4() != remote.is_ipv4() {
        return Err(Error::new(ErrorKind::InvalidParameter, operation)
            .because("the two ends are of different address families"));
    }
    Ok((local, remote))
}

/// The connection that the kernel finds by the ends at once; `None` where it finds another, and where a dump may find more
/// than one: twins on two interfaces have link-local ends, or are bound to their interfaces.
fn looked_up(host: &LinuxHost, local: SocketAddr, remote: SocketAddr) -> Result<Option<TcpConnection>> {
    let scope = |end: SocketAddr| if let SocketAddr::V6(end) = end { end.scope_id() } else { 0 };
    let id = SocketId {
        family: if local.is_ipv4() { AF_INET } else { AF_INET6 },
        local: local.ip(),
        local_port: local.port(),
        remote: remote.ip(),
        remote_port: remote.port(),
        interface: scope(local).max(scope(remote)),
        cookie: NO_COOKIE,
    };
    let mut found = None;
    let answer = host.sock_diag.take()?.ask(&mut id.request(Protocol::Tcp, 0), |message| {
        socket_table::decode::<Tcp>(&SocketRow::parse(message)?, |row| {
            if row.local.port() == local.port()
                && row.remote.port() == remote.port()
                && same_end(row.local, local)
                && same_end(row.remote, remote)
            {
                found = Some(row);
            }
        })
    });
    match answer {
        Err(refusal) if refusal.errno() == libc::ENOENT => Ok(None),
        Err(refusal) => Err(refusal.error(LOOKING)),
        Ok(()) => Ok(found.filter(|row: &TcpConnection| row.interface_index.is_none())),
    }
}

/// The one row of the table with exactly these ends.
fn listed(
    host: &LinuxHost,
    local: SocketAddr,
    remote: SocketAddr,
    operation: &'static str,
) -> Result<TcpConnection> {
    let query = exactly(local, remote);
    // A connection whose ends were taken over by a new one while they were looked up is listed twice: look again.
    for _ in 0..LOOKS {
        let (dual_stack, mut found): (Vec<_>, Vec<_>) = socket_table::whole::<Tcp>(host, &query)?
            .into_iter()
            .filter(|row| same_end(row.local, local) && same_end(row.remote, remote))
            .partition(is_ipv4_side_of_dual_stack);
        return match (found.pop(), found.is_empty()) {
            (Some(row), true) => Ok(row),
            (None, _) if dual_stack.is_empty() => Err(Error::new(ErrorKind::NotFound, operation)
                .because(format!("no connection from {local} to {remote}"))),
            (None, _) => Err(Error::new(ErrorKind::NotFound, operation).because(format!(
                "[::]:{port} listens for IPv4 too, and goes by that name only",
                port = local.port()
            ))),
            (Some(_), false) => continue,
        };
    }
    Err(Error::new(ErrorKind::InvalidParameter, operation).because(format!(
        "several sockets have the ends {local} and {remote} (SO_REUSEPORT): choose a row of the table"
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
