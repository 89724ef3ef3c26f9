//! Router advertisements: a peer configures itself from them, and withdraws what they gave when they end.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support::Keeper;
use crate::support;
use crate::support::iph;
use iphelper_testkit::{Advertisement, Capture, Icmpv6, NetNs, eventually, run, set_sysctl, sysctl};
use std::time::{Duration, Instant};

/// A router with `lan`, and a host with `eth` on the same link that has no address but its link-local one.
struct Lan {
    router: NetNs,
    peer: NetNs,
}

impl Lan {
    fn new() -> Self {
        let lan = Self { router: NetNs::new(), peer: NetNs::new() };
        for namespace in [&lan.router, &lan.peer] {
            namespace.run(|| {
                set_sysctl("ipv6/conf/all/accept_dad", "0");
                set_sysctl("ipv6/conf/default/accept_dad", "0");
                // Silent about routers until a test wants otherwise.
                set_sysctl("ipv6/conf/default/router_solicitations", "0");
            });
        }
        lan.router.veth("lan", &lan.peer, "eth");
        let _ = lan.router.sh("ip address add 2001:db8:7::1/64 dev lan nodad");
        eventually("both have link-local addresses", || {
            let ready = |namespace: &NetNs| {
                let text = namespace.sh("ip -6 address show scope link -tentative");
                text.contains("fe80::")
            };
            ready(&lan.router) && ready(&lan.peer)
        });
        lan
    }

    fn set(&self, options: &str) -> support::Run {
        self.router.run(|| iph(&format!("interface set lan --ipv6 {options}")))
    }

    /// What the kernel holds of what is set.
    fn markers(&self) -> String {
        self.router
            .sh("ip route show table all")
            .lines()
            .filter(|line| line.contains("table 1768974368"))
            .collect()
    }

    fn peer_has_default(&self) -> bool {
        self.peer.sh("ip -6 route show default").contains("proto ra")
    }

    fn peer_has_address(&self, prefix: &str) -> bool {
        self.peer.sh("ip -6 address show dev eth scope global").contains(prefix)
    }
}

fn advertisements(capture: &Capture, count: usize) -> Vec<Icmpv6> {
    capture.wait_for("router advertisements", count, |frame| {
        frame.icmpv6().filter(|it| it.kind == Icmpv6::ROUTER_ADVERTISEMENT)
    })
}

#[test]
fn a_peer_configures_itself_and_withdraws_at_once() {
    let lan = Lan::new();
    let keeper = lan.router.run(Keeper::start);
    let capture = lan.peer.run(Capture::start);
    let _ = lan.set("--forwarding true --advertising true --advertise-default-route true").ok();
    eventually("the peer has an address", || lan.peer_has_address("2001:db8:7:0:"));
    eventually("the peer has a default route", || lan.peer_has_default());
    let first = &advertisements(&capture, 1)[0];
    assert_eq!(first.hop_limit, 255);
    assert!(first.source.is_unicast_link_local());
    assert_eq!(first.destination.to_string(), "ff02::1");
    assert_eq!(u16::from_be_bytes([first.message[6], first.message[7]]), 1800, "three times 600 s");
    let route = lan.peer.sh("ip -6 route show default");
    assert!(route.contains(&format!("via {}", first.source)), "{route}");
    assert!(route.contains("hoplimit 64"), "{route}");
    // Packets go by it, and come back.
    let _ = lan.router.sh("ip address add 2001:db8:99::1/128 dev lo nodad");
    eventually("the router's other address answers", || {
        lan.peer.run(|| iphelper_testkit::try_run("ping -6 -c 1 -W 1 2001:db8:99::1")).is_ok()
    });
    // A router says so when it is asked who it is, and would be forgotten otherwise.
    let neighbor = lan.peer.sh(&format!("ip -6 neigh show {}", first.source));
    assert!(neighbor.contains("router"), "{neighbor}");
    eventually("the status tells it", || {
        let row = lan.router.run(|| keeper.status())["advertising"][0].clone();
        row["state"] == "advertising" && row["prefixes"] == 1 && row["sent"].as_u64() > Some(0)
    });

    let asked = Instant::now();
    assert_eq!(keeper.end(), Some(0));
    eventually("the default route is withdrawn", || !lan.peer_has_default());
    assert!(asked.elapsed() < Duration::from_secs(1000), "long before its lifetime ends, after 1800 s");
    assert!(lan.peer_has_address("2001:db8:7:0:"), "the prefix is still on the link");
    let gone = lan.router.run(|| iph("keeper status --status-directory /nonexistent"));
    let _ = gone.expect(3);
}

#[test]
fn what_is_advertised_follows_what_is_set() {
    let lan = Lan::new();
    let _keeper = lan.router.run(Keeper::start);
    let capture = lan.peer.run(Capture::start);
    let _ = lan.set("--forwarding true --advertising true").ok();
    eventually("the peer has an address", || lan.peer_has_address("2001:db8:7:0:"));
    assert!(!lan.peer_has_default(), "no default route is offered");
    let show = || lan.router.run(|| iph("interface show lan --json").json())["ipv6"].clone();
    let row = show();
    assert_eq!((&row["advertising_enabled"], &row["advertise_default_route"]), (&true.into(), &false.into()));
    assert_eq!(row["managed_address_configuration_supported"], false);
    assert_eq!(row["max_router_advertisement_interval"], 600_000);

    let _ = lan
        .set(
            "--advertise-default-route true --managed-address-configuration true \
             --other-stateful-configuration true --max-advertisement-interval 9s",
        )
        .ok();
    eventually("the peer has a default route", || lan.peer_has_default());
    let told = capture.wait_for("the flags", 1, |frame| {
        let it = frame.icmpv6().filter(|it| it.kind == Icmpv6::ROUTER_ADVERTISEMENT)?;
        (it.message[5] == 0xc0).then_some(it)
    });
    assert_eq!(u16::from_be_bytes([told[0].message[6], told[0].message[7]]), 27, "three times 9 s");
    let row = show();
    assert_eq!(row["managed_address_configuration_supported"], true);
    assert_eq!(row["other_stateful_configuration_supported"], true);
    assert_eq!(
        (&row["min_router_advertisement_interval"], &row["max_router_advertisement_interval"]),
        (&3_000.into(), &9_000.into())
    );
    // The peer's kernel has kept what it was told (IFLA_INET6_FLAGS).
    let peer = lan.peer.run(|| iph("interface show eth --json").json())["ipv6"].clone();
    assert_eq!(peer["managed_address_configuration_supported"], true);
    assert_eq!(peer["other_stateful_configuration_supported"], true);

    // A further prefix, and one that goes.
    let _ = lan.router.sh("ip address add 2001:db8:8::1/64 dev lan nodad");
    eventually("the peer has an address of the new prefix", || lan.peer_has_address("2001:db8:8:0:"));
    let _ = lan.router.sh("ip address delete 2001:db8:8::1/64 dev lan");
    eventually("the address of the old prefix is not to be used", || {
        let text = lan.peer.sh("ip -6 address show dev eth deprecated");
        text.contains("2001:db8:8:0:")
    });

    let _ = lan.set("--advertise-default-route false").ok();
    eventually("the default route is gone", || !lan.peer_has_default());
    let _ = lan.set("--advertise-default-route true").ok();
    eventually("the default route is back", || lan.peer_has_default());
    // As a caller leaves it that is killed half-way; the next one completes it.
    lan.router.run(|| set_sysctl("ipv6/conf/lan/forwarding", "0"));
    let _ = lan.set("--mtu 1400").ok();
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/lan/forwarding")), "0", "not what that call was about");
    let _ = lan.set("--advertising true").ok();
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/lan/forwarding")), "1");
    let _ = lan.set("--advertising false").ok();
    eventually("the default route is gone with the advertisements", || !lan.peer_has_default());
    let row = show();
    assert_eq!(row["advertising_enabled"], false);
    assert_eq!(row["managed_address_configuration_supported"], false, "what a router told: none did");
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/lan/forwarding")), "0", "no router any more");
}

#[test]
fn a_host_that_asks_is_answered() {
    let lan = Lan::new();
    let keeper = lan.router.run(Keeper::start);
    let _ = lan.set("--forwarding true --advertising true --advertise-default-route true").ok();
    eventually("the peer has a default route", || lan.peer_has_default());
    let solicited =
        || lan.router.run(|| keeper.status())["advertising"][0]["solicited"].as_u64().unwrap_or_default();
    assert_eq!(solicited(), 0);
    // The link comes up anew, its carrier too, which would make the router begin anew: so only the address is.
    let _ = lan.peer.sh("ip -6 route flush proto ra");
    lan.peer.run(|| set_sysctl("ipv6/conf/eth/router_solicitations", "3"));
    // A token makes the kernel ask.
    let capture = lan.peer.run(Capture::start);
    let _ = lan.peer.sh("ip token set ::42 dev eth");
    let asked = capture.wait_for("a solicitation", 1, |frame| {
        frame.icmpv6().filter(|it| it.kind == Icmpv6::ROUTER_SOLICITATION).map(|_| frame.at)
    })[0];
    let answered = capture.wait_for("an answer", 1, |frame| {
        frame.icmpv6().filter(|it| it.kind == Icmpv6::ROUTER_ADVERTISEMENT).map(|_| frame.at)
    })[0];
    // Before the next one is due, 16 s behind the last; an answer waits for 3.5 s at most. The status tells for sure.
    assert!(answered - asked < Duration::from_secs(14), "{:?}", answered - asked);
    eventually("the peer has a default route again", || lan.peer_has_default());
    eventually("the status tells it", || solicited() > 0);
}

#[test]
fn advertisements_wait_for_link_local_address_and_forwarding() {
    let lan = Lan::new();
    let keeper = lan.router.run(Keeper::start);
    let state = || {
        let status = lan.router.run(|| keeper.status());
        status["advertising"][0]["state"].as_str().unwrap_or_default().to_owned()
    };
    let _ = lan.router.sh("ip -6 address flush dev lan scope link");
    let _ = lan.set("--forwarding true --advertising true --advertise-default-route true").ok();
    eventually("it waits", || state() == "waiting: no link-local address");
    assert!(!lan.peer_has_default());
    let _ = lan.router.sh("ip address add fe80::7/64 dev lan nodad");
    eventually("the peer has a default route", || lan.peer_has_default());
    assert!(lan.peer.sh("ip -6 route show default").contains("via fe80::7"));
    // Somebody else ends forwarding: then this is no router.
    lan.router.run(|| set_sysctl("ipv6/conf/lan/force_forwarding", "0"));
    eventually("the default route is withdrawn", || !lan.peer_has_default());
    eventually("the status tells why", || state() == "waiting: the interface does not forward");
    lan.router.run(|| set_sysctl("ipv6/conf/lan/force_forwarding", "1"));
    eventually("the default route is back", || lan.peer_has_default());
    let _ = lan.router.sh("ip link set lan down");
    eventually("the status tells why", || state() == "waiting: the interface is down");
    let _ = lan.router.sh("ip link set lan up");
    let _ = lan.router.run(|| iphelper_testkit::try_run("ip address add fe80::7/64 dev lan nodad"));
    let _ = lan.router.run(|| iphelper_testkit::try_run("ip address add 2001:db8:7::1/64 dev lan nodad"));
    eventually("it advertises again", || state() == "advertising");
}

#[test]
fn default_routes_that_other_routers_told_survive() {
    let lan = Lan::new();
    let upstream = NetNs::new();
    lan.router.veth("wan", &upstream, "near");
    upstream.run(|| {
        eventually("a link-local address", || {
            run("ip -6 address show scope link -tentative").contains("fe80::")
        });
        let advertisement = Advertisement {
            router_lifetime: 1800,
            prefix: "2001:db8:5::".parse().unwrap(),
            route: None,
            managed: false,
            other_configuration: false,
        };
        eventually("the router is told a default route", || {
            advertisement.send("near");
            lan.router.sh("ip -6 route show default").contains("dev wan proto ra")
        });
    });
    let keeper = lan.router.run(Keeper::start);
    let _ = lan.set("--forwarding true --advertising true").ok();
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/lan/forwarding")), "1", "a router");
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/wan/accept_ra")), "1", "as it was");
    let routes = lan.router.sh("ip -6 route show default");
    assert!(routes.contains("dev wan proto ra"), "{routes}");
    drop(keeper);
}

#[test]
fn refusals_say_why() {
    let lan = Lan::new();
    let message = lan.set("--forwarding true --advertising true").message(5);
    assert!(message.contains("start iph keeper"), "{message}");
    assert_eq!(lan.router.run(|| sysctl("ipv6/conf/lan/force_forwarding")), "0", "nothing was done");
    let keeper = lan.router.run(Keeper::start);
    let message = lan.set("--advertising true").message(2);
    assert!(message.contains("a router forwards"), "{message}");
    let message = lan.set("--managed-address-configuration true").message(5);
    assert!(message.contains("the router on the link tells it"), "{message}");
    for (options, words) in [
        ("--max-advertisement-interval 3s", "4 to 1800 s"),
        ("--max-advertisement-interval 1801s", "4 to 1800 s"),
        ("--max-advertisement-interval 5000000000s", "4 to 1800 s"),
        ("--min-advertisement-interval 451s", "three quarters"),
        ("--min-advertisement-interval 2s", "three quarters"),
        ("--min-advertisement-interval 3500", "whole seconds"),
    ] {
        let message = lan.set(&format!("--forwarding true --advertising true {options}")).message(2);
        assert!(message.contains(words), "{options}: {message}");
    }
    for option in ["advertising", "advertise-default-route"] {
        let set = format!("interface set lan --ipv4 --{option} true");
        let message = lan.router.run(|| iph(&set)).message(5);
        assert!(message.contains("RFC 1256"), "{message}");
    }
    let message =
        lan.router.run(|| iph("interface set lo --ipv6 --forwarding true --advertising true")).message(5);
    assert!(message.contains("multicast"), "{message}");
    let dry =
        lan.router.run(|| iph("interface set lan --ipv6 --forwarding true --advertising true --dry-run"));
    assert!(dry.ok().contains("advertising_enabled"));
    assert_eq!(lan.markers(), "", "nothing was written");
    let _ = lan.set("--forwarding true --advertising true --advertise-default-route true").ok();
    let marker = lan.markers();
    assert!(marker.starts_with("throw 0.0.0.2"), "{marker}");
    // Without a keeper, what is set stays, is shown, and cannot be changed to anything that nobody would do.
    keeper.kill();
    let row = lan.router.run(|| iph("interface show lan --json").json());
    assert_eq!(row["ipv6"]["advertising_enabled"], true);
    let message = lan.set("--managed-address-configuration true").message(5);
    assert!(message.contains("start iph keeper"), "{message}");
    let _ = lan.set("--advertising true").ok();
    let _ = lan.set("--advertising false").ok();
    let _ = lan.set("--advertise-default-route false").ok();
    assert_eq!(lan.markers(), "", "nothing is left");
}

#[test]
fn listeners_are_told() {
    let lan = Lan::new();
    let _keeper = lan.router.run(Keeper::start);
    let _ = lan.set("--forwarding true").ok();
    lan.router.run(|| {
        let host = iphelper::Host::open().unwrap();
        let mut changes = host.ip_interface_changes(Some(iphelper::Family::V6)).unwrap();
        let mut told = |what: &str| {
            eventually(what, || {
                let change = changes.try_next().unwrap();
                change.is_some_and(|change| change.name == "lan")
            });
        };
        // Without a change of the interface's role, which the kernel tells by itself.
        set_sysctl("ipv6/conf/lan/forwarding", "1");
        told("the role");
        for options in
            ["--advertising true", "--advertise-default-route true", "--managed-address-configuration true"]
        {
            let _ = iph(&format!("interface set lan --ipv6 {options}")).ok();
            told(options);
        }
    });
}

#[test]
fn a_later_interface_on_the_index_does_not_advertise() {
    let lan = Lan::new();
    let keeper = lan.router.run(Keeper::start);
    let _ = lan.set("--forwarding true --advertising true --advertise-default-route true").ok();
    eventually("the peer has a default route", || lan.peer_has_default());
    let _ = lan.router.sh("ip link delete lan");
    eventually("what was set is forgotten", || lan.markers().is_empty());
    eventually("nothing advertises", || {
        lan.router.run(|| keeper.status())["advertising"].as_array().unwrap().is_empty()
    });
}
