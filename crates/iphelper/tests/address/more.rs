//! Anycast addresses, the first generation's contexts, and waiting until addresses are stable.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use crate::support::{self, LONG, e0, ip};
use iphelper::address::{DadState, NewUnicastAddress, StableAddresses, UnicastAddress};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, eventually, isolated, ping, receive, run, set_sysctl, unprivileged};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// The cable with this end's host and interface.
fn pair() -> (NetNs, NetNs, Host, InterfaceIndex) {
    let (ours, peer) = support::pair();
    let host = ours.run(|| Host::open().unwrap());
    let index = e0(&host);
    (ours, peer, host, index)
}

#[test]
fn an_anycast_address_answers_and_is_never_chosen() {
    for (any, own, far, len) in
        [("192.0.2.5", "192.0.2.1", "192.0.2.9", 24), ("2001:db8::5", "2001:db8::1", "2001:db8::9", 64)]
    {
        let (ours, peer, host, index) = pair();
        let nodad = if len == 64 { "nodad" } else { "" };
        let _ = ours.sh(&format!("ip addr add {own}/{len} dev e0 {nodad}"));
        let _ = peer.sh(&format!("ip addr add {far}/{len} dev e1 {nodad}"));
        // Others of the link have it, too.
        let planned = host.plan_create_anycast_address(index, ip(any)).unwrap();
        assert!(host.anycast_address(index, ip(any)).is_err(), "a plan writes nothing");
        assert_eq!(host.create_anycast_address(index, ip(any)).unwrap(), planned);
        peer.run(|| ping(any));
        let row = host.anycast_address(index, ip(any)).unwrap();
        assert_eq!((row.address, row.name.as_str(), row.scope_id), (ip(any), "e0", 0));
        let rows = host.anycast_addresses(Some(Family::of(&ip(any)))).unwrap();
        assert!(rows.contains(&row), "{rows:?}");
        assert_eq!(host.unicast_address(index, ip(any)).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(host.unicast_addresses(None).unwrap().iter().all(|it| it.address != ip(any)));
        let heard = peer.run(|| UdpSocket::bind(SocketAddr::new(ip(far), 0)).unwrap());
        let unbound = if len == 64 { "[::]:0" } else { "0.0.0.0:0" };
        let _ = ours
            .run(|| UdpSocket::bind(unbound).unwrap().send_to(b"x", heard.local_addr().unwrap()).unwrap());
        assert_eq!(receive(&heard, &mut [0; 8]).1.ip(), ip(own));

        for create in
            [host.create_anycast_address(index, ip(any)), host.create_anycast_address(index, ip(own))]
        {
            assert_eq!(create.unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let unicast = host.create_unicast_address(&NewUnicastAddress::new(index, ip(any)));
        assert_eq!(unicast.unwrap_err().kind(), ErrorKind::AlreadyExists);
        let unicast = host.delete_unicast_address(index, ip(any));
        assert_eq!(unicast.unwrap_err().kind(), ErrorKind::NotFound, "it is no unicast address");
        let denied =
            ours.run(|| unprivileged(|| Host::open().unwrap().delete_anycast_address(index, ip(any))));
        assert_eq!(denied.unwrap_err().kind(), ErrorKind::AccessDenied);
        let _ = host.delete_anycast_address(index, ip(any)).unwrap();
        assert!(!ours.sh("ip addr show dev e0").contains(any));
        let gone = host.delete_anycast_address(index, ip(any)).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        let nowhere = host.create_anycast_address(InterfaceIndex(77), ip(any)).unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::InterfaceNotFound);
        let group = if len == 64 { "ff02::5" } else { "224.0.0.5" };
        let group = host.create_anycast_address(index, ip(group)).unwrap_err();
        assert_eq!(group.kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn what_the_kernel_answers_to_by_itself_is_not_deleted() {
    let (ours, _peer, host, index) = pair();
    let _ = ours.sh("ip -6 addr add 2001:db8:1::1/64 dev e0 nodad");
    ours.run(|| set_sysctl("ipv6/conf/e0/forwarding", "1"));
    let router = ip("2001:db8:1::");
    eventually("the router answers to its subnet's address", || host.anycast_address(index, router).is_ok());
    let error = host.delete_anycast_address(index, router).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("router"), "{error}");
}

#[test]
fn any_program_deletes_by_the_context() {
    isolated(|| {
        for (name, peer) in [("e0", "e1"), ("e2", "e3")] {
            let _ = run(&format!("ip link add {name} type veth peer name {peer}"));
        }
        let host = Host::open().unwrap();
        let index = |name| host.interface_named(name).unwrap().index;
        let (address, mask) = (Ipv4Addr::new(192, 0, 2, 5), Ipv4Addr::new(255, 255, 255, 0));
        // The same address on two interfaces.
        let made = host.add_ip_address(index("e0"), address, mask).unwrap();
        let twin = host.add_ip_address(index("e2"), address, mask).unwrap();
        assert_ne!(made.context, twin.context);
        assert!(run("ip addr show dev e0").contains("192.0.2.5/24"));
        // Another program needs the number alone.
        let other = Host::open().unwrap();
        other.delete_ip_address(made.context).unwrap();
        assert!(!run("ip addr show dev e0").contains("192.0.2.5"));
        assert!(run("ip addr show dev e2").contains("192.0.2.5/24"));
        assert_eq!(other.delete_ip_address(made.context).unwrap_err().kind(), ErrorKind::NotFound);
        // One that is made again later is another one.
        eventually("a hundredth of a second is over", || {
            let again = host.add_ip_address(index("e0"), address, mask).unwrap();
            let _ = host.delete_unicast_address(index("e0"), address.into()).unwrap();
            again.context != made.context
        });
        let holes = host.add_ip_address(index("e0"), address, Ipv4Addr::new(255, 0, 255, 0)).unwrap_err();
        assert_eq!(holes.kind(), ErrorKind::InvalidParameter);
        let denied = unprivileged(|| Host::open().unwrap().delete_ip_address(twin.context)).unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::AccessDenied);
        // Those of others have a context, too.
        let _ = run("ip addr add 198.51.100.1/24 dev e0");
        let row = host.unicast_address(index("e0"), ip("198.51.100.1")).unwrap();
        host.delete_ip_address(row.context().unwrap().context).unwrap();
        assert!(!run("ip addr show dev e0").contains("198.51.100.1"));
    });
}

#[test]
fn a_duplicate_that_was_added_by_mask_leaves_nothing() {
    let (ours, peer, host, index) = pair();
    let _ = peer.sh("ip addr add 192.0.2.9/24 dev e1");
    let change = IpInterfaceChange {
        dad_transmits: Some(3),
        retransmit_time: Some(Duration::from_millis(300)),
        ..Default::default()
    };
    let _ = host.set_ip_interface(Family::V4, index, &change).unwrap();
    let mask = Ipv4Addr::new(255, 255, 255, 0);
    let error = host.add_ip_address(index, Ipv4Addr::new(192, 0, 2, 9), mask).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddressConflict);
    assert!(host.unicast_address(index, ip("192.0.2.9")).is_err());
    assert!(!ours.sh("ip addr show dev e0").contains("192.0.2.9"));
}

/// The rows that the function is called with.
fn later(host: &Host, family: Option<Family>) -> (StableAddresses, mpsc::Receiver<Vec<UnicastAddress>>) {
    let (sender, receiver) = mpsc::channel();
    let answer =
        host.notify_stable_unicast_addresses(family, move |rows| sender.send(rows).unwrap()).unwrap();
    (answer, receiver)
}

#[test]
fn stable_addresses_are_told_at_once_or_when_detection_is_over() {
    let (ours, _peer, host, index) = pair();
    let (now, receiver) = later(&host, None);
    let StableAddresses::Now(rows) = now else { panic!("{now:?}") };
    assert_eq!(rows, host.unicast_addresses(None).unwrap());
    assert!(receiver.recv().is_err(), "the function is not called");

    // Detection is under way for long enough to look at it, however busy the host is.
    ours.run(|| {
        set_sysctl("ipv6/conf/e0/accept_dad", "1");
        set_sysctl("ipv6/neigh/e0/retrans_time_ms", "6000");
    });
    let new = NewUnicastAddress::new(index, ip("2001:db8::1"));
    let _ = host.create_unicast_address(&new).unwrap();
    assert_eq!(host.unicast_address(index, new.address).unwrap().dad_state, DadState::Tentative);
    let (only_ipv4, _) = later(&host, Some(Family::V4));
    assert!(matches!(only_ipv4, StableAddresses::Now(_)), "{only_ipv4:?}");
    let (answer, receiver) = later(&host, Some(Family::V6));
    assert!(matches!(answer, StableAddresses::Later(_)), "{answer:?}");
    let rows = receiver.recv_timeout(LONG).unwrap();
    let row = rows.iter().find(|row| row.address == new.address).unwrap();
    assert_eq!(row.dad_state, DadState::Preferred);
    assert!(receiver.recv().is_err(), "it is called once, and then its end of the channel is gone");
    drop(answer);

    // A duplicate is stable too, of either family: it will not change by itself.
    let change = IpInterfaceChange {
        dad_transmits: Some(5),
        retransmit_time: Some(Duration::from_secs(1)),
        ..Default::default()
    };
    let _ = host.set_ip_interface(Family::V4, index, &change).unwrap();
    std::thread::scope(|scope| {
        let creating = scope
            .spawn(|| host.create_unicast_address(&NewUnicastAddress::new(index, ip("192.0.2.1"))).unwrap());
        eventually("it is looked for", || {
            host.unicast_address(index, ip("192.0.2.1")).is_ok_and(|row| row.dad_state == DadState::Tentative)
        });
        let (answer, receiver) = later(&host, None);
        assert!(matches!(answer, StableAddresses::Later(_)), "{answer:?}");
        let rows = receiver.recv_timeout(LONG).unwrap();
        assert!(
            rows.iter().any(|row| row.address == ip("192.0.2.1") && row.dad_state == DadState::Preferred)
        );
        let _ = creating.join().unwrap();
    });
}

#[test]
fn a_cancelled_function_is_not_called() {
    let (ours, _peer, host, index) = pair();
    ours.run(|| {
        set_sysctl("ipv6/conf/e0/accept_dad", "1");
        set_sysctl("ipv6/conf/e0/dad_transmits", "100");
    });
    let new = NewUnicastAddress::new(index, ip("2001:db8::1"));
    let _ = host.create_unicast_address(&new).unwrap();
    let (answer, receiver) = later(&host, None);
    let StableAddresses::Later(registration) = answer else { panic!("{answer:?}") };
    registration.cancel();
    assert!(receiver.recv().is_err(), "its end of the channel is gone with it");
    // What is not connected is not waited for.
    let _ = ours.sh("ip link set e0 down");
    let (answer, _) = later(&host, None);
    assert!(matches!(answer, StableAddresses::Now(_)), "{answer:?}");
}
