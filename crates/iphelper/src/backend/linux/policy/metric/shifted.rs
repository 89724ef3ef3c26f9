//! IPv6 routes that stand behind another of their metric.
//!
//! The kernel makes one multipath route of two IPv6 routes to one prefix that go by routers and have one metric. So a
//! route that is made for a caller, and would be the second, stands behind the first, and how far is written down:
//!
//! ```text
//! throw 0.0.0.5 table 1768974359 proto 105 metric 102 ssthresh HASH window 1
//! ```
//!
//! The route of interface 5 whose prefix and router have this hash stands at 102 (the interface's metric left out), its
//! owner gave it 100: one less because IPv6 has no metric 0, one less for the other route.

use super::super::marker::{index_of, route_of, routes_of};
use super::super::names::SHIFTED_ROUTES;
use crate::backend::linux::socket::{Refusal, Socket};
use iphelper_netlink::message::{ACK, APPEND, CREATE, Request};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use std::collections::HashMap;
use std::net::IpAddr;

/// How much higher a route of ours stands than its owner says: the kernel has no IPv6 route of metric 0.
pub(super) const fn stored(shift: u32) -> u32 {
    shift.saturating_add(1)
}

/// A route as notes name it, and the metric at which it stands, the interface's left out.
type Name = (u32, u32, u32);

/// How far routes stand behind others.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct Shifts(HashMap<Name, u32>);

impl Shifts {
    pub(super) fn read(socket: &mut Socket) -> Result<Self, Refusal> {
        let name = |note: &Route| {
            let who = note.metrics.get(metric::SSTHRESH)?;
            Some(((index_of(note)?, who, note.priority), note.metrics.get(metric::WINDOW)?))
        };
        Ok(Self(routes_of(socket, SHIFTED_ROUTES)?.iter().filter_map(name).collect()))
    }

    /// How far a route over `link` by `gateway` stands behind others; `metric` is its own without the interface's.
    pub(in crate::backend::linux) fn of(
        &self,
        link: u32,
        route: &Route,
        gateway: Option<IpAddr>,
        metric: u32,
    ) -> u32 {
        if self.0.is_empty() {
            return 0;
        }
        self.0.get(&(link, who(route, gateway), metric)).copied().unwrap_or(0)
    }

    /// What must be sent before a route is added at `metric`, so that it is known to stand `shift` behind.
    pub(in crate::backend::linux) fn notes(
        &self,
        link: u32,
        route: &Route,
        metric: u32,
        shift: u32,
    ) -> Vec<Request> {
        let name = (link, who(route, route.gateway), metric);
        let known = self.0.get(&name).copied().unwrap_or(0);
        if known == shift {
            return Vec::new();
        }
        // Of a route that is gone.
        let stale = (known != 0).then(|| entry(name, known).delete());
        let new = (shift != 0).then(|| entry(name, shift).add(CREATE | APPEND | ACK));
        stale.into_iter().chain(new).collect()
    }
}

fn entry((link, who, metric): Name, shift: u32) -> Route {
    let mut note = route_of(SHIFTED_ROUTES, link, metric);
    note.metrics.set(metric::SSTHRESH, Some(who));
    note.metrics.set(metric::WINDOW, (shift != 0).then_some(shift));
    note
}

/// A hash of table, prefix and router; never 0, which the kernel does not tell.
fn who(route: &Route, gateway: Option<IpAddr>) -> u32 {
    let bits = |address: Option<IpAddr>| match address {
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        None => Vec::new(),
    };
    let bytes = [
        bits(route.destination),
        vec![route.destination_len],
        bits(gateway),
        route.table.to_be_bytes().into(),
    ];
    // FNV-1a: short, and the same in every version of this library.
    let hash = bytes
        .concat()
        .into_iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.max(1)
}
