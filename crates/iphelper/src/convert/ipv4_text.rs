//! IPv4 addresses as text, strict and loose.

use super::scanner::Scanner;
use crate::error::Result;
use std::net::Ipv4Addr;

/// What an IPv4 address may look like.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Ipv4Notation {
    /// Four decimal numbers with dots between them, without leading zeros, which elsewhere mean octal.
    Strict,
    /// One to four numbers, each decimal, octal (`0...`) or hexadecimal (`0x...`), as `inet_addr` reads them: all but
    /// the last are one byte of the address, the last is the rest of it. So `127.1` is 127.0.0.1.
    Loose,
}

/// Reads the IPv4 address that `text` begins with; gives it and what follows.
///
/// The address is as long as it can be: of `1.2.3.4.5` what follows is `.5`.
///
/// - Windows: `RtlIpv4StringToAddressA`, `RtlIpv4StringToAddressW`
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) where `text` does not begin with one: a number that
///   does not fit, a dot without a number behind it
///
/// ```
/// use iphelper::convert::{Ipv4Notation, parse_ipv4};
/// let (address, rest) = parse_ipv4("10.0.0.1/8", Ipv4Notation::Strict)?;
/// assert_eq!((address.to_string().as_str(), rest), ("10.0.0.1", "/8"));
/// assert_eq!(parse_ipv4("0x7f.1", Ipv4Notation::Loose)?.0.to_string(), "127.0.0.1");
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "RtlIpv4StringToAddressA")]
#[doc(alias = "RtlIpv4StringToAddressW")]
pub fn parse_ipv4(text: &str, notation: Ipv4Notation) -> Result<(Ipv4Addr, &str)> {
    let mut scanner = Scanner::new(text);
    let address = address(&mut scanner, notation).ok_or_else(|| super::malformed(text, "IPv4 address"))?;
    Ok((address, scanner.rest()))
}

/// Reads `address` or `address:port`, and nothing behind it.
///
/// - Windows: `RtlIpv4StringToAddressExA`, `RtlIpv4StringToAddressExW`
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
///
/// ```
/// use iphelper::convert::{Ipv4Notation, parse_ipv4_endpoint};
/// let end = parse_ipv4_endpoint("10.0.0.1:80", Ipv4Notation::Strict)?;
/// assert_eq!(end, ([10, 0, 0, 1].into(), Some(80)));
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "RtlIpv4StringToAddressExA")]
#[doc(alias = "RtlIpv4StringToAddressExW")]
pub fn parse_ipv4_endpoint(text: &str, notation: Ipv4Notation) -> Result<(Ipv4Addr, Option<u16>)> {
    let mut scanner = Scanner::new(text);
    let read = |scanner: &mut Scanner<'_>| {
        let address = address(scanner, notation)?;
        let port = scanner.port()?;
        scanner.at_end().then_some((address, port))
    };
    read(&mut scanner).ok_or_else(|| super::malformed(text, "IPv4 address with or without a port"))
}

/// An IPv4 address as text, with a port if one is given.
///
/// - Windows: `RtlIpv4AddressToStringA`, `RtlIpv4AddressToStringExA` and the wide forms, to which port 0 is none
#[doc(alias = "RtlIpv4AddressToStringA")]
#[doc(alias = "RtlIpv4AddressToStringW")]
#[doc(alias = "RtlIpv4AddressToStringExA")]
#[doc(alias = "RtlIpv4AddressToStringExW")]
#[must_use]
pub fn ipv4_text(address: Ipv4Addr, port: Option<u16>) -> String {
    port.map_or_else(|| address.to_string(), |port| format!("{address}:{port}"))
}

pub(super) fn address(scanner: &mut Scanner<'_>, notation: Ipv4Notation) -> Option<Ipv4Addr> {
    match notation {
        Ipv4Notation::Strict => strict(scanner),
        Ipv4Notation::Loose => loose(scanner),
    }
}

fn strict(scanner: &mut Scanner<'_>) -> Option<Ipv4Addr> {
    let mut bytes = [0; 4];
    for (position, byte) in bytes.iter_mut().enumerate() {
        if position > 0 && !scanner.take(b'.') {
            return None;
        }
        *byte = scanner.decimal(255)?.try_into().ok()?;
    }
    Some(bytes.into())
}

fn loose(scanner: &mut Scanner<'_>) -> Option<Ipv4Addr> {
    let mut bits = 0;
    for position in 0..4 {
        let number = scanner.number()?;
        // What the parts before this one have left of the address.
        let room = u32::MAX >> (8 * position);
        if position < 3 && scanner.take(b'.') {
            bits |= u32::from(u8::try_from(number).ok()?) << (24 - 8 * position);
            continue;
        }
        return (number <= room).then(|| Ipv4Addr::from_bits(bits | number));
    }
    None
}
