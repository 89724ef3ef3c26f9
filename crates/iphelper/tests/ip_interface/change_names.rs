//! SetIpInterfaceEntry on interfaces whose names are odd, change hands, or go with them.

use crate::lan::{Lan, index_of, nothing};
use iphelper::ErrorKind;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::types::Family;
use iphelper_testkit::{NetNs, eventually, run, try_run};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn odd_names_reach_their_own_files() {
    for name in ["e.0", "..e", "$(id)", "-n", "e\u{e9}0", "conf"] {
        let lan = Lan::with_interface(name);
        let on = IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() };
        let changes = lan.set(Family::V4, &on).unwrap();
        let separator = if name.contains('.') { '/' } else { '.' };
        let expected = ["net", "ipv4", "conf", name, "forwarding"].join(&separator.to_string());
        assert_eq!(changes[0].mechanism, expected);
        assert_eq!(lan.sysctl(&format!("ipv4/conf/{name}/forwarding")), "1");
        for other in ["all", "default", "lo"] {
            assert_eq!(lan.sysctl(&format!("ipv4/conf/{other}/forwarding")), "0", "{name}: {other}");
        }
    }
}

#[test]
fn no_interface_can_take_the_names_of_the_common_files() {
    let lan = Lan::new();
    let on = IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() };
    for name in ["all", "default"] {
        let commands =
            [format!("ip link add {name} type veth peer name q0"), format!("ip link set e0 name {name}")];
        for command in commands {
            match lan.near.run(|| try_run(&command)) {
                Err(_) => {}
                // A kernel that allows it gives the interface no files, so the change must be refused.
                Ok(_) => {
                    let error =
                        lan.host.set_ip_interface(Family::V4, index_of(&lan.near, name), &on).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                }
            }
        }
        assert_eq!(lan.sysctl(&format!("ipv4/conf/{name}/forwarding")), "0");
    }
}

#[test]
fn two_interfaces_that_swap_names_are_never_taken_for_each_other() {
    let host = NetNs::new();
    let _ = host.sh("ip link add e0 type veth peer name e1");
    let (first, second) = (index_of(&host, "e0"), index_of(&host, "e1"));
    let api = host.run(|| iphelper::Host::open().unwrap());
    let done = AtomicBool::new(false);
    let calls = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| {
            host.run(|| {
                let mut seen = usize::MAX;
                for step in ["e0 name x", "e1 name e0", "x name e1"].iter().cycle() {
                    // A call ends between two renames: a busy host may make one so slow that it would meet many.
                    while calls.load(Relaxed) == seen && !done.load(Relaxed) {
                        std::thread::sleep(Duration::from_micros(50));
                    }
                    if done.load(Relaxed) {
                        break;
                    }
                    seen = calls.load(Relaxed);
                    let _ = run(&format!("ip link set {step}"));
                }
            });
        });
        let work = || {
            for round in 0..300 {
                let value = round % 2 == 0;
                // The file is opened first and written last, with the others in between.
                let change = IpInterfaceChange {
                    forwarding_enabled: Some(value),
                    base_reachable_time: Some(MS(if value { 20_000 } else { 30_000 })),
                    use_neighbor_unreachability_detection: Some(!value),
                    ..nothing()
                };
                // A rename costs another attempt, and not the call.
                let set = api.set_ip_interface(Family::V4, first, &change);
                let _ = calls.fetch_add(1, Relaxed);
                let _ = set.unwrap();
                assert_eq!(api.ip_interface(Family::V4, first).unwrap().forwarding_enabled, value);
                assert!(!api.ip_interface(Family::V4, second).unwrap().forwarding_enabled, "the wrong file");
            }
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_renamed_interface_keeps_its_index() {
    let lan = Lan::new();
    let luid = lan.row(Family::V6).luid;
    let _ = lan.near.sh("ip link set e0 name other");
    let two = IpInterfaceChange { dad_transmits: Some(2), ..nothing() };
    let changes = lan.host.set_ip_interface(Family::V6, luid, &two).unwrap();
    assert_eq!(changes[0].mechanism, "net.ipv6.conf.other.dad_transmits");
    assert_eq!(lan.sysctl("ipv6/conf/other/dad_transmits"), "2");
}

#[test]
fn an_interface_that_vanishes_under_the_call_is_not_found() {
    let host = NetNs::new();
    let api = host.run(|| iphelper::Host::open().unwrap());
    for round in 0..20 {
        let _ = host.sh("ip link add e0 type veth peer name p0");
        let index = index_of(&host, "e0");
        std::thread::scope(|scope| {
            let _ = scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(300 * round));
                host.sh("ip link delete e0")
            });
            eventually("the interface is gone", || {
                let value = api.ip_interface(Family::V4, index).is_ok_and(|row| row.forwarding_enabled);
                let change = IpInterfaceChange {
                    forwarding_enabled: Some(!value),
                    base_reachable_time: Some(MS(if value { 20_000 } else { 30_000 })),
                    nl_mtu: Some(if value { 1500 } else { 1450 }),
                    ..nothing()
                };
                match api
                    .set_ip_interface(
                        Family::V6,
                        index,
                        &IpInterfaceChange { nl_mtu: None, ..change.clone() },
                    )
                    .and_then(|_| {
                        api.set_ip_interface(Family::V4, index, &IpInterfaceChange { nl_mtu: None, ..change })
                    }) {
                    Ok(_) => false,
                    Err(error) => {
                        let kinds = [ErrorKind::InterfaceNotFound, ErrorKind::NotFound];
                        assert!(kinds.contains(&error.kind()), "{error:?}");
                        assert!(!error.to_string().contains("could not be put back"), "{error}");
                        error.kind() == ErrorKind::InterfaceNotFound
                    }
                }
            });
        });
    }
}
