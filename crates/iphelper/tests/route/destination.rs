//! Destinations sorted by RFC 6724, with real routes, sources and labels.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::destination::Destination;
use iphelper::{Host, InterfaceIndex};
use iphelper_testkit::isolated;
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{run, try_run};
use std::net::IpAddr;

fn order(host: &Host, destinations: &[&str]) -> Vec<String> {
    let destinations: Vec<Destination> =
        destinations.iter().map(|text| text.parse::<IpAddr>().unwrap().into()).collect();
    let pairs = host.sort_destinations(&destinations).unwrap();
    let mut places: Vec<usize> = pairs.iter().map(|pair| pair.place).collect();
    for pair in &pairs {
        assert_eq!(destinations[pair.place], pair.destination);
    }
    places.sort_unstable();
    assert!(places.into_iter().eq(0..destinations.len()), "each once");
    pairs.iter().map(|pair| pair.destination.address.to_string()).collect()
}

#[test]
fn sources_are_those_that_the_kernel_chooses() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let server = [false, true].map(|ipv6| Uplinks::server_address(ipv6).to_string());
    let [ipv4, ipv6] = [server[0].as_str(), server[1].as_str()];
    // A configuration of this computer's decides between families; without one IPv6 is preferred.
    let has_configuration = std::fs::read_to_string("/etc/gai.conf")
        .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("precedence")));
    if !has_configuration {
        assert_eq!(order(&host, &[ipv4, ipv6]), [ipv6, ipv4]);
    }
    let pairs = host.sort_destinations(&[Uplinks::server_address(false).into()]).unwrap();
    assert_eq!(pairs[0].source, Some(Uplinks::address(0, false)));

    // Without a way it goes last, and has no source.
    let _ = uplinks.host.sh("ip -6 route delete default dev e0");
    let _ = uplinks.host.sh("ip -6 route delete default dev e1");
    assert_eq!(order(&host, &[ipv6, ipv4]), [ipv4, ipv6]);
    let pairs = host.sort_destinations(&[Uplinks::server_address(true).into()]).unwrap();
    assert_eq!(pairs[0].source, None);

    // A deprecated source: on the link of e1 all addresses are deprecated, on e0 none is.
    let _ = uplinks.host.sh("ip -6 address change 2001:db8:2::2/64 dev e1 preferred_lft 0");
    assert_eq!(order(&host, &["2001:db8:2::1", "2001:db8:1::1"]), ["2001:db8:1::1", "2001:db8:2::1"]);
}

#[test]
fn labels_are_the_kernels() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let destinations = ["2001:db8:1::1", "2001:db8:2::1"];
    assert_eq!(order(&host, &destinations), destinations);
    // The destination's label is no longer that of its source.
    if let Err(error) = uplinks.host.run(|| try_run("ip addrlabel add prefix 2001:db8:1::1/128 label 99")) {
        eprintln!("skipped: labels cannot be added here: {error}");
        return;
    }
    assert_eq!(order(&host, &destinations), ["2001:db8:2::1", "2001:db8:1::1"]);
}

#[test]
fn a_zone_tells_which_link() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let address = "fe80::77".parse().unwrap();
    let zones = [Some(InterfaceIndex(3)), Some(InterfaceIndex(99)), Some(InterfaceIndex(2))];
    let destinations = zones.map(|zone| Destination { address, zone });
    let pairs = host.sort_destinations(&destinations).unwrap();
    assert_eq!(pairs.iter().map(|pair| pair.place).collect::<Vec<_>>(), [0, 2, 1]);
    let own = |interface: &str| uplinks.host.sh(&format!("ip -6 -o address show dev {interface} scope link"));
    for (pair, interface) in pairs.iter().zip(["e1", "e0"]) {
        assert!(own(interface).contains(&pair.source.unwrap().to_string()), "{pair:?}");
    }
    assert_eq!(pairs[2].source, None, "no such link");
}

#[test]
fn nothing_to_sort() {
    isolated(|| {
        let host = Host::open().unwrap();
        assert!(host.sort_destinations(&[]).unwrap().is_empty());
        let many: Vec<Destination> = (0..500_u32).map(|n| IpAddr::from(n.to_be_bytes()).into()).collect();
        assert_eq!(host.sort_destinations(&many).unwrap().len(), 500);
        let _ = run("ip link set lo down");
        assert_eq!(host.sort_destinations(&many).unwrap().len(), 500);
    });
}
