//! `Metric` and `UseAutomaticMetric` on a kernel: packets and other programs are the judges.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use iphelper::ip_interface::{IpInterface, IpInterfaceChange, RouterDiscoveryBehavior};
use iphelper::route::RouteQuery;
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::{
    Advertisement, NetNs, addresses_settle, eventually, heard_advertisements, isolated, receive, run,
    set_sysctl, sysctl, unprivileged,
};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::uplinks::{Echo, Uplinks};

fn manual(metric: u32) -> IpInterfaceChange {
    IpInterfaceChange { use_automatic_metric: Some(false), metric: Some(metric), ..Default::default() }
}

fn automatic() -> IpInterfaceChange {
    IpInterfaceChange { use_automatic_metric: Some(true), ..Default::default() }
}

/// Changes `name` in this thread's namespace.
fn set(family: Family, name: &str, change: &IpInterfaceChange) -> iphelper::Result<()> {
    let host = Host::open()?;
    let index = host.interface_named(name)?.index;
    host.set_ip_interface(family, index, change).map(drop)
}

fn get(family: Family, name: &str) -> IpInterface {
    let host = Host::open().unwrap();
    let index = host.interface_named(name).unwrap().index;
    host.ip_interface(family, index).unwrap()
}

/// All routes of this thread's namespace but ours, as `ip` shows them.
fn routes() -> String {
    let all = run("ip -4 route show table all") + &run("ip -6 route show table all");
    all.lines().filter(|line| !line.contains("proto 105")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_lower_sum_of_metrics_is_preferred() {
    for family in Family::ALL {
        let uplinks = Uplinks::new(family);
        let way = || uplinks.way_of(50);
        assert_eq!(way(), [50, 0], "{family}: e0 with metric 100, e1 with 200");
        let before = uplinks.host.run(routes);
        uplinks.host.run(|| set(family, "e0", &manual(150))).unwrap();
        assert_eq!(way(), [0, 50], "{family}: 250 against 200");
        uplinks.host.run(|| set(family, "e1", &manual(60))).unwrap();
        assert_eq!(way(), [50, 0], "{family}: 250 against 260");
        uplinks.host.run(|| set(family, "e0", &automatic())).unwrap();
        assert_eq!(way(), [50, 0], "{family}: 100 against 260");
        uplinks.host.run(|| set(family, "e1", &automatic())).unwrap();
        assert_eq!(uplinks.host.run(routes), before);
    }
}

#[test]
fn there_is_a_route_at_each_moment() {
    for family in Family::ALL {
        let uplinks = Uplinks::new(family);
        let flag = if family == Family::V4 { "-4" } else { "-6" };
        // Nothing else would carry a packet that comes between the old route and the new one.
        let _ = uplinks.host.sh(&format!("ip {flag} route del default dev e1"));
        let mut echo = Echo::start(&uplinks);
        for metric in [150, 20, 30, 0] {
            echo.wait_for_more(100);
            uplinks.host.run(|| set(family, "e0", &manual(metric))).unwrap();
        }
        echo.wait_for_more(100);
        uplinks.host.run(|| set(family, "e0", &automatic())).unwrap();
        echo.wait_for_more(100);
        let [answered, sent] = echo.finish();
        assert_eq!(answered, sent, "{family}");
    }
}

#[test]
fn no_packet_is_lost_and_connections_live() {
    for family in Family::ALL {
        let uplinks = Uplinks::new(family);
        let connection = uplinks.connect();
        let mut echo = Echo::start(&uplinks);
        echo.wait_for_more(150);
        uplinks.host.run(|| set(family, "e0", &manual(150))).unwrap();
        connection.talk();
        echo.wait_for_more(250);
        uplinks.host.run(|| set(family, "e0", &automatic())).unwrap();
        connection.talk();
        echo.wait_for_more(200);
        let [answered, sent] = echo.finish();
        assert_eq!(answered, sent, "{family}: answers to packets, one every 2 ms");
        let ways = uplinks.forwarded();
        assert!(ways.iter().all(|packets| *packets > 100), "{family}: both routers were used: {ways:?}");
    }
}

/// Two interfaces with a route each. The other ends of their wires are in the namespace that is returned.
#[must_use]
fn interfaces() -> NetNs {
    let peer = NetNs::new();
    for name in ["e0", "e1"] {
        let _ = run(&format!("ip link add {name} type veth peer name p netns {}", peer.path()));
        let _ = run(&format!("ip link set {name} addrgenmode none"));
        let _ = peer.sh("ip link set p addrgenmode none up");
        let _ = peer.sh(&format!("ip link set p name {name}"));
        let _ = peer.sh(&format!("ip link set {name} up"));
        let _ = run(&format!("ip link set {name} up"));
    }
    for command in [
        "ip addr add 10.0.0.1/24 dev e0",
        "ip addr add 10.0.1.1/24 dev e1",
        "ip addr add fd00::1/64 dev e0 nodad",
        "ip addr add fd00:1::1/64 dev e1 nodad",
        "ip route add default via 10.0.0.2 dev e0 metric 100",
        "ip route add default via 10.0.1.2 dev e1 metric 200",
        "ip route add default via fd00::2 dev e0 metric 100",
        "ip route add default via fd00:1::2 dev e1 metric 200",
    ] {
        let _ = run(command);
    }
    // Those of ::1 and two addresses, and multicast on two interfaces.
    let ready = || run("ip -6 route show table local").lines().count() >= 5;
    eventually("the kernel adds its own IPv6 routes", ready);
    addresses_settle(&["e0", "e1"]);
    peer
}

#[test]
fn the_metric_reads_back_and_everybody_may_read_it() {
    isolated(|| {
        let _peer = interfaces();
        for family in Family::ALL {
            let automatic_metric = get(family, "e0").metric;
            // Windows' table: 10 Gbit/s, which a veth pair says it has.
            assert_eq!((automatic_metric, get(family, "e0").use_automatic_metric), (15, true));
            set(family, "e0", &manual(70)).unwrap();
            let row = unprivileged(|| get(family, "e0"));
            assert_eq!((row.metric, row.use_automatic_metric), (70, false));
            assert_eq!(get(family, "e1").metric, 15, "the other interface");
            let error = unprivileged(|| set(family, "e0", &manual(71))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            assert_eq!(get(family, "e0").metric, 70);
        }
        // An interface without device for IPv6's own routes: the marker is no IPv6 route.
        let _ = run("ip link set lo down");
        assert_eq!(get(Family::V6, "e0").metric, 70);
        let _ = run("ip link set e0 name renamed0");
        assert_eq!(get(Family::V4, "renamed0").metric, 70, "an index has no name");
    });
}

#[test]
fn a_metric_alone_is_set_by_hand_and_manual_alone_keeps_the_value() {
    isolated(|| {
        let _peer = interfaces();
        for family in Family::ALL {
            set(family, "e0", &IpInterfaceChange { metric: Some(30), ..Default::default() }).unwrap();
            assert!(!get(family, "e0").use_automatic_metric);
            set(family, "e0", &automatic()).unwrap();
            let by_hand = IpInterfaceChange { use_automatic_metric: Some(false), ..Default::default() };
            set(family, "e0", &by_hand).unwrap();
            assert_eq!((get(family, "e0").metric, get(family, "e0").use_automatic_metric), (15, false));
            set(family, "e0", &manual(0)).unwrap();
            assert_eq!((get(family, "e0").metric, get(family, "e0").use_automatic_metric), (0, false));
            set(family, "e0", &automatic()).unwrap();
            // What a program does that gets a row and changes one member.
            let both = IpInterfaceChange { metric: Some(30), ..automatic() };
            let error = set(family, "e0", &both).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
            set(family, "e0", &IpInterfaceChange { metric: Some(15), ..automatic() }).unwrap();
            assert!(get(family, "e0").use_automatic_metric);
        }
        assert!(!run("ip route show table all").contains("proto 105"));
    });
}

#[test]
fn a_route_that_is_added_later_keeps_its_owners_metric_until_the_next_call() {
    isolated(|| {
        let _peer = interfaces();
        for (family, flag, destination) in
            [(Family::V4, "-4", "192.0.2.0/24"), (Family::V6, "-6", "2001:db8::/48")]
        {
            let router = if family == Family::V4 { "10.0.0.2" } else { "fd00::2" };
            let show = || run(&format!("ip {flag} route show {destination}"));
            set(family, "e0", &manual(50)).unwrap();
            let _ = run(&format!("ip route add {destination} via {router} metric 7"));
            assert!(show().contains("metric 7 "), "{}", show());
            // Undo leaves it alone, since it was never moved.
            set(family, "e0", &automatic()).unwrap();
            assert!(show().contains("metric 7 "), "{}", show());
            set(family, "e0", &manual(50)).unwrap();
            assert!(show().contains("metric 57 "), "{}", show());
            // Its owner adds it anew, as after a lease is renewed: the next call makes one of the two.
            let _ = run(&format!("ip route add {destination} via {router} metric 7"));
            let plan = || {
                let host = Host::open().unwrap();
                let index = host.interface_named("e0").unwrap().index;
                host.plan_set_ip_interface(family, index, &manual(50)).unwrap()
            };
            let [change] = &plan()[..] else { panic!("{:?}", plan()) };
            assert!(change.mechanism.contains("RTA_PRIORITY of 1 route,"), "{change:?}");
            set(family, "e0", &manual(50)).unwrap();
            assert_eq!(show().lines().count(), 1, "{}", show());
            assert!(show().contains("metric 57 "), "{}", show());
            assert!(plan().is_empty(), "{:?}", plan());
            set(family, "e0", &automatic()).unwrap();
            assert!(show().contains("metric 7 "), "{}", show());
        }
    });
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    isolated(|| {
        let _peer = interfaces();
        let _ = run("ip route add 192.0.2.0/24 via 10.0.0.2 metric 4294967290");
        let _ = run("ip route add 2001:db8::/48 via fd00::2 metric 4294967290");
        let before = routes();
        for family in Family::ALL {
            let error = set(family, "e0", &manual(6)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
            assert!(error.to_string().contains("4294967290"), "{error}");
            assert_eq!(routes(), before);
        }
        let _ = run("ip route del 192.0.2.0/24");
        let _ = run("ip route del 2001:db8::/48");
        let before = routes();
        // The kernel would make one multipath route of the two defaults.
        let error = set(Family::V6, "e0", &manual(100)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        assert!(error.to_string().contains("choose another metric"), "{error}");
        assert_eq!(routes(), before);
        assert!(get(Family::V6, "e0").use_automatic_metric);
        assert!(!run("ip route show table all").contains("proto 105"));
        assert_eq!(sysctl("ipv6/conf/e0/ra_defrtr_metric"), "1024");
        // IPv4 keeps two routes of one metric apart.
        set(Family::V4, "e0", &manual(100)).unwrap();
        assert_eq!(run("ip -4 route show default metric 200").lines().count(), 2);
        set(Family::V4, "e0", &automatic()).unwrap();
        assert_eq!(routes(), before);
    });
}

#[test]
fn a_plan_tells_what_would_move_and_writes_nothing() {
    isolated(|| {
        let _peer = interfaces();
        let before = run("ip route show table all");
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        let plan = unprivileged(|| host.plan_set_ip_interface(Family::V6, index, &manual(9))).unwrap();
        let told: Vec<_> = plan
            .iter()
            .map(|it| (it.property, it.from.as_str(), it.to.as_str(), it.mechanism.as_str()))
            .collect();
        let expected = [
            ("use_automatic_metric", "true", "false", "a marker route, see metric"),
            (
                "metric",
                "automatic",
                "9",
                "RTA_PRIORITY of 1 route, IFA_RT_PRIORITY of 1 address, net.ipv6.conf.e0.ra_defrtr_metric",
            ),
        ];
        assert_eq!(told, expected);
        assert_eq!(run("ip route show table all"), before);
    });
}

#[test]
fn routes_to_one_prefix_pass_each_other() {
    isolated(|| {
        let _peer = interfaces();
        for (destination, routers) in
            [("192.0.2.0/24", ["10.0.0.2", "10.0.0.3"]), ("2001:db8::/48", ["fd00::2", "fd00::3"])]
        {
            for (router, metrics) in routers.iter().zip([[100, 150], [200, 250]]) {
                for metric in metrics {
                    let _ = run(&format!("ip route add {destination} via {router} metric {metric}"));
                }
            }
        }
        let before = routes();
        for family in Family::ALL {
            // Each goes where the next one is.
            set(family, "e0", &manual(50)).unwrap();
            let flag = if family == Family::V4 { "-4" } else { "-6" };
            let destination = if family == Family::V4 { "192.0.2.0/24" } else { "2001:db8::/48" };
            let shown = run(&format!("ip {flag} route show {destination}"));
            let metrics: Vec<&str> =
                shown.lines().filter_map(|line| line.split("metric ").nth(1)?.split(' ').next()).collect();
            assert_eq!(metrics, ["150", "200", "250", "300"], "{shown}");
            assert!(!shown.contains("nexthop"), "{shown}");
            set(family, "e0", &automatic()).unwrap();
        }
        assert_eq!(routes(), before);
    });
}

#[test]
fn routes_by_next_hop_objects_move_also_where_they_hide_them() {
    isolated(|| {
        let _peer = interfaces();
        for command in [
            "ip nexthop add id 11 via 10.0.0.3 dev e0",
            "ip nexthop add id 12 via 10.0.0.4 dev e0",
            "ip nexthop add id 13 via 10.0.1.3 dev e1",
            "ip nexthop add id 20 group 11/12",
            "ip nexthop add id 21 group 11/13",
            "ip route add 192.0.2.0/24 nhid 11",
            "ip route add 192.0.3.0/24 nhid 20",
            "ip route add 192.0.4.0/24 nhid 21",
            "sysctl -qw net.ipv4.nexthop_compat_mode=0",
        ] {
            let _ = run(command);
        }
        let before = routes();
        set(Family::V4, "e0", &manual(50)).unwrap();
        assert!(run("ip route show 192.0.2.0/24").contains("nhid 11 metric 50"), "{}", routes());
        assert!(run("ip route show 192.0.3.0/24").contains("nhid 20 metric 50"), "{}", routes());
        // Over two interfaces: it has one metric for both.
        assert!(!run("ip route show 192.0.4.0/24").contains("metric"), "{}", routes());
        set(Family::V4, "e0", &automatic()).unwrap();
        assert_eq!(routes(), before);
    });
}

#[test]
fn callers_take_turns() {
    isolated(|| {
        let _peer = interfaces();
        let before = routes();
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        std::thread::scope(|scope| {
            for metric in [20, 30, 50] {
                let host = &host;
                let _ = scope.spawn(move || {
                    for family in Family::ALL.into_iter().cycle().take(20) {
                        let _ = host.set_ip_interface(family, index, &manual(metric)).unwrap();
                    }
                });
            }
        });
        for family in Family::ALL {
            let metric = get(family, "e0").metric;
            let flag = if family == Family::V4 { "-4" } else { "-6" };
            let default = run(&format!("ip {flag} route show default dev e0"));
            assert!(default.contains(&format!("metric {} ", 100 + metric)), "{metric}: {default}");
            assert_eq!(default.lines().count(), 1, "{default}");
            set(family, "e0", &automatic()).unwrap();
        }
        assert_eq!(routes(), before);
    });
}

#[test]
fn another_interface_on_the_index_inherits_nothing() {
    isolated(|| {
        let add = |address: &str| {
            let _ = run(&format!("ip link add e0 index 77 address {address} type veth peer name p0"));
            let _ = run("ip link set e0 up");
        };
        add("02:00:00:00:00:01");
        for family in Family::ALL {
            set(family, "e0", &manual(50)).unwrap();
        }
        let _ = run("ip link del e0");
        add("02:00:00:00:00:02");
        for family in Family::ALL {
            assert!(get(family, "e0").use_automatic_metric, "{family}");
            set(family, "e0", &manual(60)).unwrap();
            assert_eq!(get(family, "e0").metric, 60);
            set(family, "e0", &automatic()).unwrap();
        }
        assert!(!run("ip route show table all").contains("proto 105"));
    });
}

#[test]
fn an_advertised_default_route_moves_at_once_and_obeys_later_advertisements() {
    let router = NetNs::new();
    isolated(|| {
        let _ = run(&format!("ip link add e0 type veth peer name r0 netns {}", router.path()));
        set_sysctl("ipv6/conf/e0/accept_dad", "0");
        let _ = router.sh("sysctl -qw net.ipv6.conf.r0.accept_dad=0 net.ipv6.conf.all.forwarding=1");
        let _ = router.sh("ip link set r0 up");
        let _ = run("ip link set e0 up");
        addresses_settle(&["e0"]);
        router.addresses_settle(&["r0"]);
        let advertise = |router_lifetime| {
            let prefix = "2001:db8:77::".parse().unwrap();
            let advertisement = Advertisement {
                router_lifetime,
                prefix,
                route: None,
                managed: false,
                other_configuration: false,
            };
            sent(&router, || advertisement.send("r0"));
        };
        let shown = || run("ip -6 route show default");
        let metric = |metric: u32, protocol: &str| {
            let shown = shown();
            shown.lines().count() == 1
                && shown.contains(&format!("metric {metric} "))
                && shown.contains("proto ra ") == (protocol == "ra")
        };
        eventually("the router is heard", || {
            advertise(1800);
            metric(1024, "ra")
        });
        // Of the addresses that the kernel makes, which take their time.
        let local = || run("ip -6 route show table local");
        eventually("the kernel adds its own routes", || {
            ["local fe80::", "local 2001:db8:77:", "multicast ff00::/8"].iter().all(|it| local().contains(it))
        });
        let before = routes_without_times();
        set(Family::V6, "e0", &manual(50)).unwrap();
        // A stand-in, until the router is heard again.
        assert!(metric(1075, "none"), "{}", shown());
        set(Family::V6, "e0", &manual(60)).unwrap();
        assert!(metric(1085, "none"), "{}", shown());
        advertise(1800);
        eventually("the kernel's own route replaces the stand-in", || metric(1084, "ra"));
        set(Family::V6, "e0", &manual(20)).unwrap();
        assert!(metric(1045, "none"), "{}", shown());
        // The kernel takes the stand-in for its own also when the router goes.
        advertise(0);
        eventually("the router goes", || shown().is_empty());
        advertise(1800);
        eventually("the router is back", || metric(1044, "ra"));
        set(Family::V6, "e0", &automatic()).unwrap();
        assert!(metric(1025, "none"), "{}", shown());
        advertise(1800);
        eventually("everything is as it was", || routes_without_times() == before);
        assert_eq!(sysctl("ipv6/conf/e0/ra_defrtr_metric"), "1024");
        // Who no longer listens to routers keeps no stand-in for one either.
        set(Family::V6, "e0", &manual(50)).unwrap();
        assert!(metric(1075, "none"), "{}", shown());
        let disabled = IpInterfaceChange {
            router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
            ..Default::default()
        };
        set(Family::V6, "e0", &disabled).unwrap();
        assert_eq!(shown(), "");
    });
}

/// A host with the uplink e0 and a router there, which advertises a prefix on the link and one behind it.
fn with_advertised_prefixes(test: impl FnOnce(&NetNs, &Advertisement) + Send) {
    let router = NetNs::new();
    isolated(|| {
        let _ = run(&format!("ip link add e0 type veth peer name r0 netns {}", router.path()));
        set_sysctl("ipv6/conf/e0/accept_dad", "0");
        set_sysctl("ipv6/conf/e0/accept_ra_rt_info_max_plen", "64");
        let _ = router.sh("sysctl -qw net.ipv6.conf.r0.accept_dad=0 net.ipv6.conf.all.forwarding=1");
        let _ = router.sh("ip link set r0 up");
        let _ = router.sh("ip link set lo up");
        let _ = router.sh("ip addr add 2001:db8:77::1/64 dev r0 nodad");
        let _ = router.sh("ip addr add 2001:db8:48::1/128 dev lo");
        let _ = run("ip link set e0 up");
        addresses_settle(&["e0"]);
        router.addresses_settle(&["lo", "r0"]);
        let advertisement = Advertisement {
            router_lifetime: 0,
            prefix: "2001:db8:77::".parse().unwrap(),
            route: Some("2001:db8:48::".parse().unwrap()),
            managed: false,
            other_configuration: false,
        };
        test(&router, &advertisement);
    });
}

/// Lets the router send an advertisement, and waits until this thread's namespace has received it.
fn sent(router: &NetNs, send: impl FnOnce() + Send) {
    let heard = heard_advertisements();
    router.run(send);
    eventually("the advertisement is received", || heard_advertisements() > heard);
}

/// Whether the advertised routes stand once each, the metric of the interface added; and at what others no more.
fn prefixes_stand(offset: u32) -> bool {
    [("2001:db8:77::/64", 256), ("2001:db8:48::/48", 1024)].iter().all(|(prefix, metric)| {
        let shown = run(&format!("ip -6 route show {prefix}"));
        shown.lines().count() == 1 && shown.contains(&format!("metric {} ", metric + offset))
    })
}

/// How long the shortest-lived advertised route stays, in seconds.
fn prefixes_last() -> u32 {
    let shown = ["2001:db8:77::/64", "2001:db8:48::/48"].map(|it| run(&format!("ip -6 route show {it}")));
    let seconds = |shown: &String| {
        shown.split(' ').find_map(|word| word.strip_suffix("sec")?.parse().ok()).unwrap_or_default()
    };
    shown.iter().map(seconds).min().unwrap_or_default()
}

#[test]
fn routes_to_advertised_prefixes_follow_and_obey_later_advertisements() {
    with_advertised_prefixes(|router, advertisement| {
        let advertise = || sent(router, || advertisement.send("r0"));
        eventually("the router is heard", || {
            advertise();
            prefixes_stand(0)
        });
        let host = Host::open().unwrap();
        let metrics = || {
            let prefixes = ["2001:db8:77::/64", "2001:db8:48::/48"];
            let routes = host.routes(&RouteQuery::default()).unwrap();
            prefixes.map(|prefix| {
                let found = routes.iter().find(|route| route.destination.to_string() == prefix);
                found.unwrap_or_else(|| panic!("{prefix}: {routes:?}")).metric
            })
        };
        for offset in [50, 10, 90] {
            set(Family::V6, "e0", &manual(offset)).unwrap();
            assert!(prefixes_stand(offset), "{offset}: {}", run("ip -6 route"));
            assert_eq!(metrics(), [256, 1024], "the owner's");
            // Old routes are refreshed, and no new ones are made.
            let _ = run("sleep 1.1");
            let before = prefixes_last();
            eventually("the next advertisement is heard", || {
                advertise();
                prefixes_last() > before
            });
            assert!(prefixes_stand(offset), "{offset}: {}", run("ip -6 route"));
        }
        set(Family::V6, "e0", &automatic()).unwrap();
        assert!(prefixes_stand(0), "{}", run("ip -6 route"));
        assert!(!run("ip route show table all").contains("proto 105"));
        set(Family::V6, "e0", &manual(50)).unwrap();
        sent(router, || advertisement.withdraw("r0"));
        let gone = || {
            !run("ip -6 route").contains("2001:db8:77::/64") && !run("ip -6 route").contains("2001:db8:48::")
        };
        eventually("they are withdrawn", gone);
        set(Family::V6, "e0", &automatic()).unwrap();
        assert!(gone(), "{}", run("ip -6 route"));
        eventually("they return", || {
            advertise();
            prefixes_stand(0)
        });
    });
}

#[test]
fn packets_to_advertised_prefixes_go_on_while_the_metric_changes() {
    with_advertised_prefixes(|router, advertisement| {
        eventually("the router is heard", || {
            sent(router, || advertisement.send("r0"));
            prefixes_stand(0)
        });
        eventually("an address to send from", || {
            run("ip -6 addr show dev e0 -tentative").contains("2001:db8:77:")
        });
        let receiver = router.run(|| std::net::UdpSocket::bind("[::]:7000").unwrap());
        let done = AtomicBool::new(false);
        let sender = std::net::UdpSocket::bind("[::]:0").unwrap();
        std::thread::scope(|scope| {
            let packets = scope.spawn(|| {
                let mut sent = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    for to in ["[2001:db8:77::1]:7000", "[2001:db8:48::1]:7000"] {
                        let _ = sender.send_to(b"packet", to).unwrap();
                        let _ = receive(&receiver, &mut [0; 16]);
                        sent += 1;
                    }
                }
                sent
            });
            let changes = [manual(50), manual(10), manual(90), manual(20), automatic()];
            let changed = changes.map(|change| set(Family::V6, "e0", &change));
            done.store(true, Ordering::Relaxed);
            assert!(packets.join().unwrap() > 0);
            for changed in changed {
                changed.unwrap();
            }
        });
    });
}

/// The routes but for how long they stay, and for the protocol of those to advertised prefixes, which is the kernel's or,
/// once they were moved, `boot`.
fn routes_without_times() -> String {
    let words = routes();
    let words = words
        .replace("2001:db8:77::/64 dev e0 proto kernel metric 256", "2001:db8:77::/64 dev e0 metric 256");
    let words = words.split(' ').filter(|word| !word.ends_with("sec"));
    words.collect::<Vec<_>>().join(" ")
}
