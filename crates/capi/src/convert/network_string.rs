//! `ParseNetworkString`.

use super::address_text::{in_addr, in6_addr};
use crate::error::{Code, Win32};
use crate::raw::{
    AF_INET, AF_INET6, NET_ADDRESS_DNS_NAME, NET_ADDRESS_INFO, NET_ADDRESS_IPV4, NET_ADDRESS_IPV6,
    SOCKADDR_IN, SOCKADDR_IN6,
};
use crate::{guard, text};
use iphelper::convert::{NetworkAddress, NetworkString, NetworkStringTypes, parse_network_string};

/// The longest string that is looked at: longer than any that is legal.
const LONGEST: usize = 1024;
/// What stands for no prefix length: -1.
const NO_PREFIX: u8 = u8::MAX;

/// `ParseNetworkString`: each of the three outputs may be NULL. The port is in host byte order, and in network byte order in
/// the address; 0 is none. The prefix length of what is no network is 255.
///
/// `ERROR_INSUFFICIENT_BUFFER` for a name that is longer than its member. A failure writes nothing.
#[doc(alias = "ParseNetworkString")]
pub unsafe fn parse_string(
    string: *const u16,
    types: u32,
    info: *mut NET_ADDRESS_INFO,
    port: *mut u16,
    prefix_length: *mut u8,
) -> u32 {
    guard::status::<Win32>(|| {
        if string.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let types = NetworkStringTypes::from_bits(types)?;
        // SAFETY: the caller's promise: a C string.
        let units = unsafe { text::read(string, LONGEST) }.ok_or(Code::INVALID_PARAMETER)?;
        let string = String::from_utf16(&units).map_err(|_| Code::INVALID_PARAMETER)?;
        let parsed = parse_network_string(&string, types)?;
        let described = describe(&parsed)?;
        // SAFETY: the caller's promise: each is NULL or may be written.
        unsafe {
            if !info.is_null() {
                info.write_unaligned(described);
            }
            if !port.is_null() {
                port.write_unaligned(parsed.port.unwrap_or(0));
            }
            if !prefix_length.is_null() {
                prefix_length.write_unaligned(parsed.prefix_length.unwrap_or(NO_PREFIX));
            }
        }
        Ok(())
    })
}

fn describe(parsed: &NetworkString) -> Result<NET_ADDRESS_INFO, Code> {
    let mut info = NET_ADDRESS_INFO::default();
    let port = parsed.port.unwrap_or(0);
    match &parsed.address {
        NetworkAddress::Ipv4(address) => {
            info.Format = NET_ADDRESS_IPV4;
            info.Anonymous.Ipv4Address = SOCKADDR_IN {
                sin_family: AF_INET,
                sin_port: port.to_be(),
                sin_addr: in_addr(*address),
                ..SOCKADDR_IN::default()
            };
        }
        NetworkAddress::Ipv6 { address, scope_id } => {
            info.Format = NET_ADDRESS_IPV6;
            let mut end = SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: port.to_be(),
                sin6_addr: in6_addr(*address),
                ..SOCKADDR_IN6::default()
            };
            end.Anonymous.sin6_scope_id = *scope_id;
            info.Anonymous.Ipv6Address = end;
        }
        NetworkAddress::Name(name) => {
            info.Format = NET_ADDRESS_DNS_NAME;
            // SAFETY: all of the structure is zero, which every member may be.
            let named = unsafe { &mut info.Anonymous.NamedAddress };
            if name.encode_utf16().count() >= named.Address.len() {
                return Err(Code::INSUFFICIENT_BUFFER);
            }
            text::fill_wide(&mut named.Address, name);
            if let Some(port) = parsed.port {
                text::fill_wide(&mut named.Port, &port.to_string());
            }
        }
    }
    Ok(info)
}
