//! `DisableDefaultRoutes`, judged by packets: counters on two routers tell by which of them a packet went.

use crate::policy_support::{
    E0, E1, EHOSTUNREACH, ENETUNREACH, assert_guarded, assert_unchanged, disable, everything, is_disabled,
    is_v6,
};
use iphelper::{Family, InterfaceIndex};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{NetNs, eventually, ping, run, try_run};
use std::io::{Read, Write};
use std::net::SocketAddr;

#[test]
fn no_socket_uses_a_default_route_of_a_disabled_interface() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    let before = uplinks.host.run(everything);
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0, "{family}: the better default");
        let mut established = uplinks.connection(ipv6);
        let connected = uplinks.host.run(|| {
            let socket = udp_socket(ipv6, Bound::Free).unwrap();
            socket.connect(SocketAddr::new(Uplinks::server_address(ipv6), 9)).unwrap();
            socket
        });
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        assert!(uplinks.host.run(|| is_disabled(family, E0)));
        assert!(!uplinks.host.run(|| is_disabled(family, E1)));
        assert_guarded(&uplinks, family, "disabled");

        let leaked = uplinks.counts(ipv6)[0];
        // Sockets from before: an established connection lives on by the other way.
        established.write_all(b"still there?").unwrap();
        let mut answer = [0; 12];
        established.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"still there?");
        assert_eq!(
            uplinks.way(ipv6, || connected.send(b"?").map(drop)),
            Way::E1,
            "{family}: connected before"
        );
        assert_eq!(uplinks.counts(ipv6)[0], leaked, "{family}: a packet left by the disabled interface");

        // The other family is as it was.
        let other = if ipv6 { Way::E1 } else { Way::E0 };
        assert_eq!(uplinks.udp(!ipv6, Bound::Free), other, "while only {family} is disabled, or both");
        if ipv6 {
            uplinks.host.run(|| disable(Family::V4, E0, false)).unwrap();
            assert_eq!(uplinks.udp(false, Bound::Free), Way::E0, "IPv4 again");
            assert_eq!(uplinks.udp(true, Bound::Free), Way::E1, "IPv6 still disabled");
            uplinks.host.run(|| disable(Family::V6, E0, false)).unwrap();
            assert_eq!(uplinks.udp(true, Bound::Free), Way::E0, "IPv6 again");
        }
    }
    assert_unchanged(&before, &uplinks.host.run(everything));
}

#[test]
fn all_else_goes_on_over_a_disabled_interface() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        // The way to a VPN server.
        let _ = run("ip route add 203.0.113.99/32 via 10.0.1.1");
        let _ = run("ip -6 route add 2001:db8:ffff::99/128 via 2001:db8:1::1");
        for family in Family::ALL {
            disable(family, E0, true).unwrap();
            disable(family, InterfaceIndex(1), true).unwrap();
        }
        for target in [
            "10.0.1.1",
            "2001:db8:1::1",
            "10.0.2.1",
            "127.0.0.1",
            "::1",
            "10.0.1.2",
            "2001:db8:1::2",
            "ff02::1%e0",
            "-b 10.0.1.255",
            "-b -I e0 255.255.255.255",
            "-I e0 224.0.0.1",
        ] {
            // Routers do not answer pings to broadcasts and IPv4 multicast, but these are sent.
            if target.starts_with('-') {
                let sent = try_run(&format!("ping -c 1 -W 1 {target}"));
                let refused = |error: &String| error.contains("permitted") || error.contains("nreachable");
                assert!(!sent.as_ref().is_err_and(refused), "{target}: {sent:?}");
            } else {
                ping(target);
            }
        }
    });
    for (ipv6, target) in [(false, "203.0.113.99"), (true, "2001:db8:ffff::99")] {
        let way = uplinks.way(ipv6, || {
            udp_socket(ipv6, Bound::Free)?
                .send_to(b"?", SocketAddr::new(target.parse().unwrap(), 9))
                .map(drop)
        });
        assert_eq!(way, Way::E0, "a host route over the disabled interface");
    }
    let link_local = uplinks.routers[0].sh("ip -6 -o address show dev near scope link");
    let link_local = link_local.split_whitespace().nth(3).unwrap().split('/').next().unwrap();
    uplinks.host.run(|| ping(&format!("{link_local}%e0")));
}

#[test]
fn without_an_allowed_default_the_network_is_unreachable() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        uplinks.host.run(|| disable(family, E1, true)).unwrap();
        for bound in [Bound::Free, Bound::Address(Uplinks::address(0, ipv6))] {
            assert_eq!(uplinks.udp(ipv6, bound), Way::Refused(ENETUNREACH), "{family}");
        }
        uplinks.host.run(|| disable(family, E0, false)).unwrap();
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0, "{family}: allowed again, at once");
        assert_ne!(uplinks.udp(ipv6, Bound::Device("e1")), Way::E1, "{family}: still disabled");
    }
}

/// An administrator's blackhole at a better metric than the other default must not be passed over.
#[test]
fn a_default_route_that_leads_nowhere_is_kept() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip route add unreachable default metric 150");
        let _ = run("ip -6 route add unreachable default metric 150");
        disable(Family::V4, E0, true).unwrap();
        disable(Family::V6, E0, true).unwrap();
    });
    for ipv6 in [false, true] {
        let way = uplinks.udp(ipv6, Bound::Free);
        assert_eq!(way, Way::Refused(EHOSTUNREACH), "not by the worse default");
    }
}

/// One next hop of a multipath default is over the disabled interface.
#[test]
fn a_multipath_default_keeps_its_other_hops() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip route add default metric 5 nexthop via 10.0.1.1 nexthop via 10.0.2.1");
        let _ = run(
            "ip -6 route add default metric 5 nexthop via 2001:db8:1::1 dev e0 nexthop via 2001:db8:2::1 dev e1",
        );
        let _ = run("ip nexthop add id 7 via 10.0.1.1 dev e0");
        let _ = run("ip nexthop add id 8 via 10.0.2.1 dev e1");
        let _ = run("ip nexthop add id 9 group 7/8");
        let _ = run("ip route add default metric 4 nhid 9");
        disable(Family::V4, E0, true).unwrap();
        disable(Family::V6, E0, true).unwrap();
    });
    for ipv6 in [false, true] {
        for _ in 0..8 {
            assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1);
        }
    }
    let mirror = uplinks.host.sh("ip route show table 1768974337");
    assert!(!mirror.contains("e0"), "{mirror}");
}

#[test]
fn forwarded_packets_are_guarded_too() {
    let uplinks = Uplinks::new();
    let client = NetNs::new();
    uplinks.host.veth("lan", &client, "eth0");
    uplinks.host.run(|| {
        let _ = run("ip address add 10.9.0.1/24 dev lan");
        let _ = run("ip address add 2001:db8:9::1/64 dev lan nodad");
        iphelper_testkit::set_sysctl("ipv4/ip_forward", "1");
        iphelper_testkit::set_sysctl("ipv6/conf/all/forwarding", "1");
    });
    client.run(|| {
        let _ = run("ip address add 10.9.0.2/24 dev eth0");
        let _ = run("ip address add 2001:db8:9::2/64 dev eth0 nodad");
        let _ = run("ip route add default via 10.9.0.1");
        let _ = run("ip -6 route add default via 2001:db8:9::1");
        ping("10.9.0.1");
        ping("2001:db8:9::1");
    });
    let send = |ipv6: bool| {
        let to = SocketAddr::new(Uplinks::server_address(ipv6), 9);
        udp_socket(ipv6, Bound::Free)?.send_to(b"?", to).map(drop)
    };
    let forwarded = |ipv6: bool| uplinks.way(ipv6, || client.run(|| send(ipv6)));
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        assert_eq!(forwarded(ipv6), Way::E0);
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        assert_eq!(forwarded(ipv6), Way::E1, "{family}");
        uplinks.host.run(|| disable(family, E1, true)).unwrap();
        // Nowhere to go: the sender is told so, and no router has seen it.
        let (told, seen) = (refusals(&uplinks.host, ipv6), uplinks.counts(ipv6));
        client.run(|| send(ipv6)).unwrap();
        eventually("the packet is refused", || refusals(&uplinks.host, ipv6) > told);
        assert_eq!(uplinks.counts(ipv6), seen, "{family}");
    }
}

/// How many senders a host has told that their packets cannot go on.
fn refusals(host: &NetNs, ipv6: bool) -> u64 {
    let name = if ipv6 { "Icmp6OutDestUnreachs" } else { "IcmpOutDestUnreachs" };
    let text = host.sh(&format!("nstat -asz {name}"));
    let mut words = text.split_whitespace().skip_while(|word| *word != name);
    words.nth(1).and_then(|count| count.parse().ok()).expect("a counter")
}
