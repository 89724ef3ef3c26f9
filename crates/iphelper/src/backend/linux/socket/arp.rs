//! A packet socket that sends and gets the ARP packets of one link.

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// `ETH_P_ARP`, in network order as `sockaddr_ll` holds it.
const ARP: u16 = 0x0806_u16.to_be();

/// Sends to everybody on an Ethernet link, and gets what its hosts send by ARP.
#[derive(Debug)]
pub(in crate::backend::linux) struct ArpSocket {
    descriptor: OwnedFd,
    link: i32,
}

impl ArpSocket {
    /// Opens a socket in the calling thread's network namespace. `EPERM` without `CAP_NET_RAW`.
    pub(in crate::backend::linux) fn open(link: u32) -> Result<Self, Errno> {
        let link = i32::try_from(link).map_err(|_| Errno::NODEV)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // No protocol until it is bound, so that nothing of other links is queued.
        let descriptor = rustix::net::socket_with(AddressFamily::PACKET, SocketType::DGRAM, flags, None)?;
        let socket = Self { descriptor, link };
        let (address, len) = socket.address([0; 6]);
        // SAFETY: the descriptor is open for the call's duration, and the pointer is to a live address of that size, which
        // the kernel only reads.
        let result =
            unsafe { libc::bind(socket.descriptor.as_raw_fd(), std::ptr::from_ref(&address).cast(), len) };
        if result == 0 { Ok(socket) } else { Err(last_error()) }
    }

    /// Sends an ARP packet to everybody on the link.
    pub(in crate::backend::linux) fn broadcast(&self, packet: &[u8]) -> Result<(), Errno> {
        let (address, len) = self.address([0xff; 6]);
        let sent = retry_on_intr(|| {
            // SAFETY: the descriptor is open for the call's duration; the pointers are to live bytes of the length given
            // and to a live address of its size, which the kernel only reads.
            let sent = unsafe {
                libc::sendto(
                    self.descriptor.as_raw_fd(),
                    packet.as_ptr().cast(),
                    packet.len(),
                    0,
                    std::ptr::from_ref(&address).cast(),
                    len,
                )
            };
            usize::try_from(sent).map_err(|_| last_error())
        })?;
        if sent == packet.len() { Ok(()) } else { Err(Errno::IO) }
    }

    /// Takes one packet from the queue, from its ARP header on; `EAGAIN` if there is none.
    pub(in crate::backend::linux) fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let descriptor = &self.descriptor;
        let (len, _) = retry_on_intr(|| rustix::net::recv(descriptor, &mut *buffer, RecvFlags::empty()))?;
        Ok(len)
    }

    fn address(&self, hardware: [u8; 6]) -> (libc::sockaddr_ll, libc::socklen_t) {
        let [h0, h1, h2, h3, h4, h5] = hardware;
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).unwrap_or_default(),
            sll_protocol: ARP,
            sll_ifindex: self.link,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 6,
            sll_addr: [h0, h1, h2, h3, h4, h5, 0, 0],
        };
        (address, libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default())
    }
}

impl AsFd for ArpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
