//! The rows of one dump after the other, read datagram by datagram: a table of any length in the memory of one buffer.

use super::socket::{Pooled, Refusal};
use crate::error::{Error, Result};
use iphelper_netlink::message::{DUMP_INTERRUPTED, Message, Request};
use std::collections::VecDeque;

/// What makes rows of the messages of dumps.
pub(super) trait Reader: Send {
    /// What is asked for, with what has to be known to read the answers.
    type Dump: Send;
    /// A row.
    type Row: Send;

    /// A dump begins: its request.
    fn begin(&mut self, dump: Self::Dump) -> Request;

    /// Adds the rows of one message.
    fn read(&mut self, message: &Message<'_>, rows: &mut VecDeque<Self::Row>) -> Result<(), Refusal>;

    /// A datagram is read to its end.
    fn end_datagram(&mut self) {}

    /// Whether a dump that is refused so is one without rows.
    fn is_empty_dump(&self, errno: i32) -> bool;

    /// The error that ends the rows.
    fn failed(&self, refusal: Refusal) -> Error;
}

/// The rows of several dumps.
#[derive(Debug)]
pub(super) struct DumpStream<R: Reader> {
    socket: Pooled,
    /// What is still to be asked for, last first.
    dumps: Vec<R::Dump>,
    /// The number of the dump that is under way.
    sequence: Option<u32>,
    interrupted: bool,
    reader: R,
    /// The rows of the latest datagram that were not given out yet.
    rows: VecDeque<R::Row>,
    /// What comes after these rows.
    failure: Option<Refusal>,
}

impl<R: Reader> DumpStream<R> {
    pub(super) fn new(socket: Pooled, mut dumps: Vec<R::Dump>, reader: R) -> Self {
        dumps.reverse();
        let (sequence, interrupted, rows, failure) = (None, false, VecDeque::new(), None);
        Self { socket, dumps, sequence, interrupted, reader, rows, failure }
    }

    /// Reads on until there is a row to give out, or nothing more to read.
    fn fill(&mut self) {
        while self.rows.is_empty() && self.failure.is_none() {
            let read = match self.sequence {
                Some(sequence) => self.datagram(sequence),
                None if self.dumps.is_empty() => return,
                None => self.ask(),
            };
            if let Err(refusal) = read {
                // What is still under way is nobody's: a socket that is busy does not go back to its pool.
                self.failure = Some(refusal);
                self.dumps.clear();
                self.sequence = None;
            }
        }
    }

    fn ask(&mut self) -> Result<(), Refusal> {
        if let Some(dump) = self.dumps.pop() {
            self.interrupted = false;
            self.sequence = Some(self.socket.send(&mut self.reader.begin(dump))?);
        }
        Ok(())
    }

    /// Reads one datagram.
    fn datagram(&mut self, sequence: u32) -> Result<(), Refusal> {
        let mut end = None;
        for message in self.socket.receive()? {
            let message = message?;
            if message.header.sequence != sequence {
                continue;
            }
            self.interrupted |= message.header.flags & DUMP_INTERRUPTED != 0;
            end = match message.acknowledgement().transpose()? {
                Some(refusal) => Some(refusal.errno),
                None => message.done(),
            };
            if end.is_some() {
                break;
            }
            self.reader.read(&message, &mut self.rows)?;
        }
        self.reader.end_datagram();
        let Some(errno) = end else { return Ok(()) };
        self.socket.set_idle();
        self.sequence = None;
        match errno {
            0 if self.interrupted => Err(Refusal::of(libc::EINTR)),
            0 => Ok(()),
            errno if self.reader.is_empty_dump(errno) => Ok(()),
            errno => Err(Refusal::of(errno)),
        }
    }
}

impl<R: Reader> Iterator for DumpStream<R> {
    type Item = Result<R::Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        match self.rows.pop_front() {
            Some(row) => Some(Ok(row)),
            None => self.failure.take().map(|refusal| Err(self.reader.failed(refusal))),
        }
    }
}
