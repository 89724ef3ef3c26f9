//! Best routes, paths, routers, distances, sorted destinations.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::error::{NtStatus, Win32, last_error};
use iphelper_capi::raw::*;
use iphelper_capi::{best_route, destination, path, round_trip, router};
use iphelper_testkit::{isolated, unprivileged};
use std::ptr::{null, null_mut};

/// `ERROR_NETWORK_UNREACHABLE`, which no page lists.
const NETWORK_UNREACHABLE: u32 = 1231;

pub(super) fn best_routes(walk: &mut Walk) {
    let mut index = 0;
    // SAFETY: each argument is NULL or points to a live variable of its type, here and below.
    unsafe {
        let refused = best_route::best_interface(0x7f00_0001_u32.to_be(), null_mut());
        walk.expect("GetBestInterface", "ERROR_INVALID_PARAMETER", refused);
        assert_eq!(best_route::best_interface(0x7f00_0001_u32.to_be(), &raw mut index), 0);
        assert_eq!(index, 1);
        assert_eq!(best_route::best_interface(0xc000_0201_u32.to_be(), &raw mut index), NETWORK_UNREACHABLE);
        let mut address = SOCKADDR_INET::default();
        for pointer in [null(), (&raw const address).cast()] {
            let refused = best_route::best_interface_ex(pointer, &raw mut index);
            walk.expect("GetBestInterfaceEx", "ERROR_INVALID_PARAMETER", refused);
        }
        address.Ipv6.sin6_family = AF_INET6;
        address.Ipv6.sin6_addr.u.Byte[15] = 1;
        let refused = best_route::best_interface_ex((&raw const address).cast(), null_mut());
        walk.expect("GetBestInterfaceEx", "ERROR_INVALID_PARAMETER", refused);
        assert_eq!(best_route::best_interface_ex((&raw const address).cast(), &raw mut index), 0);
        address.Ipv6.sin6_addr.u.Byte = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let refused = best_route::best_interface_ex((&raw const address).cast(), &raw mut index);
        walk.expect("GetBestInterfaceEx", "ERROR_INVALID_PARAMETER", refused);
    }
}

pub(super) fn best_routes2(walk: &mut Walk) {
    let mut destination = SOCKADDR_INET::default();
    let (mut row, mut source) = (MIB_IPFORWARD_ROW2::default(), SOCKADDR_INET::default());
    let (row, source, to) = (&raw mut row, &raw mut source, &raw const destination);
    // No family yet.
    refused!(walk, "GetBestRoute2", best_route::best_route2(null(), 0, null(), to, 0, row, source));
    destination.Ipv4.sin_family = AF_INET;
    destination.Ipv4.sin_addr.S_un.S_addr = 0x7f00_0001_u32.to_be();
    let to = &raw const destination;
    refused!(walk, "GetBestRoute2", best_route::best_route2(null(), 0, null(), null(), 0, row, source));
    refused!(walk, "GetBestRoute2", best_route::best_route2(null(), 0, null(), to, 0, null_mut(), source));
    refused!(walk, "GetBestRoute2", best_route::best_route2(null(), 0, null(), to, 0, row, null_mut()));
    let other = SOCKADDR_INET { Ipv6: SOCKADDR_IN6 { sin6_family: AF_INET6, ..Default::default() } };
    let mut loopback = other;
    // SAFETY: a number.
    unsafe { loopback.Ipv6.sin6_addr.u.Byte[15] = 1 };
    refused!(
        walk,
        "GetBestRoute2",
        best_route::best_route2(null(), 0, &raw const loopback, to, 0, row, source)
    );
    both!(
        walk,
        "GetBestRoute2",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        best_route::best_route2(null(), NOBODY, null(), to, 0, row, source)
    );
    let luid = NET_LUID { Value: ULONG64(u64::MAX) };
    both!(
        walk,
        "GetBestRoute2",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        best_route::best_route2(&raw const luid, 1, null(), to, 0, row, source)
    );
    // SAFETY: as above.
    unsafe {
        assert_eq!(best_route::best_route2::<Win32>(null(), 0, null(), to, 0, row, source), 0);
        assert_eq!(((*row).InterfaceIndex, (*row).Loopback), (1, 1));
        assert_eq!((*source).Ipv4.sin_addr.S_un.S_addr, 0x7f00_0001_u32.to_be());
        let mut first = MIB_IPFORWARDROW::default();
        let refused = best_route::best_route(0x7f00_0001_u32.to_be(), 0, null_mut());
        assert_eq!(refused, ERROR_INVALID_PARAMETER);
        assert_eq!(best_route::best_route(0xc000_0201_u32.to_be(), 0, &raw mut first), NETWORK_UNREACHABLE);
        assert_eq!(
            best_route::best_route(0x7f00_0001_u32.to_be(), 0xc000_0201_u32.to_be(), &raw mut first),
            1168
        );
        assert_eq!(best_route::best_route(0x7f00_0001_u32.to_be(), 0, &raw mut first), 0);
        assert_eq!(first.dwForwardIfIndex, 1);
    }
}

/// In a namespace that has had no connections.
pub(super) fn paths(walk: &mut Walk) {
    isolated(|| paths_of_nobody(walk));
}

fn paths_of_nobody(walk: &mut Walk) {
    let mut row = MIB_IPPATH_ROW::default();
    refused!(walk, "GetIpPathEntry", path::ip_path_entry(null_mut()));
    refused!(walk, "GetIpPathEntry", path::ip_path_entry(&raw mut row));
    row.Destination.si_family = AF_INET;
    refused!(walk, "GetIpPathEntry", path::ip_path_entry(&raw mut row));
    row.InterfaceIndex = 1;
    row.Source.si_family = AF_INET6;
    // SAFETY: a number.
    unsafe { row.Source.Ipv6.sin6_addr.u.Byte[15] = 1 };
    refused!(walk, "GetIpPathEntry", path::ip_path_entry(&raw mut row));
    row.Source = SOCKADDR_INET::default();
    both!(walk, "GetIpPathEntry", "ERROR_NOT_FOUND", "STATUS_NOT_FOUND", path::ip_path_entry(&raw mut row));
    row.InterfaceIndex = NOBODY;
    both!(
        walk,
        "GetIpPathEntry",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        path::ip_path_entry(&raw mut row)
    );

    let mut estimates = MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES::default();
    let name = "GetIpNetworkConnectionBandwidthEstimates";
    // SAFETY: NULL or a live variable.
    unsafe {
        let mut ask = |index, family, code, estimates| {
            walk.expect(name, code, path::bandwidth_estimates::<Win32>(index, family, estimates));
        };
        ask(1, 2, "ERROR_INVALID_PARAMETER", null_mut());
        ask(0, 2, "ERROR_INVALID_PARAMETER", &raw mut estimates);
        ask(1, 0, "ERROR_INVALID_PARAMETER", &raw mut estimates);
        ask(NOBODY, 23, "ERROR_FILE_NOT_FOUND", &raw mut estimates);
    }
    // Of a network of its own, nothing is measured.
    iphelper_testkit::isolated(|| {
        // SAFETY: as above.
        let code = unsafe { path::bandwidth_estimates::<Win32>(1, 2, &raw mut estimates) };
        walk.expect(name, "ERROR_NOT_FOUND", code);
    });

    let mut table = null_mut();
    refused!(walk, "GetIpPathTable", path::ip_path_table(1, &raw mut table));
    refused!(walk, "GetIpPathTable", path::ip_path_table(0, null_mut()));
    both!(
        walk,
        "GetIpPathTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        path::ip_path_table(0, &raw mut table)
    );

    walk.expect("FlushIpPathTable", "ERROR_INVALID_PARAMETER", path::flush_ip_path_table::<Win32>(1));
    let refused = path::flush_ip_path_table::<NtStatus>(1).cast_unsigned();
    walk.expect("FlushIpPathTable", "STATUS_INVALID_PARAMETER", refused);
    let denied = unprivileged(|| path::flush_ip_path_table::<Win32>(0));
    walk.expect("FlushIpPathTable", "ERROR_ACCESS_DENIED", denied);
    assert_eq!(path::flush_ip_path_table::<Win32>(0), 0);
}

pub(super) fn routers(walk: &mut Walk) {
    let (mut handle, mut overlapped) = (null_mut(), [0_usize; 4]);
    let overlapped: *mut std::ffi::c_void = overlapped.as_mut_ptr().cast();
    // SAFETY: as above.
    unsafe {
        for (handle, overlapped) in [(null_mut(), overlapped), (&raw mut handle, null_mut())] {
            let refused = router::enable_router(handle, overlapped);
            walk.expect("EnableRouter", "ERROR_INVALID_PARAMETER", refused);
        }
        walk.expect("EnableRouter", "ERROR_IO_PENDING", router::enable_router(&raw mut handle, overlapped));
        assert_eq!(iphelper_testkit::sysctl("ipv4/ip_forward"), "1");
        let mut count = 0;
        assert_eq!(router::unenable_router(null_mut(), &raw mut count), ERROR_INVALID_PARAMETER);
        assert_eq!(router::unenable_router(overlapped, &raw mut count), 0);
        assert_eq!(count, u32::MAX / 2, "the constant of the page");
        assert_eq!(router::unenable_router(overlapped, null_mut()), ERROR_INVALID_PARAMETER, "taken back");
        assert_eq!(iphelper_testkit::sysctl("ipv4/ip_forward"), "0");
    }
}

pub(super) fn distances() {
    let loopback = 0x7f00_0001_u32.to_be();
    let (mut hops, mut rtt) = (0, 0);
    // SAFETY: as above.
    unsafe {
        for (hops, rtt) in [(null_mut(), &raw mut rtt), (&raw mut hops, null_mut())] {
            last_error::set(0);
            assert_eq!(round_trip::rtt_and_hop_count(loopback, hops, 30, rtt), 0);
            assert_eq!(last_error::get(), ERROR_INVALID_PARAMETER);
        }
        assert_eq!(round_trip::rtt_and_hop_count(loopback, &raw mut hops, 0, &raw mut rtt), 0);
        assert_eq!(last_error::get(), ERROR_INVALID_PARAMETER, "no hops at all");
        assert_eq!(round_trip::rtt_and_hop_count(0xc000_0201_u32.to_be(), &raw mut hops, 9, &raw mut rtt), 0);
        assert_eq!(last_error::get(), NETWORK_UNREACHABLE);
        assert_eq!(round_trip::rtt_and_hop_count(loopback, &raw mut hops, 1000, &raw mut rtt), 1);
        assert_eq!(hops, 1);
    }
}

pub(super) fn sorted_pairs(walk: &mut Walk) {
    let one = SOCKADDR_IN6 { sin6_family: AF_INET6, ..Default::default() };
    let many = vec![one; 501];
    let none = SOCKADDR_IN6::default();
    let (mut pairs, mut count) = (null_mut(), 0);
    let (pairs, count) = (&raw mut pairs, &raw mut count);
    let cases = [
        (&raw const one, 1, &raw const one, 1, pairs, count),
        (null(), 1, &raw const one, 1, pairs, count),
        (null(), 0, null(), 1, pairs, count),
        (null(), 0, &raw const one, 0, pairs, count),
        (null(), 0, many.as_ptr(), 501, pairs, count),
        (null(), 0, &raw const none, 1, pairs, count),
        (null(), 0, &raw const one, 1, null_mut(), count),
        (null(), 0, &raw const one, 1, pairs, null_mut()),
    ];
    for (sources, source_count, list, list_count, pairs, count) in cases {
        refused!(
            walk,
            "CreateSortedAddressPairs",
            destination::create_sorted_address_pairs(
                sources,
                source_count,
                list,
                list_count,
                0,
                pairs,
                count
            )
        );
    }
}
