//! Addresses that are skipped as source.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::support::{V4, V6, add, all_shown, e0, ip, new, pair, row};
use iphelper::address::{
    DadState, Lifetime, NewUnicastAddress, PrefixOrigin, SuffixOrigin, UnicastAddressChange,
};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{eventually, isolated, ping, receive, run};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

#[test]
fn an_address_that_is_skipped_as_source_is_used_by_who_names_it_alone() {
    for it in [V4, V6] {
        let (ours, peer) = pair();
        peer.run(|| add(it.peer, it.len, "e1"));
        let heard = peer.run(|| UdpSocket::bind(SocketAddr::new(ip(it.peer), 0)).unwrap());
        let to = heard.local_addr().unwrap();
        // Whom the peer sees when a socket says no source, or says one.
        let source_of = |from: Option<&str>| {
            let any = if it.family == Family::V4 { "0.0.0.0" } else { "::" };
            let from = SocketAddr::new(ip(from.unwrap_or(any)), 0);
            let _ = ours.run(|| UdpSocket::bind(from).unwrap().send_to(b"x", to).unwrap());
            receive(&heard, &mut [0; 8]).1.ip()
        };
        let host = ours.run(|| Host::open().unwrap());
        let skipped = NewUnicastAddress { skip_as_source: true, ..new(&host, it.one, it.len) };
        let _ = host.create_unicast_address(&skipped).unwrap();
        // The kernel finishes detection later also where it asks nobody.
        let row_of = |address| {
            eventually("detection is over", || row(&host, address).dad_state != DadState::Tentative);
            ours.addresses_settle(&["e0"]);
            row(&host, address)
        };
        let read = row_of(it.one);
        assert!(read.skip_as_source, "{read:?}");
        assert_eq!((read.on_link_prefix_length, read.dad_state), (it.len, DadState::Preferred));
        assert_eq!((read.preferred_lifetime, read.prefix_origin), (Lifetime::INFINITE, PrefixOrigin::Manual));
        let _ = host.create_unicast_address(&new(&host, it.two, it.len)).unwrap();
        let _ = row_of(it.two);
        assert_eq!(source_of(None), ip(it.two));
        assert_eq!(source_of(Some(it.one)), ip(it.one));
        assert_eq!(source_of(Some(it.two)), ip(it.two));
        // Others reach it, and it answers.
        peer.run(|| ping(it.one));

        // Both change sides.
        let index = ours.run(|| e0(&host));
        let skip = |address, skip| {
            let change = UnicastAddressChange { skip_as_source: Some(skip), ..Default::default() };
            let changes = host.set_unicast_address(index, ip(address), &change).unwrap();
            assert_eq!(changes.len(), 1, "{changes:?}");
        };
        skip(it.two, true);
        skip(it.one, false);
        assert_eq!((row_of(it.one).skip_as_source, row_of(it.two).skip_as_source), (false, true));
        assert_eq!(source_of(None), ip(it.one));
        assert_eq!(source_of(Some(it.two)), ip(it.two));
        assert_eq!(row_of(it.one).dad_state, DadState::Preferred);
        assert_eq!(row_of(it.two).on_link_prefix_length, it.len);

        // Somebody's own deprecated address is another thing.
        skip(it.two, false);
        assert_eq!(row_of(it.two).dad_state, DadState::Preferred);
        let deprecate =
            UnicastAddressChange { preferred_lifetime: Some(Lifetime::ZERO), ..Default::default() };
        let _ = host.set_unicast_address(index, ip(it.two), &deprecate).unwrap();
        let read = row_of(it.two);
        assert_eq!((read.dad_state, read.skip_as_source), (DadState::Deprecated, false));
    }
}

#[test]
fn a_skipped_address_keeps_its_prefix_on_link_and_takes_it_along() {
    let (ours, peer) = pair();
    let _ = peer.sh("ip addr add 192.0.2.9/24 dev e1");
    ours.run(|| {
        let host = Host::open().unwrap();
        let _ = run("ip addr add 198.51.100.1/24 dev e0");
        let skipped = NewUnicastAddress { skip_as_source: true, ..new(&host, "192.0.2.1", 24) };
        let _ = host.create_unicast_address(&skipped).unwrap();
        let on_link = || run("ip route show 192.0.2.0/24");
        assert_eq!(on_link().trim(), "192.0.2.0/24 dev e0 proto 106 scope link metric 1024");
        ping("-I 192.0.2.1 192.0.2.9");
        // Who says no source gets another one of the interface.
        assert!(run("ip route get 192.0.2.9").contains("src 198.51.100.1"));
        // The kernel's own route goes first, and ours goes with the next change.
        let _ = run("ip addr add 192.0.2.2/24 dev e0");
        assert!(run("ip route get 192.0.2.9").contains("src 192.0.2.2"));
        let _ = host.create_unicast_address(&new(&host, "203.0.113.1", 24)).unwrap();
        assert!(!on_link().contains("proto 106"), "{}", on_link());
        let _ = host.delete_unicast_address(e0(&host), ip("192.0.2.2")).unwrap();
        assert!(on_link().contains("proto 106"), "{}", on_link());
        let _ = host.delete_unicast_address(e0(&host), ip("192.0.2.1")).unwrap();
        assert_eq!(on_link(), "");
    });
}

#[test]
fn skipped_addresses_of_one_prefix_on_two_interfaces_each_have_their_way() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e1 up");
        // The kernel takes all routes away with the last address.
        let _ = run("ip addr add 198.51.100.1/24 dev e0");
        // Somebody else's route of the same metric, too.
        let _ = run("ip link set lo up");
        let _ = run("ip route add 192.0.2.0/24 dev lo scope link metric 1024");
        let host = Host::open().unwrap();
        let index = |name: &str| host.interface_named(name).unwrap().index;
        let skipped = |name: &str, address: &str| NewUnicastAddress {
            on_link_prefix_length: Some(24),
            skip_as_source: true,
            ..NewUnicastAddress::new(index(name), ip(address))
        };
        let ways = || {
            let shown = run("ip route show 192.0.2.0/24 proto 106");
            let mut ways: Vec<_> =
                shown.lines().map(|line| line.replace(" linkdown", "").trim().to_owned()).collect();
            ways.sort();
            ways
        };
        let way = |name: &str| format!("192.0.2.0/24 dev {name} scope link metric 1024");
        let _ = host.create_unicast_address(&skipped("e1", "192.0.2.1")).unwrap();
        assert_eq!(ways(), [way("e1")]);
        // One that is switched off has no way yet; it gets it with the next call about whatever address or interface.
        let _ = host.create_unicast_address(&skipped("e0", "192.0.2.2")).unwrap();
        assert_eq!(ways(), [way("e1")]);
        let _ = run("ip link set e0 up");
        let _ = host.create_unicast_address(&new_on(index("lo"), "127.0.0.5")).unwrap();
        assert_eq!(ways(), [way("e0"), way("e1")]);
        // What another program deletes leaves its way behind; so does it take it along.
        let _ = run("ip addr del 192.0.2.2/32 dev e0");
        assert_eq!(ways(), [way("e0"), way("e1")]);
        let change =
            IpInterfaceChange { retransmit_time: Some(Duration::from_millis(700)), ..Default::default() };
        let _ = host.set_ip_interface(Family::V4, index("e1"), &change).unwrap();
        assert_eq!(ways(), [way("e1")]);
        assert!(
            run("ip route show 192.0.2.0/24 dev lo").contains("metric 1024"),
            "not ours, and not touched"
        );
    });
}

fn new_on(index: InterfaceIndex, address: &str) -> NewUnicastAddress {
    NewUnicastAddress::new(index, ip(address))
}

#[test]
fn what_would_choose_a_skipped_address_all_the_same_is_refused() {
    for it in [V4, V6] {
        let (ours, _peer) = pair();
        ours.run(|| {
            let host = Host::open().unwrap();
            add(it.one, it.len, "e0");
            let far = if it.family == Family::V4 { "198.51.100.0/24" } else { "2001:db8:1::/64" };
            let _ = run(&format!("ip route add {far} dev e0 src {}", it.one));
            let skip = UnicastAddressChange { skip_as_source: Some(true), ..Default::default() };
            let error = host.set_unicast_address(e0(&host), ip(it.one), &skip).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported);
            assert!(error.to_string().contains(far), "{error}");
            let _ = run(&format!("ip route del {far} dev e0"));
            let _ = host.set_unicast_address(e0(&host), ip(it.one), &skip).unwrap();
        });
    }
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let skipped = NewUnicastAddress {
            skip_as_source: true,
            preferred_lifetime: Lifetime::from_secs(100),
            ..new(&host, "2001:db8::1", 64)
        };
        let error = host.create_unicast_address(&skipped).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        let advertised = NewUnicastAddress {
            skip_as_source: true,
            origins: Some((PrefixOrigin::RouterAdvertisement, SuffixOrigin::Random)),
            ..new(&host, "192.0.2.1", 24)
        };
        let error = host.create_unicast_address(&advertised).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(all_shown().is_empty());
    });
}
