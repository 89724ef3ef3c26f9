//! One stream for all classes, in an order that makes sense.

use crate::support::{wait_for, words};
use iphelper::notification::{ChangeKind, Classes, Subject, WatchOptions};
use iphelper::{Family, Host};
use iphelper_testkit::{isolated, run};
use std::collections::BTreeSet;

fn place(words: &[String], wanted: &str) -> usize {
    let found = words.iter().position(|it| it == wanted);
    found.unwrap_or_else(|| panic!("no {wanted:?} in {words:#?}"))
}

#[test]
fn an_interface_comes_before_what_it_has_and_goes_after_it() {
    isolated(|| {
        let mut watch = Host::open().unwrap().watch(WatchOptions::new(Classes::NETWORK)).unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip route add 203.0.113.0/24 via 192.0.2.7");
        let _ = run("ip neighbor add 192.0.2.7 lladdr 02:00:00:00:00:07 dev e0");
        let (_, events) = wait_for("neighbour", &mut watch, |event| {
            (words(event) == "+ neighbor 192.0.2.7 e0").then_some(())
        });
        let order: Vec<String> = events.iter().map(words).collect();
        let steps = ["+ interface e0", "+ ip IPv4 e0", "+ address 192.0.2.1 e0", "+ route 203.0.113.0/24"];
        let places: Vec<_> = steps.iter().map(|step| place(&order, step)).collect();
        assert!(places.is_sorted(), "{order:#?}");
        assert!(place(&order, "+ interface e0") < place(&order, "+ ip IPv6 e0"), "{order:#?}");

        let _ = run("ip link del e0");
        let (_, events) = wait_for("end of the interface", &mut watch, |event| {
            (words(event) == "- interface e0").then_some(())
        });
        let mut order: Vec<String> = events.iter().map(words).collect();
        order.push("- interface e0".to_owned());
        let route = "- route 203.0.113.0/24".to_owned();
        if !order.contains(&route) {
            let _ = wait_for("end of the route", &mut watch, |event| (words(event) == route).then_some(()));
        }
        for gone in ["- ip IPv4 e0", "- ip IPv6 e0", "- address 192.0.2.1 e0", "- neighbor 192.0.2.7 e0"] {
            assert!(place(&order, gone) < place(&order, "- interface e0"), "{order:#?}");
        }
    });
}

#[test]
fn only_what_was_asked_for_is_told() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mut routes = host.watch(WatchOptions::new(Classes::ROUTES).family(Some(Family::V6))).unwrap();
        let mut interfaces = host.watch(WatchOptions::new(Classes::INTERFACES)).unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip link set e0 mtu 1400");
        let _ = run("ip -6 route add 2001:db8::/48 dev e0");
        let _ = wait_for("route", &mut routes, |event| match &event.subject {
            Subject::Route(row) => {
                assert_eq!(row.family(), Family::V6);
                (row.destination.to_string() == "2001:db8::/48").then_some(())
            }
            other => panic!("{other:?}"),
        });
        let ((), before) = wait_for("MTU", &mut interfaces, |event| match &event.subject {
            Subject::Interface(row) => {
                let is_it = event.kind == ChangeKind::Parameter && row.mtu == 1400;
                is_it.then_some(())
            }
            other => panic!("{other:?}"),
        });
        let added: BTreeSet<_> =
            before.iter().filter(|event| event.kind == ChangeKind::Add).map(words).collect();
        assert_eq!(added, ["+ interface e0", "+ interface e1"].map(String::from).into());
    });
}

#[test]
fn a_class_that_is_asked_for_later_begins_with_nothing() {
    isolated(|| {
        let host = Host::open().unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        let mut first = host.watch(WatchOptions::new(Classes::INTERFACES)).unwrap();
        let _ = run("ip link set e0 up");
        let mut second = host.watch(WatchOptions::new(Classes::ROUTES | Classes::UNICAST_ADDRESSES)).unwrap();
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let (_, before) = wait_for("address", &mut second, |event| {
            (words(event) == "+ address 192.0.2.1 e0").then_some(())
        });
        assert!(before.is_empty(), "{before:#?}");
        drop(second);
        let _ = run("ip link set e0 mtu 1400");
        let (_, before) = wait_for("MTU", &mut first, |event| match &event.subject {
            Subject::Interface(row) => (row.mtu == 1400).then_some(()),
            _ => None,
        });
        assert!(before.iter().all(|event| matches!(event.subject, Subject::Interface(_))), "{before:#?}");
    });
}

#[test]
fn by_windows_key_a_route_is_one_whatever_metrics_it_has() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let host = Host::open().unwrap();
        let options = WatchOptions::new(Classes::ROUTES).family(Some(Family::V4));
        let mut by_windows = host.watch(options.by_windows_key(true)).unwrap();
        let mut by_kernel = host.watch(options).unwrap();
        for command in [
            "add 203.0.113.0/24 via 192.0.2.7 metric 5",
            "add 203.0.113.0/24 via 192.0.2.7 metric 9",
            "del 203.0.113.0/24 metric 5",
            "add 203.0.113.0/24 via 192.0.2.7 table 77",
            "add blackhole 203.0.113.0/25",
            "del 203.0.113.0/24 metric 9",
        ] {
            let _ = run(&format!("ip route {command}"));
        }
        let last = |event: &iphelper::notification::Event| {
            let Subject::Route(row) = &event.subject else { panic!("{event:?}") };
            (event.kind == ChangeKind::Delete && row.system_metric == 9).then_some(())
        };
        let (_, events) = wait_for("end", &mut by_windows, last);
        let told: Vec<_> = events
            .iter()
            .map(|event| match &event.subject {
                Subject::Route(row) => (event.kind, row.system_metric),
                other => panic!("{other:?}"),
            })
            .collect();
        // The second one changes nothing of the row, which is the first.
        assert_eq!(told, [(ChangeKind::Add, 5), (ChangeKind::Parameter, 9)]);
        let (_, events) = wait_for("end", &mut by_kernel, last);
        let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
        use ChangeKind::{Add, Delete};
        assert_eq!(kinds, [Add, Add, Delete, Add, Add]);
    });
}

#[test]
fn a_route_that_goes_unannounced_is_told() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip route add 203.0.113.0/24 dev e0");
        let _ = run("ip nexthop add id 5 dev e0");
        let mut watch = Host::open().unwrap().watch(WatchOptions::new(Classes::ROUTES)).unwrap();
        let gone = |watch: &mut _, what: &str| {
            let _ = wait_for(what, watch, |event| (words(event) == format!("- route {what}")).then_some(()));
        };
        let _ = run("ip link set e0 down");
        gone(&mut watch, "203.0.113.0/24");
        let _ = run("ip link set e0 up");
        let _ = run("ip nexthop add id 6 dev e0");
        let _ = run("ip route add 203.0.113.128/25 nhid 6");
        let _ = run("ip nexthop del id 6");
        gone(&mut watch, "203.0.113.128/25");
        let _ = run("ip route add 203.0.113.64/26 dev e0");
        let _ = run("ip link del e0");
        gone(&mut watch, "203.0.113.64/26");
    });
}

#[test]
fn a_neighbour_that_the_kernel_does_not_announce_is_found_by_looking() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e1 up");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let mut watch = Host::open().unwrap().watch(WatchOptions::new(Classes::NEIGHBORS)).unwrap();
        let _ = run("ip link set e0 up");
        // The physical address of a group is worked out, not asked for.
        let _ = iphelper_testkit::try_run("ping -c1 -W1 -I e0 224.0.0.77");
        assert!(run("ip neigh show nud noarp dev e0").contains("224.0.0.77"));
        let (event, _) = wait_for("group", &mut watch, |event| {
            (words(event) == "+ neighbor 224.0.0.77 e0").then(|| event.clone())
        });
        assert!(!event.resynchronised, "{event:?}");
        let _ = run("ip link set e0 down");
        let _ = wait_for("end of the group", &mut watch, |event| {
            (words(event) == "- neighbor 224.0.0.77 e0").then_some(())
        });
    });
}
