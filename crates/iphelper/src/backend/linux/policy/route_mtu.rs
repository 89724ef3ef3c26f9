//! An IPv4 MTU below the device's: every IPv4 route over the interface gets it.
//!
//! The device's MTU is that of both families, and IPv6 alone has a smaller one of its own. For IPv4 there is the MTU of
//! a route (`RTAX_MTU`). It is set without lock: a lock would clear the DF bit of every packet.
//!
//! Routes whose owner has given them a smaller MTU keep it. Where the owner's is larger or the same, it is written down
//! first, as a route without device to the same prefix ([`LOWERED_ROUTES`]), so that the way back is exact.

use super::batch::{send, send_all};
use super::exclusive::PolicyLock;
use super::foreign::{is_unicast_over, routes};
use super::marker::{Marker, Subject, markers, routes_of};
use super::metric::OwnersMetrics;
use super::names::{IPV4_MTU, LOWERED_ROUTES, PROTOCOL, is_ours};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::{Error, Result};
use crate::types::Family;
use iphelper_netlink::message::{APPEND, CREATE, REPLACE};
use iphelper_netlink::rtnetlink::route::{Filter, Route, SETTING_FLAGS, kind, metric};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

const OPERATION: &str = "changing the IPv4 MTU of an interface";
const AF_INET: u8 = address_family(Family::V4);

/// The IPv4 MTU as it is kept in the kernel; `None` is the device's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct State {
    from: Option<u32>,
    to: Option<u32>,
}

impl State {
    /// The MTU in force: the old one until all routes have the new one.
    pub(super) fn mtu(&self) -> Option<u32> {
        self.from
    }

    fn marker(self, subject: Subject) -> Marker {
        let values = [self.from.unwrap_or(0), self.to.unwrap_or(0), 0, 0];
        Marker { property: IPV4_MTU, subject, values }
    }

    /// Whether an MTU is one that this property gives.
    fn gives(self, mtu: Option<u32>) -> bool {
        mtu.is_some() && (mtu == self.from || mtu == self.to)
    }
}

/// What the markers say of an interface.
pub(super) fn state_of(markers: &[Marker], subject: Subject) -> State {
    let marker = markers.iter().find(|it| it.property == IPV4_MTU && it.subject == subject);
    let [from, to, ..] = marker.map_or([0; 4], |marker| marker.values);
    let mtu = |value| (value != 0).then_some(value);
    State { from: mtu(from), to: mtu(to) }
}

/// A route as the owner knows it, to find again which MTU it had.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Name {
    destination: (Option<IpAddr>, u8),
    tos: u8,
    /// The metric that the owner gave.
    metric: u32,
    table: u32,
    interface: u32,
}

impl Name {
    /// The route that keeps the owner's MTU.
    fn record(&self, mtu: u32) -> Route {
        let mut route = Route {
            destination: self.destination.0,
            destination_len: self.destination.1,
            tos: self.tos,
            priority: self.metric,
            kind: kind::THROW,
            protocol: PROTOCOL,
            ..Route::new(AF_INET, LOWERED_ROUTES)
        };
        route.metrics.set(metric::WINDOW, Some(mtu));
        route.metrics.set(metric::SSTHRESH, Some(self.interface));
        route.metrics.set(metric::CWND, Some(self.table));
        route
    }

    fn read(record: &Route) -> Option<(Self, u32)> {
        let number = |number| record.metrics.get(number);
        let name = Self {
            destination: (record.destination, record.destination_len),
            tos: record.tos,
            metric: record.priority,
            table: number(metric::CWND)?,
            interface: number(metric::SSTHRESH)?,
        };
        Some((name, number(metric::WINDOW)?))
    }
}

/// One route that changes.
#[derive(Debug)]
struct Step {
    old: Route,
    new: Route,
    /// Whether the kernel replaces this very route when it is told to replace the one of this prefix and metric.
    is_first: bool,
    /// Whether `new` is there already, so that only `old` has to go.
    is_there: bool,
}

/// The IPv4 routes as this property sees them.
struct Survey {
    steps: Vec<Step>,
    /// The owners' MTUs that must be known before a step is taken.
    new_records: Vec<Route>,
    /// Those that nothing needs when all steps have been taken.
    old_records: Vec<Route>,
}

impl LinuxHost {
    /// Sets the IPv4 MTU of an interface whose device has a larger one or, with `None`, makes it the device's again. Also
    /// changes routes that were added since, and completes what a caller that was killed has begun.
    pub(in crate::backend::linux) fn set_ipv4_mtu(&self, link: &Link, mtu: Option<u32>) -> Result<()> {
        let _lock = PolicyLock::take(self)?;
        self.set_ipv4_mtu_locked(&mut *self.route.take()?, link, mtu)
    }

    /// Gives the MTU in force to routes that came without.
    pub(super) fn renew_ipv4_mtu(&self, socket: &mut Socket, link: &Link) -> Result<()> {
        let all = markers(socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        match state_of(&all, Subject::of(link)).to {
            Some(mtu) => self.set_ipv4_mtu_locked(socket, link, Some(mtu)),
            None => Ok(()),
        }
    }

    /// How many routes [`set_ipv4_mtu`](Self::set_ipv4_mtu) would change.
    pub(in crate::backend::linux) fn ipv4_mtu_work(&self, link: &Link, mtu: Option<u32>) -> Result<usize> {
        let mut socket = self.route.take()?;
        let all = markers(&mut socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let state = state_of(&all, Subject::of(link));
        Ok(survey(&mut socket, &all, link, state, mtu)?.steps.len())
    }

    fn set_ipv4_mtu_locked(&self, socket: &mut Socket, link: &Link, mtu: Option<u32>) -> Result<()> {
        let subject = Subject::of(link);
        let all = markers(socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let stale = |it: &&Marker| {
            it.property == IPV4_MTU && it.subject.index == subject.index && it.subject != subject
        };
        if let Some(stale) = all.iter().find(stale) {
            // An interface that is gone had this index. Its routes went with it.
            or_gone(send(socket, stale.remove()), "taking a stale marker away")?;
        }
        let state = state_of(&all, subject);
        let Survey { steps, new_records, old_records } = survey(socket, &all, link, state, mtu)?;
        for (_, refusal) in send_all(socket, new_records.iter().map(|record| record.add(CREATE | APPEND)))
            .map_err(|refusal| failed(refusal, "writing down the MTUs of routes"))?
        {
            if refusal.errno() != libc::EEXIST {
                return Err(failed(refusal, "writing down the MTUs of routes"));
            }
        }
        let going = State { from: state.from, to: mtu };
        let marking = |refusal| failed(refusal, "writing the marker");
        send(socket, going.marker(subject).put()).map_err(marking)?;
        for (place, step) in steps.iter().enumerate() {
            if let Err(error) = step.take(socket) {
                let done = steps.get(..place).unwrap_or_default();
                return Err(match put_back(socket, done, &new_records, state, going.marker(subject)) {
                    Ok(()) => error,
                    Err(lost) => {
                        let reason = error.reason().unwrap_or_default().to_owned();
                        error.because(format!(
                            "{reason}; what was done could not be put back ({lost}): call again"
                        ))
                    }
                });
            }
        }
        // Before the marker: without it nobody would look for them.
        forget(socket, &old_records)?;
        if mtu.is_some() {
            send(socket, State { from: mtu, to: mtu }.marker(subject).put()).map_err(marking)
        } else {
            or_gone(send(socket, going.marker(subject).remove()), "taking the marker away")
        }
    }
}

/// Undoes the steps that were taken for `going`.
fn put_back(
    socket: &mut Socket,
    done: &[Step],
    new_records: &[Route],
    state: State,
    going: Marker,
) -> Result<()> {
    done.iter().rev().try_for_each(|step| step.undo(socket))?;
    if state.from != state.to {
        // What a caller that was killed has done is still under way.
        return Ok(());
    }
    forget(socket, new_records)?;
    match state.from {
        Some(_) => send(socket, state.marker(going.subject).put())
            .map_err(|refusal| failed(refusal, "writing the marker")),
        None => or_gone(send(socket, going.remove()), "taking the marker away"),
    }
}

fn survey(
    socket: &mut Socket,
    markers: &[Marker],
    link: &Link,
    state: State,
    mtu: Option<u32>,
) -> Result<Survey> {
    let index = link.index.0;
    let listing = |refusal| failed(refusal, "listing the routes");
    let mut all = routes(socket, AF_INET, Filter::default()).map_err(listing)?;
    all.retain(|route| !is_ours(route.table, route.protocol));
    let records = routes_of(socket, LOWERED_ROUTES).map_err(listing)?;
    let mut owners: HashMap<Name, u32> =
        records.iter().filter_map(Name::read).filter(|(name, _)| name.interface == index).collect();
    let moved = OwnersMetrics::of_ipv4_routes(socket, markers, link).map_err(listing)?;
    let going = State { from: state.from, to: mtu };
    let known = |mtu| state.gives(mtu) || state.from.is_some() && going.gives(mtu);

    let mut found = Survey { steps: Vec::new(), new_records: Vec::new(), old_records: Vec::new() };
    let key =
        |route: &Route| (route.table, route.destination, route.destination_len, route.tos, route.priority);
    let mut first: HashMap<_, usize> = HashMap::default();
    for (place, route) in all.iter().enumerate() {
        let _ = first.entry(key(route)).or_insert(place);
    }
    let there: HashSet<Route> =
        all.iter().filter(|route| is_unicast_over(route, index)).map(settings).collect();
    for (place, route) in all.iter().enumerate().filter(|(_, route)| is_unicast_over(route, index)) {
        let name = Name {
            destination: (route.destination, route.destination_len),
            tos: route.tos,
            metric: moved.owners(route.priority),
            table: route.table,
            interface: index,
        };
        let now = route.metrics.get(metric::MTU);
        let record = owners.remove(&name);
        let owners = if known(now) { record } else { now };
        let new = match (owners, mtu) {
            (Some(owners), Some(mtu)) => Some(owners.min(mtu)),
            (owners, mtu) => owners.or(mtu),
        };
        // An owner's MTU that ours would hide.
        let needed = owners.filter(|owners| mtu.is_some_and(|mtu| *owners >= mtu));
        if let Some(owners) = needed.filter(|_| needed != record) {
            found.new_records.push(name.record(owners));
        }
        if let Some(record) = record.filter(|_| needed != record) {
            found.old_records.push(name.record(record));
        }
        if new != now {
            let mut changed = route.clone();
            changed.metrics.set(metric::MTU, new);
            found.steps.push(Step {
                is_first: first.get(&key(route)) == Some(&place),
                is_there: there.contains(&settings(&changed)),
                old: route.clone(),
                new: changed,
            });
        }
    }
    // Of routes that are gone.
    found.old_records.extend(owners.into_iter().map(|(name, mtu)| name.record(mtu)));
    Ok(found)
}

/// The route without its state.
fn settings(route: &Route) -> Route {
    Route { flags: route.flags & SETTING_FLAGS, ..route.clone() }
}

impl Step {
    fn take(&self, socket: &mut Socket) -> Result<()> {
        if self.is_there {
            return or_gone(send(socket, self.old.delete()), "taking an old route away");
        }
        exchange(socket, &self.old, &self.new, self.is_first)
    }

    fn undo(&self, socket: &mut Socket) -> Result<()> {
        if self.is_there {
            let again = send(socket, self.old.add(CREATE | APPEND));
            return again.map_err(|refusal| failed(refusal, "putting a route back"));
        }
        exchange(socket, &self.new, &self.old, self.is_first)
    }
}

/// Puts `new` in the place of `old`: in one message, or, where another route of this prefix and metric comes before,
/// behind it.
fn exchange(socket: &mut Socket, old: &Route, new: &Route, is_first: bool) -> Result<()> {
    let adding = |refusal| failed(refusal, "giving a route another MTU");
    if is_first {
        return send(socket, new.add(REPLACE)).map_err(adding);
    }
    match send(socket, new.add(CREATE | APPEND)) {
        Err(refusal) if refusal.errno() != libc::EEXIST => return Err(adding(refusal)),
        _ => {}
    }
    or_gone(send(socket, old.delete()), "taking an old route away")
}

fn forget(socket: &mut Socket, records: &[Route]) -> Result<()> {
    const DOING: &str = "forgetting the MTUs of routes";
    let sent =
        send_all(socket, records.iter().map(Route::delete)).map_err(|refusal| failed(refusal, DOING))?;
    sent.into_iter().try_for_each(|(_, refusal)| or_gone(Err(refusal), DOING))
}

fn failed(refusal: Refusal, doing: &'static str) -> Error {
    refusal.error(OPERATION).because(doing)
}

fn or_gone(sent: Result<(), Refusal>, doing: &'static str) -> Result<()> {
    match sent {
        Err(refusal) if refusal.errno() != libc::ESRCH => Err(failed(refusal, doing)),
        _ => Ok(()),
    }
}
