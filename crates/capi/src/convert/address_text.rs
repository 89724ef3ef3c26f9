//! `RtlIpv4AddressToString`, `RtlIpv6StringToAddress` and the like, in narrow and wide characters.
//!
//! Ports are in network byte order, and so are scope ids, as the pages have it; 0 is none. NULL where a pointer is needed is
//! `STATUS_INVALID_PARAMETER`, or NULL from the functions that return a pointer. A failure writes nothing but the length
//! that a buffer should have.

use crate::error::{Code, NtStatus};
use crate::raw::{DL_EUI48, IN_ADDR, IN6_ADDR};
use crate::{guard, text};
use iphelper::convert::{
    Ipv4Notation, ethernet_text, ipv4_text, ipv6_text, parse_ethernet, parse_ipv4, parse_ipv4_endpoint,
    parse_ipv6, parse_ipv6_endpoint,
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A character of a C string: `u8` or `u16`.
pub trait Unit: Copy + Default + PartialEq + From<u8> + Into<u32> {}

impl Unit for u8 {}
impl Unit for u16 {}

/// `RtlIpv4AddressToStringA`, `RtlIpv4AddressToStringW`: the text has at most 16 characters. Gives the place of its
/// terminator.
#[doc(alias = "RtlIpv4AddressToStringA")]
#[doc(alias = "RtlIpv4AddressToStringW")]
pub unsafe fn ipv4_to_string<U: Unit>(address: *const IN_ADDR, target: *mut U) -> *mut U {
    // SAFETY: the caller's promise on both pointers.
    unsafe { append(address, target, |address| ipv4_text(ipv4(address), None)) }
}

/// `RtlIpv6AddressToStringA`, `RtlIpv6AddressToStringW`: the text has at most 46 characters. Gives the place of its
/// terminator.
#[doc(alias = "RtlIpv6AddressToStringA")]
#[doc(alias = "RtlIpv6AddressToStringW")]
pub unsafe fn ipv6_to_string<U: Unit>(address: *const IN6_ADDR, target: *mut U) -> *mut U {
    // SAFETY: the caller's promise on both pointers.
    unsafe { append(address, target, |address| ipv6_text(ipv6(address), 0, None)) }
}

/// `RtlEthernetAddressToStringA`, `RtlEthernetAddressToStringW`: six pairs of capital hexadecimal digits with hyphens, 18
/// characters with the terminator. Gives the place of that.
#[doc(alias = "RtlEthernetAddressToStringA")]
#[doc(alias = "RtlEthernetAddressToStringW")]
pub unsafe fn ethernet_to_string<U: Unit>(address: *const DL_EUI48, target: *mut U) -> *mut U {
    // SAFETY: the caller's promise on both pointers; the members of the union are the same six bytes.
    unsafe { append(address, target, |address| ethernet_text(address.Byte)) }
}

/// `RtlEthernetStringToAddressA`, `RtlEthernetStringToAddressW`: six pairs of hexadecimal digits with hyphens. The terminator
/// is the place of what follows them.
#[doc(alias = "RtlEthernetStringToAddressA")]
#[doc(alias = "RtlEthernetStringToAddressW")]
pub unsafe fn string_to_ethernet<U: Unit>(
    source: *const U,
    terminator: *mut *const U,
    address: *mut DL_EUI48,
) -> i32 {
    // SAFETY: the caller's promise on all pointers.
    unsafe {
        parse(source, terminator, address, |text| {
            let (found, rest) = parse_ethernet(text)?;
            Ok((DL_EUI48 { Byte: found }, rest.len()))
        })
    }
}

/// `RtlIpv4AddressToStringExA`, `RtlIpv4AddressToStringExW`. The length counts the terminator, and is the one that is
/// needed where it is too small.
#[doc(alias = "RtlIpv4AddressToStringExA")]
#[doc(alias = "RtlIpv4AddressToStringExW")]
pub unsafe fn ipv4_to_string_ex<U: Unit>(
    address: *const IN_ADDR,
    port: u16,
    target: *mut U,
    length: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise on all pointers.
    unsafe { fill(address, target, length, |address| ipv4_text(ipv4(address), host_port(port))) }
}

/// `RtlIpv6AddressToStringExA`, `RtlIpv6AddressToStringExW`. The length counts the terminator, and is the one that is
/// needed where it is too small.
#[doc(alias = "RtlIpv6AddressToStringExA")]
#[doc(alias = "RtlIpv6AddressToStringExW")]
pub unsafe fn ipv6_to_string_ex<U: Unit>(
    address: *const IN6_ADDR,
    scope_id: u32,
    port: u16,
    target: *mut U,
    length: *mut u32,
) -> i32 {
    // SAFETY: the caller's promise on all pointers.
    unsafe {
        fill(address, target, length, |address| {
            ipv6_text(ipv6(address), u32::from_be(scope_id), host_port(port))
        })
    }
}

/// `RtlIpv4StringToAddressA`, `RtlIpv4StringToAddressW`. The terminator is the place of what follows the address.
#[doc(alias = "RtlIpv4StringToAddressA")]
#[doc(alias = "RtlIpv4StringToAddressW")]
pub unsafe fn string_to_ipv4<U: Unit>(
    source: *const U,
    strict: u8,
    terminator: *mut *const U,
    address: *mut IN_ADDR,
) -> i32 {
    // SAFETY: the caller's promise on all pointers.
    unsafe {
        parse(source, terminator, address, |text| {
            let (found, rest) = parse_ipv4(text, notation(strict))?;
            Ok((in_addr(found), rest.len()))
        })
    }
}

/// `RtlIpv6StringToAddressA`, `RtlIpv6StringToAddressW`. The terminator is the place of what follows the address.
#[doc(alias = "RtlIpv6StringToAddressA")]
#[doc(alias = "RtlIpv6StringToAddressW")]
pub unsafe fn string_to_ipv6<U: Unit>(
    source: *const U,
    terminator: *mut *const U,
    address: *mut IN6_ADDR,
) -> i32 {
    // SAFETY: the caller's promise on all pointers.
    unsafe {
        parse(source, terminator, address, |text| {
            let (found, rest) = parse_ipv6(text)?;
            Ok((in6_addr(found), rest.len()))
        })
    }
}

/// `RtlIpv4StringToAddressExA`, `RtlIpv4StringToAddressExW`: an address, or `address:port`, and nothing behind it.
#[doc(alias = "RtlIpv4StringToAddressExA")]
#[doc(alias = "RtlIpv4StringToAddressExW")]
pub unsafe fn string_to_ipv4_ex<U: Unit>(
    source: *const U,
    strict: u8,
    address: *mut IN_ADDR,
    port: *mut u16,
) -> i32 {
    guard::status::<NtStatus>(|| {
        if source.is_null() || address.is_null() || port.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on all pointers.
        unsafe {
            let (found, found_port) = parse_ipv4_endpoint(&whole(source)?, notation(strict))?;
            address.write_unaligned(in_addr(found));
            port.write_unaligned(found_port.unwrap_or(0).to_be());
        }
        Ok(())
    })
}

/// `RtlIpv6StringToAddressExA`, `RtlIpv6StringToAddressExW`: `address`, `address%scope`, or either in brackets with a port
/// behind it, and nothing more.
#[doc(alias = "RtlIpv6StringToAddressExA")]
#[doc(alias = "RtlIpv6StringToAddressExW")]
pub unsafe fn string_to_ipv6_ex<U: Unit>(
    source: *const U,
    address: *mut IN6_ADDR,
    scope_id: *mut u32,
    port: *mut u16,
) -> i32 {
    guard::status::<NtStatus>(|| {
        if source.is_null() || address.is_null() || scope_id.is_null() || port.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on all pointers.
        unsafe {
            let end = parse_ipv6_endpoint(&whole(source)?)?;
            address.write_unaligned(in6_addr(end.address));
            scope_id.write_unaligned(end.scope_id.to_be());
            port.write_unaligned(end.port.unwrap_or(0).to_be());
        }
        Ok(())
    })
}

fn notation(strict: u8) -> Ipv4Notation {
    if strict == 0 { Ipv4Notation::Loose } else { Ipv4Notation::Strict }
}

fn host_port(port: u16) -> Option<u16> {
    (port != 0).then_some(u16::from_be(port))
}

fn ipv4(address: IN_ADDR) -> Ipv4Addr {
    // SAFETY: the members of the union are the same four bytes.
    Ipv4Addr::from(unsafe { address.S_un.S_addr }.to_ne_bytes())
}

fn ipv6(address: IN6_ADDR) -> Ipv6Addr {
    // SAFETY: the members of the union are the same sixteen bytes.
    Ipv6Addr::from(unsafe { address.u.Byte })
}

/// An IPv4 address as C has it.
pub(super) fn in_addr(address: Ipv4Addr) -> IN_ADDR {
    let mut value = IN_ADDR::default();
    value.S_un.S_addr = u32::from_ne_bytes(address.octets());
    value
}

/// An IPv6 address as C has it.
pub(super) fn in6_addr(address: Ipv6Addr) -> IN6_ADDR {
    let mut value = IN6_ADDR::default();
    value.u.Byte = address.octets();
    value
}

/// # Safety
/// `address` is NULL or may be read, and `target` is NULL or has room for the text.
unsafe fn append<A: Copy, U: Unit>(
    address: *const A,
    target: *mut U,
    describe: impl FnOnce(A) -> String,
) -> *mut U {
    let written = || {
        if address.is_null() || target.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe {
            let units = units(&describe(address.read_unaligned()));
            let _ = text::write(target, units.len() + 1, &units);
            target.add(units.len())
        }
    };
    guard::caught(written, std::ptr::null_mut())
}

/// # Safety
/// `address` is NULL or may be read, `length` is NULL or may be read and written, and `target` is NULL or has as many units
/// as it says.
unsafe fn fill<A: Copy, U: Unit>(
    address: *const A,
    target: *mut U,
    length: *mut u32,
    describe: impl FnOnce(A) -> String,
) -> i32 {
    guard::status::<NtStatus>(|| {
        if address.is_null() || target.is_null() || length.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe {
            let units = units::<U>(&describe(address.read_unaligned()));
            let room = usize::try_from(length.read_unaligned()).unwrap_or(usize::MAX);
            let written = text::write(target, room, &units);
            length.write_unaligned(u32::try_from(units.len() + 1).unwrap_or(u32::MAX));
            if written { Ok(()) } else { Err(Code::INVALID_PARAMETER) }
        }
    })
}

/// Stores the address that a text begins with, which `read` gives with the length of what follows, and where that is.
///
/// # Safety
/// `source` is NULL or a C string, and the others are NULL or may be written.
unsafe fn parse<A, U: Unit>(
    source: *const U,
    terminator: *mut *const U,
    address: *mut A,
    read: impl FnOnce(&str) -> Result<(A, usize), Code>,
) -> i32 {
    guard::status::<NtStatus>(|| {
        if source.is_null() || terminator.is_null() || address.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise; each byte of the text is one unit of the string.
        unsafe {
            let (text, _) = beginning(source);
            let (found, left) = read(&text)?;
            address.write_unaligned(found);
            terminator.write_unaligned(source.add(text.len() - left));
        }
        Ok(())
    })
}

/// What of a C string may belong to an address, and whether that is all of it.
///
/// # Safety
/// `source` is a C string.
unsafe fn beginning<U: Unit>(source: *const U) -> (String, bool) {
    let mut text = String::new();
    loop {
        // SAFETY: no unit before this one was the terminator.
        let unit: u32 = unsafe { source.add(text.len()).read_unaligned() }.into();
        match char::from_u32(unit) {
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '%' | '[' | ']' | '-') => {
                text.push(c)
            }
            _ => return (text, unit == 0),
        }
    }
}

/// A C string that is all of an address.
///
/// # Safety
/// `source` is a C string.
unsafe fn whole<U: Unit>(source: *const U) -> Result<String, Code> {
    // SAFETY: the caller's promise.
    match unsafe { beginning(source) } {
        (text, true) => Ok(text),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

fn units<U: Unit>(text: &str) -> Vec<U> {
    text.bytes().map(U::from).collect()
}
