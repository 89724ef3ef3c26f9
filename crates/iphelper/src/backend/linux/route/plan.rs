//! What is to be written: checked against what is there, before anything is.

use super::find::link_of;
use super::first;
use super::protocol::to_number;
use super::row::{Surroundings, unspecified};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::{OUR_PROTOCOL, is_our_table};
use crate::error::{Error, ErrorKind, Result};
use crate::route::{NewRoute, RouteKey, RouteProtocol};
use crate::types::{Family, InterfaceKey, Prefix};
use iphelper_netlink::rtnetlink::route::{self as wire, Filter};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;
/// `USER_HZ`.
const TICKS: u64 = 100;
/// The longest that the kernel tells of a route's end, 2³¹ − 1 ticks.
const LONGEST_LIFETIME: u64 = i32::MAX as u64 / TICKS;

/// A route that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) link: u32,
    pub(super) route: wire::Route,
    /// The metric without the interface's, as it is stored.
    pub(super) stored: u32,
    /// How far behind others of its metric it stands.
    pub(super) shift: u32,
    /// The metric that its owner gave.
    pub(super) metric: u32,
}

/// How the routes are found that are there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// By the table, which takes the longer the more routes it has.
    AtTable,
    /// By one question, where that can tell that there is no route to the very prefix; else by the table. Routes over
    /// other interfaces that are down may be missed.
    Quick,
}

/// What is there to be considered.
#[derive(Debug, Default)]
struct There {
    /// The keys that are wanted, and whether there is a route of each already.
    keys: HashMap<(u32, Prefix, IpAddr, u32), bool>,
    /// Metrics at which IPv6 routes to the wanted destinations stand.
    metrics: HashMap<(u32, Prefix), Vec<u32>>,
}

/// Plans routes over `links`, which are those of `new`.
pub(super) fn plan(
    host: &LinuxHost,
    new: &[NewRoute],
    links: &[Link],
    surroundings: &Surroundings,
    look: Look,
    operation: &'static str,
) -> Result<Vec<Result<Planned>>> {
    let indexes: HashMap<InterfaceKey, u32> = links
        .iter()
        .flat_map(|link| [(link.luid().into(), link.index.0), (link.index.into(), link.index.0)])
        .collect();
    let link_of = |route: &NewRoute| indexes.get(&route.interface).copied().unwrap_or(0);
    let mut there = There::default();
    for route in new {
        let _ = there.keys.insert((route.table, route.destination, route.next_hop, link_of(route)), false);
        let _ = there.metrics.entry((route.table, route.destination)).or_default();
    }
    let is_absent = match (look, new, links) {
        (Look::Quick, [new], [link]) => first::has_none(host, new.table, new.destination, link),
        _ => false,
    };
    if !is_absent {
        there.read(host, operation)?;
    }
    let mut planned = Vec::with_capacity(new.len());
    for route in new {
        let link = link_of(route);
        let key = (route.table, route.destination, route.next_hop, link);
        if there.keys.get(&key) == Some(&true) {
            let key = RouteKey::new(route.destination, route.next_hop, route.interface).in_table(route.table);
            let on = links.iter().find(|it| it.index.0 == link);
            let named = on.map_or_else(|| key.to_string(), |link| key.over(link.name()));
            planned.push(Err(Error::new(ErrorKind::AlreadyExists, operation)
                .because(format!("there is a route to {named} already"))));
            continue;
        }
        let place = there.place(route, link, surroundings, operation);
        // A second one in the same call meets the first.
        let _ = there.keys.insert(key, place.is_ok());
        planned.push(place);
    }
    Ok(planned)
}

impl There {
    fn read(&mut self, host: &LinuxHost, operation: &'static str) -> Result<()> {
        let mut dumps: Vec<(Family, u32)> =
            self.keys.keys().map(|(table, to, ..)| (Family::of(&to.address()), *table)).collect();
        dumps.sort_unstable();
        dumps.dedup();
        let first = self.keys.keys().next().map(|(.., link)| *link);
        let one_link = first.filter(|first| self.keys.keys().all(|(.., link)| link == first));
        for (family, table) in dumps {
            // IPv6 merges routes over different interfaces.
            let interface = if family == Family::V4 { one_link } else { None };
            let filter = Filter { table: Some(table), interface, ..Filter::default() };
            let mut request = wire::dump(address_family(family), filter);
            let listed = host.route.take()?.snapshot_into(
                &mut request,
                self,
                |_| (),
                |there, message| {
                    if let Some(route) = wire::Route::parse(message)?.filter(|it| it.table == table) {
                        there.add(family, &route);
                    }
                    Ok(())
                },
            );
            match listed {
                Err(refusal) if refusal.errno() == libc::ENOENT => {}
                listed => listed.map_err(|refusal| refusal.error(operation))?,
            }
        }
        Ok(())
    }

    fn add(&mut self, family: Family, route: &wire::Route) {
        let to = route.destination.unwrap_or(unspecified(family));
        let Ok(destination) = Prefix::new(to, route.destination_len) else { return };
        let Some(metrics) = self.metrics.get_mut(&(route.table, destination)) else { return };
        metrics.push(route.priority);
        // Those for some packets alone are no routes of the key.
        if route.tos != 0 || route.source_len != 0 {
            return;
        }
        let mut found = |interface: Option<u32>, gateway: Option<IpAddr>| {
            let next_hop = gateway.unwrap_or(unspecified(family));
            let key = interface.map(|link| (route.table, destination, next_hop, link));
            if let Some(is_there) = key.and_then(|key| self.keys.get_mut(&key)) {
                *is_there = true;
            }
        };
        found(route.interface, route.gateway);
        for hop in &route.next_hops {
            found(Some(hop.interface), hop.gateway);
        }
    }

    fn place(
        &mut self,
        new: &NewRoute,
        link: u32,
        surroundings: &Surroundings,
        operation: &'static str,
    ) -> Result<Planned> {
        let invalid = |why: String| Error::new(ErrorKind::InvalidParameter, operation).because(why);
        let family = Family::of(&new.destination.address());
        if new.table == 0 || is_our_table(new.table) {
            return Err(invalid(format!("table {} is not for routes of callers", new.table)));
        }
        let number = protocol_number(new.protocol, operation)?;
        let gateway = Some(new.next_hop).filter(|hop| !hop.is_unspecified());
        let mut route = wire::Route {
            destination_len: new.destination.len(),
            destination: (new.destination.len() != 0).then(|| new.destination.address()),
            protocol: number,
            scope: if gateway.is_none() && family == Family::V4 { SCOPE_LINK } else { 0 },
            interface: Some(link),
            gateway,
            expires: new.valid_lifetime.map(|time| ticks(family, time, operation)).transpose()?,
            ..wire::Route::new(address_family(family), new.table)
        };
        let taken = self.metrics.entry((new.table, new.destination)).or_default();
        let place = Place::find(family, &route, new.metric, surroundings, taken, operation)?;
        route.priority = place.priority;
        taken.push(place.priority);
        let Place { stored, shift, .. } = place;
        Ok(Planned { link, route, stored, shift, metric: new.metric })
    }
}

/// Where a route stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) priority: u32,
    pub(super) stored: u32,
    pub(super) shift: u32,
}

impl Place {
    /// The place of a route with this metric.
    ///
    /// IPv6 routes stand where no other to the prefix does, behind all at `taken`: two of one metric that go by routers
    /// become one, and of one by a router and one without, the kernel deletes either when told to delete the second.
    pub(super) fn find(
        family: Family,
        route: &wire::Route,
        metric: u32,
        surroundings: &Surroundings,
        taken: &[u32],
        operation: &'static str,
    ) -> Result<Self> {
        let invalid = |why: String| Error::new(ErrorKind::InvalidParameter, operation).because(why);
        let link = route.interface.unwrap_or(0);
        let offset = surroundings.metrics.offset(family, link);
        let ours = family == Family::V6 && route.protocol == OUR_PROTOCOL;
        let mut shift = 0;
        loop {
            let stored = metric.checked_add(u32::from(ours)).and_then(|metric| metric.checked_add(shift));
            let priority = stored.and_then(|stored| stored.checked_add(offset));
            let (Some(stored), Some(priority)) = (stored, priority) else {
                return Err(invalid(format!(
                    "metric: {metric} and the interface's {offset} are more than 32 bits hold together"
                )));
            };
            if family == Family::V6 && priority == 0 {
                return Err(Error::new(ErrorKind::NotSupported, operation).because(
                    "metric: Linux has no IPv6 route of metric 0, but of protocol netmgmt; choose 1 or more",
                ));
            }
            if family == Family::V4 || !taken.contains(&priority) {
                return Ok(Self { priority, stored, shift });
            }
            if !ours {
                return Err(Error::new(ErrorKind::AlreadyExists, operation).because(format!(
                    "there is another route of this prefix with metric {metric}, and the kernel would merge the two; \
                     choose another metric"
                )));
            }
            shift += 1;
        }
    }
}

/// Linux' number of a protocol.
pub(super) fn protocol_number(protocol: RouteProtocol, operation: &'static str) -> Result<u8> {
    to_number(protocol).ok_or_else(|| {
        Error::new(ErrorKind::NotSupported, operation)
            .because(format!("protocol: Linux has no number for routes of {protocol} that programs make"))
    })
}

/// Clock ticks until a route ends.
pub(super) fn ticks(family: Family, lifetime: Duration, operation: &'static str) -> Result<i32> {
    if family == Family::V4 {
        return Err(Error::new(ErrorKind::NotSupported, operation)
            .because("lifetime: Linux has IPv6 routes alone that end by themselves"));
    }
    let seconds = lifetime.as_secs().saturating_add(u64::from(lifetime.subsec_nanos() > 0));
    match i32::try_from(seconds.saturating_mul(TICKS)) {
        Ok(ticks @ 1..) => Ok(ticks),
        Ok(_) => Err(Error::new(ErrorKind::InvalidParameter, operation)
            .because("lifetime: a route of 0 s would be gone at once")),
        Err(_) => Err(Error::new(ErrorKind::NotSupported, operation).because(format!(
            "lifetime: the longest that the kernel tells is {LONGEST_LIFETIME} s; without one the route stays for ever"
        ))),
    }
}

/// The interfaces of new routes, each checked to have the family; one outcome for each route.
pub(super) fn links_of(
    host: &LinuxHost,
    new: &[NewRoute],
    operation: &'static str,
) -> (Vec<Link>, Vec<Result<()>>) {
    let mut links: Vec<Link> = Vec::new();
    let mut known: HashMap<(InterfaceKey, Family), Result<()>> = HashMap::default();
    let outcomes = new
        .iter()
        .map(|route| {
            let family = Family::of(&route.destination.address());
            if (family == Family::V4 || Family::of(&route.next_hop) == family)
                && let Some(outcome) = known.get(&(route.interface, family))
            {
                return outcome.clone();
            }
            let key = RouteKey::new(route.destination, route.next_hop, route.interface);
            let outcome = link_of(host, &key, operation).map(|link| {
                if !links.iter().any(|known| known.index == link.index) {
                    links.push(link);
                }
            });
            let _ = known.insert((route.interface, family), outcome.clone());
            outcome
        })
        .collect();
    (links, outcomes)
}
