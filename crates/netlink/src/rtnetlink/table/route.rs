//! Which routes to one destination an announcement puts in the place of which (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c).

use super::{AF_INET, AF_INET6, RowMessage, Subject, alike, attributes};
use crate::attribute::{AttributeWriter, Attributes};
use crate::message::align;
use std::borrow::Cow;

const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const MULTIPATH: u16 = 9;
const VIA: u16 = 18;
const NH_ID: u16 = 30;

const FIXED_LEN: usize = 12;
/// `RTPROT_RA`.
const ADVERTISED: u8 = 9;

/// What an IPv4 route goes away with, unannounced: links, a source address, a next hop object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RouteOutline {
    /// The links of its next hops.
    pub links: Vec<u32>,
    /// The source address that packets are given if they have none.
    pub source: Option<[u8; 4]>,
    /// Whether it uses a next hop object.
    pub uses_object: bool,
}

impl RouteOutline {
    /// The outline of a row; of an IPv6 route only whether it uses an object, since the kernel announces its end.
    #[must_use]
    pub fn of(row: &[u8]) -> Option<Self> {
        let mut outline = Self::default();
        let is_ipv4 = *row.first()? == AF_INET;
        let number = |payload: &[u8]| payload.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        for (kind, payload) in attributes(row, FIXED_LEN) {
            match kind {
                NH_ID => outline.uses_object = true,
                OIF if is_ipv4 => outline.links.extend(number(payload)),
                MULTIPATH if is_ipv4 => {
                    outline.links.extend(each_hop(payload).filter_map(|((link, _), _)| number(link)));
                }
                PREFSRC if is_ipv4 => outline.source = payload.first_chunk().copied(),
                _ => {}
            }
        }
        Some(outline)
    }
}

/// IPv4 keeps any number of routes to a destination, ordered by type of service and metric. Those that have both in
/// common stand in the order in which they were added: before the others unless appended, and a replacement takes the
/// first one's place.
pub(super) fn apply_ipv4<'a>(list: &mut Vec<Cow<'a, [u8]>>, message: &RowMessage<'a>, replay: bool) -> bool {
    let rank = |row: &[u8]| (row.get(3).copied(), priority(row));
    let ours = rank(message.payload);
    let present = list.iter().position(|row| alike(Subject::Route, row, message.payload));
    let rivals: Vec<usize> =
        list.iter().enumerate().filter(|(_, row)| rank(row) == ours).map(|(place, _)| place).collect();
    if message.gone {
        match (present, rivals.as_slice()) {
            (Some(place), _) | (None, &[place]) => drop(list.remove(place)),
            (None, several) => return !several.is_empty(),
        }
        return false;
    }
    if let Some(place) = present {
        // Said again; what changes by itself is newer in the message. Where a replay replaces, the row in whose place
        // this came is still listed.
        if message.replaces {
            let others = rivals.iter().rev().filter(|rival| **rival < place);
            others.for_each(|rival| drop(list.remove(*rival)));
        }
        if let Some(row) = list.iter_mut().find(|row| alike(Subject::Route, row, message.payload)) {
            *row = Cow::Borrowed(message.payload);
        }
        return false;
    }
    let row = Cow::Borrowed(message.payload);
    match (rivals.as_slice(), message.replaces) {
        ([first, others @ ..], true) => {
            if let Some(place) = list.get_mut(*first) {
                *place = row;
            }
            return replay && !others.is_empty();
        }
        ([first, ..], false) if !message.appends => list.insert(*first, row),
        ([.., last], _) => list.insert(*last + 1, row),
        // The type of service falls, the metric rises.
        ([], _) => {
            let after = |row: &[u8]| {
                let (tos, metric) = rank(row);
                (std::cmp::Reverse(tos), metric) > (std::cmp::Reverse(ours.0), ours.1)
            };
            let place = list.iter().position(|row| after(row)).unwrap_or(list.len());
            list.insert(place, row);
        }
    }
    false
}

/// IPv6 keeps one multipath route for each metric, which every route with a router joins, beside routes without one. A
/// multipath route is announced whole when it grows, and by the part that goes when it shrinks.
pub(super) fn apply_ipv6<'a>(list: &mut Vec<Cow<'a, [u8]>>, message: &RowMessage<'a>, replay: bool) -> bool {
    let metric = priority(message.payload);
    let ours = hops(message.payload);
    let shares = |row: &[u8]| priority(row) == metric && hops(row).iter().any(|hop| ours.contains(hop));
    if message.gone {
        let mut left = Vec::with_capacity(list.len());
        for row in list.drain(..) {
            if !shares(&row) {
                left.push(row);
            } else if hops(&row).iter().any(|hop| !ours.contains(hop)) {
                left.push(Cow::Owned(without(&row, &ours)));
            }
        }
        *list = left;
        return false;
    }
    let joins = joins_others(message.payload);
    let mut doubtful = false;
    if message.replaces && !joins {
        let rivals: Vec<usize> = list
            .iter()
            .enumerate()
            .filter(|(_, row)| priority(row) == metric && !joins_others(row) && !shares(row))
            .map(|(place, _)| place)
            .collect();
        doubtful = rivals.len() > 1 || (replay && !rivals.is_empty() && list.iter().any(|row| shares(row)));
        if let Some(first) = rivals.first() {
            drop(list.remove(*first));
        }
    }
    list.retain(|row| !(shares(row) || (joins && priority(row) == metric && joins_others(row))));
    let place = list.iter().position(|row| priority(row) > metric).unwrap_or(list.len());
    list.insert(place, Cow::Borrowed(message.payload));
    doubtful
}

fn priority(row: &[u8]) -> u32 {
    let found = attributes(row, FIXED_LEN).find(|(kind, _)| *kind == PRIORITY);
    found.and_then(|(_, payload)| payload.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

/// Link and router of each next hop.
type Hop<'a> = (&'a [u8], &'a [u8]);

fn hops(row: &[u8]) -> Vec<Hop<'_>> {
    let (mut link, mut router): Hop<'_> = (&[], &[]);
    for (kind, payload) in attributes(row, FIXED_LEN) {
        match kind {
            OIF => link = payload,
            GATEWAY | VIA => router = payload,
            MULTIPATH => return each_hop(payload).map(|(hop, _)| hop).collect(),
            _ => {}
        }
    }
    vec![(link, router)]
}

/// Each `struct rtnexthop` of a multipath route, with its bytes.
fn each_hop(mut rest: &[u8]) -> impl Iterator<Item = (Hop<'_>, &[u8])> {
    std::iter::from_fn(move || {
        let [l0, l1, ..] = rest.first_chunk::<8>()?;
        let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let bytes = rest.get(..len).filter(|bytes| bytes.len() >= 8)?;
        rest = rest.get(align(len)..).unwrap_or_default();
        let router = attributes(bytes, 8).find(|(kind, _)| matches!(*kind, GATEWAY | VIA));
        let link = bytes.get(4..8).unwrap_or_default();
        Some(((link, router.map(|(_, payload)| payload).unwrap_or_default()), bytes))
    })
}

/// Whether the kernel joins routes like this one to one multipath route: those with a router that is neither learnt from
/// an advertisement nor a next hop object's.
fn joins_others(row: &[u8]) -> bool {
    let has = |wanted: &[u16]| attributes(row, FIXED_LEN).any(|(kind, _)| wanted.contains(&kind));
    row.first() == Some(&AF_INET6)
        && row.get(5) != Some(&ADVERTISED)
        && has(&[GATEWAY, VIA, MULTIPATH])
        && !has(&[NH_ID])
}

/// The route without some of its next hops, as the kernel would tell it.
fn without(row: &[u8], gone: &[Hop<'_>]) -> Vec<u8> {
    let mut bytes = row.get(..FIXED_LEN).unwrap_or_default().to_vec();
    for attribute in Attributes::new(row.get(FIXED_LEN..).unwrap_or_default()).map_while(Result::ok) {
        if attribute.kind != MULTIPATH {
            let _ = bytes.attribute(attribute.kind, attribute.payload);
            continue;
        }
        let left: Vec<_> =
            each_hop(attribute.payload).filter(|(hop, _)| !gone.contains(hop)).map(|(_, hop)| hop).collect();
        match left.as_slice() {
            // The only one left is told as any single next hop is.
            [only] => {
                for (kind, payload) in attributes(only, 8) {
                    let _ = bytes.attribute(kind, payload);
                }
                let _ = bytes.attribute(OIF, only.get(4..8).unwrap_or_default());
            }
            several => {
                let mut payload = Vec::new();
                for hop in several {
                    payload.extend_from_slice(hop);
                    payload.resize(align(payload.len()), 0);
                }
                let _ = bytes.attribute(MULTIPATH, &payload);
            }
        }
    }
    bytes
}
