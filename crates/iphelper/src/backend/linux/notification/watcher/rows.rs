//! From what the kernel told of one key, before and after, to events.

use super::super::super::LinuxHost;
use super::super::super::address;
use super::super::super::link::Link;
use super::super::super::neighbor;
use super::super::super::policy::OUR_PROTOCOL;
use super::super::super::policy::names::is_state;
use super::super::super::route::Surroundings;
use super::super::table::Step;
use super::links::Links;
use super::{News, View};
use crate::error::Result;
use crate::notification::{ChangeKind, Event, Requester, Subject as Told};
use crate::types::Family;
use iphelper_netlink::message::{HEADER_LEN, Header, Message};
use iphelper_netlink::rtnetlink::addr::{Address, NEW_ADDRESS};
use iphelper_netlink::rtnetlink::neigh::NEW_NEIGHBOR;
use iphelper_netlink::rtnetlink::route::{NEW_ROUTE, Route, protocol};
use iphelper_netlink::rtnetlink::table::{Rows as Payloads, Subject, alike};

const AF_INET6: u8 = 10;

/// What rows take from elsewhere than their message.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Of routes; read when one is told, and again when it may be out of date.
    routes: Option<Surroundings>,
    /// Whether that was read after the messages that are being worked through had arrived: then it knows them all.
    is_fresh: bool,
}

/// Whom an event is about, and whose request it was.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) requester: Option<Requester>,
    pub(super) resynchronised: bool,
}

impl Rows {
    /// Begins with messages that have just arrived.
    pub(super) fn begin(&mut self) {
        self.is_fresh = false;
    }

    /// Notes that what rows take from elsewhere may be other than before.
    pub(super) fn doubt(&mut self) {
        if !self.is_fresh {
            self.routes = None;
        }
    }

    /// Notes what an announced route tells of others.
    pub(super) fn note_route(&mut self, payload: &[u8]) {
        let [AF_INET6, _, _, _, _, by, _, ..] = *payload else { return };
        // Interface metrics, and which routes they have moved, are kept in tables of our own. A prefix that a router
        // advertised has the kernel's protocol, as that of an address.
        let tells_state = || {
            let table = |route: Option<Route>| route.is_some_and(|route| is_state(route.table, by));
            by == OUR_PROTOCOL && Route::parse(&told(NEW_ROUTE, payload)).is_ok_and(table)
        };
        if by == protocol::KERNEL || tells_state() {
            self.doubt();
        }
    }

    pub(super) fn note_link(&mut self, link: &Link) {
        if let Some(routes) = &mut self.routes {
            routes.add_link(link.index.0, link.luid());
        }
    }

    /// Reads what the rows of a subject take from elsewhere, so that telling them cannot fail.
    pub(super) fn prepare(&mut self, host: &LinuxHost, links: &Links, subject: Subject) -> Result<()> {
        if subject == Subject::Route && self.routes.is_none() {
            let links: Vec<Link> = links.all().cloned().collect();
            let families: Vec<Family> =
                Family::ALL.into_iter().filter(|family| host.sysctl.has(*family)).collect();
            self.routes = Some(Surroundings::read(host, &links, &families, "reading what routes lead over")?);
            self.is_fresh = true;
        }
        Ok(())
    }

    /// Tells what has become of the rows of one key.
    pub(super) fn tell(
        &mut self,
        host: &LinuxHost,
        links: &mut Links,
        subject: Subject,
        step: &Step,
        cause: &Cause,
        news: &mut News,
    ) {
        let before = self.decode(host, links, subject, step.before());
        let after = self.decode(host, links, subject, step.after());
        let mut push = |view, kind, row: &Told, before: Option<&Told>| {
            let Cause { requester, resynchronised } = cause.clone();
            let (subject, before) = (row.clone(), before.cloned());
            news.push(view, Event { kind, subject, before, requester, resynchronised });
        };
        match (before.as_slice(), after.as_slice()) {
            ([], [(_, now)]) => push(View::Both, ChangeKind::Add, now, None),
            ([(_, was)], []) => push(View::Both, ChangeKind::Delete, was, None),
            ([(_, was)], [(_, now)]) if has_same_key(View::Kernel, was, now) => {
                push(View::Both, ChangeKind::Parameter, now, Some(was));
            }
            _ => {
                for view in [View::Kernel, View::Windows] {
                    let (before, after) = (first_of_each(view, &before), first_of_each(view, &after));
                    for (_, was) in &before {
                        if !after.iter().any(|(_, now)| has_same_key(view, was, now)) {
                            push(view, ChangeKind::Delete, was, None);
                        }
                    }
                    for (payload, now) in &after {
                        match before.iter().find(|(_, was)| has_same_key(view, was, now)) {
                            None => push(view, ChangeKind::Add, now, None),
                            Some((other, was)) if was != now && !alike(subject, other, payload) => {
                                push(view, ChangeKind::Parameter, now, Some(was));
                            }
                            Some(_) => {}
                        }
                    }
                }
            }
        }
    }

    fn decode<'a>(
        &mut self,
        host: &LinuxHost,
        links: &mut Links,
        subject: Subject,
        payloads: Payloads<'a>,
    ) -> Vec<(&'a [u8], Told)> {
        let mut rows = Vec::new();
        for payload in payloads {
            match subject {
                Subject::Address => {
                    let address = Address::parse(&told(NEW_ADDRESS, payload)).ok().flatten();
                    let address = address.filter(address::is_unicast);
                    rows.extend(address.and_then(|address| {
                        let link = links.find(host, address.index)?;
                        let row = address::row(&address, link, link.luid());
                        Some((payload, Told::UnicastAddress(Box::new(row))))
                    }));
                }
                Subject::Neighbor => {
                    let [_, _, _, _, i0, i1, i2, i3, ..] = *payload else { continue };
                    let link = links.find(host, u32::from_ne_bytes([i0, i1, i2, i3]));
                    let row = link.and_then(|link| neighbor::row(&told(NEW_NEIGHBOR, payload), link).ok()?);
                    rows.extend(row.map(|row| (payload, Told::Neighbor(Box::new(row)))));
                }
                Subject::Route => {
                    let route = Route::parse(&told(NEW_ROUTE, payload)).ok().flatten();
                    let Some((route, surroundings)) = route.zip(self.routes.as_mut()) else { continue };
                    for index in route.interfaces() {
                        if !surroundings.has_link(index)
                            && let Some(link) = links.find(host, index)
                        {
                            surroundings.add_link(index, link.luid());
                        }
                    }
                    // Fails where next hop objects cannot be read; the route is then without next hop.
                    let _ = surroundings.rows(route, |row| rows.push((payload, Told::Route(Box::new(row)))));
                }
            }
        }
        rows
    }
}

/// A row as if it were in a dump.
pub(super) fn told(kind: u16, payload: &[u8]) -> Message<'_> {
    let len = u32::try_from(HEADER_LEN + payload.len()).unwrap_or(u32::MAX);
    Message { header: Header { len, kind, flags: 0, sequence: 0, port: 0 }, payload }
}

/// Whether two rows of one key of the kernel's are the same thing.
fn has_same_key(view: View, one: &Told, other: &Told) -> bool {
    let by_kernel = view != View::Windows;
    match (one, other) {
        (Told::Route(one), Told::Route(other)) => {
            one.next_hop == other.next_hop
                && one.luid == other.luid
                && (!by_kernel
                    || (one.system_metric == other.system_metric
                        && one.type_of_service == other.type_of_service))
        }
        // One that the kernel has with two prefixes is one row of the table.
        (Told::UnicastAddress(one), Told::UnicastAddress(other)) => one.luid == other.luid,
        (Told::Neighbor(one), Told::Neighbor(other)) => one.luid == other.luid,
        _ => false,
    }
}

/// The rows without those that come after another of the same key: the kernel uses the first.
fn first_of_each<'a>(view: View, rows: &[(&'a [u8], Told)]) -> Vec<(&'a [u8], Told)> {
    let mut first: Vec<(&[u8], Told)> = Vec::with_capacity(rows.len());
    for (payload, row) in rows {
        if !first.iter().any(|(_, other)| has_same_key(view, other, row)) {
            first.push((payload, row.clone()));
        }
    }
    first
}
