//! Echo requests and what raw sockets get, as bytes (RFC 792, RFC 4443).

use crate::icmp::EchoStatus;
use crate::types::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Type and code, checksum, identifier, sequence number.
pub(super) const HEADER: usize = 8;
const ICMPV6: u8 = 58;
const FRAGMENT: u8 = 44;

/// An echo request. The kernel writes the checksum of all but raw ICMP sockets, and the identifier of ping sockets.
pub(super) fn request(family: Family, identifier: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let kind = match family {
        Family::V4 => 8,
        Family::V6 => 128,
    };
    let mut message = Vec::with_capacity(HEADER + data.len());
    message.extend([kind, 0, 0, 0]);
    message.extend(identifier.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    message.extend(data);
    if family == Family::V4
        && let Some(place) = message.get(..).map(checksum).and_then(|sum| Some((sum, message.get_mut(2..4)?)))
    {
        place.1.copy_from_slice(&place.0.to_be_bytes());
    }
    message
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0_u64;
    for pair in bytes.chunks(2) {
        let [high, low] = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
        sum += u64::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xFFFF {
        sum = (sum >> 16) + (sum & 0xFFFF);
    }
    !(sum as u16)
}

/// What a message says of an echo request.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Message<'a> {
    pub(super) status: EchoStatus,
    /// `None` in an error that quotes too little of the request.
    pub(super) identifier: u16,
    pub(super) sequence: u16,
    /// Of an error, whom the request was for.
    pub(super) destination: Option<IpAddr>,
    pub(super) data: &'a [u8],
    pub(super) mtu: Option<u32>,
}

/// Reads a message; `None` if it is nothing about an echo request.
pub(super) fn read(family: Family, bytes: &[u8]) -> Option<Message<'_>> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [kind, code, _, _, middle @ ..] = *header;
    let [a, b, c, d] = middle;
    let reply = match family {
        Family::V4 => 0,
        Family::V6 => 129,
    };
    if kind == reply {
        return Some(Message {
            status: EchoStatus::Success,
            identifier: u16::from_be_bytes([a, b]),
            sequence: u16::from_be_bytes([c, d]),
            destination: None,
            data: rest,
            mtu: None,
        });
    }
    let (status, mtu) = match family {
        Family::V4 => (EchoStatus::of_icmp(kind, code)?, u16::from_be_bytes([c, d]).into()),
        Family::V6 => (EchoStatus::of_icmpv6(kind, code)?, u32::from_be_bytes(middle)),
    };
    let (destination, quoted) = quoted(family, rest)?;
    let [kind, _, _, _, a, b, c, d] = *quoted.first_chunk::<HEADER>()?;
    let is_request = kind == if family == Family::V4 { 8 } else { 128 };
    is_request.then_some(Message {
        status,
        identifier: u16::from_be_bytes([a, b]),
        sequence: u16::from_be_bytes([c, d]),
        destination: Some(destination),
        data: &[],
        mtu: (status == EchoStatus::PacketTooBig && mtu != 0).then_some(mtu),
    })
}

/// What `fuzz/targets/icmp.rs` runs: any bytes are a message that lies within them, or none; no request is an answer.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    for family in [Family::V4, Family::V6] {
        let carried = ipv4(bytes).map_or(bytes, |(_, carried)| carried);
        for bytes in [bytes, carried] {
            let Some(message) = read(family, bytes) else { continue };
            assert!(message.data.is_empty() || bytes.ends_with(message.data), "{message:?}");
            assert_eq!(message.destination.is_none(), message.status == EchoStatus::Success, "{message:?}");
            assert!(message.destination.is_none_or(|it| Family::of(&it) == family), "{message:?}");
        }
        let sent = request(family, 1, 2, bytes);
        assert!(sent.ends_with(bytes) && read(family, &sent).is_none());
    }
}

/// The ICMP message in a packet that an error quotes, and whom it was for.
fn quoted(family: Family, packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    match family {
        Family::V4 => {
            let (header, _) = ipv4(packet)?;
            let fragment = u16::from_be_bytes(header.get(6..8)?.try_into().ok()?) & 0x1FFF;
            let destination: [u8; 4] = header.get(16..20)?.try_into().ok()?;
            let is_icmp = header.get(9) == Some(&1) && fragment == 0;
            is_icmp.then(|| Some((Ipv4Addr::from(destination).into(), packet.get(header.len()..)?)))?
        }
        Family::V6 => {
            let (header, rest) = packet.split_first_chunk::<40>()?;
            let destination: [u8; 16] = header.get(24..40)?.try_into().ok()?;
            let destination = Ipv6Addr::from(destination).into();
            match header.get(6).copied()? {
                ICMPV6 => Some((destination, rest)),
                FRAGMENT => {
                    let (fragment, rest) = rest.split_first_chunk::<8>()?;
                    let [next, _, high, low, ..] = *fragment;
                    let is_first = u16::from_be_bytes([high, low]) >> 3 == 0;
                    (next == ICMPV6 && is_first).then_some((destination, rest))
                }
                _ => None,
            }
        }
    }
}

/// An IPv4 packet's header, options and all, and what it carries.
pub(super) fn ipv4(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = packet.first()?;
    let len = usize::from(first & 0xF) * 4;
    if first >> 4 != 4 || len < 20 {
        return None;
    }
    packet.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_have_their_checksum() {
        let bytes = request(Family::V4, 0x1234, 1, b"abc");
        assert_eq!(checksum(&bytes), 0, "a right checksum sums up to nothing");
        assert_eq!(bytes[..2], [8, 0]);
        assert_eq!(bytes[4..], [0x12, 0x34, 0, 1, b'a', b'b', b'c']);
        assert_eq!(request(Family::V6, 0x1234, 1, b"")[..4], [128, 0, 0, 0], "the kernel's work");
    }

    /// As a router answers to `ping -s 1400` over a link of 1300 (Linux 6.18, `tcpdump -x`).
    #[test]
    fn errors_name_their_request() {
        let mut packet = vec![3, 4, 0, 0, 0, 0, 5, 20];
        packet.extend([0x46, 0, 5, 148, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 0, 2, 203, 0, 113, 1, 1, 1, 1, 0]);
        packet.extend([8, 0, 0, 0, 0x12, 0x34, 0, 7]);
        let message = read(Family::V4, &packet).unwrap();
        assert_eq!((message.status, message.mtu), (EchoStatus::PacketTooBig, Some(1300)));
        assert_eq!((message.identifier, message.sequence), (0x1234, 7));
        assert_eq!(message.destination, Some([203, 0, 113, 1].into()));
        for len in 0..packet.len() {
            assert_eq!(read(Family::V4, &packet[..len]), None, "{len}");
        }
        // What was no echo request, and a later piece.
        packet[32] = 0;
        assert_eq!(read(Family::V4, &packet), None);
        packet[32] = 8;
        packet[15] = 1;
        assert_eq!(read(Family::V4, &packet), None);
    }

    #[test]
    fn pieces_of_ipv6_are_looked_into() {
        let mut packet = vec![3, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 16, FRAGMENT, 1];
        packet.extend([0; 32]);
        packet.extend([ICMPV6, 0, 0, 1, 0, 0, 0, 9]);
        packet.extend([128, 0, 0, 0, 0x12, 0x34, 0, 7]);
        let message = read(Family::V6, &packet).unwrap();
        assert_eq!((message.status, message.sequence), (EchoStatus::TtlExpiredInTransit, 7));
        packet[50] = 1;
        assert_eq!(read(Family::V6, &packet), None, "a later piece");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 0_u8..14) {
            for family in [Family::V4, Family::V6] {
                let _ = read(family, &bytes);
                let mut bytes = bytes.clone();
                if let Some(first) = bytes.first_mut() {
                    *first = kind;
                }
                let _ = read(family, &bytes);
            }
            let _ = ipv4(&bytes);
        }
    }
}
