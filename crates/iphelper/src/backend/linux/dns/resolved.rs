//! `systemd-resolved`, asked over the system's bus (`org.freedesktop.resolve1(5)`).

use super::change::{domains_after, list_change, one_change, servers_after};
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
use iphelper_dbus::Value;
use std::net::IpAddr;

const NAME: &str = "org.freedesktop.resolve1";
const MANAGER: &str = "org.freedesktop.resolve1.Manager";
const LINK: &str = "org.freedesktop.resolve1.Link";
const PATH: &str = "/org/freedesktop/resolve1";

/// The service, if it works on the namespace of the host.
#[derive(Debug)]
pub(super) struct Resolved {
    service: Service,
}

impl Resolved {
    pub(super) fn find(host: &LinuxHost, operation: &'static str) -> Result<Option<Self>> {
        Ok(host.service(NAME, operation)?.map(|service| Self { service }))
    }

    /// Servers and domains of the host and of all interfaces, which one answer has.
    pub(super) fn read(&mut self, dns: &mut Dns) -> Result<()> {
        let properties = self.service.properties(PATH, MANAGER)?;
        dns.resolver = Resolver::Resolved;
        // Versions before 246 have no `DNSEx`, which has port and name besides.
        let servers = properties.get("DNSEx").or_else(|| properties.get("DNS"));
        for (index, server) in items(servers)
            .filter_map(of_interface)
            .filter_map(|(index, rest)| Some((index, server(rest, index)?)))
        {
            match index {
                None => dns.servers.push(server),
                Some(index) => interface_of(&mut dns.interfaces, index).servers.push(server),
            }
        }
        for (index, domain) in items(properties.get("Domains"))
            .filter_map(of_interface)
            .filter_map(|(index, rest)| Some((index, domain(rest)?)))
        {
            match index {
                None => dns.domains.push(domain),
                Some(index) => interface_of(&mut dns.interfaces, index).domains.push(domain),
            }
        }
        Ok(())
    }

    /// The settings of one interface.
    pub(super) fn interface(&mut self, link: &Link) -> Result<InterfaceDnsSettings> {
        let index = Value::I32(i32::try_from(link.index.0).unwrap_or_default());
        let path = self.service.call(PATH, MANAGER, "GetLink", vec![index])?;
        let path = path.first().and_then(Value::as_text).unwrap_or_default().to_owned();
        let properties = self.service.properties(&path, LINK)?;
        let text = |name| properties.get(name).and_then(Value::as_text).unwrap_or_default();
        let lookup = |name| match text(name) {
            "yes" => LinkLookup::On,
            "resolve" => LinkLookup::ResolveOnly,
            _ => LinkLookup::Off,
        };
        let servers = properties.get("DNSEx").or_else(|| properties.get("DNS"));
        let servers = items(servers).filter_map(|server_of| server(server_of.items()?, Some(link.index)));
        Ok(InterfaceDnsSettings {
            luid: link.luid(),
            index: link.index,
            name: link.name(),
            servers: servers.collect(),
            domains: items(properties.get("Domains")).filter_map(|of| domain(of.items()?)).collect(),
            unconstrained_queries: properties.get("DefaultRoute").and_then(Value::as_bool),
            llmnr: lookup("LLMNR"),
            multicast_dns: lookup("MulticastDNS"),
            dns_over_tls: match text("DNSOverTLS") {
                "yes" => DnsOverTls::Required,
                "opportunistic" => DnsOverTls::Opportunistic,
                _ => DnsOverTls::Off,
            },
        })
    }

    /// Changes the settings of one interface, all or nothing.
    pub(super) fn change(
        &mut self,
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

    fn set(&mut self, link: &Link, method: &str, value: &Value) -> Result<()> {
        let index = Value::I32(i32::try_from(link.index.0).unwrap_or_default());
        self.service.call(PATH, MANAGER, method, vec![index, value.clone()]).map(drop)
    }

    /// Takes back the first so many steps, the last first. What fails now is not told: the first failure is.
    fn put_back(&mut self, link: &Link, steps: &[Step], done: usize) {
        for step in steps.iter().take(done).rev() {
            let _ = self.set(link, step.method, &step.from);
        }
    }
}

/// One call that changes a link, and the value that takes it back.
#[derive(Debug)]
struct Step {
    method: &'static str,
    from: Value,
    to: Value,
    change: PropertyChange,
}

/// The calls that make `to` of `from`.
fn steps(from: &InterfaceDnsSettings, to: &InterfaceDnsSettings) -> Vec<Step> {
    let extended = |settings: &InterfaceDnsSettings| {
        settings.servers.iter().any(|server| server.port != DnsServer::PORT || server.name.is_some())
    };
    let (method, value): (_, fn(&[DnsServer]) -> Value) = if extended(from) || extended(to) {
        ("SetLinkDNSEx", extended_servers)
    } else {
        ("SetLinkDNS", plain_servers)
    };
    let mut steps = Vec::new();
    let mut add = |method: &'static str, change: Option<PropertyChange>, from: Value, to: Value| {
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
        add("SetLinkDefaultRoute", change, Value::Bool(before), Value::Bool(wanted));
    }
    for (property, method, before, after) in [
        ("llmnr", "SetLinkLLMNR", from.llmnr, to.llmnr),
        ("multicast_dns", "SetLinkMulticastDNS", from.multicast_dns, to.multicast_dns),
    ] {
        let change = one_change(property, &before, &after, &mechanism(method));
        add(method, change, Value::text(lookup_text(before)), Value::text(lookup_text(after)));
    }
    let change =
        one_change("dns_over_tls", &from.dns_over_tls, &to.dns_over_tls, &mechanism("SetLinkDNSOverTLS"));
    let (before, after) = (tls_text(from.dns_over_tls), tls_text(to.dns_over_tls));
    add("SetLinkDNSOverTLS", change, Value::text(before), Value::text(after));
    steps
}

fn mechanism(method: &str) -> String {
    format!("systemd-resolved {method}")
}

fn address_of(server: &DnsServer) -> [Value; 2] {
    match server.address {
        IpAddr::V4(address) => [Value::I32(libc::AF_INET), Value::bytes(&address.octets())],
        IpAddr::V6(address) => [Value::I32(libc::AF_INET6), Value::bytes(&address.octets())],
    }
}

fn plain_servers(servers: &[DnsServer]) -> Value {
    let servers = servers.iter().map(|server| Value::Struct(address_of(server).to_vec()));
    Value::Array("(iay)".to_owned(), servers.collect())
}

fn extended_servers(servers: &[DnsServer]) -> Value {
    let one = |server: &DnsServer| {
        // 0 is the ordinary port, which with TLS is another one.
        let port = if server.port == DnsServer::PORT { 0 } else { server.port };
        let [family, address] = address_of(server);
        let name = Value::text(server.name.as_deref().unwrap_or_default());
        Value::Struct(vec![family, address, Value::U16(port), name])
    };
    Value::Array("(iayqs)".to_owned(), servers.iter().map(one).collect())
}

fn domains_value(domains: &[DnsDomain]) -> Value {
    let one = |domain: &DnsDomain| {
        Value::Struct(vec![Value::text(&*domain.name), Value::Bool(domain.routing_only)])
    };
    Value::Array("(sb)".to_owned(), domains.iter().map(one).collect())
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

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::items).unwrap_or_default().iter()
}

/// The interface that a struct begins with (0: none), and its other members.
fn of_interface(value: &Value) -> Option<(Option<InterfaceIndex>, &[Value])> {
    let (index, rest) = value.items()?.split_first()?;
    let index = u32::try_from(index.as_integer()?).ok()?;
    Some((Some(index).filter(|index| *index != 0).map(InterfaceIndex), rest))
}

/// `iay`, or `iayqs`: family, address, then port (0: the ordinary one) and name (empty: none).
fn server(members: &[Value], link: Option<InterfaceIndex>) -> Option<DnsServer> {
    let [family, address, more @ ..] = members else { return None };
    let address = address.as_bytes()?;
    let address = match i32::try_from(family.as_integer()?).ok()? {
        libc::AF_INET => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        libc::AF_INET6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    let mut server = DnsServer::new(address);
    server.zone = link.filter(|_| server.is_link_local());
    if let [port, name, ..] = more {
        let port = u16::try_from(port.as_integer()?).ok()?;
        server.port = if port == 0 { DnsServer::PORT } else { port };
        server.name = Some(name.as_text()?.to_owned()).filter(|name| !name.is_empty());
    }
    Some(server)
}

/// `sb`: the name, and whether it only routes.
fn domain(members: &[Value]) -> Option<DnsDomain> {
    let [name, routing_only, ..] = members else { return None };
    Some(DnsDomain { name: name.as_text()?.to_owned(), routing_only: routing_only.as_bool()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_both_forms_are_read() {
        let address = [Value::I32(libc::AF_INET), Value::bytes(&[192, 0, 2, 1])];
        assert_eq!(server(&address, None), Some("192.0.2.1".parse().unwrap()));
        let more = [&address[..], &[Value::U16(853), Value::text("dns.example")]].concat();
        assert_eq!(server(&more, None), Some("192.0.2.1:853#dns.example".parse().unwrap()));
        let ordinary = [&address[..], &[Value::U16(0), Value::text("")]].concat();
        assert_eq!(server(&ordinary, None), Some("192.0.2.1".parse().unwrap()));
        let local = [
            Value::I32(libc::AF_INET6),
            Value::bytes(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        assert_eq!(server(&local, Some(InterfaceIndex(4))), Some("fe80::1%4".parse().unwrap()));
    }

    #[test]
    fn what_is_no_server_is_left_out() {
        for odd in [
            vec![],
            vec![Value::I32(libc::AF_INET)],
            vec![Value::I32(libc::AF_INET), Value::bytes(&[1, 2, 3])],
            vec![Value::I32(libc::AF_INET6), Value::bytes(&[1, 2, 3, 4])],
            vec![Value::I32(99), Value::bytes(&[1, 2, 3, 4])],
            vec![Value::text("x"), Value::bytes(&[1, 2, 3, 4])],
        ] {
            assert_eq!(server(&odd, None), None, "{odd:?}");
        }
    }
}
