//! `systemd-resolved`, asked over the system's bus (`org.freedesktop.resolve1(5)`).

use super::host_settings::HostSettings;
use super::{SETTING, interface_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::{Properties, Service};
use crate::backend::linux::link::Link;
use crate::dns::{Dns, DnsDomain, DnsOverTls, DnsServer, InterfaceDnsSettings, LinkLookup, Resolver};
use crate::error::{Error, ErrorKind, Result};
use crate::types::InterfaceIndex;
use std::net::IpAddr;
use zbus::wire::OwnedObjectPath;

const NAME: &str = "org.freedesktop.resolve1";
pub(super) const MANAGER: &str = "org.freedesktop.resolve1.Manager";
const LINK: &str = "org.freedesktop.resolve1.Link";
pub(super) const PATH: &str = "/org/freedesktop/resolve1";
/// The port of DNS over TLS (RFC 7858).
const TLS_PORT: u16 = 853;

/// The files that the service writes or ships for `resolv.conf` to be a link to.
const OWN: [&str; 3] = ["/run/systemd/resolve", "/usr/lib/systemd/resolv.conf", "/lib/systemd/resolv.conf"];

/// A server of a link: family, address, port (0: the ordinary one), name (empty: none).
type Server = (i32, Vec<u8>, u16, String);
/// A server of a link to versions before 246, which have no port and no name.
type PlainServer = (i32, Vec<u8>);
/// A domain of a link: its name, and whether it only routes.
type Domain = (String, bool);

/// The service, if it works on the namespace of the host.
#[derive(Debug)]
pub(super) struct Resolved {
    service: Service,
}

impl Resolved {
    pub(super) fn find(host: &LinuxHost, operation: &'static str) -> Result<Option<Self>> {
        Ok(host.service(NAME, operation)?.map(|service| Self { service }))
    }

    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.service.process()
    }

    /// Whether the host's own settings are the service's to keep. Where `resolv.conf` is a file of its own, the service reads
    /// them there.
    pub(super) fn keeps_host_settings(&self) -> Result<bool> {
        Ok(keeps_host_settings(&self.service.properties(PATH, MANAGER)?))
    }

    /// What the host has of its own.
    pub(super) fn host_settings(&self) -> Result<HostSettings> {
        let mut dns = Dns::nothing(String::new());
        let _is_kept = self.read(&mut dns)?;
        Ok(HostSettings { servers: dns.servers, domains: dns.domains })
    }

    /// Servers and domains of the host and of all interfaces, which one answer has; those of the host have interface 0.
    /// Whether those are the service's to keep, see [`keeps_host_settings`](Self::keeps_host_settings).
    pub(super) fn read(&self, dns: &mut Dns) -> Result<bool> {
        let properties = self.service.properties(PATH, MANAGER)?;
        dns.resolver = Resolver::Resolved;
        let servers: Vec<(i32, i32, Vec<u8>, u16, String)> = properties.get("DNSEx").unwrap_or_else(|| {
            let plain: Vec<(i32, i32, Vec<u8>)> = properties.get("DNS").unwrap_or_default();
            plain
                .into_iter()
                .map(|(index, family, address)| (index, family, address, 0, String::new()))
                .collect()
        });
        for (index, family, address, port, name) in servers {
            let link = interface(index);
            let Some(server) = server((family, address, port, name), link) else { continue };
            match link {
                None => dns.servers.push(server),
                Some(index) => interface_of(&mut dns.interfaces, index).servers.push(server),
            }
        }
        for (index, name, routing_only) in
            properties.get::<Vec<(i32, String, bool)>>("Domains").unwrap_or_default()
        {
            let domain = DnsDomain { name, routing_only };
            match interface(index) {
                None => dns.domains.push(domain),
                Some(index) => interface_of(&mut dns.interfaces, index).domains.push(domain),
            }
        }
        Ok(keeps_host_settings(&properties))
    }

    /// The settings of one interface that are in force.
    pub(super) fn interface(&self, link: &Link) -> Result<InterfaceDnsSettings> {
        self.in_force(self.set_for_interface(link)?)
    }

    /// What is in force of the settings of an interface: version 252 tells them as they were set, though nothing is looked
    /// up in a way that is forbidden to the whole host.
    pub(super) fn in_force(&self, set: InterfaceDnsSettings) -> Result<InterfaceDnsSettings> {
        let host = self.service.properties(PATH, MANAGER)?;
        let of_host = |name| host.get::<String>(name).map_or(LinkLookup::On, |text| lookup(&text));
        Ok(InterfaceDnsSettings {
            llmnr: less(set.llmnr, of_host("LLMNR")),
            multicast_dns: less(set.multicast_dns, of_host("MulticastDNS")),
            ..set
        })
    }

    /// The settings of one interface as they were set.
    pub(super) fn set_for_interface(&self, link: &Link) -> Result<InterfaceDnsSettings> {
        let path: OwnedObjectPath = self.service.call(PATH, MANAGER, "GetLink", (number(link),))?;
        let properties = self.service.properties(path.as_str(), LINK)?;
        let text = |name| properties.get::<String>(name).unwrap_or_default();
        let servers: Vec<Server> = properties.get("DNSEx").unwrap_or_else(|| {
            let plain: Vec<PlainServer> = properties.get("DNS").unwrap_or_default();
            plain.into_iter().map(|(family, address)| (family, address, 0, String::new())).collect()
        });
        let domains: Vec<Domain> = properties.get("Domains").unwrap_or_default();
        Ok(InterfaceDnsSettings {
            luid: link.luid(),
            index: link.index,
            name: link.name(),
            servers: servers.into_iter().filter_map(|of| server(of, Some(link.index))).collect(),
            domains: domains
                .into_iter()
                .map(|(name, routing_only)| DnsDomain { name, routing_only })
                .collect(),
            unconstrained_queries: properties.get("DefaultRoute"),
            llmnr: lookup(&text("LLMNR")),
            multicast_dns: lookup(&text("MulticastDNS")),
            dns_over_tls: tls(&text("DNSOverTLS")),
        })
    }

    /// How the service asks servers of the whole host.
    fn tls_of_host(&self) -> Result<DnsOverTls> {
        let properties = self.service.properties(PATH, MANAGER)?;
        Ok(tls(&properties.get::<String>("DNSOverTLS").unwrap_or_default()))
    }

    /// The servers of the whole host with the ports as the service tells them.
    pub(super) fn with_ports_of_host(&self, mut servers: Vec<DnsServer>) -> Result<Vec<DnsServer>> {
        if servers.iter().any(|server| server.port == TLS_PORT) {
            use_ordinary_ports(&mut servers, self.tls_of_host()?)?;
        }
        Ok(servers)
    }

    pub(super) const fn service(&self) -> &Service {
        &self.service
    }
}

fn keeps_host_settings(properties: &Properties) -> bool {
    match properties.get::<String>("ResolvConfMode") {
        Some(mode) => mode != "foreign",
        // Before version 247: by where its links lead.
        None => std::fs::canonicalize("/etc/resolv.conf")
            .map_or(true, |path| OWN.iter().any(|own| path.starts_with(own))),
    }
}

/// Leaves the port of DNS over TLS out where servers are asked so: the service takes it for the ordinary port then, and for
/// the other one, in clear text, where they are not.
pub(super) fn use_ordinary_ports(servers: &mut [DnsServer], tls: DnsOverTls) -> Result<()> {
    for server in servers.iter_mut().filter(|server| server.port == TLS_PORT) {
        if tls == DnsOverTls::Off {
            return Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "{server}: systemd-resolved asks port {TLS_PORT} over TLS alone: have servers asked so"
            )));
        }
        server.port = DnsServer::PORT;
    }
    Ok(())
}

/// A way to look names up on the link, as the service says it.
fn lookup(text: &str) -> LinkLookup {
    match text {
        "yes" => LinkLookup::On,
        "resolve" => LinkLookup::ResolveOnly,
        _ => LinkLookup::Off,
    }
}

/// The one that looks less up.
fn less(one: LinkLookup, other: LinkLookup) -> LinkLookup {
    match (one, other) {
        (LinkLookup::Off, _) | (_, LinkLookup::Off) => LinkLookup::Off,
        (LinkLookup::ResolveOnly, _) | (_, LinkLookup::ResolveOnly) => LinkLookup::ResolveOnly,
        (LinkLookup::On, LinkLookup::On) => LinkLookup::On,
    }
}

/// How servers are asked, as the service says it.
fn tls(text: &str) -> DnsOverTls {
    match text {
        "yes" => DnsOverTls::Required,
        "opportunistic" => DnsOverTls::Opportunistic,
        _ => DnsOverTls::Off,
    }
}

/// A link's number, as the service has it.
pub(super) fn number(link: &Link) -> i32 {
    link.index.0.cast_signed()
}

/// The interface with this number; 0 is none.
fn interface(number: i32) -> Option<InterfaceIndex> {
    (number != 0).then_some(InterfaceIndex(number.cast_unsigned()))
}

/// The server in these members; `None` for a family that is neither, or an address that is not of it.
fn server((family, address, port, name): Server, link: Option<InterfaceIndex>) -> Option<DnsServer> {
    let address = match family {
        libc::AF_INET => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        libc::AF_INET6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    let mut server = DnsServer::new(address);
    server.zone = link.filter(|_| server.is_link_local());
    server.port = if port == 0 { DnsServer::PORT } else { port };
    server.name = Some(name).filter(|name| !name.is_empty());
    Some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(family: i32, address: &[u8], port: u16, name: &str, link: Option<u32>) -> Option<DnsServer> {
        server((family, address.to_vec(), port, name.to_owned()), link.map(InterfaceIndex))
    }

    #[test]
    fn servers_are_read() {
        let address = [192, 0, 2, 1];
        let named = of(libc::AF_INET, &address, 853, "dns.example", None);
        assert_eq!(named, Some("192.0.2.1:853#dns.example".parse().unwrap()));
        assert_eq!(of(libc::AF_INET, &address, 0, "", Some(4)), Some("192.0.2.1".parse().unwrap()));
        let local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(of(libc::AF_INET6, &local, 0, "", Some(4)), Some("fe80::1%4".parse().unwrap()));
    }

    #[test]
    fn what_is_no_server_is_left_out() {
        for (family, address) in [
            (libc::AF_INET, &[][..]),
            (libc::AF_INET, &[1, 2, 3]),
            (libc::AF_INET6, &[1, 2, 3, 4]),
            (99, &[1, 2, 3, 4]),
        ] {
            assert_eq!(of(family, address, 0, "", None), None, "{family} {address:?}");
        }
    }
}
