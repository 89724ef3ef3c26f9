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

#[cfg(test)]
mod tests {
    use super::super::socket::scripted::{self, acknowledgement};
    use super::*;
    use std::net::Ipv4Addr;

    fn ids(count: u64) -> Vec<SocketId> {
        let id = |cookie| SocketId {
            family: 2,
            local: Ipv4Addr::LOCALHOST.into(),
            local_port: 1,
            remote: Ipv4Addr::LOCALHOST.into(),
            remote_port: 2,
            interface: 0,
            cookie,
        };
        (1..=count).map(id).collect()
    }

    #[test]
    fn refusals_find_their_rows_and_silence_is_success() {
        // Two refusals in one datagram, one alone, and the acknowledgement of the last message.
        let answers = [
            [acknowledgement(2, libc::ENOENT), acknowledgement(4, libc::EPERM)].concat(),
            acknowledgement(5, libc::ENOENT),
            acknowledgement(900, libc::EIO),
            acknowledgement(6, 0),
        ];
        let (mut socket, kernel) = scripted::socket(&answers);
        let outcomes = destroy(&mut socket, Protocol::Tcp, &ids(6));
        assert_eq!(outcomes, [0, libc::ENOENT, 0, libc::EPERM, libc::ENOENT, 0]);
        assert!(!socket.is_busy());
        assert_eq!(kernel.recv(&mut [0; 4096]).unwrap(), 6 * 72, "one datagram");
    }

    #[test]
    fn a_refusal_of_the_last_message_ends_a_batch_too() {
        let (mut socket, _kernel) = scripted::socket(&[acknowledgement(3, libc::ENOENT)]);
        assert_eq!(destroy(&mut socket, Protocol::Tcp, &ids(3)), [0, 0, libc::ENOENT]);
    }

    #[test]
    fn answers_that_are_lost_are_no_success() {
        let (mut socket, kernel) = scripted::socket(&[acknowledgement(1, libc::ENOENT)]);
        let batch = socket.receive_space() / ANSWER_SPACE;
        let count = u64::try_from(3 * batch.clamp(1, LARGEST_BATCH)).unwrap();
        let outcomes = destroy(&mut socket, Protocol::Tcp, &ids(count));
        assert!(outcomes.iter().all(|errno| *errno == libc::EAGAIN), "{outcomes:?}");
        assert_eq!(u64::try_from(outcomes.len()).unwrap(), count);
        assert!(socket.is_busy(), "late answers must reach nobody");
        let _ = kernel.recv(&mut [0; 64 * 1024]).unwrap();
        assert!(kernel.recv(&mut [0; 64 * 1024]).is_err(), "nothing was sent after that");
    }

    #[test]
    fn refusals_say_what_is_missing() {
        let said = |errno| {
            let error = refused(errno, "deleting");
            (error.kind(), error.to_string())
        };
        let (kind, text) = said(libc::EOPNOTSUPP);
        assert!(kind == ErrorKind::NotSupported && text.contains("CONFIG_INET_DIAG_DESTROY"), "{text}");
        assert_eq!(said(libc::ENOENT).0, ErrorKind::NotFound);
        assert_eq!(said(libc::EPERM).0, ErrorKind::AccessDenied);
        assert_eq!(said(libc::EINVAL).0, ErrorKind::NotSupported);
        assert_eq!(said(libc::ENOMEM).0, ErrorKind::OutOfMemory);
    }

    #[test]
    fn nothing_to_delete_sends_nothing() {
        let (mut socket, kernel) = scripted::socket(&[]);
        assert!(destroy(&mut socket, Protocol::Tcp, &[]).is_empty());
        assert!(kernel.recv(&mut [0; 16]).is_err());
    }
}
