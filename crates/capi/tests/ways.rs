//! Paths, sorted destinations and routers through C's rows, on real packets and real ends of programs.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use iphelper_capi::{best_route, destination, memory, path, round_trip};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{eventually, isolated, run, send_unfragmented, set_sysctl, sysctl};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::ptr::{null, null_mut};
use support::program::Running;
use support::{Scratch, compile, compiles, crate_dir};

mod support;

iphelper_testkit::private_user_namespace!();

fn written(address: IpAddr) -> SOCKADDR_INET {
    let mut row = SOCKADDR_INET::default();
    match address {
        IpAddr::V4(ip) => {
            row.Ipv4.sin_family = AF_INET;
            row.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes(ip.octets());
        }
        IpAddr::V6(ip) => {
            row.Ipv6.sin6_family = AF_INET6;
            row.Ipv6.sin6_addr.u.Byte = ip.octets();
        }
    }
    row
}

fn read(row: &SOCKADDR_INET) -> IpAddr {
    unsafe {
        match row.si_family {
            AF_INET => row.Ipv4.sin_addr.S_un.S_addr.to_ne_bytes().into(),
            family => {
                assert_eq!(family, AF_INET6, "Windows' number");
                row.Ipv6.sin6_addr.u.Byte.into()
            }
        }
    }
}

#[test]
fn a_path_is_in_the_table_after_a_router_has_complained() {
    let uplinks = Uplinks::new();
    let _ = uplinks.routers[0].sh("ip link set far mtu 1400");
    for ipv6 in [false, true] {
        let server = Uplinks::server_address(ipv6);
        eventually("the router complains", || {
            let sent = uplinks.host.run(|| send_unfragmented(SocketAddr::new(server, 9), 1500));
            sent.is_err_and(|error| error.raw_os_error() == Some(90))
        });
        uplinks.host.run(|| unsafe {
            let mut table = null_mut();
            let family = if ipv6 { AF_INET6 } else { AF_INET };
            assert_eq!(path::ip_path_table::<Win32>(family, &raw mut table), 0);
            assert_eq!((*table).NumEntries, 1);
            let row = (*table).Table[0];
            memory::free_mib_table(table.cast());
            assert_eq!((read(&row.Destination), read(&row.Source)), (server, Uplinks::address(0, ipv6)));
            assert_eq!(read(&row.CurrentNextHop), Uplinks::router_address(0, ipv6));
            assert_eq!((row.PathMtu, row.InterfaceIndex), (1400, 2));
            assert_eq!(row.LinkTransmitSpeed, ULONG64(10_000_000_000));

            let mut entry =
                MIB_IPPATH_ROW { Destination: written(server), InterfaceIndex: 2, ..Default::default() };
            assert_eq!(path::ip_path_entry::<NtStatus>(&raw mut entry), 0);
            assert_eq!((entry.PathMtu, entry.InterfaceLuid), (1400, row.InterfaceLuid));
            assert_eq!(path::flush_ip_path_table::<Win32>(family), 0);
            assert_eq!(path::ip_path_entry::<Win32>(&raw mut entry), 1168);
        });
    }
}

#[test]
fn a_tcp_connection_tells_times_and_that_the_host_answers() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    let mut connection = uplinks.connection(false);
    connection.write_all(b"how far?").unwrap();
    connection.read_exact(&mut [0; 8]).unwrap();
    drop(connection);
    let mut row = MIB_IPPATH_ROW {
        Destination: written(Uplinks::server_address(false)),
        InterfaceIndex: 2,
        ..Default::default()
    };
    uplinks.host.run(|| {
        eventually("the connection's end is known", || unsafe {
            path::ip_path_entry::<Win32>(&raw mut row) == 0
        });
    });
    assert_eq!((row.IsReachable, row.PathMtu), (1, 1500));
    // Microseconds here, which are told as one millisecond.
    assert!(
        (1..1000).contains(&row.RttMean) && row.RttDeviation < 1000,
        "{} {}",
        row.RttMean,
        row.RttDeviation
    );
    assert!(row.LastReachable < 60_000, "{}", row.LastReachable);
    assert_eq!(read(&row.Source), Uplinks::address(0, false));
}

#[test]
fn ways_and_distances() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| unsafe {
        let number = |ipv6| match Uplinks::server_address(ipv6) {
            IpAddr::V4(ip) => u32::from_ne_bytes(ip.octets()),
            IpAddr::V6(_) => 0,
        };
        let mut index = 0;
        assert_eq!(best_route::best_interface(number(false), &raw mut index), 0);
        assert_eq!(index, 2);
        assert_eq!(best_route::best_interface(0, &raw mut index), 0);
        assert_eq!(index, 2, "the default route");
        let mut address = written(Uplinks::router_address(1, true));
        assert_eq!(best_route::best_interface_ex((&raw const address).cast(), &raw mut index), 0);
        assert_eq!(index, 3);
        address = written("fe80::77".parse().unwrap());
        address.Ipv6.Anonymous.sin6_scope_id = 3;
        assert_eq!(best_route::best_interface_ex((&raw const address).cast(), &raw mut index), 0);
        assert_eq!(index, 3);
        let (mut hops, mut rtt) = (0, u32::MAX);
        assert_eq!(round_trip::rtt_and_hop_count(number(false), &raw mut hops, 30, &raw mut rtt), 1);
        assert_eq!(hops, 2);
        assert!(rtt < 1000);
        assert_eq!(
            round_trip::rtt_and_hop_count(number(false), &raw mut hops, 1, &raw mut rtt),
            0,
            "too far"
        );
    });
}

#[test]
fn best_routes_follow_the_strong_host() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| unsafe {
        for ipv6 in [false, true] {
            let server = written(Uplinks::server_address(ipv6));
            let ask = |index: u32, from: Option<IpAddr>| {
                let (mut row, mut best) = (MIB_IPFORWARD_ROW2::default(), SOCKADDR_INET::default());
                let source = from.map(written);
                let source = source.as_ref().map_or(null(), std::ptr::from_ref);
                let code = best_route::best_route2::<Win32>(
                    null(),
                    index,
                    source,
                    &raw const server,
                    0,
                    &raw mut row,
                    &raw mut best,
                );
                assert_eq!(code, 0);
                (
                    row.InterfaceIndex,
                    row.Metric,
                    read(&row.NextHop),
                    read(&best),
                    row.DestinationPrefix.PrefixLength,
                )
            };
            let (own, router) = (|n| Uplinks::address(n, ipv6), |n| Uplinks::router_address(n, ipv6));
            assert_eq!(ask(0, None), (2, 100, router(0), own(0), 0));
            assert_eq!(ask(3, None), (3, 200, router(1), own(1), 0));
            assert_eq!(ask(0, Some(own(1))), (2, 100, router(0), own(1), 0), "a weak host");
            let (family, e1) = (if ipv6 { iphelper::Family::V6 } else { iphelper::Family::V4 }, 3);
            let change = iphelper::ip_interface::IpInterfaceChange {
                weak_host_send: Some(false),
                ..Default::default()
            };
            let host = iphelper::Host::open().unwrap();
            let _ = host.set_ip_interface(family, iphelper::InterfaceIndex(e1), &change).unwrap();
            assert_eq!(ask(0, Some(own(1))), (3, 200, router(1), own(1), 0), "a strong one");
            assert_eq!(ask(0, None), (2, 100, router(0), own(0), 0));
        }
        // The first generation: the metric of the interface added.
        let mut first = MIB_IPFORWARDROW::default();
        let IpAddr::V4(server) = Uplinks::server_address(false) else { unreachable!() };
        let server = u32::from_ne_bytes(server.octets());
        assert_eq!(best_route::best_route(server, 0, &raw mut first), 0);
        let host = iphelper::Host::open().unwrap();
        let metric = host.ip_interface(iphelper::Family::V4, iphelper::InterfaceIndex(2)).unwrap().metric;
        assert_eq!((first.dwForwardIfIndex, first.dwForwardMetric1), (2, 100 + metric));
        assert_eq!(first.dwForwardNextHop.to_ne_bytes(), [10, 0, 1, 1]);
        let from = u32::from_ne_bytes([10, 0, 2, 2]);
        assert_eq!(best_route::best_route(server, from, &raw mut first), 0);
        assert_eq!(first.dwForwardIfIndex, 3, "its strong interface");
    });
}

#[test]
fn pairs_are_sorted_and_point_into_their_block() {
    let uplinks = Uplinks::new();
    let _ = uplinks.host.sh("ip -6 route delete default dev e0");
    let _ = uplinks.host.sh("ip -6 route delete default dev e1");
    uplinks.host.run(|| unsafe {
        let in6 = |ip: Ipv6Addr, port: u16| {
            let mut address = written(ip.into()).Ipv6;
            address.sin6_port = port.to_be();
            address
        };
        let IpAddr::V4(server) = Uplinks::server_address(false) else { unreachable!() };
        let IpAddr::V6(server6) = Uplinks::server_address(true) else { unreachable!() };
        let list = [in6(server6, 1), in6(server.to_ipv6_mapped(), 2), in6(Ipv6Addr::LOCALHOST, 3)];
        let (mut pairs, mut count) = (null_mut(), 0);
        assert_eq!(
            destination::create_sorted_address_pairs::<Win32>(
                null(),
                0,
                list.as_ptr(),
                3,
                0,
                &raw mut pairs,
                &raw mut count
            ),
            0
        );
        let rows: Vec<_> = std::slice::from_raw_parts(pairs, count as usize)
            .iter()
            .map(|pair| {
                let (source, destination) = (*pair.SourceAddress, *pair.DestinationAddress);
                let source = Ipv6Addr::from(source.sin6_addr.u.Byte);
                assert_eq!(destination.sin6_family, AF_INET6);
                (u16::from_be(destination.sin6_port), source)
            })
            .collect();
        memory::free_mib_table(pairs.cast());
        let own: Ipv6Addr = "::ffff:10.0.1.2".parse().unwrap();
        assert_eq!(rows, [(3, Ipv6Addr::LOCALHOST), (2, own), (1, Ipv6Addr::UNSPECIFIED)]);
    });
}

#[test]
fn a_program_that_ends_is_a_router_no_more() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::of_target("router");
    let program = scratch.path("router");
    compile(&crate_dir().join("tests/c/router.c"), &program, &["-liphlpapi"]);
    isolated(|| {
        for is_killed in [false, true] {
            let mut child = Running::start(&mut Command::new(&program));
            assert_eq!(child.next().unwrap(), "127.0.0.1 is on interface 1");
            assert_eq!(child.next().unwrap(), "2 pairs, the first to port 80");
            assert_eq!(sysctl("ipv4/ip_forward"), "1");
            if is_killed {
                child.kill();
                assert_eq!(sysctl("ipv4/ip_forward"), "1", "nobody was there to see it");
                // Whatever next changes a setting puts it back.
                let (mut handle, mut overlapped) = (null_mut(), [0_usize; 4]);
                let overlapped = overlapped.as_mut_ptr().cast();
                unsafe {
                    let pending = iphelper_capi::router::enable_router(&raw mut handle, overlapped);
                    assert_eq!(pending, ERROR_IO_PENDING);
                    assert_eq!(iphelper_capi::router::unenable_router(overlapped, null_mut()), 0);
                }
            } else {
                child.ends();
            }
            assert_eq!(sysctl("ipv4/ip_forward"), "0");
            assert_eq!(run("nft list tables"), "");
        }
        set_sysctl("ipv4/ip_forward", "0");
    });
}
