//! Bytes of a kernel, and bytes of nobody.

use super::*;
use crate::captured::{bytes, message};
use crate::message::Messages;
use proptest::prelude::*;

const FULL: &str = include_str!("../../../captured/route-inet-full.hex");
const VIA_IPV6: &str = include_str!("../../../captured/route-inet-via-inet6.hex");
const OBJECT: &str = include_str!("../../../captured/route-inet-nexthop.hex");
const MULTIPATH_V4: &str = include_str!("../../../captured/route-inet-multipath.hex");
const EXPIRING: &str = include_str!("../../../captured/route-inet6-expires.hex");
const ADVERTISED: &str = include_str!("../../../captured/route-inet6-ra-default.hex");
const MULTIPATH_V6: &str = include_str!("../../../captured/route-inet6-multipath.hex");

fn read(text: &str) -> Route {
    Route::parse(&message(NEW_ROUTE, &bytes(text))).unwrap().unwrap()
}

/// What the kernel would be sent, read again.
fn again(route: &Route) -> Route {
    let bytes = route.add(0).finish(1).to_vec();
    Route::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap()
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[cfg(target_endian = "little")]
#[test]
fn an_ipv4_route_is_read_whole() {
    let route = read(FULL);
    assert_eq!((route.destination, route.destination_len), (ip("192.0.2.0"), 24));
    assert_eq!((route.table, route.protocol, route.scope, route.kind), (254, 42, 0, kind::UNICAST));
    assert_eq!((route.flags, route.priority, route.interface), (4, 100, Some(3)), "onlink");
    assert_eq!((route.gateway, route.preferred_source), (ip("10.0.0.2"), ip("10.0.0.1")));
    let metrics = &route.metrics;
    assert_eq!((metrics.get(metric::MTU), metrics.get(metric::LOCK)), (Some(1000), Some(4)));
    assert_eq!(metrics.get(metric::WINDOW), None);
    assert_eq!(again(&route), route);
}

#[cfg(target_endian = "little")]
#[test]
fn the_router_may_be_of_the_other_family() {
    let route = read(VIA_IPV6);
    assert_eq!((route.table, route.gateway), (100, ip("fd00:1::2")));
    assert_eq!(again(&route), route);
}

#[cfg(target_endian = "little")]
#[test]
fn next_hops_keep_link_router_and_weight() {
    let route = read(MULTIPATH_V4);
    let hops: Vec<_> = route.next_hops.iter().map(|hop| (hop.interface, hop.gateway, hop.hops)).collect();
    assert_eq!(hops, [(3, ip("10.0.0.2"), 2), (2, ip("10.0.1.2"), 0)]);
    assert_eq!(again(&route), route);
    assert_eq!(route.interfaces().collect::<Vec<_>>(), [3, 2]);
    let route = read(MULTIPATH_V6);
    assert_eq!(route.next_hops.len(), 2);
    assert_eq!(again(&route), Route { expires: None, ..route });
}

#[cfg(target_endian = "little")]
#[test]
fn a_next_hop_object_is_sent_without_what_it_holds() {
    let route = read(OBJECT);
    assert_eq!((route.next_hop_id, route.interface, route.gateway), (Some(11), Some(3), ip("10.0.0.9")));
    assert_eq!(again(&route), Route { interface: None, gateway: None, ..route });
}

#[cfg(target_endian = "little")]
#[test]
fn an_ipv6_route_keeps_its_end_and_preference() {
    let route = read(EXPIRING);
    assert_eq!((route.expires, route.preference, route.priority), (Some(59_987), Some(1), 100));
    let sent = again(&route);
    assert_eq!(sent.expires, Some(60_000), "whole seconds, rounded up");
    assert_eq!(sent, Route { expires: sent.expires, ..route.clone() });
    let bytes = route.delete().finish(1).to_vec();
    let deleted = Messages::new(&bytes).next().unwrap().unwrap();
    assert_eq!(deleted.header.kind, DELETE_ROUTE);
    assert_eq!(Route::parse(&deleted).unwrap().unwrap(), Route { expires: None, ..route });
}

#[test]
fn what_is_not_known_is_kept_and_state_is_not() {
    let mut route = Route::new(AF_INET, 7000);
    route.other.push((22, vec![1, 2, 3]));
    // Dead, on-link, no carrier, offloaded.
    route.flags = 1 | 4 | 16 | 0x4000;
    let sent = again(&route);
    assert_eq!((sent.flags, sent.table), (4, 7000));
    assert_eq!(sent.other, route.other);
}

#[test]
fn one_metric_changes_and_the_others_stay() {
    let mut metrics = Metrics::default();
    metrics.set(metric::MTU, Some(1000));
    let mut both = metrics.clone();
    both.set(metric::INITCWND, Some(4_000_000_000));
    both.set(metric::WINDOW, Some(5));
    assert_eq!(both.get(metric::INITCWND), Some(4_000_000_000));
    both.set(metric::WINDOW, Some(6));
    assert_eq!((both.get(metric::WINDOW), both.get(metric::MTU)), (Some(6), Some(1000)));
    both.set(metric::WINDOW, None);
    both.set(metric::INITCWND, None);
    assert_eq!(both, metrics);
    metrics.set(metric::MTU, None);
    assert!(metrics.is_empty());
}

fn over(links: &[u32]) -> Route {
    let hop =
        |link| NextHop { interface: link, gateway: ip("10.0.0.2"), hops: 0, flags: 1, other: Vec::new() };
    Route { next_hops: links.iter().map(|link| hop(*link)).collect(), ..Route::new(AF_INET, 254) }
}

#[cfg(target_endian = "little")]
#[test]
fn each_next_hop_is_a_route() {
    let advertised = read(ADVERTISED);
    assert_eq!((advertised.protocol, advertised.destination_len), (protocol::ROUTER_ADVERTISEMENT, 0));
    assert_eq!(advertised.clone().each_hop().collect::<Vec<_>>(), [advertised]);
    let hops: Vec<_> = read(MULTIPATH_V6).each_hop().collect();
    let seen: Vec<_> = hops.iter().map(|route| (route.interface, route.gateway)).collect();
    assert_eq!(seen, [(Some(2), ip("fe80::1")), (Some(2), ip("fe80::2"))]);
    for hop in hops {
        assert_eq!((hop.destination, hop.destination_len), (ip("2001:db8:5::"), 48));
        assert_eq!((hop.table, hop.priority, hop.next_hops.len()), (300, 7, 0));
    }
}

#[test]
fn hops_over_other_links_are_left_out() {
    let multipath = over(&[2, 3, 4]);
    let left = multipath.clone().settled().with_links(|link| link != 3).unwrap();
    assert_eq!(left.interfaces().collect::<Vec<_>>(), [2, 4]);
    assert!(left.next_hops.iter().all(|hop| hop.flags == 0), "state flags are left out");
    assert_eq!(multipath.clone().with_links(|_| false), None);
    assert_eq!(multipath.clone().with_links(|_| true), Some(multipath));
    let blackhole = Route { kind: kind::BLACKHOLE, ..over(&[]) };
    assert_eq!(blackhole.clone().with_links(|_| false), Some(blackhole.clone()));
    assert!(blackhole.is_direct() && !over(&[2]).is_direct());
}

#[test]
fn a_nexthop_object_is_named_or_its_hops_are() {
    let mut named = Route { next_hop_id: Some(9), ..over(&[2, 3]) };
    named.other.push((ENCAP, vec![1]));
    let all = named.clone().with_links(|_| true).unwrap();
    assert_eq!(all, Route { next_hop_id: Some(9), ..over(&[]) });
    assert!(again(&named).other.is_empty(), "the kernel refuses both together");
    let some = named.with_links(|link| link == 2).unwrap();
    assert_eq!((some.interfaces().collect::<Vec<_>>(), some.next_hop_id), (vec![2], None));
    let hidden = Route { next_hop_id: Some(9), ..over(&[]) };
    assert_eq!(hidden.with_links(|_| true), None, "which links it leads over is not known");
}

#[test]
fn other_messages_are_nothing_and_short_ones_an_error() {
    assert_eq!(Route::parse(&message(16, &[0; 32])), Ok(None));
    assert_eq!(Route::parse(&message(NEW_ROUTE, &[9; 12])), Ok(None));
    assert!(Route::parse(&message(NEW_ROUTE, &[10, 0, 0])).is_err());
}

#[test]
fn a_filter_is_part_of_the_request() {
    let filter =
        Filter { table: Some(7000), interface: Some(3), protocol: Some(42), advertised_prefixes: true };
    let mut request = dump(AF_INET6, filter);
    assert!(request.is_dump());
    let bytes = request.finish(1).to_vec();
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let (fixed, attributes) = message.split::<FIXED_LEN>("rtmsg").unwrap();
    assert_eq!((fixed[0], fixed[5]), (AF_INET6, 42));
    assert_eq!(fixed[8..], ADVERTISED_PREFIXES.to_ne_bytes());
    let attributes: Vec<_> = attributes.flatten().map(|a| (a.kind, a.u32().unwrap())).collect();
    assert_eq!(attributes, [(TABLE, 7000), (OIF, 3)]);
}

#[test]
fn a_next_hop_without_length_is_an_error() {
    let mut payload = vec![2, 0, 0, 0, 254, 9, 0, 1, 0, 0, 0, 0];
    let _ = payload.attribute(MULTIPATH, &[0, 0, 0, 0, 2, 0, 0, 0]);
    assert!(Route::parse(&message(NEW_ROUTE, &payload)).is_err(), "it would never end");
}

#[test]
fn announcements_tell_what_became_of_the_route() {
    let route = Route::new(AF_INET6, 254);
    let news = |mut request: Request| {
        let bytes = request.finish(1).to_vec();
        News::of(&Messages::new(&bytes).next().unwrap().unwrap())
    };
    assert_eq!(news(route.create_or_replace()), Some(News::Replaced));
    assert_eq!(news(route.add(CREATE)), Some(News::There));
    assert_eq!(news(route.delete()), Some(News::Gone));
    assert_eq!(news(dump(AF_INET6, Filter::default())), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        start in proptest::sample::select(vec![vec![], bytes(FULL), bytes(MULTIPATH_V4), bytes(EXPIRING)]),
        payload in proptest::collection::vec(any::<u8>(), 0..200),
        cut in 0..200_usize,
    ) {
        let mut bytes = start;
        bytes.truncate(cut);
        bytes.extend(payload);
        if let Ok(Some(route)) = Route::parse(&message(NEW_ROUTE, &bytes)) {
            let _ = route.add(0);
            let _ = route.clone().settled().with_links(|link| link % 2 == 0);
            for hop in route.each_hop() {
                let _ = hop.delete();
            }
        }
    }

    #[test]
    fn what_is_written_reads_back(
        priority: u32, table in 1_u32.., tos: u8, source: Option<[u8; 16]>, gateway: [u8; 4],
        mtu: Option<u32>, seconds in proptest::option::of(1..1_000_000_i32),
        other in proptest::collection::vec((31..200_u16, proptest::collection::vec(any::<u8>(), 0..40)), 0..4),
        hops in proptest::collection::vec((any::<u32>(), any::<u8>(), any::<Option<[u8; 4]>>()), 0..4),
    ) {
        let mut route = Route::new(AF_INET6, table);
        route.priority = priority;
        route.tos = tos;
        route.source = source.map(IpAddr::from);
        route.metrics.set(metric::MTU, mtu);
        route.expires = seconds.map(|seconds| seconds * 100);
        route.other = other;
        if hops.is_empty() {
            route.gateway = Some(IpAddr::from(gateway));
        }
        for (interface, hops, gateway) in hops {
            let gateway = gateway.map(IpAddr::from);
            route.next_hops.push(NextHop { interface, gateway, hops, flags: 4, other: Vec::new() });
        }
        prop_assert_eq!(again(&route), route);
    }
}
