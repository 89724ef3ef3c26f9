//! The forwarding table, one row at a time.

use super::OPERATION;
use super::row::Surroundings;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::dump_stream::{self, DumpStream};
use crate::backend::linux::link::address_family;
use crate::backend::linux::socket::Refusal;
use crate::error::{Error, Result};
use crate::route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteQuery, RouteTables};
use crate::types::Family;
use iphelper_netlink::message::{Message, Request};
use iphelper_netlink::rtnetlink::route::{self as wire, Filter};
use std::collections::VecDeque;

/// The rows of a query.
pub(super) fn stream(host: &LinuxHost, query: &RouteQuery) -> Result<DumpStream<Reader>> {
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
    let reader = Reader { surroundings, query: *query, interface };
    Ok(DumpStream::new(host.route.take()?, dumps.collect(), reader))
}

/// What makes rows of the kernel's routes.
#[derive(Debug)]
pub(super) struct Reader {
    surroundings: Surroundings,
    query: RouteQuery,
    interface: Option<u32>,
}

impl dump_stream::Reader for Reader {
    type Dump = Request;
    type Row = Route;

    fn begin(&mut self, dump: Request) -> Request {
        dump
    }

    fn read(&mut self, message: &Message<'_>, rows: &mut VecDeque<Route>) -> Result<(), Refusal> {
        let Self { surroundings, query, interface } = self;
        // Kernels before 4.20 do not filter.
        let route = wire::Route::parse(message)?.filter(|it| query.tables.contains(it.table));
        let Some(route) = route else { return Ok(()) };
        surroundings.rows(route, |row| {
            if interface.is_none_or(|index| row.index.is_some_and(|it| it.0 == index)) {
                rows.push_back(row);
            }
        })
    }

    fn is_empty_dump(&self, errno: i32) -> bool {
        // No such table.
        errno == libc::ENOENT
    }

    fn failed(&self, refusal: Refusal) -> Error {
        refusal.error(OPERATION)
    }
}
