//! Routes: whole ones of either family, and IPv6 routes as far as their deletion needs (`struct rtmsg`, `RTA_*`).
//!
//! ```text
//!  0        1        2        3        4        5        6        7        8                 12
//!  +--------+--------+--------+--------+--------+--------+--------+--------+-----------------+ - - - -
//!  | family |dst len |src len |  tos   | table  |protocol| scope  |  type  | flags           | RTA_*
//!  +--------+--------+--------+--------+--------+--------+--------+--------+-----------------+ - - - -
//! ```

mod entry;

pub use entry::{Filter, Metrics, NextHop, Route, SETTING_FLAGS, dump, metric};

use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request, align};
use std::net::Ipv6Addr;

/// `RTM_NEWROUTE`: a route that is there.
pub const NEW_ROUTE: u16 = 24;
/// `RTM_DELROUTE`: takes a route away.
pub const DELETE_ROUTE: u16 = 25;
/// `RTM_GETROUTE`: asks for routes.
pub const GET_ROUTE: u16 = 26;

const FIXED_LEN: usize = 12;
const AF_INET6: u8 = 10;

const DST: u16 = 1;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const MULTIPATH: u16 = 9;
const TABLE: u16 = 15;

/// `RTM_F_PREFIX`: only on-link prefixes that a router advertised.
const ADVERTISED_PREFIXES: u32 = 0x800;

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

/// Which IPv6 routes of a link to ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selection {
    /// Those that one protocol made, see [`protocol`].
    Protocol(u8),
    /// On-link prefixes that a router advertised. They have the kernel's protocol, as those of addresses have.
    AdvertisedPrefixes,
}

/// A request for some of the IPv6 routes over a link, in all tables. Kernels filter only for a socket with strict
/// checking.
#[must_use]
pub fn dump_ipv6(index: u32, selection: Selection) -> Request {
    let (protocol, flags) = match selection {
        Selection::Protocol(protocol) => (protocol, 0),
        Selection::AdvertisedPrefixes => (0, ADVERTISED_PREFIXES),
    };
    let [f0, f1, f2, f3] = u32::to_ne_bytes(flags);
    let fixed = [AF_INET6, 0, 0, 0, 0, protocol, 0, 0, f0, f1, f2, f3];
    let mut request = Request::new(GET_ROUTE, DUMP, &fixed);
    let _ = request.attribute_u32(OIF, index);
    request
}

/// An IPv6 route, or one next hop of a multipath route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ipv6Route {
    /// The destination's prefix.
    pub destination: Ipv6Addr,
    /// Length of the prefix; 0: a default route.
    pub prefix_len: u8,
    /// The table.
    pub table: u32,
    /// Who made it, see [`protocol`].
    pub protocol: u8,
    /// `RTN_*`: 1 is unicast.
    pub kind: u8,
    /// The metric.
    pub priority: Option<u32>,
    /// The link that packets leave by.
    pub oif: u32,
    /// The router; `None`: on-link.
    pub gateway: Option<Ipv6Addr>,
}

impl Ipv6Route {
    /// Reads a message, each next hop as a route of its own; none if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Vec<Self>, DecodeError> {
        if message.header.kind != NEW_ROUTE {
            return Ok(Vec::new());
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("rtmsg")?;
        let [family, prefix_len, _, _, table, protocol, _, kind, ..] = *fixed;
        if family != AF_INET6 {
            return Ok(Vec::new());
        }
        let mut route = Self {
            destination: Ipv6Addr::UNSPECIFIED,
            prefix_len,
            table: u32::from(table),
            protocol,
            kind,
            priority: None,
            oif: 0,
            gateway: None,
        };
        let mut hops = None;
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                DST => route.destination = attribute.ipv6()?,
                TABLE => route.table = attribute.u32()?,
                PRIORITY => route.priority = Some(attribute.u32()?),
                OIF => route.oif = attribute.u32()?,
                GATEWAY => route.gateway = Some(attribute.ipv6()?),
                MULTIPATH => hops = Some(attribute),
                _ => {}
            }
        }
        match hops {
            Some(hops) => {
                next_hops(&hops).map(|hop| hop.map(|(oif, gateway)| Self { oif, gateway, ..route })).collect()
            }
            None => Ok(vec![route]),
        }
    }

    /// A request that takes the route, or this next hop of it, away; `ESRCH` if it is gone.
    #[must_use]
    pub fn delete(&self) -> Request {
        let fixed = [AF_INET6, self.prefix_len, 0, 0, 0, self.protocol, 0, self.kind, 0, 0, 0, 0];
        let mut request = Request::new(DELETE_ROUTE, ACK, &fixed);
        let _ = request
            .attribute(DST, &self.destination.octets())
            .attribute_u32(OIF, self.oif)
            .attribute_u32(TABLE, self.table);
        if let Some(priority) = self.priority {
            let _ = request.attribute_u32(PRIORITY, priority);
        }
        if let Some(gateway) = self.gateway {
            let _ = request.attribute(GATEWAY, &gateway.octets());
        }
        request
    }
}

/// Link and router of each next hop in `RTA_MULTIPATH`, a list of `struct rtnexthop` with attributes of its own.
fn next_hops<'a>(
    attribute: &Attribute<'a>,
) -> impl Iterator<Item = Result<(u32, Option<Ipv6Addr>), DecodeError>> + use<'a> {
    const LEN: usize = 8;
    let mut rest = attribute.payload;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let hop = rest.first_chunk::<LEN>().and_then(|fixed| {
            let [l0, l1, _, _, i0, i1, i2, i3] = *fixed;
            let len = usize::from(u16::from_ne_bytes([l0, l1]));
            Some((u32::from_ne_bytes([i0, i1, i2, i3]), rest.get(LEN..len)?, len))
        });
        let Some((oif, attributes, len)) = hop else {
            let error = DecodeError::new("rtnexthop", LEN, rest.len());
            rest = &[];
            return Some(Err(error));
        };
        rest = rest.get(align(len)..).unwrap_or_default();
        Some(gateway(attributes).map(|gateway| (oif, gateway)))
    })
}

fn gateway(attributes: &[u8]) -> Result<Option<Ipv6Addr>, DecodeError> {
    for attribute in Attributes::new(attributes) {
        let attribute = attribute?;
        if attribute.kind == GATEWAY {
            return attribute.ipv6().map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const DEFAULT: &str = include_str!("../../captured/route-inet6-ra-default.hex");
    const MULTIPATH_ROUTE: &str = include_str!("../../captured/route-inet6-multipath.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn a_default_route_is_read_and_deleted() {
        let payload = bytes(DEFAULT);
        let routes = Ipv6Route::parse(&message(NEW_ROUTE, &payload)).unwrap();
        let expected = Ipv6Route {
            destination: Ipv6Addr::UNSPECIFIED,
            prefix_len: 0,
            table: 254,
            protocol: protocol::ROUTER_ADVERTISEMENT,
            kind: 1,
            priority: Some(1024),
            oif: 2,
            gateway: Some("fe80::7833:3eff:febf:3782".parse().unwrap()),
        };
        assert_eq!(routes, [expected]);

        let mut request = expected.delete();
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        assert_eq!(sent.header.kind, DELETE_ROUTE);
        assert_eq!(Ipv6Route::parse(&message(NEW_ROUTE, sent.payload)), Ok(vec![expected]));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn each_next_hop_is_a_route() {
        let payload = bytes(MULTIPATH_ROUTE);
        let routes = Ipv6Route::parse(&message(NEW_ROUTE, &payload)).unwrap();
        let hops: Vec<_> =
            routes.iter().map(|route| (route.oif, route.gateway.unwrap().to_string())).collect();
        assert_eq!(hops, [(2, "fe80::1".to_owned()), (2, "fe80::2".to_owned())]);
        for route in routes {
            assert_eq!((route.prefix_len, route.table, route.priority), (48, 300, Some(7)));
            assert_eq!(route.destination, "2001:db8:5::".parse::<Ipv6Addr>().unwrap());
        }
    }

    #[test]
    fn a_next_hop_past_the_end_is_an_error() {
        let mut payload = vec![10, 0, 0, 0, 254, 9, 0, 1, 0, 0, 0, 0];
        let _ = payload.attribute(MULTIPATH, &[200, 0, 0, 0, 2, 0, 0, 0]);
        assert!(Ipv6Route::parse(&message(NEW_ROUTE, &payload)).is_err());
        let mut payload = vec![10, 0, 0, 0, 254, 9, 0, 1, 0, 0, 0, 0];
        let _ = payload.attribute(MULTIPATH, &[0, 0, 0, 0, 2, 0, 0, 0]);
        assert!(Ipv6Route::parse(&message(NEW_ROUTE, &payload)).is_err(), "a length of 0 would never end");
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Ipv6Route::parse(&message(16, &[0; 32])), Ok(vec![]));
        assert_eq!(Ipv6Route::parse(&message(NEW_ROUTE, &[2; 12])), Ok(vec![]));
        assert!(Ipv6Route::parse(&message(NEW_ROUTE, &[10, 0, 0])).is_err());
        assert!(dump_ipv6(2, Selection::AdvertisedPrefixes).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            start in proptest::sample::select(vec![vec![], bytes(DEFAULT), bytes(MULTIPATH_ROUTE)]),
            payload in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0..200_usize,
        ) {
            let mut bytes = start;
            bytes.truncate(cut);
            bytes.extend(payload);
            let _ = Ipv6Route::parse(&message(NEW_ROUTE, &bytes));
        }
    }
}
