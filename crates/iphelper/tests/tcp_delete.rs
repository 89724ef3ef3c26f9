//! Deletion of TCP connections: what both ends see, and whose connection it is.

use iphelper::tcp::{DeleteOptions, TcpCondition, TcpConnection, TcpDeletionOutcome, TcpQuery, TcpState};
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::{isolated, run, unprivileged};
use std::io::{ErrorKind as Io, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

iphelper_testkit::private_user_namespace!();

/// A connected pair on loopback: the client's end, the server's end.
fn pair(address: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(address).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

fn rows(host: &Host) -> Vec<TcpConnection> {
    host.tcp_connections(&TcpQuery::default()).unwrap()
}

/// The row with this local end and state.
fn row(host: &Host, local: SocketAddr, state: TcpState) -> TcpConnection {
    let rows = rows(host);
    let found = rows.iter().find(|row| row.local == local && row.state == state);
    found.unwrap_or_else(|| panic!("no {state} at {local}: {rows:#?}")).clone()
}

#[test]
fn an_established_connection_is_aborted_here_and_reset_there() {
    isolated(|| {
        let host = Host::open().unwrap();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (mut client, mut server) = pair(address);
            let here = client.local_addr().unwrap();
            let row = row(&host, here, TcpState::Established);
            host.delete_tcp_connection(&row).unwrap();
            assert!(!run("ss -tan").contains(&here.to_string()), "gone when the call returns");
            let error = client.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), Io::ConnectionAborted);
            assert_eq!(client.read(&mut [0]).unwrap(), 0, "told once, then the end");
            assert_eq!(client.write(&[0]).unwrap_err().kind(), Io::BrokenPipe);
            assert_eq!(server.read(&mut [0]).unwrap_err().kind(), Io::ConnectionReset);
            let error = host.delete_tcp_connection(&row).unwrap_err();
            assert_eq!((error.kind(), error.win32()), (ErrorKind::NotFound, 1168), "{error}");
        }
    });
}

#[test]
fn exact_ends_name_one_connection() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (mut client, server) = pair("127.0.0.1:0");
        let (here, there) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        host.delete_tcp_endpoints(here, there).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);
        let error = host.delete_tcp_endpoints(here, there).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        drop(server);
    });
}

#[test]
fn a_filter_deletes_what_it_finds_and_lists_it() {
    isolated(|| {
        let host = Host::open().unwrap();
        let pairs: Vec<_> = (0..20).map(|_| pair("127.0.0.1:0")).collect();
        let bystander = pair("[::1]:0");
        let mut query = TcpQuery::default();
        query.family = Some(Family::V4);
        query.filter.conditions = vec![TcpCondition::State(vec![TcpState::Established])];
        let deletions = host.delete_tcp_matching(&query, DeleteOptions::default()).unwrap();
        // Each connection has a row for either end; the first deletion resets the other.
        assert_eq!(deletions.len(), 40);
        let deleted =
            deletions.iter().filter(|row| matches!(row.outcome, TcpDeletionOutcome::Deleted)).count();
        assert_eq!(deleted, 20, "{deletions:#?}");
        assert!(deletions.iter().all(|row| !matches!(row.outcome, TcpDeletionOutcome::Failed(_))));
        assert_eq!(rows(&host).len(), 2);
        let error = host.delete_tcp_matching(&TcpQuery::default(), DeleteOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        drop((pairs, bystander));
    });
}

#[test]
fn without_the_privilege_nothing_happens() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (client, server) = pair("127.0.0.1:0");
        let row = row(&host, client.local_addr().unwrap(), TcpState::Established);
        let error = unprivileged(|| host.delete_tcp_connection(&row)).unwrap_err();
        // Root without the capability could raise itself.
        assert_eq!((error.kind(), error.win32()), (ErrorKind::ElevationRequired, 317), "{error}");
        (&client).write_all(b"x").unwrap();
        (&server).read_exact(&mut [0]).unwrap();
    });
}
