//! What making, changing and deleting routes have in common: notes before, guards after, and the way back.

use super::plan::Planned;
use super::row::{Surroundings, family_of};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::policy::{PolicyLock, send_all};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::message::{APPEND, CREATE, EXCLUSIVE, REPLACE, Request};
use iphelper_netlink::rtnetlink::addr::Address;
use iphelper_netlink::rtnetlink::route as wire;
use std::collections::BTreeMap;

/// Reads what surrounds routes over `links`; under the lock of the policy where an interface metric is in force, which
/// must not change before the routes are written. A change of it that was left half done is completed first.
pub(super) fn locked(
    host: &LinuxHost,
    links: &[Link],
    families: &[Family],
) -> Result<(Option<PolicyLock>, Surroundings)> {
    let read = || Surroundings::of_new(host, links, families);
    let mut surroundings = read()?;
    let (mut is_changed, mut needs_lock) = (false, false);
    for link in links {
        for family in families {
            needs_lock |= surroundings.metrics.offset(*family, link.index.0) != 0;
            if let Some(metric) = surroundings.metrics.unfinished(*family, link.index.0) {
                let _ = host.set_interface_metric(*family, link, metric)?;
                is_changed = true;
            }
        }
    }
    if !needs_lock && !is_changed {
        return Ok((None, surroundings));
    }
    let lock = PolicyLock::take(host)?;
    surroundings = read()?;
    Ok((Some(lock), surroundings))
}

/// Writes down why routes that are about to be made stand where they do.
pub(super) fn note<'a>(
    host: &LinuxHost,
    socket: &mut Socket,
    surroundings: &Surroundings,
    planned: impl Iterator<Item = &'a Planned>,
    operation: &'static str,
) -> Result<()> {
    let mut moved: BTreeMap<(Family, u32), Vec<u32>> = BTreeMap::new();
    let mut shifts = Vec::new();
    for it in planned {
        let family = family_of(&it.route);
        if surroundings.metrics.offset(family, it.link) != 0 {
            moved.entry((family, it.link)).or_default().push(it.route.priority);
        }
        if family == Family::V6 {
            shifts.extend(surroundings.metrics.shifts.notes(it.link, &it.route, it.stored, it.shift));
        }
    }
    for ((family, link), metrics) in moved {
        let offset = surroundings.metrics.offset(family, link);
        host.note_moved(socket, family, link, metrics, offset)?;
    }
    let noting = |refusal: Refusal| {
        refusal.error(operation).because("writing down which routes stand behind others of their metric")
    };
    for (_, refusal) in send_all(socket, shifts).map_err(noting)? {
        // Gone, or there already.
        if !matches!(refusal.errno(), libc::ESRCH | libc::EEXIST) {
            return Err(noting(refusal));
        }
    }
    Ok(())
}

/// A request that adds a route beside all others. IPv4 puts it behind those of its metric; an IPv6 route stands alone.
pub(super) fn add(route: &wire::Route) -> Request {
    route.add(match family_of(route) {
        Family::V4 => CREATE | APPEND,
        Family::V6 => CREATE | EXCLUSIVE,
    })
}

/// What has been done to routes, to be undone where the rest fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Undo<'a> {
    pub(super) added: &'a [wire::Route],
    pub(super) deleted: &'a [wire::Route],
    /// As they were before another took their place.
    pub(super) replaced: &'a [wire::Route],
    /// As they were before the route to their prefix got another metric.
    pub(super) addresses: &'a [Address],
}

/// Gives the routes of an interface its MTU, and makes what guards hold follow the routes as they are now.
pub(super) fn guards_follow(
    host: &LinuxHost,
    links: &[Link],
    surroundings: &Surroundings,
    families: &[Family],
    operation: &'static str,
    undo: Undo<'_>,
) -> Result<()> {
    let follow = || {
        if families.contains(&Family::V4) {
            for link in links {
                if let Some(mtu) = surroundings.metrics.ipv4_mtu(link.index.0) {
                    host.set_ipv4_mtu(link, Some(mtu))?;
                }
            }
        }
        host.policy_follows_routes(families, surroundings.metrics.is_any_unfinished())
    };
    let Err(error) = follow() else { return Ok(()) };
    let back = host.route.take().and_then(|mut socket| {
        // What is to be there first, so that there is a way at each moment.
        let back = undo.deleted.iter().map(add);
        let back = back.chain(undo.replaced.iter().map(|route| route.add(CREATE | REPLACE)));
        let back = back.chain(undo.addresses.iter().map(|address| address.add(REPLACE)));
        let requests = back.chain(undo.added.iter().map(wire::Route::delete));
        send_all(&mut socket, requests).map_err(|refusal| refused(refusal, operation))
    });
    let _ = host.reconcile_policy();
    let reason = error.reason().map(|reason| format!("{reason}; ")).unwrap_or_default();
    Err(match back {
        Ok(refusals) if refusals.is_empty() => {
            error.because(format!("{reason}the guards could not follow, and the routes were put back"))
        }
        _ => error
            .because(format!("{reason}the guards could not follow, and the routes could not be put back")),
    })
}

/// The error of a route that the kernel did not take.
pub(super) fn refused(refusal: Refusal, operation: &'static str) -> Error {
    match refusal.errno() {
        libc::EEXIST => refusal
            .into_error(ErrorKind::AlreadyExists, operation)
            .because("there is a route of this prefix, next hop and interface already"),
        libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL => refusal
            .into_error(ErrorKind::InvalidParameter, operation)
            .because("the next hop is no neighbour on this interface: make a route to it first"),
        libc::ENETDOWN => refusal
            .into_error(ErrorKind::NotSupported, operation)
            .because("the interface is down, and Linux has no routes over such: bring it up first"),
        libc::ESRCH => refusal.into_error(ErrorKind::NotFound, operation).because("it went away meanwhile"),
        _ => refusal.error(operation),
    }
}
