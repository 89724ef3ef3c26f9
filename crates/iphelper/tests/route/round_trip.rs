//! How far away hosts are, over routers in namespaces.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::round_trip::RoundTripOptions;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{PATIENCE, run, set_sysctl, unprivileged};
use std::net::IpAddr;
use std::time::Duration;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn options(max_hops: u8) -> RoundTripOptions {
    RoundTripOptions { max_hops, patience: PATIENCE, attempts: 2 }
}

/// Routers and servers complain of many probes within a second too seldom otherwise.
fn uplinks() -> Uplinks {
    let uplinks = Uplinks::new();
    for namespace in [&uplinks.routers[0], &uplinks.routers[1], &uplinks.server] {
        namespace.run(|| {
            set_sysctl("ipv4/icmp_ratelimit", "0");
            set_sysctl("ipv6/icmp/ratelimit", "0");
        });
    }
    uplinks
}

fn distances(uplinks: &Uplinks) {
    let host = uplinks.host.run(|| Host::open().unwrap());
    for ipv6 in [false, true] {
        for (destination, hops) in [
            (Uplinks::server_address(ipv6), 2),
            (Uplinks::router_address(1, ipv6), 1),
            (Uplinks::address(0, ipv6), 1),
            (if ipv6 { ip("::1") } else { ip("127.0.0.1") }, 1),
        ] {
            for most in [hops, 3, 30] {
                let trip = host.round_trip(destination, &options(most)).unwrap();
                assert_eq!(trip.hops, hops, "{destination}, {most} at most");
                assert!(trip.time < PATIENCE);
            }
        }
        let error = host.round_trip(Uplinks::server_address(ipv6), &options(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostUnreachable, "{error}");
    }
}

#[test]
fn hops_are_counted_by_udp() {
    let uplinks = uplinks();
    // Nobody may have ping sockets in a new namespace.
    distances(&uplinks);
    // No privilege is needed.
    uplinks.host.run(|| {
        unprivileged(|| {
            let trip =
                Host::open().unwrap().round_trip(Uplinks::server_address(false), &options(30)).unwrap();
            assert_eq!(trip.hops, 2);
        });
    });
}

#[test]
fn hops_are_counted_by_echo() {
    let uplinks = uplinks();
    uplinks.host.run(|| set_sysctl("ipv4/ping_group_range", "0 0"));
    // Nothing but echoes comes through.
    uplinks.server.run(|| {
        let _ = run("nft add table inet t");
        let _ = run("nft add chain inet t c { type filter hook input priority 0 ; }");
        let _ = run("nft add rule inet t c meta l4proto udp drop");
    });
    distances(&uplinks);
}

#[test]
fn the_time_is_that_of_the_way() {
    let uplinks = uplinks();
    if uplinks.routers[0]
        .run(|| iphelper_testkit::try_run("tc qdisc add dev far root netem delay 60ms"))
        .is_err()
    {
        eprintln!("skipped: this kernel has no netem to delay packets with");
        return;
    }
    let host = uplinks.host.run(|| Host::open().unwrap());
    let trip = host.round_trip(Uplinks::server_address(false), &options(30)).unwrap();
    assert!(trip.time >= Duration::from_millis(60), "{:?}", trip.time);
}

#[test]
fn each_refusal_says_why() {
    let uplinks = uplinks();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let kind = |destination: &str, options: &RoundTripOptions| {
        host.round_trip(ip(destination), options).unwrap_err().kind()
    };
    assert_eq!(kind("127.0.0.1", &options(0)), ErrorKind::InvalidParameter);
    let _ = uplinks.host.sh("ip route add unreachable 198.51.100.0/24");
    assert_eq!(kind("198.51.100.1", &options(30)), ErrorKind::HostUnreachable);
    // The router has no route on.
    assert_eq!(kind("192.0.2.1", &options(30)), ErrorKind::HostUnreachable);
    // Nobody answers.
    let _ = uplinks.server.sh("nft add table inet t");
    uplinks.server.run(|| {
        let _ = run("nft add chain inet t c { type filter hook input priority 0 ; policy drop ; }");
    });
    let short = RoundTripOptions { patience: Duration::from_millis(200), ..options(30) };
    assert_eq!(kind("203.0.113.1", &short), ErrorKind::TimedOut);
    let _ = uplinks.host.sh("ip route delete default dev e0");
    let _ = uplinks.host.sh("ip route delete default dev e1");
    assert_eq!(kind("203.0.113.1", &short), ErrorKind::NetworkUnreachable);
}
