//! A kernel that lacks something, for tests: what is sent on this thread is refused by kind.

use super::Refusal;
use iphelper_netlink::message::Messages;
use rustix::net::netlink;
use std::cell::RefCell;
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
