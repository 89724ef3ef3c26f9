//! TCP connections: their end is announced, the rest is found by looking.

use crate::support::wait_for;
use iphelper::Host;
use iphelper::notification::{ChangeKind, Classes, Event, Subject, WatchOptions};
use iphelper::tcp::{TcpConnection, TcpState};
use iphelper_testkit::{isolated, run};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

fn connection(event: &Event) -> &TcpConnection {
    let Subject::TcpConnection(row) = &event.subject else { panic!("{event:?}") };
    row
}

#[test]
fn connections_are_told_when_they_are_found_and_when_they_close() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let mut watch = Host::open().unwrap().watch(WatchOptions::new(Classes::TCP_CONNECTIONS)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let client = TcpStream::connect(server).unwrap();
        let accepted = listener.accept().unwrap().0;
        let own: SocketAddr = client.local_addr().unwrap();
        let told = |kind, local| {
            move |event: &Event| {
                let row = connection(event);
                (event.kind == kind && row.local == local && row.remote != local).then(|| row.clone())
            }
        };
        let (row, _) = wait_for("the client's end", &mut watch, told(ChangeKind::Add, own));
        assert_eq!((row.state, row.remote), (TcpState::Established, server));
        assert_eq!(row.owner.map(|owner| owner.pid), Some(std::process::id()));

        // A reset, so that nothing of it stays behind.
        rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
        drop(client);
        let (row, _) = wait_for("the client's close", &mut watch, told(ChangeKind::Delete, own));
        assert_eq!(row.remote, server);
        drop(accepted);
    });
}
