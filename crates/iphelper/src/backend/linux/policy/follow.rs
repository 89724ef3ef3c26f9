//! Follows the kernel's announcements: what one route changes is worked out from that route, and all is read again only
//! where that is not enough.
//!
//! A [`Follower`] knows what rules, tables and sets hold, and which routes that follows from. An announced route becomes
//! a change of a few routes of ours and of a few elements of a set; many that were announced together become one. Whatever
//! is not plain (two routes of one place, a link that changed, rules or markers that somebody touched, announcements
//! that were lost) makes it forget what it knows, so that the next pass reads everything.

mod allowed;
mod known;

use super::contest::Contests;
use super::converge::Reconciled;
use super::exclusive::PolicyLock;
use super::manager;
use super::memory::Memory;
use super::metric::{Followed, Moves};
use super::names::{FILTER_TABLE, LOCAL_TABLE, LOCK_TABLE, PROTOCOL, STATE_TABLES, is_ours, is_selection};
use super::state_file::StateCopy;
use super::{OPERATION, foreign};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::keeper::{Contest, Contested, Manager};
use crate::types::{Family, InterfaceIndex, InterfaceKey, Prefix};
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::Message;
use iphelper_netlink::nf_tables;
use iphelper_netlink::rtnetlink::addr::NEW_ADDRESS;
use iphelper_netlink::rtnetlink::route::{News, Route, metric};
use iphelper_netlink::rtnetlink::rule;
use known::Known;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

/// The types of announcements come in fours: new, delete, get, set.
mod subject {
    pub(super) const LINK: u16 = 16;
    pub(super) const ADDRESS: u16 = 20;
    pub(super) const ROUTE: u16 = 24;
    pub(super) const RULE: u16 = 32;
    pub(super) const NEXT_HOP: u16 = 104;
}

/// Takes in what was announced since.
pub(in crate::backend::linux) type Hear<'a> = dyn FnMut(&mut Follower) -> Result<()> + 'a;

/// Brings policy up to date with what the kernel announces.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct Follower {
    /// What everything follows from; `None`: to be read.
    known: Option<Known>,
    /// Interfaces whose metric is set by hand.
    metrics: BTreeMap<(Family, u32), Followed>,
    /// Routes over them that came with their owner's metric, and the ports of those who added them; without a port, that
    /// this was moved already: it was read before it was announced.
    moves: Vec<(Route, Option<u32>)>,
    /// Interfaces of theirs that have new addresses.
    addresses: BTreeSet<(Family, u32)>,
    /// Interfaces of theirs on which a router may have advertised a new prefix.
    prefixes: BTreeSet<u32>,
    /// Interfaces with an IPv4 MTU of their own, and those over which routes came without it.
    mtus: BTreeMap<u32, u32>,
    new_mtus: BTreeSet<u32>,
    /// What others took away since everything was read, and who.
    tampering: Vec<(Contested, Option<Manager>)>,
    /// Whether somebody touched the filter who is not known yet.
    filter_touched: bool,
    /// Whether somebody else had the lock since everything was read, or may have had: what went then was taken away by
    /// one who may.
    others_locked: bool,
    memory: Memory,
    contests: Contests,
    /// When something that was left alone is to be tried again.
    again: Option<Instant>,
    /// What could not be followed at the last pass.
    left: Vec<String>,
}

impl Follower {
    /// Announcements were lost.
    pub(in crate::backend::linux) fn lose_track(&mut self) {
        self.forget();
        self.others_locked = true;
    }

    /// What is known is no longer true.
    fn forget(&mut self) {
        self.known = None;
    }

    /// Whether there is something to do.
    pub(in crate::backend::linux) fn has_work(&self) -> bool {
        self.known.as_ref().is_none_or(Known::is_dirty)
            || !self.moves.is_empty()
            || !self.addresses.is_empty()
            || !self.prefixes.is_empty()
            || !self.new_mtus.is_empty()
    }

    /// What is to be done not before some time, because somebody undoes it again and again.
    pub(in crate::backend::linux) fn patience(&self, now: Instant) -> Option<Instant> {
        if self.known.is_some() || self.others_locked {
            return None;
        }
        self.tampering.iter().filter_map(|(what, _)| self.contests.is_held(what, now)).max()
    }

    /// When something that was left alone is to be tried again.
    pub(in crate::backend::linux) fn deadline(&self) -> Option<Instant> {
        self.again
    }

    pub(in crate::backend::linux) fn contests(&self) -> Vec<Contest> {
        self.contests.told()
    }

    /// Takes an announcement of rtnetlink in.
    pub(in crate::backend::linux) fn hear_route(
        &mut self,
        host: &LinuxHost,
        message: &Message<'_>,
    ) -> Result<(), DecodeError> {
        let port = message.header.port;
        let ours = host.route.has_port(port);
        match message.header.kind & !3 {
            subject::ROUTE => {
                if let (Some(news), Some(route)) = (News::of(message), Route::parse(message)?) {
                    self.hear_of_route(host, news, route, port, ours);
                }
            }
            subject::ADDRESS if message.header.kind == NEW_ADDRESS && !ours => {
                let (&[family, _, _, _, i0, i1, i2, i3], _) = message.split::<8>("ifaddrmsg")?;
                let link = u32::from_ne_bytes([i0, i1, i2, i3]);
                for of in Family::ALL {
                    if super::super::link::address_family(of) == family
                        && self.metrics.contains_key(&(of, link))
                    {
                        let _ = self.addresses.insert((of, link));
                    }
                }
            }
            // Others' rules too: ours may have to lead around them.
            subject::RULE if !ours && !self.is_idle() => {
                let is_ours = rule::announced_protocol(message)? == Some(PROTOCOL);
                if is_ours && message.header.kind == rule::DELETE_RULE {
                    self.tampered(host, Contested::Rules(family_of(message)), port);
                }
                self.forget();
            }
            subject::LINK | subject::NEXT_HOP if !self.is_idle() => self.forget(),
            _ => {}
        }
        Ok(())
    }

    /// Takes an announcement of the packet filter in.
    pub(in crate::backend::linux) fn hear_filter(
        &mut self,
        host: &LinuxHost,
        message: &Message<'_>,
    ) -> Result<(), DecodeError> {
        if host.netfilter.has_port(message.header.port) {
            return Ok(());
        }
        if nf_tables::is_about_table(message, FILTER_TABLE)? {
            self.filter_touched = true;
            self.forget();
        } else if nf_tables::is_about_table(message, LOCK_TABLE)? {
            self.others_locked = true;
        } else if self.filter_touched
            && let Some(author) = nf_tables::Author::parse(message)?
        {
            self.filter_touched = false;
            let by = Manager { process: author.process, name: author.name };
            self.tampering.push((Contested::Filter, Some(by)));
        }
        Ok(())
    }

    fn is_idle(&self) -> bool {
        self.known.as_ref().is_some_and(Known::is_idle) && self.metrics.is_empty() && self.mtus.is_empty()
    }

    fn tampered(&mut self, host: &LinuxHost, what: Contested, port: u32) {
        /// Of one kind, more than this many tell nothing new.
        const MOST: usize = 16;
        if self.tampering.iter().any(|(known, _)| *known == what) || self.tampering.len() >= MOST {
            return;
        }
        let by = host.namespace.run(|| manager::by_port(port)).ok().flatten();
        self.tampering.push((what, by));
    }

    fn hear_of_route(&mut self, host: &LinuxHost, news: News, route: Route, port: u32, ours: bool) {
        if is_ours(route.table, route.protocol) {
            if !ours && (is_selection(route.table) || STATE_TABLES.contains(&route.table)) {
                // Port 0 is the kernel, which takes routes away with their links.
                if news == News::Gone && port != 0 {
                    let what = if is_selection(route.table) {
                        Contested::Routes(route.table)
                    } else {
                        Contested::State
                    };
                    if what == Contested::State {
                        self.memory.lose(route.settled());
                    }
                    self.tampered(host, what, port);
                }
                self.forget();
            }
            return;
        }
        let ends = route.expires.is_some_and(|ticks| ticks <= 0);
        let expires = route.expires;
        let mut route = route.settled();
        if let Some(known) = &mut self.known
            && known.hear(news, &route).is_err()
        {
            self.forget();
        }
        if ours && news == News::Gone && !self.moves.is_empty() {
            self.moves.push((route, None));
            return;
        }
        if ours || ends || news == News::Gone || (self.metrics.is_empty() && self.mtus.is_empty()) {
            return;
        }
        let Some((family, link)) = of_route(&route) else {
            // One by a next hop object that does not show its link.
            if route.next_hop_id.is_some() {
                self.forget();
            }
            return;
        };
        if route.table == LOCAL_TABLE {
            return;
        }
        if family == Family::V4
            && self.mtus.get(&link).is_some_and(|mtu| route.metrics.get(metric::MTU) != Some(*mtu))
            && foreign::is_unicast_over(&route, link)
        {
            let _ = self.new_mtus.insert(link);
        }
        route.expires = expires;
        match self.metrics.get(&(family, link)) {
            Some(followed) if followed.may_be_advertised_prefix(&route) => {
                let _ = self.prefixes.insert(link);
            }
            Some(followed) if followed.concerns(&route) => self.moves.push((route, Some(port))),
            _ => {}
        }
    }

    /// Makes everything hold what is set, as far as it does not.
    pub(in crate::backend::linux) fn keep(&mut self, host: &LinuxHost, hear: &mut Hear<'_>) -> Result<()> {
        let now = Instant::now();
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.forget();
        }
        if !self.has_work() {
            return Ok(());
        }
        if self.known.is_none() && self.finds_nothing_set(host)? {
            return Ok(());
        }
        // What is written down of moved routes is state, of which there is a copy.
        let changes_state = self.known.is_none()
            || !self.moves.is_empty()
            || !self.addresses.is_empty()
            || !self.prefixes.is_empty();
        let _lock = if changes_state { PolicyLock::take(host) } else { PolicyLock::take_for_routes(host) }?;
        hear(self)?;
        let done = self.keep_locked(host, hear);
        if done.is_err() {
            self.forget();
        }
        done
    }

    fn keep_locked(&mut self, host: &LinuxHost, hear: &mut Hear<'_>) -> Result<()> {
        if self.known.is_some() {
            match self.keep_up(host, hear) {
                Ok(()) if self.known.is_some() => return self.tell_what_is_left(),
                Ok(()) => {}
                // Something is otherwise than it is known to be.
                Err(_) => self.forget(),
            }
        }
        self.keep_all(host, hear)?;
        self.tell_what_is_left()
    }

    fn tell_what_is_left(&mut self) -> Result<()> {
        if self.left.is_empty() {
            return Ok(());
        }
        let left = std::mem::take(&mut self.left).join("; ");
        Err(Error::new(ErrorKind::AlreadyExists, OPERATION).because(left))
    }

    /// Whether nothing is set, and nothing was.
    fn finds_nothing_set(&mut self, host: &LinuxHost) -> Result<bool> {
        let was_set = !self.memory.is_empty() && !self.others_locked;
        if was_set
            || StateCopy::is_needed(host)
            || !Memory::is_kernel_empty(host)?
            || !host.is_free_of_policy()?
        {
            return Ok(false);
        }
        *self = Self {
            known: Some(Known::default()),
            contests: std::mem::take(&mut self.contests),
            ..Self::default()
        };
        Ok(true)
    }

    /// Writes what was announced, and no more.
    fn keep_up(&mut self, host: &LinuxHost, hear: &mut Hear<'_>) -> Result<()> {
        let is_still = self.moves.is_empty() && self.addresses.is_empty() && self.prefixes.is_empty();
        if !is_still || !self.new_mtus.is_empty() {
            self.move_routes(host)?;
            for index in std::mem::take(&mut self.prefixes) {
                match host.link(InterfaceKey::Index(InterfaceIndex(index)), OPERATION) {
                    Ok(link) => host.follow_advertised_prefixes(&link)?,
                    Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
                    Err(error) => return Err(error),
                }
            }
            for (family, index) in std::mem::take(&mut self.addresses) {
                match host.link(InterfaceKey::Index(InterfaceIndex(index)), OPERATION) {
                    Ok(link) => host.follow_addresses(family, &link)?,
                    // Its going is announced too.
                    Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
                    Err(error) => return Err(error),
                }
            }
            self.lower_mtus(host)?;
            // What was moved stands elsewhere now, and is announced there.
            hear(self)?;
        }
        match &mut self.known {
            Some(known) => known.write(host),
            None => Ok(()),
        }
    }

    fn lower_mtus(&mut self, host: &LinuxHost) -> Result<()> {
        for index in std::mem::take(&mut self.new_mtus) {
            match host.link(InterfaceKey::Index(InterfaceIndex(index)), OPERATION) {
                Ok(link) => host.renew_ipv4_mtu(&mut *host.route.take()?, &link)?,
                Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Moves the routes that came, but for those that somebody adds again each time.
    fn move_routes(&mut self, host: &LinuxHost) -> Result<()> {
        let now = Instant::now();
        let mut by_link: BTreeMap<(Family, u32), Vec<Route>> = BTreeMap::new();
        let mut ports: FxHashMap<Route, u32> = FxHashMap::default();
        let came = std::mem::take(&mut self.moves);
        // The last time that each was moved. Moved again, it would seem to have been taken away by its owner.
        let moved = came.iter().enumerate().filter(|(_, (_, port))| port.is_none());
        let moved: FxHashMap<Route, usize> = moved.map(|(at, (route, _))| (route.clone(), at)).collect();
        for (at, (route, port)) in came.into_iter().enumerate() {
            let Some(port) = port else { continue };
            if !moved.is_empty() && moved.get(&route.clone().settled()).is_some_and(|then| *then > at) {
                continue;
            }
            let Some((family, link)) = of_route(&route) else { continue };
            // Found by an earlier one of those that were announced together.
            let concerns = |followed: &Followed| followed.concerns(&route);
            if !self.metrics.get(&(family, link)).is_some_and(concerns) {
                continue;
            }
            if let Some(until) = self.contests.is_held(&contested(&route, family, link), now) {
                self.again = Some(self.again.map_or(until, |again| again.min(until)));
                continue;
            }
            let _ = ports.insert(route.clone(), port);
            let routes = by_link.entry((family, link)).or_default();
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
        for (key, routes) in by_link {
            let Some(followed) = self.metrics.get_mut(&key) else { continue };
            let moves = followed.move_routes(&mut *host.route.take()?, routes)?;
            self.note_moves(key, moves, |route| {
                let port = *ports.get(route)?;
                host.namespace.run(|| manager::by_port(port)).ok().flatten()
            });
        }
        Ok(())
    }

    fn note_moves(
        &mut self,
        (family, link): (Family, u32),
        moves: Moves,
        by: impl Fn(&Route) -> Option<Manager>,
    ) {
        let now = Instant::now();
        self.left.extend(moves.left);
        for route in moves.again {
            let _ = self.contests.note(contested(&route, family, link), by(&route), now);
        }
    }

    /// Reads everything, and makes it hold what is set.
    fn keep_all(&mut self, host: &LinuxHost, hear: &mut Hear<'_>) -> Result<()> {
        /// Who takes away more than so often at once has a program that does nothing else.
        const ATTEMPTS: usize = 20;
        for _ in 0..ATTEMPTS {
            if self.try_to_keep_all(host, hear)? {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Interrupted, OPERATION)
            .because("another program keeps taking away what remembers the settings"))
    }

    fn try_to_keep_all(&mut self, host: &LinuxHost, hear: &mut Hear<'_>) -> Result<bool> {
        // All that is announced by now is in what is read next.
        hear(self)?;
        let now = Instant::now();
        self.left.clear();
        let tampering = std::mem::take(&mut self.tampering);
        self.filter_touched = false;
        if !self.others_locked {
            for (what, by) in tampering {
                let _ = self.contests.note(what, by, now);
            }
        }
        self.memory.restore(host, self.others_locked)?;
        self.others_locked = false;
        self.moves.clear();
        self.addresses.clear();
        self.prefixes.clear();
        self.new_mtus.clear();
        self.metrics.clear();
        let links = host.links(OPERATION)?;
        if !self.follow_metrics(host, &links, hear)? {
            return Ok(false);
        }
        let Reconciled { families, links, .. } = host.reconcile_locked_policy()?;
        self.mtus = host.route_settings().map(|settings| {
            let mtu = |link: &Link| Some((link.index.0, settings.ipv4_mtu(link)?));
            links.iter().filter_map(mtu).collect()
        })?;
        self.new_mtus = links
            .iter()
            .filter(|link| {
                self.mtus
                    .get(&link.index.0)
                    .is_some_and(|mtu| host.ipv4_mtu_work(link, Some(*mtu)).is_ok_and(|work| work > 0))
            })
            .map(|link| link.index.0)
            .collect();
        self.lower_mtus(host)?;
        self.known = Some(Known::new(families, &links));
        self.memory.take(host)?;
        Ok(true)
    }

    /// Looks at the interfaces with a metric by hand, and moves what came since; whether somebody took away meanwhile what
    /// tells which routes were moved.
    fn follow_metrics(&mut self, host: &LinuxHost, links: &[Link], hear: &mut Hear<'_>) -> Result<bool> {
        let now = Instant::now();
        let mut unmoved = Vec::new();
        for (family, link) in host.manual_metrics(links)? {
            if let Some((followed, mut routes)) = host.follow_metric(family, &link)? {
                let index = link.index.0;
                let what = |route: &Route| contested(route, family, index);
                routes.retain(|route| self.contests.is_held(&what(route), now).is_none());
                let _ = self.metrics.insert((family, index), followed);
                unmoved.push((family, link, routes));
            }
        }
        // A route whose note was gone already would be moved twice.
        hear(self)?;
        if self.memory.has_lost() {
            return Ok(false);
        }
        for (family, link, routes) in unmoved {
            host.follow_addresses(family, &link)?;
            if family == Family::V6 {
                host.follow_advertised_prefixes(&link)?;
            }
            let key = (family, link.index.0);
            if let Some(followed) = self.metrics.get_mut(&key) {
                let moves = followed.move_routes(&mut *host.route.take()?, routes)?;
                self.note_moves(key, moves, |_| None);
            }
        }
        self.again = self.contests.next_route(now);
        Ok(true)
    }
}

fn family_of(message: &Message<'_>) -> Family {
    if message.payload.first() == Some(&10) { Family::V6 } else { Family::V4 }
}

fn of_route(route: &Route) -> Option<(Family, u32)> {
    let family = if route.family == 2 { Family::V4 } else { Family::V6 };
    Some((family, route.interfaces().next()?))
}

/// A route whose owner may not leave it where it was moved.
fn contested(route: &Route, family: Family, link: u32) -> Contested {
    let everywhere = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let destination = route.destination.unwrap_or(everywhere);
    Contested::Metric {
        interface: InterfaceIndex(link),
        destination: Prefix::new(destination, route.destination_len).unwrap_or(Prefix::host(destination)),
        table: route.table,
        metric: route.priority,
    }
}
