//! Creating, changing and deleting unicast addresses: `ip` and other hosts are the judges.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::support::{LONG, V4, V6, add, all_shown, e0, ip, new, pair, row, shown};
use iphelper::address::{
    DadState, Lifetime, NewUnicastAddress, PrefixOrigin, SuffixOrigin, UnicastAddress, UnicastAddressChange,
};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{eventually, isolated, run, set_sysctl, sysctl, unprivileged};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

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
            assert!(seen["valid_life_time"].as_u64().unwrap().abs_diff(90_000) < 600, "{seen}");
            assert!(seen["preferred_life_time"].as_u64().unwrap().abs_diff(40_000) < 600, "{seen}");
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
            // The kernel finishes a new address later, also where it asks nobody.
            eventually("it can be used", || row(&host, it.one).dad_state == DadState::Deprecated);
            let seen = row(&host, it.one);
            assert_eq!(seen.on_link_prefix_length, it.longer);
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
