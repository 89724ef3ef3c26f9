//! Tables read whole, while announcements go on.

use super::super::super::link::address_family;
use super::super::super::socket::{Consistency, Socket};
use super::super::table::{Step, Table};
use super::rows::Cause;
use super::{News, OPERATION, State};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::message::{DUMP, Messages, Request};
use iphelper_netlink::rtnetlink::route::Filter;
use iphelper_netlink::rtnetlink::table::{Key, RowMessage, Rows, Subject};
use iphelper_netlink::rtnetlink::{addr, neigh, route};
use rustix::net::RecvFlags;

/// After so many rows of a dump the announcements are taken from the kernel: its queue holds a few hundred.
const ROWS_BETWEEN: usize = 64;
/// How often a table that changed under the reader is read again.
const ATTEMPTS: usize = 10;
/// How many bytes of announcements are kept while a table is read: so many, and some for each of its keys.
const SMALLEST_BACKLOG: usize = 1 << 20;
const BACKLOG_A_KEY: usize = 256;

/// Announcements that arrived while a table was read.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes: Vec<u8>,
    /// So many bytes are taken, and the rest of the last datagram.
    most: usize,
    /// Whether announcements were lost.
    lost: bool,
}

impl Backlog {
    pub(super) const fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, lost: false }
    }

    /// Takes in what is there.
    pub(super) fn fill(&mut self, socket: &mut Socket) -> Result<()> {
        while !self.is_full() {
            match socket.receive_bytes(RecvFlags::DONTWAIT) {
                Ok(datagram) => {
                    self.bytes.extend_from_slice(datagram);
                    self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
                }
                Err(refusal) => match refusal.errno() {
                    libc::EAGAIN => return Ok(()),
                    // An overrun, or a message longer than the buffer, which has grown since.
                    libc::ENOBUFS | libc::EMSGSIZE => self.lost = true,
                    _ => return Err(refusal.error(OPERATION)),
                },
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= self.most
    }

    /// Works through it. With `replay` it may be older than the tables.
    pub(super) fn tell(&self, state: &mut State, replay: bool, news: &mut News) -> Result<()> {
        state.lost |= self.lost;
        state.rows.begin();
        for message in Messages::new(&self.bytes) {
            state.take_in(message, replay, news)?;
        }
        Ok(())
    }
}

/// Why a table is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// Somebody begins to watch it; what it holds is no news.
    First,
    /// Rows may have gone unannounced.
    Suspicion,
    /// Announcements were lost.
    Lost,
}

/// Reads everything again, and tells the difference.
pub(super) fn read_everything(socket: &mut Socket, state: &mut State, news: &mut News) -> Result<()> {
    state.read_links(news)?;
    if let Some(monitor) = &mut state.ip_interfaces {
        monitor.overrun();
    }
    for subject in [Subject::Address, Subject::Neighbor, Subject::Route] {
        if state.table(subject).is_some() {
            read(socket, state, subject, Reason::Lost, news)?;
        }
    }
    Ok(())
}

/// Reads a table and tells what is other than before, then what was announced meanwhile.
pub(super) fn read(
    socket: &mut Socket,
    state: &mut State,
    subject: Subject,
    reason: Reason,
    news: &mut News,
) -> Result<()> {
    let Some(mut table) = state.table(subject).take() else { return Ok(()) };
    let since = news.len();
    let most = SMALLEST_BACKLOG + table.len() * BACKLOG_A_KEY;
    let mut backlog = Backlog::new(most);
    let result = read_rows(socket, state, &mut table, &mut backlog, reason, news);
    *state.table(subject) = Some(table);
    if subject == Subject::Address {
        let cause = Cause { requester: None, resynchronised: reason == Reason::Lost };
        let State { host, links, detections, .. } = state;
        detections.read(host)?;
        detections.join(host, links, since, news);
        state.settle_detections((reason != Reason::First).then_some(&cause), news);
    }
    // What did not fit is read with the whole table.
    state.lost |= backlog.is_full();
    backlog.tell(state, true, news)?;
    result
}

fn read_rows(
    socket: &mut Socket,
    state: &mut State,
    table: &mut Table,
    backlog: &mut Backlog,
    reason: Reason,
    news: &mut News,
) -> Result<()> {
    let State { host, links, rows: decoder, .. } = state;
    let subject = table.subject();
    decoder.doubt();
    decoder.prepare(host, links, subject)?;
    let cause = Cause { requester: None, resynchronised: reason == Reason::Lost };
    let mut tell = |step: Option<Step>| {
        if let Some(step) = step.filter(|_| reason != Reason::First) {
            decoder.tell(host, links, subject, &step, &cause, news);
        }
    };
    for _ in 0..ATTEMPTS {
        table.begin();
        let mut consistency = Consistency::Consistent;
        for family in Family::ALL.map(address_family) {
            let mut failure = None;
            let mut count = 0_usize;
            let mut staged: Option<(Key, Vec<u8>)> = None;
            let dumped = host.route.take()?.dump(&mut dump(subject, family), |message| {
                count += 1;
                if count.is_multiple_of(ROWS_BETWEEN) {
                    failure = failure.take().or(backlog.fill(socket).err());
                }
                // Of a family that is absent the kernel answers with all others.
                let row = RowMessage::parse(message)?;
                let Some(row) = row.filter(|row| row.subject == subject && row.family == family && !row.gone)
                else {
                    return Ok(());
                };
                match &mut staged {
                    Some((key, rows)) if key.as_bytes() == row.key.as_bytes() => {
                        Rows::push(rows, row.payload);
                    }
                    _ => {
                        let mut rows = Vec::new();
                        Rows::push(&mut rows, row.payload);
                        if let Some((key, rows)) = staged.replace((row.key, rows)) {
                            tell(table.found(key.as_bytes(), rows));
                        }
                    }
                }
                Ok(())
            });
            if let Some((key, rows)) = staged {
                tell(table.found(key.as_bytes(), rows));
            }
            match dumped.map_err(|refusal| refusal.error("reading a table that is watched"))? {
                Consistency::Consistent => {}
                Consistency::Interrupted => consistency = Consistency::Interrupted,
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        if consistency == Consistency::Consistent {
            table.end(|step| tell(Some(step)));
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Interrupted, "reading a table that is watched")
        .because("it changed during each of ten dumps"))
}

/// A request for the whole table of one family.
fn dump(subject: Subject, family: u8) -> Request {
    match subject {
        Subject::Address => addr::dump(family, 0),
        Subject::Neighbor => {
            Request::new(neigh::GET_NEIGHBOR, DUMP, &[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        Subject::Route => route::dump(family, Filter::default()),
    }
}
