//! A stand-in for `systemd-resolved`: it keeps what is set, as the real one does, and resolves nothing.

use crate::bus::{Answer, serve};
use iphelper_dbus::{Message, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// If this file is there, it holds the name of a method that is refused because somebody else manages the link.
pub const BUSY: &str = "/run/dbus/resolved.busy";
/// If this file is there, LLMNR is forbidden to the whole host: links take it and do not heed it.
pub const NO_LLMNR: &str = "/run/dbus/resolved.no-llmnr";

/// Properties of a link, by name.
type Link = BTreeMap<&'static str, Value>;

/// Answers as `systemd-resolved`, until the bus ends. The host has the server 127.0.0.1 and the domain `host.example`,
/// interface 2 the servers 192.0.2.53 (port 853, `dns.example`) and fe80::1, and the domains `corp.example` and
/// `~vpn.example`; other interfaces have nothing.
pub fn serve_resolved() {
    let mut links: BTreeMap<i128, Link> = BTreeMap::new();
    let mut first = link();
    let local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let _ = first
        .insert("DNSEx", servers(&[server(&[192, 0, 2, 53], 853, "dns.example"), server(&local, 0, "")]));
    let _ = first.insert("Domains", domains(&[domain("corp.example", false), domain("vpn.example", true)]));
    let _ = links.insert(2, first);
    serve("org.freedesktop.resolve1", move |call| answer(&mut links, call));
}

fn link() -> Link {
    BTreeMap::from([
        ("DNSEx", servers(&[])),
        ("Domains", domains(&[])),
        ("DefaultRoute", Value::Bool(true)),
        ("LLMNR", Value::text("yes")),
        ("MulticastDNS", Value::text("no")),
        ("DNSOverTLS", Value::text("no")),
    ])
}

fn answer(links: &mut BTreeMap<i128, Link>, call: &Message) -> Answer {
    let member = call.member.as_deref().unwrap_or_default();
    let path = call.path.as_deref().unwrap_or_default();
    let argument = |position: usize| call.body.get(position).cloned().unwrap_or(Value::Bool(false));
    if member == "GetAll" {
        let properties = match argument(0).as_text() {
            Some("org.freedesktop.resolve1.Manager") => manager(links),
            Some("org.freedesktop.resolve1.Link") => {
                let index = path.rsplit('_').next().and_then(|index| index.parse().ok()).unwrap_or_default();
                links.entry(index).or_insert_with(link).clone()
            }
            _ => Link::new(),
        };
        return Ok(vec![dictionary(&properties)]);
    }
    let index = argument(0).as_integer().unwrap_or_default();
    if !(1..=99).contains(&index) {
        return Err(refusal("NoSuchLink", format!("Link {index} not known")));
    }
    if member == "GetLink" {
        return Ok(vec![Value::Path(format!("/org/freedesktop/resolve1/link/_{index}"))]);
    }
    if std::fs::read_to_string(BUSY).is_ok_and(|busy| busy.trim() == member) {
        return Err(refusal("LinkBusy", format!("Link {index} is managed.")));
    }
    let link = links.entry(index).or_insert_with(link);
    let value = argument(1);
    let property = match member {
        "SetLinkDNS" => {
            let plain = value.items().unwrap_or_default().iter();
            let extended = plain.map(|server| {
                let mut members = server.items().unwrap_or_default().to_vec();
                members.extend([Value::U16(0), Value::text("")]);
                Value::Struct(members)
            });
            let _ = link.insert("DNSEx", servers(&extended.collect::<Vec<_>>()));
            return Ok(vec![]);
        }
        "SetLinkDNSEx" => "DNSEx",
        "SetLinkDomains" => "Domains",
        "SetLinkDefaultRoute" => "DefaultRoute",
        "SetLinkLLMNR" if Path::new(NO_LLMNR).exists() => {
            let _ = link.insert("LLMNR", Value::text("no"));
            return Ok(vec![]);
        }
        "SetLinkLLMNR" => "LLMNR",
        "SetLinkMulticastDNS" => "MulticastDNS",
        "SetLinkDNSOverTLS" => "DNSOverTLS",
        _ => {
            return Err(("org.freedesktop.DBus.Error.UnknownMethod".to_owned(), "no such method".to_owned()));
        }
    };
    assert!(link.get(property).is_some_and(|old| value.is_of(&old.signature())), "{member} of {value:?}");
    let _ = link.insert(property, value);
    Ok(vec![])
}

fn refusal(name: &str, text: String) -> (String, String) {
    (format!("org.freedesktop.resolve1.{name}"), text)
}

/// The host's own, then those of all links, each with its interface before it.
fn manager(links: &BTreeMap<i128, Link>) -> Link {
    let of = |index: i128, value: &Value| {
        let mut members = vec![Value::I32(i32::try_from(index).unwrap_or_default())];
        members.extend_from_slice(value.items().unwrap_or_default());
        Value::Struct(members)
    };
    let all = |property: &str| {
        let of_link = |(index, link): (&i128, &Link)| {
            let items = link.get(property).and_then(Value::items).unwrap_or_default();
            items.iter().map(|item| of(*index, item)).collect::<Vec<_>>()
        };
        links.iter().flat_map(of_link).collect::<Vec<_>>()
    };
    let mut servers = vec![of(0, &server(&[127, 0, 0, 1], 0, ""))];
    servers.extend(all("DNSEx"));
    let mut domains = vec![of(0, &domain("host.example", false))];
    domains.extend(all("Domains"));
    BTreeMap::from([
        ("DNSEx", Value::Array("(iiayqs)".to_owned(), servers)),
        ("Domains", Value::Array("(isb)".to_owned(), domains)),
        ("DNSSECStatistics", Value::Struct(vec![Value::U64(1), Value::U64(2)])),
    ])
}

fn server(address: &[u8], port: u16, name: &str) -> Value {
    let family = if address.len() == 4 { 2 } else { 10 };
    Value::Struct(vec![Value::I32(family), Value::bytes(address), Value::U16(port), Value::text(name)])
}

fn servers(servers: &[Value]) -> Value {
    Value::Array("(iayqs)".to_owned(), servers.to_vec())
}

fn domain(name: &str, routing_only: bool) -> Value {
    Value::Struct(vec![Value::text(name), Value::Bool(routing_only)])
}

fn domains(domains: &[Value]) -> Value {
    Value::Array("(sb)".to_owned(), domains.to_vec())
}

fn dictionary(properties: &Link) -> Value {
    let entry = |(name, value): (&&str, &Value)| {
        Value::Entry(Box::new((Value::text(*name), Value::Variant(Box::new(value.clone())))))
    };
    Value::Array("{sv}".to_owned(), properties.iter().map(entry).collect())
}
