//! Guards follow routes that are made, changed and deleted, in the same call and with no keeper: packets are the judges.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteChange, RouteKey, RouteProtocol};
use iphelper::{Family, Host, InterfaceIndex, Prefix};
use iphelper_testkit::run;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);

fn set(family: Family, index: InterfaceIndex, change: IpInterfaceChange) {
    let _ = Host::open().unwrap().set_ip_interface(family, index, &change).unwrap();
}

/// To everywhere, by an uplink's router.
fn default_route(ipv6: bool, uplink: usize) -> NewRoute {
    let everywhere = if ipv6 { "::/0" } else { "0.0.0.0/0" }.parse().unwrap();
    NewRoute::new(everywhere, Uplinks::router_address(uplink, ipv6), [E0, E1][uplink])
}

/// To the server alone, by an uplink's router.
fn host_route(ipv6: bool, uplink: usize) -> NewRoute {
    NewRoute { destination: Prefix::host(Uplinks::server_address(ipv6)), ..default_route(ipv6, uplink) }
}

fn key(new: &NewRoute) -> RouteKey {
    RouteKey::new(new.destination, new.next_hop, new.interface)
}

#[test]
fn a_default_route_over_a_disabled_interface_leaks_nothing() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        let on_host = |work: &(dyn Fn(&Host) + Sync)| uplinks.host.run(|| work(&Host::open().unwrap()));
        let way = |bound| uplinks.udp(ipv6, bound);
        let device = Bound::Device("e0");
        // Both uplinks' own default routes are replaced by routes of this interface.
        on_host(&|host| {
            for uplink in 0..2 {
                let _ = host.delete_route(&key(&default_route(ipv6, uplink))).unwrap();
            }
            set(family, E0, IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() });
        });
        assert!(matches!(way(Bound::Free), Way::Refused(_)), "{family}: no default route at all");
        let leaked = uplinks.counts(ipv6)[0];
        on_host(&|host| _ = host.create_route(&default_route(ipv6, 0)).unwrap());
        assert!(matches!(way(Bound::Free), Way::Refused(_)), "{family}: that of a disabled interface");
        assert!(matches!(way(device), Way::Refused(_)), "{family}: nor for a socket bound to it");
        on_host(&|host| _ = host.create_route(&default_route(ipv6, 1).with_metric(500)).unwrap());
        assert_eq!(way(Bound::Free), Way::E1, "{family}: the allowed one, in spite of its metric");
        on_host(&|host| {
            let _ = host.set_route(&key(&default_route(ipv6, 0)), &RouteChange::metric(3)).unwrap();
            let _ = host.set_route(&key(&default_route(ipv6, 1)), &RouteChange::metric(600)).unwrap();
        });
        assert_eq!(way(Bound::Free), Way::E1, "{family}: with other metrics, too");
        assert_eq!(uplinks.counts(ipv6)[0], leaked, "{family}: a packet left by the disabled interface");

        // A route to the server is no default route: its packets pass at once, and are stopped when it is gone.
        on_host(&|host| _ = host.create_route(&host_route(ipv6, 0)).unwrap());
        assert_eq!(way(Bound::Free), Way::E0, "{family}: by the host route");
        assert_eq!(way(device), Way::E0, "{family}: the filter lets it pass");
        on_host(&|host| _ = host.delete_route(&key(&host_route(ipv6, 0))).unwrap());
        assert_eq!(way(Bound::Free), Way::E1, "{family}: the host route is gone");
        let leaked = uplinks.counts(ipv6)[0];
        assert!(matches!(way(device), Way::Refused(_)), "{family}: and the filter knows");

        on_host(&|host| _ = host.delete_route(&key(&default_route(ipv6, 1))).unwrap());
        assert!(matches!(way(Bound::Free), Way::Refused(_)), "{family}: no allowed default route is left");
        assert_eq!(uplinks.counts(ipv6)[0], leaked, "{family}: a packet left by the disabled interface");
        on_host(&|host| {
            set(family, E0, IpInterfaceChange { disable_default_routes: Some(false), ..Default::default() });
            let _ = host;
        });
        assert_eq!(way(Bound::Free), Way::E0, "{family}: allowed again");
    }
}

#[test]
fn a_strong_interface_sends_by_routes_that_are_made_for_it() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        let on_host = |work: &(dyn Fn(&Host) + Sync)| uplinks.host.run(|| work(&Host::open().unwrap()));
        let from_e1 = || uplinks.udp(ipv6, Bound::Address(Uplinks::address(1, ipv6)));
        assert_eq!(from_e1(), Way::E0, "{family}: a weak host sends by the better default");
        on_host(&|host| {
            set(family, E1, IpInterfaceChange { weak_host_send: Some(false), ..Default::default() });
            let _ = host.delete_route(&key(&default_route(ipv6, 1))).unwrap();
        });
        assert!(matches!(from_e1(), Way::Refused(_)), "{family}: its interface leads nowhere any more");
        on_host(&|host| _ = host.create_route(&host_route(ipv6, 1).with_metric(900)).unwrap());
        assert_eq!(from_e1(), Way::E1, "{family}: by the new route, though it is the worse");
        on_host(&|host| _ = host.delete_route(&key(&host_route(ipv6, 1))).unwrap());
        assert!(matches!(from_e1(), Way::Refused(_)), "{family}");
    }
    assert!(!uplinks.host.run(|| run("ip -4 route show table 2147483651")).contains("203.0.113.1"));
}

#[test]
fn the_lower_sum_wins_for_packets() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        let on_host = |work: &(dyn Fn(&Host) + Sync)| uplinks.host.run(|| work(&Host::open().unwrap()));
        let way = || uplinks.udp(ipv6, Bound::Free);
        on_host(&|host| {
            // The same metric for both: each stays, and the first counts.
            let _ = host.create_route(&host_route(ipv6, 1).with_metric(10)).unwrap();
            let _ = host.create_route(&host_route(ipv6, 0).with_metric(10)).unwrap();
        });
        assert_eq!(way(), Way::E1, "{family}: the first of one metric");
        on_host(&|host| _ = host.set_route(&key(&host_route(ipv6, 1)), &RouteChange::metric(20)).unwrap());
        assert_eq!(way(), Way::E0, "{family}: 10 against 20");
        let metric = IpInterfaceChange { metric: Some(30), ..Default::default() };
        on_host(&|_| set(family, E0, metric.clone()));
        assert_eq!(way(), Way::E1, "{family}: 10 + 30 against 20");
        on_host(&|host| _ = host.set_route(&key(&host_route(ipv6, 1)), &RouteChange::metric(45)).unwrap());
        assert_eq!(way(), Way::E0, "{family}: 40 against 45");
        on_host(&|host| _ = host.delete_route(&key(&host_route(ipv6, 0))).unwrap());
        assert_eq!(way(), Way::E1, "{family}");
    }
}

/// A caller that was killed while it took a guard away may leave rules and nothing that tells of them. They lead by a copy of
/// the default routes, which a new one is not in.
#[test]
fn a_new_route_counts_where_a_killed_caller_left_rules_alone() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        uplinks.host.run(|| {
            set(family, E0, IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() });
            let _ = run("nft delete table inet iphelper");
            let _ = run("ip -4 route flush table 1768974338");
            let host = Host::open().unwrap();
            let rules = if ipv6 { "ip -6 rule show" } else { "ip -4 rule show" };
            assert!(run(rules).contains("1768974337"), "what was left");
            let better = host_route(ipv6, 0).with_metric(1);
            let everywhere = NewRoute { destination: default_route(ipv6, 0).destination, ..better };
            let _ = host.delete_route(&key(&everywhere)).unwrap();
            let _ = host.create_route(&everywhere).unwrap();
            assert!(!run(rules).contains("1768974337"), "{family}");
        });
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0, "{family}");
    }
}

/// Somebody's later version of this library has the packet filter: what is changed is put back.
#[test]
fn what_guards_cannot_follow_is_undone() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        uplinks.host.run(|| {
            let host = Host::open().unwrap();
            let there = host_route(ipv6, 1).with_metric(77);
            let _ = host.create_route(&there).unwrap();
            set(family, E0, IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() });
            let _ = run("nft delete table inet iphelper");
            let _ = run("nft add table inet iphelper { comment \"iphelper layout 99\" ; }");
            let shown = || {
                let flag = if ipv6 { "-6" } else { "-4" };
                run(&format!("ip {flag} route show table main"))
                    + &run(&format!("ip {flag} -br addr show e1"))
            };
            let before = shown();
            let prefix: Prefix = if ipv6 { "2001:db8:2::/64" } else { "10.0.2.0/24" }.parse().unwrap();
            let to_prefix = RouteKey::new(prefix, default_route(ipv6, 1).destination.address(), E1);
            let protocol = RouteChange { protocol: Some(RouteProtocol::Bgp), ..RouteChange::default() };
            let attempts = [
                host.set_route(&key(&there), &protocol).map(drop),
                host.set_route(&key(&there), &RouteChange::metric(5)).map(drop),
                host.set_route(&to_prefix, &RouteChange::metric(5)).map(drop),
                host.create_route(&host_route(ipv6, 0)).map(drop),
                host.delete_route(&key(&there)).map(drop),
            ];
            for (number, attempt) in attempts.into_iter().enumerate() {
                let error = attempt.unwrap_err();
                assert!(
                    error.to_string().contains("the routes were put back"),
                    "{family}, {number}: {error}"
                );
            }
            // What the kernel does by itself for a prefix is said at the address afterwards.
            assert_eq!(shown().replace("/64 metric 256", "/64"), before, "{family}");
            let _ = run("nft delete table inet iphelper");
            set(family, E0, IpInterfaceChange { disable_default_routes: Some(false), ..Default::default() });
        });
    }
}
