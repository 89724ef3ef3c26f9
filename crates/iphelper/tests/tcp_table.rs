//! The TCP table against `ss`.

use iphelper::tcp::{TcpConnection, TcpQuery, TcpState};
use iphelper::{Family, Host};
use iphelper_testkit::{isolated, run};
use std::net::{TcpListener, TcpStream};

iphelper_testkit::private_user_namespace!();

fn table(family: Family) -> Vec<TcpConnection> {
    let mut query = TcpQuery::default();
    query.family = Some(family);
    Host::open().unwrap().tcp_connections(&query).unwrap()
}

#[test]
fn a_mapped_connection_is_ipv4_and_a_dual_stack_listener_is_both() {
    isolated(|| {
        let listener = TcpListener::bind("[::]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (v4, v6) = (table(Family::V4), table(Family::V6));
        assert_eq!(v6.len(), 1, "{v6:#?}");
        assert_eq!((v6[0].state, v6[0].local.to_string()), (TcpState::Listen, format!("[::]:{port}")));
        let mut seen: Vec<_> = v4.iter().map(|row| (row.state, row.local, row.remote)).collect();
        seen.sort();
        let mut expected = vec![
            (TcpState::Listen, format!("0.0.0.0:{port}").parse().unwrap(), "0.0.0.0:0".parse().unwrap()),
            (TcpState::Established, client.local_addr().unwrap(), client.peer_addr().unwrap()),
            (TcpState::Established, client.peer_addr().unwrap(), client.local_addr().unwrap()),
        ];
        expected.sort();
        assert_eq!(seen, expected);
        drop(server);
        eprintln!("{}", run("ss -tan"));
    });
}

#[test]
fn owners_are_found() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut query = TcpQuery::default();
        query.owners = true;
        for rows in [
            Host::open().unwrap().tcp_connections(&query).unwrap(),
            Host::open().unwrap().tcp_connections_iter(&query).unwrap().map(Result::unwrap).collect(),
        ] {
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].owner.as_ref().map(|owner| owner.pid), Some(std::process::id()), "{rows:#?}");
        }
        drop(listener);
    });
}
