//! SetIpInterfaceEntry is all or nothing: a kernel that refuses a later write, and a caller that dies between two.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use crate::lan::{Lan, nothing, told};
use iphelper::Host;
use iphelper::ip_interface::{IpInterfaceChange, RouterDiscoveryBehavior};
use iphelper::types::{Family, InterfaceIndex};
use iphelper_testkit::{
    Advertisement, Announcements, die_at_write_of, eventually, refuse_sends_of, refuse_writes_of, set_sysctl,
};
use std::process::Command;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;
const EIO: i32 = 5;

#[test]
fn a_change_is_undone_by_the_row_that_was_there_before() {
    let lan = Lan::new();
    for (family, metric) in [(Family::V4, None), (Family::V6, Some(7))] {
        let _ = lan.set(family, &IpInterfaceChange { metric, ..nothing() }).unwrap();
        let before = lan.row(family);
        assert_eq!(before.use_automatic_metric, metric.is_none(), "{family}");
        let change = IpInterfaceChange {
            metric: Some(300),
            nl_mtu: Some(1400),
            forwarding_enabled: Some(true),
            retransmit_time: Some(MS(500)),
            ..nothing()
        };
        assert_eq!(lan.set(family, &change).unwrap().len(), if metric.is_none() { 5 } else { 4 }, "{family}");
        // Somebody else's change of something else stays.
        let other = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..nothing() };
        let _ = lan.set(family, &other).unwrap();

        let _ = lan.set(family, &before.undo(&change)).unwrap();
        let mut after = lan.row(family);
        assert_eq!(after.base_reachable_time, MS(20_000), "{family}");
        (after.base_reachable_time, after.reachable_time) =
            (before.base_reachable_time, before.reachable_time);
        assert_eq!(after, before, "{family}");
    }
    assert_eq!(lan.row(Family::V4).undo(&nothing()), nothing());
}

#[test]
fn what_was_written_before_a_refusal_is_put_back() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/accept_dad", "1");
    lan.set_sysctl("ipv6/conf/e0/dad_transmits", "10");
    lan.set_sysctl("ipv6/conf/e0/mtu", "1450");
    let before = lan.row(Family::V6);
    let listener = lan.near.run(Announcements::listen);
    let change = IpInterfaceChange {
        nl_mtu: Some(1400),
        base_reachable_time: Some(MS(20_000)),
        retransmit_time: Some(MS(500)),
        use_neighbor_unreachability_detection: Some(false),
        // The one value of three digits: its write is refused, those before and after are not.
        dad_transmits: Some(255),
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
        ..nothing()
    };
    let error = lan.near.run(|| {
        refuse_writes_of(3, EIO);
        lan.set(Family::V6, &change).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert!(error.to_string().contains("dad_transmits"), "{error}");
    assert!(!error.to_string().contains("put back"), "{error}");
    let mut after = lan.row(Family::V6);
    after.reachable_time = before.reachable_time;
    assert_eq!(after, before);
    assert_eq!(lan.sysctl("ipv6/conf/e0/mtu"), "1450");
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "10");
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "1");
    assert_eq!(lan.neighbor_time(Family::V6, "base_reachable"), 30_000);
    assert_eq!(lan.neighbor_time(Family::V6, "retrans"), 1000);
    assert_eq!(lan.neighbor_time(Family::V6, "delay_probe"), 5000);
    let told = listener.kinds();
    assert_eq!(told.last(), Some(&Announcements::NEW_LINK), "who read in between reads again: {told:?}");
    // The same call on a kernel that refuses nothing.
    assert_eq!(lan.set(Family::V6, &change).unwrap().len(), 6);
}

#[test]
fn the_mtus_of_device_and_ipv6_are_put_back() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/mtu", "1300");
    let change = IpInterfaceChange {
        nl_mtu: Some(1400),
        base_reachable_time: Some(MS(20_000)),
        forwarding_enabled: Some(true),
        ..nothing()
    };
    let error = lan.near.run(|| {
        // `1` for forwarding, the last of the three.
        refuse_writes_of(1, EIO);
        lan.set(Family::V4, &change).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert_eq!(lan.device_mtu(), 1500);
    assert_eq!(lan.sysctl("ipv6/conf/e0/mtu"), "1300", "not the device's, which a change of the device sets");
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 30_000);
    assert_eq!(lan.sysctl("ipv4/conf/e0/forwarding"), "0");
    assert_eq!(lan.set(Family::V4, &change).unwrap().len(), 3);
    assert_eq!((lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu")), (1400, "1300".to_owned()));
}

#[test]
fn a_step_that_fails_in_its_middle_is_put_back_too() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/mtu", "1300");
    let change = IpInterfaceChange { nl_mtu: Some(1400), ..nothing() };
    let error = lan.near.run(|| {
        // The device takes its MTU, IPv6's is then overwritten and cannot be put behind it.
        refuse_writes_of(4, EIO);
        lan.set(Family::V4, &change).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert_eq!(lan.device_mtu(), 1500, "the device has its own again");
    assert!(
        error.to_string().contains("could not be put back"),
        "and what could not be restored is told: {error}"
    );
}

#[test]
fn router_discovery_is_put_back_when_the_identifier_is_refused() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/accept_ra", "0");
    let change = IpInterfaceChange {
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Enabled),
        interface_identifier: Some(0xaa),
        ..nothing()
    };
    let error = lan.near.run(|| {
        // A message with one token; the one that solicits has two.
        refuse_sends_of(60, EIO);
        lan.set(Family::V6, &change).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert!(error.to_string().contains("token"), "{error}");
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "0");
    assert!(lan.near.sh("ip token show dev e0").contains("token :: "));
    assert_eq!(lan.set(Family::V6, &change).unwrap().len(), 2);
}

#[test]
fn both_families_are_put_back_together() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/dad_transmits", "10");
    let v4 = IpInterfaceChange { nl_mtu: Some(1300), base_reachable_time: Some(MS(20_000)), ..nothing() };
    let v6 = IpInterfaceChange {
        nl_mtu: Some(1300),
        dad_transmits: Some(255),
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
        ..nothing()
    };
    let error = lan.near.run(|| {
        refuse_writes_of(3, EIO);
        lan.host.set_ip_interface_families(lan.index, &v4, &v6).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert!(!error.to_string().contains("could not be put back"), "{error}");
    assert_eq!((lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu")), (1500, "1500".to_owned()));
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 30_000);
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "10");
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "1");
    let [told4, told6] = lan.host.set_ip_interface_families(lan.index, &v4, &v6).unwrap();
    assert_eq!((told4.len(), told6.len()), (2, 3));
}

#[test]
fn what_cannot_be_put_back_exactly_is_written_after_all_else_of_both_families() {
    let lan = Lan::new();
    lan.far.run(|| {
        let prefix = "2001:db8:1::".parse().unwrap();
        let plain = Advertisement {
            router_lifetime: 1800,
            prefix,
            route: None,
            managed: false,
            other_configuration: false,
        };
        // One that answers as a host is no router any more.
        set_sysctl("ipv6/conf/all/forwarding", "1");
        plain.send("p0");
    });
    let routes = || lan.near.sh("ip -6 route show dev e0");
    eventually("the router's route", || routes().contains("default"));
    let v6 = IpInterfaceChange {
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
        // Lowering makes IPv6 the first of the two.
        nl_mtu: Some(1400),
        ..nothing()
    };
    let v4 = IpInterfaceChange { nl_mtu: Some(1400), forwarding_enabled: Some(true), ..nothing() };
    let error = lan.near.run(|| {
        // `1` for forwarding; `0` for router discovery has the same length, so that whichever is first is refused.
        refuse_writes_of(1, EIO);
        lan.host.set_ip_interface_families(lan.index, &v4, &v6).unwrap_err()
    });
    assert!(error.to_string().contains("writing 1 to forwarding"), "{error}");
    assert!(routes().contains("default"), "{}", routes());
    assert_eq!((lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu")), (1500, "1500".to_owned()));
}

#[test]
fn ipv6_that_is_switched_off_does_not_come_back_by_an_undone_mtu() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    let change = IpInterfaceChange { nl_mtu: Some(1000), forwarding_enabled: Some(true), ..nothing() };
    let error = lan.near.run(|| {
        refuse_writes_of(1, EIO);
        lan.set(Family::V4, &change).unwrap_err()
    });
    assert_eq!(error.errno(), Some(EIO), "{error}");
    assert_eq!(lan.device_mtu(), 1500);
    assert_eq!(
        lan.sysctl("ipv6/conf/e0/disable_ipv6"),
        "1",
        "a part that was ended begins anew, switched on"
    );
    assert_eq!(lan.set(Family::V4, &change).unwrap().len(), 2);
    assert_eq!(lan.device_mtu(), 1000);
}

/// Names the interface to the process that dies.
const INTERFACE: &str = "IPHELPER_TEST_INTERFACE";

/// What the process that dies asks for, and the one after it.
fn half_way() -> IpInterfaceChange {
    IpInterfaceChange {
        nl_mtu: Some(1400),
        base_reachable_time: Some(MS(20_000)),
        dad_transmits: Some(255),
        use_neighbor_unreachability_detection: Some(false),
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
        ..nothing()
    }
}

#[test]
fn a_second_call_finishes_what_a_killed_one_began() {
    let lan = Lan::new();
    let status = lan.near.run(|| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let _ = child.args(["--exact", "change_undo::a_process_that_dies_half_way", "--ignored"]);
        child.env(INTERFACE, lan.index.to_string()).output().unwrap().status
    });
    assert!(!status.success(), "the process was to die: {status}");
    assert!(std::os::unix::process::ExitStatusExt::signal(&status).is_some(), "by the kernel: {status}");
    // Each object is old or new.
    assert_eq!(lan.sysctl("ipv6/conf/e0/mtu"), "1400");
    assert_eq!(lan.neighbor_time(Family::V6, "base_reachable"), 20_000);
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "1");
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "1");
    let rest = lan.set(Family::V6, &half_way()).unwrap();
    assert_eq!(told(&rest), ["router_discovery_behavior: enabled -> disabled", "dad_transmits: 0 -> 255"]);
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "255");
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "0");
    assert!(lan.set(Family::V6, &half_way()).unwrap().is_empty());
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn a_process_that_dies_half_way() {
    let Ok(index) = std::env::var(INTERFACE) else {
        eprintln!("skipped: not started by a_second_call_finishes_what_a_killed_one_began");
        return;
    };
    let index = InterfaceIndex(index.parse().unwrap());
    let host = Host::open().unwrap();
    die_at_write_of(3);
    let result = host.set_ip_interface(Family::V6, index, &half_way());
    panic!("still alive: {result:?}");
}
