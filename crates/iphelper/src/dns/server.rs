use crate::error::{Error, ErrorKind, Result};
use crate::types::InterfaceIndex;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A DNS server.
///
/// As text: the address, then what is out of the ordinary: `fe80::1%2` (zone), `192.0.2.1:5353` and `[2001:db8::1]:5353`
/// (port), `192.0.2.1#dns.example` (the name in its certificate).
///
/// ```
/// use iphelper::dns::DnsServer;
/// let server: DnsServer = "[fe80::1%2]:853#dns.example".parse().unwrap();
/// assert_eq!((server.zone.unwrap().0, server.port), (2, 853));
/// assert_eq!(server.to_string(), "[fe80::1%2]:853#dns.example");
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct DnsServer {
    /// Its address.
    pub address: IpAddr,
    /// The interface on whose link a link-local address is.
    pub zone: Option<InterfaceIndex>,
    /// Its port: 53, unless something else was set.
    pub port: u16,
    /// The name that its certificate must bear, for DNS over TLS.
    pub name: Option<String>,
}

impl DnsServer {
    /// The port of DNS.
    pub const PORT: u16 = 53;

    /// A server at the ordinary port.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self { address, zone: None, port: Self::PORT, name: None }
    }

    /// Whether its address is IPv6 and means something on one link alone.
    #[must_use]
    pub fn is_link_local(&self) -> bool {
        matches!(self.address, IpAddr::V6(address) if address.is_unicast_link_local())
    }
}

impl From<IpAddr> for DnsServer {
    fn from(address: IpAddr) -> Self {
        Self::new(address)
    }
}

impl fmt::Display for DnsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = self.port != Self::PORT && self.address.is_ipv6();
        if brackets {
            f.write_str("[")?;
        }
        self.address.fmt(f)?;
        if let Some(zone) = self.zone {
            write!(f, "%{zone}")?;
        }
        if brackets {
            f.write_str("]")?;
        }
        if self.port != Self::PORT {
            write!(f, ":{}", self.port)?;
        }
        if let Some(name) = &self.name {
            write!(f, "#{name}")?;
        }
        Ok(())
    }
}

impl FromStr for DnsServer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || {
            Error::new(ErrorKind::InvalidParameter, "reading a DNS server")
                .because(format!("\"{}\" is no address of a DNS server", text.escape_debug()))
        };
        let (rest, name) = match text.split_once('#') {
            Some((_, "")) => return Err(malformed()),
            Some((rest, name)) => (rest, Some(super::check_domain_name(name)?.to_owned())),
            None => (text, None),
        };
        let (address, port) = split_port(rest).ok_or_else(malformed)?;
        let (address, zone) = match address.split_once('%') {
            Some((address, zone)) => (address, Some(number(zone))),
            None => (address, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let zone = match zone {
            None => None,
            Some(Some(zone)) if address.is_ipv6() => Some(InterfaceIndex(zone)),
            Some(_) => return Err(malformed()),
        };
        let port = match port {
            None => Self::PORT,
            Some(port) => number(port).and_then(|port| u16::try_from(port).ok()).ok_or_else(malformed)?,
        };
        Ok(Self { address, zone, port, name })
    }
}

/// A number above 0, of digits alone.
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number != 0)
}

/// Takes a port off: `1.2.3.4:53`, `[::1]:53`. An IPv6 address without brackets has none.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(within) = text.strip_prefix('[') {
        let (address, port) = within.split_once(']')?;
        let is_ipv6 = address.split('%').next()?.parse::<Ipv6Addr>().is_ok();
        return match port.strip_prefix(':') {
            _ if !is_ipv6 => None,
            Some(port) => Some((address, Some(port))),
            None => port.is_empty().then_some((address, None)),
        };
    }
    match text.split_once(':') {
        Some((address, port)) if !port.contains(':') => Some((address, Some(port))),
        _ => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_server_is_refused() {
        for bad in [
            "",
            "x",
            "1.2.3",
            "1.2.3.4:",
            "1.2.3.4:0",
            "1.2.3.4:65536",
            "1.2.3.4%2",
            "::1%",
            "::1%0",
            "::1%x",
            "[1.2.3.4]:53",
            "[::1",
            "[::1]x",
            "1.2.3.4#",
            "1.2.3.4#a b",
            " 1.2.3.4",
            "1.2.3.4:+5",
        ] {
            let error = bad.parse::<DnsServer>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_server_reads_back(bytes: [u8; 16], v4: bool, zone in 0..9_u32, port in 1..=u16::MAX, name in "([a-z]{1,8}(\\.[a-z]{1,8})?)?") {
            let address = if v4 {
                IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]])
            } else {
                IpAddr::from(bytes)
            };
            let zone = Some(InterfaceIndex(zone)).filter(|zone| zone.0 != 0 && !v4);
            let name = Some(name).filter(|name| !name.is_empty());
            let server = DnsServer { address, zone, port, name };
            prop_assert_eq!(server.to_string().parse::<DnsServer>().unwrap(), server);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}") {
            let _ = text.parse::<DnsServer>();
        }
    }
}
