//! A kernel's route as rows of the forwarding table.

use super::protocol::{kind_of, of_number, origin};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::RouteMetrics;
use crate::backend::linux::socket::{Pool, Refusal};
use crate::error::Result;
use crate::route::{Multipath, Route};
use crate::types::{Family, InterfaceIndex, InterfaceLuid, Prefix};
use iphelper_netlink::rtnetlink::nexthop::{self, NextHopObject};
use iphelper_netlink::rtnetlink::route::{self as wire, Filter, NextHop, metric};
use rustc_hash::FxHashMap;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// `RTA_ENCAP`.
const ENCAP: u16 = 22;
/// `USER_HZ`: ticks of a second.
const TICKS: u64 = 100;

/// What rows take from elsewhere than the route.
#[derive(Debug)]
pub(in crate::backend::linux) struct Surroundings {
    luids: FxHashMap<u32, InterfaceLuid>,
    pub(super) metrics: RouteMetrics,
    /// The on-link prefixes that routers advertised: destination, its length, interface. The kernel gives them the same
    /// protocol as the prefixes of addresses.
    advertised: HashSet<(IpAddr, u8, u32)>,
    /// For next hop objects that a route does not show, which are looked up when one is met.
    pool: Arc<Pool>,
    objects: Option<FxHashMap<u32, NextHopObject>>,
}

impl Surroundings {
    pub(in crate::backend::linux) fn read(
        host: &LinuxHost,
        links: &[Link],
        families: &[Family],
        operation: &'static str,
    ) -> Result<Self> {
        let mut surroundings = Self::around(host, links, host.route_metrics(links)?);
        if families.contains(&Family::V6) {
            let filter = Filter { advertised_prefixes: true, ..Filter::default() };
            let mut request = wire::dump(address_family(Family::V6), filter);
            surroundings.advertised = host
                .route
                .take()?
                .snapshot(&mut request, HashSet::new, |found, message| {
                    found.extend(wire::Route::parse(message)?.and_then(|route| {
                        Some((route.destination?, route.destination_len, route.interface?))
                    }));
                    Ok(())
                })
                .map_err(|refusal| refusal.error(operation).because("listing advertised prefixes"))?;
        }
        Ok(surroundings)
    }

    /// What routes of `families` need that are about to be made over `links`.
    pub(super) fn of_new(host: &LinuxHost, links: &[Link], families: &[Family]) -> Result<Self> {
        Ok(Self::around(host, links, host.new_route_metrics(links, families)?))
    }

    fn around(host: &LinuxHost, links: &[Link], metrics: RouteMetrics) -> Self {
        Self {
            luids: links.iter().map(|link| (link.index.0, link.luid())).collect(),
            metrics,
            advertised: HashSet::new(),
            pool: Arc::clone(&host.route),
            objects: None,
        }
    }

    /// Whether rows over this link can be told.
    pub(in crate::backend::linux) fn has_link(&self, index: u32) -> bool {
        self.luids.contains_key(&index)
    }

    /// Adds a link that came since, or another one on its index.
    pub(in crate::backend::linux) fn add_link(&mut self, index: u32, luid: InterfaceLuid) {
        let _ = self.luids.insert(index, luid);
    }

    /// Gives each row of a route to `add`: one for each next hop, those over interfaces left out that came since.
    pub(in crate::backend::linux) fn rows(
        &mut self,
        mut route: wire::Route,
        mut add: impl FnMut(Route),
    ) -> Result<(), Refusal> {
        let hidden = route.next_hop_id.filter(|_| route.interfaces().next().is_none());
        if let Some(id) = hidden {
            self.fill_in(&mut route, id)?;
        }
        match *route.next_hops.as_slice() {
            [] => {
                if let Some(row) = self.row(&route, route.interface, route.gateway, None, &route.other) {
                    add(row);
                }
            }
            ref hops => {
                let count = u16::try_from(hops.len()).unwrap_or(u16::MAX);
                for NextHop { interface, gateway, hops: weight, other, .. } in hops {
                    let multipath = Multipath { hops: count, weight: u16::from(*weight) + 1 };
                    if let Some(row) = self.row(&route, Some(*interface), *gateway, Some(multipath), other) {
                        add(row);
                    }
                }
            }
        }
        Ok(())
    }

    fn row(
        &self,
        route: &wire::Route,
        interface: Option<u32>,
        gateway: Option<IpAddr>,
        multipath: Option<Multipath>,
        other: &[(u16, Vec<u8>)],
    ) -> Option<Route> {
        let family = family_of(route);
        let unspecified = unspecified(family);
        let destination =
            Prefix::new(route.destination.unwrap_or(unspecified), route.destination_len).ok()?;
        let luid = match interface {
            Some(index) => Some(*self.luids.get(&index)?),
            None => None,
        };
        let link = interface.unwrap_or(0);
        let is_advertised = !self.advertised.is_empty()
            && self.advertised.contains(&(destination.address(), destination.len(), link));
        let source = (route.source_len != 0)
            .then(|| Prefix::new(route.source.unwrap_or(unspecified), route.source_len).ok())
            .flatten();
        Some(Route {
            destination,
            next_hop: gateway.unwrap_or(unspecified),
            luid,
            index: interface.map(InterfaceIndex),
            metric: self.metrics.owners(family, link, gateway, route),
            protocol: of_number(route.protocol),
            origin: origin(route.protocol, is_advertised),
            valid_lifetime: route.expires.map(lifetime),
            age: None,
            kind: kind_of(route.kind),
            table: route.table,
            system_metric: route.priority,
            system_protocol: route.protocol,
            preferred_source: route.preferred_source,
            source,
            type_of_service: route.tos,
            multipath,
            next_hop_object: route.next_hop_id,
            encapsulated: other.iter().any(|(kind, _)| *kind == ENCAP),
            mtu: route.metrics.get(metric::MTU),
        })
    }

    /// With `net.ipv4.nexthop_compat_mode=0` a route tells no more than the number of its object.
    fn fill_in(&mut self, route: &mut wire::Route, id: u32) -> Result<(), Refusal> {
        let objects = match &mut self.objects {
            Some(objects) => objects,
            unread => {
                let mut socket =
                    self.pool.take().map_err(|error| Refusal::of(error.errno().unwrap_or(libc::EMFILE)))?;
                let read =
                    socket.snapshot(&mut nexthop::dump(), FxHashMap::default, |objects, message| {
                        objects.extend(NextHopObject::parse(message)?.map(|object| (object.id, object)));
                        Ok(())
                    })?;
                unread.insert(read)
            }
        };
        let Some(object) = objects.get(&id) else { return Ok(()) };
        route.interface = object.interface;
        route.gateway = object.gateway;
        let hop = |object: &NextHopObject| {
            let (gateway, other) = (object.gateway, Vec::new());
            Some(NextHop { interface: object.interface?, gateway, hops: 0, flags: 0, other })
        };
        route.next_hops = object.members.iter().filter_map(|id| hop(objects.get(id)?)).collect();
        Ok(())
    }
}

/// The family of a route, which is IPv4's or IPv6's.
pub(super) const fn family_of(route: &wire::Route) -> Family {
    if route.family == address_family(Family::V4) { Family::V4 } else { Family::V6 }
}

/// The address that stands for none.
pub(in crate::backend::linux) const fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Time from clock ticks; none is left after the end.
fn lifetime(ticks: i32) -> Duration {
    Duration::from_millis(u64::try_from(ticks).unwrap_or_default() * 1000 / TICKS)
}
