//! The metrics at which moved routes stand.
//!
//! A route says nothing of who gave it its metric. So each metric at which routes of an interface stand because they
//! were moved there is written down, with the offset by which they were moved, before the first one moves:
//!
//! ```text
//! throw 0.0.0.5 table 1768974353 proto 105 metric 150 window 50
//! ```
//!
//! A route of interface 5 with metric 150 was moved up by 50, its owner gave it 100; one with metric 100, added since,
//! was not moved. Only a route that an owner adds with exactly 150 is taken for a moved one. Of prefixes, which are few,
//! the address is written down too, as a hash in `ssthresh`.

use super::super::batch::send_all;
use super::super::marker::{index_of, route_of, routes_of};
use super::super::names::{MOVED_IPV4_PREFIXES, MOVED_IPV4_ROUTES, MOVED_IPV6_PREFIXES, MOVED_IPV6_ROUTES};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::types::Family;
use iphelper_netlink::message::{APPEND, CREATE};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What stands at a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    /// Routes that somebody added.
    Routes,
    /// Prefixes of addresses, to which the kernel adds the routes.
    Prefixes,
}

/// Something that stands at a metric because it was moved there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// Which address; 0 for all routes.
    pub(super) who: u32,
    pub(super) metric: u32,
}

impl Place {
    /// That of all routes with one metric.
    pub(super) const fn of_routes(metric: u32) -> Self {
        Self { who: 0, metric }
    }

    /// That of the prefix of one address.
    pub(super) fn of_prefix(address: IpAddr, prefix_len: u8, metric: u32) -> Self {
        let bits = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        // FNV-1a: short, and the same in every version of this library.
        let who = bits
            .into_iter()
            .chain([prefix_len])
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self { who: who.max(1), metric }
    }
}

/// Place and offset of all that was moved on one interface.
#[derive(Debug)]
pub(super) struct Moved {
    what: What,
    family: Family,
    index: u32,
    entries: BTreeSet<(Place, u32)>,
}

impl Moved {
    pub(super) fn read(socket: &mut Socket, what: What, family: Family, index: u32) -> Result<Self, Refusal> {
        let mut moved = Self::unread(what, family, index);
        for route in routes_of(socket, table(what, family))? {
            if let (Some(of), Some(offset)) = (index_of(&route), route.metrics.get(metric::WINDOW))
                && of == index
            {
                let who = route.metrics.get(metric::SSTHRESH).unwrap_or(0);
                let _ = moved.entries.insert((Place { who, metric: route.priority }, offset));
            }
        }
        Ok(moved)
    }

    /// Without knowing what is written down already.
    pub(super) fn unread(what: What, family: Family, index: u32) -> Self {
        Self { what, family, index, entries: BTreeSet::new() }
    }

    /// Whether what stands at `place` was moved there by `offset`.
    pub(super) fn contains(&self, place: Place, offset: u32) -> bool {
        self.entries.contains(&(place, offset))
    }

    /// The metric that its owner gave to what stands at `place`, while the interface's offset is `offset`.
    pub(super) fn owners(&self, place: Place, offset: u32) -> u32 {
        if self.contains(place, offset) { place.metric.saturating_sub(offset) } else { place.metric }
    }

    /// Writes down that all at `places` is there because it was moved by `offset`.
    pub(super) fn add(
        &mut self,
        socket: &mut Socket,
        places: impl IntoIterator<Item = Place>,
        offset: u32,
    ) -> Result<(), Refusal> {
        if offset == 0 {
            return Ok(());
        }
        let new: BTreeSet<_> = places
            .into_iter()
            .map(|place| (place, offset))
            .filter(|entry| !self.entries.contains(entry))
            .collect();
        let requests = new.iter().map(|entry| self.entry(*entry).add(CREATE | APPEND));
        for (_, refusal) in send_all(socket, requests)? {
            if refusal.errno() != libc::EEXIST {
                return Err(refusal);
            }
        }
        self.entries.extend(new);
        Ok(())
    }

    /// Forgets all but what was moved by `offset`.
    pub(super) fn keep_only(&mut self, socket: &mut Socket, offset: u32) -> Result<(), Refusal> {
        let stale: Vec<_> =
            self.entries.iter().copied().filter(|(_, of)| offset == 0 || *of != offset).collect();
        let refused = send_all(socket, stale.iter().map(|entry| self.entry(*entry).delete()))?;
        for (_, refusal) in refused {
            if refusal.errno() != libc::ESRCH {
                return Err(refusal);
            }
        }
        for entry in stale {
            let _ = self.entries.remove(&entry);
        }
        Ok(())
    }

    fn entry(&self, (place, offset): (Place, u32)) -> Route {
        let mut route = route_of(table(self.what, self.family), self.index, place.metric);
        route.metrics.set(metric::SSTHRESH, (place.who != 0).then_some(place.who));
        route.metrics.set(metric::WINDOW, Some(offset));
        route
    }
}

/// The table that holds the notes.
pub(super) const fn table(what: What, family: Family) -> u32 {
    match (what, family) {
        (What::Routes, Family::V4) => MOVED_IPV4_ROUTES,
        (What::Routes, Family::V6) => MOVED_IPV6_ROUTES,
        (What::Prefixes, Family::V4) => MOVED_IPV4_PREFIXES,
        (What::Prefixes, Family::V6) => MOVED_IPV6_PREFIXES,
    }
}
