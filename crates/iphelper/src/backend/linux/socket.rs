//! Netlink sockets: send, receive, match the sequence number, read the acknowledgement or the extended error.
//!
//! The one place of this back end with unsafe code, for what rustix does not have: socket options, and an `ioctl` here and
//! there.
#![allow(unsafe_code, reason = "SOL_NETLINK options and SIOCADDRT have no safe wrapper in rustix")]

pub(super) mod arp;
pub(super) mod datagram;
pub(super) mod echo;
pub(super) mod filter;
pub(super) mod icmpv6;
#[cfg(test)]
pub(super) mod killed;
#[cfg(test)]
pub(super) mod lacking;
mod pool;
#[cfg(test)]
pub(super) mod scripted;
pub(super) mod stamp;

use super::namespace::system;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::{Acknowledgement, DUMP_INTERRUPTED, Message, Messages, Request};
use iphelper_netlink::nf_tables::Batch;
pub(super) use pool::{Pool, Pooled};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A dump's datagrams are at most 32 KiB, or one message where that is longer (a link with many virtual functions).
const RECEIVE_BUFFER: usize = 64 * 1024;
/// How often a dump that changed under the reader is started again.
const DUMP_ATTEMPTS: usize = 10;

/// A netlink protocol that a host uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Route,
    SockDiag,
    Generic,
    Netfilter,
}

/// A request that the kernel, or the way to it, refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    errno: i32,
    words: Option<Cow<'static, str>>,
}

impl Refusal {
    /// A refusal without words.
    pub(super) const fn of(errno: i32) -> Self {
        Self { errno, words: None }
    }

    /// What an answer says that is not success.
    pub(super) fn from_answer(answer: &Acknowledgement<'_>) -> Self {
        Self { errno: answer.errno, words: answer.message.map(|words| words.to_owned().into()) }
    }

    /// The errno, positive.
    pub(super) fn errno(&self) -> i32 {
        self.errno
    }

    /// Whether the kernel said why.
    pub(super) fn has_words(&self) -> bool {
        self.words.is_some()
    }

    /// The error of `kind` that this refusal is to a chapter.
    pub(super) fn into_error(self, kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Error {
        let error = Error::new(kind, operation).with_errno(self.errno);
        match self.words {
            Some(words) => error.with_kernel_message(words),
            None => error,
        }
    }

    /// The error that this refusal is where the chapter gives the errno no meaning of its own.
    pub(super) fn error(self, operation: impl Into<Cow<'static, str>>) -> Error {
        let kind = kind_of(self.errno);
        self.into_error(kind, operation)
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno: errno.raw_os_error(), words: None }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self { errno: libc::EBADMSG, words: Some(error.to_string().into()) }
    }
}

/// The kind that an errno is unless a chapter says otherwise.
pub(super) fn kind_of(errno: i32) -> ErrorKind {
    match errno {
        // As of /proc/sys in containers without privilege.
        libc::EPERM | libc::EACCES | libc::EROFS => ErrorKind::AccessDenied,
        libc::EINVAL | libc::ERANGE | libc::EDOM => ErrorKind::InvalidParameter,
        libc::ENODEV | libc::ENXIO => ErrorKind::InterfaceNotFound,
        libc::ENOENT | libc::ESRCH | libc::EADDRNOTAVAIL => ErrorKind::NotFound,
        libc::EEXIST => ErrorKind::AlreadyExists,
        libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT | libc::ENOSYS => {
            ErrorKind::NotSupported
        }
        libc::ENOMEM => ErrorKind::OutOfMemory,
        libc::ENOBUFS | libc::EMFILE | libc::ENFILE | libc::EAGAIN => ErrorKind::ResourceLimit,
        libc::EINTR => ErrorKind::Interrupted,
        libc::ETIMEDOUT => ErrorKind::TimedOut,
        _ => ErrorKind::Other,
    }
}

/// Whether a dump is a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub(super) enum Consistency {
    /// Nothing changed while it was read.
    Consistent,
    /// The table changed in between (`NLM_F_DUMP_INTR`).
    Interrupted,
}

/// A netlink socket that talks to the kernel alone.
#[derive(Debug)]
pub(super) struct Socket {
    descriptor: OwnedFd,
    /// The number by which announcements tell whose request they come from; 0: not known.
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
    /// Whether answers may still be under way, so that the socket must not be used again.
    busy: bool,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace, joined to the multicast `groups` (a bit mask:
    /// group 1 is bit 0).
    pub(super) fn open(protocol: Protocol, groups: u32) -> Result<Self> {
        let (number, name) = match protocol {
            // NETLINK_ROUTE is number 0, the default.
            Protocol::Route => (None, "opening a rtnetlink socket"),
            Protocol::SockDiag => (Some(netlink::SOCK_DIAG), "opening a sock_diag socket"),
            Protocol::Generic => (Some(netlink::GENERIC), "opening a generic netlink socket"),
            Protocol::Netfilter => (Some(netlink::NETFILTER), "opening a netfilter socket"),
        };
        let descriptor =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, number)
                .map_err(|errno| system(name, errno))?;
        rustix::net::bind(&descriptor, &SocketAddrNetlink::new(0, groups))
            .map_err(|errno| system(name, errno))?;
        // A connected netlink socket takes datagrams of the kernel alone: other processes' are refused for it.
        rustix::net::connect(&descriptor, &SocketAddrNetlink::new(0, 0))
            .map_err(|errno| system(name, errno))?;
        // Extended errors, requests not repeated in them, and filters in dumps. Kernels too old for one of these
        // (4.12, 4.2, 4.20) are older than the oldest supported, and answer all the same without.
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
            let _ = set_netlink_option(descriptor.as_fd(), option, 1);
        }
        if protocol == Protocol::Route {
            let _ = set_netlink_option(descriptor.as_fd(), libc::NETLINK_GET_STRICT_CHK, 1);
        }
        let port = rustix::net::getsockname(&descriptor)
            .ok()
            .and_then(|address| SocketAddrNetlink::try_from(address).ok())
            .map_or(0, |address| address.pid());
        Ok(Self { descriptor, port, sequence: 0, buffer: vec![0; RECEIVE_BUFFER], busy: false })
    }

    /// Joins a multicast group by its number, which may be above those that [`open`](Self::open) takes.
    pub(super) fn join_group(&self, group: u32) -> Result<(), Refusal> {
        let group = libc::c_int::try_from(group).map_err(|_| Errno::INVAL)?;
        Ok(set_netlink_option(self.descriptor.as_fd(), libc::NETLINK_ADD_MEMBERSHIP, group)?)
    }

    /// Leaves a multicast group.
    pub(super) fn leave_group(&self, group: u32) -> Result<(), Refusal> {
        let group = libc::c_int::try_from(group).map_err(|_| Errno::INVAL)?;
        Ok(set_netlink_option(self.descriptor.as_fd(), libc::NETLINK_DROP_MEMBERSHIP, group)?)
    }

    /// The number by which the kernel addresses this socket.
    #[cfg(test)]
    pub(super) fn port(&self) -> Result<u32, Errno> {
        let address = rustix::net::getsockname(&self.descriptor)?;
        Ok(SocketAddrNetlink::try_from(address)?.pid())
    }

    /// Sends `request` and gives its sequence number; answers are then under way.
    pub(super) fn send(&mut self, request: &mut Request) -> Result<u32, Refusal> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.busy = true;
        let bytes = request.finish(self.sequence);
        transmit(&self.descriptor, bytes)?;
        Ok(self.sequence)
    }

    /// Sends a datagram of `count` messages that are numbered from the number that `bytes` is given; that number.
    pub(super) fn send_batch<'a>(
        &mut self,
        count: usize,
        bytes: impl FnOnce(u32) -> &'a [u8],
    ) -> Result<u32, Refusal> {
        let count = u32::try_from(count).map_err(|_| Refusal::of(libc::EMSGSIZE))?;
        let first = self.sequence.wrapping_add(1).max(1);
        let (first, last) = match first.checked_add(count) {
            Some(last) => (first, last),
            None => (1, count),
        };
        self.sequence = last;
        self.busy = true;
        let bytes = bytes(first);
        transmit(&self.descriptor, bytes)?;
        Ok(first)
    }

    /// How many bytes of answers, with what the kernel adds to each, may wait for this socket.
    pub(super) fn receive_space(&self) -> usize {
        rustix::net::sockopt::socket_recv_buffer_size(&self.descriptor).unwrap_or_default()
    }

    /// Receives one datagram, waiting for it.
    pub(super) fn receive(&mut self) -> Result<Messages<'_>, Refusal> {
        self.receive_with(RecvFlags::empty())
    }

    /// Receives one datagram; `EAGAIN` with [`RecvFlags::DONTWAIT`] and none there.
    pub(super) fn receive_with(&mut self, flags: RecvFlags) -> Result<Messages<'_>, Refusal> {
        self.receive_bytes(flags).map(Messages::new)
    }

    /// The same, as bytes.
    pub(super) fn receive_bytes(&mut self, flags: RecvFlags) -> Result<&[u8], Refusal> {
        let descriptor = &self.descriptor;
        let buffer = self.buffer.as_mut_slice();
        let (filled, len) =
            retry_on_intr(|| rustix::net::recv(descriptor, &mut *buffer, flags | RecvFlags::TRUNC))?;
        if len > filled {
            // The rest of the datagram is lost. Double the buffer for the next attempt.
            self.buffer.resize(len.next_power_of_two(), 0);
            return Err(Refusal { errno: libc::EMSGSIZE, words: None });
        }
        Ok(self.buffer.get(..filled).unwrap_or_default())
    }

    /// Sends a request that asks for an acknowledgement and waits for it.
    pub(super) fn acknowledged(&mut self, request: &mut Request) -> Result<(), Refusal> {
        self.ask(request, |_| Ok(()))
    }

    /// Sends a request (flagged `NLM_F_ACK`) and gives its answers, before the acknowledgement, to `visit`.
    pub(super) fn ask(
        &mut self,
        request: &mut Request,
        mut visit: impl FnMut(&Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), Refusal> {
        let sequence = self.send(request)?;
        let mut visited = Ok(());
        loop {
            for message in self.receive()? {
                let message = message?;
                if message.header.sequence != sequence {
                    continue;
                }
                match message.acknowledgement().transpose()? {
                    Some(answer) if answer.errno == 0 => {
                        self.busy = false;
                        return Ok(visited?);
                    }
                    Some(answer) => {
                        let words = answer.message.map(|words| words.to_owned().into());
                        let refusal = Refusal { errno: answer.errno, words };
                        self.busy = false;
                        return Err(refusal);
                    }
                    None if visited.is_ok() => visited = visit(&message),
                    None => {}
                }
            }
        }
    }

    /// Sends questions that are each answered by one message, a row or a refusal, in one datagram, and gives the answers
    /// to `visit` with the place of their question. Whoever wants an acknowledgement beside the answer uses
    /// [`ask`](Self::ask).
    pub(super) fn answers<const N: usize>(
        &mut self,
        mut questions: [Request; N],
        mut visit: impl FnMut(usize, Result<&Message<'_>, Refusal>) -> Result<(), DecodeError>,
    ) -> Result<(), Refusal> {
        let mut bytes = Vec::new();
        let first = self.send_batch(N, |first| {
            for (number, question) in (first..).zip(&mut questions) {
                bytes.extend_from_slice(question.finish(number));
            }
            bytes.as_slice()
        })?;
        let mut left = N;
        let mut visited = Ok(());
        while left > 0 {
            for message in self.receive()? {
                let message = message?;
                let place =
                    message.header.sequence.checked_sub(first).and_then(|it| usize::try_from(it).ok());
                let Some(place) = place.filter(|place| *place < N) else { continue };
                left = left.saturating_sub(1);
                if visited.is_ok() {
                    let answer = message.acknowledgement().transpose()?;
                    visited = visit(
                        place,
                        answer.as_ref().map_or(Ok(&message), |it| Err(Refusal::from_answer(it))),
                    );
                }
            }
        }
        self.busy = false;
        Ok(visited?)
    }

    /// Sends a packet filter batch in one datagram and waits until it is in force, or refused whole.
    pub(super) fn transaction(&mut self, batch: Batch) -> Result<(), Refusal> {
        let first = self.sequence.wrapping_add(1).max(1);
        // Numbers of one batch follow each other, so they must not pass zero.
        let first = if first.checked_add(batch.sequences()).is_some() { first } else { 1 };
        self.sequence = first.wrapping_add(batch.sequences());
        let (bytes, last) = batch.finish(first);
        self.busy = true;
        transmit(&self.descriptor, &bytes)?;
        // Each refused message answers for itself, in order; the last one answers always, unless the batch was refused
        // before it was looked into. A batch that cannot be committed is refused under the number of its beginning.
        let mut refused = None;
        loop {
            for message in self.receive()? {
                let message = message?;
                let sequence = message.header.sequence;
                if !(first..=last).contains(&sequence) {
                    continue;
                }
                let Some(answer) = message.acknowledgement().transpose()? else { continue };
                if answer.errno != 0 && refused.is_none() {
                    refused = Some(Refusal::from_answer(&answer));
                }
                if sequence == last || (sequence == first && answer.errno != 0) {
                    self.busy = false;
                    return refused.map_or(Ok(()), Err);
                }
            }
        }
    }

    /// Dumps a table once, each message to `visit`, and tells whether it stood still meanwhile.
    pub(super) fn dump(
        &mut self,
        request: &mut Request,
        mut visit: impl FnMut(&Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<Consistency, Refusal> {
        let sequence = self.send(request)?;
        let mut consistency = Consistency::Consistent;
        loop {
            for message in self.receive()? {
                let message = message?;
                if message.header.sequence != sequence {
                    continue;
                }
                if message.header.flags & DUMP_INTERRUPTED != 0 {
                    consistency = Consistency::Interrupted;
                }
                if let Some(errno) = message.done() {
                    self.busy = false;
                    return if errno == 0 { Ok(consistency) } else { Err(Refusal { errno, words: None }) };
                }
                match message.acknowledgement().transpose()? {
                    Some(answer) => {
                        let words = answer.message.map(|words| words.to_owned().into());
                        let refusal = Refusal { errno: answer.errno, words };
                        self.busy = false;
                        return Err(refusal);
                    }
                    None => visit(&message)?,
                }
            }
        }
    }

    /// Dumps a table until it stood still: `start` gives an empty collection for each attempt, `visit` fills it.
    pub(super) fn snapshot<T>(
        &mut self,
        request: &mut Request,
        start: impl Fn() -> T,
        visit: impl FnMut(&mut T, &Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<T, Refusal> {
        let mut rows = start();
        self.snapshot_into(request, &mut rows, |rows| *rows = start(), visit)?;
        Ok(rows)
    }

    /// Dumps a table until it stood still into `rows`, from which `restart` takes the rows of an attempt that failed.
    pub(super) fn snapshot_into<T>(
        &mut self,
        request: &mut Request,
        rows: &mut T,
        restart: impl Fn(&mut T),
        mut visit: impl FnMut(&mut T, &Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), Refusal> {
        for _ in 0..DUMP_ATTEMPTS {
            restart(rows);
            if self.dump(request, |message| visit(rows, message))? == Consistency::Consistent {
                return Ok(());
            }
        }
        Err(Refusal { errno: libc::EINTR, words: Some("the table changed during each of ten dumps".into()) })
    }

    /// Whether answers may still be under way.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Says that the socket must not be used again.
    pub(super) fn set_busy(&mut self) {
        self.busy = true;
    }

    /// Says that a caller which receives by itself has read its answers to the end.
    pub(super) fn set_idle(&mut self) {
        self.busy = false;
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn transmit(descriptor: &OwnedFd, bytes: &[u8]) -> Result<(), Refusal> {
    #[cfg(test)]
    killed::before_a_datagram(bytes).and_then(|()| lacking::before_a_datagram(descriptor, bytes))?;
    #[cfg(test)]
    let bytes = &lacking::as_it_is_read(bytes);
    let sent = retry_on_intr(|| rustix::net::send(descriptor, bytes, SendFlags::empty()))?;
    if sent == bytes.len() { Ok(()) } else { Err(Refusal::of(libc::EIO)) }
}

/// An IPv6 route that the kernel takes for its own, made from a router's advertisement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct AdvertisedRoute {
    pub(super) interface: u32,
    /// Prefix and its length; the length is 0 for a default route.
    pub(super) destination: (Ipv6Addr, u8),
    /// `None`: the prefix is on the link.
    pub(super) router: Option<Ipv6Addr>,
    pub(super) metric: u32,
    /// RFC 4191: 0 medium, 1 high, 3 low.
    pub(super) preference: u8,
    /// Clock ticks (`USER_HZ`) that it stays; `None`: for ever.
    pub(super) expires: Option<u32>,
}

impl AdvertisedRoute {
    /// Adds the route to the main table of the calling thread's namespace.
    ///
    /// By `ioctl`, since rtnetlink has no word for the flags by which the kernel finds the route again at the next
    /// advertisement.
    pub(super) fn add(&self) -> Result<(), Errno> {
        #[cfg(test)]
        killed::before_a_write().map_err(|_| Errno::OWNERDEAD)?;
        // include/uapi/linux/ipv6_route.h
        const DEFAULT: u32 = 0x0001_0000;
        const ADVERTISED: u32 = 0x0004_0000;
        const ON_LINK: u32 = 0x0008_0000;
        const EXPIRES: u32 = 0x0040_0000;
        const ROUTE_INFORMATION: u32 = 0x0080_0000;
        const PREFERENCE_SHIFT: u32 = 27;
        const UP: u32 = 0x1;
        const GATEWAY: u32 = 0x2;
        /// `struct in6_rtmsg`; libc keeps the fields of its own private.
        #[repr(C)]
        struct Message {
            destination: [u8; 16],
            source: [u8; 16],
            gateway: [u8; 16],
            kind: u32,
            destination_len: u16,
            source_len: u16,
            metric: u32,
            expires: libc::c_ulong,
            flags: u32,
            interface: libc::c_int,
        }
        const { assert!(size_of::<Message>() == size_of::<libc::in6_rtmsg>()) }
        let preference = u32::from(self.preference & 3) << PREFERENCE_SHIFT;
        let (prefix, prefix_len) = self.destination;
        let kind = match (self.router, prefix_len) {
            (None, _) => ON_LINK,
            (Some(_), 0) => GATEWAY | DEFAULT | preference,
            (Some(_), _) => GATEWAY | ROUTE_INFORMATION | preference,
        };
        let expiry = if self.expires.is_some() { EXPIRES } else { 0 };
        let message = Message {
            destination: prefix.octets(),
            source: [0; 16],
            gateway: self.router.unwrap_or(Ipv6Addr::UNSPECIFIED).octets(),
            kind: 0,
            destination_len: prefix_len.into(),
            source_len: 0,
            metric: self.metric,
            expires: self.expires.unwrap_or(0).into(),
            flags: UP | ADVERTISED | kind | expiry,
            interface: i32::try_from(self.interface).map_err(|_| Errno::INVAL)?,
        };
        let socket =
            rustix::net::socket_with(AddressFamily::INET6, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        // SAFETY: `socket` is open for the call's duration, and SIOCADDRT on an IPv6 socket reads a `struct in6_rtmsg`,
        // which `message` is and outlives the call.
        let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCADDRT, &raw const message) };
        if result == 0 { Ok(()) } else { Err(last_errno()) }
    }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

fn set_netlink_option(
    descriptor: BorrowedFd<'_>,
    option: libc::c_int,
    value: libc::c_int,
) -> Result<(), Errno> {
    let len = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    // SAFETY: `descriptor` is open for the call's duration, and the value points to a live int whose size is `len`.
    let result = unsafe {
        libc::setsockopt(
            descriptor.as_raw_fd(),
            libc::SOL_NETLINK,
            option,
            std::ptr::from_ref(&value).cast(),
            len,
        )
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

#[cfg(test)]
mod tests {
    use super::scripted::{acknowledgement, done, message};
    use super::*;
    use iphelper_netlink::message::DUMP;

    const KIND: u16 = 100;

    fn snapshot(answers: &[Vec<u8>]) -> (Result<Vec<u8>, i32>, Socket) {
        let (mut socket, _kernel) = scripted::socket(answers);
        let rows = socket.snapshot(&mut Request::new(KIND, DUMP, &[]), Vec::new, |rows, message| {
            rows.extend(message.payload);
            Ok(())
        });
        (rows.map_err(|refusal| refusal.errno()), socket)
    }

    #[test]
    fn a_dump_that_was_interrupted_is_read_again() {
        let first =
            [message(KIND, DUMP_INTERRUPTED, 1, b"old."), message(KIND, 0, 1, b"gone"), done(1, false, 0)];
        let second = [message(KIND, 0, 2, b"new."), done(2, true, 0)];
        let third = [message(KIND, 0, 3, b"last"), done(3, false, 0)];
        let (rows, socket) = snapshot(&[first.concat(), second.concat(), third.concat()]);
        assert_eq!(rows, Ok(b"last".to_vec()));
        assert!(!socket.is_busy());
    }

    #[test]
    fn a_table_that_never_stands_still_is_an_error() {
        let answers: Vec<_> = (1..=10).map(|sequence| done(sequence, true, 0)).collect();
        let (rows, _) = snapshot(&answers);
        assert_eq!(rows, Err(libc::EINTR));
        assert_eq!(kind_of(libc::EINTR), ErrorKind::Interrupted);
    }

    #[test]
    fn a_dump_may_fail_at_its_end_or_before() {
        assert_eq!(
            snapshot(&[[message(KIND, 0, 1, b"some"), done(1, false, libc::EIO)].concat()]).0,
            Err(libc::EIO)
        );
        assert_eq!(snapshot(&[acknowledgement(1, libc::ENOENT)]).0, Err(libc::ENOENT));
    }

    #[test]
    fn answers_to_an_earlier_request_are_passed_over() {
        let answers = [
            message(KIND, 0, 77, b"late"),
            message(KIND, 0, 1, b"mine"),
            done(77, true, 5),
            done(1, false, 0),
        ];
        assert_eq!(snapshot(&[answers.concat()]).0, Ok(b"mine".to_vec()));
    }

    #[test]
    fn garbage_is_an_error_and_the_socket_is_not_used_again() {
        let (rows, socket) = snapshot(&[vec![9; 40]]);
        assert_eq!(rows, Err(libc::EBADMSG));
        assert!(socket.is_busy());
        let pool = scripted::pool(socket);
        let _ = pool.take().unwrap();
        assert!(pool.idle().unwrap().is_empty());
    }
}
