//! Deletion of UDP endpoints.

use crate::backend::linux::LinuxHost;
use crate::backend::linux::destroy::{destroy, refused};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::backend::linux::socket_table::SocketTable;
use crate::backend::linux::tcp::unmapped;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::sock_diag::filter::{Condition, Filter};
use iphelper_netlink::sock_diag::inet::{self, Protocol, SocketId, SocketRow, States};
use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const OPERATION: &str = "closing a UDP endpoint";

pub(super) fn delete(host: &LinuxHost, local: SocketAddr, remote: Option<SocketAddr>) -> Result<()> {
    if remote.is_some_and(|remote| remote.is_ipv4() != local.is_ipv4()) {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because("the two ends are of different address families"));
    }
    host.require_elevation(OPERATION)?;
    let endpoint = Endpoint { local: unmapped(local), remote: remote.map(unmapped) };
    let mut socket = host.sock_diag.take()?;
    let found = endpoint.find(&mut socket, false)?;
    let id = match found.as_slice() {
        [id] => *id,
        [] => {
            return Err(Error::new(ErrorKind::NotFound, OPERATION)
                .because(format!("no UDP endpoint at {}", endpoint.local)));
        }
        _ => {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
                "several sockets share the endpoint {}; the remote end may tell them apart",
                endpoint.local
            )));
        }
    };
    // The kernel takes the port from a socket that it gave the port to, and leaves it with a program that asked
    // for this one: then only the connection to a remote end can be ended.
    if remote.is_none() && endpoint.find(&mut socket, true)?.is_empty() {
        return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(format!(
            "its program asked for port {} itself, and Linux never takes such a port away from a UDP socket",
            id.local_port
        )));
    }
    match destroy(&mut socket, Protocol::Udp, &[id]).pop() {
        Some(0) | None => {}
        Some(errno) => return Err(refused(errno, OPERATION)),
    }
    if endpoint.find(&mut socket, false)?.iter().any(|left| left.cookie == id.cookie) {
        return Err(Error::new(ErrorKind::Other, OPERATION)
            .because("the kernel told the program, but the endpoint is still there"));
    }
    Ok(())
}

struct Endpoint {
    local: SocketAddr,
    remote: Option<SocketAddr>,
}

impl Endpoint {
    /// The sockets of this endpoint; those alone whose port the kernel chose if `automatic`.
    fn find(&self, socket: &mut Socket, automatic: bool) -> Result<Vec<SocketId>> {
        let mut conditions = vec![Condition::LocalPort(self.local.port()..=self.local.port())];
        if let Some(remote) = self.remote {
            conditions.push(Condition::RemotePort(remote.port()..=remote.port()));
        }
        if automatic {
            conditions.push(Condition::AutomaticPort);
        }
        let mut filter = Filter::new();
        filter.require(&[&conditions]).map_err(|too_long| {
            Error::new(ErrorKind::InvalidParameter, OPERATION).because(too_long.to_string())
        })?;
        let mut found: Vec<SocketId> = Vec::new();
        for family in if self.local.is_ipv4() { &[AF_INET, AF_INET6][..] } else { &[AF_INET6] } {
            let mut request = inet::dump(*family, Protocol::Udp, States::ALL, 0, &filter);
            let part = socket.snapshot(&mut request, Vec::new, |part: &mut Vec<SocketId>, message| {
                let id = SocketRow::parse(message)?.id();
                // A table that changes while it is read can show a socket twice.
                if self.is(&id) && part.iter().all(|other| other.cookie != id.cookie) {
                    part.push(id);
                }
                Ok(())
            });
            found.extend(part.map_err(unreadable)?);
        }
        Ok(found)
    }

    fn is(&self, id: &SocketId) -> bool {
        let same = |address: IpAddr, port, wanted: SocketAddr| {
            let scope = match wanted {
                SocketAddr::V6(wanted) => wanted.scope_id(),
                SocketAddr::V4(_) => 0,
            };
            address == wanted.ip() && port == wanted.port() && (scope == 0 || scope == id.interface)
        };
        let local = id.local.to_canonical();
        // The absent remote end of a socket that is bound to an IPv4-mapped address.
        let remote = match id.remote.to_canonical() {
            IpAddr::V6(v6) if v6.is_unspecified() && local.is_ipv4() => Ipv4Addr::UNSPECIFIED.into(),
            remote => remote,
        };
        same(local, id.local_port, self.local)
            && self.remote.is_none_or(|wanted| same(remote, id.remote_port, wanted))
    }
}

fn unreadable(refusal: Refusal) -> Error {
    match refusal.errno() {
        libc::ENOENT => {
            refusal.into_error(ErrorKind::NotSupported, OPERATION).because(super::Udp::UNMONITORED)
        }
        _ => refusal.error(OPERATION),
    }
}
