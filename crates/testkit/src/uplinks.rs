//! A host with two uplinks, and packets that tell by which of them they went.
#![allow(clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use crate::NetNs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// A host, two routers and a server behind both, for IPv4 and IPv6.
///
/// ```text
///            e0 10.0.1.2  +---------+
///         +---------------| router0 |------+ 10.1.1.0/24
/// +------+  2001:db8:1::2 +---------+      |   +--------+
/// | host |                                 +---| server | 203.0.113.1, 2001:db8:ffff::1
/// +------+   e1 10.0.2.2  +---------+      |   +--------+
///         +---------------| router1 |------+ 10.1.2.0/24
///           2001:db8:2::2 +---------+
/// ```
///
/// The host's default routes have metric 100 over e0 and 200 over e1. Routers answer ARP requests for any address, as
/// careless ones do, and count what comes to them for the server's networks.
#[derive(Debug)]
pub struct Uplinks {
    /// The host under test: e0 has index 2, e1 index 3.
    pub host: NetNs,
    /// The two routers; each has `near` towards the host and `far` towards the server.
    pub routers: [NetNs; 2],
    /// The server: `r0` and `r1` lead to the routers.
    pub server: NetNs,
}

/// By which way a packet went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// By the first uplink.
    E0,
    /// By the second uplink.
    E1,
    /// The kernel refused it: the errno.
    Refused(i32),
}

/// What a socket is bound to before it sends.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// Nothing.
    Free,
    /// A device (`SO_BINDTODEVICE`).
    Device(&'a str),
    /// A device for sending (`IP_UNICAST_IF`, `IPV6_UNICAST_IF`), by index.
    UnicastInterface(u32),
    /// An address of the host.
    Address(IpAddr),
    /// A mark (`SO_MARK`).
    Mark(u32),
}

impl Uplinks {
    /// The server's address.
    #[must_use]
    pub fn server_address(ipv6: bool) -> IpAddr {
        address(if ipv6 { "2001:db8:ffff::1" } else { "203.0.113.1" })
    }

    /// The host's address on an uplink.
    #[must_use]
    pub fn address(uplink: usize, ipv6: bool) -> IpAddr {
        address(match (uplink, ipv6) {
            (0, false) => "10.0.1.2",
            (0, true) => "2001:db8:1::2",
            (_, false) => "10.0.2.2",
            (_, true) => "2001:db8:2::2",
        })
    }

    /// A router's address on the host's side.
    #[must_use]
    pub fn router_address(uplink: usize, ipv6: bool) -> IpAddr {
        address(match (uplink, ipv6) {
            (0, false) => "10.0.1.1",
            (0, true) => "2001:db8:1::1",
            (_, false) => "10.0.2.1",
            (_, true) => "2001:db8:2::1",
        })
    }

    /// Builds it all.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "makes kernel objects")]
    pub fn new() -> Self {
        let (host, server) = (NetNs::new(), NetNs::new());
        let routers = [NetNs::new(), NetNs::new()];
        // Addresses are there at once, so that routes stand still.
        for namespace in [&host, &server, &routers[0], &routers[1]] {
            namespace.run(|| {
                crate::set_sysctl("ipv6/conf/all/accept_dad", "0");
                crate::set_sysctl("ipv6/conf/default/accept_dad", "0");
            });
        }
        for (n, router) in routers.iter().enumerate() {
            host.veth(&format!("e{n}"), router, "near");
            router.veth("far", &server, &format!("r{n}"));
        }
        let uplinks = Self { host, routers, server };
        for n in 0..2 {
            uplinks.connect(n);
        }
        uplinks.server.run(|| {
            let _ = crate::run("ip address add 203.0.113.1/32 dev lo");
            let _ = crate::run("ip address add 2001:db8:ffff::1/128 dev lo nodad");
        });
        uplinks.host.run(|| {
            for n in 0..2 {
                let metric = 100 * (n + 1);
                let _ = crate::run(&format!("ip route add default via 10.0.{}.1 metric {metric}", n + 1));
                let _ = crate::run(&format!(
                    "ip -6 route add default via 2001:db8:{}::1 dev e{n} metric {metric}",
                    n + 1
                ));
            }
        });
        uplinks.settle();
        uplinks
    }

    fn connect(&self, n: usize) {
        let net = n + 1;
        let router = &self.routers[n];
        self.host.run(|| {
            let _ = crate::run(&format!("ip address add 10.0.{net}.2/24 dev e{n}"));
            let _ = crate::run(&format!("ip address add 2001:db8:{net}::2/64 dev e{n} nodad"));
        });
        router.run(|| {
            crate::set_sysctl("ipv4/ip_forward", "1");
            crate::set_sysctl("ipv6/conf/all/forwarding", "1");
            crate::set_sysctl("ipv4/conf/near/proxy_arp", "1");
            let _ = crate::run(&format!("ip address add 10.0.{net}.1/24 dev near"));
            let _ = crate::run(&format!("ip address add 10.1.{net}.1/24 dev far"));
            let _ = crate::run(&format!("ip address add 2001:db8:{net}::1/64 dev near nodad"));
            let _ = crate::run(&format!("ip address add 2001:db8:10{net}::1/64 dev far nodad"));
            let _ = crate::run(&format!("ip route add 203.0.113.0/24 via 10.1.{net}.2"));
            let _ = crate::run(&format!("ip -6 route add 2001:db8:ffff::/48 via 2001:db8:10{net}::2"));
            // Before any decision of the router: what came from the host, even if it was not meant to.
            let _ = crate::run("nft add table inet witness");
            let _ = crate::run("nft add counter inet witness ipv4");
            let _ = crate::run("nft add counter inet witness ipv6");
            let _ =
                crate::run("nft add chain inet witness seen { type filter hook prerouting priority -300 ; }");
            let _ = crate::run(
                "nft add rule inet witness seen iifname near ip daddr 203.0.113.0/24 counter name ipv4",
            );
            let _ = crate::run(
                "nft add rule inet witness seen iifname near ip6 daddr 2001:db8:ffff::/48 counter name ipv6",
            );
        });
        self.server.run(|| {
            let _ = crate::run(&format!("ip address add 10.1.{net}.2/24 dev r{n}"));
            let _ = crate::run(&format!("ip address add 2001:db8:10{net}::2/64 dev r{n} nodad"));
            let _ = crate::run(&format!("ip route add 10.0.{net}.0/24 via 10.1.{net}.1"));
            let _ = crate::run(&format!("ip -6 route add 2001:db8:{net}::/64 via 2001:db8:10{net}::1"));
        });
    }

    /// Waits until the links are up for IPv6 and each way works.
    fn settle(&self) {
        self.host.addresses_settle(&["e0", "e1"]);
        self.server.addresses_settle(&["lo", "r0", "r1"]);
        for router in &self.routers {
            router.addresses_settle(&["near", "far"]);
        }
        for n in 0..2 {
            for ipv6 in [false, true] {
                let router = Self::router_address(n, ipv6);
                self.host.run(|| crate::ping(&router.to_string()));
            }
        }
    }

    /// How many packets for the server's networks came to each router so far.
    #[must_use]
    pub fn counts(&self, ipv6: bool) -> [u64; 2] {
        let name = if ipv6 { "ipv6" } else { "ipv4" };
        [0, 1].map(|n: usize| {
            let text = self.routers[n].sh(&format!("nft list counter inet witness {name}"));
            let words: Vec<&str> = text.split_whitespace().collect();
            let position = words.iter().position(|word| *word == "packets").expect("a counter");
            words[position + 1].parse().expect("a number")
        })
    }

    /// By which way one packet for the server goes that `send` sends from the host.
    pub fn way(&self, ipv6: bool, send: impl FnOnce() -> io::Result<()> + Send) -> Way {
        let before = self.counts(ipv6);
        let sent = self.host.run(send);
        if let Err(error) = sent {
            assert_eq!(self.counts(ipv6), before, "refused ({error}), and yet seen by a router");
            return Way::Refused(error.raw_os_error().unwrap_or_default());
        }
        let mut after = before;
        crate::eventually("a router sees the packet", || {
            after = self.counts(ipv6);
            after != before
        });
        match [after[0] > before[0], after[1] > before[1]] {
            [true, false] => Way::E0,
            [false, true] => Way::E1,
            _ => panic!("one packet went both ways"),
        }
    }

    /// By which way a UDP datagram of an unconnected socket goes to the server.
    pub fn udp(&self, ipv6: bool, bound: Bound<'_>) -> Way {
        self.way(ipv6, || {
            let socket = udp_socket(ipv6, bound)?;
            socket.send_to(b"?", SocketAddr::new(Self::server_address(ipv6), 9)).map(drop)
        })
    }

    /// By which way a new TCP connection to the server goes. There must be a [`tcp_server`](Self::tcp_server).
    pub fn tcp(&self, ipv6: bool, bound: Bound<'_>) -> Way {
        self.way(ipv6, || connect(ipv6, bound).map(drop))
    }

    /// An established connection to the server.
    #[must_use]
    pub fn connection(&self, ipv6: bool) -> TcpStream {
        self.host.run(|| connect(ipv6, Bound::Free)).expect("connecting to the server")
    }

    /// Starts a server that accepts connections on port 7 of all addresses and sends back what it gets, until this
    /// value is dropped.
    #[must_use]
    pub fn tcp_server(&self) -> TcpServer {
        let listener = self.server.run(|| crate::bound(|| TcpListener::bind("[::]:7")));
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        listener.set_nonblocking(true).expect("a socket option");
        let thread = std::thread::spawn(move || {
            let mut connections: Vec<TcpStream> = Vec::new();
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                if let Ok((connection, _)) = listener.accept() {
                    connection.set_nonblocking(true).expect("a socket option");
                    connections.push(connection);
                }
                for connection in &connections {
                    let mut bytes = [0; 1500];
                    let mut connection = connection;
                    if let Ok(len) = io::Read::read(&mut connection, &mut bytes) {
                        let _ = io::Write::write_all(&mut connection, &bytes[..len]);
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        TcpServer { stop, thread: Some(thread) }
    }
}

/// A server of [`Uplinks::tcp_server`].
#[derive(Debug)]
pub struct TcpServer {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for TcpServer {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A UDP socket of the calling thread's namespace, bound so.
pub fn udp_socket(ipv6: bool, bound: Bound<'_>) -> io::Result<UdpSocket> {
    let socket = crate::sockets::udp(ipv6)?;
    bind(&socket, ipv6, bound)?;
    Ok(UdpSocket::from(socket))
}

fn connect(ipv6: bool, bound: Bound<'_>) -> io::Result<TcpStream> {
    loop {
        let socket = crate::sockets::tcp(ipv6)?;
        bind(&socket, ipv6, bound)?;
        match crate::sockets::connect(&socket, SocketAddr::new(Uplinks::server_address(ipv6), 7)) {
            // A signal to the process; the attempt cannot be resumed.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map(|()| TcpStream::from(socket)),
        }
    }
}

fn bind(socket: &OwnedFd, ipv6: bool, bound: Bound<'_>) -> io::Result<()> {
    match bound {
        Bound::Free => Ok(()),
        Bound::Device(name) => crate::sockets::bind_to_device(socket.as_raw_fd(), name),
        Bound::UnicastInterface(index) => {
            crate::sockets::set_unicast_interface(socket.as_raw_fd(), ipv6, index)
        }
        Bound::Address(address) => crate::sockets::bind(socket, SocketAddr::new(address, 0)),
        Bound::Mark(mark) => crate::sockets::set_mark(socket.as_raw_fd(), mark),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
