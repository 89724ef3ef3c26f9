//! What a listener does not want to hear of, left out by the kernel.

use super::{Socket, last_errno};
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{DELETE_ROUTE, NEW_ROUTE};
use rustix::io::Errno;
use rustix::net::AddressFamily;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

impl Socket {
    /// Has the kernel leave out announced IPv4 routes but those with this protocol number, which a listener to something
    /// rare among them would throw away; `None` ends that.
    ///
    /// Where the kernel refuses it, all come.
    pub(in crate::backend::linux) fn leave_out_routes_but(&self, protocol: Option<u8>) {
        // What a packet filter of the classic kind reads is in network order; these are in the host's.
        let kind = |kind: u16| u32::from(u16::from_be_bytes(kind.to_ne_bytes()));
        let load_half = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
        let load_byte = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
        let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        let end = libc::BPF_RET | libc::BPF_K;
        let program = [
            // The message's kind, behind its length.
            step(load_half, 0, 0, 4),
            step(is, 1, 0, kind(NEW_ROUTE)),
            step(is, 0, 4, kind(DELETE_ROUTE)),
            // Family and protocol of the route, behind the header.
            step(load_byte, 0, 0, 16),
            step(is, 0, 2, u32::from(AddressFamily::INET.as_raw())),
            step(load_byte, 0, 0, 16 + 5),
            step(is, 0, 1, protocol.unwrap_or_default().into()),
            step(end, 0, 0, u32::MAX),
            step(end, 0, 0, 0),
        ];
        let _ = set_packet_filter(self.descriptor.as_fd(), protocol.map(|_| program.as_slice()));
    }
}

/// Has the kernel leave out the answers to others' echo requests, which every raw socket gets: many of them would fill its
/// queue, and its own be lost. What routers say is let through, whomever it is for.
///
/// Where the kernel refuses it, all come.
pub(in crate::backend::linux) fn leave_out_answers_but(
    socket: BorrowedFd<'_>,
    family: Family,
    identifier: u16,
) {
    let load = |size, place| libc::BPF_LD | size | place;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let end = libc::BPF_RET | libc::BPF_K;
    // A raw IPv4 socket's packet begins with the IP header, whose length is read first; an IPv6 one's with the message.
    let (answer, place) = match family {
        Family::V4 => (0, libc::BPF_IND),
        Family::V6 => (129, libc::BPF_ABS),
    };
    let header = (family == Family::V4).then(|| step(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0));
    let program = header.into_iter().chain([
        step(load(libc::BPF_B, place), 0, 0, 0),
        step(equal, 0, 2, answer),
        step(load(libc::BPF_H, place), 0, 0, 4),
        step(equal, 0, 1, identifier.into()),
        step(end, 0, 0, u32::MAX),
        step(end, 0, 0, 0),
    ]);
    let _ = set_packet_filter(socket, Some(&program.collect::<Vec<_>>()));
}

fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap_or_default(), jt, jf, k }
}

/// Attaches a packet filter to a socket in the place of the present one, or takes that away.
fn set_packet_filter(descriptor: BorrowedFd<'_>, program: Option<&[libc::sock_filter]>) -> Result<(), Errno> {
    let program = program.unwrap_or_default();
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno::INVAL)?,
        filter: program.as_ptr().cast_mut(),
    };
    let option = if program.is_empty() { libc::SO_DETACH_FILTER } else { libc::SO_ATTACH_FILTER };
    let len = libc::socklen_t::try_from(size_of_val(&filter)).unwrap_or_default();
    // SAFETY: `descriptor` is open for the call's duration, and the value points to a live `sock_fprog` whose size is `len`
    // and whose pointer and length are those of a live slice, all of which the kernel only reads.
    let result = unsafe {
        libc::setsockopt(
            descriptor.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(&filter).cast(),
            len,
        )
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

#[cfg(test)]
mod tests {
    use super::super::{Protocol, Socket};
    use iphelper_netlink::rtnetlink::notification as groups;
    use iphelper_netlink::rtnetlink::route::Route;
    use iphelper_testkit::{isolated, run};
    use rustix::net::RecvFlags;

    /// The protocol numbers of the routes that were announced.
    fn announced(socket: &mut Socket) -> Vec<u8> {
        let mut all = Vec::new();
        while let Ok(messages) = socket.receive_with(RecvFlags::DONTWAIT) {
            all.extend(
                messages.map(|message| Route::parse(&message.unwrap()).unwrap().map_or(0, |it| it.protocol)),
            );
        }
        all
    }

    #[test]
    fn only_routes_of_one_protocol_are_told_and_whatever_is_none() {
        isolated(|| {
            let mut socket = Socket::open(Protocol::Route, groups::LINK | groups::IPV4_ROUTE).unwrap();
            let change = |command: &str| {
                for protocol in [99, 105, 4] {
                    let _ = run(&format!("ip route {command} throw 192.0.2.{protocol} proto {protocol}"));
                }
                let _ = run("ip link set lo mtu 60000");
                let _ = run("ip link set lo mtu 65536");
            };
            socket.leave_out_routes_but(Some(105));
            change("add");
            assert_eq!(announced(&mut socket), [105, 0, 0]);
            change("del");
            assert_eq!(announced(&mut socket), [105, 0, 0]);
            socket.leave_out_routes_but(None);
            change("add");
            assert_eq!(announced(&mut socket), [99, 105, 4, 0, 0]);
        });
    }
}
