//! IPv4 addresses that are looked for on the link before they are taken: the kernel knows nothing of them.

use crate::support::{SOON, next_within};
use iphelper::address::{DadState, NewUnicastAddress, StableAddresses, UnicastAddress};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::notification::{ChangeKind, Classes, Event, Subject, Watch, WatchOptions};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::NetNs;
use std::net::IpAddr;
use std::sync::mpsc;
use std::time::Duration;

const OURS: &str = "192.0.2.1";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A host that probes twice, half a second apart, for each address of `e0`; whoever is at the other end; a watch.
fn probing() -> (NetNs, NetNs, Host, Watch) {
    let [ours, peer] = [(); 2].map(|()| NetNs::new());
    ours.veth("e0", &peer, "e1");
    let host = ours.run(|| Host::open().unwrap());
    let change = IpInterfaceChange {
        dad_transmits: Some(2),
        retransmit_time: Some(Duration::from_millis(500)),
        ..Default::default()
    };
    let _ = host.set_ip_interface(Family::V4, index(&host), &change).unwrap();
    let options = WatchOptions::new(Classes::UNICAST_ADDRESSES).family(Some(Family::V4));
    let watch = host.watch(options).unwrap();
    (ours, peer, host, watch)
}

fn index(host: &Host) -> InterfaceIndex {
    host.interface_named("e0").unwrap().index
}

fn new(host: &Host, text: &str) -> NewUnicastAddress {
    NewUnicastAddress {
        on_link_prefix_length: Some(24),
        ..NewUnicastAddress::new(index(host), address(text))
    }
}

fn row(subject: &Subject) -> &UnicastAddress {
    let Subject::UnicastAddress(row) = subject else { panic!("{subject:?}") };
    row
}

/// What happened to which state, and from which.
fn step(event: &Event) -> (ChangeKind, DadState, Option<DadState>) {
    let before = event.before.as_ref().map(|before| row(before).dad_state);
    (event.kind, row(&event.subject).dad_state, before)
}

fn next(watch: &mut Watch) -> (ChangeKind, DadState, Option<DadState>) {
    step(&next_within(watch, SOON).expect("nothing was told"))
}

use ChangeKind::{Add, Delete, Parameter};
use DadState::{Duplicate, Preferred, Tentative};

#[test]
fn an_address_is_told_while_it_is_looked_for_and_when_it_is_taken() {
    let (_ours, _peer, host, mut watch) = probing();
    let (send, stable) = mpsc::channel();
    let _ =
        host.create_unicast_address(&NewUnicastAddress { skip_as_source: true, ..new(&host, OURS) }).unwrap();
    assert_eq!(next(&mut watch), (Add, Tentative, None));
    assert_eq!(next(&mut watch), (Parameter, Preferred, Some(Tentative)));
    let _ = host.delete_unicast_address(index(&host), address(OURS)).unwrap();
    assert_eq!(next(&mut watch), (Delete, Preferred, None));

    std::thread::scope(|scope| {
        let creating = scope.spawn(|| host.create_unicast_address(&new(&host, OURS)).unwrap());
        assert_eq!(next(&mut watch), (Add, Tentative, None));
        // Who asks meanwhile is told once it is taken.
        let waiting =
            host.notify_stable_unicast_addresses(Some(Family::V4), move |rows| send.send(rows).unwrap());
        if let StableAddresses::Later(registration) = waiting.unwrap() {
            let rows = stable.recv_timeout(SOON).unwrap();
            let taken = rows.iter().find(|row| row.address == address(OURS)).expect("it is not in the table");
            assert_eq!(taken.dad_state, Preferred);
            registration.cancel();
        }
        let _ = creating.join().unwrap();
    });
    assert_eq!(next(&mut watch), (Parameter, Preferred, Some(Tentative)));
    assert_eq!(next_within(&mut watch, Duration::from_millis(200)), None);
}

#[test]
fn an_address_of_another_computer_is_told_as_a_duplicate_until_it_is_deleted() {
    let (ours, peer, host, mut watch) = probing();
    let _ = peer.sh(&format!("ip addr add {OURS}/24 dev e1"));
    for (optimistic, first) in [(false, Tentative), (true, Preferred)] {
        let conflict = host.create_unicast_address(&NewUnicastAddress { optimistic, ..new(&host, OURS) });
        assert_eq!(conflict.unwrap_err().kind(), ErrorKind::AddressConflict);
        assert_eq!(next(&mut watch), (Add, first, None));
        assert_eq!(next(&mut watch), (Parameter, Duplicate, Some(first)));
        // Somebody else takes the address all the same, and gives it back.
        let _ = ours.sh(&format!("ip addr add {OURS}/32 dev e0"));
        assert_eq!(next(&mut watch), (Parameter, Preferred, Some(Duplicate)));
        let _ = ours.sh(&format!("ip addr del {OURS}/32 dev e0"));
        assert_eq!(next(&mut watch), (Parameter, Duplicate, Some(Preferred)));
        let _ = host.delete_unicast_address(index(&host), address(OURS)).unwrap();
        assert_eq!(next(&mut watch), (Delete, Duplicate, None));
    }
    assert_eq!(next_within(&mut watch, Duration::from_millis(200)), None);
}

#[test]
fn what_a_killed_program_left_ends_and_so_does_what_its_interface_had() {
    let (ours, peer, host, mut watch) = probing();
    // What a program writes down before it is killed, with the second until which it counts.
    let row = host.interface_named("e0").unwrap();
    let until = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec + 8;
    let tag = (row.luid.0 >> 31) & u64::from(u32::MAX);
    let note = format!(
        "throw 192.0.2.7 table 1768974360 proto 105 metric {} window {tag} ssthresh {} cwnd 9 reordering 9 initcwnd {until}",
        row.index.0,
        (1_u32 << 31) + 24,
    );
    let _ = ours.sh(&format!("ip route add {note}"));
    assert_eq!(next(&mut watch), (Add, Tentative, None));
    let later = host.notify_stable_unicast_addresses(None, |_| {}).unwrap();
    assert!(matches!(later, StableAddresses::Later(_)), "{later:?}");
    assert_eq!(next(&mut watch), (Delete, Tentative, None));

    let _ = peer.sh(&format!("ip addr add {OURS}/24 dev e1"));
    let _ = host.create_unicast_address(&new(&host, OURS)).unwrap_err();
    assert_eq!(next(&mut watch), (Add, Tentative, None));
    assert_eq!(next(&mut watch), (Parameter, Duplicate, Some(Tentative)));
    let _ = ours.sh("ip link del e0");
    assert_eq!(next(&mut watch), (Delete, Duplicate, None));
}
