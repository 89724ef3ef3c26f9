//! A protocol's table of sockets over `sock_diag`: whole, or one row at a time.

mod ends;
mod filter;
mod owner;

use super::LinuxHost;
use super::dump_stream::{self, DumpStream};
use super::process::{Processes, Unreadable};
use super::socket::Refusal;
use crate::backend;
use crate::error::{Error, ErrorKind, Result};
use crate::socket::{Owner, OwnerModule, SocketCondition, SocketCookie, SocketFilter, SocketQuery};
use crate::tcp::TcpState;
use crate::types::Family;
pub(super) use ends::Ends;
use ends::each;
use filter::passes;
pub(super) use filter::{Dump, dumps, invalid};
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::{Message, Request};
use iphelper_netlink::sock_diag::inet::{SocketRow, State};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};

/// A protocol and its rows.
pub(super) trait SocketTable: Send + Sized + 'static {
    /// A row of the table.
    type Row: Row;
    /// What reading the table is called in errors.
    const OPERATION: &'static str;
    /// What a kernel lacks that does not list these sockets.
    const UNMONITORED: &'static str;

    /// The dumps that together have every row of `family` that `query` asks for, whichever family that names.
    fn dumps(family: Option<Family>, query: &SocketQuery) -> Result<Vec<Dump>>;

    /// The state of a socket as rows tell it; `None` for a socket that is in no table.
    fn state(state: State) -> Option<Option<TcpState>>;

    /// The row of a socket that has these ends, and a port that the kernel chose if it is `automatic`.
    fn row(ends: Ends, state: Option<TcpState>, automatic: Option<bool>) -> Self::Row;
}

/// What every row has.
pub(super) trait Row: Send + 'static {
    /// The process that holds the socket, to be told later.
    fn owner(&mut self) -> &mut Option<Owner>;
    /// Family, local end, remote end, cookie: what rows are ordered by; and the inode.
    fn place(&self) -> (Family, SocketAddr, Option<SocketAddr>, SocketCookie, Option<u64>);
}

impl backend::Socket for LinuxHost {
    fn socket_owner_module(&self, inode: Option<u64>, process: Option<u32>) -> Result<OwnerModule> {
        owner::module(inode, process)
    }
}

/// The longest short name of a process (`TASK_COMM_LEN` without its NUL).
const NAME_LEN: usize = 15;

/// What of a query is tested here: the rows of one family that pass the filter, and the processes that it names.
struct Selection {
    family: Option<Family>,
    filter: SocketFilter,
    /// The sockets of the processes that the filter names; `None` where it names none.
    holders: Option<FxHashMap<u64, Owner>>,
    /// The owners of all sockets, for rows that are given out before the last one is read.
    owners: Option<FxHashMap<u64, Owner>>,
}

impl Selection {
    fn new(query: &SocketQuery) -> Result<Self> {
        let holders = holders(&query.filter)?;
        Ok(Self { family: query.family, filter: query.filter.clone(), holders, owners: None })
    }

    /// Gives the rows of one message that are wanted to `add`.
    #[inline]
    fn decode<T: SocketTable>(
        &self,
        socket: &SocketRow<'_>,
        automatic: Option<bool>,
        mut add: impl FnMut(T::Row),
    ) -> Result<(), DecodeError> {
        let Some(state) = T::state(socket.state()) else { return Ok(()) };
        each(socket, |ends| {
            if self.family.is_some_and(|family| family != ends.family) || !passes(&self.filter, &ends, state)
            {
                return;
            }
            let inode = ends.inode;
            let holder =
                |sockets: &FxHashMap<u64, Owner>| inode.and_then(|inode| sockets.get(&inode)).cloned();
            let owner = match (&self.holders, &self.owners) {
                (Some(holders), _) => match holder(holders) {
                    None => return,
                    owner => owner,
                },
                (None, Some(owners)) => holder(owners),
                (None, None) => None,
            };
            let mut row = T::row(ends, state, automatic);
            if owner.is_some() {
                *row.owner() = owner;
            }
            add(row);
        })
    }
}

/// Gives the rows of one socket to `add`, whichever they are.
pub(super) fn decode<T: SocketTable>(
    socket: &SocketRow<'_>,
    mut add: impl FnMut(T::Row),
) -> Result<(), DecodeError> {
    let Some(state) = T::state(socket.state()) else { return Ok(()) };
    each(socket, |ends| add(T::row(ends, state, None)))
}

/// The sockets of the processes that `filter` names, with the lowest of these processes as owner.
fn holders(filter: &SocketFilter) -> Result<Option<FxHashMap<u64, Owner>>> {
    let mut pids: Option<Vec<u32>> = None;
    let mut names = Vec::new();
    for condition in &filter.conditions {
        match condition {
            SocketCondition::Pid(pid) => {
                let others = pids.is_some_and(|pids| !pids.contains(pid));
                pids = Some(if others { Vec::new() } else { vec![*pid] });
            }
            SocketCondition::Process(name) => names.push(name.as_str()),
            _ => {}
        }
    }
    if pids.is_none() && names.is_empty() {
        return Ok(None);
    }
    let processes = Processes::open()?;
    let pids = match pids {
        Some(pids) => pids,
        None => processes.pids()?,
    };
    let named = |name: &str| names.iter().all(|wanted| short_name(wanted) == name);
    processes.sockets(&pids, named, Unreadable::Refuse).map(Some)
}

/// As much of a program's name as the kernel keeps of it.
fn short_name(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_LEN)).unwrap_or_default()
}

/// The error that a refused dump is.
fn refused<T: SocketTable>(refusal: Refusal, filter: &SocketFilter) -> Error {
    let marks = filter.conditions.iter().any(|condition| matches!(condition, SocketCondition::Mark { .. }));
    match refusal.errno() {
        libc::ENOENT => refusal.into_error(ErrorKind::NotSupported, T::OPERATION).because(T::UNMONITORED),
        libc::EPERM if marks => refusal
            .error(T::OPERATION)
            .because("the kernel compares marks for callers with CAP_NET_ADMIN only"),
        _ => refusal.error(T::OPERATION),
    }
}

/// Leaves IPv6 out where this kernel has none.
fn available<T: SocketTable>(host: &LinuxHost, family: Option<Family>) -> Result<Option<Family>> {
    match (host.sysctl.has(Family::V6), family) {
        (false, Some(Family::V6)) => {
            Err(Error::new(ErrorKind::NotSupported, T::OPERATION).because("this kernel has no IPv6"))
        }
        (_, family) => Ok(family),
    }
}

/// The whole table.
pub(super) fn whole<T: SocketTable>(host: &LinuxHost, query: &SocketQuery) -> Result<Vec<T::Row>> {
    let family = available::<T>(host, query.family)?;
    let selection = Selection::new(query)?;
    let mut socket = host.sock_diag.take()?;
    let mut table: Vec<T::Row> = Vec::new();
    let mut seen = FxHashSet::default();
    for Dump { mut request, automatic } in T::dumps(family, query)? {
        let start = table.len();
        let mut part = (&mut table, &mut seen);
        let restart = |(table, seen): &mut (&mut Vec<T::Row>, &mut FxHashSet<u64>)| {
            table.truncate(start);
            seen.clear();
        };
        socket
            .snapshot_into(&mut request, &mut part, restart, |(table, seen), message| {
                let row = SocketRow::parse(message)?;
                // A bucket of the kernel's table that changes while it is read can show a socket again.
                if seen.insert(row.cookie()) {
                    selection.decode::<T>(&row, automatic, |row| table.push(row))?;
                }
                Ok(())
            })
            .map_err(|refusal| refused::<T>(refusal, &query.filter))?;
    }
    drop(socket);
    if query.owners && selection.holders.is_none() {
        let inode = |row: &T::Row| row.place().4;
        let owners = Processes::open()?.owners(table.iter().filter_map(inode))?;
        for row in &mut table {
            *row.owner() = inode(row).and_then(|inode| owners.get(&inode)).cloned();
        }
    }
    if query.ordered {
        table.sort_unstable_by_key(order);
    }
    Ok(table)
}

/// The documented order; sockets that share both ends follow in the order of their cookies.
fn order<R: Row>(row: &R) -> impl Ord + use<R> {
    let key = |end: &SocketAddr| match end.ip() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 0, end.port()),
        IpAddr::V6(v6) => (v6.to_bits(), scope(end), end.port()),
    };
    let (family, local, remote, cookie, _) = row.place();
    (family, key(&local), remote.as_ref().map(key), cookie)
}

fn scope(end: &SocketAddr) -> u32 {
    match end {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    }
}

/// Rows one at a time.
pub(super) fn stream<T: SocketTable>(host: &LinuxHost, query: &SocketQuery) -> Result<DumpStream<Reader<T>>> {
    if query.ordered {
        return Err(Error::new(ErrorKind::InvalidParameter, T::OPERATION)
            .because("rows that come one at a time have no order: read the whole table"));
    }
    let family = available::<T>(host, query.family)?;
    let mut selection = Selection::new(query)?;
    if query.owners && selection.holders.is_none() {
        let processes = Processes::open()?;
        selection.owners = Some(processes.sockets(&processes.pids()?, |_| true, Unreadable::Skip)?);
    }
    let dumps = T::dumps(family, query)?;
    Ok(DumpStream::new(host.sock_diag.take()?, dumps, Reader::new(selection)))
}

/// What makes rows of the kernel's sockets.
pub(super) struct Reader<T: SocketTable> {
    selection: Selection,
    /// Whether the dump is one of sockets whose ports the kernel chose, or one of the others; `None` if of both.
    automatic: Option<bool>,
    /// The sockets of this datagram.
    seen: FxHashSet<u64>,
    /// Those of the latest one. Where the next one goes on in the middle of a bucket of the kernel's table that has changed,
    /// it begins with some of these again.
    latest: FxHashSet<u64>,
    table: PhantomData<T>,
}

impl<T: SocketTable> Reader<T> {
    fn new(selection: Selection) -> Self {
        let (seen, latest) = Default::default();
        Self { selection, automatic: None, seen, latest, table: PhantomData }
    }
}

impl<T: SocketTable> dump_stream::Reader for Reader<T> {
    type Dump = Dump;
    type Row = T::Row;

    fn begin(&mut self, Dump { request, automatic }: Dump) -> Request {
        self.automatic = automatic;
        self.latest.clear();
        request
    }

    fn read(&mut self, message: &Message<'_>, rows: &mut VecDeque<T::Row>) -> Result<(), Refusal> {
        let row = SocketRow::parse(message)?;
        if self.seen.insert(row.cookie()) && !self.latest.contains(&row.cookie()) {
            self.selection.decode::<T>(&row, self.automatic, |row| rows.push_back(row))?;
        }
        Ok(())
    }

    fn end_datagram(&mut self) {
        self.latest = std::mem::take(&mut self.seen);
    }

    fn is_empty_dump(&self, _errno: i32) -> bool {
        false
    }

    fn failed(&self, refusal: Refusal) -> Error {
        refused::<T>(refusal, &self.selection.filter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::socket::scripted::{self, done, message};
    use super::super::tcp::Tcp;
    use super::*;
    use iphelper_netlink::message::DUMP;
    use iphelper_netlink::sock_diag::BY_FAMILY;

    /// An IPv4 row with this cookie.
    fn socket_row(sequence: u32, cookie: u64) -> Vec<u8> {
        let mut row = [0; 72];
        (row[0], row[1]) = (2, 1);
        row[44..52].copy_from_slice(&cookie.to_ne_bytes());
        message(BY_FAMILY, 0, sequence, &row)
    }

    fn stream(answers: &[Vec<u8>], dumps: usize) -> Vec<Result<u64, ErrorKind>> {
        let (socket, _kernel) = scripted::socket(answers);
        let dumps = vec![Dump { request: Request::new(BY_FAMILY, DUMP, &[]), automatic: None }; dumps];
        let reader = Reader::<Tcp>::new(Selection::new(&SocketQuery::default()).unwrap());
        let stream = DumpStream::new(scripted::pool(socket).take().unwrap(), dumps, reader);
        let rows = stream.map(|row| row.map(|row| row.cookie.0).map_err(|error| error.kind()));
        rows.collect()
    }

    #[test]
    fn a_stream_goes_through_its_dumps_and_shows_a_socket_once() {
        let answers = [
            [socket_row(1, 1), socket_row(1, 2)].concat(),
            // The kernel goes on in a bucket that has changed.
            [socket_row(1, 2), socket_row(1, 3), socket_row(1, 3)].concat(),
            done(1, false, 0),
            [socket_row(2, 4), done(2, false, 0)].concat(),
        ];
        assert_eq!(stream(&answers, 2), [Ok(1), Ok(2), Ok(3), Ok(4)]);
    }

    #[test]
    fn an_interrupted_stream_says_so_at_the_end() {
        let answers = [socket_row(1, 1), [socket_row(1, 2), done(1, true, 0)].concat()];
        assert_eq!(stream(&answers, 2), [Ok(1), Ok(2), Err(ErrorKind::Interrupted)]);
    }

    #[test]
    fn a_refused_stream_ends_with_the_error() {
        assert_eq!(stream(&[done(1, false, libc::ENOMEM)], 2), [Err(ErrorKind::OutOfMemory)]);
        let refused = scripted::acknowledgement(1, libc::ENOENT);
        assert_eq!(stream(&[refused], 1), [Err(ErrorKind::NotSupported)]);
        assert_eq!(stream(&[vec![1; 20]], 1), [Err(ErrorKind::Other)]);
    }
}
