//! The message header, acknowledgements and the kernel's extended errors.

use crate::DecodeError;
use crate::attribute::{AttributeWriter, Attributes};

/// Length of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

/// `NLMSG_NOOP`: nothing, skip it.
pub const NOOP: u16 = 1;
/// `NLMSG_ERROR`: an acknowledgement or a refusal, see [`Acknowledgement`].
pub const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump; its payload carries the dump's own errno.
pub const DONE: u16 = 3;

/// `NLM_F_REQUEST`: a request to the kernel.
pub const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer even on success.
pub const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the table changed while it was dumped, so the dump is no snapshot.
pub const DUMP_INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`: the whole table.
pub const DUMP: u16 = 0x300;
/// `NLM_F_REPLACE`: what is there already is changed.
pub const REPLACE: u16 = 0x100;
/// `NLM_F_EXCL`: what is there already is an error.
pub const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`: what is not there yet is made.
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`: put behind what is there already.
pub const APPEND: u16 = 0x800;
/// `NLM_F_CAPPED`: the refused message is not repeated whole in the answer.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: extended error attributes follow.
const ACK_ATTRIBUTES: u16 = 0x200;

/// Rounds up to netlink's four-byte alignment.
pub(crate) const fn align(len: usize) -> usize {
    (len + 3) & !3
}

/// `struct nlmsghdr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Length of the message with this header.
    pub len: u32,
    /// Message type.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// Chosen by the requester, repeated in every answer; 0 in notifications.
    pub sequence: u32,
    /// Port of the requester; 0 is the kernel.
    pub port: u32,
}

/// One message, borrowed from the receive buffer.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// What follows the header, padding taken off.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The kernel's answer, if this message is one (`NLMSG_ERROR`).
    #[must_use]
    pub fn acknowledgement(&self) -> Option<Result<Acknowledgement<'a>, DecodeError>> {
        (self.header.kind == ERROR).then(|| Acknowledgement::parse(self))
    }

    /// The dump's errno, if this message ends one (`NLMSG_DONE`); 0 is success.
    #[must_use]
    pub fn done(&self) -> Option<i32> {
        let errno =
            || self.payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes).wrapping_neg());
        (self.header.kind == DONE).then(errno)
    }

    /// The fixed part of `N` bytes and the attributes after it.
    pub fn split<const N: usize>(
        &self,
        what: &'static str,
    ) -> Result<(&'a [u8; N], Attributes<'a>), DecodeError> {
        let (fixed, _) =
            self.payload.split_first_chunk().ok_or(DecodeError::new(what, N, self.payload.len()))?;
        Ok((fixed, Attributes::new(self.payload.get(align(N)..).unwrap_or_default())))
    }
}

/// Walks the messages of one received datagram.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Reads `datagram` as a sequence of messages.
    #[must_use]
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let available = self.rest.len();
        let Some((header, _)) = self.rest.split_first_chunk::<HEADER_LEN>() else {
            self.rest = &[];
            return Some(Err(DecodeError::new("message header", HEADER_LEN, available)));
        };
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3] = *header;
        let header = Header {
            len: u32::from_ne_bytes([l0, l1, l2, l3]),
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
        };
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let Some(payload) = self.rest.get(HEADER_LEN..len) else {
            self.rest = &[];
            return Some(Err(DecodeError::new("message", len.max(HEADER_LEN), available)));
        };
        self.rest = self.rest.get(align(len)..).unwrap_or_default();
        Some(Ok(Message { header, payload }))
    }
}

/// The kernel's answer to one request: success, or an errno with its own words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Acknowledgement<'a> {
    /// The errno, positive; 0 is success.
    pub errno: i32,
    /// Sequence number of the request that is answered.
    pub sequence: u32,
    /// `NLMSGERR_ATTR_MSG`: why, in the kernel's words. Present on success too, as a warning.
    pub message: Option<&'a str>,
    /// `NLMSGERR_ATTR_OFFS`: offset in the request of the attribute that was refused.
    pub offset: Option<u32>,
    /// `NLMSGERR_ATTR_MISS_TYPE`: type of an attribute that the request lacks.
    pub missing: Option<u32>,
}

impl<'a> Acknowledgement<'a> {
    const MESSAGE: u16 = 1;
    const OFFSET: u16 = 2;
    const MISSING: u16 = 5;

    fn parse(message: &Message<'a>) -> Result<Self, DecodeError> {
        let payload = message.payload;
        let errno = payload.first_chunk().ok_or(DecodeError::new("nlmsgerr", 4, payload.len()))?;
        let mut answer = Self {
            // The kernel sends -errno; garbage stays a garbage errno.
            errno: i32::from_ne_bytes(*errno).wrapping_neg(),
            sequence: message.header.sequence,
            message: None,
            offset: None,
            missing: None,
        };
        if message.header.flags & ACK_ATTRIBUTES == 0 {
            return Ok(answer);
        }
        // The header of the refused request follows, and unless capped its whole payload.
        let request_len =
            payload.get(4..8).and_then(|len| len.first_chunk()).map_or(0, |len| u32::from_ne_bytes(*len));
        let repeated = if message.header.flags & CAPPED != 0 {
            HEADER_LEN
        } else {
            usize::try_from(request_len).unwrap_or(usize::MAX).max(HEADER_LEN)
        };
        let start = align(repeated.min(payload.len())) + 4;
        for attribute in Attributes::new(payload.get(start..).unwrap_or_default()) {
            let attribute = attribute?;
            match attribute.kind {
                Self::MESSAGE => answer.message = std::str::from_utf8(attribute.c_bytes()).ok(),
                Self::OFFSET => answer.offset = Some(attribute.u32()?),
                Self::MISSING => answer.missing = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(answer)
    }
}

/// A request under construction; attributes are appended with [`AttributeWriter`].
///
/// The sequence number is 0 until [`Request::finish`] writes length and number, which the socket does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Starts a message of type `kind` with the fixed part `body`. [`REQUEST`] is always among the flags.
    #[must_use]
    pub fn new(kind: u16, flags: u16, body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_LEN + align(body.len()) + 64);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(body);
        bytes.resize(align(bytes.len()), 0);
        Self { bytes }
    }

    /// Writes length and sequence number and gives the bytes to send.
    pub fn finish(&mut self, sequence: u32) -> &[u8] {
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(field) = self.bytes.get_mut(0..4) {
            field.copy_from_slice(&len.to_ne_bytes());
        }
        if let Some(field) = self.bytes.get_mut(8..12) {
            field.copy_from_slice(&sequence.to_ne_bytes());
        }
        &self.bytes
    }

    /// The same request, answered only if it is refused.
    #[must_use]
    pub fn unacknowledged(mut self) -> Self {
        if let Some([low, high]) = self.bytes.get_mut(6..8) {
            [*low, *high] = (u16::from_ne_bytes([*low, *high]) & !ACK).to_ne_bytes();
        }
        self
    }

    /// Whether the kernel is asked for a whole table.
    #[must_use]
    pub fn is_dump(&self) -> bool {
        let flags =
            self.bytes.get(6..8).and_then(|flags| flags.first_chunk()).map_or(0, |f| u16::from_ne_bytes(*f));
        flags & DUMP == DUMP
    }
}

impl AttributeWriter for Request {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_reads_back() {
        let mut request = Request::new(18, DUMP, &[1, 2, 3]);
        let _ = request.attribute_u32(7, 42);
        assert!(request.is_dump());
        let bytes = request.finish(99).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!((message.header.kind, message.header.sequence), (18, 99));
        assert_eq!(message.header.flags, REQUEST | DUMP);
        let (fixed, mut attributes) = message.split::<3>("three bytes").unwrap();
        assert_eq!(fixed, &[1, 2, 3]);
        assert_eq!(Request::new(18, ACK | CREATE, &[]).unacknowledged(), Request::new(18, CREATE, &[]));
        assert_eq!(attributes.next().unwrap().unwrap().u32(), Ok(42));
    }

    #[test]
    fn an_extended_error_is_read_behind_the_capped_request() {
        let mut payload = Vec::new();
        payload.extend_from_slice(&(-22_i32).to_ne_bytes());
        payload.extend_from_slice(&[0; HEADER_LEN]);
        let _ = payload.attribute_name(1, b"Router advertisement is disabled on device").attribute_u32(2, 36);
        let mut bytes = Request::new(ERROR, CAPPED | ACK_ATTRIBUTES, &payload);
        let bytes = bytes.finish(5).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let answer = message.acknowledgement().unwrap().unwrap();
        assert_eq!((answer.errno, answer.sequence, answer.offset), (22, 5, Some(36)));
        assert_eq!(answer.message, Some("Router advertisement is disabled on device"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for message in Messages::new(&bytes).flatten() {
                let _ = message.acknowledgement();
                let _ = message.done();
                let _ = message.split::<8>("eight bytes");
            }
        }
    }
}
