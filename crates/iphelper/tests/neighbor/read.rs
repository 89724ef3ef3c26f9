//! Neighbours as they are read, compared with `ip -json neigh`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use crate::neighbors::{BOTH, Lan, ip, physical, shown};
use iphelper::neighbor::{NeighborState, PhysicalAddress};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{eventually, isolated, run, set_sysctl, unprivileged};
use std::collections::BTreeSet;
use std::time::Duration;

/// Windows' state of each of `ip`'s.
fn meaning(shown: &str) -> NeighborState {
    match shown {
        "FAILED" | "NONE" => NeighborState::Unreachable,
        "INCOMPLETE" => NeighborState::Incomplete,
        "PROBE" => NeighborState::Probe,
        "DELAY" => NeighborState::Delay,
        "STALE" => NeighborState::Stale,
        "REACHABLE" => NeighborState::Reachable,
        "PERMANENT" | "NOARP" => NeighborState::Permanent,
        other => panic!("ip shows {other}"),
    }
}

#[test]
fn tables_are_what_ip_shows() {
    let lan = Lan::new();
    lan.near.run(|| {
        for it in BOTH {
            // States that stand still for as long as this test may take.
            let version = if it.family == Family::V4 { "ipv4" } else { "ipv6" };
            for (file, value) in [
                ("base_reachable_time_ms", "9999999"),
                ("delay_first_probe_time", "9999"),
                ("retrans_time_ms", "9999999"),
            ] {
                set_sysctl(&format!("{version}/neigh/e0/{file}"), value);
            }
            let host = it.nobody.trim_end_matches('9');
            for (last, state) in
                [(10, "permanent"), (11, "reachable"), (12, "stale"), (13, "delay"), (14, "noarp")]
            {
                let _ = run(&format!(
                    "ip neigh add {host}{last} lladdr 02:00:00:00:00:{last} dev e0 nud {state}"
                ));
            }
            let _ = run(&format!("ip neigh add {} dev e0 use", it.nobody));
        }
        let host = Host::open().unwrap();
        for family in [Some(Family::V4), Some(Family::V6), None] {
            let read = || -> Vec<_> {
                let rows = host.neighbors(family).unwrap().into_iter();
                rows.map(|row| {
                    (row.name, row.address.to_string(), row.state, row.physical_address.to_string())
                })
                .collect()
            };
            let as_ip_shows = || -> BTreeSet<_> {
                let rows = shown("").into_iter();
                rows.filter(|row| family.is_none_or(|family| Family::of(&ip(&row.1)) == family))
                    .map(|(name, address, state, bytes)| {
                        let bytes: PhysicalAddress = bytes.parse().unwrap_or_default();
                        (name, ip(&address).to_string(), meaning(&state), bytes.to_string())
                    })
                    .collect()
            };
            let (mut ours, mut theirs) = (read(), as_ip_shows());
            // The kernel may send to a group of its own between the readings.
            for _ in 0..10 {
                if ours.iter().cloned().collect::<BTreeSet<_>>() == theirs {
                    break;
                }
                (ours, theirs) = (read(), as_ip_shows());
            }
            let found: BTreeSet<_> = ours.iter().cloned().collect();
            assert_eq!(found, theirs);
            assert_eq!(found.len(), ours.len());
            let states: BTreeSet<_> = ours.iter().map(|row| row.2).collect();
            assert_eq!(states.len(), 5, "permanent, reachable, stale, delay, incomplete: {states:?}");
            let sorted: Vec<_> = host.neighbors(family).unwrap();
            assert!(sorted.is_sorted_by_key(|row| (Family::of(&row.address), row.index, row.address)));
        }
        // One by one as in the table. Ages go on.
        for row in host.neighbors(None).unwrap() {
            let mut one = host.neighbor(row.luid, row.address).unwrap();
            (one.last_reachable, one.last_unreachable) = (row.last_reachable, row.last_unreachable);
            assert_eq!(one, row);
        }
    });
}

#[test]
fn ages_and_marks_are_the_kernels() {
    let lan = Lan::new();
    for it in BOTH {
        let version = if it.family == Family::V4 { "ipv4" } else { "ipv6" };
        lan.near.run(|| set_sysctl(&format!("{version}/neigh/e0/retrans_time_ms"), "20"));
        let _ = lan.near.sh(&format!("ip neigh add {} dev e0 use", it.far));
        eventually("one answers", || lan.row(it.far).state == NeighborState::Reachable);
        let far = lan.row(it.far);
        // Once more where the kernel has tidied up in between.
        let nobody = loop {
            lan.ask_in_vain(it.nobody);
            match lan.host.neighbor(lan.index, ip(it.nobody)) {
                Ok(row) => break row,
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            }
        };
        assert_eq!((far.physical_address, far.nud_state, far.is_unreachable), (lan.physical, 2, false));
        assert!(far.last_reachable.unwrap() < Duration::from_secs(600), "{far:?}");
        assert_eq!((far.last_unreachable, nobody.last_reachable), (None, None));
        assert!(nobody.last_unreachable.unwrap() < Duration::from_secs(600), "{nobody:?}");
        assert!(nobody.is_unreachable && nobody.physical_address.is_empty(), "{nobody:?}");
        let router = (it.family == Family::V6).then_some(false);
        assert_eq!((far.is_router, far.externally_learned, far.managed), (router, false, false));

        let marked = it.off_link;
        let _ = lan.near.sh(&format!(
            "ip neigh add {marked} lladdr 02:00:00:00:00:01 dev e0 nud permanent router extern_learn protocol zebra"
        ));
        let row = lan.row(marked);
        assert_eq!((row.is_router, row.externally_learned, row.managed), (Some(true), true, false));
        assert_eq!((row.protocol, row.last_reachable, far.protocol), (Some(11), None, None));
        assert_eq!((row.name.as_str(), row.index), ("e0", lan.index));
    }
    let _ = lan.near.sh("ip neigh add 192.0.2.77 managed dev e0");
    assert!(lan.row("192.0.2.77").managed);
    // Zones of link-local addresses alone.
    let _ = lan.near.sh("ip neigh add fe80::7 lladdr 02:00:00:00:00:01 dev e0");
    assert_eq!((lan.row("fe80::7").scope_id, lan.row("2001:db8::2").scope_id), (lan.index.0, 0));
}

#[test]
fn proxies_stand_apart() {
    let lan = Lan::new();
    let _ = lan.near.sh("ip neigh add proxy 192.0.2.50 dev e0 protocol zebra");
    let _ = lan.near.sh("ip neigh add proxy 192.0.2.40 dev e0");
    let _ = lan.near.sh("ip neigh add proxy 2001:db8::50 dev lo router");
    let rows = lan.host.proxy_neighbors(None).unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            let name = row.interface.as_ref().unwrap().name.as_str();
            (row.address.to_string(), name, row.is_router, row.protocol)
        })
        .collect();
    let (v6, zebra) = (("2001:db8::50".to_owned(), "lo", true, None), Some(11));
    assert_eq!(
        found,
        [
            ("192.0.2.40".to_owned(), "e0", false, None),
            ("192.0.2.50".to_owned(), "e0", false, zebra),
            v6.clone()
        ]
    );
    assert_eq!(rows[0].interface.as_ref().unwrap().index, lan.index);
    let v6_rows = lan.host.proxy_neighbors(Some(Family::V6)).unwrap();
    assert_eq!(v6_rows.len(), 1);
    assert!(lan.host.neighbors(None).unwrap().iter().all(|row| row.address != ip("192.0.2.50")));
    assert_eq!(lan.host.neighbor(lan.index, ip("192.0.2.50")).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn each_error_of_a_read() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        for it in BOTH {
            let kind = |key| host.neighbor(key, ip(it.far)).unwrap_err();
            assert_eq!(kind(index).kind(), ErrorKind::NotFound);
            assert!(kind(index).to_string().contains(it.far), "{}", kind(index));
            assert_eq!(kind(InterfaceIndex(0x7fff_ffff)).kind(), ErrorKind::InterfaceNotFound);
            assert_eq!(
                host.neighbor(InterfaceLuid(u64::MAX), ip(it.far)).unwrap_err().kind(),
                ErrorKind::InterfaceNotFound
            );
        }
        for bad in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.1"] {
            let error = host.neighbor(index, ip(bad)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{bad}");
        }
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        let error = host.neighbor(index, ip("2001:db8::2")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("disable_ipv6"), "{error}");
    });
}

#[test]
fn everybody_may_read() {
    let lan = Lan::new();
    let _ = lan.near.sh("ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev e0");
    let _ = lan.near.sh("ip neigh add proxy 192.0.2.8 dev e0");
    lan.near.run(|| {
        unprivileged(|| {
            let host = Host::open().unwrap();
            let row = host.neighbor(lan.index, ip("192.0.2.7")).unwrap();
            assert_eq!(row.physical_address, physical("02:00:00:00:00:07"));
            assert!(host.neighbors(None).unwrap().contains(&row));
            assert_eq!(host.proxy_neighbors(None).unwrap().len(), 1);
        });
    });
}
