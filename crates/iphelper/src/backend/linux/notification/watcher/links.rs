//! Links as they were last announced: whose index a row names, and what has changed of them.

use super::super::super::LinuxHost;
use super::super::super::link::Link;
use super::{News, State, View};
use crate::error::{ErrorKind, Result};
use crate::interface::Interface;
use crate::notification::{ChangeKind, Classes, Event, Requester, Subject};
use crate::types::InterfaceIndex;
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::Message;
use iphelper_netlink::rtnetlink::link::{LinkMessage, LinkStatistics, flag};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Links by their index.
#[derive(Debug)]
pub(super) struct Links {
    present: BTreeMap<u32, Known>,
    /// Links that are gone, or not announced yet: rows that name them may still be told.
    others: FxHashMap<u32, Option<Link>>,
}

#[derive(Debug)]
struct Known {
    link: Link,
    /// The row as it was told last; made when somebody watches.
    row: Option<Interface>,
}

impl Links {
    pub(super) fn read(host: &LinuxHost) -> Result<Self> {
        let links = host.links("reading the links")?;
        let present = links.into_iter().map(|link| (link.index.0, Known::new(link))).collect();
        Ok(Self { present, others: FxHashMap::default() })
    }

    /// The link with this index: the one that is there, or was until a moment ago.
    pub(super) fn find(&mut self, host: &LinuxHost, index: u32) -> Option<&Link> {
        let Self { present, others } = self;
        if let Some(known) = present.get(&index) {
            return Some(&known.link);
        }
        let read = || host.link(InterfaceIndex(index).into(), "reading a link").ok();
        others.entry(index).or_insert_with(read).as_ref()
    }

    /// All that are there, and those that were until a moment ago.
    pub(super) fn all(&self) -> impl Iterator<Item = &Link> {
        // What is there last: it counts where an index is in both.
        self.others.values().flatten().chain(self.present.values().map(|known| &known.link))
    }

    pub(super) fn is_present(&self, index: u32) -> bool {
        self.present.contains_key(&index)
    }

    /// Makes the rows of all links, for somebody who begins to watch them.
    pub(super) fn make_rows(&mut self, host: &LinuxHost) -> Result<()> {
        let links: Vec<Link> = self.present.values().map(|known| known.link.clone()).collect();
        let speeds = host.link_speeds(&links)?;
        for (index, known) in &mut self.present {
            known.row = Some(host.interface_row(&known.link, speeds.get(index).copied()));
        }
        Ok(())
    }

    /// Forgets the links that are gone.
    pub(super) fn forget_gone(&mut self) {
        self.others.clear();
    }
}

impl Known {
    fn new(mut link: Link) -> Self {
        // Counters are never the same.
        link.statistics = LinkStatistics::default();
        Self { link, row: None }
    }
}

impl State {
    /// Takes in an announcement of a link.
    pub(super) fn take_in_link(
        &mut self,
        message: &Message<'_>,
        news: &mut News,
    ) -> Result<Result<(), DecodeError>> {
        let link = match LinkMessage::parse(message) {
            // The part that one family has of a link, or a bridge of its port.
            Ok(Some(link)) if link.family != 0 => return Ok(Ok(())),
            Ok(Some(link)) => link,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let requester = self.requester(message.header.port);
        if link.deleted {
            self.link_gone(link.index, requester, false, news);
            return Ok(Ok(()));
        }
        match Link::new(&link) {
            Ok(link) => self.link_is(link, requester, false, news).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Reads all links again.
    pub(super) fn read_links(&mut self, news: &mut News) -> Result<()> {
        let links = self.host.links("reading the links")?;
        let missing = |index: &u32| !links.iter().any(|link| link.index.0 == *index);
        let gone: Vec<u32> = self.links.present.keys().copied().filter(missing).collect();
        for index in gone {
            self.link_gone(index, None, true, news);
        }
        for link in links {
            self.link_is(link, None, true, news)?;
        }
        Ok(())
    }

    fn link_gone(&mut self, index: u32, requester: Option<Requester>, lost: bool, news: &mut News) {
        let Some(known) = self.links.present.remove(&index) else { return };
        if self.wanted.contains(Classes::INTERFACES) {
            let row = known.row.unwrap_or_else(|| self.host.interface_row(&known.link, None));
            let subject = Subject::Interface(Box::new(row));
            let kind = ChangeKind::Delete;
            let event = Event { kind, subject, before: None, requester, resynchronised: lost };
            news.push(View::Both, event);
        }
        let _ = self.links.others.insert(index, Some(known.link));
        self.checks.gone.push(index);
    }

    fn link_is(
        &mut self,
        mut link: Link,
        requester: Option<Requester>,
        lost: bool,
        news: &mut News,
    ) -> Result<()> {
        let index = link.index.0;
        self.host.mark_wireless(std::slice::from_mut(&mut link))?;
        let before = self.links.present.get(&index);
        if before.is_none_or(|before| before.link.luid() != link.luid()) {
            // A link is announced while it is made and while it is taken apart: what it stands on, a part of its
            // identity, may be missing.
            match self.host.link(InterfaceIndex(index).into(), "reading an interface") {
                Ok(read) => link = read,
                Err(error) if error.kind() != ErrorKind::InterfaceNotFound => return Err(error),
                // Gone by now, which will be announced.
                Err(_) if before.is_some() => return Ok(()),
                Err(_) => {}
            }
        }
        let mut now = Known::new(link);
        if let Some(before) = self.links.present.get(&index) {
            if before.link.luid() != now.link.luid() {
                self.link_gone(index, None, lost, news);
            } else if before.link == now.link {
                return Ok(());
            } else if before.link.has(flag::UP) && !now.link.has(flag::UP) {
                self.checks.down.push(index);
            }
        }
        if self.wanted.contains(Classes::INTERFACES) {
            let speeds = self.host.link_speeds(std::slice::from_ref(&now.link))?;
            let row = self.host.interface_row(&now.link, speeds.get(&index).copied());
            let before = self.links.present.get(&index);
            let kind = if before.is_some() { ChangeKind::Parameter } else { ChangeKind::Add };
            if before.is_none_or(|before| before.row.as_ref() != Some(&row)) {
                let told = |row: &Interface| Subject::Interface(Box::new(row.clone()));
                let (subject, before) = (told(&row), before.and_then(|before| before.row.as_ref()).map(told));
                news.push(View::Both, Event { kind, subject, before, requester, resynchronised: lost });
            }
            now.row = Some(row);
        }
        self.rows.note_link(&now.link);
        let _ = self.links.present.insert(index, now);
        Ok(())
    }
}
