//! The TCP table against `ss`: every state, both families, scopes, filters.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use crate::tcp_support::{
    ANY, Packets, assert_same_as_ss, connecting, eventually_rows, every_state, listener, matching, pair, row,
    rows,
};
use iphelper::tcp::{TcpCondition, TcpConnection, TcpQuery, TcpState};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, isolated, run, unprivileged};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{BindToDevice, Mark};
use rustix::net::sockopt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};

fn query(family: Option<Family>, conditions: Vec<TcpCondition>) -> TcpQuery {
    TcpQuery { family, ..matching(conditions) }
}

fn table(host: &Host, family: Family) -> Vec<TcpConnection> {
    host.tcp_connections(&query(Some(family), Vec::new())).unwrap()
}

#[test]
fn every_state_is_shown_as_ss_shows_it() {
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        isolated(|| {
            let host = Host::open().unwrap();
            let staged = every_state(&host, address, Packets::new().as_ref());
            let _ = assert_same_as_ss("-a", || rows(&host));
            for staged in staged {
                let row = row(&host, staged.local, staged.state);
                assert_eq!(
                    row.inode.is_some(),
                    staged.end.is_some() || staged.state == TcpState::Listen,
                    "{row:#?}"
                );
                let known = row.user_id.is_some();
                assert!(known || row.inode.is_none(), "{row:#?}");
                assert_eq!(row.created, None, "the kernel tells no creation time");
            }
        });
    }
}

#[test]
fn sockets_that_are_only_bound_are_shown_when_closed_ones_are_asked_for() {
    isolated(|| {
        let host = Host::open().unwrap();
        let socket =
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
                .unwrap();
        rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        assert_eq!(rows(&host), []);
        let closed = query(None, vec![TcpCondition::State(vec![TcpState::Closed])]);
        let closed = host.tcp_connections(&closed).unwrap();
        if closed.is_empty() {
            // Before Linux 6.8 the kernel lists them nowhere.
            eprintln!("skipped: this kernel does not list bound sockets");
            return;
        }
        assert_eq!(closed.len(), 1, "{closed:#?}");
        assert_eq!((closed[0].state, closed[0].remote.port()), (TcpState::Closed, 0));
        let error = host.delete_tcp_connection(&closed[0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    });
}

#[test]
fn a_mapped_connection_is_ipv4_and_a_dual_stack_listener_is_both() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind(ANY).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (v4, v6) = (table(&host, Family::V4), table(&host, Family::V6));
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
        let families: Vec<_> =
            v4.iter().map(|row| (row.state, row.local.port() == port, row.socket_family)).collect();
        assert!(
            families.contains(&(TcpState::Established, true, Family::V6)),
            "the server's end is of an IPv6 socket"
        );
        assert!(families.contains(&(TcpState::Established, false, Family::V4)));
        let _ = assert_same_as_ss("-a", || rows(&host));
        drop(server);
    });
}

#[test]
fn a_request_for_a_dual_stack_listener_is_ipv4() {
    isolated(|| {
        let Some(packets) = Packets::new() else { return };
        let host = Host::open().unwrap();
        let listener = TcpListener::bind(ANY).unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client =
            connecting((Ipv4Addr::LOCALHOST, port).into(), |local| packets.lose(port, local.port()));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        iphelper_testkit::eventually("the request arrives", || {
            table(&host, Family::V4)
                .iter()
                .any(|row| row.local == local && row.state == TcpState::SynReceived)
        });
        assert!(table(&host, Family::V6).iter().all(|row| row.state != TcpState::SynReceived));
        let _ = assert_same_as_ss("-a", || rows(&host));
    });
}

#[test]
fn a_listener_for_ipv6_alone_is_in_one_table() {
    isolated(|| {
        let host = Host::open().unwrap();
        let v6_only = listener(ANY, |socket| sockopt::set_ipv6_v6only(socket, true).unwrap());
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:0".parse().unwrap();
        let mapped = listener(mapped, |_| ());
        let v4: Vec<_> = table(&host, Family::V4).iter().map(|row| row.local.to_string()).collect();
        let port = mapped.local_addr().unwrap().port();
        assert_eq!(v4, [format!("127.0.0.1:{port}")], "bound to an IPv4 address by way of IPv6");
        let v6 = table(&host, Family::V6);
        assert_eq!(v6.len(), 1, "{v6:#?}");
        assert_eq!(v6[0].local, v6_only.local_addr().unwrap());
    });
}

#[test]
fn link_local_ends_carry_their_scope_and_bound_sockets_their_interface() {
    let (one, other) = (NetNs::new(), NetNs::new());
    one.veth("e0", &other, "e1");
    let _ = one.sh("ip addr add fe80::1/64 dev e0 nodad");
    let _ = other.sh("ip addr add fe80::2/64 dev e1 nodad");
    let _ = one.sh("ip addr add 192.0.2.1/24 dev e0");
    let _ = other.sh("ip addr add 192.0.2.2/24 dev e1");
    let index = |namespace: &NetNs, name: &str| {
        let line = namespace.sh(&format!("ip -o link show {name}"));
        line.split(':').next().unwrap().parse::<u32>().unwrap()
    };
    let (e0, e1) = (index(&one, "e0"), index(&other, "e1"));
    let peer = |scope| SocketAddr::from(SocketAddrV6::new("fe80::2".parse().unwrap(), 0, 0, scope));

    let server = other.run(|| TcpListener::bind(peer(e1)).unwrap());
    let mut there = peer(e0);
    there.set_port(server.local_addr().unwrap().port());
    let client = one.run(|| TcpStream::connect(there).unwrap());
    let (_accepted, _) = server.accept().unwrap();
    let host = Host::open_namespace(one.descriptor()).unwrap();
    let client_row = row(&host, client.local_addr().unwrap(), TcpState::Established);
    assert_eq!(
        (client_row.local.to_string(), client_row.remote),
        (client.local_addr().unwrap().to_string(), there)
    );
    assert_eq!(client_row.interface_index, Some(InterfaceIndex(e0)));
    let _ = one.run(|| assert_same_as_ss("-a", || rows(&host)));
    let host = Host::open_namespace(other.descriptor()).unwrap();
    assert_eq!(
        row(&host, server.local_addr().unwrap(), TcpState::Listen).interface_index,
        Some(InterfaceIndex(e1))
    );
    let _ = other.run(|| assert_same_as_ss("-a", || rows(&host)));

    let bound = other.run(|| {
        listener("0.0.0.0:0".parse().unwrap(), |socket| {
            setsockopt(socket, BindToDevice, &"e1".into()).unwrap();
        })
    });
    let row = row(&host, bound.local_addr().unwrap(), TcpState::Listen);
    assert_eq!(row.interface_index, Some(InterfaceIndex(e1)));
    let on_e1 = query(None, vec![TcpCondition::Interface(InterfaceIndex(e1))]);
    let on_e1 = other.run(|| assert_same_as_ss("-a dev = e1", || host.tcp_connections(&on_e1).unwrap()));
    assert_eq!(on_e1.len(), 3, "two listeners and a connection: {on_e1:#?}");
}

#[test]
fn each_filter_finds_what_its_like_of_ss_finds() {
    isolated(|| {
        let host = Host::open().unwrap();
        let packets = Packets::new();
        let v4 = every_state(&host, Ipv4Addr::LOCALHOST.into(), packets.as_ref());
        let v6 = every_state(&host, Ipv6Addr::LOCALHOST.into(), packets.as_ref());
        let mapped = pair("[::]:0");
        let dual = TcpListener::bind(ANY).unwrap();
        let port = v4[0].local.port();
        let marked =
            listener("127.0.0.1:0".parse().unwrap(), |socket| setsockopt(socket, Mark, &0x1234).unwrap());
        let address = |text: &str| text.parse().unwrap();
        use TcpCondition as C;
        let all_of: &[(&str, Vec<TcpCondition>)] = &[
            ("-a", vec![]),
            ("state established", vec![C::State(vec![TcpState::Established])]),
            ("state listening", vec![C::State(vec![TcpState::Listen])]),
            ("state time-wait", vec![C::State(vec![TcpState::TimeWait])]),
            ("state syn-recv", vec![C::State(vec![TcpState::SynReceived])]),
            ("state fin-wait-2", vec![C::State(vec![TcpState::FinWait2])]),
            ("state closing state last-ack", vec![C::State(vec![TcpState::Closing, TcpState::LastAck])]),
            (&format!("-a sport = :{port}"), vec![C::LocalPort(port..=port)]),
            (&format!("-a dport = :{port}"), vec![C::RemotePort(port..=port)]),
            (&format!("-a ( sport = :{port} or dport = :{port} )"), vec![C::Port(port..=port)]),
            (&format!("-a sport >= :{port}"), vec![C::LocalPort(port..=u16::MAX)]),
            (
                &format!("-a sport >= :{port} dport > :0"),
                vec![C::LocalPort(port..=u16::MAX), C::RemotePort(1..=u16::MAX)],
            ),
            ("-a src 127.0.0.0/8", vec![C::LocalAddress(address("127.0.0.0/8"))]),
            ("-a dst 127.0.0.1", vec![C::RemoteAddress(address("127.0.0.1"))]),
            ("-a src [::1/128]", vec![C::LocalAddress(address("::1"))]),
            (
                "-a dst [::/64] dport > :0",
                vec![C::RemoteAddress(address("::/64")), C::RemotePort(1..=u16::MAX)],
            ),
            (
                &format!("state established src 127.0.0.0/8 dport = :{port}"),
                vec![
                    C::State(vec![TcpState::Established]),
                    C::LocalAddress(address("127.0.0.0/8")),
                    C::RemotePort(port..=port),
                ],
            ),
            ("-a fwmark = 0x1234", vec![C::Mark { value: 0x1234, mask: u32::MAX }]),
            ("-a fwmark = 0x0004/0x000f", vec![C::Mark { value: 4, mask: 0xf }]),
        ];
        for (words, conditions) in all_of {
            let query = query(None, conditions.clone());
            let ours = assert_same_as_ss(words, || host.tcp_connections(&query).unwrap());
            assert!(!ours.is_empty() || packets.is_none(), "{words} finds nothing");
            let _ = assert_same_as_ss(words, || {
                host.tcp_connections_iter(&query).unwrap().map(Result::unwrap).collect()
            });
        }
        drop((v4, v6, mapped, dual, marked));
    });
}

#[test]
fn the_ipv4_row_of_a_dual_stack_listener_is_filtered_by_its_ipv4_address() {
    isolated(|| {
        let host = Host::open().unwrap();
        let _listener = TcpListener::bind(ANY).unwrap();
        let with = |prefix: &str, family| {
            let query = query(family, vec![TcpCondition::LocalAddress(prefix.parse().unwrap())]);
            host.tcp_connections(&query).unwrap().iter().map(|row| row.family).collect::<Vec<_>>()
        };
        assert_eq!(with("0.0.0.0", None), [Family::V4]);
        assert_eq!(with("0.0.0.0/0", None), [Family::V4]);
        assert_eq!(with("10.0.0.0/8", None), []);
        assert_eq!(with("::", None), [Family::V6]);
        assert_eq!(with("::", Some(Family::V4)), []);
        assert_eq!(with("0.0.0.0", Some(Family::V6)), []);
    });
}

#[test]
fn control_groups_and_users_are_filtered() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let user = rustix::process::geteuid().as_raw();
        let count = |condition| host.tcp_connections(&query(None, vec![condition])).unwrap().len();
        assert_eq!(count(TcpCondition::UserId(user)), 1);
        assert_eq!(count(TcpCondition::UserId(user + 1)), 0);
        let row = row(&host, listener.local_addr().unwrap(), TcpState::Listen);
        assert_eq!(row.user_id, Some(user));
        // The group of a thread is a folder of the unified hierarchy, and its id that folder's inode.
        let group = std::fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
        let group = group.lines().find_map(|line| line.strip_prefix("0::").map(str::to_owned));
        let folder = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].into_iter().find_map(|root| {
            let path = format!("{root}{}", group.as_deref()?);
            let _ = std::fs::metadata(format!("{path}/cgroup.procs")).ok()?;
            std::fs::metadata(path).ok()
        });
        let Some(folder) = folder else {
            eprintln!("skipped: no unified control group hierarchy is mounted");
            assert_eq!(count(TcpCondition::Cgroup(u64::MAX)), 0);
            return;
        };
        let id = std::os::unix::fs::MetadataExt::ino(&folder);
        assert_eq!(count(TcpCondition::Cgroup(id)), 1);
        assert_eq!(count(TcpCondition::Cgroup(id + 1)), 0);
    });
}

#[test]
fn marks_need_a_privilege() {
    isolated(|| {
        let host = Host::open().unwrap();
        let query = query(None, vec![TcpCondition::Mark { value: 1, mask: 1 }]);
        let error = unprivileged(|| host.tcp_connections(&query)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        let error = unprivileged(|| host.tcp_connections_iter(&query).unwrap().next()).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
    });
}

#[test]
fn a_filter_longer_than_the_kernel_takes_is_tested_here() {
    isolated(|| {
        let host = Host::open().unwrap();
        let connected = pair("127.0.0.1:0");
        let port = connected.0.local_addr().unwrap().port();
        let mut conditions = vec![TcpCondition::LocalAddress("::1".parse().unwrap()); 1000];
        assert_eq!(host.tcp_connections(&query(None, conditions.clone())).unwrap(), []);
        conditions.fill(TcpCondition::LocalAddress("127.0.0.1".parse().unwrap()));
        conditions.push(TcpCondition::LocalPort(port..=port));
        assert_eq!(host.tcp_connections(&query(None, conditions)).unwrap().len(), 1);
        let marks = vec![TcpCondition::Mark { value: 0, mask: 0 }; 1000];
        let error = host.tcp_connections(&query(None, marks)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    });
}

#[test]
fn order_is_by_local_then_remote_end() {
    isolated(|| {
        let host = Host::open().unwrap();
        let _ = run("ip addr add 127.0.0.2/8 dev lo");
        let pairs: Vec<_> = ["127.0.0.2:0", "[::1]:0", "127.0.0.1:0", "127.0.0.2:0", "[::]:0"]
            .into_iter()
            .map(pair)
            .collect();
        let query = TcpQuery { ordered: true, ..TcpQuery::default() };
        eventually_rows(&host, 10);
        let table = host.tcp_connections(&query).unwrap();
        let keys: Vec<_> = table
            .iter()
            .map(|row| (row.family, row.local.ip(), row.local.port(), row.remote.ip(), row.remote.port()))
            .collect();
        assert!(keys.is_sorted(), "{keys:#?}");
        let error = host.tcp_connections_iter(&query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        drop(pairs);
    });
}

#[test]
fn a_host_reads_its_own_namespace_wherever_it_is_asked() {
    let (one, other) = (NetNs::new(), NetNs::new());
    let host = one.run(|| Host::open().unwrap());
    let _here = one.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let _there =
        other.run(|| [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("[::1]:0").unwrap()]);
    assert_eq!(other.run(|| rows(&host)).len(), 1);
    assert_eq!(
        Host::open_namespace(other.descriptor())
            .unwrap()
            .tcp_connections(&TcpQuery::default())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_table_under_churn_has_each_socket_once() {
    isolated(|| {
        let host = Host::open().unwrap();
        let held: Vec<_> = (0..500).map(|_| pair("127.0.0.1:0")).collect();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let stopped = || stop.load(std::sync::atomic::Ordering::Relaxed);
        std::thread::scope(|scope| {
            let _churn = scope.spawn(|| {
                while !stopped() {
                    drop(pair("127.0.0.1:0"));
                }
            });
            for _ in 0..30 {
                let streamed: Vec<_> =
                    host.tcp_connections_iter(&TcpQuery::default()).unwrap().map(Result::unwrap).collect();
                for table in [rows(&host), streamed] {
                    let mut cookies: Vec<_> = table.iter().map(|row| row.cookie).collect();
                    cookies.sort();
                    let all = cookies.len();
                    cookies.dedup();
                    assert_eq!(all, cookies.len());
                    assert!(all >= 900, "{all}");
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        drop(held);
    });
}
