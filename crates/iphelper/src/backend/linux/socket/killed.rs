//! A caller that is killed between two writes, for tests: from some write on, its thread reaches the kernel with none.
//!
//! Reads are not counted: killed before one is killed after the last write.

use super::Refusal;
use iphelper_netlink::message::Messages;
use std::cell::Cell;

/// How far a thread has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Life {
    Endless,
    /// So many writes are left.
    Left(u32),
    Dead,
}

thread_local! {
    static LIFE: Cell<Life> = const { Cell::new(Life::Endless) };
    static SPLITS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which writes at most so often on this thread; what it gave, and whether it was killed. A datagram is one
/// write: the kernel works it off, whatever becomes of its sender.
pub(in crate::backend::linux) fn after<T>(writes: u32, work: impl FnOnce() -> T) -> (T, bool) {
    LIFE.set(Life::Left(writes));
    let result = work();
    (result, LIFE.replace(Life::Endless) == Life::Dead)
}

/// The same where long lists of messages go out in several datagrams: each message is one, so that each boundary which
/// a longer list would have is met.
pub(in crate::backend::linux) fn after_messages<T>(messages: u32, work: impl FnOnce() -> T) -> (T, bool) {
    SPLITS.set(true);
    let result = after(messages, work);
    SPLITS.set(false);
    result
}

/// Whether a list of messages is sent one by one.
pub(in crate::backend::linux) fn splits() -> bool {
    SPLITS.get()
}

/// Called before each write that is no message.
pub(in crate::backend::linux) fn before_a_write() -> Result<(), Refusal> {
    let (life, alive) = match LIFE.get() {
        Life::Endless => return Ok(()),
        Life::Left(left @ 1..) => (Life::Left(left - 1), true),
        Life::Left(0) | Life::Dead => (Life::Dead, false),
    };
    LIFE.set(life);
    if alive { Ok(()) } else { Err(Refusal::of(libc::EOWNERDEAD)) }
}

/// Called before each datagram.
pub(super) fn before_a_datagram(bytes: &[u8]) -> Result<(), Refusal> {
    let first = Messages::new(bytes).next().and_then(Result::ok);
    if first.is_some_and(|message| is_read(message.header.kind)) { Ok(()) } else { before_a_write() }
}

/// Whether a request only asks (`RTM_GET*`, `NFT_MSG_GET*`).
fn is_read(kind: u16) -> bool {
    const NF_TABLES: u16 = 10;
    match kind.to_be_bytes() {
        [subsystem, kind] if u16::from(subsystem) == NF_TABLES => matches!(kind, 1 | 4 | 7 | 10 | 13 | 16),
        _ => kind > 16 && kind % 4 == 2,
    }
}
