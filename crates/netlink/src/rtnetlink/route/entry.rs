//! A route whole, either family: everything that the kernel tells of it can be sent back (`struct rtmsg`, `RTA_*`).
//!
//! A route that is read and written again with another priority loses nothing: attributes that this reader does not
//! know are kept as bytes, and only what is state rather than setting (whether a link is down, how often a route was
//! used) is left out.

use super::{
    DELETE_ROUTE, DST, FIXED_LEN, GATEWAY, GET_ROUTE, MULTIPATH, NEW_ROUTE, OIF, PRIORITY, TABLE, kind,
};
use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes, NESTED};
use crate::message::{ACK, DUMP, Message, Request, align};
use std::net::IpAddr;

const SRC: u16 = 2;
const PREFSRC: u16 = 7;
const METRICS: u16 = 8;
const CACHEINFO: u16 = 12;
const VIA: u16 = 18;
const PAD: u16 = 19;
const PREF: u16 = 20;
const EXPIRES: u16 = 23;
const NH_ID: u16 = 30;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// The bits of flags that are settings: `RTNH_F_PERVASIVE`, `RTNH_F_ONLINK`. The others are state, and the kernel
/// refuses a new route that carries them.
pub const SETTING_FLAGS: u32 = 0x6;
/// `USER_HZ`: clock ticks of a second in `RTA_CACHEINFO`.
const TICKS: u32 = 100;

/// Numbers of route metrics (`RTAX_*`), see [`Metrics`].
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod metric {
    pub const LOCK: u16 = 1;
    pub const MTU: u16 = 2;
    pub const WINDOW: u16 = 3;
    pub const SSTHRESH: u16 = 6;
    pub const CWND: u16 = 7;
    pub const REORDERING: u16 = 9;
    pub const INITCWND: u16 = 11;
    pub const INITRWND: u16 = 14;
}

/// A route of one family.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Route {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Length of the destination's prefix; 0: a default route.
    pub destination_len: u8,
    /// The destination's prefix; `None` where its length is 0.
    pub destination: Option<IpAddr>,
    /// Length of the source's prefix; IPv6 alone.
    pub source_len: u8,
    /// The prefix that a packet's source must have.
    pub source: Option<IpAddr>,
    /// Type of service that a packet must have; IPv4 alone.
    pub tos: u8,
    /// The table.
    pub table: u32,
    /// Who made it (`RTPROT_*`).
    pub protocol: u8,
    /// How far the destination is (`RT_SCOPE_*`); IPv4 alone.
    pub scope: u8,
    /// `RTN_*`, see [`kind`].
    pub kind: u8,
    /// `RTNH_F_*` and `RTM_F_*`.
    pub flags: u32,
    /// The metric: of two routes to one prefix the lower one is taken.
    pub priority: u32,
    /// The link that packets leave by.
    pub interface: Option<u32>,
    /// The router, of either family; `None`: on-link.
    pub gateway: Option<IpAddr>,
    /// The source address that packets are given if they have none.
    pub preferred_source: Option<IpAddr>,
    /// The next hops, where there are several; [`interface`](Self::interface) and [`gateway`](Self::gateway) are
    /// absent then.
    pub next_hops: Vec<NextHop>,
    /// The next hop object that the route uses. The kernel tells the object's link and router beside it, unless
    /// `net.ipv4.nexthop_compat_mode` is 0.
    pub next_hop_id: Option<u32>,
    /// MTU and the like.
    pub metrics: Metrics,
    /// The router's preference (RFC 4191: 0 medium, 1 high, 3 low); IPv6 alone.
    pub preference: Option<u8>,
    /// Clock ticks (hundredths of a second) until the route ends, negative after that; `None`: never. IPv6 alone.
    pub expires: Option<i32>,
    /// Attributes that are not told apart here: encapsulation, realm and whatever later kernels add.
    pub other: Vec<(u16, Vec<u8>)>,
}

/// One next hop of a multipath route (`struct rtnexthop`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NextHop {
    /// The link.
    pub interface: u32,
    /// The router.
    pub gateway: Option<IpAddr>,
    /// The weight less one.
    pub hops: u8,
    /// `RTNH_F_*`.
    pub flags: u8,
    /// Other attributes: encapsulation, realm.
    pub other: Vec<(u16, Vec<u8>)>,
}

/// The metrics of a route (`RTA_METRICS`), kept as the kernel wrote them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Metrics(Vec<u8>);

impl Metrics {
    /// One of [`metric`], all of which are 32 bits wide; `None` where it is not set.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<u32> {
        let all = Attributes::new(&self.0).flatten();
        all.filter(|attribute| attribute.kind == number).find_map(|attribute| attribute.u32().ok())
    }

    /// Sets one of [`metric`] or, with `None`, takes it away; the others keep value and order.
    pub fn set(&mut self, number: u16, value: Option<u32>) {
        let mut bytes = Vec::with_capacity(self.0.len() + 8);
        let mut value = value;
        for attribute in Attributes::new(&self.0).flatten() {
            if attribute.kind != number {
                // The kernel writes them in ascending order, so a route reads back as it was sent.
                if let Some(value) = value.take_if(|_| attribute.kind > number) {
                    let _ = bytes.attribute_u32(number, value);
                }
                let _ = bytes.attribute(attribute.kind, attribute.payload);
            }
        }
        if let Some(value) = value {
            let _ = bytes.attribute_u32(number, value);
        }
        self.0 = bytes;
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which routes of a family to ask for; `None`: all. Kernels filter only for a socket with strict checking.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Of one table; the kernel answers `ENOENT` if there is none such.
    pub table: Option<u32>,
    /// With at least one next hop over this link.
    pub interface: Option<u32>,
    /// Made by this protocol.
    pub protocol: Option<u8>,
}

/// A request for the routes of `family` (`AF_INET`, `AF_INET6`) that pass `filter`, in all tables unless it says one.
#[must_use]
pub fn dump(family: u8, filter: Filter) -> Request {
    let fixed = [family, 0, 0, 0, 0, filter.protocol.unwrap_or_default(), 0, 0, 0, 0, 0, 0];
    let mut request = Request::new(GET_ROUTE, DUMP, &fixed);
    if let Some(table) = filter.table {
        let _ = request.attribute_u32(TABLE, table);
    }
    if let Some(interface) = filter.interface {
        let _ = request.attribute_u32(OIF, interface);
    }
    request
}

impl Route {
    /// A unicast route of `family` to everywhere, in `table`, with nothing else set.
    #[must_use]
    pub fn new(family: u8, table: u32) -> Self {
        Self {
            family,
            destination_len: 0,
            destination: None,
            source_len: 0,
            source: None,
            tos: 0,
            table,
            protocol: 0,
            scope: 0,
            kind: kind::UNICAST,
            flags: 0,
            priority: 0,
            interface: None,
            gateway: None,
            preferred_source: None,
            next_hops: Vec::new(),
            next_hop_id: None,
            metrics: Metrics::default(),
            preference: None,
            expires: None,
            other: Vec::new(),
        }
    }

    /// Reads a message; `None` if it is not about an IPv4 or IPv6 route.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if !matches!(message.header.kind, NEW_ROUTE | DELETE_ROUTE) {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("rtmsg")?;
        let [family, destination_len, source_len, tos, table, protocol, scope, kind, f0, f1, f2, f3] = *fixed;
        if !matches!(family, AF_INET | AF_INET6) {
            return Ok(None);
        }
        let mut route = Self {
            destination_len,
            source_len,
            tos,
            protocol,
            scope,
            kind,
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            ..Self::new(family, u32::from(table))
        };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                DST => route.destination = Some(address(&attribute)?),
                SRC => route.source = Some(address(&attribute)?),
                OIF => route.interface = Some(attribute.u32()?),
                GATEWAY => route.gateway = Some(address(&attribute)?),
                VIA => route.gateway = Some(via(&attribute)?),
                PRIORITY => route.priority = attribute.u32()?,
                PREFSRC => route.preferred_source = Some(address(&attribute)?),
                METRICS => route.metrics = Metrics(attribute.payload.to_vec()),
                MULTIPATH => route.next_hops = NextHop::parse_all(&attribute)?,
                CACHEINFO => {
                    let [_, _, _, _, _, _, _, _, e0, e1, e2, e3] = attribute.array()?;
                    let expires = i32::from_ne_bytes([e0, e1, e2, e3]);
                    route.expires = (expires != 0).then_some(expires);
                }
                TABLE => route.table = attribute.u32()?,
                PREF => route.preference = Some(attribute.u8()?),
                EXPIRES => {
                    let ticks = attribute.u32()?.saturating_mul(TICKS);
                    route.expires = Some(i32::try_from(ticks).unwrap_or(i32::MAX));
                }
                NH_ID => route.next_hop_id = Some(attribute.u32()?),
                PAD => {}
                kind => route.other.push((kind, attribute.payload.to_vec())),
            }
        }
        Ok(Some(route))
    }

    /// A request that adds the route. `flags` decide what happens if one with its prefix and priority is there
    /// (`NLM_F_CREATE`, `NLM_F_EXCL`, `NLM_F_APPEND`, `NLM_F_REPLACE`).
    #[must_use]
    pub fn add(&self, flags: u16) -> Request {
        let mut request = self.request(NEW_ROUTE, flags);
        // Rounded up, so that a route which is about to end is not made one that has ended.
        if let Some(expires) = self.expires {
            let seconds = u32::try_from(expires).unwrap_or_default().div_ceil(TICKS);
            let _ = request.attribute_u32(EXPIRES, seconds);
        }
        request
    }

    /// A request that takes exactly this route away; `ESRCH` if it is gone.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(DELETE_ROUTE, ACK)
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let [f0, f1, f2, f3] = (self.flags & SETTING_FLAGS).to_ne_bytes();
        // The byte is for tables that fit it; the attribute counts.
        let table = u8::try_from(self.table).unwrap_or_default();
        let Self { family, destination_len, source_len, tos, protocol, scope, .. } = *self;
        let fixed =
            [family, destination_len, source_len, tos, table, protocol, scope, self.kind, f0, f1, f2, f3];
        let mut request = Request::new(kind, flags, &fixed);
        let _ = request.attribute_u32(TABLE, self.table).attribute_u32(PRIORITY, self.priority);
        for (kind, address) in [(DST, self.destination), (SRC, self.source), (PREFSRC, self.preferred_source)]
        {
            if let Some(address) = address {
                put_address(&mut request, kind, address);
            }
        }
        // With a next hop object and no metrics, IPv4 takes any route by that object for the same, also one that has
        // metrics (net/ipv4/fib_semantics.c, fib_find_info_nh). An empty list says that there are none.
        if !self.metrics.is_empty() || self.next_hop_id.is_some() {
            let _ = request.attribute(METRICS | NESTED, &self.metrics.0);
        }
        if let Some(id) = self.next_hop_id {
            // The object holds link and router; the kernel refuses both beside its number.
            let _ = request.attribute_u32(NH_ID, id);
        } else if self.next_hops.is_empty() {
            put_hop(&mut request, self.family, self.gateway, &[]);
            if let Some(interface) = self.interface {
                let _ = request.attribute_u32(OIF, interface);
            }
        } else {
            let mut hops = Vec::new();
            for hop in &self.next_hops {
                hop.write(self.family, &mut hops);
            }
            let _ = request.attribute(MULTIPATH, &hops);
        }
        if let Some(preference) = self.preference {
            let _ = request.attribute_u8(PREF, preference);
        }
        for (kind, payload) in &self.other {
            let _ = request.attribute(*kind, payload);
        }
        request
    }

    /// The links that packets of this route may leave by, as far as the message tells.
    pub fn interfaces(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.interface.into_iter().chain(self.next_hops.iter().map(|hop| hop.interface))
    }
}

impl NextHop {
    const LEN: usize = 8;

    fn parse_all(attribute: &Attribute<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut rest = attribute.payload;
        let mut hops = Vec::new();
        while !rest.is_empty() {
            let short = DecodeError::new("rtnexthop", Self::LEN, rest.len());
            let [l0, l1, flags, count, i0, i1, i2, i3] = *rest.first_chunk::<{ Self::LEN }>().ok_or(short)?;
            let len = usize::from(u16::from_ne_bytes([l0, l1]));
            let attributes = Attributes::new(rest.get(Self::LEN..len).ok_or(short)?);
            let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
            let mut hop = Self { interface, gateway: None, hops: count, flags, other: Vec::new() };
            for attribute in attributes {
                let attribute = attribute?;
                match attribute.kind {
                    GATEWAY => hop.gateway = Some(address(&attribute)?),
                    VIA => hop.gateway = Some(via(&attribute)?),
                    kind => hop.other.push((kind, attribute.payload.to_vec())),
                }
            }
            hops.push(hop);
            rest = rest.get(align(len)..).unwrap_or_default();
        }
        Ok(hops)
    }

    fn write(&self, family: u8, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let flags = u8::try_from(u32::from(self.flags) & SETTING_FLAGS).unwrap_or_default();
        bytes.extend_from_slice(&[0, 0, flags, self.hops]);
        bytes.extend_from_slice(&self.interface.to_ne_bytes());
        put_hop(bytes, family, self.gateway, &self.other);
        let len = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
        if let Some(field) = bytes.get_mut(start..start + 2) {
            field.copy_from_slice(&len.to_ne_bytes());
        }
    }
}

/// Writes a router, which may be of the other family, and further attributes of its hop.
fn put_hop(writer: &mut impl AttributeWriter, family: u8, gateway: Option<IpAddr>, other: &[(u16, Vec<u8>)]) {
    match gateway {
        Some(gateway) if family_of(gateway) == family => {
            put_address(writer, GATEWAY, gateway);
        }
        Some(gateway) => {
            let mut payload = u16::from(family_of(gateway)).to_ne_bytes().to_vec();
            match gateway {
                IpAddr::V4(gateway) => payload.extend_from_slice(&gateway.octets()),
                IpAddr::V6(gateway) => payload.extend_from_slice(&gateway.octets()),
            }
            let _ = writer.attribute(VIA, &payload);
        }
        None => {}
    }
    for (kind, payload) in other {
        let _ = writer.attribute(*kind, payload);
    }
}

fn put_address(writer: &mut impl AttributeWriter, kind: u16, address: IpAddr) {
    let _ = match address {
        IpAddr::V4(address) => writer.attribute(kind, &address.octets()),
        IpAddr::V6(address) => writer.attribute(kind, &address.octets()),
    };
}

const fn family_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

/// An address, whose family its length tells.
fn address(attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    if attribute.payload.len() == 4 {
        attribute.ipv4().map(IpAddr::V4)
    } else {
        attribute.ipv6().map(IpAddr::V6)
    }
}

/// `struct rtvia`: a family and an address of it.
fn via(attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    let (_, rest) = attribute.payload.split_first_chunk::<2>().ok_or(DecodeError::new(
        "rtvia",
        6,
        attribute.payload.len(),
    ))?;
    address(&Attribute { kind: attribute.kind, payload: rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const FULL: &str = include_str!("../../../captured/route-inet-full.hex");
    const VIA_IPV6: &str = include_str!("../../../captured/route-inet-via-inet6.hex");
    const OBJECT: &str = include_str!("../../../captured/route-inet-nexthop.hex");
    const MULTIPATH_V4: &str = include_str!("../../../captured/route-inet-multipath.hex");
    const EXPIRING: &str = include_str!("../../../captured/route-inet6-expires.hex");
    const MULTIPATH_V6: &str = include_str!("../../../captured/route-inet6-multipath.hex");

    fn read(text: &str) -> Route {
        Route::parse(&message(NEW_ROUTE, &bytes(text))).unwrap().unwrap()
    }

    /// What the kernel would be sent, read again.
    fn again(route: &Route) -> Route {
        let bytes = route.add(0).finish(1).to_vec();
        Route::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap()
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn an_ipv4_route_is_read_whole() {
        let route = read(FULL);
        assert_eq!((route.destination, route.destination_len), (ip("192.0.2.0"), 24));
        assert_eq!((route.table, route.protocol, route.scope, route.kind), (254, 42, 0, kind::UNICAST));
        assert_eq!((route.flags, route.priority, route.interface), (4, 100, Some(3)), "onlink");
        assert_eq!((route.gateway, route.preferred_source), (ip("10.0.0.2"), ip("10.0.0.1")));
        let metrics = &route.metrics;
        assert_eq!((metrics.get(metric::MTU), metrics.get(metric::LOCK)), (Some(1000), Some(4)));
        assert_eq!(metrics.get(metric::WINDOW), None);
        assert_eq!(again(&route), route);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_router_may_be_of_the_other_family() {
        let route = read(VIA_IPV6);
        assert_eq!((route.table, route.gateway), (100, ip("fd00:1::2")));
        assert_eq!(again(&route), route);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn next_hops_keep_link_router_and_weight() {
        let route = read(MULTIPATH_V4);
        let hops: Vec<_> = route.next_hops.iter().map(|hop| (hop.interface, hop.gateway, hop.hops)).collect();
        assert_eq!(hops, [(3, ip("10.0.0.2"), 2), (2, ip("10.0.1.2"), 0)]);
        assert_eq!(again(&route), route);
        assert_eq!(route.interfaces().collect::<Vec<_>>(), [3, 2]);
        let route = read(MULTIPATH_V6);
        assert_eq!(route.next_hops.len(), 2);
        assert_eq!(again(&route), Route { expires: None, ..route });
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_next_hop_object_is_sent_without_what_it_holds() {
        let route = read(OBJECT);
        assert_eq!((route.next_hop_id, route.interface, route.gateway), (Some(11), Some(3), ip("10.0.0.9")));
        assert_eq!(again(&route), Route { interface: None, gateway: None, ..route });
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn an_ipv6_route_keeps_its_end_and_preference() {
        let route = read(EXPIRING);
        assert_eq!((route.expires, route.preference, route.priority), (Some(59_987), Some(1), 100));
        let sent = again(&route);
        assert_eq!(sent.expires, Some(60_000), "whole seconds, rounded up");
        assert_eq!(sent, Route { expires: sent.expires, ..route.clone() });
        let bytes = route.delete().finish(1).to_vec();
        let deleted = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(deleted.header.kind, DELETE_ROUTE);
        assert_eq!(Route::parse(&deleted).unwrap().unwrap(), Route { expires: None, ..route });
    }

    #[test]
    fn what_is_not_known_is_kept_and_state_is_not() {
        let mut route = Route::new(AF_INET, 7000);
        route.other.push((22, vec![1, 2, 3]));
        // Dead, on-link, no carrier, offloaded.
        route.flags = 1 | 4 | 16 | 0x4000;
        let sent = again(&route);
        assert_eq!((sent.flags, sent.table), (4, 7000));
        assert_eq!(sent.other, route.other);
    }

    #[test]
    fn one_metric_changes_and_the_others_stay() {
        let mut metrics = Metrics::default();
        metrics.set(metric::MTU, Some(1000));
        let mut both = metrics.clone();
        both.set(metric::INITCWND, Some(4_000_000_000));
        both.set(metric::WINDOW, Some(5));
        assert_eq!(both.get(metric::INITCWND), Some(4_000_000_000));
        both.set(metric::WINDOW, Some(6));
        assert_eq!((both.get(metric::WINDOW), both.get(metric::MTU)), (Some(6), Some(1000)));
        both.set(metric::WINDOW, None);
        both.set(metric::INITCWND, None);
        assert_eq!(both, metrics);
        metrics.set(metric::MTU, None);
        assert!(metrics.is_empty());
    }

    #[test]
    fn a_filter_is_part_of_the_request() {
        let filter = Filter { table: Some(7000), interface: Some(3), protocol: Some(42) };
        let mut request = dump(AF_INET6, filter);
        assert!(request.is_dump());
        let bytes = request.finish(1).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let (fixed, attributes) = message.split::<FIXED_LEN>("rtmsg").unwrap();
        assert_eq!((fixed[0], fixed[5]), (AF_INET6, 42));
        let attributes: Vec<_> = attributes.flatten().map(|a| (a.kind, a.u32().unwrap())).collect();
        assert_eq!(attributes, [(TABLE, 7000), (OIF, 3)]);
    }

    #[test]
    fn a_next_hop_without_length_is_an_error() {
        let mut payload = vec![2, 0, 0, 0, 254, 9, 0, 1, 0, 0, 0, 0];
        let _ = payload.attribute(MULTIPATH, &[0, 0, 0, 0, 2, 0, 0, 0]);
        assert!(Route::parse(&message(NEW_ROUTE, &payload)).is_err(), "it would never end");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            start in proptest::sample::select(vec![vec![], bytes(FULL), bytes(MULTIPATH_V4), bytes(EXPIRING)]),
            payload in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0..200_usize,
        ) {
            let mut bytes = start;
            bytes.truncate(cut);
            bytes.extend(payload);
            if let Ok(Some(route)) = Route::parse(&message(NEW_ROUTE, &bytes)) {
                let _ = route.add(0);
            }
        }

        #[test]
        fn what_is_written_reads_back(
            priority: u32, table in 1_u32.., tos: u8, source: Option<[u8; 16]>, gateway: [u8; 4],
            mtu: Option<u32>, seconds in proptest::option::of(1..1_000_000_i32),
            other in proptest::collection::vec((31..200_u16, proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
            hops in proptest::collection::vec((any::<u32>(), any::<u8>(), any::<Option<[u8; 4]>>()), 0..4),
        ) {
            let mut route = Route::new(AF_INET6, table);
            route.priority = priority;
            route.tos = tos;
            route.source = source.map(IpAddr::from);
            route.metrics.set(metric::MTU, mtu);
            route.expires = seconds.map(|seconds| seconds * 100);
            route.other = other;
            if hops.is_empty() {
                route.gateway = Some(IpAddr::from(gateway));
            }
            for (interface, hops, gateway) in hops {
                let gateway = gateway.map(IpAddr::from);
                route.next_hops.push(NextHop { interface, gateway, hops, flags: 4, other: Vec::new() });
            }
            prop_assert_eq!(again(&route), route);
        }
    }
}
