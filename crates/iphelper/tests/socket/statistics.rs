//! Each counter moves by exactly what a test sends, in both families, and by nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::statistics::{IcmpStatistics, IpStatistics, IpStatisticsChange, UdpStatistics};
use iphelper::tcp::TcpQuery;
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::{NetNs, eventually, isolated, receive, run, set_sysctl, sysctl, unprivileged};
use rustix::net::sockopt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

const FAMILIES: [(Family, IpAddr); 2] =
    [(Family::V4, IpAddr::V4(Ipv4Addr::LOCALHOST)), (Family::V6, IpAddr::V6(Ipv6Addr::LOCALHOST))];

/// Waits until `read` gives `expected`: the kernel may put off what it has to do for a packet. Says what differs if not.
fn settles<T: PartialEq + std::fmt::Debug>(read: impl Fn() -> T, expected: &T) {
    let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        eventually("the counters stand as expected", || read() == *expected);
    }));
    assert_eq!(read(), *expected, "{waited:?}");
}

fn all(host: &Host, family: Family) -> (IpStatistics, IcmpStatistics, UdpStatistics) {
    (
        host.ip_statistics(family).unwrap(),
        host.icmp_statistics(family).unwrap(),
        host.udp_statistics(family).unwrap(),
    )
}

/// The length of the next datagram.
fn received(receiver: &UdpSocket) -> usize {
    receive(receiver, &mut [0; 4000]).0
}

#[test]
fn datagrams_are_counted_one_by_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        for (family, address) in FAMILIES {
            let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
            let receiver = UdpSocket::bind((address, 0)).unwrap();
            let sender = UdpSocket::bind((address, 0)).unwrap();
            let nobody = UdpSocket::bind((address, 0)).unwrap().local_addr().unwrap();
            // A program that another test is about to start holds closed sockets, too, for a moment.
            let endpoints = |family| host.udp_statistics(family).unwrap().endpoints;
            eventually("nobody has the other port", || (endpoints(family), endpoints(other)) == (2, 0));
            let (before, untouched) = (all(&host, family), all(&host, other));
            for _ in 0..7 {
                assert_eq!(sender.send_to(&[1; 100], receiver.local_addr().unwrap()).unwrap(), 100);
            }
            for _ in 0..5 {
                let _ = received(&receiver);
            }
            for _ in 0..3 {
                let _ = sender.send_to(&[1], nobody).unwrap();
            }
            let (mut ip, mut icmp, mut udp) = before;
            udp.out_datagrams += 10;
            udp.in_datagrams += 5;
            udp.no_ports += 3;
            // Each datagram to nobody is answered with "port unreachable".
            let unreachable = if family == Family::V4 { 3 } else { 1 };
            for counters in [&mut icmp.received, &mut icmp.sent] {
                counters.messages += 3;
                counters.types[unreachable] += 3;
            }
            ip.out_requests += 13;
            ip.in_receives += 13;
            ip.in_delivers += 13;
            settles(|| all(&host, family), &(ip, icmp, udp));
            assert_eq!(all(&host, other), untouched, "{other} has no part in it");
            assert_eq!(host.udp_statistics(family).unwrap().endpoints, 2);
        }
    });
}

#[test]
fn what_finds_no_room_is_an_error() {
    isolated(|| {
        let host = Host::open().unwrap();
        for (family, address) in FAMILIES {
            let receiver = UdpSocket::bind((address, 0)).unwrap();
            receiver.set_nonblocking(true).unwrap();
            sockopt::set_socket_recv_buffer_size(&receiver, 2048).unwrap();
            let sender = UdpSocket::bind((address, 0)).unwrap();
            let before = host.udp_statistics(family).unwrap();
            for _ in 0..50 {
                let _ = sender.send_to(&[1; 1000], receiver.local_addr().unwrap()).unwrap();
            }
            let (mut read, mut after) = (0, before.clone());
            eventually("each was taken or found no room", || {
                while receiver.recv(&mut [0; 2000]).is_ok() {
                    read += 1;
                }
                after = host.udp_statistics(family).unwrap();
                after.in_errors - before.in_errors == 50 - read
            });
            assert!(read < 50, "all found room");
            assert_eq!(after.in_datagrams - before.in_datagrams, read);
            assert_eq!((after.out_datagrams - before.out_datagrams, after.no_ports), (50, before.no_ports));
        }
    });
}

#[test]
fn connections_and_segments_are_counted() {
    isolated(|| {
        let host = Host::open().unwrap();
        for (family, address) in FAMILIES {
            let listener = TcpListener::bind((address, 0)).unwrap();
            let nobody = TcpListener::bind((address, 0)).unwrap().local_addr().unwrap();
            // A program that another test is about to start holds closed sockets, too, for a moment.
            let listeners = || host.tcp_connections(&TcpQuery::default()).unwrap().len();
            eventually("nobody has the other port", || listeners() == 1);
            let before = host.tcp_statistics(Some(family)).unwrap();
            assert_eq!((before.current_established, before.connections), (0, 0));
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            let mut expected = before.clone();
            expected.active_opens += 1;
            expected.passive_opens += 1;
            // SYN, SYN and ACK, ACK.
            expected.out_segments += 3;
            expected.in_segments += 3;
            (expected.current_established, expected.connections) = (2, 2);
            settles(|| host.tcp_statistics(Some(family)).unwrap(), &expected);
            let mut other = expected.clone();
            (other.current_established, other.connections) = (0, 0);
            let other_family = if family == Family::V4 { Family::V6 } else { Family::V4 };
            assert_eq!(host.tcp_statistics(Some(other_family)).unwrap(), other, "Linux counts both together");
            assert_eq!(host.tcp_statistics(None).unwrap(), expected);

            // SYN, RST.
            let _ = TcpStream::connect(nobody).unwrap_err();
            expected.active_opens += 1;
            expected.attempt_fails += 1;
            expected.out_segments += 2;
            expected.in_segments += 2;
            expected.out_resets += 1;
            settles(|| host.tcp_statistics(Some(family)).unwrap(), &expected);

            // One RST ends both ends.
            sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
            drop(client);
            expected.established_resets += 2;
            expected.out_segments += 1;
            expected.in_segments += 1;
            expected.out_resets += 1;
            (expected.current_established, expected.connections) = (0, 0);
            settles(|| host.tcp_statistics(Some(family)).unwrap(), &expected);
            drop(server);
        }
        let tcp = host.tcp_statistics(None).unwrap();
        assert_eq!((tcp.rto_min, tcp.rto_max), (Duration::from_millis(200), Duration::from_secs(120)));
        assert_eq!((tcp.rto_algorithm.0, tcp.max_connections), (1, None));
    });
}

/// Two hosts and a router between them: 10.0.1.1 - .2 and 10.0.2.2 - .1.
fn routed() -> [NetNs; 3] {
    let [left, router, right] = [NetNs::new(), NetNs::new(), NetNs::new()];
    left.veth("e0", &router, "r0");
    router.veth("r1", &right, "e1");
    let _ = left.sh("ip addr add 10.0.1.1/24 dev e0");
    let _ = left.sh("ip route add default via 10.0.1.2");
    let _ = router.sh("ip addr add 10.0.1.2/24 dev r0");
    let _ = router.sh("ip addr add 10.0.2.2/24 dev r1");
    let _ = right.sh("ip addr add 10.0.2.1/24 dev e1");
    let _ = right.sh("ip route add default via 10.0.2.2");
    [left, router, right]
}

#[test]
fn a_router_counts_what_it_forwards_and_what_it_does_not() {
    let [left, router, right] = routed();
    let routing = router.run(|| Host::open().unwrap());
    let sending = left.run(|| Host::open().unwrap());
    let receiver = right.run(|| UdpSocket::bind("10.0.2.1:5000").unwrap());
    let sender = left.run(|| UdpSocket::bind("10.0.1.1:5000").unwrap());
    let read = || routing.ip_statistics(Family::V4).unwrap();

    // Not a router yet: for somebody else.
    let before = read();
    assert!(!before.forwarding);
    let _ = sender.send_to(&[1], "10.0.2.1:5000").unwrap();
    eventually("the packet is refused", || read().in_address_errors == before.in_address_errors + 1);
    let changes = router.run(|| {
        let change = IpStatisticsChange { forwarding: Some(true), ..IpStatisticsChange::default() };
        routing.set_ip_statistics(Family::V4, &change).unwrap()
    });
    assert_eq!(changes[0].mechanism, "net.ipv4.ip_forward");
    let before = read();
    assert!(before.forwarding);
    for _ in 0..4 {
        let _ = sender.send_to(&[1], "10.0.2.1:5000").unwrap();
        let _ = received(&receiver);
    }
    let mut expected = before.clone();
    expected.in_receives += 4;
    expected.forwarded_datagrams += 4;
    settles(read, &expected);

    // A time to live that ends at the router.
    let before = (read(), routing.icmp_statistics(Family::V4).unwrap());
    sender.set_ttl(1).unwrap();
    let _ = sender.send_to(&[1], "10.0.2.1:5000").unwrap();
    eventually("the router answers", || {
        routing.icmp_statistics(Family::V4).unwrap().sent.types[11] == before.1.sent.types[11] + 1
    });
    let (mut ip, mut icmp) = before;
    ip.in_receives += 1;
    ip.in_header_errors += 1;
    ip.out_requests += 1;
    icmp.sent.messages += 1;
    icmp.sent.types[11] += 1;
    settles(|| (read(), routing.icmp_statistics(Family::V4).unwrap()), &(ip, icmp));
    eventually("the sender hears of it", || {
        sending.icmp_statistics(Family::V4).unwrap().received.types[11] == 1
    });

    // No way out.
    let before = sending.ip_statistics(Family::V4).unwrap();
    let _ = left.sh("ip route del default");
    assert!(sender.send_to(&[1], "10.0.2.1:5000").is_err());
    let after = sending.ip_statistics(Family::V4).unwrap();
    assert_eq!(after.out_no_routes, before.out_no_routes + 1);
    assert_eq!(after.routes, before.routes - 1);
}

#[test]
fn an_ipv6_router_counts_what_it_forwards_and_what_it_does_not() {
    let [left, router, right] = [NetNs::new(), NetNs::new(), NetNs::new()];
    for namespace in [&left, &router, &right] {
        namespace.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    }
    left.veth("e0", &router, "r0");
    router.veth("r1", &right, "e1");
    for (namespace, address, name) in [
        (&left, "fd00:1::1", "e0"),
        (&router, "fd00:1::2", "r0"),
        (&router, "fd00:2::2", "r1"),
        (&right, "fd00:2::1", "e1"),
    ] {
        let _ = namespace.sh(&format!("ip addr add {address}/64 dev {name} nodad"));
        namespace.addresses_settle(&[name]);
    }
    let _ = left.sh("ip -6 route add default via fd00:1::2");
    let _ = right.sh("ip -6 route add default via fd00:2::2");
    let routing = router.run(|| {
        set_sysctl("ipv6/conf/all/forwarding", "1");
        Host::open().unwrap()
    });
    let sending = left.run(|| Host::open().unwrap());
    let receiver = right.run(|| UdpSocket::bind("[fd00:2::1]:5000").unwrap());
    let sender = left.run(|| UdpSocket::bind("[fd00:1::1]:5000").unwrap());
    // Neighbours are asked for at times of the kernel's choice, so that what is received has no exact count here.
    let read = || routing.ip_statistics(Family::V6).unwrap();
    let _ = sender.send_to(&[1], "[fd00:2::1]:5000").unwrap();
    let _ = received(&receiver);
    let before = read();
    assert!(before.forwarding);
    for _ in 0..4 {
        let _ = sender.send_to(&[1], "[fd00:2::1]:5000").unwrap();
        let _ = received(&receiver);
    }
    assert_eq!(read().forwarded_datagrams, before.forwarded_datagrams + 4);

    // A hop limit that ends at the router.
    let before = (read(), routing.icmp_statistics(Family::V6).unwrap());
    sockopt::set_ipv6_unicast_hops(&sender, Some(1)).unwrap();
    let _ = sender.send_to(&[1], "[fd00:2::1]:5000").unwrap();
    eventually("the router answers", || {
        routing.icmp_statistics(Family::V6).unwrap().sent.types[3] == before.1.sent.types[3] + 1
    });
    let after = read();
    assert_eq!(after.in_header_errors, before.0.in_header_errors + 1);
    assert_eq!(after.forwarded_datagrams, before.0.forwarded_datagrams);
    eventually("the sender hears of it", || {
        sending.icmp_statistics(Family::V6).unwrap().received.types[3] == 1
    });

    // No way out.
    let before = sending.ip_statistics(Family::V6).unwrap();
    let _ = left.sh("ip -6 route del default");
    assert!(sender.send_to(&[1], "[fd00:2::1]:5000").is_err());
    let after = sending.ip_statistics(Family::V6).unwrap();
    assert_eq!(after.out_no_routes, before.out_no_routes + 1);
    assert_eq!(after.routes, before.routes - 1);
}

#[test]
fn fragments_are_counted_on_both_sides() {
    let (here, there) = (NetNs::new(), NetNs::new());
    for namespace in [&here, &there] {
        namespace.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    }
    here.veth("e0", &there, "e1");
    let _ = here.sh("ip addr add 10.0.0.1/24 dev e0");
    let _ = here.sh("ip addr add fd00::1/64 dev e0 nodad");
    let _ = there.sh("ip addr add 10.0.0.2/24 dev e1");
    let _ = there.sh("ip addr add fd00::2/64 dev e1 nodad");
    here.addresses_settle(&["e0"]);
    there.addresses_settle(&["e1"]);
    let (sending, receiving) = (here.run(|| Host::open().unwrap()), there.run(|| Host::open().unwrap()));
    for (family, from, to) in
        [(Family::V4, "10.0.0.1:0", "10.0.0.2:5000"), (Family::V6, "[fd00::1]:0", "[fd00::2]:5000")]
    {
        let receiver = there.run(|| UdpSocket::bind(to).unwrap());
        let sender = here.run(|| UdpSocket::bind(from).unwrap());
        let read = |host: &Host| host.ip_statistics(family).unwrap();
        let before = (read(&sending), read(&receiving));
        let to: SocketAddr = to.parse().unwrap();
        // 3,008 bytes in pieces of 1,480 or 1,448.
        assert_eq!(sender.send_to(&[7; 3000], to).unwrap(), 3000);
        assert_eq!(received(&receiver), 3000);
        let after = (read(&sending), read(&receiving));
        assert_eq!(after.0.fragment_ok, before.0.fragment_ok + 1, "{family}");
        assert_eq!(after.0.fragments_created, before.0.fragments_created + 3, "{family}");
        assert_eq!(after.0.fragment_failures, before.0.fragment_failures);
        assert_eq!(after.1.reassembly_required, before.1.reassembly_required + 3, "{family}");
        assert_eq!(after.1.reassembly_ok, before.1.reassembly_ok + 1, "{family}");
        assert_eq!(after.1.reassembly_failures, before.1.reassembly_failures);
    }
}

#[test]
fn settings_and_sizes_are_the_kernels_own() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    here.veth("e0", &there, "e1");
    // Its IPv6 addresses have routes of their own in the end.
    here.addresses_settle(&["e0"]);
    here.run(|| {
        let host = Host::open().unwrap();
        let _ = run("ip addr add 10.0.0.1/24 dev e0");
        let lines = |command: &str| u64::try_from(run(command).lines().count()).unwrap();
        set_sysctl("ipv4/ipfrag_time", "41");
        set_sysctl("ipv6/ip6frag_time", "42");
        set_sysctl("ipv4/ip_default_ttl", "43");
        set_sysctl("ipv6/conf/default/hop_limit", "44");
        let four = host.ip_statistics(Family::V4).unwrap();
        assert_eq!((four.reassembly_timeout, four.default_ttl), (Duration::from_secs(41), 43));
        assert_eq!((four.interfaces, four.addresses), (2, lines("ip -o -4 addr show")));
        let tables = |family| {
            lines(&format!("ip {family} route show table main"))
                + lines(&format!("ip {family} route show table local"))
        };
        assert_eq!(four.routes, tables("-4"));
        let six = host.ip_statistics(Family::V6).unwrap();
        assert_eq!((six.reassembly_timeout, six.default_ttl), (Duration::from_secs(42), 44));
        assert_eq!((six.interfaces, six.addresses), (2, lines("ip -o -6 addr show")));
        assert_eq!(six.routes, tables("-6"));
        assert_eq!((six.routing_discards, four.routing_discards), (None, None));
    });
}

#[test]
fn the_default_time_to_live_is_set_where_it_is_followed() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let host = Host::open().unwrap();
        let change = |ttl| IpStatisticsChange { default_ttl: Some(ttl), forwarding: None };
        assert_eq!(host.plan_set_ip_statistics(Family::V4, &change(77)).unwrap().len(), 1);
        assert_eq!(sysctl("ipv4/ip_default_ttl"), "64", "a plan writes nothing");
        let changes = host.set_ip_statistics(Family::V4, &change(77)).unwrap();
        assert_eq!((changes[0].from.as_str(), changes[0].to.as_str()), ("64", "77"));
        assert_eq!(sysctl("ipv4/ip_default_ttl"), "77");
        assert_eq!(host.set_ip_statistics(Family::V4, &change(77)).unwrap(), [], "no change");
        assert_eq!(sysctl("ipv6/conf/e0/hop_limit"), "64", "the other family");

        set_sysctl("ipv6/conf/lo/hop_limit", "33");
        let changes = host.set_ip_statistics(Family::V6, &change(88)).unwrap();
        let objects: Vec<_> = changes.iter().map(|change| change.mechanism.as_str()).collect();
        let expected = ["default", "all", "e0"].map(|name| format!("net.ipv6.conf.{name}.hop_limit"));
        assert_eq!(objects, expected);
        let limits =
            ["default", "all", "e0", "lo"].map(|name| sysctl(&format!("ipv6/conf/{name}/hop_limit")));
        assert_eq!(limits, ["88", "88", "88", "33"], "one that was set otherwise stays");
        assert_eq!(host.ip_statistics(Family::V6).unwrap().default_ttl, 88);

        let forwarding = |on| IpStatisticsChange { forwarding: Some(on), default_ttl: None };
        assert_eq!(
            host.set_ip_statistics(Family::V6, &forwarding(false)).unwrap(),
            [],
            "it does not forward"
        );
        let error = host.set_ip_statistics(Family::V6, &forwarding(true)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        for family in [Family::V4, Family::V6] {
            let error = host.set_ip_statistics(family, &change(0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter);
            let error = unprivileged(|| host.set_ip_statistics(family, &change(99)).unwrap_err());
            assert_eq!(error.kind(), ErrorKind::AccessDenied);
            assert!(
                unprivileged(|| host.plan_set_ip_statistics(family, &change(99))).is_ok(),
                "a plan needs no privilege"
            );
        }
        let _ = host.set_ip_statistics(Family::V4, &forwarding(true)).unwrap();
        assert_eq!((sysctl("ipv4/ip_forward"), sysctl("ipv4/conf/e0/forwarding")), ("1".into(), "1".into()));
        let both = IpStatisticsChange { forwarding: Some(false), default_ttl: Some(64) };
        assert_eq!(host.set_ip_statistics(Family::V4, &both).unwrap().len(), 2);
        assert_eq!((sysctl("ipv4/ip_forward"), sysctl("ipv4/ip_default_ttl")), ("0".into(), "64".into()));
    });
}
