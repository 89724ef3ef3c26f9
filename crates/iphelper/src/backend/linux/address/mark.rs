//! What this library keeps at an address itself, in the byte that says who made it (`IFA_PROTO`, Linux 5.18): it lives and
//! dies with the address, and everybody may read it.
//!
//! | IPv4 | IPv6 | the address is |
//! | --- | --- | --- |
//! | 112 | 112 | an anycast address |
//! | 113 to 142 | 113 to 142 | of such origins, where nothing else shows them |
//! | 144 to 242 | 144 to 173 | skipped as source; IPv4: with such a prefix, since the kernel's is 32 bits long then |
//!
//! The kernel's own numbers are below 4; programs that use the byte write numbers of routing protocols. A number alone is
//! never believed: what is skipped as source has to look so, too.

use super::origin::Origins;
use crate::address::{PrefixOrigin, SuffixOrigin};
use crate::types::Family;
use iphelper_netlink::rtnetlink::addr::{Address, flag};

/// `RT_SCOPE_HOST`.
pub(super) const SCOPE_HOST: u8 = 254;

const ANYCAST: u8 = 112;
const ORIGINS: u8 = 113;
const SKIPPED: u8 = 144;

const PREFIX_ORIGINS: [PrefixOrigin; 5] = [
    PrefixOrigin::Other,
    PrefixOrigin::Manual,
    PrefixOrigin::WellKnown,
    PrefixOrigin::Dhcp,
    PrefixOrigin::RouterAdvertisement,
];
const SUFFIX_ORIGINS: [SuffixOrigin; 6] = [
    SuffixOrigin::Other,
    SuffixOrigin::Manual,
    SuffixOrigin::WellKnown,
    SuffixOrigin::Dhcp,
    SuffixOrigin::LinkLayerAddress,
    SuffixOrigin::Random,
];
/// Origins that an IPv4 address can have while it is skipped as source: the byte has room for three.
const IPV4_SKIPPED_ORIGINS: [Origins; 3] = [
    (PrefixOrigin::Manual, SuffixOrigin::Manual),
    (PrefixOrigin::Dhcp, SuffixOrigin::Dhcp),
    (PrefixOrigin::Other, SuffixOrigin::Other),
];
/// Lengths of an IPv4 prefix: 0 to 32.
const IPV4_LENGTHS: u8 = 33;

/// What the byte says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    Anycast,
    Origins(Origins),
    /// Skipped as source; the length of the prefix for IPv4.
    Skipped {
        origins: Origins,
        prefix_len: u8,
    },
}

impl Mark {
    /// What an address is marked as; `None` for most.
    pub(super) fn of(address: &Address) -> Option<Self> {
        let number = address.protocol?;
        let is_ipv4 = address.address.is_ipv4();
        // Of IPv4 no source is chosen among addresses of the host's scope, and 32 bits keep it out of others' prefixes; of
        // IPv6 a deprecated one is the last choice.
        let is_hidden = if is_ipv4 {
            address.scope == SCOPE_HOST && address.prefix_len == 32
        } else {
            address.flags & flag::DEPRECATED != 0
        };
        match number {
            ANYCAST => is_hidden.then_some(Self::Anycast),
            ORIGINS..SKIPPED => unpacked(number - ORIGINS).map(Self::Origins),
            SKIPPED.. if is_hidden && is_ipv4 => {
                let number = number - SKIPPED;
                let origins = *IPV4_SKIPPED_ORIGINS.get(usize::from(number / IPV4_LENGTHS))?;
                Some(Self::Skipped { origins, prefix_len: number % IPV4_LENGTHS })
            }
            SKIPPED.. if is_hidden => {
                let origins = unpacked(number - SKIPPED)?;
                Some(Self::Skipped { origins, prefix_len: address.prefix_len })
            }
            _ => None,
        }
    }

    /// The byte; `None` for what it has no room for.
    pub(super) fn number(self, family: Family) -> Option<u8> {
        match (self, family) {
            (Self::Anycast, _) => Some(ANYCAST),
            (Self::Origins(origins), _) => Some(ORIGINS + packed(origins)),
            (Self::Skipped { origins, .. }, Family::V6) => Some(SKIPPED + packed(origins)),
            (Self::Skipped { origins, prefix_len }, Family::V4) => {
                let place = IPV4_SKIPPED_ORIGINS.iter().position(|it| *it == origins)?;
                Some(SKIPPED + u8::try_from(place).ok()? * IPV4_LENGTHS + prefix_len)
            }
        }
    }

    /// Whether a byte is one of ours.
    pub(super) const fn is_ours(number: u8) -> bool {
        number >= ANYCAST && number <= SKIPPED + 3 * IPV4_LENGTHS
    }
}

/// Both origins as a number below 30.
pub(super) fn packed((prefix, suffix): Origins) -> u8 {
    let place = |found: Option<usize>| found.and_then(|place| u8::try_from(place).ok()).unwrap_or_default();
    let prefix = place(PREFIX_ORIGINS.iter().position(|it| *it == prefix));
    prefix * 6 + place(SUFFIX_ORIGINS.iter().position(|it| *it == suffix))
}

/// The reverse of [`packed`].
pub(super) fn unpacked(number: u8) -> Option<Origins> {
    let prefix = PREFIX_ORIGINS.get(usize::from(number / 6))?;
    Some((*prefix, *SUFFIX_ORIGINS.get(usize::from(number % 6))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(text: &str, protocol: u8) -> Address {
        let address: IpAddr = text.parse().unwrap();
        let prefix_len = if address.is_ipv4() { 32 } else { 64 };
        Address {
            scope: SCOPE_HOST,
            flags: flag::DEPRECATED,
            protocol: Some(protocol),
            ..Address::new(1, address, prefix_len)
        }
    }

    #[test]
    fn every_mark_reads_back_and_none_reads_as_another() {
        for (family, text) in [(Family::V4, "192.0.2.1"), (Family::V6, "2001:db8::1")] {
            let mut marks = vec![Mark::Anycast];
            for prefix in PREFIX_ORIGINS {
                for suffix in SUFFIX_ORIGINS {
                    marks.push(Mark::Origins((prefix, suffix)));
                    let lengths = if family == Family::V4 { 0..=32 } else { 64..=64 };
                    marks.extend(
                        lengths.map(|prefix_len| Mark::Skipped { origins: (prefix, suffix), prefix_len }),
                    );
                }
            }
            let mut seen = std::collections::BTreeSet::new();
            for mark in marks {
                let Some(number) = mark.number(family) else { continue };
                assert_eq!(Mark::of(&address(text, number)), Some(mark));
                assert!(seen.insert(number), "{mark:?}: {number} stands for another");
                assert!(Mark::is_ours(number), "{number}");
            }
            assert_eq!(seen.len(), if family == Family::V4 { 1 + 30 + 99 } else { 1 + 30 + 30 });
        }
    }

    #[test]
    fn what_does_not_look_so_is_not_believed() {
        let skipped = Mark::Skipped { origins: IPV4_SKIPPED_ORIGINS[0], prefix_len: 24 };
        let number = skipped.number(Family::V4).unwrap();
        for (scope, prefix_len) in [(0, 32), (SCOPE_HOST, 24)] {
            let other = Address { scope, prefix_len, ..address("192.0.2.1", number) };
            assert_eq!(Mark::of(&other), None);
        }
        let plain = Address { flags: 0, ..address("2001:db8::1", SKIPPED) };
        assert_eq!(Mark::of(&plain), None);
        // keepalived and the kernel.
        assert!([0, 1, 2, 3, 18].iter().all(|number| Mark::of(&address("192.0.2.1", *number)).is_none()));
        assert_eq!(Mark::of(&address("2001:db8::1", 255)), None);
    }
}
