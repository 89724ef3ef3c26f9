//! SetIpInterfaceEntry judged by packets: what the settings do to real traffic between namespaces.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use crate::lan::{Lan, index_of, nothing};
use iphelper::Host;
use iphelper::ip_interface::{IpInterfaceChange, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use iphelper::types::Family;
use iphelper_testkit::{
    Advertisement, Capture, Frame, Icmpv6, NetNs, PATIENCE, eventually, ping, send_unfragmented, set_sysctl,
    sysctl,
};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn send(from: &NetNs, to: &str, port: u16) {
    from.run(|| {
        let to: IpAddr = to.parse().unwrap();
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let sent = UdpSocket::bind(any).unwrap().send_to(b"hello", SocketAddr::new(to, port));
        let _ = sent.unwrap();
    });
}

/// A host on each of two links, and the host between them.
struct Between {
    left: NetNs,
    router: NetNs,
    right: NetNs,
    host: Host,
}

impl Between {
    fn new() -> Self {
        let (left, router, right) = (NetNs::new(), NetNs::new(), NetNs::new());
        for host in [&left, &router, &right] {
            host.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
        }
        router.veth("l0", &left, "e0");
        router.veth("r0", &right, "e0");
        for (net, host, own, gateway) in [(1, &left, "1", "2"), (2, &right, "1", "2")] {
            let inner = if net == 1 { "l0" } else { "r0" };
            for (prefix, len) in [(format!("10.{net}.0."), 24), (format!("fd0{net}::"), 64)] {
                let _ = router.sh(&format!("ip address add {prefix}{gateway}/{len} dev {inner}"));
                let _ = host.sh(&format!("ip address add {prefix}{own}/{len} dev e0"));
                let _ = host.sh(&format!("ip route add default via {prefix}{gateway} dev e0"));
            }
        }
        router.addresses_settle(&["l0", "r0"]);
        for (host, gateways) in [(&left, ["10.1.0.2", "fd01::2"]), (&right, ["10.2.0.2", "fd02::2"])] {
            host.addresses_settle(&["e0"]);
            // They know each other from here on.
            for gateway in gateways {
                host.run(|| ping(gateway));
            }
        }
        let host = router.run(|| Host::open().unwrap());
        Self { left, router, right, host }
    }

    fn forward(&self, family: Family, interface: &str, on: bool) {
        let change = IpInterfaceChange { forwarding_enabled: Some(on), ..nothing() };
        let index = index_of(&self.router, interface);
        let changes = self.host.set_ip_interface(family, index, &change).unwrap();
        assert_eq!(changes.len(), 1);
    }
}

#[test]
fn only_packets_that_come_in_on_a_forwarding_interface_are_forwarded() {
    let net = Between::new();
    let ports = |capture: &Capture, last: u16| -> Vec<u16> {
        let mut ports = Vec::new();
        eventually("the last datagram", || {
            ports.extend(capture.frames().iter().filter_map(Frame::udp).map(|it| it.port));
            ports.contains(&last)
        });
        ports
    };
    for (family, left, right) in [(Family::V4, "10.1.0.1", "10.2.0.1"), (Family::V6, "fd01::1", "fd02::1")] {
        let at_right = net.right.run(Capture::start);
        let at_left = net.left.run(Capture::start);
        let at_router = net.router.run(Capture::start);
        // What is not to be forwarded has come to the router before that changes.
        let refused = |from: &NetNs, to: &str, port: u16| {
            send(from, to, port);
            let _ = ports(&at_router, port);
        };
        refused(&net.left, right, 1001);
        net.forward(family, "l0", true);
        send(&net.left, right, 1002);
        let arrived = ports(&at_right, 1002);
        assert!(!arrived.contains(&1001), "{family}: forwarded before it was allowed");
        // The other way comes in on the other interface, which does not forward.
        refused(&net.right, left, 1003);
        net.forward(family, "r0", true);
        send(&net.right, left, 1004);
        let arrived = ports(&at_left, 1004);
        assert!(!arrived.contains(&1003), "{family}: the incoming interface alone counts");
        // And off again.
        net.forward(family, "l0", false);
        refused(&net.left, right, 1005);
        net.forward(family, "l0", true);
        send(&net.left, right, 1006);
        let arrived = ports(&at_right, 1006);
        assert!(!arrived.contains(&1005), "{family}: forwarded after it was forbidden");
    }
}

#[test]
fn the_mtu_of_a_family_bounds_its_packets() {
    let lan = Lan::new();
    for host in [(&lan.near, "e0", 1), (&lan.far, "p0", 2)] {
        let _ = host.0.sh(&format!("ip address add 10.0.0.{}/24 dev {}", host.2, host.1));
        let _ = host.0.sh(&format!("ip address add fd00::{}/64 dev {}", host.2, host.1));
        host.0.addresses_settle(&[host.1]);
    }
    let (v4, v6): (SocketAddr, SocketAddr) = ("10.0.0.2:9".parse().unwrap(), "[fd00::2]:9".parse().unwrap());
    let at_far = lan.far.run(Capture::start);
    let fits = |to: SocketAddr, len: usize| {
        let sent = lan.near.run(|| send_unfragmented(to, len));
        match sent {
            Ok(()) => {
                let arrived = at_far.wait_for("the datagram", 1, Frame::udp);
                assert_eq!(arrived[0].destination, to.ip());
                true
            }
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(90), "EMSGSIZE: {error}");
                false
            }
        }
    };
    assert!(fits(v4, 1500) && fits(v6, 1500));
    let mtu = |family, mtu| {
        let changes = lan.set(family, &IpInterfaceChange { nl_mtu: Some(mtu), ..nothing() }).unwrap();
        assert_eq!(changes.len(), 1);
    };
    mtu(Family::V6, 1400);
    assert!(fits(v6, 1400) && !fits(v6, 1401));
    assert!(fits(v4, 1500), "IPv4 keeps the device's");
    mtu(Family::V4, 1450);
    assert!(fits(v4, 1450) && !fits(v4, 1451));
    assert!(fits(v6, 1400) && !fits(v6, 1401), "IPv6 keeps its own");
    mtu(Family::V6, 1450);
    assert!(fits(v6, 1450) && !fits(v6, 1451));
    mtu(Family::V6, 1280);
    mtu(Family::V4, 1280);
    assert!(fits(v4, 1280) && !fits(v4, 1281) && fits(v6, 1280) && !fits(v6, 1281));
}

#[test]
fn duplicate_detection_sends_as_many_probes_as_asked() {
    let lan = Lan::new();
    let at_far = lan.far.run(Capture::start);
    for (round, count) in [1_u32, 3, 0, 2].into_iter().enumerate() {
        let change =
            IpInterfaceChange { dad_transmits: Some(count), retransmit_time: Some(MS(100)), ..nothing() };
        // The link was made without detection, which the first round turns on.
        assert!(!lan.set(Family::V6, &change).unwrap().is_empty());
        let address: Ipv6Addr = format!("2001:db8::{}", round + 1).parse().unwrap();
        let _ = lan.near.sh(&format!("ip -6 address add {address}/64 dev e0"));
        eventually("the address is usable", || {
            !lan.near.sh("ip -6 address show dev e0").contains("tentative")
        });
        let probes = at_far.frames();
        let probes = probes.iter().filter_map(Frame::icmpv6).filter(|it| {
            it.kind == Icmpv6::NEIGHBOR_SOLICITATION && it.source.is_unspecified() && it.target == address
        });
        assert_eq!(probes.count(), usize::try_from(count).unwrap(), "asked for {count}");
    }
}

#[test]
fn solicitations_are_as_far_apart_as_asked() {
    let lan = Lan::new();
    let _ = lan.near.sh("ip address add 10.0.0.1/24 dev e0");
    let _ = lan.near.sh("ip address add fd00::1/64 dev e0");
    lan.near.addresses_settle(&["e0"]);
    let at_far = lan.far.run(Capture::start);
    let mut nobody = 100;
    let mut gap = |family: Family| {
        nobody += 1;
        let to = if family == Family::V4 { format!("10.0.0.{nobody}") } else { format!("fd00::{nobody}") };
        send(&lan.near, &to, 9);
        let target: IpAddr = to.parse().unwrap();
        let asked = |frame: &Frame| {
            let arp = frame.arp_request().map(|it| IpAddr::V4(it.target));
            let nd = frame.icmpv6().filter(|it| it.kind == Icmpv6::NEIGHBOR_SOLICITATION);
            (arp.or(nd.map(|it| IpAddr::V6(it.target))) == Some(target)).then_some(frame.at)
        };
        let at = at_far.wait_for("three solicitations", 3, asked);
        (at[1] - at[0]).min(at[2] - at[1])
    };
    // A busy host may see them late, or all at once: not again and again.
    let mut is_once = |family, wanted: std::ops::Range<Duration>| {
        let mut gaps = Vec::new();
        (0..10).any(|_| {
            gaps.push(gap(family));
            gaps.last().is_some_and(|gap| wanted.contains(gap))
        }) || panic!("{family}: {gaps:?}, and not {wanted:?}")
    };
    for family in Family::ALL {
        // The kernel's default is a second.
        assert!(is_once(family, MS(700)..MS(10_000)));
        let _ = lan.set(family, &IpInterfaceChange { retransmit_time: Some(MS(200)), ..nothing() }).unwrap();
        assert!(is_once(family, MS(100)..MS(600)));
    }
}

#[test]
fn neighbors_are_probed_only_while_unreachability_is_detected() {
    let lan = Lan::new();
    let _ = lan.near.sh("ip address add 10.0.0.1/24 dev e0");
    let _ = lan.near.sh("ip address add fd00::1/64 dev e0");
    let _ = lan.far.sh("ip address add 10.0.0.2/24 dev p0");
    let _ = lan.far.sh("ip address add fd00::2/64 dev p0");
    lan.near.addresses_settle(&["e0"]);
    lan.far.addresses_settle(&["p0"]);
    // Somebody takes the datagrams: an ICMP error for a closed port would come with a solicitation of its own.
    let taken = lan.far.run(|| UdpSocket::bind("[::]:9").unwrap());
    let detect = |on| {
        for family in Family::ALL {
            // Confirmations age quickly, so that the neighbours come into doubt.
            let change = IpInterfaceChange {
                use_neighbor_unreachability_detection: Some(on),
                base_reachable_time: Some(MS(100)),
                ..nothing()
            };
            let _ = lan.set(family, &change).unwrap();
        }
    };
    let at_far = lan.far.run(Capture::start);
    let probe = |frame: &Frame| {
        let arp = frame.arp_request().filter(|it| !it.broadcast).map(|_| Family::V4);
        let solicited = |it: &Icmpv6| {
            it.kind == Icmpv6::NEIGHBOR_SOLICITATION && it.target == "fd00::2".parse::<Ipv6Addr>().unwrap()
        };
        arp.or(frame
            .icmpv6()
            .filter(solicited)
            .filter(|it| !it.destination.is_multicast())
            .map(|_| Family::V6))
    };
    let talk = |time: Duration, until_both: bool| {
        let end = std::time::Instant::now() + time;
        let mut probed = Vec::new();
        while std::time::Instant::now() < end
            && !(until_both && Family::ALL.iter().all(|it| probed.contains(it)))
        {
            send(&lan.near, "10.0.0.2", 9);
            send(&lan.near, "fd00::2", 9);
            probed.extend(at_far.during(MS(100), probe));
        }
        probed
    };
    detect(false);
    // The kernel probes five seconds after the doubt.
    let probed = talk(MS(7000), false);
    assert!(probed.is_empty(), "probed although undetected: {probed:?}");
    let shown = lan.near.sh("ip neigh show 10.0.0.2") + &lan.near.sh("ip neigh show fd00::2");
    assert_eq!(
        shown.matches("DELAY").count(),
        2,
        "in use, and waiting for a probe that does not come: {shown}"
    );
    // Entries that wait are not left waiting for 23 days.
    detect(true);
    let probed = talk(PATIENCE, true);
    for family in Family::ALL {
        assert!(probed.contains(&family), "{family} was not probed");
    }
    drop(taken);
}

const PREFIX: &str = "2001:db8:1::";

fn advertisement() -> Advertisement {
    Advertisement {
        router_lifetime: 1800,
        prefix: PREFIX.parse().unwrap(),
        route: Some("2001:db8:ff::".parse().unwrap()),
        managed: false,
        other_configuration: false,
    }
}

/// Lets the other host, which is a router from then on, send an advertisement. One that answers as a host is none any more: what it
/// advertised goes as soon as it is asked whether it is still there.
fn advertise(lan: &Lan) {
    lan.far.run(advertise_from_here);
}

fn advertise_from_here() {
    set_sysctl("ipv6/conf/all/forwarding", "1");
    advertisement().send("p0");
}

/// A router on the far side that answers each solicitation for the time of `work`.
fn with_router<T: Send>(lan: &Lan, work: impl FnOnce() -> T + Send) -> T {
    let done = std::sync::atomic::AtomicBool::new(false);
    let at_far = lan.far.run(Capture::start);
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| {
            lan.far.run(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let solicited =
                        |frame: &Frame| frame.icmpv6().filter(|it| it.kind == Icmpv6::ROUTER_SOLICITATION);
                    if !at_far.during(MS(10), solicited).is_empty() {
                        advertise_from_here();
                    }
                }
            });
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn discover(lan: &Lan, behavior: RouterDiscoveryBehavior) {
    let change = IpInterfaceChange { router_discovery_behavior: Some(behavior), ..nothing() };
    assert_eq!(lan.set(Family::V6, &change).unwrap().len(), 1);
}

fn routes(lan: &Lan) -> String {
    lan.near.sh("ip -6 route show dev e0")
}

fn addresses_of_link(lan: &Lan) -> String {
    lan.near.sh("ip -6 address show dev e0 scope link")
}

fn addresses(lan: &Lan) -> String {
    lan.near.sh("ip -6 address show dev e0 scope global")
}

#[test]
fn router_discovery_solicits_when_enabled_and_forgets_when_disabled() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/accept_ra_rt_info_max_plen", "64");
    lan.set_sysctl("ipv6/conf/e0/use_tempaddr", "2");
    advertise(&lan);
    eventually("an address from the router", || addresses(&lan).contains("mngtmpaddr"));
    eventually("a temporary address", || addresses(&lan).contains("temporary"));
    assert!(routes(&lan).contains("default via fe80::"), "{}", routes(&lan));
    assert!(routes(&lan).contains("2001:db8:ff::/48 via fe80::"), "{}", routes(&lan));
    assert!(routes(&lan).contains("2001:db8:1::/64"), "{}", routes(&lan));
    // What somebody else made is not the router's.
    let _ = lan.near.sh("ip -6 address add 2001:db8:9::5/64 dev e0 nodad");
    let _ = lan.near.sh("ip -6 address add 2001:db8:8::5/64 dev e0 nodad valid_lft 1000 preferred_lft 500");
    let _ = lan.near.sh("ip -6 route add 2001:db8:7::/48 via fe80::1 dev e0");
    let _ = lan.near.sh("ip -6 route add default via fe80::1 dev e0 metric 2000");

    discover(&lan, RouterDiscoveryBehavior::Disabled);
    let (shown, held) = (routes(&lan), addresses(&lan));
    assert!(!shown.contains("proto ra"), "{shown}");
    assert!(!shown.contains("2001:db8:1::/64") && !shown.contains("2001:db8:ff::/48"), "{shown}");
    assert!(!held.contains("2001:db8:1:"), "{held}");
    for kept in ["2001:db8:9::/64", "2001:db8:8::/64", "2001:db8:7::/48", "default via fe80::1"] {
        assert!(shown.contains(kept), "{kept} is not the router's: {shown}");
    }
    assert!(held.contains("2001:db8:9::5") && held.contains("2001:db8:8::5"), "{held}");

    // Advertisements are not obeyed: the near side has seen this one before the echo that follows it.
    let at_near = lan.near.run(Capture::start);
    advertise(&lan);
    let _ = at_near.wait_for("the advertisement", 1, |frame| frame.icmpv6().filter(|it| it.kind == 134));
    std::thread::sleep(MS(100));
    assert!(!routes(&lan).contains("proto ra") && !addresses(&lan).contains("2001:db8:1:"));

    with_router(&lan, || {
        discover(&lan, RouterDiscoveryBehavior::Enabled);
        eventually("the router's default route", || routes(&lan).contains("default via fe80::"));
        eventually("an address from the router", || addresses(&lan).contains("mngtmpaddr"));
    });
    assert!(
        lan.near.sh("ip token show dev e0").contains("token :: "),
        "what the solicitation borrowed is given back"
    );
    assert!(!addresses(&lan).contains("2001:db8:1::1/64"), "{}", addresses(&lan));
}

#[test]
fn routers_are_solicited_on_links_without_neighbors_too() {
    let lan = Lan::new();
    // Switching ARP off makes the kernel begin anew, with a solicitation of its own.
    lan.set_sysctl("ipv6/conf/e0/router_solicitation_delay", "0");
    let at_far = lan.far.run(Capture::start);
    let _ = lan.near.sh("ip link set e0 arp off");
    let _ = at_far.during(MS(300), |_| Some(()));
    discover(&lan, RouterDiscoveryBehavior::Disabled);
    discover(&lan, RouterDiscoveryBehavior::Enabled);
    let near = addresses_of_link(&lan);
    let _ = at_far.wait_for("a solicitation", 1, |frame| {
        frame
            .icmpv6()
            .filter(|it| it.kind == Icmpv6::ROUTER_SOLICITATION && near.contains(&it.source.to_string()))
    });
    advertise(&lan);
    eventually("the router's default route", || routes(&lan).contains("default via fe80::"));
}

#[test]
fn an_on_link_prefix_that_a_hand_made_address_needs_stays() {
    let lan = Lan::new();
    advertise(&lan);
    eventually("an address from the router", || addresses(&lan).contains("mngtmpaddr"));
    let _ = lan.near.sh("ip -6 address add 2001:db8:1::5/64 dev e0 nodad");
    discover(&lan, RouterDiscoveryBehavior::Disabled);
    let (shown, held) = (routes(&lan), addresses(&lan));
    assert!(held.contains("2001:db8:1::5/64") && !held.contains("mngtmpaddr"), "{held}");
    assert!(shown.contains("2001:db8:1::/64") && !shown.contains("proto ra"), "{shown}");
}

#[test]
fn another_interfaces_router_is_not_forgotten() {
    let lan = Lan::new();
    let other = NetNs::new();
    other.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    lan.near.veth("e1", &other, "q0");
    other.addresses_settle(&["q0"]);
    lan.near.addresses_settle(&["e1"]);
    advertise(&lan);
    other.run(|| {
        set_sysctl("ipv6/conf/all/forwarding", "1");
        Advertisement { prefix: "2001:db8:2::".parse().unwrap(), ..advertisement() }.send("q0");
    });
    let elsewhere = || lan.near.sh("ip -6 route show dev e1") + &lan.near.sh("ip -6 address show dev e1");
    eventually("both routers", || {
        routes(&lan).contains("default")
            && elsewhere().contains("default")
            && elsewhere().contains("mngtmpaddr")
    });
    let before = elsewhere();
    discover(&lan, RouterDiscoveryBehavior::Disabled);
    assert!(!routes(&lan).contains("default"));
    let lines = |text: &str| text.lines().filter(|line| !line.contains("lft")).count();
    assert_eq!(lines(&elsewhere()), lines(&before), "{}", elsewhere());
    assert!(elsewhere().contains("default") && elsewhere().contains("mngtmpaddr"));
}

#[test]
fn the_identifier_makes_addresses_and_ends_them() {
    let lan = Lan::new();
    let identifier = |value| {
        let change = IpInterfaceChange { interface_identifier: Some(value), ..nothing() };
        assert_eq!(lan.set(Family::V6, &change).unwrap().len(), 1);
    };
    with_router(&lan, || {
        identifier(0xaa);
        eventually("an address with the identifier", || addresses(&lan).contains("2001:db8:1::aa/64"));
        // Router discovery off and on again keeps it.
        discover(&lan, RouterDiscoveryBehavior::Disabled);
        assert!(!addresses(&lan).contains("2001:db8:1::aa/64"));
        discover(&lan, RouterDiscoveryBehavior::Enabled);
        eventually("the address again", || addresses(&lan).contains("2001:db8:1::aa/64"));
    });
    identifier(0);
    eventually("the address ends", || !addresses(&lan).contains("2001:db8:1::aa/64"));
}

#[test]
fn a_link_local_address_made_again_answers() {
    let lan = Lan::new();
    let behavior = |behavior| {
        let change = IpInterfaceChange { link_local_address_behavior: Some(behavior), ..nothing() };
        assert_eq!(lan.set(Family::V6, &change).unwrap().len(), 1);
    };
    let shown = lan.near.sh("ip -6 -o address show dev e0 scope link");
    let address = shown.split_whitespace().find(|word| word.starts_with("fe80")).unwrap();
    let address: Ipv6Addr = address.split('/').next().unwrap().parse().unwrap();
    let answers = |port: u16| {
        lan.far.run(|| {
            let near = lan.near.run(Capture::start);
            let index = index_of(&lan.far, "p0").0;
            let to = std::net::SocketAddrV6::new(address, port, 0, index);
            let _ = UdpSocket::bind("[::]:0").unwrap().send_to(b"hello", to).unwrap();
            let arrived = near.during(MS(300), |frame| frame.udp().filter(|it| it.port == port));
            !arrived.is_empty()
        })
    };
    eventually("the address answers", || answers(1001));
    behavior(LinkLocalAddressBehavior::AlwaysOff);
    let _ = lan.far.sh("ip -6 neigh flush dev p0");
    assert!(!answers(1002), "nobody has the address");
    behavior(LinkLocalAddressBehavior::AlwaysOn);
    let _ = lan.far.sh("ip -6 neigh flush dev p0");
    eventually("the address answers", || answers(1003));
    assert_eq!(lan.near.run(|| sysctl("ipv6/conf/e0/addr_gen_mode")), "0");
}
