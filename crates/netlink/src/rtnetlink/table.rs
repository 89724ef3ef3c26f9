//! Tables of addresses, routes and neighbours, kept up to date by what the kernel announces.
//!
//! Rows stay the bytes that the kernel sent, which is small, and are decoded when somebody asks. What this module knows
//! is which rows a message puts in the place of which: a listener keeps one list of rows for each [`Key`] and gives it
//! to [`apply`] with each message.

mod alike;
mod route;

pub use alike::alike;
pub use route::RouteOutline;

use super::addr::{DELETE_ADDRESS, NEW_ADDRESS};
use super::neigh::{DELETE_NEIGHBOR, NEW_NEIGHBOR};
use super::route::{DELETE_ROUTE, NEW_ROUTE};
use crate::DecodeError;
use crate::attribute::Attributes;
use crate::message::{APPEND, Message, REPLACE};
use std::borrow::Cow;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_TABLE: u16 = 15;
const NDA_DST: u16 = 1;
/// `NTF_PROXY`: an address that is answered for, not one that was learnt.
const PROXY: u8 = 0x08;

/// Which table a row is in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// Addresses of links.
    Address,
    /// Routes.
    Route,
    /// Neighbours.
    Neighbor,
}

/// What a list of rows has in common: an address on its link, a destination in its table, a neighbour on its link.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    len: usize,
    bytes: [u8; Self::LONGEST],
}

impl Key {
    /// Family, table, and two prefixes of IPv6.
    const LONGEST: usize = 1 + 4 + 2 * 17;

    fn new(parts: &[&[u8]]) -> Option<Self> {
        let mut key = Self { len: 0, bytes: [0; Self::LONGEST] };
        for part in parts {
            let end = key.len + part.len();
            key.bytes.get_mut(key.len..end)?.copy_from_slice(part);
            key.len = end;
        }
        Some(key)
    }

    /// The key as bytes, equal exactly for equal keys of one subject.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A row in a message: of a dump, or announced.
#[derive(Clone, Copy, Debug)]
pub struct RowMessage<'a> {
    /// The table.
    pub subject: Subject,
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Where the row belongs.
    pub key: Key,
    /// Whether the row is gone, or is none: a neighbour without a state.
    pub gone: bool,
    /// The row.
    pub payload: &'a [u8],
    replaces: bool,
    appends: bool,
}

impl<'a> RowMessage<'a> {
    /// Reads a message; `None` if it is not about a row of IPv4 or IPv6.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let (subject, gone) = match message.header.kind {
            NEW_ADDRESS => (Subject::Address, false),
            DELETE_ADDRESS => (Subject::Address, true),
            NEW_ROUTE => (Subject::Route, false),
            DELETE_ROUTE => (Subject::Route, true),
            NEW_NEIGHBOR => (Subject::Neighbor, false),
            DELETE_NEIGHBOR => (Subject::Neighbor, true),
            _ => return Ok(None),
        };
        let gone = gone || (subject == Subject::Neighbor && has_no_state(message.payload));
        let key = match subject {
            Subject::Address => address_key(message),
            Subject::Route => route_key(message),
            Subject::Neighbor => neighbor_key(message),
        }?;
        Ok(key.map(|(family, key)| Self {
            subject,
            family,
            key,
            gone,
            payload: message.payload,
            replaces: message.header.flags & REPLACE != 0,
            appends: message.header.flags & APPEND != 0,
        }))
    }
}

fn address_key(message: &Message<'_>) -> Result<Option<(u8, Key)>, DecodeError> {
    let (&[family, _, _, _, i0, i1, i2, i3], attributes) = message.split::<8>("ifaddrmsg")?;
    if !matches!(family, AF_INET | AF_INET6) {
        return Ok(None);
    }
    let mut own = None;
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            IFA_LOCAL => own = Some(attribute.payload),
            IFA_ADDRESS => own = own.or(Some(attribute.payload)),
            _ => {}
        }
    }
    let own = own.filter(|own| own.len() == address_len(family));
    Ok(own.and_then(|own| Key::new(&[&[family, i0, i1, i2, i3], own])).map(|key| (family, key)))
}

fn route_key(message: &Message<'_>) -> Result<Option<(u8, Key)>, DecodeError> {
    let (&[family, dst_len, src_len, _, table, ..], attributes) = message.split::<12>("rtmsg")?;
    if !matches!(family, AF_INET | AF_INET6) {
        return Ok(None);
    }
    let mut table = u32::from(table);
    let (mut dst, mut src) = ([0; 16], [0; 16]);
    let len = address_len(family);
    for attribute in attributes {
        let attribute = attribute?;
        let place = match attribute.kind {
            RTA_TABLE => {
                table = attribute.u32()?;
                continue;
            }
            RTA_DST => dst.get_mut(..len),
            RTA_SRC => src.get_mut(..len),
            _ => continue,
        };
        if let Some(place) = place.filter(|place| place.len() == attribute.payload.len()) {
            place.copy_from_slice(attribute.payload);
        }
    }
    let (dst, src) = (dst.get(..len).unwrap_or_default(), src.get(..len).unwrap_or_default());
    // IPv4 routes have no source prefix.
    let src: &[u8] = if family == AF_INET6 { src } else { &[] };
    let parts: [&[u8]; 5] = [&[family, dst_len], dst, &[src_len], src, &table.to_ne_bytes()];
    Ok(Key::new(&parts).map(|key| (family, key)))
}

fn neighbor_key(message: &Message<'_>) -> Result<Option<(u8, Key)>, DecodeError> {
    let (&[family, _, _, _, i0, i1, i2, i3, _, _, flags, _], attributes) = message.split::<12>("ndmsg")?;
    // A bridge's forwarding entries come in the same group. Proxies are another table.
    if !matches!(family, AF_INET | AF_INET6) || flags & PROXY != 0 {
        return Ok(None);
    }
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == NDA_DST && attribute.payload.len() == address_len(family) {
            return Ok(Key::new(&[&[family, i0, i1, i2, i3], attribute.payload]).map(|key| (family, key)));
        }
    }
    Ok(None)
}

/// Whether a neighbour has no state, as one that was looked up and about which nothing is known.
fn has_no_state(row: &[u8]) -> bool {
    matches!(row.get(8..10), Some([0, 0]))
}

const fn address_len(family: u8) -> usize {
    if family == AF_INET6 { 16 } else { 4 }
}

/// The rows of one key, in the kernel's order, one behind the other in one piece of memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rows<'a>(&'a [u8]);

impl<'a> Rows<'a> {
    /// Rows that [`push`](Self::push) has written.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Appends a row to `bytes`.
    pub fn push(bytes: &mut Vec<u8>, row: &[u8]) {
        let len = u32::try_from(row.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&len.to_ne_bytes());
        bytes.extend_from_slice(row);
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_ne_bytes(*len)).unwrap_or(usize::MAX);
        let (row, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(row)
    }
}

/// What a message has done to the rows of its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applied {
    /// The rows from now on, as [`Rows`].
    pub rows: Vec<u8>,
    /// Whether these may be others than the kernel's, so that the table is to be read again.
    pub doubtful: bool,
}

/// Applies a message to the rows of its key.
///
/// With `replay` the message may be older than `rows`: it was announced while the table was read. Applying all of them
/// in order ends at the right rows, since each leaves behind what it says; only which of several routes of one metric
/// was replaced cannot be told then.
#[must_use]
pub fn apply(rows: Rows<'_>, message: &RowMessage<'_>, replay: bool) -> Applied {
    let mut list: Vec<Cow<'_, [u8]>> = rows.map(Cow::Borrowed).collect();
    let doubtful = match (message.subject, message.family) {
        (Subject::Route, AF_INET) => route::apply_ipv4(&mut list, message, replay),
        (Subject::Route, _) => route::apply_ipv6(&mut list, message, replay),
        (Subject::Address, AF_INET) => {
            // The same address may be there twice, with different prefixes or peers.
            let same = |row: &[u8]| ipv4_prefix(row) == ipv4_prefix(message.payload);
            upsert(&mut list, message, same);
            false
        }
        _ => {
            upsert(&mut list, message, |_| true);
            false
        }
    };
    let mut rows = Vec::new();
    list.iter().for_each(|row| Rows::push(&mut rows, row));
    Applied { rows, doubtful }
}

/// Puts the row of `message` in the place of the one that is the `same`, or takes that away.
fn upsert<'a>(list: &mut Vec<Cow<'a, [u8]>>, message: &RowMessage<'a>, same: impl Fn(&[u8]) -> bool) {
    let place = list.iter().position(|row| same(row));
    match place {
        Some(place) if message.gone => drop(list.remove(place)),
        None if message.gone => {}
        Some(place) => {
            if let Some(row) = list.get_mut(place) {
                *row = Cow::Borrowed(message.payload);
            }
        }
        None => list.push(Cow::Borrowed(message.payload)),
    }
}

/// What tells two IPv4 addresses of the same value apart: prefix length and peer.
fn ipv4_prefix(row: &[u8]) -> Option<(u8, &[u8])> {
    let peer = attributes(row, 8).find(|(kind, _)| *kind == IFA_ADDRESS).map(|(_, payload)| payload);
    Some((*row.get(1)?, peer.unwrap_or_default()))
}

/// The attributes behind a fixed part, as far as they can be read.
fn attributes(row: &[u8], fixed: usize) -> impl Iterator<Item = (u16, &[u8])> + Clone {
    let all = Attributes::new(row.get(fixed..).unwrap_or_default());
    all.map_while(Result::ok).map(|attribute| (attribute.kind, attribute.payload))
}

#[cfg(test)]
mod tests;
