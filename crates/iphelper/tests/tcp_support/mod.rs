//! TCP connections in every state, and `ss` as the second opinion.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use iphelper::tcp::{TcpCondition, TcpConnection, TcpQuery, TcpState};
use iphelper::{Family, Host};
use iphelper_testkit::{eventually, run, try_run};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};

/// A connected pair over loopback, the listener gone: the client's end, the server's end.
pub(crate) fn pair(listen_on: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(listen_on).unwrap();
    let address = listener.local_addr().unwrap();
    let address = if address.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port())
    } else {
        address
    };
    let client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

/// A socket that listens with the options that `prepare` sets before.
pub(crate) fn listener(address: SocketAddr, prepare: impl FnOnce(&rustix::fd::OwnedFd)) -> TcpListener {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    prepare(&socket);
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 128).unwrap();
    TcpListener::from(socket)
}

/// A socket that is connecting, and perhaps will for ever: `before` is called with its local end, before the first
/// packet.
pub(crate) fn connecting(address: SocketAddr, before: impl FnOnce(SocketAddr)) -> TcpStream {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::new(address.ip(), 0)).unwrap();
    let socket = TcpStream::from(socket);
    before(socket.local_addr().unwrap());
    assert_eq!(rustix::net::connect(&socket, &address), Err(rustix::io::Errno::INPROGRESS));
    socket
}

/// A query for what meets all of these conditions.
pub(crate) fn matching(conditions: Vec<TcpCondition>) -> TcpQuery {
    TcpQuery { filter: conditions.into(), ..TcpQuery::default() }
}

/// The whole table of both families.
pub(crate) fn rows(host: &Host) -> Vec<TcpConnection> {
    host.tcp_connections(&TcpQuery::default()).unwrap()
}

/// The row with this local end and state, which may come a moment after the packet that makes it.
pub(crate) fn row(host: &Host, local: SocketAddr, state: TcpState) -> TcpConnection {
    let mut found = None;
    eventually(&format!("{state} at {local}"), || {
        found = rows(host).into_iter().find(|row| row.local == local && row.state == state);
        found.is_some()
    });
    found.unwrap()
}

/// Waits until the table has so many rows. What was closed is in it for as long as a program that another test is about to
/// start has a copy.
pub(crate) fn eventually_rows(host: &Host, count: usize) {
    eventually("what was closed is gone", || rows(host).len() == count);
}

/// An address as in the table, without scope, `None` for `*`, a socket of both families; and a port.
pub(crate) type SsEnd = (Option<IpAddr>, u16);

/// A socket as `ss` shows it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct SsRow {
    pub(crate) state: TcpState,
    pub(crate) local: SsEnd,
    pub(crate) remote: SsEnd,
    /// The interface behind an address, if one is shown.
    pub(crate) interface: Option<String>,
    pub(crate) cookie: u64,
    /// The rest of the line.
    pub(crate) details: String,
}

/// What `ss -t` with these words shows: all states unless they say otherwise.
pub(crate) fn ss(words: &str) -> Vec<SsRow> {
    let text = run(&format!("ss -tnHOe {words}"));
    // Where one state is asked for, the column is left out.
    let mut asked = words.split_whitespace().skip_while(|word| *word != "state").skip(1);
    let only = match (asked.next(), words.matches("state ").count()) {
        (Some("established"), 1) => "ESTAB ",
        (Some("listening"), 1) => "LISTEN ",
        (Some("time-wait"), 1) => "TIME-WAIT ",
        (Some("syn-recv"), 1) => "SYN-RECV ",
        (Some("fin-wait-2"), 1) => "FIN-WAIT-2 ",
        _ => "",
    };
    let rows = text.lines().map(|line| format!("{only}{line}"));
    rows.map(|line| ss_row(&line).unwrap_or_else(|| panic!("ss says: {line}"))).collect()
}

fn ss_row(line: &str) -> Option<SsRow> {
    let mut words = line.split_whitespace();
    let state = match words.next()? {
        "ESTAB" => TcpState::Established,
        "LISTEN" => TcpState::Listen,
        "SYN-SENT" => TcpState::SynSent,
        "SYN-RECV" => TcpState::SynReceived,
        "FIN-WAIT-1" => TcpState::FinWait1,
        "FIN-WAIT-2" => TcpState::FinWait2,
        "TIME-WAIT" => TcpState::TimeWait,
        "UNCONN" => TcpState::Closed,
        "CLOSE-WAIT" => TcpState::CloseWait,
        "LAST-ACK" => TcpState::LastAck,
        "CLOSING" => TcpState::Closing,
        _ => return None,
    };
    let mut words = words.skip(2);
    let (local, interface) = ss_end(words.next()?)?;
    let (remote, _) = ss_end(words.next()?)?;
    let details: Vec<&str> = words.collect();
    let cookie = details.iter().find_map(|word| word.strip_prefix("sk:"))?;
    let cookie = u64::from_str_radix(cookie, 16).ok()?;
    Some(SsRow { state, local, remote, interface, cookie, details: details.join(" ") })
}

/// `127.0.0.1%lo:80`, `[fe80::1]%e0:80`, `*:80`, `0.0.0.0:*`.
fn ss_end(text: &str) -> Option<(SsEnd, Option<String>)> {
    let (address, port) = text.rsplit_once(':')?;
    let (address, interface) = match address.split_once('%') {
        Some((address, interface)) => (address, Some(interface.to_owned())),
        None => (address, None),
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = if address == "*" { None } else { Some(address.parse::<IpAddr>().ok()?.to_canonical()) };
    Some(((address, if port == "*" { 0 } else { port.parse().ok()? }), interface))
}

/// Our rows in `ss`'s terms: one for each socket.
pub(crate) fn as_ss(rows: &[TcpConnection]) -> Vec<SsRow> {
    let mut sockets: Vec<SsRow> = Vec::new();
    for row in rows {
        if let Some(twin) = sockets.iter_mut().find(|socket| socket.cookie == row.cookie.0) {
            assert_eq!(row.state, TcpState::Listen, "one socket has two rows: {row:#?}");
            assert_eq!(row.socket_family, Family::V6);
            (twin.local.0, twin.remote.0) = (None, None);
            continue;
        }
        sockets.push(SsRow {
            state: row.state,
            local: (Some(row.local.ip()), row.local.port()),
            remote: (Some(row.remote.ip()), row.remote.port()),
            interface: row.interface_index.map(|index| {
                let name = rustix::net::netdevice::index_to_name_inlined(
                    rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap(),
                    index.0,
                );
                name.unwrap().as_str().to_owned()
            }),
            cookie: row.cookie.0,
            details: String::new(),
        });
    }
    sockets
}

/// `ours` lists the sockets that `ss` with these words lists, in the same states.
pub(crate) fn assert_same_as_ss(words: &str, ours: impl Fn() -> Vec<TcpConnection>) -> Vec<TcpConnection> {
    let by_cookie = |mut rows: Vec<SsRow>| {
        rows.sort_by_key(|row| row.cookie);
        rows.iter().map(|row| SsRow { details: String::new(), ..row.clone() }).collect::<Vec<_>>()
    };
    loop {
        let rows = ours();
        let mut theirs = by_cookie(ss(words));
        if words.contains("[::") {
            // `ss` looks at sockets; an IPv4-mapped end is none of IPv6 in a table.
            theirs.retain(|row| row.local.0.is_none_or(|address| address.is_ipv6()));
        }
        // A state that changed by itself meanwhile is nobody's mistake.
        let mine = by_cookie(as_ss(&rows));
        if mine == by_cookie(as_ss(&ours())) {
            assert_eq!(mine, theirs, "ss {words}");
            return rows;
        }
    }
}

/// Packets that arrive in this namespace, some of which are thrown away.
pub(crate) struct Packets;

impl Packets {
    /// `None`, said aloud, where this kernel or machine has no nftables.
    pub(crate) fn new() -> Option<Self> {
        let table = try_run("nft add table inet test").and_then(|_| {
            try_run("nft add chain inet test in { type filter hook input priority 0 ; policy accept ; }")
        });
        match table {
            Ok(_) => Some(Self),
            Err(error) => {
                eprintln!("skipped what needs lost packets: nft: {error}");
                None
            }
        }
    }

    /// Throws away what goes from one of these ports to the other, beside what was asked for before.
    pub(crate) fn lose(&self, from: u16, to: u16) {
        let _ = run(&format!("nft add rule inet test in tcp sport {from} tcp dport {to} drop"));
    }

    /// Loses nothing any more.
    pub(crate) fn pass(&self) {
        let _ = run("nft flush chain inet test in");
    }
}

/// A connection in some state: which end is looked at, and what keeps it there.
pub(crate) struct Staged {
    pub(crate) name: &'static str,
    pub(crate) state: TcpState,
    pub(crate) local: SocketAddr,
    /// The end that is looked at, if a program holds it.
    pub(crate) end: Option<TcpStream>,
    pub(crate) peer: Option<TcpStream>,
    pub(crate) keep: Box<dyn Any + Send>,
}

impl Staged {
    fn of(name: &'static str, state: TcpState, end: TcpStream, peer: TcpStream) -> Self {
        let local = end.local_addr().unwrap();
        Self { name, state, local, end: Some(end), peer: Some(peer), keep: Box::new(()) }
    }

    fn orphaned(name: &'static str, state: TcpState, end: TcpStream, peer: TcpStream) -> Self {
        let local = end.local_addr().unwrap();
        drop(end);
        Self { name, state, local, end: None, peer: Some(peer), keep: Box::new(()) }
    }
}

/// A connection in each state that Linux has, over loopback of `address`'s family. Without `packets` those that need
/// lost ones are left out.
pub(crate) fn every_state(host: &Host, address: IpAddr, packets: Option<&Packets>) -> Vec<Staged> {
    let listen_on = SocketAddr::new(address, 0).to_string();
    let pair = || pair(&listen_on);
    let mut staged = Vec::new();

    let (client, server) = pair();
    staged.push(Staged::of("established", TcpState::Established, client, server));

    let (client, server) = pair();
    client.shutdown(Shutdown::Write).unwrap();
    staged.push(Staged::of("fin_wait_2", TcpState::FinWait2, client, server));

    let (client, server) = pair();
    staged.push(Staged::orphaned("fin_wait_2, orphan", TcpState::FinWait2, client, server));

    let (client, server) = pair();
    server.shutdown(Shutdown::Write).unwrap();
    staged.push(Staged::of("close_wait", TcpState::CloseWait, client, server));

    let (client, server) = pair();
    client.shutdown(Shutdown::Write).unwrap();
    drop(server);
    let local = client.local_addr().unwrap();
    drop(client);
    let keep = Box::new(());
    staged.push(Staged { name: "time_wait", state: TcpState::TimeWait, local, end: None, peer: None, keep });

    let listener = TcpListener::bind(&listen_on).unwrap();
    let local = listener.local_addr().unwrap();
    let keep = Box::new(listener);
    staged.push(Staged { name: "listen", state: TcpState::Listen, local, end: None, peer: None, keep });

    if let Some(packets) = packets {
        staged.extend(with_lost_packets(host, &listen_on, packets));
    }
    for staged in &staged {
        eventually(staged.name, || {
            rows(host).iter().any(|row| row.local == staged.local && row.state == staged.state)
        });
    }
    staged
}

fn with_lost_packets(host: &Host, listen_on: &str, packets: &Packets) -> Vec<Staged> {
    let pair = || pair(listen_on);
    let port = |stream: &TcpStream| stream.local_addr().unwrap().port();
    // The server hears nothing of the client any more.
    let deafen = |client: &TcpStream, server: &TcpStream| packets.lose(port(client), port(server));
    let mut staged = Vec::new();

    let (client, server) = pair();
    deafen(&client, &server);
    client.shutdown(Shutdown::Write).unwrap();
    staged.push(Staged::of("fin_wait_1", TcpState::FinWait1, client, server));

    let (client, server) = pair();
    deafen(&client, &server);
    staged.push(Staged::orphaned("fin_wait_1, orphan", TcpState::FinWait1, client, server));

    let (client, server) = pair();
    server.shutdown(Shutdown::Write).unwrap();
    deafen(&client, &server);
    staged.push(Staged::orphaned("last_ack", TcpState::LastAck, client, server));

    // Both close at once, each before it hears of the other's: the FIN of one side is lost, and so is every answer.
    let (client, server) = pair();
    deafen(&client, &server);
    client.shutdown(Shutdown::Write).unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    staged.push(Staged::of("closing", TcpState::Closing, client, server));

    let listener = TcpListener::bind(listen_on).unwrap();
    let address = listener.local_addr().unwrap();
    let client = connecting(address, |local| packets.lose(local.port(), address.port()));
    staged.push(Staged {
        name: "syn_sent",
        state: TcpState::SynSent,
        local: client.local_addr().unwrap(),
        end: Some(client),
        peer: None,
        keep: Box::new(listener),
    });

    let listener = TcpListener::bind(listen_on).unwrap();
    let address = listener.local_addr().unwrap();
    let client = connecting(address, |local| packets.lose(address.port(), local.port()));
    eventually("a connection request arrives", || {
        rows(host).iter().any(|row| row.local == address && row.state == TcpState::SynReceived)
    });
    staged.push(Staged {
        name: "syn_received",
        state: TcpState::SynReceived,
        local: address,
        end: None,
        peer: Some(client),
        keep: Box::new(listener),
    });
    staged
}

/// An address that a listener of both families has.
pub(crate) const ANY: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
