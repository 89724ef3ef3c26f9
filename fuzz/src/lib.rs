//! Input for readers of messages.

use iphelper_netlink::message::{HEADER_LEN, Header, Message};

/// The message of this type whose payload is `payload`.
pub fn message(kind: u16, payload: &[u8]) -> Message<'_> {
    let len = u32::try_from(HEADER_LEN + payload.len()).unwrap_or(u32::MAX);
    Message { header: Header { len, kind, flags: 0, sequence: 1, port: 0 }, payload }
}
