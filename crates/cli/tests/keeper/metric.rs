//! The keeper gives routes and addresses that come later the metric of their interface.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support::Keeper;
use crate::support::iph;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{Advertisement, NetNs, eventually, isolated, run, try_run};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Two interfaces; the other ends of their wires are in the namespace that is returned.
fn interfaces() -> NetNs {
    let peer = NetNs::new();
    for (n, name) in ["e0", "e1"].into_iter().enumerate() {
        let _ = run(&format!("ip link add {name} type veth peer name {name} netns {}", peer.path()));
        let _ = run(&format!("ip link set {name} up"));
        let _ = peer.sh(&format!("ip link set {name} up"));
        let _ = run(&format!("ip address add 10.0.{n}.1/24 dev {name}"));
        let _ = run(&format!("ip address add fd00:{n}::1/64 dev {name} nodad"));
        eventually("the carrier is known", || run(&format!("ip link show {name}")).contains("state UP"));
    }
    peer
}

/// The routes of others to `destination`, as `ip` shows them.
fn routes(family: &str, destination: &str) -> Vec<String> {
    let all = run(&format!("ip {family} route show table main {destination}"));
    all.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Waits until there is one route to `destination`, with this metric.
#[track_caller]
fn moved(family: &str, destination: &str, metric: u32) {
    let has = |line: &str| format!("{line} ").contains(&format!("metric {metric} "));
    eventually("the route has the interface's metric", || {
        let routes = routes(family, destination);
        routes.len() == 1 && has(&routes[0])
    });
}

#[test]
fn later_routes_and_addresses_get_the_metric_and_lose_it_again() {
    isolated(|| {
        let _peer = interfaces();
        let _keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv4 --ipv6 --metric 50").ok();
        for (command, family, destination, metric) in [
            ("ip route add default via 10.0.0.2 metric 100", "-4", "default", 150),
            ("ip route add 192.0.2.0/24 via 10.0.0.3", "-4", "192.0.2.0/24", 50),
            ("ip route add 198.51.100.0/24 via 10.0.0.3 metric 7 mtu 1400", "-4", "198.51.100.0/24", 57),
            ("ip address add 10.7.0.1/24 dev e0", "-4", "10.7.0.0/24", 50),
            ("ip -6 route add default via fd00::2 metric 100", "-6", "default", 150),
            ("ip -6 route add 2001:db8:7::/48 via fd00::2", "-6", "2001:db8:7::/48", 1074),
            ("ip address add fd00:7::1/64 dev e0 nodad", "-6", "fd00:7::/64", 306),
        ] {
            let _ = run(command);
            moved(family, destination, metric);
        }
        assert!(routes("-4", "198.51.100.0/24")[0].contains("mtu 1400"), "it loses nothing else");
        // Others are left alone.
        let _ = run("ip route add 203.0.113.0/24 via 10.0.1.2 metric 9");
        let _ = run("ip route add blackhole 203.0.114.0/24 metric 9");
        // Many at once.
        let many: String = (0..500)
            .map(|n| format!("route add 172.16.{}.{}/32 dev e0 metric 3\n", n / 250, n % 250))
            .collect();
        let folder = crate::support::Folder::new();
        let file = folder.0.join("routes");
        std::fs::write(&file, many).unwrap();
        let _ = run(&format!("ip -batch {}", file.display()));
        // Copies come before their originals go.
        eventually("all are moved", || {
            run("ip route show metric 53").lines().count() == 500 && run("ip route show metric 3").is_empty()
        });
        assert!(routes("-4", "203.0.113.0/24")[0].contains("metric 9"));
        assert!(routes("-4", "203.0.114.0/24")[0].contains("metric 9"));

        let _ = iph("interface set e0 --ipv4 --ipv6 --automatic-metric true").ok();
        for (family, destination, metric) in [
            ("-4", "default", "metric 100"),
            ("-4", "198.51.100.0/24", "metric 7"),
            ("-6", "default", "metric 100"),
            ("-6", "2001:db8:7::/48", "metric 1024"),
            ("-6", "fd00:7::/64", "metric 256"),
        ] {
            let left = routes(family, destination);
            assert!(left.len() == 1 && left[0].contains(metric), "{destination}: {left:?}");
        }
        assert!(!routes("-4", "10.7.0.0/24")[0].contains("metric"));
        assert_eq!(run("ip route show metric 3").lines().count(), 500);
        let _ = run("ip route add 192.0.3.0/24 via 10.0.0.3 metric 8");
        assert!(routes("-4", "192.0.3.0/24")[0].contains("metric 8"), "nothing is moved any more");
    });
}

#[test]
fn packets_go_by_the_lower_sum_of_metrics() {
    let uplinks = Uplinks::new();
    let _keeper = uplinks.host.run(Keeper::start);
    for (ipv6, family) in [(false, "ipv4"), (true, "ipv6")] {
        let _ = uplinks.host.run(|| iph(&format!("interface set e0 --{family} --metric 150")).ok());
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "250 against 200");
        let (flag, router, net) = if ipv6 {
            ("-6", "2001:db8:1::1", "2001:db8:ffff::/48")
        } else {
            ("-4", "10.0.1.1", "203.0.113.0/24")
        };
        let other = router.replace("1::1", "2::1").replace("0.1.1", "0.2.1");
        let _ = uplinks.host.sh(&format!("ip {flag} route add {net} via {other} metric 100"));
        // By its owner's metric it would be preferred.
        let _ = uplinks.host.sh(&format!("ip {flag} route add {net} via {router} metric 10"));
        uplinks.host.run(|| {
            eventually("the new route is moved", || {
                run(&format!("ip {flag} route show {net}")).contains("metric 160")
                    && !run(&format!("ip {flag} route show {net}")).contains("metric 10 ")
            });
        });
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "160 against 100");
        let _ = uplinks.host.sh(&format!("ip {flag} route delete {net} via {other} metric 100"));
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0, "the only one left");
    }
}

#[test]
fn an_owner_who_replaces_its_route_is_understood() {
    isolated(|| {
        let _peer = interfaces();
        let _keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv4 --ipv6 --metric 50").ok();
        for (family, routers) in [("-4", ["10.0.0.2", "10.0.0.3"]), ("-6", ["fd00::2", "fd00::3"])] {
            let _ = run(&format!("ip {family} route add default via {} dev e0 metric 100", routers[0]));
            moved(family, "default", 150);
            // The kernel finds no route with the owner's metric, so this adds one.
            let _ = run(&format!("ip {family} route replace default via {} dev e0 metric 100", routers[1]));
            eventually("the new router takes the place of the old one", || {
                let routes = routes(family, "default");
                routes.len() == 1 && routes[0].contains(routers[1]) && routes[0].contains("metric 150")
            });
            // The same once more changes nothing.
            let _ = run(&format!("ip {family} route add default via {} dev e0 metric 100", routers[1]));
            moved(family, "default", 150);
        }
    });
}

#[test]
fn an_owner_who_adds_its_route_again_and_again_is_left_in_peace() {
    isolated(|| {
        let _peer = interfaces();
        let keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv4 --metric 50").ok();
        let (stop, added) = (AtomicBool::new(false), AtomicU32::new(0));
        std::thread::scope(|scope| {
            let _manager = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    if try_run("ip route add default via 10.0.0.2 metric 100").is_ok() {
                        let _ = added.fetch_add(1, Ordering::Relaxed);
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            eventually("the keeper leaves it alone", || added.load(Ordering::Relaxed) >= 4);
            eventually("the status tells of it", || {
                keeper.status()["contests"][0]["times"].as_u64().is_some_and(|times| times >= 4)
            });
            let contest = keeper.status()["contests"][0].clone();
            assert!(contest["what"].as_str().unwrap().contains("0.0.0.0/0"), "{contest}");
            let both = routes("-4", "default");
            assert!(both.len() <= 2 && both.iter().any(|it| it.contains("metric 150")), "{both:?}");
            stop.store(true, Ordering::Relaxed);
        });
        // At once three times, then after one second, two, four ...: a fight would have thousands.
        assert!(added.load(Ordering::Relaxed) < 20, "{added:?}");
        eventually("the next attempt holds", || routes("-4", "default").len() == 1);
        moved("-4", "default", 150);
    });
}

#[test]
fn default_routes_of_later_routers_have_the_metric_once() {
    isolated(|| {
        let peer = interfaces();
        let _keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv6 --metric 50").ok();
        let advertise = || {
            peer.run(|| {
                if run("ip -6 address show dev e0 scope link -tentative").is_empty() {
                    return;
                }
                Advertisement {
                    router_lifetime: 600,
                    prefix: "2001:db8:5::".parse().unwrap(),
                    route: None,
                    managed: false,
                    other_configuration: false,
                }
                .send("e0");
            });
        };
        eventually("the router is believed", || {
            advertise();
            std::thread::sleep(Duration::from_millis(20));
            !routes("-6", "default").is_empty()
        });
        moved("-6", "default", 1074);
        // After a flap the kernel forgets the router, and the next advertisement is obeyed alike.
        let _ = run("ip link set e0 down");
        let _ = run("ip link set e0 up");
        eventually("the router is believed again", || {
            advertise();
            std::thread::sleep(Duration::from_millis(20));
            !routes("-6", "default").is_empty()
        });
        moved("-6", "default", 1074);
        assert!(routes("-6", "default")[0].contains("proto ra"), "the kernel's own");
    });
}

#[test]
fn prefixes_of_later_advertisements_have_the_metric_once() {
    isolated(|| {
        let peer = interfaces();
        let _ = run("sysctl -qw net.ipv6.conf.e0.accept_ra_rt_info_max_plen=64");
        let _keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv6 --metric 50").ok();
        let prefixes = [("2001:db8:5::/64", 306), ("2001:db8:48::/48", 1074)];
        for _ in 0..2 {
            eventually("the router is believed", || {
                peer.run(|| {
                    if run("ip -6 address show dev e0 scope link -tentative").is_empty() {
                        return;
                    }
                    Advertisement {
                        router_lifetime: 0,
                        prefix: "2001:db8:5::".parse().unwrap(),
                        route: Some("2001:db8:48::".parse().unwrap()),
                        managed: false,
                        other_configuration: false,
                    }
                    .send("e0");
                });
                std::thread::sleep(Duration::from_millis(20));
                prefixes.iter().all(|(prefix, metric)| {
                    let routes = routes("-6", prefix);
                    routes.len() == 1 && routes[0].contains(&format!("metric {metric} "))
                })
            });
            // After a flap the kernel forgets the router.
            let _ = run("ip link set e0 down");
            let _ = run("ip link set e0 up");
        }
    });
}

#[test]
fn a_killed_keeper_is_followed_by_one_that_goes_on() {
    isolated(|| {
        let _peer = interfaces();
        let _ = iph("interface set e0 --ipv4 --metric 50").ok();
        for round in 1..6 {
            let keeper = Keeper::start();
            let adder = std::thread::scope(|scope| {
                let adder = scope.spawn(move || {
                    for n in 0..40 {
                        let _ = run(&format!("ip route add 172.{round}.{n}.0/24 via 10.0.0.2 metric 5"));
                    }
                });
                std::thread::sleep(Duration::from_millis(10 * round));
                keeper.kill();
                adder.join()
            });
            adder.unwrap();
            let all = |metric: u32| {
                run(&format!("ip route show metric {metric} root 172.{round}.0.0/16")).lines().count()
            };
            assert!(all(5) + all(55) >= 40, "nothing is lost");
            let keeper = Keeper::start();
            eventually("the rest is moved", || (all(5), all(55)) == (0, 40));
            keeper.kill();
        }
        let _ = iph("interface set e0 --ipv4 --automatic-metric true").ok();
        assert_eq!(run("ip route show metric 5").lines().count(), 200);
    });
}
