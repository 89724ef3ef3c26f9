//! Deletion of sockets: many requests in one datagram, so that one system call deletes many.
//!
//! The kernel works through the messages of a datagram in order, within the call that sends it. A refusal is always
//! answered, a success only to [`ACK`]; so a batch asks for the acknowledgement of its last message alone, and
//! whatever has not been refused when that one arrives has succeeded.

use super::DESTROY;
use super::inet::{Protocol, SocketId};
use crate::message::{ACK, HEADER_LEN, REQUEST};

/// Length of one message: header and `struct inet_diag_req_v2`.
const MESSAGE_LEN: usize = HEADER_LEN + 56;

/// Messages under construction, numbered one after the other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DestroyBatch {
    bytes: Vec<u8>,
}

impl DestroyBatch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Appends the deletion of one socket under its own sequence number.
    pub fn push(&mut self, id: &SocketId, protocol: Protocol, sequence: u32) {
        let len = u32::try_from(MESSAGE_LEN).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&len.to_ne_bytes());
        self.bytes.extend_from_slice(&DESTROY.to_ne_bytes());
        self.bytes.extend_from_slice(&REQUEST.to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        id.write(protocol, &mut self.bytes);
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / MESSAGE_LEN
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes all messages out.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The bytes to send, the last message asking for an acknowledgement.
    pub fn finish(&mut self) -> &[u8] {
        if let Some(last) = self.bytes.len().checked_sub(MESSAGE_LEN)
            && let Some(flags) = self.bytes.get_mut(last + 6..last + 8)
        {
            flags.copy_from_slice(&(REQUEST | ACK).to_ne_bytes());
        }
        &self.bytes
    }
}
