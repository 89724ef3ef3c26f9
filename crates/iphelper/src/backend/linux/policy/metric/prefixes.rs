//! Routes that the kernel makes from what routers advertise of prefixes: on-link ones, and those that a router is the way
//! to (RFC 4191).
//!
//! No sysctl says their metric. But the kernel finds them again, at each advertisement, by flags and not by their metric:
//! so a copy with the flags, which no word of rtnetlink gives but an `ioctl` does, is refreshed and withdrawn like its
//! original. Since the kernel always gives the same metrics, what a route is to have follows from its kind, and who was
//! killed half way needs no more to be found out.

use super::moved::Place;
use super::survey::Key;
use super::{Change, OPERATION, failed};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::batch::send_all;
use crate::backend::linux::policy::foreign::{is_unicast_over, routes};
use crate::backend::linux::socket::{AdvertisedRoute, Refusal, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{Filter, Route, protocol};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

/// The kernel's main routing table (`RT_TABLE_MAIN`).
const MAIN_TABLE: u32 = 254;
/// That of routes to prefixes on the link (`IP6_RT_PRIO_ADDRCONF`).
const ON_LINK_METRIC: u32 = 256;
/// That of routes by the router (`IP6_RT_PRIO_USER`).
const BY_ROUTER_METRIC: u32 = 1024;

/// The metric that the kernel gives such a route by itself.
const fn kernels(route: &Route) -> u32 {
    if route.gateway.is_none() { ON_LINK_METRIC } else { BY_ROUTER_METRIC }
}

/// Takes those of one interface, and copies of them, out of `all`, where the kernel's own on-link ones are absent.
pub(super) fn take_out(
    host: &LinuxHost,
    socket: &mut Socket,
    link: &Link,
    all: &mut Vec<Route>,
) -> Result<Vec<Route>, Refusal> {
    let index = link.index.0;
    let filter = Filter { interface: Some(index), advertised_prefixes: true, ..Filter::default() };
    let mut found = routes(socket, address_family(Family::V6), filter)?;
    found.retain(|route| {
        is_plain(route, index)
            && route.gateway.is_none()
            && [protocol::KERNEL, protocol::BOOT].contains(&route.protocol)
    });
    let place = |route: &Route| (Key::of(route), route.priority, route.gateway);
    let mut taken: HashSet<_> = found.iter().map(place).collect();
    let informed = |route: &&Route| may_be_by_router(route, index);
    if all.iter().any(|route| informed(&route)) {
        let told = host
            .namespace
            .run(|| std::fs::read("/proc/thread-self/net/ipv6_route"))
            .map_err(|_| Refusal::of(libc::EIO))?
            .map_err(|error| Refusal::of(error.raw_os_error().unwrap_or(libc::EIO)))?;
        let told: HashSet<_> = told
            .split(|byte| *byte == b'\n')
            .filter_map(|line| route_information(line, &link.name))
            .collect();
        let is_told = |route: &&Route| match (route.destination, route.gateway) {
            (Some(IpAddr::V6(to)), Some(IpAddr::V6(router))) => {
                told.contains(&(to, route.destination_len, router, route.priority))
            }
            _ => false,
        };
        let by_router: Vec<Route> = all.iter().filter(informed).filter(is_told).cloned().collect();
        taken.extend(by_router.iter().map(place));
        found.extend(by_router);
    }
    all.retain(|route| !taken.contains(&place(route)));
    Ok(found)
}

/// Whether a route has nothing that the kernel gives no route of an advertisement.
fn is_plain(route: &Route, index: u32) -> bool {
    is_unicast_over(route, index)
        && route.table == MAIN_TABLE
        && route.destination_len != 0
        && route.source_len == 0
        && route.next_hop_id.is_none()
        && route.next_hops.is_empty()
        && route.expires.is_none_or(|ticks| ticks > 0)
}

fn may_be_by_router(route: &Route, index: u32) -> bool {
    is_plain(route, index)
        && [protocol::ROUTER_ADVERTISEMENT, protocol::BOOT].contains(&route.protocol)
        && matches!(route.gateway, Some(IpAddr::V6(router)) if router.is_unicast_link_local())
}

/// What a line of `/proc/net/ipv6_route` says of a route over `interface` that came by RFC 4191: prefix, its length, router
/// and metric. rtnetlink does not tell the flag.
fn route_information(line: &[u8], interface: &[u8]) -> Option<(Ipv6Addr, u8, Ipv6Addr, u32)> {
    const ROUTE_INFORMATION: u32 = 0x0080_0000;
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let mut number = |digits: usize| {
        let word = words.next().filter(|word| word.len() == digits)?;
        u128::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
    };
    let (to, len) = (number(32)?, number(2)?);
    let _source = (number(32)?, number(2)?);
    let (router, metric, _uses, _references, flags) =
        (number(32)?, number(8)?, number(8)?, number(8)?, number(8)?);
    let flags = u32::try_from(flags).ok()?;
    if flags & ROUTE_INFORMATION == 0 || words.next()? != interface {
        return None;
    }
    Some((to.into(), u8::try_from(len).ok()?, router.into(), u32::try_from(metric).ok()?))
}

/// The routes among `all` that are to go at this offset of the interface, and what is to be added before.
pub(super) fn steps(all: &[Route], offset: u32) -> Result<(Vec<Route>, Vec<AdvertisedRoute>)> {
    let (mut old, mut new): (Vec<Route>, Vec<AdvertisedRoute>) = Default::default();
    for route in all {
        let metric = kernels(route).checked_add(offset).ok_or_else(|| {
            Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
                "metric: that of the route to an advertised prefix, {}, and {offset} are more than 32 bits hold together",
                kernels(route)
            ))
        })?;
        if route.priority == metric {
            continue;
        }
        old.push(route.clone());
        let alike = |other: &&Route| Key::of(other) == Key::of(route) && other.gateway == route.gateway;
        let mut alike = all.iter().filter(alike);
        if !alike.clone().any(|other| other.priority == metric)
            && alike.next().is_some_and(|first| std::ptr::eq(first, route))
        {
            new.extend(copy(route, metric));
        }
    }
    Ok((old, new))
}

fn copy(route: &Route, metric: u32) -> Option<AdvertisedRoute> {
    let Some(IpAddr::V6(to)) = route.destination else { return None };
    Some(AdvertisedRoute {
        interface: route.interface?,
        destination: (to, route.destination_len),
        router: match route.gateway {
            Some(IpAddr::V6(router)) => Some(router),
            _ => None,
        },
        metric,
        preference: route.preference.unwrap_or(0),
        expires: route.expires.and_then(|ticks| u32::try_from(ticks).ok()),
    })
}

/// Where such routes stand because they were moved.
pub(super) fn places(all: &[Route], offset: u32) -> impl Iterator<Item = Place> {
    all.iter().filter_map(move |route| Some(Place::of_routes(kernels(route).checked_add(offset)?)))
}

/// The same, of those that are still to come.
pub(super) fn later_places(offset: u32) -> impl Iterator<Item = Place> {
    let metrics = [ON_LINK_METRIC, BY_ROUTER_METRIC].into_iter();
    metrics.filter_map(move |metric| Some(Place::of_routes(metric.checked_add(offset)?)))
}

/// Whether a route may be one that the kernel has made from an advertisement just now.
pub(super) fn may_be_new(route: &Route, index: u32) -> bool {
    is_plain(route, index)
        && route.priority == kernels(route)
        && match route.gateway {
            None => route.protocol == protocol::KERNEL,
            Some(_) => route.protocol == protocol::ROUTER_ADVERTISEMENT,
        }
}

impl LinuxHost {
    /// Gives routes to prefixes that were advertised since the interface's metric. The caller has the lock.
    pub(in crate::backend::linux::policy) fn follow_advertised_prefixes(&self, link: &Link) -> Result<()> {
        let mut socket = self.route.take()?;
        let mut change = Change { host: self, socket: &mut socket, family: Family::V6, link };
        let Some(by) = change.state()?.to else { return Ok(()) };
        let mut survey = change.survey()?;
        let (old, new) = steps(&survey.prefixes, by)?;
        if old.is_empty() {
            return Ok(());
        }
        let writing = |refusal| failed(refusal, "writing down what moves");
        survey.moved_routes.add(change.socket, places(&survey.prefixes, by), by).map_err(writing)?;
        change.add_advertised(new, &mut Vec::new())?;
        change.delete_prefixes(&old, by)
    }
}

impl Change<'_> {
    /// Takes routes away that have copies at this offset.
    pub(super) fn delete_prefixes(&mut self, old: &[Route], offset: u32) -> Result<()> {
        let deleting = |refusal| failed(refusal, "taking the old routes away");
        for (place, refusal) in send_all(self.socket, old.iter().map(Route::delete)).map_err(deleting)? {
            let Some(old) = old.get(place) else { continue };
            if refusal.errno() != libc::ESRCH {
                return Err(deleting(refusal));
            }
            // The router has withdrawn it meanwhile, and the kernel has taken that one alone away.
            let copy = Route {
                protocol: protocol::BOOT,
                priority: kernels(old).saturating_add(offset),
                ..old.clone()
            };
            self.send_or_gone(copy.delete(), "taking away the copy of a route that is gone")?;
        }
        Ok(())
    }
}
