//! A raw ICMPv6 socket of one link, for a router's half of neighbour discovery.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use std::io::IoSliceMut;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// `ICMPV6_FILTER` of `linux/icmpv6.h`.
const ICMPV6_FILTER: libc::c_int = 1;

/// A message that a router got.
#[derive(Debug)]
pub(in crate::backend::linux) struct Received {
    pub(in crate::backend::linux) len: usize,
    pub(in crate::backend::linux) source: Ipv6Addr,
    pub(in crate::backend::linux) hop_limit: Option<u8>,
}

/// Sends to all nodes of a link, and gets what is sent to its routers.
#[derive(Debug)]
pub(in crate::backend::linux) struct RouterSocket {
    descriptor: OwnedFd,
    link: u32,
}

impl RouterSocket {
    /// Opens a socket in the calling thread's network namespace. It takes messages of the type `kind` alone, and only
    /// those that came over the link.
    pub(in crate::backend::linux) fn open(link: u32, hop_limit: u8, kind: u8) -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(ipproto::ICMPV6);
        let descriptor = rustix::net::socket_with(AddressFamily::INET6, SocketType::RAW, flags, protocol)?;
        let fd = descriptor.as_fd();
        // A set bit stops a type (RFC 3542, section 3.2).
        let mut stopped = [u32::MAX; 8];
        if let Some(word) = stopped.get_mut(usize::from(kind >> 5)) {
            *word &= !(1 << (kind & 31));
        }
        set(fd, libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &stopped)?;
        // By index: another link that takes the name is another link.
        set(fd, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &link)?;
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, &1_i32)?;
        sockopt::set_ipv6_unicast_hops(fd, Some(hop_limit))?;
        sockopt::set_ipv6_multicast_hops(fd, hop_limit.into())?;
        sockopt::set_ipv6_multicast_loop(fd, false)?;
        sockopt::set_ipv6_multicast_if(fd, link)?;
        sockopt::set_ipv6_add_membership(fd, &ALL_ROUTERS, link)?;
        Ok(Self { descriptor, link })
    }

    /// Sends a message to all nodes.
    pub(in crate::backend::linux) fn send_to_all(&self, message: &[u8]) -> Result<(), Errno> {
        let to = SocketAddrV6::new(ALL_NODES, 0, 0, self.link);
        let sent = retry_on_intr(|| rustix::net::sendto(&self.descriptor, message, SendFlags::empty(), &to))?;
        if sent == message.len() { Ok(()) } else { Err(Errno::IO) }
    }

    /// Takes one message from the queue; `EAGAIN` if there is none.
    pub(in crate::backend::linux) fn receive(&self, buffer: &mut [u8]) -> Result<Received, Errno> {
        let mut space = nix::cmsg_space!(libc::c_int, libc::c_int);
        let mut parts = [IoSliceMut::new(buffer)];
        let received = recvmsg::<SockaddrIn6>(
            self.descriptor.as_raw_fd(),
            &mut parts,
            Some(&mut space),
            MsgFlags::MSG_DONTWAIT,
        )
        .map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
        let hop_limit = received.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::Ipv6HopLimit(limit) => u8::try_from(limit).ok(),
                _ => None,
            })
        });
        let source = received.address.map_or(Ipv6Addr::UNSPECIFIED, |address| address.ip());
        Ok(Received { len: received.bytes, source, hop_limit })
    }
}

impl AsFd for RouterSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The cookie of a socket's network namespace: unique until the next start of the computer (`SO_NETNS_COOKIE`,
/// Linux 5.14).
pub(in crate::backend::linux) fn namespace_cookie(socket: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut cookie = 0_u64;
    let mut len = libc::socklen_t::try_from(size_of_val(&cookie)).unwrap_or_default();
    // SAFETY: the descriptor is open for the call's duration; the pointers are to a live integer and to its size, more
    // than which the kernel does not write.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            std::ptr::from_mut(&mut cookie).cast(),
            &raw mut len,
        )
    };
    if result == 0 { Ok(cookie) } else { Err(last_error()) }
}

pub(super) fn set<T: Copy>(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: &T,
) -> Result<(), Errno> {
    let len = libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default();
    // SAFETY: the descriptor is open for the call's duration, and the pointer is to a live value of that size, without
    // padding, which the kernel only reads.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), len) };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

pub(super) fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
