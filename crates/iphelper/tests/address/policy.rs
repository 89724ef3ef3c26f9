//! Addresses that come and go beside the properties of their interfaces: packets are the judges.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::address::{NewUnicastAddress, UnicastAddressChange};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{eventually, run, try_run};
use std::net::IpAddr;

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);

/// A prefix that neither uplink has, this host's address in it, another one, and the router's.
struct Prefix {
    family: Family,
    text: &'static str,
    own: &'static str,
    second: &'static str,
    router: &'static str,
    len: u8,
}

const PREFIXES: [Prefix; 2] = [
    Prefix {
        family: Family::V4,
        text: "10.77.0.0/24",
        own: "10.77.0.2",
        second: "10.77.0.3",
        router: "10.77.0.1",
        len: 24,
    },
    Prefix {
        family: Family::V6,
        text: "2001:db8:77::/64",
        own: "2001:db8:77::2",
        second: "2001:db8:77::3",
        router: "2001:db8:77::1",
        len: 64,
    },
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn set(host: &Host, family: Family, index: InterfaceIndex, change: &IpInterfaceChange) {
    let _ = host.set_ip_interface(family, index, change).unwrap();
}

fn create(host: &Host, index: InterfaceIndex, address: &str, len: u8) {
    let new =
        NewUnicastAddress { on_link_prefix_length: Some(len), ..NewUnicastAddress::new(index, ip(address)) };
    let _ = host.create_unicast_address(&new).unwrap();
    eventually("detection is over", || {
        let row = host.unicast_address(index, ip(address)).unwrap();
        row.dad_state == iphelper::address::DadState::Preferred
    });
}

#[test]
fn a_new_address_of_a_strong_interface_leaves_by_it_at_once() {
    let uplinks = Uplinks::new();
    for it in PREFIXES {
        let ipv6 = it.family == Family::V6;
        uplinks.host.run(|| {
            let host = Host::open().unwrap();
            let strong = IpInterfaceChange { weak_host_send: Some(false), ..Default::default() };
            set(&host, it.family, E1, &strong);
            create(&host, E1, it.own, it.len);
        });
        assert_eq!(uplinks.udp(ipv6, Bound::Address(ip(it.own))), Way::E1, "{}", it.own);
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0);
        uplinks.host.run(|| {
            let host = Host::open().unwrap();
            let _ = host.delete_unicast_address(E1, ip(it.own)).unwrap();
            assert!(!run(&format!("ip -{} rule", if ipv6 { 6 } else { 4 })).contains(it.own));
        });
    }
}

#[test]
fn the_prefix_of_a_new_address_passes_the_guard_of_default_routes_at_once() {
    let uplinks = Uplinks::new();
    for it in PREFIXES {
        let nodad = if it.family == Family::V6 { "nodad" } else { "" };
        let router = format!("ip address add {}/{} dev near {nodad}", it.router, it.len);
        let _ = uplinks.routers[0].sh(&router);
        uplinks.routers[0].addresses_settle(&["near"]);
        uplinks.host.run(|| {
            let host = Host::open().unwrap();
            let disable = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
            set(&host, it.family, E0, &disable);
            let ping = format!("ping -c1 -W1 {}", it.router);
            let answers = || iphelper_testkit::ping(it.router);
            assert!(try_run(&ping).is_err(), "only the default route led there");
            create(&host, E0, it.own, it.len);
            answers();
            // Another address, then another prefix length: it goes on.
            create(&host, E0, it.second, it.len);
            let _ = host.delete_unicast_address(E0, ip(it.own)).unwrap();
            answers();
            let longer =
                UnicastAddressChange { on_link_prefix_length: Some(it.len + 4), ..Default::default() };
            let _ = host.set_unicast_address(E0, ip(it.second), &longer).unwrap();
            answers();
            // Without the address the guard holds again.
            let _ = host.delete_unicast_address(E0, ip(it.second)).unwrap();
            assert!(try_run(&ping).is_err());
        });
    }
}

#[test]
fn the_prefix_of_a_new_address_has_the_metric_of_its_interface() {
    let uplinks = Uplinks::new();
    for it in PREFIXES {
        let (ipv6, automatic) = (
            it.family == Family::V6,
            IpInterfaceChange { use_automatic_metric: Some(true), ..Default::default() },
        );
        let routes =
            || uplinks.host.run(|| run(&format!("ip -{} route show {}", if ipv6 { 6 } else { 4 }, it.text)));
        let host = uplinks.host.run(|| Host::open().unwrap());
        let metric =
            IpInterfaceChange { metric: Some(50), use_automatic_metric: Some(false), ..Default::default() };
        set(&host, it.family, E0, &metric);
        create(&host, E0, it.own, it.len);
        let moved = if ipv6 { "metric 306 " } else { "metric 50 " };
        assert!(routes().contains(moved), "{}", routes());
        // The second one of the prefix takes the first one's place with the same metric.
        create(&host, E0, it.second, it.len);
        let _ = host.delete_unicast_address(E0, ip(it.own)).unwrap();
        assert!(routes().contains(moved), "{}", routes());
        // Skipped as source, the prefix is still on the link.
        let skip = UnicastAddressChange { skip_as_source: Some(true), ..Default::default() };
        let _ = host.set_unicast_address(E0, ip(it.second), &skip).unwrap();
        assert!(routes().contains(if ipv6 { "metric 306 " } else { "metric 1074 " }), "{}", routes());
        set(&host, it.family, E0, &automatic);
        let skipped = host.unicast_address(E0, ip(it.second)).unwrap();
        assert!(skipped.skip_as_source, "{skipped:?}");
        assert!(routes().contains(if ipv6 { "metric 256 " } else { "metric 1024 " }), "{}", routes());
        set(&host, it.family, E0, &metric);
        // Another prefix length, as its owner gave the metric.
        let change = UnicastAddressChange { skip_as_source: Some(false), ..Default::default() };
        let _ = host.set_unicast_address(E0, ip(it.second), &change).unwrap();
        assert!(routes().contains(moved), "{}", routes());
        set(&host, it.family, E0, &automatic);
        assert!(!routes().contains("metric 50 ") && !routes().contains("306"), "{}", routes());
        assert!(!routes().contains("proto 106"), "{}", routes());
    }
}
