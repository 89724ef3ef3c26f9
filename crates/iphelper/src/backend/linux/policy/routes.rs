//! What the routes of a family say: which default routes there are, and which prefixes lead over an interface.

use super::names::{
    DEFAULTS_TABLE, INTERFACE_TABLES, MAIN_TABLE, PROTOCOL, address_len, is_ours, is_selection,
};
use crate::types::Family;
use iphelper_netlink::nf_tables::Range;
use iphelper_netlink::rtnetlink::route::{Route, kind, protocol};
use rustc_hash::FxHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A prefix of addresses of a strong interface.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Source {
    pub(super) link: u32,
    pub(super) address: IpAddr,
    pub(super) prefix_len: u8,
}

/// The routes of a family, as far as guard and strong interfaces need them.
#[derive(Debug)]
pub(super) struct Routes {
    family: Family,
    /// Interfaces whose default routes are disabled.
    guarded: BTreeSet<u32>,
    /// Interfaces whose addresses are sent from them alone.
    strong: BTreeSet<u32>,
    /// The default routes of the main table, in the kernel's order.
    defaults: Vec<Route>,
    /// The routes of our tables that rules look up.
    pub(super) present: Vec<Route>,
    /// Routes over guarded interfaces that are no default routes.
    pub(super) prefixes: BTreeMap<u32, Vec<Lead>>,
    /// Routes of the main table over strong interfaces, each with the other next hops left out.
    over: BTreeMap<u32, Vec<Route>>,
    /// Destinations on the links of strong interfaces.
    onlink: BTreeMap<u32, Vec<(Range, u8)>>,
    /// This host's addresses, and the interfaces that they are of.
    addresses: Vec<(u32, Range, u8)>,
}

impl Routes {
    pub(super) const fn new(family: Family, guarded: BTreeSet<u32>, strong: BTreeSet<u32>) -> Self {
        Self {
            family,
            guarded,
            strong,
            defaults: Vec::new(),
            present: Vec::new(),
            prefixes: BTreeMap::new(),
            over: BTreeMap::new(),
            onlink: BTreeMap::new(),
            addresses: Vec::new(),
        }
    }

    /// Takes a route of a dump in.
    pub(super) fn add(&mut self, route: Route) {
        let route = route.settled();
        if is_ours(route.table, route.protocol) {
            if is_selection(route.table) {
                self.present.push(route);
            }
            return;
        }
        let links: Vec<u32> = route.interfaces().collect();
        if route.table == MAIN_TABLE && route.kind == kind::UNICAST {
            for link in links.iter().filter(|link| self.strong.contains(link)) {
                let copy = route.clone().with_links(|other| other == *link);
                self.over.entry(*link).or_default().extend(copy);
            }
        }
        if route.destination_len == 0 {
            if route.table == MAIN_TABLE {
                self.defaults.push(route);
            }
            return;
        }
        let len = route.destination_len;
        let Some(range) = route.destination.and_then(|address| range(self.family, address, len)) else {
            return;
        };
        match route.kind {
            kind::LOCAL => self.addresses.extend(links.iter().map(|link| (*link, range, len))),
            kind::UNICAST | kind::BROADCAST => {
                let is_onlink = route.kind == kind::UNICAST
                    && route.gateway.is_none()
                    && route.protocol == protocol::KERNEL;
                let lead = Lead::new(&route, range);
                for link in links {
                    if self.guarded.contains(&link) {
                        self.prefixes.entry(link).or_default().push(lead);
                    }
                    if is_onlink && self.strong.contains(&link) {
                        self.onlink.entry(link).or_default().push((range, len));
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes an address in that has no route of its own as long as it is tentative (IPv6).
    pub(super) fn add_address(&mut self, link: u32, address: IpAddr) {
        let len = self.family.address_bits();
        self.addresses.extend(range(self.family, address, len).map(|range| (link, range, len)));
    }

    /// The prefixes whose addresses are of strong interfaces, so that an address which comes later is among them; single
    /// addresses where another interface has one of the prefix too. Link-local addresses belong to their link anyway.
    pub(super) fn sources(&self) -> Vec<Source> {
        let whole = u8::try_from(address_len(self.family) * 8).unwrap_or(u8::MAX);
        let is_in = |outer: &Range, inner: &Range| outer.first <= inner.first && inner.last <= outer.last;
        let mut sources = BTreeSet::new();
        for (link, address, len) in self.addresses.iter().filter(|(link, ..)| self.strong.contains(link)) {
            if self.family == Family::V6 && always(Family::V6).iter().any(|range| is_in(range, address)) {
                continue;
            }
            let prefix =
                self.onlink.get(link).into_iter().flatten().filter(|(range, _)| is_in(range, address));
            let prefix = prefix.max_by_key(|(_, len)| *len).copied();
            let is_shared = |prefix: &Range| {
                self.addresses.iter().any(|(other, address, _)| other != link && is_in(prefix, address))
            };
            let (range, prefix_len) =
                prefix.filter(|(range, _)| !is_shared(range)).unwrap_or((*address, *len));
            let _ = sources.insert(Source {
                link: *link,
                address: address_of(self.family, range.first),
                prefix_len: prefix_len.min(whole),
            });
        }
        sources.into_iter().collect()
    }

    /// Interfaces whose default routes are disabled.
    pub(super) const fn guarded(&self) -> &BTreeSet<u32> {
        &self.guarded
    }

    /// Interfaces whose addresses are sent from them alone.
    pub(super) const fn strong(&self) -> &BTreeSet<u32> {
        &self.strong
    }

    /// What our tables that rules look up must hold.
    pub(super) fn wanted(&self) -> Vec<Route> {
        let mut wanted = if self.guarded.is_empty() { Vec::new() } else { self.allowed_defaults() };
        for (link, routes) in &self.over {
            let is_allowed = |route: &&Route| route.destination_len != 0 || !self.guarded.contains(link);
            let mut routes: Vec<_> = routes.iter().filter(is_allowed).cloned().collect();
            // What is on the link first, since gateways are looked for there.
            routes.sort_by_key(|route| (route.gateway.is_some(), route.priority));
            for route in &mut routes {
                route.table = INTERFACE_TABLES | link;
            }
            wanted.extend(own(routes));
        }
        wanted
    }

    /// Where packets may go over a guarded interface: the prefixes of its routes other than default routes, link-local
    /// addresses, multicast and broadcast; merged, disjoint, in order. Everything over loopback, which leaves nowhere.
    pub(super) fn allowed(&self, link: u32, is_loopback: bool) -> Vec<Range> {
        let mut ranges = self.always_allowed(is_loopback);
        ranges.extend(self.prefixes.get(&link).into_iter().flatten().map(|lead| lead.place.range));
        merged(ranges)
    }

    /// The part of it that depends on no route.
    pub(super) fn always_allowed(&self, is_loopback: bool) -> Vec<Range> {
        if is_loopback { vec![Range { first: 0, last: most(self.family) }] } else { always(self.family) }
    }

    /// Whether two routes that are to be copied to one table have one place, so that one goes elsewhere.
    pub(super) fn is_crowded(&self) -> bool {
        let has_twins = |routes: &[Route]| {
            let mut places: Vec<_> = routes.iter().map(|route| Place { table: 0, ..place(route) }).collect();
            let all = places.len();
            places.sort_unstable();
            places.dedup();
            places.len() < all
        };
        (!self.guarded.is_empty() && has_twins(&self.defaults)) || self.over.values().any(|it| has_twins(it))
    }

    /// What our table of defaults must hold: each default route of the main table, without the next hops over guarded
    /// interfaces.
    fn allowed_defaults(&self) -> Vec<Route> {
        let mut allowed: Vec<Route> = self
            .defaults
            .iter()
            .filter_map(|route| {
                // One without device leads nowhere, guarded or not. IPv6 shows it as leading over loopback.
                if route.kind != kind::UNICAST {
                    return Some(route.clone());
                }
                route.clone().with_links(|link| !self.guarded.contains(&link))
            })
            .collect();
        allowed.sort_by_key(|route| route.priority);
        for route in &mut allowed {
            route.table = DEFAULTS_TABLE;
        }
        own(allowed)
    }
}

/// A route that leads to a prefix, as far as guards need it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Lead {
    pub(super) place: LeadPlace,
    /// A number that tells it from others of its place.
    pub(super) route: u64,
}

/// Where such a route stands: what makes two the same to whoever replaces one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct LeadPlace {
    pub(super) range: Range,
    pub(super) table: u32,
    pub(super) tos: u8,
    pub(super) metric: u32,
}

impl Lead {
    fn new(route: &Route, range: Range) -> Self {
        let mut hasher = FxHasher::default();
        (route.source_len, route.source, route.interface, route.gateway).hash(&mut hasher);
        for hop in &route.next_hops {
            (hop.interface, hop.gateway).hash(&mut hasher);
        }
        let place = LeadPlace { range, table: route.table, tos: route.tos, metric: route.priority };
        Self { place, route: hasher.finish() }
    }

    /// That of an announced route; `None` for one that leads to no prefix, or everywhere.
    pub(super) fn of(family: Family, route: &Route) -> Option<Self> {
        let leads = matches!(route.kind, kind::UNICAST | kind::BROADCAST) && route.destination_len != 0;
        let destination = route.destination.filter(|_| leads)?;
        Some(Self::new(route, range(family, destination, route.destination_len)?))
    }
}

/// Copies that one route of the main table, without its state, has in our tables, as [`Routes::wanted`] makes them of
/// all.
pub(super) fn copies_of(
    route: &Route,
    guarded: impl Fn(u32) -> bool,
    guards_defaults: bool,
    strong: impl Fn(u32) -> bool,
) -> Vec<Route> {
    let mut copies = Vec::new();
    let is_default = route.destination_len == 0;
    if route.table != MAIN_TABLE {
        return copies;
    }
    let is_unicast = route.kind == kind::UNICAST;
    for link in route.interfaces().filter(|link| is_unicast && strong(*link)) {
        if !(is_default && guarded(link)) {
            let copy = route.clone().with_links(|other| other == link);
            copies.extend(copy.map(|copy| Route { table: INTERFACE_TABLES | link, ..copy }));
        }
    }
    if is_default && guards_defaults {
        let copy = route.clone();
        let copy = if is_unicast { copy.with_links(|link| !guarded(link)) } else { Some(copy) };
        copies.extend(copy.map(|copy| Route { table: DEFAULTS_TABLE, ..copy }));
    }
    for copy in &mut copies {
        copy.protocol = PROTOCOL;
    }
    copies
}

/// Whether a change of the route may change which addresses or prefixes are those of strong interfaces.
pub(super) fn tells_of_addresses(route: &Route) -> bool {
    let is_prefix = route.kind == kind::UNICAST && route.protocol == protocol::KERNEL;
    route.kind == kind::LOCAL || is_prefix && route.gateway.is_none()
}

/// Routes of one table as ours.
///
/// Two of one metric get metrics one apart, in the kernel's order: IPv6 would merge them into one route otherwise.
fn own(mut routes: Vec<Route>) -> Vec<Route> {
    let mut taken = BTreeSet::new();
    for route in &mut routes {
        route.protocol = PROTOCOL;
        while !taken.insert(place(route)) {
            match route.priority.checked_add(1) {
                Some(next) => route.priority = next,
                // Behind the last metric there is no place; a route that was never to be chosen is left out.
                None => break,
            }
        }
    }
    routes
}

/// An address from its number.
fn address_of(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or_default()).into(),
        Family::V6 => Ipv6Addr::from_bits(number).into(),
    }
}

/// The addresses of prefixes of one family, in as few ranges as can be.
pub(super) fn ranges_of(sources: &[Source]) -> Vec<Range> {
    let range = |source: &Source| range(Family::of(&source.address), source.address, source.prefix_len);
    merged(sources.iter().filter_map(range).collect())
}

/// What makes two routes the same to the kernel.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    table: u32,
    destination: (u8, Option<IpAddr>),
    source: (u8, Option<IpAddr>),
    tos: u8,
    priority: u32,
}

/// Where a route stands.
pub(super) fn place(route: &Route) -> Place {
    Place {
        table: route.table,
        destination: (route.destination_len, route.destination),
        source: (route.source_len, route.source),
        tos: route.tos,
        priority: route.priority,
    }
}

/// Where packets may always go over a guarded interface.
fn always(family: Family) -> Vec<Range> {
    match family {
        Family::V4 => vec![
            // 224.0.0.0/4 and 255.255.255.255. Broadcasts of subnets are among the routes.
            Range { first: 0xe000_0000, last: 0xefff_ffff },
            Range { first: 0xffff_ffff, last: 0xffff_ffff },
        ],
        Family::V6 => vec![
            // fe80::/10 and ff00::/8.
            Range { first: 0xfe80 << 112, last: (0xfec0 << 112) - 1 },
            Range { first: 0xff00 << 112, last: u128::MAX },
        ],
    }
}

fn most(family: Family) -> u128 {
    match family {
        Family::V4 => u128::from(u32::MAX),
        Family::V6 => u128::MAX,
    }
}

fn range(family: Family, destination: IpAddr, prefix_len: u8) -> Option<Range> {
    let host_bits = u32::from(family.address_bits().checked_sub(prefix_len)?);
    let address = match destination {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let hosts = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
    let first = address & !hosts;
    Some(Range { first, last: first | hosts })
}

/// The same keys in as few ranges as can be, in order.
pub(super) fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut result: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match result.last_mut() {
            Some(last) if range.first <= last.last.saturating_add(1) => last.last = last.last.max(range.last),
            _ => result.push(range),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_are_ranges() {
        let read = |text: &str, len| {
            let address = text.parse().unwrap();
            range(Family::of(&address), address, len)
        };
        assert_eq!(read("10.1.2.3", 8), Some(Range { first: 0x0a00_0000, last: 0x0aff_ffff }));
        assert_eq!(read("1.2.3.4", 32), Some(Range { first: 0x0102_0304, last: 0x0102_0304 }));
        assert_eq!(read("::", 0), Some(Range { first: 0, last: u128::MAX }));
        assert_eq!(read("1.2.3.4", 33), None);
    }

    #[test]
    fn two_defaults_of_one_metric_keep_their_order_apart() {
        let route =
            |priority, link: u32| Route { priority, interface: Some(link), ..Route::new(10, MAIN_TABLE) };
        let routes = Routes {
            defaults: vec![route(1024, 2), route(1024, 3), route(1025, 4), route(100, 5), route(u32::MAX, 6)],
            ..Routes::new(Family::V6, BTreeSet::from([5]), BTreeSet::new())
        };
        let mirror = routes.wanted();
        let seen: Vec<_> = mirror.iter().map(|route| (route.priority, route.interface.unwrap())).collect();
        assert_eq!(seen, [(1024, 2), (1025, 3), (1026, 4), (u32::MAX, 6)]);
        assert!(mirror.iter().all(|route| route.table == DEFAULTS_TABLE && route.protocol == PROTOCOL));
    }

    proptest! {
        #[test]
        fn merging_keeps_the_keys(
            ranges in proptest::collection::vec((0..300_u128, 0..20_u128), 0..30),
        ) {
            let ranges: Vec<_> =
                ranges.into_iter().map(|(first, len)| Range { first, last: first + len }).collect();
            let merged = merged(ranges.clone());
            for key in 0..400 {
                let is_in = |ranges: &[Range]| ranges.iter().any(|r| (r.first..=r.last).contains(&key));
                prop_assert_eq!(is_in(&ranges), is_in(&merged));
            }
            for pair in merged.windows(2) {
                prop_assert!(pair[0].last + 1 < pair[1].first, "disjoint and not touching: {:?}", pair);
            }
        }
    }
}
