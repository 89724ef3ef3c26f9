//! A kernel that lacks something, for tests: what is sent on this thread is refused by kind.

use super::Refusal;
use iphelper_netlink::message::{HEADER_LEN, Messages};
use rustix::net::netlink;
use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;

/// What is sent: the kind of a datagram's first message, and to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux) enum Sent {
    Netfilter(u16),
    Other(u16),
}

/// The errno with which a datagram is refused.
type Judge = Box<dyn FnMut(Sent) -> Option<i32>>;

thread_local! {
    static UNKNOWN: Cell<Option<Attribute>> = const { Cell::new(None) };
    static JUDGE: RefCell<Option<Judge>> = const { RefCell::new(None) };
}

/// Runs `work` with a kernel that refuses what `judge` says.
pub(in crate::backend::linux) fn with<T>(
    judge: impl FnMut(Sent) -> Option<i32> + 'static,
    work: impl FnOnce() -> T,
) -> T {
    JUDGE.set(Some(Box::new(judge)));
    let result = work();
    JUDGE.set(None);
    result
}

/// An attribute of messages of one kind, whose fixed part is so long.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::linux) struct Attribute {
    pub(in crate::backend::linux) message: u16,
    pub(in crate::backend::linux) fixed_len: usize,
    pub(in crate::backend::linux) kind: u16,
}

/// Runs `work` with a kernel that does not know an attribute, and so overlooks it.
pub(in crate::backend::linux) fn without<T>(attribute: Attribute, work: impl FnOnce() -> T) -> T {
    UNKNOWN.set(Some(attribute));
    let result = work();
    UNKNOWN.set(None);
    result
}

/// A datagram as such a kernel reads it: the attribute has a number that no kernel knows.
pub(super) fn as_it_is_read(datagram: &[u8]) -> Vec<u8> {
    const KIND_OF_NO_KERNEL: u16 = 0x3fff;
    let mut bytes = datagram.to_vec();
    let Some(unknown) = UNKNOWN.get() else { return bytes };
    let half = |at: usize| u16::from_ne_bytes([datagram[at], datagram[at + 1]]);
    let mut start = 0;
    while start + HEADER_LEN <= datagram.len() {
        let len = [0, 1, 2, 3].map(|byte| datagram[start + byte]);
        let end = start + usize::try_from(u32::from_ne_bytes(len)).unwrap();
        if half(start + 4) == unknown.message {
            let mut attribute = start + HEADER_LEN + unknown.fixed_len;
            while attribute + 4 <= end {
                if half(attribute + 2) == unknown.kind {
                    bytes[attribute + 2..attribute + 4].copy_from_slice(&KIND_OF_NO_KERNEL.to_ne_bytes());
                }
                attribute += usize::from(half(attribute)).next_multiple_of(4).max(4);
            }
        }
        start = end.next_multiple_of(4);
    }
    bytes
}

/// Called before each datagram.
pub(super) fn before_a_datagram(descriptor: &OwnedFd, bytes: &[u8]) -> Result<(), Refusal> {
    let Some(Ok(first)) = Messages::new(bytes).next() else { return Ok(()) };
    let protocol = rustix::net::sockopt::socket_protocol(descriptor);
    let sent = match protocol {
        Ok(Some(netlink::NETFILTER)) => Sent::Netfilter(first.header.kind),
        _ => Sent::Other(first.header.kind),
    };
    let errno = JUDGE.with_borrow_mut(|judge| judge.as_mut().and_then(|judge| judge(sent)));
    errno.map_or(Ok(()), |errno| Err(Refusal::of(errno)))
}
