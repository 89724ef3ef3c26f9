//! Addresses that are looked for on the link before they are taken.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::support::{add, all_shown, e0, ip, new, pair, row, shown};
use iphelper::address::{DadState, Lifetime, NewUnicastAddress, UnicastAddressChange};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::{
    ArpRequest, Capture, Frame, NetNs, eventually, run, set_sysctl, sysctl, unprivileged, without_raw_packets,
};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

#[test]
fn an_ipv6_address_is_tentative_until_nobody_has_answered() {
    let (ours, peer) = pair();
    peer.run(|| add("2001:db8::9", 64, "e1"));
    ours.run(|| {
        set_sysctl("ipv6/conf/e0/accept_dad", "1");
        // Long enough to look at it, however busy the host is.
        set_sysctl("ipv6/neigh/e0/retrans_time_ms", "6000");
        let host = Host::open().unwrap();
        let state = |address| row(&host, address).dad_state;
        let _ = host.create_unicast_address(&new(&host, "2001:db8::1", 64)).unwrap();
        assert_eq!(state("2001:db8::1"), DadState::Tentative);
        assert!(UdpSocket::bind("[2001:db8::1]:0").is_err(), "nobody can use it yet");
        eventually("detection is over", || state("2001:db8::1") == DadState::Preferred);
        let _ = host.create_unicast_address(&new(&host, "2001:db8::9", 64)).unwrap();
        eventually("the duplicate is found", || state("2001:db8::9") == DadState::Duplicate);
        assert_eq!(shown("2001:db8::9").unwrap()["dadfailed"], true);

        set_sysctl("ipv6/conf/e0/dad_transmits", "100");
        assert_eq!(sysctl("ipv6/conf/e0/optimistic_dad"), "0");
        let optimistic = NewUnicastAddress { optimistic: true, ..new(&host, "2001:db8::2", 64) };
        let _ = host.create_unicast_address(&optimistic).unwrap();
        assert_eq!(state("2001:db8::2"), DadState::Preferred);
        assert!(run("ip -6 addr show dev e0 to 2001:db8::2").contains("tentative"), "it is still looked for");
        assert!(UdpSocket::bind("[2001:db8::2]:0").is_ok(), "and can be used");
        assert_eq!(sysctl("ipv6/conf/e0/optimistic_dad"), "0", "as it was");
        // Another prefix begins no detection anew of what has passed it.
        let length = UnicastAddressChange { on_link_prefix_length: Some(80), ..Default::default() };
        let _ = host.set_unicast_address(e0(&host), ip("2001:db8::1"), &length).unwrap();
        eventually("detection, which asks nobody, is over", || state("2001:db8::1") == DadState::Preferred);
    });
}

/// A host whose `e0` looks for IPv4 duplicates, with probes some time apart.
fn probing(probes: u32) -> (NetNs, NetNs, Host) {
    probing_each(Duration::from_millis(300), probes)
}

fn probing_each(time: Duration, probes: u32) -> (NetNs, NetNs, Host) {
    let (ours, peer) = pair();
    let host = ours.run(|| Host::open().unwrap());
    let change =
        IpInterfaceChange { dad_transmits: Some(probes), retransmit_time: Some(time), ..Default::default() };
    let changes = host.set_ip_interface(Family::V4, e0(&host), &change).unwrap();
    assert!(changes.iter().any(|it| it.property == "dad_transmits"), "{changes:?}");
    assert_eq!(host.ip_interface(Family::V4, e0(&host)).unwrap().dad_transmits, probes);
    (ours, peer, host)
}

/// The probes for an address in what was captured (RFC 5227: a request without a sender), and the announcements. Waits until
/// `least` have come.
fn probes(capture: &Capture, address: &str, least: usize) -> [usize; 2] {
    let IpAddr::V4(address) = ip(address) else { panic!("{address}") };
    let mut requests = Vec::new();
    let count = |requests: &[ArpRequest], sender| {
        requests.iter().filter(|it| it.target == address && it.sender == sender).count()
    };
    let mut counts = [0, 0];
    eventually("the probes come", || {
        requests.extend(capture.frames().iter().filter_map(Frame::arp_request));
        counts = [Ipv4Addr::UNSPECIFIED, address].map(|sender| count(&requests, sender));
        counts.iter().sum::<usize>() >= least
    });
    assert!(requests.iter().all(|it| it.broadcast), "{requests:?}");
    counts
}

#[test]
fn an_ipv4_address_is_looked_for_before_it_is_taken() {
    // Long enough to look at it, however busy the host is.
    let (ours, peer, host) = probing_each(Duration::from_secs(2), 3);
    let capture = peer.run(Capture::start);
    let new = new(&host, "192.0.2.1", 24);
    let plan = host.plan_create_unicast_address(&new).unwrap();
    assert_eq!((plan.dad_state, plan.on_link_prefix_length), (DadState::Tentative, 24));
    assert_eq!(probes(&capture, "192.0.2.1", 0), [0, 0], "a plan asks nobody");
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| host.create_unicast_address(&new).unwrap());
        // Everybody sees it as tentative meanwhile, the kernel does not have it, and nobody else can create it.
        let other = ours.run(Host::open).unwrap();
        let mut seen = false;
        while !creating.is_finished() {
            if let Ok(row) = other.unicast_address(e0(&other), ip("192.0.2.1"))
                && row.dad_state == DadState::Tentative
                && !seen
            {
                seen = true;
                assert_eq!((row.on_link_prefix_length, row.valid_lifetime), (24, Lifetime::INFINITE));
                let again = other.create_unicast_address(&new).unwrap_err();
                assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{again}");
                let by_all = other.unicast_addresses(Some(Family::V4)).unwrap();
                assert!(
                    by_all.iter().any(|it| it.address == row.address && it.dad_state == DadState::Tentative)
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(seen);
        let _ = creating.join().unwrap();
    });
    assert_eq!(row(&host, "192.0.2.1").dad_state, DadState::Preferred);
    assert!(ours.run(|| shown("192.0.2.1")).is_some());
    assert_eq!(probes(&capture, "192.0.2.1", 4), [3, 1], "three probes, and the announcement");
    // Nothing of it is left but the address, and the count.
    assert_eq!(ours.sh("ip route show table 1768974360").trim(), "");
}

#[test]
fn an_ipv4_address_of_another_computer_is_not_taken() {
    for optimistic in [false, true] {
        let (ours, peer, host) = probing(3);
        let _ = peer.sh("ip addr add 192.0.2.9/24 dev e1");
        let new = NewUnicastAddress { optimistic, ..new(&host, "192.0.2.9", 24) };
        let error = host.create_unicast_address(&new).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddressConflict, "{error}");
        assert!(ours.run(all_shown).is_empty(), "the kernel does not have it");
        // The row says so to everybody, until it is deleted.
        let other = ours.run(|| unprivileged(|| Host::open().unwrap()));
        assert_eq!(row(&other, "192.0.2.9").dad_state, DadState::Duplicate);
        let again = host.create_unicast_address(&new).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{again}");
        let set = host.set_unicast_address(e0(&host), ip("192.0.2.9"), &UnicastAddressChange::default());
        assert_eq!(set.unwrap_err().kind(), ErrorKind::NotSupported);
        let deleted = host.delete_unicast_address(e0(&host), ip("192.0.2.9")).unwrap();
        assert_eq!(deleted.dad_state, DadState::Duplicate);
        let gone = host.unicast_address(e0(&host), ip("192.0.2.9")).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        // Once the other has gone, it can be taken.
        let _ = peer.sh("ip addr del 192.0.2.9/24 dev e1");
        let _ = host.create_unicast_address(&new).unwrap();
        assert_eq!(row(&host, "192.0.2.9").dad_state, DadState::Preferred);
    }
}

#[test]
fn of_two_that_want_one_ipv4_address_at_most_one_gets_it() {
    let (_ours, peer, host) = probing(3);
    let other = peer.run(|| Host::open().unwrap());
    let e1 = other.interface_named("e1").unwrap().index;
    let change = IpInterfaceChange {
        dad_transmits: Some(3),
        retransmit_time: Some(Duration::from_millis(300)),
        ..Default::default()
    };
    let _ = other.set_ip_interface(Family::V4, e1, &change).unwrap();
    let theirs = NewUnicastAddress::new(e1, ip("192.0.2.1"));
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| other.create_unicast_address(&theirs));
        let ours = host.create_unicast_address(&NewUnicastAddress::new(e0(&host), ip("192.0.2.1")));
        let theirs = creating.join().unwrap();
        assert!(ours.is_err() || theirs.is_err(), "{ours:?} {theirs:?}");
    });
}

#[test]
fn without_raw_packets_an_address_is_not_taken_unasked() {
    let (ours, peer, host) = probing(3);
    let capture = peer.run(Capture::start);
    for optimistic in [false, true] {
        let error = ours.run(|| {
            without_raw_packets(|| {
                let host = Host::open().unwrap();
                host.create_unicast_address(&NewUnicastAddress { optimistic, ..new(&host, "192.0.2.1", 24) })
            })
        });
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        assert!(error.to_string().contains("CAP_NET_RAW"), "{error}");
        assert!(ours.run(all_shown).is_empty());
        let row = host.unicast_address(e0(&host), ip("192.0.2.1"));
        assert_eq!(row.unwrap_err().kind(), ErrorKind::NotFound, "nothing is tentative");
    }
    assert_eq!(probes(&capture, "192.0.2.1", 0), [0, 0]);
    // IPv6 is the kernel's own affair, and so is IPv4 where nobody is to be asked.
    let change = IpInterfaceChange { dad_transmits: Some(0), ..Default::default() };
    let _ = host.set_ip_interface(Family::V4, e0(&host), &change).unwrap();
    ours.run(|| {
        without_raw_packets(|| {
            let host = Host::open().unwrap();
            let _ = host.create_unicast_address(&new(&host, "192.0.2.1", 24)).unwrap();
            let _ = host.create_unicast_address(&new(&host, "2001:db8::1", 64)).unwrap();
        });
    });
}

#[test]
fn nobody_is_asked_where_nobody_can_answer() {
    let (ours, peer, host) = probing(3);
    let capture = peer.run(Capture::start);
    // On the loopback interface, and where no detection is wanted.
    let lo = host.interface_named("lo").unwrap().luid;
    let _ = host.create_unicast_address(&NewUnicastAddress::new(lo, ip("127.0.0.5"))).unwrap();
    let count = |count| {
        let change = IpInterfaceChange { dad_transmits: Some(count), ..Default::default() };
        let _ = host.set_ip_interface(Family::V4, e0(&host), &change).unwrap();
    };
    count(0);
    let _ = host.create_unicast_address(&new(&host, "192.0.2.1", 24)).unwrap();
    assert_eq!(probes(&capture, "192.0.2.1", 0), [0, 0]);
    // Where an answer is wanted and cannot come, nothing is done.
    count(3);
    let _ = peer.sh("ip link set e1 down");
    eventually("the carrier is gone", || ours.sh("ip link show e0").contains("NO-CARRIER"));
    let error = host.create_unicast_address(&new(&host, "192.0.2.2", 24)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("dad_transmits to 0"), "{error}");
    assert_eq!(ours.run(all_shown), ["192.0.2.1/24"]);
}
