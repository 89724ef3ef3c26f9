//! Socket options that the standard library does not set.

use rustix::net::{AddressFamily, SocketType, ipproto};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

pub(crate) fn udp(ipv6: bool) -> io::Result<OwnedFd> {
    Ok(rustix::net::socket(family(ipv6), SocketType::DGRAM, Some(ipproto::UDP))?)
}

/// A TCP socket that gives up connecting after [`PATIENCE`](crate::PATIENCE).
pub(crate) fn tcp(ipv6: bool) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(family(ipv6), SocketType::STREAM, Some(ipproto::TCP))?;
    let timeout = Some(crate::PATIENCE);
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Send, timeout)?;
    Ok(socket)
}

fn family(ipv6: bool) -> AddressFamily {
    if ipv6 { AddressFamily::INET6 } else { AddressFamily::INET }
}

pub(crate) fn connect(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    Ok(rustix::net::connect(socket, &address)?)
}

pub(crate) fn bind(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    Ok(rustix::net::bind(socket, &address)?)
}

/// `SO_BINDTODEVICE`.
pub(crate) fn bind_to_device(socket: RawFd, name: &str) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_bytes())
}

/// `IP_UNICAST_IF` or `IPV6_UNICAST_IF`, whose argument is in network order.
pub(crate) fn set_unicast_interface(socket: RawFd, ipv6: bool, index: u32) -> io::Result<()> {
    const IP_UNICAST_IF: libc::c_int = 50;
    const IPV6_UNICAST_IF: libc::c_int = 76;
    let (level, option) =
        if ipv6 { (libc::IPPROTO_IPV6, IPV6_UNICAST_IF) } else { (libc::IPPROTO_IP, IP_UNICAST_IF) };
    set(socket, level, option, &index.to_be_bytes())
}

/// `SO_MARK`.
pub(crate) fn set_mark(socket: RawFd, mark: u32) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_MARK, &mark.to_ne_bytes())
}

fn set(socket: RawFd, level: libc::c_int, option: libc::c_int, value: &[u8]) -> io::Result<()> {
    let len = libc::socklen_t::try_from(value.len()).expect("a short value");
    // SAFETY: the value is live for the call and `len` octets long; the kernel only reads it.
    let result = unsafe { libc::setsockopt(socket, level, option, value.as_ptr().cast(), len) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the kernel look closely at what a netlink socket asks for (`NETLINK_GET_STRICT_CHK`): it filters dumps then.
pub fn check_strictly(socket: impl AsFd) {
    const SOL_NETLINK: libc::c_int = 270;
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of_val(&on)).expect("the size of an int");
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the socket is open, and the value is a live int of this size.
    let set = unsafe {
        libc::setsockopt(fd, SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, std::ptr::from_ref(&on).cast(), size)
    };
    assert_eq!(set, 0, "setting NETLINK_GET_STRICT_CHK: {}", io::Error::last_os_error());
}

/// `TCP_INFO` of a connection, as long as this kernel has it.
pub fn tcp_info(socket: &impl AsFd) -> Vec<u8> {
    let mut bytes = vec![0_u8; 1024];
    let mut len = libc::socklen_t::try_from(bytes.len()).expect("fits");
    // SAFETY: the socket is open, and the buffer has `len` bytes.
    let got = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            bytes.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    assert_eq!(got, 0, "TCP_INFO: {}", io::Error::last_os_error());
    bytes.truncate(usize::try_from(len).expect("fits"));
    bytes
}

/// Bytes in a connection's queues: not read, not acknowledged (unsent ones among them), not sent (`SIOCINQ`, `SIOCOUTQ`,
/// `SIOCOUTQNSD`).
pub fn tcp_queues(socket: &impl AsFd) -> [u64; 3] {
    const SIOCINQ: libc::Ioctl = 0x541b;
    const SIOCOUTQ: libc::Ioctl = 0x5411;
    const SIOCOUTQNSD: libc::Ioctl = 0x894b;
    [SIOCINQ, SIOCOUTQ, SIOCOUTQNSD].map(|request| {
        let mut bytes: libc::c_int = 0;
        // SAFETY: the socket is open, and each request stores one int.
        let got = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), request, &raw mut bytes) };
        assert_eq!(got, 0, "ioctl {request:#x}: {}", io::Error::last_os_error());
        u64::try_from(bytes).expect("not negative")
    })
}
