//! A transaction: messages between a beginning and an end, applied whole or not at all.

use super::Generation;
use crate::attribute::AttributeWriter;
use crate::message::{ACK, Request};

/// `NFNL_MSG_BATCH_BEGIN`.
const BEGIN: u16 = 16;
/// `NFNL_MSG_BATCH_END`.
const END: u16 = 17;
/// `nfgenmsg` of both: no family, version 0, resource: the subsystem in network order.
const FIXED: [u8; 4] = [0, 0, 0, 10];

/// Several changes of one transaction, to be sent in one datagram.
///
/// The kernel answers a batch with the errors of its messages, each under its message's sequence number, or under that
/// of the beginning where the whole failed; and acknowledges the last message once all is in force.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each message begins, the batch's beginning among them.
    starts: Vec<usize>,
}

impl Batch {
    /// An empty batch. With a generation, the kernel refuses the batch (`ERESTART`) if the rule set is another by then.
    #[must_use]
    pub fn new(generation: Option<Generation>) -> Self {
        const GENERATION: u16 = 1;
        let mut batch = Self { bytes: Vec::new(), starts: Vec::new() };
        let mut begin = Request::new(BEGIN, 0, &FIXED);
        if let Some(generation) = generation {
            let _ = begin.attribute(GENERATION, &generation.0.to_be_bytes());
        }
        batch.append(begin);
        batch
    }

    /// Appends a change.
    pub fn push(&mut self, change: Request) {
        self.append(change);
    }

    fn append(&mut self, mut message: Request) {
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(message.finish(0));
    }

    /// Whether there is no change in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.len() <= 1
    }

    /// Length in octets, the end left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many sequence numbers the batch takes.
    #[must_use]
    pub fn sequences(&self) -> u32 {
        u32::try_from(self.starts.len() + 1).unwrap_or(u32::MAX)
    }

    /// Numbers the messages from `first` on, asks for an acknowledgement of the last change, ends the batch and gives
    /// the bytes to send with the number of the last change.
    #[must_use]
    pub fn finish(self, first: u32) -> (Vec<u8>, u32) {
        let Self { mut bytes, starts } = self;
        let mut sequence = first;
        let mut last = first;
        for start in &starts {
            if let Some(field) = bytes.get_mut(start + 8..start + 12) {
                field.copy_from_slice(&sequence.to_ne_bytes());
            }
            last = sequence;
            sequence = sequence.wrapping_add(1);
        }
        let flags = starts.last().and_then(|start| bytes.get_mut(start + 6..)?.first_chunk_mut::<2>());
        if let Some(flags) = flags {
            *flags = (u16::from_ne_bytes(*flags) | ACK).to_ne_bytes();
        }
        bytes.extend_from_slice(Request::new(END, 0, &FIXED).finish(sequence));
        (bytes, last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;
    use crate::message::Messages;

    #[test]
    fn messages_are_numbered_and_the_last_change_is_acknowledged() {
        let mut batch = Batch::new(Some(Generation(7)));
        assert!(batch.is_empty());
        batch.push(Table::delete("a"));
        batch.push(Table::delete("b"));
        assert_eq!(batch.sequences(), 4);
        let (bytes, last) = batch.finish(u32::MAX);
        let headers: Vec<_> = Messages::new(&bytes).map(|message| message.unwrap().header).collect();
        let numbers: Vec<_> = headers.iter().map(|header| header.sequence).collect();
        assert_eq!(numbers, [u32::MAX, 0, 1, 2]);
        assert_eq!(last, 1);
        let acknowledged: Vec<_> = headers.iter().map(|header| header.flags & ACK != 0).collect();
        assert_eq!(acknowledged, [false, false, true, false]);
        assert_eq!((headers[0].kind, headers[3].kind), (BEGIN, END));
    }
}
