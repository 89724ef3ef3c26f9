//! One end of a connection on the command line: `127.0.0.1:4444`, `[::1]:80`, `[fe80::1%eth0]:80`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address, its zone as it was written, and a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct End {
    pub(crate) address: IpAddr,
    /// An interface's name or index, after the `%` of an IPv6 address.
    pub(crate) scope: Option<String>,
    pub(crate) port: u16,
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, port) = text
            .rsplit_once(':')
            // The last colon of `[::1]` stands before no port.
            .filter(|(_, port)| !port.ends_with(']'))
            .ok_or_else(|| "an end is ADDRESS:PORT, such as 127.0.0.1:80 or [::1]:80".to_owned())?;
        let bracketed = address.strip_prefix('[').and_then(|inside| inside.strip_suffix(']'));
        let (address, scope) = match bracketed {
            Some(inside) => {
                let (address, scope) = split_scope(inside)?;
                (IpAddr::V6(address.parse().map_err(|_| "no IPv6 address stands in the brackets")?), scope)
            }
            None if address.contains(':') => {
                return Err("an IPv6 address needs brackets: [::1]:80".to_owned());
            }
            None => {
                (IpAddr::V4(address.parse().map_err(|_| "no IPv4 address stands before the port")?), None)
            }
        };
        Ok(Self { address, scope, port: port_number(port)? })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, &self.scope) {
            (IpAddr::V4(address), _) => write!(f, "{address}:{}", self.port),
            (IpAddr::V6(address), None) => write!(f, "[{address}]:{}", self.port),
            (IpAddr::V6(address), Some(scope)) => write!(f, "[{address}%{scope}]:{}", self.port),
        }
    }
}

/// Takes the zone off an IPv6 address.
pub(crate) fn split_scope(text: &str) -> Result<(&str, Option<String>), String> {
    match text.split_once('%') {
        None => Ok((text, None)),
        Some((_, "")) => Err("an interface must follow the %".to_owned()),
        Some((address, scope)) => Ok((address, Some(scope.to_owned()))),
    }
}

/// Reads a port: digits only, since `u16` would take a sign too.
pub(crate) fn port_number(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits => Ok(port),
        _ => Err("a port is a number from 0 to 65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_both_families_are_read() {
        let v4: End = "127.0.0.1:4444".parse().unwrap();
        assert_eq!(v4, End { address: "127.0.0.1".parse().unwrap(), scope: None, port: 4444 });
        let v6: End = "[fe80::1%eth0]:80".parse().unwrap();
        let scope = Some("eth0".to_owned());
        assert_eq!(v6, End { address: "fe80::1".parse().unwrap(), scope, port: 80 });
    }

    #[test]
    fn what_is_no_end_says_what_one_looks_like() {
        for (text, reason) in [
            ("127.0.0.1", "ADDRESS:PORT"),
            ("::1:80", "brackets"),
            ("fe80::1%eth0:80", "brackets"),
            ("[127.0.0.1]:80", "no IPv6 address"),
            ("[::1%]:80", "interface"),
            ("[::1]:", "port"),
            ("[::1]:+1", "port"),
            ("1.2.3.4:65536", "port"),
            ("localhost:80", "no IPv4 address"),
            ("[::1]", "ADDRESS:PORT"),
            ("", "ADDRESS:PORT"),
        ] {
            let error = text.parse::<End>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn ends_read_back(address: IpAddr, port: u16, scope in proptest::option::of("[a-z][a-z0-9.-]{0,14}")) {
            let scope = scope.filter(|_| address.is_ipv6());
            let end = End { address, scope, port };
            prop_assert_eq!(end.to_string().parse(), Ok(end));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<End>();
        }
    }
}
