//! Packets as witnesses: what really goes over a link.

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, eth};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Takes a copy of each Ethernet frame of the namespace in which it was started, in and out.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
}

/// One Ethernet frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When it was taken from the socket.
    pub at: Instant,
    bytes: Vec<u8>,
}

/// An ICMPv6 message.
#[derive(Clone, Debug)]
pub struct Icmpv6 {
    /// Where it comes from.
    pub source: Ipv6Addr,
    /// Where it goes.
    pub destination: Ipv6Addr,
    /// Its type, such as [`Icmpv6::NEIGHBOR_SOLICITATION`].
    pub kind: u8,
    /// The target of a solicitation or advertisement of neighbours; else `::`.
    pub target: Ipv6Addr,
    /// Its hop limit.
    pub hop_limit: u8,
    /// The message, from its type on.
    pub message: Vec<u8>,
}

impl Icmpv6 {
    /// Type 133.
    pub const ROUTER_SOLICITATION: u8 = 133;
    /// Type 134.
    pub const ROUTER_ADVERTISEMENT: u8 = 134;
    /// Type 135.
    pub const NEIGHBOR_SOLICITATION: u8 = 135;
}

/// An ARP request for an IPv4 address.
#[derive(Clone, Copy, Debug)]
pub struct ArpRequest {
    /// Whether it went to everybody; to one host it is a probe of a known neighbour.
    pub broadcast: bool,
    /// Whose question it is; `0.0.0.0` in a probe (RFC 5227).
    pub sender: Ipv4Addr,
    /// The address that is asked for.
    pub target: Ipv4Addr,
}

/// A UDP datagram, or the first fragment of one.
#[derive(Clone, Copy, Debug)]
pub struct Udp {
    /// Where it comes from.
    pub source: IpAddr,
    /// Where it goes.
    pub destination: IpAddr,
    /// Its destination port.
    pub port: u16,
}

impl Capture {
    /// Starts in this thread's namespace.
    #[must_use]
    pub fn start() -> Self {
        let protocol = Some(eth::ALL);
        let socket = rustix::net::socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            protocol,
        );
        Self { socket: socket.expect("opening a packet socket") }
    }

    /// The frames since the last call.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut buffer = vec![0; 70_000];
        loop {
            match rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((len, _)) => {
                    frames.push(Frame {
                        at: Instant::now(),
                        bytes: buffer.get(..len).unwrap_or_default().to_vec(),
                    });
                }
                Err(Errno::AGAIN) => return frames,
                Err(errno) => panic!("receiving from a packet socket: {errno}"),
            }
        }
    }

    /// What `read` makes of the frames until `time` is over.
    pub fn during<T>(&self, time: Duration, mut read: impl FnMut(&Frame) -> Option<T>) -> Vec<T> {
        let end = Instant::now() + time;
        let mut found = Vec::new();
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            found.extend(self.frames().iter().filter_map(&mut read));
        }
        found
    }

    /// The first `count` things that `read` makes of the frames; waits for them, for [`PATIENCE`](crate::PATIENCE) at
    /// most.
    pub fn wait_for<T>(&self, what: &str, count: usize, mut read: impl FnMut(&Frame) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        super::eventually(what, || {
            found.extend(self.frames().iter().filter_map(&mut read));
            found.len() >= count
        });
        found.truncate(count);
        found
    }
}

impl Frame {
    /// The physical address that the frame is for.
    #[must_use]
    pub fn physical_destination(&self) -> Option<[u8; 6]> {
        self.bytes.first_chunk().copied()
    }

    /// The frame as an ICMPv6 message.
    #[must_use]
    pub fn icmpv6(&self) -> Option<Icmpv6> {
        const ICMPV6: u8 = 58;
        let (header, payload) = self.ipv6()?;
        if *header.get(6)? != ICMPV6 {
            return None;
        }
        let kind = *payload.first()?;
        let target = address(payload, 8).unwrap_or(Ipv6Addr::UNSPECIFIED);
        Some(Icmpv6 {
            source: address(header, 8)?,
            destination: address(header, 24)?,
            kind,
            target,
            hop_limit: *header.get(7)?,
            message: payload.to_vec(),
        })
    }

    /// The frame as an ARP request.
    #[must_use]
    pub fn arp_request(&self) -> Option<ArpRequest> {
        const REQUEST: [u8; 2] = [0, 1];
        let arp = self.payload(0x0806)?;
        if arp.get(6..8)? != REQUEST {
            return None;
        }
        let address = |at: usize| Some(Ipv4Addr::from(*arp.get(at..)?.first_chunk::<4>()?));
        let broadcast = self.bytes.first()? & 1 == 1;
        Some(ArpRequest { broadcast, sender: address(14)?, target: address(24)? })
    }

    /// The frame as a UDP datagram.
    #[must_use]
    pub fn udp(&self) -> Option<Udp> {
        const UDP: u8 = 17;
        let (source, destination, payload) = if let Some((header, payload)) = self.ipv6() {
            (header.get(6) == Some(&UDP)).then_some(())?;
            (IpAddr::from(address(header, 8)?), IpAddr::from(address(header, 24)?), payload)
        } else {
            let ip = self.payload(0x0800)?;
            (ip.get(9) == Some(&UDP)).then_some(())?;
            let of = |at: usize| Some(IpAddr::from(*ip.get(at..)?.first_chunk::<4>()?));
            (of(12)?, of(16)?, ip.get(usize::from(ip.first()? & 0xf) * 4..)?)
        };
        let port = u16::from_be_bytes(*payload.get(2..)?.first_chunk()?);
        Some(Udp { source, destination, port })
    }

    fn ipv6(&self) -> Option<(&[u8], &[u8])> {
        self.payload(0x86dd)?.split_at_checked(40)
    }

    fn payload(&self, ethertype: u16) -> Option<&[u8]> {
        let (header, payload) = self.bytes.split_first_chunk::<14>()?;
        header.ends_with(&ethertype.to_be_bytes()).then_some(payload)
    }
}

/// Sends one UDP datagram whose IP packet has `len` octets and must not be cut into fragments.
///
/// - Errors: `EMSGSIZE` where the packet is larger than this host's MTU towards `to`
pub fn send_unfragmented(to: SocketAddr, len: usize) -> io::Result<()> {
    let (any, headers, level, option, value) = match to {
        SocketAddr::V4(_) => ("0.0.0.0:0", 28, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO),
        SocketAddr::V6(_) => {
            ("[::]:0", 48, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO)
        }
    };
    let socket = UdpSocket::bind(any)?;
    let size = libc::socklen_t::try_from(size_of_val(&value)).expect("the size of an int");
    // SAFETY: the socket is open, and the value is a live int of this size.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(&value).cast(), size)
    };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    socket.send_to(&vec![0; len - headers], to).map(|_| ())
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?))
}
