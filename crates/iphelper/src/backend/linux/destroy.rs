//! Deletion of sockets by the kernel (`SOCK_DESTROY`), for TCP and UDP.

use super::socket::{Pool, Refusal, Socket};
use super::thread::start_helper;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::sock_diag::destroy::DestroyBatch;
use iphelper_netlink::sock_diag::inet::{Protocol, SocketId};
use rustix::net::RecvFlags;
use std::sync::Arc;

/// Room that one refusal takes in the receive buffer, with the kernel's own bookkeeping (768 on x86-64).
const ANSWER_SPACE: usize = 1536;
/// More messages in a datagram make nothing faster.
const LARGEST_BATCH: usize = 256;
/// Fewer sockets than this are deleted before a thread has started.
const WORTH_A_THREAD: usize = 1000;
/// More threads than this wait for each other.
const MOST_THREADS: usize = 4;

/// Deletes each of `sockets`, many of them by several threads; the errno of each, 0 for success.
pub(super) fn destroy_all(pool: &Arc<Pool>, protocol: Protocol, sockets: &[SocketId]) -> Result<Vec<i32>> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (sockets.len() / WORTH_A_THREAD).clamp(1, processors.min(MOST_THREADS));
    let mut parts = sockets.chunks(sockets.len().div_ceil(threads).max(1));
    let first = parts.next().unwrap_or_default();
    let mut socket = pool.take()?;
    std::thread::scope(|scope| {
        let helpers: Vec<_> = parts
            .map(|part| {
                let work = || pool.take().map(|mut socket| destroy(&mut socket, protocol, part));
                (part, start_helper(scope, "iphelper-delete", work))
            })
            .collect();
        let mut outcomes = destroy(&mut socket, protocol, first);
        for (part, helper) in helpers {
            let helped =
                helper.map(|helper| helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            match helped {
                Some(Ok(part)) => outcomes.extend(part),
                // No thread, or no second socket: the first thread does this part, too.
                _ => outcomes.extend(destroy(&mut socket, protocol, part)),
            }
        }
        Ok(outcomes)
    })
}

/// Deletes each of `sockets`; the errno of each, 0 for success.
///
/// One datagram deletes many. Refusals are always answered, so no more go into a datagram than there is room for
/// refusals: none is lost.
pub(super) fn destroy(socket: &mut Socket, protocol: Protocol, sockets: &[SocketId]) -> Vec<i32> {
    let batch_len = (socket.receive_space() / ANSWER_SPACE).clamp(1, LARGEST_BATCH);
    let mut outcomes = Vec::with_capacity(sockets.len());
    let mut batch = DestroyBatch::new();
    for part in sockets.chunks(batch_len) {
        let start = outcomes.len();
        outcomes.resize(start + part.len(), 0);
        let answers = outcomes.get_mut(start..).unwrap_or_default();
        if let Err(refusal) = destroy_batch(socket, protocol, part, &mut batch, answers) {
            // What became of these is not known: say why, and go no further.
            answers.fill(refusal.errno());
            outcomes.resize(sockets.len(), refusal.errno());
            break;
        }
    }
    outcomes
}

fn destroy_batch(
    socket: &mut Socket,
    protocol: Protocol,
    part: &[SocketId],
    batch: &mut DestroyBatch,
    answers: &mut [i32],
) -> Result<(), Refusal> {
    batch.clear();
    let first = socket.send_batch(part.len(), |first| {
        for (id, sequence) in part.iter().zip(first..) {
            batch.push(id, protocol, sequence);
        }
        batch.finish()
    })?;
    let mut complete = false;
    while !complete {
        // The kernel has answered by the time that the datagram is sent.
        for message in socket.receive_with(RecvFlags::DONTWAIT)? {
            let message = message?;
            let Some(answer) = message.acknowledgement().transpose()? else { continue };
            let position = message.header.sequence.wrapping_sub(first);
            let Ok(position) = usize::try_from(position) else { continue };
            if let Some(field) = answers.get_mut(position) {
                *field = answer.errno;
                complete |= position + 1 == part.len();
            }
        }
    }
    socket.set_idle();
    Ok(())
}

/// The error that an errno of [`destroy`] is.
pub(super) fn refused(errno: i32, operation: &'static str) -> Error {
    let kind = super::socket::kind_of(errno);
    let error = Error::new(kind, operation).with_errno(errno);
    match errno {
        libc::ENOENT => error.because("it is gone, or its ends belong to a later one"),
        libc::EOPNOTSUPP => error.because("this kernel is built without CONFIG_INET_DIAG_DESTROY"),
        libc::EPERM => error.because("needs CAP_NET_ADMIN over the network namespace"),
        // What the kernel answers for the listener of a Multipath TCP socket.
        libc::EINVAL => error
            .with_kind(ErrorKind::NotSupported)
            .because("the kernel does not delete sockets of this kind (Multipath TCP listeners)"),
        _ => error,
    }
}
