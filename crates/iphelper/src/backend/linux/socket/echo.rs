//! Sockets for echo requests: ping sockets, which ordinary users may have, and raw ones.

use super::icmpv6::set;
use crate::icmp::EchoOptions;
use crate::types::Family;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// `linux/icmp.h`: a bit for each type that a raw socket does not get.
const ICMP_FILTER: libc::c_int = 1;
/// `linux/icmpv6.h`, the same in 256 bits.
const ICMPV6_FILTER: libc::c_int = 1;
/// `IPV6_DONTFRAG`, `linux/in6.h`.
const IPV6_DONTFRAG: libc::c_int = 62;

/// Opens a socket in the calling thread's network namespace. A raw one gets echo replies and errors alone.
pub(in crate::backend::linux) fn open(family: Family, raw: bool) -> Result<OwnedFd, Errno> {
    let kind = if raw { SocketType::RAW } else { SocketType::DGRAM };
    let (domain, protocol) = match family {
        Family::V4 => (AddressFamily::INET, ipproto::ICMP),
        Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(domain, kind, flags, Some(protocol))?;
    let fd = socket.as_fd();
    set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1_i32)?;
    match family {
        Family::V4 => {
            set(fd, libc::IPPROTO_IP, libc::IP_RECVTTL, &1_i32)?;
            set(fd, libc::IPPROTO_IP, libc::IP_RECVTOS, &1_i32)?;
            set(fd, libc::IPPROTO_IP, libc::IP_RECVOPTS, &1_i32)?;
        }
        Family::V6 => {
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, &1_i32)?;
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, &1_i32)?;
        }
    }
    match (family, raw) {
        (Family::V4, false) => set(fd, libc::IPPROTO_IP, libc::IP_RECVERR, &1_i32)?,
        (Family::V6, false) => set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, &1_i32)?,
        (Family::V4, true) => {
            let wanted = [0, 3, 4, 11, 12].iter().fold(0_u32, |bits, kind| bits | 1 << kind);
            set(fd, libc::SOL_RAW, ICMP_FILTER, &!wanted)?;
        }
        (Family::V6, true) => {
            // Errors are below 128; a set bit stops a type (RFC 3542, section 3.2).
            let stopped = [0, 0, 0, 0, !(1_u32 << (129 - 128)), u32::MAX, u32::MAX, u32::MAX];
            set(fd, libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &stopped)?;
        }
    }
    Ok(socket)
}

/// Sets what requests look like, and where they leave.
pub(in crate::backend::linux) fn configure(
    socket: BorrowedFd<'_>,
    family: Family,
    options: &EchoOptions,
    interface: Option<u32>,
) -> Result<(), Errno> {
    if let Some(index) = interface {
        // By index: another link that takes the name is another link. Everybody may since Linux 5.7.
        set(socket, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &index)?;
    }
    match family {
        Family::V4 => {
            // A broadcast address is a destination like others.
            sockopt::set_socket_broadcast(socket, true)?;
            let discovery = if options.dont_fragment { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_DONT };
            set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &discovery)?;
            if let Some(ttl) = options.ttl {
                sockopt::set_ip_ttl(socket, ttl.into())?;
                sockopt::set_ip_multicast_ttl(socket, ttl.into())?;
            }
            if let Some(tos) = options.tos {
                set(socket, libc::IPPROTO_IP, libc::IP_TOS, &libc::c_int::from(tos))?;
            }
            if !options.ip_options.is_empty() {
                set_bytes(socket, libc::IPPROTO_IP, libc::IP_OPTIONS, &options.ip_options)?;
            }
        }
        Family::V6 => {
            if options.dont_fragment {
                set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, &libc::IPV6_PMTUDISC_DO)?;
                set(socket, libc::IPPROTO_IPV6, IPV6_DONTFRAG, &1_i32)?;
            }
            if let Some(ttl) = options.ttl {
                sockopt::set_ipv6_unicast_hops(socket, Some(ttl))?;
                sockopt::set_ipv6_multicast_hops(socket, ttl.into())?;
            }
            if let Some(tos) = options.tos {
                set(socket, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &libc::c_int::from(tos))?;
            }
        }
    }
    if let Some(source) = options.source {
        rustix::net::bind(socket, &end(source, options.source_scope_id))?;
    }
    Ok(())
}

/// Sends a message; what an earlier one came to is not its failure.
pub(in crate::backend::linux) fn send(
    socket: BorrowedFd<'_>,
    to: IpAddr,
    scope_id: u32,
    message: &[u8],
) -> Result<(), Errno> {
    let attempt = || {
        // An error that came in since is told to whoever uses the socket next. It is in the error queue, too.
        let _ = sockopt::socket_error(socket);
        retry_on_intr(|| rustix::net::sendto(socket, message, SendFlags::DONTWAIT, &end(to, scope_id)))
            .map(drop)
    };
    attempt().or_else(|_| attempt())
}

fn end(address: IpAddr, scope_id: u32) -> SocketAddr {
    match address {
        IpAddr::V4(_) => SocketAddr::new(address, 0),
        IpAddr::V6(address) => SocketAddrV6::new(address, 0, 0, scope_id).into(),
    }
}

/// What came with a message.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct Received {
    pub(in crate::backend::linux) len: usize,
    /// Who sent it; of the error queue, whom the message that failed was for.
    pub(in crate::backend::linux) from: Option<(IpAddr, u32)>,
    /// When the kernel had it, since 1970.
    pub(in crate::backend::linux) time: Option<Duration>,
    pub(in crate::backend::linux) ttl: Option<u8>,
    pub(in crate::backend::linux) tos: Option<u8>,
    pub(in crate::backend::linux) ip_options: Vec<u8>,
    pub(in crate::backend::linux) error: Option<QueuedError>,
}

/// `struct sock_extended_err` with the address behind it.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::linux) struct QueuedError {
    pub(in crate::backend::linux) origin: u8,
    pub(in crate::backend::linux) kind: u8,
    pub(in crate::backend::linux) code: u8,
    pub(in crate::backend::linux) info: u32,
    pub(in crate::backend::linux) offender: Option<(IpAddr, u32)>,
}

/// Takes a message from the socket, or from its error queue; `EAGAIN` if there is none.
pub(in crate::backend::linux) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    from_error_queue: bool,
) -> Result<Received, Errno> {
    // Aligned as the kernel writes control messages.
    let mut control = [0_u64; 64];
    let mut name = [0_u64; 16];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: numbers and null pointers.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = name.as_mut_ptr().cast();
    header.msg_namelen = libc::socklen_t::try_from(size_of_val(&name)).unwrap_or_default();
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_DONTWAIT | if from_error_queue { libc::MSG_ERRQUEUE } else { 0 };
    // SAFETY: every pointer of the header is to a live buffer of the size that stands beside it.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let len = usize::try_from(len).map_err(|_| super::icmpv6::last_error())?;
    let name: Vec<u8> =
        name.iter().flat_map(|word| word.to_ne_bytes()).take(header.msg_namelen as usize).collect();
    let mut received = Received { len, from: address(&name), ..Received::default() };
    // SAFETY: the kernel has set the length of what it wrote.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !next.is_null() {
        // SAFETY: a control message that the kernel wrote into the buffer, which is aligned for it.
        let message = unsafe { next.read() };
        // SAFETY: takes a number alone.
        let start = unsafe { libc::CMSG_LEN(0) } as usize;
        let size = (message.cmsg_len as usize).saturating_sub(start);
        // SAFETY: the kernel says that the message has so many bytes, and they are in the buffer.
        let bytes = unsafe { std::slice::from_raw_parts(libc::CMSG_DATA(next), size) };
        received.take(message.cmsg_level, message.cmsg_type, bytes);
        // SAFETY: as of the first one.
        next = unsafe { libc::CMSG_NXTHDR(&raw const header, next) };
    }
    Ok(received)
}

impl Received {
    fn take(&mut self, level: libc::c_int, kind: libc::c_int, bytes: &[u8]) {
        let number = || bytes.first_chunk().map(|bytes| libc::c_int::from_ne_bytes(*bytes));
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => self.time = timestamp(bytes),
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                self.ttl = number().and_then(|ttl| u8::try_from(ttl).ok());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                self.tos = number().and_then(|tos| u8::try_from(tos).ok())
            }
            // One byte of this, of the others a number.
            (libc::IPPROTO_IP, libc::IP_TOS) => self.tos = bytes.first().copied(),
            (libc::IPPROTO_IP, libc::IP_RECVOPTS) => self.ip_options = bytes.to_vec(),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                self.error = QueuedError::read(bytes);
            }
            _ => {}
        }
    }
}

impl QueuedError {
    /// `linux/errqueue.h`: the error's number, origin, type, code, a byte of padding, two numbers; then a socket address.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (error, offender) = bytes.split_at_checked(16)?;
        Some(Self {
            origin: *error.get(4)?,
            kind: *error.get(5)?,
            code: *error.get(6)?,
            info: u32::from_ne_bytes(error.get(8..12)?.try_into().ok()?),
            offender: address(offender),
        })
    }
}

/// `struct timespec` of this host, or `struct __kernel_old_timespec` with 64 bits.
fn timestamp(bytes: &[u8]) -> Option<Duration> {
    let (seconds, nanoseconds) = match bytes.len() {
        16 => {
            let (seconds, rest) = bytes.split_first_chunk()?;
            (i64::from_ne_bytes(*seconds), i64::from_ne_bytes(rest.try_into().ok()?))
        }
        8 => {
            let (seconds, rest) = bytes.split_first_chunk()?;
            (i32::from_ne_bytes(*seconds).into(), i32::from_ne_bytes(rest.try_into().ok()?).into())
        }
        _ => return None,
    };
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?))
}

/// A socket address of the kernel's, its zone with it.
fn address(bytes: &[u8]) -> Option<(IpAddr, u32)> {
    let family = libc::c_int::from(u16::from_ne_bytes(*bytes.first_chunk()?));
    match family {
        libc::AF_INET => {
            let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some((Ipv4Addr::from(address).into(), 0))
        }
        libc::AF_INET6 => {
            let address: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            let scope_id = u32::from_ne_bytes(bytes.get(24..28)?.try_into().ok()?);
            Some((Ipv6Addr::from(address).into(), scope_id))
        }
        _ => None,
    }
}

fn set_bytes(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    bytes: &[u8],
) -> Result<(), Errno> {
    let len = libc::socklen_t::try_from(bytes.len()).unwrap_or(libc::socklen_t::MAX);
    // SAFETY: the descriptor is open for the call's duration, and the kernel reads as many bytes as there are.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, bytes.as_ptr().cast(), len) };
    if result == 0 { Ok(()) } else { Err(super::icmpv6::last_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_nothing() {
        let mut error = vec![0; 16];
        error.extend([2, 0, 0, 0, 192, 0, 2, 1]);
        error[4..8].copy_from_slice(&[2, 11, 0, 0]);
        let read = QueuedError::read(&error).unwrap();
        assert_eq!((read.kind, read.offender), (11, Some(([192, 0, 2, 1].into(), 0))));
        for len in 0..error.len() {
            let read = QueuedError::read(&error[..len]);
            assert!(read.is_none_or(|read| read.offender.is_none()), "{len}");
        }
        assert_eq!(timestamp(&[0; 7]), None);
        assert_eq!(timestamp(&[0xFF; 16]), None, "before 1970");
        assert_eq!(timestamp(&[0; 16]), Some(Duration::ZERO));
    }
}
