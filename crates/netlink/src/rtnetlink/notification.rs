//! What rtnetlink's multicast groups announce: whose state to read again.
//!
//! A listener that keeps a table compares it with what it reads, so an announcement need tell no more than the
//! interface. The messages carry values too, but not all that a table holds, and after an overrun none at all.

use super::addr::{DELETE_ADDRESS, NEW_ADDRESS};
use super::link::{DELETE_LINK, NEW_LINK};
use super::netconf::{self, Netconf};
use crate::DecodeError;
use crate::message::Message;

/// The multicast group that is number `group`, as a bit of the mask that `bind` takes.
const fn bit(group: u32) -> u32 {
    1 << (group - 1)
}

/// `RTNLGRP_LINK`: links, with each family's part.
pub const LINK: u32 = bit(1);
/// `RTNLGRP_NEIGH`: neighbours of either family, and bridges' tables.
pub const NEIGHBOR: u32 = bit(3);
/// `RTNLGRP_IPV4_IFADDR`: IPv4 addresses.
pub const IPV4_ADDRESS: u32 = bit(5);
/// `RTNLGRP_IPV4_ROUTE`: IPv4 routes.
pub const IPV4_ROUTE: u32 = bit(7);
/// `RTNLGRP_IPV4_RULE`: IPv4 policy rules.
pub const IPV4_RULE: u32 = bit(8);
/// `RTNLGRP_IPV6_IFADDR`: IPv6 addresses.
pub const IPV6_ADDRESS: u32 = bit(9);
/// `RTNLGRP_IPV6_ROUTE`: IPv6 routes.
pub const IPV6_ROUTE: u32 = bit(11);
/// `RTNLGRP_IPV6_IFINFO`: the IPv6 part of links.
pub const IPV6_LINK: u32 = bit(12);
/// `RTNLGRP_IPV6_RULE`: IPv6 policy rules.
pub const IPV6_RULE: u32 = bit(19);
/// `RTNLGRP_IPV4_NETCONF`: `net.ipv4.conf`.
pub const IPV4_NETCONF: u32 = bit(24);
/// `RTNLGRP_IPV6_NETCONF`: `net.ipv6.conf`.
pub const IPV6_NETCONF: u32 = bit(25);
/// `RTNLGRP_NEXTHOP`: nexthop objects.
pub const NEXTHOP: u32 = bit(32);

/// `RTM_DELNEXTHOP`: a nexthop object that is gone, and with it, unannounced, the IPv4 routes over it.
pub const DELETE_NEXT_HOP: u16 = 105;

const UNSPECIFIED: u8 = 0;
const BRIDGE: u8 = 7;

/// What one message of these groups is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Announcement {
    /// The link with this index, or its part for one family, is new, changed, or without that part.
    Link(u32),
    /// The link with this index has left the namespace.
    LinkGone(u32),
    /// The link with this index has one address more.
    Address(u32),
    /// The link with this index has one address less.
    AddressGone(u32),
    /// A setting was written.
    Setting(Netconf),
}

impl Announcement {
    /// The link that it is about; `None` for a setting of all links.
    #[must_use]
    pub const fn index(&self) -> Option<u32> {
        match *self {
            Self::Link(index) | Self::LinkGone(index) | Self::Address(index) | Self::AddressGone(index) => {
                Some(index)
            }
            Self::Setting(Netconf { scope: netconf::Scope::Interface(index), .. }) => Some(index),
            Self::Setting(_) => None,
        }
    }

    /// Reads a message; `None` for one that says nothing of these subjects.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(match message.header.kind {
            NEW_LINK | DELETE_LINK => {
                let (&[family, _, _, _, i0, i1, i2, i3, ..], _) = message.split::<16>("ifinfomsg")?;
                let index = u32::from_ne_bytes([i0, i1, i2, i3]);
                match (family, message.header.kind) {
                    // A bridge's view of its port, sent in the same group. When the port leaves the bridge this is a
                    // deletion, and the link is still there.
                    (BRIDGE, _) => None,
                    (UNSPECIFIED, DELETE_LINK) => Some(Self::LinkGone(index)),
                    _ => Some(Self::Link(index)),
                }
            }
            kind @ (NEW_ADDRESS | DELETE_ADDRESS) => {
                let (&[_, _, _, _, i0, i1, i2, i3], _) = message.split::<8>("ifaddrmsg")?;
                let index = u32::from_ne_bytes([i0, i1, i2, i3]);
                Some(if kind == NEW_ADDRESS { Self::Address(index) } else { Self::AddressGone(index) })
            }
            netconf::NEW | netconf::DELETE => Some(Self::Setting(Netconf::parse(message)?)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Messages, Request};
    use proptest::prelude::*;

    fn parse(kind: u16, payload: &[u8]) -> Result<Option<Announcement>, DecodeError> {
        let bytes = Request::new(kind, 0, payload).finish(0).to_vec();
        Announcement::parse(&Messages::new(&bytes).next().unwrap().unwrap())
    }

    fn link(kind: u16, family: u8) -> Option<Announcement> {
        let mut payload = [0; 16];
        payload[0] = family;
        payload[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        parse(kind, &payload).unwrap()
    }

    #[test]
    fn a_link_is_gone_only_when_no_family_is_named() {
        assert_eq!(link(NEW_LINK, UNSPECIFIED), Some(Announcement::Link(7)));
        assert_eq!(link(DELETE_LINK, UNSPECIFIED), Some(Announcement::LinkGone(7)));
        assert_eq!(link(DELETE_LINK, 10), Some(Announcement::Link(7)), "its IPv6 part alone");
        assert_eq!(link(DELETE_LINK, BRIDGE), None, "its place in a bridge alone");
        assert_eq!(link(NEW_LINK, BRIDGE), None);
    }

    #[test]
    fn addresses_name_their_link() {
        let mut payload = [10, 64, 0x80, 253, 0, 0, 0, 0];
        payload[4..].copy_from_slice(&3_u32.to_ne_bytes());
        assert_eq!(parse(NEW_ADDRESS, &payload), Ok(Some(Announcement::Address(3))));
        assert_eq!(parse(DELETE_ADDRESS, &payload), Ok(Some(Announcement::AddressGone(3))));
        assert_eq!(parse(24, &payload), Ok(None), "a route");
    }

    proptest! {
        #[test]
        fn any_payload_is_read_without_panic(kind in 0_u16..100, payload in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(kind, &payload);
        }
    }
}
