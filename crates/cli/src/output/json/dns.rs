//! DNS settings as JSON.

use iphelper::InterfaceIndex;
use iphelper::dns::{self, DnsOverTls, LinkLookup, Resolver};
use iphelper::ip_interface::PropertyChange;
use serde::Serialize;
use std::net::IpAddr;

/// Each field of `iphelper::dns::Dns`.
#[derive(Debug, Serialize)]
pub(crate) struct Dns<'a> {
    host_name: &'a str,
    domain_name: Option<&'a str>,
    resolver: &'static str,
    path: Option<String>,
    exists: Option<bool>,
    manager: Option<&'a str>,
    forwarder: Option<String>,
    servers: Vec<Server<'a>>,
    domains: Vec<Domain<'a>>,
    interfaces: Vec<OfInterface<'a>>,
}

#[derive(Debug, Serialize)]
struct OfInterface<'a> {
    interface: Option<String>,
    index: u32,
    servers: Vec<Server<'a>>,
    reached: Vec<Server<'a>>,
    domains: Vec<Domain<'a>>,
}

#[derive(Debug, Serialize)]
struct Server<'a> {
    address: IpAddr,
    zone: Option<u32>,
    port: u16,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Domain<'a> {
    name: &'a str,
    routing_only: bool,
}

/// Each field of `iphelper::dns::InterfaceDnsSettings`.
#[derive(Debug, Serialize)]
pub(crate) struct InterfaceDns<'a> {
    luid: String,
    index: u32,
    interface: &'a str,
    servers: Vec<Server<'a>>,
    domains: Vec<Domain<'a>>,
    unconstrained_queries: Option<bool>,
    llmnr: &'static str,
    multicast_dns: &'static str,
    dns_over_tls: &'static str,
}

/// A change of a setting.
#[derive(Debug, Serialize)]
pub(crate) struct DnsChange<'a> {
    property: &'a str,
    from: &'a str,
    to: &'a str,
    mechanism: &'a str,
}

impl<'a> Dns<'a> {
    /// With the interfaces' names, where they have one still.
    pub(crate) fn new(dns: &'a dns::Dns, name: impl Fn(InterfaceIndex) -> Option<String>) -> Self {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let mut forwarder = None;
        let (resolver, path, exists, manager) = match &dns.resolver {
            Resolver::Resolved => ("systemd-resolved", None, None, None),
            Resolver::File { path, exists, manager, forwarder: list } => {
                forwarder = list.as_deref().map(text);
                ("file", Some(text(path)), Some(*exists), manager.as_deref())
            }
            _ => ("other", None, None, None),
        };
        let of = |of: &'a dns::InterfaceDns| OfInterface {
            interface: name(of.index),
            index: of.index.0,
            servers: servers(&of.servers),
            reached: servers(&of.reached),
            domains: domains(&of.domains),
        };
        Self {
            host_name: &dns.host_name,
            domain_name: dns.domain_name.as_deref(),
            resolver,
            path,
            exists,
            manager,
            forwarder,
            servers: servers(&dns.servers),
            domains: domains(&dns.domains),
            interfaces: dns.interfaces.iter().map(of).collect(),
        }
    }
}

impl<'a> From<&'a dns::InterfaceDnsSettings> for InterfaceDns<'a> {
    fn from(settings: &'a dns::InterfaceDnsSettings) -> Self {
        Self {
            luid: settings.luid.0.to_string(),
            index: settings.index.0,
            interface: &settings.name,
            servers: servers(&settings.servers),
            domains: domains(&settings.domains),
            unconstrained_queries: settings.unconstrained_queries,
            llmnr: lookup(settings.llmnr),
            multicast_dns: lookup(settings.multicast_dns),
            dns_over_tls: match settings.dns_over_tls {
                DnsOverTls::Off => "off",
                DnsOverTls::Opportunistic => "opportunistic",
                DnsOverTls::Required => "required",
                _ => "other",
            },
        }
    }
}

impl<'a> From<&'a PropertyChange> for DnsChange<'a> {
    fn from(change: &'a PropertyChange) -> Self {
        Self { property: change.property, from: &change.from, to: &change.to, mechanism: &change.mechanism }
    }
}

fn lookup(lookup: LinkLookup) -> &'static str {
    match lookup {
        LinkLookup::Off => "off",
        LinkLookup::ResolveOnly => "resolve",
        LinkLookup::On => "on",
        _ => "other",
    }
}

fn servers(servers: &[dns::DnsServer]) -> Vec<Server<'_>> {
    let mut rows = Vec::new();
    for dns::DnsServer { address, zone, port, name, .. } in servers {
        rows.push(Server {
            address: *address,
            zone: zone.map(|zone| zone.0),
            port: *port,
            name: name.as_deref(),
        });
    }
    rows
}

fn domains(domains: &[dns::DnsDomain]) -> Vec<Domain<'_>> {
    domains.iter().map(|domain| Domain { name: &domain.name, routing_only: domain.routing_only }).collect()
}
