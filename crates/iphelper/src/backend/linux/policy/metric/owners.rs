//! The metrics that owners gave to routes which an interface metric has moved.

use super::super::marker::{Subject, index_of, markers, routes_of};
use super::super::names::PROTOCOL;
use super::super::route_mtu;
use super::failed;
use super::moved::{Moved, Place, What, table};
use super::shifted::{Shifts, stored};
use super::state::{State, has_unfinished};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::Socket;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::addr::Address;
use iphelper_netlink::rtnetlink::route::{Route, metric, protocol};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// The protocol number of routes that are made for callers, as of everything that is ours.
pub(in crate::backend::linux) const OUR_PROTOCOL: u8 = PROTOCOL;

/// What the metric of a route over an interface says of the one that its owner gave it.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct RouteMetrics {
    /// The interfaces that have a metric by hand, or that are about to have or to lose one.
    states: FxHashMap<(Family, u32), State>,
    /// Family, interface, metric and offset of what was moved.
    moved: FxHashSet<(Family, u32, u32, u32)>,
    /// IPv4 MTUs of interfaces that have one below their devices'.
    mtus: FxHashMap<u32, u32>,
    /// Whether a caller was killed while it changed the metric of any interface.
    is_any_unfinished: bool,
    pub(in crate::backend::linux) shifts: Shifts,
}

impl LinuxHost {
    /// Reads it for `links`, by two dumps where no interface has a metric by hand.
    pub(in crate::backend::linux) fn route_metrics(&self, links: &[Link]) -> Result<RouteMetrics> {
        let mut socket = self.route.take()?;
        let mut metrics = route_settings(&mut socket, links, &Family::ALL)?;
        for family in Family::ALL {
            if !metrics.states.keys().any(|(of, _)| *of == family) {
                continue;
            }
            for what in [What::Routes, What::Prefixes] {
                let notes = routes_of(&mut socket, table(what, family));
                for note in notes.map_err(|refusal| failed(refusal, "reading what was moved"))? {
                    if let (Some(index), Some(offset)) = (index_of(&note), note.metrics.get(metric::WINDOW)) {
                        let _ = metrics.moved.insert((family, index, note.priority, offset));
                    }
                }
            }
        }
        Ok(metrics)
    }

    /// The same as far as routes of `families` that are about to be made need it: not which are there because they were
    /// moved.
    pub(in crate::backend::linux) fn new_route_metrics(
        &self,
        links: &[Link],
        families: &[Family],
    ) -> Result<RouteMetrics> {
        route_settings(&mut *self.route.take()?, links, families)
    }

    /// Writes down that routes of these metrics stand where they do because `offset` was added to their owners'.
    pub(in crate::backend::linux) fn note_moved(
        &self,
        socket: &mut Socket,
        family: Family,
        link: u32,
        metrics: impl IntoIterator<Item = u32>,
        offset: u32,
    ) -> Result<()> {
        // What is written down already is refused, which is shorter than to read all.
        let noted = Moved::unread(What::Routes, family, link).add(
            socket,
            metrics.into_iter().map(Place::of_routes),
            offset,
        );
        noted.map_err(|refusal| failed(refusal, "writing down what moves"))
    }

    /// Writes down that the routes to the prefixes of these addresses stand where they say because `offset` was added.
    pub(in crate::backend::linux) fn note_moved_prefixes(
        &self,
        socket: &mut Socket,
        family: Family,
        link: u32,
        addresses: &[Address],
        offset: u32,
    ) -> Result<()> {
        let places = addresses
            .iter()
            .filter_map(|it| Some(Place::of_prefix(it.address, it.prefix_len, it.route_priority?)));
        let noted = Moved::unread(What::Prefixes, family, link).add(socket, places, offset);
        noted.map_err(|refusal| failed(refusal, "writing down what moves"))
    }
}

/// What is set by hand of `links`, and which routes of `families` stand behind others.
fn route_settings(socket: &mut Socket, links: &[Link], families: &[Family]) -> Result<RouteMetrics> {
    let all = markers(socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
    let mut metrics = RouteMetrics { is_any_unfinished: has_unfinished(&all), ..RouteMetrics::default() };
    for link in links.iter().filter(|link| all.iter().any(|marker| marker.subject.index == link.index.0)) {
        if let Some(mtu) = route_mtu::state_of(&all, Subject::of(link)).mtu() {
            let _ = metrics.mtus.insert(link.index.0, mtu);
        }
        for family in Family::ALL {
            let state = State::of(&all, family, Subject::of(link));
            if state != State::settled(None, 0) {
                let _ = metrics.states.insert((family, link.index.0), state);
            }
        }
    }
    if families.contains(&Family::V6) {
        metrics.shifts =
            Shifts::read(socket).map_err(|refusal| failed(refusal, "reading what stands behind others"))?;
    }
    Ok(metrics)
}

impl RouteMetrics {
    /// What is added to the metrics of routes over this interface now.
    pub(in crate::backend::linux) fn offset(&self, family: Family, link: u32) -> u32 {
        self.states.get(&(family, link)).and_then(State::metric).unwrap_or(0)
    }

    /// The metric that an interface is to have where a change of it was left half done.
    pub(in crate::backend::linux) fn unfinished(&self, family: Family, link: u32) -> Option<Option<u32>> {
        self.states.get(&(family, link)).filter(|state| state.is_unfinished()).map(State::goal)
    }

    /// Whether a change of any interface's metric was left half done.
    pub(in crate::backend::linux) fn is_any_unfinished(&self) -> bool {
        self.is_any_unfinished
    }

    /// The IPv4 MTU of an interface, where routes have one below the device's.
    pub(in crate::backend::linux) fn ipv4_mtu(&self, link: u32) -> Option<u32> {
        self.mtus.get(&link).copied()
    }

    /// The metric that the owner of a route over `link` gave it; `gateway` is the router there.
    pub(in crate::backend::linux) fn owners(
        &self,
        family: Family,
        link: u32,
        gateway: Option<IpAddr>,
        route: &Route,
    ) -> u32 {
        let metric = route.priority;
        let metric = match self.states.get(&(family, link)) {
            None => metric,
            Some(state) => {
                let offsets = [state.to, state.from].into_iter().flatten();
                let was_moved = |offset: &u32| {
                    let noted = self.moved.contains(&(family, link, metric, *offset));
                    // The kernel adds the offset itself, by a sysctl.
                    let advertised = route.protocol == protocol::ROUTER_ADVERTISEMENT
                        && route.destination_len == 0
                        && state.advertised.checked_add(*offset) == Some(metric);
                    noted || advertised
                };
                offsets.clone().find(was_moved).map_or(metric, |offset| metric.saturating_sub(offset))
            }
        };
        if family == Family::V6 && route.protocol == PROTOCOL {
            let shift = self.shifts.of(link, route, gateway, metric);
            metric.saturating_sub(stored(shift))
        } else {
            metric
        }
    }
}
