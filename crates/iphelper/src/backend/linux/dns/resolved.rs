//! `systemd-resolved`, asked over the system's bus (`org.freedesktop.resolve1(5)`).

use super::interface_of;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::dns::{Dns, DnsDomain, DnsServer, Resolver};
use crate::error::Result;
use crate::types::InterfaceIndex;
use iphelper_dbus::Value;
use std::net::IpAddr;

const NAME: &str = "org.freedesktop.resolve1";
const MANAGER: &str = "org.freedesktop.resolve1.Manager";
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
