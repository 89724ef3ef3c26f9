//! The rules of RFC 6724, section 6, in their order.

use super::{AddressPair, Destination, Policy};
use std::cmp::{Ordering, Reverse};
use std::net::IpAddr;

/// A destination with what the rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) destination: Destination,
    /// The address that it is reached from; `None`: it is not.
    pub(crate) source: Option<Source>,
}

/// A source address with what the rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) address: IpAddr,
    /// The length of its prefix.
    pub(crate) prefix_len: u8,
    pub(crate) is_deprecated: bool,
    /// A mobile node's home address.
    pub(crate) is_home: bool,
    /// Whether packets leave by a tunnel.
    pub(crate) is_tunnelled: bool,
}

/// Sorts the candidates; of two that no rule tells apart the first stays first.
pub(crate) fn sort(candidates: &[Candidate], policy: &Policy) -> Vec<AddressPair> {
    let mut places: Vec<(usize, &Candidate)> = candidates.iter().enumerate().collect();
    places.sort_by(|(_, one), (_, other)| compare(one, other, policy));
    let pair = |(place, candidate): (usize, &Candidate)| AddressPair {
        source: candidate.source.map(|source| source.address),
        destination: candidate.destination,
        place,
    };
    places.into_iter().map(pair).collect()
}

fn compare(one: &Candidate, other: &Candidate, policy: &Policy) -> Ordering {
    // Rule 1: avoid unusable destinations.
    let (source, source_of_other) = match (one.source, other.source) {
        (Some(source), Some(of_other)) => (source, of_other),
        (source, of_other) => return of_other.is_some().cmp(&source.is_some()),
    };
    let key = |candidate: &Candidate, source: Source| {
        let address = candidate.destination.address;
        let scope = policy.scope(address);
        (
            // Rule 2: prefer matching scope.
            Reverse(scope == policy.scope(source.address)),
            // Rule 3: avoid deprecated addresses.
            source.is_deprecated,
            // Rule 4: prefer home addresses.
            Reverse(source.is_home),
            // Rule 5: prefer matching label.
            Reverse(policy.label(address).is_some_and(|label| policy.label(source.address) == Some(label))),
            // Rule 6: prefer higher precedence.
            Reverse(policy.precedence(address)),
            // Rule 7: prefer native transport.
            source.is_tunnelled,
            // Rule 8: prefer smaller scope.
            scope,
        )
    };
    key(one, source).cmp(&key(other, source_of_other)).then_with(|| {
        // Rule 9: longest matching prefix, of one family. Rule 10: else leave the order.
        match (common(one.destination.address, source), common(other.destination.address, source_of_other)) {
            (Some((family, len)), Some((family_of_other, len_of_other))) if family == family_of_other => {
                len_of_other.cmp(&len)
            }
            _ => Ordering::Equal,
        }
    })
}

/// The family, and how many leading bits a destination shares with its source, as far as the source's prefix reaches.
fn common(destination: IpAddr, source: Source) -> Option<(bool, u32)> {
    let (is_ipv4, bits) = match (destination, source.address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (true, (one.to_bits() ^ other.to_bits()).leading_zeros()),
        (IpAddr::V6(one), IpAddr::V6(other)) => (false, (one.to_bits() ^ other.to_bits()).leading_zeros()),
        _ => return None,
    };
    Some((is_ipv4, bits.min(source.prefix_len.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(destination: &str, source: &str) -> Candidate {
        let source = source.parse().ok().map(|address: IpAddr| Source {
            address,
            prefix_len: if address.is_ipv4() { 24 } else { 64 },
            is_deprecated: false,
            is_home: false,
            is_tunnelled: false,
        });
        Candidate { destination: destination.parse::<IpAddr>().unwrap().into(), source }
    }

    fn order(candidates: &[Candidate]) -> Vec<usize> {
        sort(candidates, &Policy::new(Vec::new(), "")).iter().map(|pair| pair.place).collect()
    }

    /// The examples of RFC 6724, section 10.2, each the preferred one second.
    #[test]
    fn the_examples_of_the_rfc() {
        let examples: &[[(&str, &str); 2]] = &[
            [("198.51.100.121", "169.254.13.78"), ("2001:db8:1::1", "2001:db8:1::2")],
            [("2001:db8:1::1", "fe80::1"), ("198.51.100.121", "198.51.100.117")],
            [("10.1.2.3", "10.1.2.4"), ("2001:db8:1::1", "2001:db8:1::2")],
            [("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2")],
            [("2001:db8:1::1", "2001:db8:3::1"), ("2001:db8:1::1", "2001:db8:1::9")],
            [("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2001:db8:1::2")],
            [("2001:db8:1::1", "2002:c633:6401::2"), ("2002:c633:6401::1", "2002:c633:6401::2")],
        ];
        for [worse, better] in examples {
            assert_eq!(
                order(&[candidate(worse.0, worse.1), candidate(better.0, better.1)]),
                [1, 0],
                "{better:?} before {worse:?}"
            );
        }
    }

    #[test]
    fn each_property_of_a_source_decides() {
        let plain = candidate("2001:db8:1::1", "2001:db8:2::1");
        let with = |change: fn(&mut Source)| {
            let mut candidate = plain;
            candidate.source.iter_mut().for_each(change);
            candidate
        };
        assert_eq!(order(&[candidate("2001:db8:1::1", ""), plain]), [1, 0], "unusable");
        assert_eq!(order(&[with(|source| source.is_deprecated = true), plain]), [1, 0]);
        assert_eq!(order(&[with(|source| source.is_tunnelled = true), plain]), [1, 0]);
        assert_eq!(order(&[plain, with(|source| source.is_home = true)]), [1, 0]);
        assert_eq!(order(&[plain, plain, plain]), [0, 1, 2], "nothing tells them apart");
    }

    #[test]
    fn bits_behind_the_prefix_do_not_count() {
        let near = candidate("2001:db8:1::ffff", "2001:db8:1::fffe");
        let far = candidate("2001:db8:1::1", "2001:db8:1::ffff");
        assert_eq!(order(&[far, near]), [0, 1]);
    }
}
