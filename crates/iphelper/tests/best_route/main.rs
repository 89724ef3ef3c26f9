//! The best route, judged by what a packet then does: a table of situations, each for both families.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod explanation;

use iphelper::best_route::{BestRoute, BestRouteQuery};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{LOCAL_TABLE, MAIN_TABLE, RouteKind, RouteProtocol};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, Prefix, Result};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{isolated, ping, run, set_sysctl, unprivileged};
use std::net::{IpAddr, SocketAddr};

iphelper_testkit::private_user_namespace!();

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn set(family: Family, index: InterfaceIndex, change: &IpInterfaceChange) {
    let _ = Host::open().unwrap().set_ip_interface(family, index, change).unwrap();
}

fn disable_defaults(family: Family, index: InterfaceIndex) {
    set(family, index, &IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() });
}

fn strong(family: Family, index: InterfaceIndex) {
    set(family, index, &IpInterfaceChange { weak_host_send: Some(false), ..Default::default() });
}

/// What a socket is bound to, and the words of `ip` for the family.
struct Situation {
    name: &'static str,
    /// Commands, with words that stand for addresses of the family: see [`Scene::run`].
    commands: &'static [&'static str],
    settings: fn(Family),
    bound: BoundTo,
    /// Where the packet goes.
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BoundTo {
    Nothing,
    AddressOf(usize),
    Device(usize),
    Mark,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    E0,
    E1,
    /// One of them.
    Either,
    No(ErrorKind),
}

const PLAIN: Situation = Situation {
    name: "plain",
    commands: &[],
    settings: |_| {},
    bound: BoundTo::Nothing,
    expected: Expected::E0,
};

const SITUATIONS: &[Situation] = &[
    PLAIN,
    Situation {
        name: "the longest prefix",
        commands: &["route add PREFIX via GW1 dev e1 metric 900"],
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "the lower metric",
        commands: &["route add default via GW1 dev e1 metric 50"],
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "the interface's metric added",
        settings: |family| set(family, E0, &manual(500)),
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a rule for the destination",
        commands: &["route add default via GW1 dev e1 table 100", "rule add to SERVER lookup 100 pref 100"],
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a rule for the source",
        commands: &[
            "route add default via GW1 dev e1 table 100",
            "rule add from ADDRESS1 lookup 100 pref 100",
        ],
        bound: BoundTo::AddressOf(1),
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a rule for another source",
        commands: &[
            "route add default via GW1 dev e1 table 100",
            "rule add from ADDRESS1 lookup 100 pref 100",
        ],
        bound: BoundTo::AddressOf(0),
        ..PLAIN
    },
    Situation {
        name: "a rule for a mark",
        commands: &["route add default via GW1 dev e1 table 100", "rule add fwmark 7 lookup 100 pref 100"],
        bound: BoundTo::Mark,
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a rule for the user",
        commands: &[
            "route add default via GW1 dev e1 table 100",
            "rule add uidrange 0-0 lookup 100 pref 100",
        ],
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a rule that forbids",
        commands: &["rule add to SERVER prohibit pref 100"],
        expected: Expected::No(ErrorKind::HostUnreachable),
        ..PLAIN
    },
    Situation { name: "a weak source", bound: BoundTo::AddressOf(1), ..PLAIN },
    Situation {
        name: "a strong source",
        settings: |family| strong(family, E1),
        bound: BoundTo::AddressOf(1),
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a strong source without a route",
        commands: &["route delete default dev e1"],
        settings: |family| strong(family, E1),
        bound: BoundTo::AddressOf(1),
        expected: Expected::No(ErrorKind::NetworkUnreachable),
    },
    Situation {
        name: "a strong source that a foreign rule sends elsewhere",
        commands: &[
            "route add default via GW0 dev e0 table 100",
            "rule add from ADDRESS1 lookup 100 pref 100",
        ],
        settings: |family| strong(family, E1),
        bound: BoundTo::AddressOf(1),
        expected: Expected::No(ErrorKind::NetworkUnreachable),
    },
    Situation { name: "bound to the better device", bound: BoundTo::Device(0), ..PLAIN },
    Situation { name: "bound to a device", bound: BoundTo::Device(1), expected: Expected::E1, ..PLAIN },
    Situation {
        name: "a disabled default route",
        settings: |family| disable_defaults(family, E0),
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a disabled default route, and a host route",
        commands: &["route add SERVER via GW0 dev e0"],
        settings: |family| disable_defaults(family, E0),
        ..PLAIN
    },
    Situation {
        name: "no default route but disabled ones",
        settings: |family| [E0, E1].iter().for_each(|index| disable_defaults(family, *index)),
        expected: Expected::No(ErrorKind::NetworkUnreachable),
        ..PLAIN
    },
    Situation {
        name: "a foreign rule to a disabled default route",
        commands: &["route add default via GW0 dev e0 table 100", "rule add fwmark 7 lookup 100 pref 100"],
        settings: |family| disable_defaults(family, E0),
        bound: BoundTo::Mark,
        expected: Expected::No(ErrorKind::NetworkUnreachable),
    },
    Situation {
        name: "blackhole",
        commands: &["route add blackhole PREFIX"],
        expected: Expected::No(ErrorKind::HostUnreachable),
        ..PLAIN
    },
    Situation {
        name: "unreachable",
        commands: &["route add unreachable PREFIX"],
        expected: Expected::No(ErrorKind::HostUnreachable),
        ..PLAIN
    },
    Situation {
        name: "prohibit",
        commands: &["route add prohibit PREFIX"],
        expected: Expected::No(ErrorKind::HostUnreachable),
        ..PLAIN
    },
    Situation {
        // It ends the look-up in the main table, and no other table has a route.
        name: "throw",
        commands: &["route add throw PREFIX"],
        expected: Expected::No(ErrorKind::NetworkUnreachable),
        ..PLAIN
    },
    Situation {
        name: "no route",
        commands: &["route delete default dev e0", "route delete default dev e1"],
        expected: Expected::No(ErrorKind::NetworkUnreachable),
        ..PLAIN
    },
    Situation {
        name: "multipath",
        commands: &["route add PREFIX nexthop via GW0 dev e0 nexthop via GW1 dev e1"],
        expected: Expected::Either,
        ..PLAIN
    },
    Situation {
        name: "a nexthop object",
        commands: &["nexthop add id 7 via GW1 dev e1", "route add PREFIX nhid 7"],
        expected: Expected::E1,
        ..PLAIN
    },
    Situation {
        name: "a group of nexthop objects",
        commands: &[
            "nexthop add id 7 via GW0 dev e0",
            "nexthop add id 8 via GW1 dev e1",
            "nexthop add id 9 group 7/8",
            "route add PREFIX nhid 9",
        ],
        expected: Expected::Either,
        ..PLAIN
    },
];

/// The words of a command that stand for something of a family.
fn words(command: &str, ipv6: bool) -> String {
    let prefix = if ipv6 { "2001:db8:ffff::/64" } else { "203.0.113.0/25" };
    let own = |uplink| Uplinks::address(uplink, ipv6).to_string();
    let router = |uplink| Uplinks::router_address(uplink, ipv6).to_string();
    let command = command
        .replace("PREFIX", prefix)
        .replace("SERVER", &Uplinks::server_address(ipv6).to_string())
        .replace("ADDRESS0", &own(0))
        .replace("ADDRESS1", &own(1))
        .replace("GW0", &router(0))
        .replace("GW1", &router(1));
    // A group is of no family.
    let family = if command.contains(" group ") {
        ""
    } else if ipv6 {
        "-6"
    } else {
        "-4"
    };
    format!("ip {family} {command}")
}

fn judge(situation: &Situation, family: Family) {
    let ipv6 = family == Family::V6;
    let Situation { name, commands, settings, bound, expected } = situation;
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        // A setting is made before the commands: they are what others do later, if they do it in the main table.
        let (foreign, own): (Vec<&str>, Vec<&str>) =
            commands.iter().partition(|command| command.contains("table 100") || command.starts_with("rule"));
        own.iter().chain(&foreign).for_each(|command| drop(run(&words(command, ipv6))));
        settings(family);
    });
    let mut query = BestRouteQuery::default();
    let bound = match *bound {
        BoundTo::Nothing => Bound::Free,
        BoundTo::AddressOf(uplink) => {
            query.source = Some(Uplinks::address(uplink, ipv6));
            Bound::Address(Uplinks::address(uplink, ipv6))
        }
        BoundTo::Device(uplink) => {
            query.interface = Some(if uplink == 0 { E0 } else { E1 }.into());
            Bound::Device(if uplink == 0 { "e0" } else { "e1" })
        }
        BoundTo::Mark => {
            query.mark = Some(7);
            Bound::Mark(7)
        }
    };
    let server = Uplinks::server_address(ipv6);
    let host = uplinks.host.run(|| Host::open().unwrap());
    let best = host.best_route(server, &query);
    // An ordinary user is told the same, though the packet filter is hidden from it. Rules for users judge this thread.
    let hidden = uplinks.host.run(|| unprivileged(|| host.best_route(server, &query)));
    let told = |best: &Result<BestRoute>| best.clone().map_err(|error| error.kind());
    assert_eq!(told(&best), told(&hidden), "{name}, {family}: {best:?} {hidden:?}");

    let explained = host.explain_route(server, &query).unwrap();
    assert!(explained.agrees, "{name}, {family}: {explained:#?}");
    assert_eq!(told(&explained.best), told(&best), "{name}, {family}");

    let way = uplinks.udp(ipv6, bound);
    let answer = match &best {
        Ok(best) if best.index == E0 => Some(Way::E0),
        Ok(_) => Some(Way::E1),
        Err(_) => None,
    };
    match (way, answer) {
        (Way::Refused(_), None) => {}
        // The kernel chooses for each flow anew.
        (Way::E0 | Way::E1, Some(_)) if *expected == Expected::Either => {}
        _ => assert_eq!(Some(way), answer, "{name}, {family}: {best:?}"),
    }
    match (expected, &best) {
        (Expected::No(kind), Err(error)) => assert_eq!(error.kind(), *kind, "{name}, {family}: {error}"),
        (Expected::No(_), Ok(best)) => panic!("{name}, {family}: {best:?}"),
        (_, Err(error)) => panic!("{name}, {family}: {error}"),
        (Expected::E0, Ok(best)) => assert_eq!(best.index, E0, "{name}, {family}"),
        (Expected::E1, Ok(best)) => assert_eq!(best.index, E1, "{name}, {family}"),
        (Expected::Either, Ok(_)) => {}
    }
    let Ok(best) = best else { return };
    // The source that a connected socket gets.
    let source = uplinks.host.run(|| {
        let socket = udp_socket(ipv6, bound).unwrap();
        socket.connect(SocketAddr::new(server, 9)).unwrap();
        socket.local_addr().unwrap().ip()
    });
    if *expected == Expected::Either {
        assert_eq!(best.route.multipath.map(|multipath| multipath.hops), Some(2), "{name}, {family}");
    } else {
        assert_eq!(best.source, Some(source), "{name}, {family}");
    }
    // The row is one of the table: the original where a copy was met.
    let rows = host.routes(&iphelper::route::RouteQuery::default()).unwrap();
    assert!(rows.contains(&best.route), "{name}, {family}: {:#?}", best.route);
    assert!(best.route.destination.contains(server));
    assert_eq!((best.route.luid, best.route.index), (Some(best.luid), Some(best.index)));
    let router = Uplinks::router_address(usize::from(best.index == E1), ipv6);
    assert_eq!(best.route.next_hop, router, "{name}, {family}");
    if bound_is_plain(&query) && !commands.iter().any(|command| command.contains("table")) {
        assert_eq!(best.route.table, MAIN_TABLE, "{name}, {family}");
    }
}

fn bound_is_plain(query: &BestRouteQuery) -> bool {
    query.mark.is_none()
}

fn judge_part(part: usize) {
    const PARTS: usize = 4;
    for situation in SITUATIONS.iter().skip(part).step_by(PARTS) {
        for family in Family::ALL {
            judge(situation, family);
        }
    }
}

#[test]
fn the_answer_is_what_a_packet_does_1() {
    judge_part(0);
}

#[test]
fn the_answer_is_what_a_packet_does_2() {
    judge_part(1);
}

#[test]
fn the_answer_is_what_a_packet_does_3() {
    judge_part(2);
}

#[test]
fn the_answer_is_what_a_packet_does_4() {
    judge_part(3);
}

#[test]
fn destinations_near_by() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let any = BestRouteQuery::default();
    for ipv6 in [false, true] {
        for (uplink, index) in [(0, E0), (1, E1)] {
            // On the link.
            let router = Uplinks::router_address(uplink, ipv6);
            let best = host.best_route(router, &any).unwrap();
            assert_eq!((best.index, best.source), (index, Some(Uplinks::address(uplink, ipv6))));
            assert!(best.route.next_hop.is_unspecified(), "{best:?}");
            assert_eq!(best.route.protocol, RouteProtocol::Local);
            uplinks.host.run(|| ping(&router.to_string()));
            // This host's own.
            let own = Uplinks::address(uplink, ipv6);
            let best = host.best_route(own, &any).unwrap();
            assert_eq!(
                (best.index, best.route.kind, best.route.table),
                (index, RouteKind::Local, LOCAL_TABLE)
            );
            assert_eq!((best.route.destination, best.source), (Prefix::host(own), Some(own)));
        }
        let loopback = if ipv6 { ip("::1") } else { ip("127.0.0.1") };
        let best = host.best_route(loopback, &any).unwrap();
        assert_eq!((best.index, best.source), (InterfaceIndex(1), Some(loopback)));
        // "Any" asks for the default route.
        let unspecified = if ipv6 { ip("::") } else { ip("0.0.0.0") };
        let best = host.best_route(unspecified, &any).unwrap();
        assert_eq!((best.index, best.route.destination.len()), (E0, 0));
        assert_eq!(best.route.next_hop, Uplinks::router_address(0, ipv6));
    }
    // A broadcast, which IPv4 sends by the default route if nothing else is told.
    let best = host.best_route(ip("10.0.2.255"), &any).unwrap();
    assert_eq!((best.index, best.route.kind), (E1, RouteKind::Broadcast));
    let best = host.best_route(ip("255.255.255.255"), &any).unwrap();
    assert_eq!((best.index, best.route.kind, best.route.destination.len()), (E0, RouteKind::Unicast, 0));
    // Link-local, by the interface that is named.
    let near = uplinks.routers[1].sh("ip -6 -o address show dev near scope link");
    let near = near.split_whitespace().nth(3).unwrap().split('/').next().unwrap();
    let over =
        |index: InterfaceIndex| BestRouteQuery { interface: Some(index.into()), ..BestRouteQuery::default() };
    let best = host.best_route(ip(near), &over(E1)).unwrap();
    let own = uplinks.host.sh("ip -6 -o address show dev e1 scope link");
    assert_eq!(best.index, E1);
    assert!(own.contains(&best.source.unwrap().to_string()), "{own}");
    uplinks.host.run(|| ping(&format!("{near}%e1")));
    assert_eq!(host.best_route(ip(near), &over(E0)).unwrap().index, E0, "whoever is there");
    let error = host.best_route(ip(near), &any).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    let best = host.best_route(ip("ff02::1"), &over(E1)).unwrap();
    assert_eq!(best.index, E1);
}

#[test]
fn metrics_are_those_of_the_routes_owner() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = Uplinks::server_address(ipv6);
        uplinks.host.run(|| set(family, E1, &manual(5)));
        uplinks.host.run(|| set(family, E0, &manual(300)));
        let best = host.best_route(server, &BestRouteQuery::default()).unwrap();
        assert_eq!((best.index, best.route.metric, best.route.system_metric), (E1, 200, 205), "{family}");
    }
}

fn manual(metric: u32) -> IpInterfaceChange {
    IpInterfaceChange { use_automatic_metric: Some(false), metric: Some(metric), ..Default::default() }
}

#[test]
fn an_ipv4_route_by_an_ipv6_router() {
    let uplinks = Uplinks::new();
    let _ = uplinks.host.sh("ip route add 203.0.113.0/25 via inet6 2001:db8:2::1 dev e1");
    let host = uplinks.host.run(|| Host::open().unwrap());
    let best = host.best_route(Uplinks::server_address(false), &BestRouteQuery::default()).unwrap();
    assert_eq!((best.index, best.route.next_hop), (E1, ip("2001:db8:2::1")));
    assert_eq!(uplinks.udp(false, Bound::Free), Way::E1);
}

/// With `nexthop_compat_mode` 0 the kernel tells no more of a route than the number of its object.
#[test]
fn a_nexthop_object_that_the_kernel_hides() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        set_sysctl("ipv4/nexthop_compat_mode", "0");
        for ipv6 in [false, true] {
            let id = 7 + usize::from(ipv6);
            let _ = run(&words(&format!("nexthop add id {id} via GW1 dev e1"), ipv6));
            let _ = run(&words(&format!("route add PREFIX nhid {id}"), ipv6));
        }
    });
    let host = uplinks.host.run(|| Host::open().unwrap());
    for ipv6 in [false, true] {
        let best = host.best_route(Uplinks::server_address(ipv6), &BestRouteQuery::default()).unwrap();
        assert_eq!((best.index, best.route.next_hop), (E1, Uplinks::router_address(1, ipv6)));
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1);
    }
}

#[test]
fn each_refusal_says_why() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let any = BestRouteQuery::default();
    let over = |index: u32| BestRouteQuery { interface: Some(InterfaceIndex(index).into()), ..any.clone() };
    let from = |source| BestRouteQuery { source: Some(source), ..any.clone() };
    let kind = |destination: IpAddr, query: &BestRouteQuery| {
        host.best_route(destination, query).map(|best| best.index).map_err(|error| error.kind())
    };
    for ipv6 in [false, true] {
        let server = Uplinks::server_address(ipv6);
        assert_eq!(kind(server, &over(77)), Err(ErrorKind::InterfaceNotFound));
        assert_eq!(kind(server, &from(server)), Err(ErrorKind::NotFound), "not this host's");
        assert_eq!(kind(server, &from(Uplinks::address(0, !ipv6))), Err(ErrorKind::InvalidParameter));
        let _ = uplinks.host.sh(&words("route delete default dev e1", ipv6));
        // IPv4 would look for the destination on the link, which is no route.
        assert_eq!(kind(server, &over(3)), Err(ErrorKind::NetworkUnreachable));
    }
    // A strong source, and another interface: by the interface the packet filter would see a foreign address.
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = Uplinks::server_address(ipv6);
        uplinks.host.run(|| strong(family, E1));
        let query = BestRouteQuery { interface: Some(E0.into()), ..from(Uplinks::address(1, ipv6)) };
        let error = host.best_route(server, &query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable, "{error}");
        let query = BestRouteQuery { interface: Some(E0.into()), ..from(Uplinks::address(0, ipv6)) };
        assert_eq!(kind(server, &query), Ok(E0), "its own");
    }
    set_v6_off(&uplinks);
    assert_eq!(kind(ip("2001:db8:9::1"), &over(2)), Err(ErrorKind::NotFound));
    assert!(kind(Uplinks::server_address(false), &over(2)).is_ok(), "IPv4 is unaffected");
}

fn set_v6_off(uplinks: &Uplinks) {
    uplinks.host.run(|| set_sysctl("ipv6/conf/e0/disable_ipv6", "1"));
}

#[test]
fn a_host_without_interfaces_reaches_itself_alone() {
    isolated(|| {
        let host = Host::open().unwrap();
        let any = BestRouteQuery::default();
        let error = host.best_route(ip("192.0.2.1"), &any).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable, "{error}");
        assert_eq!(
            host.best_route(ip("2001:db8::1"), &any).unwrap_err().kind(),
            ErrorKind::NetworkUnreachable
        );
        assert_eq!(host.best_route(ip("127.1.2.3"), &any).unwrap().index, InterfaceIndex(1));
    });
}
