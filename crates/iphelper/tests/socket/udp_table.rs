//! The UDP table beside `ss -u`: rows of both families, owners, who chose the port, filters.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::tcp::TcpState;
use iphelper::udp::{UdpCondition, UdpEndpoint, UdpQuery};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, bound, eventually, isolated, run, unprivileged};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::collections::BTreeSet;
use std::net::{SocketAddr, SocketAddrV6, UdpSocket};

fn query(conditions: Vec<UdpCondition>) -> UdpQuery {
    UdpQuery { filter: conditions.into(), ordered: true, ..UdpQuery::default() }
}

fn table(host: &Host, query: &UdpQuery) -> Vec<UdpEndpoint> {
    host.udp_endpoints(query).expect("reading the table")
}

fn locals(rows: &[UdpEndpoint]) -> Vec<String> {
    rows.iter().map(|row| row.local.to_string()).collect()
}

/// An IPv6 socket that takes IPv4, too.
fn dual_stack(port: u16) -> UdpSocket {
    let socket = rustix::net::socket(AddressFamily::INET6, SocketType::DGRAM, None).unwrap();
    sockopt::set_ipv6_v6only(&socket, false).unwrap();
    rustix::net::bind(&socket, &SocketAddrV6::new(std::net::Ipv6Addr::UNSPECIFIED, port, 0, 0)).unwrap();
    socket.into()
}

/// The ends of `ss`, one row for each socket.
fn ss() -> BTreeSet<(String, String)> {
    let text = run("ss -Huan");
    let end = |text: &str| text.replace(":*", ":0");
    text.lines()
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            (end(words[3]), end(words[4]))
        })
        .collect()
}

#[test]
fn the_table_is_what_ss_shows() {
    isolated(|| {
        let host = Host::open().unwrap();
        let sockets: Vec<UdpSocket> =
            ["127.0.0.1:0", "127.0.0.2:5000", "0.0.0.0:5001", "[::1]:0", "[::1]:5002"]
                .map(|end| UdpSocket::bind(end).unwrap())
                .into();
        sockets[0].connect("127.0.0.2:5000").unwrap();
        sockets[3].connect("[::1]:5002").unwrap();
        let rows = table(&host, &query(vec![]));
        let ours: BTreeSet<_> = rows
            .iter()
            .map(|row| {
                let nobody = if row.local.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                (row.local.to_string(), row.remote.map_or(nobody.to_owned(), |remote| remote.to_string()))
            })
            .collect();
        assert_eq!(ours, ss());
        assert_eq!(rows.len(), 5);
        let by_address = |row: &UdpEndpoint| (row.family, row.local.ip(), row.local.port());
        assert!(rows.is_sorted_by_key(by_address), "{:?}", locals(&rows));
        for row in &rows {
            // A port in the range that the kernel chooses from was not asked for here.
            let asked = (5000..5003).contains(&row.local.port());
            assert_eq!(row.specific_port_bind, Some(asked), "{row:?}");
            assert_eq!(row.socket_family, row.family);
            assert!(row.inode.is_some() && row.created.is_none() && row.owner.is_none());
            assert_eq!(row.user_id, Some(rustix::process::getuid().as_raw()));
        }
        // The same rows without who chose the port, which costs a second dump.
        let either = table(&host, &UdpQuery { specific_port_binds: false, ..query(vec![]) });
        let rows = rows.into_iter().map(|mut row| {
            row.specific_port_bind = None;
            row
        });
        assert_eq!(either, rows.collect::<Vec<_>>());
        drop(sockets);
        // A program that another test is about to start has copies of them for a moment.
        eventually("nobody has them", || table(&host, &query(vec![])).is_empty());
    });
}

#[test]
fn dual_stack_sockets_are_in_both_tables_and_mapped_ones_in_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        let _dual = dual_stack(5000);
        let mapped = UdpSocket::bind("[::ffff:127.0.0.1]:5001").unwrap();
        let only = rustix::net::socket(AddressFamily::INET6, SocketType::DGRAM, None).unwrap();
        sockopt::set_ipv6_v6only(&only, true).unwrap();
        rustix::net::bind(&only, &SocketAddrV6::new(std::net::Ipv6Addr::UNSPECIFIED, 5002, 0, 0)).unwrap();
        let of = |family| {
            let rows = table(&host, &UdpQuery { family, ordered: true, ..UdpQuery::default() });
            (locals(&rows), rows)
        };
        let (four, rows) = of(Some(Family::V4));
        assert_eq!(four, ["0.0.0.0:5000", "127.0.0.1:5001"]);
        assert!(rows.iter().all(|row| row.socket_family == Family::V6 && row.family == Family::V4));
        let (six, _) = of(Some(Family::V6));
        assert_eq!(six, ["[::]:5000", "[::]:5002"]);
        let (all, _) = of(None);
        assert_eq!(all, [four.clone(), six].concat());
        mapped.connect("127.0.0.1:5000").unwrap();
        let (four, rows) = of(Some(Family::V4));
        assert_eq!(
            (four[1].as_str(), rows[1].remote),
            ("127.0.0.1:5001", Some("127.0.0.1:5000".parse().unwrap()))
        );
    });
}

#[test]
fn groups_of_a_link_have_its_zone_as_its_addresses_have() {
    isolated(|| {
        let host = Host::open().unwrap();
        let lo = 1;
        let bound = [("ff02::fb", lo), ("ff01::1", lo), ("ff05::2", 0)].map(|(group, zone)| {
            let end = SocketAddrV6::new(group.parse().unwrap(), 5353, 0, zone);
            (UdpSocket::bind(end).unwrap(), end)
        });
        let rows = table(&host, &UdpQuery::default());
        for (_, end) in &bound {
            assert!(rows.iter().any(|row| row.local == (*end).into()), "{end}: {rows:#?}");
        }
    });
}

#[test]
fn the_kernel_chooses_ports_for_the_first_packet_too() {
    isolated(|| {
        let host = Host::open().unwrap();
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
        let socket = UdpSocket::from(socket);
        assert_eq!(table(&host, &query(vec![])), [], "no port yet");
        let _ = socket.send_to(&[0], "127.0.0.1:9").unwrap();
        let rows = table(&host, &query(vec![]));
        assert_eq!(locals(&rows), [socket.local_addr().unwrap().to_string()]);
        assert_eq!(rows[0].specific_port_bind, Some(false));
        // Port 0 asks for none, wherever the number comes to lie; a number that is asked for is specific.
        let chosen = rows[0].local.port();
        drop(socket);
        let _again = bound(|| UdpSocket::bind(("127.0.0.1", chosen)));
        let rows = table(&host, &query(vec![]));
        assert_eq!(rows[0].specific_port_bind, Some(true), "the same number, asked for");
    });
}

#[test]
fn filters_say_which_rows() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        let _ = run("ip addr add fe80::1/64 dev e0 nodad");
        let local = SocketAddrV6::new("fe80::1".parse().unwrap(), 5000, 0, index.0);
        let link_local = UdpSocket::bind(SocketAddr::V6(local)).unwrap();
        let four = UdpSocket::bind("127.0.0.1:5001").unwrap();
        let connected = UdpSocket::bind("127.0.0.1:5002").unwrap();
        connected.connect("127.0.0.1:5001").unwrap();
        let _dual = dual_stack(5003);
        let find = |condition: UdpCondition| locals(&table(&host, &query(vec![condition])));
        assert_eq!(find(UdpCondition::LocalPort(5001..=5002)), ["127.0.0.1:5001", "127.0.0.1:5002"]);
        assert_eq!(find(UdpCondition::RemotePort(5001..=5001)), ["127.0.0.1:5002"]);
        assert_eq!(find(UdpCondition::Port(5001..=5001)), ["127.0.0.1:5001", "127.0.0.1:5002"]);
        assert_eq!(find(UdpCondition::LocalAddress("127.0.0.0/8".parse().unwrap())).len(), 2);
        assert_eq!(
            find(UdpCondition::LocalAddress("0.0.0.0/0".parse().unwrap())).len(),
            3,
            "and the dual one"
        );
        assert_eq!(find(UdpCondition::LocalAddress("fe80::/10".parse().unwrap())), [local.to_string()]);
        assert_eq!(find(UdpCondition::RemoteAddress("127.0.0.1/32".parse().unwrap())), ["127.0.0.1:5002"]);
        assert_eq!(find(UdpCondition::Interface(index)), [local.to_string()]);
        assert_eq!(find(UdpCondition::Interface(InterfaceIndex(0x7FFF_FFFF))), [""; 0]);
        assert_eq!(find(UdpCondition::Pid(std::process::id())).len(), 5);
        assert_eq!(find(UdpCondition::UserId(u32::MAX - 7)), [""; 0]);
        let both = query(vec![UdpCondition::LocalPort(5002..=5003), UdpCondition::RemotePort(1..=65535)]);
        assert_eq!(locals(&table(&host, &both)), ["127.0.0.1:5002"]);
        let state = query(vec![UdpCondition::State(vec![TcpState::Listen])]);
        let error = host.udp_endpoints(&state).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert_eq!(error.to_string(), "filtering sockets: a UDP endpoint has no state");
        let mark = query(vec![UdpCondition::Mark { value: 0, mask: 1 }]);
        assert_eq!(table(&host, &mark).len(), 5);
        let error = unprivileged(|| host.udp_endpoints(&mark).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        drop((link_local, four));
    });
}

#[test]
fn owners_and_their_programs_are_told() {
    isolated(|| {
        let host = Host::open().unwrap();
        let socket = UdpSocket::bind("[::1]:5000").unwrap();
        let rows = table(&host, &UdpQuery { owners: true, ..UdpQuery::default() });
        let owner = rows[0].owner.as_ref().expect("this process's own");
        let name = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!((owner.pid, &*owner.name), (std::process::id(), name.trim_end()));
        let module = host.udp_owner_module(&rows[0]).unwrap();
        assert_eq!(module.path, Some(std::env::current_exe().unwrap()));
        drop(socket);
        // A program that another test is about to start has a copy of it for a moment.
        eventually("nobody has it", || host.udp_owner_module(&rows[0]).is_err());
        let error = host.udp_owner_module(&rows[0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn many_endpoints_are_all_there_once() {
    isolated(|| {
        let host = Host::open().unwrap();
        let sockets: Vec<UdpSocket> = (0..400_u16)
            .map(|number| {
                let address = if number % 2 == 0 { "127.0.0.1" } else { "::1" };
                let port = if number % 3 == 0 { 0 } else { 6000 + number };
                UdpSocket::bind((address, port)).unwrap()
            })
            .collect();
        let rows = table(&host, &query(vec![]));
        let ours: BTreeSet<_> = rows.iter().map(|row| row.local).collect();
        assert_eq!(ours, sockets.iter().map(|socket| socket.local_addr().unwrap()).collect());
        assert_eq!(rows.len(), 400);
        let asked = rows.iter().filter(|row| row.specific_port_bind == Some(true)).count();
        assert_eq!(asked, 400 - 134, "every third was left to the kernel");
    });
}
