//! An empty datagram, which makes the kernel resolve a neighbour for whoever may send one.

use super::icmpv6::set;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsFd;

/// RFC 863: what comes here is thrown away.
const DISCARD: u16 = 9;

/// Sends a datagram without content to the discard port of `address`, over the link with the index `link` and no
/// router, from `source` if one is given. From the calling thread's network namespace.
pub(in crate::backend::linux) fn send_nothing(
    link: u32,
    source: Option<IpAddr>,
    address: IpAddr,
) -> Result<(), Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
    // By index: another link that takes the name is another link. Everybody may since Linux 5.7.
    set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &link)?;
    if let Some(source) = source {
        rustix::net::bind(&socket, &end(source, 0, link))?;
    }
    let to = end(address, DISCARD, link);
    // MSG_DONTROUTE: an IPv4 address that a route gives to a router is asked for on the link all the same.
    let _sent = retry_on_intr(|| rustix::net::sendto(&socket, &[], SendFlags::DONTROUTE, &to))?;
    Ok(())
}

fn end(address: IpAddr, port: u16, link: u32) -> SocketAddr {
    match address {
        IpAddr::V4(address) => SocketAddrV4::new(address, port).into(),
        IpAddr::V6(address) => SocketAddrV6::new(address, port, 0, link).into(),
    }
}
