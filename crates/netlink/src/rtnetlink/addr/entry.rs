//! An address whole, either family: what the kernel tells of it can be sent back.

use super::{ADDRESS, DELETE_ADDRESS, FIXED_LEN, FLAGS, GET_ADDRESS, LOCAL, NEW_ADDRESS, PROTO, flag};
use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter};
use crate::message::{ACK, DUMP, Message, Request};
use std::net::{IpAddr, Ipv4Addr};

const AF_INET: u8 = 2;
const BROADCAST: u16 = 4;
const CACHEINFO: u16 = 6;
const RT_PRIORITY: u16 = 9;

/// An address of a link (`struct ifaddrmsg`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Length of its prefix.
    pub prefix_len: u8,
    /// How far it is valid (`RT_SCOPE_*`).
    pub scope: u8,
    /// The link.
    pub index: u32,
    /// The address on this link (`IFA_LOCAL`, or `IFA_ADDRESS` where the kernel tells only that).
    pub address: IpAddr,
    /// The other end's address on a point-to-point link, the address again on others (`IFA_ADDRESS`).
    pub peer: IpAddr,
    /// `IFA_F_*`, see [`flag`](super::flag).
    pub flags: u32,
    /// Seconds that the address stays preferred; `u32::MAX`: for ever.
    pub preferred: u32,
    /// Seconds that the address stays valid; `u32::MAX`: for ever.
    pub valid: u32,
    /// The metric of the route to the address' prefix; `None`: the kernel's own, 0 for IPv4 and 256 for IPv6.
    pub route_priority: Option<u32>,
    /// Who made it, see [`protocol`](super::protocol).
    pub protocol: Option<u8>,
    /// When it was made, in hundredths of a second since the kernel's start; the kernel ignores it in requests.
    pub created: Option<u32>,
    /// Attributes that are not told apart here: label, broadcast address.
    pub other: Vec<(u16, Vec<u8>)>,
}

/// A request for the addresses of `family` on one link. Kernels filter by link only for a socket with strict checking.
#[must_use]
pub fn dump(family: u8, index: u32) -> Request {
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    Request::new(GET_ADDRESS, DUMP, &[family, 0, 0, 0, i0, i1, i2, i3])
}

impl Address {
    /// An address that stays for ever, to be filled.
    #[must_use]
    pub const fn new(index: u32, address: IpAddr, prefix_len: u8) -> Self {
        let family = match address {
            IpAddr::V4(_) => AF_INET,
            IpAddr::V6(_) => super::AF_INET6,
        };
        Self {
            family,
            prefix_len,
            scope: 0,
            index,
            address,
            peer: address,
            flags: 0,
            preferred: u32::MAX,
            valid: u32::MAX,
            route_priority: None,
            protocol: None,
            created: None,
            other: Vec::new(),
        }
    }

    /// Reads a message; `None` if it is not about an address, or about one of another kind.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if !matches!(message.header.kind, NEW_ADDRESS | DELETE_ADDRESS) {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ifaddrmsg")?;
        let [family, prefix_len, flags, scope, i0, i1, i2, i3] = *fixed;
        let (mut address, mut local) = (None, None);
        let mut flags = u32::from(flags);
        let (mut preferred, mut valid) = (u32::MAX, u32::MAX);
        let (mut route_priority, mut protocol, mut created) = (None, None, None);
        let mut other = Vec::new();
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ADDRESS => address = ip(&attribute),
                LOCAL => local = ip(&attribute),
                FLAGS => flags = attribute.u32()?,
                CACHEINFO => {
                    let [p0, p1, p2, p3, v0, v1, v2, v3, c0, c1, c2, c3] = attribute.array()?;
                    preferred = u32::from_ne_bytes([p0, p1, p2, p3]);
                    valid = u32::from_ne_bytes([v0, v1, v2, v3]);
                    created = Some(u32::from_ne_bytes([c0, c1, c2, c3]));
                }
                RT_PRIORITY => route_priority = Some(attribute.u32()?),
                PROTO => protocol = Some(attribute.u8()?),
                kind => other.push((kind, attribute.payload.to_vec())),
            }
        }
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        if flags & flag::DEPRECATED != 0 {
            // Of an IPv4 address for ever the kernel tells no other time (net/ipv4/devinet.c, inet_fill_ifaddr).
            preferred = 0;
        }
        let peer = address.or(local);
        Ok(local.or(address).zip(peer).map(|(address, peer)| Self {
            family,
            prefix_len,
            scope,
            index,
            address,
            peer,
            flags,
            preferred,
            valid,
            route_priority,
            protocol,
            created,
            other,
        }))
    }

    /// The broadcast address of its prefix, if it has one; IPv4 alone.
    #[must_use]
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let (_, payload) = self.other.iter().find(|(kind, _)| *kind == BROADCAST)?;
        payload.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes))
    }

    /// Sets the broadcast address, or takes it away.
    pub fn set_broadcast(&mut self, address: Option<Ipv4Addr>) {
        self.other.retain(|(kind, _)| *kind != BROADCAST);
        self.other.extend(address.map(|address| (BROADCAST, address.octets().to_vec())));
    }

    /// A request that takes this address away, and no other one; `EADDRNOTAVAIL` if it is gone.
    #[must_use]
    pub fn delete(&self) -> Request {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let fixed = [self.family, self.prefix_len, 0, 0, i0, i1, i2, i3];
        let mut request = Request::new(DELETE_ADDRESS, ACK, &fixed);
        for (kind, address) in [(ADDRESS, self.peer), (LOCAL, self.address)] {
            let _ = match address {
                IpAddr::V4(address) => request.attribute(kind, &address.octets()),
                IpAddr::V6(address) => request.attribute(kind, &address.octets()),
            };
        }
        request
    }

    /// A request that adds the address or, with `NLM_F_REPLACE` among `flags`, changes it.
    #[must_use]
    pub fn add(&self, flags: u16) -> Request {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let [low, ..] = self.flags.to_le_bytes();
        let fixed = [self.family, self.prefix_len, low, self.scope, i0, i1, i2, i3];
        let mut request = Request::new(NEW_ADDRESS, flags, &fixed);
        for (kind, address) in [(ADDRESS, self.peer), (LOCAL, self.address)] {
            let _ = match address {
                IpAddr::V4(address) => request.attribute(kind, &address.octets()),
                IpAddr::V6(address) => request.attribute(kind, &address.octets()),
            };
        }
        let mut times = [0; 16];
        for (field, value) in times.chunks_mut(4).zip([self.preferred, self.valid]) {
            field.copy_from_slice(&value.to_ne_bytes());
        }
        let _ = request.attribute(CACHEINFO, &times).attribute_u32(FLAGS, self.flags);
        if let Some(priority) = self.route_priority {
            let _ = request.attribute_u32(RT_PRIORITY, priority);
        }
        if let Some(protocol) = self.protocol {
            let _ = request.attribute_u8(PROTO, protocol);
        }
        for (kind, payload) in &self.other {
            let _ = request.attribute(*kind, payload);
        }
        request
    }
}

fn ip(attribute: &Attribute<'_>) -> Option<IpAddr> {
    match attribute.payload.len() {
        4 => attribute.ipv4().ok().map(IpAddr::V4),
        16 => attribute.ipv6().ok().map(IpAddr::V6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const IPV4: &str = include_str!("../../../captured/addr-inet-metric.hex");
    const IPV6: &str = include_str!("../../../captured/addr-inet6-dynamic.hex");

    fn read(text: &str) -> Address {
        Address::parse(&message(NEW_ADDRESS, &bytes(text))).unwrap().unwrap()
    }

    fn again(address: &Address) -> Address {
        let bytes = address.add(0).finish(1).to_vec();
        Address::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn an_ipv4_address_is_read_whole() {
        let address = read(IPV4);
        assert_eq!((address.family, address.prefix_len, address.scope, address.index), (2, 24, 0, 3));
        assert_eq!(address.address, "10.0.0.1".parse::<IpAddr>().unwrap());
        assert_eq!((address.peer, address.flags), (address.address, 0x80));
        assert_eq!((address.route_priority, address.protocol), (Some(7), None));
        assert_eq!((address.preferred, address.valid), (u32::MAX, u32::MAX));
        assert_eq!(address.other, [(3, b"e0\0".to_vec())], "the label");
        assert!(address.created.is_some_and(|created| created > 0), "{address:?}");
        let sent = Address { created: Some(0), ..address.clone() };
        assert_eq!(again(&address), sent, "all but the time, which the kernel keeps");
        let mut request = address.delete();
        let bytes = request.finish(1).to_vec();
        let deleted = Address::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap();
        assert_eq!((deleted.address, deleted.peer, deleted.index), (address.address, address.peer, 3));
    }

    #[test]
    fn a_broadcast_address_is_found_where_there_is_one() {
        let mut address = read(IPV6);
        assert_eq!(address.broadcast(), None);
        address.set_broadcast(Some(Ipv4Addr::new(192, 0, 2, 255)));
        assert_eq!(address.broadcast(), Some(Ipv4Addr::new(192, 0, 2, 255)));
        address.set_broadcast(None);
        assert_eq!(address.broadcast(), None);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn an_ipv6_address_keeps_its_times_and_flags() {
        let address = read(IPV6);
        assert_eq!((address.preferred, address.valid), (500, 1000));
        assert_eq!(address.flags, 0x202, "no DAD, no route to the prefix");
        assert_eq!(address.route_priority, None);
        assert_eq!(again(&address), Address { created: Some(0), ..address });
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Address::parse(&message(16, &[0; 32])), Ok(None));
        assert_eq!(Address::parse(&message(NEW_ADDRESS, &[2, 0, 0, 0, 1, 0, 0, 0])), Ok(None));
        assert!(Address::parse(&message(NEW_ADDRESS, &[2, 0])).is_err());
        assert!(dump(2, 7).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            start in proptest::sample::select(vec![vec![], bytes(IPV4), bytes(IPV6)]),
            payload in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0..100_usize,
        ) {
            let mut bytes = start;
            bytes.truncate(cut);
            bytes.extend(payload);
            if let Ok(Some(address)) = Address::parse(&message(NEW_ADDRESS, &bytes)) {
                let _ = address.add(0);
            }
        }
    }
}
