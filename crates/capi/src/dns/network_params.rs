//! `GetNetworkParams`.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::memory::gaps;
use crate::raw::{FIXED_INFO, IP_ADDR_STRING};
use crate::{guard, host, text};
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr};

/// `GetNetworkParams`: the host's name, its domain, and its IPv4 name servers: text for IPv4 has no room for others. The list
/// goes on behind the structure, in the caller's buffer.
///
/// `ERROR_BUFFER_OVERFLOW` with the size that is needed now; NULL with a size of 0 asks for it. `NodeType` is 0: Linux has no
/// NetBIOS.
#[doc(alias = "GetNetworkParams")]
pub unsafe fn network_params(info: *mut FIXED_INFO, size: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(info.cast(), size)?;
        let parameters = host::current()?.network_parameters()?;
        let dns = &parameters.dns;
        let servers: Vec<Ipv4Addr> = dns
            .all_servers()
            .into_iter()
            .filter_map(|server| match server.address {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .collect();
        // SAFETY: integers, characters and pointers, for which zero is a value.
        let mut row: FIXED_INFO = unsafe { std::mem::zeroed() };
        let name = dns.host_name.split('.').next().unwrap_or_default();
        fill(&mut row.HostName, name);
        fill(&mut row.DomainName, dns.domain_name.as_deref().unwrap_or_default());
        row.DnsServerList = entry(servers.first().copied());
        row.EnableRouting = parameters.routing_enabled.unwrap_or_default().into();
        row.EnableProxy = parameters.arp_proxy_enabled.unwrap_or_default().into();
        row.EnableDns = (!dns.all_servers().is_empty()).into();

        let rest = servers.get(1..).unwrap_or_default();
        let needed =
            size_of::<FIXED_INFO>() + size_of_val(rest) / size_of::<Ipv4Addr>() * size_of::<IP_ADDR_STRING>();
        // SAFETY: the caller's promise on `info` and `size`.
        let start = unsafe { buffer.room(needed) }.map_err(|code| match code {
            Code::INSUFFICIENT_BUFFER => Code::BUFFER_OVERFLOW,
            code => code,
        })?;
        // SAFETY: the structure and as many entries as were asked for have room; the place need not be aligned.
        unsafe {
            gaps::write(start.cast::<FIXED_INFO>(), row);
            let mut next =
                start.add(offset_of!(FIXED_INFO, DnsServerList) + offset_of!(IP_ADDR_STRING, Next));
            let entries = start.add(size_of::<FIXED_INFO>()).cast::<IP_ADDR_STRING>();
            for (position, server) in rest.iter().enumerate() {
                let place = entries.add(position);
                gaps::write(place, entry(Some(*server)));
                next.cast::<*mut IP_ADDR_STRING>().write_unaligned(place);
                next = place.cast::<u8>().add(offset_of!(IP_ADDR_STRING, Next));
            }
        }
        Ok(())
    })
}

/// An address as text; without one the text is empty.
fn entry(address: Option<Ipv4Addr>) -> IP_ADDR_STRING {
    let mut entry = IP_ADDR_STRING::default();
    if let Some(address) = address {
        fill(&mut entry.IpAddress.String, &address.to_string());
        fill(&mut entry.IpMask.String, "0.0.0.0");
    }
    entry
}

/// Writes a text and its end, cut where it does not fit.
fn fill<const N: usize>(target: &mut [i8; N], text: &str) {
    let mut bytes = [0; N];
    let _len = text::fill_narrow(&mut bytes, text);
    *target = bytes.map(u8::cast_signed);
}
