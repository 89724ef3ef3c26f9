//! Echo requests over ping sockets, or raw ones where the user may have no other.

mod message;

use super::LinuxHost;
use super::namespace::system;
use super::socket::echo::{self, QueuedError, Received};
use super::socket::filter::leave_out_answers_but;
use crate::backend;
use crate::error::{Error, ErrorKind, Result};
use crate::icmp::{EchoOptions, EchoReply, EchoStatus, Sent};
use crate::types::Family;
#[cfg(fuzzing)]
pub(crate) use message::fuzz as fuzz_message;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

const OPENING: &str = "opening a socket for echo requests";
const SENDING: &str = "sending an echo request";
const RECEIVING: &str = "receiving answers to echo requests";

/// So many requests are remembered.
const MOST_PENDING: usize = 1024;
/// The longest packet.
const BUFFER: usize = 65_536;
/// One call looks at so many messages that are none of its own, lest a flood of them keeps it for ever.
const PATIENCE: usize = 10_000;

impl backend::Icmp for LinuxHost {
    fn open_echo(&self, family: Family, options: &EchoOptions) -> Result<Box<dyn backend::EchoChannel>> {
        let interface = match options.interface {
            Some(key) => Some(self.link(key, OPENING)?.index.0),
            None => None,
        };
        // A socket belongs to the namespace in which it was made for life.
        let (socket, raw) = self.namespace.run(|| open(family))??;
        echo::configure(socket.as_fd(), family, options, interface).map_err(|errno| {
            let error = system(OPENING, errno);
            match errno {
                Errno::ADDRNOTAVAIL => error.because("the source is no address of this host"),
                Errno::NODEV if options.source.is_some() => {
                    error.with_kind(ErrorKind::NotFound).because("the source is no address of this host")
                }
                Errno::INVAL if options.source.is_some_and(|source| source.is_ipv6()) => {
                    error.because("a link-local source needs its zone, and IPv4 options must be well formed")
                }
                Errno::INVAL | Errno::PERM if !options.ip_options.is_empty() => {
                    error.because("the kernel takes no such IPv4 options from this user")
                }
                _ => error,
            }
        })?;
        let identifier = identifier();
        if raw {
            leave_out_answers_but(socket.as_fd(), family, identifier);
        }
        Ok(Box::new(Channel {
            socket,
            raw,
            family,
            identifier,
            sequence: 0,
            pending: VecDeque::new(),
            buffer: vec![0; BUFFER],
            waiting: VecDeque::new(),
        }))
    }
}

impl LinuxHost {
    /// Whether echo requests go out by a raw socket.
    pub(super) fn echo_needs_raw_socket(&self, family: Family) -> Result<bool> {
        Ok(self.namespace.run(|| open(family))??.1)
    }
}

/// What answers to a raw socket's requests are told by. The next one at each call, so that no two sockets of this process
/// have the same; from a random place on, so that two processes hardly ever have.
fn identifier() -> u16 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // A forked child has a number of its own, and so another place.
    let first = (STATE.hash_one(std::process::id()) & 0xFFFF) as u16;
    first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A socket, and whether it is a raw one.
fn open(family: Family) -> Result<(OwnedFd, bool)> {
    let refusal = match echo::open(family, false) {
        Ok(socket) => return Ok((socket, false)),
        Err(errno) => errno,
    };
    // No group of the user's may have ping sockets, or the kernel was built without them.
    if !matches!(refusal, Errno::ACCESS | Errno::PERM | Errno::PROTONOSUPPORT) {
        return Err(system(OPENING, refusal));
    }
    match echo::open(family, true) {
        Ok(socket) => Ok((socket, true)),
        Err(errno @ (Errno::PERM | Errno::ACCESS)) => Err(Error::new(ErrorKind::AccessDenied, OPENING)
            .because(
                "needs a group of this user in net.ipv4.ping_group_range (sysctl -w \
                 net.ipv4.ping_group_range=\"0 2147483647\" allows everybody), or CAP_NET_RAW",
            )
            .with_errno(errno.raw_os_error())),
        Err(errno) => Err(system(OPENING, errno)),
    }
}

/// A request that may be answered.
#[derive(Clone, Copy, Debug)]
struct Pending {
    sequence: u16,
    destination: IpAddr,
    /// When it left: by the clock of the kernel's time stamps, and by one that nobody sets.
    time: Option<Duration>,
    at: Instant,
    len: usize,
}

#[derive(Debug)]
struct Channel {
    socket: OwnedFd,
    raw: bool,
    family: Family,
    identifier: u16,
    sequence: u16,
    /// The newest at the end.
    pending: VecDeque<Pending>,
    buffer: Vec<u8>,
    /// What was taken from the error queue before somebody asked for it.
    waiting: VecDeque<EchoReply>,
}

impl backend::EchoChannel for Channel {
    fn send(&mut self, destination: IpAddr, scope_id: u32, data: &[u8]) -> Result<Sent> {
        if Family::of(&destination) != self.family {
            return Err(Error::new(ErrorKind::InvalidParameter, SENDING)
                .because(format!("{destination} is no {} address, as this socket needs", self.family)));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        if matches!(destination, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            // A ping socket refuses it; a raw one would send it into the network, where no such address is.
            let reply = EchoReply::of_nobody(sequence, EchoStatus::BadDestination, Duration::ZERO);
            return Ok(Sent { sequence, refused: Some(reply) });
        }
        let message = message::request(self.family, self.identifier, sequence, data);
        let at = Instant::now();
        let time = now();
        let sent = echo::send(self.socket.as_fd(), destination, scope_id, &message);
        if let Err(errno) = sent {
            let status = refusal(errno).ok_or_else(|| system(SENDING, errno))?;
            let mut reply = EchoReply::of_nobody(sequence, status, Duration::ZERO);
            if status == EchoStatus::PacketTooBig {
                reply.mtu = self.local_limit();
            }
            return Ok(Sent { sequence, refused: Some(reply) });
        }
        if self.pending.len() == MOST_PENDING {
            let _ = self.pending.pop_front();
        }
        self.pending.push_back(Pending { sequence, destination, time, at, len: data.len() });
        Ok(Sent { sequence, refused: None })
    }

    fn try_next(&mut self) -> Result<Option<EchoReply>> {
        if let Some(reply) = self.waiting.pop_front() {
            return Ok(Some(reply));
        }
        for _ in 0..PATIENCE {
            match self.receive(false) {
                Ok(Some(reply)) => return Ok(Some(reply)),
                Ok(None) | Err(Errno::INTR) => continue,
                // Raw sockets get errors as messages.
                Err(Errno::AGAIN) if self.raw => return Ok(None),
                // What is said of a request waits in the error queue; here it is told once, whatever it was.
                Err(_) => {}
            }
            match self.receive(true) {
                Ok(Some(reply)) => return Ok(Some(reply)),
                Ok(None) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    // Both are empty, unless something came in between.
                    match self.receive(false) {
                        Ok(Some(reply)) => return Ok(Some(reply)),
                        Err(Errno::AGAIN) => return Ok(None),
                        _ => {}
                    }
                }
                Err(errno) => return Err(system(RECEIVING, errno)),
            }
        }
        Ok(None)
    }

    fn wait(&self, end: Instant) -> Result<bool> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // A time that is longer than the kernel can count is long enough.
            let left = Timespec::try_from(left).ok();
            let mut descriptors = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut descriptors, left.as_ref()) {
                Ok(count) => return Ok(count > 0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(system(RECEIVING, errno)),
            }
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Channel {
    /// The next message, from the socket or its error queue; `None` if it is no answer to a request of this socket.
    fn receive(&mut self, from_error_queue: bool) -> Result<Option<EchoReply>, Errno> {
        let mut received = echo::receive(self.socket.as_fd(), &mut self.buffer, from_error_queue)?;
        let now = Instant::now();
        let bytes = self.buffer.get(..received.len).unwrap_or_default();
        if from_error_queue {
            let Some(error) = received.error else { return Ok(None) };
            return Ok(self.of_error(&error, bytes, &received, now));
        }
        let bytes = if self.raw && self.family == Family::V4 {
            let Some((header, message)) = message::ipv4(bytes) else { return Ok(None) };
            received.tos = header.get(1).copied();
            received.ttl = header.get(8).copied();
            received.ip_options = header.get(20..).unwrap_or_default().to_vec();
            message
        } else {
            bytes
        };
        let Some(message) = message::read(self.family, bytes) else { return Ok(None) };
        let Some(pending) = self.find(message.sequence) else { return Ok(None) };
        if self.raw {
            let is_ours = message.identifier == self.identifier
                && message.destination.is_none_or(|destination| destination == pending.destination)
                && (message.status != EchoStatus::Success || message.data.len() == pending.len);
            if !is_ours {
                return Ok(None);
            }
        }
        Ok(Some(reply(pending, message.status, received.from, message.data, message.mtu, &received, now)))
    }

    /// An error of the queue quotes the request from its ICMP header on.
    fn of_error(
        &self,
        error: &QueuedError,
        bytes: &[u8],
        received: &Received,
        now: Instant,
    ) -> Option<EchoReply> {
        let status = match error.origin {
            libc::SO_EE_ORIGIN_ICMP => EchoStatus::of_icmp(error.kind, error.code)?,
            libc::SO_EE_ORIGIN_ICMP6 => EchoStatus::of_icmpv6(error.kind, error.code)?,
            // What did not leave was told when it was sent.
            _ => return None,
        };
        let [_, _, _, _, _, _, high, low] = *bytes.first_chunk::<{ message::HEADER }>()?;
        let pending = self.find(u16::from_be_bytes([high, low]))?;
        let mtu = (status == EchoStatus::PacketTooBig && error.info != 0).then_some(error.info);
        Some(reply(pending, status, error.offender, &[], mtu, received, now))
    }

    fn find(&self, sequence: u16) -> Option<&Pending> {
        self.pending.iter().rev().find(|pending| pending.sequence == sequence)
    }

    /// How large a packet may be that this host refused, which it tells in the error queue alone. What others said of
    /// earlier requests is kept.
    fn local_limit(&mut self) -> Option<u32> {
        let mut limit = None;
        while let Ok(received) = echo::receive(self.socket.as_fd(), &mut self.buffer, true) {
            let now = Instant::now();
            let bytes = self.buffer.get(..received.len).unwrap_or_default();
            match received.error {
                Some(error) if error.origin == libc::SO_EE_ORIGIN_LOCAL => {
                    limit = Some(error.info).filter(|info| *info != 0);
                }
                Some(error) => {
                    let reply = self.of_error(&error, bytes, &received, now);
                    self.waiting.extend(reply);
                }
                None => {}
            }
        }
        limit
    }
}

#[allow(clippy::too_many_arguments, reason = "what an answer is made of")]
fn reply(
    pending: &Pending,
    status: EchoStatus,
    from: Option<(IpAddr, u32)>,
    data: &[u8],
    mtu: Option<u32>,
    received: &Received,
    now: Instant,
) -> EchoReply {
    let waited = now.saturating_duration_since(pending.at);
    // The kernel's time is when it had the answer, not when this thread came to look. A clock that was set meanwhile shows
    // in a time that cannot be.
    let measured = received
        .time
        .zip(pending.time)
        .and_then(|(received, sent)| received.checked_sub(sent))
        .filter(|measured| *measured <= waited);
    EchoReply {
        sequence: pending.sequence,
        status,
        address: from.map(|(address, _)| address),
        scope_id: from.map_or(0, |(_, scope_id)| scope_id),
        round_trip_time: measured.unwrap_or(waited),
        data: data.to_vec(),
        ttl: received.ttl,
        tos: received.tos,
        ip_options: received.ip_options.clone(),
        mtu,
    }
}

/// The clock of the kernel's time stamps.
fn now() -> Option<Duration> {
    Duration::try_from(clock_gettime(ClockId::Realtime)).ok()
}

/// Why a request did not leave this host; `None` where that says nothing about the request.
fn refusal(errno: Errno) -> Option<EchoStatus> {
    Some(match errno {
        Errno::MSGSIZE => EchoStatus::PacketTooBig,
        Errno::NETUNREACH | Errno::NETDOWN => EchoStatus::DestinationNetUnreachable,
        Errno::HOSTUNREACH => EchoStatus::DestinationHostUnreachable,
        // A route of the kind "prohibit".
        Errno::ACCESS => EchoStatus::DestinationProhibited,
        // A packet filter; a route of the kind "blackhole".
        Errno::PERM | Errno::INVAL => EchoStatus::GeneralFailure,
        Errno::NOBUFS | Errno::AGAIN | Errno::NOMEM => EchoStatus::NoResources,
        Errno::ADDRNOTAVAIL => EchoStatus::BadDestination,
        _ => return None,
    })
}
