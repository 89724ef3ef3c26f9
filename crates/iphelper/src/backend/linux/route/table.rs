//! The forwarding table, one row at a time.

use super::OPERATION;
use super::row::Surroundings;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::address_family;
use crate::backend::linux::socket::{Pooled, Refusal};
use crate::error::{Error, Result};
use crate::route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteQuery, RouteTables};
use crate::types::Family;
use iphelper_netlink::message::{DUMP_INTERRUPTED, Request};
use iphelper_netlink::rtnetlink::route::{self as wire, Filter};
use std::collections::VecDeque;

/// The rows of a query.
pub(super) fn stream(host: &LinuxHost, query: &RouteQuery) -> Result<Stream> {
    if let Some(family) = query.family {
        host.require_family(family, OPERATION)?;
    }
    let families: Vec<Family> = match query.family {
        Some(family) => vec![family],
        None => Family::ALL.into_iter().filter(|family| host.sysctl.has(*family)).collect(),
    };
    let links = host.links(OPERATION)?;
    let interface = query.interface.map(|key| host.link(key, OPERATION)).transpose()?.map(|it| it.index.0);
    let surroundings = Surroundings::read(host, &links, &families, OPERATION)?;
    let tables: &[Option<u32>] = match query.tables {
        RouteTables::All => &[None],
        RouteTables::MainAndLocal => &[Some(MAIN_TABLE), Some(LOCAL_TABLE)],
        RouteTables::One(table) => &[Some(table)],
    };
    let dump = |family: &Family, table: &Option<u32>| {
        wire::dump(address_family(*family), Filter { table: *table, interface, ..Filter::default() })
    };
    let dumps = families.iter().flat_map(|family| tables.iter().map(move |table| dump(family, table)));
    let mut dumps: Vec<Request> = dumps.collect();
    dumps.reverse();
    Ok(Stream {
        socket: host.route.take()?,
        dumps,
        sequence: None,
        interrupted: false,
        surroundings,
        query: *query,
        interface,
        rows: VecDeque::new(),
        failure: None,
    })
}

/// The rows of a query, read datagram by datagram.
pub(super) struct Stream {
    socket: Pooled,
    /// What is still to be asked for, last first.
    dumps: Vec<Request>,
    /// The number of the dump that is under way.
    sequence: Option<u32>,
    interrupted: bool,
    surroundings: Surroundings,
    query: RouteQuery,
    interface: Option<u32>,
    /// The rows of the latest datagram that were not given out yet.
    rows: VecDeque<Route>,
    /// What comes after these rows.
    failure: Option<Refusal>,
}

impl Stream {
    /// Reads on until there is a row to give out, or nothing more to read.
    fn fill(&mut self) {
        while self.rows.is_empty() && self.failure.is_none() {
            let read = match self.sequence {
                Some(sequence) => self.datagram(sequence),
                None if self.dumps.is_empty() => return,
                None => self.ask(),
            };
            if let Err(refusal) = read {
                // What is still under way is nobody's: a socket that is busy does not go back to its pool.
                self.failure = Some(refusal);
                self.dumps.clear();
                self.sequence = None;
            }
        }
    }

    fn ask(&mut self) -> Result<(), Refusal> {
        if let Some(mut request) = self.dumps.pop() {
            self.interrupted = false;
            self.sequence = Some(self.socket.send(&mut request)?);
        }
        Ok(())
    }

    /// Reads one datagram.
    fn datagram(&mut self, sequence: u32) -> Result<(), Refusal> {
        let Self { socket, surroundings, rows, interrupted, interface, query, .. } = self;
        let mut end = None;
        for message in socket.receive()? {
            let message = message?;
            if message.header.sequence != sequence {
                continue;
            }
            *interrupted |= message.header.flags & DUMP_INTERRUPTED != 0;
            end = match message.acknowledgement().transpose()? {
                Some(refusal) => Some(refusal.errno),
                None => message.done(),
            };
            if end.is_some() {
                break;
            }
            // Kernels before 4.20 do not filter.
            let Some(route) = wire::Route::parse(&message)?.filter(|it| query.tables.contains(it.table))
            else {
                continue;
            };
            surroundings.rows(route, |row| {
                if interface.is_none_or(|index| row.index.is_some_and(|it| it.0 == index)) {
                    rows.push_back(row);
                }
            })?;
        }
        let Some(errno) = end else { return Ok(()) };
        self.socket.set_idle();
        self.sequence = None;
        match errno {
            0 if self.interrupted => Err(Refusal::of(libc::EINTR)),
            // No such table.
            0 | libc::ENOENT => Ok(()),
            errno => Err(Refusal::of(errno)),
        }
    }
}

impl Iterator for Stream {
    type Item = Result<Route>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        match self.rows.pop_front() {
            Some(row) => Some(Ok(row)),
            None => self.failure.take().map(|refusal| Err(refused(refusal))),
        }
    }
}

fn refused(refusal: Refusal) -> Error {
    refusal.error(OPERATION)
}
