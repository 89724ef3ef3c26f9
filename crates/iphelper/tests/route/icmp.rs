//! Echo requests over loopback, links and routers, by ping sockets and raw ones, of both families.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use iphelper::icmp::{EchoOptions, EchoReply, EchoRequest, EchoStatus};
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{NetNs, PATIENCE, as_nobody, isolated, ping, run, set_sysctl, unprivileged};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Long enough for a busy host.
const PATIENT: Duration = PATIENCE;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn request(destination: IpAddr) -> EchoRequest {
    EchoRequest { timeout: PATIENT, ..EchoRequest::new(destination) }
}

/// Lets this namespace's users have ping sockets. A new namespace has none for anybody, so that raw ones are used; and a
/// user namespace of one group has no range to go back to that.
fn allow_ping_sockets(namespace: &NetNs) {
    namespace.run(|| set_sysctl("ipv4/ping_group_range", "0 0"));
}

/// Routers and servers complain of many requests within a second too seldom otherwise.
fn uplinks() -> Uplinks {
    let uplinks = Uplinks::new();
    for namespace in [&uplinks.host, &uplinks.routers[0], &uplinks.routers[1], &uplinks.server] {
        namespace.run(|| {
            set_sysctl("ipv4/icmp_ratelimit", "0");
            set_sysctl("ipv6/icmp/ratelimit", "0");
        });
    }
    uplinks
}

/// Runs `work` with both kinds of sockets and both families.
fn each(namespace: &NetNs, mut work: impl FnMut(&Host, bool, bool)) {
    let host = namespace.run(|| Host::open().unwrap());
    for raw in [true, false] {
        if !raw {
            allow_ping_sockets(namespace);
        }
        for ipv6 in [false, true] {
            work(&host, raw, ipv6);
        }
    }
}

/// Routes that say "unreachable" do so once a second, after the first five (`net.ipv4.route.error_burst`).
fn insistently(host: &Host, destination: IpAddr) -> EchoReply {
    let asked = EchoRequest { timeout: Duration::from_secs(1), ..request(destination) };
    let answered =
        (0..20).map(|_| host.echo(&asked).unwrap()).find(|reply| reply.status != EchoStatus::TimedOut);
    answered.unwrap_or_else(|| panic!("{destination}: nobody says anything"))
}

fn said(reply: &EchoReply) -> (EchoStatus, Option<IpAddr>) {
    (reply.status, reply.address)
}

#[test]
fn those_who_are_there_answer_with_what_was_sent() {
    let uplinks = uplinks();
    each(&uplinks.host, |host, raw, ipv6| {
        for (destination, ttl) in [
            (ip(if ipv6 { "::1" } else { "127.0.0.1" }), 64),
            (Uplinks::address(0, ipv6), 64),
            (Uplinks::router_address(1, ipv6), 64),
            (Uplinks::server_address(ipv6), 63),
        ] {
            for len in [0, 1, 32, 5000, if ipv6 { 65_527 } else { 65_507 }] {
                let data: Vec<u8> = (0..len).map(|position| (position % 251) as u8).collect();
                let reply = host.echo(&EchoRequest { data: data.clone(), ..request(destination) }).unwrap();
                assert_eq!(said(&reply), (EchoStatus::Success, Some(destination)), "raw {raw}, {len}");
                assert!(reply.data == data, "{destination}, raw {raw}: other data came back");
                assert_eq!(reply.ttl, Some(ttl), "{destination}, raw {raw}");
                assert_eq!(reply.sequence, 1);
                assert!(reply.round_trip_time < PATIENT);
            }
        }
        let long = EchoRequest { data: vec![0; 65_536], ..request(Uplinks::server_address(ipv6)) };
        assert_eq!(said(&host.echo(&long).unwrap()), (EchoStatus::PacketTooBig, None), "raw {raw}");
    });
}

#[test]
fn ordinary_users_have_ping_sockets_where_their_group_may() {
    isolated(|| {
        let host = Host::open().unwrap();
        for destination in ["127.0.0.1", "::1"] {
            let error = unprivileged(|| host.echo(&request(ip(destination)))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied);
            assert!(error.to_string().contains("net.ipv4.ping_group_range"), "{error}");
            assert!(error.to_string().contains("CAP_NET_RAW"), "{error}");
        }
        set_sysctl("ipv4/ping_group_range", "0 0");
        for destination in ["127.0.0.1", "::1"] {
            let reply = unprivileged(|| host.echo(&request(ip(destination)))).unwrap();
            assert_eq!(reply.status, EchoStatus::Success);
        }
        // Another user than root, where this user namespace has one.
        let status = as_nobody(&[], || {
            set_sysctl_as_root();
            host.echo(&request(ip("127.0.0.1"))).map(|reply| reply.status).map_err(|error| error.kind())
        });
        assert!(matches!(status, None | Some(Err(ErrorKind::AccessDenied))), "{status:?}");
        // The group is the primary one or one beside it.
        if sets_group(65_534) {
            let status = as_nobody(&[], || host.echo(&request(ip("127.0.0.1"))).unwrap().status);
            assert!(matches!(status, None | Some(EchoStatus::Success)), "{status:?}");
        }
    });
}

/// Nobody may write it; that is what this shows.
fn set_sysctl_as_root() {
    assert!(std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").is_err());
}

/// Whether this user namespace has the group.
fn sets_group(group: u32) -> bool {
    std::fs::write("/proc/sys/net/ipv4/ping_group_range", format!("{group} {group}")).is_ok()
}

#[test]
fn routers_tell_that_the_hops_are_used_up() {
    let uplinks = uplinks();
    each(&uplinks.host, |host, raw, ipv6| {
        let ttl = |ttl| EchoOptions { ttl: Some(ttl), ..EchoOptions::default() };
        let server = Uplinks::server_address(ipv6);
        let reply = host.echo(&EchoRequest { options: ttl(1), ..request(server) }).unwrap();
        let router = Uplinks::router_address(0, ipv6);
        assert_eq!(said(&reply), (EchoStatus::TtlExpiredInTransit, Some(router)), "raw {raw}");
        assert!(reply.data.is_empty());
        assert_eq!(reply.status.ip_status(Family::of(&server)), 11013);
        let reply = host.echo(&EchoRequest { options: ttl(2), ..request(server) }).unwrap();
        assert_eq!(said(&reply), (EchoStatus::Success, Some(server)), "raw {raw}");
    });
}

#[test]
fn nobody_answers_from_nowhere() {
    let uplinks = uplinks();
    let _ = uplinks.server.sh("nft add table inet t");
    uplinks.server.run(|| {
        let _ = run("nft add chain inet t c { type filter hook input priority 0 ; policy drop ; }");
    });
    each(&uplinks.host, |host, raw, ipv6| {
        let timeout = Duration::from_millis(60);
        let begun = Instant::now();
        let reply = host.echo(&EchoRequest { timeout, ..request(Uplinks::server_address(ipv6)) }).unwrap();
        assert_eq!(said(&reply), (EchoStatus::TimedOut, None), "raw {raw}");
        assert!(begun.elapsed() >= timeout && reply.round_trip_time >= timeout);
    });
}

#[test]
fn what_cannot_be_reached_is_said_so_by_routers() {
    let uplinks = uplinks();
    let router = &uplinks.routers[0];
    for (kind, four, six) in [
        ("unreachable", "198.51.100.0/26", "2001:db8:a::/64"),
        ("prohibit", "198.51.100.64/26", "2001:db8:b::/64"),
        ("blackhole", "198.51.100.128/26", "2001:db8:c::/64"),
    ] {
        let _ = router.sh(&format!("ip route add {kind} {four}"));
        let _ = router.sh(&format!("ip -6 route add {kind} {six}"));
    }
    router.run(|| {
        let _ = run("nft add table inet t");
        let _ = run("nft add chain inet t c { type filter hook forward priority 0 ; }");
        for (ip, destination, answer) in [
            ("ip", "203.0.113.2", "icmp type net-prohibited"),
            ("ip", "203.0.113.3", "icmp type host-prohibited"),
            ("ip", "203.0.113.4", "icmp type prot-unreachable"),
            ("ip", "203.0.113.5", "icmp type port-unreachable"),
            ("ip6", "2001:db8:ffff::5", "icmpv6 type port-unreachable"),
            ("ip6", "2001:db8:ffff::6", "icmpv6 type policy-fail"),
            ("ip6", "2001:db8:ffff::7", "icmpv6 type reject-route"),
            ("ip6", "2001:db8:ffff::8", "icmpv6 type addr-unreachable"),
        ] {
            let _ = run(&format!("nft add rule inet t c {ip} daddr {destination} reject with {answer}"));
        }
    });
    use EchoStatus as S;
    each(&uplinks.host, |host, raw, ipv6| {
        let expected: &[(&str, S, u32)] = if ipv6 {
            &[
                // What the kernel says of its own "unreachable" routes.
                ("2001:db8:a::1", S::DestinationNetUnreachable, 11002),
                ("2001:db8:ffff::8", S::DestinationHostUnreachable, 11003),
                ("2001:db8:b::1", S::DestinationProhibited, 11004),
                ("2001:db8:e::1", S::DestinationNetUnreachable, 11002),
                ("2001:db8:ffff::5", S::DestinationPortUnreachable, 11005),
                ("2001:db8:ffff::6", S::DestinationProhibited, 11004),
                ("2001:db8:ffff::7", S::DestinationProhibited, 11004),
            ]
        } else {
            &[
                ("198.51.100.1", S::DestinationHostUnreachable, 11003),
                ("198.51.100.65", S::DestinationProhibited, 11003),
                ("192.0.2.1", S::DestinationNetUnreachable, 11002),
                ("203.0.113.2", S::DestinationProhibited, 11003),
                ("203.0.113.3", S::DestinationProhibited, 11003),
                ("203.0.113.4", S::DestinationProtocolUnreachable, 11004),
                ("203.0.113.5", S::DestinationPortUnreachable, 11005),
            ]
        };
        for (destination, status, number) in expected {
            let destination = ip(destination);
            let reply = insistently(host, destination);
            let router = Uplinks::router_address(0, ipv6);
            assert_eq!(said(&reply), (*status, Some(router)), "{destination}, raw {raw}");
            assert_eq!(reply.status.ip_status(Family::of(&destination)), *number);
        }
        let silent = ip(if ipv6 { "2001:db8:c::1" } else { "198.51.100.129" });
        let short = EchoRequest { timeout: Duration::from_millis(50), ..request(silent) };
        assert_eq!(said(&host.echo(&short).unwrap()), (S::TimedOut, None), "raw {raw}");
    });
}

#[test]
fn what_does_not_leave_this_host_is_told_at_once() {
    let uplinks = uplinks();
    uplinks.host.run(|| {
        for (kind, four, six) in [
            ("unreachable", "198.51.100.0/26", "2001:db8:a::/64"),
            ("prohibit", "198.51.100.64/26", "2001:db8:b::/64"),
            ("blackhole", "198.51.100.128/26", "2001:db8:c::/64"),
        ] {
            let _ = run(&format!("ip route add {kind} {four}"));
            let _ = run(&format!("ip -6 route add {kind} {six}"));
        }
        let _ = run("nft add table inet t");
        let _ = run("nft add chain inet t c { type filter hook output priority 0 ; }");
        let _ = run("nft add rule inet t c ip daddr 203.0.113.9 drop");
        let _ = run("nft add rule inet t c ip6 daddr 2001:db8:ffff::9 drop");
        // A neighbour that is not there is given up sooner.
        for file in ["ipv4/neigh/e0", "ipv6/neigh/e0"] {
            set_sysctl(&format!("{file}/mcast_solicit"), "1");
            set_sysctl(&format!("{file}/retrans_time_ms"), "1000");
        }
    });
    use EchoStatus as S;
    each(&uplinks.host, |host, raw, ipv6| {
        let expected = if ipv6 {
            [
                ("2001:db8:a::1", S::DestinationHostUnreachable),
                ("2001:db8:b::1", S::DestinationProhibited),
                ("2001:db8:c::1", S::GeneralFailure),
                ("2001:db8:ffff::9", S::GeneralFailure),
            ]
        } else {
            [
                ("198.51.100.1", S::DestinationHostUnreachable),
                ("198.51.100.65", S::DestinationProhibited),
                ("198.51.100.129", S::GeneralFailure),
                ("203.0.113.9", S::GeneralFailure),
            ]
        };
        for (destination, status) in expected {
            if destination == "2001:db8:ffff::9" && !raw {
                // The kernel does not tell a ping socket of IPv6 that a filter dropped what it sent.
                continue;
            }
            let mut socket = host.echo_socket(Family::of(&ip(destination)), &EchoOptions::default()).unwrap();
            let sent = socket.send(ip(destination), 0, b"?").unwrap();
            let refused = sent.refused.unwrap_or_else(|| panic!("{destination} left, raw {raw}"));
            assert_eq!(said(&refused), (status, None), "{destination}, raw {raw}");
            // The same socket goes on.
            let server = Uplinks::server_address(ipv6);
            assert_eq!(socket.send(server, 0, b"!").unwrap().refused, None);
            let reply = socket.next_before(Instant::now() + PATIENT).unwrap().unwrap();
            assert_eq!((said(&reply), reply.sequence), ((S::Success, Some(server)), 2), "raw {raw}");
        }
        // Nobody has this address: this host itself says so.
        let nobody = ip(if ipv6 { "2001:db8:1::77" } else { "10.0.1.77" });
        let reply = host.echo(&request(nobody)).unwrap();
        assert_eq!(
            said(&reply),
            (S::DestinationHostUnreachable, Some(Uplinks::address(0, ipv6))),
            "raw {raw}"
        );
    });
}

#[test]
fn without_a_route_nothing_leaves() {
    each(&NetNs::new(), |host, raw, ipv6| {
        let reply = host.echo(&request(Uplinks::server_address(ipv6))).unwrap();
        assert_eq!(said(&reply), (EchoStatus::DestinationNetUnreachable, None), "raw {raw}");
    });
}

#[test]
fn packets_are_too_big_for_this_host_and_for_routers() {
    let uplinks = uplinks();
    let _ = uplinks.routers[0].sh("ip link set far mtu 1400");
    let _ = uplinks.server.sh("ip link set r0 mtu 1400");
    each(&uplinks.host, |host, raw, ipv6| {
        let header = if ipv6 { 48 } else { 28 };
        // A path MTU that was learned before must not decide.
        let _ = uplinks.host.sh("ip route flush cache");
        let _ = uplinks.host.sh("ip -6 route flush cache");
        let server = Uplinks::server_address(ipv6);
        let options = EchoOptions { dont_fragment: true, ..EchoOptions::default() };
        let sized = |size: usize| EchoRequest {
            data: vec![7; size - header],
            options: options.clone(),
            ..request(server)
        };
        let reply = host.echo(&sized(1501)).unwrap();
        assert_eq!(said(&reply), (EchoStatus::PacketTooBig, None), "raw {raw}");
        assert_eq!(reply.mtu, if raw { None } else { Some(1500) });
        assert_eq!(said(&host.echo(&sized(1400)).unwrap()), (EchoStatus::Success, Some(server)), "raw {raw}");
        let reply = host.echo(&sized(1401)).unwrap();
        let router = Uplinks::router_address(0, ipv6);
        assert_eq!(said(&reply), (EchoStatus::PacketTooBig, Some(router)), "raw {raw}, IPv6 {ipv6}");
        assert_eq!((reply.mtu, reply.status.ip_status(Family::of(&server))), (Some(1400), 11009));
        // This host has learned it.
        let reply = host.echo(&sized(1401)).unwrap();
        assert_eq!(said(&reply), (EchoStatus::PacketTooBig, None), "raw {raw}");
        // In pieces it goes through.
        let reply = host.echo(&EchoRequest { options: EchoOptions::default(), ..sized(1500) }).unwrap();
        assert_eq!(said(&reply), (EchoStatus::Success, Some(server)), "raw {raw}");
    });
}

#[test]
fn requests_look_as_asked_for() {
    let uplinks = uplinks();
    uplinks.server.run(|| {
        let _ = run("nft add table inet t");
        let _ = run("nft add chain inet t c { type filter hook input priority 0 ; }");
        for (name, rule) in [
            ("four", "ip saddr 10.0.2.2 ip dscp 46 ip ttl 8"),
            ("six", "ip6 saddr 2001:db8:2::2 ip6 dscp 46 ip6 hoplimit 8"),
        ] {
            let _ = run(&format!("nft add counter inet t {name}"));
            let _ = run(&format!("nft add rule inet t c {rule} counter name {name}"));
        }
    });
    let counted = |name: &str| {
        let text = uplinks.server.sh(&format!("nft list counter inet t {name}"));
        let words: Vec<&str> = text.split_whitespace().collect();
        let position = words.iter().position(|word| *word == "packets").unwrap();
        words[position + 1].parse::<u64>().unwrap()
    };
    each(&uplinks.host, |host, raw, ipv6| {
        let server = Uplinks::server_address(ipv6);
        let name = if ipv6 { "six" } else { "four" };
        let before = counted(name);
        let options = EchoOptions {
            source: Some(Uplinks::address(1, ipv6)),
            ttl: Some(9),
            tos: Some(46 << 2),
            ..EchoOptions::default()
        };
        let reply = host.echo(&EchoRequest { options: options.clone(), ..request(server) }).unwrap();
        assert_eq!(said(&reply), (EchoStatus::Success, Some(server)), "raw {raw}");
        assert_eq!(counted(name), before + 1, "the server saw it, raw {raw}, IPv6 {ipv6}");
        if !ipv6 {
            assert_eq!(
                reply.tos,
                Some(46 << 2),
                "Linux answers with the type of service that it is asked with"
            );
        }
        // By the second uplink, whose routes are the worse ones.
        let routed = uplinks.counts(ipv6);
        let interface = Some(host.interface_named("e1").unwrap().luid.into());
        let options = EchoOptions { interface, ..EchoOptions::default() };
        let reply = host.echo(&EchoRequest { options, ..request(server) }).unwrap();
        assert_eq!(reply.status, EchoStatus::Success);
        assert_eq!(uplinks.counts(ipv6)[1], routed[1] + 1, "raw {raw}");
    });
}

#[test]
fn routers_write_their_addresses_and_times_into_options() {
    let uplinks = uplinks();
    let host = uplinks.host.run(|| Host::open().unwrap());
    for raw in [true, false] {
        if !raw {
            allow_ping_sockets(&uplinks.host);
        }
        let mut record_route = vec![7, 39, 4];
        record_route.extend([0; 36]);
        let options = EchoOptions { ip_options: record_route.clone(), ..EchoOptions::default() };
        let asked = EchoRequest { options, ..request(Uplinks::server_address(false)) };
        let reply =
            if raw { host.echo(&asked) } else { uplinks.host.run(|| unprivileged(|| host.echo(&asked))) };
        let reply = reply.unwrap();
        assert_eq!(reply.status, EchoStatus::Success);
        let [7, 39, next, addresses @ ..] = reply.ip_options.as_slice() else {
            panic!("{:?}, raw {raw}", reply.ip_options)
        };
        let written = (usize::from(*next) - 4) / 4;
        let addresses: Vec<IpAddr> = addresses
            .chunks_exact(4)
            .take(written)
            .map(|address| IpAddr::from(<[u8; 4]>::try_from(address).unwrap()))
            .collect();
        assert!(addresses.contains(&ip("10.1.1.1")), "the router on the way there: {addresses:?}, raw {raw}");
        assert!(addresses.contains(&ip("203.0.113.1")), "the server: {addresses:?}, raw {raw}");
        assert!(addresses.contains(&ip("10.0.1.1")), "the router on the way back: {addresses:?}, raw {raw}");

        let mut timestamp = vec![68, 36, 5, 1];
        timestamp.extend([0; 32]);
        let options = EchoOptions { ip_options: timestamp, ..EchoOptions::default() };
        let reply = host.echo(&EchoRequest { options, ..request(Uplinks::server_address(false)) }).unwrap();
        let [68, 36, next, _, entries @ ..] = reply.ip_options.as_slice() else {
            panic!("{:?}, raw {raw}", reply.ip_options)
        };
        assert!(*next > 5 + 8 && entries[4..8] != [0; 4], "two times at least: {:?}", reply.ip_options);
    }
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let uplinks = uplinks();
    each(&uplinks.host, |host, _, ipv6| {
        let server = Uplinks::server_address(ipv6);
        let kind = |options: EchoOptions| {
            host.echo(&EchoRequest { options, ..request(server) })
                .map(|reply| reply.status)
                .unwrap_err()
                .kind()
        };
        let other = ip(if ipv6 { "2001:db8:77::1" } else { "198.51.100.77" });
        let none = EchoOptions::default();
        assert_eq!(kind(EchoOptions { ttl: Some(0), ..none.clone() }), ErrorKind::InvalidParameter);
        assert_eq!(kind(EchoOptions { source: Some(other), ..none.clone() }), ErrorKind::NotFound);
        let wrong = Some(Uplinks::address(0, !ipv6));
        assert_eq!(kind(EchoOptions { source: wrong, ..none.clone() }), ErrorKind::InvalidParameter);
        // A record of more than it has room for.
        let options = EchoOptions { ip_options: vec![7, 39, 4, 0], ..none.clone() };
        assert_eq!(kind(options), ErrorKind::InvalidParameter);
        assert_eq!(
            kind(EchoOptions { ip_options: vec![1; 41], ..none.clone() }),
            ErrorKind::InvalidParameter
        );
        for of_many in ["224.0.0.1", "255.255.255.255", "ff02::1"].map(ip) {
            let options = EchoOptions { source: Some(of_many), ..none.clone() };
            assert_eq!(kind(options), ErrorKind::InvalidParameter, "{of_many}");
        }
        let mapped = host.echo(&request(ip("::ffff:192.0.2.1"))).unwrap();
        assert_eq!(said(&mapped), (EchoStatus::BadDestination, None));
        let interface = Some(iphelper::InterfaceIndex(4711).into());
        assert_eq!(kind(EchoOptions { interface, ..none.clone() }), ErrorKind::InterfaceNotFound);
        let mut socket = host.echo_socket(Family::of(&server), &none).unwrap();
        let error = socket.send(Uplinks::server_address(!ipv6), 0, b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        let forever = EchoRequest { timeout: Duration::MAX, ..request(server) };
        assert_eq!(host.echo(&forever).unwrap_err().kind(), ErrorKind::InvalidParameter);
    });
}

#[test]
fn everybody_on_the_link_answers_one_request() {
    let (switch, host, others) = (NetNs::new(), NetNs::new(), [NetNs::new(), NetNs::new()]);
    let _ = switch.sh("ip link add b0 type bridge");
    let _ = switch.sh("ip link set b0 up");
    for (n, namespace) in [&host, &others[0], &others[1]].into_iter().enumerate() {
        namespace.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
        namespace.veth("e0", &switch, &format!("p{n}"));
        let _ = switch.sh(&format!("ip link set p{n} master b0"));
        let _ = namespace.sh(&format!("ip address add 10.0.0.{}/24 brd + dev e0", n + 1));
        namespace.run(|| set_sysctl("ipv4/icmp_echo_ignore_broadcasts", "0"));
    }
    let expected: BTreeSet<IpAddr> = ["10.0.0.2", "10.0.0.3"].map(ip).into();
    for namespace in [&others[0], &others[1]] {
        // Forwarding has begun on the bridge, and both know each other.
        namespace.run(|| ping("10.0.0.1"));
        namespace.addresses_settle(&["e0"]);
    }
    host.addresses_settle(&["e0"]);
    each(&host, |handle, raw, ipv6| {
        let index = handle.interface_named("e0").unwrap().index;
        let options = EchoOptions { interface: Some(index.into()), ..EchoOptions::default() };
        let (group, scope) = if ipv6 { (ip("ff02::1"), index.0) } else { (ip("10.0.0.255"), 0) };
        let mut socket = handle.echo_socket(Family::of(&group), &options).unwrap();
        let mut missing = if ipv6 { BTreeSet::new() } else { expected.clone() };
        let mut heard = BTreeSet::new();
        let end = Instant::now() + PATIENT;
        let sent = socket.send(group, scope, b"who is there?").unwrap();
        assert_eq!(sent.refused, None, "raw {raw}, IPv6 {ipv6}");
        while heard.len() < 2 || !missing.is_empty() {
            let Some(reply) = socket.next_before(end).unwrap() else {
                panic!("heard {heard:?} alone, raw {raw}, IPv6 {ipv6}")
            };
            assert_eq!((reply.status, reply.sequence), (EchoStatus::Success, sent.sequence));
            let from = reply.address.unwrap();
            if ipv6 {
                assert_eq!(reply.scope_id, index.0, "{from}");
            }
            let _ = missing.remove(&from);
            let _ = heard.insert(from);
        }
    });
}

#[test]
fn many_requests_are_under_way_at_once() {
    let uplinks = uplinks();
    each(&uplinks.host, |host, raw, ipv6| {
        let server = Uplinks::server_address(ipv6);
        let options = EchoOptions::default();
        let [mut first, mut second] =
            [0, 1].map(|_| host.echo_socket(Family::of(&server), &options).unwrap());
        for number in 0..50_u8 {
            assert_eq!(first.send(server, 0, &[number]).unwrap().refused, None);
            assert_eq!(second.send(server, 0, &[number, 0]).unwrap().refused, None);
        }
        for (socket, len) in [(&mut first, 1), (&mut second, 2)] {
            let mut missing: BTreeSet<u16> = (1..=50).collect();
            let end = Instant::now() + PATIENT;
            while !missing.is_empty() {
                let reply =
                    socket.next_before(end).unwrap().unwrap_or_else(|| panic!("no {missing:?}, raw {raw}"));
                assert_eq!(reply.data.len(), len, "raw {raw}: an answer to the other socket");
                assert_eq!(u16::from(reply.data[0]) + 1, reply.sequence);
                assert!(missing.remove(&reply.sequence), "told twice");
            }
            assert_eq!(socket.try_next().unwrap(), None);
        }
    });
}

#[test]
fn the_answers_to_others_do_not_crowd_out_ones_own() {
    isolated(|| {
        let host = Host::open().unwrap();
        for itself in ["127.0.0.1", "::1"].map(ip) {
            let open = || host.echo_socket(Family::of(&itself), &EchoOptions::default()).unwrap();
            let (mut patient, mut busy) = (open(), open());
            // More than fits into the queue of a socket that nobody reads.
            for _ in 0..1000 {
                let _ = busy.send(itself, 0, &[0; 1000]).unwrap();
                let answer = busy.next_before(Instant::now() + PATIENT).unwrap().unwrap();
                assert_eq!(answer.status, EchoStatus::Success);
            }
            let _ = patient.send(itself, 0, b"me").unwrap();
            let answer = patient.next_before(Instant::now() + PATIENT).unwrap();
            assert_eq!(answer.map(|answer| answer.data), Some(b"me".to_vec()), "{itself}");
        }
    });
}

#[test]
fn the_time_is_when_the_answer_came_and_not_when_it_was_looked_at() {
    isolated(|| {
        set_sysctl("ipv4/ping_group_range", "0 0");
        let host = Host::open().unwrap();
        let pause = Duration::from_millis(300);
        let mut least = Duration::MAX;
        // The machine may be busy at the moment of the packet; not each time.
        for _ in 0..10 {
            let mut socket = host.echo_socket(Family::V4, &EchoOptions::default()).unwrap();
            let _ = socket.send(ip("127.0.0.1"), 0, b"").unwrap();
            std::thread::sleep(pause);
            let reply = socket.next_before(Instant::now() + PATIENT).unwrap().unwrap();
            least = least.min(reply.round_trip_time);
            if least < pause / 4 {
                return;
            }
        }
        panic!("{least:?}: the pause is counted");
    });
}

#[test]
fn a_descriptor_tells_of_answers_and_errors() {
    let uplinks = uplinks();
    each(&uplinks.host, |host, raw, ipv6| {
        let server = Uplinks::server_address(ipv6);
        for (ttl, status) in [(1, EchoStatus::TtlExpiredInTransit), (64, EchoStatus::Success)] {
            let options = EchoOptions { ttl: Some(ttl), ..EchoOptions::default() };
            let mut socket = host.echo_socket(Family::of(&server), &options).unwrap();
            assert_eq!(socket.try_next().unwrap(), None);
            let _ = socket.send(server, 0, b"").unwrap();
            let reply = loop {
                let descriptor = socket.as_fd();
                let mut polled = [rustix::event::PollFd::new(&descriptor, rustix::event::PollFlags::IN)];
                let patient = rustix::event::Timespec::try_from(PATIENT).unwrap();
                let ready = rustix::event::poll(&mut polled, Some(&patient)).unwrap();
                assert_eq!(ready, 1, "raw {raw}: nothing came");
                if let Some(reply) = socket.try_next().unwrap() {
                    break reply;
                }
            };
            assert_eq!(reply.status, status, "raw {raw}");
        }
    });
}
