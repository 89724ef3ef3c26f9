//! Creating, changing and deleting unicast addresses: `ip` and other hosts are the judges.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use iphelper::address::{
    DadState, Lifetime, NewUnicastAddress, PrefixOrigin, SuffixOrigin, UnicastAddress, UnicastAddressChange,
};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{
    Capture, Frame, NetNs, eventually, isolated, run, set_sysctl, sysctl, unprivileged, without_raw_packets,
};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An address of the interface `e0` as `ip` shows it.
fn shown(address: &str) -> Option<Value> {
    let links: Value = serde_json::from_str(&run("ip -json addr show dev e0")).unwrap();
    let all = links[0]["addr_info"].as_array().unwrap().clone();
    all.into_iter().find(|it| it["local"] == address)
}

/// All of the interface as `ip` shows it, as "address/length" in order.
fn all_shown() -> Vec<String> {
    let links: Value = serde_json::from_str(&run("ip -json addr show dev e0")).unwrap();
    let text = |it: &Value| format!("{}/{}", it["local"].as_str().unwrap(), it["prefixlen"]);
    links[0]["addr_info"].as_array().unwrap().iter().map(text).filter(|it| !it.starts_with("fe80")).collect()
}

struct Addresses {
    family: Family,
    one: &'static str,
    two: &'static str,
    peer: &'static str,
    len: u8,
    longer: u8,
    bits: u8,
}

const V4: Addresses = Addresses {
    family: Family::V4,
    one: "192.0.2.1",
    two: "192.0.2.2",
    peer: "192.0.2.9",
    len: 24,
    longer: 28,
    bits: 32,
};
const V6: Addresses = Addresses {
    family: Family::V6,
    one: "2001:db8::1",
    two: "2001:db8::2",
    peer: "2001:db8::9",
    len: 64,
    longer: 80,
    bits: 128,
};

/// This host's `e0` and a peer's `e1`, neither of which looks for duplicates.
fn pair() -> (NetNs, NetNs) {
    let (ours, peer) = (NetNs::new(), NetNs::new());
    for host in [&ours, &peer] {
        host.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    }
    ours.veth("e0", &peer, "e1");
    for (host, name) in [(&ours, "e0"), (&peer, "e1")] {
        // A carrier that comes later begins detection anew.
        eventually("the link is up, with an address", || {
            let shown = host.sh(&format!("ip addr show dev {name}"));
            shown.contains("state UP") && shown.contains("fe80") && !shown.contains("tentative")
        });
    }
    (ours, peer)
}

/// Adds an address that can be used at once, by another program.
fn add(address: &str, len: u8, device: &str) {
    let nodad = if address.contains(':') { "nodad" } else { "" };
    let _ = run(&format!("ip addr add {address}/{len} dev {device} {nodad}"));
}

fn e0(host: &Host) -> InterfaceIndex {
    host.interface_named("e0").unwrap().index
}

fn new(host: &Host, address: &str, len: u8) -> NewUnicastAddress {
    NewUnicastAddress { on_link_prefix_length: Some(len), ..NewUnicastAddress::new(e0(host), ip(address)) }
}

fn row(host: &Host, address: &str) -> UnicastAddress {
    host.unicast_address(e0(host), ip(address)).unwrap_or_else(|error| panic!("{address}: {error}"))
}

#[test]
fn what_is_created_is_there_until_it_is_deleted() {
    for it in [V4, V6] {
        let (ours, _peer) = pair();
        ours.run(|| {
            let host = Host::open().unwrap();
            let limited = NewUnicastAddress {
                valid_lifetime: Lifetime::from_secs(90_000),
                preferred_lifetime: Lifetime::from_secs(40_000),
                ..new(&host, it.one, it.len)
            };
            let planned = host.plan_create_unicast_address(&limited).unwrap();
            assert_eq!(shown(it.one), None, "a plan writes nothing");
            let told = host.create_unicast_address(&limited).unwrap();
            assert_eq!(
                (told.address, told.on_link_prefix_length, told.index),
                (ip(it.one), it.len, e0(&host))
            );
            // What only time tells.
            let steady = |row: &UnicastAddress| {
                let mut row = row.clone();
                row.created = None;
                (row.valid_lifetime, row.preferred_lifetime) = (Lifetime::INFINITE, Lifetime::INFINITE);
                row.dad_state = DadState::Preferred;
                row
            };
            assert_eq!(steady(&told), steady(&planned));
            assert_eq!(planned.valid_lifetime, Lifetime::from_secs(90_000));
            assert_eq!((planned.created, told.created.is_some()), (None, true));
            let seen = shown(it.one).unwrap();
            assert_eq!(seen["prefixlen"], it.len);
            assert!(seen["valid_life_time"].as_u64().unwrap().abs_diff(90_000) < 60, "{seen}");
            assert!(seen["preferred_life_time"].as_u64().unwrap().abs_diff(40_000) < 60, "{seen}");
            let made = row(&host, it.one);
            assert_eq!(
                (made.prefix_origin, made.suffix_origin),
                (PrefixOrigin::Manual, SuffixOrigin::Manual)
            );
            assert!(!made.skip_as_source);
            // The kernel comes to an IPv6 address some time after it was added, without detection, too.
            eventually("it can be used", || row(&host, it.one).dad_state == DadState::Preferred);

            // The whole address where no length is given, for ever where no time is.
            let alone = NewUnicastAddress::new(made.luid, ip(it.two));
            let _ = host.create_unicast_address(&alone).unwrap();
            assert_eq!(shown(it.two).unwrap()["prefixlen"], it.bits);
            assert_eq!(shown(it.two).unwrap()["valid_life_time"], u32::MAX);
            assert_eq!(row(&host, it.two).valid_lifetime, Lifetime::INFINITE);

            for exists in [it.one, it.two] {
                let error = host.create_unicast_address(&new(&host, exists, it.len)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
            }
            let planned = host.plan_delete_unicast_address(made.luid, ip(it.one)).unwrap();
            assert!(shown(it.one).is_some(), "a plan writes nothing");
            let deleted = host.delete_unicast_address(made.index, ip(it.one)).unwrap();
            assert_eq!(steady(&deleted), steady(&planned));
            assert_eq!(shown(it.one), None);
            assert!(shown(it.two).is_some());
            let error = host.delete_unicast_address(made.index, ip(it.one)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        });
    }
}

#[test]
fn a_change_of_one_member_leaves_the_others() {
    for it in [V4, V6] {
        let (ours, _peer) = pair();
        ours.run(|| {
            let host = Host::open().unwrap();
            let nodad = if it.family == Family::V6 { "nodad" } else { "" };
            let _ = run(&format!("ip addr add {}/{} dev e0 metric 77 {nodad}", it.one, it.len));
            add(it.two, it.len, "e0");
            let index = e0(&host);
            let set = |change: &UnicastAddressChange| {
                let planned = host.plan_set_unicast_address(index, ip(it.one), change).unwrap();
                assert_eq!(host.set_unicast_address(index, ip(it.one), change).unwrap(), planned);
                planned.iter().map(|it| (it.property, it.from.clone(), it.to.clone())).collect::<Vec<_>>()
            };
            let before = row(&host, it.one);
            assert!(set(&UnicastAddressChange::default()).is_empty());

            let valid = Lifetime::from_secs(80_000);
            let change = UnicastAddressChange {
                valid_lifetime: Some(valid),
                preferred_lifetime: Some(valid),
                ..Default::default()
            };
            assert_eq!(set(&change).len(), 2);
            let after = row(&host, it.one);
            assert!(after.valid_lifetime <= valid && after.valid_lifetime > Lifetime::from_secs(79_000));
            // Also where it comes from, though leases end and nothing else does.
            let rest = |row: &UnicastAddress| {
                (
                    row.prefix_origin,
                    row.suffix_origin,
                    row.on_link_prefix_length,
                    row.skip_as_source,
                    row.created,
                )
            };
            assert_eq!(rest(&after), rest(&before));

            let forever = UnicastAddressChange {
                valid_lifetime: Some(Lifetime::INFINITE),
                preferred_lifetime: Some(Lifetime::INFINITE),
                ..Default::default()
            };
            let _ = set(&forever);
            assert_eq!(row(&host, it.one), before);

            let origins = (PrefixOrigin::Dhcp, SuffixOrigin::Random);
            let change = UnicastAddressChange { origins: Some(origins), ..Default::default() };
            assert_eq!(
                set(&change).iter().map(|it| it.0).collect::<Vec<_>>(),
                ["prefix_origin", "suffix_origin"]
            );
            let other = Host::open().unwrap();
            let seen = row(&other, it.one);
            assert_eq!((seen.prefix_origin, seen.suffix_origin), origins);
            assert_eq!(seen.valid_lifetime, Lifetime::INFINITE);

            let deprecated =
                UnicastAddressChange { preferred_lifetime: Some(Lifetime::ZERO), ..Default::default() };
            let _ = set(&deprecated);
            let seen = row(&host, it.one);
            assert_eq!((seen.dad_state, seen.skip_as_source), (DadState::Deprecated, false));
            assert_eq!(shown(it.one).unwrap()["deprecated"], true);

            let length =
                UnicastAddressChange { on_link_prefix_length: Some(it.longer), ..Default::default() };
            assert_eq!(set(&length).len(), 1);
            let seen = row(&host, it.one);
            assert_eq!((seen.on_link_prefix_length, seen.dad_state), (it.longer, DadState::Deprecated));
            assert_eq!((seen.prefix_origin, seen.suffix_origin), origins);
            assert_eq!(shown(it.one).unwrap()["prefixlen"], it.longer);
            assert_eq!(shown(it.one).unwrap()["metric"], 77);
            assert_eq!(shown(it.two).unwrap()["prefixlen"], it.len);
            assert_eq!(all_shown().len(), 2, "{:?}", all_shown());
        });
    }
}

#[test]
fn another_prefix_loses_no_route_no_address_and_no_connection() {
    for it in [V4, V6] {
        let (ours, peer) = pair();
        peer.run(|| add(it.peer, it.len, "e1"));
        let listener = peer.run(|| TcpListener::bind(SocketAddr::new(ip(it.peer), 0)).unwrap());
        ours.run(|| {
            for address in [it.one, it.two] {
                add(address, it.len, "e0");
            }
            if it.family == Family::V4 {
                // Then the kernel takes the second away with the first.
                assert_eq!(sysctl("ipv4/conf/e0/promote_secondaries"), "0");
                assert_eq!(shown(it.two).unwrap()["secondary"], true);
            }
            let (far, farther) = if it.family == Family::V4 {
                ("198.51.100.0/24", "203.0.113.0/24")
            } else {
                ("2001:db8:1::/64", "2001:db8:2::/64")
            };
            let _ = run(&format!("ip route add {far} via {} dev e0", it.peer));
            let _ = run(&format!("ip route add {farther} via {} dev e0 src {}", it.peer, it.one));
            let routes = || {
                let digit = if it.family == Family::V4 { "-4" } else { "-6" };
                let all = run(&format!("ip {digit} route show"));
                all.lines().filter(|line| line.contains("via")).map(str::to_owned).collect::<Vec<_>>()
            };
            let before = routes();
            assert_eq!(before.len(), 2);
            let host = Host::open().unwrap();
            let (mut near, _) = connect(it.one, &listener);
            let change =
                UnicastAddressChange { on_link_prefix_length: Some(it.longer), ..Default::default() };
            let _ = host.set_unicast_address(e0(&host), ip(it.one), &change).unwrap();
            assert_eq!(routes(), before);
            let mut expected = [format!("{}/{}", it.one, it.longer), format!("{}/{}", it.two, it.len)];
            let mut seen = all_shown();
            seen.sort();
            expected.sort();
            assert_eq!(seen, expected);
            assert!(shown(it.two).unwrap().get("secondary").is_none(), "it is the first of its prefix now");
            eventually("it can be used", || row(&host, it.one).dad_state == DadState::Preferred);
            near.0.write_all(b"still here").unwrap();
            let mut heard = [0; 10];
            near.1.read_exact(&mut heard).unwrap();
            assert_eq!(&heard, b"still here");
            if it.family == Family::V4 {
                assert_eq!(sysctl("ipv4/conf/e0/promote_secondaries"), "0", "as it was");
            }
        });
    }
}

/// A connection from `source` to the listener, both ends.
fn connect(source: &str, listener: &TcpListener) -> ((TcpStream, TcpStream), SocketAddr) {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};
    use std::os::fd::AsRawFd;
    let to = listener.local_addr().unwrap();
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let near = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(near.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(ip(source), 0))).unwrap();
    connect(near.as_raw_fd(), &SockaddrStorage::from(to)).unwrap();
    let near = TcpStream::from(near);
    let (far, _) = listener.accept().unwrap();
    for end in [&near, &far] {
        end.set_read_timeout(Some(LONG)).unwrap();
    }
    ((near, far), to)
}

#[test]
fn deleting_the_first_address_of_a_prefix_leaves_the_others() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            let _ = run(&format!("ip addr add {address}/24 dev e0"));
        }
        let host = Host::open().unwrap();
        let _ = host.delete_unicast_address(e0(&host), ip("192.0.2.1")).unwrap();
        assert_eq!(all_shown(), ["192.0.2.2/24", "192.0.2.3/24"]);
        assert!(run("ip route show").contains("192.0.2.0/24 dev e0 proto kernel"));
        assert_eq!(sysctl("ipv4/conf/e0/promote_secondaries"), "0", "as it was");
    });
}

#[test]
fn an_address_that_is_skipped_as_source_is_used_by_who_names_it_alone() {
    for it in [V4, V6] {
        let (ours, peer) = pair();
        peer.run(|| add(it.peer, it.len, "e1"));
        let heard = peer.run(|| UdpSocket::bind(SocketAddr::new(ip(it.peer), 0)).unwrap());
        heard.set_read_timeout(Some(LONG)).unwrap();
        let to = heard.local_addr().unwrap();
        // Whom the peer sees when a socket says no source, or says one.
        let source_of = |from: Option<&str>| {
            let any = if it.family == Family::V4 { "0.0.0.0" } else { "::" };
            let from = SocketAddr::new(ip(from.unwrap_or(any)), 0);
            let _ = ours.run(|| UdpSocket::bind(from).unwrap().send_to(b"x", to).unwrap());
            heard.recv_from(&mut [0; 8]).unwrap().1.ip()
        };
        let host = ours.run(|| Host::open().unwrap());
        let skipped = NewUnicastAddress { skip_as_source: true, ..new(&host, it.one, it.len) };
        let _ = host.create_unicast_address(&skipped).unwrap();
        // The kernel finishes detection later also where it asks nobody.
        let row_of = |address| {
            eventually("detection is over", || row(&host, address).dad_state != DadState::Tentative);
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
        let count = if it.family == Family::V4 { "ping -c1 -W5" } else { "ping -6 -c1 -W5" };
        let _ = peer.sh(&format!("{count} {}", it.one));

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
        let _ = run("ping -c1 -W5 -I 192.0.2.1 192.0.2.9");
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

#[test]
fn each_pair_of_origins_is_kept() {
    let prefixes = [
        PrefixOrigin::Other,
        PrefixOrigin::Manual,
        PrefixOrigin::WellKnown,
        PrefixOrigin::Dhcp,
        PrefixOrigin::RouterAdvertisement,
    ];
    let suffixes = [
        SuffixOrigin::Other,
        SuffixOrigin::Manual,
        SuffixOrigin::WellKnown,
        SuffixOrigin::Dhcp,
        SuffixOrigin::LinkLayerAddress,
        SuffixOrigin::Random,
    ];
    let (ours, _peer) = pair();
    ours.run(|| {
        let host = Host::open().unwrap();
        for it in [V4, V6] {
            for lifetime in [Lifetime::INFINITE, Lifetime::from_secs(5000)] {
                for prefix in prefixes {
                    for suffix in suffixes {
                        let new = NewUnicastAddress {
                            origins: Some((prefix, suffix)),
                            valid_lifetime: lifetime,
                            preferred_lifetime: lifetime,
                            ..new(&host, it.one, it.len)
                        };
                        let _ = host.create_unicast_address(&new).unwrap();
                        let read = row(&host, it.one);
                        assert_eq!((read.prefix_origin, read.suffix_origin), (prefix, suffix));
                        let _ = host.delete_unicast_address(new.interface, ip(it.one)).unwrap();
                    }
                }
            }
        }
    });
}

#[test]
fn what_cannot_be_is_refused_by_kind_and_writes_nothing() {
    let (ours, _peer) = pair();
    ours.run(|| {
        let host = Host::open().unwrap();
        let before = run("ip -json addr show");
        let refused = |new: NewUnicastAddress, kind| {
            let planned = host.plan_create_unicast_address(&new).unwrap_err();
            let error = host.create_unicast_address(&new).unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (kind, planned.to_string()));
        };
        for it in [V4, V6] {
            let good = new(&host, it.one, it.len);
            refused(
                NewUnicastAddress { interface: InterfaceIndex(77).into(), ..good },
                ErrorKind::InterfaceNotFound,
            );
            refused(
                NewUnicastAddress { interface: InterfaceLuid(77).into(), ..good },
                ErrorKind::InterfaceNotFound,
            );
            let invalid = ErrorKind::InvalidParameter;
            refused(NewUnicastAddress { on_link_prefix_length: Some(it.bits + 1), ..good }, invalid);
            refused(NewUnicastAddress { valid_lifetime: Lifetime::from_secs(9), ..good }, invalid);
            let over = Lifetime::ZERO;
            refused(NewUnicastAddress { valid_lifetime: over, preferred_lifetime: over, ..good }, invalid);
            let bad = if it.family == Family::V4 {
                ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.5"]
            } else {
                ["::", "ff02::1", "::1", "::ffff:192.0.2.1"]
            };
            for address in bad {
                refused(NewUnicastAddress { address: ip(address), ..good }, invalid);
            }
            let index = e0(&host);
            let nothing = UnicastAddressChange::default();
            let set = |interface: InterfaceIndex| host.set_unicast_address(interface, ip(it.one), &nothing);
            let delete = |interface: InterfaceIndex| host.delete_unicast_address(interface, ip(it.one));
            assert_eq!(set(index).unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(delete(index).unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(set(InterfaceIndex(77)).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
            assert_eq!(delete(InterfaceIndex(77)).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
            // An ordinary user is told what would be done, and may not do it.
            let (planned, done) = unprivileged(|| {
                let host = Host::open().unwrap();
                (host.plan_create_unicast_address(&good), host.create_unicast_address(&good))
            });
            assert!(planned.is_ok());
            assert_eq!(done.unwrap_err().kind(), ErrorKind::AccessDenied);
        }
        assert_eq!(run("ip -json addr show"), before);
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        refused(new(&host, V6.one, 64), ErrorKind::NotFound);
        let _ = host.create_unicast_address(&new(&host, V4.one, 24)).unwrap();
        // A loopback address is for the loopback interface, where it can be.
        let lo = host.interface_named("lo").unwrap().luid;
        let _ = host.create_unicast_address(&NewUnicastAddress::new(lo, ip("127.0.0.5"))).unwrap();
        assert!(run("ip -4 addr show dev lo").contains("127.0.0.5/32 scope host"));
    });
}

#[test]
fn an_ipv6_address_is_tentative_until_nobody_has_answered() {
    let (ours, peer) = pair();
    peer.run(|| add("2001:db8::9", 64, "e1"));
    ours.run(|| {
        set_sysctl("ipv6/conf/e0/accept_dad", "1");
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

/// A host whose `e0` looks for IPv4 duplicates, with probes a tenth of a second apart.
fn probing(probes: u32) -> (NetNs, NetNs, Host) {
    let (ours, peer) = pair();
    let host = ours.run(|| Host::open().unwrap());
    let change = IpInterfaceChange {
        dad_transmits: Some(probes),
        retransmit_time: Some(Duration::from_millis(100)),
        ..Default::default()
    };
    let changes = host.set_ip_interface(Family::V4, e0(&host), &change).unwrap();
    assert!(changes.iter().any(|it| it.property == "dad_transmits"), "{changes:?}");
    assert_eq!(host.ip_interface(Family::V4, e0(&host)).unwrap().dad_transmits, probes);
    (ours, peer, host)
}

/// The probes for an address in what was captured (RFC 5227: a request without a sender), and the announcements.
fn probes(capture: &Capture, address: &str) -> [usize; 2] {
    let IpAddr::V4(address) = ip(address) else { panic!("{address}") };
    let requests: Vec<_> = capture.frames().iter().filter_map(Frame::arp_request).collect();
    let from = |sender| requests.iter().filter(|it| it.target == address && it.sender == sender).count();
    assert!(requests.iter().all(|it| it.broadcast), "{requests:?}");
    [from(Ipv4Addr::UNSPECIFIED), from(address)]
}

#[test]
fn an_ipv4_address_is_looked_for_before_it_is_taken() {
    let (ours, peer, host) = probing(3);
    let capture = peer.run(Capture::start);
    let new = new(&host, "192.0.2.1", 24);
    let plan = host.plan_create_unicast_address(&new).unwrap();
    assert_eq!((plan.dad_state, plan.on_link_prefix_length), (DadState::Tentative, 24));
    assert_eq!(probes(&capture, "192.0.2.1"), [0, 0], "a plan asks nobody");
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
        }
        assert!(seen);
        let _ = creating.join().unwrap();
    });
    assert_eq!(row(&host, "192.0.2.1").dad_state, DadState::Preferred);
    assert!(ours.run(|| shown("192.0.2.1")).is_some());
    assert_eq!(probes(&capture, "192.0.2.1"), [3, 1], "three probes, and the announcement");
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
        retransmit_time: Some(Duration::from_millis(100)),
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
    assert_eq!(probes(&capture, "192.0.2.1"), [0, 0]);
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
    assert_eq!(probes(&capture, "192.0.2.1"), [0, 0]);
    // Where an answer is wanted and cannot come, nothing is done.
    count(3);
    let _ = peer.sh("ip link set e1 down");
    eventually("the carrier is gone", || ours.sh("ip link show e0").contains("NO-CARRIER"));
    let error = host.create_unicast_address(&new(&host, "192.0.2.2", 24)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("dad_transmits to 0"), "{error}");
    assert_eq!(ours.run(all_shown), ["192.0.2.1/24"]);
}
