//! Routes of either family, whole (`struct rtmsg`, `RTA_*`).
//!
//! ```text
//!  0        1        2        3        4        5        6        7        8                 12
//!  +--------+--------+--------+--------+--------+--------+--------+--------+-----------------+ - - - -
//!  | family |dst len |src len |  tos   | table  |protocol| scope  |  type  | flags           | RTA_*
//!  +--------+--------+--------+--------+--------+--------+--------+--------+-----------------+ - - - -
//! ```
//!
//! A route that is read and written again with another priority or table loses nothing: attributes that this reader does
//! not know are kept as bytes, and only what is state rather than setting (whether a link is down, how often a route was
//! used) is left out.

mod hop;
mod metrics;
#[cfg(test)]
mod tests;

pub use hop::NextHop;
pub use metrics::{Metrics, metric};

use crate::DecodeError;
use crate::attribute::{AttributeWriter, NESTED};
use crate::message::{ACK, CREATE, DUMP, Message, REPLACE, Request};
use hop::{address, put_address, put_hop, via};
use std::net::IpAddr;

/// `RTM_NEWROUTE`: a route that is there.
pub const NEW_ROUTE: u16 = 24;
/// `RTM_DELROUTE`: takes a route away.
pub const DELETE_ROUTE: u16 = 25;
/// `RTM_GETROUTE`: asks for routes.
pub const GET_ROUTE: u16 = 26;

const FIXED_LEN: usize = 12;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const DST: u16 = 1;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const MULTIPATH: u16 = 9;
const TABLE: u16 = 15;

const SRC: u16 = 2;
const PREFSRC: u16 = 7;
const METRICS: u16 = 8;
const CACHEINFO: u16 = 12;
const MARK: u16 = 16;
const VIA: u16 = 18;
const PAD: u16 = 19;
const PREF: u16 = 20;
const ENCAP_TYPE: u16 = 21;
const ENCAP: u16 = 22;
const EXPIRES: u16 = 23;
const NH_ID: u16 = 30;

/// `RTM_F_PREFIX`: only on-link prefixes that a router advertised.
const ADVERTISED_PREFIXES: u32 = 0x800;
/// The bits of flags that are settings: `RTNH_F_PERVASIVE`, `RTNH_F_ONLINK`. The others are state, and the kernel
/// refuses a new route that carries them.
pub const SETTING_FLAGS: u32 = 0x6;
/// `USER_HZ`: clock ticks of a second in `RTA_CACHEINFO`.
const TICKS: u32 = 100;

/// Who made a route (`RTPROT_*`).
pub mod protocol {
    /// The kernel.
    pub const KERNEL: u8 = 2;
    /// Nobody said: by hand, or by an old interface.
    pub const BOOT: u8 = 3;
    /// The kernel, from a router advertisement.
    pub const ROUTER_ADVERTISEMENT: u8 = 9;
}

/// What a route does with a packet (`RTN_*`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod kind {
    pub const UNICAST: u8 = 1;
    pub const LOCAL: u8 = 2;
    pub const BROADCAST: u8 = 3;
    pub const ANYCAST: u8 = 4;
    pub const MULTICAST: u8 = 5;
    pub const BLACKHOLE: u8 = 6;
    pub const UNREACHABLE: u8 = 7;
    pub const PROHIBIT: u8 = 8;
    pub const THROW: u8 = 9;
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

/// What is announced of a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// It is there.
    There,
    /// It is there, in the place of one with its destination and metric.
    Replaced,
    /// It is gone.
    Gone,
}

impl News {
    /// What an announcement tells; `None` if it is about something else than a route.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<Self> {
        match message.header.kind {
            NEW_ROUTE if message.header.flags & REPLACE != 0 => Some(Self::Replaced),
            NEW_ROUTE => Some(Self::There),
            DELETE_ROUTE => Some(Self::Gone),
            _ => None,
        }
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
    /// On-link prefixes that a router advertised; IPv6 alone. They have the kernel's protocol, as those of addresses have.
    pub advertised_prefixes: bool,
}

/// A request for the routes of `family` (`AF_INET`, `AF_INET6`) that pass `filter`, in all tables unless it says one.
#[must_use]
pub fn dump(family: u8, filter: Filter) -> Request {
    let flags = if filter.advertised_prefixes { ADVERTISED_PREFIXES } else { 0 };
    let [f0, f1, f2, f3] = flags.to_ne_bytes();
    let fixed = [family, 0, 0, 0, 0, filter.protocol.unwrap_or_default(), 0, 0, f0, f1, f2, f3];
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
                // A mark is of the packet that was asked about, not of the route.
                PAD | MARK => {}
                kind => route.other.push((kind, attribute.payload.to_vec())),
            }
        }
        Ok(Some(route))
    }

    /// Whether a message is about a route whose destination is every address, by its header alone.
    #[must_use]
    pub fn leads_everywhere(message: &Message<'_>) -> bool {
        let is_route = matches!(message.header.kind, NEW_ROUTE | DELETE_ROUTE);
        is_route && message.split::<FIXED_LEN>("rtmsg").is_ok_and(|(&[_, len, ..], _)| len == 0)
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

    /// A request that makes the route, or puts it in the place of the one with its destination and metric.
    #[must_use]
    pub fn create_or_replace(&self) -> Request {
        self.add(CREATE | REPLACE | ACK)
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
            // The object holds link, router and encapsulation; the kernel refuses these beside its number.
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
            if self.next_hop_id.is_none() || !matches!(*kind, ENCAP | ENCAP_TYPE) {
                let _ = request.attribute(*kind, payload);
            }
        }
        request
    }

    /// The route without what tells a state rather than the route: what is left of its lifetime, flags.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.flags &= SETTING_FLAGS;
        self.expires = None;
        self.next_hops = self.next_hops.into_iter().map(NextHop::settled).collect();
        self
    }

    /// Keeps the next hops over links for which `keep` says so; `None` if there were some and none is left.
    ///
    /// A route that names a nexthop object keeps that name only if all of the object's hops are kept; else its hops are
    /// written out, so that the copy is the owner's route without the others.
    #[must_use]
    pub fn with_links(mut self, keep: impl Fn(u32) -> bool) -> Option<Self> {
        let (mut all, mut any, mut some) = (true, false, false);
        for link in self.interfaces() {
            let kept = keep(link);
            (all, any, some) = (all && kept, any || kept, true);
        }
        if !some {
            // Without a device it leads nowhere (blackhole, unreachable); a nexthop object that shows no link is unknown.
            return self.next_hop_id.is_none().then_some(self);
        }
        if !any {
            return None;
        }
        if all {
            if self.next_hop_id.is_some() {
                // What the kernel shows beside the object's number is the object's.
                self.interface = None;
                self.gateway = None;
                self.next_hops = Vec::new();
                self.other.retain(|(kind, _)| !matches!(*kind, ENCAP | ENCAP_TYPE));
            }
            return Some(self);
        }
        self.next_hop_id = None;
        self.next_hops.retain(|hop| keep(hop.interface));
        Some(self)
    }

    /// The route once for each of its next hops, as one that has no other.
    pub fn each_hop(mut self) -> impl Iterator<Item = Self> {
        let hops = std::mem::take(&mut self.next_hops);
        let whole = hops.is_empty().then(|| self.clone());
        let single = move |hop: NextHop| {
            let mut route = Self {
                interface: Some(hop.interface),
                gateway: hop.gateway,
                flags: self.flags | u32::from(hop.flags),
                ..self.clone()
            };
            route.other.extend(hop.other);
            route
        };
        whole.into_iter().chain(hops.into_iter().map(single))
    }

    /// Whether packets go straight to their destination: by no router, and in no other packet.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        let carried = self.other.iter().any(|(kind, _)| *kind == ENCAP);
        self.gateway.is_none() && self.next_hops.is_empty() && !carried
    }

    /// The links that packets of this route may leave by, as far as the message tells.
    pub fn interfaces(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.interface.into_iter().chain(self.next_hops.iter().map(|hop| hop.interface))
    }
}
