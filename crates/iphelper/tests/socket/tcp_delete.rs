//! Deletion of TCP connections: what both ends see, in every state, and whose connection it is.

use crate::tcp_support::{
    ANY, Packets, connecting, eventually_rows, every_state, listener, matching, pair, row, rows, ss,
};
use iphelper::tcp::{
    DeleteOptions, SocketCookie, TcpCondition, TcpConnection, TcpDeletionOutcome, TcpQuery, TcpState,
};
use iphelper::{ErrorKind, Family, Host};
use iphelper_testkit::{NetNs, as_nobody, eventually, isolated, run, unprivileged};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::BindToDevice;
use rustix::net::sockopt;
use std::io::{ErrorKind as Io, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6, TcpListener, TcpStream};

/// Whether `ss` still shows this very socket.
fn exists(row: &TcpConnection) -> bool {
    ss("-a").iter().any(|socket| socket.cookie == row.cookie.0)
}

#[test]
fn an_established_connection_is_aborted_here_and_reset_there() {
    isolated(|| {
        let host = Host::open().unwrap();
        for address in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            // Either end: of the last address, the client is an IPv4 socket and the server an IPv6 one.
            for server_side in [false, true] {
                let (mut here, mut there) = pair(address);
                if server_side {
                    (here, there) = (there, here);
                }
                let row = row(&host, canonical(here.local_addr().unwrap()), TcpState::Established);
                host.delete_tcp_connection(&row).unwrap();
                assert!(!exists(&row), "gone when the call returns");
                let error = here.read(&mut [0]).unwrap_err();
                assert_eq!(error.kind(), Io::ConnectionAborted);
                assert_eq!(here.read(&mut [0]).unwrap(), 0, "told once, then the end");
                assert_eq!(here.write(&[0]).unwrap_err().kind(), Io::BrokenPipe);
                assert_eq!(there.read(&mut [0]).unwrap_err().kind(), Io::ConnectionReset);
                let error = host.delete_tcp_connection(&row).unwrap_err();
                assert_eq!((error.kind(), error.win32()), (ErrorKind::NotFound, 1168), "{error}");
            }
        }
    });
}

fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}

#[test]
fn a_blocked_reader_wakes() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (client, _server) = pair("127.0.0.1:0");
        let row = row(&host, client.local_addr().unwrap(), TcpState::Established);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (&client).read(&mut [0]).unwrap_err().kind());
            host.delete_tcp_connection(&row).unwrap();
            assert_eq!(reader.join().unwrap(), Io::ConnectionAborted);
        });
    });
}

#[test]
fn every_state_can_be_deleted() {
    isolated(|| {
        let host = Host::open().unwrap();
        let packets = Packets::new();
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            for mut staged in every_state(&host, address, packets.as_ref()) {
                let name = staged.name;
                let row = row(&host, staged.local, staged.state);
                if staged.state == TcpState::SynReceived {
                    // Else the next attempt of the client makes it anew.
                    staged.peer = None;
                }
                host.delete_tcp_connection(&row).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(!exists(&row), "{name}");
                if let Some(end) = &mut staged.end {
                    end.set_nonblocking(true).unwrap();
                    let expected = match staged.state {
                        // The end of the peer's stream was read, or stands before the error.
                        TcpState::CloseWait | TcpState::Closing => end.write(&[0]).unwrap_err().kind(),
                        _ => end.read(&mut [0]).unwrap_err().kind(),
                    };
                    assert_eq!(expected, Io::ConnectionAborted, "{name}");
                }
                if let Some(peer) = &mut staged.peer {
                    let told = match staged.state {
                        TcpState::Established | TcpState::CloseWait => {
                            peer.read(&mut [0]).unwrap_err().kind()
                        }
                        // It has heard the end of the stream before.
                        TcpState::FinWait2 if staged.end.is_some() => {
                            assert_eq!(peer.read(&mut [0]).unwrap(), 0, "{name}");
                            let mut told = None;
                            eventually("the reset comes", || {
                                told = peer.write(&[0]).err().map(|error| error.kind());
                                told.is_some()
                            });
                            told.unwrap()
                        }
                        // Has no peer that listens, or one that hears nothing.
                        _ => continue,
                    };
                    let expected = match staged.state {
                        TcpState::FinWait2 => Io::BrokenPipe,
                        _ => Io::ConnectionReset,
                    };
                    assert_eq!(told, expected, "{name}");
                }
            }
        }
    });
}

#[test]
fn a_listener_goes_with_its_queue_and_without_what_it_accepted() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted_client = TcpStream::connect(address).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        let mut queued = TcpStream::connect(address).unwrap();
        let row = row(&host, address, TcpState::Listen);
        host.delete_tcp_connection(&row).unwrap();
        assert!(!exists(&row));
        assert_eq!(listener.accept().unwrap_err().kind(), Io::InvalidInput, "EINVAL");
        assert_eq!(queued.read(&mut [0]).unwrap_err().kind(), Io::ConnectionReset);
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), Io::ConnectionRefused);
        (&accepted_client).write_all(b"x").unwrap();
        accepted.read_exact(&mut [0]).unwrap();
    });
}

#[test]
fn a_new_connection_on_the_same_ends_survives() {
    isolated(|| {
        let host = Host::open().unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = server.local_addr().unwrap();
        let connect_from = |here: SocketAddr| {
            let mut client = None;
            // A program that another test is about to start has a copy of each descriptor for a moment, so that a
            // connection closed here may stay a little longer.
            eventually("the ends are free", || {
                let (family, kind) = (rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM);
                let socket = rustix::net::socket(family, kind, None).unwrap();
                sockopt::set_socket_reuseaddr(&socket, true).unwrap();
                let connected =
                    rustix::net::bind(&socket, &here).and_then(|()| rustix::net::connect(&socket, &there));
                client = connected.is_ok().then(|| TcpStream::from(socket));
                client.is_some()
            });
            (client.unwrap(), server.accept().unwrap().0)
        };
        let first = connect_from("127.0.0.1:0".parse().unwrap());
        let here = first.0.local_addr().unwrap();
        let stale = row(&host, here, TcpState::Established);
        for end in [&first.0, &first.1] {
            sockopt::set_socket_linger(end, Some(std::time::Duration::ZERO)).unwrap();
        }
        drop(first);
        let second = connect_from(here);
        let fresh = row(&host, here, TcpState::Established);
        assert_eq!((stale.local, stale.remote), (fresh.local, fresh.remote));
        assert_ne!(stale.cookie, fresh.cookie);
        let error = host.delete_tcp_connection(&stale).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        (&second.0).write_all(b"x").unwrap();
        (&second.1).read_exact(&mut [0]).unwrap();

        // A row whose cookie would mean "any" is no row.
        for cookie in [0, u64::MAX] {
            let mut wild = fresh.clone();
            wild.cookie = SocketCookie(cookie);
            let error = host.delete_tcp_connection(&wild).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        }
        let mut odd = fresh.clone();
        odd.remote = "[::1]:1".parse().unwrap();
        let error = host.delete_tcp_connection(&odd).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        assert!(exists(&fresh));
    });
}

#[test]
fn ten_thousand_connections_in_one_call() {
    isolated(|| {
        let host = Host::open().unwrap();
        // Both ends of a connection take a descriptor of this process.
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1 << 20);
        let most = usize::try_from(limit.saturating_sub(4000) / 2).unwrap().min(10_000);
        if most < 10_000 {
            eprintln!("{most} connections instead of 10,000: the limit of descriptors is {limit}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let half_closed: Vec<_> = (0..most)
            .map(|_| {
                let client = TcpStream::connect(address).unwrap();
                (client, listener.accept().unwrap().0)
            })
            .collect();
        let query = matching(vec![TcpCondition::RemotePort(address.port()..=address.port())]);
        let mut clients = host.tcp_connections(&query).unwrap();
        assert_eq!(clients.len(), most);
        // A few that are gone already, spread over the batches.
        let stale: Vec<usize> = (0..most).step_by(most / 7).collect();
        for position in &stale {
            clients[*position].cookie.0 ^= 1 << 60;
        }
        let outcomes = host.delete_tcp_connections(&clients, DeleteOptions::default()).unwrap();
        assert_eq!(outcomes.len(), most);
        for (position, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Ok(()) => assert!(!stale.contains(&position)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                    assert!(stale.contains(&position), "{position}");
                }
            }
        }
        assert_eq!(host.tcp_connections(&query).unwrap().len(), stale.len());
        assert_eq!(run(&format!("ss -tanH dport = :{}", address.port())).lines().count(), stale.len());
        drop(half_closed);

        // All refused: no refusal is lost.
        let outcomes = host.delete_tcp_connections(&clients, DeleteOptions::default()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == ErrorKind::NotFound));
        assert_eq!(host.delete_tcp_connections(&[], DeleteOptions::default()).unwrap().len(), 0);
    });
}

#[test]
fn exact_ends_name_one_connection() {
    isolated(|| {
        let host = Host::open().unwrap();
        for address in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let (mut client, server) = pair(address);
            let (here, there) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            let swapped = host.delete_tcp_endpoints(here, here).unwrap_err();
            assert_eq!(swapped.kind(), ErrorKind::NotFound, "{swapped}");
            host.delete_tcp_endpoints(here, there).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);
            let error = host.delete_tcp_endpoints(here, there).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            drop(server);
        }
        let (client, mut server) = pair("[::]:0");
        // The server's end as its own program sees it, mapped.
        host.delete_tcp_endpoints(server.local_addr().unwrap(), server.peer_addr().unwrap()).unwrap();
        assert_eq!(server.read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);
        drop(client);
        let error = host
            .delete_tcp_endpoints("127.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    });
}

#[test]
fn an_ipv4_listener_is_never_the_dual_stack_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        let dual = TcpListener::bind(ANY).unwrap();
        let port = dual.local_addr().unwrap().port();
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let error = host.delete_tcp_endpoints(v4, nowhere).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("[::]"), "{error}");
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();

        // Both on one port: IPv4's own is the one.
        drop(dual);
        let only6 = listener(ANY, |socket| sockopt::set_ipv6_v6only(socket, true).unwrap());
        let port = only6.local_addr().unwrap().port();
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let own = TcpListener::bind(v4).unwrap();
        host.delete_tcp_endpoints(v4, nowhere).unwrap();
        assert_eq!(own.accept().unwrap_err().kind(), Io::InvalidInput);
        let _ = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();

        // The one socket that a dual-stack listener is, by its rows: either of them, or both.
        for pick in [&[Family::V4][..], &[Family::V6], &[Family::V4, Family::V6]] {
            let dual = TcpListener::bind(ANY).unwrap();
            let port = dual.local_addr().unwrap().port();
            let picked: Vec<_> = rows(&host)
                .into_iter()
                .filter(|row| row.local.port() == port && pick.contains(&row.family))
                .collect();
            assert_eq!(picked.len(), pick.len());
            for outcome in host.delete_tcp_connections(&picked, DeleteOptions::default()).unwrap() {
                outcome.unwrap();
            }
            assert_eq!(dual.accept().unwrap_err().kind(), Io::InvalidInput);
        }
        let dual = TcpListener::bind(ANY).unwrap();
        host.delete_tcp_endpoints(dual.local_addr().unwrap(), ANY).unwrap();
        assert_eq!(dual.accept().unwrap_err().kind(), Io::InvalidInput);
    });
}

#[test]
fn of_a_port_group_the_very_member_is_deleted() {
    isolated(|| {
        let host = Host::open().unwrap();
        for any in [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), ANY, "[::ffff:0.0.0.0]:0".parse().unwrap()]
        {
            let reuse = |socket: &rustix::fd::OwnedFd| sockopt::set_socket_reuseport(socket, true).unwrap();
            let first = listener(any, reuse);
            let address = first.local_addr().unwrap();
            let others: Vec<_> = (0..31).map(|_| listener(address, reuse)).collect();
            let error = host.delete_tcp_endpoints(address, SocketAddr::new(any.ip(), 0)).unwrap_err();
            assert_eq!(
                error.kind(),
                if any.ip().to_canonical() == any.ip() {
                    ErrorKind::InvalidParameter
                } else {
                    ErrorKind::NotFound
                },
                "{error}"
            );

            let group = || -> Vec<TcpConnection> {
                let mut rows = rows(&host);
                rows.retain(|row| row.state == TcpState::Listen && row.local.port() == address.port());
                rows.dedup_by_key(|row| row.cookie);
                rows
            };
            let members = group();
            assert_eq!(members.len(), 32);
            for member in members.iter().step_by(5) {
                host.delete_tcp_connection(member).unwrap();
                assert!(!exists(member));
            }
            let left: Vec<_> = group().iter().map(|row| row.cookie).collect();
            let kept: Vec<_> = members.iter().enumerate().filter(|(position, _)| position % 5 != 0).collect();
            assert!(kept.iter().all(|(_, row)| left.contains(&row.cookie)) && left.len() == kept.len());
            let error = host.delete_tcp_connection(&members[0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            drop((first, others));
        }
    });
}

#[test]
fn bound_and_link_local_sockets_are_deleted_on_their_interface() {
    let (one, other) = (NetNs::new(), NetNs::new());
    for (name, peer, number) in [("e0", "e1", 1), ("f0", "f1", 2)] {
        one.veth(name, &other, peer);
        let _ = one.sh(&format!("ip addr add fe80::1/64 dev {name} nodad"));
        let _ = other.sh(&format!("ip addr add fe80::2/64 dev {peer} nodad"));
        let _ = one.sh(&format!("ip addr add 192.0.2.1{number}/24 dev {name}"));
        let _ = other.sh(&format!("ip addr add 192.0.2.2{number}/24 dev {peer}"));
    }
    let index = |namespace: &NetNs, name: &str| {
        let line = namespace.sh(&format!("ip -o link show {name}"));
        line.split(':').next().unwrap().parse::<u32>().unwrap()
    };
    let host = Host::open_namespace(one.descriptor()).unwrap();

    // One link-local peer address and one port, behind two interfaces.
    let server = other.run(|| TcpListener::bind("[::]:0").unwrap());
    let port = server.local_addr().unwrap().port();
    let connect = |name: &str, from: u16| {
        one.run(|| {
            let scope = index(&one, name);
            let socket =
                rustix::net::socket(rustix::net::AddressFamily::INET6, rustix::net::SocketType::STREAM, None)
                    .unwrap();
            let end =
                |last, port| SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last), port, 0, scope);
            rustix::net::bind(&socket, &end(1, from)).unwrap();
            rustix::net::connect(&socket, &end(2, port)).unwrap();
            TcpStream::from(socket)
        })
    };
    let first = connect("e0", 0);
    let mut second = connect("f0", first.local_addr().unwrap().port());
    let (_a, _b) = (server.accept().unwrap(), server.accept().unwrap());
    let without_scope = |end: SocketAddr| SocketAddr::new(end.ip(), end.port());
    let (here, there) = (first.local_addr().unwrap(), first.peer_addr().unwrap());
    let error = host.delete_tcp_endpoints(without_scope(here), without_scope(there)).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::InvalidParameter,
        "two connections that differ in scope alone: {error}"
    );
    host.delete_tcp_endpoints(second.local_addr().unwrap(), second.peer_addr().unwrap()).unwrap();
    assert_eq!(second.read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);
    (&first).write_all(b"x").unwrap();
    host.delete_tcp_endpoints(without_scope(here), without_scope(there)).unwrap();
    assert_eq!((&first).read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);

    // Listeners on one port, one of them on any interface.
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    one.run(|| {
        let on = |address, name: &str| {
            listener(address, |socket| {
                sockopt::set_socket_reuseaddr(socket, true).unwrap();
                setsockopt(socket, BindToDevice, &name.into()).unwrap();
            })
        };
        let on_e0 = on(any, "e0");
        let address = on_e0.local_addr().unwrap();
        let on_f0 = on(address, "f0");
        let error = host.delete_tcp_endpoints(address, any).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        let mut listeners = rows(&host);
        listeners.retain(|row| row.local == address && row.state == TcpState::Listen);
        assert_eq!(listeners.len(), 2);
        let f0 = index(&one, "f0");
        let row =
            listeners.iter().find(|row| row.interface_index.is_some_and(|index| index.0 == f0)).unwrap();
        host.delete_tcp_connection(row).unwrap();
        assert_eq!(on_f0.accept().unwrap_err().kind(), Io::InvalidInput);
        host.delete_tcp_endpoints(address, any).unwrap();
        assert_eq!(on_e0.accept().unwrap_err().kind(), Io::InvalidInput);
    });
}

#[test]
fn a_filter_deletes_what_it_finds_and_lists_it() {
    isolated(|| {
        let host = Host::open().unwrap();
        let pairs: Vec<_> = (0..20).map(|_| pair("127.0.0.1:0")).collect();
        let bystander = pair("[::1]:0");
        let established = vec![TcpCondition::State(vec![TcpState::Established])];
        let query = TcpQuery { family: Some(Family::V4), filter: established.into(), ..TcpQuery::default() };
        let deletions = host.delete_tcp_matching(&query, DeleteOptions::default()).unwrap();
        // Each connection has a row for either end; the first deletion resets the other.
        assert_eq!(deletions.len(), 40);
        let deleted =
            deletions.iter().filter(|row| matches!(row.outcome, TcpDeletionOutcome::Deleted)).count();
        let gone =
            deletions.iter().filter(|row| matches!(row.outcome, TcpDeletionOutcome::AlreadyGone)).count();
        assert_eq!((deleted, gone), (20, 20), "{deletions:#?}");
        eventually_rows(&host, 2);
        assert!(host.delete_tcp_matching(&query, DeleteOptions::default()).unwrap().is_empty());
        let error = host.delete_tcp_matching(&TcpQuery::default(), DeleteOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        assert_eq!(rows(&host).len(), 2);
        drop((pairs, bystander));
    });
}

#[test]
fn without_the_privilege_nothing_happens() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (client, server) = pair("127.0.0.1:0");
        let (here, there) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let row = row(&host, here, TcpState::Established);
        let query = matching(vec![TcpCondition::LocalPort(here.port()..=here.port())]);
        let attempts = || {
            let options = DeleteOptions::default();
            [
                host.delete_tcp_connection(&row).unwrap_err(),
                host.delete_tcp_connections(&[], options).unwrap_err(),
                host.delete_tcp_endpoints(here, there).unwrap_err(),
                // Asked before it is looked up whether there is one.
                host.delete_tcp_endpoints(here, here).unwrap_err(),
                host.delete_tcp_matching(&query, options).unwrap_err(),
                host.delete_udp_endpoint(here, None).unwrap_err(),
            ]
        };
        for error in unprivileged(attempts) {
            // Root without the capability could raise itself.
            assert_eq!((error.kind(), error.win32()), (ErrorKind::ElevationRequired, 317), "{error}");
        }
        let error = unprivileged(|| host.delete_tcp_endpoints(here, "[::1]:1".parse().unwrap())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "what cannot be is refused first: {error}");

        let nobody = as_nobody(&[], attempts);
        for error in nobody.into_iter().flatten() {
            assert_eq!((error.kind(), error.win32()), (ErrorKind::AccessDenied, 5), "{error}");
        }
        let file = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let sudo = file.lines().find_map(|line| line.strip_prefix("sudo:")?.split(':').nth(1)?.parse().ok());
        match sudo {
            Some(group) => {
                for error in as_nobody(&[group], attempts).into_iter().flatten() {
                    assert_eq!(error.kind(), ErrorKind::ElevationRequired, "{error}");
                }
            }
            None => eprintln!("skipped: this machine has no group sudo"),
        }
        (&client).write_all(b"x").unwrap();
        (&server).read_exact(&mut [0]).unwrap();
    });
}

#[test]
fn multipath_connections_are_refused_unless_their_subflows_are_asked_for() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mptcp = || {
            let protocol = rustix::net::Protocol::from_raw(std::num::NonZeroU32::new(262).unwrap());
            rustix::net::socket(
                rustix::net::AddressFamily::INET,
                rustix::net::SocketType::STREAM,
                Some(protocol),
            )
        };
        let Ok(server) = mptcp() else {
            eprintln!("skipped: this kernel has no Multipath TCP");
            return;
        };
        rustix::net::bind(&server, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        rustix::net::listen(&server, 8).unwrap();
        let server = TcpListener::from(server);
        let there = server.local_addr().unwrap();

        // A plain peer makes it plain TCP on both sides.
        let mut plain = TcpStream::connect(there).unwrap();
        let (_plain_accepted, _) = server.accept().unwrap();
        host.delete_tcp_endpoints(plain.local_addr().unwrap(), there).unwrap();
        assert_eq!(plain.read(&mut [0]).unwrap_err().kind(), Io::ConnectionAborted);
        let plain_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fallen_back = mptcp().unwrap();
        rustix::net::connect(&fallen_back, &plain_listener.local_addr().unwrap()).unwrap();
        let mut fallen_back = TcpStream::from(fallen_back);
        let _ = plain_listener.accept().unwrap();
        let row_of = |stream: &TcpStream, state| row(&host, stream.local_addr().unwrap(), state);
        let client = mptcp().unwrap();
        rustix::net::connect(&client, &there).unwrap();
        let client = TcpStream::from(client);
        let (accepted, _) = server.accept().unwrap();
        // The peer has closed; its end is in one state or the next.
        let fallen = rows(&host)
            .into_iter()
            .find(|row| row.local == fallen_back.local_addr().unwrap())
            .expect("the connection that fell back");

        let both = [row_of(&client, TcpState::Established), fallen, row(&host, there, TcpState::Listen)];
        let outcomes = host.delete_tcp_connections(&both, DeleteOptions::default()).unwrap();
        let kinds: Vec<_> =
            outcomes.iter().map(|outcome| outcome.as_ref().err().map(iphelper::Error::kind)).collect();
        assert_eq!(
            kinds,
            [Some(ErrorKind::NotSupported), None, Some(ErrorKind::NotSupported)],
            "{outcomes:?}"
        );
        assert_eq!(fallen_back.write(&[0]).unwrap_err().kind(), Io::ConnectionAborted);
        let error = host.delete_tcp_endpoints(client.local_addr().unwrap(), there).unwrap_err();
        assert_eq!((error.kind(), error.win32()), (ErrorKind::NotSupported, 50), "{error}");
        (&client).write_all(b"x").unwrap();
        (&accepted).read_exact(&mut [0]).unwrap();

        let options = DeleteOptions { mptcp_subflows: true, ..DeleteOptions::default() };
        let outcomes = host.delete_tcp_connections(&both, options).unwrap();
        assert!(outcomes[0].is_ok(), "{outcomes:?}");
        assert!(!exists(&both[0]), "the subflow is gone");
        client.set_nonblocking(true).unwrap();
        assert_eq!(
            (&client).read(&mut [0]).unwrap_err().kind(),
            Io::WouldBlock,
            "and the program does not know"
        );
        let error = outcomes[2].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "the kernel deletes no such listener: {error}");
    });
}

#[test]
fn the_connection_under_the_terminal_is_spared() {
    // This program again, as the child of a shell in a session of its own: the parent holds a connection.
    const ROLE: &str = "IPHELPER_TEST_TERMINAL";
    if let Ok(local) = std::env::var(ROLE) {
        let local: SocketAddr = local.parse().unwrap();
        let host = Host::open().unwrap();
        let own = host.own_terminal_connections().unwrap();
        assert!(own.iter().any(|row| row.local == local), "{own:#?}");
        let query = matching(vec![TcpCondition::LocalPort(local.port()..=local.port())]);
        let deletions = host.delete_tcp_matching(&query, DeleteOptions::default()).unwrap();
        assert!(matches!(deletions[0].outcome, TcpDeletionOutcome::OwnTerminal), "{deletions:#?}");
        let options = DeleteOptions { own_terminal: true, ..DeleteOptions::default() };
        let deletions = host.delete_tcp_matching(&query, options).unwrap();
        assert!(matches!(deletions[0].outcome, TcpDeletionOutcome::Deleted), "{deletions:#?}");
        return;
    }
    isolated(|| {
        for by_environment in [false, true] {
            let (client, server) = pair("127.0.0.1:0");
            let (local, remote) = (server.local_addr().unwrap(), server.peer_addr().unwrap());
            let this = std::env::current_exe().unwrap();
            let mut child = std::process::Command::new("setsid");
            let _ = child
                .args(["--wait".as_ref(), this.as_os_str()])
                .args(["--exact", "tcp_delete::the_connection_under_the_terminal_is_spared", "--nocapture"])
                .env(ROLE, local.to_string())
                .env_remove("SSH_CONNECTION");
            if by_environment {
                let ends = format!("{} {} {} {}", remote.ip(), remote.port(), local.ip(), local.port());
                let _ = child.env("SSH_CONNECTION", ends);
            }
            let output = child.output().unwrap();
            assert!(output.status.success(), "{output:#?}");
            drop((client, server));
        }
    });
}

#[test]
fn many_rows_while_others_come_and_go() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let churn = scope.spawn(|| {
                let mut aborted = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let Ok(client) = TcpStream::connect(address) else { continue };
                    let _ = client.shutdown(Shutdown::Write);
                    match listener.accept() {
                        Ok((mut server, _)) => {
                            aborted += usize::from(server.read(&mut [0]).is_err());
                        }
                        Err(_) => aborted += 1,
                    }
                }
                aborted
            });
            let query = matching(vec![
                TcpCondition::Port(address.port()..=address.port()),
                TcpCondition::State(vec![
                    TcpState::Established,
                    TcpState::CloseWait,
                    TcpState::FinWait2,
                    TcpState::TimeWait,
                ]),
            ]);
            let (mut deleted, mut rounds) = (0, 0);
            // However seldom the other thread comes to its turn.
            eventually("many rounds, in which some were deleted", || {
                rounds += 1;
                for row in host.delete_tcp_matching(&query, DeleteOptions::default()).unwrap() {
                    match row.outcome {
                        TcpDeletionOutcome::Deleted => deleted += 1,
                        TcpDeletionOutcome::AlreadyGone => {}
                        other => panic!("{other:?}"),
                    }
                }
                deleted > 0 && rounds >= 50
            });
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            let _ = churn.join().unwrap();
        });
        eventually("the last connections are gone", || {
            let query = matching(vec![TcpCondition::State(vec![TcpState::Established])]);
            host.tcp_connections(&query).unwrap().is_empty()
        });
    });
}

#[test]
fn a_connection_that_nobody_accepted_is_deleted() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let row = row(&host, listener.local_addr().unwrap(), TcpState::Established);
        assert_eq!(row.inode, None, "no program has it open");
        host.delete_tcp_connection(&row).unwrap();
        assert!(!exists(&row));
        assert_eq!(client.read(&mut [0]).unwrap_err().kind(), Io::ConnectionReset);
    });
}

#[test]
fn a_request_that_is_deleted_may_come_again() {
    isolated(|| {
        let Some(packets) = Packets::new() else { return };
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let client = connecting(local, |client| packets.lose(local.port(), client.port()));
        let half_open = || rows(&host).into_iter().find(|row| row.state == TcpState::SynReceived);
        eventually("the request arrives", || half_open().is_some());
        let row = half_open().unwrap();
        host.delete_tcp_connection(&row).unwrap();
        assert!(!exists(&row));
        packets.pass();
        eventually("the client's next attempt succeeds", || {
            listener.set_nonblocking(true).is_ok() && listener.accept().is_ok()
        });
        drop(client);
    });
}
