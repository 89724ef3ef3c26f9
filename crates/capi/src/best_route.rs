//! `GetBestInterface` and `GetBestInterfaceEx`.

use crate::error::{Code, Win32};
use crate::raw::SOCKADDR_INET;
use crate::{guard, host, sockaddr};
use iphelper::best_route::{BestRoute, BestRouteQuery};
use iphelper::{InterfaceIndex, InterfaceKey};
use std::ffi::c_void;

/// `GetBestInterface`: the index of the interface by which a packet to an IPv4 address leaves.
///
/// `ERROR_NETWORK_UNREACHABLE` or `ERROR_HOST_UNREACHABLE` where none does. The address 0 asks for the default route.
#[doc(alias = "GetBestInterface")]
pub unsafe fn best_interface(destination: u32, index: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if index.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let destination = sockaddr::Address { ip: sockaddr::ipv4(destination).into(), scope: 0 };
        let best = find(destination, BestRouteQuery::default())?;
        // SAFETY: the caller's promise on `index`.
        unsafe { index.write_unaligned(best.index.0) };
        Ok(())
    })
}

/// `GetBestInterfaceEx`: as `GetBestInterface`, for IPv6 too. `ERROR_INVALID_PARAMETER` for another family, and for a
/// link-local address without a zone.
#[doc(alias = "GetBestInterfaceEx")]
pub unsafe fn best_interface_ex(destination: *const c_void, index: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if index.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `destination`, a `struct sockaddr` of its family's length.
        let destination = unsafe { sockaddr::read_pointer(destination.cast::<SOCKADDR_INET>()) }?;
        let best = find(destination, BestRouteQuery::default())?;
        // SAFETY: the caller's promise on `index`.
        unsafe { index.write_unaligned(best.index.0) };
        Ok(())
    })
}

/// The best route; a zone of the destination names the interface, unless the query does.
fn find(destination: sockaddr::Address, mut query: BestRouteQuery) -> Result<BestRoute, Code> {
    if query.interface.is_none() && destination.scope != 0 && is_of_a_link(&destination.ip) {
        query.interface = Some(InterfaceKey::Index(InterfaceIndex(destination.scope)));
    }
    Ok(host::current()?.best_route(destination.ip, &query)?)
}

/// Whether the zone of an address is a link: it says nothing of others.
fn is_of_a_link(ip: &std::net::IpAddr) -> bool {
    match ip {
        std::net::IpAddr::V4(_) => false,
        std::net::IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_multicast(),
    }
}
