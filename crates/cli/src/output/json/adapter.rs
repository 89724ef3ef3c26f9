//! Adapters as JSON.

use super::{AddressMember, UnicastAddress, family};
use iphelper::adapter::{self, AdapterDns, DhcpLease, Dhcpv6Client};
use serde::Serialize;
use std::net::IpAddr;
use std::time::SystemTime;

/// An interface with all that belongs to it.
#[derive(Debug, Serialize)]
pub(crate) struct Adapter<'a> {
    luid: String,
    index: u32,
    interface: &'a str,
    guid: String,
    description: &'a str,
    interface_type: u16,
    physical_address: Option<String>,
    mtu: u32,
    oper_status: String,
    supports_multicast: bool,
    ipv4: Option<Ip>,
    ipv6: Option<Ip>,
    unicast_addresses: Vec<UnicastAddress<'a>>,
    anycast_addresses: Vec<AddressMember<'a>>,
    multicast_addresses: Vec<AddressMember<'a>>,
    prefixes: Vec<String>,
    gateways: Vec<Gateway>,
    dns: Option<Dns<'a>>,
    dhcp: Option<Lease>,
    dhcpv6: Option<Client>,
}

#[derive(Debug, Serialize)]
struct Ip {
    metric: u32,
    managed_address_configuration_supported: Option<bool>,
    other_stateful_configuration_supported: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Gateway {
    family: &'static str,
    address: IpAddr,
    system_metric: u32,
}

#[derive(Debug, Serialize)]
struct Dns<'a> {
    servers: Vec<String>,
    domains: Vec<Domain<'a>>,
}

#[derive(Debug, Serialize)]
struct Domain<'a> {
    name: &'a str,
    routing_only: bool,
}

/// A lease, by itself or within an adapter.
#[derive(Debug, Serialize)]
pub(crate) struct Lease {
    client: String,
    address: IpAddr,
    server: Option<IpAddr>,
    obtained: Option<u64>,
    lifetime: Option<u64>,
    never_ends: bool,
    expires: Option<u64>,
    wins_servers: Vec<IpAddr>,
}

#[derive(Debug, Serialize)]
struct Client {
    client: String,
    duid: String,
    iaid: Option<u32>,
}

impl<'a> From<&'a adapter::Adapter> for Adapter<'a> {
    fn from(row: &'a adapter::Adapter) -> Self {
        let interface = &row.interface;
        let ip = |ip: Option<&adapter::AdapterIp>| {
            ip.map(|ip| Ip {
                metric: ip.metric,
                managed_address_configuration_supported: ip.managed_address_configuration_supported,
                other_stateful_configuration_supported: ip.other_stateful_configuration_supported,
            })
        };
        let member = |address: IpAddr, scope_id: u32| {
            AddressMember::new(address, interface.luid, interface.index, &interface.name, scope_id)
        };
        Self {
            luid: interface.luid.0.to_string(),
            index: interface.index.0,
            interface: &interface.name,
            guid: interface.guid.to_string(),
            description: &interface.description,
            interface_type: interface.interface_type.0,
            physical_address: (!interface.physical_address.is_empty())
                .then(|| interface.physical_address.to_string()),
            mtu: interface.mtu,
            oper_status: interface.oper_status.to_string(),
            supports_multicast: row.supports_multicast,
            ipv4: ip(row.ipv4.as_ref()),
            ipv6: ip(row.ipv6.as_ref()),
            unicast_addresses: row.unicast_addresses.iter().map(Into::into).collect(),
            anycast_addresses: row
                .anycast_addresses
                .iter()
                .map(|it| member(it.address, it.scope_id))
                .collect(),
            multicast_addresses: row
                .multicast_addresses
                .iter()
                .map(|it| member(it.address, it.scope_id))
                .collect(),
            prefixes: row.prefixes(None).iter().map(ToString::to_string).collect(),
            gateways: row
                .gateways
                .iter()
                .map(|it| Gateway {
                    family: family(it.family),
                    address: it.address,
                    system_metric: it.system_metric,
                })
                .collect(),
            dns: row.dns.as_ref().map(Into::into),
            dhcp: row.dhcp.as_ref().map(Into::into),
            dhcpv6: row.dhcpv6.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a AdapterDns> for Dns<'a> {
    fn from(dns: &'a AdapterDns) -> Self {
        let domain = |domain: &'a iphelper::dns::DnsDomain| Domain {
            name: &domain.name,
            routing_only: domain.routing_only,
        };
        Self {
            servers: dns.servers.iter().map(ToString::to_string).collect(),
            domains: dns.domains.iter().map(domain).collect(),
        }
    }
}

impl From<&DhcpLease> for Lease {
    fn from(lease: &DhcpLease) -> Self {
        let milliseconds = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        };
        let never_ends = lease.lifetime.is_some_and(|lifetime| lifetime.is_infinite());
        let lifetime = lease.lifetime.filter(|lifetime| !lifetime.is_infinite());
        Self {
            client: lease.client.to_string(),
            address: lease.address.into(),
            server: lease.server.map(Into::into),
            obtained: lease.obtained.map(milliseconds),
            lifetime: lifetime.map(|lifetime| u64::from(lifetime.as_secs()) * 1000),
            never_ends,
            expires: lease.expires().map(milliseconds),
            wins_servers: lease.wins_servers.iter().map(|server| (*server).into()).collect(),
        }
    }
}

impl From<&Dhcpv6Client> for Client {
    fn from(client: &Dhcpv6Client) -> Self {
        Self { client: client.client.to_string(), duid: hexadecimal(&client.duid), iaid: client.iaid }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
