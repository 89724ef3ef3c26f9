//! Resolving neighbours, counted in requests on the link.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use crate::neighbors;
use crate::neighbors::{Addresses, BOTH, Lan, ip};
use iphelper::neighbor::{Neighbor, NeighborState};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceKey, Result};
use iphelper_testkit::{
    Capture, Frame, Icmpv6, NetNs, PATIENCE, Tun, isolated, run, set_sysctl, unprivileged,
};
use std::time::{Duration, Instant};

const WRONG: &str = "02:00:5e:00:53:66";

/// Whether a frame asks for `target`; whether it goes to all.
fn question(frame: &Frame, target: &str) -> Option<bool> {
    if let Some(request) = frame.arp_request() {
        return (ip(target) == request.target).then_some(request.broadcast);
    }
    let message = frame.icmpv6()?;
    let ours = message.kind == Icmpv6::NEIGHBOR_SOLICITATION && ip(target) == message.target;
    ours.then(|| message.destination.is_multicast())
}

/// The questions for `target` that came over the other host's link while `work` ran; waits for `least` of them.
fn questions<T: Send>(
    lan: &Lan,
    target: &str,
    least: usize,
    work: impl FnOnce() -> T + Send,
) -> (Vec<bool>, T) {
    let capture = lan.far.run(Capture::start);
    let result = work();
    let mut asked = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        asked.extend(capture.frames().iter().filter_map(|frame| question(frame, target)));
        if asked.len() >= least || Instant::now() >= deadline {
            return (asked, result);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn version(it: Addresses) -> &'static str {
    if it.family == Family::V4 { "ipv4" } else { "ipv6" }
}

/// Longer, in milliseconds, than any answer takes: one question is one question, however busy the host is.
const PATIENT: u32 = 30_000;

/// Times of the kernel on `e0`, in milliseconds: between two questions, and until one in doubt is asked.
fn set_times(lan: &Lan, it: Addresses, retransmit: u32, delay: u32) {
    let table = if it.family == Family::V4 { "arp_cache" } else { "ndisc_cache" };
    let _ = lan
        .near
        .sh(&format!("ip ntable change name {table} dev e0 retrans {retransmit} delay_probe {delay}"));
}

fn known(lan: &Lan, result: Result<Neighbor>) {
    let row = result.unwrap();
    assert_eq!((row.physical_address, row.index), (lan.physical, lan.index));
    assert!(matches!(row.state, NeighborState::Reachable | NeighborState::Stale), "{row:?}");
    assert_eq!(lan.shown(&row.address.to_string()).unwrap().1, lan.physical.to_string());
}

#[test]
fn a_neighbor_is_forgotten_and_asked_for() {
    let lan = Lan::new();
    let key = Some(lan.index.into());
    for it in BOTH {
        set_times(&lan, it, PATIENT, 5000);
        // Unknown, confirmed, in doubt, wrong: one question to all each time.
        for before in ["", "", "stale", "wrong"] {
            match before {
                "stale" => {
                    let _ = lan
                        .near
                        .sh(&format!("ip neigh change {} lladdr {} dev e0 nud stale", it.far, lan.physical));
                }
                "wrong" => {
                    let _ = lan
                        .near
                        .sh(&format!("ip neigh change {} lladdr {WRONG} dev e0 nud reachable", it.far));
                }
                _ => {}
            }
            let (asked, row) =
                questions(&lan, it.far, 1, || lan.host.resolve_neighbor(ip(it.far), key, None));
            known(&lan, row);
            assert_eq!(asked, [true], "{} {before}", it.far);
        }
        // An address that no route gives to the link.
        lan.give(it.off_link, it);
        let (asked, row) =
            questions(&lan, it.off_link, 1, || lan.host.resolve_neighbor(ip(it.off_link), key, None));
        known(&lan, row);
        assert_eq!(asked, [true], "{}", it.off_link);
    }
}

#[test]
fn who_does_not_answer_is_asked_as_often_as_the_kernel_is_told() {
    let lan = Lan::new();
    for it in BOTH {
        set_times(&lan, it, 60, 5000);
        for probes in [3, 5] {
            let file = format!("{}/neigh/e0/mcast_solicit", version(it));
            lan.near.run(|| set_sysctl(&file, &probes.to_string()));
            let start = Instant::now();
            let count = usize::try_from(probes).unwrap();
            let (asked, error) = questions(&lan, it.nobody, count, || {
                lan.host.resolve_neighbor(ip(it.nobody), Some(lan.index.into()), None)
            });
            // But for the part of a tick by which the kernel may be early.
            assert!(start.elapsed() >= Duration::from_millis(60 * probes - 10), "{:?}", start.elapsed());
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NeighborUnreachable);
            assert_eq!((error.win32(), error.ntstatus()), (67, 0xc000_00cc));
            assert!(error.to_string().contains(it.nobody), "{error}");
            assert_eq!(asked, vec![true; count], "{}", it.nobody);
            // Unless the kernel has tidied up since.
            assert!(lan.shown(it.nobody).is_none_or(|shown| shown.0 == "FAILED"));
        }
    }
}

#[test]
fn what_somebody_has_set_is_the_answer() {
    let lan = Lan::new();
    for it in BOTH {
        let _ = lan.near.sh(&format!("ip neigh add {} lladdr {WRONG} dev e0 nud permanent", it.far));
        let (asked, row) = questions(&lan, it.far, 0, || {
            lan.host.resolve_neighbor(ip(it.far), Some(lan.index.into()), None)
        });
        let row = row.unwrap();
        assert_eq!(
            (row.state, row.physical_address.to_string()),
            (NeighborState::Permanent, WRONG.to_owned())
        );
        assert!(asked.is_empty(), "{asked:?}");
        // A control plane's is not forgotten, but confirmed.
        let _ = lan.near.sh(&format!(
            "ip neigh replace {} lladdr {} dev e0 nud stale extern_learn",
            it.far, lan.physical
        ));
        set_times(&lan, it, PATIENT, 50);
        let row = lan.host.resolve_neighbor(ip(it.far), Some(lan.index.into()), None).unwrap();
        assert_eq!((row.state, row.externally_learned), (NeighborState::Reachable, true));
        // A group's physical address is worked out.
        let group = if it.family == Family::V4 { "224.1.2.3" } else { "ff02::1:3" };
        let row = lan.host.resolve_neighbor(ip(group), Some(lan.index.into()), None).unwrap();
        let bytes = if it.family == Family::V4 { "01:00:5e:01:02:03" } else { "33:33:00:01:00:03" };
        assert_eq!(
            (row.state, row.physical_address.to_string()),
            (NeighborState::Permanent, bytes.to_owned())
        );
    }
}

#[test]
fn everybody_may_ask() {
    let lan = Lan::new();
    let key: Option<InterfaceKey> = Some(lan.index.into());
    for it in BOTH {
        set_times(&lan, it, PATIENT, 50);
        let ask = |address: &str| {
            lan.near.run(|| {
                unprivileged(|| {
                    let host = Host::open().unwrap();
                    host.resolve_neighbor(ip(address), key, None)
                })
            })
        };
        let (asked, row) = questions(&lan, it.far, 1, || ask(it.far));
        known(&lan, row);
        assert_eq!(asked, [true]);
        // One that was confirmed a moment ago is not asked.
        let _ =
            lan.near.sh(&format!("ip neigh change {} lladdr {} dev e0 nud reachable", it.far, lan.physical));
        let (asked, row) = questions(&lan, it.far, 0, || ask(it.far));
        known(&lan, row);
        assert!(asked.is_empty(), "{asked:?}");
        // One in doubt is asked itself.
        let _ = lan.near.sh(&format!("ip neigh change {} lladdr {} dev e0 nud stale", it.far, lan.physical));
        let (asked, row) = questions(&lan, it.far, 1, || ask(it.far));
        known(&lan, row);
        assert_eq!(asked, [false]);
        // Longer than the answer takes, so that all are asked once.
        set_times(&lan, it, 1000, 50);
        // One that has moved: itself first, in vain, then all.
        let _ = lan.near.sh(&format!("ip neigh change {} lladdr {WRONG} dev e0 nud stale", it.far));
        let (asked, row) = questions(&lan, it.far, 4, || ask(it.far));
        known(&lan, row);
        assert_eq!(asked, [false, false, false, true]);
        set_times(&lan, it, 60, 50);
        // Nobody.
        for _ in 0..2 {
            let (asked, error) = questions(&lan, it.nobody, 3, || ask(it.nobody));
            assert_eq!(error.unwrap_err().kind(), ErrorKind::NeighborUnreachable);
            assert_eq!(asked, [true; 3]);
        }
        // An address that no route gives to the link: ARP asks whatever the routes say.
        set_times(&lan, it, PATIENT, 50);
        lan.give(it.off_link, it);
        match it.family {
            Family::V4 => known(&lan, ask(it.off_link)),
            Family::V6 => {
                let error = ask(it.off_link).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
                // Nor if a router is the way to it.
                let _ = lan.near.sh(&format!("ip -6 route add default via {}", it.far));
                assert_eq!(ask(it.off_link).unwrap_err().kind(), ErrorKind::AccessDenied);
            }
        }
        // Where nobody in doubt is ever asked, waiting would be for ever.
        let watched = iphelper::ip_interface::IpInterfaceChange {
            use_neighbor_unreachability_detection: Some(false),
            ..Default::default()
        };
        let _ = lan.host.set_ip_interface(it.family, lan.index, &watched).unwrap();
        let _ = lan.near.sh(&format!("ip neigh change {} lladdr {} dev e0 nud stale", it.far, lan.physical));
        let error = ask(it.far).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        // Who may change the table need not wait.
        known(&lan, lan.host.resolve_neighbor(ip(it.far), key, None));
    }
}

#[test]
fn the_source_or_the_route_chooses_the_interface() {
    let lan = Lan::new();
    let other = NetNs::new();
    other.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    lan.near.veth("e1", &other, "p1");
    let _ = other.sh("ip link set p1 address 02:00:5e:00:53:99");
    let second = lan.host.interface_named("e1").unwrap().index;
    for (near, far) in [("198.51.100.1/24", "198.51.100.2/24"), ("2001:db8:5::1/64", "2001:db8:5::2/64")] {
        neighbors::add(&lan.near, near, "e1");
        neighbors::add(&other, far, "p1");
        let strip = |text: &str| ip(text.split('/').next().unwrap());
        // The source's interface, whichever is named; the route's without either.
        for (key, source) in [
            (None, Some(strip(near))),
            (Some(InterfaceKey::from(lan.index)), Some(strip(near))),
            (Some(second.into()), None),
            (None, None),
        ] {
            for may in [true, false] {
                let ask = || lan.host.resolve_neighbor(strip(far), key, source);
                let row = lan.near.run(|| if may { ask() } else { unprivileged(ask) }).unwrap();
                assert_eq!(
                    (row.index, row.physical_address.to_string().as_str()),
                    (second, "02:00:5e:00:53:99")
                );
            }
        }
        let error = lan.host.resolve_neighbor(strip(far), Some(second.into()), Some(strip(far))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    for it in BOTH {
        let error = lan.host.resolve_neighbor(ip(it.off_link), None, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NeighborUnreachable, "{error}");
    }
}

#[test]
fn many_at_a_time_do_not_mistake_each_others_flush_for_silence() {
    let lan = Lan::new();
    for it in BOTH {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let lan = &lan;
                    scope.spawn(move || {
                        for _ in 0..20 {
                            let row =
                                lan.host.resolve_neighbor(ip(it.far), Some(lan.index.into()), None).unwrap();
                            assert_eq!(row.physical_address, lan.physical);
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn nobody_is_asked_at_the_end_of_a_tunnel() {
    isolated(|| {
        let _tun = match Tun::new("t0") {
            Err(error) => return eprintln!("skipped: no TUN here: {error}"),
            Ok(tun) => tun,
        };
        let _ = run("ip address add 192.0.2.1 peer 192.0.2.2 dev t0");
        let _ = run("ip link set t0 up");
        let host = Host::open().unwrap();
        let ask = || host.resolve_neighbor(ip("192.0.2.2"), None, None).unwrap();
        for neighbor in [ask(), unprivileged(ask)] {
            assert_eq!(neighbor.state, NeighborState::Permanent);
            assert!(neighbor.physical_address.is_empty(), "{neighbor:?}");
        }
        let _ = run("ip link set t0 down");
        let t0 = host.interface_named("t0").unwrap().index;
        let error = host.resolve_neighbor(ip("192.0.2.2"), Some(t0.into()), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NeighborUnreachable, "{error}");
    });
}

#[test]
fn each_error_of_resolving() {
    let lan = Lan::new();
    let key = Some(lan.index.into());
    let nobody = Some(InterfaceIndex(0x7fff_ffff).into());
    let error = |address: &str, key, source: Option<&str>| {
        lan.host.resolve_neighbor(ip(address), key, source.map(ip)).unwrap_err()
    };
    for it in BOTH {
        assert_eq!(error(it.far, nobody, None).kind(), ErrorKind::InterfaceNotFound);
        assert_eq!(error(it.far, nobody, Some(it.near)).kind(), ErrorKind::InterfaceNotFound);
        assert_eq!(error(it.near, key, None).kind(), ErrorKind::InvalidParameter, "one's own");
        assert_eq!(error(it.far, key, Some(it.nobody)).kind(), ErrorKind::NotFound);
        let lo = lan.host.interface_named("lo").unwrap().index;
        assert_eq!(error(it.far, Some(lo.into()), None).kind(), ErrorKind::InvalidParameter);
    }
    assert_eq!(error("192.0.2.2", key, Some("2001:db8::1")).kind(), ErrorKind::InvalidParameter);
    for bad in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.2"] {
        assert_eq!(error(bad, key, None).kind(), ErrorKind::InvalidParameter, "{bad}");
    }
    assert_eq!(error("fe80::1", None, None).kind(), ErrorKind::InvalidParameter, "on which link?");
    let _ = lan.near.sh("ip link set e0 down");
    for it in BOTH {
        let error = error(it.far, key, None);
        // An interface that is off has no IPv6 address left, but the family all the same.
        assert_eq!(error.kind(), ErrorKind::NeighborUnreachable, "{error}");
    }
    lan.near.run(|| {
        let _ = run("ip link set e0 up");
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    });
    assert_eq!(error("2001:db8::2", key, None).kind(), ErrorKind::NotFound);
}
