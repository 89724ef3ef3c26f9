//! Router advertisements and solicitations as bytes (RFC 4861, sections 4.1, 4.2 and 4.6).
//!
//! The kernel fills the checksum of raw ICMPv6 sockets in, and drops what comes with a wrong one.

use std::net::Ipv6Addr;

const SOLICITATION: u8 = 133;
const ADVERTISEMENT: u8 = 134;

/// Options of neighbour discovery.
const SOURCE_LINK_LAYER: u8 = 1;
const PREFIX_INFORMATION: u8 = 3;
const MTU: u8 = 5;

/// The hop limit of all neighbour discovery: a packet with it has passed no router.
pub(super) const HOP_LIMIT: u8 = 255;

const HEADER_LEN: usize = 16;
const PREFIX_LEN: usize = 32;

/// What hosts are told to use as the hop limit of their packets (`AdvCurHopLimit`, the default of RFC 4861).
const ADVERTISED_HOP_LIMIT: u8 = 64;

/// A prefix option.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Prefix {
    pub(super) address: Ipv6Addr,
    pub(super) len: u8,
    /// Seconds; `u32::MAX` is for ever. Zero ends it.
    pub(super) valid: u32,
    pub(super) preferred: u32,
}

impl Prefix {
    /// Hosts make addresses of prefixes of 64 bits alone (RFC 4862, section 5.5.3, with 64-bit identifiers).
    fn is_autonomous(&self) -> bool {
        self.len == 64
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        const ON_LINK: u8 = 0x80;
        const AUTONOMOUS: u8 = 0x40;
        let flags = if self.is_autonomous() { ON_LINK | AUTONOMOUS } else { ON_LINK };
        bytes.extend([PREFIX_INFORMATION, 4, self.len, flags]);
        bytes.extend(self.valid.to_be_bytes());
        bytes.extend(self.preferred.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.address.octets());
    }
}

/// What a router tells the hosts of a link.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Advertisement {
    /// M: addresses come by DHCPv6.
    pub(super) managed: bool,
    /// O: the rest comes by DHCPv6.
    pub(super) other_configuration: bool,
    /// How long hosts may use this router as a default router, in seconds; 0: not at all.
    pub(super) router_lifetime: u16,
    pub(super) mtu: Option<u32>,
    /// The router's Ethernet address.
    pub(super) source: Option<[u8; 6]>,
    pub(super) prefixes: Vec<Prefix>,
}

impl Advertisement {
    /// The messages, none longer than `room`: prefixes that do not fit the first one go into further ones, as RFC 4861,
    /// section 6.2.3 allows.
    pub(super) fn encode(&self, room: usize) -> Vec<Vec<u8>> {
        let head = self.head();
        let fitting = (room.saturating_sub(head.len()) / PREFIX_LEN).max(1);
        if self.prefixes.is_empty() {
            return vec![head];
        }
        let message = |prefixes: &[Prefix]| {
            let mut bytes = head.clone();
            prefixes.iter().for_each(|prefix| prefix.encode(&mut bytes));
            bytes
        };
        self.prefixes.chunks(fitting).map(message).collect()
    }

    /// The header and the options that stand in each message.
    fn head(&self) -> Vec<u8> {
        let flags = u8::from(self.managed) << 7 | u8::from(self.other_configuration) << 6;
        let mut bytes = Vec::with_capacity(HEADER_LEN + 16);
        bytes.extend([ADVERTISEMENT, 0, 0, 0, ADVERTISED_HOP_LIMIT, flags]);
        bytes.extend(self.router_lifetime.to_be_bytes());
        // Reachable time and retransmission timer: not told.
        bytes.extend([0; 8]);
        if let Some(source) = self.source {
            bytes.extend([SOURCE_LINK_LAYER, 1]);
            bytes.extend(source);
        }
        if let Some(mtu) = self.mtu {
            bytes.extend([MTU, 1, 0, 0]);
            bytes.extend(mtu.to_be_bytes());
        }
        bytes
    }
}

/// Whether a message is a router solicitation that RFC 4861, section 6.1.1 calls valid. The kernel has checked the
/// checksum.
pub(super) fn is_valid_solicitation(message: &[u8], hop_limit: Option<u8>, source: Ipv6Addr) -> bool {
    let &[SOLICITATION, 0, _, _, _, _, _, _, ref options @ ..] = message else { return false };
    if hop_limit != Some(HOP_LIMIT) {
        return false;
    }
    let mut options = options;
    while !options.is_empty() {
        // In units of eight octets.
        let [kind, len @ (1..), ..] = *options else { return false };
        let Some(rest) = options.get(usize::from(len) * 8..) else { return false };
        if kind == SOURCE_LINK_LAYER && source.is_unspecified() {
            return false;
        }
        options = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(n: u16, len: u8) -> Prefix {
        let address = Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0);
        Prefix { address, len, valid: 0x1234_5678, preferred: 0x9abc_def0 }
    }

    #[test]
    fn an_advertisement_has_the_bytes_of_the_rfc() {
        let advertisement = Advertisement {
            managed: true,
            other_configuration: false,
            router_lifetime: 1800,
            mtu: Some(1500),
            source: Some([2, 0, 0, 0, 0, 7]),
            prefixes: vec![prefix(1, 64), prefix(2, 48)],
        };
        let expected = "86000000 4080 0708 00000000 00000000 \
             0101 020000000007 0501 0000 000005dc \
             0304 40c0 12345678 9abcdef0 00000000 20010db8000100000000000000000000 \
             0304 3080 12345678 9abcdef0 00000000 20010db8000200000000000000000000";
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let messages = advertisement.encode(1460);
        assert_eq!(messages.len(), 1);
        assert_eq!(hex(&messages[0]), expected.replace(' ', ""));
        let plain = Advertisement { other_configuration: true, ..Advertisement::default() }.encode(1240);
        assert_eq!(hex(&plain[0]), "86000000404000000000000000000000");
    }

    #[test]
    fn prefixes_that_do_not_fit_go_into_further_messages() {
        let prefixes: Vec<_> = (0..100).map(|n| prefix(n, 64)).collect();
        let advertisement = Advertisement { prefixes, mtu: Some(1280), ..Advertisement::default() };
        let messages = advertisement.encode(1240);
        assert_eq!(messages.len(), 3, "38 prefixes in 24 + 38 * 32 octets");
        assert!(messages.iter().all(|message| message.len() <= 1240 && message.starts_with(&[134])));
        let total: usize = messages.iter().map(|message| (message.len() - 24) / 32).sum();
        assert_eq!(total, 100);
    }

    #[test]
    fn solicitations_are_checked() {
        let host: Ipv6Addr = "fe80::1".parse().unwrap();
        let plain = [133, 0, 0, 0, 0, 0, 0, 0];
        let with_source = [plain.as_slice(), &[1, 1, 2, 0, 0, 0, 0, 1]].concat();
        assert!(is_valid_solicitation(&plain, Some(255), host));
        assert!(is_valid_solicitation(&plain, Some(255), Ipv6Addr::UNSPECIFIED));
        assert!(is_valid_solicitation(&with_source, Some(255), host));
        assert!(
            !is_valid_solicitation(&with_source, Some(255), Ipv6Addr::UNSPECIFIED),
            "no address, yet a source"
        );
        assert!(!is_valid_solicitation(&plain, Some(254), host), "passed a router");
        assert!(!is_valid_solicitation(&plain, None, host));
        assert!(!is_valid_solicitation(&plain[..7], Some(255), host), "short");
        assert!(!is_valid_solicitation(&[133, 1, 0, 0, 0, 0, 0, 0], Some(255), host), "a code");
        assert!(!is_valid_solicitation(&[134, 0, 0, 0, 0, 0, 0, 0], Some(255), host), "another type");
        let zero = [plain.as_slice(), &[1, 0, 2, 0, 0, 0, 0, 1]].concat();
        assert!(!is_valid_solicitation(&zero, Some(255), host), "an option of no length");
        let long = [plain.as_slice(), &[14, 2, 0, 0, 0, 0, 0, 0]].concat();
        assert!(!is_valid_solicitation(&long, Some(255), host), "an option beyond the end");
        assert!(!is_valid_solicitation(&[plain.as_slice(), &[14]].concat(), Some(255), host));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = is_valid_solicitation(&bytes, Some(255), Ipv6Addr::UNSPECIFIED);
            let mut bytes = bytes;
            let _ = bytes.splice(0..0, [133, 0, 0, 0, 0, 0, 0, 0]);
            let _ = is_valid_solicitation(&bytes, Some(255), Ipv6Addr::LOCALHOST);
        }
    }
}
