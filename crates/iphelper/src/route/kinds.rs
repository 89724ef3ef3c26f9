//! What is said of a route in one word: what it does, who made it, where it came from.

use std::fmt;

/// What a route does with a packet. Windows knows unicast routes alone, and those to its own addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RouteKind {
    /// Sends it on.
    Unicast,
    /// Takes it in: an address of this host.
    Local,
    /// Takes it in, and sends it as a broadcast.
    Broadcast,
    /// Takes it in: an anycast address of this host.
    Anycast,
    /// Hands it to the receivers of a group.
    Multicast,
    /// Drops it in silence.
    Blackhole,
    /// Drops it, and tells the sender that the host is unreachable.
    Unreachable,
    /// Drops it, and tells the sender that this is prohibited.
    Prohibit,
    /// Ends the look-up in this table; the next rule has its turn.
    Throw,
    /// Another (`RTN_*`).
    Other(u8),
}

/// Who made a route, in Windows' terms.
///
/// Linux' own number is in [`Route::system_protocol`](super::Route::system_protocol); several of them are one here.
#[doc(alias = "NL_ROUTE_PROTOCOL")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RouteProtocol {
    /// Something that Windows has no number for.
    Other,
    /// The stack itself: prefixes and addresses of interfaces.
    Local,
    /// A program or a person.
    #[default]
    NetMgmt,
    /// ICMP: a redirect, or a router's advertisement.
    Icmp,
    /// EGP.
    Egp,
    /// GGP.
    Ggp,
    /// Hello.
    Hello,
    /// RIP.
    Rip,
    /// IS-IS.
    IsIs,
    /// ES-IS.
    EsIs,
    /// Cisco's IGRP.
    Cisco,
    /// BBN SPF.
    Bbn,
    /// OSPF.
    Ospf,
    /// BGP.
    Bgp,
    /// IDPR.
    Idpr,
    /// EIGRP.
    Eigrp,
    /// DVMRP.
    Dvmrp,
    /// RPL.
    Rpl,
    /// DHCP.
    Dhcp,
    /// Windows' routing service, from a protocol, to be kept.
    NtAutostatic,
    /// Windows' routing service, by hand.
    NtStatic,
    /// Windows' routing service, by hand, no dialling.
    NtStaticNonDod,
}

impl RouteProtocol {
    const NUMBERS: [(Self, u32, &str); 22] = [
        (Self::Other, 1, "other"),
        (Self::Local, 2, "local"),
        (Self::NetMgmt, 3, "netmgmt"),
        (Self::Icmp, 4, "icmp"),
        (Self::Egp, 5, "egp"),
        (Self::Ggp, 6, "ggp"),
        (Self::Hello, 7, "hello"),
        (Self::Rip, 8, "rip"),
        (Self::IsIs, 9, "isis"),
        (Self::EsIs, 10, "esis"),
        (Self::Cisco, 11, "cisco"),
        (Self::Bbn, 12, "bbn"),
        (Self::Ospf, 13, "ospf"),
        (Self::Bgp, 14, "bgp"),
        (Self::Idpr, 15, "idpr"),
        (Self::Eigrp, 16, "eigrp"),
        (Self::Dvmrp, 17, "dvmrp"),
        (Self::Rpl, 18, "rpl"),
        (Self::Dhcp, 19, "dhcp"),
        (Self::NtAutostatic, 10002, "nt_autostatic"),
        (Self::NtStatic, 10006, "nt_static"),
        (Self::NtStaticNonDod, 10007, "nt_static_non_dod"),
    ];

    /// The number in Windows' rows (`NL_ROUTE_PROTOCOL`).
    #[must_use]
    pub fn number(self) -> u32 {
        Self::NUMBERS.iter().find(|(it, ..)| *it == self).map_or(1, |(_, number, _)| *number)
    }

    /// The protocol with this number in Windows' rows; `None` for a number that none has.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::NUMBERS.iter().find(|(_, it, _)| *it == number).map(|(it, ..)| *it)
    }

    /// Every protocol.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NUMBERS.iter().map(|(it, ..)| *it)
    }
}

/// Where a route comes from.
#[doc(alias = "NL_ROUTE_ORIGIN")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RouteOrigin {
    /// A program, a person or a routing protocol.
    Manual,
    /// The stack itself.
    WellKnown,
    /// DHCP.
    Dhcp,
    /// A router's advertisement.
    RouterAdvertisement,
    /// 6to4.
    SixToFour,
}

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unicast => "unicast",
            Self::Local => "local",
            Self::Broadcast => "broadcast",
            Self::Anycast => "anycast",
            Self::Multicast => "multicast",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Throw => "throw",
            Self::Other(number) => return write!(f, "type_{number}"),
        })
    }
}

impl fmt::Display for RouteProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NUMBERS.iter().find(|(it, ..)| it == self).map_or("other", |(.., name)| name))
    }
}

impl fmt::Display for RouteOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "manual",
            Self::WellKnown => "well_known",
            Self::Dhcp => "dhcp",
            Self::RouterAdvertisement => "router_advertisement",
            Self::SixToFour => "6to4",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_read_back_by_number() {
        for protocol in RouteProtocol::all() {
            assert_eq!(RouteProtocol::from_number(protocol.number()), Some(protocol));
        }
        assert_eq!(RouteProtocol::from_number(0), None);
        assert_eq!(RouteProtocol::from_number(u32::MAX), None);
    }
}
