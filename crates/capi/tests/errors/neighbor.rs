//! Neighbours.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::neighbor;
use iphelper_capi::raw::*;
use iphelper_testkit::{eventually, isolated, run, set_sysctl, unprivileged};
use std::ptr::{null, null_mut};

/// Of a namespace of its own, which has the interfaces `e0` and `e1`.
pub(super) fn neighbors(walk: &mut Walk) {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        for name in ["e0", "e1"] {
            let _ = run(&format!("ip link set {name} up"));
        }
        let _ = run("ip addr add 192.0.2.1/24 dev e0");
        let _ = run("ip addr add 2001:db8::1/64 dev e0 nodad");
        for version in ["ipv4", "ipv6"] {
            set_sysctl(&format!("{version}/neigh/e0/retrans_time_ms"), "20");
        }
        eventually("the link is up", || run("ip link show e0").contains("state UP"));
        let index = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        second_generation(walk, index);
        first_generation(walk, index);
        physical_addresses(walk);
    });
}

fn row(index: u32, is_ipv6: bool) -> MIB_IPNET_ROW2 {
    let mut row = MIB_IPNET_ROW2 { InterfaceIndex: index, PhysicalAddressLength: 6, ..Default::default() };
    row.PhysicalAddress[0] = 2;
    if is_ipv6 {
        row.Address.Ipv6.sin6_family = AF_INET6;
        row.Address.Ipv6.sin6_addr =
            IN6_ADDR { u: IN6_ADDR_0 { Byte: [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] } };
    } else {
        row.Address.Ipv4.sin_family = AF_INET;
        row.Address.Ipv4.sin_addr = IN_ADDR { S_un: IN_ADDR_0 { S_addr: address([192, 0, 2, 9]) } };
    }
    row
}

fn address(octets: [u8; 4]) -> u32 {
    u32::from_ne_bytes(octets)
}

fn second_generation(walk: &mut Walk, index: u32) {
    for is_ipv6 in [false, true] {
        let good = row(index, is_ipv6);
        let mut unset = good;
        unset.Address = SOCKADDR_INET::default();
        let mut loopback = good;
        if is_ipv6 {
            loopback.Address.Ipv6.sin6_addr.u.Byte = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        } else {
            loopback.Address.Ipv4.sin_addr.S_un.S_addr = address([127, 0, 0, 1]);
        }
        let no_interface = MIB_IPNET_ROW2 { InterfaceIndex: 0, ..good };
        let mut rows = [unset, loopback, no_interface];
        for bad in &mut rows {
            refused!(walk, "GetIpNetEntry2", neighbor::ip_net_entry2(bad));
            refused!(walk, "CreateIpNetEntry2", neighbor::create_ip_net_entry2(bad));
            refused!(walk, "SetIpNetEntry2", neighbor::set_ip_net_entry2(bad));
            refused!(walk, "DeleteIpNetEntry2", neighbor::delete_ip_net_entry2(bad));
            refused!(walk, "ResolveIpNetEntry2", neighbor::resolve_ip_net_entry2(bad, null()));
        }
        for length in [0, 5, 7, 33, u32::MAX] {
            let bad = MIB_IPNET_ROW2 { PhysicalAddressLength: length, ..good };
            refused!(walk, "CreateIpNetEntry2", neighbor::create_ip_net_entry2(&raw const bad));
            refused!(walk, "SetIpNetEntry2", neighbor::set_ip_net_entry2(&raw const bad));
        }
        // A link-local address whose zone is another interface.
        if is_ipv6 {
            let mut zone = good;
            // SAFETY: numbers.
            unsafe {
                zone.Address.Ipv6.sin6_addr.u.Byte[..8].copy_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
                zone.Address.Ipv6.Anonymous.sin6_scope_id = index + 1;
            }
            refused!(walk, "CreateIpNetEntry2", neighbor::create_ip_net_entry2(&raw const zone));
        }
        let mut nobody = MIB_IPNET_ROW2 { InterfaceIndex: NOBODY, ..good };
        both!(
            walk,
            "GetIpNetEntry2",
            "ERROR_FILE_NOT_FOUND",
            "STATUS_NOT_FOUND",
            neighbor::ip_net_entry2(&raw mut nobody)
        );
        let mut missing = good;
        both!(
            walk,
            "GetIpNetEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            neighbor::ip_net_entry2(&raw mut missing)
        );
        for bad in [&mut nobody, &mut missing] {
            both!(
                walk,
                "SetIpNetEntry2",
                "ERROR_NOT_FOUND",
                "STATUS_NOT_FOUND",
                neighbor::set_ip_net_entry2(bad)
            );
            both!(
                walk,
                "DeleteIpNetEntry2",
                "ERROR_NOT_FOUND",
                "STATUS_NOT_FOUND",
                neighbor::delete_ip_net_entry2(bad)
            );
        }
        both!(
            walk,
            "CreateIpNetEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            neighbor::create_ip_net_entry2(&raw const nobody)
        );
        both!(
            walk,
            "ResolveIpNetEntry2",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            neighbor::resolve_ip_net_entry2(&raw mut nobody, null())
        );
        // What did not answer is in the table, and must go first, unless the kernel has forgotten it, as it does now and
        // then where it has many on all of the computer.
        eventually("who did not answer is in the table", || {
            let mut silent = good;
            both!(
                walk,
                "ResolveIpNetEntry2",
                "ERROR_BAD_NET_NAME",
                "STATUS_BAD_NETWORK_NAME",
                neighbor::resolve_ip_net_entry2(&raw mut silent, null())
            );
            // SAFETY: the row lives.
            unsafe { neighbor::delete_ip_net_entry2::<Win32>(&raw const good) == 0 }
        });
        // SAFETY: as above.
        assert_eq!(unsafe { neighbor::create_ip_net_entry2::<NtStatus>(&raw const good) }, 0);
        // SAFETY: as above.
        let exists = unsafe {
            (
                neighbor::create_ip_net_entry2::<Win32>(&raw const good),
                neighbor::create_ip_net_entry2::<NtStatus>(&raw const good),
            )
        };
        walk.expect("CreateIpNetEntry2", "ERROR_OBJECT_ALREADY_EXISTS", exists.0);
        walk.expect_as(
            "CreateIpNetEntry2",
            "ERROR_OBJECT_ALREADY_EXISTS",
            "STATUS_OBJECTID_EXISTS",
            exists.1,
        );
        let denied = unprivileged(|| {
            let row = good;
            // SAFETY: as above.
            unsafe {
                [
                    ("CreateIpNetEntry2", neighbor::create_ip_net_entry2::<Win32>(&raw const row)),
                    ("SetIpNetEntry2", neighbor::set_ip_net_entry2::<Win32>(&raw const row)),
                    ("DeleteIpNetEntry2", neighbor::delete_ip_net_entry2::<Win32>(&raw const row)),
                    ("FlushIpNetTable2", neighbor::flush_ip_net_table2::<Win32>(0, index)),
                ]
            }
        });
        for (function, code) in denied {
            walk.expect(function, "ERROR_ACCESS_DENIED", code);
        }
    }
    refused!(walk, "GetIpNetEntry2", neighbor::ip_net_entry2(null_mut()));
    refused!(walk, "CreateIpNetEntry2", neighbor::create_ip_net_entry2(null()));
    refused!(walk, "SetIpNetEntry2", neighbor::set_ip_net_entry2(null()));
    refused!(walk, "DeleteIpNetEntry2", neighbor::delete_ip_net_entry2(null()));
    refused!(walk, "ResolveIpNetEntry2", neighbor::resolve_ip_net_entry2(null_mut(), null()));
    let mut table = null_mut();
    for family in [1, 11, u16::MAX] {
        refused!(walk, "GetIpNetTable2", neighbor::ip_net_table2(family, &raw mut table));
        refused!(walk, "FlushIpNetTable2", neighbor::flush_ip_net_table2(family, 0));
    }
    refused!(walk, "GetIpNetTable2", neighbor::ip_net_table2(0, null_mut()));
    refused!(walk, "FlushIpNetTable2", neighbor::flush_ip_net_table2(0, NOBODY));
    // SAFETY: no pointers.
    assert_eq!(unsafe { neighbor::flush_ip_net_table2::<NtStatus>(2, 0) }, 0);
    both!(
        walk,
        "GetIpNetTable2",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        neighbor::ip_net_table2(2, &raw mut table)
    );
}

fn first_generation(walk: &mut Walk, index: u32) {
    let good = MIB_IPNETROW {
        dwIndex: index,
        dwPhysAddrLen: 6,
        bPhysAddr: [2, 0, 0, 0, 0, 9, 0, 0],
        dwAddr: address([192, 0, 2, 9]),
        Anonymous: MIB_IPNETROW_0 { Type: MIB_IPNET_TYPE_STATIC },
    };
    let kind = |kind| MIB_IPNETROW { Anonymous: MIB_IPNETROW_0 { Type: kind }, ..good };
    let keys = [
        MIB_IPNETROW { dwIndex: NOBODY, ..good },
        MIB_IPNETROW { dwIndex: 0, ..good },
        MIB_IPNETROW { dwAddr: 0, ..good },
        MIB_IPNETROW { dwAddr: u32::MAX, ..good },
    ];
    let values = [
        MIB_IPNETROW { dwPhysAddrLen: 0, ..good },
        MIB_IPNETROW { dwPhysAddrLen: 9, ..good },
        kind(MIB_IPNET_TYPE_INVALID),
        kind(77),
    ];
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        for bad in keys.iter().chain(&values).map(std::ptr::from_ref).chain([null()]) {
            walk.expect("CreateIpNetEntry", "ERROR_INVALID_PARAMETER", neighbor::create_ip_net_entry(bad));
            walk.expect("SetIpNetEntry", "ERROR_INVALID_PARAMETER", neighbor::set_ip_net_entry(bad));
        }
        for bad in keys.iter().map(std::ptr::from_ref).chain([null()]) {
            walk.expect("DeleteIpNetEntry", "ERROR_INVALID_PARAMETER", neighbor::delete_ip_net_entry(bad));
        }
        for bad in [0, NOBODY] {
            walk.expect("FlushIpNetTable", "ERROR_INVALID_PARAMETER", neighbor::flush_ip_net_table(bad));
        }
        let mut size = 0;
        walk.expect("GetIpNetTable", "ERROR_NO_DATA", neighbor::ip_net_table(null_mut(), &raw mut size, 0));
        walk.expect(
            "GetIpNetTable",
            "ERROR_INVALID_PARAMETER",
            neighbor::ip_net_table(null_mut(), null_mut(), 0),
        );
        assert_eq!(neighbor::create_ip_net_entry(&raw const good), 0);
        walk.expect(
            "GetIpNetTable",
            "ERROR_INSUFFICIENT_BUFFER",
            neighbor::ip_net_table(null_mut(), &raw mut size, 0),
        );
        assert_eq!(size, 28);

        let whole = u32::MAX;
        let gaps = address([255, 0, 255, 0]);
        let proxied = good.dwAddr;
        for (to, mask, on) in [(proxied, gaps, index), (proxied, whole, NOBODY), (0, whole, index)] {
            let code = neighbor::create_proxy_arp_entry(to, mask, on);
            walk.expect("CreateProxyArpEntry", "ERROR_INVALID_PARAMETER", code);
            let code = neighbor::delete_proxy_arp_entry(to, mask, on);
            walk.expect("DeleteProxyArpEntry", "ERROR_INVALID_PARAMETER", code);
        }
        // More than this host can answer for.
        let mask = address([255, 0, 0, 0]);
        let code = neighbor::create_proxy_arp_entry(address([10, 0, 0, 0]), mask, index);
        walk.expect("CreateProxyArpEntry", "ERROR_NOT_SUPPORTED", code);
        let code = neighbor::delete_proxy_arp_entry(address([10, 0, 0, 0]), mask, index);
        walk.expect("DeleteProxyArpEntry", "ERROR_NOT_SUPPORTED", code);
    }
    let denied = unprivileged(|| {
        let row = good;
        // SAFETY: as above.
        unsafe {
            [
                ("CreateIpNetEntry", neighbor::create_ip_net_entry(&raw const row)),
                ("SetIpNetEntry", neighbor::set_ip_net_entry(&raw const row)),
                ("DeleteIpNetEntry", neighbor::delete_ip_net_entry(&raw const row)),
                ("FlushIpNetTable", neighbor::flush_ip_net_table(index)),
                ("CreateProxyArpEntry", neighbor::create_proxy_arp_entry(row.dwAddr, u32::MAX, index)),
                ("DeleteProxyArpEntry", neighbor::delete_proxy_arp_entry(row.dwAddr, u32::MAX, index)),
            ]
        }
    });
    for (function, code) in denied {
        walk.expect(function, "ERROR_ACCESS_DENIED", code);
    }
}

fn physical_addresses(walk: &mut Walk) {
    let mut bytes = [0_u8; 8];
    let physical = bytes.as_mut_ptr().cast();
    let mut arp = |to: [u8; 4], from: [u8; 4], mut length: u32, code| {
        // SAFETY: the buffer has eight bytes.
        let got = unsafe { neighbor::send_arp(address(to), address(from), physical, &raw mut length) };
        assert_eq!(length, 0);
        walk.expect("SendARP", code, got);
    };
    arp([192, 0, 2, 77], [0; 4], 8, "ERROR_BAD_NET_NAME");
    arp([203, 0, 113, 1], [0; 4], 8, "ERROR_BAD_NET_NAME");
    arp([192, 0, 2, 77], [192, 0, 2, 5], 8, "ERROR_NOT_FOUND");
    arp([192, 0, 2, 77], [0; 4], 5, "ERROR_BUFFER_OVERFLOW");
    arp([127, 0, 0, 1], [0; 4], 8, "ERROR_INVALID_PARAMETER");
    let mut length = 8;
    // SAFETY: NULL or live variables.
    unsafe {
        let code = neighbor::send_arp(address([192, 0, 2, 77]), 0, null_mut(), &raw mut length);
        walk.expect("SendARP", "ERROR_INVALID_PARAMETER", code);
        let code = neighbor::send_arp(address([192, 0, 2, 77]), 0, physical, null_mut());
        walk.expect("SendARP", "ERROR_INVALID_PARAMETER", code);
        let address = SOCKADDR_INET::default();
        for address in [null(), (&raw const address).cast()] {
            let code = neighbor::resolve_neighbor(address, physical, &raw mut length);
            walk.expect("ResolveNeighbor", "ERROR_INVALID_PARAMETER", code);
        }
    }
}
