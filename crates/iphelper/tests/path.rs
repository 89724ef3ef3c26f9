//! Path MTUs that routers' complaints taught the host: real ICMP "fragmentation needed" and "packet too big".
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::path::{Path, PathKey};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{eventually, isolated, run, send_unfragmented, unprivileged};
use std::net::{IpAddr, SocketAddr};

iphelper_testkit::private_user_namespace!();

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
