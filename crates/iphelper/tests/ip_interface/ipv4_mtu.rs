//! An IPv4 MTU below the IPv6 MTU, by that of the routes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host};
use iphelper_testkit::{NetNs, addresses_settle, eventually, isolated, receive, run, send_unfragmented};
use std::net::{SocketAddr, UdpSocket};

fn set(family: Family, change: &IpInterfaceChange) -> iphelper::Result<Vec<String>> {
    let host = Host::open()?;
    let index = host.interface_named("e0")?.index;
    let changes = host.set_ip_interface(family, index, change)?;
    Ok(changes
        .into_iter()
        .map(|it| format!("{} {} {}: {}", it.property, it.from, it.to, it.mechanism))
        .collect())
}

fn mtu(mtu: u32) -> IpInterfaceChange {
    IpInterfaceChange { nl_mtu: Some(mtu), ..Default::default() }
}

fn metric(metric: Option<u32>) -> IpInterfaceChange {
    IpInterfaceChange { use_automatic_metric: Some(metric.is_none()), metric, ..Default::default() }
}

fn mtus() -> [u32; 2] {
    let host = Host::open().unwrap();
    let index = host.interface_named("e0").unwrap().index;
    Family::ALL.map(|family| host.ip_interface(family, index).unwrap().nl_mtu)
}

/// All routes but ours, as `ip` shows them.
fn routes() -> String {
    let all = run("ip route show table all");
    all.lines().filter(|line| !line.contains("proto 105")).map(|line| format!("{line}\n")).collect()
}

/// Routes with an MTU of their own and without, also behind those of another interface to the same prefix.
fn interfaces(peer: &NetNs) {
    for name in ["e1", "e0"] {
        let _ = run(&format!("ip link add {name} type veth peer name {name} netns {}", peer.path()));
        let _ = run(&format!("ip link set {name} addrgenmode none up"));
        let _ = peer.sh(&format!("ip link set {name} addrgenmode none up"));
    }
    for command in [
        "ip addr add 10.0.0.1/24 dev e0",
        "ip addr add 10.9.0.1/24 dev e1",
        "ip addr add 10.9.0.2/24 dev e0",
        "ip addr add fd00::1/64 dev e0 nodad",
        "ip route add default via 10.0.0.9 dev e0 metric 100",
        "ip route add 192.0.2.0/24 via 10.0.0.9 mtu 900 proto 42",
        "ip route add 192.0.3.0/24 via 10.0.0.9 mtu 1000",
        "ip route add 192.0.4.0/24 via 10.0.0.9 mtu lock 1200 advmss 900",
        "ip route add 192.0.4.0/24 via 10.0.0.9 mtu 1300 metric 7 table 100",
        "ip route add 192.0.5.0/24 via 10.0.0.9 metric 5 mtu 1400",
        "ip route append 192.0.5.0/24 via 10.0.0.8 metric 5",
        "ip route add 192.0.6.0/24 dev e1 metric 3",
        "ip route append 192.0.6.0/24 dev e0 metric 3",
    ] {
        let _ = run(command);
    }
    let _ = peer.sh("ip addr add 10.0.0.9/24 dev e0");
    let _ = peer.sh("ip addr add fd00::9/64 dev e0 nodad");
    eventually("the kernel adds its own IPv6 routes", || {
        run("ip -6 route show table local").lines().count() >= 4
    });
    addresses_settle(&["e0", "e1"]);
    peer.addresses_settle(&["e0"]);
}

#[test]
fn every_ipv4_route_gets_the_mtu_and_loses_it_again() {
    let peer = NetNs::new();
    isolated(|| {
        interfaces(&peer);
        let before = routes();
        let told = set(Family::V4, &mtu(1000)).unwrap();
        assert_eq!(told, ["nl_mtu 1500 1000: RTAX_MTU of 8 IPv4 routes"]);
        assert_eq!(mtus(), [1000, 1500]);
        let lines = |start: &str, end: &str| {
            let shown = run("ip -4 route show table all");
            let matches =
                shown.lines().filter(|line| line.starts_with(start) && line.trim_end().ends_with(end));
            matches.count()
        };
        for (start, end, count) in [
            ("default", "metric 100 mtu 1000", 1),
            ("10.0.0.0/24", "src 10.0.0.1 mtu 1000", 1),
            ("10.9.0.0/24 dev e1", "src 10.9.0.1", 1),
            ("10.9.0.0/24 dev e0", "src 10.9.0.2 mtu 1000", 1),
            ("192.0.2.0/24", "mtu 900", 1),
            ("192.0.3.0/24", "mtu 1000", 1),
            ("192.0.4.0/24 via 10.0.0.9 dev e0 mtu", "mtu lock 1000 advmss 900", 1),
            ("192.0.4.0/24 via 10.0.0.9 dev e0 table 100", "mtu 1000", 1),
            ("192.0.5.0/24", "metric 5 mtu 1000", 2),
            ("192.0.6.0/24 dev e1", "metric 3", 1),
            ("192.0.6.0/24 dev e0", "mtu 1000", 1),
        ] {
            assert_eq!(lines(start, end), count, "{start} ... {end}: {}", run("ip -4 route show table all"));
        }
        // Another value, a route that is added since, a metric that moves all of them.
        let _ = set(Family::V4, &mtu(950)).unwrap();
        let _ = run("ip route add 192.0.7.0/24 dev e0");
        assert_eq!(set(Family::V4, &mtu(950)).unwrap(), ["nl_mtu 950 950: RTAX_MTU of 1 IPv4 route"]);
        assert_eq!(set(Family::V4, &mtu(950)).unwrap(), [""; 0]);
        let _ = set(Family::V4, &metric(Some(30))).unwrap();
        assert_eq!(lines("10.0.0.0/24", "metric 30 mtu 950"), 1, "{}", routes());
        let _ = run("ip route del 192.0.7.0/24");
        let _ = set(Family::V4, &mtu(1500)).unwrap();
        let _ = set(Family::V4, &metric(None)).unwrap();
        assert_eq!(mtus(), [1500, 1500]);
        let sorted = |routes: &str| {
            let mut lines: Vec<_> = routes.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&routes()), sorted(&before));
        assert!(!run("ip route show table all").contains("proto 105"));
    });
}

#[test]
fn the_way_back_is_exact_to_the_order_of_equal_routes() {
    let peer = NetNs::new();
    isolated(|| {
        interfaces(&peer);
        let before = routes();
        let _ = set(Family::V4, &mtu(1000)).unwrap();
        let _ = set(Family::V4, &mtu(1200)).unwrap();
        let _ = set(Family::V4, &mtu(1500)).unwrap();
        assert_eq!(routes(), before);
    });
}

#[test]
fn ipv4_packets_are_smaller_and_ipv6_packets_are_not() {
    let peer = NetNs::new();
    isolated(|| {
        interfaces(&peer);
        let at = |address: &str| -> SocketAddr { address.parse().unwrap() };
        let (v4, v6) = (at("10.0.0.9:5000"), at("[fd00::9]:5000"));
        let open = |at| peer.run(|| UdpSocket::bind(at).unwrap());
        let (peer_v4, peer_v6) = (open(v4), open(v6));
        let received = |socket: &UdpSocket| receive(socket, &mut [0; 2000]).0;
        let too_large = |to, len| {
            let error = send_unfragmented(to, len).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE), "{error}");
        };
        send_unfragmented(v4, 1500).unwrap();
        assert_eq!(received(&peer_v4), 1472);
        let _ = set(Family::V4, &mtu(1000)).unwrap();
        too_large(v4, 1001);
        send_unfragmented(v4, 1000).unwrap();
        assert_eq!(received(&peer_v4), 972);
        // Not locked: a larger packet that may be cut goes in pieces.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        assert_eq!(socket.send_to(&[0; 1800], v4).unwrap(), 1800);
        assert_eq!(received(&peer_v4), 1800);
        send_unfragmented(v6, 1500).unwrap();
        assert_eq!(received(&peer_v6), 1452);
        let _ = set(Family::V4, &mtu(1500)).unwrap();
        send_unfragmented(v4, 1500).unwrap();
        assert_eq!(received(&peer_v4), 1472);
    });
}
