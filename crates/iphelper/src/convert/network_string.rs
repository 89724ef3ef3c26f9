//! Addresses, services and networks, by number or by name, in one text.

use super::ipv4_text::{Ipv4Notation, address as ipv4_address};
use super::ipv6_text::{address as ipv6_address, endpoint as ipv6_endpoint};
use super::scanner::Scanner;
use crate::error::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::BitOr;

/// Kinds of network strings, to be joined by `|`.
///
/// ```
/// use iphelper::convert::NetworkStringTypes;
/// assert_eq!(NetworkStringTypes::IPV4_ADDRESS | NetworkStringTypes::IPV6_ADDRESS, NetworkStringTypes::IP_ADDRESS);
/// ```
#[doc(alias = "NET_STRING_IPV4_ADDRESS")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NetworkStringTypes(u32);

impl NetworkStringTypes {
    /// `192.0.2.1`
    pub const IPV4_ADDRESS: Self = Self(1);
    /// `192.0.2.1:80`
    pub const IPV4_SERVICE: Self = Self(2);
    /// `192.0.2.0/24`, where trailing zeros may be left out: `192.0.2/24`
    pub const IPV4_NETWORK: Self = Self(4);
    /// `2001:db8::1`, `fe80::1%2`
    pub const IPV6_ADDRESS: Self = Self(8);
    /// `2001:db8::1`
    pub const IPV6_ADDRESS_NO_SCOPE: Self = Self(0x10);
    /// `[2001:db8::1]:80`, `[fe80::1%2]:80`
    pub const IPV6_SERVICE: Self = Self(0x20);
    /// `[2001:db8::1]:80`
    pub const IPV6_SERVICE_NO_SCOPE: Self = Self(0x40);
    /// `2001:db8::/32`
    pub const IPV6_NETWORK: Self = Self(0x80);
    /// `www.example.com`
    pub const NAMED_ADDRESS: Self = Self(0x100);
    /// `www.example.com:80`
    pub const NAMED_SERVICE: Self = Self(0x200);
    /// An address of either family.
    pub const IP_ADDRESS: Self = Self(9);
    /// A service of either family.
    pub const IP_SERVICE: Self = Self(0x22);
    /// A network of either family.
    pub const IP_NETWORK: Self = Self(0x84);
    /// An address of either family, or a name.
    pub const ANY_ADDRESS: Self = Self(0x109);
    /// A service of either family, or of a name.
    pub const ANY_SERVICE: Self = Self(0x222);

    /// Windows' number of these kinds; [`ErrorKind::InvalidParameter`] for none, and for bits that are no kind.
    pub fn from_bits(bits: u32) -> Result<Self> {
        if bits == 0 || bits > 0x3FF {
            return Err(Error::new(ErrorKind::InvalidParameter, "reading a network string")
                .because(format!("{bits:#x} names no kinds of network strings")));
        }
        Ok(Self(bits))
    }

    fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

impl BitOr for NetworkStringTypes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a network string names.
#[doc(alias = "NET_ADDRESS_INFO")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum NetworkAddress {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6 {
        /// The address.
        address: Ipv6Addr,
        /// The scope id; 0 for none.
        scope_id: u32,
    },
    /// A DNS name, as it was written; each label has its legal length, their sum is not limited.
    Name(String),
}

/// A network string, taken apart.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NetworkString {
    /// The address or name.
    pub address: NetworkAddress,
    /// The port, of services.
    pub port: Option<u16>,
    /// The number of leading bits that count, of networks.
    pub prefix_length: Option<u8>,
}

/// Reads a network string of one of these kinds.
///
/// Where several fit, an IPv4 one is preferred to an IPv6 one, and that to a name. A name whose last label is a number is
/// none, so that a mistaken IPv4 address does not pass for a name.
///
/// - Windows: `ParseNetworkString`
/// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) where no kind fits
///
/// ```
/// use iphelper::convert::{NetworkAddress, NetworkStringTypes, parse_network_string};
/// let network = parse_network_string("192.0.2/24", NetworkStringTypes::IP_NETWORK)?;
/// assert_eq!(network.address, NetworkAddress::Ipv4([192, 0, 2, 0].into()));
/// assert_eq!(network.prefix_length, Some(24));
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "ParseNetworkString")]
pub fn parse_network_string(text: &str, types: NetworkStringTypes) -> Result<NetworkString> {
    ipv4(text, types)
        .or_else(|| ipv6(text, types))
        .or_else(|| named(text, types))
        .ok_or_else(|| super::malformed(text, "network string of the kinds that were asked for"))
}

fn ipv4(text: &str, types: NetworkStringTypes) -> Option<NetworkString> {
    let mut scanner = Scanner::new(text);
    if let Some(address) = ipv4_address(&mut scanner, Ipv4Notation::Strict) {
        let port = scanner.port()?;
        let kind =
            if port.is_some() { NetworkStringTypes::IPV4_SERVICE } else { NetworkStringTypes::IPV4_ADDRESS };
        if scanner.at_end() {
            let address = NetworkAddress::Ipv4(address);
            return types.has(kind).then_some(NetworkString { address, port, prefix_length: None });
        }
    }
    let (address, length) = text.split_once('/')?;
    let mut bytes = [0; 4];
    let mut scanner = Scanner::new(address);
    for byte in &mut bytes {
        *byte = scanner.decimal(255)?.try_into().ok()?;
        if !scanner.take(b'.') {
            break;
        }
    }
    let whole = scanner.at_end() && !address.ends_with('.');
    (whole && types.has(NetworkStringTypes::IPV4_NETWORK)).then_some(())?;
    let prefix_length = Some(prefix_length(length, 32)?);
    Some(NetworkString { address: NetworkAddress::Ipv4(bytes.into()), port: None, prefix_length })
}

fn prefix_length(text: &str, most: u32) -> Option<u8> {
    let mut scanner = Scanner::new(text);
    let length = scanner.decimal(most)?.try_into().ok()?;
    scanner.at_end().then_some(length)
}

fn ipv6(text: &str, types: NetworkStringTypes) -> Option<NetworkString> {
    if let Some((address, length)) = text.split_once('/') {
        let mut scanner = Scanner::new(address);
        let address = NetworkAddress::Ipv6 { address: ipv6_address(&mut scanner)?, scope_id: 0 };
        let network = NetworkString { address, port: None, prefix_length: Some(prefix_length(length, 128)?) };
        return (scanner.at_end() && types.has(NetworkStringTypes::IPV6_NETWORK)).then_some(network);
    }
    let end = ipv6_endpoint(text)?;
    let (any_scope, no_scope) = match end.port {
        Some(_) => (NetworkStringTypes::IPV6_SERVICE, NetworkStringTypes::IPV6_SERVICE_NO_SCOPE),
        // Brackets are for services.
        None if text.starts_with('[') => return None,
        None => (NetworkStringTypes::IPV6_ADDRESS, NetworkStringTypes::IPV6_ADDRESS_NO_SCOPE),
    };
    if !types.has(any_scope) && (!types.has(no_scope) || text.contains('%')) {
        return None;
    }
    let address = NetworkAddress::Ipv6 { address: end.address, scope_id: end.scope_id };
    Some(NetworkString { address, port: end.port, prefix_length: None })
}

fn named(text: &str, types: NetworkStringTypes) -> Option<NetworkString> {
    let (name, port) = match text.split_once(':') {
        None => (text, None),
        Some((name, port)) => {
            let mut scanner = Scanner::new(port);
            let port = u16::try_from(scanner.decimal(u16::MAX.into())?).ok();
            scanner.at_end().then_some(())?;
            (name, port)
        }
    };
    let kind =
        if port.is_some() { NetworkStringTypes::NAMED_SERVICE } else { NetworkStringTypes::NAMED_ADDRESS };
    (types.has(kind) && is_name(name)).then(|| NetworkString {
        address: NetworkAddress::Name(name.to_owned()),
        port,
        prefix_length: None,
    })
}

/// Whether this is a DNS name: labels of 1 to 63 letters, digits, hyphens and underscores, a dot at the end if wanted.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    !last.bytes().all(|byte| byte.is_ascii_digit())
        && name.split('.').all(|label| {
            let legal = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.chars().count())
                && label.chars().all(legal)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
