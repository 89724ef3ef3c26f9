//! `DisableDefaultRoutes`, judged by packets: counters on two routers tell by which of them a packet went.

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::notification::ChangeKind;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, Result};
use iphelper_testkit::Advertisement;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{NetNs, eventually, forked, isolated, run, try_run, unprivileged};
use std::io::{Read, Write};
use std::net::SocketAddr;

iphelper_testkit::private_user_namespace!();

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);
const EPERM: i32 = 1;
const ENETUNREACH: i32 = 101;
const EHOSTUNREACH: i32 = 113;

fn disable(family: Family, index: InterfaceIndex, disabled: bool) -> Result<()> {
    let change = IpInterfaceChange { disable_default_routes: Some(disabled), ..Default::default() };
    Host::open()?.set_ip_interface(family, index, &change).map(drop)
}

fn is_disabled(family: Family, index: InterfaceIndex) -> bool {
    let row = Host::open().expect("a host").ip_interface(family, index).expect("a row");
    row.disable_default_routes
}

fn is_v6(family: Family) -> bool {
    family == Family::V6
}

/// Everything of the namespace that the guard must leave as it was.
fn everything() -> String {
    [
        "ip -4 rule",
        "ip -6 rule",
        "ip -4 route show table all",
        "ip -6 route show table all",
        "nft list ruleset",
        "ip -details -4 address",
    ]
    .map(run)
    .concat()
}

fn assert_unchanged(before: &str, after: &str) {
    let only_in = |one: &str, other: &str| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|it| it == *line)).map(str::to_owned).collect()
    };
    assert_eq!((only_in(before, after), only_in(after, before)), (vec![], vec![]), "gone, and new");
}

/// What each kind of socket gets while e0 is disabled.
fn expected(ipv6: bool) -> Vec<(&'static str, Bound<'static>, Way, Option<Way>)> {
    let refused_at_connect = Way::Refused(ENETUNREACH);
    vec![
        ("unbound", Bound::Free, Way::E1, Some(Way::E1)),
        (
            "bound to the device",
            Bound::Device("e0"),
            // IPv4 takes the destination for a neighbour where a bound socket has no route; the filter stops it.
            Way::Refused(if ipv6 { ENETUNREACH } else { EPERM }),
            Some(refused_at_connect),
        ),
        (
            "sending by the device",
            Bound::UnicastInterface(E0.0),
            Way::Refused(if ipv6 { ENETUNREACH } else { EPERM }),
            // TCP does not heed the option.
            Some(Way::E1),
        ),
        ("bound to its address", Bound::Address(Uplinks::address(0, ipv6)), Way::E1, Some(Way::E1)),
        ("bound to the other device", Bound::Device("e1"), Way::E1, Some(Way::E1)),
        ("bound to the other address", Bound::Address(Uplinks::address(1, ipv6)), Way::E1, Some(Way::E1)),
    ]
}

fn assert_guarded(uplinks: &Uplinks, family: Family, situation: &str) {
    let ipv6 = is_v6(family);
    for (socket, bound, udp, tcp) in expected(ipv6) {
        assert_eq!(uplinks.udp(ipv6, bound), udp, "{family} UDP, {socket}, {situation}");
        if let Some(tcp) = tcp {
            assert_eq!(uplinks.tcp(ipv6, bound), tcp, "{family} TCP, {socket}, {situation}");
        }
    }
}

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
fn what_comes_later_changes_nothing() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    for family in Family::ALL {
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
    }
    let situations: [(&str, &[&str]); 5] = [
        (
            "a better default",
            &[
                "ip route add default via 10.0.1.1 metric 1",
                "ip -6 route add default via 2001:db8:1::1 dev e0 metric 1",
            ],
        ),
        (
            "a flap and another name in between",
            &[
                "ip link set e0 down",
                "ip link set e0 name uplink",
                "ip link set uplink name e0",
                "ip link set e0 up",
                "ip -6 address replace 2001:db8:1::2/64 dev e0 nodad",
                "ip route replace default via 10.0.1.1 metric 1",
                "ip -6 route replace default via 2001:db8:1::1 dev e0 metric 1",
            ],
        ),
        (
            "a new address",
            &["ip address add 10.0.1.77/24 dev e0", "ip -6 address add 2001:db8:1::77/64 dev e0 nodad"],
        ),
        (
            "a route that replaced the default",
            &["ip route replace default dev e0 metric 1", "ip -6 route replace default dev e0 metric 1"],
        ),
        ("a call about something else", &["true"]),
    ];
    for (situation, commands) in situations {
        uplinks.host.run(|| commands.iter().for_each(|command| drop(run(command))));
        if situation == "a call about something else" {
            uplinks.host.run(|| disable(Family::V4, InterfaceIndex(1), true)).unwrap();
        }
        for family in Family::ALL {
            assert_guarded(&uplinks, family, situation);
        }
    }
}

#[test]
fn a_foreign_table_selects_the_interface_and_the_filter_stops_it() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip -6 rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip route add default via 10.0.1.1 table 100");
        let _ = run("ip -6 route add default via 2001:db8:1::1 dev e0 table 100");
    });
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        assert_eq!(uplinks.udp(ipv6, Bound::Mark(7)), Way::E0);
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        assert_eq!(uplinks.udp(ipv6, Bound::Mark(7)), Way::Refused(EPERM), "{family}");
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{family}");
    }
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
            let sent = try_run(&format!("ping -c 1 -W 1 {target}"));
            let silent = target.starts_with('-');
            let refused = |error: &String| error.contains("permitted") || error.contains("nreachable");
            let fine = sent.is_ok() || silent && !sent.as_ref().is_err_and(refused);
            assert!(fine, "{target}: {sent:?}");
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
    let _ = uplinks.host.sh(&format!("ping -c 1 -W 2 {link_local}%e0"));
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
        eventually("the host answers its client", || try_run("ping -c 1 -W 1 10.9.0.1").is_ok());
        eventually("the host answers its client", || try_run("ping -c 1 -W 1 2001:db8:9::1").is_ok());
    });
    let forwarded = |ipv6: bool| {
        uplinks.way(ipv6, || {
            client.run(|| {
                udp_socket(ipv6, Bound::Free)?
                    .send_to(b"?", SocketAddr::new(Uplinks::server_address(ipv6), 9))
                    .map(drop)
            })
        })
    };
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        assert_eq!(forwarded(ipv6), Way::E0);
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        assert_eq!(forwarded(ipv6), Way::E1, "{family}");
        uplinks.host.run(|| disable(family, E1, true)).unwrap();
        assert_eq!(forwarded(ipv6), Way::Lost, "{family}: nowhere to go");
    }
}

/// The rules and routes that `wg-quick` makes for a tunnel that takes all traffic, with an Ethernet device for WireGuard's.
fn tunnel_up() {
    let _ = run("ip link add wg0 type veth peer name wg1");
    let _ = run("ip address add 10.77.0.2/32 dev wg0");
    let _ = run("ip -6 address add fd77::2/128 dev wg0 nodad");
    let _ = run("ip link set wg0 up");
    for (family, everywhere) in [("-4", "0.0.0.0/0"), ("-6", "::/0")] {
        let _ = run(&format!("ip {family} rule add not fwmark 51820 table 51820"));
        let _ = run(&format!("ip {family} rule add table main suppress_prefixlength 0"));
        let _ = run(&format!("ip {family} route add {everywhere} dev wg0 table 51820"));
    }
}

/// What `wg-quick down` does: deletes rules in a loop until none looks like its own.
fn tunnel_down() {
    for family in ["-4", "-6"] {
        while run(&format!("ip {family} rule show")).contains("lookup 51820") {
            let _ = run(&format!("ip {family} rule delete table 51820"));
        }
        while run(&format!("ip {family} rule show")).contains("from all lookup main suppress_prefixlength 0")
        {
            let _ = run(&format!("ip {family} rule delete table main suppress_prefixlength 0"));
        }
    }
    let _ = run("ip link delete wg0");
}

fn assert_tunnelled(uplinks: &Uplinks, when: &str) {
    for ipv6 in [false, true] {
        let server = Uplinks::server_address(ipv6);
        let route = uplinks.host.sh(&format!("ip route get {server}"));
        assert!(route.contains("dev wg0"), "{when}: {route}");
        // The tunnel's own packets go by the uplink that is allowed.
        assert_eq!(uplinks.udp(ipv6, Bound::Mark(51820)), Way::E1, "{when}");
        let neighbour = Uplinks::router_address(0, ipv6);
        let route = uplinks.host.sh(&format!("ip route get {neighbour}"));
        assert!(route.contains("dev e0"), "{when}: {route}");
    }
}

#[test]
fn a_wireguard_tunnel_before_or_after_goes_on_working() {
    for tunnel_first in [true, false] {
        let uplinks = Uplinks::new();
        let _server = uplinks.tcp_server();
        let before = uplinks.host.run(everything);
        let guard = |disabled| {
            uplinks.host.run(|| {
                disable(Family::V4, E0, disabled).unwrap();
                disable(Family::V6, E0, disabled).unwrap();
            });
        };
        if tunnel_first {
            uplinks.host.run(tunnel_up);
            guard(true);
        } else {
            guard(true);
            uplinks.host.run(tunnel_up);
        }
        assert_tunnelled(&uplinks, if tunnel_first { "tunnel, then guard" } else { "guard, then tunnel" });
        uplinks.host.run(tunnel_down);
        for family in Family::ALL {
            assert_guarded(&uplinks, family, "after wg-quick down");
            let neighbour = Uplinks::router_address(0, is_v6(family));
            let route = uplinks.host.sh(&format!("ip route get {neighbour}"));
            assert!(route.contains("dev e0"), "wg-quick took a rule of ours away: {route}");
        }
        guard(false);
        assert_unchanged(&before, &uplinks.host.run(everything));
    }
}

#[test]
fn a_flushed_filter_still_holds_unbound_traffic_and_comes_back() {
    let uplinks = Uplinks::new();
    let _server = uplinks.tcp_server();
    for family in Family::ALL {
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
    }
    let _ = uplinks.host.sh("nft flush ruleset");
    for family in Family::ALL {
        assert_eq!(uplinks.udp(is_v6(family), Bound::Free), Way::E1, "{family}");
        assert!(uplinks.host.run(|| is_disabled(family, E0)), "what was set stays set");
    }
    // Any call that changes something restores it.
    uplinks.host.run(|| disable(Family::V6, E0, true)).unwrap();
    for family in Family::ALL {
        assert_guarded(&uplinks, family, "restored");
    }
    // The same after somebody took rules away.
    let _ = uplinks.host.sh("ip rule delete unreachable");
    let _ = uplinks.host.sh("ip -6 rule delete pref 32765");
    uplinks.host.run(|| disable(Family::V6, E0, true)).unwrap();
    for family in Family::ALL {
        assert_guarded(&uplinks, family, "rules restored");
    }
    let rules = uplinks.host.sh("ip -6 rule");
    assert_eq!(rules.matches("32765:").count(), 3, "{rules}");
}

#[test]
fn a_call_takes_new_defaults_and_prefixes_over() {
    let uplinks = Uplinks::new();
    for family in Family::ALL {
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
    }
    uplinks.host.run(|| {
        let _ = run("ip route delete default via 10.0.2.1");
        let _ = run("ip -6 route delete default via 2001:db8:2::1 dev e1");
        let _ = run("ip route add default via 10.0.2.1 metric 7 mtu 1400");
        let _ = run("ip -6 route add default via 2001:db8:2::1 dev e1 metric 7 mtu 1400");
        let _ = run("ip address add 10.50.0.1/16 dev e0");
        disable(Family::V4, E0, true).unwrap();
        for family in ["-4", "-6"] {
            let mirror = run(&format!("ip {family} route show table 1768974337"));
            assert_eq!(mirror.lines().count(), 1, "{mirror}");
            assert!(mirror.contains("metric 7") && mirror.contains("mtu 1400"), "{mirror}");
        }
        assert!(run("nft list set inet iphelper onlink4-2").contains("10.50.0.0/16"));
        // Where there is nothing to do, no object is made anew.
        let before = everything();
        let handles = run("nft -a list ruleset");
        disable(Family::V4, E0, true).unwrap();
        assert_eq!(everything(), before);
        assert_eq!(run("nft -a list ruleset"), handles);
    });
    assert_eq!(uplinks.udp(false, Bound::Free), Way::E1);
}

/// Router advertisements bring default routes of their own.
#[test]
fn advertised_defaults_are_guarded_and_copied() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip -6 route delete default via 2001:db8:1::1 dev e0");
        let _ = run("ip -6 route delete default via 2001:db8:2::1 dev e1");
        disable(Family::V6, E0, true).unwrap();
    });
    assert_eq!(uplinks.udp(true, Bound::Free), Way::Refused(ENETUNREACH), "no default at all");
    let advertise = |uplink: usize| {
        let prefix = if uplink == 0 { "2001:db8:71::" } else { "2001:db8:72::" };
        let advertisement = Advertisement {
            router_lifetime: 1800,
            prefix: prefix.parse().unwrap(),
            managed: false,
            other_configuration: false,
            route: None,
        };
        uplinks.routers[uplink].run(|| advertisement.send("near"));
        let device = format!("dev e{uplink} ");
        eventually("the advertised default", || {
            let routes = uplinks.host.sh("ip -6 route show default");
            routes.lines().any(|line| line.contains(&device) && line.contains("proto ra"))
        });
    };
    for _ in 0..3 {
        advertise(0);
        assert_eq!(uplinks.udp(true, Bound::Free), Way::Refused(ENETUNREACH), "only the disabled one");
        assert!(matches!(uplinks.udp(true, Bound::Device("e0")), Way::Refused(_)));
    }
    advertise(1);
    uplinks.host.run(|| disable(Family::V6, E0, true)).unwrap();
    assert_eq!(uplinks.udp(true, Bound::Free), Way::E1, "the allowed one is copied by the next call");
    advertise(0);
    advertise(1);
    assert_eq!(uplinks.udp(true, Bound::Free), Way::E1);
    uplinks.host.run(|| disable(Family::V6, E0, false)).unwrap();
    let rules = uplinks.host.sh("ip -6 rule");
    assert!(!rules.contains("32765"), "{rules}");
}

#[test]
fn an_administrator_sees_what_a_person_would_have_written() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        disable(Family::V4, E0, true).unwrap();
        disable(Family::V6, E0, true).unwrap();
        let rules = run("nft list ruleset");
        for line in [
            "comment \"iphelper layout 1\"",
            "type iface_index : verdict",
            "10.0.1.0/24",
            "2001:db8:1::/64",
            "type filter hook output priority 400; policy accept;",
            "type filter hook forward priority 400; policy accept;",
            "meta nfproto ipv4 oif vmap @ddr4 comment \"DisableDefaultRoutes, IPv4: guarded interfaces\"",
            "meta nfproto ipv6 oif vmap @ddr6 comment \"DisableDefaultRoutes, IPv6: guarded interfaces\"",
            "ip daddr @onlink4-2 return comment \"prefixes of its routes, link-local, multicast\"",
            "ip6 daddr @onlink6-2 return",
            "rt ipsec exists return",
            "fib daddr type broadcast return",
            "reject with icmpx no-route",
            ": jump ddr4-2",
            "\"e0\" comment \"luid 0x",
        ] {
            assert!(rules.contains(line), "{line}\n{rules}");
        }
        let rules = run("ip rule");
        assert!(rules.contains("lookup main suppress_prefixlength 0 proto"), "{rules}");
        assert!(rules.contains("32765:\tfrom all unreachable proto"), "{rules}");
    });
}

#[test]
fn everybody_reads_and_only_administrators_set() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        disable(Family::V4, E0, true).unwrap();
        unprivileged(|| {
            assert!(is_disabled(Family::V4, E0));
            assert!(!is_disabled(Family::V6, E0));
            assert!(!is_disabled(Family::V4, E1));
            let error = disable(Family::V4, E1, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        });
    });
}

/// Another process, and an unprivileged one, learns of it at once.
#[test]
fn listeners_are_told() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let _ = run("ip link set va up");
        let mut changes =
            unprivileged(|| Host::open().unwrap().ip_interface_changes(Some(Family::V4)).unwrap());
        for disabled in [true, false] {
            assert!(forked(|| disable(Family::V4, InterfaceIndex(3), disabled).is_ok()));
            let change = changes.find(|change| change.as_ref().unwrap().name == "va").unwrap().unwrap();
            assert_eq!(change.kind, ChangeKind::Parameter);
            assert_eq!(is_disabled(Family::V4, InterfaceIndex(3)), disabled);
        }
    });
}

/// What `--dry-run` shows.
#[test]
fn a_plan_names_the_kernel_objects_and_writes_nothing() {
    isolated(|| {
        let before = everything();
        let change = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
        let plan = |change| Host::open().unwrap().plan_ip_interface(Family::V4, InterfaceIndex(1), change);
        for plan in [plan(&change).unwrap(), unprivileged(|| plan(&change).unwrap())] {
            assert_eq!((plan[0].property, &*plan[0].to), ("disable_default_routes", "true"));
            for object in ["inet iphelper", "ddr4-1", "onlink4-1", "32765", "1768974337", "1768974338"] {
                assert!(plan[0].mechanism.contains(object), "{object}: {}", plan[0].mechanism);
            }
        }
        assert_eq!(everything(), before);
        disable(Family::V4, InterfaceIndex(1), true).unwrap();
        assert!(plan(&change).unwrap().is_empty(), "what holds is no change");
        // Loopback is never stopped.
        let _ = run("ping -c 1 -W 1 127.0.0.1");
    });
}

/// Everything is put back when a later part of the same call fails.
#[test]
fn the_guard_is_put_back_with_the_rest() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let before = everything();
        // The MTU is set first; then the filter's table turns out to be another program's.
        let _ = run("nft add table inet iphelper { comment \"other\" ; }");
        let change = IpInterfaceChange {
            disable_default_routes: Some(true),
            nl_mtu: Some(1400),
            ..Default::default()
        };
        let error =
            Host::open().unwrap().set_ip_interface(Family::V4, InterfaceIndex(3), &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(run("ip link show va").contains("mtu 1500"));
        let _ = run("nft delete table inet iphelper");
        assert_unchanged(&before, &everything());
    });
}

#[test]
fn a_later_interface_on_the_index_inherits_nothing() {
    isolated(|| {
        let _ = run("ip link add va index 77 type veth peer name vb index 78");
        disable(Family::V4, InterfaceIndex(77), true).unwrap();
        let _ = run("ip link delete va");
        // With the same other end it would be a twin, which no attribute of the kernel tells apart.
        let _ = run("ip link add va index 77 type veth peer name vb index 79");
        assert!(!is_disabled(Family::V4, InterfaceIndex(77)));
        disable(Family::V4, InterfaceIndex(79), true).unwrap();
        let rules = run("nft list ruleset");
        assert!(!rules.contains("ddr4-77") && rules.contains("ddr4-79"), "{rules}");
        disable(Family::V4, InterfaceIndex(79), false).unwrap();
        assert_eq!(run("nft list ruleset"), "");
    });
}

#[test]
fn a_table_of_another_version_or_program_is_left_alone() {
    for comment in ["comment \"iphelper layout 2\" ;", "", "comment \"mine\" ;"] {
        isolated(|| {
            let _ = run("ip link add va type veth peer name vb");
            let _ = run(&format!("nft add table inet iphelper {{ {comment} }}"));
            let before = everything();
            let error = disable(Family::V4, E0, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            assert!(error.to_string().contains("inet iphelper"), "{error}");
            assert_eq!(everything(), before);
        });
    }
}

#[test]
fn many_threads_and_hosts_agree() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let _ = run("ip link add vc type veth peer name vd");
        let host = Host::open().unwrap();
        std::thread::scope(|scope| {
            for index in 2..6 {
                let host = &host;
                let _ = scope.spawn(move || {
                    for disabled in [true, false, true] {
                        let change = IpInterfaceChange {
                            disable_default_routes: Some(disabled),
                            ..Default::default()
                        };
                        let _ = host.set_ip_interface(Family::V4, InterfaceIndex(index), &change).unwrap();
                    }
                });
            }
        });
        for index in 2..6 {
            assert!(is_disabled(Family::V4, InterfaceIndex(index)));
        }
        assert!(!run("nft list tables").contains("lock"));
        assert_eq!(run("ip rule").matches("32765:").count(), 3);
    });
}

/// Default routes, links, addresses and rules change at random while every socket tries to get out.
#[test]
fn nothing_leaks_whatever_changes() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        for family in Family::ALL {
            disable(family, E0, true).unwrap();
        }
    });
    let before = [false, true].map(|ipv6| uplinks.counts(ipv6));
    let steps: [&[&str]; 14] = [
        &[
            "ip route replace default via 10.0.1.1 metric 1",
            "ip -6 route replace default via 2001:db8:1::1 dev e0 metric 1",
        ],
        &["ip route delete default metric 1", "ip -6 route delete default metric 1"],
        &["ip route replace default dev e0 metric 2", "ip -6 route replace default dev e0 metric 2"],
        &[
            "ip route append default via 10.0.1.1 metric 200",
            "ip -6 route append default via 2001:db8:1::1 dev e0 metric 200",
        ],
        &[
            "ip route replace default via 10.0.2.1 metric 200",
            "ip -6 route replace default via 2001:db8:2::1 dev e1 metric 200",
        ],
        &["ip route flush default", "ip -6 route flush default"],
        &["ip link set e0 down", "ip link set e0 up"],
        &["ip link set e1 down", "ip link set e1 up"],
        &["ip address replace 10.0.1.9/24 dev e0", "ip -6 address replace 2001:db8:1::9/64 dev e0 nodad"],
        &["ip address delete 10.0.1.9/24 dev e0", "ip -6 address delete 2001:db8:1::9/64 dev e0"],
        &[
            "ip -6 address replace 2001:db8:1::2/64 dev e0 nodad",
            "ip -6 address replace 2001:db8:2::2/64 dev e1 nodad",
        ],
        &["ip rule add fwmark 7 lookup 100 pref 100", "ip -6 rule add fwmark 7 lookup 100 pref 100"],
        &[
            "ip route replace default via 10.0.1.1 table 100",
            "ip -6 route replace default via 2001:db8:1::1 dev e0 table 100",
        ],
        &["call"],
    ];
    // Marsaglia's xorshift: the same sequence in each run.
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize
    };
    for _ in 0..150 {
        let step = steps[next() % steps.len()];
        uplinks.host.run(|| {
            for command in step {
                if *command == "call" {
                    let change =
                        IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
                    let host = Host::open().unwrap();
                    let _ = host.set_ip_interface(Family::V4, E0, &change).unwrap();
                } else {
                    // Some find nothing to delete, or no link that is up.
                    let _ = try_run(command);
                }
            }
            for ipv6 in [false, true] {
                let bounds = [
                    Bound::Free,
                    Bound::Device("e0"),
                    Bound::UnicastInterface(E0.0),
                    Bound::Address(Uplinks::address(0, ipv6)),
                    Bound::Mark(7),
                ];
                for bound in bounds {
                    let to = SocketAddr::new(Uplinks::server_address(ipv6), 9);
                    let _ = udp_socket(ipv6, bound).and_then(|socket| socket.send_to(b"?", to));
                }
            }
        });
    }
    for (ipv6, before) in [false, true].into_iter().zip(before) {
        let after = uplinks.counts(ipv6);
        assert_eq!(after[0], before[0], "left by the disabled interface");
        assert!(after[1] > before[1], "nothing was sent at all");
    }
}
