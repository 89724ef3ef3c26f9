//! `SendARP`, `ResolveNeighbor` and proxies.

use super::first_generation::invalid_interface;
use crate::error::{Code, Win32};
use crate::raw::SOCKADDR_INET;
use crate::{guard, host, sockaddr};
use iphelper::interface::InterfaceLevel;
use iphelper::types::PhysicalAddress;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceKey, Prefix};
use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr};

/// Less than an Ethernet address is no buffer for `SendARP`.
const SHORTEST: u32 = 6;

/// `SendARP`: asks for the physical address of an IPv4 address, on the interface of `source` unless it is 0.
///
/// `ERROR_BAD_NET_NAME` if nobody answers, `ERROR_NOT_FOUND` for a source that is not this host's,
/// `ERROR_BUFFER_OVERFLOW` for a buffer of less than six bytes or less than the address. Each failure stores a length of
/// 0. One's own address is answered with the physical address of its interface, and nobody is asked.
#[doc(alias = "SendARP")]
pub unsafe fn send_arp(destination: u32, source: u32, physical: *mut c_void, length: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `physical` and `length`.
        let mut output = unsafe { Output::new(physical, length) }?;
        let found = (|| {
            if output.room < SHORTEST {
                return Err(Code::BUFFER_OVERFLOW);
            }
            let host = host::current()?;
            let destination = sockaddr::ipv4(destination).into();
            match own_physical_address(&host, destination)? {
                Some(own) => Ok(own),
                None => {
                    let source = sockaddr::ipv4(source);
                    let source = (source != Ipv4Addr::UNSPECIFIED).then_some(source.into());
                    let neighbor = host.resolve_neighbor(destination, None, source)?;
                    Ok(neighbor.physical_address)
                }
            }
        })();
        // SAFETY: as above.
        unsafe { output.write(found, 0) }
    })
}

/// `ResolveNeighbor`: the same of an address of either family, on the interface that its zone or the routes say.
///
/// `ERROR_BUFFER_OVERFLOW`, with the length stored that is needed, for a buffer of less.
#[doc(alias = "ResolveNeighbor")]
pub unsafe fn resolve_neighbor(address: *const c_void, physical: *mut c_void, length: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `address`, a `struct sockaddr` of its family's length.
        let address = unsafe { sockaddr::read_pointer(address.cast::<SOCKADDR_INET>()) }?;
        // SAFETY: the caller's promise on `physical` and `length`.
        let mut output = unsafe { Output::new(physical, length) }?;
        let is_of_a_link =
            matches!(address.ip, IpAddr::V6(ip) if ip.is_unicast_link_local() || ip.is_multicast());
        let interface = (is_of_a_link && address.scope != 0)
            .then_some(InterfaceKey::Index(InterfaceIndex(address.scope)));
        let host = host::current()?;
        let found = match own_physical_address(&host, address.ip)? {
            Some(own) => own,
            None => {
                let neighbor = host.resolve_neighbor(address.ip, interface, None);
                neighbor.map_err(super::unknown)?.physical_address
            }
        };
        let needed = u32::try_from(found.as_bytes().len()).unwrap_or_default();
        // SAFETY: as above.
        unsafe { output.write(Ok(found), needed) }
    })
}

/// `CreateProxyArpEntry`: answers ARP requests for each address of a prefix on an interface. `ERROR_NOT_SUPPORTED` for more
/// than 4,096 addresses.
#[doc(alias = "CreateProxyArpEntry")]
pub unsafe fn create_proxy_arp_entry(address: u32, mask: u32, index: u32) -> u32 {
    guard::status::<Win32>(|| {
        let prefix = prefix(address, mask)?;
        host::current()?
            .create_proxy_neighbors(InterfaceIndex(index), prefix)
            .map(drop)
            .map_err(invalid_interface)
    })
}

/// `DeleteProxyArpEntry`: ends that. `ERROR_NOT_FOUND` if one of the addresses is not answered for.
#[doc(alias = "DeleteProxyArpEntry")]
pub unsafe fn delete_proxy_arp_entry(address: u32, mask: u32, index: u32) -> u32 {
    guard::status::<Win32>(|| {
        let prefix = prefix(address, mask)?;
        host::current()?
            .delete_proxy_neighbors(InterfaceIndex(index), prefix)
            .map(drop)
            .map_err(invalid_interface)
    })
}

/// The prefix of an address and a mask; [`Code::INVALID_PARAMETER`] for a mask with gaps.
fn prefix(address: u32, mask: u32) -> Result<Prefix, Code> {
    let mask = sockaddr::ipv4(mask).to_bits();
    let len = mask.leading_ones();
    if mask.count_ones() != len {
        return Err(Code::INVALID_PARAMETER);
    }
    let len = u8::try_from(len).map_err(|_| Code::INVALID_PARAMETER)?;
    Ok(Prefix::new(sockaddr::ipv4(address).into(), len)?)
}

/// The physical address of the interface that has `address`; `None` if none of this host's has it.
fn own_physical_address(host: &Host, address: IpAddr) -> Result<Option<PhysicalAddress>, Code> {
    if address.is_loopback() {
        return Err(Code::INVALID_PARAMETER);
    }
    let own = host.unicast_addresses(Some(Family::of(&address)))?;
    let Some(own) = own.iter().find(|own| own.address == address) else { return Ok(None) };
    match host.interface(own.luid, InterfaceLevel::NormalWithoutStatistics) {
        Ok(interface) => Ok(Some(interface.physical_address)),
        // It has just left, and its address with it.
        Err(error) if error.kind() == ErrorKind::InterfaceNotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A caller's buffer for a physical address, and its length.
#[derive(Debug)]
struct Output {
    physical: *mut u8,
    length: *mut u32,
    room: u32,
}

impl Output {
    /// # Safety
    /// `length` is NULL or may be read and written.
    unsafe fn new(physical: *mut c_void, length: *mut u32) -> Result<Self, Code> {
        if length.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let room = unsafe { length.read_unaligned() };
        if physical.is_null() {
            // SAFETY: as above.
            unsafe { length.write_unaligned(0) };
            return Err(Code::INVALID_PARAMETER);
        }
        Ok(Self { physical: physical.cast(), length, room })
    }

    /// Stores what was found and its length; with a failure, and where there is no room, nothing and `otherwise`.
    ///
    /// # Safety
    /// `physical` has as many bytes as `length` said, and `length` may be written.
    unsafe fn write(&mut self, found: Result<PhysicalAddress, Code>, otherwise: u32) -> Result<(), Code> {
        let fits = |bytes: &[u8]| u32::try_from(bytes.len()).is_ok_and(|length| length <= self.room);
        let (outcome, length) = match found {
            Ok(address) if fits(address.as_bytes()) => {
                let bytes = address.as_bytes();
                // SAFETY: the caller's promise; the length was just compared.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.physical, bytes.len()) };
                (Ok(()), u32::try_from(bytes.len()).unwrap_or_default())
            }
            Ok(_) => (Err(Code::BUFFER_OVERFLOW), otherwise),
            Err(code) => (Err(code), 0),
        };
        // SAFETY: the caller's promise.
        unsafe { self.length.write_unaligned(length) };
        outcome
    }
}
