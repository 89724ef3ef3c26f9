//! Where an address comes from, as far as the kernel tells or the address itself.

use super::mark::Mark;
use crate::address::{PrefixOrigin, SuffixOrigin};
use crate::backend::linux::link::Link;
use iphelper_netlink::rtnetlink::addr::{Address, flag, protocol};
use iphelper_netlink::rtnetlink::link::flag as link_flag;
use std::net::{IpAddr, Ipv6Addr};

/// The two origins of an address.
pub(super) type Origins = (PrefixOrigin, SuffixOrigin);

/// Those of an address that somebody set.
pub(super) const MANUAL: Origins = (PrefixOrigin::Manual, SuffixOrigin::Manual);
/// Those of an IPv4 address that a host gave itself.
pub(super) const LINK_LOCAL: Origins = (PrefixOrigin::WellKnown, SuffixOrigin::Random);
const DHCP: Origins = (PrefixOrigin::Dhcp, SuffixOrigin::Dhcp);
const WELL_KNOWN: Origins = (PrefixOrigin::WellKnown, SuffixOrigin::WellKnown);

/// `RT_SCOPE_LINK`.
const SCOPE_LINK: u8 = 253;

/// The origins of an address: those that were set, or else those that show.
pub(super) fn origins(address: &Address, link: &Link) -> Origins {
    match Mark::of(address) {
        Some(Mark::Origins(origins) | Mark::Skipped { origins, .. }) => origins,
        Some(Mark::Anycast) | None => visible_origins(address, link),
    }
}

/// The origins as the kernel's flags, who made the address, and the address show them.
pub(super) fn visible_origins(address: &Address, link: &Link) -> Origins {
    let is_dynamic = address.flags & flag::PERMANENT == 0;
    if address.address.is_loopback() && link.has(link_flag::LOOPBACK) {
        return WELL_KNOWN;
    }
    match address.address {
        // RFC 3927. Programs that take such an address, as systemd-networkd and avahi, give it the scope of the link.
        IpAddr::V4(ipv4) if ipv4.is_link_local() && address.scope == SCOPE_LINK => LINK_LOCAL,
        // A lease ends; nothing else gives IPv4 addresses that do.
        IpAddr::V4(_) if is_dynamic => DHCP,
        IpAddr::V4(_) => MANUAL,
        IpAddr::V6(ipv6) => ipv6_origins(address, ipv6, link, is_dynamic),
    }
}

fn ipv6_origins(address: &Address, ipv6: Ipv6Addr, link: &Link, is_dynamic: bool) -> Origins {
    let has = |flag| address.flags & flag != 0;
    let suffix = ipv6_suffix(address, ipv6, link);
    match address.protocol {
        Some(protocol::LINK_LOCAL) => (PrefixOrigin::WellKnown, suffix.unwrap_or(SuffixOrigin::Random)),
        Some(protocol::ROUTER_ADVERTISEMENT) => {
            (PrefixOrigin::RouterAdvertisement, suffix.unwrap_or(SuffixOrigin::Random))
        }
        // Kernels before 5.18 do not tell who; a program that gives itself such an address does as the kernel would.
        _ if ipv6.is_unicast_link_local() => {
            suffix.map_or(MANUAL, |suffix| (PrefixOrigin::WellKnown, suffix))
        }
        // NetworkManager and systemd-networkd read router advertisements themselves, and have the kernel make temporary
        // addresses.
        _ if has(flag::TEMPORARY | flag::MANAGE_TEMPORARY) => {
            (PrefixOrigin::RouterAdvertisement, suffix.unwrap_or(SuffixOrigin::Random))
        }
        // DHCPv6 leases single addresses.
        _ if is_dynamic && address.prefix_len == 128 => DHCP,
        _ if is_dynamic => suffix.map_or((PrefixOrigin::Other, SuffixOrigin::Other), |suffix| {
            (PrefixOrigin::RouterAdvertisement, suffix)
        }),
        _ => MANUAL,
    }
}

/// How the lower half was made, where it shows.
fn ipv6_suffix(address: &Address, ipv6: Ipv6Addr, link: &Link) -> Option<SuffixOrigin> {
    if address.flags & (flag::TEMPORARY | flag::STABLE_PRIVACY) != 0 {
        return Some(SuffixOrigin::Random);
    }
    let half = |address: Ipv6Addr| address.to_bits() & u128::from(u64::MAX);
    if link.ipv6.is_some_and(|part| half(part.token) != 0 && half(part.token) == half(ipv6)) {
        return Some(SuffixOrigin::Manual);
    }
    let by_address = interface_identifier(&link.address);
    let [.., i0, i1, i2, i3, i4, i5, i6, i7] = ipv6.octets();
    (by_address == Some([i0, i1, i2, i3, i4, i5, i6, i7])).then_some(SuffixOrigin::LinkLayerAddress)
}

/// The interface identifier that is made of an Ethernet address (RFC 4291, appendix A).
fn interface_identifier(address: &[u8]) -> Option<[u8; 8]> {
    let &[a, b, c, d, e, f] = address else { return None };
    Some([a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}
