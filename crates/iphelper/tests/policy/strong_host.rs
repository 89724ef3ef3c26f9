//! `WeakHostSend` and `WeakHostReceive` FALSE (RFC 1122's strong host), judged by packets.

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host, InterfaceIndex, Result};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{NetNs, eventually, ping, run, set_sysctl, sysctl, try_run, unprivileged};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);
const EPERM: i32 = 1;
const ENETUNREACH: i32 = 101;

fn set(family: Family, index: InterfaceIndex, change: &IpInterfaceChange) -> Result<()> {
    Host::open()?.set_ip_interface(family, index, change).map(drop)
}

fn weak_send(family: Family, index: InterfaceIndex, weak: bool) -> Result<()> {
    set(family, index, &IpInterfaceChange { weak_host_send: Some(weak), ..Default::default() })
}

fn weak_receive(family: Family, index: InterfaceIndex, weak: bool) -> Result<()> {
    set(family, index, &IpInterfaceChange { weak_host_receive: Some(weak), ..Default::default() })
}

fn is_v6(family: Family) -> bool {
    family == Family::V6
}

/// Everything of the namespace that must be as before in the end.
fn everything() -> String {
    let commands = [
        "ip -4 rule",
        "ip -6 rule",
        "ip -4 route show table all",
        "ip -6 route show table all",
        "nft list ruleset",
        "ip -4 address",
    ];
    commands.map(run).concat() + &sysctl("ipv4/conf/e0/arp_ignore") + &sysctl("ipv4/conf/e1/arp_ignore")
}

#[test]
fn a_strong_interface_sends_its_addresses_itself() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    let before = uplinks.host.run(everything);
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        let from_e1 = Bound::Address(Uplinks::address(1, ipv6));
        assert_eq!(uplinks.udp(ipv6, from_e1), Way::E0, "{family}: a weak host by itself");
        uplinks.host.run(|| weak_send(family, E1, false)).unwrap();
        let row = uplinks.host.run(|| Host::open().unwrap().ip_interface(family, E1).unwrap());
        assert!(!row.weak_host_send && row.weak_host_receive);
        assert_eq!(uplinks.udp(ipv6, from_e1), Way::E1, "{family} UDP");
        assert_eq!(uplinks.tcp(ipv6, from_e1), Way::E1, "{family} TCP");
        // All else as before.
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0, "{family}");
        assert_eq!(uplinks.tcp(ipv6, Bound::Free), Way::E0, "{family}");
        assert_eq!(uplinks.udp(ipv6, Bound::Address(Uplinks::address(0, ipv6))), Way::E0, "{family}");
        assert_eq!(uplinks.udp(ipv6, Bound::Device("e1")), Way::E1, "{family}");
        assert_eq!(uplinks.udp(ipv6, Bound::Device("e0")), Way::E0, "{family}");
        // An address that comes later in the prefix.
        let later = if ipv6 { "2001:db8:2::77" } else { "10.0.2.77" };
        let (len, flags) = if ipv6 { (64, "nodad") } else { (24, "") };
        let _ = uplinks.host.sh(&format!("ip address add {later}/{len} dev e1 {flags}"));
        assert_eq!(uplinks.udp(ipv6, Bound::Address(later.parse().unwrap())), Way::E1, "{family}: later");
        let _ = uplinks.host.sh(&format!("ip address delete {later}/{len} dev e1"));
        // The host itself, neighbours, link-local.
        uplinks.host.run(|| {
            let own = Uplinks::address(1, ipv6);
            for target in [own, Uplinks::address(0, ipv6), Uplinks::router_address(1, ipv6)] {
                ping(&format!("-I {own} {target}"));
            }
            ping(&format!("{}", Uplinks::router_address(0, ipv6)));
            if ipv6 {
                ping("ff02::1%e1");
            }
        });
    }
    for family in Family::ALL {
        uplinks.host.run(|| weak_send(family, E1, true)).unwrap();
        let from_e1 = Bound::Address(Uplinks::address(1, is_v6(family)));
        assert_eq!(uplinks.udp(is_v6(family), from_e1), Way::E0, "{family}: weak again");
    }
    assert_eq!(uplinks.host.run(everything), before);
}

/// A socket bound to the device of one interface and the address of another.
#[test]
fn the_guard_stops_what_no_rule_chose() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        // A foreign rule before ours.
        let _ = run("ip rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip route add default via 10.0.1.1 table 100 src 10.0.2.2");
        weak_send(Family::V4, E1, false).unwrap();
    });
    assert_eq!(uplinks.udp(false, Bound::Mark(7)), Way::Refused(EPERM));
    uplinks.host.run(|| weak_send(Family::V4, E1, true)).unwrap();
    assert_eq!(uplinks.udp(false, Bound::Mark(7)), Way::E0);
    // And the way of a strong interface is for its own addresses alone.
    uplinks.host.run(|| weak_send(Family::V4, E0, false)).unwrap();
    assert_eq!(uplinks.udp(false, Bound::Mark(7)), Way::Refused(EPERM));
    assert_eq!(uplinks.udp(false, Bound::Free), Way::E0);
}

#[test]
fn connections_to_a_strong_address_are_answered_where_they_came() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        uplinks.host.run(|| {
            weak_send(family, E1, false).unwrap();
            weak_receive(family, E1, false).unwrap();
        });
        let address = Uplinks::address(1, ipv6);
        let listener = uplinks.host.run(|| TcpListener::bind(SocketAddr::new(address, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let before = uplinks.counts(ipv6);
        let mut client = uplinks.server.run(|| TcpStream::connect(SocketAddr::new(address, port))).unwrap();
        let (mut served, _) = listener.accept().unwrap();
        served.write_all(b"hello").unwrap();
        let mut greeting = [0; 5];
        client.read_exact(&mut greeting).unwrap();
        // The server speaks from its address on the second router's link, which is none that routers count; what is
        // seen is that nothing went by the first.
        assert_eq!(uplinks.counts(ipv6)[0], before[0], "{family}");
        assert_eq!(&greeting, b"hello");
    }
}

/// With both properties, as on Windows.
#[test]
fn the_address_of_a_disabled_strong_interface_is_unreachable() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    let before = uplinks.host.run(everything);
    for order in [[0, 1], [1, 0]] {
        for family in Family::ALL {
            let ipv6 = is_v6(family);
            for step in order {
                let change = match step {
                    0 => IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() },
                    _ => IpInterfaceChange { weak_host_send: Some(false), ..Default::default() },
                };
                uplinks.host.run(|| set(family, E0, &change)).unwrap();
            }
            let from_e0 = Bound::Address(Uplinks::address(0, ipv6));
            assert_eq!(uplinks.udp(ipv6, from_e0), Way::Refused(ENETUNREACH), "{family} UDP, {order:?}");
            assert_eq!(uplinks.tcp(ipv6, from_e0), Way::Refused(ENETUNREACH), "{family} TCP, {order:?}");
            assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{family}, {order:?}");
            let neighbour = Uplinks::router_address(0, ipv6);
            let own = Uplinks::address(0, ipv6);
            uplinks.host.run(|| ping(&format!("-I {own} {neighbour}")));
        }
        for family in Family::ALL {
            for step in order {
                let change = match step {
                    0 => IpInterfaceChange { disable_default_routes: Some(false), ..Default::default() },
                    _ => IpInterfaceChange { weak_host_send: Some(true), ..Default::default() },
                };
                uplinks.host.run(|| set(family, E0, &change)).unwrap();
                assert!(!matches!(uplinks.udp(is_v6(family), Bound::Free), Way::Refused(_)));
            }
        }
        assert_eq!(uplinks.host.run(everything), before);
    }
}

#[test]
fn a_strong_interface_takes_packets_for_its_own_addresses_alone() {
    let uplinks = Uplinks::new();
    let before = uplinks.host.run(everything);
    for (router, n) in uplinks.routers.iter().zip(0..) {
        // Each router thinks that the other uplink's addresses are behind the host.
        let other = 2 - n;
        let _ = router.sh(&format!("ip route add 10.0.{other}.2/32 via 10.0.{}.2", n + 1));
        let _ = router.sh(&format!("ip -6 route add 2001:db8:{other}::2/128 via 2001:db8:{}::2", n + 1));
    }
    let answers = |router: usize, uplink: usize, ipv6: bool| {
        let target = Uplinks::address(uplink, ipv6);
        uplinks.routers[router].run(|| try_run(&format!("ping -c 1 -W 1 {target}")).is_ok())
    };
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        eventually("a weak host by itself", || answers(0, 1, ipv6));
        uplinks.host.run(|| weak_receive(family, E0, false)).unwrap();
        let row = uplinks.host.run(|| Host::open().unwrap().ip_interface(family, E0).unwrap());
        assert!(!row.weak_host_receive && row.weak_host_send);
        assert!(!answers(0, 1, ipv6), "{family}: for another interface's address");
        eventually("for its own", || answers(0, 0, ipv6));
        eventually("the other interface stays weak", || answers(1, 0, ipv6));
        eventually("the other interface's own", || answers(1, 1, ipv6));
        if ipv6 {
            assert!(!answers(0, 1, false), "strong since before");
        } else {
            eventually("the other family stays weak", || answers(0, 1, true));
        }
        uplinks.host.run(|| {
            for uplink in [0, 1] {
                ping(&format!("{}", Uplinks::address(uplink, ipv6)));
            }
            ping(if ipv6 { "::1" } else { "127.0.0.1" });
        });
        if ipv6 {
            uplinks.routers[0].run(|| ping("ff02::1%near"));
        }
        uplinks.host.run(|| {
            unprivileged(|| {
                assert!(!Host::open().unwrap().ip_interface(family, E0).unwrap().weak_host_receive);
            })
        });
    }
    for family in Family::ALL {
        uplinks.host.run(|| weak_receive(family, E0, true)).unwrap();
        eventually("weak again", || answers(0, 1, is_v6(family)));
    }
    assert_eq!(uplinks.host.run(everything), before);
}

/// Packets of others may have any source and destination; link-local addresses belong to their link anyway.
#[test]
fn forwarded_and_link_local_packets_are_unharmed() {
    let uplinks = Uplinks::new();
    let client = NetNs::new();
    uplinks.host.veth("lan", &client, "eth0");
    uplinks.host.run(|| {
        let _ = run("ip address add 10.9.0.1/24 dev lan");
        let _ = run("ip address add 2001:db8:9::1/64 dev lan nodad");
        set_sysctl("ipv4/ip_forward", "1");
        set_sysctl("ipv6/conf/all/forwarding", "1");
    });
    client.run(|| {
        let _ = run("ip address add 10.9.0.2/24 dev eth0");
        let _ = run("ip address add 2001:db8:9::2/64 dev eth0 nodad");
        let _ = run("ip route add default via 10.9.0.1");
        let _ = run("ip -6 route add default via 2001:db8:9::1");
        for host in ["10.9.0.1", "2001:db8:9::1"] {
            ping(host);
        }
    });
    for router in &uplinks.routers {
        let _ = router.sh("ip route add 10.9.0.0/24 dev near via 10.0.1.2 onlink");
        let _ = router.sh("ip -6 route add 2001:db8:9::/64 dev near via 2001:db8:1::2 onlink");
    }
    let _ = uplinks.server.sh("ip route add 10.9.0.0/24 via 10.1.1.1");
    let _ = uplinks.server.sh("ip -6 route add 2001:db8:9::/64 via 2001:db8:101::1");
    let lan = uplinks.host.run(|| Host::open().unwrap().interface_named("lan").unwrap().index);
    let strong = IpInterfaceChange {
        weak_host_send: Some(false),
        weak_host_receive: Some(false),
        ..Default::default()
    };
    for family in Family::ALL {
        for index in [E0, E1, lan] {
            uplinks.host.run(|| set(family, index, &strong)).unwrap();
        }
    }
    for server in ["203.0.113.1", "2001:db8:ffff::1"] {
        // There and back, through two strong interfaces.
        client.run(|| ping(server));
    }
    let link_local = |namespace: &NetNs, interface: &str| {
        let shown = namespace.sh(&format!("ip -6 -o address show dev {interface} scope link"));
        shown.split_whitespace().nth(3).unwrap().split('/').next().unwrap().to_owned()
    };
    let (router, host) = (link_local(&uplinks.routers[0], "near"), link_local(&uplinks.host, "e0"));
    uplinks.host.run(|| ping(&format!("{router}%e0")));
    uplinks.host.run(|| ping(&format!("-I {host}%e0 {router}%e0")));
    uplinks.routers[0].run(|| ping(&format!("{host}%near")));
}

/// ARP must not tell of other interfaces' addresses, and is put back.
#[test]
fn arp_answers_for_its_own_addresses_alone() {
    let uplinks = Uplinks::new();
    let _ = uplinks.routers[0].sh("ip route add 10.0.2.2/32 dev near");
    let resolves = || {
        uplinks.routers[0].run(|| {
            let _ = try_run("ip neigh flush dev near");
            let _ = try_run("ping -c 1 -W 1 10.0.2.2");
            run("ip neigh show 10.0.2.2 dev near").contains("lladdr")
        })
    };
    eventually("a weak host answers", resolves);
    let arp_ignore = || uplinks.host.run(|| sysctl("ipv4/conf/e0/arp_ignore"));
    uplinks.host.run(|| weak_receive(Family::V4, E0, false)).unwrap();
    assert_eq!(arp_ignore(), "1");
    assert!(!resolves());
    uplinks.host.run(|| weak_receive(Family::V4, E0, true)).unwrap();
    assert_eq!(arp_ignore(), "0");
    eventually("weak again", resolves);
    // What an administrator has set is neither raised nor put back.
    for (value, later) in [("2", "2"), ("0", "2")] {
        uplinks.host.run(|| {
            set_sysctl("ipv4/conf/e0/arp_ignore", value);
            weak_receive(Family::V4, E0, false).unwrap();
            set_sysctl("ipv4/conf/e0/arp_ignore", later);
            weak_receive(Family::V4, E0, true).unwrap();
        });
        assert_eq!(arp_ignore(), later);
    }
}

#[test]
fn one_prefix_on_two_interfaces_is_told_by_address() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip address add 10.0.2.50/24 dev e0 noprefixroute");
        weak_send(Family::V4, E1, false).unwrap();
        let rules = run("ip rule");
        assert!(rules.contains("from 10.0.2.2 iif lo lookup 2147483651 proto"), "{rules}");
        assert!(!rules.contains("10.0.2.0/24"), "{rules}");
    });
    assert_eq!(uplinks.udp(false, Bound::Address(Uplinks::address(1, false))), Way::E1);
    let other = Bound::Address("10.0.2.50".parse().unwrap());
    assert_eq!(uplinks.udp(false, other), Way::E0, "an address of a weak interface");
}

#[test]
fn an_administrator_sees_what_a_person_would_have_written() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        for family in Family::ALL {
            weak_send(family, E1, false).unwrap();
            weak_receive(family, E1, false).unwrap();
        }
        let rules = run("nft list ruleset");
        for line in [
            "type filter hook input priority 400; policy accept;",
            "meta nfproto ipv4 iif != \"lo\" iif @strong-receive4 meta ipsec missing fib daddr type local fib daddr . iif \
             type != local drop",
            "meta nfproto ipv6 iif != \"lo\" iif @strong-receive6 meta ipsec missing",
            "oif != \"lo\" ip saddr @strong-from4 rt ipsec missing fib saddr . oif type != local reject with icmpx \
             no-route",
            "oif != \"lo\" ip6 saddr @strong-from6 rt ipsec missing",
            "oif != \"lo\" oif @strong-send4 fib saddr type local rt ipsec missing fib saddr . oif type != local reject",
        ] {
            assert!(rules.contains(line), "{line}\n{rules}");
        }
        let rules = run("ip rule");
        assert!(rules.contains("32765:\tfrom 10.0.2.0/24 iif lo lookup 2147483651 proto"), "{rules}");
        assert!(rules.contains("32765:\tfrom 10.0.2.0/24 iif lo unreachable proto"), "{rules}");
        let rules = run("ip -6 rule");
        assert!(rules.contains("32765:\tfrom 2001:db8:2::/64 iif lo lookup 2147483651 proto"), "{rules}");
    });
}

/// Loopback carries what this host sends to itself, from and to the addresses of all interfaces.
#[test]
fn a_strong_loopback_interface_keeps_the_host_talking_to_itself() {
    const LOOPBACK: InterfaceIndex = InterfaceIndex(1);
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        uplinks.host.run(|| {
            for index in [LOOPBACK, E0, E1] {
                weak_send(family, index, false).unwrap();
                weak_receive(family, index, false).unwrap();
            }
            for target in [Uplinks::address(0, ipv6), Uplinks::address(1, ipv6)] {
                ping(&format!("{target}"));
            }
            ping(if ipv6 { "::1" } else { "127.0.0.1" });
        });
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0);
        assert_eq!(uplinks.udp(ipv6, Bound::Address(Uplinks::address(1, ipv6))), Way::E1);
    }
}
