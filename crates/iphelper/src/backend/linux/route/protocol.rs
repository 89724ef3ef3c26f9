//! Who made a route: Linux' numbers (`RTPROT_*`) and Windows' words.

use crate::backend::linux::address::ON_LINK_PROTOCOL;
use crate::backend::linux::policy::OUR_PROTOCOL;
use crate::route::{RouteKind, RouteOrigin, RouteProtocol};
use iphelper_netlink::rtnetlink::route::{kind, protocol};

const REDIRECT: u8 = 1;
const STATIC: u8 = 4;
const DHCP: u8 = 16;
const MROUTED: u8 = 17;
const BGP: u8 = 186;
const ISIS: u8 = 187;
const OSPF: u8 = 188;
const RIP: u8 = 189;
const EIGRP: u8 = 192;

/// Routing protocols that both systems have a number for.
const SHARED: [(RouteProtocol, u8); 7] = [
    (RouteProtocol::Dhcp, DHCP),
    (RouteProtocol::Dvmrp, MROUTED),
    (RouteProtocol::Bgp, BGP),
    (RouteProtocol::IsIs, ISIS),
    (RouteProtocol::Ospf, OSPF),
    (RouteProtocol::Rip, RIP),
    (RouteProtocol::Eigrp, EIGRP),
];

/// Windows' word for one of Linux' numbers.
pub(super) fn of_number(number: u8) -> RouteProtocol {
    match number {
        // The second is to an address' prefix, too.
        protocol::KERNEL | ON_LINK_PROTOCOL => RouteProtocol::Local,
        protocol::BOOT | STATIC | OUR_PROTOCOL => RouteProtocol::NetMgmt,
        REDIRECT | protocol::ROUTER_ADVERTISEMENT => RouteProtocol::Icmp,
        _ => SHARED.iter().find(|(_, it)| *it == number).map_or(RouteProtocol::Other, |(it, _)| *it),
    }
}

/// The number that a route of this protocol is made with; `None` where Linux has none, or keeps it for itself.
pub(super) fn to_number(protocol: RouteProtocol) -> Option<u8> {
    match protocol {
        RouteProtocol::NetMgmt => Some(OUR_PROTOCOL),
        _ => SHARED.iter().find(|(it, _)| *it == protocol).map(|(_, number)| *number),
    }
}

/// Where a route with this number comes from.
pub(super) const fn origin(number: u8, is_advertised_prefix: bool) -> RouteOrigin {
    match number {
        protocol::ROUTER_ADVERTISEMENT => RouteOrigin::RouterAdvertisement,
        _ if is_advertised_prefix => RouteOrigin::RouterAdvertisement,
        protocol::KERNEL | ON_LINK_PROTOCOL => RouteOrigin::WellKnown,
        DHCP => RouteOrigin::Dhcp,
        _ => RouteOrigin::Manual,
    }
}

/// What a route of this type (`RTN_*`) does.
pub(super) const fn kind_of(number: u8) -> RouteKind {
    match number {
        kind::UNICAST => RouteKind::Unicast,
        kind::LOCAL => RouteKind::Local,
        kind::BROADCAST => RouteKind::Broadcast,
        kind::ANYCAST => RouteKind::Anycast,
        kind::MULTICAST => RouteKind::Multicast,
        kind::BLACKHOLE => RouteKind::Blackhole,
        kind::UNREACHABLE => RouteKind::Unreachable,
        kind::PROHIBIT => RouteKind::Prohibit,
        kind::THROW => RouteKind::Throw,
        number => RouteKind::Other(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_made_reads_back() {
        for protocol in RouteProtocol::all() {
            if let Some(number) = to_number(protocol) {
                assert_eq!(of_number(number), protocol);
            }
        }
        assert_eq!(to_number(RouteProtocol::Local), None, "the kernel's own");
        assert_eq!(of_number(12), RouteProtocol::Other, "BIRD");
    }
}
