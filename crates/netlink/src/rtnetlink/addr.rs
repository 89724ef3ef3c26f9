//! Addresses of links (`struct ifaddrmsg`, `IFA_*`).
//!
//! ```text
//!  0        1        2        3        4                 8
//!  +--------+--------+--------+--------+-----------------+ - - - -
//!  | family | prefix | flags  | scope  |  index          | IFA_*
//!  +--------+--------+--------+--------+-----------------+ - - - -
//! ```

mod entry;
pub mod group;

pub use entry::{Address, dump};

use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{ACK, DUMP, Message, Request};
use std::net::Ipv6Addr;

/// `RTM_NEWADDR`: an address that is there.
pub const NEW_ADDRESS: u16 = 20;
/// `RTM_DELADDR`: takes an address away.
pub const DELETE_ADDRESS: u16 = 21;
/// `RTM_GETADDR`: asks for addresses.
pub const GET_ADDRESS: u16 = 22;

const FIXED_LEN: usize = 8;
const AF_INET6: u8 = 10;

const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const CACHE_INFO: u16 = 6;
const FLAGS: u16 = 8;
const PROTO: u16 = 11;

/// Bits of [`Ipv6Address::flags`] (`IFA_F_*`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod flag {
    pub const TEMPORARY: u32 = 0x01;
    /// `TEMPORARY` as IPv4 uses the bit.
    pub const SECONDARY: u32 = 0x01;
    pub const NO_DAD: u32 = 0x02;
    pub const OPTIMISTIC: u32 = 0x04;
    pub const DAD_FAILED: u32 = 0x08;
    pub const DEPRECATED: u32 = 0x20;
    pub const TENTATIVE: u32 = 0x40;
    pub const PERMANENT: u32 = 0x80;
    pub const MANAGE_TEMPORARY: u32 = 0x100;
    pub const NO_PREFIX_ROUTE: u32 = 0x200;
    pub const STABLE_PRIVACY: u32 = 0x800;
}

/// Who made an address ([`Ipv6Address::protocol`], `IFAPROT_*`, Linux 5.18).
pub mod protocol {
    /// The kernel, as the address that the loopback interface gets.
    pub const LOOPBACK: u8 = 1;
    /// The kernel, from a router advertisement.
    pub const ROUTER_ADVERTISEMENT: u8 = 2;
    /// The kernel, as the link-local address that each link gets.
    pub const LINK_LOCAL: u8 = 3;
}

/// An IPv6 address of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ipv6Address {
    /// The link.
    pub index: u32,
    /// The address on this link.
    pub address: Ipv6Addr,
    /// Length of its prefix.
    pub prefix_len: u8,
    /// `IFA_F_*`, see [`flag`].
    pub flags: u32,
    /// Who made it, see [`protocol`]; `None`: a program, or a kernel before 5.18.
    pub protocol: Option<u8>,
}

/// A request for the IPv6 addresses of one link. Kernels filter by link only for a socket with strict checking.
#[must_use]
pub fn dump_ipv6(index: u32) -> Request {
    Request::new(GET_ADDRESS, DUMP, &fixed(index, 0))
}

impl Ipv6Address {
    /// Reads a message; `None` if it is about something else, also about an IPv4 address.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_ADDRESS {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ifaddrmsg")?;
        let [family, prefix_len, flags, _, i0, i1, i2, i3] = *fixed;
        if family != AF_INET6 {
            return Ok(None);
        }
        let (mut address, mut local, mut flags, mut protocol) = (None, None, u32::from(flags), None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ADDRESS => address = Some(attribute.ipv6()?),
                // On a point-to-point link IFA_ADDRESS is the other end.
                LOCAL => local = Some(attribute.ipv6()?),
                FLAGS => flags = attribute.u32()?,
                PROTO => protocol = Some(attribute.u8()?),
                _ => {}
            }
        }
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        Ok(local.or(address).map(|address| Self { index, address, prefix_len, flags, protocol }))
    }

    /// How long, in seconds, the address of a message is preferred and valid; `u32::MAX` is for ever.
    pub fn lifetimes(message: &Message<'_>) -> Result<Option<(u32, u32)>, DecodeError> {
        if message.header.kind != NEW_ADDRESS {
            return Ok(None);
        }
        let (_, attributes) = message.split::<FIXED_LEN>("ifaddrmsg")?;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == CACHE_INFO {
                // struct ifa_cacheinfo; the times of its changes follow.
                let [p0, p1, p2, p3, v0, v1, v2, v3, ..] = attribute.array::<16>()?;
                let preferred = u32::from_ne_bytes([p0, p1, p2, p3]);
                return Ok(Some((preferred, u32::from_ne_bytes([v0, v1, v2, v3]))));
            }
        }
        Ok(None)
    }

    /// A request that takes the address away; `EADDRNOTAVAIL` if it is gone.
    #[must_use]
    pub fn delete(&self) -> Request {
        let mut request = Request::new(DELETE_ADDRESS, ACK, &fixed(self.index, self.prefix_len));
        let _ = request.attribute(LOCAL, &self.address.octets());
        request
    }

    /// The prefix that the address lies in.
    #[must_use]
    pub fn prefix(&self) -> Ipv6Addr {
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_len.min(128))).unwrap_or_default();
        Ipv6Addr::from_bits(self.address.to_bits() & mask)
    }
}

fn fixed(index: u32, prefix_len: u8) -> [u8; FIXED_LEN] {
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    [AF_INET6, prefix_len, 0, 0, i0, i1, i2, i3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const ADVERTISED: &str = include_str!("../../captured/addr-inet6-ra.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn an_advertised_address_is_read_and_deleted() {
        let payload = bytes(ADVERTISED);
        let address = Ipv6Address::parse(&message(NEW_ADDRESS, &payload)).unwrap().unwrap();
        let expected = Ipv6Address {
            index: 2,
            address: "2001:db8:1:0:a0a4:7aff:fe2f:8a73".parse().unwrap(),
            prefix_len: 64,
            flags: flag::TENTATIVE | flag::MANAGE_TEMPORARY,
            protocol: Some(protocol::ROUTER_ADVERTISEMENT),
        };
        assert_eq!(address, expected);
        assert_eq!(address.prefix(), "2001:db8:1::".parse::<Ipv6Addr>().unwrap());
        let lifetimes = Ipv6Address::lifetimes(&message(NEW_ADDRESS, &payload)).unwrap().unwrap();
        assert!(lifetimes.0 <= lifetimes.1 && lifetimes.1 != u32::MAX, "of an advertisement: {lifetimes:?}");

        let mut request = address.delete();
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        assert_eq!(sent.header.kind, DELETE_ADDRESS);
        let read = Ipv6Address::parse(&message(NEW_ADDRESS, sent.payload)).unwrap().unwrap();
        assert_eq!((read.index, read.address, read.prefix_len), (2, address.address, 64));
    }

    #[test]
    fn a_prefix_of_no_bits_or_all_is_right() {
        let address = |prefix_len| Ipv6Address {
            index: 1,
            address: Ipv6Addr::LOCALHOST,
            prefix_len,
            flags: 0,
            protocol: None,
        };
        assert_eq!(address(0).prefix(), Ipv6Addr::UNSPECIFIED);
        assert_eq!(address(127).prefix(), Ipv6Addr::UNSPECIFIED);
        assert_eq!(address(128).prefix(), Ipv6Addr::LOCALHOST);
        assert_eq!(address(255).prefix(), Ipv6Addr::LOCALHOST);
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Ipv6Address::parse(&message(16, &[0; 32])), Ok(None));
        assert_eq!(Ipv6Address::parse(&message(NEW_ADDRESS, &[2, 0, 0, 0, 0, 0, 0, 0])), Ok(None));
        assert!(Ipv6Address::parse(&message(NEW_ADDRESS, &[10, 0, 0])).is_err());
        assert!(dump_ipv6(2).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some(address)) = Ipv6Address::parse(&message(NEW_ADDRESS, &payload)) {
                let _ = (address.prefix(), address.delete());
            }
            if let Ok(Some(lifetimes)) = Ipv6Address::lifetimes(&message(NEW_ADDRESS, &payload)) {
                let _ = lifetimes;
            }
        }
    }
}
