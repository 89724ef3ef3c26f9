//! A host with two uplinks, each to a router of its own, and a server behind both.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::Family;
use iphelper_testkit::{NetNs, PATIENCE, bound, eventually, ping};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) struct Uplinks {
    family: Family,
    pub(crate) host: NetNs,
    routers: [NetNs; 2],
    server: Arc<NetNs>,
}

impl Uplinks {
    /// Default routes by both, e0's with metric 100, e1's with 200.
    pub(crate) fn new(family: Family) -> Self {
        let uplinks = Self {
            family,
            host: NetNs::new(),
            routers: [NetNs::new(), NetNs::new()],
            server: Arc::new(NetNs::new()),
        };
        let is_v4 = family == Family::V4;
        let (len, alone) = if is_v4 { (24, 32) } else { (64, 128) };
        let at = |net: usize, host: usize| {
            if is_v4 { format!("10.0.{net}.{host}") } else { format!("fd00:{net}::{host}") }
        };
        let nodad = if is_v4 { "" } else { "nodad" };
        let Self { host, routers, server, .. } = &uplinks;
        let _ = server.sh(&format!("ip addr add {}/{alone} dev lo {nodad}", uplinks.server_address()));
        // Until a link-local address is known to be unique, a router asks for no neighbour with it.
        for namespace in [host, &routers[0], &routers[1], server.as_ref()] {
            let _ = namespace.sh("sysctl -qw net.ipv6.conf.default.accept_dad=0");
        }
        for (way, router) in routers.iter().enumerate() {
            host.veth(&format!("e{way}"), router, "near");
            server.veth(&format!("s{way}"), router, "far");
            let (near, far) = (way, way + 2);
            let add = |namespace: &NetNs, address: String, interface: &str| {
                let _ = namespace.sh(&format!("ip addr add {address}/{len} dev {interface} {nodad}"));
            };
            add(host, at(near, 1), &format!("e{way}"));
            add(router, at(near, 2), "near");
            add(router, at(far, 2), "far");
            add(server, at(far, 1), &format!("s{way}"));
            for file in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
                let _ = router.sh(&format!("sysctl -qw {file}"));
            }
            let server_address = uplinks.server_address();
            let metric = 100 * (way + 1);
            let _ = host.sh(&format!("ip route add default via {} metric {metric}", at(near, 2)));
            let _ = router.sh(&format!("ip route add {server_address} via {}", at(far, 1)));
            let back = if is_v4 { format!("10.0.{near}.0/24") } else { format!("fd00:{near}::/64") };
            let _ = server.sh(&format!("ip route add {back} via {}", at(far, 2)));
        }
        host.addresses_settle(&["e0", "e1"]);
        server.addresses_settle(&["lo", "s0", "s1"]);
        // Neighbours are found before anything is counted.
        for (way, router) in routers.iter().enumerate() {
            router.addresses_settle(&["near", "far"]);
            host.run(|| ping(&at(way, 2)));
            router.run(|| ping(&uplinks.server_address().to_string()));
        }
        uplinks
    }

    fn server_address(&self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::from([192, 0, 2, 1]),
            Family::V6 => "2001:db8::1".parse().unwrap(),
        }
    }

    /// How many packets each router has forwarded to the server or back.
    pub(crate) fn forwarded(&self) -> [u64; 2] {
        let count = |router: &NetNs| -> u64 {
            match self.family {
                Family::V4 => {
                    let text = router.sh("cat /proc/net/snmp");
                    let mut lines = text.lines().filter(|line| line.starts_with("Ip:"));
                    let names = lines.next().unwrap().split_whitespace();
                    let mut named = names.zip(lines.next().unwrap().split_whitespace());
                    named.find(|(name, _)| *name == "ForwDatagrams").unwrap().1.parse().unwrap()
                }
                Family::V6 => {
                    let text = router.sh("cat /proc/net/snmp6");
                    let line = text.lines().find(|line| line.starts_with("Ip6OutForwDatagrams")).unwrap();
                    line.split_whitespace().nth(1).unwrap().parse().unwrap()
                }
            }
        };
        [count(&self.routers[0]), count(&self.routers[1])]
    }

    /// Sends packets that nobody answers; how many of them went by each router.
    pub(crate) fn way_of(&self, packets: u64) -> [u64; 2] {
        let before = self.forwarded();
        let to = SocketAddr::new(self.server_address(), 9);
        // A receiver that says nothing, so that no refusal comes back.
        let _silent = self.server.run(|| bound(|| UdpSocket::bind(to)));
        self.host.run(|| {
            let socket = self.socket();
            for _ in 0..packets {
                assert_eq!(socket.send_to(b"which way", to).unwrap(), 9);
            }
        });
        let mut ways = [0, 0];
        eventually("all have gone some way", || {
            let after = self.forwarded();
            ways = [after[0] - before[0], after[1] - before[1]];
            ways.iter().sum::<u64>() >= packets
        });
        ways
    }

    fn socket(&self) -> UdpSocket {
        let any = if self.family == Family::V4 { "0.0.0.0:0" } else { "[::]:0" };
        UdpSocket::bind(any).unwrap()
    }

    /// Opens a connection to the server, which repeats what it is told.
    pub(crate) fn connect(&self) -> Connection {
        let at = SocketAddr::new(self.server_address(), 7);
        let listener = self.server.run(|| bound(|| TcpListener::bind(at)));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 64];
            while let Ok(len @ 1..) = stream.read(&mut bytes) {
                stream.write_all(&bytes[..len]).unwrap();
            }
        });
        let stream = self.host.run(|| TcpStream::connect(at).unwrap());
        let connection = Connection { stream, server: Some(server) };
        connection.talk();
        connection
    }
}

/// A TCP connection to the server.
pub(crate) struct Connection {
    stream: TcpStream,
    server: Option<JoinHandle<()>>,
}

impl Connection {
    /// Says something and hears it again, a hundred times.
    pub(crate) fn talk(&self) {
        let mut stream = &self.stream;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for _ in 0..100 {
            stream.write_all(b"still there?").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"still there?");
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let _ = self.server.take().map(JoinHandle::join);
    }
}

/// A packet every 2 ms to the server, which sends each back.
pub(crate) struct Echo {
    sent: Arc<AtomicU32>,
    ended: Arc<AtomicBool>,
    sender: JoinHandle<()>,
    server: JoinHandle<()>,
    near: UdpSocket,
}

impl Echo {
    pub(crate) fn start(uplinks: &Uplinks) -> Self {
        let at = SocketAddr::new(uplinks.server_address(), 5000);
        let far = uplinks.server.run(|| bound(|| UdpSocket::bind(at)));
        let near = uplinks.host.run(|| uplinks.socket());
        for socket in [&far, &near] {
            // However late a busy host comes to read, what was sent meanwhile has room.
            rustix::net::sockopt::set_socket_recv_buffer_size_force(socket, 64 << 20).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        }
        let (sent, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let server = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                let mut bytes = [0; 16];
                loop {
                    match far.recv_from(&mut bytes) {
                        Ok((len, from)) => assert_eq!(far.send_to(&bytes[..len], from).unwrap(), len),
                        Err(_) if ended.load(Ordering::Relaxed) => break,
                        Err(_) => {}
                    }
                }
            }
        });
        let sender = std::thread::spawn({
            let (sent, ended, near) = (Arc::clone(&sent), Arc::clone(&ended), near.try_clone().unwrap());
            move || {
                for number in 0_u32.. {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    assert_eq!(near.send_to(&number.to_ne_bytes(), at).unwrap(), 4);
                    sent.store(number + 1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        });
        Self { sent, ended, sender, server, near }
    }

    /// Waits until so many more packets have been sent.
    pub(crate) fn wait_for_more(&mut self, packets: u32) {
        let target = self.sent.load(Ordering::Relaxed) + packets;
        while self.sent.load(Ordering::Relaxed) < target {
            assert!(!self.sender.is_finished(), "the sender has failed");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends no more. How many packets were answered in the end, and how many sent.
    pub(crate) fn finish(self) -> [u32; 2] {
        self.ended.store(true, Ordering::Relaxed);
        self.sender.join().unwrap();
        let sent = self.sent.load(Ordering::Relaxed);
        let mut missing: BTreeSet<u32> = (0..sent).collect();
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = [0; 16];
        while !missing.is_empty() && Instant::now() < deadline {
            if let Ok((4, _)) = self.near.recv_from(&mut bytes) {
                let _ = missing.remove(&u32::from_ne_bytes(bytes[..4].try_into().unwrap()));
            }
        }
        self.server.join().unwrap();
        [sent - u32::try_from(missing.len()).unwrap(), sent]
    }
}
