//! IPv4 addresses that the kernel does not have (yet): tentative ones and duplicates, as this library's callers note them.
//!
//! They are rows of the unicast table, whose place the kernel's own row of the address takes once it is there.

use super::super::super::LinuxHost;
use super::super::super::address::detected_row;
use super::super::super::policy::{Detection, OUR_PROTOCOL};
use super::super::table::Table;
use super::links::Links;
use super::rows::{Cause, told};
use super::{News, View};
use crate::address::UnicastAddress;
use crate::error::Result;
use crate::notification::{ChangeKind, Event, Subject as Told};
use crate::types::InterfaceIndex;
use iphelper_netlink::rtnetlink::route::{NEW_ROUTE, Route};
use iphelper_netlink::rtnetlink::table::RowMessage;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const AF_INET: u8 = 2;

/// An interface's index and an address.
type Key = (u32, Ipv4Addr);

/// What is noted, and which rows of it were told.
#[derive(Debug, Default)]
pub(super) struct Detections {
    /// With the second until which each counts.
    noted: BTreeMap<Key, (Detection, u32)>,
    told: BTreeMap<Key, UnicastAddress>,
}

fn key(detection: &Detection) -> Key {
    (detection.index(), detection.address)
}

impl Detections {
    /// Reads what is noted now.
    pub(super) fn read(&mut self, host: &LinuxHost) -> Result<()> {
        self.noted = host.noted_detections()?.into_iter().map(|it| (key(&it.0), it)).collect();
        Ok(())
    }

    /// Takes in an announced route; whether it is a note.
    pub(super) fn take_in(&mut self, row: &RowMessage<'_>) -> bool {
        let [AF_INET, _, _, _, _, OUR_PROTOCOL, ..] = *row.payload else { return false };
        let route = Route::parse(&told(NEW_ROUTE, row.payload)).ok().flatten();
        let Some(note) = route.as_ref().and_then(Detection::read) else { return false };
        let key = key(&note.0);
        let _ = if row.gone { self.noted.remove(&key) } else { self.noted.insert(key, note) };
        true
    }

    /// When the first of them counts no longer.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let left = |(detection, until): &(Detection, u32)| detection.time_left(*until);
        let left = self.noted.values().filter_map(left).filter(|left| !left.is_zero()).min()?;
        // Not a moment before, since nothing would be over then.
        Some(Instant::now() + left + Duration::from_millis(1))
    }

    /// The row of an address that is noted and counts.
    fn row(&self, key: &Key, links: &mut Links, host: &LinuxHost) -> Option<UnicastAddress> {
        let (detection, until) = self.noted.get(key)?;
        let link = links.find(host, key.0).filter(|link| detection.is_of(link))?;
        (detection.time_left(*until) != Some(Duration::ZERO)).then(|| detected_row(detection, link))
    }

    /// Tells what has become of those that the kernel does not have; nothing is told where it is the `first` look.
    pub(super) fn settle(
        &mut self,
        (host, links): (&LinuxHost, &mut Links),
        addresses: &Table,
        cause: Option<&Cause>,
        news: &mut News,
    ) {
        let keys: BTreeSet<Key> = self.noted.keys().chain(self.told.keys()).copied().collect();
        for key in keys {
            let (index, address) = key;
            let [i0, i1, i2, i3] = index.to_ne_bytes();
            let [a0, a1, a2, a3] = address.octets();
            if addresses.has(&[AF_INET, i0, i1, i2, i3, a0, a1, a2, a3]) {
                // That row was told.
                drop(self.told.remove(&key));
                continue;
            }
            let now = self.row(&key, links, host).filter(|_| links.is_present(index));
            let before = match &now {
                Some(now) => self.told.insert(key, now.clone()),
                None => self.told.remove(&key),
            };
            let (kind, row, before) = match (before, now) {
                (None, Some(now)) => (ChangeKind::Add, now, None),
                (Some(was), None) => (ChangeKind::Delete, was, None),
                (Some(was), Some(now)) if was.luid != now.luid => {
                    push(ChangeKind::Delete, was, None, cause, news);
                    (ChangeKind::Add, now, None)
                }
                (Some(was), Some(now)) if was != now => (ChangeKind::Parameter, now, Some(was)),
                _ => continue,
            };
            push(kind, row, before, cause, news);
        }
    }

    /// Makes one row of each address in what the kernel's table has just told: one that was noted is not new when it is
    /// taken, and not gone when it is noted instead.
    pub(super) fn join(&mut self, host: &LinuxHost, links: &mut Links, since: usize, news: &mut News) {
        if self.noted.is_empty() && self.told.is_empty() {
            return;
        }
        let mut taken = BTreeSet::new();
        for event in news.since(since) {
            let Told::UnicastAddress(row) = &event.subject else { continue };
            let (IpAddr::V4(address), InterfaceIndex(index)) = (row.address, row.index) else { continue };
            let key = (index, address);
            match event.kind {
                ChangeKind::Add => {
                    if let Some(was) = self.told.get(&key).filter(|was| was.luid == row.luid) {
                        event.before = Some(Told::UnicastAddress(Box::new(was.clone())));
                        event.kind = ChangeKind::Parameter;
                        let _ = taken.insert(key);
                    }
                }
                ChangeKind::Delete => {
                    let now = self.row(&key, links, host).filter(|now| now.luid == row.luid);
                    if let Some(now) = now.filter(|_| links.is_present(index)) {
                        let now_told = Told::UnicastAddress(Box::new(now.clone()));
                        event.before = Some(std::mem::replace(&mut event.subject, now_told));
                        event.kind = ChangeKind::Parameter;
                        let _ = self.told.insert(key, now);
                    }
                }
                ChangeKind::Parameter => {}
            }
        }
        for key in taken {
            drop(self.told.remove(&key));
        }
    }
}

/// Without a cause it is no news.
fn push(
    kind: ChangeKind,
    row: UnicastAddress,
    before: Option<UnicastAddress>,
    cause: Option<&Cause>,
    news: &mut News,
) {
    let Some(Cause { requester, resynchronised }) = cause.cloned() else { return };
    let boxed = |row| Told::UnicastAddress(Box::new(row));
    let (subject, before) = (boxed(row), before.map(boxed));
    news.push(View::Both, Event { kind, subject, before, requester, resynchronised });
}
