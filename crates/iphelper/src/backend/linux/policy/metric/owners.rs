//! The metrics that owners gave to routes which an interface metric has moved.

use super::super::marker::{Subject, index_of, markers, routes_of};
use super::super::names::PROTOCOL;
use super::moved::{What, table};
use super::state::State;
use super::{failed, state_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{Route, metric, protocol};
use rustc_hash::{FxHashMap, FxHashSet};

/// The protocol number of routes that are made for callers, as of everything that is ours.
pub(in crate::backend::linux) const OUR_PROTOCOL: u8 = PROTOCOL;

/// What the metric of a route over an interface says of the one that its owner gave it.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct RouteMetrics {
    /// The interfaces that have a metric by hand, or that are about to have or to lose one.
    states: FxHashMap<(Family, u32), State>,
    /// Family, interface, metric and offset of what was moved.
    moved: FxHashSet<(Family, u32, u32, u32)>,
}

impl LinuxHost {
    /// Reads it for `links`, by one dump where no interface has a metric by hand.
    pub(in crate::backend::linux) fn route_metrics(&self, links: &[Link]) -> Result<RouteMetrics> {
        let mut socket = self.route.take()?;
        let all = markers(&mut socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let mut metrics = RouteMetrics::default();
        for link in links.iter().filter(|link| all.iter().any(|marker| marker.subject.index == link.index.0))
        {
            for family in Family::ALL {
                let state = state_of(&all, family, Subject::of(link));
                if state != State::settled(None, 0) {
                    let _ = metrics.states.insert((family, link.index.0), state);
                }
            }
        }
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
}

impl RouteMetrics {
    /// The metric that the owner of a route over `link` gave it.
    pub(in crate::backend::linux) fn owners(&self, family: Family, link: u32, route: &Route) -> u32 {
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
        // The kernel has no IPv6 route of metric 0, so ours stand one higher.
        if family == Family::V6 && route.protocol == PROTOCOL { metric.saturating_sub(1) } else { metric }
    }
}
