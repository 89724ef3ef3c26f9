//! SetIpInterfaceEntry: what it refuses, and that nothing moves then.

use crate::lan::{Lan, all_sysctls, as_it_is, nothing, refused};
use iphelper::ErrorKind;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::unprivileged;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn properties_that_need_policy_or_have_no_place_are_refused_by_name() {
    let lan = Lan::new();
    for family in Family::ALL {
        let row = lan.row(family);
        let n = nothing;
        let mut cases = vec![
            ("advertising_enabled", IpInterfaceChange { advertising_enabled: Some(true), ..n() }),
            (
                "managed_address_configuration_supported",
                IpInterfaceChange { managed_address_configuration_supported: Some(true), ..n() },
            ),
            (
                "other_stateful_configuration_supported",
                IpInterfaceChange { other_stateful_configuration_supported: Some(true), ..n() },
            ),
            (
                "path_mtu_discovery_timeout",
                IpInterfaceChange { path_mtu_discovery_timeout: Some(MS(7000)), ..n() },
            ),
            (
                "link_local_address_timeout",
                IpInterfaceChange { link_local_address_timeout: Some(MS(1)), ..n() },
            ),
        ];
        let mut zones = n();
        zones.zone_indices[15] = Some(row.zone_indices[15] + 1);
        cases.push(("zone_indices", zones));
        for (property, change) in cases {
            // Beside something that could be done, which must not be done then.
            let change = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..change };
            let _ = refused(&lan, family, &change, ErrorKind::NotSupported, property);
        }
    }
    let site = |length| IpInterfaceChange { site_prefix_length: Some(length), ..nothing() };
    assert!(lan.set(Family::V4, &site(0)).unwrap().is_empty());
    let _ = refused(&lan, Family::V4, &site(1), ErrorKind::InvalidParameter, "site_prefix_length");
    let _ = refused(&lan, Family::V6, &site(48), ErrorKind::NotSupported, "site_prefix_length");
    let _ = refused(&lan, Family::V6, &site(129), ErrorKind::InvalidParameter, "site_prefix_length");
    let dad = IpInterfaceChange { dad_transmits: Some(3), ..nothing() };
    for family in Family::ALL {
        let loopback = lan.host.plan_set_ip_interface(family, InterfaceIndex(1), &dad).unwrap_err();
        assert_eq!(loopback.kind(), ErrorKind::NotSupported, "nobody answers there: {loopback}");
    }
    // No router is heard, so FALSE holds.
    let flags = IpInterfaceChange {
        managed_address_configuration_supported: Some(false),
        other_stateful_configuration_supported: Some(false),
        ..nothing()
    };
    for family in Family::ALL {
        assert!(lan.set(family, &flags).unwrap().is_empty());
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let lan = Lan::new();
    for family in Family::ALL {
        for time in [Duration::ZERO, MS(1_000_000_001), Duration::MAX] {
            let base = IpInterfaceChange { base_reachable_time: Some(time), ..nothing() };
            let _ = refused(&lan, family, &base, ErrorKind::InvalidParameter, "base_reachable_time");
            let retransmit = IpInterfaceChange { retransmit_time: Some(time), ..nothing() };
            let _ = refused(&lan, family, &retransmit, ErrorKind::InvalidParameter, "retransmit_time");
        }
        let longest = IpInterfaceChange { base_reachable_time: Some(MS(1_000_000_000)), ..nothing() };
        let _ = lan.set(family, &longest).unwrap();
        let shown = lan.neighbor_time(family, "base_reachable");
        assert_eq!(shown, 1_000_000_000);
        let drawn = lan.neighbor_time(family, "reachable");
        assert!((shown / 2..=shown * 3 / 2).contains(&drawn), "no overflow: {drawn}");
    }
    // The kernel counts the probes of an address in eight bits: 256 would be none.
    for count in [256, u32::MAX] {
        let change = IpInterfaceChange { dad_transmits: Some(count), ..nothing() };
        let _ = refused(&lan, Family::V6, &change, ErrorKind::InvalidParameter, "dad_transmits");
    }
}

#[test]
fn a_time_that_is_too_long_to_be_asked_for_is_no_change() {
    let lan = Lan::new();
    for (family, table) in [(Family::V4, "arp_cache"), (Family::V6, "ndisc_cache")] {
        let long = "base_reachable 1200000000 retrans 1200000000";
        let _ = lan.near.sh(&format!("ip ntable change name {table} dev e0 {long}"));
        let row = lan.row(family);
        assert_eq!((row.base_reachable_time, row.retransmit_time), (MS(1_200_000_000), MS(1_200_000_000)));
        let change = as_it_is(&row);
        assert!(lan.set(family, &change).unwrap().is_empty());
    }
}

#[test]
fn a_caller_without_privilege_changes_nothing() {
    let lan = Lan::new();
    let change = IpInterfaceChange {
        forwarding_enabled: Some(true),
        base_reachable_time: Some(MS(20_000)),
        nl_mtu: Some(1450),
        ..nothing()
    };
    let before = all_sysctls(&lan);
    lan.near.run(|| {
        unprivileged(|| {
            let host = iphelper::Host::open().unwrap();
            for family in Family::ALL {
                let change = IpInterfaceChange { nl_mtu: None, ..change.clone() };
                let error = host.set_ip_interface(family, lan.index, &change).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
                let error = host.set_ip_interface(family, lan.index, &nothing()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "also for no change: {error}");
                let error = host.set_path_mtu_discovery_timeout(family, MS(300_000)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            }
            let error = host.set_ip_interface(Family::V4, lan.index, &change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        });
    });
    assert_eq!(all_sysctls(&lan), before);
    assert_eq!(lan.device_mtu(), 1500);
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 30_000);
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "600");
}

#[test]
fn an_interface_or_family_that_is_not_there() {
    let lan = Lan::new();
    let change = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..nothing() };
    for family in Family::ALL {
        for index in [0, 9999, u32::MAX] {
            let error = lan.host.set_ip_interface(family, InterfaceIndex(index), &change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{index}: {error}");
        }
        let other = InterfaceLuid(lan.row(family).luid.0 ^ (1 << 40));
        let error = lan.host.set_ip_interface(family, other, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "the tag is another's: {error}");
    }
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    let error = lan.set(Family::V6, &change).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "disabled: {error}");
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "0");
    let _ = lan.near.sh("ip link set e0 mtu 1000");
    let error = lan.set(Family::V6, &change).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "no IPv6 at this MTU: {error}");
    let _ = lan.near.sh("ip link delete e0");
    for family in Family::ALL {
        let error = lan.set(family, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "vanished: {error}");
    }
}
