//! From a key to the kernel's routes that it names.

use super::OPERATION;
use super::row::{Surroundings, family_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::{Error, ErrorKind, Result};
use crate::route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKey};
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{self as wire, Filter, NextHop};

/// A row, and the kernel's route that it is, or is a next hop of.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) row: Route,
    pub(super) wire: wire::Route,
}

impl Candidate {
    /// Whether it takes every packet to its destination, whatever else the packet says.
    pub(super) fn is_plain(&self) -> bool {
        self.row.source.is_none() && self.row.type_of_service == 0
    }
}

/// What a key names, as far as it is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) link: Link,
    pub(super) surroundings: Surroundings,
    /// All routes of the key in one table, the one that counts first.
    pub(super) candidates: Vec<Candidate>,
    /// All routes to the key's destination in that table.
    pub(super) all: Vec<wire::Route>,
}

impl Candidate {
    /// Whether its route has further next hops, written out.
    pub(super) fn is_leg(&self) -> bool {
        !self.wire.next_hops.is_empty()
    }

    /// Whether a next hop of its route is this one.
    fn is_hop(&self, hop: &NextHop) -> bool {
        let gateway = Some(self.row.next_hop).filter(|hop| !hop.is_unspecified());
        self.row.index.is_some_and(|index| index.0 == hop.interface) && hop.gateway == gateway
    }

    /// The kernel's route as if this were its only next hop.
    pub(super) fn single(&self) -> wire::Route {
        let mut route = self.wire.clone();
        if let Some(hop) = route.next_hops.iter().find(|hop| self.is_hop(hop)).cloned() {
            route.interface = Some(hop.interface);
            route.gateway = hop.gateway;
            route.next_hops = Vec::new();
            route.flags |= u32::from(hop.flags);
            route.other.extend(hop.other);
        }
        route
    }

    /// The kernel's route without this next hop.
    pub(super) fn others(&self) -> wire::Route {
        let mut route = self.wire.clone();
        route.next_hops.retain(|hop| !self.is_hop(hop));
        if let [_] = route.next_hops.as_slice() {
            return route.clone().each_hop().next().unwrap_or(route);
        }
        route
    }
}

impl Found {
    /// The one route that a change may be about.
    pub(super) fn only(&self, key: &RouteKey, operation: &'static str) -> Result<&Candidate> {
        let plain = self.candidates.iter().filter(|it| it.is_plain());
        match self.candidates.as_slice() {
            [] => Err(self.missing(key, operation)),
            [only] => Ok(only),
            [first, ..] if plain.count() == 1 => Ok(first),
            several => {
                let metrics: Vec<_> = several.iter().map(|it| it.row.metric.to_string()).collect();
                Err(Error::new(ErrorKind::InvalidParameter, operation).because(format!(
                    "there are {} routes to {}, with metrics {}: say which by its metric",
                    several.len(),
                    key.over(self.link.name()),
                    metrics.join(", ")
                )))
            }
        }
    }

    /// The error of a route that is not there.
    fn missing(&self, key: &RouteKey, operation: &'static str) -> Error {
        Error::new(ErrorKind::NotFound, operation)
            .because(format!("there is no route to {}", key.over(self.link.name())))
    }
}

pub(super) fn route(host: &LinuxHost, key: &RouteKey) -> Result<Route> {
    let found = match super::first::find(host, key, OPERATION)? {
        Some(found) => found,
        None => find(host, key, Scope::Key, OPERATION)?,
    };
    match found.candidates.first() {
        Some(candidate) => Ok(candidate.row.clone()),
        None => Err(found.missing(key, OPERATION)),
    }
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

/// How far to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// For the routes of the key.
    Key,
    /// Also for routes to the same destination over other interfaces.
    Destination,
}

impl Scope {
    const fn interface(self, link: &Link) -> Option<u32> {
        match self {
            Self::Key => Some(link.index.0),
            Self::Destination => None,
        }
    }
}

/// The kernel's routes that a key names.
pub(super) fn find(host: &LinuxHost, key: &RouteKey, scope: Scope, operation: &'static str) -> Result<Found> {
    let link = link_of(host, key, operation)?;
    let family = Family::of(&key.destination.address());
    let mut surroundings = Surroundings::read(host, std::slice::from_ref(&link), &[family], operation)?;
    let (mut candidates, mut all) = (Vec::new(), Vec::new());
    let tables = match key.table {
        Some(table) => vec![table],
        None => vec![MAIN_TABLE, LOCAL_TABLE],
    };
    for table in tables {
        let filter = Filter { table: Some(table), interface: scope.interface(&link), ..Filter::default() };
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
        all = routes.clone();
        for route in routes {
            let mut rows = Vec::new();
            surroundings
                .rows(route.clone(), |row| rows.push(row))
                .map_err(|refusal| refusal.error(operation))?;
            // Hops over other interfaces are unknown to these surroundings.
            let named = rows.into_iter().filter(|row| {
                row.index == Some(link.index)
                    && is_named(row, key)
                    && key.metric.is_none_or(|metric| metric == row.metric)
            });
            candidates.extend(named.map(|row| Candidate { row, wire: route.clone() }));
        }
        if !candidates.is_empty() {
            break;
        }
    }
    candidates.sort_by_key(|it| (!it.is_plain(), it.row.system_metric));
    Ok(Found { link, surroundings, candidates, all })
}
