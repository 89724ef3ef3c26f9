//! Servers, domains and choices on the command line.

use crate::exit::Failure;
use crate::interface_name;
use iphelper::Host;
use iphelper::dns::{DnsOverTls, DnsServer, LinkLookup, check_domain_name};

/// The word for an empty list.
const NONE: &str = "none";

/// A server; its zone may be a name until the host is known.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// With a number in the place of the zone.
    server: DnsServer,
    zone: Option<String>,
}

impl Server {
    /// The server with its zone's index.
    pub(super) fn resolve(&self, host: &Host) -> Result<DnsServer, Failure> {
        let mut server = self.server.clone();
        if let Some(zone) = &self.zone {
            server.zone = Some(interface_name::find(host, zone)?.index);
        }
        Ok(server)
    }
}

/// Reads a server, or `none`.
pub(super) fn server(text: &str) -> Result<Option<Server>, String> {
    const ADVICE: &str =
        "give an address such as 192.0.2.53, fe80::1%eth0, [2001:db8::1]:5353 or 192.0.2.53#dns.example";
    if text == NONE {
        return Ok(None);
    }
    let (plain, zone) = match text.split_once('%') {
        None => (text.to_owned(), None),
        Some((address, rest)) => {
            // An interface's name may hold what ends a zone here only where it is followed by nothing else.
            let end = rest.find([']', '#']).unwrap_or(rest.len());
            let (zone, rest) = rest.split_at(end);
            if zone.is_empty() {
                return Err(ADVICE.to_owned());
            }
            (format!("{address}%1{rest}"), Some(zone.to_owned()))
        }
    };
    let server = plain.parse().map_err(|_| ADVICE.to_owned())?;
    Ok(Some(Server { server, zone }))
}

/// Reads a domain, or `none`.
pub(super) fn domain(text: &str) -> Result<Option<String>, String> {
    if text == NONE {
        return Ok(None);
    }
    let name = check_domain_name(text).map_err(|_| "give a domain such as corp.example".to_owned())?;
    Ok(Some(name.to_owned()))
}

/// Reads a domain; `none` is an empty one.
pub(super) fn domain_or_empty(text: &str) -> Result<String, String> {
    Ok(domain(text)?.unwrap_or_default())
}

/// Reads a domain that chooses servers: the root is one, too.
pub(super) fn routing(text: &str) -> Result<Option<String>, String> {
    let name = text.strip_prefix('~').unwrap_or(text);
    if name == "." { Ok(Some(name.to_owned())) } else { domain(name) }
}

/// A list in which `none` stands alone.
pub(super) fn list<T: Clone>(option: &str, items: &[Option<T>]) -> Result<Vec<T>, Failure> {
    if items.len() > 1 && items.iter().any(Option::is_none) {
        return Err(Failure::usage(format!("{option}: {NONE} stands alone")));
    }
    Ok(items.iter().flatten().cloned().collect())
}

/// Reads a way to look names up on the link.
pub(super) fn lookup(text: &str) -> Result<LinkLookup, String> {
    match text {
        "off" | "no" | "false" => Ok(LinkLookup::Off),
        "resolve" => Ok(LinkLookup::ResolveOnly),
        "on" | "yes" | "true" => Ok(LinkLookup::On),
        _ => Err("give off, resolve or on".to_owned()),
    }
}

/// Reads whether to ask over TLS.
pub(super) fn tls(text: &str) -> Result<DnsOverTls, String> {
    match text {
        "off" | "no" => Ok(DnsOverTls::Off),
        "opportunistic" => Ok(DnsOverTls::Opportunistic),
        "required" | "yes" => Ok(DnsOverTls::Required),
        _ => Err("give off, opportunistic or required".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_or_an_index() {
        for (text, zone, port, name) in [
            ("fe80::1%eth0", Some("eth0"), 53, None),
            ("[fe80::1%eth0]:5353#dns.example", Some("eth0"), 5353, Some("dns.example")),
            ("192.0.2.1#dns.example", None, 53, Some("dns.example")),
        ] {
            let read = server(text).unwrap().unwrap();
            assert_eq!(read.zone.as_deref(), zone, "{text}");
            assert_eq!((read.server.port, read.server.name.as_deref()), (port, name), "{text}");
        }
        for bad in ["", "fe80::1%", "192.0.2.1%eth0", "dns.example", "192.0.2.1:"] {
            let _ = server(bad).unwrap_err();
        }
        assert!(server("none").unwrap().is_none());
    }
}
