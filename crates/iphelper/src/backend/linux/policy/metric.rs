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
//!
//! Two routes that differ in their metrics alone, of which one goes where the other still is, could not be told apart then,
//! and two IPv6 routes by routers would become one. So they go round: all routes past all others, in a change of its own, and from there to where they are to go in another. Where the way
//! leads in the end is written down before the first, and forgotten after the second.

mod advertised;
mod follow;
mod moved;
mod order;
mod owners;
mod prefixes;
mod shifted;
mod state;
mod stays;
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
use super::names::{metric_of, round_of};
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
use state::Phase;
pub(super) use state::{State, has_unfinished};
pub(in crate::backend::linux) use stays::Unmovable;
pub(in crate::backend::linux) use survey::has_own_prefix;
use survey::{Survey, Work, must_be_alone};

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
        let state = State::of(&markers, family, subject);
        let survey = survey(self, &mut socket, family, link, subject)?;
        let goal = State { to: metric, ..state };
        let work = survey.work(&goal)?;
        let (prefixes, _) = prefixes::steps(&survey.prefixes, offset(metric))?;
        Ok(MetricWork { routes: work.delete.len() + prefixes.len(), addresses: work.readdress.len() })
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
        change.go(state, survey, metric)
    }

    /// Completes what callers that were killed have begun. The caller has the lock.
    pub(super) fn finish_metrics(&self, links: &[Link]) -> Result<()> {
        let mut socket = self.route.take()?;
        let all = markers(&mut socket).map_err(|refusal| failed(refusal, "reading the markers"))?;
        let mut done = Ok(());
        for link in links {
            let state = |family| State::of(&all, family, Subject::of(link));
            for family in Family::ALL.into_iter().filter(|family| state(*family).is_unfinished()) {
                let mut change = Change { host: self, socket: &mut socket, family, link };
                done = done.and(change.finish().map(drop));
            }
        }
        done
    }
}

const fn offset(metric: Option<u32>) -> u32 {
    match metric {
        Some(offset) => offset,
        None => 0,
    }
}

fn survey(
    host: &LinuxHost,
    socket: &mut Socket,
    family: Family,
    link: &Link,
    subject: Subject,
) -> Result<Survey> {
    Survey::new(host, socket, family, link, subject)
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
        Ok(Self { moved, offset: offset(State::of(markers, Family::V4, subject).from) })
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
    /// Routes to advertised prefixes that have a copy now.
    prefixes: Vec<Route>,
}

/// One call that changes the metric of an interface.
struct Change<'a> {
    host: &'a LinuxHost,
    socket: &'a mut Socket,
    family: Family,
    link: &'a Link,
}

impl Change<'_> {
    /// Goes from a settled state to `metric`, round others where that is needed.
    fn go(&mut self, state: State, survey: Survey, metric: Option<u32>) -> Result<bool> {
        let goal = State { to: metric, ..state };
        if !survey.is_ambiguous(&goal)? {
            let solicits = self.take(goal, survey)?;
            self.forget_round(&state)?;
            return Ok(solicits);
        }
        // Past everything, and from there to where it is to go: two changes, each of them clear.
        let round = survey.way_round(offset(state.from), offset(metric))?;
        let marker = State::round(self.family, self.subject(), metric);
        send(self.socket, marker.put())
            .map_err(|refusal| failed(refusal, "writing down where the way leads"))?;
        let rounding = State { then: Some(metric), ..state };
        if let Err(error) = self.take(State { to: Some(round), ..rounding }, survey) {
            self.forget_round(&rounding)?;
            return Err(error);
        }
        let (settled, survey) = (self.state()?, self.survey()?);
        let done = self.take(State { to: metric, ..settled }, survey);
        if done.is_err() {
            let (settled, survey) = (self.state()?, self.survey()?);
            let _ = self.take(State { to: state.from, ..settled }, survey)?;
        }
        self.forget_round(&rounding)?;
        done
    }

    /// Completes what a caller that was killed has begun, to where it was to lead; what there is then.
    fn finish(&mut self) -> Result<(State, Survey)> {
        let (state, survey) = self.recover()?;
        let Some(goal) = state.then else { return Ok((state, survey)) };
        let _ = self.go(state, survey, goal)?;
        Ok((self.state()?, self.survey()?))
    }

    fn forget_round(&mut self, state: &State) -> Result<()> {
        match state.then {
            Some(goal) => {
                let marker = State::round(self.family, self.subject(), goal);
                self.send_or_gone(marker.remove(), "forgetting where the way led")
            }
            None => Ok(()),
        }
    }

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
        let properties = [metric_of(self.family), round_of(self.family)];
        let is_stale = |marker: &&Marker| {
            properties.contains(&marker.property)
                && marker.subject.index == subject.index
                && marker.subject != subject
        };
        for stale in all.iter().filter(is_stale) {
            // An interface that is gone had this index. Its routes went with it.
            self.send_or_gone(stale.remove(), "taking a stale marker away")?;
        }
        let state = State::of(&all, self.family, subject);
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
            if state.phase == Phase::Deleting {
                (done.prefixes, _) = prefixes::steps(&survey.prefixes, offset(state.to))?;
            }
            self.deleting(&state, &work, &done)?;
            self.settle(&state, &mut survey)?;
            survey = self.survey()?;
            let settled = State { then: state.then, ..State::settled(state.to, state.advertised) };
            if !survey.unmoved(&settled).is_empty() && !survey.is_ambiguous(&settled)? {
                let _ = self.take(settled, survey)?;
                survey = self.survey()?;
            }
        }
        self.forget(&mut survey, offset(state.to))?;
        Ok((State { then: state.then, ..State::settled(state.to, state.advertised) }, survey))
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
        let (old_prefixes, new_prefixes) = prefixes::steps(&survey.prefixes, offset)?;
        let writing = |refusal| failed(refusal, "writing down what moves");
        let routes = work.routes.iter().copied().chain(prefixes::places(&survey.prefixes, offset));
        survey.moved_routes.add(self.socket, routes, offset).map_err(writing)?;
        let prefixes = work.prefixes.iter().copied();
        survey.moved_prefixes.add(self.socket, prefixes, offset).map_err(writing)?;
        let index = self.subject().index;
        if self.family == Family::V4 {
            let leaving = survey.leaving(goal, work, index);
            survey.order.note(self.socket, &leaving).map_err(writing)?;
        }
        self.mark(goal)?;
        if self.state()? != *goal {
            // The kernel put the marker into the one table that it has.
            return Err(Error::new(ErrorKind::NotSupported, OPERATION)
                .because("this kernel has no routing tables to remember it in (CONFIG_IP_MULTIPLE_TABLES)"));
        }

        let reading = |refusal| failed(refusal, "reading which route stands first");
        let front = survey.order.to_front(self.socket, &work.add).map_err(reading)?;
        let how = |number, route| if front.contains(&number) { CREATE } else { self.how_to_add(route) };
        let copies: Vec<_> =
            work.add.iter().enumerate().map(|(it, route)| route.add(how(it, route))).collect();
        let refused = send_all(self.socket, copies).map_err(|refusal| failed(refusal, "adding routes"))?;
        let there = |place| refused.iter().all(|(refused, _)| *refused != place);
        done.added =
            work.add.iter().enumerate().filter(|(place, _)| there(*place)).map(|it| it.1.clone()).collect();
        for (place, refusal) in refused {
            let route = work.add.get(place);
            if refusal.errno() == libc::EEXIST && route.is_some_and(|it| !must_be_alone(self.family, it)) {
                // This very route: added by a caller that was killed, or by its owner meanwhile.
                continue;
            }
            return Err(refused_route(refusal, route));
        }
        done.addresses = work.readdress.iter().map(|(_, old)| old.clone()).collect();
        self.readdress_in_order(work, survey)?;
        self.add_advertised(new_prefixes, &mut done.stand_ins)?;
        done.prefixes = old_prefixes;
        if let Some(advertised) = advertised {
            advertised.write(offset)?;
            let (old, new) = advertised.stand_ins(&survey.advertised, offset);
            self.add_advertised(new, &mut done.stand_ins)?;
            done.replaced = old;
        }
        Ok(())
    }

    /// Adds routes that the kernel takes for its own; `added` gets those that were not there.
    fn add_advertised(&self, new: Vec<AdvertisedRoute>, added: &mut Vec<AdvertisedRoute>) -> Result<()> {
        for route in new {
            match self.host.namespace.run(|| route.add())? {
                Ok(()) => added.push(route),
                Err(Errno::EXIST) => {}
                Err(errno) => {
                    return Err(system(OPERATION, errno).because("adding a stand-in for an advertised route"));
                }
            }
        }
        Ok(())
    }

    /// Takes everything old away.
    fn deleting(&mut self, goal: &State, work: &Work, done: &Done) -> Result<()> {
        self.mark(&State { phase: Phase::Deleting, ..*goal })?;
        let deleting = |refusal| failed(refusal, "taking the old routes away");
        // Advertised routes may have been replaced, or have ended, by themselves.
        let _ = send_all(self.socket, done.replaced.iter().map(Route::delete)).map_err(deleting)?;
        self.delete_prefixes(&done.prefixes, offset(goal.to))?;
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
            survey.order.restore(self.socket, self.subject().index).map_err(undoing)?;
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
            Family::V6 if must_be_alone(self.family, route) => CREATE | EXCLUSIVE,
            Family::V6 => CREATE,
        }
    }

    fn readdress(&mut self, requests: impl IntoIterator<Item = Request>) -> Result<()> {
        let changing = |refusal| failed(refusal, "changing the metric of an address' prefix");
        match send_all(self.socket, requests).map_err(changing)?.pop() {
            Some((_, refusal)) => Err(changing(refusal)),
            None => Ok(()),
        }
    }

    /// The same, and the routes stand among others' as they stood.
    fn readdress_in_order(&mut self, work: &Work, survey: &Survey) -> Result<()> {
        let index = self.subject().index;
        if !survey.order.is_empty() && !work.readdress.is_empty() {
            let ordering = |refusal| failed(refusal, "putting the route to a prefix in its place");
            // The kernel would put its route last, and is content where it is there already.
            let mut arriving = Vec::new();
            for mut route in order::to_prefixes(self.socket, index).map_err(ordering)? {
                let moves = |(_, old): &&(Address, Address)| survey.spot(old) == order::spot_of(&route);
                if let Some(metric) =
                    work.readdress.iter().find(moves).and_then(|(new, _)| new.route_priority)
                {
                    route.priority = metric;
                    arriving.push(route);
                }
            }
            let front = survey.order.to_front(self.socket, &arriving).map_err(ordering)?;
            let first = arriving.iter().enumerate().filter(|(number, _)| front.contains(number));
            // What is refused is there already, or is put in its place afterwards.
            let _ = send_all(self.socket, first.map(|(_, route)| route.add(CREATE))).map_err(ordering)?;
        }
        self.readdress(work.readdress.iter().map(|(new, _)| new.add(REPLACE)))?;
        let ordering = |refusal| failed(refusal, "putting routes in their order");
        survey.order.restore(self.socket, index).map_err(ordering)
    }

    fn mark(&mut self, state: &State) -> Result<()> {
        let marker = state.marker(self.family, self.subject());
        send(self.socket, marker.put()).map_err(|refusal| failed(refusal, "writing the marker"))
    }

    fn forget(&mut self, survey: &mut Survey, offset: u32) -> Result<()> {
        let forgetting = |refusal| failed(refusal, "forgetting what was moved");
        let Survey { moved_routes, moved_prefixes, order, .. } = survey;
        for moved in [moved_routes, moved_prefixes] {
            moved.keep_only(self.socket, offset).map_err(forgetting)?;
        }
        if !order.is_empty() {
            // Those of other interfaces may have moved too, and come back later.
            let markers = markers(self.socket).map_err(forgetting)?;
            let moved = markers.iter().filter(|it| it.property == metric_of(Family::V4));
            let moved = moved.map(|marker| marker.subject.index).collect();
            order.keep_only(self.socket, &moved).map_err(forgetting)?;
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
        Ok(State::of(&markers, self.family, self.subject()))
    }

    fn survey(&mut self) -> Result<Survey> {
        survey(self.host, self.socket, self.family, self.link, self.subject())
    }

    fn subject(&self) -> Subject {
        Subject::of(self.link)
    }
}

/// The route that a stand-in, or the copy of a route to an advertised prefix, is to rtnetlink.
fn stand_in_route(stand_in: &AdvertisedRoute) -> Route {
    const MAIN_TABLE: u32 = 254;
    Route {
        protocol: protocol::BOOT,
        priority: stand_in.metric,
        interface: Some(stand_in.interface),
        gateway: stand_in.router.map(Into::into),
        destination_len: stand_in.destination.1,
        destination: (stand_in.destination.1 != 0).then_some(stand_in.destination.0.into()),
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
