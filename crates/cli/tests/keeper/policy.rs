//! The keeper follows what changes under DisableDefaultRoutes, and its death opens nothing.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support;
use crate::keeper_support::Keeper;
use crate::support;
use crate::support::{Folder, iph};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{NetNs, eventually, isolated, run, try_run};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The table of the default routes that are allowed, as `ip` prints it.
const DEFAULTS: &str = "1768974337";

fn guarded() -> Uplinks {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = iph("interface set e0 --ipv4 --ipv6 --disable-default-routes true").ok();
    });
    uplinks
}

fn assert_guarded(uplinks: &Uplinks, when: &str) {
    for ipv6 in [false, true] {
        let bound = uplinks.udp(ipv6, Bound::Device("e0"));
        assert!(matches!(bound, Way::Refused(_)), "{when}, IPv6 {ipv6}: {bound:?}");
        let unbound = uplinks.udp(ipv6, Bound::Free);
        assert_eq!(unbound, Way::E1, "{when}, IPv6 {ipv6}");
    }
}

fn defaults(host: &NetNs, ipv6: bool) -> String {
    let family = if ipv6 { "-6" } else { "-4" };
    host.run(|| try_run(&format!("ip {family} route show table {DEFAULTS}"))).unwrap_or_default()
}

#[test]
fn a_flushed_filter_and_deleted_rules_are_restored() {
    let uplinks = guarded();
    let _keeper = uplinks.host.run(Keeper::start);
    assert_guarded(&uplinks, "with a keeper");
    // Sets made in one go and one after the other are listed in different orders.
    let table = || {
        let text = uplinks.host.run(|| try_run("nft list table inet iphelper"))?;
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        Ok::<_, String>(lines)
    };
    let before = table().unwrap();
    for _ in 0..5 {
        // As managers and scripts do; the keeper's own place is not theirs to flush.
        let _ = uplinks.host.run(|| try_run("nft flush ruleset"));
        let flushed = Instant::now();
        eventually("the filter is back", || table().as_ref() == Ok(&before));
        eprintln!("the filter is back after {:?} at most", flushed.elapsed());
    }
    assert_guarded(&uplinks, "after the rule set was flushed");
    for family in ["-4", "-6"] {
        let rules = || uplinks.host.sh(&format!("ip {family} rule"));
        let before = rules();
        assert!(before.contains("32765"), "{before}");
        let _ = uplinks.host.sh(&format!("ip {family} rule delete priority 32765"));
        eventually("the rules are back", || rules() == before);
        let _ = uplinks.host.sh(&format!("ip {family} route flush table {DEFAULTS}"));
        eventually("the copies are back", || defaults(&uplinks.host, family == "-6").contains("dev e1"));
    }
    assert_guarded(&uplinks, "after rules and copies were deleted");
}

#[test]
fn later_default_routes_and_prefixes_are_followed() {
    let uplinks = guarded();
    let _keeper = uplinks.host.run(Keeper::start);
    uplinks.host.run(|| {
        let _ = run("ip route delete default via 10.0.2.1 metric 200");
        let _ = run("ip -6 route delete default via 2001:db8:2::1 metric 200");
    });
    eventually("nothing is allowed any more", || {
        defaults(&uplinks.host, false).is_empty() && defaults(&uplinks.host, true).is_empty()
    });
    for ipv6 in [false, true] {
        let way = uplinks.udp(ipv6, Bound::Free);
        assert!(matches!(way, Way::Refused(_)), "IPv6 {ipv6}: {way:?}");
    }
    uplinks.host.run(|| {
        let _ = run("ip route add default via 10.0.2.1 metric 50");
        let _ = run("ip -6 route add default via 2001:db8:2::1 dev e1 metric 50");
        let _ = run("ip route add default via 10.0.1.1 metric 10");
        let _ = run("ip -6 route add default via 2001:db8:1::1 dev e0 metric 10");
    });
    for ipv6 in [false, true] {
        eventually("the new default route is allowed", || defaults(&uplinks.host, ipv6).contains("dev e1"));
        assert!(!defaults(&uplinks.host, ipv6).contains("dev e0"));
    }
    assert_guarded(&uplinks, "after new default routes");
    // A host route over the guarded uplink, as one to a VPN server: allowed as soon as it is there.
    let _ = uplinks.host.sh("ip route add 203.0.113.1/32 via 10.0.1.1");
    let _ = uplinks.host.sh("ip -6 route add 2001:db8:ffff::1/128 via 2001:db8:1::1 dev e0");
    for ipv6 in [false, true] {
        eventually("the host route works", || uplinks.udp(ipv6, Bound::Free) == Way::E0);
    }
}

/// A tunnel that comes later sends its own packets by the main table, as Tailscale's does.
#[test]
fn later_rules_that_use_the_main_table_are_followed() {
    let uplinks = guarded();
    let _keeper = uplinks.host.run(Keeper::start);
    for family in ["-4", "-6"] {
        let rule = "rule add pref 5210 fwmark 0x80000/0xff0000 lookup main";
        let _ = uplinks.host.sh(&format!("ip {family} {rule}"));
    }
    for ipv6 in [false, true] {
        eventually("the marked packet", || uplinks.udp(ipv6, Bound::Mark(0x80000)) == Way::E1);
    }
    for family in ["-4", "-6"] {
        let _ = uplinks.host.sh(&format!("ip {family} rule delete pref 5210"));
        eventually("the detour goes with it", || {
            !uplinks.host.sh(&format!("ip {family} rule")).contains("5209:")
        });
    }
    assert_guarded(&uplinks, "after the tunnel");
}

#[test]
fn a_killed_keeper_leaves_the_guard_closed_and_the_next_one_converges() {
    let uplinks = guarded();
    for round in 0..3 {
        let keeper = uplinks.host.run(Keeper::start);
        assert_guarded(&uplinks, "with a keeper");
        keeper.kill();
        assert_guarded(&uplinks, "after its death");
        let metric = 10 + round;
        uplinks.host.run(|| {
            // Nobody follows it: not allowed yet, and nothing leaks.
            let _ = run(&format!("ip route add default via 10.0.1.1 metric {metric}"));
            let _ = run(&format!("ip route replace 198.51.100.{round}/32 via 10.0.1.1"));
            let _ = run(&format!("ip route replace default via 10.0.2.1 metric {}", 100 - metric));
        });
        assert_guarded(&uplinks, "without a keeper");
        assert!(!defaults(&uplinks.host, false).contains(&format!("metric {}", 100 - metric)));
        let keeper = uplinks.host.run(Keeper::start);
        let wanted = format!("metric {}", 100 - metric);
        eventually("the new default route is allowed", || defaults(&uplinks.host, false).contains(&wanted));
        assert_guarded(&uplinks, "with the next keeper");
        assert_eq!(keeper.end(), Some(0));
        assert_guarded(&uplinks, "after its end");
    }
}

#[test]
fn there_is_one_keeper_in_a_namespace() {
    isolated(|| {
        let status = iph("keeper status --status-directory /nonexistent").message(3);
        assert!(status.contains("sudo iph keeper"), "{status}");
        let keeper = Keeper::start();
        let second = iph(&format!("keeper --status-directory {}", keeper.folder())).message(1);
        assert!(second.contains("one runs in this network namespace"), "{second}");
        let refused =
            support::unprivileged(&format!("keeper --status-directory {}", keeper.folder())).message(4);
        assert!(refused.contains("CAP_NET_ADMIN"), "{refused}");
        // Another namespace has its own.
        isolated(|| {
            let _ = iph(&format!("keeper status --status-directory {}", keeper.folder())).expect(3);
            assert_eq!(Keeper::start().end(), Some(0));
        });
        let status =
            support::unprivileged(&format!("keeper status --json --status-directory {}", keeper.folder()));
        assert_eq!(status.json()["process"], keeper.process());
        let text = iph(&format!("keeper status --status-directory {}", keeper.folder())).ok();
        assert!(text.contains(&format!("process {}", keeper.process())), "{text}");
        let folder = keeper.folder();
        keeper.kill();
        // Its file is left, and tells of nobody.
        let files = std::fs::read_dir(&folder).map(Iterator::count).unwrap_or_default();
        let _ = (files, iph(&format!("keeper status --status-directory {folder}")).expect(3));
        let next = Keeper::start();
        assert_eq!(next.end(), Some(0));
        assert_eq!(run("nft list tables"), "", "nothing is left");
    });
}

#[test]
fn a_keeper_sleeps_and_stays_small() {
    isolated(|| {
        let keeper = Keeper::start();
        let stat = || {
            let text = std::fs::read_to_string(format!("/proc/{}/status", keeper.process())).unwrap();
            let number = |name: &str| -> u64 {
                let line = text.lines().find(|line| line.starts_with(name)).unwrap();
                line.split_whitespace().nth(1).unwrap().parse().unwrap()
            };
            (number("voluntary_ctxt_switches"), number("VmRSS:"))
        };
        // The status is published once more, a second after the first pass.
        let mut last = stat().0;
        let mut still = Instant::now();
        eventually("it sleeps for three seconds", || {
            let now = stat().0;
            if now != last {
                (last, still) = (now, Instant::now());
            }
            still.elapsed() > Duration::from_secs(3)
        });
        let routes: String = (0..1000)
            .map(|n| format!("route add 10.{}.{}.0/24 dev e0\n", n / 250, 2 * (n % 250) % 256))
            .collect();
        let file = format!("{}/routes", keeper.folder());
        std::fs::write(&file, routes).unwrap();
        let _ = run("ip link add e0 type veth peer e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = iph("interface set e0 --ipv4 --disable-default-routes true").ok();
        let _ = try_run(&format!("ip -force -batch {file}"));
        eventually("the prefixes may pass", || run("nft list table inet iphelper").contains("10.3.242.0/24"));
        let resident = stat().1;
        eprintln!("resident with 1000 routes: {resident} KiB (shared libraries and code included)");
    });
}

/// A thousand random sequences of what happens to a host, while a sender tries each way out without a pause: default
/// routes of every kind come and go, also in a foreign table, links flap and change their names, addresses change, and
/// the keeper is killed and started.
#[test]
fn nothing_leaks_whatever_happens() {
    let uplinks = guarded();
    uplinks.host.run(|| {
        let _ = run("ip -4 rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip -6 rule add fwmark 7 lookup 100 pref 100");
        // A tunnel's own packets, see the detours.
        let _ = run("ip -4 rule add fwmark 0x80000/0xff0000 lookup main pref 5210");
        let _ = run("ip -6 rule add fwmark 0x80000/0xff0000 lookup main pref 5210");
    });
    let before = [false, true].map(|ipv6| uplinks.counts(ipv6)[0]);
    let (stop, sent, tried) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let send = || {
        while !stop.load(Ordering::Relaxed) {
            for ipv6 in [false, true] {
                let server = SocketAddr::new(Uplinks::server_address(ipv6), 9);
                for bound in [
                    Bound::Free,
                    Bound::Device("e0"),
                    Bound::UnicastInterface(2),
                    Bound::Address(Uplinks::address(0, ipv6)),
                    Bound::Mark(7),
                    Bound::Mark(0x80000),
                ] {
                    let done = udp_socket(ipv6, bound).and_then(|socket| socket.send_to(b"?", server));
                    let _ = sent.fetch_add(u64::from(done.is_ok()), Ordering::Relaxed);
                    let _ = tried.fetch_add(1, Ordering::Relaxed);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let folder = Folder::new();
    let script = folder.0.join("sequence");
    let happen = || {
        let mut keeper = Some(Keeper::start());
        let mut kills = 0;
        // Numerical Recipes' generator: the same thousand each time.
        let mut state = 20_u32;
        let mut draw = |limit: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % limit
        };
        for _ in 0..1000 {
            if draw(25) == 0 {
                match keeper.take() {
                    Some(keeper) => {
                        keeper.kill();
                        kills += 1;
                    }
                    None => keeper = Some(Keeper::start()),
                }
            }
            let sequence: String = (0..=draw(4)).map(|_| event(&mut draw)).collect();
            std::fs::write(&script, sequence).unwrap();
            // What is not possible just now fails, and that is one of the things that happen.
            let _ = try_run(&format!("ip -force -batch {}", script.display()));
        }
        assert!(kills > 10, "the keeper was killed {kills} times");
    };
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| uplinks.host.run(send));
        uplinks.host.run(happen);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
    });
    let by_guarded = [false, true].map(|ipv6| uplinks.counts(ipv6)[0]);
    assert_eq!(by_guarded, before, "packets by the guarded uplink, of {tried:?} that were tried");
    assert!(sent.into_inner() > 100, "packets were sent");
    let others = [false, true].map(|ipv6| uplinks.counts(ipv6)[1]);
    assert!(others.iter().all(|count| *count > 10), "the other uplink was used: {others:?}");
}

/// Lines for `ip -batch`.
fn event(draw: &mut impl FnMut(u32) -> u32) -> String {
    let (link, number, ipv6) = (draw(2), draw(5), draw(2) == 1);
    let (net, metric) = (link + 1, number * 50);
    let router = Uplinks::router_address(usize::from(link == 1), ipv6);
    let default = format!("default via {router} dev e{link} metric {metric}");
    let other = Uplinks::router_address(usize::from(link == 0), ipv6);
    let address =
        if ipv6 { format!("2001:db8:{net}::2{number}/64") } else { format!("10.0.{net}.10{number}/24") };
    let nodad = if ipv6 { " nodad" } else { "" };
    match draw(24) {
        0..6 => format!("route add {default}\n"),
        6..9 => format!("route replace {default}\n"),
        9..13 => format!("route delete {default}\n"),
        13 => format!("route append {default}\n"),
        14 => {
            let hops = format!("nexthop via {router} dev e{link} nexthop via {other} dev e{}", 1 - link);
            format!("route replace default metric {metric} {hops}\n")
        }
        15 => format!("route replace {default} table 100\n"),
        16 => format!("link set e{link} down\n"),
        17..19 => format!("link set e{link} up\n"),
        19 => {
            let named = |from: &str, to: &str| format!("link set {from} name {to}\n");
            format!("link set e0 down\n{}{}link set e0 up\n", named("e0", "uplink"), named("uplink", "e0"))
        }
        20..22 => format!("address replace {address} dev e{link}{nodad}\n"),
        22 => format!("address delete {address} dev e{link}\n"),
        // The first addresses of IPv6 go with the link, and those of sockets that are bound to them.
        _ => format!("address replace 2001:db8:{net}::2/64 dev e{link} nodad\n"),
    }
}

/// What is worked out route by route is what a new keeper, which reads all routes, makes of them.
#[test]
fn what_is_followed_one_by_one_is_what_a_new_keeper_makes() {
    let uplinks = guarded();
    let _ = uplinks.host.run(|| iph("interface set e1 --ipv4 --ipv6 --weak-host-send false")).ok();
    let objects = || {
        let tables = [DEFAULTS, "2147483651"]; // And the one of e1's routes.
        let shown = ["-4", "-6"].map(|family| {
            tables.map(|table| uplinks.host.run(|| try_run(&format!("ip {family} route show table {table}"))))
        });
        let sets = ["onlink4-2", "onlink6-2"]
            .map(|set| uplinks.host.sh(&format!("nft list set inet iphelper {set}")));
        let shown = shown.concat().into_iter().map(Result::unwrap_or_default);
        let mut lines: Vec<String> =
            shown.chain(sets).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort_unstable();
        lines
    };
    let mut state = 99_u32;
    let mut draw = |limit: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % limit
    };
    uplinks.host.run(|| {
        let _ = run("ip nexthop add id 7 via 10.0.1.1 dev e0");
        let _ = run("ip nexthop add id 8 via 10.0.2.1 dev e1");
        let _ = run("ip nexthop add id 9 group 7/8");
    });
    for round in 0..8 {
        let keeper = uplinks.host.run(Keeper::start);
        // Every other round has only what is worked out route by route; the others what makes the keeper read all, too.
        let is_plain = round % 2 == 0;
        for _ in 0..60 {
            let ipv6 = draw(2) == 1;
            let verbs = if is_plain {
                ["add", "add", "add", "replace", "delete", "delete"]
            } else {
                ["add", "append", "prepend", "replace", "delete", "delete"]
            };
            let verb = verbs[usize::try_from(draw(6)).unwrap()];
            let (family, net) = if ipv6 { ("-6", draw(6)) } else { ("-4", draw(6)) };
            let to = match (net, ipv6) {
                (0 | 1, _) => "default".to_owned(),
                (_, true) => format!("fd99:{}::/{}", 100 * (net / 2), 32 + 8 * (net % 3)),
                (_, false) => format!("172.16.{}.0/{}", 16 * (net / 2), 20 + 2 * (net % 3)),
            };
            let hop = |link: u32| {
                format!("via {} dev e{link}", Uplinks::router_address(usize::from(link == 1), ipv6))
            };
            let way = match draw(if is_plain { 6 } else { 8 }) {
                0..3 => hop(0),
                3..6 => hop(1),
                6 => format!("nexthop {} nexthop {}", hop(0), hop(1)),
                _ if ipv6 => "dev e0".to_owned(),
                _ => format!("nhid {}", 7 + draw(3)),
            };
            let table = if draw(10) == 0 { " table 100" } else { "" };
            let metric = 10 + 5 * draw(2);
            let route = if is_plain && verb == "delete" {
                // Whichever comes first.
                to
            } else if way.starts_with("nexthop") {
                format!("{to} metric {metric}{table} {way}")
            } else {
                format!("{to} {way} metric {metric}{table}")
            };
            // What is not possible just now fails, and that is one of the things that happen.
            let _ = uplinks.host.run(|| try_run(&format!("ip {family} route {verb} {route}")));
        }
        // All before it has been taken in when this is there.
        let last = format!("192.0.2.{}", 2 * round + 1);
        let _ = uplinks.host.sh(&format!("ip route add {last}/32 via 10.0.1.1 dev e0"));
        eventually("all is followed", || {
            uplinks.host.sh("nft list set inet iphelper onlink4-2").contains(&last)
        });
        let followed = objects();
        keeper.kill();
        let keeper = uplinks.host.run(Keeper::start);
        assert_eq!(objects(), followed, "round {round}");
        keeper.kill();
        assert_guarded_device(&uplinks);
    }
}

fn assert_guarded_device(uplinks: &Uplinks) {
    for ipv6 in [false, true] {
        let bound = uplinks.udp(ipv6, Bound::Device("e0"));
        assert!(matches!(bound, Way::Refused(_)), "IPv6 {ipv6}: {bound:?}");
    }
}

/// Prints, and judges nothing: how long a new default route takes to be allowed.
#[test]
fn the_time_to_effect_is_told() {
    let uplinks = guarded();
    let _keeper = uplinks.host.run(Keeper::start);
    let (mut times, listener) = (Vec::new(), uplinks.host.run(keeper_support::RouteListener::new));
    for metric in 1000..1050 {
        let time = std::thread::scope(|scope| {
            let time = scope.spawn(|| listener.time_to_effect(metric));
            let _ = uplinks.host.sh(&format!("ip route add default via 10.0.2.1 metric {metric}"));
            time.join().unwrap()
        });
        times.push(time);
        eventually("it settles", || listener.is_quiet());
    }
    times.sort_unstable();
    eprintln!("from RTM_NEWROUTE to effect: median {:?}, worst of 50 {:?}", times[25], times[49]);
}
