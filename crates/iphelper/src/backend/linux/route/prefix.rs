//! Another metric for the route to the prefix of an address.
//!
//! The kernel makes that route and would make it anew. But the address has its metric (`IFA_RT_PRIORITY`), which the
//! kernel obeys: told another one, it puts the new route there before the old one goes, and keeps to it.

use super::find::{Candidate, Found};
use super::row::family_of;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::policy::has_own_prefix;
use crate::error::{Error, ErrorKind, Result};
use crate::route::{MAIN_TABLE, Route, RouteChange, RouteKind};
use crate::types::{Family, Prefix};
use iphelper_netlink::rtnetlink::addr::Address;
use iphelper_netlink::rtnetlink::route::{self as wire, protocol};

/// The metric of the route to an IPv6 address' prefix unless the address says another (`IP6_RT_PRIO_ADDRCONF`).
const IPV6_PREFIX_METRIC: u32 = 256;

/// Addresses with the new metric of their prefix' route, and with the old one.
#[derive(Clone, Debug, Default)]
pub(super) struct Readdressed {
    pub(super) new: Vec<Address>,
    pub(super) old: Vec<Address>,
}

/// What of addresses changes the metric of a route; `None` where it is not the route of an address' prefix, or something
/// else than its metric is to change.
pub(super) fn readdressed(
    host: &LinuxHost,
    found: &Found,
    candidate: &Candidate,
    change: &RouteChange,
    operation: &'static str,
) -> Result<Option<Readdressed>> {
    let Candidate { row, wire: route } = candidate;
    let family = family_of(route);
    let Some(metric) = change.metric.filter(|_| is_of_prefix(row, change)) else { return Ok(None) };
    let unset = if family == Family::V4 { 0 } else { IPV6_PREFIX_METRIC };
    let mut old = host.addresses(family, Some(found.link.index), operation)?;
    old.retain(|it| {
        Prefix::new(it.peer, it.prefix_len).is_ok_and(|prefix| prefix == row.destination)
            && has_own_prefix(it)
            && it.route_priority.unwrap_or(unset) == route.priority
    });
    if old.is_empty() {
        return Ok(None);
    }
    let offset = found.surroundings.metrics.offset(family, found.link.index.0);
    let Some(priority) = metric.checked_add(offset) else {
        return Err(Error::new(ErrorKind::InvalidParameter, operation).because(format!(
            "metric: {metric} and the interface's {offset} are more than 32 bits hold together"
        )));
    };
    if family == Family::V6 && priority == 0 {
        return Err(Error::new(ErrorKind::NotSupported, operation)
            .because("metric: Linux has no IPv6 route of metric 0 to an address' prefix; choose 1 or more"));
    }
    let is_twin = |other: &wire::Route| {
        other.priority == priority && other.interface == route.interface && other.gateway.is_none()
    };
    if priority != route.priority && found.all.iter().any(is_twin) {
        return Err(Error::new(ErrorKind::AlreadyExists, operation)
            .because(format!("there is another route of this prefix and interface with metric {metric}")));
    }
    // IPv6 takes none, and 0, for no change.
    old.iter_mut().for_each(|it| it.route_priority = Some(it.route_priority.unwrap_or(unset)));
    let new = old.iter().map(|it| Address { route_priority: Some(priority), ..it.clone() }).collect();
    Ok(Some(Readdressed { new, old }))
}

/// Whether a row may be the route to the prefix of an address, and its metric alone is to change.
fn is_of_prefix(row: &Route, change: &RouteChange) -> bool {
    let same_protocol = change.protocol.is_none_or(|protocol| protocol == row.protocol);
    let same_lifetime = change.valid_lifetime.is_none_or(|lifetime| lifetime == row.valid_lifetime);
    row.system_protocol == protocol::KERNEL
        && row.kind == RouteKind::Unicast
        && row.table == MAIN_TABLE
        && row.next_hop.is_unspecified()
        && same_protocol
        && same_lifetime
}
