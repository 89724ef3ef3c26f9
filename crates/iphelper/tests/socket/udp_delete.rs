//! Deletion of UDP endpoints, against `ss -u`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::{ErrorKind, Host};
use iphelper_testkit::{PATIENCE, eventually, isolated, run};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io::ErrorKind as Io;
use std::net::{SocketAddr, UdpSocket};

fn socket(bind_to: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(bind_to).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let local = socket.local_addr().unwrap();
    (socket, local)
}

/// A free port that was chosen, not given.
fn chosen(address: &str) -> (UdpSocket, SocketAddr) {
    (20_000..30_000_u16)
        .find_map(|port| UdpSocket::bind(format!("{address}:{port}")).ok())
        .map(|socket| {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            let local = socket.local_addr().unwrap();
            (socket, local)
        })
        .expect("a free port")
}

/// What the next `recv` gives. A wait with a time-out ends early when the kernel has other work for the thread.
fn received(socket: &UdpSocket) -> std::io::Result<usize> {
    loop {
        match socket.recv(&mut [0]) {
            Err(error) if error.kind() == Io::Interrupted => {}
            received => return received,
        }
    }
}

fn is_listed(port: u16) -> bool {
    run("ss -uanHO")
        .lines()
        .any(|line| line.split_whitespace().nth(3).unwrap().ends_with(&format!(":{port}")))
}

#[test]
fn an_endpoint_is_gone_and_its_program_told() {
    isolated(|| {
        let host = Host::open().unwrap();
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0", "[::ffff:127.0.0.1]:0"] {
            let (socket, local) = socket(address);
            assert!(is_listed(local.port()));
            host.delete_udp_endpoint(local, None).unwrap_or_else(|error| panic!("{address}: {error}"));
            assert!(!is_listed(local.port()), "{address}");
            assert_eq!(received(&socket).unwrap_err().kind(), Io::ConnectionAborted);
            let error = host.delete_udp_endpoint(local, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    });
}

#[test]
fn a_program_keeps_the_port_that_it_asked_for() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (socket, local) = chosen("127.0.0.1");
        let error = host.delete_udp_endpoint(local, None).unwrap_err();
        assert_eq!((error.kind(), error.win32()), (ErrorKind::NotSupported, 50), "{error}");
        let (other, there) = self::socket("127.0.0.1:0");
        let _ = other.send_to(b"x", local).unwrap();
        assert_eq!(received(&socket).unwrap(), 1, "nothing was done to it");

        // Its connection can be ended.
        socket.connect(there).unwrap();
        let elsewhere = SocketAddr::new(there.ip(), there.port() ^ 1);
        let error = host.delete_udp_endpoint(local, Some(elsewhere)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        host.delete_udp_endpoint(local, Some(there)).unwrap();
        assert_eq!(received(&socket).unwrap_err().kind(), Io::ConnectionAborted);
        let line = run(&format!("ss -uanHO sport = :{}", local.port()));
        assert!(line.starts_with("UNCONN"), "{line}");
        let error = host.delete_udp_endpoint(local, Some(there)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    });
}

#[test]
fn a_connected_endpoint_is_named_with_or_without_its_remote_end() {
    isolated(|| {
        let host = Host::open().unwrap();
        for named in [true, false] {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let ((_server, there), (client, _)) = (socket(address), socket(address));
                client.connect(there).unwrap();
                let local = client.local_addr().unwrap();
                host.delete_udp_endpoint(local, named.then_some(there)).unwrap();
                assert!(!is_listed(local.port()));
                assert!(is_listed(there.port()));
            }
        }
    });
}

#[test]
fn an_ipv4_endpoint_is_never_the_dual_stack_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (_dual, local) = socket("[::]:0");
        let v4 = SocketAddr::from(([0, 0, 0, 0], local.port()));
        let error = host.delete_udp_endpoint(v4, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(is_listed(local.port()));
        let error = host.delete_udp_endpoint(v4, Some("[::1]:5".parse().unwrap())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    });
}

#[test]
fn of_several_sockets_none_is_picked() {
    isolated(|| {
        let host = Host::open().unwrap();
        let member = |address: SocketAddr| {
            let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
            sockopt::set_socket_reuseport(&socket, true).unwrap();
            rustix::net::bind(&socket, &address).unwrap();
            UdpSocket::from(socket)
        };
        let first = member("127.0.0.1:0".parse().unwrap());
        let local = first.local_addr().unwrap();
        let second = member(local);
        let error = host.delete_udp_endpoint(local, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        drop(second);
        // A program that another test is about to start has a copy of it for a moment.
        eventually("one is left", || run("ss -uanHO").lines().count() == 1);
        host.delete_udp_endpoint(local, None).unwrap();
        assert!(!is_listed(local.port()));
    });
}
