//! Extended statistics of TCP connections against `TCP_INFO` of the same sockets, their queues, and `ss`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use crate::tcp_support;
use crate::tcp_support::{Packets, connecting, every_state, pair};
use iphelper::tcp::estats::{EstatsValue, TcpEstats, TcpEstatsSwitch};
use iphelper::tcp::{TcpConnection, TcpState};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{NetNs, eventually, isolated, run, set_sysctl, tcp_info, tcp_queues, unprivileged};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const LISTEN_ON: [&str; 3] = ["127.0.0.1:0", "[::1]:0", "[::]:0"];

/// The connection of a socket.
fn connection(host: &Host, socket: &TcpStream) -> TcpConnection {
    host.tcp_connection(socket.local_addr().unwrap(), socket.peer_addr().unwrap()).unwrap()
}

fn estats(host: &Host, socket: &TcpStream) -> TcpEstats {
    host.tcp_estats(&connection(host, socket)).unwrap()
}

/// A field of `struct tcp_info`, by its place.
fn field(info: &[u8], at: usize) -> u64 {
    u32::from_ne_bytes(info[at..at + 4].try_into().unwrap()).into()
}

fn long_field(info: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(info[at..at + 8].try_into().unwrap())
}

/// `key:value` and `key value` words of `ss -ti` about the socket.
fn ss(socket: &TcpStream) -> (BTreeMap<String, String>, String) {
    let (local, remote) = (socket.local_addr().unwrap().port(), socket.peer_addr().unwrap().port());
    let text = run(&format!("ss -tionHO sport = {local} and dport = {remote}"));
    let mut map = BTreeMap::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    for (position, word) in words.iter().enumerate() {
        match word.split_once(':') {
            Some((key, value)) => drop(map.insert(key.to_owned(), value.to_owned())),
            // pacing_rate 12345bps
            None => {
                if let Some(value) = words.get(position + 1) {
                    let _ = map.insert((*word).to_owned(), (*value).to_owned());
                }
            }
        }
    }
    (map, text)
}

fn millis(text: &str) -> Duration {
    Duration::from_secs_f64(text.trim_end_matches("ms").parse::<f64>().unwrap() / 1000.0)
}

/// Bits each second, with a prefix that `ss` rounds to at times.
fn bits(text: &str) -> u64 {
    text.trim_end_matches("bps").parse().unwrap_or_else(|_| panic!("a rate: {text}"))
}

/// Waits until the connection is at rest, and gives its statistics and `TCP_INFO` of the same moment.
fn at_rest(host: &Host, socket: &TcpStream) -> (TcpEstats, Vec<u8>) {
    let mut both = None;
    eventually("the connection is at rest", || {
        let before = tcp_info(socket);
        let estats = estats(host, socket);
        let after = tcp_info(socket);
        // What counts on by itself: time since data and acknowledgements, the busy time while data waits.
        let same = |at: usize| (44..60).contains(&at) || (168..192).contains(&at) || before[at] == after[at];
        // Nor is an acknowledgement held back.
        if (0..before.len()).all(same) && field(&after, 24) == 0 {
            both = Some((estats, after));
        }
        both.is_some()
    });
    both.unwrap()
}

/// Sends nothing twice because an answer is late, as on a busy host.
fn without_haste() {
    set_sysctl("ipv4/tcp_early_retrans", "0");
    // Since Linux 6.11.
    let _ = std::fs::write("/proc/sys/net/ipv4/tcp_rto_min_us", "30000000");
}

fn talk(client: &mut TcpStream, server: &mut TcpStream) {
    let mut buffer = vec![0; 40_000];
    for _ in 0..5 {
        client.write_all(&buffer).unwrap();
        server.read_exact(&mut buffer).unwrap();
        server.write_all(&buffer[..1000]).unwrap();
        client.read_exact(&mut buffer[..1000]).unwrap();
    }
}

#[test]
fn every_member_is_the_kernels_own() {
    isolated(|| {
        without_haste();
        let host = Host::open().unwrap();
        for listen_on in LISTEN_ON {
            let (mut client, mut server) = pair(listen_on);
            talk(&mut client, &mut server);
            for socket in [&client, &server] {
                let (estats, info) = at_rest(&host, socket);
                check_info(&estats, &info);
            }
            let (estats, _) = at_rest(&host, &client);
            // Known traffic: 200,000 bytes there, 5,000 back. The SYN counts as one acknowledged.
            assert_eq!(
                (estats.data.data_bytes_out, estats.data.bytes_received),
                (Some(200_000), Some(5_000))
            );
            assert_eq!(estats.data.bytes_acknowledged, Some(200_001));
            let (other, _) = at_rest(&host, &server);
            assert_eq!(other.data.bytes_acknowledged, Some(5_000));
            assert_eq!((other.data.data_bytes_out, other.data.bytes_received), (Some(5_000), Some(200_000)));
            assert_eq!(other.receive.window_sent, estats.observed_receiver.window_received);
            assert_eq!(other.receive.window_scale_sent, estats.observed_receiver.window_scale_received);
            assert_eq!(other.data.segments_in, estats.data.segments_out, "nothing was lost");
        }
    });
}

fn check_info(estats: &TcpEstats, info: &[u8]) {
    let us = |at| Some(Duration::from_micros(field(info, at)));
    let ms = |at| Some(Duration::from_millis(field(info, at)));
    let (data, path) = (&estats.data, &estats.path);
    assert_eq!(data.data_bytes_out, Some(long_field(info, 200)));
    assert_eq!(
        (data.data_segments_out, data.data_segments_in),
        (Some(field(info, 156)), Some(field(info, 152)))
    );
    assert_eq!((data.segments_out, data.segments_in), (Some(field(info, 136)), Some(field(info, 140))));
    assert_eq!(
        (data.bytes_acknowledged, data.bytes_received),
        (Some(long_field(info, 120)), Some(long_field(info, 128)))
    );
    assert_eq!(estats.syn_options.mss_sent, Some(field(info, 84)));
    assert_eq!(estats.send_congestion.congestion_window, Some(field(info, 80) * field(info, 16)));
    let threshold = field(info, 76);
    let expected = if threshold == 0x7fff_ffff { u32::MAX.into() } else { threshold * field(info, 16) };
    assert_eq!(estats.send_congestion.slow_start_threshold, Some(expected));
    assert_eq!((path.smoothed_rtt, path.rtt_variation, path.min_rtt), (us(68), us(72), us(148)));
    assert_eq!((path.retransmit_timeout, path.mss), (us(8), Some(field(info, 16))));
    assert_eq!(
        (path.segments_retransmitted, path.bytes_retransmitted),
        (Some(field(info, 100)), Some(long_field(info, 208)))
    );
    assert_eq!(
        (path.retransmit_threshold, path.dsack_duplicates),
        (Some(field(info, 88)), Some(field(info, 216)))
    );
    assert_eq!(path.current_timeouts, Some(info[2].into()));
    let fine = &estats.fine_rtt;
    assert_eq!((fine.smoothed_rtt, fine.rtt_variation, fine.min_rtt), (us(68), us(72), us(148)));
    assert_eq!(estats.observed_receiver.window_received, Some(field(info, 228)));
    if info.len() >= 248 {
        assert_eq!(estats.receive.window_sent, Some(field(info, 232)));
        let half = |at: usize| u64::from(u16::from_ne_bytes(info[at..at + 2].try_into().unwrap()));
        assert_eq!(path.timeouts, Some(half(242)));
        assert_eq!(path.subsequent_timeouts, Some(half(240) - half(242)));
        assert_eq!(estats.kernel.timeout_recovery_time, ms(244));
    }
    assert_eq!(path.ce_received, (info.len() >= 252).then(|| field(info, 248)));
    assert_eq!(estats.receive.ce_received, path.ce_received);
    assert_eq!(estats.send_buffer.unsent_queue, Some(field(info, 144)));
    let kernel = &estats.kernel;
    assert_eq!(
        (kernel.pacing_rate, kernel.max_pacing_rate),
        (Some(long_field(info, 104)), Some(long_field(info, 112)))
    );
    assert_eq!(kernel.delivery_rate, Some(long_field(info, 160)).filter(|rate| *rate != 0));
    assert_eq!(kernel.segments_delivered, Some(field(info, 192)));
    assert_eq!((kernel.path_mtu, kernel.receive_mss), (Some(field(info, 60)), Some(field(info, 20))));
    assert_eq!(kernel.congestion_window_segments, Some(field(info, 80)));
    assert_eq!(
        (kernel.receive_space, kernel.receive_window_threshold),
        (Some(field(info, 96)), Some(field(info, 64)))
    );
}

#[test]
fn ss_shows_the_same() {
    isolated(|| {
        let host = Host::open().unwrap();
        for listen_on in &LISTEN_ON[..2] {
            let (mut client, mut server) = pair(listen_on);
            talk(&mut client, &mut server);
            // Until the server is at rest too, the client holds an acknowledgement back, and may send it before `ss` looks.
            let _ = at_rest(&host, &server);
            let (estats, _) = at_rest(&host, &client);
            let (ss, text) = ss(&client);
            let number = |key: &str| -> Option<u64> {
                Some(ss[key].parse().unwrap_or_else(|_| panic!("{key} in {text}")))
            };
            assert_eq!(estats.data.data_bytes_out, number("bytes_sent"), "{text}");
            assert_eq!(estats.data.bytes_acknowledged, number("bytes_acked"));
            assert_eq!(estats.data.bytes_received, number("bytes_received"));
            assert_eq!(estats.data.segments_out, number("segs_out"));
            assert_eq!(estats.data.segments_in, number("segs_in"));
            assert_eq!(estats.data.data_segments_out, number("data_segs_out"));
            assert_eq!(estats.data.data_segments_in, number("data_segs_in"));
            assert_eq!(estats.path.mss, number("mss"));
            assert_eq!(estats.syn_options.mss_sent, number("advmss"));
            assert_eq!(estats.kernel.congestion_window_segments, number("cwnd"));
            assert_eq!(estats.observed_receiver.window_received, number("snd_wnd"));
            assert_eq!(estats.kernel.path_mtu, number("pmtu"));
            let (smoothed, deviation) = ss["rtt"].split_once('/').unwrap();
            assert_eq!(estats.path.smoothed_rtt, Some(millis(smoothed)), "{text}");
            assert_eq!(estats.path.rtt_variation, Some(millis(deviation)), "{text}");
            assert_eq!(estats.path.min_rtt, Some(millis(&ss["minrtt"])), "{text}");
            assert_eq!(estats.path.retransmit_timeout, Some(millis(&ss["rto"])), "{text}");
            assert_eq!(
                estats.kernel.pacing_rate.map(|rate| rate * 8),
                Some(bits(&ss["pacing_rate"])),
                "{text}"
            );
            assert_eq!(estats.kernel.delivery_rate.map(|rate| rate * 8), Some(bits(&ss["delivery_rate"])));
            let scales = (
                estats.observed_receiver.window_scale_received.unwrap(),
                estats.receive.window_scale_sent.unwrap(),
            );
            assert_eq!(format!("{},{}", scales.0, scales.1), ss["wscale"]);
            let algorithm = estats.kernel.congestion_algorithm.clone().unwrap();
            let has = |wanted: &str| text.split_whitespace().any(|word| word == wanted);
            assert!(has(&algorithm), "{algorithm} in {text}");
            assert_eq!(estats.kernel.timestamps, Some(has("ts")), "{text}");
            assert_eq!(estats.kernel.selective_acknowledgements, Some(has("sack")));
            if let (Some(bandwidth), true) = (estats.kernel.bbr_bandwidth, algorithm == "bbr") {
                assert_eq!(estats.bandwidth.outbound, Some(bandwidth * 8));
                assert!(text.contains(&format!("bbr:(bw:{}bps", bandwidth * 8)), "{bandwidth} in {text}");
            }
        }
    });
}

#[test]
fn the_congestion_algorithm_decides_who_estimates() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (mut client, mut server) = pair("127.0.0.1:0");
        nix::sys::socket::setsockopt(&client, nix::sys::socket::sockopt::TcpCongestion, &"reno".into())
            .unwrap();
        talk(&mut client, &mut server);
        let (estats, info) = at_rest(&host, &client);
        assert_eq!(estats.kernel.congestion_algorithm.as_deref(), Some("reno"));
        assert_eq!((estats.kernel.bbr_bandwidth, estats.kernel.bbr_min_rtt), (None, None));
        let limited = info[7] & 1 == 1;
        assert_eq!(estats.kernel.delivery_rate_application_limited, Some(limited));
        let rate = long_field(&info, 160);
        assert_eq!(estats.bandwidth.outbound, (!limited).then_some(8 * rate));
        assert!(rate > 0);
    });
}

#[test]
fn lost_segments_are_counted_as_time_outs_and_retransmissions() {
    for listen_on in &LISTEN_ON[..2] {
        isolated(|| {
            let Some(packets) = Packets::new() else { return };
            let host = Host::open().unwrap();
            let (mut client, mut server) = pair(listen_on);
            let (before, _) = at_rest(&host, &client);
            assert_eq!(
                (before.path.segments_retransmitted, before.path.current_timeouts),
                (Some(0), Some(0))
            );
            packets.lose(client.local_addr().unwrap().port(), server.local_addr().unwrap().port());
            client.write_all(&[1; 700]).unwrap();
            eventually("three time-outs", || estats(&host, &client).path.current_timeouts >= Some(3));
            let lost = estats(&host, &client);
            if let (Some(first), Some(more)) = (lost.path.timeouts, lost.path.subsequent_timeouts) {
                assert_eq!(first, 1, "one recovery that goes on: {:#?}", lost.path);
                assert!(more >= 2, "{:#?}", lost.path);
            }
            assert_eq!(lost.send_buffer.retransmit_queue, Some(700));
            assert!(lost.path.retransmit_timeout > before.path.retransmit_timeout, "the time is doubled");
            assert_eq!(lost.kernel.congestion_state.map(|state| state.to_string()).as_deref(), Some("loss"));
            packets.pass();
            server.read_exact(&mut [0; 700]).unwrap();
            eventually("the acknowledgement comes", || {
                estats(&host, &client).path.current_timeouts == Some(0)
            });
            let (after, info) = at_rest(&host, &client);
            check_info(&after, &info);
            let again = after.path.segments_retransmitted.unwrap();
            assert!(again >= 3, "{:#?}", after.path);
            // Each carries the same 700 bytes.
            assert_eq!(after.path.bytes_retransmitted, Some(700 * again), "{:#?}", after.path);
            assert_eq!(after.data.data_bytes_out, Some(700 * (again + 1)));
            assert_eq!(after.data.bytes_acknowledged, Some(701));
            assert_eq!(after.send_buffer.retransmit_queue, Some(0));
            let (_, text) = ss(&client);
            assert!(text.contains(&format!("retrans:0/{again}")), "{again} in {text}");
        });
    }
}

#[test]
fn the_mark_of_congestion_is_counted() {
    isolated(|| {
        let Some(_packets) = Packets::new() else { return };
        without_haste();
        let host = Host::open().unwrap();
        for (listen_on, field) in [("127.0.0.1:0", "ip"), ("[::1]:0", "ip6")] {
            let (mut client, mut server) = pair(listen_on);
            let port = server.local_addr().unwrap().port();
            let (before, _) = at_rest(&host, &server);
            let Some(before) = before.path.ce_received else {
                eprintln!("skipped: this kernel does not count marks of congestion");
                return;
            };
            assert_eq!(before, 0);
            let _ = run("nft add table inet marks");
            let _ = run("nft add chain inet marks out { type filter hook output priority 0 ; }");
            let _ = run(&format!(
                "nft add rule inet marks out tcp dport {port} tcp flags & psh == psh {field} ecn set ce"
            ));
            for _ in 0..4 {
                client.write_all(&[1; 10]).unwrap();
                server.read_exact(&mut [0; 10]).unwrap();
            }
            let _ = run("nft delete table inet marks");
            let (after, info) = at_rest(&host, &server);
            assert_eq!(after.path.ce_received, Some(4));
            check_info(&after, &info);
        }
    });
}

#[test]
fn queues_are_those_that_the_program_sees() {
    isolated(|| {
        let host = Host::open().unwrap();
        for listen_on in &LISTEN_ON[..2] {
            let (mut client, server) = pair(listen_on);
            client.set_nonblocking(true).unwrap();
            let mut written = 0;
            while let Ok(len) = client.write(&[7; 100_000]) {
                written += u64::try_from(len).unwrap();
            }
            // The peer's window is full, and what is left waits.
            eventually("all that has room is there", || {
                let (sent, read) = (tcp_queues(&client), tcp_queues(&server));
                sent[1] == sent[2] && read[0] + sent[1] == written
            });
            let check = |socket: &TcpStream, said: [u64; 3]| {
                let estats = estats(&host, socket);
                let [unread, outstanding, unsent] = said;
                assert_eq!(estats.receive.unread_queue, Some(unread));
                assert_eq!(estats.send_buffer.unsent_queue, Some(unsent));
                assert_eq!(estats.send_buffer.retransmit_queue, Some(outstanding - unsent));
                estats
            };
            let queues = tcp_queues(&client);
            assert!(queues[2] > 0, "{queues:?}");
            eventually("it is seen that the window is too small", || {
                estats(&host, &client).send_congestion.receiver_limited_time > Some(Duration::from_millis(20))
            });
            let _ = check(&client, queues);
            let waiting = check(&server, tcp_queues(&server));
            let memory = waiting.kernel;
            assert!(memory.receive_buffer_used >= waiting.receive.unread_queue, "{memory:#?}");
            // On a busy host the last segments come late.
            eventually("ss says the same", || {
                let memory = estats(&host, &server).kernel;
                let line = run(&format!("ss -tnmHO sport = {}", server.local_addr().unwrap().port()));
                let (used, room) = (memory.receive_buffer_used.unwrap(), memory.receive_buffer.unwrap());
                line.contains(&format!("r{used},rb{room}"))
            });
            // A FIN at the end is no data.
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(connection(&host, &client).state, TcpState::FinWait1);
            let _ = check(&client, queues);
            // Nor is the peer's.
            server.shutdown(Shutdown::Write).unwrap();
            eventually("the other FIN comes", || connection(&host, &client).state == TcpState::Closing);
            let _ = check(&client, queues);
            let _ = check(&server, tcp_queues(&server));
        }
        let (client, mut server) = pair("127.0.0.1:0");
        server.write_all(b"twelve bytes").unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        eventually("the FIN comes", || connection(&host, &client).state == TcpState::CloseWait);
        assert_eq!(estats(&host, &client).receive.unread_queue, Some(12), "without the FIN");
        assert_eq!(tcp_queues(&client)[0], 12);
    });
}

#[test]
fn a_connection_that_begins_is_an_active_one() {
    isolated(|| {
        let Some(packets) = Packets::new() else { return };
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = connecting(address, |local| packets.lose(local.port(), address.port()));
        let row = host.tcp_connection(client.local_addr().unwrap(), address).unwrap();
        assert_eq!(row.state, TcpState::SynSent);
        let estats = host.tcp_estats(&row).unwrap();
        assert_eq!(estats.syn_options.active_open, Some(true));
        assert_eq!(estats.send_buffer.retransmit_queue, Some(0), "a SYN is no data");
        assert_eq!((estats.path.smoothed_rtt, estats.path.min_rtt), (None, None), "no sample");
        assert_eq!(estats.receive.window_scale_sent, None);
        eventually("the SYN is sent again", || {
            host.tcp_estats(&row).unwrap().path.segments_retransmitted >= Some(1)
        });
    });
}

#[test]
fn what_has_no_statistics_says_so_in_every_state() {
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        isolated(|| {
            let host = Host::open().unwrap();
            let staged = every_state(&host, address, Packets::new().as_ref());
            for staged in &staged {
                let row = tcp_support::row(&host, staged.local, staged.state);
                // Of FIN_WAIT_2 without a program the kernel keeps a small socket alone.
                let small =
                    matches!(staged.state, TcpState::TimeWait | TcpState::SynReceived | TcpState::Listen)
                        || staged.name == "fin_wait_2, orphan";
                match host.tcp_estats(&row) {
                    Ok(estats) => {
                        assert!(!small, "{}: {estats:#?}", staged.name);
                        assert!(estats.data.segments_out.is_some());
                    }
                    Err(error) => {
                        assert!(small, "{}: {error}", staged.name);
                        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                    }
                }
            }
        });
    }
}

#[test]
fn the_very_connection_is_read_and_no_later_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let from: SocketAddr = "127.0.0.1:40001".parse().unwrap();
        let connect = || {
            let socket =
                rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
                    .unwrap();
            rustix::net::sockopt::set_socket_reuseaddr(&socket, true).unwrap();
            rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
            rustix::net::bind(&socket, &from).unwrap();
            rustix::net::connect(&socket, &address).unwrap();
            (TcpStream::from(socket), listener.accept().unwrap().0)
        };
        let first = connect();
        let row = host.tcp_connection(from, address).unwrap();
        assert!(host.tcp_estats(&row).is_ok());
        drop(first);
        eventually("it is gone", || host.tcp_connection(from, address).is_err());
        let _second = connect();
        let later = host.tcp_connection(from, address).unwrap();
        assert_ne!(later.cookie, row.cookie);
        for error in [
            host.tcp_estats(&row).unwrap_err(),
            host.tcp_estats_collection(&row).unwrap_err(),
            host.set_tcp_estats_collection(&row, &[]).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        let mut nobody = later.clone();
        nobody.cookie.0 = 0;
        assert_eq!(host.tcp_estats(&nobody).unwrap_err().kind(), ErrorKind::InvalidParameter);
        nobody.cookie.0 = u64::MAX;
        assert_eq!(host.tcp_estats(&nobody).unwrap_err().kind(), ErrorKind::InvalidParameter);
        let two_families = host.tcp_connection(from, "[::1]:1".parse().unwrap()).unwrap_err();
        assert_eq!(two_families.kind(), ErrorKind::InvalidParameter);
    });
}

#[test]
fn twins_on_two_interfaces_are_told_apart() {
    let (here, there) = (NetNs::new(), NetNs::new());
    for (name, peer) in [("a0", "a1"), ("b0", "b1")] {
        here.veth(name, &there, peer);
        let _ = here.sh(&format!("ip addr add fe80::1/64 dev {name} nodad"));
        let _ = there.sh(&format!("ip addr add fe80::2/64 dev {peer} nodad"));
    }
    let index = |name: &str| {
        here.sh(&format!("ip -o link show {name}")).split(':').next().unwrap().parse::<u32>().unwrap()
    };
    let listener = there.run(|| TcpListener::bind("[::]:700").unwrap());
    here.run(|| {
        let host = Host::open().unwrap();
        let ends = |scope| {
            let end = |address: &str, port| {
                SocketAddr::V6(std::net::SocketAddrV6::new(address.parse().unwrap(), port, 0, scope))
            };
            (end("fe80::1", 40_000), end("fe80::2", 700))
        };
        let sockets: Vec<_> = [("a0", 100), ("b0", 300)]
            .map(|(name, len)| {
                let (local, remote) = ends(index(name));
                let socket = rustix::net::socket(
                    rustix::net::AddressFamily::INET6,
                    rustix::net::SocketType::STREAM,
                    None,
                )
                .unwrap();
                nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::BindToDevice, &name.into())
                    .unwrap();
                rustix::net::bind(&socket, &local).unwrap();
                rustix::net::connect(&socket, &remote).unwrap();
                let mut socket = TcpStream::from(socket);
                socket.write_all(&vec![1; len]).unwrap();
                (local, remote, len, socket, listener.accept().unwrap())
            })
            .into();
        for (local, remote, len, ..) in &sockets {
            let row = host.tcp_connection(*local, *remote).unwrap();
            let sent = host.tcp_estats(&row).unwrap().data.data_bytes_out;
            assert!(sent >= Some(u64::try_from(*len).unwrap()), "{sent:?}");
            assert_eq!(sent.unwrap() % u64::try_from(*len).unwrap(), 0, "its own, sent again perhaps");
        }
        let (local, remote) = ends(0);
        let error = host.tcp_connection(local, remote).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    });
}

#[test]
fn switches_are_kept_for_each_connection() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (client, server) = pair("127.0.0.1:0");
        let (row, other) = (connection(&host, &client), connection(&host, &server));
        let path = [(TcpEstatsSwitch::Path, true), (TcpEstatsSwitch::InboundBandwidth, true)];
        assert_eq!(host.tcp_estats_collection(&row).unwrap(), Default::default(), "off at first");
        assert_eq!(host.plan_set_tcp_estats_collection(&row, &path).unwrap().len(), 2);
        assert_eq!(host.tcp_estats_collection(&row).unwrap(), Default::default(), "a plan changes nothing");
        let error = unprivileged(|| host.set_tcp_estats_collection(&row, &path).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        let changes = host.set_tcp_estats_collection(&row, &path).unwrap();
        assert_eq!((changes[0].property, changes[0].to.as_str()), ("path", "on"));
        assert_eq!(changes[1].property, "inbound_bandwidth");
        let another = Host::open().unwrap();
        let now = another.tcp_estats_collection(&row).unwrap();
        assert!(now.is_on(TcpEstatsSwitch::Path) && now.is_on(TcpEstatsSwitch::InboundBandwidth));
        assert!(!now.is_on(TcpEstatsSwitch::OutboundBandwidth) && !now.is_on(TcpEstatsSwitch::Data));
        assert_eq!(
            host.tcp_estats_collection(&other).unwrap(),
            Default::default(),
            "the other end has its own"
        );
        assert_eq!(host.set_tcp_estats_collection(&row, &path).unwrap(), [], "no change");
        let off = host.set_tcp_estats_collection(&row, &[(TcpEstatsSwitch::Path, false)]).unwrap();
        assert_eq!((off[0].from.as_str(), off[0].to.as_str()), ("on", "off"));
        assert!(unprivileged(|| !host.tcp_estats_collection(&row).unwrap().is_on(TcpEstatsSwitch::Path)));
        // What is read does not depend on it.
        assert_eq!(host.tcp_estats(&row).unwrap().data.data_bytes_out, Some(0));
        assert!(iphelper_testkit::forked(|| {
            Host::open().unwrap().tcp_estats_collection(&row).unwrap() == Default::default()
        }));
    });
}

#[test]
fn members_are_listed_by_class() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (client, _server) = pair("127.0.0.1:0");
        let members = estats(&host, &client).members();
        let value = |class, name| {
            members.iter().find(|member| (member.class, member.name) == (class, name)).unwrap().value
        };
        assert_eq!(value("path", "segments_retransmitted"), Some(EstatsValue::Number(0)));
        assert_eq!(value("path", "sample_rtt"), None);
        assert_eq!(value("kernel", "timestamps"), Some(EstatsValue::Flag(true)));
        let classes = [
            "syn_options",
            "data",
            "send_congestion",
            "path",
            "send_buffer",
            "receive",
            "observed_receiver",
            "bandwidth",
            "fine_rtt",
        ];
        let documented = members.iter().filter(|member| classes.contains(&member.class)).count();
        // 117 members, less nine classes' switches, less four that are always 0.
        assert_eq!(documented, 117 - 9 - 4);
    });
}
