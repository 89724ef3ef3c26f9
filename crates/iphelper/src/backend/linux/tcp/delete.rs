//! Deletion of TCP connections: always the very socket that was seen, named by its cookie.

use super::Tcp;
use super::state::CONNECTIONS;
use super::terminal::OwnTerminal;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::destroy::{destroy, destroy_all, refused};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::backend::linux::socket_table;
use crate::error::{Error, ErrorKind, Result};
use crate::tcp::{DeleteOptions, TcpConnection, TcpDeletion, TcpDeletionOutcome, TcpQuery, TcpState};
use crate::types::Family;
use iphelper_netlink::sock_diag::filter::{Condition, Filter};
use iphelper_netlink::sock_diag::inet::{
    self, EXTENSION_INFO, NO_COOKIE, Protocol, SocketId, SocketRow, State, States,
};
use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::{IpAddr, Ipv6Addr};

pub(super) const OPERATION: &str = "deleting a TCP connection";
/// With more connections than this, a dump of all is cheaper than one that compares each with their ports.
const FEW: usize = 16;
/// How many remote ports are tried to find one listener of a group, and how many at a time.
const PROBES: u16 = 8192;
const PROBES_AT_ONCE: u16 = 64;

/// Deletes each of `rows`; an outcome for each.
pub(super) fn delete(
    host: &LinuxHost,
    rows: &[TcpConnection],
    options: DeleteOptions,
) -> Result<Vec<Result<()>>> {
    host.require_elevation(OPERATION)?;
    let mut outcomes: Vec<Option<Result<()>>> = Vec::with_capacity(rows.len());
    let mut deletion = Deletion::default();
    for (position, row) in rows.iter().enumerate() {
        outcomes.push(match checked(row) {
            Ok(id) => {
                deletion.add(position, row, id);
                None
            }
            Err(error) => Some(Err(error)),
        });
    }
    let mut socket = host.sock_diag.take()?;
    if !options.mptcp_subflows {
        let subflows = subflows(&mut socket, &deletion).map_err(|refusal| refusal.error(OPERATION))?;
        deletion.without(&subflows, &mut outcomes);
    }
    let errnos = destroy_all(&host.sock_diag, Protocol::Tcp, &deletion.ids)?;
    let mut hidden = Vec::new();
    for (errno, (position, id)) in errnos.into_iter().zip(deletion.positions.iter().zip(&deletion.ids)) {
        let Some(row) = rows.get(*position) else { continue };
        let outcome = match errno {
            0 if may_survive(row) => check_gone(&mut socket, id),
            0 => Ok(()),
            libc::ENOENT if may_be_hidden(row) => {
                hidden.push((*position, *id));
                continue;
            }
            errno => Err(refused(errno, OPERATION)),
        };
        if let Some(place) = outcomes.get_mut(*position) {
            *place = Some(outcome);
        }
    }
    let still = still_listed(&mut socket, &hidden);
    for (position, id) in hidden {
        let outcome = match &still {
            // Others are deleted already, so that this is no failure of the call.
            Err(refusal) => Err(refusal.clone().error(OPERATION)),
            Ok(still) => match still.get(&id.cookie) {
                None => Err(refused(libc::ENOENT, OPERATION)),
                Some((State::LISTEN, id)) => delete_listener(&mut socket, id),
                Some(_) => Err(unreachable_by_ends()),
            },
        };
        if let Some(place) = outcomes.get_mut(position) {
            *place = Some(outcome);
        }
    }
    for (position, first) in deletion.twins {
        let outcome = outcomes.get(first).cloned().flatten();
        if let Some(place) = outcomes.get_mut(position) {
            *place = outcome;
        }
    }
    // Each position was either refused, or deleted, or is the twin of one.
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(refused(libc::ENOENT, OPERATION))))
        .collect())
}

/// What is to be deleted: sockets, and where in the caller's list each of them stands.
#[derive(Default)]
struct Deletion {
    ids: Vec<SocketId>,
    positions: Vec<usize>,
    /// Rows of a socket that stands in the list already: a dual-stack listener has two.
    twins: Vec<(usize, usize)>,
    listeners: FxHashMap<u64, usize>,
}

impl Deletion {
    fn add(&mut self, position: usize, row: &TcpConnection, id: SocketId) {
        if row.state == TcpState::Listen {
            if let Some(first) = self.listeners.get(&id.cookie) {
                self.twins.push((position, *first));
                return;
            }
            let _ = self.listeners.insert(id.cookie, position);
        }
        self.ids.push(id);
        self.positions.push(position);
    }

    /// Takes the sockets with these cookies out, with an error for each.
    fn without(&mut self, cookies: &FxHashSet<u64>, outcomes: &mut [Option<Result<()>>]) {
        if cookies.is_empty() {
            return;
        }
        let (mut ids, mut positions) = (Vec::new(), Vec::new());
        for (id, position) in self.ids.drain(..).zip(self.positions.drain(..)) {
            if !cookies.contains(&id.cookie) {
                ids.push(id);
                positions.push(position);
            } else if let Some(place) = outcomes.get_mut(position) {
                *place = Some(Err(Error::new(ErrorKind::NotSupported, OPERATION).because(
                    "it belongs to Multipath TCP, whose connections Linux does not reset: ask for its subflows to be \
                     deleted, and the connection ends after about a minute",
                )));
            }
        }
        (self.ids, self.positions) = (ids, positions);
    }
}

/// The kernel's name of the row's socket, if the row can be deleted.
fn checked(row: &TcpConnection) -> Result<SocketId> {
    let id = identity(row, OPERATION)?;
    if row.state == TcpState::Closed {
        return Err(Error::new(ErrorKind::NotSupported, OPERATION)
            .because("the socket is bound and not connected: Linux deletes connections and listeners"));
    }
    Ok(id)
}

/// The kernel's name of the row's socket, if the row can be one.
pub(super) fn identity(row: &TcpConnection, operation: &'static str) -> Result<SocketId> {
    let invalid = |why| Err(Error::new(ErrorKind::InvalidParameter, operation).because(why));
    if row.cookie.0 == NO_COOKIE || row.cookie.0 == 0 {
        return invalid("the row carries no socket's cookie");
    }
    let (local, remote) = (row.local.ip(), row.remote.ip());
    let (family, local, remote) = match (row.socket_family, local, remote) {
        // The IPv4 row of a dual-stack listener.
        (Family::V6, IpAddr::V4(v4), IpAddr::V4(_)) if v4.is_unspecified() => {
            (AF_INET6, Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into())
        }
        // An IPv4-mapped connection: a look-up by its IPv4 ends finds it.
        (_, IpAddr::V4(_), IpAddr::V4(_)) => (AF_INET, local, remote),
        (Family::V6, IpAddr::V6(_), IpAddr::V6(_)) => (AF_INET6, local, remote),
        _ => return invalid("the row's two ends are of different families"),
    };
    Ok(SocketId {
        family,
        local,
        local_port: row.local.port(),
        remote,
        remote_port: row.remote.port(),
        interface: row.interface_index.map_or(0, |index| index.0),
        cookie: row.cookie.0,
    })
}

/// Those of the sockets that belong to Multipath TCP.
fn subflows(socket: &mut Socket, deletion: &Deletion) -> Result<FxHashSet<u64>, Refusal> {
    let mut subflows = FxHashSet::default();
    // The kernel tells in a long row whether a socket is a subflow; where there is no Multipath TCP, none is.
    if !has_multipath(socket)? {
        return Ok(subflows);
    }
    let filter = ports(&deletion.ids);
    for family in [AF_INET, AF_INET6] {
        let mut request = inet::dump(family, Protocol::Tcp, CONNECTIONS, EXTENSION_INFO, &filter);
        let found = socket.snapshot(&mut request, Vec::new, |found, message| {
            let row = SocketRow::parse(message)?;
            if row.is_multipath()? {
                found.push(row.cookie());
            }
            Ok(())
        })?;
        subflows.extend(found);
    }
    Ok(subflows)
}

fn has_multipath(socket: &mut Socket) -> Result<bool, Refusal> {
    for family in [AF_INET, AF_INET6] {
        let mut request = inet::dump(family, Protocol::Mptcp, States::ALL, 0, &Filter::new());
        let found = socket.snapshot(
            &mut request,
            || false,
            |found, _| {
                *found = true;
                Ok(())
            },
        );
        match found {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            // A kernel without monitoring of Multipath TCP, and perhaps without Multipath TCP.
            Err(refusal) if refusal.errno() == libc::ENOENT => {
                return Ok(std::path::Path::new("/proc/sys/net/mptcp").exists());
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(false)
}

/// A filter for the ports of `ids`, if they are few.
pub(super) fn ports(ids: &[SocketId]) -> Filter {
    let mut filter = Filter::new();
    if ids.len() <= FEW {
        let conditions: Vec<_> = ids
            .iter()
            .map(|id| {
                [
                    Condition::LocalPort(id.local_port..=id.local_port),
                    Condition::RemotePort(id.remote_port..=id.remote_port),
                ]
            })
            .collect();
        let alternatives: Vec<&[Condition]> = conditions.iter().map(<[_; 2]>::as_slice).collect();
        // Without a filter the dump has more rows, and these among them.
        let _ = filter.require(&alternatives);
    }
    filter
}

/// Whether a kernel before Linux 6.11 may have left the connection alone and said nothing: one that no program holds.
fn may_survive(row: &TcpConnection) -> bool {
    row.inode.is_none() && !matches!(row.state, TcpState::TimeWait | TcpState::SynReceived)
}

/// Success only if the socket is gone.
fn check_gone(socket: &mut Socket, id: &SocketId) -> Result<()> {
    match find(socket, id) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::new(ErrorKind::NotSupported, OPERATION).because(
            "this kernel leaves a connection that no program holds to its time-outs (before Linux 6.11)",
        )),
        Err(refusal) => Err(refusal.error(OPERATION)),
    }
}

/// Whether the kernel finds this very socket.
fn find(socket: &mut Socket, id: &SocketId) -> Result<bool, Refusal> {
    let mut found = false;
    match socket.ask(&mut id.request(Protocol::Tcp, 0), |message| {
        found |= SocketRow::parse(message)?.cookie() == id.cookie;
        Ok(())
    }) {
        Err(refusal) if refusal.errno() == libc::ENOENT => Ok(false),
        Err(refusal) => Err(refusal),
        Ok(()) => Ok(found),
    }
}

/// Whether the kernel's look-up by endpoints may find another socket first: of a group of listeners on one port, or
/// of two connections that differ in the interface alone.
fn may_be_hidden(row: &TcpConnection) -> bool {
    row.state == TcpState::Listen || row.interface_index.is_some()
}

/// Those of the sockets that the kernel still lists, by cookie, as it lists them.
fn still_listed(
    socket: &mut Socket,
    sockets: &[(usize, SocketId)],
) -> Result<FxHashMap<u64, (State, SocketId)>, Refusal> {
    let mut listed = FxHashMap::default();
    if sockets.is_empty() {
        return Ok(listed);
    }
    let wanted: FxHashSet<u64> = sockets.iter().map(|(_, id)| id.cookie).collect();
    let ids: Vec<SocketId> = sockets.iter().map(|(_, id)| *id).collect();
    let filter = ports(&ids);
    for family in [AF_INET, AF_INET6] {
        // Not those that are bound alone, as a listener is that was deleted.
        let mut request = inet::dump(family, Protocol::Tcp, CONNECTIONS, 0, &filter);
        let found = socket.snapshot(&mut request, Vec::new, |found, message| {
            let row = SocketRow::parse(message)?;
            if wanted.contains(&row.cookie()) {
                found.push((row.cookie(), (row.state(), row.id())));
            }
            Ok(())
        })?;
        listed.extend(found);
    }
    Ok(listed)
}

/// Deletes a listener that the kernel's look-up by endpoints did not find.
///
/// The kernel chooses among the listeners of a port group by a hash of both ends, so ask on behalf of one remote port
/// after the other. All but the right one are refused for their cookie.
fn delete_listener(socket: &mut Socket, id: &SocketId) -> Result<()> {
    for first in (1..PROBES).step_by(usize::from(PROBES_AT_ONCE)) {
        let probes: Vec<_> =
            (first..first + PROBES_AT_ONCE).map(|port| SocketId { remote_port: port, ..*id }).collect();
        let outcomes = destroy(socket, Protocol::Tcp, &probes);
        if outcomes.contains(&0) {
            return Ok(());
        }
        if let Some(errno) = outcomes.into_iter().find(|errno| *errno != libc::ENOENT) {
            return Err(refused(errno, OPERATION));
        }
    }
    Err(unreachable_by_ends())
}

fn unreachable_by_ends() -> Error {
    Error::new(ErrorKind::NotSupported, OPERATION)
        .because("the kernel finds another socket at the same ends, and deletes by ends alone")
}

/// Deletes whatever the query finds; what that was, with an outcome for each.
pub(super) fn delete_matching(
    host: &LinuxHost,
    query: &TcpQuery,
    options: DeleteOptions,
) -> Result<Vec<TcpDeletion>> {
    if query.filter.conditions.is_empty() {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because("a filter without a condition is every connection of this computer"));
    }
    host.require_elevation(OPERATION)?;
    let rows = socket_table::whole::<Tcp>(host, query)?;
    let own = if options.own_terminal { None } else { Some(OwnTerminal::find()?) };
    let (mut spare, mut doomed) = (Vec::new(), Vec::new());
    for (position, row) in rows.into_iter().enumerate() {
        if own.as_ref().is_some_and(|own| own.is_on(&row)) {
            spare.push((position, TcpDeletion { connection: row, outcome: TcpDeletionOutcome::OwnTerminal }));
        } else {
            doomed.push(row);
        }
    }
    let outcomes = delete(host, &doomed, options)?.into_iter().map(|outcome| match outcome {
        Ok(()) => TcpDeletionOutcome::Deleted,
        Err(error) if error.kind() == ErrorKind::NotFound => TcpDeletionOutcome::AlreadyGone,
        Err(error) => TcpDeletionOutcome::Failed(error),
    });
    let mut deletions: Vec<_> = doomed
        .into_iter()
        .zip(outcomes)
        .map(|(connection, outcome)| TcpDeletion { connection, outcome })
        .collect();
    for (position, deletion) in spare {
        // In the table's order, each at the place that it had.
        deletions.insert(position.min(deletions.len()), deletion);
    }
    Ok(deletions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::linux::socket::scripted::{self, acknowledgement, message};
    use iphelper_netlink::sock_diag::BY_FAMILY;
    use std::net::Ipv4Addr;

    /// Kernels before 6.11 acknowledge the deletion of a connection that no program holds, and leave it.
    #[test]
    fn a_connection_that_the_kernel_left_alone_is_no_success() {
        let id = SocketId {
            family: AF_INET,
            local: Ipv4Addr::LOCALHOST.into(),
            local_port: 1,
            remote: Ipv4Addr::LOCALHOST.into(),
            remote_port: 2,
            interface: 0,
            cookie: 7,
        };
        let check = |answers: &[Vec<u8>]| {
            let (mut socket, _kernel) = scripted::socket(answers);
            check_gone(&mut socket, &id).map_err(|error| error.kind())
        };
        let row = |cookie: u64| {
            let mut row = [0; 72];
            row[0] = AF_INET;
            row[44..52].copy_from_slice(&cookie.to_ne_bytes());
            [message(BY_FAMILY, 0, 1, &row), acknowledgement(1, 0)].concat()
        };
        assert_eq!(check(&[row(7)]), Err(ErrorKind::NotSupported));
        assert_eq!(check(&[row(8)]), Ok(()), "another connection by now");
        assert_eq!(check(&[acknowledgement(1, libc::ENOENT)]), Ok(()));
        assert_eq!(check(&[acknowledgement(1, libc::ENOMEM)]), Err(ErrorKind::OutOfMemory));
    }
}
