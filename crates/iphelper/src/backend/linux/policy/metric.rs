//! The interface metric, which Linux does not have: every route over the interface gets it added.
//!
//! The kernel knows one preference, the metric of a route. So an interface's offset, its metric while that is set by
//! hand and 0 while it is automatic, is added to the metric that each route's owner gave it. Copies with the new metric
//! are added first and the old routes taken away then, so that at each moment there is a route; the routes to the
//! prefixes of addresses follow the metric of the address, those that the kernel makes from router advertisements a
//! sysctl.
//!
//! A caller may be killed anywhere. The order of the messages makes sure that what is found then can be told apart:
//!
//! 1. Metrics at which something will stand because it was moved are written down ([`moved`]).
//! 2. The marker says "adding" ([`state`]): everything old is there.
//! 3. Copies are added, addresses changed.
//! 4. The marker says "deleting": everything new is there.
//! 5. Old routes are deleted.
//! 6. The marker says "settled", and what is no longer true is forgotten.

mod advertised;
mod follow;
mod moved;
mod owners;
mod shifted;
mod state;
mod survey;
#[cfg(test)]
mod tests;

use super::super::LinuxHost;
use super::super::link::{Link, address_family};
use super::super::namespace::system;
use super::super::socket::{AdvertisedRoute, Refusal, Socket};
use super::batch::{send, send_all};
use super::exclusive::PolicyLock;
use super::marker::{Marker, Subject, markers};
use super::names::metric_of;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use advertised::Advertised;
pub(super) use follow::{Followed, Moves};
use iphelper_netlink::message::{APPEND, CREATE, EXCLUSIVE, REPLACE, Request};
use iphelper_netlink::rtnetlink::addr::Address;
use iphelper_netlink::rtnetlink::route::{Route, protocol};
use moved::{Moved, Place, What};
pub(in crate::backend::linux) use owners::{OUR_PROTOCOL, RouteMetrics};
use rustix::io::Errno;
pub(super) use state::{Phase, State};
use survey::{Survey, Work};

/// What every error of this chapter was about.
const OPERATION: &str = "changing the metric of an interface";

/// What a change of an interface metric would move.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::backend::linux) struct MetricWork {
    /// Routes that get another metric.
    pub(in crate::backend::linux) routes: usize,
    /// Addresses whose prefix gets another metric.
    pub(in crate::backend::linux) addresses: usize,
}

impl LinuxHost {
    /// What [`set_interface_metric`](Self::set_interface_metric) would do.
    pub(in crate::backend::linux) fn interface_metric_work(
        &self,
        family: Family,
        link: &Link,
        metric: Option<u32>,
    ) -> Result<MetricWork> {
        let mut socket = self.route.take()?;
        let subject = Subject::of(link);
        let markers = markers(&mut socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let state = state_of(&markers, family, subject);
        let survey = survey(&mut socket, family, link, subject)?;
        let goal = State { to: metric, ..state };
        let work = survey.work(&goal)?;
        Ok(MetricWork { routes: work.delete.len(), addresses: work.readdress.len() })
    }

    /// Sets the interface metric of `family` by hand or, with `None`, makes it automatic again. Also moves routes that
    /// were added since, and completes what a caller that was killed has begun.
    ///
    /// [`ErrorKind::InvalidParameter`] if a route's metric would not fit 32 bits, [`ErrorKind::AlreadyExists`] if an IPv6
    /// route of another interface has the metric that one of this interface would get. On success, whether routers should
    /// be solicited, so that what they advertise gets its metric now.
    pub(in crate::backend::linux) fn set_interface_metric(
        &self,
        family: Family,
        link: &Link,
        metric: Option<u32>,
    ) -> Result<bool> {
        let _lock = PolicyLock::take(self)?;
        let mut change = Change { host: self, socket: &mut *self.route.take()?, family, link };
        let (state, survey) = change.recover()?;
        let goal = State { to: metric, ..state };
        if !survey.is_ambiguous(&goal)? {
            return change.take(goal, survey);
        }
        // Past everything, and from there to where it is to go: two changes, each of them clear.
        let round = survey.way_round(offset(state.from), offset(metric))?;
        let _ = change.take(State { to: Some(round), ..state }, survey)?;
        let (settled, survey) = (change.state()?, change.survey()?);
        let second = change.take(State { to: metric, ..settled }, survey);
        if second.is_err() {
            let (settled, survey) = (change.state()?, change.survey()?);
            let _ = change.take(State { to: state.from, ..settled }, survey)?;
        }
        second
    }
}

const fn offset(metric: Option<u32>) -> u32 {
    match metric {
        Some(offset) => offset,
        None => 0,
    }
}

pub(super) fn state_of(markers: &[Marker], family: Family, subject: Subject) -> State {
    let marker = markers.iter().find(|it| it.property == metric_of(family) && it.subject == subject);
    marker.map_or(State::settled(None, 0), State::read)
}

fn survey(socket: &mut Socket, family: Family, link: &Link, subject: Subject) -> Result<Survey> {
    Survey::new(socket, family, link, subject)
        .map_err(|refusal| failed(refusal, "listing routes and addresses"))
}

/// The error of a request of this chapter.
fn failed(refusal: Refusal, doing: &'static str) -> Error {
    refusal.error(OPERATION).because(doing)
}

/// Which metrics the owners of an interface's IPv4 routes gave them.
pub(super) struct OwnersMetrics {
    moved: Moved,
    offset: u32,
}

impl OwnersMetrics {
    pub(super) fn of_ipv4_routes(
        socket: &mut Socket,
        markers: &[Marker],
        link: &Link,
    ) -> Result<Self, Refusal> {
        let subject = Subject::of(link);
        let moved = Moved::read(socket, What::Routes, Family::V4, subject.index)?;
        Ok(Self { moved, offset: offset(state_of(markers, Family::V4, subject).from) })
    }

    /// That of a route whose metric is `metric` now.
    pub(super) fn owners(&self, metric: u32) -> u32 {
        self.moved.owners(Place::of_routes(metric), self.offset)
    }
}

/// What has been done of a change, and how it was before.
#[derive(Debug, Default)]
struct Done {
    added: Vec<Route>,
    addresses: Vec<Address>,
    stand_ins: Vec<AdvertisedRoute>,
    /// Advertised routes that have a stand-in now.
    replaced: Vec<Route>,
}

/// One call that changes the metric of an interface.
struct Change<'a> {
    host: &'a LinuxHost,
    socket: &'a mut Socket,
    family: Family,
    link: &'a Link,
}

impl Change<'_> {
    /// Goes from one settled state to another, or stays where it was.
    fn take(&mut self, goal: State, mut survey: Survey) -> Result<bool> {
        let mut advertised = Advertised::open(self.host, self.family, self.link, &goal)?;
        if let Some(advertised) = &advertised {
            survey.tell_stand_ins(advertised);
        }
        let work = survey.work(&goal)?;
        let owners = advertised.as_ref().map_or(0, Advertised::owners);
        let goal = State { phase: Phase::Adding, advertised: owners, ..goal };
        let mut done = Done::default();
        if let Err(error) = self.adding(&goal, &work, &mut survey, advertised.as_mut(), &mut done) {
            return Err(self.put_back(&goal, &done, &mut survey, advertised.as_mut(), error));
        }
        self.deleting(&goal, &work, &done)?;
        self.settle(&goal, &mut survey)?;
        if self.family == Family::V4 {
            // The kernel adds the routes to the prefixes of addresses anew, with no MTU.
            self.host.renew_ipv4_mtu(self.socket, self.link)?;
        }
        Ok(!survey.advertised.is_empty())
    }

    /// Completes what a caller that was killed has begun, forgets what is stale, and gives the settled state
    /// with what is there then.
    fn recover(&mut self) -> Result<(State, Survey)> {
        let subject = self.subject();
        let all = markers(self.socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let mine = |marker: &&Marker| {
            marker.property == metric_of(self.family) && marker.subject.index == subject.index
        };
        if let Some(stale) = all.iter().find(mine).filter(|marker| marker.subject != subject) {
            // An interface that is gone had this index. Its routes went with it.
            self.send_or_gone(stale.remove(), "taking a stale marker away")?;
        }
        let state = state_of(&all, self.family, subject);
        let mut survey = self.survey()?;
        if state.phase != Phase::Settled {
            let mut advertised = Advertised::open(self.host, self.family, self.link, &state)?;
            if let Some(advertised) = &advertised {
                survey.tell_stand_ins(advertised);
            }
            let work = survey.work(&state)?;
            let mut done = Done::default();
            if state.phase == Phase::Adding {
                self.adding(&state, &work, &mut survey, advertised.as_mut(), &mut done)?;
            } else if let Some(advertised) = &advertised {
                (done.replaced, _) = advertised.stand_ins(&survey.advertised, offset(state.to));
            }
            self.deleting(&state, &work, &done)?;
            self.settle(&state, &mut survey)?;
            survey = self.survey()?;
        }
        self.forget(&mut survey, offset(state.to))?;
        Ok((State::settled(state.to, state.advertised), survey))
    }

    /// Adds everything new.
    fn adding(
        &mut self,
        goal: &State,
        work: &Work,
        survey: &mut Survey,
        advertised: Option<&mut Advertised>,
        done: &mut Done,
    ) -> Result<()> {
        let offset = offset(goal.to);
        let writing = |refusal| failed(refusal, "writing down what moves");
        let routes = work.routes.iter().copied();
        survey.moved_routes.add(self.socket, routes, offset).map_err(writing)?;
        let prefixes = work.prefixes.iter().copied();
        survey.moved_prefixes.add(self.socket, prefixes, offset).map_err(writing)?;
        self.mark(goal)?;
        if self.state()? != *goal {
            // The kernel put the marker into the one table that it has.
            return Err(Error::new(ErrorKind::NotSupported, OPERATION)
                .because("this kernel has no routing tables to remember it in (CONFIG_IP_MULTIPLE_TABLES)"));
        }

        let copies: Vec<_> = work.add.iter().map(|route| route.add(self.how_to_add(route))).collect();
        let refused = send_all(self.socket, copies).map_err(|refusal| failed(refusal, "adding routes"))?;
        let there = |place| refused.iter().all(|(refused, _)| *refused != place);
        done.added =
            work.add.iter().enumerate().filter(|(place, _)| there(*place)).map(|it| it.1.clone()).collect();
        for (place, refusal) in refused {
            let route = work.add.get(place);
            if refusal.errno() == libc::EEXIST && route.is_some_and(|it| !self.must_be_alone(it)) {
                // This very route: added by a caller that was killed, or by its owner meanwhile.
                continue;
            }
            return Err(refused_route(refusal, route));
        }
        done.addresses = work.readdress.iter().map(|(_, old)| old.clone()).collect();
        self.readdress(work.readdress.iter().map(|(new, _)| new.add(REPLACE)))?;
        if let Some(advertised) = advertised {
            advertised.write(offset)?;
            let (old, new) = advertised.stand_ins(&survey.advertised, offset);
            for stand_in in new {
                match self.host.namespace.run(|| stand_in.add())? {
                    Ok(()) => done.stand_ins.push(stand_in),
                    Err(Errno::EXIST) => {}
                    Err(errno) => {
                        return Err(
                            system(OPERATION, errno).because("adding a stand-in for an advertised route")
                        );
                    }
                }
            }
            done.replaced = old;
        }
        Ok(())
    }

    /// Takes everything old away.
    fn deleting(&mut self, goal: &State, work: &Work, done: &Done) -> Result<()> {
        self.mark(&State { phase: Phase::Deleting, ..*goal })?;
        let deleting = |refusal| failed(refusal, "taking the old routes away");
        // Advertised routes may have been replaced, or have ended, by themselves.
        let _ = send_all(self.socket, done.replaced.iter().map(Route::delete)).map_err(deleting)?;
        let refused = send_all(self.socket, work.delete.iter().map(Route::delete)).map_err(deleting)?;
        for (place, refusal) in refused {
            // Its owner has taken it away meanwhile, and does not know the copy.
            if refusal.errno() == libc::ESRCH
                && let Some(copy) = work.delete.get(place).and_then(|old| work.copy_of(old))
            {
                self.send_or_gone(copy.delete(), "taking away the copy of a route that is gone")?;
            } else if refusal.errno() != libc::ESRCH {
                return Err(deleting(refusal));
            }
        }
        Ok(())
    }

    fn settle(&mut self, goal: &State, survey: &mut Survey) -> Result<()> {
        let settled = State::settled(goal.to, goal.advertised);
        if settled.to.is_some() {
            self.mark(&settled)?;
        } else {
            let marker = settled.marker(self.family, self.subject());
            self.send_or_gone(marker.remove(), "taking the marker away")?;
        }
        self.forget(survey, offset(goal.to))
    }

    /// Undoes [`adding`](Self::adding), which failed with `error`.
    fn put_back(
        &mut self,
        goal: &State,
        done: &Done,
        survey: &mut Survey,
        advertised: Option<&mut Advertised>,
        error: Error,
    ) -> Error {
        let undo = || -> Result<()> {
            let undoing = |refusal| failed(refusal, "taking copies away again");
            if let Some(advertised) = advertised {
                advertised.write(offset(goal.from))?;
            }
            self.readdress(done.addresses.iter().map(|old| old.add(REPLACE)))?;
            for stand_in in &done.stand_ins {
                self.send_or_gone(stand_in_route(stand_in).delete(), "taking a stand-in away again")?;
            }
            // Those that are gone already need no more.
            let _ = send_all(self.socket, done.added.iter().map(Route::delete)).map_err(undoing)?;
            self.settle(&State { to: goal.from, ..*goal }, survey)
        };
        match undo() {
            Ok(()) => error,
            Err(lost) => {
                let reason = error.reason().map(|reason| format!("{reason}; ")).unwrap_or_default();
                error.because(format!("{reason}what was done could not be put back ({lost}): call again"))
            }
        }
    }

    /// How a copy is added. IPv4 puts it behind those of the same metric; IPv6 would merge two routes that go by
    /// routers into one multipath route.
    fn how_to_add(&self, route: &Route) -> u16 {
        match self.family {
            Family::V4 => CREATE | APPEND,
            Family::V6 if self.must_be_alone(route) => CREATE | EXCLUSIVE,
            Family::V6 => CREATE,
        }
    }

    fn must_be_alone(&self, route: &Route) -> bool {
        let by_router = route.gateway.is_some() || !route.next_hops.is_empty();
        self.family == Family::V6 && route.next_hop_id.is_none() && by_router
    }

    fn readdress(&mut self, requests: impl IntoIterator<Item = Request>) -> Result<()> {
        let changing = |refusal| failed(refusal, "changing the metric of an address' prefix");
        match send_all(self.socket, requests).map_err(changing)?.pop() {
            Some((_, refusal)) => Err(changing(refusal)),
            None => Ok(()),
        }
    }

    fn mark(&mut self, state: &State) -> Result<()> {
        let marker = state.marker(self.family, self.subject());
        send(self.socket, marker.put()).map_err(|refusal| failed(refusal, "writing the marker"))
    }

    fn forget(&mut self, survey: &mut Survey, offset: u32) -> Result<()> {
        let Survey { moved_routes, moved_prefixes, .. } = survey;
        for moved in [moved_routes, moved_prefixes] {
            moved
                .keep_only(self.socket, offset)
                .map_err(|refusal| failed(refusal, "forgetting what was moved"))?;
        }
        Ok(())
    }

    fn send_or_gone(&mut self, request: Request, doing: &'static str) -> Result<()> {
        match send(self.socket, request) {
            Err(refusal) if refusal.errno() != libc::ESRCH => Err(failed(refusal, doing)),
            _ => Ok(()),
        }
    }

    fn state(&mut self) -> Result<State> {
        let markers = markers(self.socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        Ok(state_of(&markers, self.family, self.subject()))
    }

    fn survey(&mut self) -> Result<Survey> {
        survey(self.socket, self.family, self.link, self.subject())
    }

    fn subject(&self) -> Subject {
        Subject::of(self.link)
    }
}

/// The route that a stand-in is to rtnetlink.
fn stand_in_route(stand_in: &AdvertisedRoute) -> Route {
    const MAIN_TABLE: u32 = 254;
    Route {
        protocol: protocol::BOOT,
        priority: stand_in.metric,
        interface: Some(stand_in.interface),
        gateway: Some(stand_in.router.into()),
        ..Route::new(address_family(Family::V6), MAIN_TABLE)
    }
}

/// The error of a copy that the kernel did not take.
fn refused_route(refusal: Refusal, route: Option<&Route>) -> Error {
    let shown = route.map_or_else(String::new, |route| {
        let to = route.destination.map_or_else(|| "default".to_owned(), |to| to.to_string());
        format!("{to}/{} in table {} with metric {}", route.destination_len, route.table, route.priority)
    });
    if refusal.errno() == libc::EEXIST {
        return refusal.into_error(ErrorKind::AlreadyExists, OPERATION).because(format!(
            "there is another route to {shown}, and the kernel would merge the two; choose another metric"
        ));
    }
    failed(refusal, "adding a route with the new metric").because(format!("adding the route to {shown}"))
}
