//! `DisableDefaultRoutes` while others change routes, links, addresses, rules and filters.

use crate::policy_support::{E0, ENETUNREACH, assert_guarded, disable, everything, is_disabled, is_v6};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{Advertisement, eventually, isolated, run, try_run};
use std::net::SocketAddr;

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
