//! Port reservations: what the kernel then gives out, whose ports they are, and who may say so.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use iphelper::port_reservation::{PortProtocol, PortRange};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{
    as_nobody, bound, eventually, isolated, set_sysctl, sysctl, unprivileged, with_private_folder,
    with_read_only_sysctls,
};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

const LIST: &str = "ipv4/ip_local_reserved_ports";
const TCP: PortProtocol = PortProtocol::Tcp;
const UDP: PortProtocol = PortProtocol::Udp;
const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

fn range(text: &str) -> PortRange {
    text.parse().unwrap()
}

/// Runs `work` in a namespace and with records of its own.
fn with_host(work: impl FnOnce(&Host) + Send) {
    with_private_folder("/var/lib", || isolated(|| work(&Host::open().unwrap())));
}

/// The ports that the kernel gives to sockets which do not ask for one, until none is left.
fn given<S>(bind: impl Fn() -> std::io::Result<(S, SocketAddr)>) -> BTreeSet<u16> {
    let mut sockets = Vec::new();
    let mut ports = BTreeSet::new();
    while let Ok((socket, address)) = bind() {
        assert!(ports.insert(address.port()), "given out twice");
        sockets.push(socket);
    }
    ports
}

fn listeners(address: IpAddr) -> BTreeSet<u16> {
    given(|| {
        let socket = TcpListener::bind((address, 0))?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    })
}

fn clients(address: IpAddr) -> BTreeSet<u16> {
    let server = bound(|| TcpListener::bind((address, 7000)));
    let to = server.local_addr().unwrap();
    given(|| {
        let socket = TcpStream::connect(to)?;
        let address = socket.local_addr()?;
        // Reset at its end, so that nothing of it stays in TIME_WAIT.
        rustix::net::sockopt::set_socket_linger(&socket, Some(std::time::Duration::ZERO))?;
        Ok((socket, address))
    })
}

fn datagrams(address: IpAddr) -> BTreeSet<u16> {
    given(|| {
        let socket = UdpSocket::bind((address, 0))?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    })
}

#[test]
fn a_reserved_range_is_not_given_out() {
    with_host(|host| {
        set_sysctl("ipv4/ip_local_port_range", "50000 50019");
        let all: BTreeSet<u16> = (50000..=50019).collect();
        let free: BTreeSet<u16> = (50000..=50004).chain(50015..=50019).collect();
        // The kernel has one list for both protocols.
        for protocol in [TCP, UDP] {
            // A program that another test is about to start has copies of what is closed for a moment.
            let plan = || host.plan_create_port_reservation(protocol, range("50005-50014"));
            eventually("what the round before closed is gone", || plan().is_ok());
            let made = host.create_port_reservation(protocol, range("50005-50014")).unwrap();
            assert!(made.is_in_force);
            for address in LOOPBACKS {
                eventually("listening on each free port", || listeners(address) == free);
                eventually("connecting to each free port", || clients(address) == free);
                eventually("datagrams from each free port", || datagrams(address) == free);
            }
            // Whoever asks for one by its number gets it.
            drop(bound(|| TcpListener::bind(("127.0.0.1", 50005))));
            drop(bound(|| UdpSocket::bind(("::1", 50014))));
            let _ = host.delete_port_reservation(protocol, range("50005-50014")).unwrap();
            for address in LOOPBACKS {
                eventually("deleted", || listeners(address) == all);
                eventually("deleted", || datagrams(address) == all);
            }
        }
    });
}

#[test]
fn what_others_have_reserved_is_kept_to_the_port() {
    with_host(|host| {
        set_sysctl(LIST, "22,8000-8003");
        let _ = host.create_port_reservation(TCP, range("9000-9009")).unwrap();
        assert_eq!(sysctl(LIST), "22,8000-8003,9000-9009");
        // Beside each other they become one in the kernel's list, and two again.
        let _ = host.create_port_reservation(UDP, range("8004-8999")).unwrap();
        assert_eq!(sysctl(LIST), "22,8000-9009");
        for taken in ["8003", "1-22", "7000-8000"] {
            let plan = host.plan_create_port_reservation(TCP, range(taken)).unwrap_err();
            let error = host.create_port_reservation(TCP, range(taken)).unwrap_err();
            assert_eq!((plan.kind(), error.kind()), (ErrorKind::InUse, ErrorKind::InUse), "{taken}: {error}");
            assert_eq!(error.win32(), 32);
        }
        let _ = host.delete_port_reservation(UDP, range("8004-8999")).unwrap();
        let _ = host.delete_port_reservation(TCP, range("9000-9009")).unwrap();
        assert_eq!(sysctl(LIST), "22,8000-8003");
    });
}

#[test]
fn reservations_are_of_one_protocol_and_exact() {
    with_host(|host| {
        assert!(host.port_reservations().unwrap().is_empty());
        let tcp = host.create_port_reservation(TCP, range("9000-9009")).unwrap();
        for overlapping in ["9000-9009", "9009", "8999-9000", "1-65535"] {
            let error = host.create_port_reservation(TCP, range(overlapping)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InUse, "{overlapping}: {error}");
        }
        let udp = host.create_port_reservation(UDP, range("9005-9014")).unwrap();
        let next = host.create_port_reservation(TCP, range("9010")).unwrap();
        assert_eq!(host.port_reservations().unwrap(), [tcp.clone(), next.clone(), udp.clone()]);
        assert_eq!(host.port_reservation(UDP, range("9005-9014")).unwrap(), udp);
        for (protocol, unknown) in [(UDP, "9000-9009"), (TCP, "9000"), (TCP, "9000-9010"), (TCP, "1")] {
            let lookup = host.port_reservation(protocol, range(unknown)).unwrap_err();
            let error = host.delete_port_reservation(protocol, range(unknown)).unwrap_err();
            assert_eq!((lookup.kind(), error.kind()), (ErrorKind::NotFound, ErrorKind::NotFound), "{error}");
        }
        // Ports that another reservation has stay reserved.
        assert_eq!(host.delete_port_reservation(TCP, range("9000-9009")).unwrap(), tcp);
        assert_eq!(sysctl(LIST), "9005-9014");
        let _ = host.delete_port_reservation(UDP, range("9005-9014")).unwrap();
        assert_eq!(sysctl(LIST), "9010");
        // A number names one reservation for ever, whatever became of it.
        let mut tokens = BTreeSet::from([tcp.token, udp.token, next.token]);
        for _ in 0..5 {
            let again = host.create_port_reservation(TCP, range("9000-9009")).unwrap();
            assert!(again.token.is_some() && tokens.insert(again.token), "{again:?} is an old one");
            let _ = host.delete_port_reservation(TCP, range("9000-9009")).unwrap();
        }
        let _ = host.delete_port_reservation(TCP, range("9010")).unwrap();
        assert_eq!(sysctl(LIST), "");
        let fresh = host.create_port_reservation(TCP, range("9010")).unwrap();
        assert!(tokens.insert(fresh.token), "after all were gone, too");
    });
}

#[test]
fn ports_that_sockets_have_cannot_be_reserved() {
    with_host(|host| {
        let refused = |protocol, ports: &str| {
            let error = host.create_port_reservation(protocol, range(ports)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
            assert_eq!(sysctl(LIST), "", "nothing is left of it");
            error.to_string()
        };
        let listener = TcpListener::bind(("::1", 9003)).unwrap();
        assert!(refused(TCP, "9000-9009").contains("[::1]:9003"));
        let client = TcpStream::connect(("::1", 9003)).unwrap();
        let port = client.local_addr().unwrap().port();
        assert!(refused(TCP, &port.to_string()).contains(&port.to_string()));
        let datagrams = UdpSocket::bind(("0.0.0.0", 9004)).unwrap();
        assert!(refused(UDP, "9000-9009").contains("0.0.0.0:9004"));
        // Each protocol has its own sockets.
        let _ = host.create_port_reservation(UDP, range("9003")).unwrap();
        let _ = host.create_port_reservation(TCP, range("9004")).unwrap();
        let _ = host.delete_port_reservation(UDP, range("9003")).unwrap();
        let _ = host.delete_port_reservation(TCP, range("9004")).unwrap();
        drop(datagrams);
        // What is gone and waits has no program.
        let (server, _) = listener.accept().unwrap();
        drop((server, client, listener));
        eventually("the client has gone", || host.create_port_reservation(TCP, range("9000-9009")).is_ok());
        eventually("the datagrams' socket, too", || {
            host.create_port_reservation(UDP, range("9000-9009")).is_ok()
        });
    });
}

#[test]
fn a_list_that_somebody_overwrites_is_restored() {
    with_host(|host| {
        assert!(host.restore_port_reservations().unwrap().is_empty());
        assert!(!std::fs::exists("/var/lib/iphelper").unwrap(), "nothing was there to be restored");
        let tcp = host.create_port_reservation(TCP, range("9000-9009")).unwrap();
        let udp = host.create_port_reservation(UDP, range("9100")).unwrap();
        set_sysctl(LIST, "22,9005-9006");
        let lost = host.plan_restore_port_reservations().unwrap();
        assert_eq!(
            lost.iter().map(|row| (row.token, row.is_in_force)).collect::<Vec<_>>(),
            [(tcp.token, false), (udp.token, false)]
        );
        assert_eq!(sysctl(LIST), "22,9005-9006", "reads write nothing");
        assert_eq!(host.restore_port_reservations().unwrap(), [tcp, udp]);
        assert_eq!(sysctl(LIST), "22,9000-9009,9100");
        assert!(host.plan_restore_port_reservations().unwrap().is_empty());
    });
}

#[test]
fn everybody_may_look_and_administrators_may_change() {
    with_host(|host| {
        let made = host.create_port_reservation(TCP, range("9000-9009")).unwrap();
        let as_anybody = || {
            let host = Host::open().unwrap();
            assert_eq!(host.port_reservation(TCP, range("9000-9009")).unwrap(), made);
            assert_eq!(host.port_reservations().unwrap(), std::slice::from_ref(&made));
            let _ = host.plan_create_port_reservation(TCP, range("9010")).unwrap();
            let _ = host.plan_delete_port_reservation(TCP, range("9000-9009")).unwrap();
            for refused in [
                host.create_port_reservation(TCP, range("9010")),
                host.create_port_reservation(TCP, range("9000")),
                host.delete_port_reservation(TCP, range("9000-9009")),
                host.delete_port_reservation(TCP, range("1")),
                host.restore_port_reservations().map(|_| made.clone()),
            ] {
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::AccessDenied);
            }
        };
        unprivileged(as_anybody);
        let _ = as_nobody(&[], as_anybody);
        assert_eq!(sysctl(LIST), "9000-9009");
    });
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    with_host(|host| {
        let _ = with_read_only_sysctls(|| {
            // Through a descriptor from before the mount the file can be written still, so another host.
            let host = Host::open().unwrap();
            let error = host.create_port_reservation(TCP, range("9000")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            assert!(error.to_string().contains("read-only"), "{error}");
            assert!(host.port_reservations().unwrap().is_empty());
        });
        let _ = host.create_port_reservation(TCP, range("9000")).unwrap();
        let _ = iphelper_testkit::run("mount -o remount,bind,ro /var/lib");
        let before = sysctl(LIST);
        for refused in [
            host.create_port_reservation(TCP, range("9001")),
            host.delete_port_reservation(TCP, range("9000")),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            assert_eq!(sysctl(LIST), before);
        }
        assert_eq!(host.port_reservations().unwrap().len(), 1);
    });
}

#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    with_host(|host| {
        let _ = host.create_port_reservation(TCP, range("9000")).unwrap();
        // With the source named, `mount` adds no options of its own, such as a user whom a user namespace does not know.
        let _ = iphelper_testkit::run("mount -o remount,size=64k tmpfs /var/lib");
        let mut filler = std::fs::File::create("/var/lib/filler").unwrap();
        while std::io::Write::write(&mut filler, &[0; 4096]).is_ok() {}
        let names = || {
            let entries = std::fs::read_dir("/var/lib/iphelper/port-reservations").unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>()
        };
        let (before, files) = (sysctl(LIST), names());
        for refused in [
            host.create_port_reservation(TCP, range("9001")),
            host.delete_port_reservation(TCP, range("9000")),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.errno(), Some(28), "{error}");
            assert!(error.to_string().contains("/var/lib/iphelper"), "{error}");
            assert_eq!((sysctl(LIST), names()), (before.clone(), files.clone()));
        }
        assert_eq!(host.port_reservations().unwrap().len(), 1);
        // Its blocks are free at once: a program that another test is about to start has a copy of the descriptor for a moment.
        filler.set_len(0).unwrap();
        let _ = host.delete_port_reservation(TCP, range("9000")).unwrap();
    });
}
