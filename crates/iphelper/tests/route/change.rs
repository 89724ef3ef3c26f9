//! Routes made, changed and deleted on a kernel: `ip` and packets are the judges.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::route_support::{FAMILIES, Names, interfaces, ip_batch, key, luid};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteChange, RouteKey, RouteProtocol, RouteQuery};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{isolated, run, set_sysctl, unprivileged};
use std::time::Duration;

fn new(names: Names, interface: u8, metric: u32) -> NewRoute {
    let next_hop = names.router(interface, 2);
    NewRoute::new(names.prefix.parse().unwrap(), next_hop, luid(&format!("e{interface}"))).with_metric(metric)
}

fn key_of(names: Names, interface: u8) -> RouteKey {
    key(names.prefix, names.router(interface, 2), &format!("e{interface}"))
}

fn kind<T: std::fmt::Debug>(result: iphelper::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// The metric that `ip` shows for a route with this metric of ours, no interface having one by hand.
fn shown_metric(names: Names, metric: u32) -> u32 {
    if names.family == Family::V6 { metric + 1 } else { metric }
}

#[test]
fn a_route_is_made_changed_and_deleted() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            for (interface, by_router) in [(0, true), (1, false)] {
                let before = host.routes(&RouteQuery::default()).unwrap();
                let mut new = new(names, interface, 30);
                if !by_router {
                    new.next_hop = names.none.parse().unwrap();
                }
                let planned = host.plan_create_route(&new).unwrap();
                assert!(names.shown(names.prefix).is_empty(), "a plan writes nothing");
                let made = host.create_route(&new).unwrap();
                assert_eq!(made, planned);
                let key = made.key().unwrap();
                assert_eq!(host.route(&key).unwrap(), made, "{}", names.family);
                assert_eq!((made.metric, made.protocol), (30, RouteProtocol::NetMgmt));
                let shown = names.shown(names.prefix);
                let metric = |metric| format!("metric {}", shown_metric(names, metric));
                assert!(shown.len() == 1 && shown[0].contains(&metric(30)), "{shown:?}");
                assert!(shown[0].contains(&format!("dev e{interface}")), "{shown:?}");
                let via = format!("via {}", names.router(interface, 2));
                assert_eq!(shown[0].contains(&via), by_router, "{shown:?}");
                assert_eq!(kind(host.create_route(&new)), ErrorKind::AlreadyExists);
                assert_eq!(kind(host.plan_create_route(&new)), ErrorKind::AlreadyExists);
                let other_metric = new.with_metric(31);
                assert_eq!(kind(host.create_route(&other_metric)), ErrorKind::AlreadyExists);

                let key = RouteKey::new(new.destination, new.next_hop, new.interface);
                let change = RouteChange::metric(0);
                let planned = host.plan_set_route(&key, &change).unwrap();
                assert_eq!(host.set_route(&key, &change).unwrap(), planned);
                assert_eq!((planned[0].property, &*planned[0].from, &*planned[0].to), ("metric", "30", "0"));
                let shown = names.shown(names.prefix);
                assert_eq!(shown.len(), 1, "{shown:?}");
                assert_eq!(host.route(&key).unwrap().metric, 0);
                assert!(host.set_route(&key, &change).unwrap().is_empty(), "no change");
                let protocol = RouteChange {
                    protocol: Some(RouteProtocol::Bgp),
                    metric: Some(40),
                    ..RouteChange::default()
                };
                assert_eq!(host.set_route(&key, &protocol).unwrap().len(), 2);
                let shown = names.shown(names.prefix);
                assert!(shown[0].contains("proto bgp") && shown[0].contains("metric 40"), "{shown:?}");
                let protocol =
                    RouteChange { protocol: Some(RouteProtocol::NetMgmt), ..RouteChange::default() };
                let _ = host.set_route(&key, &protocol).unwrap();
                let shown = names.shown(names.prefix);
                assert!(shown.len() == 1 && shown[0].contains(&metric(40)), "{shown:?}");
                assert_eq!(host.route(&key).unwrap().metric, 40);

                let gone = host.route(&key).unwrap();
                assert_eq!(host.plan_delete_route(&key).unwrap(), gone);
                assert_eq!(host.delete_route(&key).unwrap(), gone);
                assert!(names.shown(names.prefix).is_empty());
                assert_eq!(kind(host.delete_route(&key)), ErrorKind::NotFound);
                assert_eq!(kind(host.set_route(&key, &change)), ErrorKind::NotFound);
                assert_eq!(kind(host.route(&key)), ErrorKind::NotFound);
                assert_eq!(host.routes(&RouteQuery::default()).unwrap(), before, "nothing is left");
            }
        }
    });
}

#[test]
fn routes_of_other_interfaces_stay() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            for interface in 0..3 {
                let made = host.create_route(&new(names, interface, 5)).unwrap();
                assert_eq!(made.metric, 5);
            }
            let rows = || -> Vec<_> {
                (0..3).map(|it| host.route(&key_of(names, it)).map(|it| it.metric).ok()).collect()
            };
            assert_eq!(rows(), [Some(5); 3], "{}: each has the metric that was set", names.family);
            let shown = names.shown(names.prefix);
            assert_eq!(shown.len(), 3, "three routes, not one with three next hops: {shown:?}");
            let _ = host.set_route(&key_of(names, 1), &RouteChange::metric(4)).unwrap();
            assert_eq!(rows(), [Some(5), Some(4), Some(5)]);
            let _ = host.set_route(&key_of(names, 0), &RouteChange::metric(4)).unwrap();
            assert_eq!(rows(), [Some(4), Some(4), Some(5)]);
            let _ = host.delete_route(&key_of(names, 1)).unwrap();
            assert_eq!(rows(), [Some(4), None, Some(5)]);
            assert_eq!(names.shown(names.prefix).len(), 2);
            // Somebody else's replace meets one route alone.
            let _ = run(&format!(
                "ip {} route replace {} via {} dev e1 metric 4",
                names.flag,
                names.prefix,
                names.router(1, 2)
            ));
            assert!(rows().iter().all(|row| names.family == Family::V4 || row.is_some()), "{:?}", rows());
        }
    });
}

#[test]
fn a_route_of_another_is_changed_with_all_that_it_carries() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        ip_batch(
            "route add 192.0.2.0/24 via 10.0.0.2 dev e0 metric 7 proto 42 src 10.0.0.1 mtu lock 1000 realm 5
             route add 2001:db8::/32 via fd00::2 dev e0 metric 7 proto 42 mtu 1400 pref high expires 300",
        );
        for names in FAMILIES {
            let change = RouteChange::metric(9);
            let _ = host.set_route(&key_of(names, 0), &change).unwrap();
            let shown = names.shown(names.prefix);
            assert!(shown.len() == 1 && shown[0].contains("metric 9"), "{shown:?}");
            let parts: &[&str] = match names.family {
                Family::V4 => &["proto babel", "src 10.0.0.1", "mtu lock 1000", "realm"],
                Family::V6 => &["proto babel", "mtu 1400", "pref high", "expires"],
            };
            for part in parts {
                assert!(shown[0].contains(part), "{part} of {shown:?}");
            }
        }
        // The end of it, without another metric.
        let key = key("2001:db8::/32", "fd00::2", "e0");
        let forever = RouteChange { valid_lifetime: Some(None), ..RouteChange::default() };
        assert_eq!(host.set_route(&key, &forever).unwrap().len(), 1);
        assert!(!FAMILIES[1].shown("2001:db8::/32")[0].contains("expires"));
        let hour =
            RouteChange { valid_lifetime: Some(Some(Duration::from_secs(3600))), ..RouteChange::default() };
        assert_eq!(host.set_route(&key, &hour).unwrap().len(), 1);
        assert!(FAMILIES[1].shown("2001:db8::/32")[0].contains("expires 3"));
        assert!(host.set_route(&key, &hour).unwrap().is_empty(), "a second later it is still an hour");
        let mut ending = new(FAMILIES[1], 1, 3);
        ending.valid_lifetime = Some(Duration::from_secs(600));
        let made = host.create_route(&ending).unwrap();
        assert!(made.valid_lifetime.unwrap() > Duration::from_secs(500));
        assert!(run("ip -6 route show dev e1").contains("expires "));
    });
}

#[test]
fn one_next_hop_of_several_is_changed_or_deleted() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            let add = |metric: u32| {
                let hops: String = (0..3)
                    .map(|it| format!(" nexthop via {} dev e{it} weight {}", names.router(it, 2), it + 1))
                    .collect();
                let _ = run(&format!("ip {} route add {} metric {metric}{hops}", names.flag, names.prefix));
            };
            add(7);
            assert_eq!(host.delete_route(&key_of(names, 1)).unwrap().multipath.unwrap().hops, 3);
            let shown = names.shown(names.prefix);
            assert!(
                shown.len() == 1 && !shown[0].contains("e1") && shown[0].contains("weight 3"),
                "{shown:?}"
            );
            let _ = host.set_route(&key_of(names, 0), &RouteChange::metric(3)).unwrap();
            let shown = names.shown(names.prefix);
            assert_eq!(shown.len(), 2, "{shown:?}");
            assert!(shown[0].contains("dev e0") && shown[0].contains("metric 3"), "{shown:?}");
            assert!(shown[1].contains("dev e2") && shown[1].contains("metric 7"), "{shown:?}");
            let _ = host.delete_route(&key_of(names, 2)).unwrap();
            let _ = host.delete_route(&key_of(names, 0)).unwrap();
            assert!(names.shown(names.prefix).is_empty());
        }
        ip_batch(
            "nexthop add id 11 via 10.0.0.4 dev e0
             nexthop add id 12 via 10.1.0.4 dev e1
             nexthop add id 20 group 11/12
             route add 203.0.113.0/24 nhid 20
             route add 203.0.114.0/24 nhid 11 metric 5",
        );
        let member = key("203.0.113.0/24", "10.0.0.4", "e0");
        assert_eq!(kind(host.delete_route(&member)), ErrorKind::NotSupported);
        assert_eq!(kind(host.set_route(&member, &RouteChange::metric(3))), ErrorKind::NotSupported);
        let alone = key("203.0.114.0/24", "10.0.0.4", "e0");
        let _ = host.set_route(&alone, &RouteChange::metric(6)).unwrap();
        let shown = FAMILIES[0].shown("203.0.114.0/24");
        assert!(
            shown.len() == 1 && shown[0].contains("nhid 11") && shown[0].contains("metric 6"),
            "{shown:?}"
        );
        let _ = host.delete_route(&alone).unwrap();
        assert!(FAMILIES[0].shown("203.0.114.0/24").is_empty());
    });
}

#[test]
fn several_routes_of_one_key_are_told_apart_by_metric() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            for (metric, protocol) in [(10, "static"), (20, "static"), (30, "42")] {
                let _ = run(&format!(
                    "ip {} route add {} via {} dev e0 metric {metric} proto {protocol}",
                    names.flag,
                    names.prefix,
                    names.router(0, 2)
                ));
            }
            let key = key_of(names, 0);
            assert_eq!(host.route(&key).unwrap().metric, 10, "the lowest");
            let before = names.shown(names.prefix);
            assert_eq!(kind(host.delete_route(&key)), ErrorKind::InvalidParameter);
            assert_eq!(names.shown(names.prefix), before, "each is there as it was");
            if names.family == Family::V4 {
                let other = format!("{} via {} dev e0 metric 10 proto 43", names.prefix, names.router(0, 2));
                let _ = run(&format!("ip route append {other}"));
                let before = names.shown(names.prefix);
                assert_eq!(kind(host.delete_route(&key)), ErrorKind::InvalidParameter);
                assert_eq!(names.shown(names.prefix), before, "and where it was");
                let _ = run(&format!("ip route delete {other}"));
            }
            assert_eq!(kind(host.set_route(&key, &RouteChange::metric(15))), ErrorKind::InvalidParameter);
            assert_eq!(kind(host.create_route(&new(names, 0, 40))), ErrorKind::AlreadyExists);
            assert_eq!(names.shown(names.prefix).len(), 3);
            let _ = host.delete_route(&key.with_metric(30)).unwrap();
            assert_eq!(names.shown(names.prefix).len(), 2);
            // What a caller that was killed between adding and deleting leaves: the same call does the rest.
            assert_eq!(host.set_route(&key, &RouteChange::metric(20)).unwrap().len(), 1);
            let shown = names.shown(names.prefix);
            assert!(shown.len() == 1 && shown[0].contains("metric 20"), "{shown:?}");
        }
    });
}

#[test]
fn routes_behind_the_one_that_goes_stay() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            // The kernel asks nobody for the second while the first is there, which is another's.
            for interface in [1, 0, 2] {
                let made = host.create_route(&new(names, interface, 10 + u32::from(interface)));
                assert!(made.is_ok(), "{made:?}");
            }
            for (goes, left) in [(0, vec!["e1", "e2"]), (2, vec!["e1"]), (1, vec![])] {
                assert_eq!(host.route(&key_of(names, goes)).unwrap().metric, 10 + u32::from(goes));
                let gone = host.delete_route(&key_of(names, goes)).unwrap();
                assert_eq!(gone.metric, 10 + u32::from(goes));
                let shown = names.shown(names.prefix);
                assert_eq!(shown.len(), left.len(), "{shown:?}");
                assert!(left.iter().zip(&shown).all(|(name, line)| line.contains(name)), "{shown:?}");
                assert_eq!(kind(host.route(&key_of(names, goes))), ErrorKind::NotFound);
            }
        }
    });
}

#[test]
fn a_shorter_prefix_does_not_hide_what_is_there() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            // The kernel's answer about a destination is then a route in any case, of this prefix or of a shorter one.
            let _ = run(&format!("ip {} route add default via {}", names.flag, names.router(2, 2)));
            assert_eq!(host.create_route(&new(names, 0, 5)).unwrap().metric, 5);
            assert_eq!(kind(host.create_route(&new(names, 0, 6))), ErrorKind::AlreadyExists);
            assert_eq!(host.create_route(&new(names, 1, 5)).unwrap().metric, 5);
            // A longer one within, which begins with the same address.
            let longer = names.prefix.replace("/24", "/30").replace("/32", "/64");
            let longer = NewRoute { destination: longer.parse().unwrap(), ..new(names, 0, 5) };
            assert!(host.create_route(&longer).is_ok());
            let wider = NewRoute { destination: names.everywhere.parse().unwrap(), ..new(names, 0, 5) };
            assert!(host.create_route(&wider).is_ok());
            assert_eq!(kind(host.create_route(&new(names, 0, 7))), ErrorKind::AlreadyExists);
            // One over an interface whose cable is out.
            let _ = run("ip link set p1 down");
            assert_eq!(kind(host.create_route(&new(names, 1, 9))), ErrorKind::AlreadyExists);
            assert_eq!(host.create_route(&new(names, 2, 5)).unwrap().metric, 5);
            assert_eq!(names.shown(names.prefix).len(), 3);
            let _ = run("ip link set p1 up");
        }
    });
}

#[test]
fn each_documented_error() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            let good = new(names, 0, 5);
            assert_eq!(kind(unprivileged(|| host.create_route(&good))), ErrorKind::AccessDenied);
            assert_eq!(kind(unprivileged(|| host.delete_route(&key_of(names, 0)))), ErrorKind::AccessDenied);
            assert_eq!(
                kind(unprivileged(|| host.set_route(&key_of(names, 0), &RouteChange::metric(1)))),
                ErrorKind::AccessDenied
            );
            assert!(unprivileged(|| host.plan_create_route(&good)).is_ok());
            let nowhere = NewRoute { interface: InterfaceIndex(4711).into(), ..good };
            assert_eq!(kind(host.create_route(&nowhere)), ErrorKind::InterfaceNotFound);
            let strange = NewRoute { next_hop: names.router(1, 2), ..good };
            assert_eq!(kind(host.create_route(&strange)), ErrorKind::InvalidParameter, "{}", names.family);
            for table in [0, 0x6970_6801, 0x8000_0003] {
                assert_eq!(kind(host.create_route(&NewRoute { table, ..good })), ErrorKind::InvalidParameter);
            }
            for protocol in [RouteProtocol::Local, RouteProtocol::NtStatic, RouteProtocol::Other] {
                let other = NewRoute { protocol, ..good };
                assert_eq!(kind(host.create_route(&other)), ErrorKind::NotSupported, "{protocol}");
            }
            let ours = if names.family == Family::V4 { "10.0.0.0/24" } else { "fd00::/64" };
            let protocol = RouteChange { protocol: Some(RouteProtocol::Bgp), ..RouteChange::metric(9) };
            assert_eq!(
                kind(host.set_route(&key(ours, names.none, "e0"), &protocol)),
                ErrorKind::NotSupported
            );
            let most = NewRoute { metric: u32::MAX, ..good };
            match names.family {
                Family::V4 => _ = host.create_route(&most).unwrap(),
                Family::V6 => assert_eq!(kind(host.create_route(&most)), ErrorKind::InvalidParameter),
            }
            let _ = run("ip link set e2 down");
            assert_eq!(
                kind(
                    host.create_route(&NewRoute {
                        next_hop: names.none.parse().unwrap(),
                        ..new(names, 2, 1)
                    })
                ),
                ErrorKind::NotSupported
            );
            let _ = run("ip link set e2 up");
        }
        let [v4, v6] = FAMILIES;
        let lifetime = Some(Duration::from_secs(9));
        let zero = Some(Duration::ZERO);
        let long = Some(Duration::from_secs(22_000_000));
        let ending =
            |names, valid_lifetime| host.create_route(&NewRoute { valid_lifetime, ..new(names, 1, 5) });
        assert_eq!(kind(ending(v4, lifetime)), ErrorKind::NotSupported);
        assert_eq!(kind(ending(v6, zero)), ErrorKind::InvalidParameter);
        assert_eq!(kind(ending(v6, long)), ErrorKind::NotSupported);
        let mixed = NewRoute { next_hop: v4.router(1, 2), ..new(v6, 1, 5) };
        assert_eq!(kind(host.create_route(&mixed)), ErrorKind::InvalidParameter);
        let by_ipv6 = NewRoute { next_hop: v6.router(1, 2), ..new(v4, 1, 5) };
        assert_eq!(host.create_route(&by_ipv6).unwrap().next_hop, v6.router(1, 2));
        assert!(v4.shown(v4.prefix).iter().any(|it| it.contains("via inet6 fd00:1::2 dev e1")));
        set_sysctl("ipv6/conf/e1/disable_ipv6", "1");
        assert_eq!(kind(host.create_route(&new(v6, 1, 5))), ErrorKind::NotFound);
        assert_eq!(kind(host.delete_route(&key_of(v6, 1))), ErrorKind::NotFound);
        assert_eq!(host.create_route(&new(v4, 1, 5)).unwrap().metric, 5, "IPv4 is unaffected");
    });
}

/// The kernel makes the route to the prefix of an address, and would make it anew: its metric is the address'.
#[test]
fn the_route_to_the_prefix_of_an_address_gets_another_metric() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            let (prefix, second) = match names.family {
                Family::V4 => ("10.0.0.0/24", "10.0.0.9/24"),
                Family::V6 => ("fd00::/64", "fd00::9/64"),
            };
            // Of two addresses in one prefix, too.
            let _ = run(&format!(
                "ip addr add {second} dev e0 {}",
                if names.family == Family::V6 { "nodad" } else { "" }
            ));
            let addresses = || -> Vec<String> {
                let shown = run(&format!("ip {} -br addr show e0", names.flag));
                shown.split_whitespace().filter(|word| word.contains('/')).map(str::to_owned).collect()
            };
            let before = addresses();
            let key = key(prefix, names.none, "e0");
            let change = RouteChange::metric(9);
            let told = host.set_route(&key, &change).unwrap();
            assert_eq!(
                (told[0].property, &*told[0].to, &*told[0].mechanism),
                ("metric", "9", "IFA_RT_PRIORITY")
            );
            let one = |metric: u32| {
                let shown = names.shown(prefix);
                assert_eq!(shown.len(), 1, "{shown:?}");
                assert!(shown[0].contains("proto kernel"), "{shown:?}");
                let shows = shown[0].contains(&format!("metric {metric}")) || metric == 0;
                assert!(shows, "{metric}: {shown:?}");
                host.route(&key).unwrap().metric
            };
            assert_eq!(one(9), 9);
            assert!(host.set_route(&key, &change).unwrap().is_empty(), "no change");
            assert_eq!(addresses(), before);
            // The interface's metric is added, and taken away again.
            let interface = |metric: Option<u32>| {
                let change = IpInterfaceChange {
                    use_automatic_metric: Some(metric.is_none()),
                    metric,
                    ..Default::default()
                };
                let _ = host.set_ip_interface(names.family, luid("e0"), &change).unwrap();
            };
            interface(Some(50));
            assert_eq!(one(59), 9);
            let _ = host.set_route(&key, &RouteChange::metric(11)).unwrap();
            assert_eq!(one(61), 11);
            interface(None);
            assert_eq!(one(11), 11);
            if names.family == Family::V4 {
                let _ = host.set_route(&key, &RouteChange::metric(0)).unwrap();
                assert_eq!(one(0), 0);
            } else {
                assert_eq!(kind(host.set_route(&key, &RouteChange::metric(0))), ErrorKind::NotSupported);
            }
            assert_eq!(addresses(), before);
            // It is the address' now: it comes back so.
            let _ = host.set_route(&key, &RouteChange::metric(12)).unwrap();
            if names.family == Family::V4 {
                let _ = run("ip link set e0 down");
                let _ = run("ip link set e0 up");
                assert_eq!(one(12), 12);
            }
            let own = iphelper::Prefix::host(names.router(0, 9));
            let local = RouteKey::new(own, names.none.parse().unwrap(), luid("e0"));
            assert_eq!(kind(host.set_route(&local, &change)), ErrorKind::NotSupported, "{}", names.family);
        }
    });
}

/// The kernel would take each of them, as their metrics differ.
#[test]
fn of_many_creators_of_one_key_one_succeeds() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            for _ in 0..10 {
                let start = std::sync::Barrier::new(6);
                let outcomes: Vec<_> = std::thread::scope(|scope| {
                    let create = |metric| {
                        let (host, start) = (&host, &start);
                        scope.spawn(move || {
                            let new = new(names, 0, metric);
                            let _ = start.wait();
                            host.create_route(&new)
                        })
                    };
                    let threads: Vec<_> = (1..7).map(|number| create(10 * number)).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
                });
                assert_eq!(names.shown(names.prefix).len(), 1, "{outcomes:#?}");
                let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
                assert_eq!(made.len(), 1);
                for refused in refused {
                    assert_eq!(kind(refused), ErrorKind::AlreadyExists);
                }
                let _ = host.delete_route(&key_of(names, 0)).unwrap();
            }
        }
    });
}

#[test]
fn many_routes_have_an_outcome_each() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            let prefix = |number: u32| match names.family {
                Family::V4 => format!("192.{}.{}.0/24", number >> 8 & 255, number & 255),
                Family::V6 => format!("2001:db8:{number:x}::/48"),
            };
            let mut all: Vec<NewRoute> = (0..2000)
                .map(|number| NewRoute {
                    destination: prefix(number).parse().unwrap(),
                    ..new(names, (number % 3) as u8, 5)
                })
                .collect();
            all[7] = all[6];
            all[8].interface = InterfaceIndex(4711).into();
            all[9].next_hop = names.router(0, 9);
            all[9].interface = luid("e1").into();
            let outcomes = host.create_routes(&all).unwrap();
            assert_eq!(outcomes.len(), 2000);
            for (number, outcome) in outcomes.iter().enumerate() {
                match number {
                    7 => assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::AlreadyExists),
                    8 => assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::InterfaceNotFound),
                    9 => assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::InvalidParameter),
                    _ => assert_eq!(outcome.as_ref().unwrap().destination, all[number].destination),
                }
            }
            let shown = run(&format!("ip {} route show proto 105", names.flag));
            assert_eq!(shown.lines().count(), 1997);
            let again = host.create_routes(&all[..100]).unwrap();
            assert!(again.iter().all(|outcome| outcome.is_err()));
        }
    });
}

#[test]
fn the_metric_is_relative_to_that_of_the_interface() {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        let interface_metric = |family, name: &str, metric: Option<u32>| {
            let change = IpInterfaceChange {
                use_automatic_metric: Some(metric.is_none()),
                metric,
                ..Default::default()
            };
            let _ = host.set_ip_interface(family, luid(name), &change).unwrap();
        };
        for names in FAMILIES {
            let metrics =
                || -> Vec<_> { (0..2).map(|it| host.route(&key_of(names, it)).unwrap().metric).collect() };
            let shown = |metric: u32| {
                let shown = names.shown(names.prefix);
                shown
                    .iter()
                    .filter(|it| it.contains(&format!("metric {}", shown_metric(names, metric))))
                    .count()
            };
            interface_metric(names.family, "e0", Some(50));
            let made = host.create_route(&new(names, 0, 7)).unwrap();
            assert_eq!((made.metric, made.system_metric), (7, shown_metric(names, 57)));
            let _ = host.create_route(&new(names, 1, 7)).unwrap();
            assert_eq!((metrics(), shown(57), shown(7)), (vec![7, 7], 1, 1));
            interface_metric(names.family, "e0", Some(20));
            assert_eq!((metrics(), shown(27), shown(7)), (vec![7, 7], 1, 1), "{}", names.family);
            let _ = host.set_route(&key_of(names, 0), &RouteChange::metric(9)).unwrap();
            assert_eq!((metrics(), shown(29)), (vec![9, 7], 1));
            interface_metric(names.family, "e0", None);
            assert_eq!((metrics(), shown(9), shown(7)), (vec![9, 7], 1, 1), "back to what owners gave");
            // Of another owner, who gave 60.
            let _ = run(&format!("ip {} route add {} dev e2 metric 60", names.flag, names.prefix));
            interface_metric(names.family, "e2", Some(5));
            let other = key(names.prefix, names.none, "e2");
            assert_eq!(host.route(&other).unwrap().metric, 60);
            assert!(
                names.shown(names.prefix).iter().any(|it| it.contains("dev e2") && it.contains("metric 65"))
            );
            interface_metric(names.family, "e2", None);
        }
    });
}
