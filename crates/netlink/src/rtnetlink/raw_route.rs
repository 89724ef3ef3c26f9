//! Routes as the kernel wrote them, to be copied to another table or metric with everything that they carry.
//!
//! A copy must not lose what this crate has no name for (encapsulation, locked metrics, realms), so attributes are kept
//! as bytes and only what has to change is written anew.

use super::route::{DELETE_ROUTE, GET_ROUTE, NEW_ROUTE};
use crate::DecodeError;
use crate::attribute::{AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request, align};

const FIXED_LEN: usize = 12;
/// Length of `struct rtnexthop`.
const HOP_LEN: usize = 8;
/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;
/// `NLM_F_REPLACE`.
const REPLACE: u16 = 0x100;

/// Attributes of a route (`RTA_*`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod attribute {
    pub const DST: u16 = 1;
    pub const SRC: u16 = 2;
    pub const OIF: u16 = 4;
    pub const GATEWAY: u16 = 5;
    pub const PRIORITY: u16 = 6;
    pub const METRICS: u16 = 8;
    pub const MULTIPATH: u16 = 9;
    pub const CACHEINFO: u16 = 12;
    pub const TABLE: u16 = 15;
    pub const MARK: u16 = 16;
    pub const VIA: u16 = 18;
    pub const ENCAP_TYPE: u16 = 21;
    pub const ENCAP: u16 = 22;
    pub const EXPIRES: u16 = 23;
    pub const NH_ID: u16 = 30;
}

/// What a route does (`RTN_*`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod kind {
    pub const UNICAST: u8 = 1;
    pub const LOCAL: u8 = 2;
    pub const BROADCAST: u8 = 3;
    pub const THROW: u8 = 9;
}

/// `RTNH_F_ONLINK`: the gateway is on the link, whatever the table says. The other flags tell a state.
const ONLINK: u32 = 4;

/// The fixed part of a route (`struct rtmsg`).
#[allow(missing_docs, reason = "the names are the kernel's")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    pub family: u8,
    pub dst_len: u8,
    pub src_len: u8,
    pub tos: u8,
    pub protocol: u8,
    pub scope: u8,
    pub kind: u8,
    pub flags: u32,
}

/// A route, borrowed from the receive buffer.
#[derive(Clone, Debug)]
pub struct RawRoute<'a> {
    /// The fixed part; the table is [`table`](Self::table).
    pub header: Header,
    /// The table.
    pub table: u32,
    /// The metric; 0 where the kernel names none.
    pub priority: u32,
    attributes: Attributes<'a>,
}

impl<'a> RawRoute<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_ROUTE {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("rtmsg")?;
        let [family, dst_len, src_len, tos, table, protocol, scope, kind, f0, f1, f2, f3] = *fixed;
        let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        let header = Header { family, dst_len, src_len, tos, protocol, scope, kind, flags };
        let mut route = Self { header, table: u32::from(table), priority: 0, attributes };
        for attribute in route.attributes.clone() {
            let attribute = attribute?;
            match attribute.kind {
                attribute::TABLE => route.table = attribute.u32()?,
                attribute::PRIORITY => route.priority = attribute.u32()?,
                _ => {}
            }
        }
        Ok(Some(route))
    }

    /// The payload of the first attribute of a type.
    #[must_use]
    pub fn payload(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes.clone().flatten().find(|attribute| attribute.kind == kind).map(|found| found.payload)
    }

    /// The links that its next hops lead over; none for a route without device.
    #[must_use]
    pub fn links(&self) -> Vec<u32> {
        let number = |payload: &[u8]| payload.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        match self.payload(attribute::MULTIPATH) {
            Some(hops) => Hops::new(hops).map(|hop| hop.link).collect(),
            None => self.payload(attribute::OIF).and_then(number).into_iter().collect(),
        }
    }

    /// A copy of its own, without what tells a state rather than the route: cache information, lifetime, flags.
    #[must_use]
    pub fn to_copy(&self) -> RouteCopy {
        let mut header = self.header;
        header.flags &= ONLINK;
        let attributes = self.attributes.clone().flatten();
        let attributes = attributes
            .filter(|found| {
                !matches!(
                    found.kind,
                    attribute::TABLE
                        | attribute::PRIORITY
                        | attribute::CACHEINFO
                        | attribute::EXPIRES
                        | attribute::MARK
                )
            })
            .map(|found| match found.kind {
                attribute::MULTIPATH => {
                    let hops = Hops::new(found.payload).flat_map(|hop| hop.settled());
                    (attribute::MULTIPATH, hops.collect())
                }
                kind => (kind, found.payload.to_vec()),
            })
            .collect();
        RouteCopy { header, table: self.table, priority: self.priority, attributes }
    }
}

/// Asks for the routes of a family, of one table if one is named. Kernels filter only for a socket with strict checking,
/// and answer `ENOENT` for a table that is not there.
#[must_use]
pub fn dump(family: u8, table: Option<u32>) -> Request {
    let mut fixed = [0; FIXED_LEN];
    fixed[0] = family;
    let mut request = Request::new(GET_ROUTE, DUMP, &fixed);
    if let Some(table) = table {
        let _ = request.attribute_u32(attribute::TABLE, table);
    }
    request
}

/// A route to be written.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RouteCopy {
    /// The fixed part.
    pub header: Header,
    /// The table.
    pub table: u32,
    /// The metric.
    pub priority: u32,
    /// Everything else: type and payload.
    pub attributes: Vec<(u16, Vec<u8>)>,
}

impl RouteCopy {
    /// A route without next hop for one destination, such as a `throw`.
    #[must_use]
    pub fn without_next_hop(family: u8, kind: u8, destination: &[u8]) -> Self {
        let dst_len = u8::try_from(destination.len() * 8).unwrap_or(u8::MAX);
        Self {
            header: Header { family, dst_len, src_len: 0, tos: 0, protocol: 0, scope: 0, kind, flags: 0 },
            table: 0,
            priority: 0,
            attributes: vec![(attribute::DST, destination.to_vec())],
        }
    }

    /// The payload of the first attribute of a type.
    #[must_use]
    pub fn payload(&self, kind: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(found, _)| *found == kind).map(|(_, payload)| payload.as_slice())
    }

    /// The links that its next hops lead over.
    #[must_use]
    pub fn links(&self) -> Vec<u32> {
        let number = |payload: &[u8]| payload.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        match self.payload(attribute::MULTIPATH) {
            Some(hops) => Hops::new(hops).map(|hop| hop.link).collect(),
            None => self.payload(attribute::OIF).and_then(number).into_iter().collect(),
        }
    }

    /// Keeps the next hops over links for which `keep` says so; `None` if there were some and none is left.
    ///
    /// A route that names a nexthop object keeps that name only if all of the object's hops are kept; else its hops are
    /// written out, so that the copy is the owner's route without the others.
    #[must_use]
    pub fn with_links(mut self, keep: impl Fn(u32) -> bool) -> Option<Self> {
        let links = self.links();
        if links.is_empty() {
            // Without a device it leads nowhere (blackhole, unreachable); a nexthop object that shows no link is unknown.
            return self.payload(attribute::NH_ID).is_none().then_some(self);
        }
        let all = links.iter().all(|link| keep(*link));
        if !all {
            if !links.iter().any(|link| keep(*link)) {
                return None;
            }
            for (kind, payload) in &mut self.attributes {
                if *kind == attribute::MULTIPATH {
                    let hops = Hops::new(payload).filter(|hop| keep(hop.link)).flat_map(|hop| hop.settled());
                    *payload = hops.collect();
                }
            }
        }
        let object = self.payload(attribute::NH_ID).is_some();
        self.attributes.retain(|(kind, _)| match *kind {
            attribute::NH_ID => all,
            // The kernel shows an object's hops beside its name, and refuses both together.
            attribute::OIF
            | attribute::GATEWAY
            | attribute::VIA
            | attribute::MULTIPATH
            | attribute::ENCAP
            | attribute::ENCAP_TYPE => !(object && all),
            _ => true,
        });
        Some(self)
    }

    /// Makes it, or puts it in the place of the route with its destination and metric.
    #[must_use]
    pub fn create_or_replace(&self) -> Request {
        self.request(NEW_ROUTE, CREATE | REPLACE | ACK)
    }

    /// Takes it away; `ESRCH` if it is gone.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(DELETE_ROUTE, ACK)
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let Header { family, dst_len, src_len, tos, protocol, scope, kind: route, flags: state } =
            self.header;
        let [f0, f1, f2, f3] = state.to_ne_bytes();
        // RT_TABLE_UNSPEC: the table is the attribute's.
        let fixed = [family, dst_len, src_len, tos, 0, protocol, scope, route, f0, f1, f2, f3];
        let mut request = Request::new(kind, flags, &fixed);
        let _ = request
            .attribute_u32(attribute::TABLE, self.table)
            .attribute_u32(attribute::PRIORITY, self.priority);
        for (kind, payload) in &self.attributes {
            let _ = request.attribute(*kind, payload);
        }
        request
    }
}

/// One next hop of `RTA_MULTIPATH` (`struct rtnexthop` and its attributes).
#[derive(Clone, Copy, Debug)]
struct Hop<'a> {
    link: u32,
    bytes: &'a [u8],
}

impl Hop<'_> {
    /// Its bytes without the flags that tell a state, padded for the next.
    fn settled(&self) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        if let Some(flags) = bytes.get_mut(2) {
            *flags &= ONLINK.to_ne_bytes()[0] | ONLINK.to_ne_bytes()[3];
        }
        bytes.resize(align(bytes.len()), 0);
        bytes
    }
}

/// Walks the next hops of `RTA_MULTIPATH`; malformed bytes end the walk.
struct Hops<'a> {
    rest: &'a [u8],
}

impl<'a> Hops<'a> {
    const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }
}

impl<'a> Iterator for Hops<'a> {
    type Item = Hop<'a>;

    fn next(&mut self) -> Option<Hop<'a>> {
        let [l0, l1, _, _, i0, i1, i2, i3] = *self.rest.first_chunk::<HOP_LEN>()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let bytes = self.rest.get(..len).filter(|bytes| bytes.len() >= HOP_LEN)?;
        self.rest = self.rest.get(align(len)..).unwrap_or_default();
        Some(Hop { link: u32::from_ne_bytes([i0, i1, i2, i3]), bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const MULTIPATH_ROUTE: &str = include_str!("../../captured/route-inet6-multipath.hex");

    fn hop(link: u32, flags: u8) -> Vec<u8> {
        let [i0, i1, i2, i3] = link.to_ne_bytes();
        let [l0, l1] = 16_u16.to_ne_bytes();
        let mut hop = vec![l0, l1, flags, 0, i0, i1, i2, i3];
        let _ = hop.attribute_u32(attribute::GATEWAY, 7);
        hop
    }

    fn route(attributes: Vec<(u16, Vec<u8>)>) -> RouteCopy {
        RouteCopy { attributes, ..RouteCopy::without_next_hop(2, kind::UNICAST, &[]) }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_copy_of_a_kernel_route_reads_back() {
        let payload = bytes(MULTIPATH_ROUTE);
        let raw = RawRoute::parse(&message(NEW_ROUTE, &payload)).unwrap().unwrap();
        assert_eq!((raw.table, raw.priority, raw.links()), (300, 7, vec![2, 2]));
        let copy = raw.to_copy();
        assert!(copy.payload(attribute::CACHEINFO).is_none(), "a state, not the route");
        let mut request = copy.create_or_replace();
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        let again = RawRoute::parse(&message(NEW_ROUTE, sent.payload)).unwrap().unwrap();
        assert_eq!(again.to_copy(), copy);
    }

    #[test]
    fn hops_over_other_links_are_left_out() {
        let hops = [hop(2, 0), hop(3, 1), hop(4, 4 | 16)].concat();
        let multipath = route(vec![(attribute::MULTIPATH, hops)]);
        let left = multipath.clone().with_links(|link| link != 3).unwrap();
        assert_eq!(left.links(), [2, 4]);
        assert_eq!(left.payload(attribute::MULTIPATH).unwrap()[18], 4, "state flags are left out");
        assert_eq!(multipath.clone().with_links(|_| false), None);
        assert_eq!(multipath.clone().with_links(|_| true), Some(multipath));
        let blackhole = route(vec![]);
        assert_eq!(blackhole.clone().with_links(|_| false), Some(blackhole));
    }

    #[test]
    fn a_nexthop_object_is_named_or_its_hops_are() {
        let hops = [hop(2, 0), hop(3, 0)].concat();
        let named = route(vec![(attribute::NH_ID, vec![9, 0, 0, 0]), (attribute::MULTIPATH, hops)]);
        let all = named.clone().with_links(|_| true).unwrap();
        assert_eq!(all.attributes, [(attribute::NH_ID, vec![9, 0, 0, 0])]);
        let some = named.with_links(|link| link == 2).unwrap();
        assert_eq!((some.links(), some.payload(attribute::NH_ID)), (vec![2], None));
        let hidden = route(vec![(attribute::NH_ID, vec![9, 0, 0, 0])]);
        assert_eq!(hidden.with_links(|_| true), None, "which links it leads over is not known");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some(route)) = RawRoute::parse(&message(NEW_ROUTE, &payload)) {
                let _ = (route.links(), route.to_copy().with_links(|link| link % 2 == 0));
            }
            let _ = route(vec![(attribute::MULTIPATH, payload)]).with_links(|link| link % 2 == 0);
        }
    }
}
