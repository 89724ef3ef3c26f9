//! A kernel whose answers were written before: refusals and races on demand.

use super::{Pool, Protocol, RECEIVE_BUFFER, Socket};
use crate::backend::linux::namespace::Namespace;
use iphelper_netlink::message::{DONE, DUMP_INTERRUPTED, ERROR};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

/// A socket that receives `answers`, and the other end, which takes its requests. Requests are numbered from 1.
pub(in crate::backend::linux) fn socket(answers: &[Vec<u8>]) -> (Socket, UnixDatagram) {
    let (ours, kernel) = UnixDatagram::pair().unwrap();
    for answer in answers {
        assert_eq!(kernel.send(answer).unwrap(), answer.len());
    }
    kernel.set_nonblocking(true).unwrap();
    let socket = Socket {
        descriptor: ours.into(),
        port: 0,
        sequence: 0,
        buffer: vec![0; RECEIVE_BUFFER],
        busy: false,
    };
    (socket, kernel)
}

/// A pool of this one socket.
pub(in crate::backend::linux) fn pool(socket: Socket) -> Arc<Pool> {
    let pool = Pool::new(Arc::new(Namespace::current().unwrap()), Protocol::SockDiag);
    pool.idle().unwrap().push(socket);
    Arc::new(pool)
}

/// One message.
pub(in crate::backend::linux) fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(u32::try_from(16 + payload.len()).unwrap().to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend([0; 4]);
    message.extend(payload);
    message
}

/// The end of a dump.
pub(in crate::backend::linux) fn done(sequence: u32, interrupted: bool, errno: i32) -> Vec<u8> {
    let flags = if interrupted { DUMP_INTERRUPTED } else { 0 };
    message(DONE, flags, sequence, &(-errno).to_ne_bytes())
}

/// An acknowledgement, or a refusal.
pub(in crate::backend::linux) fn acknowledgement(sequence: u32, errno: i32) -> Vec<u8> {
    let mut payload = (-errno).to_ne_bytes().to_vec();
    payload.extend([0; 16]);
    message(ERROR, 0, sequence, &payload)
}
