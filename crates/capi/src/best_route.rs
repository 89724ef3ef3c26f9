//! `GetBestRoute2`, `GetBestRoute`, `GetBestInterface` and `GetBestInterfaceEx`.

use crate::error::{Code, Flavour, Win32};
use crate::memory::gaps;
use crate::raw::{MIB_IPFORWARD_ROW2, MIB_IPFORWARDROW, NET_LUID, SOCKADDR_INET};
use crate::route::{first_generation, row};
use crate::{guard, host, key, sockaddr};
use iphelper::best_route::{BestRoute, BestRouteQuery};
use iphelper::{Family, InterfaceIndex, InterfaceKey};
use std::ffi::c_void;
use std::net::IpAddr;

/// `GetBestRoute2`: the route that a packet takes, and the address that it is sent from.
///
/// LUID NULL or 0 and index 0: over any interface. A source is one of this host's, `ERROR_NOT_FOUND` else; where its
/// interface has `WeakHostSend` off, only routes over that are looked at. No route: `ERROR_NETWORK_UNREACHABLE`, or
/// `ERROR_HOST_UNREACHABLE` where a route or rule forbids it. `ERROR_FILE_NOT_FOUND` (driver flavour: `STATUS_NOT_FOUND`)
/// for no such interface. The best source of a host that has none is the unspecified address.
#[doc(alias = "GetBestRoute2")]
#[allow(clippy::too_many_arguments, reason = "Windows' parameters")]
pub unsafe fn best_route2<F: Flavour>(
    luid: *const NET_LUID,
    index: u32,
    source: *const SOCKADDR_INET,
    destination: *const SOCKADDR_INET,
    _options: u32,
    best_route: *mut MIB_IPFORWARD_ROW2,
    best_source: *mut SOCKADDR_INET,
) -> F::Status {
    guard::status::<F>(|| {
        if best_route.is_null() || best_source.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on each pointer.
        let (luid, source, destination) = unsafe {
            let luid = if luid.is_null() { NET_LUID::default() } else { luid.read_unaligned() };
            let source = if source.is_null() { None } else { Some(sockaddr::read_pointer(source)?) };
            (luid, source, sockaddr::read_pointer(destination)?)
        };
        let interface = match (luid.Value.0, index) {
            (0, 0) => None,
            _ => Some(key::interface(luid, index)?),
        };
        let source = source.map(|source| source.ip).filter(|source| !source.is_unspecified());
        let best = find(destination, BestRouteQuery { source, interface, ..BestRouteQuery::default() })?;
        let written = match best.source {
            Some(ip) => sockaddr::write(ip, if is_of_a_link(&ip) { best.index.0 } else { 0 }),
            None => sockaddr::unspecified(Family::of(&destination.ip)),
        };
        // SAFETY: as above.
        unsafe {
            gaps::write(best_route, row::of(&best.route));
            best_source.write_unaligned(written);
        }
        Ok(())
    })
}

/// `GetBestRoute`: the route that an IPv4 packet takes, in the first generation's row. A source of 0 is none.
///
/// `ERROR_NOT_SUPPORTED` for a route by an IPv6 router, which the row has no room for; other codes as `GetBestRoute2`.
#[doc(alias = "GetBestRoute")]
pub unsafe fn best_route(destination: u32, source: u32, best_route: *mut MIB_IPFORWARDROW) -> u32 {
    guard::status::<Win32>(|| {
        if best_route.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let source = (source != 0).then(|| IpAddr::V4(sockaddr::ipv4(source)));
        let destination = sockaddr::Address { ip: sockaddr::ipv4(destination).into(), scope: 0 };
        let best = find(destination, BestRouteQuery { source, ..BestRouteQuery::default() })?;
        let row = first_generation::row_of_one(&*host::current()?, &best.route)?;
        // SAFETY: the caller's promise on `best_route`.
        unsafe { gaps::write(best_route, row.ok_or(Code::NOT_SUPPORTED)?) };
        Ok(())
    })
}

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
fn is_of_a_link(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_multicast(),
    }
}
