//! Neighbours in C's rows, tables and buffers, against what `ip` shows.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type, and each buffer has the \
              size that is said"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::{memory, neighbor};
use iphelper_testkit::{NetNs, calm_neighbors, eventually, set_sysctl};
use std::net::Ipv4Addr;
use std::process::Command;
use std::ptr::{null, null_mut};
use support::{Scratch, compile, compiles, crate_dir};

mod support;

iphelper_testkit::private_user_namespace!();

const FAR: [u8; 6] = [2, 0, 0x5e, 0, 0x53, 2];
const SET: [u8; 6] = [2, 0, 0x5e, 0, 0x53, 7];

/// This host with `e0`, and another on the same link.
struct Lan {
    near: NetNs,
    /// Answers as long as it lives.
    _far: NetNs,
    index: u32,
}

impl Lan {
    fn new() -> Self {
        let (near, far) = (NetNs::new(), NetNs::new());
        for host in [&near, &far] {
            host.run(|| {
                set_sysctl("ipv6/conf/default/accept_dad", "0");
                set_sysctl("ipv6/conf/default/router_solicitations", "0");
            });
        }
        near.veth("e0", &far, "p0");
        let _ = far.sh("ip link set p0 address 02:00:5e:00:53:02");
        for (host, name, last) in [(&near, "e0", 1), (&far, "p0", 2)] {
            let _ = host.sh(&format!("ip addr add 192.0.2.{last}/24 dev {name}"));
            let _ = host.sh(&format!("ip addr add 2001:db8::{last}/64 dev {name}"));
            eventually("the link is up", || host.sh(&format!("ip link show {name}")).contains("state UP"));
        }
        let index = near.sh("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        for (host, name) in [(&near, "e0"), (&far, "p0")] {
            // Nobody asks again by himself, or learns who asked.
            host.run(|| calm_neighbors(name));
        }
        Self { near, _far: far, index }
    }

    fn row(&self, last: u8, is_ipv6: bool) -> MIB_IPNET_ROW2 {
        let mut row = MIB_IPNET_ROW2 { InterfaceIndex: self.index, ..Default::default() };
        if is_ipv6 {
            let mut octets = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            octets[15] = last;
            row.Address.Ipv6 = SOCKADDR_IN6 { sin6_family: 23, ..Default::default() };
            row.Address.Ipv6.sin6_addr = IN6_ADDR { u: IN6_ADDR_0 { Byte: octets } };
        } else {
            row.Address.Ipv4 = SOCKADDR_IN { sin_family: 2, ..Default::default() };
            row.Address.Ipv4.sin_addr = IN_ADDR { S_un: IN_ADDR_0 { S_addr: number(last) } };
        }
        row
    }
}

/// 192.0.2.LAST in network order.
fn number(last: u8) -> u32 {
    u32::from_ne_bytes(Ipv4Addr::new(192, 0, 2, last).octets())
}

/// Runs `work`, in which hosts that do not answer are given up soon. A busy one may take longer.
fn impatiently<T>(work: impl FnOnce() -> T) -> T {
    let wait = |time: &str| {
        for version in ["ipv4", "ipv6"] {
            set_sysctl(&format!("{version}/neigh/e0/retrans_time_ms"), time);
        }
    };
    wait("60");
    let result = work();
    wait("10000");
    result
}

fn physical(row: &MIB_IPNET_ROW2) -> &[u8] {
    &row.PhysicalAddress[..row.PhysicalAddressLength as usize]
}

#[test]
fn rows_of_the_second_generation() {
    let lan = Lan::new();
    lan.near.run(|| unsafe {
        for is_ipv6 in [false, true] {
            let mut row = lan.row(7, is_ipv6);
            row.PhysicalAddress[..6].copy_from_slice(&SET);
            row.PhysicalAddressLength = 6;
            // State and flags are no inputs.
            (row.State, row.Flags) = (0x7777, 0xff);
            assert_eq!(neighbor::create_ip_net_entry2::<Win32>(&raw const row), 0);
            let mut read = lan.row(7, is_ipv6);
            assert_eq!(neighbor::ip_net_entry2::<Win32>(&raw mut read), 0);
            assert_eq!((physical(&read), read.State, read.Flags), (&SET[..], 6, 0));
            assert_eq!((read.InterfaceIndex, read.LastReachable), (lan.index, 0));
            let luid = read.InterfaceLuid;
            assert_ne!(luid, NET_LUID::default());
            let shown = lan.near.sh("ip neigh show dev e0");
            assert!(shown.contains("02:00:5e:00:53:07 PERMANENT"), "{shown}");

            row.PhysicalAddress[5] = 8;
            // The LUID decides alone.
            (row.InterfaceLuid, row.InterfaceIndex) = (luid, 1);
            assert_eq!(neighbor::set_ip_net_entry2::<Win32>(&raw const row), 0);
            assert!(lan.near.sh("ip neigh show dev e0").contains("02:00:5e:00:53:08 PERMANENT"));
            assert_eq!(neighbor::delete_ip_net_entry2::<Win32>(&raw const row), 0);
            assert_eq!(neighbor::ip_net_entry2::<Win32>(&raw mut read), 1168);

            let mut row = lan.row(2, is_ipv6);
            let source = lan.row(1, is_ipv6).Address;
            for source in [null(), &raw const source] {
                assert_eq!(neighbor::resolve_ip_net_entry2::<Win32>(&raw mut row, source), 0);
                assert_eq!((physical(&row), row.State), (&FAR[..], 5));
                assert_eq!((row.InterfaceLuid, row.InterfaceIndex), (luid, lan.index));
                assert!(row.LastReachable < 60_000, "{}", row.LastReachable);
                row = lan.row(2, is_ipv6);
            }
            let mut row = lan.row(9, is_ipv6);
            // With many entries on all of the computer, the kernel forgets who did not answer, now and then.
            eventually("who did not answer is listed", || {
                let code = impatiently(|| neighbor::resolve_ip_net_entry2::<Win32>(&raw mut row, null()));
                assert_eq!(code, 67);
                neighbor::ip_net_entry2::<Win32>(&raw mut row) == 0
            });
            assert_eq!((physical(&row), row.State, row.Flags), (&[][..], 0, 2));
        }
        let _ = lan.near.sh("ip neigh add fe80::5 lladdr 02:00:5e:00:53:05 dev e0 router");
        let mut table = null_mut();
        assert_eq!(neighbor::ip_net_table2::<Win32>(0, &raw mut table), 0);
        let rows = std::slice::from_raw_parts(
            (&raw const (*table).Table).cast::<MIB_IPNET_ROW2>(),
            (*table).NumEntries as usize,
        );
        let families: Vec<u16> = rows.iter().map(|row| row.Address.si_family).collect();
        assert!(families.is_sorted() && families.contains(&2) && families.contains(&23), "{families:?}");
        let router = rows.iter().find(|row| row.Flags & 1 != 0).unwrap();
        assert_eq!(
            router.Address.Ipv6.Anonymous.sin6_scope_id, lan.index,
            "the zone of a link-local address"
        );
        memory::free_mib_table(table.cast());

        // All that was learned or set, of one family and of one interface.
        assert_eq!(neighbor::flush_ip_net_table2::<Win32>(2, lan.index), 0);
        let left = lan.near.sh("ip neigh show dev e0");
        assert!(left.contains("fe80::5") && !left.contains("192.0.2."), "{left}");
        assert_eq!(neighbor::flush_ip_net_table2::<Win32>(0, 0), 0);
        assert_eq!(lan.near.sh("ip neigh show dev e0"), "");
    });
}

#[test]
fn rows_of_the_first_generation() {
    let lan = Lan::new();
    lan.near.run(|| unsafe {
        let table = |order: i32| {
            let mut size = 0;
            match neighbor::ip_net_table(null_mut(), &raw mut size, order) {
                ERROR_NO_DATA => return Vec::new(),
                code => assert_eq!(code, ERROR_INSUFFICIENT_BUFFER),
            }
            let mut memory = vec![0_u32; size as usize / 4];
            let table: *mut MIB_IPNETTABLE = memory.as_mut_ptr().cast();
            assert_eq!(neighbor::ip_net_table(table, &raw mut size, order), 0);
            std::slice::from_raw_parts(
                (&raw const (*table).table).cast::<MIB_IPNETROW>(),
                (*table).dwNumEntries as usize,
            )
            .to_vec()
        };
        assert!(table(1).is_empty());
        let row = |last: u8, kind: i32| MIB_IPNETROW {
            dwIndex: lan.index,
            dwPhysAddrLen: 6,
            bPhysAddr: [2, 0, 0x5e, 0, 0x53, last, 0, 0],
            dwAddr: number(last),
            Anonymous: MIB_IPNETROW_0 { dwType: kind.cast_unsigned() },
        };
        let (fixed, learned) = (row(20, MIB_IPNET_TYPE_STATIC), row(10, MIB_IPNET_TYPE_DYNAMIC));
        assert_eq!(neighbor::create_ip_net_entry(&raw const fixed), 0);
        assert_eq!(neighbor::create_ip_net_entry(&raw const learned), 0);
        assert_eq!(neighbor::create_ip_net_entry(&raw const fixed), 5010);
        let shown = lan.near.sh("ip neigh show dev e0");
        assert!(shown.contains("192.0.2.20 lladdr 02:00:5e:00:53:14 PERMANENT"), "{shown}");
        assert!(shown.contains("192.0.2.10 lladdr 02:00:5e:00:53:0a STALE"), "{shown}");
        let rows = table(1);
        let read: Vec<_> = rows
            .iter()
            .map(|row| (row.dwIndex, row.dwAddr, row.dwPhysAddrLen, row.bPhysAddr, row.Anonymous.Type))
            .collect();
        assert_eq!(
            read,
            [
                (lan.index, number(10), 6, learned.bPhysAddr, MIB_IPNET_TYPE_DYNAMIC),
                (lan.index, number(20), 6, fixed.bPhysAddr, MIB_IPNET_TYPE_STATIC)
            ]
        );
        let changed = row(10, MIB_IPNET_TYPE_STATIC);
        assert_eq!(neighbor::set_ip_net_entry(&raw const changed), 0);
        assert!(
            lan.near.sh("ip neigh show dev e0").contains("192.0.2.10 lladdr 02:00:5e:00:53:0a PERMANENT")
        );
        let missing = row(30, MIB_IPNET_TYPE_STATIC);
        assert_eq!(neighbor::set_ip_net_entry(&raw const missing), 1168);
        assert_eq!(neighbor::delete_ip_net_entry(&raw const missing), 1168);
        // Only the keys are read.
        let keys = MIB_IPNETROW { dwIndex: lan.index, dwAddr: number(10), ..Default::default() };
        assert_eq!(neighbor::delete_ip_net_entry(&raw const keys), 0);
        assert_eq!(table(0).len(), 1);
        let _ = lan.near.sh("ip neigh add 2001:db8::7 lladdr 02:00:5e:00:53:07 dev e0");
        assert_eq!(neighbor::flush_ip_net_table(lan.index), 0);
        assert!(table(1).is_empty());
        assert!(lan.near.sh("ip neigh show dev e0").contains("2001:db8::7"), "IPv4 alone");
    });
}

#[test]
fn a_buffer_for_a_physical_address() {
    let lan = Lan::new();
    lan.near.run(|| unsafe {
        let arp = |destination, source, room: u32| {
            let mut bytes = [0xa5_u8; 32];
            let mut length = room;
            let code = neighbor::send_arp(destination, source, bytes.as_mut_ptr().cast(), &raw mut length);
            (code, length, bytes)
        };
        for (source, room) in [(0, 6), (0, 8), (number(1), 6), (0, 32)] {
            let (code, length, bytes) = arp(number(2), source, room);
            assert_eq!((code, length, &bytes[..6], bytes[6]), (0, 6, &FAR[..], 0xa5));
        }
        // Each failure stores a length of 0 and nothing else.
        for (destination, source, room, expected) in [
            (number(9), 0, 6, 67),
            (number(2), number(77), 6, 1168),
            (number(2), 0, 5, 111),
            (number(2), 0, 0, 111),
            (0, 0, 6, 87),
            (u32::MAX, 0, 6, 87),
            (u32::from_ne_bytes([127, 0, 0, 1]), 0, 6, 87),
            (u32::from_ne_bytes([203, 0, 113, 1]), 0, 6, 67),
        ] {
            let (code, length, bytes) = impatiently(|| arp(destination, source, room));
            assert_eq!((code, length, bytes), (expected, 0, [0xa5; 32]), "{:?}", destination.to_ne_bytes());
        }
        // One's own, which nobody is asked for.
        let (code, length, bytes) = arp(number(1), 0, 6);
        let shown = lan.near.sh("ip -o link show e0");
        let text = bytes[..6].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
        assert!(shown.contains(&text), "{shown} {text}");
        assert_eq!((code, length), (0, 6));

        for is_ipv6 in [false, true] {
            let resolve = |last, room: u32| {
                let mut bytes = [0xa5_u8; 32];
                let mut length = room;
                let address = lan.row(last, is_ipv6).Address;
                let code = neighbor::resolve_neighbor(
                    (&raw const address).cast(),
                    bytes.as_mut_ptr().cast(),
                    &raw mut length,
                );
                (code, length, bytes[..6].to_vec())
            };
            assert_eq!(resolve(2, 6), (0, 6, FAR.to_vec()));
            assert_eq!(resolve(2, 5), (111, 6, vec![0xa5; 6]));
            assert_eq!(impatiently(|| resolve(9, 6).0), 67);
        }
    });
}

#[test]
fn proxies_are_a_range() {
    let lan = Lan::new();
    lan.near.run(|| unsafe {
        let mask = u32::from_ne_bytes([255, 255, 255, 252]);
        assert_eq!(neighbor::create_proxy_arp_entry(number(64), mask, lan.index), 0);
        let shown = lan.near.sh("ip neigh show proxy dev e0");
        assert_eq!(shown.lines().count(), 4, "{shown}");
        assert_eq!(neighbor::create_proxy_arp_entry(number(66), u32::MAX, lan.index), 5010);
        assert_eq!(neighbor::delete_proxy_arp_entry(number(64), mask, lan.index), 0);
        assert_eq!(lan.near.sh("ip neigh show proxy dev e0"), "");
        assert_eq!(neighbor::delete_proxy_arp_entry(number(64), mask, lan.index), 1168);
    });
}

#[test]
fn a_program_for_windows_does_as_arp_does() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("neighbors");
    let program = scratch.path("neighbors");
    compile(&crate_dir().join("tests/c/neighbors.c"), &program, &["-liphlpapi"]);
    let lan = Lan::new();
    lan.near.run(|| {
        let run = |arguments: &[&str]| {
            let output = support::program::output(Command::new(&program).args(arguments));
            (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
        };
        let index = lan.index.to_string();
        for (nobody, far) in [("192.0.2.9", "192.0.2.2"), ("2001:db8::9", "2001:db8::2")] {
            let known = format!("{index} {nobody} 02:00:5e:00:53:07 permanent\n");
            // Made, then set.
            for _ in 0..2 {
                assert_eq!(run(&["add", &index, nobody, "02:00:5e:00:53:07"]), (0, known.clone()));
            }
            assert!(
                lan.near
                    .sh("ip neigh")
                    .contains(&format!("{nobody} dev e0 lladdr 02:00:5e:00:53:07 PERMANENT"))
            );
            assert!(run(&["list"]).1.contains(&known));
            assert_eq!(run(&["delete", &index, nobody]), (0, String::new()));
            assert_eq!(run(&["delete", &index, nobody]), (1, "DeleteIpNetEntry2: 1168\n".to_owned()));
            let found = format!("{index} {far} 02:00:5e:00:53:02 reachable\n");
            assert_eq!(run(&["resolve", &index, far]), (0, found));
            // With many entries on all of the computer, the kernel forgets who did not answer, now and then.
            eventually("who did not answer is listed", || {
                let silent = impatiently(|| run(&["resolve", &index, nobody]));
                assert_eq!(silent, (1, "ResolveIpNetEntry2: 67\n".to_owned()));
                run(&["list"]).1.contains(&format!("{index} {nobody} - unreachable failed\n"))
            });
        }
    });
}
