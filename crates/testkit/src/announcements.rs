//! What the kernel announces over rtnetlink.

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use std::os::fd::OwnedFd;

/// Listens to the changes of links, addresses, routes, neighbours and their configuration in one namespace.
///
/// The kernel announces a change before the call that made it returns, so what is not there then was not announced.
#[derive(Debug)]
pub struct Announcements {
    socket: OwnedFd,
}

impl Announcements {
    /// `RTM_NEWLINK`.
    pub const NEW_LINK: u16 = 16;
    /// `RTM_NEWNETCONF`.
    pub const NEW_CONFIGURATION: u16 = 80;

    /// Starts in this thread's namespace.
    #[must_use]
    pub fn listen() -> Self {
        // RTNLGRP_*: LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, IPV6_IFINFO, IPV4_NETCONF,
        // IPV6_NETCONF. Group 1 is bit 0.
        let groups = [1, 3, 5, 7, 9, 11, 12, 24, 25].map(|group| 1 << (group - 1)).iter().sum();
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .expect("opening a netlink socket");
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups)).expect("joining groups");
        Self { socket }
    }

    /// The types of the messages since the last call (`RTM_*`), in order.
    #[must_use]
    pub fn kinds(&self) -> Vec<u16> {
        let mut kinds = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
                // Announcements come one in a datagram; the type follows the length in struct nlmsghdr.
                Ok(_) => kinds.extend(
                    buffer
                        .get(4..6)
                        .and_then(|kind| kind.first_chunk())
                        .map(|kind| u16::from_ne_bytes(*kind)),
                ),
                Err(Errno::AGAIN) => return kinds,
                Err(errno) => panic!("receiving announcements: {errno}"),
            }
        }
    }
}
