//! Properties of servers: DNS over TLS.

use super::strings::{self, Strings};
use crate::error::Code;
use crate::memory::gaps;
use crate::raw::{
    DNS_DOT_SERVER_SETTINGS, DNS_DOT_SERVER_SETTINGS_ENABLE as ENABLE,
    DNS_DOT_SERVER_SETTINGS_FALLBACK_TO_UDP as FALLBACK, DNS_SERVER_DOT_PROPERTY, DNS_SERVER_PROPERTY,
    DNS_SERVER_PROPERTY_TYPES, DNS_SERVER_PROPERTY_VERSION1, ULONG64,
};
use iphelper::dns::{DnsOverTls, DnsServer};
use std::ptr::null_mut;

/// More properties than this are refused.
const MOST: u32 = 4096;
/// The port of DNS over TLS (RFC 7858).
const TLS_PORT: u16 = 853;

/// One property for each server where they are asked over TLS, all in one block; else none.
pub(super) fn write(
    strings: &mut Strings,
    servers: &[&DnsServer],
    tls: DnsOverTls,
) -> Result<(u32, *mut DNS_SERVER_PROPERTY), Code> {
    let flags = match tls {
        DnsOverTls::Required => ENABLE,
        DnsOverTls::Opportunistic => ENABLE | FALLBACK,
        _ => return Ok((0, null_mut())),
    };
    if servers.is_empty() {
        return Ok((0, null_mut()));
    }
    let name =
        |server: &DnsServer| server.name.as_deref().unwrap_or_default().encode_utf16().collect::<Vec<_>>();
    let names: Vec<Vec<u16>> = servers.iter().map(|server| name(server)).collect();
    let each = size_of::<DNS_SERVER_PROPERTY>() + size_of::<DNS_DOT_SERVER_SETTINGS>();
    let units: usize = names.iter().map(|name| name.len() + 1).sum();
    let block = strings.block(servers.len() * each + units * size_of::<u16>())?;
    let properties = block.cast::<DNS_SERVER_PROPERTY>();
    let count = u32::try_from(servers.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
    // SAFETY: the block has room for all properties, then all settings, both aligned to 8 in a block aligned to 16, then
    // all names with their terminators, which are there already: the block is zeroed.
    unsafe {
        let settings = properties.add(servers.len()).cast::<DNS_DOT_SERVER_SETTINGS>();
        let mut text = settings.add(servers.len()).cast::<u16>();
        for (position, (server, name)) in servers.iter().zip(&names).enumerate() {
            std::ptr::copy_nonoverlapping(name.as_ptr(), text, name.len());
            gaps::write(
                settings.add(position),
                DNS_DOT_SERVER_SETTINGS {
                    Hostname: if name.is_empty() { null_mut() } else { text },
                    Flags: ULONG64(flags),
                    Port: if server.port == DnsServer::PORT { TLS_PORT } else { server.port },
                },
            );
            gaps::write(
                properties.add(position),
                DNS_SERVER_PROPERTY {
                    Version: DNS_SERVER_PROPERTY_VERSION1,
                    ServerIndex: u32::try_from(position).unwrap_or(count),
                    Type: DNS_SERVER_DOT_PROPERTY,
                    Property: DNS_SERVER_PROPERTY_TYPES { DotSettings: settings.add(position) },
                },
            );
            text = text.add(name.len() + 1);
        }
    }
    Ok((count, properties))
}

/// Takes properties over to the servers that they are of; how all are asked then. A server without one is asked at the
/// ordinary port.
///
/// `systemd-resolved` has one answer for all servers of an interface: other wishes are [`Code::NOT_SUPPORTED`].
///
/// # Safety
/// `properties` has `count` properties, each as its type says.
pub(super) unsafe fn read(
    count: u32,
    properties: *const DNS_SERVER_PROPERTY,
    servers: &mut [DnsServer],
) -> Result<DnsOverTls, Code> {
    if count > MOST || (count > 0 && properties.is_null()) {
        return Err(Code::INVALID_PARAMETER);
    }
    let mut wishes = vec![DnsOverTls::Off; servers.len()];
    let before: Vec<u16> = servers.iter().map(|server| server.port).collect();
    for server in servers.iter_mut() {
        (server.port, server.name) = (DnsServer::PORT, None);
    }
    for position in 0..count as usize {
        // SAFETY: the caller's promise.
        let property = unsafe { properties.add(position).read_unaligned() };
        if property.Version != DNS_SERVER_PROPERTY_VERSION1 {
            return Err(Code::INVALID_PARAMETER);
        }
        if property.Type != DNS_SERVER_DOT_PROPERTY {
            return Err(Code::NOT_SUPPORTED);
        }
        let index = property.ServerIndex as usize;
        let (Some(server), Some(wish)) = (servers.get_mut(index), wishes.get_mut(index)) else {
            return Err(Code::INVALID_PARAMETER);
        };
        // SAFETY: the type says which member it is, and the caller promises that it points to such settings.
        let settings = unsafe {
            let settings = property.Property.DotSettings;
            if settings.is_null() {
                return Err(Code::INVALID_PARAMETER);
            }
            settings.read_unaligned()
        };
        *wish = match settings.Flags.0 {
            0 => DnsOverTls::Off,
            ENABLE => DnsOverTls::Required,
            both if both == ENABLE | FALLBACK => DnsOverTls::Opportunistic,
            _ => return Err(Code::NOT_SUPPORTED),
        };
        // SAFETY: the caller's promise.
        let name = unsafe { strings::read(settings.Hostname) }?;
        server.name = Some(name).filter(|name| !name.is_empty());
        server.port = match settings.Port {
            // The ordinary one for TLS, unless the server was given it by its number.
            0 | TLS_PORT if before.get(index) != Some(&TLS_PORT) => DnsServer::PORT,
            0 => TLS_PORT,
            port => port,
        };
    }
    let first = wishes.first().copied().unwrap_or(DnsOverTls::Off);
    if wishes.iter().all(|wish| *wish == first) { Ok(first) } else { Err(Code::NOT_SUPPORTED) }
}
