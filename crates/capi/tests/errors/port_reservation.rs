//! Port reservations, with records of their own.

use crate::walk::Walk;
use iphelper_capi::port_reservation::{
    create_tcp, create_udp, delete_tcp, delete_udp, lookup_tcp, lookup_udp,
};
use iphelper_testkit::{sysctl, unprivileged, with_private_folder};
use std::ptr::null_mut;

type WithToken = unsafe fn(u16, u16, *mut u64) -> u32;

pub(super) fn reservations(walk: &mut Walk) {
    with_private_folder("/var/lib", || {
        of_protocol(
            walk,
            [
                "CreatePersistentTcpPortReservation",
                "LookupPersistentTcpPortReservation",
                "DeletePersistentTcpPortReservation",
            ],
            (create_tcp, lookup_tcp, delete_tcp),
        );
        of_protocol(
            walk,
            [
                "CreatePersistentUdpPortReservation",
                "LookupPersistentUdpPortReservation",
                "DeletePersistentUdpPortReservation",
            ],
            (create_udp, lookup_udp, delete_udp),
        );
    });
}

fn of_protocol(
    walk: &mut Walk,
    names: [&'static str; 3],
    functions: (WithToken, WithToken, fn(u16, u16) -> u32),
) {
    let [creating, looking, deleting] = names;
    let (create, lookup, delete) = functions;
    let (mut token, mut again) = (0, 0);
    // SAFETY: NULL or live variables.
    let (create, lookup) = (
        |start: u16, count, token| unsafe { create(start.to_be(), count, token) },
        |start: u16, count, token| unsafe { lookup(start.to_be(), count, token) },
    );
    let delete = |start: u16, count| delete(start.to_be(), count);
    for (start, count) in [(0, 1), (9000, 0), (65535, 2), (40000, 40000), (0, 0)] {
        walk.expect(creating, "ERROR_INVALID_PARAMETER", create(start, count, &raw mut token));
        walk.expect(looking, "ERROR_INVALID_PARAMETER", lookup(start, count, &raw mut token));
        walk.expect(deleting, "ERROR_INVALID_PARAMETER", delete(start, count));
    }
    walk.expect(creating, "ERROR_INVALID_PARAMETER", create(9000, 10, null_mut()));
    walk.expect(looking, "ERROR_INVALID_PARAMETER", lookup(9000, 10, null_mut()));
    walk.expect(looking, "ERROR_NOT_FOUND", lookup(9000, 10, &raw mut token));
    walk.expect(deleting, "ERROR_NOT_FOUND", delete(9000, 10));
    unprivileged(|| {
        let mut token = 0;
        walk.expect(creating, "ERROR_ACCESS_DENIED", create(9000, 10, &raw mut token));
        walk.expect(deleting, "ERROR_ACCESS_DENIED", delete(9000, 10));
    });
    assert_eq!(token, 0, "a failure writes nothing");
    assert_eq!(create(9000, 10, &raw mut token), 0);
    // In the order of the network: 9000 is 0x2328, and not 0x2823.
    assert_eq!(sysctl("ipv4/ip_local_reserved_ports"), "9000-9009");
    assert_eq!(lookup(9000, 10, &raw mut again), 0);
    assert_eq!(again, token);
    for (start, count) in [(9000, 10), (9009, 1), (8000, 2000)] {
        walk.expect(creating, "ERROR_SHARING_VIOLATION", create(start, count, &raw mut again));
    }
    walk.expect(looking, "ERROR_NOT_FOUND", lookup(9000, 1, &raw mut again));
    walk.expect(deleting, "ERROR_NOT_FOUND", delete(9000, 9));
    let used = (std::net::TcpListener::bind("127.0.0.1:9100"), std::net::UdpSocket::bind("127.0.0.1:9100"));
    walk.expect(creating, "ERROR_SHARING_VIOLATION", create(9100, 1, &raw mut again));
    drop(used);
    assert_eq!(delete(9000, 10), 0);
    assert_eq!(sysctl("ipv4/ip_local_reserved_ports"), "");
}
