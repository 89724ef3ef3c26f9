//! Routes before, after and in the middle of a change, on a kernel.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod advertised;
mod order;
mod round;

use super::super::super::socket::killed;
use crate::backend::linux::LinuxHost;
use crate::error::Result;
use crate::types::Family;
use iphelper_testkit::{addresses_settle, eventually, isolated, run, sysctl};
use std::io::Write;
use std::process::{Command, Stdio};

iphelper_testkit::private_user_namespace!();

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Runs the lines of `script` with one `ip`.
fn ip_batch(script: &str) {
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    ip.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "{script}");
}

/// Two interfaces with routes of every kind.
fn interfaces() {
    ip_batch(
        "link add e0 address 02:00:00:00:00:01 type veth peer name p0
         link add e1 address 02:00:00:00:00:02 type veth peer name p1
         link set e0 addrgenmode none
         link set e1 addrgenmode none
         link set p0 addrgenmode none
         link set p1 addrgenmode none
         link set p0 up
         link set p1 up
         link set e0 up
         link set e1 up
         addr add 10.0.0.1/24 dev e0
         addr add 10.0.0.9/24 dev e0
         addr add 10.1.0.1/24 dev e0 metric 30
         addr add 10.2.0.1/24 dev e0 noprefixroute
         addr add 10.3.0.1/24 dev e0 valid_lft 4000 preferred_lft 3000
         addr add 10.9.0.1/24 dev e1
         addr add fd00::1/64 dev e0 nodad
         addr add fd00:1::1/64 dev e0 nodad metric 300
         addr add fd00:9::1/64 dev e1 nodad
         route add default via 10.0.0.2 dev e0 metric 100
         route add default via 10.9.0.2 dev e1 metric 200
         route add 192.0.2.0/24 via 10.0.0.2 dev e0 metric 7 proto 42 src 10.0.0.1 mtu lock 1000 advmss 900
         route add 192.0.2.0/24 via 10.0.0.3 dev e0 metric 9 tos 0x10 onlink realm 5
         route add 198.51.100.0/24 via inet6 fd00::2 dev e0 table 100
         route add 198.51.100.7 dev e0 scope link
         route add 198.51.101.0/24 via 198.51.100.7 dev e0
         route add 203.0.113.0/24 nexthop via 10.0.0.2 dev e0 weight 3 nexthop via 10.0.0.3 dev e0
         route add 203.0.114.0/24 nexthop via 10.0.0.2 dev e0 nexthop via 10.9.0.2 dev e1
         route add blackhole 203.0.115.0/24
         nexthop add id 11 via 10.0.0.4 dev e0
         route add 203.0.116.0/24 nhid 11
         route add default via fd00::2 dev e0 metric 100
         route add default via fd00:9::2 dev e1 metric 200
         route add 2001:db8:1::/48 via fd00::2 dev e0 proto 42 mtu 1300 pref high
         route add 2001:db8:2::/48 from 2001:db8:ff::/48 via fd00::2 dev e0 metric 5
         route add 2001:db8:3::/48 nexthop via fd00::2 dev e0 nexthop via fd00::3 dev e0
         route add 2001:db8:4::/48 nexthop via fd00::2 dev e0 nexthop via fd00:9::2 dev e1
         route add 2001:db8:5::/48 dev e0 table 100
         route add 2001:db8:6::/48 dev e0 metric 9
         route add unreachable 2001:db8:7::/48
         nexthop add id 12 via fd00::4 dev e0
         route add 2001:db8:8::/48 nhid 12 metric 70
        ",
    );
    // Those of ::1 and three addresses, and multicast on four interfaces.
    let ready = || run("ip -6 route show table local").lines().count() >= 8;
    eventually("the kernel adds its own IPv6 routes", ready);
    addresses_settle(&["e0", "e1"]);
}

/// All routes, as another program tells them, but for ours.
fn routes() -> Vec<String> {
    let all = run("ip -4 route show table all") + &run("ip -6 route show table all");
    let mut routes: Vec<String> = Vec::new();
    for line in all.lines() {
        match routes.last_mut() {
            Some(route) if line.starts_with('\t') => route.push_str(line),
            _ => routes.push(line.to_owned()),
        }
    }
    routes.retain(|route| !route.contains("proto 105"));
    routes
}

/// The routes to `destination` that mention `word`.
fn to(destination: &str, word: &str) -> Vec<String> {
    let start = format!("{destination} ");
    routes().into_iter().filter(|route| route.starts_with(&start) && route.contains(word)).collect()
}

fn set(family: Family, metric: Option<u32>) -> Result<bool> {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named("e0", "testing").unwrap();
    host.set_interface_metric(family, &link, metric)
}

fn manual(family: Family) {
    let _ = set(family, Some(51)).unwrap();
}

fn get(family: Family) -> Option<u32> {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named("e0", "testing").unwrap();
    host.route_settings().unwrap().metric(family, &link)
}

#[test]
fn every_route_of_the_interface_moves_and_returns() {
    isolated(|| {
        interfaces();
        let before = routes();
        for family in FAMILIES {
            assert_eq!(get(family), None);
            let _ = set(family, Some(50)).unwrap();
            assert_eq!(get(family), Some(50));
        }
        for (destination, metric) in [
            ("10.0.0.0/24", 50),
            ("10.1.0.0/24", 80),
            ("10.3.0.0/24", 50),
            ("192.0.2.0/24", 57),
            ("192.0.2.0/24 tos 0x10", 59),
            ("198.51.100.0/24", 50),
            ("198.51.100.7", 50),
            ("198.51.101.0/24", 50),
            ("203.0.113.0/24", 50),
            ("203.0.116.0/24", 50),
            ("fd00::/64", 306),
            ("fd00:1::/64", 350),
            ("2001:db8:1::/48", 1074),
            ("2001:db8:2::/48", 55),
            ("2001:db8:3::/48", 1074),
            ("2001:db8:5::/48", 1074),
            ("2001:db8:6::/48", 59),
            ("2001:db8:8::/48", 120),
        ] {
            let found = to(destination, &format!("metric {metric} "));
            assert_eq!(found.len(), 1, "{destination} {metric}: {:#?}", routes());
        }
        let defaults = to("default", "dev e0");
        assert!(defaults.len() == 2 && defaults.iter().all(|it| it.contains("metric 150 ")), "{defaults:?}");
        // What leads over another interface, also, or over none, stays.
        let stays = |routes: &[String]| -> Vec<String> {
            let moves = |it: &&String| it.contains("dev e0") && !it.contains("dev e1");
            routes.iter().filter(|it| !moves(it)).cloned().collect()
        };
        assert_eq!(stays(&routes()), stays(&before));
        let moved = to("192.0.2.0/24", "proto babel");
        for part in ["via 10.0.0.2", "src 10.0.0.1", "mtu lock 1000", "advmss 900"] {
            assert!(moved[0].contains(part), "{part} of {moved:?}");
        }
        assert_eq!(sysctl("ipv6/conf/e0/ra_defrtr_metric"), "1074");
        for family in FAMILIES {
            let _ = set(family, Some(20)).unwrap();
            let _ = set(family, None).unwrap();
            assert_eq!(get(family), None);
        }
        assert_eq!(routes(), before);
        assert_eq!(sysctl("ipv6/conf/e0/ra_defrtr_metric"), "1024");
        assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
    });
}

/// The routes with metrics and MTUs taken out, each once: who can be reached how, whatever the preference.
fn ways() -> Vec<String> {
    let mut ways: Vec<String> = routes()
        .iter()
        .map(|route| {
            let mut words: Vec<&str> = route.split_whitespace().collect();
            words.retain(|word| *word != "lock");
            while let Some(place) = words.iter().position(|word| matches!(*word, "metric" | "mtu")) {
                let _ = words.drain(place..place + 2);
            }
            words.join(" ")
        })
        .collect();
    ways.sort();
    ways.dedup();
    ways
}

/// The routes that are compared between namespaces, where the kernel's own may come in another order.
fn comparable() -> Vec<String> {
    let mut routes = routes();
    routes.retain(|route| !route.contains("table local"));
    routes.sort();
    routes
}

/// What only one of two has, marked with which.
fn difference(left: &[String], right: &[String]) -> Vec<String> {
    let only = |mark, these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|it| !those.contains(it)).map(|it| format!("{mark}{it}")).collect()
    };
    [only('+', left, right), only('-', right, left)].concat()
}

/// Kills a call before each of its messages in turn; then the same call again must end where an unhindered one does, and
/// the way back where it all began.
fn killed_anywhere(
    what: &str,
    prepare: impl Fn() + Sync,
    call: impl Fn() -> Result<()> + Sync,
    back: impl Fn() + Sync,
) {
    let expected = isolated(|| {
        interfaces();
        prepare();
        call().unwrap();
        comparable()
    });
    for messages in 0.. {
        let died = isolated(|| {
            interfaces();
            let original = routes();
            prepare();
            let (before, ways_before) = (comparable(), ways());
            let (result, died) = killed::after_messages(messages, &call);
            assert!(result.is_ok() || result.unwrap_err().errno() == Some(libc::EOWNERDEAD));
            let odd = difference(&ways(), &ways_before);
            assert!(odd.is_empty(), "{what}, killed before message {messages}: {odd:#?}");
            for route in comparable() {
                assert!(before.contains(&route) || expected.contains(&route), "{messages}: {route}");
            }
            call().unwrap();
            let odd = difference(&comparable(), &expected);
            assert!(odd.is_empty(), "{what}, killed before message {messages}, then again: {odd:#?}");
            back();
            assert!(!run("ip route show table all").contains("proto 105"), "{messages}: nothing is left");
            let odd = difference(&routes(), &original);
            assert!(odd.is_empty(), "{what}, killed before message {messages}, and back: {odd:#?}");
            died
        });
        if !died {
            assert!(messages > 10, "{messages} messages");
            return;
        }
    }
}

#[test]
fn a_killed_change_of_a_metric_is_completed_by_the_next() {
    // They wait for the kernel most of the time, so all at once.
    std::thread::scope(|scope| {
        for family in FAMILIES {
            let change = move |metric| move || set(family, metric).map(drop);
            let automatic = move || {
                let _ = set(family, None).unwrap();
            };
            let _ = scope.spawn(move || killed_anywhere("manual", || (), change(Some(51)), automatic));
            let _ = scope
                .spawn(move || killed_anywhere("another", || manual(family), change(Some(20)), automatic));
            let _ =
                scope.spawn(move || killed_anywhere("automatic", || manual(family), change(None), automatic));
        }
    });
}

/// Routes that differ in more than the metric are told apart, so that none has to go round the others.
#[test]
fn a_killed_change_of_ipv4_leaves_no_metric_but_the_old_and_the_new() {
    let chain = || {
        ip_batch(
            "route add 172.16.8.0/24 via 10.0.0.2 metric 100
             route add 172.16.8.0/24 via 10.0.0.3 metric 151
             route append 172.16.8.0/24 via 10.0.0.4 metric 202",
        );
    };
    let automatic = || {
        let _ = set(Family::V4, None).unwrap();
        let _ = run("ip route flush 172.16.8.0/24");
    };
    std::thread::scope(|scope| {
        let change = |metric| move || set(Family::V4, metric).map(drop);
        let _ = scope.spawn(move || killed_anywhere("a chain", chain, change(Some(51)), automatic));
        let back = || {
            chain();
            manual(Family::V4);
        };
        let _ = scope.spawn(move || killed_anywhere("a chain back", back, change(None), automatic));
    });
}

fn set_mtu(mtu: Option<u32>) -> Result<()> {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named("e0", "testing").unwrap();
    host.set_ipv4_mtu(&link, mtu)
}

#[test]
fn a_killed_change_of_the_ipv4_mtu_is_completed_by_the_next() {
    let back = || set_mtu(None).unwrap();
    killed_anywhere("lower", || (), || set_mtu(Some(950)), back);
    killed_anywhere("another", || set_mtu(Some(800)).unwrap(), || set_mtu(Some(1000)), back);
    killed_anywhere("the device's", || set_mtu(Some(950)).unwrap(), || set_mtu(None), back);
}

#[test]
fn a_refused_route_undoes_what_was_done() {
    isolated(|| {
        interfaces();
        // Kept by the kernel after the way to its router is gone, and taken by none anew.
        ip_batch(
            "route add 198.51.102.7 dev e0
             route add 198.51.103.0/24 via 198.51.102.7 dev e0
             route del 198.51.102.7 dev e0
            ",
        );
        let before = routes();
        let error = set(Family::V4, Some(50)).unwrap_err();
        assert!(error.to_string().contains("198.51.103.0/24"), "{error}");
        assert_eq!((difference(&routes(), &before), get(Family::V4)), (vec![], None));
        let error = set_mtu(Some(1000)).unwrap_err();
        assert!(error.to_string().contains("another MTU"), "{error}");
        assert_eq!(difference(&routes(), &before), [""; 0]);
        assert!(!run("ip route show table all").contains("proto 105"));
    });
}

/// As the keeper does: moves what came since the metric was set.
fn follow(family: Family) -> Result<Vec<String>> {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named("e0", "testing").unwrap();
    let (mut followed, unmoved) = host.follow_metric(family, &link)?.unwrap();
    host.follow_addresses(family, &link)?;
    Ok(followed.move_routes(&mut *host.route.take()?, unmoved)?.left)
}

/// The same of what routers advertised.
fn follow_prefixes() -> Result<()> {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named("e0", "testing").unwrap();
    host.follow_advertised_prefixes(&link)
}

#[test]
fn a_killed_follower_loses_no_route_and_the_next_one_goes_on() {
    let new = [
        ("-4", "192.0.3.0/24", "route add 192.0.3.0/24 via 10.0.0.2 dev e0 metric 7", 57),
        ("-4", "192.0.4.0/24", "route add 192.0.4.0/24 via 10.0.0.2 dev e0 metric 8 mtu 1400", 58),
        ("-4", "10.8.0.0/24", "addr add 10.8.0.1/24 dev e0", 50),
        ("-6", "2001:db8:9::/48", "route add 2001:db8:9::/48 via fd00::2 dev e0 metric 7", 57),
        ("-6", "fd00:8::/64", "addr add fd00:8::1/64 dev e0 nodad", 306),
    ];
    for family in FAMILIES {
        let flag = if family == Family::V4 { "-4" } else { "-6" };
        for messages in 0.. {
            let died = isolated(|| {
                interfaces();
                let _ = set(family, Some(50)).unwrap();
                let before = routes();
                ip_batch(&new.map(|(_, _, command, _)| command).join("\n"));
                addresses_settle(&["e0"]);
                let (_, died) = killed::after_messages(messages, || follow(family));
                for (_, destination, ..) in new.iter().filter(|it| it.0 == flag) {
                    assert!(!to(destination, "").is_empty(), "{messages}: {destination} is lost");
                }
                assert_eq!(follow(family).unwrap(), [""; 0]);
                for (_, destination, _, metric) in new.iter().filter(|it| it.0 == flag) {
                    let found = to(destination, "");
                    let has = found.len() == 1 && found[0].contains(&format!("metric {metric}"));
                    assert!(has, "killed before message {messages}: {found:?}");
                }
                for line in before {
                    assert!(routes().contains(&line), "others are left alone: {line}");
                }
                let settled = routes();
                assert_eq!(follow(family).unwrap(), [""; 0]);
                assert_eq!(routes(), settled, "nothing is left to do");
                died
            });
            if !died {
                assert!(messages >= 4, "{messages} messages");
                break;
            }
        }
    }
}

#[test]
fn a_route_that_ipv6_would_merge_stays_and_is_told() {
    isolated(|| {
        interfaces();
        for family in FAMILIES {
            let _ = set(family, Some(50)).unwrap();
        }
        ip_batch(
            "route add 192.0.5.0/24 via 10.9.0.2 dev e1 metric 60
             route add 192.0.5.0/24 via 10.0.0.2 dev e0 metric 10
             route add 2001:db8:b::/48 via fd00:9::2 dev e1 metric 60
             route add 2001:db8:b::/48 via fd00::2 dev e0 metric 10",
        );
        assert_eq!(follow(Family::V4).unwrap(), [""; 0]);
        assert_eq!(to("192.0.5.0/24", "metric 60").len(), 2, "IPv4 has room for both: {:?}", routes());
        let left = follow(Family::V6).unwrap();
        assert!(left.len() == 1 && left[0].contains("2001:db8:b::/48"), "{left:?}");
        assert_eq!(to("2001:db8:b::/48", "dev e0 metric 10").len(), 1);
        assert_eq!(to("2001:db8:b::/48", "dev e1 metric 60").len(), 1);
    });
}
