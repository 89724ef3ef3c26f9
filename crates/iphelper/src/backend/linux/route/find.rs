//! From a key to the kernel's routes that it names.

use super::OPERATION;
use super::row::{Surroundings, family_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::{Error, ErrorKind, Result};
use crate::route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKey};
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{self as wire, Filter};

/// A row that a key names.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) row: Route,
}

impl Candidate {
    /// Whether it takes every packet to its destination, whatever else the packet says.
    fn is_plain(&self) -> bool {
        self.row.source.is_none() && self.row.type_of_service == 0
    }
}

/// What a key names, as far as it is there.
#[derive(Debug)]
pub(super) struct Found {
    /// All routes of the key in one table, the one that counts first.
    pub(super) candidates: Vec<Candidate>,
}

/// The error of a route that is not there.
pub(super) fn missing(key: &RouteKey, operation: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, operation).because(format!("there is no route to {key}"))
}

pub(super) fn route(host: &LinuxHost, key: &RouteKey) -> Result<Route> {
    let found = find(host, key, OPERATION)?;
    found.candidates.into_iter().next().map(|it| it.row).ok_or_else(|| missing(key, OPERATION))
}

/// The interface of a key, checked to have the key's family.
pub(super) fn link_of(host: &LinuxHost, key: &RouteKey, operation: &'static str) -> Result<Link> {
    let family = Family::of(&key.destination.address());
    host.require_family(family, operation)?;
    if family == Family::V6 && Family::of(&key.next_hop) == Family::V4 {
        return Err(Error::new(ErrorKind::InvalidParameter, operation)
            .because(format!("{} cannot be the next hop of an IPv6 route", key.next_hop)));
    }
    let link = host.link(key.interface, operation)?;
    if link.has_family(family) {
        Ok(link)
    } else {
        Err(Error::new(ErrorKind::NotFound, operation).because(format!("{} has no {family}", link.name())))
    }
}

/// Whether a row is one of those that a key names, its table and metric aside.
pub(super) fn is_named(row: &Route, key: &RouteKey) -> bool {
    // 0.0.0.0 and :: both say that there is no next hop.
    let is_same = |hop: &std::net::IpAddr| {
        *hop == key.next_hop || hop.is_unspecified() && key.next_hop.is_unspecified()
    };
    row.destination == key.destination && is_same(&row.next_hop)
}

/// The kernel's routes that a key names.
pub(super) fn find(host: &LinuxHost, key: &RouteKey, operation: &'static str) -> Result<Found> {
    let link = link_of(host, key, operation)?;
    let family = Family::of(&key.destination.address());
    let mut surroundings = Surroundings::read(host, std::slice::from_ref(&link), &[family], operation)?;
    let mut candidates = Vec::new();
    let tables = match key.table {
        Some(table) => vec![table],
        None => vec![MAIN_TABLE, LOCAL_TABLE],
    };
    for table in tables {
        let index = link.index.0;
        let filter = Filter { table: Some(table), interface: Some(index), ..Filter::default() };
        let listed = host.route.take()?.snapshot(
            &mut wire::dump(address_family(family), filter),
            Vec::new,
            |routes, message| {
                let is_wanted = |it: &wire::Route| {
                    let to = it.destination.unwrap_or_else(|| super::row::unspecified(family_of(it)));
                    it.table == table
                        && it.destination_len == key.destination.len()
                        && to == key.destination.address()
                };
                routes.extend(wire::Route::parse(message)?.filter(is_wanted));
                Ok(())
            },
        );
        let routes = match listed {
            Err(refusal) if refusal.errno() == libc::ENOENT => Vec::new(),
            listed => listed.map_err(|refusal| refusal.error(operation))?,
        };
        for route in routes {
            let mut rows = Vec::new();
            surroundings.rows(route, |row| rows.push(row)).map_err(|refusal| refusal.error(operation))?;
            // Hops over other interfaces are unknown to these surroundings.
            let named = rows.into_iter().filter(|row| {
                row.index == Some(link.index)
                    && is_named(row, key)
                    && key.metric.is_none_or(|metric| metric == row.metric)
            });
            candidates.extend(named.map(|row| Candidate { row }));
        }
        if !candidates.is_empty() {
            break;
        }
    }
    candidates.sort_by_key(|it| (!it.is_plain(), it.row.system_metric));
    Ok(Found { candidates })
}
