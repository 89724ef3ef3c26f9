//! Two ways to a server: a router on each, which counts what it forwards.

use super::super::namespace::Computer;
use super::super::rtnetlink::{Route, Socket};
use super::super::{failed, kernel};
use crate::exit::Failure;
use rustix::io::Errno;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The uplinks, the better one first.
pub(super) const UPLINKS: [&str; 2] = ["fiber0", "mobile0"];
/// The server's addresses; both are reserved for documentation (RFC 5737, RFC 3849).
pub(super) const SERVER: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1)),
];
const PORT: u16 = 9;
/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is behind the uplinks.
#[derive(Debug)]
pub(super) struct Network {
    routers: [Computer; 2],
    /// Sockets of the server, which get what is sent and answer nothing.
    listeners: [UdpSocket; 2],
    _server: Computer,
}

/// Packets counted since the network was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) routers: [u64; 2],
    pub(super) server: u64,
}

impl Network {
    pub(super) fn build() -> Result<Self, Failure> {
        let error = |errno: Errno| failed("making two uplinks", errno);
        let (routers, server) = ([Computer::new()?, Computer::new()?], Computer::new()?);
        let here = Socket::open().map_err(error)?;
        for ((uplink, router), name) in (0..).zip(&routers).zip(UPLINKS) {
            here.make_cable(name, router.as_fd(), "lan").map_err(error)?;
            let to_server = || Socket::open()?.make_cable("wan", server.as_fd(), name);
            router.run(to_server)?.map_err(error)?;
            router.run(|| fs::write("/proc/sys/net/ipv4/ip_forward", "1"))??;
            router.run(|| fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1"))??;
            configure(&here, name, near(uplink, 2)).map_err(error)?;
            router
                .run(|| {
                    let socket = Socket::open()?;
                    configure(&socket, "lan", near(uplink, 1))?;
                    configure(&socket, "wan", far(uplink, 1))?;
                    route(&socket, "wan", SERVER.map(|address| (address, whole(address))), far(uplink, 2), 0)
                })?
                .map_err(error)?;
            server
                .run(|| {
                    let socket = Socket::open()?;
                    configure(&socket, name, far(uplink, 2))?;
                    // Where packets of the uplink's addresses come from, for servers that look (rp_filter).
                    let back = near(uplink, 0).map(|address| (address, prefix_len(address)));
                    route(&socket, name, back, far(uplink, 1), 0)
                })?
                .map_err(error)?;
            add_default(uplink, 100 * (u32::from(uplink) + 1)).map_err(error)?;
        }
        let listeners = server.run(|| {
            let socket = Socket::open()?;
            socket.switch_on("lo")?;
            for address in SERVER {
                socket.add_address("lo", address, whole(address))?;
            }
            Ok(())
        })?;
        listeners.map_err(error)?;
        let listen =
            |address| server.run(|| UdpSocket::bind(SocketAddr::new(address, PORT)))?.map_err(Failure::from);
        let [v4, v6] = SERVER;
        let listeners = [listen(v4)?, listen(v6)?];
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        Ok(Self { routers, listeners, _server: server })
    }

    /// Sends by each uplink until the server gets it: from then on every neighbour is known, and nothing is on its way.
    pub(super) fn wait(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        for name in UPLINKS {
            for address in SERVER {
                let socket = super::socket(address, Some(name))?;
                let listener = self.listener(address);
                // Packets of one socket come in their order. What is late is given more time before the next one goes.
                for number in 0_u32.. {
                    // Refused while an interface is not up yet.
                    let sent = socket.send_to(&number.to_ne_bytes(), server(address)).is_ok();
                    let pause = Duration::from_millis(2) * number.saturating_add(1);
                    if sent && arrives(listener, number, pause) {
                        break;
                    }
                    if Instant::now() >= deadline {
                        return Err(failed(&format!("sending by {name} to {address}"), "nothing arrives"));
                    }
                    if !sent {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
            }
        }
        Ok(())
    }

    /// What came so far; what came to the server counts from the last call.
    pub(super) fn counts(&self) -> Result<Counts, Failure> {
        let read = |router: &Computer| {
            router
                .run(kernel::forwarded)?
                .ok_or_else(|| failed("reading a router's counters", "there are none"))
        };
        let [first, second] = &self.routers;
        let mut got = 0;
        for listener in &self.listeners {
            while listener.recv(&mut [0; 16]).is_ok() {
                got += 1;
            }
        }
        Ok(Counts { routers: [read(first)?, read(second)?], server: got })
    }

    /// What `send` makes of the counters; it tells how many packets were accepted, which are waited for.
    pub(super) fn count(&self, send: impl FnOnce() -> Result<u64, Failure>) -> Result<Counts, Failure> {
        let before = self.counts()?;
        let sent = send()?;
        let deadline = Instant::now() + PATIENCE;
        let mut server = 0;
        loop {
            let now = self.counts()?;
            server += now.server;
            let [first, second] = [0, 1].map(|n: usize| {
                let count = |counts: &Counts| counts.routers.get(n).copied().unwrap_or_default();
                count(&now).saturating_sub(count(&before))
            });
            if server >= sent || Instant::now() >= deadline {
                return Ok(Counts { routers: [first, second], server });
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn listener(&self, address: IpAddr) -> &UdpSocket {
        let [v4, v6] = &self.listeners;
        if address.is_ipv4() { v4 } else { v6 }
    }
}

/// Whether the packet with this number comes within `time`.
fn arrives(listener: &UdpSocket, number: u32, time: Duration) -> bool {
    let end = Instant::now() + time;
    let mut packet = [0; 4];
    loop {
        match listener.recv(&mut packet) {
            Ok(_) if u32::from_ne_bytes(packet) == number => return true,
            Ok(_) => {}
            Err(_) if Instant::now() >= end => return false,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Where the server listens.
pub(super) const fn server(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, PORT)
}

/// Adds default routes over an uplink, of both families.
pub(super) fn add_default(uplink: u8, metric: u32) -> Result<(), Errno> {
    let socket = Socket::open()?;
    let name = UPLINKS.get(usize::from(uplink)).copied().unwrap_or_default();
    let everywhere = [(Ipv4Addr::UNSPECIFIED.into(), 0), (Ipv6Addr::UNSPECIFIED.into(), 0)];
    route(&socket, name, everywhere, near(uplink, 1), metric)
}

/// An address between this computer and a router.
pub(super) fn near(uplink: u8, host: u8) -> [IpAddr; 2] {
    addresses(0, uplink, host)
}

/// An address between a router and the server.
fn far(uplink: u8, host: u8) -> [IpAddr; 2] {
    addresses(1, uplink, host)
}

fn addresses(side: u8, uplink: u8, host: u8) -> [IpAddr; 2] {
    let net = u16::from(side) << 8 | u16::from(uplink + 1);
    [
        Ipv4Addr::new(10, side, uplink + 1, host).into(),
        Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, u16::from(host)).into(),
    ]
}

fn configure(socket: &Socket, name: &str, addresses: [IpAddr; 2]) -> Result<(), Errno> {
    // A router asks for no neighbour while its link-local address may still turn out to be another's.
    let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{name}/accept_dad"), "0");
    for address in addresses {
        socket.add_address(name, address, prefix_len(address))?;
    }
    socket.switch_on(name)
}

fn route(
    socket: &Socket,
    name: &str,
    destinations: [(IpAddr, u8); 2],
    gateways: [IpAddr; 2],
    metric: u32,
) -> Result<(), Errno> {
    for (destination, gateway) in destinations.into_iter().zip(gateways) {
        socket.add_route(name, Route { destination, gateway, metric })?;
    }
    Ok(())
}

const fn prefix_len(address: IpAddr) -> u8 {
    if address.is_ipv4() { 24 } else { 64 }
}

const fn whole(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
