//! `GetAdaptersAddresses`: lists in the caller's buffer.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::memory::image::{Image, List, Place};
use crate::raw::{
    AF_UNSPEC, GAA_FLAG_INCLUDE_ALL_COMPARTMENTS, GAA_FLAG_INCLUDE_ALL_INTERFACES, GAA_FLAG_INCLUDE_GATEWAYS,
    GAA_FLAG_INCLUDE_PREFIX, GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER, GAA_FLAG_INCLUDE_WINS_INFO,
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_INFO, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_FRIENDLY_NAME,
    GAA_FLAG_SKIP_MULTICAST, GAA_FLAG_SKIP_UNICAST, IP_ADAPTER_ADDRESS_DNS_ELIGIBLE, IP_ADAPTER_ADDRESSES,
    IP_ADAPTER_ANYCAST_ADDRESS, IP_ADAPTER_DHCP_ENABLED, IP_ADAPTER_DNS_SERVER_ADDRESS,
    IP_ADAPTER_DNS_SUFFIX, IP_ADAPTER_GATEWAY_ADDRESS, IP_ADAPTER_IPV4_ENABLED, IP_ADAPTER_IPV6_ENABLED,
    IP_ADAPTER_IPV6_MANAGE_ADDRESS_CONFIG, IP_ADAPTER_IPV6_OTHER_STATEFUL_CONFIG,
    IP_ADAPTER_MULTICAST_ADDRESS, IP_ADAPTER_NO_MULTICAST, IP_ADAPTER_PREFIX, IP_ADAPTER_RECEIVE_ONLY,
    IP_ADAPTER_UNICAST_ADDRESS, IP_ADAPTER_WINS_SERVER_ADDRESS, SOCKADDR, SOCKET_ADDRESS,
};
use crate::{address, guard, host, interface, key, sockaddr, text};
use iphelper::Family;
use iphelper::adapter::{Adapter, AdapterQuery, DhcpLease};
use iphelper::address::{SuffixOrigin, UnicastAddress};
use iphelper::compartment::{CompartmentId, OpenCompartment, compartments};
use iphelper::dns::DnsServer;
use iphelper::interface::DirectionType;
use std::ffi::c_void;
use std::mem::offset_of;
use std::net::IpAddr;
use std::ptr::null_mut;

const ALL_FLAGS: u32 = GAA_FLAG_SKIP_UNICAST
    | GAA_FLAG_SKIP_ANYCAST
    | GAA_FLAG_SKIP_MULTICAST
    | GAA_FLAG_SKIP_DNS_SERVER
    | GAA_FLAG_INCLUDE_PREFIX
    | GAA_FLAG_SKIP_FRIENDLY_NAME
    | GAA_FLAG_INCLUDE_WINS_INFO
    | GAA_FLAG_INCLUDE_GATEWAYS
    | GAA_FLAG_INCLUDE_ALL_INTERFACES
    | GAA_FLAG_INCLUDE_ALL_COMPARTMENTS
    | GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER
    | GAA_FLAG_SKIP_DNS_INFO;

const NO_ADDRESS: SOCKET_ADDRESS = SOCKET_ADDRESS { lpSockaddr: null_mut(), iSockaddrLength: 0 };

/// `GetAdaptersAddresses`.
///
/// `ERROR_BUFFER_OVERFLOW` with the size that is needed now; `ERROR_NO_DATA` where no adapter has the family;
/// `ERROR_INVALID_PARAMETER` for another family, flags that do not exist, and a `reserved` that is not NULL. With
/// `GAA_FLAG_INCLUDE_ALL_COMPARTMENTS` the adapters of the other compartments that the caller may enter follow its own.
#[doc(alias = "GetAdaptersAddresses")]
pub unsafe fn adapters_addresses(
    family: u32,
    flags: u32,
    reserved: *mut c_void,
    addresses: *mut IP_ADAPTER_ADDRESSES,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(addresses.cast(), size)?;
        if flags & !ALL_FLAGS != 0 || !reserved.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let family = if family == u32::from(AF_UNSPEC) { None } else { Some(key::family(family)?) };
        let has = |flag| flags & flag != 0;
        let query = AdapterQuery {
            family,
            all_interfaces: has(GAA_FLAG_INCLUDE_ALL_INTERFACES),
            unicast: !has(GAA_FLAG_SKIP_UNICAST) || has(GAA_FLAG_INCLUDE_PREFIX),
            anycast: !has(GAA_FLAG_SKIP_ANYCAST),
            multicast: !has(GAA_FLAG_SKIP_MULTICAST),
            gateways: has(GAA_FLAG_INCLUDE_GATEWAYS),
            dns: !has(GAA_FLAG_SKIP_DNS_SERVER) || !has(GAA_FLAG_SKIP_DNS_INFO),
            dhcp: true,
        };
        let host = host::current()?;
        let here = host.compartment_id().unwrap_or(CompartmentId::UNSPECIFIED);
        let mut found = vec![(here, host.adapters(&query)?)];
        if has(GAA_FLAG_INCLUDE_ALL_COMPARTMENTS) {
            found.extend(elsewhere(here, &query)?);
        }
        if found.iter().all(|(_, adapters)| adapters.is_empty()) {
            return Err(Code::NO_DATA);
        }
        let mut writer = Writer { image: Image::default(), flags, family, compartment: 0 };
        let mut last: Option<Place<IP_ADAPTER_ADDRESSES>> = None;
        for (compartment, adapters) in &found {
            writer.compartment = compartment.0;
            for adapter in adapters {
                let place = writer.adapter(adapter);
                if let Some(last) = last {
                    writer.image.point(last.member(offset_of!(IP_ADAPTER_ADDRESSES, Next)), place);
                }
                last = Some(place);
            }
        }
        // SAFETY: the caller's promise on `addresses` and `size`.
        unsafe { writer.image.put(buffer) }.map_err(super::overflow)
    })
}

/// The adapters of the other compartments, of those that the caller may enter.
fn elsewhere(here: CompartmentId, query: &AdapterQuery) -> Result<Vec<(CompartmentId, Vec<Adapter>)>, Code> {
    let mut found = Vec::new();
    for compartment in compartments()?.into_iter().filter(|compartment| compartment.id != here) {
        // One that is gone by now has none, and of one that may not be entered this caller sees none.
        let adapters = OpenCompartment::open(compartment.id)
            .and_then(|open| open.host())
            .and_then(|host| host.adapters(query));
        if let Ok(adapters) = adapters {
            found.push((compartment.id, adapters));
        }
    }
    Ok(found)
}

struct Writer {
    image: Image,
    flags: u32,
    family: Option<Family>,
    compartment: u32,
}

/// Adds a list of elements, each with a length, a further member, and a socket address.
macro_rules! list {
    ($writer:ident, $adapter:ident.$first:ident, $element:ident { $second:ident }, $addresses:expr) => {{
        let mut list =
            List::new($adapter.member(offset_of!(IP_ADAPTER_ADDRESSES, $first)), offset_of!($element, Next));
        for (ip, scope) in $addresses {
            let element = $element {
                Length: length_of::<$element>(),
                $second: 0,
                Next: null_mut(),
                Address: NO_ADDRESS,
            };
            let place = list.push(&mut $writer.image, element);
            $writer.socket_address(place.member(offset_of!($element, Address)), ip, scope);
        }
    }};
}

impl Writer {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn adapter(&mut self, adapter: &Adapter) -> Place<IP_ADAPTER_ADDRESSES> {
        let at = self.image.add(self.fixed_part(adapter));
        self.strings(at, adapter);
        if !self.has(GAA_FLAG_SKIP_UNICAST) {
            self.unicast(at, adapter);
        }
        let anycast = adapter.anycast_addresses.iter().map(|row| (row.address, row.scope_id));
        list!(self, at.FirstAnycastAddress, IP_ADAPTER_ANYCAST_ADDRESS { Flags }, anycast);
        let groups = adapter.multicast_addresses.iter().map(|row| (row.address, row.scope_id));
        list!(self, at.FirstMulticastAddress, IP_ADAPTER_MULTICAST_ADDRESS { Flags }, groups);
        self.dns(at, adapter);
        if self.has(GAA_FLAG_INCLUDE_PREFIX) {
            self.prefixes(at, adapter);
        }
        let index = adapter.interface.index.0;
        let zone = |address: IpAddr| match address {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => index,
            _ => 0,
        };
        let gateways = adapter.gateways.iter().map(|gateway| (gateway.address, zone(gateway.address)));
        list!(self, at.FirstGatewayAddress, IP_ADAPTER_GATEWAY_ADDRESS { Reserved }, gateways);
        if let Some(lease) = &adapter.dhcp {
            if self.has(GAA_FLAG_INCLUDE_WINS_INFO) {
                let servers = lease.wins_servers.iter().map(|server| (IpAddr::V4(*server), 0));
                list!(self, at.FirstWinsServerAddress, IP_ADAPTER_WINS_SERVER_ADDRESS { Reserved }, servers);
            }
            if let Some(server) = lease.server {
                let place = at.member(offset_of!(IP_ADAPTER_ADDRESSES, Dhcpv4Server));
                self.socket_address(place, server.into(), 0);
            }
        }
        at
    }

    /// What stands in the element itself; pointers are NULL.
    fn fixed_part(&self, adapter: &Adapter) -> IP_ADAPTER_ADDRESSES {
        let row = interface::row(&adapter.interface);
        let (ipv4, ipv6) = (adapter.ipv4.as_ref(), adapter.ipv6.as_ref());
        let index = adapter.interface.index.0;
        let mut zones = [0; 16];
        // As in the rows of IP interfaces: a link's zones are the link.
        zones.iter_mut().skip(1).take(3).for_each(|zone| *zone = index);
        let mut element = IP_ADAPTER_ADDRESSES {
            Length: length_of::<IP_ADAPTER_ADDRESSES>(),
            IfIndex: ipv4.map_or(0, |_| index),
            Next: null_mut(),
            AdapterName: null_mut(),
            FirstUnicastAddress: null_mut(),
            FirstAnycastAddress: null_mut(),
            FirstMulticastAddress: null_mut(),
            FirstDnsServerAddress: null_mut(),
            DnsSuffix: null_mut(),
            Description: null_mut(),
            FriendlyName: null_mut(),
            PhysicalAddress: [0; 8],
            PhysicalAddressLength: 0,
            Flags: flags_of(adapter),
            Mtu: row.Mtu,
            IfType: row.Type,
            OperStatus: row.OperStatus,
            Ipv6IfIndex: ipv6.map_or(0, |_| index),
            ZoneIndices: zones,
            FirstPrefix: null_mut(),
            TransmitLinkSpeed: row.TransmitLinkSpeed,
            ReceiveLinkSpeed: row.ReceiveLinkSpeed,
            FirstWinsServerAddress: null_mut(),
            FirstGatewayAddress: null_mut(),
            Ipv4Metric: ipv4.map_or(0, |ip| ip.metric),
            Ipv6Metric: ipv6.map_or(0, |ip| ip.metric),
            Luid: row.InterfaceLuid,
            Dhcpv4Server: NO_ADDRESS,
            CompartmentId: self.compartment,
            NetworkGuid: row.NetworkGuid,
            ConnectionType: row.ConnectionType,
            TunnelType: row.TunnelType,
            // Reserved on Windows.
            Dhcpv6Server: NO_ADDRESS,
            Dhcpv6ClientDuid: [0; 130],
            Dhcpv6ClientDuidLength: 0,
            Dhcpv6Iaid: 0,
            FirstDnsSuffix: null_mut(),
        };
        element.PhysicalAddressLength =
            interface::copy(&mut element.PhysicalAddress, adapter.interface.physical_address.as_bytes());
        if let Some(client) = &adapter.dhcpv6 {
            element.Dhcpv6ClientDuidLength = interface::copy(&mut element.Dhcpv6ClientDuid, &client.duid);
            element.Dhcpv6Iaid = client.iaid.unwrap_or(0);
        }
        element
    }

    fn strings(&mut self, at: Place<IP_ADAPTER_ADDRESSES>, adapter: &Adapter) {
        let name = self.image.add_string(adapter.interface.guid.to_string().into_bytes());
        self.image.point(at.member(offset_of!(IP_ADAPTER_ADDRESSES, AdapterName)), name);
        let description = self.image.add_string(adapter.interface.description.encode_utf16());
        self.image.point(at.member(offset_of!(IP_ADAPTER_ADDRESSES, Description)), description);
        if !self.has(GAA_FLAG_SKIP_FRIENDLY_NAME) {
            let friendly = self.image.add_string(adapter.interface.name.encode_utf16());
            self.image.point(at.member(offset_of!(IP_ADAPTER_ADDRESSES, FriendlyName)), friendly);
        }
    }

    fn unicast(&mut self, at: Place<IP_ADAPTER_ADDRESSES>, adapter: &Adapter) {
        let mut list = List::new(
            at.member(offset_of!(IP_ADAPTER_ADDRESSES, FirstUnicastAddress)),
            offset_of!(IP_ADAPTER_UNICAST_ADDRESS, Next),
        );
        for row in &adapter.unicast_addresses {
            let member = address::row(row);
            let lease = adapter.dhcp.as_ref().filter(|lease| IpAddr::V4(lease.address) == row.address);
            let lease = lease.and_then(DhcpLease::remaining);
            let element = IP_ADAPTER_UNICAST_ADDRESS {
                Length: length_of::<IP_ADAPTER_UNICAST_ADDRESS>(),
                Flags: if is_for_dns(row) { IP_ADAPTER_ADDRESS_DNS_ELIGIBLE } else { 0 },
                Next: null_mut(),
                Address: NO_ADDRESS,
                PrefixOrigin: member.PrefixOrigin,
                SuffixOrigin: member.SuffixOrigin,
                DadState: member.DadState,
                ValidLifetime: member.ValidLifetime,
                PreferredLifetime: member.PreferredLifetime,
                // Without a lease that is known, the address goes with its valid lifetime.
                LeaseLifetime: lease.map_or(member.ValidLifetime, |left| left.as_secs()),
                OnLinkPrefixLength: member.OnLinkPrefixLength,
            };
            let place = list.push(&mut self.image, element);
            let address = place.member(offset_of!(IP_ADAPTER_UNICAST_ADDRESS, Address));
            self.socket_address(address, row.address, row.scope_id);
        }
    }

    fn prefixes(&mut self, at: Place<IP_ADAPTER_ADDRESSES>, adapter: &Adapter) {
        let mut list = List::new(
            at.member(offset_of!(IP_ADAPTER_ADDRESSES, FirstPrefix)),
            offset_of!(IP_ADAPTER_PREFIX, Next),
        );
        for prefix in adapter.prefixes(self.family) {
            let element = IP_ADAPTER_PREFIX {
                Length: length_of::<IP_ADAPTER_PREFIX>(),
                Flags: 0,
                Next: null_mut(),
                Address: NO_ADDRESS,
                PrefixLength: prefix.len().into(),
            };
            let place = list.push(&mut self.image, element);
            self.socket_address(place.member(offset_of!(IP_ADAPTER_PREFIX, Address)), prefix.address(), 0);
        }
    }

    fn dns(&mut self, at: Place<IP_ADAPTER_ADDRESSES>, adapter: &Adapter) {
        let dns = adapter.dns.as_ref();
        if !self.has(GAA_FLAG_SKIP_DNS_SERVER) {
            let zone = |server: &DnsServer| server.zone.map_or(0, |zone| zone.0);
            let servers = dns.into_iter().flat_map(|dns| &dns.servers);
            let servers = servers.map(|server| (server.address, zone(server)));
            list!(self, at.FirstDnsServerAddress, IP_ADAPTER_DNS_SERVER_ADDRESS { Reserved }, servers);
        }
        let dns = dns.filter(|_| !self.has(GAA_FLAG_SKIP_DNS_INFO));
        // There is a string in any case: programs print it without looking.
        let suffix = dns.and_then(|dns| dns.suffix()).unwrap_or_default();
        let suffix = self.image.add_string(suffix.encode_utf16());
        self.image.point(at.member(offset_of!(IP_ADAPTER_ADDRESSES, DnsSuffix)), suffix);
        let mut list = List::new(
            at.member(offset_of!(IP_ADAPTER_ADDRESSES, FirstDnsSuffix)),
            offset_of!(IP_ADAPTER_DNS_SUFFIX, Next),
        );
        let domains = dns.into_iter().flat_map(|dns| &dns.domains);
        for domain in domains.filter(|domain| !domain.routing_only) {
            let mut element = IP_ADAPTER_DNS_SUFFIX { Next: null_mut(), String: [0; 256] };
            text::fill_wide(&mut element.String, &domain.name);
            let _place = list.push(&mut self.image, element);
        }
    }

    /// Adds a `SOCKADDR_IN` or `SOCKADDR_IN6`, and makes a `SOCKET_ADDRESS` lead to it.
    fn socket_address(&mut self, place: Place<SOCKET_ADDRESS>, ip: IpAddr, scope: u32) {
        let (address, len): (Place<SOCKADDR>, usize) = match ip {
            IpAddr::V4(ip) => {
                let address = sockaddr::write_in(ip);
                (self.image.add(address).member(0), size_of_val(&address))
            }
            IpAddr::V6(ip) => {
                let address = sockaddr::write_in6(ip, scope);
                (self.image.add(address).member(0), size_of_val(&address))
            }
        };
        self.image.point(place.member(offset_of!(SOCKET_ADDRESS, lpSockaddr)), address);
        let len = i32::try_from(len).unwrap_or_default();
        self.image.set(place.member(offset_of!(SOCKET_ADDRESS, iSockaddrLength)), len);
    }
}

fn length_of<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or_default()
}

/// Linux registers no names in DNS by itself, and speaks no NetBIOS: those bits stay off.
fn flags_of(adapter: &Adapter) -> u32 {
    let receives_only = adapter.interface.direction_type == DirectionType::ReceiveOnly;
    let other = adapter.ipv6.and_then(|ip| ip.other_stateful_configuration_supported);
    let managed = adapter.ipv6.and_then(|ip| ip.managed_address_configuration_supported);
    [
        (IP_ADAPTER_DHCP_ENABLED, adapter.dhcp.is_some()),
        (IP_ADAPTER_RECEIVE_ONLY, receives_only),
        (IP_ADAPTER_NO_MULTICAST, !adapter.supports_multicast),
        (IP_ADAPTER_IPV6_OTHER_STATEFUL_CONFIG, other == Some(true)),
        (IP_ADAPTER_IPV4_ENABLED, adapter.ipv4.is_some()),
        (IP_ADAPTER_IPV6_ENABLED, adapter.ipv6.is_some()),
        (IP_ADAPTER_IPV6_MANAGE_ADDRESS_CONFIG, managed == Some(true)),
    ]
    .into_iter()
    .filter_map(|(flag, is_set)| is_set.then_some(flag))
    .fold(0, |all, flag| all | flag)
}

/// Whether an address may stand in DNS: one that others reach, that this host sends from, and that stays the same.
fn is_for_dns(row: &UnicastAddress) -> bool {
    let is_local = match row.address {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    };
    !is_local && !row.skip_as_source && row.suffix_origin != SuffixOrigin::Random
}
