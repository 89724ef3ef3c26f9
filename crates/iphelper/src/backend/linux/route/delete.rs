//! Deleting routes.

use super::find::{Candidate, Found, Scope, find};
use super::first;
use super::row::family_of;
use super::write::{Undo, add, guards_follow, refused};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::policy::send_all;
use crate::backend::linux::socket::Socket;
use crate::error::{Error, ErrorKind, Result};
use crate::route::{Route, RouteKey};
use crate::types::Family;
use iphelper_netlink::message::{CREATE, Request};
use iphelper_netlink::rtnetlink::route as wire;

const OPERATION: &str = "deleting a route";

/// How exactly one route, or one next hop of it, goes.
#[derive(Debug)]
pub(super) struct Removal {
    /// What stands in its place: the route without this next hop.
    pub(super) instead: Option<wire::Route>,
    pub(super) goes: wire::Route,
}

impl Removal {
    pub(super) fn of(found: &Found, candidate: &Candidate, operation: &'static str) -> Result<Self> {
        let unsupported = |why: String| Error::new(ErrorKind::NotSupported, operation).because(why);
        if let (Some(id), Some(_)) = (candidate.row.next_hop_object, candidate.row.multipath) {
            return Err(unsupported(format!(
                "its next hops are members of nexthop object {id}: change that one (ip nexthop)"
            )));
        }
        let single = candidate.single();
        let family = family_of(&single);
        if family == Family::V6 && single.gateway.is_none() {
            // The kernel does not ask whether the one that it deletes has a router (net/ipv6/route.c, ip6_route_del).
            let is_twin = |other: &wire::Route| {
                other.priority == single.priority
                    && other.protocol == single.protocol
                    && (other.interface == single.interface && other.gateway.is_some()
                        || other.next_hops.iter().any(|hop| Some(hop.interface) == single.interface))
            };
            if found.all.iter().any(is_twin) {
                return Err(unsupported(
                    "another route of this prefix, interface and metric goes by a router, and the kernel cannot tell \
                     the two apart: change that one's metric first"
                        .to_owned(),
                ));
            }
        }
        Ok(match (candidate.is_leg(), family) {
            // IPv6 takes one next hop away, IPv4 routes alone.
            (true, Family::V4) => Self { instead: Some(candidate.others()), goes: candidate.wire.clone() },
            (true, Family::V6) => Self { instead: None, goes: single },
            (false, _) => Self { instead: None, goes: candidate.wire.clone() },
        })
    }

    /// Does it, or nothing.
    pub(super) fn carry_out(&self, socket: &mut Socket, operation: &'static str) -> Result<()> {
        let failed = |refusal| refused(refusal, operation);
        let mut send = |request: Request| {
            let refused = send_all(socket, [request]).map_err(failed)?.pop();
            refused.map_or(Ok(()), |(_, refusal)| Err(failed(refusal)))
        };
        if let Some(instead) = &self.instead {
            send(add(instead))?;
        }
        send(self.goes.delete()).inspect_err(|_| {
            if let Some(instead) = &self.instead {
                let _ = send(instead.delete());
            }
        })
    }
}

/// What would be deleted.
pub(super) fn plan(host: &LinuxHost, key: &RouteKey) -> Result<Route> {
    let found = find(host, key, Scope::Key, OPERATION)?;
    let candidate = found.only(key, OPERATION)?;
    let _ = Removal::of(&found, candidate, OPERATION)?;
    Ok(candidate.row.clone())
}

/// Deletes the route of a key.
pub(super) fn delete(host: &LinuxHost, key: &RouteKey) -> Result<Route> {
    host.require_administrator(OPERATION)?;
    if let Some(found) = first::find(host, key, OPERATION)?
        && let Some(row) = delete_first(host, key, &found)?
    {
        return Ok(row);
    }
    let found = find(host, key, Scope::Key, OPERATION)?;
    let removal = Removal::of(&found, found.only(key, OPERATION)?, OPERATION)?;
    removal.carry_out(&mut *host.route.take()?, OPERATION)?;
    deleted(host, key, &found, removal)
}

/// Deletes the first route to the key's prefix; `None` and nothing where others have to be looked at.
fn delete_first(host: &LinuxHost, key: &RouteKey, found: &Found) -> Result<Option<Route>> {
    let candidate = found.only(key, OPERATION)?;
    let (row, goes) = (&candidate.row, &candidate.wire);
    if row.family() == Family::V6 && goes.gateway.is_none() {
        return Ok(None);
    }
    let removal = Removal::of(found, candidate, OPERATION)?;
    removal.carry_out(&mut *host.route.take()?, OPERATION)?;
    if !first::has_none(host, row.table, row.destination, &found.link) {
        // Another of the key would have been behind it, with the same way for each packet: the caller must say which.
        let behind = find(host, key, Scope::Key, OPERATION);
        if !behind.as_ref().is_ok_and(|behind| !behind.candidates.iter().any(Candidate::is_plain)) {
            // In front of others of its metric, where it was.
            let back = send_all(&mut *host.route.take()?, [goes.add(CREATE)]);
            let refused = back.map_err(|refusal| refused(refusal, OPERATION))?.pop();
            return refused.map_or(Ok(None), |(_, refusal)| Err(super::write::refused(refusal, OPERATION)));
        }
    }
    deleted(host, key, found, removal).map(Some)
}

/// What follows the deletion of a route.
fn deleted(host: &LinuxHost, key: &RouteKey, found: &Found, removal: Removal) -> Result<Route> {
    let row = &found.only(key, OPERATION)?.row;
    let added: Vec<_> = removal.instead.into_iter().collect();
    let undo = Undo { added: &added, deleted: std::slice::from_ref(&removal.goes), ..Undo::default() };
    let links = std::slice::from_ref(&found.link);
    guards_follow(host, links, &found.surroundings, &[row.family()], OPERATION, undo)?;
    Ok(row.clone())
}
