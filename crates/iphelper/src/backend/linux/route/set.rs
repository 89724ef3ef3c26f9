//! Changing a route: the new one is there before the old one goes, so that a caller who is killed leaves the old one, the
//! new one or both.

use super::delete::Removal;
use super::find::{Candidate, Found, Scope, find};
use super::one_at_a_time::OneAtATime;
use super::plan::{Place, Planned, protocol_number, ticks};
use super::prefix::{self, Readdressed};
use super::row::family_of;
use super::write::{Undo, add, guards_follow, locked, note, refused};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::address::ON_LINK_PROTOCOL;
use crate::backend::linux::policy::send_all;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::route::{Route, RouteChange, RouteKey};
use crate::types::Family;
use iphelper_netlink::message::{CREATE, REPLACE};
use iphelper_netlink::rtnetlink::route::{self as wire, protocol};
use std::time::Duration;

const OPERATION: &str = "changing a route";
/// `RTPROT_REDIRECT`.
const REDIRECT: u8 = 1;
/// Between reading a lifetime and setting it again, the route has not grown older by more.
const SLACK: Duration = Duration::from_secs(2);

/// What a change comes to: what is added, then what is taken away.
///
/// With nothing to be taken away, what is added replaces the old route in one message. With nothing to be added, a caller
/// that was killed had done the first half.
#[derive(Debug)]
struct Plan {
    changes: Vec<PropertyChange>,
    added: Option<Planned>,
    removal: Option<Removal>,
    /// What replaces the old route in one message, as it was.
    replaced: Option<wire::Route>,
    readdressed: Readdressed,
}

impl Plan {
    fn nothing(changes: Vec<PropertyChange>) -> Self {
        Self { changes, added: None, removal: None, replaced: None, readdressed: Readdressed::default() }
    }
}

/// What would change.
pub(super) fn plan_set(
    host: &LinuxHost,
    key: &RouteKey,
    change: &RouteChange,
) -> Result<Vec<PropertyChange>> {
    let found = find(host, key, Scope::Destination, OPERATION)?;
    Ok(plan(host, &found, key, change)?.changes)
}

/// Changes the route of a key.
pub(super) fn set(host: &LinuxHost, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>> {
    host.require_administrator(OPERATION)?;
    let link = super::find::link_of(host, key, OPERATION)?;
    let families = [Family::of(&key.destination.address())];
    let links = std::slice::from_ref(&link);
    let alone = OneAtATime::take(host, OPERATION)?;
    let (lock, _) = locked(host, links, &families)?;
    let found = find(host, key, Scope::Destination, OPERATION)?;
    let Plan { changes, added, removal, replaced, readdressed } = plan(host, &found, key, change)?;
    let failed = |refusal| refused(refusal, OPERATION);
    let mut socket = host.route.take()?;
    if let Some(planned) = &added {
        note(host, &mut socket, &found.surroundings, [planned].into_iter(), OPERATION)?;
        let request =
            if removal.is_none() { planned.route.add(CREATE | REPLACE) } else { add(&planned.route) };
        let sent = send_all(&mut socket, [request]).map_err(failed)?;
        sent.into_iter().next().map_or(Ok(()), |(_, refusal)| Err(failed(refusal)))?;
    }
    let (mut made, mut deleted) = (Vec::new(), Vec::new());
    if let Some(removal) = removal {
        made.extend(added.map(|planned| planned.route));
        if let Err(error) = removal.carry_out(&mut socket, OPERATION) {
            let _ = send_all(&mut socket, made.iter().map(wire::Route::delete));
            return Err(error);
        }
        made.extend(removal.instead);
        deleted.push(removal.goes);
    }
    readdress(host, &mut socket, &found, &readdressed)?;
    let undo =
        Undo { added: &made, deleted: &deleted, replaced: replaced.as_slice(), addresses: &readdressed.old };
    drop(socket);
    drop((lock, alone));
    guards_follow(host, links, &found.surroundings, &families, OPERATION, undo)?;
    Ok(changes)
}

/// Gives addresses the new metric of their prefix' route, or the old one where that fails.
fn readdress(host: &LinuxHost, socket: &mut Socket, found: &Found, change: &Readdressed) -> Result<()> {
    let Readdressed { new, old } = change;
    let Some(first) = new.first() else { return Ok(()) };
    let family = Family::of(&first.address);
    let offset = found.surroundings.metrics.offset(family, first.index);
    host.note_moved_prefixes(socket, family, first.index, new, offset)?;
    let failed = |refusal: Refusal| {
        refusal.error(OPERATION).because("telling the address the metric of the route to its prefix")
    };
    match send_all(socket, new.iter().map(|it| it.add(REPLACE))).map_err(failed)?.pop() {
        Some((_, refusal)) => {
            let _ = send_all(socket, old.iter().map(|it| it.add(REPLACE)));
            Err(failed(refusal))
        }
        None => Ok(()),
    }
}

fn plan(host: &LinuxHost, found: &Found, key: &RouteKey, change: &RouteChange) -> Result<Plan> {
    if let Some((removal, changes)) = left_half_done(found, change)? {
        return Ok(Plan { removal: Some(removal), ..Plan::nothing(changes) });
    }
    let candidate = found.only(key, OPERATION)?;
    let changes = changes_of(&candidate.row, change);
    if changes.is_empty() {
        return Ok(Plan::nothing(changes));
    }
    if let Some(readdressed) = prefix::readdressed(host, found, candidate, change, OPERATION)? {
        let mut plan = Plan { readdressed, ..Plan::nothing(changes) };
        plan.changes.iter_mut().for_each(|change| change.mechanism = "IFA_RT_PRIORITY".to_owned());
        return Ok(plan);
    }
    if let Some(by) = whose(candidate.row.system_protocol) {
        let is_advertised = candidate.row.system_protocol == protocol::ROUTER_ADVERTISEMENT;
        let or = if is_advertised { ", or give the interface a metric, which moves it" } else { "" };
        return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(format!(
            "it is {by}, which would make it anew: make a route of your own beside it{or}"
        )));
    }
    let removal = Removal::of(found, candidate, OPERATION)?;
    let planned = planned(found, candidate, change)?;
    let family = family_of(&planned.route);
    let at_place = found.all.iter().filter(|it| {
        it.priority == planned.route.priority
            && it.tos == planned.route.tos
            && it.source == planned.route.source
    });
    let stays = planned.route.priority == candidate.wire.priority && !candidate.is_leg();
    let is_first = at_place.count() == 1;
    if stays && !is_first && family == Family::V6 {
        return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(
            "another route of this prefix has the same metric, and the kernel would replace either: change the metric too",
        ));
    }
    // Alone at its place, it is the one that the kernel replaces.
    let removal = (!stays || !is_first).then_some(removal);
    let replaced = removal.is_none().then(|| candidate.wire.clone());
    Ok(Plan { added: Some(planned), removal, replaced, ..Plan::nothing(changes) })
}

/// Who makes routes of this protocol anew.
const fn whose(number: u8) -> Option<&'static str> {
    match number {
        protocol::KERNEL => Some("the kernel's"),
        ON_LINK_PROTOCOL => Some("iphelper's, for an address that is skipped as source"),
        protocol::ROUTER_ADVERTISEMENT => Some("the kernel's, from a router's advertisement"),
        REDIRECT => Some("the kernel's, from a redirect"),
        _ => None,
    }
}

/// The new route.
fn planned(found: &Found, candidate: &Candidate, change: &RouteChange) -> Result<Planned> {
    let mut route = candidate.single();
    let (family, row) = (family_of(&route), &candidate.row);
    if let Some(protocol) = change.protocol.filter(|protocol| *protocol != row.protocol) {
        route.protocol = protocol_number(protocol, OPERATION)?;
    }
    if let Some(lifetime) = change.valid_lifetime.filter(|lifetime| !is_lifetime(row, *lifetime)) {
        route.expires = lifetime.map(|lifetime| ticks(family, lifetime, OPERATION)).transpose()?;
    }
    let metric = change.metric.unwrap_or(row.metric);
    let link = row.index.map_or(0, |index| index.0);
    let stays = metric == row.metric
        && route.protocol == candidate.wire.protocol
        && (family == Family::V4 || !candidate.is_leg());
    if stays || family == Family::V4 && metric == row.metric {
        // The notes that are there hold for it.
        let stored = row.system_metric.saturating_sub(found.surroundings.metrics.offset(family, link));
        let shift = found.surroundings.metrics.shifts.of(link, &route, route.gateway, stored);
        return Ok(Planned { link, route, stored, shift, metric });
    }
    // Its own place is taken, too, until it goes.
    let taken: Vec<u32> = found.all.iter().map(|it| it.priority).collect();
    let place = Place::find(family, &route, metric, &found.surroundings, &taken, OPERATION)?;
    route.priority = place.priority;
    Ok(Planned { link, route, stored: place.stored, shift: place.shift, metric })
}

/// Two routes of one key, of which one has the metric that is asked for and is else like the other: the first half of this
/// very change was done. The second half is what is left.
fn left_half_done(found: &Found, change: &RouteChange) -> Result<Option<(Removal, Vec<PropertyChange>)>> {
    let (Some(metric), [first, second]) = (change.metric, found.candidates.as_slice()) else {
        return Ok(None);
    };
    let settled = |it: &Candidate| wire::Route { priority: 0, ..it.single().settled() };
    if settled(first) != settled(second) || first.row.metric == second.row.metric {
        return Ok(None);
    }
    let old = match (first.row.metric == metric, second.row.metric == metric) {
        (true, false) => second,
        (false, true) => first,
        _ => return Ok(None),
    };
    let changes = changes_of(&old.row, change);
    if changes.len() != 1 {
        return Ok(None);
    }
    Ok(Some((Removal::of(found, old, OPERATION)?, changes)))
}

fn is_lifetime(row: &Route, lifetime: Option<Duration>) -> bool {
    match (row.valid_lifetime, lifetime) {
        (Some(left), Some(asked)) => left.abs_diff(asked) <= SLACK,
        (None, None) => true,
        _ => false,
    }
}

/// What a change changes of a row.
fn changes_of(row: &Route, change: &RouteChange) -> Vec<PropertyChange> {
    let mut changes = Vec::new();
    let mut tell = |property, from: String, to: String, mechanism: &str| {
        changes.push(PropertyChange { property, from, to, mechanism: mechanism.to_owned() });
    };
    if let Some(metric) = change.metric.filter(|metric| *metric != row.metric) {
        tell("metric", row.metric.to_string(), metric.to_string(), "RTA_PRIORITY");
    }
    if let Some(protocol) = change.protocol.filter(|protocol| *protocol != row.protocol) {
        tell("protocol", row.protocol.to_string(), protocol.to_string(), "rtm_protocol");
    }
    if let Some(lifetime) = change.valid_lifetime.filter(|lifetime| !is_lifetime(row, *lifetime)) {
        let text = |time: Option<Duration>| {
            time.map_or_else(|| "forever".to_owned(), |time| format!("{} s", time.as_secs()))
        };
        tell("valid_lifetime", text(row.valid_lifetime), text(lifetime), "RTA_EXPIRES");
    }
    changes
}
