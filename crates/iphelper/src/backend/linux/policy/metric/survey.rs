//! What must move when the offset of an interface changes.

use super::super::foreign::{is_unicast_over, routes};
use super::super::marker::Subject;
use super::super::names::is_ours;
use super::OPERATION;
use super::advertised::Advertised;
use super::moved::{Moved, Place, What};
use super::order::{Leaving, Order, Spot};
use super::prefixes;
use super::state::{Phase, State};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, Prefix};
use iphelper_netlink::rtnetlink::addr::{self, Address, flag};
use iphelper_netlink::rtnetlink::route::{Filter, Route, SETTING_FLAGS, protocol};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// The metric of the route to an IPv6 address' prefix unless the address says another (`IP6_RT_PRIO_ADDRCONF`).
const IPV6_PREFIX_METRIC: u32 = 256;

/// The routes and addresses of one interface and family, and what their metrics were before they were moved.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) family: Family,
    routes: Vec<Route>,
    addresses: Vec<Address>,
    /// Default routes that the kernel makes from router advertisements.
    pub(super) advertised: Vec<Route>,
    /// Routes to prefixes that the kernel makes from them, and their copies.
    pub(super) prefixes: Vec<Route>,
    pub(super) moved_routes: Moved,
    pub(super) moved_prefixes: Moved,
    /// Of IPv4 routes.
    pub(super) order: Order,
}

/// What is done to get from one offset to another.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) add: Vec<Route>,
    pub(super) delete: Vec<Route>,
    /// Addresses with their new metric, and with their old one.
    pub(super) readdress: Vec<(Address, Address)>,
    /// Where something stands afterwards because it was moved there.
    pub(super) routes: BTreeSet<Place>,
    pub(super) prefixes: BTreeSet<Place>,
}

impl Work {
    /// The copy of `old`, if it has been added for this work.
    pub(super) fn copy_of(&self, old: &Route) -> Option<&Route> {
        let alike = without_metric(old);
        self.add.iter().find(|copy| without_metric(copy) == alike)
    }
}

/// Where routes can be told apart by metric alone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    table: u32,
    tos: u8,
    destination: (Option<IpAddr>, u8),
    source: (Option<IpAddr>, u8),
}

impl Key {
    pub(super) fn of(route: &Route) -> Self {
        Self {
            table: route.table,
            tos: route.tos,
            destination: (route.destination, route.destination_len),
            source: (route.source, route.source_len),
        }
    }
}

impl Survey {
    pub(super) fn new(
        host: &LinuxHost,
        socket: &mut Socket,
        family: Family,
        link: &Link,
        subject: Subject,
    ) -> Result<Self, Refusal> {
        let index = subject.index;
        let number = address_family(family);
        let filter = Filter { interface: Some(index), ..Filter::default() };
        let (mut found, mut advertised) = (Vec::new(), Vec::new());
        let mut all = routes(socket, number, filter)?;
        all.retain(|route| is_movable(route, index));
        let kernel_obeys = link.ipv6.is_some_and(|ipv6| ipv6.obeys_routers(ipv6.accept_ra));
        let prefixes = match family {
            Family::V4 => Vec::new(),
            Family::V6 => prefixes::take_out(host, socket, link, &mut all)?,
        };
        for route in all {
            if route.protocol == protocol::ROUTER_ADVERTISEMENT && kernel_obeys {
                if route.destination_len == 0 {
                    advertised.push(route);
                }
            } else {
                found.push(route);
            }
        }
        let addresses = socket.snapshot(&mut addr::dump(number, index), Vec::new, |all, message| {
            let movable = |address: &Address| address.index == index && has_own_prefix(address);
            all.extend(Address::parse(message)?.filter(movable));
            Ok(())
        })?;
        let moved_routes = Moved::read(socket, What::Routes, family, index)?;
        let moved_prefixes = Moved::read(socket, What::Prefixes, family, index)?;
        let order = match family {
            Family::V4 => Order::read(socket)?,
            Family::V6 => Order::default(),
        };
        Ok(Self {
            family,
            routes: found,
            addresses,
            advertised,
            prefixes,
            moved_routes,
            moved_prefixes,
            order,
        })
    }

    /// Puts stand-ins for advertised routes with those.
    pub(super) fn tell_stand_ins(&mut self, advertised: &Advertised) {
        self.advertised.extend(self.routes.extract_if(.., |route| advertised.is_stand_in(route)));
    }

    /// What is left to do for the change that `state` tells; [`ErrorKind::InvalidParameter`] if a metric would not fit.
    pub(super) fn work(&self, state: &State) -> Result<Work> {
        let mut work = Work::default();
        self.routes_to_move(state, &mut work)?;
        self.addresses_to_move(state, &mut work)?;
        Ok(work)
    }

    /// What is left to do for the addresses.
    pub(super) fn work_of_addresses(&self, state: &State) -> Result<Work> {
        let mut work = Work::default();
        self.addresses_to_move(state, &mut work)?;
        Ok(work)
    }

    /// The routes that came since the metric was set, and were not moved. Those that cannot be moved are among them.
    pub(super) fn unmoved(&self, state: &State) -> Vec<Route> {
        let stays =
            |route: &&Route| self.route_target(route, state).is_ok_and(|metric| metric == route.priority);
        self.routes.iter().filter(|route| !stays(route)).cloned().collect()
    }

    fn routes_to_move(&self, state: &State, work: &mut Work) -> Result<()> {
        let target = |route: &Route| self.route_target(route, state);
        let from = state.from.unwrap_or(0);
        // Whether the metric that was set before moved it to where it is.
        let stood = |route: &Route| self.moved_routes.contains(Place::of_routes(route.priority), from);
        let mut alike: HashMap<Route, Vec<&Route>> = HashMap::default();
        for route in &self.routes {
            alike.entry(without_metric(route)).or_default().push(route);
        }
        // In the kernel's order, so that routes to routers come before those by way of them.
        for route in &self.routes {
            let group = alike.get(&without_metric(route)).map_or(&[][..], Vec::as_slice);
            let there = |metric| group.iter().any(|other| other.priority == metric);
            let to = target(route)?;
            // A copy that a caller which was killed has added: its original is still there.
            let is_copy = |route: &Route| {
                state.phase == Phase::Adding
                    && group.iter().any(|other| {
                        other.priority != route.priority
                            && (stood(other) || from == 0)
                            && target(other).is_ok_and(|to| to == route.priority)
                    })
            };
            match state.phase {
                Phase::Deleting => {
                    // Of two that differ in their metrics alone, one may stand where the other would go if it had not
                    // been moved yet. What came since the metric was set before is moved afterwards.
                    if to != route.priority && there(to) && (stood(route) || from == 0) {
                        work.delete.push(route.clone());
                    }
                    continue;
                }
                Phase::Adding if is_copy(route) => continue,
                Phase::Adding | Phase::Settled => {}
            }
            let _ = work.routes.insert(Place::of_routes(to));
            if to == route.priority {
                continue;
            }
            work.delete.push(route.clone());
            // Of two that end as one, the first is copied.
            let goes_there = |other: &&&Route| target(other).is_ok_and(|metric| metric == to);
            let first = group.iter().find(|other| !is_copy(other) && goes_there(other));
            if !there(to) && first.is_none_or(|first| std::ptr::eq(*first, route)) {
                work.add.push(Route { priority: to, ..route.clone() });
            }
        }
        Ok(())
    }

    fn addresses_to_move(&self, state: &State, work: &mut Work) -> Result<()> {
        let offset = state.to.unwrap_or(0);
        for address in &self.addresses {
            let place = self.place(address);
            // Moving an address is one message, so it is either where it was or where it goes.
            let done = state.phase != Phase::Settled && self.moved_prefixes.contains(place, offset);
            let to = if done { place.metric } else { self.target(place, &self.moved_prefixes, state)? };
            let _ = work.prefixes.insert(Place { metric: to, ..place });
            if to != place.metric {
                let with = |metric| Address { route_priority: Some(metric), ..address.clone() };
                work.readdress.push((with(to), with(place.metric)));
            }
        }
        Ok(())
    }

    /// What goes away from where its owner put it.
    pub(super) fn leaving(&self, state: &State, work: &Work, index: u32) -> Leaving {
        let from = state.from.unwrap_or(0);
        let is_owners = |moved: &Moved, place| !moved.contains(place, from);
        let routes = work.delete.iter();
        let routes = routes.filter(|it| is_owners(&self.moved_routes, Place::of_routes(it.priority)));
        let addresses = work.readdress.iter().map(|(_, old)| old);
        let prefixes = addresses.filter(|it| is_owners(&self.moved_prefixes, self.place(it)));
        let prefixes = prefixes.map(|address| self.spot(address)).collect();
        Leaving { index, routes: routes.cloned().map(Route::settled).collect(), prefixes }
    }

    /// Where the kernel's route to the prefix of an address stands.
    pub(super) fn spot(&self, address: &Address) -> Spot {
        let len = address.prefix_len;
        let prefix = Prefix::new(address.address, len).ok().filter(|_| len != 0);
        (prefix.map(|prefix| prefix.address()), len, self.place(address).metric)
    }

    /// Whether a route goes where another one to the same prefix still is that differs in nothing else, so that a caller
    /// who finds the change half done could not tell the two apart; or that IPv6 would merge with it.
    pub(super) fn is_ambiguous(&self, state: &State) -> Result<bool> {
        let mut alike: HashMap<Route, Vec<(u32, u32)>> = HashMap::default();
        let mut merged: HashMap<Key, Vec<(u32, u32)>> = HashMap::default();
        for route in &self.routes {
            let step = (route.priority, self.route_target(route, state)?);
            alike.entry(without_metric(route)).or_default().push(step);
            if must_be_alone(self.family, route) {
                merged.entry(Key::of(route)).or_default().push(step);
            }
        }
        let leaves =
            |steps: &[(u32, u32)], metric| steps.iter().any(|(from, to)| *from == metric && from != to);
        let collide =
            |steps: &Vec<(u32, u32)>| steps.iter().any(|(from, to)| from != to && leaves(steps, *to));
        Ok(alike.values().any(collide) || merged.values().any(collide))
    }

    /// An offset that leads every metric past all that are there now or that `to` leads to.
    pub(super) fn way_round(&self, from: u32, to: u32) -> Result<u32> {
        let most = self.routes.iter().map(|route| route.priority).max().unwrap_or(0).max(from);
        most.checked_add(to).and_then(|most| most.checked_add(1)).ok_or_else(|| too_large(most, to))
    }

    /// The metric that a route is to have.
    fn route_target(&self, route: &Route, state: &State) -> Result<u32> {
        self.target(Place::of_routes(route.priority), &self.moved_routes, state)
    }

    /// The metric that what stands at `place` is to have.
    fn target(&self, place: Place, moved: &Moved, state: &State) -> Result<u32> {
        let owners = moved.owners(place, state.from.unwrap_or(0));
        let offset = state.to.unwrap_or(0);
        owners.checked_add(offset).ok_or_else(|| too_large(owners, offset))
    }

    /// Where the prefix of an address stands.
    fn place(&self, address: &Address) -> Place {
        let metric = match (address.route_priority, self.family) {
            (Some(metric), _) => metric,
            (None, Family::V4) => 0,
            (None, Family::V6) => IPV6_PREFIX_METRIC,
        };
        Place::of_prefix(address.address, address.prefix_len, metric)
    }
}

fn too_large(metric: u32, offset: u32) -> Error {
    Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
        "metric: a route's metric of {metric} and {offset} are more than 32 bits hold together"
    ))
}

/// Whether a route is one that somebody added over this interface alone. The kernel's own follow the addresses; those
/// over several interfaces have one metric for all, so they are left alone.
pub(super) fn is_movable(route: &Route, index: u32) -> bool {
    is_unicast_over(route, index)
        && route.protocol != protocol::KERNEL
        && !is_ours(route.table, route.protocol)
        && route.expires.is_none_or(|ticks| ticks > 0)
}

/// Whether the kernel would make one multipath route of this one and another of its prefix and metric.
pub(super) fn must_be_alone(family: Family, route: &Route) -> bool {
    let by_router = route.gateway.is_some() || !route.next_hops.is_empty();
    family == Family::V6 && route.next_hop_id.is_none() && by_router
}

/// Whether the kernel made a route to the address' prefix that goes by the address' own metric. That to the prefix of a
/// router's advertisement does not.
pub(in crate::backend::linux) fn has_own_prefix(address: &Address) -> bool {
    if address.flags & flag::NO_PREFIX_ROUTE != 0 {
        return false;
    }
    match (address.address, address.protocol) {
        (IpAddr::V4(_), _) => true,
        (IpAddr::V6(_), Some(by)) => by != addr::protocol::ROUTER_ADVERTISEMENT,
        // Programs, and kernels before 5.18, which do not tell.
        (IpAddr::V6(_), None) => {
            address.flags & flag::PERMANENT != 0
                || address.flags & (flag::MANAGE_TEMPORARY | flag::TEMPORARY) == 0
        }
    }
}

/// The route as far as its owner chose it, its metric left out.
pub(super) fn without_metric(route: &Route) -> Route {
    Route { priority: 0, expires: None, flags: route.flags & SETTING_FLAGS, ..route.clone() }
}
