//! IPv6 addresses as text (RFC 4291, RFC 5952).

use super::ipv4_text::{Ipv4Notation, address as ipv4_address};
use super::scanner::Scanner;
use crate::error::Result;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv6 address with what may stand around it in text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ipv6Endpoint {
    /// The address.
    pub address: Ipv6Addr,
    /// The scope id, the number behind `%`; 0 for none.
    pub scope_id: u32,
    /// The port.
    pub port: Option<u16>,
}

/// Reads the IPv6 address that `text` begins with; gives it and what follows.
///
/// The address is as long as it can be: of `::::` it is `::`, and what follows is `::`. The last 32 bits may be written
/// as an IPv4 address.
///
/// - Windows: `RtlIpv6StringToAddressA`, `RtlIpv6StringToAddressW`
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) where `text` does not begin with one: too few
///   groups, a group of more than four digits
///
/// ```
/// use iphelper::convert::parse_ipv6;
/// let (address, rest) = parse_ipv6("2001:db8::1/64")?;
/// assert_eq!((address.to_string().as_str(), rest), ("2001:db8::1", "/64"));
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "RtlIpv6StringToAddressA")]
#[doc(alias = "RtlIpv6StringToAddressW")]
pub fn parse_ipv6(text: &str) -> Result<(Ipv6Addr, &str)> {
    let mut scanner = Scanner::new(text);
    let address = address(&mut scanner).ok_or_else(|| super::malformed(text, "IPv6 address"))?;
    Ok((address, scanner.rest()))
}

/// Reads `address`, `address%scope`, or either in brackets, where `:port` may follow, and nothing behind it.
///
/// - Windows: `RtlIpv6StringToAddressExA`, `RtlIpv6StringToAddressExW`
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter); also for a scope that is no number: interfaces'
///   names are not looked up
///
/// ```
/// use iphelper::convert::parse_ipv6_endpoint;
/// let end = parse_ipv6_endpoint("[fe80::1%2]:80")?;
/// assert_eq!((end.scope_id, end.port), (2, Some(80)));
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "RtlIpv6StringToAddressExA")]
#[doc(alias = "RtlIpv6StringToAddressExW")]
pub fn parse_ipv6_endpoint(text: &str) -> Result<Ipv6Endpoint> {
    endpoint(text).ok_or_else(|| {
        super::malformed(text, "IPv6 address with or without a scope id, in brackets if a port follows")
    })
}

/// An IPv6 address as text, with a scope id unless it is 0, in brackets and with a port if one is given.
///
/// RFC 5952: lower case, no leading zeros, `::` for the longest run of two or more groups of zero, the first of equals. The
/// last 32 bits are written as an IPv4 address in IPv4-compatible, IPv4-mapped and ISATAP addresses.
///
/// - Windows: `RtlIpv6AddressToStringA`, `RtlIpv6AddressToStringExA` and the wide forms, to which port 0 is none
///
/// ```
/// use iphelper::convert::ipv6_text;
/// assert_eq!(ipv6_text("2001:db8:0:0:1:0:0:1".parse().unwrap(), 0, None), "2001:db8::1:0:0:1");
/// assert_eq!(ipv6_text("fe80::5efe:10.0.0.1".parse().unwrap(), 2, Some(80)), "[fe80::5efe:10.0.0.1%2]:80");
/// ```
#[doc(alias = "RtlIpv6AddressToStringA")]
#[doc(alias = "RtlIpv6AddressToStringW")]
#[doc(alias = "RtlIpv6AddressToStringExA")]
#[doc(alias = "RtlIpv6AddressToStringExW")]
#[must_use]
pub fn ipv6_text(address: Ipv6Addr, scope_id: u32, port: Option<u16>) -> String {
    let mut text = address_text(address);
    if scope_id != 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "%{scope_id}");
    }
    port.map_or(text.clone(), |port| format!("[{text}]:{port}"))
}

fn address_text(address: Ipv6Addr) -> String {
    let groups = address.segments();
    let (tail, end) = match groups {
        // The unspecified address, the loopback address and others with 16 bits alone are no IPv4 addresses.
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => (true, 6),
        [0, 0, 0, 0, 0, 0xFFFF, ..] | [.., 0 | 0x200, 0x5EFE, _, _] => (true, 6),
        _ => (false, 8),
    };
    let head = groups.get(..end).unwrap_or_default();
    let zeros = longest_zeros(head);
    let mut text = String::new();
    for (position, group) in head.iter().enumerate() {
        if zeros.contains(&position) {
            if position == zeros.start {
                text.push_str("::");
            }
        } else {
            if position != 0 && position != zeros.end {
                text.push(':');
            }
            let _ = write!(text, "{group:x}");
        }
    }
    if tail {
        if zeros.end != end {
            text.push(':');
        }
        let [.., high, low] = groups;
        let _ = write!(text, "{}", Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    text
}

/// The longest run of two or more zeros; beyond all positions if there is none.
fn longest_zeros(groups: &[u16]) -> std::ops::Range<usize> {
    let mut longest = usize::MAX..usize::MAX;
    let mut start = 0;
    for (position, group) in groups.iter().enumerate() {
        if *group != 0 {
            start = position + 1;
        } else if position + 1 - start > longest.len().max(1) {
            longest = start..position + 1;
        }
    }
    longest
}

pub(super) fn endpoint(text: &str) -> Option<Ipv6Endpoint> {
    let mut scanner = Scanner::new(text);
    let bracketed = scanner.take(b'[');
    let address = address(&mut scanner)?;
    let scope_id = if scanner.take(b'%') { scanner.decimal(u32::MAX)? } else { 0 };
    let port = match (bracketed, scanner.take(b']')) {
        (true, true) => scanner.port()?,
        (false, false) => None,
        _ => return None,
    };
    scanner.at_end().then_some(Ipv6Endpoint { address, scope_id, port })
}

pub(super) fn address(scanner: &mut Scanner<'_>) -> Option<Ipv6Addr> {
    let mut groups: Vec<u16> = Vec::with_capacity(8);
    // How many groups stand before `::`.
    let mut gap = None;
    if scanner.rest().starts_with("::") {
        let _ = scanner.take(b':') && scanner.take(b':');
        gap = Some(0);
    }
    // A `::` stands for one group at least.
    while scanner.at_group() && groups.len() + usize::from(gap.is_some()) < 8 {
        if groups.len() + usize::from(gap.is_some()) <= 6 {
            let mut ahead = *scanner;
            if let Some(tail) = ipv4_address(&mut ahead, Ipv4Notation::Strict) {
                *scanner = ahead;
                let [a, b, c, d] = tail.octets();
                groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
                break;
            }
        }
        groups.push(scanner.group()?);
        let used = groups.len() + usize::from(gap.is_some());
        let mut ahead = *scanner;
        if !ahead.take(b':') {
            break;
        }
        if gap.is_none() && used < 8 && ahead.take(b':') {
            gap = Some(groups.len());
        } else if !ahead.at_group() || used == 8 {
            // The colon belongs to what follows.
            break;
        }
        *scanner = ahead;
    }
    let mut address = [0; 8];
    match gap {
        None => address = groups.try_into().ok()?,
        Some(gap) => {
            let (head, tail) = groups.split_at_checked(gap)?;
            address.get_mut(..head.len())?.copy_from_slice(head);
            let start = address.len().checked_sub(tail.len())?;
            address.get_mut(start..)?.copy_from_slice(tail);
        }
    }
    Some(address.into())
}
