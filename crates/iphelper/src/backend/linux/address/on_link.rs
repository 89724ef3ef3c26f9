//! Routes to the prefixes of IPv4 addresses that are skipped as source.
//!
//! The kernel has such an address with 32 bits, and adds no route to its prefix. Where no other address of the interface
//! has the same prefix, we add one, which names no source:
//!
//! ```text
//! 192.0.2.0/24 dev eth0 proto 106 scope link metric 1024
//! ```
//!
//! So the route of another address in the prefix, which the kernel or a DHCP client adds later, goes first.

use super::change::{OPERATION, failed};
use super::mark::Mark;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::types::{Family, Prefix};
use iphelper_netlink::message::{ACK, CREATE, EXCLUSIVE, Request};
use iphelper_netlink::rtnetlink::addr::{Address, flag};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind};
use std::collections::BTreeSet;

const MAIN_TABLE: u32 = 254;
/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;
/// Who made these routes: not the number of those that a program has this library make, which stay.
pub(in crate::backend::linux) const PROTOCOL: u8 = 106;
/// Behind those of network managers.
const METRIC: u32 = 1024;

/// Whether a route is one of these.
pub(in crate::backend::linux) fn is_ours(route: &Route) -> bool {
    route.family == address_family(Family::V4)
        && route.table == MAIN_TABLE
        && route.protocol == PROTOCOL
        && route.kind == kind::UNICAST
        && route.scope == SCOPE_LINK
        && route.gateway.is_none()
}

/// The routes that an interface has, and the prefixes that it needs some to.
#[derive(Debug)]
pub(super) struct OnLinkRoutes {
    index: u32,
    needed: BTreeSet<Prefix>,
    present: Vec<Route>,
}

impl OnLinkRoutes {
    /// As it will be with one more address.
    pub(super) fn needed_with(host: &LinuxHost, link: &Link, address: &Address) -> Result<Self> {
        let mut held = host.addresses(Family::V4, Some(link.index), OPERATION)?;
        // Of an address that is changed the old one is still there.
        held.retain(|it| it.address != address.address);
        held.push(address.clone());
        Self::new(host, link, &held)
    }

    fn new(host: &LinuxHost, link: &Link, held: &[Address]) -> Result<Self> {
        let prefix = |address: &Address, len| Prefix::new(address.address, len).ok();
        let mut needed: BTreeSet<Prefix> = held
            .iter()
            .filter_map(|address| match Mark::of(address) {
                Some(Mark::Skipped { prefix_len, .. }) if prefix_len < 32 => prefix(address, prefix_len),
                _ => None,
            })
            .collect();
        for address in held.iter().filter(|it| it.flags & flag::NO_PREFIX_ROUTE == 0) {
            if let Some(has_route) = prefix(address, address.prefix_len) {
                let _ = needed.remove(&has_route);
            }
        }
        let index = link.index.0;
        let filter = Filter { table: Some(MAIN_TABLE), interface: Some(index), ..Filter::default() };
        let mut request = route::dump(address_family(Family::V4), filter);
        let present = host.route.take()?.snapshot(&mut request, Vec::new, |routes, message| {
            routes.extend(
                Route::parse(message)?.filter(|route| is_ours(route) && route.interface == Some(index)),
            );
            Ok(())
        });
        let present = present.map_err(|refusal| failed(refusal, "listing routes"))?;
        Ok(Self { index, needed, present })
    }

    /// Requests that add what is not there.
    pub(super) fn missing(&self) -> Vec<Request> {
        let there: BTreeSet<_> = self.present.iter().filter_map(destination).collect();
        self.needed
            .difference(&there)
            .map(|prefix| self.route(*prefix).add(CREATE | EXCLUSIVE | ACK))
            .collect()
    }

    /// Requests that take away what nobody needs any more.
    fn surplus(&self) -> Vec<Request> {
        let is_surplus =
            |route: &&Route| destination(route).is_none_or(|prefix| !self.needed.contains(&prefix));
        self.present.iter().filter(is_surplus).map(Route::delete).collect()
    }

    fn route(&self, prefix: Prefix) -> Route {
        Route {
            destination: (prefix.len() > 0).then(|| prefix.address()),
            destination_len: prefix.len(),
            kind: kind::UNICAST,
            scope: SCOPE_LINK,
            protocol: PROTOCOL,
            priority: METRIC,
            interface: Some(self.index),
            ..Route::new(address_family(Family::V4), MAIN_TABLE)
        }
    }
}

impl LinuxHost {
    /// Makes the routes those that the addresses need.
    pub(super) fn keep_on_link_routes(&self, link: &Link) -> Result<()> {
        if link.ipv4.is_none() {
            return Ok(());
        }
        let held = self.addresses(Family::V4, Some(link.index), OPERATION)?;
        let routes = OnLinkRoutes::new(self, link, &held)?;
        self.send_each_of(link, routes.missing().into_iter().chain(routes.surplus()))
    }
}

fn destination(route: &Route) -> Option<Prefix> {
    let any = std::net::Ipv4Addr::UNSPECIFIED.into();
    Prefix::new(route.destination.unwrap_or(any), route.destination_len).ok()
}
