//! Random sequences of create, set and delete end equal to what a model says and `ip -j` shows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::route_support::{FAMILIES, Names, interfaces, luid};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteChange, RouteKey, RouteQuery, RouteTables};
use iphelper::{ErrorKind, Family, Host, InterfaceLuid};
use iphelper_testkit::{isolated, run};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A route by numbers: prefix, interface, next hop (0: none).
type Name = (u8, u8, u8);

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(Name, u32),
    Set(Name, u32),
    Delete(Name),
    /// Another metric of an interface; 0: automatic.
    Interface(u8, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (0..3_u8, 0..3_u8, 0..3_u8);
    // Few metrics, so that routes meet.
    let metric = || prop_oneof![0..4_u32, Just(1024), Just(u32::MAX - 5000)];
    prop_oneof![
        6 => (name(), metric()).prop_map(|(name, metric)| Step::Create(name, metric)),
        3 => (name(), metric()).prop_map(|(name, metric)| Step::Set(name, metric)),
        3 => name().prop_map(Step::Delete),
        1 => (0..3_u8, 0..60_u32).prop_map(|(interface, metric)| Step::Interface(interface, metric * 20)),
    ]
}

fn key(names: Names, luids: &[InterfaceLuid], (prefix, interface, hop): Name) -> RouteKey {
    let prefix = match names.family {
        Family::V4 => ["192.0.2.0/24", "203.0.113.7/32", "0.0.0.0/0"],
        Family::V6 => ["2001:db8::/32", "2001:db8:7::7/128", "::/0"],
    }[usize::from(prefix)];
    let next_hop = match hop {
        0 => names.none.parse().unwrap(),
        hop => names.router(interface, hop + 1),
    };
    RouteKey::new(prefix.parse().unwrap(), next_hop, luids[usize::from(interface)])
}

/// What `ip` shows of the routes that a model is about: destination, next hop, interface, and metric.
fn shown(names: Names) -> Vec<(String, String, String, u32)> {
    let json = run(&format!("ip {} -j route show proto 105", names.flag));
    let routes: serde_json::Value = serde_json::from_str(&json).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let mut shown: Vec<_> = routes
        .as_array()
        .unwrap()
        .iter()
        .map(|route| {
            assert!(route["nexthops"].is_null(), "merged: {route}");
            (
                text(&route["dst"]).unwrap(),
                text(&route["gateway"]).unwrap_or_default(),
                text(&route["dev"]).unwrap(),
                u32::try_from(route["metric"].as_u64().unwrap_or(0)).unwrap(),
            )
        })
        .collect();
    shown.sort();
    shown
}

fn check(names: Names, steps: &[Step]) {
    isolated(|| {
        interfaces();
        let host = Host::open().unwrap();
        let luids = ["e0", "e1", "e2"].map(luid);
        let query = RouteQuery { family: Some(names.family), tables: RouteTables::One(254), interface: None };
        let before = shown(names);
        let mut model: BTreeMap<Name, u32> = BTreeMap::new();
        let mut offsets = [0; 3];
        for step in steps {
            match *step {
                Step::Create(name, metric) => {
                    let key = key(names, &luids, name);
                    let new = NewRoute::new(key.destination, key.next_hop, key.interface).with_metric(metric);
                    let made = host.create_route(&new);
                    match model.entry(name) {
                        Entry::Occupied(_) => {
                            assert_eq!(made.unwrap_err().kind(), ErrorKind::AlreadyExists, "{step:?}");
                        }
                        Entry::Vacant(place) => {
                            assert_eq!(made.unwrap().metric, metric, "{step:?}");
                            let _ = place.insert(metric);
                        }
                    }
                }
                Step::Set(name, metric) => {
                    let changed = host.set_route(&key(names, &luids, name), &RouteChange::metric(metric));
                    match model.get_mut(&name) {
                        Some(known) => {
                            assert_eq!(changed.unwrap().len(), usize::from(*known != metric), "{step:?}");
                            *known = metric;
                        }
                        None => assert_eq!(changed.unwrap_err().kind(), ErrorKind::NotFound, "{step:?}"),
                    }
                }
                Step::Delete(name) => {
                    let gone = host.delete_route(&key(names, &luids, name));
                    match model.remove(&name) {
                        Some(metric) => assert_eq!(gone.unwrap().metric, metric, "{step:?}"),
                        None => assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound, "{step:?}"),
                    }
                }
                Step::Interface(interface, metric) => {
                    let metric = Some(metric).filter(|metric| *metric != 0);
                    let place = usize::from(interface);
                    let change = IpInterfaceChange {
                        use_automatic_metric: Some(metric.is_none()),
                        metric,
                        ..Default::default()
                    };
                    match host.set_ip_interface(names.family, luids[place], &change) {
                        Ok(_) => offsets[place] = metric.unwrap_or(0),
                        // IPv6 would merge routes of two interfaces, and nothing was done.
                        Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{step:?}: {error}"),
                    }
                }
            }
            // Every route, and no other, with the metric that it was given.
            let mut rows: Vec<_> = host
                .routes(&query)
                .unwrap()
                .into_iter()
                .filter(|row| row.system_protocol == 105)
                .map(|row| (row.destination, row.next_hop, row.luid, row.metric))
                .collect();
            let mut expected: Vec<_> = model
                .iter()
                .map(|(name, metric)| {
                    let key = key(names, &luids, *name);
                    (key.destination, key.next_hop, Some(luids[usize::from(name.1)]), *metric)
                })
                .collect();
            rows.sort();
            expected.sort();
            assert_eq!(rows, expected, "after {step:?}");
        }
        let ours = shown(names);
        assert_eq!(ours.len(), model.len(), "{ours:?}");
        if names.family == Family::V4 {
            let mut expected: Vec<_> = model
                .iter()
                .map(|((prefix, interface, hop), metric)| {
                    let destination = ["192.0.2.0/24", "203.0.113.7", "default"][usize::from(*prefix)];
                    let hop = match hop {
                        0 => String::new(),
                        hop => names.router(*interface, hop + 1).to_string(),
                    };
                    let metric = metric + offsets[usize::from(*interface)];
                    (destination.to_owned(), hop, format!("e{interface}"), metric)
                })
                .collect();
            expected.sort();
            assert_eq!(ours, expected);
        }
        for (place, luid) in luids.iter().enumerate() {
            let automatic = IpInterfaceChange { use_automatic_metric: Some(true), ..Default::default() };
            if let Err(error) = host.set_ip_interface(names.family, *luid, &automatic) {
                assert_eq!(error.kind(), ErrorKind::AlreadyExists, "e{place}: {error}");
            }
        }
        for name in model.keys() {
            let _ = host.delete_route(&key(names, &luids, *name)).unwrap();
        }
        assert_eq!(shown(names), before, "nothing is left");
    });
}

fn random(names: Names) {
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(step(), 1..40);
    TestRunner::new(config)
        .run(&steps, |steps| {
            check(names, &steps);
            Ok(())
        })
        .unwrap();
}

#[test]
fn ipv4_routes_end_as_the_model_says() {
    random(FAMILIES[0]);
}

#[test]
fn ipv6_routes_end_as_the_model_says() {
    random(FAMILIES[1]);
}
