//! Routes and addresses that come while an interface's metric is set by hand, for who follows the kernel's changes.
//!
//! The same steps as [of a change](super), for single routes and with the marker settled: the place where a route goes is
//! written down, its copy added, the original taken away. Who is killed in between leaves both, and the next one finds the
//! original not moved and its copy there.

use super::super::foreign::{is_unicast_over, routes};
use super::super::marker::{Subject, markers};
use super::advertised::Advertised;
use super::moved::{Moved, Place};
use super::prefixes;
use super::state::State;
use super::survey::{Key, is_movable, without_metric};
use super::{Change, OPERATION, failed, metric_of, offset};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::batch::{send, send_all};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::message::{APPEND, CREATE, EXCLUSIVE, REPLACE};
use iphelper_netlink::rtnetlink::route::{Filter, Route, protocol};

/// An interface whose metric is set by hand, as far as a new route over it needs that.
#[derive(Debug)]
pub(in crate::backend::linux::policy) struct Followed {
    family: Family,
    index: u32,
    offset: u32,
    /// Whether the kernel makes routes from router advertisements, and gives them their metric itself.
    kernel_obeys: bool,
    /// The sysctl by which it does; IPv6 alone.
    advertised: Option<Advertised>,
    moved: Moved,
    /// Why what a caller that was killed has begun cannot be completed.
    left: Option<String>,
}

/// What became of routes that were to be moved, where more is to be told than that they were.
#[derive(Debug, Default)]
pub(in crate::backend::linux::policy) struct Moves {
    /// Those that stay, and why.
    pub(in crate::backend::linux::policy) left: Vec<String>,
    /// Those whose very copy stood already: their owners added them again after they were moved.
    pub(in crate::backend::linux::policy) again: Vec<Route>,
}

impl Followed {
    /// Whether a route that was announced is to be moved.
    pub(in crate::backend::linux::policy) fn concerns(&self, route: &Route) -> bool {
        if !is_movable(route, self.index)
            || self.moved.contains(Place::of_routes(route.priority), self.offset)
        {
            return false;
        }
        let is_stand_in = |advertised: &Advertised| advertised.is_stand_in(route);
        let is_advertised = route.protocol == protocol::ROUTER_ADVERTISEMENT && self.kernel_obeys;
        !is_advertised && !self.advertised.as_ref().is_some_and(is_stand_in)
    }

    /// Whether a route that was announced may lead to a prefix that a router has advertised just now.
    pub(in crate::backend::linux::policy) fn may_be_advertised_prefix(&self, route: &Route) -> bool {
        self.family == Family::V6 && self.offset != 0 && prefixes::may_be_new(route, self.index)
    }
}

impl LinuxHost {
    /// The interfaces whose metric is set by hand, and those where a caller that was killed began to change it.
    pub(in crate::backend::linux::policy) fn manual_metrics(
        &self,
        links: &[Link],
    ) -> Result<Vec<(Family, Link)>> {
        let all =
            markers(&mut *self.route.take()?).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let has = |family, link: &Link| {
            let subject = Subject::of(link);
            all.iter().any(|it| it.property == metric_of(family) && it.subject == subject)
        };
        let mut found = Vec::new();
        for link in links {
            found.extend(
                Family::ALL.into_iter().filter(|family| has(*family, link)).map(|it| (it, link.clone())),
            );
        }
        Ok(found)
    }

    /// Looks at an interface whose metric is set by hand, after what a caller that was killed has begun is completed; and
    /// which routes over it are to be [moved](Followed::move_routes). `None` if no metric is set.
    ///
    /// The caller has the lock.
    pub(in crate::backend::linux::policy) fn follow_metric(
        &self,
        family: Family,
        link: &Link,
    ) -> Result<Option<(Followed, Vec<Route>)>> {
        let mut socket = self.route.take()?;
        let mut change = Change { host: self, socket: &mut socket, family, link };
        let (mut state, mut survey) = change.recover()?;
        let mut left = None;
        if let Some(goal) = state.then {
            // Where it cannot go on, its routes are followed where they are.
            left = change.go(state, survey, goal).err().map(|error| error.to_string());
            (state, survey) = change.recover()?;
        }
        let Some(offset) = state.to else { return Ok(None) };
        let advertised = Advertised::open(self, family, link, &state)?;
        if let Some(advertised) = &advertised {
            survey.tell_stand_ins(advertised);
        }
        let unmoved = survey.unmoved(&state);
        if family == Family::V6 {
            // So that copies of what is advertised later are known for what they are when they are announced.
            let writing = |refusal| failed(refusal, "writing down what moves");
            survey.moved_routes.add(&mut socket, prefixes::later_places(offset), offset).map_err(writing)?;
        }
        let kernel_obeys = link.ipv6.is_some_and(|ipv6| ipv6.obeys_routers(ipv6.accept_ra));
        let (index, moved) = (link.index.0, survey.moved_routes);
        Ok(Some((Followed { family, index, offset, kernel_obeys, advertised, moved, left }, unmoved)))
    }

    /// Gives the prefixes of an interface's addresses that came since its metric. The caller has the lock.
    pub(in crate::backend::linux::policy) fn follow_addresses(
        &self,
        family: Family,
        link: &Link,
    ) -> Result<()> {
        let mut socket = self.route.take()?;
        let mut change = Change { host: self, socket: &mut socket, family, link };
        let state = change.state()?;
        change.follow_addresses(&state)
    }
}

impl Change<'_> {
    /// Gives the prefixes of addresses that came since the offset.
    fn follow_addresses(&mut self, state: &State) -> Result<()> {
        let by = offset(state.to);
        let mut survey = self.survey()?;
        let work = survey.work_of_addresses(state)?;
        if work.readdress.is_empty() {
            return Ok(());
        }
        let writing = |refusal| failed(refusal, "writing down what moves");
        survey.moved_prefixes.add(self.socket, work.prefixes.iter().copied(), by).map_err(writing)?;
        self.readdress(work.readdress.iter().map(|(new, _)| new.add(REPLACE)))
    }
}

impl Followed {
    /// Moves routes by the offset, copies before originals.
    pub(in crate::backend::linux::policy) fn move_routes(
        &mut self,
        socket: &mut Socket,
        mut originals: Vec<Route>,
    ) -> Result<Moves> {
        let mut moves = Moves { left: self.left.take().into_iter().collect(), again: Vec::new() };
        // Those with the highest metrics make room for the others.
        originals.sort_by_key(|route| std::cmp::Reverse(route.priority));
        let mut pairs: Vec<(Route, Route)> = Vec::new();
        for route in originals {
            match route.priority.checked_add(self.offset) {
                Some(metric) => pairs.push((Route { priority: metric, ..route.clone() }, route)),
                None => moves.left.push(format!(
                    "{}: that and {} are more than 32 bits hold together",
                    shown(&route),
                    self.offset
                )),
            }
        }
        if pairs.is_empty() {
            return Ok(moves);
        }
        let places = pairs.iter().map(|(copy, _)| Place::of_routes(copy.priority));
        self.moved
            .add(socket, places, self.offset)
            .map_err(|refusal| failed(refusal, "writing down what moves"))?;
        let adding = |refusal| failed(refusal, "adding a route with its interface's metric");
        let refused =
            send_all(socket, pairs.iter().map(|(copy, _)| copy.add(CREATE | EXCLUSIVE))).map_err(adding)?;
        let mut in_the_way = None;
        let mut failed_places = Vec::new();
        for (place, refusal) in refused {
            let Some((copy, original)) = pairs.get(place) else { continue };
            let settled = match refusal.errno() {
                libc::EEXIST => {
                    if in_the_way.is_none() {
                        let family = address_family(self.family);
                        let all = routes(socket, family, Filter::default())
                            .map_err(|refusal| failed(refusal, "listing the routes"))?;
                        in_the_way = Some(all);
                    }
                    self.supersede(socket, copy, in_the_way.as_deref().unwrap_or_default())
                }
                _ => Err(refusal),
            };
            if let Ok(true) = settled {
                moves.again.push(original.clone());
            }
            if let Err(refusal) = settled {
                // It came and went, or went with its link; what else there is, its owner's route goes on.
                if !matches!(refusal.errno(), libc::ENETDOWN | libc::ENODEV | libc::ENETUNREACH) {
                    let reason = refusal.error(OPERATION);
                    moves.left.push(format!("{}: {reason}", shown(original)));
                }
                failed_places.push(place);
            }
        }
        let mut number = 0;
        pairs.retain(|_| {
            number += 1;
            !failed_places.contains(&(number - 1))
        });
        let deleting = |refusal| failed(refusal, "taking the old routes away");
        let refused =
            send_all(socket, pairs.iter().map(|(_, original)| original.delete())).map_err(deleting)?;
        for (place, refusal) in refused {
            match pairs.get(place) {
                // Its owner has taken it away meanwhile, and does not know the copy.
                Some((copy, _)) if refusal.errno() == libc::ESRCH => match send(socket, copy.delete()) {
                    Err(refusal) if refusal.errno() != libc::ESRCH => return Err(deleting(refusal)),
                    _ => {}
                },
                _ => return Err(deleting(refusal)),
            }
        }
        Ok(moves)
    }

    /// Puts a copy where something stands already; whether that very copy did. What was moved there from the place where
    /// its owner has put another route since is no longer meant: without the interface's metric the new route would have
    /// taken its place.
    fn supersede(&self, socket: &mut Socket, copy: &Route, all: &[Route]) -> Result<bool, Refusal> {
        let key = Key::of(copy);
        let standing: Vec<&Route> =
            all.iter().filter(|it| it.priority == copy.priority && Key::of(it) == key).collect();
        let (own, others): (Vec<&Route>, Vec<&Route>) =
            standing.into_iter().partition(|it| is_unicast_over(it, self.index));
        if own.iter().any(|it| without_metric(it) == without_metric(copy)) {
            return Ok(true);
        }
        match self.family {
            Family::V4 => {
                or_there(send(socket, copy.add(CREATE | APPEND)))?;
                for stale in own {
                    or_gone(send(socket, stale.delete()))?;
                }
            }
            // The kernel would make one route over both interfaces of the two.
            Family::V6 if others.is_empty() => send(socket, copy.add(CREATE | REPLACE))?,
            Family::V6 => return Err(Refusal::of(libc::EEXIST)),
        }
        Ok(false)
    }
}

fn or_there(sent: Result<(), Refusal>) -> Result<(), Refusal> {
    sent.or_else(|refusal| if refusal.errno() == libc::EEXIST { Ok(()) } else { Err(refusal) })
}

fn or_gone(sent: Result<(), Refusal>) -> Result<(), Refusal> {
    sent.or_else(|refusal| if refusal.errno() == libc::ESRCH { Ok(()) } else { Err(refusal) })
}

/// A route as people know it.
fn shown(route: &Route) -> String {
    let to = match route.destination {
        Some(to) => format!("{to}/{}", route.destination_len),
        None => "default".to_owned(),
    };
    format!("route to {to} in table {} with metric {} keeps its metric", route.table, route.priority)
}
