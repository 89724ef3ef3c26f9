//! RFC 6724's policy table: labels, precedences, scopes of IPv4 addresses.

use std::net::{IpAddr, Ipv6Addr};

/// A prefix of IPv6 addresses, IPv4-mapped ones among them, and its number.
pub(crate) type Entry = (Ipv6Addr, u8, u32);

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    labels: Vec<Entry>,
    precedences: Vec<Entry>,
    ipv4_scopes: Vec<Entry>,
}

const fn mapped(a: u16, b: u16) -> Ipv6Addr {
    Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b)
}

const fn first(a: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, 0)
}

/// Prefix, its length, precedence, label (RFC 6724, section 2.1).
const DEFAULT: [(Ipv6Addr, u8, u32, u32); 9] = [
    (Ipv6Addr::LOCALHOST, 128, 50, 0),
    (first(0), 0, 40, 1),
    (mapped(0, 0), 96, 35, 4),
    (first(0x2002), 16, 30, 2),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 5, 5),
    (first(0xfc00), 7, 3, 13),
    (first(0), 96, 1, 3),
    (first(0xfec0), 10, 1, 11),
    (first(0x3ffe), 16, 1, 12),
];

/// Section 3.2: link-local and loopback addresses have link-local scope, all others are global.
const IPV4_SCOPES: [Entry; 3] =
    [(mapped(0xa9fe, 0), 112, 2), (mapped(0x7f00, 0), 104, 2), (mapped(0, 0), 96, 14)];

impl Policy {
    /// The table of a host whose kernel has these labels, and whose `/etc/gai.conf` reads so. What neither has is the
    /// RFC's.
    pub(crate) fn new(labels: Vec<Entry>, configuration: &str) -> Self {
        let default = |column: fn(&(Ipv6Addr, u8, u32, u32)) -> u32| -> Vec<Entry> {
            DEFAULT.iter().map(|row| (row.0, row.1, column(row))).collect()
        };
        let or = |read: Vec<Entry>, otherwise: Vec<Entry>| if read.is_empty() { otherwise } else { read };
        Self {
            labels: or(labels, default(|row| row.3)),
            precedences: or(read(configuration, "precedence"), default(|row| row.2)),
            ipv4_scopes: or(read(configuration, "scopev4"), IPV4_SCOPES.to_vec()),
        }
    }

    pub(crate) fn label(&self, address: IpAddr) -> Option<u32> {
        longest(&self.labels, address)
    }

    pub(crate) fn precedence(&self, address: IpAddr) -> u32 {
        longest(&self.precedences, address).unwrap_or_default()
    }

    /// The scope, by the numbers of IPv6 multicast: 1 interface, 2 link, 5 site, 14 global.
    pub(crate) fn scope(&self, address: IpAddr) -> u32 {
        const LINK: u32 = 2;
        const SITE: u32 = 5;
        const GLOBAL: u32 = 14;
        match address {
            IpAddr::V4(_) => longest(&self.ipv4_scopes, address).unwrap_or(GLOBAL),
            IpAddr::V6(v6) if v6.is_multicast() => u32::from(v6.octets()[1] & 0xf),
            IpAddr::V6(v6) if v6.is_loopback() || v6.is_unicast_link_local() => LINK,
            IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => SITE,
            IpAddr::V6(_) => GLOBAL,
        }
    }
}

/// What `fuzz/targets/address_policy.rs` runs: any file makes a table that has an answer for every address.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let policy = Policy::new(Vec::new(), &String::from_utf8_lossy(bytes));
    for address in ["192.0.2.1", "169.254.1.1", "2001:db8::1", "fe80::1", "ff05::1", "::ffff:10.1.2.3", "::1"]
    {
        let Ok(address) = address.parse() else { continue };
        assert!(policy.label(address).is_some(), "a label of the RFC's");
        let _ = (policy.precedence(address), policy.scope(address));
    }
}

/// An address as IPv6 has it.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The number of the longest prefix that an address is in.
fn longest(entries: &[Entry], address: IpAddr) -> Option<u32> {
    let is_in = |(prefix, len, _): &&Entry| {
        let rest = 128_u32.saturating_sub(u32::from(*len));
        (prefix.to_bits() ^ bits(address)).checked_shr(rest).unwrap_or(0) == 0
    };
    entries.iter().filter(is_in).max_by_key(|(_, len, _)| *len).map(|(.., number)| *number)
}

/// The lines `WORD PREFIX/LEN NUMBER` of the file; others are passed over, as the C library does.
fn read(configuration: &str, word: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if words.next() != Some(word) {
            return None;
        }
        let (prefix, number) = (words.next()?, words.next()?);
        let (prefix, len) = prefix.split_once('/').unwrap_or((prefix, "128"));
        // IPv4 prefixes may stand for their mapped form.
        let (prefix, base): (Ipv6Addr, u8) = match prefix.parse().ok()? {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped(), 96),
            IpAddr::V6(v6) => (v6, 0),
        };
        let len = if base == 96 && len == "128" { 128 } else { base.checked_add(len.parse().ok()?)? };
        (len <= 128).then_some((prefix, len, number.parse().ok()?))
    };
    configuration.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_rfcs_table_is_the_default() {
        let policy = Policy::new(Vec::new(), "");
        for (address, precedence, label) in [
            ("::1", 50, 0),
            ("2001:db8::1", 40, 1),
            ("192.0.2.1", 35, 4),
            ("2002:c000:201::1", 30, 2),
            ("2001::1", 5, 5),
            ("fd00::1", 3, 13),
            ("::192.0.2.1", 1, 3),
            ("fec0::1", 1, 11),
            ("3ffe::1", 1, 12),
        ] {
            assert_eq!(policy.precedence(ip(address)), precedence, "{address}");
            assert_eq!(policy.label(ip(address)), Some(label), "{address}");
        }
        for (address, scope) in [
            ("169.254.1.1", 2),
            ("127.0.0.1", 2),
            ("10.0.0.1", 14),
            ("fe80::1", 2),
            ("::1", 2),
            ("ff05::1", 5),
            ("fec0::1", 5),
            ("fd00::1", 14),
        ] {
            assert_eq!(policy.scope(ip(address)), scope, "{address}");
        }
    }

    #[test]
    fn the_configuration_replaces_a_table_whole() {
        let file = "# comment\nlabel ::1/128 7\n precedence ::ffff:0:0/96 100 # IPv4 first\nscopev4 10.0.0.0/8 5\n\
                    precedence nonsense 1\nprecedence ::/129 1\nprecedence ::1\n";
        let policy = Policy::new(vec![(first(0x2001), 16, 9)], file);
        assert_eq!((policy.precedence(ip("192.0.2.1")), policy.precedence(ip("2001:db8::1"))), (100, 0));
        assert_eq!((policy.scope(ip("10.1.1.1")), policy.scope(ip("127.0.0.1"))), (5, 14));
        assert_eq!((policy.label(ip("2001:db8::1")), policy.label(ip("::1"))), (Some(9), None));
    }
}
