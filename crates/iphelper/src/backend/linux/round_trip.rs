//! Probes with a hop limit, and what comes back.

use super::LinuxHost;
use super::namespace::{Namespace, system};
use crate::backend;
use crate::error::{Error, ErrorKind, Result};
use crate::round_trip::{RoundTrip, RoundTripOptions};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

const OPERATION: &str = "measuring the way to a host";
/// The first of the ports that `traceroute` uses, since hardly anybody listens there.
const FIRST_PORT: u16 = 33_434;
const PORTS: u16 = 200;

/// What a probe is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Echo,
    Udp,
}

/// What came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reply {
    /// The destination answered.
    Arrived(Duration),
    /// A router says that the probe's hops were used up.
    Expired,
    /// A router says that the destination cannot be reached.
    Unreachable(i32),
    Silence,
}

impl backend::RoundTrip for LinuxHost {
    fn round_trip(&self, destination: IpAddr, options: &RoundTripOptions) -> Result<RoundTrip> {
        let most = options.max_hops;
        if most == 0 || options.attempts == 0 {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because("a probe needs one hop at least, and one attempt"));
        }
        let mut prober = Prober { namespace: &self.namespace, destination, options, probes: 0 };
        let (kind, time) = prober.reach(most)?;
        // Somewhere between a number of hops that is too small and one that suffices.
        let (mut too_few, mut enough) = (0, most);
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            match prober.probe(kind, middle)? {
                Reply::Arrived(_) => enough = middle,
                // A router that keeps silent is one all the same.
                Reply::Expired | Reply::Silence | Reply::Unreachable(_) => too_few = middle,
            }
        }
        Ok(RoundTrip { time, hops: enough })
    }
}

struct Prober<'a> {
    namespace: &'a Namespace,
    destination: IpAddr,
    options: &'a RoundTripOptions,
    probes: u16,
}

impl Prober<'_> {
    /// By what the destination can be reached at all, and how long it takes.
    fn reach(&mut self, hops: u8) -> Result<(Kind, Duration)> {
        let mut last = Reply::Silence;
        for kind in [Kind::Echo, Kind::Udp] {
            match self.probe(kind, hops) {
                Ok(Reply::Arrived(time)) => return Ok((kind, time)),
                Ok(Reply::Silence) => {}
                Ok(reply) => last = reply,
                // This user may send no echo requests.
                Err(error) if kind == Kind::Echo && error.kind() == ErrorKind::AccessDenied => {}
                Err(error) => return Err(error),
            }
        }
        let destination = self.destination;
        Err(match last {
            Reply::Expired => Error::new(ErrorKind::HostUnreachable, OPERATION)
                .because(format!("{destination} is farther away than {hops} hops")),
            Reply::Unreachable(errno) => Error::new(ErrorKind::HostUnreachable, OPERATION)
                .because(format!("a router says that {destination} cannot be reached"))
                .with_errno(errno),
            _ => Error::new(ErrorKind::TimedOut, OPERATION).because(format!(
                "{destination} answers neither echo requests nor UDP to ports that nobody has"
            )),
        })
    }

    fn probe(&mut self, kind: Kind, hops: u8) -> Result<Reply> {
        for _ in 0..self.options.attempts {
            match self.attempt(kind, hops)? {
                Reply::Silence => {}
                reply => return Ok(reply),
            }
        }
        Ok(Reply::Silence)
    }

    fn attempt(&mut self, kind: Kind, hops: u8) -> Result<Reply> {
        let port = FIRST_PORT + self.probes % PORTS;
        self.probes = self.probes.wrapping_add(1);
        let socket = self.namespace.run(|| open(kind, self.destination, hops))?.map_err(refused)?;
        let to = SocketAddr::new(self.destination, if kind == Kind::Udp { port } else { 0 });
        let begun = Instant::now();
        match rustix::net::connect(&socket, &to).and_then(|()| send(&socket, kind, self.destination, port)) {
            Ok(()) => {}
            // An answer to an earlier probe cannot be here yet; this host itself has none to give.
            Err(errno) => return Err(refused(errno)),
        }
        let deadline = begun + self.options.patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            let mut descriptors = [PollFd::new(&socket, PollFlags::IN | PollFlags::ERR)];
            match poll(&mut descriptors, Some(&left)) {
                Ok(0) => return Ok(Reply::Silence),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(system(OPERATION, errno)),
            }
            if let Some(reply) = self.read(&socket, begun.elapsed())? {
                return Ok(reply);
            }
        }
    }

    /// What came back; `None` if it was nothing of interest.
    fn read(&self, socket: &OwnedFd, elapsed: Duration) -> Result<Option<Reply>> {
        let mut answer = [0; 64];
        // An error waits in the queue, and may have been told here already.
        if rustix::net::recv(socket, &mut answer[..], RecvFlags::DONTWAIT).is_ok() {
            // The socket is connected: it is the destination's.
            return Ok(Some(Reply::Arrived(elapsed)));
        }
        let mut bytes = [0; 512];
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let mut control = nix::cmsg_space!([u8; 256]);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let received = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags);
        let Ok(received) = received else { return Ok(None) };
        let messages = received.cmsgs().into_iter().flatten();
        let errors = messages.filter_map(|message| match message {
            ControlMessageOwned::Ipv4RecvErr(error, offender) => {
                let offender = offender.map(|it| IpAddr::from(it.sin_addr.s_addr.to_ne_bytes()));
                Some((error, offender))
            }
            ControlMessageOwned::Ipv6RecvErr(error, offender) => {
                Some((error, offender.map(|it| IpAddr::from(it.sin6_addr.s6_addr))))
            }
            _ => None,
        });
        Ok(errors.filter_map(|(error, offender)| self.reply(&error, offender, elapsed)).next())
    }

    fn reply(
        &self,
        error: &libc::sock_extended_err,
        offender: Option<IpAddr>,
        elapsed: Duration,
    ) -> Option<Reply> {
        // RFC 792 and RFC 4443.
        let expired = match error.ee_origin {
            libc::SO_EE_ORIGIN_ICMP => 11,
            libc::SO_EE_ORIGIN_ICMP6 => 3,
            // This host itself: the packet did not leave.
            libc::SO_EE_ORIGIN_LOCAL => return Some(Reply::Unreachable(error.ee_errno.cast_signed())),
            _ => return None,
        };
        Some(match offender {
            // Whatever the destination complains of, it is there.
            Some(offender) if offender == self.destination => Reply::Arrived(elapsed),
            _ if error.ee_type == expired => Reply::Expired,
            _ => Reply::Unreachable(error.ee_errno.cast_signed()),
        })
    }
}

fn open(kind: Kind, destination: IpAddr, hops: u8) -> Result<OwnedFd, Errno> {
    let (family, icmp) = match destination {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let protocol = (kind == Kind::Echo).then_some(icmp);
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)?;
    let set = |done: nix::Result<()>| done.map_err(|errno| Errno::from_raw_os_error(errno as i32));
    match destination {
        IpAddr::V4(_) => {
            rustix::net::sockopt::set_ip_ttl(&socket, hops.into())?;
            set(setsockopt(&socket, sockopt::Ipv4RecvErr, &true))?;
        }
        IpAddr::V6(_) => {
            rustix::net::sockopt::set_ipv6_unicast_hops(&socket, Some(hops))?;
            set(setsockopt(&socket, sockopt::Ipv6RecvErr, &true))?;
        }
    }
    Ok(socket)
}

fn send(socket: &OwnedFd, kind: Kind, destination: IpAddr, number: u16) -> Result<(), Errno> {
    let [high, low] = number.to_be_bytes();
    let echo = |kind| vec![kind, 0, 0, 0, 0, 0, high, low];
    let message = match (kind, destination) {
        // Echo request; the kernel writes identifier and checksum.
        (Kind::Echo, IpAddr::V4(_)) => echo(8),
        (Kind::Echo, IpAddr::V6(_)) => echo(128),
        (Kind::Udp, _) => b"how far is it?".to_vec(),
    };
    retry_on_intr(|| rustix::net::send(socket, &message, SendFlags::empty())).map(|_| ())
}

fn refused(errno: Errno) -> Error {
    let error = system(OPERATION, errno);
    match errno {
        Errno::NETUNREACH | Errno::NETDOWN => {
            error.with_kind(ErrorKind::NetworkUnreachable).because("no route leads there")
        }
        Errno::HOSTUNREACH => error.with_kind(ErrorKind::HostUnreachable),
        Errno::INVAL => error.with_kind(ErrorKind::HostUnreachable).because("no packet can be sent there"),
        _ => error,
    }
}
