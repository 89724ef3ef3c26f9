//! What the host has learnt of paths: MTUs by real ICMP "fragmentation needed" and "packet too big", times by real
//! connections, compared with `ip tcp_metrics`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::path::{Path, PathKey};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{eventually, isolated, run, send_unfragmented, unprivileged};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const EMSGSIZE: i32 = 90;

fn host(uplinks: &Uplinks) -> Host {
    uplinks.host.run(|| Host::open().unwrap())
}

fn key(destination: IpAddr) -> PathKey {
    PathKey { destination, interface: None, source: None }
}

/// The first router's way on takes smaller packets only, and the host has been told so.
fn learnt(uplinks: &Uplinks, mtu: u32) {
    let _ = uplinks.routers[0].sh(&format!("ip link set far mtu {mtu}"));
    for ipv6 in [false, true] {
        let server = SocketAddr::new(Uplinks::server_address(ipv6), 9);
        eventually("the router complains", || {
            let sent = uplinks.host.run(|| send_unfragmented(server, 1500));
            sent.is_err_and(|error| error.raw_os_error() == Some(EMSGSIZE))
        });
    }
}

fn find(paths: &[Path], destination: IpAddr) -> Option<&Path> {
    paths.iter().find(|path| path.destination == destination)
}

#[test]
fn a_router_that_complains_makes_a_path_and_a_flush_forgets_it() {
    let uplinks = Uplinks::new();
    let host = host(&uplinks);
    assert_eq!(host.paths(None).unwrap(), []);
    learnt(&uplinks, 1400);
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = Uplinks::server_address(ipv6);
        let paths = uplinks.host.run(|| unprivileged(|| host.paths(Some(family)).unwrap()));
        assert_eq!(paths.len(), 1, "{paths:#?}");
        let path = find(&paths, server).unwrap();
        assert_eq!(path.path_mtu, 1400);
        assert_eq!(path.index, InterfaceIndex(2));
        assert_eq!(path.next_hop, Some(Uplinks::router_address(0, ipv6)));
        assert_eq!(path.source, Some(Uplinks::address(0, ipv6)));
        let expires = path.expires.unwrap().as_secs();
        assert!((1..=600).contains(&expires), "{expires}");
        assert_eq!(path.link_transmit_speed, Some(10_000_000_000));
        // `ip` sees the same.
        let flag = if ipv6 { "-6" } else { "-4" };
        let shown = uplinks.host.sh(&format!("ip {flag} route get {server}"));
        assert!(shown.contains("mtu 1400"), "{shown}");

        let one = host.path(&key(server)).unwrap();
        assert_eq!((one.path_mtu, one.luid), (1400, path.luid));
        let over = |index| PathKey { interface: Some(InterfaceIndex(index).into()), ..key(server) };
        assert_eq!(host.path(&over(2)).unwrap().path_mtu, 1400);
        assert_eq!(host.path(&over(3)).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(host.path(&over(77)).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
        let router = key(Uplinks::router_address(0, ipv6));
        assert_eq!(host.path(&router).unwrap_err().kind(), ErrorKind::NotFound, "nothing learnt");
        let other = Uplinks::address(1, ipv6);
        let from = |source| PathKey { source: Some(source), ..key(server) };
        assert_eq!(host.path(&from(other)).unwrap().source, Some(other));
        assert_eq!(host.path(&from(server)).unwrap_err().kind(), ErrorKind::NotFound, "not ours");
    }
    let both = host.paths(None).unwrap();
    assert_eq!(both.len(), 2);
    assert!(both[0].destination.is_ipv4());

    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = SocketAddr::new(Uplinks::server_address(ipv6), 9);
        let denied = uplinks.host.run(|| unprivileged(|| host.flush_paths(Some(family)).unwrap_err()));
        assert_eq!(denied.kind(), ErrorKind::AccessDenied);
        assert_eq!(host.paths(Some(family)).unwrap().len(), 1);
        host.flush_paths(Some(family)).unwrap();
        assert_eq!(host.paths(Some(family)).unwrap(), []);
        // A large packet goes out again.
        uplinks.host.run(|| send_unfragmented(server, 1500)).unwrap();
    }
    host.flush_paths(None).unwrap();
}

/// A connection of the host to the server that says something, hears it again and ends.
fn talk(uplinks: &Uplinks, ipv6: bool) {
    let mut connection = uplinks.connection(ipv6);
    for _ in 0..5 {
        connection.write_all(b"how far?").unwrap();
        connection.read_exact(&mut [0; 8]).unwrap();
    }
}

#[test]
fn a_tcp_connection_makes_a_path_with_its_times_and_a_flush_forgets_it() {
    let uplinks = Uplinks::new();
    let host = host(&uplinks);
    let _server = uplinks.tcp_server();
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        talk(&uplinks, ipv6);
        let (server, own) = (Uplinks::server_address(ipv6), Uplinks::address(0, ipv6));
        let mut paths = Vec::new();
        eventually("the connection's end is known", || {
            paths = uplinks.host.run(|| unprivileged(|| host.paths(Some(family)).unwrap()));
            !paths.is_empty()
        });
        assert_eq!(paths.len(), 1, "{paths:#?}");
        let path = find(&paths, server).unwrap();
        assert_eq!((path.source, path.index), (Some(own), InterfaceIndex(2)));
        assert_eq!((path.next_hop, path.path_mtu), (Some(Uplinks::router_address(0, ipv6)), 1500));
        assert_eq!(path.expires, None);
        assert!(path.last_reachable.unwrap() < Duration::from_secs(600), "{path:#?}");
        // The same in the kernel's own tool.
        let shown = uplinks.host.sh(&format!("ip tcp_metrics show {server}"));
        let words: Vec<&str> = shown.split_whitespace().collect();
        let said = |name| {
            let at = words.iter().position(|word| *word == name).unwrap();
            let microseconds = words[at + 1].strip_suffix("us").unwrap().parse().unwrap();
            Some(Duration::from_micros(microseconds))
        };
        assert_eq!((path.round_trip, path.round_trip_deviation), (said("rtt"), said("rttvar")), "{shown}");
        assert!(shown.contains(&format!("source {own}")), "{shown}");

        let one = host.path(&key(server)).unwrap();
        assert_eq!((one.round_trip, one.source), (path.round_trip, path.source));
        let from = |source| PathKey { source: Some(source), ..key(server) };
        assert_eq!(host.path(&from(own)).unwrap().round_trip, path.round_trip);
        let other = Uplinks::address(1, ipv6);
        assert_eq!(host.path(&from(other)).unwrap_err().kind(), ErrorKind::NotFound, "another's times");
    }
    // Together with what a router said.
    let before = host.paths(None).unwrap();
    learnt(&uplinks, 1400);
    let after = host.paths(None).unwrap();
    assert_eq!((before.len(), after.len()), (2, 2), "{after:#?}");
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = Uplinks::server_address(ipv6);
        let [before, after] = [&before, &after].map(|paths| find(paths, server).unwrap());
        assert_eq!((after.path_mtu, after.round_trip), (1400, before.round_trip));
        assert!(after.round_trip.is_some() && after.expires.is_some(), "{after:#?}");
        if let Err(error) = host.flush_paths(Some(family)) {
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            assert!(error.to_string().contains("none of a container"), "{error}");
            eprintln!("skipped: in this user namespace TCP forgets nothing");
            let left = host.paths(Some(family)).unwrap();
            assert_eq!((left[0].path_mtu, left[0].round_trip), (1500, before.round_trip));
            continue;
        }
        assert_eq!(host.paths(Some(family)).unwrap(), []);
        assert!(!uplinks.host.sh("ip tcp_metrics show").contains(&server.to_string()));
    }
}

#[test]
fn an_interface_without_ipv6_has_no_ipv6_paths() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("sysctl -qw net.ipv6.conf.e0.disable_ipv6=1");
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        let over = PathKey { interface: Some(index.into()), ..key("2001:db8::1".parse().unwrap()) };
        assert_eq!(host.path(&over).unwrap_err().kind(), ErrorKind::NotFound);
    });
}
