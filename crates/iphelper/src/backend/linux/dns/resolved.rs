//! `systemd-resolved`, asked over the system's bus (`org.freedesktop.resolve1(5)`).

use super::change::{domains_after, list_change, one_change, servers_after};
use super::host_settings::HostSettings;
use super::{SETTING, interface_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::backend::linux::link::Link;
use crate::dns::{
    Dns, DnsDomain, DnsOverTls, DnsServer, InterfaceDnsChange, InterfaceDnsSettings, LinkLookup, Resolver,
};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::InterfaceIndex;
use std::net::IpAddr;
use zbus::wire::{OwnedObjectPath, StructureBuilder, Variant};

const NAME: &str = "org.freedesktop.resolve1";
const MANAGER: &str = "org.freedesktop.resolve1.Manager";
const LINK: &str = "org.freedesktop.resolve1.Link";
const PATH: &str = "/org/freedesktop/resolve1";

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
        match self.service.properties(PATH, MANAGER)?.get::<String>("ResolvConfMode") {
            Some(mode) => Ok(mode != "foreign"),
            // Before version 247: by where its links lead.
            None => Ok(std::fs::canonicalize("/etc/resolv.conf")
                .map_or(true, |path| OWN.iter().any(|own| path.starts_with(own)))),
        }
    }

    /// What the host has of its own.
    pub(super) fn host_settings(&self) -> Result<HostSettings> {
        let mut dns = Dns::nothing(String::new());
        self.read(&mut dns)?;
        Ok(HostSettings { servers: dns.servers, domains: dns.domains })
    }

    /// Servers and domains of the host and of all interfaces, which one answer has; those of the host have interface 0.
    pub(super) fn read(&self, dns: &mut Dns) -> Result<()> {
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
        Ok(())
    }

    /// The settings of one interface.
    pub(super) fn interface(&self, link: &Link) -> Result<InterfaceDnsSettings> {
        let path: OwnedObjectPath = self.service.call(PATH, MANAGER, "GetLink", (number(link),))?;
        let properties = self.service.properties(path.as_str(), LINK)?;
        let text = |name| properties.get::<String>(name).unwrap_or_default();
        let lookup = |name| match text(name).as_str() {
            "yes" => LinkLookup::On,
            "resolve" => LinkLookup::ResolveOnly,
            _ => LinkLookup::Off,
        };
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
            llmnr: lookup("LLMNR"),
            multicast_dns: lookup("MulticastDNS"),
            dns_over_tls: match text("DNSOverTLS").as_str() {
                "yes" => DnsOverTls::Required,
                "opportunistic" => DnsOverTls::Opportunistic,
                _ => DnsOverTls::Off,
            },
        })
    }

    /// Changes the settings of one interface, all or nothing.
    pub(super) fn change(
        &self,
        link: &Link,
        change: &InterfaceDnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        let before = self.interface(link)?;
        let mut wanted = before.clone();
        wanted.servers = servers_after(&before.servers, change).unwrap_or(wanted.servers);
        for server in &mut wanted.servers {
            // A link-local server of an interface is on its link.
            match server.zone {
                Some(zone) if zone != link.index => {
                    return Err(Error::new(ErrorKind::InvalidParameter, SETTING)
                        .because(format!("{server} is on another link than {}", link.name())));
                }
                _ => server.zone = Some(link.index).filter(|_| server.is_link_local()),
            }
        }
        wanted.domains = domains_after(&before.domains, change).unwrap_or(wanted.domains);
        wanted.unconstrained_queries = change.unconstrained_queries.or(wanted.unconstrained_queries);
        wanted.llmnr = change.llmnr.unwrap_or(wanted.llmnr);
        wanted.multicast_dns = change.multicast_dns.unwrap_or(wanted.multicast_dns);
        wanted.dns_over_tls = change.dns_over_tls.unwrap_or(wanted.dns_over_tls);

        let steps = steps(&before, &wanted);
        let changes = || steps.iter().map(|step| step.change.clone()).collect();
        if !write || steps.is_empty() {
            return Ok(changes());
        }
        for (done, step) in steps.iter().enumerate() {
            if let Err(error) = self.set(link, step.method, &step.to) {
                self.put_back(link, &steps, done);
                return Err(error);
            }
        }
        // The service takes some settings and heeds none that are forbidden to the whole host (`LLMNR=no`).
        let after = self.interface(link)?;
        let missing = self::steps(&after, &wanted)
            .into_iter()
            .find(|left| steps.iter().any(|step| step.method == left.method));
        if let Some(missing) = missing {
            self.put_back(link, &steps, steps.len());
            return Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "systemd-resolved took {} and has \"{}\": see its settings of the whole host (resolved.conf)",
                missing.change.property, missing.change.from
            )));
        }
        Ok(changes())
    }

    fn set(&self, link: &Link, method: &str, value: &Variant<'static>) -> Result<()> {
        let malformed = |error: zbus::Error| Error::new(ErrorKind::Other, SETTING).because(error.to_string());
        let value = value.try_clone().map_err(malformed)?;
        let arguments = StructureBuilder::new().add_field(number(link)).append_field(value);
        self.service.call(PATH, MANAGER, method, arguments.build().map_err(malformed)?)
    }

    /// Takes back the first so many steps, the last first. What fails now is not told: the first failure is.
    fn put_back(&self, link: &Link, steps: &[Step], done: usize) {
        for step in steps.iter().take(done).rev() {
            let _ = self.set(link, step.method, &step.from);
        }
    }
}

/// One call that changes a link, and the value that takes it back.
#[derive(Debug)]
struct Step {
    method: &'static str,
    from: Variant<'static>,
    to: Variant<'static>,
    change: PropertyChange,
}

/// The calls that make `to` of `from`.
fn steps(from: &InterfaceDnsSettings, to: &InterfaceDnsSettings) -> Vec<Step> {
    let extended = |settings: &InterfaceDnsSettings| {
        settings.servers.iter().any(|server| server.port != DnsServer::PORT || server.name.is_some())
    };
    let (method, value): (_, fn(&[DnsServer]) -> Variant<'static>) = if extended(from) || extended(to) {
        ("SetLinkDNSEx", extended_servers)
    } else {
        ("SetLinkDNS", plain_servers)
    };
    let mut steps = Vec::new();
    let mut add = |method: &'static str,
                   change: Option<PropertyChange>,
                   from: Variant<'static>,
                   to: Variant<'static>| {
        steps.extend(change.map(|change| Step { method, from, to, change }));
    };
    let servers = list_change("servers", &from.servers, &to.servers, &mechanism(method));
    add(method, servers, value(&from.servers), value(&to.servers));
    let domains = list_change("domains", &from.domains, &to.domains, &mechanism("SetLinkDomains"));
    add("SetLinkDomains", domains, domains_value(&from.domains), domains_value(&to.domains));
    if let Some(wanted) = to.unconstrained_queries {
        // It follows from the domains where nobody sets it.
        let before = from.unconstrained_queries.unwrap_or(!wanted);
        let change = one_change("unconstrained_queries", &before, &wanted, &mechanism("SetLinkDefaultRoute"));
        add("SetLinkDefaultRoute", change, before.into(), wanted.into());
    }
    for (property, method, before, after) in [
        ("llmnr", "SetLinkLLMNR", from.llmnr, to.llmnr),
        ("multicast_dns", "SetLinkMulticastDNS", from.multicast_dns, to.multicast_dns),
    ] {
        let change = one_change(property, &before, &after, &mechanism(method));
        add(method, change, lookup_text(before).into(), lookup_text(after).into());
    }
    let change =
        one_change("dns_over_tls", &from.dns_over_tls, &to.dns_over_tls, &mechanism("SetLinkDNSOverTLS"));
    let (before, after) = (tls_text(from.dns_over_tls), tls_text(to.dns_over_tls));
    add("SetLinkDNSOverTLS", change, before.into(), after.into());
    steps
}

fn mechanism(method: &str) -> String {
    format!("systemd-resolved {method}")
}

/// A link's number, as the service has it.
fn number(link: &Link) -> i32 {
    link.index.0.cast_signed()
}

/// The interface with this number; 0 is none.
fn interface(number: i32) -> Option<InterfaceIndex> {
    (number != 0).then_some(InterfaceIndex(number.cast_unsigned()))
}

fn address_of(server: &DnsServer) -> PlainServer {
    match server.address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    }
}

fn plain_servers(servers: &[DnsServer]) -> Variant<'static> {
    servers.iter().map(address_of).collect::<Vec<_>>().into()
}

fn extended_servers(servers: &[DnsServer]) -> Variant<'static> {
    let one = |server: &DnsServer| -> Server {
        // 0 is the ordinary port, which with TLS is another one.
        let port = if server.port == DnsServer::PORT { 0 } else { server.port };
        let (family, address) = address_of(server);
        (family, address, port, server.name.clone().unwrap_or_default())
    };
    servers.iter().map(one).collect::<Vec<_>>().into()
}

fn domains_value(domains: &[DnsDomain]) -> Variant<'static> {
    let one = |domain: &DnsDomain| -> Domain { (domain.name.clone(), domain.routing_only) };
    domains.iter().map(one).collect::<Vec<_>>().into()
}

fn lookup_text(lookup: LinkLookup) -> &'static str {
    match lookup {
        LinkLookup::Off => "no",
        LinkLookup::ResolveOnly => "resolve",
        LinkLookup::On => "yes",
    }
}

fn tls_text(tls: DnsOverTls) -> &'static str {
    match tls {
        DnsOverTls::Off => "no",
        DnsOverTls::Opportunistic => "opportunistic",
        DnsOverTls::Required => "yes",
    }
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
