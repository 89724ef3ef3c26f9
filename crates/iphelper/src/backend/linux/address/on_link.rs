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
use crate::backend::linux::link::address_family;
use crate::backend::linux::policy::send_all;
use crate::error::Result;
use crate::types::{Family, Prefix};
use iphelper_netlink::message::{ACK, APPEND, CREATE, Request};
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

/// The routes that interfaces have, and the prefixes that they need some to.
#[derive(Debug)]
pub(super) struct OnLinkRoutes {
    needed: BTreeSet<(u32, Prefix)>,
    present: Vec<Route>,
}

impl OnLinkRoutes {
    /// As it will be with one more address.
    pub(super) fn needed_with(host: &LinuxHost, address: &Address) -> Result<Self> {
        let mut held = host.addresses(Family::V4, None, OPERATION)?;
        // Of an address that is changed the old one is still there.
        held.retain(|it| (it.index, it.address) != (address.index, address.address));
        held.push(address.clone());
        Self::new(host, &held)
    }

    fn new(host: &LinuxHost, held: &[Address]) -> Result<Self> {
        let mut request =
            route::dump(address_family(Family::V4), Filter { table: Some(MAIN_TABLE), ..Filter::default() });
        let present = host.route.take()?.snapshot(&mut request, Vec::new, |routes, message| {
            routes.extend(Route::parse(message)?.filter(is_ours));
            Ok(())
        });
        let present = present.map_err(|refusal| failed(refusal, "listing routes"))?;
        Ok(Self { needed: needed(held), present })
    }

    /// Requests that add what is not there over one interface.
    ///
    /// Behind a route of the same metric, which another interface may have to this prefix.
    pub(super) fn missing_over(&self, index: u32) -> impl Iterator<Item = Request> {
        let there: BTreeSet<_> = self.present.iter().filter_map(key).collect();
        let missing = self.needed.iter().filter(move |it| it.0 == index && !there.contains(it));
        missing.map(|(index, prefix)| route(*index, *prefix).add(CREATE | APPEND | ACK))
    }

    /// All requests that make the routes those that are needed.
    fn differences(&self) -> Vec<Request> {
        let indexes: BTreeSet<u32> = self.needed.iter().map(|(index, _)| *index).collect();
        let missing = indexes.into_iter().flat_map(|index| self.missing_over(index));
        let is_surplus = |route: &&Route| key(route).is_none_or(|key| !self.needed.contains(&key));
        missing.chain(self.present.iter().filter(is_surplus).map(Route::delete)).collect()
    }
}

/// The prefixes to which the kernel adds no route, by the interface.
fn needed(held: &[Address]) -> BTreeSet<(u32, Prefix)> {
    let prefix = |address: &Address, len| Some((address.index, Prefix::new(address.address, len).ok()?));
    let mut needed: BTreeSet<_> = held
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
    needed
}

fn route(index: u32, prefix: Prefix) -> Route {
    Route {
        destination: (prefix.len() > 0).then(|| prefix.address()),
        destination_len: prefix.len(),
        kind: kind::UNICAST,
        scope: SCOPE_LINK,
        protocol: PROTOCOL,
        priority: METRIC,
        interface: Some(index),
        ..Route::new(address_family(Family::V4), MAIN_TABLE)
    }
}

/// The interface and the destination of a route.
fn key(route: &Route) -> Option<(u32, Prefix)> {
    let any = std::net::Ipv4Addr::UNSPECIFIED.into();
    Some((route.interface?, Prefix::new(route.destination.unwrap_or(any), route.destination_len).ok()?))
}

impl LinuxHost {
    /// Makes the routes of all interfaces those that the addresses need, as whoever deleted or added one may have left them.
    pub(in crate::backend::linux) fn keep_on_link_routes(&self) -> Result<()> {
        if !self.sysctl.has(Family::V4) {
            return Ok(());
        }
        let held = self.addresses(Family::V4, None, OPERATION)?;
        let requests = OnLinkRoutes::new(self, &held)?.differences();
        let refused = send_all(&mut *self.route.take()?, requests);
        let refused = refused.map_err(|refusal| failed(refusal, "writing"))?;
        // Somebody else did the same; or the interface was switched off or is gone, and its routes with it.
        let is_done = |errno| matches!(errno, libc::EEXIST | libc::ESRCH | libc::ENETDOWN | libc::ENODEV);
        match refused.into_iter().find(|(_, refusal)| !is_done(refusal.errno())) {
            Some((_, refusal)) => Err(failed(refusal, "keeping the way to the prefix of a skipped address")),
            None => Ok(()),
        }
    }

    /// Takes away what others' changes and callers that were killed have left, a service to a call that is about something
    /// else.
    pub(in crate::backend::linux) fn tidy_addresses(&self) {
        let _ = self.keep_on_link_routes();
        let _ = self.forget_ended_detections();
        if self.route_settings().is_ok_and(|settings| settings.has_optimistic_detection()) {
            let _ = self.restore_optimistic_detection();
        }
    }

    /// Whether an address has such a route or needs one.
    pub(in crate::backend::linux) fn has_skipped_addresses(&self) -> Result<bool> {
        let held = self.addresses(Family::V4, None, OPERATION)?;
        Ok(held.iter().any(|address| matches!(Mark::of(address), Some(Mark::Skipped { .. }))))
    }
}
