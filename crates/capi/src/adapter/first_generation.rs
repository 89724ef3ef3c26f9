//! `GetAdaptersInfo` and `GetPerAdapterInfo`: IPv4 alone, addresses as text.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::memory::image::{Image, List, Place};
use crate::raw::{IP_ADAPTER_INFO, IP_ADDR_STRING, IP_PER_ADAPTER_INFO};
use crate::{guard, host, interface, text};
use iphelper::adapter::{Adapter, AdapterQuery};
use iphelper::convert::ipv4_mask;
use iphelper::interface::InterfaceType;
use iphelper::{ErrorKind, Family, InterfaceIndex};
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr};
use std::ptr::null_mut;
use std::time::SystemTime;

/// What Windows' DHCP client writes of a lease that never ends.
const NEVER: isize = 0x7FFF_FFFF;

/// `GetAdaptersInfo`: IPv4 adapters, loopback left out. `ERROR_BUFFER_OVERFLOW` with the size that is needed now,
/// `ERROR_NO_DATA` where there is none.
#[doc(alias = "GetAdaptersInfo")]
pub unsafe fn adapters_info(info: *mut IP_ADAPTER_INFO, size: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(info.cast(), size)?;
        let query = AdapterQuery {
            family: Some(Family::V4),
            anycast: false,
            multicast: false,
            dns: false,
            ..AdapterQuery::default()
        };
        let mut adapters = host::current()?.adapters(&query)?;
        adapters.retain(|adapter| !is_loopback(adapter));
        if adapters.is_empty() {
            return Err(Code::NO_DATA);
        }
        let mut image = Image::default();
        let mut last: Option<Place<IP_ADAPTER_INFO>> = None;
        for adapter in &adapters {
            let place = add(&mut image, adapter);
            if let Some(last) = last {
                image.point(last.member(offset_of!(IP_ADAPTER_INFO, Next)), place);
            }
            last = Some(place);
        }
        // SAFETY: the caller's promise on `info` and `size`.
        unsafe { image.put(buffer) }.map_err(super::overflow)
    })
}

fn add(image: &mut Image, adapter: &Adapter) -> Place<IP_ADAPTER_INFO> {
    let addresses = adapter.unicast_addresses.iter().filter_map(|row| match row.address {
        IpAddr::V4(address) => Some(Entry {
            address,
            mask: ipv4_mask(row.on_link_prefix_length.into()).unwrap_or(Ipv4Addr::UNSPECIFIED),
            context: row.context().map_or(0, |context| context.context),
        }),
        IpAddr::V6(_) => None,
    });
    // A list of text for IPv4 has no room for the IPv6 router of an IPv4 route.
    let gateways = adapter.gateways.iter().filter_map(|gateway| match gateway.address {
        IpAddr::V4(address) => Some(Entry::host(address)),
        IpAddr::V6(_) => None,
    });
    let (addresses, gateways): (Vec<Entry>, Vec<Entry>) = (addresses.collect(), gateways.collect());
    let lease = adapter.dhcp.as_ref();
    let server = lease.and_then(|lease| lease.server).map(Entry::host);
    let wins = |place| lease.and_then(|lease| lease.wins_servers.get(place)).copied().map(Entry::host);
    let mut element = IP_ADAPTER_INFO {
        Next: null_mut(),
        ComboIndex: 0,
        AdapterName: [0; 260],
        Description: [0; 132],
        AddressLength: 0,
        Address: [0; 8],
        Index: adapter.interface.index.0,
        Type: adapter.interface.interface_type.0.into(),
        DhcpEnabled: lease.is_some().into(),
        CurrentIpAddress: null_mut(),
        IpAddressList: text_of(addresses.first()),
        GatewayList: text_of(gateways.first()),
        DhcpServer: text_of(server.as_ref()),
        HaveWins: wins(0).is_some().into(),
        PrimaryWinsServer: text_of(wins(0).as_ref()),
        SecondaryWinsServer: text_of(wins(1).as_ref()),
        LeaseObtained: lease.and_then(|lease| lease.obtained).map_or(0, seconds),
        LeaseExpires: match lease.and_then(|lease| lease.lifetime) {
            Some(lifetime) if lifetime.is_infinite() => NEVER,
            _ => lease.and_then(|lease| lease.expires()).map_or(0, seconds),
        },
    };
    let _len = text::fill_narrow(&mut element.AdapterName, &adapter.interface.guid.to_string());
    let _len = text::fill_narrow(&mut element.Description, &adapter.interface.description);
    element.AddressLength =
        interface::copy(&mut element.Address, adapter.interface.physical_address.as_bytes());
    let place = image.add(element);
    for (offset, entries) in [
        (offset_of!(IP_ADAPTER_INFO, IpAddressList), addresses),
        (offset_of!(IP_ADAPTER_INFO, GatewayList), gateways),
    ] {
        add_rest(image, place.member(offset), &entries);
    }
    place
}

/// Ties all entries but the first, which stands in its place, to it.
fn add_rest(image: &mut Image, first: Place<IP_ADDR_STRING>, entries: &[Entry]) {
    let next = offset_of!(IP_ADDR_STRING, Next);
    let mut list = List::new(first.member(next), next);
    for entry in entries.iter().skip(1) {
        let _place = list.push(image, text_of(Some(entry)));
    }
}

/// `GetPerAdapterInfo`. `ERROR_BUFFER_OVERFLOW` with the size that is needed now, `ERROR_INVALID_PARAMETER` for an index of
/// no interface, and for NULL.
///
/// Linux gives no IPv4 address by itself; that a program does is seen by such an address alone. The list has the IPv4 name
/// servers: text for IPv4 has no room for others.
#[doc(alias = "GetPerAdapterInfo")]
pub unsafe fn per_adapter_info(index: u32, info: *mut IP_PER_ADAPTER_INFO, size: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(info.cast(), size)?;
        let query = AdapterQuery {
            family: Some(Family::V4),
            anycast: false,
            multicast: false,
            gateways: false,
            dhcp: false,
            ..AdapterQuery::default()
        };
        let adapter = host::current()?.adapter(InterfaceIndex(index), &query);
        let adapter = adapter.map_err(|error| match error.kind() {
            ErrorKind::InterfaceNotFound => Code::INVALID_PARAMETER,
            _ => error.into(),
        })?;
        let is_automatic = |address: IpAddr| matches!(address, IpAddr::V4(ip) if ip.is_link_local());
        let is_active = adapter.unicast_addresses.iter().any(|row| is_automatic(row.address));
        let servers = adapter.dns.iter().flat_map(|dns| &dns.servers);
        let servers = servers.filter_map(|server| match server.address {
            IpAddr::V4(address) => Some(Entry { mask: Ipv4Addr::UNSPECIFIED, ..Entry::host(address) }),
            IpAddr::V6(_) => None,
        });
        let servers: Vec<Entry> = servers.collect();
        let mut image = Image::default();
        let place = image.add(IP_PER_ADAPTER_INFO {
            AutoconfigEnabled: is_active.into(),
            AutoconfigActive: is_active.into(),
            CurrentDnsServer: null_mut(),
            // Without any the text is empty, as that of `GetNetworkParams`: programs look at its first character.
            DnsServerList: servers.first().map_or_else(IP_ADDR_STRING::default, |entry| text_of(Some(entry))),
        });
        add_rest(&mut image, place.member(offset_of!(IP_PER_ADAPTER_INFO, DnsServerList)), &servers);
        // SAFETY: the caller's promise on `info` and `size`.
        unsafe { image.put(buffer) }.map_err(super::overflow)
    })
}

/// An address as these lists have it.
#[derive(Clone, Copy)]
struct Entry {
    address: Ipv4Addr,
    mask: Ipv4Addr,
    /// The number by which `DeleteIPAddress` knows an address; 0 for what is none of this host's.
    context: u32,
}

impl Entry {
    /// A host's address.
    const fn host(address: Ipv4Addr) -> Self {
        Self { address, mask: Ipv4Addr::BROADCAST, context: 0 }
    }
}

/// An entry as text; without one, 0.0.0.0 with the mask 0.0.0.0.
fn text_of(entry: Option<&Entry>) -> IP_ADDR_STRING {
    const NONE: Entry = Entry { address: Ipv4Addr::UNSPECIFIED, mask: Ipv4Addr::UNSPECIFIED, context: 0 };
    let entry = entry.unwrap_or(&NONE);
    let mut element = IP_ADDR_STRING { Context: entry.context, ..IP_ADDR_STRING::default() };
    for (target, address) in [(&mut element.IpAddress, entry.address), (&mut element.IpMask, entry.mask)] {
        // 15 characters at most, each below 128.
        for (place, byte) in target.String.iter_mut().zip(address.to_string().into_bytes()) {
            *place = byte.cast_signed();
        }
    }
    element
}

/// Seconds since 1970, as far as a `time_t` reaches.
fn seconds(time: SystemTime) -> isize {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    isize::try_from(seconds).unwrap_or(isize::MAX)
}

/// Whether an interface is the loopback interface, which the first generation does not list.
pub(super) fn is_loopback(adapter: &Adapter) -> bool {
    adapter.interface.interface_type == InterfaceType::SOFTWARE_LOOPBACK
}
