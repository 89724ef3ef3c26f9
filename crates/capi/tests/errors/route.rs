//! Routes.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use iphelper_capi::route;
use iphelper_testkit::{isolated, run, set_sysctl, unprivileged};
use std::ptr::null_mut;

/// An address in a row.
fn address(text: &str) -> SOCKADDR_INET {
    let mut address = SOCKADDR_INET::default();
    match text.parse().unwrap() {
        std::net::IpAddr::V4(ip) => {
            address.Ipv4.sin_family = AF_INET;
            address.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes(ip.octets());
        }
        std::net::IpAddr::V6(ip) => {
            address.Ipv6.sin6_family = AF_INET6;
            address.Ipv6.sin6_addr.u.Byte = ip.octets();
        }
    }
    address
}

fn row(prefix: &str, length: u8, next_hop: &str, index: u32) -> MIB_IPFORWARD_ROW2 {
    let mut row = MIB_IPFORWARD_ROW2::default();
    // SAFETY: the row lives.
    unsafe { route::initialize_ip_forward_entry(&raw mut row) };
    MIB_IPFORWARD_ROW2 {
        InterfaceIndex: index,
        DestinationPrefix: IP_ADDRESS_PREFIX { Prefix: address(prefix), PrefixLength: length },
        NextHop: address(next_hop),
        Metric: 5,
        ..row
    }
}

pub(super) fn routes(walk: &mut Walk) {
    let _ = run("ip link add r0 type veth peer name r1");
    let _ = run("ip link set r0 up");
    let _ = run("ip link set r1 up");
    let index = link_index("r0");
    let zeros = MIB_IPFORWARD_ROW2::default();
    let good = row("203.0.113.0", 24, "0.0.0.0", index);
    for wrong in [
        MIB_IPFORWARD_ROW2 { InterfaceIndex: 0, ..good },
        MIB_IPFORWARD_ROW2 { NextHop: zeros.NextHop, ..good },
        MIB_IPFORWARD_ROW2 { DestinationPrefix: zeros.DestinationPrefix, ..good },
        row("203.0.113.0", 33, "0.0.0.0", index),
        row("203.0.113.1", 24, "0.0.0.0", index),
        row("2001:db8::", 32, "10.0.0.1", index),
    ] {
        let mut wrong = wrong;
        refused!(walk, "CreateIpForwardEntry2", route::create_ip_forward_entry2(&raw const wrong));
        refused!(walk, "SetIpForwardEntry2", route::set_ip_forward_entry2(&raw const wrong));
        refused!(walk, "DeleteIpForwardEntry2", route::delete_ip_forward_entry2(&raw const wrong));
        refused!(walk, "GetIpForwardEntry2", route::ip_forward_entry2(&raw mut wrong));
    }
    for wrong in [
        MIB_IPFORWARD_ROW2 { Metric: u32::MAX, ..good },
        MIB_IPFORWARD_ROW2 { Protocol: 0, ..good },
        MIB_IPFORWARD_ROW2 { Publish: 2, ..good },
        MIB_IPFORWARD_ROW2 { SitePrefixLength: 25, ..good },
        MIB_IPFORWARD_ROW2 { ValidLifetime: 1, ..good },
    ] {
        refused!(walk, "CreateIpForwardEntry2", route::create_ip_forward_entry2(&raw const wrong));
    }
    refused!(walk, "CreateIpForwardEntry2", route::create_ip_forward_entry2(null_mut()));
    refused!(walk, "SetIpForwardEntry2", route::set_ip_forward_entry2(null_mut()));
    refused!(walk, "DeleteIpForwardEntry2", route::delete_ip_forward_entry2(null_mut()));
    refused!(walk, "GetIpForwardEntry2", route::ip_forward_entry2(null_mut()));
    refused!(walk, "GetIpForwardTable2", route::ip_forward_table2(2, null_mut()));
    let mut table = null_mut();
    for family in [1, 11, u16::MAX] {
        refused!(walk, "GetIpForwardTable2", route::ip_forward_table2(family, &raw mut table));
    }

    let mut nobody = row("203.0.113.0", 24, "0.0.0.0", NOBODY);
    let mut nowhere = good;
    set_sysctl("ipv6/conf/r0/disable_ipv6", "1");
    let mut without = row("2001:db8::", 32, "::", index);
    for missing in [&mut nobody, &mut nowhere, &mut without] {
        let missing = std::ptr::from_mut(missing);
        both!(
            walk,
            "GetIpForwardEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            route::ip_forward_entry2(missing)
        );
        both!(
            walk,
            "DeleteIpForwardEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            route::delete_ip_forward_entry2(missing)
        );
        both!(
            walk,
            "SetIpForwardEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            route::set_ip_forward_entry2(missing)
        );
    }
    for missing in [&nobody, &without] {
        both!(
            walk,
            "CreateIpForwardEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            route::create_ip_forward_entry2(missing)
        );
    }
    // What Linux cannot do: an IPv4 route that ends.
    let ending = MIB_IPFORWARD_ROW2 { ValidLifetime: 60, PreferredLifetime: 60, ..good };
    both!(
        walk,
        "CreateIpForwardEntry2",
        "ERROR_NOT_SUPPORTED",
        "STATUS_NOT_SUPPORTED",
        route::create_ip_forward_entry2(&raw const ending)
    );
    let denied = unprivileged(|| {
        let good = row("203.0.113.0", 24, "0.0.0.0", index);
        // SAFETY: the row lives.
        unsafe {
            [
                route::create_ip_forward_entry2::<Win32>(&raw const good),
                route::set_ip_forward_entry2::<Win32>(&raw const good),
                route::delete_ip_forward_entry2::<Win32>(&raw const good),
            ]
        }
    });
    for (function, code) in
        ["CreateIpForwardEntry2", "SetIpForwardEntry2", "DeleteIpForwardEntry2"].into_iter().zip(denied)
    {
        walk.expect(function, "ERROR_ACCESS_DENIED", code);
    }
    // SAFETY: the row lives.
    assert_eq!(unsafe { route::create_ip_forward_entry2::<Win32>(&raw const good) }, 0);
    // SAFETY: as above.
    let exists = unsafe { route::create_ip_forward_entry2::<Win32>(&raw const good) };
    walk.expect("CreateIpForwardEntry2", "ERROR_OBJECT_ALREADY_EXISTS", exists);
    // SAFETY: as above. The driver page gives the name of a Win32 code; its NTSTATUS stands for it.
    let exists = unsafe { route::create_ip_forward_entry2::<NtStatus>(&raw const good) };
    walk.expect_as("CreateIpForwardEntry2", "ERROR_OBJECT_ALREADY_EXISTS", "STATUS_OBJECTID_EXISTS", exists);

    let empty = isolated(|| {
        let _ = run("ip addr del 127.0.0.1/8 dev lo");
        let (mut table, mut size) = (null_mut(), 0);
        // SAFETY: table and size live, the buffer is NULL.
        unsafe {
            (
                route::ip_forward_table2::<Win32>(2, &raw mut table),
                route::ip_forward_table2::<NtStatus>(2, &raw mut table).cast_unsigned(),
                route::ip_forward_table(null_mut(), &raw mut size, 0),
            )
        }
    });
    walk.expect("GetIpForwardTable2", "ERROR_NOT_FOUND", empty.0);
    walk.expect("GetIpForwardTable2", "STATUS_NOT_FOUND", empty.1);
    walk.expect("GetIpForwardTable", "ERROR_NO_DATA", empty.2);
}

fn link_index(name: &str) -> u32 {
    let shown = run(&format!("ip -o link show {name}"));
    shown.split(':').next().unwrap().trim().parse().unwrap()
}

pub(super) fn first_generation(walk: &mut Walk) {
    let index = link_index("r0");
    let metric = iphelper::Host::open()
        .and_then(|host| host.ip_interface(iphelper::Family::V4, iphelper::InterfaceIndex(index)))
        .unwrap()
        .metric;
    let number = |text: &str| u32::from_ne_bytes(text.parse::<std::net::Ipv4Addr>().unwrap().octets());
    let good = MIB_IPFORWARDROW {
        dwForwardDest: number("198.51.100.0"),
        dwForwardMask: number("255.255.255.0"),
        dwForwardIfIndex: index,
        Anonymous2: MIB_IPFORWARDROW_1 { dwForwardProto: 3 },
        dwForwardMetric1: metric + 5,
        ..MIB_IPFORWARDROW::default()
    };
    let calls = |row: *const MIB_IPFORWARDROW| {
        // SAFETY: the row lives, or is NULL.
        unsafe {
            [
                ("CreateIpForwardEntry", route::create_ip_forward_entry(row)),
                ("SetIpForwardEntry", route::set_ip_forward_entry(row)),
                ("DeleteIpForwardEntry", route::delete_ip_forward_entry(row)),
            ]
        }
    };
    for (function, code) in calls(std::ptr::null()) {
        walk.expect(function, "ERROR_INVALID_PARAMETER", code);
    }
    for wrong in [
        MIB_IPFORWARDROW { dwForwardMask: number("255.0.255.0"), ..good },
        MIB_IPFORWARDROW { dwForwardDest: number("198.51.100.1"), ..good },
        MIB_IPFORWARDROW { dwForwardIfIndex: 0, ..good },
    ] {
        for (function, code) in calls(&raw const wrong) {
            walk.expect(function, "ERROR_INVALID_PARAMETER", code);
        }
    }
    for wrong in [
        MIB_IPFORWARDROW { dwForwardMetric1: metric - 1, ..good },
        MIB_IPFORWARDROW { Anonymous2: MIB_IPFORWARDROW_1 { dwForwardProto: 13 }, ..good },
        MIB_IPFORWARDROW { dwForwardIfIndex: NOBODY, ..good },
    ] {
        let [(function, code), ..] = calls(&raw const wrong);
        walk.expect(function, "ERROR_INVALID_PARAMETER", code);
    }
    let nobody = MIB_IPFORWARDROW { dwForwardIfIndex: NOBODY, ..good };
    let [_, set, delete] = calls(&raw const nobody);
    walk.expect("SetIpForwardEntry", "ERROR_FILE_NOT_FOUND", set.1);
    walk.expect("DeleteIpForwardEntry", "ERROR_NOT_FOUND", delete.1);
    let denied = unprivileged(|| {
        let row = good;
        calls(&raw const row)
    });
    for (function, code) in denied {
        walk.expect(function, "ERROR_ACCESS_DENIED", code);
    }
    let [create, set, delete] = calls(&raw const good);
    assert_eq!((create.1, set.1, delete.1), (0, 0, 0));
    // SAFETY: the row lives.
    let [set, delete] = unsafe {
        [route::set_ip_forward_entry(&raw const good), route::delete_ip_forward_entry(&raw const good)]
    };
    walk.expect("SetIpForwardEntry", "ERROR_NOT_FOUND", set);
    walk.expect("DeleteIpForwardEntry", "ERROR_NOT_FOUND", delete);
    // The kernel would make the route to an address anew; that to its prefix has the address' metric.
    let _ = run("ip addr add 10.77.0.1/24 dev r0");
    let prefix = MIB_IPFORWARDROW { dwForwardDest: number("10.77.0.0"), ..good };
    // SAFETY: the row lives.
    assert_eq!(unsafe { route::set_ip_forward_entry(&raw const prefix) }, 0);
    assert!(run("ip route show 10.77.0.0/24").contains("proto kernel scope link src 10.77.0.1 metric 5"));
    let kernels = MIB_IPFORWARDROW { dwForwardDest: number("10.77.0.1"), dwForwardMask: u32::MAX, ..good };
    // SAFETY: the row lives.
    let set = unsafe { route::set_ip_forward_entry(&raw const kernels) };
    walk.expect("SetIpForwardEntry", "ERROR_NOT_SUPPORTED", set);
    // An interface that is down has no routes.
    let _ = run("ip link set r0 down");
    let [create, ..] = calls(&raw const good);
    walk.expect("CreateIpForwardEntry", "ERROR_NOT_SUPPORTED", create.1);
    let _ = run("ip link set r0 up");

    let mut size = 0;
    // SAFETY: the size lives or is NULL, the buffer is NULL.
    unsafe {
        let code = route::ip_forward_table(null_mut(), null_mut(), 0);
        walk.expect("GetIpForwardTable", "ERROR_INVALID_PARAMETER", code);
        let code = route::ip_forward_table(null_mut(), &raw mut size, 0);
        walk.expect("GetIpForwardTable", "ERROR_INSUFFICIENT_BUFFER", code);
    }
}
